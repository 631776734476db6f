//! The command line: what can be typed, and nothing of what it does.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};

use crate::credentials::without_credentials;
use crate::template::Reference;

/// Make a project from a template, remember how, and keep it up to date with the template.
#[derive(Debug, Parser)]
#[command(
    name = "create-app",
    bin_name = "create-app",
    version,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true
)]
#[command(after_help = "`create-app <PATH>` is short for `create-app new <PATH>`.")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Without a command: make a project.
    #[command(flatten)]
    pub new: NewArgs,
    /// How much is printed, and how.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// How much is printed, and how.
#[derive(Debug, Clone, Copy, Args)]
pub struct OutputArgs {
    /// Print warnings and errors only, and what --json prints
    #[arg(long, global = true)]
    pub quiet: bool,
    /// When to use colours: auto (at a terminal), always or never
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Colour::Auto, hide_possible_values = true)]
    pub color: Colour,
}

/// When colours are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// At a terminal, unless NO_COLOR says otherwise
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl From<Colour> for clap::ColorChoice {
    fn from(colour: Colour) -> Self {
        match colour {
            Colour::Auto => Self::Auto,
            Colour::Always => Self::Always,
            Colour::Never => Self::Never,
        }
    }
}

/// What other tools call a command, and which of ours does the same, if any.
const OTHER_WORDS: &[(&str, &str)] = &[
    ("add", ""),
    ("adopt", "upgrade"),
    ("apply", "upgrade"),
    ("build", ""),
    ("config", ""),
    ("copy", "new"),
    ("create", "new"),
    ("deploy", ""),
    ("destroy", ""),
    ("dev", ""),
    ("doctor", "check"),
    ("gen", "new"),
    ("generate", "new"),
    ("info", "check"),
    ("init", "new"),
    ("install", ""),
    ("link", "upgrade"),
    ("lint", "test"),
    ("list", ""),
    ("login", ""),
    ("logout", ""),
    ("publish", ""),
    ("recopy", "upgrade"),
    ("remove", ""),
    ("rollback", ""),
    ("run", ""),
    ("search", ""),
    ("show", "diff"),
    ("start", ""),
    ("status", "check"),
    ("sync", "upgrade"),
    ("uninstall", ""),
    ("update", "upgrade"),
    ("validate", "check"),
    ("verify", "check"),
    ("version", "--version"),
];

impl Cli {
    /// Reads a command line, the program's name first.
    ///
    /// # Errors
    ///
    /// Says what is wrong with it; or holds what `--help` and `--version` ask for.
    pub fn read(words: &[OsString]) -> Result<Self, clap::Error> {
        let words = &output_options_last(words);
        Self::refuse_slip(words.get(1).map(OsString::as_os_str))?;
        let read = Self::command()
            .color(colour(words).into())
            .try_get_matches_from(words)
            .and_then(|matches| Self::from_arg_matches(&matches))
            .map_err(|error| Self::without_value(words, Self::without_credentials(error)))?;
        match &read.new.path {
            Some(path) if read.command.is_none() => Self::refuse_late_command(path).map(|()| read),
            _ => Ok(read),
        }
    }

    /// Quotes an address, such as one that stands where none is expected, without its credentials.
    fn without_credentials(mut error: clap::Error) -> clap::Error {
        for kind in [ContextKind::InvalidArg, ContextKind::InvalidValue, ContextKind::InvalidSubcommand] {
            if let Some(ContextValue::String(text)) = error.get(kind)
                && text.contains("://")
            {
                let text = without_credentials(text).into_owned();
                error.insert(kind, ContextValue::String(text));
            }
        }
        error
    }

    /// Does not quote an argument that may be the value of a `-d NAME VALUE`, and a secret.
    fn without_value(words: &[OsString], error: clap::Error) -> clap::Error {
        let is_name = |pair: &[OsString]| {
            let (option, next) = (pair[0].to_string_lossy(), pair[1].as_encoded_bytes());
            // `-d NAME`, `-dNAME`, `-sdNAME` or `--define=NAME`.
            let attached = option.strip_prefix("--define=").or_else(|| {
                let flags = option.strip_prefix('-').filter(|flags| !flags.starts_with('-'))?;
                flags.split_once('d').map(|(_, name)| name)
            });
            match attached.filter(|name| !name.is_empty()) {
                Some(name) => !name.contains('='),
                None => (attached.is_some() || option == "--define") && !next.contains(&b'='),
            }
        };
        let is_quoted = error.kind() == ErrorKind::UnknownArgument
            && matches!(error.get(ContextKind::InvalidArg), Some(ContextValue::String(text)) if !text.starts_with('-'));
        if !is_quoted || !words.windows(2).any(is_name) {
            return error;
        }
        let title = "the value of -d is not NAME=VALUE, and another argument is too many";
        Self::command().error(ErrorKind::UnknownArgument, format!("{title}\n\n  tip: write -d NAME=VALUE as one word"))
    }

