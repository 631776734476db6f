//! The structured rule: a merged JSON, JSONC, TOML or YAML file has the value that a merge of the values gives.
//!
//! The text stays the user's. Candidates are tried from the one nearest to the text on: the text merge, the refined text
//! merge, and the wanted value put into ours by an editor that keeps formatting. The first that has the wanted value and
//! every comment of ours wins.

mod format;
mod identity;
mod json;
mod toml;
mod value;
mod want;
mod yaml;

use std::collections::HashMap;

use format::Dialect;
pub(super) use format::Format;
use value::{Document, Value};
use want::want;

use super::ending::Versions;
use super::refine::refine;
use super::text::{self, Side, TextMerge};
use crate::plan::Subject;

/// Merges three versions of a structured file; without a base, by key.
///
/// Nothing where one of them cannot be parsed: then the file is text.
pub(super) fn merge<'v>(format: Format, has_base: bool, versions: &'v Versions<'_>) -> Option<TextMerge<'v>> {
    let [base, ours, theirs] = [&versions.base, &versions.ours, &versions.theirs].map(|bytes| str::from_utf8(bytes));
    let (base, ours, theirs) = (base.ok()?, ours.ok()?, theirs.ok()?);
    let has_base = has_base && !base.trim().is_empty();
    let parse = |dialect: &Dialect| Job::new(*dialect, has_base, [base, ours, theirs]);
    let job = format.dialects().iter().find_map(parse)?;
    Some(job.merge())
}

/// Puts the keys that only the template has into ours. Returns the text, and a note for each key of which both have a value:
/// there, the user's stays.
///
/// Nothing where one of them cannot be parsed, or where no text has the wanted value.
pub(super) fn adopt(format: Format, versions: &Versions<'_>) -> Option<(Vec<u8>, Vec<Subject>)> {
    let [base, ours, theirs] = [&versions.base, &versions.ours, &versions.theirs].map(|bytes| str::from_utf8(bytes));
    let (base, ours, theirs) = (base.ok()?, ours.ok()?, theirs.ok()?);
    let parse = |dialect: &Dialect| Job::new(*dialect, false, [base, ours, theirs]);
    let job = format.dialects().iter().find_map(parse)?;
    let text = String::from_utf8(job.merge().choose(Side::Ours)).ok()?;
    let (_, ours, theirs) = &job.documents;
    let is_right = job.wanted[0].is_judged() && job.holds(&text, 0, true);
    let kept = || ours.value.differences(&theirs.value).into_iter();
    let notes = || kept().map(|kept| Subject::value_kept(kept.key, &kept.theirs)).collect();
    is_right.then(|| (text.into_bytes(), notes()))
}

/// Three versions of a file, parsed, and what is wanted of their merge.
struct Job<'v> {
    dialect: Dialect,
    base: &'v str,
    ours: &'v str,
    theirs: &'v str,
    documents: (Option<Document>, Document, Document),
    /// The wanted value with every disagreement decided for ours, and for theirs.
    wanted: [Value; 2],
    conflicts: usize,
    /// How often each comment has to be there.
    comments: HashMap<String, usize>,
}

/// A merged document with every disagreement decided for ours, for theirs, and as it was in the base.
struct Candidate {
    ours: String,
    theirs: String,
    base: String,
}

impl<'v> Job<'v> {
    fn new(dialect: Dialect, has_base: bool, [base, ours, theirs]: [&'v str; 3]) -> Option<Self> {
        let base_document = if has_base { Some(dialect.parse(base)?) } else { None };
        let (our_document, their_document) = (dialect.parse(ours)?, dialect.parse(theirs)?);
        let base_value = base_document.as_ref().map(|document| &document.value);
        let wanted = |side| want(base_value, &our_document.value, &their_document.value, side);
        let [for_ours, for_theirs] = [wanted(Side::Ours), wanted(Side::Theirs)];
        let conflicts = for_ours.conflicts;
        let wanted = [for_ours.value?, for_theirs.value?];
        let comments = required(base_document.as_ref(), &our_document, &their_document);
        let documents = (base_document, our_document, their_document);
        Some(Self { dialect, base, ours, theirs, documents, wanted, conflicts, comments })
    }

    fn merge(&self) -> TextMerge<'v> {
        let text = text::merge(self.base.as_bytes(), self.ours.as_bytes(), self.theirs.as_bytes());
        let agreed = self.conflicts == 0;
        let holds = |merge: &TextMerge<'_>| agreed && merge.is_clean() && self.holds_text(merge);
        if holds(&text) {
            return text;
        }
        let refined = self.refined(&text);
        if let Some(refined) = refined.iter().find(|refined| holds(refined)) {
            return refined.clone();
        }
        let propose = |number| self.propose(number, &text, &refined);
        let accepted = |agree: bool| {
            let mut candidates = (0..5).filter_map(propose);
            candidates.find(|candidate| agree == (candidate.ours == candidate.theirs) && self.accepts(candidate))
        };
        let found = if agreed { accepted(true).or_else(|| accepted(false)) } else { accepted(false) };
        found.map_or_else(|| self.unsound(&text), Candidate::drawn)
    }

