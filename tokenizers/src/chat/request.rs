//! A request to a language model, free of any provider's wire format. It is only read and counted, never sent.

use serde_json::{Map, Value};

use super::tools::Tools;

/// The wire format that a request came in; the same messages cost differently in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// `POST /v1/chat/completions`.
    OpenaiChat,
    /// `POST /v1/responses`.
    OpenaiResponses,
    /// `POST /v1/messages`.
    Anthropic,
    /// `models/*:generateContent`.
    Gemini,
    /// `POST /model/*/converse` of Amazon Bedrock.
    BedrockConverse,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 5] =
        [Self::OpenaiChat, Self::OpenaiResponses, Self::Anthropic, Self::Gemini, Self::BedrockConverse];

    /// The name shown to users and written on command lines.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenaiChat => "openai-chat",
            Self::OpenaiResponses => "openai-responses",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
            Self::BedrockConverse => "bedrock-converse",
        }
    }

    /// The format with this name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }
}

/// All that enters the context window.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The wire format it was read from.
    pub format: Format,
    /// The model asked for, where the body names one.
    pub model: Option<String>,
    /// Messages in order; instructions that travel in a field of their own come first, as the system's.
    pub messages: Vec<Message>,
    /// Functions that the model may call.
    pub tools: Tools,
    /// Whether it must call one.
    pub tool_choice: ToolChoice,
    /// Whether it may call several at once.
    pub parallel_calls: bool,
    /// The schema that the answer must follow.
    pub response: Option<ResponseSchema>,
    /// Whether the model is asked to think before it answers.
    pub thinking: bool,
    /// What the body sets for the model's chat template (`chat_template_kwargs`, `enable_thinking`).
    pub template_options: Map<String, Value>,
    /// What is in the request, or referred to by it, and cannot be counted.
    pub uncounted: Vec<Uncounted>,
}

impl Request {
    /// A request with nothing in it.
    #[must_use]
    pub fn empty(format: Format) -> Self {
        Self {
            format,
            model: None,
            messages: Vec::new(),
            tools: Tools::default(),
            tool_choice: ToolChoice::Auto,
            parallel_calls: true,
            response: None,
            thinking: false,
            template_options: Map::new(),
            uncounted: Vec::new(),
        }
    }

    /// Whether a tool was called before.
    #[must_use]
    pub fn has_calls(&self) -> bool {
        self.contents().any(|content| matches!(content, Content::Call(_) | Content::Result(_)))
    }

    /// Whether there is an image.
    #[must_use]
    pub fn has_images(&self) -> bool {
        self.contents().any(|content| matches!(content, Content::Image(_)))
    }

    /// All contents of all messages.
    pub fn contents(&self) -> impl Iterator<Item = &Content> {
        self.messages.iter().flat_map(|message| &message.content)
    }
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Instructions, under whatever name.
    System,
    /// Instructions under the name that OpenAI gave them later.
    Developer,
    /// The person.
    User,
    /// The model.
    Assistant,
    /// The result of a call.
    Tool,
}

impl Role {
    /// The word that is written into the prompt.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Developer => "developer",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
        }
    }

    /// Whether these are instructions.
    #[must_use]
    pub const fn instructs(self) -> bool {
        matches!(self, Self::System | Self::Developer)
    }
}

/// One turn.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// The speaker's own name, where given.
    pub name: Option<String>,
    /// What is said, in order.
    pub content: Vec<Content>,
    /// What the model thought before it said so, where the body gives it back.
    pub reasoning: String,
}

impl Message {
    /// A message of a speaker without a name.
    #[must_use]
    pub const fn new(role: Role, content: Vec<Content>) -> Self {
        Self { role, name: None, content, reasoning: String::new() }
    }

    /// All its text, as it stands in the prompt: parts follow each other without a gap.
    #[must_use]
    pub fn text(&self) -> String {
        let texts = self.content.iter().filter_map(|content| match content {
            Content::Text(text) => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }

    /// The calls it makes.
    pub fn calls(&self) -> impl Iterator<Item = &ToolCall> {
        self.content.iter().filter_map(|content| match content {
            Content::Call(call) => Some(call),
            _ => None,
        })
    }
}

/// A piece of a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Words.
    Text(String),
    /// A picture.
    Image(Image),
    /// The model calls a tool.
    Call(ToolCall),
    /// What a tool answered.
    Result(ToolResult),
}

/// A picture, as far as its price goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Image {
    /// Width and height in pixels, where known.
    pub size: Option<(u32, u32)>,
    /// How closely the model looks.
    pub detail: Detail,
}

/// How closely the model looks at a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Detail {
    /// A thumbnail.
    Low,
    /// All of it.
    #[default]
    High,
}

/// A call of a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolCall {
    /// The id that its result refers to; empty where the format has none.
    pub id: String,
    /// The tool.
    pub name: String,
    /// Its arguments, as JSON text.
    pub arguments: String,
}

/// The answer to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolResult {
    /// The id of the call.
    pub id: String,
    /// The tool that answered; empty where the call is not in the request.
    pub name: String,
    /// What it said.
    pub text: String,
}

/// A function that the model may call.
#[derive(Debug, Clone, PartialEq)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// What it does; empty where nobody says.
    pub description: String,
    /// The JSON schema of its arguments; null where it takes none.
    pub parameters: Value,
    /// The function's other fields, such as `strict`: servers of open models write them into the prompt too.
    pub rest: Map<String, Value>,
}

/// Whether the model must call a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolChoice {
    /// As it likes.
    Auto,
    /// It must not.
    None,
    /// It must call some tool.
    Required,
    /// It must call this one.
    Named(String),
}

/// A schema that the answer must follow.
#[derive(Debug, Clone, PartialEq)]
pub struct ResponseSchema {
    /// Its name, where the format has one.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The JSON schema.
    pub schema: Value,
    /// Whether the provider holds the model to it token by token.
    pub strict: bool,
}

/// Something that costs tokens which cannot be told from the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uncounted {
    /// Where it stands.
    pub path: String,
    /// What it is.
    pub what: String,
    /// The most tokens that it can cost; `None` where nothing bounds it.
    pub bound: Option<usize>,
}
