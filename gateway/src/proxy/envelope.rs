//! The little that the gateway must know of a body before it decides anything: which model, and whether it streams.

use std::{borrow::Cow, ops::Range};

use serde::Deserialize;
use serde_json::value::RawValue;

/// Read without building the rest; the whole text is checked to be JSON.
#[derive(Debug, Deserialize)]
pub struct Envelope<'a> {
    #[serde(borrow)]
    pub model: Cow<'a, str>,
    #[serde(default)]
    pub stream: Option<bool>,
    #[serde(default)]
    pub stream_options: Option<StreamOptions>,
    #[serde(borrow, default)]
    tools: Option<&'a RawValue>,
}

/// Of chat completions.
#[derive(Debug, Deserialize, PartialEq, Eq)]
pub struct StreamOptions {
    #[serde(default)]
    include_usage: Option<bool>,
}

impl<'a> Envelope<'a> {
    /// # Errors
    /// What is wrong with the body, and where.
    pub fn read(body: &'a [u8]) -> Result<Self, String> {
        // serde reads a struct from an array too.
        if body.trim_ascii_start().starts_with(b"[") {
            return Err("the body is no request: it must be an object".into());
        }
        let read: Self = serde_json::from_slice(body).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => format!("the body is no request: {error}"),
            _ => format!("the body is not JSON: {error}"),
        })?;
        match read.model.chars().any(char::is_control) {
            true => Err(format!("the body is no request: the model {:?} has a control character", read.model)),
            false => Ok(read),
        }
    }

    /// Whether a stream shall end with its usage.
    pub fn has_usage(&self) -> bool {
        self.stream_options.as_ref().and_then(|it| it.include_usage).unwrap_or(false)
    }

    pub fn streams(&self) -> bool {
        self.stream.unwrap_or(false)
    }

    /// Where in `body`, of which this was read, the tools stand.
    pub fn tools_in(&self, body: &[u8]) -> Option<Range<usize>> {
        let tools = self.tools?.get();
        let start = tools.as_ptr().addr().checked_sub(body.as_ptr().addr())?;
        Some(start..start + tools.len()).filter(|it| it.end <= body.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_read_or_explained() {
        let body = br#"{"model":"a","tools": [{}] }"#;
        let tools = Envelope::read(body).unwrap().tools_in(body).unwrap();
        assert_eq!(&body[tools], b"[{}]");
        let good = Envelope::read(br#"{"x":[{}],"stream":true,"model":"a\u0062"}"#).unwrap();
        assert_eq!((good.model.as_ref(), good.streams()), ("ab", true));
        assert!(!Envelope::read(br#"{"model":"a","stream":null}"#).unwrap().streams());
        let deep = format!("{{\"model\":\"a\",\"x\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        let rows: &[(&[u8], &str)] = &[
            (b"", "not JSON"),
            (b"{\"model\":\"a\"", "not JSON"),
            (b"{\"model\":\"a\"} x", "not JSON"),
            (b"\xff", "not JSON"),
            (b"[]", "no request"),
            (b" [\"a\", true]", "no request"),
            (b"{}", "missing field `model`"),
            (b"{\"model\":1}", "no request"),
            (b"{\"model\":\"a\\r\\nx: y\"}", "control character"),
            (b"{\"model\":\"a\",\"stream\":\"yes\"}", "no request"),
            (b"{\"model\":\"a\",\"model\":\"b\"}", "duplicate field `model`"),
        ];
        for (body, told) in rows {
            let error = Envelope::read(body).unwrap_err();
            assert!(error.contains(told), "{:?}: {error}", String::from_utf8_lossy(body));
        }
        assert!(Envelope::read(deep.as_bytes()).is_ok_and(|it| it.model == "a"), "depth is no matter here");
    }
}
