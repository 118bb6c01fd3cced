//! A small byte-level vocabulary, trained on the corpus and written as a `tokenizer.json` that our own core reads.

use std::path::Path;

use serde_json::{Value, json};
use tokenizers::{
    AddedToken, NormalizerWrapper, PostProcessorWrapper, SplitDelimiterBehavior, TokenizerImpl,
    decoders::byte_level::ByteLevel,
    models::bpe::{BPE, BpeTrainer},
    pre_tokenizers::{
        PreTokenizerWrapper,
        sequence::Sequence,
        split::{Split, SplitPattern},
    },
};
use tollgate_tokenizers::Tokenizer;

use crate::{
    chat,
    corpus::{CHAT, Document},
    error::{Error, Result, make_folder, read_text, write_whole},
};

/// Ends a text.
pub const END: &str = "<|endoftext|>";
/// Begins a message.
pub const MESSAGE: &str = "<|im_start|>";
/// Ends a message.
pub const MESSAGE_END: &str = "<|im_end|>";
/// Control tokens: text never becomes one.
pub const SPECIALS: [&str; 3] = [END, MESSAGE, MESSAGE_END];
/// Tokens that text may become, so that a call costs no more than its content.
const MARKS: [&str; 2] = ["<tool_call>", "</tool_call>"];

/// Qwen's expression: digits one by one, which a small model needs to copy numbers.
const SPLIT: &str =
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

type Trained = TokenizerImpl<BPE, NormalizerWrapper, PreTokenizerWrapper, PostProcessorWrapper, ByteLevel>;

fn said(error: impl std::fmt::Display) -> Error {
    Error::bad(format!("the vocabulary cannot be trained: {error}"))
}

/// Trains a vocabulary of `n_tokens` on documents and writes `tokenizer.json` and `tokenizer_config.json`.
///
/// # Errors
/// [`Error::Bad`] if `n_tokens` has no room for all bytes.
pub fn train(documents: &[Document], n_tokens: usize, folder: &Path) -> Result<()> {
    let n_added = SPECIALS.len() + MARKS.len();
    if n_tokens < 256 + n_added {
        return Err(Error::bad(format!("--vocab {n_tokens} is too few; all bytes need {}", 256 + n_added)));
    }
    let pattern = SplitPattern::Regex(SPLIT.to_owned());
    let split = Split::new(pattern, SplitDelimiterBehavior::Isolated, false).map_err(said)?;
    let bytes = ByteLevel::new(false, true, false);
    let mut trained = Trained::new(BPE::default());
    trained.with_pre_tokenizer(Some(PreTokenizerWrapper::Sequence(Sequence::new(vec![split.into(), bytes.into()]))));
    trained.with_decoder(Some(bytes));
    let mut trainer = BpeTrainer::builder()
        .vocab_size(n_tokens - n_added)
        .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
        .show_progress(false)
        .build();
    let texts = documents.iter().map(plain);
    trained.train(&mut trainer, texts).map_err(said)?;
    write(&trained, folder)
}

/// The text without control tokens and marks, which are no text.
fn plain(document: &Document) -> String {
    if document.kind != CHAT {
        return document.text.clone();
    }
    SPECIALS.iter().chain(&MARKS).fold(document.text.clone(), |text, it| text.replace(it, "\n"))
}

fn write(trained: &Trained, folder: &Path) -> Result<()> {
    make_folder(folder)?;
    let mut file: Value = serde_json::from_str(&trained.to_string(false).map_err(said)?).map_err(said)?;
    let first = file["model"]["vocab"].as_object().map_or(0, serde_json::Map::len);
    let added = SPECIALS.iter().chain(&MARKS).enumerate().map(|(idx, content)| {
        let token = AddedToken::from(*content, idx < SPECIALS.len()).normalized(false);
        json!({
            "id": first + idx, "content": content, "single_word": token.single_word, "lstrip": token.lstrip,
            "rstrip": token.rstrip, "normalized": token.normalized, "special": token.special,
        })
    });
    file["added_tokens"] = added.collect();
    write_whole(&folder.join("tokenizer.json"), format!("{file}\n").as_bytes())?;
    let config = json!({
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": MESSAGE_END,
        "pad_token": END,
        "clean_up_tokenization_spaces": false,
        "chat_template": chat::TEMPLATE,
    });
    write_whole(&folder.join("tokenizer_config.json"), format!("{config:#}\n").as_bytes())
}

/// The vocabulary of a model's folder, by our own core.
///
/// # Errors
/// [`Error::File`], or [`Error::Bad`] for a vocabulary that the core does not read.
pub fn read(folder: &Path) -> Result<Tokenizer> {
    let path = folder.join("tokenizer.json");
    let bad = |it| Error::bad(format!("`{}`: {it}; make it with `tokenizer`", path.display()));
    Tokenizer::from_hf_json("model", read_text(&path)?.as_bytes()).map_err(bad)
}

/// Tokens of the vocabulary, and the ends of a text and of a message.
///
/// # Errors
/// [`Error::Bad`] if the vocabulary is not one of this tool's.
pub fn sizes(tokenizer: Tokenizer) -> Result<(usize, u32, u32)> {
    let special = |it| tokenizer.special(it).ok_or_else(|| Error::bad(format!("the vocabulary lacks `{it}`")));
    let (end, message_end) = (special(END)?, special(MESSAGE_END)?);
    let n_tokens = (0..).take_while(|it| tokenizer.token(*it).is_some()).count();
    Ok((n_tokens, end, message_end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{chat::transcripts, corpus};

    #[test]
    fn a_trained_vocabulary_is_read_by_the_core_and_loses_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let documents: Vec<_> = transcripts(1, 40).collect();
        train(&documents, 600, folder.path()).unwrap();
        let first = std::fs::read(folder.path().join("tokenizer.json")).unwrap();
        let tokenizer = read(folder.path()).unwrap();
        let (n_tokens, end, message_end) = sizes(tokenizer).unwrap();
        assert_eq!((n_tokens, end, message_end), (600, 595, 597));
        for document in &documents {
            let ids = corpus::encode(tokenizer, document);
            assert_eq!(tokenizer.decode(&ids), document.text);
            assert!(ids.contains(&message_end) && ids.len() * 2 < document.text.len());
        }
        assert_eq!(tokenizer.decode(&tokenizer.encode("µ \u{0} 2026 日本")), "µ \u{0} 2026 日本");
        train(&documents, 600, folder.path()).unwrap();
        assert_eq!(std::fs::read(folder.path().join("tokenizer.json")).unwrap(), first);
    }
}
