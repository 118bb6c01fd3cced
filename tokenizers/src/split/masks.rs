//! What each byte of a stretch of ASCII is, one bit a byte: the input of the bit-parallel scanner.

use wide::u8x16;

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
    pub(crate) fn fill(&mut self, bytes: &[u8]) -> usize {
        let bytes = &bytes[..bytes.len().min(STRETCH)];
        let (blocks, rest) = bytes.as_chunks::<64>();
        for (word, block) in blocks.iter().enumerate() {
            if let Some(len) = self.block(word, block) {
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
        64 * word + self.block(word, &block).unwrap_or(rest.len())
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
    fn block(&mut self, word: usize, block: &[u8; 64]) -> Option<usize> {
        let mut wide = 0;
        let (mut upper, mut lower, mut digit, mut blank, mut space) = (0, 0, 0, 0, 0);
        let (mut newline, mut apostrophe, mut slash) = (0, 0, 0);
        for (it, chunk) in block.as_chunks::<16>().0.iter().enumerate() {
            let bytes = u8x16::new(*chunk);
            let put = |mask: &mut u64, lanes: u8x16| *mask |= u64::from(lanes.to_bitmask()) << (16 * it);
            put(&mut wide, bytes);
            put(&mut upper, in_range(bytes, b'A', b'Z'));
            put(&mut lower, in_range(bytes, b'a', b'z'));
            put(&mut digit, in_range(bytes, b'0', b'9'));
            let is_blank = is(bytes, b' ');
            put(&mut blank, is_blank);
            put(&mut space, in_range(bytes, b'\t', b'\r') | is_blank);
            put(&mut newline, is(bytes, b'\n') | is(bytes, b'\r'));
            put(&mut apostrophe, is(bytes, b'\''));
            put(&mut slash, is(bytes, b'/'));
        }
        let len = wide.trailing_zeros();
        let kept = if len == 64 { u64::MAX } else { (1 << len) - 1 };
        self.upper[word] = upper & kept;
        self.lower[word] = lower & kept;
        self.digit[word] = digit & kept;
        self.blank[word] = blank & kept;
        self.space[word] = space & kept;
        self.newline[word] = newline & kept;
        self.apostrophe[word] = apostrophe & kept;
        self.slash[word] = slash & kept;
        self.other[word] = !(upper | lower | digit | space) & kept;
        if len == 64 {
            return None;
        }
        self.end(word + 1);
        Some(len as usize)
    }
}

#[inline(always)]
fn is(bytes: u8x16, byte: u8) -> u8x16 {
    bytes.simd_eq(u8x16::splat(byte))
}

#[inline(always)]
fn in_range(bytes: u8x16, first: u8, last: u8) -> u8x16 {
    let offset = bytes - u8x16::splat(first);
    offset.min(u8x16::splat(last - first)).simd_eq(offset)
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
