//! Liquid as cargo-generate runs it, watched: unknown variables are noticed, and no template can exhaust the machine.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, Write};
use std::panic::{self, AssertUnwindSafe};
use std::rc::Rc;
use std::sync::{Arc, Mutex, Once, PoisonError};

use liquid_core::model::{KString, Object, Value};
use liquid_core::parser;
use liquid_core::runtime::{RuntimeBuilder, Template};
use liquid_core::{Error, Language, Renderable, Runtime};

use super::Scripts;
use super::date::Clock;
use super::language;
use super::meter::{Budget, Excess, Gauge, Meter, Total};
use super::rhai::Runner;
use super::runtime::{Noticed, Watch};
use super::scan::Scan;
use super::secret::Secrets;
use crate::date::Date;
use crate::placeholders::Answer;

/// The cost of a text before its first tag, in steps.
const FIXED_STEPS: u64 = 10;
/// Liquid looks at white space again and again where text stays in its place: a run of so many characters costs their
/// square, by this.
const WHITE_SPACE_STEPS: u64 = 16;
/// The cost of parsing a byte of text.
const TEXT_STEPS: u64 = 3;
/// The cost of parsing a byte of a tag.
const TAG_STEPS: u64 = 8;
/// The cost of each byte besides where a tag seems to open inside a tag: the parser tries to begin again there.
const REOPENED_STEPS: u64 = 24;
/// A text that is longer is not remembered, nor are more than so many bytes of texts.
const REMEMBERED: [usize; 2] = [16 << 10, 4 << 20];

/// Parses and renders Liquid with one set of variables.
pub(crate) struct Engine {
    language: &'static Language,
    globals: Object,
    secrets: Secrets,
    date: Date,
    parsed: Mutex<Parsed>,
    /// The cost of all renders.
    pub(crate) budget: Arc<Budget>,
    /// The cost to find out where they failed.
    spare: Arc<Budget>,
    scripts: Option<Arc<dyn Scripts>>,
}

/// Texts, as they parsed.
#[derive(Default)]
struct Parsed {
    templates: HashMap<Box<str>, Arc<Template>>,
    bytes: usize,
}

/// Why a text is rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// For what it renders to. How it parsed is remembered: worth it for skeletons, which many files share.
    Output,
    /// To find the place of a failure.
    Place,
}

/// The outcome of a render.
pub(crate) struct Outcome {
    /// What was written, up to the failure if there is one.
    pub(crate) text: String,
    /// Variables that were used and that nobody defines.
    pub(crate) unknown: BTreeSet<String>,
    /// The first secret variable that was looked up: everything here may depend on its value.
    pub(crate) secret: Option<String>,
    /// Whether it shows the date of the run.
    pub(crate) dated: bool,
    /// Why it stopped early.
    pub(crate) failure: Option<Failure>,
}

/// Why a text cannot be rendered.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Liquid cannot parse it.
    Parse(Error),
    /// Liquid fails when it renders it.
    Render(Error),
    /// It would take more memory or time than a template may.
    TooLarge(Excess),
    /// The Liquid library gave up; the text is its message.
    Panicked(String),
}

impl Failure {
    /// Why, in a few words.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Parse(error) | Self::Render(error) => {
                let text = error.to_string();
                text.lines().next().unwrap_or_default().trim_start_matches("liquid: ").trim().to_owned()
            }
            Self::TooLarge(excess) => format!("this takes too much work: {}", excess.words()),
            Self::Panicked(_) => "this cannot be rendered".to_owned(),
        }
    }
}

impl Engine {
    /// The values of `secrets`, as far as they are among the variables, may be shown nowhere but in the files.
    pub(crate) fn new(variables: &BTreeMap<String, Answer>, secrets: &BTreeSet<&str>, date: Date) -> Self {
        let globals = variables.iter().map(|(name, answer)| (KString::from_ref(name), value(answer))).collect();
        let secrets = Secrets::new(secrets, variables, &globals);
        let parsed = Mutex::default();
        let (budget, spare) = (Arc::default(), Arc::new(Budget::for_places(None)));
        Self { language: language::shared(), globals, secrets, date, parsed, budget, spare, scripts: None }
    }

