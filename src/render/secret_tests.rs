//! The record and messages of a render are the same for every value of a secret, whatever the template does with it.

use std::collections::{BTreeMap, BTreeSet};

use crate::date::Date;
use crate::diagnostic::Diagnostics;
use crate::liquid::language;
use crate::lock::{self, LockedTemplate};
use crate::manifest::{Ownership, Selection};
use crate::placeholders::Answer;
use crate::render::{Request, render};
use crate::scope::Scoped;
use crate::spanned::Spanned;
use crate::template::Names;
use crate::tree::{Entry, RelPath, Tree};

const SECRET: &str = "Hunter2&Secret <x>";

fn text(value: &str) -> Answer {
    Answer::Text(value.to_owned())
}

/// The lock and the base of a template's files, and all warnings; or all errors.
fn recorded(files: &[(&str, &str)], token: Answer) -> Result<String, Diagnostics> {
    let ownership =
        Ownership { secret: vec![Spanned { value: "token".to_owned(), span: 0..0 }], ..Ownership::default() };
    let list = Answer::Array(vec!["one".to_owned()]);
    let variables = [("token", token), ("name", text("shop")), ("list", list)];
    let variables: BTreeMap<String, Answer> = variables.map(|(name, answer)| (name.to_owned(), answer)).into();
    let (selection, names) = (Selection::default(), Names::default());
    let request = Request {
        selection: &selection,
        ownership: &ownership,
        declared: Vec::new(),
        variables: &variables,
        secrets: ownership.secret_names(),
        names: &names,
        strict: false,
        lenient: false,
        date: Date::from_unix(0).unwrap(),
        total: None,
        scripts: None,
    };
    let tree: Tree = files
        .iter()
        .map(|&(path, text)| {
            let entry = match text.strip_prefix("-> ") {
                Some(target) => Entry::Symlink { target: target.to_owned() },
                None => Entry::file(text.as_bytes().to_vec()),
            };
            (RelPath::new(path).unwrap(), entry)
        })
        .collect();
    let rendered = render(tree, &request)?;
    let record = lock::record(
        &lock::Rendered {
            template: LockedTemplate::default(),
            app_dir: None,
            answers: &variables,
            date: rendered.date,
            ownership: &ownership,
            secret: &rendered.secret,
            trees: Scoped { app: &rendered.tree, repository: &Tree::new() },
        },
        &BTreeSet::new(),
    );
    Ok(format!("{}{:?}{:?}", record.lock.render(), record.base, rendered.warnings))
}

/// Whether a part of [`SECRET`] is there, as it is or reversed.
fn shows(said: &str) -> bool {
    let said = said.to_lowercase();
    ["hunt", "2retnu"].iter().any(|part| said.contains(part))
}

/// Checks that a file with this text tells nothing of its secret.
fn check(template: &str, values: &[Answer]) {
    let outcome = |value: &Answer| recorded(&[("a", template), ("b", "{{ name }}")], value.clone());
    let first = outcome(&values[0]);
    for value in values {
        let other = outcome(value);
        // That it fails for one value only cannot be hidden.
        if let (Ok(first), Ok(other)) = (&first, &other) {
            assert_eq!(first, other, "{template} with {value:?}");
        }
        assert!(!shows(&format!("{other:?}")), "{template}: {other:?}");
    }
}

/// Every filter of the dialect, with the secret as its input and as its argument.
#[test]
fn no_filter_brings_a_secret_to_light() {
    let values = [SECRET, "", "42", "now"].map(text);
    let filters: Vec<String> = language::shared().filters.plugin_names().map(str::to_owned).collect();
    assert!(filters.len() > 50, "{filters:?}");
    let arguments = ["", ": 1", ": 'a'", ": 1, 2", ": 'e', 'x'", ": token", ": 'e', token", ": token, token"];
    for filter in &filters {
        for argument in arguments {
            check(&format!("{{{{ token | {filter}{argument} }}}}"), &values);
            check(&format!("{{% assign a = token | split: 'n' | {filter}{argument} %}}{{{{ a }}}}"), &values);
            check(&format!("{{% if name == token %}}{{{{ 'x' | {filter}{argument} }}}}{{% endif %}}"), &values);
        }
        for input in ["'2020-01-02 03:04:05'", "name", "list", "7"] {
            for argument in ["token", "'e', token", "token, 'e'", "token, token"] {
                check(&format!("{{{{ {input} | {filter}: {argument} }}}}"), &values);
            }
        }
    }
}

