//! Every other `tokenizer.json`, through the `tokenizers` crate: slower, but it reads whatever was written by it.
//!
//! Control tokens keep their ids and lose their spellings, so that no text can become one.

use hf_tokenizers::Tokenizer as Reader;
use rustc_hash::FxHashMap;
use serde_json::Value;

use super::{
    Loaded,
    hidden::{self, Hidden},
};
use crate::{
    cuts::Cuts,
    encoder::{Encoder, Place},
    model::Normal,
    split::Split,
    vocab::{VocabularyError, spelled, spm},
};

/// # Errors
/// [`VocabularyError`].
pub(super) fn read(json: &[u8], _: VocabularyError) -> Result<Loaded, VocabularyError> {
    let mut file: Value = serde_json::from_slice(json).map_err(|it| VocabularyError::Json(it.to_string()))?;
    if !file.is_object() || !file["model"].is_object() {
        return Err(VocabularyError::Json("it or its `model` is no object".to_owned()));
    }
    if file["model"]["dropout"].as_f64().is_some_and(|it| it > 0.0) {
        return Err(VocabularyError::Random);
    }
    let spelling = Spelling::of(&file);
    let hidden = Hidden::hide(&mut file);
    for part in ["truncation", "padding", "post_processor"] {
        file[part] = Value::Null;
    }
    let has_decoder = !file["decoder"].is_null();
    let reader =
        Reader::from_bytes(file.to_string()).map_err(|it| VocabularyError::Json(hidden.show(&it.to_string())))?;
    let model = Foreign { has_decoder, ..Foreign::new(reader, hidden, spelling) };
    model.probe()?;
    let specials = model.hidden.specials(|it| model.reader.token_to_id(it));
    Ok(Loaded { split: Split::None, normal: Normal::AsIs, specials, model: Box::new(model) })
}

/// Text that has characters which few vocabularies know.
const PROBES: [&str; 4] = ["", "Plain text, 1 word.", "\u{10ffff}\u{0}\u{ad}", "\u{13000}中ꙮ\u{301}🙂"];

/// What the names of tokens stand for.
struct Spelling {
    /// GPT-2's alphabet.
    is_bytes: bool,
    /// U+2581 is a space.
    has_marks: bool,
    /// `<0x0A>` is a byte.
    has_fallback: bool,
}

impl Spelling {
    fn of(file: &Value) -> Self {
        let says = |part: &str, what: &str| file[part].to_string().contains(what);
        let any = |what: &str| says("decoder", what) || says("pre_tokenizer", what) || says("normalizer", what);
        Self {
            is_bytes: any("\"ByteLevel\""),
            has_marks: any("\"Metaspace\"") || any("\u{2581}"),
            has_fallback: file["model"]["byte_fallback"] == true,
        }
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        if let Some(byte) = spm::byte(name).filter(|_| self.has_fallback) {
            return vec![byte];
        }
        if let Some(bytes) = spelled::bytes(name).filter(|_| self.is_bytes) {
            return bytes;
        }
        if self.has_marks { name.replace('\u{2581}', " ").into_bytes() } else { name.as_bytes().to_vec() }
    }
}

/// A vocabulary that another crate reads.
struct Foreign {
    reader: Reader,
    hidden: Hidden,
    tokens: FxHashMap<u32, Vec<u8>>,
    ids: FxHashMap<Vec<u8>, u32>,
    cuts: Cuts,
    /// Without, the reader would put spaces between tokens.
    has_decoder: bool,
}

impl Foreign {
    fn new(reader: Reader, hidden: Hidden, spelling: Spelling) -> Self {
        let vocab = reader.get_vocab(true);
        let shown = vocab.iter().filter(|(name, _)| !hidden.is_hidden(name));
        let tokens: FxHashMap<u32, Vec<u8>> = shown.map(|(name, id)| (*id, spelling.bytes(name))).collect();
        // Two names may stand for the same bytes; the lower id is told.
        let mut ids = FxHashMap::default();
        for (id, bytes) in &tokens {
            let found = ids.entry(bytes.clone()).or_insert(*id);
            *found = (*found).min(*id);
        }
        Self { reader, hidden, tokens, ids, cuts: Cuts::Nowhere, has_decoder: true }
    }

    /// Some vocabularies fail on what they do not know.
    fn probe(&self) -> Result<(), VocabularyError> {
        for text in PROBES {
            self.reader
                .encode_fast(text, false)
                .map_err(|it| VocabularyError::Json(self.hidden.show(&it.to_string())))?;
        }
        Ok(())
    }

    /// Where the reader fails on a text, its halves are tried; a character on which it fails is passed over.
    fn read_on(&self, text: &str, ids: &mut Vec<u32>) {
        if let Ok(encoding) = self.reader.encode_fast(text, false) {
            ids.extend_from_slice(encoding.get_ids());
            return;
        }
        let middle = text.floor_char_boundary(text.len() / 2);
        let middle = if middle == 0 { text.ceil_char_boundary(1) } else { middle };
        if middle < text.len() {
            self.read_on(&text[..middle], ids);
            self.read_on(&text[middle..], ids);
        }
    }
}

impl Encoder for Foreign {
    fn count(&self, text: &str, place: Place, limit: usize) -> Option<usize> {
        let mut ids = Vec::new();
        self.encode(text, place, &mut ids);
        Some(ids.len()).filter(|it| *it <= limit)
    }

    fn encode(&self, text: &str, _: Place, ids: &mut Vec<u32>) {
        hidden::parts(text).for_each(|it| self.read_on(it, ids));
    }

    fn decode(&self, ids: &[u32]) -> Option<String> {
        let text = self.has_decoder.then(|| self.reader.decode(ids, false))?;
        Some(self.hidden.show(&text.unwrap_or_default()))
    }

    fn token(&self, id: u32) -> Option<&[u8]> {
        self.tokens.get(&id).map(Vec::as_slice)
    }

    fn id(&self, token: &[u8]) -> Option<u32> {
        self.ids.get(token).copied()
    }

    /// A token may stand for any number of bytes, where characters are dropped or unknown words are one token.
    fn reach(&self, _: usize) -> usize {
        usize::MAX
    }

    fn cuts(&self) -> &Cuts {
        &self.cuts
    }
}
