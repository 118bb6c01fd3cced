//! Training: the same merges as the reference trainer's, from any order of chunks and with any number of threads.

use crate::corpus::program;
use tollgate_tokenizers::binary::{CHUNK_BYTES, Merges, Sample, TrainOptions, train};

/// The merges that `bbpe` 0.6.3 learns from `program(7, 400_000)` in chunks of 8 KiB, with `target_vocab_size` 2048,
/// without reasoning tokens and with its defaults for the rest.
const REFERENCE: &[u8] = include_bytes!("bbpe-merges.bin");

fn learned(bytes: &[u8], mut sample: Sample, options: &TrainOptions) -> Merges {
    let source = sample.add_source(usize::MAX);
    sample.add(source, bytes);
    train(sample, options, |_| ())
}

#[test]
fn merges_are_those_of_the_reference_trainer() {
    let options = TrainOptions { n_merges: 2048 - 263, no_trailing_space: true, ..TrainOptions::default() };
    let merges = learned(&program(7, 400_000), Sample::with_repeats(0), &options);
    let reference = Merges::from_bytes(REFERENCE).unwrap();
    let different = merges.pairs().iter().zip(reference.pairs()).position(|(ours, theirs)| ours != theirs);
    assert_eq!(different, None);
    assert_eq!(merges, reference);
}

#[test]
fn threads_and_order_change_nothing() {
    let bytes = program(3, 300_000);
    let options = |n_threads| TrainOptions { n_merges: 600, n_threads, ..TrainOptions::default() };
    let one = learned(&bytes, Sample::new(5), &options(1));
    assert_eq!(one, learned(&bytes, Sample::new(5), &options(3)));
    let mut sample = Sample::new(5);
    let source = sample.add_source(usize::MAX);
    bytes.chunks(CHUNK_BYTES).rev().for_each(|it| sample.add(source, it));
    assert_eq!(one, train(sample, &options(2), |_| ()));
    assert_eq!(one.first(100).pairs(), &one.pairs()[..100]);
}

/// Each merge must be the most frequent pair of what the ones before it left, counted anew.
#[test]
fn merges_are_the_most_frequent_pairs() {
    let bytes = program(11, 3 * CHUNK_BYTES);
    let options = TrainOptions { n_merges: 150, longest_token: 12, ..TrainOptions::default() };
    let merges = learned(&bytes, Sample::new(0), &options);
    let mut chunks: Vec<Vec<u16>> =
        bytes.chunks(CHUNK_BYTES).map(|it| it.iter().map(|it| u16::from(*it)).collect()).collect();
    let mut spelled: Vec<Vec<u8>> = (0..=255).map(|it| vec![it]).collect();
    for pair in merges.pairs() {
        let mut counts = std::collections::BTreeMap::new();
        for chunk in &chunks {
            chunk.array_windows().for_each(|[left, right]| *counts.entry((*left, *right)).or_insert(0) += 1);
        }
        let spell = |pair: &(u16, u16)| [&*spelled[pair.0 as usize], &*spelled[pair.1 as usize]].concat();
        counts.retain(|pair, _| spell(pair).len() <= 12 && !spelled.contains(&spell(pair)));
        let best = counts.iter().max_by_key(|it| (*it.1, std::cmp::Reverse(*it.0))).unwrap();
        assert_eq!(pair, best.0, "{counts:?}");
        let token = spelled.len() as u16;
        spelled.push(spell(pair));
        chunks.iter_mut().for_each(|it| *it = merged(it, *pair, token));
    }
}

fn merged(tokens: &[u16], pair: (u16, u16), token: u16) -> Vec<u16> {
    let (mut out, mut at) = (Vec::new(), 0);
    while at < tokens.len() {
        let is_pair = tokens.get(at..at + 2).is_some_and(|it| it == [pair.0, pair.1]);
        out.push(if is_pair { token } else { tokens[at] });
        at += if is_pair { 2 } else { 1 };
    }
    out
}

#[test]
fn nothing_and_little_are_learned_from_as_well() {
    for (bytes, expected) in [(b"".as_slice(), 0), (b"a", 0), (b"aaaa", 0), (b"aaaaa", 1), (&[b'a'; 4000], 5)] {
        let merges = learned(bytes, Sample::new(0), &TrainOptions::default());
        assert_eq!(merges.len(), expected, "{}", bytes.len());
    }
}
