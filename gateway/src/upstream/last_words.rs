//! The line of a server's stderr that explains best why it ended: the last one that is no part of a longer report.

/// Characters that are kept of it.
const KEPT_CHARS: usize = 200;
/// Runtimes end their reports with these, which explain nothing.
const EPILOGUES: [&str; 2] = ["Node.js v", "note: run with `RUST_BACKTRACE"];

/// What to keep of the line after `kept`.
pub fn keep(kept: &mut Option<String>, line: &str) {
    if explains(line) || (kept.is_none() && has_words(line)) {
        *kept = Some(line.trim().chars().filter(|it| !it.is_control()).take(KEPT_CHARS).collect());
    }
}

/// Frames of a stack and members of an object are indented.
fn explains(line: &str) -> bool {
    let is_indented = line.starts_with(char::is_whitespace);
    has_words(line) && !is_indented && !EPILOGUES.iter().any(|it| line.starts_with(it))
}

fn has_words(line: &str) -> bool {
    line.contains(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(stderr: &str, expected: Option<&str>) {
        let mut kept = None;
        stderr.lines().for_each(|line| keep(&mut kept, line));
        assert_eq!(kept.as_deref(), expected, "{stderr}");
    }

    #[test]
    fn the_last_line_that_explains_is_kept() {
        check("", None);
        check("\n---\n", None);
        check("starting\nboom: no config file\n", Some("boom: no config file"));
        check("  indented only\n", Some("indented only"));
        check("red \u{1b}[31mboom\r\n", Some("red [31mboom"));
        check(
            "  throw err;\n  ^\n\nError: Cannot find module 'a'\n    at load {\n  code: 'X'\n}\n\nNode.js v22.1.0\n",
            Some("Error: Cannot find module 'a'"),
        );
        check("Traceback (most recent call last):\n  File \"a\"\nValueError: no\n", Some("ValueError: no"));
    }

    #[test]
    fn a_long_line_is_cut() {
        let mut kept = None;
        keep(&mut kept, &"ä".repeat(500));
        assert_eq!(kept.map(|it| it.chars().count()), Some(KEPT_CHARS));
    }
}
