//! The hooks of a template, as the commands run them.

use std::collections::BTreeMap;

use heck::ToSnakeCase as _;

use super::inputs;
use crate::answers::given::GivenValues;
use crate::answers::{name, prompt};
use crate::cli::CommandArgs;
use crate::date::Date;
use crate::diagnostic::Result;
use crate::hooks::{Consent, Hooks, Setting, is_question};
use crate::placeholders::Answer;
use crate::report;
use crate::template::Template;

/// Whether commands may run, as the command line and the terminal say.
pub(in crate::commands) fn consent(args: &CommandArgs, may_ask: bool) -> Consent {
    match (args.allow_commands, may_ask) {
        (true, _) => Consent::Given,
        (false, true) => Consent::Ask(|command| {
            let question = format!("The template wants to run this command:\n{command}\nRun it?");
            prompt::confirm(&question, false)
        }),
        (false, false) => Consent::Refused(
            "pass --allow-commands if you trust the template, or run this at a terminal to be asked about each command",
        ),
    }
}

/// The permissions of hooks in a run.
pub(in crate::commands) fn setting(
    consent: Consent,
    args: &CommandArgs,
    may_ask: bool,
    date: Option<Date>,
    given: &GivenValues,
    recorded: BTreeMap<String, Answer>,
) -> Setting {
    Setting {
        ask: may_ask.then_some(prompt::ask),
        tell: report::status,
        consent,
        timeout: args.timeout(),
        date: date.unwrap_or_else(inputs::date),
        name: String::new(),
        given: given.clone(),
        recorded,
    }
}

/// Takes what hooks asked out of recorded answers. Where a placeholder asks the same question now, it has the answer.
pub(in crate::commands) fn take_questions(
    template: &Template,
    answers: &mut BTreeMap<String, Answer>,
) -> BTreeMap<String, Answer> {
    let declared = |name: &str| template.manifest.declared().any(|placeholder| placeholder.name == name);
    let questions: BTreeMap<String, Answer> =
        answers.extract_if(.., |name, _| is_question(name) && !declared(name)).collect();
    for placeholder in template.manifest.declared().filter(|_| !questions.is_empty()) {
        let words = format!(": {}", placeholder.prompt);
        if let Some((_, answer)) = questions.iter().find(|(name, _)| name.ends_with(&words)) {
            answers.entry(placeholder.name.clone()).or_insert_with(|| answer.clone());
        }
    }
    questions
}

/// Runs the init hooks, whose variables are set before anybody is asked. Returns the project's name as it was, where they changed it: the
/// next run starts from that one.
pub(in crate::commands) fn init(
    template: &Template,
    variables: &mut BTreeMap<String, Answer>,
    mut setting: Setting,
) -> Result<(Hooks, Option<Answer>)> {
    const NAME: &str = "project-name";
    setting.name = variables.get(NAME).map(ToString::to_string).unwrap_or_default();
    let hooks = Hooks::new(template, setting);
    let set = hooks.init(&template.files, variables)?;
    let is_named = set.contains_key(NAME);
    let before = variables.get(NAME).filter(|_| is_named).cloned();
    variables.extend(set);
    if is_named && let Some(given) = variables.get(NAME) {
        let named = name::sanitise(&given.to_string());
        name::check(&named, template.manifest.ownership.name_pattern.as_ref())?;
        variables.insert("crate_name".to_owned(), Answer::Text(named.to_snake_case()));
        variables.insert(NAME.to_owned(), Answer::Text(named));
    }
    Ok((hooks, before))
}
