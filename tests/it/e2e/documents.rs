//! The documents of an app: every command in them runs, in their order, as an owner would who follows them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use fs_err as fs;
use regex::Regex;
use serde_json::{Value, json};

use super::act::Trigger;
use super::github::REPOSITORY;
use super::lab::{ACME, App, Lab};
use crate::support::app::{bun, command, create, install, path};
use crate::support::process::{Running, run};

/// In the order in which an owner needs them.
const DOCUMENTS: [&str; 4] = ["QUICK_START.md", "COMMANDS.md", "docs/PROMOTION.md", "README.md"];

/// What only a person can do, and why.
const BY_A_PERSON: [(&str, &str); 2] = [
    ("bun run alchemy login", "it asks for consent in a browser"),
    ("gh auth token", "it needs somebody who has signed in; `bun run environments` runs it"),
];

/// What begins a command, besides a path.
const PROGRAMS: [&str; 8] = ["alchemy", "bun", "cd", "cp", "create-app", "export", "gh", "git"];

/// Commands that belong together: what one of them sets is there for the next.
type Block = Vec<String>;

#[test]
fn every_command_of_the_documents_runs() {
    let lab = Lab::start();
    let dir = create(&lab.file(""), "promotion-test", &["domain=example.com", "with_kv=true"]);
    let origin = format!("git remote add origin git@github.com:{REPOSITORY}.git");
    let ran = Walk::begin(&lab, dir, "").finish();
    assert!(ran.contains(&origin), "{ran:#?}");

    // Other answers change no command of an app that has a repository for itself.
    for answers in [&[] as &[&str], &["domain=example.org"], &["github_repository=acme/shop"]] {
        let folder = lab.file(&format!("other-{}", answers.len() + answers.concat().len()));
        fs::create_dir(&folder).expect("writable");
        let other = create(&folder, "promotion-test", answers);
        let commands = DOCUMENTS.iter().flat_map(|document| blocks(&other.join(document))).flatten();
        for command in commands.map(|command| named(&command)) {
            assert!(ran.contains(&command) || is_by_a_person(&command), "{answers:?}: nobody ran {command:?}");
        }
    }
}

#[test]
fn every_command_of_the_documents_runs_in_a_folder_of_a_repository() {
    let lab = Lab::start();
    let repository = lab.file("repository");
    fs::create_dir(&repository).expect("writable");
    run(command("git", &repository).args(["init", "--quiet"])).succeeds();
    run(command("git", &repository).args(["remote", "add", "origin", &format!("git@github.com:{REPOSITORY}.git")]))
        .succeeds();
    let dir = create(&repository, "apps/shop", &[]);
    Walk::begin(&lab, dir, "-shop").finish();
}

/// An owner on their way through the documents.
struct Walk<'lab> {
    app: App<'lab>,
    suffix: &'static str,
    /// Where they are, and what they have exported.
    folder: PathBuf,
    exported: Vec<(String, String)>,
    /// What they did, with the names filled in.
    ran: BTreeSet<String>,
    runs: u64,
}

impl<'lab> Walk<'lab> {
    /// Takes the first steps, which are not commands: accounts and their tokens.
    fn begin(lab: &'lab Lab, dir: PathBuf, suffix: &'static str) -> Self {
        let app = App { lab, dir, commits: Vec::new() };
        let config = fs::read_to_string(app.dir.join("alchemy.config.ts")).expect("readable");
        let account = format!("      account: \"{}\",\n", ACME.0);
        let config = if config.contains("staging: {}") {
            config
                .replace("staging: {}", &format!("staging: {{\n{account}    }}"))
                .replace("prod: {}", &format!("prod: {{\n{account}    }}"))
        } else {
            config.replace("      domain: ", &format!("{account}      domain: "))
        };
        fs::write(app.dir.join("alchemy.config.ts"), config).expect("writable");
        let origin = lab.file("internet/origin.git");
        run(command("git", &app.dir).args(["init", "--quiet", "--bare", "--initial-branch=main"]).arg(origin))
            .succeeds();
        let programs = lab.file("programs");
        fs::create_dir(&programs).expect("writable");
        fs_err::os::unix::fs::symlink(env!("CARGO_BIN_EXE_create-app"), programs.join("create-app")).expect("writable");
        let folder = app.dir.clone();
        Self { app, suffix, folder, exported: Vec::new(), ran: BTreeSet::new(), runs: 70 }
    }

