//! Binaries of the folder: read whole within a limit to be inspected, and by windows at any offset.

use super::files::Files;
use tollgate_planners::context::{BinaryRequest, Disassembler, Image, hex_lines, inspect};
use tollgate_tokenizers::Tokenizer;

/// A larger file is not inspected; parts of it can be read.
const MAX_BYTES: u64 = 256 << 20;

/// Bytes of one window at most.
const MAX_WINDOW_BYTES: usize = 64 << 10;

/// Bytes of a window whose length nobody said.
pub const WINDOW_BYTES: usize = 512;

/// What of a file to show.
pub struct Ask<'a> {
    pub path: &'a str,
    pub query: Option<&'a str>,
    pub budget: u64,
    pub tokenizer: Tokenizer,
    pub remedy: &'a str,
}

/// Packs what matters of a binary.
///
/// # Errors
/// That it cannot be read, or that the budget is too small.
pub fn pack(files: &Files, ask: &Ask<'_>) -> Result<tollgate_planners::context::BinaryPack, String> {
    let bytes = files.read_bytes(ask.path, MAX_BYTES)?;
    let request = BinaryRequest {
        query: ask.query,
        budget: ask.budget,
        tokenizer: ask.tokenizer,
        rarity: None,
        render: None,
        remedy: ask.remedy,
    };
    inspect(&bytes, &request).map_err(|error| error.to_string())
}

/// A window of a file as hex, as many lines as `limit` tokens hold, and how to go on.
///
/// # Errors
/// That it cannot be read.
pub fn window(
    files: &Files,
    path: &str,
    (offset, length): (u64, usize),
    (limit, tokenizer): (usize, Tokenizer),
) -> Result<String, String> {
    let (bytes, total) = files.read_window(path, offset, length.min(MAX_WINDOW_BYTES))?;
    let text = hex_lines(&bytes, offset);
    let mut shown = String::new();
    let (mut tokens, mut n_bytes) = (0, 0);
    for (line, chunk) in text.split_inclusive('\n').zip(bytes.chunks(16)) {
        tokens += tokenizer.count_rest(line);
        if tokens > limit && n_bytes > 0 {
            break;
        }
        shown.push_str(line);
        n_bytes += chunk.len();
    }
    let next = offset + n_bytes as u64;
    if next < total {
        shown.push_str(&format!("[{} of {total} bytes behind this; go on with offset {next}]", total - next));
    }
    Ok(shown)
}

/// The code at an offset, or of a function that is named, disassembled.
///
/// # Errors
/// That it cannot be read, that there is no such function, or that its architecture has no disassembler.
pub fn code(
    files: &Files,
    path: &str,
    (symbol, offset): (Option<&str>, u64),
    (limit, tokenizer): (usize, Tokenizer),
) -> Result<String, String> {
    let bytes = files.read_bytes(path, MAX_BYTES)?;
    let image = Image::read(&bytes);
    let known = image.architecture.and_then(Disassembler::of);
    let disassembler = known.ok_or_else(|| format!("the code of `{path}` has no disassembler; read it as hex"))?;
    let (start, length) = match symbol {
        Some(name) => image.place_of(name).ok_or_else(|| format!("`{path}` has no `{name}`; see `inspect_binary`"))?,
        None => (usize::try_from(offset).unwrap_or(usize::MAX), WINDOW_BYTES),
    };
    let code = bytes.get(start..).map(|rest| &rest[..rest.len().min(length)]);
    let code = code.ok_or_else(|| format!("offset {start} is behind the end; `{path}` has {} bytes", bytes.len()))?;
    let lines = disassembler.lines(code, image.address_of(start).unwrap_or(start as u64), MAX_WINDOW_BYTES);
    let mut shown = String::new();
    let mut tokens = 0;
    for (at, line) in lines.iter().enumerate() {
        tokens += tokenizer.count_rest(line) + 1;
        if tokens > limit && at > 0 {
            shown.push_str(&format!("[{} instructions more; raise max_tokens]", lines.len() - at));
            break;
        }
        shown.push_str(line);
        shown.push('\n');
    }
    Ok(shown)
}
