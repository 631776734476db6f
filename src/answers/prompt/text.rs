//! Free text: one line, several lines, or the user's editor.

use std::cell::RefCell;
use std::ffi::OsStr;
use std::path::Path;
use std::rc::Rc;

use inquire::autocompletion::{Autocomplete, Replacement};
use inquire::error::InquireResult;
use inquire::ui::RenderConfig;
use inquire::validator::Validation;
use inquire::{CustomUserError, Editor, InquireError, Password, Text};

use super::{YES_OR_NO, remarks, shown, theme, yes_or_no};
use crate::answers::placeholder::{Answer, Kind, Placeholder, Rejection};
use crate::diagnostic::io_reason;
use crate::terminal::escape_control;

/// Asks for one line.
pub(super) fn line(placeholder: &Placeholder) -> InquireResult<Answer> {
    let read = |placeholder: &Placeholder, typed: &str| {
        let typed = or_default(one_line(typed)?, default_of(placeholder));
        if typed.is_empty() && is_required(placeholder) { Err(nothing()) } else { placeholder.parse(typed) }
    };
    let judge = placeholder.clone();
    let help = match default_of(placeholder) {
        Some(_) if placeholder.secret => Some("enter alone takes the default, esc to cancel"),
        _ => (has_rule(placeholder) || is_required(placeholder)).then_some("enter to accept, esc to cancel"),
    };
    let line = Line {
        question: &shown(&placeholder.prompt),
        default: default_of(placeholder),
        initial: None,
        help,
        theme: theme(),
        remark: &|typed| read(placeholder, typed).err().map(|rejection| rejection.help),
        check: Rc::new(move |typed| {
            let refuse = |rejection| if judge.secret { unseen(&rejection) } else { refusal(typed, &rejection) };
            read(&judge, typed).map(drop).map_err(refuse)
        }),
        hidden: placeholder.secret,
    };
    let typed = line.ask()?;
    read(placeholder, &typed).map_err(|rejection| InquireError::Custom(rejection.reason.into()))
}

/// Asks for several lines. An empty line may be part of the text, so it takes two of them to end it.
///
/// The remark says why the lines are asked for here, or again.
pub(super) fn lines(placeholder: &Placeholder, mut remark: Option<String>) -> InquireResult<Answer> {
    let mut typed = Vec::new();
    loop {
        typed = ask_lines(placeholder, &typed, remark.as_deref())?;
        match placeholder.parse(or_default(&typed.join("\n"), default_of(placeholder))) {
            Ok(answer) => return Ok(answer),
            Err(rejection) => remark = Some(format!("the text {}", rejection.reason)),
        }
    }
}

/// One pass over the lines, which starts with those of the pass before, where that was refused.
fn ask_lines(placeholder: &Placeholder, before: &[String], remark: Option<&str>) -> InquireResult<Vec<String>> {
    let question = shown(&placeholder.prompt);
    let mut lines: Vec<String> = Vec::new();
    loop {
        let first = lines.is_empty();
        let line = Line {
            question: if first { &question } else { "" },
            default: default_of(placeholder).filter(|_| first),
            initial: before.get(lines.len()).map(String::as_str),
            help: Some("two empty lines to finish, esc to cancel"),
            theme: if first { theme() } else { continuation(theme()) },
            remark: &|_| remark.filter(|_| first).map(str::to_owned),
            check: Rc::new(|_| Ok(())),
            hidden: placeholder.secret,
        };
        let typed = line.ask()?;
        if typed.is_empty() && lines.last().is_none_or(String::is_empty) {
            break;
        }
        lines.extend(typed.split('\n').map(str::to_owned));
    }
    lines.truncate(lines.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1));
    Ok(lines)
}

/// Asks for yes or no.
pub(super) fn hidden_yes_or_no(placeholder: &Placeholder, default: Option<bool>) -> InquireResult<bool> {
    let read = move |typed: &str| match typed.trim() {
        "" => default.ok_or(()),
        typed => yes_or_no(typed),
    };
    let line = Line {
        question: &shown(&placeholder.prompt),
        default: None,
        initial: None,
        help: Some("y or n, enter to accept, esc to cancel"),
        theme: theme(),
        remark: &|_| None,
        check: Rc::new(move |typed| read(typed).map(drop).map_err(|()| YES_OR_NO.to_owned())),
        hidden: true,
    };
    read(&line.ask()?).map_err(|()| InquireError::Custom(YES_OR_NO.into()))
}

