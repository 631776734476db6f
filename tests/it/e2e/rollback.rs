//! Back to an earlier release: at once, without a build, and never to one that was itself rolled back.

use fs_err as fs;
use serde_json::json;

use super::lab::{ACME, App, Lab, short};
use crate::support::process::run;

const PROD: &str = "promotion-test-api-prod";

#[test]
fn rollback_returns_to_the_release_before() {
    let lab = Lab::start();
    let mut app = App::on_one_account(&lab, "promotion-test", &[]);
    let output = app.rollback(&[]).exits(1);
    assert!(output.contains(&format!("{PROD} was never deployed")), "{output}");

    let deploy = |app: &mut App, message: &str| {
        let commit = app.commit(message);
        run(&mut app.alchemy(&["deploy", "--profile", "prod"])).succeeds();
        commit
    };
    let one = deploy(&mut app, "One");
    let output = app.rollback(&[]).exits(1);
    assert!(output.contains("no earlier release"), "{output}");
    let two = deploy(&mut app, "Two");
    let three = deploy(&mut app, "Three");
    let [r1, r2, r3] = [&one, &two, &three].map(|commit| short(commit).to_owned());
    let live = || lab.live(PROD);

    // From here on nothing is installed, and Cloudflare's token is all there is.
    fs::rename(app.dir.join("node_modules"), lab.file("node_modules")).expect("movable");
    fs::write(app.dir.join(".env.prod"), format!("CLOUDFLARE_API_TOKEN={}\n", ACME.1)).expect("writable");
    lab.changes();

    let list = app.rollback(&["prod", "--list"]).succeeds();
    assert_eq!(ledger(&list), [format!("live {r3}"), format!("previous {r2}"), format!("latest-2 {r1}")]);
    assert!(list.lines().all(|line| line.starts_with("state") || line.contains(" UTC  owner@example.com  ")), "{list}");
    let output = app.rollback(&["prod", "latest-2", "--dry-run"]).succeeds();
    assert!(output.contains(&format!("{r3} (version")) && output.contains("Nothing was changed"), "{output}");
    assert_eq!((live(), lab.changes()), (format!("{r3} 100"), vec![]));

    // The one command: one switch, verified.
    let output = app.rollback(&[]).succeeds();
    assert_eq!(live(), format!("{r2} 100"));
    let switch = format!("POST /accounts/{}/workers/scripts/{PROD}/deployments", ACME.0);
    assert_eq!(lab.changes(), [switch]);
    assert!(
        output.contains("live: passed") && output.contains("revert it there before the next promotion"),
        "{output}"
    );
    assert_eq!(lab.visit("https://example.com/health").1["version"], two);
    let list = app.rollback(&["--list"]).succeeds();
    assert_eq!(ledger(&list), [format!("live {r2}"), format!("rolled back {r3}"), format!("previous {r1}")]);

    // Again: not forward to the one that was bad, but further back; and then there is nothing more.
    app.rollback(&["prod", "latest-1"]).succeeds();
    assert_eq!(live(), format!("{r1} 100"));
    let output = app.rollback(&["prod"]).exits(1);
    assert!(output.contains("no earlier release"), "{output}");

    // By commit, and by Cloudflare's name.
    let output = app.rollback(&["prod", &three[..7]]).succeeds();
    assert!(!output.contains("still on main"), "it has all that was live before: {output}");
    assert_eq!(live(), format!("{r3} 100"));
    let id = lab.version(PROD, &two)["id"].as_str().expect("text").to_owned();
    app.rollback(&["prod", &id]).succeeds();
    assert_eq!(live(), format!("{r2} 100"));
    for (wanted, code, said) in [
        ("newest", 2, "not one of: previous, latest-N"),
        ("latest-9", 1, "has 2 earlier releases."),
        ("--dryrun", 2, "Unknown option '--dryrun'; see --help"),
        ("--help", 0, "--force       also when a secret changed since that release"),
        ("abcdef1", 1, "No version of promotion-test-api-prod"),
    ] {
        let output = app.rollback(&["prod", wanted]).exits(code);
        assert!(output.contains(said), "{output}");
    }
    let output = app.rollback(&["production"]).exits(2);
    assert!(output.contains("alchemy.config.ts defines: staging, prod"), "{output}");
    let output = app.rollback(&["latest-1"]).exits(2);
    assert!(output.contains("\"latest-1\" is a release; of which environment?"), "{output}");

    // Somebody uses the dashboard: the release that they left never comes back as the previous one.
    let share =
        |commit: &str, percentage: u8| json!({"version_id": lab.version(PROD, commit)["id"], "percentage": percentage});
    let switch = |commit: &str| {
        let versions = json!([share(commit, 100)]);
        lab.ask(&json!({"do": "switch", "worker": PROD, "versions": versions}));
    };
    switch(&one);
    switch(&three);
    // Somebody's gradual deployment is left alone by a release, and ended by a rollback.
    let versions = json!([share(&one, 20), share(&three, 80)]);
    lab.ask(&json!({"do": "switch", "worker": PROD, "versions": versions}));
    let output = app.release("prod").exits(1);
    assert!(output.contains("is in a gradual deployment (20 %, 80 %). Finish it, then release"), "{output}");
    app.rollback(&["prod"]).succeeds();
    assert_eq!(live(), format!("{r1} 100"));

    // After more switches than Cloudflare lists, only a commit or a version names what was before.
    for _ in 0..10 {
        switch(&two);
    }
    let output = app.rollback(&["prod"]).exits(1);
    assert!(output.contains("no earlier release among the deployments that Cloudflare still lists"), "{output}");
    let output = app.rollback(&["prod", "--list"]).succeeds();
    let other = lab.version(PROD, &one)["id"].as_str().expect("text").to_owned();
    assert!(output.contains(&format!("./scripts/rollback.sh prod {other}  # {r1}")), "{output}");
    app.rollback(&["prod", &one[..7]]).succeeds();
    assert_eq!(live(), format!("{r1} 100"));
}

/// State and commit of each release that `--list` prints.
pub(crate) fn ledger(list: &str) -> Vec<String> {
    list.lines()
        .skip(1)
        .map(|line| line.split("  ").filter(|cell| !cell.is_empty()).map(str::trim).take(2))
        .map(|cells| cells.collect::<Vec<_>>().join(" "))
        .collect()
}

#[test]
fn a_release_from_before_a_secret_changed_needs_force() {
    let lab = Lab::start();
    let mut app = App::on_one_account(&lab, "promotion-test", &[]);
    app.edit("alchemy.config.ts", "    prod: {\n", "    prod: {\n      secrets: [\"API_KEY\"],\n");
    for (message, secret) in [("One", "old"), ("Two", "new")] {
        app.commit(message);
        let mut deploy = app.alchemy(&["deploy", "--profile", "prod"]);
        run(deploy.env("API_KEY", secret).env("ALCHEMY_PASSWORD", "the password")).succeeds();
    }
    let output = app.rollback(&["prod"]).exits(1);
    assert!(output.contains("a secret changed since that release"), "{output}");
    let commits = [&app.commits[2], &app.commits[3]].map(|commit| short(commit));
    assert_eq!(lab.live(PROD), format!("{} 100", commits[1]));
    app.rollback(&["prod", "--force"]).succeeds();
    assert_eq!(lab.live(PROD), format!("{} 100", commits[0]));
}
