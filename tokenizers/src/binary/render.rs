//! Binary data as text that costs a text model few tokens, and that reads back to the same bytes.
//!
//! A line is `@OFFSET` in hexadecimal and items behind single spaces:
//! - `"text"`: printable bytes as they are; `|` is a zero byte, and `\` stands before `"`, `\` and `|` themselves;
//! - `00x4096`: a byte so many times;
//! - a word: one token of the largest shipped vocabulary. The words are tokens of o200k by themselves, wherever they
//!   stand, so that Binary BPE's tokens cost one text token each where base64 needs two.

use std::{collections::HashMap, fmt::Write, sync::OnceLock};

use super::{Size, Vocabulary, shipped};
use crate::Tokenizer;

/// Bytes of a line, but for runs and texts that go on.
const LINE_BYTES: usize = 512;
/// Fewer printable bytes are no text.
const LEAST_TEXT: usize = 6;
/// Shorter runs cost less as words.
const LEAST_RUN: usize = 160;
/// What one text may stand for when it is read; runs in a forged text must not fill the memory.
const MOST_BYTES: usize = 1 << 30;

/// Why a text is no rendering.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: `{item}` is {reason}; use the text as it was rendered")]
pub struct BadRendering {
    /// From 1.
    pub line: usize,
    /// What was read there.
    pub item: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// A word for each token, in the order of both.
struct Words {
    words: Vec<&'static str>,
    tokens: HashMap<&'static str, u16>,
    vocabulary: &'static Vocabulary,
}

/// The code book: o200k's words in small letters, then capitalised ones, then those in capitals, each by their ids.
fn words() -> &'static Words {
    static WORDS: OnceLock<Words> = OnceLock::new();
    WORDS.get_or_init(|| {
        let vocabulary = shipped(Size::K64);
        let mut kinds = [const { Vec::new() }; 3];
        let tokens = Tokenizer::by_name("o200k_base").ok();
        let all = tokens.into_iter().flat_map(|it| (0..200_000).filter_map(move |id| it.token(id)));
        for word in all.filter_map(|it| str::from_utf8(it).ok()?.strip_prefix(' ')) {
            if let Some(kind) = kind(word) {
                kinds[kind].push(word);
            }
        }
        let mut words = kinds.concat();
        words.truncate(vocabulary.merges().n_tokens());
        let tokens = (0..).zip(&words).map(|(token, word)| (*word, token)).collect();
        Words { words, tokens, vocabulary }
    })
}

/// In small letters, capitalised, or in capitals; `None` for what is no word.
fn kind(word: &str) -> Option<usize> {
    let (first, rest) = word.as_bytes().split_first()?;
    let are = |test: fn(&u8) -> bool| rest.iter().all(test);
    match first {
        b'a'..=b'z' if are(u8::is_ascii_lowercase) => Some(0),
        b'A'..=b'Z' if !rest.is_empty() && are(u8::is_ascii_lowercase) => Some(1),
        b'A'..=b'Z' if are(u8::is_ascii_uppercase) => Some(2),
        _ => None,
    }
}

/// Text that stands for `bytes`, the first of which is at `offset` of its file.
#[must_use]
pub fn render(bytes: &[u8], offset: u64) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    let mut line_end = 0;
    let mut plain = 0;
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let (run, printable) = (run_len(rest), text_len(rest));
        if run < LEAST_RUN && printable < LEAST_TEXT {
            at += 1;
            continue;
        }
        write_words(&mut text, bytes, plain..at, offset, &mut line_end);
        begin_line(&mut text, at, offset, &mut line_end);
        if run >= LEAST_RUN {
            // Writing to a string does not fail.
            let _ = write!(text, " {:02x}x{run}", rest[0]);
            at += run;
        } else {
            write_text(&mut text, &rest[..printable]);
            at += printable;
        }
        plain = at;
    }
    write_words(&mut text, bytes, plain..at, offset, &mut line_end);
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// Starts a line where the last one is long enough.
fn begin_line(text: &mut String, at: usize, offset: u64, line_end: &mut usize) {
    if at < *line_end {
        return;
    }
    *line_end = at + LINE_BYTES;
    let gap = if text.is_empty() { "" } else { "\n" };
    let _ = write!(text, "{gap}@{:x}", offset.saturating_add(at as u64));
}

