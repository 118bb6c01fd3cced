//! Tokens spelled in characters that stand for bytes: GPT-2's alphabet, in which a space is `Ġ` and a line end `Ċ`.

/// The bytes of a token; `None` if a character stands for no byte, as in most control tokens.
pub(crate) fn bytes(token: &str) -> Option<Vec<u8>> {
    token.chars().map(byte).collect()
}

/// The character of a byte.
pub(crate) fn char_of(value: u8) -> char {
    let code = match value {
        0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff => return char::from(value),
        0..=0x20 => 0x100 + u32::from(value),
        0x7f..=0xa0 => 0x121 + u32::from(value - 0x7f),
        0xad => 0x143,
    };
    char::from_u32(code).unwrap_or_default()
}

/// Printable bytes of Latin-1 stand for themselves; the rest were given the characters from U+0100 on, in order.
fn byte(c: char) -> Option<u8> {
    match u32::from(c) {
        code @ (0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff) => u8::try_from(code).ok(),
        code @ 0x100..=0x120 => u8::try_from(code - 0x100).ok(),
        code @ 0x121..=0x142 => u8::try_from(code - 0x121 + 0x7f).ok(),
        0x143 => Some(0xad),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_spelled_once() {
        let mut found: Vec<u8> = (0..0x200).filter_map(char::from_u32).filter_map(byte).collect();
        found.sort_unstable();
        assert_eq!(found, (0..=255).collect::<Vec<u8>>());
        for value in 0..=255 {
            assert_eq!(byte(char_of(value)), Some(value));
        }
        assert_eq!(bytes("ĠaĊ").as_deref(), Some(b" a\n".as_slice()));
        assert_eq!(bytes("å¤ĸ").as_deref(), Some("外".as_bytes()));
        assert_eq!(bytes("<｜end｜>"), None);
    }
}
