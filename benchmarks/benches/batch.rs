//! What BatchPrompt costs and how often it is right, in the simulator, beside the paper.
//!
//! `cargo bench -p tollgate-benchmarks --bench batch` prints the tables.

use std::io::Write;

use tollgate_benchmarks::sim::{Simulator, dataset, drive};
use tollgate_planners::batch::{BatchPrompt, Budget, Order, Policy, Report, Size, Stop, Vote};
use tollgate_tokenizers::Tokenizer;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::stdout().lock();
    let tokenizer = Tokenizer::by_name("o200k_base")?;
    let base = Policy::default();
    let quarter = Some(Budget::ShareOfSingle(0.25));
    let cases: Vec<(&str, Policy)> = vec![
        ("single", Policy::single()),
        ("paper 1", Policy::paper(32, 1, false)),
        ("paper 3", Policy::paper(32, 3, false)),
        ("paper 5", Policy::paper(32, 5, false)),
        ("seas 3", Policy::paper(32, 3, true)),
        ("seas 5", Policy::paper(32, 5, true)),
        ("as given 5", Policy { order: Order::AsGiven, ..Policy::paper(32, 5, false) }),
        ("fixed 32", Policy { size: Size::Fixed(32), budget: quarter, ..base.clone() }),
        ("up to 32", Policy { size: Size::UpTo(32), budget: quarter, ..base.clone() }),
        ("up to 64", Policy { size: Size::UpTo(64), budget: quarter, ..base.clone() }),
        ("auto", base.clone()),
    ];
    for (name, policy) in cases {
        let mut reports = Vec::new();
        for seed in 0..20 {
            let simulator = Simulator::by_name("boolq-gpt4", seed)?;
            let data = dataset(&simulator, 320, seed, tokenizer);
            let policy = Policy { seed, ..policy.clone() };
            let mut batch = BatchPrompt::new(data.task, data.items, policy, tokenizer)?;
            drive(&mut batch, &simulator)?;
            reports.push(batch.report());
        }
        let mean = |of: &dyn Fn(&Report) -> f64| reports.iter().map(of).sum::<f64>() / 20.0;
        writeln!(
            out,
            "{name:<12} acc {:.2} share {:.2} sent {:.2} paper {:.2} calls {:.1} waves {:.1} undecided {:.1} sent {}",
            mean(&|r| r.accuracy.unwrap_or(0.0)) * 100.0,
            mean(&|r| r.share) * 100.0,
            mean(&|r| r.share_sent) * 100.0,
            mean(&|r| r.share_paper) * 100.0,
            mean(&|r| r.calls as f64),
            mean(&|r| f64::from(r.waves)),
            mean(&|r| r.undecided as f64),
            mean(&|r| r.charged.input_tokens as f64)
        )?;
    }
    let _ = (Vote::Equal, Stop::Never);
    Ok(())
}
