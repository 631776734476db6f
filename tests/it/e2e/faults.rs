//! Bad days: Cloudflare, GitHub or the app itself answers wrongly, late or not at all, and the owner does what they are told.

use std::process::Command;
use std::time::{Duration, Instant};

use fs_err as fs;
use regex::Regex;
use serde_json::{Value, json};

use super::lab::{App, Lab, short};
use super::promotion::published;
use crate::support::app::command;
use crate::support::process::{Running, run};

const PROD: &str = "promotion-test-api-prod";

/// An app whose check gives up soon, with one release in prod.
fn released(lab: &Lab) -> App<'_> {
    let mut app = App::on_one_account(lab, "promotion-test", &[]);
    app.edit(
        "alchemy.config.ts",
        "    prod: {\n",
        "    prod: {\n      thresholds: { p95Ms: 800, deadlineMs: 4_000 },\n",
    );
    app.commit("Give up soon");
    app.release("prod").succeeds();
    app
}

fn trouble(lab: &Lab, trouble: &Value) {
    let mut trouble = trouble.clone();
    trouble["host"] = json!("example.com");
    lab.ask(&json!({"do": "trouble", "trouble": trouble}));
}

fn fault(lab: &Lab, method: &str, path: &str, times: u32, manner: &Value) {
    let mut fault = json!({"method": method, "path": path, "times": times});
    fault.as_object_mut().expect("an object").extend(manner.as_object().expect("an object").clone());
    lab.ask(&json!({"do": "fault", "fault": fault}));
}

fn well(lab: &Lab) {
    lab.ask(&json!({"do": "well"}));
}

/// Runs the one command of `rollback.sh` that an output names, word for word.
fn follow(app: &App<'_>, output: &str) -> String {
    let pattern = Regex::new(r"\./scripts/rollback\.sh [a-z]+ [0-9a-z-]+( --force)?").expect("a pattern");
    let mut found: Vec<&str> = pattern.find_iter(output).map(|found| found.as_str()).collect();
    found.dedup();
    assert_eq!(found.len(), 1, "{output}");
    let mut shell = command("bash", &app.dir);
    run(app.lab.connect(shell.args(["-c", found[0]]))).succeeds()
}

#[test]
fn a_release_that_cannot_be_seen_is_none() {
    let lab = Lab::start();
    let mut app = released(&lab);
    let first = app.commits.last().expect("one").clone();
    for (at, (kind, said)) in [
        (json!({"kind": "every", "body": "html"}), "its answer is not a JSON object"),
        (json!({"kind": "every", "body": "truncated"}), "its answer is not a JSON object"),
        (json!({"kind": "every", "status": 503}), "HTTP 503"),
        (json!({"kind": "every", "status": 302, "headers": {"location": "https://example.com/login"}}), "HTTP 302"),
        (json!({"kind": "every", "never": "reset"}), "no answer"),
        (json!({"kind": "old"}), "version is "),
        (json!({"kind": "nth", "n": 4, "status": 500}), "HTTP 500"),
        (json!({"kind": "slow", "slow": 1000}), "too slow"),
    ]
    .into_iter()
    .enumerate()
    {
        app.commit(&format!("Release {at}"));
        trouble(&lab, &kind);
        let output = app.release("prod").exits(1);
        well(&lab);
        assert!(output.contains(said) && output.contains("before the switch"), "{kind}: {output}");
        assert_eq!(lab.live(PROD), format!("{} 100", short(&first)), "{kind}");
    }

    // Cloudflare takes a while until the header works: that is not a failure.
    let late = app.commit("Late");
    trouble(&lab, &json!({"kind": "late", "ms": 3000}));
    app.release("prod").succeeds();
    well(&lab);
    assert_eq!(lab.live(PROD), format!("{} 100", short(&late)));

    // Only /health works: another path says so.
    let smoke = "  smoke: [{ path: \"/\", contains: \"Hello\" }],\n";
    app.edit("alchemy.config.ts", "  resources: {\n", &format!("{smoke}  resources: {{\n"));
    app.commit("Ask another path");
    trouble(&lab, &json!({"kind": "other-paths", "status": 500}));
    let output = app.release("prod").exits(1);
    assert!(output.contains("/: HTTP 500, not 200"), "{output}");
    well(&lab);
    let seen = app.commit("Ask it again");
    app.release("prod").succeeds();
    assert_eq!(lab.live(PROD), format!("{} 100", short(&seen)));
}

