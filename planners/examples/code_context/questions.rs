//! Questions from documentation comments, and the sources without those comments.

use std::sync::Arc;

use tollgate_planners::context::{Kind, Outline, Span};

use crate::Tree;

/// A comment of fewer words asks nothing, one of more is an essay.
const WORDS: std::ops::RangeInclusive<usize> = 10..=100;

/// An answer has at least so many lines.
const LEAST_LINES: u32 = 3;

/// Files under these are not asked about.
const APART: [&str; 4] = ["tests", "benches", "examples", "fixture"];

/// A question and its answer.
pub struct Question {
    pub text: String,
    pub path: String,
    /// Behind the names around it.
    pub name: String,
    /// The first line of the symbol once its comment is gone.
    pub line: u32,
    /// The lines of its signature, and the last of its body.
    pub lines: (u32, u32, u32),
    /// The comment.
    docs: Span,
}

/// `n` questions over `tree`, those behind the first `skip` of a shuffle by `seed`.
pub fn choose(tree: &Tree, seed: u64, skip: usize, n: usize) -> Vec<Question> {
    let mut all: Vec<(u64, Question)> = Vec::new();
    for (path, text) in tree.iter().filter(|(path, _)| path.ends_with(".rs")) {
        if path.split('/').any(|part| APART.contains(&part)) {
            continue;
        }
        let outline = Outline::new(path, text);
        for idx in 0..outline.symbols.len() {
            if let Some(question) = question(path, text, &outline, idx) {
                all.push((scrambled(seed, path, question.docs.start), question));
            }
        }
    }
    all.sort_by_key(|(order, _)| *order);
    all.into_iter().skip(skip).take(n).map(|(_, it)| it).collect()
}

fn question(path: &str, text: &str, outline: &Outline, idx: usize) -> Option<Question> {
    let symbol = &outline.symbols[idx];
    let is_asked = matches!(symbol.kind, Kind::Function | Kind::Struct | Kind::Enum | Kind::Trait | Kind::Macro);
    let in_tests = outline.containers(idx).iter().any(|it| it.contains("test"));
    let docs = comment(symbol.docs, text)?;
    let asked = prose(docs.of(text));
    let n_words = asked.split_whitespace().count();
    let n_lines = text[symbol.signature.start as usize..symbol.whole.end as usize].lines().count() as u32;
    let is_fit = is_asked && !in_tests && WORDS.contains(&n_words) && n_lines >= LEAST_LINES;
    is_fit.then(|| Question {
        text: asked,
        path: path.to_owned(),
        name: outline.qualified(idx),
        line: 0,
        lines: (0, 0, 0),
        docs,
    })
}

/// The documentation at the start of the leading comments and attributes, in whole lines.
fn comment(docs: Span, text: &str) -> Option<Span> {
    let start = text[..docs.start as usize].rfind('\n').map_or(0, |it| it + 1);
    let lines = text[start..].split_inclusive('\n').take_while(|it| it.trim_start().starts_with("///"));
    let end = start + lines.map(str::len).sum::<usize>();
    (end > start).then(|| Span::new(start, end))
}

/// The prose of a comment, up to its first heading or code.
fn prose(docs: &str) -> String {
    let lines = docs.lines().map(|it| it.trim().trim_start_matches('/').trim());
    lines.take_while(|it| !it.starts_with(['#', '`'])).collect::<Vec<_>>().join(" ").trim().to_owned()
}

/// A number that looks random and depends on nothing else (splitmix64 over FNV-1a).
fn scrambled(seed: u64, path: &str, at: u32) -> u64 {
    let bytes = path.bytes().chain(at.to_le_bytes());
    let hash =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    let mut mixed = hash ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The sources without the comments of `questions`, whose answers are then looked up again.
pub fn without_docs(tree: &Tree, questions: &[Question]) -> Tree {
    let strip = |(path, text): (&String, &Arc<str>)| {
        let mut cut: Vec<Span> = questions.iter().filter(|it| it.path == *path).map(|it| it.docs).collect();
        cut.sort_by_key(|it| std::cmp::Reverse(it.start));
        let mut text = text.to_string();
        cut.iter().for_each(|it| text.replace_range(it.start as usize..it.end as usize, ""));
        (path.clone(), Arc::from(text))
    };
    tree.iter().map(strip).collect()
}

/// Finds the answers in the sources without comments.
pub fn locate(bare: &Tree, questions: &mut [Question]) {
    let mut by_path: Vec<usize> = (0..questions.len()).collect();
    by_path.sort_by_key(|&at| (questions[at].path.clone(), questions[at].docs.start));
    let mut removed = (String::new(), 0);
    for at in by_path {
        let question = &mut questions[at];
        if removed.0 != question.path {
            removed = (question.path.clone(), 0);
        }
        let start = question.docs.start - removed.1;
        removed.1 += question.docs.end - question.docs.start;
        let Some(text) = bare.get(&question.path) else { continue };
        let outline = Outline::new(&question.path, text);
        let is_it = |it: &&tollgate_planners::context::Symbol| {
            it.whole.start <= start && start <= it.signature.start && question.name.ends_with(&it.name)
        };
        if let Some(symbol) = outline.symbols.iter().filter(is_it).max_by_key(|it| it.whole.start) {
            let line = |at: u32| text[..at as usize].matches('\n').count() as u32 + 1;
            question.line = symbol.lines.0;
            question.lines = (line(symbol.signature.start), line(symbol.signature.end), symbol.lines.1);
        }
    }
}
