//! What create-app reads of a project, a template or a test case: regular files of its own, through no link, and only so much.

use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::place::{Place, Said};
use create_app::deflated::Encoder;
use create_app::digest::Digest;
use fs_err as fs;

/// The most memory that a run may ask for, in KiB, and the most time. Both are far above what is needed.
const MEMORY: &str = "1000000";
const TIME: Duration = Duration::from_secs(60);

/// Runs create-app, which must end by itself.
#[track_caller]
fn bounded(place: &Place, directory: &str, arguments: &[&str]) -> Said {
    let limited = format!("ulimit -v {MEMORY} && exec \"$0\" \"$@\"");
    let mut command = place.command("sh", directory);
    command.args(["-c", &limited, env!("CARGO_BIN_EXE_create-app")]).args(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let (start, mut child) = (Instant::now(), command.spawn().unwrap());
    let output = std::thread::scope(|scope| {
        let id = child.id().to_string();
        let (done, waiting) = std::sync::mpsc::channel::<()>();
        scope.spawn(move || {
            if waiting.recv_timeout(TIME) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                drop(Command::new("kill").args(["-KILL", &id]).status());
            }
        });
        let [out, err] = [
            Box::new(child.stdout.take().unwrap()) as Box<dyn std::io::Read + Send>,
            Box::new(child.stderr.take().unwrap()),
        ]
        .map(|mut pipe| {
            scope.spawn(move || {
                let mut bytes = Vec::new();
                pipe.read_to_end(&mut bytes).unwrap();
                bytes
            })
        });
        let (stdout, stderr) = (out.join().unwrap(), err.join().unwrap());
        let output = std::process::Output { status: child.wait().unwrap(), stdout, stderr };
        drop(done);
        output
    });
    let said = Said::from(output);
    assert!(start.elapsed() < TIME && said.code.is_some(), "{arguments:?}: {}{}", said.out, said.err);
    said
}

/// Puts something that is not a regular file in the place of one: by this name.
const FORGERIES: &[&str] = &["device", "outside", "pipe"];

fn forge(place: &Place, name: &str, forgery: &str) {
    let path = place.path(name);
    drop(fs::remove_file(&path));
    match forgery {
        "device" => symlink("/dev/zero", path).unwrap(),
        "outside" => symlink(place.path("outside"), path).unwrap(),
        _ => rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap(),
    }
}

/// A template, and a project of it without git.
fn project() -> Place {
    let place = Place::new();
    place.write("outside", "secret: 42\n");
    place.write("template/cargo-generate.toml", "[create-app]\nversion = \"1\"\n");
    place.write("template/a.txt", "a\n");
    place.app("", &["new", "app", "--path", "template", "--vcs", "none"]).ended(0);
    place
}

fn base_of(text: &str) -> String {
    format!("app/.create-app/base/{}", Digest::of(text.as_bytes()))
}

#[test]
fn a_record_is_read_from_regular_files() {
    for forgery in FORGERIES {
        let place = project();
        forge(&place, "app/.create-app/lock.toml", forgery);
        for command in [&["check"][..], &["diff"], &["diff", "--local"], &["upgrade", "--silent"]] {
            let said = bounded(&place, "app", command).ended(2).warns("error[P009]: cannot read `");
            said.warns(".create-app/lock.toml`: it is a ");
        }
        let place = project();
        forge(&place, &base_of("a\n"), forgery);
        place.write("app/a.txt", "mine\n");
        let what = if *forgery == "pipe" { "is a named pipe" } else { "is a link" };
        let problem = format!("error[L003]: the base of `a.txt` {what}, not a regular file");
        bounded(&place, "app", &["check"]).ended(1).warns(&problem).has("edited    a.txt");
        bounded(&place, "app", &["diff", "--local"]);
        forge(&place, "app/.create-app/.gitattributes", forgery);
        bounded(&place, "app", &["diff"]).ended(2).warns("error[P009]");
        assert_eq!(place.read("outside"), "secret: 42\n");
    }
}

