//! The text form of tiktoken: a token in base64, a space and its rank on each line.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{VocabularyError, malformed};

/// The tokens of a `.tiktoken` file, in the order of the file.
///
/// # Errors
/// [`VocabularyError::Malformed`] with the line.
pub(crate) fn read(text: &[u8]) -> Result<Vec<(u32, Vec<u8>)>, VocabularyError> {
    let lines = text.split(|it| *it == b'\n').enumerate();
    let lines = lines.map(|(it, line)| (it + 1, line.trim_ascii())).filter(|(_, line)| !line.is_empty());
    lines.map(|(number, line)| token(line).map_err(|reason| malformed(number, reason))).collect()
}

fn token(line: &[u8]) -> Result<(u32, Vec<u8>), &'static str> {
    let space = line.iter().rposition(|it| *it == b' ').ok_or("there is no space between token and rank")?;
    let token = STANDARD.decode(&line[..space]).map_err(|_| "the token is no base64")?;
    let rank = str::from_utf8(&line[space + 1..]).ok().and_then(|it| it.parse().ok());
    Ok((rank.ok_or("the rank is no number")?, token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lines_and_names_the_bad_one() {
        assert_eq!(read(b"IQ== 0\r\n\nIg== 7\n"), Ok(vec![(0, b"!".to_vec()), (7, b"\"".to_vec())]));
        for (text, line, reason) in [
            ("IQ== 0\nIg==", 2, "there is no space between token and rank"),
            ("I!== 0", 1, "the token is no base64"),
            ("IQ== -1", 1, "the rank is no number"),
            ("IQ== 99999999999", 1, "the rank is no number"),
        ] {
            assert_eq!(read(text.as_bytes()), Err(malformed(line, reason)), "{text}");
        }
    }
}
