//! A response object, in and out, and its usage.

use crate::protocols::{
    extras::Extras,
    json::{Json, Node, Object, Tape},
    openai,
    refusal::ApiError,
    request::{At, Format, Part, PartKind, Thought, ToolCall},
    response::{Asked, Response, Stop, StopReason, Usage},
    seal,
};

const FORMAT: Format = Format::OpenAiResponses;

/// A `reasoning` item: the summary, or the thought itself where a server tells it.
pub fn thought(node: Node<'_>) -> Thought {
    let texts = |key| -> Vec<String> {
        node.get(key).iter().flat_map(|it| it.items()).map(|it| it.text_of("text").into_owned()).collect()
    };
    let string = |key| node.get(key).and_then(Node::str).map(String::from);
    let seal = string("encrypted_content").filter(|it| !it.is_empty()).map(seal::from_openai);
    Thought { texts: texts("summary"), seal, id: string("id") }
}

pub fn write_thought(out: &mut Object<'_>, thought: &Thought, id: Option<&str>) {
    out.opt_str("id", id).str("type", "reasoning");
    let mut summary = out.array("summary");
    for text in &thought.texts {
        summary.object().str("type", "summary_text").str("text", text);
    }
    drop(summary);
    if let Some(it) = &thought.seal {
        out.str("encrypted_content", &seal::for_openai(it));
    }
}

pub fn decode(bytes: &[u8]) -> Result<Response, ApiError> {
    let text = std::str::from_utf8(bytes).map_err(|_| ApiError::bad_answer("it is not UTF-8"))?;
    let tape = Tape::parse(text).map_err(|error| ApiError::bad_answer(error.what))?;
    let body = tape.root();
    if let Some(error) = body.get("error").and_then(|_| openai::error_in(body, 200)) {
        return Err(error);
    }
    let output = body.get("output").ok_or_else(|| ApiError::bad_answer("it has no output"))?;
    let mut parts = Vec::new();
    for (idx, item) in output.items().enumerate() {
        self::item(item, At::item("output", idx), &mut parts);
    }
    let calls_tools = parts.iter().any(|it| matches!(it.kind, PartKind::ToolCall(_)));
    Ok(Response {
        id: body.text_of("id").into_owned(),
        model: body.text_of("model").into_owned(),
        stop: stop(body, calls_tools),
        parts,
        usage: body.get("usage").map(usage),
        extras: Extras::default(),
    })
}

/// Why the response `body` ended.
pub fn stop(body: Node<'_>, calls_tools: bool) -> Stop {
    let reason = body.get("incomplete_details").map(|it| it.text_of("reason")).unwrap_or_default();
    Stop::from(match (&*body.text_of("status"), &*reason) {
        ("incomplete", "content_filter") => StopReason::Filter,
        ("incomplete", _) => StopReason::MaxTokens,
        _ if calls_tools => StopReason::ToolCalls,
        _ => StopReason::End,
    })
}

fn item(node: Node<'_>, at: At, parts: &mut Vec<Part>) {
    let kind = node.text_of("type");
    match &*kind {
        "message" => {
            for content in node.get("content").iter().flat_map(|it| it.items()) {
                let text = |key| content.text_of(key).into_owned();
                let is_refusal = content.text_of("type") == "refusal";
                let kind = if is_refusal { PartKind::Refusal(text("refusal")) } else { PartKind::Text(text("text")) };
                let extras = Extras::of(content, FORMAT, &["type", "text", "refusal"]);
                parts.push(Part { kind, at, extras });
            }
        }
        "reasoning" => parts.push(Part::new(PartKind::Reasoning(thought(node)), at)),
        "function_call" => {
            let text = |key| node.text_of(key).into_owned();
            let call = ToolCall { id: text("call_id"), name: text("name"), arguments: text("arguments") };
            parts.push(Part::new(PartKind::ToolCall(call), at));
        }
        _ => {
            let native = PartKind::Native { format: FORMAT, kind: kind.into_owned(), json: Json::of(node) };
            parts.push(Part::new(native, at));
        }
    }
}

pub fn encode(response: &Response, asked: &Asked) -> Vec<u8> {
    let items = Item::of(&response.parts);
    let mut body = Vec::new();
    let envelope =
        Envelope { asked, model: &response.model, status: Status::of(Some(&response.stop)), usage: response.usage };
    envelope.write(&mut Object::new(&mut body), &items);
    body
}

/// How far a response or an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    InProgress,
    Completed,
    /// With the reason.
    Incomplete(&'static str),
}

impl Status {
    pub fn of(stop: Option<&Stop>) -> Self {
        match stop.map(|it| it.reason) {
            Some(StopReason::MaxTokens | StopReason::Window) => Self::Incomplete("max_output_tokens"),
            Some(StopReason::Filter) => Self::Incomplete("content_filter"),
            _ => Self::Completed,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Incomplete(_) => "incomplete",
        }
    }
}

/// An output item being told or whole.
#[derive(Clone, Debug)]
pub enum Item {
    /// Texts, and whether each is a refusal.
    Message(Vec<(String, bool)>),
    Reasoning(Thought),
    Call(ToolCall),
    Native(Json),
}

