//! Liquid's runtime, watching the template: unknown variables are noticed, and everything is counted.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use liquid_core::model::{KString, KStringCow, KStringRef, ScalarCow, Value, ValueCow};
use liquid_core::runtime::{Interrupt, InterruptRegister, PartialStore, Registers, StackFrame};
use liquid_core::{Error, Runtime, ValueView};

use super::meter::{Excess, Meter, size};
use super::secret::Secrets;

/// How many fields a variable may be followed through: Liquid recurses, and looks at all of them again where one is missing.
const MAX_PATH: usize = 100;

/// What a text was noticed to look up, also where it ends in a panic.
#[derive(Clone, Copy)]
pub(super) struct Noticed<'a> {
    /// Variables that nobody defines.
    pub(super) unknown: &'a RefCell<BTreeSet<String>>,
    /// The variables whose values are secret.
    pub(super) secrets: &'a Secrets,
    /// The first of these.
    pub(super) secret: &'a OnceCell<String>,
}

/// The variables of a text that are in no loop.
pub(super) struct Watch<'a, R> {
    inner: R,
    meter: Rc<Meter>,
    noticed: Noticed<'a>,
}

impl<'a, R: Runtime> Watch<'a, R> {
    pub(super) fn new(inner: R, meter: Rc<Meter>, noticed: Noticed<'a>) -> Self {
        Self { inner, meter, noticed }
    }
}

impl<R> Watch<'_, R> {
    fn notice(&self, path: &[ScalarCow<'_>]) {
        self.noticed.secrets.notice(path, self.noticed.secret);
    }
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
        self.notice(path);
        look_up(&self.meter, path).ok()?;
        let found = self.inner.try_get(path)?;
        self.meter.value(found.as_view());
        Some(found)
    }

    /// An unknown variable is the empty string, as cargo-generate has it; a field of one is an error there, too.
    fn get(&self, path: &[ScalarCow<'_>]) -> Result<ValueCow<'_>, Error> {
        self.notice(path);
        look_up(&self.meter, path)?;
        let found = self.inner.get(path);
        match (&found, path) {
            (Err(_), [name]) if self.inner.try_get(path).is_none() => {
                self.noticed.unknown.borrow_mut().insert(name.to_kstr().into_string());
                return Ok(ValueCow::Owned(Value::scalar("")));
            }
            (Ok(value), _) => drop(self.meter.value(value.as_view())),
            (Err(_), _) => {}
        }
        found
    }

    fn set_global(&self, name: KString, value: Value) -> Option<Value> {
        let length = name.len();
        self.meter.hold(length + self.meter.value(value.as_view()));
        let kept = if self.meter.exceeded().is_some() { Value::Nil } else { value };
        let before = self.inner.set_global(name, kept);
        if let Some(before) = &before {
            self.meter.release(length + size(before, MAX_PATH).unwrap_or_default());
        }
        before
    }

    fn set_index(&self, name: KString, value: Value) -> Option<Value> {
        self.meter.touch(name.len());
        self.inner.set_index(name, value)
    }

    fn get_index<'a>(&'a self, name: &str) -> Option<ValueCow<'a>> {
        self.meter.touch(name.len());
        self.inner.get_index(name)
    }

    /// Every tag and every round of a loop asks for the registers, to see whether it is to stop: the place to count, and
    /// to say so.
    fn registers(&self) -> &Registers {
        let registers = self.inner.registers();
        self.meter.tag();
        if self.meter.exceeded().is_some() {
            registers.get_mut::<InterruptRegister>().set(Interrupt::Break);
        }
        registers
    }
}

/// Counts a look-up, and refuses one that Liquid could not survive.
fn look_up(meter: &Meter, path: &[ScalarCow<'_>]) -> Result<(), Error> {
    meter.look_up(path.len());
    if path.len() > MAX_PATH {
        meter.exceed(Excess::Nesting);
    }
    meter.check()
}

/// The variables of a loop's round: two or three, which a tree finds without a hash of each.
pub(super) type Round<'v> = BTreeMap<KStringRef<'v>, &'v dyn ValueView>;

/// The inside of a loop.
pub(super) struct Scope<'a> {
    inner: StackFrame<&'a dyn Runtime, &'a Round<'a>>,
    own: &'a Round<'a>,
    meter: &'a Meter,
}

impl<'a> Scope<'a> {
    pub(super) fn new(parent: &'a dyn Runtime, own: &'a Round<'a>, meter: &'a Meter) -> Self {
        Self { inner: StackFrame::new(parent, own), own, meter }
    }

    /// What is found in the loop's own variables is counted here, the rest where it is found.
    fn count(&self, path: &[ScalarCow<'_>], found: Option<&dyn ValueView>) {
        if let (Some(name), Some(found)) = (path.first(), found)
            && self.own.contains_key(name.to_kstr().as_str())
        {
            self.meter.value(found);
        }
    }
}

impl Runtime for Scope<'_> {
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
        look_up(self.meter, path).ok()?;
        let found = self.inner.try_get(path);
        self.count(path, found.as_ref().map(ValueCow::as_view));
        found
    }

    fn get(&self, path: &[ScalarCow<'_>]) -> Result<ValueCow<'_>, Error> {
        look_up(self.meter, path)?;
        let found = self.inner.get(path);
        self.count(path, found.as_ref().ok().map(ValueCow::as_view));
        found
    }

    fn set_global(&self, name: KString, value: Value) -> Option<Value> {
        self.inner.set_global(name, value)
    }

    fn set_index(&self, name: KString, value: Value) -> Option<Value> {
        self.inner.set_index(name, value)
    }

    fn get_index<'a>(&'a self, name: &str) -> Option<ValueCow<'a>> {
        self.inner.get_index(name)
    }

    fn registers(&self) -> &Registers {
        self.inner.registers()
    }
}
