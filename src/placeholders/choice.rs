//! One of the possible answers to a question.

/// A possible answer: what is recorded and rendered, and what a person sees instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The answer.
    pub value: String,
    /// The text that a prompt shows for it; the answer itself where there is none.
    pub label: Option<String>,
}

impl Choice {
    /// The text that a prompt shows.
    #[must_use]
    pub fn shown(&self) -> &str {
        self.label.as_deref().filter(|label| !label.trim().is_empty()).unwrap_or(&self.value)
    }
}

impl From<String> for Choice {
    fn from(value: String) -> Self {
        Self { value, label: None }
    }
}

impl From<&str> for Choice {
    fn from(value: &str) -> Self {
        value.to_owned().into()
    }
}

/// The answers alone.
pub fn values(choices: &[Choice]) -> impl Iterator<Item = &str> {
    choices.iter().map(|choice| choice.value.as_str())
}
