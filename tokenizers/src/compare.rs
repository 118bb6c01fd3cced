//! Texts side by side: how many tokens several tokenizers make of them, kind by kind and together. Texts are measured
//! one after another and not kept.

use std::collections::BTreeMap;

use crate::Tokenizer;

/// What texts came to.
#[derive(Debug, Clone)]
pub struct Comparison {
    tokenizers: Vec<Tokenizer>,
    kinds: BTreeMap<String, Measure>,
    total: Measure,
}

/// How large texts are, in every unit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Measure {
    /// How many texts.
    pub n_texts: usize,
    /// Their bytes in UTF-8.
    pub bytes: usize,
    /// Their Unicode characters.
    pub chars: usize,
    /// Their tokens, one number a tokenizer.
    pub tokens: Vec<usize>,
}

impl Comparison {
    /// A comparison of these tokenizers with no text in it yet.
    #[must_use]
    pub fn new(tokenizers: Vec<Tokenizer>) -> Self {
        let total = Measure::none(tokenizers.len());
        Self { tokenizers, kinds: BTreeMap::new(), total }
    }

    /// Measures a text of some kind, such as the extension of its file.
    pub fn add(&mut self, kind: &str, text: &str) {
        let measure = self.measure(text);
        self.total.add(&measure);
        let none = || Measure::none(self.tokenizers.len());
        self.kinds.entry(kind.to_owned()).or_insert_with(none).add(&measure);
    }

    /// All texts of a kind, kinds in alphabetical order.
    pub fn kinds(&self) -> impl ExactSizeIterator<Item = (&str, &Measure)> {
        self.kinds.iter().map(|(kind, measure)| (kind.as_str(), measure))
    }

    /// All texts.
    #[must_use]
    pub const fn total(&self) -> &Measure {
        &self.total
    }

    /// A tokenizer that was named twice counts once.
    fn measure(&self, text: &str) -> Measure {
        let mut tokens: Vec<usize> = Vec::with_capacity(self.tokenizers.len());
        for tokenizer in &self.tokenizers {
            let known = self.tokenizers.iter().take(tokens.len()).position(|it| it.name() == tokenizer.name());
            tokens.push(known.map_or_else(|| tokenizer.count(text), |idx| tokens[idx]));
        }
        Measure { n_texts: 1, bytes: text.len(), chars: text.chars().count(), tokens }
    }
}

impl Measure {
    fn none(n_tokenizers: usize) -> Self {
        Self { tokens: vec![0; n_tokenizers], ..Self::default() }
    }

    fn add(&mut self, other: &Self) {
        self.n_texts += other.n_texts;
        self.bytes += other.bytes;
        self.chars += other.chars;
        self.tokens.iter_mut().zip(&other.tokens).for_each(|(sum, tokens)| *sum += tokens);
    }

    /// How many times the tokens of `base` the tokenizer needs; `None` where that is no number.
    #[must_use]
    pub fn ratio(&self, tokenizer_idx: usize, base_idx: usize) -> Option<f64> {
        quotient(*self.tokens.get(tokenizer_idx)?, *self.tokens.get(base_idx)?)
    }

    /// Characters in a token.
    #[must_use]
    pub fn chars_per_token(&self, tokenizer_idx: usize) -> Option<f64> {
        quotient(self.chars, *self.tokens.get(tokenizer_idx)?)
    }

    /// Bytes in a token.
    #[must_use]
    pub fn bytes_per_token(&self, tokenizer_idx: usize) -> Option<f64> {
        quotient(self.bytes, *self.tokens.get(tokenizer_idx)?)
    }
}

fn quotient(of: usize, by: usize) -> Option<f64> {
    (by > 0).then(|| of as f64 / by as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparison() -> Comparison {
        let named = |name| Tokenizer::by_name(name).expect("a known tokenizer");
        let mut comparison = Comparison::new(vec![named("o200k_base"), named("cl100k_base"), named("o200k_base")]);
        for (kind, text) in [("md", "hello world"), ("rs", "fn f() {}"), ("md", "\u{4f60}\u{597d}"), ("txt", "")] {
            comparison.add(kind, text);
        }
        comparison
    }

    #[test]
    fn kinds_add_up() {
        let comparison = comparison();
        let kinds: Vec<_> = comparison.kinds().map(|(kind, it)| (kind, it.n_texts, it.bytes, it.chars)).collect();
        assert_eq!(kinds, [("md", 2, 17, 13), ("rs", 1, 9, 9), ("txt", 1, 0, 0)]);
        let mut sum = Measure::none(3);
        comparison.kinds().for_each(|(_, measure)| sum.add(measure));
        assert_eq!(&sum, comparison.total());
    }

    #[test]
    fn tokens_are_those_of_the_tokenizer() {
        let total = comparison().total().clone();
        let count = |name, text| Tokenizer::by_name(name).expect("a known tokenizer").count(text);
        for (idx, name) in ["o200k_base", "cl100k_base", "o200k_base"].into_iter().enumerate() {
            let each = ["hello world", "fn f() {}", "\u{4f60}\u{597d}"].map(|text| count(name, text));
            assert_eq!(total.tokens[idx], each.iter().sum::<usize>(), "{name}");
        }
        assert_eq!(total.ratio(2, 0), Some(1.0));
        assert_eq!(total.bytes_per_token(0), Some(26.0 / total.tokens[0] as f64));
        assert_eq!(total.chars_per_token(0), Some(22.0 / total.tokens[0] as f64));
    }

    #[test]
    fn nothing_has_no_ratio() {
        let mut comparison = comparison();
        comparison.kinds.retain(|kind, _| kind == "txt");
        let empty = comparison.kinds().next().expect("a kind").1;
        assert_eq!((empty.ratio(0, 1), empty.chars_per_token(0), empty.bytes_per_token(9)), (None, None, None));
    }
}
