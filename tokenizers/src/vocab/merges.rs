//! The order of merges in the binary form of the `splintr-vocab-*` crates: `SPLNTRM1`, the number of merges as u32, and
//! for each the id of what it makes and the length of its left half as LEB128, the merge that comes first first.

use super::{
    VocabularyError, malformed,
    packed::{Reader, varint},
};

const MAGIC: &[u8; 8] = b"SPLNTRM1";

/// What is made, in the order of merging.
///
/// The left halves are left out. The file has the first one of each result only, and [`crate::pieces`] tries them all:
/// all splits of all results into tokens are exactly as many as the merges that were published.
///
/// # Errors
/// [`VocabularyError::Malformed`] with the byte.
pub(crate) fn read(packed: &[u8]) -> Result<Vec<u32>, VocabularyError> {
    let mut reader = Reader::open(packed, MAGIC, "it does not start with `SPLNTRM1`")?;
    let merges = reader.read_all(|rest| {
        let id = varint(rest)?;
        varint(rest)?;
        Some(id)
    });
    merges.map_err(|at| malformed(at, "a merge is cut off"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_results_and_names_the_damaged_byte() {
        let whole = [MAGIC.as_slice(), &2u32.to_le_bytes(), &[7, 1, 0x81, 1, 2]].concat();
        assert_eq!(read(&whole), Ok(vec![7, 129]));
        for len in 0..whole.len() {
            assert!(read(&whole[..len]).is_err(), "{len}");
        }
        assert_eq!(read(&whole[..16]), Err(malformed(15, "a merge is cut off")));
        let huge = [MAGIC.as_slice(), &u32::MAX.to_le_bytes(), &[7, 1]].concat();
        assert_eq!(read(&huge), Err(malformed(15, "a merge is cut off")));
    }
}
