//! The tools that the tests run: pinned under `tests/tools/`, installed once under `target/tools/`, by the first test that asks.
//!
//! Each function panics with what is missing from the system, or with what the installer said.

use std::fmt::Write as _;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use fs_err as fs;
use sha2::{Digest, Sha256};

use super::programs;

const PACKAGE_JSON: &str = include_str!("../tools/node/package.json");
const PACKAGE_LOCK: &str = include_str!("../tools/node/package-lock.json");
const REQUIREMENTS: &str = include_str!("../tools/python/requirements.txt");
const CRATES: &str = include_str!("../tools/cargo.txt");

/// Names an installed cargo-generate of the pinned version, to save building one.
pub(crate) const CARGO_GENERATE: &str = "CREATE_APP_TEST_CARGO_GENERATE";

/// The file that is written last into an installed tool's directory.
const INSTALLED: &str = ".installed";

/// A directory whose `node_modules` holds the npm packages; programs are in `node_modules/.bin`.
pub(crate) fn node_tools() -> &'static Path {
    static DIR: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let dir = DIR.get_or_init(|| install(&root(), &format!("node-{}", digest(PACKAGE_LOCK)), install_node));
    dir.as_deref().unwrap_or_else(|error| panic!("{error}"))
}

/// Bun itself, not a script that starts it: the same path on every system.
pub(crate) fn bun() -> PathBuf {
    node_tools().join("node_modules/bun/bin/bun.exe")
}

/// The scripts of `tests/<name>`, copied to where they find the npm packages.
pub(crate) fn scripts(name: &str) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name);
    let files = walkdir::WalkDir::new(&source).sort_by_file_name().into_iter().map(|entry| entry.expect("readable"));
    let files: Vec<(PathBuf, String)> = files
        .filter(|entry| entry.path().extension().is_some_and(|end| end == "ts" || end == "json"))
        .map(|entry| {
            let path = entry.path().strip_prefix(&source).expect("below").to_owned();
            (path, fs::read_to_string(entry.path()).expect("UTF-8"))
        })
        .collect();
    let text: String = files.iter().map(|(path, text)| format!("{}\n{text}\n", path.display())).collect();
    let copy = |dir: &Path| {
        files.iter().try_for_each(|(path, text)| {
            let path = dir.join(path);
            fs::create_dir_all(path.parent().expect("a folder"))?;
            fs::write(path, text)
        })
    };
    let name = format!("{name}-{}", digest(&text));
    let dir = install(node_tools(), &name, |dir| copy(dir).map_err(|error| error.to_string()));
    dir.unwrap_or_else(|error| panic!("{error}"))
}

/// A Python virtual environment that holds act, actionlint, shellcheck, typos and zizmor.
pub(crate) fn python_tools() -> &'static Path {
    static DIR: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let dir = DIR.get_or_init(|| install(&root(), &format!("python-{}", digest(REQUIREMENTS)), install_python));
    dir.as_deref().unwrap_or_else(|error| panic!("{error}"))
}

/// The program `name` of [`python_tools`].
pub(crate) fn python_tool(name: &str) -> PathBuf {
    program(python_tools(), name)
}

/// The cargo-generate that judges our rendering: the one that [`CARGO_GENERATE`] names, else one built here, which takes minutes.
pub(crate) fn cargo_generate() -> PathBuf {
    static PROGRAM: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| match std::env::var_os(CARGO_GENERATE) {
        Some(given) => given_cargo_generate(given.into()),
        None => {
            let name = format!("cargo-generate-{}", pin("cargo-generate"));
            let dir = install(&root(), &name, install_cargo_generate)?;
            Ok(dir.join("bin").join(executable("cargo-generate")))
        }
    });
    program.clone().unwrap_or_else(|error| panic!("{error}"))
}

/// The version of an npm package, Python package or crate that `tests/tools/` pins.
pub(crate) fn pin(package: &str) -> String {
    let json: serde_json::Value = serde_json::from_str(PACKAGE_JSON).expect("package.json is JSON");
    let node = json["dependencies"][package].as_str();
    let after = |text: &'static str, sign: &str| {
        let mut lines = text.lines().filter_map(|line| line.strip_prefix(package)?.strip_prefix(sign));
        lines.next()?.split_whitespace().next()
    };
    let version = node.or_else(|| after(REQUIREMENTS, "==")).or_else(|| after(CRATES, "@"));
    version.unwrap_or_else(|| panic!("tests/tools pins no {package}")).to_owned()
}

/// Like [`install`], into a directory named after the content of a lock file.
pub(crate) fn install_from(lock: &str, name: &str, build: impl FnOnce(&Path) -> Result<(), String>) -> PathBuf {
    let text = fs::read_to_string(lock).unwrap_or_else(|error| panic!("{error}"));
    install(&root(), &format!("{name}-{}", digest(&text)), build).unwrap_or_else(|error| panic!("{error}"))
}