    /// The same, with scripts for the filter `rhai`.
    pub(crate) fn with(self, scripts: Option<Arc<dyn Scripts>>) -> Self {
        Self { scripts, ..self }
    }

    /// The same, with all costs counted in a total, too.
    pub(crate) fn within(self, total: Option<&Arc<Total>>) -> Self {
        let (budget, spare) = (Arc::new(Budget::within(total)), Arc::new(Budget::for_places(total)));
        Self { budget, spare, ..self }
    }

    /// Renders a text whose longest tag has so many bytes.
    pub(crate) fn render(&self, text: &str, longest_tag: usize, purpose: Purpose) -> Outcome {
        self.render_over(&self.globals, text, longest_tag, purpose)
    }

    /// Whether a text has each secret answer just put into its place.
    pub(crate) fn leaves_holes(&self, text: &str, scan: &Scan) -> bool {
        self.secrets.leave_holes(text, scan)
    }

    /// Renders a text with other values for the secret variables: what comes of it says nothing about their own.
    pub(crate) fn render_masked(&self, text: &str, longest_tag: usize) -> Outcome {
        self.render_over(&self.secrets.masked, text, longest_tag, Purpose::Output)
    }

    fn render_over(&self, globals: &Object, text: &str, longest_tag: usize, purpose: Purpose) -> Outcome {
        let budget = if purpose == Purpose::Output { &self.budget } else { &self.spare };
        let meter = Rc::new(Meter::new(Arc::clone(budget), longest_tag));
        let written = RefCell::new(Bounded { bytes: Vec::new(), meter: &meter });
        let unknown = RefCell::default();
        let secret = OnceCell::new();
        let dated = Cell::new(false);
        let noticed = Noticed { unknown: &unknown, secrets: &self.secrets, secret: &secret };
        let try_render = || self.try_render(globals, text, purpose, &mut written.borrow_mut(), noticed, &dated).err();
        let failure = quietly(try_render);
        // What is too much may show as an error of any kind, or as none.
        let failure = match (meter.exceeded(), failure) {
            (Some(excess), _) => Some(Failure::TooLarge(excess)),
            (None, Ok(failure)) => failure,
            (None, Err(message)) => Some(Failure::Panicked(message)),
        };
        // Liquid only writes whole strings; a failure in the middle of one cannot split a character.
        let text = String::from_utf8(written.into_inner().bytes)
            .unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned());
        Outcome { text, unknown: unknown.into_inner(), secret: secret.into_inner(), dated: dated.get(), failure }
    }

    fn try_render(
        &self,
        globals: &Object,
        text: &str,
        purpose: Purpose,
        written: &mut Bounded<'_>,
        noticed: Noticed<'_>,
        dated: &Cell<bool>,
    ) -> Result<(), Failure> {
        let meter = written.meter;
        let template = self.parse(text, purpose, meter)?;
        let watch = Watch::new(RuntimeBuilder::new().set_globals(globals).build(), Rc::clone(meter), noticed);
        watch.registers().get_mut::<Clock>().now = self.date.for_liquid();
        watch.registers().get_mut::<Gauge>().0 = Some(Rc::clone(meter));
        watch.registers().get_mut::<Runner>().0.clone_from(&self.scripts);
        let rendered = template.render_to(written, &watch);
        dated.set(watch.registers().get_mut::<Clock>().asked);
        rendered.map_err(Failure::Render)
    }

    fn parse(&self, text: &str, purpose: Purpose, meter: &Meter) -> Result<Arc<Template>, Failure> {
        meter.step(FIXED_STEPS);
        // A panic inside Liquid leaves the map whole, so a poisoned lock is still good.
        let parsed = || self.parsed.lock().unwrap_or_else(PoisonError::into_inner);
        let remembers = purpose == Purpose::Output && text.len() <= REMEMBERED[0];
        if remembers && let Some(template) = parsed().templates.get(text) {
            return Ok(Arc::clone(template));
        }
        meter.step(parse_steps(text));
        meter.check().map_err(Failure::Parse)?;
        let template = Arc::new(Template::new(parser::parse(text, self.language).map_err(Failure::Parse)?));
        if remembers {
            let mut parsed = parsed();
            parsed.bytes += text.len();
            if parsed.bytes > REMEMBERED[1] {
                *parsed = Parsed { bytes: text.len(), ..Parsed::default() };
            }
            parsed.templates.insert(text.into(), Arc::clone(&template));
        }
        Ok(template)
    }
}

