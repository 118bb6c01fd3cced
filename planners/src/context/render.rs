//! The text of a view: what a model reads, with the lines that it stands for.

use super::{Kind, Outline, Span, SymbolView};

/// A signature is cut behind so many bytes; a body shows the rest.
const MAX_SIGNATURE_BYTES: usize = 400;

/// What stands for a body that is left out.
const ELIDED: &str = "\u{2026}";

/// The view of symbol `idx`, of one line or more, without a line end behind it.
pub(super) fn view(outline: &Outline, idx: usize, text: &str, view: SymbolView) -> String {
    let Some(symbol) = outline.symbols.get(idx) else { return String::new() };
    let label = label(outline, idx);
    match view {
        SymbolView::Name => format!("{label} {}", symbol.name),
        SymbolView::Signature if symbol.kind == Kind::File => format!("{label} {}", first_line(symbol.docs.of(text))),
        SymbolView::Signature => format!("{label} {}", signature(outline, idx, text)),
        SymbolView::Documented => documented(outline, idx, text),
        SymbolView::Body => format!("{label}\n{}", body(outline, idx, text, true)),
        SymbolView::Whole => format!("{label}\n{}", body(outline, idx, text, false)),
    }
}

fn documented(outline: &Outline, idx: usize, text: &str) -> String {
    let symbol = &outline.symbols[idx];
    let label = label(outline, idx);
    let docs = dedented(summary(symbol.docs, text), indent_before(text, symbol.docs.start as usize));
    if symbol.kind == Kind::File {
        return format!("{label}\n{docs}");
    }
    let signature = signature(outline, idx, text);
    match docs.is_empty() {
        true => format!("{label} {signature}"),
        false if symbol.docs.start > symbol.signature.start => format!("{label} {signature}\n    {docs}"),
        false => format!("{label}\n{docs}\n{signature}"),
    }
}

/// The first paragraph of documentation.
fn summary(docs: Span, text: &str) -> &str {
    let full = docs.of(text);
    let mut end = 0;
    for line in full.split_inclusive('\n') {
        let says = line.chars().any(char::is_alphanumeric);
        if !says && full[..end].chars().any(char::is_alphanumeric) {
            break;
        }
        end += line.len();
    }
    full[..end].trim_end()
}

/// The lines, and the symbols around it.
fn label(outline: &Outline, idx: usize) -> String {
    let symbol = &outline.symbols[idx];
    let containers = outline.containers(idx);
    let (first, last) = symbol.lines;
    let lines = if first == last { first.to_string() } else { format!("{first}-{last}") };
    if containers.is_empty() { format!("{lines}:") } else { format!("{lines} {}:", containers.join("::")) }
}

fn signature(outline: &Outline, idx: usize, text: &str) -> String {
    let symbol = &outline.symbols[idx];
    let full = symbol.signature.of(text);
    let mut end = full.len().min(MAX_SIGNATURE_BYTES);
    while !full.is_char_boundary(end) {
        end -= 1;
    }
    let cut = dedented(&full[..end], indent_before(text, symbol.signature.start as usize));
    if end < full.len() { format!("{cut}{ELIDED}") } else { cut }
}

fn first_line(text: &str) -> &str {
    let is_said = |line: &&str| line.chars().any(char::is_alphanumeric);
    text.lines().map(str::trim).find(is_said).unwrap_or_default()
}

/// The whole text, on request with the first paragraph of its documentation only; where symbols lie in it, their bodies
/// are left out.
fn body(outline: &Outline, idx: usize, text: &str, is_brief: bool) -> String {
    let symbol = &outline.symbols[idx];
    let mut shown = String::new();
    let mut at = symbol.whole.start as usize;
    let mut elide = |from: usize, to: usize| {
        shown.push_str(text.get(at..from).unwrap_or_default());
        shown.push_str(ELIDED);
        at = to;
    };
    let brief_end = symbol.docs.start as usize + summary(symbol.docs, text).len();
    // White space alone is not worth a mark.
    if is_brief && text.get(brief_end..symbol.docs.end as usize).is_some_and(|it| !it.trim().is_empty()) {
        elide(brief_end, symbol.docs.end as usize);
    }
    if symbol.kind != Kind::Function {
        let mut behind = 0;
        for inner in idx + 1..outline.symbols.len() {
            let child = &outline.symbols[inner];
            if child.whole.start >= symbol.whole.end {
                break;
            }
            let hides = matches!(child.kind, Kind::Function | Kind::Section | Kind::Entry) || symbol.kind == Kind::File;
            if hides && child.body.start >= behind && !child.body.is_empty() {
                elide(child.body.start as usize, child.body.end as usize);
                behind = child.body.end;
            }
        }
    }
    shown.push_str(text.get(at..symbol.whole.end as usize).unwrap_or_default());
    let start = symbol.whole.start as usize;
    let indent = shown.len() - shown.trim_start_matches([' ', '\t']).len();
    dedented(&shown, indent.max(indent_before(text, start)))
}

/// How many bytes of white space stand between the start of its line and this byte.
fn indent_before(text: &str, at: usize) -> usize {
    let line = text.get(..at).map_or("", |it| it.rsplit('\n').next().unwrap_or_default());
    if line.trim().is_empty() { line.len() } else { line.len() - line.trim_start().len() }
}

/// The text with so much white space less before each line.
fn dedented(text: &str, indent: usize) -> String {
    let shorter = |line: &str| {
        let blank = line.len() - line.trim_start_matches([' ', '\t']).len();
        line[blank.min(indent)..].trim_end().to_owned()
    };
    text.trim_end().lines().map(shorter).collect::<Vec<_>>().join("\n")
}
