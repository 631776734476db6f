//! Promotions that end early: what refuses or stops them, in the workflow itself, and that prod never notices.

use serde_json::{Value, json};

use super::act::{Begun, Ran, Trigger};
use super::audit::verified_in_staging;
use super::lab::{App, Lab, short};
use super::promotion::published;
use crate::support::process::run;

const PROD: &str = "promotion-test-api-prod";
const PROMOTE: &str = "promote.yml";

/// Who may deploy to prod, and after whose approval.
fn rules(reviewers: &Value) -> Value {
    json!({
        "reviewers": reviewers,
        "deployment_branch_policy": {"protected_branches": false, "custom_branch_policies": true},
    })
}

fn robin() -> Value {
    json!([{"type": "User", "id": 8}])
}

/// Fails the test unless the gate refused for this reason, and no later job began.
#[track_caller]
fn refused(ran: &Ran, said: &str) {
    assert!(ran.output.contains(said), "{said:?}: {}", ran.output);
    let began: Vec<_> = ran.jobs.iter().filter(|(_, end)| end != "skipped").collect();
    assert_eq!(began, [&("Choose the commit".to_owned(), "failure".to_owned())], "{said}");
}

#[test]
fn what_was_rolled_back_is_refused_until_somebody_insists() {
    let lab = Lab::start();
    let mut app = published(&lab, &[]);
    app.release("prod").succeeds();
    let two = verified_in_staging(&mut app, PROMOTE, 121, "Two");
    let commit = format!("commit={two}");
    let inputs = ["environment=prod", &commit];
    app.workflow(&Trigger::click(122, PROMOTE, &inputs)).succeeds();
    app.rollback(&["prod"]).succeeds();
    let said = format!("{} was rolled back in prod", short(&two));
    refused(&app.workflow(&Trigger::click(123, PROMOTE, &inputs)), &said);

    let ran = app.workflow(&Trigger::click(124, PROMOTE, &["environment=prod", &commit, "again=true"])).succeeds();
    assert!(ran.output.contains(&format!("{said}, and goes out again")), "{}", ran.output);
    assert_eq!(lab.live(PROD), format!("{} 100", short(&two)));

    // A later commit that has it among its own goes out, and the reviewer reads it.
    app.rollback(&["prod"]).succeeds();
    let three = verified_in_staging(&mut app, PROMOTE, 125, "Three");
    let commit = format!("commit={three}");
    let ran = app.workflow(&Trigger::click(126, PROMOTE, &["environment=prod", &commit])).succeeds();
    assert!(ran.output.contains(&format!("This brings {} along", short(&two))), "{}", ran.output);
    assert_eq!(lab.live(PROD), format!("{} 100", short(&three)));
}

#[test]
fn what_the_gate_refuses_goes_no_further() {
    let lab = Lab::start();
    let mut app = published(&lab, &[]);
    let one = app.commits[1].clone();
    let promote = |app: &App<'_>, id: u64, branch: &str, commit: &str| {
        let commit = format!("commit={commit}");
        app.workflow(&Trigger::click(id, PROMOTE, &["environment=prod", &commit]).on(branch))
    };
    refused(&promote(&app, 101, "main", &one), &format!("{} was not verified in staging", short(&one)));

    // Off main: the run, and the commit.
    let two = verified_in_staging(&mut app, PROMOTE, 102, "Two");
    app.git(&["checkout", "--quiet", "-b", "topic"]);
    app.git(&["commit", "--quiet", "--allow-empty", "--message", "Not reviewed"]);
    app.git(&["push", "--quiet", lab.file("internet/origin.git").to_str().expect("UTF-8"), "topic"]);
    let topic = app.git(&["rev-parse", "HEAD"]);
    app.git(&["checkout", "--quiet", "main"]);
    refused(&promote(&app, 103, "topic", &two), "Start this workflow on main, not on refs/heads/topic");
    refused(&promote(&app, 104, "main", &topic), &format!("{} is not on main. Merge it first", short(&topic)));

    // Unprotected: nobody would be asked, or there is no such environment at all.
    app.set_rules_of_prod(&rules(&json!([])));
    refused(&promote(&app, 105, "main", &two), "The environment prod has no required reviewer");
    lab.ask(&json!({"do": "forget-environment", "name": "prod"}));
    refused(&promote(&app, 106, "main", &two), "GitHub has no environment prod");
    app.environments(&["apply", "--yes", "--reviewer", "robin"]).succeeds();
    assert_eq!(lab.state()["workers"], json!({}), "none of them came near Cloudflare");

    // Older than what is live.
    let three = app.commit("Three");
    app.push();
    run(&mut app.alchemy(&["deploy", "--profile", "prod"])).succeeds();
    lab.changes();
    let said = format!("prod already runs {}, which is newer than {}", short(&three), short(&two));
    refused(&promote(&app, 107, "main", &two), &said);
    assert_eq!((lab.live(PROD), lab.changes()), (format!("{} 100", short(&three)), vec![]));
}

