//! Why a change is made, in words.

use std::fmt;

/// Why a [`super::Change`] is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The template has it, and the project does not.
    Added,
    /// The same, and the user moved the directory that it belongs in.
    AddedToMoved,
    /// The user asked to replace what is there.
    Overwritten,
    /// It was there before the project was made, and the user asked to keep such files.
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
    /// The manifest of the Cargo workspace that a new project becomes a member of.
    Member,
    /// Both changed it in ways that do not go together, and the user asked for one side.
    Decided,
    /// A command of the template's migrations changed it.
    Migrated,
    /// The user deleted it, and the template changed it.
    UserDeleted,
    /// The user made a directory of it, and the template changed it.
    UserMadeDirectory,
    /// Both changed a package manager's lock file, which a command can recreate.
    LockFile(Install),
    /// It holds a secret, so what was rendered is not recorded, and the merge is not certain.
    Secret,
    /// It was the app's own, and the user has edited it; from now on the template has a say in it.
    WasOwn,
    /// The template deleted it; it is not known whether the user edited it, because its base is not known.
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

impl Cause {
    /// The stable code of the cause, for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Template => "template",
            Self::Answers => "answers",
        }
    }
}

impl Reason {
    /// The stable code of the reason, for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::AddedToMoved => "added-to-moved",
            Self::Overwritten => "overwritten",
            Self::Existed => "existed",
            Self::TemplateChanged => "template-changed",
            Self::TemplateMoved => "template-moved",
            Self::TemplateDeleted => "template-deleted",
            Self::Merged => "merged",
            Self::Adopted => "adopted",
            Self::Member => "member",
            Self::Decided => "decided",
            Self::Migrated => "migrated",
            Self::UserDeleted => "user-deleted",
            Self::UserMadeDirectory => "user-made-directory",
            Self::LockFile(_) => "lock-file",
            Self::Secret => "secret",
            Self::WasOwn => "was-own",
            Self::BaseUnknown => "base-unknown",
            Self::ElsewhereInGit => "elsewhere-in-git",
            Self::BehindLink => "behind-link",
            Self::BothChanged => "both-changed",
            Self::BothAdded => "both-added",
            Self::DeletedButEdited => "deleted-but-edited",
            Self::DeletedButMoved => "deleted-but-moved",
            Self::Binary => "binary",
            Self::TooLarge => "too-large",
            Self::Link => "link",
            Self::TemplateMadeDirectory => "template-made-directory",
            Self::DirectoryInTheWay => "directory-in-the-way",
            Self::PlaceTaken => "place-taken",
            Self::TooDifferent => "too-different",
            Self::Blocks(_) => "blocks",
        }
    }

    /// The reason in words, by who changed what the template renders.
    #[must_use]
    pub fn words(self, cause: Cause) -> String {
        let by_answers = match self {
            _ if cause == Cause::Template => None,
            Self::Added => Some("added because of your answers"),
            Self::AddedToMoved => Some("added because of your answers; you moved its directory here"),
            Self::TemplateChanged => Some("changed because of your answers"),
            Self::TemplateMoved => Some("moved because of your answers"),
            Self::TemplateDeleted => Some("removed because of your answers"),
            Self::Merged => Some("edited by you and changed because of your answers; merged"),
            Self::UserDeleted => Some("still deleted (you removed it; your answers changed it)"),
            Self::UserMadeDirectory => Some("you replaced it with a directory; your answers changed it"),
            Self::BothChanged => Some("you edited lines that your answers change"),
            Self::DeletedButEdited => Some("removed because of your answers, but you edited it"),
            Self::DeletedButMoved => Some("removed because of your answers, but you moved it"),
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
            Self::Existed => "already there",
            Self::TemplateChanged => "changed in the template",
            Self::TemplateMoved => "moved in the template",
            Self::TemplateDeleted => "deleted in the template",
            Self::Merged => "changed by you and in the template; merged",
            Self::Adopted => "the template's part was added to your file",
            Self::Member => "the project is a member of this workspace",
            Self::Decided => "changed by you and in the template; resolved as you asked",
            Self::Migrated => "changed by a command of a migration",
            Self::UserDeleted => "still deleted (you removed it; the template changed it)",
            Self::UserMadeDirectory => "you replaced it with a directory; the template changed it",
            Self::LockFile(_) => "not merged: the package manager updates it",
            Self::Secret => "it contains a secret and could not be merged safely; it differs from the template's",
            Self::WasOwn => "it was only yours; template changes will be merged from now on",
            Self::BaseUnknown => "deleted in the template; it is not known whether you edited it",
            Self::ElsewhereInGit => "not written: this directory is a submodule or another git repository",
            Self::BehindLink => "not written: this directory is a link in your project",
            Self::BothChanged => "you and the template changed the same lines",
            Self::BothAdded => "you and the template both added it, with different content",
            Self::DeletedButEdited => "deleted in the template, edited by you",
            Self::DeletedButMoved => "deleted in the template, moved by you",
            Self::Binary => "changed by you and in the template; a binary file cannot be merged",
            Self::TooLarge => "changed by you and in the template; too large to merge",
            Self::Link => "you and the template both changed its type or its link target",
            Self::TemplateMadeDirectory => "the template has a directory where you have a file",
            Self::DirectoryInTheWay => "the template has a file where you have a directory",
            Self::PlaceTaken => "the template has a file where you have a different one",
            Self::TooDifferent => "your file and the template's differ in too many places",
            Self::Blocks(problem) => return write!(f, "its blocks cannot be merged: {problem}"),
        })
    }
}

/// A problem of the markers of a file's blocks.
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
            Self::Unbalanced { line } => write!(f, "the marker on line {line} has no counterpart"),
            Self::Nested { line } => write!(f, "line {line} begins a block inside another block"),
            Self::Duplicate { line } => write!(f, "line {line} begins a block whose name is already used"),
            Self::Nameless { line } => write!(f, "the marker on line {line} has no block name"),
        }
    }
}

/// The command that recreates a package manager's lock file.
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
