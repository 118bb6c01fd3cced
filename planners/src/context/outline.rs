//! What a text consists of: symbols with their places, in the order of the text, each inside its parent.

use serde::{Deserialize, Serialize};

use super::{Language, code, data, text};

/// A text longer than this is one symbol; nothing is parsed.
pub const MAX_PARSED_BYTES: usize = 2 << 20;

/// A line longer than this was made by a program and is not worth parsing.
const MAX_LINE_BYTES: usize = 20_000;

/// A text has at most this many symbols; what follows belongs to the last one's parent.
pub(super) const MAX_SYMBOLS: usize = 20_000;

/// What a symbol is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The whole of a file; every other symbol lies in it.
    File,
    /// A function or method, with or without a body.
    Function,
    /// A class, or a record of one.
    Class,
    /// A struct or union.
    Struct,
    /// An enumeration.
    Enum,
    /// A trait.
    Trait,
    /// An interface.
    Interface,
    /// An implementation block.
    Impl,
    /// A module or namespace.
    Module,
    /// A type that names another.
    Type,
    /// A constant or a variable of a file.
    Constant,
    /// A macro.
    Macro,
    /// A part of a text under one heading.
    Section,
    /// An entry of structured data.
    Entry,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 14] = [
        Self::File,
        Self::Function,
        Self::Class,
        Self::Struct,
        Self::Enum,
        Self::Trait,
        Self::Interface,
        Self::Impl,
        Self::Module,
        Self::Type,
        Self::Constant,
        Self::Macro,
        Self::Section,
        Self::Entry,
    ];

    /// Its name, as queries and plans write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Function => "function",
            Self::Class => "class",
            Self::Struct => "struct",
            Self::Enum => "enum",
            Self::Trait => "trait",
            Self::Interface => "interface",
            Self::Impl => "impl",
            Self::Module => "module",
            Self::Type => "type",
            Self::Constant => "constant",
            Self::Macro => "macro",
            Self::Section => "section",
            Self::Entry => "entry",
        }
    }

    /// The kind that is called so.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }
}

/// A place in a text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// Behind the last byte.
    pub end: u32,
}

impl Span {
    /// From `start` to before `end`. Texts of 4 GB and more are not outlined.
    #[must_use]
    pub fn new(start: usize, end: usize) -> Self {
        Self { start: start as u32, end: end.max(start) as u32 }
    }

    /// The bytes as a range; empty where the text is shorter.
    #[must_use]
    pub fn of(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    /// True if it holds no byte.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// True if `other` lies inside.
    #[must_use]
    pub fn holds(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }
}

/// One thing that a text defines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Symbol {
    /// What it is.
    pub kind: Kind,
    /// Its own name.
    pub name: String,
    /// Index of the symbol that it lies in; `None` for the file.
    pub parent: Option<u32>,
    /// All of it, with documentation and attributes.
    pub whole: Span,
    /// Its documentation; before the symbol proper, or at the start of its body.
    pub docs: Span,
    /// What says how it is used.
    pub signature: Span,
    /// What the signature is followed by; empty if there is nothing.
    pub body: Span,
    /// Its first and last line, from 1, with documentation.
    pub lines: (u32, u32),
}

/// The symbols of one text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outline {
    /// In the order of the text, parents first; the first is the file.
    pub symbols: Vec<Symbol>,
}

impl Outline {
    /// Outlines `text`, by the extension of `path`.
    #[must_use]
    pub fn new(path: &str, text: &str) -> Self {
        let mut draft = Draft::new(path, text);
        if text.len() <= MAX_PARSED_BYTES && !has_endless_line(text) {
            match Language::of_path(path) {
                Some(language) => code::read(language, text, &mut draft),
                None if data::is_data(path) => data::read(path, text, &mut draft),
                None => text::read(path, text, &mut draft),
            }
        }
        draft.finish()
    }

    /// The names of the symbols around `idx`, outermost first, without the file's.
    #[must_use]
    pub fn containers(&self, idx: usize) -> Vec<&str> {
        let mut names = Vec::new();
        let mut at = self.symbols.get(idx).and_then(|it| it.parent);
        while let Some(symbol) = at.and_then(|it| self.symbols.get(it as usize)).filter(|it| it.kind != Kind::File) {
            names.push(symbol.name.as_str());
            at = symbol.parent;
        }
        names.reverse();
        names
    }

