//! The questions of an upgrade.

use std::path::Path;

use super::terminal::{BACKSPACE, CTRL_C, ENTER, Terminal, cases};

/// A project of the first version of a template, which is then upgraded to the second.
fn upgrade() -> Terminal {
    let script = format!(
        "\"$0\" \"$@\" --silent >../made.txt && exec \"$0\" upgrade project --path '{}'",
        cases().join("upgrade/2").display()
    );
    Terminal::new("upgrade/1").shell(&script).run()
}

#[test]
fn an_upgrade_asks_what_is_new_and_nothing_else() {
    let mut terminal = upgrade();
    terminal.see("? Which region?");
    assert!(!terminal.contents().contains("What is it called?"), "{}", terminal.contents());
    terminal.press(&format!("EU{ENTER}"));
    terminal.see("✗ `EU` is not accepted: expected lower-case letters (pattern: `^[a-z]+$`)");
    terminal.press(&format!("{BACKSPACE}{BACKSPACE}eu{ENTER}"));
    assert_eq!(terminal.answer(), "My shop in eu\n");
    terminal.see("✔ Which region? eu");
    terminal.see("updated   answer.txt: changed in the template");
    let lock = std::fs::read_to_string(terminal.work().join("project/.create-app/lock.toml")).unwrap();
    assert!(lock.contains("region = \"eu\"") && lock.contains("title = \"My shop\""), "{lock}");
}

#[test]
fn ctrl_c_leaves_a_project_as_it_was() {
    let mut terminal = upgrade();
    terminal.see("? Which region?");
    let state = terminal.work().parent().unwrap().join(".local/state/create-app");
    let held = || std::fs::read_dir(&state).unwrap().next().map(|entry| entry.unwrap().path().join("busy").exists());
    assert_eq!(held(), Some(true), "it is held while its user thinks");
    terminal.press(&format!("eu{CTRL_C}"));
    assert_eq!(terminal.exit(), 2);
    terminal.see("cancelled; nothing was written");
    assert_eq!(held(), None);
    let project = terminal.work().join("project");
    assert_eq!(std::fs::read_to_string(project.join("answer.txt")).unwrap(), "My shop\n");
    let names = |path: &Path| -> Vec<_> {
        let mut names: Vec<_> = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&project), [".create-app", "answer.txt"]);
    assert_eq!(names(&project.join(".create-app")), [".gitattributes", ".gitignore", "base", "lock.toml"]);
}

#[test]
fn an_adoption_is_shown_and_confirmed_before_anything_is_written() {
    let script = format!(
        "\"$0\" \"$@\" --silent >../made.txt && rm -r project/.create-app && exec \"$0\" upgrade project --path '{}'",
        cases().join("upgrade/1").display()
    );
    for (answer, code, is_adopted) in [(ENTER.to_owned(), 1, false), (format!("y{ENTER}"), 0, true)] {
        let mut terminal = Terminal::new("upgrade/1").shell(&script).run();
        terminal.see("What is it called?");
        terminal.press(ENTER);
        terminal.accept();
        terminal.see("project: adopted");
        terminal.see("answer    project-name: \"project\" (from the directory's name)");
        terminal.see("? Adopt this project as described above? (y/N)");
        let record = terminal.work().join("project/.create-app");
        assert!(!record.join("lock.toml").exists());
        terminal.press(&answer);
        assert_eq!(terminal.exit(), code);
        assert_eq!(record.join("lock.toml").exists(), is_adopted);
    }
}

#[test]
#[cfg(unix)]
fn a_command_of_a_migration_is_shown_and_asked_for() {
    let script = format!(
        "\"$0\" \"$@\" --silent >../made.txt && exec \"$0\" upgrade project --path '{}'",
        cases().join("migration/2").display()
    );
    for (answer, runs) in [(ENTER.to_owned(), false), (format!("y{ENTER}"), true)] {
        let mut terminal = Terminal::new("migration/1").shell(&script).run();
        terminal.see("The template's migration to >=2.0.0 wants to run this command");
        terminal.see("echo migrated > own.txt && echo it has run");
        let own = terminal.work().join("project/own.txt");
        assert!(!own.exists());
        terminal.press(&answer);
        assert_eq!(terminal.exit(), 0);
        terminal.see(if runs { "created   own.txt: changed by a command of a migration" } else { "--allow-commands" });
        assert_eq!(own.exists(), runs);
    }
}
