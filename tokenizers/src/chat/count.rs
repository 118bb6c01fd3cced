//! What a count says: the total, how sure it is, and which part costs what.

use super::request::Request;

/// How a count was come by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A rule that gives the very number of the provider wherever it could be checked.
    ExactRule,
    /// A published prompt template, counted in the model's own vocabulary.
    Template,
    /// Factors fitted on what providers charged.
    Calibrated,
}

/// What a part of a request is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The message with this index.
    Message(usize),
    /// The tool with this index.
    Tool(usize),
    /// The picture in the message with this index.
    Image(usize),
    /// The schema of the answer.
    ResponseSchema,
    /// What the provider writes around the rest.
    Frame,
}

/// One part and its price.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Part {
    /// What it is.
    pub what: What,
    /// Its tokens. A frame can be below zero: where two texts meet, tokens merge.
    pub tokens: i64,
}

/// What a whole request costs in input tokens.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct RequestCount {
    /// The sum of the parts.
    pub total: usize,
    /// How it was come by.
    pub kind: Kind,
    /// How far off it may be; `None` where something in the request has no bound.
    pub error_bound: Option<usize>,
    /// Where the tokens go.
    pub parts: Vec<Part>,
}

impl RequestCount {
    /// Closes a ledger; `slack` is the family's own doubt about the total.
    pub(super) fn new(kind: Kind, ledger: Ledger, slack: Slack, request: &Request) -> Self {
        let total = usize::try_from(ledger.total()).unwrap_or(0);
        let uncounted = request.uncounted.iter().map(|it| it.bound);
        let unknown = uncounted.chain([ledger.doubt]).try_fold(0, |sum: usize, bound| Some(sum.saturating_add(bound?)));
        let error_bound = unknown.map(|bound| bound.saturating_add(slack.of(total)));
        Self { total, kind, error_bound, parts: ledger.parts }
    }
}

/// The doubt about a total: so many tokens, and so many in a thousand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slack {
    pub tokens: usize,
    pub permille: usize,
}

impl Slack {
    pub const fn of(self, total: usize) -> usize {
        self.tokens.saturating_add(total.saturating_mul(self.permille) / 1000)
    }
}

/// Parts as they are found.
#[derive(Debug)]
pub(super) struct Ledger {
    parts: Vec<Part>,
    /// How far off parts of unknown size may be, together; `None` where nothing bounds one.
    doubt: Option<usize>,
}

impl Default for Ledger {
    fn default() -> Self {
        Self { parts: Vec::new(), doubt: Some(0) }
    }
}

impl Ledger {
    /// Adds what a part of unknown size may cost besides what it was taken for.
    pub fn doubt(&mut self, tokens: Option<usize>) {
        self.doubt = self.doubt.zip(tokens).map(|(sum, tokens)| sum.saturating_add(tokens));
    }

    /// Adds a part; parts that cost nothing are not worth a line.
    pub fn add(&mut self, what: What, tokens: i64) {
        if tokens != 0 {
            self.parts.push(Part { what, tokens });
        }
    }

    pub fn total(&self) -> i64 {
        self.parts.iter().fold(0, |sum, part| sum.saturating_add(part.tokens))
    }
}

/// A count as a signed number, for sums in which frames may be below zero.
pub(super) fn signed(tokens: usize) -> i64 {
    i64::try_from(tokens).unwrap_or(i64::MAX)
}
