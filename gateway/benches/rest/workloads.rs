//! What is asked: three sizes of work, the same for all.

use std::fmt::Write;

/// Tools of the large request.
const N_TOOLS: usize = 40;

/// Tokens that a route gives the tools of a request for this model; unplanned they need some 5,000.
pub const TOOLS_BUDGET: u32 = 1500;
pub const PLANNED_MODEL: &str = "planned";

/// One kind of request.
#[derive(Clone, Copy)]
pub struct Workload {
    pub name: &'static str,
    /// The model, without the prefix that sends it to the provider; the provider reads its scenario there.
    pub model: &'static str,
    streams: bool,
    has_tools: bool,
    /// Whether the gateway plans the tools, which its peers cannot.
    pub is_planned: bool,
}

/// A body of 190 bytes.
pub const SMALL: Workload =
    Workload { name: "190 bytes", model: "plain", streams: false, has_tools: false, is_planned: false };
/// A body of 20 kB with 40 tools.
pub const TOOLS: Workload =
    Workload { name: "20 kB, 40 tools", model: "plain", streams: false, has_tools: true, is_planned: false };
/// The same under a budget of [`TOOLS_BUDGET`].
pub const PLANNED: Workload =
    Workload { name: "20 kB, 40 tools, planned", model: PLANNED_MODEL, is_planned: true, ..TOOLS };
/// 33 pieces of text, each in a write of its own.
pub const STREAM: Workload =
    Workload { name: "33-chunk stream", model: "plain?chunks=33", streams: true, has_tools: false, is_planned: false };
/// The same in one write, as it is read where the network is slower than the provider.
pub const BURST: Workload = Workload {
    name: "33 chunks at once",
    model: "plain?chunks=33&burst",
    streams: true,
    has_tools: false,
    is_planned: false,
};
/// A stream that says one thing and then nothing.
pub const IDLE: Workload = Workload {
    name: "idle stream",
    model: "plain?chunks=2&delay_ms=3600000",
    streams: true,
    has_tools: false,
    is_planned: false,
};

pub const ALL: &[Workload] = &[SMALL, TOOLS, PLANNED, STREAM, BURST];

impl Workload {
    /// The JSON of a chat completion.
    pub fn body(&self, prefix: &str) -> String {
        let model = format!("{prefix}{}", self.model);
        let stream = if self.streams { ",\"stream\":true" } else { "" };
        let tools = if self.has_tools { tools() } else { String::new() };
        let mut body = format!(
            "{{\"model\":\"{model}\"{stream},\"messages\":[{{\"role\":\"user\",\"content\":\"Which of the rivers that \
             cross the old town has the most bridges, and who built the first one?\"}}],\"temperature\":0.5{tools}"
        );
        let padding = if self.has_tools { 0 } else { 189_usize.saturating_sub(body.len() + 10) };
        let _ = write!(body, ",\"user\":\"{}\"}}", "u".repeat(padding.max(1)));
        body
    }
}

/// Forty tools with three parameters each.
fn tools() -> String {
    let tool = |it: usize| {
        let property = |name: &str| {
            format!(
                "\"{name}\":{{\"type\":\"string\",\"description\":\"The {name} of record {it}, as it is written there\"}}"
            )
        };
        format!(
            "{{\"type\":\"function\",\"function\":{{\"name\":\"update_record_{it:02}\",\"description\":\"Changes record \
             number {it} in the archive and says what it was before, with the date of the change\",\"parameters\":{{\
             \"type\":\"object\",\"properties\":{{{},{},{}}},\"required\":[\"title\"],\"additionalProperties\":false}}}}}}",
            property("title"),
            property("author"),
            property("shelf"),
        )
    };
    format!(",\"tools\":[{}]", (0..N_TOOLS).map(tool).collect::<Vec<_>>().join(","))
}
