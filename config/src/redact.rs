//! What may be shown of a value that may hold a secret.

use crate::raw::{Node, Value};

/// Stands for a secret.
const HIDDEN: &str = "***";

/// Words in a key that make its value a secret.
const SECRET_WORDS: &[&str] = &["token", "secret", "key", "authorization", "password"];

/// Key endings that are measured in tokens, and so only look like secrets.
const COUNTED: &[&str] = &["_tokens", "tokenizer"];

/// The value with secrets hidden. `path` is its whole key path.
pub(crate) fn shown(path: &[&str], node: &Node) -> Value {
    if is_secret(path) {
        return Value::Text(HIDDEN.to_owned());
    }
    match (path.last(), &node.value) {
        (Some(&("url" | "base_url")), Value::Text(text)) => Value::Text(url(text)),
        (Some(&"args"), Value::List(items)) => Value::List(args(items)),
        (_, value) => value.clone(),
    }
}

/// Every header and every variable of a child is taken for a secret.
fn is_secret(path: &[&str]) -> bool {
    let Some((last, parents)) = path.split_last() else {
        return false;
    };
    let in_secret_table = matches!(parents, ["upstreams", _, "env" | "headers"] | ["providers", _, "headers"]);
    // What names a variable or a file is no secret.
    let is_named = last.ends_with("_env") || last.ends_with("_file");
    in_secret_table || is_secret_word(last) && !is_named
}

pub(crate) fn is_secret_word(word: &str) -> bool {
    let word = word.to_lowercase();
    let counted = COUNTED.iter().any(|ending| word.ends_with(ending));
    !counted && SECRET_WORDS.iter().any(|secret| word.contains(secret))
}

/// A URL without its user, password and query.
pub(crate) fn url(text: &str) -> String {
    let (base, query) = match text.split_once('?') {
        Some((base, _)) => (base, format!("?{HIDDEN}")),
        None => (text, String::new()),
    };
    let Some((scheme, rest)) = base.split_once("://") else {
        return format!("{base}{query}");
    };
    let authority_end = rest.find('/').unwrap_or(rest.len());
    match rest[..authority_end].rfind('@') {
        Some(at) => format!("{scheme}://{HIDDEN}{}{query}", &rest[at..]),
        None => format!("{base}{query}"),
    }
}

/// Hides `--token=x` and what follows `--token`.
fn args(items: &[Node]) -> Vec<Node> {
    let mut hide_next = false;
    let shown = items.iter().map(|item| {
        let Value::Text(text) = &item.value else {
            return item.clone();
        };
        let (flag, value) = text.split_once('=').map_or((text.as_str(), None), |(f, v)| (f, Some(v)));
        let secret_flag = flag.starts_with('-') && is_secret_word(flag);
        let hide = std::mem::replace(&mut hide_next, secret_flag && value.is_none());
        let text = match (hide, secret_flag && value.is_some()) {
            (true, _) => HIDDEN.to_owned(),
            (_, true) => format!("{flag}={HIDDEN}"),
            _ => text.clone(),
        };
        Node { value: Value::Text(text), ..item.clone() }
    });
    shown.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_lose_their_secrets() {
        let rows = [
            ("https://a.example/mcp", "https://a.example/mcp"),
            ("https://a.example/mcp?key=1", "https://a.example/mcp?***"),
            ("https://u:p@a.example/mcp", "https://***@a.example/mcp"),
            ("https://u@a.example", "https://***@a.example"),
            ("https://a.example/@scope?x", "https://a.example/@scope?***"),
            ("nonsense", "nonsense"),
        ];
        for (text, expected) in rows {
            assert_eq!(url(text), expected);
        }
    }

    #[test]
    fn keys_that_hold_secrets() {
        let rows: &[(&[&str], bool)] = &[
            (&["upstreams", "git", "env", "HARMLESS"], true),
            (&["upstreams", "docs", "headers", "X-Any"], true),
            (&["upstreams", "docs", "api_key"], true),
            (&["upstreams", "docs", "Password"], true),
            (&["providers", "x", "api_key"], true),
            (&["providers", "x", "headers", "X-Any"], true),
            (&["providers", "x", "api_key_env"], false),
            (&["providers", "x", "api_key_file"], false),
            (&["profiles", "default", "tools_budget_tokens"], false),
            (&["models", "x", "tokenizer"], false),
            (&["upstreams", "env", "url"], false),
            (&["server", "listen"], false),
        ];
        for (path, expected) in rows {
            assert_eq!(is_secret(path), *expected, "{path:?}");
        }
    }
}
