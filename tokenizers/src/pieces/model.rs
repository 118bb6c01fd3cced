//! SentencePiece's models, and what was converted from them: characters are merged, and a space is a character.

use std::borrow::Cow;

use super::{
    core::{Core, First},
    joins::{Joined, Joins, Ties},
    matcher::Matcher,
    names::Names,
    parts::{Part, Parts, Stops},
};
use crate::{
    bpe::{BadVocabulary, NONE},
    cuts::{Cuts, Pairs},
    encoder::{Encoder, Place},
    vocab::{
        VocabularyError,
        spm::{self, Kind, Piece},
    },
};

/// How SentencePiece writes a space. We write pieces with spaces instead, and it stays a space in the text.
const SPACE_MARK: char = '\u{2581}';

/// What spaces are to a vocabulary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spaces {
    /// Characters like others.
    Plain,
    /// Written as U+2581, which is therefore a space.
    Marked,
    /// The same, and one is put before a text.
    Leading,
}

/// A loaded vocabulary of pieces.
pub(crate) struct Pieces {
    core: Core,
    matcher: Matcher,
    cuts: Cuts,
    stops: Stops,
    spaces: Spaces,
    /// The length of the longest token, bytes of text.
    longest: usize,
}

/// A SentencePiece model whose spaces lead words (`add_dummy_prefix`) or do not. Of its user-defined pieces, `hidden`
/// ones are left out: they are control tokens in all but name, and text must not become one.
///
/// # Errors
/// [`VocabularyError`].
pub(crate) fn of_spm(pieces: &[Piece], leads: bool, hidden: &[&str]) -> Result<Pieces, VocabularyError> {
    let mut names = Names::with_capacity(pieces.len());
    let mut bytes = [NONE; 256];
    let (mut found, mut room) = (Vec::new(), Vec::new());
    for (id, piece) in (0..).zip(pieces) {
        match piece.kind {
            Kind::Byte(byte) => {
                bytes[usize::from(byte)] = id;
                names.add_hidden(id, &[byte])?;
            }
            Kind::Control => names.add_hidden(id, piece.text.as_bytes())?,
            Kind::UserDefined if hidden.contains(&&*piece.text) => names.add_hidden(id, piece.text.as_bytes())?,
            Kind::Normal | Kind::UserDefined => {
                add_spaced(&mut names, id, &piece.text, &mut room)?;
                found.push(id);
            }
        }
    }
    reveal(&mut names, &found)?;
    need_characters(pieces, &names)?;
    let is_matched = |id: u32, it: &Piece| it.kind == Kind::UserDefined && names.is_found(id);
    let matched = (0..).zip(pieces).filter(|(id, it)| is_matched(*id, it));
    let defined: Vec<_> = matched.map(|(id, it)| (id, spaced(&it.text).into_owned())).collect();
    let results = results_of_scores(pieces);
    let spaces = if leads { Spaces::Leading } else { Spaces::Marked };
    of_results(names, (results, Ties::Leftmost), bytes, &defined, spaces)
}

/// Tokens in SentencePiece's spelling, and the ids of what merges make, in the order of merging.
///
/// A result is merged from any two tokens that make it together, the longest left half first: so
/// `transformers` writes merges when it converts a model.
///
/// # Errors
/// [`VocabularyError`].
pub(crate) fn of_merges(tokens: &[(u32, &[u8])], results: &[u32]) -> Result<Pieces, VocabularyError> {
    let mut names = Names::with_capacity(tokens.len());
    let mut bytes = [NONE; 256];
    let (results, is_result) = first_of_each(results, tokens.len())?;
    let (mut found, mut room) = (Vec::new(), Vec::new());
    for (id, token) in tokens {
        let text = str::from_utf8(token).map_err(|_| VocabularyError::NoText(*id))?;
        let is_result = is_result.get(*id as usize).is_some_and(|it| *it);
        match spm::byte(text) {
            Some(byte) => {
                bytes[usize::from(byte)] = *id;
                names.add_hidden(*id, &[byte])?;
            }
            None if is_result || text.chars().count() == 1 => {
                add_spaced(&mut names, *id, text, &mut room)?;
                found.push(*id);
            }
            None => names.add_hidden(*id, token)?,
        }
    }
    reveal(&mut names, &found)?;
    if let Some(dangling) = results.iter().find(|it| names.token(it.id).is_none()) {
        return Err(VocabularyError::NoToken(dangling.id));
    }
    of_results(names, (results, Ties::LongestLeft), bytes, &[], Spaces::Marked)
}