/// The cost to parse a text: tags are far more work than the text between them.
pub(crate) fn parse_steps(text: &str) -> u64 {
    let (mut steps, mut run, mut each) = (0, 0_u64, TEXT_STEPS);
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match (byte, bytes.get(at + 1)) {
            (b'{', Some(b'{' | b'%')) => {
                steps += if each == TAG_STEPS { REOPENED_STEPS } else { 0 };
                each = TAG_STEPS;
            }
            (b'}' | b'%', Some(b'}')) => each = TEXT_STEPS,
            _ => {}
        }
        run = if matches!(byte, b' ' | b'\n' | b'\r') { run + 1 } else { 0 };
        // The sum of all odd numbers up to one is a square.
        steps += each + 2 * run / WHITE_SPACE_STEPS;
    }
    steps
}

/// Whether a text is one Liquid output, such as `{{ '{{' }}`.
pub(crate) fn is_output(text: &str) -> bool {
    quietly(|| parser::parse(text, language::shared()).is_ok()).unwrap_or(false)
}

/// Whether Liquid can parse a text.
///
/// # Errors
///
/// Says why not, in a few words.
pub(crate) fn check(text: &str) -> Result<(), String> {
    let parsed = quietly(|| parser::parse(text, language::shared()).map(drop)).map_err(Failure::Panicked);
    parsed.and_then(|parsed| parsed.map_err(Failure::Parse)).map_err(|failure| failure.words())
}

pub(crate) fn value(answer: &Answer) -> Value {
    match answer {
        Answer::Text(text) => Value::scalar(text.clone()),
        Answer::Bool(value) => Value::scalar(*value),
        Answer::Array(items) => Value::array(items.iter().map(|item| Value::scalar(item.clone()))),
        Answer::Nested(items) => Value::array(items.iter().map(value)),
    }
}

/// Runs code of the Liquid library, which panics on some bad input (an integer literal that is too large, for one).
fn quietly<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    thread_local!(static QUIET: Cell<bool> = const { Cell::new(false) });
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                report(info);
            }
        }));
    });
    let before = QUIET.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(run));
    QUIET.set(before);
    result.map_err(|payload| {
        let text = payload.downcast_ref::<String>().map(String::as_str);
        text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("unknown cause").to_owned()
    })
}

/// Takes what a file renders to, as long as it is not too much.
struct Bounded<'m> {
    bytes: Vec<u8>,
    meter: &'m Rc<Meter>,
}

