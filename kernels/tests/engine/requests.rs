//! What requests may do to one another: nothing but share the machine.

use std::time::Duration;

use tollgate_kernels::{
    Error,
    backend::PAGE,
    engine::{Event, Finish, Limits},
    sample::Sampling,
};

use crate::{
    common::{Tiny, VOCAB, request, run, tiny},
    random,
};

fn plain(prompt: &[u32], n: usize) -> tollgate_kernels::engine::Request<tollgate_kernels::cpu::Cpu> {
    request(prompt, n, Sampling::default(), Vec::new())
}

#[test]
fn impossible_requests_are_refused() {
    let tiny = Tiny::new(&tiny());
    let mut engine = tiny.engine(Limits { n_pages: 8, max_waiting: 1, ..Limits::default() });
    for (request, expected) in [
        (plain(&[], 4), "a prompt and an answer have at least 1 token"),
        (plain(&[1], 0), "a prompt and an answer have at least 1 token"),
        (plain(&[40], 4), "the token `40` is not in the vocabulary of 40"),
        (plain(&[1], 9000), "do not fit the window of 8192"),
        (plain(&[1], usize::MAX), "do not fit the window of 8192"),
        (plain(&[1; 300], 4), "enlarge it"),
    ] {
        let error = engine.submit(request, Duration::ZERO).unwrap_err();
        assert!(matches!(&error, Error::Request(text) if text.contains(expected)), "{error}");
    }
    engine.submit(plain(&[1], 4), Duration::ZERO).unwrap();
    assert!(matches!(engine.submit(plain(&[1], 4), Duration::ZERO), Err(Error::Busy(_))));
}

#[test]
fn sixty_four_at_once_say_what_each_says_alone() {
    let tiny = Tiny::new(&tiny());
    let mut engine = tiny.engine(Limits { n_pages: 60, max_running: 64, ..Limits::default() });
    let prompt = |idx: usize| random::tokens(idx as u64, 5 + idx * 3, VOCAB);
    let ids: Vec<u64> = (0..64).map(|idx| engine.submit(plain(&prompt(idx), 12), Duration::ZERO).unwrap()).collect();
    let together = run(&mut engine);
    assert_eq!(engine.n_available_pages(), 60);
    for (idx, id) in ids.into_iter().enumerate() {
        let mut alone = tiny.engine(Limits::default());
        let alone_id = alone.submit(plain(&prompt(idx), 12), Duration::ZERO).unwrap();
        assert_eq!(run(&mut alone)[&alone_id], together[&id]);
    }
}

#[test]
fn a_long_prompt_does_not_hold_up_an_answer() {
    let tiny = Tiny::new(&tiny());
    let mut engine = tiny.engine(Limits { chunk: 64, ..Limits::default() });
    let short = engine.submit(plain(&[1, 2, 3], 30), Duration::ZERO).unwrap();
    engine.step(&|| Duration::ZERO);
    engine.submit(plain(&random::tokens(1, 4000, VOCAB), 4), Duration::ZERO).unwrap();
    for _ in 0..29 {
        let events = engine.step(&|| Duration::ZERO);
        assert!(events.iter().any(|it| matches!(it, Event::Tokens { id, .. } if *id == short)));
    }
}

#[test]
fn cancellation_frees_at_once() {
    let tiny = Tiny::new(&tiny());
    let mut engine = tiny.engine(Limits { n_pages: 40, max_running: 1, ..Limits::default() });
    let first = engine.submit(plain(&[1; 40], 200), Duration::ZERO).unwrap();
    let second = engine.submit(plain(&[2; 40], 200), Duration::ZERO).unwrap();
    engine.step(&|| Duration::ZERO);
    assert!(engine.n_available_pages() < 40);
    assert!(engine.cancel(first) && !engine.cancel(first));
    assert_eq!(engine.n_available_pages(), 40);
    assert!(engine.cancel(second));
    assert!(engine.is_idle());
    assert!(engine.step(&|| Duration::ZERO).is_empty());
}

#[test]
fn a_prefix_is_computed_once() {
    let tiny = Tiny::new(&tiny());
    let mut engine = tiny.engine(Limits::default());
    let shared = random::tokens(3, 4096, VOCAB);
    let mut reused = Vec::new();
    for last in [1, 2] {
        let prompt = [&shared[..], &[last, last, last]].concat();
        engine.submit(plain(&prompt, 4), Duration::ZERO).unwrap();
        while !engine.is_idle() {
            for event in engine.step(&|| Duration::ZERO) {
                if let Event::Done { stats, finish, .. } = event {
                    assert_eq!(finish, Finish::Length);
                    reused.push(stats.n_reused);
                }
            }
        }
    }
    assert_eq!(reused, [0, 4096 / PAGE * PAGE]);
}
