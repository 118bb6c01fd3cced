//! Names of models as resellers spell them, made the names of their makers.

/// Regions that Amazon puts before a maker.
const REGIONS: &[&str] = &["us", "eu", "apac", "ap", "jp", "au", "ca", "sa", "us-gov", "global"];

/// Makers as Amazon puts them before a model.
const MAKERS: &[&str] = &[
    "ai21",
    "amazon",
    "anthropic",
    "cohere",
    "deepseek",
    "google",
    "meta",
    "minimax",
    "mistral",
    "moonshot",
    "moonshotai",
    "nvidia",
    "openai",
    "qwen",
    "writer",
    "xai",
    "zai",
];

/// Names that mean the first Claude 4, whose later ones begin alike.
const FIRST_FOURS: &[&str] = &["claude-sonnet-4", "claude-opus-4"];

/// A model's name in lower case without the reseller's path, and Claude's versions with hyphens only.
pub(super) fn bare(model: &str) -> String {
    let name = model.rsplit('/').next().unwrap_or(model).to_ascii_lowercase();
    let name = without_maker(&name).to_owned();
    let name = if name.starts_with("claude") { name.replace(['.', '@'], "-") } else { name };
    if FIRST_FOURS.contains(&name.as_str()) { name + "-0" } else { name }
}

/// `us.anthropic.claude-3` and `anthropic.claude-3` are `claude-3`; dots elsewhere belong to the name.
fn without_maker(name: &str) -> &str {
    let within = match name.split_once('.') {
        Some((region, rest)) if REGIONS.contains(&region) => rest,
        _ => name,
    };
    match within.split_once('.') {
        Some((maker, rest)) if MAKERS.contains(&maker) => rest,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::bare;

    #[test]
    fn resellers_stand_at_the_beginning_only() {
        let rows = [
            ("gpt-4o", "gpt-4o"),
            ("openai/GPT-4o", "gpt-4o"),
            ("openai.gpt-oss-120b-1:0", "gpt-oss-120b-1:0"),
            ("us.anthropic.claude-sonnet-4-5-v1:0", "claude-sonnet-4-5-v1:0"),
            ("anthropic/claude-sonnet-4.5", "claude-sonnet-4-5"),
            ("us.meta.llama4-maverick-17b-instruct-v1:0", "llama4-maverick-17b-instruct-v1:0"),
            ("claude-sonnet-4", "claude-sonnet-4-0"),
            ("my-openai.gpt-4o", "my-openai.gpt-4o"),
            ("llama-3.anthropic.claude-3", "llama-3.anthropic.claude-3"),
            ("us.gpt-4o", "us.gpt-4o"),
            ("qwen2.5-7b", "qwen2.5-7b"),
            ("qwen.qwen3-32b-v1:0", "qwen3-32b-v1:0"),
            ("", ""),
        ];
        for (model, expected) in rows {
            assert_eq!(bare(model), expected, "{model}");
        }
    }
}
