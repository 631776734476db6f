//! Whole processes, timed in pairs in one run: `cargo bench`.
//!
//! Each row times create-app and a command that moves the same bytes, in turn, so that a machine whose speed drifts slows
//! both. It prints what it measures and judges nothing. Everything happens below `/dev/shm` where there is one, because a
//! disk's noise hides the rest.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark is for reading, at a terminal")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use fs_err as fs;

/// A template of many files, with a tag in each.
const FILES: usize = 5_000;
/// Bytes of one of them.
const FILE_SIZE: usize = 4_000;

fn main() {
    // `cargo test --benches` runs this, too, and only wants to know that it works.
    let runs = if std::env::args().any(|argument| argument == "--bench") { 20 } else { 1 };
    let memory = Path::new("/dev/shm");
    let parent = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
    let place = tempfile::tempdir_in(parent).unwrap();
    let bench = Bench { place: place.path().to_path_buf(), runs };

    println!("{:<42}{:>12}{:>12}{:>9}{:>10}", "medians of pairs", "create-app", "other", "ratio", "spread");
    bench.row("--version, against `git --version`", &["--version"], &["git", "--version"]);
    bench.embedded();
    bench.many_files();
}

struct Bench {
    place: PathBuf,
    runs: usize,
}

impl Bench {
    fn embedded(&self) {
        self.create_app(&["new", "model", "--silent", "--vcs", "none"]);
        self.row(
            "new, embedded template, against `cp -r`",
            &["new", "out", "--silent", "--vcs", "none"],
            &["cp", "-r", "model", "out"],
        );
    }

    fn many_files(&self) {
        let template = self.place.join("template");
        let text = "The quick brown fox jumps over the lazy dog, and the dog does not mind.\n".repeat(FILE_SIZE / 72);
        for number in 0..FILES {
            let folder = template.join(format!("folder{}", number / 100));
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(format!("{number}.txt")), format!("{{{{project-name}}}} {number}\n{text}")).unwrap();
        }
        let new = ["new", "out", "--path", "template", "--silent", "--vcs", "none"];
        self.row("new, 5,000 files of 20 MB, against `cp -r`", &new, &["cp", "-r", "template", "out"]);
    }

    /// Times both commands in turn and prints a row.
    fn row(&self, title: &str, ours: &[&str], other: &[&str]) {
        let mut pairs = Vec::new();
        for round in 0..=self.runs {
            let ours = self.time(Command::new(env!("CARGO_BIN_EXE_create-app")).args(ours));
            let other = self.time(Command::new(other[0]).args(&other[1..]));
            // The first round fills the caches.
            if round > 0 {
                pairs.push((ours, other));
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
        println!("{title:<42}{ours:>9.2} ms{other:>9.2} ms{middle:>9.2}{:>10}", format!("{low:.1}–{high:.1}"));
    }

    fn time(&self, command: &mut Command) -> Duration {
        let out = self.place.join("out");
        if out.exists() {
            fs::remove_dir_all(&out).unwrap();
        }
        command.current_dir(&self.place).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let start = Instant::now();
        let status = command.status().unwrap();
        let elapsed = start.elapsed();
        assert!(status.success(), "{command:?}: {status}");
        elapsed
    }

    fn create_app(&self, arguments: &[&str]) {
        self.time(Command::new(env!("CARGO_BIN_EXE_create-app")).args(arguments));
    }
}
