//! `create-app generate` beside the real cargo-generate: the same command lines in the same directory make the same files; and what only git
//! can show.

use std::process::Output;

use crate::support::place::{Place, Said};
use crate::support::tools;
use crate::support::tree::{self, Tree};

/// Command lines, one after the other, and variables of the environment.
type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)]);

/// A place with templates, a configuration, and values.
fn place() -> Place {
    let place = Place::new();
    place.write(
        "t/cargo-generate.toml",
        "[placeholders]\ntitle = { type = \"string\", prompt = \"?\", default = \"none\" }\n",
    );
    place.write(
        "t/a.txt",
        "{{ project-name }} {{ crate_name }} {{ crate_type }} {{ title }} {{ owner }} {{ is_init }}\n",
    );
    place.write("t/{{project-name}}.txt", "{{ authors }}\n");
    place.write("many/one/cargo-generate.toml", "");
    place.write("many/one/1.txt", "{{ project-name }}\n");
    place.write("many/two/cargo-generate.toml", "");
    place.write("many/two/2.txt", "{{ project-name }}\n");
    place.write("into/cargo-generate.toml", "[template]\ninit = true\n");
    place.write("into/a.txt", "{{ project-name }}\n");
    place.write("broken/a.txt", "{{ project-name }}\n");
    place.write("broken/b.txt", "{{ project-name }} {{ function() }}\n");
    place.write("hooked/cargo-generate.toml", "[hooks]\ninit = [\"init.rhai\"]\n");
    place.write("hooked/init.rhai", "variable::set(\"project-name\", \"ProjectBar\");\n");
    place.write("hooked/a.txt", "{{ project-name }} {{ crate_name }}\n");
    place.write(
        "config.toml",
        "[values]\nowner = \"Ann\"\ntitle = \"of all\"\n[favorites.fav]\npath = \"../t\"\nvcs = \"None\"\n[favorites.fav.values]\n\
         title = \"of the favourite\"\n[favorites.here]\npath = \"../t\"\ninit = true\n[favorites.part]\npath = \"../many\"\n\
         subfolder = \"two\"\n",
    );
    place.write("values.toml", "[values]\ntitle = \"of the file\"\n");
    place
}

/// Runs a program in a directory of its own, and returns how it ended and the files that it left.
fn run(place: &Place, program: &str, directory: &str, lines: &[&str], variables: &[(&str, &str)]) -> (Said, Tree) {
    std::fs::create_dir(place.path(directory)).unwrap();
    let mut said: Option<Said> = None;
    for line in lines {
        let mut command = place.command(program, directory);
        // Neither a configuration of the user's, nor a terminal that says more.
        command
            .env("CARGO_HOME", place.path("nowhere"))
            .env("USER", "ann")
            .env("CARGO_NAME", "Ann")
            .env("CARGO_EMAIL", "a@x");
        command.arg("generate").args(line.split(' ')).envs(variables.iter().copied());
        let output: Output = command.output().unwrap();
        said = Some(output.into());
    }
    (said.unwrap(), tree::read(&place.path(directory)))
}

