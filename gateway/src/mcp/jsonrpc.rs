//! JSON-RPC 2.0 messages whose payloads stay the bytes they arrived as.
//!
//! Only the envelope is read. `params`, `result` and `error` are kept as raw JSON, so that unknown fields, key order and
//! number text reach the other side unchanged. Nothing here knows MCP.

use std::{fmt, sync::Arc};

use serde::Deserialize;
use serde_json::value::RawValue;

pub use crate::object::{Raw, raw};

/// What a request comes to: the raw `result`, or the `error`.
pub type Outcome = Result<Raw, Fault>;

pub const PARSE_ERROR: i64 = -32700;
pub const INVALID_REQUEST: i64 = -32600;
pub const METHOD_NOT_FOUND: i64 = -32601;
pub const INVALID_PARAMS: i64 = -32602;
pub const INTERNAL_ERROR: i64 = -32603;

/// A request id as its JSON text: `7` and `"7"` differ, and big integers keep their digits.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Id(Arc<str>);

impl Id {
    pub fn number(n: u64) -> Self {
        Self(n.to_string().into())
    }

    /// The id as the small number that we handed out, if it is one.
    pub fn as_number(&self) -> Option<u64> {
        self.0.trim_matches('"').parse().ok()
    }

    pub fn as_json(&self) -> &str {
        &self.0
    }

    /// An id from raw JSON; only strings and numbers are ids.
    pub fn from_raw(raw: &RawValue) -> Option<Self> {
        let text = raw.get();
        let first = text.as_bytes().first()?;
        matches!(first, b'"' | b'-' | b'0'..=b'9').then(|| Self(text.into()))
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Clone, Debug)]
pub struct Request {
    pub id: Id,
    pub method: String,
    pub params: Option<Raw>,
}

#[derive(Clone, Debug)]
pub struct Notification {
    pub method: String,
    pub params: Option<Raw>,
}

#[derive(Clone, Debug)]
pub struct Response {
    /// Absent only on errors about messages whose id could not be read.
    pub id: Option<Id>,
    pub outcome: Outcome,
}

#[derive(Clone, Debug)]
pub enum Message {
    Request(Request),
    Notification(Notification),
    Response(Response),
}

/// A JSON-RPC error object: its code for routing, its text for passing on.
#[derive(Clone, Debug)]
pub struct Fault {
    pub code: i64,
    raw: Raw,
}

impl Fault {
    pub fn new(code: i64, message: impl AsRef<str>) -> Self {
        Self::build(serde_json::json!({"code": code, "message": message.as_ref()}), code)
    }

    pub fn with_data(code: i64, message: impl AsRef<str>, data: serde_json::Value) -> Self {
        Self::build(serde_json::json!({"code": code, "message": message.as_ref(), "data": data}), code)
    }

    pub fn method_not_found(method: &str) -> Self {
        Self::new(METHOD_NOT_FOUND, format!("method not found: `{method}`"))
    }

    fn build(value: serde_json::Value, code: i64) -> Self {
        Self { code, raw: raw(&value) }
    }

    fn from_raw(error: &RawValue) -> Self {
        #[derive(Deserialize)]
        struct Code {
            code: i64,
        }
        let code = serde_json::from_str::<Code>(error.get()).map_or(INTERNAL_ERROR, |it| it.code);
        Self { code, raw: error.to_owned() }
    }

    pub fn as_json(&self) -> &str {
        self.raw.get()
    }

    /// The human-readable `message`, for logs and for texts shown to a model.
    pub fn message(&self) -> String {
        #[derive(Deserialize)]
        struct Text {
            message: String,
        }
        serde_json::from_str::<Text>(self.raw.get()).map_or_else(|_| self.raw.get().to_owned(), |it| it.message)
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(default)]
    method: Option<String>,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
    #[serde(borrow, default)]
    result: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

impl Message {
    /// Reads one message.
    ///
    /// # Errors
    /// A ready-made fault: `-32700` where the text is not JSON, `-32600` where it is no JSON-RPC message.
    pub fn parse(text: &[u8]) -> Result<Self, Fault> {
        if text.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
            return Err(Fault::new(INVALID_REQUEST, "batches are not part of MCP; send one message at a time"));
        }
        let envelope: Envelope<'_> = serde_json::from_slice(text).map_err(|error| not_a_message(&error))?;
        let id = envelope.id.and_then(Id::from_raw);
        match envelope {
            Envelope { method: Some(method), params, .. } => {
                let params = params.map(ToOwned::to_owned);
                match (id, envelope.id) {
                    (Some(id), _) => Ok(Self::Request(Request { id, method, params })),
                    (None, None) => Ok(Self::Notification(Notification { method, params })),
                    (None, Some(bad)) => Err(Fault::new(
                        INVALID_REQUEST,
                        format!("the id `{}` is neither a string nor a number", bad.get()),
                    )),
                }
            }
            Envelope { result: Some(result), error: None, .. } if id.is_some() => {
                Ok(Self::Response(Response { id, outcome: Ok(result.to_owned()) }))
            }
            Envelope { error: Some(error), result: None, .. } => {
                Ok(Self::Response(Response { id, outcome: Err(Fault::from_raw(error)) }))
            }
            _ => Err(Fault::new(INVALID_REQUEST, "neither a request, a notification nor a response")),
        }
    }

