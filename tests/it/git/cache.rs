//! The cache of templates: fetched once, shared by many runs, whole or not at all, and never trusted.

use std::io::Write as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::World;
use super::server::{Door, Server};
use crate::support::place::Said;

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
