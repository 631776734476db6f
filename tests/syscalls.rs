//! Faults from outside: strace lets every system call that writes fail, or kills the process there, the first one, the second
//! one, and so on until the command is done. Whatever happens, the project is as it was or as it should be, at the latest once
//! `upgrade` has run again; an exit code of 2 means that nothing was written.
//!
//! Unlike `tests/faults.rs`, nothing of this is known to the program: what it forgot to route through its own steps fails, too,
//! and so does git. Each scenario with each fault is a test of its own, ignored where there is no strace.
#![allow(clippy::unwrap_used, reason = "in a test, to unwrap is to assert")]

#[cfg(target_os = "linux")]
mod support;

#[cfg(target_os = "linux")]
#[path = "syscalls/linux.rs"]
mod linux;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    linux::main()
}

/// Only Linux has strace.
#[cfg(not(target_os = "linux"))]
fn main() {}
