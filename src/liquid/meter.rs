//! The limits of a render: steps and memory, of one text and of all texts of a run. Counted, not timed, so that equal inputs
//! give equal results.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use liquid_core::Error;
use liquid_core::error::Result;
use liquid_core::model::{Value, ValueView};

use crate::tree::Tree;

/// How many steps one text may take: a tag, a round of a loop, or a look-up of a variable is [`ACT`], and each [`STRIDE`] bytes
/// that are read or written are one. A quarter of a second, at the most.
const MAX_STEPS: u64 = 8_000_000;
/// How many steps all texts of a run may take together: some seconds, at the most.
const MAX_ALL_STEPS: u64 = 40_000_000;
/// How many of them it may take to find the places of all failures.
const MAX_PLACE_STEPS: u64 = 2 * MAX_STEPS;
/// How many steps all renders of a run that has many of them may take together: 2,000 of a template that is as large as the embedded one.
const MAX_RUN_STEPS: u64 = 48_000_000;
/// The steps of a tag, of a round of a loop, or of a look-up.
const ACT: u64 = 5;
/// The bytes that are read or written in one step.
const STRIDE: usize = 64;
/// A tag that is no longer takes no more than [`ACT`].
const SHORT_TAG: usize = 256;
/// The largest value, in bytes.
pub(crate) const MAX_VALUE: usize = 4 << 20;
/// The most that the variables, loops and captures of one text may hold at a time, in bytes.
const MAX_HELD: usize = 16 << 20;
/// The same for all texts that are rendered at a time.
const MAX_ALL_HELD: usize = 64 << 20;
/// The largest text that one file may render to, in bytes.
pub(crate) const MAX_OUTPUT: usize = 64 << 20;
/// The most that all files together may render to, in bytes: it is held in memory.
const MAX_ALL_OUTPUT: usize = 128 << 20;
/// How deeply values may be nested in each other: Liquid recurses into them.
const MAX_NESTING: usize = 100;
/// The fixed cost of a test case.
const CASE_STEPS: u64 = 5_000;
/// The cost of asking git for a template.
const FETCH_STEPS: u64 = 200_000;
/// The cost of a microsecond of a script.
const SCRIPT_STEPS: u64 = 16;
/// The cost of a file that is selected or dropped.
const SELECT_STEPS: u64 = 10;
/// The cost of a file of a case that is read, merged or compared, whatever its size.
const FILE_STEPS: u64 = 100;
/// This many bytes that are read, deflated and compared with others take a step.
const HANDLED: usize = 16;
/// How many steps a text takes before it tells the others.
const REPORTED: u64 = 1 << 14;

/// The limit that was exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Excess {
    /// [`MAX_STEPS`].
    Steps,
    /// [`MAX_ALL_STEPS`].
    AllSteps,
    /// [`MAX_RUN_STEPS`].
    RunSteps,
    /// [`MAX_VALUE`].
    Value,
    /// [`MAX_NESTING`].
    Nesting,
    /// [`MAX_HELD`].
    Held,
    /// [`MAX_ALL_HELD`].
    AllHeld,
    /// [`MAX_OUTPUT`].
    Output,
    /// [`MAX_ALL_OUTPUT`].
    AllOutput,
}

impl Excess {
    /// The limit that was exceeded, as the end of a sentence about the text.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Steps => "it takes more than 8 million steps",
            Self::AllSteps => "all files together take more than 40 million steps",
            Self::RunSteps => "all test cases together take more than 48 million steps",
            Self::Value => "it makes a value of more than 4 MiB",
            Self::Nesting => "it makes a value that is nested more than 100 levels deep",
            Self::Held => "its variables and loops hold more than 16 MiB",
            Self::AllHeld => "the variables and loops of all files together hold more than 64 MiB",
            Self::Output => "it renders to more than 64 MiB",
            Self::AllOutput => "all files together render to more than 128 MiB",
        }
    }

    /// What to do about it.
    pub(crate) fn help(self) -> &'static str {
        match self {
            Self::Steps => "limit the loop, or shorten the values that it works on",
            Self::AllSteps => "limit the loops, or exclude files from rendering in cargo-generate.toml",
            Self::RunSteps => "limit the loops, or split the cases into directories and try each with --cases",
            Self::Value | Self::Nesting | Self::Held | Self::AllHeld => "make the value smaller, or print it in parts",
            Self::Output => "split the file, or exclude it from rendering in cargo-generate.toml",
            Self::AllOutput => "split the template, or exclude files from rendering in cargo-generate.toml",
        }
    }
}

