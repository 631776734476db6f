//! Trees and submodules that multiply are refused within bounded time and memory.

use std::time::{Duration, Instant};

use super::World;
use crate::support::place::Said;

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