/// What merges make, each where it is made first; and by id, whether a merge makes it.
fn first_of_each(results: &[u32], n_tokens: usize) -> Result<(Vec<Joined>, Vec<bool>), VocabularyError> {
    let mut is_result = vec![false; n_tokens];
    let mut firsts = Vec::with_capacity(n_tokens);
    for (rank, id) in (0..).zip(results) {
        let is_known = is_result.get_mut(*id as usize).ok_or(VocabularyError::NoToken(*id))?;
        if !std::mem::replace(is_known, true) {
            firsts.push(Joined { rank, id: *id });
        }
    }
    Ok((firsts, is_result))
}

fn of_results(
    names: Names,
    (mut results, ties): (Vec<Joined>, Ties),
    bytes: [u32; 256],
    defined: &[(u32, String)],
    spaces: Spaces,
) -> Result<Pieces, VocabularyError> {
    results.retain(|it| names.is_found(it.id));
    let first = First::characters(&names, bytes);
    let joins = Joins::of_results(&names, &results, ties, |half| first.half(&names, half))?;
    Pieces::new(names, joins, bytes, defined, spaces, true)
}

/// `room` is for the text with its spaces.
fn add_spaced(names: &mut Names, id: u32, text: &str, room: &mut Vec<u8>) -> Result<(), BadVocabulary> {
    room.clear();
    push_spaced(text.as_bytes(), room);
    names.add_hidden(id, room)
}

fn reveal(names: &mut Names, found: &[u32]) -> Result<(), VocabularyError> {
    names.reveal(found).map_err(|id| {
        let token = names.token(id).unwrap_or_default();
        VocabularyError::TwoIds(String::from_utf8_lossy(token).into_owned())
    })
}

fn spaced(text: &str) -> Cow<'_, str> {
    if text.contains(SPACE_MARK) { Cow::Owned(text.replace(SPACE_MARK, " ")) } else { Cow::Borrowed(text) }
}

/// As [`spaced`], for the short texts of a vocabulary.
fn push_spaced(text: &[u8], spaced: &mut Vec<u8>) {
    let mut mark = [0; 3];
    let mark = SPACE_MARK.encode_utf8(&mut mark).as_bytes();
    let mut rest = text;
    while let Some(at) = memchr::memchr(mark[0], rest) {
        spaced.extend_from_slice(&rest[..at]);
        let behind = rest[at..].strip_prefix(mark);
        spaced.push(if behind.is_some() { b' ' } else { rest[at] });
        rest = behind.unwrap_or(&rest[at + 1..]);
    }
    spaced.extend_from_slice(rest);
}

/// SentencePiece would merge characters that are no pieces; no published model has use for that.
fn need_characters(pieces: &[Piece], names: &Names) -> Result<(), VocabularyError> {
    let merged = pieces.iter().filter(|it| it.kind == Kind::Normal);
    let has = |c: char| names.id(spaced(c.encode_utf8(&mut [0; 4])).as_bytes()).is_some();
    let mut lacking = merged.filter(|it| !it.text.chars().all(has));
    lacking.next().map_or(Ok(()), |it| Err(VocabularyError::NoCharacter(it.text.clone())))
}

