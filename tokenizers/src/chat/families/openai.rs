//! What OpenAI's families have in common: the price of a message, and of pictures.

use crate::{
    Tokenizer,
    chat::{
        count::{Ledger, What, signed},
        images::ImageRule,
        name::bare,
        request::{Content, Message, Request, Tool},
        tools::ToolCounts,
        typescript::{self, Style},
    },
};

/// Control tokens around a message: `<|im_start|>`, `<|im_sep|>` and `<|im_end|>`.
pub(super) const MESSAGE: i64 = 3;

/// The tokens of a text, signed.
pub(super) fn text(tokenizer: Tokenizer, text: &str) -> i64 {
    signed(tokenizer.count(text))
}

/// A message without calls and results: OpenAI cookbook, "How to count tokens with tiktoken", section 6.
pub(super) fn plain(tokenizer: Tokenizer, message: &Message) -> i64 {
    let name = message.name.as_deref().map_or(0, |name| text(tokenizer, name) + 1);
    MESSAGE + text(tokenizer, message.role.word()) + text(tokenizer, &message.text()) + name
}

/// What tools cost as `style` declares them: each, and all of them in what `written` makes of their declarations.
pub(super) fn declared(
    tokenizer: Tokenizer,
    tools: &[Tool],
    style: &Style,
    written: impl FnOnce(&str) -> String,
) -> ToolCounts {
    let declarations: Vec<String> = tools.iter().map(|tool| typescript::declaration(tool, style)).collect();
    let each = declarations.iter().map(|it| text(tokenizer, it)).collect();
    ToolCounts { each, all: text(tokenizer, &written(&declarations.concat())) }
}

/// What `addition` costs after `before`, a blank line between them: tokens merge where they meet.
pub(super) fn joined(tokenizer: Tokenizer, before: &str, addition: &str) -> i64 {
    let before = last_lines(before);
    text(tokenizer, &format!("{before}\n\n{addition}")) - text(tokenizer, before)
}

/// A text from the last line on that begins with a letter: in OpenAI's vocabularies no token reaches over its beginning.
fn last_lines(text: &str) -> &str {
    let begins = |pair: &[u8]| pair[0] == b'\n' && pair[1].is_ascii_alphabetic();
    let at = text.as_bytes().windows(2).rposition(begins).map_or(0, |at| at + 1);
    text.get(at..).unwrap_or(text)
}

/// Adds the pictures of all messages.
pub(super) fn images(rule: ImageRule, request: &Request, ledger: &mut Ledger) {
    for (idx, message) in request.messages.iter().enumerate() {
        for content in &message.content {
            if let Content::Image(image) = content {
                ledger.add(What::Image(idx), signed(rule.tokens(*image)));
                ledger.doubt(rule.doubt(*image));
            }
        }
    }
}

/// The picture rule of the model that the request names.
pub(super) fn image_rule(request: &Request) -> ImageRule {
    ImageRule::of_openai(request.model.as_deref().map(bare).unwrap_or_default().as_str())
}

/// Arguments as the provider writes them again: JSON without spaces. Text that is no JSON stays as it is.
pub(super) fn compact(arguments: &str) -> String {
    serde_json::from_str::<serde_json::Value>(arguments).map_or_else(|_| arguments.to_owned(), |it| it.to_string())
}
