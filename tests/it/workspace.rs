//! Packages that are made inside a Cargo workspace.

use std::process::Stdio;

use crate::support::place::{Place, Said};

const ROOT: &str = "# The root\n[workspace]\nmembers = [\n    \"a\", # the first\n    \"z\",\n]\n";
const WITH: &str =
    "# The root\n[workspace]\nmembers = [\n    \"a\", # the first\n    \"crates/shop\",\n    \"z\",\n]\n";

/// A place with a package as the template `t`, and a workspace in `w`.
fn place(workspace: &str) -> Place {
    let place = Place::new();
    place.write("t/Cargo.toml", "[package]\nname = \"{{project-name}}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n");
    place.write("t/src/lib.rs", "");
    place.write("w/Cargo.toml", workspace);
    place
}

fn new(place: &Place, path: &str, more: &[&str]) -> Said {
    let mut command = place.command(env!("CARGO_BIN_EXE_create-app"), "");
    command.args(["new", path, "--path", "t", "--silent"]).args(more).env("HOME", place.path(""));
    command.output().unwrap().into()
}

#[test]
fn a_package_becomes_a_member_in_and_outside_of_a_repository() {
    for is_repository in [true, false] {
        let place = place(ROOT);
        if is_repository {
            place.git("w", &["init", "--quiet"]);
        }
        new(&place, "w/crates/shop", &[])
            .ended(0)
            .has("added to the workspace: ")
            .has("Created w/crates/shop (2 files)");
        assert_eq!(place.read("w/Cargo.toml"), WITH);
        assert!(!place.has("w/crates/shop/.git"));
        // It is recorded nowhere, so it is the user's from now on.
        assert!(!place.read("w/crates/shop/.create-app/lock.toml").contains("repository-files"));
        let names: Vec<_> = fs_err::read_dir(place.path("w")).unwrap().map(|it| it.unwrap().file_name()).collect();
        assert_eq!(names.len(), 2 + usize::from(is_repository), "{names:?}");
        new(&place, "w/other", &["--vcs", "git"]).ended(0);
        assert_eq!(place.has("w/other/.git"), !is_repository);
        assert!(place.read("w/Cargo.toml").contains("    \"other\",\n    \"z\",\n"), "{}", place.read("w/Cargo.toml"));
    }
}

#[test]
fn cargo_takes_the_result_for_a_workspace() {
    let place = place("[workspace]\n");
    place.git("w", &["init", "--quiet"]);
    new(&place, "w/crates/shop", &[]).ended(0);
    new(&place, "w/lib", &[]).ended(0);
    let mut cargo = std::process::Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["metadata", "--format-version=1", "--no-deps", "--offline"]).current_dir(place.path("w/lib"));
    let output = cargo.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let metadata: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(metadata["workspace_members"].as_array().map(Vec::len), Some(2), "{said}");
}

#[test]
fn what_is_covered_excluded_or_unwanted_is_left_as_it_is() {
    for (workspace, path, more) in [
        ("[workspace]\nmembers = [\"crates/*\"]\n", "w/crates/shop", &[][..]),
        ("[workspace]\nmembers = [\"./crates/shop/\"]\n", "w/crates/shop", &[]),
        ("[workspace]\nmembers = []\nexclude = [\"crates\"]\n", "w/crates/shop", &[]),
        ("[workspace]\nmembers = []\nexclude = [\"shop\"]\n", "w/shop", &[]),
        (ROOT, "w/crates/shop", &["--no-workspace"]),
        ("[package]\nname = \"w\"\n", "w/crates/shop", &[]),
    ] {
        let place = place(workspace);
        place.git("w", &["init", "--quiet"]);
        let said = new(&place, path, more).ended(0);
        assert_eq!(place.read("w/Cargo.toml"), workspace);
        assert!(!said.out.contains("workspace") && !said.err.contains("warning"), "{}{}", said.out, said.err);
    }
}

#[test]
fn a_pattern_is_about_one_directory_as_for_cargo() {
    let place = place("[workspace]\nmembers = [\"crates/*\"]\n");
    new(&place, "w/crates/a/shop", &[]).ended(0);
    assert_eq!(place.read("w/Cargo.toml"), "[workspace]\nmembers = [\"crates/*\", \"crates/a/shop\"]\n");
}

