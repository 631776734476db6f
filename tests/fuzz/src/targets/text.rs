//! Merges of text: the laws, and git.

use std::cell::OnceCell;

use create_app::merge::draw::{Style, draw, has_markers};
use create_app::merge::text::{Region, Side, compare, merge};
use tempfile::TempDir;

use crate::git::{git, is_asked};
use crate::versions::first;

pub(crate) fn run(data: &[u8]) {
    let [base, ours, theirs] = first(data);
    let merged = merge(base, ours, theirs);
    one_side_alone_decides(base, ours, theirs);
    let other = merge(base, theirs, ours);
    assert_eq!(merged.conflicts(), other.conflicts(), "a conflict from one side only");
    assert_eq!(merged.choose(Side::Theirs), other.choose(Side::Ours));
    assert_eq!(merged.choose(Side::Ours), other.choose(Side::Theirs));
    assert!(merged.regions.iter().all(|region| !is_empty(region)));
    let comparison = compare(base, ours, theirs);
    assert_eq!((&*comparison.choose(Side::Ours), &*comparison.choose(Side::Theirs)), (ours, theirs));
    let end = if [base, ours, theirs].iter().any(|text| text.contains(&b'\n')) { b'\n' } else { b'\r' };
    every_line_that_ours_added_survives([base, ours, &merged.choose(Side::Ours)], end);
    for style in [Style::Merge, Style::Diff3, Style::Ours, Style::Theirs] {
        let drawn = draw(&merged, style, "2");
        let conflict = !merged.is_clean() && matches!(style, Style::Merge | Style::Diff3);
        assert!(!conflict || has_markers(&drawn), "no marker is found in what was drawn");
    }
    if is_asked(data, 64) {
        compared_with_git(base, ours, theirs, merged.clean().as_deref());
    }
}

fn one_side_alone_decides(base: &[u8], ours: &[u8], theirs: &[u8]) {
    for (base, ours, theirs, expected) in
        [(base, base, theirs, theirs), (base, ours, base, ours), (base, ours, ours, ours), (theirs, ours, ours, ours)]
    {
        assert_eq!(merge(base, ours, theirs).clean().as_deref(), Some(expected));
    }
}

fn is_empty(region: &Region<'_>) -> bool {
    match region {
        Region::Resolved { bytes, .. } => bytes.is_empty(),
        Region::Conflict { base, ours, theirs } => base.is_empty() && ours.is_empty() && theirs.is_empty(),
    }
}

fn lines(bytes: &[u8], end: u8) -> Vec<&[u8]> {
    bytes.split_inclusive(|&byte| byte == end).collect()
}

fn every_line_that_ours_added_survives([base, ours, merged]: [&[u8]; 3], end: u8) {
    let count = |text: &[u8], wanted: &[u8]| {
        lines(text, end).into_iter().filter(|line| line.trim_ascii_end() == wanted).count()
    };
    for line in lines(ours, end).into_iter().map(<[u8]>::trim_ascii_end) {
        let added = count(ours, line) > count(base, line);
        assert!(!added || count(merged, line) > 0, "{:?} is lost", line.escape_ascii().to_string());
    }
}

/// Git's merge is another one only where there is more than one way to see what a side has changed.
fn compared_with_git(base: &[u8], ours: &[u8], theirs: &[u8], merged: Option<&[u8]>) {
    let texts = [base, ours, theirs];
    // Without a line feed, a carriage return ends our lines; git calls text with a zero binary.
    if texts.iter().any(|text| text.contains(&0) || text.contains(&b'\r')) {
        return;
    }
    if is_ambiguous(base, ours) || is_ambiguous(base, theirs) {
        return;
    }
    assert_eq!(merged, by_git(texts).as_deref(), "not as git merges");
}

/// Whether a line is there twice, or two lines changed places.
fn is_ambiguous(base: &[u8], side: &[u8]) -> bool {
    let [base, side] = [base, side].map(|text| lines(text, b'\n'));
    let repeats = |text: &[&[u8]]| (1..text.len()).any(|at| text[..at].contains(&text[at]));
    let places: Vec<usize> = base.iter().filter_map(|line| side.iter().position(|other| other == line)).collect();
    repeats(&base) || repeats(&side) || !places.is_sorted()
}

thread_local!(static DIRECTORY: OnceCell<TempDir> = const { OnceCell::new() });

/// What `git merge-file` makes of the versions; nothing where it has a conflict.
fn by_git(texts: [&[u8]; 3]) -> Option<Vec<u8>> {
    DIRECTORY.with(|directory| {
        let directory = directory.get_or_init(|| tempfile::tempdir().unwrap()).path();
        for (name, text) in ["base", "ours", "theirs"].into_iter().zip(texts) {
            std::fs::write(directory.join(name), text).unwrap();
        }
        let mut command = git(directory);
        command.args(["merge-file", "-p", "-q", "--diff-algorithm=histogram", "ours", "base", "theirs"]);
        let output = command.output().unwrap();
        assert!(output.status.code().is_some_and(|code| code < 128), "{output:?}");
        output.status.success().then_some(output.stdout)
    })
}
