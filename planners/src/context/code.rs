//! Symbols of source code, by tree-sitter.

use std::ops::ControlFlow;

use tree_sitter::{Node, ParseOptions, ParseState, Parser, Query, QueryCursor, QueryMatch, StreamingIterator, Tree};

use super::{
    Kind, Language,
    outline::{Draft, MAX_SYMBOLS, Span},
};

/// Steps of the parser, in the unit of its own reports, for each byte of text. Sound code takes a fraction of one;
/// what takes more is no code, and its outline ends there.
const STEPS_PER_BYTE: usize = 1;

/// Steps that every text may take.
const LEAST_STEPS: usize = 50_000;

/// Matches of a query that may be open at once.
const MAX_OPEN_MATCHES: u32 = 4_096;

/// Adds the symbols of `text`. A text that does not parse has those of the parts that do.
pub(super) fn read(language: &'static Language, text: &str, draft: &mut Draft) {
    let Some((grammar, query)) = language.compiled() else { return };
    let mut parser = Parser::new();
    if parser.set_language(grammar).is_err() {
        return;
    }
    let Some(tree) = parse(&mut parser, text) else { return };
    draft.set_file_docs(file_docs(language, tree.root_node(), text));
    let reader = Reader { language, query, text };
    let mut cursor = QueryCursor::new();
    cursor.set_match_limit(MAX_OPEN_MATCHES);
    let mut matches = cursor.matches(query, tree.root_node(), text.as_bytes());
    let mut n_found = 0;
    while let Some(found) = matches.next() {
        reader.add(found, draft);
        n_found += 1;
        if n_found >= MAX_SYMBOLS {
            break;
        }
    }
}

/// Gives up after a number of steps that grows with the text: error recovery is not linear in it.
fn parse(parser: &mut Parser, text: &str) -> Option<Tree> {
    let mut steps_left = LEAST_STEPS + text.len() * STEPS_PER_BYTE;
    let mut within = |_: &ParseState| {
        steps_left = steps_left.saturating_sub(1);
        if steps_left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let bytes = text.as_bytes();
    let options = ParseOptions::new().progress_callback(&mut within);
    parser.parse_with_options(&mut |at, _| bytes.get(at..).unwrap_or_default(), None, Some(options))
}

struct Reader<'a> {
    language: &'static Language,
    query: &'a Query,
    text: &'a str,
}

impl Reader<'_> {
    fn add(&self, found: &QueryMatch<'_, '_>, draft: &mut Draft) {
        let names = self.query.capture_names();
        let (mut name, mut body, mut item) = (None, None, None);
        for capture in found.captures() {
            match names.get(capture.index as usize).copied() {
                Some("name") => name = Some(capture.node),
                Some("body") => body = Some(capture.node),
                Some(kind) => item = Kind::of_name(kind).map(|kind| (kind, capture.node)),
                None => {}
            }
        }
        let (Some(name), Some((kind, node))) = (name, item) else { return };
        let node = self.outermost(node);
        let start = leading(node);
        let whole = Span::new(draft.line_start_if_blank(self.text, start), trimmed_end(self.text, node.end_byte()));
        let mut symbol = draft.symbol(kind, whole);
        symbol.name = Span::new(name.start_byte(), name.end_byte()).of(self.text).to_owned();
        symbol.docs = match docstring(self.language, body) {
            Some(docs) => Span::new(docs.start_byte(), docs.end_byte()),
            None => Span::new(start, trimmed_end(self.text, node.start_byte())),
        };
        let end = body.map_or(node.end_byte(), |it| it.start_byte());
        symbol.signature = Span::new(node.start_byte(), trimmed_end(self.text, end));
        symbol.body = body.map_or(Span::new(end, end), |it| Span::new(it.start_byte(), it.end_byte()));
        draft.add(symbol);
    }

    /// The wrapper of a symbol that holds nothing else of its kind, else the symbol.
    fn outermost<'t>(&self, node: Node<'t>) -> Node<'t> {
        let mut outer = node;
        while let Some(parent) = outer.parent().filter(|it| self.language.wrappers.contains(&it.kind())) {
            let mut cursor = parent.walk();
            let n_alike = parent.named_children(&mut cursor).filter(|it| it.kind() == outer.kind()).count();
            if n_alike != 1 {
                break;
            }
            outer = parent;
        }
        outer
    }
}

/// The first byte of the comments and attributes that stand directly before a node.
fn leading(node: Node<'_>) -> usize {
    let mut first = node;
    while let Some(before) = first.prev_sibling() {
        let is_adjacent = before.end_position().row + 1 >= first.start_position().row;
        let is_own_line = before.prev_sibling().is_none_or(|it| it.end_position().row < before.start_position().row)
            || before.prev_sibling().is_some_and(|it| is_comment(it) && it.end_position().column == 0);
        if !is_adjacent
            || !(is_comment(before) || before.kind() == "attribute_item")
            || is_inner(before)
            || !is_own_line
        {
            break;
        }
        first = before;
    }
    first.start_byte()
}

fn is_comment(node: Node<'_>) -> bool {
    node.kind().ends_with("comment")
}

/// Rust's `//!` belongs to what it stands in.
fn is_inner(node: Node<'_>) -> bool {
    node.child_by_field_name("inner").is_some()
}

fn docstring<'t>(language: &Language, body: Option<Node<'t>>) -> Option<Node<'t>> {
    let first = body.filter(|_| language.has_docstrings)?.named_child(0)?;
    let text = if first.kind() == "expression_statement" { first.named_child(0)? } else { first };
    (text.kind() == "string").then_some(text)
}

/// Comments at the very start of a file that do not belong to its first symbol.
fn file_docs(language: &Language, root: Node<'_>, text: &str) -> Span {
    if let Some(docs) = docstring(language, Some(root)) {
        return Span::new(docs.start_byte(), docs.end_byte());
    }
    let mut end = None;
    let mut cursor = root.walk();
    for node in root.children(&mut cursor) {
        let follows = end.is_none_or(|(_, row): (usize, usize)| node.start_position().row <= row + 1);
        if !is_comment(node) || !follows {
            let belongs = end.is_some_and(|(_, row)| node.start_position().row <= row + 1) && !text.starts_with("//!");
            return if belongs { Span::default() } else { Span::new(0, end.map_or(0, |(at, _)| at)) };
        }
        end = Some((node.end_byte(), node.end_position().row));
    }
    Span::new(0, end.map_or(0, |(at, _)| at))
}

/// The end of what is not white space before `end`.
fn trimmed_end(text: &str, end: usize) -> usize {
    text.get(..end).map_or(end, |it| it.trim_end().len())
}
