//! Templates in git that change around a project: they move inside their repository, become several, or are released by tags.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "in a test, to unwrap is to assert")]

mod support;

use fs_err as fs;
use support::place::{Place, Said};

/// A repository `t` with a template, and a cache of its own.
struct World(Place);

impl World {
    fn new() -> Self {
        let world = Self(Place::new());
        world.0.git("", &["init", "--quiet", "--initial-branch=main", "t"]);
        world.0.write("t/cargo-generate.toml", "[placeholders]\ng = { prompt = \"g\", default = \"G\" }\n");
        world.0.write("t/a.txt", "one\n{{g}}\n");
        world.0.commit("t");
        world
    }

    fn app(&self, arguments: &[&str]) -> Said {
        let mut command = self.0.command(env!("CARGO_BIN_EXE_create-app"), "");
        command.env("CREATE_APP_CACHE_DIR", self.0.path("cache")).env("HOME", self.0.path("")).args(arguments);
        command.output().unwrap().into()
    }

    /// A project `app`, committed.
    fn project(&self, arguments: &[&str]) {
        self.app(&[&["new", "app", "--silent", "-d", "g=mine", "--git", "t"], arguments].concat()).ended(0);
        self.0.commit("app");
    }

    fn lock(&self) -> String {
        self.0.read("app/.create-app/lock.toml")
    }

    fn files(&self) -> Vec<String> {
        let files = self.0.git("app", &["ls-files", "--cached", "--others", "--deduplicate"]);
        let files = files.lines().filter(|path| !path.starts_with(".create-app") && self.0.has(&format!("app/{path}")));
        files.map(str::to_owned).collect()
    }
}

#[test]
fn a_template_that_moved_into_a_folder_is_followed() {
    for (answers, directory) in [(true, false), (false, false), (true, true)] {
        let world = World::new();
        if !answers {
            world.0.write("t/cargo-generate.toml", "");
            world.0.commit("t");
        }
        world.project(&[]);
        if directory {
            world.app(&["upgrade", "app", "--silent", "--path", "t"]).ended(0);
            world.0.commit("app");
        }
        fs::create_dir(world.0.path("t/template")).unwrap();
        world.0.git("t", &["mv", "a.txt", "cargo-generate.toml", "template/"]);
        world.0.write("t/README.md", "readme of the repository\n");
        world.0.commit("t");
        // Nothing else has changed.
        world.app(&["check", "app", "--upstream"]).ended(0).warns("The template is in `template` of its source now.");
        world.0.write("t/template/a.txt", "one\n{{g}}\ntwo\n");
        world.0.commit("t");
        world.app(&["check", "app", "--upstream"]).ended(1).has("the template is newer");
        world.app(&["upgrade", "app", "--silent"]).ended(0).has("updated   a.txt");
        assert_eq!(world.0.read("app/a.txt"), "one\nmine\ntwo\n");
        assert_eq!(world.files(), ["a.txt"]);
        assert!(world.lock().contains("subfolder = \"template\"\n"), "{}", world.lock());
        world.0.commit("app");
        let said = world.app(&["upgrade", "app", "--silent"]).ended(0).has("nothing to do");
        assert!(!said.err.contains("now"), "{}", said.err);
    }
}

#[test]
fn a_move_alone_is_recorded_with_the_commit_that_has_it() {
    let world = World::new();
    world.project(&[]);
    fs::create_dir(world.0.path("t/template")).unwrap();
    world.0.git("t", &["mv", "a.txt", "cargo-generate.toml", "template/"]);
    world.0.commit("t");
    world.app(&["upgrade", "app", "--silent"]).ended(0).has("none of your files changes");
    let head = world.0.git("t", &["rev-parse", "HEAD"]);
    assert!(world.lock().contains(&format!("revision = \"{}\"", head.trim())), "{}", world.lock());
}

