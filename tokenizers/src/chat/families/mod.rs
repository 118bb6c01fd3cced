//! The families of models, one [`FAMILIES`] entry each: which models belong to it and how their requests are counted.

mod anthropic;
mod gemini;
mod gpt_4o;
mod gpt_oss;
mod legacy;
mod open;
mod openai;
mod reasoning;

use super::{count::RequestCount, name::bare, request::Request, template::TemplateEntry};
use crate::Tokenizer;

/// Models whose prompts are made alike.
pub struct Family {
    /// The name shown to users and written in configuration.
    pub name: &'static str,
    /// The vocabulary that its rule was made for.
    pub tokenizer: &'static str,
    /// Beginnings of the names of its models.
    prefixes: &'static [&'static str],
    count: fn(Tokenizer, &Request) -> RequestCount,
}

impl Family {
    /// The family of a model, by its name; `open`, the last of [`FAMILIES`], for a name that no rule knows.
    ///
    /// Paths of resellers before the name (`openai/`, `us.anthropic.`) do not matter.
    #[must_use]
    pub fn of_model(model: &str) -> &'static Self {
        let name = bare(model);
        let is_it = |family: &&Self| family.prefixes.iter().any(|prefix| name.starts_with(prefix));
        FAMILIES.iter().find(is_it).unwrap_or(&FAMILIES[FAMILIES.len() - 1])
    }

    /// The family with this name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<&'static Self> {
        FAMILIES.iter().find(|family| family.name == name)
    }

    /// The vocabulary of a model of this family: of an open one its own, where its template is known.
    #[must_use]
    pub fn tokenizer_of(&self, model: &str) -> &'static str {
        let own = TemplateEntry::of_model(model).filter(|_| self.name == "open");
        own.map_or(self.tokenizer, |entry| entry.tokenizer)
    }

    /// What `request` costs.
    #[must_use]
    pub fn count(&self, tokenizer: Tokenizer, request: &Request) -> RequestCount {
        (self.count)(tokenizer, request)
    }
}

/// Every family, in the order in which names are tried.
pub static FAMILIES: [Family; 12] = [
    Family {
        name: "gpt-4o",
        tokenizer: "o200k_base",
        prefixes: &["gpt-4o", "gpt-4.1", "gpt-4.5", "chatgpt-4o"],
        count: gpt_4o::count,
    },
    Family { name: "gpt-4", tokenizer: "cl100k_base", prefixes: &["gpt-4", "gpt-3.5", "gpt-35"], count: legacy::count },
    Family { name: "o-series", tokenizer: "o200k_base", prefixes: &["o1", "o3", "o4"], count: reasoning::count_o },
    Family { name: "gpt-5", tokenizer: "o200k_base", prefixes: &["gpt-5", "codex-"], count: reasoning::count_5 },
    Family { name: "gpt-oss", tokenizer: "o200k_base", prefixes: &["gpt-oss"], count: gpt_oss::count },
    Family {
        name: "claude-3",
        tokenizer: "o200k_base",
        prefixes: &["claude-2", "claude-3", "claude-instant", "claude-v"],
        count: anthropic::count_3,
    },
    Family {
        name: "claude-4",
        tokenizer: "o200k_base",
        prefixes: &[
            "claude-sonnet-4-0",
            "claude-sonnet-4-2",
            "claude-opus-4-0",
            "claude-opus-4-1",
            "claude-opus-4-2",
            "claude-4-sonnet",
            "claude-4-opus",
            "claude-4-1",
        ],
        count: anthropic::count_4,
    },
    Family {
        name: "claude-4.5",
        tokenizer: "o200k_base",
        prefixes: &[
            "claude-sonnet-4",
            "claude-haiku-4",
            "claude-opus-4-5",
            "claude-opus-4-6",
            // As a reseller spells them.
            "claude-4-5",
            "claude-4-6",
        ],
        count: anthropic::count_4_5,
    },
    Family { name: "claude-5", tokenizer: "o200k_base", prefixes: &["claude"], count: anthropic::count_5 },
    Family { name: "gemini-2", tokenizer: "gemma4", prefixes: &["gemini-1", "gemini-2"], count: gemini::count_2 },
    Family { name: "gemini-3", tokenizer: "gemma4", prefixes: &["gemini"], count: gemini::count_3 },
    Family { name: "open", tokenizer: "o200k_base", prefixes: &[], count: open::count },
];
