//! Whole conversations: a system prompt with the list of tools, requests, calls, results and answers.

use fastrand::Rng;
use serde_json::{Value, json};

use super::{
    generic::generic,
    pyjson::to_json,
    talk::talk,
    tool::{Tool, fill, one, say},
    tools::TOOLS,
};
use crate::{
    corpus::{CHAT, Document},
    tokenizer::{MESSAGE, MESSAGE_END},
};

const OPENINGS: &[&str] = &[
    "You are a helpful assistant.",
    "You are a helpful assistant. Use the tools when they help.",
    "You are an agent that works with tools. Be brief.",
    "Answer with the tools below.",
];

/// A conversation that is being written.
struct Writer(String);

impl Writer {
    fn message(&mut self, role: &str, content: &str) {
        self.0 += &format!("{MESSAGE}{role}\n{content}{MESSAGE_END}\n");
    }

    /// A request, the call, its result, the answer.
    fn round(&mut self, round: &Round) {
        self.message("user", &round.ask);
        let (name, arguments) = (&round.name, to_json(&round.arguments));
        let call = format!("<tool_call>\n{{\"name\": \"{name}\", \"arguments\": {arguments}}}\n</tool_call>");
        self.message("assistant", &call);
        self.message("tool", &to_json(&round.result));
        self.message("assistant", &round.answer);
    }
}

struct Round {
    name: String,
    schema: Value,
    ask: String,
    arguments: Value,
    result: Value,
    answer: String,
}

fn round(tool: &Tool, rng: &mut Rng) -> Round {
    let arguments = fill(tool.arguments, rng);
    let result = fill(tool.facts, rng);
    let mut values = arguments.clone();
    // An argument that the result names too is the argument.
    values.extend(result.clone().into_iter().filter(|(name, _)| !arguments.contains_key(name)));
    Round {
        name: tool.name.to_owned(),
        schema: tool.schema(),
        ask: say(one(rng, tool.asks), &values),
        answer: say(one(rng, tool.answers), &values),
        arguments: json!(arguments),
        result: json!(result),
    }
}

fn made_up(rng: &mut Rng) -> Round {
    let it = generic(rng);
    Round {
        name: it.name,
        schema: it.schema,
        ask: it.ask,
        arguments: it.arguments,
        result: it.result,
        answer: it.answer,
    }
}

/// `n` transcripts; the same for the same seed.
pub fn transcripts(seed: u64, n: usize) -> impl Iterator<Item = Document> {
    let mut rng = Rng::with_seed(seed);
    (0..n).map(move |_| Document { kind: CHAT.to_owned(), text: transcript(&mut rng) })
}

fn transcript(rng: &mut Rng) -> String {
    let mut writer = Writer(String::new());
    if rng.u8(..6) == 0 {
        if rng.bool() {
            writer.message("system", OPENINGS[0]);
        }
        for _ in 0..rng.usize(1..=4) {
            exchange(&mut writer, rng);
        }
        return writer.0;
    }
    let n_rounds = rng.usize(1..=4);
    let mut rounds: Vec<Round> = Vec::new();
    for _ in 0..n_rounds {
        // The tool of the round before comes again every second time, with other arguments.
        let last = rounds.last().and_then(|it| TOOLS.iter().find(|tool| tool.name == it.name));
        let next = match last.filter(|_| rng.bool()) {
            Some(tool) => round(tool, rng),
            None if rng.u8(..3) == 0 => made_up(rng),
            None => round(&TOOLS[rng.usize(..TOOLS.len())], rng),
        };
        rounds.push(next);
    }
    writer.message("system", &system(&rounds, rng));
    for round in &rounds {
        if rng.u8(..8) == 0 {
            exchange(&mut writer, rng);
        }
        writer.round(round);
    }
    writer.0
}

fn exchange(writer: &mut Writer, rng: &mut Rng) {
    let (ask, answer) = talk(rng);
    writer.message("user", &ask);
    writer.message("assistant", &answer);
}

/// The tools of all rounds and up to two others, in any order.
fn system(rounds: &[Round], rng: &mut Rng) -> String {
    let mut schemas: Vec<Value> = Vec::new();
    let others: Vec<Value> = (0..rng.usize(0..=2)).map(|_| TOOLS[rng.usize(..TOOLS.len())].schema()).collect();
    for schema in rounds.iter().map(|it| it.schema.clone()).chain(others) {
        if !schemas.iter().any(|it| it["name"] == schema["name"]) {
            schemas.push(schema);
        }
    }
    rng.shuffle(&mut schemas);
    let opening = one(rng, OPENINGS);
    let list: String = schemas.iter().map(|it| to_json(it) + "\n").collect();
    format!("{opening}\n# Tools\n{list}")
}
