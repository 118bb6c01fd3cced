//! The request headers of 2026-07-28 that mirror the body (streamable HTTP, "Request Metadata"): written for upstreams,
//! checked for clients. Pure functions over names and values.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::{
    era::HEADER_MISMATCH,
    jsonrpc::{Fault, Request},
    object::RawObject,
};

pub const PROTOCOL_VERSION: &str = "mcp-protocol-version";
pub const SESSION_ID: &str = "mcp-session-id";
pub const METHOD: &str = "mcp-method";
pub const NAME: &str = "mcp-name";
pub const LAST_EVENT_ID: &str = "last-event-id";
const PARAM_PREFIX: &str = "mcp-param-";
const SCHEMA_KEY: &str = "x-mcp-header";

/// Schemas nested deeper than this are not searched for annotations.
const MAX_DEPTH: usize = 32;
/// The largest integer that a header may mirror: 2^53 - 1.
const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;

const SENTINEL_START: &str = "=?base64?";
const SENTINEL_END: &str = "?=";

/// A tool parameter that a client repeats in a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderParam {
    /// Property names from the root of the arguments to the value.
    pub path: Vec<String>,
    /// Lower-case header name, `mcp-param-...`.
    pub header: String,
}

/// The annotated parameters of an input schema.
///
/// # Errors
/// Why the annotation, and with it the tool, is invalid.
pub fn header_params(schema: &Value) -> Result<Vec<HeaderParam>, String> {
    let mut found = Vec::new();
    collect(schema, &mut Vec::new(), &mut found)?;
    let reachable = found.len();
    if count_annotations(schema, 0) != reachable {
        return Err(format!("`{SCHEMA_KEY}` stands where no chain of `properties` reaches it"));
    }
    let mut names: Vec<_> = found.iter().map(|it| it.header.clone()).collect();
    names.sort();
    names.dedup();
    if names.len() != reachable {
        return Err(format!("two parameters share one `{SCHEMA_KEY}`"));
    }
    Ok(found)
}

fn collect(schema: &Value, path: &mut Vec<String>, found: &mut Vec<HeaderParam>) -> Result<(), String> {
    if path.len() > MAX_DEPTH {
        return Ok(());
    }
    if let Some(name) = schema.get(SCHEMA_KEY)
        && !path.is_empty()
    {
        found.push(HeaderParam { path: path.clone(), header: header_name(name, schema)? });
    }
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return Ok(()) };
    for (name, property) in properties {
        path.push(name.clone());
        collect(property, path, found)?;
        path.pop();
    }
    Ok(())
}

fn header_name(name: &Value, schema: &Value) -> Result<String, String> {
    let is_token = |name: &str| {
        !name.is_empty() && name.bytes().all(|it| it.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&it))
    };
    let name = name.as_str().filter(|it| is_token(it)).ok_or_else(|| format!("`{name}` is no header name"))?;
    let kind = schema.get("type").and_then(Value::as_str).unwrap_or("absent");
    if !matches!(kind, "string" | "integer" | "boolean") {
        return Err(format!("`{name}` mirrors a parameter of type `{kind}`; only string, integer and boolean may be"));
    }
    Ok(format!("{PARAM_PREFIX}{}", name.to_ascii_lowercase()))
}

/// Annotations anywhere in the schema. Names of properties and data (`default`, `enum`, ...) are no annotations.
fn count_annotations(schema: &Value, depth: usize) -> usize {
    const MAPS: &[&str] = &["properties", "$defs", "definitions", "patternProperties", "dependentSchemas"];
    const DATA: &[&str] = &["default", "const", "enum", "examples"];
    if depth > MAX_DEPTH {
        return 0;
    }
    match schema {
        Value::Array(items) => items.iter().map(|it| count_annotations(it, depth + 1)).sum(),
        Value::Object(members) => {
            let own = usize::from(depth > 0 && members.contains_key(SCHEMA_KEY));
            let nested =
                members.iter().filter(|(key, _)| !DATA.contains(&key.as_str())).map(|(key, value)| {
                    match value.as_object().filter(|_| MAPS.contains(&key.as_str())) {
                        Some(map) => map.values().map(|it| count_annotations(it, depth + 1)).sum(),
                        None => count_annotations(value, depth + 1),
                    }
                });
            own + nested.sum::<usize>()
        }
        _ => 0,
    }
}

