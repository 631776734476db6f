//! What `--verbose` and `CREATE_APP_LOG` print: how a command goes about it, and nothing that is secret.

use crate::support::json::documents;
use crate::support::place::{Place, Said};

/// A template in a repository, with a secret.
fn place() -> Place {
    let place = Place::new();
    let manifest = "[placeholders]\ntitle = { prompt = \"Title?\", default = \"x\" }\ntoken = { prompt = \"Token?\", default = \"\" }\n\
                    [create-app]\nsecret = [\"token\"]\n";
    place.write("t/cargo-generate.toml", manifest);
    place.write("t/a.txt", "{{ title }}\n");
    place.git("t", &["init", "--quiet", "--initial-branch=main"]);
    place.commit("t");
    place
}

fn run(place: &Place, words: &[&str], variables: &[(&str, &str)]) -> Said {
    let mut command = place.command(env!("CARGO_BIN_EXE_create-app"), "");
    command.args(words).envs(variables.iter().copied()).env("CREATE_APP_CACHE_DIR", place.path("cache"));
    command.output().unwrap().into()
}

#[test]
fn git_the_template_the_cache_and_times_are_told() {
    let place = place();
    let new =
        &["new", "app", "--git", "t", "--vcs", "git", "--silent", "-d", "title=plainanswer", "-d", "token=hunter22"];
    let said = run(&place, &[new, &["--verbose"][..]].concat(), &[]).ended(0);
    for told in [
        "debug: git -c ",
        " fetch ",
        " init ",
        "(exit code 0, ",
        " ms, in ",
        "debug: fetched: the commit ",
        "debug: template: ../t, revision ",
        ", files: 1\n",
        "debug: loading the template took ",
        "debug: answering took ",
        "debug: rendering took ",
        "debug: writing took ",
        "debug: the command took ",
    ] {
        assert!(said.err.contains(told), "no `{told}` in\n{}", said.err);
    }
    for secret in ["hunter22", "plainanswer"] {
        assert!(!said.err.contains(secret), "{}", said.err);
    }
    // The same by the environment, and before the command.
    place.commit("app");
    let upgrade = &["upgrade", "app", "--silent"];
    let said = run(&place, upgrade, &[("CREATE_APP_LOG", "1")]).ended(0);
    assert!(said.err.contains("debug: merging took ") && said.err.contains("git -c "), "{}", said.err);
    let said = run(&place, &[&["-v"], &upgrade[..]].concat(), &[]).ended(0);
    assert!(said.err.contains("debug: merging took "), "{}", said.err);
    for off in ["", "0"] {
        let said = run(&place, upgrade, &[("CREATE_APP_LOG", off)]).ended(0);
        assert!(!said.err.contains("debug:"), "{}", said.err);
    }
}

#[test]
fn what_is_cached_is_told() {
    let place = place();
    let commit = place.git("t", &["rev-parse", "HEAD"]).trim().to_owned();
    let make = |name: &str| run(&place, &["new", name, "--git", "t", "--rev", &commit, "--silent", "-v"], &[]).ended(0);
    assert!(make("one").err.contains(&format!("debug: fetched: the commit {commit}\n")));
    let said = make("two");
    assert!(said.err.contains(&format!("debug: cached: the commit {commit}; nothing is fetched\n")), "{}", said.err);
}

#[test]
fn no_credentials_of_an_address_are_told() {
    let place = place();
    for address in [
        "https://user:hunter22@127.0.0.1:1/x/y.git",
        "https://127.0.0.1:1/x/y.git?token=hunter22",
        "https://hunter22@127.0.0.1:1/x/y.git",
    ] {
        for more in [&[][..], &["--json"], &["--tag", "latest"]] {
            let words = [&["new", "app", "--git", address, "--silent", "-v"], more].concat();
            let said = run(&place, &words, &[]).ended(2);
            assert!(said.err.contains("git -c "), "{}", said.err);
            assert!(!format!("{}{}", said.out, said.err).contains("hunter22"), "{}", said.err);
        }
    }
}

#[test]
fn programs_get_it_as_lines_of_json() {
    let place = place();
    let said = run(&place, &["new", "app", "--git", "t", "--silent", "--json", "-v"], &[]).ended(0);
    let lines = documents(&said.err);
    assert!(lines.len() > 5 && lines.iter().all(|line| line["severity"] == "debug"), "{}", said.err);
    assert_eq!(documents(&said.out)[0]["command"], "new");
}
