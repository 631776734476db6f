//! A description of what a regular expression matches: for those that are like most of those that are written, and no others.

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Look, Repetition};

/// Longer words help nobody.
const MAX: usize = 160;
/// At most this many single characters of a class are listed.
const LISTED: usize = 8;

/// Characters that have a name.
struct Named {
    ranges: &'static [(char, char)],
    singular: &'static str,
    plural: &'static str,
}

/// The larger sets come first.
const NAMED: [Named; 4] = [
    Named { ranges: &[('A', 'Z'), ('a', 'z')], singular: "a letter", plural: "letters" },
    Named { ranges: &[('A', 'Z')], singular: "an upper-case letter", plural: "upper-case letters" },
    Named { ranges: &[('a', 'z')], singular: "a lower-case letter", plural: "lower-case letters" },
    Named { ranges: &[('0', '9')], singular: "a digit", plural: "digits" },
];

/// What the expression matches; `None` if words would say less than the expression does.
pub(super) fn of(expression: &str) -> Option<String> {
    let hir = regex_syntax::parse(expression).ok()?;
    let parts = match hir.kind() {
        HirKind::Concat(parts) => &parts[..],
        _ => std::slice::from_ref(&hir),
    };
    let is = |part: Option<&Hir>, look: Look| part.is_some_and(|part| *part.kind() == HirKind::Look(look));
    let starts = is(parts.first(), Look::Start);
    let parts = &parts[usize::from(starts)..];
    let ends = is(parts.last(), Look::End);
    let parts = &parts[..parts.len() - usize::from(ends)];
    let words = sequence(parts)?;
    let said = match (starts, ends) {
        (true, true) => words,
        (true, false) => format!("a text that starts with {words}"),
        (false, true) => format!("a text that ends with {words}"),
        (false, false) => format!("a text that contains {words}"),
    };
    (said.chars().count() <= MAX).then_some(said)
}

fn sequence(parts: &[Hir]) -> Option<String> {
    let parts: Vec<String> = parts.iter().map(|part| one(part, false)).collect::<Option<_>>()?;
    if parts.is_empty() { None } else { Some(parts.join(", then ")) }
}

fn one(hir: &Hir, is_plural: bool) -> Option<String> {
    match hir.kind() {
        HirKind::Literal(literal) => Some(format!("`{}`", std::str::from_utf8(&literal.0).ok()?)),
        HirKind::Class(Class::Unicode(class)) => members(class, is_plural),
        HirKind::Capture(capture) => one(&capture.sub, is_plural),
        HirKind::Concat(parts) => sequence(parts),
        HirKind::Alternation(ways) => {
            Some(either(&ways.iter().map(|way| one(way, false)).collect::<Option<Vec<_>>>()?))
        }
        HirKind::Repetition(repetition) => repeated(repetition),
        HirKind::Empty | HirKind::Look(_) | HirKind::Class(Class::Bytes(_)) => None,
    }
}

fn repeated(Repetition { min, max, sub, .. }: &Repetition) -> Option<String> {
    let is_class = matches!(sub.kind(), HirKind::Class(_));
    let what = one(sub, is_class)?;
    let many = if is_class { what.clone() } else { format!("({what})") };
    Some(match (min, max) {
        (0, Some(1)) => format!("optionally {}", one(sub, false)?),
        (1, None) if is_class => what,
        (1, None) => format!("one or more of {many}"),
        (0, None) => format!("any number of {many}"),
        (min, None) => format!("at least {min} {many}"),
        (0, Some(max)) => format!("up to {max} {many}"),
        (min, Some(max)) if min == max => format!("{min} {many}"),
        (min, Some(max)) => format!("{min} to {max} {many}"),
    })
}

fn members(class: &ClassUnicode, is_plural: bool) -> Option<String> {
    let mut left = class.clone();
    let mut names = Vec::new();
    for Named { ranges, singular, plural } in NAMED {
        let named = ClassUnicode::new(ranges.iter().map(|(start, end)| ClassUnicodeRange::new(*start, *end)));
        let mut inside = named.clone();
        inside.intersect(&left);
        if inside == named {
            left.difference(&named);
            names.push(if is_plural { plural } else { singular }.to_owned());
        }
    }
    let singles = left.iter().flat_map(|range| range.start()..=range.end());
    let singles: Vec<char> = singles.take(LISTED + 1).collect();
    if singles.len() > LISTED || (names.is_empty() && singles.is_empty()) {
        return None;
    }
    names.extend(singles.into_iter().map(|c| match c {
        ' ' if is_plural => "spaces".to_owned(),
        ' ' => "a space".to_owned(),
        '`' => "a backtick".to_owned(),
        c => format!("`{c}`"),
    }));
    Some(either(&names))
}

/// `a`, `b` or `c`.
fn either(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [others @ .., last] => format!("{} or {last}", others.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_often_written_is_said_in_words() {
        for (expression, expected) in [
            ("^[a-z]+$", "lower-case letters"),
            ("^[a-z][a-z0-9-]*$", "a lower-case letter, then any number of lower-case letters, digits or `-`"),
            ("^[0-9]{4}$", "4 digits"),
            ("^[A-Za-z ]{1,40}$", "1 to 40 letters or spaces"),
            ("^(dev|prod)$", "`dev` or `prod`"),
            ("^v?[0-9]+\\.[0-9]+$", "optionally `v`, then digits, then `.`, then digits"),
            ("^[a-z]+(-[a-z]+)*$", "lower-case letters, then any number of (`-`, then lower-case letters)"),
            ("[.!]$", "a text that ends with `!` or `.`"),
            ("^https://", "a text that starts with `https://`"),
            ("shop", "a text that contains `shop`"),
        ] {
            assert_eq!(of(expression).as_deref(), Some(expected), "{expression}");
        }
    }

    #[test]
    fn of_others_nothing_is_said() {
        for expression in ["", "^$", r"^\w+$", "^.*$", r"\bx", "(", "^[^a]$", &"(ab|cd)".repeat(20)] {
            assert_eq!(of(expression), None, "{expression}");
        }
    }

    proptest! {
        #[test]
        fn no_expression_is_too_hard(expression in "[a-c^$.*+?|()\\[\\]{}0-9,\\\\-]{0,20}") {
            let said = of(&expression);
            prop_assert!(said.is_none_or(|said| !said.is_empty() && said.chars().count() <= MAX));
        }
    }
}
