//! The variables that every template has without asking.

use std::collections::BTreeMap;

use heck::ToSnakeCase;

use super::placeholder::Answer;

/// Where the built-in variables come from.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The project's name.
    pub name: String,
    /// Where the app lives in its repository: `.`, or a path with `/`.
    pub app_dir: String,
    /// What keeps the names of two apps in one repository apart: empty, or `-` and a name.
    pub app_suffix: String,
    /// Whether the project is made in an existing directory.
    pub is_init: bool,
    /// Whether a `Cargo.toml` stands above the project.
    pub within_cargo_project: bool,
    /// The user, where the template asks for one.
    pub author: Option<Author>,
}

/// The user as git knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The name.
    pub name: String,
    /// The address, where one is known.
    pub email: Option<String>,
}

/// Built-in variables that cargo-generate does not have: a template may ask for its own of these names.
pub const OURS: &[&str] = &["app_dir", "app_suffix"];

/// Built-in variables whose values `-d` and a values file may replace: all of cargo-generate's. The project's own name is set before.
pub const REPLACEABLE: &[&str] = &[
    "authors",
    "username",
    "os-arch",
    "crate_type",
    "app_suffix",
    "crate_name",
    "is_init",
    "within_cargo_project",
    "project-name",
];

/// Those that are a bool.
pub const BOOLS: &[&str] = &["is_init", "within_cargo_project"];

/// Built-in variables that the next machine, or the next run, may have other values of: where a template uses one, the
/// lock remembers its value.
pub const REMEMBERED: &[&str] =
    &["authors", "username", "os-arch", "crate_type", "app_suffix", "is_init", "within_cargo_project"];

/// Built-in variables that say how the project was started, and that a later run cannot tell: it takes them from the lock.
pub const OF_THE_START: &[&str] = &["project-name", "is_init", "within_cargo_project"];

/// The variables, by cargo-generate's rules; `app_dir` and `app_suffix` are ours.
#[must_use]
pub fn variables(facts: &Facts) -> BTreeMap<String, Answer> {
    let text = |value: &str| Answer::Text(value.to_owned());
    let (author, username) = match &facts.author {
        Some(Author { name, email: Some(email) }) => (format!("{name} <{email}>"), name.clone()),
        Some(Author { name, email: None }) => (name.clone(), name.clone()),
        None => Default::default(),
    };
    BTreeMap::from([
        ("project-name".into(), text(&facts.name)),
        ("crate_name".into(), text(&facts.name.to_snake_case())),
        ("crate_type".into(), text("bin")),
        ("authors".into(), text(&author)),
        ("username".into(), text(&username)),
        ("os-arch".into(), text(&format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH))),
        ("is_init".into(), Answer::Bool(facts.is_init)),
        ("within_cargo_project".into(), Answer::Bool(facts.within_cargo_project)),
        ("app_dir".into(), text(&facts.app_dir)),
        ("app_suffix".into(), text(&facts.app_suffix)),
    ])
}

/// The suffix for an app at `app_dir`: its last component, or all of them where that name is taken.
#[must_use]
pub fn app_suffix(app_dir: &str, taken: bool) -> String {
    match app_dir {
        "." => String::new(),
        _ if taken => format!("-{}", app_dir.replace('/', "-")),
        _ => format!("-{}", app_dir.rsplit('/').next().unwrap_or(app_dir)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_suffix_is_the_last_component_unless_it_is_taken() {
        assert_eq!(app_suffix(".", false), "");
        assert_eq!(app_suffix("apps/shop", false), "-shop");
        assert_eq!(app_suffix("apps/shop", true), "-apps-shop");
    }
}
