//! Random templates: nothing panics, and the skeleton changes no byte of Liquid's result for the whole text.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::text::{Findings, Renderer};
use crate::diagnostic::Diagnostic;
use crate::liquid::engine::{Engine, Purpose};
use crate::liquid::github::Known;
use crate::liquid::skeleton::Markers;
use crate::placeholders::Answer;
use crate::template::Names;

const VARIABLES: &[&str] = &["name", "list", "flag", "wide"];

fn variables() -> BTreeMap<String, Answer> {
    let list = Answer::Array(vec!["one".into(), String::new(), "drei ünd".into()]);
    let wide = Answer::Text(" \u{e000}1\u{e000} 日本 {{ name }} ".into());
    [Answer::Text("my-app".into()), list, Answer::Bool(true), wide]
        .into_iter()
        .zip(VARIABLES)
        .map(|(answer, name)| ((*name).to_owned(), answer))
        .collect()
}

fn epoch() -> crate::date::Date {
    crate::date::Date::from_unix(0).unwrap()
}

/// The rendered text, or the number of its problems.
fn rendered(text: &str) -> Result<String, usize> {
    let (rendered, found) = rendered_with(&variables(), None, text);
    rendered.ok_or(found.problems.len())
}

fn rendered_with(variables: &BTreeMap<String, Answer>, secret: Option<&str>, text: &str) -> (Option<String>, Findings) {
    let engine = Engine::new(variables, &secret.into_iter().collect(), epoch());
    let known = Known::new([("name", true), ("list", false), ("flag", true), ("wide", true)]);
    let used = variables.values().fold(Markers::NONE, |used, value| used.and(&value.to_string()));
    let dated = std::sync::atomic::AtomicBool::new(false);
    let names = Names::default();
    let renderer = Renderer { engine: &engine, known: &known, used, names: &names, dated: &dated };
    let mut found = Findings::default();
    let rendered = renderer.text("fuzz.txt", text, &mut found);
    for problem in &found.problems {
        let place = problem.place.as_ref().expect("each problem has its place");
        assert!(place.text.get(place.span.clone()).is_some(), "{problem:?}");
    }
    (rendered, found)
}

/// Renders the whole text with Liquid.
fn by_liquid(text: &str) -> Option<String> {
    let outcome = Engine::new(&variables(), &BTreeSet::new(), epoch()).render(text, 0, Purpose::Output);
    outcome.failure.is_none().then_some(outcome.text)
}

/// Text that is not Liquid: short and long, with white space of all kinds at its ends, braces, quotes, and markers.
fn literal() -> impl Strategy<Value = String> {
    let space = "[ \n\r\t\u{a0}]{0,3}";
    let core = prop_oneof![
        "[a-z .{}%'\"|-]{0,4}",
        "[a-zäöü日本 \n\t{'\"}%|-]{12,40}",
        Just("\u{e000}0\u{e000}".to_owned()),
        Just("\u{e000}".to_owned()),
        Just("a literal that is long enough to leave its place".to_owned()),
    ];
    (space, core, space)
        .prop_map(|(before, core, after)| [before, core, after].concat())
        .prop_filter("no Liquid", |text| !text.contains("{{") && !text.contains("{%"))
        // Followed by a tag, it would be another one.
        .prop_map(|text| text.trim_end_matches('{').to_owned())
}

fn dash() -> impl Strategy<Value = &'static str> {
    prop_oneof![3 => Just(""), 1 => Just("-")]
}

/// `{% TAG %}`, with trim markers now and then.
fn tag(inner: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    (dash(), inner, dash()).prop_map(|(left, inner, right)| format!("{{%{left} {inner} {right}%}}"))
}

fn expression() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        proptest::sample::select(VARIABLES).prop_map(str::to_owned),
        Just("'quoted }} %} {{'".to_owned()),
        Just("\"it's\"".to_owned()),
        Just("42".to_owned()),
        Just("list.first".to_owned()),
        Just("list[1]".to_owned()),
    ];
    let filter = prop_oneof![
        4 => Just(""),
        1 => Just(" | upcase"),
        1 => Just(" | append: ' }} '"),
        1 => Just(" | size"),
        1 => Just(" | replace: 'a', '{{'"),
        1 => Just(" | default: \"-%}\""),
    ];
    (value, filter).prop_map(|(value, filter)| value + filter)
}

