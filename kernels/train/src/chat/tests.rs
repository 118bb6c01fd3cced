//! Transcripts are the same for a seed, their JSON parses, and the template writes the same text.

use serde_json::{Value, json};
use tollgate_tokenizers::chat::{ChatTemplate, Format, RenderOptions, read};

use super::*;

#[derive(Debug)]
struct Message {
    role: String,
    content: String,
}

fn messages(text: &str) -> Vec<Message> {
    let parts = text.split("<|im_start|>").skip(1);
    let message = |part: &str| {
        let (role, rest) = part.split_once('\n').unwrap();
        Message { role: role.to_owned(), content: rest.strip_suffix("<|im_end|>\n").unwrap().to_owned() }
    };
    parts.map(message).collect()
}

fn tools(system: &str) -> Vec<Value> {
    let list = system.split_once("\n# Tools\n").map_or("", |it| it.1);
    list.lines().map(|it| serde_json::from_str(it).unwrap()).collect()
}

#[test]
fn a_seed_gives_the_same_transcripts() {
    let all = |seed| transcripts(seed, 50).collect::<Vec<_>>();
    assert_eq!(all(1), all(1));
    assert_ne!(all(1), all(2));
}

#[test]
fn calls_parse_and_keep_to_the_list() {
    let mut n_calls = 0;
    for document in transcripts(7, 500) {
        let messages = messages(&document.text);
        let tools = tools(&messages[0].content);
        for (idx, message) in messages.iter().enumerate() {
            let Some(call) = message.content.strip_prefix("<tool_call>\n") else { continue };
            let call: Value = serde_json::from_str(call.strip_suffix("\n</tool_call>").unwrap()).unwrap();
            let tool = tools.iter().find(|it| it["name"] == call["name"]).expect("the tool is in the list");
            let required = tool["parameters"]["required"].as_array().unwrap();
            assert!(required.iter().all(|it| !call["arguments"][it.as_str().unwrap()].is_null()), "{call}");
            assert_eq!(message.role, "assistant");
            assert_eq!(messages[idx + 1].role, "tool");
            serde_json::from_str::<Value>(&messages[idx + 1].content).unwrap();
            assert!(!messages[idx + 2].content.contains(['{', '}']), "an unfilled slot: {}", messages[idx + 2].content);
            n_calls += 1;
        }
    }
    assert!(n_calls > 700, "{n_calls}");
}

/// The transcript as a body of an API.
fn body(messages: &[Message]) -> Value {
    let has_tools = messages[0].content.contains("\n# Tools\n");
    let message = |(idx, message): (usize, &Message)| {
        if let Some(call) = message.content.strip_prefix("<tool_call>\n") {
            let call: Value = serde_json::from_str(call.strip_suffix("\n</tool_call>").unwrap()).unwrap();
            let function = json!({"name": call["name"], "arguments": to_json(&call["arguments"])});
            return json!({"role": "assistant", "tool_calls": [{"id": "c", "type": "function", "function": function}]});
        }
        let content = match message.content.split_once("\n# Tools\n").filter(|_| idx == 0) {
            Some((opening, _)) => opening,
            None => &message.content,
        };
        match &*message.role {
            "tool" => json!({"role": "tool", "tool_call_id": "c", "content": content}),
            role => json!({"role": role, "content": content}),
        }
    };
    let mut body = json!({"model": "m", "messages": messages.iter().enumerate().map(message).collect::<Vec<_>>()});
    if has_tools {
        let function = |it| json!({"type": "function", "function": it});
        body["tools"] = tools(&messages[0].content).into_iter().map(function).collect();
    }
    body
}

#[test]
fn the_template_writes_what_the_generator_wrote() {
    let template = ChatTemplate::new(TEMPLATE).unwrap();
    for document in transcripts(3, 100) {
        let body = body(&messages(&document.text));
        let request = read(Format::OpenaiChat, &body).unwrap();
        let rendered = template.render(&request, &RenderOptions::any_day()).unwrap();
        // A server asks for the next answer.
        assert_eq!(rendered.strip_suffix("<|im_start|>assistant\n").unwrap_or(&rendered), document.text);
    }
}
