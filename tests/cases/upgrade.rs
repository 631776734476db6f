//! Upgrades the cases of `tests/upgrade/`, whole trees at a time; `README.md` there says what a case holds.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use create_app::digest::Digest;
use create_app::lock::Pristine;
use create_app::lock::{Base, Bases, Recorded};
use create_app::manifest::{ListOrder, ListRule, Ownership, Renamed};
use create_app::merge::draw::Style;
use create_app::merge::{Options, merge};
use create_app::plan::{Action, Changes, Plan, Trees, effects};
use create_app::scope::{Scope, Scoped};
use create_app::spanned::Spanned;
use create_app::tree::{Entry, Mode, RelPath, Tree};
use libtest_mimic::Trial;
use serde::Deserialize;
use walkdir::WalkDir;

use super::{is_overwritten, trial};

/// `case.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Case {
    #[serde(skip)]
    folder: PathBuf,
    /// What the case is about, in a sentence.
    why: String,
    once: Vec<String>,
    /// What was `once` in the version that made the base, where that is something else.
    once_before: Option<Vec<String>>,
    blocks: Vec<String>,
    renamed: Vec<Pair>,
    merge: Vec<Rule>,
    conflict: Option<String>,
    version: Option<String>,
    ignored: Vec<String>,
    ignore_modes: bool,
    limit: Option<usize>,
    /// The project has no lock.
    adopt: bool,
    /// Base files whose bytes are lost.
    lost: Vec<String>,
    /// Base files that held a secret.
    secret: Vec<String>,
    moved: BTreeMap<String, String>,
    executable: BTreeMap<String, Vec<String>>,
    links: BTreeMap<String, BTreeMap<String, String>>,
}

/// How a list is merged.
#[derive(Debug, Deserialize)]
struct Rule {
    file: String,
    keys: String,
    /// Whether its order has no meaning.
    set: bool,
    identity: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Pair {
    from: String,
    to: String,
}

fn path(text: &str) -> RelPath {
    RelPath::new(text).unwrap()
}

fn spanned(texts: &[String]) -> Vec<Spanned> {
    texts.iter().map(|text| Spanned { value: text.clone(), span: 0..0 }).collect()
}

impl Case {
    fn read(folder: &Path) -> Self {
        let text = fs_err::read_to_string(folder.join("case.toml")).unwrap();
        let case: Self = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        assert!(!case.why.is_empty(), "{}: say why", folder.display());
        Self { folder: folder.to_path_buf(), ..case }
    }

    /// One of the case's trees. Executable bits and links are in `case.toml`: not every system can check them out.
    fn tree(&self, name: &str) -> Tree {
        let root = self.folder.join(name);
        let files = WalkDir::new(&root).into_iter().filter_map(Result::ok).filter(|entry| entry.file_type().is_file());
        let executable = self.executable.get(name).map(Vec::as_slice).unwrap_or_default();
        let files = files.map(|entry| {
            let name = entry.path().strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
            let bytes = fs_err::read(entry.path()).unwrap().into();
            let executable = executable.contains(&name);
            (path(&name), Entry::File { bytes, executable })
        });
        let links = self.links.get(name).into_iter().flatten();
        let links = links.map(|(name, target)| (path(name), Entry::Symlink { target: target.clone() }));
        files.chain(links).collect()
    }

    fn ownership(&self) -> Ownership {
        let renamed = self.renamed.iter().map(|pair| Renamed { from: pair.from.clone(), to: pair.to.clone() });
        let rule = |rule: &Rule| ListRule {
            file: rule.file.clone(),
            keys: rule.keys.clone(),
            order: if rule.set { ListOrder::Set } else { ListOrder::Sequence },
            identity: rule.identity.clone(),
        };
        Ownership {
            merge: self.merge.iter().map(rule).collect(),
            once: spanned(&self.once),
            blocks: spanned(&self.blocks),
            renamed: renamed.collect(),
            ..Ownership::default()
        }
    }

