//! Control tokens under names that no text can spell.
//!
//! Taking them out of a file is not enough: a model that finds `<s>` among its pieces makes it from text.

use rustc_hash::FxHashMap;
use serde_json::Value;

/// Every hidden name starts with this, and [`parts`] lets no text hold two of its characters side by side.
const MARK: &str = "\u{ffff}\u{fffe}";

/// Names and what they were.
pub(super) struct Hidden {
    /// By the hidden name.
    names: FxHashMap<String, String>,
}

impl Hidden {
    /// Renames the control tokens of a file wherever it names them. Merges that make or use one are dropped.
    pub(super) fn hide(file: &mut Value) -> Self {
        let mut new = FxHashMap::default();
        for token in file["added_tokens"].as_array_mut().into_iter().flatten() {
            let Some(content) = token["content"].as_str().filter(|_| token["special"] == true) else { continue };
            let (content, name) = (content.to_owned(), format!("{MARK}{}\u{ffff}", new.len()));
            let name = new.entry(content).or_insert(name).clone();
            token["content"] = Value::String(name);
            // A normalizer could leave something of the name that text can spell.
            token["normalized"] = Value::Bool(false);
        }
        let model = &mut file["model"];
        rename_tokens(&mut model["vocab"], &new);
        if let Some(name) = model["unk_token"].as_str().and_then(|it| new.get(it)) {
            model["unk_token"] = Value::String(name.clone());
        }
        if let Some(merges) = model["merges"].as_array_mut() {
            merges.retain(|it| halves(it).is_none_or(|it| !touches(it, &new)));
        }
        Self { names: new.into_iter().map(|(content, name)| (name, content)).collect() }
    }

    pub(super) fn is_hidden(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    /// What was hidden, with the ids that `id` finds.
    pub(super) fn specials(&self, id: impl Fn(&str) -> Option<u32>) -> Vec<(String, u32)> {
        let found = self.names.iter().filter_map(|(name, content)| Some((content.clone(), id(name)?)));
        let mut specials: Vec<_> = found.collect();
        specials.sort_by_key(|it| it.1);
        specials
    }

    /// The text with its hidden names as they were.
    pub(super) fn show(&self, text: &str) -> String {
        let Some((before, rest)) = text.split_once(MARK) else { return text.to_owned() };
        let name = rest.split_once('\u{ffff}').map(|(number, behind)| (format!("{MARK}{number}\u{ffff}"), behind));
        match name.and_then(|(name, behind)| Some((self.names.get(&name)?, behind))) {
            Some((content, behind)) => format!("{before}{content}{}", self.show(behind)),
            None => format!("{before}{MARK}{}", self.show(rest)),
        }
    }
}

/// The text, cut where a hidden name could start.
pub(super) fn parts(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split_inclusive('\u{ffff}');
    parts.chain(text.is_empty().then_some(text))
}

/// A vocabulary of names, or a list of names and scores.
fn rename_tokens(vocab: &mut Value, new: &FxHashMap<String, String>) {
    match vocab {
        Value::Object(tokens) => {
            let renamed = |(name, id): (String, Value)| (new.get(&name).cloned().unwrap_or(name), id);
            *tokens = std::mem::take(tokens).into_iter().map(renamed).collect();
        }
        Value::Array(pieces) => {
            for piece in pieces.iter_mut().filter_map(|it| it.get_mut(0)) {
                if let Some(name) = piece.as_str().and_then(|it| new.get(it)) {
                    *piece = Value::String(name.clone());
                }
            }
        }
        _ => {}
    }
}

fn halves(merge: &Value) -> Option<(&str, &str)> {
    match merge {
        Value::String(text) => text.split_once(' '),
        Value::Array(_) => Some((merge[0].as_str()?, merge[1].as_str()?)),
        _ => None,
    }
}

fn touches((left, right): (&str, &str), new: &FxHashMap<String, String>) -> bool {
    [left, right, &format!("{left}{right}")].iter().any(|it| new.contains_key(*it))
}
