//! Regular expressions of a template: what they are compiled to, and what they are matched against, is limited in sum. Few commands use
//! all of a manifest's, and compiling them takes longer than the rest of reading it: so each is compiled when it is first used.

mod words;

use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use regex::{Regex, RegexBuilder};

/// The limits of a compiled expression, in bytes: the smallest of these that is enough is counted.
const SIZES: [usize; 5] = [8 << 10, 64 << 10, 512 << 10, 4 << 20, 10 << 20];
/// What all expressions of a manifest may be compiled to together, in bytes.
const MAX_MEMORY: usize = 32 << 20;
/// How much may be matched: a byte of text may be compared with each state of an expression, which has about so many bytes.
const STATE: usize = 32;
/// How many of these comparisons one match may take, and all of a manifest's.
const MAX_WORK: [u64; 2] = [200_000_000, 1_000_000_000];

/// The shared state of the expressions of a manifest.
#[derive(Debug, Clone, Default)]
pub struct Memory(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// The bytes that were used.
    used: AtomicUsize,
    work: AtomicU64,
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
    text: Arc<str>,
    has_group: bool,
    /// None where it takes too much memory.
    compiled: Arc<OnceLock<Option<Compiled>>>,
    memory: Memory,
}

#[derive(Debug)]
struct Compiled {
    regex: Regex,
    size: usize,
}

/// A longer expression is not put into words, in bytes: nobody would read them.
const EXPLAINED: usize = 1000;

impl Pattern {
    /// Reads an expression; it is not compiled before it is used.
    ///
    /// # Errors
    ///
    /// Says why it is none.
    pub fn read(text: &str, memory: &Memory) -> Result<Self, Unusable> {
        let parsed = regex_syntax::parse(text).map_err(|error| {
            let reason = error.to_string();
            Unusable::Invalid(reason.lines().last().unwrap_or("").trim_start_matches("error: ").to_owned())
        })?;
        let has_group = parsed.properties().explicit_captures_len() > 0;
        Ok(Self { text: text.into(), has_group, compiled: Arc::default(), memory: memory.clone() })
    }

    /// The same, compiled.
    ///
    /// # Errors
    ///
    /// Says why it cannot be used.
    pub fn compile(text: &str, memory: &Memory) -> Result<Self, Unusable> {
        let pattern = Self::read(text, memory)?;
        pattern.check()?;
        Ok(pattern)
    }

    /// Compiles it, if nobody has.
    ///
    /// # Errors
    ///
    /// If it takes too much memory.
    pub fn check(&self) -> Result<(), Unusable> {
        self.compiled().map(|_| ()).ok_or(Unusable::TooLarge)
    }

    fn compiled(&self) -> Option<&Compiled> {
        self.compiled.get_or_init(|| compiled(&self.text, &self.memory.0.used)).as_ref()
    }

    /// Whether a text matches.
    ///
    /// # Errors
    ///
    /// If the text is too long for the expression, or so much was matched already.
    pub fn is_match(&self, text: &str) -> Result<bool, TooLong> {
        Ok(self.spent(text)?.is_match(text))
    }

    /// The first group of the first match, where there is one and it takes part.
    ///
    /// # Errors
    ///
    /// As [`Pattern::is_match`].
    pub fn first_group<'t>(&self, text: &'t str) -> Result<Option<&'t str>, TooLong> {
        Ok(self.spent(text)?.captures(text).and_then(|found| found.get(1)).map(|group| group.as_str()))
    }

    /// The matches, in words; `None` if the expression says more.
    #[must_use]
    pub fn explained(&self) -> Option<String> {
        Some(&self.text).filter(|text| text.len() <= EXPLAINED).and_then(|text| words::of(text))
    }

    /// Whether it has a group.
    #[must_use]
    pub fn has_group(&self) -> bool {
        self.has_group
    }

    /// The expression, after what it takes to match this text was counted.
    fn spent(&self, text: &str) -> Result<&Regex, TooLong> {
        let Compiled { regex, size } = self.compiled().ok_or(TooLong)?;
        let work = (text.len() as u64).saturating_mul((size / STATE) as u64);
        let all = self.memory.0.work.fetch_add(work.min(MAX_WORK[1]), Ordering::Relaxed);
        if work > MAX_WORK[0] || all > MAX_WORK[1] { Err(TooLong) } else { Ok(regex) }
    }
}

fn compiled(text: &str, used: &AtomicUsize) -> Option<Compiled> {
    let left = MAX_MEMORY.saturating_sub(used.load(Ordering::Relaxed));
    for size in SIZES.into_iter().filter(|&size| size <= left) {
        let built = RegexBuilder::new(text).size_limit(size).dfa_size_limit(size.clamp(64 << 10, 256 << 10)).build();
        if let Ok(regex) = built {
            used.fetch_add(size, Ordering::Relaxed);
            return Some(Compiled { regex, size });
        }
        // To find out takes as long as to compile one of this size.
        if size == SIZES[SIZES.len() - 1] {
            used.fetch_add(size, Ordering::Relaxed);
        }
    }
    None
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Result<Pattern, Unusable> {
        Pattern::compile(text, &Memory::default())
    }

    #[test]
    fn an_expression_that_is_none_is_told_from_one_that_is_too_large() {
        assert!(matches!(pattern("(").unwrap_err(), Unusable::Invalid(reason) if reason == "unclosed group"));
        assert_eq!(pattern(r"\w{10000}").unwrap_err(), Unusable::TooLarge);
        assert!(matches!(pattern(&"(".repeat(100_000)).unwrap_err(), Unusable::Invalid(_)));
        assert!(pattern("^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$").unwrap().is_match("my-app").unwrap());
        assert!(pattern(r"^\w{1,100}$").is_ok());
        assert_eq!(pattern("a(b?)c").unwrap().first_group("xac"), Ok(Some("")));
        assert!(pattern("a(b)").unwrap().has_group() && !pattern("a(?:b)").unwrap().has_group());
    }

    #[test]
    fn one_that_is_only_read_is_compiled_when_it_is_used() {
        let memory = Memory::default();
        let small = Pattern::read("^a$", &memory).unwrap();
        let large = Pattern::read(r"\w{10000}", &memory).unwrap();
        assert_eq!(memory.0.used.load(Ordering::Relaxed), 0);
        assert_eq!((small.is_match("a"), large.is_match("a")), (Ok(true), Err(TooLong)));
        assert_eq!(large.clone().check(), Err(Unusable::TooLarge));
        assert!(
            matches!(Pattern::read("(", &memory).unwrap_err(), Unusable::Invalid(reason) if reason == "unclosed group")
        );
    }

    #[test]
    fn all_expressions_share_the_memory_and_the_work() {
        let memory = Memory::default();
        let large = (0..100).filter(|_| Pattern::compile(r"\pL{30}", &memory).is_ok()).count();
        assert!((2..100).contains(&large), "{large}");
        let memory = Memory::default();
        assert!(
            (0..100).all(|_| Pattern::compile(r"\pL{10000}", &memory).is_err())
                && memory.0.used.load(Ordering::Relaxed) > MAX_MEMORY - SIZES[4]
        );
        let memory = Memory::default();
        assert!((0..500).all(|_| Pattern::compile("^[a-z0-9-]{1,30}$", &memory).is_ok()));
        let pattern = Pattern::compile("a.{20}b", &Memory::default()).unwrap();
        let text = "a".repeat(10_000);
        assert!(pattern.is_match(&text.repeat(10_000)).is_err());
        let matched = (0..1_000).filter(|_| pattern.is_match(&text).is_ok()).count();
        assert!((1..1_000).contains(&matched), "{matched}");
    }
}
