//! Places where a text may be cut without changing its tokens.
//!
//! The vocabularies here first split text with a regular expression and merge bytes only inside a piece. Wherever
//! that expression splits *whatever stands around*, the tokens of the whole are the tokens of the two halves. That
//! lets a count stop early, keeps memory flat on long text and keeps the regular expression off long runs.

/// Chunks aim at this size: small against a budget, large against the cost of one call.
const CHUNK_BYTES: usize = 4 << 10;

/// A run without any cut that is longer than this is cut regardless. No language writes 256 KiB without a space or
/// a full stop, and the regular expression's backtracking gives up (by panicking) near a million spaces.
const RUN_BYTES: usize = 256 << 10;

/// True if every split puts a boundary between `prev` and `next`.
///
/// Neither expression has an alternative in which a space follows something that is not white space, nor one in
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
        if is_cut(prev, next) || offset > RUN_BYTES {
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
