//! Why a change is made, in words.

use std::fmt;

/// Why a [`super::Change`] is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The template has it, and the project does not.
    Added,
    /// The same, and the user moved the directory that it belongs in.
    AddedToMoved,
    /// The user asked to replace what stands there.
    Overwritten,
    /// It stood there before the project was made, and the user asked to keep such files.
    Existed,
    /// The template changed it, and the user did not.
    TemplateChanged,
    /// The template moved it.
    TemplateMoved,
    /// The template deleted it, and the user had not edited it.
    TemplateDeleted,
    /// Both changed it, in ways that go together.
    Merged,
    /// A project without a lock got what it lacked.
    Adopted,
    /// Both changed it in ways that do not go together, and the user asked for one side.
    Decided,
    /// The user deleted it, and the template changed it.
    UserDeleted,
    /// The user made a directory of it, and the template changed it.
    UserMadeDirectory,
    /// Both changed a package manager's lock file, which a command can make anew.
    LockFile(Install),
    /// It holds a secret, so what was rendered is not recorded, and the merge is not certain.
    Secret,
    /// It was the app's own, and the user has edited it; from now on the template has a say in it.
    WasOwn,
    /// The template deleted it; whether the user edited it cannot be told, because its base is not known.
    BaseUnknown,
    /// It is inside another repository, such as a submodule, where nothing is written.
    ElsewhereInGit,
    /// It is behind a link of the user's, where nothing is written.
    BehindLink,
    /// Conflict: both changed the same lines.
    BothChanged,
    /// Conflict: both added it, and not the same.
    BothAdded,
    /// Conflict: the template deleted what the user edited.
    DeletedButEdited,
    /// Conflict: the template deleted what the user moved.
    DeletedButMoved,
    /// Conflict: both changed a binary file.
    Binary,
    /// Conflict: both changed a file that is too large to merge.
    TooLarge,
    /// Conflict: both changed what it is, or where a symbolic link points.
    Link,
    /// Conflict: the template made a directory of a file of the user's.
    TemplateMadeDirectory,
    /// Conflict: the template has a file where the user has a directory.
    DirectoryInTheWay,
    /// Conflict: the template has a file where the user has another one.
    PlaceTaken,
    /// Conflict: a project without a lock differs from the template in too many places of this file.
    TooDifferent,
    /// Conflict: the file's blocks cannot be told apart.
    Blocks(BlockProblem),
}

/// Who changed what the template renders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The template's author.
    Template,
    /// The user, by other answers to the same template.
    Answers,
}

impl Reason {
    /// The reason in words, by who changed what the template renders.
    #[must_use]
    pub fn words(self, cause: Cause) -> String {
        let by_answers = match self {
            _ if cause == Cause::Template => None,
            Self::Added => Some("comes with your answers"),
            Self::AddedToMoved => Some("comes with your answers; you moved its directory here"),
            Self::TemplateChanged => Some("changed by your answers"),
            Self::TemplateMoved => Some("moved by your answers"),
            Self::TemplateDeleted => Some("goes with your answers"),
            Self::Merged => Some("edited by you and changed by your answers, merged"),
            Self::UserDeleted => Some("you deleted it; it changed by your answers"),
            Self::UserMadeDirectory => Some("you made a directory of it; it changed by your answers"),
            Self::BothChanged => Some("you edited lines that your answers change"),
            Self::DeletedButEdited => Some("goes with your answers, but you edited it"),
            Self::DeletedButMoved => Some("goes with your answers, but you moved it"),
            _ => None,
        };
        by_answers.map_or_else(|| self.to_string(), str::to_owned)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Added => "new in the template",
            Self::AddedToMoved => "new in the template; you moved its directory here",
            Self::Overwritten => "replaced, as you asked",
            Self::Existed => "it was there already",
            Self::TemplateChanged => "changed in the template",
            Self::TemplateMoved => "moved in the template",
            Self::TemplateDeleted => "deleted in the template",
            Self::Merged => "changed by you and in the template, merged",
            Self::Adopted => "the template's part was put into your file",
            Self::Decided => "changed by you and in the template, decided as you asked",
            Self::UserDeleted => "you deleted it; it changed in the template",
            Self::UserMadeDirectory => "you made a directory of it; it changed in the template",
            Self::LockFile(_) => "not merged: the package manager brings it up to date",
            Self::Secret => "it holds a secret, and a merge of it was not certain; it differs from the template's",
            Self::WasOwn => "it was your own; from now on, what changes in the template comes",
            Self::BaseUnknown => "deleted in the template; whether you edited it is not known",
            Self::ElsewhereInGit => "not written: this directory is a submodule or another git repository",
            Self::BehindLink => "not written: this directory is a link in your project",
            Self::BothChanged => "you and the template changed the same lines",
            Self::BothAdded => "you and the template added it, each with its own content",
            Self::DeletedButEdited => "deleted in the template, edited by you",
            Self::DeletedButMoved => "deleted in the template, moved by you",
            Self::Binary => "changed by you and in the template, and it is binary",
            Self::TooLarge => "changed by you and in the template, and too large to merge",
            Self::Link => "you and the template changed what it is or where it points",
            Self::TemplateMadeDirectory => "the template made a directory of your file",
            Self::DirectoryInTheWay => "the template has a file where you have a directory",
            Self::PlaceTaken => "the template has a file where you have another one",
            Self::TooDifferent => "your file and the template's differ in too many places",
            Self::Blocks(problem) => return write!(f, "its blocks cannot be merged: {problem}"),
        })
    }
}

