//! Byte-level vocabularies whose ids are not the order of their merges, or that take some tokens as they are.

use std::borrow::Cow;

use rustc_hash::FxHashSet;

use super::tables::Tables;
use crate::{
    bpe::{BadVocabulary, NONE},
    cuts::Cuts,
    encoder::{Encoder, Place},
    model::Normal,
    pieces::{Core, First, Joins, Matcher, Room},
    split::{Batch, Scanner, Split, Stretch},
    sync::Pool,
};

/// A loaded vocabulary.
pub(super) struct General {
    core: Core,
    /// What merges make, in order.
    results: Vec<u32>,
    matcher: Matcher,
    split: Split,
    normal: Normal,
    /// A piece that is a token is not merged.
    takes_whole: bool,
    cuts: Cuts,
    longest: usize,
    stretches: Pool<Stretch>,
}

impl General {
    pub(super) fn new(
        tables: Tables,
        matcher: Matcher,
        (split, normal): (Split, Normal),
        takes_whole: bool,
    ) -> Result<Self, BadVocabulary> {
        let Tables { names, pairs, results, defined, .. } = tables;
        let bytes = std::array::from_fn(|it| names.id(&[it as u8]).unwrap_or(NONE));
        let lengths = names.iter().map(|(_, token)| token.len()).chain(defined.iter().map(|it| it.1.len()));
        let longest = lengths.max().unwrap_or(1);
        let cuts = Cuts::of_split(split, defined.iter().map(|it| &*it.1));
        let first = First::bytes(&names, bytes);
        let core = Core::new(names, Joins::of_pairs(pairs)?, first);
        let stretches = Pool::default();
        Ok(Self { core, results, matcher, split, normal, takes_whole, cuts, longest, stretches })
    }

    /// The tokens, if ids are ranks and any two that make a token together are a merge: if every token but the bytes
    /// is made once, by an id above those before, and out of its own bytes.
    ///
    /// Then merging by bytes takes the same steps. What it joins is a token whose bytes were merged alone so far; alone,
    /// they become that token, so that the last step is the only merge that makes it.
    pub(super) fn ranked(&self) -> Option<Vec<(u32, Cow<'static, [u8]>)>> {
        let made: FxHashSet<u32> = self.results.iter().copied().collect();
        let is_ascending = self.results.is_sorted() && made.len() == self.results.len();
        let names = self.core.names();
        let is_sound = |(id, token): (u32, &[u8])| (token.len() == 1 || made.contains(&id)) && self.is_whole(id, token);
        let is_ranked = is_ascending && names.iter().all(is_sound);
        is_ranked.then(|| names.iter().map(|(id, token)| (id, Cow::Owned(token.to_vec()))).collect())
    }

    fn is_whole(&self, id: u32, token: &[u8]) -> bool {
        let mut ids = Vec::new();
        self.core.with_room(|room| self.core.encode(room, token, (0, token.len()), &mut ids));
        ids == [id]
    }

    /// Calls `take` with each part of the text until it says no.
    fn go(&self, text: &str, mut take: impl FnMut(Part<'_>) -> bool) {
        for part in self.matcher.parts(text) {
            let goes_on = match part {
                Ok(id) => take(Part::Token(id)),
                Err(between) => self.pieces(between, &mut take),
            };
            if !goes_on {
                return;
            }
        }
    }

    fn pieces(&self, text: &str, take: &mut impl FnMut(Part<'_>) -> bool) -> bool {
        let text = self.normal.apply(text);
        self.stretches.with(Stretch::default, |stretch| {
            let mut scanner = Scanner::new(self.split, &text, stretch);
            while let Some(Batch { base, ends }) = scanner.next() {
                let mut start = base;
                for end in ends.iter().map(|it| base + *it as usize) {
                    if !take(Part::Piece(&text.as_bytes()[start..end])) {
                        return false;
                    }
                    start = end;
                }
            }
            true
        })
    }

    fn count_piece(&self, room: &mut Room, piece: &[u8]) -> usize {
        if self.takes_whole && self.core.names().id(piece).is_some() {
            return 1;
        }
        self.core.count(room, piece, 0, piece.len())
    }

    fn encode_piece(&self, room: &mut Room, piece: &[u8], ids: &mut Vec<u32>) {
        match self.core.names().id(piece).filter(|_| self.takes_whole) {
            Some(id) => ids.push(id),
            None => self.core.encode(room, piece, (0, piece.len()), ids),
        }
    }
}

/// A part of a text.
enum Part<'a> {
    Token(u32),
    Piece(&'a [u8]),
}

impl Encoder for General {
    fn count(&self, text: &str, _: Place, limit: usize) -> Option<usize> {
        let mut total = 0;
        self.core.with_room(|room| {
            self.go(text, |part| {
                total += match part {
                    Part::Token(_) => 1,
                    Part::Piece(piece) => self.count_piece(room, piece),
                };
                total <= limit
            });
            total += self.core.count_waiting(room);
        });
        Some(total).filter(|it| *it <= limit)
    }

    fn encode(&self, text: &str, _: Place, ids: &mut Vec<u32>) {
        self.core.with_room(|room| {
            self.go(text, |part| {
                match part {
                    Part::Token(id) => ids.push(id),
                    Part::Piece(piece) => self.encode_piece(room, piece, ids),
                }
                true
            });
        });
    }

    fn token(&self, id: u32) -> Option<&[u8]> {
        self.core.names().token(id)
    }

    fn id(&self, token: &[u8]) -> Option<u32> {
        self.core.names().id(token)
    }

    fn reach(&self, limit: usize) -> usize {
        limit.saturating_mul(self.normal.most_shrink() * self.longest)
    }

    fn cuts(&self) -> &Cuts {
        &self.cuts
    }
}
