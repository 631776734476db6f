//! The life of a project: made, edited as people do, upgraded, checked. By the real program, and the real git.

mod abort;
mod commit;

use crate::support::place::Place;
use crate::support::tree;

/// A project from a copy of the embedded template, committed; the template is then taken one version further.
fn project(at: &str) -> Place {
    let place = Place::new();
    place.template();
    place.git("", &["init", "--quiet"]);
    place.write(".gitignore", "/template/\nnode_modules/\n");
    place.app("", &[at, "--silent", "--path", "template"]).ended(0);
    place.commit("");
    place.edit("template/cargo-generate.toml", "version = \"3.0.0\"", "version = \"3.1.0\"");
    place
}

/// The whole project, record included.
fn everything(place: &Place, at: &str) -> [tree::Tree; 2] {
    [tree::read(&place.path(at)), tree::read(&place.path(&format!("{at}/.create-app")))]
}

#[track_caller]
fn assert_done(place: &Place, at: &str) {
    let before = everything(place, at);
    let said = place.app("", &["upgrade", at, "--silent", "--allow-dirty"]).ended(0);
    assert!(said.out.contains("already up to date"), "{}", said.out);
    assert_eq!(everything(place, at), before);
}

#[test]
fn an_untouched_project_becomes_what_the_template_makes_now() {
    let place = project("shop");
    place.edit("template/package.json", "\"private\": true", "\"private\": true,\n  \"sideEffects\": false");
    place.write("template/scripts/new.sh", "#!/bin/sh\n");
    place.remove("template/COMMANDS.md");
    place.rename("template/docs/PROMOTION.md", "template/docs/release/PROMOTION.md");
    let said = place.app("", &["upgrade", "shop", "--silent"]).ended(0);
    let expected = "\
shop: template 3.0.0 -> 3.1.0
  deleted   COMMANDS.md: deleted in the template
  moved     docs/PROMOTION.md -> docs/release/PROMOTION.md: moved in the template
  updated   package.json: changed in the template
  created   scripts/new.sh: new in the template

Next steps:

  cd shop
  bun install
  git add --all -- .create-app COMMANDS.md bun.lock docs/PROMOTION.md docs/release/PROMOTION.md package.json scripts/new.sh
  git commit --message 'Upgrade template 3.0.0 -> 3.1.0'
";
    assert_eq!(said.out, expected);
    place.git("", &["init", "--quiet", "fresh"]);
    place.app("fresh", &["shop", "--silent", "--path", "../template"]).ended(0);
    let [upgraded, fresh] = ["shop", "fresh/shop"].map(|at| tree::read(&place.path(at)));
    assert_eq!(tree::differences(&fresh, &upgraded), "");
    assert_done(&place, "shop");
    place.app("", &["check", "shop", "--pristine", "--upstream"]).ended(0);
}

#[test]
fn the_date_that_a_project_shows_is_that_of_its_first_day() {
    let place = Place::new();
    place.write("template/LICENSE", "{{ 'now' | date: '%Y-%m-%d %H:%M:%S' }}\n");
    place.write("template/undated", "x\n");
    place.app("", &["shop", "--silent", "--path", "template"]).ended(0);
    place.commit("shop");
    let shown = place.read("shop/LICENSE");
    let recorded = format!("date = {}Z\n", shown.trim().replace(' ', "T"));
    assert!(place.read("shop/.create-app/lock.toml").contains(&recorded), "{recorded}");

    // As if it had been made on another day: what the record says is what a render shows.
    place.edit("shop/.create-app/lock.toml", &recorded, "date = 2020-02-29T23:59:58Z\n");
    place.app("", &["upgrade", "shop", "--allow-dirty"]).ended(0).has("updated   LICENSE");
    assert_eq!(place.read("shop/LICENSE"), "2020-02-29 23:59:58\n");
    place.commit("shop");
    assert_done(&place, "shop");
    assert_eq!(place.app("", &["diff", "shop", "--upstream"]).ended(0).out, "");

    // A template that shows no date any longer leaves none in the record, and one that shows it later shows that day's.
    place.write("template/LICENSE", "Mine.\n");
    place.app("", &["upgrade", "shop"]).ended(0);
    assert!(!place.read("shop/.create-app/lock.toml").contains("date = "));
    place.write("template/LICENSE", "{{ 'today' | date: '%Y' }}\n");
    place.app("", &["upgrade", "shop", "--allow-dirty"]).ended(0);
    let lock = place.read("shop/.create-app/lock.toml");
    let year = place.read("shop/LICENSE");
    assert!(year != "2020\n" && lock.contains(&format!("\ndate = {}-", year.trim())), "{year}{lock}");
}

