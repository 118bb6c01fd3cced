//! Texts that are hard on tokenizers: a million bytes each.

const LEN: usize = 1_000_000;

/// A name, and how the text is made.
pub type Text = (&'static str, fn() -> String);

pub const TEXTS: [Text; 9] = [
    ("a million a", || "a".repeat(LEN)),
    ("spaces", || " ".repeat(LEN)),
    ("line ends", || "\n".repeat(LEN)),
    ("digits", || random(|it| char::from(b'0' + (it % 10) as u8))),
    ("random letters", || random(|it| char::from(b'a' + (it % 26) as u8))),
    ("random ASCII", || random(|it| char::from(b' ' + (it % 95) as u8))),
    ("random Han", || random(|it| char::from_u32(0x4e00 + (it % 0x5000) as u32).unwrap_or('一'))),
    ("random Unicode", || random(|it| char::from_u32((it % 0x1_1000) as u32).unwrap_or('?'))),
    ("brackets", || "([{<".repeat(LEN / 4)),
];

/// Xorshift, with a fixed seed.
fn random(character: impl Fn(u64) -> char) -> String {
    let mut state = 88_172_645_463_325_252u64;
    let mut text = String::with_capacity(LEN + 4);
    while text.len() < LEN {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        text.push(character(state >> 11));
    }
    text
}
