//! Tokens of more bytes than memory holds, exactly as if they were encoded at once.
//!
//! Bytes are encoded in windows that overlap. Where two windows share a token, the tokens of the first up to it and those of
//! the second from it on are the encoding of both together, since each two neighbours are that of their bytes.

use super::vocabulary::Vocabulary;

/// Bytes of a window.
const WINDOW: usize = 1 << 20;
/// Bytes of a window that the next one encodes again.
const OVERLAP: usize = 1 << 12;

/// Encodes what comes in parts.
pub struct Stream<'a> {
    vocabulary: &'a Vocabulary,
    /// What may still change: it begins with a token.
    bytes: Vec<u8>,
    tokens: Vec<(u32, usize)>,
    /// Of `bytes`, those that `tokens` are.
    n_encoded: usize,
    window: usize,
}

impl<'a> Stream<'a> {
    /// Nothing yet.
    #[must_use]
    pub fn new(vocabulary: &'a Vocabulary) -> Self {
        Self { vocabulary, bytes: Vec::new(), tokens: Vec::new(), n_encoded: 0, window: WINDOW }
    }

    /// The next bytes; `each` gets ids and their lengths in bytes, as soon as they are certain.
    pub fn push(&mut self, bytes: &[u8], mut each: impl FnMut(u32, usize)) {
        for part in bytes.chunks(self.window) {
            self.bytes.extend_from_slice(part);
            if self.bytes.len() - self.n_encoded >= self.window {
                self.advance();
                self.release(OVERLAP, &mut each);
            }
        }
    }

    /// The end.
    pub fn finish(mut self, mut each: impl FnMut(u32, usize)) {
        self.advance();
        self.release(0, &mut each);
    }

    /// Encodes what is new, from some tokens before it on, and joins it to what was there.
    fn advance(&mut self) {
        let mut back = OVERLAP / 4;
        while !self.join(back) {
            back *= 4;
        }
        self.n_encoded = self.bytes.len();
    }

    /// True if the tokens from `back` bytes before the new ones on share a token with those that were there.
    fn join(&mut self, back: usize) -> bool {
        let (mut kept, mut start) = (self.tokens.len(), self.n_encoded);
        while kept > 0 && self.n_encoded - start < back {
            kept -= 1;
            start -= self.tokens[kept].1;
        }
        let mut old = kept;
        let mut old_at = start;
        let mut new_at = start;
        // Where the new tokens begin to count, if they do.
        let mut joined = (kept == 0).then_some(kept);
        let mut new = Vec::new();
        self.vocabulary.each_token(&self.bytes[start..], |id, len| {
            while joined.is_none() && old < self.tokens.len() && old_at < new_at {
                old_at += self.tokens[old].1;
                old += 1;
            }
            if joined.is_none() && old_at == new_at && self.tokens.get(old) == Some(&(id, len)) {
                joined = Some(old);
                new.clear();
            }
            new.push((id, len));
            new_at += len;
        });
        let Some(from) = joined else { return false };
        self.tokens.truncate(from);
        self.tokens.append(&mut new);
        true
    }

    /// Hands out all tokens but those of the last `keep` bytes.
    fn release(&mut self, keep: usize, each: &mut impl FnMut(u32, usize)) {
        let (mut n, mut n_bytes) = (0, 0);
        while let Some((id, len)) = self.tokens.get(n)
            && n_bytes + len + keep <= self.bytes.len()
        {
            each(*id, *len);
            (n, n_bytes) = (n + 1, n_bytes + len);
        }
        self.tokens.drain(..n);
        self.bytes.drain(..n_bytes);
        self.n_encoded -= n_bytes;
    }
}
