//! The line that says what is being done with many files.

use super::terminal::Terminal;

/// A project of so many files is made, and upgraded to other contents of one, by these words; returns the terminal at the end.
fn terminal(files: usize, words: &str) -> Terminal {
    let script = format!(
        "mkdir ../t && : >../t/cargo-generate.toml && i=0 && while [ $i -lt {files} ]; do echo $i >../t/$i; i=$((i+1)); done && \
         \"$0\" new app --vcs none --path ../t {words} && echo new >../t/0 && \"$0\" upgrade app {words}"
    );
    let mut terminal = Terminal::new("upgrade/1").shell(&script).run();
    assert_eq!(terminal.exit(), 0, "{}", terminal.contents());
    terminal
}

#[test]
fn a_line_says_what_is_done_with_many_files_and_is_gone_in_the_end() {
    let terminal = terminal(5_000, "--silent");
    for step in ["rendering", "merging", "writing"] {
        terminal.was_once_shown(&format!("app (5,000 files)  {step}"));
        assert!(!terminal.contents().contains(step), "{}", terminal.contents());
    }
    terminal.see_all(&["Created app (5000 files)", "updated   0: changed in the template"]);
}

#[test]
fn there_is_no_such_line_for_few_files_or_where_it_is_not_wanted() {
    for (files, words) in [(900, "--silent"), (1_000, "--silent --quiet"), (1_000, "--silent 2>>../stderr.txt")] {
        let terminal = terminal(files, words);
        for step in ["rendering", "merging", "writing"] {
            terminal.was_never_shown(step);
        }
        let stderr = std::fs::read_to_string(terminal.work().join("../stderr.txt")).unwrap_or_default();
        assert_eq!(stderr, "", "{files} {words}");
    }
}
