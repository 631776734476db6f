//! Questions of scripts: answered once, by given values, by the record, or by a person.

use std::sync::Arc;

use rhai::{Array, Dynamic, EvalAltResult, NativeCallContext, Position};

use super::engine::Native;
use super::{Phase, Shared, State, failure, lock, value};
use crate::answers::given::{self, Given, Source, spell};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Facts};
use crate::placeholders::choice::Choice;
use crate::placeholders::pattern::Pattern;
use crate::placeholders::{Answer, Input, Kind, Placeholder};

/// How many questions a phase may ask.
const MAX_QUESTIONS: usize = 1_000;
/// The longest name that is made of a question, in bytes.
const MAX_NAME: usize = 60;

pub(super) fn text(
    state: &Shared,
    context: &NativeCallContext<'_>,
    question: &str,
    default: Option<&str>,
    regex: Option<&str>,
) -> Native<Dynamic> {
    let memory = lock(state).regexes.clone();
    let compile = |text| Pattern::compile(text, &memory);
    let regex = regex.map(compile).transpose();
    let regex = regex.map_err(|_| format!("the regular expression of the question `{question}` cannot be used"))?;
    let kind = Kind::Text { input: Input::Line, default: default.map(str::to_owned), regex };
    ask(state, context, question, kind)
}

pub(super) fn yes_or_no(
    state: &Shared,
    context: &NativeCallContext<'_>,
    question: &str,
    default: bool,
) -> Native<Dynamic> {
    ask(state, context, question, Kind::Bool { default: Some(default) })
}

pub(super) fn choice(
    state: &Shared,
    context: &NativeCallContext<'_>,
    question: &str,
    default: &str,
    choices: Array,
) -> Native<Dynamic> {
    let choices: Vec<Choice> = choices.into_iter().map(|choice| choice.to_string().into()).collect();
    let known = choices.iter().find(|choice| choice.value == default).or(choices.first());
    let default =
        known.map(|choice| choice.value.clone()).ok_or_else(|| format!("the question `{question}` has no choices"))?;
    ask(state, context, question, Kind::Choice { choices, default: Some(default) })
}

fn ask(shared: &Shared, context: &NativeCallContext<'_>, question: &str, kind: Kind) -> Native<Dynamic> {
    let position = context.call_position();
    let (placeholder, ready, asker, clock) = {
        let mut state = lock(shared);
        if state.phase == Phase::Filter {
            return Err("a filter cannot ask questions: ask in a hook, and set a variable".into());
        }
        let is_inside = context.call_source().is_none_or(|source| source == state.script.path);
        let before = &state.script.text[..failure::span(&state.script.text, position).start];
        let name = name(if is_inside { before } else { "" }, question);
        if state.secret.contains(&name) {
            return Err(format!("`{name}` is secret: a value that a script derives from it would be recorded").into());
        }
        let placeholder = Placeholder::new(name, question, kind);
        let ready = ready(&mut state, &placeholder, position);
        (placeholder, ready, state.setting.ask, Arc::clone(&state.clock))
    };
    let (key, answer) = match ready {
        Ok((key, Some(answer))) => (key, Ok(answer)),
        // No other question, and no line, comes in between: the lock is free while a person thinks.
        Ok((key, None)) => match asker {
            Some(ask) => (key, clock.waiting(|| ask(&placeholder))),
            None => (key, without_anybody(&lock(shared), &placeholder, position)),
        },
        Err(problem) => return stop(shared, problem.into(), position),
    };
    match answer {
        Ok(answer) => {
            let shown = value::of(&answer);
            lock(shared).answers.asked.insert(key, answer);
            Ok(shown)
        }
        Err(problems) => stop(shared, problems, position),
    }
}

/// Ends the run, whatever the script would make of an error.
fn stop<T>(shared: &Shared, problems: Diagnostics, position: Position) -> Native<T> {
    lock(shared).failure = Some(problems);
    Err(EvalAltResult::ErrorTerminated(Dynamic::UNIT, position).into())
}

/// The answer that nobody has to be asked for, where there is one.
fn ready(
    state: &mut State,
    placeholder: &Placeholder,
    position: Position,
) -> Result<(String, Option<Answer>), Diagnostic> {
    if state.answers.count() >= MAX_QUESTIONS {
        let title = format!("the hook asks more than {MAX_QUESTIONS} questions");
        return Err(failure::at(state, Code::TooLarge, title, position, "one too many")
            .help("make sure that the loop ends: where nobody is asked, every question returns its default"));
    }
    let script = state.script.path.clone();
    let key = state.answers.next(&script, &placeholder.prompt);
    if let Some(given) = state.given_now(&placeholder.name) {
        return Ok((key, Some(accepted(state, placeholder, given, position)?)));
    }
    let known = state.answers.asked.get(&key).or_else(|| state.setting.recorded.get(&key));
    // A recorded answer that is none any more is asked for again.
    let known = known.and_then(|answer| placeholder.parse(&answer.to_string()).ok());
    let recorded = || match state.setting.given.get(&placeholder.name) {
        Some(given) if given.by == Source::Lock => placeholder.parse(&spell(&given.value)?).ok(),
        _ => None,
    };
    let answer = known.or_else(recorded);
    Ok((key, answer))
}

