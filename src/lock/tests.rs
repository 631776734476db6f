//! The lock and the record as a whole; digest and base are tested beside their code.

use proptest::prelude::*;

use super::record::record_within;
use super::*;
use crate::diagnostic::{Code, Diagnostic};
use crate::manifest::Ownership;
use crate::spanned::Spanned;
use crate::tree::{Entry, Mode, Tree};

const FILE: &str = ".create-app/lock.toml";

fn path(text: &str) -> RelPath {
    RelPath::new(text).unwrap()
}

fn pristine(mode: Mode, bytes: &str) -> Pristine {
    Pristine {
        mode,
        digest: Some(Digest::of(bytes.as_bytes())),
        masked: None,
        formatted: None,
        once: false,
        large: false,
    }
}

fn sample() -> Lock {
    Lock {
        template: LockedTemplate {
            source: "embedded".into(),
            version: Some("3.0.0".into()),
            revision: "8f14e45f".into(),
            ..LockedTemplate::default()
        },
        app_dir: Some(path("apps/shop")),
        date: Date::from_unix(1_772_280_000),
        answers: BTreeMap::from([
            ("project-name".to_owned(), Answer::Text("shop".into())),
            ("docs".to_owned(), Answer::Bool(true)),
            ("extras".to_owned(), Answer::Array(vec!["ci".into(), "d\"1".into()])),
            ("motto".to_owned(), Answer::Text("two\nlines \\ \u{1b}[2J".into())),
            ("odd key".to_owned(), Answer::Text(String::new())),
        ]),
        files: Scoped {
            app: BTreeMap::from([
                (path("src/api.ts"), Pristine { once: true, ..pristine(Mode::File, "api") }),
                (path("scripts/roll back.sh"), pristine(Mode::Executable, "#!")),
                (path("latest"), pristine(Mode::Symlink, "src")),
                (
                    path(".env"),
                    Pristine {
                        mode: Mode::File,
                        digest: None,
                        masked: Some(Digest::of(b"T=")),
                        formatted: None,
                        once: false,
                        large: false,
                    },
                ),
            ]),
            repository: BTreeMap::from([(path(".github/workflows/ci.yml"), pristine(Mode::File, "on: push"))]),
        },
        moved: BTreeMap::from([(path("latest"), path("docs/latest"))]),
        conflicts: Conflicts {
            app: BTreeMap::from([
                (path("notes.md"), Conflicted::File),
                (path("logo.png.theirs"), Conflicted::Beside(pristine(Mode::File, "png"))),
            ]),
            repository: BTreeMap::new(),
        },
    }
}

#[test]
fn a_lock_has_one_line_for_each_thing() {
    let expected = r#"
format = 1
app_dir = "apps/shop"
date = 2026-02-28T12:00:00Z

[template]
source = "embedded"
version = "3.0.0"
revision = "8f14e45f"

[answers]
docs = true

extras = ["ci", "d\"1"]

motto = "two\nlines \\ \u001B[2J"

"odd key" = ""

project-name = "shop"

[files]
".env" = "100644 secret <T=>"

"latest" = "120000 <src>"

"scripts/roll back.sh" = "100755 <#!>"

"src/api.ts" = "100644 <api> once"

[repository-files]
".github/workflows/ci.yml" = "100644 <on: push>"

[moved]
"latest" = "docs/latest"

[conflicts]
"logo.png.theirs" = "100644 8f8cbb7dcf46e0bc7d53265749a6c17d116093a6ba95e442764060c76fd4a86c"

"notes.md" = "in the file"
"#;
    let digested = ["src", "#!", "api", "on: push", "T="];
    let expected = digested.iter().fold(expected.to_owned(), |text, bytes| {
        text.replace(&format!("<{bytes}>"), &Digest::of(bytes.as_bytes()).to_string())
    });
    let rendered = sample().render();
    let (comment, rest) = rendered.split_at(rendered.find("\nformat").unwrap());
    assert_eq!(rest, expected);
    assert!(comment.lines().count() == 2 && comment.lines().all(|line| line.starts_with("# ")), "{comment}");
}

#[test]
fn a_lock_is_read_as_it_was_written() {
    let lock = sample();
    assert_eq!(Lock::parse(&lock.render(), FILE), Ok(lock.clone()));
    let windows = lock.render().replace('\n', "\r\n");
    assert_eq!(Lock::parse(&windows, FILE), Ok(lock));
}