/// What all renders of a run have cost so far, where it has many: one for each test case, and more where that is an upgrade.
#[derive(Debug, Default)]
pub struct Total {
    steps: AtomicU64,
}

impl Total {
    /// Counts steps, those of other work than rendering among them.
    pub fn spend(&self, steps: u64) {
        self.steps.fetch_add(steps, Ordering::Relaxed);
    }

    /// Counts a test case: what it costs whatever is in it.
    pub fn case(&self) {
        self.spend(CASE_STEPS);
    }

    /// Counts what it costs to ask git for something, whatever that is.
    pub fn fetch(&self) {
        self.spend(FETCH_STEPS);
    }

    /// Counts the time that scripts took, in microseconds.
    pub fn scripts(&self, time: u64) {
        self.spend(SCRIPT_STEPS.saturating_mul(time));
    }

    /// Counts files that are looked at and selected or dropped.
    pub fn select(&self, files: usize) {
        self.spend(SELECT_STEPS * files as u64);
    }

    /// Counts bytes that are read, written, deflated or compared for a case as a whole.
    pub fn handle(&self, bytes: usize) {
        self.spend((bytes / HANDLED) as u64);
    }

    /// Counts the same for all files of a tree.
    pub fn handle_tree(&self, tree: &Tree) {
        self.spend(FILE_STEPS * tree.len() as u64);
        self.handle(tree.values().map(|entry| entry.bytes().len()).sum());
    }

    /// The limit that was exceeded and the help, with its place.
    #[must_use]
    pub fn excess(&self) -> Option<[&'static str; 2]> {
        self.is_spent().then(|| [Excess::RunSteps.words(), Excess::RunSteps.help()])
    }

    fn is_spent(&self) -> bool {
        self.steps.load(Ordering::Relaxed) > MAX_RUN_STEPS
    }
}

/// What all texts of a render have cost so far.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    steps: AtomicU64,
    held: AtomicUsize,
    output: AtomicUsize,
    /// The series that this render belongs to.
    total: Option<Arc<Total>>,
}

impl Budget {
    /// A budget that is part of another.
    pub(crate) fn within(total: Option<&Arc<Total>>) -> Self {
        Self { total: total.map(Arc::clone), ..Self::default() }
    }

    /// The budget for finding the places of what failed: a part of the other.
    pub(crate) fn for_places(total: Option<&Arc<Total>>) -> Self {
        Self { steps: AtomicU64::new(MAX_ALL_STEPS - MAX_PLACE_STEPS), ..Self::within(total) }
    }

    /// Counts steps that do not belong to a text; returns what was too much, if anything was.
    pub(crate) fn spend(&self, steps: u64) -> Option<Excess> {
        if let Some(total) = &self.total {
            total.spend(steps);
            if total.is_spent() {
                return Some(Excess::RunSteps);
            }
        }
        (self.steps.fetch_add(steps, Ordering::Relaxed) + steps > MAX_ALL_STEPS).then_some(Excess::AllSteps)
    }

    /// Counts what a file renders to; returns whether it is too much.
    pub(crate) fn write(&self, bytes: usize) -> bool {
        self.output.fetch_add(bytes, Ordering::Relaxed) + bytes > MAX_ALL_OUTPUT
    }

