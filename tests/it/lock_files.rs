//! A package manager's lock file after an upgrade, by the real bun: the command that the summary names makes it right.

use std::path::PathBuf;
use std::process::Command;

use crate::support::app::{bun, command, temporary};
use crate::support::process::{Running, run};
use crate::support::tools::scripts;
use fs_err as fs;
use tempfile::TempDir;

/// A registry, a template whose `left` is bumped from 1.0.0 to 1.1.0, and a project of its first version.
struct Shop {
    folder: TempDir,
    registry: String,
    /// Serves until the test ends.
    _server: Running,
}

impl Shop {
    fn new() -> Self {
        let folder = temporary();
        let packages = folder.path().join("packages");
        for (name, version) in [("left", "1.0.0"), ("left", "1.1.0"), ("own", "1.0.0")] {
            let package = folder.path().join(format!("sources/{name}-{version}"));
            fs::create_dir_all(&package).unwrap();
            fs::write(package.join("package.json"), format!("{{\"name\": \"{name}\", \"version\": \"{version}\"}}\n"))
                .unwrap();
            run(bun(&package).args(["pm", "pack", "--quiet", "--destination"]).arg(&packages)).succeeds();
        }
        let mut server = Running::start(bun(folder.path()).arg(scripts("app").join("registry.ts")).arg(&packages));
        let line = server.wait_for("listening on ");
        let registry = line.trim().trim_start_matches("listening on ").to_owned();
        let shop = Self { folder, registry, _server: server };
        shop.write("template/cargo-generate.toml", "[create-app]\nversion = \"1.0.0\"\n");
        shop.write("template/README.md", "One\n");
        let package = "{\n  \"name\": \"{{project-name}}\",\n  \"dependencies\": {\n    \"left\": \"1.0.0\"\n  }\n}\n";
        shop.write("template/package.json", package);
        shop.bun("template", &["install"]).succeeds();
        fs::remove_dir_all(shop.path("template/node_modules")).unwrap();
        shop.create_app("", &["shop", "--path", "template", "--silent"]).succeeds();
        shop.bun("shop", &["install", "--frozen-lockfile"]).succeeds();
        shop
    }

    /// The template's second version.
    fn bump(&self) {
        self.edit("template/package.json", "1.0.0", "1.1.0");
        self.bun("template", &["install"]).succeeds();
        fs::remove_dir_all(self.path("template/node_modules")).unwrap();
    }

    fn upgrade(&self) -> String {
        run(command("git", &self.path("shop")).args(["add", "--all"])).succeeds();
        run(command("git", &self.path("shop")).args(["commit", "--quiet", "--message", "Mine"])).succeeds();
        self.create_app("shop", &["upgrade", "--silent"]).succeeds()
    }

    fn create_app(&self, directory: &str, arguments: &[&str]) -> crate::support::process::Finished {
        run(command(env!("CARGO_BIN_EXE_create-app"), &self.path(directory)).args(arguments))
    }

    fn bun(&self, directory: &str, arguments: &[&str]) -> crate::support::process::Finished {
        let mut bun: Command = bun(&self.path(directory));
        // Packages of the same name and version are not the same in every test.
        bun.args(arguments).env("BUN_CONFIG_REGISTRY", &self.registry);
        run(bun.env("BUN_INSTALL_CACHE_DIR", self.path("cache")))
    }

    fn installed(&self, package: &str) -> String {
        let text = fs::read_to_string(self.path(&format!("shop/node_modules/{package}/package.json"))).unwrap();
        let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
        manifest["version"].as_str().unwrap().to_owned()
    }

    fn path(&self, name: &str) -> PathBuf {
        if name.is_empty() { self.folder.path().to_path_buf() } else { self.folder.path().join(name) }
    }

    fn write(&self, name: &str, text: &str) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), text).unwrap();
    }

    fn edit(&self, name: &str, old: &str, new: &str) {
        let text = fs::read_to_string(self.path(name)).unwrap();
        assert!(text.contains(old), "{text}");
        fs::write(self.path(name), text.replace(old, new)).unwrap();
    }

    /// Runs what the summary names, after which the tree is as the package manager wants it; before, it is not.
    fn install_as_told(&self, summary: &str) {
        assert!(summary.contains("\nNext steps:\n\n  bun install\n  git add --all -- "), "{summary}");
        self.bun("shop", &["install", "--frozen-lockfile"]).exits(1);
        self.bun("shop", &["install"]).succeeds();
        self.bun("shop", &["install", "--frozen-lockfile"]).succeeds();
    }
}

#[test]
fn a_dependency_of_the_users_and_a_bump_of_the_templates_are_installed_as_the_summary_says() {
    let shop = Shop::new();
    shop.bun("shop", &["add", "--exact", "own"]).succeeds();
    shop.bump();
    let summary = shop.upgrade();
    assert!(summary.contains("kept      bun.lock: not merged: the package manager updates it\n"), "{summary}");
    shop.install_as_told(&summary);
    assert_eq!(["left", "own"].map(|package| shop.installed(package)), ["1.1.0", "1.0.0"]);
    let again = shop.create_app("shop", &["upgrade", "--silent", "--allow-dirty"]).succeeds();
    assert!(again.contains("already up to date"), "{again}");
}

#[test]
fn a_dependency_that_was_never_installed_is_installed_with_the_templates_lock_file() {
    let shop = Shop::new();
    shop.edit("shop/package.json", "\"left\": \"1.0.0\"", "\"left\": \"1.0.0\",\n    \"own\": \"1.0.0\"");
    shop.bump();
    let summary = shop.upgrade();
    assert!(summary.contains("updated   bun.lock: changed in the template\n"), "{summary}");
    shop.install_as_told(&summary);
    assert_eq!(["left", "own"].map(|package| shop.installed(package)), ["1.1.0", "1.0.0"]);
}

#[test]
fn what_needs_no_install_names_none() {
    let shop = Shop::new();
    shop.bun("shop", &["add", "--exact", "own"]).succeeds();
    shop.write("template/README.md", "Two\n");
    let summary = shop.upgrade();
    let (_, next) = summary.split_once("updated   README.md: changed in the template\n").unwrap();
    assert!(next.starts_with("\nNext steps:\n\n  git add --all -- "), "{summary}");
    shop.bun("shop", &["install", "--frozen-lockfile"]).succeeds();
}
