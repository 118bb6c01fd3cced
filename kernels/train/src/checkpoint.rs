//! A training run's state in one file, written whole: parameters, moments and the next step.

use std::{collections::HashMap, path::Path};

use candle_core::{Device, Tensor, safetensors};

use crate::{
    adamw::AdamW,
    error::{Error, Result},
    model::Parameters,
};

const NAME: &str = "state.safetensors";

/// Writes the state before step `next_step`.
///
/// # Errors
/// [`Error::Tensor`] or [`Error::File`].
pub fn save(folder: &Path, parameters: &Parameters, optimiser: &AdamW, next_step: usize) -> Result<()> {
    let mut all = HashMap::new();
    for (name, var) in &parameters.0 {
        all.insert(format!("value.{name}"), var.as_tensor().clone());
    }
    for (name, (means, squares)) in &optimiser.moments {
        all.insert(format!("mean.{name}"), Tensor::from_slice(means, means.len(), &Device::Cpu)?);
        all.insert(format!("square.{name}"), Tensor::from_slice(squares, squares.len(), &Device::Cpu)?);
    }
    all.insert("step".to_owned(), Tensor::new(next_step as u32, &Device::Cpu)?);
    let beside = folder.join("state.part");
    safetensors::save(&all, &beside)?;
    std::fs::rename(&beside, folder.join(NAME)).map_err(Error::file(&beside))
}

/// Puts the stored state into `parameters` and `optimiser`; the next step, 0 where nothing is stored.
///
/// # Errors
/// [`Error::Bad`] if it is of another model.
pub fn load(folder: &Path, parameters: &Parameters, optimiser: &mut AdamW) -> Result<usize> {
    let path = folder.join(NAME);
    if !path.exists() {
        return Ok(0);
    }
    let all = safetensors::load(&path, &Device::Cpu).map_err(|it| it.with_path(&path))?;
    let get = |name: String| {
        let missing = || Error::bad(format!("`{}` lacks `{name}`; give a new --run", path.display()));
        all.get(&name).cloned().ok_or_else(missing)
    };
    for (name, var) in &parameters.0 {
        var.set(&get(format!("value.{name}"))?)?;
        let moments = (get(format!("mean.{name}"))?.to_vec1()?, get(format!("square.{name}"))?.to_vec1()?);
        optimiser.moments.insert(name.clone(), moments);
    }
    Ok(get("step".to_owned())?.to_scalar::<u32>()? as usize)
}
