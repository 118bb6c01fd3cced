//! `[log]`.

use crate::config::{Log, LogFormat};
use crate::error::{list, quoted};
use crate::section::Section;
use crate::suggest::close_matches;

const FORMATS: &[(&str, LogFormat)] = &[("text", LogFormat::Text), ("json", LogFormat::Json)];

pub(super) fn check(section: Section<'_>) -> Option<Log> {
    let level = section.text("level");
    let format = section.choice("format", FORMATS);
    let contents = section.boolean("contents");
    if let Some(level) = level
        && let Some(directive) = bad_directive(level.value)
    {
        let message = format!("not a log level: {}", quoted(directive));
        section.fail(level.origin, message, remedy(directive));
    }
    section.finish();
    Some(Log { level: level?.value.to_owned(), format: format?, contents: contents? })
}

fn remedy(directive: &str) -> String {
    let close = close_matches(directive, LEVELS.iter().copied());
    match close.is_empty() {
        true => format!("use {}, or `target=level`", list(LEVELS, "or")),
        false => format!("did you mean {}?", list(&close, "or")),
    }
}

/// Levels of `RUST_LOG`.
const LEVELS: &[&str] = &["off", "error", "warn", "info", "debug", "trace"];

/// Words of other programs that would silently pass as the name of a target.
const FOREIGN_LEVELS: &[&str] = &["all", "critical", "fatal", "none", "quiet", "silent", "verbose", "warning"];

/// The first comma-separated directive that is neither `level`, `target` nor `target[span]=level`.
fn bad_directive(filter: &str) -> Option<&str> {
    let filter = filter.trim();
    if filter.is_empty() {
        return Some(filter);
    }
    match split_directives(filter)[..] {
        // A target alone would silence everything else, and is mostly a level that there is not.
        [only] if !only.contains(['=', '[']) => Some(only).filter(|word| !is_level(word)),
        ref directives => directives.iter().map(|it| it.trim()).find(|directive| !is_directive(directive)),
    }
}

/// Splits at commas outside `[span{fields}]`.
fn split_directives(filter: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    let outside = |c: char| {
        match c {
            '[' | '{' => depth += 1,
            ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    };
    filter.split(outside).collect()
}

fn is_directive(directive: &str) -> bool {
    let after_span = directive.rfind(']').unwrap_or(0);
    match directive[after_span..].rfind('=') {
        Some(equals) => {
            let (target, level) = directive.split_at(after_span + equals);
            !target.is_empty() && is_level(&level[1..])
        }
        None => is_level(directive) || is_target(directive),
    }
}

fn is_level(word: &str) -> bool {
    let word = word.to_lowercase();
    LEVELS.contains(&word.as_str()) || matches!(word.as_bytes(), [b'0'..=b'5'])
}

fn is_target(word: &str) -> bool {
    let path = |c: char| c.is_ascii_alphanumeric() || "_:-.[]{}=\"*".contains(c);
    let lower = word.to_lowercase();
    let mistyped =
        FOREIGN_LEVELS.contains(&lower.as_str()) || !close_matches(&lower, LEVELS.iter().copied()).is_empty();
    !word.is_empty() && word.chars().all(path) && !mistyped && word.parse::<f64>().is_err()
}

#[cfg(test)]
mod tests {
    use super::bad_directive;

    #[test]
    fn filters() {
        let good = [
            "info",
            "WARN",
            "info,tollgate=debug",
            "tollgate=debug,warn",
            "a::b=trace",
            "info,hyper",
            "[span]",
            "3",
            "x[span{a=1,b=2}]=info",
        ];
        let bad = [
            ("", ""),
            ("infoo", "infoo"),
            ("loud", "loud"),
            ("hyper", "hyper"),
            ("verbose", "verbose"),
            ("info,warning", "warning"),
            ("tollgate=loud", "tollgate=loud"),
            ("=info", "=info"),
            ("info,,warn", ""),
            ("9", "9"),
            ("a b", "a b"),
        ];
        for filter in good {
            assert_eq!(bad_directive(filter), None, "{filter}");
        }
        for (filter, directive) in bad {
            assert_eq!(bad_directive(filter), Some(directive), "{filter}");
        }
    }
}
