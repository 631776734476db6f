//! A process that is killed, or a disk that is full, before any single step: the project is the old one or the new one,
//! at the latest once the next command has looked at it.

use proptest::prelude::*;

use super::*;

/// A repository with an app, which one change turns inside out.
pub(super) fn scenario() -> (Trees, Trees) {
    let ours = trees(
        &[
            ("keep", "same"),
            ("change", "old"),
            ("gone/deep/x", "old"),
            ("gone/y", "old"),
            ("link", "->keep"),
            ("run.sh", "#!"),
            ("file", "becomes a directory"),
            ("dir/inner", "becomes a file"),
            ("Case/Readme", "only the case changes"),
            ("relink", "becomes a link"),
        ],
        &[(".github/ci.yml", "old"), (".github/old.yml", "old")],
    );
    let theirs = trees(
        &[
            ("keep", "same"),
            ("change", "new"),
            ("link", "->change"),
            ("*run.sh", "#!"),
            ("file/inner", "new"),
            ("dir", "new"),
            ("Case/README", "only the case changes"),
            ("relink", "->keep"),
            ("made/deep/x", "new"),
        ],
        &[(".github/ci.yml", "new"), (".github/workflows/new.yml", "new")],
    );
    (ours, theirs)
}

/// A place where something happens again and again: the state before is recreated each time.
pub(super) struct Stage {
    pub(super) directory: TempDir,
    pub(super) target: PathBuf,
}

impl Stage {
    pub(super) fn new(ours: Option<&Trees>) -> Self {
        let directory = directory();
        // What is a repository is found without git, and this is much faster.
        if !OUTSIDE_OF_GIT.get() {
            repository(directory.path());
        }
        let target = directory.path().join("apps/shop");
        if let Some(ours) = ours {
            make(&target, &ours.app, &ours.repository, Existing::Refuse).unwrap();
            write(target.join("mine"), "nobody else's");
        }
        Self { directory, target }
    }

    pub(super) fn list(&self) -> BTreeMap<String, String> {
        list(self.directory.path())
    }

    /// The same, without what a process that was killed leaves in nobody's way: a directory under a name that nobody has
    /// chosen, and the file that kept others out, in git's directory.
    fn list_visible(&self) -> BTreeMap<String, String> {
        self.list().into_iter().filter(|(name, _)| !is_litter(name)).collect()
    }

    pub(super) fn recover(&self, disk: &Disk) -> Result<Option<Recovered>> {
        recover_with(disk, &Site::locate(&self.target).unwrap())
    }
}

fn is_litter(name: &str) -> bool {
    is_lock(name) || name.split('/').any(|part| part.starts_with(".shop.create-app-"))
}

/// The file that keeps others out, and the directories that it is in.
fn is_lock(name: &str) -> bool {
    name.strip_prefix(".git/create-app").is_some_and(|rest| rest.matches('/').count() < 2 || rest.ends_with("/busy"))
}

/// Either an upgrade of `ours`, or a new project.
fn change(stage: &Stage, ours: Option<&Trees>, theirs: &Trees) -> Prepared {
    match ours {
        Some(ours) => prepare_upgrade(&stage.target, ours, theirs),
        None => prepare(&stage.target, &theirs.app, &theirs.repository, Existing::Refuse).unwrap(),
    }
}

/// The states before and after, and the number of steps between them.
fn expected(ours: Option<&Trees>, theirs: &Trees) -> [BTreeMap<String, String>; 2] {
    let stage = Stage::new(ours);
    let old = stage.list();
    assert_eq!(change(&stage, ours, theirs).create(&Disk::default()), Ok(vec![]));
    [old, stage.list()]
}

/// Kills a change after each number of steps; each time, `then` brings the place in order again.
fn kill_everywhere(ours: Option<&Trees>, theirs: &Trees, then: impl Fn(&Stage, usize)) {
    kill_everywhere_on(killed_after, ours, theirs, then);
}

