//! The journal as a file: a line for each operation, and a last one with the digest of all others.
//!
//! ```text
//! create-app journal 2
//! app-dir  apps/shop
//! made     1
//! staging  .shop.create-app-k3v9x0q2ab
//! project  64768 1835021 1764320000123456789
//! at       /home/ann/work/apps/shop
//! seal     64768 1835030 1764320100123456789
//! 0  put  repository  -  100644:4a44…  .github/workflows/ci.yml
//! index  before  100644 e69d… 0  src/api.ts
//! index  after   100644 5f2c… 1  src/api.ts
//! digest   9f86…
//! ```
//!
//! Fields are between tabs, which no path can hold, so that nothing needs to be escaped.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use thiserror::Error;

use super::mark::Mark;
use super::operation::{Kind, Operation, Places, Root, Target};
use crate::digest::Digest;
use crate::git::Indexed;
use crate::plan::Stamp;
use crate::tree::{Mode, RelPath};

/// The format that this version writes, and the newest that it reads.
const VERSION: &str = "2";
/// The most bytes that a journal may have.
pub(super) const LIMIT: u64 = 64 << 20;
const HEADER: &str = "create-app journal ";

/// A change that is decided on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::workspace) struct Journal {
    /// The app below the repository's root, or `.`: an app that was moved meanwhile cannot find the root again.
    pub(in crate::workspace) app_dir: String,
    /// How many directories were made for the app, itself first, before there was anything to write in.
    pub(in crate::workspace) made: usize,
    /// The name beside the app's place under which it was built, where it is not there yet.
    pub(in crate::workspace) staging: Option<String>,
    /// The proof that the journal was written here; none before it is.
    pub(in crate::workspace) bond: Option<Bond>,
    /// The operations, in order; the lock comes last.
    pub(in crate::workspace) operations: Vec<Operation>,
    /// The change of git's index, just before the lock comes.
    pub(in crate::workspace) index: Index,
}

/// Ties a journal to this machine and to one directory on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::workspace) struct Bond {
    /// The app's directory.
    pub(in crate::workspace) project: Mark,
    /// Where that was, as a person can read it: what would end the line is escaped.
    pub(in crate::workspace) at: String,
    /// The seal that was made with the journal.
    pub(in crate::workspace) seal: Mark,
}

/// The index's entries for the paths in conflict; paths are relative to the repository's root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::workspace) struct Index {
    /// Before the change, in order.
    pub(in crate::workspace) before: Vec<Indexed>,
    /// After it, in order.
    pub(in crate::workspace) after: Vec<Indexed>,
}

/// An operation with its number.
type Numbered<'a> = (usize, &'a Operation);

/// Why there is no journal in a file. The texts complete "the journal … ".
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum JournalError {
    /// Never finished, or damaged since: nothing of it was done.
    #[error("is incomplete")]
    Incomplete,
    /// Of another version.
    #[error("was written by another version of create-app")]
    Version,
    /// Complete, and yet not what this version writes.
    #[error("has a line that create-app does not write: `{0}`")]
    Line(String),
}

impl Journal {
    /// The operations with their numbers: those before the index has its turn, and the lock's.
    pub(super) fn parts(&self) -> (Vec<Numbered<'_>>, Vec<Numbered<'_>>) {
        // The lock's directory can only be removed when the lock is.
        let is_its_directory = |operation: &Operation| {
            operation.kind == Kind::RemoveDir
                && operation.target.root() == Root::Record
                && operation.target.path().is_empty()
        };
        let is_last = |operation: &Operation| operation.target.is_lock() || is_its_directory(operation);
        self.operations.iter().enumerate().partition(|(_, operation)| !is_last(operation))
    }

    /// Every path below the repository's root at which something changes, in the index, too.
    pub(in crate::workspace) fn paths(&self, places: &Places<'_>) -> BTreeSet<String> {
        let files = self.operations.iter().map(|operation| places.way(&operation.target));
        let indexed = self.index.before.iter().chain(&self.index.after).map(|entry| entry.path.clone());
        files.chain(indexed).collect()
    }

    /// Letters and digits that nobody can know before the change: for the names that it uses beside others.
    pub(super) fn token(&self) -> String {
        let seal = self.bond.as_ref().map(|bond| bond.seal.to_string());
        Digest::of(seal.unwrap_or_default().as_bytes()).to_string()[..10].to_owned()
    }

    /// Whether an operation's result came with the app itself, which was built elsewhere and moved into place.
    pub(super) fn is_placed(&self, operation: &Operation) -> bool {
        self.made > 0 && operation.target.root() != Root::Repository
    }

    /// The same of an operation by its number.
    pub(super) fn is_placed_at(&self, n: usize) -> bool {
        self.operations.get(n).is_some_and(|operation| self.is_placed(operation))
    }

    /// Whether anything that was in the project is replaced or removed.
    pub(super) fn replaces(&self) -> bool {
        let replaces = |operation: &Operation| match operation.kind {
            Kind::Delete { .. } | Kind::Put { before: Some(_), .. } => true,
            Kind::Put { before: None, .. } | Kind::MakeDir | Kind::RemoveDir => false,
        };
        self.operations.iter().any(replaces)
    }

