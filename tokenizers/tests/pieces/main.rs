//! Vocabularies that merge characters, against plain quadratic merging written after the published rules.

#![expect(clippy::unwrap_used, reason = "a reference that cannot be made ends the test")]

mod gemma4;
mod spm;

use proptest::prelude::*;
use tollgate_tokenizers::Tokenizer;

/// A reference, and the vocabulary it belongs to.
type Oracle = (Tokenizer, Box<dyn Fn(&str) -> Vec<u32>>);

thread_local! {
    static ORACLES: Vec<Oracle> = spm::oracles().into_iter().chain([gemma4::oracle()]).collect();
}

fn named(name: &str) -> Tokenizer {
    Tokenizer::by_name(name).unwrap_or_else(|error| unreachable!("{error}"))
}

fn check(text: &str) -> Result<(), TestCaseError> {
    ORACLES.with(|oracles| {
        for (ours, oracle) in oracles {
            let expected = oracle(text);
            prop_assert_eq!(ours.encode(text), expected.clone(), "{}", ours);
            prop_assert_eq!(ours.count(text), expected.len(), "{}", ours);
            prop_assert_eq!(ours.count_till_limit(text, expected.len()), Some(expected.len()));
            if let Some(less) = expected.len().checked_sub(1) {
                prop_assert_eq!(ours.count_till_limit(text, less), None);
            }
            let decoded = ours.decode(&expected);
            prop_assert_eq!(decoded.replace('▁', " "), text.replace('▁', " "), "{}", ours);
        }
        Ok(())
    })
}

/// Text that leans on what these vocabularies treat alone: spaces and their mark, line ends, tags, rare characters.
fn awkward_text(max_bits: usize) -> impl Strategy<Value = String> {
    let bit = prop_oneof![
        4 => "[a-zA-Z]{1,9}",
        1 => "[a-z]{10,60}",
        2 => "[0-9]{1,7}",
        4 => Just(" ".to_owned()),
        2 => "[ \t\r\n]{1,5}",
        1 => " {1,50}",
        1 => "\n{1,50}",
        1 => "\t{1,50}",
        1 => "[ ▁]{1,6}",
        3 => "['\".,:;/{}\\[\\]()_<|>$+^`~=*-]{1,4}",
        1 => "[=*/#.-]{1,40}",
        1 => "</?(table|tr|td|h[1-6]|b|i|code|unused[0-9]{1,4}|start_of_turn|mask|s)>",
        1 => "(<0x[0-9A-F]{2}>|<unk>|<s>|\\[INST\\]|> ?</|<\\|turn>)",
        1 => "[一-龥〇⺀々]{1,9}",
        1 => "[ぁ-んァ-ヶー。，、]{1,4}",
        1 => "[а-яё]{1,12}",
        1 => "[é́ñßЖ🙂٣Ⅷ\u{200d}\u{a0}\u{0}\u{1}\u{ad}\u{e000}🏴]{1,3}",
        1 => any::<char>().prop_map(String::from),
        1 => "[\x00-\x7f]{1,5}",
    ];
    prop::collection::vec(bit, 0..max_bits).prop_map(|bits| bits.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn ids_and_counts_are_the_references(text in awkward_text(40)) {
        check(&text)?;
    }

    /// Runs without a cut, whose merging goes through windows.
    #[test]
    fn unbroken_runs_are_exact(run in prop_oneof!["[a-z]{0,900}", "[ab]{0,900}", "[一-丿]{0,400}", " {0,900}x", "(abc){0,400}", "[=-]{0,900}", "={0,1200}", "a{0,1200}", "(ha|a){0,500}", "\n{0,900}", "[a-f]{0,40}(zq){0,300}x{0,200}", "[\u{11000}-\u{11040}]{0,300}"]) {
        check(&run)?;
    }
}

#[test]
fn known_encodings() {
    for (name, text, expected) in [
        ("mistral_v1", "", vec![]),
        ("mistral_v1", "Hello world", vec![22557, 1526]),
        ("mistral_v1", "a\nb", vec![264, 13, 28726]),
        ("gemma4", "Hello world", vec![9259, 1902]),
    ] {
        assert_eq!(named(name).encode(text), expected, "{name} {text:?}");
    }
}

#[test]
fn a_megabyte_of_anything_is_counted() {
    for name in ["mistral_v1", "mistral_v2", "gemma4"] {
        for unit in ["a", " ", "\n", "\t", "=", "一", "\u{12000}", "ab ", "<table>"] {
            let text = unit.repeat(1_000_000 / unit.len());
            let count = named(name).count(&text);
            assert!((1_000_000 / 100..=1_100_000).contains(&count), "{name} {unit:?} {count}");
        }
    }
}
