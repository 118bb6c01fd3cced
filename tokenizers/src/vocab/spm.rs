//! SentencePiece models as text: a piece in base64, its score, and its type on each line; the id is the line.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{VocabularyError, malformed};

/// What a piece is for: SentencePiece's own numbers, from `sentencepiece_model.proto`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Merged from smaller ones.
    Normal,
    /// Never made from text: what stands for the unknown, or for an event.
    Control,
    /// Taken from the text as it is, before anything is merged.
    UserDefined,
    /// A byte of a character that is no piece.
    Byte(u8),
}

/// A line of the file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Piece {
    pub(crate) text: String,
    pub(crate) score: f32,
    pub(crate) kind: Kind,
}

/// The pieces of a file, in the order of their ids.
///
/// # Errors
/// [`VocabularyError::Malformed`] with the line.
pub(crate) fn read(text: &[u8]) -> Result<Vec<Piece>, VocabularyError> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let lines = text.split(|it| *it == b'\n').enumerate();
    lines.map(|(it, line)| piece(line).map_err(|reason| malformed(it + 1, reason))).collect()
}

fn piece(line: &[u8]) -> Result<Piece, &'static str> {
    let line = str::from_utf8(line).map_err(|_| "it is no UTF-8")?;
    let mut fields = line.split_ascii_whitespace();
    let text = STANDARD.decode(fields.next().ok_or("the line is empty")?).map_err(|_| "the piece is no base64")?;
    let text = String::from_utf8(text).map_err(|_| "the piece is no UTF-8")?;
    let score: Option<f32> = fields.next().and_then(|it| it.parse().ok());
    let score = score.filter(|it| !it.is_nan()).ok_or("the score is no number")?;
    let kind = match fields.next() {
        Some(kind) => typed(kind, &text)?,
        None => untyped(score, &text),
    };
    if fields.next().is_some() {
        return Err("there is something behind the type");
    }
    Ok(Piece { text, score, kind })
}

fn typed(kind: &str, text: &str) -> Result<Kind, &'static str> {
    match kind {
        "1" => Ok(Kind::Normal),
        "2" | "3" => Ok(Kind::Control),
        "4" => Ok(Kind::UserDefined),
        "6" => byte(text).map(Kind::Byte).ok_or("a byte is not spelled `<0xNN>`"),
        _ => Err("the type is none of 1, 2, 3, 4 and 6"),
    }
}

/// Training gives scores below zero to all that it merges, and zero to what was put in by hand.
fn untyped(score: f32, text: &str) -> Kind {
    match byte(text) {
        Some(byte) => Kind::Byte(byte),
        None if score.to_bits() == 0 => Kind::Control,
        None => Kind::Normal,
    }
}

/// The byte that a piece like `<0x0A>` stands for.
pub(crate) fn byte(text: &str) -> Option<u8> {
    let digits = text.strip_prefix("<0x")?.strip_suffix('>')?;
    let is_spelled_so = digits.len() == 2 && digits.bytes().all(|it| matches!(it, b'0'..=b'9' | b'A'..=b'F'));
    u8::from_str_radix(digits, 16).ok().filter(|_| is_spelled_so)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_pieces_with_and_without_types() {
        let piece = |text: &str, score, kind| Piece { text: text.into(), score, kind };
        let text = b"PHM+ 0.0 3\nPDB4MEE+ 0.0 6\nYWI= -1.5 1\nYWI= 0.0 4\nPHM+ 0.0\nPDB4MEE+ 0.0\nYWI= -1e9\n";
        let expected = vec![
            piece("<s>", 0.0, Kind::Control),
            piece("<0x0A>", 0.0, Kind::Byte(10)),
            piece("ab", -1.5, Kind::Normal),
            piece("ab", 0.0, Kind::UserDefined),
            piece("<s>", 0.0, Kind::Control),
            piece("<0x0A>", 0.0, Kind::Byte(10)),
            piece("ab", -1e9, Kind::Normal),
        ];
        assert_eq!(read(text), Ok(expected));
    }

    #[test]
    fn names_the_damaged_line() {
        for (line, reason) in [
            ("", "the line is empty"),
            ("Y!== -1", "the piece is no base64"),
            ("/w== -1", "the piece is no UTF-8"),
            ("YQ==", "the score is no number"),
            ("YQ== nan", "the score is no number"),
            ("YQ== -1 5", "the type is none of 1, 2, 3, 4 and 6"),
            ("YQ== -1 6", "a byte is not spelled `<0xNN>`"),
            ("YQ== -1 1 1", "there is something behind the type"),
        ] {
            let text = format!("YQ== -1 1\n{line}\nYg== -2 1\n");
            assert_eq!(read(text.as_bytes()), Err(malformed(2, reason)), "{line}");
        }
    }

    #[test]
    fn only_exact_spellings_are_bytes() {
        for (text, expected) in
            [("<0x00>", Some(0)), ("<0xFF>", Some(255)), ("<0xff>", None), ("<0x0>", None), ("<0x+F>", None)]
        {
            assert_eq!(byte(text), expected, "{text}");
        }
    }
}
