//! From questions and given values to the value of every variable.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::built_in::{BOOLS, OURS, REPLACEABLE};
use super::condition::{Conditions, Cost, TooMuch};
use super::given::{Given, GivenValues, Source, spell};
use super::placeholder::{Answer, Kind, Placeholder, When};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Found, Result, Severity, nearest};
use crate::manifest::{Conditional, Manifest, Selection};
use crate::render::{BUILT_IN, Lines};
use crate::shell;

/// Who is asked when no value was given.
pub enum Ask<'a> {
    /// A person at a terminal.
    User(&'a mut dyn FnMut(&Placeholder) -> Result<Answer>),
    /// Nobody: the default counts, and what has none is missing.
    Nobody,
}

impl std::fmt::Debug for Ask<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::User(_) => "Ask::User",
            Self::Nobody => "Ask::Nobody",
        })
    }
}

/// Every question answered.
#[derive(Debug)]
pub struct Resolved {
    /// The value of every variable.
    pub variables: BTreeMap<String, Answer>,
    /// The answers to remember: of placeholders, and values that were given beside them.
    pub answers: BTreeMap<String, Answer>,
    /// The placeholders whose answers nobody gave in this run: they have their default, or what is recorded.
    pub unchosen: BTreeSet<String>,
    /// Which files are rendered, with what the conditions added.
    pub selection: Selection,
    /// Given values that are not used.
    pub warnings: Vec<Diagnostic>,
    /// Values that no placeholder asks for, and who gave them. They are variables, too, as in cargo-generate, but a slip in
    /// a name looks the same.
    pub undeclared: BTreeMap<String, Source>,
}

/// Answers every question of the manifest, then those of the conditions that hold, until no condition adds a question.
///
/// # Errors
///
/// Every missing and every invalid answer, what the user's cancelling says, and a condition that costs too much.
pub fn resolve(
    manifest: &Manifest,
    built_in: BTreeMap<String, Answer>,
    given: &GivenValues,
    ask: &mut Ask<'_>,
) -> Result<Resolved> {
    resolve_with(manifest, built_in, given, ask, &Lines::default())
}

/// The same, with defaults that `lines` renders.
///
/// # Errors
///
/// As [`resolve`].
pub fn resolve_with(
    manifest: &Manifest,
    mut built_in: BTreeMap<String, Answer>,
    given: &GivenValues,
    ask: &mut Ask<'_>,
    lines: &Lines,
) -> Result<Resolved> {
    let mut declared: BTreeMap<&str, &Placeholder> = BTreeMap::new();
    for placeholder in manifest.declared() {
        declared.entry(placeholder.name.as_str()).or_insert(placeholder);
    }
    // cargo-generate does not know these: to a template that asks for them, they are its own.
    let own: Vec<&str> = OURS.iter().copied().filter(|name| declared.contains_key(name)).collect();
    built_in.retain(|name, _| !own.contains(&name.as_str()));
    let mut resolver = Resolver {
        manifest,
        given,
        declared,
        own,
        variables: built_in,
        answers: BTreeMap::new(),
        unchosen: BTreeSet::new(),
        problems: Found::default(),
        refused: BTreeSet::new(),
        warnings: Found::default(),
        undeclared: BTreeMap::new(),
        skipped: BTreeSet::new(),
        // The manifest's reader refuses conditions that use them.
        secret: manifest.ownership.secret_names(),
        cost: Cost::default(),
        lines,
    };
    resolver.check_given(matches!(ask, Ask::User(_)));
    resolver.replace_built_in();
    let mut selection = manifest.selection.clone();
    let mut pending: Vec<&Placeholder> = manifest.placeholders.iter().collect();
    let mut left: Vec<&Conditional> = manifest.conditionals.iter().collect();
    loop {
        for placeholder in std::mem::take(&mut pending) {
            resolver.answer(placeholder, ask)?;
        }
        // An expression engine is expensive to set up, and most templates have no conditions.
        if left.is_empty() {
            break;
        }
        let conditions = resolver.conditions();
        let mut others = Vec::new();
        for conditional in left {
            if holds(manifest, &conditions, conditional)? {
                selection.extend(&conditional.selection);
                pending.extend(&conditional.placeholders);
            } else {
                others.push(conditional);
            }
        }
        left = others;
        if pending.is_empty() {
            break;
        }
    }
    resolver.add_undeclared();
    resolver.add_unasked();
    if resolver.problems.is_empty() {
        Ok(Resolved {
            variables: resolver.variables,
            answers: resolver.answers,
            unchosen: resolver.unchosen,
            selection,
            warnings: resolver.warnings.into_vec(),
            undeclared: resolver.undeclared,
        })
    } else {
        Err(Diagnostics(resolver.problems.into_vec()))
    }
}

