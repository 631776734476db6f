//! Conditions over the answers: Rhai expressions, sandboxed.

use std::collections::BTreeMap;

use rhai::{Dynamic, Engine, OptimizationLevel, Scope};

use super::placeholder::Answer;

/// What an expression may cost; a condition over a handful of answers needs some dozens of operations.
const MAX_OPERATIONS: u64 = 100_000;

/// Evaluates conditions over the answers known so far.
#[derive(Debug)]
pub struct Conditions {
    engine: Engine,
}

impl Conditions {
    /// Evaluates over these variables.
    #[must_use]
    pub fn new<'a>(variables: impl IntoIterator<Item = (&'a String, &'a Answer)>) -> Self {
        let variables: BTreeMap<String, Dynamic> =
            variables.into_iter().map(|(name, answer)| (name.clone(), dynamic(answer))).collect();
        let mut engine = engine();
        // Rhai calls this interface volatile because its parameters may change between releases; the lock file pins it,
        // and there is no other way to offer variables to an expression without copying them into a scope each time.
        #[allow(deprecated, reason = "`on_var` is marked volatile, not obsolete")]
        engine.on_var(move |name, _, _| Ok(variables.get(name).cloned()));
        Self { engine }
    }

    /// Whether the expression holds. One that fails, or is no bool, does not: so says cargo-generate, and a condition may
    /// name an answer that is not asked yet.
    #[must_use]
    pub fn holds(&self, expression: &str) -> bool {
        self.engine.eval_expression::<bool>(expression).unwrap_or(false)
    }
}

/// Checks an expression's syntax.
///
/// # Errors
///
/// Rhai's own message.
pub fn check(expression: &str) -> Result<(), String> {
    engine().compile_expression(expression).map(drop).map_err(|error| error.to_string())
}

/// Whether an expression uses this variable: it does if it compiles only where the variable is declared.
#[must_use]
pub fn reads(expression: &str, variable: &str) -> bool {
    let mut engine = engine();
    engine.set_strict_variables(true);
    let compiles_without = |left_out: Option<&str>| {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let words = expression.split(|c| !is_part(c)).filter(|word| !word.is_empty() && Some(*word) != left_out);
        let mut scope = Scope::new();
        for word in words {
            scope.push_dynamic(word, Dynamic::UNIT);
        }
        engine.compile_expression_with_scope(&scope, expression).is_ok()
    };
    expression.contains(variable) && compiles_without(None) && !compiles_without(Some(variable))
}

fn engine() -> Engine {
    let mut engine = Engine::new();
    engine
        .set_optimization_level(OptimizationLevel::None)
        .set_max_operations(MAX_OPERATIONS)
        .set_max_expr_depths(64, 64)
        .set_max_string_size(1 << 20)
        .set_max_array_size(10_000)
        .set_max_map_size(10_000)
        .disable_symbol("eval");
    engine.on_print(|_| {});
    engine.on_debug(|_, _, _| {});
    engine
}

fn dynamic(answer: &Answer) -> Dynamic {
    match answer {
        Answer::Text(text) => text.clone().into(),
        Answer::Bool(value) => (*value).into(),
        Answer::Array(items) => items.iter().cloned().map(Dynamic::from).collect::<rhai::Array>().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(expression: &str) -> bool {
        let variables = BTreeMap::from([
            ("kind".to_owned(), Answer::Text("lib".into())),
            ("docs".to_owned(), Answer::Bool(true)),
            ("extras".to_owned(), Answer::Array(vec!["ci".into(), "docker".into()])),
        ]);
        Conditions::new(&variables).holds(expression)
    }

    #[test]
    fn answers_are_variables_of_their_own_type() {
        assert!(holds("docs"));
        assert!(holds(r#"kind == "lib" && docs"#));
        assert!(holds(r#""ci" in extras"#));
        assert!(holds(r#"extras.len() == 2"#));
        assert!(!holds(r#"kind == "bin""#));
    }

    #[test]
    fn a_condition_that_fails_or_is_no_bool_does_not_hold() {
        assert!(!holds("unknown"));
        assert!(!holds("kind"));
        assert!(!holds("1 +"));
    }

    #[test]
    fn a_condition_cannot_run_forever_or_reach_the_machine() {
        assert!(!holds("(0..1000000000).len() == 1000000000 && [1].filter(|x| x > 0).len() == 2"));
        assert!(!holds(r#"eval("true")"#));
        assert!(!holds(r#"import "x" as y; true"#));
    }

    #[test]
    fn the_variables_of_an_expression_are_known() {
        for expression in [
            "token",
            "!token",
            "a && token == \"x\"",
            "a.contains(token)",
            "token.len() > 2",
            "#{a: token}.a",
            "`${token}` == a",
            "[1].some(|x| token == x)",
            "(|| token).call()",
            "if a { token } else { b }",
            "switch a { 1 => token, _ => 0 }",
        ] {
            assert!(reads(expression, "token"), "{expression}");
        }
        for expression in [
            "tokens",
            "a.token",
            "token()",
            "a.token()",
            "#{token: 1}.token",
            "a == \"token\"",
            "a == `token`",
            "[1].some(|token| token == 1)",
            "token &&",
        ] {
            assert!(!reads(expression, "token"), "{expression}");
        }
    }

    #[test]
    fn syntax_is_checked_before_anything_is_asked() {
        assert!(check("a && b").is_ok());
        assert!(check("a &&").unwrap_err().contains("Script is incomplete"));
    }
}
