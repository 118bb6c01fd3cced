//! Tokens that templates write as one, besides the control tokens that a tokenizer knows: of the published `added_tokens`.

/// Of the published `added_tokens`; Qwen 2.5 has no token for thoughts and results.
pub(super) const QWEN_2_TOKENS: &[&str] = &["<tool_call>", "</tool_call>"];
pub(super) const QWEN_TOKENS: &[&str] =
    &["<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>", "<think>", "</think>"];

pub(super) const DEEPSEEK_TOKENS: &[&str] = &[
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
pub(super) const DISTILLED_TOKENS: &[&str] =
    &["<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>", "<think>", "</think>"];

pub(super) const LLAMA_3_TOKENS: &[&str] =
    &["<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|eom_id|>", "<|python_tag|>"];

pub(super) const GLM_TOKENS: &[&str] = &[
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

pub(super) const KIMI_TOKENS: &[&str] = &[
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

pub(super) const MISTRAL_TOKENS: &[&str] = &[
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

pub(super) const LLAMA_4_TOKENS: &[&str] =
    &["<|begin_of_text|>", "<|header_start|>", "<|header_end|>", "<|eot|>", "<|eom|>", "<|image|>"];

pub(super) const MINIMAX_TOKENS: &[&str] =
    &["]~!b[", "]~b]", "[e~[", "<think>", "</think>", "<minimax:tool_call>", "</minimax:tool_call>"];

/// Of the formats of 2024, for vocabularies that know only the older ones.
pub(super) const MISTRAL_V7_TOKENS: &[&str] = &["[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]", "[TOOL_CONTENT]", "[IMG]"];