/// Equal scores are equal ranks.
fn results_of_scores(pieces: &[Piece]) -> Vec<Joined> {
    let mut scored: Vec<(f32, u32)> = pieces.iter().map(|it| it.score).zip(0..).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut rank, mut last) = (0, None);
    let results = scored.into_iter().map(|(score, id)| {
        rank += u32::from(last.replace(score).is_some_and(|it| it != score));
        Joined { rank, id }
    });
    results.collect()
}

impl Pieces {
    /// Characters that are merged by pairs. Without tokens that stand for bytes, unknown characters are passed over.
    ///
    /// # Errors
    /// [`VocabularyError`].
    pub(crate) fn of_pairs(
        names: Names,
        joins: Joins,
        bytes: [u32; 256],
        defined: &[(u32, String)],
        spaces: Spaces,
    ) -> Result<Self, VocabularyError> {
        let has_none = bytes.iter().all(|it| *it == NONE);
        let mut made = Self::new(names, joins, bytes, defined, spaces, !has_none)?;
        if has_none {
            made.longest = usize::MAX;
        }
        Ok(made)
    }

    fn new(
        names: Names,
        joins: Joins,
        bytes: [u32; 256],
        defined: &[(u32, String)],
        spaces: Spaces,
        needs_bytes: bool,
    ) -> Result<Self, VocabularyError> {
        // UTF-8 has no use for the bytes that are left out.
        let mut needed = (0..=255).filter(|byte| needs_bytes && !matches!(byte, 0xc0 | 0xc1 | 0xf5..));
        if let Some(byte) = needed.find(|byte| bytes[usize::from(*byte)] == NONE && names.id(&[*byte]).is_none()) {
            return Err(BadVocabulary::NoByte(byte).into());
        }
        let texts = || {
            let merged = names.iter().map(|(_, token)| token);
            merged.chain(defined.iter().map(|(_, text)| text.as_bytes()))
        };
        let cuts = Cuts::Pairs(Pairs::of(texts()));
        let longest = texts().fold(1, longest);
        let matcher = Matcher::new(defined.iter().map(|(id, text)| (*id, text.as_bytes())));
        let first = First::characters(&names, bytes);
        let core = Core::new(names, joins, first);
        let stops = Stops::new(&matcher, &cuts);
        Ok(Self { core, matcher, cuts, stops, spaces, longest })
    }

    fn prepare<'a>(&self, text: &'a str, place: Place) -> Cow<'a, str> {
        match self.spaces {
            Spaces::Plain => Cow::Borrowed(text),
            Spaces::Leading if place == Place::First && !text.is_empty() => Cow::Owned(format!(" {}", spaced(text))),
            Spaces::Marked | Spaces::Leading => spaced(text),
        }
    }

    fn parts<'a>(&'a self, text: &'a str) -> Parts<'a> {
        Parts::new(text, &self.matcher, &self.cuts, &self.stops)
    }
}

/// The longer of a token and others, as text, in which a space may have been U+2581.
fn longest(others: usize, token: &[u8]) -> usize {
    if 3 * token.len() <= others {
        return others;
    }
    others.max(token.len() + 2 * token.iter().filter(|it| **it == b' ').count())
}

impl Encoder for Pieces {
    fn count(&self, text: &str, place: Place, limit: usize) -> Option<usize> {
        let text = self.prepare(text, place);
        self.core.with_room(|room| {
            let mut total = 0;
            for part in self.parts(&text) {
                total += match part {
                    Part::Token(_) => 1,
                    Part::Plain(start, end) => self.core.count(room, text.as_bytes(), start, end),
                };
                if total > limit {
                    return None;
                }
            }
            total += self.core.count_waiting(room);
            Some(total).filter(|it| *it <= limit)
        })
    }

    fn encode(&self, text: &str, place: Place, ids: &mut Vec<u32>) {
        let text = self.prepare(text, place);
        self.core.with_room(|room| {
            for part in self.parts(&text) {
                match part {
                    Part::Token(id) => ids.push(id),
                    Part::Plain(start, end) => self.core.encode(room, text.as_bytes(), (start, end), ids),
                }
            }
        });
    }

