//! A JSON text read in one pass into a flat list of its values, each with the place of its bytes.
//!
//! Nothing is converted before it is asked for, so that a schema of any size costs one scan and keeps its bytes. Of
//! duplicate keys the last one counts, as with most readers.

use std::borrow::Cow;

/// Arrays and objects inside one another.
const MAX_DEPTH: usize = 128;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Null,
    Bool,
    Number,
    String,
    Array,
    Object,
}

/// One value: its bytes, and the index of the entry after all of its own.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    start: u32,
    end: u32,
    next: u32,
    kind: Kind,
}

/// Why a text is not JSON that we read, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonError {
    pub what: &'static str,
    pub byte: usize,
}

/// A whole text, read.
#[derive(Debug)]
pub struct Tape<'a> {
    text: &'a str,
    entries: Vec<Entry>,
}

impl<'a> Tape<'a> {
    pub fn parse(text: &'a str) -> Result<Self, JsonError> {
        Self::parse_into(text, Vec::new())
    }

    /// As [`Self::parse`], in a list that is used again; see [`Self::into_entries`].
    pub fn parse_into(text: &'a str, mut entries: Vec<Entry>) -> Result<Self, JsonError> {
        entries.clear();
        if u32::try_from(text.len()).is_err() {
            return Err(JsonError { what: "more than 4 GiB", byte: 0 });
        }
        let mut scan = Scan { bytes: text.as_bytes(), at: 0, entries };
        scan.value(0)?;
        scan.space();
        match scan.at == text.len() {
            true => Ok(Self { text, entries: scan.entries }),
            false => Err(scan.error("text after the value")),
        }
    }

    pub fn root(&self) -> Node<'_> {
        Node { tape: self, idx: 0 }
    }

    pub fn into_entries(self) -> Vec<Entry> {
        self.entries
    }
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    entries: Vec<Entry>,
}

impl Scan<'_> {
    fn error(&self, what: &'static str) -> JsonError {
        JsonError { what, byte: self.at }
    }

    fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    fn space(&mut self) {
        while matches!(self.peek(), b' ' | b'\n' | b'\r' | b'\t') {
            self.at += 1;
        }
    }

    /// Past `byte` and the white space before it, if it comes next.
    fn eat(&mut self, byte: u8) -> bool {
        self.space();
        let found = self.peek() == byte && self.at < self.bytes.len();
        self.at += usize::from(found);
        found
    }

    fn value(&mut self, depth: usize) -> Result<(), JsonError> {
        self.space();
        let (idx, start) = (self.entries.len(), self.at);
        self.entries.push(Entry { start: start as u32, end: 0, next: 0, kind: Kind::Null });
        let kind = match self.peek() {
            b'"' => self.string()?,
            b'{' => self.object(depth + 1)?,
            b'[' => self.array(depth + 1)?,
            b'-' | b'0'..=b'9' => self.number()?,
            b't' => self.word(b"true", Kind::Bool)?,
            b'f' => self.word(b"false", Kind::Bool)?,
            b'n' => self.word(b"null", Kind::Null)?,
            _ if self.at >= self.bytes.len() => return Err(self.error("the text ends where a value is due")),
            _ => return Err(self.error("not a value")),
        };
        let next = self.entries.len() as u32;
        self.entries[idx] = Entry { start: start as u32, end: self.at as u32, next, kind };
        Ok(())
    }

    fn word(&mut self, word: &[u8], kind: Kind) -> Result<Kind, JsonError> {
        if !self.bytes[self.at..].starts_with(word) {
            return Err(self.error("not a value"));
        }
        self.at += word.len();
        Ok(kind)
    }

    fn enter(&mut self, depth: usize) -> Result<(), JsonError> {
        self.at += 1;
        if depth > MAX_DEPTH { Err(self.error("nested more than 128 levels deep")) } else { Ok(()) }
    }

    fn array(&mut self, depth: usize) -> Result<Kind, JsonError> {
        self.enter(depth)?;
        if self.eat(b']') {
            return Ok(Kind::Array);
        }
        loop {
            self.value(depth)?;
            if self.eat(b']') {
                return Ok(Kind::Array);
            }
            if !self.eat(b',') {
                return Err(self.error("`,` or `]` is due"));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Kind, JsonError> {
        self.enter(depth)?;
        if self.eat(b'}') {
            return Ok(Kind::Object);
        }
        loop {
            self.space();
            if self.peek() != b'"' {
                return Err(self.error("a key is due"));
            }
            self.value(depth)?;
            if !self.eat(b':') {
                return Err(self.error("`:` is due"));
            }
            self.value(depth)?;
            if self.eat(b'}') {
                return Ok(Kind::Object);
            }
            if !self.eat(b',') {
                return Err(self.error("`,` or `}` is due"));
            }
        }
    }

    fn string(&mut self) -> Result<Kind, JsonError> {
        self.at += 1;
        loop {
            let rest = &self.bytes[self.at..];
            let Some(plain) = rest.iter().position(|&it| it == b'"' || it == b'\\' || it < 0x20) else {
                return Err(self.error("a string does not end"));
            };
            self.at += plain;
            match self.peek() {
                b'"' => break,
                b'\\' => self.escape()?,
                _ => return Err(self.error("a control character in a string")),
            }
        }
        self.at += 1;
        Ok(Kind::String)
    }

    fn escape(&mut self) -> Result<(), JsonError> {
        let rest = &self.bytes[self.at + 1..];
        let length = match rest.first() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
            Some(b'u') if rest.len() > 4 && rest[1..5].iter().all(u8::is_ascii_hexdigit) => 6,
            _ => return Err(self.error("not an escape")),
        };
        self.at += length;
        Ok(())
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        if self.at == start { Err(self.error("a digit is due")) } else { Ok(()) }
    }

    fn number(&mut self) -> Result<Kind, JsonError> {
        self.at += usize::from(self.peek() == b'-');
        match self.peek() {
            b'0' => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == b'.' {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), b'e' | b'E') {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), b'+' | b'-'));
            self.digits()?;
        }
        Ok(Kind::Number)
    }
}

