//! Files of Hugging Face's, against the `tokenizers` crate on the same file.

#![expect(clippy::unwrap_used, reason = "a reference that cannot be made ends the test")]

#[cfg(feature = "hf")]
mod backend;
mod files;

use proptest::prelude::*;
use serde_json::{Value, json};
use tokenizers::pipeline::{EncodeOptions, PipelineTokenizer};
use tollgate_tokenizers::{Running, Tokenizer};

type Pair = (Tokenizer, PipelineTokenizer);

thread_local! {
    static PAIRS: Vec<Pair> = files::made().iter().map(|(name, file)| pair(name, file)).collect();
    static BINARY: Vec<Pair> = files::binary().iter().map(|(name, file)| pair(name, file)).collect();
}

fn load(name: &str, file: &Value) -> Tokenizer {
    Tokenizer::from_hf_json(name, file.to_string().as_bytes()).unwrap_or_else(|it| unreachable!("{name}: {it}"))
}

fn pair(name: &str, file: &Value) -> Pair {
    let text = file.to_string();
    (load(name, file), tokenizers::from_json(&tokenizers::canonicalize_str(&text).unwrap()).unwrap())
}

fn reference(oracle: &PipelineTokenizer, text: &str) -> Vec<u32> {
    let encodings = oracle.encode(text, &EncodeOptions::no_specials()).wait().unwrap();
    encodings.first().map(|it| it.ids().iter().map(|it| it.id()).collect()).unwrap_or_default()
}

fn check(pairs: &[Pair], text: &str) -> Result<(), TestCaseError> {
    for (ours, oracle) in pairs {
        let expected = reference(oracle, text);
        prop_assert_eq!(ours.encode(text), expected.clone(), "{}", ours);
        prop_assert_eq!(ours.count(text), expected.len(), "{}", ours);
        prop_assert_eq!(ours.count_till_limit(text, expected.len()), Some(expected.len()));
        if let Some(less) = expected.len().checked_sub(1) {
            prop_assert_eq!(ours.count_till_limit(text, less), None);
        }
    }
    Ok(())
}

