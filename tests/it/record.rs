//! What `new` leaves in `.create-app`: complete, the same on every machine, and safe from git's own conversions.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::tree;
use create_app::deflated;
use create_app::digest::Digest;
use create_app::lock::Lock;
use create_app::placeholders::Answer;

/// A command that sees none of the user's own settings, and knows who commits.
fn command(program: &str, directory: &Path) -> Command {
    let mut command = crate::support::command::command(program);
    command.current_dir(directory);
    for name in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{name}_NAME"), "A. Author").env(format!("GIT_{name}_EMAIL"), "author@example.com");
    }
    command
}

#[track_caller]
fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    let [stdout, stderr] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    assert!(output.status.success(), "{command:?}: {}\n{stdout}{stderr}", output.status);
    output
}

fn git(directory: &Path, arguments: &[&str]) {
    run(command("git", directory).args(arguments));
}

#[track_caller]
fn new(directory: &Path, arguments: &[&str]) -> String {
    let output = run(command(env!("CARGO_BIN_EXE_create-app"), directory).arg("new").args(arguments).arg("--silent"));
    String::from_utf8(output.stderr).unwrap()
}

fn lock(project: &Path) -> Lock {
    let text = fs_err::read_to_string(project.join(".create-app/lock.toml")).unwrap();
    Lock::parse(&text, "lock.toml").unwrap()
}

/// Checks every line of the lock against the base; returns how many files the base holds.
#[track_caller]
fn assert_base_is_whole(project: &Path) -> usize {
    let wanted = lock(project).base();
    let directory = project.join(".create-app/base");
    for digest in &wanted {
        let encoded = fs_err::read(directory.join(digest.to_string())).unwrap();
        deflated::decode(*digest, &encoded).unwrap();
    }
    assert_eq!(fs_err::read_dir(directory).unwrap().count(), wanted.len());
    wanted.len()
}

#[test]
fn the_lock_names_every_file_and_the_base_holds_what_is_not_the_apps_own() {
    let place = tempfile::tempdir().unwrap();
    new(place.path(), &["shop", "--vcs", "none"]);
    let project = place.path().join("shop");
    let lock = lock(&project);
    let files = tree::read(&project);
    assert_eq!(lock.files.app.keys().map(|path| path.as_str()).collect::<Vec<_>>(), files.keys().collect::<Vec<_>>());
    for (path, pristine) in &lock.files.app {
        assert_eq!(pristine.digest, Some(Digest::of(&files[path.as_str()].1)), "{path}");
        assert_eq!(pristine.once, path.as_str().starts_with("src/"), "{path}");
    }
    assert_eq!(assert_base_is_whole(&project), files.len() - 2);
}

/// A template of one file.
fn template(place: &Path, manifest: &str, text: &str) {
    let template = place.join("template");
    fs_err::create_dir_all(&template).unwrap();
    fs_err::write(template.join("cargo-generate.toml"), manifest).unwrap();
    fs_err::write(template.join("file"), text).unwrap();
}

#[test]
fn what_the_next_run_would_have_otherwise_is_remembered() {
    let place = tempfile::tempdir().unwrap();
    template(place.path(), "", "{{project-name}}\n");
    new(place.path(), &["shop", "--path", "template", "--vcs", "none", "--name", "corner-shop"]);
    let text = |name: &str| Answer::Text(name.to_owned());
    let name = ("project-name".to_owned(), text("corner-shop"));
    assert_eq!(lock(&place.path().join("shop")).answers, BTreeMap::from([name]));

    template(place.path(), "", "{{is_init}}{{within_cargo_project}}{{crate_name}}\n");
    new(place.path(), &["cafe", "--path", "template", "--vcs", "none", "--init"]);
    let answers = [
        ("is_init", Answer::Bool(true)),
        ("project-name", text("cafe")),
        ("within_cargo_project", Answer::Bool(false)),
    ];
    let answers = answers.map(|(name, answer)| (name.to_owned(), answer));
    assert_eq!(lock(&place.path().join("cafe")).answers, BTreeMap::from(answers));
}

