//! What each byte of a stretch of ASCII is, one bit a byte: the input of the bit-parallel scanner.

use fearless_simd::{Simd, SimdBase, SimdMask, u8x64};

/// Bytes that are looked at together.
pub(crate) const STRETCH: usize = 1024;
/// 64-bit words of a stretch, and one behind it so that a word always has a next one.
pub(crate) const N_WORDS: usize = STRETCH / 64;

/// One class of bytes over a stretch.
pub(crate) type Mask = [u64; N_WORDS + 1];

/// The classes. Bits behind the end are 0 in all of them.
#[derive(Default)]
pub(crate) struct Masks {
    pub(crate) upper: Mask,
    pub(crate) lower: Mask,
    pub(crate) digit: Mask,
    /// ` ` alone.
    pub(crate) blank: Mask,
    /// All white space.
    pub(crate) space: Mask,
    /// `\r` and `\n`.
    pub(crate) newline: Mask,
    pub(crate) apostrophe: Mask,
    pub(crate) slash: Mask,
    /// None of the above: punctuation, symbols, controls; apostrophes and slashes are in it too.
    pub(crate) other: Mask,
}

impl Masks {
    /// Classifies the bytes up to the first that is not ASCII, and says how many those are.
    #[inline(always)]
    pub(crate) fn fill<S: Simd>(&mut self, simd: S, bytes: &[u8]) -> usize {
        let bytes = &bytes[..bytes.len().min(STRETCH)];
        let (blocks, rest) = bytes.as_chunks::<64>();
        for (word, block) in blocks.iter().enumerate() {
            if let Some(len) = self.block(simd, word, block) {
                return 64 * word + len;
            }
        }
        let word = blocks.len();
        if rest.is_empty() {
            self.end(word);
            return bytes.len();
        }
        // What fills the block up is cut off as if it were not ASCII.
        let mut block = [0xff; 64];
        block[..rest.len()].copy_from_slice(rest);
        64 * word + self.block(simd, word, &block).unwrap_or(rest.len())
    }

    fn end(&mut self, word: usize) {
        for mask in [
            &mut self.upper,
            &mut self.lower,
            &mut self.digit,
            &mut self.blank,
            &mut self.space,
            &mut self.newline,
            &mut self.apostrophe,
            &mut self.slash,
            &mut self.other,
        ] {
            mask[word] = 0;
        }
    }

    /// Classifies one block; if not all of it is ASCII, returns where that ends, and clears what comes after.
    #[inline(always)]
    fn block<S: Simd>(&mut self, simd: S, word: usize, block: &[u8; 64]) -> Option<usize> {
        let bytes = u8x64::from_slice(simd, block);
        let is = |byte: u8| bytes.simd_eq(byte).to_bitmask();
        let in_range = |first: u8, last: u8| (bytes - first).simd_le(last - first).to_bitmask();
        let (upper, lower, digit) = (in_range(b'A', b'Z'), in_range(b'a', b'z'), in_range(b'0', b'9'));
        let blank = is(b' ');
        let space = in_range(b'\t', b'\r') | blank;
        let len = bytes.simd_ge(0x80).to_bitmask().trailing_zeros();
        let kept = if len == 64 { u64::MAX } else { (1 << len) - 1 };
        self.upper[word] = upper & kept;
        self.lower[word] = lower & kept;
        self.digit[word] = digit & kept;
        self.blank[word] = blank & kept;
        self.space[word] = space & kept;
        self.newline[word] = (is(b'\n') | is(b'\r')) & kept;
        self.apostrophe[word] = is(b'\'') & kept;
        self.slash[word] = is(b'/') & kept;
        self.other[word] = !(upper | lower | digit | space) & kept;
        if len == 64 {
            return None;
        }
        self.end(word + 1);
        Some(len as usize)
    }
}

/// The length of the run of ones in `mask` from bit `at` on.
#[inline(always)]
pub(crate) fn run(mask: &Mask, at: usize) -> usize {
    let (mut word, bit) = (at / 64, at % 64);
    let first = (!(mask[word] >> bit)).trailing_zeros() as usize;
    if bit + first < 64 {
        return first;
    }
    let mut len = 64 - bit;
    while word + 1 < mask.len() {
        word += 1;
        let ones = mask[word].trailing_ones() as usize;
        len += ones;
        if ones < 64 {
            break;
        }
    }
    len
}

#[inline(always)]
pub(crate) fn bit(mask: &Mask, at: usize) -> bool {
    mask[at / 64] >> (at % 64) & 1 != 0
}

#[inline(always)]
pub(crate) fn set(mask: &mut Mask, at: usize) {
    mask[at / 64] |= 1 << (at % 64);
}

#[inline(always)]
pub(crate) fn clear(mask: &mut Mask, at: usize) {
    mask[at / 64] &= !(1 << (at % 64));
}

/// Clears the bits from `start` to before `end`.
#[inline(always)]
pub(crate) fn clear_range(mask: &mut Mask, start: usize, end: usize) {
    for at in start..end {
        clear(mask, at);
    }
}
