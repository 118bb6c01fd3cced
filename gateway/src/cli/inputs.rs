//! Files that a command counts, and standard input among them: read whole, below a limit.

use std::{
    fs::File,
    io::{Error, Read},
    path::{Path, PathBuf},
};

use super::Failure;

/// Larger inputs are refused; they would not fit any window.
const MAX_BYTES: u64 = 1 << 30;

/// How many mistakes are shown.
const MOST_MISTAKES: usize = 20;

/// These files, or standard input where none is named.
pub fn or_stdin(files: &[PathBuf]) -> Vec<PathBuf> {
    if files.is_empty() { vec![PathBuf::from("-")] } else { files.to_vec() }
}

/// The bytes of a file; `-` is standard input.
pub fn bytes(file: &Path) -> Result<Vec<u8>, String> {
    let read = if file.as_os_str() == "-" { limited(std::io::stdin().lock()) } else { opened(file) };
    let bytes = read.map_err(|error| format!("{} cannot be read ({error})", quoted(file)))?;
    bytes.ok_or_else(|| format!("{} is over the limit of {MAX_BYTES} bytes; count parts of it", quoted(file)))
}

/// `None` for a file over the limit, of which nothing is read.
fn opened(file: &Path) -> Result<Option<Vec<u8>>, Error> {
    let file = File::open(file)?;
    if file.metadata()?.len() > MAX_BYTES { Ok(None) } else { limited(file) }
}

/// `None` for more than the limit.
fn limited(source: impl Read) -> Result<Option<Vec<u8>>, Error> {
    let mut bytes = Vec::new();
    source.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(Some(bytes).filter(|it| it.len() as u64 <= MAX_BYTES))
}

/// The text of a file.
pub fn text(file: &Path) -> Result<String, String> {
    String::from_utf8(bytes(file)?).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        format!("{} is no UTF-8 text (byte {at}); models are sent text, so turn it into some first", quoted(file))
    })
}

/// Its name in an error.
fn quoted(file: &Path) -> String {
    format!("`{}`", file.display())
}

/// Does all of `items`, or says what is wrong with each that failed.
pub fn all<T, U, E: Into<Failure>>(
    items: impl IntoIterator<Item = T>,
    mut one: impl FnMut(T) -> Result<U, E>,
) -> Result<Vec<U>, Failure> {
    let (mut done, mut wrong) = (Vec::new(), Vec::new());
    for item in items {
        match one(item) {
            Ok(it) => done.push(it),
            Err(error) => wrong.extend(error.into().0),
        }
    }
    if wrong.len() > MOST_MISTAKES {
        let more = wrong.len() - MOST_MISTAKES;
        wrong.truncate(MOST_MISTAKES);
        wrong.push(format!("{more} more like these are not shown"));
    }
    if wrong.is_empty() { Ok(done) } else { Err(Failure(wrong)) }
}
