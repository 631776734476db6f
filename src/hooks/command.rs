//! `system::command`: with consent, in a copy of the tree, and for a limited time.

use std::path::Path;
use std::sync::Arc;

use rhai::{Array, Dynamic, EvalAltResult, NativeCallContext as Context};

use super::copy::run;
use super::engine::Native;
use super::failure::or;
use super::{Consent, Phase, Setting, Shared, State, failure, lock};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Facts};
use crate::interrupt;
use crate::rooted::Root;
use crate::source::read_tree;
use crate::terminal::escape_control;
use crate::tree::Tree;

pub(super) fn call(shared: &Shared, context: &Context<'_>, command: &str, words: Array) -> Native<Dynamic> {
    let words = words.iter().map(ToString::to_string);
    let text = std::iter::once(command.to_owned()).chain(words).collect::<Vec<_>>().join(" ");
    if lock(shared).phase == Phase::Filter {
        return or(context, Err("a filter cannot run a command: run it in a hook".to_owned()));
    }
    if as_recorded(&mut lock(shared)) {
        return Err(EvalAltResult::ErrorTerminated(Dynamic::UNIT, context.call_position()).into());
    }
    if let Err((reason, help)) = agreed(shared, &text) {
        let mut state = lock(shared);
        let title = format!("the template wants to run a command: `{text}`");
        let problem = failure::at(&state, Code::CommandRefused, title, context.call_position(), &reason).help(help);
        state.failure.get_or_insert_with(|| Diagnostics::from(problem));
        return Err(EvalAltResult::ErrorTerminated(Dynamic::UNIT, context.call_position()).into());
    }
    let (files, timeout, clock) = {
        let state = lock(shared);
        (state.view.files().clone(), state.setting.timeout, Arc::clone(&state.clock))
    };
    let outcome = clock.waiting(|| run(&text, &files, timeout, left));
    let mut state = lock(shared);
    match outcome {
        Ok((said, files)) => {
            state.view.replace(files);
            let said = said.trim();
            Ok(if said.is_empty() { Dynamic::UNIT } else { said.replace('\0', "").into() })
        }
        Err(reason) => {
            let words = format!("the command `{text}` {reason}");
            let said = reason.split_once(": ").map_or(words.as_str(), |(_, said)| said).to_owned();
            state.failed_command = Some((words.clone(), Facts::Command { command: text, reason: said }));
            // No script goes on after Ctrl-C.
            if interrupt::is_caught() {
                let problem = Diagnostic::error(Code::PromptCancelled, words).help("nothing was written");
                state.failure.get_or_insert_with(|| problem.into());
                return Err(EvalAltResult::ErrorTerminated(Dynamic::UNIT, context.call_position()).into());
            }
            or(context, Err(words))
        }
    }
}

/// Whether everything up to a command is as it was when the project was rendered: then what was recorded is what comes of the command, which
/// may give something else each time.
fn as_recorded(state: &mut State) -> bool {
    let Setting { recorded, .. } = &state.setting;
    let is_same =
        state.trusts_record && state.answers.asked.iter().all(|(name, answer)| recorded.get(name) == Some(answer));
    state.is_as_recorded |= is_same;
    is_same
}

/// Whether a command may run; if not, why, and what to do.
fn agreed(shared: &Shared, text: &str) -> Result<(), (String, String)> {
    let (consent, is_known, reads_secrets, tell) = {
        let state = lock(shared);
        // A second pass runs the same ones again.
        let is_known = state.passes > 1 && state.commands.iter().any(|known| known == text);
        (state.setting.consent, is_known, state.holds_secrets, state.setting.tell)
    };
    if reads_secrets {
        let help = "run it in a pre hook, or ask for no secret answer".to_owned();
        return Err(("it could read files that depend on a secret answer".to_owned(), help));
    }
    let clock = Arc::clone(&lock(shared).clock);
    match consent {
        _ if is_known => {}
        Consent::Given => tell(&format!("Running the template's command `{}`", escape_control(text))),
        Consent::Ask(ask) => match clock.waiting(|| ask(&escape_control(text))) {
            Ok(true) => {}
            Ok(false) => {
                let help = "without it, the project would not be as the template's author intended".to_owned();
                return Err(("you did not agree".to_owned(), help));
            }
            Err(problems) => {
                lock(shared).failure = Some(problems);
                return Err(Default::default());
            }
        },
        Consent::Refused(help) => return Err(("nobody agreed to it".to_owned(), help.to_owned())),
    }
    lock(shared).commands.push(text.to_owned());
    Ok(())
}

/// The files that a command left.
pub(super) fn left(root: &Path) -> Result<Tree, String> {
    let unreadable = |problems: Diagnostics| {
        let titles: Vec<String> = problems.0.into_iter().take(1).map(|problem| problem.title).collect();
        format!("left something that is not allowed in a project: {}", titles.join(", "))
    };
    let opened = Root::open(root).map_err(|error| format!("left a directory that cannot be read: {error}"))?;
    read_tree(&opened).map_err(unreadable)
}
