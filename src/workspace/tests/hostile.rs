//! Journals that nobody here wrote, and projects that change under the hands of a change.

use std::process::Command;

use super::faults::{Stage, scenario};
use super::journal::state_directory;
use super::*;

/// A change of a project in a repository, interrupted right after its commit point.
fn interrupted_in_git() -> (TempDir, PathBuf, Site) {
    let directory = directory();
    repository(directory.path().join("repository"));
    let target = directory.path().join("repository/shop");
    let site = interrupt(&target);
    (directory, target, site)
}

fn interrupt(target: &Path) -> Site {
    let (ours, theirs) = (trees(&[("change", "old"), ("gone", "old")], &[]), trees(&[("change", "new")], &[]));
    make(target, &ours.app, &ours.repository, Existing::Refuse).unwrap();
    let site = Site::locate(target).unwrap();
    for steps in 0.. {
        drop(prepare_upgrade(target, &ours, &theirs).create(&killed_after(steps)));
        if is_decided(&site) {
            return site;
        }
        recover(&site).unwrap();
    }
    unreachable!()
}

/// The message about a journal that is not trusted, which stops a command that writes and not one that reads; nothing changes.
#[track_caller]
fn refused(directory: &TempDir, site: &Site) -> String {
    let before = list(directory.path());
    let text = message(directory, recover(site));
    assert!(text.starts_with("P006 "), "{text}");
    let warnings = refuse_interrupted(site).unwrap();
    assert!(!warnings.is_empty() && warnings.iter().all(|warning| !warning.is_error()), "{warnings:?}");
    assert_eq!(list(directory.path()), before);
    text
}

fn copy(from: &Path, to: &Path, how: &[&str]) {
    let copied = Command::new("cp").args(how).arg(from).arg(to).status().unwrap();
    assert!(copied.success());
}

#[test]
fn a_command_that_reads_says_that_a_change_was_interrupted_and_changes_nothing() {
    let (ours, theirs) = scenario();
    let mut told = 0;
    for steps in 0.. {
        let stage = Stage::new(Some(&ours));
        let disk = killed_after(steps);
        drop(prepare_upgrade(&stage.target, &ours, &theirs).create(&disk));
        let (site, before) = (Site::locate(&stage.target).unwrap(), stage.list());
        let result = refuse_interrupted(&site);
        assert_eq!(stage.list(), before, "{steps}");
        if is_decided(&site) {
            let expected = "P006 a change of `ROOT/apps/shop` was interrupted: some of its files may be old, and others new (run \
                 `create-app upgrade ROOT/apps/shop`, which first finishes the change, and then upgrades as usual)";
            assert_eq!(message(&stage.directory, result), expected, "{steps}");
            told += 1;
        } else {
            assert_eq!(result, Ok(vec![]), "{steps}");
        }
        if !disk.fuse.is_burnt() {
            break;
        }
    }
    assert!(told > 20, "{told}");
}

#[test]
fn what_is_to_be_undone_is_told_so() {
    let (directory, _target, site) = interrupted_in_git();
    write(txn(&site).unwrap().join("abort"), "");
    let text = message(&directory, refuse_interrupted(&site));
    assert!(text.contains("which first undoes the change"), "{text}");
}

#[test]
fn nothing_in_a_project_is_a_journal() {
    let (directory, target, site) = interrupted_in_git();
    let real = txn(&site).unwrap();
    recover(&site).unwrap();
    let (_other, _, source) = interrupted_in_git();
    for version in [1, 2] {
        let forged = target.join(".create-app/txn");
        copy(&txn(&source).unwrap(), &forged, &["-a"]);
        let text = fs_err::read_to_string(forged.join("journal")).unwrap();
        let text = text.replace("create-app journal 2", &format!("create-app journal {version}"));
        let (text, _) = text.split_once("digest\t").unwrap();
        let signed = format!("{text}digest\t{}\n", Digest::of(text.as_bytes()));
        fs_err::write(forged.join("journal"), signed).unwrap();
        let text = refused(&directory, &site);
        assert!(text.contains("`ROOT/repository/shop/.create-app/txn` looks like an interrupted change"), "{text}");
        // Nor does a new change go near it.
        let theirs = trees(&[("change", "newer")], &[]);
        let before = list(directory.path());
        let prepared = prepare_upgrade(&target, &trees(&[("change", "new")], &[]), &theirs);
        assert!(prepared.create(&Disk::default()).is_err());
        assert_eq!(list(directory.path()), before);
        fs_err::remove_dir_all(forged).unwrap();
    }
    assert_eq!(recover(&site), Ok(None));
    assert!(!real.exists());
}

