//! Which licences let a text be learnt from and the result be given away: permissive ones, by their names in SPDX and in
//! Debian's copyright files.

const ALLOWED: &[&str] = &[
    "0bsd",
    "apache-2",
    "apache-2.0",
    "blueoak-1.0.0",
    "bsd",
    "bsd-1-clause",
    "bsd-2-clause",
    "bsd-3-clause",
    "bsl-1.0",
    "cc0-1.0",
    "curl",
    "expat",
    "isc",
    "mit",
    "mit-0",
    "psf",
    "psf-2",
    "psf-2.0",
    "public-domain",
    "unlicense",
    "x11",
    "zlib",
];

/// True if an expression offers an allowed licence: one of the choices of `or`, all of the parts of `and`. One with
/// parentheses is refused unread.
pub(super) fn is_allowed(expression: &str) -> bool {
    let plain = expression.to_lowercase();
    if plain.contains('(') {
        return false;
    }
    let plain = plain.replace("mit/x11", "mit").replace('/', " or ");
    plain.split(" or ").any(|choice| choice.split(" and ").all(|part| ALLOWED.contains(&part.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions() {
        for (expression, expected) in [
            ("MIT OR Apache-2.0", true),
            ("MIT/Apache-2.0", true),
            ("GPL-2+ or Expat", true),
            ("BSD-3-clause and Expat", true),
            ("BSD-3-clause and GPL-2", false),
            ("GPL-3.0", false),
            ("(MIT OR Apache-2.0) AND OFL-1.1", false),
            ("MIT/X11", true),
            ("Apache-2.0 WITH LLVM-exception", false),
            ("", false),
        ] {
            assert_eq!(is_allowed(expression), expected, "{expression}");
        }
    }
}
