//! `${VAR}` and `${VAR:-default}` in a value. `$${` stands for a literal `${`; any other `$` is
//! itself.

use crate::env::Env;

/// Why a value cannot be expanded.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ExpandError {
    /// `${` without `}`.
    Unclosed,
    /// What stands between the braces is no variable name.
    BadName(String),
    /// The variable is not set and has no default.
    Missing(String),
}

/// Replaces the references. As in a shell, `:-` also replaces an empty variable.
pub(crate) fn expand(text: &str, env: &Env) -> Result<String, ExpandError> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let (before, reference) = (&rest[..start], &rest[start + 2..]);
        if let Some(before) = before.strip_suffix('$') {
            expanded.push_str(before);
            expanded.push_str("${");
            rest = reference;
            continue;
        }
        let end = reference.find('}').ok_or(ExpandError::Unclosed)?;
        expanded.push_str(before);
        expanded.push_str(resolve(&reference[..end], env)?);
        rest = &reference[end + 1..];
    }
    expanded.push_str(rest);
    Ok(expanded)
}

fn resolve<'a>(reference: &'a str, env: &'a Env) -> Result<&'a str, ExpandError> {
    let (name, default) = match reference.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (reference, None),
    };
    if !is_variable_name(name) {
        return Err(ExpandError::BadName(name.to_owned()));
    }
    match (env.get(name), default) {
        (Some(value), None) => Ok(value),
        (Some(value), Some(_)) if !value.is_empty() => Ok(value),
        (_, Some(default)) => Ok(default),
        (None, None) => Err(ExpandError::Missing(name.to_owned())),
    }
}

/// Letters, digits and underscores, not starting with a digit: what a shell can set.
pub(crate) fn is_variable_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_references() {
        let env = Env::from_iter([("A", "1"), ("EMPTY", "")].map(|(k, v)| (k.into(), v.into())));
        let rows = [
            ("plain", Ok("plain")),
            ("${A}", Ok("1")),
            ("x${A}y${A}z", Ok("x1y1z")),
            ("${EMPTY}", Ok("")),
            ("${EMPTY:-d}", Ok("d")),
            ("${NONE:-d:-e}", Ok("d:-e")),
            ("${NONE:-}", Ok("")),
            ("$A and $$ and $", Ok("$A and $$ and $")),
            ("$${A}", Ok("${A}")),
            ("${NONE}", Err(ExpandError::Missing("NONE".into()))),
            ("${A", Err(ExpandError::Unclosed)),
            ("${}", Err(ExpandError::BadName("".into()))),
            ("${input:key}", Err(ExpandError::BadName("input:key".into()))),
        ];
        for (text, expected) in rows {
            assert_eq!(expand(text, &env), expected.map(String::from), "{text}");
        }
    }
}
