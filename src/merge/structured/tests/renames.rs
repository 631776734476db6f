use super::{drawn, lines, text};
use crate::merge::draw::{Style, has_markers};

const JOB: &str = "jobs:\n  test:\n    runs-on: x\n    steps:\n      - run: a\n      - run: b\n";
const SERVICE: &str = "{\n  \"services\": {\n    \"web\": {\n      \"image\": \"a\",\n      \"port\": 80\n    },\n    \"db\": {\n      \"image\": \"b\"\n    }\n  }\n}\n";
const ZOD: &str = "{\n  \"dependencies\": {\n    \"hono\": \"^4\",\n    \"zod\": \"^3\"\n  }\n}\n";
const TABLE: &str = "[env.staging]\nname = \"a\"\nroute = \"b\"\n\n[env.prod]\nname = \"c\"\n";

#[test]
fn a_key_that_one_side_renamed_has_what_the_other_one_changed_in_it() {
    let cases = [
        ("ci.yml", JOB, ("test:", "unit:"), ("run: b", "run: c")),
        ("ci.yml", JOB, ("test:", "unit:"), ("    steps:", "    timeout-minutes: 5\n    steps:")),
        ("a.json", SERVICE, ("\"web\"", "\"app\""), ("80", "81")),
        ("a.json", SERVICE, ("\"web\"", "\"app\""), ("\"port\": 80", "\"port\": 80,\n      \"tty\": true")),
        ("a.toml", TABLE, ("env.staging", "env.preview"), ("\"b\"", "\"d\"")),
    ];
    for (path, base, renamed, changed) in cases {
        let [ours, theirs] = [renamed, changed].map(|(from, to)| base.replace(from, to));
        let both = ours.replace(changed.0, changed.1);
        assert_eq!(drawn(path, base, &ours, &theirs), both);
        assert_eq!(drawn(path, base, &theirs, &ours), both);
    }
}

#[test]
fn two_new_names_for_one_key_are_a_conflict() {
    let cases = [
        ("ci.yml", JOB, "test:", ["unit:", "tests:"]),
        ("a.json", SERVICE, "\"web\"", ["\"app\"", "\"site\""]),
        ("a.toml", TABLE, "env.staging", ["env.preview", "env.test"]),
        ("package.json", "{\n  \"scripts\": {\n    \"test\": \"vitest run\"\n  }\n}\n", "test", ["unit", "check"]),
        // One key by another, whatever the values say.
        ("compose.yaml", "services:\n  db:\n    image: pg\nvolumes:\n  data:\n", "data", ["pg", "mine"]),
        ("package.json", ZOD, "\"zod\": \"^3\"", ["\"valibot\": \"^1\"", "\"arktype\": \"^2\""]),
        (
            "a.toml",
            "[dependencies]\na = \"1\"\nlog = \"0.4\"\n",
            "log = \"0.4\"",
            ["tracing = \"0.1\"", "slog = \"2\""],
        ),
    ];
    for (path, base, from, to) in cases {
        let [ours, theirs] = to.map(|to| base.replacen(from, to, 1));
        assert!(has_markers(drawn(path, base, &ours, &theirs).as_bytes()), "{ours}");
        assert_eq!(text(path, Some(base), &ours, &theirs, Style::Ours), ours);
        assert_eq!(text(path, Some(base), &ours, &theirs, Style::Theirs), theirs);
    }
    // Both have edited it, too, or one of them has.
    let ours = JOB.replace("test:", "unit:").replace("run: b", "run: c");
    for theirs in [JOB.replace("test:", "tests:").replace("run: b", "run: d"), JOB.replace("run: b", "run: d")] {
        assert!(has_markers(drawn("ci.yml", JOB, &ours, &theirs).as_bytes()));
        assert_eq!(text("ci.yml", Some(JOB), &ours, &theirs, Style::Ours), ours);
        assert_eq!(text("ci.yml", Some(JOB), &ours, &theirs, Style::Theirs), theirs);
    }
}

#[test]
fn an_element_with_a_new_name_and_nothing_else_new_is_the_same() {
    let base = lines([
        "updates:",
        "  - package-ecosystem: npm",
        "    directory: /",
        "    limit: 3",
        "    schedule:",
        "      interval: weekly",
    ]);
    let [ours, theirs] =
        [("directory: /", "directory: /app"), ("weekly", "monthly")].map(|(from, to)| base.replace(from, to));
    assert_eq!(drawn("dependabot.yml", &base, &ours, &theirs), ours.replace("weekly", "monthly"));
    assert_eq!(drawn("dependabot.yml", &base, &theirs, &ours), ours.replace("weekly", "monthly"));
}

#[test]
fn a_key_renamed_in_a_file_of_another_layout_has_what_the_template_adds_in_it() {
    let base = "services:\n  web:\n    image: a\n    port: 80\n  db:\n    image: b\n";
    let ours = base.replace("web", "app").replace("    ", "        ").replace("\n  ", "\n    ");
    let ours = ours.replace("          ", "        ");
    let theirs = base.replace("port: 80\n", "port: 80\n    tty: true\n");
    let both = ours.replace("port: 80\n", "port: 80\n        tty: true\n");
    assert_eq!(drawn("a.yaml", base, &ours, &theirs), both);
    assert_eq!(drawn("a.yaml", base, &theirs, &ours), both);
}
