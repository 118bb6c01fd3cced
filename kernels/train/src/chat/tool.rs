//! What a tool is to the generator: its schema, what people ask for, what it answers, and what is said then.

use fastrand::Rng;
use serde_json::{Map, Value, json};

/// What fills a slot.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fill {
    /// One of these.
    Of(&'static [&'static str]),
    /// A whole number in a range.
    Number(i64, i64),
    /// A path of a file.
    Path,
    /// A day.
    Date,
    /// An hour.
    Time,
    /// An address of a person.
    Email,
    /// A few hexadecimal digits.
    Hex,
}

/// A named value of one conversation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) fill: Fill,
}

/// A tool; `{name}` in its sentences is the value of that slot.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tool {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) arguments: &'static [Slot],
    /// What the result says.
    pub(super) facts: &'static [Slot],
    pub(super) asks: &'static [&'static str],
    pub(super) answers: &'static [&'static str],
}

const STEMS: &[&str] = &[
    "main", "config", "server", "parser", "report", "notes", "index", "utils", "test_api", "schema", "client",
    "readme", "budget", "cache", "router", "model", "worker", "queue",
];
const FOLDERS: &[&str] = &["src", "docs", "tests", "lib", "data", "app", "scripts", "core", "web"];
const ENDINGS: &[&str] = &["rs", "py", "md", "toml", "json", "txt", "csv", "ts", "go", "yaml"];
pub(super) const NAMES: &[&str] = &[
    "anna", "ben", "carla", "david", "elena", "felix", "grace", "hugo", "iris", "jonas", "karin", "leo", "mara",
    "nils", "olga", "paul", "rosa", "sam", "tina", "uwe", "vera", "will", "yara", "zoe",
];

pub(super) fn one<'a, T: ?Sized>(rng: &mut Rng, from: &[&'a T]) -> &'a T {
    from[rng.usize(..from.len())]
}

impl Fill {
    pub(super) fn value(self, rng: &mut Rng) -> Value {
        match self {
            Self::Of(texts) => json!(one(rng, texts)),
            Self::Number(low, high) => json!(rng.i64(low..=high)),
            Self::Path => json!(format!("{}/{}.{}", one(rng, FOLDERS), one(rng, STEMS), one(rng, ENDINGS))),
            Self::Date => json!(format!("2026-{:02}-{:02}", rng.u8(1..=12), rng.u8(1..=28))),
            Self::Time => json!(format!("{:02}:{}0", rng.u8(7..=20), rng.u8(0..=5))),
            Self::Email => json!(format!("{}@example.{}", one(rng, NAMES), one(rng, &["com", "org", "net"]))),
            Self::Hex => json!(format!("{:06x}", rng.u32(..1 << 24))),
        }
    }

    fn kind(self) -> &'static str {
        if matches!(self, Self::Number(..)) { "integer" } else { "string" }
    }
}

impl Tool {
    /// The tool as a list of tools shows it.
    pub(super) fn schema(&self) -> Value {
        let properties: Map<String, Value> = self
            .arguments
            .iter()
            .map(|it| (it.name.to_owned(), json!({"type": it.fill.kind(), "description": it.about})))
            .collect();
        let required: Vec<&str> = self.arguments.iter().map(|it| it.name).collect();
        let parameters = json!({"type": "object", "properties": properties, "required": required});
        json!({"name": self.name, "description": self.about, "parameters": parameters})
    }
}

/// Values of slots, in their order.
pub(super) fn fill(slots: &[Slot], rng: &mut Rng) -> Map<String, Value> {
    slots.iter().map(|it| (it.name.to_owned(), it.fill.value(rng))).collect()
}

/// A sentence with its slots filled.
pub(super) fn say(sentence: &str, values: &Map<String, Value>) -> String {
    values.iter().fold(sentence.to_owned(), |text, (name, value)| {
        let spoken = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        text.replace(&format!("{{{name}}}"), &spoken)
    })
}
