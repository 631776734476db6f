//! Text that is written in the user's editor.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::Command;

use crossterm::event::{KeyCode, KeyEvent};

use super::frame::Frame;
use super::screen::{Input, Screen};
use super::text::{default_of, lines};
use super::{Asked, Escape, FIRST, Stop, Way, as_text, cancelled, shown, style};
use crate::diagnostic::io_reason;
use crate::limits::SETTINGS;
use crate::placeholders::{Answer, Placeholder};
use crate::rooted::read_named;
use crate::terminal::escape_control;

/// Asks in the user's editor, which starts with the default; at the terminal where that editor cannot be run.
pub(super) fn edited(placeholder: &Placeholder, draft: Option<&Answer>, way: &mut Way) -> Asked<Answer> {
    let (program, arguments) = editor_command();
    let default = default_of(placeholder).unwrap_or_default();
    let mut text = draft.and_then(as_text).unwrap_or(default).to_owned();
    let mut problem = None;
    loop {
        let look = |text: &str, problem: Option<&str>| frame(placeholder, &program, default, problem, text, way.escape);
        let Some(screen) = submitted(placeholder, &text, &mut problem, look, way)? else {
            match run(&program, &arguments, &text) {
                Ok(Ok(edited)) => text = edited,
                Ok(Err(reason)) => problem = Some(reason),
                Err(error) => {
                    let reason = io_reason(&error);
                    let remark = format!("cannot edit with `{program}`: {reason}; VISUAL and EDITOR name the editor");
                    return lines(placeholder, draft, Some(remark), way);
                }
            }
            continue;
        };
        way.rows += screen.close(&answered(placeholder, &text))?;
        return Ok(Answer::Text(text));
    }
}

/// Waits for Enter on a text that is an answer; or for `e`, which opens the editor: nothing is returned for that.
fn submitted(
    placeholder: &Placeholder,
    text: &str,
    problem: &mut Option<String>,
    look: impl Fn(&str, Option<&str>) -> Frame,
    way: &Way,
) -> Asked<Option<Screen>> {
    let mut screen = Screen::open()?;
    loop {
        screen.draw(&look(text, problem.take().as_deref()))?;
        match Screen::input()? {
            Input::Submit => match placeholder.parse(text) {
                Ok(_) => return Ok(Some(screen)),
                Err(rejection) => *problem = Some(format!("the text {}", rejection.reason)),
            },
            Input::Key(KeyEvent { code: KeyCode::Char('e' | 'E'), .. }) => {
                screen.erase(0)?;
                return Ok(None);
            }
            Input::Back if way.escape == Escape::First => *problem = Some(FIRST.to_owned()),
            Input::Back if way.escape == Escape::Back => {
                screen.erase(way.rows + way.above)?;
                return Err(Stop::Back);
            }
            Input::Back | Input::Cancel => {
                screen.close(&cancelled(&placeholder.prompt))?;
                return Err(Stop::Cancelled);
            }
            Input::Key(_) | Input::Paste(_) | Input::Resized => {}
        }
    }
}

fn frame(
    placeholder: &Placeholder,
    program: &str,
    default: &str,
    problem: Option<&str>,
    text: &str,
    escape: Escape,
) -> Frame {
    let program = Path::new(program).file_name().map_or_else(|| program.into(), |name| name.to_string_lossy());
    let mut frame = Frame::default();
    frame.text("? ", style::PREFIX).words(shown(&placeholder.prompt), style::PLAIN).words(" ", style::PLAIN);
    frame.words(format!("[(e) to open {}, (enter) to submit]", escape_control(&program)), style::FAINT);
    frame.words(" ", style::PLAIN).cursor();
    if let Some(problem) = problem {
        frame.line().words(format!("✗ {}", escape_control(problem)), style::WRONG);
    }
    let kind = if text == default { "default" } else { "now" };
    let held = if text.is_empty() { String::new() } else { format!("{kind}: {}", summary(text)) };
    let hints = [held, escape.hint().to_owned()];
    for hint in hints.iter().filter(|hint| !hint.is_empty()) {
        frame.line().words(format!("[{hint}]"), style::HINT);
    }
    frame
}

fn answered(placeholder: &Placeholder, text: &str) -> Frame {
    let mut frame = Frame::default();
    frame.text("✔ ", style::PREFIX).words(shown(&placeholder.prompt), style::PLAIN).words(" ", style::PLAIN);
    frame.text(summary(text), style::ANSWER);
    frame
}

/// Runs the editor on a file that holds the text, and returns what the file holds then, or why that cannot be used.
fn run(program: &str, arguments: &[String], text: &str) -> io::Result<Result<String, String>> {
    let mut file = tempfile::Builder::new().suffix(".txt").tempfile()?;
    file.write_all(text.as_bytes())?;
    file.flush()?;
    let path = file.into_temp_path();
    let status = Command::new(program).args(arguments).arg(&path).status()?;
    if !status.success() {
        return Ok(Err(format!("the editor ended with {status}; the text is as it was")));
    }
    let read = read_named(&path, SETTINGS).map_err(|failure| failure.to_string());
    let text = read.and_then(|bytes| String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned()));
    Ok(text
        .map(|text| text.replace("\r\n", "\n").trim_end_matches('\n').to_owned())
        .map_err(|reason| format!("cannot read the text: {reason}")))
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
