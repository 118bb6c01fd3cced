//! What can go wrong, as one line with the remedy.

use std::path::{Path, PathBuf};

/// Why a command stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read or written.
    #[error("`{}`: {source}; check the path and the free space", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Tensors did not fit together, or a file of weights is broken.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
    /// An input asks for what cannot be done; the text holds the remedy.
    #[error("{0}")]
    Bad(String),
}

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error that names its file.
    pub fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }

    /// An error of an input.
    pub fn bad(text: impl Into<String>) -> Self {
        Self::Bad(text.into())
    }
}

/// The text of a file.
///
/// # Errors
/// [`Error::File`].
pub fn read_text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(Error::file(path))
}

/// Writes a file beside its place and moves it there, so that a reader never sees half of it.
///
/// # Errors
/// [`Error::File`].
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let beside = path.with_extension("part");
    std::fs::write(&beside, bytes).map_err(Error::file(&beside))?;
    std::fs::rename(&beside, path).map_err(Error::file(path))
}

/// Makes a folder and those above it.
///
/// # Errors
/// [`Error::File`].
pub fn make_folder(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).map_err(Error::file(path))
}