#[test]
fn a_directory_of_the_record_that_is_a_link_is_refused() {
    let place = project();
    place.rename("app/.create-app/base", "base");
    symlink("../../base", place.path("app/.create-app/base")).unwrap();
    bounded(&place, "app", &["check"]).ended(2).warns("error[P009]").warns(".create-app/base`: it is a link");
    let place = project();
    place.rename("app/.create-app", "record");
    symlink("../record", place.path("app/.create-app")).unwrap();
    bounded(&place, "app", &["check"]).ended(2).warns("error[P009]").warns("`.create-app` is a link");
}

#[test]
fn the_projects_own_files_are_neither_waited_for_nor_followed() {
    let place = project();
    forge(&place, "app/a.txt", "outside");
    bounded(&place, "app", &["check"]).ended(0).has("edited    a.txt");
    let said = bounded(&place, "app", &["diff", "--local"]).ended(1);
    assert!(!said.out.contains("secret") && said.out.contains("new file mode 120000"), "{}", said.out);
    forge(&place, "app/a.txt", "pipe");
    bounded(&place, "app", &["check"]).ended(2).warns("error[P002]").warns("a.txt` is neither a file nor a link");
    // What may be the file that has gone is looked for below the project alone.
    place.remove("app/a.txt");
    for forgery in FORGERIES {
        forge(&place, &format!("app/{forgery}.txt"), forgery);
        forge(&place, "app/.gitignore", forgery);
        bounded(&place, "app", &["check"]).ended(0).has("missing   a.txt");
    }
    // Nor is anything read through a directory that is a link.
    place.write("template/src/b.txt", "b\n");
    bounded(&place, "app", &["upgrade", "--silent"]).ended(0);
    place.rename("app/src", "src");
    symlink("../src", place.path("app/src")).unwrap();
    bounded(&place, "app", &["check"]).ended(0).has("missing   src/b.txt");
}

#[test]
fn a_template_is_read_from_its_own_regular_files() {
    for forgery in FORGERIES {
        let place = project();
        forge(&place, "template/cargo-generate.toml", forgery);
        let new = ["new", "made", "--path", "template", "--vcs", "none"];
        let manifest = "cannot read `template/cargo-generate.toml`: it is a ";
        bounded(&place, "", &new).ended(2).warns("error[P009]").warns(manifest);
        bounded(&place, "", &["diff", "app"]).ended(2).warns("error[P009]");
    }
    let place = project();
    forge(&place, "template/pipe", "pipe");
    let new = ["new", "made", "--path", "template", "--vcs", "none"];
    bounded(&place, "", &new).ended(2).warns("`template/pipe` is neither a file nor a directory");
    place.remove("template/pipe");
    // The user's own way to the template may be a link; a folder in it may not.
    symlink("template", place.path("link")).unwrap();
    place.write("outer/t/cargo-generate.toml", "");
    place.write("outer/t/x", "x\n");
    symlink("../outer", place.path("template/folder")).unwrap();
    let inner = ["new", "made", "--path", "link", "--subfolder", "folder/t", "--vcs", "none"];
    bounded(&place, "", &inner).ended(2).warns("error[S001]").warns("is reached through a link");
    place.remove("template/folder");
    bounded(&place, "", &["new", "made", "--path", "link", "--vcs", "none"]).ended(0);
}

#[test]
fn an_adopted_project_tells_nothing_of_what_is_behind_a_link() {
    for forgery in FORGERIES {
        let place = Place::new();
        place.write("outside", "secret: 42\n");
        place.write(
            "template/cargo-generate.toml",
            "[placeholders]\nsecret = { prompt = \"?\", default = \"none\" }\n[create-app.infer]\n\
             secret = [{ file = \"in.yml\", pointer = \"/secret\" }, { file = \"in.yml\", regex = 'secret: (\\d+)' }]\n",
        );
        place.write("template/out.txt", "{{secret}}\n");
        place.write("template/common.txt", "c\n");
        for app in ["own", "forged"] {
            place.write(&format!("{app}/common.txt"), "c\n");
            place.write(&format!("{app}/in.yml"), "secret: 7\n");
        }
        forge(&place, "forged/in.yml", forgery);
        for (app, expected) in [("own", "7\n"), ("forged", "none\n")] {
            bounded(&place, "", &["upgrade", app, "--silent", "--path", "template"]).ended(0);
            assert_eq!(place.read(&format!("{app}/out.txt")), expected, "{forgery}");
        }
    }
}