fn accepted(state: &State, placeholder: &Placeholder, given: &Given, position: Position) -> Result<Answer, Diagnostic> {
    let name = &placeholder.name;
    let label = format!("given by {}", given.by);
    let refuse =
        |title: String, help: String| failure::at(state, Code::AnswerInvalid, title, position, &label).help(help);
    let Some(text) = spell(&given.value) else {
        return Err(refuse(format!("the value of `{name}` is a table"), "use a string or a bool".to_owned()));
    };
    placeholder.parse(&text).map_err(|rejection| {
        let facts = rejection.about(name, &text);
        refuse(format!("`{name}` cannot be `{text}`: it {}", rejection.reason), rejection.help).maybe_about(facts)
    })
}

/// The default, or what is missing.
fn without_anybody(state: &State, placeholder: &Placeholder, position: Position) -> Result<Answer, Diagnostics> {
    let name = &placeholder.name;
    if let Some(default) = placeholder.default() {
        return placeholder.parse(&default.to_string()).map_err(|rejection| {
            let title = format!("the default of the question `{}` {}", placeholder.prompt, rejection.reason);
            let way = given::some_option(name, "VALUE").unwrap_or_else(|| "it in a --values-file".to_owned());
            failure::at(state, Code::AnswerInvalid, title, position, "asked here").help(format!("pass {way}")).into()
        });
    }
    let example = match &placeholder.kind {
        Kind::Bool { .. } => "true|false".to_owned(),
        _ => "VALUE".to_owned(),
    };
    let way = given::some_option(name, &example).map_or(String::new(), |option| format!("with {option} or "));
    let title = format!("no answer for `{name}`, and nobody to ask for one");
    Err(failure::at(state, Code::AnswerMissing, title, position, &placeholder.prompt)
        .about(Facts::Unanswered(name.clone()))
        .help(format!("pass it {way}in a --values-file, or run the command at a terminal"))
        .into())
}

/// The name by which an answer can be given: that of the variable that takes it, `variable::set("NAME", …)` or `NAME = …`, in the
/// statement of the question; elsewhere, the question itself in snake case.
fn name(before: &str, question: &str) -> String {
    let statement = before.rsplit([';', '\n']).next().unwrap_or_default();
    let statement =
        if assigned(statement).is_some() { statement } else { before.rsplit(';').next().unwrap_or_default() };
    assigned(statement).unwrap_or_else(|| slug(question))
}

/// The last variable that a text assigns something to.
fn assigned(statement: &str) -> Option<String> {
    let set = statement.rfind("variable::set(").and_then(|at| {
        let rest = statement[at..].split_once('(')?.1.trim_start();
        let quote = rest.chars().next().filter(|quote| ['"', '`'].contains(quote))?;
        let (name, rest) = rest[1..].split_once(quote)?;
        rest.trim_start().starts_with(',').then(|| (at, name.to_owned()))
    });
    let bytes = statement.as_bytes();
    let is_operator = |at: usize| bytes.get(at).is_some_and(|byte| b"=!<>".contains(byte));
    let equals = statement.rmatch_indices('=').map(|(at, _)| at);
    let equals = equals.filter(|&at| !(is_operator(at + 1) || at > 0 && is_operator(at - 1)));
    let assignment = equals.into_iter().find_map(|at| {
        let before = statement[..at].trim_end();
        let start = before
            .rfind(|c: char| !(c.is_alphanumeric() || c == '_'))
            .map_or(0, |at| before.ceil_char_boundary(at + 1));
        let name = &before[start..];
        (!name.is_empty() && statement.len() >= at).then(|| (at, name.to_owned()))
    });
    [set, assignment].into_iter().flatten().max().map(|(_, name)| name)
}

/// Whether a script has a question that is known by this name, for want of a variable.
pub(super) fn asks_for(text: &str, name: &str) -> bool {
    text.split(['"', '`']).filter(|piece| piece.len() < 1_000).any(|piece| slug(piece) == name)
}

fn slug(question: &str) -> String {
    use heck::ToSnakeCase as _;
    let plain: String = question.chars().filter(|c| c.is_ascii_alphanumeric() || " -_".contains(*c)).collect();
    let name = plain.to_snake_case();
    let name: String = name.trim_start_matches(|c: char| !c.is_ascii_alphabetic()).chars().take(MAX_NAME).collect();
    if name.is_empty() { "answer".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_named_after_the_variable_that_takes_its_answer() {
        for (before, expected) in [
            ("variable::set(\"license\", ", "license"),
            ("let x = 1;\nlet user_name = ", "user_name"),
            ("while true {\n  license = ", "license"),
            (
                "let use_git = if variable::is_set(\"use_git\") {\n    variable::get(\"use_git\")\n} else {\n    ",
                "use_git",
            ),
            ("variable::set(\n  \"a-b\",\n  ", "a-b"),
            ("if x == 1 { print(", "which_one_2"),
            ("", "which_one_2"),
        ] {
            assert_eq!(name(before, "Which one? 2"), expected, "{before}");
        }
        assert_eq!(name("", "¿?"), "answer");
    }
}
