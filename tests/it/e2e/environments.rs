//! `bun run environments`: whatever GitHub has, and wherever it stopped before, it ends in the same state, and no secret shows.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use fs_err as fs;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use serde_json::{Value, json};
use walkdir::WalkDir;

use super::lab::{ACME, Lab, OTHER};
use crate::support::app::{bun, create, packages};
use crate::support::process::{Finished, Running, run};

/// What nobody may see: the token for GitHub, and the values of the secrets.
const TOKEN: &str = "ghp-token-of-owner";
const STAGING: &str = "cloudflare-token-of-staging";
const PROD: &str = "cloudflare-token-of-prod";

const APPLY: [&str; 4] = ["apply", "--yes", "--reviewer", "robin"];

/// An app in acme/shop whose environments have an account each, with its packages, and in no repository of git.
struct Shop<'lab> {
    lab: &'lab Lab,
    dir: PathBuf,
}

impl<'lab> Shop<'lab> {
    fn new(lab: &'lab Lab) -> Self {
        let answers = ["domain=example.com", "github_repository=acme/shop"];
        let dir = create(&lab.file(""), "shop", &answers);
        std::os::unix::fs::symlink(packages().join("node_modules"), dir.join("node_modules")).expect("writable");
        let shop = Self { lab, dir };
        for (domain, account) in [("staging.example.com", OTHER.0), ("example.com", ACME.0)] {
            let line = format!("      domain: \"{domain}\",\n");
            shop.edit(&line, &format!("{line}      account: \"{account}\",\n"));
        }
        shop
    }

    #[track_caller]
    fn edit(&self, old: &str, new: &str) {
        let path = self.dir.join("alchemy.config.ts");
        let text = fs::read_to_string(&path).expect("readable");
        assert!(text.contains(old), "no {old:?}:\n{text}");
        fs::write(path, text.replacen(old, new, 1)).expect("writable");
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = bun(&self.dir);
        command.arg("scripts/release/environments.ts").args(args);
        self.equip(&mut command);
        command
    }

    /// Gives a command what somebody with a token and the secrets has.
    fn equip(&self, command: &mut Command) {
        command.env("GITHUB_TOKEN", TOKEN);
        command.env("STAGING_CLOUDFLARE_API_TOKEN", STAGING).env("PROD_CLOUDFLARE_API_TOKEN", PROD);
        self.lab.connect(command);
    }

    fn run(&self, args: &[&str]) -> Finished {
        run(&mut self.command(args))
    }

    /// Sets what GitHub has, and forgets what was asked of it.
    fn given(&self, state: &Value) {
        self.with(&json!({"state": state}));
    }

    fn with(&self, wish: &Value) {
        let mut command = json!({"do": "set-github"});
        command.as_object_mut().expect("an object").extend(wish.as_object().expect("an object").clone());
        self.lab.ask(&command);
    }

    /// What GitHub has.
    fn has(&self) -> Value {
        let mut github = self.lab.github();
        json!({"environments": github["environments"].take(), "variables": github["variables"].take()})
    }

    /// What changed on GitHub since the last `given`, having never let anybody deploy who may not.
    #[track_caller]
    fn changes(&self) -> Vec<String> {
        let github = self.lab.github();
        assert_eq!(github["opened"], json!([]), "prod was open");
        texts(&github["changes"])
    }
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().expect("a list").iter().map(|text| text.as_str().expect("text").to_owned()).collect()
}

fn nothing() -> Value {
    json!({"environments": {}, "variables": {}})
}

/// What the rules of prod are after `APPLY`.
fn protected() -> Value {
    json!({
        "reviewers": [{"type": "User", "id": 8}], "prevent_self_review": false, "wait_timer": 0,
        "deployment_branch_policy": {"protected_branches": false, "custom_branch_policies": true},
        "policies": [{"type": "branch", "name": "main"}],
        "secrets": {"CLOUDFLARE_API_TOKEN": PROD, "ALCHEMY_STATE_TOKEN": "made"},
    })
}