fn holds(manifest: &Manifest, conditions: &Conditions, conditional: &Conditional) -> Result<bool> {
    let Some(condition) = &conditional.condition else { return Ok(false) };
    conditions.holds(condition).map_err(|TooMuch| too_much(manifest, conditional.expression.span.clone()))
}

fn too_much(manifest: &Manifest, span: Range<usize>) -> Diagnostics {
    let title = "the conditions of the manifest are too much work";
    Diagnostic::error(Code::TooLarge, title)
        .at(manifest.place(span), "stopped here")
        .help("compare answers with texts, and call nothing that goes through long texts or lists")
        .into()
}

struct Resolver<'a> {
    manifest: &'a Manifest,
    given: &'a GivenValues,
    /// Every placeholder by its name.
    declared: BTreeMap<&'a str, &'a Placeholder>,
    /// Placeholders with the names of built-in variables that cargo-generate does not have.
    own: Vec<&'a str>,
    variables: BTreeMap<String, Answer>,
    answers: BTreeMap<String, Answer>,
    unchosen: BTreeSet<String>,
    problems: Found,
    /// Placeholders whose given value has been refused.
    refused: BTreeSet<&'a str>,
    warnings: Found,
    undeclared: BTreeMap<String, Source>,
    /// The placeholders whose questions do not apply.
    skipped: BTreeSet<&'a str>,
    /// The placeholders that are secret.
    secret: BTreeSet<&'a str>,
    /// What conditions have cost.
    cost: Cost,
    lines: &'a Lines,
}

impl<'a> Resolver<'a> {
    /// Refuses what was given wrongly before anybody is asked anything. What was recorded, and is no answer any more, is asked again where
    /// somebody can be asked.
    fn check_given(&mut self, may_ask: bool) {
        // Whether a question with a condition applies is not known yet.
        for placeholder in self.manifest.placeholders.iter().filter(|it| it.depends.when.is_none()) {
            let given = self.given.get(&placeholder.name);
            if let Some(given) = given.filter(|given| !may_ask || given.by != Source::Lock) {
                self.accepted(placeholder, given);
            }
        }
        for (name, given) in self.given {
            if self.is_fixed(name) {
                let help = "it follows from where the project is; leave it out";
                let title = format!("`{name}` is a built-in variable: the value given by {} is not used", given.by);
                self.warnings.push(Diagnostic::warning(Code::AnswerUnknown, title).help(help));
            }
        }
    }

    /// Whether a variable follows from the project, so that nobody can give it.
    fn is_fixed(&self, name: &str) -> bool {
        BUILT_IN.contains(&name) && !REPLACEABLE.contains(&name) && !self.own.contains(&name)
    }

    /// Gives built-in variables the values that were given for them, before any condition or question sees them.
    fn replace_built_in(&mut self) {
        for &name in REPLACEABLE {
            let Some(given) = self.given.get(name).filter(|_| !self.own.contains(&name)) else { continue };
            let bool_of = |text: &str| match text.to_lowercase().as_str() {
                "true" => Some(true),
                "false" => Some(false),
                _ => None,
            };
            let answer = match &given.value {
                toml::Value::Boolean(value) if BOOLS.contains(&name) => Answer::Bool(*value),
                toml::Value::String(text) if BOOLS.contains(&name) => match bool_of(text) {
                    Some(value) => Answer::Bool(value),
                    None => {
                        let title = format!("`{name}` from {} is neither true nor false", given.by);
                        let help = format!("give -d {name}=true or -d {name}=false");
                        self.problems.push(Diagnostic::error(Code::AnswerInvalid, title).help(help));
                        continue;
                    }
                },
                value => match spell(value) {
                    Some(text) => Answer::Text(text),
                    // Of a table, what is said of all values is said later.
                    None => continue,
                },
            };
            self.variables.insert(name.to_owned(), answer.clone());
            self.answers.insert(name.to_owned(), answer);
        }
    }

