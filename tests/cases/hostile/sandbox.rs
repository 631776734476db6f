//! A directory that an attacker has prepared, and everything around it that must not change.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;

use fs_err as fs;
use tempfile::TempDir;

use super::case::Project;

/// What the canary writes: proof that a program ran which nobody but the attacker named.
pub(crate) const RAN: &str = "ran";

/// The create-app that is tested: the one of this build, or another one, such as a released binary.
pub(crate) fn program() -> String {
    std::env::var("CORPUS_PROGRAM").unwrap_or_else(|_| env!("CARGO_BIN_EXE_create-app").to_owned())
}

/// Files of the standard template.
const TEMPLATE: &[(&str, &str)] = &[
    ("a.txt", "one\ntwo\nthree\n"),
    ("name.txt", "{{project-name}}\n"),
    ("settings.yml", "name: {{project-name}}\nsize: 1\nlast: 1\n"),
];

/// A sandbox: `home`, `cache`, `state`, `tmp`, `bin`, `neighbour`, `template`, and in most cases `app`.
pub(crate) struct Sandbox {
    directory: TempDir,
    /// What earlier steps have found out.
    pub(crate) variables: BTreeMap<String, String>,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        // In memory, where that can be had: the disk is not what is tested.
        let directory = tempfile::Builder::new().prefix("corpus-").tempdir_in("/dev/shm");
        let directory = directory.or_else(|_| tempfile::Builder::new().prefix("corpus-").tempdir()).unwrap();
        // Git shows the real path, and macOS' temporary directory is a link.
        let real = directory.path().canonicalize().unwrap();
        let canary = real.join("bin/canary").to_str().unwrap().to_owned();
        let variables = [("sandbox", real.to_str().unwrap().to_owned()), ("canary", canary)];
        let variables = variables.map(|(name, value)| (name.to_owned(), value)).into();
        let sandbox = Self { directory, variables };
        for name in ["home", "cache", "state", "tmp", "neighbour"] {
            fs::create_dir(sandbox.path(name)).unwrap();
        }
        let identity = "[user]\n\tname = Owner\n\temail = owner@example.com\n[init]\n\tdefaultBranch = main\n";
        let quiet = "[advice]\n\tdetachedHead = false\n[gc]\n\tauto = 0\n[protocol \"file\"]\n\tallow = always\n";
        sandbox.write("home/.gitconfig", format!("{identity}{quiet}").as_bytes());
        for name in ["home/.bashrc", "home/.ssh/authorized_keys", "neighbour/canary", "neighbour/x/canary"] {
            sandbox.write(name, b"Nobody may change this.\n");
        }
        let ran = sandbox.path(RAN);
        sandbox.write("bin/canary", format!("#!/bin/sh\necho \"$0 $*\" >>'{}'\n", ran.display()).as_bytes());
        fs::set_permissions(sandbox.path("bin/canary"), std::fs::Permissions::from_mode(0o755)).unwrap();
        sandbox
    }

    /// The path of a name, which may be absolute: a case may build outside only below the sandbox itself.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn root(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// A text in which `@sandbox@`, `@canary@` and what earlier steps found out are filled in.
    pub(crate) fn filled(&self, text: &str) -> String {
        let fill = |text: String, (name, value): (&String, &String)| text.replace(&format!("@{name}@"), value);
        self.variables.iter().fold(text.to_owned(), fill)
    }

    /// The environment of every program: nothing of whoever runs the tests, and no way out to the network.
    pub(crate) fn environment(&self) -> BTreeMap<String, String> {
        let path = |name: &str| self.path(name).to_str().unwrap().to_owned();
        let nobody = "http://127.0.0.1:9".to_owned();
        let variables = [
            ("PATH", std::env::var("PATH").unwrap_or_default()),
            ("HOME", path("home")),
            ("TMPDIR", path("tmp")),
            ("CREATE_APP_CACHE_DIR", path("cache")),
            ("CREATE_APP_STATE_DIR", path("state")),
            ("GIT_CONFIG_NOSYSTEM", "1".into()),
            ("GIT_TERMINAL_PROMPT", "0".into()),
            ("GIT_SSH_COMMAND", "false".into()),
            ("http_proxy", nobody.clone()),
            ("https_proxy", nobody),
            ("LANG", "C.UTF-8".into()),
            ("NO_COLOR", "1".into()),
        ];
        variables.map(|(name, value)| (name.to_owned(), value)).into()
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>, at: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.path(at)).env_clear().envs(self.environment()).stdin(Stdio::null());
        command
    }

    /// Runs git to build the setting.
    pub(crate) fn git(&self, at: &str, words: &[String], input: &[u8]) -> String {
        let mut command = self.command("git", at);
        command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let output = std::thread::scope(|scope| {
            scope.spawn(move || drop(std::io::Write::write_all(&mut stdin, input)));
            child.wait_with_output().unwrap()
        });
        succeeded(&format!("git {words:?}"), &output)
    }

    /// Runs create-app to build the setting.
    pub(crate) fn app(&self, words: &[String]) {
        let output = self.command(program(), "").args(words).output().unwrap();
        succeeded(&format!("create-app {words:?}"), &output);
    }

    /// Runs create-app until it is killed.
    pub(crate) fn killed(&self, words: &[String], step: u64) {
        let fault = format!("killed:{step}");
        let output = self.command(program(), "").args(words).env("CREATE_APP_FAULT", fault).output().unwrap();
        assert_eq!(output.status.code(), None, "create-app {words:?} was to be killed");
    }

    /// Makes the app of a case from the template that is there.
    pub(crate) fn make(&self, project: Project) {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        match project {
            Project::None => {}
            Project::Plain | Project::Git => self.app(&words("new app --path template --vcs none --silent")),
            Project::Nested => {
                self.git("", &words("init -q app"), b"");
                fs::create_dir(self.path("app/apps")).unwrap();
                self.app(&words("new app/apps/shop --path template --silent"));
            }
        }
        if project == Project::Git {
            self.git("app", &words("init -q"), b"");
        }
        if matches!(project, Project::Git | Project::Nested) {
            self.git("app", &words("add --all"), b"");
            self.git("app", &words("commit -qm One"), b"");
        }
    }
}

fn succeeded(what: &str, output: &Output) -> String {
    let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    assert!(output.status.success(), "cannot build the setting: {what}\n{out}{err}");
    out
}

/// Copies a directory as an archive of it would: modes and times, and neither inodes nor the times at which they changed.
pub(crate) fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").args([from, to]).status().unwrap();
    assert!(status.success(), "cannot copy {}", from.display());
}

/// The standard projects, made once and copied: most cases start from one of them.
#[derive(Default)]
pub(crate) struct Standard(Mutex<BTreeMap<&'static str, Sandbox>>);

impl Standard {
    /// Puts the standard template and project into a sandbox.
    pub(crate) fn copy(&self, project: Project, to: &Sandbox) {
        let name = match project {
            Project::None => "none",
            Project::Plain => "plain",
            Project::Git => "git",
            Project::Nested => "nested",
        };
        // A case that failed here has said so.
        let mut made = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let from = made.entry(name).or_insert_with(|| {
            let sandbox = Sandbox::new();
            for (name, text) in TEMPLATE {
                sandbox.write(&format!("template/{name}"), text.as_bytes());
            }
            sandbox.make(project);
            sandbox
        });
        for name in ["template", "app"].into_iter().filter(|name| from.path(name).exists()) {
            copy(&from.path(name), &to.path(name));
        }
    }
}
