//! Sections of texts: Markdown by its headings, other text by paragraphs.

use super::{
    Kind,
    outline::{Draft, Span},
};

/// Lines that a section of plain text has at least, unless the text ends.
const SECTION_LINES: usize = 40;

/// Characters of a first line that serve as a name.
const NAME_CHARS: usize = 60;

const MARKDOWN: &[&str] = &["md", "markdown", "mdx", "mdown", "qmd"];

/// Adds the sections of `text`.
pub(super) fn read(path: &str, text: &str, draft: &mut Draft) {
    let extension = path.rsplit_once('.').map(|(_, it)| it.to_ascii_lowercase());
    if extension.is_some_and(|it| MARKDOWN.contains(&it.as_str())) {
        markdown(text, draft);
    } else {
        plain(text, draft);
    }
}

struct Heading {
    level: usize,
    start: usize,
    end: usize,
    name: String,
}

fn markdown(text: &str, draft: &mut Draft) {
    let headings = headings(text, draft);
    if let Some(first) = headings.first() {
        draft.set_file_docs(Span::new(0, first.start));
    }
    for (at, heading) in headings.iter().enumerate() {
        let next = headings[at + 1..].iter().find(|it| it.level <= heading.level);
        section(text, draft, heading, next.map_or(text.len(), |it| it.start));
    }
}

fn section(text: &str, draft: &mut Draft, heading: &Heading, end: usize) {
    let mut symbol = draft.symbol(Kind::Section, Span::new(heading.start, trimmed_end(text, end)));
    symbol.name.clone_from(&heading.name);
    symbol.signature = Span::new(heading.start, heading.end);
    symbol.body = Span::new(heading.end, symbol.whole.end as usize);
    draft.add(symbol);
}

/// Headings by `#` and by underlines (CommonMark 4.2 and 4.3), outside of fenced code.
fn headings(text: &str, draft: &Draft) -> Vec<Heading> {
    let (mut found, mut fence, mut before): (Vec<Heading>, Option<&str>, Option<(usize, usize)>) =
        (Vec::new(), None, None);
    for (start, end) in draft.lines() {
        let line = text[start..end].trim_end();
        let bare = line.trim_start();
        match fence {
            Some(mark) if bare.starts_with(mark) => fence = None,
            Some(_) => {}
            None if bare.starts_with("```") => fence = Some("```"),
            None if bare.starts_with("~~~") => fence = Some("~~~"),
            None => found.extend(heading(text, (start, start + line.len()), before)),
        }
        before = (fence.is_none() && !bare.is_empty()).then_some((start, start + line.len()));
    }
    found
}

fn heading(text: &str, (start, end): (usize, usize), before: Option<(usize, usize)>) -> Option<Heading> {
    let line = &text[start..end];
    let level = line.bytes().take_while(|&byte| byte == b'#').count();
    if (1..=6).contains(&level) && line[level..].starts_with(' ') {
        let name = line[level..].trim().trim_end_matches('#').trim().to_owned();
        return Some(Heading { level, start, end, name });
    }
    let level = match line.trim_end() {
        it if it.len() >= 3 && it.bytes().all(|byte| byte == b'=') => 1,
        it if it.len() >= 3 && it.bytes().all(|byte| byte == b'-') => 2,
        _ => return None,
    };
    let (title, title_end) = before?;
    let name = text[title..title_end].trim();
    let is_title = !name.starts_with(['#', '-', '|', '>', '*']);
    is_title.then(|| Heading { level, start: title, end, name: name.to_owned() })
}

/// Paragraphs, joined until they have [`SECTION_LINES`].
fn plain(text: &str, draft: &mut Draft) {
    let lines: Vec<_> = draft.lines().collect();
    let mut first = 0;
    for at in 0..lines.len() {
        let is_last = at + 1 == lines.len();
        let n_lines = at + 1 - first;
        let is_blank = text[lines[at].0..lines[at].1].trim().is_empty();
        if is_last || (is_blank && n_lines >= SECTION_LINES) || n_lines >= 2 * SECTION_LINES {
            let (start, end) = (lines[first].0, lines[at].1);
            // A short text is its file.
            let is_whole = first == 0 && is_last;
            if !is_whole && !text[start..end].trim().is_empty() {
                paragraph(text, draft, start, end);
            }
            first = at + 1;
        }
    }
}

fn paragraph(text: &str, draft: &mut Draft, start: usize, end: usize) {
    let start = end - text[start..end].trim_start().len();
    let line_end = text[start..end].find('\n').map_or(end, |it| start + it);
    let mut symbol = draft.symbol(Kind::Section, Span::new(start, trimmed_end(text, end)));
    symbol.name = text[start..line_end].trim().chars().take(NAME_CHARS).collect();
    symbol.signature = Span::new(start, line_end.min(symbol.whole.end as usize));
    symbol.body = Span::new(symbol.signature.end as usize, symbol.whole.end as usize);
    draft.add(symbol);
}

fn trimmed_end(text: &str, end: usize) -> usize {
    text[..end].trim_end().len()
}
