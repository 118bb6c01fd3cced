//! What a run says: a line every few seconds with the time that is left, a table of losses, and their curve.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use crate::{
    curves,
    error::{Error, Result, write_whole},
};

/// Seconds between two lines.
const SAY_S: f64 = 15.0;

/// One row of `log.csv`.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The step, from 0.
    pub step: usize,
    /// Tokens that have been learnt from.
    pub n_tokens: usize,
    /// Loss of the step in nats a token.
    pub loss: f64,
    /// Learning rate.
    pub rate: f64,
    /// Norm of the gradients before clipping.
    pub norm: f64,
}

const HEADER: &str = "step,tokens,loss,rate,norm";

impl Row {
    fn line(&self) -> String {
        format!("{},{},{:.5},{:.3e},{:.4}", self.step, self.n_tokens, self.loss, self.rate, self.norm)
    }

    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split(',');
        let mut next = || fields.next()?.parse::<f64>().ok();
        let (step, n_tokens) = (next()? as usize, next()? as usize);
        Some(Self { step, n_tokens, loss: next()?, rate: next()?, norm: next()? })
    }
}

/// The rows of a run's `log.csv`; none if there is no such file.
///
/// # Errors
/// [`Error::File`].
pub fn read(run: &Path) -> Result<Vec<Row>> {
    let path = run.join("log.csv");
    if !path.exists() {
        return Ok(Vec::new());
    }
    Ok(crate::error::read_text(&path)?.lines().filter_map(Row::parse).collect())
}

/// The progress of one run.
#[derive(Debug)]
pub struct Progress {
    run: PathBuf,
    n_steps: usize,
    rows: Vec<Row>,
    started: Instant,
    said: Instant,
    first_step: usize,
}

impl Progress {
    /// Progress that goes on at step `first_step`.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn new(run: &Path, first_step: usize, n_steps: usize) -> Result<Self> {
        let mut rows = read(run)?;
        rows.retain(|it| it.step < first_step);
        let now = Instant::now();
        Ok(Self { run: run.to_owned(), n_steps, rows, started: now, said: now, first_step })
    }

    /// Adds a row, and says something now and then.
    pub fn add(&mut self, row: Row) {
        let is_last = row.step + 1 == self.n_steps;
        self.rows.push(row);
        if is_last || self.said.elapsed().as_secs_f64() > SAY_S {
            self.said = Instant::now();
            self.say();
        }
    }

    fn say(&self) {
        let Some(last) = self.rows.last() else { return };
        let seconds = self.started.elapsed().as_secs_f64();
        let recent = &self.rows[self.rows.len().saturating_sub(50)..];
        let loss = recent.iter().map(|it| it.loss).sum::<f64>() / recent.len() as f64;
        let n_done = last.step + 1 - self.first_step;
        let before = self.rows.iter().rev().find(|it| it.step < self.first_step).map_or(0, |it| it.n_tokens);
        let speed = (last.n_tokens - before) as f64 / seconds;
        let left = seconds / n_done as f64 * (self.n_steps - last.step - 1) as f64;
        eprintln!(
            "step {}/{}  loss {loss:.3}  rate {:.1e}  {speed:.0} tokens/s  {} left",
            last.step + 1,
            self.n_steps,
            last.rate,
            spoken(left)
        );
    }

    /// Writes `log.csv` and `loss.svg`.
    ///
    /// # Errors
    /// [`Error::File`], or [`Error::Bad`] if the curve cannot be drawn.
    pub fn save(&self) -> Result<()> {
        let lines: Vec<String> = std::iter::once(HEADER.to_owned()).chain(self.rows.iter().map(Row::line)).collect();
        write_whole(&self.run.join("log.csv"), (lines.join("\n") + "\n").as_bytes())?;
        let svg = curves::losses(&[("loss", &self.rows)]).map_err(Error::bad)?;
        write_whole(&self.run.join("loss.svg"), svg.as_bytes())
    }
}

fn spoken(seconds: f64) -> String {
    let seconds = seconds as u64;
    if seconds < 60 { format!("{seconds} s") } else { format!("{} min {:02} s", seconds / 60, seconds % 60) }
}
