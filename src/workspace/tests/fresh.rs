//! New projects where nothing was.

use super::*;
use crate::lock::Lock;

fn files() -> Tree {
    tree(&[
        ("README.md", "# shop\n"),
        ("src/deep/api.ts", "api"),
        ("*run.sh", "#!"),
        ("latest", "->src/deep"),
        ("empty", ""),
    ])
}

#[test]
fn a_project_is_made_with_its_record() {
    let (directory, target) = place();
    make(&target, &files(), &Tree::new(), Existing::Refuse).unwrap();
    assert_eq!(
        list_project(&target),
        [
            "README.md: # shop\n",
            "empty: ",
            "latest: -> src/deep",
            "run.sh: *#!",
            "src: directory",
            "src/deep: directory",
            "src/deep/api.ts: api",
        ]
    );
    let lock = fs_err::read_to_string(target.join(".create-app/lock.toml")).unwrap();
    let lock = Lock::parse(&lock, "lock").unwrap();
    assert_eq!(lock.files.app.len(), files().len());
    for digest in lock.base() {
        let bytes = fs_err::read(target.join(format!(".create-app/base/{digest}"))).unwrap();
        assert!(crate::deflated::decode(digest, &bytes).is_ok());
    }
    assert!(target.join(".create-app/.gitignore").exists() && target.join(".create-app/.gitattributes").exists());
    let names: Vec<_> = list(directory.path()).into_keys().filter(|name| !name.contains('/')).collect();
    assert_eq!(names, ["shop"], "nothing else is left beside it");
}

#[cfg(unix)]
#[test]
fn files_and_directories_get_the_users_umask() {
    use std::os::unix::fs::PermissionsExt as _;
    let (directory, target) = place();
    // What a plain `mkdir` and `touch` make here.
    let (plain, touched) = (directory.path().join("plain"), directory.path().join("touched"));
    fs_err::create_dir(&plain).unwrap();
    write(&touched, "");
    make(&target, &files(), &Tree::new(), Existing::Refuse).unwrap();
    let mode = |path: &Path| path.symlink_metadata().unwrap().permissions().mode() & 0o777;
    for name in ["", "src", "src/deep", ".create-app", ".create-app/base"] {
        assert_eq!(mode(&target.join(name)), mode(&plain), "{name}");
    }
    assert_eq!(mode(&target.join("README.md")), mode(&touched));
    assert_eq!(mode(&target.join("run.sh")), mode(&plain));
}

#[test]
fn missing_parents_are_made() {
    let (directory, _) = place();
    make(&directory.path().join("a/b/shop"), &files(), &Tree::new(), Existing::Refuse).unwrap();
    assert!(directory.path().join("a/b/shop/README.md").exists());
}

#[test]
fn a_process_killed_at_any_step_leaves_nothing_or_everything() {
    let (directory, target) = place();
    make(&target, &files(), &Tree::new(), Existing::Refuse).unwrap();
    let whole = list(&target);
    drop(directory);
    for steps in 0.. {
        let (_directory, target) = place();
        let disk = killed_after(steps);
        let result = prepare(&target, &files(), &Tree::new(), Existing::Refuse).unwrap().create(&disk);
        assert_eq!(result.is_err(), disk.fuse.is_burnt(), "{steps}");
        if target.exists() {
            assert_eq!(list(&target), whole, "{steps}");
        }
        if result.is_ok() {
            assert!(steps > 15, "{steps}");
            break;
        }
        // What was left behind is in nobody's way.
        if !target.exists() {
            make(&target, &files(), &Tree::new(), Existing::Refuse).unwrap();
        }
    }
}

#[test]
fn a_new_project_appears_in_one_step_and_waits_for_no_disk() {
    let (_directory, target) = place();
    let disk = Disk::default();
    prepare(&target, &files(), &Tree::new(), Existing::Refuse).unwrap().create(&disk).unwrap();
    let log = disk.fuse.log();
    let app = target.parent().unwrap().canonicalize().unwrap().join("shop");
    assert_eq!(log.iter().position(|(_, path)| path.starts_with(&app)), Some(log.len() - 1), "{log:?}");
    assert!(log.iter().all(|(action, _)| *action != "sync"), "{log:?}");
}

#[test]
fn a_failure_leaves_neither_the_project_nor_the_parents_made_for_it() {
    let (directory, _) = place();
    let target = directory.path().join("a/b/shop");
    // Two files that some file systems take for one; a render refuses them, and here they stand for any failure.
    let bad = tree(&[("x", "file"), ("x/y", "below a file")]);
    let text = message(&directory, make(&target, &bad, &Tree::new(), Existing::Refuse));
    assert!(text.starts_with("P003 cannot write `ROOT/a/b/.shop.create-app-"), "{text}");
    assert!(list(directory.path()).is_empty());
}

#[cfg(unix)]
#[test]
fn a_link_in_the_template_is_not_written_through() {
    let (directory, target) = place();
    fs_err::create_dir(directory.path().join("outside")).unwrap();
    let bad = tree(&[("out", "->../outside"), ("out/x", "escaped")]);
    assert!(make(&target, &bad, &Tree::new(), Existing::Refuse).is_err());
    assert_eq!(list(directory.path()).into_keys().collect::<Vec<_>>(), ["outside"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_parent_that_cannot_be_written_is_told() {
    // Nobody may make directories in /proc, root neither.
    let directory = tempfile::tempdir().unwrap();
    let text = message(&directory, make(Path::new("/proc/shop"), &files(), &Tree::new(), Existing::Refuse));
    assert!(text.starts_with("P003 cannot create a directory in `/proc`: "), "{text}");
}

#[test]
fn a_name_of_full_length_can_be_used() {
    let (directory, _) = place();
    let target = directory.path().join("é".repeat(127));
    make(&target, &files(), &Tree::new(), Existing::Refuse).unwrap();
    assert!(target.join("README.md").exists());
}

#[test]
fn many_files_are_written_as_few_are() {
    let (_directory, target) = place();
    let many: Tree = (0..1100).map(|n| (path(&format!("d{}/{n}", n % 7)), Entry::file(vec![b'x'; n]))).collect();
    make(&target, &many, &Tree::new(), Existing::Refuse).unwrap();
    for (path, entry) in &many {
        assert_eq!(fs_err::read(path.below(&target)).unwrap(), entry.bytes());
    }
}

#[test]
fn what_a_killed_process_left_is_removed_when_it_is_old() {
    let (directory, target) = place();
    let [old, young, other] = [".shop.create-app-AbCdEf", ".shop.create-app-GhIjKl", ".shops.create-app-AbCdEf"]
        .map(|name| directory.path().join(name));
    for path in [&old, &young, &other] {
        write(path.join("half/made"), "");
        let age = if *path == young { 60 } else { 7200 };
        let then = std::time::SystemTime::now() - std::time::Duration::from_secs(age);
        std::fs::File::open(path).unwrap().set_modified(then).unwrap();
    }
    make(&target, &files(), &Tree::new(), Existing::Refuse).unwrap();
    assert_eq!([&old, &young, &other].map(|path| path.exists()), [false, true, true]);
}
