//! Rust files of new projects are formatted, and formatting alone is neither an edit nor a change of the template: with rustfmt, without it, and
//! with another one.

use std::path::Path;

use crate::support::place::{Place, Said};

const MAIN: &str = "mod a;\nfn main( ) {\n  let v = vec![1,2,3];\n      println!(\"{{project-name}}\",  v);\n}\n";
const FORMATTED: &str = "mod a;\nfn main() {\n    let v = vec![1, 2, 3];\n    println!(\"shop\", v);\n}\n";
const NEW: [&str; 6] = ["new", "shop", "--path", "t", "--silent", "--strict"];

fn place() -> Place {
    let place = Place::new();
    place.git("", &["init", "--quiet"]);
    place.write(".gitignore", "/t/\n");
    place.write("t/Cargo.toml", "[package]\nname = \"{{project-name}}\"\nedition = \"2021\"\n");
    place.write("t/src/main.rs", MAIN);
    place.write("t/src/a.rs", "pub fn a( ) { }\n");
    place.write("t/notes.txt", "fn main( ) { }\n");
    place
}

/// Runs create-app where there is no rustfmt, or another one.
fn without(place: &Place, rustfmt: Option<&str>, arguments: &[&str]) -> Said {
    let programs = place.path("programs");
    fs_err::create_dir_all(&programs).unwrap();
    place.write(".git/info/exclude", "/programs/\n");
    let path = std::env::var_os("PATH").unwrap();
    let git = std::env::split_paths(&path).map(|place| place.join("git")).find(|git| git.is_file()).unwrap();
    for (name, target) in [("git", git.as_path()), ("sh", Path::new("/bin/sh")), ("sed", Path::new("/bin/sed"))] {
        let _there = fs_err::os::unix::fs::symlink(target, programs.join(name));
    }
    let _gone = fs_err::remove_file(programs.join("rustfmt"));
    if let Some(script) = rustfmt {
        place.write("programs/rustfmt", format!("#!/bin/sh\n{script}\n"));
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs_err::set_permissions(programs.join("rustfmt"), mode).unwrap();
    }
    place.command(env!("CARGO_BIN_EXE_create-app"), "").args(arguments).env("PATH", &programs).output().unwrap().into()
}

/// One that indents with tabs.
const ANOTHER: &str = "if [ \"$1\" = --version ]; then echo other; else sed 's/( )/()/; s/^ */\t/'; fi";

#[test]
fn a_new_project_is_formatted_and_pristine_everywhere() {
    let place = place();
    place.app("", &NEW).ended(0);
    assert_eq!(place.read("shop/src/main.rs"), FORMATTED);
    assert_eq!(place.read("shop/src/a.rs"), "pub fn a() {}\n");
    assert_eq!(place.read("shop/notes.txt"), "fn main( ) { }\n");
    place.commit("");
    for rustfmt in [None, Some(ANOTHER), Some("exit 1"), Some("sleep 60")] {
        without(&place, rustfmt, &["check", "shop", "--pristine"]).ended(0).has("4 unchanged");
        without(&place, rustfmt, &["diff", "shop"]).ended(0);
        without(&place, rustfmt, &["diff", "shop", "--local"]).ended(0);
        without(&place, rustfmt, &["upgrade", "shop"]).ended(0).has("already up to date");
    }
    place.app("", &["check", "shop", "--pristine"]).ended(0);
}

#[test]
fn whoever_has_no_rustfmt_gets_the_project_and_a_word_about_it() {
    let place = place();
    without(&place, None, &NEW).ended(0).warns("rustfmt is not installed");
    assert_eq!(place.read("shop/src/a.rs"), "pub fn a( ) { }\n");
    without(&place, Some("echo component missing >&2; exit 1"), &["new", "two", "--path", "t", "--silent"])
        .ended(0)
        .warns("rustfmt does not run (component missing)");
    // Somebody else has one, and formats the project: that is not an edit, and comes to no conflict.
    place.commit("");
    place.app("", &["upgrade", "shop"]).ended(0).has("already up to date");
    place.write("shop/src/main.rs", FORMATTED);
    place.write("shop/src/a.rs", "pub fn a() {}\n");
    place.commit("");
    place.app("", &["check", "shop", "--pristine"]).ended(0);
    place.app("", &["upgrade", "shop"]).ended(0).has("already up to date");
    place.write("t/src/a.rs", "pub fn a( ) { }\npub fn b( ) { }\n");
    place.app("", &["upgrade", "shop"]).ended(0).has("updated   src/a.rs");
    assert_eq!(place.read("shop/src/a.rs"), "pub fn a() {}\npub fn b() {}\n");
}