#[test]
fn the_same_arguments_make_the_same_files() {
    let judge = tools::cargo_generate();
    const ENVIRONMENT: &[(&str, &str)] = &[("CARGO_GENERATE_VALUE_TITLE", "of the environment")];
    let cases: &[Case<'_>] = &[
        (&["../t --name shop --silent"], &[]),
        (&["--path ../t -n shop -s -d title=x --lib"], &[]),
        (&["--path ../t -n MyShop -s"], &[]),
        (&["--path ../t -n MyShop -f -s --bin"], &[]),
        (&["--path ../t -n my_shop -s -d crate_type=lib"], &[]),
        (&["--path ../many two --name shop --silent"], &[]),
        (&["--path ../many --name shop --silent"], &[]),
        (&["../many two --name shop --silent"], &[]),
        (&["--path ../t --name shop --silent --init"], &[]),
        (&["--path ../t --name one --silent --init", "--path ../t --name two --silent --init"], &[]),
        (&["--path ../t --name one -s --init", "--path ../many two --name two -s --init"], &[]),
        (&["--path ../t --name one -s --init", "--path ../t --name two -s --init -o"], &[]),
        (&["--path ../into --name shop --silent"], &[]),
        (&["--path ../broken --name shop --silent --continue-on-error"], &[]),
        (&["--path ../broken --name shop --silent --continue-on-error --quiet"], &[]),
        (&["--path ../hooked --silent --name other"], &[]),
        (&["--path ../hooked"], &[]),
        (&["--config ../config.toml fav --name shop --silent"], &[]),
        (&["-c ../config.toml --favorite fav --name shop --silent -d title=x"], &[]),
        (&["-c ../config.toml fav --name shop --silent --values-file ../values.toml"], &[]),
        (&["-c ../config.toml fav --name shop --silent"], ENVIRONMENT),
        (&["-c ../config.toml fav --name shop -s --template-values-file ../values.toml"], ENVIRONMENT),
        (&["-c ../config.toml here --name shop --silent"], &[]),
        (&["-c ../config.toml part --name shop --silent"], &[]),
        (&["-c ../config.toml part one --name shop --silent"], &[]),
        (&["-c ../config.toml --path ../t --name shop --silent"], &[]),
        (&["--path ../t --name shop --silent"], &[("CARGO_GENERATE_TEMPLATE_VALUES_FILE", "../values.toml")]),
        (&["--path ../t --vcs nONE --name shop --silent --verbose"], &[]),
    ];
    for (lines, variables) in cases {
        let place = place();
        let (theirs, expected) = run(&place, judge.to_str().unwrap(), "theirs", lines, variables);
        let (ours, made) = run(&place, env!("CARGO_BIN_EXE_create-app"), "ours", lines, variables);
        assert_eq!(theirs.code, Some(0), "{lines:?}\n{}", theirs.err);
        assert_eq!(ours.code, Some(0), "{lines:?}\n{}", ours.err);
        assert!(!expected.is_empty());
        assert_eq!(made, expected, "{lines:?}\n{}", tree::differences(&expected, &made));
        // Theirs shortens the path, and neither tells a script less.
        for said in [&theirs.err, &ours.err] {
            let last = said.lines().rfind(|line| line.contains("Done!")).unwrap_or_default();
            assert!(last.contains("Done! New project created "), "{lines:?}\n{said}");
        }
        assert!(ours.out.contains("Done! New project created "), "{lines:?}\n{}", ours.out);
    }
}

#[test]
fn the_same_arguments_fail() {
    let judge = tools::cargo_generate();
    for line in [
        "--path ../t/a.txt --name shop --silent",
        "--path ../t nowhere --name shop --silent",
        "--path ../t .. --name shop --silent",
        "--path ../broken --name shop --silent",
        "--path ../t --silent",
        "--name shop --silent",
        "--path ../t --git ../t --name shop",
        "--path ../t --name shop --lib --bin",
        "--path ../t --name shop --values-file ../no.toml",
        "-c ../t/a.txt --path ../t --name shop --silent",
    ] {
        let place = place();
        let (theirs, _) = run(&place, judge.to_str().unwrap(), "theirs", &[line], &[]);
        let (ours, made) = run(&place, env!("CARGO_BIN_EXE_create-app"), "ours", &[line], &[]);
        assert!(theirs.code != Some(0) && ours.code == Some(2), "{line}\n{}\n{}", theirs.err, ours.err);
        assert_eq!(made, Tree::new(), "{line}");
    }
}