#[test]
fn edits_survive_and_what_was_deleted_stays_deleted() {
    let place = project("shop");
    place.edit("shop/package.json", "\"private\": true", "\"private\": true,\n  \"license\": \"MIT\"");
    place.remove("shop/COMMANDS.md");
    place.rename("shop/docs/PROMOTION.md", "shop/handbook/promotion.md");
    place.write("shop/src/api.ts", "// mine\n");
    place.commit("");
    place.edit("template/package.json", "\"type\": \"module\"", "\"type\": \"module\",\n  \"sideEffects\": false");
    let text = place.read("template/COMMANDS.md");
    place.write("template/COMMANDS.md", format!("{text}\nMore.\n"));
    let text = place.read("template/docs/PROMOTION.md");
    place.write("template/docs/PROMOTION.md", format!("{text}\nMore.\n"));
    place.write("template/src/api.ts", "// the template's\n");
    let said = place.app("shop", &["upgrade", "--silent"]).ended(0);
    assert!(said.out.contains("updated   package.json: changed by you and in the template; merged\n"), "{}", said.out);
    assert!(said.out.contains("updated   handbook/promotion.md: changed in the template\n"), "{}", said.out);
    assert!(place.read("shop/package.json").contains("\"license\": \"MIT\""));
    assert!(place.read("shop/package.json").contains("\"sideEffects\": false"));
    assert!(place.read("shop/handbook/promotion.md").ends_with("\nMore.\n"));
    assert!(!place.has("shop/docs/PROMOTION.md") && !place.has("shop/COMMANDS.md"));
    assert_eq!(place.read("shop/src/api.ts"), "// mine\n");
    assert_done(&place, "shop");
}

#[test]
fn a_conflict_is_gits_until_it_is_resolved() {
    let place = project("apps/shop");
    place.edit("apps/shop/.env.example", "# None of", "# Mine: none of");
    place.commit("");
    place.edit("template/.env.example", "# None of", "# Theirs: none of");
    let said = place.app("apps/shop", &["upgrade", "--silent"]).ended(1);
    assert!(said.out.starts_with(".: template 3.0.0 -> 3.1.0, with 1 conflict to resolve\n"), "{}", said.out);
    assert!(said.out.contains("CONFLICT  .env.example: you and the template changed the same lines\n"), "{}", said.out);
    assert!(place.git("", &["status", "--porcelain"]).contains("UU apps/shop/.env.example\n"));
    for (stage, text) in [(1, "# None of"), (2, "# Mine: "), (3, "# Theirs: ")] {
        let shown = place.git("", &["show", &format!(":{stage}:apps/shop/.env.example")]);
        assert!(shown.contains(text), "{stage}: {shown}");
    }
    place.app("apps/shop", &["check"]).ended(1).has("conflict  .env.example: unmerged in git, conflict markers\n");
    // The lock has moved on, and still there is nothing to be content with.
    let again = place.app("apps/shop", &["upgrade", "--silent"]).ended(1);
    assert!(again.out.is_empty() && again.err.contains("`.env.example` has an unresolved conflict"), "{}", again.err);
    place.git("apps/shop", &["checkout", "--quiet", "--ours", ".env.example"]);
    place.git("apps/shop", &["add", ".env.example"]);
    place.app("apps/shop", &["check"]).ended(0).has("edited    .env.example\n");
    assert!(place.read("apps/shop/.env.example").contains("# Mine: "));
    place.commit("");
    assert_done(&place, "apps/shop");
}

#[test]
fn a_conflict_can_be_decided_beforehand() {
    for (side, text) in [("ours", "# Mine: "), ("theirs", "# Theirs: ")] {
        let place = project("shop");
        place.edit("shop/.env.example", "# None of", "# Mine: none of");
        place.commit("");
        place.edit("template/.env.example", "# None of", "# Theirs: none of");
        place.app("shop", &["upgrade", "--silent", "--conflict", side]).ended(0);
        assert!(place.read("shop/.env.example").contains(text));
        place.app("shop", &["check"]).ended(0);
    }
}

