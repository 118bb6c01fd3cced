//! Trains a LongSpec draft for a frozen target (arXiv 2502.17421, section 3): stage 1 on short sequences whose positions
//! are spread by anchor offsets, stage 2 on long ones. The target's cache is stale by 1 to 4 tokens, as in drafting.

use std::path::PathBuf;

use candle_core::Tensor;

use crate::{
    corpus::{Corpus, Mix, parse_mix, positions, step_rng},
    error::Result,
    looped::{RunArgs, train},
    model::{Draft, Parameters, Seen, Target, Weights},
    ops::{CrossEntropy, Labels},
    tokenizer,
};

/// What `draft` takes.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Folder of `data`
    #[arg(long)]
    pub data: PathBuf,
    /// Folder of the target: Llama, Qwen 2 or Qwen 3
    #[arg(long)]
    pub target: PathBuf,
    /// Folder for the draft
    #[arg(long)]
    pub out: PathBuf,
    /// Go on with the weights that are in --out (stage 2)
    #[arg(long)]
    pub resume_model: bool,
    /// What the draft learns to say
    #[arg(long, value_enum, default_value_t = Teacher::Soft)]
    pub labels: Teacher,
    /// Largest lag of the target's cache
    #[arg(long, default_value_t = 4)]
    pub max_lag: usize,
    /// Leave out the cross-attention: the sliding-window draft to compare with
    #[arg(long)]
    pub plain: bool,
    /// Kinds of text with their weights
    #[arg(long, default_value = "rust=1,python=1,prose=1,chat=2", value_parser = parse_mix)]
    pub mix: Mix,
    /// The run
    #[command(flatten)]
    pub run: RunArgs,
}

/// Where labels come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Teacher {
    /// The text's next token (the paper)
    Text,
    /// The token that the target likes best
    Greedy,
    /// The target's whole distribution (distillation)
    Soft,
}

/// Trains, and writes the draft when the last step is done.
///
/// # Errors
/// What reading, training and writing say.
pub fn run(args: &Args) -> Result<()> {
    let tokenizer = tokenizer::read(&args.target)?;
    let weights = Weights::read(&args.target)?;
    let target = Target::read(&args.target)?;
    let end = tokenizer.special(tokenizer::END).unwrap_or(target.config.end_id);
    let corpus = Corpus::read(&args.data.join("train.jsonl"), tokenizer, end)?;
    let parameters = if args.resume_model {
        Parameters::of_weights(&Draft::tensors(&target.config, args.plain), &Weights::read(&args.out)?)?
    } else {
        Draft::parameters(&target.config, &weights, args.plain)?
    };
    let draft = Draft::new(target.config.clone(), &parameters.weights(), args.plain)?;
    let settings =
        format!("draft {:?} {:?} {} {} {:?}", target.config, args.labels, args.max_lag, args.plain, args.mix);
    let is_done = train(&args.run, &settings, &parameters, |step| loss((&target, &draft), &corpus, args, step))?;
    if is_done {
        Draft::save(&target.config, &parameters.weights(), &args.out)?;
    }
    Ok(())
}

fn loss((target, draft): (&Target, &Draft), corpus: &Corpus, args: &Args, step: usize) -> Result<Tensor> {
    let RunArgs { batch, length, spread, seed, .. } = args.run;
    let mut rng = step_rng(seed, step);
    let rows = corpus.batch(&args.mix, batch, length, &mut rng)?;
    let angles = target.angles(&positions(batch, length, spread, &mut rng));
    let lag = rng.usize(1..=args.max_lag.max(1));
    let inputs: Vec<Vec<u32>> = rows.iter().map(|it| it[..length].to_vec()).collect();
    let hidden = target.run(&inputs, &angles)?;
    let labels = labels(target, &hidden.states, &rows, (args.labels, lag))?;
    let seen = Seen { last: (&hidden.last.0, &hidden.last.1), lag };
    let states = draft.run(&target.embed(&inputs)?, seen, &angles)?;
    Ok(target.logits(&states)?.apply_op1(CrossEntropy(labels))?)
}

/// A label for each place; places that see nothing of the target's cache have none.
fn labels(target: &Target, states: &Tensor, rows: &[Vec<u32>], (teacher, lag): (Teacher, usize)) -> Result<Labels> {
    let length = rows[0].len() - 1;
    let is_counted = |idx: usize| idx % length >= lag;
    if teacher == Teacher::Text {
        let next = rows.iter().flat_map(|it| it[1..].iter().copied());
        return Ok(Labels::Hard(next.enumerate().map(|(idx, it)| is_counted(idx).then_some(it)).collect()));
    }
    let logits: Vec<Vec<f32>> = target.logits(states)?.to_vec2()?;
    let rows = logits.into_iter().enumerate().map(|(idx, it)| is_counted(idx).then_some(it));
    Ok(match teacher {
        Teacher::Greedy => Labels::Hard(rows.map(|it| it.map(|it| best(&it))).collect()),
        _ => Labels::Soft(rows.collect()),
    })
}

/// The place of the largest number, the first of equals.
#[must_use]
pub fn best(logits: &[f32]) -> u32 {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    logits.iter().position(|it| *it == largest).unwrap_or(0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn loss_of(family: &str, is_plain: bool) -> Result<(Tensor, Parameters)> {
        let config = testing::config(family);
        let weights = Parameters::random(&config.tensors(), 1, 1.0)?.weights();
        // The target is frozen: copies of its tensors are no variables.
        let frozen = Weights(weights.0.iter().map(|(name, it)| (name.clone(), it.detach())).collect());
        let target = Target::new(config.clone(), &frozen)?;
        let parameters = Draft::parameters(&config, &frozen, is_plain)?;
        let draft = Draft::new(config, &parameters.weights(), is_plain)?;
        let rows = vec![vec![1, 2, 3, 4, 5, 6], vec![9, 8, 7, 6, 5, 4]];
        let inputs: Vec<Vec<u32>> = rows.iter().map(|it: &Vec<u32>| it[..5].to_vec()).collect();
        let angles = target.angles(&[0, 1, 2, 3, 4, 0, 1, 12, 13, 14]);
        let hidden = target.run(&inputs, &angles)?;
        let labels = labels(&target, &hidden.states, &rows, (Teacher::Soft, 2))?;
        assert_eq!(labels.n_counted(), 6);
        let seen = Seen { last: (&hidden.last.0, &hidden.last.1), lag: 2 };
        let states = draft.run(&target.embed(&inputs)?, seen, &angles)?;
        Ok((target.logits(&states)?.apply_op1(CrossEntropy(labels))?, parameters))
    }

    #[test]
    fn gradients_reach_every_tensor_of_the_draft() {
        for (family, is_plain) in [("llama", false), ("llama", true), ("qwen2", false), ("qwen3", false)] {
            let (loss, parameters) = loss_of(family, is_plain).unwrap();
            testing::every_gradient(&loss, &parameters);
        }
    }

    #[test]
    fn best_is_the_first_of_equals() {
        assert_eq!(best(&[0.0, 2.0, 2.0]), 1);
    }
}
