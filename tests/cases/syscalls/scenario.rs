//! What is done to what: a project before a command, the command, and the project after it.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use fs_err as fs;

use crate::support::place::{Place, Said};

/// Everything that somebody may see of a project: its files and directories, its record, and git's index.
pub(crate) type Seen = BTreeMap<String, String>;

/// A command that is tried again and again, each time in a fresh copy.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    prepare: fn(&Place),
    /// What is run in each copy before: a copy of what an upgrade has left to undo it is not believed.
    first: Option<&'static [&'static str]>,
    /// The command line; the place's `work` holds the app `app`.
    pub(crate) command: &'static [&'static str],
    pub(crate) kind: Kind,
}

/// What the faults meet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The program.
    Own,
    /// The program, which goes on with what one before it was killed at.
    Recovery,
    /// The program, and each git that it runs.
    Git,
}

const UPGRADE: &[&str] = &["upgrade", "work/app", "--silent"];
pub(crate) const ABORT: &[&str] = &["upgrade", "work/app", "--abort"];

pub(crate) const SCENARIOS: &[Scenario] = &[
    scenario("new", template, &["new", "work/app", "--path", "template", "--vcs", "git", "--silent"], Kind::Own),
    scenario(
        "new_init",
        existing,
        &["new", "work/app", "--path", "template", "--vcs", "none", "--silent", "--init"],
        Kind::Own,
    ),
    scenario("new_in_a_repository", repository, &["new", "work/app", "--path", "template", "--silent"], Kind::Own),
    scenario("upgrade", outdated, UPGRADE, Kind::Own),
    scenario("upgrade_with_conflicts", conflicting, UPGRADE, Kind::Own),
    scenario("upgrade_without_git", without_git, UPGRADE, Kind::Own),
    scenario("upgrade_with_git", conflicting, UPGRADE, Kind::Git),
    scenario("recovery", conflicting, UPGRADE, Kind::Recovery),
    scenario("recovery_without_git", without_git, UPGRADE, Kind::Recovery),
    upgraded("abort", conflicting, Kind::Own),
    upgraded("abort_without_git", without_git, Kind::Own),
    upgraded("abort_with_git", conflicting, Kind::Git),
    upgraded("recovery_of_abort", conflicting, Kind::Recovery),
];

const fn scenario(name: &'static str, prepare: fn(&Place), command: &'static [&'static str], kind: Kind) -> Scenario {
    Scenario { name, prepare, first: None, command, kind }
}

/// Undoes an upgrade.
const fn upgraded(name: &'static str, prepare: fn(&Place), kind: Kind) -> Scenario {
    Scenario { name, prepare, first: Some(UPGRADE), command: ABORT, kind }
}

/// A scenario with the states before and after, to be copied for each run.
pub(crate) struct Stage {
    pub(crate) place: Place,
    first: Option<&'static [&'static str]>,
    pub(crate) before: Seen,
    pub(crate) after: Seen,
    /// How the command ends where nothing is in its way.
    pub(crate) code: i32,
}

