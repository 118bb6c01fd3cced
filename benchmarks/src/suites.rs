//! The suites: a file and a line each.

mod generated;
mod longins;
mod longproc;
mod needle;
mod noise;
mod ruler;
mod synthetic;

use crate::suite::Suite;

/// All suites, in the order in which they are listed.
pub static SUITES: &[&dyn Suite] =
    &[&synthetic::SyntheticTools, &needle::NeedleThreading, &ruler::Ruler, &longproc::LongProc, &longins::LongIns];

/// The suite of that name.
///
/// # Errors
/// The names that there are.
pub fn suite(name: &str) -> Result<&'static dyn Suite, String> {
    SUITES.iter().copied().find(|it| it.name() == name).ok_or_else(|| {
        let known: Vec<&str> = SUITES.iter().map(|it| it.name()).collect();
        format!("unknown suite `{name}`; there are {}", known.join(", "))
    })
}