    pub(super) fn render(&self) -> String {
        let staging = self.staging.as_deref().unwrap_or("-");
        let mut out =
            format!("{HEADER}{VERSION}\napp-dir\t{}\nmade\t{}\nstaging\t{staging}\n", self.app_dir, self.made);
        if let Some(Bond { project, at, seal }) = &self.bond {
            out.push_str(&format!("project\t{project}\nat\t{at}\nseal\t{seal}\n"));
        }
        for (n, operation) in self.operations.iter().enumerate() {
            let (kind, before, after) = match operation.kind {
                Kind::Delete { before } => ("delete", Some(before), None),
                Kind::RemoveDir => ("rmdir", None, None),
                Kind::MakeDir => ("mkdir", None, None),
                Kind::Put { before, after } => ("put", before, Some(after)),
            };
            let target = &operation.target;
            let root = Root::ALL.iter().find(|(root, _)| *root == target.root()).map_or("", |(_, name)| name);
            let (before, after) = (stamp(before), stamp(after));
            // Writing to a string cannot fail.
            let _: std::fmt::Result = writeln!(out, "{n}\t{kind}\t{root}\t{before}\t{after}\t{}", target.path());
        }
        for (state, entries) in [("before", &self.index.before), ("after", &self.index.after)] {
            out.extend(entries.iter().map(|entry| format!("index\t{state}\t{entry}\n")));
        }
        let digest = Digest::of(out.as_bytes());
        out.push_str(&format!("digest\t{digest}\n"));
        out
    }

    pub(super) fn parse(bytes: &[u8]) -> Result<Self, JournalError> {
        let text = std::str::from_utf8(bytes).map_err(|_| JournalError::Incomplete)?;
        let at = text.rfind("digest\t").ok_or(JournalError::Incomplete)?;
        let (text, last) = text.split_at(at);
        if last != format!("digest\t{}\n", Digest::of(text.as_bytes())) {
            return Err(JournalError::Incomplete);
        }
        let mut lines = text.lines();
        if lines.next().and_then(|line| line.strip_prefix(HEADER)) != Some(VERSION) {
            return Err(JournalError::Version);
        }
        let mut head = |name: &str| {
            let line = lines.next().unwrap_or_default();
            let value = line.strip_prefix(name).and_then(|line| line.strip_prefix('\t'));
            value.ok_or_else(|| JournalError::Line(line.into()))
        };
        let app_dir = head("app-dir")?.to_owned();
        let made = parsed("made", head("made")?)?;
        let staging = Some(head("staging")?).filter(|staging| *staging != "-").map(str::to_owned);
        if let Some(staging) = staging.as_ref().filter(|staging| !is_name(staging)) {
            return Err(JournalError::Line(format!("staging\t{staging}")));
        }
        let project = parsed("project", head("project")?)?;
        let at = head("at")?.to_owned();
        let bond = Some(Bond { project, at, seal: parsed("seal", head("seal")?)? });
        let (mut operations, mut index) = (Vec::new(), Index::default());
        for line in lines {
            let known = match line.strip_prefix("index\t") {
                Some(line) => indexed(line, &mut index),
                None => operation(operations.len(), line).map(|operation| operations.push(operation)),
            };
            known.ok_or_else(|| JournalError::Line(line.to_owned()))?;
        }
        Ok(Self { app_dir, made, staging, bond, operations, index })
    }
}

fn parsed<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, JournalError> {
    value.parse().map_err(|_| JournalError::Line(format!("{name}\t{value}")))
}

/// Whether a text is one name in a directory.
fn is_name(text: &str) -> bool {
    !matches!(text, "" | "." | "..") && !text.contains(['/', '\\', ':'])
}

fn indexed(line: &str, index: &mut Index) -> Option<()> {
    let (state, entry) = line.split_once('\t')?;
    let entry = Indexed::parse(entry).filter(|entry| RelPath::new(entry.path.as_str()).is_ok())?;
    match state {
        "before" => index.before.push(entry),
        "after" => index.after.push(entry),
        _ => return None,
    }
    Some(())
}

fn operation(n: usize, line: &str) -> Option<Operation> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [number, kind, root, before, after, path] = fields[..] else { return None };
    let (root, _) = *Root::ALL.iter().find(|(_, name)| *name == root)?;
    let target = Target::parse(root, path)?;
    let kind = match (kind, parse_stamp(before)?, parse_stamp(after)?) {
        ("delete", Some(before), None) => Kind::Delete { before },
        ("rmdir", None, None) => Kind::RemoveDir,
        ("mkdir", None, None) => Kind::MakeDir,
        ("put", before, Some(after)) => Kind::Put { before, after },
        _ => return None,
    };
    (number == n.to_string()).then_some(Operation { target, kind })
}

fn stamp(stamp: Option<Stamp>) -> String {
    stamp.map_or_else(|| "-".into(), |stamp| format!("{}:{}", stamp.mode.as_str(), stamp.digest))
}

