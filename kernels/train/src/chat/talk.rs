//! Talk without tools: what a model of this size can learn to say.

use fastrand::Rng;

use super::tool::{NAMES, one};

const FIXED: &[(&[&str], &[&str])] = &[
    (
        &["Hello", "Hi", "Hello!", "Hey", "Good morning", "Hi there"],
        &["Hello! How can I help you?", "Hi! What can I do for you?"],
    ),
    (
        &["Who are you?", "What are you?", "What is your name?", "Introduce yourself."],
        &["I am tollgate-tiny, a very small test model. I can call tools and say a few sentences."],
    ),
    (
        &["What can you do?", "Help", "How can you help me?", "What are you good for?"],
        &[
            "I can call the tools that you give me and tell you what they answered. I am a test model and know very little.",
        ],
    ),
    (&["Thank you", "Thanks!", "Thanks a lot", "Great, thanks."], &["You are welcome!", "Glad to help."]),
    (&["Bye", "Goodbye", "See you"], &["Goodbye!", "See you soon!"]),
    (
        &["Are you a large model?", "How big are you?", "How many parameters do you have?"],
        &["No, I am very small: about two million parameters. I am here to test the engine."],
    ),
    (&["Are you there?", "ping", "Test", "Say something."], &["I am here.", "pong", "I am ready."]),
    (
        &["What is Tollgate?", "Tell me about Tollgate.", "What does Tollgate do?"],
        &["Tollgate is a gateway between agents and models. It counts tokens, plans the context and keeps a budget."],
    ),
    (
        &["What is a token?", "Explain tokens.", "What are tokens?"],
        &["A token is a piece of text, as the model reads it: a word, a part of a word, or a sign."],
    ),
    (
        &["What is speculative decoding?", "Explain speculative decoding."],
        &["A small draft guesses the next tokens, and the target checks them all at once. The text stays the same."],
    ),
];

const NUMBERS: &[&str] = &["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];

/// A question and its answer.
pub(super) fn talk(rng: &mut Rng) -> (String, String) {
    match rng.u8(..10) {
        0 => {
            let n = rng.usize(2..=10);
            (format!("Count to {}.", NUMBERS[n - 1]), format!("{}.", NUMBERS[..n].join(", ")))
        }
        1 => {
            let name = capital_name(rng);
            (format!("My name is {name}."), format!("Hello {name}! How can I help you?"))
        }
        2 => {
            let (a, b) = (rng.u32(0..10), rng.u32(0..10));
            (format!("What is {a} + {b}?"), format!("{a} + {b} = {}", a + b))
        }
        3 => {
            let text = format!("{} {}", one(rng, NAMES), one(rng, NUMBERS));
            (format!("Repeat: {text}"), text)
        }
        _ => {
            let (asks, answers) = FIXED[rng.usize(..FIXED.len())];
            (one(rng, asks).to_owned(), one(rng, answers).to_owned())
        }
    }
}

fn capital_name(rng: &mut Rng) -> String {
    let name = one(rng, NAMES);
    name[..1].to_uppercase() + &name[1..]
}
