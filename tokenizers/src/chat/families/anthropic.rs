//! Claude, which publishes no tokenizer: a few features of o200k's tokens, fitted on recorded requests, and calibrated
//! online. Every number of a [`Generation`] is a fit; `docs/tokens.md` says on how many recordings.
//!
//! What tools add to the system prompt is published for some models
//! (<https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/overview>, "Pricing"); recordings agree.

use super::openai;
use crate::{
    Tokenizer,
    chat::{
        count::{Kind, Ledger, RequestCount, Slack, What},
        images::ImageRule,
        request::{Content, Message, Request, Role, Tool, ToolChoice},
        tools::ToolCounts,
    },
};

/// What one generation of models charges.
struct Generation {
    name: &'static str,
    /// Around the first message, and around each further one.
    first: f64,
    further: f64,
    /// For what [`words`] makes of a text.
    token: f64,
    /// Where the model thinks first.
    thinking: f64,
    /// The system prompt for tools: at will, where one must be called, and what it says about several at once.
    tools: f64,
    tools_forced: f64,
    parallel: f64,
    /// For what such words cost in a tool's name and description and in its schema, and for the tool.
    description: f64,
    schema: f64,
    tool: f64,
    /// Around a call with its result, and for what their words cost.
    call: f64,
    call_token: f64,
    /// For an output schema, and for a token of it.
    response: f64,
    response_token: f64,
}

const CLAUDE_4: Generation = Generation {
    name: "claude-4",
    first: 7.0,
    further: 3.0,
    token: 1.0,
    thinking: 29.0,
    tools: 321.0,
    tools_forced: 296.0,
    parallel: 0.0,
    description: 1.05,
    schema: 1.21,
    tool: 8.0,
    call: 58.0,
    call_token: 0.92,
    response: 88.0,
    response_token: 2.03,
};

const CLAUDE_3: Generation = Generation { name: "claude-3", tools: 271.0, tools_forced: 290.0, ..CLAUDE_4 };

const CLAUDE_4_5: Generation =
    Generation { name: "claude-4.5", tools: 503.0, tools_forced: 598.0, parallel: 195.0, ..CLAUDE_4 };

/// A new tokenizer: the same text falls into more tokens.
const CLAUDE_5: Generation = Generation {
    name: "claude-5",
    token: 1.23,
    thinking: 0.0,
    tools: 400.0,
    tools_forced: 500.0,
    parallel: 0.0,
    ..CLAUDE_4
};

pub(super) fn count_3(tokenizer: Tokenizer, request: &Request) -> RequestCount {
    count(&CLAUDE_3, tokenizer, request)
}

pub(super) fn count_4(tokenizer: Tokenizer, request: &Request) -> RequestCount {
    count(&CLAUDE_4, tokenizer, request)
}

pub(super) fn count_4_5(tokenizer: Tokenizer, request: &Request) -> RequestCount {
    count(&CLAUDE_4_5, tokenizer, request)
}

pub(super) fn count_5(tokenizer: Tokenizer, request: &Request) -> RequestCount {
    count(&CLAUDE_5, tokenizer, request)
}

fn count(rule: &Generation, tokenizer: Tokenizer, request: &Request) -> RequestCount {
    let mut ledger = Ledger::default();
    for (idx, each) in request.messages.iter().enumerate() {
        ledger.add(What::Message(idx), rounded(message(rule, tokenizer, each)));
    }
    let each = |it: &Tool| rounded(tool(rule, tokenizer, it));
    request.tools.counted(rule.name, tokenizer, |tools| ToolCounts::of(tools, each, 0)).note(&mut ledger);
    if let Some(response) = &request.response {
        let tokens = tokenizer.count(&response.schema.to_string()) as f64;
        ledger.add(What::ResponseSchema, rounded(rule.response + rule.response_token * tokens));
    }
    openai::images(ImageRule::Area, request, &mut ledger);
    ledger.add(What::Frame, rounded(frame(rule, request)));
    RequestCount::new(Kind::Calibrated, ledger, Slack { tokens: 6, permille: 120 }, request)
}

fn rounded(tokens: f64) -> i64 {
    tokens.round() as i64
}