#[test]
fn what_only_a_default_or_a_condition_of_a_question_uses_is_remembered() {
    let place = tempfile::tempdir().unwrap();
    let manifest = "[placeholders]\nentry = { prompt = \"?\" }\nmine = { prompt = \"?\", default = \"\" }\n\
                    [create-app.placeholders]\n\
                    entry = { default = \"{{ os-arch }}.{{ crate_type }}\" }\nmine = { when = \"is_init\" }\n";
    template(place.path(), manifest, "{{entry}}{{mine}}\n");
    new(place.path(), &["shop", "--path", "template", "--vcs", "none", "--init", "-d", "mine=x"]);
    let answers = lock(&place.path().join("shop")).answers;
    assert_eq!(
        answers.keys().collect::<Vec<_>>(),
        ["crate_type", "entry", "is_init", "mine", "os-arch", "project-name"]
    );
    // In a later run it is not a new project any more, and the question still applies.
    run(command(env!("CARGO_BIN_EXE_create-app"), &place.path().join("shop")).args(["upgrade", "--silent"]));
    assert_eq!(lock(&place.path().join("shop")).answers, answers);
}

#[test]
fn values_that_nothing_uses_stay_out_of_the_lock() {
    let place = tempfile::tempdir().unwrap();
    let manifest =
        "[placeholders]\ncolour = { prompt = \"?\", default = \"red\" }\n[conditional.'sort == 1']\nignore = []\n";
    template(place.path(), manifest, "{{extra}}\n");
    let mut command = command(env!("CARGO_BIN_EXE_create-app"), place.path());
    for (name, value) in [("EXTRA", "used"), ("API_TOKEN", "hunter2"), ("CRATE_TYPE", "lib"), ("", "x")] {
        command.env(format!("CARGO_GENERATE_VALUE_{name}"), value);
    }
    let given = ["new", "shop", "--silent", "--path", "template", "--vcs", "none", "-d", "unused=1", "-d", "sort=1"];
    run(command.args(given));
    let answers = lock(&place.path().join("shop")).answers;
    assert_eq!(answers.keys().collect::<Vec<_>>(), ["colour", "extra", "project-name", "sort"]);
}

#[test]
fn equal_inputs_give_equal_bytes_and_no_trace_of_the_machine() {
    let places = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    for given in [&["shop", "--vcs", "none"][..], &["apps/shop", "--vcs", "none", "--path", "template"][..]] {
        equal_bytes_and_no_trace(&places, given);
    }
}

#[test]
fn a_template_in_the_apps_own_repository_is_recorded_as_seen_from_the_app() {
    let places = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    for place in &places {
        git(place.path(), &["init", "--quiet"]);
        template(place.path(), "", "{{project-name}}\n");
        let absolute = place.path().join("template");
        new(place.path(), &["shop", "--path", absolute.to_str().unwrap()]);
        assert_eq!(lock(&place.path().join("shop")).template.source, "../template");

        let elsewhere = tempfile::tempdir().unwrap();
        template(elsewhere.path(), "", "");
        let absolute = elsewhere.path().join("template").to_string_lossy().into_owned();
        new(place.path(), &["other", "--path", &absolute]);
        assert_eq!(lock(&place.path().join("other")).template.source, absolute);
    }
}

#[track_caller]
fn equal_bytes_and_no_trace(places: &[tempfile::TempDir; 2], given: &[&str]) {
    let records = places.each_ref().map(|place| {
        template(place.path(), "", "{{project-name}}\n");
        new(place.path(), given);
        let record = tree::read(&place.path().join(given[0]).join(".create-app"));
        let trace = place.path().to_string_lossy().into_owned();
        for (path, (_, bytes)) in &record {
            assert!(!String::from_utf8_lossy(bytes).contains(&trace), "{path}");
        }
        record
    });
    assert_eq!(records[0], records[1]);
}

