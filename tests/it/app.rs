//! The generated app as its owner meets it: it installs, checks, tests and runs without any account, and every file of
//! every answer set is clean.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::app::{bun, command, create, install, link_packages, packages, temporary};
use crate::support::process::{Running, run};
use crate::support::tools::{node_tools, python_tool, scripts};
use fs_err as fs;
use regex::Regex;
use walkdir::WalkDir;

#[test]
fn a_new_app_installs_checks_and_passes_its_tests() {
    let folder = temporary();
    let app = create(folder.path(), "promotion-test", &[]);
    install(&app);
    run(bun(&app).args(["run", "check"])).succeeds();
    let output = run(bun(&app).arg("test")).succeeds();
    assert!(output.contains("\n 0 fail"), "{output}");
    let status = run(command("git", &app).args(["status", "--porcelain", "--untracked-files=all"])).succeeds();
    for made in ["node_modules", ".alchemy", ".wrangler", "release-report"] {
        assert!(!status.contains(made), "what is made by working is ignored by git:\n{status}");
    }
}

#[test]
fn a_checkout_with_windows_line_ends_leaves_scripts_and_workflows_alone() {
    let folder = temporary();
    let app = create(folder.path(), "promotion-test", &[]);
    run(command("git", &app).args(["add", "--all"])).succeeds();
    run(command("git", &app).args(["commit", "--quiet", "--message", "Start"])).succeeds();
    let clone = ["-c", "core.autocrlf=true", "clone", "--quiet", "promotion-test", "clone"];
    run(command("git", folder.path()).args(clone)).succeeds();
    let text = |name: &str| fs::read_to_string(folder.path().join("clone").join(name)).unwrap();
    assert!(text("README.md").contains("\r\n"), "this checkout has Windows line ends");
    for file in ["scripts/rollback.sh", ".github/workflows/promote.yml", ".github/workflows/rollback.yml"] {
        assert!(!text(file).contains('\r'), "{file}");
    }
}

/// `tests/machinery/` holds the tests of what an app releases with: they run here, in each kind of app, and not in the app.
#[test]
fn the_machinery_of_every_kind_of_app_passes_its_tests() {
    let folder = temporary();
    let answers: [&[&str]; 3] = [
        &[],
        &["domain=example.com", "with_kv=true", "github_repository=acme/shop-platform"],
        &["script_prefix=alchemy:", "compiler_settings=app", "package_manager=npm"],
    ];
    std::thread::scope(|scope| {
        for (at, answers) in answers.into_iter().enumerate() {
            let app = create(folder.path(), &format!("app-{at}"), answers);
            link_packages(&app);
            add_machinery_tests(&app);
            scope.spawn(move || {
                let output = run(bun(&app).args(["test", "--timeout", "60000", "scripts/release"])).succeeds();
                assert!(output.contains("\n 0 fail") && output.contains("Ran "), "{output}");
            });
        }
    });
}

/// Puts the tests beside what they test.
fn add_machinery_tests(app: &Path) {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/machinery");
    for test in fs::read_dir(tests).unwrap().map(Result::unwrap) {
        fs::copy(test.path(), app.join("scripts/release").join(test.file_name())).unwrap();
    }
}

