//! Three apps on wrangler, each with its own package manager, flags and scripts, work after one `create-app upgrade`, and are built as before.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fs_err as fs;
use tempfile::TempDir;
use walkdir::WalkDir;

use crate::support::app::{bun, command, packages, temporary};
use crate::support::process::{Running, run};
use crate::support::tools;

/// Files of an app that a template may add something to.
const SHARED: &[&str] = &[".gitignore", "README.md", "package.json"];

/// An app of `tests/adoptable/`, adopted.
struct Adopted {
    _folder: TempDir,
    dir: PathBuf,
    /// What the summary said.
    said: String,
    before: BTreeMap<String, String>,
}

impl Adopted {
    fn new(name: &str) -> Self {
        let folder = temporary();
        let dir = folder.path().join(name);
        let before = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/adoptable").join(name));
        for (path, text) in &before {
            let path = dir.join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
            fs::write(path, text).expect("writable");
        }
        for args in [&["init", "--quiet"][..], &["add", "--all"], &["commit", "--quiet", "--message", "The app"]] {
            run(command("git", &dir).args(args)).succeeds();
        }
        let said = run(command(env!("CARGO_BIN_EXE_create-app"), &dir).args(["upgrade", "--silent"])).succeeds();
        Self { _folder: folder, dir, said, before }
    }

    #[track_caller]
    fn tells(&self, line: &str) {
        assert!(self.said.lines().any(|found| found.trim_start() == line), "{line}\n{}", self.said);
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.dir.join(name)).expect("readable")
    }

    fn has(&self, name: &str) -> bool {
        self.dir.join(name).exists()
    }

    fn package(&self) -> serde_json::Value {
        serde_json::from_str(&self.read("package.json")).expect("JSON")
    }

    /// What the app has is as it was; in `package.json`, keys are added, and none that says how the app is built.
    fn assert_is_built_as_before(&self) {
        for (path, text) in self.before.iter().filter(|(path, _)| !SHARED.contains(&path.as_str())) {
            assert_eq!(&self.read(path), text, "{path}");
        }
        let before: serde_json::Value = serde_json::from_str(&self.before["package.json"]).expect("JSON");
        let after = self.package();
        for key in ["type", "private", "packageManager", "main", "exports"] {
            assert_eq!(before[key], after[key], "{key}");
        }
        for (name, script) in before["scripts"].as_object().expect("a map") {
            assert_eq!(&after["scripts"][name], script, "{name}");
        }
        assert!(!self.has("src/api.ts"));
    }

    /// Every command of the documents names a script that is there.
    fn assert_documents_are_right(&self) {
        let scripts = self.package()["scripts"].clone();
        for file in ["COMMANDS.md", "QUICK_START.md", "docs/PROMOTION.md", "scripts/release/environments.ts"] {
            let text = self.read(file);
            for found in text.split("bun run ").skip(1) {
                let is_in_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '-');
                let name = &found[..found.find(|c| !is_in_name(c)).unwrap_or(found.len())];
                let is_program = name == "alchemy" || name.is_empty();
                assert!(is_program || scripts[name].as_str().is_some(), "{file}: bun run {name}");
            }
        }
    }

    /// The commands of its pull requests pass.
    fn assert_checks_and_tests_pass(&self) {
        link_packages(&self.dir);
        let workflow = self.read(".github/workflows/ci.yml");
        let commands: Vec<&str> = workflow.lines().filter_map(|line| line.trim().strip_prefix("- run: ")).collect();
        assert_eq!(commands.len(), 3, "{workflow}");
        for line in &commands[1..] {
            run(bun(&self.dir).args(line.strip_prefix("bun ").expect("bun").split(' '))).succeeds();
        }
        run(command(env!("CARGO_BIN_EXE_create-app"), &self.dir).arg("check")).succeeds();
    }

    /// It runs without an account; what it says at a path.
    fn answers(&self, path: &str) -> String {
        let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its number").port();
        let mut dev = Running::start(bun(&self.dir).args(["run", "alchemy:dev"]).env("PORT", port.to_string()));
        dev.wait_for("Ready at http://localhost:");
        let url = format!("http://127.0.0.1:{port}{path}");
        let text = format!("console.log(await (await fetch({url:?})).text())");
        run(bun(&self.dir).args(["--eval", &text])).succeeds().trim().to_owned()
    }
}

