//! The structured rule: a merged JSON, JSONC, TOML or YAML file is the document that a merge of the documents gives.
//!
//! The text stays the user's. Candidates are tried from the one nearest to the text on: the text merge, the refined text
//! merge, and the wanted document put into ours by an editor that keeps formatting. The first that is the wanted document
//! wins: its values, the order of what has one, and each comment with what it belongs to. Where no document follows from
//! the three versions, there is a conflict.

mod comments;
mod fault;
mod form;
mod format;
mod identity;
mod json;
mod json_edit;
mod order;
mod plain;
mod renames;
mod rules;
mod toml;
mod toml_arrays;
mod toml_edits;
mod toml_order;
mod value;
mod want;
mod yaml;

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};

pub(super) use fault::fault;
use form::Written;
pub(super) use format::Format;
use format::{Dialect, Other};
use plain::Plain;
use rules::Rules;
use value::{Document, Fit, List, Node, Value};
use want::{Conflicts, Inputs, Want, want};

use super::adopt::margins::Margins;
use super::content::Merged;
use super::ending::{Versions, trivial};
use super::known::Known;
use super::refine::{Gap, refine};
use super::text::{self, Side, TextMerge};
use crate::plan::Subject;
use crate::tree::RelPath;

/// The path of a structured file, and what is known of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct File<'f> {
    path: &'f RelPath,
    format: Format,
    known: Known<'f>,
}

impl<'f> File<'f> {
    /// Nothing, where the file has no format that is known.
    pub(super) fn new(path: &'f RelPath, known: Known<'f>) -> Option<Self> {
        Some(Self { path, format: Format::of(path)?, known })
    }

    /// Whether its versions are small enough to be merged by what they hold.
    pub(super) fn is_affordable(&self, versions: &Versions<'_>) -> bool {
        self.known.affords([&versions.base, &versions.ours, &versions.theirs])
    }

    fn job<'v>(&'v self, has_base: bool, purpose: Purpose, plain: &'v Plain<'_>) -> Option<Job<'v>> {
        let [base, ours, theirs] = plain.versions.each_ref().map(|bytes| str::from_utf8(bytes).ok());
        let (base, ours, theirs) = (base?, ours?, theirs?);
        let has_base = has_base && !base.trim().is_empty();
        let parse = |dialect: &Dialect| {
            let rules = Rules::new(self.path, self.known.lists);
            Job::new(*dialect, rules, has_base, purpose, [base, ours, theirs])
        };
        self.format.dialects().iter().find_map(parse)
    }
}

/// Whether the last line feed of a file's text, which has it or not, is a part of a value.
pub(super) fn needs_final_newline(path: &RelPath, bytes: &[u8]) -> bool {
    let dialect = Format::of(path).and_then(|format| format.dialects().first().copied());
    dialect.zip(str::from_utf8(bytes).ok()).is_some_and(|(dialect, text)| dialect.needs_final_newline(text))
}

/// Merges three versions of a structured file; without a base, by key.
///
/// Nothing if one of them cannot be parsed: then the file is text.
pub(super) fn merge(file: File<'_>, has_base: bool, versions: &Versions<'_>) -> Option<Merged> {
    let plain = Plain::new(versions);
    // Most text merges are sound, and then nobody has to know where comments are.
    let job = file.job(has_base, Purpose::Sound, &plain)?;
    if let Some(merge) = job.sound() {
        return Some(Merged { merge: plain.finish(merge.into_owned()), is_form_kept: false, is_too_large: false });
    }
    let job = if matches!(job.dialect, Dialect::Yaml(_)) {
        // Both together would take twice the memory.
        drop(job);
        file.job(has_base, Purpose::Merge, &plain)?
    } else {
        job
    };
    let merge = job.merge();
    let is_form_kept = job.is_form_kept(&merge);
    Some(Merged { merge: plain.finish(merge.into_owned()), is_form_kept, is_too_large: false })
}