#[test]
fn what_the_project_was_given_instead_of_the_render_is_read_as_it_was_written() {
    let mut lock = sample();
    let path = lock.files.app.keys().next().unwrap().clone();
    *lock.files.app.get_mut(&path).unwrap() =
        Pristine { formatted: Some(Digest::of(b"formatted")), ..pristine(Mode::File, "raw") };
    let text = lock.render();
    assert!(text.contains("\nformat = 3\n"), "{text}");
    assert_eq!(Lock::parse(&text, FILE), Ok(lock.clone()));
    let damaged = text.replace(&format!("formatted {}", Digest::of(b"formatted")), "formatted 0");
    assert!(Lock::parse(&damaged, FILE).is_err());
    // The base keeps the render alone.
    assert!(!lock.base().contains(&Digest::of(b"formatted")));
}

#[test]
fn the_base_holds_neither_secrets_nor_what_is_the_apps_own() {
    // Of a file with a secret, what it is without.
    let digests = [Digest::of(b"#!"), Digest::of(b"src"), Digest::of(b"on: push"), Digest::of(b"T=")];
    assert_eq!(sample().base(), BTreeSet::from(digests));
}

/// `code line:column title | label`, one problem a line.
fn problems(text: &str) -> Vec<String> {
    let describe = |problem: &Diagnostic| {
        let place = problem.place.as_ref().unwrap();
        assert_eq!(place.file, FILE);
        assert!(problem.help.is_some(), "{problem:?}");
        let (line, column) = place.line_column();
        format!("{} {line}:{column} {} | {}", problem.code, problem.title, problem.label)
    };
    Lock::parse(text, FILE).unwrap_err().0.iter().map(describe).collect()
}

#[test]
fn what_was_tampered_with_is_refused_with_its_place() {
    const TEMPLATE: &str = "[template]\nsource = \"s\"\nrevision = \"r\"\n";
    let empty = Digest::of(b"").to_string();
    let cases: &[(&str, String, &[&str])] = &[
        ("no format", TEMPLATE.into(), &["L001 1:1 the lock has no format | `format = 1` is missing"]),
        ("format 0", format!("format = 0\n{TEMPLATE}"), &["L001 1:10 unknown format | should be 1 to 3"]),
        (
            "a newer format hides everything else",
            "format = 4\nnew = 1".into(),
            &["L002 1:10 the lock was written by a newer create-app | this version reads format 3, not 4"],
        ),
        (
            "format of another type",
            format!("format = \"1\"\n{TEMPLATE}"),
            &["L001 1:10 `format` should be an integer | this is of type string"],
        ),
        (
            "no template",
            "format = 1".into(),
            &["L001 1:1 the lock does not say what its template is | `[template]` is missing"],
        ),
        (
            "incomplete template",
            "format = 1\n[template]\nsource = 's'\nversio = '1'\n".into(),
            &[
                "L001 4:1 unknown key `versio` in `[template]` | not a key of this table",
                "L001 2:1 `[template]` has no `revision` | incomplete",
            ],
        ),
        (
            "unknown key",
            format!("format = 1\nfile = 1\n{TEMPLATE}"),
            &["L001 2:1 unknown key `file` in the lock | not a key of this table"],
        ),
        (
            "wrong types",
            format!("format = 1\napp_dir = 1\nanswers = []\nfiles = ''\n{TEMPLATE}"),
            &[
                "L001 2:11 `app_dir` should be a string | this is of type integer",
                "L001 3:11 `answers` should be a table | this is of type array",
                "L001 4:9 `files` should be a table | this is of type string",
            ],
        ),
        (
            "dates",
            format!("format = 1\ndate = 2026-02-28\n{TEMPLATE}"),
            &["L001 2:8 `date` should be a date with a time in UTC | such as 2026-02-28T12:00:00Z"],
        ),
        (
            "answers",
            format!("format = 1\n{TEMPLATE}[answers]\na = 1\nb = ['x', 2]\n"),
            &[
                "L001 6:5 `a` should be a string, true or false, or an array of strings | this is of type integer",
                "L001 7:11 `b` should be a string | this is of type integer",
            ],
        ),
        (
            "digests and modes",
            format!(
                "format = 1\n{TEMPLATE}[files]\na = '100644 {}'\nb = '100666 {empty}'\nc = '100644'\nd = '100644 {empty} twice'\n",
                &empty[1..]
            ),
            &[
                "L001 6:5 the record of `a` is damaged | this is not a SHA-256 digest of 64 lower-case hexadecimal digits",
                "L001 7:5 the record of `b` is damaged | the mode should be 100644, 100755 or 120000",
                "L001 8:5 the record of `c` is damaged | should be a mode, a digest, and perhaps `once` or `large`",
                "L001 9:5 the record of `d` is damaged | should be a mode, a digest, and perhaps `once` or `large`",
            ],
        ),
        (
            "unsafe paths",
            format!(
                "format = 1\napp_dir = '/etc'\n{TEMPLATE}[repository-files]\n'.git/hooks/x' = '100644 {empty}'\n[moved]\na = '../b'\n"
            ),
            &[
                "L001 2:11 the path `/etc` is absolute | not a path of this project",
                "L001 7:1 the path `.git/hooks/x` leads into `.git`, which a template may not write | not a path of this project",
                "L001 9:5 the path `../b` has the component `..`, which could leave the project | not a path of this project",
            ],
        ),
        (
            "terminal escapes",
            format!("format = 1\n\"\\u001b[2J\" = 1\n{TEMPLATE}"),
            &["L001 2:1 unknown key `\\u{1b}[2J` in the lock | not a key of this table"],
        ),
        (
            "twice the same path",
            format!("format = 1\n{TEMPLATE}[files]\na = '100644 {empty}'\na = '100644 {empty}'\n"),
            &["L001 7:1 the lock is not valid TOML | duplicate key"],
        ),
        (
            "a conflict",
            format!("format = 1\n{TEMPLATE}[files]\n<<<<<<< HEAD\na = 'x'\n=======\na = 'y'\n>>>>>>> other\n"),
            &["L001 6:1 the lock has a merge conflict | left by git"],
        ),
    ];
    for (name, text, expected) in cases {
        assert_eq!(problems(text), *expected, "{name}");
    }
}

