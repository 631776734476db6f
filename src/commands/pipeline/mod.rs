//! From a template to the record of a project, by the steps that every command takes which renders one:
//!
//! ```text
//!  Inputs ──► Begun ──► Answered ──► Rendered ──► Record
//! ```
//!
//! The init hooks run, the questions are answered, the files are rendered, and what came of it is recorded.

pub(super) mod hooking;
pub(super) mod inputs;
pub(super) mod render;
mod suffix;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(super) use self::render::Rendered;
use super::origin::EMBEDDED;
use super::warn;
use crate::answers::given::GivenValues;
use crate::answers::interview::interview;
use crate::answers::prompt::AtTerminal;
use crate::answers::{Ask, Resolved, resolve_with};
use crate::diagnostic::{Diagnostic, Diagnostics, Result, Severity};
use crate::digest::Digest;
use crate::hooks::{Hooks, Setting};
use crate::liquid::{Lines, Total};
use crate::lock::{self, Record};
use crate::placeholders::Answer;
use crate::plan::Trees;
use crate::template::Template;
use crate::trace;
use crate::tree::RelPath;
use crate::workspace::Site;

/// What is known before anybody is asked.
pub(super) struct Inputs<'a> {
    pub(super) template: &'a Template,
    /// The built-in variables.
    pub(super) variables: BTreeMap<String, Answer>,
    /// Values for the template's questions.
    pub(super) given: &'a GivenValues,
    /// Who answers the other questions.
    pub(super) person: Person<'a>,
    /// What a value of the command line is that nothing in the template uses.
    pub(super) unused: Severity,
    /// The built-in variables that the record has to remember; none where nobody asks it for more than the answers.
    pub(super) remembered: Option<&'a BTreeSet<&'a str>>,
    /// Whether warnings are errors.
    pub(super) strict: bool,
    /// What this run is a part of.
    pub(super) total: Option<&'a Arc<Total>>,
}

/// Who answers the questions to which no answer was given.
#[derive(Clone, Copy)]
pub(super) enum Person<'a> {
    /// Nobody: the defaults count.
    Nobody,
    /// Somebody at a terminal, who agrees to all answers in the end where there is a question for that.
    AtTerminal(Option<&'a str>),
}

impl<'a> Person<'a> {
    pub(super) fn new(may_ask: bool, agreement: Option<&'a str>) -> Self {
        if may_ask { Self::AtTerminal(agreement) } else { Self::Nobody }
    }
}

/// The init hooks have run.
pub(super) struct Begun<'a> {
    inputs: Inputs<'a>,
    hooks: Hooks,
    /// The project's name as it was, where they changed it.
    name: Option<Answer>,
}

impl<'a> Inputs<'a> {
    /// Runs the init hooks.
    ///
    /// # Errors
    ///
    /// What made a script fail, and a name that they gave and that is none.
    pub(super) fn begin(mut self, setting: Setting) -> Result<Begun<'a>> {
        let (hooks, name) = hooking::init(self.template, &mut self.variables, setting)?;
        Ok(Begun { inputs: self, hooks, name })
    }

    /// Goes on where the init hooks have run before the project had a name, and have set these variables.
    pub(super) fn resume(mut self, hooks: Hooks, set: BTreeMap<String, Answer>) -> Begun<'a> {
        self.variables.extend(set);
        Begun { inputs: self, hooks, name: None }
    }
}

/// Every question has its answer.
pub(super) struct Answered {
    pub(super) resolved: Resolved,
    pub(super) hooks: Hooks,
}

impl Begun<'_> {
    /// Answers the template's questions, and shows what of the given values is not used.
    ///
    /// # Errors
    ///
    /// Every missing and every invalid answer, what the user's cancelling says, and what warns of something where that is an error.
    pub(super) fn answer(self) -> Result<Answered> {
        let Self { inputs, hooks, name } = self;
        let Inputs { template, variables, given, total, .. } = inputs;
        let resolve =
            |ask: &mut Ask<'_>| resolve_with(&template.manifest, variables.clone(), given, ask, &Lines::within(total));
        let mut resolved = match inputs.person {
            Person::AtTerminal(agreement) => interview(&mut AtTerminal::default(), agreement, resolve)?,
            Person::Nobody => resolve(&mut Ask::Nobody)?,
        };
        resolved.answers.extend(name.map(|name| ("project-name".to_owned(), name)));
        let mut warnings = std::mem::take(&mut resolved.warnings);
        let told = inputs::forget_unused(template, &mut resolved, inputs.unused, total);
        let (errors, unused): (Vec<Diagnostic>, Vec<Diagnostic>) = told.into_iter().partition(Diagnostic::is_error);
        warnings.extend(unused);
        warn(warnings, inputs.strict)?;
        if !errors.is_empty() {
            return Err(Diagnostics(errors));
        }
        if let Some(mentioned) = inputs.remembered {
            inputs::remember(&mut resolved, mentioned);
        }
        Ok(Answered { resolved, hooks })
    }
}

/// Which of the files at the repository's root have names that somebody else's have already.
pub(super) type Taken<'a> = &'a dyn Fn(&Trees) -> Result<BTreeSet<RelPath>>;

/// How a project's files are rendered.
#[derive(Debug, Clone, Copy)]
pub(super) struct How {
    /// Whether an unknown variable is an error.
    pub(super) strict: bool,
    /// Whether what Liquid cannot render stays as it is.
    pub(super) lenient: bool,
}

impl Answered {
    /// Renders the template's files for a project at `site`: the template has none afterwards. Where the names of files at the
    /// repository's root are `taken` by somebody else, the app's get a longer suffix; none where they are the app's own already.
    ///
    /// # Errors
    ///
    /// What keeps it from being rendered, and if no suffix helps.
    pub(super) fn render(
        &mut self,
        template: &mut Template,
        site: &Site,
        How { strict, lenient }: How,
        taken: Option<Taken<'_>>,
    ) -> Result<Rendered> {
        let _stage = trace::stage("rendering");
        let setting = render::Setting {
            app_dir: site.app_dir.as_ref(),
            date: self.hooks.date(),
            // A mistake in the embedded template is for us to correct, not for the user to live with.
            strict: strict || template.origin.source == EMBEDDED,
            lenient,
            total: None,
            hooks: &self.hooks,
        };
        let rendered = match taken {
            None => render::render_once(template, &self.resolved, &setting),
            Some(taken) => suffix::render_apart(site, template, &mut self.resolved, &setting, taken),
        }?;
        self.resolved.answers.extend(self.hooks.asked());
        Ok(rendered)
    }

    /// Renders the files of a template that is rendered more often, within what all of it may cost. Warnings are errors.
    ///
    /// # Errors
    ///
    /// What keeps it from being rendered.
    pub(super) fn render_one(
        &mut self,
        template: &Template,
        app_dir: Option<&RelPath>,
        total: &Arc<Total>,
    ) -> Result<Rendered> {
        let (hooks, date) = (&self.hooks, self.hooks.date());
        let setting = render::Setting { app_dir, date, strict: true, lenient: false, total: Some(total), hooks };
        let rendered = render::render(template, template.files.clone(), &self.resolved, &setting);
        total.scripts(self.hooks.spent());
        self.resolved.answers.extend(self.hooks.asked());
        rendered
    }

    /// Records what was rendered. `present` is what the base holds already.
    pub(super) fn record(
        &self,
        template: &Template,
        rendered: &Rendered,
        app_dir: Option<&RelPath>,
        present: &BTreeSet<Digest>,
    ) -> Record {
        lock::record(&render::recorded(template, &self.resolved, rendered, app_dir), present)
    }
}
