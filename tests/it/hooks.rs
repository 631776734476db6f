//! Projects of templates with hooks: what is asked once, what upgrades make of scripts and commands, and the way to a template with hooks and back.

use crate::support::place::Place;

const HOOKED: &str = "[hooks]\ninit = [\"h/init.rhai\"]\npre = [\"h/pre.rhai\"]\npost = [\"h/post.rhai\"]\n";

/// A template with hooks, in a place with a repository.
fn place() -> Place {
    let place = Place::new();
    place.git("", &["init", "--quiet"]);
    place.write(".gitignore", "/t/\n");
    hook(&place);
    place.write("t/a.txt", "one\n{{ owner }}\n{{ kind }}\ntwo\nthree\nfour\n");
    place.write("t/LICENSE-MIT", "MIT of {{ owner }}\n");
    place.write("t/LICENSE-APACHE", "Apache of {{ owner }}\n");
    place
}

fn hook(place: &Place) {
    place.write("t/cargo-generate.toml", HOOKED);
    place.write(
        "t/h/init.rhai",
        "let owner = variable::prompt(\"Who?\", \"nobody\");\nvariable::set(\"owner\", owner);\n",
    );
    place.write(
        "t/h/pre.rhai",
        "let license = variable::prompt(\"Which license?\", \"MIT\", [\"MIT\", \"APACHE\"]);\n\
         file::rename(\"LICENSE-\" + license, \"LICENSE\");\n\
         file::delete(if license == \"MIT\" { \"LICENSE-APACHE\" } else { \"LICENSE-MIT\" });\n\
         variable::set(\"kind\", `${system::date().year > 2020}`);\n",
    );
    place.write(
        "t/h/post.rhai",
        "file::write(\"made/by-post.txt\", \"post of \" + variable::get(\"owner\") + \"\\n\");\n",
    );
}

const NEW: [&str; 5] = ["shop", "--path", "t", "--silent", "-d"];

#[test]
fn what_hooks_asked_is_recorded_and_not_asked_again() {
    let place = place();
    place.app("", &[&NEW[..], &["owner=ann", "-d", "license=APACHE"]].concat()).ended(0);
    place.commit("shop");
    let lock = place.read("shop/.create-app/lock.toml");
    for line in ["\"h/init.rhai: Who?\" = \"ann\"", "\"h/pre.rhai: Which license?\" = \"APACHE\"", "date = "] {
        assert!(lock.contains(line), "no `{line}` in\n{lock}");
    }
    assert_eq!(place.read("shop/LICENSE"), "Apache of ann\n");
    assert!(!place.path("shop/h").exists());
    place.app("", &["upgrade", "shop", "--silent"]).ended(0).has("already up to date");
    place.app("", &["diff", "shop", "--silent"]).ended(0);
    // The template goes on, and the answers stay.
    place.write("t/a.txt", "one\n{{ owner }}\n{{ kind }}\ntwo\nthree\nfive\n");
    place.edit("shop/a.txt", "two\n", "mine\n");
    place.commit("shop");
    place.app("", &["upgrade", "shop", "--silent"]).ended(0);
    assert_eq!(place.read("shop/a.txt"), "one\nann\ntrue\nmine\nthree\nfive\n");
    place.commit("shop");
    // Another answer is given as the first one was.
    place.app("", &["upgrade", "shop", "--silent", "-d", "owner=bob"]).ended(0);
    assert_eq!(place.read("shop/made/by-post.txt"), "post of bob\n");
    assert_eq!(place.read("shop/LICENSE"), "Apache of bob\n");
}

#[test]
fn a_project_follows_to_a_template_with_hooks_and_back() {
    let place = Place::new();
    place.git("", &["init", "--quiet"]);
    place.write(".gitignore", "/t/\n");
    place.write("t/cargo-generate.toml", "[placeholders]\nowner = { prompt = \"Who?\", default = \"nobody\" }\n");
    place.write("t/a.txt", "one\n{{ owner }}\ntwo\nthree\nfour\n");
    place.write("t/LICENSE", "MIT of {{ owner }}\n");
    place.app("", &[&NEW[..], &["owner=ann"]].concat()).ended(0);
    place.edit("shop/a.txt", "one\n", "mine\n");
    place.write("shop/own.txt", "own\n");
    place.commit("shop");
    place.remove("t/LICENSE");
    hook(&place);
    place.write("t/a.txt", "one\n{{ owner }}\ntwo\nthree\n{{ kind }}\n");
    place.write("t/LICENSE-MIT", "MIT License of {{ owner }}\n");
    place.write("t/LICENSE-APACHE", "Apache of {{ owner }}\n");
    place.app("", &["upgrade", "shop", "--silent"]).ended(0);
    assert_eq!(place.read("shop/a.txt"), "mine\nann\ntwo\nthree\ntrue\n");
    assert_eq!(place.read("shop/LICENSE"), "MIT License of ann\n");
    assert_eq!(place.read("shop/made/by-post.txt"), "post of ann\n");
    place.commit("shop");
    place.remove("t/h/init.rhai");
    place.remove("t/h/pre.rhai");
    place.remove("t/h/post.rhai");
    place.remove("t/LICENSE-MIT");
    place.remove("t/LICENSE-APACHE");
    place.write("t/cargo-generate.toml", "[placeholders]\nowner = { prompt = \"Who?\", default = \"nobody\" }\n");
    place.write("t/a.txt", "one\n{{ owner }}\ntwo\nthree\nfour\n");
    place.write("t/LICENSE", "MIT of {{ owner }}\n");
    place.app("", &["upgrade", "shop", "--silent"]).ended(0);
    assert_eq!(place.read("shop/a.txt"), "mine\nann\ntwo\nthree\nfour\n");
    assert_eq!(
        (place.read("shop/LICENSE"), place.read("shop/own.txt")),
        ("MIT of ann\n".to_owned(), "own\n".to_owned())
    );
    assert!(!place.path("shop/made").exists());
}