#[test]
fn a_new_app_runs_without_an_account() {
    let folder = temporary();
    let app = create(folder.path(), "promotion-test", &["with_kv=true"]);
    install(&app);
    let port = free_port();
    let mut dev = Running::start(bun(&app).args(["run", "dev"]).env("PORT", port.to_string()));
    dev.wait_for("localhost:");
    let get = |path: &str| {
        let url = format!("http://127.0.0.1:{port}{path}");
        let text = format!("console.log(await (await fetch({url:?})).text())");
        run(bun(&app).args(["--eval", &text])).succeeds()
    };
    let health: serde_json::Value = serde_json::from_str(&get("/health")).unwrap();
    assert_eq!(health["status"], "ok");
    assert_eq!(health["environment"], "dev-owner");
    assert_eq!(get("/visits").trim(), r#"{"count":1}"#);
    assert_eq!(get("/visits").trim(), r#"{"count":2}"#);
}

/// A port that nobody listens on; nobody else is given it for a while.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn every_answer_set_is_clean() {
    let folder = temporary();
    let apps = answer_sets(folder.path());
    assert_eq!(apps.len(), 16);
    // They are held to the same rules.
    add_machinery_tests(&apps[0].dir);
    let files: Vec<PathBuf> = apps.iter().flat_map(|app| files(&app.root)).collect();
    let ending = |end: &str| files.iter().filter(|file| file.to_string_lossy().ends_with(end)).collect::<Vec<_>>();
    let workflows: Vec<_> = ending(".yml").into_iter().filter(|f| f.to_string_lossy().contains("/.github/")).collect();
    assert_eq!(workflows.len(), 3 * apps.len());
    let here = folder.path();

    let left_over = Regex::new(r"TODO|FIXME|XXX|\{%|%\}|(^|[^$])\{\{").unwrap();
    for file in &files {
        let text = fs::read_to_string(file).unwrap();
        if let Some(found) = left_over.find(&text) {
            panic!("{}: {:?}", file.display(), found.as_str());
        }
    }
    std::thread::scope(|scope| {
        let check = |name: &'static str, mut command: Command| {
            scope.spawn(move || {
                let finished = run(&mut command);
                assert!(finished.code == 0, "{name}: {}", finished.output);
            })
        };
        let mut actionlint = command(python_tool("actionlint"), here);
        actionlint.args(["-no-color", "-pyflakes=", "-shellcheck"]).arg(python_tool("shellcheck")).args(&workflows);
        check("actionlint", actionlint);
        let mut zizmor = command(python_tool("zizmor"), here);
        zizmor.args(["--offline", "--persona=pedantic", "--quiet"]).args(&workflows);
        check("zizmor", zizmor);
        let mut parser = bun(here);
        parser.arg(scripts("app").join("parse-workflows.ts")).args(&workflows);
        check("workflow-parser", parser);
        let mut shellcheck = command(python_tool("shellcheck"), here);
        shellcheck.args(ending(".sh"));
        check("shellcheck", shellcheck);
        let mut prettier = command("node", here);
        prettier.arg(node_tools().join("node_modules/prettier/bin/prettier.cjs"));
        prettier.args(["--no-config", "--log-level=warn", "--check"]).args(formatted(&files));
        check("prettier", prettier);
        check("tsc", type_check(here, &apps));
    });
}

/// One of the 16 apps.
struct Made {
    /// The repository's root.
    root: PathBuf,
    /// The app's folder.
    dir: PathBuf,
}

/// Domain or none, KV or none, known repository or none, alone or in a folder of a repository.
fn answer_sets(folder: &Path) -> Vec<Made> {
    let mut made = Vec::new();
    for set in 0..16 {
        let mut answers = Vec::new();
        answers.extend((set & 1 != 0).then_some("domain=example.com"));
        answers.extend((set & 2 != 0).then_some("with_kv=true"));
        answers.extend((set & 4 != 0).then_some("github_repository=acme/shop-platform"));
        if set & 8 == 0 {
            let dir = create(folder, &format!("set-{set}"), &answers);
            made.push(Made { root: dir.clone(), dir });
        } else {
            let root = folder.join(format!("set-{set}"));
            fs::create_dir(&root).unwrap();
            run(command("git", &root).args(["init", "--quiet"])).succeeds();
            let dir = create(&root, "apps/shop", &answers);
            made.push(Made { root, dir });
        }
    }
    made
}

/// The generated files.
fn files(root: &Path) -> Vec<PathBuf> {
    let own = |name: &std::ffi::OsStr| name == ".git" || name == ".create-app";
    let entries = WalkDir::new(root).into_iter().filter_entry(|entry| !own(entry.file_name()));
    entries.map(Result::unwrap).filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path).collect()
}

/// What prettier formats; a lock file is bun's own.
fn formatted(files: &[PathBuf]) -> Vec<&PathBuf> {
    let known = ["ts", "json", "md", "yml"];
    files.iter().filter(|file| file.extension().is_some_and(|end| known.iter().any(|known| end == *known))).collect()
}

/// Checks all apps at once, by the options that each of them has: Alchemy's types are read once.
fn type_check(folder: &Path, apps: &[Made]) -> Command {
    let options = fs::read_to_string(apps[0].dir.join("tsconfig.json")).unwrap();
    for app in apps {
        assert_eq!(fs::read_to_string(app.dir.join("tsconfig.json")).unwrap(), options);
    }
    let mut options: serde_json::Value = serde_json::from_str(&options).unwrap();
    let included = options["include"].as_array().unwrap().clone();
    let below = |app: &Made| {
        let dir = app.dir.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
        included.iter().map(move |path| format!("{dir}/{}", path.as_str().unwrap())).collect::<Vec<_>>()
    };
    options["include"] = apps.iter().flat_map(below).collect();
    fs::write(folder.join("tsconfig.json"), options.to_string()).unwrap();
    std::os::unix::fs::symlink(packages().join("node_modules"), folder.join("node_modules")).unwrap();
    let mut command = command("node", folder);
    command.arg(packages().join("node_modules/typescript/bin/tsc"));
    command
}
