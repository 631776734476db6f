use std::path::{Path, PathBuf};
use std::time::Duration;

use super::*;

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs_err::create_dir_all(folder.path().join("project/a/b")).unwrap();
    fs_err::write(folder.path().join("project/a/b/file"), "text").unwrap();
    fs_err::write(folder.path().join("secret"), "outside").unwrap();
    folder
}

fn project(folder: &tempfile::TempDir) -> Root {
    Root::open(&folder.path().join("project")).unwrap()
}

/// The outcome, in a word.
fn said<T: AsRef<[u8]>>(result: Result<T, Failure>) -> String {
    match result {
        Ok(bytes) => String::from_utf8_lossy(bytes.as_ref()).into_owned(),
        Err(Failure::Io(error)) => format!("{:?}", error.kind()),
        Err(failure) => failure.to_string(),
    }
}

#[test]
fn a_file_is_read_up_to_the_limit() {
    let folder = folder();
    let root = project(&folder);
    assert_eq!(said(root.read("a/b/file", 4)), "text");
    assert_eq!(said(root.read("a/b/file", 3)), "it is larger than 3 bytes");
    assert_eq!(said(root.read("a/b", 9)), "it is a directory, not a regular file");
    assert_eq!(said(root.read("a/none", 9)), "NotFound");
    assert_eq!(said(root.read("a/b/file/x", 9)), "`a/b/file` is a file, not a directory");
    assert!(root.read("a/b/file/x", 9).unwrap_err().is_missing());
}

#[test]
fn no_path_leads_out() {
    let folder = folder();
    let root = project(&folder);
    for path in ["../secret", "a/../../secret", "", "."] {
        assert_eq!(said(root.read(path, 9)), "InvalidInput", "{path}");
    }
    assert_eq!(said(root.read(folder.path().join("secret"), 9)), "InvalidInput");
}

#[cfg(unix)]
#[test]
fn no_link_is_followed_at_the_end_or_on_the_way() {
    use std::os::unix::fs::symlink;
    let folder = folder();
    let at = |name: &str| folder.path().join("project").join(name);
    symlink("../secret", at("out")).unwrap();
    symlink("a/b", at("in")).unwrap();
    symlink("nowhere", at("dangling")).unwrap();
    symlink("..", at("a/up")).unwrap();
    let root = project(&folder);
    let through = |link: &str| format!("it is reached through the link `{link}`");
    assert_eq!(said(root.read("out", 9)), through("out"));
    assert_eq!(said(root.read("in/file", 9)), through("in"));
    assert_eq!(said(root.read("dangling", 9)), through("dangling"));
    assert_eq!(said(root.read("dangling/x", 9)), through("dangling"));
    assert_eq!(said(root.read("a/up/a/b/file", 9)), through("a/up"));
    assert_eq!(root.kind("out").unwrap(), Some(Kind::Link));
    assert!(root.descend("in").is_err());
    assert!(root.parent("in/new").is_err());
    assert_eq!(root.parent("a/b/new").unwrap().1, "new");
    // The user's own path to the root may be a link.
    assert_eq!(said(Root::open(&at("in")).unwrap().read("file", 9)), "text");
}