/// One value of a tape.
#[derive(Clone, Copy, Debug)]
pub struct Node<'t> {
    tape: &'t Tape<'t>,
    idx: u32,
}

impl<'t> Node<'t> {
    fn entry(self) -> Entry {
        self.tape.entries[self.idx as usize]
    }

    pub fn kind(self) -> Kind {
        self.entry().kind
    }

    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// The bytes as they came.
    pub fn raw(self) -> &'t str {
        let range = self.span();
        self.tape.text.get(range).unwrap_or_default()
    }

    /// Where the bytes are in the whole text.
    pub fn span(self) -> std::ops::Range<usize> {
        let entry = self.entry();
        entry.start as usize..entry.end as usize
    }

    fn children(self) -> impl Iterator<Item = Node<'t>> {
        let entry = self.entry();
        let inside = matches!(entry.kind, Kind::Array | Kind::Object);
        let mut idx = if inside { self.idx + 1 } else { entry.next };
        std::iter::from_fn(move || {
            let node = (idx < entry.next).then_some(Node { tape: self.tape, idx })?;
            idx = node.entry().next;
            Some(node)
        })
    }

    /// The elements, of an array; nothing of anything else.
    pub fn items(self) -> impl Iterator<Item = Node<'t>> {
        let is_array = self.kind() == Kind::Array;
        self.children().take_while(move |_| is_array)
    }

    /// Keys and values in their order, of an object; nothing of anything else.
    pub fn members(self) -> impl Iterator<Item = (Cow<'t, str>, Node<'t>)> {
        let is_object = self.kind() == Kind::Object;
        let mut children = self.children();
        std::iter::from_fn(move || {
            let key = children.next().filter(|_| is_object)?;
            Some((key.str().unwrap_or_default(), children.next()?))
        })
    }

    /// The member, also where it is `null`.
    pub fn member(self, key: &str) -> Option<Node<'t>> {
        self.members().filter(|(name, _)| name == key).last().map(|(_, value)| value)
    }

    /// The member; `null` is read as absent.
    pub fn get(self, key: &str) -> Option<Node<'t>> {
        self.member(key).filter(|it| !it.is_null())
    }

    /// The text of a string. Half of a surrogate pair becomes the replacement character: UTF-8 has no place for it.
    pub fn str(self) -> Option<Cow<'t, str>> {
        if self.kind() != Kind::String {
            return None;
        }
        let raw = self.raw();
        let inner = raw.get(1..raw.len().checked_sub(1)?)?;
        Some(if inner.contains('\\') { Cow::Owned(unescape(inner)) } else { Cow::Borrowed(inner) })
    }

    /// The member's text, or nothing where it is no string.
    pub fn text_of(self, key: &str) -> Cow<'t, str> {
        self.get(key).and_then(Self::str).unwrap_or_default()
    }

    pub fn bool(self) -> Option<bool> {
        (self.kind() == Kind::Bool).then(|| self.raw() == "true")
    }

    /// A number without a fraction, from 0 to 2^64 - 1.
    pub fn u64(self) -> Option<u64> {
        if self.kind() != Kind::Number {
            return None;
        }
        let raw = self.raw();
        let whole = || raw.parse::<f64>().ok().filter(|it| it.fract() == 0.0 && (0.0..9e15).contains(it));
        raw.parse().ok().or_else(|| whole().map(|it| it as u64))
    }

    pub fn f64(self) -> Option<f64> {
        if self.kind() != Kind::Number {
            return None;
        }
        self.raw().parse().ok()
    }

    /// The count under `key`, 0 where there is none.
    pub fn count_of(self, key: &str) -> u64 {
        self.get(key).and_then(Self::u64).unwrap_or(0)
    }

    /// Where the value is: `messages[2].content[0].type`, or nothing for the whole text.
    pub fn path(self) -> String {
        let mut path = String::new();
        let mut node = self.tape.root();
        while node.idx != self.idx {
            let holds = |it: Node<'_>| it.idx <= self.idx && self.idx < it.entry().next;
            let step = match node.kind() {
                Kind::Array => {
                    node.items().enumerate().find(|(_, it)| holds(*it)).map(|(n, it)| (format!("[{n}]"), it))
                }
                _ => node.members().find(|(_, it)| holds(*it)).map(|(key, it)| (format!(".{key}"), it)),
            };
            let Some((name, inner)) = step else { break };
            path.push_str(if path.is_empty() { name.trim_start_matches('.') } else { &name });
            node = inner;
        }
        path
    }
}

