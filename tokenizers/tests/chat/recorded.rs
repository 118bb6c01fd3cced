//! The recorded cases of other projects, where the shared data is installed: no rule may lose what it held.

use std::path::PathBuf;

use serde_json::Value;
use tollgate_tokenizers::chat::Format;

use super::published::total;

fn file(name: &str) -> Option<Value> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/token-counts").join(name);
    if !path.exists() {
        eprintln!("skipped: {} is absent", path.display());
        return None;
    }
    serde_json::from_str(&std::fs::read_to_string(path).expect("a readable file")).ok()
}

/// How many of `cases` are counted exactly; the others are shown.
fn exact(cases: &[(String, Value, u64)]) -> usize {
    let is_exact = |(model, request, expected): &&(String, Value, u64)| {
        let counted = total(model, Format::OpenaiChat, request);
        if counted as u64 != *expected {
            eprintln!("{model}: counted {counted}, charged {expected}: {request}");
        }
        counted as u64 == *expected
    };
    cases.iter().filter(is_exact).count()
}

fn case(model: &str, case: &Value) -> Option<(String, Value, u64)> {
    let model = case["model"].as_str().unwrap_or(model);
    Some((model.to_owned(), case["request"].clone(), case["prompt_tokens"].as_u64()?))
}

#[test]
fn hmarr() {
    let Some(data) = file("hmarr-openai-chat-tokens.json") else { return };
    let all: Vec<_> =
        data["cases"].as_array().into_iter().flatten().filter_map(|it| case("gpt-3.5-turbo", it)).collect();
    assert!(exact(&all) * 100 >= all.len() * 85, "{} of {}", exact(&all), all.len());
}

#[test]
fn cookbook() {
    let Some(data) = file("openai-cookbook.json") else { return };
    let mut all: Vec<_> = data["cases"].as_array().into_iter().flatten().filter_map(|it| case("", it)).collect();
    // The one model that wrote four tokens around a message is long gone.
    all.retain(|(model, ..)| model != "gpt-3.5-turbo-0301");
    assert!(exact(&all) + 2 >= all.len(), "{} of {}", exact(&all), all.len());
}

#[test]
fn pamelafox() {
    let Some(data) = file("pamelafox-openai-messages-token-helper.json") else { return };
    let all: Vec<_> = data["functions"].as_array().into_iter().flatten().filter_map(|it| case("gpt-4", it)).collect();
    assert!(exact(&all) * 100 >= all.len() * 40, "{} of {}", exact(&all), all.len());
}
