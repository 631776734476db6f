//! Renders one text of a template, a path's component or a file's content, by its skeleton.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::engine::{Engine, Failure};
use super::github::Known;
use super::{locate, scan, skeleton};
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::template::Names;

/// The largest tree that a template may render to, in bytes: it is held in memory.
const MAX_TOTAL: usize = 1 << 30;

/// Renders texts with one set of variables.
pub(super) struct Renderer<'a> {
    pub(super) engine: &'a Engine,
    pub(super) known: &'a Known<'a>,
    /// Every value, one after the other: a marker must not occur in any.
    pub(super) values: &'a str,
    /// How messages name the files.
    pub(super) names: &'a Names,
    /// How many bytes all files have rendered to so far.
    pub(super) total: &'a AtomicUsize,
    /// Whether any text shows the date of the run.
    pub(super) dated: &'a AtomicBool,
}

/// What was found out while a text was rendered.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Errors and warnings.
    pub(super) problems: Vec<Diagnostic>,
    /// The first secret variable that was looked up: what was rendered depends on its value.
    pub(super) secret: Option<String>,
    /// Whether it failed after that, so that the failure may depend on the value, too.
    pub(super) failed_by_secret: bool,
}

impl Renderer<'_> {
    /// Renders a text of the template; `file` is its name in messages.
    pub(super) fn text(&self, file: &str, text: &str, found: &mut Found) -> Option<String> {
        let scan = scan::scan(text, self.known);
        if let Some(span) = scan::too_deep(text, &scan) {
            let problem = Diagnostic::error(Code::TooLarge, "tags are nested too deeply")
                .at(Place::new(file, text, span), "this is the innermost one that is allowed")
                .help("split the file, or flatten its conditions");
            found.problems.push(problem);
            return None;
        }
        let Some(skeleton) = skeleton::skeleton(text, &scan, self.values) else {
            found.problems.push(
                Diagnostic::error(
                    Code::TooLarge,
                    format!("`{file}` uses every private character from U+E000 to U+E0FF"),
                )
                .help("exclude the file from rendering in cargo-generate.toml"),
            );
            return None;
        };
        let mut outcome = self.engine.render(&skeleton.text, true);
        if let Some(secret) = outcome.secret.take() {
            // Neither the warnings nor the lock may tell which way a template went that asked for the secret.
            outcome.unknown = self.engine.render_masked(&skeleton.text).unknown;
            outcome.dated = skeleton.text.contains("date");
            found.secret.get_or_insert(secret);
        }
        if outcome.dated {
            self.dated.store(true, Ordering::Relaxed);
        }
        let failure = match outcome.failure {
            None => match skeleton.expand(&outcome.text) {
                Some(rendered) if self.total.fetch_add(rendered.len(), Ordering::Relaxed) > MAX_TOTAL => {
                    Failure::TooLarge("all files together render to more than 1 GiB")
                }
                Some(rendered) => {
                    if !outcome.unknown.is_empty() {
                        found.problems.extend(locate::unknown_variables(
                            file,
                            text,
                            &scan,
                            &outcome.unknown,
                            self.known,
                            None,
                        ));
                    }
                    return Some(rendered);
                }
                None => Failure::TooLarge("it renders to more than 64 MiB"),
            },
            Some(failure) => failure,
        };
        let source = locate::Source { file, text: Arc::from(text), scan: &scan, secret: found.secret.as_deref() };
        let problems = locate::failure(self.engine, &source, &failure, self.known, self.values);
        found.failed_by_secret = found.secret.is_some();
        found.problems.extend(problems);
        None
    }
}
