//! Programs that leave a trace if anybody runs them, and a configuration of git's that names them wherever it can.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use fs_err as fs;

use crate::support::place::Place;

/// Gives every file the drivers that the list has programs for.
pub(crate) const ATTRIBUTES: &str = "* filter=evil diff=evil merge=evil\n";

/// What git runs by itself: githooks(5).
const HOOKS: &[&str] = &[
    "applypatch-msg",
    "commit-msg",
    "fsmonitor-watchman",
    "post-applypatch",
    "post-checkout",
    "post-commit",
    "post-index-change",
    "post-merge",
    "post-receive",
    "post-rewrite",
    "post-update",
    "pre-applypatch",
    "pre-auto-gc",
    "pre-commit",
    "pre-merge-commit",
    "pre-push",
    "pre-rebase",
    "pre-receive",
    "prepare-commit-msg",
    "proc-receive",
    "push-to-checkout",
    "reference-transaction",
    "sendemail-validate",
    "update",
];

/// The keys of the list, each with its value.
pub(crate) fn keys() -> Vec<(String, String)> {
    let lines =
        include_str!("../../git/programs.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let pairs = lines.map(|line| line.split_once(" = ").unwrap()).flat_map(|(key, value)| {
        let words = match key {
            "alias.*" | "alias.*.command" | "pager.<cmd>" => {
                &["status", "ls-files", "var", "config", "check-ignore", "hash-object", "update-index", "diff"][..]
            }
            _ => &["evil"],
        };
        let placed = |word: &&str| {
            let start = key.find(['<', '*']).unwrap_or(key.len());
            let end = key.find(['>', '*']).map_or(key.len(), |at| at + 1);
            let word = match key {
                "credential.<url>.helper" => "http://127.0.0.1",
                "includeIf.<condition>.path" => "gitdir:**",
                "url.<base>.insteadOf" | "url.<base>.pushInsteadOf" => "ext::%",
                "gpg.<format>.program" => "ssh",
                _ => word,
            };
            let middle = if start < key.len() { word } else { "" };
            (format!("{}{middle}{}", &key[..start], &key[end..]), value.to_owned())
        };
        words.iter().map(placed).collect::<Vec<_>>()
    });
    pairs.collect()
}

/// Traps in a repository.
pub(crate) struct Traces {
    programs: PathBuf,
}

impl Traces {
    /// Makes the programs, and one for each hook of the repository in this directory.
    pub(crate) fn lay(place: &Place, git_directory: &str) -> Self {
        let traces = Self { programs: place.path("programs") };
        fs::create_dir_all(&traces.programs).unwrap();
        for hook in HOOKS {
            for directory in
                [place.path("template/hooks"), place.path("hooks"), place.path(git_directory).join("hooks")]
            {
                fs::create_dir_all(&directory).unwrap();
                traces.write(&directory.join(hook), hook);
            }
        }
        place.write("attributes", ATTRIBUTES);
        place.write("empty", "");
        traces
    }

    /// A program that leaves a trace with this name.
    pub(crate) fn program(&self, name: &str) -> String {
        let file = name.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        let path = self.programs.join(file);
        self.write(&path, name);
        path.display().to_string()
    }

    fn write(&self, path: &std::path::Path, name: &str) {
        let trace = self.programs.join("trace");
        let script = format!("#!/bin/sh\necho '{name}' >>'{}'\n", trace.display());
        drop(fs::remove_file(path));
        fs::write(path, script).unwrap();
        fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Adds all keys to a configuration.
    pub(crate) fn configure(&self, place: &Place, file: &str) {
        // These would send git to another place, and so past the traps.
        let leads_away = |key: &str| key.starts_with("include") || key == "submodule.recurse";
        for key in keys().iter().filter(|(key, _)| !leads_away(key)) {
            self.configure_one(place, file, key);
        }
    }

    /// Adds one key.
    pub(crate) fn configure_one(&self, place: &Place, file: &str, (key, value): &(String, String)) {
        let program = self.program(key);
        let path = |name: &str| place.path(name).display().to_string();
        let value = match value.as_str() {
            "HOOKS" => path("hooks"),
            "TEMPLATE" => path("template"),
            "ATTRIBUTES" => path("attributes"),
            "EMPTY" => path("empty"),
            "TRACE" => path("programs/trace"),
            value => value.replace('%', &program),
        };
        place.git("", &["config", "--file", file, "--add", &key.replace('%', &program), &value]);
    }

    /// The traces that were left.
    pub(crate) fn left(&self) -> String {
        fs::read_to_string(self.programs.join("trace")).unwrap_or_default()
    }
}