    /// Refuses a command that stands after an option, where it would be the path of a project.
    fn refuse_late_command(path: &Path) -> Result<(), clap::Error> {
        let mut known = Self::command();
        known.build();
        if !known.get_subcommands().any(|command| path.as_os_str() == command.get_name()) {
            return Ok(());
        }
        let name = path.display();
        let title = format!("`{name}` is a command, which comes before its options");
        let tip = format!("to make a project of this name, run `create-app new {name}` with these options");
        Err(known.error(ErrorKind::ArgumentConflict, format!("{title}\n\n  tip: {tip}")))
    }

    /// Refuses a first word that is almost that of a command, or that other tools have as a command: it would make a project of
    /// that name, which nobody meant.
    ///
    /// # Errors
    ///
    /// Names the command, where there is one, and how to make a project of such a name.
    fn refuse_slip(first: Option<&OsStr>) -> Result<(), clap::Error> {
        let Some(word) = first.and_then(OsStr::to_str) else { return Ok(()) };
        let mut known = Self::command();
        known.build();
        let names: Vec<&str> = known.get_subcommands().map(clap::Command::get_name).collect();
        if names.contains(&word) {
            return Ok(());
        }
        let nearest = names.iter().map(|name| (strsim::osa_distance(word, name), *name)).min();
        let slip = nearest.filter(|(distance, near)| *distance <= near.len() / 3).map(|(_, near)| near);
        let other = OTHER_WORDS.iter().find(|(theirs, _)| *theirs == word).map(|(_, ours)| *ours);
        let Some(near) = other.or(slip) else { return Ok(()) };
        let text = |text: &str| ContextValue::String(text.to_owned());
        let mut error = clap::Error::new(ErrorKind::InvalidSubcommand).with_cmd(&known);
        error.insert(ContextKind::InvalidSubcommand, text(word));
        let make = format!("to make a project of this name, run `create-app new {}`", crate::shell::word(word));
        let mut tips = vec![make.into()];
        match near {
            "" => {}
            option if option.starts_with('-') => tips.insert(0, format!("run `create-app {option}`").into()),
            command => drop(error.insert(ContextKind::SuggestedSubcommand, text(command))),
        }
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
        Err(error)
    }
}

/// Moves what says how to print from before the command, where git and others have it, to after its name.
fn output_options_last(words: &[OsString]) -> Vec<OsString> {
    let mut at = 1;
    while let Some(word) = words.get(at).and_then(|word| word.to_str()) {
        at += match word {
            "--quiet" => 1,
            "--color" => 2,
            _ if word.starts_with("--color=") => 1,
            _ => break,
        };
    }
    let mut moved = words.to_vec();
    if at > 1 && at < words.len() && !words[at].as_encoded_bytes().starts_with(b"-") {
        moved[1..=at].rotate_right(1);
    }
    moved
}

/// The colours that a command line asks for, also where the rest of it is wrong.
fn colour(words: &[OsString]) -> Colour {
    let next = words.iter().skip_while(|word| *word != "--color").nth(1).and_then(|word| word.to_str());
    let joined = words.iter().find_map(|word| word.to_str()?.strip_prefix("--color="));
    joined.or(next).and_then(|text| Colour::from_str(text, false).ok()).unwrap_or(Colour::Auto)
}

/// What create-app can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a project from a template
    New(NewArgs),
    /// Show the patch that `upgrade` would apply, or what one side changed
    Diff(DiffArgs),
    /// Bring a project up to date with its template, or with other answers
    Upgrade(UpgradeArgs),
    /// Say how each file stands to what was rendered: offline, for CI
    Check(CheckArgs),
    /// For template authors: render or upgrade every case of a template and compare whole trees
    Test(TestArgs),
    /// Print the completion script of a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print a page of the manual
    Man {
        /// The command that the page is about [default: create-app itself]
        #[arg(value_parser = PAGES)]
        command: Option<String>,
    },
}