    fn ownership_before(&self) -> Ownership {
        let ownership = self.ownership();
        Ownership { once: self.once_before.as_deref().map_or(ownership.once, spanned), ..ownership }
    }

    fn options(&self) -> Options {
        let style = match self.conflict.as_deref() {
            None | Some("merge") => Style::Merge,
            Some("diff3") => Style::Diff3,
            Some("ours") => Style::Ours,
            Some("theirs") => Style::Theirs,
            Some(other) => panic!("{other}"),
        };
        let defaults = Options::default();
        Options {
            version: self.version.clone().unwrap_or_else(|| "2.0.0".into()),
            style,
            modes: !self.ignore_modes,
            limit: self.limit.unwrap_or(defaults.limit),
            ignored: Scoped { app: self.ignored.iter().map(|name| path(name)).collect(), ..Scoped::default() },
            ..defaults
        }
    }

    /// What the lock and the base would hold for a render.
    fn base(&self, tree: &Tree, ownership: &Ownership) -> Base {
        let once = create_app::patterns::Patterns::of(&ownership.once);
        let record = |(path, entry): (&RelPath, &Entry)| {
            let name = path.as_str().to_owned();
            let (once, secret) = (once.matches(&name), self.secret.contains(&name));
            let digest = (!secret).then(|| Digest::of(entry.bytes()));
            let kept = !once && !secret && !self.lost.contains(&name);
            let recorded = Recorded {
                pristine: Pristine { mode: entry.mode(), digest, masked: None, formatted: None, once, large: false },
                entry: kept.then(|| entry.clone()),
                masked: None,
            };
            (path.clone(), recorded)
        };
        tree.iter().map(record).collect()
    }

    fn run(&self) {
        let (ownership, options) = (self.ownership(), self.options());
        let [ours, theirs] = [self.tree("ours"), self.tree("theirs")];
        let bases = (!self.adopt).then(|| Bases {
            files: Scoped { app: self.base(&self.tree("base"), &self.ownership_before()), repository: Base::new() },
            moved: self.moved.iter().map(|(from, to)| (path(from), path(to))).collect(),
        });
        let app = |tree: &Tree| Trees { app: tree.clone(), repository: Tree::new() };
        let upgrade =
            |bases: Option<&Bases>, ours: &Tree| merge(bases, &app(ours), &app(&theirs), &ownership, &options);
        let plan = upgrade(bases.as_ref(), &ours);
        assert_eq!(plan, upgrade(bases.as_ref(), &ours), "{}: equal inputs, equal plans", self.folder.display());
        let after = apply(&plan.files.app, &ours);
        self.check_plan(&lines(&plan, &theirs));
        self.check_tree(&after);

        let bases = Bases {
            files: Scoped {
                app: Self { lost: Vec::new(), ..Self::read(&self.folder) }.base(&theirs, &ownership),
                repository: Base::new(),
            },
            moved: plan.moved,
        };
        let again = upgrade(Some(&bases), &after);
        assert!(
            again.is_empty(),
            "{}: a second upgrade does nothing:\n{}",
            self.folder.display(),
            lines(&again, &theirs)
        );
    }

    fn check_plan(&self, actual: &str) {
        let file = self.folder.join("plan.txt");
        if is_overwritten() {
            fs_err::write(&file, actual).unwrap();
        }
        let expected = fs_err::read_to_string(&file).unwrap_or_default();
        assert!(expected == actual, "{}: the plan\n{actual}\nis expected to be\n{expected}", self.folder.display());
    }