/// A condition that Liquid can parse.
fn condition() -> impl Strategy<Value = String> {
    const CONDITIONS: &[&str] =
        &["flag", "name == 'my-app'", "list contains 'one'", "wide == blank or flag", "name == '%}'"];
    proptest::sample::select(CONDITIONS).prop_map(str::to_owned)
}

/// A template whose blocks are closed.
fn template() -> impl Strategy<Value = String> {
    let output = (dash(), expression(), dash()).prop_map(|(left, it, right)| format!("{{{{{left} {it} {right}}}}}"));
    let quoted = "[a-z {}%'\"-]{0,12}|\\{\\{ x|\\{% if|\\{\\{ '\\}\\}' \\}\\}|  a stretch that is longer than a marker  \
                  |[ \n]{0,2}\\{\\{-? x -?\\}\\}[ \n]{0,2}|[ \n]{0,2}\\{%-? x -?%\\}[ \n]{0,2}";
    let block = |name: &'static str| {
        (tag(Just(name.to_owned())), quoted, tag(Just(format!("end{name}"))))
            .prop_map(|(open, inside, end)| [open, inside, end].concat())
    };
    let leaf = prop_oneof![
        4 => literal(),
        2 => output,
        1 => block("raw"),
        1 => block("comment"),
        1 => tag(expression().prop_map(|it| format!("assign local = {it}"))).prop_map(|it| it + "{{ local }}"),
        1 => tag(Just("increment count".to_owned())),
        1 => tag(Just("cycle 'a', 'b'".to_owned())),
    ];
    let several = proptest::collection::vec(leaf.boxed(), 0..6).prop_map(|parts| parts.concat()).boxed();
    several.prop_recursive(3, 24, 4, |inner| {
        let wrap = |open: BoxedStrategy<String>, end: &'static str| {
            (literal(), tag(open), inner.clone(), tag(Just(end.to_owned())), inner.clone())
                .prop_map(|(before, open, inside, end, after)| [before, open, inside, end, after].concat())
                .boxed()
        };
        prop_oneof![
            wrap(condition().prop_map(|it| format!("if {it}")).boxed(), "endif"),
            wrap(condition().prop_map(|it| format!("unless {it}")).boxed(), "endunless"),
            wrap(Just("for item in list".to_owned()).boxed(), "endfor"),
            wrap(Just("for item in (1..3) reversed".to_owned()).boxed(), "endfor"),
            wrap(Just("capture caught".to_owned()).boxed(), "endcapture")
                .prop_map(|it| it + "{{ caught | size }}{{ caught }}"),
            wrap(Just("ifchanged".to_owned()).boxed(), "endifchanged"),
            wrap(Just("tablerow item in list cols:2".to_owned()).boxed(), "endtablerow"),
            (condition(), inner.clone(), inner.clone(), tag(Just("else".to_owned())))
                .prop_map(|(it, yes, no, other)| format!("{{% if {it} -%}}{yes}{other}{no}{{%- endif %}}")),
            (literal(), inner.clone(), inner).prop_map(|(space, one, two)| {
                format!("{{% case name %}}{{% when 'my-app' %}}{one}{{% else %}}{space}{two}{{% endcase %}}")
            }),
        ]
    })
}

/// Fragments in any order, closed or not.
fn soup() -> impl Strategy<Value = String> {
    let fragment = prop_oneof![
        literal(),
        expression(),
        condition(),
        proptest::sample::select(
            &[
                "{{",
                "}}",
                "{%",
                "%}",
                "${{",
                "${{-",
                "{{-",
                "-}}",
                "{%-",
                "-%}",
                "'",
                "\"",
                "{",
                "}",
                "$",
                " ",
                "\n",
                "\t",
                "{% raw %}",
                "{% endraw %}",
                "{% comment %}",
                "{% endcomment %}",
                "{% if flag %}",
                "{% else %}",
                "{% elsif x %}",
                "{% endif %}",
                "{% for a in list %}",
                "{% endfor %}",
                "{% capture a %}",
                "{% endcapture %}",
                "{% unknown %}",
                "{% include 'x' %}",
                "{% assign",
                "${{ github.sha }}",
                "${{ secrets.{{ name }}_T }}",
                "${{ 'a' == b }}",
                "{{ nobody }}",
                "{{ nobody.at.all }}",
                "{{ name.x }}",
                "{{ 99999999999999999999 }}",
                "{{ 1 | divided_by: 0 }}",
                "{{ name | nofilter }}",
                "(1..3)",
                "[",
                "]",
                "\u{e000}",
                "\u{feff}",
                "\u{0}",
                "日本",
            ][..]
        )
        .prop_map(str::to_owned),
    ];
    proptest::collection::vec(fragment, 0..24).prop_map(|parts| parts.concat())
}

