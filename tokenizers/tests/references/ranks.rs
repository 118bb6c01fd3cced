//! Files of ranks, read and merged without our code, with the expressions that their owners publish.

use std::{collections::HashMap, path::Path};

use base64::{Engine, engine::general_purpose::STANDARD};
use tiktoken_rs::CoreBPE;

use super::{Oracle, files};

/// GLM 4 (`tokenization_chatglm.py`) and Llama 3 (`llama_models/llama3/tokenizer.py`) have GPT-4's.
pub const CL100K: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// Kimi K2 (`tokenization_kimi.py`), whose order of alternatives this keeps.
#[cfg(feature = "kimi")]
pub const KIMI: &str = concat!(
    r"[\p{Han}]+",
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
);

/// Tokens and their ranks.
pub type Ranks = HashMap<Vec<u8>, u32>;

pub fn read(path: &str) -> Option<Ranks> {
    let text = files::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/vocab").join(path))?;
    let line = |line: &str| {
        let (token, rank) = line.split_once(' ').unwrap();
        (STANDARD.decode(token).unwrap(), rank.parse().unwrap())
    };
    Some(std::str::from_utf8(&text).unwrap().lines().map(line).collect())
}

pub fn tiktoken(path: &str, expression: &str) -> Option<Oracle> {
    let core = CoreBPE::new(read(path)?.into_iter().collect(), Default::default(), expression).unwrap();
    Some(Box::new(move |text| core.encode_ordinary(text)))
}

/// The two tokens that a token is merged from.
pub fn last_merge<'a>(token: &'a [u8], ranks: &Ranks) -> (&'a [u8], &'a [u8]) {
    let mut ends: Vec<usize> = (0..=token.len()).collect();
    while ends.len() > 3 {
        let pairs = (0..ends.len() - 2).filter_map(|it| Some((ranks.get(&token[ends[it]..ends[it + 2]])?, it)));
        let (_, at) = pairs.min().unwrap();
        ends.remove(at + 1);
    }
    token.split_at(ends[1])
}

/// GPT-2's alphabet.
pub fn spell(token: &[u8]) -> String {
    let is_plain = |byte: &u8| matches!(byte, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
    let other = |byte: u8| (0..byte).filter(|it| !is_plain(it)).count() as u32;
    let c = |it: &u8| if is_plain(it) { char::from(*it) } else { char::from_u32(0x100 + other(*it)).unwrap() };
    token.iter().map(c).collect()
}
