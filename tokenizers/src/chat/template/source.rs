//! A template as it stands in a model's files: the jinja, and the control tokens that go with it.

use serde_json::{Map, Value};

use super::TemplateError;

/// What a model's files say of its template.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TemplateSource {
    /// The jinja.
    pub template: String,
    /// The jinja for requests with tools, where it is another.
    pub tool_use: Option<String>,
    /// Variables that hold control tokens: `bos_token`, `eos_token` and the like.
    pub tokens: Map<String, Value>,
    /// Control tokens, besides those that the tokenizer knows.
    pub controls: Vec<String>,
}

impl TemplateSource {
    /// A template alone.
    #[must_use]
    pub fn of_jinja(template: &str) -> Self {
        Self { template: template.to_owned(), ..Self::default() }
    }

    /// The text of a `chat_template.jinja`, a `chat_template.json` or a `tokenizer_config.json`.
    ///
    /// # Errors
    /// [`TemplateError::NoTemplate`].
    pub fn read(text: &str) -> Result<Self, TemplateError> {
        let file = match text.trim_start().starts_with('{') && !is_jinja(text) {
            true => serde_json::from_str(text).map_err(|error| missing(&format!("it is no JSON: {error}")))?,
            false => return Ok(Self::of_jinja(text)),
        };
        Self::of_config(&file)
    }

    /// The parsed `tokenizer_config.json`.
    fn of_config(file: &Value) -> Result<Self, TemplateError> {
        let (template, tool_use) = match &file["chat_template"] {
            Value::String(template) => (template.clone(), None),
            Value::Array(list) => named(list)?,
            Value::Null => return Err(missing("`chat_template` is absent")),
            _ => return Err(missing("`chat_template` is neither a text nor a list")),
        };
        let tokens = file.as_object().into_iter().flatten().filter_map(|(name, value)| {
            let text = value.as_str().or_else(|| value["content"].as_str())?;
            name.ends_with("_token").then(|| (name.clone(), Value::from(text)))
        });
        let added = file["added_tokens_decoder"].as_object().into_iter().flatten();
        let controls = added.filter_map(|(_, token)| Some(token["content"].as_str()?.to_owned())).collect();
        Ok(Self { template, tool_use, tokens: tokens.collect(), controls })
    }
}

/// A list of templates with names; `transformers` takes `tool_use` where there are tools, else `default`.
fn named(list: &[Value]) -> Result<(String, Option<String>), TemplateError> {
    let of = |name: &str| {
        let found = list.iter().find(|each| each["name"] == name);
        found.and_then(|each| each["template"].as_str()).map(str::to_owned)
    };
    let default = of("default").ok_or_else(|| missing("the list of `chat_template` has no `default`"))?;
    Ok((default, of("tool_use")))
}

/// Whether a text that begins with a brace is jinja all the same.
fn is_jinja(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|open| text.trim_start().starts_with(open))
}

fn missing(why: &str) -> TemplateError {
    TemplateError::NoTemplate(why.to_owned())
}
