//! The tokens of a rendered prompt, and which part of the request they come from.

use std::ops::Range;

use super::{
    ChatTemplate, Controls, RenderOptions, TemplateError,
    context::offers_tools,
    marks::{self, Found, Marks},
    special::Specials,
};
use crate::{
    Tokenizer,
    chat::{
        count::{Kind, Ledger, RequestCount, Slack, What, signed},
        images::ImageRule,
        request::{Content, Request},
    },
};

/// How far hosts stray from the template: on recorded requests to hosts that use it, mostly not at all, and a call that is
/// demanded costs some of them up to 7 tokens more.
const SLACK: Slack = Slack { tokens: 8, permille: 10 };

impl ChatTemplate {
    /// What `request` costs: the prompt that the template makes of it, in tokens of the model's own.
    ///
    /// Text between two messages goes to the former, as does text between two tools; what else the template writes is
    /// the frame. A template that treats texts by what they say may leave everything to the frame.
    ///
    /// # Errors
    /// [`TemplateError`].
    pub fn count(
        &self,
        tokenizer: Tokenizer,
        request: &Request,
        options: &RenderOptions,
    ) -> Result<RequestCount, TemplateError> {
        let specials = self.specials(tokenizer);
        let unused = marks::unused(request);
        let breaker = unused.filter(|_| self.rule == Controls::Placed).map(|(breaker, _)| breaker);
        let marks = || match breaker {
            Some(breaker) => Marks::breaking(breaker, &specials),
            None => Marks::none(),
        };
        let prompt = self.render_marked(request, options, &marks())?;
        let total = signed(specials.count(tokenizer, &prompt, breaker));
        let mut ledger = Ledger::default();
        if let Some((_, mark)) = unused {
            let marks = marks().marking(mark);
            // Marks are words in the request: a template that looks at words may fail on them or write another prompt.
            let rendered = self.render_marked(request, options, &marks).unwrap_or_default();
            let (text, found) = marks.found(&rendered);
            if text == prompt {
                for (what, range) in ranges(&prompt, &found, &specials) {
                    ledger.add(what, signed(specials.count(tokenizer, &prompt[range], breaker)));
                }
            }
        }
        ledger.add(What::Frame, total - ledger.total());
        let pictures = pictures(request, &mut ledger);
        let tools = if offers_tools(request) { self.tools_doubt } else { 0 };
        let slack = Slack { tokens: SLACK.tokens + pictures + tools, permille: SLACK.permille + self.near_permille };
        Ok(RequestCount::new(Kind::Template, ledger, slack, request))
    }
}

/// The text of each part: up to the next mark where that is of the same sort, else up to the end of the line or the next
/// control token.
fn ranges(prompt: &str, found: &[Found], specials: &Specials) -> Vec<(What, Range<usize>)> {
    let mut ranges: Vec<(What, Range<usize>)> = Vec::new();
    for (idx, each) in found.iter().enumerate() {
        let next = found.get(idx + 1);
        let limit = next.map_or(prompt.len(), |next| next.at);
        let end = match next {
            Some(next) if is_message(&next.what) == is_message(&each.what) => limit,
            _ => end_of_line(prompt, each.at, limit, specials),
        };
        match ranges.last_mut() {
            Some((what, range)) if *what == each.what && range.end == each.at => range.end = end,
            _ => ranges.push((each.what.clone(), each.at..end)),
        }
    }
    ranges
}

const fn is_message(what: &What) -> bool {
    matches!(what, What::Message(_))
}

fn end_of_line(prompt: &str, from: usize, limit: usize, specials: &Specials) -> usize {
    let rest = &prompt[from..limit];
    let line = rest.find('\n').map_or(limit, |at| from + at);
    specials.find(&prompt[..line], from).map_or(line, |(at, _)| at)
}

/// Servers put a picture's tokens in place of its control token: how many is the model's own affair, so that the usual
/// number is as doubtful as it is large.
fn pictures(request: &Request, ledger: &mut Ledger) -> usize {
    let rule = ImageRule::of_openai(request.model.as_deref().unwrap_or_default());
    let mut total = 0;
    for (idx, message) in request.messages.iter().enumerate() {
        for content in &message.content {
            if let Content::Image(image) = content {
                total += rule.tokens(*image);
                ledger.add(What::Image(idx), signed(rule.tokens(*image)));
            }
        }
    }
    total * 2
}
