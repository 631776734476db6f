//! `create-app generate`: the command line of `cargo generate`, on the pipeline of `new`.

mod trial;
mod words;

use super::{Outcome, favorites, new};
use crate::answers::given;
use crate::cli::GenerateArgs;
use crate::diagnostic::{Diagnostics, Result};
use crate::report;

/// The variable that names a project where nothing else does.
const NAME: &str = "CARGO_GENERATE_VALUE_PROJECT_NAME";

/// Runs `create-app generate`.
///
/// # Errors
///
/// As for `new`.
pub(super) fn run(args: GenerateArgs) -> Result<Outcome> {
    let is_json = args.new.json;
    let unshown = args.perhaps_values.clone();
    generate(args).map_err(|mut problems| {
        let texts = problems.0.iter_mut().flat_map(|problem| [Some(&mut problem.title), problem.help.as_mut()]);
        texts.flatten().for_each(|text| *text = without(text, &unshown));
        // Programs get nothing but JSON.
        if is_json {
            return problems;
        }
        report::diagnostics(&problems.0);
        problems.0.first().inspect(|problem| report::failure(&words::of(problem)));
        // They are reported.
        Diagnostics(Vec::new())
    })
}

/// A text without what may be a secret.
fn without(text: &str, unshown: &[String]) -> String {
    unshown.iter().fold(text.to_owned(), |text, value| text.replace(value, "…"))
}

fn generate(mut args: GenerateArgs) -> Result<Outcome> {
    if args.list_favorites {
        return favorites::list(args.new.config.as_deref(), args.template.as_deref().unwrap_or_default());
    }
    // What is not a NAME=VALUE may be the beginning of one: nothing that follows it is taken for a folder, and quoted.
    given::definitions(&args.new.define)?;
    let test = args.test.take();
    if test.is_some() && args.template.is_none() {
        args.new.source.directory = Some(".".into());
    }
    if args.new.name.is_none() && !args.new.init {
        args.new.name = std::env::var(NAME).ok().filter(|name| !name.is_empty());
    }
    let configuration = favorites::read(args.new.config.as_deref())?;
    let unshown = std::mem::take(&mut args.perhaps_values);
    let mut translated = args.translated(&configuration, |path| path.is_dir())?;
    translated.notes.iter().for_each(|note| report::status(&without(note, &unshown)));
    favorites::apply(configuration, &mut translated.new);
    translated.new.layered = true;
    if let Some(arguments) = test {
        return trial::run(translated.new, &arguments);
    }
    let (outcome, app) = new::made(&translated.new, new::Typed::InFull)?;
    if let Some(app) = app.filter(|_| !translated.new.json) {
        report::closing(&format!("Done! New project created {}", app.display()))?;
    }
    Ok(outcome)
}
