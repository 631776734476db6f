//! JSON pointers, in which a `*` is every element or key.

use std::fmt;

use serde_json::Value;

/// A JSON pointer (RFC 6901) whose components may be `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer(Vec<String>);

/// Where a value is: the keys and numbers above it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot(Vec<String>);

impl Pointer {
    /// Reads a pointer: empty, or components that each follow a `/`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let unescape = |part: &str| part.replace("~1", "/").replace("~0", "~");
        parts.next().filter(|first| first.is_empty()).map(|_| Self(parts.map(unescape).collect()))
    }

    /// The values that it leads to, in the order of the document.
    #[must_use]
    pub fn find<'v>(&self, value: &'v Value) -> Vec<(Spot, &'v Value)> {
        let mut found = vec![(Spot(Vec::new()), value)];
        for part in &self.0 {
            found = found.into_iter().flat_map(|(spot, value)| step(&spot, value, part)).collect();
        }
        found
    }
}

fn step<'v>(spot: &Spot, value: &'v Value, part: &str) -> Vec<(Spot, &'v Value)> {
    let below = |key: String| Spot(spot.0.iter().cloned().chain([key]).collect());
    match (value, part) {
        (Value::Object(map), "*") => map.iter().map(|(key, value)| (below(key.clone()), value)).collect(),
        (Value::Array(items), "*") => {
            items.iter().enumerate().map(|(at, value)| (below(at.to_string()), value)).collect()
        }
        (Value::Object(map), key) => map.get(key).map(|value| (below(key.to_owned()), value)).into_iter().collect(),
        (Value::Array(items), key) => {
            let item = key.parse::<usize>().ok().and_then(|at| items.get(at));
            item.map(|value| (below(key.to_owned()), value)).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

impl Spot {
    /// Whether it is another spot, or is above it.
    #[must_use]
    pub fn holds(&self, other: &Self) -> bool {
        other.0.starts_with(&self.0)
    }

    /// The key that it ends with.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.0.last().map(String::as_str)
    }
}

impl fmt::Display for Spot {
    /// Its keys and numbers, with dots between.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pointer: &str) -> Vec<String> {
        let value = serde_json::json!({
            "a/b": {"~": 1}, "list": [{"id": "x"}, {"id": "y"}, {"other": 1}, "z"], "map": {"p": {"id": 2}, "q": 3},
        });
        let pointer = Pointer::parse(pointer).unwrap();
        pointer.find(&value).iter().map(|(spot, value)| format!("{spot}={value}")).collect()
    }

    #[test]
    fn a_pointer_leads_to_one_value_and_a_star_to_each() {
        assert_eq!(found("/a~1b/~0"), ["a/b.~=1"]);
        assert_eq!(found("/list/1/id"), ["list.1.id=\"y\""]);
        assert_eq!(found("/list/*/id"), ["list.0.id=\"x\"", "list.1.id=\"y\""]);
        assert_eq!(found("/map/*"), ["map.p={\"id\":2}", "map.q=3"]);
        assert_eq!(found("/*/*/id"), ["list.0.id=\"x\"", "list.1.id=\"y\"", "map.p.id=2"]);
        for nothing in ["/no", "/list/-1", "/list/9", "/list/x", "/map/q/*"] {
            assert_eq!(found(nothing), [""; 0], "{nothing}");
        }
        assert_eq!(found("").len(), 1);
        assert_eq!(Pointer::parse("a"), None);
    }

    #[test]
    fn a_spot_holds_itself_and_what_is_below() {
        let spot = |text: &str| Spot(text.split('.').map(str::to_owned).collect());
        assert!(spot("a").holds(&spot("a")) && spot("a").holds(&spot("a.b")));
        assert!(!spot("a.b").holds(&spot("a")) && !spot("a").holds(&spot("ab")));
    }
}
