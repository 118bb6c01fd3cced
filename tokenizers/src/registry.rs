//! The vocabularies that come with the crate, one [`TOKENIZERS`] entry each.

use std::{borrow::Cow, sync::OnceLock};

use crate::{
    binary::{self, BinaryText, Size},
    defined::Defined,
    encoder::Encoder,
    hf,
    model::{Model, Normal, Recipe},
    pieces,
    split::Split,
    vocab::{self, VocabularyError},
};

/// Where a vocabulary's tokens are read from.
pub(crate) enum Source {
    /// A file of a `splintr-vocab-*` crate.
    Packed(&'static [u8]),
    /// The same, its tokens spelled in GPT-2's alphabet, and control tokens up to before an id.
    Spelled(&'static [u8], u32),
    /// A SentencePiece model, and whether it puts a space before a text.
    Pieces(&'static [u8], bool),
    /// A file of a `splintr-vocab-*` crate from an id on, and tokens that are taken from the text before it is split.
    Defined(&'static [u8], u32, fn() -> Vec<(u32, String)>),
    /// Tokens in SentencePiece's spelling, and the order of merges.
    Merges(&'static [u8], &'static [u8]),
    /// One of our own for binary files.
    Binary(Size),
    /// A table of `tiktoken-rs`, up to before the first control token.
    Tiktoken(fn() -> &'static tiktoken_rs::CoreBPE, u32),
}

/// One vocabulary: its names, its rules, and where its tables come from.
pub struct TokenizerEntry {
    /// The name shown to users and written in configuration.
    pub name: Cow<'static, str>,
    /// Other spellings that mean the same vocabulary.
    pub aliases: &'static [&'static str],
    /// What splits text before tokens are made.
    pub split: Split,
    /// What happens to text before that.
    pub normal: Normal,
    /// Control tokens and their ids. Text never becomes one by accident.
    pub specials: &'static [(&'static str, u32)],
    source: Option<Source>,
    model: OnceLock<Box<dyn Encoder>>,
}

impl TokenizerEntry {
    const fn new(name: &'static str, aliases: &'static [&'static str], split: Split, source: Source) -> Self {
        Self {
            name: Cow::Borrowed(name),
            aliases,
            split,
            normal: Normal::AsIs,
            specials: &[],
            source: Some(source),
            model: OnceLock::new(),
        }
    }

    const fn packed(name: &'static str, aliases: &'static [&'static str], split: Split, file: &'static [u8]) -> Self {
        Self::new(name, aliases, split, Source::Packed(file))
    }

    const fn binary(name: &'static str, aliases: &'static [&'static str], size: Size) -> Self {
        Self::new(name, aliases, Split::None, Source::Binary(size)).with_specials(BINARY_SPECIALS)
    }

    const fn nfc(mut self) -> Self {
        self.normal = Normal::Nfc;
        self
    }

    const fn with_specials(mut self, specials: &'static [(&'static str, u32)]) -> Self {
        self.specials = specials;
        self
    }

    /// A vocabulary that was read from a user's file.
    pub(crate) fn loaded(name: String, recipe: Recipe<'_>) -> Result<Self, VocabularyError> {
        let (split, normal) = (recipe.split, recipe.normal);
        let model: Box<dyn Encoder> = Box::new(Model::new(recipe)?);
        let model = OnceLock::from(model);
        Ok(Self { name: name.into(), aliases: &[], split, normal, specials: &[], source: None, model })
    }

    /// A vocabulary that was read from a `tokenizer.json`. Its control tokens stay in memory as long as it does.
    pub(crate) fn of_hf(name: String, loaded: hf::Loaded) -> Self {
        let hf::Loaded { split, normal, specials, model } = loaded;
        let specials = specials.into_iter().map(|(name, id)| (&*name.leak(), id)).collect::<Vec<_>>().leak();
        Self { name: name.into(), aliases: &[], split, normal, specials, source: None, model: OnceLock::from(model) }
    }

    /// The tables, made at first use.
    pub(crate) fn model(&self) -> &dyn Encoder {
        &**self.model.get_or_init(|| {
            // A test loads every entry, so that the files that come with the crate are known to be sound.
            self.read().unwrap_or_else(|error| unreachable!("vocabulary `{}`: {error}", self.name))
        })
    }

    fn read(&self) -> Result<Box<dyn Encoder>, VocabularyError> {
        let tokens = match &self.source {
            Some(Source::Packed(file)) => {
                vocab::packed::read(file)?.into_iter().map(|(id, token)| (id, Cow::Borrowed(token))).collect()
            }
            Some(Source::Spelled(file, first)) => of_spelled(vocab::packed::read(file)?, *first),
            Some(Source::Tiktoken(tables, n_tokens)) => of_tiktoken(tables(), *n_tokens),
            Some(Source::Pieces(file, leads)) => {
                let hidden: Vec<&str> = self.specials.iter().map(|(name, _)| *name).collect();
                return Ok(Box::new(pieces::of_spm(&vocab::spm::read(file)?, *leads, &hidden)?));
            }
            Some(Source::Defined(file, first, defined)) => {
                let tokens = vocab::packed::read(file)?.into_iter().filter(|(id, _)| id >= first);
                let tokens = tokens.map(|(id, token)| (id, Cow::Borrowed(token))).collect();
                let model = Model::new(Recipe { tokens, split: self.split, normal: self.normal })?;
                return Ok(Box::new(Defined::new(model, defined())));
            }
            Some(Source::Merges(tokens, merges)) => {
                let (tokens, merges) = (vocab::packed::read(tokens)?, vocab::merges::read(merges)?);
                return Ok(Box::new(pieces::of_merges(&tokens, &merges)?));
            }
            Some(Source::Binary(size)) => return Ok(Box::new(BinaryText::new(binary::shipped(*size)))),
            None => Vec::new(),
        };
        Ok(Box::new(Model::new(Recipe { tokens, split: self.split, normal: self.normal })?))
    }
}

fn of_spelled(tokens: Vec<(u32, &[u8])>, first: u32) -> Vec<(u32, Cow<'static, [u8]>)> {
    let spelled = tokens.into_iter().filter(|(id, _)| *id >= first);
    spelled
        .filter_map(|(id, token)| Some((id, Cow::Owned(vocab::spelled::bytes(str::from_utf8(token).ok()?)?))))
        .collect()
}

fn of_tiktoken(tables: &tiktoken_rs::CoreBPE, n_tokens: u32) -> Vec<(u32, Cow<'static, [u8]>)> {
    (0..n_tokens).filter_map(|id| Some((id, Cow::Owned(tables.decode_bytes(&[id]).ok()?)))).collect()
}

/// Every vocabulary that [`Tokenizer::by_name`](crate::Tokenizer::by_name) finds.
///
/// Control tokens are those of the models' published configurations.
pub static TOKENIZERS: &[TokenizerEntry] = &ENTRIES;

/// Vocabularies whose licences attach conditions are features.
const N_ENTRIES: usize = 17
    + cfg!(feature = "gemma3") as usize
    + cfg!(feature = "kimi") as usize
    + cfg!(feature = "llama2") as usize
    + cfg!(feature = "llama3") as usize;

static ENTRIES: [TokenizerEntry; N_ENTRIES] = [
    TokenizerEntry::packed("o200k_base", &["o200k"], Split::O200k, splintr_vocab_o200k::O200K_BASE_VOCAB_PACKED)
        .with_specials(O200K_SPECIALS),
    TokenizerEntry::packed("cl100k_base", &["cl100k"], Split::Cl100k, splintr_vocab_cl100k::CL100K_BASE_VOCAB_PACKED)
        .with_specials(CL100K_SPECIALS),
    TokenizerEntry::new(
        "p50k_base",
        &["p50k"],
        Split::Gpt2,
        Source::Tiktoken(tiktoken_rs::p50k_base_singleton, 50_281),
    )
    .with_specials(&[("<|endoftext|>", 50_256)]),
    TokenizerEntry::new(
        "r50k_base",
        &["r50k", "gpt2"],
        Split::Gpt2,
        Source::Tiktoken(tiktoken_rs::r50k_base_singleton, 50_256),
    )
    .with_specials(&[("<|endoftext|>", 50_256)]),
    TokenizerEntry::packed("qwen3", &["qwen", "qwen2", "qwen2.5"], Split::Qwen, splintr_vocab_qwen::QWEN3_VOCAB_PACKED)
        .nfc()
        .with_specials(QWEN_SPECIALS),
    TokenizerEntry::new(
        "deepseek_v3",
        &["deepseek"],
        Split::DeepSeek,
        Source::Spelled(splintr_vocab_deepseek::DEEPSEEK_V3_VOCAB_PACKED, 3),
    )
    .with_specials(DEEPSEEK_SPECIALS),
    TokenizerEntry::packed("glm4", &["glm"], Split::Cl100k, splintr_vocab_glm::GLM4_VOCAB_PACKED)
        .with_specials(GLM_SPECIALS),
    TokenizerEntry::new(
        "tekken",
        &["mistral_v3_tekken"],
        Split::Tekken,
        Source::Spelled(splintr_vocab_mistral::MISTRAL_V3_VOCAB_PACKED, 1000),
    )
    .with_specials(TEKKEN_SPECIALS),
    TokenizerEntry::new(
        "mistral_v1",
        &["mistral_spm"],
        Split::None,
        Source::Pieces(splintr_vocab_mistral::MISTRAL_SPM_VOCAB, true),
    )
    .with_specials(SPM_SPECIALS),
    TokenizerEntry::new(
        "mistral_v2",
        &[],
        Split::None,
        Source::Pieces(splintr_vocab_mistral::MISTRAL_V2_SPM_VOCAB, true),
    )
    .with_specials(MISTRAL_V2_SPECIALS),
    TokenizerEntry::new(
        "gemma4",
        &[],
        Split::None,
        Source::Merges(splintr_vocab_gemma4::GEMMA4_VOCAB_PACKED, splintr_vocab_gemma4::GEMMA4_MERGES_PACKED),
    )
    .with_specials(GEMMA4_SPECIALS),
    TokenizerEntry::new(
        "modernbert",
        &[],
        Split::Gpt2,
        Source::Defined(splintr_vocab_modernbert::MODERNBERT_VOCAB_PACKED, 2, modernbert_defined),
    )
    .nfc()
    .with_specials(MODERNBERT_SPECIALS),
    TokenizerEntry::binary("binary-4k", &[], Size::K4),
    TokenizerEntry::binary("binary-8k", &[], Size::K8),
    TokenizerEntry::binary("binary-16k", &[], Size::K16),
    TokenizerEntry::binary("binary-32k", &[], Size::K32),
    TokenizerEntry::binary("binary-64k", &["binary"], Size::K64),
    #[cfg(feature = "gemma3")]
    TokenizerEntry::new("gemma3", &[], Split::None, Source::Pieces(splintr_vocab_gemma3::GEMMA3_SPM_VOCAB, false))
        .with_specials(GEMMA3_SPECIALS),
    #[cfg(feature = "kimi")]
    TokenizerEntry::packed("kimi_k2", &["kimi"], Split::Kimi, splintr_vocab_kimi::KIMI_VOCAB_PACKED)
        .with_specials(KIMI_SPECIALS),
    #[cfg(feature = "llama2")]
    TokenizerEntry::new("llama2", &[], Split::None, Source::Pieces(splintr_vocab_llama2::LLAMA2_SPM_VOCAB, true))
        .with_specials(SPM_SPECIALS),
    #[cfg(feature = "llama3")]
    TokenizerEntry::packed("llama3", &[], Split::Cl100k, splintr_vocab_llama3::LLAMA3_VOCAB_PACKED)
        .with_specials(LLAMA3_SPECIALS),
];

/// Runs of 24 down to two spaces, and three placeholders. They are no control tokens, and text becomes them.
fn modernbert_defined() -> Vec<(u32, String)> {
    let spaces = (50_254..=50_276).map(|id| (id, " ".repeat(50_278 - id as usize)));
    let placeholders = [(0, "|||IP_ADDRESS|||"), (50_277, "|||EMAIL_ADDRESS|||"), (50_278, "|||PHONE_NUMBER|||")];
    spaces.chain(placeholders.map(|(id, token)| (id, token.to_owned()))).collect()
}

#[cfg(feature = "kimi")]
const KIMI_SPECIALS: &[(&str, u32)] = &[
    ("[BOS]", 163_584),
    ("[EOS]", 163_585),
    ("<|im_end|>", 163_586),
    ("<|im_user|>", 163_587),
    ("<|im_assistant|>", 163_588),
    ("<|start_header_id|>", 163_590),
    ("<|end_header_id|>", 163_591),
    ("[EOT]", 163_593),
    ("<|im_system|>", 163_594),
    ("<|tool_calls_section_begin|>", 163_595),
    ("<|tool_calls_section_end|>", 163_596),
    ("<|tool_call_begin|>", 163_597),
    ("<|tool_call_argument_begin|>", 163_598),
    ("<|tool_call_end|>", 163_599),
    ("<|im_middle|>", 163_601),
    ("[UNK]", 163_838),
    ("[PAD]", 163_839),
];

#[cfg(feature = "llama3")]
const LLAMA3_SPECIALS: &[(&str, u32)] = &[
    ("<|begin_of_text|>", 128_000),
    ("<|end_of_text|>", 128_001),
    ("<|finetune_right_pad_id|>", 128_004),
    ("<|start_header_id|>", 128_006),
    ("<|end_header_id|>", 128_007),
    ("<|eom_id|>", 128_008),
    ("<|eot_id|>", 128_009),
    ("<|python_tag|>", 128_010),
];

const BINARY_SPECIALS: &[(&str, u32)] = &[
    ("<|start|>", 0),
    ("<|end|>", 1),
    ("<|pad|>", 2),
    ("<|unk|>", 3),
    ("<|cls|>", 4),
    ("<|sep|>", 5),
    ("<|mask|>", 6),
];

const SPM_SPECIALS: &[(&str, u32)] = &[("<unk>", 0), ("<s>", 1), ("</s>", 2)];

const MISTRAL_V2_SPECIALS: &[(&str, u32)] = &[
    ("<unk>", 0),
    ("<s>", 1),
    ("</s>", 2),
    ("[INST]", 3),
    ("[/INST]", 4),
    ("[TOOL_CALLS]", 5),
    ("[AVAILABLE_TOOLS]", 6),
    ("[/AVAILABLE_TOOLS]", 7),
    ("[TOOL_RESULTS]", 8),
    ("[/TOOL_RESULTS]", 9),
];

#[cfg(feature = "gemma3")]
const GEMMA3_SPECIALS: &[(&str, u32)] = &[
    ("<pad>", 0),
    ("<eos>", 1),
    ("<bos>", 2),
    ("<unk>", 3),
    ("<start_of_turn>", 105),
    ("<end_of_turn>", 106),
    ("<start_of_image>", 255_999),
    ("<end_of_image>", 256_000),
];

const GEMMA4_SPECIALS: &[(&str, u32)] = &[
    ("<pad>", 0),
    ("<eos>", 1),
    ("<bos>", 2),
    ("<unk>", 3),
    ("<mask>", 4),
    ("<|tool>", 46),
    ("<tool|>", 47),
    ("<|tool_call>", 48),
    ("<tool_call|>", 49),
    ("<|tool_response>", 50),
    ("<tool_response|>", 51),
    ("<|\"|>", 52),
    ("<|think|>", 98),
    ("<|channel>", 100),
    ("<channel|>", 101),
    ("<|turn>", 105),
    ("<turn|>", 106),
    ("<|image>", 255_999),
    ("<|audio>", 256_000),
    ("<|image|>", 258_880),
    ("<|audio|>", 258_881),
    ("<image|>", 258_882),
    ("<audio|>", 258_883),
    ("<|video|>", 258_884),
];

const MODERNBERT_SPECIALS: &[(&str, u32)] = &[
    ("<|padding|>", 1),
    ("<|endoftext|>", 50_279),
    ("[UNK]", 50_280),
    ("[CLS]", 50_281),
    ("[SEP]", 50_282),
    ("[PAD]", 50_283),
    ("[MASK]", 50_284),
];

const O200K_SPECIALS: &[(&str, u32)] = &[
    ("<|startoftext|>", 199_998),
    ("<|endoftext|>", 199_999),
    ("<|return|>", 200_002),
    ("<|constrain|>", 200_003),
    ("<|channel|>", 200_005),
    ("<|start|>", 200_006),
    ("<|end|>", 200_007),
    ("<|message|>", 200_008),
    ("<|call|>", 200_012),
    ("<|endofprompt|>", 200_018),
];

const CL100K_SPECIALS: &[(&str, u32)] = &[
    ("<|endoftext|>", 100_257),
    ("<|fim_prefix|>", 100_258),
    ("<|fim_middle|>", 100_259),
    ("<|fim_suffix|>", 100_260),
    ("<|endofprompt|>", 100_276),
];

const QWEN_SPECIALS: &[(&str, u32)] = &[
    ("<|endoftext|>", 151_643),
    ("<|im_start|>", 151_644),
    ("<|im_end|>", 151_645),
    ("<|object_ref_start|>", 151_646),
    ("<|object_ref_end|>", 151_647),
    ("<|box_start|>", 151_648),
    ("<|box_end|>", 151_649),
    ("<|quad_start|>", 151_650),
    ("<|quad_end|>", 151_651),
    ("<|vision_start|>", 151_652),
    ("<|vision_end|>", 151_653),
    ("<|vision_pad|>", 151_654),
    ("<|image_pad|>", 151_655),
    ("<|video_pad|>", 151_656),
    ("<tool_call>", 151_657),
    ("</tool_call>", 151_658),
    ("<|fim_prefix|>", 151_659),
    ("<|fim_middle|>", 151_660),
    ("<|fim_suffix|>", 151_661),
    ("<|fim_pad|>", 151_662),
    ("<|repo_name|>", 151_663),
    ("<|file_sep|>", 151_664),
    ("<tool_response>", 151_665),
    ("</tool_response>", 151_666),
    ("<think>", 151_667),
    ("</think>", 151_668),
];

const DEEPSEEK_SPECIALS: &[(&str, u32)] = &[
    ("<｜begin▁of▁sentence｜>", 0),
    ("<｜end▁of▁sentence｜>", 1),
    ("<｜▁pad▁｜>", 2),
    ("<｜fim▁hole｜>", 128_800),
    ("<｜fim▁begin｜>", 128_801),
    ("<｜fim▁end｜>", 128_802),
    ("<｜User｜>", 128_803),
    ("<｜Assistant｜>", 128_804),
    ("<|EOT|>", 128_805),
    ("<｜tool▁calls▁begin｜>", 128_806),
    ("<｜tool▁calls▁end｜>", 128_807),
    ("<｜tool▁call▁begin｜>", 128_808),
    ("<｜tool▁call▁end｜>", 128_809),
    ("<｜tool▁outputs▁begin｜>", 128_810),
    ("<｜tool▁outputs▁end｜>", 128_811),
    ("<｜tool▁output▁begin｜>", 128_812),
    ("<｜tool▁output▁end｜>", 128_813),
    ("<｜tool▁sep｜>", 128_814),
];

const GLM_SPECIALS: &[(&str, u32)] = &[
    ("<|endoftext|>", 151_329),
    ("[MASK]", 151_330),
    ("[gMASK]", 151_331),
    ("[sMASK]", 151_332),
    ("<sop>", 151_333),
    ("<eop>", 151_334),
    ("<|system|>", 151_335),
    ("<|user|>", 151_336),
    ("<|assistant|>", 151_337),
    ("<|observation|>", 151_338),
];

const TEKKEN_SPECIALS: &[(&str, u32)] = &[
    ("<unk>", 0),
    ("<s>", 1),
    ("</s>", 2),
    ("[INST]", 3),
    ("[/INST]", 4),
    ("[AVAILABLE_TOOLS]", 5),
    ("[/AVAILABLE_TOOLS]", 6),
    ("[TOOL_RESULTS]", 7),
    ("[/TOOL_RESULTS]", 8),
    ("[TOOL_CALLS]", 9),
];
