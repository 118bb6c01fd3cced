//! Every count against one straight run of tiktoken-rs over the whole text.

use proptest::prelude::*;
use tiktoken_rs::CoreBPE;
use tollgate_tokenizers::{Counter, TOKENIZERS, Tokenizer};

/// Each of our tokenizers with its oracle, in the order of the registry.
fn pairs() -> impl Iterator<Item = (Tokenizer, &'static CoreBPE)> {
    let oracles = [tiktoken_rs::o200k_base_singleton(), tiktoken_rs::cl100k_base_singleton()];
    let ours = TOKENIZERS.iter().filter_map(|entry| Tokenizer::by_name(entry.name).ok());
    ours.zip(oracles)
}

/// Text that leans on what splits differ about: contractions, runs of spaces, line ends, digits, scripts, JSON.
fn awkward_text() -> impl Strategy<Value = String> {
    let bit = prop_oneof![
        "[a-zA-Z]{1,9}",
        "[0-9]{1,5}",
        "[ \t\r\n]{1,4}",
        "['\".,:;/{}\\[\\]()_<|>-]{1,4}",
        Just("don't we'LL".to_owned()),
        Just("<|endoftext|>".to_owned()),
        "[一-龥]{1,4}",
        "[ぁ-んァ-ヶ]{1,4}",
        "[。，、é́ñßЖ🙂٣Ⅷ\u{200d}\u{a0}]{1,3}",
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(bit, 0..30).prop_map(|bits| bits.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    #[test]
    fn counts_as_the_whole_text_would(text in awkward_text(), repeats in 1usize..20) {
        let text = text.repeat(repeats);
        for (ours, oracle) in pairs() {
            let expected = oracle.encode_ordinary(&text);
            prop_assert_eq!(ours.encode(&text), expected.clone());
            prop_assert_eq!(ours.count(&text), expected.len());
            prop_assert_eq!(Counter::new(ours).count(&text), expected.len());
            prop_assert_eq!(ours.decode(&expected), text.clone());
            prop_assert_eq!(ours.count_till_limit(&text, expected.len()), Some(expected.len()));
            if let Some(less) = expected.len().checked_sub(1) {
                prop_assert_eq!(ours.count_till_limit(&text, less), None);
            }
        }
    }

    #[test]
    fn the_prefix_is_the_longest_that_fits(text in awkward_text(), limit in 0usize..60) {
        for (ours, oracle) in pairs() {
            let ends = (0..=text.len()).rev().filter(|&end| text.is_char_boundary(end));
            let longest = ends.into_iter().find(|&end| oracle.encode_ordinary(&text[..end]).len() <= limit);
            prop_assert_eq!(Some(ours.prefix_within(&text, limit)), longest);
        }
    }

    /// What planners rely on to add up costs: JSON may be cut between a key's last letter and its closing quote.
    #[test]
    fn json_adds_up_across_key_ends(left in awkward_text(), right in awkward_text()) {
        for (ours, oracle) in pairs() {
            let (left, right) = (format!("{left}name"), format!("\":\"{right}"));
            let whole = oracle.encode_ordinary(&format!("{left}{right}")).len();
            prop_assert_eq!(ours.count(&left) + ours.count(&right), whole);
        }
    }
}

#[test]
fn huge_text_costs_what_the_limit_allows() {
    let started = std::time::Instant::now();
    for text in ["word ".repeat(1 << 20), "a".repeat(2 << 20), " ".repeat(2 << 20) + "a", "中文".repeat(1 << 20)] {
        for (ours, _) in pairs() {
            assert_eq!(ours.count_till_limit(&text, 200), None);
            let end = ours.prefix_within(&text, 200);
            assert!(ours.count(&text[..end]) <= 200, "{end}");
            assert!(ours.count(&text[..text.ceil_char_boundary(end + 128)]) >= 200, "{end}");
        }
    }
    assert!(started.elapsed().as_secs() < 60, "took {:?}", started.elapsed());
}

#[test]
fn a_run_that_the_regular_expression_refuses_is_still_counted() {
    let text = " ".repeat(5 << 18) + "a";
    for (ours, _) in pairs() {
        assert!(ours.count(&text) >= text.len() / 128);
    }
}

#[test]
fn unknown_names_say_what_is_known() {
    let error = Tokenizer::by_name("klingon").unwrap_err();
    assert_eq!(error.to_string(), "unknown tokenizer `klingon`; known ones are o200k_base, cl100k_base");
    assert_eq!(pairs().count(), TOKENIZERS.len());
    for alias in ["o200k", "cl100k"] {
        assert!(Tokenizer::by_name(alias).unwrap().name().starts_with(alias));
    }
}
