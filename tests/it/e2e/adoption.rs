//! An app that create-app did not make becomes promotable with one command; `adopted/` is such an app.

use std::path::Path;

use fs_err as fs;
use serde_json::json;
use walkdir::WalkDir;

use super::lab::{ACME, App, Lab, short};
use crate::support::app::{bun, command, packages};
use crate::support::process::run;

/// What becomes of the template's parts in the files that the app has; all its other files stay as they are.
const CHANGED: &[&str] = &[".gitignore", "README.md", "alchemy.config.ts", "package.json"];

#[test]
fn an_app_of_its_own_is_promotable_after_one_upgrade() {
    let lab = Lab::start();
    let app = App::adopted(&lab, "shop");
    let said = run(command(env!("CARGO_BIN_EXE_create-app"), &app.dir).args(["upgrade", "--silent"])).succeeds();
    assert!(said.starts_with(".: adopted, template ") && !said.contains("CONFLICT"), "{said}");
    // Each file by its name, the template's rooms among them.
    let next = "\nNext steps:\n\n  bun install\n  git add --all -- .create-app .env.example ";
    assert!(said.contains(next), "{said}");
    assert!(said.ends_with("  git commit --message 'Adopt template 3.0.0'\n"), "{said}");
    assert_own_files_stay(&app);

    let config = app.read("alchemy.config.ts");
    let staging = "  profiles: {\n    staging: {\n      domain: \"staging.example.com\",\n    },\n    dev: {\n";
    assert!(config.contains(staging), "{config}");
    let readme = app.read("README.md");
    let badge = "<!-- create-app:begin badge top -->\n\n[![Promote](https://github.com/acme/corner-shop/actions/";
    assert!(readme.starts_with(&format!("# The corner shop\n\n{badge}")), "{readme}");
    assert!(readme.contains("\n## From a change to users\n") && readme.contains("prod at <https://example.com>"));
    let package: serde_json::Value = serde_json::from_str(&app.read("package.json")).expect("JSON");
    for (script, line) in [("dev", "alchemy dev"), ("check", "tsc --noEmit"), ("test", "bun test")] {
        assert_eq!(package["scripts"][script], line);
    }
    assert_eq!(package["scripts"]["release"], "bun scripts/release/cli.ts release");
    assert_eq!(package["devDependencies"]["typescript"], "^5.4.0");

    // What the summary says is enough.
    packages();
    run(bun(&app.dir).arg("install")).succeeds();
    run(bun(&app.dir).args(["install", "--frozen-lockfile"])).succeeds();
    run(bun(&app.dir).args(["run", "check"])).succeeds();
    run(bun(&app.dir).arg("test")).succeeds();
    run(command(env!("CARGO_BIN_EXE_create-app"), &app.dir).args(["check", "--pristine"])).exits(1);
    run(command(env!("CARGO_BIN_EXE_create-app"), &app.dir).arg("check")).succeeds();

    assert_deploys(app);
}

fn assert_own_files_stay(app: &App<'_>) {
    let own = WalkDir::new(SOURCE).into_iter().map(|entry| entry.expect("readable"));
    for entry in own.filter(|entry| entry.file_type().is_file()) {
        let name = entry.path().strip_prefix(SOURCE).expect("below").to_string_lossy().into_owned();
        let (before, after) = (fs::read_to_string(entry.path()).expect("text"), app.read(&name));
        let mut lines = after.lines();
        if CHANGED.contains(&&*name) {
            // JSON puts a comma behind what was last.
            let is = |line: &str, found: &str| found.strip_suffix(',').unwrap_or(found) == line.trim_end_matches(',');
            assert!(before.lines().all(|line| lines.any(|found| is(line, found))), "{name}:\n{after}");
            assert_ne!(before, after, "{name}");
        } else {
            assert_eq!(before, after, "{name}");
        }
    }
}

fn assert_deploys(mut app: App<'_>) {
    let commit = app.commit("Adopt the template");
    app.variables("staging", ACME.1);
    let file = app.dir.join(".env.staging");
    let before = fs::read_to_string(&file).expect("written");
    let text = format!("{before}CLOUDFLARE_ACCOUNT_ID={}\n", ACME.0);
    fs::write(file, text).expect("writable");
    run(&mut app.alchemy(&["deploy", "--profile", "staging"])).succeeds();

    let lab = app.lab;
    assert_eq!(lab.live("corner-shop-api-staging"), format!("{} 100", short(&commit)));
    let data = lab.state()["data"].take();
    let mut made: Vec<String> = data
        .as_array()
        .expect("a list")
        .iter()
        .map(|data| format!("{} {}", data["type"].as_str().expect("text"), data["name"].as_str().expect("text")))
        .collect();
    made.sort();
    let names = ["d1 corner-shop-orders-staging", "kv corner-shop-sessions-staging", "r2 corner-shop-pictures-staging"];
    assert_eq!(made, names);
    assert_eq!(lab.visit("https://staging.example.com/health"), (200, json!({"status": "ok"})));
    assert_eq!(lab.visit("https://staging.example.com/orders"), (200, json!({"total": "12.50 EUR"})));
    assert_eq!(lab.visit("https://staging.example.com/pictures"), (200, json!("a green door")));

    // The app's own /health names no version: nothing would say which release answers, unless its owner is content with that.
    app.edit(
        "alchemy.config.ts",
        "domain: \"staging.example.com\",",
        "domain: \"staging.example.com\",\n      thresholds: { deadlineMs: 2_000 },",
    );
    let refused = app.release("staging").exits(1);
    assert!(refused.contains("set `health: { reports: \"status\" }` in alchemy.config.ts"), "{refused}");
    app.edit(
        "alchemy.config.ts",
        "name: \"corner-shop\",",
        "name: \"corner-shop\",\n  health: { reports: \"status\" },",
    );
    app.release("staging").succeeds();
}

/// The app before.
const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/adopted");

impl<'lab> App<'lab> {
    /// The app of `adopted/`, committed, at a path inside the lab.
    fn adopted(lab: &'lab Lab, path: &str) -> Self {
        let dir = lab.file(path);
        copy(Path::new(SOURCE), &dir);
        run(command("git", &dir).args(["init", "--quiet"])).succeeds();
        let mut app = Self { lab, dir, commits: Vec::new() };
        app.commit("The shop");
        app
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.dir.join(name)).expect("readable")
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("writable");
    for entry in fs::read_dir(from).expect("a directory").map(|entry| entry.expect("readable")) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("writable");
        }
    }
}
