//! Plain BM25 over chunks of lines, filled up to the budget: what most tools do.

use std::sync::Arc;

use tollgate_planners::context::{Index, Kind, Outline, Span, Symbol, Weights};
use tollgate_tokenizers::Tokenizer;

use crate::{Score, Tree, questions::Question};

/// Lines of a chunk; each is a baseline of its own.
pub const CHUNK_LINES: [usize; 3] = [20, 40, 80];

/// BM25's usual parameters, and no other evidence than words.
const WEIGHTS: Weights = Weights {
    k1: 1.2,
    b: 0.75,
    name: 0.0,
    around: 0.0,
    block: 1.0,
    lead: 1.0,
    used: 0.0,
    users: 0.0,
    inherited: 0.0,
    sharpness: 1.0,
};

/// Chunks that are considered.
const MAX_CHUNKS: usize = 600;

/// How often the chunks that fit hold a question's answer.
pub fn score(tree: &Tree, questions: &[Question], n_lines: usize, (budget, tokenizer): (u64, Tokenizer)) -> Score {
    let mut index = Index::default();
    for (path, text) in tree {
        index.insert(path, text, Arc::new(chunks(text, n_lines)));
    }
    let mut score = Score::default();
    for question in questions {
        let chosen = fill(&index, tree, question, (budget, tokenizer));
        let has = |line: u32| {
            chosen.lines.iter().any(|(path, first, last)| *path == question.path && *first <= line && line <= *last)
        };
        let (first, last_of_signature, last) = question.lines;
        score.signatures += usize::from((first..=last_of_signature).all(has));
        score.bodies += usize::from((first..=last).all(has));
        score.tokens += chosen.tokens;
    }
    score
}

#[derive(Default)]
struct Chosen {
    lines: Vec<(String, u32, u32)>,
    tokens: u64,
}

/// Best first; what does not fit is passed over.
fn fill(index: &Index, tree: &Tree, question: &Question, (budget, tokenizer): (u64, Tokenizer)) -> Chosen {
    let mut chosen = Chosen::default();
    for found in index.rank(Some(&question.text), &WEIGHTS, MAX_CHUNKS) {
        let (path, symbol) = index.place(found);
        let Some(text) = tree.get(path).filter(|_| symbol.kind != Kind::File) else { continue };
        let shown = format!("## {path}:{}-{}\n{}\n", symbol.lines.0, symbol.lines.1, symbol.whole.of(text));
        let cost = tokenizer.count(&shown) as u64;
        if chosen.tokens + cost <= budget {
            chosen.tokens += cost;
            chosen.lines.push((path.to_owned(), symbol.lines.0, symbol.lines.1));
        }
    }
    chosen
}

/// The file, empty, and its chunks.
fn chunks(text: &str, n_lines: usize) -> Outline {
    let symbol = |kind, whole: Span, lines| Symbol {
        kind,
        name: String::new(),
        parent: (kind != Kind::File).then_some(0),
        whole,
        docs: Span::new(whole.start as usize, whole.start as usize),
        signature: Span::new(whole.start as usize, whole.start as usize),
        body: whole,
        lines,
    };
    let mut symbols = vec![symbol(Kind::File, Span::new(0, text.len()), (1, text.lines().count() as u32))];
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let (mut start, mut line) = (0, 1);
    for chunk in lines.chunks(n_lines) {
        let end = start + chunk.iter().map(|it| it.len()).sum::<usize>();
        symbols.push(symbol(Kind::Section, Span::new(start, end), (line, line + chunk.len() as u32 - 1)));
        (start, line) = (end, line + chunk.len() as u32);
    }
    Outline { symbols }
}
