//! The one glob dialect of Tollgate, for checking a pattern and for using it.

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};

/// `*` also crosses `/`: tool names have no folders, and `*` shall mean all of `upstream/tool`.
pub(crate) fn glob(pattern: &str) -> Result<Glob, globset::Error> {
    GlobBuilder::new(pattern).literal_separator(false).backslash_escape(true).build()
}

/// Matches what any of the patterns matches. Patterns of a checked configuration always compile.
pub fn glob_set(patterns: &[String]) -> Result<GlobSet, globset::Error> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(glob(pattern)?);
    }
    set.build()
}