    fn check_tree(&self, actual: &Tree) {
        let expected = self.folder.join("expected");
        if is_overwritten() {
            drop(fs_err::remove_dir_all(&expected));
            for (path, entry) in actual.iter().filter(|(_, entry)| entry.mode() != Mode::Symlink) {
                let file = path.below(&expected);
                fs_err::create_dir_all(file.parent().unwrap()).unwrap();
                fs_err::write(file, entry.bytes()).unwrap();
            }
        }
        let expected = self.tree("expected");
        let paths: BTreeSet<&RelPath> = expected.keys().chain(actual.keys()).collect();
        let draw = |entry: Option<&Entry>| match entry {
            Some(entry) => format!("{} {:?}", entry.mode().as_str(), String::from_utf8_lossy(entry.bytes())),
            None => "absent".to_owned(),
        };
        let different = paths.into_iter().filter(|path| expected.get(path) != actual.get(path));
        let different: Vec<String> = different
            .map(|path| format!("{path}\n  is {}\n  not {}", draw(actual.get(path)), draw(expected.get(path))))
            .collect();
        assert!(different.is_empty(), "{}:\n{}", self.folder.display(), different.join("\n"));
    }
}

/// The result of an applied plan; every effect must be based on what is there.
fn apply(changes: &Changes, ours: &Tree) -> Tree {
    let mut after = ours.clone();
    for (path, effect) in effects(changes) {
        let stands = ours.get(path).map(create_app::plan::Stamp::of);
        assert_eq!(stands, effect.before, "{path}: the plan stands on what is there");
        match effect.after {
            Some(entry) => drop(after.insert(path.clone(), entry.clone())),
            None => drop(after.remove(path)),
        }
    }
    let directories: BTreeSet<&str> = after.keys().flat_map(RelPath::ancestors).collect();
    for path in after.keys() {
        assert!(!directories.contains(path.as_str()), "{path} is a file and a directory");
    }
    after
}

/// The plan, a line a change, and what its summary adds.
fn lines(plan: &Plan, theirs: &Tree) -> String {
    let mut out = String::new();
    for (path, change) in &plan.files.app {
        let action = match &change.action {
            Action::Create(_) => "create",
            Action::Update { .. } => "update",
            Action::Delete { .. } => "delete",
            Action::Move { .. } => "move",
            Action::Conflict(_) => "conflict",
            Action::Keep => "keep",
        };
        writeln!(out, "{action} {path}: {}", change.reason).unwrap();
        match &change.action {
            Action::Move { from, .. } => writeln!(out, "  from {from}").unwrap(),
            Action::Conflict(conflict) => {
                let from = conflict.before.iter().map(|(from, _)| from).filter(|from| *from != path);
                from.for_each(|from| writeln!(out, "  from {from}").unwrap());
                let stages = conflict.stages.iter().flat_map(|stages| stages.numbered());
                let stages: Vec<String> = stages.map(|(n, version)| format!("{n} {}", version.path)).collect();
                writeln!(out, "  stages {}", if stages.is_empty() { "none".into() } else { stages.join(", ") })
                    .unwrap();
                conflict.beside.iter().for_each(|(path, _)| writeln!(out, "  beside {path}").unwrap());
            }
            _ => {}
        }
    }
    plan.notes.iter().for_each(|note| writeln!(out, "note {}: {}", note.path, note.subject).unwrap());
    plan.commands(None, |scope, name| scope == Scope::App && theirs.contains_key(&path(name)))
        .iter()
        .for_each(|todo| writeln!(out, "{todo}").unwrap());
    plan.moved.iter().for_each(|(from, to)| writeln!(out, "moved {from} > {to}").unwrap());
    out
}

pub(crate) fn trials() -> Vec<Trial> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/upgrade");
    let mut folders: Vec<PathBuf> = fs_err::read_dir(&root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|folder| folder.join("case.toml").exists())
        .collect();
    folders.sort();
    assert!(folders.len() >= 25, "{} cases", folders.len());
    let trials = folders.into_iter().map(|folder| {
        let name = format!("upgrade/{}", folder.file_name().unwrap().to_string_lossy());
        trial(name, move || {
            Case::read(&folder).run();
            Ok(())
        })
    });
    trials.collect()
}