/// Puts the keys that only the template has into ours. Returns the text, and a note for each key that has a value in both:
/// there, the user's stays.
///
/// Nothing if one of them cannot be parsed, or where no text has the wanted value.
pub(super) fn adopt(file: File<'_>, versions: &Versions<'_>) -> Option<(Vec<u8>, Vec<Subject>)> {
    let plain = Plain::new(versions);
    let job = file.job(false, Purpose::Adopt, &plain)?;
    let merge = job.merge();
    let text = String::from_utf8(merge.choose(Side::Ours)).ok()?;
    let (_, ours, theirs) = &job.documents;
    let is_judged = job.wanted(Side::Ours).is_some_and(|node| node.value.is_judged());
    let is_right = is_judged && job.holds(&text, Side::Ours, Fit::Comments);
    let kept = || ours.root.value.differences(&theirs.root.value).into_iter();
    let added = || Some(ours.root.value.lacks(&theirs.root.value)).filter(|keys| !keys.is_empty());
    let notes = || {
        let kept = kept().map(|kept| Subject::value_kept(kept.key, &kept.theirs));
        added().map(Subject::KeysAdded).into_iter().chain(kept).collect()
    };
    let finished = || plain.finish(merge.clone().into_owned()).choose(Side::Ours);
    is_right.then(|| (finished(), notes()))
}

/// The aspect of three versions that is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// Whether their text merge is sound.
    Sound,
    /// Their merge.
    Merge,
    /// The adoption of a project: what the user has is never in question.
    Adopt,
}

/// Three versions of a file, parsed, and what is wanted of their merge.
struct Job<'v> {
    dialect: Dialect,
    shape: Shape,
    rules: Rules<'v>,
    base: &'v str,
    ours: &'v str,
    theirs: &'v str,
    documents: (Option<Document>, Document, Document),
    purpose: Purpose,
    /// The wanted document with every disagreement decided for neither.
    both: Want,
    /// The same, decided for ours, and for theirs.
    sides: OnceCell<[Want; 2]>,
    conflicts: Conflicts,
    /// How often each comment has to be there.
    comments: HashMap<String, usize>,
    /// The same of the aliases of YAML.
    aliases: HashMap<String, usize>,
    /// Where each anchor of YAML is.
    anchors: BTreeMap<String, u64>,
}

/// Where both sides insert in more places than this, they are all treated alike.
const MIXED_GAPS: usize = 4;

/// How the versions are looked at, where they are not alike.
#[derive(Debug, Clone, Copy)]
struct Shape {
    /// Each is a list of documents, even where it is one.
    is_stream: bool,
    /// The comments at the top are the file's: a version has nothing but comments.
    has_header: bool,
}

/// A merged document with every disagreement decided for ours, for theirs, and as it was in the base.
struct Candidate {
    ours: String,
    theirs: String,
    base: String,
}

impl Shape {
    fn of(documents: &[&Document]) -> Self {
        let is_empty = |document: &&Document| match &document.root.value {
            Value::Map(map) => map.pairs.is_empty(),
            Value::Scalar(_) => true,
            _ => false,
        };
        Self {
            is_stream: documents.iter().any(|document| document.is_stream),
            has_header: documents.iter().any(is_empty),
        }
    }

    fn apply(self, mut document: Document) -> Document {
        if self.is_stream && !document.is_stream {
            let comments = std::mem::take(&mut document.root.comments);
            let root = std::mem::replace(&mut document.root, Node::new(Value::Any));
            document.root = Node { comments, ..Node::new(Value::List(List::new(vec![root]))) };
            document.is_stream = true;
        }
        if self.has_header
            && let Value::Map(map) = &mut document.root.value
            && let Some((_, first)) = map.pairs.first_mut()
        {
            document.root.comments.before.append(&mut first.comments.before);
        }
        document
    }
}