    fn answer(&mut self, placeholder: &'a Placeholder, ask: &mut Ask<'_>) -> Result<()> {
        let name = &placeholder.name;
        if self.variables.contains_key(name) {
            return Ok(());
        }
        if let Some(when) = &placeholder.depends.when
            && !self.applies(when)?
        {
            self.skip(placeholder, when);
            return Ok(());
        }
        let declared = placeholder;
        // Only what nobody gave, or what is asked again, needs its default.
        let is_settled =
            self.given.get(name).is_some_and(|given| given.by != Source::Lock || matches!(ask, Ask::Nobody));
        let (question, unusable) = if is_settled { (Cow::Borrowed(declared), None) } else { self.question(declared) };
        let placeholder = question.as_ref();
        let answer = match (self.given.get(name), ask) {
            (Some(given), Ask::User(ask)) if given.by == Source::Lock => match self.parse(placeholder, given) {
                Ok(answer) => Some(answer),
                Err(_) if self.problems.is_empty() => Some(ask(placeholder)?),
                Err(_) => None,
            },
            // What is wrong with it has been said, or is said here for a question of a condition.
            (Some(given), _) => self.accepted(declared, given),
            // Do not ask for the sake of a run that fails anyway.
            (None, Ask::User(ask)) if self.problems.is_empty() => Some(ask(placeholder)?),
            (None, Ask::User(_)) => None,
            (None, Ask::Nobody) => {
                let default = placeholder.default();
                if default.is_none() {
                    let Self { problems, manifest, given, declared, .. } = self;
                    problems.push_with(Code::AnswerMissing, Severity::Error, || {
                        let problem = missing(manifest, placeholder, given, declared);
                        match (unusable, &placeholder.depends.default) {
                            (Some(reason), Some(text)) => problem.at(manifest.place(text.span.clone()), reason),
                            _ => problem,
                        }
                    });
                }
                default
            }
        };
        if let Some(answer) = answer {
            let is_given = self.given.get(name).is_some_and(|given| given.by != Source::Lock);
            // To take the default at a prompt is not to choose it.
            if !is_given && (self.given.contains_key(name) || placeholder.default().as_ref() == Some(&answer)) {
                self.unchosen.insert(name.clone());
            }
            self.variables.insert(name.clone(), answer.clone());
            self.answers.insert(name.clone(), answer);
        }
        Ok(())
    }

    /// Conditions over the answers so far.
    fn conditions(&self) -> Conditions {
        let known = self.variables.iter().filter(|(name, _)| !self.secret.contains(name.as_str()));
        Conditions::new(known, &self.cost)
    }

    fn applies(&self, when: &When) -> Result<bool> {
        let held = self.conditions().holds(&when.condition);
        held.map_err(|TooMuch| too_much(self.manifest, when.expression.span.clone()))
    }

    /// Passes over a question that does not apply: its variable has the default, and there is no answer to record.
    fn skip(&mut self, placeholder: &'a Placeholder, when: &When) {
        let name = placeholder.name.as_str();
        let question = self.question(placeholder).0;
        self.variables.insert(name.to_owned(), question.default().unwrap_or_else(|| placeholder.empty()));
        self.skipped.insert(name);
        let Some(given) = self.given.get(name) else { return };
        let title = format!("`{name}` is not asked with these answers: the value given by {} is not used", given.by);
        let place = self.manifest.place(when.expression.span.clone());
        let help = "leave it out, or give other answers to the questions that the condition is about";
        let problem = |problem: Diagnostic| problem.at(place, "does not hold").help(help);
        match given.by {
            Source::Flag => self.problems.push(problem(Diagnostic::error(Code::AnswerInvalid, title))),
            Source::File(_) => self.warnings.push(problem(Diagnostic::warning(Code::AnswerUnknown, title))),
            // The environment is not only there for this template; the summary of an upgrade shows which answers go.
            Source::Environment(_) | Source::Lock => {}
        }
    }

