//! A request in no wire format: what all of them can say, and beside it what only one of them says.

use std::fmt;

use super::{extras::Extras, json::Json};

/// Where something came from or goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    OpenAiChat,
    OpenAiResponses,
    Anthropic,
}

/// Who reads a signature or an encrypted thought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vendor {
    OpenAi,
    Anthropic,
}

impl Format {
    pub fn vendor(self) -> Vendor {
        if self == Self::Anthropic { Vendor::Anthropic } else { Vendor::OpenAi }
    }

    /// As a refusal names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::OpenAiChat => "OpenAI's chat completions",
            Self::OpenAiResponses => "OpenAI's responses",
            Self::Anthropic => "Anthropic's messages",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Request {
    /// The format that it came in.
    pub format: Format,
    pub model: String,
    pub is_stream: bool,
    /// Whether a stream ends with its usage; only chat completions may leave it out.
    pub has_usage: bool,
    pub messages: Vec<Message>,
    pub tools: Vec<Tool>,
    pub tool_choice: Option<ToolChoice>,
    pub parallel_tool_calls: Option<bool>,
    pub max_tokens: Option<u64>,
    pub temperature: Option<Json>,
    pub top_p: Option<Json>,
    pub top_k: Option<Json>,
    pub stop: Vec<String>,
    pub reasoning: Reasoning,
    pub output: Output,
    /// `low`, `medium` or `high`.
    pub verbosity: Option<String>,
    /// Who the end user is, in the caller's words.
    pub user: Option<String>,
    /// What only some formats have.
    pub extras: Extras,
    /// Members of the caller's body that its format repeats in every response.
    pub echo: Vec<(&'static str, Json)>,
}

impl Request {
    pub fn new(format: Format, model: String) -> Self {
        Self {
            format,
            model,
            is_stream: false,
            has_usage: true,
            messages: Vec::new(),
            tools: Vec::new(),
            tool_choice: None,
            parallel_tool_calls: None,
            max_tokens: None,
            temperature: None,
            top_p: None,
            top_k: None,
            stop: Vec::new(),
            reasoning: Reasoning::default(),
            output: Output::Text,
            verbosity: None,
            user: None,
            extras: Extras::default(),
            echo: Vec::new(),
        }
    }
}

/// A place in the caller's body: `messages[3].content[1]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    list: &'static str,
    item: Option<u32>,
    part: Option<u32>,
}

impl At {
    pub fn item(list: &'static str, item: usize) -> Self {
        Self { list, item: u32::try_from(item).ok(), part: None }
    }

    pub fn whole(list: &'static str) -> Self {
        Self { list, item: None, part: None }
    }

    /// Whether it is a part of an item and not the item itself.
    pub fn is_part(self) -> bool {
        self.part.is_some()
    }

    pub fn part(self, part: usize) -> Self {
        Self { part: u32::try_from(part).ok(), ..self }
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.list)?;
        match (self.item, self.part) {
            (Some(item), Some(part)) => write!(f, "[{item}].content[{part}]"),
            (Some(item), None) => write!(f, "[{item}]"),
            (None, Some(part)) => write!(f, "[{part}]"),
            (None, None) => Ok(()),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    System,
    Developer,
    /// Also the one who hands in the results of tools.
    User,
    Assistant,
}

#[derive(Clone, Debug)]
pub struct Message {
    pub role: Role,
    pub parts: Vec<Part>,
    pub at: At,
    pub extras: Extras,
}

#[derive(Clone, Debug)]
pub struct Part {
    pub kind: PartKind,
    pub at: At,
    pub extras: Extras,
}

impl Part {
    pub fn new(kind: PartKind, at: At) -> Self {
        Self { kind, at, extras: Extras::default() }
    }

    pub fn text(&self) -> Option<&str> {
        if let PartKind::Text(text) = &self.kind { Some(text) } else { None }
    }
}

#[derive(Clone, Debug)]
pub enum PartKind {
    Text(String),
    /// The model's own words for not answering.
    Refusal(String),
    Image {
        source: Source,
        detail: Option<String>,
    },
    File {
        source: Source,
        name: Option<String>,
    },
    Reasoning(Thought),
    ToolCall(ToolCall),
    ToolResult(ToolResult),
    /// What only one format has, as it came.
    Native {
        format: Format,
        kind: String,
        json: Json,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Url(String),
    /// Base64 and what it is, `image/png`.
    Data {
        media_type: String,
        data: String,
    },
    /// A file that lies with a vendor.
    Id {
        vendor: Vendor,
        id: String,
    },
}

/// A stretch of reasoning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Thought {
    /// The reasoning itself or its summary, paragraph by paragraph.
    pub texts: Vec<String>,
    /// What lets `vendor` take it up again: a signature over the text, or the thought itself, encrypted.
    pub seal: Option<Seal>,
    /// OpenAI's id of the item.
    pub id: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seal {
    /// Anthropic's, over a text.
    Signature(String),
    /// Anthropic's, in place of a text.
    Redacted(String),
    /// OpenAI's `encrypted_content`.
    Encrypted(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolCall {
    pub id: String,
    pub name: String,
    /// JSON as text, as the model wrote it.
    pub arguments: String,
}

#[derive(Clone, Debug)]
pub struct ToolResult {
    pub call_id: String,
    pub parts: Vec<Part>,
    pub is_error: bool,
}

#[derive(Clone, Debug)]
pub struct Tool {
    pub kind: ToolKind,
    pub at: At,
    pub extras: Extras,
}

#[derive(Clone, Debug)]
pub enum ToolKind {
    Function(Function),
    /// A tool of the vendor, as it came.
    Native {
        format: Format,
        kind: String,
        name: Option<String>,
        json: Json,
    },
}

impl Tool {
    pub fn name(&self) -> Option<&str> {
        match &self.kind {
            ToolKind::Function(function) => Some(&function.name),
            ToolKind::Native { name, .. } => name.as_deref(),
        }
    }
}

#[derive(Clone, Debug)]
pub struct Function {
    pub name: String,
    pub description: Option<String>,
    /// A JSON schema.
    pub parameters: Option<Json>,
    pub is_strict: Option<bool>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToolChoice {
    Auto,
    None,
    /// Some tool must be called.
    Required,
    /// This tool must be called.
    Named(String),
    /// Only these may be called, or one of them must.
    Allowed {
        names: Vec<String>,
        is_required: bool,
    },
    /// What only one format has, as it came.
    Native {
        format: Format,
        json: Json,
    },
}

/// How much the model is to think before it answers.
#[derive(Clone, Debug, Default)]
pub struct Reasoning {
    /// Anthropic's `thinking.type`: `enabled`, `adaptive`, `disabled`, ...
    pub mode: Option<String>,
    /// `none`, `minimal`, `low`, `medium`, `high`, `xhigh`, `max`.
    pub effort: Option<String>,
    pub budget_tokens: Option<u64>,
    pub extras: Extras,
}

#[derive(Clone, Debug)]
pub enum Output {
    Text,
    JsonObject,
    JsonSchema { name: Option<String>, description: Option<String>, schema: Json, is_strict: Option<bool> },
}