#[cfg(unix)]
#[test]
fn what_is_called_as_a_journal_was_is_named_whatever_it_is() {
    let (directory, target) = place();
    make(&target, &tree(&[("a", "1")]), &Tree::new(), Existing::Refuse).unwrap();
    let site = Site::locate(&target).unwrap();
    let at = target.join(".create-app/txn");
    std::os::unix::fs::symlink("/dev/zero", &at).unwrap();
    refused(&directory, &site);
    fs_err::remove_file(&at).unwrap();
    write(&at, "a file");
    refused(&directory, &site);
    fs_err::remove_file(&at).unwrap();
    // An older version leaves an empty lock on some systems; anything else of its name is not one.
    write(target.join(".create-app/busy"), "");
    assert_eq!((refuse_interrupted(&site), recover(&site)), (Ok(vec![]), Ok(None)));
    write(target.join(".create-app/busy"), "x");
    refused(&directory, &site);
}

#[test]
fn a_copy_of_a_repository_does_not_finish_what_the_original_began() {
    for how in [&["-r"][..], &["-a"], &["-a", "--reflink=auto"]] {
        let (directory, _target, site) = interrupted_in_git();
        copy(&directory.path().join("repository"), &directory.path().join("copy"), how);
        let copied = Site::locate(&directory.path().join("copy/shop")).unwrap();
        let text = refused(&directory, &copied);
        assert!(text.contains("was not written here, but came with a copy or an archive"), "{text}");
        assert!(text.contains("then remove `ROOT/copy/.git/create-app/shop-"), "{text}");
        assert_eq!(recover(&site), Ok(Some(Recovered::Finished(vec![]))));
    }
}