/// The commands, each of which has a page of the manual.
const PAGES: [&str; 7] = ["new", "diff", "upgrade", "check", "test", "completions", "man"];

/// How to make a project.
#[derive(Debug, Clone, Args)]
pub struct NewArgs {
    /// Where to make it; the last component is the project's name
    #[arg(required = true, value_name = "PATH")]
    pub path: Option<PathBuf>,
    /// Which template to use.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Give the project another name than its directory
    #[arg(long, short, value_name = "NAME")]
    pub name: Option<String>,
    /// Answer a question of the template; may be repeated
    #[arg(long = "define", short = 'd', value_name = "KEY=VALUE")]
    pub define: Vec<String>,
    /// Answer questions from the `[values]` of a TOML file
    #[arg(long, visible_alias = "template-values-file", value_name = "FILE")]
    pub values_file: Option<PathBuf>,
    /// Ask nothing: use the defaults, and fail where there is none
    #[arg(long, short)]
    pub silent: bool,
    /// Treat unknown variables and unknown keys of the manifest as errors, and whatever else looks wrong in the template
    #[arg(long)]
    pub strict: bool,
    /// Version control for the new project; by default git, outside a repository
    #[arg(long, value_enum, value_name = "VCS", ignore_case = true)]
    pub vcs: Option<Vcs>,
    /// Expand into an existing directory; its own files are kept, and get the template's blocks, lines and keys
    #[arg(long)]
    pub init: bool,
    /// Replace files that exist
    #[arg(long, short)]
    pub overwrite: bool,
    /// What hooks may run.
    #[command(flatten)]
    pub commands: CommandArgs,
}

/// What hooks of a template may run.
#[derive(Debug, Clone, Args)]
pub struct CommandArgs {
    /// Let the template run commands on this machine, without asking
    #[arg(long)]
    pub allow_commands: bool,
    /// Stop a command of the template after so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = COMMAND_TIMEOUT, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub command_timeout: u64,
}

/// How long a command of a template may take, in seconds, where nothing else was said.
const COMMAND_TIMEOUT: u64 = 120;

impl Default for CommandArgs {
    fn default() -> Self {
        Self { allow_commands: false, command_timeout: COMMAND_TIMEOUT }
    }
}

impl CommandArgs {
    /// How long a command may take.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.command_timeout)
    }
}

/// Where the template is. Without any of it: where the lock says, or inside of this program.
#[derive(Debug, Clone, Default, Args)]
pub struct SourceArgs {
    /// Take the template from this directory
    #[arg(long = "path", short = 'p', value_name = "DIR", conflicts_with = "git")]
    pub directory: Option<PathBuf>,
    /// Take the template that is inside this program
    #[arg(long, conflicts_with_all = ["directory", "git", "branch", "tag", "rev", "subfolder"])]
    pub embedded: bool,
    /// Take the template from this git repository: a URL, host:path, gh:owner/repo (gl:, bb:, sr:), or a directory
    #[arg(long, short, value_name = "URL")]
    pub git: Option<String>,
    /// Follow this branch of the repository, not its default one
    #[arg(long, short, value_name = "BRANCH", conflicts_with_all = ["tag", "rev", "directory"])]
    #[arg(value_parser = filled("the name of a branch"))]
    pub branch: Option<String>,
    /// Stay with this tag of the repository; or follow its releases: `latest`, or a version requirement such as `^1`
    #[arg(long, short, value_name = "TAG", conflicts_with_all = ["rev", "directory"])]
    #[arg(value_parser = filled("the name of a tag"))]
    pub tag: Option<String>,
    /// Stay with this commit of the repository
    #[arg(long, short, visible_alias = "revision", value_name = "REV", conflicts_with = "directory")]
    #[arg(value_parser = filled("the name of a commit, such as `19892fb9`"))]
    pub rev: Option<String>,
    /// Use the template in this folder of the directory or repository
    #[arg(long, value_name = "FOLDER")]
    pub subfolder: Option<String>,
}

