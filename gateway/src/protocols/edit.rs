//! Editing a body that stays in its format: bytes that are not replaced are not touched.

use std::ops::Range;

use super::{
    json::{Kind, Node, Tape, quote},
    read,
    refusal::Refusal,
};

/// One entry of a body's `tools`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolEntry<'a> {
    /// The bytes of the entry.
    pub raw: &'a str,
    /// The vendor's own tools may have none.
    pub name: Option<String>,
    pub description: Option<String>,
    /// Its JSON schema; the vendor's own tools have none.
    pub schema: Option<&'a str>,
}

/// A body of any format, read once, and the changes that are to be made to it.
#[derive(Debug)]
pub struct Body<'a> {
    text: &'a str,
    tape: Tape<'a>,
    /// Places and what comes there instead.
    changes: Vec<(Range<usize>, String)>,
    /// Members that come at the end.
    additions: Vec<String>,
}

impl<'a> Body<'a> {
    /// Refuses what is no JSON object.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Refusal> {
        let tape = read::body(bytes)?;
        let text = std::str::from_utf8(bytes).unwrap_or_default();
        Ok(Self { text, tape, changes: Vec::new(), additions: Vec::new() })
    }

    /// The whole body, to read from.
    pub fn root(&self) -> Node<'_> {
        self.tape.root()
    }

    /// The tools in their order; none where there are none.
    pub fn tools(&self) -> Result<Vec<ToolEntry<'_>>, Refusal> {
        self.root().want_items("tools")?.into_iter().map(|it| Ok(entry(it.need_object()?))).collect()
    }

    pub fn set_model(&mut self, model: &str) {
        self.set("model", quoted(model));
    }

    /// Asks for the usage at the end of a stream, which chat completions else leave out.
    pub fn include_usage(&mut self) {
        let Some(options) = self.root().get("stream_options").filter(|it| it.kind() == Kind::Object) else {
            self.set("stream_options", r#"{"include_usage":true}"#.to_owned());
            return;
        };
        let change = match options.member("include_usage") {
            Some(value) => (value.span(), "true".to_owned()),
            None => appended(options, r#""include_usage":true"#),
        };
        self.changes.push(change);
    }

    /// The tools become `entries`, each of them JSON.
    pub fn replace_tools<T: AsRef<str>>(&mut self, entries: &[T]) {
        let entries: Vec<_> = entries.iter().map(AsRef::as_ref).collect();
        self.set("tools", format!("[{}]", entries.join(",")));
    }

    /// `entries` come after the tools that are there, which keep their bytes.
    pub fn append_tools<T: AsRef<str>>(&mut self, entries: &[T]) {
        if entries.is_empty() {
            return;
        }
        match self.root().get("tools").filter(|it| it.kind() == Kind::Array) {
            Some(tools) => {
                let entries: Vec<_> = entries.iter().map(AsRef::as_ref).collect();
                self.changes.push(appended(tools, &entries.join(",")));
            }
            None => self.replace_tools(entries),
        }
    }

    /// Replaces the member in its place, or adds it at the end. `value` must be JSON.
    pub fn set(&mut self, key: &str, value: String) {
        match self.root().member(key) {
            Some(old) => self.changes.push((old.span(), value)),
            None => self.additions.push(format!("{}:{value}", quoted(key))),
        }
    }

    /// The body with its changes. Of two changes of one place the later one counts.
    pub fn finish(mut self) -> Vec<u8> {
        if !self.additions.is_empty() {
            let addition = appended(self.root(), &self.additions.join(","));
            self.changes.push(addition);
        }
        self.changes.reverse();
        self.changes.sort_by_key(|(range, _)| (range.start, range.end));
        self.changes.dedup_by(|later, earlier| later.0 == earlier.0 && !later.0.is_empty());
        let mut out = Vec::with_capacity(self.text.len() + 64);
        let mut from = 0;
        for (range, text) in self.changes.iter().filter(|(range, _)| range.start <= range.end) {
            out.extend_from_slice(self.text.get(from..range.start).unwrap_or_default().as_bytes());
            out.extend_from_slice(text.as_bytes());
            from = range.end;
        }
        out.extend_from_slice(self.text.get(from..).unwrap_or_default().as_bytes());
        out
    }
}

fn quoted(text: &str) -> String {
    let mut out = Vec::new();
    quote(&mut out, text);
    String::from_utf8_lossy(&out).into_owned()
}

/// `text` after the last element of an array or object.
fn appended(container: Node<'_>, text: &str) -> (Range<usize>, String) {
    let last = match container.kind() {
        Kind::Array => container.items().last(),
        _ => container.members().last().map(|(_, value)| value),
    };
    match last {
        Some(last) => (last.span().end..last.span().end, format!(",{text}")),
        None => {
            let at = container.span().start + 1;
            (at..at, text.to_owned())
        }
    }
}

/// Name, description and schema lie deeper in chat completions, and Anthropic calls the schema otherwise.
fn entry<'t>(node: Node<'t>) -> ToolEntry<'t> {
    let inner = node.get("function").or_else(|| node.get("custom")).unwrap_or(node);
    let string = |key| inner.get(key).and_then(Node::str).map(String::from);
    let schema = inner.get("parameters").or_else(|| inner.get("input_schema"));
    ToolEntry {
        raw: node.raw(),
        name: string("name"),
        description: string("description"),
        schema: schema.filter(|it| it.kind() == Kind::Object).map(Node::raw),
    }
}
