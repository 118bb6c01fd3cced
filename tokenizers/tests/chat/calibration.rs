//! Calibration learns what is systematic, and nothing that anybody reports moves it out of its range.

use serde_json::json;
use tollgate_tokenizers::{
    Tokenizer,
    chat::{Calibrator, Corrected, Family, Format, RequestCount, Subject, count_request, read},
};

fn request(model: &str, words: usize) -> (Subject, RequestCount) {
    let text = "word ".repeat(words);
    let body = json!({"messages": [{"role": "user", "content": text}]});
    let request = read(Format::Anthropic, &body).expect("a sound body");
    let family = Family::of_model(model);
    let tokenizer = Tokenizer::by_name(family.tokenizer).expect("a known tokenizer");
    (Subject::new(family, model, &request), count_request(family, tokenizer, &request))
}

fn after(reports: &[(usize, usize)], count: &RequestCount, subject: &Subject) -> Corrected {
    let mut calibrator = Calibrator::default();
    for (predicted, actual) in reports {
        calibrator.observe(subject, *predicted, *actual);
    }
    calibrator.correct(subject, count)
}

#[test]
fn learns_offsets_and_ratios() {
    let (subject, count) = request("claude-sonnet-4-5", 1000);
    let offset: Vec<_> = (1..=20).map(|idx| (100 * idx, 100 * idx + 50)).collect();
    let ratio: Vec<_> = (1..=20).map(|idx| (100 * idx, 120 * idx)).collect();
    let both: Vec<_> = (1..=20).map(|idx| (100 * idx, 120 * idx + 50)).collect();
    let total = count.total;
    let rows = [(offset, total + 50), (ratio, total * 6 / 5), (both, total * 6 / 5 + 50), (Vec::new(), total)];
    for (reports, expected) in rows {
        let corrected = after(&reports, &count, &subject);
        assert!(corrected.tokens.abs_diff(expected) * 100 <= expected, "{corrected:?}, not {expected}");
    }
}

#[test]
fn exact_counts_stay_exact() {
    let (subject, count) = request("gpt-4o", 100);
    let mut reports: Vec<_> = (10..30).map(|tokens| (tokens, tokens)).collect();
    reports.extend([(20, 90), (25, 3)]);
    assert_eq!(after(&reports, &count, &subject).tokens, count.total);
}

#[test]
fn bad_reports_stay_bounded() {
    let (subject, count) = request("claude-sonnet-4-5", 100);
    let most = usize::MAX;
    let rows: [Vec<(usize, usize)>; 7] = [
        vec![(0, 0); 50],
        vec![(0, 100); 50],
        vec![(100, 0); 50],
        vec![(100, most); 50],
        vec![(most, 1); 50],
        vec![(most, most); 50],
        vec![(100, 2000), (100, 1), (1, 2000), (2000, 1)],
    ];
    for reports in rows {
        let corrected = after(&reports, &count, &subject);
        assert!(corrected.tokens >= count.total / 4, "{reports:?}: {corrected:?}");
        assert!(corrected.tokens <= count.total * 4 + 2048, "{reports:?}: {corrected:?}");
    }
}

#[test]
fn a_minority_of_bad_reports_changes_little() {
    let (subject, count) = request("claude-sonnet-4-5", 100);
    let mut reports: Vec<_> = (0..12).map(|idx| (100 + idx, 110 + idx)).collect();
    reports.extend((0..9).map(|idx| (100 + idx, 2000)));
    let corrected = after(&reports, &count, &subject);
    assert!(corrected.tokens.abs_diff(count.total + 10) <= 25, "{corrected:?}");
}

#[test]
fn a_new_model_starts_from_its_family() {
    let (known, _) = request("claude-sonnet-4-5", 100);
    let (new, count) = request("claude-haiku-4-5", 100);
    let (other, other_count) = request("gpt-4o", 100);
    let mut calibrator = Calibrator::default();
    (0..12).for_each(|idx| calibrator.observe(&known, 100 + idx, 140 + idx));
    assert!(calibrator.correct(&new, &count).tokens > count.total + 30);
    assert_eq!(calibrator.correct(&other, &other_count).n_samples, 0);
}

#[test]
fn memory_is_bounded_and_survives_a_restart() {
    let mut calibrator = Calibrator::default();
    for idx in 0..2000 {
        let (subject, _) = request(&format!("claude-{idx}"), 1);
        calibrator.observe(&subject, 100, 130);
    }
    assert!(calibrator.len() <= 512, "{}", calibrator.len());
    let saved = serde_json::to_string(&calibrator).expect("a state that serialises");
    let restored: Calibrator = serde_json::from_str(&saved).expect("a state that was saved");
    assert_eq!(restored, calibrator);
    let (last, count) = request("claude-1999", 100);
    assert_eq!(restored.correct(&last, &count), calibrator.correct(&last, &count));
}

#[test]
fn edited_states_are_held_to_the_limits() {
    let sample = json!([100, 4_000_000_000_u32]);
    let key =
        json!({"family": "claude-4.5", "model": "", "format": null, "shape": "plain", "thinking": false, "tools": 0});
    let saved = json!({"clock": 1, "tracks": [[key, {"used": 9, "samples": vec![sample; 99]}]]});
    let restored: Calibrator = serde_json::from_value(saved).expect("a readable state");
    let (subject, count) = request("claude-sonnet-4-5", 100);
    assert_eq!(restored.correct(&subject, &count).tokens, count.total);
}