/// Runs `build` on the empty directory `root/name` unless an earlier run succeeded, once among all threads and processes.
///
/// The tools stay where they were installed, because a virtual environment holds its own path: a marker that is written last,
/// not a rename, tells a finished directory from an abandoned one.
pub(crate) fn install(
    root: &Path,
    name: &str,
    build: impl FnOnce(&Path) -> Result<(), String>,
) -> Result<PathBuf, String> {
    let dir = root.join(name);
    let marker = dir.join(INSTALLED);
    let io = |error: std::io::Error| format!("cannot install the tests' tools: {error}");
    if marker.exists() {
        return Ok(dir);
    }
    fs::create_dir_all(root).map_err(io)?;
    let lock = File::create(root.join(format!("{name}.lock"))).map_err(io)?;
    lock.lock().map_err(io)?;
    if !marker.exists() {
        if dir.exists() {
            fs::remove_dir_all(&dir).map_err(io)?;
        }
        fs::create_dir(&dir).map_err(io)?;
        build(&dir)?;
        fs::write(&marker, "").map_err(io)?;
    }
    Ok(dir)
}

/// Runs a command without input and returns what it printed, or what it said when it failed.
pub(crate) fn run(command: &mut Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("cannot run {command:?}: {error}"))?;
    let [stdout, stderr] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    if output.status.success() { Ok(stdout) } else { Err(format!("{command:?}: {}\n{stdout}{stderr}", output.status)) }
}

/// How npm installs.
const NPM: [&str; 5] = ["--ignore-scripts", "--include=optional", "--no-audit", "--no-fund", "--no-update-notifier"];

/// Installs the npm packages, then lets bun put its program in its place: the one install script that is needed.
fn install_node(dir: &Path) -> Result<(), String> {
    let node = programs::require("Node")?;
    let npm = programs::require("npm")?;
    for (name, text) in [("package.json", PACKAGE_JSON), ("package-lock.json", PACKAGE_LOCK)] {
        fs::write(dir.join(name), text).map_err(|error| error.to_string())?;
    }
    run(Command::new(npm).arg("ci").args(NPM).current_dir(dir))?;
    run(Command::new(node).arg("node_modules/bun/install.js").current_dir(dir))?;
    only_bun(&dir.join("programs"), &dir.join("node_modules/bun/bin/bun.exe")).map_err(|error| error.to_string())
}

/// Installs the npm packages of a lock file and the manifest beside it.
pub(crate) fn install_npm(lock: &Path, dir: &Path) -> Result<(), String> {
    let npm = programs::require("npm")?;
    for name in ["package.json", "package-lock.json"] {
        fs::copy(lock.with_file_name(name), dir.join(name)).map_err(|error| error.to_string())?;
    }
    run(Command::new(npm).arg("ci").args(NPM).current_dir(dir)).map(drop)
}

/// A directory for the search path of programs that shall find bun and none of the other tools.
fn only_bun(dir: &Path, bun: &Path) -> std::io::Result<()> {
    fs::create_dir(dir)?;
    #[cfg(unix)]
    return fs_err::os::unix::fs::symlink(bun, dir.join("bun"));
    #[cfg(not(unix))]
    return fs::copy(bun, dir.join("bun.exe")).map(drop);
}

/// Makes the virtual environment.
fn install_python(dir: &Path) -> Result<(), String> {
    let python = programs::require("Python")?;
    run(Command::new(python).args(["-m", "venv"]).arg(dir))?;
    let requirements = dir.join("requirements.txt");
    fs::write(&requirements, REQUIREMENTS).map_err(|error| error.to_string())?;
    let options = ["--quiet", "--no-input", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"];
    let pip = ["-m", "pip", "install", "--require-hashes", "--requirement"];
    run(Command::new(program(dir, "python")).args(pip).arg(requirements).args(options))?;
    Ok(())
}

/// Builds cargo-generate as it was released, except that the build is not optimised, which takes half the time, and that its own git
/// and its interactive screens are left out: templates in directories render the same without, and OpenSSL is not needed.
fn install_cargo_generate(dir: &Path) -> Result<(), String> {
    let build = dir.join("build");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let package = format!("cargo-generate@{}", pin("cargo-generate"));
    let profile = [("OPT_LEVEL", "0"), ("LTO", "off"), ("CODEGEN_UNITS", "256"), ("DEBUG", "0")];
    let profile = profile.map(|(key, value)| (format!("CARGO_PROFILE_RELEASE_{key}"), value));
    let mut command = Command::new(cargo);
    command
        .args(["install", "--quiet", "--locked", "--no-default-features", "--ignore-rust-version", &package, "--root"])
        .arg(dir);
    run(command.envs(profile).env("CARGO_TARGET_DIR", &build))?;
    fs::remove_dir_all(build).map_err(|error| error.to_string())
}

/// Checks that the cargo-generate that somebody gave us is the pinned one.
fn given_cargo_generate(path: PathBuf) -> Result<PathBuf, String> {
    let version = run(Command::new(&path).arg("--version")).map_err(|error| format!("{CARGO_GENERATE}: {error}"))?;
    let pin = pin("cargo-generate");
    if version.split_whitespace().last() == Some(&pin) {
        return Ok(path);
    }
    Err(format!("{CARGO_GENERATE} names {} (found: {}); the tests need {pin}", path.display(), version.trim()))
}

/// The program `name` of a virtual environment.
fn program(environment: &Path, name: &str) -> PathBuf {
    environment.join(if cfg!(windows) { "Scripts" } else { "bin" }).join(executable(name))
}

/// The file name of a program.
fn executable(name: &str) -> String {
    format!("{name}{}", std::env::consts::EXE_SUFFIX)
}

/// `target/tools`, wherever the target directory is.
fn root() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("tools")
}

/// Names a lock file's content.
fn digest(text: &str) -> String {
    Sha256::digest(text).iter().take(6).fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a string takes everything");
        hex
    })
}
