//! Templates in git, by the real program and the real git: what a project gets of a repository, and what must not happen on the way.

mod addresses;
mod cache;
mod limits;
pub(crate) mod server;

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::support::place::{Place, Said};
use server::{Door, Server};
use walkdir::WalkDir;

/// A place with a repository `t`, which holds a template, and a cache of its own.
struct World(Place);

impl World {
    fn new() -> Self {
        let world = Self(Place::new());
        world.0.write("t/cargo-generate.toml", "[create-app]\nversion = \"1.0.0\"\n");
        world.0.write("t/a.txt", "Hello, {{ project-name }}!\n");
        world.0.git("", &["init", "--quiet", "--initial-branch=main", "t"]);
        world.0.commit("t");
        world
    }

    /// Another version of the template.
    fn next(&self, text: &str) {
        self.0.write("t/a.txt", text);
        self.0.commit("t");
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.0.command(env!("CARGO_BIN_EXE_create-app"), "");
        command.env("CREATE_APP_CACHE_DIR", self.0.path("cache")).env("HOME", self.0.path("")).args(arguments);
        command
    }

    fn app(&self, arguments: &[&str]) -> Said {
        self.command(arguments).output().unwrap().into()
    }

    fn new_app(&self, path: &str, source: &str) -> Said {
        self.app(&["new", path, "--vcs", "none", "--git", source])
    }

    fn file_url(&self) -> String {
        format!("file://{}", self.0.path("t").display())
    }

    fn head(&self) -> String {
        self.0.git("t", &["rev-parse", "HEAD"]).trim().to_owned()
    }

    fn lock(&self, app: &str) -> String {
        self.0.read(&format!("{app}/.create-app/lock.toml"))
    }

    /// The names of what is in the cache, locks left out.
    fn cached(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.0.path("cache")) else { return Vec::new() };
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| !name.ends_with(".lock")).collect()
    }

    /// Writes a configuration for git, as the user's own.
    fn settings(&self, text: &str) -> std::path::PathBuf {
        self.0.write("gitconfig", text);
        self.0.path("gitconfig")
    }
}

#[test]
fn a_lock_of_somebody_else_runs_nothing() {
    let world = World::new();
    world.new_app("one", &world.file_url()).ended(0);
    let lock = world.lock("one");
    let url = world.file_url();
    let pwned = world.0.path("pwned").display().to_string();
    // As open as the user's own settings can be.
    let settings = world.settings("[protocol \"ext\"]\n\tallow = always\n");
    for source in [
        format!("ext::touch {pwned}"),
        format!("ext::sh -c touch% {pwned}"),
        "fd::7".to_owned(),
        format!("--upload-pack=touch {pwned}"),
        format!("-utouch {pwned}"),
        format!("ssh://-oProxyCommand=touch%20{pwned}/x"),
        format!("-oProxyCommand=touch {pwned}:x"),
    ] {
        world.0.write("one/.create-app/lock.toml", lock.replace(&url, &source));
        for arguments in [&["upgrade", "one"][..], &["diff", "one"], &["check", "one", "--upstream"]] {
            let mut command = world.command(arguments);
            command.env("GIT_CONFIG_GLOBAL", &settings).env("GIT_ALLOW_PROTOCOL", "ext:fd:file:https:ssh");
            Said::from(command.output().unwrap()).ended(2).warns("error[S003]");
        }
        world.app(&["check", "one"]).ended(0);
        world.app(&["diff", "one", "--local"]).ended(0);
    }
    for (key, value) in
        [("branch", "--upload-pack=x"), ("branch", "x:refs/heads/y"), ("tag", "-u"), ("rev", "--output=x")]
    {
        let changed = lock.replace("version =", &format!("{key} = \"{value}\"\nversion ="));
        world.0.write("one/.create-app/lock.toml", changed.replace(&world.head(), &"0".repeat(40)));
        world.app(&["upgrade", "one"]).ended(2).warns("error[S005]");
    }
    // Not even the user's own rewrites lead to a program, when git is told to allow it.
    let settings = world.settings(&format!(
        "[url \"ext::touch {pwned} \"]\n\tinsteadOf = https://x.invalid/\n[protocol]\n\tallow = always\n"
    ));
    for allowed in [None, Some("ext:https")] {
        let mut command = world.command(&["new", "two", "--git", "https://x.invalid/y"]);
        allowed.map(|allowed| command.env("GIT_ALLOW_PROTOCOL", allowed));
        Said::from(command.env("GIT_CONFIG_GLOBAL", &settings).output().unwrap()).ended(2).warns("error[S004]");
    }
    assert!(!world.0.has("pwned"));
}