#[test]
fn a_hono_app_with_npm_works_after_its_adoption() {
    let app = Adopted::new("hono");
    for line in [
        "answer    entry: \"src/index.ts\" (from wrangler.jsonc: main)",
        "answer    domain: \"go.example.com\" (from wrangler.jsonc: routes.0.pattern)",
        "answer    kv_bindings: \"LINKS\" (from wrangler.jsonc: kv_namespaces.0.binding)",
        "answer    compatibility_flags: \"nodejs_compat\" (from wrangler.jsonc: compatibility_flags.0)",
        "answer    github_repository: \"acme/link-desk\" (from package.json: repository)",
        "answer    package_manager: \"npm\" (from package-lock.json)",
        "answer    script_prefix: \"alchemy:\" (from package.json: scripts.dev)",
        "note      wrangler.jsonc: `routes.1` was not carried over: add it to `domains` of the Worker in alchemy.run.ts",
        "note      wrangler.jsonc: `vars` was not carried over: put them under `vars` of each profile in alchemy.config.ts",
        "npm install",
    ] {
        app.tells(line);
    }
    assert!(app.said.contains("note      wrangler.jsonc: `kv_namespaces.0.id` was not carried over: "), "{}", app.said);
    assert!(app.said.contains("note      package.json: added `scripts.alchemy:dev`, "), "{}", app.said);
    app.assert_is_built_as_before();
    assert!(!app.has("bun.lock") && !app.has("scripts/release/release.test.ts"));
    assert!(app.read(".github/workflows/ci.yml").contains("- run: npm ci\n"));
    let config = app.read("alchemy.config.ts");
    assert!(
        config.contains("script: \"./src/index.ts\"") && config.contains("    links: {\n      type: \"kv\""),
        "{config}"
    );
    app.assert_documents_are_right();
    app.assert_checks_and_tests_pass();
    assert_eq!(app.answers("/health"), r#"{"status":"ok"}"#);
}

#[test]
fn an_itty_router_app_with_pnpm_and_d1_works_after_its_adoption() {
    let app = Adopted::new("itty");
    app.tells("answer    entry: \"src/worker.ts\" (from wrangler.toml: main)");
    app.tells("answer    domain: \"guests.example.org\" (from wrangler.toml: route)");
    app.tells("answer    d1_bindings: \"DB\" (from wrangler.toml: d1_databases.0.binding)");
    app.tells("answer    package_manager: \"pnpm\" (from pnpm-lock.yaml)");
    app.tells("pnpm install");
    app.assert_is_built_as_before();
    assert!(!app.has("bun.lock"));
    app.assert_documents_are_right();
    app.assert_checks_and_tests_pass();
    assert_eq!(app.answers("/Ada"), r#"{"message":"Welcome, Ada"}"#);
}

#[test]
fn a_plain_javascript_app_works_after_its_adoption() {
    let app = Adopted::new("plain");
    app.tells("answer    entry: \"src/index.js\" (from wrangler.toml: main)");
    app.tells("answer    r2_bindings: \"PICTURES\" (from wrangler.toml: r2_buckets.0.binding)");
    app.tells("bun install");
    app.assert_is_built_as_before();
    app.assert_documents_are_right();
    app.assert_checks_and_tests_pass();
    assert_eq!(app.answers("/pictures"), r#"{"bound":true}"#);
}

/// The text of each file.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = WalkDir::new(folder).into_iter().map(|entry| entry.expect("readable"));
    let files = entries.filter(|entry| entry.file_type().is_file());
    let name = |path: &Path| path.strip_prefix(folder).expect("below").to_string_lossy().into_owned();
    files.map(|file| (name(file.path()), fs::read_to_string(file.path()).expect("text"))).collect()
}

/// Gives an app its own packages, and those of the template that it lacks.
fn link_packages(app: &Path) {
    let lock = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tools/adoption/package-lock.json");
    let own = tools::install_from(lock, "adoption", |dir| tools::install_npm(Path::new(lock), dir));
    for packages in [own.join("node_modules"), packages().join("node_modules")] {
        link(&packages, &app.join("node_modules"));
    }
}

fn link(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("writable");
    for entry in fs::read_dir(from).expect("a directory").map(|entry| entry.expect("readable")) {
        let (name, target) = (entry.file_name(), to.join(entry.file_name()));
        // Packages of one scope are several.
        if name.to_string_lossy().starts_with(['@', '.']) && entry.path().is_dir() {
            link(&entry.path(), &target);
        } else if target.symlink_metadata().is_err() {
            let real = fs::canonicalize(entry.path()).expect("there");
            fs::os::unix::fs::symlink(real, target).expect("writable");
        }
    }
}
