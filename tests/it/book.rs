//! The book: `docs/` as a whole. Its links lead somewhere, its summary is complete, and its page of commands is what clap knows.
//!
//! `SNAPSHOTS=overwrite cargo test --test it -- book::` writes docs/commands.md again.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Component, Path, PathBuf};

use clap::{Arg, Command, CommandFactory as _, Parser as _};
use create_app::cli::Cli;
use fs_err as fs;
use regex::Regex;
use walkdir::WalkDir;

use super::phase_3::{APP_DOCUMENTS, has_command};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The pages of the book, by their path below `docs/`.
fn pages() -> BTreeMap<String, String> {
    let docs = root().join("docs");
    let files = WalkDir::new(&docs).into_iter().map(|entry| entry.unwrap().into_path());
    let pages = files.filter(|path| path.extension().is_some_and(|it| it == "md"));
    let name = |path: &Path| path.strip_prefix(&docs).unwrap().to_str().unwrap().replace('\\', "/");
    pages.map(|path| (name(&path), fs::read_to_string(&path).unwrap())).collect()
}

/// A page without its blocks of code, and the lines of its blocks by language.
fn split(page: &str) -> (String, Vec<(String, String)>) {
    let (mut prose, mut blocks) = (String::new(), Vec::new());
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let info = line.trim_start_matches('`');
        let fence = &line[..line.len() - info.len()];
        if fence.len() < 3 {
            prose.push_str(line);
            prose.push('\n');
            continue;
        }
        let code: String = lines.by_ref().take_while(|line| *line != fence).flat_map(|line| [line, "\n"]).collect();
        blocks.push((info.to_owned(), code));
    }
    (prose, blocks)
}

/// The anchors of a page's headings, as GitHub and mdBook make them.
fn anchors(page: &str) -> BTreeSet<String> {
    let mut counts = BTreeMap::new();
    let (prose, _) = split(page);
    let titles = prose
        .lines()
        .filter_map(|line| line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#')));
    let anchor = |title: &str| -> String {
        let kept = title.trim().chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect::<String>().to_lowercase()
    };
    titles
        .map(|title| {
            let anchor = anchor(title);
            let count = counts.entry(anchor.clone()).or_insert(0);
            *count += 1;
            if *count == 1 { anchor } else { format!("{anchor}-{}", *count - 1) }
        })
        .collect()
}

/// Where the links and the pictures of a page lead.
fn links(page: &str) -> Vec<String> {
    let prose = Regex::new("`[^`]*`").unwrap().replace_all(&split(page).0, "").into_owned();
    Regex::new(r"\]\(([^)\s]+)\)").unwrap().captures_iter(&prose).map(|link| link[1].to_owned()).collect()
}

/// A path without `..`, if it stays below where it begins.
fn inside(path: &Path) -> Option<PathBuf> {
    path.components().try_fold(PathBuf::new(), |mut path, part| match part {
        Component::ParentDir => path.pop().then_some(path),
        part => Some(path.join(part)),
    })
}

/// What is wrong with a link of a page, if anything. Both paths are relative to `root`, which no link leaves.
fn broken(root: &Path, page: &str, link: &str) -> Option<String> {
    if link.starts_with("https://") {
        return None;
    }
    let (path, anchor) = link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor)));
    let target =
        if path.is_empty() { Some(PathBuf::from(page)) } else { inside(&Path::new(page).with_file_name(path)) };
    let Some(file) = target.map(|target| root.join(target)).filter(|file| file.is_file()) else {
        return Some(format!("{page}: {link}: no such file"));
    };
    let anchor = anchor?;
    let known = anchors(&fs::read_to_string(file).unwrap());
    (!known.contains(anchor)).then(|| format!("{page}: {link}: no such heading"))
}

