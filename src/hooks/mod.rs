//! Rhai scripts of a template, before and after it is rendered.
//!
//! A script sees variables and a tree in memory: its changes are values like any other, and it cannot reach any of the user's files.
//! Three things reach the outside, and each is passed in: who is asked, where output goes, and whether commands may run.

mod answers;
mod clock;
mod command;
mod copy;
mod engine;
mod failure;
mod files;
mod filter;
mod modules;
mod prompt;
mod system;
mod value;
mod variable;
mod view;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use self::answers::Answers;
pub use self::answers::is_question;
use self::clock::Clock;
pub use self::copy::run as run_in_copy;
pub use self::filter::Filters;
use self::view::View;
use crate::answers::given::{GivenValues, Source};
use crate::date::Date;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Facts, Result};
use crate::manifest::{HookScripts, Manifest};
use crate::placeholders::built_in::Trait;
use crate::placeholders::pattern::Memory;
use crate::placeholders::{Answer, Placeholder};
use crate::render::Secret as SecretFiles;
use crate::spanned::Spanned;
use crate::template::{Names, Template};
use crate::tree::{RelPath, Tree};

/// The permissions of hooks in a run, and what is known of the run.
#[derive(Debug, Clone)]
pub struct Setting {
    /// Asks a person; `None` if nobody can be asked.
    pub ask: Option<fn(&Placeholder) -> Result<Answer>>,
    /// Shows a line of what a script prints.
    pub tell: fn(&str),
    /// Whether commands may run.
    pub consent: Consent,
    /// How long a command may take.
    pub timeout: Duration,
    /// The date that a script reads.
    pub date: Date,
    /// The project's name, which its directory has in `env::destination_directory`.
    pub name: String,
    /// The given values: those of the record among them.
    pub given: GivenValues,
    /// The questions of hooks when the project was rendered before.
    pub recorded: BTreeMap<String, Answer>,
}

/// Whether commands may run.
#[derive(Debug, Clone, Copy)]
pub enum Consent {
    /// All of them.
    Given,
    /// Those that a person has seen and agreed to.
    Ask(fn(&str) -> Result<bool>),
    /// None; the text says what to do.
    Refused(&'static str),
}

/// When a hook runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Before any question.
    Init,
    /// Before the template is rendered.
    Pre,
    /// After it was rendered.
    Post,
    /// While it is rendered, as a filter.
    Filter,
}

/// The hooks of a template in one run.
#[derive(Debug)]
pub struct Hooks {
    scripts: HookScripts,
    manifest: (String, Arc<str>),
    names: Names,
    state: Shared,
}

type Shared = Arc<Mutex<State>>;

/// The state that scripts see and change.
#[derive(Debug)]
struct State {
    setting: Setting,
    phase: Phase,
    script: Script,
    variables: BTreeMap<String, Answer>,
    /// The variables that no script may read.
    secret: BTreeSet<String>,
    /// The files that depend on a secret answer, once there are any.
    secret_files: SecretFiles,
    /// Whether there are or were any.
    holds_secrets: bool,
    view: View,
    answers: Answers,
    /// The template's files as the init hooks left them.
    begun: Option<Tree>,
    /// Whether a script read the date.
    dated: bool,
    /// A failure that stops the run, whatever the script does about it.
    failure: Option<Diagnostics>,
    /// The last argument of `abort`.
    aborted: Option<String>,
    /// The message about the last command that failed.
    failed_command: Option<(String, Facts)>,
    /// How often the template was rendered, and how many lines were printed.
    passes: usize,
    printed: usize,
    clock: Arc<Clock>,
    /// What the regular expressions of questions take.
    regexes: Memory,
    /// The commands that have run.
    commands: Vec<String>,
    /// Whether template and answers are those of the record.
    trusts_record: bool,
    /// Whether a command was not run for that reason.
    is_as_recorded: bool,
}

/// A script while it runs.
#[derive(Debug, Clone, Default)]
struct Script {
    /// Its path in the template.
    path: String,
    /// Its name in messages.
    name: String,
    text: Arc<str>,
}

/// What post hooks left.
#[derive(Debug)]
pub struct Done {
    /// The files.
    pub tree: Tree,
    /// The files that depend on a secret answer.
    pub secret: SecretFiles,
}