#[cfg(unix)]
#[test]
fn a_journal_whose_seal_was_touched_is_not_believed() {
    let damages: [fn(&Path); 6] = [
        |seal| fs_err::remove_file(seal).unwrap(),
        |seal| {
            fs_err::rename(seal, seal.with_file_name("away")).unwrap();
            write(seal, "");
        },
        |seal| fs_err::hard_link(seal, seal.with_file_name("second")).unwrap(),
        |seal| {
            let file = std::fs::File::open(seal).unwrap();
            let metadata = file.metadata().unwrap();
            file.set_modified(metadata.modified().unwrap()).unwrap();
        },
        |seal| {
            fs_err::rename(seal, seal.with_file_name("away")).unwrap();
            std::os::unix::fs::symlink("away", seal).unwrap();
        },
        |seal| {
            fs_err::remove_file(seal).unwrap();
            rustix::fs::mknodat(rustix::fs::CWD, seal, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        },
    ];
    for (n, damage) in damages.into_iter().enumerate() {
        let (directory, _target, site) = interrupted_in_git();
        // The clock of a file system may count in hundredths of a second.
        std::thread::sleep(std::time::Duration::from_millis(20));
        let seal = txn(&site).unwrap().join("seal");
        damage(&seal);
        if seal.metadata().is_ok_and(|seal| !seal.is_file()) {
            // The list of what is there would wait for somebody to write to it.
            assert!(message(&directory, recover(&site)).contains("has no seal"));
            continue;
        }
        let text = refused(&directory, &site);
        let expected = if [0, 4].contains(&n) { "has no seal" } else { "was not written here" };
        assert!(text.contains(expected), "{n}: {text}");
    }
}

#[test]
fn a_journal_for_another_directory_is_not_believed() {
    let (directory, target, site) = interrupted_in_git();
    let away = directory.path().join("away");
    fs_err::rename(&target, &away).unwrap();
    let text = message(&directory, recover(&site));
    assert!(text.contains("is for `ROOT/repository/shop`, which is gone"), "{text}");
    copy(&away, &target, &["-a"]);
    let text = refused(&directory, &site);
    assert!(text.contains("is for another directory than the one that is here now"), "{text}");
    fs_err::remove_dir_all(&target).unwrap();
    fs_err::rename(&away, &target).unwrap();
    assert_eq!(recover(&site), Ok(Some(Recovered::Finished(vec![]))));
}

#[cfg(unix)]
#[test]
fn a_journal_that_is_reached_through_a_link_is_not_believed() {
    let (_directory, _target, site) = interrupted_in_git();
    let txn = txn(&site).unwrap();
    let home = txn.parent().unwrap();
    let link = |path: &Path| {
        let away = path.with_file_name("away");
        fs_err::rename(path, &away).unwrap();
        std::os::unix::fs::symlink(&away, path).unwrap();
        away
    };
    for path in [&txn, home, home.parent().unwrap(), &txn.join("new"), &txn.join("old")] {
        let away = link(path);
        let problems = recover(&site).unwrap_err().0;
        assert!(problems[0].title.ends_with("is not a directory that create-app made"), "{problems:?}");
        fs_err::remove_file(path).unwrap();
        fs_err::rename(away, path).unwrap();
    }
    let away = link(&txn.join("journal"));
    assert!(recover(&site).unwrap_err().0[0].title.contains("links are not followed"));
    fs_err::rename(away, txn.join("journal")).unwrap();
    // That its names were changed and changed back is no concern of the seal's.
    assert_eq!(recover(&site), Ok(Some(Recovered::Finished(vec![]))));
}

#[cfg(unix)]
#[test]
fn a_journal_of_another_user_is_not_believed() {
    let (directory, _target, site) = interrupted_in_git();
    let txn = txn(&site).unwrap();
    let home = txn.parent().unwrap();
    for path in [&txn.join("journal"), &txn, home, home.parent().unwrap()] {
        if std::os::unix::fs::lchown(path, Some(12345), None).is_err() {
            println!("skipped: this user may not give a file away");
            return;
        }
        let text = refused(&directory, &site);
        assert!(text.contains("belongs to another user"), "{text}");
        std::os::unix::fs::lchown(path, Some(rustix::process::geteuid().as_raw()), None).unwrap();
    }
    assert_eq!(recover(&site), Ok(Some(Recovered::Finished(vec![]))));
}

#[test]
fn a_journal_of_another_version_is_left_for_it() {
    let (directory, _target, site) = interrupted_in_git();
    for version in [1, 3] {
        let text = format!("create-app journal {version}\n");
        let digest = Digest::of(text.as_bytes());
        let path = journal::pending(&site).unwrap().0.map(|pending| pending.path().join("journal"));
        let path = path.unwrap_or_else(|| PathBuf::from(refused_path(&site)).join("journal"));
        fs_err::write(path, format!("{text}digest\t{digest}\n")).unwrap();
        let text = refused(&directory, &site);
        let expected = "P006 a change of this project was interrupted, and its journal was written by another version of \
                        create-app (finish it with the version that began it, or remove `ROOT/repository/.git/create-app/";
        assert!(text.starts_with(expected), "{text}");
    }
}

/// The path that the help of a refusal names.
fn refused_path(site: &Site) -> String {
    let help = recover(site).unwrap_err().0.remove(0).help.unwrap();
    help.split('`').nth(1).unwrap().to_owned()
}

#[test]
fn an_endless_journal_is_not_read() {
    let (directory, _target, site) = interrupted_in_git();
    let journal = txn(&site).unwrap().join("journal");
    std::fs::OpenOptions::new().write(true).open(journal).unwrap().set_len(1 << 40).unwrap();
    let text = message(&directory, recover(&site));
    assert!(text.contains("it is larger than 64 MiB"), "{text}");
}

#[test]
fn a_project_that_was_moved_in_its_repository_is_not_finished_elsewhere() {
    let (directory, target, site) = interrupted_in_git();
    fs_err::rename(&target, directory.path().join("repository/store")).unwrap();
    let text = message(&directory, recover(&site));
    assert!(text.contains("is for `ROOT/repository/shop`, which is gone"), "{text}");
    fs_err::rename(directory.path().join("repository/store"), &target).unwrap();
    assert_eq!(recover(&site), Ok(Some(Recovered::Finished(vec![]))));
}

#[test]
fn two_apps_of_one_repository_have_a_journal_each() {
    let (directory, target, site) = interrupted_in_git();
    let other = directory.path().join("repository/apps/shop");
    let other_site = interrupt(&other);
    assert_ne!(txn(&site), txn(&other_site));
    let third = directory.path().join("repository/other");
    make(&third, &tree(&[("a", "1")]), &Tree::new(), Existing::Refuse).unwrap();
    assert_eq!(recover(&Site::locate(&third).unwrap()), Ok(None));
    assert_eq!(recover(&other_site), Ok(Some(Recovered::Finished(vec![]))));
    assert_eq!(list_project(&target), ["change: old", "gone: old"]);
    assert_eq!(recover(&site), Ok(Some(Recovered::Finished(vec![]))));
    assert!(!directory.path().join("repository/.git/create-app").exists(), "nothing is left of them");
}

#[test]
fn each_work_tree_has_its_own_journal() {
    let directory = directory();
    let root = directory.path().join("repository");
    fs_err::create_dir(&root).unwrap();
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.arg("-C").arg(&root).args(["-c", "user.name=A", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]);
        assert!(command.args(arguments).status().unwrap().success());
    };
    git(&["init", "--quiet"]);
    git(&["commit", "--quiet", "--allow-empty", "--message=One"]);
    git(&["worktree", "add", "--quiet", "../linked"]);
    let here = interrupt(&root.join("shop"));
    let there = directory.path().join("linked/shop");
    make(&there, &tree(&[("change", "old")]), &Tree::new(), Existing::Refuse).unwrap();
    let there = Site::locate(&there).unwrap();
    assert_eq!((recover(&there), txn(&there)), (Ok(None), None));
    fs_err::remove_dir_all(&there.app).unwrap();
    let there = interrupt(&directory.path().join("linked/shop"));
    assert!(txn(&there).unwrap().starts_with(root.canonicalize().unwrap().join(".git/worktrees/linked/create-app")));
    assert!(txn(&here).unwrap().starts_with(root.canonicalize().unwrap().join(".git/create-app")));
    for site in [here, there] {
        assert_eq!(recover(&site), Ok(Some(Recovered::Finished(vec![]))));
    }
}

