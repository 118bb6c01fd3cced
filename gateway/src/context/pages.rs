//! Pages of texts and lists within a token budget, each saying how to go on.

use std::fmt::Write;

use super::files::Listed;
use tollgate_planners::context::Outline;
use tollgate_tokenizers::Tokenizer;

/// The longest page from `offset` that counts at most `limit` tokens, and how to go on.
pub fn page(text: &str, offset: usize, limit: usize, tokenizer: Tokenizer) -> String {
    let rest = &text[offset..];
    let end = tokenizer.prefix_within(rest, limit);
    // At least one character, so that paging always ends.
    let end = if end == 0 { rest.chars().next().map_or(0, char::len_utf8) } else { end };
    let shown = &rest[..end];
    if end == rest.len() {
        return shown.to_owned();
    }
    format!("{shown}\n[{} of {} bytes left; go on with offset {}]", rest.len() - end, text.len(), offset + end)
}

pub fn list_page(entries: &[Listed], offset: usize, limit: usize, tokenizer: Tokenizer) -> String {
    let line = |entry: &Listed| match entry.bytes {
        Some(bytes) => format!("{} {bytes}\n", entry.path),
        None => format!("{}/\n", entry.path),
    };
    let lines: Vec<String> = entries.iter().map(line).collect();
    line_page(&lines, offset, limit, (tokenizer, "entries"))
}

/// So many of `lines`, behind the first `offset`, as `limit` tokens hold, at least one.
pub fn line_page(lines: &[String], offset: usize, limit: usize, (tokenizer, noun): (Tokenizer, &str)) -> String {
    let mut text = String::new();
    let mut tokens = 0;
    let mut shown = offset.min(lines.len());
    for line in &lines[shown..] {
        tokens += tokenizer.count(line);
        if tokens > limit && shown > offset {
            break;
        }
        text.push_str(line);
        shown += 1;
    }
    let left = lines.len() - shown;
    if left > 0 {
        // Writing to a string does not fail.
        let _ = write!(text, "[{left} of {} {noun} left; go on with offset {shown}]", lines.len());
    } else if text.is_empty() {
        text.push_str("[nothing]");
    }
    text
}

/// A line for each symbol of an outline: its lines, its kind, its name.
pub fn outline_lines(outline: &Outline) -> Vec<String> {
    let line = |idx: usize| {
        let symbol = &outline.symbols[idx];
        let (first, last) = symbol.lines;
        format!("{first}-{last} {} {}\n", symbol.kind.name(), outline.qualified(idx))
    };
    (1..outline.symbols.len()).map(line).collect()
}

/// The lines `first` to `last` of a text, from 1; where they are more than `limit` tokens, as many as fit.
pub fn lines_of(text: &str, (first, last): (usize, usize), limit: usize, tokenizer: Tokenizer) -> String {
    let lines: Vec<String> =
        text.split_inclusive('\n').skip(first - 1).take((last + 1).saturating_sub(first)).map(str::to_owned).collect();
    let mut tokens = 0;
    let mut shown = 0;
    for line in &lines {
        tokens += tokenizer.count_rest(line);
        if tokens > limit && shown > 0 {
            break;
        }
        shown += 1;
    }
    let mut text = lines[..shown].concat();
    if shown < lines.len() {
        let _ = write!(
            text,
            "[lines {} to {} are left; go on with first_line {0}]",
            first + shown,
            first + lines.len() - 1
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokenizer() -> Tokenizer {
        Tokenizer::by_name("o200k_base").unwrap()
    }

    #[test]
    fn pages_join_to_the_whole_text_and_keep_the_budget() {
        let text = "Grüße, 世界! One two three four five. ".repeat(40);
        for limit in [1, 3, 17, 500] {
            let (mut joined, mut offset) = (String::new(), 0);
            loop {
                let page = page(&text, offset, limit, tokenizer());
                let (shown, next) = match page.rsplit_once("\n[") {
                    Some((shown, tail)) => (shown, tail.rsplit_once("offset ").map(|(_, it)| it.trim_end_matches(']'))),
                    None => (page.as_str(), None),
                };
                assert!(tokenizer().count(shown) <= limit || shown.chars().count() == 1, "{limit}: {shown}");
                joined.push_str(shown);
                match next {
                    Some(next) => offset = next.parse().unwrap(),
                    None => break,
                }
            }
            assert_eq!(joined, text);
        }
    }

    #[test]
    fn list_pages_show_every_entry_once() {
        let entries: Vec<_> = (0..100).map(|it| Listed { path: format!("file{it}"), bytes: Some(it) }).collect();
        let (mut seen, mut offset) = (0, 0);
        while offset < entries.len() {
            let text = list_page(&entries, offset, 50, tokenizer());
            let lines = text.lines().filter(|it| it.starts_with("file")).count();
            seen += lines;
            offset += lines;
        }
        assert_eq!(seen, 100);
        assert_eq!(list_page(&[], 0, 50, tokenizer()), "[nothing]");
    }

    #[test]
    fn lines_are_cut_at_the_budget_and_say_where_to_go_on() {
        let text = "one\ntwo\nthree\nfour\n";
        for (lines, limit, shown) in [
            ((2, 3), 100, "two\nthree\n"),
            ((3, 9), 100, "three\nfour\n"),
            ((9, 9), 100, ""),
            ((1, 4), 1, "one\n[lines 2 to 4 are left; go on with first_line 2]"),
        ] {
            assert_eq!(lines_of(text, lines, limit, tokenizer()), shown);
        }
    }
}
