//! Binary BPE: what the shipped vocabularies make of executables, and how fast, beside peers in one run.
//!
//! `cargo bench -p tollgate-tokenizers --bench binary -- [speed] [platforms] [--corpus DIR] [--peers DIR]`
//!
//! `speed` encodes 16 MB of what is in the corpus (without one, of the benchmark's own program), with our encoder and with
//! the `bpe` crate's backtracking; the `tokenizers` crate gets the first 1 MB. `platforms` shows bytes a token for each
//! folder of the corpus, as `vocabularies/binary/gather.py` makes them (`DIR/held-out`), and the family's published files
//! beside ours, which stand in folders of the peers as `tokenizer.json`.
//!
//! What limits encoding: the tables of 64K tokens are some 4 MB, so that most tokens miss the first-level cache; each costs
//! one walk from byte to byte and one look whether it may stand behind the last.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "what cannot be measured ends the run")]

#[path = "../count/clock.rs"]
mod clock;

use std::path::{Path, PathBuf};

use tokenizers::pipeline::{EncodeOptions, PipelineTokenizer};
use tollgate_tokenizers::binary::{Form, SIZES, Vocabulary, shipped};

const SPEED_BYTES: usize = 16_000_000;
const SLOW_BYTES: usize = 1_000_000;
const RUNS: usize = 3;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|it| it != "--bench").collect();
    let option = |name: &str| args.iter().position(|it| it == name).and_then(|at| args.get(at + 1)).map(PathBuf::from);
    let (corpus, peers) = (option("--corpus"), option("--peers"));
    let wants =
        |name: &str| args.iter().any(|it| it == name) || !args.iter().any(|it| it == "speed" || it == "platforms");
    if wants("speed") {
        speed(corpus.as_deref());
    }
    if wants("platforms")
        && let Some(corpus) = corpus
    {
        platforms(&corpus, peers.as_deref());
    }
}

/// All files below a folder, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<_> =
        std::fs::read_dir(folder).expect("a folder").map(|it| it.expect("an entry").path()).collect();
    entries.sort();
    entries.into_iter().flat_map(|it| if it.is_dir() { files(&it) } else { vec![it] }).collect()
}

fn speed(corpus: Option<&Path>) {
    let own = || vec![std::env::current_exe().expect("a program")];
    let mut bytes = Vec::new();
    let files = corpus.map_or_else(own, files);
    // From all over the corpus.
    for file in files.iter().step_by(files.len() / 100 + 1) {
        let part = std::fs::read(file).expect("a file");
        bytes.extend_from_slice(&part[..part.len().min(SPEED_BYTES / 50)]);
    }
    bytes.truncate(SPEED_BYTES);
    println!(
        "MB/s of {:.1} MB, best of {RUNS} (peers: bpe crate, tokenizers crate on {SLOW_BYTES} bytes)",
        bytes.len() as f64 / 1e6
    );
    println!("{:12} {:>8} {:>8} {:>8} {:>10}", "vocabulary", "ours", "bpe", "ratio", "tokenizers");
    for size in SIZES {
        let vocabulary = shipped(size);
        let ours = best(&bytes, |it| vocabulary.encode(it).len());
        let merges = vocabulary.merges();
        let tokens: Vec<Vec<u8>> = (0..merges.n_tokens()).map(|it| merges.spelling(it as u16).to_vec()).collect();
        let factor = bpe::byte_pair_encoding::find_hash_factor_for_dictionary(tokens.clone());
        let peer = bpe::byte_pair_encoding::BytePairEncoding::from_dictionary(tokens, Some(factor));
        let bpe = best(&bytes, |it| peer.encode_via_backtracking(it).len());
        let hugging = hugging(vocabulary, &bytes[..SLOW_BYTES.min(bytes.len())]);
        println!("{:12} {ours:8.1} {bpe:8.1} {:8.2} {hugging:10.2}", size.name(), ours / bpe);
    }
}

fn hugging(vocabulary: &Vocabulary, bytes: &[u8]) -> f64 {
    let json = tokenizers::canonicalize_str(&vocabulary.to_json(Form::Latin1)).expect("a sound file");
    let tokenizer: PipelineTokenizer = tokenizers::from_json(&json).expect("a sound file");
    let text: String = bytes.iter().map(|it| char::from(*it)).collect();
    best(bytes, |_| tokenizer.encode(text.as_str(), &EncodeOptions::no_specials()).wait().map_or(0, |it| it.len()))
}

/// Megabytes for each second of work, of the best run.
fn best(bytes: &[u8], work: impl Fn(&[u8]) -> usize) -> f64 {
    let run = || {
        let begun = clock::worked();
        std::hint::black_box(work(bytes));
        (clock::worked() - begun).as_secs_f64()
    };
    bytes.len() as f64 / 1e6 / (0..RUNS).map(|_| run()).fold(f64::INFINITY, f64::min)
}

fn platforms(corpus: &Path, peers: Option<&Path>) {
    let mut contestants: Vec<(String, Vocabulary)> = Vec::new();
    for folder in peers.into_iter().flat_map(|it| std::fs::read_dir(it).expect("a folder")) {
        let folder = folder.expect("an entry").path();
        let json = std::fs::read(folder.join("tokenizer.json")).expect("a tokenizer.json");
        let name = folder.file_name().map_or_else(String::new, |it| it.to_string_lossy().into_owned());
        contestants.push((name, Vocabulary::from_json(&json).expect("a Binary BPE")));
    }
    contestants.sort_by(|a, b| a.0.cmp(&b.0));
    let ours: Vec<&Vocabulary> = SIZES.into_iter().map(shipped).collect();
    let all = || ours.iter().copied().chain(contestants.iter().map(|it| &it.1));
    let names = SIZES.into_iter().map(|it| it.name().to_owned()).chain(contestants.iter().map(|it| it.0.clone()));
    println!(
        "\nbytes a token\n{:14} {:>7} {}",
        "platform",
        "MB",
        names.map(|it| format!("{it:>13}")).collect::<String>()
    );
    let mut folders: Vec<_> =
        std::fs::read_dir(corpus).expect("a folder").map(|it| it.expect("an entry").path()).collect();
    folders.sort();
    let mut means = vec![0.0; all().count()];
    for folder in &folders {
        let mut n_bytes = 0;
        let mut counts = vec![0; means.len()];
        for file in files(folder) {
            let bytes = std::fs::read(file).expect("a file");
            n_bytes += bytes.len();
            counts.iter_mut().zip(all()).for_each(|(count, it)| *count += it.count(&bytes));
        }
        let rates: Vec<f64> = counts.iter().map(|it| n_bytes as f64 / *it as f64).collect();
        means.iter_mut().zip(&rates).for_each(|(mean, rate)| *mean += rate / folders.len() as f64);
        row(&folder.file_name().unwrap_or_default().to_string_lossy(), n_bytes as f64 / 1e6, &rates);
    }
    row("mean", 0.0, &means);
}

fn row(name: &str, megabytes: f64, rates: &[f64]) {
    println!("{name:14} {megabytes:7.1} {}", rates.iter().map(|it| format!("{it:13.3}")).collect::<String>());
}