impl Item {
    /// Texts in a row share a message.
    fn of(parts: &[Part]) -> Vec<Self> {
        let mut items: Vec<Self> = Vec::new();
        for part in parts {
            let (text, is_refusal) = match &part.kind {
                PartKind::Text(text) => (text, false),
                PartKind::Refusal(text) => (text, true),
                PartKind::Reasoning(thought) => {
                    items.push(Self::Reasoning(thought.clone()));
                    continue;
                }
                PartKind::ToolCall(call) => {
                    items.push(Self::Call(call.clone()));
                    continue;
                }
                PartKind::Native { format: FORMAT, json, .. } => {
                    items.push(Self::Native(json.clone()));
                    continue;
                }
                _ => continue,
            };
            match items.last_mut() {
                Some(Self::Message(texts)) => texts.push((text.clone(), is_refusal)),
                _ => items.push(Self::Message(vec![(text.clone(), is_refusal)])),
            }
        }
        items
    }

    /// The id of the item number `idx`.
    pub fn id(&self, asked: &Asked, idx: usize) -> String {
        let prefix = match self {
            Self::Message(_) => "msg",
            Self::Reasoning(_) => "rs",
            Self::Call(_) => "fc",
            Self::Native(_) => "item",
        };
        format!("{prefix}_{}_{idx}", asked.id)
    }

    pub fn write(&self, out: &mut Object<'_>, id: &str, status: Status) {
        match self {
            Self::Message(texts) => {
                out.str("id", id).str("type", "message").str("status", status.word()).str("role", "assistant");
                let mut content = out.array("content");
                for (text, is_refusal) in texts {
                    write_content(&mut content.object(), text, *is_refusal);
                }
            }
            Self::Reasoning(thought) => write_thought(out, thought, Some(id)),
            Self::Call(call) => {
                out.str("id", id).str("type", "function_call").str("status", status.word());
                out.str("call_id", &call.id).str("name", &call.name).str("arguments", &call.arguments);
            }
            Self::Native(_) => {}
        }
    }
}

pub fn write_content(out: &mut Object<'_>, text: &str, is_refusal: bool) {
    if is_refusal {
        out.str("type", "refusal").str("refusal", text);
    } else {
        out.str("type", "output_text").str("text", text).raw("annotations", "[]").raw("logprobs", "[]");
    }
}

/// A response object around its items.
pub struct Envelope<'a> {
    pub asked: &'a Asked,
    pub model: &'a str,
    pub status: Status,
    pub usage: Option<Usage>,
}

/// Members that every response has, with what they are where the request did not say.
const DEFAULTS: &[(&str, &str)] = &[
    ("instructions", "null"),
    ("metadata", "{}"),
    ("parallel_tool_calls", "true"),
    ("previous_response_id", "null"),
    ("temperature", "null"),
    ("tool_choice", "\"auto\""),
    ("tools", "[]"),
    ("top_p", "null"),
];

impl Envelope<'_> {
    pub fn write(&self, out: &mut Object<'_>, items: &[Item]) {
        let asked = self.asked;
        out.prefixed("id", "resp_", &asked.id).str("object", "response").num("created_at", asked.created);
        out.str("status", self.status.word()).raw("error", "null");
        match self.status {
            Status::Incomplete(reason) => {
                out.object("incomplete_details").str("reason", reason);
            }
            _ => {
                out.raw("incomplete_details", "null");
            }
        }
        out.str("model", asked.model(self.model));
        let mut output = out.array("output");
        for (idx, item) in items.iter().enumerate() {
            // What cut the response off cut its last item.
            let is_last = idx + 1 == items.len();
            let status = if is_last || self.status == Status::InProgress { self.status } else { Status::Completed };
            match item {
                Item::Native(json) => output.raw(json.text()),
                _ => item.write(&mut output.object(), &item.id(asked, idx), status),
            }
        }
        drop(output);
        asked.echo.iter().for_each(|(key, value)| {
            out.json(key, value);
        });
        let absent = DEFAULTS.iter().filter(|(key, _)| asked.echo.iter().all(|(told, _)| told != key));
        absent.for_each(|(key, value)| {
            out.raw(key, value);
        });
        match &self.usage {
            Some(usage) => write_usage(&mut out.object("usage"), usage),
            None => {
                out.raw("usage", "null");
            }
        }
    }
}

pub fn usage(node: Node<'_>) -> Usage {
    let count = |under, key| node.get(under).map_or(0, |it| it.count_of(key));
    Usage {
        input: node.count_of("input_tokens"),
        cached: count("input_tokens_details", "cached_tokens"),
        cache_written: count("input_tokens_details", "cache_write_tokens"),
        cache_written_1h: 0,
        output: node.count_of("output_tokens"),
        reasoning: count("output_tokens_details", "reasoning_tokens"),
    }
}

pub fn write_usage(out: &mut Object<'_>, usage: &Usage) {
    out.num("input_tokens", usage.input);
    let mut input = out.object("input_tokens_details");
    input.num("cached_tokens", usage.cached).num("cache_write_tokens", usage.cache_written);
    drop(input);
    out.num("output_tokens", usage.output);
    out.object("output_tokens_details").num("reasoning_tokens", usage.reasoning);
    out.num("total_tokens", usage.input + usage.output);
}

pub fn usage_of(bytes: &[u8]) -> Option<Usage> {
    let tape = Tape::parse(std::str::from_utf8(bytes).ok()?).ok()?;
    tape.root().get("usage").map(usage)
}

/// The usage in one event of a stream: the last one has it.
pub fn usage_in(event: Node<'_>, _: Option<Usage>) -> Option<Usage> {
    event.get("response").and_then(|it| it.get("usage")).map(usage)
}
