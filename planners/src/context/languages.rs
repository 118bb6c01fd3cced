//! Programming languages: each is a grammar and a query file that names its symbols.
//!
//! A query's captures are the `@name`, the `@body` where there is one, and the symbol itself under the name of its
//! kind ([`Kind`](super::Kind)).

use std::sync::OnceLock;

use tree_sitter::{Language as Grammar, Query};

/// A language whose symbols are known.
pub struct Language {
    /// Its name, as people write it.
    pub name: &'static str,
    /// Its files' extensions.
    pub extensions: &'static [&'static str],
    /// Nodes that belong to the one symbol that they hold: `export`, decorators, template parameters.
    pub(super) wrappers: &'static [&'static str],
    /// Whether documentation is the first string of a body, and not a comment before the symbol.
    pub(super) has_docstrings: bool,
    grammar: fn() -> Grammar,
    query: &'static str,
    compiled: OnceLock<Option<(Grammar, Query)>>,
}

/// Every language. The first with a file's extension reads it.
pub static LANGUAGES: [Language; 9] = [
    Language::new("Rust", &["rs"], || tree_sitter_rust::LANGUAGE.into(), include_str!("languages/rust.scm")),
    Language::new(
        "Python",
        &["py", "pyi"],
        || tree_sitter_python::LANGUAGE.into(),
        include_str!("languages/python.scm"),
    )
    .wrapped(&["decorated_definition"])
    .with_docstrings(),
    Language::new(
        "TypeScript",
        &["ts", "mts", "cts"],
        || tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
        include_str!("languages/typescript.scm"),
    )
    .wrapped(&["export_statement", "ambient_declaration"]),
    Language::new(
        "TSX",
        &["tsx"],
        || tree_sitter_typescript::LANGUAGE_TSX.into(),
        include_str!("languages/typescript.scm"),
    )
    .wrapped(&["export_statement", "ambient_declaration"]),
    Language::new(
        "JavaScript",
        &["js", "mjs", "cjs", "jsx"],
        || tree_sitter_javascript::LANGUAGE.into(),
        include_str!("languages/javascript.scm"),
    )
    .wrapped(&["export_statement"]),
    Language::new("Go", &["go"], || tree_sitter_go::LANGUAGE.into(), include_str!("languages/go.scm")).wrapped(&[
        "type_declaration",
        "const_declaration",
        "var_declaration",
    ]),
    Language::new("C", &["c", "h"], || tree_sitter_c::LANGUAGE.into(), include_str!("languages/c.scm"))
        .wrapped(&["declaration"]),
    Language::new(
        "C++",
        &["cc", "cpp", "cxx", "hh", "hpp", "hxx"],
        || tree_sitter_cpp::LANGUAGE.into(),
        include_str!("languages/cpp.scm"),
    )
    .wrapped(&["template_declaration"]),
    Language::new("Java", &["java"], || tree_sitter_java::LANGUAGE.into(), include_str!("languages/java.scm")),
];

impl Language {
    const fn new(
        name: &'static str,
        extensions: &'static [&'static str],
        grammar: fn() -> Grammar,
        query: &'static str,
    ) -> Self {
        Self { name, extensions, wrappers: &[], has_docstrings: false, grammar, query, compiled: OnceLock::new() }
    }

    const fn wrapped(mut self, wrappers: &'static [&'static str]) -> Self {
        self.wrappers = wrappers;
        self
    }

    const fn with_docstrings(mut self) -> Self {
        self.has_docstrings = true;
        self
    }

    /// The language of a file with this path, by its extension.
    #[must_use]
    pub fn of_path(path: &str) -> Option<&'static Self> {
        let (_, extension) = path.rsplit_once('.')?;
        LANGUAGES.iter().find(|it| it.extensions.iter().any(|known| known.eq_ignore_ascii_case(extension)))
    }

    /// The grammar and its query, compiled once. `None` if they do not fit each other, which a test rules out.
    pub(super) fn compiled(&self) -> Option<&(Grammar, Query)> {
        let compile = || {
            let grammar = (self.grammar)();
            let query = Query::new(&grammar, self.query).ok()?;
            Some((grammar, query))
        };
        self.compiled.get_or_init(compile).as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_query_fits_its_grammar() {
        for language in &LANGUAGES {
            let fits = Query::new(&(language.grammar)(), language.query);
            assert!(fits.is_ok(), "{}: {}", language.name, fits.unwrap_err());
        }
    }
}
