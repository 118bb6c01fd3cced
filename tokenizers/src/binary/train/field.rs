//! The text of all chunks as one flat array, in which tokens grow in place.
//!
//! A token writes its id at its first and at its last byte; between them nothing is an id of what stands there. So both
//! neighbours of a token are found in one step, and a position that was the head of a token still is exactly if its id
//! stands there: a token that swallowed it wrote something else, and ids only come once.

/// Stands between chunks, and at both ends.
pub(super) const EDGE: u16 = u16::MAX;
/// Stands inside of tokens.
const HOLE: u16 = u16::MAX - 1;

/// The array.
pub(super) struct Field {
    ids: Vec<u16>,
    /// Bytes of each token.
    lens: Vec<u8>,
}

/// What stood beside the tokens of one merge.
#[derive(Default)]
pub(super) struct Beside {
    pub(super) left: Tally,
    pub(super) right: Tally,
    /// How often two of the new tokens stand side by side.
    pub(super) n_doubles: u32,
}

/// A count for each id, cleared in the time it took to fill it.
pub(super) struct Tally {
    counts: Vec<u32>,
    seen: Vec<u16>,
}

impl Default for Tally {
    fn default() -> Self {
        Self { counts: vec![0; 1 << 16], seen: Vec::new() }
    }
}

impl Tally {
    #[inline(always)]
    fn add(&mut self, id: u16) {
        let count = &mut self.counts[usize::from(id)];
        if *count == 0 {
            self.seen.push(id);
        }
        *count += 1;
    }

    /// Ids and counts in the order in which they were first seen, which are forgotten.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = (u16, u32)> {
        self.seen.drain(..).map(|id| (id, std::mem::take(&mut self.counts[usize::from(id)])))
    }
}

impl Field {
    pub(super) fn new(chunks: Vec<Box<[u8]>>) -> Self {
        let len = chunks.iter().map(|it| it.len() + 1).sum::<usize>() + 1;
        let mut ids = Vec::with_capacity(len);
        ids.push(EDGE);
        for chunk in chunks {
            ids.extend(chunk.iter().map(|it| u16::from(*it)));
            ids.push(EDGE);
        }
        Self { ids, lens: vec![1; 256] }
    }

    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Bytes of a token.
    #[inline(always)]
    pub(super) fn token_len(&self, id: u16) -> usize {
        usize::from(self.lens[usize::from(id)])
    }

    /// Gives a new token of two others its id.
    pub(super) fn add_token(&mut self, left: u16, right: u16) -> u16 {
        self.lens.push(self.lens[usize::from(left)] + self.lens[usize::from(right)]);
        (self.lens.len() - 1) as u16
    }

    /// All neighbours: the place of the left one, and both ids. `part` of `n_parts` of the array, cut at any head.
    pub(super) fn neighbours(&self, part: usize, n_parts: usize, mut each: impl FnMut(usize, u16, u16)) {
        let (start, end) =
            (self.edge_from(self.len() * part / n_parts), self.edge_from(self.len() * (part + 1) / n_parts));
        let mut at = start;
        while at < end {
            let id = self.ids[at];
            if id == EDGE {
                at += 1;
                continue;
            }
            let next = at + self.token_len(id);
            let right = self.ids[next];
            if right != EDGE {
                each(at, id, right);
            }
            at = next;
        }
    }

    /// The first edge from a place on.
    fn edge_from(&self, at: usize) -> usize {
        self.ids[at..].iter().position(|it| *it == EDGE).map_or(self.len(), |it| at + it)
    }

    /// Makes `token` of `left` and `right` at those of the places where both still stand, from left to right; the others
    /// leave the list.
    pub(super) fn merge(&mut self, places: &mut Vec<u32>, (left, right): (u16, u16), token: u16) {
        let (left_len, right_len) = (self.token_len(left), self.token_len(right));
        let ids = &mut self.ids[..];
        places.retain(|place| {
            let at = *place as usize;
            let middle = at + left_len;
            if ids[at] != left || ids[middle] != right {
                return false;
            }
            ids[middle] = HOLE;
            ids[at] = token;
            ids[middle + right_len - 1] = token;
            true
        });
    }

    /// Counts what stands beside `token` at these places, which are all of its.
    pub(super) fn count_beside(&self, places: &[u32], token: u16, beside: &mut Beside) {
        let len = self.token_len(token);
        for place in places {
            let at = *place as usize;
            let (left, right) = (self.ids[at - 1], self.ids[at + len]);
            if left != token && left != EDGE {
                beside.left.add(left);
            }
            if right == token {
                beside.n_doubles += 1;
            } else if right != EDGE {
                beside.right.add(right);
            }
        }
    }

    /// The id that ends before a place, and the place where it begins.
    #[inline(always)]
    pub(super) fn left_of(&self, at: usize) -> (u16, usize) {
        let id = self.ids[at - 1];
        if id == EDGE { (id, at - 1) } else { (id, at - self.token_len(id)) }
    }

    /// The id that begins at a place.
    #[inline(always)]
    pub(super) fn at(&self, at: usize) -> u16 {
        self.ids[at]
    }
}
