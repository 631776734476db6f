//! docs/phase-3.md, which says where each promise of phase 3 is kept: the files, commands and tests that it names exist.

use std::path::Path;

use fs_err as fs;

/// How many lines each part of the checklist has, in its order.
const PROMISES: [(&str, usize); 13] = [
    ("Staging environment", 4),
    ("Production environment", 5),
    ("Promotion workflow", 4),
    ("Alchemy config", 3),
    ("Rollback", 4),
    ("Documentation", 4),
    ("Testing", 8),
    ("Environment strategy", 3),
    ("Approval process", 4),
    ("Health checks", 4),
    ("Success criteria", 6),
    ("Definition of done", 6),
    ("What an owner does", 0),
];

/// What people read in a generated app. Every command in it runs in `e2e::documents`.
pub(crate) const APP_DOCUMENTS: [&str; 4] = [
    "tests/snapshots/default/expected/QUICK_START.md",
    "tests/snapshots/default/expected/COMMANDS.md",
    "tests/snapshots/default/expected/docs/PROMOTION.md",
    "tests/snapshots/default/expected/README.md",
];

/// What they read about this repository.
const OWN_DOCUMENTS: [&str; 2] = ["README.md", "docs/contributing.md"];

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// A line of the checklist.
struct Promise {
    text: String,
    built_in: Vec<String>,
    shown_by: Vec<String>,
    proved_by: Vec<String>,
    state: String,
}

/// The code in a cell.
fn code(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The rows of a part of the page.
fn promises(part: &str) -> Vec<Promise> {
    let rows = part.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let rows = rows.filter(|row| !row.starts_with("promise |"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split(" | ").collect();
        let [text, built_in, shown_by, proved_by, state] = cells[..] else { panic!("five cells: {row}") };
        Promise {
            text: text.to_owned(),
            built_in: code(built_in),
            shown_by: code(shown_by),
            proved_by: code(proved_by),
            state: state.to_owned(),
        }
    })
    .collect()
}

/// The parts of the page that have a table, and the last one, by title.
fn parts(page: &str) -> Vec<(String, Vec<Promise>)> {
    let parts = page.split("\n## ").skip(1).flat_map(|part| part.split("\n### "));
    let parts = parts.map(|part| {
        let (title, text) = part.split_once('\n').unwrap();
        (title.to_owned(), promises(text))
    });
    parts.filter(|(title, promises)| !promises.is_empty() || title.starts_with("What")).collect()
}

/// What is wrong with the name of a test, if anything.
fn missing_test(name: &str) -> Option<String> {
    let exists = |path: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join(path).exists();
    if name.starts_with("snapshots/") {
        return (!exists(&format!("tests/{name}/case.toml"))).then(|| "no such case".to_owned());
    }
    if let Some((file, title)) = name.split_once(": ") {
        let path = format!("tests/{file}");
        let has = exists(&path) && read(&path).contains(&format!("test(\"{title}\","));
        return (!has).then(|| format!("{path} has no such test"));
    }
    let Some((module, function)) = name.rsplit_once("::") else { return Some("not a test's name".to_owned()) };
    let path = format!("tests/it/{}.rs", module.replace("::", "/"));
    let has = exists(&path) && read(&path).contains(&format!("#[test]\nfn {function}() {{"));
    (!has).then(|| format!("{path} has no such test"))
}

/// Whether a document has a command as a whole, and not only the beginning of a longer word.
pub(crate) fn has_command(document: &str, command: &str) -> bool {
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '-' || c == '_');
    document.match_indices(command).any(|(at, _)| ends(&document[at + command.len()..]))
}

#[test]
fn every_line_of_the_checklist_is_there() {
    let parts = parts(&read("docs/phase-3.md"));
    let counts: Vec<(&str, usize)> = parts.iter().map(|(title, promises)| (title.as_str(), promises.len())).collect();
    assert_eq!(counts, PROMISES);
}

#[test]
fn every_promise_has_its_place_its_command_and_its_test() {
    let documents: Vec<String> = APP_DOCUMENTS.iter().chain(&OWN_DOCUMENTS).map(|path| read(path)).collect();
    let page = read("docs/phase-3.md");
    let mut wrong = Vec::new();
    for promise in parts(&page).into_iter().flat_map(|(_, promises)| promises) {
        let mut says = |what: String| wrong.push(format!("{}: {what}", promise.text));
        if promise.built_in.is_empty() || !["proved", "owner"].contains(&&*promise.state) {
            says("it has a place and a state".to_owned());
        }
        // Only what a person does has neither.
        if (promise.shown_by.is_empty() || promise.proved_by.is_empty()) && promise.state != "owner" {
            says("it has neither command nor test, or only one of them".to_owned());
        }
        for path in &promise.built_in {
            if !Path::new(env!("CARGO_MANIFEST_DIR")).join(path).is_file() {
                says(format!("no file {path}"));
            }
        }
        for command in &promise.shown_by {
            if !documents.iter().any(|document| has_command(document, command)) {
                says(format!("no document has the command {command}"));
            }
        }
        for test in &promise.proved_by {
            if let Some(problem) = missing_test(test) {
                says(format!("{test}: {problem}"));
            }
        }
    }
    assert!(wrong.is_empty(), "docs/phase-3.md:\n{}", wrong.join("\n"));
}

#[test]
fn a_name_that_does_not_exist_is_noticed() {
    assert_eq!(missing_test("e2e::promotion::mission_section_6"), None);
    for name in [
        "e2e::promotion::mission_section_7",
        // A function, and not a test.
        "e2e::promotion::published",
        "e2e::nowhere::mission_section_6",
        "machinery/gate.test.ts: lets everything pass",
        "machinery/none.test.ts: lets a proved commit pass",
        "snapshots/none",
        "mission_section_6",
    ] {
        assert!(missing_test(name).is_some(), "{name}");
    }
    assert!(has_command("run `bun test` now", "bun test"));
    assert!(!has_command("run `bun tests` now", "bun test"));
}