#[expect(clippy::option_option, reason = "not a stamp, no stamp, a stamp")]
fn parse_stamp(text: &str) -> Option<Option<Stamp>> {
    if text == "-" {
        return Some(None);
    }
    let (mode, digest) = text.split_once(':')?;
    Some(Some(Stamp { mode: Mode::parse(mode)?, digest: digest.parse().ok()? }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::RelPath;

    fn sample() -> Journal {
        let stamp = |text: &str, mode| Stamp { mode, digest: Digest::of(text.as_bytes()) };
        let file = |root, path: &str| Target::file(root, &RelPath::new(path).unwrap());
        let (before, after) = (stamp("old", Mode::File), stamp("new", Mode::Executable));
        let one = |target, kind| Operation { target, kind };
        let entry = |stage| Indexed::parse(&format!("100644 e69d {stage}\tapps/shop/a b")).unwrap();
        Journal {
            app_dir: "apps/shop".into(),
            made: 2,
            staging: Some(".shop.create-app-x".into()),
            bond: Some(Bond {
                project: "1 2 3".parse().unwrap(),
                at: r"/home/ann/a\b".into(),
                seal: "1 4 -".parse().unwrap(),
            }),
            operations: vec![
                one(file(Root::App, "digest/a b"), Kind::Delete { before: stamp("t", Mode::Symlink) }),
                one(file(Root::App, "digest"), Kind::RemoveDir),
                one(Target::record(""), Kind::MakeDir),
                one(Target::record("base"), Kind::MakeDir),
                one(Target::record(&format!("base/{}", Digest::of(b""))), Kind::Put { before: None, after }),
                one(file(Root::Repository, ".github/x.yml"), Kind::Put { before: Some(before), after }),
                one(Target::backup(1, "apps/shop/a b"), Kind::Put { before: None, after }),
                one(Target::record("lock.toml"), Kind::Put { before: None, after }),
            ],
            index: Index { before: vec![entry(0)], after: vec![entry(1), entry(3)] },
        }
    }

    #[test]
    fn a_journal_is_read_as_it_was_written() {
        assert_eq!(Journal::parse(sample().render().as_bytes()), Ok(sample()));
    }

    #[test]
    fn one_that_was_cut_or_changed_is_none() {
        let text = sample().render();
        for end in 0..text.len() {
            assert_eq!(Journal::parse(&text.as_bytes()[..end]), Err(JournalError::Incomplete), "{end}");
        }
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            assert_eq!(Journal::parse(&bytes), Err(JournalError::Incomplete), "{at}");
        }
    }

    const HEAD: &str = "create-app journal 2\napp-dir\t.\nmade\t0\nstaging\t-\nproject\t1 2 3\nat\t/x\nseal\t1 4 5\n";

    fn signed(text: &str) -> Vec<u8> {
        format!("{text}digest\t{}\n", Digest::of(text.as_bytes())).into_bytes()
    }

    #[test]
    fn one_of_another_version_is_told_apart_from_a_damaged_one() {
        assert_eq!(Journal::parse(&signed("create-app journal 1\n")), Err(JournalError::Version));
        assert_eq!(Journal::parse(&signed("create-app journal 3\n")), Err(JournalError::Version));
        assert_eq!(Journal::parse(&signed("")), Err(JournalError::Version));
    }

    #[test]
    fn nothing_that_create_app_does_not_write_is_done() {
        let digest = Digest::of(b"");
        for line in [
            format!("0\tput\tapp\t-\t100644:{digest}\t../x"),
            format!("0\tput\tapp\t-\t100644:{digest}\t.git/hooks/pre-commit"),
            format!("0\tput\trepository\t-\t100644:{digest}\t/etc/passwd"),
            format!("0\tput\trecord\t-\t100644:{digest}\t../x"),
            format!("0\tput\trecord\t-\t100644:{digest}\tbase/../../x"),
            format!("0\tput\trecord\t-\t100644:{digest}\tbackup/1/../../x"),
            format!("0\tput\trecord\t-\t100644:{digest}\tbackup/one/x"),
            "index\tbefore\t100644 e69d 0\t../x".into(),
            "index\tbefore\t100644 e69d 0\t.git/config".into(),
            "index\tnow\t100644 e69d 0\tx".into(),
            format!("0\tput\telsewhere\t-\t100644:{digest}\tx"),
            format!("1\tput\tapp\t-\t100644:{digest}\tx"),
            "0\tput\tapp\t-\t-\tx".into(),
            "0\tdelete\tapp\t-\t-\tx".into(),
            "0\tindex\tapp\t-\t-\tx".into(),
            String::new(),
        ] {
            let text = format!("{HEAD}{line}\n");
            assert_eq!(Journal::parse(&signed(&text)), Err(JournalError::Line(line)));
        }
        for (line, hostile) in [
            ("staging\t-", "staging\t../x"),
            ("staging\t-", "staging\t.."),
            ("made\t0", "made\t-1"),
            ("project\t1 2 3", "project\t1 2"),
            ("seal\t1 4 5", "seal\t"),
        ] {
            let text = HEAD.replace(line, hostile);
            assert_eq!(Journal::parse(&signed(&text)), Err(JournalError::Line(hostile.into())));
        }
    }
}
