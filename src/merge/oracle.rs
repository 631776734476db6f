//! git's own merge, to compare ours with.

use std::path::Path;
use std::process::Command;

use proptest::test_runner::{Config, TestRunner};

/// What `git merge-file` makes of base, ours and theirs: the merged bytes, or nothing where it has a conflict.
pub(super) fn git(dir: &Path, algorithm: &str, versions: [&[u8]; 3]) -> Option<Vec<u8>> {
    for (name, bytes) in ["base", "ours", "theirs"].into_iter().zip(versions) {
        fs_err::write(dir.join(name), bytes).unwrap();
    }
    let mut git = Command::new("git");
    git.args(["merge-file", "-p", "-q"]).args((!algorithm.is_empty()).then(|| format!("--diff-algorithm={algorithm}")));
    let output = git.args(["ours", "base", "theirs"]).current_dir(dir).output().unwrap();
    output.status.success().then_some(output.stdout)
}

/// Each case starts a process, so there are few of them unless `PROPTEST_CASES` asks for more.
pub(super) fn runner() -> TestRunner {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(64);
    TestRunner::new(Config { cases, max_shrink_iters: 300, failure_persistence: None, ..Config::default() })
}
