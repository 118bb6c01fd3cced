//! `[models.*]`: the catalogue, to which a user may add.

use std::path::PathBuf;

use super::Context;
use super::reader::Reader;
use crate::error::{list, quoted};
use crate::models::{Model, Models, Price, TokenizerSource};
use crate::raw::{Node, Table, Value};
use crate::section::Section;
use crate::suggest::close_matches;

const MAX_WINDOW_TOKENS: u64 = 100_000_000;
const MAX_USD: f64 = 1_000_000.0;

/// `None` if any entry is wrong.
pub(super) fn check_all(table: &Table, context: Context<'_>) -> Option<Models> {
    let models: Vec<Option<Model>> = table.iter().map(|(name, node)| check(name, node, context)).collect();
    models.into_iter().collect()
}

fn check(name: &str, node: &Node, context: Context<'_>) -> Option<Model> {
    let section = Section::open("models.*", name, node, context.report)?;
    if name.is_empty() || name.chars().any(|c| c.is_whitespace() || c.is_control()) {
        let message = format!("illegal model name {}", quoted(name));
        context.report.fail(section.origin, message, "write the name that requests carry");
    }
    let provider = section.text("provider");
    let tokenizer = tokenizer(&section, context);
    let chat_template = match section.has("chat_template") {
        true => file(&section, "chat_template", context).map(Some),
        false => Some(None),
    };
    let exact = section.boolean("exact");
    let window_tokens = section.optional_integer("window_tokens", 1..=MAX_WINDOW_TOKENS);
    let max_output_tokens = section.optional_integer("max_output_tokens", 1..=MAX_WINDOW_TOKENS);
    let price = section.own("usd_per_million").and_then(|node| price(name, node, context));
    let (aliases, prefixes) = (section.texts("aliases"), section.texts("prefixes"));
    section.finish();
    let owned =
        |texts: Vec<crate::section::At<'_, &str>>| texts.into_iter().map(|text| text.value.to_owned()).collect();
    Some(Model {
        name: name.to_owned(),
        provider: provider?.value.to_owned(),
        tokenizer: tokenizer?,
        chat_template: chat_template?,
        exact: exact?,
        window_tokens: window_tokens.and_then(|tokens| u32::try_from(tokens.value).ok()),
        max_output_tokens: max_output_tokens.and_then(|tokens| u32::try_from(tokens.value).ok()),
        price,
        aliases: owned(aliases?),
        prefixes: owned(prefixes?),
    })
}

/// A name, or a file where the text ends as files of tokenizers do.
fn tokenizer(section: &Section<'_>, context: Context<'_>) -> Option<TokenizerSource> {
    let text = section.text("tokenizer")?;
    let is_tiktoken = text.value.ends_with(".tiktoken");
    let splits_like = match (section.own("splits_like"), is_tiktoken) {
        (Some(_), true) => Some(named(section, "splits_like", context)?),
        (None, true) => {
            let message = format!("`splits_like` is missing for {}", quoted(text.value));
            section.fail(text.origin, message, "name the tokenizer that splits text alike, such as \"cl100k_base\"");
            return None;
        }
        (Some(node), false) => {
            let message = format!("`{}` goes with a `.tiktoken` file only", section.path_of("splits_like"));
            section.fail(&node.origin, message, "leave it out");
            return None;
        }
        (None, false) => None,
    };
    match splits_like {
        Some(splits_like) => {
            Some(TokenizerSource::Tiktoken { file: file(section, "tokenizer", context)?, splits_like })
        }
        None if text.value.ends_with(".json") => Some(TokenizerSource::Json(file(section, "tokenizer", context)?)),
        None => named(section, "tokenizer", context).map(TokenizerSource::Named),
    }
}

/// A tokenizer of the build.
fn named(section: &Section<'_>, key: &'static str, context: Context<'_>) -> Option<String> {
    let (text, known) = (section.text(key)?, context.known_tokenizers);
    if known.contains(&text.value) {
        return Some(text.value.to_owned());
    }
    let close = close_matches(text.value, known.iter().copied());
    let remedy = match close.is_empty() {
        true => format!("use {}, with `exact = false` where it only estimates", list(known, "or")),
        false => format!("did you mean {}?", list(&close, "or")),
    };
    section.fail(text.origin, format!("unknown tokenizer {}", quoted(text.value)), remedy);
    None
}

/// The path of a file, from the folder of the file that says it.
fn file(section: &Section<'_>, key: &'static str, context: Context<'_>) -> Option<PathBuf> {
    Reader { section, context, expands: true }.file(key)
}

fn price(name: &str, node: &Node, context: Context<'_>) -> Option<Price> {
    let section = Section::open("models.*.usd_per_million", name, node, context.report)?;
    let input = usd(&section, "input");
    let output = usd(&section, "output");
    let cached_input_usd = match section.has("cached_input") {
        true => Some(usd(&section, "cached_input")?),
        false => None,
    };
    section.finish();
    Some(Price { input_usd: input?, output_usd: output?, cached_input_usd })
}

fn usd(section: &Section<'_>, key: &'static str) -> Option<f64> {
    let node = section.require(key)?;
    let value = match node.value {
        Value::Integer(integer) => i32::try_from(integer).ok().map(f64::from),
        Value::Float(float) => Some(float),
        _ => None,
    };
    let inside = value.filter(|usd| (0.0..=MAX_USD).contains(usd));
    if inside.is_none() {
        let message = format!("`{}` is no price", section.path_of(key));
        section.fail(&node.origin, message, "write US dollars for a million tokens, such as `1.25`");
    }
    inside
}