/// What GitHub has after `APPLY`.
fn wanted() -> Value {
    json!({
        "environments": {
            "prod": protected(),
            "staging": {
                "reviewers": [], "prevent_self_review": false, "wait_timer": 0,
                "deployment_branch_policy": null, "policies": [],
                "secrets": {"CLOUDFLARE_API_TOKEN": STAGING, "ALCHEMY_STATE_TOKEN": "made"},
            },
        },
        "variables": {"PROMOTION": "on"},
    })
}

/// A state without what is by chance: the numbers of policies, and the tokens that were made, which all differ.
#[track_caller]
fn essence(mut state: Value) -> Value {
    let mut made = BTreeSet::new();
    for environment in state["environments"].as_object_mut().expect("an object").values_mut() {
        for policy in environment["policies"].as_array_mut().expect("a list") {
            policy.as_object_mut().expect("an object").remove("id");
        }
        for (name, value) in environment["secrets"].as_object_mut().expect("an object") {
            if name != "CLOUDFLARE_API_TOKEN" {
                let text = value.as_str().expect("text");
                assert!(text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()), "{name}: {text}");
                assert!(made.insert(text.to_owned()), "each token is another one");
                *value = json!("made");
            }
        }
    }
    state
}

/// The secrets that a state holds, and those that led to it.
fn confidential(state: &Value) -> Vec<String> {
    let environments = state["environments"].as_object().expect("an object").values();
    let values = environments.flat_map(|environment| environment["secrets"].as_object().expect("an object").values());
    let values = values.map(|value| value.as_str().expect("text").to_owned());
    values.chain([TOKEN, STAGING, PROD].map(str::to_owned)).collect()
}

#[track_caller]
fn hides(text: &str, secrets: &[String]) {
    for secret in secrets {
        assert!(!text.contains(secret.as_str()), "a secret shows: {secret}\n{text}");
    }
}

/// A state with something else at a place.
fn but(mut state: Value, place: &str, value: Value) -> Value {
    *state.pointer_mut(place).unwrap_or_else(|| panic!("no {place}")) = value;
    state
}

/// A state without something.
fn without(mut state: Value, place: &str, name: &str) -> Value {
    state.pointer_mut(place).and_then(Value::as_object_mut).expect("an object").remove(name).expect("it was there");
    state
}

