//! Chooses one of several templates.

use super::moved;
use crate::answers::prompt;
use crate::diagnostic::{Diagnostics, Result};
use crate::placeholders::{Kind, Placeholder};
use crate::report;
use crate::source::{self, Files, Loaded};

/// The choice among several templates if nobody can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Several {
    /// The first one is taken, as cargo-generate does.
    First,
    /// It is an error.
    Refuse,
}

/// Reads the template that was asked for; where there are several, the user chooses.
pub(super) fn choose_template(
    files: &dyn Files,
    subfolder: Option<&str>,
    may_ask: bool,
    several: Several,
) -> Result<Loaded> {
    let mut subfolder = subfolder.map(str::to_owned);
    loop {
        let candidates = source::candidates(files, subfolder.as_deref())?;
        let chosen = match candidates.as_slice() {
            [] => return source::read(files, subfolder.as_deref()),
            [only] => only.clone(),
            _ if !may_ask && several == Several::Refuse => {
                let title = format!("there are several templates in `{}`", files.source());
                return Err(moved::refuse(title, &candidates));
            }
            [first, ..] if !may_ask => {
                report::status(&format!(
                    "Using the first of {} templates: `{first}`; to use another one, pass --subfolder.",
                    candidates.len()
                ));
                first.clone()
            }
            _ => choose(candidates)?,
        };
        subfolder = Some(chosen);
    }
}

fn choose(candidates: Vec<String>) -> Result<String> {
    let default = candidates.first().cloned();
    let kind = Kind::Choice { choices: candidates.into_iter().map(Into::into).collect(), default };
    let question = Placeholder::new("template", "Which template?", kind);
    let cancelled = |mut problems: Diagnostics| {
        problems.0.iter_mut().for_each(|problem| problem.help = Some("choose one with --subfolder".to_owned()));
        problems
    };
    Ok(prompt::ask(&question).map_err(cancelled)?.to_string())
}
