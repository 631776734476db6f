//! The template's own history, replayed: projects of every old version, edited as people do, come to the newest one step by step
//! and in one leap, with the same result and with every edit. `tests/history/README.md` says where the old versions are.

use std::path::Path;
use std::process::Command;

use crate::support::place::Place;
use crate::support::tree;
use fs_err as fs;

/// A place with the old versions in a bare repository, and their commits, the oldest first.
fn history() -> (Place, Vec<String>) {
    let place = Place::new();
    let bundle = root().join("tests/history/template.bundle");
    place.git("", &["clone", "--quiet", "--bare", bundle.to_str().unwrap(), "history"]);
    let commits = place.git("history", &["rev-list", "--reverse", "main"]);
    (place, commits.lines().map(str::to_owned).collect())
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Makes `template` the version of a commit; without one, the newest.
fn set_template(place: &Place, commit: Option<&String>) {
    if place.has("template") {
        fs::remove_dir_all(place.path("template")).unwrap();
    }
    let Some(commit) = commit else { return place.template() };
    fs::create_dir(place.path("template")).unwrap();
    let arguments =
        ["--work-tree=../template", "-c", "core.bare=false", "-c", "core.autocrlf=false", "checkout", "--force"];
    place.git("history", &[&arguments[..], &[commit, "--", "."]].concat());
}

/// A file, and a text of the user's that it must have after every upgrade.
const EDITS: &[(&str, &str)] = &[
    ("package.json", "\"hono\": \"4.10.4\""),
    ("package.json", "\"prices\": \"bun scripts/prices.ts\""),
    ("alchemy.config.ts", "domain: \"shop.example.com\""),
    ("alchemy.config.ts", "store: { type: \"d1\" }"),
    ("README.md", "Ask the owner before you change the prices."),
    ("alchemy.config.ts", "secrets: [\"PRICE_KEY\"]"),
    (".github/workflows/ci.yml", "- run: bun run prices"),
    (".github/workflows/promote.yml", "PRICE_KEY: ${{ secrets.PRICE_KEY }}"),
    ("scripts/prices.ts", "console.log(\"1.00\");"),
    ("src/api.ts", "// The shop's own.\n"),
    (".gitignore", "/prices.csv\n"),
    ("handbook/promotion.md", "The owner approves.\n"),
];

/// What the user moved away or deleted.
const MOVED_AND_DELETED: [&str; 2] = ["COMMANDS.md", "docs/PROMOTION.md"];

fn edit(place: &Place) {
    place.edit(
        "shop/package.json",
        "  \"devDependencies\": {",
        "  \"dependencies\": {\n    \"hono\": \"4.10.4\"\n  },\n  \"devDependencies\": {",
    );
    place.edit("shop/package.json", "    \"dev\":", "    \"prices\": \"bun scripts/prices.ts\",\n    \"dev\":");
    place.edit("shop/alchemy.config.ts", "    prod: {},\n", "    prod: { domain: \"shop.example.com\" },\n");
    place.edit("shop/alchemy.config.ts", "  resources: {\n", "  resources: {\n    store: { type: \"d1\" },\n");
    place.edit(
        "shop/README.md",
        "<!-- create-app:begin promotion -->",
        "Ask the owner before you change the prices.\n\n<!-- create-app:begin promotion -->",
    );
    place.edit(
        "shop/.github/workflows/ci.yml",
        "      - run: bun test",
        "      - run: bun run prices\n      - run: bun test",
    );
    place.edit("shop/alchemy.config.ts", "    staging: {},\n", "    staging: { secrets: [\"PRICE_KEY\"] },\n");
    let last = "          # A line for each secret that a profile in alchemy.config.ts declares goes here.\n";
    let line = "          PRICE_KEY: ${{ secrets.PRICE_KEY }}\n";
    place.edit("shop/.github/workflows/promote.yml", last, &format!("{last}{line}"));
    place.write("shop/scripts/prices.ts", "console.log(\"1.00\");\n");
    place.write("shop/src/api.ts", format!("// The shop's own.\n{}", place.read("shop/src/api.ts")));
    place.write("shop/.gitignore", format!("{}/prices.csv\n", place.read("shop/.gitignore")));
    place.rename("shop/docs/PROMOTION.md", "shop/handbook/promotion.md");
    // Above the title: at the end, the template's next section would be a conflict, and rightly.
    place.write(
        "shop/handbook/promotion.md",
        format!("The owner approves.\n\n{}", place.read("shop/handbook/promotion.md")),
    );
    place.remove("shop/COMMANDS.md");
}

/// Upgrades the project at `shop`, which must be without conflict, and commits it.
fn upgrade(place: &Place) {
    place.app("shop", &["upgrade", "--silent"]).ended(0);
    place.git("shop", &["add", "--all"]);
    place.git("shop", &["commit", "--quiet", "--allow-empty", "--message", "Upgrade"]);
}

/// The project and its record.
fn everything(place: &Place) -> [tree::Tree; 2] {
    ["shop", "shop/.create-app"].map(|at| tree::read(&place.path(at)))
}

/// What the template makes as it is now.
fn fresh(place: &Place) -> tree::Tree {
    fs::create_dir_all(place.path("fresh")).unwrap();
    place.app("fresh", &["shop", "--silent", "--path", "../template"]).ended(0);
    let fresh = tree::read(&place.path("fresh/shop"));
    fs::remove_dir_all(place.path("fresh")).unwrap();
    fresh
}

#[test]
fn one_leap_leads_where_many_steps_lead() {
    let (place, commits) = history();
    assert!(commits.len() >= 4);
    for (at, first) in commits.iter().enumerate() {
        set_template(&place, Some(first));
        place.app("", &["shop", "--silent", "--path", "template"]).ended(0);
        edit(&place);
        place.git("shop", &["add", "--all"]);
        place.git("shop", &["commit", "--quiet", "--message", "Make it ours"]);
        let start = place.git("shop", &["rev-parse", "HEAD"]);

        for next in commits[at + 1..].iter().map(Some).chain([None]) {
            set_template(&place, next);
            upgrade(&place);
        }
        let by_steps = everything(&place);
        place.git("shop", &["reset", "--quiet", "--hard", start.trim()]);
        place.git("shop", &["clean", "--quiet", "-xfd"]);
        upgrade(&place);
        let by_leap = everything(&place);
        for (leap, steps) in by_leap.iter().zip(&by_steps) {
            assert_eq!(tree::differences(steps, leap), "", "from version {}", at + 1);
        }
        // What the user left alone is what the newest template makes.
        let fresh = fresh(&place);
        let edited: Vec<&str> = EDITS.iter().map(|(file, _)| *file).chain(MOVED_AND_DELETED).collect();
        let left_alone = fresh.iter().filter(|(path, _)| !edited.contains(&path.as_str()));
        for (path, file) in left_alone {
            assert!(by_leap[0].get(path) == Some(file), "{path} is not the newest, version {}", at + 1);
        }
        for (file, text) in EDITS {
            assert!(
                place.read(&format!("shop/{file}")).contains(text),
                "`{text}` is lost from {file}, version {}",
                at + 1
            );
        }
        for gone in MOVED_AND_DELETED {
            assert!(!place.has(&format!("shop/{gone}")), "{gone} came back, version {}", at + 1);
        }
        place.app("shop", &["check"]).ended(0);
        place.app("shop", &["upgrade", "--silent"]).ended(0).has("already up to date");
        fs::remove_dir_all(place.path("shop")).unwrap();
    }
}

#[test]
fn the_old_versions_are_those_of_this_repository() {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").current_dir(root()).args(arguments).output().unwrap();
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
    };
    let versions = git(&["log", "--format=%H", "--", "template"])
        .filter(|_| git(&["rev-parse", "--is-shallow-repository"]).is_some_and(|shallow| shallow.trim() == "false"));
    let Some(versions) = versions else {
        eprintln!("skipped: this clone has no history to compare tests/history with");
        return;
    };
    let ours: Vec<String> =
        versions.lines().filter_map(|commit| git(&["rev-parse", &format!("{commit}:template")])).collect();
    let (place, commits) = history();
    for commit in commits {
        let tree = place.git("history", &["rev-parse", &format!("{commit}^{{tree}}")]);
        assert!(ours.contains(&tree), "{commit} is no version of template/");
    }
}