/// Texts that random fragments seldom form.
#[test]
fn blocks_end_where_liquid_ends_them() {
    for text in [
        "{% comment %}{% for a in list %}{% endcomment %}",
        "{% comment %}{% for a in list %}{% endcomment %}{% endfor %}{% endcomment %}some text that could leave",
        "{% comment %}{% if flag %}{% endif %}{% endcomment %}some text that could leave",
        "{% comment %}{% capture x %}{% endcomment %}{% capture x %}text{% endcapture %}{{ x }}",
        "{% capture x %}{% comment %}{% if flag %}{% endcomment %}{% endcapture %}{% endcomment %}a long text{% endcapture %}{{ x | size }}",
        "{% capture y %}{% raw %}{% endraw x %}{% endcapture %}{% endraw %}text that is long{% endcapture %}{{ y | size }}",
        "{% capture y %}{% raw %}{% endraw-x %}{% endcapture %}{% endraw %}text that is long{% endcapture %}{{ y | size }}",
        "{% raw %}{{ x -}} {%- endraw %}.",
        "{% raw %}{% x -%}  \n {%- endraw %}.",
        "{% raw -%} {{- x }} {%- endraw %}.",
    ] {
        assert_eq!(rendered(text).ok(), by_liquid(text), "{text}");
    }
}

/// Another value for one of the variables.
fn other_value() -> impl Strategy<Value = (&'static str, Answer)> {
    let text = || prop_oneof!["[a-zA-Z0-9&<> .,%'{}-]{0,8}", Just("my-app".to_owned()), Just("one".to_owned())];
    prop_oneof![
        (prop_oneof![Just("name"), Just("wide")], text().prop_map(Answer::Text)),
        (Just("flag"), any::<bool>().prop_map(Answer::Bool)),
        (Just("list"), proptest::collection::vec(text(), 0..4).prop_map(Answer::Array)),
    ]
}

/// Checks that what depends on a variable is found out, and that nothing but the text itself does.
fn check_dependence(text: &str, (name, other): (&str, Answer)) -> Result<(), TestCaseError> {
    let others = variables().into_iter().chain([(name.to_owned(), other)]).collect();
    let ((one, found), (two, also_found)) =
        (rendered_with(&variables(), Some(name), text), rendered_with(&others, Some(name), text));
    prop_assert_eq!(&found.secret, &also_found.secret);
    if found.secret.is_none() {
        prop_assert_eq!(&one, &two);
    }
    match (one, two) {
        (Some(_), Some(_)) => prop_assert_eq!(&found.problems, &also_found.problems),
        // At which tag it fails cannot be hidden.
        (None, None) => {
            let said = |found: &Findings| -> Vec<_> {
                found.problems.iter().map(|problem| Diagnostic { place: None, ..problem.clone() }).collect()
            };
            prop_assert_eq!(said(&found), said(&also_found));
        }
        _ => {}
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_text_that_looks_no_secret_up_is_the_same_for_all_values(text in template(), other in other_value()) {
        check_dependence(&text, other)?;
    }

    #[test]
    fn fragments_say_nothing_of_a_secret(text in soup(), other in other_value()) {
        check_dependence(&text, other)?;
    }

    #[test]
    fn the_skeleton_renders_the_same_bytes_as_the_whole_text(text in template()) {
        prop_assume!(!text.contains("${{"));
        prop_assert_eq!(rendered(&text).ok(), by_liquid(&text));
    }

    #[test]
    fn fragments_in_any_order_never_panic(text in soup()) {
        match rendered(&text) {
            Err(problems) => prop_assert!(problems > 0),
            Ok(rendered) if !text.contains("${{") => prop_assert_eq!(Some(rendered), by_liquid(&text)),
            Ok(_) => {}
        }
    }
}
