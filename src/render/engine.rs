//! Liquid as cargo-generate runs it, watched: unknown variables are noticed, and no template can exhaust the machine.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, Write};
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, Once, PoisonError};

use liquid_core::model::{KString, KStringCow, KStringRef, Object, ScalarCow, Value, ValueCow};
use liquid_core::parser;
use liquid_core::runtime::{Interrupt, InterruptRegister, PartialStore, Registers, RuntimeBuilder, Template};
use liquid_core::{Error, Language, Renderable, Runtime, ValueView};

use super::date::Clock;
use super::language;
use super::secret::Secrets;
use crate::answers::placeholder::Answer;
use crate::date::Date;

/// The largest text that one file may render to, in bytes.
pub(super) const MAX_OUTPUT: usize = 64 << 20;
/// How many tags and loop rounds one file may take: some seconds at the most.
const MAX_STEPS: u64 = 2_000_000;
/// The largest value that a template may assign, in bytes.
const MAX_VALUE: usize = 16 << 20;

/// Parses and renders Liquid with one set of variables.
pub(super) struct Engine {
    language: &'static Language,
    globals: Object,
    secrets: Secrets,
    date: Date,
    parsed: Mutex<HashMap<Box<str>, Arc<Template>>>,
}

/// What came of a render.
pub(super) struct Outcome {
    /// What was written, up to the failure if there is one.
    pub(super) text: String,
    /// Variables that were used and that nobody defines.
    pub(super) unknown: BTreeSet<String>,
    /// The first secret variable that was looked up: everything here may depend on its value.
    pub(super) secret: Option<String>,
    /// Whether it shows the date of the run.
    pub(super) dated: bool,
    /// Why it stopped early.
    pub(super) failure: Option<Failure>,
}

/// Why a text cannot be rendered.
#[derive(Debug)]
pub(super) enum Failure {
    /// Liquid cannot parse it.
    Parse(Error),
    /// Liquid fails when it renders it.
    Render(Error),
    /// It would take more memory or time than a template may.
    TooLarge(&'static str),
    /// The Liquid library gave up; the text is its message.
    Panicked(String),
}

impl Engine {
    /// The values of `secrets`, as far as they are among the variables, may be shown nowhere but in the files.
    pub(super) fn new(variables: &BTreeMap<String, Answer>, secrets: &BTreeSet<&str>, date: Date) -> Self {
        let globals = variables.iter().map(|(name, answer)| (KString::from_ref(name), value(answer))).collect();
        let secrets = Secrets::new(secrets, variables, &globals);
        Self { language: language::shared(), globals, secrets, date, parsed: Mutex::default() }
    }

    /// Renders a text. `reuse` remembers how it parsed: worth it for skeletons, which many files share.
    pub(super) fn render(&self, text: &str, reuse: bool) -> Outcome {
        self.render_over(&self.globals, text, reuse)
    }

    /// Renders a text with other values for the secret variables: what comes of it says nothing about their own.
    pub(super) fn render_masked(&self, text: &str) -> Outcome {
        self.render_over(&self.secrets.masked, text, true)
    }

    fn render_over(&self, globals: &Object, text: &str, reuse: bool) -> Outcome {
        let written = RefCell::new(Bounded(Vec::new()));
        let unknown = RefCell::default();
        let secret = OnceCell::new();
        let dated = Cell::new(false);
        let seen = Seen { unknown: &unknown, secret: &secret, dated: &dated };
        let failure = quietly(|| self.try_render(globals, text, reuse, &mut written.borrow_mut(), &seen));
        let failure = match failure {
            Ok(Ok(())) => None,
            Ok(Err(failure)) => Some(failure),
            Err(message) => Some(Failure::Panicked(message)),
        };
        // Liquid only writes whole strings; a failure in the middle of one cannot split a character.
        let text = String::from_utf8(written.into_inner().0)
            .unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned());
        Outcome { text, unknown: unknown.into_inner(), secret: secret.into_inner(), dated: dated.get(), failure }
    }

