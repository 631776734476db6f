//! Reads the manifest by walking the TOML document, so that every problem has its place and all are reported at once.

mod depends;
mod inference;
mod migrations;
mod ownership;
mod placeholders;
mod values;

pub(super) use values::{REPEAT_LESS, TOO_LARGE};

use std::ops::Range;
use std::sync::Arc;

use semver::{Version, VersionReq};
use toml::Spanned as TomlSpanned;
use toml::de::{DeTable, DeValue};

use super::{Conditional, HookScripts, Manifest, Selection};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Found, Severity};
use crate::limits::is_overfull_toml;
use crate::placeholders::condition::Condition;
use crate::placeholders::pattern::Memory;
use crate::spanned::Spanned;

/// The name of cargo-generate's own post hook, and of no script.
const FORMAT: &str = "fmt";

/// At most this many places are shown where the manifest is not TOML.
const MOST: usize = 100;
/// The largest manifest, in bytes.
const MAX_TEXT: usize = 1 << 20;
/// How many placeholders, and how many conditions, inferences, moves and the like, a manifest may have.
const MAX_ENTRIES: usize = 1_000;

/// Reads a manifest; `name` is how messages call it.
///
/// Returns it with warnings: keys that cargo-generate ignores, too, are no reason to refuse a template.
///
/// # Errors
///
/// Every problem of the manifest, each with its place.
pub fn read(name: &str, text: &str) -> Result<(Manifest, Vec<Diagnostic>), Diagnostics> {
    if text.len() > MAX_TEXT {
        let title = format!("the manifest `{name}` has more than {} MiB", MAX_TEXT >> 20);
        return Err(Diagnostic::error(Code::TooLarge, title).help("shorten it, or split the template").into());
    }
    let text: Arc<str> = text.into();
    let mut reader = Reader {
        name: name.to_owned(),
        text: Arc::clone(&text),
        found: Found::default(),
        last: None,
        memory: Memory::default(),
        placeholders: 0,
    };
    if is_overfull_toml(&text) {
        let help = "move data to a file of the template";
        let title = "the manifest is too complex";
        let code = (Code::ManifestSyntax, Severity::Error);
        reader.report(code, 0..0, title, "too many keys, tables or arrays", || Some(help.into()));
        return Err(Diagnostics(reader.found.into_vec()));
    }
    let (document, errors) = DeTable::parse_recoverable(&text);
    for error in errors.into_iter().take(MOST) {
        let span = error.span().unwrap_or(0..0);
        reader.report(
            (Code::ManifestSyntax, Severity::Error),
            span,
            "the manifest is not valid TOML",
            error.message(),
            || Some("the manifest is TOML (https://toml.io): correct this line".into()),
        );
    }
    if !reader.found.is_empty() {
        return Err(Diagnostics(reader.found.into_vec()));
    }
    let mut manifest = reader.manifest(document.get_ref());
    manifest.name = reader.name;
    manifest.text = text;
    if reader.found.has_errors() {
        return Err(Diagnostics(reader.found.into_vec()));
    }
    Ok((manifest, reader.found.into_vec()))
}

type Value<'i> = TomlSpanned<DeValue<'i>>;

struct Reader {
    name: String,
    text: Arc<str>,
    found: Found,
    /// The place and the title of the last problem.
    last: Option<(Range<usize>, String)>,
    /// What is left for regular expressions.
    memory: Memory,
    /// How many placeholders there are so far.
    placeholders: usize,
}

impl Reader {
    fn manifest(&mut self, document: &DeTable<'_>) -> Manifest {
        const TABLES: &[&str] = &["template", "placeholders", "conditional", "hooks", "create-app"];
        self.check_keys(document, "the manifest", TABLES, Severity::Warning);
        let mut manifest = Manifest::default();
        if let Some(table) = self.table_at(document, "template") {
            self.template(table, &mut manifest);
        }
        if let Some(table) = self.table_at(document, "placeholders") {
            manifest.placeholders = self.placeholders(table);
        }
        if let Some(table) = self.table_at(document, "conditional") {
            self.check_number("conditions", table.len());
            let table = table.iter().take(MAX_ENTRIES);
            manifest.conditionals = table.filter_map(|(key, value)| self.conditional(key, value)).collect();
        }
        if let Some(table) = self.table_at(document, "hooks") {
            const PHASES: &[&str] = &["init", "pre", "post"];
            self.check_keys(table, "`[hooks]`", PHASES, Severity::Warning);
            let [init, pre, post] = ["init", "pre", "post"].map(|phase| self.hooks(table, phase));
            let [init, pre] = [init, pre].map(scripts);
            let formats = post.iter().any(|script| script.value == FORMAT);
            manifest.hooks = HookScripts { init, pre, post: scripts(post), formats };
        }
        if let Some(table) = self.table_at(document, "create-app") {
            manifest.ownership = self.ownership(table, &manifest);
            self.secrets(&mut manifest);
            self.depends(table, &mut manifest);
        }
        manifest
    }

