//! Server names -> legal upstream ids: the same names always give the same ids.

const MAX_CHARS: usize = 32;

/// The defaults already have an upstream of this id.
const TAKEN: &str = "context";

/// One id a name, each unique.
pub(super) fn ids<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for name in names {
        let base = slug(name);
        let candidates = (1..).map(|n| numbered(&base, n));
        let free = |id: &String| !ids.contains(id) && id != TAKEN;
        ids.extend(candidates.into_iter().find(free));
    }
    ids
}

/// `My Server!` -> `my-server`.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars().map(|c| c.to_ascii_lowercase()) {
        match c {
            'a'..='z' | '0'..='9' | '_' => slug.push(c),
            _ if !slug.ends_with('-') => slug.push('-'),
            _ => {}
        }
    }
    let trimmed = slug.trim_matches(['-', '_']);
    let short = trimmed[..trimmed.len().min(MAX_CHARS)].trim_end_matches('-');
    if short.is_empty() { "server".to_owned() } else { short.to_owned() }
}

fn numbered(base: &str, n: usize) -> String {
    if n == 1 {
        return base.to_owned();
    }
    let suffix = format!("-{n}");
    let keep = base.len().min(MAX_CHARS - suffix.len());
    format!("{}{suffix}", base[..keep].trim_end_matches('-'))
}

#[cfg(test)]
mod tests {
    use super::ids;

    #[test]
    fn names_become_legal_and_unique() {
        let long = "x".repeat(40);
        let rows: &[(&[&str], &[&str])] = &[
            (&["git", "GitHub", "My Server!"], &["git", "github", "my-server"]),
            (&["a b", "a-b", "A_b", "a  b"], &["a-b", "a-b-2", "a_b", "a-b-3"]),
            (&["", "日本", "--"], &["server", "server-2", "server-3"]),
            (&["context", "@scope/pkg"], &["context-2", "scope-pkg"]),
            (&[&long, &long], &[&"x".repeat(32), &format!("{}-2", "x".repeat(30))]),
        ];
        for (names, expected) in rows {
            assert_eq!(ids(names.iter().copied()), *expected, "{names:?}");
        }
    }
}