#[test]
fn the_repository_of_somebody_else_is_not_written_to() {
    let directory = directory();
    let (foreign, root) = (directory.path().join("foreign"), directory.path().join("unpacked"));
    repository(&foreign);
    write(root.join("x"), "");
    let before = list(&foreign);
    let site = || Site::locate(&root.join("shop")).unwrap();
    fs_err::write(root.join(".git"), "gitdir: ../foreign/.git\n").unwrap();
    interrupt(&root.join("shop"));
    assert_eq!(list(&foreign), before);
    assert_eq!(recover(&site()), Ok(Some(Recovered::Finished(vec![]))));
    #[cfg(unix)]
    {
        fs_err::remove_file(root.join(".git")).unwrap();
        fs_err::remove_dir_all(root.join("shop")).unwrap();
        std::os::unix::fs::symlink("../foreign/.git", root.join(".git")).unwrap();
        interrupt(&root.join("shop"));
        assert_eq!(list(&foreign), before);
        assert_eq!(recover(&site()), Ok(Some(Recovered::Finished(vec![]))));
    }
}

/// A directory for state of this thread's own.
fn own_state() -> TempDir {
    let state = directory();
    state_directory::choose(state.path());
    state
}

#[test]
fn a_project_without_git_that_was_moved_is_finished_where_it_is() {
    let state = own_state();
    let (directory, target) = place();
    interrupt(&target);
    let moved = directory.path().join("moved");
    fs_err::rename(&target, &moved).unwrap();
    let site = Site::locate(&moved).unwrap();
    assert_eq!(recover(&site), Ok(Some(Recovered::Finished(vec![]))));
    assert_eq!(list_project(&moved), ["change: new"]);
    assert!(list(state.path()).keys().all(|name| !name.contains("txn")), "{:?}", list(state.path()));
}

