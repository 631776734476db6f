//! Conditions: no expression takes long or much memory, and one that is no condition does not hold.

use std::collections::BTreeMap;

use create_app::answers::condition::{Conditions, check};
use create_app::answers::placeholder::Answer;

pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let variables = BTreeMap::from([
        ("kind".to_owned(), Answer::Text("lib".into())),
        ("docs".to_owned(), Answer::Bool(true)),
        ("extras".to_owned(), Answer::Array(vec!["ci".into(), "docker".into()])),
    ]);
    let conditions = Conditions::new(&variables);
    let holds = conditions.holds(text);
    assert!(!holds || check(text).is_ok(), "it holds, and cannot be parsed");
    assert_eq!(holds, conditions.holds(text), "it holds now and then");
}
