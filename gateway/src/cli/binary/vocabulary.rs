//! Which vocabulary a command works with: a shipped one by its size, or a `tokenizer.json`.

use std::path::Path;

use clap::Args;

use crate::cli::{Failure, inputs};
use tollgate_tokenizers::binary::{SIZES, Size, Vocabulary, shipped};

#[derive(Debug, Args)]
pub struct VocabularyArgs {
    /// A shipped vocabulary (4k, 8k, 16k, 32k, 64k), or a tokenizer.json of the Binary BPE family
    #[arg(short, long, value_name = "SIZE|FILE", default_value = "64k")]
    pub vocabulary: String,
}

impl VocabularyArgs {
    /// Loads it. What comes from a file stays in memory for the life of the process.
    pub fn load(&self) -> Result<&'static Vocabulary, Failure> {
        if let Some(size) = Size::by_name(&self.vocabulary) {
            return Ok(shipped(size));
        }
        let path = Path::new(&self.vocabulary);
        if !path.exists() {
            let sizes: Vec<_> = SIZES.into_iter().map(|it| it.name().trim_start_matches("binary-")).collect();
            let known = sizes.join(", ");
            return Err(format!(
                "unknown vocabulary `{}`; write {known}, or the path of a tokenizer.json",
                self.vocabulary
            )
            .into());
        }
        let read = Vocabulary::from_json(&inputs::bytes(path)?);
        let read = read.map_err(|error| format!("`{}` is no Binary BPE: {error}", self.vocabulary))?;
        Ok(Box::leak(Box::new(read)))
    }
}
