//! The variables that every template has without asking.

use std::collections::BTreeMap;

use heck::ToSnakeCase;

use self::Trait::{AtInit, Bool, OfTheStart, Ours, Remembered, Replaceable, Reserved};
use super::Answer;

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
    /// Whether a `Cargo.toml` is above the project.
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

/// What is special about a built-in variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trait {
    /// cargo-generate does not have it: a template may ask for its own of this name.
    Ours,
    /// cargo-generate reserves the name: no placeholder has it.
    Reserved,
    /// `-d` and a values file may replace its value: so it is with all of cargo-generate's. The project's own name is set before.
    Replaceable,
    /// It is true or false.
    Bool,
    /// The next machine, or the next run, may have another value of it: where a template uses it, the lock remembers its value.
    Remembered,
    /// It says how the project was started, which a later run cannot tell: it takes the value from the lock.
    OfTheStart,
    /// An init hook sees it.
    AtInit,
}

/// Every built-in variable, and what is special about it.
const TABLE: [(&str, &[Trait]); 10] = [
    ("authors", &[Reserved, Replaceable, Remembered, AtInit]),
    ("username", &[Replaceable, Remembered, AtInit]),
    ("os-arch", &[Reserved, Replaceable, Remembered, AtInit]),
    ("crate_type", &[Reserved, Replaceable, Remembered, AtInit]),
    ("app_suffix", &[Ours, Replaceable, Remembered]),
    ("crate_name", &[Reserved, Replaceable]),
    ("is_init", &[Reserved, Replaceable, Bool, Remembered, OfTheStart, AtInit]),
    ("within_cargo_project", &[Reserved, Replaceable, Bool, Remembered, OfTheStart]),
    ("project-name", &[Reserved, Replaceable, OfTheStart, AtInit]),
    ("app_dir", &[Ours]),
];

/// The names of all built-in variables.
pub fn names<'n>() -> impl Iterator<Item = &'n str> + Clone {
    TABLE.iter().map(|(name, _)| *name)
}

/// Whether a variable is a built-in one.
#[must_use]
pub fn is_built_in(name: &str) -> bool {
    names().any(|built_in| built_in == name)
}

impl Trait {
    /// The built-in variables that have it.
    pub fn names(self) -> impl Iterator<Item = &'static str> + Clone {
        TABLE.iter().filter(move |(_, traits)| traits.contains(&self)).map(|(name, _)| *name)
    }

    /// Whether a built-in variable of this name has it.
    #[must_use]
    pub fn has(self, name: &str) -> bool {
        self.names().any(|built_in| built_in == name)
    }
}

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
    fn the_table_has_every_variable_once() {
        let facts = Facts {
            name: String::new(),
            app_dir: ".".into(),
            app_suffix: String::new(),
            is_init: false,
            within_cargo_project: false,
            author: None,
        };
        let variables = variables(&facts);
        let mut sorted: Vec<&str> = names().collect();
        sorted.sort_unstable();
        assert_eq!(sorted, variables.keys().map(String::as_str).collect::<Vec<_>>());
        let bools = variables.iter().filter(|(_, value)| matches!(value, Answer::Bool(_))).map(|(name, _)| name);
        assert_eq!(Bool.names().collect::<Vec<_>>(), bools.collect::<Vec<_>>());
        // What is not ours is cargo-generate's: all of that can be replaced.
        assert!(names().all(|name| Ours.has(name) || Replaceable.has(name)));
    }

    #[test]
    fn the_suffix_is_the_last_component_unless_it_is_taken() {
        assert_eq!(app_suffix(".", false), "");
        assert_eq!(app_suffix("apps/shop", false), "-shop");
        assert_eq!(app_suffix("apps/shop", true), "-apps-shop");
    }
}