impl Stage {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let place = Place::in_memory();
        for name in ["base/work", "base/state", "base/cache"] {
            fs::create_dir_all(place.path(name)).unwrap();
        }
        (scenario.prepare)(&place);
        let mut stage = Self { place, first: scenario.first, before: Seen::new(), after: Seen::new(), code: 0 };
        stage.copy("after");
        stage.before = stage.seen("after");
        let said = stage.run("after", &[], scenario.command);
        stage.code = said.code.unwrap();
        assert!(matches!(said.code, Some(0 | 1)), "{}{}", said.out, said.err);
        stage.after = stage.seen("after");
        assert_ne!(stage.before, stage.after);
        stage
    }

    pub(crate) fn copy(&self, to: &str) {
        let status = Command::new("cp").arg("-a").args([self.place.path("base"), self.place.path(to)]).status();
        assert!(status.unwrap().success());
        if let Some(first) = self.first {
            let said = self.run(to, &[], first);
            assert!(matches!(said.code, Some(0 | 1)), "{}{}", said.out, said.err);
        }
    }

    pub(crate) fn forget(&self, copy: &str) {
        fs::remove_dir_all(self.place.path(copy)).unwrap();
    }

    /// Runs create-app in a copy, behind the words of another program.
    pub(crate) fn run(&self, copy: &str, before: &[String], words: &[&str]) -> Said {
        let program = env!("CARGO_BIN_EXE_create-app").to_owned();
        let line: Vec<String> =
            before.iter().cloned().chain([program]).chain(words.iter().map(|&word| word.into())).collect();
        let mut command = self.place.command(&line[0], copy);
        command.args(&line[1..]).env("RAYON_NUM_THREADS", "1");
        command.env("CREATE_APP_STATE_DIR", self.place.path(copy).join("state"));
        command.env("CREATE_APP_CACHE_DIR", self.place.path(copy).join("cache"));
        command.output().unwrap().into()
    }

    /// What is to be seen of a copy, but for what a process that was killed leaves in nobody's way: directories under names
    /// that nobody has chosen, and the file that kept others out.
    pub(crate) fn seen(&self, copy: &str) -> Seen {
        let root = self.place.path(copy).join("work");
        let is_litter = |name: &str| name.contains(".create-app-");
        let walk = walkdir::WalkDir::new(&root).min_depth(1).into_iter();
        let walk = walk.filter_entry(|it| it.file_name() != ".git" && !is_litter(&it.file_name().to_string_lossy()));
        let mut seen: Seen = walk
            .map(|entry| {
                let entry = entry.unwrap();
                let content = match entry.file_type() {
                    kind if kind.is_dir() => "a directory".to_owned(),
                    kind if kind.is_symlink() => format!("-> {}", fs::read_link(entry.path()).unwrap().display()),
                    _ => {
                        let mode = entry.metadata().unwrap().permissions().mode();
                        format!("{mode:o} {}", String::from_utf8_lossy(&fs::read(entry.path()).unwrap()))
                    }
                };
                (entry.path().strip_prefix(&root).unwrap().to_str().unwrap().to_owned(), content)
            })
            .filter(|(name, _)| !name.ends_with(".create-app/busy"))
            .collect();
        for repository in ["work", "work/app"].map(|name| format!("{copy}/{name}")) {
            if self.place.has(&format!("{repository}/.git/HEAD")) {
                seen.insert(
                    format!("index of {}", &repository[copy.len()..]),
                    self.place.git(&repository, &["ls-files", "--stage"]),
                );
            }
        }
        seen
    }
}

/// What differs, a line each.
pub(crate) fn differences(expected: &Seen, seen: &Seen) -> Vec<String> {
    let names = expected.keys().chain(seen.keys().filter(|name| !expected.contains_key(*name)));
    let differ = names.filter(|name| expected.get(*name) != seen.get(*name));
    differ.map(|name| format!("{name}: {:?}, not {:?}", seen.get(name), expected.get(name))).collect()
}

const MANIFEST: &str = "[create-app]\nrepository = [\".github/**\"]\n";

fn template(place: &Place) {
    place.write("base/template/cargo-generate.toml", MANIFEST);
    for name in ["conflict", "changed", "gone/deep/x", "run.sh", "same"] {
        place.write(&format!("base/template/{name}"), lines(name));
    }
    place.write("base/template/.github/ci.yml", "on: push\n");
}

fn lines(name: &str) -> String {
    ["one", "two", "three", "four", "five"].map(|line| format!("{line} of {name}\n")).concat()
}

fn existing(place: &Place) {
    template(place);
    place.write("base/work/app/mine", "mine\n");
    place.write("base/work/app/same", lines("same"));
    fs::create_dir(place.path("base/work/app/gone")).unwrap();
}

fn repository(place: &Place) {
    template(place);
    place.write("base/work/mine", "mine\n");
    place.git("base/work", &["init", "--quiet"]);
    place.commit("base/work");
}

fn app(place: &Place) {
    place.app("base", &["new", "work/app", "--path", "template", "--silent", "--vcs", "none"]).ended(0);
}

/// What the next version of the template changes.
fn next(place: &Place) {
    place.edit("base/template/conflict", "two", "their two");
    place.edit("base/template/changed", "two", "their two");
    fs::remove_dir_all(place.path("base/template/gone")).unwrap();
    fs::set_permissions(place.path("base/template/run.sh"), std::fs::Permissions::from_mode(0o755)).unwrap();
    place.write("base/template/made/here/too", "made\n");
    std::os::unix::fs::symlink("changed", place.path("base/template/link")).unwrap();
    place.write("base/template/.github/ci.yml", "on: [push]\n");
}

fn outdated(place: &Place) {
    repository(place);
    app(place);
    place.commit("base/work");
    next(place);
}

fn conflicting(place: &Place) {
    repository(place);
    app(place);
    place.write("base/work/.gitignore", "/app/changed\n");
    place.edit("base/work/app/conflict", "two", "my two");
    place.commit("base/work");
    place.write("base/work/app/mine", "mine\n");
    next(place);
}

fn without_git(place: &Place) {
    template(place);
    app(place);
    place.edit("base/work/app/conflict", "two", "my two");
    place.write("base/work/app/mine", "mine\n");
    next(place);
}
