//! Conditions: no expression takes long or much memory, and each means the same twice.

use std::collections::BTreeMap;

use create_app::placeholders::Answer;
use create_app::placeholders::condition::{Condition, Conditions, Cost, reads};

pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let variables = BTreeMap::from([
        ("kind".to_owned(), Answer::Text("lib".into())),
        ("docs".to_owned(), Answer::Bool(true)),
        ("extras".to_owned(), Answer::Array(vec!["ci".into(), "docker".into()])),
    ]);
    let _reads = variables.keys().filter(|name| reads(text, name)).count();
    let Ok(condition) = Condition::parse(text) else { return };
    let holds = || Conditions::new(&variables, &Cost::default()).holds(&condition);
    assert_eq!(holds(), holds(), "it holds now and then");
}