fn message(rule: &Generation, tokenizer: Tokenizer, message: &Message) -> f64 {
    let of = |content: &Content| match content {
        Content::Text(text) => words(rule, tokenizer, text),
        Content::Call(call) => {
            let arguments = words(rule, tokenizer, &openai::compact(&call.arguments));
            rule.call + rule.call_token * (words(rule, tokenizer, &call.name) + arguments)
        }
        Content::Result(result) => rule.call_token * words(rule, tokenizer, &result.text),
        Content::Image(_) => 0.0,
    };
    let around = if message.role.instructs() { 0.0 } else { rule.further };
    around + message.content.iter().map(of).sum::<f64>()
}

fn words(rule: &Generation, tokenizer: Tokenizer, text: &str) -> f64 {
    let extras: f64 = tokenizer.encode(text).into_iter().map(|id| 1.0 + extra(tokenizer, id)).sum();
    let cut_off = CONTRACTION * contractions(text) + HUMP * humps(text);
    rule.token * (extras + cut_off + NUMBER * numbers(text))
}

/// Ids of o200k are ranks: from here on its tokens are too rare for Claude's smaller vocabulary, and fall apart.
const RARE: u32 = 65_000;
const RARE_EXTRA: f64 = 1.35;

/// Ends of lines are tokens of their own there, also after punctuation.
const LINE_EXTRA: f64 = 1.08;

/// So are the apostrophe and what it cuts off, and now and then the space before a number.
const CONTRACTION: f64 = 1.0;
const NUMBER: f64 = 0.5;

/// Words in capitals are rarer in o200k than there.
const RARE_SHOUTED_EXTRA: f64 = 1.0;

/// Words within a word (`OpenTelemetry`) are tokens of their own there more often.
const HUMP: f64 = 1.1;

/// What a token of o200k costs beyond one.
fn extra(tokenizer: Tokenizer, id: u32) -> f64 {
    let bytes = tokenizer.token(id).unwrap_or_default();
    let line = bytes.contains(&b'\n') && !bytes.iter().all(u8::is_ascii_whitespace);
    let rare = match id > RARE {
        true if is_shouted(bytes) => RARE_SHOUTED_EXTRA,
        true => RARE_EXTRA,
        false => 0.0,
    };
    rare + if line { LINE_EXTRA } else { 0.0 }
}

/// Capitals alone, behind a space or not.
fn is_shouted(token: &[u8]) -> bool {
    let word = token.strip_prefix(b" ").unwrap_or(token);
    word.len() >= 3 && word.iter().all(u8::is_ascii_uppercase)
}

fn contractions(text: &str) -> f64 {
    let within = |it: &&[u8]| it[0].is_ascii_alphabetic() && it[1] == b'\'' && it[2].is_ascii_alphabetic();
    text.as_bytes().windows(3).filter(within).count() as f64
}

fn humps(text: &str) -> f64 {
    let is_hump = |it: &&[u8]| it[0].is_ascii_lowercase() && it[1].is_ascii_uppercase();
    text.as_bytes().windows(2).filter(is_hump).count() as f64
}

fn numbers(text: &str) -> f64 {
    text.as_bytes().windows(2).filter(|it| it[0] == b' ' && it[1].is_ascii_digit()).count() as f64
}

fn tool(rule: &Generation, tokenizer: Tokenizer, tool: &Tool) -> f64 {
    let described = words(rule, tokenizer, &tool.name) + words(rule, tokenizer, &tool.description);
    let schema = words(rule, tokenizer, &tool.parameters.to_string());
    rule.tool + rule.description * described + rule.schema * schema
}

/// What is written before an answer to nobody.
const ANSWER_FIRST: f64 = 11.0;

fn frame(rule: &Generation, request: &Request) -> f64 {
    let forced = matches!(request.tool_choice, ToolChoice::Required | ToolChoice::Named(_));
    let tools = match (request.tools.is_empty(), forced) {
        (true, _) => 0.0,
        (false, false) => rule.tools,
        (false, true) => rule.tools_forced,
    };
    let thinking = if request.thinking { rule.thinking } else { 0.0 };
    // An answer that the client began is not closed.
    let begun = request.messages.last().is_some_and(|message| message.role == Role::Assistant);
    let open = if begun { rule.further } else { 0.0 };
    let one_by_one = if tools > 0.0 && !forced && !request.parallel_calls { rule.parallel } else { 0.0 };
    // A conversation that the model begins gets a beginning.
    let answers_first = request.messages.iter().find(|message| !message.role.instructs());
    let begins = answers_first.is_some_and(|message| message.role == Role::Assistant);
    let beginning = if begins && request.messages.len() > 1 { ANSWER_FIRST } else { 0.0 };
    rule.first - rule.further - open + beginning + tools - one_by_one + thinking
}
