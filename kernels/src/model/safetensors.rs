//! The safetensors format: an 8-byte length, a JSON header, and bytes. Nothing in a file is believed before it is checked.

use rustc_hash::FxHashMap;
use serde_json::Value;

use crate::{
    Error,
    backend::{Format, Matrix},
};

/// The reference implementation's limit of a header, in bytes.
const MAX_HEADER: u64 = 100_000_000;

/// Files of one index.
const MAX_SHARDS: usize = 10_000;

/// A tensor in a file.
#[derive(Debug, Clone)]
pub struct Tensor<'a> {
    /// Numbers of each dimension.
    pub shape: Vec<usize>,
    /// How the numbers are stored.
    pub format: Format,
    /// The numbers, little-endian.
    pub bytes: &'a [u8],
}

/// The tensors of one or more files, by name.
#[derive(Debug, Default)]
pub struct Tensors<'a> {
    by_name: FxHashMap<String, Tensor<'a>>,
}

fn bad<T>(what: String) -> Result<T, Error> {
    Err(Error::Model(what))
}

impl<'a> Tensors<'a> {
    /// Reads the headers of all files.
    ///
    /// # Errors
    /// [`Error::Model`] if a file is no safetensors file, is cut off, or repeats a tensor of another.
    pub fn new(files: &[&'a [u8]]) -> Result<Self, Error> {
        let mut all = Self::default();
        for (idx, file) in files.iter().enumerate() {
            all.read(file).map_err(|error| match error {
                Error::Model(what) => Error::Model(format!("file {} of {}: {what}", idx + 1, files.len())),
                other => other,
            })?;
        }
        Ok(all)
    }

    fn read(&mut self, file: &'a [u8]) -> Result<(), Error> {
        let Some((length, rest)) = file.split_first_chunk::<8>() else {
            return bad(format!("`{}` bytes are no safetensors file; download it again", file.len()));
        };
        let length = u64::from_le_bytes(*length);
        let header =
            usize::try_from(length).ok().filter(|_| length <= MAX_HEADER).and_then(|it| rest.split_at_checked(it));
        let Some((header, data)) = header else {
            return bad(format!("a header of `{length}` bytes is longer than its file; download it again"));
        };
        let header: serde_json::Map<String, Value> = serde_json::from_slice(header)
            .map_err(|error| Error::Model(format!("the header is no JSON object ({error}); download it again")))?;
        for (name, entry) in header.iter().filter(|(name, _)| *name != "__metadata__") {
            if let Some(tensor) = tensor(name, entry, data)?
                && self.by_name.insert(name.clone(), tensor).is_some()
            {
                return bad(format!("the tensor `{name}` is there twice; keep one of its files"));
            }
        }
        Ok(())
    }

    /// The tensors without what their names have before `prefix` and with it, where a name has it; else all as they are.
    #[must_use]
    pub fn without_prefix(mut self, prefix: &str) -> Self {
        if self.by_name.keys().any(|it| it.starts_with(prefix)) {
            self.by_name = self
                .by_name
                .into_iter()
                .filter_map(|(name, tensor)| Some((name.strip_prefix(prefix)?.to_owned(), tensor)))
                .collect();
        }
        self
    }

    /// Whether there is a tensor of this name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// The rows of a matrix.
    ///
    /// # Errors
    /// [`Error::Model`] if it is missing or no matrix.
    pub fn n_rows(&self, name: &str) -> Result<usize, Error> {
        match self.by_name.get(name).map(|it| &it.shape[..]) {
            Some([n_rows, _]) => Ok(*n_rows),
            Some(shape) => bad(format!("the tensor `{name}` has the shape `{shape:?}`; it must be a matrix")),
            None => bad(format!("the tensor `{name}` is missing; is a file of the model not here?")),
        }
    }

    fn get(&self, name: &str, shape: &[usize]) -> Result<&Tensor<'a>, Error> {
        let Some(tensor) = self.by_name.get(name) else {
            return bad(format!("the tensor `{name}` is missing; is a file of the model not here?"));
        };
        if tensor.shape != shape {
            return bad(format!(
                "the tensor `{name}` has the shape `{:?}` and not `{shape:?}`; is it of another config.json?",
                tensor.shape
            ));
        }
        Ok(tensor)
    }