#[test]
fn a_checkout_with_converted_line_ends_keeps_the_record() {
    let place = tempfile::tempdir().unwrap();
    new(place.path(), &["shop"]);
    let project = place.path().join("shop");
    git(&project, &["add", "--all"]);
    git(&project, &["commit", "--quiet", "--message", "Start"]);
    git(place.path(), &["-c", "core.autocrlf=true", "clone", "--quiet", "shop", "clone"]);
    let clone = place.path().join("clone");
    let readme = fs_err::read_to_string(clone.join("README.md")).unwrap();
    assert!(readme.contains("\r\n"), "this git did not convert anything");
    let [original, cloned] = [&project, &clone].map(|project| tree::read(&project.join(".create-app")));
    assert_eq!(tree::differences(&original, &cloned), "");
    assert_base_is_whole(&clone);
}

#[test]
fn a_rule_that_hides_the_record_is_named_with_the_line_that_lifts_it() {
    let cases =
        [(".create-app/", "`.create-app`"), ("base/", "/base/"), ("*.toml", "lock.toml"), (".*", "`.create-app`")];
    for (rule, hidden) in cases {
        let place = tempfile::tempdir().unwrap();
        git(place.path(), &["init", "--quiet"]);
        fs_err::write(place.path().join(".gitignore"), format!("# rules\n{rule}\n")).unwrap();
        let said = new(place.path(), &["./apps/shop"]);
        assert!(said.contains("warning[L004]") && said.contains(hidden), "{rule}: {said}");
        assert!(said.contains(".gitignore:2"), "{rule}: {said}");

        let help = said.lines().find(|line| line.contains("= help: add the line")).unwrap();
        let lines: Vec<&str> = help.split('`').skip(1).step_by(2).collect();
        fs_err::write(place.path().join(".gitignore"), format!("# rules\n{rule}\n{}\n", lines.join("\n"))).unwrap();
        let record = tree::read(&place.path().join("apps/shop/.create-app"));
        for path in record.keys() {
            let path = format!("apps/shop/.create-app/{path}");
            let ignored = command("git", place.path()).args(["check-ignore", "--quiet", &path]).status().unwrap();
            assert_eq!(ignored.code(), Some(1), "{rule}: {lines:?} does not help {path}");
        }
    }
}

#[test]
fn a_secret_answer_is_nowhere_in_the_record() {
    let place = tempfile::tempdir().unwrap();
    let template = place.path().join("template");
    fs_err::create_dir(&template).unwrap();
    let manifest = "[placeholders]\ntoken = { prompt = \"Token?\" }\nname = { prompt = \"Name?\" }\n[create-app]\nsecret = [\"token\"]\n";
    fs_err::write(template.join("cargo-generate.toml"), manifest).unwrap();
    fs_err::write(template.join("config"), "token = {{token}}\n").unwrap();
    fs_err::write(template.join("plain"), "name = {{name}}\n").unwrap();
    let given = ["shop", "--path", "template", "--vcs", "none", "-d", "token=hunter2", "-d", "name=shop"];
    new(place.path(), &given);
    let project = place.path().join("shop");
    assert_eq!(fs_err::read_to_string(project.join("config")).unwrap(), "token = hunter2\n");
    let lock = lock(&project);
    assert_eq!(lock.answers.keys().collect::<Vec<_>>(), ["name", "project-name"]);
    let digests: Vec<bool> = lock.files.app.values().map(|pristine| pristine.digest.is_some()).collect();
    assert_eq!(digests, [false, true]);
    // The base has what the file is without the secret.
    let masked: Vec<_> = lock.files.app.values().map(|pristine| pristine.masked).collect();
    assert_eq!(masked, [Some(Digest::of("token = ⟦secret:token⟧\n".as_bytes())), None]);
    assert_eq!(assert_base_is_whole(&project), 2);
}
