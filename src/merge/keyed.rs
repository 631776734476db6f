//! Text in which each line is about something unique: a requirement, a variable, a tool. A line merge that
//! has a thing twice, as no side does, is not clean.

use std::collections::{HashMap, HashSet};

use super::text::{self, Side, TextMerge, lines};
use crate::tree::RelPath;

/// The subjects of a file's lines, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lines {
    /// Python requirements: a package.
    Requirements,
    /// `KEY=value`, also after `export`: a variable.
    Variables,
    /// A word, and what it gets: a tool and its version, a pattern and its owners.
    Words,
    /// `gem "name"`, `brew "name"`: both words.
    Calls,
    /// A module, by its directive.
    Modules,
    /// Sections of `key = value`.
    Sections,
}

impl Lines {
    /// Nothing, where lines may be about anything.
    pub(super) fn of(path: &RelPath) -> Option<Self> {
        let name = path.file_name();
        let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
        let is_in = |directory: &str| path.ancestors().any(|path| path.rsplit('/').next() == Some(directory));
        Some(match (name, extension) {
            (".tool-versions" | "CODEOWNERS" | ".gitattributes", _) => Self::Words,
            ("Gemfile" | "Brewfile", _) => Self::Calls,
            ("go.mod" | "go.work", _) => Self::Modules,
            (".dev.vars" | ".npmrc", _) | (_, "env" | "properties") => Self::Variables,
            _ if name.starts_with(".env") || name.starts_with(".dev.vars.") => Self::Variables,
            (".editorconfig" | ".flake8" | ".coveragerc" | ".pylintrc" | ".gitmodules", _) | (_, "ini" | "cfg") => {
                Self::Sections
            }
            (_, "txt" | "in") if is_in("requirements") => Self::Requirements,
            (_, "txt" | "in") if stem.contains("requirements") || stem.contains("constraints") => Self::Requirements,
            _ => return None,
        })
    }

    /// The subject of each line of a text.
    fn keys(self, text: &[u8]) -> Vec<Option<String>> {
        let mut above = String::new();
        lines(text).map(|line| self.key(&String::from_utf8_lossy(line), &mut above)).collect()
    }

    /// The subject of a line; `above` is the section, or the directive of the block, that it is in.
    fn key(self, line: &str, above: &mut String) -> Option<String> {
        let is_indented = line.starts_with([' ', '\t']);
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) || line.starts_with("//") {
            return None;
        }
        let word = |text: &str| text.split_whitespace().next().map(str::to_owned);
        match self {
            Self::Requirements => requirement(line),
            Self::Variables => {
                let (key, _) = line.strip_prefix("export ").unwrap_or(line).split_once('=')?;
                // `key[]` adds to a list.
                Some(key.trim().to_owned()).filter(|key| !key.contains(['"', '\'', ' ']) && !key.ends_with("[]"))
            }
            Self::Words => word(line),
            Self::Calls => {
                let (call, rest) = line.split_once([' ', '('])?;
                let quote = rest.trim_start().chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
                let name = rest.trim_start()[1..].split(quote).next()?;
                matches!(call, "gem" | "brew" | "cask" | "tap" | "mas").then(|| format!("{call} {name}"))
            }
            Self::Modules => {
                if line == ")" {
                    above.clear();
                    return None;
                }
                if let Some(directive) = line.strip_suffix('(') {
                    directive.trim().clone_into(above);
                    return None;
                }
                let (directive, rest) = match above.is_empty() {
                    true => line.split_once(' ')?,
                    false => (above.as_str(), line),
                };
                match directive {
                    // One may be named in many versions.
                    "exclude" | "retract" => Some(format!("{directive} {rest}")),
                    "go" | "toolchain" | "module" => Some(directive.to_owned()),
                    _ => Some(format!("{directive} {}", word(rest)?)),
                }
            }
            Self::Sections => {
                if line.starts_with('[') {
                    line.clone_into(above);
                    return Some(line.to_owned());
                }
                let (key, _) = line.split_once(['=', ':']).filter(|_| !is_indented)?;
                Some(format!("{above} {}", key.trim()))
            }
        }
    }
}

