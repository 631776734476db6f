//! The rules for a project's name.

use heck::{ToKebabCase, ToSnakeCase};

use crate::diagnostic::{Code, Diagnostic};
use crate::placeholders::pattern::Pattern;
use crate::tree::RelPath;

/// The form that cargo-generate gives a name: snake case stays, everything else becomes kebab case.
#[must_use]
pub fn sanitise(name: &str) -> String {
    let snake = name.to_snake_case();
    if snake == name { snake } else { name.to_kebab_case() }
}

/// Checks a project's name. cargo-generate would rename the project; we say what is wrong instead, because the name is in
/// the path that the user typed.
///
/// `pattern` is the template's own rule, where it has one.
///
/// # Errors
///
/// Says why the name is not valid, and suggests one that is.
pub fn check(name: &str, pattern: Option<&Pattern>) -> Result<(), Diagnostic> {
    let reason = if name.is_empty() || sanitise(name).is_empty() {
        "a name needs at least one letter".to_owned()
    } else if sanitise(name) != name {
        "use lower-case letters and digits, separated by `-` or `_`".to_owned()
    } else if let Err(reason) = RelPath::new(name) {
        format!("a directory of this name {reason}")
    } else {
        match pattern {
            Some(pattern) if !fits(pattern, name) => format!("this template requires a name that matches `{pattern}`"),
            _ => return Ok(()),
        }
    };
    let help = match suggest(name, pattern) {
        Some(valid) => format!("try `{valid}`"),
        None => "choose another name".to_owned(),
    };
    Err(Diagnostic::error(Code::ProjectName, format!("`{name}` is not a valid project name: {reason}")).help(help))
}

/// Checks a name that is taken as it is: any that one directory can have.
///
/// # Errors
///
/// Says why no such directory can exist.
pub fn check_forced(name: &str) -> Result<(), Diagnostic> {
    let reason = match RelPath::new(name) {
        Ok(path) if path.depth() == 1 => return Ok(()),
        Ok(_) => "it has more than one directory in it".to_owned(),
        Err(reason) => format!("a directory of this name {reason}"),
    };
    let title = format!("`{name}` is not a valid project name: {reason}");
    Err(Diagnostic::error(Code::ProjectName, title).help("choose another name"))
}

/// Whether a name is as the template wants it; one that is too long to say is not.
fn fits(pattern: &Pattern, name: &str) -> bool {
    pattern.is_match(name).unwrap_or(false)
}

/// The name itself where it is valid, else one that is like it.
#[must_use]
pub fn nearest(name: &str, pattern: Option<&Pattern>) -> String {
    match check(name, pattern) {
        Ok(()) => name.to_owned(),
        Err(_) => suggest(name, pattern).unwrap_or_else(|| name.to_owned()),
    }
}

/// A valid name that is like `name`.
fn suggest(name: &str, pattern: Option<&Pattern>) -> Option<String> {
    let kebab = sanitise(name).to_kebab_case();
    let ascii: String = kebab.chars().filter(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-').collect();
    let short: String = ascii.chars().take(30).collect();
    let candidates = [
        kebab,
        ascii.clone(),
        if ascii.is_empty() { String::new() } else { format!("app-{ascii}") },
        short,
        "my-app".to_owned(),
    ];
    candidates.into_iter().map(|name| name.trim_matches('-').to_owned()).find(|name| {
        let fits = pattern.is_none_or(|pattern| fits(pattern, name));
        !name.is_empty() && sanitise(name) == *name && RelPath::new(name.as_str()).is_ok() && fits
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn help(name: &str) -> String {
        let pattern = Pattern::compile("^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$", &Default::default()).unwrap();
        check(name, Some(&pattern)).unwrap_err().help.unwrap()
    }

    #[test]
    fn valid_names_pass() {
        for name in ["promotion-test", "my_app", "a", "v2"] {
            assert_eq!(check(name, None), Ok(()), "{name}");
        }
    }

    #[test]
    fn a_forced_name_is_that_of_one_directory() {
        assert!(["lockFirmware", "My App", "2048"].iter().all(|name| check_forced(name).is_ok()));
        assert!(["", "a/b", "..", ".git", "con", "a\u{1b}"].iter().all(|name| check_forced(name).is_err()));
    }

    #[test]
    fn invalid_names_come_with_a_valid_one() {
        assert_eq!(help("My App"), "try `my-app`");
        assert_eq!(help("myApp2"), "try `my-app2`");
        assert_eq!(help("my_app"), "try `my-app`");
        assert_eq!(help("2048"), "try `app-2048`");
        assert_eq!(help("größe"), "try `gre`");
        assert_eq!(help("..."), "try `my-app`");
        assert_eq!(help(""), "try `my-app`");
        assert!(help(&"x".repeat(60)).starts_with("try `xxx"));
        assert_eq!(check("con", None).unwrap_err().help.unwrap(), "try `app-con`");
    }
}