impl SourceArgs {
    /// What of the repository is meant, where that was said.
    #[must_use]
    pub fn reference(&self) -> Option<Reference> {
        let branch = self.branch.clone().map(Reference::Branch);
        branch.or_else(|| self.tag.clone().map(Reference::Tag)).or_else(|| self.rev.clone().map(Reference::Rev))
    }

    /// Whether anything was said.
    #[must_use]
    pub fn is_given(&self) -> bool {
        self.embedded
            || self.directory.is_some()
            || self.git.is_some()
            || self.subfolder.is_some()
            || self.reference().is_some()
    }
}

/// Reads a name that is not empty: git has other words for one that is, and none of them tell.
fn filled(what: &'static str) -> impl Fn(&str) -> Result<String, String> + Clone + Send + Sync {
    move |text| match text.trim() {
        "" => Err(format!("expected {what}; give one, or leave out the option")),
        _ => Ok(text.to_owned()),
    }
}

/// A version control system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Vcs {
    /// Run `git init`, unless the project is inside a repository
    Git,
    /// Do nothing
    None,
}

/// How to bring a project up to date.
#[derive(Debug, Args)]
#[command(after_help = "Exit code 1: there are conflicts to resolve, or one of several paths failed.")]
pub struct UpgradeArgs {
    /// The directories of apps
    #[arg(default_value = ".", value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// What to render.
    #[command(flatten)]
    pub render: RenderArgs,
    /// What hooks may run.
    #[command(flatten)]
    pub commands: CommandArgs,
    /// Write nothing, and print what would be done
    #[arg(long)]
    pub dry_run: bool,
    /// Merge with changes that are not committed, too
    #[arg(long)]
    pub allow_dirty: bool,
    /// Go to an older version of the template without asking
    #[arg(long)]
    pub allow_downgrade: bool,
    /// Take back the last upgrade, as long as nothing was committed since: files and git's index become what they were
    #[arg(long, conflicts_with_all = ["RenderArgs", "SourceArgs", "allow_commands", "dry_run", "allow_dirty"])]
    pub abort: bool,
    /// Print everything as JSON
    #[arg(long)]
    pub json: bool,
}

/// What a project is merged with.
#[derive(Debug, Args)]
pub struct RenderArgs {
    /// Adopt a project without a record that was made from this revision of the template: a commit, tag or branch of its repository
    #[arg(long, value_name = "REV", value_parser = filled("a revision of the template, such as `v1.0.0`"))]
    pub from: Option<String>,
    /// Which template to use from now on.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Give the project another name; its directory keeps its own
    #[arg(long, short, value_name = "NAME")]
    pub name: Option<String>,
    /// Change an answer, or answer a new question; may be repeated
    #[arg(long = "define", short = 'd', value_name = "KEY=VALUE")]
    pub define: Vec<String>,
    /// Take answers from the `[values]` of a TOML file
    #[arg(long, visible_alias = "template-values-file", value_name = "FILE")]
    pub values_file: Option<PathBuf>,
    /// Ask nothing: use the defaults for new questions, and fail where there is none
    #[arg(long, short)]
    pub silent: bool,
    /// Treat unknown variables and unknown keys of the manifest as errors
    #[arg(long)]
    pub strict: bool,
    /// What to write where both sides changed the same lines [default: merge]
    #[arg(long, value_enum, value_name = "STYLE")]
    pub conflict: Option<ConflictStyle>,
}

/// What becomes of conflicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ConflictStyle {
    /// Both sides, between markers
    Merge,
    /// The base as well
    Diff3,
    /// Your side
    Ours,
    /// The template's side
    Theirs,
}

impl From<ConflictStyle> for crate::merge::draw::Style {
    fn from(style: ConflictStyle) -> Self {
        match style {
            ConflictStyle::Merge => Self::Merge,
            ConflictStyle::Diff3 => Self::Diff3,
            ConflictStyle::Ours => Self::Ours,
            ConflictStyle::Theirs => Self::Theirs,
        }
    }
}

