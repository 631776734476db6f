//! The command line of `cargo generate`, word for word.

use std::ffi::OsString;
use std::path::Path;

use clap::Args;

use super::{NewArgs, SourceArgs, Vcs};
use crate::answers::configuration::{Configuration, Favorite, Location};
use crate::answers::name::sanitise;
use crate::credentials::without_credentials;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Address;
use crate::terminal::escape_control;

/// How to make a project, in the words of `cargo generate`.
#[derive(Debug, Clone, Args)]
#[command(
    arg_required_else_help = true,
    after_help = "Takes the same arguments as `cargo generate`, and reads cargo-generate's configuration and its environment \
                  variables: CARGO_GENERATE_VALUE_<NAME>, CARGO_GENERATE_TEMPLATE_VALUES_FILE and CARGO_GENERATE_TEST_CMD."
)]
pub struct GenerateArgs {
    /// A favorite, a directory or the address of a repository, tried in this order; after --git, --path or --favorite, the template's
    /// subfolder
    #[arg(
        value_name = "TEMPLATE",
        required_unless_present_any = ["git", "directory", "favorite", "embedded", "list_favorites", "test"]
    )]
    pub template: Option<String>,
    /// The template's subfolder
    #[arg(value_name = "SUBFOLDER")]
    pub folder: Option<String>,
    /// How to make it.
    #[command(flatten)]
    pub new: NewArgs,
    /// List the favorites in the configuration; with TEMPLATE, only those that start with it
    #[arg(long, conflicts_with_all = ["git", "directory", "favorite", "embedded", "name", "define", "test"])]
    pub list_favorites: bool,
    /// Create a project from the template in the current directory, and run `cargo test` or $CARGO_GENERATE_TEST_CMD in it, with these
    /// arguments
    #[arg(long, value_name = "ARGUMENTS", num_args = 0.., allow_hyphen_values = true)]
    #[arg(conflicts_with_all = ["git", "directory", "favorite", "embedded"])]
    pub test: Option<Vec<OsString>>,
    /// The words that may be the value of a `-d NAME VALUE`, and a secret: they are not shown.
    #[arg(skip)]
    pub perhaps_values: Vec<String>,
    /// Changes nothing: create-app has one interface
    #[arg(long, hide = true)]
    pub try_new_ui: bool,
}

/// The words of [`GenerateArgs`] in those of `new`.
#[derive(Debug)]
pub struct Translated {
    /// How to make the project.
    pub new: NewArgs,
    /// What a person may not expect of it.
    pub notes: Vec<String>,
}

impl GenerateArgs {
    /// Says the same in the words of `new`: what is meant by the first word, and the name in cargo-generate's form.
    ///
    /// # Errors
    ///
    /// If there is a word too many.
    pub fn translated(
        self,
        configuration: &Configuration,
        is_directory: impl Fn(&Path) -> bool,
    ) -> Result<Translated, Diagnostic> {
        let Self { template, folder, mut new, .. } = self;
        let source = &new.source;
        let is_named = source.git.is_some() || source.directory.is_some() || source.embedded || new.favorite.is_some();
        let (template, subfolder) = if is_named { (None, template) } else { (template, folder.clone()) };
        if let Some(folder) = folder.filter(|_| is_named) {
            let title = format!(
                "`{folder}` is one argument too many: only the subfolder can follow --git, --path or --favorite"
            );
            return Err(Diagnostic::error(Code::SourceInvalid, title).help("remove it"));
        }
        if subfolder.is_some() {
            new.source.subfolder = subfolder;
        }
        let mut notes = Vec::new();
        let favorite = |name: &str| configuration.favorites.get(name);
        // As with cargo-generate, `--git` may name a favorite, and only its location is used then.
        let place = new.source.git.as_deref().and_then(favorite).map(|favorite| favorite.template.clone());
        if let Some(Location::Git(place) | Location::Path(place)) = place {
            new.source.git = Some(place);
        }
        if let Some(name) = new.favorite.take().or(template) {
            match favorite(&name) {
                Some(favorite) => new.prefer(favorite),
                None => {
                    let kind = new.source.classify(&name, is_directory);
                    let shown = escape_control(&without_credentials(&name)).into_owned();
                    notes.push(format!("Favorite `{shown}` not found in config, using it as a {kind}: {shown}"));
                }
            }
        }
        if let Some(name) = new.name.as_mut().filter(|_| !new.force) {
            let renamed = sanitise(name);
            if renamed != *name && !renamed.is_empty() {
                notes.push(format!("Renaming project called `{}` to `{renamed}`...", escape_control(name)));
                *name = renamed;
            }
        }
        Ok(Translated { new, notes })
    }
}

