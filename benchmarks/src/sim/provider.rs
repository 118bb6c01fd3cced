//! A simulated model as a provider sees it: the messages of a chat in, text and usage out.

use std::collections::BTreeMap;

use tollgate_planners::batch::{Usage, answer_line, mix, whole_answer};
use tollgate_tokenizers::Tokenizer;

use super::{
    faults::{Fate, FaultRates, Injected},
    model::{CONFIDENT_MARGIN, PLACE_EFFECT, Place, margin, text_hash},
    params::{Fit, MODELS},
    read::{Question, read},
};

/// Tokens of a request besides its texts; as planners take it by default.
const FRAME: u64 = 16;
/// The vocabulary that usage is told in.
const TOKENIZER: &str = "o200k_base";
const PREFIX: &str = "sim:";

/// Who says something in a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Instructions; `system` or `developer` on the wire.
    System,
    /// A question.
    User,
    /// An answer.
    Assistant,
}

/// One message of a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who says it.
    pub role: Role,
    /// What is said.
    pub text: String,
}

/// What a simulated model answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The answer.
    pub text: String,
    /// What it is charged.
    pub usage: Usage,
    /// What was spoilt in it.
    pub injected: Injected,
    /// It broke off at the limit of output.
    pub cut: bool,
}

/// The name is none of [`MODELS`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown simulated model `{0}`; known ones are {known}", known = known())]
pub struct UnknownModel(String);

fn known() -> String {
    let names: Vec<String> = MODELS.iter().map(|fit| format!("{PREFIX}{}", fit.name)).collect();
    names.join(", ")
}

/// A simulated model.
#[derive(Debug, Clone)]
pub struct Simulator {
    fit: &'static Fit,
    seed: u64,
    /// What goes wrong.
    pub faults: FaultRates,
    /// Whether an only input stands in the middle, as the formula has it, or nowhere: the published accuracies of
    /// single prompts are fitted better without.
    pub lone_place: bool,
    truths: BTreeMap<u64, String>,
    tokenizer: Option<Tokenizer>,
}

impl Simulator {
    /// The model of this name, with or without `sim:`. Another seed is another sample of difficulties.
    ///
    /// # Errors
    /// [`UnknownModel`].
    pub fn by_name(name: &str, seed: u64) -> Result<Self, UnknownModel> {
        let short = name.strip_prefix(PREFIX).unwrap_or(name);
        let fit = MODELS.iter().find(|fit| fit.name == short).ok_or_else(|| UnknownModel(name.to_owned()))?;
        let tokenizer = Tokenizer::by_name(TOKENIZER).ok();
        Ok(Self { fit, seed, faults: FaultRates::default(), lone_place: true, truths: BTreeMap::new(), tokenizer })
    }

    /// Tells the right answer of a text. Of others the right answer follows from the text itself, so that a
    /// [`dataset`](super::dataset()) needs none.
    pub fn tell(&mut self, text: &str, label: &str) {
        self.truths.insert(text_hash(text), label.to_owned());
    }

    /// What it is fitted to.
    #[must_use]
    pub fn fit(&self) -> &'static Fit {
        self.fit
    }

    /// Answers the last question of a chat, within `max_output_tokens`.
    #[must_use]
    pub fn answer(&self, messages: &[Message], max_output_tokens: Option<u64>) -> Reply {
        let of = |role: Role| move |message: &&Message| message.role == role;
        let system: Vec<&str> = messages.iter().filter(of(Role::System)).map(|it| it.text.as_str()).collect();
        let user = messages.iter().rev().find(of(Role::User)).map_or("", |it| it.text.as_str());
        let question = read(&system.join("\n"), user);
        let (mut text, injected) = self.say(&question);
        let most = max_output_tokens.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
        let end = self.tokenizer.map_or(text.len(), |it| it.prefix_within(&text, most));
        let cut = end < text.len();
        text.truncate(end);
        let count = |text: &str| self.tokenizer.map_or(0, |it| it.count(text) as u64);
        let input_tokens = FRAME + messages.iter().map(|message| count(&message.text)).sum::<u64>();
        let usage = Usage { input_tokens, output_tokens: count(&text), cached_input_tokens: 0 };
        Reply { text, usage, injected, cut }
    }

    fn say(&self, question: &Question) -> (String, Injected) {
        let hashes: Vec<u64> = question.inputs.iter().map(|(_, text)| text_hash(text)).collect();
        let order = mix(&hashes);
        let mut injected = Injected::default();
        let fates: Vec<Fate> = hashes.iter().map(|hash| self.faults.fate(self.seed, *hash, order)).collect();
        let told = |place: usize| matches!(fates[place], Fate::Fine | Fate::Duplicate);
        let mut places: Vec<usize> = (0..hashes.len()).collect();
        injected.shuffled = self.faults.shuffle([self.seed, order], &mut places, told);
        let mut lines = String::new();
        for place in places {
            let at = Place { place, size: hashes.len(), order };
            let lone = if at.size == 1 && !self.lone_place { PLACE_EFFECT / 3.0 } else { 0.0 };
            let margin = margin(self.fit, self.seed, hashes[place], at) + lone;
            self.write(question, place, margin, (fates[place], &mut injected), &mut lines);
        }
        (whole_answer(question.format, &lines), injected)
    }

    fn write(&self, question: &Question, place: usize, margin: f64, fate: (Fate, &mut Injected), lines: &mut String) {
        let (number, text) = &question.inputs[place];
        let hash = text_hash(text);
        let label = |right: bool| self.label(&question.labels, hash, right);
        let is_sure = margin.abs() > CONFIDENT_MARGIN;
        let line = |number: usize, label: &str| answer_line(question.format, number, label, is_sure);
        let (fate, injected) = fate;
        match fate {
            Fate::Fine => lines.push_str(&line(*number, &label(margin > 0.0))),
            Fate::Missing => injected.missing += 1,
            Fate::Duplicate => {
                injected.duplicate += 1;
                lines.push_str(&line(*number, &label(true)));
                lines.push_str(&line(*number, &label(false)));
            }
            Fate::OutOfRange => {
                injected.out_of_range += 1;
                lines.push_str(&line(*number + 1_000, &label(margin > 0.0)));
            }
            Fate::Unparsable => {
                injected.unparsable += 1;
                lines.push_str(&line(*number, "it depends"));
            }
        }
    }

    fn label(&self, labels: &[String], input: u64, right: bool) -> String {
        let by_text = |label: &&String| mix(&[input, text_hash(label)]);
        let truth = self.truths.get(&input).or_else(|| labels.iter().max_by_key(by_text));
        let Some(truth) = truth else { return if right { "right".to_owned() } else { "wrong".to_owned() } };
        let other = labels.iter().filter(|label| *label != truth).max_by_key(by_text);
        if right { truth.clone() } else { other.unwrap_or(truth).clone() }
    }

    /// The right answer of a text.
    #[must_use]
    pub fn truth(&self, labels: &[String], text: &str) -> String {
        self.label(labels, text_hash(text), true)
    }
}