    /// The question with the default that follows from the answers so far; or without one, and why that cannot be used.
    fn question(&self, placeholder: &'a Placeholder) -> (Cow<'a, Placeholder>, Option<String>) {
        let Some(text) = &placeholder.depends.default else { return (Cow::Borrowed(placeholder), None) };
        // A question that was not asked has an empty answer.
        let mut known: BTreeMap<String, Answer> =
            self.declared.values().map(|other| (other.name.clone(), other.empty())).collect();
        known.extend(self.variables.iter().map(|(name, answer)| (name.clone(), answer.clone())));
        known.retain(|name, _| !self.secret.contains(name.as_str()));
        let computed = self.lines.of_answers(&text.value, &known).and_then(|text| {
            let rejected = |reason: &str| format!("renders to `{}`, which {reason}", text.escape_debug());
            placeholder.parse(&text).map_err(|rejection| rejected(&rejection.reason))
        });
        match computed {
            Ok(answer) => (Cow::Owned(placeholder.with_default(Some(answer))), None),
            Err(reason) => (Cow::Owned(placeholder.with_default(None)), Some(reason)),
        }
    }

    /// The answer that was given; one that is refused is a problem, which is reported once.
    fn accepted(&mut self, placeholder: &'a Placeholder, given: &Given) -> Option<Answer> {
        if self.refused.contains(placeholder.name.as_str()) {
            return None;
        }
        match self.parse(placeholder, given) {
            Ok(answer) => Some(answer),
            Err(problem) => {
                self.refused.insert(&placeholder.name);
                self.problems.push(problem);
                None
            }
        }
    }

    fn parse(&self, placeholder: &Placeholder, given: &Given) -> std::result::Result<Answer, Diagnostic> {
        let name = &placeholder.name;
        let Some(text) = spell(&given.value) else {
            let title = format!("the value of `{name}` from {} is a table", given.by);
            return Err(Diagnostic::error(Code::AnswerInvalid, title).help("give a string, a bool or an array"));
        };
        placeholder.parse(&text).map_err(|rejection| {
            let title = if placeholder.secret {
                format!("the answer for `{name}` {}", rejection.reason)
            } else {
                format!("`{name}` cannot be `{text}`: it {}", rejection.reason)
            };
            Diagnostic::error(Code::AnswerInvalid, title)
                .at(self.manifest.place(placeholder.span.clone()), format!("given by {}", given.by))
                .help(match given.by {
                    Source::Lock => format!("{}; run the command again with {}", rejection.help, ways(placeholder)),
                    _ => rejection.help,
                })
        })
    }

    /// What no condition asks has its computed default, for the files; without one it is no variable, as in cargo-generate.
    fn add_unasked(&mut self) {
        // In the order of the manifest: one may follow from another.
        for placeholder in self.manifest.declared() {
            if placeholder.depends.default.is_some() && !self.variables.contains_key(&placeholder.name) {
                let question = self.question(placeholder).0;
                let value = question.default().unwrap_or_else(|| placeholder.empty());
                self.variables.insert(placeholder.name.clone(), value);
            }
        }
    }

    /// Values that no placeholder asks for are variables, too, as in cargo-generate; most are slips, all the same.
    fn add_undeclared(&mut self) {
        for (name, given) in self.given {
            let is_settled = self.answers.contains_key(name) || self.skipped.contains(name.as_str());
            if is_settled || self.is_fixed(name) {
                continue;
            }
            // The answer to a question that no condition asked counts all the same, with the type that it would have.
            if let Some(placeholder) = self.declared.get(name.as_str()) {
                if let Ok(answer) = self.parse(placeholder, given) {
                    self.variables.insert(name.clone(), answer.clone());
                    self.answers.insert(name.clone(), answer);
                }
                continue;
            }
            let answer = match &given.value {
                toml::Value::Boolean(value) => Answer::Bool(*value),
                toml::Value::String(text) => Answer::Text(text.clone()),
                other => {
                    let title = format!("the value of `{name}` from {} has the type {}", given.by, other.type_str());
                    let help = "the template declares no such placeholder; other values can only be strings and bools";
                    self.problems.push(Diagnostic::error(Code::AnswerInvalid, title).help(help));
                    continue;
                }
            };
            self.undeclared.insert(name.clone(), given.by.clone());
            self.variables.insert(name.clone(), answer.clone());
            self.answers.insert(name.clone(), answer);
        }
    }
}

