//! Values in Python's spelling: `json.dumps`, `repr` and `str`.

use minijinja::{Error, ErrorKind, Value, value::ValueKind};

/// Deeper values are refused; JSON readers stop there too.
const MAX_DEPTH: usize = 128;

/// The widest indentation that is taken.
const MAX_INDENT: usize = 16;

/// How `json.dumps` writes.
pub(super) struct Style {
    indent: Option<usize>,
    is_sorted: bool,
    is_ascii: bool,
    item: String,
    key: String,
}

impl Style {
    pub(super) fn new(indent: Option<usize>, is_sorted: bool, is_ascii: bool, separators: Option<Vec<String>>) -> Self {
        let mut separators = separators.unwrap_or_default().into_iter();
        let item = separators.next().unwrap_or_else(|| if indent.is_some() { "," } else { ", " }.to_owned());
        let key = separators.next().unwrap_or_else(|| ": ".to_owned());
        Self { indent: indent.map(|it| it.min(MAX_INDENT)), is_sorted, is_ascii, item, key }
    }
}

/// # Errors
/// Where the value is no JSON or nests too deep.
pub(super) fn json(value: &Value, style: &Style) -> Result<String, Error> {
    let mut out = String::new();
    write_json(value, style, 0, &mut out)?;
    Ok(out)
}

fn too_deep() -> Error {
    Error::new(ErrorKind::InvalidOperation, format!("a value nests over {MAX_DEPTH} deep"))
}

fn write_json(value: &Value, style: &Style, depth: usize, out: &mut String) -> Result<(), Error> {
    if depth > MAX_DEPTH {
        return Err(too_deep());
    }
    match value.kind() {
        ValueKind::None => out.push_str("null"),
        ValueKind::Bool => out.push_str(if value.is_true() { "true" } else { "false" }),
        ValueKind::Number => out.push_str(&number(value)),
        ValueKind::String => quote(value.as_str().unwrap_or_default(), style.is_ascii, out),
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value.try_iter()?.checked().collect::<Result<Vec<_>, _>>()?;
            list(style, depth, ('[', ']'), items.len(), out, |idx, out| {
                write_json(&items[idx], style, depth + 1, out)
            })?;
        }
        ValueKind::Map => {
            let mut pairs: Vec<(Value, Value)> =
                value.as_object().and_then(|object| object.try_iter_pairs()).into_iter().flatten().collect();
            if style.is_sorted {
                pairs.sort_by_key(|(key, _)| key.to_string());
            }
            list(style, depth, ('{', '}'), pairs.len(), out, |idx, out| {
                let (key, value) = &pairs[idx];
                match key.as_str() {
                    Some(key) => quote(key, style.is_ascii, out),
                    None => quote(&key.to_string(), style.is_ascii, out),
                }
                out.push_str(&style.key);
                write_json(value, style, depth + 1, out)
            })?;
        }
        kind => {
            let problem = format!("a value of the kind {kind} is no JSON");
            return Err(Error::new(ErrorKind::InvalidOperation, problem));
        }
    }
    Ok(())
}

fn list(
    style: &Style,
    depth: usize,
    (open, close): (char, char),
    n_items: usize,
    out: &mut String,
    mut item: impl FnMut(usize, &mut String) -> Result<(), Error>,
) -> Result<(), Error> {
    let line = |depth: usize, out: &mut String| {
        if let Some(indent) = style.indent.filter(|_| n_items > 0) {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent * depth));
        }
    };
    out.push(open);
    for idx in 0..n_items {
        if idx > 0 {
            out.push_str(&style.item);
        }
        line(depth + 1, out);
        item(idx, out)?;
    }
    line(depth, out);
    out.push(close);
    Ok(())
}

/// What stays as it is goes over in runs.
fn quote(text: &str, is_ascii: bool, out: &mut String) {
    let is_escaped =
        |char: char| char < ' ' || matches!(char, '"' | '\\') || (is_ascii && !(' '..='~').contains(&char));
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.find(is_escaped) {
        out.push_str(&rest[..at]);
        let Some(char) = rest[at..].chars().next() else { break };
        escape(char, out);
        rest = &rest[at + char.len_utf8()..];
    }
    out.push_str(rest);
    out.push('"');
}

fn escape(char: char, out: &mut String) {
    match char {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        _ => {
            let mut units = [0; 2];
            out.extend(char.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
}

fn number(value: &Value) -> String {
    if value.is_integer() {
        return value.to_string();
    }
    f64::try_from(value.clone()).map_or_else(|_| value.to_string(), float)
}

/// Python's `repr` of a float: the shortest digits, with an exponent below 1e-4 and from 1e16 on.
fn float(number: f64) -> String {
    if !number.is_finite() {
        return if number.is_nan() {
            "NaN"
        } else if number > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        }
        .to_owned();
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    match exponent {
        -4..16 if number.fract() == 0.0 => format!("{number:.1}"),
        -4..16 => number.to_string(),
        _ => format!("{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs()),
    }
}

/// What `{{ value }}` writes.
///
/// # Errors
/// Where the value nests too deep.
pub(super) fn display(value: &Value) -> Result<String, Error> {
    match value.kind() {
        ValueKind::Undefined => Ok(String::new()),
        ValueKind::String => Ok(value.as_str().unwrap_or_default().to_owned()),
        _ => {
            let mut out = String::new();
            repr(value, 0, &mut out)?;
            Ok(out)
        }
    }
}

/// The filter `string`.
///
/// # Errors
/// Where the value nests too deep.
pub(super) fn string(value: &Value) -> Result<Value, Error> {
    if value.kind() == ValueKind::String { Ok(value.clone()) } else { Ok(Value::from(display(value)?)) }
}

fn repr(value: &Value, depth: usize, out: &mut String) -> Result<(), Error> {
    if depth > MAX_DEPTH {
        return Err(too_deep());
    }
    let plain = Style::new(None, false, false, None);
    match value.kind() {
        ValueKind::None => out.push_str("None"),
        ValueKind::Bool => out.push_str(if value.is_true() { "True" } else { "False" }),
        ValueKind::Number => out.push_str(&number(value)),
        ValueKind::String => out.push_str(&quoted(value.as_str().unwrap_or_default())),
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value.try_iter()?.checked().collect::<Result<Vec<_>, _>>()?;
            list(&plain, depth, ('[', ']'), items.len(), out, |idx, out| repr(&items[idx], depth + 1, out))?;
        }
        ValueKind::Map => {
            let keys = value.try_iter()?.checked().collect::<Result<Vec<_>, _>>()?;
            list(&plain, depth, ('{', '}'), keys.len(), out, |idx, out| {
                repr(&keys[idx], depth + 1, out)?;
                out.push_str(": ");
                repr(&value.get_item(&keys[idx])?, depth + 1, out)
            })?;
        }
        _ => out.push_str(&value.to_string()),
    }
    Ok(())
}

/// A string in single quotes, or in double ones where it has single ones only.
fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::from(quote);
    for char in text.chars() {
        match char {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if char == quote => out.extend(['\\', char]),
            _ if char < ' ' || char == '\u{7f}' => out.push_str(&format!("\\x{:02x}", u32::from(char))),
            _ => out.push(char),
        }
    }
    out.push(quote);
    out
}
