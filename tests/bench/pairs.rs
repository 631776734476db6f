//! Whole processes, timed in pairs in one run: `cargo bench`.
//!
//! Each row times create-app and another command in turn, so that a machine whose speed drifts slows both, and prints the
//! medians, the median of the pairs' ratios, and the ratio to reach. It judges nothing. Everything happens below `/dev/shm`
//! where there is one, because a disk's noise hides the rest.
//!
//! `cargo bench -- WORD` times only the rows that have the word in their title.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark is for reading, at a terminal")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use fs_err as fs;

/// A template of many files, with a tag in each.
const FILES: usize = 5_000;
/// Bytes of one of them.
const FILE_SIZE: usize = 4_000;
/// How many of them the user edits, and how many the template changes.
const EDITED: usize = 5;
const CHANGED: usize = 50;
/// Files of a repository that do not concern the project in it.
const UNRELATED: usize = 50_000;

fn main() {
    // `cargo test --benches` runs this, too, and only wants to know that it works.
    let measures = std::env::args().any(|argument| argument == "--bench");
    let word = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let memory = Path::new("/dev/shm");
    let parent = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
    let place = tempfile::tempdir_in(parent).unwrap();
    let [runs, files, unrelated] = if measures { [20, FILES, UNRELATED] } else { [1, FILES / 10, UNRELATED / 100] };
    let bench = Bench { place: place.path().to_path_buf(), runs, word };

    println!(
        "{:<52}{:>13}{:>13}{:>9}{:>8}{:>12}",
        "medians of pairs", "create-app", "other", "ratio", "target", "spread"
    );
    bench.row("--version, against `git --version`", None, &Run::of(&["--version"]), &Run::other(&["git", "--version"]));
    bench.embedded(unrelated);
    bench.many_files(files);
}

struct Bench {
    place: PathBuf,
    runs: usize,
    /// What the title of a row must contain to be timed.
    word: String,
}

/// A command to time, and the project that it is given again each time as `out`.
struct Run<'a> {
    program: &'a str,
    arguments: &'a [&'a str],
    project: Option<&'a str>,
}

impl<'a> Run<'a> {
    fn of(arguments: &'a [&'a str]) -> Self {
        Self { program: env!("CARGO_BIN_EXE_create-app"), arguments, project: None }
    }

    fn other(command: &'a [&'a str]) -> Self {
        Self { program: command[0], arguments: &command[1..], project: None }
    }

    fn on(self, project: &'a str) -> Self {
        Self { project: Some(project), ..self }
    }
}

impl Bench {
    /// The size of the embedded template.
    fn embedded(&self, unrelated: usize) {
        let new = ["new", "out", "--silent", "--vcs", "none"];
        self.create_app(&["new", "plain", "--silent", "--vcs", "none"]);
        let copy = ["cp", "-r", "plain", "out"];
        self.row("new, embedded template, against `cp -r`", Some(2.7), &Run::of(&new), &Run::other(&copy));

        copy_tree(&Path::new(env!("CARGO_MANIFEST_DIR")).join("template"), &self.place.join("small"));
        self.create_app(&["new", "project", "--path", "small", "--silent"]);
        self.edit("project/alchemy.run.ts", "// The user's.\n", "");
        self.commit("project");
        for file in ["docs/PROMOTION.md", "scripts/release/config.ts", "scripts/release/verify.ts", "alchemy.run.ts"] {
            self.edit(&format!("small/{file}"), "", "// The template's.\n");
        }
        let check = ["check", "out"];
        let upgrade = ["upgrade", "out", "--path", "small", "--silent"];
        let diff = ["diff", "out", "--path", "small", "--silent"];
        let on = |arguments| Run::of(arguments).on("project");
        let status = Run::other(&["git", "-C", "out", "status"]).on("project");
        self.row("check, its size, against `git status`", Some(2.0), &on(&check), &status);
        self.row("upgrade, its size, against `cp -r`", Some(6.0), &on(&upgrade), &Run::other(&copy));
        self.row("diff, its size, against `upgrade`", Some(1.0), &on(&diff), &on(&upgrade));
        self.monorepo(unrelated);
    }

    /// The same project below a repository's root, with other files beside it, and without.
    fn monorepo(&self, unrelated: usize) {
        for (repository, files) in [("alone", 0), ("crowd", unrelated)] {
            fs::create_dir_all(self.place.join(repository)).unwrap();
            self.git(repository, &["init", "--quiet"]);
            self.fill(&format!("{repository}/other"), files, |number| format!("{number}\n"));
            self.create_app(&["new", &format!("{repository}/app"), "--silent"]);
            self.edit(&format!("{repository}/app/alchemy.run.ts"), "// The user's.\n", "");
            self.commit(repository);
        }
        let [crowd, alone] = ["crowd/app", "alone/app"];
        let upgrade = |app| ["upgrade", app, "--path", "small", "--silent", "--dry-run"];
        let title = "upgrade --dry-run among 50,000 files, against alone";
        self.row(title, Some(1.0), &Run::of(&upgrade(crowd)), &Run::of(&upgrade(alone)));
        let title = "check among 50,000 files, against alone";
        self.row(title, Some(1.0), &Run::of(&["check", crowd]), &Run::of(&["check", alone]));
    }

