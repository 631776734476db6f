//! Releases: no user ever meets one that fails its check.

use fs_err as fs;
use serde_json::{Value, json};

use super::lab::{App, Lab, short};
use crate::support::process::{Running, run};

const PROD: &str = "promotion-test-api-prod";

/// Every fourth request fails, as in a release that looks well at first sight.
pub(crate) const FLAKY: (&str, &str) = (
    "export default {\n  async fetch(request: Request, env: Env): Promise<Response> {\n",
    "let requests = 0;\n\nexport default {\n  async fetch(request: Request, env: Env): Promise<Response> {\n    \
     if (++requests % 4 === 0) return new Response(\"oops\", { status: 500 });\n",
);

/// Every request takes long.
const SLOW: (&str, &str) = (
    "Promise<Response> {\n    switch",
    "Promise<Response> {\n    await new Promise((resolve) => setTimeout(resolve, 150));\n    switch",
);

/// Never well.
const SICK: (&str, &str) = ("status: \"ok\"", "status: \"sick\"");

#[test]
fn users_never_meet_a_release_that_fails() {
    let lab = Lab::start();
    let mut app = App::on_one_account(&lab, "promotion-test", &[]);
    let first = app.commits[1].clone();
    let output = app.release("prod").succeeds();
    assert!(output.contains("live: passed") && !output.contains("before the switch"), "{output}");

    // A good one: uploaded, verified at 0 %, switched, verified.
    app.edit("src/api.ts", "Hello from", "Hi from");
    let second = app.commit("Say hi");
    lab.load("https://example.com/health");
    let output = app.release("prod").succeeds();
    assert!(output.contains("before the switch: passed") && output.contains("live: passed"), "{output}");
    let deployments = lab.worker(PROD)["deployments"].take();
    let deployed: Vec<String> = deployments.as_array().expect("a list").iter().map(super::lab::shares).collect();
    let [one, two] = [short(&first), short(&second)];
    assert_eq!(deployed, [format!("{two} 100"), format!("{one} 100 + {two} 0"), format!("{one} 100")]);
    assert!(lab.version(PROD, &second)["asked"].as_u64() >= Some(23), "three in a row, then twenty");

    // A bad one: users notice nothing at all.
    app.edit("src/api.ts", FLAKY.0, FLAKY.1);
    let third = app.commit("Break it");
    let output = app.release("prod").exits(1);
    assert!(output.contains("did not pass the check before the switch on https://example.com/health"), "{output}");
    assert!(output.contains("5 of 20 requests failed (allowed 0 %): HTTP 500"), "{output}");
    assert!(output.contains(&format!("Users never met the new release: prod still runs {two}")), "{output}");
    assert_eq!(lab.live(PROD), format!("{two} 100"));
    let version = lab.version(PROD, &third);
    assert_eq!(version["ordinary"], 0);
    assert!(version["asked"].as_u64() > Some(20));
    let met = lab.stop_load();
    assert_eq!((&met["failures"], &met["versions"]), (&json!({}), &json!([first, second])));
    assert!(met["requests"].as_u64() > Some(100), "{met}");
}

#[test]
fn users_never_meet_a_release_that_was_cancelled() {
    let lab = Lab::start();
    let mut app = App::on_one_account(&lab, "promotion-test", &[]);
    app.release("prod").succeeds();
    let second = app.commit("Second");
    lab.ask(&json!({"do": "hold", "on": true}));
    let mut command = crate::support::app::bun(&app.dir);
    command.args(["scripts/release/cli.ts", "release", "prod", "--force"]);
    let release = Running::start(lab.connect(&mut command));
    lab.ask(&json!({"do": "held"}));
    release.signal("INT");
    let output = release.finish().exits(1);
    assert!(output.contains("Stopped by SIGINT"), "{output}");
    assert_eq!(lab.live(PROD), format!("{} 100", short(&app.commits[1])));
    let version = lab.version(PROD, &second);
    assert_eq!((&version["ordinary"], &version["asked"]), (&json!(0), &json!(1)));
}