/// What to show.
#[derive(Debug, Args)]
#[command(
    after_help = "`create-app diff | git apply` does what `create-app upgrade` does, where nothing conflicts. A terminal \
                        is shown the project's own files, through the pager that git would use; a file or a pipe gets the record in \
                        .create-app, too. Exit code 1: there are differences."
)]
pub struct DiffArgs {
    /// The app's directory
    #[arg(default_value = ".", value_name = "PATH")]
    pub path: PathBuf,
    /// What to render.
    #[command(flatten)]
    pub render: RenderArgs,
    /// Show what the project changed since it was rendered; offline
    #[arg(long, conflicts_with_all = ["upstream", "SourceArgs", "define", "values_file", "conflict", "from"])]
    pub local: bool,
    /// Show what the template changed since the project was rendered
    #[arg(long)]
    pub upstream: bool,
    /// Print how many lines of each file change
    #[arg(long, conflicts_with_all = ["name_only", "json"])]
    pub stat: bool,
    /// Print the paths alone
    #[arg(long, conflicts_with = "json")]
    pub name_only: bool,
    /// Print every file as JSON
    #[arg(long)]
    pub json: bool,
}

/// What to check.
#[derive(Debug, Args)]
#[command(after_help = "Edits are normal. Exit code 1: a conflict is left, or the record in .create-app is broken.")]
pub struct CheckArgs {
    /// The directories of apps
    #[arg(default_value = ".", value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Exit with 1 also when a file was edited, moved or deleted
    #[arg(long)]
    pub pristine: bool,
    /// Exit with 1 also when the template is newer than the project; implied by every option that says which template
    #[arg(long)]
    pub upstream: bool,
    /// Which template to compare with; implies `--upstream`.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Print everything as JSON
    #[arg(long)]
    pub json: bool,
}

/// Which cases to try.
#[derive(Debug, Args)]
pub struct TestArgs {
    /// The template's directory
    #[arg(default_value = ".", value_name = "TEMPLATE")]
    pub template: PathBuf,
    /// Where the cases are [default: `tests` in the template's directory]
    #[arg(long, value_name = "DIR")]
    pub cases: Option<PathBuf>,
    /// Try only the case of this name; may be repeated
    #[arg(long = "case", value_name = "NAME")]
    pub only: Vec<String>,
    /// Rewrite what is expected
    #[arg(long)]
    pub bless: bool,
    /// What hooks may run.
    #[command(flatten)]
    pub commands: CommandArgs,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page() {
        let command = Cli::command();
        assert!(command.get_subcommands().map(clap::Command::get_name).eq(PAGES));
    }

    #[test]
    fn words_of_other_tools_make_no_project() {
        let read = |words: &[&str]| Cli::read(&words.iter().map(OsString::from).collect::<Vec<_>>());
        for (word, ours) in OTHER_WORDS {
            let said = read(&["create-app", word]).unwrap_err().to_string();
            assert!(said.contains(&format!("unrecognized subcommand '{word}'")), "{said}");
            assert!(said.contains(ours) && said.contains(&format!("run `create-app new {word}`")), "{said}");
            assert!(read(&["create-app", "new", word]).is_ok());
            assert!(ours.is_empty() || ours.starts_with('-') || PAGES.contains(ours), "{ours}");
        }
        assert!(read(&["create-app", "shop"]).is_ok() && read(&["create-app", "./list"]).is_ok());
    }

    #[test]
    fn options_of_the_output_may_come_before_the_command() {
        let read = |words: &[&str]| Cli::read(&words.iter().map(OsString::from).collect::<Vec<_>>());
        for options in [&["--quiet"][..], &["--color", "never"], &["--color=never", "--quiet"]] {
            let cli = read(&[&["create-app"], options, &["check", "a"]].concat()).unwrap();
            assert!(matches!(&cli.command, Some(Command::Check(args)) if args.paths == [PathBuf::from("a")]));
            assert_eq!(cli.output.quiet, options.contains(&"--quiet"));
            let is_plain = options.iter().any(|option| option.ends_with("never"));
            assert_eq!(cli.output.color == Colour::Never, is_plain);
            let cli = read(&[&["create-app"], options, &["shop"]].concat()).unwrap();
            assert!(cli.command.is_none() && cli.new.path == Some(PathBuf::from("shop")));
            let said = read(&[&["create-app"], options, &["list"]].concat()).unwrap_err().to_string();
            assert!(said.contains("run `create-app new list`"), "{said}");
        }
        for words in [&["create-app", "--color"][..], &["create-app", "--quiet"], &["create-app", "--color", "check"]] {
            assert!(read(words).is_err());
        }
        // What else stands there is told as before.
        assert!(read(&["create-app", "--quiet", "--silent", "check"]).is_err());
    }
}
