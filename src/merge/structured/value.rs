//! What the structured formats have in common: a document as a value.

use indexmap::IndexMap;

/// The value of a document, whatever its format. Maps are equal in any order.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// Null, a boolean, a number or a date, as a text that equal values share.
    Scalar(String),
    /// A string.
    Text(String),
    /// A list.
    List(Vec<Self>),
    /// A map.
    Map(Map),
    /// In a wanted value: a list that cannot be judged.
    Any,
}

pub(super) type Map = IndexMap<String, Value>;

impl Value {
    /// Whether `self`, a wanted value, allows `found`.
    pub(super) fn allows(&self, found: &Self) -> bool {
        match (self, found) {
            (Self::Any, _) => true,
            (Self::List(wanted), Self::List(found)) => {
                wanted.len() == found.len() && wanted.iter().zip(found).all(|(wanted, found)| wanted.allows(found))
            }
            (Self::Map(wanted), Self::Map(found)) => {
                let allows = |(key, wanted): (&String, &Self)| found.get(key).is_some_and(|found| wanted.allows(found));
                wanted.len() == found.len() && wanted.iter().all(allows)
            }
            _ => self == found,
        }
    }

    /// The keys of which both maps have a value, and not the same; lists are merged, and never named. Keys below others are
    /// joined with dots.
    pub(super) fn differences(&self, other: &Self) -> Vec<Difference> {
        match (self, other) {
            (Self::Map(one), Self::Map(other)) => {
                let both = one.iter().filter_map(|(key, value)| Some((key, value.differences(other.get(key)?))));
                both.flat_map(|(key, below)| below.into_iter().map(move |below| below.within(key))).collect()
            }
            (Self::List(_), Self::List(_)) => Vec::new(),
            _ if self == other => Vec::new(),
            (_, Self::Scalar(theirs) | Self::Text(theirs)) => {
                vec![Difference { key: String::new(), theirs: theirs.clone() }]
            }
            _ => vec![Difference::default()],
        }
    }

    /// Whether it is what is left of `whole` when parts of it are taken away.
    pub(super) fn is_part_of(&self, whole: &Self) -> bool {
        match (self, whole) {
            (Self::Map(part), Self::Map(whole)) => {
                part.iter().all(|(key, part)| whole.get(key).is_some_and(|whole| part.is_part_of(whole)))
            }
            (Self::List(part), Self::List(whole)) => {
                let mut whole = whole.iter();
                part.iter().all(|part| whole.any(|whole| part == whole))
            }
            _ => self == whole,
        }
    }

    /// Whether every part of it is known.
    pub(super) fn is_judged(&self) -> bool {
        match self {
            Self::Scalar(_) | Self::Text(_) => true,
            Self::List(list) => list.iter().all(Self::is_judged),
            Self::Map(map) => map.values().all(Self::is_judged),
            Self::Any => false,
        }
    }
}

/// A key of which two documents have a value, each its own.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Difference {
    /// The key; below others, joined with dots.
    pub(super) key: String,
    /// The other document's value, where it is neither a map nor a list.
    pub(super) theirs: String,
}

impl Difference {
    fn within(self, above: &str) -> Self {
        let key = if self.key.is_empty() { above.to_owned() } else { format!("{above}.{}", self.key) };
        Self { key, ..self }
    }
}

/// A document: its value, and the texts of its comments.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) value: Value,
    pub(super) comments: Vec<String>,
}
