//! Parts of a text that are counted on their own, and parts that fit a number of tokens.
//!
//! A text may be cut wherever the vocabulary's [`Cuts`] say: there, the tokens of the whole are the tokens of the two
//! halves. That lets a count stop early, go on where text is appended, and be put together of parts.

use crate::{cuts::Cuts, encoder::Place, tokenizer::Tokenizer};

/// Chunks aim at this size: small against a budget, large against the cost of one call.
const CHUNK_BYTES: usize = 4 << 10;

/// Below this length the longest fitting prefix of an unbroken run is found by trying every end.
const SHORT_RUN_BYTES: usize = 256;

/// The byte offset of the first cut at or after `from`, or the end of `text`.
fn next_cut(cuts: &Cuts, text: &str, from: usize) -> usize {
    let start = text.ceil_char_boundary(from.max(1));
    let Some(mut prev) = text[..start].chars().next_back() else {
        return text.len();
    };
    for (offset, next) in text[start..].char_indices() {
        if cuts.is_cut(prev, next) {
            return start + offset;
        }
        prev = next;
    }
    text.len()
}

/// `text` in consecutive pieces whose tokens add up to its own.
pub(crate) fn chunks<'a>(cuts: &'a Cuts, text: &'a str) -> impl Iterator<Item = &'a str> {
    pieces(cuts, text, CHUNK_BYTES)
}

/// As [`chunks`], but cut wherever possible: about a word each.
pub(crate) fn words<'a>(cuts: &'a Cuts, text: &'a str) -> impl Iterator<Item = &'a str> {
    pieces(cuts, text, 1)
}

fn pieces<'a>(cuts: &'a Cuts, text: &'a str, target_bytes: usize) -> impl Iterator<Item = &'a str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (head, tail) = rest.split_at(next_cut(cuts, rest, target_bytes));
        rest = tail;
        Some(head)
    })
}

/// Where each piece stands, in a text that stands at `place`.
pub(crate) fn places(place: Place) -> impl Iterator<Item = Place> {
    std::iter::once(place).chain(std::iter::repeat(Place::Rest))
}

/// The last cut in `text`, or 0.
pub(crate) fn last_cut(cuts: &Cuts, text: &str) -> usize {
    let mut next = None;
    for (at, prev) in text.char_indices().rev() {
        if let Some((start, c)) = next
            && cuts.is_cut(prev, c)
        {
            return start;
        }
        next = Some((at, prev));
    }
    0
}

/// See [`Tokenizer::prefix_within`].
pub(crate) fn prefix_within(tokenizer: Tokenizer, text: &str, place: Place, limit: usize) -> usize {
    let text = &text[..text.floor_char_boundary(tokenizer.reach(limit))];
    let cuts = tokenizer.cuts();
    let place_at = |at: usize| if at == 0 { place } else { Place::Rest };
    let (fitting, left) = take_whole(tokenizer, chunks(cuts, text), place, limit);
    let chunk = chunks(cuts, &text[fitting..]).next().unwrap_or_default();
    let (in_chunk, left) = take_whole(tokenizer, words(cuts, chunk), place_at(fitting), left);
    let word = words(cuts, &chunk[in_chunk..]).next().unwrap_or_default();
    let fitting = fitting + in_chunk;
    fitting + prefix_of_word(tokenizer, word, place_at(fitting), left)
}

/// Bytes of the leading pieces that fit into `limit` together, and how many tokens are left.
fn take_whole<'a>(
    tokenizer: Tokenizer,
    pieces: impl Iterator<Item = &'a str>,
    place: Place,
    limit: usize,
) -> (usize, usize) {
    let (mut bytes, mut left) = (0, limit);
    for (piece, place) in pieces.zip(places(place)) {
        let Some(remaining) = left.checked_sub(tokenizer.count_at(piece, place)) else { break };
        left = remaining;
        bytes += piece.len();
    }
    (bytes, left)
}

fn prefix_of_word(tokenizer: Tokenizer, word: &str, place: Place, limit: usize) -> usize {
    let reach = tokenizer.reach(limit).min(word.len());
    let fits = |end: usize| tokenizer.count_at(&word[..end], place) <= limit;
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
    let (mut behind, mut left) = (0, limit);
    // Each word from the last one on, with the bytes behind it and the tokens left for it.
    let mut words: Vec<(&str, usize, usize)> = Vec::new();
    for word in words_of(tokenizer, tail).into_iter().rev() {
        words.push((word, behind, left));
        behind += word.len();
        // A word may be no token at all, so that one fits where none is left.
        let Some(rest) = left.checked_sub(tokenizer.count_at(word, Place::Rest)) else { break };
        left = rest;
    }
    // A suffix starts in a word, which then stands first and may cost more than it did behind others.
    let starts = words.iter().rev().map(|(word, behind, left)| (suffix_of_word(tokenizer, word, *left), behind));
    starts.filter(|(taken, _)| *taken > 0).map(|(taken, behind)| taken + behind).next().unwrap_or(0)
}

fn words_of(tokenizer: Tokenizer, text: &str) -> Vec<&str> {
    words(tokenizer.cuts(), text).collect()
}

/// The length of the longest suffix of an unbroken run that is at most `limit` tokens, standing first.
pub(crate) fn suffix_of_word(tokenizer: Tokenizer, word: &str, limit: usize) -> usize {
    let start = word.len().saturating_sub(tokenizer.reach(limit));
    let fits = |start: usize| tokenizer.count_at(&word[start..], Place::First) <= limit;
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
    fn pieces_join_to_the_text() {
        let text = "The quick brown fox; 跳过了。 \n\n  lazy dogs don't {\"a\":1}".repeat(300);
        let cuts = Cuts::Splits;
        assert_eq!(chunks(&cuts, &text).collect::<String>(), text);
        assert_eq!(words(&cuts, &text).collect::<String>(), text);
        assert!(chunks(&cuts, &text).count() > 3);
    }
}
