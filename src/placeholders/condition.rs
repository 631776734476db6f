//! Conditions over the answers: Rhai expressions, sandboxed.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use rhai::packages::{Package, StandardPackage};
use rhai::{AST, Dynamic, Engine, EvalAltResult, ImmutableString, OptimizationLevel, ParseErrorType, Scope};

use super::Answer;

/// The limit of all conditions of a manifest together. One over a handful of answers takes some dozens of operations.
const MAX_OPERATIONS: u64 = 100_000;
/// The largest text, in bytes, and the longest list that an operation may work on; the answers may be larger, but then there may be
/// fewer operations.
const SIZES: [usize; 2] = [4 << 10, 256];

/// A condition that costs too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMuch;

/// A condition that was understood.
#[derive(Debug, Clone)]
pub struct Condition(AST);

impl Condition {
    /// Reads an expression.
    ///
    /// # Errors
    ///
    /// Rhai's own message.
    pub fn parse(expression: &str) -> Result<Self, String> {
        static ENGINE: LazyLock<Engine> = LazyLock::new(|| bare(SIZES));
        ENGINE.compile_expression(expression).map(Self).map_err(|error| error.to_string())
    }
}

/// The cost of conditions so far.
#[derive(Debug, Default)]
pub struct Cost(Arc<AtomicU64>);

/// Evaluates conditions over the answers known so far.
#[derive(Debug)]
pub struct Conditions {
    /// It compares and combines texts and bools, as most conditions do, and knows no function.
    bare: OnceCell<Engine>,
    /// With all functions: to set it up takes as long as much else.
    full: OnceCell<Engine>,
    sizes: [usize; 2],
    variables: Arc<BTreeMap<String, Dynamic>>,
    /// The operations before, and those of the last condition.
    spent: Arc<AtomicU64>,
    last: Arc<AtomicU64>,
}

impl Conditions {
    /// Evaluates over these variables.
    #[must_use]
    pub fn new<'a>(variables: impl IntoIterator<Item = (&'a String, &'a Answer)>, cost: &Cost) -> Self {
        let mut largest = SIZES;
        let mut known: BTreeMap<String, Dynamic> = BTreeMap::new();
        for (name, answer) in variables {
            let [text, list] = largest;
            largest = match answer {
                Answer::Text(answer) => [text.max(answer.len()), list],
                Answer::Bool(_) => [text, list],
                Answer::Array(items) => [items.iter().map(String::len).fold(text, usize::max), list.max(items.len())],
                Answer::Nested(_) => {
                    let [longest, most] = answer.sizes();
                    [text.max(longest), list.max(most)]
                }
            };
            known.insert(name.clone(), dynamic(answer));
        }
        let [bare, full] = [(); 2].map(|()| OnceCell::new());
        let (spent, last) = (Arc::clone(&cost.0), Arc::default());
        Self { bare, full, sizes: largest, variables: Arc::new(known), spent, last }
    }

    /// An engine that knows the variables, and counts its operations.
    fn over_variables(&self, mut engine: Engine) -> Engine {
        let variables = Arc::clone(&self.variables);
        // Rhai calls this interface volatile because its parameters may change between releases; the lock file pins it,
        // and there is no other way to offer variables to an expression without copying them into a scope each time.
        #[allow(deprecated, reason = "`on_var` is marked volatile, not obsolete")]
        engine.on_var(move |name, _, _| Ok(variables.get(name).cloned()));
        // An operation takes as long as what it works on is large.
        let weight = (self.sizes[0] / SIZES[0]).max(self.sizes[1] / SIZES[1]).max(1) as u64;
        let (before, operations) = (Arc::clone(&self.spent), Arc::clone(&self.last));
        engine.on_progress(move |count| {
            let cost = count.saturating_mul(weight);
            operations.store(cost, Ordering::Relaxed);
            (before.load(Ordering::Relaxed).saturating_add(cost) > MAX_OPERATIONS).then_some(Dynamic::UNIT)
        });
        engine
    }

    /// Whether a condition holds. One that fails, or is not a bool, does not: as in cargo-generate, and a condition may
    /// name an answer that is not asked yet.
    ///
    /// # Errors
    ///
    /// If it, or all of them together, cost too much.
    pub fn holds(&self, condition: &Condition) -> Result<bool, TooMuch> {
        let simple = self.bare.get_or_init(|| self.over_variables(bare(self.sizes)));
        let first = self.evaluate(simple, condition);
        // Without a function that it calls, it fails: then nothing is known yet.
        let result = match first {
            Err(error) if !is_too_much(&error) => {
                let full = self.full.get_or_init(|| self.over_variables(engine(self.sizes)));
                self.evaluate(full, condition)
            }
            result => result,
        };
        result.or_else(|error| if is_too_much(&error) { Err(TooMuch) } else { Ok(false) })
    }

    fn evaluate(&self, engine: &Engine, condition: &Condition) -> Result<bool, Box<EvalAltResult>> {
        self.last.store(1, Ordering::Relaxed);
        let result = engine.eval_ast::<bool>(&condition.0);
        self.spent.fetch_add(self.last.load(Ordering::Relaxed), Ordering::Relaxed);
        result
    }
}

