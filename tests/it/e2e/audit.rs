//! What people can read afterwards: who released what, when, why, and what it looked like.

use fs_err as fs;
use serde_json::{Value, json};

use super::act::Trigger;
use super::lab::{App, Lab, short};
use super::promotion::published;
use super::release::FLAKY;

const PROD: &str = "promotion-test-api-prod";

/// A deployment record as a page shows it: commit, task, environment and states, and where they lead.
fn shown(record: &Value) -> Value {
    let statuses = record["statuses"].as_array().expect("a list");
    json!({
        "ref": record["ref"], "task": record["task"], "environment": record["environment"],
        "production": record["production_environment"],
        "states": statuses.iter().map(|status| status["state"].clone()).collect::<Vec<_>>(),
        "url": statuses[0]["environment_url"], "log": statuses[0]["log_url"],
    })
}

#[test]
fn releases_and_rollbacks_leave_a_trail() {
    let lab = Lab::start();
    let mut app = published(&lab, &[]);
    let zero = app.commits[1].clone();
    app.release("prod").succeeds();
    let one = app.commit("Second");
    app.push();
    app.release("prod").succeeds();
    assert_eq!(lab.github()["deployments"], json!([]), "a laptop without a token writes no record");

    // Staging has verified two more commits; the second of them is broken all the same.
    app.edit("src/api.ts", "Hello from", "Hi from");
    let two = verified_in_staging(&mut app, "promote.yml", 41, "Say hi");
    let run = |app: &App<'_>, id: u64, workflow: &str, inputs: &[&str]| {
        lab.add_run(&json!({"id": id, "approvals": [{"state": "approved", "user": {"login": "robin"}}]}));
        app.workflow(&Trigger::click(id, workflow, inputs))
    };
    let promoted = run(&app, 42, "promote.yml", &["environment=prod", &format!("commit={two}")]).succeeds();
    let said = &promoted.output;
    assert!(said.contains(&format!("### prod ← `{}`", short(&two))), "{said}");
    assert!(said.contains(&format!("Live now: `{}`", short(&one))), "{said}");
    assert!(said.contains(&format!("- {} Say hi", short(&two))), "{said}");
    assert!(said.contains("Approved by robin."), "{said}");
    assert!(said.contains(&format!("| `{}` | before the switch: passed | 20 | 0 |", short(&two))), "{said}");
    assert!(said.contains(&format!("prod runs `{}`: https://example.com", short(&two))), "{said}");
    let report = |id: u64, path: &str| -> Value {
        let text = fs::read_to_string(lab.file(&format!("artifacts-{id}")).join(path)).expect("kept");
        serde_json::from_str(&text).expect("JSON")
    };
    for stage in ["before-the-switch", "live"] {
        let report = report(42, &format!("release-prod-1/prod-{stage}.json"));
        assert_eq!((&report["passed"], &report["commit"]), (&json!(true), &json!(two)));
    }

    app.edit("src/api.ts", FLAKY.0, FLAKY.1);
    let three = verified_in_staging(&mut app, "promote.yml", 43, "Break it");
    let job = format!("Deploy {} to prod", short(&three));
    let failed = run(&app, 44, "promote.yml", &["environment=prod", &format!("commit={three}")]).fails_in(&job);
    assert!(failed.output.contains("Users never met the new release"), "{}", failed.output);
    assert_eq!(lab.live(PROD), format!("{} 100", short(&two)));
    assert_eq!(report(44, "release-prod-1/prod-before-the-switch.json")["passed"], false);

    // One click back, which ends the promotions that wait.
    lab.add_run(&json!({"id": 40, "status": "waiting", "waiting": ["prod"], "event": "workflow_dispatch"}));
    let inputs = ["environment=prod", "version=previous", "force=false"];
    let back = run(&app, 45, "rollback.yml", &inputs).succeeds();
    assert!(back.output.contains("Run 40, which waited for approval, was cancelled"), "{}", back.output);
    assert!(back.output.contains("(rollback)"), "{}", back.output);
    assert_eq!(lab.live(PROD), format!("{} 100", short(&one)));
    assert_eq!(report(45, "rollback-prod-1/prod-live.json")["commit"], one);

    // And once more: further back, not forward to the one that was bad.
    run(&app, 46, "rollback.yml", &inputs).succeeds();
    assert_eq!(lab.live(PROD), format!("{} 100", short(&zero)));

    let records = lab.github()["deployments"].take();
    let records: Vec<Value> = records.as_array().expect("a list").iter().map(shown).collect();
    let record = |commit: &str, task: &str, end: &str, id: u64| {
        json!({
            "ref": commit, "task": task, "environment": "prod", "production": true, "states": ["in_progress", end],
            "url": "https://example.com", "log": format!("https://github.com/acme/shop/actions/runs/{id}"),
        })
    };
    let expected = [
        record(&two, "deploy", "success", 42),
        record(&three, "deploy", "failure", 44),
        record(&one, "rollback", "success", 45),
        record(&zero, "rollback", "success", 46),
    ];
    assert_eq!(records, expected);
}

/// Commits, pushes, and has the job on GitHub that says that staging passed.
pub(crate) fn verified_in_staging(app: &mut App<'_>, workflow: &str, id: u64, message: &str) -> String {
    let commit = app.commit(message);
    app.push();
    let job = format!("Deploy {} to staging", short(&commit));
    app.lab.add_run(
        &json!({"id": id, "workflow": workflow, "head_sha": commit, "jobs": [{"name": job, "conclusion": "success"}]}),
    );
    commit
}
