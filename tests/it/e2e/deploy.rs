//! What `alchemy deploy` does, and what it refuses.

use serde_json::{Value, json};

use super::lab::{ACME, App, Lab, OTHER};
use crate::support::process::{Running, run};

/// The text of a plain binding of a Worker's newest version.
fn binding(worker: &Value, name: &str) -> Value {
    let bindings = worker["versions"][0]["bindings"].as_array().expect("a list");
    bindings.iter().find(|binding| binding["name"] == name).cloned().unwrap_or_default()
}

/// Adds a database and a bucket to alchemy.config.ts.
const END_OF_RESOURCES: (&str, &str) = (
    "\n  },\n\n  // In the order",
    "\n    orders: { type: \"d1\" },\n    pictureStore: { type: \"r2\" },\n  },\n\n  // In the order",
);

#[test]
fn profile_and_stage_both_mean_the_environment() {
    let lab = Lab::start();
    let mut app = App::on_two_accounts(&lab, "promotion-test", &["with_kv=true", "github_repository=acme/shop"]);
    let staging = format!("      account: \"{}\",\n", OTHER.0);
    let own = format!("{staging}      vars: {{ GREETING: \"hello, staging\" }},\n      secrets: [\"API_KEY\"],\n");
    app.edit("alchemy.config.ts", &staging, &own);
    let commit = app.commit("Greet staging");
    let deploy = |args: &[&str]| {
        let mut command = app.alchemy(&[&["deploy"], args].concat());
        run(command.env("API_KEY", "the secret").env("ALCHEMY_PASSWORD", "the password")).succeeds()
    };

    deploy(&["--profile", "staging"]);
    let state = lab.state();
    let worker = &state["workers"]["promotion-test-api-staging"];
    assert_eq!(worker["account"], OTHER.0);
    assert_eq!(binding(worker, "ENVIRONMENT")["text"], "staging");
    assert_eq!(binding(worker, "GREETING")["text"], "hello, staging");
    assert_eq!(binding(worker, "API_KEY"), json!({"type": "secret_text", "name": "API_KEY"}));
    assert_eq!(binding(worker, "APP_VERSION")["text"], commit);
    assert_eq!(binding(worker, "APP_ID")["text"], "acme/shop:.");
    assert_eq!(state["domains"], json!({"staging.example.org": "promotion-test-api-staging"}));
    assert_eq!(state["data"], json!([{"account": OTHER.0, "type": "kv", "name": "promotion-test-cache-staging"}]));
    let (status, health) = lab.visit("https://staging.example.org/health");
    assert_eq!((status, &health["version"]), (200, &json!(commit)));
    let calls = lab.calls(&[""]);
    assert!(calls.iter().all(|call| !call.contains(ACME.0)), "prod's account was asked: {calls:#?}");

    // The other spelling is the same environment, and nothing that stayed the same is written again.
    deploy(&["--stage", "staging"]);
    let script = format!("/accounts/{}/workers/scripts/promotion-test-api-staging", OTHER.0);
    // Alchemy sends the two at once: which one arrives first is nobody's promise.
    let mut changes = lab.changes();
    changes.sort();
    assert_eq!(changes, [format!("POST {script}/subdomain"), format!("PUT {script}")]);

    // Prod shares nothing with it.
    deploy(&["--profile", "prod"]);
    let calls = lab.calls(&[""]);
    assert!(calls.iter().all(|call| !call.contains(OTHER.0)), "staging's account was asked: {calls:#?}");
    let state = lab.state();
    let prod = &state["workers"]["promotion-test-api-prod"];
    assert_eq!(prod["account"], ACME.0);
    assert_eq!(binding(prod, "ENVIRONMENT")["text"], "prod");
    assert_eq!(binding(prod, "GREETING"), Value::Null);
    assert_eq!(binding(prod, "API_KEY"), Value::Null);
    let stores = ["promotion-test-state-staging", "promotion-test-state-prod"];
    assert_eq!(stores.map(|store| state["workers"][store]["account"].clone()), [OTHER.0, ACME.0]);
    assert_eq!(lab.visit("https://example.com/health").1["environment"], "prod");
}

