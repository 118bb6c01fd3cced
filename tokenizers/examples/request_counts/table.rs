//! Shares and means of counts against what was charged.

use std::fmt;

use super::recordings::Excluded;

/// The whole result.
#[derive(serde::Serialize)]
pub struct Table {
    pub rows: Vec<Row>,
    pub recordings: Vec<Each>,
    pub excluded: Excluded,
}

/// A count and its bound.
pub type Count = (usize, Option<usize>);

/// One recording: what was charged, and the counts with their bounds.
#[derive(serde::Serialize)]
pub struct Each {
    pub place: String,
    pub family: String,
    pub shape: &'static str,
    pub model: String,
    pub charged: usize,
    pub cold: Count,
    pub calibrated: Count,
    pub refitted: Option<Count>,
}

/// What was counted, the bound that came with it, and what was charged.
pub type Counted = (usize, Option<usize>, usize);

/// One family, shape and state of calibration. Shares and means are in percent.
#[derive(serde::Serialize)]
pub struct Row {
    family: String,
    shape: &'static str,
    state: &'static str,
    n: usize,
    exact: f64,
    within_3: f64,
    /// The mean of the absolute error over what was charged.
    mape: f64,
    /// The sum of the errors over the sum of what was charged.
    bias: f64,
    /// How often the error was within the bound that came with the count.
    within_bound: f64,
}

impl Row {
    pub fn new(family: &str, shape: &'static str, state: &'static str, counts: &[Counted]) -> Self {
        let off = |(counted, _, charged): &Counted| counted.abs_diff(*charged);
        let n = counts.len().max(1) as f64;
        let share = |is_it: &dyn Fn(&Counted) -> bool| 100.0 * counts.iter().filter(|it| is_it(it)).count() as f64 / n;
        let charged: f64 = counts.iter().map(|it| it.2 as f64).sum();
        let counted: f64 = counts.iter().map(|it| it.0 as f64).sum();
        Self {
            family: family.to_owned(),
            shape,
            state,
            n: counts.len(),
            exact: share(&|it| off(it) == 0),
            within_3: share(&|it| off(it) <= 3),
            mape: 100.0 * counts.iter().map(|it| off(it) as f64 / it.2 as f64).sum::<f64>() / n,
            bias: 100.0 * (counted - charged) / charged.max(1.0),
            within_bound: share(&|it| it.1.is_none_or(|bound| off(it) <= bound)),
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "family             shape          state         n  exact %   in 3 %   MAPE %   bias %  in bound %"
        )?;
        for it in &self.rows {
            write!(f, "{:18} {:14} {:10} {:4}", it.family, it.shape, it.state, it.n)?;
            write!(f, " {:8.1} {:8.1} {:8.1}", it.exact, it.within_3, it.mape)?;
            writeln!(f, " {:+8.1} {:11.1}", it.bias, it.within_bound)?;
        }
        writeln!(f, "\nexcluded: {}", self.excluded.values().sum::<usize>())?;
        self.excluded.iter().try_for_each(|(reason, n)| writeln!(f, "{n:5}  {reason}"))
    }
}
