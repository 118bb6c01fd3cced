//! The tools of the `context` upstream: `count_tokens`, `read_text`, `list_files`.

use std::{borrow::Cow, fmt::Write, sync::Arc};

use rmcp::{
    ServerHandler,
    handler::server::wrapper::Parameters,
    model::{Implementation, ServerCapabilities, ServerConfig},
    tool, tool_handler, tool_router,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::Value;

use tollgate_config::Models;
use tollgate_tokenizers::Tokenizer;

use super::files::{Files, Listed};
use crate::model_files;

const DEFAULT_TOKENIZER: &str = "o200k_base";
/// What one `read_text` or `list_files` returns unless asked for more.
const DEFAULT_MAX_TOKENS: usize = 2_000;

#[derive(Clone, Debug)]
pub struct ContextServer {
    files: Files,
    models: Arc<Models>,
}

/// A whole number as models read it: without the width in bits that Rust would name.
#[derive(Debug)]
struct Whole;

impl JsonSchema for Whole {
    fn schema_name() -> Cow<'static, str> {
        "Whole".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "integer", "minimum": 0})
    }
}

/// What may be left out has no default: a client that fills in a null would break the type that stands beside it.
fn without_null_defaults(schema: &mut Schema) {
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for property in properties.into_iter().flat_map(serde_json::Map::values_mut).filter_map(Value::as_object_mut) {
        if property.get("default").is_some_and(Value::is_null) {
            property.shift_remove("default");
        }
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(transform = without_null_defaults)]
struct CountTokens {
    /// The text to count. Give this or `path`.
    #[serde(default)]
    #[schemars(with = "String")]
    text: Option<String>,
    /// A file to count, relative to the root.
    #[serde(default)]
    #[schemars(with = "String")]
    path: Option<String>,
    /// A model name or a tokenizer name; `o200k_base` if left out.
    #[serde(default)]
    #[schemars(with = "String")]
    model: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(transform = without_null_defaults)]
struct ReadText {
    /// The file, relative to the root.
    path: String,
    /// Most tokens of text to return; 2000 if left out.
    #[serde(default)]
    #[schemars(with = "Whole")]
    max_tokens: Option<usize>,
    /// Where to go on: the byte offset that the previous page named; 0 if left out.
    #[serde(default)]
    #[schemars(with = "Whole")]
    offset: Option<usize>,
    /// A model name or a tokenizer name; `o200k_base` if left out.
    #[serde(default)]
    #[schemars(with = "String")]
    model: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(transform = without_null_defaults)]
struct ListFiles {
    /// The folder, relative to the root; the root if left out.
    #[serde(default)]
    #[schemars(with = "String")]
    path: Option<String>,
    /// Only paths that match, as in `**/*.rs`.
    #[serde(default)]
    #[schemars(with = "String")]
    glob: Option<String>,
    /// Most tokens of text to return; 2000 if left out.
    #[serde(default)]
    #[schemars(with = "Whole")]
    max_tokens: Option<usize>,
    /// Where to go on: the number of entries that the previous pages showed; 0 if left out.
    #[serde(default)]
    #[schemars(with = "Whole")]
    offset: Option<usize>,
}

#[tool_router]
impl ContextServer {
    pub fn new(files: Files, models: Arc<Models>) -> Self {
        Self { files, models }
    }

    /// Count the tokens of a text or a file, exactly, as a model counts them.
    #[tool(annotations(read_only_hint = true, open_world_hint = false))]
    async fn count_tokens(&self, Parameters(ask): Parameters<CountTokens>) -> Result<String, String> {
        let (tokenizer, note) = self.tokenizer(ask.model.as_deref())?;
        let text = match (ask.text, ask.path) {
            (Some(text), None) => text,
            (None, Some(path)) => self.files.read_text(&path)?,
            _ => return Err("give either `text` or `path`".into()),
        };
        let tokens = blocking(move || tokenizer.count(&text)).await?;
        Ok(format!("{tokens} tokens ({}{note})", tokenizer.name()))
    }

    /// Read a text file within a token budget. A longer file comes in pages; each page names where the next one starts.
    #[tool(annotations(read_only_hint = true, open_world_hint = false))]
    async fn read_text(&self, Parameters(ask): Parameters<ReadText>) -> Result<String, String> {
        let (tokenizer, _) = self.tokenizer(ask.model.as_deref())?;
        let text = self.files.read_text(&ask.path)?;
        let offset = ask.offset.unwrap_or(0);
        if !text.is_char_boundary(offset) {
            return Err(format!("offset {offset} is not where a page ended; the file has {} bytes", text.len()));
        }
        let limit = ask.max_tokens.unwrap_or(DEFAULT_MAX_TOKENS).max(1);
        blocking(move || page(&text, offset, limit, tokenizer)).await
    }

    /// List files and folders under the root, with sizes, within a token budget.
    #[tool(annotations(read_only_hint = true, open_world_hint = false))]
    async fn list_files(&self, Parameters(ask): Parameters<ListFiles>) -> Result<String, String> {
        let (tokenizer, _) = self.tokenizer(None)?;
        let globs = ask.glob.map(|it| tollgate_config::glob_set(&[it])).transpose().map_err(|it| it.to_string())?;
        let path = ask.path.unwrap_or_else(|| ".".into());
        let listing = self.files.list(&path, |it| globs.as_ref().is_none_or(|globs| globs.is_match(it)))?;
        let limit = ask.max_tokens.unwrap_or(DEFAULT_MAX_TOKENS).max(1);
        let offset = ask.offset.unwrap_or(0);
        let mut text = blocking(move || list_page(&listing.entries, offset, limit, tokenizer)).await?;
        if !listing.is_complete {
            text.push_str("\n[the folder has more than could be visited; list a part of it by `path`]");
        }
        Ok(text)
    }

    /// The tokenizer of a model or of that name, and what to say of its exactness.
    fn tokenizer(&self, model: Option<&str>) -> Result<(Tokenizer, &'static str), String> {
        let name = model.unwrap_or(DEFAULT_TOKENIZER);
        if let Ok(tokenizer) = Tokenizer::by_name(name) {
            return Ok((tokenizer, ""));
        }
        let model = self.models.find(name).map_err(|error| error.to_string())?;
        let tokenizer = model_files::tokenizer(&model.tokenizer)?;
        Ok((tokenizer, if model.exact { "" } else { ", an estimate for this model" }))
    }
}

#[tool_handler]
impl ServerHandler for ContextServer {
    fn get_info(&self) -> ServerConfig {
        let mut info = ServerConfig::default();
        info.capabilities = ServerCapabilities::builder().enable_tools().build();
        info.server_info = Implementation::new("tollgate-context", env!("CARGO_PKG_VERSION"));
        info
    }
}

/// Counting a large text takes a while; other calls must not wait for it.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, String> {
    tokio::task::spawn_blocking(work).await.map_err(|error| format!("the work was lost ({error})"))
}

