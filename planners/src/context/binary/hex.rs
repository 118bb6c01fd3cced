//! Bytes as hex, with their offsets.

use std::fmt::Write;

/// Bytes on a line.
const WIDTH: usize = 16;

/// A line for every 16 bytes: the offset, the bytes, and what of them is ASCII.
#[must_use]
pub fn hex_lines(bytes: &[u8], offset: u64) -> String {
    let mut text = String::new();
    for (row, chunk) in bytes.chunks(WIDTH).enumerate() {
        let at = offset.saturating_add((row * WIDTH) as u64);
        // Writing to a string does not fail.
        let _ = write!(text, "{at:x}:");
        for pair in chunk.chunks(2) {
            text.push(' ');
            pair.iter().for_each(|byte| {
                let _ = write!(text, "{byte:02x}");
            });
        }
        text.push(' ');
        text.extend(chunk.iter().map(|&byte| if byte.is_ascii_graphic() { char::from(byte) } else { '.' }));
        text.push('\n');
    }
    text
}