    /// The entries of a phase: scripts, and maybe `fmt`.
    fn hooks(&mut self, table: &DeTable<'_>, phase: &str) -> Vec<Spanned> {
        let mut scripts = self.strings_at(table, phase).unwrap_or_default();
        self.check_number("hooks", scripts.len());
        scripts.truncate(MAX_ENTRIES);
        for script in scripts.iter().filter(|script| script.value == FORMAT && phase != "post") {
            let title = format!("`{FORMAT}` is not a hook for `{phase}`");
            let help = || Some("list it in `post`, or remove it".to_owned());
            let code = (Code::ManifestValue, Severity::Warning);
            self.report(code, script.span.clone(), &title, "does nothing here", help);
        }
        scripts
    }

    fn template(&mut self, table: &DeTable<'_>, manifest: &mut Manifest) {
        const KEYS: &[&str] =
            &["cargo_generate_version", "sub_templates", "include", "exclude", "ignore", "vcs", "init", "fmt"];
        self.check_keys(table, "`[template]`", KEYS, Severity::Warning);
        manifest.selection = self.selection(table);
        manifest.sub_templates = self.strings_at(table, "sub_templates").unwrap_or_default();
        if let Some(value) = table.get("sub_templates").filter(|_| manifest.sub_templates.is_empty()) {
            self.invalid(
                value.span(),
                "the template has no sub-templates",
                "empty",
                "list the folders, or remove the key",
            );
        }
        if let Some(version) = self.string_at(table, "cargo_generate_version") {
            self.version(version);
        }
        manifest.init = self.bool_at(table, "init").unwrap_or_default();
        manifest.fmt = self.bool_at(table, "fmt");
        if let Some(vcs) = self.string_at(table, "vcs") {
            match vcs.value.to_lowercase().as_str() {
                "git" => {}
                "none" => manifest.no_vcs = true,
                _ => {
                    self.invalid(
                        vcs.span,
                        "unknown version control system",
                        "not supported",
                        "use \"Git\" or \"None\"",
                    );
                }
            }
        }
    }

    /// Refuses a template that was written for another cargo-generate than the one whose rules are followed here.
    fn version(&mut self, required: Spanned) {
        const OURS: Version = Version::new(0, 26, 0);
        let title = format!("the template needs cargo-generate {}", required.value);
        match VersionReq::parse(&required.value) {
            Ok(requirement) if requirement.matches(&OURS) => {}
            Ok(_) => {
                let help = "update create-app, or create the project with that version of cargo-generate";
                self.invalid(required.span, &title, &format!("create-app follows the rules of {OURS}"), help);
            }
            Err(error) => self.invalid(
                required.span,
                "invalid version requirement",
                &error.to_string(),
                "write it as in Cargo.toml",
            ),
        }
    }

    fn selection(&mut self, table: &DeTable<'_>) -> Selection {
        let include = self.strings_at(table, "include");
        let exclude = self.strings_at(table, "exclude");
        let ignore = self.strings_at(table, "ignore").unwrap_or_default();
        self.check_globs(include.as_deref().unwrap_or_default());
        self.check_globs(exclude.as_deref().unwrap_or_default());
        Selection { include, exclude, ignore }
    }

    fn conditional(&mut self, key: &TomlSpanned<std::borrow::Cow<'_, str>>, value: &Value<'_>) -> Option<Conditional> {
        const KEYS: &[&str] = &["include", "exclude", "ignore", "placeholders"];
        let expression = Spanned { value: key.get_ref().to_string(), span: key.span() };
        let table = self.table(&format!("conditional.'{}'", expression.value), value)?;
        self.check_keys(table, "a `[conditional]` table", KEYS, Severity::Warning);
        let condition = Condition::parse(&expression.value);
        if let Err(error) = &condition {
            // cargo-generate takes it for false, and says nothing.
            let kind = (Code::ManifestValue, Severity::Warning);
            let help = || Some("a condition is a Rhai expression over the answers".to_owned());
            self.report(kind, expression.span.clone(), "this condition can never be true", error, help);
        }
        let selection = self.selection(table);
        let placeholders = match self.table_at(table, "placeholders") {
            Some(table) => self.placeholders(table),
            None => Vec::new(),
        };
        Some(Conditional { expression, condition: condition.ok(), selection, placeholders })
    }
}

/// The scripts among the hooks of a phase.
fn scripts(mut hooks: Vec<Spanned>) -> Vec<Spanned> {
    hooks.retain(|hook| hook.value != FORMAT);
    hooks
}

fn plain(items: Vec<Spanned>) -> Vec<String> {
    items.into_iter().map(|item| item.value).collect()
}

fn article(noun: &str) -> String {
    let article = if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {noun}")
}

fn quote_all(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
