//! git's own merges, to compare ours with: many at once, because each process takes longer than a merge.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use proptest::strategy::{Strategy, ValueTree as _};
use proptest::test_runner::TestRunner;

use crate::tree::{Entry, RelPath, Tree};

/// How many cases of a law or a comparison are tried: `usual`, unless `PROPTEST_CASES` asks for another number.
pub(super) fn cases(usual: u32) -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(usual)
}

/// Random values, the same ones in every run, and more of them with `PROPTEST_CASES`; a failure shows the value itself.
pub(super) fn sample<T>(strategy: &impl Strategy<Value = T>, count: u32) -> Vec<T> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

/// Whether git is new enough to be asked; the tests say so if it is not.
pub(super) fn is_able() -> bool {
    let version = String::from_utf8(Command::new("git").arg("--version").output().unwrap().stdout).unwrap();
    let mut numbers = version.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse::<u32>().ok());
    let able = (numbers.next(), numbers.next()) >= (Some(2), Some(44));
    if !able {
        eprintln!("skipped: the comparison needs git 2.44 or newer, and this is {}", version.trim());
    }
    able
}

/// The result of `git merge-file` for base, ours and theirs: the merged bytes, or nothing where it has a conflict.
pub(super) fn merge_file(dir: &Path, algorithm: &str, versions: [&[u8]; 3]) -> Option<Vec<u8>> {
    for (name, bytes) in ["base", "ours", "theirs"].into_iter().zip(versions) {
        fs_err::write(dir.join(name), bytes).unwrap();
    }
    let mut git = git(dir);
    git.args(["merge-file", "-p", "-q"]).args((!algorithm.is_empty()).then(|| format!("--diff-algorithm={algorithm}")));
    let output = git.args(["ours", "base", "theirs"]).output().unwrap();
    // The exit code is the number of conflicts, at most 127; what is above is a failure.
    let code = output.status.code().filter(|code| *code < 128);
    assert!(code.is_some(), "git 2.44 or newer is needed: {}", String::from_utf8_lossy(&output.stderr));
    output.status.success().then_some(output.stdout)
}

/// The same for many, by git's merge of trees, which merges one file as `git merge-file` does, with the algorithm "histogram".
pub(super) fn merge_files(cases: &[[Vec<u8>; 3]]) -> Vec<Option<Vec<u8>>> {
    let name = |at: usize| format!("{at:06}");
    let tree = |version: usize| -> Tree {
        let file =
            |(at, case): (usize, &[Vec<u8>; 3])| (RelPath::new(name(at)).unwrap(), Entry::file(case[version].clone()));
        cases.iter().enumerate().map(file).collect()
    };
    let trees = [0, 1, 2].map(tree);
    let merged = merge_trees([trees.each_ref()], false).remove(0);
    let files = merged.tree.into_values().enumerate();
    files.map(|(at, entry)| (!merged.conflicts.contains(&name(at))).then(|| entry.bytes().to_vec())).collect()
}

/// Git's merge of three trees.
#[derive(Debug)]
pub(super) struct Merged {
    /// Its tree, with markers in it where it has conflicts.
    pub(super) tree: Tree,
    /// Whether it had no conflict: there are some that are of no path.
    pub(super) is_clean: bool,
    /// The paths that it has in conflict.
    pub(super) conflicts: BTreeSet<String>,
}

/// The result of `git merge-tree` for each base, ours and theirs; `directories`: what is new in a directory that the other side renamed
/// goes along.
pub(super) fn merge_trees<'t>(cases: impl IntoIterator<Item = [&'t Tree; 3]>, directories: bool) -> Vec<Merged> {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    run(git(dir).args(["init", "--quiet", "--bare"]), b"");
    let mut stream = Vec::new();
    let trees: Vec<&Tree> = cases.into_iter().flatten().collect();
    trees.iter().zip(1..).for_each(|(tree, number)| commit(&mut stream, number, tree));
    stream.extend_from_slice(b"done\n");
    run(git(dir).args(["fast-import", "--quiet", "--done", "--export-marks=marks"]), &stream);
    let marks = fs_err::read_to_string(dir.join("marks")).unwrap();
    let marks: BTreeMap<usize, &str> = marks
        .lines()
        .filter_map(|line| line[1..].split_once(' '))
        .map(|(mark, id)| (mark.parse().unwrap(), id))
        .collect();
    let ids: Vec<&str> = marks.into_values().collect();
    let merges: String = ids.chunks(3).map(|of| format!("{} -- {} {}\n", of[0], of[1], of[2])).collect();
    let directories = format!("merge.directoryRenames={directories}");
    let options = ["-c", &directories, "merge-tree", "--stdin", "--name-only", "--no-messages"];
    let output = run(git(dir).args(options), merges.as_bytes());
    let mut fields = output.split(|byte| *byte == 0).map(|field| String::from_utf8(field.to_vec()).unwrap());
    let (mut roots, mut conflicts) = (Vec::new(), Vec::new());
    while let (Some(status), Some(root)) = (fields.next(), fields.next()) {
        let names: BTreeSet<String> = fields.by_ref().take_while(|name| !name.is_empty()).collect();
        roots.push(root);
        conflicts.push((status == "1", names));
    }
    let trees = read_trees(dir, roots);
    assert_eq!(trees.len() * 3, ids.len());
    trees.into_iter().zip(conflicts).map(|(tree, (is_clean, conflicts))| Merged { tree, is_clean, conflicts }).collect()
}

