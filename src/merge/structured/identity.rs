//! Which element of a list is which, across its three versions.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::rules::Identity;
use super::value::{Node, Value};

/// The keys that name a step, the strongest first.
const STEP: &[&str] = &["id", "name", "uses", "run"];

/// Numbers the elements of the three versions of a list: elements that are one have one number.
///
/// Nothing, where two elements of one version have the same identity.
pub(super) fn tokens(versions: [&[Node]; 3], identity: Identity<'_>) -> Option<[Vec<usize>; 3]> {
    let identities = |list: &[Node]| list.iter().map(|node| identify(&node.value, identity)).collect::<Vec<_>>();
    let [base, ours, theirs] = versions.map(identities);
    let mut numbers = HashMap::new();
    let base_tokens = number(&base, &mut numbers);
    let mut side = |identities: &[String], side: &[Node]| {
        let known: HashSet<usize> = identities.iter().filter_map(|identity| numbers.get(identity).copied()).collect();
        let sides = Sides { base: versions[0], base_tokens: &base_tokens, side, identities };
        for (identity, token) in sides.renamed(identity, &known, &numbers) {
            numbers.insert(identity, token);
        }
        number(identities, &mut numbers)
    };
    let [ours, theirs]: [Vec<usize>; 2] = [side(&ours, versions[1]), side(&theirs, versions[2])];
    let unique = |tokens: &[usize]| tokens.iter().collect::<HashSet<_>>().len() == tokens.len();
    (unique(&base_tokens) && unique(&ours) && unique(&theirs)).then_some([base_tokens, ours, theirs])
}

fn number(identities: &[String], numbers: &mut HashMap<String, usize>) -> Vec<usize> {
    let mut tokens = Vec::with_capacity(identities.len());
    for identity in identities {
        let next = numbers.len();
        tokens.push(*numbers.entry(identity.clone()).or_insert(next));
    }
    tokens
}

/// The identity of an element.
pub(super) fn identify(element: &Value, identity: Identity<'_>) -> String {
    let known = match (identity, element) {
        (Identity::Composite(keys), Value::Map(_)) => {
            let parts: Vec<String> =
                keys.iter().filter_map(|key| Some(format!("{key}\0{}", named(element, key)?))).collect();
            Some(parts.join("\0")).filter(|known| !known.is_empty())
        }
        (Identity::Keys(["pattern"]), Value::Text(text)) => Some(format!("pattern\0{text:?}")),
        (Identity::Variable, Value::Text(text)) => {
            Some(text.split(['=', ':']).next().unwrap_or(text).trim().to_owned())
        }
        (Identity::Port, Value::Text(text) | Value::Scalar(text)) => Some(port(text)),
        (Identity::Volume, Value::Text(text)) => Some(volume(text).to_owned()),
        (Identity::Port, Value::Map(_)) => named(element, "target").map(|port| port.trim_matches('"').to_owned()),
        (Identity::Volume, Value::Map(map)) => match map.get("target").map(|node| &node.value) {
            Some(Value::Text(path)) => Some(path.clone()),
            _ => None,
        },
        (Identity::Package, Value::Text(text)) => Some(package(text)),
        (identity, Value::Map(_)) => {
            let name = |key: &str| Some(format!("{key}\0{}", named(element, key)?));
            keys(identity).into_iter().find_map(name)
        }
        // With quotes or without, it is the same element.
        (_, Value::Scalar(text)) if element.may_be_text() => Some(format!("{text:?}")),
        _ => None,
    };
    known.unwrap_or_else(|| element.canonical())
}

/// What a document of a stream is known by: the kind and the name of an object of Kubernetes.
pub(super) fn document(document: &Value) -> Option<String> {
    let Value::Map(map) = document else { return None };
    let metadata = &map.get("metadata")?.value;
    let namespace = named(metadata, "namespace").unwrap_or_default();
    Some(format!("{}\0{namespace}\0{}", named(document, "kind")?, named(metadata, "name")?))
}

/// The keys that may name an element, the strongest first.
fn keys(identity: Identity<'_>) -> Vec<&str> {
    match identity {
        Identity::Keys(keys) => keys.to_vec(),
        Identity::Named(names) => names.iter().map(String::as_str).collect(),
        Identity::Step => STEP.to_vec(),
        Identity::Composite(_) | Identity::Variable | Identity::Port | Identity::Volume | Identity::Package => {
            Vec::new()
        }
    }
}

/// The name of the element under `key`: an action without its version.
fn named<'v>(element: &'v Value, key: &str) -> Option<Cow<'v, str>> {
    let Value::Map(map) = element else { return None };
    match &map.get(key)?.value {
        Value::Text(name) if key == "uses" => Some(name.split('@').next().unwrap_or(name).into()),
        Value::Map(_) | Value::Any => None,
        value => Some(value.canonical().into()),
    }
}

/// `80` of `8080:80`, with the protocol where there is one.
fn port(text: &str) -> String {
    let target = text.rsplit(':').next().unwrap_or(text);
    target.strip_suffix("/tcp").unwrap_or(target).to_owned()
}

/// `/data` of `./data:/data:ro`.
fn volume(text: &str) -> &str {
    // `C:\data:/data`
    let drive = text.len() > 2 && text.as_bytes()[1] == b':' && text.as_bytes()[2] == b'\\';
    let mut parts = text.split(':').skip(usize::from(drive));
    let first = parts.next().unwrap_or(text);
    parts.next().unwrap_or(first)
}

