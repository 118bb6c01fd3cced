//! Members that only some formats have: kept for a target that has them, refused where leaving them out would change
//! the answer, noted where it would not.

use super::{
    json::{Json, Kind, Node, Object, Tape},
    refusal::Refusal,
    request::{Format, Vendor},
};

#[derive(Clone, Debug)]
pub struct Extra {
    /// The format that has it.
    pub format: Format,
    /// The object that it is a member of: nothing, or `output_config`, `text`, ...
    pub under: &'static str,
    pub key: String,
    pub value: Json,
}

impl Extra {
    fn field(&self) -> String {
        if self.under.is_empty() { self.key.clone() } else { format!("{}.{}", self.under, self.key) }
    }

    /// Whether it says no more than its absence.
    fn is_empty(&self) -> bool {
        matches!(self.value.text(), "null" | "[]" | "{}" | "false" | "\"\"")
    }
}

/// Something of the request that the target does not get, and why that is harmless.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    pub field: String,
    pub why: &'static str,
}

/// What both of OpenAI's formats have at the top of a body.
const OPENAI: &[&str] = &[
    "metadata",
    "moderation",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "safety_identifier",
    "service_tier",
    "store",
];

/// Members without which the answer would be another one, and the value that equals absence.
const NEEDED: &[(&str, &str)] = &[
    ("n", "1"),
    ("logprobs", "false"),
    ("top_logprobs", "0"),
    ("logit_bias", "{}"),
    ("frequency_penalty", "0"),
    ("presence_penalty", "0"),
    ("modalities", r#"["text"]"#),
    ("audio", "null"),
    ("web_search_options", "null"),
    ("previous_response_id", "null"),
    ("conversation", "null"),
    ("prompt", "null"),
    ("background", "false"),
    ("container", "null"),
    ("mcp_servers", "[]"),
];

/// What is said of a dropped member, by its key; the last line is for all others.
const REASONS: &[(&str, &str)] = &[
    ("cache_control", "where a prompt is cached changes its price, not the answer"),
    ("prompt_cache_breakpoint", "where a prompt is cached changes its price, not the answer"),
    ("prompt_cache_key", "where a prompt is cached changes its price, not the answer"),
    ("prompt_cache_options", "where a prompt is cached changes its price, not the answer"),
    ("prompt_cache_retention", "where a prompt is cached changes its price, not the answer"),
    ("service_tier", "tiers are the vendor's own"),
    ("metadata", "labels for the vendor's own lists"),
    ("store", "the target keeps no responses"),
    ("seed", "the target has no seed; repeatability is best effort with any vendor"),
    ("citations", "sources of earlier text; the text itself is kept"),
    ("annotations", "sources of earlier text; the text itself is kept"),
    ("reasoning", "only thoughts with the vendor's own signature can be continued, and those are sent"),
    ("reasoning_content", "only thoughts with the vendor's own signature can be continued, and those are sent"),
    ("reasoning_details", "only thoughts with the vendor's own signature can be continued, and those are sent"),
    ("id", "ids of items are the vendor's own"),
    ("status", "past items are complete"),
    ("name", "the target does not name participants"),
    ("defer_loading", "the tool is listed at once"),
    ("", "the target has no such member"),
];

fn reason(key: &str) -> &'static str {
    REASONS.iter().find(|(name, _)| name.is_empty() || *name == key).map_or("", |(_, why)| why)
}

#[derive(Clone, Debug, Default)]
pub struct Extras(Vec<Extra>);

impl Extras {
    /// All members of `node` but those in `known` and those that are `null`.
    pub fn of(node: Node<'_>, format: Format, known: &[&str]) -> Self {
        let mut extras = Self::default();
        extras.add(node, format, "", known);
        extras
    }

    /// Adds the members of `node`, which is called `under`.
    pub fn add(&mut self, node: Node<'_>, format: Format, under: &'static str, known: &[&str]) {
        for (key, value) in node.members() {
            if !known.contains(&&*key) && !value.is_null() {
                self.0.retain(|it| it.under != under || it.key != key);
                self.0.push(Extra { format, under, key: key.into_owned(), value: Json::of(value) });
            }
        }
    }

    pub fn get(&self, key: &str) -> Option<&Json> {
        self.0.iter().find(|it| it.under.is_empty() && it.key == key).map(|it| &it.value)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn remove(&mut self, key: &str) {
        self.0.retain(|it| !it.under.is_empty() || it.key != key);
    }

    /// Puts a member where `format` has it, in place of one of that name.
    pub fn set(&mut self, format: Format, key: &str, value: Json) {
        self.remove(key);
        self.0.push(Extra { format, under: "", key: key.to_owned(), value });
    }

    pub fn iter(&self) -> impl Iterator<Item = &Extra> {
        self.0.iter()
    }

    pub fn has_under(&self, format: Format, under: &str) -> bool {
        self.0.iter().any(|it| it.format == format && it.under == under)
    }

    /// Writes those members that `format` has in its object `under`.
    pub fn write(&self, out: &mut Object<'_>, format: Format, under: &str) {
        for extra in self.0.iter().filter(|it| it.under == under && is_kept(it, format)) {
            out.json(&extra.key, &extra.value);
        }
    }

    /// Notes what `format` does not have, of a part of a request at `at`.
    pub fn note(&self, format: Format, at: &dyn std::fmt::Display, dropped: &mut Vec<Dropped>) {
        for extra in self.0.iter().filter(|it| !is_kept(it, format) && !it.is_empty()) {
            let at = at.to_string();
            let dot = if at.is_empty() { "" } else { "." };
            dropped.push(Dropped { field: format!("{at}{dot}{}", extra.field()), why: reason(&extra.key) });
        }
    }

    /// As [`Self::note`] for the top of a body, where some members must not be lost.
    pub fn check(&self, format: Format, dropped: &mut Vec<Dropped>) -> Result<(), Refusal> {
        for extra in self.0.iter().filter(|it| !is_kept(it, format)) {
            let needed = NEEDED.iter().find(|(key, _)| extra.under.is_empty() && *key == extra.key);
            let is_needed = needed.is_some_and(|(_, absent)| !equals(&extra.value, absent));
            let wants_logprobs = extra.key == "include" && extra.value.text().contains("logprobs");
            if (is_needed || wants_logprobs) && !extra.is_empty() {
                return Err(Refusal::new(extra.field(), &format!("cannot be said in {}; leave it out", format.name())));
            }
        }
        self.note(format, &"", dropped);
        Ok(())
    }
}

/// Whether `format` has the member too. Anthropic's `cache_control` also comes in chat completions, as an extension.
fn is_kept(extra: &Extra, format: Format) -> bool {
    let is_both = extra.format.vendor() == Vendor::OpenAi && format.vendor() == Vendor::OpenAi;
    let is_cache = extra.key == "cache_control" && extra.format == Format::OpenAiChat;
    extra.format == format
        || is_both && extra.under.is_empty() && OPENAI.contains(&&*extra.key)
        || is_both && extra.key == "prompt_cache_breakpoint"
        || is_cache && format == Format::Anthropic
}

fn equals(value: &Json, absent: &str) -> bool {
    let number = |text: &str| Tape::parse(text).ok().filter(|it| it.root().kind() == Kind::Number)?.root().f64();
    value.text() == absent || number(value.text()).is_some_and(|it| Some(it) == number(absent))
}
