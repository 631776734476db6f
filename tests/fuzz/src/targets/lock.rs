//! Locks: what is read is written again as it is.

use create_app::lock::Lock;

use crate::diagnostics;

pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Lock::parse(text, ".create-app/lock.toml") {
        Ok(lock) => {
            let written = lock.render();
            let again = Lock::parse(&written, "again");
            assert_eq!(again.as_ref(), Ok(&lock), "{written}");
            assert!(written.lines().all(|line| !line.contains(char::is_control)), "{written:?}");
            drop((lock.base(), lock.template.label(), lock.template.is_in_git()));
        }
        Err(problems) => {
            assert!(!problems.0.is_empty(), "refused without a reason");
            diagnostics::check(&problems.0);
        }
    }
}