#[test]
fn what_ends_after_the_gate_leaves_prod_as_it_was() {
    let lab = Lab::start();
    let mut app = published(&lab, &[]);
    let first = app.commits[1].clone();
    app.release("prod").succeeds();
    let older = verified_in_staging(&mut app, PROMOTE, 111, "Older");
    let newer = verified_in_staging(&mut app, PROMOTE, 112, "Newer");
    let [older_input, newer_input] = [&older, &newer].map(|commit| format!("commit={commit}"));
    let [older_inputs, newer_inputs] = [&older_input, &newer_input].map(|commit| ["environment=prod", commit]);
    let job = format!("Deploy {} to prod", short(&newer));
    lab.changes();
    let untouched = |lab: &Lab| assert_eq!(lab.live(PROD), format!("{} 100", short(&first)));

    // A newer promotion supersedes one that waits.
    let superseded = app.workflow_to_approval(&Trigger::click(113, PROMOTE, &older_inputs));
    let newest: Begun<'_> = app.workflow_to_approval(&Trigger::click(114, PROMOTE, &newer_inputs));
    let said = newest.said();
    assert!(said.contains("Run 113, which waited for approval, is superseded by this one"), "{said}");
    let stopped = superseded.stop();
    assert_eq!(stopped.jobs.len(), 2, "the job that deploys never began: {stopped:#?}");

    // While it waits somebody takes the reviewer away: the gate asks again, after the approval.
    app.set_rules_of_prod(&rules(&json!([])));
    newest.approve("robin");
    let late = newest.finish().fails_in(&job);
    assert!(late.output.contains("The environment prod has no required reviewer"), "{}", late.output);
    assert_eq!(lab.changes(), Vec::<String>::new());
    untouched(&lab);
    app.set_rules_of_prod(&rules(&robin()));

    // Cloudflare does not take the new version.
    let path = format!("/scripts/{PROD}/versions");
    lab.ask(
        &json!({"do": "fault", "fault": {"method": "POST", "path": path, "status": 400, "times": 1, "done": false}}),
    );
    let failed = app.workflow(&Trigger::click(115, PROMOTE, &newer_inputs)).fails_in(&job);
    assert!(failed.output.contains("The deploy command failed (exit 1)"), "{}", failed.output);
    untouched(&lab);

    // Somebody cancels while the new version is being verified, at 0 %.
    lab.ask(&json!({"do": "hold", "on": true}));
    let release = app.workflow_to_approval(&Trigger::click(116, PROMOTE, &newer_inputs));
    release.approve("robin");
    lab.ask(&json!({"do": "held"}));
    assert_eq!(lab.live(PROD), format!("{} 100 + {} 0", short(&first), short(&newer)));
    release.cancel("cli.ts release prod");
    let cancelled = release.finish().fails_in(&job);
    assert!(cancelled.output.contains("Stopped by SIGINT"), "{}", cancelled.output);
    assert!(cancelled.output.contains("Users never met the new release"), "{}", cancelled.output);
    assert_eq!(lab.version(PROD, &newer)["ordinary"], 0);
    untouched(&lab);

    let records = lab.github()["deployments"].take();
    let ends = |record: &Value| (record["ref"].clone(), record["statuses"][1]["state"].clone());
    let records: Vec<_> = records.as_array().expect("a list").iter().map(ends).collect();
    assert_eq!(records, vec![(json!(newer), json!("failure")); 2]);
}
