//! The patterns of a manifest that hold variables: which files they are about follows from the answers, as the files' paths do.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::atomic::AtomicBool;

use super::text::{Findings, Renderer};
use super::{Request, known, paths};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Found, Place, Result, Severity};
use crate::liquid::element;
use crate::liquid::engine::Engine;
use crate::liquid::skeleton::Markers;
use crate::manifest::{Manifest, Ownership, Selection};
use crate::patterns::{check_pattern, check_patterns};
use crate::spanned::Spanned;
use crate::tree::Tree;

/// Characters that mean something else than themselves in a pattern.
const SPECIAL: &[char] = &['*', '?', '[', ']', '{', '}', '!', '#', '\\'];

/// A manifest's rules for files, for one project.
#[derive(Debug)]
pub struct Owned {
    /// Whose they are.
    pub ownership: Ownership,
    /// Which ones are rendered, copied or dropped.
    pub selection: Selection,
}

/// Renders the patterns of a manifest under `[create-app]`, and of `ignore` those that are not paths of the template's `files`.
///
/// # Errors
///
/// Every pattern that does not render, or renders to something that is not a safe pattern, with its place.
pub fn owned(manifest: &Manifest, files: &Tree, request: &Request<'_>) -> Result<Owned> {
    let (ownership, selection) = (request.ownership.clone(), request.selection.clone());
    let mut owned = Owned { ownership, selection };
    if !has_variables(&owned) {
        return Ok(owned);
    }
    let known = known(request);
    let engine = Engine::new(request.variables, &request.secrets, request.date);
    let used = request.variables.values().fold(Markers::NONE, |used, value| used.and(&value.to_string()));
    let dated = AtomicBool::new(false);
    let renderer = Renderer { engine: &engine, known: &known, used, names: request.names, dated: &dated };
    let mut patterns = Patterns { manifest, renderer, problems: Found::default() };
    let Ownership { once, blocks, repository, renamed, merge, .. } = &mut owned.ownership;
    for list in [once, blocks, repository] {
        patterns.list(list);
    }
    for path in renamed.iter_mut().flat_map(|renamed| [&mut renamed.from, &mut renamed.to]) {
        patterns.text(path, None, false);
    }
    renamed.retain(|renamed| !renamed.from.is_empty() && !renamed.to.is_empty());
    merge.iter_mut().for_each(|rule| patterns.text(&mut rule.file, None, true));
    merge.retain(|rule| !rule.file.is_empty());
    let mut paths = HashSet::new();
    for path in owned.selection.ignore.iter_mut().filter(|path| element::has_liquid(&path.value)) {
        if paths.is_empty() {
            paths.extend(files.keys().flat_map(|file| file.ancestors().chain([file.as_str()])));
        }
        // A file of the template may have this very name, which is not rendered yet.
        let literal = path.value.trim_start_matches("./").trim_end_matches('/');
        if !paths.contains(literal) {
            patterns.text(&mut path.value, Some(path.span.clone()), false);
        }
    }
    let problems = patterns.problems.into_vec();
    if problems.is_empty() { Ok(owned) } else { Err(Diagnostics(problems)) }
}

fn has_variables(Owned { ownership, selection }: &Owned) -> bool {
    let Ownership { once, blocks, repository, renamed, merge, .. } = ownership;
    let lists = [once, blocks, repository, &selection.ignore].into_iter().flatten().map(|pattern| &pattern.value);
    let others =
        renamed.iter().flat_map(|renamed| [&renamed.from, &renamed.to]).chain(merge.iter().map(|rule| &rule.file));
    lists.chain(others).any(|text| element::has_liquid(text))
}

struct Patterns<'a> {
    manifest: &'a Manifest,
    renderer: Renderer<'a>,
    problems: Found,
}

