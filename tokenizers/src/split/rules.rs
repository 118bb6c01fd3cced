//! The pre-tokenizers of the GPT-4 line, which differ in a few constants: one scanner, a set of constants each.
//!
//! Every scanner is the exact meaning of a regular expression with its alternatives tried in order, as a backtracking
//! engine tries them; the expressions stand beside the constants. None looks back, and none reads a character more
//! than a fixed number of times, so that any text takes linear time.

use super::{
    classes::{CASELESS, Flags, HAN, LETTER, LOWER, MARK, NEWLINE, NUMBER, SLASH, SPACE, UPPER},
    text::Text,
};

/// Where `'s`, `'t`, `'re`, `'ve`, `'m`, `'ll` and `'d` are split off, in any case.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contraction {
    /// They are pieces of their own, before anything else is tried.
    First,
    /// They end the word before them.
    Suffix,
    /// They are nothing special.
    None,
}

/// What differs between the expressions.
pub(crate) trait Rules {
    const CONTRACTION: Contraction;
    /// Words are split where upper case begins.
    const CASED: bool;
    /// Most digits in a piece.
    const MAX_DIGITS: usize;
    /// What a run of punctuation takes along at its end.
    const TAIL: Flags;
    /// Runs of Han are pieces of their own.
    const HAN_RUNS: bool;
}

/// `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
pub(crate) struct Cl100k;

impl Rules for Cl100k {
    const CONTRACTION: Contraction = Contraction::First;
    const CASED: bool = false;
    const MAX_DIGITS: usize = 3;
    const TAIL: Flags = NEWLINE;
    const HAN_RUNS: bool = false;
}

/// As [`Cl100k`], with `\p{N}`.
pub(crate) struct Qwen;

impl Rules for Qwen {
    const CONTRACTION: Contraction = Contraction::First;
    const CASED: bool = false;
    const MAX_DIGITS: usize = 1;
    const TAIL: Flags = NEWLINE;
    const HAN_RUNS: bool = false;
}

/// `[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?`
/// `|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?`
/// `|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`
pub(crate) struct O200k;

impl Rules for O200k {
    const CONTRACTION: Contraction = Contraction::Suffix;
    const CASED: bool = true;
    const MAX_DIGITS: usize = 3;
    const TAIL: Flags = NEWLINE | SLASH;
    const HAN_RUNS: bool = false;
}

/// As [`O200k`], without contractions and with `\p{N}`.
pub(crate) struct Tekken;

impl Rules for Tekken {
    const CONTRACTION: Contraction = Contraction::None;
    const CASED: bool = true;
    const MAX_DIGITS: usize = 1;
    const TAIL: Flags = NEWLINE | SLASH;
    const HAN_RUNS: bool = false;
}

/// As [`O200k`], with `[\p{Han}]+` first, Han taken out of the word's classes, and `[\r\n]*` after punctuation.
pub(crate) struct Kimi;

impl Rules for Kimi {
    const CONTRACTION: Contraction = Contraction::Suffix;
    const CASED: bool = true;
    const MAX_DIGITS: usize = 3;
    const TAIL: Flags = NEWLINE;
    const HAN_RUNS: bool = true;
}

/// The end of the piece that starts at `start`, which must be before the end of `text`.
#[inline(always)]
pub(crate) fn piece_end<R: Rules>(text: Text<'_>, start: usize) -> usize {
    let (flags, len) = text.flags(start);
    let next = start + len;
    if R::HAN_RUNS && flags & HAN != 0 {
        return text.run(next, HAN);
    }
    if flags & LETTER != 0 {
        return word_end::<R>(text, start).unwrap_or(next);
    }
    if flags & NUMBER != 0 {
        return digits_end(text, next, R::MAX_DIGITS - 1);
    }
    if R::CONTRACTION == Contraction::First
        && let Some(end) = contraction_end(text, start)
    {
        return end;
    }
    if R::CASED && flags & MARK != 0 {
        return mark_end::<R>(text, start, next);
    }
    if flags & NEWLINE == 0
        && let Some(end) = word_end::<R>(text, next)
    {
        return end;
    }
    if flags & SPACE == 0 {
        return punctuation_end::<R>(text, next);
    }
    let is_blank = text.byte(start) == Some(b' ');
    match text.flags_at(next) {
        Some((after, len)) if is_blank && after & (SPACE | LETTER | NUMBER) == 0 => {
            punctuation_end::<R>(text, next + len)
        }
        _ => spaces_end(text, start, true, 0),
    }
}