impl Hooks {
    /// The hooks of a template.
    #[must_use]
    pub fn new(template: &Template, setting: Setting) -> Self {
        let manifest = &template.manifest;
        let secret = manifest.ownership.secret_names().into_iter().map(str::to_owned).collect();
        let state = State::new(setting, secret);
        Self {
            scripts: manifest.hooks.clone(),
            manifest: (manifest.name.clone(), Arc::clone(&manifest.text)),
            names: template.names.clone(),
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// Runs the init hooks: what they set is set before anybody is asked. Those variables are returned.
    ///
    /// # Errors
    ///
    /// The error of a script.
    pub fn init(&self, files: &Tree, built_in: &BTreeMap<String, Answer>) -> Result<BTreeMap<String, Answer>> {
        if self.scripts.init.is_empty() {
            return Ok(BTreeMap::new());
        }
        let known = built_in.iter().filter(|(name, _)| Trait::AtInit.has(name));
        let known: BTreeMap<String, Answer> = known.map(|(name, value)| (name.clone(), value.clone())).collect();
        let before = known.clone();
        self.enter(Phase::Init, files.clone(), known);
        self.run(&self.scripts.init)?;
        let (tree, variables) = self.leave();
        self.lock().begun = Some(tree);
        Ok(variables.into_iter().filter(|(name, value)| before.get(name) != Some(value)).collect())
    }

    /// Runs the pre hooks over the template's files, and takes the scripts out of them.
    ///
    /// # Errors
    ///
    /// The error of a script.
    pub fn pre(&self, files: Tree, variables: &mut BTreeMap<String, Answer>) -> Result<Tree> {
        if self.scripts.is_empty() {
            return Ok(files);
        }
        let files = {
            let mut state = self.lock();
            state.passes += 1;
            state.begun.clone().unwrap_or(files)
        };
        self.enter(Phase::Pre, files, std::mem::take(variables));
        self.run(&self.scripts.pre)?;
        let (mut tree, changed) = self.leave();
        *variables = changed;
        let paths = paths(&self.scripts);
        let scripts = paths.into_iter().filter_map(|path| tree.remove_entry(&path)).collect();
        self.lock().view = View::new(scripts);
        Ok(tree)
    }

    /// Runs the post hooks over what was rendered.
    ///
    /// # Errors
    ///
    /// The error of a script.
    pub fn post(&self, tree: Tree, secret: SecretFiles, variables: &BTreeMap<String, Answer>) -> Result<Done> {
        if self.scripts.is_empty() {
            return Ok(Done { tree, secret });
        }
        let (scripts, _) = self.leave();
        let mut all = scripts;
        all.extend(tree);
        self.enter(Phase::Post, all, variables.clone());
        {
            let mut state = self.lock();
            state.holds_secrets = !secret.is_empty();
            state.secret_files = secret;
        }
        self.run(&self.scripts.post)?;
        let (mut tree, _) = self.leave();
        paths(&self.scripts).iter().for_each(|path| drop(tree.remove(path)));
        let secret = std::mem::take(&mut self.lock().secret_files);
        Ok(Done { tree, secret })
    }

    /// Whether there are scripts that run over what was rendered.
    #[must_use]
    pub fn has_post(&self) -> bool {
        !self.scripts.post.is_empty()
    }

    /// Says that template and answers are those of the record: a command is not run then, but ends the render, which
    /// [is as recorded](Self::is_as_recorded).
    pub fn trust_record(&self) {
        self.lock().trusts_record = true;
    }

    /// Whether the render ended because what comes of it was recorded.
    #[must_use]
    pub fn is_as_recorded(&self) -> bool {
        self.lock().is_as_recorded
    }

    /// Everything that hooks asked.
    #[must_use]
    pub fn asked(&self) -> BTreeMap<String, Answer> {
        self.lock().answers.asked.clone()
    }

    /// Says what the project is called, where that was not known before.
    pub fn name_project(&self, name: &str) {
        name.clone_into(&mut self.lock().setting.name);
    }

    /// How long scripts ran, in microseconds, without the time in which they waited.
    #[must_use]
    pub fn spent(&self) -> u64 {
        self.lock().clock.spent()
    }

    /// The date of the run.
    #[must_use]
    pub fn date(&self) -> Date {
        self.lock().setting.date
    }

    /// Whether a script read the date.
    #[must_use]
    pub fn is_dated(&self) -> bool {
        self.lock().dated
    }

    fn enter(&self, phase: Phase, files: Tree, variables: BTreeMap<String, Answer>) {
        let mut state = self.lock();
        state.phase = phase;
        state.view = View::new(files);
        state.variables = variables;
        state.answers.begin();
    }

    fn leave(&self) -> (Tree, BTreeMap<String, Answer>) {
        let mut state = self.lock();
        (std::mem::take(&mut state.view).into_files(), std::mem::take(&mut state.variables))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn run(&self, scripts: &[Spanned]) -> Result<()> {
        for named in scripts {
            let script = self.load(named)?;
            self.lock().script = script.clone();
            engine::run(&self.state, &self.names, &script)?;
        }
        Ok(())
    }

    /// Reads a script out of the tree.
    fn load(&self, named: &Spanned) -> Result<Script> {
        let refuse = |what: &str, help: &str| {
            let (name, text) = &self.manifest;
            let place = crate::diagnostic::Place::new(name, Arc::clone(text), named.span.clone());
            let title = format!("the hook `{}` {what}", named.value);
            Diagnostics::from(Diagnostic::error(Code::HookFailed, title).at(place, "this script").help(help))
        };
        let help = "use a script of the template, below the manifest's folder";
        let path = match view::path(&named.value) {
            Ok(Some(path)) => path,
            Ok(None) => return Err(refuse("is a folder", help)),
            Err(reason) => return Err(refuse(&reason, help)),
        };
        let state = self.lock();
        let bytes = state.view.read(&path).ok_or_else(|| refuse("is not a file of the template", help))?;
        if bytes.len() > engine::MAX_SCRIPT {
            return Err(refuse("is larger than 256 KiB", "split the script"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| refuse("is not UTF-8", "save the script as UTF-8"))?;
        Ok(Script { path: path.as_str().to_owned(), name: self.names.of(&path), text: text.into() })
    }
}

/// The paths of all scripts that the manifest names: they are in no project.
#[must_use]
pub fn paths(scripts: &HookScripts) -> Vec<RelPath> {
    scripts.iter().filter_map(|script| view::path(&script.value).ok().flatten()).collect()
}

/// The texts of all scripts of a template, as far as they can run.
#[must_use]
pub fn scripts<'t>(manifest: &Manifest, files: &'t Tree) -> Vec<&'t str> {
    let named: BTreeSet<RelPath> = paths(&manifest.hooks).into_iter().collect();
    let scripts = files.iter().filter(|(path, entry)| {
        entry.bytes().len() <= engine::MAX_SCRIPT && (path.as_str().ends_with(".rhai") || named.contains(*path))
    });
    scripts.filter_map(|(_, entry)| std::str::from_utf8(entry.bytes()).ok()).collect()
}

/// Scripts of more bytes than this together are not searched for names: each may be in them.
const SEARCHED: usize = 4 << 20;

/// The words of all scripts of a template, as a variable's name is one.
#[must_use]
pub fn words<'t>(manifest: &Manifest, files: &'t Tree) -> HashSet<&'t str> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    scripts(manifest, files).into_iter().flat_map(|text| text.split(move |c| !is_part(c))).collect()
}

/// Whether a script may use a variable: its text has the name, or a question that is known by it.
#[must_use]
pub fn mentions(scripts: &[&str], name: &str) -> bool {
    let is_too_much = scripts.iter().map(|text| text.len()).sum::<usize>() > SEARCHED;
    is_too_much || scripts.iter().any(|text| text.contains(name) || prompt::asks_for(text, name))
}

impl State {
    /// The state before the first script.
    fn new(setting: Setting, secret: BTreeSet<String>) -> Self {
        Self {
            setting,
            phase: Phase::Init,
            script: Script::default(),
            variables: BTreeMap::new(),
            secret,
            secret_files: SecretFiles::new(),
            holds_secrets: false,
            view: View::default(),
            answers: Answers::default(),
            begun: None,
            dated: false,
            failure: None,
            aborted: None,
            failed_command: None,
            passes: 0,
            printed: 0,
            clock: Arc::default(),
            regexes: Memory::default(),
            commands: Vec::new(),
            trusts_record: false,
            is_as_recorded: false,
        }
    }

    /// A state of its own for other scripts of the same run.
    fn apart(&self, phase: Phase, files: Tree, variables: BTreeMap<String, Answer>) -> Shared {
        Arc::new(Mutex::new(Self {
            phase,
            variables,
            view: View::new(files),
            passes: self.passes,
            printed: self.printed,
            clock: Arc::clone(&self.clock),
            regexes: self.regexes.clone(),
            ..Self::new(self.setting.clone(), self.secret.clone())
        }))
    }

    /// A value that was given for a variable, unless it only comes from the record.
    fn given_now(&self, name: &str) -> Option<&crate::answers::given::Given> {
        self.setting.given.get(name).filter(|given| given.by != Source::Lock)
    }
}

/// A script that panicked left the state whole enough: the run ends with its error.
fn lock(state: &Shared) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