#[test]
fn a_path_that_git_ignores_never_gets_into_the_index() {
    let place = project("shop");
    place.write(".gitignore", "/template/\n/shop/scripts/rollback.sh\n");
    place.git("", &["rm", "--quiet", "--cached", "shop/scripts/rollback.sh"]);
    place.commit("");
    place.edit("shop/scripts/rollback.sh", "#!/usr/bin/env bash", "#!/bin/mine");
    place.edit("template/scripts/rollback.sh", "#!/usr/bin/env bash", "#!/bin/theirs");
    let said = place.app("shop", &["upgrade", "--silent"]).ended(1);
    assert!(said.out.contains("see `scripts/rollback.sh.theirs`"), "{}", said.out);
    assert_eq!(place.git("", &["ls-files", "--unmerged"]), "");
    assert!(place.read("shop/scripts/rollback.sh").contains("#!/bin/mine"));
    place.app("shop", &["check"]).ended(1).has("`scripts/rollback.sh.theirs` is beside it");
    place.remove("shop/scripts/rollback.sh.theirs");
    place.app("shop", &["check"]).ended(0);
}

#[test]
fn what_is_not_committed_is_refused_or_copied() {
    let place = project("shop");
    place.edit("shop/package.json", "\"private\": true", "\"private\": true,\n  \"license\": \"MIT\"");
    place.write("shop/notes.md", "mine\n");
    place.edit("template/package.json", "\"type\": \"module\"", "\"type\": \"module\",\n  \"sideEffects\": false");
    let before = everything(&place, "shop");
    let said = place.app("shop", &["upgrade", "--silent"]).ended(2);
    assert!(said.err.contains("error[P007]: `shop/package.json` has uncommitted changes"), "{}", said.err);
    assert_eq!(everything(&place, "shop"), before);
    let said = place.app("shop", &["upgrade", "--silent", "--allow-dirty"]).ended(0);
    assert!(said.out.contains("copies are in .create-app/backup/1:\n  shop/package.json\n"), "{}", said.out);
    let (_, mine) = &before[0]["package.json"];
    assert_eq!(place.read("shop/.create-app/backup/1/shop/package.json").as_bytes(), mine);
    assert!(!place.git("", &["status", "--porcelain"]).contains("backup"));
}

#[test]
fn what_the_upgrade_does_not_touch_may_be_dirty() {
    let place = project("shop");
    place.write("shop/README.md", "# Mine\n");
    place.write("template/scripts/new.sh", "#!/bin/sh\n");
    place.app("shop", &["upgrade", "--silent"]).ended(0);
    assert_eq!(place.read("shop/README.md"), "# Mine\n");
}

#[test]
fn without_git_everything_that_is_replaced_is_copied() {
    let place = Place::new();
    place.template();
    place.app("", &["shop", "--silent", "--path", "template", "--vcs", "none"]).ended(0);
    place.edit("shop/.env.example", "# None of", "# Mine: none of");
    place.edit("template/.env.example", "# None of", "# Theirs: none of");
    place.edit("template/package.json", "\"private\": true", "\"private\": false");
    let said = place.app("", &["upgrade", "shop", "--silent"]).ended(1);
    assert!(said.out.contains("copies are in .create-app/backup/1:\n  .env.example\n  package.json\n"), "{}", said.out);
    assert!(place.read("shop/.env.example").contains("<<<<<<< yours\n"));
    place.app("", &["check", "shop"]).ended(1).has("conflict  .env.example: conflict markers\n");
}

#[test]
fn a_dry_run_says_exactly_what_the_run_does() {
    let place = project("apps/shop");
    place.edit("apps/shop/.env.example", "# None of", "# Mine: none of");
    place.commit("");
    place.edit("template/.env.example", "# None of", "# Theirs: none of");
    place.edit("template/package.json", "\"private\": true", "\"private\": false");
    for json in [&[][..], &["--json"]] {
        let before = everything(&place, "apps/shop");
        let dry = place.app("", &[&["upgrade", "apps/shop", "--silent", "--dry-run"], json].concat()).ended(1);
        assert_eq!(everything(&place, "apps/shop"), before);
        if json.is_empty() {
            continue;
        }
        let value: serde_json::Value = serde_json::from_str(&dry.out).unwrap();
        assert_eq!((value["format"].as_u64(), value["conflicts"].as_u64()), (Some(1), Some(1)));
        assert_eq!(value["changes"].as_array().unwrap().len(), 2);
    }
    let dry = place.app("", &["upgrade", "apps/shop", "--silent", "--dry-run"]).ended(1);
    assert_eq!(place.app("", &["upgrade", "apps/shop", "--silent"]).ended(1).out, dry.out);
}

