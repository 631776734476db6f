//! The configuration of cargo-generate, which is the user's own: favorite templates, and values that every template gets.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;
use toml::de::DeTable;

use super::given::{Given, GivenValues, Source, Values, values};
use crate::diagnostic::{Code, Diagnostic, Place, Result};
use crate::limits::is_overfull_toml;

/// The contents of a configuration.
#[derive(Debug, Clone, Default)]
pub struct Configuration {
    /// The favorites by their names.
    pub favorites: BTreeMap<String, Favorite>,
    /// The values for every template.
    pub values: GivenValues,
    /// A private key for ssh, as it is spelled there.
    pub identity: Option<String>,
}

/// A template by a name of the user's.
#[derive(Debug, Clone, Default)]
pub struct Favorite {
    /// The user's description of it.
    pub description: Option<String>,
    /// Where it is.
    pub template: Location,
    /// The branch, tag or commit.
    pub branch: Option<String>,
    /// The same, by a tag.
    pub tag: Option<String>,
    /// The same, by a commit.
    pub revision: Option<String>,
    /// The template's folder.
    pub subfolder: Option<String>,
    /// Answers to its questions.
    pub values: GivenValues,
    /// Whether the project becomes a git repository; `None` if nothing is said.
    pub is_in_git: Option<bool>,
    /// Whether it goes into the directory itself.
    pub init: bool,
    /// Whether files are replaced.
    pub overwrite: bool,
}

/// Where a favorite is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// In the repository with this address.
    Git(String),
    /// In this directory.
    Path(String),
}

impl Default for Location {
    fn default() -> Self {
        Self::Path(".".to_owned())
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct File {
    defaults: Defaults,
    favorites: BTreeMap<String, Spanned<Table>>,
    values: Values,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Defaults {
    ssh_identity: Option<String>,
}

/// A table `[favorites.NAME]`.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Table {
    description: Option<String>,
    git: Option<String>,
    path: Option<String>,
    branch: Option<String>,
    tag: Option<String>,
    #[serde(alias = "rev")]
    revision: Option<String>,
    subfolder: Option<String>,
    values: Values,
    vcs: Option<Spanned<String>>,
    init: bool,
    overwrite: bool,
}

/// Reads the text of a configuration; what it has besides is not for us.
///
/// # Errors
///
/// Says what is wrong, and where; no line of the file is quoted, as an address or a value may hold a secret.
pub fn read(name: &str, text: &str) -> Result<Configuration> {
    let refuse = |span: Option<Range<usize>>, reason: &str, help: &str| {
        let place = Place::unquoted(name, text, span.unwrap_or_default());
        Diagnostic::error(Code::Configuration, format!("the configuration cannot be used: {reason}"))
            .at(place, "")
            .help(help)
    };
    const FIX: &str = "correct the file, or use another one with --config";
    if is_overfull_toml(text) {
        return Err(refuse(None, "it has too many keys, tables or arrays", FIX).into());
    }
    // The parser's messages are its own words; those of the deserializer quote values.
    if let Some(error) = DeTable::parse_recoverable(text).1.first() {
        return Err(refuse(error.span().map(|span| span.start..span.start), error.message(), FIX).into());
    }
    let file: File = toml::from_str(text)
        .map_err(|error| refuse(error.span().map(|span| span.start..span.start), "this has the wrong type", FIX))?;
    let own = |given: GivenValues| {
        let by = |given| Given { by: Source::Configuration, ..given };
        given.into_iter().map(|(name, given)| (name, by(given))).collect::<GivenValues>()
    };
    let mut configuration = Configuration {
        values: own(values(name, text, file.values)?),
        identity: file.defaults.ssh_identity,
        ..Configuration::default()
    };
    for (favorite, table) in file.favorites {
        let span = table.span();
        let table = table.into_inner();
        let template = match (table.git, table.path) {
            (Some(git), None) => Location::Git(git),
            (None, Some(path)) => Location::Path(path),
            (both, _) => {
                let what = if both.is_some() { "both `git` and `path`" } else { "neither `git` nor `path`" };
                let reason = format!("the favorite `{favorite}` has {what}");
                return Err(refuse(Some(span.start..span.start), &reason, "give it one of the two").into());
            }
        };
        let is_in_git = match &table.vcs {
            None => None,
            Some(vcs) if vcs.get_ref().eq_ignore_ascii_case("git") => Some(true),
            Some(vcs) if vcs.get_ref().eq_ignore_ascii_case("none") => Some(false),
            Some(vcs) => {
                let reason = format!("`vcs` of the favorite `{favorite}` is neither Git nor None");
                return Err(refuse(Some(vcs.span()), &reason, "write `vcs = \"Git\"` or `vcs = \"None\"`").into());
            }
        };
        let Table { description, branch, tag, revision, subfolder, init, overwrite, .. } = table;
        let values = own(values(name, text, table.values)?);
        let read =
            Favorite { description, template, branch, tag, revision, subfolder, values, is_in_git, init, overwrite };
        configuration.favorites.insert(favorite, read);
    }
    Ok(configuration)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> (String, (usize, usize), String) {
        let problem = read("c.toml", text).unwrap_err().0.remove(0);
        assert_eq!(problem.code, Code::Configuration);
        let place = problem.place.unwrap();
        (problem.title, place.line_column(), place.text.trim().to_owned())
    }

    #[test]
    fn what_is_wrong_has_its_place_and_no_line_of_the_file() {
        let favorite = "[favorites.a]\n";
        for (text, place, said) in [
            ("[values]\nx = = 1\n".to_owned(), (2, 5), ""),
            (format!("{favorite}git = 1\n"), (2, 7), "wrong type"),
            ("values = 1\n".to_owned(), (1, 10), "wrong type"),
            (format!("{favorite}branch = 'x'\n"), (1, 1), "neither `git` nor `path`"),
            (format!("{favorite}git = 'x'\npath = 'y'\n"), (1, 1), "both `git` and `path`"),
            (format!("{favorite}git = 'x'\nvcs = 'hg'\n"), (3, 7), "neither Git nor None"),
        ] {
            let (title, at, quoted) = problem(&text);
            assert!(title.contains(said), "{title}");
            assert_eq!((at, quoted.as_str()), (place, ""), "{text}");
        }
    }

    #[test]
    fn what_cargo_generate_reads_is_read() {
        let text = "other = 1\n[defaults]\nssh_identity = '~/k'\n[values]\na = true\n[favorites.x]\ngit = 'u'\nvcs = 'None'\n\
                    init = true\nunknown = 1\n[favorites.x.values]\nb = 'c'\n";
        let Configuration { favorites, values, identity } = read("c.toml", text).unwrap();
        assert_eq!(identity.as_deref(), Some("~/k"));
        assert_eq!(values["a"].value, toml::Value::Boolean(true));
        assert_eq!(values["a"].by, Source::Configuration);
        let favorite = &favorites["x"];
        assert_eq!((&favorite.template, favorite.is_in_git), (&Location::Git("u".to_owned()), Some(false)));
        assert!(favorite.init && !favorite.overwrite && favorite.values.contains_key("b"));
        assert!(read("c.toml", " \n").unwrap().favorites.is_empty());
    }
}
