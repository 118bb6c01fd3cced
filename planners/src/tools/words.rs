//! Text to search terms: identifiers split, English folded lightly, CJK in pairs.

/// Words that say nothing about a tool. Sorted. Short on purpose: `get`, `list` or `all` do tell tools apart.
const STOP_WORDS: &[&str] = &[
    "a", "about", "also", "an", "and", "any", "are", "as", "at", "be", "been", "by", "can", "could", "do", "does",
    "for", "from", "had", "has", "have", "how", "i", "if", "in", "into", "is", "it", "its", "like", "me", "my", "need",
    "of", "on", "or", "our", "please", "s", "should", "so", "some", "t", "that", "the", "their", "them", "then",
    "there", "these", "they", "this", "those", "to", "use", "used", "using", "want", "was", "we", "were", "what",
    "when", "where", "which", "will", "with", "would", "you", "your",
];

/// Calls `each` with every term of `text`: lower case, `camelCase` and `snake_case` split, stop words left out.
pub(crate) fn each_term(text: &str, each: &mut impl FnMut(&str)) {
    for run in text.split(|c: char| !c.is_alphanumeric()).filter(|run| !run.is_empty()) {
        if run.is_ascii() {
            each_ascii_term(run, each);
        } else {
            each_foreign_term(run, each);
        }
    }
}

/// Whether search leaves `word` out.
pub(super) fn is_stop_word(word: &str) -> bool {
    STOP_WORDS.binary_search(&word.to_ascii_lowercase().as_str()).is_ok()
}

fn each_ascii_term(run: &str, each: &mut impl FnMut(&str)) {
    let mut start = 0;
    let bytes = run.as_bytes();
    let mut n_parts = 0;
    for end in 1..=bytes.len() {
        if end == bytes.len() || is_seam(bytes, end) {
            folded(&run[start..end], each);
            start = end;
            n_parts += 1;
        }
    }
    // `GitHub` is asked for as `github` too.
    if n_parts > 1 {
        folded(run, each);
    }
}

/// True between the words of an identifier: before a capital after a small letter, before the last capital of a run
/// that small letters follow (`HTTPServer`), and between letters and digits.
fn is_seam(bytes: &[u8], at: usize) -> bool {
    let (before, here) = (bytes[at - 1], bytes[at]);
    let next_is_small = bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase);
    let capital =
        here.is_ascii_uppercase() && (before.is_ascii_lowercase() || (before.is_ascii_uppercase() && next_is_small));
    capital || before.is_ascii_digit() != here.is_ascii_digit()
}

fn folded(word: &str, each: &mut impl FnMut(&str)) {
    let word = word.to_ascii_lowercase();
    if STOP_WORDS.binary_search(&word.as_str()).is_err() {
        each(stem(&word));
    }
}

/// Folds plurals and the endings -ing, -ed and -e, so that `files`, `filing` and `file` meet. Cruder than Porter's
/// stemmer, which measured no better on tool descriptions.
fn stem(word: &str) -> &str {
    let ends = |suffix: &str, at_least: usize| word.strip_suffix(suffix).filter(|stem| stem.len() >= at_least);
    let singular = match word {
        _ if word.ends_with("ss") || word.ends_with("us") || word.ends_with("is") => word,
        _ => ends("ies", 3).or_else(|| ends("es", 4)).or_else(|| ends("s", 3)).unwrap_or(word),
    };
    let ends = |suffix: &str| singular.strip_suffix(suffix).filter(|stem| stem.len() >= 3);
    let bare = ends("ing").or_else(|| ends("ed")).unwrap_or(singular);
    let bare = bare.strip_suffix(['e', 'y']).filter(|stem| stem.len() >= 3).unwrap_or(bare);
    undouble(bare)
}

/// `stopp` of `stopping` is `stop`.
fn undouble(word: &str) -> &str {
    match word.as_bytes() {
        [.., a, b] if a == b && word.len() > 3 && !matches!(b, b'l' | b's' | b'z') => &word[..word.len() - 1],
        _ => word,
    }
}

/// Scripts without spaces give pairs of neighbouring characters, others whole words.
fn each_foreign_term(run: &str, each: &mut impl FnMut(&str)) {
    let chars: Vec<(usize, char)> = run.char_indices().collect();
    let end_of = |idx: usize| chars.get(idx + 1).map_or(run.len(), |&(at, _)| at);
    let mut idx = 0;
    while idx < chars.len() {
        let is_ideographic = is_unspaced(chars[idx].1);
        let len = chars[idx..].iter().take_while(|&&(_, c)| is_unspaced(c) == is_ideographic).count();
        let (first, last) = (chars[idx].0, end_of(idx + len - 1));
        match (is_ideographic, len) {
            (false, _) if run[first..last].is_ascii() => each_ascii_term(&run[first..last], each),
            (false, _) | (true, 1) => each(&run[first..last].to_lowercase()),
            (true, _) => (idx..idx + len - 1).for_each(|pair| each(&run[chars[pair].0..end_of(pair + 1)])),
        }
        idx += len;
    }
}

fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{0e00}'..='\u{0eff}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stop_words_are_sorted() {
        assert!(STOP_WORDS.is_sorted());
    }

    #[test]
    fn splits_and_folds() {
        for (text, expected) in [
            ("", ""),
            ("getUserById", "get user id getuserbyid"),
            ("list_all-files", "list all fil"),
            ("HTTPServer2", "http server 2 httpserver2"),
            ("stopping the queries, creates 中文搜索!", "stop quer creat 中文 文搜 搜索"),
            ("PDF文件 é È", "pdf 文件 é è"),
        ] {
            let mut terms = Vec::new();
            each_term(text, &mut |term| terms.push(term.to_owned()));
            assert_eq!(terms.join(" "), expected, "{text:?}");
        }
    }
}
