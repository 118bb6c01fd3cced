//! `tollgate binary stats`: what a binary file is, and what it costs a text model and a binary one.

use std::path::PathBuf;

use base64::Engine;
use clap::Args;

use super::{report, sections, vocabulary::VocabularyArgs};
use crate::cli::{ConfigSource, Failure, counters, inputs, print};
use tollgate_tokenizers::{
    Tokenizer,
    binary::{self, Vocabulary},
};

/// Bytes that are rendered and counted in text tokens; of larger files parts all over it are.
const SAMPLED_BYTES: usize = 4 << 20;
/// Bytes of a part.
const PART_BYTES: usize = 1 << 16;

/// Show what a file is and costs.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tollgate binary stats /usr/bin/git
  tollgate binary stats program.exe --model claude-sonnet-4-5 --json
  tollgate binary stats firmware.bin --vocabulary tokenizer.json --window 8192")]
pub struct StatsArgs {
    /// The file; `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    vocabulary: VocabularyArgs,
    /// The text model whose window is filled; the default profile's without it
    #[arg(short, long)]
    model: Option<String>,
    /// The window of the binary model, in tokens
    #[arg(long, value_name = "TOKENS", default_value_t = 32_768, value_parser = clap::value_parser!(u32).range(1..))]
    window: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What is said of a file.
pub struct Stats {
    pub file: String,
    pub format: String,
    pub vocabulary: String,
    pub whole: Part,
    pub sections: Vec<(String, usize, Part)>,
    pub forms: Vec<Form>,
}

/// A range of the file.
pub struct Part {
    pub bytes: usize,
    pub tokens: usize,
    pub entropy_bits: f64,
}

/// One way to show the whole file to a model.
pub struct Form {
    pub name: &'static str,
    pub model: String,
    pub tokens: usize,
    pub is_estimate: bool,
    pub window_share: Option<f64>,
}

pub fn run(args: &StatsArgs, source: &ConfigSource) -> Result<(), Failure> {
    let config = source.load()?.config;
    let text_model = counters::models(&config, args.model.as_slice())?.into_iter().next();
    let vocabulary = args.vocabulary.load()?;
    let bytes = inputs::bytes(&args.file)?;
    let layout = sections::layout(&bytes);
    let whole = part(vocabulary, &bytes);
    let sections = layout.sections.into_iter().map(|it| {
        let part = part(vocabulary, &bytes[it.offset..it.offset + it.len]);
        (it.name, it.offset, part)
    });
    let sections = sections.collect();
    let mut forms = Vec::new();
    if let Some(model) = text_model {
        for (name, tokens) in text_forms(&bytes, model.tokenizer) {
            let window_share = model.window_share(tokens);
            let is_estimate = bytes.len() > SAMPLED_BYTES || !model.is_exact;
            forms.push(Form { name, model: model.name.clone(), tokens, is_estimate, window_share });
        }
    }
    let window_share = Some(whole.tokens as f64 / f64::from(args.window));
    let model = format!("a binary model of {} tokens", args.window);
    forms.push(Form { name: "binary BPE", model, tokens: whole.tokens, is_estimate: false, window_share });
    let stats = Stats {
        file: args.file.display().to_string(),
        format: layout.format,
        vocabulary: args.vocabulary.vocabulary.clone(),
        whole,
        sections,
        forms,
    };
    print(&if args.json { report::as_json(&stats) } else { report::as_text(&stats) })
}

fn part(vocabulary: &Vocabulary, bytes: &[u8]) -> Part {
    Part { bytes: bytes.len(), tokens: vocabulary.count(bytes), entropy_bits: entropy_bits(bytes) }
}

/// Shannon's entropy of the bytes' frequencies, in bits a byte.
fn entropy_bits(bytes: &[u8]) -> f64 {
    let mut counts = [0usize; 256];
    bytes.iter().for_each(|it| counts[usize::from(*it)] += 1);
    let shares = counts.iter().filter(|it| **it > 0).map(|it| *it as f64 / bytes.len() as f64);
    // Adding zero turns the negative zero of a sum of nothing into a plain one.
    shares.map(|it| -it * it.log2()).sum::<f64>() + 0.0
}

/// Tokens of the file as a text model would be sent it.
fn text_forms(bytes: &[u8], tokenizer: Tokenizer) -> [(&'static str, usize); 3] {
    let mut sums = [("hex", 0), ("base64", 0), ("rendering", 0)];
    let mut n_counted = 0;
    let n_parts = bytes.len().div_ceil(PART_BYTES);
    let every = n_parts.div_ceil(SAMPLED_BYTES / PART_BYTES).max(1);
    for (number, part) in bytes.chunks(PART_BYTES).enumerate().step_by(every) {
        let hex: String =
            part.iter().flat_map(|it| [it >> 4, it & 15]).filter_map(|it| char::from_digit(it.into(), 16)).collect();
        let base64 = base64::engine::general_purpose::STANDARD_NO_PAD.encode(part);
        let rendering = binary::render(part, (number * PART_BYTES) as u64);
        for (sum, text) in sums.iter_mut().zip([hex, base64, rendering]) {
            sum.1 += tokenizer.count(&text);
        }
        n_counted += part.len();
    }
    sums.map(|(name, sum)| (name, (sum as f64 * bytes.len() as f64 / n_counted.max(1) as f64).round() as usize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_is_that_of_the_bytes() {
        let all: Vec<u8> = (0..=255).collect();
        for (bytes, expected) in [(b"".as_slice(), 0.0), (b"aaaa", 0.0), (b"abab", 1.0), (&all, 8.0)] {
            assert!((entropy_bits(bytes) - expected).abs() < 1e-9, "{bytes:?}");
        }
    }
}