#[test]
fn the_nearest_workspace_counts_and_packages_on_the_way_do_not() {
    let place = place(ROOT);
    place.write("w/in/Cargo.toml", "[workspace]\nmembers = []\n");
    place.write("w/in/crates/Cargo.toml", "[package]\nname = \"crates\"\n");
    new(&place, "w/in/crates/shop", &[]).ended(0);
    assert_eq!(place.read("w/in/Cargo.toml"), "[workspace]\nmembers = [\"crates/shop\"]\n");
    assert_eq!(place.read("w/Cargo.toml"), ROOT);
}

#[test]
fn only_a_package_becomes_a_member() {
    for manifest in [
        None,
        Some("[workspace]\nmembers = []\n"),
        Some("[package]\nname = \"x\"\n[workspace]\n"),
        Some("[package]\nname = \"x\"\nworkspace = \"../..\"\n"),
        Some("no toml"),
    ] {
        let place = place(ROOT);
        match manifest {
            Some(manifest) => place.write("t/Cargo.toml", manifest),
            None => place.remove("t/Cargo.toml"),
        }
        new(&place, "w/crates/shop", &[]).ended(0);
        assert_eq!(place.read("w/Cargo.toml"), ROOT, "{manifest:?}");
    }
}

#[test]
fn no_workspace_of_somebody_else_is_changed() {
    // Above the repository.
    let first = place(ROOT);
    first.git("", &["init", "--quiet", "w/in"]);
    new(&first, "w/in/shop", &[]).ended(0);
    assert_eq!(first.read("w/Cargo.toml"), ROOT);
    // The home directory's own, and above it.
    let second = place(ROOT);
    let mut command = second.command(env!("CARGO_BIN_EXE_create-app"), "");
    command.args(["new", "w/shop", "--path", "t", "--silent"]).env("HOME", second.path("w"));
    Said::from(command.output().unwrap()).ended(0);
    assert_eq!(second.read("w/Cargo.toml"), ROOT);
    // In a directory that everybody may write to.
    let third = place(ROOT);
    fs_err::set_permissions(third.path("w"), std::os::unix::fs::PermissionsExt::from_mode(0o1777)).unwrap();
    new(&third, "w/shop", &[]).ended(0);
    assert_eq!(third.read("w/Cargo.toml"), ROOT);
}

#[test]
fn what_cannot_be_edited_is_told_and_the_project_is_complete() {
    for workspace in ["[workspace]\nmembers = \"a\"\n", "[workspace\n", "[workspace]\r\nmembers = []\n"] {
        let place = place(workspace);
        place.git("w", &["init", "--quiet"]);
        new(&place, "w/shop", &[]).ended(0).warns("warning[P012]: the project was not added to the workspace of `");
        assert_eq!(place.read("w/Cargo.toml"), workspace);
        assert!(place.has("w/shop/Cargo.toml"));
    }
    let place = place(ROOT);
    place.rename("w/Cargo.toml", "elsewhere.toml");
    fs_err::os::unix::fs::symlink("../elsewhere.toml", place.path("w/Cargo.toml")).unwrap();
    new(&place, "w/shop", &[]).ended(0).warns("nothing is written through a link");
    assert_eq!(place.read("elsewhere.toml"), ROOT);
}

#[test]
fn a_project_that_cannot_be_made_leaves_the_workspace_alone() {
    let place = place(ROOT);
    place.git("w", &["init", "--quiet"]);
    place.write("t/a.txt", "{{ broken");
    new(&place, "w/crates/shop", &[]).ended(2);
    assert_eq!(place.read("w/Cargo.toml"), ROOT);
    assert!(!place.has("w/crates"));
}

#[test]
fn a_package_that_is_there_already_becomes_a_member_with_init() {
    let place = place(ROOT);
    place.git("w", &["init", "--quiet"]);
    place.write("w/crates/shop/Cargo.toml", "[package]\nname = \"mine\"\n");
    new(&place, "w/crates/shop", &["--init"]).ended(0);
    assert_eq!(place.read("w/Cargo.toml"), WITH);
}
