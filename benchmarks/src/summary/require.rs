//! Thresholds: `accuracy_kept>=0.97`, or of one arm `accuracy_kept[gate@1000]>=0.97`.

use std::str::FromStr;

use super::{METRICS, Summary};
use crate::arm::Arm;

/// What a run must reach.
#[derive(Clone, Debug, PartialEq)]
pub struct Requirement {
    metric: &'static str,
    /// Without one: every arm of the gate's, or every arm where there is none of those.
    arm: Option<Arm>,
    sign: &'static str,
    bound: f64,
}

/// The longer ones first, since the shorter ones begin them.
const SIGNS: [&str; 4] = [">=", "<=", ">", "<"];

impl FromStr for Requirement {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no threshold; write METRIC>=NUMBER or METRIC[ARM]>=NUMBER");
        let found = SIGNS.iter().find_map(|sign| text.split_once(sign).map(|(left, right)| (left, *sign, right)));
        let (left, sign, right) = found.ok_or_else(wrong)?;
        let (name, arm) = match left.trim().split_once('[') {
            Some((name, arm)) => (name, Some(arm.strip_suffix(']').ok_or_else(wrong)?.parse()?)),
            None => (left.trim(), None),
        };
        let metric = METRICS.iter().find(|it| it.name == name).ok_or_else(|| {
            let known: Vec<&str> = METRICS.iter().map(|it| it.name).collect();
            format!("unknown metric `{name}`; there are {}", known.join(", "))
        })?;
        Ok(Self { metric: metric.name, arm, sign, bound: right.trim().parse().map_err(|_| wrong())? })
    }
}

impl Requirement {
    /// What of a run falls short, a line for each arm.
    #[must_use]
    pub fn unmet(&self, summary: &Summary) -> Vec<String> {
        let all: Vec<Arm> = summary.arms.iter().filter(|(_, sums)| sums.attempts > 0).map(|(arm, _)| *arm).collect();
        let gated: Vec<Arm> = all.iter().copied().filter(|it| matches!(it, Arm::Gate(_) | Arm::Served(_))).collect();
        let arms = match self.arm {
            Some(arm) => vec![arm],
            None if gated.is_empty() => all,
            None => gated,
        };
        arms.into_iter().filter_map(|arm| self.unmet_by(summary, arm)).collect()
    }

    fn unmet_by(&self, summary: &Summary, arm: Arm) -> Option<String> {
        let asked = format!("{}[{arm}] {} {}", self.metric, self.sign, self.bound);
        let Some(value) = summary.metric(self.metric, arm) else {
            return Some(format!("`{asked}` cannot be told: the record has no such value"));
        };
        let holds = match self.sign {
            ">=" => value >= self.bound,
            "<=" => value <= self.bound,
            ">" => value > self.bound,
            _ => value < self.bound,
        };
        (!holds).then(|| format!("`{asked}` does not hold: it is {value:.4}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Line;

    #[test]
    fn thresholds_are_read() {
        let read = |text: &str| text.parse::<Requirement>();
        let expected = Requirement { metric: "accuracy_kept", arm: Some(Arm::Gate(1000)), sign: ">=", bound: 0.97 };
        assert_eq!(read("accuracy_kept[gate@1000] >= 0.97"), Ok(expected));
        assert_eq!(read("unparsable<0.01").map(|it| it.sign), Ok("<"));
        for text in ["", "accuracy", "accuracy>=x", "speed>=1", "accuracy[gate>=1", "accuracy[gate@]>=1"] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_arm_of_the_gate_is_held_to_it() {
        let mut summary = Summary::new(&["oracle".into(), "gate@1".into(), "gate@2".into()]);
        for n in 0..10 {
            for (arm, solved) in [("oracle", true), ("gate@1", n < 5), ("gate@2", n < 9)] {
                summary.add(&Line { n, arm: arm.into(), solved, ..Line::default() });
            }
        }
        for (text, expected) in [
            ("accuracy_kept>=0.5", 0),
            ("accuracy_kept>0.5", 1),
            ("accuracy_kept>=0.95", 2),
            ("accuracy_kept[gate@2]>=0.9", 0),
            ("accuracy[oracle]>=1", 0),
            ("tokens_saved>=0.5", 2),
            ("accuracy[all]>=0", 1),
        ] {
            assert_eq!(text.parse::<Requirement>().unwrap().unmet(&summary).len(), expected, "{text}");
        }
    }
}
