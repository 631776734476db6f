//! GitHub's side of an app: its repository, its environments, and its workflows as a runner runs them.

use std::process::Command;

use fs_err as fs;
use serde_json::{Value, json};

use crate::lab::{ACME, App, Lab};
use crate::support::app::{command, packages};
use crate::support::process::{Finished, run};
use crate::support::tools::{node_tools, python_tool};

/// The repository that the loopback plays.
pub(crate) const REPOSITORY: &str = "acme/shop";

/// What a run of a workflow was.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) id: u64,
    /// The jobs by the names that GitHub shows, each with its conclusion.
    pub(crate) jobs: Vec<(String, String)>,
    pub(crate) output: String,
}

impl Ran {
    /// Fails the test unless every job that ran succeeded.
    #[track_caller]
    pub(crate) fn succeeds(self) -> Self {
        assert!(!self.jobs.is_empty() && self.jobs.iter().all(|(_, end)| end == "success"), "{self:#?}");
        self
    }

    /// Fails the test unless this job failed.
    #[track_caller]
    pub(crate) fn fails_in(self, job: &str) -> Self {
        assert!(self.jobs.contains(&(job.to_owned(), "failure".to_owned())), "{self:#?}");
        self
    }
}

impl Lab {
    /// What GitHub has.
    pub(crate) fn github(&self) -> Value {
        self.ask(&json!({"do": "github"}))
    }

    /// A run of a workflow that somebody else made, or a new state of one.
    pub(crate) fn add_run(&self, run: &Value) {
        let mut whole = json!({
            "workflow": "promote.yml", "event": "push", "head_branch": "main", "head_sha": "", "status": "completed",
            "head_repository": {"full_name": REPOSITORY}, "jobs": [], "waiting": [], "approvals": [],
        });
        whole.as_object_mut().expect("an object").extend(run.as_object().expect("an object").clone());
        self.ask(&json!({"do": "run", "run": whole}));
    }
}