#[test]
fn what_names_no_environment_exits_2() {
    let lab = Lab::start();
    let app = App::on_one_account(&lab, "promotion-test", &[]);
    let refused = |args: &[&str], env: &[(&str, &str)], said: &str| {
        let output = run(app.alchemy(args).envs(env.iter().copied())).exits(2);
        assert!(output.contains(said), "{args:?} does not say {said:?}:\n{output}");
        assert!(!output.contains("    at "), "{args:?} shows a stack:\n{output}");
    };
    let known = "alchemy.config.ts defines: staging, prod";
    refused(&["deploy", "--profile", "production"], &[], known);
    refused(&["deploy", "--stage", "production"], &[], known);
    refused(&["deploy", "--profile", "staging", "--stage", "prod"], &[], "two different environments");
    refused(&["deploy"], &[("CI", "true")], "--profile staging or --profile prod");
    refused(&["deploy"], &[], "no Cloudflare credentials for dev-owner: run `bun run alchemy login`");
    refused(&["destroy", "--profile", "prod"], &[], "prod is not destroyed by a command");
    refused(&["destroy", "--stage", "staging"], &[], "staging is not destroyed by a command");

    fs_err::remove_file(app.dir.join(".env.prod")).expect("it was made");
    let token = ("CLOUDFLARE_API_TOKEN", ACME.1);
    refused(&["deploy", "--profile", "prod"], &[], "no CLOUDFLARE_API_TOKEN for prod");
    refused(&["deploy", "--profile", "prod"], &[token], "no ALCHEMY_STATE_TOKEN for prod");
    app.edit("alchemy.config.ts", "    prod: {\n", "    prod: {\n      secrets: [\"API_KEY\"],\n");
    let state = ("ALCHEMY_STATE_TOKEN", "state-of-prod");
    refused(&["deploy", "--profile", "prod"], &[token, state], "not set for prod: API_KEY, ALCHEMY_PASSWORD");
    app.edit("alchemy.config.ts", "type: \"worker\"", "type: \"queue\" as \"worker\"");
    refused(&["deploy", "--profile", "prod"], &[token, state], "type \"queue\"; known: worker, kv, d1, r2");
    assert_eq!(lab.calls(&[""]), Vec::<String>::new(), "all of this is known without Cloudflare");

    // What Cloudflare refuses is told in one line, too.
    app.edit("alchemy.config.ts", "type: \"queue\" as \"worker\"", "type: \"worker\"");
    app.edit("alchemy.config.ts", "      secrets: [\"API_KEY\"],\n", "");
    let mut deploy = app.alchemy(&["deploy", "--profile", "prod"]);
    let output = run(deploy.envs([("CLOUDFLARE_API_TOKEN", "wrong"), state])).exits(1);
    assert!(output.contains("(CLOUDFLARE_API_TOKEN is wrong, or may not do this in the account 1111"), "{output}");
    assert!(!output.contains("    at "), "{output}");
}

#[test]
fn an_interrupted_first_deploy_can_be_repeated() {
    let lab = Lab::start();
    let app = App::on_one_account(&lab, "promotion-test", &["with_kv=true"]);
    app.edit("alchemy.config.ts", END_OF_RESOURCES.0, END_OF_RESOURCES.1);
    let kill_in = |method: &str, path: &str| {
        let fault = json!({"method": method, "path": path, "never": "hang", "times": 1});
        lab.ask(&json!({"do": "fault", "fault": fault}));
        let deploy = Running::start(&mut app.alchemy(&["deploy", "--profile", "staging"]));
        lab.ask(&json!({"do": "held"}));
        drop(deploy); // killed: Cloudflare did it, and Alchemy's state does not know
    };
    kill_in("POST", "/storage/kv/namespaces");
    kill_in("POST", "/d1/database");
    kill_in("POST", "/r2/buckets");
    kill_in("PUT", "/scripts/promotion-test-api-staging");
    assert!(lab.live("promotion-test-api-staging").ends_with(" 100"), "it is there, half-way");

    run(&mut app.alchemy(&["deploy", "--profile", "staging"])).succeeds();
    assert_eq!(lab.visit("https://staging.example.com/health").0, 200);
    assert_eq!(lab.visit("https://staging.example.com/visits").1, json!({"count": 1}));
    let mut types: Vec<Value> =
        lab.state()["data"].as_array().expect("a list").iter().map(|data| data["type"].clone()).collect();
    types.sort_by_key(Value::to_string);
    assert_eq!(types, ["d1", "kv", "r2"], "one of each");
}

