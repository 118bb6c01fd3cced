//! SentencePiece's byte-pair encoding as `bpe_model.cc` has it, without its queue.

use std::collections::HashMap;

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{Oracle, named};

struct Spm {
    pieces: HashMap<String, (u32, f32)>,
    defined: Vec<(String, u32)>,
    bytes: HashMap<u8, u32>,
    leads: bool,
}

pub fn oracles() -> Vec<Oracle> {
    #[cfg_attr(not(all(feature = "gemma3", feature = "llama2")), expect(unused_mut, reason = "features add more"))]
    let mut files: Vec<(&str, &[u8], bool)> = vec![
        ("mistral_v1", splintr_vocab_mistral::MISTRAL_SPM_VOCAB, true),
        ("mistral_v2", splintr_vocab_mistral::MISTRAL_V2_SPM_VOCAB, true),
    ];
    #[cfg(feature = "gemma3")]
    files.push(("gemma3", splintr_vocab_gemma3::GEMMA3_SPM_VOCAB, false));
    #[cfg(feature = "llama2")]
    files.push(("llama2", splintr_vocab_llama2::LLAMA2_SPM_VOCAB, true));
    files.into_iter().map(|(name, file, leads)| oracle(name, file, leads)).collect()
}

fn oracle(name: &str, file: &[u8], leads: bool) -> Oracle {
    let spm = Spm::read(std::str::from_utf8(file).unwrap(), leads);
    (named(name), Box::new(move |text| spm.encode(text)))
}

/// Control tokens that Gemma's file calls user-defined; text is never one here.
const HIDDEN: [&str; 4] = ["<start_of_turn>", "<end_of_turn>", "<start_of_image>", "<end_of_image>"];

impl Spm {
    fn read(file: &str, leads: bool) -> Self {
        let mut spm = Self { pieces: HashMap::new(), defined: Vec::new(), bytes: HashMap::new(), leads };
        for (id, line) in (0..).zip(file.lines()) {
            let fields: Vec<&str> = line.split(' ').collect();
            let piece = String::from_utf8(STANDARD.decode(fields[0]).unwrap()).unwrap();
            let byte = piece.strip_prefix("<0x").and_then(|it| u8::from_str_radix(it.strip_suffix('>')?, 16).ok());
            match (byte, fields.get(2).copied()) {
                _ if HIDDEN.contains(&&*piece) => {}
                (Some(byte), _) => drop(spm.bytes.insert(byte, id)),
                (_, Some("4")) => {
                    spm.defined.push((piece.clone(), id));
                    spm.pieces.insert(piece, (id, fields[1].parse().unwrap()));
                }
                (_, Some("1")) => drop(spm.pieces.insert(piece, (id, fields[1].parse().unwrap()))),
                (_, None) if fields[1] != "0.0" => drop(spm.pieces.insert(piece, (id, fields[1].parse().unwrap()))),
                _ => {}
            }
        }
        spm.defined.sort_by_key(|it| usize::MAX - it.0.len());
        spm
    }

    fn encode(&self, text: &str) -> Vec<u32> {
        let lead = if self.leads && !text.is_empty() { " " } else { "" };
        let text = format!("{lead}{text}").replace(' ', "▁");
        let mut symbols = self.symbols(&text);
        while let Some(at) = self.best(&symbols) {
            let (right, _) = symbols.remove(at + 1);
            symbols[at].0.push_str(&right);
        }
        symbols.iter().flat_map(|(it, _)| self.ids(it)).collect()
    }

    /// Characters, and user-defined pieces, which stay what they are.
    fn symbols(&self, text: &str) -> Vec<(String, bool)> {
        let (mut symbols, mut rest) = (Vec::new(), text);
        while let Some(c) = rest.chars().next() {
            let defined = self.defined.iter().find(|(it, _)| rest.starts_with(it.as_str()));
            let len = defined.map_or(c.len_utf8(), |it| it.0.len());
            symbols.push((rest[..len].to_owned(), defined.is_some()));
            rest = &rest[len..];
        }
        symbols
    }

    fn best(&self, symbols: &[(String, bool)]) -> Option<usize> {
        let mut best: Option<(usize, f32)> = None;
        for (at, pair) in symbols.windows(2).enumerate() {
            let Some((_, score)) = self.pieces.get(&format!("{}{}", pair[0].0, pair[1].0)) else { continue };
            if !pair[0].1 && !pair[1].1 && best.is_none_or(|(_, it)| *score > it) {
                best = Some((at, *score));
            }
        }
        best.map(|it| it.0)
    }

    fn ids(&self, symbol: &str) -> Vec<u32> {
        match self.pieces.get(symbol) {
            Some((id, _)) => vec![*id],
            None => symbol.bytes().map(|it| self.bytes[&it]).collect(),
        }
    }
}
