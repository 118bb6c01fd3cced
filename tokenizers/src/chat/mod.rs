//! What a whole request to a language model costs in input tokens: one file per family, and no IO.
//!
//! A body becomes a [`Request`] ([`read`]), a [`Family`] counts it with the model's tokenizer ([`count_request`]), and
//! a [`Calibrator`] corrects later counts by what the provider charged for earlier ones.

mod calibrate;
mod count;
mod families;
mod images;
mod name;
mod read;
mod request;
mod schema;
mod template;
mod tools;
mod typescript;

pub use calibrate::{Calibrator, Corrected, MOST_KEYS, StateError, Subject};
pub use count::{Kind, Part, RequestCount, What};
pub use families::{FAMILIES, Family};
pub use images::ImageRule;
pub use read::{ReadError, guess, read};
pub use request::{
    Content, Detail, Format, Image, Message, Request, ResponseSchema, Role, Tool, ToolCall, ToolChoice, ToolResult,
    Uncounted,
};
pub use template::{ChatTemplate, Controls, RenderOptions, TEMPLATES, TemplateEntry, TemplateError, TemplateSource};
pub use tools::{ToolSets, Tools};

use crate::Tokenizer;

/// What `request` costs in input tokens when a model of `family` reads it with `tokenizer`.
#[must_use]
pub fn count_request(family: &Family, tokenizer: Tokenizer, request: &Request) -> RequestCount {
    family.count(tokenizer, request)
}
