//! Tokens that are taken from the text as they are, the longest one wherever several start.

use rustc_hash::FxHashMap;

/// A tree of bytes.
pub(crate) struct Matcher {
    /// Whether any token starts with the byte.
    starts: [bool; 256],
    /// For each first byte, the second ones that a token has, a bit each; all bits if the first one is a token.
    seconds: Box<[[u64; 4]; 256]>,
    /// The node behind a node and a byte; the first node is 0.
    next: FxHashMap<(u32, u8), u32>,
    /// The token that ends at a node.
    tokens: FxHashMap<u32, u32>,
}

impl Matcher {
    pub(crate) fn new<'a>(tokens: impl Iterator<Item = (u32, &'a [u8])>) -> Self {
        let mut made = Self {
            starts: [false; 256],
            seconds: Box::new([[0; 4]; 256]),
            next: FxHashMap::default(),
            tokens: FxHashMap::default(),
        };
        for (id, token) in tokens {
            let Some(first) = token.first() else { continue };
            made.starts[usize::from(*first)] = true;
            let seconds = &mut made.seconds[usize::from(*first)];
            match token.get(1) {
                Some(second) => seconds[usize::from(*second) / 64] |= 1 << (second % 64),
                None => *seconds = [u64::MAX; 4],
            }
            let mut node = 0;
            for byte in token {
                let new = made.next.len() as u32 + 1;
                node = *made.next.entry((node, *byte)).or_insert(new);
            }
            made.tokens.entry(node).or_insert(id);
        }
        made
    }

    /// True if any token starts with the byte.
    pub(crate) fn may_start(&self, first: u8) -> bool {
        self.starts[usize::from(first)]
    }

    /// The id and the end of the longest token at `at`.
    #[inline(always)]
    pub(crate) fn longest(&self, bytes: &[u8], at: usize) -> Option<(u32, usize)> {
        if !self.may_start(bytes[at]) {
            return None;
        }
        let has = |second: u8| self.seconds[usize::from(bytes[at])][usize::from(second) / 64] >> (second % 64) & 1 == 1;
        if bytes.get(at + 1).is_none_or(|it| has(*it)) { self.walk(bytes, at) } else { None }
    }

    /// The tokens of a text (`Ok`) and what stands between them (`Err`), which is never empty.
    pub(crate) fn parts<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Result<u32, &'a str>> {
        let mut at = 0;
        let mut found = None;
        std::iter::from_fn(move || {
            if let Some((id, end)) = found.take() {
                at = end;
                return Some(Ok(id));
            }
            let start = at;
            while at < text.len() {
                found = self.longest(text.as_bytes(), at);
                match found {
                    None => at += 1,
                    Some((id, end)) if at == start => {
                        (at, found) = (end, None);
                        return Some(Ok(id));
                    }
                    Some(_) => break,
                }
            }
            (at > start).then(|| Err(&text[start..at]))
        })
    }

    fn walk(&self, bytes: &[u8], at: usize) -> Option<(u32, usize)> {
        let (mut node, mut found) = (0, None);
        for (end, byte) in (at + 1..).zip(&bytes[at..]) {
            let Some(next) = self.next.get(&(node, *byte)) else { break };
            node = *next;
            if let Some(id) = self.tokens.get(&node) {
                found = Some((*id, end));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_join_to_the_text() {
        let matcher = Matcher::new([(7, b"  ".as_slice()), (8, b"   "), (9, b"<a>")].into_iter());
        for (text, expected) in [
            ("", vec![]),
            ("é", vec![Err("é")]),
            ("  ", vec![Ok(7)]),
            ("a     b", vec![Err("a"), Ok(8), Ok(7), Err("b")]),
            ("<a><a> <a", vec![Ok(9), Ok(9), Err(" <a")]),
        ] {
            assert_eq!(matcher.parts(text).collect::<Vec<_>>(), expected, "{text:?}");
        }
    }

    #[test]
    fn the_longest_is_found() {
        let matcher = Matcher::new([(1, b"<".as_slice()), (2, b"<ab>"), (3, b"\n\n"), (4, b"<ab>")].into_iter());
        for (text, expected) in
            [("<ab>", Some((2, 4))), ("<ab", Some((1, 1))), ("\n", None), ("\n\n\n", Some((3, 2))), ("ab", None)]
        {
            assert_eq!(matcher.longest(text.as_bytes(), 0), expected, "{text:?}");
        }
    }
}
