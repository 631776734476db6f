//! The promotion from staging to prod, as the workflows do it.

use fs_err as fs;
use serde_json::{Value, json};

use super::act::Trigger;
use super::lab::{App, Lab, short};
use super::release::FLAKY;
use super::rollback::ledger;
use crate::support::process::run;

const PROD: &str = "promotion-test-api-prod";

/// An app in acme/shop, pushed, with its environments set up by its own command.
pub(crate) fn published<'lab>(lab: &'lab Lab, answers: &[&str]) -> App<'lab> {
    let answers = [&["github_repository=acme/shop"], answers].concat();
    let app = App::on_one_account(lab, "promotion-test", &answers);
    app.push();
    app.environments(&["apply", "--yes", "--reviewer", "robin"]).succeeds();
    app
}

#[test]
fn mission_section_6() {
    let lab = Lab::start();

    // Create test app
    let mut app = published(&lab, &[]);
    let one = app.commits[1].clone();

    // Deploy to staging: `alchemy deploy --profile staging`
    run(&mut app.alchemy(&["deploy", "--profile", "staging"])).succeeds();

    // Verify staging deployment; the push to main has done both, too, and is the proof that prod asks for
    let (status, health) = lab.visit("https://staging.example.com/health");
    assert_eq!((status, &health["version"], &health["environment"]), (200, &json!(one), &json!("staging")));
    let staged = app.workflow(&Trigger::push(11, "promote.yml").checked()).succeeds();
    assert!(staged.jobs.iter().any(|(name, _)| *name == format!("Deploy {} to staging", short(&one))), "{staged:#?}");

    // Trigger promotion workflow: it chooses what staging runs, checks it, and waits
    let inputs = ["environment=prod", "commit="];
    let waiting = app.workflow_to_approval(&Trigger::click(12, "promote.yml", &inputs).checked());
    assert!(waiting.said().contains(&format!("### prod ← `{}`", short(&one))), "{}", waiting.said());
    assert_eq!(lab.worker(PROD), Value::Null, "nothing happens before the approval");

    // Approve in GitHub UI
    waiting.approve("robin");
    let promoted = waiting.finish().succeeds();

    // Verify production deployment
    let (status, health) = lab.visit("https://example.com/health");
    assert_eq!((status, &health["version"], &health["environment"]), (200, &json!(one), &json!("prod")));
    assert!(promoted.output.contains("live: passed"), "{}", promoted.output);

    // Test rollback: `./scripts/rollback.sh prod`, once there is a second release to leave, which came the same way
    app.edit("src/api.ts", "Hello from", "Hi from");
    let two = app.commit("Say hi");
    app.push();
    app.workflow(&Trigger::push(13, "promote.yml")).succeeds();
    let promoted = app.workflow(&Trigger::click(14, "promote.yml", &inputs)).succeeds();
    assert!(promoted.output.contains("before the switch: passed"), "{}", promoted.output);
    assert_eq!(lab.visit("https://example.com/").1["message"], "Hi from promotion-test");
    app.rollback(&["prod"]).succeeds();

    // Verify rollback worked
    assert_eq!(lab.visit("https://example.com/health").1["version"], one);
    assert_eq!(lab.visit("https://example.com/").1["message"], "Hello from promotion-test");
    let list = app.rollback(&["prod", "--list"]).succeeds();
    assert_eq!(ledger(&list), [format!("live {}", short(&one)), format!("rolled back {}", short(&two))]);
}