#[test]
fn a_release_and_a_rollback_get_over_what_cloudflare_answers() {
    let lab = Lab::start();
    let mut app = released(&lab);
    let deployments = format!("/scripts/{PROD}/deployments");
    for (at, (method, manner)) in [
        ("POST", json!({"status": 500})),
        ("POST", json!({"status": 502, "body": "html", "done": false})),
        ("POST", json!({"status": 429, "headers": {"retry-after": "1"}, "done": false})),
        ("POST", json!({"never": "reset"})),
        ("POST", json!({"body": "truncated"})),
        ("GET", json!({"body": "html"})),
        ("GET", json!({"body": "truncated"})),
        ("GET", json!({"status": 429, "headers": {"retry-after": "1"}})),
        ("GET", json!({"never": "reset"})),
    ]
    .into_iter()
    .enumerate()
    {
        let before = lab.live(PROD);
        let commit = app.commit(&format!("Release {at}"));
        fault(&lab, method, &deployments, 1, &manner);
        app.release("prod").succeeds();
        well(&lab);
        assert_eq!(lab.live(PROD), format!("{} 100", short(&commit)), "{manner}");
        fault(&lab, method, &deployments, 1, &manner);
        app.rollback(&["prod"]).succeeds();
        well(&lab);
        assert_eq!(lab.live(PROD), before, "{manner}");
    }
}

#[test]
fn what_is_advised_is_right_for_what_is_live() {
    let lab = Lab::start();
    let mut app = released(&lab);
    let deployments = format!("/scripts/{PROD}/deployments");
    let good = app.commit("Good");
    app.release("prod").succeeds();
    let broken = json!({"status": 500, "done": false});
    let after = |count: u32| {
        let mut manner = broken.clone();
        manner["after"] = json!(count);
        manner
    };

    // The switch fails for good: nobody met the new version, and there is nothing to do.
    app.commit("Never switched");
    fault(&lab, "POST", &deployments, 100, &after(1));
    let output = app.release("prod").exits(1);
    well(&lab);
    assert!(output.contains("Nothing needs to be done") && !output.contains("rollback.sh"), "{output}");
    assert!(lab.live(PROD).starts_with(&format!("{} 100 + ", short(&good))), "{}", lab.live(PROD));

    // The way back fails for good, after a release that fails only with users.
    let (old, new) = ("      status: \"ok\",", "      status: env.CF_VERSION_METADATA && live() ? \"ok\" : \"sick\",");
    app.edit("src/api.ts", old, new);
    let live = "\nconst start = Date.now();\nconst live = () => Date.now() - start < 2500;\n";
    let text = fs::read_to_string(app.dir.join("src/api.ts")).expect("readable") + live;
    fs::write(app.dir.join("src/api.ts"), text).expect("writable");
    app.edit("alchemy.config.ts", "deadlineMs: 4_000 },", "deadlineMs: 4_000, samples: 2 },\n      watch: \"20s\",");
    let sick = app.commit("Fails later");
    fault(&lab, "POST", &deployments, 100, &after(2));
    let output = app.release("prod").exits(1);
    well(&lab);
    assert_eq!(lab.live(PROD), format!("{} 100", short(&sick)), "{output}");
    follow(&app, &output);
    assert_eq!(lab.live(PROD), format!("{} 100", short(&good)), "{output}");
}

#[test]
fn a_secret_that_is_declared_changed_or_removed_goes_out_verified() {
    let lab = Lab::start();
    let mut app = released(&lab);
    let line = "    prod: {\n      secrets: [\"API_KEY\"],\n";
    app.edit("alchemy.config.ts", "    prod: {\n", line);
    let release = |app: &App<'_>, value: &str| {
        let mut release = app.bun_run(&["release", "prod", "--force"]);
        run(release.env("API_KEY", value).env("ALCHEMY_PASSWORD", "the password")).succeeds()
    };
    let mut live = Vec::new();
    for (message, value) in [("Declare", "old"), ("Change", "new")] {
        live.push(app.commit(message));
        let output = release(&app, value);
        assert!(output.contains("before the switch: passed") && output.contains("A secret changes with"), "{output}");
        assert_eq!(lab.live(PROD), format!("{} 100", short(&live[live.len() - 1])));
    }
    // The same commit with another value is a release, too.
    let output = release(&app, "newest");
    assert!(output.contains("before the switch: passed"), "{output}");
    app.edit("alchemy.config.ts", line, "    prod: {\n");
    let removed = app.commit("Remove");
    let output = app.release("prod").exits(1);
    assert!(output.contains("ALCHEMY_PASSWORD is not set, and the state of this environment still holds"), "{output}");
    let output = release(&app, "");
    assert!(output.contains("before the switch: passed") && output.contains("A secret changes with"), "{output}");
    assert_eq!(lab.live(PROD), format!("{} 100", short(&removed)));

    let output = app.rollback(&["prod"]).exits(1);
    assert!(output.contains("it still has API_KEY, which was removed since"), "{output}");
    assert_eq!(lab.live(PROD), format!("{} 100", short(&removed)));
    follow(&app, &output);
    assert_eq!(lab.live(PROD), format!("{} 100", short(&live[1])));
}

