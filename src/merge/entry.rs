//! The rules for one file: the trivial ones first, its content only when they fail.

use std::borrow::Cow;

use bytes::Bytes;

use super::draw::{Style, decided, draw};
use super::masked::{Filled, Now};
use super::moves::Triple;
use super::text::TextMerge;
use super::values::{Origin, executable, origin, with_mode};
use super::{Context, adopt, blocks, content, masked};
use crate::contents::{is_binary, is_edited};
use crate::plan::{Action, Change, Conflict, Install, Note, Reason, Stages, Stamp, Subject, Version};
use crate::tree::{Entry, Mode, RelPath};

/// The decision about one file.
pub(super) type Decision = Option<(RelPath, Change)>;

/// Two versions of a file that both changed, merged as far as that goes.
pub(super) enum Merged {
    /// All of it.
    Entry(Entry),
    /// Its text, with conflicts or without.
    Text {
        merge: TextMerge<'static>,
        /// What a conflict's base and other side are, where they are not the template's whole files.
        stages: Option<[Vec<u8>; 2]>,
    },
    /// Not at all: the project's stays, and the template's is put beside it.
    Apart(Reason),
    /// Not at all, and that is all right: the project's stays.
    Keep(Reason),
}

/// Both sides of a file that the project and the template have.
pub(super) struct Both<'a> {
    pub(super) triple: &'a Triple<'a>,
    pub(super) origin: Origin<'a>,
    pub(super) from: &'a RelPath,
    pub(super) ours: &'a Entry,
    pub(super) theirs: &'a Entry,
    pub(super) place: &'a RelPath,
}

impl<'a> Both<'a> {
    fn new(triple: &'a Triple<'a>) -> Option<Self> {
        let ((from, ours), (_, theirs)) = (triple.ours?, triple.theirs?);
        Some(Self { triple, origin: origin(triple), from, ours, theirs, place: triple.place()? })
    }

    pub(super) fn base(&self) -> Option<&Entry> {
        self.origin.entry()
    }

    /// Whether what was rendered held a secret, and was not recorded.
    fn is_secret(&self) -> bool {
        self.triple.base.is_some_and(|(_, recorded)| recorded.pristine.digest.is_none())
    }

    fn is_edited(&self) -> bool {
        self.base().is_none_or(|base| is_edited(base, self.ours))
    }

    /// The bytes of a merge; those of a side where they are the same, which is what most merges end with.
    fn shared(&self, merged: Vec<u8>) -> Bytes {
        let sides = [self.ours, self.theirs].into_iter();
        let mut same = sides.filter_map(|side| match side {
            Entry::File { bytes, .. } if *bytes == merged => Some(bytes.clone()),
            _ => None,
        });
        same.next().unwrap_or_else(|| merged.into())
    }

    fn is_changed(&self) -> bool {
        self.base().is_none_or(|base| is_edited(base, self.theirs))
    }
}