fn missing(
    manifest: &Manifest,
    placeholder: &Placeholder,
    given: &GivenValues,
    declared: &BTreeMap<&str, &Placeholder>,
) -> Diagnostic {
    let name = &placeholder.name;
    let example = match &placeholder.kind {
        Kind::Text { .. } => "VALUE".to_owned(),
        Kind::Choice { choices, .. } => shortened(choices, "|"),
        Kind::Bool { .. } => "true|false".to_owned(),
        Kind::Array { choices, .. } => shortened(choices, ","),
    };
    let for_this_run = |by: &Source| !matches!(by, Source::Environment(_) | Source::Lock);
    let is_other = |name: &str, by: &Source| !declared.contains_key(name) && for_this_run(by);
    let others = given.iter().filter(|(other, given)| is_other(other, &given.by)).map(|(other, _)| other.as_str());
    let slip = nearest(name, others).and_then(|slip| Some((slip, &given.get(slip)?.by)));
    let help = match slip {
        Some((slip, by)) => format!("`{slip}` was given by {by}: did you mean `{name}`?"),
        // Other users of the machine, and the shell's history, see a command line.
        None if placeholder.secret => "give it in a --values-file, or run the command at a terminal".to_owned(),
        None => {
            let answer = shell::quoted(&format!("{name}={example}"));
            format!("give it with -d {answer}, in a --values-file, or run the command at a terminal")
        }
    };
    Diagnostic::error(Code::AnswerMissing, format!("no answer for `{name}`, and nobody to ask"))
        .at(manifest.place(placeholder.span.clone()), placeholder.prompt.clone())
        .help(help)
}

/// The options that give another answer.
fn ways(placeholder: &Placeholder) -> String {
    const SHOWN: usize = 8;
    if placeholder.secret {
        return "a --values-file that has another answer".to_owned();
    }
    let name = &placeholder.name;
    let answers = match &placeholder.kind {
        Kind::Text { .. } => vec!["VALUE".to_owned()],
        Kind::Choice { choices, .. } => choices.iter().take(SHOWN).cloned().collect(),
        Kind::Bool { .. } => ["true", "false"].map(str::to_owned).to_vec(),
        Kind::Array { choices, .. } => vec![shortened(choices, ",")],
    };
    let options: Vec<String> =
        answers.iter().map(|answer| format!("-d {}", shell::word(&format!("{name}={answer}")))).collect();
    options.join(" or ")
}

