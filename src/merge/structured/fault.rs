//! Why a document cannot be parsed, in the words of its parser.

use jsonc_parser::{ParseOptions, parse_to_ast};
use serde::Deserialize as _;

use super::json::{COLLECT, Dialect};
use super::yaml;
use crate::limits;
use crate::merge::lint::Fault;
use crate::tree::RelPath;

/// Why a text is not a document of the format that its name tells; `None` if it is, and if nothing is certain.
pub(in crate::merge) fn fault(path: &RelPath, text: &str) -> Option<Fault> {
    let name = path.file_name();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match name.rsplit_once('.')?.1 {
        "json" if name == "package.json" => of_json(text, &Dialect::Strict.options()),
        "json" | "jsonc" | "code-workspace" => of_json(text, &Dialect::Comments.options()),
        "json5" => of_json(text, &Dialect::Json5.options()),
        "toml" => of_toml(text),
        "yml" | "yaml" => of_yaml(text),
        _ => None,
    }
}

fn of_json(text: &str, options: &ParseOptions) -> Option<Fault> {
    let error = parse_to_ast(text, &COLLECT, options).err()?;
    let range = error.range();
    Some(Fault { format: "JSON", reason: error.kind().to_string(), span: range.start..range.end })
}

fn of_toml(text: &str) -> Option<Fault> {
    if limits::is_overfull_toml(text) {
        return None;
    }
    let error = toml_edit::Document::parse(text).err()?;
    Some(Fault { format: "TOML", reason: first_line(error.message()), span: error.span().unwrap_or(0..0) })
}

fn of_yaml(text: &str) -> Option<Fault> {
    if !yaml::is_affordable(text) {
        return None;
    }
    let mut documents = serde_yaml_ng::Deserializer::from_str(text).map(serde_yaml_ng::Value::deserialize);
    let error = documents.find_map(Result::err)?;
    let at = error.location().map_or(0, |location| location.index());
    Some(Fault { format: "YAML", reason: first_line(&error.to_string()), span: at..at })
}

fn first_line(message: &str) -> String {
    message.lines().next().unwrap_or_default().to_owned()
}