#[test]
fn a_release_is_judged_by_the_thresholds_of_its_environment() {
    let lab = Lab::start();
    let mut app = App::on_one_account(&lab, "promotion-test", &[]);
    let staging = "    staging: {\n";
    app.edit(
        "alchemy.config.ts",
        staging,
        &format!("{staging}      thresholds: {{ p95Ms: 120, samples: 8, deadlineMs: 2_000 }},\n"),
    );
    let good = app.commit("Be strict in staging");
    let summary = lab.file("summary.md");
    let release = |code: i32| {
        fs::write(&summary, "").expect("writable");
        let output = run(app.bun_run(&["release", "staging"]).env("GITHUB_STEP_SUMMARY", &summary)).exits(code);
        let report = fs::read_to_string(app.dir.join("release-report/staging-live.json")).expect("a report");
        let report: Value = serde_json::from_str(&report).expect("JSON");
        (output, report, fs::read_to_string(&summary).expect("a summary"))
    };
    let (_, report, text) = release(0);
    assert_eq!(report["passed"], true);
    assert_eq!((&report["commit"], &report["stage"]), (&json!(good), &json!("live")));
    assert_eq!((&report["requests"], &report["failed"], &report["p95Ms"]), (&json!(8), &json!(0), &json!(120)));
    assert!(text.contains(&format!("| `{}` | live: passed | 8 | 0 |", short(&good))), "{text}");

    // Too slow: staging goes back by itself.
    app.edit("src/api.ts", SLOW.0, SLOW.1);
    let (output, report, text) = {
        app.git(&["commit", "--quiet", "--all", "--message", "Slow"]);
        release(1)
    };
    assert!(report["measuredP95Ms"].as_u64() >= Some(150), "{report:#}");
    assert!(output.contains("(allowed 120 ms)") && text.contains("live: **failed**"), "{output}");
    assert!(text.contains(&format!("staging runs {} again.", short(&good))), "{text}");
    assert_eq!(lab.live("promotion-test-api-staging"), format!("{} 100", short(&good)));

    // Never well: asked again and again, but not for ever.
    app.git(&["revert", "--no-edit", "HEAD"]);
    app.edit("src/api.ts", SICK.0, SICK.1);
    app.git(&["commit", "--quiet", "--all", "--message", "Sick"]);
    let sick = app.git(&["rev-parse", "HEAD"]);
    let (_, report, _) = release(1);
    assert_eq!(report["reason"], "status is sick, not ok");
    let asked = lab.version("promotion-test-api-staging", &sick)["ordinary"].as_u64();
    assert!((Some(2)..Some(6)).contains(&asked), "asked {asked:?} times in two seconds");
    assert_eq!(lab.live("promotion-test-api-staging"), format!("{} 100", short(&good)));

    // An environment may allow errors.
    app.git(&["revert", "--no-edit", "HEAD"]);
    app.edit("alchemy.config.ts", "samples: 8", "errorRate: 0.5, samples: 8");
    app.edit("src/api.ts", FLAKY.0, FLAKY.1);
    app.git(&["commit", "--quiet", "--all", "--message", "Allow errors"]);
    let (_, report, _) = release(0);
    assert_eq!((&report["failed"], &report["passed"]), (&json!(2), &json!(true)));
}

#[test]
fn what_stands_in_front_is_told_before_anything_changes() {
    let lab = Lab::start();
    let mut app = App::on_one_account(&lab, "promotion-test", &[]);
    app.release("prod").succeeds();
    app.commit("Second");
    let before = lab.worker(PROD)["deployments"].take();
    lab.changes();
    for (front, remedy) in [
        ("challenge", "Add a WAF custom rule with the action Skip"),
        ("access", "set CF_ACCESS_CLIENT_ID and CF_ACCESS_CLIENT_SECRET"),
    ] {
        lab.ask(&json!({"do": "front", "host": "example.com", "front": front}));
        let output = app.release("prod").exits(1);
        assert!(output.contains(remedy), "{output}");
    }
    assert_eq!(lab.changes(), Vec::<String>::new());
    assert_eq!(lab.worker(PROD)["deployments"], before);
}

#[test]
fn no_request_fails_during_two_releases_and_a_rollback() {
    let lab = Lab::start();
    let mut app = App::on_one_account(&lab, "promotion-test", &[]);
    app.release("prod").succeeds();
    lab.load("https://example.com/health");
    let second = app.commit("Second");
    app.release("prod").succeeds();
    let third = app.commit("Third");
    app.release("prod").succeeds();
    app.rollback(&["prod"]).succeeds();
    assert_eq!(lab.live(PROD), format!("{} 100", short(&second)));
    let met = lab.stop_load();
    let versions = json!([app.commits[1], second, third]);
    assert_eq!((&met["failures"], &met["versions"]), (&json!({}), &versions));
    assert!(met["requests"].as_u64() > Some(300), "{met}");

    // The control: this load does notice when an app is away.
    app.variables("dev-owner", super::lab::ACME.1);
    let account = ("CLOUDFLARE_ACCOUNT_ID", super::lab::ACME.0);
    let own = |script: &str| run(app.bun_run(&[script]).envs([account])).succeeds();
    own("deploy");
    lab.load("https://promotion-test-api-dev-owner.acme.workers.dev/health");
    own("destroy");
    own("deploy");
    let met = lab.stop_load();
    assert!(met["failures"]["HTTP 404"].as_u64() > Some(0), "{met}");
}
