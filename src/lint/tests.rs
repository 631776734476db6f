use super::*;
use crate::answers::{Ask, resolve};
use crate::manifest;

/// The codes of what looks wrong in a template, each with the first word in quotes of its title.
fn codes(manifest: &str, files: &[(&str, &str)], rendered: &[(&str, &str)]) -> Vec<String> {
    let (manifest, _) = manifest::read("cargo-generate.toml", manifest).unwrap();
    let tree = |files: &[(&str, &str)]| -> Tree {
        files.iter().map(|(path, text)| (RelPath::new(*path).unwrap(), Entry::file(text.as_bytes().to_vec()))).collect()
    };
    let resolved = resolve(&manifest, BTreeMap::new(), &BTreeMap::new(), &mut Ask::Nobody).unwrap();
    let files = tree(files);
    let linted = Linted {
        manifest: &manifest,
        files: &files,
        names: &Names::default(),
        selection: &resolved.selection,
        variables: &resolved.variables,
        trees: &Trees { app: tree(rendered), repository: Tree::new() },
        ownership: &manifest.ownership,
        secret: &Secret::new(),
        scripts: hooks::words(&manifest, &files),
    };
    let found = findings(&linted).unwrap();
    found.iter().map(|it| format!("{} {}", it.code, it.title.split('`').nth(1).unwrap_or_default())).collect()
}

/// The same, for a template whose files render to themselves.
fn as_it_is(manifest: &str, files: &[(&str, &str)]) -> Vec<String> {
    codes(manifest, files, files)
}

#[test]
fn rules_are_about_files() {
    let files = [("src/a.txt", ""), ("b.txt", "")];
    for (rule, expected) in [
        ("once = ['src/**', 'scr/**']", "M005 scr/**"),
        ("blocks = ['c.*']", "M005 c.*"),
        ("repository = ['.githb']", "M005 .githb"),
        ("[create-app.merge.'c.json']\nlist = { order = 'set' }\nother = { order = 'set' }", "M005 c.json"),
        ("[[create-app.renamed]]\nfrom = 'old'\nto = 'new'", "M005 old"),
        ("[[create-app.renamed]]\nfrom = 'b.txt'\nto = 'src/a.txt'", "M005 b.txt"),
        (
            "[[create-app.renamed]]\nfrom = 'old'\nto = 'b.txt'\n[[create-app.renamed]]\nfrom = 'old'\nto = 'src/a.txt'",
            "M005 old",
        ),
    ] {
        assert_eq!(as_it_is(&format!("[create-app]\n{rule}\n"), &files), [expected], "{rule}");
    }
    for (rule, expected) in [
        ("exclude = ['c.png']", "M005 c.png"),
        ("include = ['*.txt', '*.png', 'c']", "M005 c"),
        ("exclude = ['*.png']", ""),
    ] {
        let found = as_it_is(&format!("[template]\n{rule}\n"), &files);
        assert_eq!(found.concat(), expected, "{rule}");
    }
}

#[test]
fn what_other_answers_bring_is_not_missing() {
    let manifest =
        "[placeholders]\nkind = { prompt = '?', default = 'a' }\n[conditional.'kind == \"a\"']\nignore = ['lib']\n";
    let rules = "[create-app]\nonce = ['lib/**', '!lib/x']\n[[create-app.renamed]]\nfrom = 'old'\nto = 'lib/b'\n";
    let files = [("lib/b", ""), ("c", "")];
    assert_eq!(codes(&format!("{manifest}{rules}"), &files, &[("c", "")]), [""; 0]);
    // Of a path with variables nobody knows what it would be.
    let files = [("lib/{{kind}}", ""), ("c", "")];
    let rules = "[create-app]\nonce = ['lib/b']\n[[create-app.renamed]]\nfrom = 'old'\nto = 'lib/b'\n";
    assert_eq!(codes(&format!("{manifest}{rules}"), &files, &[("c", "")]), [""; 0]);
    assert_eq!(codes(rules, &files, &[("lib/a", ""), ("c", "")]), ["M005 lib/b", "M005 old"]);
    // Moved on since; a directory.
    let rules = "[[create-app.renamed]]\nfrom = 'a'\nto = 'b'\n[[create-app.renamed]]\nfrom = 'b'\nto = 'lib'\n";
    assert_eq!(as_it_is(rules, &[("lib/x", "")]), [""; 0]);
}