/// The package of a requirement, with its marker: there may be several for different systems.
fn requirement(line: &str) -> Option<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let end = line.find(|c| !is_name(c)).unwrap_or(line.len());
    let rest = line[end..].split(" #").next().unwrap_or_default().trim_start();
    // A path, an address or an option is not a name.
    if end == 0 || line.starts_with(['-', '.']) || rest.starts_with(['/', ':', '\\', '+']) {
        return None;
    }
    let marker = rest.split_once(';').map_or("", |(_, marker)| marker.trim());
    let words = line[..end].to_ascii_lowercase();
    let name = words.split(['-', '_', '.']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-");
    Some(format!("{name} {marker}"))
}

/// Merges three versions by lines. A change that would give a thing a second line, as no side has, is a conflict.
pub(super) fn merge<'a>(kind: Lines, base: &'a [u8], ours: &'a [u8], theirs: &'a [u8]) -> TextMerge<'a> {
    let merge = text::merge(base, ours, theirs);
    let doubled = doubled(kind, &merge, ours, theirs);
    if doubled.is_empty() {
        return merge;
    }
    if let Some(merge) = once(kind, &doubled, [base, ours, theirs]) {
        return merge;
    }
    // Both sides' changes of it are in question. The section of a line is not known from a part of the text alone.
    let doubled: HashSet<&[u8]> = [ours, theirs].into_iter().flat_map(|side| about(kind, &doubled, side)).collect();
    let is_doubled = |text: &[u8]| lines(text).any(|line| doubled.contains(line));
    text::merge_but(base, ours, theirs, &is_doubled)
}

/// The merge in which what both sides added in the same words, in different places, is where ours has it.
fn once<'a>(kind: Lines, doubled: &HashSet<String>, [base, ours, theirs]: [&'a [u8]; 3]) -> Option<TextMerge<'a>> {
    let [in_base, known, in_theirs] = [base, ours, theirs].map(|text| about(kind, doubled, text));
    if kind == Lines::Sections || !in_base.is_empty() || known != in_theirs {
        return None;
    }
    let left: Vec<u8> = lines(theirs).filter(|line| !known.contains(line)).flatten().copied().collect();
    let merge = text::merge(base, ours, &left).into_owned();
    self::doubled(kind, &merge, ours, theirs).is_empty().then_some(merge)
}

/// The lines of a text that are about any of these things.
fn about<'t>(kind: Lines, things: &HashSet<String>, text: &'t [u8]) -> HashSet<&'t [u8]> {
    let all = lines(text).zip(kind.keys(text));
    all.filter(|(_, key)| key.as_ref().is_some_and(|key| things.contains(key))).map(|(line, _)| line).collect()
}

