//! Who counts: us first, then the peers, each with the vocabularies that it has.

use base64::{Engine, engine::general_purpose::STANDARD};
use fastokens::tiktoken::{CL100K_BASE_PATTERN, O200K_BASE_PATTERN, TiktokenConfig};
use tiktoken_rs::CoreBPE;
use tokenizers::pipeline::EncodeOptions;
use tollgate_tokenizers::Tokenizer;

use crate::hugging;

/// Counts one text.
pub type Count = Box<dyn Fn(&str) -> usize + Sync>;

pub struct Contestant {
    pub name: &'static str,
    pub has: fn(&str) -> bool,
    pub load: fn(&str) -> Count,
}

const ALL: [Contestant; 5] = [
    Contestant { name: "tollgate", has: |_| true, load: tollgate },
    Contestant { name: "fastokens", has: is_openai, load: fastokens },
    Contestant { name: "bpe-openai", has: is_openai, load: bpe_openai },
    Contestant { name: "tiktoken-rs", has: is_openai, load: tiktoken },
    Contestant { name: "tokenizers", has: hugging::has, load: huggingface },
];

/// Those that have the vocabulary.
pub fn contestants(vocabulary: &str) -> impl Iterator<Item = &'static Contestant> {
    ALL.iter().filter(move |it| (it.has)(vocabulary))
}

fn is_openai(vocabulary: &str) -> bool {
    matches!(vocabulary, "o200k_base" | "cl100k_base")
}

fn tollgate(vocabulary: &str) -> Count {
    let tokenizer = Tokenizer::by_name(vocabulary).expect("a known vocabulary");
    Box::new(move |text| tokenizer.count(text))
}

fn fastokens(vocabulary: &str) -> Count {
    let pattern = if vocabulary == "o200k_base" { O200K_BASE_PATTERN } else { CL100K_BASE_PATTERN };
    let ranks = ranks(vocabulary);
    let config = TiktokenConfig::new(pattern, Vec::new());
    let tokenizer = fastokens::Tokenizer::from_tiktoken_str(&ranks, config).expect("a sound vocabulary");
    Box::new(move |text| tokenizer.encode_ordinary(text).expect("an encoding").len())
}

/// The vocabulary as a `.tiktoken` file.
fn ranks(vocabulary: &str) -> String {
    let tokenizer = Tokenizer::by_name(vocabulary).expect("a known vocabulary");
    let tokens = (0..).map_while(|id| tokenizer.token(id).filter(|it| tokenizer.id(it) == Some(id)));
    let lines = tokens.enumerate().map(|(id, token)| format!("{} {id}\n", STANDARD.encode(token)));
    lines.collect()
}

fn bpe_openai(vocabulary: &str) -> Count {
    let tokenizer = if vocabulary == "o200k_base" { bpe_openai::o200k_base() } else { bpe_openai::cl100k_base() };
    Box::new(move |text| tokenizer.count(text))
}

fn tiktoken(vocabulary: &str) -> Count {
    let tables: &'static CoreBPE = match vocabulary {
        "o200k_base" => tiktoken_rs::o200k_base_singleton(),
        _ => tiktoken_rs::cl100k_base_singleton(),
    };
    Box::new(move |text| tables.encode_ordinary(text).len())
}

fn huggingface(vocabulary: &str) -> Count {
    let tokenizer = hugging::load(vocabulary);
    Box::new(move |text| {
        let encodings = tokenizer.encode(text, &EncodeOptions::no_specials()).wait().expect("an encoding");
        encodings.first().map_or(0, |it| it.ids().len())
    })
}