#[test]
fn an_answer_is_changed_on_the_same_version() {
    let place = Place::new();
    place.app("", &["shop", "--silent"]).ended(0);
    place.app("", &["./kv/shop", "--silent", "-d", "with_kv=true"]).ended(0);
    place.commit("shop");
    place.app("shop", &["upgrade", "--silent", "-d", "with_kv=true"]).ended(0);
    let [upgraded, fresh] = ["shop", "kv/shop"].map(|at| everything(&place, at));
    let without_own = |tree: &tree::Tree| -> tree::Tree {
        tree.iter()
            .filter(|(path, _)| !path.starts_with("src/"))
            .map(|(path, file)| (path.clone(), file.clone()))
            .collect()
    };
    assert_eq!(tree::differences(&without_own(&fresh[0]), &without_own(&upgraded[0])), "");
    assert_eq!(tree::differences(&fresh[1], &upgraded[1]), "");
    assert_done(&place, "shop");
}

#[test]
fn a_clone_under_another_name_is_still_the_same_app() {
    let place = Place::new();
    place.app("", &["shop", "--silent"]).ended(0);
    place.commit("shop");
    place.git("", &["clone", "--quiet", "shop", "elsewhere"]);
    place.app("elsewhere", &["upgrade", "--silent"]).ended(0).has("already up to date");
}

#[test]
fn a_clone_with_converted_line_ends_upgrades_like_any_other() {
    let place = project("shop");
    place.edit("template/.env.example", "# None of", "# Theirs: none of");
    place.git("", &["-c", "core.autocrlf=true", "clone", "--quiet", ".", "clone"]);
    place.git("clone", &["config", "core.autocrlf", "true"]);
    place.git("clone", &["reset", "--quiet", "--hard"]);
    assert!(place.read("clone/shop/README.md").contains("\r\n"));
    place.app("clone/shop", &["upgrade", "--silent", "--path", "../../template"]).ended(0);
    let changed = place.git("clone", &["diff", "--name-only"]);
    let changed: Vec<&str> = changed.lines().filter(|path| !path.contains("/base/")).collect();
    assert_eq!(changed, ["shop/.create-app/lock.toml", "shop/.env.example"]);
    assert!(place.read("clone/shop/.env.example").contains("# Theirs: "));
    assert!(!place.read("clone/shop/.env.example").replace("\r\n", "").contains('\n'));
}

#[test]
fn two_apps_of_one_repository_keep_apart() {
    let place = project("apps/shop");
    place.app("", &["apps/blog", "--silent", "--path", "template"]).ended(0);
    place.commit("");
    place.remove(".github/workflows/ci-shop.yml");
    place.commit("");
    let name = "template/.github/workflows/ci{{app_suffix}}.yml";
    let text = place.read(name);
    place.write(name, format!("{text}# More.\n"));
    let said = place.app("apps/shop", &["upgrade", "--silent"]).ended(0);
    assert!(
        said.out.contains("kept      .github/workflows/ci-shop.yml (at the repository's root): still deleted"),
        "{}",
        said.out
    );
    assert!(!place.read(".github/workflows/ci-blog.yml").contains("# More."));
    place.app("apps/blog", &["upgrade", "--silent"]).ended(0);
    assert!(place.read(".github/workflows/ci-blog.yml").contains("# More."));
}

#[test]
fn a_template_that_is_gone_says_path_and_the_new_place_is_remembered() {
    let place = project("shop");
    place.rename("template", "moved");
    let said = place.app("shop", &["upgrade", "--silent"]).ended(2);
    assert!(said.err.contains("error[S001]") && said.err.contains("--path DIR"), "{}", said.err);
    place.app("shop", &["upgrade", "--silent", "--path", "../moved"]).ended(0);
    assert!(place.read("shop/.create-app/lock.toml").contains("source = \"../moved\""));
    assert_done(&place, "shop");
}

