//! The state of each file for `check`: how it compares with its base, and whether a conflict is left in it. No template is needed.

use std::collections::{BTreeMap, BTreeSet};

use super::draw::has_markers;
use super::moves::{Moves, Sides};
use crate::lock::{Base, Bases};
use crate::patterns::Patterns;
use crate::plan::Trees;
use crate::scope::Scoped;
use crate::tree::{Entry, RelPath, Tree};

/// How a file compares with what was rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// As it was rendered, but for the kind of its line endings.
    Pristine,
    /// The app's own since it was rendered: nobody compares it.
    Own,
    /// It holds a secret, so what was rendered is not recorded.
    Unknown,
    /// Its content or its executable bit was changed.
    Edited,
    /// It is elsewhere, edited or not.
    Moved,
    /// It has gone.
    Missing,
    /// A conflict is left in it.
    Conflict,
}

impl State {
    /// The state in a word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pristine => "pristine",
            Self::Own => "own",
            Self::Unknown => "unknown",
            Self::Edited => "edited",
            Self::Moved => "moved",
            Self::Missing => "missing",
            Self::Conflict => "conflict",
        }
    }

    /// Whether the project differs from what was rendered.
    #[must_use]
    pub fn is_drift(self) -> bool {
        matches!(self, Self::Edited | Self::Moved | Self::Missing | Self::Conflict)
    }
}

/// A conflict that an upgrade or a merge left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leftover {
    /// Git has the path in conflict.
    Unmerged,
    /// The file has conflict markers of an upgrade.
    Markers,
    /// A file was put beside it.
    Beside(RelPath),
}

/// One file of the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileState {
    /// Where it was rendered.
    pub path: RelPath,
    /// Where it is, if that is elsewhere.
    pub now: Option<RelPath>,
    /// Its state.
    pub state: State,
    /// The unresolved conflicts; only for [`State::Conflict`].
    pub leftovers: Vec<Leftover>,
}

/// What was found beside the files themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The paths that git has in conflict.
    pub unmerged: BTreeSet<RelPath>,
    /// The paths in which an upgrade left conflict markers, as far as the lock says so.
    pub marked: BTreeSet<RelPath>,
    /// The files that an upgrade put beside a path and that nobody has changed.
    pub beside: BTreeMap<RelPath, RelPath>,
    /// Where the user moved files.
    pub moved: BTreeMap<RelPath, RelPath>,
    /// Whether executable bits are compared.
    pub modes: bool,
}

/// The states of the app's files, and of those at the repository's root.
#[must_use]
pub fn judge_all(bases: &Bases, ours: &Trees, found: &Scoped<Found>) -> Scoped<Vec<FileState>> {
    let sides = bases.files.as_ref().zip(ours.as_ref()).zip(found.as_ref());
    sides.map(|((base, ours), found)| judge(base, ours, found))
}

/// The state of every file that the lock lists, and of every other path that git has in conflict.
#[must_use]
pub fn judge(base: &Base, ours: &Tree, found: &Found) -> Vec<FileState> {
    let mut states: BTreeMap<RelPath, FileState> = BTreeMap::new();
    for (path, recorded) in base {
        let place = Some(path).filter(|path| ours.contains_key(path)).or_else(|| found.moved.get(path));
        let now = place.filter(|place| *place != path).cloned();
        let place = place.unwrap_or(path);
        let entry = ours.get(place);
        let unedited = entry.is_some_and(|entry| recorded.is_unedited(entry));
        // What looks like markers in a file that was rendered so is the template's text.
        let leftovers = leftovers([place, path], entry.filter(|_| !unedited), found);
        let state = match entry {
            _ if !leftovers.is_empty() => State::Conflict,
            _ if recorded.pristine.once => State::Own,
            None => State::Missing,
            Some(_) if now.is_some() => State::Moved,
            Some(_) if recorded.pristine.digest.is_none() => State::Unknown,
            Some(_) if !unedited => State::Edited,
            Some(entry) if found.modes && entry.mode() != recorded.pristine.mode => State::Edited,
            Some(_) => State::Pristine,
        };
        states.insert(path.clone(), FileState { path: path.clone(), now, state, leftovers });
    }
    let known: BTreeSet<RelPath> =
        states.values().map(|state| state.now.as_ref().unwrap_or(&state.path).clone()).collect();
    let others = found.unmerged.iter().chain(found.beside.keys());
    for path in others.filter(|path| !known.contains(path)) {
        let leftovers = leftovers([path, path], ours.get(path), found);
        states.insert(path.clone(), FileState { path: path.clone(), now: None, state: State::Conflict, leftovers });
    }
    states.into_values().collect()
}