#[test]
fn no_tag_brings_a_secret_to_light() {
    let values = [SECRET, "", "3", "my-app", "one"].map(text);
    for template in [
        "{% if token == 'my-app' %}yes{% endif %}",
        "{% unless token contains 'H' %}yes{% endunless %}",
        "{% if name == 'x' or token %}yes{% endif %}",
        "{% case token %}{% when '3' %}a{% else %}b{% endcase %}",
        "{% case 'one' %}{% when token %}a{% else %}b{% endcase %}",
        "{% assign copy = token %}{% assign copy = copy | upcase %}{{ copy | slice: 0 }}",
        "{% capture copy %}{{ token }}{% endcapture %}{{ copy | size }}",
        "{% assign parts = token | split: '' %}{% for part in parts reversed %}{{ part }}-{% endfor %}",
        "{% for n in (1..token) %}{{ n }}{% endfor %}",
        "{% for n in list limit: token %}{{ n }}{% endfor %}",
        "{% for n in token %}{{ n }}{% else %}none{% endfor %}",
        "{% tablerow n in (1..3) cols: token %}{{ n }}{% endtablerow %}",
        "{% cycle token, 'b' %}",
        "{% ifchanged %}{{ token }}{% endifchanged %}",
        "{% increment token %}{% decrement token %}",
        "{{ list[token] }}",
        "{{ name[token] }}",
        "{{ token.size }}{{ token.first }}",
        "{{ token[0] }}",
        "{{ nobody[token] }}",
        "{{ token | divided_by: 0 }}{{ 1 | divided_by: token }}",
        "{{ 99999999999999999999 }}{{ token }}",
        "{{ token }}{{ 99999999999999999999 }}",
        "{% include token %}",
        "{% render token %}",
        "${{ token }} ${{ secrets.{{ token }}_X }} ${{ github.sha }}",
        "{% if token == '3' %}{{ 'now' | date: '%F' }}{% endif %}",
        "{% if token == '3' %}{{ nobody }}{% endif %}",
        "{{ nobody }}{% if token == '' %}{{ somebody }}{% else %}{{ anybody }}{% endif %}",
        "{% if token == '' %}{% for i in (1..3000) %}0123456789{% endfor %}{% endif %}",
    ] {
        check(template, &values);
    }
}

#[test]
fn yes_and_no_and_lists_are_secrets_like_others() {
    let bools = [Answer::Bool(true), Answer::Bool(false)];
    check("{% if token %}a{% else %}b{% endif %}", &bools);
    check("{{ token }}", &bools);
    let lists = [vec!["Hunter2"], vec![], vec!["a", "b"]];
    let lists = lists.map(|items| Answer::Array(items.into_iter().map(str::to_owned).collect()));
    check("{% for item in token %}{{ item }}{% endfor %}", &lists);
    check("{{ token | join: '+' }}{{ token | first }}", &lists);
    check("{{ token[1] }}", &lists);
}

#[test]
fn a_file_is_secret_only_if_it_looks_one_up() {
    let lock = |template: &str| recorded(&[("a", template)], text(SECRET)).unwrap();
    let is_secret = |text| lock(text).contains("\"a\" = \"100644 secret\"");
    assert!(is_secret("{% if token %}{% endif %}"));
    for text in [
        "token",
        "Hunter2&Secret <x>",
        "{{ 'token' }}{{ name }}",
        "{% if name == 'other' %}{{ token }}{% endif %}",
        "{% if name == 'other' and token %}{% endif %}",
        "{% for token in list %}{{ token }}{% endfor %}",
        "{% raw %}{{ token }}{% endraw %}{% comment %}{{ token }}{% endcomment %}",
        "${{ secrets.token }}",
    ] {
        assert!(!is_secret(text), "{text}");
    }
}

#[test]
fn a_path_may_not_depend_on_a_secret() {
    for (path, content) in [
        ("{{ token }}", "x"),
        ("a/{{ token | size }}/b", "x"),
        ("{% if token == 'x' %}a{% endif %}", "x"),
        ("{{ token.field }}.txt", "x"),
        ("link", "-> {{ token }}"),
        ("link", "-> ../{{ token }}"),
    ] {
        let said = |value| format!("{:?}", recorded(&[(path, content)], text(value)).unwrap_err());
        for value in ["../../etc", "a/b", "", "..", "con"] {
            assert_eq!(said(value), said(SECRET), "{path}");
        }
        assert!(said(SECRET).contains("UnsafePath") && !shows(&said(SECRET)));
    }
}

#[test]
fn a_list_of_failures_cannot_spell_a_secret() {
    let fails_for =
        |letter: char| format!("{{% if token contains '{letter}' %}}{{{{ 1 | divided_by: 0 }}}}{{% endif %}}");
    let files: Vec<(String, String)> = ('a'..='z').map(|letter| (letter.to_string(), fails_for(letter))).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    assert_eq!(recorded(&files, text("hunter")).unwrap_err().0.len(), 1);
    // What fails whatever the secret is comes as ever.
    let files = [("a", "{{ token | divided_by: 0 }}"), ("b", "{{ token | divided_by: 0 }}"), ("c", "{{"), ("d", "{{")];
    assert_eq!(recorded(&files, text("1")).unwrap_err().0.len(), 3);
}
