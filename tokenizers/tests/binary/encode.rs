//! Encoding: exactly what merging one pair after the other gives.

use crate::corpus::{Random, program};
use tollgate_tokenizers::binary::{Merges, SIZES, Sample, Size, Stream, TrainOptions, Vocabulary, shipped, train};

/// The earliest merge, leftmost first, until none is left.
fn merged(merges: &Merges, bytes: &[u8]) -> Vec<u32> {
    let mut tokens: Vec<u16> = bytes.iter().map(|it| u16::from(*it)).collect();
    let ranks: std::collections::HashMap<_, _> = merges.pairs().iter().zip(256..).collect();
    loop {
        let next = tokens.array_windows().filter_map(|[left, right]| ranks.get(&(*left, *right)).copied()).min();
        let Some(token) = next else { return tokens.iter().map(|it| u32::from(*it) + 7).collect() };
        let (left, right) = merges.pairs()[usize::from(token) - 256];
        let mut at = 0;
        while at + 1 < tokens.len() {
            if (tokens[at], tokens[at + 1]) == (left, right) {
                tokens[at] = token;
                tokens.remove(at + 1);
            }
            at += 1;
        }
    }
}

fn texts() -> Vec<Vec<u8>> {
    let mut random = Random(1);
    let mut texts = vec![vec![], vec![0], vec![0; 1000], vec![b' '; 777], b"abababababa".to_vec(), program(5, 30_000)];
    texts.extend((0..40).map(|it| random.bytes(it * 13)));
    // Of few bytes, so that everything merges with everything.
    texts.extend(
        (0..40)
            .map(|it| random.bytes(it * 17).iter().map(|byte| [0, 0, 0, 1, 0xff, b'a'][*byte as usize % 6]).collect()),
    );
    texts
}

fn check(vocabulary: &Vocabulary, bytes: &[u8]) {
    let ids = vocabulary.encode(bytes);
    assert_eq!(ids, merged(vocabulary.merges(), bytes), "{:?}", &bytes[..bytes.len().min(40)]);
    assert_eq!(vocabulary.decode(&ids), bytes);
    assert_eq!(vocabulary.count(bytes), ids.len());
}

#[test]
fn tokens_are_those_of_merging() {
    for size in SIZES {
        texts().iter().for_each(|it| check(shipped(size), it));
    }
    let mut sample = Sample::new(0);
    let source = sample.add_source(usize::MAX);
    sample.add(source, &program(7, 200_000));
    let merges = train(sample, &TrainOptions { n_merges: 900, ..TrainOptions::default() }, |_| ());
    let own = Vocabulary::new(merges);
    texts().iter().for_each(|it| check(&own, it));
}

/// Merges that no training gives: tokens that do not come out of their own bytes, and pairs of every kind.
#[test]
fn tokens_are_those_of_any_merges() {
    for seed in 0..300 {
        let mut random = Random(seed);
        let mut pairs: Vec<(u16, u16)> = Vec::new();
        let mut spelled: Vec<Vec<u8>> = (0..=255).map(|it| vec![it]).collect();
        while pairs.len() < 30 {
            let mut part = || match random.below(2 + pairs.len()) {
                it @ 0..2 => it as u16,
                it => 254 + it as u16,
            };
            let pair = (part(), part());
            let spelling = [&*spelled[pair.0 as usize], &*spelled[pair.1 as usize]].concat();
            if spelling.len() < 12 && !spelled.contains(&spelling) {
                pairs.push(pair);
                spelled.push(spelling);
            } else if random.below(50) == 0 {
                break;
            }
        }
        let vocabulary = Vocabulary::new(Merges::new(pairs).unwrap());
        for len in 0..60 {
            let bytes: Vec<u8> = (0..len).map(|_| random.below(2) as u8).collect();
            check(&vocabulary, &bytes);
        }
    }
}

#[test]
fn streams_give_the_same_tokens() {
    let vocabulary = shipped(Size::K64);
    let mut random = Random(9);
    let noise = random.bytes(1_500_000);
    for bytes in [vec![], vec![7], vec![0; 3_000_000], program(2, 2_500_000), [program(1, 1_100_000), noise].concat()] {
        let mut ids = Vec::new();
        let mut stream = Stream::new(vocabulary);
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let (part, behind) = rest.split_at((1 + random.below(700_000)).min(rest.len()));
            stream.push(part, |id, _| ids.push(id));
            rest = behind;
        }
        stream.finish(|id, _| ids.push(id));
        assert!(ids == vocabulary.encode(&bytes), "{}", bytes.len());
    }
}

#[test]
fn shipped_vocabularies_are_beginnings_of_each_other() {
    for size in SIZES {
        let vocabulary = shipped(size);
        assert_eq!(vocabulary.n_ids(), size.n_ids());
        let larger = shipped(Size::K64);
        assert_eq!(vocabulary.merges().pairs(), &larger.merges().pairs()[..vocabulary.merges().len()]);
        assert_eq!(Size::by_name(size.name()), Some(size));
    }
    assert_eq!(shipped(Size::K64).id(b"\0"), Some(7));
    assert_eq!(shipped(Size::K64).token(6), None);
}
