//! Every count and every id against one straight run of the reference over the whole text.

#[cfg(any(feature = "kimi", feature = "llama3"))]
use std::sync::LazyLock;

use proptest::prelude::*;
use tiktoken_rs::CoreBPE;
use tollgate_tokenizers::{Running, Split, TOKENIZERS, Tokenizer};

fn named(name: &str) -> Tokenizer {
    Tokenizer::by_name(name).unwrap_or_else(|error| unreachable!("{error}"))
}

/// The vocabularies that tiktoken-rs has too.
fn pairs() -> impl Iterator<Item = (Tokenizer, &'static CoreBPE)> {
    let oracles = [
        ("o200k_base", tiktoken_rs::o200k_base_singleton()),
        ("cl100k_base", tiktoken_rs::cl100k_base_singleton()),
        ("p50k_base", tiktoken_rs::p50k_base_singleton()),
        ("r50k_base", tiktoken_rs::r50k_base_singleton()),
    ];
    oracles.into_iter().chain(of_features()).map(|(name, oracle)| (named(name), oracle))
}

/// The same core with other vocabularies and their published expressions.
fn of_features() -> Vec<(&'static str, &'static CoreBPE)> {
    #[cfg(feature = "kimi")]
    static KIMI: LazyLock<CoreBPE> = LazyLock::new(|| {
        const WORD: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]";
        const LOWER: &str = r"[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]";
        const ENDING: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?";
        const REST: &str = r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
        oracle("kimi_k2", &format!(r"[\p{{Han}}]+|{WORD}*{LOWER}+{ENDING}|{WORD}+{LOWER}*{ENDING}|{REST}"))
    });
    #[cfg(feature = "llama3")]
    static LLAMA3: LazyLock<CoreBPE> = LazyLock::new(|| {
        const WORD: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}";
        oracle("llama3", &format!(r"{WORD}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"))
    });
    vec![
        #[cfg(feature = "kimi")]
        ("kimi_k2", &*KIMI),
        #[cfg(feature = "llama3")]
        ("llama3", &*LLAMA3),
    ]
}

#[cfg(any(feature = "kimi", feature = "llama3"))]
fn oracle(name: &str, expression: &str) -> CoreBPE {
    let ours = named(name);
    let tokens =
        (0..200_000).filter_map(|id| Some((ours.token(id).filter(|it| ours.id(it) == Some(id))?.to_vec(), id)));
    CoreBPE::new(tokens.collect(), Default::default(), expression).unwrap_or_else(|error| unreachable!("{error}"))
}

fn all() -> impl Iterator<Item = Tokenizer> {
    TOKENIZERS.iter().map(|entry| named(&entry.name))
}