#[test]
fn a_rollback_does_not_wait_for_github() {
    let lab = Lab::start();
    let mut app = published(&lab, &[]);
    let first = app.commits.last().expect("one").clone();
    app.release("prod").succeeds();
    for manner in [
        json!({"status": 500}),
        json!({"status": 429, "headers": {"retry-after": "60"}}),
        json!({"status": 200, "html": true}),
        json!({"status": 200, "hang": true}),
    ] {
        app.commit("Next");
        app.release("prod").succeeds();
        let mut fault = json!({"of": "", "message": "no", "unheard": true, "times": 1000});
        fault.as_object_mut().expect("an object").extend(manner.as_object().expect("an object").clone());
        lab.ask(&json!({"do": "set-github", "faults": [fault]}));
        let mut back: Command = command(app.dir.join("scripts/rollback.sh"), &app.dir);
        back.args(["prod", &first[..12]]).envs([("GITHUB_TOKEN", "token-of-owner"), ("GITHUB_RUN_ID", "7")]);
        let begun = Instant::now();
        let back = Running::start(lab.connect(&mut back));
        while lab.live(PROD) != format!("{} 100", short(&first)) && begun.elapsed() < Duration::from_secs(5) {}
        // With the start of bun on a machine that does much else.
        assert!(begun.elapsed() < Duration::from_secs(3), "{manner}: {:?}", begun.elapsed());
        back.finish().succeeds();
        assert!(begun.elapsed() < Duration::from_secs(20), "{manner}: {:?}", begun.elapsed());
        lab.ask(&json!({"do": "set-github", "faults": []}));
    }
}

#[test]
fn a_release_from_a_laptop_is_as_strict_as_one_in_a_workflow() {
    let lab = Lab::start();
    let mut app = App::on_one_account(&lab, "promotion-test", &[]);
    let release = |app: &App<'_>, environment: &str| run(&mut app.bun_run(&["release", environment]));
    let refused = |app: &App<'_>, said: &str| {
        let output = release(app, "prod").exits(1);
        assert!(output.contains(&format!("Not released: {said}")), "{output}");
        assert!(output.contains("With --force it is released all the same."), "{output}");
    };
    let one = app.commits[1].clone();
    refused(&app, &format!("{} never ran in staging", short(&one)));
    release(&app, "staging").succeeds();
    release(&app, "prod").succeeds();

    app.edit("src/api.ts", "Hello from", "Hi from");
    refused(&app, "the working tree has uncommitted changes");
    app.git(&["checkout", "--quiet", "-b", "feature"]);
    let two = app.commit("Say hi");
    refused(&app, &format!("{} is not on main, as this clone knows it", short(&two)));
    app.git(&["checkout", "--quiet", "main"]);
    app.git(&["merge", "--quiet", "feature"]);
    release(&app, "staging").succeeds();
    release(&app, "prod").succeeds();
    app.git(&["checkout", "--quiet", &one]);
    refused(&app, &format!("prod already runs {}, which is newer than {}", short(&two), short(&one)));
    app.git(&["checkout", "--quiet", "main"]);
    app.rollback(&["prod"]).succeeds();
    refused(&app, &format!("{} was rolled back in prod", short(&two)));
    app.release("prod").succeeds();
    assert_eq!(lab.live(PROD), format!("{} 100", short(&two)));

    // With a token of the state that is another one, no advice to overwrite it, and no stack.
    app.commit("Third");
    fs::write(
        app.dir.join(".env.prod"),
        format!("CLOUDFLARE_API_TOKEN={}\nALCHEMY_STATE_TOKEN=wrong\n", super::lab::ACME.1),
    )
    .expect("writable");
    let output = app.release("prod").exits(1);
    assert!(output.contains("ALCHEMY_STATE_TOKEN is not the one of this environment's state"), "{output}");
    assert!(!output.contains("    at ") && !output.contains("forceUpdate"), "{output}");
}
