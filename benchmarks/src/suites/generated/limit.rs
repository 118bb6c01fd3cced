//! The effective context limit: the length up to which a model is right three times in four, in tokens and in characters
//! (Roberts, Han and Albanie, "Needle Threading", arXiv 2411.05000, section 4.6, who read it off the 75 % contour).

use std::collections::BTreeMap;

use crate::suite::Tally;
use crate::table::{Cell, Table};
use crate::task::Task;
use crate::trace::Line;

/// What counts as right often enough.
const THRESHOLD: f64 = 0.75;

/// A mean under way.
#[derive(Clone, Copy, Default)]
struct Mean {
    sum: f64,
    count: f64,
}

impl Mean {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.count += 1.0;
    }

    fn value(self) -> f64 {
        self.sum / self.count
    }
}

/// Accuracy by kind, length and depth.
#[derive(Default)]
pub struct ContextLimits {
    /// Scores by kind, length and depth in per cent.
    cells: BTreeMap<(String, u64, u64), Mean>,
    /// Characters by length.
    characters: BTreeMap<(String, u64), Mean>,
}

impl Tally for ContextLimits {
    fn add(&mut self, line: &Line, _: Option<&Task>) {
        let fact = |name: &str| line.facts.get(name).copied().unwrap_or_default();
        let (kind, length) = (line.category.clone(), fact("length") as u64);
        let depth = (fact("depth") * 100.0).round() as u64;
        self.cells.entry((kind.clone(), length, depth)).or_default().add(line.score);
        self.characters.entry((kind, length)).or_default().add(fact("characters"));
    }

    fn tables(&self) -> Vec<Table> {
        vec![self.by_cell(), self.limits()]
    }
}

impl ContextLimits {
    fn depths(&self) -> Vec<u64> {
        let mut depths: Vec<u64> = self.cells.keys().map(|(_, _, depth)| *depth).collect();
        depths.sort_unstable();
        depths.dedup();
        depths
    }

    fn by_cell(&self) -> Table {
        let depths = self.depths();
        let names: Vec<String> = depths.iter().map(|it| format!("at {it} %")).collect();
        let mut columns = vec!["task", "tokens"];
        columns.extend(names.iter().map(String::as_str));
        let mut table = Table::new("accuracy_by_cell", "Accuracy by length and depth, %", &columns);
        for (kind, length) in self.characters.keys() {
            let mut row: Vec<Cell> = vec![kind.clone().into(), (*length).into()];
            row.extend(depths.iter().map(|depth| {
                let cell = self.cells.get(&(kind.clone(), *length, *depth));
                cell.map_or(Cell::None, |it| (it.value() * 100.0).into())
            }));
            table.row(row);
        }
        table
    }

    /// Mean over depths by length, in ascending order: `(tokens, characters, accuracy)`.
    fn curve(&self, kind: &str) -> Vec<(f64, f64, f64)> {
        let lengths = self.characters.iter().filter(|((it, _), _)| it == kind);
        lengths
            .map(|((_, length), characters)| {
                let mut mean = Mean::default();
                let of_length = self.cells.iter().filter(|((it, at, _), _)| it == kind && at == length);
                of_length.for_each(|(_, cell)| mean.add(cell.value()));
                (*length as f64, characters.value(), mean.value())
            })
            .collect()
    }

    fn limits(&self) -> Table {
        let columns = ["task", "effective tokens", "effective characters", "longest tokens tried"];
        let mut table =
            Table::new("effective_context", "Effective context limit, where accuracy falls below 75 %", &columns);
        let mut kinds: Vec<&String> = self.characters.keys().map(|(kind, _)| kind).collect();
        kinds.dedup();
        for kind in kinds {
            let curve = self.curve(kind);
            let (tokens, characters) = reach(&curve);
            let longest = curve.last().map_or(0.0, |it| it.0);
            table.row(vec![kind.clone().into(), count(tokens), count(characters), count(longest)]);
        }
        table.notes.push("A limit equal to the longest length tried is a lower bound.".to_owned());
        table
    }
}

fn count(value: f64) -> Cell {
    (value.round() as u64).into()
}

/// Where the curve first falls below the threshold, on straight lines between the lengths that were tried.
fn reach(curve: &[(f64, f64, f64)]) -> (f64, f64) {
    let mut last: Option<(f64, f64, f64)> = None;
    for &(tokens, characters, accuracy) in curve {
        if accuracy < THRESHOLD {
            let Some(before) = last else { return (0.0, 0.0) };
            let share = (before.2 - THRESHOLD) / (before.2 - accuracy);
            return (before.0 + share * (tokens - before.0), before.1 + share * (characters - before.1));
        }
        last = Some((tokens, characters, accuracy));
    }
    last.map_or((0.0, 0.0), |it| (it.0, it.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_lies_where_the_curve_crosses() {
        for (curve, expected) in [
            (vec![(1000.0, 4000.0, 1.0), (2000.0, 8000.0, 0.5)], (1500.0, 6000.0)),
            (vec![(1000.0, 4000.0, 0.9), (2000.0, 8000.0, 0.8)], (2000.0, 8000.0)),
            (vec![(1000.0, 4000.0, 0.2)], (0.0, 0.0)),
            (vec![], (0.0, 0.0)),
        ] {
            assert_eq!(reach(&curve), expected);
        }
    }
}
