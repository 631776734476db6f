//! The real `create-app upgrade`, killed before any single step, or with any single step refused: the project is the old one
//! or the new one, git's index included, at the latest once one more command has looked at it.
//!
//! Faults are chosen with `CREATE_APP_FAULT` (docs/contributing.md), which only builds with debug assertions know.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::place::{Place, Said};
use fs_err as fs;

const DIRECTORY: &str = "a directory";

/// Everything that somebody may see of a project: its files and directories, its record, and git's index.
type Seen = BTreeMap<String, String>;

/// A repository with an app, ready for an upgrade that does all that an upgrade can do. It is copied for each run.
struct Scenario {
    place: Place,
    old: Seen,
    new: Seen,
}

impl Scenario {
    fn new() -> Self {
        let place = Place::in_memory();
        let lines =
            |name: &str| ["one", "two", "three", "four", "five"].map(|line| format!("{line} of {name}\n")).concat();
        let manifest =
            |version| format!("[create-app]\nversion = \"{version}\"\nrepository = [\".github/**\"]\n[placeholders]\n");
        place.write("template/cargo-generate.toml", manifest("1.0.0"));
        for name in ["conflict", "ignored", "local", "changed", "moved", "gone/deep/x", "renamed", "run.sh", "same"] {
            place.write(&format!("template/{name}"), lines(name));
        }
        place.write("template/.github/ci.yml", "on: push\n");
        std::os::unix::fs::symlink("same", place.path("template/link")).unwrap();
        fs::create_dir(place.path("old")).unwrap();
        place.git("old", &["init", "--quiet"]);
        place.write("old/.gitignore", "/app/ignored\n/app/local\n");
        place.app("old", &["app", "--silent", "--path", "../template"]).ended(0);
        place.edit("old/app/conflict", "two", "my two");
        place.edit("old/app/renamed", "two", "my two");
        place.commit("old");
        place.edit("old/app/ignored", "two", "my two");

        place.write("template/cargo-generate.toml", manifest("2.0.0"));
        for name in ["conflict", "ignored", "changed", "local"] {
            place.edit(&format!("template/{name}"), "two", "their two");
        }
        place.rename("template/moved", "template/deep/moved");
        place.rename("template/renamed", "template/deep/renamed");
        place.edit("template/deep/renamed", "two", "their two");
        fs::remove_dir_all(place.path("template/gone")).unwrap();
        fs::set_permissions(place.path("template/run.sh"), std::fs::Permissions::from_mode(0o755)).unwrap();
        place.remove("template/link");
        std::os::unix::fs::symlink("changed", place.path("template/link")).unwrap();
        place.write("template/made/here/too", "made\n");
        place.write("template/.github/ci.yml", "on: [push]\n");

        let scenario = Self { place, old: Seen::new(), new: Seen::new() };
        let old = scenario.seen("old");
        scenario.copy("new");
        scenario.run("new", "upgrade", "").ended(1);
        let new = scenario.seen("new");
        assert!(new["app/.create-app/backup/1/app/local"].contains("two of local"));
        for unmerged in ["UU app/conflict", "UU app/deep/renamed"] {
            assert!(new["git status"].contains(unmerged), "{}", new["git status"]);
        }
        assert!(new.contains_key("app/ignored.theirs") && !new.contains_key("app/gone"));
        Self { old, new, ..scenario }
    }

    fn copy(&self, to: &str) {
        let status = Command::new("cp").arg("-a").args([self.place.path("old"), self.place.path(to)]).status();
        assert!(status.unwrap().success());
    }

    /// Runs a command for the app of a copy, with a fault.
    fn run(&self, copy: &str, command: &str, fault: &str) -> Said {
        let mut program = self.place.command(env!("CARGO_BIN_EXE_create-app"), "");
        program.env("CREATE_APP_FAULT", fault).arg(command).arg(format!("{copy}/app"));
        if command == "upgrade" {
            program.arg("--silent");
        }
        program.output().unwrap().into()
    }

    /// Undoes the upgrade of a copy, with a fault.
    fn abort(&self, copy: &str, fault: &str) -> Said {
        let mut program = self.place.command(env!("CARGO_BIN_EXE_create-app"), "");
        program.env("CREATE_APP_FAULT", fault).args(["upgrade", "--abort"]).arg(format!("{copy}/app"));
        program.output().unwrap().into()
    }