impl Patterns<'_> {
    fn list(&mut self, list: &mut Vec<Spanned>) {
        if !list.iter().any(|pattern| element::has_liquid(&pattern.value)) {
            return;
        }
        for pattern in list.iter_mut() {
            self.text(&mut pattern.value, Some(pattern.span.clone()), true);
        }
        // What renders to nothing, as under a condition that does not hold, is about no file.
        list.retain(|pattern| !pattern.value.is_empty());
        let values = list.iter().map(|pattern| pattern.value.as_str());
        if let (Err(reason), Some(first)) = (check_patterns(values), list.first()) {
            let problem = Diagnostic::error(Code::TooLarge, "too many patterns in a list");
            let place = self.manifest.place(first.span.clone());
            self.problems.push(problem.at(place, reason).help("list directories instead of files"));
        }
    }

    /// Renders one pattern in its place.
    fn text(&mut self, pattern: &mut String, span: Option<Range<usize>>, is_glob: bool) {
        if !element::has_liquid(pattern) {
            return;
        }
        let raw = std::mem::take(pattern);
        let mut found = Findings::default();
        let rendered = self.renderer.text(&self.manifest.name, &raw, &mut found);
        if let Some(secret) = found.secret {
            let title = format!("the pattern `{raw}` depends on the secret answer `{secret}`");
            let problem = Diagnostic::error(Code::UnsafePath, title)
                .at(self.place(&raw, span.as_ref(), 0..raw.len()), "what it matches is recorded and shown")
                .help(format!("write the pattern without `{secret}`"));
            self.problems.push(problem);
            return;
        }
        let has_problems = !found.problems.is_empty();
        for mut problem in found.problems {
            // A pattern without the variable would be about other files.
            problem.severity = Severity::Error;
            let inner = problem.place.as_ref().map_or(0..raw.len(), |place| place.span.clone());
            problem.place = Some(Box::new(self.place(&raw, span.as_ref(), inner)));
            self.problems.push(problem);
        }
        let Some(rendered) = rendered.filter(|_| !has_problems) else { return };
        let rendered = paths::portable_pattern(&rendered);
        match check(&raw, &rendered, is_glob) {
            Ok(()) => *pattern = rendered,
            Err((code, reason)) => {
                let problem = Diagnostic::error(code, format!("the pattern `{}` {reason}", rendered.escape_debug()))
                    .at(
                        self.place(&raw, span.as_ref(), 0..raw.len()),
                        format!("renders to `{}`", rendered.escape_debug()),
                    )
                    .help("give the placeholder a value that is a plain file name, or write the pattern without it");
                self.problems.push(problem);
            }
        }
    }

    /// The place of a region of a pattern in the manifest.
    fn place(&self, raw: &str, span: Option<&Range<usize>>, inner: Range<usize>) -> Place {
        let text = &self.manifest.text;
        let all = span.cloned().unwrap_or(0..text.len());
        // A string with escapes is not there as it is.
        match text.get(all.clone()).and_then(|within| within.find(raw)) {
            Some(at) => self.manifest.place(all.start + at + inner.start..all.start + at + inner.end),
            None => self.manifest.place(span.cloned().unwrap_or(0..0)),
        }
    }
}

/// Checks what a pattern has become: values bring no wildcards, and no component may vanish, because the rest would be about many more
/// files.
fn check(raw: &str, rendered: &str, is_glob: bool) -> std::result::Result<(), (Code, String)> {
    let unsafe_for = |reason: &str| Err((Code::UnsafePath, reason.to_owned()));
    if rendered.is_empty() {
        return Ok(());
    }
    let special = |text: &str| text.matches(SPECIAL).count();
    if is_glob && special(rendered) > special(&literal(raw)) {
        return unsafe_for("has a wildcard from a value");
    }
    let own = |text: &str| text.trim_start_matches('!').to_owned();
    let (raw, inner) = (own(raw), own(rendered));
    let inner = if raw.starts_with('/') { inner.strip_prefix('/').unwrap_or(&inner) } else { &inner };
    let inner = if raw.ends_with('/') { inner.strip_suffix('/').unwrap_or(inner) } else { inner };
    for component in inner.split('/') {
        match component {
            "" => return unsafe_for("has an empty component"),
            "." => return unsafe_for("has the component `.`, which no path has"),
            ".." => return unsafe_for("leaves the project"),
            _ => {}
        }
    }
    if is_glob {
        check_pattern(rendered).map_err(|reason| (Code::ManifestValue, format!("is not a valid glob: {reason}")))?;
    }
    Ok(())
}