    /// A matrix of this shape.
    ///
    /// # Errors
    /// [`Error::Model`] if it is missing or has another shape.
    pub fn matrix(&self, name: &str, n_rows: usize, n_cols: usize) -> Result<Matrix<'a>, Error> {
        let tensor = self.get(name, &[n_rows, n_cols])?;
        Ok(Matrix { n_rows, n_cols, format: tensor.format, bytes: tensor.bytes })
    }

    /// A vector of this length.
    ///
    /// # Errors
    /// [`Error::Model`] if it is missing or has another length.
    pub fn vector(&self, name: &str, n: usize) -> Result<Vec<f32>, Error> {
        let tensor = self.get(name, &[n])?;
        let half = |it: &[u8; 2]| u16::from_le_bytes(*it);
        Ok(match tensor.format {
            Format::F16 => tensor.bytes.as_chunks().0.iter().map(|it| crate::cpu::f16_to(half(it))).collect(),
            Format::Bf16 => {
                tensor.bytes.as_chunks().0.iter().map(|it| f32::from_bits(u32::from(half(it)) << 16)).collect()
            }
            Format::F32 | Format::Int8 => tensor.bytes.as_chunks().0.iter().map(|it| f32::from_le_bytes(*it)).collect(),
        })
    }
}

/// `None` for numbers that no model here uses: masks and counters that some files carry.
fn tensor<'a>(name: &str, entry: &Value, data: &'a [u8]) -> Result<Option<Tensor<'a>>, Error> {
    let (format, width) = match entry["dtype"].as_str() {
        Some("F32") => (Format::F32, 4),
        Some("F16") => (Format::F16, 2),
        Some("BF16") => (Format::Bf16, 2),
        Some("F64" | "I64" | "I32" | "I16" | "I8" | "U64" | "U32" | "U16" | "U8" | "BOOL") => return Ok(None),
        _ => {
            return bad(format!(
                "the tensor `{name}` has the type `{}`; convert it to F32, F16 or BF16",
                entry["dtype"]
            ));
        }
    };
    let numbers = |value: &Value| -> Option<Vec<usize>> {
        value.as_array()?.iter().map(|it| it.as_u64().and_then(|it| usize::try_from(it).ok())).collect()
    };
    let (Some(shape), Some(offsets)) = (numbers(&entry["shape"]), numbers(&entry["data_offsets"])) else {
        return bad(format!("the tensor `{name}` has no shape or no offsets; download the file again"));
    };
    let bytes = match offsets[..] {
        [start, end] => data.get(start..end),
        _ => None,
    };
    let Some(bytes) = bytes else {
        return bad(format!("the tensor `{name}` at `{offsets:?}` is outside of its file; download the file again"));
    };
    let expected = shape.iter().try_fold(width, |size: usize, it| size.checked_mul(*it));
    if expected != Some(bytes.len()) {
        return bad(format!(
            "the tensor `{name}` of `{shape:?}` has `{}` bytes, which do not fit; download the file again",
            bytes.len()
        ));
    }
    Ok(Some(Tensor { shape, format, bytes }))
}

/// The names of the files that `model.safetensors.index.json` lists, each once, sorted.
///
/// # Errors
/// [`Error::Model`] if it is no such index or names a file outside of its folder.
pub fn shard_names(index: &[u8]) -> Result<Vec<String>, Error> {
    let index: Value = serde_json::from_slice(index)
        .map_err(|error| Error::Model(format!("the index is no JSON ({error}); download it again")))?;
    let Some(map) = index["weight_map"].as_object() else {
        return bad("the index has no `weight_map`; download it again".to_owned());
    };
    let mut names: Vec<String> = Vec::new();
    for (tensor, file) in map {
        match file.as_str() {
            Some(file) if !file.is_empty() && !file.contains(['/', '\\', '\0']) && file != ".." => {
                names.push(file.to_owned());
            }
            _ => {
                return bad(format!("the index puts `{tensor}` into `{file}`, which is no file of its folder; fix it"));
            }
        }
    }
    names.sort_unstable();
    names.dedup();
    if names.is_empty() || names.len() > MAX_SHARDS {
        return bad(format!("the index lists `{}` files; 1 to {MAX_SHARDS} are read", names.len()));
    }
    Ok(names)
}