    /// Lets the next `upgrade` finish or undo what was interrupted, and no more: there is no template to go on with. Its exit code
    /// says whether something was written.
    fn recovered(&self, copy: &str) -> Said {
        let mut said = self.recover(copy, "");
        // A git that the killed one was just starting may hold the project for a moment longer.
        for _ in 0..100 {
            if !said.err.contains("error[P005]") {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
            said = self.recover(copy, "");
        }
        let has_written = said.err.contains("An interrupted change of ");
        said.ended(if has_written { 1 } else { 2 }).warns("nowhere")
    }

    /// The same with a fault.
    fn recover(&self, copy: &str, fault: &str) -> Said {
        let mut program = self.place.command(env!("CARGO_BIN_EXE_create-app"), "");
        program.env("CREATE_APP_FAULT", fault).args(["upgrade", "--silent", "--path", "nowhere"]);
        program.arg(format!("{copy}/app")).output().unwrap().into()
    }

    /// What is to be seen of a copy.
    fn seen(&self, copy: &str) -> Seen {
        let root = self.place.path(copy);
        let walk = walkdir::WalkDir::new(&root).min_depth(1).into_iter().filter_entry(|it| it.file_name() != ".git");
        let mut seen: Seen = walk
            .map(|entry| {
                let entry = entry.unwrap();
                let content = match entry.file_type() {
                    kind if kind.is_dir() => DIRECTORY.to_owned(),
                    kind if kind.is_symlink() => format!("-> {}", fs::read_link(entry.path()).unwrap().display()),
                    _ => {
                        let mode = entry.metadata().unwrap().permissions().mode();
                        format!("{mode:o} {}", String::from_utf8_lossy(&fs::read(entry.path()).unwrap()))
                    }
                };
                (entry.path().strip_prefix(&root).unwrap().to_str().unwrap().to_owned(), content)
            })
            .collect();
        seen.insert("git index".into(), self.place.git(copy, &["ls-files", "--stage"]));
        seen.insert("git status".into(), self.place.git(copy, &["status", "--porcelain"]));
        seen
    }

    #[track_caller]
    fn assert_one_of(&self, copy: &str, expected: &[&Seen], why: &str) {
        let seen = self.seen(copy);
        if expected.contains(&&seen) {
            return;
        }
        let nearest = expected.iter().map(|expected| differences(expected, &seen)).min_by_key(Vec::len).unwrap();
        panic!("{why}: neither the old project nor the new one\n{}", nearest.join("\n"));
    }

    /// The first step behind the one that decides: whoever is killed there has changed nothing yet, and will have.
    fn decided(&self) -> usize {
        let is_decided = |step: &usize| {
            self.copy("copy");
            self.run("copy", "upgrade", &format!("killed:{step}"));
            let is_decided = self.run("copy", "check", "").code == Some(2);
            self.forget("copy");
            is_decided
        };
        (0..).find(is_decided).unwrap()
    }

    fn forget(&self, copy: &str) {
        fs::remove_dir_all(self.place.path(copy)).unwrap();
    }
}

fn differences(expected: &Seen, seen: &Seen) -> Vec<String> {
    let names = expected.keys().chain(seen.keys().filter(|name| !expected.contains_key(*name)));
    let differ = names.filter(|name| expected.get(*name) != seen.get(*name));
    differ.map(|name| format!("{name}: {:?}, not {:?}", seen.get(name), expected.get(name))).collect()
}

/// Where the next command is `check`, it says so and changes nothing; `upgrade` then leaves what was recovered, or goes on to
/// the new project.
#[test]
fn an_upgrade_that_is_killed_anywhere_is_finished_or_never_was() {
    let scenario = Scenario::new();
    let mut ends = [0, 0];
    for step in 0.. {
        scenario.copy("copy");
        let said = scenario.run("copy", "upgrade", &format!("killed:{step}"));
        if step % 3 > 0 {
            let before = scenario.seen("copy");
            let checked = scenario.run("copy", "check", "");
            let told = checked.err.contains("error[P006]: a change of `copy/app` was interrupted");
            assert!(matches!((checked.code, told), (Some(0 | 1), false) | (Some(2), true)), "{step}: {}", checked.err);
            assert_eq!(differences(&before, &scenario.seen("copy")), [""; 0], "{step}: check only looks");
            scenario.recovered("copy");
            scenario.assert_one_of("copy", &[&scenario.old, &scenario.new], &format!("killed at {step}"));
            ends[usize::from(scenario.seen("copy") == scenario.new)] += 1;
        } else {
            scenario.run("copy", "upgrade", "").ended(1);
            scenario.assert_one_of("copy", &[&scenario.new], &format!("killed at {step}"));
        }
        scenario.forget("copy");
        if said.code.is_some() {
            said.ended(1);
            break;
        }
    }
    assert!(ends[0] > 20 && ends[1] > 10, "{ends:?}");
}

/// The same for the command that finishes what another one began.
#[test]
fn a_recovery_that_is_killed_anywhere_is_finished_by_the_next() {
    let scenario = Scenario::new();
    let decided = scenario.decided();
    for step in 0.. {
        scenario.copy("copy");
        scenario.run("copy", "upgrade", &format!("killed:{decided}"));
        let said = scenario.recover("copy", &format!("killed:{step}"));
        scenario.recovered("copy");
        scenario.run("copy", "check", "").ended(1);
        scenario.assert_one_of("copy", &[&scenario.new], &format!("killed at {decided}, then at {step}"));
        scenario.forget("copy");
        if said.code.is_some() {
            assert!(step > 20, "{step}");
            return;
        }
    }
}

/// An error says so and has changed nothing. What cannot be removed when the change is done is no reason to undo it.
fn assert_refusals_change_nothing(kind: &str, reason: &str) {
    let scenario = Scenario::new();
    let (mut refused, mut done) = (0, 0);
    // Behind the last step, nothing is left to fail.
    for step in 0.. {
        if done == 20 {
            break;
        }
        scenario.copy("copy");
        let fault = format!("{kind}:{step}");
        let said = scenario.run("copy", "upgrade", &fault);
        if said.code == Some(2) {
            assert!(said.err.contains(reason) && said.out.is_empty(), "{fault}: {}{}", said.err, said.out);
            scenario.assert_one_of("copy", &[&scenario.old], &fault);
            (refused, done) = (refused + 1, 0);
        } else {
            said.ended(1);
            scenario.run("copy", "check", "").ended(1);
            let files = |seen: &Seen| -> Seen {
                let files = seen.iter().filter(|(_, content)| *content != DIRECTORY);
                files.map(|(name, content)| (name.clone(), content.clone())).collect()
            };
            // A directory that somebody uses may stay, empty.
            assert_eq!(differences(&files(&scenario.new), &files(&scenario.seen("copy"))), [""; 0], "{fault}");
            done += 1;
        }
        scenario.forget("copy");
    }
    assert!(refused > 80, "{refused}");
}

#[test]
fn a_disk_that_is_full_at_any_step_changes_nothing() {
    assert_refusals_change_nothing("full", "no storage space");
}

#[test]
fn a_permission_that_is_missing_at_any_step_changes_nothing() {
    assert_refusals_change_nothing("denied", "permission denied");
}

/// Git was killed as well, and has left the lock of its index behind.
#[test]
fn an_upgrade_that_git_cannot_finish_is_taken_back() {
    let scenario = Scenario::new();
    let decided = scenario.decided();
    scenario.copy("copy");
    scenario.run("copy", "upgrade", &format!("killed:{decided}"));
    scenario.place.write("copy/.git/index.lock", "");
    scenario.recovered("copy").warns("has been undone");
    scenario.place.remove("copy/.git/index.lock");
    scenario.assert_one_of("copy", &[&scenario.old], "undone");
}

/// A disk of its own, as small as it takes.
#[test]
#[cfg(target_os = "linux")]
fn a_disk_that_fills_up_changes_nothing() {
    let scenario = Scenario::new();
    let disk = scenario.place.path("disk");
    fs::create_dir(&disk).unwrap();
    let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"]).arg(&disk).output();
    if !mount.is_ok_and(|output| output.status.success()) {
        println!("skipped: this user may not mount a small disk");
        return;
    }
    let result = std::panic::catch_unwind(|| fill_up(&scenario));
    assert!(Command::new("umount").arg("--lazy").arg(&disk).status().unwrap().success());
    result.unwrap();
}

/// Upgrades with ever more room left, a page at a time, until there is enough.
fn fill_up(scenario: &Scenario) {
    const PAGE: u64 = 4096;
    std::os::unix::fs::symlink("../template", scenario.place.path("disk/template")).unwrap();
    let filler = scenario.place.path("disk/filler");
    for pages in 0.. {
        scenario.copy("disk/copy");
        let mut file = fs::File::create(&filler).unwrap();
        while std::io::Write::write_all(&mut file, &[0; PAGE as usize]).is_ok() {}
        let length = file.metadata().unwrap().len();
        file.set_len(length - pages * PAGE).unwrap();
        drop(file);
        let said = scenario.run("disk/copy", "upgrade", "");
        fs::remove_file(&filler).unwrap();
        let why = format!("{pages} pages were left: {}", said.err);
        if said.code == Some(1) {
            assert!(pages > 5, "{why}");
            return scenario.assert_one_of("disk/copy", &[&scenario.new], &why);
        }
        assert!(said.code == Some(2) && said.out.is_empty(), "{why}");
        scenario.assert_one_of("disk/copy", &[&scenario.old], &why);
        scenario.forget("disk/copy");
    }
}

/// Without a fault of ours: the process is killed from outside, whenever that happens to be.
#[test]
fn an_upgrade_that_is_killed_at_some_moment_is_finished_or_never_was() {
    let scenario = Scenario::new();
    for moment in 0..40 {
        scenario.copy("copy");
        let mut program = scenario.place.command(env!("CARGO_BIN_EXE_create-app"), "");
        program.args(["upgrade", "copy/app", "--silent"]).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = program.spawn().unwrap();
        std::thread::sleep(Duration::from_millis(3 * moment));
        child.kill().unwrap();
        child.wait().unwrap();
        // A git that it had started may still be at work.
        std::thread::sleep(Duration::from_millis(50));
        scenario.recovered("copy");
        scenario.assert_one_of("copy", &[&scenario.old, &scenario.new], &format!("killed after {} ms", 3 * moment));
        scenario.forget("copy");
    }
}

/// Undoing is a change like any other: killed anywhere, the upgrade is there or was undone, and at the latest the next two
/// commands bring back the old project byte by byte, conflicts and git's index included.
#[test]
fn an_upgrade_is_taken_back_wherever_that_is_killed() {
    let scenario = Scenario::new();
    let mut ends = [0, 0];
    for step in 0.. {
        scenario.copy("copy");
        scenario.run("copy", "upgrade", "").ended(1);
        let said = scenario.abort("copy", &format!("killed:{step}"));
        if said.code.is_some() {
            said.ended(0);
            scenario.assert_one_of("copy", &[&scenario.old], "undone");
            assert!(!scenario.place.is_held("copy/app"));
            scenario.abort("copy", "").ended(2).warns("error[P011]: there is no upgrade of `copy/app`");
            break;
        }
        if step % 2 > 0 {
            scenario.recovered("copy");
            scenario.assert_one_of("copy", &[&scenario.old, &scenario.new], &format!("killed at {step}"));
            ends[usize::from(scenario.seen("copy") == scenario.new)] += 1;
        }
        for _ in 0..2 {
            if scenario.seen("copy") != scenario.old {
                scenario.abort("copy", "").ended(0);
            }
        }
        scenario.assert_one_of("copy", &[&scenario.old], &format!("killed at {step}, then tried again"));
        scenario.forget("copy");
    }
    assert!(ends[0] > 10 && ends[1] > 10, "{ends:?}");
}

#[test]
fn taking_back_that_fails_at_any_step_changes_nothing() {
    let scenario = Scenario::new();
    for kind in ["full", "denied"] {
        let (mut refused, mut done) = (0, 0);
        for step in 0.. {
            if done == 20 {
                break;
            }
            scenario.copy("copy");
            scenario.run("copy", "upgrade", "").ended(1);
            let fault = format!("{kind}:{step}");
            let said = scenario.abort("copy", &fault);
            if said.code == Some(2) {
                scenario.assert_one_of("copy", &[&scenario.new], &fault);
                scenario.abort("copy", "").ended(0);
                (refused, done) = (refused + 1, 0);
            } else {
                said.ended(0);
                done += 1;
            }
            let files = |seen: &Seen| -> Seen {
                let files = seen.iter().filter(|(_, content)| *content != DIRECTORY);
                files.map(|(name, content)| (name.clone(), content.clone())).collect()
            };
            assert_eq!(differences(&files(&scenario.old), &files(&scenario.seen("copy"))), [""; 0], "{fault}");
            scenario.forget("copy");
        }
        assert!(refused > 40, "{refused}");
    }
}

/// An upgrade that was killed is finished first, so that there is something to undo; one that never was is not.
#[test]
fn an_upgrade_that_was_killed_can_be_taken_back() {
    let scenario = Scenario::new();
    let decided = scenario.decided();
    for step in [decided - 1, decided, decided + 5] {
        scenario.copy("copy");
        scenario.run("copy", "upgrade", &format!("killed:{step}"));
        scenario.abort("copy", "").ended(0);
        scenario.assert_one_of("copy", &[&scenario.old], &format!("killed at {step}"));
        scenario.forget("copy");
    }
}

/// What would be undone came with a copy of the repository: it may be anything.
#[test]
fn what_came_with_a_copy_is_not_taken_back() {
    let scenario = Scenario::new();
    scenario.copy("copy");
    scenario.run("copy", "upgrade", "").ended(1);
    let status =
        Command::new("cp").arg("-a").args([scenario.place.path("copy"), scenario.place.path("other")]).status();
    assert!(status.unwrap().success());
    scenario.abort("other", "").ended(2).warns("error[P011]").warns("was not written here");
    scenario.assert_one_of("other", &[&scenario.new], "a copy");
    scenario.abort("copy", "").ended(0);
}
