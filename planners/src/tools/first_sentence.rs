//! The first sentence of a description: what a one-line summary shows.

/// Longer sentences are cut here, at a word.
const MAX_CHARS: usize = 200;

/// A full stop after one of these does not end a sentence.
const ABBREVIATIONS: &[&str] =
    &["e.g", "i.e", "etc", "vs", "approx", "incl", "dr", "mr", "mrs", "no", "cf", "fig", "inc", "ex"];

/// The first sentence of `text`, on one line, at most 200 characters and an ellipsis.
///
/// Ends at a full stop, question or exclamation mark before white space, at their CJK forms anywhere, or at the end of
/// a line; abbreviations, version numbers and file names do not end it. White space is collapsed.
#[must_use]
pub fn first_sentence(text: &str) -> String {
    let line = text.trim_start().split(['\n', '\r']).next().unwrap_or_default();
    let sentence = &line[..sentence_end(line)];
    let words: Vec<&str> = sentence.split_whitespace().collect();
    shorten(words.join(" "))
}

/// The byte offset just after the first sentence of one line.
fn sentence_end(line: &str) -> usize {
    let ends = |&(at, c): &(usize, char)| match c {
        '。' | '！' | '？' => true,
        '.' | '!' | '?' => ends_sentence(&line[..at], &line[at + 1..]),
        _ => false,
    };
    line.char_indices().find(ends).map_or(line.len(), |(at, c)| at + c.len_utf8())
}

fn ends_sentence(before: &str, after: &str) -> bool {
    let closes = after.chars().next().is_none_or(char::is_whitespace);
    let last_word = before.rsplit([' ', '(', ',', ';', '"']).next().unwrap_or_default();
    // A single capital is an initial, as in "J. Smith".
    let is_initial = last_word.chars().count() == 1 && last_word.chars().all(char::is_uppercase);
    closes && !is_initial && !ABBREVIATIONS.iter().any(|short| last_word.eq_ignore_ascii_case(short))
}

fn shorten(sentence: String) -> String {
    let Some((end, _)) = sentence.char_indices().nth(MAX_CHARS) else {
        return sentence;
    };
    let head = &sentence[..end];
    let word_end = head.rfind(' ').filter(|&space| space > end / 2).unwrap_or(end);
    format!("{}…", head[..word_end].trim_end_matches([',', ';', ':', ' ']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_end() {
        for (text, expected) in [
            ("", ""),
            ("Reads a file", "Reads a file"),
            ("Reads a file. Returns text.", "Reads a file."),
            ("  Reads\ta   file.\nMore.", "Reads a file."),
            ("Title\n\nBody.", "Title"),
            ("\n\nTitle\n\nBody.", "Title"),
            ("Lists formats, e.g. PDF or PNG. Then more.", "Lists formats, e.g. PDF or PNG."),
            ("Bumps v1.2.3 of Cargo.toml! Careful.", "Bumps v1.2.3 of Cargo.toml!"),
            ("使用必应搜索。返回结果。", "使用必应搜索。"),
            ("By J. Smith. Next.", "By J. Smith."),
            ("Is it up? Yes.", "Is it up?"),
        ] {
            assert_eq!(first_sentence(text), expected, "{text:?}");
        }
    }

    #[test]
    fn caps_what_never_ends() {
        let long = first_sentence(&"word ".repeat(100));
        assert!(long.ends_with("word…") && long.chars().count() <= 201);
        assert_eq!(first_sentence(&"中".repeat(500)).chars().count(), 201);
    }
}
