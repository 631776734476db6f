//! Git runs no program that a checkout names: all of git's configuration that can run one, in every place where a checkout or an
//! archive may have it, for every command.

mod traces;

use std::process::Command;

use crate::git::server::{Door, Server};
use crate::support::place::{Place, Said};
use crate::support::terminal;
use fs_err as fs;
use traces::{Traces, keys};

/// A text that two sides can change without a conflict.
fn text(first: &str, last: &str) -> String {
    format!("{first}\n{}{last}\n", "line\n".repeat(9))
}

/// A template `t`, and the repository `repo` with a project of its first version in `apps/shop`. An upgrade merges, moves,
/// makes a conflict, has to read a file that only looks changed, and needs a part of the record that only git still has.
fn project() -> Place {
    let place = Place::new();
    let template = |version: &str, first: &str| {
        place.write("t/cargo-generate.toml", format!("[create-app]\nversion = \"{version}\"\n"));
        for name in ["conflict.txt", "merged.txt", "touched.txt"] {
            place.write(&format!("t/{name}"), text(&format!("{name} {first}"), "last"));
        }
    };
    template("1.0.0", "one");
    place.write("t/moved.txt", text("moved", "away"));
    place.git("", &["init", "--quiet", "--initial-branch=main", "repo"]);
    place.write("repo/.gitattributes", traces::ATTRIBUTES);
    app(&place, "repo", &["new", "apps/shop", "--silent", "--path", "../t"]).ended(0);
    place.commit("repo");
    place.write("repo/apps/shop/conflict.txt", text("mine", "last"));
    place.write("repo/apps/shop/merged.txt", text("merged.txt one", "mine"));
    place.rename("repo/apps/shop/moved.txt", "repo/apps/shop/elsewhere.txt");
    let base = fs::read_dir(place.path("repo/apps/shop/.create-app/base")).unwrap().next().unwrap().unwrap();
    fs::remove_file(base.path()).unwrap();
    place.commit("repo");
    template("2.0.0", "two");
    place
}

/// Runs create-app in a directory, with a home of its own.
fn app(place: &Place, directory: &str, arguments: &[&str]) -> Said {
    command(place, directory, arguments).output().unwrap().into()
}

fn command(place: &Place, directory: &str, arguments: &[&str]) -> Command {
    let mut command = place.command(env!("CARGO_BIN_EXE_create-app"), directory);
    command.env("HOME", place.path("")).env("CREATE_APP_CACHE_DIR", place.path("cache")).args(arguments);
    command
}

/// Git reads a file again that is newer than its index.
fn touch(place: &Place, shop: &str) {
    let file = std::fs::File::options().append(true).open(place.path(&format!("{shop}/touched.txt"))).unwrap();
    file.set_modified(std::time::SystemTime::now()).unwrap();
}

/// Runs every command on the project `shop`, seen from the directory above. Each has to do its work to the end.
fn every_command(place: &Place, shop: &str) {
    touch(place, shop);
    let template = ["--path", "../t"];
    let (above, name) = shop.rsplit_once('/').unwrap();
    let run = |arguments: &[&str]| app(place, above, arguments);
    run(&["check", name]);
    run(&["check", name, "--json"]);
    run(&["check", name, "--upstream"]).has("the template is newer");
    run(&["diff", name]).has("diff --git");
    run(&["diff", name, "--local"]).has("diff --git");
    place.write(".gitconfig", "[core]\n\tpager = sed s/^/paged:/\n");
    let home = place.path("").display().to_string();
    let variables = [("HOME", home.as_str()), ("GIT_CONFIG_NOSYSTEM", "1")];
    for arguments in [&["diff", name, "--stat"][..], &["diff", name]] {
        let shown = terminal::create_app(&place.path(above), arguments, &variables);
        assert!(shown.contains("paged:"), "{shown}");
    }
    run(&["upgrade", name, "--dry-run"]).ended(1).has("conflict.txt");
    run(&["new", "inside", "--silent", template[0], &place.path("t").display().to_string()]).ended(0);
    touch(place, shop);
    run(&["upgrade", name]).ended(1).has("conflict.txt");
    let (root, _) = above.rsplit_once('/').unwrap();
    let unmerged = place.git(root, &["-c", "core.fsmonitor=false", "ls-files", "--unmerged"]);
    // Nothing is written to a repository that may be another one.
    let is_own = !place.path(&format!("{root}/evil")).exists();
    assert_eq!(unmerged.lines().count(), if is_own { 3 } else { 0 });
}

