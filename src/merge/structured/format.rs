//! Which files are structured, and what each format supports.

use super::rules::Rules;
use super::value::{Document, Node};
use super::{json, json_edit, toml, toml_edits, toml_order, yaml};
use crate::tree::RelPath;

/// A structured format, by the name of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::merge) enum Format {
    /// JSON without comments.
    Json,
    /// JSON that has comments where it cannot be parsed without, or that may not be JSON at all.
    LooseJson,
    /// JSON with comments and trailing commas.
    Jsonc,
    /// JSON5.
    Json5,
    /// TOML.
    Toml,
    /// YAML.
    Yaml,
}

impl Format {
    /// The format of a file with this path; lock files and everything else have none.
    pub(in crate::merge) fn of(path: &RelPath) -> Option<Self> {
        const LOCKS: &[&str] = &["package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "deno.lock"];
        const COMMENTED: &[&str] = &["tsconfig", "jsconfig", "devcontainer", ".devcontainer", ".eslintrc", ".babelrc"];
        let name = path.file_name();
        if LOCKS.contains(&name) {
            return None;
        }
        if name.starts_with('.') && name.ends_with("rc") {
            return Some(Self::LooseJson);
        }
        let (stem, extension) = name.rsplit_once('.')?;
        let in_editor = path.ancestors().any(|directory| directory == ".vscode" || directory.ends_with("/.vscode"));
        let commented =
            in_editor || COMMENTED.contains(&stem.split('.').next().filter(|s| !s.is_empty()).unwrap_or(stem));
        match extension {
            "json" if name == "package.json" => Some(Self::Json),
            "json" if commented => Some(Self::Jsonc),
            "json" => Some(Self::LooseJson),
            "jsonc" | "code-workspace" => Some(Self::Jsonc),
            "json5" => Some(Self::Json5),
            "toml" => Some(Self::Toml),
            "yml" | "yaml" => Some(Self::Yaml),
            _ => None,
        }
    }

    /// The dialects to parse all the versions of such a file in: the first that takes them all.
    pub(super) fn dialects(self) -> &'static [Dialect] {
        match self {
            Self::Json => &[Dialect::Json(json::Dialect::Strict)],
            Self::LooseJson => &[
                Dialect::Json(json::Dialect::Strict),
                Dialect::Json(json::Dialect::Commented),
                Dialect::Json(json::Dialect::Comments),
            ],
            Self::Jsonc => &[Dialect::Json(json::Dialect::Commented), Dialect::Json(json::Dialect::Comments)],
            Self::Json5 => &[Dialect::Json(json::Dialect::Json5)],
            Self::Toml => &[Dialect::Toml],
            Self::Yaml => &[Dialect::Yaml(yaml::Aliases::Names), Dialect::Yaml(yaml::Aliases::Values)],
        }
    }
}

/// Where what a text lacks comes from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Other<'t> {
    /// The other side's text.
    pub(super) side: &'t str,
    /// The base's, where there is one.
    pub(super) base: Option<&'t str>,
}

/// How a file is parsed and edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Json(json::Dialect),
    Toml,
    Yaml(yaml::Aliases),
}

impl Dialect {
    /// Parses a text with every comment in its place.
    #[cfg(test)]
    pub(super) fn parse(self, text: &str) -> Option<Document> {
        self.parse_with(text, true)
    }

    /// Nothing if the text is invalid or has a key twice. Without `places`, comments are not in theirs where that takes long.
    pub(super) fn parse_with(self, text: &str, places: bool) -> Option<Document> {
        match self {
            Self::Json(dialect) => json::parse(text, dialect),
            Self::Toml => toml::parse(text),
            Self::Yaml(aliases) => yaml::parse(text, places, aliases),
        }
    }

    /// Makes `text` the document `want`; what it lacks comes from `other`. Nothing where the format has no editor, or where
    /// the editor does not know how.
    pub(super) fn edit(self, text: &str, want: &Node, other: Other<'_>, rules: &Rules<'_>) -> Option<String> {
        match self {
            Self::Json(dialect) => json_edit::edit(text, dialect, want, other, rules),
            Self::Toml => toml_edits::edit(text, want, other, rules),
            Self::Yaml(aliases) => yaml::edit(text, want, other, rules, aliases),
        }
    }

    /// Puts the empty lines into an edited text that both sides have everywhere.
    pub(super) fn space(self, text: String, sides: [&str; 2]) -> String {
        match self {
            Self::Toml => toml_order::space_tables(text, sides),
            Self::Json(_) | Self::Yaml(_) => text,
        }
    }

    /// Whether the last line feed of a text, which has it or not, is a part of a value.
    pub(super) fn needs_final_newline(self, text: &str) -> bool {
        matches!(self, Self::Yaml(_)) && yaml::needs_final_newline(text)
    }

    /// Whether elements are separated by commas.
    pub(super) fn has_commas(self) -> bool {
        matches!(self, Self::Json(_))
    }

    /// Repairs the commas that a merge of lines has left wrong.
    pub(super) fn repair(self, text: &str) -> Option<String> {
        match self {
            Self::Json(dialect) => json::repair_commas(text, dialect),
            Self::Toml | Self::Yaml(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_follows_the_name() {
        let cases = [
            ("package.json", Some(Format::Json)),
            ("apps/a/package.json", Some(Format::Json)),
            ("tsconfig.json", Some(Format::Jsonc)),
            ("tsconfig.build.json", Some(Format::Jsonc)),
            (".vscode/settings.json", Some(Format::Jsonc)),
            ("a/.vscode/launch.json", Some(Format::Jsonc)),
            (".eslintrc.json", Some(Format::Jsonc)),
            ("wrangler.jsonc", Some(Format::Jsonc)),
            ("renovate.json5", Some(Format::Json5)),
            (".prettierrc", Some(Format::LooseJson)),
            ("biome.json", Some(Format::LooseJson)),
            ("Cargo.toml", Some(Format::Toml)),
            (".github/workflows/ci.yml", Some(Format::Yaml)),
            ("pnpm-workspace.yaml", Some(Format::Yaml)),
            ("package-lock.json", None),
            ("pnpm-lock.yaml", None),
            ("Cargo.lock", None),
            ("bun.lock", None),
            ("README.md", None),
            ("json", None),
        ];
        for (path, format) in cases {
            assert_eq!(Format::of(&RelPath::new(path).unwrap()), format, "{path}");
        }
    }
}
