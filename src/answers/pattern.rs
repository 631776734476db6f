//! Regular expressions of a template: what they are compiled to, and what they are matched against, is limited in sum.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use regex::{Regex, RegexBuilder};

/// What an expression may be compiled to, in bytes: the smallest of these that is enough is counted.
const SIZES: [usize; 5] = [8 << 10, 64 << 10, 512 << 10, 4 << 20, 10 << 20];
/// What all expressions of a manifest may be compiled to together, in bytes.
const MAX_MEMORY: usize = 32 << 20;
/// How much may be matched: a byte of text may be compared with each state of an expression, which has about so many bytes.
const STATE: usize = 32;
/// How many of these comparisons one match may take, and all of a manifest's.
const MAX_WORK: [u64; 2] = [200_000_000, 1_000_000_000];

/// What the expressions of a manifest share.
#[derive(Debug)]
pub struct Memory {
    left: usize,
    work: Arc<AtomicU64>,
}

impl Default for Memory {
    fn default() -> Self {
        Self { left: MAX_MEMORY, work: Arc::default() }
    }
}

/// Why an expression cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unusable {
    /// It is not one; the text says why.
    Invalid(String),
    /// It takes too much memory, alone or with the others.
    TooLarge,
}

/// A text that is too long to be matched with an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLong;

/// A regular expression.
#[derive(Debug, Clone)]
pub struct Pattern {
    regex: Regex,
    size: usize,
    work: Arc<AtomicU64>,
}

impl Pattern {
    /// Compiles an expression.
    ///
    /// # Errors
    ///
    /// Says why it cannot be used.
    pub fn compile(text: &str, memory: &mut Memory) -> Result<Self, Unusable> {
        let left = memory.left;
        for size in SIZES.into_iter().filter(|&size| size <= left) {
            let regex =
                RegexBuilder::new(text).size_limit(size).dfa_size_limit(size.clamp(64 << 10, 256 << 10)).build();
            match regex {
                Ok(regex) => {
                    memory.left -= size;
                    return Ok(Self { regex, size, work: Arc::clone(&memory.work) });
                }
                // To find out takes as long as to compile one of this size.
                Err(regex::Error::CompiledTooBig(_)) if size == SIZES[SIZES.len() - 1] => memory.left -= size,
                Err(regex::Error::CompiledTooBig(_)) => {}
                Err(error) => {
                    let reason = error.to_string();
                    let reason = reason.lines().last().unwrap_or("").trim_start_matches("error: ");
                    return Err(Unusable::Invalid(reason.to_owned()));
                }
            }
        }
        Err(Unusable::TooLarge)
    }

    /// Whether a text matches.
    ///
    /// # Errors
    ///
    /// Where the text is too long for the expression, or so much was matched already.
    pub fn is_match(&self, text: &str) -> Result<bool, TooLong> {
        self.spend(text)?;
        Ok(self.regex.is_match(text))
    }

    /// The first group of the first match, where there is one and it takes part.
    ///
    /// # Errors
    ///
    /// As [`Pattern::is_match`].
    pub fn first_group<'t>(&self, text: &'t str) -> Result<Option<&'t str>, TooLong> {
        self.spend(text)?;
        Ok(self.regex.captures(text).and_then(|found| found.get(1)).map(|group| group.as_str()))
    }

    /// Whether it has a group.
    #[must_use]
    pub fn has_group(&self) -> bool {
        self.regex.captures_len() > 1
    }

    fn spend(&self, text: &str) -> Result<(), TooLong> {
        let work = (text.len() as u64).saturating_mul((self.size / STATE) as u64);
        let all = self.work.fetch_add(work.min(MAX_WORK[1]), Ordering::Relaxed);
        if work > MAX_WORK[0] || all > MAX_WORK[1] { Err(TooLong) } else { Ok(()) }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.regex.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Result<Pattern, Unusable> {
        Pattern::compile(text, &mut Memory::default())
    }

    #[test]
    fn an_expression_that_is_none_is_told_from_one_that_is_too_large() {
        assert!(matches!(pattern("(").unwrap_err(), Unusable::Invalid(reason) if reason == "unclosed group"));
        assert_eq!(pattern(r"\w{10000}").unwrap_err(), Unusable::TooLarge);
        assert!(matches!(pattern(&"(".repeat(100_000)).unwrap_err(), Unusable::Invalid(_)));
        assert!(pattern("^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$").unwrap().is_match("my-app").unwrap());
        assert!(pattern(r"^\w{1,100}$").is_ok());
        assert_eq!(pattern("a(b?)c").unwrap().first_group("xac"), Ok(Some("")));
    }

    #[test]
    fn all_expressions_share_the_memory_and_the_work() {
        let mut memory = Memory::default();
        let large = (0..100).filter(|_| Pattern::compile(r"\pL{30}", &mut memory).is_ok()).count();
        assert!((2..100).contains(&large), "{large}");
        let mut memory = Memory::default();
        assert!((0..100).all(|_| Pattern::compile(r"\pL{10000}", &mut memory).is_err()) && memory.left < SIZES[4]);
        let mut memory = Memory::default();
        assert!((0..500).all(|_| Pattern::compile("^[a-z0-9-]{1,30}$", &mut memory).is_ok()));
        let pattern = Pattern::compile("a.{20}b", &mut Memory::default()).unwrap();
        let text = "a".repeat(10_000);
        assert!(pattern.is_match(&text.repeat(10_000)).is_err());
        let matched = (0..1_000).filter(|_| pattern.is_match(&text).is_ok()).count();
        assert!((1..1_000).contains(&matched), "{matched}");
    }
}
