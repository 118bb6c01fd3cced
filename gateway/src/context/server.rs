//! The tools of the `context` upstream: what texts cost, what a folder holds, and the part of it that a question needs.

use std::{
    borrow::Cow,
    fmt,
    sync::{Arc, Mutex},
};

use rmcp::{
    ServerHandler,
    handler::server::wrapper::Parameters,
    model::{Implementation, ServerCapabilities, ServerConfig},
    tool, tool_handler, tool_router,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::Value;

use tollgate_config::{Models, Store as StoreConfig};
use tollgate_planners::context::Outline;
use tollgate_tokenizers::Tokenizer;

use super::{
    binaries,
    files::Files,
    folder::Folder,
    open_folder,
    packing::{Ask, pack},
    pages::{line_page, lines_of, list_page, outline_lines, page},
};
use crate::{model_files, sync::lock};

const DEFAULT_TOKENIZER: &str = "o200k_base";
/// What one tool returns unless asked for more.
const DEFAULT_MAX_TOKENS: usize = 2_000;
/// What `pack_context` returns unless asked for more.
const DEFAULT_PACK_TOKENS: usize = 4_000;
/// How a model reaches what a context leaves out.
const REMEDY: &str = "`outline` lists a file's, `read_code` shows lines or a symbol";

#[derive(Clone)]
pub struct ContextServer {
    files: Files,
    models: Arc<Models>,
    store: StoreConfig,
    /// Indexed at the first question.
    folder: Arc<Mutex<Option<Folder>>>,
}

impl fmt::Debug for ContextServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContextServer").field("files", &self.files).finish_non_exhaustive()
    }
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

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(transform = without_null_defaults)]
struct PackContext {
    /// What you want to know or do; without it, what the folder is about.
    #[serde(default)]
    #[schemars(with = "String")]
    query: Option<String>,
    /// Most tokens to return; 4000 if left out.
    #[serde(default)]
    #[schemars(with = "Whole")]
    max_tokens: Option<usize>,
    /// A model name or a tokenizer name; `o200k_base` if left out.
    #[serde(default)]
    #[schemars(with = "String")]
    model: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(transform = without_null_defaults)]
struct OutlineFile {
    /// The file, relative to the root.
    path: String,
    /// Most tokens of text to return; 2000 if left out.
    #[serde(default)]
    #[schemars(with = "Whole")]
    max_tokens: Option<usize>,
    /// Where to go on: the number of symbols that the previous pages showed; 0 if left out.
    #[serde(default)]
    #[schemars(with = "Whole")]
    offset: Option<usize>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(transform = without_null_defaults)]
struct ReadCode {
    /// The file, relative to the root.
    path: String,
    /// A symbol's name, as `outline` prints it. Give this or lines.
    #[serde(default)]
    #[schemars(with = "String")]
    symbol: Option<String>,
    /// The first line, from 1; 1 if left out.
    #[serde(default)]
    #[schemars(with = "Whole")]
    first_line: Option<usize>,
    /// The last line; the file's if left out.
    #[serde(default)]
    #[schemars(with = "Whole")]
    last_line: Option<usize>,
    /// Most tokens of text to return; 2000 if left out.
    #[serde(default)]
    #[schemars(with = "Whole")]
    max_tokens: Option<usize>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(transform = without_null_defaults)]
struct InspectBinary {
    /// The file, relative to the root.
    path: String,
    /// What you want to know; without it, what the file is.
    #[serde(default)]
    #[schemars(with = "String")]
    query: Option<String>,
    /// Most tokens to return; 2000 if left out.
    #[serde(default)]
    #[schemars(with = "Whole")]
    max_tokens: Option<usize>,
    /// A model name or a tokenizer name; `o200k_base` if left out.
    #[serde(default)]
    #[schemars(with = "String")]
    model: Option<String>,
}

/// How bytes are shown.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Form {
    #[default]
    Hex,
    Code,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(transform = without_null_defaults)]
struct ReadBinary {
    /// The file, relative to the root.
    path: String,
    /// The first byte; 0 if left out.
    #[serde(default)]
    #[schemars(with = "Whole")]
    offset: Option<u64>,
    /// How many bytes; 512 if left out.
    #[serde(default)]
    #[schemars(with = "Whole")]
    length: Option<usize>,
    /// A function or section to disassemble, instead of an offset.
    #[serde(default)]
    #[schemars(with = "String")]
    symbol: Option<String>,
    /// `hex`, or `code` to disassemble; `hex` if left out.
    #[serde(default)]
    form: Form,
    /// Most tokens of text to return; 2000 if left out.
    #[serde(default)]
    #[schemars(with = "Whole")]
    max_tokens: Option<usize>,
}

#[tool_router]
impl ContextServer {
    pub fn new(files: Files, models: Arc<Models>, store: StoreConfig) -> Self {
        Self { files, models, store, folder: Arc::default() }
    }