fn unescape(inner: &str) -> String {
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let (character, length) = escaped(rest);
        out.push(character);
        rest = &rest[length..];
    }
    out.push_str(rest);
    out
}

/// The character that the escape at the start of `rest` (past its backslash) means, and the bytes it takes.
fn escaped(rest: &str) -> (char, usize) {
    match rest.as_bytes().first() {
        Some(b'b') => ('\u{8}', 1),
        Some(b'f') => ('\u{c}', 1),
        Some(b'n') => ('\n', 1),
        Some(b'r') => ('\r', 1),
        Some(b't') => ('\t', 1),
        Some(b'u') => unicode_escape(rest),
        Some(&byte) => (char::from(byte), 1),
        None => (char::REPLACEMENT_CHARACTER, 0),
    }
}

fn unicode_escape(rest: &str) -> (char, usize) {
    let code_at = |at: usize| rest.get(at..at + 4).and_then(|it| u32::from_str_radix(it, 16).ok());
    let first = code_at(1).unwrap_or(0);
    let second = rest.get(5..7).filter(|it| *it == "\\u").and_then(|_| code_at(7));
    if let (0xD800..=0xDBFF, Some(low @ 0xDC00..=0xDFFF)) = (first, second) {
        let code = 0x10000 + ((first - 0xD800) << 10) + (low - 0xDC00);
        return (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 11);
    }
    (char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 5)
}