#[test]
fn a_local_directory_that_is_gone_is_not_looked_for_elsewhere() {
    let world = World::new();
    world.0.rename("t", "one/owner/t");
    let said = Said::from(
        world.command(&["new", ".", "--init", "--git", "owner/t"]).current_dir(world.0.path("one")).output().unwrap(),
    );
    said.ended(0);
    assert!(world.lock("one").contains("source = \"./owner/t\""), "{}", world.lock("one"));
    world.0.rename("one/owner/t", "gone");
    world.app(&["upgrade", "one"]).ended(2).warns("error[S001]: there is no repository at `./owner/t`").warns("--git");
    world.app(&["check", "one"]).ended(0);
    world.app(&["upgrade", "one", "--git", "gone"]).ended(0);
    assert!(world.lock("one").contains("source = \"../gone\""));
}

#[test]
fn a_run_inside_a_hook_of_git_is_like_any_other() {
    let world = World::new();
    world.0.git("", &["init", "--quiet", "other"]);
    let mut command = world.command(&["new", "one", "--git", "t"]);
    let other = world.0.path("other/.git");
    command
        .env("GIT_DIR", &other)
        .env("GIT_WORK_TREE", world.0.path("other"))
        .env("GIT_INDEX_FILE", other.join("index"));
    command.env("GIT_OBJECT_DIRECTORY", other.join("objects")).env("GIT_QUARANTINE_PATH", other.join("objects"));
    command.env("GIT_NAMESPACE", "x").env("GIT_COMMON_DIR", &other);
    let before = WalkDir::new(&other).into_iter().count();
    Said::from(command.output().unwrap()).ended(0);
    assert_eq!(world.0.read("one/a.txt"), "Hello, one!\n");
    assert_eq!(WalkDir::new(&other).into_iter().count(), before);
}

#[test]
fn what_is_rendered_is_what_was_committed() {
    let world = World::new();
    world.0.write(
        "t/.gitattributes",
        "crlf.txt text eol=crlf\nsubst.txt export-subst\nleft.txt export-ignore\nid.txt ident\nlfs.bin filter=lfs\n",
    );
    for (name, text) in
        [("crlf.txt", "a\nb\n"), ("subst.txt", "$Format:%H$\n"), ("left.txt", "x\n"), ("id.txt", "$Id$\n")]
    {
        world.0.write(&format!("t/{name}"), text);
    }
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n";
    world.0.write("t/lfs.bin", pointer);
    world.0.commit("t");
    let settings = world.settings("[core]\n\tautocrlf = true\n\tfsmonitor = touch pwned\n[filter \"lfs\"]\n\tsmudge = touch pwned\n[safe]\n\tbareRepository = explicit\n[init]\n\ttemplateDir = /nowhere\n");
    let mut command = world.command(&["new", "one", "--git", "t"]);
    let said = Said::from(command.env("GIT_CONFIG_GLOBAL", settings).output().unwrap()).ended(0);
    said.warns("warning[T007]: the template has Git LFS pointers instead of files: `lfs.bin`");
    assert_eq!(world.0.read("one/lfs.bin"), pointer);
    for (name, text) in
        [("crlf.txt", "a\nb\n"), ("subst.txt", "$Format:%H$\n"), ("left.txt", "x\n"), ("id.txt", "$Id$\n")]
    {
        assert_eq!(world.0.read(&format!("one/{name}")), text);
    }
    assert!(!world.0.has("pwned"));
}

