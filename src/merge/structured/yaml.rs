//! YAML: values through serde_yaml_ng. Nothing edits YAML and keeps its comments, so there is no editor here.

use serde_yaml_ng as yaml;

use super::value::{Document, Map, Value};

pub(super) fn parse(text: &str) -> Option<Document> {
    let parsed: yaml::Value = yaml::from_str(text).ok()?;
    Some(Document { value: value(parsed)?, comments: text.lines().filter_map(comment).collect() })
}

/// What may be a comment. A `#` in a string or a block counts as well: that asks for more than is needed, never for less.
fn comment(line: &str) -> Option<String> {
    let starts = |at: &usize| *at == 0 || line[..*at].ends_with([' ', '\t']);
    let at = line.match_indices('#').map(|(at, _)| at).find(starts)?;
    Some(line[at..].trim_end().to_owned())
}

fn value(node: yaml::Value) -> Option<Value> {
    Some(match node {
        yaml::Value::Null => Value::Scalar("null".to_owned()),
        yaml::Value::Bool(boolean) => Value::Scalar(boolean.to_string()),
        yaml::Value::Number(number) => Value::Scalar(number.to_string()),
        yaml::Value::String(text) => Value::Text(text),
        yaml::Value::Sequence(list) => Value::List(list.into_iter().map(value).collect::<Option<_>>()?),
        yaml::Value::Mapping(pairs) => {
            let mut map = Map::with_capacity(pairs.len());
            for (key, node) in pairs {
                map.insert(name(key)?, value(node)?);
            }
            Value::Map(map)
        }
        yaml::Value::Tagged(tagged) => {
            Value::Map(Map::from_iter([(format!("\0{}", tagged.tag), value(tagged.value)?)]))
        }
    })
}

/// A key as text; one that is no string begins with a character that YAML has not.
fn name(key: yaml::Value) -> Option<String> {
    match value(key)? {
        Value::Text(text) => Some(text),
        other => Some(format!("\0{other:?}")),
    }
}