#[test]
fn every_link_leads_somewhere() {
    let docs = root().join("docs");
    let mut wrong = Vec::new();
    let mut count = 0;
    for (page, text) in pages() {
        for link in links(&text) {
            count += 1;
            wrong.extend(broken(&docs, &page, &link));
        }
    }
    for page in ["README.md", "SECURITY.md", ".github/CONTRIBUTING.md"] {
        let links = links(&fs::read_to_string(root().join(page)).unwrap());
        assert!(!links.is_empty(), "{page}");
        wrong.extend(links.iter().filter_map(|link| broken(root(), page, link)));
    }
    assert!(count > 100, "{count}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_link_that_leads_nowhere_is_noticed() {
    let docs = root().join("docs");
    for link in ["nowhere.md", "../README.md", "errors.md#x999", "#nothing", "images/none.svg", "http://example.com"] {
        assert!(broken(&docs, "upgrade.md", link).is_some(), "{link}");
    }
    for link in ["errors.md#l005", "#conflicts", "images/record.svg", "https://example.com"] {
        assert_eq!(broken(&docs, "upgrade.md", link), None);
    }
    assert_eq!(links("a [`b`](c.md) `[d](e.md)`\n```sh\n[f](g.md)\n```\n![h](i.svg)"), ["c.md", "i.svg"]);
    let titles = "# The `a` & b\n## Same\n## Same\n```\n# not a title\n```\n";
    assert_eq!(anchors(titles), ["same", "same-1", "the-a--b"].map(str::to_owned).into());
}

#[test]
fn the_summary_has_every_page_once() {
    let mut pages = pages();
    let mut listed = links(&pages.remove("SUMMARY.md").unwrap());
    listed.sort();
    assert_eq!(listed, pages.into_keys().collect::<Vec<_>>());
}

/// The rows of a table have as many cells as its first one, and the second row says that it is a table.
#[test]
fn every_table_is_one() {
    let cells = |row: &str| {
        let code = Regex::new("`[^`]*`").unwrap().replace_all(row, "").into_owned();
        code.replace("\\\\|", "").matches('|').count()
    };
    let mut wrong = Vec::new();
    let mut count = 0;
    for (page, text) in pages() {
        let (prose, _) = split(&text);
        for table in prose.split("\n\n").filter(|part| part.trim_start().starts_with('|')) {
            count += 1;
            let rows: Vec<&str> = table.trim().lines().take_while(|line| line.starts_with('|')).collect();
            let is_ruled = rows.get(1).is_some_and(|row| row.chars().all(|c| ['|', '-', ':'].contains(&c)));
            let uneven = rows.iter().find(|row| cells(row) != cells(rows[0]));
            if !is_ruled || uneven.is_some() {
                wrong.push(format!("{page}: {}", uneven.unwrap_or(&rows[0])));
            }
        }
    }
    assert!(count > 50, "{count}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The reader of the manifest has its keys in lists; the page has each of them, and no other.
#[test]
fn the_page_of_the_manifest_has_every_key() {
    let sources = WalkDir::new(root().join("src/manifest/reader")).into_iter().map(|entry| entry.unwrap().into_path());
    let source: String = sources.filter(|path| path.is_file()).map(|path| fs::read_to_string(path).unwrap()).collect();
    let list = |pattern: &str| -> Vec<String> {
        let lists = Regex::new(pattern).unwrap();
        let word = Regex::new("\"([a-z_-]+)\"").unwrap();
        let found = lists.captures_iter(&source).map(|list| list[1].to_owned());
        found.flat_map(|list| word.captures_iter(&list).map(|word| word[1].to_owned()).collect::<Vec<_>>()).collect()
    };
    let mut known: BTreeSet<String> =
        list(r"(?s)const (?:KEYS|PHASES): &\[&str\] =\s*&\[(.*?)\]").into_iter().collect();
    known.extend(list(r"(?s)check_keys\([^;]*?&\[(.*?)\]"));
    known.extend(list(r"(?s)const ACTIONS[^=]*= &\[(.*?)\];"));
    known.extend(list(r"two_strings\([^;]*?\[(.*?)\]"));
    assert!(known.len() > 45, "{known:?}");

    let (prose, _) = split(&fs::read_to_string(root().join("docs/manifest.md")).unwrap());
    let code = Regex::new("`([a-z_-]+)`").unwrap();
    let rows = prose.lines().filter_map(|line| line.strip_prefix("| "));
    let keys = rows.flat_map(|row| row.split(" | ").take(2)).collect::<Vec<_>>().join(" ");
    let written: BTreeSet<String> = code.captures_iter(&keys).map(|key| key[1].to_owned()).collect();
    let missing: Vec<_> = known.difference(&written).collect();
    assert!(missing.is_empty(), "docs/manifest.md lacks {missing:?}");
    // Values, and what is said of them, are code as well; a key that leads a row has to exist.
    let leads = prose.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next());
    let unknown: Vec<&str> =
        leads.flat_map(|cell| cell.trim_end_matches('`').split("`, `")).filter(|key| !known.contains(*key)).collect();
    assert!(unknown.is_empty(), "the reader does not know {unknown:?}");
}

#[test]
fn nothing_in_the_book_is_fetched_from_elsewhere() {
    let assets = ["docs/theme", "docs/images"].map(|dir| WalkDir::new(root().join(dir)));
    let files = assets.into_iter().flatten().map(|entry| entry.unwrap().into_path()).filter(|path| path.is_file());
    for file in files {
        let text = fs::read_to_string(&file).unwrap().replace("http://www.w3.org/2000/svg", "");
        assert!(!text.contains("://") && !text.contains("@import"), "{}", file.display());
    }
    for (page, text) in pages() {
        let (prose, _) = split(&text);
        assert!(!prose.contains("](http://") && !prose.contains("![](http") && !prose.contains("<script"), "{page}");
    }
}

/// Commands that are shown without their output are not run here. Those of create-app can at least be read; those of a generated app are
/// in its own documents, where they run.
#[test]
fn commands_without_output_are_real() {
    let documents: Vec<String> =
        APP_DOCUMENTS.iter().map(|path| fs::read_to_string(root().join(path)).unwrap()).collect();
    let mut wrong = Vec::new();
    let mut count = 0;
    for (page, text) in pages() {
        let (prose, blocks) = split(&text);
        let shown: String =
            blocks.iter().filter(|(info, _)| info == "console").map(|(_, code)| code.as_str()).collect();
        let about_apps = ["tutorial.md", "app-owners.md"].contains(&&*page);
        for line in blocks.iter().filter(|(info, _)| info == "sh").flat_map(|(_, code)| code.lines()) {
            let line = line.split_once(" #").map_or(line, |(line, _)| line).trim();
            let words = shell_words::split(line).unwrap();
            let is_known = match words.first().map(String::as_str) {
                Some("create-app") if !line.contains('|') => Cli::try_parse_from(&words).is_ok(),
                Some(_) if about_apps => {
                    documents.iter().chain([&shown, &prose]).any(|document| has_command(document, line))
                }
                _ => continue,
            };
            count += 1;
            if !is_known {
                wrong.push(format!("{page}: {line}"));
            }
        }
    }
    assert!(count > 10, "{count}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_page_of_commands_is_what_clap_knows() {
    let path = root().join("docs/commands.md");
    let page = commands();
    if std::env::var_os("SNAPSHOTS").is_some_and(|mode| mode == "overwrite") {
        return fs::write(path, page).unwrap();
    }
    let written = fs::read_to_string(path).unwrap();
    assert!(written == page, "write it again: SNAPSHOTS=overwrite cargo test --test it -- book::");
}

/// docs/commands.md.
fn commands() -> String {
    let command = Cli::command();
    let mut page = format!(
        "# Commands\n\n{}. This page is made from the program's own help.\n\n{}\n\n| command | does |\n|---|---|\n",
        command.get_about().unwrap(),
        command.get_after_help().unwrap(),
    );
    let visible = || command.get_subcommands().filter(|command| !command.is_hide_set());
    for command in visible() {
        let name = command.get_name();
        writeln!(page, "| [`create-app {name}`](#create-app-{name}) | {} |", cell(&about(command))).unwrap();
    }
    page.push_str("\n## Options of every command\n\n");
    table(&mut page, "option", command.get_arguments().filter(|arg| arg.is_global_set()));
    page.push_str(
        "\nExit codes: 0 for done, 1 where a command says so below, 2 for an error after which nothing was written.\n",
    );
    for command in visible() {
        let name = format!("create-app {}", command.get_name());
        let usage = command.clone().bin_name(&name).render_usage().to_string();
        let usage = usage.trim_start_matches("Usage:").lines().map(str::trim).collect::<Vec<_>>().join("\n");
        write!(page, "\n## {name}\n\n{}.\n\n```text\n{usage}\n```\n", about(command)).unwrap();
        let aliases: Vec<String> = command.get_visible_aliases().map(|alias| format!("`create-app {alias}`")).collect();
        if !aliases.is_empty() {
            write!(page, "\nAlso: {}.\n", aliases.join(", ")).unwrap();
        }
        let arguments = || command.get_arguments().filter(|arg| !arg.is_hide_set() && !arg.is_global_set());
        for (title, positional) in [("argument", true), ("option", false)] {
            if arguments().any(|arg| arg.is_positional() == positional) {
                page.push('\n');
                table(&mut page, title, arguments().filter(|arg| arg.is_positional() == positional));
            }
        }
        if let Some(after) = command.get_after_help() {
            write!(page, "\n{}\n", prose(&after.to_string())).unwrap();
        }
    }
    page
}

fn about(command: &Command) -> String {
    command.get_about().unwrap().to_string()
}

/// Text outside code, where `<NAME>` would be HTML.
fn prose(text: &str) -> String {
    let parts = text.split('`').enumerate();
    let parts = parts.map(|(at, part)| if at % 2 == 0 { part.replace('<', "\\<") } else { part.to_owned() });
    parts.collect::<Vec<_>>().join("`")
}

/// Text for a cell of a table.
fn cell(text: &str) -> String {
    prose(text).replace('|', "\\|").replace('\n', " ")
}

fn table<'a>(page: &mut String, title: &str, arguments: impl Iterator<Item = &'a Arg>) {
    writeln!(page, "| {title} | meaning |\n|---|---|").unwrap();
    for arg in arguments {
        writeln!(page, "| {} | {} |", cell(&format!("`{}`", spelling(arg))), cell(&meaning(arg))).unwrap();
    }
}

/// How an argument is typed.
fn spelling(arg: &Arg) -> String {
    let values: Vec<String> =
        arg.get_value_names().unwrap_or_default().iter().map(|name| format!("<{name}>")).collect();
    let values =
        if values.is_empty() { format!("<{}>", arg.get_id().as_str().to_uppercase()) } else { values.join(" ") };
    if arg.is_positional() {
        return values;
    }
    let short = arg.get_short().map(|short| format!("-{short}"));
    let long = arg.get_long().map(|long| format!("--{long}"));
    let names = short.into_iter().chain(long).collect::<Vec<_>>().join(", ");
    if arg.get_action().takes_values() { format!("{names} {values}") } else { names }
}

/// What an argument means, with its values, its default and its other names.
fn meaning(arg: &Arg) -> String {
    let mut text = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let takes_values = arg.get_action().takes_values();
    let values = arg.get_possible_values();
    if takes_values && !arg.is_hide_possible_values_set() && !values.is_empty() {
        let values = values.iter().filter(|value| !value.is_hide_set()).map(|value| match value.get_help() {
            Some(help) => format!("`{}` ({help})", value.get_name()),
            None => format!("`{}`", value.get_name()),
        });
        write!(text, " [values: {}]", values.collect::<Vec<_>>().join(", ")).unwrap();
    }
    let defaults: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if takes_values && !defaults.is_empty() && !arg.is_hide_default_value_set() {
        write!(text, " [default: `{}`]", defaults.join(" ")).unwrap();
    }
    let aliases = arg.get_visible_aliases().unwrap_or_default();
    if !aliases.is_empty() {
        let aliases: Vec<String> = aliases.iter().map(|alias| format!("`--{alias}`")).collect();
        write!(text, " [also: {}]", aliases.join(", ")).unwrap();
    }
    text
}