/// Shows that the traps of a place work: git itself, without any care, steps into one.
fn git_itself(place: &Place, shop: &str) {
    touch(place, shop);
    for arguments in [&["status"][..], &["update-index", "--refresh"], &["diff", "HEAD"], &["add", "--all"]] {
        drop(place.command("git", shop).args(arguments).output().unwrap());
    }
}

/// Fails unless every command leaves no trace in this place, and git itself does.
#[track_caller]
fn check(place: &Place, traces: &Traces, shop: &str) {
    every_command(place, shop);
    assert_eq!(traces.left(), "", "{shop}");
    git_itself(place, shop);
    assert_ne!(traces.left(), "", "{shop}: the traps do not work");
}

#[test]
fn in_the_repository() {
    let place = project();
    let traces = Traces::lay(&place, "repo/.git");
    traces.configure(&place, "repo/.git/config");
    check(&place, &traces, "repo/apps/shop");
}

#[test]
fn in_a_file_that_the_repository_includes() {
    for include in ["include", "includeIf \"gitdir:**\"", "includeIf \"onbranch:main\""] {
        let place = project();
        let traces = Traces::lay(&place, "repo/.git");
        traces.configure(&place, "repo/apps/evil");
        let config = place.read("repo/.git/config");
        place.write("repo/.git/config", format!("{config}[{include}]\n\tpath = ../apps/evil\n"));
        check(&place, &traces, "repo/apps/shop");
    }
}

#[test]
fn in_a_linked_work_tree() {
    let place = project();
    place.git("repo", &["worktree", "add", "--quiet", "--detach", "../linked"]);
    place.git("repo", &["config", "extensions.worktreeConfig", "true"]);
    let traces = Traces::lay(&place, "repo/.git");
    traces.configure(&place, "repo/.git/worktrees/linked/config.worktree");
    check(&place, &traces, "linked/apps/shop");
}