fn awkward_text(max_bits: usize) -> impl Strategy<Value = String> {
    let bit = prop_oneof![
        4 => "[a-zA-Z]{1,9}",
        1 => "[a-z]{10,60}",
        2 => "[0-9]{1,7}",
        3 => Just(" ".to_owned()),
        2 => "[ \t\r\n]{1,5}",
        1 => " {1,30}",
        3 => "['\".,:;/{}\\[\\]()_<|>$+^`~-]{1,4}",
        1 => Just("don't we'LL o'Clock 'RE'it's's".to_owned()),
        1 => Just("<tool>".to_owned()),
        1 => "[一-龥〇⺀々]{1,9}",
        1 => "[。，、é́ñßЖ🙂٣Ⅷ\u{200d}\u{a0}\u{ad}\u{e000}]{1,3}",
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(bit, 0..max_bits).prop_map(|bits| bits.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn ids_and_counts_are_the_references(text in awkward_text(40)) {
        PAIRS.with(|pairs| check(pairs, &text))?;
    }

    #[test]
    fn unbroken_runs_are_exact(run in prop_oneof!["[a-z]{0,900}", "[ab]{0,900}", "[一-丿]{0,400}", " {0,900}x", "(abc){0,400}", "={0,1200}"]) {
        PAIRS.with(|pairs| check(pairs, &run))?;
    }

    #[test]
    fn parts_add_up(text in awkward_text(20), a in any::<prop::sample::Index>(), limit in 0usize..20) {
        PAIRS.with(|pairs| {
            for (ours, _) in pairs {
                let ends: Vec<usize> = (0..=text.len()).filter(|&it| text.is_char_boundary(it)).collect();
                let at = ends[a.index(ends.len())];
                let intervals = ours.intervals(&text);
                prop_assert_eq!(intervals.count(0, at), ours.count(&text[..at]), "{}", ours);
                prop_assert_eq!(intervals.count(at, text.len()), ours.count(&text[at..]), "{}", ours);
                prop_assert!(ours.count(&text[..ours.prefix_within(&text, limit)]) <= limit);
                let mut running = Running::new(*ours);
                running.push(&text[..at]);
                running.push(&text[at..]);
                prop_assert_eq!(running.count(), ours.count(&text), "{}", ours);
            }
            Ok(())
        })?;
    }

    /// Bytes as characters of Latin-1, in the older files for programs.
    #[test]
    fn binary_files_are_exact(bytes in prop::collection::vec(prop_oneof![2 => any::<u8>(), 1 => Just(0u8), 1 => Just(0xffu8), 1 => 0x40u8..0x90], 0..1500)) {
        let text: String = bytes.iter().map(|it| char::from(*it)).collect();
        BINARY.with(|pairs| check(pairs, &text))?;
    }
}

#[test]
fn special_tokens_stay_text_unless_allowed() {
    PAIRS.with(|pairs| {
        for (ours, _) in pairs {
            let id = ours.special("<|end|>").unwrap();
            assert!(!ours.encode("a<|end|>").contains(&id), "{ours}");
            assert_eq!(ours.encode_with_specials("a<|end|>", &["<|end|>"]).last(), Some(&id), "{ours}");
        }
    });
}

#[test]
fn damaged_files_are_refused() {
    let whole = files::bytes();
    let with = |path: &str, value: Value| {
        let mut file = whole.clone();
        *file.pointer_mut(path).unwrap() = value;
        file.to_string()
    };
    let merge = |value: Value| with("/model/merges/3", value);
    let text = whole.to_string();
    let twice = json!([{"id": 7, "content": "<|x|>", "special": true}]);
    let huge = json!([{"id": 4_000_000_000u32, "content": "<|x|>", "special": true}]);
    for (file, expected) in [
        (String::new(), "this is no `tokenizer.json`: EOF while parsing"),
        (text[..text.floor_char_boundary(text.len() / 2)].to_owned(), "this is no `tokenizer.json`: EOF while parsing"),
        ("{}".to_owned(), "this is no `tokenizer.json`: missing field `model`"),
        ("[[[[".repeat(9999), "this is no `tokenizer.json`"),
        (with("/model/vocab", json!([["a", -1.0]])), "this is no `tokenizer.json`: invalid type"),
        (with("/model/vocab/!", json!(-1)), "this is no `tokenizer.json`: invalid value"),
        (with("/model/vocab/!", json!(99_999_999_999u64)), "this is no `tokenizer.json`: invalid value"),
        (with("/model/vocab/!", json!(4_000_000_000u32)), "id 4000000000 is over the limit"),
        (with("/model/vocab/!", json!(5)), "id 5 is used twice"),
        (merge(json!("ab")), "merge 4 is none of two tokens into a third"),
        (merge(json!(["a", "b", "c"])), "this is no `tokenizer.json`"),
        (merge(json!("dangling x")), "merge 4 is none of two tokens into a third"),
        (with("/added_tokens", twice), "id 7 is used twice"),
        (with("/added_tokens", huge), "id 4000000000 is over the limit"),
    ] {
        let error = Tokenizer::from_hf_json("bad", file.as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

#[cfg(not(feature = "hf"))]
#[test]
fn what_needs_the_backend_names_its_feature() {
    let with = |path: &str, value: Value| {
        let mut file = files::bytes();
        *file.pointer_mut(path).unwrap() = value;
        file
    };
    let strict = json!([{"id": 90_000, "content": "x", "lstrip": true, "special": false}]);
    for (file, what) in [
        (with("/model/type", json!("Unigram")), "the model `Unigram`"),
        (with("/model/dropout", json!(0.1)), "`dropout`"),
        (with("/normalizer", json!({"type": "Lowercase"})), "a normalizer that is not NFC and puts no `▁` for a space"),
        (with("/pre_tokenizer", files::split("a+")), "the expression `a+`"),
        (with("/added_tokens", strict), "an added token that is a word or strips spaces"),
    ] {
        let error = Tokenizer::from_hf_json("bad", file.to_string().as_bytes()).unwrap_err().to_string();
        let remedy = "build with it, or use a byte-pair encoding with a known split";
        assert_eq!(error, format!("{what} needs the feature `hf`; {remedy}"));
    }
}

/// Line ends that a file writes as they are, as DeepSeek's does.
#[test]
fn expressions_are_known_in_either_spelling() {
    let mut file = files::bytes();
    file["pre_tokenizer"] = files::split(files::CL100K);
    let escaped = load("escaped", &file);
    file["pre_tokenizer"] = files::split(&files::CL100K.replace(r"\r\n", "\r\n"));
    let text = "a line\r\n\r\n  and 1234 more!\r\n";
    assert_eq!(load("written", &file).encode(text), escaped.encode(text));
}

#[test]
fn merges_make_no_control_token() {
    let mut file = files::bytes();
    let id = file["model"]["vocab"]["the"].clone();
    let plain = load("plain", &file);
    let control = json!({"id": id, "content": "the", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true});
    file["added_tokens"].as_array_mut().unwrap().push(control);
    let ours = load("control", &file);
    assert_eq!((plain.count("the"), ours.count("the")), (1, 2));
    assert_eq!(ours.encode("Than"), plain.encode("Than"));
}

/// Merges that make each other would go round for ever if they were followed and not looked up.
#[test]
fn cyclic_merges_end() {
    let mut file = files::bytes();
    let cycle = json!(["a", "a"]);
    file.pointer_mut("/model/merges").unwrap().as_array_mut().unwrap().extend([cycle.clone(), cycle]);
    file.pointer_mut("/model/vocab").unwrap()["aa"] = json!(90_000);
    let (ours, oracle) = pair("cyclic", &file);
    assert_eq!(ours.encode("aaaaa"), reference(&oracle, "aaaaa"));
}