#[test]
fn an_upgrade_merges_formatted_files_and_formats_new_ones() {
    let place = place();
    place.app("", &NEW).ended(0);
    place.edit("shop/src/main.rs", "[1, 2, 3]", "[1, 2, 4]");
    place.commit("");
    place.app("", &["check", "shop"]).ended(0).has("edited    src/main.rs");
    let local = place.app("", &["diff", "shop", "--local"]).ended(1);
    assert_eq!(local.out.lines().filter(|line| line.starts_with(['-', '+'])).count(), 4, "{}", local.out);
    // What was edited and stays in the template is left alone, by any rustfmt.
    without(&place, None, &["upgrade", "shop"]).ended(0).has("already up to date");
    without(&place, Some(ANOTHER), &["upgrade", "shop"]).ended(0).has("already up to date");
    place.write("t/src/main.rs", MAIN.replace("v);\n", "v);\n      let w=1;\n"));
    place.write("t/src/b.rs", "pub fn b( ) { }\n");
    place.rename("t/src/a.rs", "t/src/moved.rs");
    place.app("", &["upgrade", "shop"]).ended(0);
    let merged = FORMATTED.replace("[1, 2, 3]", "[1, 2, 4]").replace("v);\n", "v);\n    let w = 1;\n");
    assert_eq!(place.read("shop/src/main.rs"), merged);
    assert_eq!(place.read("shop/src/b.rs"), "pub fn b() {}\n");
    assert_eq!(place.read("shop/src/moved.rs"), "pub fn a() {}\n");
    assert!(!place.has("shop/src/a.rs"));
    place.commit("");
    place.app("", &["upgrade", "shop"]).ended(0).has("already up to date");
    without(&place, None, &["check", "shop"]).ended(0).has("4 unchanged, 1 edited");
}

#[test]
fn an_edit_that_nobody_formatted_is_merged_with_formatted_files() {
    let place = place();
    place.write("t/src/b.rs", "pub fn b() {}\n\npub fn c() {}\n\npub fn d() {}\n");
    place.app("", &NEW).ended(0);
    place.edit("shop/src/main.rs", "mod a;", "mod a;   // mine");
    place.edit("shop/src/b.rs", "fn b() {}", "fn b( ) {}");
    place.commit("");
    place.write("t/src/main.rs", MAIN.replace("1,2,3", "1,2,3,4"));
    place.write("t/src/b.rs", "pub fn b() {}\n\npub fn c() {}\n\npub fn d( ) {}");
    place.app("", &["upgrade", "shop", "--silent"]).ended(0);
    let merged = FORMATTED.replace("2, 3]", "2, 3, 4]").replace("mod a;", "mod a;   // mine");
    assert_eq!(place.read("shop/src/main.rs"), merged);
    assert_eq!(place.read("shop/src/b.rs"), "pub fn b( ) {}\n\npub fn c() {}\n\npub fn d() {}\n");
}

#[test]
fn an_upgrade_without_rustfmt_brings_what_the_template_has() {
    let place = place();
    place.app("", &NEW).ended(0);
    place.commit("");
    place.write("t/src/a.rs", "pub fn a( ) { }\npub fn b( ) { }\n");
    without(&place, None, &["upgrade", "shop"]).ended(0).warns("rustfmt is not installed");
    assert_eq!(place.read("shop/src/a.rs"), "pub fn a( ) { }\npub fn b( ) { }\n");
    assert_eq!(place.read("shop/src/main.rs"), FORMATTED);
    place.commit("");
    place.app("", &["check", "shop", "--pristine"]).ended(0);
    place.app("", &["upgrade", "shop"]).ended(0).has("already up to date");
    // It is the project's form now that this file has.
    place.write("t/src/a.rs", "pub fn a( ) { }\npub fn c( ) { }\n");
    place.app("", &["upgrade", "shop"]).ended(0);
    assert_eq!(place.read("shop/src/a.rs"), "pub fn a( ) { }\npub fn c( ) { }\n");
}

