//! The questions, as a user sees and answers them: the real program at a pseudo-terminal, judged by the screen it draws and
//! by the project it writes. `tests/prompts/<case>/` holds the templates.
//!
//! Unix only: Windows' pseudo-terminal redraws what a program writes, so neither the bytes nor the terminal's mode are the
//! program's own there.

mod back;
mod cancelled;
mod choices;
pub(crate) mod display;
mod in_a_repository;
mod keys;
mod lines;
mod progress;
mod screen;
mod secrets;
mod terminal;
mod texts;
mod unasked;
mod upgraded;
mod wording;
