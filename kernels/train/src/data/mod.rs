//! Gathers what a small model learns from: files of Debian packages and crates whose licences allow it, and transcripts.
//! Each file is listed in the manifest with its origin, its licence and its hash.

mod crates;
mod debian;
mod licence;
mod python;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use crate::{
    chat::transcripts,
    corpus::Document,
    error::{Result, make_folder, write_whole},
};

/// One group of documents in so many is held out.
const HELD_OUT: u64 = 50;

/// Longer files are cut, so that no single one fills the corpus.
const MAX_BYTES: usize = 48 * 1024;

/// A file that may be learnt from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Source {
    pub(crate) kind: &'static str,
    /// The package with its version.
    pub(crate) origin: String,
    /// What is held out together: versions of a crate share most of their text.
    pub(crate) group: String,
    pub(crate) licence: String,
    pub(crate) path: PathBuf,
}

/// What `data` takes.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Folder for train.jsonl, held_out.jsonl, manifest.csv and summary.csv
    #[arg(long)]
    pub out: PathBuf,
    /// Folder with unpacked crates; cargo's own, below ~/.cargo/registry/src
    #[arg(long)]
    pub crates: Option<PathBuf>,
    /// Root of the Debian system
    #[arg(long, default_value = "/")]
    pub root: PathBuf,
    /// Megabytes of each kind of text at most
    #[arg(long, default_value_t = 8.0)]
    pub megabytes: f64,
    /// Transcripts
    #[arg(long, default_value_t = 12_000)]
    pub transcripts: usize,
    /// Chooses files and transcripts
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// Gathers and writes everything.
///
/// # Errors
/// [`crate::error::Error::File`] for what cannot be written; what cannot be read is left out.
pub fn gather(args: &Args) -> Result<()> {
    make_folder(&args.out)?;
    let mut sources = debian::sources(&args.root)?;
    sources.extend(python::sources(&args.root));
    if let Some(folder) = &args.crates {
        sources.extend(crates::sources(folder));
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    fastrand::Rng::with_seed(args.seed).shuffle(&mut sources);
    let limit = (args.megabytes * 1e6) as usize;
    let mut taken = Taken::default();
    for source in &sources {
        taken.add(source, limit);
    }
    taken.add_transcripts(args);
    taken.write(&args.out)
}

#[derive(Default)]
struct Taken {
    train: Vec<String>,
    held_out: Vec<String>,
    manifest: Vec<String>,
    /// Bytes of train and held out, by kind and licence.
    sizes: BTreeMap<(String, String), [usize; 2]>,
    by_kind: BTreeMap<&'static str, usize>,
    seen: std::collections::HashSet<[u8; 32]>,
}

impl Taken {
    fn add(&mut self, source: &Source, limit: usize) {
        let used = self.by_kind.get(source.kind).copied().unwrap_or(0);
        if used >= limit {
            return;
        }
        let Some(text) = text(&source.path) else { return };
        let hash: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        if !self.seen.insert(hash) {
            return;
        }
        *self.by_kind.entry(source.kind).or_default() += text.len();
        let hex: String = hash[..8].iter().map(|it| format!("{it:02x}")).collect();
        let Source { kind, origin, licence, path, group } = source;
        self.manifest.push(format!("{kind},{origin},{licence},{hex},{},{}", text.len(), path.display()));
        let group = Sha256::digest(group.as_bytes());
        let residue = u64::from(group[0]) * 256 + u64::from(group[1]);
        let document = Document { kind: (*kind).to_owned(), text };
        self.push(document, licence, residue.is_multiple_of(HELD_OUT));
    }

    fn push(&mut self, document: Document, licence: &str, is_held_out: bool) {
        let sizes = self.sizes.entry((document.kind.clone(), licence.to_owned())).or_default();
        sizes[usize::from(is_held_out)] += document.text.len();
        // Strings and a kind always have a JSON form.
        let line = serde_json::to_string(&document).unwrap_or_default();
        if is_held_out { &mut self.held_out } else { &mut self.train }.push(line);
    }

    /// Held-out transcripts come from a seed of their own.
    fn add_transcripts(&mut self, args: &Args) {
        for document in transcripts(args.seed, args.transcripts) {
            self.push(document, "Apache-2.0", false);
        }
        for document in transcripts(args.seed ^ 0x9999, args.transcripts.div_ceil(HELD_OUT as usize)) {
            self.push(document, "Apache-2.0", true);
        }
    }

    fn write(&self, out: &Path) -> Result<()> {
        let lines = |lines: &[String]| lines.join("\n") + "\n";
        write_whole(&out.join("train.jsonl"), lines(&self.train).as_bytes())?;
        write_whole(&out.join("held_out.jsonl"), lines(&self.held_out).as_bytes())?;
        let header = "kind,origin,licence,sha256,bytes,path\n".to_owned();
        write_whole(&out.join("manifest.csv"), (header + &lines(&self.manifest)).as_bytes())?;
        let mut summary = "kind,licence,train_bytes,held_out_bytes\n".to_owned();
        for ((kind, licence), [train, held_out]) in &self.sizes {
            summary += &format!("{kind},{licence},{train},{held_out}\n");
        }
        eprint!("{summary}");
        write_whole(&out.join("summary.csv"), summary.as_bytes())
    }
}

/// The text of a file, cut at a line; `None` for what is no text, or hardly any.
fn text(path: &Path) -> Option<String> {
    let bytes = std::fs::read(path).ok()?;
    let mut text = String::from_utf8(bytes).ok()?;
    if text.len() > MAX_BYTES {
        let end = text.floor_char_boundary(MAX_BYTES);
        text.truncate(text[..end].rfind('\n').unwrap_or(end));
    }
    let longest = text.lines().map(str::len).max().unwrap_or(0);
    let n_ascii = text.bytes().filter(u8::is_ascii).count();
    // Tables, generated code and minified files teach nothing.
    let is_text = text.len() > 400 && longest < 400 && n_ascii * 100 > text.len() * 98 && !text.contains('\0');
    is_text.then_some(text)
}

/// The files below a folder, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => open.push(entry.path()),
                Ok(kind) if kind.is_file() => found.push(entry.path()),
                _ => {}
            }
        }
    }
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_allowed_texts_are_taken_and_listed() {
        let root = tempfile::tempdir().unwrap();
        let put = |path: &str, text: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let words = |word: &str| format!("{word} of a file\n").repeat(40);
        put("crates/free-1.0.0/Cargo.toml", "[package]\nname = \"free\"\nlicense = \"MIT OR Apache-2.0\"\n");
        put("crates/free-1.0.0/src/lib.rs", &words("free"));
        put("crates/bound-2.0.0/Cargo.toml", "[package]\nname = \"bound\"\nlicense = \"GPL-3.0\"\n");
        put("crates/bound-2.0.0/src/lib.rs", &words("bound"));
        put("var/lib/dpkg/info/good.list", "/usr/share/doc/good/README\n/usr/share/doc/good/copyright\n");
        put("usr/share/doc/good/README", &words("good"));
        put("usr/share/doc/good/copyright", "Format: https://x/copyright-format/1.0/\nFiles: *\nLicense: Expat\n");
        put("var/lib/dpkg/info/mixed.list", "/usr/share/doc/mixed/README\n/usr/share/doc/mixed/copyright\n");
        put("usr/share/doc/mixed/README", &words("mixed"));
        put("usr/share/doc/mixed/copyright", "Format: x\nFiles: *\nLicense: Expat\nFiles: a\nLicense: GPL-2+\n");
        let out = root.path().join("out");
        let args = Args {
            out: out.clone(),
            crates: Some(root.path().join("crates")),
            root: root.path().to_owned(),
            megabytes: 1.0,
            transcripts: 3,
            seed: 1,
        };
        gather(&args).unwrap();
        let manifest = std::fs::read_to_string(out.join("manifest.csv")).unwrap();
        assert!(manifest.contains("rust,free-1.0.0,MIT OR Apache-2.0,"), "{manifest}");
        assert!(manifest.contains("prose,good,Expat,"), "{manifest}");
        assert!(!manifest.contains("bound") && !manifest.contains("mixed"), "{manifest}");
        let train = crate::corpus::documents(&out.join("train.jsonl")).unwrap();
        assert_eq!(train.iter().filter(|it| it.kind == "chat").count(), 3);
    }
}
