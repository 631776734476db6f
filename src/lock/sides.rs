//! The two sides of a lock that git could not merge, and one lock of both.

use std::collections::{BTreeMap, BTreeSet};

use super::{Conflicts, Lock, LockedTemplate};
use crate::placeholders::Answer;
use crate::scope::Scoped;
use crate::source::is_older;

/// The two versions of a lock from two branches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sides {
    /// The common base, if it is known.
    pub base: Option<Lock>,
    /// One side: for git, ours.
    pub ours: Lock,
    /// The other side: for git, theirs.
    pub theirs: Lock,
}

/// Where two sides exclude each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contradiction {
    /// Both changed an answer, each to another one; `None` if a side has no such answer.
    Answer {
        /// Its name.
        name: String,
        /// One side.
        ours: Option<Answer>,
        /// The other side.
        theirs: Option<Answer>,
    },
    /// Both follow another template, or another reference of it.
    Template {
        /// One side.
        ours: Box<LockedTemplate>,
        /// The other side.
        theirs: Box<LockedTemplate>,
    },
}

impl Sides {
    /// Takes the text of a lock with git's conflict markers apart: the text of both sides, and of their base where the markers have it
    /// (`merge.conflictStyle` is `diff3`). None for a text without conflicts, and for markers that do not fit together.
    #[must_use]
    pub fn texts(text: &str) -> Option<[Option<String>; 3]> {
        #[derive(Clone, Copy, PartialEq)]
        enum Part {
            Both,
            Ours,
            Base,
            Theirs,
        }
        // Most have no markers, and a damaged one may be long.
        if !text.lines().any(|line| marker(line) == Some('<')) {
            return None;
        }
        let [mut base, mut ours, mut theirs] = [const { String::new() }; 3];
        let (mut part, mut conflicts, mut with_base) = (Part::Both, 0, 0);
        for line in text.split_inclusive('\n') {
            part = match (marker(line), part) {
                (Some('<'), Part::Both) => Part::Ours,
                (Some('|'), Part::Ours) => {
                    with_base += 1;
                    Part::Base
                }
                (Some('='), Part::Ours | Part::Base) => Part::Theirs,
                (Some('>'), Part::Theirs) => {
                    conflicts += 1;
                    Part::Both
                }
                (Some(_), _) => return None,
                (None, part) => {
                    for (side, text) in [(Part::Base, &mut base), (Part::Ours, &mut ours), (Part::Theirs, &mut theirs)]
                    {
                        if part == Part::Both || part == side {
                            text.push_str(line);
                        }
                    }
                    part
                }
            };
        }
        let is_whole = part == Part::Both && conflicts > 0;
        is_whole.then(|| [Some(base).filter(|_| with_base == conflicts), Some(ours), Some(theirs)])
    }

    /// One lock of both: what only one side changed is taken. Where both changed something that cannot be both, it is ours, and an answer
    /// or a template is reported. Files do not contradict each other: the project has what git made of both, so either is a base for it.
    #[must_use]
    pub fn merged(&self) -> (Lock, Vec<Contradiction>) {
        let Self { base, ours, theirs } = self;
        let mut found = Vec::new();
        let template = self.template(&mut found);
        let prefers_theirs = template == theirs.template && template != ours.template;
        let mut answers = BTreeMap::new();
        for name in keys([Some(&ours.answers), Some(&theirs.answers), base.as_ref().map(|lock| &lock.answers)]) {
            let before = base.as_ref().map(|lock| lock.answers.get(&name));
            let sides = [ours.answers.get(&name), theirs.answers.get(&name)];
            let answer = pick(before, sides).unwrap_or_else(|| {
                let [ours, theirs] = sides.map(Option::<&Answer>::cloned);
                found.push(Contradiction::Answer { name: name.clone(), ours, theirs });
                sides[0].or(sides[1])
            });
            answers.extend(answer.map(|answer| (name, answer.clone())));
        }
        let merged = Lock {
            template,
            app_dir: ours.app_dir.clone(),
            answers,
            date: ours.date.or(theirs.date),
            files: Scoped {
                app: self.paths(|lock| &lock.files.app, prefers_theirs),
                repository: self.paths(|lock| &lock.files.repository, prefers_theirs),
            },

            moved: self.paths(|lock| &lock.moved, false),
            conflicts: Conflicts {
                app: self.paths(|lock| &lock.conflicts.app, false),
                repository: self.paths(|lock| &lock.conflicts.repository, false),
            },
        };
        (merged, found)
    }