/// What is wrong with the markers of a file's blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockProblem {
    /// A `create-app:begin` without its end, or an end without its begin.
    Unbalanced {
        /// The marker's line, from 1.
        line: usize,
    },
    /// A block within a block.
    Nested {
        /// The inner marker's line, from 1.
        line: usize,
    },
    /// A second block of the same name.
    Duplicate {
        /// The second marker's line, from 1.
        line: usize,
    },
    /// A marker without the block's name.
    Nameless {
        /// The marker's line, from 1.
        line: usize,
    },
}

impl fmt::Display for BlockProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unbalanced { line } => write!(f, "the marker in line {line} has no partner"),
            Self::Nested { line } => write!(f, "line {line} begins a block within a block"),
            Self::Duplicate { line } => write!(f, "line {line} begins a block whose name is taken"),
            Self::Nameless { line } => write!(f, "the marker in line {line} names no block"),
        }
    }
}

/// The command that makes a package manager's lock file anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Install {
    /// `bun.lock`, `bun.lockb`.
    Bun,
    /// `package-lock.json`, `npm-shrinkwrap.json`.
    Npm,
    /// `pnpm-lock.yaml`.
    Pnpm,
    /// `yarn.lock`.
    Yarn,
    /// `Cargo.lock`.
    Cargo,
    /// `uv.lock`.
    Uv,
    /// `poetry.lock`.
    Poetry,
}

impl Install {
    /// The command whose lock file has this name.
    #[must_use]
    pub fn of(file_name: &str) -> Option<Self> {
        Some(match file_name {
            "bun.lock" | "bun.lockb" => Self::Bun,
            "package-lock.json" | "npm-shrinkwrap.json" => Self::Npm,
            "pnpm-lock.yaml" => Self::Pnpm,
            "yarn.lock" => Self::Yarn,
            "Cargo.lock" => Self::Cargo,
            "uv.lock" => Self::Uv,
            "poetry.lock" => Self::Poetry,
            _ => return None,
        })
    }

    /// The names of the lock files that may belong to a manifest of this name.
    #[must_use]
    pub fn lock_files(manifest: &str) -> &'static [&'static str] {
        match manifest {
            "package.json" => {
                &["bun.lock", "bun.lockb", "package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "yarn.lock"]
            }
            "Cargo.toml" => &["Cargo.lock"],
            "pyproject.toml" => &["uv.lock", "poetry.lock"],
            _ => &[],
        }
    }

    /// The command as the user types it.
    #[must_use]
    pub fn command(self) -> &'static str {
        match self {
            Self::Bun => "bun install",
            Self::Npm => "npm install",
            Self::Pnpm => "pnpm install",
            Self::Yarn => "yarn install",
            Self::Cargo => "cargo update --workspace",
            Self::Uv => "uv lock",
            Self::Poetry => "poetry lock",
        }
    }
}
