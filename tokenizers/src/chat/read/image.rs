//! The size of a picture that travels in a body, from the header of its file. Pixels are never decoded, and nothing is
//! fetched: the size of a picture behind a URL stays unknown.

use base64::{
    Engine,
    alphabet::{Alphabet, STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

/// How much of a file is decoded in search of its size: a JPEG may have thumbnails and colour profiles before it.
const MOST_BYTES: usize = 512 << 10;

/// Providers refuse edges far below this; a larger one is a broken header.
const MOST_EDGE: usize = 1 << 17;

/// The size of the picture in a `data:` URL; other URLs tell none.
pub(super) fn size_of_url(url: &str) -> Option<(u32, u32)> {
    let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
    head.ends_with(";base64").then(|| size(data))?
}

/// Width and height of a PNG, JPEG, GIF or WebP file in base64 of either alphabet.
pub(super) fn size(base64: &str) -> Option<(u32, u32)> {
    let size = imagesize::blob_size(&start(base64)?).ok()?;
    let edge = |length: usize| u32::try_from(length).ok().filter(|_| (1..=MOST_EDGE).contains(&length));
    edge(size.width).zip(edge(size.height))
}

/// The first bytes of the file.
fn start(base64: &str) -> Option<Vec<u8>> {
    let most = MOST_BYTES / 3 * 4;
    let text = base64.as_bytes();
    let text = &text[..text.len().min(most)];
    let is_url_safe = text.iter().any(|byte| matches!(byte, b'-' | b'_'));
    engine(if is_url_safe { &URL_SAFE } else { &STANDARD }).decode(text).ok()
}

/// Padding may be missing; what stands behind the cut does not matter.
fn engine(alphabet: &Alphabet) -> GeneralPurpose {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(alphabet, config.with_decode_allow_trailing_bits(true))
}
