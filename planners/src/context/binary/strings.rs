//! Readable strings in bytes: ASCII, and UTF-16 as Windows has it.

/// Shorter runs are chance.
const LEAST_CHARS: usize = 6;

/// A longer run is cut, and goes on as the next one.
const MOST_CHARS: usize = 400;

/// At most so many are found.
const MAX_STRINGS: usize = 50_000;

/// A readable string.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) offset: usize,
    pub(super) text: String,
}

/// The strings of `bytes`, by their offset.
pub(super) fn strings(bytes: &[u8]) -> Vec<Found> {
    let mut found = Vec::new();
    runs(bytes, 1, &mut found);
    runs(bytes, 2, &mut found);
    found.sort_by_key(|it| it.offset);
    found
}

/// Runs of readable characters of `width` bytes, of which all but the first are zero.
fn runs(bytes: &[u8], width: usize, found: &mut Vec<Found>) {
    let is_plain = |at: usize| {
        let unit = bytes.get(at..at + width);
        unit.is_some_and(|it| is_readable(it[0]) && it[1..].iter().all(|&byte| byte == 0))
    };
    let mut at = 0;
    while at < bytes.len() && found.len() < MAX_STRINGS {
        let n_chars = (0..MOST_CHARS).take_while(|it| is_plain(at + it * width)).count();
        if n_chars >= LEAST_CHARS {
            let text = (0..n_chars).map(|it| char::from(bytes[at + it * width])).collect();
            found.push(Found { offset: at, text });
            at += n_chars * width;
        } else {
            at += (n_chars * width).max(1);
        }
    }
}

fn is_readable(byte: u8) -> bool {
    byte.is_ascii_graphic() || byte == b' ' || byte == b'\t'
}

/// From 0 to 1: how much a string looks like words, and not like code that happens to be readable.
pub(super) fn wordiness(text: &str) -> f64 {
    let n_letters =
        text.bytes().filter(|it| it.is_ascii_alphabetic() || matches!(it, b' ' | b'_' | b'/' | b'.')).count();
    let share = n_letters as f64 / text.len().max(1) as f64;
    let length = (text.len() as f64 / 24.0).min(1.0);
    share * share * length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_widths_are_found_with_their_offsets() {
        let bytes = b"\x00\x01hello world\x00short\x00\x00W\x00i\x00n\x00d\x00o\x00w\x00s\x00\x00";
        let told: Vec<_> = strings(bytes).into_iter().map(|it| (it.offset, it.text)).collect();
        assert_eq!(told, [(2, "hello world".to_owned()), (21, "Windows".to_owned())]);
    }

    #[test]
    fn words_are_told_from_noise() {
        assert!(wordiness("cannot open the configuration file") > 4.0 * wordiness("t$8H|@=>?;"));
    }
}
