//! Gemma 4 as the model of `tokenizers` does it: a list of pairs, the first in the list first, the leftmost of equals.

use std::collections::HashMap;

use super::{Oracle, named};

/// How many merges the published `tokenizer.json` has. The data crate keeps one for each result, and its left half; the
/// others are all further splits of the result into two tokens, the longest left half first.
const N_MERGES: usize = 514_906;

struct Merges {
    ids: HashMap<String, u32>,
    pairs: HashMap<(u32, u32), (usize, u32)>,
}

pub fn oracle() -> Oracle {
    let merges = Merges::read();
    (named("gemma4"), Box::new(move |text| merges.encode(text)))
}

fn varint(rest: &mut &[u8]) -> usize {
    let (mut value, mut shift) = (0, 0);
    loop {
        let byte = *rest.split_off_first().unwrap();
        value |= usize::from(byte & 0x7f) << shift;
        shift += 7;
        if byte < 0x80 {
            return value;
        }
    }
}

fn number(rest: &mut &[u8]) -> u32 {
    let number = rest[8..12].try_into().unwrap();
    *rest = &rest[12..];
    u32::from_le_bytes(number)
}

impl Merges {
    fn read() -> Self {
        let (mut vocab, mut merges) =
            (splintr_vocab_gemma4::GEMMA4_VOCAB_PACKED, splintr_vocab_gemma4::GEMMA4_MERGES_PACKED);
        let mut names = Vec::new();
        for place in 0..number(&mut vocab) {
            assert_eq!(varint(&mut vocab), place as usize);
            let len = varint(&mut vocab);
            names.push(String::from_utf8(vocab.split_off(..len).unwrap().to_vec()).unwrap());
        }
        let ids: HashMap<String, u32> = names.iter().cloned().zip(0..).collect();
        let mut pairs = HashMap::new();
        for _ in 0..number(&mut merges) {
            let (result, left_len) = (varint(&mut merges), varint(&mut merges));
            let name = &names[result];
            let splits = name.char_indices().skip(1).map(|(at, _)| name.split_at(at));
            let mut splits: Vec<_> = splits.filter_map(|(l, r)| Some((l.len(), *ids.get(l)?, *ids.get(r)?))).collect();
            splits.sort_by_key(|it| usize::MAX - it.0);
            assert_eq!(splits[0].0, left_len, "the longest left half is listed");
            for (_, left, right) in splits {
                let rank = pairs.len();
                pairs.insert((left, right), (rank, result as u32));
            }
        }
        assert_eq!(pairs.len(), N_MERGES);
        Self { ids, pairs }
    }

    fn encode(&self, text: &str) -> Vec<u32> {
        let mut ids: Vec<u32> = text.replace(' ', "▁").chars().flat_map(|it| self.first(it)).collect();
        loop {
            let ranked = ids.windows(2).enumerate();
            let ranked = ranked.filter_map(|(at, it)| Some((self.pairs.get(&(it[0], it[1]))?, at)));
            let Some((&(_, made), at)) = ranked.min() else { return ids };
            ids[at] = made;
            ids.remove(at + 1);
        }
    }

    fn first(&self, c: char) -> Vec<u32> {
        match self.ids.get(&c.to_string()) {
            Some(id) => vec![*id],
            None => c.to_string().bytes().map(|it| self.ids[&format!("<0x{it:02X}>")]).collect(),
        }
    }
}
