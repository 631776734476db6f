//! The user's own git settings, without those of a repository.

use std::path::Path;

use super::command::{creating, outside};
use super::run::{ask, lossy, run};
use crate::diagnostic::{Code, Diagnostic, Result};

/// The value of a setting as the user or the system has it; `None` if neither does, and if git does not run.
pub(super) fn setting(key: &str) -> Option<String> {
    let output = ask(outside(Path::new(".")).args(["config", "--get", key]), &[]).ok()?;
    output.status.success().then(|| lossy(&output.stdout).trim().to_owned())
}

/// The pager that git would use outside any repository: `cat` where the user wants none. None without git.
#[must_use]
pub fn pager() -> Option<String> {
    let output = run(outside(Path::new(".")).args(["var", "GIT_PAGER"])).ok()?;
    Some(lossy(&output.stdout).trim().to_owned())
}

/// Checks that git can be run.
///
/// # Errors
///
/// When it cannot.
pub fn require() -> Result<()> {
    run(outside(Path::new(".")).arg("--version")).map(drop)
}

/// Makes `directory` a repository, with the user's own settings for new ones. Where they name no first branch it is
/// `main`, not the `master` that git itself still falls back to.
///
/// # Errors
///
/// When git is missing or fails, and if something has the name of git's directory: see [`refuse_remains`].
pub fn init(directory: &Path) -> Result<()> {
    refuse_remains(directory)?;
    let mut command = creating(directory);
    command.args(["init", "--quiet"]);
    if setting("init.defaultBranch").is_none() {
        command.arg("--initial-branch=main");
    }
    run(&mut command).map(drop)
}

/// Refuses a directory that has a `.git`: a repository, it is not. Git would complete it, through all links in there.
///
/// # Errors
///
/// If there is one, of whatever kind.
pub fn refuse_remains(directory: &Path) -> Result<()> {
    let dot_git = directory.join(".git");
    if dot_git.symlink_metadata().is_err() {
        return Ok(());
    }
    let title = format!("`{}` is not a repository", dot_git.display());
    let help = "look at what is in it and remove it; or pass `--vcs none`, and run `git init` yourself";
    Err(Diagnostic::error(Code::Git, title).help(help).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn no_repository_is_made_behind_a_link() {
        let place = tempfile::tempdir().unwrap();
        let [app, outside] = ["app", "outside"].map(|name| place.path().join(name));
        std::fs::create_dir(&app).unwrap();
        std::fs::create_dir(&outside).unwrap();
        std::os::unix::fs::symlink("../outside", app.join(".git")).unwrap();
        let problem = init(&app).unwrap_err().0.remove(0);
        assert!(problem.title.ends_with("is not a repository"), "{problem:?}");
        assert!(std::fs::read_dir(&outside).unwrap().next().is_none());
    }

    #[test]
    fn the_first_branch_is_main_unless_the_user_says_otherwise() {
        let place = tempfile::tempdir().unwrap();
        init(place.path()).unwrap();
        let head = std::fs::read_to_string(place.path().join(".git/HEAD")).unwrap();
        let expected = setting("init.defaultBranch").unwrap_or("main".into());
        assert_eq!(head.trim(), format!("ref: refs/heads/{expected}"));
    }

    #[test]
    fn a_repository_cannot_be_made_in_a_directory_that_is_not_there() {
        let directory = tempfile::tempdir().unwrap();
        let problem = init(&directory.path().join("absent")).unwrap_err().0.remove(0);
        assert!(problem.title.contains("absent") && problem.code == Code::Git, "{problem:?}");
    }
}
