use proptest::prelude::*;

use super::*;
use crate::git::command::git;
use crate::git::index::{Indexed, set_index};
use crate::git::run::run;
use crate::git::tests::{repository, write};

fn indexed(root: &Path) -> Vec<u8> {
    run(git(root).args(["add", "--all"])).unwrap();
    std::fs::read(root.join(".git/index")).unwrap()
}

fn walk(bytes: &[u8]) -> Option<Vec<Entry>> {
    let mut found = Vec::new();
    Reader::new(bytes, bytes.len() as u64, 20).entries(|entry| found.push(entry.read()))?;
    Some(found)
}

/// The zeros after a name depend on its length, and an entry cannot say one of more than 4,094 bytes.
#[test]
fn names_of_every_length_are_read() {
    const OBJECT: &str = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";
    let directory = repository();
    let lengths = (1..40).chain(4080..4110).chain([20_000]);
    let names: BTreeSet<String> = lengths.map(|length| "n".repeat(length)).collect();
    let lines = names.iter().map(|name| Indexed::parse(&format!("100644 {OBJECT} 0\t{name}")).unwrap());
    let lines: Vec<Indexed> = lines.collect();
    for version in ["2", "4"] {
        set_index(directory.path(), &BTreeSet::new(), &lines.iter().collect::<Vec<_>>(), OBJECT).unwrap();
        run(git(directory.path()).args(["update-index", "--index-version", version])).unwrap();
        let index = std::fs::read(directory.path().join(".git/index")).unwrap();
        let entries = walk(&index).unwrap();
        assert_eq!(entries.iter().map(|entry| entry.path.clone()).collect::<BTreeSet<_>>(), names);
        assert!(entries.iter().all(|entry| entry.object == OBJECT && entry.mode == 0o100_644));
    }
}

#[test]
fn only_what_is_looked_for_is_found() {
    let directory = repository();
    let root = directory.path();
    ["a-b", "a/b", "a0", "z"].iter().for_each(|path| write(root.join(path), path));
    indexed(root);
    let (found, _) = find(root, &["", "a", "a/b", "a0", "b", "z", "zz"].into()).unwrap();
    assert_eq!(found.iter().map(|entry| entry.path.clone()).collect::<Vec<_>>(), ["a/b", "a0", "z"]);
}

#[test]
fn what_git_did_not_write_is_not_believed() {
    let directory = repository();
    for name in ["a", "b/c", "d"] {
        write(directory.path().join(name), name);
    }
    let whole = indexed(directory.path());
    assert_eq!(walk(&whole).map(|entries| entries.len()), Some(3));
    for end in 0..whole.len() {
        assert!(walk(&whole[..end]).is_none(), "cut at {end}");
    }
    let changed = |at: usize, byte: u8| {
        let mut bytes = whole.clone();
        bytes[at] = byte;
        walk(&bytes)
    };
    assert!(changed(7, 5).is_none(), "a version to come");
    assert!(changed(11, 2).is_none(), "fewer entries");
    assert!(changed(12 + 61, 2).is_none(), "another length");
    assert!(changed(12 + 64 + 63, 0).is_none(), "a name that ends before its length");
    let mut nameless = whole.clone();
    nameless[12 + 61..12 + 63].fill(0);
    assert!(walk(&nameless).is_none(), "an entry without a name");
    assert!(walk(&[&whole[..], b"more"].concat()).is_none());
    let extended = |signature: &[u8]| {
        let (body, end) = whole.split_at(whole.len() - 20);
        walk(&[body, signature, &[0, 0, 0, 2, 7, 7], end].concat())
    };
    assert!(extended(b"MORE").is_some() && extended(b"link").is_none());
}

proptest! {
    #[test]
    fn no_bytes_do_harm(head in 2..5_u8, count in 0..3_u8, bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let start = [b"DIRC\0\0\0", &[head, 0, 0, 0, count][..]].concat();
        walk(&[&start[..], &bytes[..]].concat());
    }
}

#[test]
fn what_is_staged_is_told_from_what_was_written_as_a_tree() {
    let directory = repository();
    let root = directory.path();
    let call = |arguments: &[&str]| {
        let identity = ["-c", "user.name=A", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"];
        run(git(root).args(identity).args(arguments)).unwrap();
    };
    for path in ["a", "apps/shop/.create-app/base/0", "apps/shop/.create-app/lock", "apps/shopping/b", "z/y/x"] {
        write(root.join(path), path);
    }
    let wanted = "apps/shop/.create-app";
    call(&["add", "--all"]);
    assert_ne!(is_written(root, wanted), Some(true));
    call(&["commit", "-q", "-m", "One"]);
    assert_eq!(is_written(root, wanted), Some(true));
    write(root.join("apps/shopping/b"), "b");
    call(&["add", "apps/shopping/b"]);
    assert_eq!(is_written(root, wanted), Some(true), "something else is staged");
    write(root.join("apps/shop/.create-app/base/1"), "b");
    call(&["add", "apps/shop"]);
    assert_eq!(is_written(root, wanted), Some(false));
    call(&["commit", "-q", "-m", "Two"]);
    assert_eq!((is_written(root, wanted), is_written(root, "apps/shop/none")), (Some(true), Some(false)));
}

#[test]
fn trees_that_make_no_sense_are_none() {
    for trees in
        [&b""[..], b"\0", b"\0-1 9\n", b"\x001 0\n", b"\0-1 99999999999\n", b"\0x y\n", b"a\0-1 1\nb\0-1 4294967295\n"]
    {
        assert_eq!(is_written_in(&mut &trees[..], 20, "", "wanted"), Err(()), "{trees:?}");
    }
}