#[test]
fn every_state_ends_in_the_same_one() {
    let lab = Lab::start();
    let shop = Shop::new(&lab);
    shop.given(&nothing());
    let planned = shop.run(&["plan", "--reviewer", "robin"]).succeeds();
    assert!(planned.contains("7 changes to make: bun run environments apply --reviewer robin\n"), "{planned}");
    assert!(shop.changes().is_empty(), "a plan changes nothing");
    let applied = shop.run(&APPLY).succeeds();
    let complete = shop.has();
    assert_eq!(essence(complete.clone()), wanted());
    let changes = shop.changes();
    assert_eq!(changes.last().expect("some"), r#"POST variable {"name":"PROMOTION","value":"on"}"#);
    assert!(changes[0].starts_with("PUT prod {"), "{changes:?}");

    // Again: nothing to do, and said so.
    shop.given(&complete);
    let again = shop.run(&APPLY).succeeds();
    assert!(again.contains("Nothing to change."), "{again}");
    assert_eq!((shop.changes(), shop.has()), (vec![], complete.clone()));
    let checked = shop.run(&["check", "--reviewer", "robin"]).succeeds();
    assert!(checked.contains("All as alchemy.config.ts asks for."), "{checked}");

    let prod = "/environments/prod";
    let branch = |id: u64, kind: &str, name: &str| json!({"id": id, "type": kind, "name": name});
    let closed = json!({"protected_branches": true, "custom_branch_policies": false});
    let at = |rest: &str| format!("{prod}/{rest}");
    let drifts = [
        (without(complete.clone(), "/environments", "prod"), "missing  reviewers"),
        (without(complete.clone(), "/environments", "staging"), "missing  branches"),
        (but(complete.clone(), &at("reviewers"), json!([])), "differs  reviewers                    nobody → robin"),
        (
            but(complete.clone(), &at("reviewers"), json!([{"type": "User", "id": 7}, {"type": "Team", "id": 70}])),
            "differs  reviewers                    owner, team ops → robin",
        ),
        (
            but(
                complete.clone(),
                &at("policies"),
                json!([branch(1, "branch", "main"), branch(2, "branch", "release/*")]),
            ),
            "main, release/* → main",
        ),
        (but(complete.clone(), &at("policies"), json!([])), "branches                     none → main"),
        (but(complete.clone(), &at("policies"), json!([branch(3, "tag", "main")])), "tag main → main"),
        (
            but(but(complete.clone(), &at("deployment_branch_policy"), Value::Null), &at("policies"), json!([])),
            "every branch → main",
        ),
        (
            but(but(complete.clone(), &at("deployment_branch_policy"), closed), &at("policies"), json!([])),
            "protected branches → main",
        ),
        (but(complete.clone(), "/environments/staging/wait_timer", json!(30)), "30 min → 0 min"),
        (
            but(complete.clone(), "/environments/staging/reviewers", json!([{"type": "User", "id": 7}])),
            "reviewers                    owner → nobody",
        ),
        (without(complete.clone(), &at("secrets"), "CLOUDFLARE_API_TOKEN"), "missing  secret CLOUDFLARE_API_TOKEN"),
        (without(complete.clone(), &at("secrets"), "ALCHEMY_STATE_TOKEN"), "missing  secret ALCHEMY_STATE_TOKEN"),
        (but(complete.clone(), "/variables", json!({})), "missing  variable PROMOTION"),
        (but(complete.clone(), "/variables", json!({"PROMOTION": "off"})), "variable PROMOTION           off → on"),
        (
            but(complete.clone(), "/variables", json!({"PROMOTION": "on", "PROD_APPROVAL": "none"})),
            "variable PROD_APPROVAL       none → not set",
        ),
    ];
    for (drift, named) in drifts {
        shop.given(&drift);
        let found = shop.run(&["check", "--reviewer", "robin"]).exits(1);
        assert!(found.contains(named), "{named}\n{found}");
        let mended = shop.run(&APPLY).succeeds();
        assert_eq!(essence(shop.has()), wanted(), "{named}\n{mended}");
        shop.changes();
        hides(&format!("{found}{mended}"), &confidential(&shop.has()));
    }
    hides(&format!("{planned}{applied}{again}{checked}"), &confidential(&complete));
    no_file_holds(&shop.dir, &confidential(&complete));
}

/// Searches the files of an app but for its packages.
#[track_caller]
fn no_file_holds(folder: &Path, secrets: &[String]) {
    let files = WalkDir::new(folder).into_iter().map(|entry| entry.expect("readable"));
    for file in files.filter(|entry| entry.file_type().is_file()) {
        let bytes = fs::read(file.path()).expect("readable");
        hides(&String::from_utf8_lossy(&bytes), secrets);
    }
}

#[test]
fn it_can_be_killed_between_any_two_requests() {
    let lab = Lab::start();
    let shop = Shop::new(&lab);
    // From nothing, and from a prod that anybody may deploy to.
    let open = json!({
        "environments": {"prod": {
            "reviewers": [], "prevent_self_review": false, "wait_timer": 0,
            "deployment_branch_policy": null, "policies": [], "secrets": {},
        }},
        "variables": {},
    });
    for start in [nothing(), open] {
        let mut finished = BTreeSet::new();
        for patience in 0.. {
            shop.with(&json!({"state": start, "patience": patience}));
            let mut command = shop.command(&APPLY);
            let mut running = Running::start(&mut command);
            if !stuck(&lab, &mut running) {
                running.finish().succeeds();
                break;
            }
            let (arguments, output) = (running.arguments(), running.kill());
            shop.changes();
            let left = shop.has();
            hides(&format!("{arguments}{output}"), &confidential(&left));
            // What was left the same is finished the same.
            let half = essence(left.clone());
            if !finished.insert(half.to_string()) {
                continue;
            }
            shop.given(&left);
            shop.run(&APPLY).succeeds();
            assert_eq!(essence(shop.has()), wanted(), "after {patience} requests, from {half:#}");
            shop.changes();
        }
        assert!(finished.len() > 8, "every change but the last leaves another state: {}", finished.len());
        assert_eq!(essence(shop.has()), wanted());
    }
}

#[test]
fn what_passes_is_waited_for() {
    let lab = Lab::start();
    let shop = Shop::new(&lab);
    let of = |call: &str| call.replace(' ', " /repos/acme/shop");
    let fault = |call: &str, status: u16, unheard: bool, headers: Value| json!({"of": of(call), "status": status, "message": "slow down", "unheard": unheard, "headers": headers});
    let none = json!({});
    let second = json!({"retry-after": "1"});
    let policies = "POST /environments/prod/deployment-branch-policies";
    let faults = json!([
        fault("GET /environments/prod", 502, true, none.clone()),
        fault("PUT /environments/prod", 503, false, none.clone()),
        fault(policies, 500, false, none.clone()),
        fault("PUT /environments/staging", 429, true, second.clone()),
        fault(
            "PUT /environments/prod/secrets/",
            403,
            true,
            json!({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "0"})
        ),
        fault("POST /actions/variables", 502, false, none),
    ]);
    shop.with(&json!({"state": nothing(), "faults": faults}));
    shop.run(&APPLY).succeeds();
    assert_eq!(essence(shop.has()), wanted());
    assert_eq!(shop.changes().iter().filter(|change| change.contains("prod policy")).count(), 1, "written once");

    // What does not pass soon is reported, with the place where it stopped.
    let long = json!({"retry-after": "3600"});
    shop.with(&json!({"state": nothing(), "faults": [fault(policies, 403, true, long)]}));
    let output = shop.run(&APPLY).exits(1);
    assert!(output.contains("GitHub's rate limit is used up until "), "{output}");
    assert!(output.contains("Stopped at “prod: approval by robin, from main only”"), "{output}");
    shop.given(&shop.has());
    shop.run(&APPLY).succeeds();
    assert_eq!(essence(shop.has()), wanted());
    shop.changes();
}

#[test]
fn a_token_that_may_not_is_told_what_it_lacks() {
    let lab = Lab::start();
    let shop = Shop::new(&lab);
    let by = |token: &str, args: &[&str]| run(shop.command(args).env("GITHUB_TOKEN", token));
    shop.given(&nothing());
    for (token, said) in [
        ("token-that-expired", "401 Bad credentials (the token is wrong, expired or revoked)"),
        ("token-without-scope", "(the token has no scope repo, only: gist)"),
        ("token-of-a-reader", "(its owner does not administer the repository)"),
    ] {
        let output = by(token, &APPLY).exits(1);
        assert!(output.contains(said), "{said}\n{output}");
        hides(&output, &[token.to_owned()]);
    }
    let output = by("token-without-scope", &["plan", "--reviewer", "acme/ops"]).exits(2);
    assert!(
        output.contains("GitHub knows no team \"acme/ops\" (the token has no scope admin:org or read:org"),
        "{output}"
    );
    for (reviewer, said) in [("nobody", "no user \"nobody\""), ("acme/nobody", "no team \"acme/nobody\"")] {
        let output = shop.run(&["apply", "--yes", "--reviewer", reviewer]).exits(2);
        assert!(output.contains(said), "{output}");
    }
    assert_eq!((shop.changes(), shop.has()), (vec![], nothing()));
    // Somebody whom GitHub leaves out of the reviewers, as it does without access: nothing may rest on that.
    let output = shop.run(&["apply", "--yes", "--reviewer", "alex"]).exits(1);
    assert!(output.contains("GitHub did not take alex as reviewer of prod"), "{output}");
    assert_eq!(shop.has()["variables"], json!({}));

    // In a workflow: what its token may not see is not called missing.
    shop.given(&nothing());
    shop.run(&APPLY).succeeds();
    let checked = by("token-of-the-run", &["check"]).succeeds();
    assert!(checked.contains("hidden   secret CLOUDFLARE_API_TOKEN  not visible to this token"), "{checked}");
    assert!(checked.contains("hidden   variable PROMOTION"), "{checked}");
    assert!(checked.contains("What this token may see is as alchemy.config.ts asks for."), "{checked}");
    let output = by("token-of-the-run", &["apply", "--yes"]).exits(1);
    assert!(output.contains("This token may not change acme/shop"), "{output}");
    // Nor is a team called unknown that it may not look up.
    shop.run(&["apply", "--yes", "--reviewer", "acme/ops"]).succeeds();
    by("token-of-the-run", &["check", "--reviewer", "acme/Ops"]).succeeds();
    let output = by("token-of-the-run", &["check", "--reviewer", "acme/web"]).exits(1);
    assert!(output.contains("team ops → acme/web"), "{output}");

    // Without a token in the environment, the GitHub CLI's.
    let gh = stand_in(&shop);
    let mut command = shop.command(&["check"]);
    command.env_remove("GITHUB_TOKEN").env("PATH", &gh);
    let output = run(&mut command).exits(2);
    assert!(output.contains("no GitHub token: run `gh auth login`"), "{output}");
    run(command.env("GH_STAND_IN_TOKEN", TOKEN)).succeeds();
    // And a server of one's own.
    let mut command = shop.command(&["check"]);
    run(command.env("GITHUB_API_URL", "https://github.acme.example/api/v3/")).succeeds();
}

#[test]
fn what_a_plan_lacks_is_told_with_what_it_offers() {
    let lab = Lab::start();
    let shop = Shop::new(&lab);
    shop.with(&json!({"state": nothing(), "plan": "team"}));
    let output = shop.run(&APPLY).exits(1);
    assert!(output.contains("Please ensure the billing plan supports the required reviewers"), "{output}");
    assert!(output.contains("PROD_APPROVAL=none bun run environments apply"), "{output}");
    assert_eq!(shop.has(), nothing());
    let mut without = shop.command(&["apply", "--yes"]);
    run(without.env("PROD_APPROVAL", "none")).succeeds();
    let has = essence(shop.has());
    assert_eq!(has["variables"], json!({"PROD_APPROVAL": "none", "PROMOTION": "on"}));
    assert_eq!(has["environments"]["prod"], but(protected(), "/reviewers", json!([])));
    shop.changes();
    let mut check = shop.command(&["check"]);
    let output = run(check.env("PROD_APPROVAL", "none")).succeeds();
    assert!(output.contains("nobody (PROD_APPROVAL=none)"), "{output}");
    let output = shop.run(&["check"]).exits(1);
    assert!(output.contains("nobody → owner"), "{output}");

    shop.with(&json!({"state": nothing(), "plan": "free"}));
    let output = shop.run(&APPLY).exits(1);
    assert!(output.contains("A private repository has environments only on a paid plan"), "{output}");
    assert_eq!(shop.has(), nothing());
}

#[test]
fn a_third_environment_is_one_more_profile() {
    let lab = Lab::start();
    let shop = Shop::new(&lab);
    let rules =
        r#"reviewers: ["owner", "acme/ops"], preventSelfReview: true, waitMinutes: 10, branches: ["main", "hotfix/*"]"#;
    let account = "3".repeat(32);
    shop.edit(
        "    prod: {",
        &format!("    canary: {{ account: \"{account}\", secrets: [\"KEY\"], {rules} }},\n    prod: {{"),
    );
    shop.given(&nothing());
    let output = shop.run(&APPLY).exits(2);
    assert!(output.contains("no value for CANARY_CLOUDFLARE_API_TOKEN, CANARY_KEY"), "{output}");
    assert_eq!(shop.has(), nothing());
    // From standard input, and from the environment's own file; only the config says who approves.
    let input = shop.dir.join("input");
    fs::write(&input, "CANARY_CLOUDFLARE_API_TOKEN=cloudflare-token-of-canary\n").expect("writable");
    fs::write(shop.dir.join(".env.canary"), "KEY=key-of-canary").expect("writable");
    let script = "exec bun scripts/release/environments.ts apply --yes --keep --stdin <input";
    let mut command = crate::support::app::command("sh", &shop.dir);
    shop.equip(&mut command);
    run(command.args(["-c", script])).succeeds();
    let made = shop.has();
    let canary = json!({
        "reviewers": [{"type": "User", "id": 7}, {"type": "Team", "id": 70}],
        "prevent_self_review": true, "wait_timer": 10,
        "deployment_branch_policy": {"protected_branches": false, "custom_branch_policies": true},
        "policies": [{"type": "branch", "name": "main"}, {"type": "branch", "name": "hotfix/*"}],
        "secrets": {
            "CLOUDFLARE_API_TOKEN": "cloudflare-token-of-canary", "ALCHEMY_STATE_TOKEN": "made",
            "ALCHEMY_PASSWORD": "made", "KEY": "key-of-canary",
        },
    });
    let mut state = made.clone();
    state["environments"]["canary"]["secrets"]["KEY"] = json!("0".repeat(64));
    let mut has = essence(state);
    has["environments"]["canary"]["secrets"]["KEY"] = json!("key-of-canary");
    assert_eq!(has["environments"]["canary"], canary);
    // Kept on request, where it can be used from a laptop, and by its owner alone.
    let kept = fs::read_to_string(shop.dir.join(".env.canary")).expect("readable");
    let token = made["environments"]["canary"]["secrets"]["ALCHEMY_STATE_TOKEN"].as_str().expect("text");
    assert!(
        kept.starts_with("KEY=key-of-canary\n") && kept.contains(&format!("ALCHEMY_STATE_TOKEN={token}\n")),
        "{kept}"
    );
    let mode = fs::metadata(shop.dir.join(".env.canary")).expect("there").permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o600);
    shop.run(&["check"]).succeeds();
}

