//! Paths that are accepted are safe to write below a project: judged by the rules of the systems, and not by our own code.

use std::path::{Component, Path};

use create_app::tree::RelPath;

pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(path) = RelPath::new(text) else { return };
    assert_eq!(path.as_str(), text);
    judge(text);
    for beside in path.beside("theirs").take(3) {
        judge(beside.as_str());
        assert!(beside != path && beside.ancestors().eq(path.ancestors()), "{beside} is not beside {path}");
    }
}

fn judge(path: &str) {
    // POSIX and Windows: nothing leads up, away, or to another drive.
    let root = Path::new("/project");
    let below = RelPath::new(path).unwrap().below(root);
    let names: Vec<_> = below.strip_prefix(root).unwrap().components().collect();
    assert!(names.iter().all(|name| matches!(name, Component::Normal(_))), "{path:?}");
    assert_eq!(names.len(), path.split('/').count(), "{path:?}");
    assert!(!path.contains(['\\', ':', '\0', '\n', '\r', '\u{1b}', '\u{9b}']), "{path:?}");
    for name in path.split('/') {
        assert!(!name.is_empty() && name != "." && name != ".." && name.len() <= 255, "{path:?}");
        assert!(!is_device(&name.to_uppercase()), "a device on Windows: {path:?}");
        assert!(!is_protected(&folded(name)), "a protected directory: {path:?}");
        assert_eq!(windows(name), name, "another name on Windows: {path:?}");
    }
}

/// A name as a file system that ignores case and the code points that HFS+ ignores compares it.
fn folded(name: &str) -> String {
    const IGNORED: &[(u32, u32)] = &[(0x200c, 0x200f), (0x202a, 0x202e), (0x206a, 0x206f), (0xfeff, 0xfeff)];
    let is_ignored = |c: &char| IGNORED.iter().any(|&(first, last)| (first..=last).contains(&u32::from(*c)));
    let kept: String = name.chars().filter(|c| !is_ignored(c)).collect();
    windows(&kept).to_uppercase()
}

/// Win32 drops dots and spaces at the end of a name, and reads what follows a colon as a stream.
fn windows(name: &str) -> &str {
    name.split(':').next().unwrap_or_default().trim_end_matches(['.', ' '])
}

/// Whether Win32 takes the name for a device, whatever its extension.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end_matches(' ');
    let port = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
    let is_number = |rest: &str| rest.chars().count() == 1 && rest.contains(|c| "123456789¹²³".contains(c));
    ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"].contains(&stem) || port.is_some_and(is_number)
}

/// Git's directory and ours, also by the short names that NTFS may give them: the first six letters without dots, or the
/// first two and a checksum, and a number.
fn is_protected(name: &str) -> bool {
    let short = name.split_once('~').is_some_and(|(stem, number)| {
        let hash = |start: &str| stem.len() == 6 && stem.starts_with(start) && is_hex(&stem[2..]);
        let is_number = number.len() == 1 && "123456789".contains(number);
        is_number && (["GIT", "CREATE"].contains(&stem) || hash("GI") || hash("CR"))
    });
    [".GIT", ".CREATE-APP"].contains(&name) || short
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