/// Asks in the user's editor, which starts with the default; at the terminal where that editor cannot be run.
pub(super) fn editor(placeholder: &Placeholder) -> InquireResult<Answer> {
    let (program, arguments) = editor_command();
    let arguments: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
    let default = default_of(placeholder).unwrap_or_default();
    let question = shown(&placeholder.prompt);
    let help = format!("default: {}", summary(default));
    let judge = placeholder.clone();
    let mut editor = Editor::new(&question)
        .with_editor_command(OsStr::new(&program))
        .with_args(&arguments)
        .with_predefined_text(default)
        .with_formatter(&summary)
        .with_validator(move |text: &str| {
            Ok(verdict(judge.parse(&unix_lines(text)).map_err(|rejection| format!("the text {}", rejection.reason))))
        })
        .with_render_config(theme());
    editor.help_message = Some(help.as_str()).filter(|_| !default.is_empty());
    match editor.prompt() {
        Ok(text) => Ok(Answer::Text(unix_lines(&text))),
        Err(InquireError::IO(error)) => {
            let reason = io_reason(&error);
            lines(
                placeholder,
                Some(format!("cannot edit with `{program}`: {reason}; VISUAL and EDITOR name the editor")),
            )
        }
        Err(error) => Err(error),
    }
}

fn editor_command() -> (String, Vec<String>) {
    let mut set = ["VISUAL", "EDITOR"].iter().filter_map(|name| std::env::var(name).ok());
    let command = set.find(|value| !value.trim().is_empty()).unwrap_or_else(|| fallback_editor().into());
    if Path::new(&command).is_file() { (command, Vec::new()) } else { words(command) }
}

/// A program and its arguments, as in `code --wait`: quoted as in a shell, where there is one.
fn words(command: String) -> (String, Vec<String>) {
    let shell = if cfg!(windows) { None } else { shell_words::split(&command).ok() };
    let mut words = shell.unwrap_or_else(|| command.split_whitespace().map(str::to_owned).collect()).into_iter();
    (words.next().unwrap_or(command), words.collect())
}

fn fallback_editor() -> &'static str {
    let on_path = |name: &str| {
        std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(name).is_file()))
    };
    if cfg!(windows) {
        "notepad"
    } else if on_path("nano") {
        "nano"
    } else {
        "vi"
    }
}

/// Says why a text is no answer.
type Check = Rc<dyn Fn(&str) -> Result<(), String>>;

/// A line of input: what it says, and who watches it.
struct Line<'a> {
    question: &'a str,
    /// Shown, and meant by an empty line.
    default: Option<&'a str>,
    /// What the line holds at first.
    initial: Option<&'a str>,
    help: Option<&'a str>,
    theme: RenderConfig<'static>,
    /// What is said below the line about what is typed so far.
    remark: &'a dyn Fn(&str) -> Option<String>,
    /// Why the line cannot be submitted.
    check: Check,
    /// Whether nothing of what is typed is shown.
    hidden: bool,
}

impl Line<'_> {
    /// Returns what was typed: nothing, where the default was accepted.
    fn ask(&self) -> InquireResult<String> {
        if self.hidden {
            return self.ask_hidden();
        }
        let typed = Rc::new(RefCell::new(String::new()));
        let checked = Rc::clone(&typed);
        let default = self.default.filter(|default| !default.is_empty()).map(escape_control);
        let mut prompt = Text::new(self.question)
            .with_autocomplete(Watch { typed: Rc::clone(&typed), remark: self.remark })
            .with_validator(move |_: &str| Ok(verdict((self.check)(&checked.borrow()))))
            .with_formatter(&|text| escape_control(text.trim_end_matches('\n')).into_owned())
            .with_render_config(remarks(self.theme));
        prompt.default = default.as_deref();
        prompt.initial_value = self.initial;
        prompt.help_message = self.help;
        drop(prompt.prompt()?);
        Ok(typed.take())
    }

    fn ask_hidden(&self) -> InquireResult<String> {
        let check = Rc::clone(&self.check);
        let remark = (self.remark)("").map(|remark| escape_control(&remark).into_owned());
        let mut prompt = Password::new(self.question)
            .without_confirmation()
            .with_validator(move |typed: &str| Ok(verdict(check(typed))))
            .with_render_config(self.theme);
        prompt.help_message = remark.as_deref().or(self.help);
        prompt.prompt()
    }
}

