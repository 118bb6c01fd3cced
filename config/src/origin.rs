//! Where a value came from. Every leaf of the configuration keeps this, for error messages and for
//! `config show`.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// Where a value came from. Displays as `default`, `file:line`, `env NAME` or `flag KEY`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A file embedded in the program.
    Default {
        /// Its name.
        file: &'static str,
        /// Counted from 1.
        line: usize,
        /// In characters, counted from 1.
        column: usize,
    },
    /// A file of the user's.
    File {
        /// As it was given or found.
        path: Arc<Path>,
        /// Counted from 1.
        line: usize,
        /// In characters, counted from 1.
        column: usize,
    },
    /// An environment variable.
    Env {
        /// Its name.
        name: String,
    },
    /// An override on the command line.
    Flag {
        /// The key path that it sets.
        key: String,
    },
}

impl Origin {
    /// The start of an error line.
    pub(crate) fn place(&self) -> String {
        match self {
            Self::Default { file, line, column } => format!("{file}:{line}:{column}"),
            Self::File { path, line, column } => format!("{}:{line}:{column}", path.display()),
            Self::Env { .. } | Self::Flag { .. } => self.to_string(),
        }
    }

    pub(crate) fn is_default(&self) -> bool {
        matches!(self, Self::Default { .. })
    }

    /// The folder that relative paths start from, itself relative to the working directory.
    pub(crate) fn folder(&self) -> &Path {
        match self {
            Self::File { path, .. } => path.parent().unwrap_or(Path::new("")),
            _ => Path::new(""),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default { .. } => f.write_str("default"),
            Self::File { path, line, .. } => write!(f, "{}:{line}", path.display()),
            Self::Env { name } => write!(f, "env {name}"),
            Self::Flag { key } => write!(f, "flag {key}"),
        }
    }
}

/// The file that a text was read from, to turn byte offsets into origins.
pub(crate) struct Document<'a> {
    file: DocumentFile,
    pub(crate) text: &'a str,
    /// Where each line starts: a file has as many origins as it has values.
    line_starts: Vec<usize>,
}

/// Which of the two kinds of file a document is.
pub(crate) enum DocumentFile {
    Embedded(&'static str),
    User(Arc<Path>),
}

impl<'a> Document<'a> {
    pub(crate) fn new(file: DocumentFile, text: &'a str) -> Self {
        let after_newlines = text.match_indices('\n').map(|(newline, _)| newline + 1);
        let line_starts = std::iter::once(0).chain(after_newlines).collect();
        Self { file, text, line_starts }
    }

    pub(crate) fn origin(&self, offset: usize) -> Origin {
        let (line, column) = self.position(offset);
        match &self.file {
            DocumentFile::Embedded(file) => Origin::Default { file, line, column },
            DocumentFile::User(path) => Origin::File { path: path.clone(), line, column },
        }
    }

    /// Line and column, in characters, counted from 1.
    fn position(&self, offset: usize) -> (usize, usize) {
        let line = self.line_starts.partition_point(|start| *start <= offset);
        let start = self.line_starts.get(line.wrapping_sub(1)).copied().unwrap_or(0);
        let column = self.text.get(start..offset).unwrap_or_default().chars().count() + 1;
        (line, column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_characters() {
        let document = Document::new(DocumentFile::Embedded("t.toml"), "é = 1\r\n\nb = 2");
        let rows = [(0, "1:1"), (2, "1:2"), (5, "1:5"), (8, "2:1"), (9, "3:1"), (13, "3:5"), (14, "3:6")];
        for (offset, expected) in rows {
            assert_eq!(document.origin(offset).place(), format!("t.toml:{expected}"));
        }
    }
}