#[inline(always)]
fn word_end<R: Rules>(text: Text<'_>, start: usize) -> Option<usize> {
    if R::CASED { cased_word::<R>(text, start).map(|it| it.end) } else { plain_word(text, start) }
}

#[inline(always)]
fn plain_word(text: Text<'_>, start: usize) -> Option<usize> {
    let end = text.run(start, LETTER);
    (end > start).then_some(end)
}

/// A word that ends where upper case begins anew.
struct CasedWord {
    end: usize,
    /// It has a part in lower or no case: the first of the two alternatives.
    is_first: bool,
}

#[inline(always)]
fn cased_word<R: Rules>(text: Text<'_>, start: usize) -> Option<CasedWord> {
    let mut upper_end = start;
    // The end of the last character that may stand in both parts, to which the first alternative backs up.
    let mut caseless_end = None;
    while let Some((flags, len)) = text.flags_at(upper_end) {
        if flags & (UPPER | CASELESS | MARK) == 0 || (R::HAN_RUNS && flags & HAN != 0) {
            break;
        }
        upper_end += len;
        if flags & (CASELESS | MARK) != 0 {
            caseless_end = Some(upper_end);
        }
    }
    let lower_end = lower_run::<R>(text, upper_end);
    let (end, is_first) = match caseless_end {
        _ if lower_end > upper_end => (lower_end, true),
        Some(end) => (end, true),
        None if upper_end > start => (upper_end, false),
        None => return None,
    };
    let end = if R::CONTRACTION == Contraction::Suffix { contraction_end(text, end).unwrap_or(end) } else { end };
    Some(CasedWord { end, is_first })
}

#[inline(always)]
fn lower_run<R: Rules>(text: Text<'_>, start: usize) -> usize {
    if R::HAN_RUNS {
        text.run_without(start, LOWER | CASELESS | MARK, HAN)
    } else {
        text.run(start, LOWER | CASELESS | MARK)
    }
}

/// A mark may be the character before a word, or its first; the first alternative is tried both ways before the second.
#[cold]
fn mark_end<R: Rules>(text: Text<'_>, start: usize, next: usize) -> usize {
    let after = cased_word::<R>(text, next).filter(|it| it.is_first);
    after.or_else(|| cased_word::<R>(text, start)).map_or(next, |it| it.end)
}

/// `next` is behind the first digit.
#[inline(always)]
fn digits_end(text: Text<'_>, mut next: usize, more: usize) -> usize {
    for _ in 0..more {
        match text.flags_at(next) {
            Some((flags, len)) if flags & NUMBER != 0 => next += len,
            _ => break,
        }
    }
    next
}

/// `next` is behind the first character that is no white space, letter or number.
#[inline(always)]
fn punctuation_end<R: Rules>(text: Text<'_>, next: usize) -> usize {
    let end = text.run_of_others(next, SPACE | LETTER | NUMBER);
    text.run(end, R::TAIL)
}

/// `\s*[\r\n]+|\s+(?!\S)|\s+`, the first of them if `lines`. Before a character of `edge` the text counts as ended.
pub(crate) fn spaces_end(text: Text<'_>, start: usize, lines: bool, edge: Flags) -> usize {
    let (mut end, mut last_len, mut line_end) = (start, 0, None);
    while let Some((flags, len)) = text.flags_at(end) {
        if flags & SPACE == 0 {
            break;
        }
        (end, last_len) = (end + len, len);
        if flags & NEWLINE != 0 {
            line_end = Some(end);
        }
    }
    let is_last = text.flags_at(end).is_none_or(|(flags, _)| flags & edge != 0);
    match line_end {
        Some(line_end) if lines => line_end,
        // White space before anything else leaves it its last character, if it has more than that.
        _ if !is_last && end - last_len > start => end - last_len,
        _ => end,
    }
}

/// `'(?i:s|t|m|d|re|ve|ll)`. Case is folded as Unicode does: `ſ` is an s.
#[inline(always)]
pub(crate) fn contraction_end(text: Text<'_>, start: usize) -> Option<usize> {
    if text.byte(start) != Some(b'\'') { None } else { contraction_tail(text, start + 1) }
}

fn contraction_tail(text: Text<'_>, start: usize) -> Option<usize> {
    let lower = |at: usize| text.byte(at).map(|it| it.to_ascii_lowercase());
    match (lower(start)?, lower(start + 1)) {
        (b's' | b't' | b'm' | b'd', _) => Some(start + 1),
        (b'r' | b'v', Some(b'e')) | (b'l', Some(b'l')) => Some(start + 2),
        (0xc5, Some(0xbf)) => Some(start + 2),
        _ => None,
    }
}