    fn finish(mut self) -> BTreeSet<String> {
        for document in DOCUMENTS {
            for block in blocks(&self.app.dir.join(document)) {
                self.follow(document, &block);
            }
        }
        self.ran
    }

    #[allow(clippy::print_stderr, reason = "a failed test shows how far it came")]
    fn follow(&mut self, document: &str, block: &Block) {
        for text in block {
            let text = named(text);
            let again = !self.ran.insert(text.clone());
            // A command that is mentioned in a sentence, and was run before, says nothing new.
            if is_by_a_person(&text) || again && block.len() == 1 {
                continue;
            }
            eprintln!("{document}: {text}");
            self.prepare(&text);
            self.perform(&text);
        }
        self.folder.clone_from(&self.app.dir);
        self.exported.clear();
    }

    /// Brings about what a command takes for granted.
    fn prepare(&mut self, text: &str) {
        if text == "bun install" {
            // From the cache: no test needs the registry.
            install(&self.app.dir);
        } else if text == "bun run deploy" {
            let text = format!("CLOUDFLARE_API_TOKEN={}\nCLOUDFLARE_ACCOUNT_ID={}\n", ACME.1, ACME.0);
            fs::write(self.app.dir.join(".env"), text).expect("writable");
        } else if text.starts_with("bun run release prod") {
            self.app.variables("staging", ACME.1);
            self.app.variables("prod", ACME.1);
            self.app.commit("From a laptop");
            // As after a push to GitHub itself.
            self.app.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
            run(&mut self.app.bun_run(&["release", "staging"])).succeeds();
        } else if text.contains("-f environment=staging") && text.contains("promote") {
            // What prod went back from is not promoted again.
            self.push("Something new");
        } else if text.contains("rollback") {
            let environment = if text.contains("staging") { "staging" } else { "prod" };
            self.have_releases(environment, if text.contains("latest-2") { 3 } else { 2 });
        } else if text.contains("commit=") {
            let commit = self.push("Verified in staging");
            let job = format!("Deploy {} to staging", super::lab::short(&commit));
            let workflow = format!("promote{}.yml", self.suffix);
            let jobs = json!([{"name": job, "conclusion": "success"}]);
            self.app.lab.add_run(&json!({"id": 60, "workflow": workflow, "head_sha": commit, "jobs": jobs}));
        }
    }

    /// Has an environment's first releases live one after the other, whatever was there since.
    fn have_releases(&mut self, environment: &str, count: usize) {
        let worker = self.worker(environment);
        self.app.variables(environment, ACME.1);
        while self.releases(&worker).len() < count {
            self.push("Another release");
            run(&mut self.app.alchemy(&["deploy", "--profile", environment])).succeeds();
        }
        let versions = self.releases(&worker).into_iter().map(|(version, _)| version).take(count);
        let versions: Vec<String> = versions.collect();
        // Cloudflare lists ten deployments: what was before is out of sight.
        for version in std::iter::repeat_n(&versions[0], 10).chain(&versions).skip(count) {
            let versions = json!([{"version_id": version, "percentage": 100}]);
            self.app.lab.ask(&json!({"do": "switch", "worker": worker, "versions": versions}));
        }
    }

    fn worker(&self, environment: &str) -> String {
        let name = self.app.dir.file_name().expect("a name").to_string_lossy().into_owned();
        format!("{name}-api-{environment}")
    }

    /// The first version of each commit of a Worker with that commit, oldest first.
    fn releases(&self, worker: &str) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let worker = self.app.lab.worker(worker);
        let versions = worker["versions"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut known = BTreeSet::new();
        let versions = versions.iter().rev().map(|version| (text(&version["id"]), text(&version["commit"])));
        versions.filter(|(_, commit)| known.insert(commit.clone())).collect()
    }

    fn push(&mut self, message: &str) -> String {
        let commit = self.app.commit(message);
        self.app.push();
        commit
    }

