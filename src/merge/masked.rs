//! Files with secrets. Their base has markers in place of the secrets: with the values in the project's file, it is what was
//! rendered, if the file is otherwise as it was rendered.

use std::collections::{BTreeMap, BTreeSet};

use crate::contents::{LineEnding, convert};
use crate::liquid::masked::{Part, parts};

/// At most this many pairs of lines are compared.
const MAX_PAIRS: usize = 1_000_000;

/// The value of each secret in a text.
type Values<'t> = BTreeMap<&'t str, &'t str>;

/// A file as it is rendered now.
pub(super) struct Now<'a> {
    /// With markers in place of the secrets, where it only differs by them.
    pub(super) masked: Option<&'a [u8]>,
    /// With its secrets.
    pub(super) text: &'a [u8],
    /// The answers that nobody gave in this run.
    pub(super) unchosen: &'a BTreeSet<String>,
}

/// A base with the secrets of the project's file, and what takes its place.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Filled<T = Vec<u8>> {
    pub(super) base: T,
    /// What is rendered now; with the project's secrets, where nobody gave others.
    pub(super) theirs: T,
    /// Whether a secret of the project's is another one there.
    pub(super) is_replaced: bool,
}

/// What was rendered, as far as that is certain: `masked`, with the values in `ours`. Where the values of today are others, they tell
/// whether more than a value is in a place.
pub(super) fn fill(masked: &[u8], ours: &[u8], now: Now<'_>) -> Option<Filled> {
    let [masked, ours] = [masked, ours].map(|bytes| convert(bytes, LineEnding::Lf));
    let [masked, ours] = [&masked, &ours].map(|bytes| std::str::from_utf8(bytes));
    let (masked, ours) = (masked.ok()?, ours.ok()?);
    let values = values(masked, ours)?;
    let base = filled(masked, &values);
    // Where another line of the template's looks like one with a secret, nobody knows which of the two the project still has.
    if self::values(masked, &base).as_ref() != Some(&values) {
        return None;
    }
    let text = std::str::from_utf8(now.text).ok()?;
    let masked_now = now.masked.map(std::str::from_utf8).transpose().ok()?;
    let of_now = masked_now.and_then(|masked| self::values(masked, text)).unwrap_or_default();
    let is_blank = |value: &str| value.contains(char::is_whitespace);
    let is_value = |(name, value): (&&str, &&str)| {
        !is_blank(value) || of_now.get(name).is_some_and(|now| now == value || is_blank(now))
    };
    if !values.iter().all(is_value) {
        return None;
    }
    let is_kept = |name: &str| now.unchosen.contains(name);
    let mut theirs = now.text.to_vec();
    let differs = |(name, value): &(&&str, &&str)| of_now.get(*name) != Some(*value);
    let kept: Vec<&str> = values.iter().filter(differs).map(|(name, _)| *name).filter(|name| is_kept(name)).collect();
    if !kept.is_empty() {
        // Without its markers, nobody knows where the secrets are.
        let mut mixed = of_now.clone();
        mixed.extend(kept.iter().map(|name| (*name, values[name])));
        let masked = masked_now?;
        let is_unknown = |part: &Part<'_>| matches!(part, Part::Secret(name) if !mixed.contains_key(name));
        if parts(masked).iter().any(is_unknown) {
            return None;
        }
        theirs = filled(masked, &mixed).into_bytes();
    }
    let is_replaced = values.iter().filter(differs).any(|(name, _)| of_now.contains_key(name) && !is_kept(name));
    Some(Filled { base: base.into_bytes(), theirs, is_replaced })
}

fn filled(masked: &str, values: &Values<'_>) -> String {
    let part = |part: Part<'_>| match part {
        Part::Text(text) => text.to_owned(),
        Part::Secret(name) => values.get(name).copied().unwrap_or_default().to_owned(),
    };
    parts(masked).into_iter().map(part).collect()
}

/// The values that a text has where `masked` has its markers; `None` if that is not clear.
fn values<'t>(masked: &'t str, text: &'t str) -> Option<Values<'t>> {
    of_whole(masked, text).or_else(|| of_lines(masked, text))
}

/// Those of a text that has nothing else changed, and one secret.
fn of_whole<'t>(masked: &'t str, text: &'t str) -> Option<Values<'t>> {
    let parts = parts(masked);
    let secrets = parts.iter().filter_map(|part| if let Part::Secret(name) = part { Some(*name) } else { None });
    let secrets: Vec<&str> = secrets.collect();
    let name = *secrets.first()?;
    let rest: usize = parts.iter().map(|part| if let Part::Text(text) = part { text.len() } else { 0 }).sum();
    let length = text.len().checked_sub(rest)?;
    if secrets.iter().any(|other| *other != name) || length % secrets.len() != 0 {
        return None;
    }
    let Part::Text(before) = parts[0] else { return None };
    let value = text.get(before.len()..before.len() + length / secrets.len())?;
    let values = Values::from([(name, value)]);
    (filled(masked, &values) == text).then_some(values)
}

/// Those of each line; all that look like one line must have the same.
fn of_lines<'t>(masked: &'t str, text: &'t str) -> Option<Values<'t>> {
    let wanted: BTreeSet<&str> = masked.lines().filter(|line| parts(line).len() > 1).collect();
    let lines: Vec<&str> = text.lines().collect();
    if wanted.is_empty() || wanted.len().saturating_mul(lines.len()) > MAX_PAIRS {
        return None;
    }
    let mut values = Values::new();
    for line in wanted {
        let mut found = lines.iter().filter_map(|text| of_line(line, text)).peekable();
        found.peek()?;
        for (name, value) in found.flatten() {
            if *values.entry(name).or_insert(value) != value {
                return None;
            }
        }
    }
    Some(values)
}