    /// Pack the code, texts and data of the folder that matter for a question into a token budget: bodies, signatures or
    /// names, each with its lines.
    #[tool(annotations(read_only_hint = true, open_world_hint = false))]
    async fn pack_context(&self, Parameters(ask): Parameters<PackContext>) -> Result<String, String> {
        let (tokenizer, _) = self.tokenizer(ask.model.as_deref())?;
        let budget = ask.max_tokens.unwrap_or(DEFAULT_PACK_TOKENS) as u64;
        let (files, store, shared) = (self.files.clone(), self.store.clone(), Arc::clone(&self.folder));
        blocking(move || {
            let mut folder = lock(&shared);
            let folder = folder.get_or_insert_with(|| open_folder(files, &store));
            let ask = Ask { query: ask.query.as_deref(), budget, tokenizer, remedy: REMEDY };
            pack(folder, &ask).map(|it| it.text)
        })
        .await?
    }

    /// Show what of a binary matters for a question: headers, sections, imports, functions, strings, bytes, each with its
    /// offset.
    #[tool(annotations(read_only_hint = true, open_world_hint = false))]
    async fn inspect_binary(&self, Parameters(ask): Parameters<InspectBinary>) -> Result<String, String> {
        let (tokenizer, _) = self.tokenizer(ask.model.as_deref())?;
        let budget = ask.max_tokens.unwrap_or(DEFAULT_MAX_TOKENS) as u64;
        let files = self.files.clone();
        blocking(move || {
            let InspectBinary { path, query, .. } = &ask;
            let ask = binaries::Ask {
                path,
                query: query.as_deref(),
                budget,
                tokenizer,
                remedy: "`read_binary` shows any offset",
            };
            binaries::pack(&files, &ask).map(|it| it.text)
        })
        .await?
    }

    /// Read any part of a file as hex, or disassemble it, within a token budget.
    #[tool(annotations(read_only_hint = true, open_world_hint = false))]
    async fn read_binary(&self, Parameters(ask): Parameters<ReadBinary>) -> Result<String, String> {
        let (tokenizer, _) = self.tokenizer(None)?;
        let limit = ask.max_tokens.unwrap_or(DEFAULT_MAX_TOKENS).max(1);
        let files = self.files.clone();
        blocking(move || {
            let offset = ask.offset.unwrap_or(0);
            match (&ask.symbol, ask.form) {
                (None, Form::Hex) => {
                    let place = (offset, ask.length.unwrap_or(binaries::WINDOW_BYTES));
                    binaries::window(&files, &ask.path, place, (limit, tokenizer))
                }
                (symbol, _) => binaries::code(&files, &ask.path, (symbol.as_deref(), offset), (limit, tokenizer)),
            }
        })
        .await?
    }

    /// List what a file defines, with lines: functions, types, sections, entries.
    #[tool(annotations(read_only_hint = true, open_world_hint = false))]
    async fn outline(&self, Parameters(ask): Parameters<OutlineFile>) -> Result<String, String> {
        let (tokenizer, _) = self.tokenizer(None)?;
        let text = self.files.read_text(&ask.path)?;
        let limit = ask.max_tokens.unwrap_or(DEFAULT_MAX_TOKENS).max(1);
        let offset = ask.offset.unwrap_or(0);
        blocking(move || {
            let lines = outline_lines(&Outline::new(&ask.path, &text));
            line_page(&lines, offset, limit, (tokenizer, "symbols"))
        })
        .await
    }

    /// Read a symbol, or lines, of a text file within a token budget.
    #[tool(annotations(read_only_hint = true, open_world_hint = false))]
    async fn read_code(&self, Parameters(ask): Parameters<ReadCode>) -> Result<String, String> {
        let (tokenizer, _) = self.tokenizer(None)?;
        let text = self.files.read_text(&ask.path)?;
        let limit = ask.max_tokens.unwrap_or(DEFAULT_MAX_TOKENS).max(1);
        blocking(move || {
            let lines = match &ask.symbol {
                Some(name) => symbol_lines(&ask.path, &text, name)?,
                None => (ask.first_line.unwrap_or(1).max(1), ask.last_line.unwrap_or(usize::MAX - 1)),
            };
            Ok(lines_of(&text, lines, limit, tokenizer))
        })
        .await?
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

/// The lines of the symbol that is called so, with or without the names around it.
fn symbol_lines(path: &str, text: &str, name: &str) -> Result<(usize, usize), String> {
    let outline = Outline::new(path, text);
    let is_it = |idx: &usize| outline.qualified(*idx) == name || outline.symbols[*idx].name == name;
    let found: Vec<usize> = (1..outline.symbols.len()).filter(is_it).collect();
    match found[..] {
        [] => Err(format!("`{path}` defines no `{name}`; see `outline`")),
        [idx] => {
            let (first, last) = outline.symbols[idx].lines;
            Ok((first as usize, last as usize))
        }
        _ => {
            let lines: Vec<String> = found.iter().map(|&it| outline.symbols[it].lines.0.to_string()).collect();
            Err(format!(
                "`{path}` defines `{name}` at the lines {}; give `first_line` and `last_line`",
                lines.join(", ")
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_are_found_by_their_names() {
        let text =
            "struct A;\nimpl A {\n    fn new() {}\n}\nstruct B;\nimpl B {\n    fn new() {}\n    fn two() {\n    }\n}\n";
        assert_eq!(symbol_lines("x.rs", text, "A::new"), Ok((3, 3)));
        assert_eq!(symbol_lines("x.rs", text, "two"), Ok((8, 9)));
        assert!(symbol_lines("x.rs", text, "new").unwrap_err().contains("lines 3, 7"));
        assert!(symbol_lines("x.rs", text, "three").unwrap_err().contains("see `outline`"));
    }
}