/// The headers that mirror `arguments`; values that are absent or `null` have none.
pub fn param_headers(params: &[HeaderParam], arguments: &Value) -> Vec<(String, String)> {
    params
        .iter()
        .filter_map(|param| Some((param.header.clone(), encode(&text_of(value_at(arguments, &param.path)?)?))))
        .collect()
}

fn value_at<'a>(arguments: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(arguments, |value, name| value.get(name))
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(it) => Some(it.to_string()),
        Value::Number(it) => Some(it.to_string()),
        _ => None,
    }
}

/// A value as a header carries it: plain where it can be, else Base64 between the sentinels.
pub fn encode(value: &str) -> String {
    let plain = value.bytes().all(|it| matches!(it, 0x20..=0x7e | b'\t'));
    let padded = value.starts_with([' ', '\t']) || value.ends_with([' ', '\t']);
    let looks_encoded = value.starts_with(SENTINEL_START) && value.ends_with(SENTINEL_END);
    if plain && !padded && !looks_encoded {
        return value.to_owned();
    }
    format!("{SENTINEL_START}{}{SENTINEL_END}", STANDARD.encode(value))
}

/// A header's value as the client meant it; `None` where the Base64 is broken.
pub fn decode(value: &str) -> Option<String> {
    let inner = value.strip_prefix(SENTINEL_START).and_then(|it| it.strip_suffix(SENTINEL_END));
    match inner {
        Some(inner) => String::from_utf8(STANDARD.decode(inner).ok()?).ok(),
        None => Some(value.to_owned()),
    }
}

/// What `Mcp-Name` mirrors for a method.
pub fn name_source(method: &str) -> Option<&'static str> {
    match method {
        "tools/call" | "prompts/get" => Some("name"),
        "resources/read" => Some("uri"),
        // The tasks extension (SEP-2663) routes by task.
        "tasks/get" | "tasks/update" | "tasks/cancel" => Some("taskId"),
        _ => None,
    }
}

/// Checks `Mcp-Method` and `Mcp-Name` against the body.
///
/// # Errors
/// `-32020` naming the header and both values.
pub fn check_standard<'h>(request: &Request, header: impl Fn(&str) -> Option<&'h [u8]>) -> Result<(), Fault> {
    let method = plain(header(METHOD), "Mcp-Method")?;
    if method != request.method {
        return Err(mismatch("Mcp-Method", &method, &request.method));
    }
    let Some(source) = name_source(&request.method) else { return Ok(()) };
    let params = request.params.as_deref().and_then(RawObject::parse).unwrap_or_default();
    let Some(expected) = params.get_str(source) else { return Ok(()) };
    let name = plain(header(NAME), "Mcp-Name")?;
    match decode(&name) {
        Some(name) if name == expected => Ok(()),
        _ => Err(mismatch("Mcp-Name", &name, &expected)),
    }
}

/// Checks the `Mcp-Param-*` headers of a call against its arguments.
///
/// # Errors
/// `-32020` naming the header and both values.
pub fn check_params<'h>(
    params: &[HeaderParam],
    arguments: &Value,
    header: impl Fn(&str) -> Option<&'h [u8]>,
) -> Result<(), Fault> {
    for param in params {
        let expected = value_at(arguments, &param.path).and_then(text_of);
        match (header(&param.header), expected) {
            (None, None) => {}
            (Some(found), None) => {
                return Err(mismatch(&param.header, &String::from_utf8_lossy(found), "no value"));
            }
            (found, Some(expected)) => {
                let found = plain(found, &param.header)?;
                let same = decode(&found).is_some_and(|it| it == expected || same_integer(&it, &expected));
                if !same {
                    return Err(mismatch(&param.header, &found, &expected));
                }
            }
        }
    }
    Ok(())
}

fn same_integer(a: &str, b: &str) -> bool {
    match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => a == b && a.abs() <= MAX_SAFE_INTEGER,
        _ => false,
    }
}

