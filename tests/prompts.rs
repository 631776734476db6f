//! The questions, as a user sees and answers them: the real program at a pseudo-terminal, judged by the screen it draws and
//! by the project it writes. `tests/prompts/<case>/` holds the templates.
//!
//! Unix only: Windows' pseudo-terminal redraws what a program writes, so neither the bytes nor the terminal's mode are the
//! program's own there.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "in a test, to unwrap is to assert")]

mod support;

#[path = "prompts/cancelled.rs"]
mod cancelled;
#[path = "prompts/choices.rs"]
mod choices;
#[path = "prompts/display.rs"]
mod display;
#[path = "prompts/in_a_repository.rs"]
mod in_a_repository;
#[path = "prompts/lines.rs"]
mod lines;
#[path = "prompts/progress.rs"]
mod progress;
#[path = "prompts/screen.rs"]
mod screen;
#[path = "prompts/secrets.rs"]
mod secrets;
#[path = "prompts/terminal.rs"]
mod terminal;
#[path = "prompts/texts.rs"]
mod texts;
#[path = "prompts/unasked.rs"]
mod unasked;
#[path = "prompts/upgraded.rs"]
mod upgraded;
