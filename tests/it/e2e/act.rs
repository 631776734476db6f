//! The workflows of an app, run by act as a runner of GitHub's runs them.

use std::path::PathBuf;
use std::process::Command;

use fs_err as fs;
use serde_json::{Value, json};

use super::github::REPOSITORY;
use super::lab::{ACME, App};
use crate::support::app::{command, packages};
use crate::support::process::{Running, run};
use crate::support::tools::{bun as bun_itself, node_tools, python_tool};

/// The stand-ins for the actions of the workflows.
const STAND_INS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/actions");

/// What starts a run of a workflow.
#[derive(Clone, Copy)]
pub(crate) struct Trigger<'a> {
    id: u64,
    event: &'a str,
    workflow: &'a str,
    inputs: &'a [&'a str],
    branch: &'a str,
    promotion: &'a str,
    checked: bool,
}

impl<'a> Trigger<'a> {
    /// A push to main, in a repository whose promotion is on.
    pub(crate) fn push(id: u64, workflow: &'a str) -> Self {
        Self { id, event: "push", workflow, inputs: &[], branch: "main", promotion: "on", checked: false }
    }

    /// *Run workflow* on main.
    pub(crate) fn click(id: u64, workflow: &'a str, inputs: &'a [&'a str]) -> Self {
        Self { event: "workflow_dispatch", inputs, ..Self::push(id, workflow) }
    }

    /// The same on another branch.
    pub(crate) fn on(self, branch: &'a str) -> Self {
        Self { branch, ..self }
    }

    /// Before the repository's variable turns promotion on.
    pub(crate) fn before_set_up(self) -> Self {
        Self { promotion: "", ..self }
    }

    /// With a real installation, type check and unit tests; other runs find their packages there, and take the checks as passed.
    pub(crate) fn checked(self) -> Self {
        Self { checked: true, ..self }
    }

    fn environment(&self) -> &'a str {
        self.inputs.iter().find_map(|input| input.strip_prefix("environment=")).unwrap_or("staging")
    }

    /// Its environment, as GitHub names it.
    fn environment_on_github(&self) -> String {
        let suffix = self.workflow.trim_end_matches(".yml").split_once('-').map(|(_, app)| format!("-{app}"));
        format!("{}{}", self.environment(), suffix.unwrap_or_default())
    }
}

/// What a run of a workflow was.
#[derive(Debug)]
pub(crate) struct Ran {
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

/// A run of a workflow that has not ended.
pub(crate) struct Begun<'app> {
    app: &'app App<'app>,
    trigger: Trigger<'app>,
    act: Running,
    /// What it runs.
    commit: String,
}

impl<'app> App<'app> {
    /// Runs a workflow to its end; who is asked for approval says yes.
    pub(crate) fn workflow(&self, trigger: &Trigger<'_>) -> Ran {
        self.approve(trigger.id);
        self.begin(trigger).finish()
    }

    /// Runs a promotion up to the job that needs a reviewer.
    pub(crate) fn workflow_to_approval<'a>(&'a self, trigger: &Trigger<'a>) -> Begun<'a> {
        let mut begun = self.begin(trigger);
        begun.act.wait_for("deploy waits for approval");
        let waiting = [trigger.environment_on_github()];
        begun.tell(json!({"status": "waiting", "waiting": waiting}));
        begun
    }

    fn approve(&self, id: u64) {
        fs::write(self.lab.file(&format!("approved-{id}")), "").expect("writable");
    }

    fn begin<'a>(&'a self, trigger: &Trigger<'a>) -> Begun<'a> {
        let folder = self.lab.file(&format!("run-{}", trigger.id));
        let origin = self.lab.file("internet/origin.git");
        let mut clone = command("git", &self.dir);
        run(clone.args(["clone", "--quiet", "--branch", trigger.branch]).arg(&origin).arg(&folder)).succeeds();
        let git = |args: &[&str]| run(command("git", &folder).args(args)).succeeds();
        git(&["remote", "set-url", "origin", &format!("https://github.com/{REPOSITORY}.git")]);
        let commit = git(&["rev-parse", "HEAD"]).trim().to_owned();
        let file = format!(".github/workflows/{}", trigger.workflow);
        let text = fs::read_to_string(folder.join(&file)).expect("a workflow");
        fs::write(folder.join(&file), for_act(&text)).expect("writable");

        let mut act = command(python_tool("act"), &folder);
        act.args([trigger.event, "--json", "-W", &file, "-P", "ubuntu-24.04=-self-hosted", "--action-offline-mode"]);
        act.args(["--no-cache-server", "--no-skip-checkout", "--artifact-server-addr", "127.0.0.1"]);
        act.arg("--action-cache-path").arg(self.lab.file("actions"));
        act.args(trigger.inputs.iter().flat_map(|input| ["--input", input]));
        for (action, commit) in pinned(&text) {
            let name = action.rsplit('/').next().expect("a name");
            act.args(["--local-repository", &format!("{action}@{commit}={STAND_INS}/{name}")]);
        }
        for name in ["PROMOTION", "PROMOTION_ONE", "PROMOTION_TWO"] {
            act.args(["--var", &format!("{name}={}", trigger.promotion)]);
        }
        let state = format!("ALCHEMY_STATE_TOKEN=state-of-{}", trigger.environment());
        for secret in [&format!("CLOUDFLARE_API_TOKEN={}", ACME.1), &state, "GITHUB_TOKEN=token-of-the-run"] {
            act.args(["-s", secret]);
        }
        for (key, value) in self.variables_of(trigger) {
            act.args(["--env", &format!("{key}={value}")]);
        }
        Begun { app: self, trigger: *trigger, act: Running::start(&mut act), commit }
    }

