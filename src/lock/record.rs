//! From a pristine render to what `.create-app/` holds.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::{BASE, Bases, Conflicts, LOCK, Lock, LockedTemplate, Pristine};
use crate::date::Date;
use crate::deflated::{Encoder, LIMIT};
use crate::digest::Digest;
use crate::manifest::Ownership;
use crate::parallel;
use crate::patterns::Patterns;
use crate::placeholders::Answer;
use crate::render::Secret;
use crate::scope::Scoped;
use crate::tree::{Entry, RelPath, Tree};

/// `.create-app/.gitattributes`: no filter, formatter or end-of-line conversion may touch the record.
pub const GITATTRIBUTES: &str = "\
* binary -filter -ident -eol -working-tree-encoding linguist-generated
lock.toml text eol=lf -filter -linguist-generated diff merge
";

/// `.create-app/.gitignore`: what create-app needs only while it runs, and copies of what git does not hold.
pub const GITIGNORE: &str = "\
/backup/
/txn/
/busy
";

/// Below this many bytes, one thread is faster than starting several.
const PARALLEL: usize = 512 << 10;

/// A pristine render, and what the lock says of it.
#[derive(Debug)]
pub struct Rendered<'a> {
    /// The template and its revision.
    pub template: LockedTemplate,
    /// The app below the repository's root; `None` if it is the root.
    pub app_dir: Option<RelPath>,
    /// Every answer; those that are secret are left out of the lock.
    pub answers: &'a BTreeMap<String, Answer>,
    /// The date that the files show, where they show one.
    pub date: Option<Date>,
    /// Which paths are `once`, and which answers are secret.
    pub ownership: &'a Ownership,
    /// The files that depend on a secret answer, below the app or the repository's root: they are named only.
    pub secret: &'a Secret,
    /// The files.
    pub trees: Scoped<&'a Tree>,
}

/// The contents of `.create-app/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The lock.
    pub lock: Lock,
    /// The encoded bytes of each file that the lock's base names, less those that were already present.
    pub base: BTreeMap<Digest, Vec<u8>>,
    /// What the base holds for no line of the lock, and keeps: somebody has to look at it first.
    pub spare: BTreeSet<Digest>,
}

impl Record {
    /// Everything that the base holds from now on.
    #[must_use]
    pub fn kept(&self) -> BTreeSet<Digest> {
        self.lock.base().into_iter().chain(self.spare.iter().copied()).collect()
    }

    /// A record of what was recorded before, with the files of the base that are known, but not `present`.
    #[must_use]
    pub fn again(lock: Lock, bases: &Bases, present: &BTreeSet<Digest>) -> Self {
        let mut encoder = Encoder::default();
        let mut base = BTreeMap::new();
        for recorded in bases.files.entries().map(|(_, it)| it) {
            let bytes = recorded.entry.as_ref().map(Entry::bytes).or(recorded.masked.as_deref());
            if let (Some(digest), Some(bytes)) = (recorded.pristine.base(), bytes)
                && !present.contains(&digest)
            {
                base.entry(digest).or_insert_with(|| encoder.encode(bytes));
            }
        }
        Self { lock, base, spare: BTreeSet::new() }
    }

    /// Every file by its path below `.create-app`.
    #[must_use]
    pub fn files(&self) -> BTreeMap<String, Cow<'_, [u8]>> {
        let base =
            self.base.iter().map(|(digest, bytes)| (format!("{BASE}/{digest}"), Cow::Borrowed(bytes.as_slice())));
        let own = [
            (".gitattributes", Cow::Borrowed(GITATTRIBUTES.as_bytes())),
            (".gitignore", Cow::Borrowed(GITIGNORE.as_bytes())),
            (LOCK, Cow::Owned(self.lock.render().into_bytes())),
        ];
        own.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).chain(base).collect()
    }
}

/// Records a pristine render. `present` names what the base already holds, and what need not be encoded again.
///
/// The base keeps a symlink's target, too: where both sides changed it, the conflict's common ancestor is needed.
#[must_use]
pub fn record(rendered: &Rendered<'_>, present: &BTreeSet<Digest>) -> Record {
    record_within(LIMIT, rendered, present)
}