    /// Forgets what was written, and then replaced.
    pub(crate) fn unwrite(&self, bytes: usize) {
        self.output.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// The cost of one text.
#[derive(Debug)]
pub(crate) struct Meter {
    budget: Arc<Budget>,
    /// The steps of a tag.
    weight: u64,
    steps: Cell<u64>,
    reported: Cell<u64>,
    held: Cell<usize>,
    exceeded: Cell<Option<Excess>>,
}

impl Meter {
    /// A meter for a text whose longest tag has so many bytes: most of what a tag does takes no longer than to read it.
    pub(crate) fn new(budget: Arc<Budget>, longest_tag: usize) -> Self {
        let [steps, reported] = [0, 0].map(Cell::new);
        let weight = ACT + longest_tag.saturating_sub(SHORT_TAG).div_ceil(STRIDE) as u64;
        Self { budget, weight, steps, reported, held: Cell::new(0), exceeded: Cell::new(None) }
    }

    /// The limit that was exceeded, if any.
    pub(crate) fn exceeded(&self) -> Option<Excess> {
        self.exceeded.get()
    }

    /// Notes that something is too much; the first thing counts.
    pub(crate) fn exceed(&self, excess: Excess) {
        if self.exceeded.get().is_none() {
            self.exceeded.set(Some(excess));
        }
    }

    /// Fails where something is too much. The error's text does not matter: what counts is [`Meter::exceeded`].
    pub(crate) fn check(&self) -> Result<()> {
        match self.exceeded.get() {
            Some(excess) => Err(Error::with_msg(excess.words())),
            None => Ok(()),
        }
    }

    /// Counts a tag, or a round of a loop.
    pub(crate) fn tag(&self) {
        self.step(self.weight);
    }

    /// Counts look-ups.
    pub(crate) fn look_up(&self, names: usize) {
        self.step(ACT.saturating_mul(names as u64));
    }

    /// Counts steps.
    pub(crate) fn step(&self, steps: u64) {
        let all = self.steps.get().saturating_add(steps);
        self.steps.set(all);
        if all > MAX_STEPS {
            self.exceed(Excess::Steps);
        }
        if all - self.reported.get() >= REPORTED {
            self.report();
        }
    }

    /// Counts bytes that are read or written.
    pub(crate) fn touch(&self, bytes: usize) {
        self.step((bytes / STRIDE) as u64);
    }

    /// Judges a value that was made or read, and counts its bytes, which are returned.
    pub(crate) fn value(&self, value: &dyn ValueView) -> usize {
        let size = size(value, MAX_NESTING).unwrap_or_else(|| {
            self.exceed(Excess::Nesting);
            0
        });
        if size > MAX_VALUE {
            self.exceed(Excess::Value);
        }
        self.touch(size);
        size
    }

    /// Counts bytes that stay until they are [released](Meter::release).
    pub(crate) fn hold(&self, bytes: usize) {
        self.held.set(self.held.get() + bytes);
        if self.held.get() > MAX_HELD {
            self.exceed(Excess::Held);
        }
        if self.budget.held.fetch_add(bytes, Ordering::Relaxed) + bytes > MAX_ALL_HELD {
            self.exceed(Excess::AllHeld);
        }
    }

    /// Lets go of what was [held](Meter::hold).
    pub(crate) fn release(&self, bytes: usize) {
        self.held.set(self.held.get() - bytes);
        self.budget.held.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Counts what the text renders to; returns whether it is too much.
    pub(crate) fn write(&self, before: usize, bytes: usize) -> bool {
        self.touch(bytes);
        if before + bytes > MAX_OUTPUT {
            self.exceed(Excess::Output);
        }
        if self.budget.write(bytes) {
            self.exceed(Excess::AllOutput);
        }
        self.exceeded.get().is_some()
    }

    fn report(&self) {
        let all = self.steps.get();
        if let Some(excess) = self.budget.spend(all - self.reported.replace(all)) {
            self.exceed(excess);
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.budget.held.fetch_sub(self.held.get(), Ordering::Relaxed);
        // Too many are noticed by the next text.
        let _excess = self.budget.spend(self.steps.get() - self.reported.get());
    }
}

/// Bytes that are held as long as this is there.
pub(crate) struct Held<'m> {
    meter: &'m Meter,
    bytes: usize,
}

impl<'m> Held<'m> {
    pub(crate) fn new(meter: &'m Meter, bytes: usize) -> Self {
        meter.hold(bytes);
        Self { meter, bytes }
    }

    /// Holds some more.
    pub(crate) fn grow(&mut self, bytes: usize) {
        self.meter.hold(bytes);
        self.bytes += bytes;
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.meter.release(self.bytes);
    }
}

/// Where tags and filters find the meter of the text that they belong to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gauge(pub(crate) Option<Rc<Meter>>);

impl Gauge {
    /// The meter of a render.
    pub(crate) fn of(runtime: &dyn liquid_core::Runtime) -> Rc<Meter> {
        let gauge = runtime.registers().get_mut::<Self>().0.clone();
        gauge.unwrap_or_else(|| Rc::new(Meter::new(Arc::default(), 0)))
    }
}

/// The size of a value in bytes; `None` if it is nested more than `depth` deep.
pub(crate) fn size(value: &dyn ValueView, depth: usize) -> Option<usize> {
    let each = |item: &dyn ValueView| Some(size_of::<Value>() + size(item, depth.checked_sub(1)?)?);
    if let Some(items) = value.as_array() {
        return items.values().map(each).sum();
    }
    if let Some(object) = value.as_object() {
        return object.iter().map(|(key, item)| Some(key.len() + each(item)?)).sum();
    }
    // Of a number, the text would be made first.
    Some(if value.type_name() == "string" { value.to_kstr().len() } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_the_size_of_all_that_is_in_it() {
        let text = Value::scalar("12345");
        let item = size_of::<Value>();
        assert_eq!(size(&text, 0), Some(5));
        assert_eq!(size(&Value::scalar(42), 0), Some(0));
        let list = Value::array([text.clone(), Value::Nil]);
        assert_eq!((size(&list, 1), size(&list, 0)), (Some(5 + 2 * item), None));
        let object = Value::Object([("key".into(), list)].into_iter().collect());
        assert_eq!((size(&object, 2), size(&object, 1)), (Some(8 + 3 * item), None));
    }

    #[test]
    fn what_is_held_is_counted_for_all_texts_and_let_go_in_the_end() {
        let budget = Arc::new(Budget::default());
        let meter = Meter::new(Arc::clone(&budget), 0);
        {
            let mut held = Held::new(&meter, MAX_HELD);
            assert_eq!(meter.exceeded(), None);
            held.grow(1);
            assert_eq!(meter.exceeded(), Some(Excess::Held));
        }
        assert_eq!(budget.held.load(Ordering::Relaxed), 0);
        meter.hold(7);
        drop(meter);
        assert_eq!(budget.held.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn steps_are_counted_for_a_text_and_for_all() {
        let budget = Arc::new(Budget::default());
        let text = || {
            let meter = Meter::new(Arc::clone(&budget), 0);
            (0..MAX_STEPS / 1000).for_each(|_| meter.step(1000));
            meter.exceeded()
        };
        let outcomes: Vec<_> = (0..=MAX_ALL_STEPS / MAX_STEPS).map(|_| text()).collect();
        let (last, others) = outcomes.split_last().unwrap();
        assert!(others.iter().all(Option::is_none) && *last == Some(Excess::AllSteps), "{outcomes:?}");
        let meter = Meter::new(Arc::default(), SHORT_TAG + STRIDE);
        (0..MAX_STEPS / (ACT + 1)).for_each(|_| meter.tag());
        assert_eq!(meter.exceeded(), None);
        meter.tag();
        assert_eq!(meter.exceeded(), Some(Excess::Steps));
    }

    #[test]
    fn steps_are_counted_for_all_renders_of_a_run() {
        let total = Arc::new(Total::default());
        let render = |steps| Budget::within(Some(&total)).spend(steps);
        assert_eq!(render(MAX_ALL_STEPS + 1), Some(Excess::AllSteps));
        assert_eq!((render(MAX_RUN_STEPS - MAX_ALL_STEPS - 1), total.excess()), (None, None));
        Meter::new(Arc::new(Budget::within(Some(&total))), 0).step(1);
        assert_eq!(render(0), Some(Excess::RunSteps));
        assert!(total.excess().is_some());
        // The budget of a render without others is its own.
        assert_eq!(Budget::within(None).spend(MAX_ALL_STEPS), None);
    }
}