/// A commit in the language of `git fast-import`; on one branch, because nobody asks for the history.
fn commit(stream: &mut Vec<u8>, number: usize, tree: &Tree) {
    let mut line = |text: String| stream.extend_from_slice(text.as_bytes());
    line(format!("commit refs/heads/all\nmark :{number}\ncommitter x <x@y> 0 +0000\ndata 0\n"));
    if number > 1 {
        line(format!("from :{}\ndeleteall\n", number - 1));
    }
    for (path, entry) in tree {
        stream.extend_from_slice(
            format!("M {} inline {path}\ndata {}\n", entry.mode().as_str(), entry.bytes().len()).as_bytes(),
        );
        stream.extend_from_slice(entry.bytes());
        stream.push(b'\n');
    }
}

/// Reads trees with everything below them: one process for each level of directories, and one for the files.
fn read_trees(dir: &Path, roots: Vec<String>) -> Vec<Tree> {
    let mut trees = vec![Tree::new(); roots.len()];
    let mut files = Vec::new();
    let mut level: Vec<(usize, String, String)> =
        roots.into_iter().enumerate().map(|(at, root)| (at, String::new(), root)).collect();
    while !level.is_empty() {
        let contents = objects(dir, level.iter().map(|(.., id)| id.as_str()));
        let mut next = Vec::new();
        for ((at, prefix, _), content) in level.into_iter().zip(contents) {
            for (mode, name, id) in entries(&content) {
                let path = format!("{prefix}{name}");
                match mode.as_str() {
                    "40000" => next.push((at, format!("{path}/"), id)),
                    _ => files.push((at, path, mode, id)),
                }
            }
        }
        level = next;
    }
    let contents = objects(dir, files.iter().map(|(.., id)| id.as_str()));
    for ((at, path, mode, _), bytes) in files.into_iter().zip(contents) {
        let entry = match mode.as_str() {
            "120000" => Entry::Symlink { target: String::from_utf8(bytes).unwrap() },
            _ => Entry::File { bytes: bytes.into(), executable: mode == "100755" },
        };
        trees[at].insert(RelPath::new(path).unwrap(), entry);
    }
    trees
}

/// The entries of a tree as git stores it: mode, name, and the object's 20 bytes.
fn entries(mut content: &[u8]) -> Vec<(String, String, String)> {
    let mut entries = Vec::new();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    while let Some(space) = content.iter().position(|byte| *byte == b' ') {
        let end = content.iter().position(|byte| *byte == 0).unwrap();
        let id = crate::digest::hex(&content[end + 1..end + 21]);
        entries.push((text(&content[..space]), text(&content[space + 1..end]), id));
        content = &content[end + 21..];
    }
    entries
}

/// The content of objects, in their order.
fn objects<'i>(dir: &Path, ids: impl Iterator<Item = &'i str>) -> Vec<Vec<u8>> {
    let ids: String = ids.map(|id| format!("{id}\n")).collect();
    let output = run(git(dir).args(["cat-file", "--batch"]), ids.as_bytes());
    let (mut rest, mut found) = (output.as_slice(), Vec::new());
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let header = String::from_utf8_lossy(&rest[..end]);
        let size: usize = header.rsplit(' ').next().unwrap().parse().unwrap();
        found.push(rest[end + 1..end + 1 + size].to_vec());
        rest = &rest[end + size + 2..];
    }
    found
}

/// Git without the user's settings.
pub(super) fn git(dir: &Path) -> Command {
    let mut git = Command::new("git");
    let nowhere = if cfg!(windows) { "NUL" } else { "/dev/null" };
    git.args(["-c", "core.fsync=none"]).current_dir(dir);
    git.env("GIT_CONFIG_GLOBAL", nowhere).env("GIT_CONFIG_SYSTEM", nowhere);
    git
}

/// Runs git with an input; it must succeed.
pub(super) fn run(git: &mut Command, input: &[u8]) -> Vec<u8> {
    let mut child = git.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input));
        child.wait_with_output().unwrap()
    });
    assert!(output.status.success(), "{git:?}");
    output.stdout
}
