//! Templates of models whose prompt format is public, in words of our own: the same text from less jinja.
//!
//! Each was compared with the model's own template, rendered by Jinja2; the differences are named beside it.

use std::sync::OnceLock;

use super::{ChatTemplate, Controls, TemplateError, TemplateSource};

/// The format of one line of models.
pub struct TemplateEntry {
    /// The name shown to users and written in configuration.
    pub name: &'static str,
    /// The tokenizer that goes with it.
    pub tokenizer: &'static str,
    /// Beginnings of the names of its models, without the owner; the longest one counts.
    pub prefixes: &'static [&'static str],
    /// Where text becomes control tokens on the usual servers.
    controls_rule: Controls,
    jinja: &'static str,
    /// Variables of the template: control tokens, and what differs between models of the line.
    variables: &'static [(&'static str, &'static str)],
    /// Tokens that the template writes as one, besides the tokenizer's control tokens.
    controls: &'static [&'static str],
    compiled: OnceLock<Result<ChatTemplate, TemplateError>>,
}

impl TemplateEntry {
    const fn new(
        name: &'static str,
        tokenizer: &'static str,
        prefixes: &'static [&'static str],
        jinja: &'static str,
    ) -> Self {
        Self {
            name,
            tokenizer,
            prefixes,
            controls_rule: Controls::Spelled,
            jinja,
            variables: &[],
            controls: &[],
            compiled: OnceLock::new(),
        }
    }

    const fn with(
        mut self,
        variables: &'static [(&'static str, &'static str)],
        controls: &'static [&'static str],
    ) -> Self {
        self.variables = variables;
        self.controls = controls;
        self
    }

    const fn placed(mut self) -> Self {
        self.controls_rule = Controls::Placed;
        self
    }

    /// The template with this name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<&'static Self> {
        TEMPLATES.iter().find(|entry| entry.name == name)
    }

    /// The template of a model, where it is known. Owners before the name do not matter.
    #[must_use]
    pub fn of_model(model: &str) -> Option<&'static Self> {
        let name = model.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        let length = |entry: &&Self| {
            entry.prefixes.iter().filter(|prefix| name.starts_with(**prefix)).map(|prefix| prefix.len()).max()
        };
        TEMPLATES.iter().filter(|entry| length(entry).is_some()).max_by_key(length)
    }

    /// The template, compiled at first use.
    ///
    /// # Errors
    /// None: a test compiles every entry.
    pub fn template(&self) -> Result<&ChatTemplate, TemplateError> {
        self.compiled.get_or_init(|| self.compile()).as_ref().map_err(Clone::clone)
    }

    fn compile(&self) -> Result<ChatTemplate, TemplateError> {
        let source = TemplateSource {
            template: self.jinja.to_owned(),
            tool_use: None,
            tokens: self.variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect(),
            controls: self.controls.iter().map(|it| (*it).to_owned()).collect(),
        };
        Ok(ChatTemplate::from_source(&source)?.with_rule(self.controls_rule))
    }
}

/// Every format that is known.
pub static TEMPLATES: &[TemplateEntry] = &ENTRIES;

