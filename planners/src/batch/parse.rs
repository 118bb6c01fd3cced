//! Reading an answer: by number, never by position, and nothing is taken from a neighbour.

use serde::{Deserialize, Serialize};

use super::{
    Format,
    labels::{Labels, Word},
    task::plain,
};

/// How many opening braces of an answer are tried, over the number of items.
const SPARE_BRACES: usize = 64;

/// What was wrong with answers, each thing counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Faults {
    /// Items without an answer.
    pub missing: u64,
    /// Answers for an item that had one already.
    pub duplicate: u64,
    /// Of these, the ones that contradicted it, so that the item is asked again.
    pub contradictory: u64,
    /// Answers for a number that no item has.
    pub out_of_range: u64,
    /// Answers that are none of the labels.
    pub unparsable: u64,
    /// Answers that stood behind one with a higher number. They are as good as others.
    pub out_of_order: u64,
}

impl Faults {
    pub(super) fn add(&mut self, other: Self) {
        self.missing += other.missing;
        self.duplicate += other.duplicate;
        self.contradictory += other.contradictory;
        self.out_of_range += other.out_of_range;
        self.unparsable += other.unparsable;
        self.out_of_order += other.out_of_order;
    }
}

/// One item's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub word: Word,
    pub confident: bool,
}

/// What an answer says of each of `n_items`; `None` where it says nothing that could be used.
pub(super) fn parse(labels: &Labels, format: Format, n_items: usize, text: &str) -> (Vec<Option<Said>>, Faults) {
    let entries = match format {
        Format::Lines => text.lines().filter_map(line).collect(),
        Format::Json => objects(text, n_items),
    };
    let mut reading = Reading { slots: vec![Slot::Nothing; n_items], faults: Faults::default(), highest: None };
    for entry in entries {
        reading.take(labels, &entry);
    }
    reading.finish()
}

struct Entry {
    number: Option<usize>,
    label: String,
    confident: bool,
}

#[derive(Clone)]
enum Slot {
    Nothing,
    Unusable,
    Answer(Said),
    Contradiction,
}

struct Reading {
    slots: Vec<Slot>,
    faults: Faults,
    highest: Option<usize>,
}

impl Reading {
    fn take(&mut self, labels: &Labels, entry: &Entry) {
        let Some(number) = entry.number.filter(|number| *number < self.slots.len()) else {
            self.faults.out_of_range += 1;
            return;
        };
        let is_first = matches!(self.slots[number], Slot::Nothing);
        self.faults.out_of_order += u64::from(is_first && self.highest.is_some_and(|highest| highest > number));
        self.highest = self.highest.max(Some(number));
        let said = labels.word(&entry.label).map(|word| Said { word, confident: entry.confident });
        let slot = &mut self.slots[number];
        *slot = match (std::mem::replace(slot, Slot::Nothing), said) {
            (Slot::Nothing, None) => Slot::Unusable,
            (Slot::Nothing, Some(said)) => Slot::Answer(said),
            (before, said) => self.faults.again(before, said),
        };
    }

    fn finish(mut self) -> (Vec<Option<Said>>, Faults) {
        let mut said = Vec::with_capacity(self.slots.len());
        for slot in self.slots {
            self.faults.missing += u64::from(matches!(slot, Slot::Nothing));
            self.faults.unparsable += u64::from(matches!(slot, Slot::Unusable));
            said.push(if let Slot::Answer(answer) = slot { Some(answer) } else { None });
        }
        (said, self.faults)
    }
}

impl Faults {
    /// An item was answered again: the same answer changes nothing, another one leaves none.
    fn again(&mut self, before: Slot, said: Option<Said>) -> Slot {
        self.duplicate += 1;
        match (before, said) {
            (Slot::Answer(first), Some(second)) if first.word == second.word => {
                Slot::Answer(Said { confident: first.confident && second.confident, ..first })
            }
            (Slot::Unusable, None) => Slot::Unusable,
            (Slot::Contradiction, _) => Slot::Contradiction,
            _ => {
                self.contradictory += 1;
                Slot::Contradiction
            }
        }
    }
}

/// `Label for Input 3: [yes] (not confident)`, with or without marks of lists and emphasis.
fn line(text: &str) -> Option<Entry> {
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '-' | '*' | '#' | '>' | '`'));
    let rest = strip_word(strip_word(strip_word(text, "label")?, "for")?, "input")?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = rest.split_at(digits);
    let rest = rest.trim_start_matches(['*', '`', ' ']).strip_prefix(':')?;
    let (label, confident) = confidence(rest);
    Some(Entry { number: number.parse().ok(), label: label.to_owned(), confident })
}

fn strip_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let head = text.get(..word.len())?;
    head.eq_ignore_ascii_case(word).then(|| text[word.len()..].trim_start_matches([' ', '\t', '#']))
}

/// The label, and whether the model is confident of it; without a word on it, it is not.
fn confidence(rest: &str) -> (&str, bool) {
    let trimmed = rest.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '.' | '*' | '`'));
    let inside = trimmed.strip_suffix(')').and_then(|it| it.rsplit_once('('));
    match inside.map(|(label, word)| (label, plain(word))) {
        Some((label, word)) if word == "confident" => (label, true),
        Some((label, word)) if word == "not confident" => (label, false),
        _ => (rest, false),
    }
}

#[derive(Deserialize)]
struct Object {
    input: serde_json::Value,
    label: serde_json::Value,
    #[serde(default)]
    confident: bool,
}

/// The objects of an answer in JSON, also of one that was cut off or that stands between other text.
fn objects(text: &str, n_items: usize) -> Vec<Entry> {
    let most = n_items.saturating_mul(2).saturating_add(SPARE_BRACES);
    let mut found = Vec::new();
    let mut from = 0;
    for _ in 0..most {
        let Some(at) = text[from..].find('{').map(|at| from + at) else { break };
        let mut values = serde_json::Deserializer::from_str(&text[at..]).into_iter::<Object>();
        from = match values.next() {
            Some(Ok(object)) => {
                found.push(entry(object));
                at + values.byte_offset().max(1)
            }
            _ => at + 1,
        };
    }
    found
}

fn entry(object: Object) -> Entry {
    let number = match &object.input {
        serde_json::Value::String(number) => number.trim().parse().ok(),
        other => other.as_u64().and_then(|number| usize::try_from(number).ok()),
    };
    let label = match object.label {
        serde_json::Value::String(label) => label,
        other => other.to_string(),
    };
    Entry { number, label, confident: object.confident }
}
