//! Chat templates: the jinja that comes with an open model, rendered as `transformers` does and counted.
//!
//! A template is somebody else's program. It gets no IO and no clock but the one given, and it runs within bounds of
//! steps, depth and output that grow with the request and with nothing else.

mod builtin;
mod clock;
mod context;
mod count;
mod engine;
mod marks;
mod python;
mod source;
mod special;

use std::sync::{Arc, OnceLock};

use minijinja::Environment;
use serde_json::{Map, Value};

use super::request::Request;
use crate::Tokenizer;
pub use builtin::{TEMPLATES, TemplateEntry};
pub use source::TemplateSource;

/// The longest template that is taken.
const MAX_TEMPLATE_BYTES: usize = 1 << 20;

/// Why a template does not work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// The file holds no template.
    #[error(
        "no chat template in the file: {0}; give a `tokenizer_config.json`, a `chat_template.json` or a `chat_template.jinja`"
    )]
    NoTemplate(String),
    /// The template is longer than any known one.
    #[error("the chat template has {0} bytes, more than {MAX_TEMPLATE_BYTES}; give a shorter one")]
    TooLong(usize),
    /// It is no jinja.
    #[error("the chat template cannot be read: {0}; correct the template")]
    Syntax(String),
    /// It refuses the request with words of its own.
    #[error("the chat template refuses the request: {0}")]
    Refused(String),
    /// It takes too long, nests too deep or writes too much.
    #[error("the chat template was stopped: {0}; give one that does less")]
    Limit(String),
    /// It fails on the request.
    #[error("the chat template fails: {0}; correct the template or the request")]
    Failed(String),
}

/// Where text becomes control tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Controls {
    /// Wherever it spells one: vLLM, SGLang, TGI and llama.cpp tokenise the rendered prompt as one text, so that a user
    /// who writes `<|im_end|>` sends the control token. A count has to say what the server will count.
    Spelled,
    /// Only where the template put them: Mistral's own servers encode each text by itself.
    Placed,
}

/// What a template is told besides the request.
#[derive(Debug, Clone, Default)]
pub struct RenderOptions {
    /// The time, in seconds since 1970, that `strftime_now` shows; such a template fails without.
    pub now_unix_s: Option<i64>,
    /// Variables of the server's (`--chat-template-kwargs`); the request's own come after.
    pub variables: Map<String, Value>,
}

impl RenderOptions {
    /// For counts: some day of this century, since dates cost the same on all of them, or nearly.
    #[must_use]
    pub fn any_day() -> Self {
        Self { now_unix_s: Some(ANY_DAY_UNIX_S), ..Self::default() }
    }
}

/// The first of January 2026.
const ANY_DAY_UNIX_S: i64 = 1_767_225_600;

/// A template that was compiled, with the control tokens that it writes.
pub struct ChatTemplate {
    default: Environment<'static>,
    /// The one for requests with tools, where there are two.
    tool_use: Option<Environment<'static>>,
    tokens: Map<String, Value>,
    controls: special::Specials,
    /// These with those of the tokenizer that counted first, which is nearly always the only one.
    with_tokenizers: OnceLock<(Tokenizer, Arc<special::Specials>)>,
    rule: Controls,
    takes_parts: bool,
    near_permille: usize,
    tools_doubt: usize,
}

impl ChatTemplate {
    /// Compiles a jinja template.
    ///
    /// # Errors
    /// [`TemplateError`], with the line.
    pub fn new(template: &str) -> Result<Self, TemplateError> {
        Self::from_source(&TemplateSource::of_jinja(template))
    }

    /// Compiles the templates of a source, with its control tokens.
    ///
    /// # Errors
    /// [`TemplateError`], with the line.
    pub fn from_source(source: &TemplateSource) -> Result<Self, TemplateError> {
        let tool_use = source.tool_use.as_deref().map(engine::compile).transpose()?;
        Ok(Self {
            default: engine::compile(&source.template)?,
            tool_use,
            tokens: source.tokens.clone(),
            controls: special::Specials::new(source.controls.iter().map(String::as_str)),
            with_tokenizers: OnceLock::new(),
            rule: Controls::Spelled,
            takes_parts: context::takes_parts(&source.template),
            near_permille: 0,
            tools_doubt: 0,
        })
    }

    /// Says where text becomes control tokens; [`Controls::Spelled`] if nobody does.
    #[must_use]
    pub const fn with_rule(mut self, rule: Controls) -> Self {
        self.rule = rule;
        self
    }

    /// Says how far counts may be off besides what all are: in a thousand, where the vocabulary is only near the model's
    /// own, and by tokens that hosts write around tools.
    #[must_use]
    pub(super) const fn doubted(mut self, near_permille: usize, tools_doubt: usize) -> Self {
        self.near_permille = near_permille;
        self.tools_doubt = tools_doubt;
        self
    }

    /// The prompt that `request` becomes.
    ///
    /// # Errors
    /// [`TemplateError`], with the template's own words where it refuses.
    pub fn render(&self, request: &Request, options: &RenderOptions) -> Result<String, TemplateError> {
        self.render_marked(request, options, &marks::Marks::none())
    }

    /// Its control tokens and the tokenizer's.
    fn specials(&self, tokenizer: Tokenizer) -> Arc<special::Specials> {
        let made = || Arc::new(self.controls.with(tokenizer));
        let (first, specials) = self.with_tokenizers.get_or_init(|| (tokenizer, made()));
        if first.is(tokenizer) { Arc::clone(specials) } else { made() }
    }

    fn render_marked(
        &self,
        request: &Request,
        options: &RenderOptions,
        marks: &marks::Marks<'_>,
    ) -> Result<String, TemplateError> {
        let context = context::context(request, options, &self.tokens, self.takes_parts, marks);
        let environment = self.tool_use.as_ref().filter(|_| context::offers_tools(request)).unwrap_or(&self.default);
        engine::render(environment, context, options.now_unix_s)
    }
}
