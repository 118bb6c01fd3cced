//! Keeping an item inside its line, and telling when it tries to leave it.
//!
//! An item is one line with a quoted string. Nothing in a text can end the line or the string, so that no text can
//! begin a line of another input. What a text *says* still reaches the model; see `docs/batch.md`.

use serde::{Deserialize, Serialize};

use super::Item;

/// What is odd about an item. It is asked all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// Its text looks like a line of another input (`Input 3: ..`).
    PosesAsInput,
    /// Its text looks like an answer for an input (`Label for Input 3: ..`).
    PosesAsLabel,
    /// Its text has characters that are not seen or that turn the direction of writing.
    Invisible,
    /// It has no text.
    Empty,
    /// Its text was no valid UTF-8.
    Replaced,
}

/// The text as a quoted string that is one line, in JSON's spelling.
#[must_use]
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() || ends_a_line(c) || is_invisible(c) => escape(c, &mut out),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn escape(c: char, out: &mut String) {
    use std::fmt::Write;
    for unit in c.encode_utf16(&mut [0; 2]) {
        // Writing to a `String` cannot fail.
        let _ = write!(out, "\\u{unit:04x}");
    }
}

/// Unicode's line and paragraph separators; the ASCII ones and U+0085 are control characters.
fn ends_a_line(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

/// Overrides of the direction of writing (Unicode Technical Report 36, section 2.1.3), tags and zero-width spaces.
/// Joiners stay: scripts and emoji need them.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// What is odd about `item`, each thing once.
#[must_use]
pub fn flags(item: &Item) -> Vec<Flag> {
    let mut found = impostures(&item.text);
    if item.text.chars().any(is_invisible) {
        found.push(Flag::Invisible);
    }
    if item.text.trim().is_empty() {
        found.push(Flag::Empty);
    }
    if item.replaced {
        found.push(Flag::Replaced);
    }
    found
}

fn impostures(text: &str) -> Vec<Flag> {
    let (mut input, mut label) = (false, false);
    for at in occurrences(text.as_bytes(), b"input") {
        let (before, after) = (&text.as_bytes()[..at], &text.as_bytes()[at + 5..]);
        if names_a_number(after) {
            let is_label = ends_with_word(before, b"for") || after.iter().take(200).any(|byte| *byte == b'}');
            label |= is_label;
            input |= !is_label;
        }
    }
    [(input, Flag::PosesAsInput), (label, Flag::PosesAsLabel)].into_iter().filter(|it| it.0).map(|it| it.1).collect()
}

/// Where `word` begins in `text`, whatever its case.
fn occurrences<'a>(text: &'a [u8], word: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    text.windows(word.len()).enumerate().filter(|(_, it)| it.eq_ignore_ascii_case(word)).map(|(at, _)| at)
}

/// ` 3:`, `#3 -`, `": 3,` and the like: a few marks, a number, and something that a label or text follows.
fn names_a_number(after: &[u8]) -> bool {
    let marks = after.iter().take(8).take_while(|byte| !byte.is_ascii_alphanumeric()).count();
    let digits = after[marks..].iter().take(8).take_while(|byte| byte.is_ascii_digit()).count();
    let rest = after[marks + digits..].trim_ascii_start();
    digits > 0 && rest.first().is_some_and(|byte| b":,}=->|.".contains(byte))
}

fn ends_with_word(before: &[u8], word: &[u8]) -> bool {
    let trimmed = before.trim_ascii_end();
    trimmed.len() >= word.len() && trimmed[trimmed.len() - word.len()..].eq_ignore_ascii_case(word)
}
