//! stub
use super::Outcome;
use crate::cli::NewArgs;
use crate::diagnostic::Result;
pub(super) fn run(_args: &NewArgs) -> Result<Outcome> {
    Ok(Outcome::Clean)
}