#[cfg(unix)]
#[test]
fn a_pipe_does_not_hang_and_a_device_is_not_read() {
    let folder = folder();
    let pipe = folder.path().join("project/pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    let (send, receive) = std::sync::mpsc::channel();
    let root = project(&folder);
    std::thread::spawn(move || {
        drop(send.send(said(root.read("pipe", 9))));
        drop(send.send(said(read_regular(&pipe, 9))));
        drop(send.send(said(read_named(&pipe, 9))));
        drop(send.send(said(read_regular(Path::new("/dev/zero"), 9))));
    });
    let next = || receive.recv_timeout(Duration::from_secs(10)).unwrap();
    for _ in 0..3 {
        assert_eq!(next(), "it is a named pipe, not a regular file");
    }
    assert_eq!(next(), "it is a device, not a regular file");
}

#[cfg(target_os = "linux")]
#[test]
fn a_descriptor_that_was_handed_over_is_read_up_to_the_limit() {
    use std::io::Write as _;
    use std::os::fd::AsRawFd as _;
    let (reader, mut writer) = io::pipe().unwrap();
    writer.write_all(b"piped").unwrap();
    drop(writer);
    let path = PathBuf::from(format!("/dev/fd/{}", reader.as_raw_fd()));
    assert_eq!(said(read_named(&path, 5)), "piped");
    let zero = std::fs::File::open("/dev/zero").unwrap();
    let path = PathBuf::from(format!("/proc/self/fd/{}", zero.as_raw_fd()));
    assert_eq!(said(read_named(&path, 2048)), "it is larger than 2 KiB");
}

#[test]
fn a_reader_goes_from_path_to_path() {
    let folder = folder();
    let deep = vec!["d"; 40].join("/");
    fs_err::create_dir_all(folder.path().join("project").join(&deep)).unwrap();
    for path in [format!("{deep}/x"), "d/y".to_owned(), "top".to_owned()] {
        fs_err::write(folder.path().join("project").join(&path), &path).unwrap();
    }
    let root = project(&folder);
    let mut reader = Reader::new(&root);
    let deepest = format!("{deep}/x");
    let paths = ["top", &deepest, "d/y", &deepest, "a/b/file", "none/x", "d/none", "top"];
    let said: Vec<String> =
        paths.iter().map(|path| said(reader.regular(Path::new(path)).and_then(|file| file.read(100)))).collect();
    assert_eq!(said, ["top", &deepest, "d/y", &deepest, "text", "NotFound", "NotFound", "top"]);
}

#[test]
fn the_entries_of_a_directory_have_kinds() {
    let folder = folder();
    let entries = project(&folder).descend("a").unwrap().entries().unwrap();
    assert_eq!(entries, [("b".into(), Kind::Directory)]);
    let entries = project(&folder).descend("a/b").unwrap().entries().unwrap();
    assert_eq!(entries, [("file".into(), Kind::File)]);
}

#[cfg(unix)]
#[test]
fn a_way_is_found_again_each_time() {
    let folder = folder();
    let at = |name: &str| folder.path().join("project").join(name);
    let mut ways = Ways::new(project(&folder));
    let text = |ways: &mut Ways| said(ways.spot("a/b/file").and_then(|spot| spot.regular()?.read(9)));
    assert_eq!(text(&mut ways), "text");
    fs_err::rename(at("a"), at("away")).unwrap();
    assert_eq!(text(&mut ways), "NotFound");
    std::os::unix::fs::symlink("away", at("a")).unwrap();
    assert_eq!(text(&mut ways), "it is reached through the link `a`");
    fs_err::remove_file(at("a")).unwrap();
    fs_err::create_dir_all(at("a/b")).unwrap();
    fs_err::write(at("a/b/file"), "other").unwrap();
    assert_eq!(text(&mut ways), "other");
    fs_err::rename(at("a/b"), at("a/c")).unwrap();
    fs_err::write(at("a/b"), "").unwrap();
    assert_eq!(text(&mut ways), "`a/b` is a file, not a directory");
    assert!(ways.spot("").is_err() && ways.spot("../secret").is_err());
    assert_eq!(ways.directory("").unwrap().path(), ways.root().path());
}

#[cfg(unix)]
#[test]
fn a_place_stays_in_its_directory() {
    let folder = folder();
    let at = |name: &str| folder.path().join("project").join(name);
    let spot = Ways::new(project(&folder)).spot("a/new").unwrap();
    fs_err::rename(at("a"), at("away")).unwrap();
    std::os::unix::fs::symlink(folder.path(), at("a")).unwrap();
    spot.create_file(Access::Usual).unwrap();
    spot.beside("link").create_link("/nowhere").unwrap();
    assert!(at("away/new").is_file() && at("away/link").is_symlink());
    assert!(!folder.path().join("new").exists());
}

#[test]
fn nothing_is_replaced_that_was_not_meant() {
    let folder = folder();
    let root = project(&folder);
    let [a, b] = ["one", "two"].map(|name| root.spot(name));
    for (spot, text) in [(&a, "1"), (&b, "2")] {
        io::Write::write_all(&mut spot.create_file(Access::Usual).unwrap(), text.as_bytes()).unwrap();
        assert_eq!(spot.create_file(Access::Usual).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    }
    let texts = || [&a, &b].map(|spot| said(spot.regular().and_then(|file| file.read(9))));
    assert_eq!(a.rename_new(&b).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(texts(), ["1", "2"]);
    match a.exchange(&b) {
        Err(error) => assert_eq!(error.kind(), io::ErrorKind::Unsupported),
        Ok(()) => assert_eq!(texts(), ["2", "1"]),
    }
    a.rename_new(&root.spot("three")).unwrap();
    assert_eq!((a.kind().unwrap(), root.kind("three").unwrap()), (None, Some(Kind::File)));
    assert!(a.exchange(&b).is_err() && a.rename(&b).is_err() && a.remove_file().is_err());
}

#[cfg(unix)]
#[test]
fn no_link_is_opened_for_writing() {
    let folder = folder();
    let root = project(&folder);
    std::os::unix::fs::symlink("../secret", folder.path().join("project/link")).unwrap();
    let link = root.spot("link");
    assert!(link.create_file(Access::Private).is_err() && link.open_or_create_file(Access::Private).is_err());
    assert!(link.open_for_writing().is_err() && link.open_directory().is_err());
    assert_eq!(fs_err::read_to_string(folder.path().join("secret")).unwrap(), "outside");
    link.remove_file().unwrap();
    assert!(folder.path().join("secret").exists());
}