#[test]
fn a_command_that_gives_something_else_each_time_is_no_change_of_the_template() {
    let place = Place::new();
    place.git("", &["init", "--quiet"]);
    place.write(".gitignore", "/t/\n");
    place.write("t/cargo-generate.toml", "[hooks]\npost = [\"post.rhai\"]\n");
    place.write("t/post.rhai", "system::command(\"date +%s%N > stamp.txt; cat a.txt >> stamp.txt\");\n");
    place.write("t/a.txt", "one\n");
    place.app("", &["shop", "--path", "t", "--silent"]).ended(2).warns("error[H003]");
    assert!(!place.path("shop").exists());
    place.app("", &["shop", "--path", "t", "--silent", "--allow-commands"]).ended(0);
    place.commit("shop");
    let stamp = place.read("shop/stamp.txt");
    // Nobody has to agree to what does not run.
    for command in
        [&["upgrade", "shop", "--silent"][..], &["diff", "shop", "--silent"], &["diff", "shop", "--upstream"]]
    {
        place.app("", command).ended(0);
    }
    place.app("", &["upgrade", "shop", "--silent", "--allow-commands"]).ended(0).has("already up to date");
    assert_eq!(place.read("shop/stamp.txt"), stamp);
    place.write("t/a.txt", "two\n");
    place.app("", &["diff", "shop", "--silent"]).ended(2).warns("`diff` runs no command");
    place.app("", &["upgrade", "shop", "--silent"]).ended(2).warns("error[H003]");
    assert_eq!(place.read("shop/a.txt"), "one\n");
    place.app("", &["upgrade", "shop", "--silent", "--allow-commands"]).ended(0);
    assert_eq!(place.read("shop/a.txt"), "two\n");
    assert!(place.read("shop/stamp.txt").ends_with("two\n"));
    place.commit("shop");
    place.app("", &["upgrade", "shop", "--silent"]).ended(0).has("already up to date");
}

#[test]
fn a_command_sees_a_copy_and_little_of_the_environment() {
    let place = Place::new();
    place.write("t/cargo-generate.toml", "[hooks]\npre = [\"pre.rhai\"]\n");
    place.write(
        "t/pre.rhai",
        "variable::set(\"seen\", system::command(\"env | cut -d= -f1 | sort | tr '\\\\n' ' '\"));\n\
         variable::set(\"here\", system::command(\"pwd\"));\n\
         system::command(\"echo\", [\"{{ here }}\", \">\", env::working_directory + \"/new.txt\"]);\n",
    );
    place.write("t/a.txt", "{{ seen }}\n");
    let mut command = place.command(env!("CARGO_BIN_EXE_create-app"), "");
    command.args(["shop", "--path", "t", "--silent", "--allow-commands", "--vcs", "none"]).env("API_TOKEN", "hunter2");
    assert!(command.output().unwrap().status.success());
    let seen = place.read("shop/a.txt");
    assert!(seen.contains("PATH") && !seen.contains("API_TOKEN") && !seen.contains("GIT_CONFIG"), "{seen}");
    assert_eq!(place.read("shop/new.txt"), "/create-app/work\n");
    // The template's own directory is as it was.
    assert!(!place.path("t/new.txt").exists());
}

#[test]
fn no_command_reads_what_is_secret() {
    let place = Place::new();
    place.write(
        "t/cargo-generate.toml",
        "[placeholders]\ntoken = { prompt = \"?\" }\n[create-app]\nsecret = [\"token\"]\n[hooks]\npost = [\"post.rhai\"]\n",
    );
    place.write("t/post.rhai", "file::rename(\".env\", \"env/.env\");\n");
    place.write("t/.env", "TOKEN={{ token }}\n");
    place.write("values.toml", "[values]\ntoken = \"hunter2\"\n");
    let new = ["shop", "--path", "t", "--silent", "--vcs", "none", "--allow-commands", "--values-file", "values.toml"];
    place.app("", &new).ended(0);
    let lock = place.read("shop/.create-app/lock.toml");
    assert!(lock.contains("\"env/.env\" = \"100644 secret ") && !lock.contains("hunter2"), "{lock}");
    place.write("t/post.rhai", "system::command(\"cat .env\");\n");
    let mut again = new;
    again[0] = "other";
    place.app("", &again).ended(2).warns("error[H003]");
}
