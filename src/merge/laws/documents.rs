//! What holds of the upgrade of a structured file, whatever the documents: it is certain, or a conflict. Values are read by other parsers
//! than those of the merge, and merged key by key, as docs/upgrade.md says.

use proptest::prelude::*;
use serde_json::{Map, Value};

use super::{apply, bases, upgrade};
use crate::merge::oracle;
use crate::merge::structured::tests::laws::versions;
use crate::tree::{Entry, RelPath, Tree};

fn read(path: &str, text: &str) -> Option<Value> {
    match path.rsplit('.').next()? {
        "toml" => toml::from_str(text).ok(),
        "yml" => serde_yaml_ng::from_str(text).ok(),
        _ => serde_json::from_str(text).ok(),
    }
}

/// The expected merge of three values: nothing where the versions do not say so.
fn certain(base: Option<&Value>, ours: Option<&Value>, theirs: Option<&Value>) -> Option<Option<Value>> {
    match (base, ours, theirs) {
        (Some(Value::Object(base)), Some(Value::Object(ours)), Some(Value::Object(theirs))) => {
            let mut merged = Map::new();
            for key in base.keys().chain(ours.keys()).chain(theirs.keys()) {
                let value = certain(base.get(key), ours.get(key), theirs.get(key))?;
                value.into_iter().for_each(|value| drop(merged.insert(key.clone(), value)));
            }
            Some(Some(Value::Object(merged)))
        }
        _ if ours == theirs || theirs == base => Some(ours.cloned()),
        _ if ours == base => Some(theirs.cloned()),
        _ => None,
    }
}

/// The elements of all lists, each with the way to its list.
fn elements(value: &Value, way: &str, out: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| elements(value, &format!("{way}/{key}"), out)),
        Value::Array(list) => out.extend(list.iter().map(|item| format!("{way} {item}"))),
        _ => {}
    }
}

fn tree(path: &str, text: &str) -> Tree {
    [(RelPath::new(path).unwrap(), Entry::file(text.as_bytes().to_vec()))].into()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: oracle::cases(500), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_upgrade_of_a_document_is_certain_or_a_conflict((path, base, ours, theirs) in versions()) {
        let parsed = [&base, &ours, &theirs].map(|text| read(path, text));
        let plan = upgrade(Some(&bases(&tree(path, &base), Default::default())), &tree(path, &ours), &tree(path, &theirs));
        if let ([Some(base), Some(our_value), Some(their_value)], false) = (parsed, plan.has_conflicts()) {
            let after = apply(&plan, &tree(path, &ours))?;
            let merged = String::from_utf8_lossy(after.values().next().map_or(&[][..], Entry::bytes)).into_owned();
            let value = read(path, &merged);
            prop_assert!(value.is_some(), "{}", merged);
            let value = value.unwrap_or_default();
            // Where the versions do not say what it is, both sides changed one list, or added one key.
            if let Some(expected) = certain(Some(&base), Some(&our_value), Some(&their_value)) {
                prop_assert_eq!(Some(&value), expected.as_ref(), "{}", merged);
            }
            let [base, ours, theirs, merged_elements] = [&base, &our_value, &their_value, &value].map(|value| {
                let mut out = Vec::new();
                elements(value, "", &mut out);
                out
            });
            for element in &merged_elements {
                let count = |of: &[String]| of.iter().filter(|other| *other == element).count();
                let [b, o, t, m] = [&base, &ours, &theirs, &merged_elements].map(|of| count(of));
                prop_assert!(m <= o.max(t) && (o + t > 0), "{} doubled or from nowhere in {}", element, merged);
                prop_assert!(b == 0 || (o > 0 && t > 0) || ours == theirs, "{} came back in {}", element, merged);
            }
        }
    }
}
