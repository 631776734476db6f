//! No room of `src/` imports from one above it: docs/architecture.md lists them in layers, and this reads the imports.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The crate's root, its program and its build script; and this test.
const NO_ROOMS: [&str; 4] = ["lib", "main", "build", "layers"];

/// The rooms in the order of docs/architecture.md, the lowest first: each may import from those before it.
fn order(document: &str) -> Vec<String> {
    let layers = document.split("\n## Layers\n").nth(1).expect("docs/architecture.md lists the layers");
    let layers = layers.split("\n## ").next().unwrap_or_default();
    let rows = layers.lines().filter(|line| line.starts_with('|')).skip(2);
    let rooms = |row: &str| -> Vec<String> { row.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    rows.collect::<Vec<_>>().into_iter().rev().flat_map(rooms).collect()
}

/// A file of the source that is part of the program, less its tests.
struct File {
    path: PathBuf,
    room: String,
    /// How many modules there are above what the file holds: one for the room itself.
    depth: usize,
    code: String,
}

fn files(src: &Path) -> Vec<File> {
    let all = walkdir::WalkDir::new(src).into_iter().map(|entry| entry.unwrap().into_path());
    let all = all.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let texts: BTreeMap<PathBuf, String> =
        all.map(|path| (path.clone(), fs_err::read_to_string(path).unwrap())).collect();
    let tests: BTreeSet<PathBuf> = texts.iter().flat_map(|(path, text)| test_modules(path, text)).collect();
    let is_test = |path: &Path| path.ancestors().any(|above| tests.contains(&above.with_extension("")));
    let files = texts.into_iter().filter(|(path, _)| !is_test(path)).filter_map(|(path, text)| {
        let below = path.strip_prefix(src).unwrap().with_extension("");
        let mut names: Vec<&str> = below.iter().map(|name| name.to_str().unwrap()).collect();
        names.pop_if(|name| *name == "mod");
        let (room, depth) = (names[0].to_owned(), names.len());
        let code = without_tests(&text);
        (!NO_ROOMS.contains(&room.as_str())).then_some(File { path, room, depth, code })
    });
    files.collect()
}

/// The modules with files of their own that a file has for tests only, without an extension.
fn test_modules(path: &Path, text: &str) -> Vec<PathBuf> {
    let directory = if path.ends_with("mod.rs") || path.ends_with("lib.rs") {
        path.parent().unwrap().into()
    } else {
        path.with_extension("")
    };
    let lines: Vec<&str> = text.lines().collect();
    let pairs = lines.windows(2).filter(|pair| pair[0] == "#[cfg(test)]");
    let name = |pair: &[&str]| Some(pair[1].strip_suffix(';')?.split_once("mod ")?.1.to_owned());
    pairs.filter_map(name).map(|name| directory.join(name)).collect()
}

/// The code without comments and without what is compiled for tests only.
fn without_tests(text: &str) -> String {
    let mut code = String::new();
    let mut lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    while let Some(line) = lines.next() {
        if line.trim_start() != "#[cfg(test)]" {
            code += line;
            code.push('\n');
            continue;
        }
        let indent = &line[..line.len() - line.trim_start().len()];
        let ends = [format!("{indent}}}"), format!("{indent}}};")];
        let is_short = |line: &str| line.starts_with(&format!("{indent}#")) || !line.ends_with(['{', ';', '}']);
        let first = lines.by_ref().find(|line| !is_short(line)).unwrap_or_default();
        if first.ends_with('{') {
            lines.by_ref().find(|line| ends.iter().any(|end| end == line));
        }
    }
    code
}

/// The names that follow `start` in paths: one, or those in braces.
fn heads<'c>(code: &'c str, start: &str) -> Vec<&'c str> {
    let name = |text: &'c str| text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
    let mut found = Vec::new();
    for (at, _) in code.match_indices(start) {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || "_:".contains(c)) {
            continue;
        }
        let rest = &code[at + start.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            found.push(name(rest));
            continue;
        };
        let (mut depth, mut is_head) = (1, true);
        for (at, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => is_head = true,
                c if depth == 1 && is_head && (c.is_alphanumeric() || c == '_') => {
                    found.push(name(&group[at..]));
                    is_head = false;
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    found
}

/// The rooms that a file imports from.
fn imports(file: &File) -> BTreeSet<&str> {
    let from_the_root = heads(&file.code, "crate::");
    let upwards = heads(&file.code, &"super::".repeat(file.depth));
    let all = from_the_root.into_iter().chain(upwards);
    all.filter(|room| *room != file.room && *room != "super" && !room.is_empty()).collect()
}

#[test]
fn imports_run_down() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = fs_err::read_to_string(root.join("docs/architecture.md")).unwrap();
    let order = order(&document);
    let level = |room: &str| order.iter().position(|it| it == room);
    let files = files(&root.join("src"));
    let rooms: BTreeSet<&str> = files.iter().map(|file| file.room.as_str()).collect();
    assert_eq!(rooms, order.iter().map(String::as_str).collect(), "docs/architecture.md lists each room once");
    assert_eq!(rooms.len(), order.len(), "docs/architecture.md lists a room twice");
    let mut upwards = Vec::new();
    for file in &files {
        for room in imports(file).into_iter().filter(|room| level(room) >= level(&file.room) || level(room).is_none()) {
            upwards.push(format!("{}: `{}` imports from `{room}`", file.path.display(), file.room));
        }
    }
    assert!(upwards.is_empty(), "imports run up:\n{}", upwards.join("\n"));
}

#[test]
fn an_import_is_found_however_it_is_written() {
    let text = "use crate::{\n    a::{x, y},\n    b,\n};\nuse super::super::c::X;\n// crate::not\nfn f() { crate::d::f(); other::crate::no }\n\
                #[cfg(test)]\nuse crate::e;\n#[cfg(test)]\nmod tests {\n    use crate::f;\n}\nuse super::own;\n";
    let file = File { path: PathBuf::new(), room: "room".into(), depth: 2, code: without_tests(text) };
    assert_eq!(imports(&file).into_iter().collect::<Vec<_>>(), ["a", "b", "c", "d"]);
    assert_eq!(test_modules(Path::new("src/a.rs"), "#[cfg(test)]\nmod tests;\nmod b;"), [Path::new("src/a/tests")]);
}