static ENTRIES: [TemplateEntry; 19] = [
    TemplateEntry::new("qwen2.5", "qwen3", &["qwen2", "qwen-2"], include_str!("qwen.jinja")).with(
        &[("default_system", "You are Qwen, created by Alibaba Cloud. You are a helpful assistant.")],
        QWEN_2_TOKENS,
    ),
    TemplateEntry::new("qwen3", "qwen3", &["qwen3", "qwen-3", "qwq"], include_str!("qwen.jinja"))
        .with(&[("thinks", "yes")], QWEN_TOKENS),
    TemplateEntry::new(
        "qwen3-instruct",
        "qwen3",
        &["qwen3-30b-a3b-instruct", "qwen3-235b-a22b-instruct", "qwen3-4b-instruct", "qwen3-next-80b-a3b-instruct"],
        include_str!("qwen.jinja"),
    )
    .with(&[], QWEN_TOKENS),
    TemplateEntry::new(
        "deepseek-v3",
        "deepseek_v3",
        &["deepseek-v3", "deepseek-chat"],
        include_str!("deepseek_v3.jinja"),
    )
    .with(&[("bos_token", "<｜begin▁of▁sentence｜>")], DEEPSEEK_TOKENS),
    TemplateEntry::new("deepseek-r1", "deepseek_v3", &["deepseek-r1"], include_str!("deepseek_v3.jinja"))
        .with(&[("bos_token", "<｜begin▁of▁sentence｜>"), ("opening", "")], DEEPSEEK_TOKENS),
    TemplateEntry::new("deepseek-reasoner", "deepseek_v3", &["deepseek-reasoner"], include_str!("deepseek_v3.jinja"))
        .with(&[("bos_token", "<｜begin▁of▁sentence｜>"), ("opening", "<think>\n")], DEEPSEEK_TOKENS),
    TemplateEntry::new("deepseek-r1-llama", LLAMA_3, &["deepseek-r1-distill-llama"], include_str!("deepseek_v3.jinja"))
        .with(&[("bos_token", "<｜begin▁of▁sentence｜>"), ("opening", "<think>\n")], DISTILLED_TOKENS),
    TemplateEntry::new("deepseek-v3.1", "deepseek_v3", &["deepseek-v3.1"], include_str!("deepseek_v31.jinja"))
        .with(&[("bos_token", "<｜begin▁of▁sentence｜>")], DEEPSEEK_TOKENS),
    TemplateEntry::new("deepseek-v4", "deepseek_v3", &["deepseek-v4"], include_str!("deepseek_v4.jinja"))
        .with(&[("bos_token", "<｜begin▁of▁sentence｜>")], DEEPSEEK_TOKENS),
    TemplateEntry::new("llama3", LLAMA_3, &["llama-3", "llama3", "meta-llama-3"], include_str!("llama3.jinja"))
        .with(&[("bos_token", "<|begin_of_text|>")], LLAMA_3_TOKENS),
    TemplateEntry::new(
        "llama3.1",
        LLAMA_3,
        &["llama-3.1", "llama3.1", "meta-llama-3.1", "llama-3.3", "llama3.3"],
        include_str!("llama31.jinja"),
    )
    .with(&[("bos_token", "<|begin_of_text|>"), ("date_string", "26 Jul 2024")], LLAMA_3_TOKENS),
    TemplateEntry::new("llama3.2", LLAMA_3, &["llama-3.2", "llama3.2"], include_str!("llama31.jinja"))
        .with(&[("bos_token", "<|begin_of_text|>")], LLAMA_3_TOKENS),
    TemplateEntry::new("glm-4.6", "glm4", &["glm-4.5", "glm-4.6", "zai-glm-4.6"], include_str!("glm46.jinja"))
        .with(&[], GLM_TOKENS),
    TemplateEntry::new("glm-4.7", "glm4", &["glm-4.7", "zai-glm-4.7"], include_str!("glm47.jinja"))
        .with(&[], GLM_TOKENS),
    TemplateEntry::new("gemma3", GEMMA_3, &["gemma-3", "gemma3"], include_str!("gemma3.jinja"))
        .with(&[("bos_token", "<bos>")], &["<start_of_turn>", "<end_of_turn>", "<start_of_image>"]),
    TemplateEntry::new("kimi-k2", KIMI, &["kimi-k2"], include_str!("kimi_k2.jinja")).with(&[], KIMI_TOKENS),
    TemplateEntry::new("mistral-v1", "mistral_v1", &["mixtral-8x7b", "mistral-7b"], include_str!("mistral_v1.jinja"))
        .with(&[("bos_token", "<s>"), ("eos_token", "</s>")], &[])
        .placed(),
    TemplateEntry::new(
        "mistral-v13",
        "tekken",
        &["mistral-small", "mistral-medium", "mistral-large", "mistral-tiny", "magistral", "ministral", "devstral"],
        include_str!("mistral_v13.jinja"),
    )
    .with(&[("bos_token", "<s>"), ("eos_token", "</s>")], MISTRAL_TOKENS)
    .placed(),
    TemplateEntry::new(
        "mistral-v15",
        "tekken",
        &["mistral-small-latest", "mistral-small-2603", "mistral-small-4", "magistral-small-latest"],
        include_str!("mistral_v13.jinja"),
    )
    .with(&[("bos_token", "<s>"), ("eos_token", "</s>"), ("settings", "yes")], MISTRAL_TOKENS)
    .placed(),
];

/// A vocabulary that is a feature of the build, or the nearest one.
const LLAMA_3: &str = if cfg!(feature = "llama3") { "llama3" } else { "cl100k_base" };
const GEMMA_3: &str = if cfg!(feature = "gemma3") { "gemma3" } else { "gemma4" };
const KIMI: &str = if cfg!(feature = "kimi") { "kimi_k2" } else { "o200k_base" };

/// Of the published `added_tokens`; Qwen 2.5 has no token for thoughts and results.
const QWEN_2_TOKENS: &[&str] = &["<tool_call>", "</tool_call>"];
const QWEN_TOKENS: &[&str] =
    &["<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>", "<think>", "</think>"];

const DEEPSEEK_TOKENS: &[&str] = &[
    "<think>",
    "</think>",
    "｜DSML｜",
    "<｜tool▁calls▁begin｜>",
    "<｜tool▁calls▁end｜>",
    "<｜tool▁call▁begin｜>",
    "<｜tool▁call▁end｜>",
    "<｜tool▁outputs▁begin｜>",
    "<｜tool▁outputs▁end｜>",
    "<｜tool▁output▁begin｜>",
    "<｜tool▁output▁end｜>",
    "<｜tool▁sep｜>",
];

/// The tokens of R1 that a model of Llama's or Qwen's vocabulary has.
const DISTILLED_TOKENS: &[&str] =
    &["<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>", "<think>", "</think>"];

const LLAMA_3_TOKENS: &[&str] =
    &["<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|eom_id|>", "<|python_tag|>"];

const GLM_TOKENS: &[&str] = &[
    "<think>",
    "</think>",
    "<tool_call>",
    "</tool_call>",
    "<tool_response>",
    "</tool_response>",
    "<arg_key>",
    "</arg_key>",
    "<arg_value>",
    "</arg_value>",
    "/nothink",
];

const KIMI_TOKENS: &[&str] = &[
    "<|im_end|>",
    "<|im_user|>",
    "<|im_assistant|>",
    "<|im_system|>",
    "<|im_middle|>",
    "<|tool_calls_section_begin|>",
    "<|tool_calls_section_end|>",
    "<|tool_call_begin|>",
    "<|tool_call_argument_begin|>",
    "<|tool_call_end|>",
];

const MISTRAL_TOKENS: &[&str] = &[
    "[SYSTEM_PROMPT]",
    "[/SYSTEM_PROMPT]",
    "[TOOL_CONTENT]",
    "[CALL_ID]",
    "[ARGS]",
    "[THINK]",
    "[/THINK]",
    "[MODEL_SETTINGS]",
    "[/MODEL_SETTINGS]",
];
