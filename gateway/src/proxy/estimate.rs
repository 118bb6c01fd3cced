//! What a request costs before it is sent, in the tokens of the model that will read it.

use std::ops::Range;

use serde_json::Value;

use super::calibration::Calibration;
use crate::{
    model_files,
    protocols::{ApiError, ErrorKind},
};
use tollgate_config::{Model, Target, WireFormat};
use tollgate_tokenizers::{
    Tokenizer,
    chat::{self, Family, Format, Request, RequestCount, Subject, ToolSets, What},
};

/// Parts that are named where a request is too long.
const CONTRIBUTORS: usize = 3;

/// What the formats call the longest answer.
const MAX_OUTPUT: &[&str] = &["max_completion_tokens", "max_tokens", "max_output_tokens"];

/// A request, read and counted.
#[derive(Debug)]
pub struct Estimate {
    pub request: Request,
    /// As the family's rule has it.
    pub count: RequestCount,
    /// As earlier requests correct it.
    pub tokens: usize,
    pub error_bound: Option<usize>,
    /// What is learnt from what the request is charged.
    pub subject: Subject,
    pub tokenizer: Tokenizer,
    /// The longest answer that the request allows, where it says so.
    pub max_output: Option<u64>,
}

/// A body to be counted.
pub struct Counted<'a> {
    pub format: WireFormat,
    pub body: &'a [u8],
    /// Where in it the tools stand.
    pub tools: Option<Range<usize>>,
}

/// Counts, and remembers what makes the next count better or quicker.
pub struct Counter {
    pub calibration: Calibration,
    tool_sets: ToolSets,
}

impl Counter {
    pub fn new(calibration: Calibration) -> Self {
        Self { calibration, tool_sets: ToolSets::default() }
    }

    /// Reads and counts a body for `target`, whose model the catalogue may know as `entry`.
    ///
    /// # Errors
    /// What is wrong with the body, and where.
    pub fn estimate(
        &self,
        counted: &Counted<'_>,
        target: &Target,
        entry: Option<&Model>,
    ) -> Result<Estimate, ApiError> {
        let (value, request) = self.read(counted)?;
        let family = Family::of_model(&target.model);
        let tokenizer = tokenizer(entry, family)?;
        let count = model_files::count(entry, family, tokenizer, &request).map_err(broken)?;
        let max_output = MAX_OUTPUT.iter().find_map(|key| value.get(key)?.as_u64());
        // Who serves a model may charge for what others do not.
        let subject = Subject::new(family, &format!("{}/{}", target.provider, target.model), &request);
        let corrected = self.calibration.correct(&subject, &count);
        let (tokens, error_bound) = (corrected.tokens, corrected.error_bound);
        Ok(Estimate { request, count, tokens, error_bound, subject, tokenizer, max_output })
    }

    /// The body without its tools, and what the whole of it says.
    fn read(&self, counted: &Counted<'_>) -> Result<(Value, Request), ApiError> {
        let bad = |message: String| ApiError::new(ErrorKind::InvalidRequest, message);
        let parsed = |body: &[u8]| -> Result<Value, ApiError> {
            serde_json::from_slice(body).map_err(|error| bad(format!("the body cannot be read: {error}")))
        };
        let format = counted_as(counted.format);
        let (value, request) = match &counted.tools {
            None => {
                let value = parsed(counted.body)?;
                let request = chat::read(format, &value);
                (value, request)
            }
            Some(tools) => {
                let value = parsed(&without(counted.body, tools))?;
                let request = self.tool_sets.read(format, &value, &counted.body[tools.clone()]);
                (value, request)
            }
        };
        Ok((value, request.map_err(|error| bad(error.to_string()))?))
    }
}

/// The body with nothing in the place of its tools.
fn without(body: &[u8], tools: &Range<usize>) -> Vec<u8> {
    [&body[..tools.start], b"null", &body[tools.end..]].concat()
}