/// The name of a requirement, as Python's packages compare theirs.
fn package(text: &str) -> String {
    let text = text.trim();
    let scope = text.strip_prefix('@').and_then(|rest| rest.find('/')).map_or(0, |at| at + 2);
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let end = text[scope..].find(|c| !is_name(c)).map_or(text.len(), |at| at + scope);
    let mut name = String::with_capacity(end);
    for character in text[..end].chars() {
        match character {
            '-' | '_' | '.' if name.ends_with('-') => {}
            '-' | '_' | '.' => name.push('-'),
            character => name.push(character.to_ascii_lowercase()),
        }
    }
    name
}

/// A version of a list beside its base.
struct Sides<'l> {
    base: &'l [Node],
    base_tokens: &'l [usize],
    side: &'l [Node],
    identities: &'l [String],
}

impl Sides<'_> {
    /// Elements of the base that a side has given a new name: what else names them still agrees, and names nothing else.
    fn renamed(
        &self,
        identity: Identity<'_>,
        known: &HashSet<usize>,
        numbers: &HashMap<String, usize>,
    ) -> Vec<(String, usize)> {
        let lost: Vec<_> = self.base.iter().zip(self.base_tokens).filter(|(_, token)| !known.contains(token)).collect();
        let is_new = |(_, identity): &(&Node, &String)| !numbers.contains_key(*identity);
        let new: Vec<_> = self.side.iter().zip(self.identities).filter(is_new).collect();
        let mut found: Vec<(String, usize)> = Vec::new();
        for key in keys(identity) {
            let mut by_name: HashMap<Cow<'_, str>, (Vec<usize>, Vec<&String>)> = HashMap::new();
            for (element, token) in &lost {
                if let Some(name) = named(&element.value, key) {
                    by_name.entry(name).or_default().0.push(**token);
                }
            }
            for (element, identity) in &new {
                if let Some(name) = named(&element.value, key) {
                    by_name.entry(name).or_default().1.push(*identity);
                }
            }
            for (lost, new) in by_name.values() {
                if let ([token], [identity]) = (&lost[..], &new[..])
                    && !found.iter().any(|(known, other)| known == *identity || other == token)
                {
                    found.push(((*identity).clone(), *token));
                }
            }
        }
        self.alike(identity, &lost, &new, &mut found);
        found
    }

    /// The same for elements that have a new name, and else all that they had, and nothing else has.
    fn alike(
        &self,
        identity: Identity<'_>,
        lost: &[(&Node, &usize)],
        new: &[(&Node, &String)],
        found: &mut Vec<(String, usize)>,
    ) {
        let keys: Vec<&str> = match identity {
            Identity::Composite(keys) | Identity::Keys(keys) => keys.to_vec(),
            Identity::Named(names) => names.iter().map(String::as_str).collect(),
            _ => return,
        };
        let mut by_rest: HashMap<String, (Vec<usize>, Vec<&String>)> = HashMap::new();
        for (element, token) in lost {
            if let Some(rest) = rest(&element.value, &keys) {
                by_rest.entry(rest).or_default().0.push(**token);
            }
        }
        for (element, identity) in new {
            if let Some(rest) = rest(&element.value, &keys) {
                by_rest.entry(rest).or_default().1.push(identity);
            }
        }
        for (lost, new) in by_rest.values() {
            if let ([token], [identity]) = (&lost[..], &new[..])
                && !found.iter().any(|(known, other)| known == *identity || other == token)
            {
                found.push(((*identity).clone(), *token));
            }
        }
    }
}

/// What an element holds beside the keys that may name it, as a text; `None` if that is less than two entries.
fn rest(element: &Value, keys: &[&str]) -> Option<String> {
    let Value::Map(map) = element else { return None };
    let is_other = |(key, _): &(&String, &Node)| !keys.contains(&key.as_str());
    let mut rest: Vec<String> =
        map.pairs.iter().filter(is_other).map(|(key, node)| format!("{key:?}:{}", node.value.canonical())).collect();
    rest.sort_unstable();
    (rest.len() > 1).then(|| rest.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_known_by_a_part_of_them() {
        let cases: &[(Identity<'_>, &str, &str)] = &[
            (Identity::Variable, "LOG=debug", "LOG"),
            (Identity::Variable, "LOG", "LOG"),
            (Identity::Port, "8080:80", "80"),
            (Identity::Port, "127.0.0.1:8080:80/tcp", "80"),
            (Identity::Port, "53:53/udp", "53/udp"),
            (Identity::Volume, "./data:/data:ro", "/data"),
            (Identity::Volume, "/cache", "/cache"),
            (Identity::Volume, "C:\\data:/data", "/data"),
            (Identity::Package, "HTTPX[http2]>=0.27", "httpx"),
            (Identity::Package, "zope.interface ~= 5; python_version < '3'", "zope-interface"),
            (Identity::Package, "@scope/Pkg_a@1", "@scope/pkg-a"),
            (Identity::Keys(&["id"]), "text", "\"text\""),
        ];
        for (identity, text, expected) in cases {
            let actual = identify(&Value::Text((*text).to_owned()), *identity);
            assert_eq!(actual, *expected, "{text}");
        }
    }
}
