//! The loop that targets and drafts share: loss, gradients, step, log, checkpoint.

use std::path::PathBuf;

use candle_core::Tensor;

use crate::{
    adamw::{AdamW, Settings},
    checkpoint,
    error::{Error, Result, make_folder, read_text, write_whole},
    model::Parameters,
    progress::{Progress, Row},
};

/// What all training commands take.
#[derive(Debug, Clone, clap::Args)]
pub struct RunArgs {
    /// Folder of the checkpoint, the log and the curve; a run that was broken off goes on from it
    #[arg(long)]
    pub run: PathBuf,
    /// Steps in all
    #[arg(long, default_value_t = 1000)]
    pub steps: usize,
    /// Sequences of a step
    #[arg(long, default_value_t = 16)]
    pub batch: usize,
    /// Tokens of a sequence
    #[arg(long, default_value_t = 256)]
    pub length: usize,
    /// Positions that sequences are spread over by anchor offsets; at most --length for none
    #[arg(long, default_value_t = 0)]
    pub spread: usize,
    /// Chooses the data of each step and the first weights
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Steps between two checkpoints
    #[arg(long, default_value_t = 100)]
    pub save_every: usize,
    /// Stop after this many steps of this call; the run can be resumed
    #[arg(long)]
    pub stop_after: Option<usize>,
    /// The optimiser
    #[command(flatten)]
    pub optimiser: Settings,
}

/// Trains until the last step; true if it was reached. `loss` is asked once a step, with its number, and depends on
/// nothing else.
///
/// # Errors
/// What `loss` says, and [`Error::Bad`] for a loss that is no number or a run of other settings.
pub fn train(
    args: &RunArgs,
    settings: &str,
    parameters: &Parameters,
    mut loss: impl FnMut(usize) -> Result<Tensor>,
) -> Result<bool> {
    make_folder(&args.run)?;
    same_settings(args, settings)?;
    let mut optimiser = AdamW::new(args.optimiser.clone(), parameters);
    let first = checkpoint::load(&args.run, parameters, &mut optimiser)?;
    let mut progress = Progress::new(&args.run, first, args.steps)?;
    let end = args.stop_after.map_or(args.steps, |it| args.steps.min(first + it));
    for step in first..end {
        let value = loss(step)?;
        let grads = value.backward()?;
        let loss = f64::from(value.to_scalar::<f32>()?);
        let rate = args.optimiser.rate_at(step, args.steps);
        let norm = optimiser.step(parameters, &grads, step, rate)?;
        progress.add(Row { step, n_tokens: (step + 1) * args.batch * args.length, loss, rate, norm });
        if (step + 1) % args.save_every == 0 || step + 1 == end {
            checkpoint::save(&args.run, parameters, &optimiser, step + 1)?;
            progress.save()?;
        }
    }
    Ok(end == args.steps)
}

/// A run goes on only with the settings that it began with.
fn same_settings(args: &RunArgs, settings: &str) -> Result<()> {
    let RunArgs { steps, batch, length, spread, seed, optimiser, .. } = args;
    let text = format!("{settings} {steps} {batch} {length} {spread} {seed} {optimiser:?}\n");
    let path = args.run.join("settings.txt");
    if path.exists() {
        let before = read_text(&path)?;
        if before != text {
            return Err(Error::bad(format!("`{}` was begun as {before}give a new --run", args.run.display())));
        }
        return Ok(());
    }
    write_whole(&path, text.as_bytes())
}
