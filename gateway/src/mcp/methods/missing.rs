//! Which upstreams of a profile are not up, and why: for a model that looks for a tool which only they may have, so that
//! it can tell its user. Lists never say it, since their bytes must not depend on the moment.

use crate::mcp::gate::Gate;

/// Upstreams that are named.
const MAX_NAMED: usize = 5;
/// Of a reason, this much is shown.
const REASON_CHARS: usize = 200;

/// A line for each missing upstream, each after its line end; empty where all are up.
pub fn note(gate: &Gate) -> String {
    within(gate, |_| true)
}

/// As [`note`], with as many lines as `fits` lets pass.
pub fn within(gate: &Gate, fits: impl Fn(&str) -> bool) -> String {
    let troubles = gate.upstreams.iter().filter_map(|it| Some((it.id(), it.trouble()?)));
    lines(&troubles.collect::<Vec<_>>(), fits)
}

fn lines(troubles: &[(&str, String)], fits: impl Fn(&str) -> bool) -> String {
    let mut text = String::new();
    for (n_told, (id, trouble)) in troubles.iter().enumerate() {
        let line = format!("\nUpstream `{id}` {}.", one_line(trouble));
        if n_told == MAX_NAMED || !fits(&format!("{text}{line}")) {
            return text + &rest(troubles.len() - n_told, n_told);
        }
        text.push_str(&line);
    }
    text
}

fn rest(count: usize, n_told: usize) -> String {
    let more = if n_told > 0 { "more " } else { "" };
    match count {
        1 => format!("\nOne {more}upstream is not up."),
        _ => format!("\n{count} {more}upstreams are not up."),
    }
}

fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(REASON_CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(troubles: &[(&str, &str)], limit: usize, expected: &str) {
        let troubles: Vec<_> = troubles.iter().map(|(id, it)| (*id, (*it).to_owned())).collect();
        assert_eq!(lines(&troubles, |text| text.len() <= limit), expected);
    }

    #[test]
    fn each_missing_upstream_has_one_line_within_the_limits() {
        check(&[], 0, "");
        check(&[("a", "is down: no\n  way")], 99, "\nUpstream `a` is down: no way.");
        check(&[("a", "is down"), ("b", "is down")], 25, "\nUpstream `a` is down.\nOne more upstream is not up.");
        check(&[("a", "is down")], 3, "\nOne upstream is not up.");
        let long = format!("\nUpstream `a` {}….", "ä".repeat(REASON_CHARS));
        check(&[("a", &"ä".repeat(900))], 9999, &long);
        let many = lines(&vec![("a", "is down".to_owned()); 9], |_| true);
        assert!(many.ends_with("\n4 more upstreams are not up."), "{many}");
        assert_eq!(many.lines().count(), MAX_NAMED + 2);
    }
}
