//! The baseline: BM25 as it comes (Robertson and Zaragoza, 2009), over one text a tool, with nothing weighted.
//!
//! The text is name, description, parameter names, server and parameter descriptions. Words are runs of ASCII letters and
//! digits, split where a capital follows a small letter, in small letters, without stop words and plurals. A word that stands
//! twice in a query counts twice. Tools without any word of the query are not found.

use std::collections::HashMap;

use serde_json::Value;
use tollgate_planners::tools::{Match, Ranker, ToolDef};

const K1: f64 = 1.5;
const B: f64 = 0.65;

/// Sorted.
const STOP_WORDS: &[&str] = &[
    "a", "about", "also", "an", "and", "any", "are", "as", "at", "be", "been", "by", "can", "could", "do", "does",
    "for", "from", "had", "has", "have", "how", "i", "if", "in", "into", "is", "it", "its", "like", "me", "my", "need",
    "of", "on", "or", "our", "please", "s", "should", "so", "some", "t", "that", "the", "their", "them", "then",
    "there", "these", "they", "this", "those", "to", "use", "used", "using", "want", "was", "we", "were", "what",
    "when", "where", "which", "will", "with", "would", "you", "your",
];

/// The index.
pub(super) struct Plain {
    postings: HashMap<String, Vec<(usize, f64)>>,
    n_documents: usize,
}

impl Plain {
    pub(super) fn new(tools: &[ToolDef]) -> Self {
        let documents: Vec<HashMap<String, f64>> = tools.iter().map(|tool| counted(&terms(&text(tool)))).collect();
        let length = |document: &HashMap<String, f64>| document.values().sum::<f64>();
        let mean = documents.iter().map(length).sum::<f64>() / documents.len().max(1) as f64;
        let mut postings: HashMap<String, Vec<(usize, f64)>> = HashMap::new();
        for (idx, document) in documents.iter().enumerate() {
            let pressure = K1 * (1.0 - B + B * length(document) / mean.max(f64::MIN_POSITIVE));
            for (term, count) in document {
                let impact = count * (K1 + 1.0) / (count + pressure);
                postings.entry(term.clone()).or_default().push((idx, impact));
            }
        }
        Self { postings, n_documents: documents.len() }
    }
}

impl Ranker for Plain {
    fn rank(&self, query: &str) -> Vec<Match> {
        let mut scores = vec![0.0; self.n_documents];
        for term in terms(query) {
            let Some(list) = self.postings.get(&term) else { continue };
            let (all, with) = (self.n_documents as f64, list.len() as f64);
            let rarity = (1.0 + (all - with + 0.5) / (with + 0.5)).ln();
            list.iter().for_each(|&(idx, impact)| scores[idx] += rarity * impact);
        }
        let scored = scores.into_iter().enumerate().map(|(idx, score)| Match { idx, score });
        let mut found: Vec<Match> = scored.filter(|it| it.score > 0.0).collect();
        found.sort_by(|a, b| b.score.total_cmp(&a.score));
        found
    }
}

fn counted(terms: &[String]) -> HashMap<String, f64> {
    let mut counts = HashMap::new();
    for term in terms {
        *counts.entry(term.clone()).or_default() += 1.0;
    }
    counts
}

fn text(tool: &ToolDef) -> String {
    let definition: Value = serde_json::from_str(tool.definition.get()).unwrap_or_default();
    let (mut names, mut texts) = (Vec::new(), Vec::new());
    read_schema(&definition["inputSchema"], &mut names, &mut texts);
    let description = definition["description"].as_str().unwrap_or_default();
    [&tool.name, description, &names.join(" "), &tool.server, &texts.join(" ")].join(" ")
}

fn read_schema<'a>(schema: &'a Value, names: &mut Vec<&'a str>, texts: &mut Vec<&'a str>) {
    match schema {
        Value::Object(fields) => {
            names.extend(
                fields
                    .get("properties")
                    .and_then(Value::as_object)
                    .into_iter()
                    .flat_map(|it| it.keys())
                    .map(String::as_str),
            );
            texts.extend(fields.get("description").and_then(Value::as_str));
            fields.values().for_each(|value| read_schema(value, names, texts));
        }
        Value::Array(items) => items.iter().for_each(|item| read_schema(item, names, texts)),
        _ => {}
    }
}

fn terms(text: &str) -> Vec<String> {
    let mut split = String::with_capacity(text.len() + 16);
    let mut last = ' ';
    for c in text.chars() {
        if c.is_ascii_uppercase() && last.is_ascii_lowercase() {
            split.push(' ');
        }
        split.push(c);
        last = c;
    }
    let lower = split.to_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.filter(|word| STOP_WORDS.binary_search(word).is_err()).map(stem).collect()
}

fn stem(word: &str) -> String {
    match word.strip_suffix("ies").filter(|stem| stem.len() > 1) {
        Some(stem) => format!("{stem}y"),
        None => word.strip_suffix('s').filter(|stem| stem.len() > 2 && !stem.ends_with('s')).unwrap_or(word).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_table() {
        assert!(STOP_WORDS.is_sorted());
        for (text, expected) in [
            ("getUserById, please", "get user id"),
            ("list all_the queries", "list all query"),
            ("has2Parts of HTTPServers 中文 class", "has2part httpserver class"),
        ] {
            assert_eq!(terms(text).join(" "), expected, "{text}");
        }
    }
}
