//! What arXiv 2309.00384v3 reports, tables 3 to 6.

/// The rounds of the accuracy tables.
pub const ROUNDS: [u32; 5] = [1, 3, 5, 7, 9];

/// Majority votes after each of [`ROUNDS`].
pub struct Row {
    pub model: &'static str,
    pub size: u32,
    pub accuracy: [f64; 5],
    /// With one item a prompt.
    pub single: Option<f64>,
}

const fn row(model: &'static str, size: u32, accuracy: [f64; 5], single: f64) -> Row {
    Row { model, size, accuracy, single: Some(single) }
}

pub const PLAIN: &[Row] = &[
    row("boolq-gpt4", 32, [87.8, 89.7, 90.6, 90.6, 90.9], 90.6),
    row("boolq-gpt4", 64, [72.8, 76.8, 82.8, 85.3, 86.3], 90.6),
    row("rte-gpt4", 16, [90.3, 92.9, 92.6, 91.8, 91.5], 91.4),
    row("rte-gpt4", 32, [88.9, 88.1, 88.9, 90.3, 90.0], 91.4),
    row("rte-gpt4", 64, [80.7, 85.5, 87.7, 88.5, 88.1], 91.4),
    row("qqp-gpt4", 64, [84.7, 86.6, 85.0, 84.7, 85.0], 87.2),
    row("qqp-gpt35", 32, [69.7, 74.7, 77.5, 78.1, 76.6], 80.3),
];

/// With early stopping: accuracy and tokens.
pub struct Stopped {
    pub model: &'static str,
    pub size: u32,
    pub rounds: u32,
    pub accuracy: f64,
    tokens: f64,
    single_tokens: f64,
}

impl Stopped {
    /// Tokens over those of single-prompting, in percent, as the paper counts them.
    pub fn share(&self) -> f64 {
        self.tokens / self.single_tokens * 100.0
    }
}

const fn boolq(rounds: u32, accuracy: f64, tokens: f64) -> Stopped {
    Stopped { model: "boolq-gpt4", size: 32, rounds, accuracy, tokens, single_tokens: 384_946.0 }
}

const fn qqp(rounds: u32, accuracy: f64, tokens: f64) -> Stopped {
    Stopped { model: "qqp-gpt4", size: 160, rounds, accuracy, tokens, single_tokens: 171_401.0 }
}

pub const STOPPED: &[Stopped] = &[
    boolq(1, 88.1, 56_346.0),
    boolq(3, 90.3, 105_419.0),
    boolq(5, 90.9, 107_957.0),
    qqp(1, 85.3, 13_673.0),
    qqp(3, 86.3, 27_987.0),
    qqp(5, 86.6, 29_765.0),
];