impl SourceArgs {
    /// Takes a word as what cargo-generate takes it for: a directory where there is one, else a repository. Returns what it is.
    fn classify(&mut self, word: &str, is_directory: impl Fn(&Path) -> bool) -> &'static str {
        let path = Path::new(word);
        let is_address = matches!(Address::parse(word), Ok(Address::Url { .. }) | Err(_));
        // A branch, a tag or a commit is one of a repository, be it on this machine.
        if is_address || self.reference().is_some() || !path.is_absolute() && !is_directory(path) {
            self.git = Some(word.to_owned());
            return "git repository";
        }
        self.directory = Some(path.to_path_buf());
        "local path"
    }
}

impl NewArgs {
    /// Takes a favorite's template and values; what the command line says counts more.
    pub fn prefer(&mut self, favorite: &Favorite) {
        match &favorite.template {
            Location::Git(address) => self.source.git = Some(address.clone()),
            Location::Path(path) => self.source.directory = Some(path.into()),
        }
        if self.source.reference().is_none() {
            self.source.branch.clone_from(&favorite.branch);
            self.source.tag.clone_from(&favorite.tag);
            self.source.rev.clone_from(&favorite.revision);
        }
        if self.source.subfolder.is_none() {
            self.source.subfolder.clone_from(&favorite.subfolder);
        }
        self.vcs = self.vcs.or(favorite.is_in_git.map(|is_in_git| if is_in_git { Vcs::Git } else { Vcs::None }));
        self.init |= favorite.init;
        self.overwrite |= favorite.overwrite;
        self.defaults.extend(favorite.values.clone());
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::answers::configuration;

    #[derive(Parser)]
    struct Typed {
        #[command(flatten)]
        generate: GenerateArgs,
    }

    fn translated(words: &str) -> Translated {
        let text = "[favorites.fav]\ngit = 'gh:a/b'\nbranch = 'dev'\nsubfolder = 'x'\ninit = true\nvcs = 'None'\n";
        let configuration = configuration::read("c.toml", text).unwrap();
        let typed = Typed::try_parse_from(std::iter::once("generate").chain(words.split(' '))).unwrap();
        typed
            .generate
            .translated(&configuration, |path| path == Path::new("here") || path == Path::new("a/here"))
            .unwrap()
    }

    /// The address or directory, and the folder.
    fn source(words: &str) -> String {
        let SourceArgs { git, directory, subfolder, .. } = translated(words).new.source;
        let git = git.map(|git| format!("git {git}"));
        let directory = directory.map(|directory| format!("path {}", directory.display()));
        assert!(git.is_none() || directory.is_none());
        let subfolder = subfolder.map(|folder| format!(" / {folder}"));
        format!("{}{}", git.or(directory).unwrap_or_default(), subfolder.unwrap_or_default())
    }

    #[test]
    fn a_word_is_a_favourite_then_a_directory_then_an_address() {
        for (words, expected) in [
            ("fav", "git gh:a/b / x"),
            ("fav sub", "git gh:a/b / sub"),
            ("--favorite fav sub", "git gh:a/b / sub"),
            ("--favorite a/b", "git a/b"),
            ("--git fav", "git gh:a/b"),
            ("here", "path here"),
            ("a/here sub", "path a/here / sub"),
            ("here --branch x", "git here"),
            ("a/b", "git a/b"),
            ("/not/there", "path /not/there"),
            ("gh:a/b", "git gh:a/b"),
            ("https://x.org/a", "git https://x.org/a"),
            ("git@x.org:a/b sub", "git git@x.org:a/b / sub"),
            ("dummy", "git dummy"),
            ("--path here sub", "path here / sub"),
            ("--git x/y sub", "git x/y / sub"),
        ] {
            assert_eq!(source(words), expected, "{words}");
        }
    }

    #[test]
    fn the_command_line_counts_more_than_the_favourite() {
        let reference = |words: &str| translated(words).new.source.reference();
        assert_eq!(reference("fav"), Some(crate::template::Reference::Branch("dev".to_owned())));
        assert_eq!(reference("fav --tag v1"), Some(crate::template::Reference::Tag("v1".to_owned())));
        assert_eq!((translated("fav").new.vcs, translated("fav").new.init), (Some(Vcs::None), true));
        assert_eq!(translated("fav --vcs git").new.vcs, Some(Vcs::Git));
    }

    #[test]
    fn a_name_gets_cargo_generates_form_unless_it_is_forced() {
        let name = |words: &str| translated(words).new.name.unwrap();
        assert_eq!(name("here --name lockFirmware"), "lock-firmware");
        assert_eq!(name("here --name lock_firmware"), "lock_firmware");
        assert_eq!(name("here -f -n lockFirmware"), "lockFirmware");
    }

    #[test]
    fn everything_after_test_is_for_its_command() {
        let typed = Typed::try_parse_from(["generate", "--test", "--lib", "-q", "--", "x"]).unwrap();
        assert_eq!(typed.generate.test.unwrap(), ["--lib", "-q", "--", "x"]);
        assert!(Typed::try_parse_from(["generate", "here", "--test"]).unwrap().generate.test.is_some());
        assert!(Typed::try_parse_from(["generate"]).is_err());
        assert!(Typed::try_parse_from(["generate", "--name", "x"]).is_err());
    }
}
