//! Between which two characters a text may be cut without changing its tokens: a property of the vocabulary.

use crate::split::Split;

/// How U+2581 is counted: SentencePiece writes a space so, and cannot tell one from the other.
const SPACE_MARK: char = '\u{2581}';

/// The rule of one vocabulary.
pub(crate) enum Cuts {
    /// Wherever all pre-tokenizers of [`Split`](crate::Split) have a boundary, whatever stands around.
    Splits,
    /// The same, but not inside of tokens that are matched before the split.
    SplitsBut(Pairs),
    /// Wherever no token holds the two characters side by side.
    Pairs(Pairs),
    /// Nowhere that is known.
    Nowhere,
}

impl Cuts {
    /// Where a text may be cut that is split after `defined` tokens were taken from it.
    pub(crate) fn of_split<'a>(split: Split, mut defined: impl Iterator<Item = &'a str>) -> Self {
        match (split, defined.next()) {
            (Split::None, _) => Self::Nowhere,
            (_, None) => Self::Splits,
            (_, Some(first)) => Self::SplitsBut(Pairs::of(std::iter::once(first).chain(defined).map(str::as_bytes))),
        }
    }

    /// True if the tokens of a text are those of its parts before and behind this place.
    pub(crate) fn is_cut(&self, prev: char, next: char) -> bool {
        match self {
            Self::Splits => is_split(prev, next),
            Self::SplitsBut(pairs) => is_split(prev, next) && !pairs.has(last_byte(prev), first_byte(next)),
            Self::Pairs(pairs) => !pairs.has(last_byte(prev), first_byte(next)),
            Self::Nowhere => false,
        }
    }

    /// False if no token holds the two bytes side by side, and the second one starts a character.
    #[inline(always)]
    pub(crate) fn may_join(&self, prev: u8, next: u8) -> bool {
        match self {
            Self::Pairs(pairs) => pairs.has(prev, next) || next & 0xc0 == 0x80,
            Self::Splits | Self::SplitsBut(_) | Self::Nowhere => true,
        }
    }
}

/// True if every split puts a boundary between `prev` and `next`.
///
/// No expression has an alternative in which a space follows something that is not white space, nor one in
/// which a letter or digit is followed by punctuation other than the apostrophe of a contraction.
fn is_split(prev: char, next: char) -> bool {
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

fn last_byte(c: char) -> u8 {
    let mut bytes = [0; 4];
    c.encode_utf8(&mut bytes).bytes().next_back().filter(|_| c != SPACE_MARK).unwrap_or(b' ')
}

fn first_byte(c: char) -> u8 {
    let mut bytes = [0; 4];
    c.encode_utf8(&mut bytes).bytes().next().filter(|_| c != SPACE_MARK).unwrap_or(b' ')
}

/// Which byte may end a character, and which start the next one, inside a token: 8 KiB that answer without a look at
/// the vocabulary.
pub(crate) struct Pairs(Box<[u64; 1 << 10]>);

impl Pairs {
    /// The pairs at the inner character boundaries of `tokens`.
    pub(crate) fn of<'a>(tokens: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut made = Self(Box::new([0; 1 << 10]));
        for [prev, next] in tokens.flat_map(|it| it.array_windows()) {
            let bit = place(*prev, *next);
            made.0[bit / 64] |= u64::from(next & 0xc0 != 0x80) << (bit % 64);
        }
        made
    }

    /// True if a token may hold them side by side.
    #[inline(always)]
    pub(crate) fn has(&self, prev: u8, next: u8) -> bool {
        let bit = place(prev, next);
        self.0[bit / 64] >> (bit % 64) & 1 != 0
    }
}

#[inline(always)]
fn place(prev: u8, next: u8) -> usize {
    usize::from(prev) << 8 | usize::from(next)
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
            assert_eq!(Cuts::Splits.is_cut(prev, next), expected, "{prev:?} {next:?}");
        }
    }

    #[test]
    fn cuts_where_no_token_goes_across() {
        let cuts = Cuts::Pairs(Pairs::of([" a", "aé", "  ", "x"].map(str::as_bytes).into_iter()));
        for (prev, next, expected) in [
            (' ', 'a', false),
            ('\u{2581}', 'a', false),
            ('a', ' ', true),
            ('a', '\u{2581}', true),
            ('a', 'é', false),
            ('é', 'a', true),
            ('x', 'x', true),
        ] {
            assert_eq!(cuts.is_cut(prev, next), expected, "{prev:?} {next:?}");
        }
        assert!(!Cuts::Nowhere.is_cut('a', ' '));
    }
}
