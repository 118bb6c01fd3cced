//! Templates of models whose prompt format is public, in words of our own: the same text from less jinja.
//!
//! `docs/tokens.md` says which were compared with the models' own.

mod controls;
mod table;

use std::sync::OnceLock;

use super::{ChatTemplate, Controls, TemplateError, TemplateSource};
use crate::chat::name::bare;

pub use table::TEMPLATES;

/// The format of one line of models.
pub struct TemplateEntry {
    /// The name shown to users and written in configuration.
    pub name: &'static str,
    /// The tokenizer that goes with it.
    pub tokenizer: &'static str,
    /// Beginnings of the names of its models, without owner and reseller; the longest one counts.
    pub prefixes: &'static [&'static str],
    /// Where text becomes control tokens on the usual servers.
    controls_rule: Controls,
    jinja: &'static str,
    /// Variables of the template: control tokens, and what differs between models of the line.
    variables: &'static [(&'static str, &'static str)],
    /// Tokens that the template writes as one, besides the tokenizer's control tokens.
    controls: &'static [&'static str],
    /// How far the vocabulary may be off, in a thousand of a count: some models have one that is not at hand.
    near_permille: usize,
    /// Tokens that hosts may write around tools besides the template.
    tools_doubt: usize,
    compiled: OnceLock<Result<ChatTemplate, TemplateError>>,
}

impl TemplateEntry {
    const fn new(
        name: &'static str,
        tokenizer: &'static str,
        prefixes: &'static [&'static str],
        jinja: &'static str,
    ) -> Self {
        Self {
            name,
            tokenizer,
            prefixes,
            controls_rule: Controls::Spelled,
            jinja,
            variables: &[],
            controls: &[],
            near_permille: 0,
            tools_doubt: 0,
            compiled: OnceLock::new(),
        }
    }

    const fn with(
        mut self,
        variables: &'static [(&'static str, &'static str)],
        controls: &'static [&'static str],
    ) -> Self {
        self.variables = variables;
        self.controls = controls;
        self
    }

    /// Where the model's own vocabulary is not at hand, and `tokenizer` is the nearest.
    const fn near(mut self, permille: usize) -> Self {
        self.near_permille = permille;
        self
    }

    const fn doubting_tools(mut self, tokens: usize) -> Self {
        self.tools_doubt = tokens;
        self
    }

    const fn placed(mut self) -> Self {
        self.controls_rule = Controls::Placed;
        self
    }

    /// The template with this name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<&'static Self> {
        TEMPLATES.iter().find(|entry| entry.name == name)
    }

    /// The template of a model, where it is known. Owners and resellers before the name do not matter.
    #[must_use]
    pub fn of_model(model: &str) -> Option<&'static Self> {
        let name = bare(model);
        let length = |entry: &&Self| {
            entry.prefixes.iter().filter(|prefix| name.starts_with(**prefix)).map(|prefix| prefix.len()).max()
        };
        TEMPLATES.iter().filter(|entry| length(entry).is_some()).max_by_key(length)
    }

    /// The template, compiled at first use.
    ///
    /// # Errors
    /// None: a test compiles every entry.
    pub fn template(&self) -> Result<&ChatTemplate, TemplateError> {
        self.compiled.get_or_init(|| self.compile()).as_ref().map_err(Clone::clone)
    }

    fn compile(&self) -> Result<ChatTemplate, TemplateError> {
        let source = TemplateSource {
            template: self.jinja.to_owned(),
            tool_use: None,
            tokens: self.variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect(),
            controls: self.controls.iter().map(|it| (*it).to_owned()).collect(),
        };
        Ok(ChatTemplate::from_source(&source)?
            .with_rule(self.controls_rule)
            .doubted(self.near_permille, self.tools_doubt))
    }
}
