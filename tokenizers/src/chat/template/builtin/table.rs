//! The formats, one line each: which models have it, in which vocabulary, with which variables.

use super::{TemplateEntry, controls::*};

/// Every format that is known.
pub static TEMPLATES: &[TemplateEntry] = &ENTRIES;

static ENTRIES: [TemplateEntry; 31] = [
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
    TemplateEntry::new("qwen3-coder", "qwen3", &["qwen3-coder"], include_str!("qwen3_coder.jinja"))
        .with(&[], QWEN_TOKENS),
    // As Cerebras spells and serves it.
    TemplateEntry::new("qwen3-coder-2507", "qwen3", &["qwen-3-coder"], include_str!("qwen3_coder.jinja"))
        .with(&[("first_release", "yes")], QWEN_TOKENS),
    TemplateEntry::new(
        "deepseek-v3",
        "deepseek_v3",
        &["deepseek-v3", "deepseek-chat"],
        include_str!("deepseek_v3.jinja"),
    )
    .with(&[("bos_token", "<｜begin▁of▁sentence｜>")], DEEPSEEK_TOKENS),
    TemplateEntry::new("deepseek-r1", "deepseek_v3", &["deepseek-r1"], include_str!("deepseek_v3.jinja"))
        .with(&[("bos_token", "<｜begin▁of▁sentence｜>"), ("opening", "")], DEEPSEEK_TOKENS),
    TemplateEntry::new(
        "deepseek-reasoner",
        "deepseek_v3",
        &["deepseek-reasoner", "r1-v1"],
        include_str!("deepseek_v3.jinja"),
    )
    .with(&[("bos_token", "<｜begin▁of▁sentence｜>"), ("opening", "<think>\n")], DEEPSEEK_TOKENS),
    // Groq, which serves it under this name, leaves the answer to open the thought.
    TemplateEntry::new("deepseek-r1-llama", LLAMA_3, &["deepseek-r1-distill-llama"], include_str!("deepseek_v3.jinja"))
        .with(&[("bos_token", "<｜begin▁of▁sentence｜>"), ("opening", "")], DISTILLED_TOKENS)
        .near(LLAMA_3_PERMILLE),
    TemplateEntry::new("deepseek-r1-qwen", "qwen3", &["deepseek-r1-distill-qwen"], include_str!("deepseek_v3.jinja"))
        .with(&[("bos_token", "<｜begin▁of▁sentence｜>"), ("opening", "<think>\n")], DISTILLED_TOKENS),
    TemplateEntry::new("deepseek-v3.1", "deepseek_v3", &["deepseek-v3.1"], include_str!("deepseek_v31.jinja"))
        .with(&[("bos_token", "<｜begin▁of▁sentence｜>")], DEEPSEEK_TOKENS),
    TemplateEntry::new("deepseek-v4", "deepseek_v3", &["deepseek-v4"], include_str!("deepseek_v4.jinja"))
        .with(&[("bos_token", "<｜begin▁of▁sentence｜>")], DEEPSEEK_TOKENS),
    TemplateEntry::new("llama3", LLAMA_3, &["llama-3", "llama3", "meta-llama-3"], include_str!("llama3.jinja"))
        .with(&[("bos_token", "<|begin_of_text|>")], LLAMA_3_TOKENS)
        .near(LLAMA_3_PERMILLE),
    TemplateEntry::new(
        "llama3.1",
        LLAMA_3,
        &["llama-3.1", "llama3.1", "llama3-1", "meta-llama-3.1", "llama-3.3", "llama3.3", "llama3-3"],
        include_str!("llama31.jinja"),
    )
    .with(&[("bos_token", "<|begin_of_text|>"), ("date_string", "26 Jul 2024")], LLAMA_3_TOKENS)
    .near(LLAMA_3_PERMILLE),
    TemplateEntry::new("llama3.2", LLAMA_3, &["llama-3.2", "llama3.2", "llama3-2"], include_str!("llama31.jinja"))
        .with(&[("bos_token", "<|begin_of_text|>")], LLAMA_3_TOKENS)
        .near(LLAMA_3_PERMILLE),
    TemplateEntry::new("llama4", "o200k_base", &["llama-4", "llama4"], include_str!("llama4.jinja"))
        .with(&[("bos_token", "<|begin_of_text|>")], LLAMA_4_TOKENS)
        .near(NEAR_PERMILLE)
        // Groq puts 577 tokens of its own before them, another host 370 to 454.
        .doubting_tools(600),
    TemplateEntry::new("glm-4.6", "glm4", &["glm-4.5", "glm-4.6", "zai-glm-4.6"], include_str!("glm46.jinja"))
        .with(&[], GLM_TOKENS),
    TemplateEntry::new("glm-4.7", "glm4", &["glm-4.7", "zai-glm-4.7"], include_str!("glm47.jinja"))
        .with(&[], GLM_TOKENS),
    TemplateEntry::new("glm-5.2", "glm4", &["glm-5.2", "glm-5.3"], include_str!("glm52.jinja")).with(&[], GLM_TOKENS),
    TemplateEntry::new("gemma4", "gemma4", &["gemma-4", "gemma4"], include_str!("gemma4.jinja"))
        .with(&[("bos_token", "<bos>")], &[]),
    TemplateEntry::new("gemma3", GEMMA_3, &["gemma-3", "gemma3"], include_str!("gemma3.jinja"))
        .with(&[("bos_token", "<bos>")], &["<start_of_turn>", "<end_of_turn>", "<start_of_image>"])
        .near(GEMMA_3_PERMILLE),
    TemplateEntry::new("kimi-k2", KIMI, &["kimi-k2"], include_str!("kimi_k2.jinja"))
        .with(&[], KIMI_TOKENS)
        .near(KIMI_PERMILLE),
    TemplateEntry::new("kimi-k2-thinking", KIMI, &["kimi-k2-thinking"], include_str!("kimi_k2.jinja"))
        .with(&[("thinks", "yes")], KIMI_TOKENS)
        .near(KIMI_PERMILLE),
    TemplateEntry::new("minimax-m2", "o200k_base", &["minimax-m2"], include_str!("minimax_m2.jinja"))
        .with(&[], MINIMAX_TOKENS)
        .near(NEAR_PERMILLE),
    TemplateEntry::new("mistral-v1", "mistral_v1", &["mixtral-8x7b", "mistral-7b"], include_str!("mistral_v1.jinja"))
        .with(&[("bos_token", "<s>"), ("eos_token", "</s>")], &[])
        .placed(),
    TemplateEntry::new(
        "mistral-v3",
        "tekken",
        &[
            "mistral-nemo",
            "open-mistral-nemo",
            "ministral-8b-2410",
            "ministral-8b-instruct-2410",
            "ministral-3b-2410",
            "pixtral-12b",
        ],
        include_str!("mistral_v3.jinja"),
    )
    .with(&[("bos_token", "<s>"), ("eos_token", "</s>")], &[])
    .placed(),
    TemplateEntry::new(
        "mistral-v3-spm",
        "mistral_v2",
        &[
            "mistral-7b-v0.3",
            "mistral-7b-instruct-v0.3",
            "mixtral-8x22b",
            "open-mixtral-8x22b",
            "mistral-large-2407",
            "mistral-large-instruct-2407",
            "codestral-22b",
            "codestral-2405",
        ],
        include_str!("mistral_v3.jinja"),
    )
    .with(&[("bos_token", "<s>"), ("eos_token", "</s>")], &[])
    .placed(),
    TemplateEntry::new(
        "mistral-v7",
        "tekken",
        &["mistral-small-2501", "mistral-small-2503", "mistral-small-24b", "mistral-small-3.1"],
        include_str!("mistral_v3.jinja"),
    )
    .with(&[("bos_token", "<s>"), ("eos_token", "</s>"), ("marks_system", "yes")], MISTRAL_TOKENS)
    .placed(),
    TemplateEntry::new(
        "mistral-v7-spm",
        "mistral_v2",
        &["mistral-large-2411", "mistral-large-instruct-2411", "pixtral-large"],
        include_str!("mistral_v3.jinja"),
    )
    .with(&[("bos_token", "<s>"), ("eos_token", "</s>"), ("marks_system", "yes")], MISTRAL_V7_TOKENS)
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

/// How far off the nearest one may be. Llama 3's vocabulary begins with cl100k's.
const NEAR_PERMILLE: usize = 80;
const LLAMA_3_PERMILLE: usize = if cfg!(feature = "llama3") { 0 } else { 30 };
const GEMMA_3_PERMILLE: usize = if cfg!(feature = "gemma3") { 0 } else { 30 };
const KIMI_PERMILLE: usize = if cfg!(feature = "kimi") { 0 } else { NEAR_PERMILLE };
