//! GitHub's side of an app: its repository, its environments, and the runs of its workflows.

use serde_json::{Value, json};

use super::lab::{ACME, App, Lab};
use crate::support::app::bun;
use crate::support::process::{Finished, run};

/// The repository that the loopback plays.
pub(crate) const REPOSITORY: &str = "acme/shop";

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
        run(command.env("GITHUB_TOKEN", "token-of-owner"))
    }

    /// The gate, as a step of the workflow runs it.
    pub(crate) fn gate(&self, args: &[&str], env: &[(&str, &str)]) -> Finished {
        let mut command = self.bun_run(&["scripts/release/cli.ts", "gate"]);
        command
            .args(args)
            .env("CI", "true")
            .env("CLOUDFLARE_API_TOKEN", ACME.1)
            .env("GITHUB_TOKEN", "token-of-the-run");
        command.env("GITHUB_REPOSITORY", REPOSITORY).env("GITHUB_REF", "refs/heads/main").env("GITHUB_RUN_ID", "50");
        run(command.envs(env.iter().copied()))
    }

    /// Somebody gives prod other rules, in GitHub's settings.
    pub(crate) fn set_rules_of_prod(&self, rules: &Value) {
        let text = format!(
            "await fetch('https://api.github.com/repos/{REPOSITORY}/environments/prod', \
             {{ method: 'PUT', headers: {{ 'content-type': 'application/json' }}, body: JSON.stringify({rules}) }})"
        );
        run(self.lab.connect(bun(&self.dir).args(["--eval", &text]))).succeeds();
    }
}