#[test]
fn machines_read_it_as_json() {
    let lab = Lab::start();
    let shop = Shop::new(&lab);
    let accounts = format!("account: \"{}\"", OTHER.0);
    shop.edit(&format!("account: \"{}\"", ACME.0), &accounts);
    shop.given(&nothing());
    let applied = shop.run(&APPLY).succeeds();
    let end = applied.split("done: variable PROMOTION=on").last().expect("some");
    assert!(end.contains("note: staging and prod share a Cloudflare account"), "{applied}");
    let output = shop.run(&["check", "--json"]).succeeds();
    let report: Value = serde_json::from_str(&output).expect("JSON alone");
    assert_eq!(
        (&report["version"], &report["repository"], &report["ok"]),
        (&json!(1), &json!("acme/shop"), &json!(true))
    );
    let settings = report["settings"].as_array().expect("a list");
    let wrong: Vec<&Value> = settings.iter().filter(|setting| setting["state"] != "ok").collect();
    assert!(wrong.len() == 1 && wrong[0]["state"] == "note", "{wrong:#?}");
    assert!(
        wrong[0]["name"].as_str().expect("text").contains("staging and prod share a Cloudflare account"),
        "{wrong:#?}"
    );
    let reviewers =
        json!({"environment": "prod", "name": "reviewers", "state": "ok", "now": "robin", "wanted": "robin"});
    assert!(settings.contains(&reviewers), "{settings:#?}");
    let output = shop.run(&["check", "--json", "--shared-account"]).succeeds();
    assert!(!output.contains("share a Cloudflare account"), "{output}");
    hides(&output, &confidential(&shop.has()));
}

