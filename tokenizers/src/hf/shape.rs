//! Which of our kinds a `tokenizer.json` is, by its normalizer and pre-tokenizer.

use super::file::{File, Normalizer, Pattern, PreTokenizer};
use crate::{model::Normal, split::Split, vocab::VocabularyError};

/// What text goes through before merging.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Bytes, spelled in GPT-2's alphabet.
    Bytes {
        /// What splits text.
        split: Split,
        /// What happens to it before that.
        normal: Normal,
    },
    /// Characters, as they are.
    Characters,
    /// Characters, in SentencePiece's spelling.
    Spaced {
        /// A space is put before a text.
        leads: bool,
    },
}

impl Shape {
    /// # Errors
    /// [`VocabularyError::Unsupported`].
    pub(super) fn of(file: &File) -> Result<Self, VocabularyError> {
        let mut splits = Vec::new();
        let is_bytes = flatten(file.pre_tokenizer.as_ref(), &mut splits)?;
        let mut steps = Vec::new();
        steps_of(file.normalizer.as_ref(), &mut steps)?;
        match (is_bytes, &*steps) {
            (true, []) => Ok(Self::Bytes { split: split(&splits)?, normal: Normal::AsIs }),
            (true, [Step::Nfc]) => Ok(Self::Bytes { split: split(&splits)?, normal: Normal::Nfc }),
            // Spaces are gone when this split looks for them.
            (false, [Step::Space]) if matches!(*splits, [] | [" "]) => Ok(Self::Spaced { leads: false }),
            (false, [Step::Lead, Step::Space]) if splits.is_empty() => Ok(Self::Spaced { leads: true }),
            (false, []) if splits.is_empty() => Ok(Self::Characters),
            _ => Err(unsupported("this sequence of normalizers and pre-tokenizers")),
        }
    }
}

pub(super) fn unsupported(what: &str) -> VocabularyError {
    VocabularyError::Unsupported(what.to_owned())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Nfc,
    Lead,
    Space,
}

fn steps_of(normalizer: Option<&Normalizer>, steps: &mut Vec<Step>) -> Result<(), VocabularyError> {
    match normalizer {
        None => {}
        Some(Normalizer::Sequence { normalizers }) => {
            return normalizers.iter().try_for_each(|it| steps_of(Some(it), steps));
        }
        Some(Normalizer::Nfc) => steps.push(Step::Nfc),
        Some(Normalizer::Prepend { prepend }) if prepend == "\u{2581}" => steps.push(Step::Lead),
        Some(Normalizer::Replace { pattern: Pattern::String(space), content })
            if space == " " && content == "\u{2581}" =>
        {
            steps.push(Step::Space);
        }
        Some(_) => return Err(unsupported("a normalizer that is not NFC and puts no `▁` for a space")),
    }
    Ok(())
}

/// The expressions in order; true if bytes are spelled at the end.
fn flatten<'a>(part: Option<&'a PreTokenizer>, splits: &mut Vec<&'a str>) -> Result<bool, VocabularyError> {
    match part {
        None => Ok(false),
        Some(PreTokenizer::Sequence { pretokenizers }) => {
            let mut is_bytes = false;
            for part in pretokenizers {
                if is_bytes {
                    return Err(unsupported("a pre-tokenizer behind `ByteLevel`"));
                }
                is_bytes = flatten(Some(part), splits)?;
            }
            Ok(is_bytes)
        }
        Some(PreTokenizer::ByteLevel { add_prefix_space: true, .. }) => Err(unsupported("`add_prefix_space`")),
        Some(PreTokenizer::ByteLevel { use_regex, .. }) => {
            splits.extend(use_regex.then_some(GPT2));
            Ok(true)
        }
        Some(PreTokenizer::Split { pattern: Pattern::Regex(regex), behavior, invert }) => {
            // The expressions we know match everything, so that nothing is left to remove.
            let isolates = (behavior == "Isolated" && !invert) || (behavior == "Removed" && *invert);
            splits.push(regex);
            isolates.then_some(false).ok_or_else(|| unsupported("a split that is not `Isolated`"))
        }
        Some(PreTokenizer::Split { pattern: Pattern::String(text), behavior, invert: false })
            if text == " " && behavior == "MergedWithPrevious" =>
        {
            splits.push(text);
            Ok(false)
        }
        Some(_) => Err(unsupported("a pre-tokenizer that is neither `ByteLevel` nor a `Split` by an expression")),
    }
}

const GPT2: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

/// The expressions of published files, and what they are here.
const KNOWN: &[(&[&str], Split)] = &[
    (&[], Split::None),
    (&[GPT2], Split::Gpt2),
    (&[r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"], Split::Gpt2),
    (
        &[
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        ],
        Split::Cl100k,
    ),
    (
        &[
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        ],
        Split::Qwen,
    ),
    (
        &[
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        ],
        Split::O200k,
    ),
    (
        &[
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        ],
        Split::Tekken,
    ),
    (
        &[
            r"\p{N}{1,3}",
            "[一-龥\u{3040}-ゟ゠-ヿ]+",
            r##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"##,
        ],
        Split::DeepSeek,
    ),
];

fn split(expressions: &[&str]) -> Result<Split, VocabularyError> {
    // Some files write line ends as they are.
    let written: Vec<String> = expressions.iter().map(|it| it.replace('\r', r"\r").replace('\n', r"\n")).collect();
    let known = KNOWN.iter().find(|(it, _)| written.iter().eq(it.iter()));
    known.map(|(_, split)| *split).ok_or_else(|| unsupported(&format!("the expression `{}`", expressions.join("`, `"))))
}