/// The vocabulary of the catalogue's entry, else of the family.
///
/// # Errors
/// That the vocabulary is not part of this build, or what is wrong with its file.
pub fn tokenizer(entry: Option<&Model>, family: &Family) -> Result<Tokenizer, ApiError> {
    let of_family = || Tokenizer::by_name(family.tokenizer).map_err(|error| error.to_string());
    entry.map_or_else(of_family, |it| model_files::tokenizer(&it.tokenizer)).map_err(broken)
}

/// A file that was sound at the start.
fn broken(message: String) -> ApiError {
    ApiError::new(ErrorKind::Server, message)
}

const fn counted_as(format: WireFormat) -> Format {
    match format {
        WireFormat::OpenaiChat => Format::OpenaiChat,
        WireFormat::OpenaiResponses => Format::OpenaiResponses,
        WireFormat::Anthropic => Format::Anthropic,
    }
}

impl Estimate {
    /// Tokens that it costs for sure: what the model's own count may be lower by is taken off.
    fn at_least(&self) -> usize {
        self.tokens.saturating_sub(self.error_bound.unwrap_or(self.tokens))
    }

    /// Refuses what no reading of the model would fit into its window.
    ///
    /// # Errors
    /// The count, the limit and the largest parts.
    pub fn check_window(&self, model: &str, window_tokens: Option<u32>) -> Result<(), ApiError> {
        let Some(limit) = window_tokens.filter(|limit| self.at_least() > *limit as usize) else { return Ok(()) };
        let message = format!(
            "the request has {} tokens and the window of `{model}` is {limit}; it was not sent. The largest parts: {}",
            self.tokens,
            self.largest()
        );
        Err(ApiError {
            code: Some("context_length_exceeded".into()),
            ..ApiError::new(ErrorKind::InvalidRequest, message)
        })
    }

    fn largest(&self) -> String {
        let mut parts: Vec<_> = self.count.parts.iter().collect();
        parts.sort_by_key(|part| std::cmp::Reverse(part.tokens));
        let told = parts.iter().take(CONTRIBUTORS).map(|part| format!("{} {}", self.named(&part.what), part.tokens));
        told.collect::<Vec<_>>().join(", ")
    }

    fn named(&self, what: &What) -> String {
        match what {
            What::Message(idx) => format!("message {idx}"),
            What::Tool(idx) => match self.request.tools.get(*idx) {
                Some(tool) => format!("tool `{}`", tool.name),
                None => format!("tool {idx}"),
            },
            What::Image(idx) => format!("a picture in message {idx}"),
            What::ResponseSchema => "the answer's schema".into(),
            What::Frame => "what is around them".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(body: &str) -> Result<Estimate, ApiError> {
        let calibration = Calibration::open(crate::store::memory().unwrap_or_else(|error| unreachable!("{error}")));
        let target = Target { provider: "openai".into(), model: "gpt-5".into() };
        let counted = Counted { format: WireFormat::OpenaiChat, body: body.as_bytes(), tools: None };
        Counter::new(calibration).estimate(&counted, &target, None)
    }

    #[test]
    fn a_long_request_is_refused_with_its_largest_parts() {
        let long = "word ".repeat(1000);
        let body = format!(
            r#"{{"model":"gpt-5","messages":[{{"role":"system","content":"Hi"}},{{"role":"user","content":"{long}"}}]}}"#
        );
        let estimate = of(&body).unwrap();
        assert!(estimate.check_window("gpt-5", Some(2000)).is_ok());
        assert!(estimate.check_window("gpt-5", None).is_ok());
        let error = estimate.check_window("gpt-5", Some(900)).unwrap_err();
        assert_eq!((error.status, error.code.as_deref()), (400, Some("context_length_exceeded")));
        assert!(
            error.message.contains("window of `gpt-5` is 900") && error.message.contains("message 1 10"),
            "{error:?}"
        );
    }

    #[test]
    fn what_cannot_be_read_is_a_bad_request() {
        let deep = format!(r#"{{"messages":{}{}}}"#, "[".repeat(500), "]".repeat(500));
        for body in [&deep, "{}", r#"{"messages":"x"}"#, r#"{"messages":[{"role":"nobody","content":"x"}]}"#] {
            let error = of(body).unwrap_err();
            assert_eq!(error.status, 400, "{body}");
        }
    }
}
