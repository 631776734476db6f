//! Changes of existing directories: what they do, and what they leave alone.

use super::*;

fn files() -> Tree {
    tree(&[("README.md", "theirs"), ("src/api.ts", "api"), ("*run.sh", "#!"), ("latest", "->src")])
}

#[test]
fn a_directory_can_be_filled_without_losing_what_is_in_it() {
    let (directory, target) = place();
    write(target.join("README.md"), "mine");
    write(target.join("notes.txt"), "mine, too");
    make(&target, &files(), &Tree::new(), Existing::Keep).unwrap();
    let expected = [
        "README.md: mine",
        "latest: -> src",
        "notes.txt: mine, too",
        "run.sh: *#!",
        "src: directory",
        "src/api.ts: api",
    ];
    assert_eq!(list_project(&target), expected);
    assert_eq!(list(directory.path()).keys().filter(|name| name.contains("txn") || name.contains("busy")).count(), 0);
}

#[test]
fn what_is_in_a_directory_can_be_replaced() {
    let (_directory, target) = place();
    write(target.join("README.md"), "mine");
    write(target.join("notes.txt"), "mine, too");
    write(target.join("run.sh"), "#!");
    make(&target, &files(), &Tree::new(), Existing::Replace).unwrap();
    let expected = [
        "README.md: theirs",
        "latest: -> src",
        "notes.txt: mine, too",
        "run.sh: *#!",
        "src: directory",
        "src/api.ts: api",
    ];
    assert_eq!(list_project(&target), expected);
}

#[test]
fn an_empty_directory_stays_the_same_directory() {
    let (_directory, target) = place();
    fs_err::create_dir(&target).unwrap();
    let opened = fs_err::File::open(&target).unwrap();
    make(&target, &files(), &Tree::new(), Existing::Refuse).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let same = opened.metadata().unwrap().ino() == target.metadata().unwrap().ino();
        assert!(same, "a shell that stands in it must see the project");
    }
    drop(opened);
    assert_eq!(list_project(&target).len(), 5);
}

#[test]
fn the_same_again_changes_nothing() {
    let (_directory, target) = place();
    make(&target, &files(), &Tree::new(), Existing::Refuse).unwrap();
    let before = list(&target);
    let disk = Disk::default();
    prepare(&target, &files(), &Tree::new(), Existing::Replace).unwrap().create(&disk).unwrap();
    assert_eq!(list(&target), before);
    assert!(disk.fuse.log().iter().all(|(_, path)| !path.ends_with("journal")), "no change, no journal");
}

#[test]
fn an_app_in_a_repository_puts_its_workflows_at_the_root() {
    let directory = directory();
    crate::git::init(directory.path()).unwrap();
    let target = directory.path().join("apps/shop");
    let workflows = tree(&[(".github/workflows/shop.yml", "on: push")]);
    make(&target, &files(), &workflows, Existing::Refuse).unwrap();
    assert_eq!(list_project(&target).len(), 5);
    assert_eq!(fs_err::read(directory.path().join(".github/workflows/shop.yml")).unwrap(), b"on: push");
    let left = list(directory.path()).into_keys().filter(|name| name.contains("txn") || name.contains("busy"));
    assert_eq!(left.collect::<Vec<_>>(), Vec::<String>::new());
    assert_eq!(recover(&Site::locate(&target).unwrap()), Ok(None));
}

#[test]
fn a_workflow_of_another_app_is_not_overwritten_unasked() {
    let directory = directory();
    crate::git::init(directory.path()).unwrap();
    let target = directory.path().join("shop");
    write(directory.path().join(".github/ci.yml"), "another's");
    let before = list(directory.path());
    let workflows = tree(&[(".github/ci.yml", "on: push"), (".github/new.yml", "on: push")]);
    let expected = "P002 `.github/ci.yml` already exists, and differs from the template's (move it out of the way, or pass \
                    --init to keep it, or --overwrite to replace it)";
    assert_eq!(message(&directory, make(&target, &files(), &workflows, Existing::Refuse)), expected);
    assert_eq!(list(directory.path()), before);
    make(&target, &files(), &workflows, Existing::Keep).unwrap();
    assert_eq!(fs_err::read(directory.path().join(".github/ci.yml")).unwrap(), b"another's");
    fs_err::remove_dir_all(&target).unwrap();
    make(&target, &files(), &workflows, Existing::Replace).unwrap();
    assert_eq!(fs_err::read(directory.path().join(".github/ci.yml")).unwrap(), b"on: push");
}

#[test]
fn directories_that_are_left_empty_go_and_others_stay() {
    let (_directory, target) = place();
    let ours = trees(&[("a/b/c/x", "1"), ("a/y", "2"), ("keep/z", "3"), ("w", "4")], &[]);
    make(&target, &ours.app, &ours.repository, Existing::Refuse).unwrap();
    write(target.join("keep/mine"), "mine");
    prepare_upgrade(&target, &ours, &trees(&[("w", "4")], &[])).create(&Disk::default()).unwrap();
    assert_eq!(list_project(&target), ["keep: directory", "keep/mine: mine", "w: 4"]);
}

