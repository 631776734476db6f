//! Templates in git, by the real program and the real git: every way to a repository, and what must not happen on it.

pub(crate) mod server;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

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
fn over_http_and_a_second_time_without_the_server() {
    let world = World::new();
    let server = Server::start(&world.0.path(""), Door::Open);
    let url = server.url("", "t/.git");
    world.new_app("one", &url).ended(0);
    assert_eq!(world.0.read("one/a.txt"), "Hello, one!\n");
    assert!(world.lock("one").contains(&format!("source = \"{url}\"")), "{}", world.lock("one"));
    assert!(world.lock("one").contains(&format!("revision = \"{}\"", world.head())));
    world.next("Hello again, {{ project-name }}!\n");
    world.app(&["check", "one", "--upstream"]).ended(1).has("the template is newer");
    world.app(&["upgrade", "one"]).ended(0).has("updated   a.txt");
    assert_eq!(world.0.read("one/a.txt"), "Hello again, one!\n");
    drop(server);

    let said = world.new_app("two", &url).ended(0).warns("warning[S004]: cannot fetch `").warns(&world.head()[..12]);
    assert!(said.err.contains("using the copy that was fetched before"), "{}", said.err);
    assert_eq!(world.0.read("two/a.txt"), "Hello again, two!\n");
    world.app(&["upgrade", "one"]).ended(0).has("already up to date").warns("warning[S004]");
    // An old copy cannot say that there is nothing newer.
    world.app(&["check", "one", "--upstream"]).ended(2).warns("error[S004]");
    world.app(&["check", "one", "--pristine"]).ended(0);
    // Nor can it say what was never asked of it.
    world.app(&["new", "three", "--git", &url, "--branch", "other"]).ended(2).warns("error[S004]");
}

#[test]
fn a_commit_in_the_cache_is_not_fetched_again() {
    let world = World::new();
    let server = Server::start(&world.0.path(""), Door::Open);
    let url = server.url("", "t/.git");
    let commit = world.head();
    world.0.git("t", &["tag", "v1"]);
    world.app(&["new", "one", "--git", &url, "--rev", &commit]).ended(0);
    world.app(&["new", "two", "--git", &url, "--tag", "v1"]).ended(0);
    world.next("Hello again!\n");
    let before = server.requests();
    world.app(&["new", "three", "--git", &url, "--rev", &commit]).ended(0);
    for pinned in ["one", "two", "three"] {
        let said =
            world.app(&["upgrade", pinned]).ended(0).has("already up to date").warns("The project stays with the ");
        assert!(!said.err.contains("warning"), "{}", said.err);
    }
    assert_eq!(server.requests(), before);
    world.app(&["new", "four", "--git", &url, "--rev", &commit[..9]]).ended(0);
    assert!(
        world
            .lock("four")
            .contains(&format!("rev = \"{}\"\nversion = \"1.0.0\"\nrevision = \"{commit}\"", &commit[..9]))
    );
    assert!(server.requests() > before);
}

#[test]
fn without_the_network_a_project_stays_with_its_release() {
    let world = World::new();
    let server = Server::start(&world.0.path(""), Door::Open);
    let url = server.url("", "t/.git");
    world.0.git("t", &["tag", "v1.0.0"]);
    world.app(&["new", "one", "--git", &url, "--tag", "latest"]).ended(0);
    drop(server);
    let said =
        world.app(&["upgrade", "one"]).ended(0).has("already up to date (template v1.0.0)").warns("warning[S004]");
    assert!(said.err.contains("the project stays with the tag `v1.0.0` until"), "{}", said.err);
    world.app(&["check", "one", "--upstream"]).ended(2).warns("error[S004]");
    world.app(&["new", "two", "--git", &url, "--tag", "latest"]).ended(2).warns("error[S004]");
}