#[test]
fn new_questions_are_listed_together_and_answered_by_a_file() {
    let place = project("shop");
    let manifest = place.read("template/cargo-generate.toml");
    let question = |name: &str, more: &str| {
        format!("[placeholders.{name}]\ntype = \"string\"\nprompt = \"Which {name}?\"\n{more}")
    };
    let questions = [("region", ""), ("owner", ""), ("plan", "default = \"free\"\n")]
        .map(|(name, more)| question(name, more))
        .concat();
    place.write(
        "template/cargo-generate.toml",
        manifest.replacen("[create-app]", &format!("{questions}\n[create-app]"), 1),
    );
    place.write("template/about", "{{region}} {{owner}} {{plan}}\n");
    let before = everything(&place, "shop");
    for terminal in [&[][..], &["--silent"]] {
        let said = place.app("shop", &[&["upgrade"][..], terminal].concat()).ended(2);
        for name in ["region", "owner"] {
            assert!(said.err.contains(&format!("-d '{name}=")), "{}", said.err);
        }
        assert!(said.err.contains("error[A001]") && !said.err.contains("-d 'plan="), "{}", said.err);
    }
    place.write("values.toml", "[values]\nregion = \"eu\"\nowner = \"file\"\n");
    let values = ["upgrade", "--silent", "--values-file", "../values.toml", "-d", "owner=Ann"];
    // A value that nothing asks for is a warning, and with --strict an error.
    let strict = [&values[..], &["--strict", "-d", "regions=us"]].concat();
    let said = place.app("shop", &strict).ended(2);
    assert!(said.err.contains("error[A003]") && said.err.contains("did you mean `region`?"), "{}", said.err);
    assert_eq!(everything(&place, "shop"), before);
    place.app("shop", &[&values[..], &["--strict"]].concat()).ended(0);
    assert_eq!(place.read("shop/about"), "eu Ann free\n");
    assert_done(&place, "shop");
}

#[test]
fn an_unknown_variable_of_a_new_version_is_told_and_with_strict_refused() {
    let place = project("shop");
    place.write("template/about", "{{area}}\n");
    let before = everything(&place, "shop");
    let said = place.app("shop", &["upgrade", "--silent", "--strict"]).ended(2);
    assert!(said.err.contains("error[T003]") && said.err.contains("about:1:3"), "{}", said.err);
    assert_eq!(everything(&place, "shop"), before);
    place.app("shop", &["upgrade", "--silent"]).ended(0).warns("warning[T003]");
}

#[test]
fn a_new_question_is_answered_with_its_default_or_refused() {
    let place = project("shop");
    let manifest = place.read("template/cargo-generate.toml");
    let question = "[placeholders.region]\ntype = \"string\"\nprompt = \"Where?\"\n";
    place.write(
        "template/cargo-generate.toml",
        manifest.replacen("[create-app]", &format!("{question}\n[create-app]"), 1),
    );
    place.write("template/region", "{{region}}\n");
    let said = place.app("shop", &["upgrade", "--silent"]).ended(2);
    assert!(said.err.contains("error[A001]"), "{}", said.err);
    place.app("shop", &["upgrade", "--silent", "-d", "region=eu"]).ended(0);
    assert_eq!(place.read("shop/region"), "eu\n");
    assert_done(&place, "shop");
}

