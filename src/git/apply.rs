//! Patches, applied by git outside any repository.

use std::path::Path;

use super::command::outside;
use super::run::output;
use crate::diagnostic::Result;

/// Applies a patch to the files in `directory`, all of it or nothing. Returns what git has against it, a line each; nothing
/// where it was applied.
///
/// # Errors
///
/// When git cannot be run.
pub fn apply(directory: &Path, patch: &[u8]) -> Result<Vec<String>> {
    // Neither a repository around the directory nor the user's settings may change what a patch does.
    let mut command = outside(directory);
    command.args(["-c", "core.autocrlf=false", "apply", "--whitespace=nowarn", "-"]);
    let output = output(&mut command, patch)?;
    if output.status.success() {
        return Ok(Vec::new());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let lines = text.lines().map(|line| line.trim_start_matches("error: ").trim_start_matches("fatal: ").to_owned());
    Ok(lines.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_is_applied_whole_or_not_at_all() {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str| fs_err::read_to_string(directory.path().join(name));
        fs_err::write(directory.path().join("a"), "one\r\ntwo\r\n").unwrap();
        let good =
            "--- a/a\n+++ b/a\n@@ -1,2 +1,2 @@\n one\r\n-two\r\n+2\r\n--- /dev/null\n+++ b/b\n@@ -0,0 +1 @@\n+b\n";
        assert_eq!(apply(directory.path(), good.as_bytes()), Ok(Vec::new()));
        assert_eq!((file("a").unwrap().as_str(), file("b").unwrap().as_str()), ("one\r\n2\r\n", "b\n"));
        let bad = good.replace("+++ b/b", "+++ b/c");
        assert_eq!(apply(directory.path(), bad.as_bytes()).unwrap()[0], "patch failed: a:1");
        assert!(file("c").is_err());
        assert_eq!(apply(directory.path(), &bad.as_bytes()[..40]).unwrap()[0], "corrupt patch at line 5");
    }
}