/// The longest page from `offset` that counts at most `limit` tokens, and how to go on.
fn page(text: &str, offset: usize, limit: usize, tokenizer: Tokenizer) -> String {
    let rest = &text[offset..];
    let end = tokenizer.prefix_within(rest, limit);
    // At least one character, so that paging always ends.
    let end = if end == 0 { rest.chars().next().map_or(0, char::len_utf8) } else { end };
    let shown = &rest[..end];
    if end == rest.len() {
        return shown.to_owned();
    }
    format!("{shown}\n[{} of {} bytes left; go on with offset {}]", rest.len() - end, text.len(), offset + end)
}

fn list_page(entries: &[Listed], offset: usize, limit: usize, tokenizer: Tokenizer) -> String {
    let mut text = String::new();
    let mut tokens = 0;
    let mut shown = offset.min(entries.len());
    for entry in &entries[shown..] {
        let line = match entry.bytes {
            Some(bytes) => format!("{} {bytes}\n", entry.path),
            None => format!("{}/\n", entry.path),
        };
        tokens += tokenizer.count(&line);
        if tokens > limit && shown > offset {
            break;
        }
        text.push_str(&line);
        shown += 1;
    }
    let left = entries.len() - shown;
    if left > 0 {
        // Writing to a string does not fail.
        let _ = write!(text, "[{left} of {} entries left; go on with offset {shown}]", entries.len());
    } else if text.is_empty() {
        text.push_str("[nothing]");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokenizer() -> Tokenizer {
        Tokenizer::by_name(DEFAULT_TOKENIZER).unwrap()
    }

    #[test]
    fn pages_join_to_the_whole_text_and_keep_the_budget() {
        let text = "Grüße, 世界! One two three four five. ".repeat(40);
        for limit in [1, 3, 17, 500] {
            let (mut joined, mut offset) = (String::new(), 0);
            loop {
                let page = page(&text, offset, limit, tokenizer());
                let (shown, next) = match page.rsplit_once("\n[") {
                    Some((shown, tail)) => (shown, tail.rsplit_once("offset ").map(|(_, it)| it.trim_end_matches(']'))),
                    None => (page.as_str(), None),
                };
                assert!(tokenizer().count(shown) <= limit || shown.chars().count() == 1, "{limit}: {shown}");
                joined.push_str(shown);
                match next {
                    Some(next) => offset = next.parse().unwrap(),
                    None => break,
                }
            }
            assert_eq!(joined, text);
        }
    }

    #[test]
    fn list_pages_show_every_entry_once() {
        let entries: Vec<_> = (0..100).map(|it| Listed { path: format!("file{it}"), bytes: Some(it) }).collect();
        let (mut seen, mut offset) = (0, 0);
        while offset < entries.len() {
            let text = list_page(&entries, offset, 50, tokenizer());
            let lines = text.lines().filter(|it| it.starts_with("file")).count();
            seen += lines;
            offset += lines;
        }
        assert_eq!(seen, 100);
        assert_eq!(list_page(&[], 0, 50, tokenizer()), "[nothing]");
    }
}