#[test]
fn a_push_that_staging_did_not_take_is_no_proof() {
    let lab = Lab::start();
    let mut app = published(&lab, &[]);

    // Before the environments are set up nothing runs, nothing is red, and nothing is proven.
    let skipped = app.workflow(&Trigger::push(51, "promote.yml").before_set_up());
    assert!(skipped.jobs.iter().all(|(_, end)| end == "skipped"), "{skipped:#?}");
    assert_eq!(lab.state()["workers"], json!({}));
    let output = app.gate(&["prod", &app.commits[1]], &[]).exits(1);
    assert!(output.contains("was not verified in staging"), "{output}");

    // A release that fails its check leaves staging as it was, and fails in the job that would have been the proof.
    run(&mut app.alchemy(&["deploy", "--profile", "staging"])).succeeds();
    app.edit("src/api.ts", FLAKY.0, FLAKY.1);
    let broken = app.commit("Break it");
    app.push();
    let job = format!("Deploy {} to staging", short(&broken));
    let failed = app.workflow(&Trigger::push(52, "promote.yml")).fails_in(&job);
    assert!(failed.output.contains("requests failed (allowed 0 %): HTTP 500"), "{}", failed.output);
    assert_eq!(lab.live("promotion-test-api-staging"), format!("{} 100", short(&app.commits[1])));
    let output = app.gate(&["prod", &broken], &[]).exits(1);
    assert!(output.contains(&format!("{} was not verified in staging", short(&broken))), "{output}");
    let records = lab.github()["deployments"].take();
    assert_eq!((&records[0]["ref"], &records[0]["statuses"][1]["state"]), (&json!(broken), &json!("failure")));

    // What does not compile is not even tried.
    app.edit("src/api.ts", "message: \"", "message: nothing + \"");
    app.commit("Break it more");
    app.push();
    lab.changes();
    let broken = app.workflow(&Trigger::push(53, "promote.yml").checked()).fails_in("Check and test");
    assert!(broken.output.contains("Cannot find name 'nothing'"), "{}", broken.output);
    assert_eq!(lab.changes(), Vec::<String>::new());
}