/// What has more lines in a merge, whichever side is chosen, than in either version.
fn doubled(kind: Lines, merge: &TextMerge<'_>, ours: &[u8], theirs: &[u8]) -> HashSet<String> {
    let count = |text: &[u8]| {
        let mut counts: HashMap<String, usize> = HashMap::new();
        kind.keys(text).into_iter().flatten().for_each(|key| *counts.entry(key).or_default() += 1);
        counts
    };
    let (ours, theirs) = (count(ours), count(theirs));
    let of = |counts: &HashMap<String, usize>, key: &String| counts.get(key).copied().unwrap_or_default();
    let merged = [Side::Ours, Side::Theirs].map(|side| count(&merge.choose(side)));
    let merged = merged.into_iter().flatten();
    merged.filter(|(key, count)| *count > 1.max(of(&ours, key)).max(of(&theirs, key))).map(|(key, _)| key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merge::content;
    use crate::merge::draw::{Style, draw, has_markers};
    use crate::merge::known::Known;

    fn text(path: &str, [base, ours, theirs]: [&str; 3], style: Style) -> String {
        let path = RelPath::new(path).unwrap();
        let [base, ours, theirs] = [base, ours, theirs].map(str::as_bytes);
        let merge = content::merge(&path, Known::default(), Some(base), ours, theirs).merge;
        String::from_utf8(draw(&merge, style, "2")).unwrap()
    }

    /// A path, base, ours, and theirs, in which something is there once; `,` ends a line.
    const DOUBLED: &[[&str; 4]] = &[
        ["requirements.txt", "a==1,b==1,c,", "a==1,Http_X==1,b==1,c,", "a==1,b==1,c,http-x[h2]>=2  # new,"],
        ["requirements/dev.in", "a,b,", "x==1,a,b,", "a,b,x @ https://example.com/x.zip,"],
        ["constraints.txt", "a==1,b==1,c==1,", "b==1,c==1,a==1,", "a==2,b==1,c==1,"],
        [".env.example", "A=1,B=1,C=1,", "X=1,A=1,B=1,C=1,", "A=1,B=1,C=1,export X=2,"],
        ["app/.dev.vars", "A=1,B=1,", "X=1,A=1,B=1,", "A=1,B=1,X = 2,"],
        [".tool-versions", "node 20,python 3,", "bun 1,node 20,python 3,", "node 20,python 3,bun 2,"],
        ["Gemfile", "gem 'a',gem 'b',", "gem 'x',gem 'a',gem 'b',", "gem 'a',gem 'b',gem \"x\" # new,"],
        [
            "go.mod",
            "go 1.2,,require (,\ta v1,\tb v1,),",
            "go 1.2,,require (,\tx v1,\ta v1,\tb v1,),",
            "go 1.2,,require (,\ta v1,\tb v1,),require x v2,",
        ],
        [".editorconfig", "[*],a = 1,b = 1,c = 1,", "[*],x = 1,a = 1,b = 1,c = 1,", "[*],a = 1,b = 1,c = 1,x = 2,"],
        ["tox.ini", "[a],k = 1,[b],k = 1,", "[x],[a],k = 1,[b],k = 1,", "[a],k = 1,[b],k = 1,[x],y = 1,"],
        [".github/CODEOWNERS", "* @a,/x @a,", "*.md @o,* @a,/x @a,", "* @a,/x @a,*.md @t,"],
    ];

    #[test]
    fn what_both_add_in_different_places_is_a_conflict() {
        for [path, versions @ ..] in DOUBLED {
            let versions = versions.map(|text| text.replace(',', "\n"));
            let [_, ours, theirs] = &versions;
            let versions = versions.each_ref().map(String::as_str);
            let merged = text(path, versions, Style::Merge);
            assert!(has_markers(merged.as_bytes()), "{path}: {merged}");
            assert_eq!(text(path, versions, Style::Ours), *ours, "{path}");
            assert_eq!(text(path, versions, Style::Theirs), *theirs, "{path}");
        }
    }

    #[test]
    fn what_is_twice_on_a_side_or_about_different_things_merges_as_text() {
        let cases = [
            [
                "requirements.txt",
                "a,b,c,",
                "x; python_version<'3',a,b,c,",
                "a,b,c,x; python_version>='3',",
                "x; python_version<'3',a,b,c,x; python_version>='3',",
            ],
            ["requirements.txt", "a,b,c,", "-r x,a,b,c,", "a,b,c,-r y,", "-r x,a,b,c,-r y,"],
            ["Gemfile", "gem 'x',b,gem 'x',", "o,gem 'x',b,gem 'x',", "gem 'x',b,gem 'x',t,", "o,gem 'x',b,gem 'x',t,"],
            [
                ".editorconfig",
                "[a],k = 1,[b],z = 1,",
                "[a],j = 1,k = 1,[b],z = 1,",
                "[a],k = 1,[b],z = 1,j = 1,",
                "[a],j = 1,k = 1,[b],z = 1,j = 1,",
            ],
            ["a.txt", "a,b,c,", "x==1,a,b,c,", "a,b,c,x==2,", "x==1,a,b,c,x==2,"],
            // In the same words, it is there once.
            [".env", "A=1,B=1,", "X=1,A=1,B=1,", "A=1,B=1,X=1,", "X=1,A=1,B=1,"],
            [".env", "A=1,B=1,", "X=1,A=1,B=1,", "A=1,B=1,X=1,Y=1,", "X=1,A=1,B=1,Y=1,"],
        ];
        for [path, base, ours, theirs, expected] in cases {
            let [base, ours, theirs, expected] = [base, ours, theirs, expected].map(|text| text.replace(',', "\n"));
            assert_eq!(text(path, [&base, &ours, &theirs], Style::Merge), expected, "{path}");
        }
    }

    #[test]
    fn the_name_of_a_file_says_what_its_lines_are_about() {
        let cases = [
            ("requirements-dev.txt", Some(Lines::Requirements)),
            ("requirements/base.txt", Some(Lines::Requirements)),
            (".env.local", Some(Lines::Variables)),
            ("gradle.properties", Some(Lines::Variables)),
            ("setup.cfg", Some(Lines::Sections)),
            ("notes.txt", None),
            ("environment", None),
        ];
        for (path, kind) in cases {
            assert_eq!(Lines::of(&RelPath::new(path).unwrap()), kind, "{path}");
        }
    }
}