#[test]
fn who_asks_for_no_formatting_keeps_it_so() {
    let place = place();
    place.app("", &[&NEW[..], &["--no-fmt"]].concat()).ended(0);
    assert_eq!(place.read("shop/src/a.rs"), "pub fn a( ) { }\n");
    place.commit("");
    place.write("t/src/a.rs", "pub fn a( ) { }\npub fn b( ) { }\n");
    place.write("t/src/new.rs", "pub fn n( ) { }\n");
    place.app("", &["upgrade", "shop"]).ended(0);
    assert_eq!(place.read("shop/src/a.rs"), "pub fn a( ) { }\npub fn b( ) { }\n");
    assert_eq!(place.read("shop/src/new.rs"), "pub fn n( ) { }\n");
}

#[test]
fn a_project_of_cargo_generate_is_adopted_without_a_change_of_form() {
    let place = place();
    place.write("t/cargo-generate.toml", "[create-app]\nadopt = [\"Cargo.toml\"]\n");
    place.app("", &NEW).ended(0);
    fs_err::remove_dir_all(place.path("shop/.create-app")).unwrap();
    place.commit("");
    place.app("", &["upgrade", "shop", "--path", "t", "--silent", "--name", "shop"]).ended(0);
    assert_eq!(place.read("shop/src/main.rs"), FORMATTED);
    place.app("", &["check", "shop", "--pristine"]).ended(0);
}

#[test]
fn nothing_in_the_template_chooses_what_runs() {
    let place = place();
    place.write("t/rust-toolchain.toml", "[toolchain]\npath = \"/nowhere/at/all\"\n");
    place.write("t/rustfmt.toml", "hard_tabs = true\n");
    place.write("t/src/main.rs", "#[path = \"/etc/hostname\"]\nmod host;\nmod missing;\nfn main( ) { }\n");
    place.write("t/src/broken.rs", "fn ( {\n");
    place.write("t/src/a.rs", "pub fn a( ) { let x=1; }\n");
    place.app("", &NEW).ended(0).warns("`src/broken.rs` is not formatted: error: ");
    assert!(place.read("shop/src/main.rs").ends_with("mod missing;\nfn main() {}\n"));
    assert_eq!(place.read("shop/src/a.rs"), "pub fn a() {\n\tlet x = 1;\n}\n");
    // The text arrives at standard input, no path of the project is among the arguments, and nobody but root can put a toolchain's name into the
    // directory that it runs in.
    let script = "if [ \"$1\" = --version ]; then echo 1; else echo \"$PWD $*\"; fi";
    without(&place, Some(script), &["new", "two", "--path", "t", "--silent"]).ended(0);
    let ran = place.read("two/src/a.rs");
    let settings = ran
        .strip_prefix("/ --quiet --edition 2021 --config-path /")
        .and_then(|ran| ran.strip_suffix("/rustfmt.toml\n"));
    assert!(settings.is_some_and(|settings| !settings.contains("two") && !settings.contains(' ')), "{ran}");
}

#[test]
fn the_edition_may_be_that_of_a_workspace_above() {
    let place = place();
    place.write("Cargo.toml", "[workspace]\nmembers = []\n[workspace.package]\nedition = \"2021\"\n");
    place.write("t/Cargo.toml", "[package]\nname = \"{{project-name}}\"\nedition.workspace = true\n");
    // In the first edition, `async` is a name like any other.
    place.write("t/src/a.rs", "pub async fn a( ) { }\n");
    place.app("", &NEW).ended(0);
    assert_eq!(place.read("shop/src/a.rs"), "pub async fn a() {}\n");
}

#[test]
fn what_depends_on_a_secret_stays_as_it_is() {
    let place = place();
    place
        .write("t/cargo-generate.toml", "[placeholders]\nkey = { prompt = \"?\" }\n[create-app]\nsecret = [\"key\"]\n");
    place.write("t/src/a.rs", "pub fn a( ) { {{key}} }\n");
    place.app("", &[&NEW[..], &["-d", "key=secret"]].concat()).ended(0);
    assert_eq!(place.read("shop/src/a.rs"), "pub fn a( ) { secret }\n");
    assert_eq!(place.read("shop/src/main.rs"), FORMATTED);
}