/// Where the user moved files of the base: as recorded, and as found among the project's other files, if `ours` has them.
#[must_use]
pub fn moved(base: &Base, ours: &Tree, recorded: &BTreeMap<RelPath, RelPath>) -> BTreeMap<RelPath, RelPath> {
    if base.keys().all(|path| ours.contains_key(path)) {
        return BTreeMap::new();
    }
    let theirs: Tree = base.iter().filter_map(|(path, known)| Some((path.clone(), known.entry.clone()?))).collect();
    let (ignored, once) = (BTreeSet::new(), Patterns::new([]));
    let sides = Sides { base, ours, theirs: &theirs, declared: &[], moved: recorded, ignored: &ignored, once: &once };
    Moves::find(&sides).matched().moved
}

/// What is left in a file: where it is, and where it was rendered.
fn leftovers([path, rendered]: [&RelPath; 2], entry: Option<&Entry>, found: &Found) -> Vec<Leftover> {
    let mut leftovers = Vec::new();
    if found.unmerged.contains(path) {
        leftovers.push(Leftover::Unmerged);
    }
    // Any other text may look like markers, such as a page about them.
    let may_be_marked = [path, rendered].iter().any(|path| found.marked.contains(*path)) || !leftovers.is_empty();
    if may_be_marked && matches!(entry, Some(Entry::File { bytes, .. }) if has_markers(bytes)) {
        leftovers.push(Leftover::Markers);
    }
    leftovers.extend(found.beside.get(path).cloned().map(Leftover::Beside));
    leftovers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::Recorded;

    fn path(text: &str) -> RelPath {
        RelPath::new(text).unwrap()
    }

    fn file(text: &'static str, executable: bool) -> Entry {
        Entry::File { bytes: text.as_bytes().into(), executable }
    }

    fn judged(base: &[(&str, &'static str)], ours: &[(&str, &'static str)], found: &Found) -> Vec<String> {
        let base: Base = base.iter().map(|&(name, text)| (path(name), Recorded::of(file(text, false)))).collect();
        let ours: Tree = ours.iter().map(|&(name, text)| (path(name), file(text, name == "run"))).collect();
        judge(&base, &ours, found).iter().map(|file| format!("{} {}", file.path, file.state.as_str())).collect()
    }

    #[test]
    fn every_state_is_told_apart() {
        let base = [("crlf", "a\nb\n"), ("edited", "a\n"), ("gone", "a\n"), ("old", "a\n"), ("run", "a\n")];
        let ours = [("crlf", "a\r\nb\r\n"), ("edited", "b\n"), ("new", "a\n"), ("run", "a\n")];
        let moved = [(path("old"), path("new"))].into();
        let found = Found { moved, modes: true, ..Found::default() };
        let expected = ["crlf pristine", "edited edited", "gone missing", "old moved", "run edited"];
        assert_eq!(judged(&base, &ours, &found), expected);
        assert_eq!(judged(&base, &ours, &Found { modes: false, ..found })[4], "run pristine");
    }

    #[test]
    fn what_an_upgrade_left_and_what_git_has_in_conflict_is_to_be_decided() {
        let markers = "<<<<<<< yours\na\n=======\nb\n>>>>>>> template 2\n";
        let others = "<<<<<<< HEAD\na\n=======\nb\n>>>>>>> topic\n";
        let base = [("a", "a\n"), ("b", "b\n"), ("c", "c\n"), ("d", "d\n"), ("f", "f\n"), ("moved", "m\n")];
        let ours = [
            ("a", markers),
            ("b", others),
            ("c", "c\n"),
            ("d", "d\n"),
            ("e", "e\n"),
            ("f", markers),
            ("there", markers),
        ];
        let found = Found {
            unmerged: [path("c"), path("e")].into(),
            marked: [path("a"), path("b"), path("moved")].into(),
            beside: [(path("d"), path("d.theirs")), (path("x"), path("x.theirs"))].into(),
            moved: [(path("moved"), path("there"))].into(),
            ..Found::default()
        };
        let expected = [
            "a conflict",
            "b edited",
            "c conflict",
            "d conflict",
            "e conflict",
            "f edited",
            "moved conflict",
            "x conflict",
        ];
        assert_eq!(judged(&base, &ours, &found), expected);
    }

    #[test]
    fn markers_that_the_template_has_itself_are_no_conflict() {
        let markers = "<<<<<<< yours\na\n=======\nb\n>>>>>>> template 2\n";
        let base = [("guide", markers), ("own", "a\n")];
        assert_eq!(judged(&base, &base, &Found::default()), ["guide pristine", "own pristine"]);
        let found = Found { unmerged: [path("guide")].into(), ..Found::default() };
        assert_eq!(judged(&base, &base, &found), ["guide conflict", "own pristine"]);
    }
}
