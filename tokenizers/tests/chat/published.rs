//! Cases whose counts their authors published: OpenAI's cookbook, and `hmarr/openai-chat-tokens`.

use serde_json::{Value, json};
use tollgate_tokenizers::{
    Tokenizer,
    chat::{Family, Format, count_request, read},
};

/// What `body` costs with the family's own tokenizer.
pub fn total(model: &str, format: Format, body: &Value) -> usize {
    let family = Family::of_model(model);
    let tokenizer = Tokenizer::by_name(family.tokenizer).expect("a known tokenizer");
    let request = read(format, body).expect("a sound body");
    count_request(family, tokenizer, &request).total
}

fn example() -> Value {
    json!({"messages": [
        {"role": "system", "content": "You are a helpful, pattern-following assistant that translates corporate jargon \
            into plain English."},
        {"role": "system", "name": "example_user", "content": "New synergies will help drive top-line growth."},
        {"role": "system", "name": "example_assistant", "content": "Things working well together will increase revenue."},
        {"role": "system", "name": "example_user", "content": "Let's circle back when we have more bandwidth to touch \
            base on opportunities for increased leverage."},
        {"role": "system", "name": "example_assistant", "content": "Let's talk later when we're less busy about how to \
            do better."},
        {"role": "user", "content": "This late pivot means we don't have time to boil the ocean for the client \
            deliverable."},
    ]})
}

#[test]
fn cookbook() {
    for (model, expected) in [("gpt-3.5-turbo", 129), ("gpt-4-0613", 129), ("gpt-4o", 124), ("gpt-4o-mini", 124)] {
        assert_eq!(total(model, Format::OpenaiChat, &example()), expected, "{model}");
    }
}

#[test]
fn hmarr_messages() {
    let rows = [
        (json!([{"role": "user", "content": "hello"}]), 8),
        (json!([{"role": "user", "content": "hello world"}]), 9),
        (json!([{"role": "system", "content": "hello"}]), 8),
        (json!([{"role": "system", "content": "hello:"}]), 9),
        (json!([{"role": "system", "content": "hello"}, {"role": "user", "content": "hello"}]), 13),
    ];
    for (messages, expected) in rows {
        let body = json!({ "messages": messages });
        assert_eq!(total("gpt-3.5-turbo", Format::OpenaiChat, &body), expected, "{body}");
    }
}

#[test]
fn hmarr_functions() {
    let user = json!([{"role": "user", "content": "hello"}]);
    let both = json!([{"role": "system", "content": "hello"}, {"role": "user", "content": "hello"}]);
    let foo = json!({"name": "foo", "parameters": {"type": "object", "properties": {}}});
    let rows =
        [(json!({"messages": user, "functions": [foo]}), 31), (json!({"messages": both, "functions": [foo]}), 33)];
    for (body, expected) in rows {
        assert_eq!(total("gpt-3.5-turbo", Format::OpenaiChat, &body), expected, "{body}");
    }
}
