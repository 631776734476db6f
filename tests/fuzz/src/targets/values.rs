//! Values files, and definitions on the command line.

use create_app::answers::given::{definition, spell, values_file};

use crate::diagnostics;

pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match values_file("values.toml", text) {
        Ok(given) => given.values().for_each(|given| drop(spell(&given.value))),
        Err(problems) => diagnostics::check(&problems.0),
    }
    if let Err(problems) = definition(text.lines().next().unwrap_or_default()) {
        diagnostics::check(&problems.0);
    }
}
