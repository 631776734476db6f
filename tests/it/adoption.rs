//! Directories that have no lock: those that are adopted, and those that are left alone.

use crate::support::place::Place;
use crate::support::tree;

const CONFIG: &str = "\
export default {
  name: \"shop\",
  resources: { api: { type: \"worker\", script: \"./src/api.ts\" } },
  profiles: {
    prod: { domain: \"example.com\" },
  },
};
";

#[test]
fn what_is_no_project_of_the_template_is_left_alone() {
    let place = Place::new();
    for (file, text, reason) in [
        ("other/notes.txt", "mine\n", "it does not look like a project made from this template"),
        ("crate/Cargo.toml", "[package]\nname = \"shop\"\n", "it does not look like a project made from this template"),
        (
            "node/package.json",
            "{ \"name\": \"shop\" }\n",
            "or pass the directory of an app: it has `alchemy.config.ts`, ",
        ),
        ("home/.gitignore", "*~\n", "it does not look like a project made from this template"),
        ("copier/.copier-answers.yml", "_commit: v1\n", "is managed by copier"),
        ("copier-yaml/.copier-answers.yaml", "_commit: v1\n", "is managed by copier"),
        ("cruft/.cruft.json", "{}\n", "is managed by cruft"),
        ("cookiecutter/.cookiecutter.json", "{}\n", "is managed by cookiecutter"),
    ] {
        let (directory, _) = file.split_once('/').unwrap();
        place.write(file, text);
        if reason.contains("managed") {
            place.write(&format!("{directory}/alchemy.config.ts"), CONFIG);
        }
        let before = tree::read(&place.path(directory));
        for command in ["upgrade", "diff"] {
            let said = place.app(directory, &[command, "--silent"]).ended(2).warns("error[L005]").warns(reason);
            assert_eq!(said.out, "");
        }
        assert_eq!(tree::differences(&before, &tree::read(&place.path(directory))), "");
    }
    fs_err::create_dir(place.path("empty")).unwrap();
    place.app("empty", &["upgrade"]).ended(2).warns("error[L005]");
    assert_eq!(fs_err::read_dir(place.path("empty")).unwrap().count(), 0);
    place.app("", &["upgrade", "nowhere"]).ended(2);
    assert!(!place.has("nowhere"));
}

/// Without `adopt` in the manifest, any file of the template's tells a project of it.
#[test]
fn a_template_that_does_not_tell_its_projects_adopts_what_has_a_file_of_it() {
    let place = Place::new();
    place.write("template/cargo-generate.toml", "");
    place.write("template/a.txt", "a\n");
    place.write("other/b.txt", "b\n");
    place
        .app("other", &["upgrade", "--path", "../template"])
        .ended(2)
        .warns("it does not look like a project made from this template");
    place.write("other/a.txt", "a\n");
    place.app("other", &["upgrade", "--path", "../template"]).ended(0).has("adopted");
}

#[test]
fn a_project_without_a_lock_is_adopted() {
    let place = Place::new();
    place.template();
    place.git("", &["init", "--quiet"]);
    place.write(".gitignore", "/template/\n");
    place.app("", &["shop", "--silent", "--path", "template"]).ended(0);
    fs_err::remove_dir_all(place.path("shop/.create-app")).unwrap();
    place.remove("shop/COMMANDS.md");
    place.edit("shop/package.json", "\"private\": true", "\"private\": false");
    place.commit("");
    place.write("template/scripts/new.sh", "#!/bin/sh\n");
    let said = place.app("shop", &["upgrade", "--silent", "--path", "../template"]).ended(0);
    assert!(said.out.starts_with(".: adopted, template 3.0.0\n"), "{}", said.out);
    assert!(place.has("shop/scripts/new.sh") && place.has("shop/.create-app/lock.toml"));
    assert!(place.read("shop/package.json").contains("\"private\": false"));
    place.app("shop", &["check"]).ended(0);
}

#[test]
fn what_the_files_tell_is_answered_by_them_as_far_as_it_is_an_answer() {
    let answers = |package: &str, config: &str, arguments: &[&str]| {
        let place = Place::new();
        place.write("My Shop/alchemy.config.ts", config);
        place.write("My Shop/package.json", package);
        place.app("My Shop", &[&["upgrade", "--silent"], arguments].concat()).ended(0);
        let lock: toml::Table = toml::from_str(&place.read("My Shop/.create-app/lock.toml")).unwrap();
        let text = |name: &str| lock["answers"][name].as_str().unwrap().to_owned();
        ["project-name", "description", "domain", "github_repository"].map(text)
    };
    let default = "A Cloudflare Worker with staging, prod and a way back";
    let package = r#"{"name": "@acme/web", "description": "Sells", "repository": "github:acme/shop"}"#;
    assert_eq!(answers(package, CONFIG, &[]), ["shop", "Sells", "example.com", "acme/shop"]);
    let package =
        r#"{"description": "<b>", "repository": {"url": "git@gitlab.com:a/b.git"}, "bugs": "https://github.com/c/d"}"#;
    let config = CONFIG.replace("example.com", "not a domain").replace("name: \"shop\"", "name: \"@acme/The Shop\"");
    assert_eq!(answers(package, &config, &[]), ["the-shop", default, "", ""]);
    let config = "export default {\n  resources: {},\n  profiles: {},\n};\n";
    assert_eq!(answers("{}", config, &[]), ["my-shop", default, "", ""]);
    let given = ["-d", "domain=a.example", "-d", "github_repository=a/b"];
    assert_eq!(answers("{}", CONFIG, &given), ["shop", default, "a.example", "a/b"]);
}

/// `// @ts-nocheck` is not enough for every flag: what else a compiler would say of the template's files is told at once.
#[test]
fn flags_that_the_template_cannot_live_with_are_told() {
    let said = |flags: &str| {
        let place = Place::new();
        place.write("shop/wrangler.toml", "name = \"shop\"\nmain = \"src/index.ts\"\n");
        place.write("shop/src/index.ts", "export default {};\n");
        place.write("shop/tsconfig.json", format!("{{\n  // Ours.\n  \"compilerOptions\": {{ {flags} }},\n}}\n"));
        let said = place.app("shop", &["upgrade", "--silent"]).ended(0);
        assert!(place.read("shop/tsconfig.json").contains(flags), "it stays as it is");
        said.out
    };
    for (flag, value) in [("rootDir", "\"src\""), ("outDir", "\"dist\""), ("isolatedDeclarations", "true")] {
        let out = said(&format!("\"strict\": true, \"{flag}\": {value}"));
        let note = format!("note      tsconfig.json: `compilerOptions.{flag}` was not carried over: ");
        assert!(out.contains(&note) && out.contains("add them to `exclude`"), "{out}");
    }
    assert!(!said("\"strict\": true").contains("note      tsconfig.json"));
}

/// A template is named in so many words: then another tool's answers are taken over, as far as they are answers.
#[test]
fn what_another_tool_has_recorded_is_answered_by_it() {
    let manifest = "[placeholders]\ntitle = { prompt = \"?\", default = \"T\", regex = \"^[A-Z]\" }\n\
                    ci = { type = \"bool\", prompt = \"?\", default = false }\n\
                    parts = { type = \"array\", prompt = \"?\", choices = [\"a\", \"b\"], default = [] }\n\
                    token = { prompt = \"?\", default = \"none\" }\n[create-app]\nsecret = [\"token\"]\n";
    let said = |file: &str, text: &str| {
        let place = Place::new();
        place.write("template/cargo-generate.toml", manifest);
        place.write("template/a.txt", "{{project-name}} {{title}} {{ci}} {{parts | join: '+'}}\n");
        place.write("app/a.txt", "mine\n");
        place.write(&format!("app/{file}"), text);
        let said = place.app("app", &["upgrade", "--silent", "--path", "../template", "--conflict", "theirs"]).ended(0);
        assert!(!said.out.contains("hunter2") && !place.read("app/.create-app/lock.toml").contains("hunter2"));
        (place.read("app/a.txt"), said.out)
    };
    for (file, above, text) in [
        (
            ".copier-answers.yml",
            "",
            "_commit: v1\nproject_name: shop\ntitle: Hi\nci: true\nparts: [a, b]\ntoken: hunter2\n",
        ),
        (
            ".cruft.json",
            "context.cookiecutter.",
            r#"{"context": {"cookiecutter": {"project_slug": "shop", "title": "Hi", "ci": "yes", "parts": ["a", "b"], "token": "hunter2"}}}"#,
        ),
        (
            "cargo-generate.toml",
            "values.",
            "[values]\nproject-name = \"shop\"\ntitle = \"Hi\"\nci = true\nparts = [\"a\", \"b\"]\ntoken = \"hunter2\"\n",
        ),
    ] {
        let (rendered, out) = said(file, text);
        assert_eq!(rendered, "shop Hi true a+b\n", "{file}");
        assert!(out.contains(&format!("  answer    title: \"Hi\" (from {file}: {above}title)\n")), "{out}");
        assert!(out.contains(&format!("note      {file}: `{above}token` was not carried over: it is secret")), "{out}");
        assert_eq!(out.contains("remove it: create-app manages"), !file.starts_with("cargo"), "{out}");
    }
    let (rendered, out) = said(".copier-answers.yml", "title: low\nci: perhaps\nparts: [c]\n");
    assert_eq!(rendered, "app T false \n");
    assert!(
        out.contains("note      .copier-answers.yml: `title` was not carried over: as an answer, it does not match"),
        "{out}"
    );
    // What is not a map, too deep or elsewhere tells nothing.
    for text in ["- a\n", "title: {a: b}\n", "\u{0}", &"[".repeat(100_000)] {
        assert_eq!(said(".copier-answers.yml", text).0, "app T false \n");
    }
}

#[test]
fn a_suffix_that_another_app_of_the_repository_has_is_lengthened() {
    let place = Place::new();
    place.git("", &["init", "--quiet"]);
    place.app("", &["./apps/shop", "--silent"]).ended(0);
    place.commit("");
    for app in ["old/shop", "older/shop"] {
        place.write(&format!("{app}/alchemy.config.ts"), CONFIG);
        place.write(&format!("{app}/package.json"), "{}\n");
    }
    let before = place.read(".github/workflows/promote-shop.yml");
    for (app, workflow) in [("old/shop", "promote-old-shop.yml"), ("older/shop", "promote-older-shop.yml")] {
        place.app("", &["upgrade", app, "--silent", "--allow-dirty"]).ended(0);
        let text = place.read(&format!(".github/workflows/{workflow}"));
        assert!(text.contains(&format!("working-directory: {app}\n")), "{text}");
        let text = place.read(&format!("{app}/.create-app/lock.toml"));
        assert!(text.contains(&format!("app_suffix = \"-{}\"", app.replace('/', "-"))), "{text}");
        place.app(app, &["upgrade", "--silent", "--allow-dirty"]).ended(0).has("already up to date");
    }
    assert_eq!(place.read(".github/workflows/promote-shop.yml"), before);

    // The user's own choice is not changed, and workflows that no app holds are merged with.
    place.write("third/shop/alchemy.config.ts", CONFIG);
    let upgrade = ["upgrade", "third/shop", "--silent", "--allow-dirty", "-d", "app_suffix=-shop"];
    place.app("", &upgrade).ended(2).warns("already exists, and does not belong to this app");
    assert!(!place.has("third/shop/.create-app"));
    place.write("fourth/till/alchemy.config.ts", CONFIG);
    place.write(".github/workflows/promote-till.yml", "on: push\njobs: {}\n");
    place.commit("");
    place.app("", &["upgrade", "fourth/till", "--silent"]).ended(1).has("CONFLICT  .github/workflows/promote-till.yml");
}

/// A template in git with a version `v1` and a newer one, and a project that something made from `v1`, with an edit.
fn made_from_v1() -> Place {
    let place = Place::new();
    let manifest = |version: &str, more: &str| {
        format!(
            "[placeholders]\ntitle = {{ prompt = \"?\", default = \"T\" }}\n{more}[create-app]\nversion = \"{version}\"\n\
             [create-app.infer]\ntitle = [{{ file = \"data.json\", pointer = \"/title\" }}]\n"
        )
    };
    place.write("template/cargo-generate.toml", manifest("1.0.0", ""));
    place.write("template/a.txt", "{{project-name}}\ntwo\nthree\n{{title}}\n");
    place.write("template/data.json", "{\n  \"title\": \"{{title}}\",\n  \"port\": 1\n}\n");
    place.write("template/old.txt", "old\n");
    place.git("template", &["init", "--quiet", "--initial-branch=main"]);
    place.commit("template");
    place.git("template", &["tag", "v1"]);
    place.write("template/cargo-generate.toml", manifest("2.0.0", "size = { prompt = \"?\", default = \"big\" }\n"));
    place.write("template/a.txt", "{{project-name}}\ntwo\nthree\n{{title}} is {{size}}\n");
    place.write("template/data.json", "{\n  \"title\": \"{{title}}\",\n  \"port\": 2\n}\n");
    place.remove("template/old.txt");
    place.commit("template");
    place.write("shop/a.txt", "shop\nTWO\nthree\nShoes\n");
    place.write("shop/data.json", "{\n  \"title\": \"Shoes\",\n  \"port\": 1\n}\n");
    place.write("shop/old.txt", "old\n");
    place.git("shop", &["init", "--quiet"]);
    place.commit("shop");
    place
}

#[test]
fn a_project_that_was_made_from_a_known_version_is_adopted_with_a_base() {
    for source in [["--git", "../template"], ["--path", "../template"]] {
        let place = made_from_v1();
        let arguments = [&["upgrade", "--silent", "--from", "v1", "-d", "size=small"], &source[..]].concat();
        let before = tree::read(&place.path("shop"));
        place.app("shop", &[&arguments[..], &["--dry-run"]].concat()).ended(0);
        assert_eq!(tree::differences(&before, &tree::read(&place.path("shop"))), "");
        let said = place.app("shop", &arguments).ended(0);
        assert!(said.out.starts_with(".: adopted, template 1.0.0 -> 2.0.0\n"), "{}", said.out);
        assert!(said.out.contains("  answer    title: \"Shoes\" (from data.json: title)\n"), "{}", said.out);
        assert_eq!(place.read("shop/a.txt"), "shop\nTWO\nthree\nShoes is small\n");
        assert_eq!(place.read("shop/data.json"), "{\n  \"title\": \"Shoes\",\n  \"port\": 2\n}\n");
        assert!(!place.has("shop/old.txt"));
        place.app("shop", &["check"]).ended(0).has("1 edited");
        place.commit("shop");
        place.app("shop", &["upgrade", "--silent"]).ended(0).has("already up to date");
        place.app("shop", &arguments).ended(2).warns("already has a record").warns("leave out --from");
    }
}

#[test]
fn what_a_project_was_not_made_from_is_refused() {
    let place = made_from_v1();
    place.write("plain/cargo-generate.toml", "");
    place.write("plain/a.txt", "a\n");
    place.write("other/b.txt", "b\n");
    place.git("other", &["init", "--quiet"]);
    place.commit("other");
    for (app, arguments, reasons) in [
        ("shop", &["--from", "v9", "--git", "../template"][..], ["error[S005]", "v9"]),
        ("shop", &["--from", "v9", "--path", "../template"], ["error[S005]", "v9"]),
        ("shop", &["--from", "v1", "--path", "../plain"], ["error[S003]", "is not in a repository"]),
        ("shop", &["--from", "v1"], ["error[S003]", "the embedded one is not"]),
        ("shop", &["--from", ""], ["a revision of the template", "--from"]),
        ("other", &["--from", "v1", "--git", "../template"], ["error[L005]", "none of the files of the version"]),
    ] {
        let before = tree::read(&place.path(app));
        let said = place.app(app, &[&["upgrade", "--silent"], arguments].concat()).ended(2);
        reasons.iter().fold(said, |said, reason| said.warns(reason));
        assert_eq!(tree::differences(&before, &tree::read(&place.path(app))), "");
    }
}

#[test]
fn a_project_made_where_files_are_gets_the_templates_parts_into_them() {
    let place = Place::new();
    place.write(
        "t/cargo-generate.toml",
        "[placeholders]\nmain = { prompt = \"?\", default = \"src/main.js\" }\n[create-app]\nblocks = [\"README.md\"]\n\
         once = [\"src/**\"]\n[create-app.infer]\nmain = [{ file = \"package.json\", pointer = \"/main\" }]\n",
    );
    let block = "<!-- create-app:begin use -->\nnode {{main}}\n<!-- create-app:end use -->\n";
    place.write("t/README.md", format!("# {{{{project-name}}}}\n\n{block}"));
    place.write("t/.gitignore", "dist/\nnode_modules/\n");
    place.write(
        "t/package.json",
        "{\n  \"name\": \"{{project-name}}\",\n  \"scripts\": {\n    \"check\": \"tsc\"\n  }\n}\n",
    );
    place.write("t/src/main.js", "example\n");
    place.write("t/notes.txt", "the template's\n");
    for (file, text) in [
        ("README.md", "# Mine\n"),
        (".gitignore", "dist/\n*.log\n"),
        ("package.json", "{\n  \"name\": \"mine\",\n  \"main\": \"lib/run.js\"\n}\n"),
        ("src/main.js", "mine\n"),
        ("notes.txt", "mine\n"),
    ] {
        place.write(&format!("app/{file}"), text);
    }
    let said = place.app("", &["new", "app", "--path", "t", "--init", "--silent", "--vcs", "none"]).ended(0);
    for line in [
        "  answer: main: \"lib/run.js\" (from package.json: main)\n",
        "  the template's part was added to: README.md\n",
        "  note: package.json: added `scripts.check`\n",
        "  note: package.json: your `name` is kept; the template has `app`\n",
        "  kept as it was: notes.txt\n",
        "  kept as it was: src/main.js\n",
    ] {
        assert!(said.out.contains(line), "{line}{}", said.out);
    }
    let readme = place.read("app/README.md");
    assert!(readme.starts_with("# Mine\n") && readme.contains("begin use -->\nnode lib/run.js\n<!--"), "{readme}");
    assert_eq!(place.read("app/.gitignore"), "dist/\n*.log\nnode_modules/\n");
    let package =
        "{\n  \"name\": \"mine\",\n  \"main\": \"lib/run.js\",\n  \"scripts\": {\n    \"check\": \"tsc\"\n  }\n}\n";
    assert_eq!(place.read("app/package.json"), package);
    assert_eq!((place.read("app/src/main.js"), place.read("app/notes.txt")), ("mine\n".into(), "mine\n".into()));
    place.app("app", &["check"]).ended(0);
    place.app("app", &["upgrade", "--silent", "--allow-dirty"]).ended(0).has("already up to date");
}

#[test]
fn an_app_in_a_workspace_keeps_its_package_manager() {
    let place = Place::new();
    place.git("", &["init", "--quiet"]);
    place.write("pnpm-lock.yaml", "lockfileVersion: '9.0'\n");
    place.write("apps/shop/wrangler.toml", "name = \"shop\"\nmain = \"dist/worker.js\"\n");
    place.write("apps/shop/package.json", "{\n  \"name\": \"shop\"\n}\n");
    place.write("apps/shop/src/index.js", "export default {};\n");
    place.commit("");
    let said = place.app("apps/shop", &["upgrade", "--silent"]).ended(0);
    for line in [
        "  answer    package_manager: \"pnpm\" (from ../../pnpm-lock.yaml)\n",
        "  answer    entry: \"src/index.js\" (from src/index.js)\n",
        "  note      wrangler.toml: `main` was not carried over: this file does not exist; ",
        "  (cd ../.. && pnpm install)\n",
        " ../../pnpm-lock.yaml",
    ] {
        assert!(said.out.contains(line), "{line}{}", said.out);
    }
    assert!(!place.has("apps/shop/bun.lock") && place.has("apps/shop/tsconfig.json"));
    assert_eq!(place.read("apps/shop/package.json").matches("\"packageManager\"").count(), 0);
    assert!(place.read(".github/workflows/ci-shop.yml").contains("pnpm install --frozen-lockfile"));
}

/// No link is followed, and nothing outside the repository is looked at.
#[cfg(unix)]
#[test]
fn what_is_behind_a_link_tells_nothing() {
    let place = Place::new();
    place.write("elsewhere/wrangler.toml", "name = \"other\"\nmain = \"src/index.js\"\n");
    place.write("package-lock.json", "{}\n");
    place.write("shop/alchemy.config.ts", CONFIG);
    fs_err::os::unix::fs::symlink("../elsewhere/wrangler.toml", place.path("shop/wrangler.toml")).unwrap();
    fs_err::os::unix::fs::symlink("../elsewhere/wrangler.toml", place.path("shop/yarn.lock")).unwrap();
    let said = place.app("shop", &["upgrade", "--silent"]).ended(0);
    assert!(said.out.contains("  answer    package_manager: \"bun\" (by default)\n"), "{}", said.out);
    assert!(!said.out.contains("wrangler.toml"), "{}", said.out);
}