/// The first of some choices.
fn shortened(choices: &[String], between: &str) -> String {
    const SHOWN: usize = 20;
    let more = if choices.len() > SHOWN { "…" } else { "" };
    choices
        .iter()
        .take(SHOWN)
        .map(String::as_str)
        .chain(Some(more).filter(|more| !more.is_empty()))
        .collect::<Vec<_>>()
        .join(between)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(text: &str) -> Manifest {
        crate::manifest::read("cargo-generate.toml", text).unwrap().0
    }

    fn given(definitions: &[&str]) -> GivenValues {
        super::super::given::definitions(&definitions.iter().map(|&text| text.to_owned()).collect::<Vec<_>>()).unwrap()
    }

    const QUESTIONS: &str = r#"
        [placeholders]
        kind = { prompt = "Kind?", choices = ["bin", "lib"], default = "bin" }
        title = { prompt = "Title?", regex = "^[A-Z]" }
        [conditional.'kind == "lib"']
        ignore = ["main.rs"]
        [conditional.'kind == "lib"'.placeholders]
        docs = { prompt = "Docs?", type = "bool" }
        [conditional.'docs']
        include = ["docs/**"]
    "#;

    #[test]
    fn conditions_add_questions_and_selections_until_nothing_changes() {
        let manifest = manifest(QUESTIONS);
        let given = given(&["kind=lib", "title=X", "docs=TRUE", "extra=1"]);
        let resolved = resolve(&manifest, BTreeMap::new(), &given, &mut Ask::Nobody).unwrap();
        assert_eq!(resolved.answers["docs"], Answer::Bool(true));
        assert_eq!(resolved.variables["extra"], Answer::Text("1".into()));
        assert_eq!(resolved.selection.ignore[0].value, "main.rs");
        assert_eq!(resolved.selection.include.unwrap()[0].value, "docs/**");
    }

    #[test]
    fn everything_missing_and_everything_wrong_is_said_at_once() {
        let manifest = manifest(QUESTIONS);
        let error = resolve(&manifest, BTreeMap::new(), &given(&["kind=libb"]), &mut Ask::Nobody).unwrap_err();
        let codes: Vec<_> = error.0.iter().map(|problem| problem.code).collect();
        assert_eq!(codes, [Code::AnswerInvalid, Code::AnswerMissing]);
    }

    #[test]
    fn a_slip_in_the_name_of_an_answer_is_told_where_the_answer_is_missing() {
        let error = resolve(&manifest(QUESTIONS), BTreeMap::new(), &given(&["titel=T"]), &mut Ask::Nobody).unwrap_err();
        assert_eq!(error.0[0].help.as_deref(), Some("`titel` was given by -d: did you mean `title`?"));
    }

    #[test]
    fn nobody_is_asked_what_was_given_or_for_a_run_that_fails() {
        let manifest = manifest(QUESTIONS);
        let mut asked = Vec::new();
        let mut user = |placeholder: &Placeholder| {
            asked.push(placeholder.name.clone());
            Ok(Answer::Text("T".into()))
        };
        resolve(&manifest, BTreeMap::new(), &given(&["kind=bin"]), &mut Ask::User(&mut user)).unwrap();
        assert_eq!(asked, ["title"]);
        let mut never = |_: &Placeholder| panic!("asked");
        resolve(&manifest, BTreeMap::new(), &given(&["kind=x"]), &mut Ask::User(&mut never)).unwrap_err();
    }

    #[test]
    fn a_recorded_answer_that_is_none_any_more_is_asked_again_or_named() {
        use super::super::given::values_of;
        let manifest = manifest(QUESTIONS);
        let recorded = |kind: &str| {
            values_of([("kind", kind), ("title", "T")].map(|(k, v)| (k.to_owned(), Answer::Text(v.to_owned()))))
        };
        let mut asked = Vec::new();
        let mut user = |placeholder: &Placeholder| {
            asked.push(placeholder.name.clone());
            Ok(Answer::Text("bin".into()))
        };
        let resolved = resolve(&manifest, BTreeMap::new(), &recorded("exe"), &mut Ask::User(&mut user)).unwrap();
        assert_eq!((asked, &resolved.answers["kind"]), (vec!["kind".to_owned()], &Answer::Text("bin".into())));
        let problem = resolve(&manifest, BTreeMap::new(), &recorded("exe"), &mut Ask::Nobody).unwrap_err().0.remove(0);
        let help = problem.help.unwrap();
        assert!(help.ends_with("run the command again with -d kind=bin or -d kind=lib"), "{help}");
        // Of a question that only a condition asks.
        let mut given = recorded("lib");
        given.extend(values_of([("docs".to_owned(), Answer::Text("maybe".into()))]));
        let problem = resolve(&manifest, BTreeMap::new(), &given, &mut Ask::Nobody).unwrap_err().0.remove(0);
        assert!(problem.help.unwrap().ends_with("-d docs=true or -d docs=false"));
    }

    #[test]
    fn what_no_placeholder_asks_for_is_told() {
        let manifest = manifest(QUESTIONS);
        let resolved = resolve(&manifest, BTreeMap::new(), &given(&["title=T", "titel=T"]), &mut Ask::Nobody).unwrap();
        assert_eq!(resolved.undeclared, BTreeMap::from([("titel".to_owned(), Source::Flag)]));
    }

    #[test]
    fn a_template_may_ask_for_what_only_create_app_has_built_in() {
        let manifest = manifest(
            "[placeholders]\napp_dir = { prompt = \"?\", default = \"src\" }\n\
             [conditional.'false'.placeholders]\napp_suffix = { prompt = \"?\", default = \"x\" }\n",
        );
        let built_in = || OURS.iter().map(|name| ((*name).to_owned(), Answer::Text("ours".into()))).collect();
        let resolved = resolve(&manifest, built_in(), &given(&[]), &mut Ask::Nobody).unwrap();
        let app_dir = |text: &str| BTreeMap::from([("app_dir".to_owned(), Answer::Text(text.to_owned()))]);
        assert_eq!((&resolved.variables, &resolved.answers), (&app_dir("src"), &app_dir("src")));
        let resolved = resolve(&manifest, built_in(), &given(&["app_dir=lib"]), &mut Ask::Nobody).unwrap();
        assert_eq!((resolved.answers, resolved.warnings), (app_dir("lib"), Vec::new()));
    }

    const DEPENDENT: &str = r#"
        [placeholders]
        db = { prompt = "Database?", type = "bool", default = false }
        db_name = { prompt = "Its name?", regex = "^[a-z-]+$", default = "static" }
        mode = { prompt = "Mode?", choices = ["fast", "safe"] }
        [conditional.'db_name == "app-db"'.placeholders]
        more = { prompt = "More?", type = "bool", default = false }
        [create-app.placeholders.db_name]
        default = "{{ project-name }}-db"
        when = "db"
        [create-app.placeholders.mode]
        default = "{% if db %}safe{% else %}fast{% endif %}"
    "#;

    fn dependent(name: &str, given: &GivenValues) -> Result<Resolved> {
        let built_in = BTreeMap::from([("project-name".to_owned(), Answer::Text(name.to_owned()))]);
        resolve(&manifest(DEPENDENT), built_in, given, &mut Ask::Nobody)
    }

    #[test]
    fn a_default_follows_from_earlier_answers() {
        let resolved = dependent("app", &given(&["db=true"])).unwrap();
        let text = |text: &str| Answer::Text(text.to_owned());
        assert_eq!((&resolved.answers["db_name"], &resolved.answers["mode"]), (&text("app-db"), &text("safe")));
        // What is computed is an answer as any other, for conditions too, and nobody chose it.
        assert!(resolved.answers.contains_key("more") && resolved.unchosen.contains("db_name"));
        let resolved = dependent("app", &given(&["db=true", "db_name=mine"])).unwrap();
        assert_eq!(resolved.answers["db_name"], text("mine"));
        assert!(!resolved.unchosen.contains("db_name"));
    }

    #[test]
    fn the_user_is_asked_with_the_default_that_follows() {
        let mut asked = Vec::new();
        let mut user = |placeholder: &Placeholder| {
            asked.push((placeholder.name.clone(), placeholder.default().map(|answer| answer.to_string())));
            Ok(placeholder.default().unwrap_or(Answer::Text("good".to_owned())))
        };
        let built_in = BTreeMap::from([("project-name".to_owned(), Answer::Text("App".to_owned()))]);
        let manifest = manifest(DEPENDENT);
        resolve(&manifest, built_in, &given(&["db=true"]), &mut Ask::User(&mut user)).unwrap();
        // A default that is no answer is not offered.
        assert_eq!(asked, [("db_name".to_owned(), None), ("mode".to_owned(), Some("safe".to_owned()))]);
    }

    #[test]
    fn a_default_that_is_no_answer_is_told_where_nobody_is_asked() {
        let problem = dependent("App", &given(&["db=true"])).unwrap_err().0.remove(0);
        assert_eq!(problem.code, Code::AnswerMissing);
        assert_eq!(problem.label, "renders to `App-db`, which does not match `^[a-z-]+$`");
        assert_eq!(problem.place.unwrap().line_column(), (9, 19));
    }

    #[test]
    fn a_question_that_does_not_apply_has_a_variable_and_no_answer() {
        use super::super::given::values_of;
        let resolved = dependent("app", &given(&[])).unwrap();
        assert_eq!(resolved.variables["db_name"], Answer::Text("app-db".into()));
        assert!(!resolved.answers.contains_key("db_name"));
        // What is recorded of it goes.
        let recorded = values_of([("db_name".to_owned(), Answer::Text("old".into()))]);
        let resolved = dependent("app", &recorded).unwrap();
        assert!(!resolved.answers.contains_key("db_name"));
        assert_eq!(resolved.variables["db_name"], Answer::Text("app-db".into()));
        // To give one in this run is a mistake.
        let problem = dependent("app", &given(&["db_name=x"])).unwrap_err().0.remove(0);
        assert_eq!(problem.title, "`db_name` is not asked with these answers: the value given by -d is not used");
        assert_eq!(problem.place.unwrap().line_column(), (10, 16));
    }

    #[test]
    fn what_no_condition_asks_has_a_default_for_the_files_alone() {
        let manifest = manifest(
            "[conditional.'is_init'.placeholders]\nb = { prompt = \"?\", default = \"x\" }\na = { prompt = \"?\", default = \"x\" }\n\
             c = { prompt = \"?\", default = \"x\" }\n[conditional.'a == \"xA\"']\nignore = [\"file\"]\n\
             [create-app.placeholders]\na.default = \"{{ b }}A\"\nb.default = \"x\"\n",
        );
        let resolved = resolve(&manifest, BTreeMap::new(), &given(&[]), &mut Ask::Nobody).unwrap();
        let text = |name: &str, value: &str| (name.to_owned(), Answer::Text(value.to_owned()));
        assert_eq!(resolved.variables, BTreeMap::from([text("a", "xA"), text("b", "x")]));
        assert!(resolved.answers.is_empty() && resolved.selection.ignore.is_empty());
        // One that is given counts, as without it.
        let resolved = resolve(&manifest, BTreeMap::new(), &given(&["a=B"]), &mut Ask::Nobody).unwrap();
        assert_eq!(resolved.answers, BTreeMap::from([text("a", "B")]));
    }

    #[test]
    fn a_question_that_was_not_asked_has_an_empty_answer_in_a_default() {
        let manifest = manifest(
            "[placeholders]\na = { prompt = \"?\", type = \"bool\" }\nb = { prompt = \"?\" }\n\
             [create-app.placeholders.a]\nwhen = \"false\"\n[create-app.placeholders.b]\n\
             default = \"{% if a %}yes{% else %}no{% endif %}\"\n",
        );
        let resolved = resolve(&manifest, BTreeMap::new(), &given(&[]), &mut Ask::Nobody).unwrap();
        assert_eq!(resolved.answers, BTreeMap::from([("b".to_owned(), Answer::Text("no".into()))]));
    }

    #[test]
    fn a_built_in_variable_that_follows_from_the_place_cannot_be_given() {
        let manifest = manifest(QUESTIONS);
        let given = given(&["title=T", "app_dir=x"]);
        let resolved = resolve(&manifest, BTreeMap::new(), &given, &mut Ask::Nobody).unwrap();
        assert_eq!(resolved.warnings[0].help.as_deref(), Some("it follows from where the project is; leave it out"));
    }

    #[test]
    fn conditions_see_the_value_that_replaces_a_built_in_one() {
        let manifest = manifest(
            "[conditional.'crate_type == \"lib\"']\nignore = [\"main.rs\"]\n[conditional.'!is_init']\nignore = [\"x\"]\n",
        );
        let built_in = || {
            BTreeMap::from([
                ("crate_type".to_owned(), Answer::Text("bin".into())),
                ("is_init".to_owned(), Answer::Bool(true)),
            ])
        };
        let ignored = |texts: &[&str]| {
            let resolved = resolve(&manifest, built_in(), &given(texts), &mut Ask::Nobody).unwrap();
            resolved.selection.ignore
        };
        assert_eq!(ignored(&[]).len(), 0);
        assert_eq!(ignored(&["crate_type=lib", "is_init=False"]).len(), 2);
        let given = given(&["is_init=maybe"]);
        let problems = resolve(&manifest, built_in(), &given, &mut Ask::Nobody).unwrap_err().0;
        assert_eq!(problems[0].help.as_deref(), Some("give -d is_init=true or -d is_init=false"));
    }
}
