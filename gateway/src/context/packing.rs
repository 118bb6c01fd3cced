//! Contexts of a folder for the command line and for the tools: the same limits, the same words.

use std::sync::Arc;

use super::folder::Folder;
use tollgate_planners::context::{self, Pack, PackRequest, Weights};
use tollgate_tokenizers::Tokenizer;

/// How often a folder that changes meanwhile is packed again; then what is left of it is shown.
const MAX_TRIES: usize = 3;

/// What is asked for.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    pub query: Option<&'a str>,
    pub budget: u64,
    pub tokenizer: Tokenizer,
    /// How to reach what is left out.
    pub remedy: &'a str,
}

/// Packs the folder as it is now.
///
/// # Errors
/// That the budget is too small, or that nothing can be read.
pub fn pack(folder: &mut Folder, ask: &Ask<'_>) -> Result<Pack, String> {
    folder.refresh();
    for last in [false, false, true].into_iter().take(MAX_TRIES) {
        let found = once(folder, ask)?;
        if found.stale.is_empty() || last {
            return Ok(found);
        }
        folder.look_again(&found.stale);
    }
    once(folder, ask)
}

fn once(folder: &Folder, ask: &Ask<'_>) -> Result<Pack, String> {
    if folder.index().n_files() == 0 {
        return Err("there is no text to pack; name a folder with some, or look at `.gitignore`".into());
    }
    let source = |path: &str| folder.text(path).ok().map(Arc::from);
    let request = PackRequest {
        query: ask.query,
        budget: ask.budget,
        tokenizer: ask.tokenizer,
        source: &source,
        remedy: ask.remedy,
        weights: Weights::default(),
    };
    context::pack(folder.index(), &request).map_err(|error| error.to_string())
}
