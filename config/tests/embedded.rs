//! The files that come with the crate: complete, documented, and valid.

mod tokenizers;

use std::collections::BTreeSet;

use tokenizers::TOKENIZERS;
use tollgate_config::{ConfigError, DEFAULT_TOML, Loaded, Source, Sources, parse};

const PRESETS: &[(&str, &str)] = &[
    ("filesystem.toml", include_str!("../presets/filesystem.toml")),
    ("github.toml", include_str!("../presets/github.toml")),
];

fn with_file(path: &str, text: &str) -> Result<Loaded, Vec<ConfigError>> {
    let env = ["DOCS_TOKEN", "GITHUB_TOKEN"].map(|name| (name.to_owned(), "t".to_owned()));
    let sources = Sources {
        files: vec![Source { path: path.into(), text: text.to_owned() }],
        env: env.into_iter().collect(),
        working_dir: "/here".into(),
        ..Sources::default()
    };
    parse(&sources, TOKENIZERS)
}

/// The defaults with their optional keys switched on: `#key` and `#[table]` lose the sign.
fn uncommented() -> String {
    let is_optional = |line: &str| line.starts_with('#') && !line.starts_with("# ") && line.len() > 1;
    let lines = DEFAULT_TOML.lines().map(|line| if is_optional(line) { &line[1..] } else { line });
    lines.collect::<Vec<_>>().join("\n")
}

/// A leaf path with `*` for what the user names; what is inside `env` and the like is the user's.
fn pattern(path: &[String]) -> String {
    let named = ["profiles", "upstreams", "providers", "routes", "models"];
    let mut path = path.to_vec();
    if named.contains(&path[0].as_str()) && path.len() > 1 {
        path[1] = "*".to_owned();
    }
    path.join(".")
}

fn documented(prefix: &[String], table: &toml::Table, paths: &mut BTreeSet<String>) {
    for (key, value) in table {
        let path = [prefix, std::slice::from_ref(key)].concat();
        paths.insert(pattern(&path));
        if let toml::Value::Table(inner) = value {
            documented(&path, inner, paths);
        }
    }
}

#[test]
fn every_key_is_in_default_toml() {
    let text = uncommented();
    let mut paths = BTreeSet::new();
    documented(&[], &text.parse().unwrap(), &mut paths);
    let loaded = with_file("all.toml", &text).unwrap();
    // An upstream shows its own keys; those that it shares are shown once, as defaults.
    let shown = |key: &String| {
        let shared = [("upstreams", "upstream"), ("providers", "provider"), ("routes", "route")];
        let shared = shared.map(|(each, all)| key.replace(&format!("{each}.*."), &format!("{all}_defaults.")));
        paths.contains(key) || shared.iter().any(|key| paths.contains(key))
    };
    let missing: Vec<&String> = loaded.keys.iter().filter(|key| !shown(key)).collect();
    assert_eq!(missing, [""; 0], "not documented");
}

#[test]
fn every_key_has_a_comment() {
    let lines: Vec<&str> = DEFAULT_TOML.lines().collect();
    let is_key = |line: &str| {
        let key = line.trim_start_matches('#');
        key.starts_with(|c: char| c.is_ascii_lowercase()) && key.contains(" = ")
    };
    // A deciding key right below its table is explained by the comment above the table.
    for pair in lines.windows(2).filter(|pair| is_key(pair[1])) {
        let explained = pair[0].starts_with("# ") || pair[0].contains("[upstreams.");
        assert!(explained, "no comment above {}", pair[1]);
    }
}

#[test]
fn presets_load() {
    for (name, text) in PRESETS {
        let loaded = with_file(name, text);
        assert!(loaded.is_ok(), "{name}: {:?}", loaded.err());
    }
}

