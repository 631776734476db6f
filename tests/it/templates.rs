//! Templates in git that change around a project: they move inside their repository, become several, or are released by tags.

use crate::support::place::{Place, Said};
use fs_err as fs;

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
        world.app(&["check", "app", "--upstream"]).ended(0).warns("The template is now in `template` of its source.");
        world.0.write("t/template/a.txt", "one\n{{g}}\ntwo\n");
        world.0.commit("t");
        world.app(&["check", "app", "--upstream"]).ended(1).has("the template is newer");
        world.app(&["upgrade", "app", "--silent"]).ended(0).has("updated   a.txt");
        assert_eq!(world.0.read("app/a.txt"), "one\nmine\ntwo\n");
        assert_eq!(world.files(), ["a.txt"]);
        assert!(world.lock().contains("subfolder = \"template\"\n"), "{}", world.lock());
        world.0.commit("app");
        let said = world.app(&["upgrade", "app", "--silent"]).ended(0).has("already up to date");
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
    world.app(&["upgrade", "app", "--silent"]).ended(0).has("none of your files change");
    let head = world.0.git("t", &["rev-parse", "HEAD"]);
    assert!(world.lock().contains(&format!("revision = \"{}\"", head.trim())), "{}", world.lock());
}

#[test]
fn a_template_that_became_one_of_several_is_asked_for() {
    type Change<'a> = &'a dyn Fn(&World);
    let several: [(&str, Change<'_>); 3] = [
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
    world.app(&["upgrade", "app"]).ended(2).warns("choose one: `--subfolder api`");
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
    world.app(&["upgrade", "app"]).ended(2).warns("has no manifest").warns("`--subfolder .`");
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
    world.app(&["upgrade", "app", "--silent"]).ended(0).warns("The template is now in `examples/one` of its source.");
    assert_eq!(world.files(), ["a.txt"]);
}

impl World {
    /// A version of the template under a tag.
    fn release(&self, tag: &str) {
        self.0.write("t/a.txt", format!("{tag}\n{{{{g}}}}\n"));
        self.0.commit("t");
        self.0.git("t", &["tag", tag]);
    }

    /// Edits the lock as a bot does, which knows one line of it.
    fn edit_lock(&self, from: &str, to: &str) {
        self.0.edit("app/.create-app/lock.toml", from, to);
        self.0.commit("app");
    }
}

#[test]
fn releases_are_followed_as_far_as_the_requirement_allows() {
    for (requirement, first, second) in
        [("^1", "v1.1.0", "v1.10.0"), ("latest", "v1.1.0", "v2.0.0"), ("1", "v1.1.0", "v1.10.0")]
    {
        let world = World::new();
        ["v1.0.0", "v1.1.0", "v0.9.0", "api-v7.0.0", "v3.0.0-rc.1"].iter().for_each(|tag| world.release(tag));
        world.project(&["--tag", requirement]);
        let lock = world.lock();
        assert!(lock.contains("format = 2\n"), "{lock}");
        assert!(lock.contains(&format!("requirement = \"{requirement}\"\ntag = \"{first}\"\n")), "{lock}");
        world.app(&["upgrade", "app"]).ended(0).has(&format!("already up to date (template {first})"));
        world.app(&["check", "app", "--upstream"]).ended(0);
        ["v1.9.0", "v1.10.0", "v2.0.0"].iter().for_each(|tag| world.release(tag));
        let newer = if second == "v2.0.0" { 3 } else { 2 };
        let said = world.app(&["check", "app", "--upstream"]).ended(1);
        said.has(&format!("the template is newer: {first} -> {second} ({newer} releases newer)"));
        world.app(&["upgrade", "app", "--silent"]).ended(0).has(&format!("template {first} -> {second}"));
        assert!(world.0.read("app/a.txt").starts_with(second));
        assert!(world.lock().contains(&format!("requirement = \"{requirement}\"\ntag = \"{second}\"\n")));
        world.0.commit("app");
        let said = world.app(&["check", "app", "--upstream"]).ended(0);
        assert_eq!(said.err.contains("Release `v2.0.0` is available"), second != "v2.0.0", "{}", said.err);
    }
}

#[test]
fn a_requirement_that_no_tag_fits_is_told_with_the_tags() {
    let world = World::new();
    world.release("v1.0.0");
    world.app(&["new", "app", "--git", "t", "--tag", "^2"]).ended(2).warns("error[S005]").warns("there are `v1.0.0`");
    assert!(!world.0.has("app"));
    // A tag of that name is what is meant.
    world.0.git("t", &["tag", "latest"]);
    world.project(&["--tag", "latest"]);
    assert!(world.lock().contains("format = 1\n") && world.lock().contains("tag = \"latest\"\n"), "{}", world.lock());
}

#[test]
fn a_project_that_stays_with_a_tag_is_told_of_newer_ones() {
    let world = World::new();
    world.release("v1.0.0");
    world.project(&["--tag", "v1.0.0"]);
    world.app(&["check", "app", "--upstream"]).ended(0);
    ["v1.1.0", "v2.0.0", "v2.1.0-rc.1", "web-v9.0.0"].iter().for_each(|tag| world.release(tag));
    let newer = "the template is newer: v1.0.0 -> v2.0.0 (2 releases newer)";
    world.app(&["check", "app", "--upstream"]).ended(1).has(newer);
    let said = world.app(&["check", "app", "--upstream", "--json"]).ended(1);
    let json: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(json["projects"][0]["newer"]["tag"], "v2.0.0");
    assert_eq!(json["projects"][0]["newer"]["releases"], 2);
    world.app(&["upgrade", "app"]).ended(0).warns("The project stays with the tag `v1.0.0`");
}

#[test]
fn an_older_release_is_a_downgrade_and_has_to_be_allowed() {
    let world = World::new();
    world.release("v1.0.0");
    world.release("v2.0.0");
    world.project(&["--tag", "v2.0.0"]);
    let said = world.app(&["check", "app", "--tag", "v1.0.0"]).ended(0);
    assert!(said.err.contains("`v1.0.0` is older than the project's template, `v2.0.0`"), "{}", said.err);
    assert!(!said.out.contains("newer"), "{}", said.out);
    let lock = world.lock();
    for dry in [&["--dry-run"][..], &[]] {
        let said = world.app(&[&["upgrade", "app", "--silent", "--tag", "v1.0.0"], dry].concat()).ended(2);
        assert!(said.err.contains("error[S006]") && said.err.contains("--allow-downgrade"), "{}", said.err);
    }
    assert_eq!(world.lock(), lock);
    let said = world.app(&["upgrade", "app", "--tag", "v1.0.0", "--allow-downgrade"]).ended(0);
    said.has("app: downgrade, template v2.0.0 -> v1.0.0");
    // The manifest's versions tell as well.
    let place = Place::new();
    place.write("t/cargo-generate.toml", "[create-app]\nversion = \"2.0.0\"\n");
    place.write("t/a.txt", "two\n");
    place.app("", &["new", "app", "--silent", "--path", "t"]).ended(0);
    place.commit("app");
    place.write("t/cargo-generate.toml", "[create-app]\nversion = \"1.10.0\"\n");
    place.write("t/a.txt", "one\n");
    place
        .app("", &["upgrade", "app"])
        .ended(2)
        .warns("error[S006]: this would be a downgrade: the template is at 1.10.0");
}

#[test]
fn a_tag_that_a_bot_has_changed_in_the_lock_counts() {
    let world = World::new();
    world.release("v1.0.0");
    world.project(&["--tag", "v1.0.0"]);
    world.release("v2.0.0");
    let old = world.lock();
    world.edit_lock("tag = \"v1.0.0\"", "tag = \"v2.0.0\"");
    world.app(&["check", "app", "--upstream"]).ended(1).has("the template is newer");
    world.app(&["upgrade", "app", "--silent"]).ended(0).has("updated   a.txt").warns("The lock has the tag `v2.0.0`");
    assert!(world.0.read("app/a.txt").starts_with("v2.0.0"));
    let head = world.0.git("t", &["rev-parse", "v2.0.0"]);
    assert!(world.lock().contains(&format!("revision = \"{}\"", head.trim())));
    world.0.commit("app");
    world.app(&["upgrade", "app"]).ended(0).has("already up to date");

    // Where nothing was fetched before, and where the tag is not there.
    fs::remove_dir_all(world.0.path("cache")).unwrap();
    world.0.write("app/.create-app/lock.toml", old.replace("tag = \"v1.0.0\"", "tag = \"v3.0.0\""));
    world.0.commit("app");
    world.app(&["upgrade", "app"]).ended(2).warns("error[S005]").warns("no tag `v3.0.0`");
    world.0.write("app/.create-app/lock.toml", old.replace("tag = \"v1.0.0\"", "tag = \"v2.0.0\""));
    world.0.commit("app");
    world.app(&["upgrade", "app"]).ended(0).has("template v2.0.0");
}

#[test]
fn a_name_in_the_lock_that_is_empty_is_an_error() {
    let world = World::new();
    world.release("v1.0.0");
    world.project(&["--tag", "^1"]);
    let lock = world.lock();
    for (from, to) in [
        ("tag = \"v1.0.0\"", "tag = \"\""),
        ("tag = \"v1.0.0\"", "branch = \" \""),
        ("requirement = \"^1\"", "requirement = \"\""),
        ("requirement = \"^1\"", "requirement = \"no version\""),
        ("tag = \"v1.0.0\"\n", ""),
    ] {
        assert!(lock.contains(from));
        world.0.write("app/.create-app/lock.toml", lock.replace(from, to));
        world.app(&["upgrade", "app"]).ended(2).warns("error[L001]: `");
        world.app(&["check", "app"]).ended(1).warns("error[L001]: `");
    }
    let revision = lock.lines().find(|line| line.starts_with("revision")).unwrap();
    world.0.write("app/.create-app/lock.toml", lock.replace(revision, "revision = \"\""));
    world.app(&["upgrade", "app"]).ended(2).warns("error[L001]: `revision` is empty");
}
