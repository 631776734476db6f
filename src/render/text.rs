//! Renders one text of a template, a path's component or a file's content, by its skeleton.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::diagnostic::{Code, Diagnostic, Place};
use crate::liquid::engine::{Engine, Failure, Purpose};
use crate::liquid::github::Known;
use crate::liquid::meter::Excess;
use crate::liquid::skeleton::{Markers, Skeleton};
use crate::liquid::{locate, scan, skeleton};
use crate::template::Names;

/// Renders texts with one set of variables.
pub(super) struct Renderer<'a> {
    pub(super) engine: &'a Engine,
    pub(super) known: &'a Known<'a>,
    /// The private characters that the values have: a marker must not occur in any.
    pub(super) used: Markers,
    /// How messages name the files.
    pub(super) names: &'a Names,
    /// Whether any text shows the date of the run.
    pub(super) dated: &'a AtomicBool,
}

/// The findings from rendering a text.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Errors and warnings.
    pub(super) problems: Vec<Diagnostic>,
    /// The first secret variable that was looked up: what was rendered depends on its value.
    pub(super) secret: Option<String>,
    /// What was rendered, with markers in place of the secrets; `None` if the values may decide on more than themselves.
    pub(super) masked: Option<String>,
    /// Whether it failed after that, so that the failure may depend on the value, too.
    pub(super) failed_by_secret: bool,
}

impl Renderer<'_> {
    /// Renders a text of the template; `file` is its name in messages.
    pub(super) fn text(&self, file: &str, text: &str, found: &mut Findings) -> Option<String> {
        let scan = scan::scan(text, self.known);
        if let Some(excess) = scan::too_much(text, &scan) {
            let place = Place::new(file, text, excess.span);
            found
                .problems
                .push(Diagnostic::error(Code::TooLarge, excess.title).at(place, excess.label).help(excess.help));
            return None;
        }
        let Some(skeleton) = skeleton::skeleton(text, &scan, self.used) else {
            found.problems.push(
                Diagnostic::error(
                    Code::TooLarge,
                    format!("`{file}` uses every private character from U+E000 to U+E0FF"),
                )
                .help("exclude the file from rendering in cargo-generate.toml"),
            );
            return None;
        };
        let rendered = match self.engine.budget.spend(scan.effort.steps()) {
            Some(excess) => Err(Failure::TooLarge(excess)),
            None => {
                let leaves_holes = self.engine.leaves_holes(text, &scan);
                self.rendered(&skeleton, scan.longest_tag(text), leaves_holes, found)
            }
        };
        match rendered {
            Ok((rendered, mut unknown)) => {
                if !unknown.is_empty() {
                    let assigned = locate::assigned(text, &scan);
                    unknown.retain(|name| !assigned.contains(name.as_str()));
                }
                if !unknown.is_empty() {
                    found.problems.extend(locate::unknown_variables(file, text, &scan, &unknown, self.known, None));
                }
                Some(rendered)
            }
            Err(failure) => {
                let secret = found.secret.as_deref();
                let source = locate::Source { file, text: Arc::from(text), scan: &scan, secret };
                let problems = locate::failure(self.engine, &source, &failure, self.known, self.used);
                found.failed_by_secret = secret.is_some();
                found.problems.extend(problems);
                None
            }
        }
    }

    /// Renders a skeleton; returns the text, and the variables that nobody defines.
    fn rendered(
        &self,
        skeleton: &Skeleton<'_>,
        longest_tag: usize,
        leaves_holes: bool,
        found: &mut Findings,
    ) -> Result<(String, BTreeSet<String>), Failure> {
        let mut outcome = self.engine.render(&skeleton.text, longest_tag, Purpose::Output);
        let budget = &self.engine.budget;
        budget.unwrite(outcome.text.len());
        if let Some(secret) = outcome.secret.take() {
            // Neither the warnings nor the lock may tell which way a template went that asked for the secret.
            let masked = self.engine.render_masked(&skeleton.text, longest_tag);
            budget.unwrite(masked.text.len());
            outcome.unknown = masked.unknown;
            let masked = Some(masked.text).filter(|_| leaves_holes && masked.failure.is_none());
            found.masked = masked.and_then(|text| skeleton.expand(text));
            if found.masked.as_ref().is_some_and(|text| budget.write(text.len())) {
                return Err(Failure::TooLarge(Excess::AllOutput));
            }
            outcome.dated = skeleton.text.contains("date");
            found.secret.get_or_insert(secret);
        }
        if outcome.dated {
            self.dated.store(true, Ordering::Relaxed);
        }
        if let Some(failure) = outcome.failure {
            return Err(failure);
        }
        let rendered = skeleton.expand(outcome.text).ok_or(Failure::TooLarge(Excess::Output))?;
        if budget.write(rendered.len()) {
            return Err(Failure::TooLarge(Excess::AllOutput));
        }
        Ok((rendered, outcome.unknown))
    }
}
