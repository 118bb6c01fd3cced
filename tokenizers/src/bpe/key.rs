//! Short byte strings as numbers, so that looking one up is a comparison and no walk.

/// The longest byte string that has a key.
pub(crate) const MAX_BYTES: usize = 15;

/// Up to [`MAX_BYTES`] bytes, the first one lowest, and their number in the highest byte. All zero is no key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) low: u64,
    pub(crate) high: u64,
}

const LENGTH_SHIFT: u32 = 56;

/// For each length, the bits of a window that belong to it, and the mark of the length; for length 0, no bit and no mark.
static CUTS: [(u64, u64, u64); MAX_BYTES + 1] = cuts();

const fn cuts() -> [(u64, u64, u64); MAX_BYTES + 1] {
    let mut cuts = [(0, 0, 0); MAX_BYTES + 1];
    let mut len = 1;
    while len <= MAX_BYTES {
        let kept = u128::MAX >> (128 - 8 * len);
        cuts[len] = (kept as u64, (kept >> 64) as u64, (len as u64) << LENGTH_SHIFT);
        len += 1;
    }
    cuts
}

/// 16 bytes of a text, the first one lowest.
#[derive(Clone, Copy)]
pub(crate) struct Window {
    low: u64,
    high: u64,
}

impl Window {
    /// The bytes from `start` on; zeros behind the end.
    #[inline(always)]
    pub(crate) fn at(bytes: &[u8], start: usize) -> Self {
        match bytes.get(start..start + 16) {
            Some(&[a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]) => Self {
                low: u64::from_le_bytes([a, b, c, d, e, f, g, h]),
                high: u64::from_le_bytes([i, j, k, l, m, n, o, p]),
            },
            _ => Self::last(&bytes[start..]),
        }
    }

    #[cold]
    fn last(rest: &[u8]) -> Self {
        let mut padded = [0; 16];
        padded[..rest.len()].copy_from_slice(rest);
        Self::from(u128::from_le_bytes(padded))
    }

    /// The key of the first `len` bytes, at most [`MAX_BYTES`] of them.
    #[inline(always)]
    pub(crate) fn key(self, len: usize) -> Key {
        let (low, high, mark) = CUTS[len.min(MAX_BYTES)];
        Key { low: self.low & low, high: self.high & high | mark }
    }

    /// The window without its first `n` bytes, fewer than 16.
    #[inline(always)]
    pub(crate) fn skip(self, n: usize) -> Self {
        Self::from((u128::from(self.high) << 64 | u128::from(self.low)) >> (8 * n))
    }
    /// Two bytes
    #[inline(always)]
    pub(crate) fn pair(self) -> usize {
        self.low as usize & 0xffff
    }
}

impl From<u128> for Window {
    #[inline(always)]
    fn from(bytes: u128) -> Self {
        Self { low: bytes as u64, high: (bytes >> 64) as u64 }
    }
}

impl Key {
    /// The key of `bytes[start..end]`, at most [`MAX_BYTES`] of them.
    #[inline(always)]
    pub(crate) fn of(bytes: &[u8], start: usize, end: usize) -> Self {
        Window::at(bytes, start).key(end - start)
    }

    /// As [`Self::of`]; the key of nothing if there are more bytes. Takes no branch but at the end of the text.
    #[inline(always)]
    pub(crate) fn of_short(bytes: &[u8], start: usize, end: usize) -> Self {
        let len = end - start;
        Window::at(bytes, start).key(std::hint::select_unpredictable(len <= MAX_BYTES, len, 0))
    }

    /// The bytes, as a window.
    #[inline(always)]
    pub(crate) fn window(self) -> Window {
        Window { low: self.low, high: self.high & (u64::MAX >> 8) }
    }

    /// The number of bytes.
    #[inline(always)]
    pub(crate) fn len(self) -> usize {
        (self.high >> LENGTH_SHIFT) as usize & 15
    }

    /// A hash whose upper bits are good.
    #[inline(always)]
    pub(crate) fn hash(self) -> u64 {
        // Odd constants with balanced bits, from the fractional parts of the golden ratio and of the square root of 2.
        let low = self.low.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        low.wrapping_add(self.high.wrapping_mul(0x6a09_e667_f3bc_c909))
    }
}