#[test]
fn the_base_holds_only_what_the_lock_names() {
    let (_directory, target) = place();
    let ours = trees(&[("a", "1"), ("b", "2")], &[]);
    let theirs = trees(&[("a", "1"), ("b", "3")], &[]);
    make(&target, &ours.app, &ours.repository, Existing::Refuse).unwrap();
    write(target.join(".create-app/base/README"), "not ours to remove");
    prepare_upgrade(&target, &ours, &theirs).create(&Disk::default()).unwrap();
    let names = list(&target.join(".create-app/base")).into_keys().collect::<Vec<_>>();
    let mut expected = ["1", "3"].map(|text| Digest::of(text.as_bytes()).to_string()).to_vec();
    expected.push("README".into());
    expected.sort();
    assert_eq!(names.into_iter().collect::<BTreeSet<_>>(), expected.into_iter().collect());
}

#[test]
fn a_file_that_changed_since_the_plan_stops_everything() {
    let (directory, target) = place();
    make(&target, &files(), &Tree::new(), Existing::Refuse).unwrap();
    let theirs = tree(&[("README.md", "newer"), ("src/api.ts", "newer")]);
    let prepared = prepare(&target, &theirs, &Tree::new(), Existing::Replace).unwrap();
    write(target.join("src/api.ts"), "edited in this moment");
    let before = list(&target);
    let expected = "P005 `ROOT/shop/src/api.ts` was changed while create-app was running; nothing was written (run the \
                    command again)";
    assert_eq!(message(&directory, prepared.create(&Disk::default())), expected);
    assert_eq!(list(&target), before);

    let theirs = tree(&[("new.txt", "new")]);
    let prepared = prepare(&target, &theirs, &Tree::new(), Existing::Replace).unwrap();
    write(target.join("new.txt"), "made in this moment");
    assert!(message(&directory, prepared.create(&Disk::default())).contains("new.txt` was changed"));
}

#[cfg(unix)]
#[test]
fn nothing_is_written_through_a_link_that_appeared_since_the_plan() {
    let (directory, target) = place();
    write(target.join("x"), "");
    let prepared = prepare(&target, &files(), &Tree::new(), Existing::Keep).unwrap();
    fs_err::create_dir(directory.path().join("outside")).unwrap();
    std::os::unix::fs::symlink("../outside", target.join("src")).unwrap();
    let before = list(directory.path());
    assert!(message(&directory, prepared.create(&Disk::default())).contains("src` is a link"));
    assert_eq!(list(directory.path()), before);
}