/// Those of one line. Only where each is between other characters or at an end of the line, it is clear where it ends.
fn of_line<'t>(masked: &'t str, line: &'t str) -> Option<Values<'t>> {
    let parts = parts(masked);
    if parts.iter().all(|part| matches!(part, Part::Text("") | Part::Secret(_))) {
        return None;
    }
    let (mut values, mut rest, mut open) = (Values::new(), line, None);
    for (at, part) in parts.iter().enumerate() {
        match (part, open.take()) {
            (Part::Secret(name), _) => open = Some(*name),
            (Part::Text(text), None) => rest = rest.strip_prefix(text)?,
            (Part::Text(text), Some(name)) => {
                let (value, behind) = match at + 1 == parts.len() {
                    true => (rest.strip_suffix(text)?, ""),
                    false if text.is_empty() => return None,
                    false => rest.split_once(text)?,
                };
                if *values.entry(name).or_insert(value) != value {
                    return None;
                }
                rest = behind;
            }
        }
    }
    (filled(masked, &values) == line).then_some(values)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::liquid::masked::marker;

    /// `<` and `>` around the name of a secret are its marker.
    fn masked(text: &str) -> String {
        ["a", "b"].iter().fold(text.to_owned(), |text, name| text.replace(&format!("<{name}>"), &marker(name)))
    }

    fn fill_with(masked_text: &str, ours: &str, now: &str, unchosen: &[&str]) -> Option<[String; 2]> {
        let masked = masked(masked_text);
        let unchosen = unchosen.iter().map(|name| (*name).to_owned()).collect();
        let now = Now { masked: Some(masked.as_bytes()), text: now.as_bytes(), unchosen: &unchosen };
        let filled = fill(masked.as_bytes(), ours.as_bytes(), now)?;
        Some([filled.base, filled.theirs].map(|bytes| String::from_utf8(bytes).unwrap()))
    }

    fn based(masked_text: &str, ours: &str, now: &str) -> Option<String> {
        let [base, theirs] = fill_with(masked_text, ours, now, &[])?;
        assert_eq!(theirs, now);
        Some(base)
    }

    #[test]
    fn a_file_that_is_otherwise_as_rendered_has_its_own_values_in_the_base() {
        for (text, ours, base) in [
            ("T=<a>\nA=1\n", "T=old\nA=1\n", Some("T=old\nA=1\n")),
            ("T=<a>\nA=1\n", "T=\nA=1\n", Some("T=\nA=1\n")),
            ("T=<a>\nA=1\n", "T=old\r\nA=1\r\n", Some("T=old\nA=1\n")),
            ("T=<a>\nA=1\n", "T=old\nA=1\nMINE=2\n", Some("T=old\nA=1\n")),
            ("T=<a>\nU=<b>\n", "# mine\nT=old\nU=other\n", Some("T=old\nU=other\n")),
            ("url=x://<a>:<b>@h\n", "url=x://me:old@h\n", Some("url=x://me:old@h\n")),
            ("<a>", "old", Some("old")),
            ("T=<a>\nU=<a>\n", "T=old\nU=old\n", Some("T=old\nU=old\n")),
        ] {
            assert_eq!(based(text, ours, &text.replace("<a>", "new").replace("<b>", "new")).as_deref(), base, "{ours}");
        }
    }

    #[test]
    fn what_may_be_more_than_a_value_is_no_base() {
        for (text, ours) in [
            // The line is gone, or there are two of them.
            ("T=<a>\nA=1\n", "A=1\n"),
            ("T=<a>\nA=1\n", "T=old\nT=other\nA=1\n"),
            // A comment of the user's.
            ("T=<a>\nA=1\n", "T=old # mine\nA=1\n"),
            ("T=<a>\nU=<a>\n", "T=old\nU=other\n"),
            ("<a>\nA=1\n", "old\nA=1\nB=1\n"),
            ("<a><b>\n", "old\n"),
            ("no secret\n", "no secret\n"),
            // Another line of the template's could be the one that is left.
            ("=\n<b>=<a>\n", "a=\n"),
        ] {
            assert_eq!(based(text, ours, &text.replace("<a>", "new").replace("<b>", "new")), None, "{ours}");
        }
        // The value has white space today as well.
        assert!(based("K=\"<a>\"\n", "K=\"one\ntwo\"\n", "K=\"three\nfour\"\n").is_some());
    }

    #[test]
    fn a_secret_that_nobody_gave_stays_as_it_is() {
        let now = "T=none\nU=new\n";
        let filled = fill_with("T=<a>\nU=<b>\n", "T=mine\nU=old\n", now, &["a"]).unwrap();
        assert_eq!(filled, ["T=mine\nU=old\n", "T=mine\nU=new\n"]);
        assert_eq!(fill_with("T=<a>\n", "T=mine\n", "T=none\n", &["a"]).unwrap()[1], "T=mine\n");
        let unchosen = ["a".to_owned()].into();
        let now = Now { masked: None, text: b"T=NONE\n", unchosen: &unchosen };
        assert_eq!(fill(masked("T=<a>\n").as_bytes(), b"T=mine\n", now), None);
    }

    proptest! {
        #[test]
        fn a_base_is_the_masked_text_with_some_values(
            text in "[ab=\n<>]{0,20}", ours in "[ab=\nxy]{0,20}", name in "[ab]"
        ) {
            let text = format!("{text}<{name}>\n");
            let Some(base) = based(&text, &ours, "") else { return Ok(()) };
            let masked = masked(&text);
            let found = values(&masked, &base).expect("it has values");
            prop_assert_eq!(&filled(&masked, &found), &base);
            prop_assert!(found.values().all(|value| ours.contains(value)));
        }
    }
}