#[test]
fn what_belongs_to_somebody_else_is_left_alone() {
    let lab = Lab::start();
    let app = App::on_one_account(&lab, "promotion-test", &["with_kv=true", "github_repository=acme/shop"]);
    let seed = |name: &str, owner: &str| {
        let bindings = json!([{"type": "plain_text", "name": "APP_ID", "text": owner}]);
        let script = "export default { fetch: () => Response.json('theirs') }";
        let bindings = if owner.is_empty() { json!([]) } else { bindings };
        lab.ask(&json!({"do": "seed-worker", "account": ACME.0, "name": name, "script": script, "bindings": bindings}));
    };
    seed("promotion-test-api-staging", "other/shop:.");
    seed("promotion-test-api-prod", "");
    let before = lab.state();

    let refused = |environment: &str, said: &[&str]| {
        let output = run(&mut app.alchemy(&["deploy", "--profile", environment])).exits(2);
        for said in said {
            assert!(output.contains(said), "{environment} does not say {said:?}:\n{output}");
        }
    };
    refused("staging", &["belongs to \"other/shop:.\"", "`names: { api: \"promotion-test-api-staging\" }`"]);
    refused("prod", &["was not made by this app", "`names: { api: \"promotion-test-api-prod\" }`"]);
    assert_eq!(lab.state(), before);
    assert_eq!(lab.changes(), Vec::<String>::new());

    // The owner says that it is theirs.
    let named = "    staging: {\n      names: { api: \"promotion-test-api-staging\" },\n";
    app.edit("alchemy.config.ts", "    staging: {\n", named);
    run(&mut app.alchemy(&["deploy", "--profile", "staging"])).succeeds();
    assert_eq!(lab.visit("https://staging.example.com/health").1["environment"], "staging");
}

/// Somebody's Worker with data of all three types, which it writes at first and tells ever after.
const THEIRS: &str = r#"
export default {
  async fetch(request, { KV, DB, BUCKET }) {
    if (request.url.endsWith("/write")) {
      await KV.put("whose", "theirs");
      await DB.exec("create table whose (name text)");
      await DB.exec("insert into whose values ('theirs')");
      await BUCKET.put("whose", "theirs");
    }
    const { name } = await DB.prepare("select name from whose").first();
    return Response.json([await KV.get("whose"), name, await (await BUCKET.get("whose")).text()]);
  },
};
"#;

#[test]
fn data_of_somebody_else_is_left_alone() {
    let lab = Lab::start();
    let app = App::on_one_account(&lab, "promotion-test", &["with_kv=true"]);
    app.edit("alchemy.config.ts", END_OF_RESOURCES.0, END_OF_RESOURCES.1);
    let resources = [
        ("kv", "cache", "promotion-test-cache-staging"),
        ("d1", "orders", "promotion-test-orders-staging"),
        ("r2", "pictureStore", "promotion-test-picturestore-staging"),
    ];
    let ids = resources
        .map(|(kind, _, name)| lab.ask(&json!({"do": "seed-data", "account": ACME.0, "type": kind, "name": name})));
    let bindings = json!([
        {"type": "kv_namespace", "name": "KV", "namespace_id": ids[0]},
        {"type": "d1", "name": "DB", "id": ids[1]},
        {"type": "r2_bucket", "name": "BUCKET", "bucket_name": resources[2].2},
    ]);
    lab.ask(&json!({"do": "seed-worker", "account": ACME.0, "name": "theirs", "script": THEIRS, "bindings": bindings}));
    let theirs = (200, json!(["theirs", "theirs", "theirs"]));
    assert_eq!(lab.visit("https://theirs.acme.workers.dev/write"), theirs);
    let before = lab.state()["data"].take();

    // One after the other is refused until the owner says that it is theirs, too.
    let mut names = "names: { ".to_owned();
    app.edit("alchemy.config.ts", "    staging: {\n", &format!("    staging: {{\n      {names}}},\n"));
    for (kind, id, name) in resources {
        let output = run(&mut app.alchemy(&["deploy", "--profile", "staging"])).exits(2);
        assert!(output.contains(&format!("{kind} \"{name}\" exists and is not known to be this app's")), "{output}");
        assert!(output.contains(&format!("add `names: {{ {id}: \"{name}\" }}` to the profile staging")), "{output}");
        assert_eq!(lab.state()["data"], before);
        assert_eq!(lab.visit("https://theirs.acme.workers.dev/"), theirs);
        assert_eq!(lab.worker("promotion-test-api-staging"), Value::Null);
        let longer = format!("{names}{id}: \"{name}\", ");
        app.edit("alchemy.config.ts", &names, &longer);
        names = longer;
    }
    run(&mut app.alchemy(&["deploy", "--profile", "staging"])).succeeds();
    assert_eq!(lab.state()["data"], before, "used as they are");
    assert_eq!(lab.visit("https://theirs.acme.workers.dev/"), theirs);
    assert_eq!(lab.visit("https://staging.example.com/visits").1, json!({"count": 1}));
}