    fn token(&self, id: u32) -> Option<&[u8]> {
        self.core.names().token(id)
    }

    fn id(&self, token: &[u8]) -> Option<u32> {
        self.core.id(token)
    }

    fn reach(&self, limit: usize) -> usize {
        limit.saturating_mul(self.longest)
    }

    fn cuts(&self) -> &Cuts {
        &self.cuts
    }

    fn leads_with_space(&self) -> bool {
        self.spaces == Spaces::Leading
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(text: &str, score: f32, kind: Kind) -> Piece {
        Piece { text: text.into(), score, kind }
    }

    fn with_bytes(more: &[Piece]) -> Vec<Piece> {
        let bytes = (0..=255).map(|it| piece(&format!("<0x{it:02X}>"), 0.0, Kind::Byte(it)));
        bytes.chain(more.iter().cloned()).collect()
    }

    #[test]
    fn scores_that_tie_merge_from_the_left() {
        let normal = |text: &str, score| piece(text, score, Kind::Normal);
        let pieces = with_bytes(&[normal("a", -5.0), normal("aa", -1.0), normal("▁", -5.0), normal("aaa", -1.0)]);
        let made = of_spm(&pieces, true, &[]).unwrap();
        let mut ids = Vec::new();
        made.encode("aaaa b", Place::First, &mut ids);
        assert_eq!(ids, [258, 259, 256, 258, u32::from(b'b')]);
        assert_eq!(made.token(258), Some(b" ".as_slice()));
        assert_eq!((made.id(b"aaa"), made.id(b"b"), made.id(b"bb")), (Some(259), Some(98), None));
    }

    #[test]
    fn hidden_pieces_never_come_out() {
        let pieces = with_bytes(&[piece("<a>", 0.0, Kind::UserDefined), piece("<b>", 0.0, Kind::UserDefined)]);
        let made = of_spm(&pieces, false, &["<a>"]).unwrap();
        assert_eq!(made.count("<a><b>", Place::First, 9), Some(4));
    }

    #[test]
    fn damaged_models_are_refused() {
        let normal = |text: &str| piece(text, -1.0, Kind::Normal);
        for (pieces, expected) in [
            (vec![normal("a")], "byte 0x00 is no token; a byte-level vocabulary has all that occur in text"),
            (with_bytes(&[normal("a"), normal("a")]), "token `a` has two ids"),
            (with_bytes(&[normal("ab")]), "a character of `ab` is no token"),
        ] {
            assert_eq!(of_spm(&pieces, false, &[]).err().map(|it| it.to_string()).as_deref(), Some(expected));
        }
    }

    #[test]
    fn damaged_merges_are_refused() {
        let names: Vec<String> = (0..=255).map(|it| format!("<0x{it:02X}>")).collect();
        let bytes: Vec<(u32, &[u8])> = (0..).zip(names.iter().map(String::as_bytes)).collect();
        let with = |more: &[(u32, &'static [u8])]| [bytes.clone(), more.to_vec()].concat();
        for (tokens, results, expected) in [
            (with(&[(256, b"a"), (257, b"aa")]), vec![258], "a merge makes token 258, which is none"),
            (with(&[(256, b"a"), (256, b"aa")]), vec![257], "id 256 is used twice"),
            (with(&[(256, b"a"), (900, b"aa")]), vec![257], "a merge makes token 257, which is none"),
            (with(&[(256, b"a"), (257, b"a")]), vec![257], "token `a` has two ids"),
            (with(&[(256, b"\xff")]), vec![], "token 256 is no UTF-8"),
            (with(&[(u32::MAX, b"a")]), vec![], "id 4294967295 is over the limit of 8388608"),
            (
                vec![(0, b"a".as_slice())],
                vec![],
                "byte 0x00 is no token; a byte-level vocabulary has all that occur in text",
            ),
        ] {
            assert_eq!(of_merges(&tokens, &results).err().map(|it| it.to_string()).as_deref(), Some(expected));
        }
    }
}
