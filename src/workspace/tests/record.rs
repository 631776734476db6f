//! The record as git treats it: committed as it is, whatever the rules outside say.

use std::process::Command;

use super::*;

struct Repository(TempDir);

impl Repository {
    fn new() -> Self {
        let repository = Self(directory());
        repository.git("init --quiet --initial-branch=main");
        for setting in ["user.name tester", "user.email tester@localhost", "commit.gpgsign false"] {
            repository.git(&format!("config {setting}"));
        }
        repository
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn try_git(&self, arguments: &str) -> (bool, String) {
        let mut command = Command::new("git");
        command.args(arguments.split(' ')).current_dir(self.path()).env("LC_ALL", "C");
        command.env("GIT_CONFIG_GLOBAL", "").env("GIT_CONFIG_NOSYSTEM", "1");
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
            command.env_remove(name);
        }
        let output = command.output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&text).into_owned())
    }

    fn git(&self, arguments: &str) -> String {
        let (success, text) = self.try_git(arguments);
        assert!(success, "git {arguments}: {text}");
        text
    }

    fn commit(&self) {
        self.git("add --all");
        self.git("commit --quiet --message=x");
    }

    fn upgrade(&self, ours: &Trees, text: &str) -> Trees {
        let theirs = trees(&[("a.txt", text), ("b.txt", "same\n")], &[]);
        prepare_upgrade(self.path(), ours, &theirs).create(&Disk::default()).unwrap();
        theirs
    }
}

fn made() -> (Repository, Trees) {
    let repository = Repository::new();
    let ours = trees(&[("a.txt", "one\n"), ("b.txt", "same\n")], &[]);
    make(repository.path(), &ours.app, &ours.repository, Existing::Refuse).unwrap();
    (repository, ours)
}

#[test]
fn the_record_comes_back_from_git_as_it_was() {
    let (repository, _) = made();
    repository.git("config core.autocrlf true");
    write(repository.path().join(".gitattributes"), "* text=auto eol=crlf ident\n*.toml text eol=crlf\n");
    for name in ["txn/journal", "busy", "backup/x"] {
        write(repository.path().join(".create-app").join(name), "");
    }
    let mut before = list(&repository.path().join(".create-app"));
    repository.commit();
    fs_err::remove_dir_all(repository.path().join(".create-app")).unwrap();
    repository.git("checkout -- .create-app");
    before.retain(|name, _| !["txn", "busy", "backup"].iter().any(|own| name.starts_with(own)));
    assert_eq!(difference(&list(&repository.path().join(".create-app")), &before), Vec::<String>::new());
    assert_eq!(repository.git("status --porcelain"), "");
}

fn difference(now: &BTreeMap<String, String>, then: &BTreeMap<String, String>) -> Vec<String> {
    let names: BTreeSet<_> = now.keys().chain(then.keys()).collect();
    names.into_iter().filter(|name| now.get(*name) != then.get(*name)).cloned().collect()
}

/// A project after one upgrade on the branch `other`, and one on `main`, which is checked out.
fn upgraded_on_two_branches(other: &str, main: &str) -> Repository {
    let (repository, ours) = made();
    repository.commit();
    repository.git("checkout --quiet -b other");
    repository.upgrade(&ours, other);
    repository.commit();
    repository.git("checkout --quiet main");
    repository.upgrade(&ours, main);
    repository.commit();
    repository
}

#[test]
fn the_same_upgrade_on_two_branches_merges() {
    let repository = upgraded_on_two_branches("two\n", "two\n");
    repository.git("merge --quiet other");
    assert_eq!(repository.git("status --porcelain"), "");
}

#[test]
fn different_upgrades_conflict_in_the_lock_and_either_side_is_a_whole_one() {
    let repository = upgraded_on_two_branches("two\n", "three\n");
    let (merged, text) = repository.try_git("merge --quiet other");
    assert!(!merged && text.contains("lock.toml"), "{text}");
    for side in ["--ours", "--theirs"] {
        repository.git(&format!("checkout {side} -- .create-app/lock.toml"));
        let lock = fs_err::read_to_string(repository.path().join(".create-app/lock.toml")).unwrap();
        let lock = lock::Lock::parse(&lock, "lock").unwrap();
        // Git keeps what either branch added to the base, so each side finds what it names.
        for digest in lock.base() {
            assert!(repository.path().join(format!(".create-app/base/{digest}")).exists(), "{side}");
        }
    }
}
