//! Finds the commit of a template's history that matches a project without a record best: its render is nearest to the files.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use super::answers::answer;
use super::rendering;
use crate::answers::given::GivenValues;
use crate::cli::RenderArgs;
use crate::commands::adoption;
use crate::commands::origin::{self, Access};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Result};
use crate::lock::Bases;
use crate::placeholders::Answer;
use crate::plan::Trees;
use crate::report;
use crate::tree::{Entry, RelPath};
use crate::workspace::{self, Room, Site};

/// The word for the revision to look for.
pub(super) const NEAREST: &str = "nearest";

/// At most this many commits are looked at in the history: the newest that changed the template.
const HISTORY: usize = 10_000;
/// This many are rendered at once: all, where there are no more; else some, and then more of those around the best one.
const ROUND: usize = 64;
/// So often it is looked closer.
const ROUNDS: usize = 4;
/// How long all of it may take.
const TIME: Duration = Duration::from_secs(300);
/// The weight of a file that is on one side only. One that differs counts by how much does.
const WHOLE: u64 = 1_000;

/// The commit. Of several that fit alike it is the newest.
///
/// # Errors
///
/// If the template is not in git or cannot be fetched, and if no commit of it can be rendered with the answers that are known.
pub(super) fn find(site: &Site, args: &RenderArgs, given: &GivenValues, access: Access) -> Result<String> {
    let commits = origin::history(site, &args.source, access, HISTORY)?;
    let mut search = Search { site, args, given, tried: BTreeMap::new(), problems: None };
    let (mut first, mut last) = (0, commits.len().saturating_sub(1));
    let start = Instant::now();
    for _ in 0..ROUNDS {
        let sample = sample(first, last);
        let is_complete = sample.len() > last - first;
        for &at in &sample {
            if start.elapsed() > TIME {
                let title = format!("looking for the nearest commit takes longer than {} minutes", TIME.as_secs() / 60);
                let help = "pass the revision with --from, ideally one from about when the project was created";
                return Err(Diagnostic::error(Code::TooLarge, title).help(help).into());
            }
            search.attempt(&commits, at);
        }
        let Some(best) = search.best() else { break };
        if is_complete {
            break;
        }
        let around = sample.iter().position(|&at| at >= best).unwrap_or_default();
        (first, last) = (sample[around.saturating_sub(1)], sample[(around + 1).min(sample.len() - 1)]);
    }
    let Some(best) = search.best() else {
        let title = "no commit of the template's history can be rendered for this project".to_owned();
        let none = Diagnostic::error(Code::RevisionUnknown, title).help("pass the revision with --from").into();
        return Err(search.problems.unwrap_or(none));
    };
    let fit = &search.tried[&best];
    let same = fit.files.values().filter(|cost| **cost == 0).count();
    let commit = &commits[best];
    let name = commit.get(..8).unwrap_or(commit);
    report::status(&format!(
        "Among {} commits of the template, {name} is the nearest: {same} of its {} files are the same.",
        commits.len(),
        fit.files.len()
    ));
    Ok(commit.clone())
}

/// Places from `first` to `last`, both included: all, or as many as a round has, at the same distance.
fn sample(first: usize, last: usize) -> Vec<usize> {
    let steps = (last - first).min(ROUND - 1);
    (0..=steps).map(|step| first + (last - first) * step / steps.max(1)).collect()
}

/// How a render fits.
struct Fit {
    /// The cost of each of its files.
    files: BTreeMap<RelPath, u64>,
    /// Those that the project has.
    there: BTreeSet<RelPath>,
}

struct Search<'a> {
    site: &'a Site,
    args: &'a RenderArgs,
    given: &'a GivenValues,
    /// The commits that could be rendered, by their places in the history.
    tried: BTreeMap<usize, Fit>,
    /// Why the first one could not be.
    problems: Option<Diagnostics>,
}

