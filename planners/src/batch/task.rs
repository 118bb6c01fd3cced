//! What is asked of every item: instructions, the labels to choose from, examples, and the form of the answer.

use serde::{Deserialize, Serialize};

/// The longest answer that is expected where a task names no labels, in tokens.
const FREE_ANSWER_TOKENS: u32 = 32;

/// One question, to be asked of many items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// What to do with each input, in the user's words. It comes first in every prompt, byte for byte the same.
    pub instructions: String,
    /// The answers to choose from; none where answers are free text.
    #[serde(default)]
    pub labels: Vec<Label>,
    /// Solved inputs. They are a turn of their own, before the items.
    #[serde(default)]
    pub examples: Vec<Example>,
    /// How the model is to answer.
    #[serde(default)]
    pub format: Format,
    /// The longest answer that is expected where there are no labels, in tokens.
    #[serde(default = "free_answer_tokens")]
    pub answer_tokens: u32,
}

fn free_answer_tokens() -> u32 {
    FREE_ANSWER_TOKENS
}

/// One of the answers to choose from; in JSON a name alone, or a name and what it means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "RawLabel")]
pub struct Label {
    /// As the model is to write it.
    pub name: String,
    /// When it is the right one; may be empty.
    pub meaning: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawLabel {
    Name(String),
    Both {
        name: String,
        #[serde(default)]
        meaning: String,
    },
}

impl From<RawLabel> for Label {
    fn from(raw: RawLabel) -> Self {
        match raw {
            RawLabel::Name(name) => Self { name, meaning: String::new() },
            RawLabel::Both { name, meaning } => Self { name, meaning },
        }
    }
}

/// A solved input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// The input.
    pub text: String,
    /// Its answer.
    pub label: String,
}

/// How the model is to answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// A line an item, `Label for Input 3: yes (confident)`, as in section 3 of arXiv 2309.00384.
    #[default]
    Lines,
    /// One JSON object; [`Prompt::schema`](super::Prompt::schema) is for providers with structured outputs.
    Json,
}

impl Task {
    /// A task of label lines, without examples.
    #[must_use]
    pub fn new(instructions: &str, labels: &[&str]) -> Self {
        let label = |name: &&str| Label { name: (*name).to_owned(), meaning: String::new() };
        Self {
            instructions: instructions.to_owned(),
            labels: labels.iter().map(label).collect(),
            examples: Vec::new(),
            format: Format::Lines,
            answer_tokens: FREE_ANSWER_TOKENS,
        }
    }

    /// Whether answers are free text.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.labels.is_empty()
    }
}

/// An answer as it is compared: without case, and without the marks that models put around labels.
pub(super) fn plain(answer: &str) -> String {
    let is_mark = |c: char| c.is_whitespace() || matches!(c, '[' | ']' | '"' | '\'' | '`' | '*' | '_' | '.' | ',');
    answer.trim_matches(is_mark).to_lowercase()
}
