//! Tokenizers and chat templates that the configuration names by file, each read once, at first use.
//!
//! What was read is leaked: handles to tokenizers are free to copy because they never end, and there are as many as the
//! configuration has files.

use std::{
    collections::HashMap,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    sync::{LazyLock, Mutex},
};

use crate::sync::lock;
use tollgate_config::{Config, Model, TokenizerSource};
use tollgate_tokenizers::{
    TOKENIZERS, Tokenizer,
    chat::{self, ChatTemplate, Family, RenderOptions, Request, RequestCount, TemplateSource},
};

/// A larger file is no tokenizer: the largest in use have some 40 MB.
const MAX_BYTES: u64 = 256 << 20;

static READ_TOKENIZERS: LazyLock<Mutex<HashMap<TokenizerSource, Tokenizer>>> = LazyLock::new(Mutex::default);

static READ_TEMPLATES: LazyLock<Mutex<HashMap<PathBuf, &'static ChatTemplate>>> = LazyLock::new(Mutex::default);

/// The tokenizer that a checked configuration names.
///
/// # Errors
/// The file, and what is wrong with it.
pub fn tokenizer(source: &TokenizerSource) -> Result<Tokenizer, String> {
    if let TokenizerSource::Named(name) = source {
        return Tokenizer::by_name(name).map_err(|error| error.to_string());
    }
    once(&READ_TOKENIZERS, source, || read_tokenizer(source))
}

fn read_tokenizer(source: &TokenizerSource) -> Result<Tokenizer, String> {
    let name = source.to_string();
    let read = match source {
        TokenizerSource::Named(name) => return Tokenizer::by_name(name).map_err(|error| error.to_string()),
        TokenizerSource::Json(file) => Tokenizer::from_hf_json(&name, &bytes(file)?),
        TokenizerSource::Tiktoken { file, splits_like } => {
            let known = TOKENIZERS.iter().find(|it| it.name == *splits_like);
            let split = known.ok_or_else(|| format!("unknown tokenizer `{splits_like}`"))?.split;
            Tokenizer::from_tiktoken(&name, &bytes(file)?, split)
        }
    };
    read.map_err(|error| format!("the tokenizer `{name}` cannot be used: {error}"))
}

/// The chat template in a file.
///
/// # Errors
/// The file, and what is wrong with it.
pub fn template(file: &Path) -> Result<&'static ChatTemplate, String> {
    once(&READ_TEMPLATES, file, || {
        let shown = file.display();
        let text = String::from_utf8(bytes(file)?).map_err(|_| format!("`{shown}` is no UTF-8 text"))?;
        let source = TemplateSource::read(&text).map_err(|error| format!("`{shown}`: {error}"))?;
        let template = ChatTemplate::from_source(&source).map_err(|error| format!("`{shown}`: {error}"))?;
        Ok(&*Box::leak(Box::new(template)))
    })
}

/// What was read before, or what `read` reads now; a failure is not kept.
fn once<K, Q, V: Copy>(
    read: &Mutex<HashMap<K, V>>,
    key: &Q,
    make: impl FnOnce() -> Result<V, String>,
) -> Result<V, String>
where
    K: std::hash::Hash + Eq + std::borrow::Borrow<Q>,
    Q: std::hash::Hash + Eq + ToOwned<Owned = K> + ?Sized,
{
    let mut read = lock(read);
    if let Some(known) = read.get(key) {
        return Ok(*known);
    }
    let made = make()?;
    read.insert(key.to_owned(), made);
    Ok(made)
}

/// Reads every file that the catalogue names, so that a mistake is told at the start.
///
/// # Errors
/// A line for each file that cannot be used.
pub fn read_all(config: &Config) -> Result<(), Vec<String>> {
    let wrong: Vec<String> = config.models.iter().flat_map(wrong_files).collect();
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

fn wrong_files(model: &Model) -> Vec<String> {
    let in_model = |error: String| format!("model `{}`: {error}", model.name);
    let tokenizer = tokenizer(&model.tokenizer).err();
    let template = model.chat_template.as_deref().and_then(|file| template(file).err());
    tokenizer.into_iter().chain(template).map(in_model).collect()
}

/// What `request` costs: by the file of the model's template, or by the rule of its family where there is none, or where
/// the template refuses the request.
///
/// # Errors
/// A file that cannot be used.
pub fn count(model: Option<&Model>, family: &Family, by: Tokenizer, request: &Request) -> Result<RequestCount, String> {
    let file = model.and_then(|it| it.chat_template.as_deref());
    let template = file.map(template).transpose()?;
    let rendered = template.and_then(|it| it.count(by, request, &RenderOptions::any_day()).ok());
    Ok(rendered.unwrap_or_else(|| chat::count_request(family, by, request)))
}

fn bytes(file: &Path) -> Result<Vec<u8>, String> {
    let shown = file.display();
    let unreadable = |error: std::io::Error| format!("`{shown}` cannot be read ({error}); correct its path");
    let mut bytes = Vec::new();
    File::open(file).map_err(unreadable)?.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    match bytes.len() as u64 > MAX_BYTES {
        true => Err(format!("`{shown}` is over the limit of {MAX_BYTES} bytes; name the file of a tokenizer")),
        false => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use tollgate_tokenizers::chat::{Format, Kind};

    fn catalogue(template: &Path) -> Config {
        let text =
            format!("[models.m]\nprovider = 'p'\ntokenizer = 'qwen3'\nexact = true\nchat_template = {template:?}\n");
        let files = vec![tollgate_config::Source { path: "t.toml".into(), text }];
        let sources = tollgate_config::Sources { files, working_dir: "/".into(), ..Default::default() };
        let tokenizers: Vec<&str> = TOKENIZERS.iter().map(|it| &*it.name).collect();
        tollgate_config::parse(&sources, &tokenizers).unwrap().config
    }

    /// A template that refuses a request leaves it to the family, and a file is read once.
    #[test]
    fn requests_are_counted_by_the_template_or_the_family() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("chat.jinja");
        let template = "{% if tools %}{{ raise_exception('no tools') }}{% endif %}{{ messages[0].content }}";
        std::fs::write(&file, template).unwrap();
        let config = catalogue(&file);
        read_all(&config).unwrap();
        std::fs::remove_file(&file).unwrap();
        let model = config.models.find("m").unwrap();
        let by = tokenizer(&model.tokenizer).unwrap();
        let hello = json!([{"role": "user", "content": "hello"}]);
        let tools = json!([{"type": "function", "function": {"name": "look"}}]);
        for (tools, kind) in [(json!([]), Kind::Template), (tools, Kind::Calibrated)] {
            let request = chat::read(Format::OpenaiChat, &json!({"messages": hello, "tools": tools})).unwrap();
            let counted = count(Some(model), Family::of_model("m"), by, &request).unwrap();
            assert_eq!(counted.kind, kind, "{tools}");
            assert_eq!(counted.total == by.count("hello"), kind == Kind::Template, "{counted:?}");
        }
    }

    #[test]
    fn files_that_cannot_be_used_are_named_with_their_model() {
        let folder = tempfile::tempdir().unwrap();
        let absent = folder.path().join("absent.jinja");
        let wrong = read_all(&catalogue(&absent)).unwrap_err();
        assert!(wrong.len() == 1 && wrong[0].starts_with("model `m`: `") && wrong[0].contains("absent"), "{wrong:?}");
        let huge = folder.path().join("huge.json");
        File::create(&huge).unwrap().set_len(MAX_BYTES + 1).unwrap();
        let error = bytes(&huge).unwrap_err();
        assert!(error.contains("over the limit of 268435456 bytes"), "{error}");
    }
}
