//! Files that our core does not count exactly, through the backend, against the rewrite of the same library.

use proptest::prelude::*;
use serde_json::{Value, json};
use tollgate_tokenizers::{Tokenizer, VocabularyError};

use super::{Pair, awkward_text, check, files, load, pair};

thread_local! {
    static PAIRS: Vec<Pair> = made().iter().map(|(name, file)| pair(name, file)).collect();
}

/// What the rewrite reads, too.
fn made() -> Vec<(&'static str, Value)> {
    vec![
        ("wordpiece", wordpiece()),
        ("unigram", unigram()),
        ("wordlevel", wordlevel()),
        ("lower case", lower_case()),
        ("words", words()),
    ]
}

fn control(id: usize, content: &str) -> Value {
    json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true})
}

fn file(control: Value, parts: [Value; 3], model: Value) -> Value {
    let [normalizer, pre_tokenizer, decoder] = parts;
    json!({"version": "1.0", "truncation": null, "padding": null,
        "added_tokens": control, "normalizer": normalizer, "pre_tokenizer": pre_tokenizer, "post_processor": null, "decoder": decoder, "model": model})
}

const WORDS: [&str; 24] = [
    "the", "a", "an", "to", "quick", "brown", "un", "want", "##want", "##ed", "##s", "run", "##ing", "##n", "don", "'",
    "t", ".", ",", "中", "##中", "é", "e", "##e",
];

