//! The longest token at a place, as a double array (Aoe 1989): a step is one look at eight bytes.

/// Slots before the first block, which stay empty: the children of nodes that have none.
const NO_CHILDREN: u32 = 0;
/// Free slots that are tried before a node goes to the end of the array.
const MOST_TRIES: usize = 64;

/// Bytes behind the second that are looked at in lockstep: few tokens are longer.
const STEPS: usize = 4;

/// All tokens, as the bytes that lead to them.
pub(super) struct Trie {
    /// What two bytes lead to.
    second: Box<[Node]>,
    nodes: Vec<Node>,
}

/// From the high bits down: where the children are (`base ^ byte`), the longest token on the way here, the byte that
/// leads here, and whether anything does.
#[derive(Clone, Copy, Default)]
struct Node(u64);

impl Node {
    fn new(base: u32, best: u16) -> Self {
        Self(u64::from(base) << 32 | u64::from(best) << 16)
    }

    fn led_to_by(self, label: u8) -> Self {
        Self(self.0 & !0xffff | u64::from(label) << 8 | 1)
    }

    fn with(self, base: u32, best: u16) -> Self {
        Self(Self::new(base, best).0 | self.0 & 0xffff)
    }

    fn is_used(self) -> bool {
        self.0 & 1 != 0
    }

    #[inline(always)]
    fn is_led_to_by(self, label: u8) -> bool {
        self.0 as u16 == u16::from(label) << 8 | 1
    }

    #[inline(always)]
    fn child(self, label: u8) -> usize {
        (self.0 >> 32) as usize ^ usize::from(label)
    }

    #[inline(always)]
    fn best(self) -> u16 {
        (self.0 >> 16) as u16
    }

    #[inline(always)]
    fn without_children(self) -> Self {
        Self(self.0 & 0xffff_ffff)
    }
}

impl Trie {
    /// Of tokens and their bytes. Every byte by itself is the token of its number.
    pub(super) fn new<'a>(tokens: impl Iterator<Item = (u16, &'a [u8])>) -> Self {
        let mut tokens: Vec<(&[u8], u16)> = tokens.map(|(id, bytes)| (bytes, id)).filter(|it| it.0.len() > 1).collect();
        tokens.sort_unstable();
        let second = (0..=u16::MAX).map(|pair| Node::new(NO_CHILDREN, pair >> 8)).collect();
        let mut builder = Builder { second, nodes: vec![Node::default(); 512], bases: vec![true], first_free: 256 };
        let mut waiting = Vec::new();
        for group in tokens.chunk_by(|a, b| a.0[..2] == b.0[..2]) {
            let [first, second, ..] = group[0].0 else { continue };
            let place = usize::from(*first) << 8 | usize::from(*second);
            waiting.push((Place::Second(place), group, 2, u16::from(*first)));
        }
        // Breadth first, so that the nodes that are seen most lie together.
        let mut at = 0;
        while let Some((place, group, depth, best)) = waiting.get(at).copied() {
            at += 1;
            let best = group[0].0.get(depth).map_or(group[0].1, |_| best);
            let longer = if group[0].0.len() == depth { &group[1..] } else { group };
            let groups: Vec<_> = longer.chunk_by(|a, b| a.0[depth] == b.0[depth]).collect();
            let labels: Vec<u8> = groups.iter().map(|it| it[0].0[depth]).collect();
            let base = builder.claim(&labels);
            let node = builder.node(place);
            *node = node.with(base, best);
            for (label, group) in labels.into_iter().zip(groups) {
                waiting.push((Place::Node(base as usize ^ usize::from(label)), group, depth + 1, best));
            }
        }
        Self { second: builder.second, nodes: builder.nodes }
    }

    /// The longest token that `bytes` holds at `at`, which is before their end.
    #[inline(always)]
    pub(super) fn longest(&self, bytes: &[u8], at: usize) -> u16 {
        let rest = &bytes[at..];
        let (&[first, second], rest) = match rest.split_first_chunk::<2>() {
            Some(split) => split,
            None => return u16::from(rest[0]),
        };
        let node = self.second[usize::from(first) << 8 | usize::from(second)];
        self.walk(node, rest).best()
    }

    /// As far from a node as the bytes lead.
    #[inline(always)]
    fn walk(&self, mut node: Node, bytes: &[u8]) -> Node {
        for byte in bytes {
            let next = self.nodes[node.child(*byte)];
            if !next.is_led_to_by(*byte) {
                break;
            }
            node = next;
        }
        node
    }

    /// The longest tokens at several places, each before its own end. They are looked for in lockstep: a step waits for
    /// memory, and so they wait together.
    #[inline(always)]
    pub(super) fn longest_each<const N: usize>(&self, bytes: &[u8], at: &[usize; N], ends: &[usize; N]) -> [u16; N] {
        let last = bytes.len() - 1;
        let mut nodes: [Node; N] = std::array::from_fn(|lane| {
            let (first, second) = (bytes[at[lane].min(last)], bytes[(at[lane] + 1).min(last)]);
            let node = self.second[usize::from(first) << 8 | usize::from(second)];
            if at[lane] + 1 < ends[lane] { node } else { Node::new(NO_CHILDREN, first.into()) }
        });
        let mut goes_on = [false; N];
        for depth in 2..2 + STEPS {
            for lane in 0..N {
                let place = at[lane] + depth;
                let byte = bytes[place.min(last)];
                let next = self.nodes[nodes[lane].child(byte)];
                let is_longer = next.is_led_to_by(byte) & (place < ends[lane]);
                nodes[lane] = if is_longer { next } else { nodes[lane].without_children() };
                goes_on[lane] = is_longer;
            }
        }
        for lane in 0..N {
            if goes_on[lane] {
                nodes[lane] = self.walk(nodes[lane], &bytes[at[lane] + 2 + STEPS..ends[lane]]);
            }
        }
        nodes.map(Node::best)
    }
}