#[test]
fn a_copy_in_the_place_of_a_project_without_git_is_named() {
    let _state = own_state();
    let (directory, target) = place();
    let site = interrupt(&target);
    copy(&target, &directory.path().join("copy"), &["-a"]);
    assert_eq!(recover(&Site::locate(&directory.path().join("copy")).unwrap()), Ok(None), "it is nobody's journal");
    fs_err::rename(&target, directory.path().join("original")).unwrap();
    fs_err::rename(directory.path().join("copy"), &target).unwrap();
    let text = refused(&directory, &site);
    assert!(
        text.contains("is for another directory than the one that is here now: for what was `ROOT/shop`"),
        "{text}"
    );
    // The one that it is for can be anywhere.
    let original = Site::locate(&directory.path().join("original")).unwrap();
    assert_eq!(recover(&original), Ok(Some(Recovered::Finished(vec![]))));
    assert_eq!(recover(&site), Ok(None));
}

#[test]
fn a_project_that_became_a_repository_is_still_finished() {
    let _state = own_state();
    let (_directory, target) = place();
    interrupt(&target);
    repository(&target);
    let site = Site::locate(&target).unwrap();
    assert_eq!(recover(&site), Ok(Some(Recovered::Finished(vec![]))));
}

#[test]
fn without_a_place_for_the_journal_nothing_is_written() {
    let (directory, target) = place();
    make(&target, &tree(&[("a", "1")]), &Tree::new(), Existing::Refuse).unwrap();
    write(directory.path().join("file"), "");
    let before = list(directory.path());
    for state in ["/proc/create-app", directory.path().join("file").to_str().unwrap()] {
        if !Path::new(state).starts_with(directory.path()) && !cfg!(target_os = "linux") {
            continue;
        }
        state_directory::choose(Path::new(state));
        let theirs = tree(&[("a", "2")]);
        let prepared = prepare(&target, &theirs, &Tree::new(), Existing::Replace).unwrap();
        let text = message(&directory, prepared.create(&Disk::default()));
        assert!(text.starts_with("P003 there is no place for the journal of a change: `"), "{text}");
        assert!(text.ends_with("(set CREATE_APP_STATE_DIR to a directory that you can write to)"), "{text}");
        assert_eq!(list(directory.path()), before);
        assert_eq!(refuse_interrupted(&Site::locate(&target).unwrap()), Ok(vec![]));
    }
    // A new project needs none.
    make(&directory.path().join("new"), &tree(&[("a", "1")]), &Tree::new(), Existing::Refuse).unwrap();
}

#[cfg(unix)]
#[test]
fn the_journal_is_for_its_user_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let _state = own_state();
    let (_directory, target) = place();
    for site in [interrupt(&target), interrupted_in_git().2] {
        let txn = txn(&site).unwrap();
        let mode = |path: &Path| path.symlink_metadata().unwrap().permissions().mode() & 0o777;
        for directory in [txn.parent().unwrap(), &txn, &txn.join("new"), &txn.join("old")] {
            assert_eq!(mode(directory), 0o700, "{directory:?}");
        }
        for file in ["journal", "seal", "../busy"] {
            assert_eq!(mode(&txn.join(file)), 0o600, "{file}");
        }
    }
}

/// The steps of a change from the one after its decision to the last that it needs.
fn decided_steps(ours: &Trees, theirs: &Trees) -> std::ops::Range<usize> {
    let (stage, disk) = (Stage::new(Some(ours)), Disk::default());
    prepare_upgrade(&stage.target, ours, theirs).create(&disk).unwrap();
    let log = disk.fuse.log();
    let at = |wanted: &str| log.iter().position(|(action, path)| *action == wanted && path.ends_with("txn/journal"));
    at("cannot write").unwrap() + 1..at("cannot remove").unwrap()
}

