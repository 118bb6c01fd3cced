//! Calibration learns what is systematic, and nothing that anybody reports moves it out of its range.

use proptest::{collection::vec, prelude::*};
use serde_json::json;
use tollgate_tokenizers::{
    Tokenizer,
    chat::{Calibrator, Corrected, Family, Format, MOST_KEYS, RequestCount, Subject, count_request, read},
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
        calibrator.observe(&subject, 100 + idx, 130 + idx);
    }
    assert!(calibrator.len() <= MOST_KEYS, "{}", calibrator.len());
    let restored = Calibrator::from_bytes(&calibrator.to_bytes()).expect("a state that was saved");
    assert_eq!(restored, calibrator);
    assert_eq!(restored.to_bytes(), calibrator.to_bytes());
    let (last, count) = request("claude-1999", 100);
    assert_eq!(restored.correct(&last, &count), calibrator.correct(&last, &count));
    assert!(calibrator.correct(&last, &count).n_samples > 0);
}

#[test]
fn states_that_do_not_fit_are_refused() {
    let mut calibrator = Calibrator::default();
    let (subject, _) = request("claude-sonnet-4-5", 1);
    (0..5).for_each(|idx| calibrator.observe(&subject, 100 + idx, 130));
    let state = calibrator.to_bytes();
    let changed = |from: &str, to: &str| {
        let text = String::from_utf8(state.clone()).expect("text");
        assert!(text.contains(from), "{text}");
        text.replacen(from, to, 1).into_bytes()
    };
    let rows: [(Vec<u8>, &str); 6] = [
        (Vec::new(), "does not begin with `tollgate-calibration`"),
        (b"{}".to_vec(), "does not begin with `tollgate-calibration`"),
        (changed("calibration 1 ", "calibration 2 "), "has version `2`, this program knows `1`; update it"),
        (changed("130", "131"), "damaged, its checksum differs; start without it"),
        (state[..state.len() / 2].to_vec(), "damaged, its checksum differs"),
        (state[..25].to_vec(), "damaged, its first line has no end"),
    ];
    for (bytes, expected) in rows {
        let error = Calibrator::from_bytes(&bytes).expect_err("a state that does not fit").to_string();
        assert!(error.contains(expected), "{error}");
    }
    for at in 0..state.len() {
        let mut bytes = state.clone();
        bytes[at] ^= 1;
        assert!(Calibrator::from_bytes(&bytes).is_err(), "byte {at}");
    }
}

/// A tenth part of reports that were not learnt from may be out of bounds, and not many more.
#[test]
fn bounds_cover_what_comes_next() {
    let (subject, count) = request("claude-sonnet-4-5", 500);
    let mut noise = 7_u64;
    let mut charged = || {
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        count.total * 108 / 100 + (noise >> 33) as usize % 40
    };
    let (mut calibrator, mut inside) = (Calibrator::default(), 0);
    for idx in 0..400 {
        let (charged, corrected) = (charged(), calibrator.correct(&subject, &count));
        inside += usize::from(corrected.tokens.abs_diff(charged) <= corrected.error_bound.expect("a bound"));
        calibrator.observe(&subject, count.total - idx % 24, charged - idx % 24);
    }
    assert!((340..400).contains(&inside), "{inside} of 400");
    let bound = calibrator.correct(&subject, &count).error_bound.expect("a bound");
    assert!(bound < count.error_bound.expect("a bound") / 2, "{bound}");
}

#[test]
fn reports_that_disagree_change_little() {
    let (subject, count) = request("claude-sonnet-4-5", 100);
    let corrected = after(&[(100, 130), (120, 95), (110, 111)], &count, &subject);
    assert!(corrected.tokens.abs_diff(count.total) * 100 <= count.total * 3, "{corrected:?}, not {}", count.total);
    let agreeing = after(&[(100, 130), (120, 156), (110, 143)], &count, &subject);
    assert!(agreeing.tokens * 100 >= count.total * 120, "{agreeing:?}, not {}", count.total);
}

proptest! {
    /// Whatever is reported, in whatever order: the same correction, never out of its range, and a state that restores.
    #[test]
    fn any_reports(reports in vec((0..4000_usize, 0..40_000_usize), 0..24), turn in 0..24_usize) {
        let (subject, count) = request("claude-sonnet-4-5", 100);
        let corrected = after(&reports, &count, &subject);
        prop_assert!(corrected.tokens >= count.total / 4);
        prop_assert!(corrected.tokens <= count.total * 4 + 2048);
        let mut turned = reports.clone();
        turned.rotate_left(turn.min(reports.len()));
        prop_assert_eq!(after(&turned, &count, &subject), corrected);
        turned.reverse();
        prop_assert_eq!(after(&turned, &count, &subject), corrected);
        let mut calibrator = Calibrator::default();
        reports.iter().for_each(|(estimated, charged)| calibrator.observe(&subject, *estimated, *charged));
        prop_assert_eq!(Calibrator::from_bytes(&calibrator.to_bytes()), Ok(calibrator));
    }

    /// Ten sound reports outweigh four of anything.
    #[test]
    fn any_minority(lies in vec((1..4000_usize, 1..10_000_usize), 4), rate in 90..120_usize) {
        let (subject, count) = request("claude-sonnet-4-5", 100);
        let mut reports: Vec<_> = (1..11).map(|idx| (idx * 40, idx * 40 * rate / 100)).collect();
        reports.extend(lies);
        let corrected = after(&reports, &count, &subject);
        let sound = count.total * rate / 100;
        prop_assert!(corrected.tokens.abs_diff(sound) * 100 <= sound * 15 + 100, "{:?}, not {}", corrected, sound);
    }
}