/// BERT's form.
fn wordpiece() -> Value {
    let letters: Vec<String> = ('a'..='z').flat_map(|it| [it.to_string(), format!("##{it}")]).collect();
    let control_names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
    let mut names: Vec<&str> = control_names.into_iter().chain(WORDS).collect();
    names.extend(letters.iter().map(String::as_str).filter(|it| !WORDS.contains(it)));
    let vocab: serde_json::Map<String, Value> =
        names.iter().zip(0..).map(|(it, id)| ((*it).to_owned(), json!(id))).collect();
    let model = json!({"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": vocab});
    let normalizer = json!({"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true});
    let added: Vec<Value> = control_names.iter().enumerate().map(|(id, it)| control(id, it)).collect();
    file(
        json!(added),
        [
            normalizer,
            json!({"type": "BertPreTokenizer"}),
            json!({"type": "WordPiece", "prefix": "##", "cleanup": false}),
        ],
        model,
    )
}

/// XLM-RoBERTa's form.
fn unigram() -> Value {
    let pieces = files::scored_pieces();
    let (frequent, characters) = (&pieces[259..8_000], &pieces[28_700..]);
    let pieces = frequent.iter().chain(characters).map(|(piece, score)| json!([piece, score]));
    let mut vocab = vec![json!(["<s>", 0.0]), json!(["</s>", 0.0]), json!(["<unk>", 0.0])];
    vocab.extend(pieces);
    let model = json!({"type": "Unigram", "unk_id": 2, "vocab": vocab});
    let spaced = json!({"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true});
    let added = json!([control(0, "<s>"), control(1, "</s>"), control(2, "<unk>")]);
    file(added, [json!({"type": "NFKC"}), spaced.clone(), spaced], model)
}

fn wordlevel() -> Value {
    let names = ["[UNK]", "[BOS]", "the", "don", "'", "t", "we", "7", "."];
    let vocab: serde_json::Map<String, Value> =
        names.iter().zip(0..).map(|(it, id)| ((*it).to_owned(), json!(id))).collect();
    let model = json!({"type": "WordLevel", "unk_token": "[UNK]", "vocab": vocab});
    file(
        json!([control(0, "[UNK]"), control(1, "[BOS]")]),
        [json!(null), json!({"type": "WhitespaceSplit"}), json!(null)],
        model,
    )
}

/// None of those that our core knows; what it does not match is a piece, too.
const ODD: &str = r"\p{Lu}?\p{Ll}+|\d{1,2}|\s?[^\s\p{L}\d!]+|\s+(?!\S)";

fn odd_split() -> Value {
    let mut made = files::bytes();
    made["pre_tokenizer"] = files::split(ODD);
    made
}

/// The rewrite does not read unknown expressions yet.
fn split_oddly(text: &str) -> Vec<&str> {
    let expression = fancy_regex::Regex::new(ODD).unwrap();
    let (mut pieces, mut at) = (Vec::new(), 0);
    for found in expression.find_iter(text).map(Result::unwrap) {
        pieces.extend([&text[at..found.start()], found.as_str()]);
        at = found.end();
    }
    pieces.push(&text[at..]);
    pieces
}

thread_local! {
    static ODDLY: (Tokenizer, Tokenizer) = {
        let mut unsplit = files::bytes();
        unsplit["pre_tokenizer"]["use_regex"] = json!(false);
        (load("odd", &odd_split()), load("unsplit", &unsplit))
    };
}

fn lower_case() -> Value {
    let mut made = files::bytes();
    made["normalizer"] =
        json!({"type": "Sequence", "normalizers": [{"type": "NFD"}, {"type": "Lowercase"}, {"type": "StripAccents"}]});
    made
}

/// Added tokens that are words, or take spaces along.
fn words() -> Value {
    let mut made = files::bytes();
    let added = |id: usize, content: &str, edges: [bool; 3]| json!({"id": id, "content": content, "single_word": edges[0], "lstrip": edges[1], "rstrip": edges[2], "normalized": false, "special": false});
    let next = made["model"]["vocab"].as_object().unwrap().len() + 1;
    let tokens = made["added_tokens"].as_array_mut().unwrap();
    tokens.extend([added(next, "we", [true, false, false]), added(next + 1, "<tool>", [false, true, true])]);
    made
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_only_the_backend_reads_has_the_ids_of_the_rewrite(text in awkward_text(20)) {
        PAIRS.with(|pairs| check(pairs, &text))?;
    }

    #[test]
    fn unknown_expressions_split(text in awkward_text(20)) {
        ODDLY.with(|(ours, unsplit)| {
            let expected: Vec<u32> = split_oddly(&text).into_iter().flat_map(|it| unsplit.encode(it)).collect();
            prop_assert_eq!(ours.encode(&text), expected);
            Ok(())
        })?;
    }

    #[test]
    fn parts_are_what_brute_force_counts(text in awkward_text(8), limit in 0usize..20) {
        PAIRS.with(|pairs| {
            for (ours, _) in pairs {
                let ends: Vec<usize> = (0..=text.len()).filter(|it| text.is_char_boundary(*it)).collect();
                let longest = ends.iter().rfind(|it| ours.count(&text[..**it]) <= limit);
                prop_assert_eq!(Some(&ours.prefix_within(&text, limit)), longest, "{}", ours);
                let first = ends.iter().find(|it| ours.count(&text[**it..]) <= limit).unwrap();
                prop_assert_eq!(ours.suffix_within(&text, limit), text.len() - first, "{}", ours);
                let intervals = ours.intervals(&text);
                prop_assert_eq!(intervals.total(), ours.count(&text), "{}", ours);
                let middle = ends[ends.len() / 2];
                prop_assert_eq!(intervals.count(0, middle), ours.count(&text[..middle]), "{}", ours);
                prop_assert_eq!(intervals.count(middle, text.len()), ours.count(&text[middle..]), "{}", ours);
            }
            Ok(())
        })?;
    }

    /// No text becomes a control token, except for what is unknown, whatever it holds.
    #[test]
    fn control_tokens_never_come_out_of_text(text in "([a-z ]|<s>|</s>|\\[(CLS|SEP|MASK|PAD|BOS)\\]|<\\|end\\|>|\u{ffff}|\u{fffe}|[0-9]){0,20}") {
        PAIRS.with(|pairs| {
            for (ours, _) in pairs {
                let ids = ours.encode(&text);
                prop_assert_eq!(ours.count(&text), ids.len(), "{}", ours);
                for name in ["<s>", "</s>", "[CLS]", "[SEP]", "[MASK]", "[PAD]", "[BOS]", "<|end|>"] {
                    let id = ours.special(name);
                    prop_assert!(id.is_none_or(|it| !ids.contains(&it)), "{} {}", ours, name);
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn damaged_files_are_errors_or_vocabularies(at in any::<prop::sample::Index>(), byte in any::<u8>(), which in 0usize..3) {
        let (name, file) = &[("wordpiece", wordpiece()), ("wordlevel", wordlevel()), ("small unigram", small_unigram())][which];
        let mut text = file.to_string().into_bytes();
        let at = at.index(text.len());
        prop_assert!(matches!(Tokenizer::from_hf_json(name, &text[..at]), Err(VocabularyError::Json(_))));
        text[at] = byte;
        if let Ok(read) = Tokenizer::from_hf_json(name, &text) {
            prop_assert_eq!(read.encode("the quick 中 <s>").len(), read.count("the quick 中 <s>"));
        }
    }
}

fn small_unigram() -> Value {
    let mut made = unigram();
    made["model"]["vocab"].as_array_mut().unwrap().truncate(300);
    made
}

/// Told to keep two tokens; a count is of the whole text.
fn truncated() -> Value {
    let mut made = wordlevel();
    made["truncation"] = json!({"direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0});
    made
}

#[test]
fn known_encodings() {
    for (file, text, expected) in [
        (wordpiece(), "The unwanted runs", vec![5, 11, 13, 14, 16, 15]),
        (wordpiece(), "[MASK]", vec![1, 50, 29, 15, 47, 1]),
        (wordlevel(), "the don the [BOS]", vec![2, 3, 2, 0]),
        (wordlevel(), "", vec![]),
        (truncated(), "the don the don", vec![2, 3, 2, 3]),
    ] {
        let ours = load("known", &file);
        let expected: Vec<u32> = expected;
        assert_eq!(ours.encode(text), expected, "{text:?}");
    }
}

#[test]
fn text_is_put_together_again() {
    for (file, text) in [
        (wordpiece(), "the unwanted quick runs"),
        (unigram(), "Hello there, world <s>"),
        (odd_split(), "Any  text,\n at ALL 中 <|end|>"),
        (words(), "we<tool>that"),
    ] {
        let ours = load("decoded", &file);
        assert_eq!(ours.decode(&ours.encode(text)).replace(" ,", ","), text);
    }
    let bert = load("names", &wordpiece());
    assert_eq!((bert.special("[CLS]"), bert.token(2)), (Some(2), Some(b"[CLS]".as_slice())));
    assert_eq!(bert.encode_with_specials("[CLS]the", &["[CLS]"]), [2, 5]);
    assert_eq!(bert.decode(&[2, 5]), "[CLS] the");
    assert_eq!((bert.id(b"quick"), bert.token(9), bert.id(b"[CLS]")), (Some(9), Some(b"quick".as_slice()), None));
}

#[test]
fn a_space_before_the_text_and_bytes_that_are_no_token() {
    let mut led = files::bytes();
    led["pre_tokenizer"]["add_prefix_space"] = json!(true);
    let (led, plain) = (load("led", &led), load("plain", &files::bytes()));
    assert_eq!(led.encode("word, word"), plain.encode(" word, word"));

    let mut lacking = files::bytes();
    let vocab = lacking["model"]["vocab"].as_object_mut().unwrap();
    assert!(vocab.shift_remove("!").is_some());
    let merges = lacking["model"]["merges"].as_array_mut().unwrap();
    merges.retain(|it| !it.as_str().unwrap().contains('!'));
    assert_eq!(load("lacking", &lacking).encode("word!"), plain.encode("word"));
}

#[test]
fn what_cannot_be_read_says_why() {
    let with = |change: fn(&mut Value)| {
        let mut file = wordlevel();
        change(&mut file);
        Tokenizer::from_hf_json("bad", file.to_string().as_bytes()).unwrap_err().to_string()
    };
    for (error, expected) in [
        (with(|it| it["model"]["type"] = json!("Brain")), "this is no `tokenizer.json`"),
        (with(|it| it["model"]["unk_token"] = json!("[NONE]")), "[UNK]"),
        (with(|it| it["pre_tokenizer"]["type"] = json!("Astral")), "this is no `tokenizer.json`"),
    ] {
        assert!(error.contains(expected), "{error}");
    }
    for file in [
        r#"[{"type": "X"}]"#,
        r#"{"model": ["X"]}"#,
        r#"{"model": {"type": "X", "vocab": 7}, "added_tokens": [7, {}]}"#,
    ] {
        let error = Tokenizer::from_hf_json("bad", file.as_bytes()).unwrap_err();
        assert!(matches!(error, VocabularyError::Json(_)), "{error}");
    }
    let mut random = files::bytes();
    random["model"]["dropout"] = json!(0.1);
    let error = Tokenizer::from_hf_json("bad", random.to_string().as_bytes()).unwrap_err();
    assert_eq!(error, VocabularyError::Random);
}
