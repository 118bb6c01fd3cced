//! What a character is to a pre-tokenizer: flags from Unicode's general category, white space and script.
//!
//! The tables come from `regex-syntax`, so that they are of the same Unicode version as the regular expressions which
//! the reference tokenizers run.

use std::sync::LazyLock;

use regex_syntax::hir::{Class, HirKind};

/// Flags of one character; a character has one of the general categories and may have any of the rest.
pub(crate) type Flags = u16;

/// Lu and Lt.
pub(crate) const UPPER: Flags = 1 << 0;
/// Ll.
pub(crate) const LOWER: Flags = 1 << 1;
/// Lm and Lo: letters without case.
pub(crate) const CASELESS: Flags = 1 << 2;
/// M.
pub(crate) const MARK: Flags = 1 << 3;
/// N.
pub(crate) const NUMBER: Flags = 1 << 4;
/// `\s`, line ends included.
pub(crate) const SPACE: Flags = 1 << 5;
/// `\r` and `\n`.
pub(crate) const NEWLINE: Flags = 1 << 6;
/// P.
pub(crate) const PUNCTUATION: Flags = 1 << 7;
/// S.
pub(crate) const SYMBOL: Flags = 1 << 8;
/// Script Han.
pub(crate) const HAN: Flags = 1 << 9;
/// DeepSeek's own range: 一 to 龥, Hiragana, Katakana.
pub(crate) const CJK: Flags = 1 << 10;
/// `/`, which o200k counts to the tail of punctuation.
pub(crate) const SLASH: Flags = 1 << 11;

pub(crate) const LETTER: Flags = UPPER | LOWER | CASELESS;

/// Where each flag but the ranges by hand comes from.
const PROPERTIES: &[(&str, Flags)] = &[
    (r"[\p{Lu}\p{Lt}]", UPPER),
    (r"\p{Ll}", LOWER),
    (r"[\p{Lm}\p{Lo}]", CASELESS),
    (r"\p{M}", MARK),
    (r"\p{N}", NUMBER),
    (r"\s", SPACE),
    (r"[\r\n]", NEWLINE),
    (r"\p{P}", PUNCTUATION),
    (r"\p{S}", SYMBOL),
    (r"\p{Han}", HAN),
    (r"[一-龥\x{3040}-\x{309f}\x{30a0}-\x{30ff}]", CJK),
    ("/", SLASH),
];

const PAGE_BITS: u32 = 7;
const PAGE_LEN: usize = 1 << PAGE_BITS;
const CODE_POINTS: usize = 0x11_0000;

/// Flags by code point, in pages, since most pages are alike.
pub(crate) struct Classes {
    page_of: Vec<u16>,
    pages: Vec<[Flags; PAGE_LEN]>,
}

/// The one table, about 60 KiB, made at first use.
pub(crate) static CLASSES: LazyLock<Classes> = LazyLock::new(Classes::build);

impl Classes {
    fn build() -> Self {
        let mut flat = vec![0; CODE_POINTS];
        for (pattern, flag) in PROPERTIES {
            for (first, last) in ranges(pattern) {
                flat[first as usize..=last as usize].iter_mut().for_each(|it| *it |= flag);
            }
        }
        let mut pages: Vec<[Flags; PAGE_LEN]> = Vec::new();
        let mut known = rustc_hash::FxHashMap::default();
        let page_of = flat.as_chunks::<PAGE_LEN>().0.iter().map(|page| {
            *known.entry(*page).or_insert_with(|| {
                pages.push(*page);
                (pages.len() - 1) as u16
            })
        });
        Self { page_of: page_of.collect(), pages }
    }

    #[inline]
    pub(crate) fn of(&self, c: char) -> Flags {
        let code = c as u32;
        self.pages[self.page_of[(code >> PAGE_BITS) as usize] as usize][(code as usize) % PAGE_LEN]
    }
}

/// The code points that a class of one pattern matches.
fn ranges(pattern: &str) -> Vec<(u32, u32)> {
    let Ok(hir) = regex_syntax::parse(pattern) else { return Vec::new() };
    match hir.kind() {
        HirKind::Class(Class::Unicode(class)) => {
            class.ranges().iter().map(|it| (it.start() as u32, it.end() as u32)).collect()
        }
        HirKind::Literal(literal) => literal.0.iter().map(|&it| (u32::from(it), u32::from(it))).collect(),
        _ => Vec::new(),
    }
}

/// The same for ASCII, known at compile time; 0 for bytes of longer characters.
pub(crate) static ASCII: [Flags; 256] = ascii();

const fn ascii() -> [Flags; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 128 {
        table[byte] = ascii_flags(byte as u8);
        byte += 1;
    }
    table
}

const fn ascii_flags(byte: u8) -> Flags {
    match byte {
        b'A'..=b'Z' => UPPER,
        b'a'..=b'z' => LOWER,
        b'0'..=b'9' => NUMBER,
        b'\r' | b'\n' => SPACE | NEWLINE,
        b' ' | b'\t' | 0x0b | 0x0c => SPACE,
        b'/' => PUNCTUATION | SLASH,
        b'$' | b'+' | b'<' | b'=' | b'>' | b'^' | b'`' | b'|' | b'~' => SYMBOL,
        b'!'..=b'~' => PUNCTUATION,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ascii_agrees_with_unicode() {
        for byte in 0..128u8 {
            assert_eq!(ASCII[byte as usize], CLASSES.of(char::from(byte)), "{byte}");
        }
    }

    #[test]
    fn every_pattern_is_a_class() {
        for (pattern, _) in PROPERTIES {
            assert!(!ranges(pattern).is_empty(), "{pattern}");
        }
    }
}