#[cfg(unix)]
#[test]
fn a_record_that_leads_elsewhere_is_refused() {
    for name in [".create-app", ".create-app/busy", ".create-app/txn", ".create-app/base"] {
        let (directory, target) = place();
        write(directory.path().join("outside/precious"), "precious");
        fs_err::create_dir_all(target.join(name).parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(directory.path().join("outside"), target.join(name)).unwrap();
        let result = prepare(&target, &files(), &Tree::new(), Existing::Keep).unwrap().create(&Disk::default());
        let text = message(&directory, result);
        assert!(text.starts_with("P006") || text.starts_with("P002"), "{name}: {text}");
        assert_eq!(list(&directory.path().join("outside")).len(), 1, "{name}");
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_is_replaced_keeps_its_permissions() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_directory, target) = place();
    for (name, mode) in [(".env", 0o600), ("run.sh", 0o640), ("plain", 0o755)] {
        write(target.join(name), "old");
        fs_err::set_permissions(target.join(name), std::fs::Permissions::from_mode(mode)).unwrap();
    }
    let theirs = tree(&[(".env", "new"), ("*run.sh", "new"), ("plain", "new")]);
    make(&target, &theirs, &Tree::new(), Existing::Replace).unwrap();
    let modes =
        [".env", "run.sh", "plain"].map(|name| target.join(name).metadata().unwrap().permissions().mode() & 0o777);
    assert_eq!(modes, [0o600, 0o750, 0o644]);
}

#[test]
fn two_runs_do_not_change_one_project_at_a_time() {
    let (directory, target) = place();
    make(&target, &files(), &Tree::new(), Existing::Refuse).unwrap();
    let disk = Disk::default();
    let site = Site::locate(&target).unwrap();
    let busy = Busy::take(&disk, &site, &app(&site).unwrap()).unwrap();
    let prepared = prepare(&target, &tree(&[("README.md", "newer")]), &Tree::new(), Existing::Replace).unwrap();
    let expected =
        "P005 another create-app is changing `ROOT/shop` (wait until it is done, then run the command again)";
    assert_eq!(message(&directory, prepared.create(&Disk::default())), expected);
    drop(busy);
    prepared.create(&Disk::default()).unwrap();
    assert_eq!(txn(&site), None);
}

#[test]
fn many_runs_at_once_leave_one_whole_result() {
    let (_directory, target) = place();
    make(&target, &tree(&[("a", "0"), ("b", "0")]), &Tree::new(), Existing::Refuse).unwrap();
    std::thread::scope(|scope| {
        for n in 1..=8 {
            let target = &target;
            scope.spawn(move || {
                let text = n.to_string();
                for _ in 0..20 {
                    // Most of them are refused, because somebody else is at work or was faster.
                    drop(make(target, &tree(&[("a", &text), ("b", &text)]), &Tree::new(), Existing::Replace));
                }
            });
        }
    });
    let read = |name: &str| fs_err::read_to_string(target.join(name)).unwrap();
    assert_eq!(read("a"), read("b"));
    assert_ne!(read("a"), "0");
    assert_eq!(recover(&Site::locate(&target).unwrap()), Ok(None));
}

/// A change that was interrupted right after its commit point.
fn interrupted() -> (TempDir, PathBuf, Site) {
    let (directory, target) = place();
    let ours = trees(&[("change", "old"), ("gone", "old")], &[]);
    let theirs = trees(&[("change", "new"), ("added", "new")], &[]);
    make(&target, &ours.app, &ours.repository, Existing::Refuse).unwrap();
    for steps in 0.. {
        drop(prepare_upgrade(&target, &ours, &theirs).create(&killed_after(steps)));
        let site = Site::locate(&target).unwrap();
        if is_decided(&site) {
            return (directory, target, site);
        }
        drop(recover(&site));
    }
    unreachable!()
}

#[test]
fn what_was_decided_is_finished_by_the_next_command() {
    let (_directory, target, site) = interrupted();
    assert_eq!(list_project(&target), ["change: old", "gone: old"]);
    assert_eq!(recover(&site), Ok(Some(Recovered::Finished(vec![]))));
    assert_eq!(list_project(&target), ["added: new", "change: new"]);
    assert_eq!(recover(&site), Ok(None));
}

#[test]
fn what_was_edited_meanwhile_is_left_and_told() {
    let (_directory, target, site) = interrupted();
    for name in ["change", "gone", "added"] {
        write(target.join(name), "edited");
    }
    write(target.join("change.theirs"), "older");
    let Ok(Some(Recovered::Finished(mut aside))) = recover(&site) else { panic!("finished") };
    aside.sort_by(|a, b| a.path.cmp(&b.path));
    let at = |name: &str| site.app.join(name);
    assert_eq!(
        aside,
        [
            Aside { path: at("added"), other: Some(at("added.theirs")) },
            Aside { path: at("change"), other: Some(at("change.theirs2")) },
            Aside { path: at("gone"), other: None },
        ]
    );
    assert_eq!(
        list_project(&target),
        [
            "added: edited",
            "added.theirs: new",
            "change: edited",
            "change.theirs: older",
            "change.theirs2: new",
            "gone: edited",
        ]
    );
}

#[test]
fn what_was_edited_before_a_change_is_taken_back_is_left_and_what_stood_there_is_kept() {
    let (_directory, target, site) = interrupted();
    // All is done but for the last step, when the change is found to be impossible.
    for steps in 0.. {
        drop(recover_with(&killed_after(steps), &site));
        if list_project(&target) == ["added: new", "change: new"] {
            break;
        }
    }
    write(txn(&site).unwrap().join("abort"), "");
    write(target.join("change"), "edited");
    write(target.join("gone"), "made again");
    let Ok(Some(Recovered::TakenBack(mut aside))) = recover(&site) else { panic!("undone") };
    aside.sort_by(|a, b| a.path.cmp(&b.path));
    let backup = site.app.join(".create-app/backup");
    assert_eq!(
        aside,
        [
            Aside { path: site.app.join("change"), other: Some(backup.join("app-change.before")) },
            Aside { path: site.app.join("gone"), other: Some(backup.join("app-gone.before")) },
        ]
    );
    assert_eq!(list_project(&target), ["change: edited", "gone: made again"]);
    assert_eq!(list(&backup).into_values().collect::<Vec<_>>(), ["old", "old"]);
}

#[test]
fn a_journal_that_is_damaged_is_no_decision() {
    for damage in [|text: &mut Vec<u8>| text.truncate(40), |text: &mut Vec<u8>| text[30] ^= 1, Vec::clear] {
        let (_directory, target, site) = interrupted();
        let journal = txn(&site).unwrap().join("journal");
        let mut text = fs_err::read(&journal).unwrap();
        damage(&mut text);
        fs_err::File::create(&journal).and_then(|mut file| std::io::Write::write_all(&mut file, &text)).unwrap();
        assert_eq!(recover(&site), Ok(Some(Recovered::Discarded)));
        assert_eq!(list_project(&target), ["change: old", "gone: old"]);
        assert_eq!(txn(&site), None);
    }
}

#[test]
fn staged_bytes_that_were_damaged_are_not_put() {
    let (_directory, target, site) = interrupted();
    for entry in fs_err::read_dir(txn(&site).unwrap().join("new")).unwrap() {
        write(entry.unwrap().path(), "garbage");
    }
    assert_eq!(recover(&site), Ok(Some(Recovered::TakenBack(vec![]))));
    assert_eq!(list_project(&target), ["change: old", "gone: old"]);
}
