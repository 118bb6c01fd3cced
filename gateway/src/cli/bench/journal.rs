//! A record on disk: its header, its lines, and where it goes on after it was ended anywhere.

use std::{
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
};

use super::unusable;
use tollgate_benchmarks::{
    record::{self, Header, VERSION},
    trace::Line,
};

/// A longer first line is none of ours.
const MOST_OF_HEADER: u64 = 1 << 20;

/// A record that is added to. It is locked while it is open, so that two runs cannot share it.
pub struct Journal {
    path: PathBuf,
    file: File,
}

impl Journal {
    /// Opens or begins the record, and hands over what it says. A last line that was cut counts as not written.
    ///
    /// # Errors
    /// That it is of another run, is in use, or cannot be read or written.
    pub fn open(path: &Path, header: &Header, mut each: impl FnMut(Line)) -> Result<Self, String> {
        let io = |error: std::io::Error| unusable(path, &error);
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(path).map_err(io)?;
        file.try_lock().map_err(|_| format!("`{}` is in use by another run", path.display()))?;
        let length = match read_lines(path, BufReader::new(&file), &mut each)? {
            (Some(found), length) => {
                found.continues(header).map_err(|told| {
                    format!("`{}` is of another run: {told}; name another --out, or remove it", path.display())
                })?;
                length
            }
            (None, _) => 0,
        };
        file.set_len(length).map_err(io)?;
        if length == 0 {
            let line = serde_json::to_string(header).map_err(|error| error.to_string())?;
            file.write_all(format!("{line}\n").as_bytes()).map_err(io)?;
        }
        Ok(Self { path: path.to_owned(), file })
    }

    /// Adds a line, with one write.
    ///
    /// # Errors
    /// That the file cannot be written.
    pub fn add(&mut self, line: &Line) -> Result<(), String> {
        let mut text = serde_json::to_vec(line).map_err(|error| error.to_string())?;
        text.push(b'\n');
        self.file.write_all(&text).map_err(|error| unusable(&self.path, &error))
    }
}

/// The first line of a record.
///
/// # Errors
/// That it is none, or cannot be read.
pub fn header(path: &Path) -> Result<Header, String> {
    let file = File::open(path).map_err(|error| unusable(path, &error))?;
    let mut first = Vec::new();
    let read = BufReader::new(file).take(MOST_OF_HEADER).read_until(b'\n', &mut first);
    read.map_err(|error| unusable(path, &error))?;
    let (header, _) = read_lines(path, &*first, &mut |_| ())?;
    header.ok_or_else(|| format!("`{}` is empty; `tollgate bench run` writes records", path.display()))
}

/// Reads a record: its header, and each line in turn.
///
/// # Errors
/// That it is none, or cannot be read.
pub fn read(path: &Path, mut each: impl FnMut(Line)) -> Result<Header, String> {
    let file = File::open(path).map_err(|error| unusable(path, &error))?;
    let (header, _) = read_lines(path, BufReader::new(file), &mut each)?;
    header.ok_or_else(|| format!("`{}` is empty; `tollgate bench run` writes records", path.display()))
}

/// The header, if there is one, and how many bytes of the file are whole lines.
fn read_lines(
    path: &Path,
    mut from: impl BufRead,
    each: &mut impl FnMut(Line),
) -> Result<(Option<Header>, u64), String> {
    let (mut line, mut length, mut number) = (Vec::new(), 0, 0);
    let mut header = None;
    loop {
        line.clear();
        let read = from.read_until(b'\n', &mut line).map_err(|error| unusable(path, &error))?;
        if read == 0 || !line.ends_with(b"\n") {
            return Ok((header, length));
        }
        number += 1;
        let text = String::from_utf8_lossy(&line);
        let wrong = |error: String| format!("`{}`, line {number}: {error}; it is no record of a run", path.display());
        match &header {
            None => {
                let found: Header = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
                if found.tollgate_bench != VERSION {
                    return Err(wrong(format!("its format is version {}, not {VERSION}", found.tollgate_bench)));
                }
                header = Some(found);
            }
            Some(_) => each(record::read(&text).map_err(wrong)?),
        }
        length += read as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_line_counts_as_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.jsonl");
        let header = Header { tollgate_bench: VERSION, suite: "s".into(), ..Header::default() };
        let add = |n: u64| {
            let mut seen = Vec::new();
            let mut journal = Journal::open(&path, &header, |line| seen.push(line.n)).unwrap();
            journal.add(&Line { n, ..Line::default() }).unwrap();
            seen
        };
        assert_eq!((add(1), add(2)), (vec![], vec![1]));
        let whole = std::fs::read(&path).unwrap();
        for cut in 1..40 {
            std::fs::write(&path, &whole[..whole.len() - cut]).unwrap();
            assert_eq!(add(2), [1], "cut by {cut}");
        }
        assert_eq!(add(3), [1, 2]);
        let other = Header { suite: "t".into(), ..header.clone() };
        assert!(Journal::open(&path, &other, |_| ()).is_err());
    }
}