/// The first one waits for its values, which come from a pipe.
#[cfg(unix)]
#[test]
fn a_second_upgrade_at_the_same_time_says_so() {
    let place = project("shop");
    place.edit("template/package.json", "\"private\": true", "\"private\": false");
    let before = everything(&place, "shop");
    let mut first = place.command(env!("CARGO_BIN_EXE_create-app"), "shop");
    first.args(["upgrade", "--silent", "--values-file", "/dev/stdin"]).stdin(std::process::Stdio::piped());
    let first = first.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut first = first.spawn().unwrap();
    // It has the project before it reads its values, and waits for them.
    let mut values = first.stdin.take().unwrap();
    let start = std::time::Instant::now();
    while !place.is_held("shop") {
        assert!(start.elapsed() < std::time::Duration::from_secs(30), "it takes the project");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let second = place.app("shop", &["upgrade", "--silent"]).ended(2);
    assert!(second.err.contains("error[P005]: another create-app is changing"), "{}", second.err);
    assert!(second.out.is_empty(), "{}", second.out);
    assert_eq!(tree::differences(&before[0], &everything(&place, "shop")[0]), "");
    place.app("shop", &["check"]).ended(0);
    std::io::Write::write_all(&mut values, b"[values]\n").unwrap();
    drop(values);
    let first = first.wait_with_output().unwrap();
    assert_eq!(first.status.code(), Some(0), "{}", String::from_utf8_lossy(&first.stderr));
    assert!(place.read("shop/package.json").contains("\"private\": false"));
    assert!(!place.is_held("shop"));
    assert_done(&place, "shop");
}

#[test]
fn two_at_once_leave_one_result() {
    let place = project("shop");
    place.edit("template/package.json", "\"private\": true", "\"private\": false");
    let children: Vec<_> = (0..4)
        .map(|_| {
            let mut command = place.command(env!("CARGO_BIN_EXE_create-app"), "shop");
            command.args(["upgrade", "--silent"]).stdout(std::process::Stdio::piped());
            command.stderr(std::process::Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let codes: Vec<_> = children.into_iter().map(|child| child.wait_with_output().unwrap().status.code()).collect();
    assert!(codes.contains(&Some(0)) && codes.iter().all(|code| matches!(code, Some(0 | 2))), "{codes:?}");
    assert!(place.read("shop/package.json").contains("\"private\": false"));
    assert_done(&place, "shop");
}

#[test]
fn an_answer_survives_that_its_question_is_renamed() {
    let place = Place::new();
    place.write("template/cargo-generate.toml", "[placeholders]\nold = { prompt = \"?\", default = \"x\" }\n");
    place.write("template/a.txt", "{{old}}\n");
    place.app("", &["new", "app", "--silent", "--path", "template", "-d", "old=mine"]).ended(0);
    place.commit("app");
    let manifest = |name: &str, renamed: &str| {
        let question = format!("[placeholders]\n{name} = {{ prompt = \"?\", default = \"x\" }}\n");
        place.write(
            "template/cargo-generate.toml",
            format!("{question}[create-app.placeholders.{name}]\nrenamed = {renamed}\n"),
        );
        place.write("template/a.txt", format!("{{{{{name}}}}}!\n"));
    };
    manifest("new", "[\"older\", \"old\"]");
    place.app("", &["upgrade", "app", "--silent"]).ended(0).has("updated   a.txt");
    assert_eq!(place.read("app/a.txt"), "mine!\n");
    let lock = place.read("app/.create-app/lock.toml");
    assert!(lock.contains("new = \"mine\"") && !lock.contains("old ="), "{lock}");
    place.commit("app");
    // Once more, and what is given wins.
    manifest("newest", "[\"old\", \"new\"]");
    place.app("", &["upgrade", "app", "--silent", "-d", "newest=given"]).ended(0);
    assert_eq!(place.read("app/a.txt"), "given!\n");
    for (renamed, what) in [
        ("[\"newest\"]", "is still a placeholder"),
        ("[\"project-name\"]", "is a built-in variable"),
        ("[\"a\", \"a\"]", "is given twice"),
        ("\"old\"", "should be"),
    ] {
        manifest("newest", renamed);
        place.app("", &["upgrade", "app", "--silent"]).ended(2).warns("error[M00").warns(what);
    }
    place.write("template/cargo-generate.toml", "[create-app.placeholders.none]\nrenamed = [\"a\"]\n");
    place.app("", &["upgrade", "app", "--silent"]).ended(2).warns("error[M004]: `none` is not a placeholder");
}

#[test]
fn the_embedded_template_is_a_way_back_and_the_summary_says_so() {
    let place = Place::new();
    place.template();
    place.app("", &["shop", "--silent"]).ended(0);
    place.commit("shop");
    place.edit("template/.env.example", "# None of", "# Theirs: none of");
    let said = place.app("", &["upgrade", "shop", "--silent", "--path", "template"]).ended(0);
    assert!(said.out.contains("  source    embedded -> ../template\n"), "{}", said.out);
    place.commit("shop");
    place.app("", &["check", "shop", "--embedded"]).ended(1).has("the template is newer");
    let said = place.app("", &["upgrade", "shop", "--silent", "--embedded"]).ended(0);
    assert!(said.out.contains("  source    ../template -> embedded\n"), "{}", said.out);
    assert!(place.read("shop/.create-app/lock.toml").contains("source = \"embedded\""));
    place.commit("shop");
    assert_done(&place, "shop");
    let refused = place.app("", &["upgrade", "shop", "--embedded", "--path", "template"]).ended(2);
    assert!(refused.err.contains("cannot be used with"), "{}", refused.err);
}

#[test]
fn a_project_can_be_renamed() {
    let place = Place::new();
    place.write("template/{{project-name}}.md", "# {{project-name}}\n\n{{crate_name}}\n");
    place.app("", &["my-shop", "--silent", "--path", "template"]).ended(0);
    place.commit("my-shop");
    let said = place.app("my-shop", &["upgrade", "--silent", "--name", "new-shop"]).ended(0);
    assert!(said.out.contains("  answer    project-name: \"my-shop\" -> \"new-shop\"\n"), "{}", said.out);
    assert_eq!(place.read("my-shop/new-shop.md"), "# new-shop\n\nnew_shop\n");
    assert!(!place.has("my-shop/my-shop.md"));
    place.commit("my-shop");
    // It stays, whatever the directory is called.
    place.rename("my-shop", "elsewhere/there");
    place.app("elsewhere/there", &["upgrade", "--silent", "--path", "../../template"]).ended(0);
    assert!(place.has("elsewhere/there/new-shop.md"));
    place.app("elsewhere/there", &["upgrade", "--silent", "--name", "No Name"]).ended(2).warns("error[P001]");
    place.app("elsewhere/there", &["diff", "--silent", "--name", "other", "--stat"]).ended(1).has("other.md");
}

#[test]
fn several_projects_are_upgraded_and_one_that_fails_keeps_no_other_from_it() {
    let place = project("one");
    place.app("", &["two", "--silent", "--path", "template"]).ended(0);
    place.commit("");
    place.write("template/scripts/new.sh", "#!/bin/sh\n");
    // 2 would say that nothing was written.
    let said = place.app("", &["upgrade", "one", "missing", "two", "--silent"]).ended(1);
    assert!(said.err.contains("there is no directory `missing`"), "{}", said.err);
    assert!(said.out.contains("one: template 3.0.0 -> 3.1.0\n") && said.out.contains("two: template"), "{}", said.out);
    assert!(place.has("one/scripts/new.sh") && place.has("two/scripts/new.sh"));
    place.commit("");
    let said = place.app("", &["upgrade", "one", "two", "--silent", "-d", "with_kw=true"]).ended(2);
    assert_eq!(said.err.matches("error[A003]: the template has no placeholder `with_kw`").count(), 2, "{}", said.err);
    assert!(said.err.contains("did you mean `with_kv`?"), "{}", said.err);
}

#[test]
fn little_is_printed_and_colours_are_as_asked() {
    let place = project("shop");
    place.write("template/scripts/new.sh", "#!/bin/sh\n");
    let coloured = place.app("", &["diff", "shop", "--silent", "--color", "always"]).ended(1);
    assert!(coloured.out.contains("\u{1b}["), "{}", coloured.out);
    for when in ["never", "auto"] {
        assert!(!place.app("", &["diff", "shop", "--silent", "--color", when]).ended(1).out.contains('\u{1b}'));
    }
    let wrong = place.app("", &["diff", "--color=always", "--nonsense"]).ended(2);
    assert!(wrong.err.contains("\u{1b}["), "{}", wrong.err);
    for (code, command) in [(1, &["diff", "shop"][..]), (0, &["upgrade", "shop"]), (0, &["new", "other"])] {
        let said = place.app("", &[command, &["--silent", "--quiet"]].concat()).ended(code);
        assert_eq!((said.out.as_str(), said.err.as_str()), ("", ""), "{command:?}");
    }
    assert!(place.has("shop/scripts/new.sh") && place.has("other/package.json"));
    place.write("shop/package.json", "{}\n");
    place.app("", &["check", "shop", "--quiet", "--pristine"]).ended(1);
    place.app("", &["check", "shop", "--quiet", "--json"]).ended(0).has("\"clean\": true");
    let said = place.app("", &["check", "missing", "--quiet"]).ended(2);
    assert!(said.out.is_empty() && said.err.contains("error[L005]"), "{}", said.err);
}
