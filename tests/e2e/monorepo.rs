//! Two apps in one repository never meet.

use serde_json::{Value, json};

use crate::lab::{App, Lab, short};

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
    let ran = one.workflow(61, "push", "promote-one.yml", None, &[]).succeeds();
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

    // Prod of the one comes and goes back; the other one's stays as it is.
    two.release("prod").succeeds();
    let other = lab.worker("two-api-prod")["deployments"].take();
    one.release("prod").succeeds();
    one.commit("Second");
    one.push();
    one.release("prod").succeeds();
    let inputs = ["environment=prod", "version=previous", "force=false"];
    let back = one.workflow(62, "workflow_dispatch", "rollback-one.yml", None, &inputs).succeeds();
    assert!(back.output.contains("(rollback)"), "{}", back.output);
    assert_eq!(lab.live("one-api-prod"), format!("{} 100", short(&first)));
    assert_eq!(lab.worker("two-api-prod")["deployments"], other);
    let records = lab.github()["deployments"].take();
    let of = |record: &Value| format!("{} {}", record["task"], record["environment"]).replace('"', "");
    let records: Vec<String> = records.as_array().expect("a list").iter().map(of).collect();
    assert_eq!(records, ["deploy staging-one", "rollback prod-one"]);
    assert!(lab.file("artifacts-62/rollback-one-prod-1/prod-live.json").exists());
}
