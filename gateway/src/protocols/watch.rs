//! A stream that passes as it is, watched for what must be known of it: its usage, an error that it tells of, and whether
//! its events can be read.

use super::{
    json::{Entry, Node, Tape},
    openai,
    refusal::ApiError,
    response::Usage,
    sse::SseReader,
};

/// The usage that one event of a format tells, over what was known before.
pub type UsageIn = fn(Node<'_>, Option<Usage>) -> Option<Usage>;

/// What a stream has said so far.
#[derive(Debug)]
pub struct Watch {
    reader: SseReader,
    events: Events,
}

#[derive(Debug)]
struct Events {
    entries: Vec<Entry>,
    usage_in: UsageIn,
    usage: Option<Usage>,
    error: Option<ApiError>,
}

impl Watch {
    pub fn new(usage_in: UsageIn) -> Self {
        let events = Events { entries: Vec::new(), usage_in, usage: None, error: None };
        Self { reader: SseReader::default(), events }
    }

    /// Takes bytes cut anywhere.
    ///
    /// # Errors
    /// That an event is no JSON.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), ApiError> {
        let events = &mut self.events;
        self.reader.push(bytes, |data| events.read(data))
    }

    pub fn usage(&self) -> Option<Usage> {
        self.events.usage
    }

    /// The error that the stream told of.
    pub fn error(&self) -> Option<&ApiError> {
        self.events.error.as_ref()
    }
}

impl Events {
    fn read(&mut self, data: &str) -> Result<(), ApiError> {
        if data == "[DONE]" {
            return Ok(());
        }
        let entries = std::mem::take(&mut self.entries);
        let tape = Tape::parse_into(data, entries).map_err(|error| ApiError::bad_answer(error.what))?;
        if data.contains("\"usage\"") {
            self.usage = (self.usage_in)(tape.root(), self.usage).or(self.usage);
        }
        if self.error.is_none() && data.contains("\"error\"") {
            self.error = openai::error_event(tape.root());
        }
        self.entries = tape.into_entries();
        Ok(())
    }
}
