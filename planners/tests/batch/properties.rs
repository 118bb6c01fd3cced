//! What holds for every job, whatever is answered, in whatever order.

use proptest::prelude::*;
use tollgate_planners::batch::{
    Answer, BatchPrompt, Budget, Failure, Format, Item, Order, Policy, Prompt, Report, Size, Standing, Stop, Task,
    Usage, Vote, answer_line, mix, whole_answer,
};

use super::support::tokenizer;

#[derive(Debug, Clone)]
struct Case {
    lengths: Vec<usize>,
    format: Format,
    /// Whether the task names no labels.
    free: bool,
    policy: Policy,
    /// How often lines are spoilt, out of 16.
    spoilt: u64,
}

fn size() -> impl Strategy<Value = Size> {
    prop_oneof![(1_u32..20).prop_map(Size::Fixed), (1_u32..20).prop_map(Size::UpTo), Just(Size::Auto)]
}

fn stop() -> impl Strategy<Value = Stop> {
    prop_oneof![
        Just(Stop::Never),
        (1_u32..4, any::<bool>()).prop_map(|(answers, confident)| Stop::Agreement { answers, confident }),
        (0.0..1.0).prop_map(|at_least| Stop::Posterior { at_least }),
    ]
}

fn budget() -> impl Strategy<Value = Option<Budget>> {
    prop_oneof![
        Just(None),
        (0_u64..20_000).prop_map(|tokens| Some(Budget::Tokens(tokens))),
        (0.01..2.0).prop_map(|share| Some(Budget::ShareOfSingle(share))),
    ]
}

fn policy() -> impl Strategy<Value = Policy> {
    let order = prop_oneof![Just(Order::AsGiven), Just(Order::Shuffled), Just(Order::Balanced)];
    let vote = prop_oneof![Just(Vote::Equal), Just(Vote::Weighted { not_confident: 0.2 }), Just(Vote::Posterior)];
    let small = (1_u32..5, 0_u32..3, any::<bool>(), 1_u32..6, any::<u64>());
    (size(), order, vote, stop(), budget(), small).prop_map(|(size, order, vote, stop, budget, small)| {
        let (rounds, demos, refill, in_flight, seed) = small;
        Policy { size, order, vote, stop, budget, rounds, demos, refill, in_flight, seed, ..Policy::default() }
    })
}

fn case() -> impl Strategy<Value = Case> {
    let format = prop_oneof![Just(Format::Lines), Just(Format::Json)];
    (prop::collection::vec(0_usize..30, 0..40), (format, any::<bool>()), policy(), 0_u64..16)
        .prop_map(|(lengths, (format, free), policy, spoilt)| Case { lengths, format, free, policy, spoilt })
}

impl Case {
    fn job(&self) -> BatchPrompt {
        let task = Task {
            format: self.format,
            ..Task::new("Judge it.", if self.free { &[] } else { &["good", "bad", "mixed"] })
        };
        let item = |(number, length): (usize, &usize)| Item {
            key: length.is_multiple_of(3).then(|| "key".to_owned()),
            trust: length.is_multiple_of(5).then(|| "web".to_owned()),
            ..Item::new(number.to_string(), "word ".repeat(*length))
        };
        let items = self.lengths.iter().enumerate().map(item).collect();
        BatchPrompt::new(task, items, self.policy.clone(), tokenizer()).unwrap()
    }

    fn reply(&self, prompt: &Prompt) -> String {
        let label = |drawn: u64| ["good", "bad", "mixed"][(drawn % 3) as usize];
        let line = |place: usize| {
            let drawn = mix(&[prompt.id, place as u64]);
            let sure = drawn.is_multiple_of(2);
            let fine = answer_line(self.format, place, label(drawn / 2), sure);
            match (drawn >> 32) % 16 {
                fate if fate >= self.spoilt => fine,
                fate => match fate % 5 {
                    0 => String::new(),
                    1 => format!("{fine}{}", answer_line(self.format, place, label(drawn / 2 + 1), sure)),
                    2 => answer_line(self.format, place + 1_000, label(drawn), sure),
                    3 => answer_line(self.format, place, "dunno", sure),
                    _ => "{nonsense".to_owned(),
                },
            }
        };
        whole_answer(self.format, &(0..prompt.items.len()).map(line).collect::<String>())
    }

    /// Runs a job, recording in an order that `order` decides. Returns it and how many usable answers it was given.
    fn run(&self, order: u64) -> BatchPrompt {
        let mut batch = self.job();
        let mut waiting: Vec<Prompt> = Vec::new();
        for step in 0..10_000 {
            waiting.extend(batch.next_prompts(0));
            if waiting.is_empty() {
                assert!(batch.is_done());
                return batch;
            }
            let prompt = waiting.remove((mix(&[order, step]) % waiting.len() as u64) as usize);
            let output_tokens = prompt.max_output_tokens.min(mix(&[prompt.id]) % 400);
            let usage = Usage { input_tokens: prompt.input_tokens, output_tokens, cached_input_tokens: 0 };
            match mix(&[prompt.id, 7]) % 10 {
                0 => batch.fail(prompt.id, Failure::Refused, Some(usage)).unwrap(),
                1 => batch.fail(prompt.id, Failure::Broken, None).unwrap(),
                _ => drop(batch.record(prompt.id, &self.reply(&prompt), usage).unwrap()),
            }
        }
        panic!("the job does not end");
    }
}

fn check_ended(answers: &[Answer], report: &Report) {
    for answer in answers {
        let counted: u32 = answer.votes.iter().map(|vote| vote.count).sum();
        match answer.standing {
            Standing::Open => panic!("{answer:?} is neither answered nor reported"),
            Standing::Unanswered(_) => assert!(answer.label.is_none() && counted == 0, "{answer:?}"),
            _ => assert!(answer.label.is_some() && counted > 0, "{answer:?}"),
        }
        assert!(answer.votes.iter().all(|vote| vote.confident <= vote.count));
        assert!((0.0..=1.0).contains(&answer.confidence), "{answer:?}");
    }
    let votes: u64 = answers.iter().flat_map(|it| &it.votes).map(|it| u64::from(it.count)).sum();
    assert!(votes <= report.asked, "{votes} votes of {} questions", report.asked);
    assert_eq!(report.settled + report.undecided + report.unanswered, report.items);
    assert_eq!(report.open, 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_item_ends_answered_or_reported_within_the_budget(case in case(), order in any::<u64>()) {
        let batch = case.run(order);
        let report = batch.report();
        check_ended(&batch.answers(), &report);
        let spent = (report.charged.input_tokens + report.charged.output_tokens) as f64;
        match case.policy.budget {
            Some(Budget::Tokens(tokens)) => prop_assert!(spent <= tokens as f64),
            // Answers of single prompts are taken at their shortest by the budget, at their mean by the report.
            Some(Budget::ShareOfSingle(share)) => {
                let single = case.job().report();
                prop_assert!(spent <= share * (single.single_sent + single.single_returned) as f64);
            }
            None => {}
        }
    }

    #[test]
    fn the_order_of_recording_does_not_matter(case in case(), orders in any::<(u64, u64)>()) {
        let (one, other) = (case.run(orders.0), case.run(orders.1));
        prop_assert_eq!(one.answers(), other.answers());
        prop_assert_eq!(one.report(), other.report());
        prop_assert_eq!(one.progress(), other.progress());
    }
}
