//! Which element of a list is which, across its three versions.

use std::collections::{HashMap, HashSet};

use super::value::Value;

/// The fields that name an element of a list, the strongest first.
const FIELDS: &[&str] = &["id", "name", "key", "uses", "run"];

/// Numbers the elements of the three versions of a list: elements that are one have one number.
///
/// Nothing, where two elements of a list have the same identity and the versions do not have equally many of them.
pub(super) fn tokens(versions: [&[Value]; 3]) -> Option<[Vec<usize>; 3]> {
    let [base, ours, theirs] = identities(versions)?;
    let mut numbers = HashMap::new();
    let base_tokens = number(&base, &mut numbers);
    let mut side = |identities: &[String], side: &[Value]| {
        let known: HashSet<usize> = identities.iter().filter_map(|identity| numbers.get(identity).copied()).collect();
        let renamed = renamed(versions[0], &base_tokens, side, identities, &known, &numbers);
        for (identity, token) in renamed {
            numbers.insert(identity, token);
        }
        number(identities, &mut numbers)
    };
    let ours_tokens = side(&ours, versions[1]);
    let theirs_tokens = side(&theirs, versions[2]);
    let unique = |tokens: &[usize]| tokens.iter().collect::<HashSet<_>>().len() == tokens.len();
    (unique(&ours_tokens) && unique(&theirs_tokens)).then_some([base_tokens, ours_tokens, theirs_tokens])
}

fn number(identities: &[String], numbers: &mut HashMap<String, usize>) -> Vec<usize> {
    let mut tokens = Vec::with_capacity(identities.len());
    for identity in identities {
        let next = numbers.len();
        tokens.push(*numbers.entry(identity.clone()).or_insert(next));
    }
    tokens
}

/// The identities of the elements; the n-th of equal ones is the n-th in every version.
fn identities(versions: [&[Value]; 3]) -> Option<[Vec<String>; 3]> {
    let mut counts = versions.map(|_| HashMap::<String, usize>::new());
    let mut all = versions.map(|_| Vec::new());
    for ((list, counts), all) in versions.iter().zip(&mut counts).zip(&mut all) {
        for element in *list {
            let identity = identity(element);
            let count = counts.entry(identity.clone()).or_default();
            *count += 1;
            all.push(if *count == 1 { identity } else { format!("{identity}\0{count}") });
        }
    }
    let judged = |(identity, &count): (&String, &usize)| {
        count == 1 || counts.iter().all(|version| version.get(identity) == Some(&count))
    };
    counts.iter().all(|counts| counts.iter().all(judged)).then_some(all)
}

fn identity(element: &Value) -> String {
    match FIELDS.iter().find_map(|field| Some((field, named(element, field)?))) {
        Some((field, name)) => format!("{field}\0{name}"),
        None => format!("{element:?}"),
    }
}

/// What `field` calls the element: an action without its version.
fn named<'v>(element: &'v Value, field: &str) -> Option<&'v str> {
    let Value::Map(map) = element else { return None };
    let (Value::Text(name) | Value::Scalar(name)) = map.get(field)? else { return None };
    Some(if field == "uses" { name.split('@').next().unwrap_or(name) } else { name })
}

/// Elements of the base that a side has given a new name: what else names them still agrees, and names nothing else.
fn renamed(
    base: &[Value],
    base_tokens: &[usize],
    side: &[Value],
    identities: &[String],
    known: &HashSet<usize>,
    numbers: &HashMap<String, usize>,
) -> Vec<(String, usize)> {
    let lost: Vec<_> = base.iter().zip(base_tokens).filter(|(_, token)| !known.contains(token)).collect();
    let new: Vec<_> = side.iter().zip(identities).filter(|(_, identity)| !numbers.contains_key(*identity)).collect();
    let mut found: Vec<(String, usize)> = Vec::new();
    for field in FIELDS {
        let mut by_name: HashMap<&str, (Vec<usize>, Vec<&String>)> = HashMap::new();
        for (element, token) in &lost {
            if let Some(name) = named(element, field) {
                by_name.entry(name).or_default().0.push(**token);
            }
        }
        for (element, identity) in &new {
            if let Some(name) = named(element, field) {
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
    found
}