impl<'v> Job<'v> {
    fn new(
        dialect: Dialect,
        rules: Rules<'v>,
        has_base: bool,
        purpose: Purpose,
        [base, ours, theirs]: [&'v str; 3],
    ) -> Option<Self> {
        let parse = |text| dialect.parse_with(text, purpose != Purpose::Sound);
        let is_adoption = purpose == Purpose::Adopt;
        let base_document = if has_base { Some(parse(base)?) } else { None };
        let (our_document, their_document) = (parse(ours)?, parse(theirs)?);
        let all = base_document.iter().chain([&our_document, &their_document]);
        let mut anchors = anchors(all.clone())?;
        if let Some(base) = base_document.as_ref().filter(|_| !is_adoption) {
            // One that a side has dropped does not come back.
            let is_kept =
                |name: &String| [&our_document, &their_document].iter().all(|side| side.anchors.contains_key(name));
            anchors.retain(|name, _| !base.anchors.contains_key(name) || is_kept(name));
        }
        let shape = Shape::of(&all.collect::<Vec<_>>());
        let base_document = base_document.map(|document| shape.apply(document));
        let (our_document, their_document) = (shape.apply(our_document), shape.apply(their_document));
        let inputs = Inputs {
            rules: &rules,
            base: base_document.as_ref().map(|document| &document.root),
            ours: &our_document.root,
            theirs: &their_document.root,
            is_adoption,
            is_stream: shape.is_stream,
            takes_any: true,
        };
        let both = want(inputs, Side::Both);
        let conflicts = both.conflicts;
        let comments = |document: &Document| document.comments.clone();
        let comments = required(base_document.as_ref(), &our_document, &their_document, comments);
        let aliases = |document: &Document| document.aliases.clone();
        let mut needed = required(base_document.as_ref(), &our_document, &their_document, aliases);
        if conflicts.is_none() {
            for (alias, count) in required(base_document.as_ref(), &their_document, &our_document, aliases) {
                let needed = needed.entry(alias).or_default();
                *needed = count.max(*needed);
            }
        }
        let aliases = needed;
        let documents = (base_document, our_document, their_document);
        let sides = OnceCell::new();
        Some(Self {
            dialect,
            shape,
            rules,
            base,
            ours,
            theirs,
            documents,
            purpose,
            both,
            sides,
            conflicts,
            comments,
            aliases,
            anchors,
        })
    }

    fn inputs(&self) -> Inputs<'_> {
        let (base, ours, theirs) = &self.documents;
        Inputs {
            rules: &self.rules,
            base: base.as_ref().map(|base| &base.root),
            ours: &ours.root,
            theirs: &theirs.root,
            is_adoption: self.purpose == Purpose::Adopt,
            is_stream: self.shape.is_stream,
            takes_any: self.purpose == Purpose::Adopt,
        }
    }

    fn wanted(&self, side: Side) -> Option<&Node> {
        let sides = || self.sides.get_or_init(|| [Side::Ours, Side::Theirs].map(|side| want(self.inputs(), side)));
        let want = match side {
            Side::Ours => &sides()[0],
            Side::Theirs => &sides()[1],
            Side::Both | Side::Base => &self.both,
        };
        want.node.as_ref()
    }