/// The same on disks of another kind.
fn kill_everywhere_on(
    killed_after: impl Fn(usize) -> Disk,
    ours: Option<&Trees>,
    theirs: &Trees,
    then: impl Fn(&Stage, usize),
) {
    let [old, new] = expected(ours, theirs);
    assert_ne!(old, new);
    let mut seen_old = 0;
    for steps in 0.. {
        let stage = Stage::new(ours);
        let disk = killed_after(steps);
        let result = change(&stage, ours, theirs).create(&disk);
        then(&stage, steps);
        assert_eq!(stage.recover(&Disk::default()), Ok(None), "{steps}: nothing is left to do");
        let now = stage.list_visible();
        assert!(
            now == old || now == new || is_old_but_for_parents(&now, &old),
            "{steps}: {:#?}",
            difference(&now, &old)
        );
        seen_old += usize::from(now != new);
        if !disk.fuse.is_burnt() {
            assert_eq!(result, Ok(vec![]));
            assert_eq!(now, new);
            assert!(seen_old > 10, "{seen_old}");
            return;
        }
    }
}

/// A new project's parents are made first, and empty directories are nobody's loss.
fn is_old_but_for_parents(now: &BTreeMap<String, String>, old: &BTreeMap<String, String>) -> bool {
    now.iter().filter(|(name, _)| *name != "apps").eq(old.iter())
}

fn difference<'m>(now: &'m BTreeMap<String, String>, old: &'m BTreeMap<String, String>) -> Vec<String> {
    let names: BTreeSet<&String> = now.keys().chain(old.keys()).collect();
    let differ = names.into_iter().filter(|name| now.get(*name) != old.get(*name));
    differ.map(|name| format!("{name}: {:?}, not {:?}", now.get(name), old.get(name))).collect()
}

#[test]
fn a_killed_upgrade_is_finished_or_never_was() {
    let (ours, theirs) = scenario();
    kill_everywhere(Some(&ours), &theirs, |stage, _| drop(stage.recover(&Disk::default()).unwrap()));
}

#[test]
fn a_killed_new_project_with_workflows_is_finished_or_never_was() {
    let (_, theirs) = scenario();
    kill_everywhere(None, &theirs, |stage, _| drop(stage.recover(&Disk::default()).unwrap()));
}

#[test]
fn a_recovery_that_is_killed_itself_is_finished_by_the_next() {
    let (ours, theirs) = scenario();
    for ours in [Some(&ours), None] {
        kill_everywhere(ours, &theirs, |stage, steps| {
            // Every seventh step of each recovery, at another offset each time.
            for again in (steps % 7..).step_by(7) {
                let disk = killed_after(again);
                if stage.recover(&disk).is_ok() && !disk.fuse.is_burnt() {
                    break;
                }
            }
        });
    }
}

/// Where two files cannot change places in one step, as on many network file systems.
#[test]
fn a_killed_upgrade_that_cannot_exchange_files_is_finished_or_never_was() {
    let (ours, theirs) = scenario();
    let plain = |steps| Disk { fuse: Fuse::after(steps).without_exchange().into() };
    kill_everywhere_on(plain, Some(&ours), &theirs, |stage, steps| {
        drop(stage.recover(&plain(steps % 11)));
        drop(stage.recover(&Disk::default()).unwrap());
    });
}

/// Where the journal is on another file system than the project.
#[cfg(target_os = "linux")]
#[test]
fn a_killed_upgrade_with_its_journal_elsewhere_is_finished_or_never_was() {
    use std::os::unix::fs::MetadataExt as _;
    let state = tempfile::tempdir().unwrap();
    let [here, there] = [directory().path(), state.path()].map(|path| path.metadata().unwrap().dev());
    if here == there {
        println!("skipped: there is no second file system");
        return;
    }
    journal::state_directory::choose(state.path());
    let (ours, theirs) = scenario();
    let app = |trees: Trees| Trees { repository: Tree::new(), ..trees };
    let (ours, theirs) = (app(ours), app(theirs));
    for disk in [Fuse::after as fn(usize) -> Fuse, |steps| Fuse::after(steps).without_exchange()] {
        let disk = |steps| Disk { fuse: disk(steps).into() };
        OUTSIDE_OF_GIT.set(true);
        kill_everywhere_on(disk, Some(&ours), &theirs, |stage, steps| {
            drop(stage.recover(&disk(steps % 13)));
            drop(stage.recover(&Disk::default()).unwrap());
        });
        OUTSIDE_OF_GIT.set(false);
    }
    assert!(list(state.path()).keys().all(|name| !name.contains("txn")), "{:?}", list(state.path()));
}