    fn perform(&mut self, text: &str) {
        let filled = self.filled(text);
        let words: Vec<&str> = filled.split_whitespace().collect();
        match words.as_slice() {
            ["export", variable] => {
                let (name, value) = variable.split_once('=').expect("a value");
                self.exported.push((name.to_owned(), value.to_owned()));
            }
            ["cd", folder] => self.folder = self.folder.join(folder),
            ["bun", "run", "dev"] => self.serve(),
            ["gh", "workflow", "run", workflow, inputs @ ..] => {
                let inputs: Vec<&str> = inputs.iter().copied().filter(|word| *word != "-f").collect();
                self.runs += 1;
                self.app.workflow(&Trigger::click(self.runs, workflow, &inputs)).succeeds();
            }
            ["gh", "api", path] => self.api(path),
            ["create-app", "upgrade", ..] if text.contains("gh pr create") => self.upgrade_weekly(&filled),
            _ => drop(self.shell(&self.folder, &filled)),
        }
        if text == "cp .env.example .env.staging" {
            self.app.variables("staging", ACME.1);
        }
    }

    /// A command with what its owner would write for the examples.
    fn filled(&self, text: &str) -> String {
        let releases = self.releases(&self.worker("prod"));
        let commit = match self.app.commits.last() {
            Some(newest) if text.contains("commit=") => newest.clone(),
            _ => releases.first().map(|(_, commit)| commit.clone()).unwrap_or_default(),
        };
        let version = releases.get(1).map(|(version, _)| version.as_str()).unwrap_or_default();
        let text = text.replace("abc1234", commit.get(..7).unwrap_or_default()).replace("<version id>", version);
        let text = text.replace("NAME", "robin").replace('…', ACME.1);
        match text.split_once("environments ").map(|(_, command)| command.split(' ').next().unwrap_or_default()) {
            // Nobody is at a terminal to say yes.
            Some("apply") => text + " --yes",
            _ => text,
        }
    }

    #[track_caller]
    fn shell(&self, folder: &Path, text: &str) -> String {
        let mut shell = command("bash", folder);
        shell.args(["-e", "-c", text]);
        let origin = self.app.lab.file("internet/origin.git");
        shell.env("GIT_CONFIG_COUNT", "1").env("GIT_CONFIG_VALUE_0", format!("git@github.com:{REPOSITORY}.git"));
        shell.env("GIT_CONFIG_KEY_0", format!("url.{}.pushInsteadOf", origin.display()));
        let own = [self.app.lab.file("programs"), self.app.dir.join("node_modules/.bin")];
        shell.env("PATH", path(&own)).env("GITHUB_TOKEN", "token-of-owner");
        shell.env("STAGING_CLOUDFLARE_API_TOKEN", ACME.1).env("PROD_CLOUDFLARE_API_TOKEN", ACME.1);
        shell.envs(self.exported.iter().cloned());
        run(self.app.lab.connect(&mut shell)).succeeds()
    }

