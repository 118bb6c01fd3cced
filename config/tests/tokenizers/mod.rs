//! The tokenizers that the tests say the build has.

pub const TOKENIZERS: &[&str] = &[
    "o200k_base",
    "cl100k_base",
    "qwen3",
    "deepseek_v3",
    "glm4",
    "tekken",
    "mistral_v1",
    "mistral_v2",
    "gemma4",
    "modernbert",
];
