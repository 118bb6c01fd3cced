//! Measures on held-out text: bits a byte of the target, and how often and how far drafts agree with it.

mod acceptance;
mod bits;
mod generate;

use std::{collections::BTreeMap, path::PathBuf};

use serde_json::{Value, json};

use self::acceptance::{Agreement, agreements};
use crate::{
    corpus::{CHAT, Corpus, Mix, step_rng},
    error::{Result, write_whole},
    model::{Draft, Target},
    tokenizer,
};

/// What `eval` takes.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Folder of `data`
    #[arg(long)]
    pub data: PathBuf,
    /// Folder of the target
    #[arg(long)]
    pub target: PathBuf,
    /// Drafts to measure, as name=folder
    #[arg(long = "draft", value_parser = named)]
    pub drafts: Vec<(String, PathBuf)>,
    /// Tokens of a sequence in the drafts' training; 1, 2, 4 and 8 times as long ones are measured
    #[arg(long, default_value_t = 512)]
    pub length: usize,
    /// Multiples of --length at most
    #[arg(long, default_value_t = 8)]
    pub longest: usize,
    /// Sequences of each kind and length
    #[arg(long, default_value_t = 8)]
    pub sequences: usize,
    /// Tokens that a draft guesses ahead, one after the other
    #[arg(long, default_value_t = 4)]
    pub depth: usize,
    /// Tokens that the target writes itself for each sequence; acceptance there is that of decoding
    #[arg(long, default_value_t = 64)]
    pub generate: usize,
    /// Chooses the sequences
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// The report, as JSON
    #[arg(long)]
    pub out: PathBuf,
}

fn named(text: &str) -> std::result::Result<(String, PathBuf), String> {
    let (name, folder) = text.split_once('=').ok_or_else(|| format!("`{text}` is no name=folder"))?;
    Ok((name.to_owned(), folder.into()))
}

/// Measures, says and writes everything.
///
/// # Errors
/// What reading and running say.
pub fn run(args: &Args) -> Result<()> {
    let tokenizer = tokenizer::read(&args.target)?;
    let target = Target::read(&args.target)?;
    let end = tokenizer.special(tokenizer::END).unwrap_or(target.config.end_id);
    let corpus = Corpus::read(&args.data.join("held_out.jsonl"), tokenizer, end)?;
    let mut bits = BTreeMap::new();
    for (kind, stream) in &corpus.0 {
        let windows = bits::windows(stream, args.length, args.sequences);
        let measured = bits::per_byte(&target, tokenizer, &windows)?;
        eprintln!("{kind}: {:.3} bits/byte on {} bytes", measured.bits_per_byte, measured.n_bytes);
        bits.insert(kind.clone(), json!({"bits_per_byte": measured.bits_per_byte, "bytes": measured.n_bytes}));
    }
    let mut drafts = BTreeMap::new();
    for (name, folder) in &args.drafts {
        let draft = Draft::read(target.config.clone(), folder)?;
        drafts.insert(name.clone(), draft_report(name, (&target, &draft), &corpus, args)?);
    }
    let report = json!({"length": args.length, "depth": args.depth, "sequences": args.sequences,
        "generated": args.generate, "bits": bits, "drafts": drafts});
    write_whole(&args.out, format!("{report:#}\n").as_bytes())
}

/// The kinds of text, or that of transcripts, as far as they are there.
fn kinds(corpus: &Corpus, is_chat: bool) -> Mix {
    Mix(corpus.0.keys().filter(|it| (*it == CHAT) == is_chat).map(|it| (it.clone(), 1.0)).collect())
}

fn draft_report(name: &str, models: (&Target, &Draft), corpus: &Corpus, args: &Args) -> Result<Value> {
    let mut report = BTreeMap::new();
    for (kind, is_chat) in [("text", false), ("chat", true)] {
        let mix = kinds(corpus, is_chat);
        if mix.0.is_empty() {
            continue;
        }
        let rows = |length| corpus.batch(&mix, args.sequences, length, &mut step_rng(args.seed, length));
        let mut lengths = Vec::new();
        for times in [1, 2, 4, 8].into_iter().filter(|it| *it <= args.longest) {
            let length = args.length * times;
            let measured = held_out(models, &rows(length)?, args)?;
            eprintln!("{name}, {kind}, {length} tokens: {}", measured.line());
            lengths.push(json!({"length": length, "measured": measured.json()}));
        }
        let own = own_text(models, &rows(args.length)?, args)?;
        eprintln!("{name}, {kind}, the target's own: {}", own.line());
        report.insert(kind, json!({"held_out": lengths, "own": own.json()}));
    }
    Ok(json!(report))
}

/// Agreement at the end of each sequence, on half a training length, given the text.
fn held_out(models: (&Target, &Draft), rows: &[Vec<u32>], args: &Args) -> Result<Agreement> {
    let mut all = Agreement::new(args.depth);
    for row in rows {
        let row = &row[..row.len() - 1];
        let agree = agreements(models, row, args.depth)?;
        all.add(&agree, row.len() - (args.length / 2).min(row.len() - 1)..row.len());
    }
    Ok(all)
}

/// Agreement on what the target itself writes after the first half of each sequence: decoding at temperature 0.
fn own_text(models: (&Target, &Draft), rows: &[Vec<u32>], args: &Args) -> Result<Agreement> {
    let mut all = Agreement::new(args.depth);
    let n_prompt = (args.length / 2).max(1);
    let prompts: Vec<Vec<u32>> = rows.iter().map(|it| it[..n_prompt.min(it.len())].to_vec()).collect();
    for row in generate::greedy(models.0, prompts, args.generate)? {
        let agree = agreements(models, &row, args.depth)?;
        all.add(&agree, n_prompt..row.len());
    }
    Ok(all)
}