#[test]
fn a_values_file_is_a_regular_file_or_a_pipe_of_the_users_shell() {
    let place = project();
    place.write("template/v.txt", "{{v}}\n");
    place.write("v.toml", "[values]\nv = \"given\"\n");
    let new = ["new", "made", "--path", "template", "--vcs", "none", "--values-file"];
    for (forgery, what) in [("device", "it is a device"), ("pipe", "it is a named pipe")] {
        forge(&place, "forged.toml", forgery);
        let said = bounded(&place, "", &[&new[..], &["forged.toml"]].concat()).ended(2);
        said.warns("error[A004]").warns(&format!("cannot read the values file `forged.toml`: {what}"));
    }
    symlink("v.toml", place.path("link.toml")).unwrap();
    bounded(&place, "", &[&new[..], &["link.toml"]].concat()).ended(0);
    assert_eq!(place.read("made/v.txt"), "given\n");
    let shell = |script: &str| {
        drop(fs::remove_dir_all(place.path("made")));
        let script = script.replace("NEW", &format!("{} {}", env!("CARGO_BIN_EXE_create-app"), new.join(" ")));
        Said::from(place.command("bash", "").args(["-c", &script]).output().unwrap())
    };
    for script in ["NEW <(cat v.toml)", "cat v.toml | NEW /dev/stdin", "NEW /dev/stdin < v.toml"] {
        shell(script).ended(0);
        assert_eq!(place.read("made/v.txt"), "given\n", "{script}");
    }
    shell("NEW <(cat /dev/zero)").ended(2).warns("error[A004]").warns("it is larger than 1 MiB");
}

#[test]
fn test_cases_are_read_and_written_through_no_link() {
    let place = Place::new();
    place.write("template/cargo-generate.toml", "[template]\nignore = [\"tests\"]\n");
    place.write("template/k", "k\n");
    place.write("elsewhere/x/case.toml", "");
    let refused = |link: &str| {
        for bless in [&["test", "template"][..], &["test", "template", "--bless"]] {
            let said = bounded(&place, "", bless);
            assert!(said.code != Some(0) && said.err.contains("error[P009]"), "{link}: {}{}", said.out, said.err);
            assert!(said.err.contains("is a link, and links are not followed here"), "{link}: {}", said.err);
        }
        assert_eq!(fs::read_dir(place.path("elsewhere/x")).unwrap().count(), 1, "{link}");
        assert!(!place.has("elsewhere/expected"), "{link}");
    };
    symlink("../elsewhere", place.path("template/tests")).unwrap();
    refused("tests");
    place.remove("template/tests");
    fs::create_dir(place.path("template/tests")).unwrap();
    symlink("../../elsewhere/x", place.path("template/tests/x")).unwrap();
    refused("tests/x");
    place.remove("template/tests/x");
    place.write("template/tests/x/case.toml", "");
    symlink("../../../elsewhere/x", place.path("template/tests/x/expected")).unwrap();
    refused("tests/x/expected");
    place.remove("template/tests/x/expected");
    bounded(&place, "", &["test", "template", "--bless"]).ended(0);
    // What the user names may be a link.
    symlink("template/tests", place.path("cases")).unwrap();
    bounded(&place, "", &["test", "template", "--cases", "cases"]).ended(0);
    for forgery in FORGERIES {
        forge(&place, "template/tests/x/case.toml", forgery);
        let said = bounded(&place, "", &["test", "template"]).ended(1).warns("error[P009]");
        assert!(!said.err.contains("secret"), "{}", said.err);
    }
}

