//! All questions of a run, one after another: with a way back, and with a look at all answers at the end.
//!
//! Going back does not undo anything. The questions are resolved again from the start, with the answers that still count: so what
//! follows from an answer (other questions, other defaults) follows from the new one.

use std::collections::BTreeMap;

use super::resolve::{Ask, Resolved};
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::placeholders::{Answer, Placeholder};

/// Who answers.
pub trait Person {
    /// Answers one question.
    ///
    /// # Errors
    ///
    /// The person cancelled, or cannot be asked.
    fn ask(&mut self, question: &Question<'_>) -> Result<Reply>;

    /// Looks at all answers.
    ///
    /// # Errors
    ///
    /// As [`Person::ask`].
    fn review(&mut self, title: &str, answered: &[Answered]) -> Result<Verdict>;
}

/// A question, and what came before it.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The question.
    pub placeholder: &'a Placeholder,
    /// The answer that was given before the person went back.
    pub draft: Option<&'a Answer>,
    /// The questions before it.
    pub answered: &'a [Answered],
}

/// A question that was answered.
#[derive(Debug, Clone)]
pub struct Answered {
    /// What was asked, with the default that it had then.
    pub placeholder: Placeholder,
    /// The answer.
    pub answer: Answer,
}

/// A person's answer to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The answer.
    Answer(Answer),
    /// Back to the question before.
    Back,
}

/// A person's decision about all answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// They are right.
    Accepted,
    /// The one at this index is to be given again.
    Change(usize),
    /// Back to the last question.
    Back,
}

/// Resolves all questions with the answers of a person. Where any was asked and there is a `title`, all are shown under it in the end.
///
/// # Errors
///
/// The result of `resolve`, and the message of a cancelled question.
pub fn interview(
    person: &mut dyn Person,
    title: Option<&str>,
    mut resolve: impl FnMut(&mut Ask<'_>) -> Result<Resolved>,
) -> Result<Resolved> {
    let mut interview =
        Interview { person, answered: Vec::new(), kept: BTreeMap::new(), drafts: BTreeMap::new(), again: false };
    loop {
        interview.answered.clear();
        let resolved = resolve(&mut Ask::User(&mut |placeholder| interview.ask(placeholder)));
        if std::mem::take(&mut interview.again) {
            continue;
        }
        let resolved = resolved?;
        match title.filter(|_| !interview.answered.is_empty()) {
            Some(title) if !interview.is_accepted(title)? => {}
            _ => return Ok(resolved),
        }
    }
}

struct Interview<'a> {
    person: &'a mut dyn Person,
    /// In the order in which they were asked.
    answered: Vec<Answered>,
    /// Answers that are not asked for again, unless the question has become another.
    kept: BTreeMap<String, Answered>,
    /// Answers that are offered when they are asked for again.
    drafts: BTreeMap<String, Answer>,
    /// Whether the questions begin again.
    again: bool,
}

