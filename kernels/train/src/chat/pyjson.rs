//! JSON as chat templates write it: a space after each colon and comma.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Serializer, Value, ser::Formatter};

struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}

/// The text of a value.
#[must_use]
pub fn to_json(value: &Value) -> String {
    let mut out = Vec::new();
    // Writing a value to memory cannot fail.
    let done = value.serialize(&mut Serializer::with_formatter(&mut out, Spaced)).is_ok();
    debug_assert!(done);
    String::from_utf8_lossy(&out).into_owned()
}