#[test]
fn large_files_of_the_base_are_checked_and_not_held() {
    let place = project();
    let mut lock = place.read("app/.create-app/lock.toml");
    for number in 0..12_u8 {
        let bytes = [vec![0; 96 << 20], vec![number]].concat();
        let digest = Digest::of(&bytes);
        place.write(&format!("app/.create-app/base/{digest}"), Encoder::default().encode(&bytes));
        place.write(&format!("app/f{number}"), "small\n");
        lock.push_str(&format!("\"f{number}\" = \"100644 {digest}\"\n"));
    }
    place.write("app/.create-app/lock.toml", lock);
    let said = bounded(&place, "app", &["check"]).ended(0);
    assert_eq!((said.out.matches("edited ").count(), said.err.as_str()), (12, ""));
    // To show what differs, they would have to be held.
    bounded(&place, "app", &["diff", "--local"]).ended(2).warns("error[P010]: the base of `f1` has 96 MiB");
}

#[test]
fn what_is_too_large_is_refused_with_its_limit() {
    let sparse =
        |place: &Place, name: &str, bytes: u64| fs::File::create(place.path(name)).unwrap().set_len(bytes).unwrap();
    let place = project();
    sparse(&place, "app/a.txt", 10 << 30);
    for command in [&["check"][..], &["diff"], &["upgrade", "--silent"]] {
        let said = bounded(&place, "app", command).ended(2).warns("error[P010]").warns("larger than 160 MiB in total");
        said.warns("a.txt`: move it to a path that the template does not have");
    }
    place.write("app/a.txt", "a\n");
    sparse(&place, "app/.create-app/lock.toml", 1 << 30);
    bounded(&place, "app", &["check"]).ended(2).warns("error[P010]").warns("lock.toml`: it is larger than 32 MiB");
    let new = ["new", "made", "--path", "template", "--vcs", "none"];
    sparse(&place, "template/large.bin", 1 << 30);
    let said = bounded(&place, "", &new).ended(2).warns("error[T006]: the template has more than 128 MiB");
    said.warns("its largest file is `template/large.bin`");
    place.remove("template/large.bin");
    sparse(&place, "template/cargo-generate.toml", 2 << 20);
    let title = "error[T006]: the manifest `template/cargo-generate.toml` is larger than 1 MiB";
    bounded(&place, "", &new).ended(2).warns(title);
    place.write("template/cargo-generate.toml", "");
    sparse(&place, "v.toml", 2 << 20);
    let said = bounded(&place, "", &[&new[..], &["--values-file", "v.toml"]].concat()).ended(2);
    said.warns("error[A004]: cannot read the values file `v.toml`: it is larger than 1 MiB");
}

#[test]
fn a_file_that_is_the_apps_own_may_grow() {
    let place = Place::new();
    place.write("template/cargo-generate.toml", "[create-app]\nonce = [\"data.db\"]\n");
    place.write("template/data.db", "start\n");
    place.app("", &["new", "app", "--path", "template", "--vcs", "none"]).ended(0);
    fs::File::create(place.path("app/data.db")).unwrap().set_len(10 << 30).unwrap();
    bounded(&place, "app", &["check"]).ended(0).has("1 yours");
    place.write("template/new.txt", "n\n");
    bounded(&place, "app", &["upgrade", "--silent"]).ended(0).has("created   new.txt");
    bounded(&place, "app", &["check"]).ended(0).has("1 yours");
}

#[test]
fn a_lock_of_many_files_that_are_missing_is_judged_at_once() {
    let place = project();
    let mut lock = place.read("app/.create-app/lock.toml");
    lock.extend((0..100_000).map(|number| format!("\"f{number}\" = \"100644 {number:064x}\"\n")));
    place.write("app/.create-app/lock.toml", lock);
    let said = bounded(&place, "app", &["diff", "--local"]).ended(1);
    said.warns("error[L003]: the base of `f0` is missing").warns("more like this");
    let said = bounded(&place, "app", &["upgrade", "--silent"]).ended(0);
    assert_eq!(said.err, "");
}