#[test]
fn the_gate_refuses_before_and_after_the_approval() {
    let lab = Lab::start();
    let mut app = published(&lab, &[]);
    let one = app.commits[1].clone();
    let gate = |args: &[&str], env: &[(&str, &str)]| app_gate(&lab, &app, args, env);
    let refused = |args: &[&str], env: &[(&str, &str)], said: &str| {
        // The same question before the approval, and again after it.
        for recheck in [&[] as &[&str], &["--recheck"]] {
            let output = gate(&[args, recheck].concat(), env).0.exits(1);
            assert!(output.contains(said), "{args:?} does not say {said:?}:\n{output}");
        }
    };
    let proof = |id: u64, commit: &str, environment: &str, conclusion: &str| {
        let job = format!("Deploy {} to {environment}", short(commit));
        lab.add_run(&json!({"id": id, "head_sha": commit, "jobs": [{"name": job, "conclusion": conclusion}]}));
    };
    let nothing = gate(&["prod"], &[]).0.exits(1);
    assert!(nothing.contains("Nothing to promote: staging runs no commit"), "{nothing}");

    // No proof: never deployed, failed, skipped, or only by a pull request from a fork.
    let unproven = format!("{} was not verified in staging", short(&one));
    refused(&["prod", &one], &[], &unproven);
    proof(21, &one, "staging", "failure");
    proof(22, &one, "staging", "skipped");
    let job = json!([{"name": format!("Deploy {} to staging", short(&one)), "conclusion": "success"}]);
    let fork = json!({"full_name": "mallory/shop"});
    lab.add_run(&json!({"id": 23, "head_sha": one, "event": "pull_request", "head_repository": fork, "jobs": job}));
    lab.add_run(&json!({"id": 24, "head_sha": one, "workflow": "ci.yml", "jobs": job}));
    lab.add_run(&json!({"id": 25, "head_sha": one, "head_branch": "topic", "jobs": job}));
    refused(&["prod", &one], &[], &unproven);
    refused(&["prod", &one], &[], "Run the Promote workflow with environment staging and this commit first");

    proof(26, &one, "staging", "success");
    let (pass, output, summary) = gate(&["prod", &one[..10]], &[]);
    pass.succeeds();
    assert_eq!(output, format!("sha={one}\nshort={}\n", short(&one)));
    assert!(summary.contains("Live now: nothing"), "{summary}");

    // The branch, and what it contains.
    refused(&["prod", &one], &[("GITHUB_REF", "refs/heads/topic")], "Start this workflow on main");
    refused(&["prod", "abcdef0"], &[], "is not a commit of acme/shop");
    let origin = lab.file("internet/origin.git");
    app.git(&["checkout", "--quiet", "-b", "topic"]);
    app.git(&["commit", "--quiet", "--allow-empty", "--message", "Not reviewed"]);
    app.git(&["push", "--quiet", origin.to_str().expect("UTF-8"), "topic"]);
    let topic = app.git(&["rev-parse", "HEAD"]);
    app.git(&["checkout", "--quiet", "main"]);
    proof(27, &topic, "staging", "success");
    refused(&["prod", &topic], &[], "is not on main. Merge it first");

    // GitHub's environment: somebody opens it, takes the reviewer away, deletes it.
    let wanted = lab.github()["environments"]["prod"].clone();
    assert_eq!(wanted["policies"][0]["name"], "main");
    let custom = json!({"protected_branches": false, "custom_branch_policies": true});
    app.set_rules_of_prod(&json!({"deployment_branch_policy": custom}));
    refused(&["prod", &one], &[], "The environment prod has no required reviewer. Run `bun run environments apply`");
    let (pass, _, summary) = gate(&["prod", &one], &[("PROD_APPROVAL", "none")]);
    pass.succeeds();
    assert!(summary.contains("Nobody has to approve prod"), "{summary}");
    let robin = json!([{"type": "User", "id": 8}]);
    app.set_rules_of_prod(&json!({"reviewers": robin, "deployment_branch_policy": null}));
    refused(&["prod", &one], &[], "Other branches than main may deploy to prod");
    lab.ask(&json!({"do": "forget-environment", "name": "prod"}));
    refused(&["prod", &one], &[], "GitHub has no environment prod");
    let output = app.environments(&["check"]).exits(1);
    assert!(output.contains("missing  reviewers"), "{output}");
    app.environments(&["apply", "--yes", "--reviewer", "robin"]).succeeds();
    app.environments(&["check", "--shared-account"]).succeeds();

    // What is live is newer: the way back is another workflow.
    let two = app.commit("Two");
    let three = app.commit("Three");
    app.push();
    run(&mut app.alchemy(&["deploy", "--profile", "prod"])).succeeds();
    let gate = |args: &[&str], env: &[(&str, &str)]| app_gate(&lab, &app, args, env);
    proof(28, &two, "staging", "success");
    for args in [&["prod", &two] as &[&str], &["prod", &two, "--recheck"]] {
        let output = gate(args, &[]).0.exits(1);
        assert!(output.contains("To go back use the Rollback workflow"), "{output}");
    }

    // A newer one goes, with what it adds, a warning, and the end of the promotions that wait.
    let four = app.commit("Four: [a](b)");
    app.push();
    proof(29, &four, "staging", "success");
    proof(30, &four, "prod", "failure");
    lab.add_run(&json!({"id": 31, "status": "waiting", "waiting": ["prod"], "event": "workflow_dispatch"}));
    lab.add_run(&json!({"id": 32, "status": "waiting", "waiting": ["prod-other"], "event": "workflow_dispatch"}));
    lab.add_run(&json!({"id": 90, "status": "waiting", "waiting": ["prod"], "event": "workflow_dispatch"}));
    let (pass, _, summary) = app_gate(&lab, &app, &["prod", &four], &[]);
    pass.succeeds();
    assert!(summary.contains(&format!("Live now: `{}`", short(&three))), "{summary}");
    assert!(summary.contains(&format!("What this adds (1):\n\n- {} Four: \\[a\\](b)", short(&four))), "{summary}");
    assert!(summary.contains("failed in prod before"), "{summary}");
    assert!(summary.contains("Run 31, which waited for approval, is superseded"), "{summary}");
    let runs = lab.github()["runs"].take();
    let status =
        |id: u64| runs.as_array().expect("a list").iter().find(|run| run["id"] == id).expect("it")["status"].clone();
    assert_eq!([status(31), status(32), status(90)], ["cancelled", "waiting", "waiting"]);
}

/// Runs the gate; also its outputs and its summary.
fn app_gate(
    lab: &Lab,
    app: &App<'_>,
    args: &[&str],
    env: &[(&str, &str)],
) -> (crate::support::process::Finished, String, String) {
    let [output, summary] = ["output", "summary"].map(|name| lab.file(name));
    for file in [&output, &summary] {
        fs::write(file, "").expect("writable");
    }
    let files =
        [("GITHUB_OUTPUT", output.to_str().expect("UTF-8")), ("GITHUB_STEP_SUMMARY", summary.to_str().expect("UTF-8"))];
    let finished = app.gate(args, &[&files, env].concat());
    let [output, summary] = [output, summary].map(|file| fs::read_to_string(file).expect("readable"));
    (finished, output, summary)
}
