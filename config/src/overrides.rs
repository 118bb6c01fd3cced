//! The two layers above the files: environment variables and command line overrides, as key paths
//! into the tree.

use crate::env::Env;
use crate::error::{Report, quoted};
use crate::origin::Origin;
use crate::raw::{RawConfig, Table, Value, parse_key, parse_value};

const PREFIX: &str = "TOLLGATE_";
const NEST: &str = "__";

/// Tables whose keys are the user's own words, so that their case matters.
const FREE_TABLES: &[&str] = &["env", "headers", "rename"];

/// Sets `server.listen` for `TOLLGATE_SERVER__LISTEN`, and `log.level` for `RUST_LOG`, which every
/// Rust program listens to and so wins. Returns warnings.
pub(crate) fn apply_env(raw: &mut RawConfig, env: &Env) -> Vec<String> {
    let mut warnings = Vec::new();
    for (name, value) in env.iter() {
        let Some(key) = name.strip_prefix(PREFIX) else {
            continue;
        };
        if key.contains(NEST) {
            let path = key_path(&raw.root, key);
            set(raw, &path, name, value);
        } else {
            warnings.extend(misspelt(&raw.root, name, key));
        }
    }
    if let Some(level) = env.get("RUST_LOG").filter(|level| !level.is_empty()) {
        set(raw, &["log".to_owned(), "level".to_owned()], "RUST_LOG", level);
    }
    warnings
}

/// Sets each `(key path, value)`, later ones last.
pub(crate) fn apply_flags(raw: &mut RawConfig, overrides: &[(String, String)], report: &Report) {
    for (key, value) in overrides {
        let origin = Origin::Flag { key: key.clone() };
        match parse_key(key) {
            Some(path) => raw.set(&path, parse_value(value, &origin)),
            None => {
                report.fail(&origin, format!("{} is no key", quoted(key)), "write it dotted, such as `server.listen`")
            }
        }
    }
}

fn set(raw: &mut RawConfig, path: &[String], name: &str, value: &str) {
    let origin = Origin::Env { name: name.to_owned() };
    raw.set(path, parse_value(value, &origin));
}

/// Variable names can hold neither `-` nor `.` and are upper case: a segment means the key that is
/// there and reads the same, and is lower-cased if none is.
fn key_path(root: &Table, key: &str) -> Vec<String> {
    let mut path: Vec<String> = Vec::new();
    let mut table = Some(root);
    for segment in key.split(NEST) {
        let existing = table.and_then(|table| table.keys().find(|key| same(key, segment)));
        let free = path.last().is_some_and(|parent| FREE_TABLES.contains(&parent.as_str()));
        let key = match existing {
            Some(existing) => existing.clone(),
            None if free => segment.to_owned(),
            None => segment.to_lowercase(),
        };
        table = table.and_then(|table| match &table.get(&key)?.value {
            Value::Table(inner) => Some(inner),
            _ => None,
        });
        path.push(key);
    }
    path
}

fn same(key: &str, segment: &str) -> bool {
    flat(key) == flat(segment)
}

fn flat(key: &str) -> String {
    key.to_lowercase().replace(['-', '.'], "_")
}

/// A variable with single underscores only. It may well belong to somebody else (a cluster sets
/// `TOLLGATE_PORT` for a service of that name), so it is told only if it reads like one of our
/// keys.
fn misspelt(root: &Table, name: &str, key: &str) -> Option<String> {
    let section = root.keys().find(|section| key.to_lowercase().starts_with(&flat(section)))?;
    let Value::Table(table) = &root.get(section)?.value else {
        return None;
    };
    let rest = key.get(section.len() + 1..)?;
    table.keys().find(|inner| same(inner, rest))?;
    let meant = format!("{PREFIX}{}{NEST}{rest}", section.to_uppercase());
    Some(format!("env {name}: ignored; keys nest with two underscores, write `{meant}`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::origin::{Document, DocumentFile};
    use crate::raw::parse_toml;

    fn raw(text: &str) -> RawConfig {
        let document = Document::new(DocumentFile::Embedded("t.toml"), text);
        RawConfig { root: parse_toml(&document).unwrap() }
    }

    #[test]
    fn a_variable_names_the_key_that_reads_the_same() {
        let raw = raw("[server]\nlisten = 1\n[upstreams.my-docs]\n[models.\"gpt-4.1\"]\n");
        let rows: &[(&str, &[&str])] = &[
            ("SERVER__LISTEN", &["server", "listen"]),
            ("Server__Listen", &["server", "listen"]),
            ("UPSTREAMS__MY_DOCS__URL", &["upstreams", "my-docs", "url"]),
            ("UPSTREAMS__GIT__ENV__API_Key", &["upstreams", "git", "env", "API_Key"]),
            ("MODELS__GPT_4_1__EXACT", &["models", "gpt-4.1", "exact"]),
        ];
        for (key, expected) in rows {
            assert_eq!(key_path(&raw.root, key), *expected, "{key}");
        }
    }

    #[test]
    fn only_what_reads_like_a_key_is_warned_about() {
        let rows = [
            ("TOLLGATE_SERVER_LISTEN", Some("TOLLGATE_SERVER__LISTEN")),
            ("TOLLGATE_PORT", None),
            ("TOLLGATE_SERVICE_HOST", None),
            ("TOLLGATE_SERVER", None),
            ("TOLLGATE_SERVER_PORT_7070_TCP", None),
        ];
        for (name, meant) in rows {
            let env = Env::from_iter([(name.to_owned(), "x".to_owned())]);
            let warnings = apply_env(&mut raw("[server]\nlisten = 1\n"), &env);
            assert_eq!(warnings.len(), usize::from(meant.is_some()), "{name}");
            assert!(warnings.iter().all(|w| w.contains(meant.unwrap_or_default())), "{name}");
        }
    }
}