/// A repository with a submodule, as a template; both are beside each other.
fn with_submodule() -> Place {
    let place = Place::new();
    place.write("part/inner.txt", "{{ project-name }}\n");
    place.git("part", &["init", "--quiet"]);
    place.commit("part");
    place.write("t/a.txt", "{{ project-name }}\n");
    place.git("t", &["init", "--quiet"]);
    place.git("t", &["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "../part", "sub"]);
    place.commit("t");
    place
}

#[test]
fn submodules_that_are_left_out_stay_out() {
    let place = with_submodule();
    let words = ["generate", "--git", "./t", "--vcs", "none", "--silent", "--name"];
    place.app("", &[&words[..], &["whole"]].concat()).ended(0);
    assert_eq!(place.read("whole/sub/inner.txt"), "whole\n");
    place.app("", &[&words[..], &["part-of-it", "--skip-submodules"]].concat()).ended(0);
    assert!(!place.has("part-of-it/sub/inner.txt"));
    assert!(place.read("part-of-it/.create-app/lock.toml").contains("submodules = \"skipped\"\n"));
    place.write("t/a.txt", "{{ project-name }}, again\n");
    place.commit("t");
    place.app("", &["upgrade", "part-of-it", "--silent", "--allow-dirty"]).ended(0);
    assert_eq!(place.read("part-of-it/a.txt"), "part-of-it, again\n");
    assert!(!place.has("part-of-it/sub/inner.txt"));
}

#[test]
fn a_project_becomes_a_repository_of_its_own_where_that_is_forced() {
    let place = place();
    place.git("", &["init", "--quiet"]);
    place.app("", &["generate", "--path", "t", "--silent", "--name", "inner"]).ended(0);
    assert!(!place.has("inner/.git"));
    place.app("", &["generate", "--path", "t", "--silent", "--name", "apart", "--force-git-init"]).ended(0);
    assert!(place.has("apart/.git/HEAD"));
    place.commit("apart");
    // It is on its own: its own repository is the root of an upgrade.
    place.app("apart", &["check"]).ended(0);
    place.app("apart", &["upgrade", "--silent"]).ended(0).has("already up to date");
    place.app("", &["new", "third", "--path", "t", "--silent", "--force-git-init"]).ended(0);
    assert!(place.has("third/.git/HEAD"));
    place
        .app("", &["generate", "--path", "t", "--silent", "--name", "x", "--force-git-init", "--vcs", "none"])
        .ended(0);
    assert!(!place.has("x/.git"));
}

#[test]
fn fetching_takes_a_key_and_a_configuration_from_the_command_line() {
    let place = with_submodule();
    place.write("key", "");
    place.write(
        "gitconfig",
        format!("[url \"{}/\"]\n\tinsteadOf = https://example.invalid/\n", place.path("").display()),
    );
    let words =
        ["generate", "--git", "https://example.invalid/t", "--skip-submodules", "--silent", "--vcs", "none", "--name"];
    let said = place.app("", &[&words[..], &["shop", "--gitconfig", "gitconfig", "-i", "key"]].concat());
    said.ended(0).warns("Using private key: ");
    // What made it possible is not recorded.
    let lock = place.read("shop/.create-app/lock.toml");
    assert!(lock.contains("source = \"https://example.invalid/t\"") && !lock.contains("key"), "{lock}");
    place
        .app("", &[&words[..], &["other", "-i", "no-such-key"]].concat())
        .ended(2)
        .warns("path does not exist: no-such-key");
}

#[test]
fn the_configuration_is_found_where_cargo_generate_looks() {
    let place = place();
    let home = place.path("home");
    let listed = |variable: &str| {
        let mut command = place.command(env!("CARGO_BIN_EXE_create-app"), "");
        command.env_remove("CARGO_HOME").env("HOME", place.path("user")).args(["generate", "--list-favorites"]);
        if variable == "CARGO_HOME" {
            command.env(variable, &home);
        }
        Said::from(command.output().unwrap()).ended(0).out
    };
    assert_eq!(listed("CARGO_HOME"), "");
    let favorite = |name: &str| format!("[favorites.{name}]\npath = \"t\"\n");
    place.write("home/cargo-generate", favorite("plain"));
    assert!(listed("CARGO_HOME").contains("plain"));
    place.write("home/cargo-generate.toml", favorite("toml"));
    assert!(listed("CARGO_HOME").contains("toml") && !listed("CARGO_HOME").contains("plain"));
    place.write("user/.cargo/cargo-generate.toml", favorite("users"));
    assert!(listed("").contains("users"));
}

#[test]
fn the_value_after_a_definition_is_not_shown() {
    let place = place();
    std::fs::create_dir(place.path("here")).unwrap();
    let secret = "hunter2/secret";
    for words in
        [&["../t", "-d", "title=", secret][..], &["-d", "title=", secret], &["--define=title=", secret, "../t"]]
    {
        for more in [&["--json"][..], &[]] {
            let said = place.app("here", &[&["generate"], words, &["--name", "a", "--silent"], more].concat()).ended(2);
            assert!(
                !said.out.contains("hunter2") && !said.err.contains("hunter2"),
                "{words:?}: {}{}",
                said.out,
                said.err
            );
        }
    }
}

#[test]
fn a_project_for_a_test_is_made_in_a_temporary_directory_whatever_it_is_called() {
    let place = place();
    let target = place.path("elsewhere");
    let mut command = place.command(env!("CARGO_BIN_EXE_create-app"), "t");
    command.env("CARGO_GENERATE_TEST_CMD", "true").args(["generate", "--force", "--silent", "--name"]);
    let said = Said::from(command.arg(&target).arg("--test").output().unwrap());
    assert!(!target.exists(), "{}{}", said.out, said.err);
}