impl Interview<'_> {
    fn ask(&mut self, placeholder: &Placeholder) -> Result<Answer> {
        let is_same = |kept: &&Answered| {
            kept.placeholder.span == placeholder.span && kept.placeholder.default() == placeholder.default()
        };
        if let Some(kept) = self.kept.get(&placeholder.name).filter(is_same) {
            self.answered.push(kept.clone());
            return Ok(kept.answer.clone());
        }
        let draft = self.drafts.get(&placeholder.name);
        match self.person.ask(&Question { placeholder, draft, answered: &self.answered })? {
            Reply::Answer(answer) => {
                self.answered.push(Answered { placeholder: placeholder.clone(), answer: answer.clone() });
                Ok(answer)
            }
            Reply::Back => {
                self.again = true;
                self.back();
                // Ends this pass; nobody sees it.
                Err(Diagnostic::error(Code::PromptCancelled, "back to the previous question").into())
            }
        }
    }

    /// Whether the answers are right; if not, which of them still count.
    fn is_accepted(&mut self, title: &str) -> Result<bool> {
        match self.person.review(title, &self.answered)? {
            Verdict::Accepted => return Ok(true),
            Verdict::Back => self.back(),
            Verdict::Change(at) => {
                self.keep_all();
                if let Some(changed) = self.answered.get(at) {
                    self.kept.remove(&changed.placeholder.name);
                }
            }
        }
        Ok(false)
    }

    fn back(&mut self) {
        self.keep_all();
        if let Some(last) = self.answered.last() {
            self.kept.remove(&last.placeholder.name);
        }
    }

    fn keep_all(&mut self) {
        let named = |it: &Answered| (it.placeholder.name.clone(), it.clone());
        for it in &self.answered {
            // Who took a default is offered the one that there is then.
            if it.placeholder.default().as_ref() == Some(&it.answer) {
                self.drafts.remove(&it.placeholder.name);
            } else {
                self.drafts.insert(it.placeholder.name.clone(), it.answer.clone());
            }
        }
        self.kept = self.answered.iter().map(named).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answers::given::GivenValues;
    use crate::manifest::{self, Manifest};

    /// A person's next action: their words, `<` to go back, `+` to accept all answers, `1` to change that of the second question.
    struct Script {
        replies: Vec<&'static str>,
        /// What was asked: the names, with the draft or the default that is offered.
        seen: Vec<String>,
    }

    impl Script {
        fn next(&mut self) -> &'static str {
            self.replies.remove(0)
        }
    }

    impl Person for Script {
        fn ask(&mut self, question: &Question<'_>) -> Result<Reply> {
            let Question { placeholder, draft, .. } = question;
            let offered = draft.cloned().or_else(|| placeholder.default()).map(|it| it.to_string()).unwrap_or_default();
            self.seen.push(format!("{}({offered})", placeholder.name));
            match self.next() {
                "<" => Ok(Reply::Back),
                "" => Ok(Reply::Answer(placeholder.default().unwrap())),
                text => Ok(Reply::Answer(placeholder.parse(text).unwrap())),
            }
        }

        fn review(&mut self, title: &str, answered: &[Answered]) -> Result<Verdict> {
            let shown: Vec<String> = answered.iter().map(|it| it.answer.to_string()).collect();
            self.seen.push(format!("{title} {}", shown.join(" ")));
            Ok(match self.next() {
                "+" => Verdict::Accepted,
                "<" => Verdict::Back,
                at => Verdict::Change(at.parse().unwrap()),
            })
        }
    }

    const TEMPLATE: &str = r#"
        [placeholders]
        title = { prompt = "Title?" }
        db = { prompt = "Database?", type = "bool" }
        db_name = { prompt = "Its name?" }
        mode = { prompt = "Mode?", choices = ["fast", "safe"] }
        [create-app.placeholders.db_name]
        when = "db"
        default = "{{ title }}-db"
    "#;

    fn manifest() -> Manifest {
        manifest::read("cargo-generate.toml", TEMPLATE).unwrap().0
    }

    /// The answers in the end, and what was seen on the way.
    fn run(title: Option<&str>, replies: &[&'static str]) -> (Vec<String>, Vec<String>) {
        let mut script = Script { replies: replies.to_vec(), seen: Vec::new() };
        let (manifest, given) = (manifest(), GivenValues::new());
        let resolve = |ask: &mut Ask<'_>| crate::answers::resolve(&manifest, BTreeMap::new(), &given, ask);
        let resolved = interview(&mut script, title, resolve).unwrap();
        assert!(script.replies.is_empty(), "{:?}", script.seen);
        (resolved.answers.iter().map(|(name, answer)| format!("{name}={answer}")).collect(), script.seen)
    }

    #[test]
    fn going_back_offers_what_was_answered_and_goes_on_from_there() {
        let (answers, seen) = run(None, &["a", "true", "<", "<", "b", "true", "", "fast"]);
        assert_eq!(answers, ["db=true", "db_name=b-db", "mode=fast", "title=b"]);
        let expected =
            ["title()", "db()", "db_name(a-db)", "db(true)", "title(a)", "db(true)", "db_name(b-db)", "mode()"];
        assert_eq!(seen, expected);
    }

    #[test]
    fn an_answer_is_changed_in_the_end_and_only_what_follows_from_it_is_asked_again() {
        let (answers, seen) = run(Some("All?"), &["a", "false", "fast", "1", "true", "", "0", "b", "", "+"]);
        assert_eq!(answers, ["db=true", "db_name=b-db", "mode=fast", "title=b"]);
        let expected = [
            "title()",
            "db()",
            "mode()",
            "All? a false fast",
            "db(false)",
            "db_name(a-db)",
            "All? a true a-db fast",
            "title(a)",
            // Its default is another one now.
            "db_name(b-db)",
            "All? b true b-db fast",
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_question_that_no_longer_applies_has_no_answer() {
        let (answers, seen) = run(Some("All?"), &["a", "true", "x", "fast", "1", "false", "<", "safe", "+"]);
        assert_eq!(answers, ["db=false", "mode=safe", "title=a"]);
        assert_eq!(seen[5..], ["db(true)", "All? a false fast", "mode(fast)", "All? a false safe"]);
    }

    #[test]
    fn without_a_question_there_is_nothing_to_review() {
        let manifest = manifest::read("cargo-generate.toml", "").unwrap().0;
        let mut script = Script { replies: Vec::new(), seen: Vec::new() };
        let given = GivenValues::new();
        let resolve = |ask: &mut Ask<'_>| crate::answers::resolve(&manifest, BTreeMap::new(), &given, ask);
        interview(&mut script, Some("All?"), resolve).unwrap();
        assert!(script.seen.is_empty());
    }
}