/// The search path of a user who has the GitHub CLI, and has signed in where the environment says so.
fn stand_in(shop: &Shop<'_>) -> std::ffi::OsString {
    let folder = shop.lab.file("programs");
    fs::create_dir_all(&folder).expect("writable");
    let gh = folder.join("gh");
    let script =
        "#!/bin/sh\ntest \"$1 $2\" = 'auth token' && test -n \"$GH_STAND_IN_TOKEN\" && echo \"$GH_STAND_IN_TOKEN\"\n";
    fs::write(&gh, script).expect("writable");
    fs::set_permissions(&gh, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("ours");
    let command = bun(&shop.dir);
    let path = command.get_envs().find(|(name, _)| *name == "PATH").and_then(|(_, value)| value).expect("set");
    std::env::join_paths(std::iter::once(folder).chain(std::env::split_paths(path))).expect("no colon")
}

#[test]
fn a_person_is_asked_and_no_secret_is_echoed() {
    let lab = Lab::start();
    let shop = Shop::new(&lab);
    shop.given(&nothing());
    let ask = "CLOUDFLARE_API_TOKEN of staging (not shown): ";
    let (code, screen) = at_terminal(&shop, &[("(y/N) ", "\r")]);
    assert!(code == 1 && screen.contains("Nothing was changed."), "{screen}");
    let (code, screen) = at_terminal(&shop, &[("(y/N) ", "y\r"), (ask, "\r"), (ask, "\x03")]);
    assert!(code == 1 && screen.contains("Nothing was changed."), "{screen}");
    assert_eq!((shop.changes(), shop.has()), (vec![], nothing()));

    let second = "CLOUDFLARE_API_TOKEN of prod (not shown): ";
    let answers = [("(y/N) ", "y\r"), (ask, &*format!("{STAGING}\r")), (second, &*format!("{PROD}\r"))];
    let (code, screen) = at_terminal(&shop, &answers);
    assert_eq!(code, 0, "{screen}");
    assert_eq!(essence(shop.has()), wanted());
    hides(&screen, &confidential(&shop.has()));
}

/// Applies at a pseudo-terminal, where each text is waited for, and answered; the exit code and all that was drawn.
fn at_terminal(shop: &Shop<'_>, answers: &[(&str, &str)]) -> (u32, String) {
    let mut command = shop.command(&["apply", "--reviewer", "robin"]);
    command.env_remove("STAGING_CLOUDFLARE_API_TOKEN").env_remove("PROD_CLOUDFLARE_API_TOKEN");
    let mut builder = CommandBuilder::new(command.get_program());
    builder.args(command.get_args());
    builder.cwd(&shop.dir);
    builder.env_clear();
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            builder.env(name, value);
        }
    }
    let pty = native_pty_system().openpty(PtySize::default()).expect("a pseudo-terminal");
    let mut child = pty.slave.spawn_command(builder).expect("bun starts");
    drop(pty.slave);
    let mut keyboard = pty.master.take_writer().expect("ours");
    let mut screen = pty.master.try_clone_reader().expect("ours");
    let (mut drawn, mut seen, mut bytes) = (Vec::new(), 0, [0; 4096]);
    let mut answers = answers.iter();
    let mut next = answers.next();
    // A program that is not given what it waits for would wait for ever: the last answer ends it in each case.
    while let Ok(count @ 1..) = screen.read(&mut bytes) {
        drawn.extend_from_slice(&bytes[..count]);
        while let Some((text, keys)) = next {
            let Some(at) = String::from_utf8_lossy(&drawn[seen..]).find(text) else { break };
            seen += at + text.len();
            keyboard.write_all(keys.as_bytes()).expect("it reads");
            next = answers.next();
        }
    }
    let code = child.wait().expect("our own child").exit_code();
    (code, String::from_utf8_lossy(&drawn).into_owned())
}

/// Waits until a request is not answered; false when the command ended without one.
fn stuck(lab: &Lab, running: &mut Running) -> bool {
    loop {
        if lab.ask(&json!({"do": "stuck"})) == json!(true) {
            return true;
        }
        if running.has_ended() {
            return false;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}