impl Context<'_> {
    /// Applies the rules to one file. Nothing to do gives nothing.
    pub(super) fn decide(&mut self, triple: &Triple<'_>) -> Decision {
        if let Some((base, recorded)) = triple.base {
            if self.once.matches(triple.theirs.map_or(base, |(path, _)| path).as_str()) {
                return None;
            }
            if recorded.pristine.once {
                return self.no_longer_once(&Both::new(triple)?);
            }
        }
        match (triple.base, triple.ours, triple.theirs) {
            (_, Some(_), Some(_)) => self.both(&Both::new(triple)?),
            (None, None, Some((path, _))) if self.adopting && self.once.matches(path.as_str()) => {
                self.note_all(path, [Subject::ForNewApps]);
                None
            }
            (None, None, Some((path, theirs))) => {
                let reason = if triple.followed.is_some() { Reason::AddedToMoved } else { Reason::Added };
                let change = Change { action: Action::Create(theirs.clone()), reason };
                Some((triple.followed.unwrap_or(path).clone(), change))
            }
            (Some(_), None, Some(_)) => self.deleted_by_the_user(triple),
            (Some(_), Some(ours), None) => Some(self.deleted_by_the_template(triple, ours)),
            (_, _, None) => None,
        }
    }

    /// A file that was the app's own until this version of the template: only one that nobody edited is the template's again.
    fn no_longer_once(&mut self, both: &Both<'_>) -> Decision {
        match both.origin {
            Origin::Known(_) => self.both(both),
            Origin::New | Origin::Lost => Some(self.keep(both, both.ours.clone(), Reason::WasOwn)),
        }
    }

    /// Rule 2.
    fn deleted_by_the_user(&self, triple: &Triple<'_>) -> Decision {
        let ((path, _), (place, theirs)) = (triple.base?, triple.theirs?);
        if origin(triple).entry().is_none_or(|base| base == theirs) {
            return None;
        }
        let reason =
            if self.ours_directories.contains(path.as_str()) { Reason::UserMadeDirectory } else { Reason::UserDeleted };
        Some((place.clone(), Change { action: Action::Keep, reason }))
    }

    /// Rule 3. What is elsewhere may be the user's own file, whatever is in it.
    fn deleted_by_the_template(&self, triple: &Triple<'_>, (path, ours): (&RelPath, &Entry)) -> (RelPath, Change) {
        let is_moved = triple.base.is_some_and(|(base, _)| base != path);
        let is_edited = |base: &Entry| is_edited(base, ours) || (self.options.modes && base.mode() != ours.mode());
        let change = match origin(triple).entry() {
            None => Change { action: Action::Keep, reason: Reason::BaseUnknown },
            Some(base) if is_edited(base) || is_moved => {
                let conflict = Conflict {
                    before: Some((path.clone(), Stamp::of(ours))),
                    after: Some(ours.clone()),
                    stages: self.stages(path, triple),
                    beside: Vec::new(),
                    places: 1,
                };
                let reason = if is_edited(base) { Reason::DeletedButEdited } else { Reason::DeletedButMoved };
                Change { action: Action::Conflict(Box::new(conflict)), reason }
            }
            Some(_) => Change { action: Action::Delete { before: Stamp::of(ours) }, reason: Reason::TemplateDeleted },
        };
        (path.clone(), change)
    }

    fn both(&mut self, both: &Both<'_>) -> Decision {
        let name = both.triple.theirs.map_or(both.place, |(path, _)| path);
        if both.origin == Origin::New && self.once.matches(name.as_str()) {
            return None;
        }
        if let (Some((base, _)), Some((ours, _))) = (both.triple.base, both.triple.ours)
            && [base, ours].iter().all(|path| *path != name)
            && base != ours
        {
            self.note_all(both.place, [Subject::MovedByBoth(name.to_string())]);
        }
        let told = self.notes.len();
        let filled = self.filled(name, both);
        let known = filled.as_ref().map(|filled| Both {
            origin: Origin::Known(Cow::Borrowed(&filled.base)),
            theirs: &filled.theirs,
            ..*both
        });
        let both = known.as_ref().unwrap_or(both);
        let merged = match self.merge(name, both) {
            // What a conflict would show is a secret.
            Merged::Text { merge, .. } if filled.is_some() && !merge.is_clean() => Merged::Keep(Reason::Secret),
            Merged::Apart(_) if filled.is_some() => Merged::Keep(Reason::Secret),
            merged => merged,
        };
        if self.is_secret(both.triple) {
            hide(&mut self.notes, told);
        }
        if filled.as_ref().is_some_and(|filled| filled.is_replaced) && !matches!(merged, Merged::Keep(_)) {
            self.note_all(both.place, [Subject::SecretReplaced]);
        }
        self.conclude(both, merged)
    }

    /// A file with secrets and its base, as far as that is certain.
    fn filled(&self, name: &RelPath, both: &Both<'_>) -> Option<Filled<Entry>> {
        let (_, recorded) = both.triple.base?;
        let masked = recorded.masked.as_ref().filter(|_| both.origin == Origin::Lost)?;
        let (Entry::File { bytes: ours, .. }, Entry::File { bytes: theirs, executable }) = (both.ours, both.theirs)
        else {
            return None;
        };
        let now = self.options.secret.get(name).and_then(Option::as_deref);
        let filled = masked::fill(masked, ours, Now { masked: now, text: theirs, unchosen: &self.options.unchosen })?;
        let entry = |bytes: Vec<u8>, executable| Entry::File { bytes: bytes.into(), executable };
        Some(Filled {
            base: entry(filled.base, recorded.pristine.mode == Mode::Executable),
            theirs: entry(filled.theirs, *executable),
            is_replaced: filled.is_replaced,
        })
    }

    /// Whether the file, as it was rendered or as it is now, depends on a secret answer.
    fn is_secret(&self, triple: &Triple<'_>) -> bool {
        triple.base.is_some_and(|(_, recorded)| recorded.pristine.digest.is_none())
            || triple.theirs.is_some_and(|(path, _)| self.options.secret.contains_key(path))
    }

    /// Merges the content by the rule that fits the file.
    fn merge(&mut self, name: &RelPath, both: &Both<'_>) -> Merged {
        let (Entry::File { bytes: ours, .. }, Entry::File { bytes: theirs, .. }) = (both.ours, both.theirs) else {
            return whole(both);
        };
        if both.base().is_some_and(|base| base.mode() == Mode::Symlink) {
            return whole(both);
        }
        let base = both.base().map(Entry::bytes);
        if self.blocks.matches(name.as_str()) {
            return self.merge_blocks(name, both, ours, theirs);
        }
        if both.is_edited() && both.is_changed() && is_edited(both.ours, both.theirs) {
            if let Some(install) = Install::of(name.file_name()) {
                return Merged::Keep(Reason::LockFile(install));
            }
            if [base.unwrap_or_default(), ours, theirs].into_iter().any(is_binary) {
                return Merged::Apart(Reason::Binary);
            }
            if ours.len().max(theirs.len()) > self.options.limit {
                return Merged::Apart(Reason::TooLarge);
            }
        }
        match both.origin {
            _ if !is_edited(both.ours, both.theirs) => self.content(name, both.place, base, ours, theirs),
            Origin::Lost => {
                let merged = self.adopt(name, both.place, ours, theirs);
                match merged {
                    Merged::Text { merge, .. } if !merge.is_clean() && both.is_secret() => Merged::Keep(Reason::Secret),
                    Merged::Apart(_) if both.is_secret() => Merged::Keep(Reason::Secret),
                    merged => {
                        self.note_all(both.place, [Subject::NoBase]);
                        merged
                    }
                }
            }
            Origin::New if self.adopting => self.adopt(name, both.place, ours, theirs),
            Origin::New | Origin::Known(_) => self.content(name, both.place, base, ours, theirs),
        }
    }

    fn content(&mut self, name: &RelPath, place: &RelPath, base: Option<&[u8]>, ours: &[u8], theirs: &[u8]) -> Merged {
        let merged = content::merge(name, self.shared.known(&self.shared.lists(name)), base, ours, theirs);
        self.note_all(place, merged.is_form_kept.then_some(Subject::FormKept));
        self.note_all(place, merged.is_too_large.then_some(Subject::ByLines));
        text(merged.merge)
    }

    fn merge_blocks(&mut self, name: &RelPath, both: &Both<'_>, ours: &[u8], theirs: &[u8]) -> Merged {
        match blocks::merge(
            name,
            self.shared.known(&self.shared.lists(name)),
            both.base().map(Entry::bytes),
            ours,
            theirs,
        ) {
            Ok(merged) => {
                self.note_all(both.place, merged.removed.into_iter().map(Subject::BlockRemoved));
                Merged::Text { merge: merged.merge, stages: Some([merged.base, merged.theirs]) }
            }
            Err(_) if !both.is_changed() || ours == theirs => Merged::Entry(both.ours.clone()),
            Err(problem) => Merged::Apart(Reason::Blocks(problem)),
        }
    }

    fn adopt(&mut self, name: &RelPath, place: &RelPath, ours: &[u8], theirs: &[u8]) -> Merged {
        let adopted = adopt::merge(name, self.shared.known(&self.shared.lists(name)), ours, theirs);
        self.note_all(place, adopted.notes);
        adopted.merge.map_or(Merged::Apart(Reason::TooDifferent), text)
    }

    /// Turns a merge into a change.
    fn conclude(&mut self, both: &Both<'_>, merged: Merged) -> Decision {
        let base = both.triple.base.map(|(_, recorded)| recorded.pristine.mode);
        let executable = executable(base, both.ours, both.theirs, self.options.modes);
        let file = |bytes: Bytes| Entry::File { bytes, executable };
        let style = self.options.style;
        match merged {
            Merged::Entry(Entry::File { bytes, .. }) => self.settle(both, file(bytes), None),
            Merged::Entry(link) => self.settle(both, link, None),
            Merged::Keep(reason) => match both.ours {
                Entry::File { bytes, .. } => Some(self.keep(both, file(bytes.clone()), reason)),
                link @ Entry::Symlink { .. } => Some(self.keep(both, link.clone(), reason)),
            },
            Merged::Text { merge, stages } => {
                let drawn = file(both.shared(draw(&merge, style, &self.options.version)));
                match (merge.conflicts(), decided(&merge, style)) {
                    (0, _) => self.settle(both, drawn, None),
                    (_, Some(_)) => self.settle(both, drawn, Some(Reason::Decided)),
                    (places, None) => Some(self.conflict(both, drawn, places, stages)),
                }
            }
            Merged::Apart(_) if style == Style::Ours => Some(self.keep(both, both.ours.clone(), Reason::Decided)),
            // The template owns only the blocks of such a file, whatever the user asked for.
            Merged::Apart(reason @ Reason::Blocks(_)) => Some(self.apart(both, reason)),
            Merged::Apart(_) if style == Style::Theirs => self.settle(both, both.theirs.clone(), Some(Reason::Decided)),
            Merged::Apart(reason) => Some(self.apart(both, reason)),
        }
    }

    /// The project's content stays; mode and place may change.
    fn keep(&self, both: &Both<'_>, after: Entry, reason: Reason) -> (RelPath, Change) {
        self.settle(both, after, Some(reason))
            .unwrap_or_else(|| (both.place.clone(), Change { action: Action::Keep, reason }))
    }

    /// The change that puts `after` in its place.
    fn settle(&self, both: &Both<'_>, after: Entry, reason: Option<Reason>) -> Decision {
        let stays = both.from == both.place;
        let before = Stamp::of(both.ours);
        if stays && after == *both.ours {
            return None;
        }
        let reason = reason.unwrap_or_else(|| {
            if after == *both.ours {
                Reason::TemplateMoved
            } else if self.adopting {
                Reason::Adopted
            } else if both.is_edited() {
                Reason::Merged
            } else {
                Reason::TemplateChanged
            }
        });
        let action = if stays {
            Action::Update { before, after }
        } else {
            Action::Move { from: both.from.clone(), before, after }
        };
        Some((both.place.clone(), Change { action, reason }))
    }

    /// A conflict that is drawn in the file, unless git ignores it.
    fn conflict(
        &mut self,
        both: &Both<'_>,
        drawn: Entry,
        places: usize,
        versions: Option<[Vec<u8>; 2]>,
    ) -> (RelPath, Change) {
        let reason = if both.origin == Origin::New { Reason::BothAdded } else { Reason::BothChanged };
        if self.ignored.contains(both.place) {
            return self.apart(both, reason);
        }
        let mut stages = self.stages(both.place, both.triple);
        if let (Some(stages), Some([base, theirs])) = (&mut stages, versions) {
            for (version, bytes) in [(&mut stages.base, base), (&mut stages.theirs, theirs)] {
                version.iter_mut().for_each(|version| version.entry = with_bytes(&version.entry, bytes.clone()));
            }
        }
        let before = Some((both.from.clone(), Stamp::of(both.ours)));
        let conflict = Conflict { before, after: Some(drawn), stages, beside: Vec::new(), places };
        (both.place.clone(), Change { action: Action::Conflict(Box::new(conflict)), reason })
    }

    /// Rule 8, and whatever else cannot be merged: ours stays, theirs is put beside it.
    fn apart(&mut self, both: &Both<'_>, reason: Reason) -> (RelPath, Change) {
        let conflict = Conflict {
            before: Some((both.from.clone(), Stamp::of(both.ours))),
            after: Some(both.ours.clone()),
            stages: self.stages(both.place, both.triple),
            beside: self.beside(both.place, "theirs", both.theirs),
            places: 1,
        };
        (both.place.clone(), Change { action: Action::Conflict(Box::new(conflict)), reason })
    }

    /// The entries of git's index for a conflict at `place`: nothing for a path that git ignores (rule 10), and nothing secret.
    pub(super) fn stages(&self, place: &RelPath, triple: &Triple<'_>) -> Option<Stages> {
        if self.ignored.contains(place) || self.is_secret(triple) {
            return None;
        }
        let origin = origin(triple);
        let version = |path: &RelPath, entry: &Entry| Version { path: path.clone(), entry: entry.clone() };
        let base = triple.base.and_then(|(path, _)| Some(version(path, origin.entry()?)));
        let mut ours = triple.ours.map(|(path, entry)| version(path, entry));
        // Where modes are not compared, the file system does not have them: git's index does.
        let known = base.as_ref().map(|base| base.entry.mode());
        if let (false, Some(ours), Some(mode)) = (self.options.modes, &mut ours, known) {
            ours.entry = with_mode(&ours.entry, mode);
        }
        let theirs = triple.theirs.map(|(path, entry)| version(path, entry));
        Some(Stages { base, ours, theirs })
    }
}

/// Makes one note without any content of all from `first` on that quote some.
fn hide(notes: &mut Vec<Note>, first: usize) {
    let quotes = |note: &Note| !matches!(note.subject, Subject::NoBase | Subject::ForNewApps);
    let (quoting, mut others): (Vec<Note>, Vec<Note>) = notes.drain(first..).partition(quotes);
    others.extend(quoting.into_iter().next().map(|note| Note { subject: Subject::Secret, ..note }));
    notes.append(&mut others);
}

/// Symbolic links: what it is and where it points is one value.
fn whole(both: &Both<'_>) -> Merged {
    match super::ending::trivial(both.base(), Some(both.ours), Some(both.theirs)).flatten() {
        Some(entry) => Merged::Entry(entry.clone()),
        None => Merged::Apart(Reason::Link),
    }
}

fn text(merge: TextMerge<'static>) -> Merged {
    Merged::Text { merge, stages: None }
}

fn with_bytes(entry: &Entry, bytes: Vec<u8>) -> Entry {
    match entry {
        Entry::File { executable, .. } => Entry::File { bytes: bytes.into(), executable: *executable },
        Entry::Symlink { .. } => entry.clone(),
    }
}
