//! How long a folder takes to index, to plan again, and to index again after an edit.
//!
//! `cargo bench -p tollgate-planners --bench context -- DIR...` reads up to 10 MB of source from these folders, or from this
//! repository and what cargo fetched for it. Reading files is not timed. One thread unless the line says more.

#[path = "../examples/code_context/trees.rs"]
mod trees;

use std::{
    collections::BTreeMap,
    io::Write,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use tollgate_planners::context::{Index, Language, Outline, PackRequest, Weights, pack};
use tollgate_tokenizers::Tokenizer;

/// Files by their paths.
pub type Tree = BTreeMap<String, Arc<str>>;

const MOST_BYTES: usize = 10_000_000;
const BUDGET: u64 = 4_000;
const QUESTIONS: [&str; 4] = [
    "where is the number of retries of a request decided",
    "how does a channel tell its receiver that all senders are gone",
    "parse a regular expression into a syntax tree",
    "what is printed when an argument is missing",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::stdout().lock();
    let tree = sources()?;
    let n_bytes: usize = tree.values().map(|it| it.len()).sum();
    writeln!(out, "{} files of code, {n_bytes} bytes", tree.len())?;
    let outlines = timed(&mut out, "outline, 2 threads", || outlines(&tree, 2))?;
    let mut index = timed(&mut out, "index outlines", || {
        let mut index = Index::default();
        for (path, outline) in &outlines {
            index.insert(path, &tree[path], Arc::clone(outline));
        }
        index
    })?;
    writeln!(out, "{} symbols", index.n_symbols())?;
    let tokenizer = Tokenizer::by_name("o200k_base")?;
    tokenizer.load();
    plans(&mut out, &index, &tree, tokenizer)?;
    edits(&mut out, &mut index, &tree)?;
    Ok(())
}

fn sources() -> Result<Tree, String> {
    let named: Vec<PathBuf> = std::env::args().skip(1).filter(|it| !it.starts_with('-')).map(PathBuf::from).collect();
    let folders = if named.is_empty() { trees::usual()? } else { named };
    let mut tree = Tree::new();
    let mut n_bytes = 0;
    for folder in folders {
        for (path, text) in trees::read(&folder)? {
            if Language::of_path(&path).is_some() && n_bytes + text.len() <= MOST_BYTES {
                n_bytes += text.len();
                tree.insert(format!("{}/{path}", folder.display()), text);
            }
        }
    }
    Ok(tree)
}

fn outlines(tree: &Tree, n_threads: usize) -> Vec<(String, Arc<Outline>)> {
    let files: Vec<_> = tree.iter().collect();
    let outline = |(path, text): &(&String, &Arc<str>)| ((*path).clone(), Arc::new(Outline::new(path, text)));
    std::thread::scope(|scope| {
        let parts = files.chunks(files.len().div_ceil(n_threads).max(1));
        let started: Vec<_> = parts.map(|part| scope.spawn(|| part.iter().map(outline).collect::<Vec<_>>())).collect();
        started.into_iter().filter_map(|it| it.join().ok()).flatten().collect()
    })
}

fn plans(out: &mut impl Write, index: &Index, tree: &Tree, tokenizer: Tokenizer) -> std::io::Result<()> {
    for query in QUESTIONS.map(Some).into_iter().chain([None]) {
        let source = |path: &str| tree.get(path).cloned();
        let request =
            PackRequest { query, budget: BUDGET, tokenizer, source: &source, remedy: "", weights: Weights::default() };
        let times = times(20, || pack(index, &request));
        report(out, &format!("plan: {}", query.unwrap_or("no question")), times)?;
    }
    Ok(())
}

fn edits(out: &mut impl Write, index: &mut Index, tree: &Tree) -> std::io::Result<()> {
    let mut by_size: Vec<_> = tree.iter().collect();
    by_size.sort_by_key(|(_, text)| text.len());
    for at in [by_size.len() / 2, by_size.len() - 1] {
        let (path, text) = by_size[at];
        let edited = format!("{text}\n");
        let times = times(10, || index.insert(path, &edited, Arc::new(Outline::new(path, &edited))));
        report(out, &format!("edit of a file of {} bytes", text.len()), times)?;
    }
    Ok(())
}

fn timed<T>(out: &mut impl Write, label: &str, run: impl FnOnce() -> T) -> std::io::Result<T> {
    let started = Instant::now();
    let result = run();
    report(out, label, vec![started.elapsed()])?;
    Ok(result)
}

fn times<T>(n_runs: usize, mut run: impl FnMut() -> T) -> Vec<Duration> {
    let one = |_| {
        let started = Instant::now();
        std::hint::black_box(run());
        started.elapsed()
    };
    (0..n_runs).map(one).collect()
}

fn report(out: &mut impl Write, label: &str, mut times: Vec<Duration>) -> std::io::Result<()> {
    times.sort();
    writeln!(out, "{label:<70} median {:>9.2?}  max {:>9.2?}", times[times.len() / 2], times[times.len() - 1])
}
