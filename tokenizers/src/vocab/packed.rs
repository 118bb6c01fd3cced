//! The binary form of the `splintr-vocab-*` crates: `SPLNTRV1`, the number of tokens as u32, and for each token its id
//! and its length as LEB128 and its bytes.

use super::{VocabularyError, malformed};

const MAGIC: &[u8; 8] = b"SPLNTRV1";
/// Magic and number.
const HEADER_BYTES: usize = 12;

/// The tokens of a packed vocabulary, in the order of the file.
///
/// # Errors
/// [`VocabularyError::Malformed`] with the byte.
pub(crate) fn read(packed: &[u8]) -> Result<Vec<(u32, &[u8])>, VocabularyError> {
    let rest = packed.strip_prefix(MAGIC).ok_or_else(|| malformed(1, "it does not start with `SPLNTRV1`"))?;
    let (n_tokens, mut rest) =
        rest.split_first_chunk::<4>().ok_or_else(|| malformed(MAGIC.len(), "the number of tokens is missing"))?;
    let n_tokens = u32::from_le_bytes(*n_tokens) as usize;
    // A token takes at least two bytes, whatever the header says.
    let mut tokens = Vec::with_capacity(n_tokens.min(packed.len() / 2));
    for _ in 0..n_tokens {
        let at = HEADER_BYTES.max(packed.len() - rest.len()) + 1;
        tokens.push(token(&mut rest).ok_or_else(|| malformed(at, "a token is cut off"))?);
    }
    Ok(tokens)
}

fn token<'a>(rest: &mut &'a [u8]) -> Option<(u32, &'a [u8])> {
    let id = varint(rest)?;
    let len = varint(rest)? as usize;
    let (token, behind) = rest.split_at_checked(len)?;
    *rest = behind;
    Some((id, token))
}

fn varint(rest: &mut &[u8]) -> Option<u32> {
    let mut value = 0u32;
    for shift in (0..32).step_by(7) {
        let byte = *rest.split_off_first()?;
        value |= u32::from(byte & 0x7f).checked_shl(shift)?;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_tokens_and_names_the_damaged_byte() {
        let whole = [MAGIC.as_slice(), &2u32.to_le_bytes(), &[0, 1, b'a', 0x81, 1, 2, b'b', b'c']].concat();
        assert_eq!(read(&whole), Ok(vec![(0, b"a".as_slice()), (129, b"bc".as_slice())]));
        for len in 0..whole.len() {
            assert!(read(&whole[..len]).is_err(), "{len}");
        }
        assert_eq!(read(&whole[..17]), Err(malformed(16, "a token is cut off")));
    }
}
