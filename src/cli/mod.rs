//! The command line: what can be typed, and nothing of what it does.

mod generate;
mod reading;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use generate::GenerateArgs;

use crate::answers::given::GivenValues;
use crate::diagnostic::Result;
use crate::git::Login;
use crate::template::Reference;

/// Create a project from a template, record how, and keep it up to date with the template.
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
    pub new: PlacedArgs,
    /// How much is printed, and how.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// How much is printed, and how.
#[derive(Debug, Clone, Copy, Args)]
pub struct OutputArgs {
    /// Print only warnings and errors, and the output of --json
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Print what the command does: git commands, the template's source, and times; same as CREATE_APP_LOG=1
    #[arg(long, short, global = true, conflicts_with = "quiet")]
    pub verbose: bool,
    /// When to use colour: auto (at a terminal), always or never
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Colour::Auto, hide_possible_values = true)]
    pub color: Colour,
}

/// When colours are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// At a terminal, unless NO_COLOR is set
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

impl Cli {
    /// Whether what is printed is for programs.
    #[must_use]
    pub fn is_for_programs(&self) -> bool {
        match &self.command {
            None => self.new.new.json,
            Some(Command::New(args)) => args.new.json,
            Some(Command::Generate(args)) => args.new.json,
            Some(Command::Diff(args)) => args.json,
            Some(Command::Upgrade(args)) => args.json,
            Some(Command::Check(args)) => args.json,
            Some(Command::Test(args)) => args.json,
            Some(Command::Completions { .. } | Command::Man { .. }) => false,
        }
    }
}

/// The commands of create-app.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create a project from a template
    New(PlacedArgs),
    /// Create a project with the command line of `cargo generate`
    #[command(visible_alias = "gen")]
    Generate(GenerateArgs),
    /// Show the patch that `upgrade` would apply, or what one side changed
    Diff(DiffArgs),
    /// Bring a project up to date with its template, or with other answers
    Upgrade(UpgradeArgs),
    /// Compare each file with what was rendered: offline, for CI
    Check(CheckArgs),
    /// For template authors: render or upgrade every test case of a template and compare the results
    Test(TestArgs),
    /// Print the completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print a manual page
    Man {
        /// The command to describe [default: create-app itself]
        #[arg(value_parser = PAGES)]
        command: Option<String>,
    },
}

/// The commands, each of which has a page of the manual.
const PAGES: [&str; 8] = ["new", "generate", "diff", "upgrade", "check", "test", "completions", "man"];

/// Where to make a project, and how.
#[derive(Debug, Clone, Args)]
pub struct PlacedArgs {
    /// Where to create the project; the last component is its name
    #[arg(required_unless_present_any = ["name", "init"], conflicts_with = "destination", value_name = "PATH")]
    pub path: Option<PathBuf>,
    /// How to make it.
    #[command(flatten)]
    pub new: NewArgs,
}

impl From<PlacedArgs> for NewArgs {
    fn from(PlacedArgs { path, new }: PlacedArgs) -> Self {
        Self { path, ..new }
    }
}