#[test]
fn a_conflict_says_how_to_end_it() {
    let help = Lock::parse("<<<<<<< ours\nformat = 1\n", FILE).unwrap_err().0[0].help.clone().unwrap();
    assert!(help.contains("create-app upgrade"), "{help}");
    assert_eq!(Lock::parse("format = 7", FILE).unwrap_err().0[0].code, Code::LockNewer);
}

#[test]
fn a_damaged_lock_never_panics() {
    let text = sample().render();
    for (at, _) in text.char_indices() {
        drop(Lock::parse(&text[..at], FILE));
        drop(Lock::parse(&text[at..], FILE));
    }
}

fn rendered<'a>(
    app: &'a Tree,
    repository: &'a Tree,
    ownership: &'a Ownership,
    answers: &'a BTreeMap<String, Answer>,
) -> Rendered<'a> {
    static NONE: crate::render::Secret = crate::render::Secret::new();
    let (template, app_dir) = (sample().template, Some(path("a")));
    Rendered { template, app_dir, date: None, answers, ownership, secret: &NONE, trees: Scoped { app, repository } }
}

fn spanned(value: &str) -> Vec<Spanned> {
    vec![Spanned { value: value.into(), span: 0..0 }]
}

#[test]
fn a_record_keeps_what_an_upgrade_needs_and_nothing_secret() {
    let token = "s3cr3t.*";
    let ownership = Ownership { once: spanned("src/**"), secret: spanned("api-token"), ..Ownership::default() };
    let answers = BTreeMap::from([
        ("api-token".to_owned(), Answer::Text(token.into())),
        ("project-name".to_owned(), Answer::Text("shop".into())),
    ]);
    let app = Tree::from([
        // The size of a file says something of the secret, too.
        (path(".env"), Entry::file(format!("TOKEN={token}\n").repeat(9).into_bytes())),
        (path("size"), Entry::file(b"7".as_slice())),
        (path("like"), Entry::file(b"s3cr3t.* in the template itself".as_slice())),
        (path("src/api.ts"), Entry::file(b"api".as_slice())),
        (path("run.sh"), Entry::File { bytes: b"#!".as_slice().into(), executable: true }),
        (path("copy.sh"), Entry::file(b"#!".as_slice())),
        (path("link"), Entry::Symlink { target: "run.sh".into() }),
    ]);
    let repository = Tree::from([(path(".github/x.yml"), Entry::file(b"on: push".as_slice()))]);

    // The one has no more of its secret than that, the other tells its length.
    let masked = bytes::Bytes::from_static(b"TOKEN=?");
    let secret = [(path(".env"), Some(masked.clone())), (path("size"), None)].into();
    let rendered = Rendered { secret: &secret, ..rendered(&app, &repository, &ownership, &answers) };
    let record = record_within(40, &rendered, &BTreeSet::new());

    let lines: Vec<String> = record.lock.files.app.iter().map(|(path, line)| format!("{path} {line}")).collect();
    let digest = |text: &str| Digest::of(text.as_bytes());
    assert_eq!(
        lines,
        [
            format!(".env 100644 secret {}", Digest::of(&masked)),
            format!("copy.sh 100644 {}", digest("#!")),
            format!("like 100644 {}", digest("s3cr3t.* in the template itself")),
            format!("link 120000 {}", digest("run.sh")),
            format!("run.sh 100755 {}", digest("#!")),
            "size 100644 secret".to_owned(),
            format!("src/api.ts 100644 {} once", digest("api")),
        ]
    );
    assert_eq!(record.base.keys().copied().collect::<BTreeSet<_>>(), record.lock.base());
    for (digest, bytes) in &record.base {
        assert!(crate::deflated::decode(*digest, bytes).is_ok());
    }
    assert_eq!(record.lock.answers.keys().collect::<Vec<_>>(), ["project-name"]);
    let files = record.files();
    assert_eq!(files.len(), 3 + 5);
    assert!(files.contains_key(&format!("base/{}", digest("on: push"))));
    assert_eq!(Lock::parse(std::str::from_utf8(&files["lock.toml"]).unwrap(), FILE), Ok(record.lock));
}

