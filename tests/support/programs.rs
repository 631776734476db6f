//! The programs that the tests need from the system, as `tests/tools/programs.txt` lists them.

use std::process::{Command, Stdio};

use regex::Regex;

/// One line of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Program {
    /// What people call it.
    pub(crate) name: String,
    /// The oldest version that will do, where it matters.
    pub(crate) oldest: Option<String>,
    /// The commands that may start it, best first.
    pub(crate) commands: Vec<String>,
}

/// Everything on the list.
pub(crate) fn all() -> Vec<Program> {
    parse(include_str!("../tools/programs.txt"))
}

/// The command that starts `name`, or the sentence that says what to install.
pub(crate) fn require(name: &str) -> Result<String, String> {
    let program = all().into_iter().find(|program| program.name == name);
    program.unwrap_or_else(|| panic!("{name} is missing from tests/tools/programs.txt")).command(version)
}

impl Program {
    /// The first command whose version, as `version` tells it, is new enough, or the sentence.
    pub(crate) fn command(&self, version: impl Fn(&str) -> Option<String>) -> Result<String, String> {
        let mut found = None;
        for command in &self.commands {
            let Some(version) = version(command) else { continue };
            if self.oldest.as_ref().is_none_or(|oldest| number(&version) >= number(oldest)) {
                return Ok(command.clone());
            }
            found.get_or_insert(version);
        }
        Err(self.sentence(found.as_deref()))
    }

    /// What to tell somebody who has `found`; `.ci/run` says it in the same words.
    pub(crate) fn sentence(&self, found: Option<&str>) -> String {
        let oldest = self.oldest.as_ref().map(|oldest| format!(" ≥ {oldest}")).unwrap_or_default();
        format!(
            "create-app's tests need {}{oldest} (found: {}); install it from your system's packages and run `cargo test` again",
            self.name,
            found.unwrap_or("none")
        )
    }
}

/// Reads the list's text.
fn parse(text: &str) -> Vec<Program> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines.map(|line| line.split_whitespace().map(str::to_owned)).map(program).collect()
}

/// Reads one line's words.
fn program(mut words: impl Iterator<Item = String>) -> Program {
    let name = words.next().expect("a name");
    let oldest = words.next().filter(|oldest| oldest != "any");
    // Windows finds `node` as node.exe by itself; npm is a batch file there.
    let commands = words.map(|word| if cfg!(windows) && word == "npm" { "npm.cmd".into() } else { word }).collect();
    Program { name, oldest, commands }
}

/// What `command --version` tells, or nothing where it does not run.
fn version(command: &str) -> Option<String> {
    let output = Command::new(command).arg("--version").stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let version = Regex::new(r"\d+(\.\d+)+").expect("valid").find(&text)?;
    output.status.success().then(|| version.as_str().to_owned())
}

/// The major and minor number of a version.
fn number(version: &str) -> (u32, u32) {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}
