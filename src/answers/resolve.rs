//! From questions and given values to the value of every variable.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::given::{self, Given, GivenValues, Source, spell};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Facts, Found, Result, Severity, nearest};
use crate::liquid::Lines;
use crate::manifest::{Conditional, Manifest, Selection};
use crate::placeholders::built_in::{Trait, is_built_in};
use crate::placeholders::choice::{self, Choice};
use crate::placeholders::condition::{Conditions, Cost, TooMuch};
use crate::placeholders::{Answer, Kind, Placeholder, When};

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
    /// Values that no placeholder asks for, and who gave them. They are variables, too, as in cargo-generate, but a mistake in
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
    let own: Vec<&str> = Trait::Ours.names().filter(|name| declared.contains_key(name)).collect();
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
    let title = "the manifest's conditions take too much work";
    Diagnostic::error(Code::TooLarge, title)
        .at(manifest.place(span), "stopped here")
        .help("compare answers with plain text, and avoid functions that go through long texts or lists")
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
    /// The cost of conditions.
    cost: Cost,
    lines: &'a Lines,
}

impl<'a> Resolver<'a> {
    /// Refuses what was given wrongly before anybody is asked anything. What was recorded, and is not an answer any more, is asked again where
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
                let help = "it is set from the project's location; leave it out";
                let title = format!("`{name}` is a built-in variable: the value given by {} is not used", given.by);
                self.warnings.push(Diagnostic::warning(Code::AnswerUnknown, title).help(help));
            }
        }
    }

    /// Whether a variable follows from the project, so that nobody can give it.
    fn is_fixed(&self, name: &str) -> bool {
        is_built_in(name) && !Trait::Replaceable.has(name) && !self.own.contains(&name)
    }

    /// Gives built-in variables the values that were given for them, before any condition or question sees them.
    fn replace_built_in(&mut self) {
        for name in Trait::Replaceable.names() {
            let Some(given) = self.given.get(name).filter(|_| !self.own.contains(&name)) else { continue };
            let bool_of = |text: &str| match text.to_lowercase().as_str() {
                "true" => Some(true),
                "false" => Some(false),
                _ => None,
            };
            let answer = match &given.value {
                toml::Value::Boolean(value) if Trait::Bool.has(name) => Answer::Bool(*value),
                toml::Value::String(text) if Trait::Bool.has(name) => match bool_of(text) {
                    Some(value) => Answer::Bool(value),
                    None => {
                        let title = format!("`{name}` from {} is neither true nor false", given.by);
                        let help = format!("pass -d {name}=true or -d {name}=false");
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
            // Its problem has been reported, or is reported here for a question of a condition.
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
        let title =
            format!("`{name}` is not asked for with these answers: the value given by {} is not used", given.by);
        let place = self.manifest.place(when.expression.span.clone());
        let help = "leave it out, or change the answers that the condition depends on";
        let problem = |problem: Diagnostic| problem.at(place, "is false").help(help);
        match given.by {
            Source::Flag => self.problems.push(problem(Diagnostic::error(Code::AnswerInvalid, title))),
            Source::File(_) => self.warnings.push(problem(Diagnostic::warning(Code::AnswerUnknown, title))),
            // The environment is not only there for this template; the summary of an upgrade shows which answers go.
            Source::Environment(_) | Source::Configuration | Source::Lock => {}
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
            return Err(Diagnostic::error(Code::AnswerInvalid, title).help("use a string, a bool or an array"));
        };
        placeholder.parse(&text).map_err(|rejection| {
            let title = if placeholder.secret {
                format!("the answer for `{name}` {}", rejection.reason)
            } else {
                format!("`{name}` cannot be `{text}`: it {}", rejection.reason)
            };
            let facts = rejection.about(name, &text);
            Diagnostic::error(Code::AnswerInvalid, title)
                .maybe_about(facts)
                .at(self.manifest.place(placeholder.span.clone()), format!("given by {}", given.by))
                .help(match given.by {
                    Source::Lock => format!("{}; run the command again with {}", rejection.help, ways(placeholder)),
                    _ => rejection.help,
                })
        })
    }

    /// What no condition asks has its computed default, for the files; without one it is not a variable, as in cargo-generate.
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

    /// Values that no placeholder asks for are variables, too, as in cargo-generate; most are mistakes, all the same.
    fn add_undeclared(&mut self) {
        for (name, given) in self.given {
            // What an init hook has set stays, as in cargo-generate.
            let is_set = self.variables.contains_key(name) && !is_built_in(name);
            let is_settled = is_set || self.answers.contains_key(name) || self.skipped.contains(name.as_str());
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
    let for_this_run = |by: &Source| !matches!(by, Source::Environment(_) | Source::Configuration | Source::Lock);
    let is_other = |name: &str, by: &Source| !declared.contains_key(name) && for_this_run(by);
    let others = given.iter().filter(|(other, given)| is_other(other, &given.by)).map(|(other, _)| other.as_str());
    let slip = nearest(name, others).and_then(|slip| Some((slip, &given.get(slip)?.by)));
    let help = match slip {
        Some((slip, by)) => format!("`{slip}` was given by {by}: did you mean `{name}`?"),
        // Other users of the machine, and the shell's history, see a command line.
        None if placeholder.secret => "pass it in a --values-file, or run the command at a terminal".to_owned(),
        None => match given::some_option(name, &example) {
            Some(option) => format!("pass it with {option} or in a --values-file, or run the command at a terminal"),
            None => "pass it in a --values-file, or run the command at a terminal".to_owned(),
        },
    };
    Diagnostic::error(Code::AnswerMissing, format!("no answer for `{name}`, and nobody to ask for one"))
        .about(Facts::Unanswered(name.clone()))
        .at(manifest.place(placeholder.span.clone()), placeholder.prompt.clone())
        .help(help)
}

/// The options that give another answer.
fn ways(placeholder: &Placeholder) -> String {
    const SHOWN: usize = 8;
    let answers = match &placeholder.kind {
        Kind::Text { .. } => vec!["VALUE".to_owned()],
        Kind::Choice { choices, .. } => choice::values(choices).take(SHOWN).map(str::to_owned).collect(),
        Kind::Bool { .. } => ["true", "false"].map(str::to_owned).to_vec(),
        Kind::Array { choices, .. } => vec![shortened(choices, ",")],
    };
    let answers = answers.into_iter().filter(|_| !placeholder.secret).map(Answer::Text);
    let options: Vec<String> = answers.filter_map(|answer| given::option(&placeholder.name, &answer)).collect();
    if options.is_empty() { "a --values-file that has another answer".to_owned() } else { options.join(" or ") }
}

/// The first of some choices.
fn shortened(choices: &[Choice], between: &str) -> String {
    const SHOWN: usize = 20;
    let more = if choices.len() > SHOWN { "…" } else { "" };
    choice::values(choices)
        .take(SHOWN)
        .chain(Some(more).filter(|more| !more.is_empty()))
        .collect::<Vec<_>>()
        .join(between)
}

#[cfg(test)]
mod tests;