/// The repository `outer` with the submodule `sub`, in which the project is.
fn submodule(place: &Place) {
    place.git("", &["init", "--quiet", "--initial-branch=main", "outer"]);
    place.git("outer", &["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "../repo", "sub"]);
    place.commit("outer");
    place.copy(&place.path("t"), "outer/t");
}

#[test]
fn in_a_submodule() {
    let place = project();
    submodule(&place);
    let traces = Traces::lay(&place, "outer/.git/modules/sub");
    traces.configure(&place, "outer/.git/modules/sub/config");
    check(&place, &traces, "outer/sub/apps/shop");
}

#[test]
fn in_a_submodule_of_the_project() {
    let place = project();
    let add = ["submodule", "--quiet", "add", "../../../repo", "apps/shop/sub"];
    place.git("", &["clone", "--quiet", "repo", "other"]);
    let add = [&["-c", "protocol.file.allow=always"], &add[..3], &["../other", "apps/shop/sub"]].concat();
    place.git("repo", &add);
    place.commit("repo");
    let traces = Traces::lay(&place, "repo/.git/modules/apps/shop/sub");
    traces.configure(&place, "repo/.git/modules/apps/shop/sub/config");
    place.write("repo/apps/shop/sub/apps/shop/touched.txt", "changed");
    check(&place, &traces, "repo/apps/shop");
}

/// Makes a directory look like a bare repository, with files that a commit may have.
fn embed(place: &Place, directory: &str) -> Traces {
    place.write(&format!("{directory}/HEAD"), "ref: refs/heads/main\n");
    place.write(&format!("{directory}/objects/.keep"), "");
    place.write(&format!("{directory}/refs/.keep"), "");
    let core = "[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = .\n";
    place.write(&format!("{directory}/config"), core);
    let traces = Traces::lay(place, directory);
    traces.configure(place, &format!("{directory}/config"));
    traces
}

#[test]
fn in_a_directory_that_looks_like_a_bare_repository() {
    for directory in ["apps/shop", "apps", "", "apps/shop/.create-app"] {
        let place = project();
        let traces = embed(&place, &format!("repo/{directory}"));
        place.commit("repo");
        every_command(&place, "repo/apps/shop");
        assert_eq!(traces.left(), "", "{directory}");
        drop(place.command("git", &format!("repo/{directory}")).args(["status"]).output().unwrap());
        // At the root, git itself finds the repository first.
        assert_eq!(traces.left().is_empty(), directory.is_empty(), "{directory}: the traps do not work");
    }
}

#[test]
fn in_a_directory_that_a_file_leads_to() {
    let place = project();
    place.rename("repo/.git", "repo/evil");
    place.write("repo/.git", "gitdir: evil\n");
    let traces = Traces::lay(&place, "repo/evil");
    traces.configure(&place, "repo/evil/config");
    check(&place, &traces, "repo/apps/shop");
}

#[test]
fn each_key_alone() {
    let place = project();
    let traces = Traces::lay(&place, "repo/.git");
    fs::remove_dir_all(place.path("repo/.git/hooks")).unwrap();
    for key in keys() {
        let name = "copy";
        drop(fs::remove_dir_all(place.path(name)));
        assert!(Command::new("cp").arg("-a").args([place.path("repo"), place.path(name)]).status().unwrap().success());
        traces.configure_one(&place, "copy/.git/config", &key);
        touch(&place, "copy/apps/shop");
        app(&place, "copy/apps", &["upgrade", "shop"]).ended(1).has("conflict.txt");
        assert_eq!(traces.left(), "", "{key:?}");
    }
}

/// Whatever a repository says, fetching obeys the user alone.
#[test]
fn when_a_template_is_fetched() {
    let place = project();
    place.git("t", &["init", "--quiet", "--initial-branch=main"]);
    place.commit("t");
    let traces = Traces::lay(&place, "repo/.git");
    traces.configure(&place, "repo/.git/config");
    traces.configure_one(&place, "repo/.git/config", &("remote.origin.fetch".into(), "+refs/*:refs/*".into()));
    let server = Server::start(&place.path(""), Door::Password);
    let addresses = [
        server.url("", "t/.git"),
        "https://127.0.0.1:1/x".to_owned(),
        "ssh://git@127.0.0.1:1/x".to_owned(),
        "git://127.0.0.1:1/x".to_owned(),
        format!("file://{}", place.path("t").display()),
        "../../t".to_owned(),
        "origin".to_owned(),
        "evil".to_owned(),
    ];
    for address in &addresses {
        for directory in ["repo", "repo/apps/shop"] {
            let shop = place.path("repo/apps/shop").display().to_string();
            // Whatever comes of it.
            app(&place, directory, &["check", &shop, "--upstream", "--git", address]);
            app(&place, directory, &["new", "x", "--git", address, "--branch", "nope"]);
            assert_eq!(traces.left(), "", "{address}");
        }
    }
    // Git itself takes what the repository says.
    drop(place.command("git", "repo").args(["ls-remote", "ssh://git@127.0.0.1:1/x"]).output().unwrap());
    assert_ne!(traces.left(), "", "the traps do not work");
}

/// A template's own repository is somebody else's, too, if it is a directory.
#[test]
fn in_a_template_that_is_a_repository_of_the_checkout() {
    let place = project();
    place.copy(&place.path("t"), "repo/t");
    place.git("repo/t", &["init", "--quiet", "--initial-branch=main"]);
    place.commit("repo/t");
    place.git("", &["clone", "--quiet", "--bare", "repo/t", "repo/bare"]);
    for (template, directory) in [("t", "repo/t/.git"), ("bare", "repo/bare")] {
        let traces = Traces::lay(&place, directory);
        traces.configure(&place, &format!("{directory}/config"));
        let address = format!("./{template}");
        let name = format!("of-{template}");
        app(&place, "repo", &["new", &name, "--silent", "--git", &address]).ended(0);
        app(&place, "repo", &["check", &name, "--upstream"]).ended(0);
        app(&place, "repo", &["new", "x", "--git", &address, "--branch", "nope"]).ended(2);
        assert_eq!(traces.left(), "", "{template}");
    }
}

/// A partial clone gets an object that it lacks from its remote, which may name a program.
#[test]
fn when_an_object_is_missing() {
    let place = project();
    let traces = Traces::lay(&place, "repo/.git");
    let program = traces.program("lazy fetch");
    let config = place.read("repo/.git/config");
    place.write(
        "repo/.git/config",
        format!(
            "{config}[extensions]\n\tpartialClone = evil\n[protocol]\n\tallow = always\n[remote \"evil\"]\n\tpromisor = true\n\turl = ext::{program}\n\tuploadpack = {program}\n\tvcs = ext\n"
        ),
    );
    for entry in walkdir::WalkDir::new(place.path("repo/.git/objects")) {
        let entry = entry.unwrap();
        if entry.file_type().is_file() {
            fs::remove_file(entry.path()).unwrap();
        }
    }
    touch(&place, "repo/apps/shop");
    for arguments in [&["check", "shop"][..], &["diff", "shop"], &["upgrade", "shop"]] {
        drop(app(&place, "repo/apps", arguments));
    }
    assert_eq!(traces.left(), "");
    drop(place.command("git", "repo").args(["-c", "core.fsmonitor=false", "cat-file", "-p", "HEAD^{tree}"]).output());
    assert_ne!(traces.left(), "", "the trap does not work");
}

/// What the user's own settings say is done, where git is asked about content.
#[test]
fn filters_of_the_users_stay() {
    let place = project();
    let filter = place.path("filter");
    place.write("filter", "#!/bin/sh\necho ran >>\"$HOME/filtered\"\nexec sed s/secret/hidden/\n");
    fs::set_permissions(&filter, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    place.write("settings", format!("[filter \"evil\"]\n\tclean = {}\n\trequired = true\n", filter.display()));
    let traces = Traces::lay(&place, "repo/.git");
    fs::remove_dir_all(place.path("repo/.git/hooks")).unwrap();
    for name in ["clean", "smudge", "required"] {
        let value = if name == "required" { "true".to_owned() } else { traces.program(name) };
        traces.configure_one(&place, "repo/.git/config", &(format!("filter.evil.{name}"), value));
    }
    touch(&place, "repo/apps/shop");
    let mut upgrade = command(&place, "repo/apps", &["upgrade", "shop"]);
    let said = Said::from(upgrade.env("GIT_CONFIG_GLOBAL", place.path("settings")).output().unwrap());
    said.ended(1).has("conflict.txt");
    assert!(place.has("filtered"), "the user's filter did not run");
    assert_eq!(traces.left(), "");
}

/// A list that lacks what a newer git has is worth nothing.
#[test]
fn the_list_is_complete() {
    const PROGRAMS: &[&str] = &[
        "alternaterefscommand",
        "askpass",
        "ccmd",
        "cccmd",
        "clean",
        "cmd",
        "command",
        "defaultkeycommand",
        "diffFilter",
        "driver",
        "editor",
        "event",
        "external",
        "fsmonitor",
        "gitproxy",
        "headercmd",
        "helper",
        "hookspath",
        "insteadof",
        "packobjectshook",
        "pager",
        "path",
        "process",
        "program",
        "promisor",
        "pushinsteadof",
        "receivepack",
        "recentobjectshook",
        "sendmailcmd",
        "smtpserver",
        "smudge",
        "sshcommand",
        "textconv",
        "tocmd",
        "tunnel",
        "update",
        "uploadpack",
        "vcs",
        "viewer",
        "browser",
        "tool",
        "guitool",
        "difffilter",
        "hook",
    ];
    /// They are none: colours, layouts, and messages.
    const OTHERS: &[&str] = &["color.pager", "column.clean"];
    let known: Vec<String> = keys().iter().map(|(key, _)| plain(key)).collect();
    let place = Place::new();
    for key in place.git("", &["help", "--config"]).lines().filter(|line| line.contains('.')) {
        let last = key.rsplit('.').next().unwrap().to_ascii_lowercase();
        let may_run = PROGRAMS.contains(&last.as_str()) || key.starts_with("alias.") || key.starts_with("pager.");
        assert!(
            !may_run || OTHERS.contains(&key) || known.contains(&plain(key)),
            "`{key}` may run a program: add it to tests/git/programs.txt"
        );
    }
}

/// A key without what may be in its middle.
fn plain(key: &str) -> String {
    let (first, rest) = key.split_once('.').unwrap();
    let last = rest.rsplit('.').next().unwrap();
    let last = if ["alias", "pager"].contains(&first) { "" } else { last };
    format!("{first}.{last}").to_ascii_lowercase()
}
