//! Where projects are, and what is in their way.

use super::*;

#[test]
fn an_absent_path_is_free_and_nothing_is_written_to_find_out() {
    let (directory, _) = place();
    for name in ["shop", "a/b/shop", "./x/../shop"] {
        let site = Site::locate(&directory.path().join(name)).unwrap();
        assert!(site.check(Existing::Refuse).is_ok(), "{name}");
        assert_eq!((site.app_dir(), &site.repository), (".", &None), "{name}");
        assert!(site.app.starts_with(directory.path().canonicalize().unwrap()), "{name}");
    }
    assert!(list(directory.path()).is_empty());
}

#[test]
fn an_app_in_a_repository_knows_its_path_from_the_root() {
    let (directory, _) = place();
    let root = directory.path().canonicalize().unwrap();
    crate::git::init(&root).unwrap();
    let site = Site::locate(&root.join("apps/shop")).unwrap();
    assert_eq!((site.app_dir(), site.root()), ("apps/shop", root.as_path()));
    let site = Site::locate(&root).unwrap();
    assert_eq!((site.app_dir(), site.root(), site.repository.as_deref()), (".", root.as_path(), Some(root.as_path())));
}

#[test]
fn a_path_that_the_repository_s_files_cannot_name_is_refused() {
    let (directory, _) = place();
    crate::git::init(directory.path()).unwrap();
    let expected = "T004 the path of `ROOT/co:on/shop` below the root of its repository has the character ':', which is not \
                    portable in a file name (choose another path)";
    assert_eq!(message(&directory, Site::locate(&directory.path().join("co:on/shop"))), expected);
}

#[test]
fn an_empty_directory_and_an_empty_repository_are_free() {
    let (directory, target) = place();
    fs_err::create_dir(&target).unwrap();
    assert!(Site::locate(&target).unwrap().check(Existing::Refuse).is_ok());
    crate::git::init(&target).unwrap();
    assert!(Site::locate(&target).unwrap().check(Existing::Refuse).is_ok());
    drop(directory);
}

#[test]
fn what_is_in_the_way_is_told_with_what_to_do() {
    let (directory, target) = place();
    let check = |path: &Path, existing| Site::locate(path).and_then(|site| site.check(existing));
    write(target.join("x"), "");
    assert_eq!(
        message(&directory, check(&target, Existing::Refuse)),
        "P002 `ROOT/shop` already exists and is not empty (choose another name, or pass --init to add to it and keep its \
         files, or --overwrite to replace them)"
    );
    assert!(check(&target, Existing::Keep).is_ok() && check(&target, Existing::Replace).is_ok());
    write(target.join(".create-app/lock.toml"), "");
    assert_eq!(
        message(&directory, check(&target, Existing::Keep)),
        "P002 `ROOT/shop` is already a project created by create-app (run `create-app upgrade` there, or pass --overwrite to \
         recreate it)"
    );
    assert!(check(&target, Existing::Replace).is_ok());
    for existing in [Existing::Refuse, Existing::Keep, Existing::Replace] {
        assert_eq!(
            message(&directory, check(&target.join("x"), existing)),
            "P002 `ROOT/shop/x` is a file (choose another name, or move it out of the way)"
        );
        assert_eq!(
            message(&directory, check(&target.join("x/y/z"), existing)),
            "P002 `ROOT/shop/x` is not a directory (choose another path, or move it out of the way)"
        );
    }
}

#[cfg(unix)]
#[test]
fn a_link_is_followed_to_a_directory_and_else_in_the_way() {
    let (directory, target) = place();
    let link = |to: &str| {
        drop(fs_err::remove_file(&target));
        std::os::unix::fs::symlink(to, &target).unwrap();
        Site::locate(&target)
    };
    fs_err::create_dir(directory.path().join("real")).unwrap();
    let site = link("real").unwrap();
    assert_eq!(site.app, directory.path().canonicalize().unwrap().join("real"));
    assert!(site.check(Existing::Refuse).is_ok());
    let expected = "P002 `ROOT/shop` is a broken link (choose another name, or move it out of the way)";
    assert_eq!(message(&directory, link("nowhere").unwrap().check(Existing::Replace)), expected);
    let expected = "P002 `ROOT/shop` is not a directory (choose another path, or move it out of the way)";
    assert_eq!(message(&directory, Site::locate(&target.join("below"))), expected);
}

#[cfg(unix)]
#[test]
fn nothing_is_read_through_a_link_or_from_a_directory() {
    let (directory, target) = place();
    write(directory.path().join("secret/key"), "k");
    fs_err::create_dir_all(target.join("a/b")).unwrap();
    std::os::unix::fs::symlink("../secret", target.join("src")).unwrap();
    write(target.join("file"), "");
    let site = Site::locate(&target).unwrap();
    let read = |name: &str| site.read(&tree(&[(name, "")]), &Tree::new());
    for (name, expected) in [
        ("src/key", "P002 `ROOT/shop/src` is a link, and nothing is written through a link"),
        ("src/deeper/key", "P002 `ROOT/shop/src` is a link, and nothing is written through a link"),
        ("file/x", "P002 `ROOT/shop/file` is a file, where the template has a directory"),
        ("a/b", "P002 `ROOT/shop/a/b` is a directory, where the template has a file"),
    ] {
        let help = "(move it out of the way, then run the command again)";
        assert_eq!(message(&directory, read(name)), format!("{expected} {help}"), "{name}");
    }
    let link = read("src").unwrap().app.into_values().next();
    assert_eq!(link, Some(Entry::Symlink { target: "../secret".into() }));
}