    fn template(&self, found: &mut Vec<Contradiction>) -> LockedTemplate {
        let [ours, theirs] = [&self.ours.template, &self.theirs.template];
        let base = self.base.as_ref().map(|lock| &lock.template);
        // Of releases, the requirement is followed, whichever tag it led to.
        let reference = |it: &LockedTemplate| match it.reference.requirement() {
            Some(requirement) => Some(("requirement", requirement.to_owned())),
            None => it.reference.pair().map(|(key, name)| (key, name.to_owned())),
        };
        let followed =
            |it: &LockedTemplate| (it.source.clone(), reference(it), it.subfolder.clone(), it.skips_submodules);
        let [our_way, their_way] = [ours, theirs].map(followed);
        match pick(base.map(|base| Some(followed(base))), [Some(our_way.clone()), Some(their_way.clone())]) {
            // Both follow the same, or one side only went on to something else.
            Some(way) if our_way == their_way || base.is_none() => {
                drop(way);
                if is_newer(theirs, ours) || base == Some(ours) { theirs.clone() } else { ours.clone() }
            }
            Some(way) => {
                if way == Some(their_way) {
                    theirs.clone()
                } else {
                    ours.clone()
                }
            }
            None => {
                found.push(Contradiction::Template { ours: Box::new(ours.clone()), theirs: Box::new(theirs.clone()) });
                ours.clone()
            }
        }
    }

    fn paths<K: Ord + Clone, V: Clone + PartialEq>(
        &self,
        of: impl Fn(&Lock) -> &BTreeMap<K, V>,
        prefers_theirs: bool,
    ) -> BTreeMap<K, V> {
        let [ours, theirs] = [of(&self.ours), of(&self.theirs)];
        let base = self.base.as_ref().map(&of);
        let line = |path: K| {
            let sides = [ours.get(&path), theirs.get(&path)];
            let [first, second] = if prefers_theirs { [sides[1], sides[0]] } else { sides };
            let line = pick(base.map(|base| base.get(&path)), sides).unwrap_or_else(|| first.or(second));
            Some((path, line?.clone()))
        };
        keys([Some(ours), Some(theirs), base]).into_iter().filter_map(line).collect()
    }
}

/// Which of git's markers a line is.
fn marker(line: &str) -> Option<char> {
    let first = line.chars().next().filter(|first| "<|=>".contains(*first))?;
    let rest = line.trim_end_matches(['\n', '\r']).strip_prefix(&first.to_string().repeat(7))?;
    (rest.is_empty() || rest.starts_with(' ')).then_some(first)
}

fn keys<K: Ord + Clone, V>(maps: [Option<&BTreeMap<K, V>>; 3]) -> BTreeSet<K> {
    maps.into_iter().flatten().flat_map(BTreeMap::keys).cloned().collect()
}

/// The outcome of something: what both have, or what the only side made of it that changed it. Nobody knows where both changed it;
/// without a base, where both have something else.
fn pick<T: PartialEq>(base: Option<Option<T>>, [ours, theirs]: [Option<T>; 2]) -> Option<Option<T>> {
    if ours == theirs {
        return Some(ours);
    }
    match base {
        Some(base) if base == ours => Some(theirs),
        Some(base) if base == theirs => Some(ours),
        None if ours.is_none() => Some(theirs),
        None if theirs.is_none() => Some(ours),
        _ => None,
    }
}

