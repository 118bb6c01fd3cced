//! What a prompt asks, found in its text as a model would have to.

use tollgate_planners::batch::Format;

/// What there is to answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Question {
    pub labels: Vec<String>,
    pub format: Format,
    /// Number and text of each input, in the order of the prompt.
    pub inputs: Vec<(usize, String)>,
}

pub(super) fn read(system: &str, user: &str) -> Question {
    let format = if system.contains("{\"labels\":") { Format::Json } else { Format::Lines };
    Question { labels: labels(system), format, inputs: user.lines().filter_map(input).collect() }
}

/// The list under `Answers:`, up to the first line that is no entry of it.
fn labels(system: &str) -> Vec<String> {
    let lines = system.lines().skip_while(|line| *line != "Answers:").skip(1);
    let entries = lines.map_while(|line| line.strip_prefix("- "));
    entries.map(|entry| entry.split_once(": ").map_or(entry, |(name, _)| name).to_owned()).collect()
}

/// `Input 3: "text"`.
fn input(line: &str) -> Option<(usize, String)> {
    let (number, text) = line.strip_prefix("Input ")?.split_once(": ")?;
    Some((number.parse().ok()?, serde_json::from_str(text).ok()?))
}