    fn try_render(
        &self,
        globals: &Object,
        text: &str,
        reuse: bool,
        written: &mut Bounded,
        seen: &Seen<'_>,
    ) -> Result<(), Failure> {
        let template = self.parse(text, reuse).map_err(Failure::Parse)?;
        let watch = Watch {
            inner: RuntimeBuilder::new().set_globals(globals).build(),
            unknown: seen.unknown,
            secrets: &self.secrets,
            secret: seen.secret,
            steps: Cell::new(0),
            exceeded: Cell::new(None),
        };
        watch.inner.registers().get_mut::<Clock>().now = self.date.for_liquid();
        let rendered = template.render_to(written, &watch);
        seen.dated.set(watch.inner.registers().get_mut::<Clock>().asked);
        if let Some(what) = watch.exceeded.get() {
            return Err(Failure::TooLarge(what));
        }
        match rendered {
            Err(_) if written.0.len() >= MAX_OUTPUT => Err(Failure::TooLarge("it renders to more than 64 MiB")),
            rendered => rendered.map_err(Failure::Render),
        }
    }

    fn parse(&self, text: &str, reuse: bool) -> Result<Arc<Template>, Error> {
        // A panic inside Liquid leaves the map whole, so a poisoned lock is still good.
        let cache = || self.parsed.lock().unwrap_or_else(PoisonError::into_inner);
        if reuse && let Some(template) = cache().get(text) {
            return Ok(Arc::clone(template));
        }
        let template = Arc::new(Template::new(parser::parse(text, self.language)?));
        if reuse {
            cache().insert(text.into(), Arc::clone(&template));
        }
        Ok(template)
    }
}

/// Whether a text is one Liquid output, such as `{{ '{{' }}`.
pub(super) fn is_output(text: &str) -> bool {
    quietly(|| parser::parse(text, language::shared()).is_ok()).unwrap_or(false)
}