/// A directory that becomes a link to another one just before any step, of a change or of its recovery.
#[cfg(unix)]
#[test]
fn no_step_is_taken_through_a_link_that_has_just_appeared() {
    let (ours, theirs) = scenario();
    let decided = decided_steps(&ours, &theirs);
    for name in ["apps/shop/made", "apps/shop/gone/deep", "apps/shop/dir", "apps/shop/Case", "apps/shop/.create-app"]
        .into_iter()
        .chain(["apps/shop/.create-app/base", "apps/shop", "apps", ".github"])
    {
        for recovers in [false, true] {
            let mut is_over = false;
            for at in (0..).step_by(3) {
                let stage = Stage::new(Some(&ours));
                let outside = stage.directory.path().join("outside");
                for file in
                    ["x", "inner", "Readme", "README", "lock.toml", "change", "ci.yml", "old.yml", "shop/change"]
                {
                    write(outside.join(file), "precious");
                }
                let before = list(&outside);
                let path = stage.directory.path().join(name);
                let swap = move || {
                    let away = path.with_file_name("away");
                    if path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir()) {
                        fs_err::rename(&path, away).unwrap();
                        std::os::unix::fs::symlink(&outside, &path).unwrap();
                    }
                };
                let prepared = prepare_upgrade(&stage.target, &ours, &theirs);
                let disk = Disk { fuse: Fuse::after(usize::MAX).meanwhile(at, swap).into() };
                let site = Site::locate(&stage.target).unwrap();
                if recovers {
                    drop(prepared.create(&killed_after(decided.start + at % decided.len())));
                    assert!(is_decided(&site));
                    drop(recover_with(&disk, &site));
                } else {
                    drop(prepared.create(&disk));
                }
                let now = list(&stage.directory.path().join("outside"));
                assert_eq!(now, before, "{name} before step {at}, {recovers}");
                if disk.fuse.taken() <= at {
                    is_over = true;
                    break;
                }
            }
            assert!(is_over);
        }
    }
}

/// Saves a file as many editors do; returns whether that was done. Returns an error if there is no directory to save to.
fn save(path: &Path, in_place: bool) -> bool {
    if in_place && path.is_file() {
        fs_err::write(path, "saved").unwrap();
        return true;
    }
    let can_save = path.parent().unwrap().is_dir() && !path.is_dir();
    if can_save {
        fs_err::write(path.with_extension("tmp"), "saved").unwrap();
        fs_err::rename(path.with_extension("tmp"), path).unwrap();
    }
    can_save
}

/// Somebody who saves a file just before a step finds what they saved in its place, or beside it. Returns the fuse, and
/// what is done when all is over.
fn saving(stage: &Stage, name: &str, in_place: bool, at: usize, fuse: Fuse) -> (Disk, impl Fn(&str)) {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    let saved = Arc::new(AtomicBool::new(false));
    let (path, root, told) =
        (stage.directory.path().join(name), stage.directory.path().to_path_buf(), Arc::clone(&saved));
    let hook = move || told.store(save(&path, in_place), Ordering::SeqCst);
    let check = move |why: &str| {
        let found: Vec<_> = list(&root).into_iter().filter(|(_, text)| text == "saved").map(|(name, _)| name).collect();
        let lost = saved.load(Ordering::SeqCst) && found.is_empty();
        assert!(!lost && found.iter().all(|name| !name.starts_with(".git/")), "{why}: {found:?} {:#?}", list(&root));
    };
    (Disk { fuse: fuse.meanwhile(at, hook).into() }, check)
}

#[test]
fn an_edit_in_the_same_moment_is_not_lost() {
    let (ours, theirs) = scenario();
    let decided = decided_steps(&ours, &theirs);
    for kind in ["exchange", "rename"] {
        let fuse = || match kind {
            "rename" => Fuse::after(usize::MAX).without_exchange(),
            _ => Fuse::after(usize::MAX),
        };
        for name in ["apps/shop/change", "apps/shop/gone/y", "apps/shop/made/deep/x", ".github/ci.yml"] {
            for in_place in [false, true] {
                let mut asides = 0;
                // Before, an edit only makes the plan an old one.
                for at in decided.start - 5.. {
                    let stage = Stage::new(Some(&ours));
                    let (disk, check) = saving(&stage, name, in_place, at, fuse());
                    let result = prepare_upgrade(&stage.target, &ours, &theirs).create(&disk);
                    let why = format!("{kind}: {name} before step {at}");
                    check(&format!("{why}: {result:?}"));
                    asides += result.map_or(0, |asides| asides.len());
                    assert_eq!(stage.recover(&Disk::default()), Ok(None), "{why}");
                    if disk.fuse.taken() <= at {
                        break;
                    }
                }
                assert!(asides > 0, "{kind}: {name}: it is said");
            }
        }
    }
}

