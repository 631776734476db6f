use crate::merge::known::Known;
use proptest::prelude::*;

use super::*;
use crate::merge::draw::{Style, draw};

fn adopt(name: &str, ours: &str, theirs: &str) -> (Option<String>, Vec<String>) {
    let adopted = merge(&RelPath::new(name).unwrap(), Known::default(), ours.as_bytes(), theirs.as_bytes());
    let text = adopted.merge.map(|merge| String::from_utf8(draw(&merge, Style::Merge, "2")).unwrap());
    (text, adopted.notes.iter().map(ToString::to_string).collect())
}

fn text(name: &str, ours: &str, theirs: &str) -> String {
    adopt(name, ours, theirs).0.unwrap()
}

#[test]
fn keys_that_are_missing_come_and_values_that_both_have_stay() {
    let ours = "{\n  \"name\": \"shop\",\n  \"scripts\": {\n    \"test\": \"vitest\"\n  }\n}\n";
    let theirs =
        "{\n  \"name\": \"app\",\n  \"scripts\": {\n    \"test\": \"bun test\",\n    \"deploy\": \"x\"\n  }\n}\n";
    let (text, notes) = adopt("package.json", ours, theirs);
    let value: serde_json::Value = serde_json::from_str(&text.unwrap()).unwrap();
    let expected = serde_json::json!({"name": "shop", "scripts": {"test": "vitest", "deploy": "x"}});
    assert_eq!(value, expected);
    assert_eq!(
        notes,
        [
            "added `scripts.deploy`",
            "your `name` is kept; the template has `app`",
            "your `scripts.test` is kept; the template has `bun test`"
        ]
    );
    let (_, notes) = adopt("package.json", "{}\n", "{\"a\": {\"b\": {\"c\": 1}, \"d\": {}}, \"e\": [1]}\n");
    assert_eq!(notes, ["added `a.b.c`, `a.d`, `e`"]);
}

#[test]
fn sets_of_lines_are_united() {
    let text = text(".gitignore", "mine\nnode_modules/\n", "node_modules/\ndist/\n");
    assert!(["mine", "node_modules/", "dist/"].iter().all(|line| text.lines().any(|found| found == *line)), "{text}");
}

