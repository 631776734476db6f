//! `tests/committed_app/`: an app that create-app made and that somebody has edited, committed here as its owner would commit it.
//!
//! It must be as new as the template. `SNAPSHOTS=overwrite cargo test --test it -- committed_app::` upgrades it, as its owner would.

use std::path::{Path, PathBuf};
use std::process::Command;

use fs_err as fs;
use tempfile::TempDir;

use crate::support::app::{bun, command, link_packages, temporary};
use crate::support::process::{Finished, run};

fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/committed_app")
}

/// Copies what is in one directory into another one.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    run(Command::new("cp").arg("-R").arg(from.join(".")).arg(to)).succeeds();
}

/// The app in a repository of its own, all of it committed.
fn clone() -> (TempDir, PathBuf) {
    let folder = temporary();
    let app = folder.path().join("visit-counter");
    copy(&committed(), &app);
    for arguments in [&["init", "--quiet"] as &[&str], &["add", "--all"], &["commit", "--quiet", "--message", "App"]] {
        run(command("git", &app).args(arguments)).succeeds();
    }
    (folder, app)
}

fn create_app(app: &Path, arguments: &[&str]) -> Finished {
    run(command(env!("CARGO_BIN_EXE_create-app"), app).args(arguments))
}

/// Upgrades the committed app. Conflicts are left in it, for whoever changed the template to resolve.
fn upgrade() {
    let (_folder, app) = clone();
    let upgraded = create_app(&app, &["upgrade", "--silent"]);
    assert!([0, 1].contains(&upgraded.code), "{}", upgraded.output);
    fs::remove_dir_all(app.join(".git")).unwrap();
    fs::remove_dir_all(committed()).unwrap();
    copy(&app, &committed());
    assert!(upgraded.code == 0, "resolve this in tests/committed_app, then run it again:\n{}", upgraded.output);
}

#[test]
fn the_committed_app_is_as_new_as_the_template_and_works() {
    if std::env::var_os("SNAPSHOTS").is_some_and(|mode| mode == "overwrite") {
        upgrade();
    }
    let (_folder, app) = clone();
    let checked = create_app(&app, &["check", "--upstream"]);
    let remedy = "SNAPSHOTS=overwrite cargo test --test it -- committed_app::";
    assert!(checked.code == 0, "upgrade tests/committed_app: {remedy}\n{}", checked.output);
    // Its owner's edits are still in it.
    for file in [".github/workflows/promote.yml", ".gitignore", "README.md", "alchemy.config.ts", "package.json"] {
        assert!(checked.output.contains(&format!("edited    {file}\n")), "{file}\n{}", checked.output);
    }

    // The owner's secret is in the config and in the workflow: the app's own tests notice if an upgrade drops one of them.
    link_packages(&app);
    let tested = run(bun(&app).arg("test")).succeeds();
    assert!(tested.contains("\n 0 fail"), "{tested}");
    run(bun(&app).args(["run", "check"])).succeeds();
}

#[test]
fn a_change_of_the_template_is_noticed_and_merged_with_the_edits() {
    let (folder, app) = clone();
    let template = folder.path().join("template");
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("template"), &template);
    let promote = template.join(".github/workflows/promote{{app_suffix}}.yml");
    let text = fs::read_to_string(&promote).unwrap();
    fs::write(&promote, text.replace("retention-days: 90", "retention-days: 30")).unwrap();

    let path = ["--path", template.to_str().unwrap()];
    let checked = create_app(&app, &[&["check", "--upstream"], &path[..]].concat()).exits(1);
    assert!(checked.contains("the template is newer"), "{checked}");
    create_app(&app, &[&["upgrade", "--silent"], &path[..]].concat()).succeeds();
    let merged = fs::read_to_string(app.join(".github/workflows/promote.yml")).unwrap();
    assert!(merged.contains("retention-days: 30") && merged.contains("API_KEY: ${{ secrets.API_KEY }}"), "{merged}");
}
