//! References of other clients -> `${VAR}`. Anything else that looks like a reference is escaped,
//! so that it stays what it was.

use std::collections::BTreeSet;

use crate::expand::is_variable_name;

/// What a text referred to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct References {
    /// Variables without a default: they must be set.
    pub(super) required: BTreeSet<String>,
    /// `${input:id}` that became a variable.
    pub(super) inputs: Vec<(String, String)>,
    /// Other references that became a variable.
    pub(super) renamed: Vec<(String, String)>,
}

/// Rewrites one text.
pub(super) fn convert(text: &str, references: &mut References) -> String {
    let mut converted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        converted.push_str(&rest[..start]);
        let after = &rest[start + 2..];
        let closed = after.split_once('}');
        let reference = closed.and_then(|(inner, _)| variable(inner, references));
        rest = match (reference, closed) {
            (Some(reference), Some((_, next))) => {
                converted.push_str(&format!("${{{reference}}}"));
                next
            }
            _ => {
                converted.push_str("$${");
                after
            }
        };
    }
    converted.push_str(rest);
    converted
}

/// The reference in our words; `None` if it is none.
fn variable(inner: &str, references: &mut References) -> Option<String> {
    if let Some(id) = inner.strip_prefix("input:") {
        let name = variable_name(id);
        references.inputs.push((id.to_owned(), name.clone()));
        references.required.insert(name.clone());
        return Some(name);
    }
    let renamed = match inner {
        "userHome" => Some("HOME".to_owned()),
        "workspaceFolder" | "workspaceRoot" => Some("WORKSPACE_FOLDER".to_owned()),
        _ => inner.strip_prefix("env:").map(str::to_owned),
    };
    let plain = renamed.clone().unwrap_or_else(|| inner.to_owned());
    let (name, default) = plain.split_once(":-").map_or((plain.as_str(), None), |(n, d)| (n, Some(d)));
    if !is_variable_name(name) {
        return None;
    }
    if default.is_none() {
        references.required.insert(name.to_owned());
    }
    if renamed.is_some() {
        references.renamed.push((inner.to_owned(), name.to_owned()));
    }
    Some(plain)
}

/// `github-token` -> `GITHUB_TOKEN`.
fn variable_name(id: &str) -> String {
    let legal = |c: char| {
        if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }
    };
    let name: String = id.chars().map(legal).collect();
    if is_variable_name(&name) { name } else { format!("INPUT_{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_become_variables_or_text() {
        let rows: &[(&str, &str, &[&str])] = &[
            ("plain $X", "plain $X", &[]),
            ("${X}", "${X}", &["X"]),
            ("${X:-y}", "${X:-y}", &[]),
            ("a${env:X}b${env:Y:-z}", "a${X}b${Y:-z}", &["X"]),
            ("Bearer ${input:github-token}", "Bearer ${GITHUB_TOKEN}", &["GITHUB_TOKEN"]),
            ("${input:1st}", "${INPUT_1ST}", &["INPUT_1ST"]),
            ("${workspaceFolder}/x", "${WORKSPACE_FOLDER}/x", &["WORKSPACE_FOLDER"]),
            ("${userHome}", "${HOME}", &["HOME"]),
            ("${a b} ${", "$${a b} $${", &[]),
            ("${command:x}", "$${command:x}", &[]),
            ("${${A}", "$${${A}", &["A"]),
        ];
        for (text, expected, required) in rows {
            let mut references = References::default();
            assert_eq!(convert(text, &mut references), *expected, "{text}");
            assert!(references.required.iter().eq(*required), "{text}");
        }
    }
}
