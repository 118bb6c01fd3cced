//! Texts that are hard on tokenizers, of any length, for a vocabulary.

use tollgate_tokenizers::Tokenizer;

/// A name, and how so many bytes of the text are made.
pub type Text = (&'static str, fn(usize, &str) -> String);

pub const TEXTS: [Text; 18] = [
    ("a million a", |len, _| "a".repeat(len)),
    ("spaces", |len, _| " ".repeat(len)),
    ("line ends", |len, _| "\n".repeat(len)),
    ("one Han character", |len, _| "一".repeat(len / 3)),
    ("digits", |len, _| random(len, |it| char::from(b'0' + (it % 10) as u8))),
    ("random letters", |len, _| random(len, |it| char::from(b'a' + (it % 26) as u8))),
    ("random capitals", |len, _| random(len, |it| char::from(b'A' + (it % 26) as u8))),
    ("two letters", |len, _| random(len, |it| if it % 2 == 0 { 'a' } else { 'b' })),
    ("hexadecimal", |len, _| random(len, |it| char::from(b"0123456789abcdef"[(it % 16) as usize]))),
    ("random ASCII", |len, _| random(len, |it| char::from(b' ' + (it % 95) as u8))),
    ("random Han", |len, _| random(len, |it| char::from_u32(0x4e00 + (it % 0x5000) as u32).unwrap_or('一'))),
    ("random Unicode", |len, _| random(len, |it| char::from_u32((it % 0x1_1000) as u32).unwrap_or('?'))),
    ("brackets", |len, _| "([{<".repeat(len / 4)),
    ("tags", |len, _| "<table><tr><td></td></tr></table>".repeat(len / 33)),
    ("runs", runs),
    ("periods", periods),
    ("tokens", |len, vocabulary| tokens(len, vocabulary, 1)),
    ("long tokens", |len, vocabulary| tokens(len, vocabulary, 9)),
];

/// Xorshift, with a fixed seed.
fn numbers() -> impl Iterator<Item = u64> {
    let mut state = 88_172_645_463_325_252u64;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state >> 11
    })
}

fn random(len: usize, character: impl Fn(u64) -> char) -> String {
    let mut text = String::with_capacity(len + 4);
    text.extend(numbers().map(character).take(len));
    text.truncate(text.floor_char_boundary(len));
    text
}

/// Letters and signs, each many times over.
fn runs(len: usize, _: &str) -> String {
    let run = |it: u64| char::from(b'!' + (it % 94) as u8).to_string().repeat(50 + (it >> 8) as usize % 400);
    parts(len, run)
}

/// Short strings, each many times over.
fn periods(len: usize, _: &str) -> String {
    let unit =
        |it: u64| (0..2 + it % 5).map(|at| char::from(b'!' + (it >> (6 + 7 * at)) as u8 % 94)).collect::<String>();
    parts(len, |it| unit(it).repeat(20 + (it >> 45) as usize % 80))
}

/// The vocabulary's own tokens without white space, of so many bytes at least, in any order: where its merges are.
fn tokens(len: usize, vocabulary: &str, shortest: usize) -> String {
    let tokenizer = Tokenizer::by_name(vocabulary).unwrap_or_else(|error| panic!("{error}"));
    let text = |id: u32| tokenizer.token(id).and_then(|it| str::from_utf8(it).ok());
    let is_fit = |it: &&str| it.len() >= shortest && !it.contains(|c: char| c.is_whitespace() || c == '▁');
    let fit: Vec<&str> = (0..300_000).filter_map(text).filter(is_fit).collect();
    parts(len, |it| fit[(it % fit.len() as u64) as usize].to_owned())
}

fn parts(len: usize, part: impl Fn(u64) -> String) -> String {
    let mut text = String::with_capacity(len + 1000);
    for part in numbers().map(part) {
        text.push_str(&part);
        if text.len() >= len {
            break;
        }
    }
    text.truncate(text.floor_char_boundary(len));
    text
}
