//! `create-app PATH` inside a repository: shown and agreed to before anything is written.

use super::terminal::{CTRL_C, ENTER, Terminal};

/// `create-app project` in a repository, with a template whose file `root.txt` goes to the repository's root.
fn terminal(words: &str) -> Terminal {
    let script = format!(
        "mkdir -p ../t/at && cp \"$6\"/answer.txt ../t && cp ../t/answer.txt ../t/at/root.txt && \
         printf '[placeholders]\ntitle = {{ prompt = \"Title?\", default = \"x\" }}\n[create-app]\nrepository = [\"at/**\"]\n' \
         >../t/cargo-generate.toml && mkdir .git .git/objects .git/refs && echo 'ref: refs/heads/main' >.git/HEAD && \
         \"$0\" {words}"
    );
    Terminal::new("upgrade/1").shell(&script).run()
}

#[test]
fn where_an_app_is_written_is_shown_and_asked() {
    for (answer, code, is_made) in
        [(ENTER.to_owned(), 1, false), (CTRL_C.to_owned(), 2, false), (format!("y{ENTER}"), 0, true)]
    {
        let mut terminal = terminal("project --path ../t");
        terminal.see("Title?");
        terminal.press(ENTER);
        terminal.accept();
        terminal.see_all(&["In the repository /", "  project/ (1 file)", "  at/root.txt, at the repository's root"]);
        terminal.see("? Create the app in this repository? (y/N)");
        assert!(!terminal.work().join("project").exists() && !terminal.work().join("at").exists());
        terminal.press(&answer);
        assert_eq!(terminal.exit(), code);
        terminal.see(if is_made { "Created project (2 files)" } else { "othing was written" });
        assert_eq!(terminal.work().join("project/answer.txt").exists(), is_made);
        assert_eq!(terminal.work().join("at/root.txt").exists(), is_made);
    }
}

#[test]
fn who_says_new_or_silent_is_not_asked() {
    for words in
        ["new project --path ../t -d title=x", "project --path ../t --silent", "project --path ../t 2>&1 | cat"]
    {
        let mut terminal = terminal(words);
        assert_eq!(terminal.exit(), 0, "{}", terminal.contents());
        assert!(terminal.work().join("at/root.txt").exists(), "{}", terminal.contents());
        assert!(!terminal.contents().contains("Create the app"), "{}", terminal.contents());
    }
}