fn plain(value: Option<&[u8]>, name: &str) -> Result<String, Fault> {
    let value = value.ok_or_else(|| Fault::new(HEADER_MISMATCH, format!("header mismatch: `{name}` is required")))?;
    let visible = value.iter().all(|it| matches!(it, 0x20..=0x7e | b'\t'));
    match std::str::from_utf8(value) {
        Ok(text) if visible => Ok(text.to_owned()),
        _ => Err(Fault::new(HEADER_MISMATCH, format!("header mismatch: `{name}` holds characters no header may"))),
    }
}

fn mismatch(name: &str, found: &str, expected: &str) -> Fault {
    Fault::new(HEADER_MISMATCH, format!("header mismatch: `{name}` says `{found}` and the body says `{expected}`"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_encode_as_the_specification_lists_them() {
        for (value, header) in [
            ("us-west1", "us-west1"),
            ("Hello, 世界", "=?base64?SGVsbG8sIOS4lueVjA==?="),
            (" padded ", "=?base64?IHBhZGRlZCA=?="),
            ("line1\nline2", "=?base64?bGluZTEKbGluZTI=?="),
            ("=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="),
        ] {
            assert_eq!(encode(value), header);
            assert_eq!(decode(header).as_deref(), Some(value));
        }
        assert_eq!(decode("=?base64?***?="), None);
    }

    #[test]
    fn annotations_must_be_reachable_unique_and_primitive() {
        let check = |schema: Value, expected: Result<usize, &str>| match (header_params(&schema), expected) {
            (Ok(found), Ok(count)) => assert_eq!(found.len(), count, "{schema}"),
            (Err(reason), Err(part)) => assert!(reason.contains(part), "{reason}"),
            (found, expected) => panic!("{schema}: {found:?} is not {expected:?}"),
        };
        let region = json!({"type": "string", "x-mcp-header": "Region"});
        check(json!({"type": "object"}), Ok(0));
        check(json!({"properties": {"region": region}}), Ok(1));
        check(json!({"properties": {"a": {"properties": {"b": region}}}}), Ok(1));
        check(json!({"properties": {"x-mcp-header": {"type": "string"}}}), Ok(0));
        check(json!({"properties": {"a": region, "b": {"type": "string", "x-mcp-header": "region"}}}), Err("share"));
        check(json!({"properties": {"a": {"items": region}}}), Err("no chain"));
        check(json!({"properties": {"a": {"anyOf": [region]}}}), Err("no chain"));
        check(json!({"$defs": {"a": region}}), Err("no chain"));
        check(json!({"properties": {"a": {"type": "number", "x-mcp-header": "A"}}}), Err("type `number`"));
        check(json!({"properties": {"a": {"type": "string", "x-mcp-header": ""}}}), Err("no header name"));
        check(json!({"properties": {"a": {"type": "string", "x-mcp-header": "a b"}}}), Err("no header name"));
    }

    #[test]
    fn mirrored_parameters_must_match() {
        let schema = json!({"properties": {
            "region": {"type": "string", "x-mcp-header": "Region"}, "n": {"type": "integer", "x-mcp-header": "N"}}});
        let params = header_params(&schema).unwrap();
        let check = |arguments: Value, headers: &[(&str, &str)], good: bool| {
            let find = |name: &str| headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_bytes());
            assert_eq!(check_params(&params, &arguments, find).is_ok(), good, "{arguments} {headers:?}");
        };
        check(json!({}), &[], true);
        check(json!({"region": null}), &[], true);
        check(json!({"region": "eu"}), &[("mcp-param-region", "eu")], true);
        check(json!({"region": "ü"}), &[("mcp-param-region", &encode("ü"))], true);
        check(json!({"n": 42}), &[("mcp-param-n", "42.0")], true);
        check(json!({"region": "eu"}), &[], false);
        check(json!({"region": "eu"}), &[("mcp-param-region", "us")], false);
        check(json!({}), &[("mcp-param-region", "eu")], false);
        assert_eq!(
            param_headers(&params, &json!({"region": "a", "n": 7})),
            [("mcp-param-region".into(), "a".into()), ("mcp-param-n".into(), "7".into())]
        );
    }
}