#[test]
fn a_file_that_could_not_be_read_back_is_only_named() {
    let (ownership, answers) = (Ownership::default(), BTreeMap::new());
    let app = Tree::from([(path("a"), Entry::file(b"1234".as_slice())), (path("b"), Entry::file(b"12345".as_slice()))]);
    let record = record_within(4, &rendered(&app, &Tree::new(), &ownership, &answers), &BTreeSet::new());
    assert_eq!(record.base.keys().collect::<Vec<_>>(), [&Digest::of(b"1234")]);
    assert_eq!(record.lock.base(), BTreeSet::from([Digest::of(b"1234")]));
    assert_eq!(record.lock.files.app[&path("b")].to_string(), format!("100644 {} large", Digest::of(b"12345")));
}

#[test]
fn what_the_base_already_holds_is_not_encoded_again() {
    let (ownership, answers) = (Ownership::default(), BTreeMap::new());
    let app = Tree::from([(path("a"), Entry::file(b"a".as_slice())), (path("b"), Entry::file(b"b".as_slice()))]);
    let record = record(&rendered(&app, &Tree::new(), &ownership, &answers), &BTreeSet::from([Digest::of(b"a")]));
    assert_eq!(record.base.keys().collect::<Vec<_>>(), [&Digest::of(b"b")]);
    assert_eq!(record.lock.base().len(), 2);
}

#[test]
fn many_files_give_the_same_record_as_few() {
    let (ownership, answers) = (Ownership::default(), BTreeMap::new());
    let file = |n: usize| (path(&format!("{n}")), Entry::file(format!("{n} ").repeat(2000).into_bytes()));
    let all: Tree = (0..200).map(file).collect();
    assert!(all.values().map(|entry| entry.bytes().len()).sum::<usize>() > 512 << 10, "large enough for threads");
    let whole = record(&rendered(&all, &Tree::new(), &ownership, &answers), &BTreeSet::new());
    for n in 0..200 {
        let one: Tree = [file(n)].into();
        let part = record(&rendered(&one, &Tree::new(), &ownership, &answers), &BTreeSet::new());
        assert!(part.lock.files.app.iter().all(|(path, line)| whole.lock.files.app[path] == *line));
        assert!(part.base.iter().all(|(digest, bytes)| whole.base[digest] == *bytes));
    }
}

fn any_path() -> impl Strategy<Value = RelPath> {
    let component = r#"[a-zA-Z0-9 "'#=\[\]{}.~$äß漢🦀\u{2028}\u{feff}-]{1,6}"#;
    proptest::collection::vec(component, 1..4)
        .prop_filter_map("a safe path", |parts| RelPath::new(parts.join("/")).ok())
}

fn any_pristine() -> impl Strategy<Value = Pristine> {
    let mode = prop_oneof![Just(Mode::File), Just(Mode::Executable), Just(Mode::Symlink)];
    let digest = proptest::option::of(any::<u64>().prop_map(|seed| Digest::of(&seed.to_le_bytes())));
    (mode, digest.clone(), digest, any::<bool>(), any::<bool>()).prop_map(|(mode, digest, masked, once, large)| {
        Pristine {
            mode,
            digest,
            masked: masked.filter(|_| digest.is_none() && !once && !large),
            formatted: masked.filter(|_| digest.is_some() && !once && !large),
            once,
            large: large && !once,
        }
    })
}

