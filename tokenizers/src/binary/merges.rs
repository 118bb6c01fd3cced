//! What training learns: pairs of tokens in the order in which they merge.

/// Merges and what their tokens spell. Token `b` below 256 is the byte `b`; the merge `i` makes token `256 + i`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merges {
    pairs: Vec<(u16, u16)>,
    bytes: Vec<u8>,
    /// Where each token's bytes end.
    ends: Vec<u32>,
}

/// Bytes of a token.
const LONGEST_TOKEN: usize = u16::MAX as usize;
/// Bytes of all tokens.
const MOST_BYTES: usize = 1 << 28;

impl Default for Merges {
    fn default() -> Self {
        Self { pairs: Vec::new(), bytes: (0..=255).collect(), ends: (1..=256).collect() }
    }
}

impl Merges {
    /// Merges that make one token of each pair; `None` if a pair names a token that does not yet exist, if a token is
    /// longer than 65,535 bytes, or if there are more than [`MOST_MERGES`](super::MOST_MERGES).
    #[must_use]
    pub fn new(pairs: impl IntoIterator<Item = (u16, u16)>) -> Option<Self> {
        let mut made = Self::default();
        for (left, right) in pairs {
            let next = made.n_tokens();
            if usize::from(left.max(right)) >= next || made.len() == super::MOST_MERGES {
                return None;
            }
            let len = made.spelling(left).len() + made.spelling(right).len();
            // Doubling merges could ask for more memory than there is.
            if len > LONGEST_TOKEN || made.bytes.len() + len > MOST_BYTES {
                return None;
            }
            made.push(left, right);
        }
        Some(made)
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote; `None` as in [`new`](Self::new).
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (pairs, []) = bytes.as_chunks::<4>() else { return None };
        Self::new(pairs.iter().map(|[a, b, c, d]| (u16::from_le_bytes([*a, *b]), u16::from_le_bytes([*c, *d]))))
    }

    /// The pairs, two little-endian numbers of 16 bits each.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let bytes = |(left, right): &(u16, u16)| left.to_le_bytes().into_iter().chain(right.to_le_bytes());
        self.pairs.iter().flat_map(bytes).collect()
    }

    /// The first `n` merges.
    #[must_use]
    pub fn first(&self, n: usize) -> Self {
        let n = n.min(self.len());
        let ends = self.ends[..256 + n].to_vec();
        let n_bytes = ends.last().map_or(0, |it| *it as usize);
        Self { pairs: self.pairs[..n].to_vec(), bytes: self.bytes[..n_bytes].to_vec(), ends }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// True if no two bytes merge.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// The pairs, in order.
    #[must_use]
    pub fn pairs(&self) -> &[(u16, u16)] {
        &self.pairs
    }

    /// The bytes of a token; none if there is no such token.
    #[must_use]
    pub fn spelling(&self, token: u16) -> &[u8] {
        let token = usize::from(token);
        let start = if token == 0 { 0 } else { self.ends.get(token - 1).map_or(0, |it| *it as usize) };
        self.ends.get(token).map_or(&[], |end| &self.bytes[start..*end as usize])
    }

    /// Bytes and merges together.
    #[must_use]
    pub fn n_tokens(&self) -> usize {
        self.ends.len()
    }

    /// The two tokens that a token is made of; `None` for a byte.
    pub(super) fn parts(&self, token: u16) -> Option<(u16, u16)> {
        self.pairs.get(usize::from(token).checked_sub(256)?).copied()
    }

    pub(super) fn push(&mut self, left: u16, right: u16) {
        for part in [left, right] {
            let (start, end) = {
                let part = usize::from(part);
                (if part == 0 { 0 } else { self.ends[part - 1] as usize }, self.ends[part] as usize)
            };
            self.bytes.extend_from_within(start..end);
        }
        self.pairs.push((left, right));
        self.ends.push(self.bytes.len() as u32);
    }
}
