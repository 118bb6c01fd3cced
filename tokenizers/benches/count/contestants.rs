//! Who counts: us first, then the peers.

use base64::{Engine, engine::general_purpose::STANDARD};
use fastokens::tiktoken::{CL100K_BASE_PATTERN, O200K_BASE_PATTERN, TiktokenConfig};
use tiktoken_rs::CoreBPE;
use tollgate_tokenizers::Tokenizer;

/// Counts one text.
pub type Count = Box<dyn Fn(&str) -> usize + Sync>;

pub struct Contestant {
    pub name: &'static str,
    pub load: fn(&str) -> Count,
}

pub const CONTESTANTS: [Contestant; 4] = [
    Contestant { name: "tollgate", load: tollgate },
    Contestant { name: "fastokens", load: fastokens },
    Contestant { name: "bpe-openai", load: bpe_openai },
    Contestant { name: "tiktoken-rs", load: tiktoken },
];

fn tollgate(vocabulary: &str) -> Count {
    let tokenizer = Tokenizer::by_name(vocabulary).expect("a known vocabulary");
    Box::new(move |text| tokenizer.count(text))
}

fn fastokens(vocabulary: &str) -> Count {
    let pattern = if vocabulary == "o200k" { O200K_BASE_PATTERN } else { CL100K_BASE_PATTERN };
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
    let tokenizer = if vocabulary == "o200k" { bpe_openai::o200k_base() } else { bpe_openai::cl100k_base() };
    Box::new(move |text| tokenizer.count(text))
}

fn tiktoken(vocabulary: &str) -> Count {
    let tables: &'static CoreBPE = match vocabulary {
        "o200k" => tiktoken_rs::o200k_base_singleton(),
        _ => tiktoken_rs::cl100k_base_singleton(),
    };
    Box::new(move |text| tables.encode_ordinary(text).len())
}
