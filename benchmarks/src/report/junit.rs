//! Attempts as JUnit's XML has test cases, for build services.

use std::fmt::Write as _;

use crate::record::{Header, counts};
use crate::trace::{End, Line};

/// What comes before the cases.
#[must_use]
pub fn head(header: &Header) -> String {
    let name = escaped(&format!("{} by {}", header.suite, header.target));
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites><testsuite name=\"{name}\">\n")
}

/// One attempt.
#[must_use]
pub fn case(line: &Line) -> String {
    let name = if line.trial == 0 { line.task.clone() } else { format!("{} (trial {})", line.task, line.trial) };
    let mut text = format!(
        "<testcase classname=\"{}.{}\" name=\"{}\" time=\"{:.3}\">",
        escaped(&line.arm),
        escaped(&line.category),
        escaped(&name),
        line.ms as f64 / 1000.0
    );
    if let End::Broken(why) = &line.trace.end {
        let _ = write!(text, "<error message=\"{}\"/>", escaped(why));
    } else if !line.solved && counts(line) {
        let gate = line.stopped.map_or("failed", crate::score::Gate::name);
        let _ = write!(text, "<failure type=\"{gate}\" message=\"stopped at {gate}, {:.2} done\"/>", line.score);
    }
    text + "</testcase>\n"
}

/// What comes after them.
pub const TAIL: &str = "</testsuite></testsuites>\n";

/// Control characters have no place in XML 1.0.
fn escaped(text: &str) -> String {
    super::escaped(text).replace(|it: char| it.is_control() && !matches!(it, '\n' | '\t'), "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::Gate;

    #[test]
    fn failures_say_where_they_stopped() {
        let line = Line { task: "a<b\u{1}".into(), arm: "all".into(), category: "c".into(), ..Line::default() };
        let failed = case(&Line { stopped: Some(Gate::Selected), ..line.clone() });
        assert!(
            failed.contains("name=\"a&lt;b\u{fffd}\"") && failed.contains("<failure type=\"selected\""),
            "{failed}"
        );
        assert!(!case(&Line { solved: true, ..line.clone() }).contains("failure"));
        let mut broken = line;
        broken.trace.end = End::Broken("away".into());
        assert!(case(&broken).contains("<error message=\"away\"/>"));
    }
}
