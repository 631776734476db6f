//! The user's `git`: the only module that runs it. Credentials, ssh and `insteadOf` then work as they do everywhere else, where
//! something is fetched. For a question about the project, git runs no program that the project names (`git::command`).

mod apply;
mod command;
mod committed;
mod failure;
mod fetch;
mod filters;
mod head;
mod history;
mod identity;
mod ignore;
mod includes;
mod index;
mod index_file;
mod login;
mod mirror;
mod objects;
mod own;
mod record;
mod repository;
mod run;
mod settings;
mod sparse;
mod special;
mod status;
mod worktree;

pub use apply::apply;
pub use committed::Committed;
pub use failure::{Failure, Kind};
pub use fetch::{Contact, references};
pub use head::head;
pub use history::once_added;
pub use identity::Identity;
pub use ignore::{Ignored, check_ignore, would_ignore};
pub use index::{Indexed, entries, indexed, may_be_staged, only_staged, set_index, store, store_entry};
#[cfg(fuzzing)]
pub(crate) use index_file::listed;
pub use login::Login;
pub use mirror::{Format, Length, List, Listed, Mirror, submodules};
pub use own::{may_write, own_directory};
pub use record::{Holder, Operation, holder, introduced, may_be_merging, operation, stages};
pub use repository::{check_files, find_repository};
pub use settings::{init, pager, refuse_remains, require};
pub use sparse::Sparse;
pub use status::{FileStatus, is_as_indexed, status, uncommitted, unmerged};
pub use worktree::{Disk, Kinds, disk, files, kinds, left_out, staged};

#[cfg(test)]
mod tests;