    fn text(&self) -> TextMerge<'v> {
        text::merge(self.base.as_bytes(), self.ours.as_bytes(), self.theirs.as_bytes())
    }

    /// The text merge, where it is sound.
    fn sound(&self) -> Option<TextMerge<'v>> {
        Some(self.text()).filter(|text| self.conflicts.values == 0 && self.is_sound(text))
    }

    fn merge(&self) -> TextMerge<'v> {
        let text = self.text();
        if self.conflicts.values == 0 && self.is_sound(&text) {
            return text;
        }
        if let Some(merge) = self.beside_any(&text) {
            return merge;
        }
        let refined = self.refined(&text);
        let found = [Fit::Best, Fit::Comments].into_iter().find_map(|fit| self.candidate(&text, &refined, fit));
        found.unwrap_or_else(|| self.unsound(&text))
    }

    /// The text merge with its conflicts, where they are the only disagreements beside lists that cannot be judged.
    fn beside_any(&self, text: &TextMerge<'v>) -> Option<TextMerge<'v>> {
        if text.is_clean() || self.is_judged() {
            return None;
        }
        let inputs = Inputs { takes_any: true, ..self.inputs() };
        let holds = |side| {
            let wanted = want(inputs, side).node;
            let text = String::from_utf8(text.choose(side)).ok();
            text.is_some_and(|text| self.is_document(&text, wanted.as_ref(), side, Fit::Comments))
        };
        (holds(Side::Ours) && holds(Side::Theirs)).then(|| text.clone())
    }

    fn is_judged(&self) -> bool {
        self.both.node.as_ref().is_some_and(|node| node.value.is_judged())
    }

    /// The first candidate that is the wanted document.
    fn candidate(&self, text: &TextMerge<'v>, refined: &[TextMerge<'v>], fit: Fit) -> Option<TextMerge<'v>> {
        let agreed = self.conflicts.is_none() && self.is_judged();
        if let (true, Some([canvas, source])) = (agreed && !refined.is_empty(), self.canvas()) {
            let edited = self.edited(canvas, source).filter(|edited| self.accepts(edited, fit));
            if let Some(edited) = edited {
                return Some(edited.drawn());
            }
        }
        let holds = |merge: &&TextMerge<'_>| merge.clean().is_some_and(|bytes| self.holds_bytes(bytes, fit));
        if let Some(refined) = refined.iter().find(|merge| agreed && holds(merge)) {
            return Some(refined.clone());
        }
        let accepted = |agree: bool| {
            let mut candidates = (0..refined.len() + 4).filter_map(|number| self.propose(number, text, refined));
            candidates.find(|candidate| agree == (candidate.ours == candidate.theirs) && self.accepts(candidate, fit))
        };
        let found = if agreed { accepted(true).or_else(|| accepted(false)) } else { accepted(false) };
        found.map(Candidate::drawn)
    }

    /// Whether the template's changes of order or layout were left out.
    fn is_form_kept(&self, merge: &TextMerge<'_>) -> bool {
        let (Some(base), _, theirs) = &self.documents else { return false };
        let Some(merged) = merge.clean() else { return false };
        let is_left_out = merged == self.ours.as_bytes() && base.root.value.is_same(&theirs.root.value);
        (is_left_out || self.conflicts.moves > 0) && self.text().clean().as_deref() != Some(&merged)
            || self.is_layout_left_out(&merged)
    }

    /// Whether the template wrote something in another way than before, and the merged text does not.
    fn is_layout_left_out(&self, merged: &[u8]) -> bool {
        let Ok(merged) = str::from_utf8(merged) else { return false };
        let (Some(base), _, theirs) = &self.documents else { return false };
        // As a stream, it has another document around it.
        if self.shape.is_stream {
            return false;
        }
        let [base, theirs] = [Written::new(self.base, base), Written::new(self.theirs, theirs)];
        form::is_left_out(base, theirs, merged, || self.dialect.parse_with(merged, true))
    }

    /// The version whose indentation is the merged one, where the other's is not: what that has changed is put into it.
    fn canvas(&self) -> Option<[&'v str; 2]> {
        let step = |text: &'v str| Margins::step(&text.split_inclusive('\n').collect::<Vec<_>>());
        let [base, ours, theirs] = [self.base, self.ours, self.theirs].map(step);
        match trivial(base, ours, theirs) {
            _ if ours == theirs => None,
            Some(step) if step == theirs => Some([self.theirs, self.ours]),
            _ => Some([self.ours, self.theirs]),
        }
    }

    /// Whether the text merge is clean, and has the wanted values. Where entries of both sides are in one place, and where
    /// comments go, is for the text to say.
    fn is_sound(&self, text: &TextMerge<'_>) -> bool {
        let merged = text.clean().and_then(|bytes| String::from_utf8(bytes).ok());
        let Some(document) = merged.and_then(|text| self.parse(&text)) else { return false };
        self.wanted(Side::Both).is_some_and(|wanted| wanted.allows(&document.root, Fit::Order))
            && self.has_comments(&document)
    }

    /// The refined text merges.
    fn refined(&self, text: &TextMerge<'v>) -> Vec<TextMerge<'v>> {
        if !self.wanted(Side::Ours).is_some_and(|node| node.value.is_judged()) {
            return Vec::new();
        }
        let commas = self.dialect.has_commas();
        let mut gaps = 0;
        let mut refined: Vec<_> = Gap::ALL
            .map(|gap| {
                gaps = 0;
                let mut count = || {
                    gaps += 1;
                    gap
                };
                refine(text, &mut count, commas)
            })
            .into();
        // Some of a few gaps may be conflicts, and others not.
        if (2..=MIXED_GAPS).contains(&gaps) {
            for mixture in 1..(1_usize << gaps) - 1 {
                let mut at = 0;
                let mut choose = || {
                    at += 1;
                    if mixture >> (at - 1) & 1 == 1 { Gap::Conflict } else { Gap::Sorted }
                };
                refined.push(refine(text, &mut choose, commas));
            }
        }
        refined
    }

    fn propose(&self, number: usize, text: &TextMerge<'_>, refined: &[TextMerge<'_>]) -> Option<Candidate> {
        let repaired = |at: usize| Some(Candidate::new(refined.get(at)?).repaired(self.dialect));
        let is_judged = !refined.is_empty();
        match number {
            0 => Some(Candidate::new(text)).filter(|_| !text.is_clean()),
            _ if number <= refined.len() => repaired(number - 1),
            _ => match number - refined.len() {
                1 => self.edited(&repaired(0)?.ours, self.theirs),
                2 => self.edited(self.ours, self.theirs).filter(|_| is_judged),
                _ => self.edited(self.theirs, self.ours).filter(|_| is_judged),
            },
        }
    }

    /// The text merge, where nothing better was found: a clean one has the wrong value, so each of its changes is in question.
    fn unsound(&self, text: &TextMerge<'v>) -> TextMerge<'v> {
        let compare = |other: &[u8]| text::compare(self.base.as_bytes(), self.ours.as_bytes(), other).into_owned();
        let mut merge = match text.clean() {
            Some(merged) if merged == self.ours.as_bytes() => compare(self.theirs.as_bytes()),
            Some(merged) => compare(&merged),
            None => text.clone(),
        };
        // Comments that found no place are no reason to refuse what the user has decided.
        let is_right = |side| {
            let text = String::from_utf8(merge.choose(side)).ok();
            text.is_some_and(|text| self.is_document(&text, self.wanted(side), Side::Theirs, Fit::Order))
        };
        merge.is_unsure = [!is_right(Side::Ours), !is_right(Side::Theirs)];
        merge
    }

    fn parse(&self, text: &str) -> Option<Document> {
        let document = self.dialect.parse_with(text, self.purpose != Purpose::Sound)?;
        let is_known = |(name, place): (&String, &u64)| self.anchors.get(name) == Some(place);
        document.anchors.iter().all(is_known).then(|| self.shape.apply(document))
    }

    fn holds_bytes(&self, bytes: Vec<u8>, fit: Fit) -> bool {
        String::from_utf8(bytes).is_ok_and(|text| self.holds(&text, Side::Ours, fit))
    }

    fn accepts(&self, candidate: &Candidate, fit: Fit) -> bool {
        self.holds(&candidate.ours, Side::Ours, fit) && self.holds(&candidate.theirs, Side::Theirs, fit)
    }

    /// Whether a text is the wanted document.
    fn holds(&self, text: &str, side: Side, fit: Fit) -> bool {
        self.is_document(text, self.wanted(side), side, fit)
    }

    fn is_document(&self, text: &str, wanted: Option<&Node>, side: Side, fit: Fit) -> bool {
        let Some(document) = self.parse(text) else { return false };
        let is_wanted = wanted.is_some_and(|wanted| wanted.allows(&document.root, fit));
        is_wanted && (side != Side::Ours || self.has_comments(&document))
    }

    fn has_comments(&self, document: &Document) -> bool {
        let has_all = |needed: &HashMap<String, usize>, found: &[String]| {
            let found = count(found);
            needed.iter().all(|(text, wanted)| found.get(text.as_str()).is_some_and(|found| found >= wanted))
        };
        has_all(&self.comments, &document.comments) && has_all(&self.aliases, &document.aliases)
    }

    /// The wanted documents, put into `text` by the editor; what that lacks comes from `source`.
    fn edited(&self, text: &str, source: &str) -> Option<Candidate> {
        let before = self.documents.0.as_ref().map(|_| self.base);
        // Without a base nobody knows what a workflow of the user's was to do: keys of another one, put into it, may start it
        // or take its rights.
        if before.is_none() && matches!(self.dialect, Dialect::Yaml(_)) {
            return None;
        }
        let edit = |want: &Node, side| {
            let edited = self.dialect.edit(text, want, Other { side, base: before }, &self.rules)?;
            Some(self.dialect.space(edited, [self.ours, self.theirs]))
        };
        if self.conflicts.is_none() && self.wanted(Side::Ours) == self.wanted(Side::Theirs) {
            let both = edit(self.wanted(Side::Ours)?, source)?;
            return Some(Candidate { ours: both.clone(), theirs: both, base: String::new() });
        }
        let undecided = want(self.inputs(), Side::Base).node;
        Some(Candidate {
            ours: edit(self.wanted(Side::Ours)?, source)?,
            theirs: edit(self.wanted(Side::Theirs)?, source)?,
            base: undecided.and_then(|want| edit(&want, self.base)).unwrap_or_default(),
        })
    }
}