/// Whether a template is certainly newer than another one.
fn is_newer(new: &LockedTemplate, old: &LockedTemplate) -> bool {
    if let (Some(new), Some(old)) = (new.reference.tag(), old.reference.tag())
        && let Some(is_older) = is_older(old, new)
    {
        return is_older;
    }
    let version = |it: &LockedTemplate| semver::Version::parse(it.version.as_deref()?).ok();
    version(new).zip(version(old)).is_some_and(|(new, old)| new > old)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::lock::Pristine;
    use crate::template::Reference;
    use crate::tree::{Mode, RelPath};

    fn lock(version: &str, answers: &[(&str, &str)], files: &[(&str, &str)]) -> Lock {
        let template = LockedTemplate {
            source: "t".into(),
            version: Some(version.into()),
            revision: version.into(),
            ..LockedTemplate::default()
        };
        let answer = |(name, text): &(&str, &str)| ((*name).to_owned(), Answer::Text((*text).to_owned()));
        let file = |(path, text): &(&str, &str)| {
            let digest = Some(Digest::of(text.as_bytes()));
            (
                RelPath::new(*path).unwrap(),
                Pristine { mode: Mode::File, digest, masked: None, formatted: None, once: false, large: false },
            )
        };
        Lock {
            template,
            app_dir: None,
            answers: answers.iter().map(answer).collect(),
            date: None,
            files: Scoped { app: files.iter().map(file).collect(), repository: BTreeMap::new() },
            moved: BTreeMap::new(),
            conflicts: Conflicts::default(),
        }
    }

    #[test]
    fn what_only_one_side_changed_is_taken() {
        let base = lock("1.0.0", &[("a", "1"), ("b", "1"), ("old", "1")], &[("f", "1"), ("g", "1"), ("gone", "1")]);
        let ours = lock("1.0.0", &[("a", "2"), ("b", "1"), ("old", "1")], &[("f", "2"), ("g", "1"), ("gone", "1")]);
        let theirs = lock("2.0.0", &[("a", "1"), ("b", "3"), ("new", "1")], &[("f", "1"), ("g", "3"), ("h", "3")]);
        let expected = lock("2.0.0", &[("a", "2"), ("b", "3"), ("new", "1")], &[("f", "2"), ("g", "3"), ("h", "3")]);
        for [ours, theirs] in [[&ours, &theirs], [&theirs, &ours]] {
            let sides = Sides { base: Some(base.clone()), ours: ours.clone(), theirs: theirs.clone() };
            assert_eq!(sides.merged(), (expected.clone(), Vec::new()));
        }
    }

    #[test]
    fn contradictions_are_told_and_either_file_is_a_base() {
        let base = lock("1.0.0", &[("a", "1"), ("b", "1")], &[("f", "1")]);
        let ours = lock("2.0.0", &[("a", "2")], &[("f", "2")]);
        let theirs = lock("3.0.0", &[("a", "3"), ("b", "3")], &[("f", "3")]);
        let (merged, found) = Sides { base: Some(base), ours: ours.clone(), theirs: theirs.clone() }.merged();
        assert_eq!((&merged.template, &merged.files), (&theirs.template, &theirs.files), "the newer version");
        let names: Vec<_> = found
            .iter()
            .map(|it| match it {
                Contradiction::Answer { name, ours, .. } => (name.as_str(), ours.is_some()),
                Contradiction::Template { .. } => ("template", true),
            })
            .collect();
        assert_eq!(names, [("a", true), ("b", false)]);
        let tag = |name: &str| {
            let mut lock = lock("1.0.0", &[], &[]);
            lock.template.reference = Reference::Tag(name.into());
            lock
        };
        let merged = |ours: &str, theirs: &str| {
            let sides = Sides { base: Some(tag("v1")), ours: tag(ours), theirs: tag(theirs) };
            let (lock, found) = sides.merged();
            (lock.template.reference, found.len())
        };
        assert_eq!(merged("v1", "v2"), (Reference::Tag("v2".into()), 0));
        assert_eq!(merged("v2", "v1"), (Reference::Tag("v2".into()), 0));
        assert_eq!(merged("v2", "v3"), (Reference::Tag("v2".into()), 1));
        let releases = |tag: &str| Reference::Releases { requirement: "^1".into(), tag: tag.into() };
        let of = |tag: &str| {
            let mut lock = lock("1.0.0", &[], &[]);
            lock.template = LockedTemplate { reference: releases(tag), revision: tag.into(), ..lock.template };
            lock
        };
        for (ours, theirs) in [("v1.1.0", "v1.2.0"), ("v1.2.0", "v1.1.0")] {
            let sides = Sides { base: Some(of("v1.0.0")), ours: of(ours), theirs: of(theirs) };
            assert_eq!(sides.merged(), (of("v1.2.0"), Vec::new()));
        }
    }

    #[test]
    fn without_a_base_only_what_both_have_otherwise_is_a_contradiction() {
        let [ours, theirs] = [[("a", "1"), ("x", "1")], [("a", "2"), ("y", "1")]].map(|it| lock("1.0.0", &it, &[]));
        let (merged, found) = Sides { base: None, ours, theirs }.merged();
        assert_eq!((merged.answers.len(), found.len()), (3, 1));
    }

    #[test]
    fn markers_are_taken_apart_in_every_style() {
        let text = |style: &str| format!("a\n<<<<<<< HEAD\nb\n{style}=======\r\nc\n>>>>>>> topic\nd\n");
        let sides = |text: &str| Sides::texts(text).map(|texts| texts.map(|text| text.unwrap_or("?".into())));
        assert_eq!(sides(&text("")).unwrap(), ["?", "a\nb\nd\n", "a\nc\nd\n"]);
        assert_eq!(sides(&text("||||||| 1234567\n0\n")).unwrap(), ["a\n0\nd\n", "a\nb\nd\n", "a\nc\nd\n"]);
        for text in ["a\n", "<<<<<<< a\n", "=======\n", "<<<<<<< a\n<<<<<<< b\n=======\n>>>>>>> b\n", "<<<<<<<a\n"] {
            assert_eq!(sides(text), None, "{text}");
        }
    }
}