pub(super) fn value(answer: &Answer) -> Value {
    match answer {
        Answer::Text(text) => Value::scalar(text.clone()),
        Answer::Bool(value) => Value::scalar(*value),
        Answer::Array(items) => Value::array(items.iter().map(|item| Value::scalar(item.clone()))),
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

/// Takes at most [`MAX_OUTPUT`] bytes.
struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_OUTPUT {
            self.0.resize(MAX_OUTPUT, b' ');
            return Err(io::Error::other("too much output"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a template was seen to do, also where it ended in a panic.
struct Seen<'a> {
    unknown: &'a RefCell<BTreeSet<String>>,
    secret: &'a OnceCell<String>,
    dated: &'a Cell<bool>,
}

/// Liquid's runtime with an eye on what the template does.
struct Watch<'a, R> {
    inner: R,
    unknown: &'a RefCell<BTreeSet<String>>,
    secrets: &'a Secrets,
    secret: &'a OnceCell<String>,
    steps: Cell<u64>,
    exceeded: Cell<Option<&'static str>>,
}

impl<R: Runtime> Runtime for Watch<'_, R> {
    fn partials(&self) -> &dyn PartialStore {
        self.inner.partials()
    }

    fn name(&self) -> Option<KStringRef<'_>> {
        self.inner.name()
    }

    fn roots(&self) -> BTreeSet<KStringCow<'_>> {
        self.inner.roots()
    }

    fn try_get(&self, path: &[ScalarCow<'_>]) -> Option<ValueCow<'_>> {
        self.secrets.notice(path, self.secret);
        self.inner.try_get(path)
    }

    /// An unknown variable is the empty string, as cargo-generate has it; a field of one is an error there, too.
    fn get(&self, path: &[ScalarCow<'_>]) -> Result<ValueCow<'_>, Error> {
        self.secrets.notice(path, self.secret);
        let found = self.inner.get(path);
        if let (Err(_), [name]) = (&found, path)
            && self.inner.try_get(path).is_none()
        {
            self.unknown.borrow_mut().insert(name.to_kstr().into_string());
            return Ok(ValueCow::Owned(Value::scalar("")));
        }
        found
    }

    fn set_global(&self, name: KString, value: Value) -> Option<Value> {
        if size(&value) > MAX_VALUE {
            self.exceeded.set(Some("it assigns a value of more than 16 MiB"));
            return self.inner.set_global(name, Value::Nil);
        }
        self.inner.set_global(name, value)
    }

    fn set_index(&self, name: KString, value: Value) -> Option<Value> {
        self.inner.set_index(name, value)
    }

    fn get_index<'a>(&'a self, name: &str) -> Option<ValueCow<'a>> {
        self.inner.get_index(name)
    }

    /// Every tag and every round of a loop asks for the registers, to see whether it is to stop: the place to count, and
    /// to say so.
    fn registers(&self) -> &Registers {
        let registers = self.inner.registers();
        self.steps.set(self.steps.get() + 1);
        if self.steps.get() > MAX_STEPS {
            self.exceeded.set(Some("its loops take more than two million steps"));
        }
        if self.exceeded.get().is_some() {
            registers.get_mut::<InterruptRegister>().set(Interrupt::Break);
        }
        registers
    }
}

fn size(value: &Value) -> usize {
    match value {
        Value::Scalar(scalar) => scalar.to_kstr().len(),
        Value::Array(items) => items.iter().map(|item| size(item) + size_of::<Value>()).sum(),
        Value::Object(object) => object.values().map(|item| size(item) + size_of::<Value>()).sum(),
        Value::State(_) | Value::Nil => 0,
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
        Engine::new(&variables, &BTreeSet::new(), Date::from_unix(0).unwrap()).render(text, false)
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

    #[test]
    fn what_explodes_is_stopped() {
        let loops = "{% for a in (1..9000) %}{% for b in (1..9000) %}{% for c in (1..9000) %}{% endfor %}{% endfor %}{% endfor %}";
        let cases = [
            loops.to_owned(),
            "{% for a in (1..4000000) %}0123456789012345678901234567890123456789{% endfor %}".to_owned(),
            format!("{{% assign a = 'xxxxxxxxxxxxxxxx' %}}{}", "{% assign a = a | append: a %}".repeat(40)),
            "{% for a in (1..1000000000000) %}{% endfor %}".to_owned(),
            "{% tablerow a in (1..1000000000000) %}{% endtablerow %}".to_owned(),
        ];
        for text in cases {
            let guarded = super::super::skeleton::guard_ranges(&text);
            let failure = outcome(&guarded).failure;
            assert!(matches!(failure, Some(Failure::TooLarge(_) | Failure::Render(_))), "{failure:?}: {text:.60}");
        }
        let product = format!(
            "{{% assign a = 'x' %}}{}{{{{ a | replace: 'x', a | size }}}}",
            "{% assign a = a | append: a %}".repeat(20)
        );
        let many = "{% capture s %}{% for i in (1..200000) %}{{i}},{% endfor %}{% endcapture %}{{ s | split: ',' | uniq | size }}";
        for text in [product.as_str(), many, "{{ 'now' | date: '%1000000000Y' }}"] {
            let failure = outcome(text).failure;
            assert!(matches!(failure, Some(Failure::Render(_))), "{failure:?}: {text:.60}");
        }
        assert!(outcome("{{ '2020-01-02 03:04:05' | date: '%010Y' }}").failure.is_none());
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
        for text in ["{{ 99999999999999999999 }}", "{% tablerow a in list cols:0 %}{% endtablerow %}"] {
            let failure = outcome(text).failure;
            assert!(matches!(failure, Some(Failure::Panicked(_))), "{failure:?}");
        }
    }
}
