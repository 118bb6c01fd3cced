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
    let mut reader = Reader::open(packed, MAGIC, "it does not start with `SPLNTRV1`")?;
    reader.read_all(token).map_err(|at| malformed(at, "a token is cut off"))
}

/// A file behind its magic and number of entries.
pub(super) struct Reader<'a> {
    packed: &'a [u8],
    rest: &'a [u8],
    n_entries: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn open(packed: &'a [u8], magic: &[u8; 8], wrong: &'static str) -> Result<Self, VocabularyError> {
        let rest = packed.strip_prefix(magic).ok_or_else(|| malformed(1, wrong))?;
        let (number, rest) =
            rest.split_first_chunk::<4>().ok_or_else(|| malformed(magic.len(), "the number of entries is missing"))?;
        Ok(Self { packed, rest, n_entries: u32::from_le_bytes(*number) as usize })
    }

    /// As many entries as the header says; on failure, the byte from 1 at which an entry starts that is none.
    pub(super) fn read_all<T>(&mut self, entry: impl Fn(&mut &'a [u8]) -> Option<T>) -> Result<Vec<T>, usize> {
        // An entry takes at least two bytes, whatever the header says.
        let mut entries = Vec::with_capacity(self.n_entries.min(self.packed.len() / 2));
        for _ in 0..self.n_entries {
            let at = HEADER_BYTES.max(self.packed.len() - self.rest.len()) + 1;
            entries.push(entry(&mut self.rest).ok_or(at)?);
        }
        Ok(entries)
    }
}

fn token<'a>(rest: &mut &'a [u8]) -> Option<(u32, &'a [u8])> {
    let id = varint(rest)?;
    let len = varint(rest)? as usize;
    let (token, behind) = rest.split_at_checked(len)?;
    *rest = behind;
    Some((id, token))
}

pub(super) fn varint(rest: &mut &[u8]) -> Option<u32> {
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
