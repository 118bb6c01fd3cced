//! Tensors by name: frozen ones from files, and parameters that training changes.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
};

use candle_core::{DType, Device, Tensor, Var, safetensors};

use crate::error::{Error, Result, make_folder, read_text};

/// Tensors by name, all of f32.
#[derive(Debug, Clone, Default)]
pub struct Weights(pub BTreeMap<String, Tensor>);

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let index = folder.join("model.safetensors.index.json");
    if !index.exists() {
        return Ok(vec![folder.join("model.safetensors")]);
    }
    let value: serde_json::Value = serde_json::from_str(&read_text(&index)?)
        .map_err(|it| Error::bad(format!("`{}` is no JSON: {it}; download it again", index.display())))?;
    let names = value["weight_map"].as_object().into_iter().flat_map(|it| it.values().filter_map(|it| it.as_str()));
    let mut names: Vec<_> = names.filter(|it| !it.contains('/')).map(|it| folder.join(it)).collect();
    names.sort();
    names.dedup();
    Ok(names)
}

impl Weights {
    /// The weights in a model's folder, in one file or in several with an index.
    ///
    /// # Errors
    /// [`Error::Tensor`] for a file that is missing or broken.
    pub fn read(folder: &Path) -> Result<Self> {
        let mut all = BTreeMap::new();
        for file in files(folder)? {
            for (name, tensor) in safetensors::load(&file, &Device::Cpu).map_err(|it| it.with_path(&file))? {
                all.insert(name, tensor.to_dtype(DType::F32)?);
            }
        }
        Ok(Self(all))
    }

    /// A tensor, checked to have `shape`.
    ///
    /// # Errors
    /// [`Error::Bad`] with the name.
    pub fn get(&self, name: &str, shape: &[usize]) -> Result<Tensor> {
        let found =
            self.0.get(name).ok_or_else(|| Error::bad(format!("the weights lack `{name}`; use a whole model")))?;
        if found.dims() != shape {
            return Err(Error::bad(format!("`{name}` is {:?}, but config.json says {shape:?}", found.dims())));
        }
        Ok(found.clone())
    }
}

/// What training changes.
#[derive(Debug, Clone)]
pub struct Parameters(pub BTreeMap<String, Var>);

impl Parameters {
    /// Random parameters: norms are 1, biases 0, matrices normal with a deviation of 1 / sqrt(columns), those that
    /// write to the residual stream smaller by `residual`.
    ///
    /// # Errors
    /// [`Error::Tensor`].
    pub fn random(tensors: &[(String, Vec<usize>)], seed: u64, residual: f64) -> Result<Self> {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut all = BTreeMap::new();
        for (name, shape) in tensors {
            let n: usize = shape.iter().product();
            let deviation = deviation(name, shape, residual);
            let values: Vec<f32> = match deviation {
                None if name.ends_with("bias") => vec![0.0; n],
                None => vec![1.0; n],
                Some(deviation) => (0..n).map(|_| (normal(&mut rng) * deviation) as f32).collect(),
            };
            all.insert(name.clone(), Var::from_vec(values, &**shape, &Device::Cpu)?);
        }
        Ok(Self(all))
    }

    /// Parameters that begin as `weights`.
    ///
    /// # Errors
    /// [`Error::Bad`] if one is missing or of another shape.
    pub fn of_weights(tensors: &[(String, Vec<usize>)], weights: &Weights) -> Result<Self> {
        let mut all = BTreeMap::new();
        for (name, shape) in tensors {
            all.insert(name.clone(), Var::from_tensor(&weights.get(name, shape)?.copy()?)?);
        }
        Ok(Self(all))
    }

    /// The tensors, which change when the parameters do.
    #[must_use]
    pub fn weights(&self) -> Weights {
        Weights(self.0.iter().map(|(name, it)| (name.clone(), it.as_tensor().clone())).collect())
    }
}

fn deviation(name: &str, shape: &[usize], residual: f64) -> Option<f64> {
    let [_, columns] = shape else { return None };
    let plain = (*columns as f64).sqrt().recip();
    let writes = name.ends_with("o_proj.weight") || name.ends_with("down_proj.weight");
    Some(if writes { plain * residual } else { plain })
}

/// A normal number, by Box and Muller.
fn normal(rng: &mut fastrand::Rng) -> f64 {
    let radius = (-2.0 * (1.0 - rng.f64()).ln()).sqrt();
    radius * (std::f64::consts::TAU * rng.f64()).cos()
}

/// Writes `model.safetensors` in f16.
///
/// # Errors
/// [`Error::Bad`] if a number is not finite or too large for f16.
pub fn save_half(weights: &Weights, folder: &Path) -> Result<()> {
    make_folder(folder)?;
    let mut halves = HashMap::new();
    for (name, tensor) in &weights.0 {
        let largest = tensor.abs()?.max_all()?.to_scalar::<f32>()?;
        if !largest.is_finite() || largest >= 65_504.0 {
            return Err(Error::bad(format!(
                "`{name}` holds {largest}; the training diverged, lower the learning rate"
            )));
        }
        halves.insert(name.clone(), tensor.to_dtype(DType::F16)?);
    }
    let path = folder.join("model.safetensors");
    let beside = folder.join("model.part");
    safetensors::save(&halves, &beside)?;
    std::fs::rename(&beside, &path).map_err(Error::file(&path))
}