fn is_too_much(error: &EvalAltResult) -> bool {
    use EvalAltResult as E;
    match error {
        E::ErrorTooManyOperations(..)
        | E::ErrorDataTooLarge(..)
        | E::ErrorStackOverflow(..)
        | E::ErrorTerminated(..) => true,
        E::ErrorInFunctionCall(.., inner, _) => is_too_much(inner),
        _ => false,
    }
}

/// Whether an expression uses this variable: it does if it compiles only where the variable is declared.
#[must_use]
pub fn reads(expression: &str, variable: &str) -> bool {
    if !expression.contains(variable) {
        return false;
    }
    let mut engine = bare(SIZES);
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
    compiles_without(None) && !compiles_without(Some(variable))
}

/// The variables that an expression uses beside those that are `known`, each with its offset in bytes; not more than a handful. None where
/// it is not an expression.
#[must_use]
pub fn others<'n>(expression: &str, known: impl IntoIterator<Item = &'n str>) -> Vec<(String, usize)> {
    const MOST: usize = 10;
    let mut engine = bare(SIZES);
    engine.set_strict_variables(true);
    let mut scope = Scope::new();
    for name in known {
        scope.push_dynamic(name, Dynamic::UNIT);
    }
    let mut found = Vec::new();
    while found.len() < MOST {
        let Err(error) = engine.compile_expression_with_scope(&scope, expression) else { break };
        let ParseErrorType::VariableUndefined(name) = error.err_type() else { break };
        let position = error.position();
        let lines = expression.split_inclusive('\n').take(position.line().unwrap_or(1) - 1);
        let start: usize = lines.map(str::len).sum();
        let before = expression[start..].chars().take(position.position().unwrap_or(1) - 1);
        found.push((name.clone(), start + before.map(char::len_utf8).sum::<usize>()));
        scope.push_dynamic(name, Dynamic::UNIT);
    }
    found
}

/// An engine with Rhai's own functions, within limits for texts, in bytes, and for lists.
pub(crate) fn engine(sizes: [usize; 2]) -> Engine {
    static STANDARD: LazyLock<StandardPackage> = LazyLock::new(StandardPackage::new);
    let mut engine = bare(sizes);
    STANDARD.register_into_engine(&mut engine);
    bound_replacements(&mut engine, sizes[0]);
    engine
}

/// The same, without functions.
fn bare([text, list]: [usize; 2]) -> Engine {
    let mut engine = Engine::new_raw();
    engine
        .set_optimization_level(OptimizationLevel::None)
        .set_max_operations(MAX_OPERATIONS)
        .set_max_expr_depths(64, 64)
        .set_max_string_size(text)
        .set_max_array_size(list)
        .set_max_map_size(list)
        // Nothing counts what a function pointer holds.
        .disable_symbol("curry")
        .disable_symbol("eval");
    engine
}

/// Rhai's own replacement makes its result before anybody looks at the size of it.
fn bound_replacements(engine: &mut Engine, limit: usize) {
    type Replaced = Result<(), Box<EvalAltResult>>;
    let replace = move |text: &mut ImmutableString, old: &str, new: &str| -> Replaced {
        let grown = text.matches(old).count().saturating_mul(new.len().saturating_sub(old.len()));
        if text.len().saturating_add(grown) > limit {
            let what = "Length of string".to_owned();
            return Err(EvalAltResult::ErrorDataTooLarge(what, rhai::Position::NONE).into());
        }
        *text = text.replace(old, new).into();
        Ok(())
    };
    let of = |c: char| c.to_string();
    engine
        .register_fn("replace", move |text: &mut ImmutableString, old: ImmutableString, new: ImmutableString| {
            replace(text, &old, &new)
        })
        .register_fn("replace", move |text: &mut ImmutableString, old: char, new: ImmutableString| {
            replace(text, &of(old), &new)
        })
        .register_fn("replace", move |text: &mut ImmutableString, old: ImmutableString, new: char| {
            replace(text, &old, &of(new))
        });
}

