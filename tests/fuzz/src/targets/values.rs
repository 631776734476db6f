//! Values files, and definitions on the command line.

use create_app::answers::given::{definitions, spell, values_file};

use crate::diagnostics;

pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match values_file("values.toml", text) {
        Ok(given) => given.values().for_each(|given| drop(spell(&given.value))),
        Err(problems) => diagnostics::check(&problems.0),
    }
    let typed: Vec<String> = text.lines().take(8).map(str::to_owned).collect();
    if let Err(problems) = definitions(&typed) {
        diagnostics::check(&problems.0);
    }
}