#[test]
fn worker_kv_d1_and_r2_work_and_outlive_the_config() {
    let lab = Lab::start();
    let app = App::on_one_account(&lab, "promotion-test", &["with_kv=true"]);
    app.edit("alchemy.config.ts", END_OF_RESOURCES.0, END_OF_RESOURCES.1);
    app.edit(
        "src/api.ts",
        "      case \"/health\":",
        "      case \"/data\": {\n        const e = env as any;\n        await e.PICTURE_STORE.put(\"a\", \"picture\");\n        \
         const picture = await (await e.PICTURE_STORE.get(\"a\")).text();\n        \
         const row = await e.ORDERS.prepare(\"select 1 + 1 as two\").first();\n        \
         return Response.json({ picture, row });\n      }\n      case \"/health\":",
    );
    run(&mut app.alchemy(&["deploy", "--profile", "staging"])).succeeds();
    let kinds = |state: &Value| {
        let data = state["data"].as_array().expect("a list").iter();
        data.map(|data| format!("{} {}", data["type"].as_str().unwrap(), data["name"].as_str().unwrap()))
            .collect::<Vec<_>>()
    };
    let mut made = kinds(&lab.state());
    made.sort();
    let names = [
        "d1 promotion-test-orders-staging",
        "kv promotion-test-cache-staging",
        "r2 promotion-test-picturestore-staging",
    ];
    assert_eq!(made, names);
    let data = json!({"picture": "picture", "row": {"two": 2}});
    assert_eq!(lab.visit("https://staging.example.com/data"), (200, data));
    assert_eq!(lab.visit("https://staging.example.com/visits"), (200, json!({"count": 1})));

    // An old commit never had the database: deploying it must not delete data.
    app.edit("alchemy.config.ts", "    orders: { type: \"d1\" },\n    pictureStore: { type: \"r2\" },\n", "");
    run(&mut app.alchemy(&["deploy", "--profile", "staging"])).succeeds();
    assert_eq!(kinds(&lab.state()).len(), 3);
    assert_eq!(lab.changes().iter().filter(|call| call.starts_with("DELETE")).count(), 0);
}

#[test]
fn a_database_gets_each_migration_once_and_in_order() {
    let lab = Lab::start();
    let app = App::on_one_account(&lab, "promotion-test", &[]);
    let resources = END_OF_RESOURCES.1.replace("\"d1\"", "\"d1\", migrations: \"./migrations\"");
    app.edit("alchemy.config.ts", END_OF_RESOURCES.0, &resources);
    let deploy = |environment: &str| run(&mut app.alchemy(&["deploy", "--profile", environment]));
    let applied = |environment: &str| {
        let name = format!("promotion-test-orders-{environment}");
        let sql = "SELECT group_concat(name) AS names FROM (SELECT name FROM d1_migrations ORDER BY id)";
        lab.ask(&json!({"do": "query", "database": name, "sql": sql}))[0]["names"].take()
    };
    let output = deploy("staging").exits(2);
    assert!(output.contains("\"orders\" has migrations in ./migrations, where there is no folder"), "{output}");

    let write = |name: &str, sql: &str| fs_err::write(app.dir.join("migrations").join(name), sql).expect("writable");
    fs_err::create_dir(app.dir.join("migrations")).expect("new");
    write("0002_price.sql", "ALTER TABLE orders ADD COLUMN price INTEGER;");
    write("0001_orders.sql", "CREATE TABLE orders (id INTEGER PRIMARY KEY);");
    deploy("staging").succeeds();
    assert_eq!(applied("staging"), "0001_orders.sql,0002_price.sql");
    write("0003_name.sql", "ALTER TABLE orders ADD COLUMN name TEXT;");
    deploy("staging").succeeds();
    assert_eq!(applied("staging"), "0001_orders.sql,0002_price.sql,0003_name.sql");
    deploy("prod").succeeds();
    assert_eq!(applied("prod"), applied("staging"));

    write("0004_typo.sql", "ALTER orders ADD COLUMN typo TEXT;");
    let before = lab.live("promotion-test-api-staging");
    let failed = deploy("staging");
    assert!(failed.code != 0 && failed.output.contains("syntax error"), "{}", failed.output);
    assert_eq!(applied("staging"), "0001_orders.sql,0002_price.sql,0003_name.sql");
    assert_eq!(lab.live("promotion-test-api-staging"), before);
}