    /// A large template, and one of half its size.
    fn many_files(&self, files: usize) {
        let text = "The quick brown fox jumps over the lazy dog, and the dog does not mind.\n".repeat(FILE_SIZE / 72);
        let content = |number: usize| format!("{{{{project-name}}}} {number}\n{text}");
        for (template, project, files) in [("template", "large", files), ("half", "halved", files / 2)] {
            self.fill(template, files, content);
            self.create_app(&["new", project, "--path", template, "--silent"]);
            for number in 0..EDITED {
                self.edit(&format!("{project}/{}", name(number * files / EDITED)), "", "The user's.\n");
            }
            self.commit(project);
        }
        self.create_app(&["new", "many", "--path", "template", "--silent", "--vcs", "none"]);
        let new = ["new", "out", "--path", "template", "--silent", "--vcs", "none"];
        let copy = Run::other(&["cp", "-r", "template", "out"]);
        self.row("new, 5,000 files of 20 MB, against `cp -r`", Some(2.7), &Run::of(&new), &copy);

        for (template, files) in [("template", files), ("half", files / 2)] {
            for number in 0..CHANGED {
                self.edit(&format!("{template}/{}", name(number * files / CHANGED)), "The template's.\n", "");
            }
        }
        let copy = Run::other(&["cp", "-r", "many", "out"]);
        let upgrade = ["upgrade", "out", "--path", "template", "--silent"];
        let half = ["upgrade", "out", "--path", "half", "--silent"];
        let diff = ["diff", "out", "--path", "template", "--silent"];
        let on = |arguments| Run::of(arguments).on("large");
        self.row("check, 5,000 files of 20 MB, against `cp -r`", Some(3.0), &on(&["check", "out"]), &copy);
        self.row("upgrade, 5,000 files of 20 MB, against `cp -r`", Some(12.0), &on(&upgrade), &copy);
        self.row("diff, 5,000 files of 20 MB, against `upgrade`", Some(1.0), &on(&diff), &on(&upgrade));
        self.row("upgrade, 5,000 files, against 2,500", Some(2.0), &on(&upgrade), &Run::of(&half).on("halved"));
    }

    /// Times both commands in turn and prints a row; `target` is the ratio to reach.
    fn row(&self, title: &str, target: Option<f64>, ours: &Run<'_>, other: &Run<'_>) {
        if !title.contains(&self.word) {
            return;
        }
        let mut pairs = Vec::new();
        for round in 0..=self.runs {
            let pair = (self.time(ours), self.time(other));
            // The first round fills the caches.
            if round > 0 {
                pairs.push(pair);
            }
        }
        let median = |mut values: Vec<f64>| {
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        let milliseconds = |pick: fn(&(Duration, Duration)) -> Duration| {
            median(pairs.iter().map(|pair| pick(pair).as_secs_f64() * 1e3).collect())
        };
        let mut ratios: Vec<f64> = pairs.iter().map(|(ours, other)| ours.as_secs_f64() / other.as_secs_f64()).collect();
        ratios.sort_by(f64::total_cmp);
        let [ours, other] = [milliseconds(|pair| pair.0), milliseconds(|pair| pair.1)];
        let [low, middle, high] = [0, ratios.len() / 2, ratios.len() - 1].map(|at| ratios[at]);
        let target = target.map_or(String::new(), |target| format!("≤ {target}"));
        let spread = format!("{low:.1}–{high:.1}");
        println!("{title:<52}{ours:>10.2} ms{other:>10.2} ms{middle:>9.2}{target:>8}{spread:>12}");
    }

    fn time(&self, run: &Run<'_>) -> Duration {
        let out = self.place.join("out");
        if out.exists() {
            fs::remove_dir_all(&out).unwrap();
        }
        if let Some(project) = run.project {
            copy_tree(&self.place.join(project), &out);
            // A copy's files are new to git's index: what it learns of them is not a part of the measurement.
            self.git("out", &["status", "--short"]);
        }
        self.execute(Command::new(run.program).args(run.arguments))
    }

    fn execute(&self, command: &mut Command) -> Duration {
        command.current_dir(&self.place).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let start = Instant::now();
        let status = command.status().unwrap();
        let elapsed = start.elapsed();
        // A difference is not a failure.
        assert!(matches!(status.code(), Some(0 | 1)), "{command:?}: {status}");
        elapsed
    }

    fn create_app(&self, arguments: &[&str]) {
        self.execute(Command::new(env!("CARGO_BIN_EXE_create-app")).args(arguments));
    }

    fn git(&self, directory: &str, arguments: &[&str]) {
        let author = ["-c", "user.name=A", "-c", "user.email=a@b", "-c", "gc.auto=0"];
        self.execute(Command::new("git").args(["-C", directory]).args(author).args(arguments));
    }

    fn commit(&self, directory: &str) {
        self.git(directory, &["add", "--all"]);
        self.git(directory, &["commit", "--quiet", "--message=All"]);
        self.git(directory, &["repack", "-adq"]);
        self.git(directory, &["prune-packed"]);
    }

    fn fill(&self, directory: &str, files: usize, content: impl Fn(usize) -> String) {
        for number in 0..files {
            let path = self.place.join(directory).join(name(number));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content(number)).unwrap();
        }
    }

    /// Puts text before and behind a file's own.
    fn edit(&self, file: &str, before: &str, behind: &str) {
        let path = self.place.join(file);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{before}{text}{behind}")).unwrap();
    }
}

fn name(number: usize) -> String {
    format!("folder{}/{number}.txt", number / 100)
}

fn copy_tree(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.unwrap();
        let place = to.join(entry.path().strip_prefix(from).unwrap());
        if entry.file_type().is_dir() {
            fs::create_dir_all(place).unwrap();
        } else {
            fs::copy(entry.path(), place).unwrap();
        }
    }
}