#[test]
fn credentials_are_used_and_never_told() {
    let world = World::new();
    let server = Server::start(&world.0.path(""), Door::Password);
    let started = Instant::now();
    let said = world
        .new_app("one", &server.url("", "t/.git"))
        .ended(2)
        .warns("error[S004]: cannot fetch")
        .warns("git ls-remote");
    assert!(started.elapsed() < Duration::from_secs(30) && !world.0.has("one"), "{}", said.err);
    let mut told = vec![said.err];
    let wrong = world.new_app("one", &server.url("ann:wr0ng@", "t/.git")).ended(2);
    assert!(!wrong.err.contains("wr0ng"), "{}", wrong.err);

    let url = server.url("ann:s3cr3t@", "t/.git");
    let said = world.new_app("one", &url).ended(0);
    told.extend([said.out, said.err, world.lock("one")]);
    assert!(world.lock("one").contains(&format!("source = \"{}\"", server.url("", "t/.git"))));
    // From then on, git's own credentials are asked.
    let settings = "[credential]\n\thelper = \"!f() { echo username=ann; echo password=s3cr3t; }; f\"\n";
    let settings = world.settings(settings);
    let said = world.command(&["check", "one", "--upstream"]).env("GIT_CONFIG_GLOBAL", settings).output().unwrap();
    Said::from(said).ended(0);
    world.app(&["new", "two", "--git", &url, "--branch", "nope"]).ended(2).warns("error[S005]");
    drop(server);
    let said = world.new_app("two", &url).ended(0).warns("warning[S004]");
    told.push(said.err);
    for entry in WalkDir::new(world.0.path("cache")) {
        let entry = entry.unwrap();
        told.push(entry.path().display().to_string());
        if entry.file_type().is_file() {
            told.push(String::from_utf8_lossy(&std::fs::read(entry.path()).unwrap()).into_owned());
        }
    }
    assert!(told.iter().all(|text| !text.contains("s3cr3t") && !text.contains("ann:")));
}

/// A stand-in for ssh: it notes the host, and runs on this machine what it should run on the other.
fn ssh(world: &World) -> String {
    world.0.write("ssh", "#!/bin/sh\nfor last; do host=$before; before=$last; done\necho \"$host\" >\"$HOME/host\"\nexec sh -c \"$last\"\n");
    std::fs::set_permissions(world.0.path("ssh"), std::fs::Permissions::from_mode(0o755)).unwrap();
    world.0.path("ssh").display().to_string()
}

#[test]
fn over_ssh_and_through_the_users_rewrites() {
    let world = World::new();
    let ssh = ssh(&world);
    let path = world.0.path("t");
    let run = |arguments: &[&str], settings: &Path| {
        let mut command = world.command(arguments);
        command.env("GIT_SSH_COMMAND", &ssh).env("GIT_SSH_VARIANT", "ssh").env("GIT_CONFIG_GLOBAL", settings);
        Said::from(command.output().unwrap())
    };
    let none = Path::new("/dev/null");
    let [scp, url] =
        [format!("git@example.invalid:{}", path.display()), format!("ssh://git@example.invalid{}", path.display())];
    for (app, source) in [("one", &scp), ("two", &url)] {
        run(&["new", app, "--git", source], none).ended(0);
        assert_eq!(world.0.read("host").trim(), "git@example.invalid");
        assert!(world.lock(app).contains(&format!("source = \"{source}\"")));
        run(&["check", app, "--upstream"], none).ended(0);
    }
    let settings = format!(
        "[url \"ssh://git@example.invalid{}/\"]\n\tinsteadOf = https://github.com/\n",
        world.0.path("").display()
    );
    let settings = world.settings(&settings);
    world.0.rename("t", "owner/t.git");
    run(&["new", "three", "--git", "gh:owner/t"], &settings).ended(0);
    assert!(world.lock("three").contains("source = \"https://github.com/owner/t.git\""), "{}", world.lock("three"));
}