/// The same; a file of more than `limit` bytes is only named, as nobody could read it back.
pub(super) fn record_within(limit: usize, rendered: &Rendered<'_>, present: &BTreeSet<Digest>) -> Record {
    let judge = Judge::new(limit, rendered);
    let mut base = BTreeMap::new();
    let files = rendered.trees.map(|tree| {
        let (lines, encoded) = judge.tree(tree, present);
        base.extend(encoded);
        lines
    });
    let secret = rendered.ownership.secret_names();
    let answers = rendered.answers.iter().filter(|(name, _)| !secret.contains(name.as_str()));
    let lock = Lock {
        template: rendered.template.clone(),
        app_dir: rendered.app_dir.clone(),
        date: rendered.date,
        answers: answers.map(|(name, answer)| (name.clone(), answer.clone())).collect(),
        files,
        moved: BTreeMap::new(),
        conflicts: Conflicts::default(),
    };
    Record { lock, base, spare: BTreeSet::new() }
}

/// What is needed to make an entry's line.
struct Judge<'a> {
    limit: usize,
    once: Patterns,
    secret: &'a Secret,
}

type Encoded = (Digest, Vec<u8>);

impl<'a> Judge<'a> {
    fn new(limit: usize, rendered: &Rendered<'a>) -> Self {
        Self { limit, once: Patterns::of(&rendered.ownership.once), secret: rendered.secret }
    }

    /// The lines of a tree, and the encoded bytes that they name, each once.
    fn tree(
        &self,
        tree: &Tree,
        present: &BTreeSet<Digest>,
    ) -> (BTreeMap<RelPath, Pristine>, BTreeMap<Digest, Vec<u8>>) {
        let entries: Vec<_> = tree.iter().collect();
        let parallel = entries.iter().map(|(_, entry)| entry.bytes().len()).sum::<usize>() > PARALLEL;
        let lines: Vec<Pristine> = map(parallel, &entries, |(path, entry)| self.line(path, entry));
        let mut seen = present.clone();
        let fresh = lines.iter().zip(&entries).filter_map(|(line, (path, entry))| {
            let bytes = if line.masked.is_some() { self.secret.get(*path)?.as_deref()? } else { entry.bytes() };
            Some((line.base()?, bytes))
        });
        let fresh: Vec<(Digest, &[u8])> = fresh.filter(|(digest, _)| seen.insert(*digest)).collect();
        let encode = |encoder: &mut Encoder, (digest, bytes): &(Digest, &[u8])| (*digest, encoder.encode(bytes));
        let encoded: Vec<Encoded> = if parallel {
            parallel::map(fresh.iter().collect(), 1, Encoder::default, encode)
        } else {
            let mut encoder = None;
            fresh.iter().map(|file| encode(encoder.get_or_insert_default(), file)).collect()
        };
        let files = entries.iter().zip(lines).map(|((path, _), line)| ((*path).clone(), line));
        (files.collect(), encoded.into_iter().collect())
    }

    fn line(&self, path: &RelPath, entry: &Entry) -> Pristine {
        let masked = self.secret.get(path);
        let secret = masked.is_some();
        let once = self.once.matches(path.as_str());
        Pristine {
            mode: entry.mode(),
            digest: (!secret).then(|| Digest::of(entry.bytes())),
            masked: masked
                .and_then(Option::as_ref)
                .filter(|bytes| !once && bytes.len() <= self.limit)
                .map(|it| Digest::of(it)),
            formatted: None,
            once,
            // The size, too, may depend on the secret.
            large: !once && !secret && entry.bytes().len() > self.limit,
        }
    }
}

fn map<T: Sync, R: Send>(parallel: bool, items: &[T], f: impl Fn(&T) -> R + Sync + Send) -> Vec<R> {
    if parallel {
        parallel::map(items.iter().collect(), 1, || (), |(), item| f(item))
    } else {
        items.iter().map(f).collect()
    }
}
