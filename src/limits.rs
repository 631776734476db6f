//! How much untrusted input one run reads: together, it fits into 512 MiB of memory. docs/template-authors.md and
//! docs/upgrade.md have the figures.

use std::sync::atomic::{AtomicU64, Ordering};

use toml_parser::Source;
use toml_parser::lexer::TokenKind;

/// The largest template, in bytes: it is held in memory.
pub(crate) const TEMPLATE: u64 = 128 << 20;
/// The most files that a template may have.
pub(crate) const TEMPLATE_FILES: usize = 200_000;
/// If the projects that one run checks have more files in total, it does not check any others.
pub(crate) const CHECKED_FILES: usize = 200_000;
/// The largest manifest, values file or test case, in bytes.
pub(crate) const SETTINGS: u64 = 1 << 20;
/// The largest lock, in bytes: that of a template of [`TEMPLATE_FILES`] has less.
pub(crate) const LOCK: u64 = 32 << 20;
/// The most that is held of a project, in bytes: those of its files that the template has or had, and the base, with what both have
/// in common counted once.
pub(crate) const PROJECT: u64 = 160 << 20;
/// The most of the base that is inflated to check it, in bytes. It is not held.
pub(crate) const INFLATED: u64 = 2 << 30;
/// Files above this size, in bytes, are not merged, nor read to find out whether they were moved and edited.
pub(crate) const MERGED: u64 = 8 << 20;

/// The most tokens of a TOML file: the parser holds all of them.
const TOKENS: usize = 1_500_000;
/// The most of them that open a table or an array.
const NESTED: usize = 20_000;
/// The deepest nesting of brackets.
const DEPTH: usize = 128;
/// A text shorter than this cannot have too many.
const SHORT: usize = 256 << 10;

/// Whether a TOML text is more complex than any that is written for create-app: a few bytes of it become hundreds in memory.
#[must_use]
pub(crate) fn is_overfull_toml(text: &str) -> bool {
    if text.len() <= SHORT {
        return false;
    }
    let (mut tokens, mut nested) = (0, 0);
    Source::new(text).lex().any(|token| {
        tokens += 1;
        nested += usize::from(matches!(
            token.kind(),
            TokenKind::Dot | TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket
        ));
        tokens > TOKENS || nested > NESTED
    })
}

/// Whether brackets are nested deeper than a parser can safely follow: some of them take quadratic time, or all of
/// the stack. Brackets in texts count, too.
#[must_use]
pub(crate) fn is_deeply_nested(text: &str) -> bool {
    let mut depth = 0_usize;
    text.bytes().any(|byte| {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > DEPTH
    })
}

/// The rest of a limit that several threads share.
#[derive(Debug)]
pub struct Budget {
    left: AtomicU64,
}

impl Budget {
    /// A budget of this many bytes.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        Self { left: AtomicU64::new(bytes) }
    }

    /// Takes this many bytes, unless fewer are left.
    #[must_use]
    pub fn take(&self, bytes: u64) -> bool {
        let taken = |left: u64| left.checked_sub(bytes);
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, taken).is_ok()
    }

    /// How many bytes are left.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.left.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_spent_once() {
        let budget = Budget::new(10);
        assert!(budget.take(4) && budget.take(6) && budget.take(0));
        assert!(!budget.take(1));
        assert_eq!(budget.left(), 0);
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| format!("{}1{}", "[{".repeat(depth / 2), "}]".repeat(depth / 2));
        assert!(!is_deeply_nested(&nested(DEPTH).repeat(3)) && is_deeply_nested(&nested(DEPTH + 2)));
    }

    #[test]
    fn a_lock_of_the_largest_template_is_not_overfull_and_forged_ones_are() {
        let line = |n: usize| format!("\"src/some/where/file-{n}.test.ts\" = \"100644 {n:064x}\"\n\n");
        let lock: String = (0..TEMPLATE_FILES).map(line).collect();
        assert!(!is_overfull_toml(&lock) && lock.len() as u64 <= LOCK);
        for part in ["\n", "a.b.c = 1\n", "[[a]]\n", "[a,", "a={},"] {
            assert!(is_overfull_toml(&part.repeat((4 << 20) / part.len())), "{part}");
        }
    }
}
