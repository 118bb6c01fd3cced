//! Every pre-tokenizer against the regular expression that it is the meaning of, run by a backtracking engine.

use fancy_regex::Regex;
use proptest::prelude::*;
use tollgate_tokenizers::Split;

const CASED: &str = concat!(
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+TAIL",
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*TAIL"
);
const CONTRACTIONS: &str = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const SPACES: &str = r"\s*[\r\n]+|\s+(?!\S)|\s+";

/// The expressions of each pre-tokenizer; each works on the pieces of the one before.
fn expressions() -> Vec<(Split, Vec<String>)> {
    let cased = |tail: &str| CASED.replace("TAIL", tail);
    let plain = |digits: &str| {
        format!(r"{CONTRACTIONS}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|{digits}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|{SPACES}")
    };
    let contracted = cased(&format!("{CONTRACTIONS}?"));
    // Han is taken out of the classes of words, and of nothing else.
    let kimi = contracted.replace(r"\p{M}]", r"\p{M}&&[^\p{Han}]]");
    let marks = r##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*"##;
    vec![
        (Split::Gpt2, vec![r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+".into()]),
        (Split::Cl100k, vec![plain(r"\p{N}{1,3}")]),
        (Split::Qwen, vec![plain(r"\p{N}")]),
        (Split::O200k, vec![format!(r"{contracted}|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{SPACES}")]),
        (Split::Tekken, vec![format!(r"{}|\p{{N}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{SPACES}", cased(""))]),
        (Split::Kimi, vec![format!(r"[\p{{Han}}]+|{kimi}|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|{SPACES}")]),
        (
            Split::DeepSeek,
            vec![
                r"\p{N}{1,3}".into(),
                r"[一-龥\x{3040}-\x{309f}\x{30a0}-\x{30ff}]+".into(),
                format!("{marks}|{SPACES}"),
            ],
        ),
    ]
}

/// What matches and what lies between matches, each a piece.
fn isolate(pieces: Vec<String>, expression: &Regex) -> Vec<String> {
    let mut all = Vec::new();
    for piece in pieces {
        let mut at = 0;
        for found in expression.find_iter(&piece).map_while(Result::ok) {
            all.push(piece[at..found.start()].to_owned());
            all.push(found.as_str().to_owned());
            at = found.end();
        }
        all.push(piece[at..].to_owned());
    }
    all.retain(|it| !it.is_empty());
    all
}

fn pieces(split: Split, text: &str) -> Vec<String> {
    let mut start = 0;
    let cut = |end| {
        let piece = text[start..end].to_owned();
        start = end;
        piece
    };
    split.ends(text).into_iter().map(cut).collect()
}

/// Text in all scripts, and long text in ASCII, which is scanned in another way.
fn texts() -> impl Strategy<Value = String> {
    let bit = prop_oneof![
        "[a-zA-Z]{1,9}",
        "[0-9]{1,5}",
        "[ \t\r\n]{1,4}",
        "[ \u{a0}\u{3000}\r\n\t]{1,3}",
        "['\".,:;/{}\\[\\]()_<|>$+^`~-]{1,4}",
        Just("don't we'LL o'Clock 'ſ 'RE'".to_owned()),
        "[一-龥〇⺀々]{1,4}",
        "[ぁ-んァ-ヶー]{1,4}",
        "[A-Zǅʰªºa-z\u{301}\u{903}\u{20dd}é中]{1,6}",
        "[。，、é́ñßЖ🙂٣Ⅷ\u{200d}\u{a0}\u{0}\u{1}\u{ad}\u{e000}]{1,3}",
        any::<char>().prop_map(String::from),
    ];
    let ascii = prop_oneof![
        5 => "[a-zA-Z]{1,9}",
        1 => "[0-9]{1,9}",
        2 => "[ \t\r\n]{1,6}",
        5 => Just(" ".to_owned()),
        3 => "['\".,:;/{}\\[\\]()_<|>$+^`~-]{1,4}",
        1 => Just("don't we'LL o'Clock 'RE'it's's".to_owned()),
        1 => "[;/\n*a ']{1,8}",
        1 => "\\PC",
        1 => "[\x00-\x7f]{1,5}",
    ];
    let join = |bits: Vec<String>| bits.concat();
    prop_oneof![prop::collection::vec(bit, 0..14).prop_map(join), prop::collection::vec(ascii, 0..900).prop_map(join),]
}

#[test]
fn pieces_are_those_of_the_expressions() {
    let compile = |it: &String| Regex::new(it).unwrap_or_else(|error| unreachable!("{error}"));
    let all: Vec<(Split, Vec<Regex>)> =
        expressions().iter().map(|(split, them)| (*split, them.iter().map(compile).collect())).collect();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::default());
    let done = runner.run(&texts(), |text| {
        for (split, expressions) in &all {
            let expected = expressions.iter().fold(vec![text.clone()], isolate);
            prop_assert_eq!(pieces(*split, &text), expected, "{:?}", split);
        }
        Ok(())
    });
    assert!(done.is_ok(), "{done:?}");
}