/// How to make a project.
#[derive(Debug, Clone, Default, Args)]
pub struct NewArgs {
    /// Where to make it; else it is below `destination`, by its name, or there with `init`.
    #[arg(skip)]
    pub path: Option<PathBuf>,
    /// Which template to use.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Use this favorite from cargo-generate's configuration: its template and values, and its `vcs`, `init` and `overwrite`
    #[arg(long, value_name = "NAME", conflicts_with_all = ["git", "directory", "embedded"])]
    pub favorite: Option<String>,
    /// Read cargo-generate's configuration from this file [default: $CARGO_HOME/cargo-generate.toml]
    #[arg(long, short, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Values that count where nothing else gives one.
    #[arg(skip)]
    pub defaults: GivenValues,
    /// Name the project differently from its directory; without PATH, the directory gets this name, too
    #[arg(long, short, value_name = "NAME")]
    pub name: Option<String>,
    /// Accept a name that is not in kebab case or snake case
    #[arg(long, short)]
    pub force: bool,
    /// Create the project's directory in this directory
    #[arg(long, value_name = "DIR")]
    pub destination: Option<PathBuf>,
    /// Answer one of the template's questions; can be repeated
    #[arg(long = "define", short = 'd', value_name = "KEY=VALUE")]
    pub define: Vec<String>,
    /// Set the variable `crate_type` to `lib`
    #[arg(long, conflicts_with = "bin")]
    pub lib: bool,
    /// Set the variable `crate_type` to `bin` (the default)
    #[arg(long)]
    pub bin: bool,
    /// Read answers from the `[values]` table of a TOML file
    #[arg(long, visible_alias = "template-values-file", value_name = "FILE")]
    pub values_file: Option<PathBuf>,
    /// Ask no questions: use the defaults, and fail if a question has none
    #[arg(long, short)]
    pub silent: bool,
    /// Treat unknown variables, unknown keys in the manifest, and anything else that looks wrong in the template as errors
    #[arg(long)]
    pub strict: bool,
    /// Version control for the new project [default: git, unless it is inside a repository]
    #[arg(long, value_enum, value_name = "VCS", ignore_case = true)]
    pub vcs: Option<Vcs>,
    /// Make the project its own git repository, even inside another one or with --init
    #[arg(long)]
    pub force_git_init: bool,
    /// Expand into an existing directory; existing files are kept, and the template's blocks, lines and keys are added to them
    #[arg(long)]
    pub init: bool,
    /// Whether a project that is there already may get the files of another template, beside those of its own.
    #[arg(skip)]
    pub layered: bool,
    /// Whether the project is only there for the time of a command: nobody needs to know what is in it.
    #[arg(skip)]
    pub fleeting: bool,
    /// Replace existing files
    #[arg(long, short)]
    pub overwrite: bool,
    /// Warn about a file that fails to render, and copy it as it is in the template
    #[arg(long, conflicts_with = "strict")]
    pub continue_on_error: bool,
    /// Whether it is said of each file that it was written, or left out.
    #[arg(skip)]
    pub verbose: bool,
    /// Do not add the project to the Cargo workspace around it
    #[arg(long)]
    pub no_workspace: bool,
    /// Do not format Rust files with rustfmt
    #[arg(long)]
    pub no_fmt: bool,
    /// The commands that hooks may run.
    #[command(flatten)]
    pub commands: CommandArgs,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

/// The commands that a template's hooks may run.
#[derive(Debug, Clone, Args)]
pub struct CommandArgs {
    /// Let the template run commands on this machine without asking
    #[arg(long, short)]
    pub allow_commands: bool,
    /// Stop a template's command after this many seconds
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

/// Where the template is. Without any of it: where the lock says, or inside this program.
#[derive(Debug, Clone, Default, Args)]
pub struct SourceArgs {
    /// Use the template in this directory
    #[arg(long = "path", short = 'p', value_name = "DIR", conflicts_with = "git")]
    pub directory: Option<PathBuf>,
    /// Use the template that is built into create-app
    #[arg(long, conflicts_with_all = ["directory", "git", "branch", "tag", "rev", "subfolder"])]
    pub embedded: bool,
    /// Use the template in this git repository: a URL, host:path, gh:owner/repo (gl:, bb:, sr:), or a directory
    #[arg(long, short, value_name = "URL")]
    pub git: Option<String>,
    /// Follow this branch of the repository instead of its default branch
    #[arg(long, short, value_name = "BRANCH", conflicts_with_all = ["tag", "rev", "directory"])]
    #[arg(value_parser = filled("the name of a branch"))]
    pub branch: Option<String>,
    /// Stay at this tag of the repository, or follow its releases with `latest` or a version requirement such as `^1`
    #[arg(long, short, value_name = "TAG", conflicts_with_all = ["rev", "directory"])]
    #[arg(value_parser = filled("the name of a tag"))]
    pub tag: Option<String>,
    /// Stay at this commit of the repository
    #[arg(long, short, visible_alias = "revision", value_name = "REV", conflicts_with = "directory")]
    #[arg(value_parser = filled("the name of a commit, such as `19892fb9`"))]
    pub rev: Option<String>,
    /// Use the template in this subfolder of the directory or repository
    #[arg(long, value_name = "FOLDER")]
    pub subfolder: Option<String>,
    /// Leave out the template's submodules, now and in upgrades
    #[arg(long)]
    pub skip_submodules: bool,
    /// Fetch with this private SSH key
    #[arg(long, short, value_name = "FILE")]
    pub identity: Option<PathBuf>,
    /// Fetch with this git configuration instead of your own
    #[arg(long, value_name = "FILE")]
    pub gitconfig: Option<PathBuf>,
}

impl SourceArgs {
    /// The branch, tag or commit that was passed, if any.
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