#[test]
fn a_template_that_became_one_of_several_is_asked_for() {
    let several: [(&str, &dyn Fn(&World)); 3] = [
        ("`--subfolder api`, `--subfolder web`", &|world| {
            for folder in ["web", "api"] {
                world.0.write(&format!("t/{folder}/cargo-generate.toml"), "");
                world.0.write(&format!("t/{folder}/a.txt"), "{{g}}\n");
            }
            world.0.git("t", &["rm", "--quiet", "a.txt", "cargo-generate.toml"]);
        }),
        ("`--subfolder web`, `--subfolder api`", &|world| {
            for folder in ["web", "api"] {
                world.0.write(&format!("t/{folder}/a.txt"), "{{g}}\n");
            }
            world.0.write("t/cargo-generate.toml", "[template]\nsub_templates = [\"web\", \"api\"]\n");
        }),
        ("`--subfolder a/deep`, `--subfolder b`", &|world| {
            world.0.write("t/a/deep/cargo-generate.toml", "");
            world.0.write("t/b/cargo-generate.toml", "");
            world.0.git("t", &["rm", "--quiet", "cargo-generate.toml"]);
        }),
    ];
    for (options, change) in several {
        let world = World::new();
        world.project(&[]);
        change(&world);
        world.0.commit("t");
        let lock = world.lock();
        for command in [&["upgrade", "app", "--silent"][..], &["diff", "app"], &["check", "app", "--upstream"]] {
            world.app(command).ended(2).warns("error[S002]").warns(options);
        }
        // Another address of the same repository is no reason to take the first one.
        world.app(&["upgrade", "app", "--silent", "--git", "./t"]).ended(2).warns("error[S002]").warns(options);
        assert_eq!((world.lock(), world.files()), (lock, vec!["a.txt".to_owned()]));
        let first = options.split_once("--subfolder ").unwrap().1.split('`').next().unwrap();
        world.app(&["upgrade", "app", "--silent", "--subfolder", first]).ended(0);
        assert!(world.lock().contains(&format!("subfolder = \"{first}\"")), "{}", world.lock());
    }
}

#[test]
fn one_of_several_that_was_renamed_is_no_other_one() {
    let world = World::new();
    for folder in ["web", "api"] {
        world.0.write(&format!("t/{folder}/cargo-generate.toml"), "");
        world.0.write(&format!("t/{folder}/a.txt"), folder);
    }
    world.0.git("t", &["rm", "--quiet", "a.txt", "cargo-generate.toml"]);
    world.0.commit("t");
    world.project(&["--subfolder", "web"]);
    world.0.git("t", &["mv", "web", "site"]);
    world.0.commit("t");
    for command in ["upgrade", "diff"] {
        let said = world.app(&[command, "app"]).ended(2).warns("`--subfolder api`, `--subfolder site`");
        assert!(said.err.contains("there is no folder `web` in"), "{}", said.err);
    }
    // Also where only another one is left.
    world.0.git("t", &["rm", "-r", "--quiet", "site"]);
    world.0.commit("t");
    world.app(&["upgrade", "app"]).ended(2).warns("say which one it is: `--subfolder api`");
    assert_eq!(world.0.read("app/a.txt"), "web");
}

#[test]
fn a_template_that_lost_its_manifest_is_asked_for() {
    let world = World::new();
    world.0.write("t/cargo-generate.toml", "[create-app]\nversion = \"1.0.0\"\n");
    world.0.commit("t");
    world.project(&[]);
    world.0.git("t", &["rm", "--quiet", "cargo-generate.toml"]);
    world.0.commit("t");
    world.app(&["upgrade", "app"]).ended(2).warns("no manifest is in").warns("`--subfolder .`");
    world.app(&["upgrade", "app", "--silent", "--subfolder", "."]).ended(0);
    assert!(!world.lock().contains("subfolder"), "{}", world.lock());
}

#[test]
fn a_template_without_a_manifest_stays_where_it_is() {
    let world = World::new();
    world.0.git("t", &["rm", "--quiet", "cargo-generate.toml"]);
    world.0.commit("t");
    world.project(&[]);
    world.0.write("t/examples/one/cargo-generate.toml", "");
    world.0.commit("t");
    world.app(&["upgrade", "app"]).ended(2).warns("`--subfolder .`, `--subfolder examples/one`");
    // Its files have gone into the folder.
    world.0.git("t", &["mv", "a.txt", "examples/one/"]);
    world.0.commit("t");
    world.app(&["upgrade", "app", "--silent"]).ended(0).warns("The template is in `examples/one` of its source now.");
    assert_eq!(world.files(), ["a.txt"]);
}