    /// What the steps of a run find in their environment.
    fn variables_of(&self, trigger: &Trigger<'_>) -> Vec<(String, String)> {
        let file = |name: String| self.lab.file(&name);
        let programs = if trigger.checked {
            node_tools().join("programs")
        } else {
            [STAND_INS, "setup-bun/checked"].iter().collect()
        };
        let paths: [(&str, PathBuf); 7] = [
            ("ORIGIN", file("internet/origin.git".to_owned())),
            ("PROGRAMS", programs),
            ("BUN_ITSELF", bun_itself()),
            ("PACKAGES", packages().join("node_modules")),
            ("APPROVED", file(format!("approved-{}", trigger.id))),
            ("ARTIFACTS", file(format!("artifacts-{}", trigger.id))),
            ("BUN_INSTALL_CACHE_DIR", packages().join("cache")),
        ];
        // The steps see the loopback's internet; act itself, which would look for its own updates, sees none.
        let mut step = Command::new("step");
        step.envs(paths).env("GITHUB_RUN_ID", trigger.id.to_string()).env("GITHUB_ACTOR", "owner");
        self.lab.connect(step.env("NO_PROXY", "127.0.0.1,localhost"));
        let text = |value: &std::ffi::OsStr| value.to_str().expect("UTF-8").to_owned();
        step.get_envs().filter_map(|(key, value)| Some((text(key), text(value?)))).collect()
    }
}

impl Begun<'_> {
    /// What the steps have printed.
    pub(crate) fn said(&self) -> String {
        said(&self.act.output())
    }

    /// Somebody approves: the job begins.
    pub(crate) fn approve(&self, who: &str) {
        self.tell(json!({"status": "in_progress", "approvals": [{"state": "approved", "user": {"login": who}}]}));
        self.app.approve(self.trigger.id);
    }

    /// Somebody cancels the run while a step runs this command: GitHub's runner interrupts the step and waits for its end.
    pub(crate) fn cancel(&self, command: &str) {
        self.act.signal_below(command, "INT");
    }

    /// Stops a run that GitHub has cancelled while it waited.
    pub(crate) fn stop(mut self) -> Ran {
        let runs = self.app.lab.github()["runs"].take();
        let run = runs.as_array().expect("a list").iter().find(|run| run["id"] == self.trigger.id).cloned();
        assert_eq!(run.expect("known")["status"], "cancelled");
        assert!(!self.act.has_ended());
        let output = self.act.kill();
        Ran { jobs: jobs(&output), output: said(&output) }
    }

    /// Waits for the end, and tells GitHub; a skipped or unfinished job is none that succeeded.
    pub(crate) fn finish(self) -> Ran {
        let Self { app, trigger, act, commit } = self;
        let finished = act.finish();
        let ran = Ran { jobs: jobs(&finished.output), output: said(&finished.output) };
        let failed = ran.jobs.iter().any(|(_, end)| end == "failure");
        assert!(finished.code == 0 || failed, "act: {}\n{:#?}", ran.output, ran.jobs);
        let jobs = ran.jobs.iter().map(|(name, end)| json!({"name": name, "conclusion": end}));
        let jobs: Vec<Value> = jobs.collect();
        tell(app, &trigger, &commit, json!({"jobs": jobs}));
        ran
    }

    fn tell(&self, news: Value) {
        tell(self.app, &self.trigger, &self.commit, news);
    }
}

/// Tells GitHub what became of a run.
fn tell(app: &App<'_>, trigger: &Trigger<'_>, commit: &str, mut news: Value) {
    let known = app.lab.github()["runs"].take();
    let known = known.as_array().expect("a list").iter().find(|run| run["id"] == trigger.id).cloned();
    let mut run = json!({
        "id": trigger.id, "event": trigger.event, "workflow": trigger.workflow, "head_branch": trigger.branch,
        "head_sha": commit, "approvals": known.map_or_else(|| json!([]), |run| run["approvals"].clone()),
    });
    run.as_object_mut().expect("an object").append(news.as_object_mut().expect("an object"));
    app.lab.add_run(&run);
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