/// The same while a change is finished, or undone, by the next command.
#[test]
fn an_edit_while_a_change_is_recovered_is_not_lost() {
    let (ours, theirs) = scenario();
    let decided = decided_steps(&ours, &theirs);
    for abort in [false, true] {
        for name in ["apps/shop/change", "apps/shop/gone/y", "apps/shop/file", ".github/ci.yml"] {
            for at in 0.. {
                let stage = Stage::new(Some(&ours));
                let killed = if abort { decided.end } else { decided.start + at % decided.len() };
                drop(prepare_upgrade(&stage.target, &ours, &theirs).create(&killed_after(killed)));
                let site = Site::locate(&stage.target).unwrap();
                if abort {
                    write(txn(&site).unwrap().join("abort"), "");
                }
                let (disk, check) = saving(&stage, name, false, at, Fuse::after(usize::MAX));
                let result = recover_with(&disk, &site);
                check(&format!("{abort}: {name} before step {at}: {result:?}"));
                if disk.fuse.taken() <= at {
                    break;
                }
            }
        }
    }
}

/// A program that has a file open writes to it after it was replaced.
#[cfg(unix)]
#[test]
fn what_is_written_to_a_file_that_was_replaced_already_is_kept() {
    use std::io::Write as _;
    let _state = own_state();
    let (_directory, target) = place();
    let (ours, theirs) = (trees(&[("change", "old"), ("gone", "old")], &[]), trees(&[("change", "new")], &[]));
    for name in ["change", "gone"] {
        let mut kept = 0;
        for at in 0.. {
            drop(fs_err::remove_dir_all(&target));
            make(&target, &ours.app, &ours.repository, Existing::Refuse).unwrap();
            let prepared = prepare_upgrade(&target, &ours, &theirs);
            let open = std::fs::OpenOptions::new().append(true).open(target.join(name)).unwrap();
            let write = move || (&open).write_all(b" and more").unwrap();
            let disk = Disk { fuse: Fuse::after(usize::MAX).meanwhile(at, write).into() };
            let result = prepared.create(&disk);
            let forgotten = disk
                .fuse
                .log()
                .iter()
                .position(|(action, path)| *action == "cannot remove" && path.ends_with("txn/journal"));
            if forgotten.is_some_and(|forgotten| forgotten <= at) {
                break;
            }
            let texts: Vec<String> = list(&target).into_values().collect();
            assert!(texts.contains(&"old and more".into()), "{name} at {at}: {result:?} {texts:?}");
            kept += result.map_or(0, |asides| asides.len());
        }
        assert!(kept > 3, "{kept}");
    }
}

/// Names beside a project's files that a checkout brings mean nothing.
#[test]
fn names_that_look_like_create_app_s_own_are_the_user_s() {
    let (_directory, target) = place();
    let (ours, theirs) = (trees(&[("change", "old"), ("gone", "old")], &[]), trees(&[("change", "new")], &[]));
    make(&target, &ours.app, &ours.repository, Existing::Refuse).unwrap();
    for n in 0..9 {
        for name in ["change", "gone"] {
            write(target.join(format!(".{name}.create-app-{n}")), "mine");
            write(target.join(format!(".{name}.create-app-{n}.old")), "mine");
        }
    }
    let planted = list(&target).into_values().filter(|text| text == "mine").count();
    prepare_upgrade(&target, &ours, &theirs).create(&Disk::default()).unwrap();
    assert_eq!(list(&target).into_values().filter(|text| text == "mine").count(), planted);
}
