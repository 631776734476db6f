//! Two apps in one repository never meet.

use serde_json::{Value, json};

use super::act::Trigger;
use super::audit::verified_in_staging;
use super::lab::{App, Lab, short};

#[test]
fn two_apps_in_one_repository_are_independent() {
    let lab = Lab::start();
    let answers = ["github_repository=acme/shop"];
    let mut one = App::in_repository_of_several(&lab, "apps/one", "one.example.com", &answers);
    let two = App::in_repository_of_several(&lab, "apps/two", "two.example.com", &answers);
    let first = two.commits[0].clone();
    two.push();
    for app in [&one, &two] {
        app.environments(&["apply", "--yes", "--reviewer", "robin"]).succeeds();
    }
    let github = lab.github();
    let environments: Vec<&String> = github["environments"].as_object().expect("an object").keys().collect();
    assert_eq!(environments, ["prod-one", "prod-two", "staging-one", "staging-two"]);
    assert_eq!(github["variables"], json!({"PROMOTION_ONE": "on", "PROMOTION_TWO": "on"}));

    // The push deploys the app whose workflow it starts, and proves it for that app alone.
    let ran = one.workflow(&Trigger::push(61, "promote-one.yml")).succeeds();
    assert!(ran.jobs.iter().any(|(name, _)| *name == format!("Deploy {} to staging", short(&first))), "{ran:#?}");
    let workers =
        |lab: &Lab| lab.state()["workers"].as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    assert_eq!(workers(&lab), ["one-api-staging", "one-state-staging"]);
    let bindings = lab.worker("one-api-staging")["versions"][0]["bindings"].take();
    let owner = bindings.as_array().expect("a list").iter().find(|binding| binding["name"] == "APP_ID").expect("owned");
    assert_eq!(owner["text"], "acme/shop:apps/one");
    one.gate(&["prod", &first], &[]).succeeds();
    let refused = two.gate(&["prod", &first], &[]).exits(1);
    assert!(refused.contains("was not verified in staging"), "{refused}");

    // Each is promoted by its own workflow; the one goes on and back, and the other's prod stays as it is.
    two.workflow(&Trigger::push(62, "promote-two.yml")).succeeds();
    let inputs = ["environment=prod", "commit="];
    for (app, id, workflow) in [(&two, 63, "promote-two.yml"), (&one, 64, "promote-one.yml")] {
        app.workflow(&Trigger::click(id, workflow, &inputs)).succeeds();
    }
    let other = lab.worker("two-api-prod")["deployments"].take();
    assert_eq!(lab.live("two-api-prod"), format!("{} 100", short(&first)));
    let second = verified_in_staging(&mut one, "promote-one.yml", 65, "Second");
    let commit = format!("commit={second}");
    one.workflow(&Trigger::click(66, "promote-one.yml", &[inputs[0], &commit])).succeeds();
    assert_eq!(lab.live("one-api-prod"), format!("{} 100", short(&second)));
    let inputs = ["environment=prod", "version=previous", "force=false"];
    let back = one.workflow(&Trigger::click(67, "rollback-one.yml", &inputs)).succeeds();
    assert!(back.output.contains("(rollback)"), "{}", back.output);
    assert_eq!(lab.live("one-api-prod"), format!("{} 100", short(&first)));
    assert_eq!(lab.worker("two-api-prod")["deployments"], other);
    let records = lab.github()["deployments"].take();
    let of = |record: &Value| format!("{} {}", record["task"], record["environment"]).replace('"', "");
    let records: Vec<String> = records.as_array().expect("a list").iter().map(of).collect();
    let expected = [
        "deploy staging-one",
        "deploy staging-two",
        "deploy prod-two",
        "deploy prod-one",
        "deploy prod-one",
        "rollback prod-one",
    ];
    assert_eq!(records, expected);
    assert!(lab.file("artifacts-67/rollback-one-prod-1/prod-live.json").exists());
}
