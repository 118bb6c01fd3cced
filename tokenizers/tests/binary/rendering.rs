//! The rendering for text models: it reads back, and it costs less than hex and base64.

use crate::corpus::{Random, program};
use tollgate_tokenizers::{
    Tokenizer,
    binary::{parse, render},
};

fn check(bytes: &[u8], offset: u64) {
    let text = render(bytes, offset);
    assert!(text.is_ascii());
    let mut at = offset;
    let mut read = Vec::new();
    for (start, part) in parse(&text).unwrap() {
        assert_eq!(start, at);
        at += part.len() as u64;
        read.extend(part);
    }
    assert!(read == bytes, "{text}");
}

#[test]
fn reads_back_to_the_same_bytes_at_their_offsets() {
    let mut random = Random(6);
    check(b"", 0);
    check(&[0; 100_000], 7);
    check(b"\"quoted\\ and | piped\"\0next one\0|\0", 1 << 40);
    check(b"\0\0\0 abcdef\0\0ghijkl\0mn\0", 0);
    for seed in 0..60 {
        check(&program(seed, 100 * seed as usize), seed << 9);
        check(&random.bytes(37 * seed as usize), u64::from(u32::MAX));
    }
    // Every token has a word, and every word a token.
    (0..=255u8).for_each(|a| (0..=255).for_each(|b| check(&[a, b], 0)));
}

#[test]
fn costs_less_than_hex_and_base64() {
    let bytes = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let o200k = Tokenizer::by_name("o200k_base").unwrap();
    let (mut hex, mut rendering) = (0, 0);
    for part in bytes.chunks(1 << 16).step_by(bytes.len() >> 21 | 1) {
        hex += o200k.count(&part.iter().map(|it| format!("{it:02x}")).collect::<String>());
        rendering += o200k.count(&render(part, 0));
    }
    assert!(10 * rendering < 6 * hex, "{rendering} of {hex}");
}

#[test]
fn words_are_one_token_each_wherever_they_stand() {
    let o200k = Tokenizer::by_name("o200k_base").unwrap();
    let text = render(&Random(3).bytes(20_000), 0);
    for line in text.lines() {
        let (_, words) = line.split_once(' ').unwrap();
        if !words.contains('"') {
            assert_eq!(o200k.count(&format!(" {words}")), words.split(' ').count(), "{words}");
        }
    }
}

#[test]
fn forged_renderings_are_refused_with_their_line() {
    for (text, line, reason) in [
        ("@0 00x4\nhello", 2, "no `@`"),
        ("@xyz", 1, "no `@`"),
        ("@0 zzzzzzzzzz", 1, "no word"),
        ("@0  ", 1, "no word"),
        ("@0 \"open", 1, "without an end"),
        ("@0 \"a\"b", 1, "without a space"),
        ("@0 \"\\n\"", 1, "unknown escape"),
        ("@0 \"é\"", 1, "printable"),
        ("@0 00x99999999999", 1, "too long"),
        ("@0 00x900000000\n@1 00x900000000", 2, "too long"),
    ] {
        let error = parse(text).unwrap_err();
        assert_eq!(error.line, line, "{text}");
        assert!(error.reason.contains(reason), "{text}: {error}");
    }
}
