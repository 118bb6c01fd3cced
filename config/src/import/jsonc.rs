//! JSON with comments and trailing commas -> JSON. Every character keeps its place, so that a parse
//! error still points into the original.

/// Blanks out comments, then commas before `}` and `]`.
pub(super) fn to_json(text: &str) -> String {
    without_trailing_commas(&without_comments(text))
}

/// What a character is part of.
#[derive(Clone, Copy, PartialEq)]
enum Within {
    Code,
    Text,
    LineComment,
    BlockComment,
}

fn without_comments(text: &str) -> String {
    let mut json = String::with_capacity(text.len());
    let mut within = Within::Code;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied();
        match (within, c, next) {
            (Within::Code, '/', Some('/')) => within = Within::LineComment,
            (Within::Code, '/', Some('*')) => {
                within = Within::BlockComment;
                // Else `/*/` would both open and close.
                chars.next();
                json.push(' ');
            }
            (Within::LineComment, '\n', _) => within = Within::Code,
            (Within::BlockComment, '*', Some('/')) => {
                within = Within::Code;
                chars.next();
                json.push_str("  ");
                continue;
            }
            (Within::Code, '"', _) => within = Within::Text,
            (Within::Text, '"', _) => {
                within = Within::Code;
                json.push(c);
                continue;
            }
            (Within::Text, '\\', Some(escaped)) => {
                chars.next();
                json.extend([c, escaped]);
                continue;
            }
            _ => {}
        }
        json.push(blank_in_comment(within, c));
    }
    json
}

fn blank_in_comment(within: Within, c: char) -> char {
    match within {
        Within::LineComment | Within::BlockComment if c != '\n' => ' ',
        _ => c,
    }
}

fn without_trailing_commas(text: &str) -> String {
    let mut json: Vec<char> = text.chars().collect();
    let mut in_text = false;
    let mut comma = None;
    let mut index = 0;
    while index < json.len() {
        match json[index] {
            '\\' if in_text => index += 1,
            '"' => {
                in_text = !in_text;
                comma = None;
            }
            _ if in_text => {}
            ',' => comma = Some(index),
            '}' | ']' => {
                if let Some(comma) = comma.take() {
                    json[comma] = ' ';
                }
            }
            c if !c.is_whitespace() => comma = None,
            _ => {}
        }
        index += 1;
    }
    json.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::to_json;

    #[test]
    fn comments_and_trailing_commas_become_blanks() {
        let rows = [
            ("{}", "{}"),
            ("{ // a\n}", "{     \n}"),
            ("[1, /* a\n b */ 2]", "[1,     \n      2]"),
            ("[/*/ 1 */ 2]", "[         2]"),
            ("[1, 2, ]", "[1, 2  ]"),
            ("{\"a\": [1,],\n}", "{\"a\": [1 ] \n}"),
            (r#"["//", "/* */", "a,]", "\",]"]"#, r#"["//", "/* */", "a,]", "\",]"]"#),
            ("[1, // a\n]", "[1      \n]"),
            ("[,1]", "[,1]"),
        ];
        for (text, expected) in rows {
            assert_eq!(to_json(text), expected, "{text}");
        }
    }
}