    /// Its name behind those around it.
    #[must_use]
    pub fn qualified(&self, idx: usize) -> String {
        let mut names = self.containers(idx);
        names.extend(self.symbols.get(idx).map(|it| it.name.as_str()));
        names.join("::")
    }

    /// The symbols that lie directly in `idx`.
    pub fn children(&self, idx: usize) -> impl Iterator<Item = usize> {
        let end = self.symbols.get(idx).map_or(0, |it| it.whole.end);
        let inside = move |&at: &usize| self.symbols.get(at).is_some_and(|it| it.whole.start < end);
        (idx + 1..self.symbols.len())
            .take_while(inside)
            .filter(move |&it| self.symbols.get(it).and_then(|it| it.parent) == Some(idx as u32))
    }
}

fn has_endless_line(text: &str) -> bool {
    text.split('\n').any(|line| line.len() > MAX_LINE_BYTES)
}

/// Symbols as they are found, in any order.
pub(super) struct Draft {
    /// Where each line starts.
    starts: Vec<usize>,
    n_bytes: usize,
    symbols: Vec<Symbol>,
}

impl Draft {
    fn new(path: &str, text: &str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let mut draft = Self { starts, n_bytes: text.len(), symbols: Vec::new() };
        let whole = Span::new(0, text.len());
        let name = path.rsplit('/').next().unwrap_or(path).to_owned();
        draft.add(Symbol { name, body: whole, ..draft.symbol(Kind::File, whole) });
        draft
    }

    /// A symbol at a place, with all else to be filled in.
    pub(super) fn symbol(&self, kind: Kind, whole: Span) -> Symbol {
        let line = |at: usize| self.starts.partition_point(|&start| start <= at) as u32;
        let last = (whole.end as usize).saturating_sub(1).max(whole.start as usize);
        Symbol {
            kind,
            name: String::new(),
            parent: None,
            whole,
            docs: Span::new(whole.start as usize, whole.start as usize),
            signature: Span::default(),
            body: Span::default(),
            lines: (line(whole.start as usize), line(last)),
        }
    }

    pub(super) fn add(&mut self, symbol: Symbol) {
        if self.symbols.len() < MAX_SYMBOLS {
            self.symbols.push(symbol);
        }
    }

    /// The file's own documentation.
    pub(super) fn set_file_docs(&mut self, docs: Span) {
        if let Some(file) = self.symbols.first_mut() {
            file.docs = docs;
        }
    }

    /// Where the line with this byte starts.
    pub(super) fn line_start(&self, at: usize) -> usize {
        let line = self.starts.partition_point(|&start| start <= at);
        self.starts.get(line.saturating_sub(1)).copied().unwrap_or(0)
    }

    /// Where the line with this byte starts, if only white space stands between, else `at`.
    pub(super) fn line_start_if_blank(&self, text: &str, at: usize) -> usize {
        let start = self.line_start(at);
        if text.get(start..at).is_some_and(|it| it.trim().is_empty()) { start } else { at }
    }

    /// The start of each line and of the next one, without an empty last one.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, usize)> {
        let ends = self.starts.iter().skip(1).copied().chain(std::iter::once(self.n_bytes));
        self.starts.iter().copied().zip(ends).filter(|(start, end)| start < end)
    }

    /// Sorts what was found and nests it. Of two symbols at the same place the one with a body stays.
    fn finish(mut self) -> Outline {
        let key =
            |it: &Symbol| (it.kind != Kind::File, it.whole.start, std::cmp::Reverse(it.whole.end), it.body.is_empty());
        self.symbols.sort_by_key(key);
        self.symbols.dedup_by(|later, kept| later.whole == kept.whole && kept.kind != Kind::File);
        let mut open: Vec<usize> = Vec::new();
        for at in 0..self.symbols.len() {
            let whole = self.symbols[at].whole;
            while open.len() > 1 && open.last().is_some_and(|&it| !self.symbols[it].whole.holds(whole)) {
                open.pop();
            }
            self.symbols[at].parent = open.last().map(|&it| it as u32);
            open.push(at);
        }
        Outline { symbols: self.symbols }
    }
}
