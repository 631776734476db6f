//! The last line of a failed run of cargo-generate, for scripts that look for it.

use crate::diagnostic::{Code, Diagnostic, Facts};

/// The last line, for problems that begin with this one.
pub(super) fn of(problem: &Diagnostic) -> String {
    const NO_REPOSITORY: &str = "Please check if the Git user / repository exists";
    let title = problem.title.as_str();
    let words = match (problem.code, problem.facts.as_deref()) {
        (_, Some(Facts::NoFolder)) => "Subfolder Error: The specified subfolder must be a valid folder.".to_owned(),
        (_, Some(Facts::OutsideOfTemplate)) => {
            "Subfolder Error: Invalid subfolder. Must be part of the template folder structure.".to_owned()
        }
        (Code::SourceUnreachable, _) | (_, Some(Facts::NoRepository)) => NO_REPOSITORY.to_owned(),
        (_, Some(Facts::Unanswered(name))) => {
            format!("variable `{name}` is missing default value in config file running in silent mode")
        }
        (_, Some(Facts::WrongItem { name, value })) => format!("`{value}` are not valid values for `{name}`"),
        (_, Some(Facts::Command { command, reason })) => {
            format!("System command `{command}` failed to execute: {reason}")
        }
        (Code::LiquidSyntax, None) if let Some(place) = &problem.place => {
            format!("Substitution skipped, found invalid syntax in {}", place.file)
        }
        (_, None) => title.to_owned(),
    };
    format!("Error: {words}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_cargo_generates() {
        let said = |code, title: &str| of(&Diagnostic::error(code, title));
        assert_eq!(said(Code::ProjectName, "`x` is bad"), "Error: `x` is bad");
        let git = "Error: Please check if the Git user / repository exists";
        assert_eq!(said(Code::SourceUnreachable, "cannot fetch `https://x`: no"), git);
        let about = |facts| of(&Diagnostic::error(Code::AnswerInvalid, "some title").about(facts));
        let command = Facts::Command { command: "mkdir a/b".into(), reason: "mkdir: no".into() };
        assert_eq!(about(command), "Error: System command `mkdir a/b` failed to execute: mkdir: no");
        let items = Facts::WrongItem { name: "a".into(), value: "x,y".into() };
        assert_eq!(about(items), "Error: `x,y` are not valid values for `a`");
    }
}