/// Text that leans on what splits differ about: contractions, runs of spaces, line ends, digits, scripts, JSON.
fn awkward_text(max_bits: usize) -> impl Strategy<Value = String> {
    let bit = prop_oneof![
        4 => "[a-zA-Z]{1,9}",
        1 => "[a-z]{10,60}",
        2 => "[0-9]{1,7}",
        3 => Just(" ".to_owned()),
        2 => "[ \t\r\n]{1,5}",
        3 => "['\".,:;/{}\\[\\]()_<|>$+^`~-]{1,4}",
        1 => "[;/\n*a ']{1,8}",
        1 => Just("don't we'LL o'Clock 'ſ 'RE'it's's".to_owned()),
        1 => Just("<|endoftext|>".to_owned()),
        1 => "[一-龥〇⺀々]{1,9}",
        1 => "[ぁ-んァ-ヶー]{1,4}",
        1 => "[A-Zǅʰªºa-z\u{301}\u{903}\u{20dd}é中]{1,6}",
        1 => "[。，、é́ñßЖ🙂٣Ⅷ\u{200d}\u{a0}\u{0}\u{1}\u{ad}\u{e000}]{1,3}",
        1 => any::<char>().prop_map(String::from),
        1 => "[\x00-\x7f]{1,5}",
    ];
    prop::collection::vec(bit, 0..max_bits).prop_map(|bits| bits.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn ids_and_counts_are_the_references(text in awkward_text(60)) {
        for (ours, oracle) in pairs() {
            let expected = oracle.encode_ordinary(&text);
            prop_assert_eq!(ours.encode(&text), expected.clone(), "{}", ours);
            prop_assert_eq!(ours.count(&text), expected.len(), "{}", ours);
            prop_assert_eq!(ours.decode(&expected), text.clone());
            prop_assert_eq!(ours.count_till_limit(&text, expected.len()), Some(expected.len()));
            if let Some(less) = expected.len().checked_sub(1) {
                prop_assert_eq!(ours.count_till_limit(&text, less), None);
            }
        }
    }

    #[test]
    fn long_texts_too(text in awkward_text(900)) {
        for (ours, oracle) in pairs() {
            prop_assert_eq!(ours.count(&text), oracle.encode_ordinary(&text).len(), "{}", ours);
        }
    }

    #[test]
    fn counting_encoding_and_decoding_agree(text in awkward_text(60)) {
        for ours in all() {
            let ids = ours.encode(&text);
            prop_assert_eq!(ours.count(&text), ids.len(), "{}", ours);
            let decoded = ours.decode(&ids);
            prop_assert_eq!(ours.encode(&decoded), ids, "{}", ours);
        }
    }

    #[test]
    fn the_prefix_and_the_suffix_are_the_longest_that_fit(text in awkward_text(12), limit in 0usize..40) {
        for ours in all() {
            let fits = |part: &str| ours.count(part) <= limit;
            let mut ends = (0..=text.len()).filter(|&it| text.is_char_boundary(it));
            let longest = ends.clone().rfind(|&end| fits(&text[..end]));
            prop_assert_eq!(Some(ours.prefix_within(&text, limit)), longest, "{}", ours);
            let first = ends.find(|&start| fits(&text[start..])).unwrap();
            prop_assert_eq!(ours.suffix_within(&text, limit), text.len() - first, "{}", ours);
        }
    }

    #[test]
    fn intervals_are_what_brute_force_counts(text in awkward_text(40), a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>(), limit in 0usize..40) {
        let ends: Vec<usize> = (0..=text.len()).filter(|&it| text.is_char_boundary(it)).collect();
        let (a, b) = (ends[a.index(ends.len())], ends[b.index(ends.len())]);
        let (start, end) = (a.min(b), a.max(b));
        for ours in all() {
            let intervals = ours.intervals(&text);
            prop_assert_eq!(intervals.count(start, end), ours.count(&text[start..end]), "{}", ours);
            prop_assert_eq!(intervals.total(), ours.count(&text), "{}", ours);
            prop_assert_eq!(intervals.end_within(start, limit), start + ours.prefix_within(&text[start..], limit), "{}", ours);
            prop_assert_eq!(intervals.start_within(end, limit), end - ours.suffix_within(&text[..end], limit), "{}", ours);
        }
    }

    #[test]
    fn a_growing_text_counts_as_the_whole(parts in prop::collection::vec(awkward_text(6), 0..12)) {
        for ours in all() {
            let mut running = Running::new(ours);
            let mut whole = String::new();
            for part in &parts {
                running.push(part);
                whole.push_str(part);
                prop_assert_eq!(running.count(), ours.count(&whole), "{}", ours);
            }
        }
    }

    /// What planners rely on to add up costs: JSON may be cut between a key's last letter and its closing quote.
    #[test]
    fn json_adds_up_across_key_ends(left in awkward_text(20), right in awkward_text(20)) {
        for ours in all() {
            let (left, right) = (format!("{left}name"), format!("\":\"{right}"));
            let whole = ours.count(&format!("{left}{right}"));
            prop_assert_eq!(ours.count(&left) + ours.count_rest(&right), whole, "{}", ours);
        }
    }

    /// Runs without a space, whose merging goes through windows.
    #[test]
    fn unbroken_runs_are_exact(run in prop_oneof!["[a-z]{0,2000}", "[ab]{0,3000}", "[一-丿]{0,600}", " {0,2500}x", "(abc){0,900}", "={0,3000}", "[a-f]{0,40}(zq){0,900}x{0,500}"]) {
        for (ours, oracle) in pairs() {
            let expected = oracle.encode_ordinary(&run);
            prop_assert_eq!(ours.encode(&run), expected.clone(), "{}", ours);
            prop_assert_eq!(ours.count(&run), expected.len());
        }
    }
}

#[test]
fn every_special_spelling_is_ordinary_text() {
    for ours in all() {
        let specials = TOKENIZERS.iter().flat_map(|it| it.specials.iter().map(|(name, _)| *name));
        let text: String = specials.collect::<Vec<_>>().join(" and ");
        let ids = ours.encode(&text);
        let control = |id: &u32| {
            TOKENIZERS.iter().any(|it| it.name == ours.name() && it.specials.iter().any(|(_, special)| special == id))
        };
        assert!(!ids.iter().any(control), "{ours}");
        // A few vocabularies cannot tell a space from the mark that stands for it.
        assert_eq!(ours.decode(&ids).replace('▁', " "), text.replace('▁', " "));
    }
}

#[test]
fn allowed_specials_become_their_ids() {
    let o200k = named("o200k");
    let text = "a<|endoftext|>b<|endofprompt|>";
    let oracle = tiktoken_rs::o200k_base_singleton();
    assert_eq!(
        o200k.encode_with_specials(text, &["<|endoftext|>", "<|endofprompt|>"]),
        oracle.encode_with_special_tokens(text)
    );
    assert_eq!(o200k.encode_with_specials(text, &[]), oracle.encode_ordinary(text));
    assert_eq!(o200k.decode(&[199_999]), "<|endoftext|>");
}

#[test]
fn unknown_names_say_what_is_known() {
    let error = Tokenizer::by_name("klingon").unwrap_err();
    let known = TOKENIZERS.iter().map(|it| &*it.name).collect::<Vec<_>>().join(", ");
    assert_eq!(error.to_string(), format!("unknown tokenizer `klingon`; known ones are {known}"));
    for entry in TOKENIZERS {
        assert!(entry.aliases.iter().all(|alias| named(alias) == named(&entry.name)));
    }
}

#[test]
fn damaged_files_are_refused() {
    let o200k = named("o200k");
    let line = |id: u32| format!("{} {id}\n", base64(o200k.token(id).unwrap_or_default()));
    let whole: String = (0..600).map(line).collect();
    assert!(Tokenizer::from_tiktoken("part", whole.as_bytes(), Split::O200k).is_ok());
    for (text, expected) in [
        (format!("{whole}%% 600\n"), "line or byte 601: the token is no base64"),
        (whole.replacen(" 7\n", "\n", 1), "line or byte 8: there is no space between token and rank"),
        (whole.replacen(" 7\n", " 6\n", 1), "id 6 is used twice"),
        (whole.replacen(" 7\n", " 4000000000\n", 1), "id 4000000000 is over the limit"),
        (line(0), "byte 0x00 is no token"),
        (String::new(), "byte 0x00 is no token"),
    ] {
        let error = Tokenizer::from_tiktoken("bad", text.as_bytes(), Split::O200k).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

fn base64(bytes: &[u8]) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    STANDARD.encode(bytes)
}

/// A vocabulary with holes: ids that are no token, and bytes that are no text.
#[test]
fn holes_are_no_tokens() {
    let line = |it: u32| format!("{} {}\n", base64(&[it as u8]), 10 * it);
    let text: String = (0..256).map(line).chain([format!("{} 9000\n", base64(b"ab"))]).collect();
    let tokenizer =
        Tokenizer::from_tiktoken("holes", text.as_bytes(), Split::Gpt2).unwrap_or_else(|it| unreachable!("{it}"));
    assert_eq!(tokenizer.encode("abc"), [9000, 990]);
    assert_eq!(tokenizer.count("abababab"), 4);
    assert_eq!((tokenizer.token(991), tokenizer.token(u32::MAX)), (None, None));
    assert_eq!(tokenizer.decode(&[9000, 991, 990]), "abc");
}

#[test]
fn a_hundred_megabytes_of_one_character_are_counted() {
    for (character, o200k) in [("a", 12_500_000), (" ", 781_250)] {
        let text = character.repeat(100_000_000);
        assert_eq!(named("o200k").count(&text), o200k);
        assert_eq!(named("o200k").count_till_limit(&text, 100), None);
        let end = named("o200k").prefix_within(&text[..1 << 20], 100);
        assert_eq!(named("o200k").count(&text[..end]), 100);
    }
}