#[test]
fn names_in_conditions_and_tags_are_known() {
    let manifest = "[placeholders]\nkind = { prompt = '?', default = 'a' }\n[conditional.'kind == \"a\" && !is_init']\n\
                    [conditional.'[1].some(|it| kind == it)']\n";
    let text = "{% if kind == 'knid' %}{% assign x = kind | append: 'a' %}{{ x }}{% for i in (1..3) %}{{ forloop.index }}{{ i }}\
                {% endfor %}{% endif %}{% raw %}{{ other }}{% endraw %}{% comment %}{{ other }}{% endcomment %}${{ github.sha }}\
                {% increment n %}{{ n }}{{ 'a' | replace: 'b', kind }}{% capture y %}{% endcapture %}{{ y.size }}{% cycle 'a', 'b' %}";
    assert_eq!(as_it_is(manifest, &[("a", text)]), [""; 0]);
    assert_eq!(as_it_is("[conditional.'kond == 1']\n", &[]), ["M004 kond"]);
    for tag in
        ["{% if knid %}{% endif %}", "{% unless kind == knid %}{% endunless %}", "{{ kind | append: knid }}{{ knid }}"]
    {
        assert_eq!(as_it_is(manifest, &[("a", tag)]), ["T003 knid"], "{tag}");
    }
    assert_eq!(as_it_is("[template]\nexclude = ['a']\n", &[("a", "{{ knid }}")]), [""; 0]);
}

#[test]
fn a_plain_default_is_not_liquid() {
    for default in [
        "default = '{{ x }}'",
        "default = '{{ x }}', choices = ['{{ x }}']",
        "default = ['{{ x }}'], choices = ['{{ x }}'], type = 'array'",
        "default = '{{ x }}', choices = [{ value = '{{ x }}', label = 'x' }]",
    ] {
        let manifest = format!("[placeholders]\na = {{ prompt = '?', {default} }}\n");
        assert_eq!(as_it_is(&manifest, &[]), ["M004 a"], "{default}");
    }
    let computed = "[placeholders]\na = { prompt = '?', default = '{{ x }}' }\n[create-app.placeholders.a]\ndefault = '{% raw %}{{ x }}{% endraw %}'\n";
    assert_eq!(as_it_is(computed, &[]), [""; 0]);
}

#[test]
fn documents_are_what_their_names_say() {
    for (path, text) in [
        ("a.json", "{\"a\": x}"),
        ("package.json", "{\"a\": 1,}"),
        ("a.toml", "a = x"),
        ("a.yml", "a: [1\nb: 1\n"),
        ("a.yaml", "a: 1\na: 2\n"),
    ] {
        assert_eq!(as_it_is("", &[(path, text)]), [format!("T008 {path}")], "{text}");
        assert_eq!(as_it_is(&format!("[template]\nexclude = ['{path}']"), &[(path, text)]), [""; 0], "{text}");
    }
    for (path, text) in [
        ("a.json", "// JSON with comments\n{\"a\": [1,],}\n"),
        ("a.json", "\u{feff}{}"),
        ("a.json5", "{a: .5}"),
        ("a.yml", "a: ${{ github.sha }}\n---\nb: !Ref x\n"),
        ("a.yml", "a: &x [1]\nb: *x\n"),
        // A chart of Helm's, whose tags are left.
        ("a.yml", "{{ .Values.x }}\na: b: c\n"),
        ("a.txt", "{"),
        (".npmrc", "a=b"),
    ] {
        assert_eq!(codes("", &[], &[(path, text)]), [""; 0], "{text}");
    }
}

#[test]
fn blocks_are_closed() {
    let manifest = "[create-app]\nblocks = ['*.md']\n";
    let (begin, end) = ("<!-- create-app:begin a -->\n", "<!-- create-app:end a -->\n");
    assert_eq!(as_it_is(manifest, &[("a.md", &format!("{begin}{end}"))]), [""; 0]);
    assert_eq!(as_it_is(manifest, &[("a.md", begin)]), ["T008 a.md"]);
    assert_eq!(as_it_is(manifest, &[("a.md", end)]), ["T008 a.md"]);
    assert_eq!(as_it_is(manifest, &[("a.md", "text\n")]), ["M005 a.md"]);
    let under_a_condition = format!("{{% if is_init %}}{begin}{end}{{% endif %}}");
    assert_eq!(codes(manifest, &[("a.md", &under_a_condition)], &[("a.md", "")]), [""; 0]);
    let twice = "[create-app]\nonce = ['*']\nblocks = ['*.md']\n";
    assert_eq!(as_it_is(twice, &[("a.md", &format!("{begin}{end}"))]), ["M005 a.md"]);
}

#[test]
fn scripts_may_set_variables_and_make_files() {
    let manifest =
        "[conditional.'set']\nignore = ['x']\n[create-app]\nonce = ['made.txt']\n[hooks]\ninit = ['init.rhai']\n";
    let files = [("init.rhai", "variable::set(\"set\", true); // {{ no }}\n"), ("a.txt", "{% if set %}{% endif %}\n")];
    assert!(as_it_is(manifest, &files).is_empty());
    let files = [("init.rhai", ""), ("a.txt", "{% if set %}{% endif %}\n")];
    assert_eq!(as_it_is(manifest, &files), ["M004 set", "T003 set"]);
}