impl Search<'_> {
    fn attempt(&mut self, commits: &[String], at: usize) {
        if self.tried.contains_key(&at) {
            return;
        }
        // What is to be told is told of the one that is taken.
        match report::muted(|| self.fit(&commits[at])) {
            Ok(fit) => drop(self.tried.insert(at, fit)),
            Err(problems) => drop(self.problems.get_or_insert(problems)),
        }
    }

    /// Nobody is asked, and no command runs.
    fn fit(&self, commit: &str) -> Result<Fit> {
        let access = Access { may_ask: false, offline: true, stay: false };
        let mut template = origin::past(self.site, commit, &self.args.source, access)?.template;
        let inferred = adoption::answers(self.site, &template)?;
        let mut known: BTreeMap<String, Answer> = inferred.values().collect();
        known.insert("is_init".to_owned(), Answer::Bool(false));
        let declared: BTreeSet<&str> = template.manifest.declared().map(|it| it.name.as_str()).collect();
        let given = self.given.clone().into_iter().filter(|(name, _)| declared.contains(name.as_str())).collect();
        let mut answered = answer(self.site, None, known, &template, Some(given), (self.args, None), false)?;
        let rendered = rendering::render(self.args, self.site, None, &mut template, &mut answered)?;
        let ours = workspace::ours(self.site, &Bases::default(), &rendered.trees, &Room::default())?;
        Ok(Fit::of(&rendered.trees, &ours))
    }

    /// The best place so far. A file of the project that another commit renders counts against one that does not.
    fn best(&self) -> Option<usize> {
        let there: BTreeSet<&RelPath> = self.tried.values().flat_map(|fit| &fit.there).collect();
        let cost = |fit: &Fit| {
            let lacking = there.iter().filter(|path| !fit.files.contains_key(**path)).count() as u64;
            fit.files.values().sum::<u64>() + WHOLE * lacking
        };
        self.tried.iter().min_by_key(|(at, fit)| (cost(fit), **at)).map(|(at, _)| *at)
    }
}

impl Fit {
    fn of(theirs: &Trees, ours: &Trees) -> Self {
        let mut fit = Self { files: BTreeMap::new(), there: BTreeSet::new() };
        for (_, (theirs, ours)) in theirs.as_ref().zip(ours.as_ref()) {
            for (path, entry) in theirs {
                let now = ours.get(path);
                fit.files.insert(path.clone(), now.map_or(WHOLE, |now| distance(path, entry, now)));
                fit.there.extend(now.map(|_| path.clone()));
            }
        }
        fit
    }
}

/// How far two files are from each other: 0 where they are the same, or only formatted in another way.
fn distance(path: &RelPath, theirs: &Entry, ours: &Entry) -> u64 {
    if theirs.bytes() == ours.bytes() {
        return 0;
    }
    let is_rust = path.as_str().ends_with(".rs");
    let [theirs, ours] = [theirs, ours].map(|entry| pieces(&String::from_utf8_lossy(entry.bytes()), is_rust));
    let all: u64 = theirs.values().chain(ours.values()).sum();
    let common: u64 = theirs.iter().map(|(piece, count)| count.min(ours.get(piece).unwrap_or(&0))).sum();
    if all == 2 * common { 0 } else { (WHOLE - WHOLE * 2 * common / all).max(1) }
}

/// The lines of a text, and how often each is there; of Rust, what is between braces, commas and semicolons, without any space.
fn pieces(text: &str, is_rust: bool) -> HashMap<String, u64> {
    let mut pieces = HashMap::new();
    let mut add = |piece: &str| {
        let piece: String = if is_rust { piece.split_whitespace().collect() } else { piece.trim_end().to_owned() };
        if !piece.is_empty() {
            *pieces.entry(piece).or_default() += 1;
        }
    };
    if is_rust {
        text.split(['{', '}', ',', ';']).for_each(&mut add);
    } else {
        text.lines().for_each(&mut add);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_a_short_history_is_tried_and_the_ends_of_a_long_one() {
        assert_eq!(sample(0, 0), [0]);
        assert_eq!(sample(2, 5), [2, 3, 4, 5]);
        let long = sample(0, 9_999);
        assert_eq!((long.len(), long[0], long[ROUND - 1]), (ROUND, 0, 9_999));
        assert!(long.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn the_distance_grows_with_what_differs() {
        let far = |path: &str, a: &str, b: &str| {
            let [a, b] = [a, b].map(|text| Entry::file(text.as_bytes().to_vec()));
            distance(&RelPath::new(path).unwrap(), &a, &b)
        };
        assert_eq!(far("a", "1\n2\n", "1\r\n2\r\n"), 0);
        assert_eq!(far("a.rs", "fn a( ){ b( 1,2 ) ; }", "fn a() {\n    b(1, 2);\n}\n"), 0);
        assert!(far("a", "1\n2\n3\n", "1\n2\n4\n") < far("a", "1\n2\n3\n", "1\n5\n4\n"));
        assert_eq!(far("a", "1\n", "2\n"), WHOLE);
    }
}