    /// The refined text merges: with our insertions first, and with theirs first. None where a list cannot be judged.
    fn refined(&self, text: &TextMerge<'v>) -> Vec<TextMerge<'v>> {
        if !self.wanted[0].is_judged() {
            return Vec::new();
        }
        [Side::Ours, Side::Theirs].map(|first| refine(text, first, self.dialect.has_commas())).into()
    }

    fn propose(&self, number: usize, text: &TextMerge<'_>, refined: &[TextMerge<'_>]) -> Option<Candidate> {
        let mended = |at: usize| Some(Candidate::new(refined.get(at)?).mended(self.dialect));
        match number {
            0 => Some(Candidate::new(text)).filter(|_| !text.is_clean()),
            1 | 2 => mended(number - 1),
            3 => self.edited(&mended(0)?.ours),
            _ => self.edited(self.ours).filter(|_| !refined.is_empty()),
        }
    }

    /// The text merge, where nothing better was found: a clean one has the wrong value, so each of its changes is in question.
    fn unsound(&self, text: &TextMerge<'v>) -> TextMerge<'v> {
        let compare = |other: &[u8]| text::compare(self.base.as_bytes(), self.ours.as_bytes(), other).into_owned();
        match text.clean() {
            Some(merged) if merged == self.ours.as_bytes() => compare(self.theirs.as_bytes()),
            Some(merged) => compare(&merged),
            None => text.clone(),
        }
    }

    fn holds_text(&self, merge: &TextMerge<'_>) -> bool {
        merge.clean().and_then(|bytes| String::from_utf8(bytes).ok()).is_some_and(|text| self.holds(&text, 0, true))
    }

    fn accepts(&self, candidate: &Candidate) -> bool {
        self.holds(&candidate.ours, 0, true) && self.holds(&candidate.theirs, 1, false)
    }

    /// Whether a text has the wanted value, and the comments that it must have.
    fn holds(&self, text: &str, wanted: usize, with_comments: bool) -> bool {
        let Some(document) = self.dialect.parse(text) else { return false };
        let found = count(&document.comments);
        let has =
            |(comment, wanted): (&String, &usize)| found.get(comment.as_str()).is_some_and(|found| found >= wanted);
        self.wanted[wanted].allows(&document.value) && (!with_comments || self.comments.iter().all(has))
    }

    /// The wanted values, put into `text` by the editor.
    fn edited(&self, text: &str) -> Option<Candidate> {
        let (base, ours, theirs) = &self.documents;
        let have = self.dialect.parse(text)?.value;
        let edit = |want: &Value, source| self.dialect.edit(text, &have, want, source);
        let base_value = base.as_ref().map(|base| &base.value);
        let undecided = want(base_value, &ours.value, &theirs.value, Side::Base).value;
        Some(Candidate {
            ours: edit(&self.wanted[0], self.theirs)?,
            theirs: edit(&self.wanted[1], self.theirs)?,
            base: undecided.and_then(|want| edit(&want, self.base)).unwrap_or_default(),
        })
    }
}

impl Candidate {
    fn new(merge: &TextMerge<'_>) -> Self {
        let text = |side| String::from_utf8_lossy(&merge.choose(side)).into_owned();
        Self { ours: text(Side::Ours), theirs: text(Side::Theirs), base: text(Side::Base) }
    }

    fn mended(self, dialect: Dialect) -> Self {
        let mend = |text: String| dialect.mend(&text).unwrap_or(text);
        Self { ours: mend(self.ours), theirs: mend(self.theirs), base: mend(self.base) }
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

/// The comments of ours, without those that the template had and has dropped.
fn required(base: Option<&Document>, ours: &Document, theirs: &Document) -> HashMap<String, usize> {
    let base = base.map(|base| count(&base.comments)).unwrap_or_default();
    let [ours, theirs] = [ours, theirs].map(|document| count(&document.comments));
    let left = |(comment, ours): (&&str, &usize)| {
        let [base, theirs] = [&base, &theirs].map(|counts| counts.get(comment).copied().unwrap_or_default());
        ((*comment).to_owned(), ours.saturating_sub(base.saturating_sub(theirs)))
    };
    ours.iter().map(left).filter(|(_, wanted)| *wanted > 0).collect()
}

/// The comments of a structured file, where the first dialect of its format that takes all of `texts` finds some.
#[cfg(fuzzing)]
pub(super) fn comments(format: Format, texts: &[&str]) -> Option<Vec<Vec<String>>> {
    let all = |dialect: &Dialect| texts.iter().map(|text| Some(dialect.parse(text)?.comments)).collect();
    format.dialects().iter().find_map(all)
}

#[cfg(test)]
mod tests;
