//! What we ship, against the vocabularies' own files in the library that made them: `tokenizers`, or tiktoken's core.
//!
//! `./check references` fetches files into `.check/references`; the others lie beside the project. A file that is not
//! there is skipped with a message; `fetched_references_are_there`, which `./check test` runs, says which were compared and
//! fails where a fetched one is missing. A million texts: `cargo test --release --test references -- --ignored a_million`.

#![expect(clippy::unwrap_used, reason = "a reference that cannot be made ends the test")]

mod files;
mod pieces;
mod ranks;
mod templates;
mod texts;

use std::{cell::Cell, sync::LazyLock};

use proptest::{prelude::*, test_runner::TestRunner};
use tollgate_tokenizers::{TOKENIZERS, Tokenizer};

/// Text to ids, control tokens taken for text.
type Oracle = Box<dyn Fn(&str) -> Vec<u32> + Send + Sync>;

/// Makes a reference where its file is there.
type Load = fn() -> Option<Oracle>;

/// Tokenizers and what they are compared with.
const REFERENCES: &[(&str, Load)] = &[
    ("qwen3", || files::hf("qwen3", |_| false)),
    ("deepseek_v3", || files::hf("deepseek_v3", |_| false)),
    ("modernbert", files::modernbert),
    ("tekken", files::tekken),
    // What this package calls Llama 2 is the file of Mistral 7B.
    ("mistral_v1", || files::hf("llama2", |_| false)),
    ("mistral_v1", || pieces::sentencepiece("tokenizer.model.v1")),
    ("mistral_v2", || pieces::sentencepiece("mistral_instruct_tokenizer_240323.model.v3")),
    ("glm4", || ranks::tiktoken("glm/glm4.tiktoken", ranks::CL100K)),
    #[cfg(feature = "kimi")]
    ("kimi_k2", || ranks::tiktoken("kimi/kimi.tiktoken", ranks::KIMI)),
    #[cfg(feature = "llama3")]
    ("llama3", || ranks::tiktoken("llama3/llama3.tiktoken", ranks::CL100K)),
    #[cfg(feature = "llama3")]
    ("llama3", || files::hf("llama3_1", |_| false)),
    #[cfg(feature = "gemma3")]
    ("gemma3", || files::hf("gemma3", |it| !it.contains("_of_"))),
];

/// Those of them that `./check references` fetches.
const FETCHED: &[&str] = &["qwen3", "deepseek_v3", "tekken", "mistral_v1", "mistral_v2"];

static PAIRS: LazyLock<Vec<(Tokenizer, Oracle)>> = LazyLock::new(|| {
    let pair = |(name, load): &(&str, Load)| Some((Tokenizer::by_name(name).unwrap(), load()?));
    REFERENCES.iter().filter_map(pair).collect()
});

fn check(text: &str) -> Result<(), TestCaseError> {
    for (ours, oracle) in &*PAIRS {
        let expected = oracle(text);
        prop_assert_eq!(ours.encode(text), expected.clone(), "{} {:?}", ours, text);
        prop_assert_eq!(ours.count(text), expected.len(), "{} {:?}", ours, text);
    }
    Ok(())
}

#[test]
fn real_texts_have_the_ids_of_the_references() {
    for text in texts::real().chain(texts::written()) {
        check(&text).unwrap();
    }
}

#[test]
fn spellings_of_control_tokens_are_text_to_the_references_too() {
    for (name, _) in TOKENIZERS.iter().flat_map(|it| it.specials) {
        check(name).unwrap();
        check(&format!("a{name}b {name} \n{name}{name}")).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn random_texts_have_the_ids_of_the_references(text in texts::awkward(40)) {
        check(&text)?;
    }
}

#[test]
#[ignore = "takes two minutes"]
fn a_million_texts() {
    let mut runner =
        TestRunner::new(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000_000) });
    let n_checked = Cell::new(0);
    let checked = |text: String| {
        n_checked.set(n_checked.get() + 1);
        if n_checked.get() % 100_000 == 0 {
            eprintln!("{} texts", n_checked.get());
        }
        check(&text)
    };
    runner.run(&texts::awkward(12), checked).unwrap();
}

#[test]
#[ignore = "fails without the files that `./check references` fetches"]
fn fetched_references_are_there() {
    let vocabularies: Vec<&str> = PAIRS.iter().map(|(ours, _)| ours.name()).collect();
    let templates = templates::found();
    println!("references: {} of {} vocabularies ({})", vocabularies.len(), REFERENCES.len(), vocabularies.join(", "));
    println!("references: {} templates ({})", templates.len(), templates.join(", "));
    let missing: Vec<&&str> = FETCHED.iter().filter(|name| !vocabularies.contains(*name)).collect();
    assert!(missing.is_empty(), "no reference for {missing:?}; run `./check references`");
    for (name, _) in templates::FETCHED {
        assert!(templates.contains(name), "no reference for the format `{name}`; run `./check references`");
    }
}
