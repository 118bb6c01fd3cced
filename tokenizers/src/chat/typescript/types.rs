//! One JSON schema as a TypeScript type, with comments for what types cannot say.

use std::cell::Cell;

use serde_json::{Map, Value};

use super::{Lines, Style};

/// Schemas may refer to themselves.
pub(super) const MAX_DEPTH: usize = 12;

/// References that branch could still make a page of every word.
const MAX_BYTES: usize = 1 << 20;

/// Keywords that are written after the default, in this order.
const LIMITS: &[&str] = &[
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minItems",
    "maxItems",
    "format",
];

pub(super) struct Writer<'a> {
    style: &'a Style,
    root: &'a Value,
    written: Cell<usize>,
}

/// A schema with what it refers to below it.
#[derive(Clone, Copy)]
struct Schema<'a> {
    own: &'a Value,
    target: Option<&'a Value>,
}

impl<'a> Schema<'a> {
    fn get(self, key: &str) -> Option<&'a Value> {
        self.own.get(key).or_else(|| self.target?.get(key))
    }

    fn text(self, key: &str) -> &'a str {
        self.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    fn list(self, key: &str) -> Option<&'a [Value]> {
        self.get(key).and_then(Value::as_array).map(Vec::as_slice).filter(|list| !list.is_empty())
    }
}

/// A type as it is written, and whether there are comments in it.
struct Type {
    text: String,
    commented: bool,
}

impl Type {
    fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), commented: false }
    }
}

/// A variant of a union or the item of a list: its comment above, the type, and the notes behind it.
struct Variant {
    above: String,
    of: Type,
    notes: String,
}

impl Variant {
    fn is_bare(&self) -> bool {
        self.above.is_empty() && self.notes.is_empty() && !self.of.commented
    }

    fn behind(&self) -> String {
        if self.notes.is_empty() { String::new() } else { format!(" // {}", self.notes) }
    }
}

impl<'a> Writer<'a> {
    pub fn new(style: &'a Style, root: &'a Value) -> Self {
        Self { style, root, written: Cell::new(0) }
    }

    pub fn arguments(&self, properties: &'a Map<String, Value>) -> String {
        let root = self.resolve(self.root);
        let mut comments = String::new();
        if self.style.annotated {
            comments.push_str(&self.comment(root.text("title"), 0));
            comments.push_str(&self.comment(root.text("description"), 0));
        }
        let gap = if comments.is_empty() { self.style.before_brace } else { " " };
        format!("(_:{gap}{comments}{{\n{}}})", self.properties(properties, root, 0).text)
    }

    pub fn comment(&self, text: &str, depth: usize) -> String {
        if text.is_empty() {
            return String::new();
        }
        let indent = self.indent(depth);
        self.spend(text.len());
        if self.style.lines == Lines::First {
            return format!("{indent}// {text}\n");
        }
        let lines = text.lines().map(str::trim);
        lines.map(|line| format!("{indent}//{}{line}\n", if line.is_empty() { "" } else { " " })).collect()
    }

    fn properties(&self, properties: &'a Map<String, Value>, of: Schema<'a>, depth: usize) -> Type {
        let required = of.list("required").unwrap_or_default();
        let mut all = Type::plain("");
        for (name, schema) in properties {
            let mark = if required.iter().any(|it| it == name.as_str()) { "" } else { "?" };
            let line = self.property(&format!("{name}{mark}:"), self.resolve(schema), depth);
            all.commented |= line.commented;
            all.text.push_str(&line.text);
        }
        all
    }

    /// Notes stand behind a type of one line and above any other.
    fn property(&self, name: &str, schema: Schema<'a>, depth: usize) -> Type {
        let above = self.above(schema, depth);
        let value = self.type_of(schema, depth);
        let notes = self.notes(schema);
        let gap = if value.text.starts_with('\n') { "" } else { " " };
        let line = format!("{}{name}{gap}{},", self.indent(depth), value.text);
        self.spend(name.len() + notes.len());
        let commented = value.commented || !above.is_empty() || !notes.is_empty();
        let text = match (notes.is_empty(), self.style.hosted && value.commented) {
            (true, _) => format!("{above}{line}\n"),
            (false, true) => format!("{above}// {notes}\n{line}\n"),
            (false, false) => format!("{above}{line} // {notes}\n"),
        };
        Type { text, commented }
    }

    fn above(&self, schema: Schema<'a>, depth: usize) -> String {
        if depth >= self.style.described_depth {
            return String::new();
        }
        let mut out = String::new();
        if self.style.annotated {
            out.push_str(&self.comment(schema.text("title"), depth));
        }
        out.push_str(&self.comment(schema.text("description"), depth));
        if let Some(examples) = schema.list("examples").filter(|_| self.style.annotated) {
            out.push_str(&self.comment("Examples:", depth));
            examples.iter().for_each(|it| out.push_str(&self.comment(&format!("- {it}"), depth)));
        }
        out
    }

