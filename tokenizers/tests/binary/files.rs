//! `tokenizer.json`: files of the published family, our own in both forms, and damaged ones.

use crate::corpus::{Random, program};
use std::path::Path;
use tokenizers::pipeline::{EncodeOptions, PipelineTokenizer};
use tollgate_tokenizers::binary::{Form, Size, Vocabulary, shipped};

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|it| char::from(*it)).collect()
}

/// The `tokenizers` crate, which takes bytes as the characters of Latin-1.
fn oracle(json: &str) -> PipelineTokenizer {
    tokenizers::from_json(&tokenizers::canonicalize_str(json).unwrap()).unwrap()
}

fn reference(oracle: &PipelineTokenizer, text: &str) -> Vec<u32> {
    let encodings = oracle.encode(text, &EncodeOptions::no_specials()).wait().unwrap();
    encodings.first().map(|it| it.ids().iter().map(|it| it.id()).collect()).unwrap_or_default()
}

fn check(json: &str, vocabulary: &Vocabulary) {
    let oracle = oracle(json);
    let mut random = Random(4);
    let mut texts = vec![program(3, 60_000), random.bytes(20_000), vec![0; 5000]];
    texts.extend((1..200).map(|len| random.bytes(len)));
    texts.extend(std::fs::read(std::env::current_exe().unwrap()).map(|it| it[..it.len().min(1 << 20)].to_vec()));
    for text in texts {
        let expected = reference(&oracle, &latin1(&text));
        let ids = vocabulary.encode(&text);
        assert!(expected == ids, "{:?}", &text[..text.len().min(60)]);
        assert!(vocabulary.decode(&ids) == text);
    }
}

#[test]
fn published_files_encode_as_the_tokenizers_crate_encodes_them() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/binary-bpe");
    let mut n_files = 0;
    for entry in std::fs::read_dir(&folder).into_iter().flatten() {
        let json = std::fs::read_to_string(entry.unwrap().path().join("tokenizer.json")).unwrap();
        let vocabulary = Vocabulary::from_json(json.as_bytes()).unwrap();
        assert_eq!(vocabulary.n_ids(), 32_768);
        assert_eq!(vocabulary.id(b"\0"), Some(135));
        check(&json, &vocabulary);
        n_files += 1;
    }
    eprintln!(
        "{n_files} published vocabularies compared{}",
        if n_files == 0 { ": the files are not here" } else { "" }
    );
}

#[test]
fn our_files_read_back_in_both_forms() {
    let vocabulary = shipped(Size::K8);
    let latin1 = vocabulary.to_json(Form::Latin1);
    check(&latin1, vocabulary);
    for json in [latin1, vocabulary.to_json(Form::ByteLevel)] {
        let read = Vocabulary::from_json(json.as_bytes()).unwrap();
        assert_eq!(read.merges(), vocabulary.merges());
        assert_eq!(read.specials(), vocabulary.specials());
        let bytes = program(8, 100_000);
        assert_eq!(read.encode(&bytes), vocabulary.encode(&bytes));
    }
}

/// The newer form is read as text by Hugging Face's crate: a text's ids are those of its bytes.
#[test]
fn the_newer_form_reads_text_by_its_bytes() {
    let vocabulary = shipped(Size::K4);
    let json = vocabulary.to_json(Form::ByteLevel);
    let text = tollgate_tokenizers::Tokenizer::from_hf_json("own", json.as_bytes());
    if let Ok(text) = text {
        for sample in ["", "a", "libc.so.6 not found", "naïve\n\n\t中文"] {
            assert_eq!(text.encode(sample), vocabulary.encode(sample.as_bytes()), "{sample}");
        }
    }
}

#[test]
fn damaged_files_are_refused_with_a_reason() {
    let whole: serde_json::Value = serde_json::from_str(&shipped(Size::K4).to_json(Form::Latin1)).unwrap();
    let check = |change: &dyn Fn(&mut serde_json::Value), reason: &str| {
        let mut file = whole.clone();
        change(&mut file);
        let error = Vocabulary::from_json(file.to_string().as_bytes()).err().unwrap().to_string();
        assert!(error.contains(reason), "{error}");
    };
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    // A merge of what only a later merge makes, and one of what no merge makes: cycles have no order to be read in.
    check(&|it| it["model"]["merges"].as_array_mut().unwrap().reverse(), "merge 1 ");
    check(&|it| it["model"]["merges"][2] = json(r#"["\u0000nowhere", "a"]"#), "merge 3 ");
    check(&|it| it["model"]["merges"][2] = json("7"), "merge 3 ");
    check(&|it| it["model"]["vocab"]["a"] = json("99999999999"), "an id");
    check(&|it| it["model"]["vocab"]["a"] = json("4000000000"), "4000000000");
    check(&|it| it["model"]["vocab"] = json("{}"), "is no token");
    check(&|it| it["model"]["merges"] = json("null"), "`model.merges`");
    check(&|it| it["model"]["type"] = json(r#""Unigram""#), "`BPE`");
    check(&|it| it["model"]["dropout"] = json("0.1"), "dropout");
    check(&|it| it["normalizer"] = json(r#"{"type": "NFC"}"#), "normalizer");
    check(&|it| it["pre_tokenizer"] = json(r#"{"type": "Whitespace"}"#), "pre-tokenizer");
    assert!(Vocabulary::from_json(b"{").is_err());
    assert!(Vocabulary::from_json(b"\xff\xfe").is_err());
    for bytes in [&[0u8; 3][..], &[0, 0, 0, 1]] {
        assert!(tollgate_tokenizers::binary::Merges::from_bytes(bytes).is_none());
    }
}
