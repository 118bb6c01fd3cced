//! "Did you mean": names close to a mistyped one.

use crate::error::list;

/// The candidates within a third of the name's length, closest first, at most three.
pub(crate) fn close_matches<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let name = name.to_lowercase();
    let limit = (name.chars().count() / 3).max(1);
    let mut close: Vec<(usize, &str)> = candidates
        .into_iter()
        .map(|candidate| (distance(&name, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .collect();
    close.sort_unstable();
    close.dedup();
    close.into_iter().take(3).map(|(_, candidate)| candidate).collect()
}

/// The nearest keys, or all of them.
pub(crate) fn unknown_key_remedy(key: &str, known: &[&str]) -> String {
    let close = close_matches(key, known.iter().copied());
    match close.is_empty() {
        true => format!("remove it, the keys here are {}", list(known, "and")),
        false => format!("did you mean {}?", list(&close, "or")),
    }
}

/// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<_>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let substitution = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = substitution.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::close_matches;

    #[test]
    fn names_the_nearest() {
        let names = ["listen", "log", "allowed_hosts", "gpt-5", "gpt-5-mini"];
        let rows: &[(&str, &[&str])] = &[
            ("lisen", &["listen"]),
            ("Listen", &["listen"]),
            ("listne", &["listen"]),
            ("alowed_host", &["allowed_hosts"]),
            ("gtp-5", &["gpt-5"]),
            ("zebra", &[]),
            ("", &[]),
        ];
        for (name, expected) in rows {
            assert_eq!(close_matches(name, names), *expected, "{name}");
        }
    }
}
