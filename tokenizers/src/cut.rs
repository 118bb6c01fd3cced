//! Places where a text may be cut without changing its tokens, and cuts that fit a number of tokens.
//!
//! The vocabularies here first split text into pieces and merge bytes only inside a piece. Wherever every split has a
//! boundary *whatever stands around*, the tokens of the whole are the tokens of the two halves. That lets a count stop
//! early, go on where text is appended, and be put together of parts.

use crate::tokenizer::Tokenizer;

/// Chunks aim at this size: small against a budget, large against the cost of one call.
const CHUNK_BYTES: usize = 4 << 10;

/// Below this length the longest fitting prefix of an unbroken run is found by trying every end.
const SHORT_RUN_BYTES: usize = 256;

/// True if every split puts a boundary between `prev` and `next`.
///
/// No expression has an alternative in which a space follows something that is not white space, nor one in
/// which a letter or digit is followed by punctuation other than the apostrophe of a contraction.
pub(crate) fn is_cut(prev: char, next: char) -> bool {
    let after_word = prev.is_ascii_alphanumeric() || is_ideograph_or_kana(prev);
    (next == ' ' && !prev.is_whitespace()) || (after_word && ends_word(next))
}

fn ends_word(next: char) -> bool {
    let ascii = next.is_ascii() && !next.is_ascii_alphanumeric() && next != '\'';
    ascii || matches!(next, '。' | '、' | '，' | '：' | '；' | '！' | '？')
}

fn is_ideograph_or_kana(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' | '\u{4e00}'..='\u{9fa5}')
}

/// The byte offset of the first cut at or after `from`, or the end of `text`.
pub(crate) fn next_cut(text: &str, from: usize) -> usize {
    let start = text.ceil_char_boundary(from.max(1));
    let Some(mut prev) = text[..start].chars().next_back() else {
        return text.len();
    };
    for (offset, next) in text[start..].char_indices() {
        if is_cut(prev, next) {
            return start + offset;
        }
        prev = next;
    }
    text.len()
}

/// `text` in consecutive pieces whose tokens add up to its own.
pub(crate) fn chunks(text: &str) -> impl Iterator<Item = &str> {
    pieces(text, CHUNK_BYTES)
}

/// As [`chunks`], but cut wherever possible: about a word each.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    pieces(text, 1)
}

fn pieces(text: &str, target_bytes: usize) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (head, tail) = rest.split_at(next_cut(rest, target_bytes));
        rest = tail;
        Some(head)
    })
}

/// The last cut in `text`, or 0.
pub(crate) fn last_cut(text: &str) -> usize {
    let mut next = None;
    for (at, prev) in text.char_indices().rev() {
        if let Some((start, c)) = next
            && is_cut(prev, c)
        {
            return start;
        }
        next = Some((at, prev));
    }
    0
}

/// See [`Tokenizer::prefix_within`].
pub(crate) fn prefix_within(tokenizer: Tokenizer, text: &str, limit: usize) -> usize {
    let text = &text[..text.floor_char_boundary(tokenizer.reach(limit))];
    let (fitting, left) = take_whole(tokenizer, chunks(text), limit);
    let chunk = chunks(&text[fitting..]).next().unwrap_or_default();
    let (in_chunk, left) = take_whole(tokenizer, words(chunk), left);
    let word = words(&chunk[in_chunk..]).next().unwrap_or_default();
    fitting + in_chunk + prefix_of_word(tokenizer, word, left)
}

/// Bytes of the leading pieces that fit into `limit` together, and how many tokens are left.
fn take_whole<'a>(tokenizer: Tokenizer, pieces: impl Iterator<Item = &'a str>, limit: usize) -> (usize, usize) {
    let (mut bytes, mut left) = (0, limit);
    for piece in pieces {
        let Some(remaining) = left.checked_sub(tokenizer.count(piece)) else { break };
        left = remaining;
        bytes += piece.len();
    }
    (bytes, left)
}

fn prefix_of_word(tokenizer: Tokenizer, word: &str, limit: usize) -> usize {
    let reach = tokenizer.reach(limit).min(word.len());
    let fits = |end: usize| tokenizer.count(&word[..end]) <= limit;
    if reach <= SHORT_RUN_BYTES {
        let mut ends = (0..=reach).rev().filter(|&end| word.is_char_boundary(end));
        return ends.find(|&end| fits(end)).unwrap_or(0);
    }
    let (mut low, mut high) = (0, reach + 1);
    while high - low > 1 {
        let middle = low.midpoint(high);
        if fits(word.floor_char_boundary(middle)) { low = middle } else { high = middle }
    }
    word.floor_char_boundary(low)
}

/// See [`Tokenizer::suffix_within`].
pub(crate) fn suffix_within(tokenizer: Tokenizer, text: &str, limit: usize) -> usize {
    let tail = &text[text.ceil_char_boundary(text.len().saturating_sub(tokenizer.reach(limit)))..];
    let (mut taken, mut left) = (0, limit);
    for word in words(tail).collect::<Vec<_>>().into_iter().rev() {
        let Some(remaining) = left.checked_sub(tokenizer.count(word)) else {
            return taken + suffix_of_word(tokenizer, word, left);
        };
        left = remaining;
        taken += word.len();
    }
    taken
}

fn suffix_of_word(tokenizer: Tokenizer, word: &str, limit: usize) -> usize {
    let start = word.len().saturating_sub(tokenizer.reach(limit));
    let fits = |start: usize| tokenizer.count(&word[start..]) <= limit;
    if word.len() - start <= SHORT_RUN_BYTES {
        let mut starts = (start..=word.len()).filter(|&it| word.is_char_boundary(it));
        return word.len() - starts.find(|&it| fits(it)).unwrap_or(word.len());
    }
    // `high` always fits.
    let (mut low, mut high) = (start, word.len());
    while high - low > 1 {
        let middle = low.midpoint(high);
        if fits(word.ceil_char_boundary(middle)) { high = middle } else { low = middle }
    }
    word.len() - word.ceil_char_boundary(high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_only_where_the_split_is_certain() {
        for (prev, next, expected) in [
            ('a', ' ', true),
            ('.', ' ', true),
            (' ', ' ', false),
            ('\n', ' ', false),
            ('a', '"', true),
            ('a', '\'', false),
            ('"', 'a', false),
            ('}', ',', false),
            ('中', '。', true),
            ('é', '.', false),
            ('é', ' ', true),
            ('3', '.', true),
        ] {
            assert_eq!(is_cut(prev, next), expected, "{prev:?} {next:?}");
        }
    }

    #[test]
    fn pieces_join_to_the_text() {
        let text = "The quick brown fox; 跳过了。 \n\n  lazy dogs don't {\"a\":1}".repeat(300);
        assert_eq!(chunks(&text).collect::<String>(), text);
        assert_eq!(words(&text).collect::<String>(), text);
        assert!(chunks(&text).count() > 3);
    }
}