/// Name asked for, entry found, its tokenizer and whether that is the model's own.
const FOUND: &[(&str, &str, &str, bool)] = &[
    ("gpt-5", "gpt-5", "o200k_base", true),
    ("GPT-5", "gpt-5", "o200k_base", true),
    ("openai/gpt-5", "gpt-5", "o200k_base", true),
    ("gpt-5-2025-08-07", "gpt-5", "o200k_base", true),
    ("gpt-5.4-pro", "gpt-5-family", "o200k_base", true),
    ("gpt-4o-mini-2024-07-18", "gpt-4o-mini", "o200k_base", true),
    ("gpt-4o-audio-preview", "gpt-4o-family", "o200k_base", true),
    ("chatgpt-4o-latest", "chatgpt-4o-latest", "o200k_base", true),
    ("o1-pro", "o1-family", "o200k_base", true),
    ("gpt-4", "gpt-4", "cl100k_base", true),
    ("gpt-4-0613", "gpt-4", "cl100k_base", true),
    ("gpt-4-1106-preview", "gpt-4-turbo", "cl100k_base", true),
    ("gpt-4.1-mini", "gpt-4.1-mini", "o200k_base", true),
    ("gpt-35-turbo", "gpt-3.5-turbo", "cl100k_base", true),
    ("ft:gpt-4o-mini:org::id", "gpt-4o-family", "o200k_base", true),
    ("text-embedding-3-small", "text-embedding-3-small", "cl100k_base", true),
    ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5", "o200k_base", false),
    ("claude-sonnet-4-20250514", "claude-sonnet-4", "o200k_base", false),
    ("anthropic.claude-x-v1:0", "claude-family", "o200k_base", false),
    ("anthropic.claude-v2:1", "claude-family", "o200k_base", false),
    ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5", "o200k_base", false),
    ("global.anthropic.claude-haiku-4-5-20251001-v1:0", "claude-haiku-4-5", "o200k_base", false),
    (
        "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-opus-4-1-20250805-v1:0",
        "claude-opus-4-1",
        "o200k_base",
        false,
    ),
    ("claude-sonnet-4@20250514", "claude-sonnet-4", "o200k_base", false),
    ("anthropic/claude-sonnet-4.5", "claude-sonnet-4-5", "o200k_base", false),
    ("anthropic/claude-3.5-haiku-20241022", "claude-3-5-haiku", "o200k_base", false),
    ("openai.gpt-oss-120b-1:0", "gpt-oss", "o200k_base", true),
    ("us.meta.llama2-13b-chat-v1", "llama-2-family", "mistral_v1", false),
    ("us.meta.llama4-scout-17b-instruct-v1:0", "llama-family", "cl100k_base", false),
    ("models/gemini-2.5-pro", "gemini-2.5-pro", "gemma4", false),
    ("gemini-3-pro-preview", "gemini-family", "gemma4", false),
    ("gemini-3.1-pro-preview", "gemini-3.1-family", "gemma4", true),
    ("google/gemma-3-27b-it", "gemma-family", "gemma4", false),
    ("google/gemma-4-12B-it", "gemma-4", "gemma4", true),
    ("meta-llama/Llama-3.1-8B-Instruct", "llama-family", "cl100k_base", false),
    ("meta-llama/Llama-2-7b-chat-hf", "llama-2-family", "mistral_v1", false),
    ("Qwen/Qwen3-8B", "qwen3", "qwen3", true),
    ("qwen2.5-coder:7b", "qwen2.5", "qwen3", true),
    ("qwen3-max", "qwen-family", "qwen3", false),
    ("qwen3.5-plus", "qwen-family", "qwen3", false),
    ("deepseek-chat", "deepseek-v3", "deepseek_v3", true),
    ("deepseek-ai/DeepSeek-R1-0528", "deepseek-v3", "deepseek_v3", true),
    ("deepseek-ai/DeepSeek-R1-Distill-Llama-8B", "deepseek-r1-distill-llama", "cl100k_base", false),
    ("deepseek-r1:8b", "deepseek-r1-distill-qwen", "qwen3", false),
    ("deepseek-v4", "deepseek-family", "deepseek_v3", false),
    ("THUDM/glm-4-9b-chat", "glm-4", "glm4", true),
    ("glm-4.6", "glm-family", "glm4", false),
    ("moonshotai/Kimi-K2-Instruct", "kimi-family", "o200k_base", false),
    ("mistralai/Mistral-Nemo-Instruct-2407", "mistral-nemo", "tekken", true),
    ("mistral-large-latest", "mistral-family", "tekken", false),
    ("mistralai/Mistral-7B-Instruct-v0.3", "mistral-7b-v0.3", "mistral_v2", true),
    ("mistralai/Mixtral-8x7B", "mixtral-family", "mistral_v2", false),
    ("mistralai/Mixtral-8x7B-Instruct-v0.1", "mistral-7b", "mistral_v1", true),
    ("answerdotai/ModernBERT-base", "modernbert", "modernbert", true),
];

#[test]
fn the_catalogue_finds_models() {
    let models = with_file("t.toml", "").unwrap().config.models;
    for (name, entry, tokenizer, exact) in FOUND {
        let model = models.find(name).unwrap();
        let found = (model.name.as_str(), &*model.tokenizer.to_string(), model.exact);
        assert_eq!(found, (*entry, *tokenizer, *exact), "{name}");
    }
}

#[test]
fn an_unknown_model_names_close_ones_and_the_remedy() {
    let models = with_file("t.toml", "").unwrap().config.models;
    let rows = [
        (
            "gpt-6o",
            "unknown model `gpt-6o`; did you mean `gpt-4o`, `gpt-4` or `gpt-5`? otherwise describe it \
             under `[models.\"gpt-6o\"]`",
        ),
        ("zebra", "unknown model `zebra`; describe it under `[models.\"zebra\"]`"),
    ];
    for (name, expected) in rows {
        let error = models.find(name).map_err(|error| error.to_string());
        assert_eq!(error.err().as_deref(), Some(expected));
    }
}

#[test]
fn the_catalogue_is_consistent() {
    let models = with_file("t.toml", "").unwrap().config.models;
    let mut names = BTreeSet::new();
    for model in models.iter() {
        for name in model.aliases.iter().chain([&model.name]) {
            assert!(names.insert(name.clone()), "{name} is there twice");
            assert_eq!(models.find(name).unwrap().name, model.name);
        }
        match &*model.provider {
            "openai" => assert!(model.exact, "{}: OpenAI publishes its encodings", model.name),
            "anthropic" => assert!(!model.exact, "{}: Anthropic publishes none", model.name),
            _ => {}
        }
        if let (Some(window), Some(output)) = (model.window_tokens, model.max_output_tokens) {
            assert!(output <= window, "{}", model.name);
        }
    }
}