fn write_words(text: &mut String, bytes: &[u8], part: std::ops::Range<usize>, offset: u64, line_end: &mut usize) {
    let words = words();
    let mut at = part.start;
    words.vocabulary.each_token(&bytes[part], |id, len| {
        begin_line(text, at, offset, line_end);
        text.push(' ');
        // The family's ids begin with seven control tokens.
        text.push_str(words.words.get(id as usize - 7).copied().unwrap_or_default());
        at += len;
    });
}

fn write_text(text: &mut String, bytes: &[u8]) {
    text.push_str(" \"");
    for byte in bytes {
        match byte {
            0 => text.push('|'),
            b'"' | b'\\' | b'|' => text.extend(['\\', char::from(*byte)]),
            _ => text.push(char::from(*byte)),
        }
    }
    text.push('"');
}

/// How often the first byte is repeated.
fn run_len(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|it| **it == bytes[0]).count()
}

/// Bytes of a text: printable ones, and single zeros that end a part of at least [`LEAST_TEXT`].
fn text_len(bytes: &[u8]) -> usize {
    let mut len = 0;
    loop {
        let part = bytes[len..].iter().take_while(|it| matches!(it, b' '..=b'~')).count();
        if part < LEAST_TEXT {
            return len;
        }
        len += part;
        if bytes.get(len) != Some(&0) {
            return len;
        }
        len += 1;
    }
}

/// Reads a rendering back: for each line its offset and its bytes.
///
/// # Errors
/// [`BadRendering`], with the line.
pub fn parse(text: &str) -> Result<Vec<(u64, Vec<u8>)>, BadRendering> {
    let (mut lines, mut left) = (Vec::new(), MOST_BYTES);
    for (number, line) in (1..).zip(text.lines()) {
        let bad = |item: &str, reason| BadRendering { line: number, item: item.chars().take(40).collect(), reason };
        let (head, mut rest) = line.split_once(' ').unwrap_or((line, ""));
        let offset = head.strip_prefix('@').and_then(|it| u64::from_str_radix(it, 16).ok());
        let offset = offset.ok_or_else(|| bad(head, "no `@` and offset"))?;
        let mut bytes = Vec::new();
        while !rest.is_empty() {
            rest = read_item(rest, &mut bytes, left).map_err(|reason| bad(rest, reason))?;
        }
        left = left.saturating_sub(bytes.len());
        lines.push((offset, bytes));
    }
    Ok(lines)
}

/// Reads one item and the space behind it.
fn read_item<'a>(rest: &'a str, bytes: &mut Vec<u8>, most: usize) -> Result<&'a str, &'static str> {
    if let Some(quoted) = rest.strip_prefix('"') {
        return read_text(quoted, bytes);
    }
    let (item, behind) = rest.split_once(' ').unwrap_or((rest, ""));
    if let Some((byte, count)) = run_of(item) {
        if count > most.saturating_sub(bytes.len()) {
            return Err("a run that is too long");
        }
        bytes.resize(bytes.len() + count, byte);
        return Ok(behind);
    }
    let words = words();
    let token = words.tokens.get(item).ok_or("no word of the code book")?;
    bytes.extend_from_slice(words.vocabulary.merges().spelling(*token));
    Ok(behind)
}

fn run_of(item: &str) -> Option<(u8, usize)> {
    let (byte, count) = item.split_once('x').filter(|it| it.0.len() == 2)?;
    Some((u8::from_str_radix(byte, 16).ok()?, count.parse().ok()?))
}

fn read_text<'a>(rest: &'a str, bytes: &mut Vec<u8>) -> Result<&'a str, &'static str> {
    let mut chars = rest.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => {
                let behind = &rest[at + 1..];
                return behind
                    .strip_prefix(' ')
                    .or(Some(behind).filter(|it| it.is_empty()))
                    .ok_or("text without a space behind it");
            }
            '|' => bytes.push(0),
            '\\' => match chars.next() {
                Some((_, it @ ('"' | '\\' | '|'))) => bytes.push(it as u8),
                _ => return Err("text with an unknown escape"),
            },
            ' '..='~' => bytes.push(c as u8),
            _ => return Err("text with a character that is not printable ASCII"),
        }
    }
    Err("text without an end")
}