fn any_answer() -> impl Strategy<Value = Answer> {
    let text = || prop_oneof![any::<String>(), "[\\x00-\\x1f\\x7f\"'\\\\a\r\n]{0,12}"];
    prop_oneof![
        text().prop_map(Answer::Text),
        any::<bool>().prop_map(Answer::Bool),
        proptest::collection::vec(text(), 0..3).prop_map(Answer::Array),
    ]
}

fn any_lock() -> impl Strategy<Value = Lock> {
    let key = prop_oneof![Just("branch"), Just("tag"), Just("rev"), Just("")];
    let filled = || any::<String>().prop_filter("not empty", |text| !text.trim().is_empty());
    let single = (key, filled()).prop_map(|(key, name)| Reference::of(key, name));
    let requirement = prop_oneof![Just("latest"), Just("^1"), Just(">=1.2, <3")];
    let releases = (requirement, filled())
        .prop_map(|(requirement, tag)| Reference::Releases { requirement: requirement.to_owned(), tag });
    let reference = prop_oneof![single, releases];
    let optional = || proptest::option::of(any::<String>());
    let template = (any::<String>(), reference, optional(), any::<bool>(), optional(), filled(), optional());
    let template =
        template.prop_map(|(source, reference, subfolder, skips, version, revision, digest)| LockedTemplate {
            // A lock holds no credentials, so what looks like them does not survive.
            source: crate::source::recorded(source),
            reference,
            subfolder,
            skips_submodules: skips,
            version,
            revision,
            digest,
        });
    let files = || proptest::collection::btree_map(any_path(), any_pristine(), 0..6);
    let answers = proptest::collection::btree_map(any::<String>(), any_answer(), 0..5);
    let moved = proptest::collection::btree_map(any_path(), any_path(), 0..3);
    let head = (template, proptest::option::of(any_path()), proptest::option::of(0..253_402_300_800_i64));
    let left = || prop_oneof![Just(Conflicted::File), any_pristine().prop_map(Conflicted::Beside)];
    let left = || proptest::collection::btree_map(any_path(), left(), 0..3);
    let conflicts = (left(), left()).prop_map(|(app, repository)| Conflicts { app, repository });
    (head, answers, files(), files(), moved, conflicts).prop_map(
        |((template, app_dir, seconds), answers, files, repository_files, moved, conflicts)| Lock {
            template,
            app_dir,
            date: seconds.and_then(Date::from_unix),
            answers,
            files: Scoped { app: files, repository: repository_files },
            moved,
            conflicts,
        },
    )
}

proptest! {
    #[test]
    fn every_lock_survives_and_stays_one_line_a_file(lock in any_lock()) {
        let text = lock.render();
        prop_assert_eq!(Lock::parse(&text, FILE), Ok(lock.clone()));
        let lines = lock.files.app.len() + lock.files.repository.len() + lock.moved.len() + lock.answers.len()
            + lock.conflicts.app.len() + lock.conflicts.repository.len();
        prop_assert!(text.lines().filter(|line| line.contains(" = ")).count() >= lines);
        prop_assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
        let used = [!lock.answers.is_empty(), !lock.files.app.is_empty(), !lock.files.repository.is_empty(), !lock.moved.is_empty(),
            !lock.conflicts.app.is_empty(), !lock.conflicts.repository.is_empty()];
        let sections = 1 + used.iter().filter(|used| **used).count();
        let head = 3 + usize::from(lock.app_dir.is_some()) + usize::from(lock.date.is_some()) + 2
            + usize::from(lock.template.subfolder.is_some()) + usize::from(lock.template.skips_submodules) + usize::from(lock.template.version.is_some())
            + usize::from(lock.template.reference.pair().is_some())
            + usize::from(lock.template.reference.requirement().is_some()) + usize::from(lock.template.digest.is_some());
        // An empty line is above each section, and above each line of it but the first.
        let spaces = lines - (sections - 1);
        prop_assert_eq!(text.lines().count(), head + lines + spaces + 2 * sections);
    }
}

#[test]
fn a_forged_lock_is_refused_before_it_fills_the_memory() {
    let lock = |text: &str| Lock::parse(text, FILE).unwrap_err().0;
    let problems = lock(&format!("format = 1\n[answers]\na = [{}]", "1,".repeat(1 << 20)));
    assert_eq!(problems[0].title, "the lock is too complex");
    let problems = lock(&format!("format = 1\n{}", (0..5000).map(|n| format!("x{n} = 1\n")).collect::<String>()));
    assert_eq!((problems.len(), problems[64].title.as_str()), (65, "the lock has 4937 more problems"));
}