    fn serve(&self) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("bound").port();
        drop(listener);
        let mut dev = bun(&self.app.dir);
        Running::start(dev.args(["run", "dev"]).env("PORT", port.to_string())).wait_for(&format!("localhost:{port}"));
    }

    /// What GitHub answers, as `gh api` prints it.
    fn api(&self, path: &str) {
        let path = path.trim_matches('"').replace("{owner}/{repo}", REPOSITORY);
        let text = format!(
            "const r = await fetch('https://api.github.com/{path}', {{ headers: {{ authorization: 'Bearer owner' }} }}); \
             console.log(await r.text()); process.exit(r.ok ? 0 : 1)"
        );
        let mut command = bun(&self.app.dir);
        let output = run(self.app.lab.connect(command.args(["--eval", &text]))).succeeds();
        let records: Vec<Value> = serde_json::from_str(&output).expect("a list");
        assert!(!records.is_empty() && records.iter().all(|record| record["sha"].is_string()), "{output}");
    }

    /// The weekly job: nothing new, something new, and something new while the pull request is open.
    fn upgrade_weekly(&self, script: &str) {
        let lab = self.app.lab;
        let (clone, template) = (lab.file("clone"), lab.file("template"));
        let calls = lab.file("gh-calls");
        let gh = format!(
            "#!/bin/sh\necho \"$*\" >>{0}\ntest \"$2\" = view || test \"$(grep -c create {0})\" = 1\n",
            calls.display()
        );
        let program = lab.file("programs/gh");
        fs::write(&program, gh).expect("writable");
        fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("ours");
        let begin = || {
            drop(fs::remove_dir_all(&clone));
            run(command("git", &lab.file(""))
                .args(["clone", "--quiet"])
                .args([lab.file("internet/origin.git"), clone.clone()]))
            .succeeds();
        };
        begin();
        self.shell(&clone, script);
        assert!(!calls.exists(), "nothing to do");

        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("template");
        run(command("cp", &lab.file("")).arg("-R").args([&source, &template])).succeeds();
        let app = script.lines().next().and_then(|line| line.split_whitespace().nth(2)).expect("a folder");
        self.shell(
            &clone,
            &format!(
                "create-app upgrade {app} --path {} && git commit --all --message Path && git push origin main",
                template.display()
            ),
        );
        let readme = fs::read_to_string(template.join(".gitignore")).expect("readable");
        fs::write(template.join(".gitignore"), format!("{readme}/new\n")).expect("writable");
        for expected in ["pr create --fill --head template\n", "pr create --fill --head template\npr view template\n"] {
            begin();
            self.shell(&clone, script);
            let said = fs::read_to_string(&calls).expect("called");
            assert!(said.ends_with(expected), "{said}");
            let subject = run(command("git", &clone).args(["log", "-1", "--format=%s", "origin/template"])).succeeds();
            assert_eq!(subject, "Upgrade the template\n");
        }
    }
}

fn is_by_a_person(text: &str) -> bool {
    BY_A_PERSON.iter().any(|(command, _)| *command == text)
}

/// A command for this repository.
fn named(text: &str) -> String {
    text.replace("OWNER/NAME", REPOSITORY)
}

/// The commands of a document: what is in its shell blocks, the scripts of its workflows, and code in its sentences that is
/// a command.
#[track_caller]
fn blocks(document: &Path) -> Vec<Block> {
    let text = fs::read_to_string(document).expect("readable");
    let code = Regex::new("`([^`]+)`").expect("a pattern");
    let mut found = Vec::new();
    for (at, part) in Regex::new("(?m)^ *```").expect("a pattern").split(&text).enumerate() {
        let (language, body) = part.split_once('\n').unwrap_or(("", part));
        match language {
            _ if at % 2 == 0 => {
                let sentence = part.replace('\n', " ");
                let spans =
                    code.captures_iter(&sentence).map(|span| span[1].split_whitespace().collect::<Vec<_>>().join(" "));
                found.extend(spans.filter(|span| is_command(span)).map(|span| vec![span]));
            }
            "sh" => found.push(body.lines().map(without_comment).filter(|line| !line.is_empty()).collect()),
            "yaml" => found.extend(script(body).map(|script| vec![script])),
            _ => {}
        }
    }
    for line in found.iter().flatten() {
        assert!(is_command(line), "{}: no program: {line}", document.display());
    }
    found
}

fn without_comment(line: &str) -> String {
    let line = line.split_once(" #").map_or(line, |(line, _)| line);
    line.trim().to_owned()
}

/// The script of the step that has several lines.
fn script(workflow: &str) -> Option<String> {
    let (_, rest) = workflow.split_once("- run: |\n")?;
    let indent = rest.len() - rest.trim_start().len();
    let lines = rest.lines().take_while(|line| line.len() - line.trim_start().len() >= indent);
    Some(lines.map(str::trim).collect::<Vec<_>>().join("\n"))
}

/// Whether code in a sentence is a command, and not a name.
fn is_command(text: &str) -> bool {
    let mut words = text.split_whitespace().skip_while(|word| word.contains('=') && !word.starts_with('-'));
    let first = words.next().unwrap_or_default();
    first.starts_with("./") || PROGRAMS.contains(&first) && words.next().is_some()
}
