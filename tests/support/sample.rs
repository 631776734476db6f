//! A small template, and projects of it.

use fs_err as fs;

use super::place::{Place, Said};

/// A file of ten lines, which name it.
pub(crate) fn lines(name: &str) -> String {
    (1..=10).map(|n| format!("line {n} of {name}\n")).collect()
}

/// The template in `template`, in its first version.
pub(crate) fn template() -> Place {
    let place = Place::new();
    place.write("template/cargo-generate.toml", manifest("1.0.0"));
    for name in ["a.txt", "b.txt", "src/c.txt", "run.sh", ".github/ci{{app_suffix}}.yml"] {
        place.write(&format!("template/{name}"), lines(name.trim_start_matches(".github/").split('{').next().unwrap()));
    }
    place
}

pub(crate) fn manifest(version: &str) -> String {
    format!("[create-app]\nversion = \"{version}\"\nrepository = [\".github/**\"]\n")
}

/// The repository `repo` with an app in it, committed; the template is there as `template`.
pub(crate) fn project(at: &str) -> Place {
    let place = template();
    fs::create_dir(place.path("repo")).unwrap();
    place.git("repo", &["init", "--quiet", "--initial-branch=main"]);
    make(&place, at);
    place.commit("repo");
    place
}

pub(crate) fn make(place: &Place, at: &str) {
    let template = place.path("template");
    place
        .app("repo", &["new", at, "--silent", "--init", "--name", "shop", "--path", template.to_str().unwrap()])
        .ended(0);
}

/// The template's next version: one line of these files is another one.
pub(crate) fn release(place: &Place, version: &str, files: &[&str]) {
    place.write("template/cargo-generate.toml", manifest(version));
    for name in files {
        change(place, &format!("template/{name}"), 2, &format!("theirs in {version}"));
    }
}

/// Changes a line of a file, counted from 1; its end stays.
pub(crate) fn change(place: &Place, name: &str, line: usize, text: &str) {
    let old = place.read(name);
    let mut all: Vec<String> = old.split_inclusive('\n').map(str::to_owned).collect();
    let end = if all[line - 1].ends_with("\r\n") { "\r\n" } else { "\n" };
    all[line - 1] = format!("{text}{end}");
    fs::write(place.path(name), all.concat()).unwrap();
}

/// Upgrades the app in a directory of the place from the template, wherever that directory is.
pub(crate) fn upgrade(place: &Place, at: &str) -> Said {
    let template = place.path("template");
    place.app(at, &["upgrade", "--silent", "--path", template.to_str().unwrap()])
}

/// Nothing is left to do, and nothing is left behind.
#[track_caller]
pub(crate) fn assert_done(place: &Place, at: &str) {
    upgrade(place, at).ended(0).has("already up to date");
    place.app(at, &["check"]).ended(0);
    assert!(!place.is_held(at));
}
