//! Recorded requests with what the provider charged for them.

use serde_json::Value;
use tollgate_tokenizers::Tokenizer;
use tollgate_tokenizers::chat::{Family, Format, Request, RequestCount, Subject, TemplateEntry, count_request, read};

/// A request that can be counted.
pub(super) struct Recording {
    /// Its family, and the kind of host that served it.
    pub(super) group: String,
    pub(super) family: &'static str,
    pub(super) shape: &'static str,
    /// The file that it was recorded in.
    pub(super) source: String,
    pub(super) subject: Subject,
    pub(super) count: RequestCount,
    pub(super) charged: usize,
}

/// A line as a recording, or why it does not count.
pub(super) fn recording(line: &Value) -> Result<Recording, String> {
    let format = format(text(line, "kind")).ok_or_else(|| format!("format {}", text(line, "kind")))?;
    if line["server_state"] == true {
        return Err("state that the server keeps".into());
    }
    let actual = charged(&line["usage"]).ok_or("no usage")?;
    let mut request = read(format, &line["request"]).map_err(|error| format!("unreadable: {error}"))?;
    if let Some(uncounted) = request.uncounted.iter().find(|it| it.bound.is_none()) {
        return Err(format!("not in the request: {}", uncounted.what));
    }
    let model = model(line);
    let family = Family::of_model(&model);
    request.model = Some(model.clone());
    let tokenizer = Tokenizer::by_name(family.tokenizer_of(&model)).map_err(|error| error.to_string())?;
    Ok(Recording {
        group: group(family, &model, text(line, "host")),
        family: family.name,
        shape: if request.uncounted.is_empty() { shape(&request) } else { "unpriced" },
        source: line["source"].to_string().split("\"interaction\"").next().unwrap_or_default().to_owned(),
        subject: Subject::new(family, &model, &request),
        count: count_request(family, tokenizer, &request),
        charged: actual,
    })
}

fn text<'a>(line: &'a Value, field: &str) -> &'a str {
    line[field].as_str().unwrap_or_default()
}

fn format(kind: &str) -> Option<Format> {
    match kind {
        "openai.chat" => Some(Format::OpenaiChat),
        "openai.responses" | "openai.responses.input_tokens" => Some(Format::OpenaiResponses),
        "anthropic.messages" | "anthropic.count_tokens" => Some(Format::Anthropic),
        "google.generate" | "google.count_tokens" => Some(Format::Gemini),
        "bedrock.converse" => Some(Format::BedrockConverse),
        _ => None,
    }
}

/// Input tokens, those from a cache included.
fn charged(usage: &Value) -> Option<usize> {
    let sum = |fields: &[&str]| -> u64 { fields.iter().filter_map(|field| usage[*field].as_u64()).sum() };
    let options: [&[&str]; 5] = [
        &["prompt_tokens"],
        &["input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"],
        &["inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens"],
        &["promptTokenCount"],
        &["totalTokens"],
    ];
    let tokens = options.iter().map(|fields| sum(fields)).find(|tokens| *tokens > 0)?;
    usize::try_from(tokens).ok()
}

fn model(line: &Value) -> String {
    let named = ["model_returned", "model_requested"].into_iter().find_map(|field| line[field].as_str());
    named.unwrap_or_else(|| of_path(text(line, "path"))).to_owned()
}

/// `/models/MODEL:generateContent`, or `/model/MODEL/converse`.
fn of_path(path: &str) -> &str {
    let path = path.strip_suffix("/converse").unwrap_or(path);
    path.rsplit('/').next().unwrap_or_default().split([':', '%']).next().unwrap_or_default()
}

/// Makers' own hosts; others put their own words around a request.
const MAKERS: &[&str] = &["openai.com", "openai.azure.com", "anthropic.com", "googleapis.com"];

fn group(family: &Family, model: &str, host: &str) -> String {
    if let Some(template) = TemplateEntry::of_model(model).filter(|_| family.name == "open") {
        return format!("{} @ {}", template.name, if host.is_empty() { "unnamed" } else { host });
    }
    let own = MAKERS.iter().any(|maker| host.ends_with(maker)) && family.name != "open";
    if own { family.name.to_owned() } else { format!("{} (others)", family.name) }
}

fn shape(request: &Request) -> &'static str {
    match (request.has_images(), request.response.is_some(), request.has_calls(), request.tools.is_empty()) {
        (true, ..) => "media",
        (_, true, ..) => "json_schema",
        (.., true, _) => "tools+history",
        (.., false) => "tools",
        _ => "plain",
    }
}