    /// The default, and on hosted models the limits.
    fn notes(&self, schema: Schema<'a>) -> String {
        if !self.style.annotated {
            return String::new();
        }
        let mut notes = Vec::new();
        if let Some(default) = schema.get("default") {
            let bare = schema.get("enum").filter(|_| !self.style.hosted).and_then(|_| default.as_str());
            notes.push(format!("default: {}", bare.map_or_else(|| default.to_string(), str::to_owned)));
        }
        if self.style.hosted {
            let limits = LIMITS.iter().filter_map(|limit| Some(format!("{limit}: {}", schema.get(limit)?)));
            notes.extend(limits);
            notes.extend(schema.get("pattern").and_then(Value::as_str).map(|it| format!("pattern: /{it}/")));
        }
        notes.join(", ")
    }

    fn type_of(&self, schema: Schema<'a>, depth: usize) -> Type {
        if depth >= MAX_DEPTH || self.written.get() >= MAX_BYTES {
            return self.leaf("any".to_owned());
        }
        if let Some(variants) = schema.list("anyOf").or_else(|| schema.list("oneOf")) {
            return self.union(variants, depth);
        }
        if let Some([only]) = schema.list("allOf") {
            return self.type_of(self.resolve(only), depth + 1);
        }
        if let Some(values) = schema.list("enum") {
            return self.leaf(values.iter().map(Value::to_string).collect::<Vec<_>>().join(" | "));
        }
        match schema.get("type") {
            Some(Value::Array(names)) => self.named_union(schema, names, depth),
            Some(Value::String(name)) => self.named(schema, name, depth),
            _ if schema.get("properties").is_some() => self.object(schema, depth),
            _ => self.leaf(schema.get("const").map_or_else(|| "any".to_owned(), Value::to_string)),
        }
    }

    fn variant(&self, schema: &'a Value, depth: usize) -> Variant {
        let schema = self.resolve(schema);
        let of = self.type_of(schema, depth + 1);
        if !self.style.hosted {
            return Variant { above: String::new(), of, notes: String::new() };
        }
        Variant { above: self.above(schema, depth + 1), of, notes: self.notes(schema) }
    }

    fn union(&self, variants: &'a [Value], depth: usize) -> Type {
        let variants: Vec<Variant> = variants.iter().map(|it| self.variant(it, depth)).collect();
        if !self.style.hosted || variants.iter().all(Variant::is_bare) {
            return joined(variants.into_iter().map(|it| it.of));
        }
        let lines = variants.iter().map(|it| format!("{} | {}{}\n", it.above, it.of.text, it.behind()));
        Type { text: format!("\n{}", lines.collect::<String>()), commented: true }
    }

    fn named_union(&self, schema: Schema<'a>, names: &'a [Value], depth: usize) -> Type {
        joined(names.iter().filter_map(Value::as_str).map(|name| self.named(schema, name, depth)))
    }

    fn named(&self, schema: Schema<'a>, name: &str, depth: usize) -> Type {
        match name {
            "object" => self.object(schema, depth),
            "array" => self.array(schema, depth),
            "number" | "integer" => self.leaf("number".to_owned()),
            "string" | "boolean" | "null" => self.leaf(name.to_owned()),
            _ => self.leaf("any".to_owned()),
        }
    }

    fn object(&self, schema: Schema<'a>, depth: usize) -> Type {
        let properties = schema.get("properties").and_then(Value::as_object).filter(|it| !it.is_empty());
        let Some(properties) = properties else { return self.leaf("object".to_owned()) };
        let inner = self.properties(properties, schema, depth + 1);
        Type { text: format!("{{\n{}{}}}", inner.text, self.indent(depth)), commented: inner.commented }
    }

    fn array(&self, schema: Schema<'a>, depth: usize) -> Type {
        let Some(items) = schema.get("items") else { return self.leaf("any[]".to_owned()) };
        let item = self.variant(items, depth);
        if !self.style.hosted || item.is_bare() {
            return Type { text: format!("{}[]", item.of.text), commented: item.of.commented };
        }
        Type { text: format!("Array<\n{}{}{}\n>", item.above, item.of.text, item.behind()), commented: true }
    }

    fn leaf(&self, text: String) -> Type {
        self.spend(text.len());
        Type::plain(text)
    }

    fn spend(&self, bytes: usize) {
        self.written.set(self.written.get().saturating_add(bytes));
    }

    fn indent(&self, depth: usize) -> String {
        " ".repeat(depth * self.style.indent)
    }

    /// What `#/…` refers to; other references stay unresolved.
    fn resolve(&self, schema: &'a Value) -> Schema<'a> {
        let mut target = None;
        let mut at = schema;
        for _ in 0..MAX_DEPTH {
            let Some(pointer) = at.get("$ref").and_then(Value::as_str).and_then(|it| it.strip_prefix('#')) else {
                break;
            };
            let Some(next) = self.root.pointer(pointer) else { break };
            (target, at) = (Some(next), next);
        }
        Schema { own: schema, target }
    }
}

fn joined(types: impl Iterator<Item = Type>) -> Type {
    let mut all = Type::plain("");
    for (idx, each) in types.enumerate() {
        all.text.push_str(if idx == 0 { "" } else { " | " });
        all.text.push_str(&each.text);
        all.commented |= each.commented;
    }
    all
}
