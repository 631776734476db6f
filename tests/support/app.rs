//! Apps made by the built binary, and what they need to be installed: bun, and a cache of their packages.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use fs_err as fs;
use tempfile::TempDir;

use super::process::run;
use super::tools;

/// Where tests work: in no repository. On the file system of `target`, bun links its packages; else it copies them.
pub(crate) fn temporary() -> TempDir {
    tempfile::Builder::new().prefix("create-app-").tempdir().unwrap()
}

/// Makes an app with the built binary, at a path inside `folder`.
pub(crate) fn create(folder: &Path, path: &str, answers: &[&str]) -> PathBuf {
    let mut command = command(env!("CARGO_BIN_EXE_create-app"), folder);
    // Without the dot, `apps/shop` could be meant for a template's address.
    command.args([&*format!("./{path}"), "--silent"]).args(answers.iter().flat_map(|answer| ["-d", answer]));
    run(&mut command).succeeds();
    folder.join(path)
}

/// Installs the packages that the app's lock file names, from bun's cache.
pub(crate) fn install(app: &Path) {
    packages();
    run(bun(app).args(["install", "--frozen-lockfile"])).succeeds();
}

/// Gives an app the packages that the template's lock file names, where no test is about installing them.
pub(crate) fn link_packages(app: &Path) {
    let own = app.join("node_modules");
    fs::create_dir(&own).unwrap();
    for package in fs::read_dir(packages().join("node_modules")).unwrap().map(Result::unwrap) {
        fs::os::unix::fs::symlink(package.path(), own.join(package.file_name())).unwrap();
    }
}

/// Bun, in an app.
pub(crate) fn bun(app: &Path) -> Command {
    command(tools::bun(), app)
}

/// A program in a folder, with an environment like a new user's: no account, no token, and nobody to talk to.
pub(crate) fn command(program: impl AsRef<std::ffi::OsStr>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).env_clear();
    command.env("PATH", path(&[])).env("HOME", home()).env("USER", "owner").env("LANG", "C.UTF-8");
    command.env("TMPDIR", home()).env("BUN_INSTALL_CACHE_DIR", cache());
    // Port 9 is nobody's: what tries to get out fails at once.
    for proxy in ["HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"] {
        command.env(proxy, "http://127.0.0.1:9");
    }
    command.env("NO_PROXY", "127.0.0.1,localhost").env("ALCHEMY_TELEMETRY_DISABLED", "1").env("DO_NOT_TRACK", "1");
    command.env("GIT_CONFIG_NOSYSTEM", "1");
    for role in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{role}_NAME"), "Owner").env(format!("GIT_{role}_EMAIL"), "owner@example.com");
    }
    command
}

/// Where programs are found: in `first`, then bun and no other tool of the tests, then the system's.
pub(crate) fn path(first: &[PathBuf]) -> std::ffi::OsString {
    let system = std::env::var_os("PATH").unwrap_or_default();
    let programs = tools::node_tools().join("programs");
    let folders = first.iter().cloned().chain([programs]).chain(std::env::split_paths(&system));
    std::env::join_paths(folders).unwrap()
}

/// A home that nobody has used, one for each test program.
fn home() -> &'static Path {
    static HOME: OnceLock<PathBuf> = OnceLock::new();
    HOME.get_or_init(|| {
        let program = std::env::current_exe().unwrap();
        let name = format!("home-{}", program.file_stem().unwrap().to_string_lossy());
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        if home.exists() {
            fs::remove_dir_all(&home).unwrap();
        }
        fs::create_dir_all(&home).unwrap();
        let config = "[init]\n\tdefaultBranch = main\n[advice]\n\tdetachedHead = false\n[gc]\n\tauto = 0\n";
        fs::write(home.join(".gitconfig"), config).unwrap();
        home
    })
}

fn cache() -> PathBuf {
    packages().join("cache")
}

/// A folder with the app's packages in bun's cache and as `node_modules`, fetched once for each lock file.
pub(crate) fn packages() -> &'static Path {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    DIR.get_or_init(|| {
        tools::install_from(concat!(env!("CARGO_MANIFEST_DIR"), "/template/bun.lock"), "app", |dir| {
            let made = temporary();
            let mut create = Command::new(env!("CARGO_BIN_EXE_create-app"));
            tools::run(create.args(["app", "--silent", "--vcs", "none"]).current_dir(made.path()))?;
            for file in ["package.json", "bun.lock"] {
                fs::copy(made.path().join("app").join(file), dir.join(file)).map_err(|error| error.to_string())?;
            }
            let mut install = Command::new(tools::bun());
            install.args(["install", "--frozen-lockfile"]).current_dir(dir);
            tools::run(install.env("BUN_INSTALL_CACHE_DIR", dir.join("cache"))).map(drop)
        })
    })
}
