//! What no page of `tests/cmd/` can hold: bytes that are not text, closed pipes, full disks, directories that vanish.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use crate::support::tree;
use fs_err as fs;

/// create-app in a directory, with an environment of its own.
fn create_app(directory: &Path) -> Command {
    let mut command = crate::support::command::create_app();
    command.current_dir(directory);
    command
}

/// Runs `create-app new my-app --path t --vcs none`.
fn make(directory: &Path) -> Output {
    create_app(directory).args(["new", "my-app", "--path", "t", "--vcs", "none"]).output().unwrap()
}

/// A directory with a template `t` of these files.
fn template(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (path, bytes) in files {
        let path = directory.path().join("t").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    directory
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Fails the test unless the run said this, exited with 2 and left no project.
#[track_caller]
fn refused(directory: &Path, output: &Output, expected: &str) {
    let said = said(output);
    assert!(said.contains(expected) && said.contains("= help: "), "{said}");
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(!directory.join("my-app").exists(), "{said}");
    let left = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(left.into_iter().all(|name| !name.to_string_lossy().contains(".create-app-")), "{said}");
}

#[test]
fn bytes_that_are_no_text_are_copied_and_the_project_is_exactly_the_template() {
    let long_line = [b"x".repeat(1 << 20), b"{{ project-name }}".to_vec()].concat();
    let directory = template(&[
        ("latin1.txt", b"\xe4 {{ project-name }}"),
        ("zero.bin", b"\0{{ project-name }}\0"),
        ("empty", b""),
        ("long.txt", &long_line),
        ("d/script.sh", b"#!/bin/sh"),
    ]);
    let root = directory.path();
    fs::set_permissions(root.join("t/d/script.sh"), std::fs::Permissions::from_mode(0o755)).unwrap();
    std::os::unix::fs::symlink("d/script.sh", root.join("t/link")).unwrap();
    let output = make(root);
    assert!(output.status.success(), "{}", said(&output));
    let file = |bytes: &[u8]| ("file", bytes.to_vec());
    let expected = [
        ("d/script.sh", ("executable", b"#!/bin/sh".to_vec())),
        ("empty", file(b"")),
        ("latin1.txt", file(b"\xe4 {{ project-name }}")),
        ("link", ("link", b"d/script.sh".to_vec())),
        ("long.txt", file(&[b"x".repeat(1 << 20), b"my-app".to_vec()].concat())),
        ("zero.bin", file(b"\0my-app\0")),
    ];
    let expected = expected.into_iter().map(|(path, entry)| (path.to_owned(), entry)).collect();
    assert_eq!(tree::differences(&expected, &tree::read(&root.join("my-app"))), "");
}

#[test]
fn files_that_are_no_text_are_refused_where_text_is_needed() {
    let directory = template(&[
        ("a.txt", b"{{ v }}"),
        ("../bytes.toml", b"\xff\xfe"),
        ("../nul.toml", b"[values]\nv = \"a\0b\"\n"),
    ]);
    let root = directory.path();
    for (file, expected) in
        [("bytes.toml", "cannot read the values file `bytes.toml`: it is not UTF-8"), ("nul.toml", "nul.toml:2:5")]
    {
        let output = create_app(root).args(["new", "my-app", "--path", "t", "--values-file", file]).output().unwrap();
        refused(root, &output, expected);
    }
    fs::write(root.join("t/cargo-generate.toml"), b"\xff").unwrap();
    refused(root, &make(root), "`t/cargo-generate.toml` is not UTF-8");
}

#[test]
fn names_that_no_project_may_have_are_shown_without_acting() {
    let directory = template(&[("a\x1b[2J", b""), ("b\nerror: forged", b"")]);
    let output = make(directory.path());
    refused(directory.path(), &output, r"`a\u{1b}[2J` has the character");
    assert!(!said(&output).contains('\x1b') && !said(&output).contains("\nerror: forged"), "{}", said(&output));
    let directory = template(&[("a", b"")]);
    fs::write(directory.path().join("t").join(OsStr::from_bytes(b"\xff")), "").unwrap();
    refused(directory.path(), &make(directory.path()), "has a name that is not UTF-8");
    let output = create_app(directory.path())
        .arg("new")
        .arg(OsStr::from_bytes(b"\xff\x1b[2J"))
        .arg("--path=t")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(!said(&output).contains('\x1b'), "{}", said(&output));
}

#[test]
fn a_name_that_is_too_long_is_an_error() {
    let directory = template(&[("a", b"")]);
    let output = create_app(directory.path()).args(["new", &"x".repeat(300), "--path", "t"]).output().unwrap();
    refused(directory.path(), &output, "choose a shorter name");
}

#[test]
fn thousands_of_errors_and_hostile_nesting_take_no_time() {
    let names: String = (0..5000).map(|number| format!("{{{{ v{number} }}}}\n")).collect();
    let comments = "{% comment %}".repeat(15_000);
    let directory = template(&[
        ("comments.txt", comments.as_bytes()),
        ("names.txt", names.as_bytes()),
        ("raw.txt", format!("{{% raw %}}{}{{% endraw %}}", "{{ ".repeat(200_000)).as_bytes()),
    ]);
    let start = Instant::now();
    let output = make(directory.path());
    refused(directory.path(), &output, "tags are nested too deeply");
    // The first 20 of a kind are shown, and the others counted.
    assert_eq!(said(&output).matches("unknown variable").count(), 20);
    assert!(said(&output).contains("and 4,980 more like this"), "{}", said(&output));
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let directory = template(&[("a", b"")]);
    for arguments in
        [&["completions", "bash"][..], &["man"], &["--help"], &["new", "my-app", "--path", "t", "--vcs", "none"]]
    {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = create_app(directory.path()).args(arguments).stdout(writer).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{arguments:?}: {}", said(&output));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn output_that_cannot_be_written_is_an_error() {
    let directory = template(&[("a", b"")]);
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    for arguments in [&["completions", "bash"][..], &["man"], &["--help"], &["--version"]] {
        let output = create_app(directory.path()).args(arguments).stdout(full()).output().unwrap();
        refused(directory.path(), &output, "error[P003]: cannot write to standard output: no space left on device");
    }
    let status = create_app(directory.path()).arg("new").stderr(full()).status().unwrap();
    assert_eq!(status.code(), Some(2));
}

#[test]
#[cfg(target_os = "linux")]
fn a_project_is_complete_although_nobody_could_be_told() {
    let directory = template(&[("a", b"")]);
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let given = ["new", "my-app", "--path", "t", "--vcs", "none"];
    let output = create_app(directory.path()).args(given).stdout(full).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("warning[P003]: cannot write to standard output"), "{}", said(&output));
    assert!(said(&output).contains("= help: the project is complete"), "{}", said(&output));
    assert!(directory.path().join("my-app/.create-app/lock.toml").is_file());
}

#[test]
fn a_run_needs_neither_an_environment_nor_git() {
    let directory = template(&[("a.txt", b"{{ authors }}")]);
    let output = create_app(directory.path())
        .env_clear()
        .env("PATH", "/nowhere")
        .args(["my-app", "--path", "t"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("warning[P004]: git is not installed"), "{}", said(&output));
    assert!(said(&output).contains("run `git init` in `my-app`"), "{}", said(&output));
    assert_eq!(fs::read(directory.path().join("my-app/a.txt")).unwrap(), b"");
}

#[test]
fn a_current_directory_that_is_gone_is_an_error() {
    let directory = template(&[("a", b"")]);
    let gone = directory.path().join("gone");
    fs::create_dir(&gone).unwrap();
    let program = env!("CARGO_BIN_EXE_create-app");
    let script = format!(
        "cd {} && rmdir {} && exec {program} new x --path {}",
        gone.display(),
        gone.display(),
        directory.path().join("t").display()
    );
    let output = crate::support::command::command("sh").args(["-c", &script]).output().unwrap();
    refused(directory.path(), &output, "cannot find the current directory");
}

#[test]
fn directories_that_cannot_be_written_or_read_are_errors() {
    let directory = template(&[("a", b"")]);
    let root = directory.path();
    let set = |path: &str, mode| fs::set_permissions(root.join(path), std::fs::Permissions::from_mode(mode)).unwrap();
    fs::create_dir(root.join("closed")).unwrap();
    set("closed", 0o555);
    if fs::write(root.join("closed/probe"), "").is_ok() {
        println!("skipped: this user may write everywhere");
        return;
    }
    let output = create_app(root).args(["new", "closed/a/b", "--path", "t"]).output().unwrap();
    refused(root, &output, "closed/a`: permission denied");
    set("t/a", 0o000);
    refused(root, &make(root), "cannot read `t/a`: permission denied");
    set("t/a", 0o644);
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_leaves_nothing_behind() {
    let directory = template(&[("a", b""), ("big", &b"x".repeat(1 << 20))]);
    let disk = directory.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"]).arg(&disk).output();
    if !mount.is_ok_and(|output| output.status.success()) {
        println!("skipped: this user may not mount a small disk");
        return;
    }
    let output = create_app(directory.path()).args(["new", "disk/deep/my-app", "--path", "t"]).output();
    let left: Vec<_> = fs::read_dir(&disk).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(Command::new("umount").arg("--lazy").arg(&disk).status().unwrap().success());
    refused(&disk, &output.unwrap(), "no space left on device");
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn what_is_neither_file_nor_directory_is_refused() {
    let directory = template(&[("a", b"")]);
    assert!(Command::new("mkfifo").arg(directory.path().join("t/pipe")).status().unwrap().success());
    refused(directory.path(), &make(directory.path()), "`t/pipe` is neither a file nor a directory");
}

/// Runs a program of the directory as another user, for whom not everything can be read. None where that cannot be arranged.
fn as_somebody(directory: &Path, program: &[&str]) -> Option<Output> {
    let mut command = crate::support::command::command("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).args(program);
    // The directory for state of the other tests may be another user's.
    command.current_dir(directory).env("HOME", directory).env("CREATE_APP_STATE_DIR", directory.join("state"));
    let output = command.output().ok()?;
    let is_refused = ["setpriv:", "prlimit:"].iter().any(|name| said(&output).contains(name));
    (!is_refused).then_some(output)
}

/// Runs create-app as a user who may have only so many processes and threads. None where that cannot be arranged.
fn with_few_threads(directory: &Path, limit: usize, arguments: &[&str]) -> Option<Output> {
    // The limit does not hold for the administrator, and who runs the tests otherwise may have many processes already.
    let limit = format!("--nproc={limit}");
    as_somebody(directory, &[&["prlimit", limit.as_str(), "./create-app"], arguments].concat())
}

/// Gives everything to the user of [`as_somebody`], with a copy of create-app; false where that cannot be arranged.
fn give_away(root: &Path) -> bool {
    fs::copy(env!("CARGO_BIN_EXE_create-app"), root.join("create-app")).unwrap();
    let given_away = Command::new("chown").args(["-R", "65534:65534"]).arg(root).output();
    given_away.is_ok_and(|output| output.status.success())
        && as_somebody(root, &["./create-app", "--version"]).is_some()
}

/// Git walks past a repository that it cannot read. What it protects is not overwritten for that.
#[test]
fn a_repository_that_cannot_be_read_is_an_error() {
    let place = crate::support::place::Place::in_memory();
    place.write("t/f", "one\n");
    place.git("", &["init", "--quiet", "app"]);
    place.app("app", &["new", ".", "--init", "--name", "app", "--path", "../t", "--silent"]).ended(0);
    place.commit("app");
    place.write("app/f", "mine\n");
    place.write("t/f", "theirs\n");
    let root = place.path("");
    if !give_away(&root) {
        println!("skipped: this user cannot become another one");
        return;
    }
    for (name, unreadable, mode) in [(".git", 0, 0o755), (".git", 0o600, 0o755), (".git/HEAD", 0, 0o644)] {
        let path = root.join("app").join(name);
        fs::set_permissions(&path, std::fs::Permissions::from_mode(unreadable)).unwrap();
        for arguments in
            [&["check", "app"][..], &["diff", "app"], &["upgrade", "app"], &["upgrade", "app", "--allow-dirty"]]
        {
            let output = as_somebody(&root, &[&["./create-app"], arguments].concat()).unwrap();
            assert_eq!(output.status.code(), Some(2), "{name} {arguments:?}\n{}", said(&output));
            assert!(said(&output).contains("error[P004]: cannot read `"), "{name}\n{}", said(&output));
        }
        fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    assert_eq!(fs::read_to_string(root.join("app/f")).unwrap(), "mine\n");
}

#[test]
fn a_thread_or_a_process_that_cannot_be_started_is_an_error() {
    let place = crate::support::place::Place::in_memory();
    for n in 0..100 {
        place.write(&format!("t/f{n}"), format!("{{{{ project-name }}}} {n}\n"));
    }
    place.git("", &["init", "--quiet", "app"]);
    place.app("app", &["new", ".", "--init", "--name", "app", "--path", "../t", "--silent"]).ended(0);
    place.write("app/f0", "mine");
    place.commit("app");
    place.write("t/f0", "theirs");
    place.write("t/f1", "theirs");
    let root = place.path("");
    if !give_away(&root) || with_few_threads(&root, 100, &["--version"]).is_none() {
        println!("skipped: this user cannot become another one");
        return;
    }
    for limit in (1..=10).chain([100]) {
        for arguments in [&["check", "app"][..], &["diff", "app"], &["upgrade", "app"], &["new", "new", "--path", "t"]]
        {
            let output = with_few_threads(&root, limit, arguments).unwrap();
            let code = output.status.code();
            assert!(matches!(code, Some(0..=2)), "{limit} {arguments:?} {code:?}\n{}", said(&output));
            assert!(!said(&output).contains("panicked"), "{limit} {arguments:?}\n{}", said(&output));
        }
        drop(fs::remove_dir_all(root.join("new")));
    }
    assert!(fs::read_to_string(root.join("app/f1")).unwrap().contains("theirs"));
}

#[test]
#[cfg(target_os = "linux")]
fn what_was_written_is_complete_although_nobody_could_be_told() {
    let directory = template(&[("a", b"1\n"), ("cargo-generate.toml", b"[template]\nignore = [\"tests\"]\n")]);
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let state = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut program = create_app(directory.path());
        program.env("CREATE_APP_STATE_DIR", state.path());
        let output = program.args(arguments).stdout(full()).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
        assert!(said(&output).contains("warning[P003]: cannot write to standard output"), "{}", said(&output));
    };
    for name in ["one", "two"] {
        let given = ["new", name, "--path", "t", "--vcs", "none", "--silent"];
        assert!(create_app(directory.path()).args(given).output().unwrap().status.success());
        fs::create_dir_all(directory.path().join("t/tests").join(name)).unwrap();
        fs::write(directory.path().join("t/tests").join(name).join("case.toml"), "name = \"shop\"\n").unwrap();
    }
    fs::write(directory.path().join("t/a"), "2\n").unwrap();
    run(&["upgrade", "one", "two", "--silent"]);
    for name in ["one", "two"] {
        assert_eq!(fs::read(directory.path().join(name).join("a")).unwrap(), b"2\n");
    }
    run(&["upgrade", "--abort", "one", "two"]);
    for name in ["one", "two"] {
        assert_eq!(fs::read(directory.path().join(name).join("a")).unwrap(), b"1\n");
    }
    run(&["test", "t", "--bless"]);
    for name in ["one", "two"] {
        assert!(directory.path().join("t/tests").join(name).join("expected/a").is_file());
    }
}
