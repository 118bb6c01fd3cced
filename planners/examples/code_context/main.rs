//! Questions with known answers over source trees: how often a packed context holds the answer.
//!
//! `cargo run --release -p tollgate-planners --example code_context -- DIR...`
//!
//! A question is the prose of a documentation comment. The comment is taken out of the source before it is
//! indexed; the answer is the symbol that it stood before. A seeded shuffle chooses them, `--set check` others than
//! `--set main`. Beside the context stands plain BM25 over chunks of lines under the same budget.

#![expect(clippy::print_stdout, reason = "an example prints what it finds")]

mod baseline;
mod questions;
mod trees;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Instant};

use questions::Question;
use tollgate_planners::context::{Index, Outline, PackRequest, SymbolView, Weights, pack};
use tollgate_tokenizers::Tokenizer;

/// Files by their paths.
pub type Tree = BTreeMap<String, Arc<str>>;

struct Options {
    dirs: Vec<PathBuf>,
    n_questions: usize,
    budget: u64,
    seed: u64,
    is_check: bool,
    shows_misses: bool,
}

/// What one way of packing found.
#[derive(Default, Clone, Copy)]
struct Score {
    signatures: usize,
    bodies: usize,
    tokens: u64,
}

fn main() -> Result<(), String> {
    let options = options()?;
    let tokenizer = Tokenizer::by_name("o200k_base").map_err(|error| error.to_string())?;
    tokenizer.load();
    let n_each = options.n_questions.div_ceil(options.dirs.len());
    let mut total = (0, Score::default(), BTreeMap::<usize, Score>::new());
    println!("{:<28} {:>9} {:>10} {:>8} {:>8}", "tree", "questions", "signature", "body", "tokens");
    for dir in &options.dirs {
        let tree = trees::read(dir)?;
        let skip = if options.is_check { n_each } else { 0 };
        let mut questions = questions::choose(&tree, options.seed, skip, n_each);
        let bare = questions::without_docs(&tree, &questions);
        questions::locate(&bare, &mut questions);
        let name = dir.file_name().map_or_else(|| "here".into(), |it| it.to_string_lossy().into_owned());
        let ours = ours(&bare, &questions, &options, tokenizer)?;
        line(&name, questions.len(), ours);
        add(&mut total.1, ours);
        for n_lines in baseline::CHUNK_LINES {
            let theirs = baseline::score(&bare, &questions, n_lines, (options.budget, tokenizer));
            line(&format!("  chunks of {n_lines} lines"), questions.len(), theirs);
            add(total.2.entry(n_lines).or_default(), theirs);
        }
        total.0 += questions.len();
    }
    line("all", total.0, total.1);
    for (n_lines, score) in &total.2 {
        line(&format!("  chunks of {n_lines} lines"), total.0, *score);
    }
    Ok(())
}

fn line(name: &str, n_questions: usize, score: Score) {
    let percent = |n: usize| 100.0 * n as f64 / n_questions.max(1) as f64;
    let tokens = score.tokens / n_questions.max(1) as u64;
    println!(
        "{name:<28} {n_questions:>9} {:>8.1} % {:>6.1} % {tokens:>8}",
        percent(score.signatures),
        percent(score.bodies)
    );
}

fn add(total: &mut Score, score: Score) {
    total.signatures += score.signatures;
    total.bodies += score.bodies;
    total.tokens += score.tokens;
}

fn ours(tree: &Tree, questions: &[Question], options: &Options, tokenizer: Tokenizer) -> Result<Score, String> {
    let started = Instant::now();
    let mut index = Index::default();
    for (path, text) in tree {
        index.insert(path, text, Arc::new(Outline::new(path, text)));
    }
    let n_bytes: usize = tree.values().map(|it| it.len()).sum();
    println!(
        "# {} files, {n_bytes} bytes, {} symbols, indexed in {:.2?}",
        index.n_files(),
        index.n_symbols(),
        started.elapsed()
    );
    let mut score = Score::default();
    for question in questions {
        let request = PackRequest {
            query: Some(&question.text),
            budget: options.budget,
            tokenizer,
            source: &|path| tree.get(path).cloned(),
            remedy: "see `outline` and `read_code`",
            weights: Weights::default(),
        };
        let packed = pack(&index, &request).map_err(|error| error.to_string())?;
        let is_answer = |it: &&tollgate_planners::context::Packed| {
            *it.path == *question.path && it.name == question.name && it.lines.0 == question.line
        };
        let view = packed.packed.iter().find(is_answer).map(|it| it.view);
        score.signatures += usize::from(view >= Some(SymbolView::Signature));
        score.bodies += usize::from(view >= Some(SymbolView::Body));
        score.tokens += packed.tokens;
        if options.shows_misses && view < Some(SymbolView::Body) {
            println!("{:?} {}:{} {}\n    {}", view, question.path, question.line, question.name, question.text);
        }
    }
    Ok(score)
}

fn options() -> Result<Options, String> {
    let mut options =
        Options { dirs: Vec::new(), n_questions: 60, budget: 4_000, seed: 1, is_check: false, shows_misses: false };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = |what: &str| {
            let value = arguments.next().and_then(|it| it.parse::<u64>().ok());
            value.ok_or_else(|| format!("`{what}` wants a number"))
        };
        match argument.as_str() {
            "--questions" => options.n_questions = number("--questions")? as usize,
            "--budget" => options.budget = number("--budget")?,
            "--seed" => options.seed = number("--seed")?,
            "--check" => options.is_check = true,
            "--misses" => options.shows_misses = true,
            dir if !dir.starts_with('-') => options.dirs.push(dir.into()),
            other => {
                return Err(format!(
                    "unknown option `{other}`; there are --questions, --budget, --seed, --check and --misses"
                ));
            }
        }
    }
    if options.dirs.is_empty() {
        options.dirs = trees::usual()?;
    }
    Ok(options)
}