    pub fn request(id: Id, method: &str, params: Option<Raw>) -> Self {
        Self::Request(Request { id, method: method.to_owned(), params })
    }

    pub fn notification(method: &str, params: Option<Raw>) -> Self {
        Self::Notification(Notification { method: method.to_owned(), params })
    }

    pub fn response(id: Id, outcome: Outcome) -> Self {
        Self::Response(Response { id: Some(id), outcome })
    }

    /// The message as one line of JSON, without the line end.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 + self.payload_len());
        out.extend_from_slice(br#"{"jsonrpc":"2.0""#);
        match self {
            Self::Request(Request { id, method, params }) => {
                member(&mut out, "id", id.as_json());
                method_and_params(&mut out, method, params.as_deref());
            }
            Self::Notification(Notification { method, params }) => {
                method_and_params(&mut out, method, params.as_deref());
            }
            Self::Response(Response { id, outcome }) => {
                if let Some(id) = id {
                    member(&mut out, "id", id.as_json());
                }
                match outcome {
                    Ok(result) => member(&mut out, "result", result.get()),
                    Err(fault) => member(&mut out, "error", fault.as_json()),
                }
            }
        }
        out.push(b'}');
        out
    }

    fn payload_len(&self) -> usize {
        match self {
            Self::Request(Request { params, .. }) | Self::Notification(Notification { params, .. }) => {
                params.as_ref().map_or(0, |it| it.get().len())
            }
            Self::Response(Response { outcome: Ok(result), .. }) => result.get().len(),
            Self::Response(Response { outcome: Err(fault), .. }) => fault.as_json().len(),
        }
    }
}

fn not_a_message(error: &serde_json::Error) -> Fault {
    let code = if error.is_data() { INVALID_REQUEST } else { PARSE_ERROR };
    Fault::new(code, format!("not a JSON-RPC message: {error}"))
}

fn method_and_params(out: &mut Vec<u8>, method: &str, params: Option<&RawValue>) {
    out.extend_from_slice(br#","method":"#);
    out.extend_from_slice(raw(&method).get().as_bytes());
    if let Some(params) = params {
        member(out, "params", params.get());
    }
}

/// Appends `,"key":json`. Line ends inside `json` are layout only (a JSON string cannot hold them), so they become
/// spaces: on stdio a message is a line.
fn member(out: &mut Vec<u8>, key: &str, json: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(b"\":");
    let start = out.len();
    out.extend_from_slice(json.as_bytes());
    if json.contains(['\n', '\r']) {
        out[start..].iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b' ');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &str, expected: &str) {
        let text = match Message::parse(input.as_bytes()) {
            Ok(message) => String::from_utf8(message.to_bytes()).unwrap(),
            Err(fault) => format!("{} {}", fault.code, fault.message()),
        };
        assert!(text.starts_with(expected), "{input}\n  gave {text}\n  not  {expected}");
    }

    #[test]
    fn messages_keep_their_bytes() {
        check(
            r#"{"jsonrpc":"2.0","id":12345678901234567890123,"method":"m","params":{"b":1.0e5,"a":1}}"#,
            r#"{"jsonrpc":"2.0","id":12345678901234567890123,"method":"m","params":{"b":1.0e5,"a":1}}"#,
        );
        check(r#"{"id":"a","result":{"x" : 1}, "jsonrpc":"2.0"}"#, r#"{"jsonrpc":"2.0","id":"a","result":{"x" : 1}}"#);
        check("{\"method\":\"n\",\"params\":{\n\"a\":1}}", r#"{"jsonrpc":"2.0","method":"n","params":{ "a":1}}"#);
        check(
            r#"{"id":1,"error":{"code":-5,"message":"no","extra":1}}"#,
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":-5,"message":"no","extra":1}}"#,
        );
    }

    #[test]
    fn what_is_no_message_is_a_fault() {
        check("{", "-32700");
        check("", "-32700");
        check("[]", "-32600 batches");
        check("3", "-32600");
        check(r#"{"id":1}"#, "-32600");
        check(r#"{"id":{},"method":"m"}"#, "-32600 the id");
        check(r#"{"id":1,"method":7}"#, "-32600");
        check(r#"{"id":1,"result":1,"error":{}}"#, "-32600");
        check("{\"method\":\"\u{fffd}\"}", r#"{"jsonrpc":"2.0","method":"�"}"#);
    }

    #[test]
    fn numbers_and_strings_are_different_ids() {
        let id = |text: &str| Id::from_raw(&RawValue::from_string(text.to_owned()).unwrap());
        assert_ne!(id("7"), id("\"7\""));
        assert_eq!(id("7").unwrap().as_number(), Some(7));
        assert_eq!(id("null"), None);
        assert_eq!(id("true"), None);
    }
}
