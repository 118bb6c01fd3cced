//! Jobs over many seeds.

use std::error::Error;

use tollgate_benchmarks::{
    metrics::mean_interval,
    sim::{FaultRates, Injected, Simulator, dataset, drive},
};
use tollgate_planners::batch::{BatchPrompt, Faults, Item, Policy, Report, Task, Usage, answer_line};
use tollgate_tokenizers::Tokenizer;

const TOKENIZER: &str = "o200k_base";

/// What is run.
pub struct Setup {
    pub model: &'static str,
    pub n_items: usize,
    pub faults: FaultRates,
    /// As [`Simulator::lone_place`].
    pub lone_place: bool,
}

/// Reports of all seeds.
pub struct Sums {
    reports: Vec<Report>,
    injected: Injected,
}

/// Runs a policy on every seed: each is another sample of items and of difficulties.
pub fn run(setup: &Setup, policy: &Policy, seeds: u64) -> Result<Sums, Box<dyn Error>> {
    let tokenizer = Tokenizer::by_name(TOKENIZER)?;
    let mut sums = Sums { reports: Vec::new(), injected: Injected::default() };
    for seed in 0..seeds {
        let mut simulator = Simulator::by_name(setup.model, seed)?;
        simulator.faults = setup.faults;
        simulator.lone_place = setup.lone_place;
        let data = dataset(&simulator, setup.n_items, seed, tokenizer);
        let mut batch = BatchPrompt::new(data.task, data.items, Policy { seed, ..policy.clone() }, tokenizer)?;
        sums.injected.add(drive(&mut batch, &simulator)?);
        sums.reports.push(batch.report());
    }
    Ok(sums)
}

impl Sums {
    fn interval(&self, of: impl Fn(&Report) -> f64) -> (f64, f64) {
        mean_interval(&self.reports.iter().map(of).collect::<Vec<_>>())
    }

    pub fn accuracy(&self) -> (f64, f64) {
        self.interval(|it| it.accuracy.unwrap_or(0.0) * 100.0)
    }

    /// Accuracy over that of other runs of the same seeds.
    pub fn difference(&self, other: &Sums) -> (f64, f64) {
        let accuracy = |report: &Report| report.accuracy.unwrap_or(0.0) * 100.0;
        let pairs = self.reports.iter().zip(&other.reports);
        mean_interval(&pairs.map(|(one, other)| accuracy(one) - accuracy(other)).collect::<Vec<_>>())
    }

    pub fn share(&self) -> (f64, f64) {
        self.interval(|it| it.share * 100.0)
    }

    pub fn share_sent(&self) -> (f64, f64) {
        self.interval(|it| it.share_sent * 100.0)
    }

    pub fn share_paper(&self) -> (f64, f64) {
        self.interval(|it| it.share_paper * 100.0)
    }

    pub fn calls(&self) -> f64 {
        self.interval(|it| it.calls as f64).0
    }

    pub fn waves(&self) -> f64 {
        self.interval(|it| f64::from(it.waves)).0
    }

    pub fn unanswered(&self) -> u64 {
        self.reports.iter().map(|it| it.unanswered).sum()
    }

    pub fn injected(&self) -> String {
        let it = self.injected;
        counts(it.missing, it.duplicate, it.shuffled, it.out_of_range, it.unparsable)
    }

    /// What jobs counted of it. An answer under a number of no item is also missing under its own.
    pub fn counted(&self) -> String {
        let sum = |of: fn(&Faults) -> u64| self.reports.iter().map(|it| of(&it.faults)).sum::<u64>();
        let out_of_range = sum(|it| it.out_of_range);
        let missing = sum(|it| it.missing) - out_of_range;
        counts(missing, sum(|it| it.duplicate), sum(|it| it.out_of_order), out_of_range, sum(|it| it.unparsable))
    }
}

fn counts(missing: u64, duplicate: u64, shuffled: u64, out_of_range: u64, unparsable: u64) -> String {
    let kinds = [
        ("missing", missing),
        ("duplicate", duplicate),
        ("shuffled", shuffled),
        ("out of range", out_of_range),
        ("unparsable", unparsable),
    ];
    let some: Vec<String> = kinds.iter().filter(|kind| kind.1 > 0).map(|(name, n)| format!("{n} {name}")).collect();
    if some.is_empty() { "-".to_owned() } else { some.join(", ") }
}

/// A job of many short items, whose answers differ now and then.
pub struct ShortJob {
    items: Vec<Item>,
    policy: Policy,
    batch: Option<BatchPrompt>,
}

pub fn short_job(n_items: usize, policy: &Policy) -> Result<ShortJob, Box<dyn Error>> {
    Tokenizer::by_name(TOKENIZER)?.load();
    let item = |number: usize| Item::new(number.to_string(), format!("Order {number} came late and the box was torn."));
    Ok(ShortJob { items: (0..n_items).map(item).collect(), policy: policy.clone(), batch: None })
}

impl ShortJob {
    pub fn start(&mut self) -> Result<(), Box<dyn Error>> {
        let task = Task::new(&"Is the customer content with the delivery? ".repeat(20), &["yes", "no"]);
        let items = std::mem::take(&mut self.items);
        self.batch = Some(BatchPrompt::new(task, items, self.policy.clone(), Tokenizer::by_name(TOKENIZER)?)?);
        Ok(())
    }

    pub fn settle(&mut self) -> Result<Report, Box<dyn Error>> {
        let Some(batch) = &mut self.batch else { return Err("the job was not started".into()) };
        while !batch.is_done() {
            for prompt in batch.next_prompts(0) {
                let label = |place: usize| if (prompt.id + place as u64).is_multiple_of(16) { "yes" } else { "no" };
                let lines = (0..prompt.items.len())
                    .map(|place| answer_line(tollgate_planners::batch::Format::Lines, place, label(place), true));
                let output_tokens = 10 * prompt.items.len() as u64;
                let usage = Usage { input_tokens: prompt.input_tokens, output_tokens, cached_input_tokens: 0 };
                batch.record(prompt.id, &lines.collect::<String>(), usage)?;
            }
            batch.take_settled();
            batch.take_changes();
        }
        Ok(batch.report())
    }

    /// What is stored of the job.
    pub fn state_bytes(&self) -> usize {
        let stored = self.batch.as_ref().map(|it| serde_json::to_vec(&it.progress()).unwrap_or_default());
        stored.map_or(0, |it| it.len())
    }
}