#[test]
fn submodules_are_part_of_the_template_and_their_addresses_are_judged() {
    let world = World::new();
    world.0.git("", &["init", "--quiet", "--initial-branch=main", "sub"]);
    world.0.write("sub/b.txt", "{{ project-name }} below\n");
    world.0.commit("sub");
    let add = ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "../sub", "deep/sub"];
    world.0.git("t", &[&["-c", "core.hooksPath=/dev/null"], &add[..]].concat());
    world.0.commit("t");
    // What came later in the submodule is not what the template names.
    world.0.write("sub/b.txt", "later\n");
    world.0.commit("sub");
    world.new_app("one", "t").ended(0);
    assert_eq!(world.0.read("one/deep/sub/b.txt"), "one below\n");
    world.app(&["check", "one", "--upstream"]).ended(0);

    let server = Server::start(&world.0.path(""), Door::Open);
    for url in [world.0.path("sub").display().to_string(), "ext::touch pwned".to_owned(), "-utouch pwned".to_owned()] {
        world.0.write("t/.gitmodules", format!("[submodule \"s\"]\n\tpath = deep/sub\n\turl = {url}\n"));
        world.0.commit("t");
        world
            .new_app("two", &server.url("", "t/.git"))
            .ended(2)
            .warns("error[S001]: the template's submodule `deep/sub` has the address");
    }
    assert!(!world.0.has("pwned") && !world.0.has("two"));
}

#[test]
fn objects_with_long_names_are_taken_as_well() {
    let world = World::new();
    world.new_app("one", "t").ended(0);
    // At the same address, so that the copy in the cache is of the other kind.
    std::fs::remove_dir_all(world.0.path("t/.git")).unwrap();
    world.0.git("t", &["init", "--quiet", "--object-format=sha256", "--initial-branch=main"]);
    world.next("Hello again!\n");
    assert_eq!(world.head().len(), 64);
    world.app(&["upgrade", "one"]).ended(0).has("updated   a.txt");
    assert!(world.lock("one").contains(&world.head()));
    world.app(&["new", "two", "--git", "t", "--rev", &world.head()]).ended(0);
}

#[test]
fn a_rewritten_history_is_followed_and_a_commit_that_is_gone_is_told() {
    let world = World::new();
    world.new_app("one", "t").ended(0);
    world.app(&["new", "two", "--git", "t", "--rev", &world.head()]).ended(0);
    world.0.write("t/a.txt", "Rewritten.\n");
    world.0.git("t", &["commit", "--quiet", "--all", "--amend", "--message", "Rewritten"]);
    world.0.git("t", &["reflog", "expire", "--expire=now", "--all"]);
    world.0.git("t", &["gc", "--quiet", "--prune=now"]);
    world.app(&["upgrade", "one"]).ended(0).has("updated   a.txt");
    assert_eq!(world.0.read("one/a.txt"), "Rewritten.\n");
    world.app(&["upgrade", "two"]).ended(0).has("already up to date");
    std::fs::remove_dir_all(world.0.path("cache")).unwrap();
    world
        .app(&["upgrade", "two"])
        .ended(2)
        .warns("error[S005]")
        .warns("no longer has the commit")
        .warns("its history was rewritten");
    world.app(&["check", "two"]).ended(0);
    world.app(&["diff", "two", "--local"]).ended(0);
    world.app(&["upgrade", "two", "--branch", "main"]).ended(0).has("updated   a.txt");
}