/// A text without its tags and expressions.
fn literal(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(open) = element::next_open(rest, 0) {
        out.push_str(&rest[..open]);
        let end = if rest[open..].starts_with("{{") { "}}" } else { "%}" };
        rest = rest[open..].find(end).map_or("", |at| &rest[open + at + 2..]);
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::date::Date;
    use crate::manifest::read;
    use crate::placeholders::Answer;
    use crate::template::Names;
    use crate::tree::{Entry, RelPath};

    /// The patterns of a manifest with some answers, or the problems with line and column.
    fn owned_by(text: &str, answers: &[(&str, &str)]) -> std::result::Result<Owned, Vec<String>> {
        let (manifest, _) = read("cargo-generate.toml", text).unwrap();
        let variables: BTreeMap<String, Answer> =
            answers.iter().map(|(name, value)| ((*name).to_owned(), Answer::Text((*value).to_owned()))).collect();
        let names = Names::default();
        let request = Request {
            selection: &manifest.selection,
            ownership: &manifest.ownership,
            declared: manifest.declared().collect(),
            variables: &variables,
            secrets: manifest.ownership.secret_names(),
            names: &names,
            strict: false,
            lenient: false,
            date: Date::from_unix(0).unwrap(),
            total: None,
            scripts: None,
        };
        let files: Tree = [(RelPath::new("{{name}}.md").unwrap(), Entry::file(b"".as_slice()))].into();
        owned(&manifest, &files, &request).map_err(|problems| {
            let tell = |problem: &Diagnostic| {
                let (line, column) = problem.place.as_ref().unwrap().line_column();
                format!("{} {line}:{column} {}", problem.code.as_str(), problem.title)
            };
            problems.0.iter().map(tell).collect()
        })
    }

    fn values(list: &[Spanned]) -> Vec<&str> {
        list.iter().map(|pattern| pattern.value.as_str()).collect()
    }

    #[test]
    fn patterns_render_with_the_answers() {
        let manifest = r#"
[template]
ignore = ["{{name}}.md", "{{name}}/docs"]
[create-app]
once = ["/{{name}}/**", "!{{name | upcase}}.md", "{% if ci == 'yes' %}.ci/*{% endif %}", "a*"]
blocks = ["src/{{name}}.md"]
repository = [".github/{{name}}-*.yml"]
[create-app.merge."{{name}}/*.json"]
"plugins" = { order = "set" }
[[create-app.renamed]]
from = "{{name}}.ts"
to = "src/{{name}}.ts"
"#;
        let owned = owned_by(manifest, &[("name", "my:app"), ("ci", "no")]).unwrap();
        assert_eq!(values(&owned.ownership.once), ["/my_app/**", "!MY_APP.md", "a*"]);
        assert_eq!(values(&owned.ownership.blocks), ["src/my_app.md"]);
        assert_eq!(values(&owned.ownership.repository), [".github/my_app-*.yml"]);
        assert_eq!(owned.ownership.merge[0].file, "my_app/*.json");
        let renamed = &owned.ownership.renamed[0];
        assert_eq!((renamed.from.as_str(), renamed.to.as_str()), ("my_app.ts", "src/my_app.ts"));
        // One is the name of a file of the template.
        assert_eq!(values(&owned.selection.ignore), ["{{name}}.md", "my_app/docs"]);
    }

    #[test]
    fn what_does_not_render_or_is_unsafe_is_told_with_its_place() {
        let one = |pattern: &str, value: &str| {
            let manifest = format!(
                "[placeholders]\ntoken = {{ prompt = \"?\" }}\n[create-app]\nsecret = [\"token\"]\nonce = [\"a\", \"{pattern}\"]\n"
            );
            owned_by(&manifest, &[("name", value), ("token", "x")]).unwrap_err().join("\n")
        };
        for (pattern, value, expected) in [
            ("src/{{nme}}", "x", "T003 5:21 unknown variable `nme`"),
            ("{{name", "x", "T001 5:15"),
            ("src/{{ name | nope }}", "x", "T001 5:29 unknown filter `nope`"),
            ("{{name}}/**", "", "T004 5:15 the pattern `/**` has an empty component"),
            ("src/{{name}}", "", "T004 5:15 the pattern `src/` has an empty component"),
            ("{{name}}/a", ".", "T004 5:15 the pattern `./a` has the component `.`"),
            ("{{name}}/a", "..", "T004 5:15 the pattern `../a` leaves the project"),
            ("{{name}}/a", "*", "T004 5:15 the pattern `*/a` has a wildcard from a value"),
            ("{{name}}", "a{b,c}", "T004 5:15 the pattern `a{b,c}` has a wildcard from a value"),
            ("src/{{token}}", "x", "T004 5:15 the pattern `src/{{token}}` depends on the secret answer `token`"),
        ] {
            let found = one(pattern, value);
            assert!(found.starts_with(expected), "{pattern}: {found}");
        }
    }
}
