//! Structured data by its structure: JSON by keys, tables by rows, configuration by sections.

use super::{
    Kind,
    outline::{Draft, Span},
};

/// Rows of a table, or records a line each, that make one entry.
const ROWS: usize = 40;

/// Levels of JSON whose keys are entries.
const JSON_DEPTH: usize = 2;

/// How much of a value stands in its entry's signature.
const SIGNATURE_BYTES: usize = 100;

/// A form of data that is read by its structure.
struct Form {
    extensions: &'static [&'static str],
    read: fn(&str, &mut Draft),
}

static FORMS: &[Form] = &[
    Form { extensions: &["json", "ipynb", "geojson"], read: json },
    Form { extensions: &["csv", "tsv", "jsonl", "ndjson"], read: rows },
    Form { extensions: &["toml", "ini", "cfg"], read: sections },
    Form { extensions: &["yaml", "yml"], read: top_keys },
];

fn form(path: &str) -> Option<&'static Form> {
    let (_, extension) = path.rsplit_once('.')?;
    FORMS.iter().find(|it| it.extensions.iter().any(|known| known.eq_ignore_ascii_case(extension)))
}

/// True if the extension of `path` is that of structured data.
pub(super) fn is_data(path: &str) -> bool {
    form(path).is_some()
}

/// Adds the entries of `text`.
pub(super) fn read(path: &str, text: &str, draft: &mut Draft) {
    if let Some(form) = form(path) {
        (form.read)(text, draft);
    }
}

/// An entry from `start` to before `end`, whose first line, cut, is its signature.
fn entry(text: &str, draft: &mut Draft, name: &str, (start, end): (usize, usize)) {
    let end = text[..end].trim_end().len().max(start);
    let line_end = text[start..end].find('\n').map_or(end, |it| start + it);
    let cut = (start + SIGNATURE_BYTES).min(line_end);
    let cut = (cut..=line_end).find(|&it| text.is_char_boundary(it)).unwrap_or(line_end);
    let mut symbol = draft.symbol(Kind::Entry, Span::new(start, end));
    name.clone_into(&mut symbol.name);
    symbol.signature = Span::new(start, cut);
    symbol.body = Span::new(cut, end);
    draft.add(symbol);
}

fn rows(text: &str, draft: &mut Draft) {
    let lines: Vec<_> = draft.lines().collect();
    let Some(&header) = lines.first() else { return };
    draft.set_file_docs(Span::new(header.0, header.1.min(header.0 + SIGNATURE_BYTES)));
    for (at, rows) in lines.chunks(ROWS).enumerate() {
        let (start, end) = (rows[0].0, rows[rows.len() - 1].1);
        if !text[start..end].trim().is_empty() {
            let name = format!("rows {}-{}", at * ROWS + 1, at * ROWS + rows.len());
            entry(text, draft, &name, (start, end));
        }
    }
}

fn sections(text: &str, draft: &mut Draft) {
    let name = |line: &str| line.starts_with('[').then(|| line.trim().trim_matches(['[', ']']).to_owned());
    by_heads(text, draft, name);
}

fn top_keys(text: &str, draft: &mut Draft) {
    let name = |line: &str| {
        let (key, _) = line.split_once(':')?;
        let is_key = !key.is_empty() && !key.starts_with([' ', '\t', '#', '-', '"', '{']);
        is_key.then(|| key.to_owned())
    };
    by_heads(text, draft, name);
}

/// Each line with a name starts an entry that the next one ends.
fn by_heads(text: &str, draft: &mut Draft, name: impl Fn(&str) -> Option<String>) {
    let lines = draft.lines().collect::<Vec<_>>();
    let heads: Vec<(usize, String)> =
        lines.into_iter().filter_map(|(start, end)| Some((start, name(text[start..end].trim_end())?))).collect();
    for (at, (start, name)) in heads.iter().enumerate() {
        let end = heads.get(at + 1).map_or(text.len(), |(next, _)| *next);
        entry(text, draft, name, (*start, end));
    }
}

/// Finds keys by their brackets and quotes; a text that is no JSON has the entries that look like some.
fn json(text: &str, draft: &mut Draft) {
    let mut scan = Scan { text: text.as_bytes(), at: 0 };
    let mut open: Vec<Open> = Vec::new();
    while let Some(token) = scan.next() {
        match token {
            Token::Open => open.push(Open::default()),
            Token::Close => {
                end_value(text, draft, &mut open, scan.at - 1);
                open.pop();
            }
            Token::Comma => end_value(text, draft, &mut open, scan.at - 1),
            Token::Text(start, end) => {
                if let Some(level) = open.last_mut().filter(|it| it.key.is_none()) {
                    level.text = Some((start, end));
                }
            }
            Token::Colon => {
                if let Some(level) = open.last_mut() {
                    level.key = level.key.or(level.text);
                }
            }
        }
    }
}

/// An object or an array that has begun.
#[derive(Default)]
struct Open {
    text: Option<(usize, usize)>,
    key: Option<(usize, usize)>,
}

fn end_value(text: &str, draft: &mut Draft, open: &mut [Open], end: usize) {
    let depth = open.len();
    let Some(level) = open.last_mut() else { return };
    level.text = None;
    let Some((start, key_end)) = level.key.take().filter(|_| depth <= JSON_DEPTH) else { return };
    let name = text.get(start + 1..key_end.saturating_sub(1)).unwrap_or_default();
    if text.is_char_boundary(start) && text.is_char_boundary(end) && start < end {
        entry(text, draft, name, (start, end));
    }
}

enum Token {
    Open,
    Close,
    Comma,
    Colon,
    /// With its quotes.
    Text(usize, usize),
}

struct Scan<'a> {
    text: &'a [u8],
    at: usize,
}

impl Scan<'_> {
    fn next(&mut self) -> Option<Token> {
        loop {
            let byte = *self.text.get(self.at)?;
            self.at += 1;
            match byte {
                b'{' | b'[' => return Some(Token::Open),
                b'}' | b']' => return Some(Token::Close),
                b',' => return Some(Token::Comma),
                b':' => return Some(Token::Colon),
                b'"' => return Some(self.quoted()),
                _ => {}
            }
        }
    }

    fn quoted(&mut self) -> Token {
        let start = self.at - 1;
        while let Some(&byte) = self.text.get(self.at) {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                break;
            }
        }
        self.at = self.at.min(self.text.len());
        Token::Text(start, self.at)
    }
}