#[test]
fn a_git_that_is_missing_or_too_old_is_told() {
    let world = World::new();
    let mut command = world.command(&["new", "one", "--git", "t"]);
    Said::from(command.env("PATH", world.0.path("cache")).output().unwrap())
        .ended(2)
        .warns("error[P004]: git is not installed");
    world.0.write("old/git", "#!/bin/sh\necho \"error: unknown option\" >&2\nexit 129\n");
    std::fs::set_permissions(world.0.path("old/git"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = world.command(&["new", "one", "--git", "t"]);
    let path = format!("{}:/usr/bin:/bin", world.0.path("old").display());
    Said::from(command.env("PATH", path).output().unwrap()).ended(2).warns("error[P004]").warns("2.30");
}

#[test]
fn a_committed_cache_is_no_part_of_the_template() {
    let world = World::new();
    world.0.write("t/target/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n# of cargo\n");
    world.0.write("t/target/debug/large", "{{");
    world.0.write("t/kept/CACHEDIR.TAG", "something else\n");
    world.0.commit("t");
    world.new_app("app", &world.file_url()).ended(0);
    assert!(world.0.has("app/kept/CACHEDIR.TAG") && !world.0.has("app/target"));
}

#[test]
fn a_project_without_a_record_is_adopted_from_the_commit_that_it_fits_best() {
    let world = World::new();
    let place = &world.0;
    place.write(
        "t/cargo-generate.toml",
        "[placeholders]\nwho = { prompt = \"Who?\", default = \"world\" }\nneeded = { prompt = \"Needed\" }\n",
    );
    place.commit("t");
    place.write("t/cargo-generate.toml", "[placeholders]\nwho = { prompt = \"Who?\", default = \"world\" }\n");
    let text = |last: &str| format!("Hello, {{{{who}}}}!\nfirst\nsecond\nthird\n{last}\n");
    let mut commits = Vec::new();
    for (number, last) in ["one", "two", "three", "four", "five"].into_iter().enumerate() {
        place.write(&format!("t/file-{number}.txt"), "{{project-name}}\n");
        world.next(&text(last));
        commits.push(world.head());
    }
    // What is elsewhere in the history changes nothing.
    place.git("t", &["checkout", "--quiet", "-b", "side"]);
    world.next("on a side\n");
    place.git("t", &["checkout", "--quiet", "main"]);
    for (name, way) in [("by-rev", "--rev"), ("by-from", "--from")] {
        let url = world.file_url();
        world.app(&["new", name, "--vcs", "none", "--git", &url, "--rev", &commits[2], "-d", "who=Ann"]).ended(0);
        std::fs::remove_dir_all(place.path(&format!("{name}/.create-app"))).unwrap();
        place.edit(&format!("{name}/a.txt"), "first\n", "mine\n");
        place.git(name, &["init", "--quiet"]);
        place.commit(name);
        let said = world.app(&["upgrade", name, "--git", &url, way, "nearest", "-d", "who=Ann", "--silent"]).ended(0);
        let told = format!(
            "Among 7 commits of the template, {} is the nearest: 3 of its 4 files are the same",
            &commits[2][..8]
        );
        assert!(said.err.contains(&told), "{}", said.err);
        assert!(!said.err.contains("warning"), "{}", said.err);
        // A merge of three versions: the edit stays, what came since is there.
        assert_eq!(place.read(&format!("{name}/a.txt")), "Hello, Ann!\nmine\nsecond\nthird\nfive\n");
        assert!(place.has(&format!("{name}/file-4.txt")));
        let lock = world.lock(name);
        assert!(lock.contains(&commits[4]) && !lock.contains("rev ="), "{lock}");
        place.commit(name);
        world.app(&["upgrade", name]).ended(0).has("already up to date");
        world.app(&["upgrade", name, "--git", &url, "--from", "nearest"]).ended(2).warns("already has a record");
    }
    // Without an answer that every commit needs, it is said how to give it.
    place.write("t/cargo-generate.toml", "[placeholders]\nneeded = { prompt = \"Needed\" }\n");
    place.commit("t");
    place.git("", &["init", "--quiet", "other"]);
    place.write("other/a.txt", "x\n");
    place.commit("other");
    let url = world.file_url();
    world.app(&["upgrade", "other", "--git", &url, "--rev", "nearest", "--silent"]).ended(2).warns("-d 'needed=VALUE'");
    world.app(&["upgrade", "other", "--rev", "nearest", "--silent"]).ended(2).warns("is not");
    let directory = place.path("t").display().to_string();
    world.app(&["diff", "other", "--path", &directory, "--from", "nearest", "-d", "needed=x", "--stat"]).ended(1);
}
