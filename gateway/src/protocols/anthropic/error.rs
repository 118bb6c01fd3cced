//! Errors as Anthropic words them (platform.claude.com/docs/en/api/errors).

use crate::protocols::{
    json::Object,
    refusal::{ApiError, ErrorKind},
};

/// `{"type": "error", "error": {"type", "message"}, "request_id"}`. An overload has a status of its own.
pub fn encode(error: &ApiError) -> (u16, Vec<u8>) {
    let mut out = Vec::new();
    write(&mut Object::new(&mut out), error);
    (if error.kind == ErrorKind::Overloaded { 529 } else { error.status }, out)
}

pub fn write(out: &mut Object<'_>, error: &ApiError) {
    out.str("type", "error");
    out.object("error").str("type", error.kind.anthropic()).str("message", &error.message);
    out.opt_str("request_id", error.request_id.as_deref());
}
