//! The pre-tokenizer of GPT-2, which r50k, p50k and many byte-level vocabularies share.

use super::{
    classes::{LETTER, NUMBER, SPACE},
    rules::spaces_end,
    text::Text,
};

/// `'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
#[inline(always)]
pub(crate) fn piece_end(text: Text<'_>, start: usize) -> usize {
    if text.byte(start) == Some(b'\'')
        && let Some(end) = contraction_end(text, start + 1)
    {
        return end;
    }
    let body = if text.byte(start) == Some(b' ') { start + 1 } else { start };
    match text.flags_at(body) {
        Some((flags, len)) if flags & LETTER != 0 => text.run(body + len, LETTER),
        Some((flags, len)) if flags & NUMBER != 0 => text.run(body + len, NUMBER),
        Some((flags, len)) if flags & SPACE == 0 => text.run_of_others(body + len, SPACE | LETTER | NUMBER),
        _ => spaces_end(text, start, false, 0),
    }
}

/// Lower case only.
fn contraction_end(text: Text<'_>, start: usize) -> Option<usize> {
    match (text.byte(start)?, text.byte(start + 1)) {
        (b's' | b'd' | b'm' | b't', _) => Some(start + 1),
        (b'l', Some(b'l')) | (b'v' | b'r', Some(b'e')) => Some(start + 2),
        _ => None,
    }
}
