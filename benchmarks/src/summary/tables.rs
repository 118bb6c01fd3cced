//! A summary as tables.

use super::{METRICS, Summary, Sums};
use crate::arm::Arm;
use crate::score::{GATES, Gate};
use crate::table::{Cell, Table};

const PERCENT: f64 = 100.0;

impl Summary {
    /// The headline, the gates, the categories, the tests of arms against each other, and what else was measured.
    #[must_use]
    pub fn tables(&self) -> Vec<Table> {
        let mut tables = vec![self.headline(), self.costs(), self.gates(), self.by_category()];
        tables.extend([self.tests(), self.numbers()].into_iter().filter(|it| !it.rows.is_empty()));
        tables
    }

    fn shown(&self) -> impl Iterator<Item = (Arm, &Sums)> {
        self.arms.iter().filter(|(_, sums)| sums.attempts > 0).map(|(arm, sums)| (*arm, sums))
    }

    fn headline(&self) -> Table {
        let columns = [
            "arm",
            "attempts",
            "solved, %",
            "95 %",
            "accuracy kept, %",
            "95 % of kept",
            "tokens saved, %",
            "95 % of saved",
        ];
        let mut table = Table::new("arms", "What is kept and what is saved", &columns);
        for (arm, sums) in self.shown() {
            let [accuracy, kept, saved] = self.intervals(arm).map(|it| it.map_or(Cell::None, |it| it.percent().into()));
            let percent = |name: &str| self.metric(name, arm).map_or(Cell::None, |it| (PERCENT * it).into());
            table.row(vec![
                arm.to_string().into(),
                sums.attempts.into(),
                percent("accuracy"),
                accuracy,
                percent("accuracy_kept"),
                kept,
                percent("tokens_saved"),
                saved,
            ]);
        }
        table.notes.push(
            "Kept is against the oracle arm, saved against all tools; intervals are a paired bootstrap's, and searches count."
                .to_owned(),
        );
        self.warn(&mut table);
        table
    }

    /// What a reader must know before believing the headline.
    fn warn(&self, table: &mut Table) {
        if self.broken > 0 {
            table.notes.push(format!("{} attempts broke and count for nothing; run again to make them.", self.broken));
        }
        let mut attempts = self.shown().map(|(_, sums)| sums.attempts);
        let first = attempts.next();
        if attempts.any(|it| Some(it) != first) {
            table.notes.push("Not all arms have all attempts yet; what compares them is preliminary.".to_owned());
        }
    }

    fn costs(&self) -> Table {
        let columns = [
            "arm",
            "tokens an attempt",
            "tokens a solved task",
            "requests an attempt",
            "tool tokens a request",
            "cost, USD",
            "USD a solved task",
            "ms an attempt",
        ];
        let mut table = Table::new("costs", "What it takes", &columns);
        for (arm, sums) in self.shown() {
            let (attempts, solved) = (sums.attempts as f64, sums.solved as f64);
            let total = sums.usage.total() as f64;
            let usd = |value: f64| {
                if value > 0.0 && value.is_finite() { format!("{value:.4}").into() } else { Cell::None }
            };
            table.row(vec![
                arm.to_string().into(),
                whole(total / attempts),
                whole(total / solved),
                (sums.rounds as f64 / attempts).into(),
                whole((sums.parts.meta_tools + sums.parts.tools) as f64 / sums.rounds as f64),
                usd(sums.cost_usd),
                usd(sums.cost_usd / solved),
                whole(sums.ms as f64 / attempts),
            ]);
        }
        table
    }

    fn gates(&self) -> Table {
        let mut columns = vec!["arm", "solved"];
        columns.extend(GATES.map(Gate::name));
        let mut table = Table::new("gates", "Where attempts stopped", &columns);
        for (arm, sums) in self.shown() {
            let stopped = GATES.map(|gate| Cell::from(sums.stopped.get(&gate).copied().unwrap_or(0)));
            let row = [arm.to_string().into(), sums.solved.into()].into_iter().chain(stopped);
            table.row(row.collect());
        }
        table
    }

    fn by_category(&self) -> Table {
        let arms: Vec<Arm> = self.shown().map(|(arm, _)| arm).collect();
        let names: Vec<String> = arms.iter().map(ToString::to_string).collect();
        let mut columns = vec!["category", "attempts"];
        columns.extend(names.iter().map(String::as_str));
        let mut table = Table::new("categories", "Solved by category, %", &columns);
        for (category, of_arms) in &self.categories {
            let sums = |arm: &Arm| of_arms.iter().find(|(it, _)| it == arm).map(|(_, sums)| sums);
            let attempts = of_arms.first().map_or(0, |(_, sums)| sums.attempts);
            let mut row: Vec<Cell> = vec![category.clone().into(), attempts.into()];
            row.extend(arms.iter().map(|arm| sums(arm).map_or(Cell::None, |it| (PERCENT * it.accuracy()).into())));
            table.row(row);
        }
        table
    }

    /// Each other arm against all tools.
    fn tests(&self) -> Table {
        let columns = ["arm", "against", "only this solved", "only the other solved", "p (McNemar, exact)"];
        let mut table = Table::new("tests", "On the same tasks", &columns);
        let arms: Vec<Arm> = self.shown().map(|(arm, _)| arm).collect();
        for other in [Arm::Oracle, Arm::All].iter().filter(|it| arms.contains(it)) {
            for arm in arms.iter().filter(|it| matches!(it, Arm::Gate(_) | Arm::Served(_))) {
                let pair = self.discordant(*arm, *other);
                table.row(vec![
                    arm.to_string().into(),
                    other.to_string().into(),
                    pair.first_only.into(),
                    pair.second_only.into(),
                    probability(pair.p_value()).into(),
                ]);
            }
        }
        if self.unpaired > 0 {
            table
                .notes
                .push(format!("{} tasks are left out: their arms lie too far apart in the record.", self.unpaired));
        }
        table
    }

    /// What only this suite measures.
    fn numbers(&self) -> Table {
        let mut names: Vec<&String> = self.shown().flat_map(|(_, sums)| sums.numbers.keys()).collect();
        names.sort_unstable();
        names.dedup();
        let mut columns = vec!["arm"];
        columns.extend(names.iter().map(|it| it.as_str()));
        let mut table = Table::new("numbers", "The suite's own numbers, means", &columns);
        for (arm, sums) in self.shown().filter(|(_, sums)| !sums.numbers.is_empty()) {
            let mean = |name: &&String| {
                let found = sums.numbers.get(*name);
                found.map_or(Cell::None, |(sum, count)| format!("{:.3}", sum / *count as f64).into())
            };
            table.row(std::iter::once(arm.to_string().into()).chain(names.iter().map(mean)).collect());
        }
        table
    }

    /// Every metric of every arm, for machines.
    #[must_use]
    pub fn metrics(&self) -> serde_json::Value {
        let of_arm = |(arm, _): (Arm, &Sums)| {
            let values = METRICS.iter().map(|it| (it.name.to_owned(), serde_json::json!(self.metric(it.name, arm))));
            (arm.to_string(), serde_json::Value::Object(values.collect()))
        };
        serde_json::Value::Object(self.shown().map(of_arm).collect())
    }
}

fn probability(value: f64) -> String {
    if value < 0.0001 { "< 0.0001".to_owned() } else { format!("{value:.4}") }
}

/// A number that needs no fraction.
fn whole(value: f64) -> Cell {
    if value.is_finite() { (value.round() as u64).into() } else { Cell::None }
}