#[derive(Clone, Copy)]
enum Place {
    Second(usize),
    Node(usize),
}

struct Builder {
    second: Box<[Node]>,
    nodes: Vec<Node>,
    /// Bases that are taken: two nodes with the same one could not tell their children apart.
    bases: Vec<bool>,
    first_free: usize,
}

impl Builder {
    fn node(&mut self, place: Place) -> &mut Node {
        match place {
            Place::Second(at) => &mut self.second[at],
            Place::Node(at) => &mut self.nodes[at],
        }
    }

    /// A base for children of these labels, whose slots are taken.
    fn claim(&mut self, labels: &[u8]) -> u32 {
        let Some(first) = labels.first() else { return NO_CHILDREN };
        while self.nodes.get(self.first_free).is_some_and(|it| it.is_used()) {
            self.first_free += 1;
        }
        let free = (self.first_free..self.nodes.len()).filter(|at| !self.nodes[*at].is_used());
        let mut bases = free.take(MOST_TRIES).map(|at| at ^ usize::from(*first));
        let base = bases.find(|base| self.fits(*base, labels));
        // A block at the end is free, and so is its first base.
        let base = base.unwrap_or(self.nodes.len());
        let whole_blocks = (base | 255) + 1;
        self.nodes.resize(self.nodes.len().max(whole_blocks), Node::default());
        self.bases.resize(self.bases.len().max(base + 1), false);
        self.bases[base] = true;
        for label in labels {
            let node = &mut self.nodes[base ^ usize::from(*label)];
            *node = node.led_to_by(*label);
        }
        base as u32
    }

    fn fits(&self, base: usize, labels: &[u8]) -> bool {
        let is_taken = self.bases.get(base).copied().unwrap_or(false);
        base >= 256 && !is_taken && labels.iter().all(|it| !self.nodes[base ^ usize::from(*it)].is_used())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_longest_token_there_is() {
        let tokens: &[&[u8]] = &[b"ab", b"abcd", b"b\0", b"b\0\0\0", b"\0\0", b"zz"];
        let trie = Trie::new(tokens.iter().enumerate().map(|(id, it)| (256 + id as u16, *it)));
        for (bytes, expected) in [
            (b"abcd".as_slice(), 257),
            (b"abce", 256),
            (b"abc", 256),
            (b"a", u16::from(b'a')),
            (b"ac", u16::from(b'a')),
            (b"b\0\0", 258),
            (b"b\0\0\0\0", 259),
            (b"\0\0\0", 260),
            (b"\0", 0),
        ] {
            assert_eq!(trie.longest(bytes, 0), expected, "{bytes:?}");
        }
    }
}
