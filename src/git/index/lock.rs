//! The lock of git's index: another git, such as an editor's, has it for a moment now and then; one that was killed leaves it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::diagnostic::{Code, Diagnostic, Diagnostics, Result};
use crate::git::repository::git_directory;
use crate::git::run::lossy;

/// How often is tried, with a pause in between.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(100);
/// No git holds the lock for so long, unless it waits for somebody.
const STALE: Duration = Duration::from_secs(60);

/// The name of the lock in a repository's git directory.
const LOCK: &str = "index.lock";

/// Why the index was not written.
pub(super) enum Unwritten {
    /// Git refused, with these words on standard error; and what is told of it.
    Refused(Vec<u8>, Box<Diagnostic>),
    /// Git could not be asked.
    Unasked(Diagnostics),
}

impl From<Diagnostics> for Unwritten {
    fn from(problems: Diagnostics) -> Self {
        Self::Unasked(problems)
    }
}

/// Does what needs the index of the repository with this root, again while somebody else has it.
///
/// # Errors
///
/// The error of `write`. Where the lock stays, its age, and what to do.
pub(super) fn patiently(root: &Path, write: impl Fn() -> std::result::Result<(), Unwritten>) -> Result<()> {
    for tries in 1.. {
        let (said, problems) = match write() {
            Ok(()) => return Ok(()),
            Err(Unwritten::Unasked(problems)) => return Err(problems),
            Err(Unwritten::Refused(said, problem)) => (said, Diagnostics::from(*problem)),
        };
        // Git has no exit code of its own for this.
        let is_taken = lossy(&said).contains(LOCK);
        let Some(lock) = git_directory(root).map(|it| it.join(LOCK)).filter(|_| is_taken) else {
            return Err(problems);
        };
        if tries == TRIES {
            // It may be another problem with this file, such as a directory that cannot be written.
            return Err(age(&lock).map_or(problems, |age| taken(root, &lock, age).into()));
        }
        std::thread::sleep(PAUSE);
    }
    Ok(())
}

fn age(lock: &Path) -> Option<Duration> {
    // A time in the future is that of another clock.
    lock.symlink_metadata().ok()?.modified().ok().map(|modified| modified.elapsed().unwrap_or_default())
}

fn taken(root: &Path, lock: &Path, age: Duration) -> Diagnostic {
    let shown = lock.strip_prefix(root).map_or_else(|_| lock.to_path_buf(), PathBuf::from);
    let title = format!("git's index is locked by `{}`, which is {} old", shown.display(), words(age));
    let help = if age < STALE {
        "wait until the other git command has ended, then run the command again".to_owned()
    } else {
        format!("if no other git command is running, it was left behind: remove `{}`, then try again", lock.display())
    };
    Diagnostic::error(Code::Git, title).help(help)
}

/// How long something takes, in the largest unit that fits.
fn words(time: Duration) -> String {
    let seconds = time.as_secs();
    let (number, unit) = match seconds {
        0..60 => (seconds, "second"),
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::SystemTime;

    use super::*;
    use crate::git::tests::{repository, write};
    use crate::git::{Indexed, set_index};

    fn set(root: &Path) -> Result<()> {
        let entry = Indexed::parse("100644 e69de29bb2d1d6434b8b29ae775ad8c2e48c5391 2\ta").unwrap();
        set_index(root, &BTreeSet::from(["a"]), &[&entry], &entry.object)
    }

    #[test]
    fn an_index_that_somebody_else_has_is_waited_for() {
        let directory = repository();
        let root = directory.path();
        let lock = root.join(".git/index.lock");
        write(&lock, "");
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(150));
                fs_err::remove_file(&lock).unwrap();
            });
            set(root).unwrap();
        });
    }

    #[test]
    fn a_lock_that_stays_is_named_with_its_age() {
        let directory = repository();
        let root = directory.path();
        let lock = root.join(".git/index.lock");
        write(&lock, "");
        let problem = set(root).unwrap_err().0.remove(0);
        assert!(problem.title.starts_with("git's index is locked by `.git/index.lock`, which is "), "{problem:?}");
        assert!(problem.help.unwrap().starts_with("wait until"));

        let file = std::fs::File::options().write(true).open(&lock).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(3 * 3_600 + 5)).unwrap();
        let problem = set(root).unwrap_err().0.remove(0);
        assert!(problem.title.ends_with("which is 3 hours old"), "{problem:?}");
        assert!(problem.help.unwrap().contains(&format!("remove `{}`", lock.display())));
    }

    #[test]
    fn an_age_has_a_unit() {
        let words = [0, 1, 59, 60, 7_199, 86_400, 200_000].map(|seconds| words(Duration::from_secs(seconds)));
        assert_eq!(words, ["0 seconds", "1 second", "59 seconds", "1 minute", "1 hour", "1 day", "2 days"]);
    }
}
