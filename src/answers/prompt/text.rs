//! Free text: one line, or several.

use super::line::Line;
use super::{Asked, Way, YES_OR_NO, as_text, yes_or_no};
use crate::placeholders::{Answer, Kind, Placeholder, Rejection};

/// Asks for one line.
pub(super) fn line(placeholder: &Placeholder, draft: Option<&Answer>, way: &mut Way) -> Asked<Answer> {
    let draft = draft.and_then(as_text);
    // What is not shown cannot be edited: Enter alone keeps it.
    let default = draft.filter(|_| placeholder.secret).or(default_of(placeholder));
    let read = |typed: &str| {
        let typed = or_default(one_line(typed)?, default);
        if typed.is_empty() && is_required(placeholder) { Err(nothing()) } else { placeholder.parse(typed) }
    };
    let refuse = |typed: &str, rejection: &Rejection| match placeholder.secret {
        true => format!("the answer {}", rejection.reason),
        false => refusal(typed, rejection, has_rule(placeholder)),
    };
    let check = |typed: &str| read(typed).map(drop).map_err(|rejection| refuse(typed, &rejection));
    let hint = match default {
        Some(_) if placeholder.secret && draft.is_some() => "enter alone keeps your answer",
        Some(_) if placeholder.secret => "enter alone takes the default",
        _ => "enter to accept",
    };
    let line = Line {
        default: default.filter(|_| !placeholder.secret),
        initial: draft.filter(|draft| !placeholder.secret && Some(*draft) != default).unwrap_or_default(),
        remark: &|typed| read(typed).err().map(|rejection| rejection.help).or_else(|| example(placeholder, typed)),
        is_hidden: placeholder.secret,
        ..Line::new(&placeholder.prompt, hint, &check)
    };
    let typed = line.ask(way)?;
    // The check has seen it.
    Ok(read(&typed).unwrap_or(Answer::Text(typed)))
}

/// The author's example, as long as nothing is typed.
fn example(placeholder: &Placeholder, typed: &str) -> Option<String> {
    let example = placeholder.wording.example.as_ref().filter(|_| typed.is_empty())?;
    Some(format!("for example {example}"))
}

/// Asks for several lines. An empty line may be part of the text, so it takes two of them to end it.
///
/// The remark says why the lines are asked for here, or again.
pub(super) fn lines(
    placeholder: &Placeholder,
    draft: Option<&Answer>,
    mut remark: Option<String>,
    way: &mut Way,
) -> Asked<Answer> {
    let draft = draft.and_then(as_text);
    // What is not shown cannot be edited: an empty text keeps it.
    let kept = draft.filter(|_| placeholder.secret);
    let shown = draft.filter(|draft| !placeholder.secret && !draft.is_empty());
    let mut typed: Vec<String> = shown.into_iter().flat_map(|draft| draft.split('\n')).map(str::to_owned).collect();
    let hint = if kept.is_some() { "an empty line keeps your answer" } else { "two empty lines to finish" };
    loop {
        typed = ask_lines(placeholder, &typed, (hint, remark.as_deref()), way)?;
        if let Some(kept) = kept.filter(|_| typed.is_empty()) {
            return Ok(Answer::Text(kept.to_owned()));
        }
        match placeholder.parse(or_default(&typed.join("\n"), default_of(placeholder))) {
            Ok(answer) => return Ok(answer),
            Err(rejection) => remark = Some(format!("the text {}", rejection.reason)),
        }
    }
}

/// One pass over the lines, which starts with those of the pass before, where that was refused.
fn ask_lines(
    placeholder: &Placeholder,
    before: &[String],
    (hint, remark): (&str, Option<&str>),
    way: &mut Way,
) -> Asked<Vec<String>> {
    let mut lines: Vec<String> = Vec::new();
    loop {
        let first = lines.is_empty();
        let question = if first { placeholder.prompt.as_str() } else { "" };
        let line = Line {
            prefix: if first { ["? ", "✔ "] } else { ["  ", "  "] },
            default: default_of(placeholder).filter(|_| first && !placeholder.secret),
            initial: before.get(lines.len()).map_or("", String::as_str),
            remark: &|typed| match remark.filter(|_| first) {
                Some(remark) => Some(remark.to_owned()),
                None => example(placeholder, typed).filter(|_| first),
            },
            is_hidden: placeholder.secret,
            ..Line::new(question, hint, &|_| Ok(()))
        };
        let typed = line.ask(way)?;
        // Those of the text that is asked for again may be empty, too.
        let is_beyond = placeholder.secret || lines.len() >= before.len();
        if typed.is_empty() && is_beyond && lines.last().is_none_or(String::is_empty) {
            break;
        }
        lines.extend(typed.split('\n').map(str::to_owned));
    }
    lines.truncate(lines.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1));
    Ok(lines)
}

/// Asks for yes or no.
pub(super) fn hidden_yes_or_no(
    placeholder: &Placeholder,
    draft: Option<bool>,
    default: Option<bool>,
    way: &mut Way,
) -> Asked<bool> {
    let hint = if draft.is_some() { "y or n; enter alone keeps your answer" } else { "y or n, then enter" };
    let default = draft.or(default);
    let read = |typed: &str| if typed.trim().is_empty() { default } else { yes_or_no(typed) };
    let check = |typed: &str| read(typed).map(drop).ok_or_else(|| YES_OR_NO.to_owned());
    let line = Line { is_hidden: true, ..Line::new(&placeholder.prompt, hint, &check) };
    // The check has seen it.
    Ok(read(&line.ask(way)?).unwrap_or_default())
}

pub(super) fn default_of(placeholder: &Placeholder) -> Option<&str> {
    match &placeholder.kind {
        Kind::Text { default, .. } => default.as_deref(),
        _ => None,
    }
}

fn has_rule(placeholder: &Placeholder) -> bool {
    matches!(placeholder.kind, Kind::Text { regex: Some(_), .. })
}

/// Whether the template's author left nothing that would allow an empty answer. `--silent` refuses it as well.
fn is_required(placeholder: &Placeholder) -> bool {
    matches!(placeholder.kind, Kind::Text { default: None, regex: None, .. })
}

fn nothing() -> Rejection {
    Rejection::new("is not an answer", "an answer is needed")
}

fn or_default<'a>(typed: &'a str, default: Option<&'a str>) -> &'a str {
    default.filter(|_| typed.is_empty()).unwrap_or(typed)
}

/// What is pasted often ends a line; what holds several is not an answer to a question that takes one.
fn one_line(typed: &str) -> Result<&str, Rejection> {
    let line = typed.trim_end_matches('\n');
    if line.contains('\n') {
        return Err(Rejection::new("has several lines", "enter a single line"));
    }
    Ok(line)
}

fn refusal(typed: &str, rejection: &Rejection, has_rule: bool) -> String {
    let what = if typed.is_empty() { "an empty answer".into() } else { format!("`{typed}`") };
    // The reason quotes the pattern, which comes last.
    match has_rule {
        true => format!("{what} is not accepted: {}", rejection.help),
        false => format!("{what} {}", rejection.reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pasted_line_end_is_dropped_and_a_second_line_is_refused() {
        assert_eq!(one_line("shop\n"), Ok("shop"));
        assert!(one_line("shop\nother").is_err());
    }
}