#[test]
fn a_config_with_other_profiles_gets_what_it_lacks() {
    let ours = "\
import { defineConfig } from \"./x\";

export default defineConfig({
  name: \"shop\",
  profiles: {
    // Ours.
    dev: {
      domain: \"dev.shop\"
    }
  }
});
";
    let theirs = "\
import { defineConfig } from \"./x\";

export default defineConfig({
  name: \"app\",
  // Where it is looked for.
  health: { path: \"/health\" },
  profiles: {
    staging: {
      domain: \"s\",
    },
  },
});
";
    let expected = "\
import { defineConfig } from \"./x\";

export default defineConfig({
  name: \"shop\",
  // Where it is looked for.
  health: { path: \"/health\" },
  profiles: {
    staging: {
      domain: \"s\",
    },
    // Ours.
    dev: {
      domain: \"dev.shop\"
    }
  }
});
";
    let (text, notes) = adopt("alchemy.config.ts", ours, theirs);
    assert_eq!(text.unwrap(), expected);
    assert_eq!(notes, ["your `name` is kept; the template has `\"app\"`"]);
}

/// The template's config, for the configs below.
const THEIRS: &str = "\
import { defineConfig } from \"./x\";

export default defineConfig({
  name: \"app\",

  resources: {
    api: {
      type: \"worker\",
      script: \"./src/api.ts\",
    },
  },

  // In this order.
  profiles: {
    // On workers.dev.
    staging: {
      // Nothing yet.
    },
    prod: {},
  },
});
";

#[test]
fn a_default_export_is_one_however_it_is_written() {
    let body = "  name: 'shop',\n  resources: { api: { type: 'worker' } },\n  profiles: {\n    dev: {}\n  }\n";
    let wanted = body.replace(
        "    dev",
        "    // On workers.dev.\n    staging: {\n      // Nothing yet.\n    },\n    prod: {},\n    dev",
    );
    for (before, after) in [
        ("export default {\n", "}\n"),
        ("export default {\n", "} as const\n"),
        ("export default {\n", "} satisfies Config;\n"),
        ("export default alchemy.config({\n", "});\n"),
        ("const config: Config = {\n", "};\n\nexport default config;\n"),
        ("const config = {\n", "} as const\n\nexport default config\n"),
    ] {
        let (text, notes) = adopt("alchemy.config.ts", &format!("{before}{body}{after}"), THEIRS);
        assert_eq!(text.unwrap(), format!("{before}{wanted}{after}"));
        let left_out = "`import { defineConfig } from \"./x\";` was left out: nothing uses it";
        assert_eq!(notes.last().unwrap(), left_out);
    }
}

#[test]
fn what_comes_is_indented_as_the_file_is() {
    let ours = "export default {\n\tname: 'shop',\n\tprofiles: {\n\t\tprod: {\n\t\t\tdomain: 'x'\n\t\t}\n\t}\n}\n";
    let expected = "\
export default {
\tname: 'shop',

\tresources: {
\t\tapi: {
\t\t\ttype: \"worker\",
\t\t\tscript: \"./src/api.ts\",
\t\t},
\t},
\tprofiles: {
\t\t// On workers.dev.
\t\tstaging: {
\t\t\t// Nothing yet.
\t\t},
\t\tprod: {
\t\t\tdomain: 'x'
\t\t}
\t}
}
";
    assert_eq!(text("alchemy.config.ts", ours, THEIRS), expected);
}

#[test]
fn a_literal_of_one_line_gets_what_it_lacks_in_it() {
    let line = |profiles: &str| {
        format!("export default {{\n  name: 'shop',\n  resources: {{ api: {{}} }},\n  profiles: {profiles},\n}};\n")
    };
    let (text, notes) = adopt("alchemy.config.ts", &line("{ dev: { domain: 'd' }, prod: { domain: 'x' } }"), THEIRS);
    assert_eq!(text.unwrap(), line("{ staging: { }, dev: { domain: 'd' }, prod: { domain: 'x' } }"));
    let stays = |key: &str| format!("your `{key}` is kept; it differs from the template's");
    assert_eq!(notes[1..3], ["resources.api", "profiles.prod"].map(stays));
}

#[test]
fn a_slot_without_a_comma_after_it_stays_last() {
    let head = "export default {\n  a: 1";
    assert_eq!(
        text("a.ts", &format!("{head}\n}};\n"), &format!("{head},\n  b: 2\n}};\n")),
        "export default {\n  b: 2,\n  a: 1\n};\n"
    );
    assert_eq!(
        text("a.ts", &format!("{head},\n}};\n"), &format!("{head},\n  b: 2\n}};\n")),
        "export default {\n  a: 1,\n  b: 2,\n};\n"
    );
}

#[test]
fn an_import_comes_with_what_uses_it_and_is_listed_otherwise() {
    let ours = "import a from \"a\";\n\nexport const one = a(1);\n";
    let theirs = "import a from \"a\";\nimport b from \"b\";\nimport c from \"c\";\n\nexport const one = a(2);\nexport const two = b(2);\n";
    let (text, notes) = adopt("a.ts", ours, theirs);
    assert_eq!(
        text.unwrap(),
        "import a from \"a\";\nimport b from \"b\";\n\nexport const one = a(1);\nexport const two = b(2);\n"
    );
    assert_eq!(
        notes,
        [
            "your `export const one` is kept; the template has `a(2)`",
            "`import c from \"c\";` was left out: nothing uses it"
        ]
    );
}

#[test]
fn the_body_of_a_function_is_the_users_own() {
    let ours = "export function f() {\n  return 1;\n}\n";
    let theirs = "export function f() {\n  check();\n  return 2;\n}\n";
    let (text, notes) = adopt("f.ts", ours, theirs);
    assert_eq!((text.unwrap().as_str(), notes.len()), (ours, 1));
}

#[test]
fn what_is_not_alike_has_the_common_lines_as_its_base() {
    let ours = "export default () => ({\n  a: 1,\n});\n";
    let theirs = "export default {\n  a: 1,\n};\n";
    let text = text("a.ts", ours, theirs);
    assert_eq!(text.matches("<<<<<<< yours").count(), 2, "{text}");
    assert!(adopt("a.ts", "1\nx\n2\ny\n3\n", "a\nx\nb\ny\nc\n").0.is_none());
}

#[test]
fn the_projects_line_ending_stays() {
    let ours = "const a = {\r\n  x: 1,\r\n};\r\n";
    let theirs = "const a = {\n  x: 1,\n  y: 2,\n};\n";
    assert_eq!(text("a.js", ours, theirs), "const a = {\r\n  x: 1,\r\n  y: 2,\r\n};\r\n");
}

fn source() -> impl Strategy<Value = String> {
    let line = proptest::sample::select(
        &[
            "const a = {",
            "  x: 1,",
            "  y: {",
            "  y: { z: 1 },",
            "  y: 1, // {",
            "  y: { ü: { z: 1 } }, // }",
            "    z: 2",
            "  },",
            "};",
            "f(1);",
            "",
            "// c",
            "import q from \"q\";",
            "\t]",
            "export default {",
        ][..],
    );
    proptest::collection::vec(line, 0..12).prop_map(|lines| lines.join("\n"))
}

/// Whether all of a line is in another one, in order.
fn is_within(line: &str, other: &str) -> bool {
    let mut others = other.chars();
    line.chars().all(|character| others.any(|other| other == character))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_line_of_ours_survives_in_order(ours in source(), theirs in source()) {
        let path = RelPath::new("a.ts").unwrap();
        if let Some((text, _)) = outline::merge(&path, &ours, &theirs) {
            let mut lines = text.lines();
            for line in ours.lines() {
                prop_assert!(lines.any(|found| is_within(line, found)), "{line:?} of\n{ours}\nis not in\n{text}");
            }
        }
    }
}