impl Write for Bounded<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.meter.write(self.bytes.len(), bytes.len()) {
            return Err(io::Error::other("too much output"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(text: &str) -> Outcome {
        let variables = BTreeMap::from([
            ("name".to_owned(), Answer::Text("my-app".into())),
            ("list".to_owned(), Answer::Array(vec!["a".into(), "b".into()])),
        ]);
        Engine::new(&variables, &BTreeSet::new(), Date::from_unix(0).unwrap()).render(text, 0, Purpose::Output)
    }

    #[test]
    fn an_unknown_variable_is_empty_and_noticed() {
        let outcome =
            outcome("[{{ nope }}|{{ nope | default: 'x' }}|{% if nope %}y{% endif %}|{% if nope == '' %}z{% endif %}]");
        assert!(outcome.failure.is_none(), "{:?}", outcome.failure);
        assert_eq!(outcome.text, "[|x||z]");
        assert_eq!(outcome.unknown, BTreeSet::from(["nope".to_owned()]));
    }

    #[test]
    fn a_field_of_a_known_variable_is_no_unknown_variable() {
        let outcome = outcome("{{ list[9] }}");
        assert!(matches!(outcome.failure, Some(Failure::Render(_))));
        assert!(outcome.unknown.is_empty());
    }

    /// A text that makes `a` of so many bytes, a power of two.
    fn large(bytes: usize) -> String {
        let doubled = "{% assign a = a | append: a %}".repeat(bytes.ilog2() as usize - 4);
        format!("{{% assign a = '0123456789abcdef' %}}{doubled}")
    }

    #[track_caller]
    fn assert_stopped(text: &str, expected: Excess) {
        let failure = outcome(text).failure;
        assert!(
            matches!(failure, Some(Failure::TooLarge(excess)) if excess == expected),
            "{failure:?}: {text:.200} … {}",
            &text[text.len().saturating_sub(200)..]
        );
    }

    #[test]
    fn loops_are_stopped() {
        let nested = |inside: &str| {
            let open = "{% for i in (1..600) %}".repeat(2);
            format!("{open}{inside}{}", "{% endfor %}".repeat(2))
        };
        assert_stopped(&nested("{% for j in (1..600) %}{% endfor %}"), Excess::Steps);
        // Few tags, but many look-ups.
        assert_stopped(&nested(&format!("{{% if x{} %}}{{% endif %}}", " or x".repeat(20))), Excess::Steps);
        assert_stopped(&nested(&"0123456789".repeat(20)), Excess::Output);
        for text in
            ["{% for a in (1..1000000000000) %}{% endfor %}", "{% tablerow a in (1..1000001) %}{% endtablerow %}"]
        {
            let failure = outcome(text).failure;
            assert!(matches!(failure, Some(Failure::Render(_))), "{failure:?}: {text}");
        }
    }

    #[test]
    fn large_values_are_stopped_when_they_are_made() {
        let million = large(1 << 20);
        let list = format!("{million}{{% assign l = a | slice: 1, 700000 | split: '0' %}}");
        for (text, expected) in [
            (large(1 << 23), Excess::Value),
            (format!("{million}{{{{ a | append: a | append: a | append: a | append: a | size }}}}"), Excess::Value),
            (format!("{million}{{{{ a | replace: '', a | size }}}}"), Excess::Value),
            (format!("{million}{{{{ a | replace: '0', '0123456789' | replace: '0', a | size }}}}"), Excess::Value),
            (format!("{million}{{{{ a | split: '' | size }}}}"), Excess::Value),
            (format!("{list}{{{{ l | join: a | size }}}}"), Excess::Value),
            (format!("{list}{{{{ l | concat: l | size }}}}"), Excess::Value),
            (format!("{list}{{{{ l | uniq | size }}}}"), Excess::Steps),
            (format!("{million}{{{{ a | append: a | truncate: 1999999 | size }}}}"), Excess::Value),
            ("{{ 'now' | date: '%1000000000Y' }}".to_owned(), Excess::Value),
            (
                format!(
                    "{{% assign f = '%999Y' %}}{}{{{{ 'now' | date: f }}}}",
                    "{% assign f = f | append: f %}".repeat(13)
                ),
                Excess::Value,
            ),
            (
                format!("{million}{{% capture c %}}{{% for i in (1..9) %}}{{{{ a }}}}{{% endfor %}}{{% endcapture %}}"),
                Excess::Value,
            ),
            (
                format!(
                    "{million}{{% ifchanged %}}{{% for i in (1..9) %}}{{{{ a }}}}{{% endfor %}}{{% endifchanged %}}"
                ),
                Excess::Value,
            ),
            (
                format!("{million}{}", (0..20).map(|n| format!("{{% assign b{n} = a %}}")).collect::<String>()),
                Excess::Held,
            ),
            (
                format!("{million}{}{}", "{% capture c %}{{ a }}".repeat(20), "{% endcapture %}".repeat(20)),
                Excess::Held,
            ),
            (format!("{list}{}{}", "{% for i in l %}".repeat(20), "{% endfor %}".repeat(20)), Excess::Held),
            (format!("{million}{}{}", "{% case a %}{% when a %}".repeat(20), "{% endcase %}".repeat(20)), Excess::Held),
            ("{% for i in (1..1) %}{% assign forloop = forloop %}{% endfor %}".repeat(200), Excess::Nesting),
            (format!("{{{{ a{} }}}}", ".b".repeat(100_000)), Excess::Nesting),
        ] {
            assert_stopped(&text, expected);
        }
        assert!(outcome("{{ '2020-01-02 03:04:05' | date: '%010Y' }}").failure.is_none());
        assert!(outcome(&format!("{million}{{{{ a | escape | upcase | truncate: 9 }}}}")).failure.is_none());
    }

    #[test]
    fn what_a_filter_reads_is_counted() {
        let half = format!("{}{{% assign l = a | slice: 1, 500000 | split: '0' %}}", large(1 << 21));
        for tag in [
            "{{ a | size }}",
            "{% if a == b %}{% endif %}",
            "{% if a contains 'x' %}{% endif %}",
            "{% assign b = a %}",
            "{{ a | slice: 1, 2 }}",
            "{{ a | strip_html | size }}",
            "{{ a | snake_case | size }}",
            "{% for x in l %}{% endfor %}",
        ] {
            assert_stopped(&format!("{half}{{% for i in (1..300) %}}{tag}{{% endfor %}}"), Excess::Steps);
        }
    }

    #[test]
    fn white_space_that_stays_in_its_place_costs_its_square() {
        let steps = |length: usize| parse_steps(&" ".repeat(length));
        assert!((900..1100).contains(&(steps(100_000) / (steps(10_000) / 10))), "{}", steps(100_000));
        assert_stopped(&format!("{{% capture x %}}{}{{% endcapture %}}", " ".repeat(20_000)), Excess::Steps);
        assert_eq!(parse_steps(&"    indented\n".repeat(100)), TEXT_STEPS * 1300);
    }

    #[test]
    fn a_tag_that_opens_again_and_again_costs_more_than_many_tags() {
        let [open, closed] = ["{{".repeat(1000), "{{ a }}".repeat(1000)].map(|text| parse_steps(&text));
        assert!(open / 2000 > 3 * closed / 7000, "{open}, {closed}");
        assert_stopped(&"{{".repeat(130_000), Excess::Steps);
    }

    #[test]
    fn filters_that_look_for_words_are_dear() {
        let text = format!("{}{{% for i in (1..12) %}}{{{{ a | title_case | size }}}}{{% endfor %}}", large(1 << 20));
        assert_stopped(&text, Excess::Steps);
    }

    #[test]
    fn the_present_is_the_date_of_the_run() {
        for text in ["{{ 'now' | date: '%F %T %z' }}", "{% assign t = ' Today' %}{{ t | date: '%F %T %z' }}"] {
            let outcome = outcome(text);
            assert_eq!((outcome.text.as_str(), outcome.dated), ("1970-01-01 00:00:00 +0000", true), "{text}");
        }
        let other = outcome("{{ '2020-01-02 03:04:05' | date: '%F' }} now {{ 'now' | upcase }}");
        assert_eq!((other.text.as_str(), other.dated), ("2020-01-02 now NOW", false));
    }

    #[test]
    fn a_panic_of_the_library_is_a_failure() {
        for text in ["{{ 99999999999999999999 }}", "{% cycle 'a': %}"] {
            let failure = outcome(text).failure;
            assert!(matches!(failure, Some(Failure::Panicked(_))), "{failure:?}");
        }
    }
}