fn dynamic(answer: &Answer) -> Dynamic {
    match answer {
        Answer::Text(text) => text.clone().into(),
        Answer::Bool(value) => (*value).into(),
        Answer::Array(items) => items.iter().cloned().map(Dynamic::from).collect::<rhai::Array>().into(),
        Answer::Nested(items) => items.iter().map(dynamic).collect::<rhai::Array>().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluated(expression: &str, extras: usize) -> Result<bool, TooMuch> {
        let variables = BTreeMap::from([
            ("kind".to_owned(), Answer::Text("lib".into())),
            ("docs".to_owned(), Answer::Bool(true)),
            ("extras".to_owned(), Answer::Array(vec!["ci".into(), "docker".into()])),
            ("large".to_owned(), Answer::Text("x".repeat(extras))),
        ]);
        let condition = Condition::parse(expression).expect(expression);
        Conditions::new(&variables, &Cost::default()).holds(&condition)
    }

    fn holds(expression: &str) -> bool {
        evaluated(expression, 1).unwrap()
    }

    #[test]
    fn answers_are_variables_of_their_own_type() {
        assert!(holds("docs"));
        assert!(holds(r#"kind == "lib" && docs"#));
        assert!(holds(r#""ci" in extras"#));
        assert!(holds(r#"extras.len() == 2"#));
        assert!(!holds(r#"kind == "bin""#));
        assert_eq!(evaluated("large.len() == 100000", 100_000), Ok(true));
    }

    #[test]
    fn an_engine_without_functions_agrees_with_the_full_one_or_fails() {
        let variables = BTreeMap::from([
            ("kind".to_owned(), Answer::Text("lib".into())),
            ("docs".to_owned(), Answer::Bool(true)),
            ("extras".to_owned(), Answer::Array(vec!["ci".into(), "docker".into()])),
        ]);
        let values =
            ["kind", "docs", "extras", "unknown", "\"lib\"", "true", "1", "1.5", "'l'", "()", "[1]", "#{a: 1}"];
        let operators = ["==", "!=", "<", ">=", "&&", "||", "+", "in", "!in", "??", "%", "**", "|", "&"];
        let mut expressions: Vec<String> = Vec::new();
        for (left, right) in values.iter().flat_map(|left| values.iter().map(move |right| (left, right))) {
            expressions.extend(operators.iter().map(|operator| format!("{left} {operator} {right}")));
            expressions.push(format!("`${{{left}}}` == `${{{right}}}`"));
            expressions.push(format!("if {left} {{ {right} }} else {{ docs }}"));
            expressions.push(format!("switch {left} {{ {right} => true, _ => false }}"));
        }
        expressions
            .extend(values.iter().flat_map(|it| [(*it).to_owned(), format!("!{it}"), format!("!({it} == kind)")]));
        let conditions = Conditions::new(&variables, &Cost::default());
        let [bare, full] = [bare(SIZES), engine(SIZES)].map(|engine| conditions.over_variables(engine));
        let mut held = 0;
        for expression in expressions {
            let Ok(condition) = Condition::parse(&expression) else { continue };
            conditions.spent.store(0, Ordering::Relaxed);
            let [bare, full] = [&bare, &full].map(|engine| conditions.evaluate(engine, &condition));
            held += usize::from(bare.is_ok());
            assert!(bare.is_err() || bare.ok() == full.ok(), "{expression}");
        }
        assert!(held > 400, "{held}");
    }

    #[test]
    fn a_condition_that_fails_or_is_no_bool_does_not_hold() {
        assert!(!holds("unknown"));
        assert!(!holds("kind"));
    }

    #[test]
    fn a_condition_cannot_run_for_ever_or_fill_the_memory() {
        for expression in [
            "[1, 2, 3, 4].map(|a| [1, 2, 3, 4].map(|b| large.split(\"\", 200).map(|c| large.split(\"\", 200).map(|d| d)))).len() == 2",
            &format!("{0}.replace(\"x\", {0}).replace(\"x\", {0}).len() == 1", format!("\"{}\"", "x".repeat(1000))),
            r#""x".pad(100000000, "y") == "z""#,
            "large.split(\"\").len() == 1",
        ] {
            assert_eq!(evaluated(expression, 100_000), Err(TooMuch), "{expression:.80}");
        }
    }

    #[test]
    fn all_conditions_share_the_operations() {
        let cost = Cost::default();
        let condition = Condition::parse("[1, 2, 3].map(|x| x + 1).len() == 3").unwrap();
        let conditions = Conditions::new(&BTreeMap::new(), &cost);
        let held = (0..MAX_OPERATIONS).take_while(|_| conditions.holds(&condition).is_ok()).count() as u64;
        assert!((MAX_OPERATIONS / 100..MAX_OPERATIONS / 5).contains(&held), "{held}");
        assert_eq!(Conditions::new(&BTreeMap::new(), &cost).holds(&condition), Err(TooMuch));
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
    fn the_other_variables_of_an_expression_have_their_places() {
        let others = |expression: &str| others(expression, ["a", "b"]);
        assert_eq!(others("a && b.len() > 1 && [1].some(|x| x == a)"), []);
        assert_eq!(others("\"é\" == c\n  || d"), [("c".to_owned(), 8), ("d".to_owned(), 15)]);
        assert_eq!(others("a &&"), []);
    }

    #[test]
    fn syntax_is_checked_before_anything_is_asked() {
        assert!(Condition::parse("a && b").is_ok());
        for expression in ["a &&", "1 +", r#"eval("true")"#, r#"import "x" as y"#] {
            assert!(Condition::parse(expression).is_err(), "{expression}");
        }
        assert!(Condition::parse("a &&").unwrap_err().contains("Script is incomplete"));
        for open in ["(", "[", "#{a:", "!", "- ", "f(", "`${", "|x| ", "if true {", "/*"] {
            assert!(Condition::parse(&open.repeat(100_000)).is_err(), "{open}");
        }
    }
}
