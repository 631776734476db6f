//! A directory of its own, and programs that run in it without the user's own settings.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use fs_err as fs;

/// A temporary directory with projects and templates in it.
pub(crate) struct Place {
    directory: tempfile::TempDir,
    /// Where create-app keeps what it needs while it changes a project that is in no repository.
    state: tempfile::TempDir,
}

/// What a program printed, and how it ended.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) bytes: Vec<u8>,
}

impl Said {
    /// Fails the test unless the program ended with this code.
    #[track_caller]
    pub(crate) fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "\n{}{}", self.out, self.err);
        self
    }

    /// Fails the test unless standard output has this text.
    #[track_caller]
    pub(crate) fn has(self, text: &str) -> Self {
        assert!(self.out.contains(text), "no `{text}` in\n{}{}", self.out, self.err);
        self
    }

    /// Fails the test unless standard error has this text.
    #[track_caller]
    pub(crate) fn warns(self, text: &str) -> Self {
        assert!(self.err.contains(text), "no `{text}` in\n{}{}", self.out, self.err);
        self
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        Self { code: output.status.code(), out, err, bytes: output.stdout }
    }
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap(), state: tempfile::tempdir().unwrap() }
    }

    /// The same in memory, where that can be had: for what happens again and again.
    pub(crate) fn in_memory() -> Self {
        let directory = || tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        Self { directory: directory(), state: directory() }
    }

    /// A path in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        if name.is_empty() { self.directory.path().to_path_buf() } else { self.directory.path().join(name) }
    }

    /// A program that is to run in a directory of it, and sees none of the user's own settings.
    pub(crate) fn command(&self, program: &str, directory: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.path(directory))
            .stdin(Stdio::null())
            .env("NO_COLOR", "1")
            .env_remove("CREATE_APP_LOG");
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
        command.env("CREATE_APP_STATE_DIR", self.state.path());
        for name in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{name}_NAME"), "A. Author").env(format!("GIT_{name}_EMAIL"), "author@example.com");
        }
        command
    }

    /// Runs create-app in a directory.
    pub(crate) fn app(&self, directory: &str, arguments: &[&str]) -> Said {
        let output = self.command(env!("CARGO_BIN_EXE_create-app"), directory).args(arguments).output();
        let said = Said::from(output.unwrap());
        if arguments.contains(&"--json") {
            super::json::documents(&said.out);
            super::json::documents(&said.err);
        }
        said
    }

    /// Runs git in a directory; it must succeed.
    #[track_caller]
    pub(crate) fn git(&self, directory: &str, arguments: &[&str]) -> String {
        Said::from(self.command("git", directory).args(arguments).output().unwrap()).ended(0).out
    }

    /// Commits everything.
    #[track_caller]
    pub(crate) fn commit(&self, directory: &str) {
        self.git(directory, &["add", "--all"]);
        self.git(directory, &["commit", "--quiet", "--message", "Change"]);
    }

    /// Writes a file, and the directories above it.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.path(name).symlink_metadata().is_ok()
    }

    /// Whether a project is being changed, or was when its change was interrupted.
    pub(crate) fn is_held(&self, at: &str) -> bool {
        let in_git = self.path(at).ancestors().map(|above| above.join(".git/create-app")).find(|it| it.is_dir());
        let homes = [Some(self.state.path().to_path_buf()), in_git].into_iter().flatten();
        let homes = homes.flat_map(|directory| fs::read_dir(directory).unwrap()).map(|home| home.unwrap().path());
        // What `upgrade --abort` needs stays there.
        homes.flat_map(|home| fs::read_dir(home).unwrap()).any(|entry| entry.unwrap().file_name() != "last")
    }

    /// Replaces a text that a file has exactly once.
    #[track_caller]
    pub(crate) fn edit(&self, name: &str, from: &str, to: &str) {
        let text = self.read(name);
        assert_eq!(text.matches(from).count(), 1, "`{from}` in {name}:\n{text}");
        fs::write(self.path(name), text.replace(from, to)).unwrap();
    }

    pub(crate) fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).unwrap();
    }

    pub(crate) fn rename(&self, from: &str, to: &str) {
        fs::create_dir_all(self.path(to).parent().unwrap()).unwrap();
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    /// Copies a directory.
    pub(crate) fn copy(&self, from: &Path, to: &str) {
        let to = self.path(to);
        for entry in walkdir::WalkDir::new(from) {
            let entry = entry.unwrap();
            let target = to.join(entry.path().strip_prefix(from).unwrap());
            if entry.file_type().is_dir() {
                fs::create_dir_all(target).unwrap();
            } else {
                fs::copy(entry.path(), target).unwrap();
            }
        }
    }

    /// The embedded template's own directory, copied.
    pub(crate) fn template(&self) {
        self.copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("template"), "template");
    }
}
