//! Disks that are full, read-only, or several: small file systems of their own, mounted where the tests may do that.

use std::process::Command;

use super::*;

/// A file system in memory, until it goes out of scope.
struct Mount(PathBuf);

impl Mount {
    /// None, and a line that says so, where nothing may be mounted.
    fn new(directory: &Path, options: &str) -> Option<Self> {
        let path = directory.canonicalize().unwrap();
        if mount(&["-t", "tmpfs", "-o", options, "tmpfs"], &path) {
            return Some(Self(path));
        }
        println!("skipped: nothing may be mounted here");
        None
    }

    fn remount(&self, options: &str) {
        assert!(mount(&["-o", &format!("remount,{options}")], &self.0));
    }
}

fn mount(arguments: &[&str], path: &Path) -> bool {
    Command::new("mount").args(arguments).arg(path).output().is_ok_and(|output| output.status.success())
}

impl Drop for Mount {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("--lazy").arg(&self.0).output());
    }
}

fn large(kilobytes: usize) -> Tree {
    (0..kilobytes / 4).map(|n| (path(&format!("d/{n}")), Entry::file(vec![b'x'; 4096]))).collect()
}

#[test]
fn a_full_disk_is_told_and_leaves_no_half_project() {
    let directory = directory();
    let Some(_mount) = Mount::new(directory.path(), "size=1m") else { return };
    let text =
        message(&directory, make(&directory.path().join("a/shop"), &large(2048), &Tree::new(), Existing::Refuse));
    assert!(text.starts_with("P003 cannot write `ROOT/a/.shop.create-app-"), "{text}");
    assert!(
        text.ends_with(": no space left on device (free some space on this disk, then run the command again)"),
        "{text}"
    );
    assert!(list(directory.path()).is_empty());
}

#[test]
fn a_disk_that_fills_up_leaves_an_existing_project_as_it_was() {
    let directory = directory();
    let Some(mount) = Mount::new(directory.path(), "size=1m") else { return };
    // Git's directory, and so the journal, is on the same disk.
    repository(directory.path());
    let target = directory.path().join("shop");
    let ours = Trees { app: large(256), repository: Tree::new() };
    make(&target, &ours.app, &ours.repository, Existing::Refuse).unwrap();
    let old = list(directory.path());
    // Every size between what fits in the end and what does not even start to fit.
    for kilobytes in [1200, 1000, 900, 800] {
        let theirs = Trees { app: large(kilobytes), repository: Tree::new() };
        let theirs =
            Trees { app: theirs.app.into_keys().map(|path| (path, Entry::file(vec![b'y'; 4096]))).collect(), ..theirs };
        let text = message(&directory, prepare_upgrade(&target, &ours, &theirs).create(&Disk::default()));
        assert!(text.contains("no space left on device"), "{text}");
        assert_eq!(list(directory.path()), old, "{kilobytes}");
    }
    mount.remount("size=8m");
    let theirs = Trees { app: large(1200), repository: Tree::new() };
    prepare_upgrade(&target, &ours, &theirs).create(&Disk::default()).unwrap();
}

#[test]
fn a_disk_that_is_read_only_is_told() {
    let directory = directory();
    let Some(mount) = Mount::new(directory.path(), "size=1m") else { return };
    let target = directory.path().join("shop");
    let (ours, theirs) = (trees(&[("a", "1")], &[]), trees(&[("a", "2")], &[]));
    make(&target, &ours.app, &ours.repository, Existing::Refuse).unwrap();
    let site = Site::locate(&target).unwrap();
    // Killed when the file is there already, and only the record is not.
    for steps in 0.. {
        drop(prepare_upgrade(&target, &ours, &theirs).create(&killed_after(steps)));
        if list_project(&target) == ["a: 2"] {
            break;
        }
        recover(&site).unwrap();
        fs_err::remove_dir_all(&target).unwrap();
        make(&target, &ours.app, &ours.repository, Existing::Refuse).unwrap();
    }
    mount.remount("ro");
    let help = "(the file system is mounted read-only: choose another directory)";
    let text = message(&directory, recover(&site));
    assert!(text.starts_with("P003") && text.ends_with(help), "{text}");
    mount.remount("rw");
    assert_eq!(recover(&site), Ok(Some(Recovered::TakenBack(vec![]))));
    mount.remount("ro");
    let help = format!("{help}\n");
    for result in [
        make(&directory.path().join("other"), &ours.app, &Tree::new(), Existing::Refuse),
        prepare_upgrade(&target, &ours, &theirs).create(&Disk::default()).map(drop),
    ] {
        let text = message(&directory, result) + "\n";
        assert!(text.starts_with("P003") && text.ends_with(&help), "{text}");
    }
    assert_eq!(recover(&site), Ok(None));
}

/// Killed before any step, in a project with a directory on another file system.
#[test]
fn a_project_on_two_file_systems_is_changed_whole_or_not_at_all() {
    let ours = trees(&[("a", "old"), ("data/change", "old"), ("data/gone", "old"), ("*data/run.sh", "old")], &[]);
    let theirs =
        trees(&[("a", "new"), ("data/change", "new"), ("data/link", "->change"), ("*data/run.sh", "new")], &[]);
    let mut ends = BTreeSet::new();
    for steps in 0.. {
        let (_directory, target) = place();
        fs_err::create_dir_all(target.join("data")).unwrap();
        let Some(_mount) = Mount::new(&target.join("data"), "size=1m") else { return };
        make(&target, &ours.app, &ours.repository, Existing::Keep).unwrap();
        let old = list_project(&target);
        let disk = killed_after(steps);
        drop(prepare_upgrade(&target, &ours, &theirs).create(&disk));
        let site = Site::locate(&target).unwrap();
        drop(recover_with(&killed_after(steps % 5 * 3), &site));
        assert!(!matches!(recover(&site).unwrap(), Some(Recovered::TakenBack(_))), "{steps}");
        let now = list_project(&target);
        if now != old {
            let new = ["a: new", "data: directory", "data/change: new", "data/link: -> change", "data/run.sh: *new"];
            assert_eq!(now, new, "{steps}");
        }
        ends.insert(now != old);
        if !disk.fuse.is_burnt() {
            assert_eq!(ends.len(), 2);
            return;
        }
    }
}

/// The disk is full at any one step of the same.
#[test]
fn a_failure_on_two_file_systems_is_taken_back() {
    let ours = trees(&[("a", "old"), ("data/change", "old"), ("data/gone", "old")], &[]);
    let theirs = trees(&[("a", "new"), ("data/change", "new"), ("data/made", "new")], &[]);
    for at in 0.. {
        let (_directory, target) = place();
        fs_err::create_dir_all(target.join("data")).unwrap();
        let Some(_mount) = Mount::new(&target.join("data"), "size=1m") else { return };
        make(&target, &ours.app, &ours.repository, Existing::Keep).unwrap();
        let old = list_project(&target);
        let disk = Disk { fuse: Fuse::full(at, usize::MAX).into() };
        let result = prepare_upgrade(&target, &ours, &theirs).create(&disk);
        if result.is_err() {
            assert_eq!(list_project(&target), old, "{at}");
        }
        if disk.fuse.taken() <= at {
            result.unwrap();
            return;
        }
    }
}