impl Candidate {
    fn new(merge: &TextMerge<'_>) -> Self {
        let text = |side| String::from_utf8_lossy(&merge.choose(side)).into_owned();
        Self { ours: text(Side::Ours), theirs: text(Side::Theirs), base: text(Side::Base) }
    }

    fn repaired(self, dialect: Dialect) -> Self {
        let repair = |text: String| dialect.repair(&text).unwrap_or(text);
        Self { ours: repair(self.ours), theirs: repair(self.theirs), base: repair(self.base) }
    }

    fn drawn<'v>(self) -> TextMerge<'v> {
        if self.ours == self.theirs {
            return TextMerge::resolved(Side::Both, self.ours.into_bytes());
        }
        text::compare(self.base.as_bytes(), self.ours.as_bytes(), self.theirs.as_bytes()).into_owned()
    }
}

fn count(comments: &[String]) -> HashMap<&str, usize> {
    let mut counts = HashMap::new();
    comments.iter().for_each(|comment| *counts.entry(comment.as_str()).or_default() += 1);
    counts
}

/// The comments or aliases of a side, without those that the other one had and has dropped.
fn required(
    base: Option<&Document>,
    side: &Document,
    other: &Document,
    texts: impl Fn(&Document) -> Vec<String>,
) -> HashMap<String, usize> {
    let [base, side, other] = [base, Some(side), Some(other)].map(|document| document.map(&texts).unwrap_or_default());
    let [base, side, other] = [&base, &side, &other].map(|texts| count(texts));
    let left = |text: &&str| {
        let [base, side, other] = [&base, &side, &other].map(|counts| counts.get(*text).copied().unwrap_or_default());
        let left = side.saturating_sub(base.saturating_sub(other));
        ((*text).to_owned(), left)
    };
    side.keys().map(left).filter(|(_, wanted)| *wanted > 0).collect()
}

/// Where the anchors of several versions are; `None` if a name is in two places.
fn anchors<'d>(documents: impl Iterator<Item = &'d Document>) -> Option<BTreeMap<String, u64>> {
    let mut anchors = BTreeMap::new();
    for (name, place) in documents.flat_map(|document| &document.anchors) {
        if anchors.insert(name.clone(), *place).is_some_and(|known| known != *place) {
            return None;
        }
    }
    Some(anchors)
}

/// The comments of a structured file, where the first dialect of its format that takes all of `texts` finds some.
#[cfg(fuzzing)]
pub(super) fn comments(format: Format, texts: &[&str]) -> Option<Vec<Vec<String>>> {
    let all = |dialect: &Dialect| texts.iter().map(|text| Some(dialect.parse_with(text, true)?.comments)).collect();
    format.dialects().iter().find_map(all)
}

#[cfg(test)]
pub(super) mod tests;
