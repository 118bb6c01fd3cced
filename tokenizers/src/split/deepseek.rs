//! DeepSeek's pre-tokenizer: three expressions one after another, each on the pieces of the one before.

use super::{
    classes::{CJK, Flags, LETTER, MARK, NEWLINE, NUMBER, PUNCTUATION, SPACE, SYMBOL},
    rules::spaces_end,
    text::Text,
};

/// `\p{N}{1,3}`, then `[一-龥぀-ゟ゠-ヿ]+`, then
/// ``[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+``
///
/// A piece of the third never goes past digits or CJK, and what stands before them counts as standing at the end.
#[inline(always)]
pub(crate) fn piece_end(text: Text<'_>, start: usize) -> usize {
    let (flags, len) = text.flags(start);
    let next = start + len;
    if flags & NUMBER != 0 {
        let second = digit_end(text, next);
        return digit_end(text, second);
    }
    if flags & CJK != 0 {
        return text.run_without(next, CJK, NUMBER);
    }
    let is_ascii_mark = len == 1 && flags & (PUNCTUATION | SYMBOL) != 0;
    if is_ascii_mark && let Some(end) = ascii_word_end(text, next) {
        return end;
    }
    if flags & (LETTER | MARK) != 0 {
        return run(text, next, LETTER | MARK);
    }
    let may_lead = flags & (NEWLINE | PUNCTUATION | SYMBOL) == 0;
    if may_lead && run(text, next, LETTER | MARK) > next {
        return run(text, next, LETTER | MARK);
    }
    if flags & (PUNCTUATION | SYMBOL) != 0 {
        return punctuation_end(text, next);
    }
    if text.byte(start) == Some(b' ') && run(text, next, PUNCTUATION | SYMBOL) > next {
        return punctuation_end(text, next);
    }
    if flags & SPACE != 0 { spaces_end(text, start, true, EDGE) } else { rest_end(text, next) }
}

/// The stretch in which the third expression sees one text ends before these.
const EDGE: Flags = NUMBER | CJK;

fn digit_end(text: Text<'_>, at: usize) -> usize {
    match text.flags_at(at) {
        Some((flags, len)) if flags & NUMBER != 0 => at + len,
        _ => at,
    }
}

fn run(text: Text<'_>, at: usize, wanted: Flags) -> usize {
    text.run_without(at, wanted, EDGE)
}

fn ascii_word_end(text: Text<'_>, start: usize) -> Option<usize> {
    let mut end = start;
    while text.byte(end).is_some_and(|it| it.is_ascii_alphabetic()) {
        end += 1;
    }
    (end > start).then_some(end)
}

fn punctuation_end(text: Text<'_>, next: usize) -> usize {
    let end = run(text, next, PUNCTUATION | SYMBOL);
    text.run(end, NEWLINE)
}

/// What no alternative matches stays together up to where one does.
fn rest_end(text: Text<'_>, mut at: usize) -> usize {
    while let Some((flags, len)) = text.flags_at(at) {
        if flags & (SPACE | LETTER | MARK | PUNCTUATION | SYMBOL) != 0 || flags & EDGE != 0 {
            break;
        }
        // A character before a word belongs to the word.
        if run(text, at + len, LETTER | MARK) > at + len {
            break;
        }
        at += len;
    }
    at
}