thread_local! {
    /// Whether this thread's stages are in no repository.
    static OUTSIDE_OF_GIT: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

#[test]
fn a_full_disk_changes_nothing() {
    let (ours, theirs) = scenario();
    for ours in [Some(&ours), None] {
        let [old, new] = expected(ours, &theirs);
        for at in 0.. {
            let stage = Stage::new(ours);
            let disk = Disk { fuse: Fuse::full(at, usize::MAX).into() };
            let result = change(&stage, ours, &theirs).create(&disk);
            let recovered = stage.recover(&Disk::default()).unwrap();
            assert!(
                recovered.is_none() || result.is_ok(),
                "{at}: an error has cleaned up behind itself: {recovered:?}"
            );
            let mut now = stage.list();
            // Failing to remove these is no reason to undo what was done.
            now.retain(|name, _| !is_lock(name));
            if disk.fuse.taken() <= at {
                assert_eq!((result, now), (Ok(vec![]), new), "{at}");
                break;
            }
            match result {
                Ok(_) => assert_eq!(now, new, "{at}: {:#?}", difference(&now, &new)),
                Err(_) => assert_eq!(now, old, "{at}: {:#?}", difference(&now, &old)),
            }
        }
    }
}

#[test]
fn a_kill_while_a_full_disk_is_cleaned_up_changes_nothing() {
    let (ours, theirs) = scenario();
    for ours in [Some(&ours), None] {
        let [old, new] = expected(ours, &theirs);
        let mut at = 0;
        loop {
            let stage = Stage::new(ours);
            // Every third step, and the process is killed at another distance from it each time.
            let disk = Disk { fuse: Fuse::full(at, at % 23).into() };
            drop(change(&stage, ours, &theirs).create(&disk));
            drop(stage.recover(&Disk::default()).unwrap());
            let now = stage.list_visible();
            assert!(
                now == old || now == new || is_old_but_for_parents(&now, &old),
                "{at}: {:#?}",
                difference(&now, &old)
            );
            if disk.fuse.taken() <= at {
                break;
            }
            at += 3;
        }
    }
}

#[test]
fn everything_is_on_the_disk_before_a_change_is_decided() {
    let (ours, theirs) = scenario();
    let stage = Stage::new(Some(&ours));
    let disk = Disk::default();
    change(&stage, Some(&ours), &theirs).create(&disk).unwrap();
    let (log, app) = (disk.fuse.log(), stage.target.canonicalize().unwrap());
    let git = stage.directory.path().canonicalize().unwrap().join(".git");
    let decided = log.iter().position(|(_, path)| path.ends_with("txn/journal")).unwrap();
    let txn = log[decided].1.parent().unwrap();
    let before = &log[..decided];
    assert!(before.iter().all(|(_, path)| path.starts_with(git.join("create-app")) || *path == git), "{before:?}");
    let first_sync = before.iter().position(|(action, _)| *action == "sync").unwrap();
    assert!(before[first_sync..].iter().all(|(action, _)| *action == "sync"), "nothing is written behind it");
    let synced = |path: &Path| before[first_sync..].iter().any(|(_, synced)| synced == path);
    for path in ["journal.tmp", "new", "old"].map(|name| txn.join(name)) {
        assert!(synced(&path), "{path:?}");
    }
    for path in txn.ancestors().take_while(|path| path.starts_with(&git)) {
        assert!(synced(path), "{path:?}");
    }
    for (_, path) in before.iter().filter(|(_, path)| path.parent() == Some(&txn.join("new"))) {
        assert!(synced(path) || path.is_symlink() || !path.exists(), "{path:?}");
    }
    let forgotten = log.iter().rposition(|(_, path)| *path == txn.join("journal")).unwrap();
    let put = log.iter().rposition(|(_, path)| path.ends_with("lock.toml")).unwrap();
    for directory in ["", "made/deep", "file", "Case", ".create-app", ".create-app/base"] {
        let directory = app.join(directory);
        assert!(
            log[put..forgotten].iter().any(|(action, path)| *action == "sync" && *path == directory),
            "{directory:?}"
        );
    }
}

/// Trees in which no name is a file and a directory, and none has two spellings.
fn any_tree() -> impl Strategy<Value = Tree> {
    let name = prop_oneof!["[abAB]", "[abAB]/[cdCD]", "[abAB]/[cdCD]/[efEF]"];
    let entry = prop_oneof![
        8 => ("[01]{0,2}", any::<bool>())
            .prop_map(|(text, executable)| Entry::File { bytes: text.into_bytes().into(), executable }),
        1 => "[01]{1,2}".prop_map(|target| Entry::Symlink { target }),
    ];
    proptest::collection::vec((name, entry), 0..8).prop_map(|files| {
        let mut tree = Tree::new();
        for (name, entry) in files {
            let clashes = |other: &RelPath| {
                let (a, b) = (name.to_lowercase(), other.as_str().to_lowercase());
                let prefix = |a: &str, b: &str| b.strip_prefix(a).is_some_and(|rest| rest.starts_with('/'));
                let spelled = name.split('/').zip(other.as_str().split('/'));
                let differs = spelled.take_while(|(x, y)| x.eq_ignore_ascii_case(y)).any(|(x, y)| x != y);
                a == b || prefix(&a, &b) || prefix(&b, &a) || differs
            };
            if !tree.keys().any(clashes) {
                tree.insert(path(&name), entry);
            }
        }
        tree
    })
}

/// Edits some of the app's files in place, as an editor does; returns them.
fn edit_some(stage: &Stage, mut choice: u32) -> Vec<PathBuf> {
    let mut edited = Vec::new();
    for name in stage.list().keys().filter(|name| name.starts_with("apps/shop/") && !name.contains(".create-app")) {
        let path = stage.directory.path().join(name);
        choice = choice.rotate_right(1);
        if choice & 1 == 1 && path.symlink_metadata().unwrap().is_file() {
            write(&path, "edited");
            edited.push(path);
        }
    }
    edited
}

proptest! {
    #[test]
    fn no_edit_after_a_kill_is_lost(
        ours in any_tree(),
        theirs in any_tree(),
        steps in 0..90usize,
        fails in any::<bool>(),
        choice in any::<u32>(),
    ) {
        let trees = |app: &Tree| Trees { app: app.clone(), repository: Tree::new() };
        let (ours, theirs) = (trees(&ours), trees(&theirs));
        let stage = Stage::new(Some(&ours));
        let fuse = if fails { Fuse::full(steps, steps % 11) } else { Fuse::after(steps) };
        drop(change(&stage, Some(&ours), &theirs).create(&Disk { fuse: fuse.into() }));
        let edited = edit_some(&stage, choice);
        let recovered = stage.recover(&Disk::default());
        prop_assert!(recovered.is_ok(), "{:?}", recovered);
        for path in edited {
            prop_assert_eq!(fs_err::read_to_string(&path).unwrap(), "edited");
        }
        prop_assert_eq!(stage.recover(&Disk::default()), Ok(None));
    }

    #[test]
    fn any_tree_becomes_any_other_or_stays(ours in any_tree(), theirs in any_tree(), steps in 0..120usize) {
        let trees = |app: &Tree| Trees { app: app.clone(), repository: Tree::new() };
        let (ours, theirs) = (trees(&ours), trees(&theirs));
        let stage = Stage::new(Some(&ours));
        let old = stage.list();
        let disk = killed_after(steps);
        drop(change(&stage, Some(&ours), &theirs).create(&disk));
        let recovered = stage.recover(&Disk::default()).unwrap();
        prop_assert!(!matches!(recovered, Some(Recovered::TakenBack(_))));
        if stage.list_visible() == old {
            change(&stage, Some(&ours), &theirs).create(&Disk::default()).unwrap();
        }
        let fresh = Stage::new(Some(&theirs));
        prop_assert_eq!(difference(&stage.list_visible(), &fresh.list()), Vec::<String>::new());
    }
}
