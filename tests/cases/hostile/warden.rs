//! Runs one program under limits, and measures it. The test runs itself again for that: what a process has used is only known
//! of children that have ended, and the tests share one process.

use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use nix::sys::resource::{Resource, UsageWho, getrusage, setrlimit};
use nix::sys::time::TimeValLike as _;
use serde::{Deserialize, Serialize};

/// The first word of a command line that asks for a warden.
const WORD: &str = "--warden";
/// Protects the machine where a program takes what it can get. The bound of a case is far below, and is measured.
const ADDRESS_SPACE: u64 = 4 << 30;
/// The same for the disk.
const FILE_SIZE: u64 = 2 << 30;

/// How a program ended, and what it took.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    /// None where a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) signal: Option<i32>,
    /// Processor time of it and of its children.
    pub(crate) milliseconds: i64,
    /// The most that it, or one of its children, has held.
    pub(crate) kibibytes: i64,
}

/// The words that run `program` under a warden, which writes its report to a file.
pub(crate) fn words(report: PathBuf, program: &str, arguments: Vec<String>) -> Vec<String> {
    let own = std::env::current_exe().unwrap().to_str().unwrap().to_owned();
    let head = [own, WORD.to_owned(), report.to_str().unwrap().to_owned(), program.to_owned()];
    head.into_iter().chain(arguments).collect()
}

/// Is a warden, where the command line asks for one.
pub(crate) fn asked() -> Option<ExitCode> {
    let mut words = std::env::args_os().skip(1);
    words.next().filter(|word| word == WORD)?;
    let [report, program] = [(); 2].map(|()| words.next().unwrap());
    for (resource, limit) in
        [(Resource::RLIMIT_AS, ADDRESS_SPACE), (Resource::RLIMIT_FSIZE, FILE_SIZE), (Resource::RLIMIT_CORE, 0)]
    {
        // Where a system has no such limit, the case is measured all the same.
        let _: nix::Result<()> = setrlimit(resource, limit, limit);
    }
    let status = Command::new(program).args(words).status().unwrap();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    let unit = if cfg!(target_os = "macos") { 1024 } else { 1 };
    let measured = Report {
        code: status.code(),
        signal: status.signal(),
        milliseconds: usage.user_time().num_milliseconds() + usage.system_time().num_milliseconds(),
        kibibytes: usage.max_rss() / unit,
    };
    fs_err::write(PathBuf::from(report), serde_json::to_string(&measured).unwrap()).unwrap();
    Some(ExitCode::SUCCESS)
}