/// Follows the typing. The library offers suggestions while the user types, but no validation: the remark takes their
/// place. It cannot be chosen, because what counts is what was typed, never what the library takes for the answer.
#[derive(Clone)]
struct Watch<'a> {
    typed: Rc<RefCell<String>>,
    remark: &'a dyn Fn(&str) -> Option<String>,
}

impl Autocomplete for Watch<'_> {
    fn get_suggestions(&mut self, input: &str) -> Result<Vec<String>, CustomUserError> {
        input.clone_into(&mut self.typed.borrow_mut());
        Ok((self.remark)(input).iter().map(|remark| escape_control(remark).into_owned()).collect())
    }

    fn get_completion(&mut self, _: &str, _: Option<String>) -> Result<Replacement, CustomUserError> {
        Ok(Replacement::None)
    }
}

/// The line below the first one of a text.
fn continuation(mut theme: RenderConfig<'static>) -> RenderConfig<'static> {
    theme.prompt_prefix.content = " ";
    theme.answered_prompt_prefix.content = " ";
    theme
}

fn default_of(placeholder: &Placeholder) -> Option<&str> {
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
    Rejection { reason: "is no answer".into(), help: "an answer is needed".into() }
}

fn or_default<'a>(typed: &'a str, default: Option<&'a str>) -> &'a str {
    default.filter(|_| typed.is_empty()).unwrap_or(typed)
}

/// What is pasted often ends a line; what holds several is no answer to a question that takes one.
fn one_line(typed: &str) -> Result<&str, Rejection> {
    let line = typed.trim_end_matches('\n');
    if line.contains('\n') {
        return Err(Rejection { reason: "has several lines".into(), help: "give a single line".into() });
    }
    Ok(line)
}

/// The same, without what was typed.
fn unseen(rejection: &Rejection) -> String {
    format!("the answer {}", rejection.reason)
}

fn refusal(typed: &str, rejection: &Rejection) -> String {
    let what = if typed.is_empty() { "an empty answer".into() } else { format!("`{typed}`") };
    format!("{what} {}", rejection.reason)
}

fn verdict<T>(judged: Result<T, String>) -> Validation {
    match judged {
        Ok(_) => Validation::Valid,
        Err(reason) => Validation::Invalid(escape_control(&reason).into_owned().into()),
    }
}

fn unix_lines(text: &str) -> String {
    text.replace("\r\n", "\n")
}

/// The first line of a text, and how many follow.
fn summary(text: &str) -> String {
    let mut lines = text.trim_end().lines();
    let first = escape_control(lines.next().unwrap_or_default());
    match lines.count() {
        0 => first.into_owned(),
        1 => format!("{first} (and 1 more line)"),
        more => format!("{first} (and {more} more lines)"),
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

    #[test]
    #[cfg(unix)] // Windows knows no quoting of its own: a path with a space is taken for one where it names a file.
    fn an_editor_may_have_arguments() {
        assert_eq!(words("vi".into()), ("vi".into(), vec![]));
        assert_eq!(words(" code  --wait ".into()), ("code".into(), vec!["--wait".into()]));
        assert_eq!(words("'/my apps/edit' -a ''".into()), ("/my apps/edit".into(), vec!["-a".into(), String::new()]));
        assert_eq!(words("it's".into()), ("it's".into(), vec![]));
    }

    #[test]
    fn a_summary_is_one_line_without_control_characters() {
        assert_eq!(summary(""), "");
        assert_eq!(summary("one\x1b[2J\n"), r"one\u{1b}[2J");
        assert_eq!(summary("one\n\ntwo\n"), "one (and 2 more lines)");
    }
}