    /// With what git is to talk to other machines.
    ///
    /// # Errors
    ///
    /// If a file that was named is not there.
    pub fn login(&self) -> Result<Login> {
        Login::new(self.identity.as_deref(), self.gitconfig.as_deref())
    }
}

/// Reads a name that is not empty: git has other words for one that is, and none of them tell.
fn filled(what: &'static str) -> impl Fn(&str) -> std::result::Result<String, String> + Clone + Send + Sync {
    move |text| match text.trim() {
        "" => Err(format!("expected {what}; pass one, or leave out the option")),
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
    /// The commands that hooks may run.
    #[command(flatten)]
    pub commands: CommandArgs,
    /// Print what would be done, and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Allow uncommitted changes, and merge with them
    #[arg(long)]
    pub allow_dirty: bool,
    /// Allow a downgrade to an older version of the template, without asking
    #[arg(long)]
    pub allow_downgrade: bool,
    /// Undo the last upgrade, if nothing was committed since: files and git's index are restored
    #[arg(long, conflicts_with_all = ["RenderArgs", "SourceArgs", "allow_commands", "dry_run", "allow_dirty"])]
    pub abort: bool,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

/// The options that say what a project is merged with.
#[derive(Debug, Clone, Args)]
pub struct RenderArgs {
    /// Adopt a project without a record that was created from this revision of the template: a commit, tag or branch of its repository, or
    /// `nearest`, the commit that matches its files best (as with --rev nearest)
    #[arg(long, value_name = "REV", value_parser = filled("a revision of the template, such as `v1.0.0`"))]
    pub from: Option<String>,
    /// Which template to use from now on.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Change the project's name; its directory is not renamed
    #[arg(long, short, value_name = "NAME")]
    pub name: Option<String>,
    /// Change an answer, or answer a new question; can be repeated
    #[arg(long = "define", short = 'd', value_name = "KEY=VALUE")]
    pub define: Vec<String>,
    /// Read answers from the `[values]` table of a TOML file
    #[arg(long, visible_alias = "template-values-file", value_name = "FILE")]
    pub values_file: Option<PathBuf>,
    /// Ask no questions: use the defaults for new ones, and fail if one has none
    #[arg(long, short)]
    pub silent: bool,
    /// Treat unknown variables and unknown keys in the manifest as errors
    #[arg(long)]
    pub strict: bool,
    /// Warn about a file that fails to render, and copy it as it is in the template
    #[arg(long, conflicts_with = "strict")]
    pub continue_on_error: bool,
    /// How to write a conflict, where both sides changed the same lines [default: merge]
    #[arg(long, value_enum, value_name = "STYLE")]
    pub conflict: Option<ConflictStyle>,
}

/// How conflicts are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ConflictStyle {
    /// Write both sides, between markers
    Merge,
    /// Write the base as well
    Diff3,
    /// Take your side
    Ours,
    /// Take the template's side
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
    after_help = "`create-app diff | git apply` does the same as `create-app upgrade` if nothing conflicts. A terminal \
                        shows only the project's own files, in git's pager; a file or a pipe also gets the record in .create-app. Exit code 1: there are differences."
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
    /// Print the number of changed lines of each file
    #[arg(long, conflicts_with_all = ["name_only", "json"])]
    pub stat: bool,
    /// Print only the paths
    #[arg(long, conflicts_with = "json")]
    pub name_only: bool,
    /// Print every file as JSON
    #[arg(long)]
    pub json: bool,
}

/// What to check.
#[derive(Debug, Args)]
#[command(
    after_help = "Edits are fine. Exit code 1: a conflict is unresolved, or the record in .create-app is broken."
)]
pub struct CheckArgs {
    /// The directories of apps
    #[arg(default_value = ".", value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Also exit with 1 if a file was edited, moved or deleted
    #[arg(long)]
    pub pristine: bool,
    /// Also exit with 1 if the template is newer than the project; implied by options that select a template
    #[arg(long)]
    pub upstream: bool,
    /// Which template to compare with; implies `--upstream`.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

/// Which cases to try.
#[derive(Debug, Args)]
pub struct TestArgs {
    /// The template's directory
    #[arg(default_value = ".", value_name = "TEMPLATE")]
    pub template: PathBuf,
    /// The directory of the test cases [default: `tests` in the template's directory]
    #[arg(long, value_name = "DIR")]
    pub cases: Option<PathBuf>,
    /// Run only the test case with this name; can be repeated
    #[arg(long = "case", value_name = "NAME")]
    pub only: Vec<String>,
    /// Replace the expected output with the current output
    #[arg(long)]
    pub bless: bool,
    /// The commands that hooks may run.
    #[command(flatten)]
    pub commands: CommandArgs,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    /// Every line of `--help` of a command and of those below it, with whose it is.
    fn helps(command: &clap::Command) -> Vec<(String, String)> {
        let name = command.get_name();
        let of_arg = |arg: &clap::Arg| {
            let values = arg.get_possible_values();
            let values = values.into_iter().filter_map(|value| Some(value.get_help()?.to_string()));
            arg.get_help()
                .map(ToString::to_string)
                .into_iter()
                .chain(values)
                .map(|help| (format!("{name} {}", arg.get_id()), help))
                .collect::<Vec<_>>()
        };
        let args = command.get_arguments().filter(|arg| !arg.is_hide_set()).flat_map(of_arg);
        let about = command.get_about().map(|about| (name.to_owned(), about.to_string()));
        about.into_iter().chain(args).chain(command.get_subcommands().flat_map(helps)).collect()
    }

    #[test]
    fn a_line_of_help_begins_with_a_capital_letter_and_has_no_full_stop() {
        let helps = helps(&Cli::command());
        assert!(helps.len() > 80, "{helps:?}");
        for (of, help) in helps {
            assert!(help.starts_with(char::is_uppercase), "{of}: {help}");
            assert!(!help.ends_with('.') && !help.contains('!'), "{of}: {help}");
        }
    }

    #[test]
    fn every_command_has_a_page() {
        let command = Cli::command();
        assert!(command.get_subcommands().map(clap::Command::get_name).eq(PAGES));
    }
}