impl App<'_> {
    /// Pushes main.
    pub(crate) fn push(&self) {
        let origin = self.lab.file("internet/origin.git");
        if !origin.exists() {
            let origin = origin.to_str().expect("UTF-8");
            self.git(&["init", "--quiet", "--bare", "--initial-branch=main", origin]);
        }
        self.git(&["push", "--quiet", origin.to_str().expect("UTF-8"), "HEAD:main"]);
    }

    /// The app's own set-up of its environments on GitHub.
    pub(crate) fn environments(&self, args: &[&str]) -> Finished {
        let mut command = self.bun_run(&[&["environments"], args].concat());
        run(command.env("GITHUB_TOKEN", "token-of-kim"))
    }

    /// The gate, as a step of the workflow runs it.
    pub(crate) fn gate(&self, args: &[&str], env: &[(&str, &str)]) -> Finished {
        let mut command = self.bun_run(&["scripts/release/main.ts", "gate"]);
        command
            .args(args)
            .env("CI", "true")
            .env("CLOUDFLARE_API_TOKEN", ACME.1)
            .env("GITHUB_TOKEN", "token-of-the-run");
        command.env("GITHUB_REPOSITORY", REPOSITORY).env("GITHUB_REF", "refs/heads/main").env("GITHUB_RUN_ID", "50");
        run(command.envs(env.iter().copied()))
    }

    /// Runs a workflow of main, as GitHub would after `event`, up to a job and those that it needs, and reports the run.
    pub(crate) fn workflow(&self, id: u64, event: &str, workflow: &str, until: Option<&str>, inputs: &[&str]) -> Ran {
        self.workflow_with("on", id, event, workflow, until, inputs)
    }

    /// The same, where the repository's variable that turns promotion on may have another value.
    pub(crate) fn workflow_with(
        &self,
        promotion: &str,
        id: u64,
        event: &str,
        workflow: &str,
        until: Option<&str>,
        inputs: &[&str],
    ) -> Ran {
        let environment = inputs.iter().find_map(|input| input.strip_prefix("environment=")).unwrap_or("staging");
        let folder = self.lab.file(&format!("run-{id}-{}", until.unwrap_or("whole")));
        let origin = self.lab.file("internet/origin.git");
        run(command("git", &self.dir).args(["clone", "--quiet"]).arg(&origin).arg(&folder)).succeeds();
        run(command("git", &folder).args([
            "remote",
            "set-url",
            "origin",
            &format!("https://github.com/{REPOSITORY}.git"),
        ]))
        .succeeds();
        let file = format!(".github/workflows/{workflow}");
        let text = fs::read_to_string(folder.join(&file)).expect("a workflow");
        fs::write(folder.join(&file), for_act(&text)).expect("writable");

        let mut act = command(python_tool("act"), &folder);
        act.args([event, "--json", "-W", &file, "-P", "ubuntu-24.04=-self-hosted", "--action-offline-mode"]);
        act.args(["--no-cache-server", "--no-skip-checkout", "--artifact-server-addr", "127.0.0.1"]);
        act.arg("--action-cache-path").arg(self.lab.file("actions"));
        act.args(until.iter().flat_map(|job| ["-j", job])).args(inputs.iter().flat_map(|input| ["--input", input]));
        for (action, commit) in pinned(&text) {
            let stand_in = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/actions");
            let name = action.rsplit('/').next().expect("a name");
            act.args(["--local-repository", &format!("{action}@{commit}={stand_in}/{name}")]);
        }
        for name in ["PROMOTION", "PROMOTION_ONE", "PROMOTION_TWO"] {
            act.args(["--var", &format!("{name}={promotion}")]);
        }
        let state = format!("ALCHEMY_STATE_TOKEN=state-of-{environment}");
        for secret in [&format!("CLOUDFLARE_API_TOKEN={}", ACME.1), &state, "GITHUB_TOKEN=token-of-the-run"] {
            act.args(["-s", secret]);
        }
        let artifacts = self.lab.file(&format!("artifacts-{id}"));
        let mut variables = vec![
            ("ORIGIN".to_owned(), origin.into_os_string()),
            ("PROGRAMS".to_owned(), node_tools().join("programs").into_os_string()),
            ("ARTIFACTS".to_owned(), artifacts.into_os_string()),
            ("BUN_INSTALL_CACHE_DIR".to_owned(), packages().join("cache").into_os_string()),
            ("GITHUB_RUN_ID".to_owned(), id.to_string().into()),
            ("GITHUB_ACTOR".to_owned(), "kim".into()),
        ];
        // The steps see the loopback's internet; act itself, which would look for its own updates, sees none.
        let mut step = Command::new("step");
        self.lab.connect(step.env("NO_PROXY", "127.0.0.1,localhost"));
        let given = step.get_envs().filter_map(|(key, value)| Some((key.to_str()?.to_owned(), value?.to_owned())));
        variables.extend(given);
        for (key, value) in variables {
            act.args(["--env", &format!("{key}={}", value.to_str().expect("UTF-8"))]);
        }
        let finished = run(&mut act);
        let ran = Ran { id, jobs: jobs(&finished.output), output: said(&finished.output) };
        assert!(
            finished.code == 0 || ran.jobs.iter().any(|(_, end)| end == "failure"),
            "act: {}\n{:#?}",
            ran.output,
            ran.jobs
        );
        self.report(&ran, event, workflow);
        ran
    }

    /// Tells GitHub what became of a run; a skipped or unfinished job is none that succeeded.
    fn report(&self, ran: &Ran, event: &str, workflow: &str) {
        let known = self.lab.github()["runs"].take();
        let approvals = known.as_array().expect("a list").iter().find(|run| run["id"] == ran.id);
        let approvals = approvals.map_or_else(|| json!([]), |run| run["approvals"].clone());
        let jobs: Vec<Value> =
            ran.jobs.iter().map(|(name, conclusion)| json!({"name": name, "conclusion": conclusion})).collect();
        let head = self.git(&["rev-parse", "HEAD"]);
        self.lab.add_run(&json!({
            "id": ran.id, "event": event, "workflow": workflow, "head_sha": head, "jobs": jobs, "approvals": approvals,
        }));
    }
}

/// A workflow without the two keys that act does not know.
fn for_act(text: &str) -> String {
    let known = |line: &&str| !line.trim_start().starts_with("deployment: false") && line.trim() != "queue: max";
    text.lines().filter(known).fold(String::new(), |text, line| text + line + "\n")
}

/// The actions that a workflow uses, with their commits.
fn pinned(text: &str) -> Vec<(String, String)> {
    let uses = text.lines().filter_map(|line| line.trim_start_matches([' ', '-']).strip_prefix("uses: "));
    let mut found: Vec<_> = uses
        .filter_map(|action| action.split_whitespace().next()?.split_once('@'))
        .map(|(action, commit)| (action.to_owned(), commit.to_owned()))
        .collect();
    found.sort();
    found.dedup();
    found
}

/// The jobs that ended, by act's report.
fn jobs(output: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for line in output.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        if let (Some(result), Some(job)) = (line["jobResult"].as_str(), line["job"].as_str()) {
            let name = job.split_once('/').map_or(job, |(_, name)| name).trim().to_owned();
            found.push((name, result.to_owned()));
        }
    }
    found
}

/// What the steps printed.
fn said(output: &str) -> String {
    let lines = output.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter_map(|line| Some(line["msg"].as_str()?.trim_end().to_owned() + "\n")).collect()
}