#[test]
fn an_address_that_is_refused_is_named_without_its_password() {
    let world = World::new();
    for address in [
        "https://ann:hunter2@x.invalid",
        "ftp://ann:hunter2@x.invalid/a",
        "ann:hunter2@x.invalid/a",
        "https//ann:hunter2@x/a",
    ] {
        let said = world.app(&["new", "one", "--git", address]).ended(2).warns("error[S00");
        assert!(!said.err.contains("hunter2"), "{}", said.err);
    }
    // Which flag it was meant for is easily mistaken.
    let said = world.app(&["new", "one", "--path", "https://ann:hunter2@x.invalid/a"]).ended(2);
    assert!(said.err.contains("`https://x.invalid/a`") && said.err.contains("--git"), "{}", said.err);
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
fn many_at_once_share_one_cache() {
    let world = World::new();
    let start = |number: usize| {
        let mut command = world.command(&["new", &format!("app{number}"), "--git", "t", "--vcs", "none"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    for round in 0..2 {
        let running: Vec<_> = (0..8).map(|number| start(round * 8 + number)).collect();
        for child in running {
            Said::from(child.wait_with_output().unwrap()).ended(0);
        }
        world.next(&format!("Hello again, {round}!\n"));
    }
    let cached = world.cached();
    assert_eq!(cached.len(), 1, "{cached:?}");
    world.0.git(&format!("cache/{}", cached[0]), &["fsck", "--strict"]);
}

#[test]
fn what_is_interrupted_leaves_no_half_copy() {
    let world = World::new();
    let silent = Server::start(&world.0.path(""), Door::Silent);
    let url = silent.url("", "t/.git");
    let mut child = world.command(&["new", "one", "--git", &url]).stderr(Stdio::null()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while silent.requests() == 0 {
        assert!(Instant::now() < deadline, "nobody came");
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!world.0.has("one"));
    let left = world.cached();
    assert!(left.iter().all(|name| name.ends_with(".new")), "{left:?}");
    drop(silent);

    // What a git that was killed leaves in a copy does not stop the next one.
    world.new_app("one", "t").ended(0);
    let copy = world.cached().into_iter().find(|name| !name.ends_with(".new")).unwrap();
    world.0.write(&format!("cache/{copy}/shallow.lock"), "");
    world.0.write(&format!("cache/{copy}/packed-refs.lock"), "");
    world.0.write(&format!("cache/{copy}.new/half"), "");
    world.next("Hello again!\n");
    world.app(&["upgrade", "one"]).ended(0).has("updated   a.txt");
    // Nor does a copy of which half is gone.
    world.0.remove(&format!("cache/{copy}/HEAD"));
    world.app(&["check", "one", "--upstream"]).ended(0);
    assert!(!world.0.has(&format!("cache/{copy}.new")));
}

#[test]
fn without_a_place_for_a_cache_nothing_is_kept() {
    let world = World::new();
    let mut command = world.command(&["new", "one", "--git", "t"]);
    command.env_remove("CREATE_APP_CACHE_DIR").env("XDG_CACHE_HOME", "/dev/null/x").env("HOME", "/dev/null/y");
    command.env("TMPDIR", world.0.path(""));
    Said::from(command.output().unwrap()).ended(0);
    assert_eq!(world.0.read("one/a.txt"), "Hello, one!\n");
    let names =
        std::fs::read_dir(world.0.path("")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|name| name.starts_with("create-app")).count(), 0);
    let mut command = world.command(&["new", "two", "--git", "t"]);
    Said::from(command.env("CREATE_APP_CACHE_DIR", "/dev/null/x").output().unwrap())
        .ended(2)
        .warns("error[P003]: cannot write to the cache");
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

/// A tree that holds another one ten times, and so on, down to a file or to nothing.
fn bomb(world: &World, directory: &str, leaf: Option<&str>, levels: usize, name: &str) {
    let input = |arguments: &[&str], text: &str| {
        world.0.write("input", text);
        let mut command = world.0.command("git", directory);
        command.args(arguments).stdin(std::fs::File::open(world.0.path("input")).unwrap());
        Said::from(command.output().unwrap()).ended(0).out.trim().to_owned()
    };
    world.0.git("", &["init", "--quiet", "--initial-branch=main", directory]);
    let entry = leaf.map(|text| format!("100644 blob {}\tfile\n", input(&["hash-object", "-w", "--stdin"], text)));
    let mut tree = input(&["mktree"], &entry.unwrap_or_default());
    for _ in 0..levels {
        let ten: String = (0..10).map(|n| format!("040000 tree {tree}\t{name}{n}\n")).collect();
        tree = input(&["mktree"], &ten);
    }
    let commit = input(&["commit-tree", "-m", "Bomb", &tree], "");
    world.0.git(directory, &["update-ref", "refs/heads/main", &commit]);
}

/// create-app with an end to its time and memory, in KiB of addresses: git maps files, which count.
fn bounded(world: &World, arguments: &[&str]) -> Said {
    let started = Instant::now();
    let mut command = world.command(&[]);
    let program = command.get_program().to_owned();
    let mut shell = world.0.command("sh", "");
    shell.args(["-c", "ulimit -v 2000000 && exec \"$@\"", "sh"]).arg(program).args(arguments);
    for (name, value) in command.env("TMPDIR", world.0.path("")).get_envs() {
        value.map(|value| shell.env(name, value));
    }
    let said = Said::from(shell.output().unwrap());
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}\n{}", started.elapsed(), said.err);
    said
}

#[test]
fn trees_that_multiply_are_refused() {
    let world = World::new();
    bomb(&world, "files", Some("text"), 10, "n");
    bomb(&world, "nothing", None, 10, "n");
    bomb(&world, "names", Some("text"), 8, &"n".repeat(250));
    bomb(&world, "many", Some("text"), 5, "n");
    bomb(&world, "bytes", Some(&"x".repeat(1 << 20)), 4, "n");
    for (directory, expected) in [
        ("files", "error[T006]: the template's repository has more than 300000 files and directories"),
        ("nothing", "error[T006]: the template's repository has more than 300000 files and directories"),
        ("names", "error[T006]: the template's repository has more than 300000 files and directories"),
        ("bytes", "error[T006]: the template has more than 128 MiB of files"),
    ] {
        bounded(&world, &["new", "one", "--vcs", "none", "--git", directory]).ended(2).warns(expected);
        assert!(!world.0.has("one"));
    }
    // A folder of a large repository is as good as any.
    let said = bounded(&world, &["new", "one", "--vcs", "none", "--git", "many", "--subfolder", "n0/n1/n2"]).ended(0);
    assert!(said.out.contains("(100 files)"), "{}", said.out);
}

#[test]
fn submodules_that_multiply_are_refused() {
    let world = World::new();
    let modules: String = (0..10).map(|n| format!("[submodule \"{n}\"]\n\tpath = s{n}\n\turl = ../t\n")).collect();
    world.0.write("t/.gitmodules", modules);
    world.0.commit("t");
    let level = || {
        let head = world.head();
        for n in 0..10 {
            world.0.git("t", &["update-index", "--add", "--cacheinfo", &format!("160000,{head},s{n}")]);
        }
        world.0.git("t", &["commit", "--quiet", "--message", "Level"]);
    };
    level();
    let said = bounded(&world, &["new", "one", "--vcs", "none", "--git", "t"]).ended(0);
    assert!(said.out.contains("(32 files)"), "{}", said.out);
    for _ in 1..7 {
        level();
    }
    let expected = "error[T006]: the template has more than 100 submodules, counted up to its submodule `s0/s0/";
    bounded(&world, &["new", "two", "--vcs", "none", "--git", "t"]).ended(2).warns(expected);
    for name in ["s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9"] {
        world.0.git("t", &["rm", "--quiet", "--cached", name]);
    }
    world.0.git("t", &["commit", "--quiet", "--message", "One"]);
    world.0.write("t/.gitmodules", "[submodule \"0\"]\n\tpath = s0\n\turl = ../t\n".repeat(1 << 15));
    world.0.git("t", &["add", ".gitmodules"]);
    world.0.git("t", &["commit", "--quiet", "--message", "Long"]);
    let expected = "error[T006]: the template's `.gitmodules` has more than 1 MiB";
    bounded(&world, &["new", "two", "--vcs", "none", "--git", "t"]).ended(2).warns(expected);
    assert!(!world.0.has("two"));
}

#[test]
fn nothing_that_is_secret_in_an_address_is_kept() {
    let world = World::new();
    let server = Server::start(&world.0.path(""), Door::Password);
    let plain = server.url("", "t/.git");
    let mut told = Vec::new();
    let mut add = |said: Said| told.extend([said.out, said.err]);
    add(world.new_app("one", &server.url("ann:s3cr3t@", "t/.git")).ended(0));
    let lock = world.lock("one");
    for address in [
        format!("{plain}?private_token=s3cr3t"),
        format!("{plain}#s3cr3t"),
        format!("{plain};password=s3cr3t"),
        server.url("s3cr3t@", "t/.git"),
        server.url("ann:s3cr3t%40", "t/.git"),
        server.url("ann:s3cr3t/x@", "t/.git"),
        server.url("ann:s3cr3t?x@", "t/.git"),
        format!("ann:s3cr3t/x@{plain}"),
        format!("https//ann:s3cr3t@{plain}"),
        format!("{}?private_token=s3cr3t", plain.replace("http://", "htp://")),
        format!("{}?private_token=s3cr3t", plain.replace("http://", "")),
    ] {
        // Of some of them, there is a copy.
        add(world.new_app("two", &address));
        drop(std::fs::remove_dir_all(world.0.path("two")));
        add(world.app(&["new", "two", "--path", &address]).ended(2));
        // As the path of a project.
        if address.contains("://") {
            add(world.app(&["new", &address, "--path", "t"]).ended(2));
            add(world.app(&["check", &address]).ended(2));
            add(world.app(&["new", "two", &address]).ended(2));
            add(world.app(&["completions", &address]).ended(2));
        }
        add(world.app(&["upgrade", "one", "--git", &address]));
        // A lock that somebody wrote by hand.
        world.0.write("one/.create-app/lock.toml", lock.replace(&plain, &address));
        for arguments in [&["check", "one", "--upstream"][..], &["check", "one", "--json"], &["diff", "one", "--stat"]]
        {
            add(world.app(arguments));
        }
        // The file itself is as it was found.
        world.0.write("one/.create-app/lock.toml", &lock);
    }
    for place in ["cache", "one", "two"] {
        for entry in WalkDir::new(world.0.path(place)).into_iter().flatten() {
            told.push(entry.path().display().to_string());
            if entry.file_type().is_file() {
                told.push(String::from_utf8_lossy(&std::fs::read(entry.path()).unwrap()).into_owned());
            }
        }
    }
    for text in told {
        assert!(!text.contains("s3cr3t"), "{text}");
    }
}

#[test]
fn a_copy_in_the_cache_that_somebody_else_made_is_replaced() {
    let world = World::new();
    world.new_app("one", "t").ended(0);
    let slot = world.0.path("cache").join(&world.cached()[0]);
    let pwned = world.0.path("pwned").display().to_string();
    let config = std::fs::read_to_string(slot.join("config")).unwrap();
    let evil = format!("{config}[core]\n\tsshCommand = touch {pwned}\n\tgitProxy = touch {pwned}\n");
    let run = || {
        let before = world.head();
        world.next(&format!("Hello from {before}!\n"));
        world.app(&["upgrade", "one"]).ended(0).has("updated   a.txt");
        assert_eq!(std::fs::read_to_string(slot.join("config")).unwrap(), config);
    };
    std::fs::File::create(slot.join("config")).unwrap().write_all(evil.as_bytes()).unwrap();
    run();
    world.0.write("elsewhere", "");
    std::fs::create_dir_all(slot.join("objects/info")).unwrap();
    std::os::unix::fs::symlink(world.0.path("elsewhere"), slot.join("objects/info/alternates")).unwrap();
    run();
    assert!(slot.join("objects/info/alternates").symlink_metadata().is_err());
    std::fs::remove_dir_all(&slot).unwrap();
    std::os::unix::fs::symlink(world.0.path("t/.git"), &slot).unwrap();
    run();
    assert!(!slot.is_symlink() && world.0.has("t/.git/HEAD"));
    assert!(!world.0.has("pwned"));
}

#[test]
fn the_proxy_of_the_users_configuration_is_used() {
    use std::io::{BufRead as _, BufReader};

    let world = World::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    world.0.write("config", format!("[http]\n\tproxy = http://{}\n", listener.local_addr().unwrap()));
    let proxy = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = String::new();
        BufReader::new(&stream).read_line(&mut request).unwrap();
        stream.write_all(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
        request
    });
    let mut command = world.command(&["new", "app", "--vcs", "none", "--git", "http://template.invalid/t"]);
    command.env("GIT_CONFIG_GLOBAL", world.0.path("config")).env_remove("NO_PROXY").env_remove("no_proxy");
    Said::from(command.output().unwrap()).ended(2).warns("403");
    assert!(proxy.join().unwrap().starts_with("GET http://template.invalid/t/info/refs"));
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
