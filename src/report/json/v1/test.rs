//! The cases of a template.

use serde::Serialize;

use super::{FORMAT, Problem, render};
use crate::diagnostic::Diagnostic;

/// A case that was tried.
#[derive(Debug)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// How it differs from what is expected, as it is shown to a person.
    pub differences: String,
    /// Why it could not be tried.
    pub problems: Vec<Diagnostic>,
}

#[derive(Serialize)]
struct Tested<'a> {
    format: u32,
    command: &'static str,
    passed: usize,
    failed: usize,
    cases: Vec<JsonCase<'a>>,
}

#[derive(Serialize)]
struct JsonCase<'a> {
    name: &'a str,
    state: &'static str,
    differences: Option<&'a str>,
    problems: Vec<Problem<'a>>,
}

/// All cases.
#[must_use]
pub fn tested(cases: &[Case]) -> String {
    let cases: Vec<JsonCase<'_>> = cases.iter().map(case).collect();
    let passed = cases.iter().filter(|case| case.state == "passed").count();
    render(&Tested { format: FORMAT, command: "test", passed, failed: cases.len() - passed, cases })
}

fn case(case: &Case) -> JsonCase<'_> {
    let differences = Some(case.differences.trim_end()).filter(|text| !text.is_empty());
    let state = match (&*case.problems, differences) {
        ([], None) => "passed",
        ([], Some(_)) => "differs",
        _ => "failed",
    };
    JsonCase { name: &case.name, state, differences, problems: case.problems.iter().map(Problem::of).collect() }
}
