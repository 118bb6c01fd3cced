//! The rounds of one request: what the model asks of the gateway is answered and the model goes on, until it calls nothing
//! but the client's tools, or nothing at all.

use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;

use super::{
    calls::{Answer, Sorted, run},
    plan::Gated,
};
use crate::protocols::{ApiError, At, ErrorKind, Extras, Message, Part, PartKind, Request, Role, ToolResult, Usage};
use tollgate_config::RouteRules;
use tollgate_planners::tools::META_TOOLS;

/// Told of a client's tool that was called beside one of the gateway's: a model's step is answered whole or not at all.
const NOT_YET: &str = "Not run yet, since other calls of this step had to be answered first. Call it again now.";

/// One round that the gateway answered, for the request's explanation.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Round {
    /// The names that were called.
    pub calls: Vec<String>,
    pub input_tokens: u64,
    pub output_tokens: u64,
}

/// A request that may take several rounds.
pub struct Rounds {
    pub request: Request,
    pub gated: Gated,
    pub told: Vec<Round>,
    /// Of all rounds so far.
    pub usage: Option<Usage>,
    /// What the model said before it went on asking; a stream's client has it already.
    pub said: Vec<Part>,
    search_budget: u32,
    max_rounds: u32,
    /// Ends the gateway's own calls when the client is gone.
    cancel: CancellationToken,
}

impl Rounds {
    pub fn new(request: Request, gated: Gated, rules: &RouteRules) -> Self {
        Self {
            request,
            gated,
            told: Vec::new(),
            usage: None,
            said: Vec::new(),
            search_budget: rules.search_budget_tokens,
            max_rounds: rules.max_rounds,
            cancel: CancellationToken::new(),
        }
    }

    /// Adds what one round cost.
    pub fn charge(&mut self, usage: Option<Usage>) {
        self.usage = match (self.usage, usage) {
            (Some(all), Some(one)) => Some(sum(&all, &one)),
            (all, one) => one.or(all),
        };
    }

    /// Takes what the model said in a round: `Some` with the parts for the client where it is the last one, `None` where
    /// the request has grown by the answers and is to be sent again.
    ///
    /// # Errors
    /// That the model goes on asking the gateway when there are no rounds left.
    pub async fn next(&mut self, parts: Vec<Part>, usage: Option<Usage>) -> Result<Option<Vec<Part>>, ApiError> {
        self.charge(usage);
        let sorted: Vec<Option<Sorted>> = parts.iter().map(|part| self.sorted(part)).collect();
        let is_ours = |it: &Option<Sorted>| matches!(it, Some(Sorted::Answered(_) | Sorted::Run { .. }));
        if !sorted.iter().any(is_ours) {
            return Ok(Some(for_client(parts, sorted)));
        }
        if self.told.len() >= self.max_rounds as usize {
            return Err(self.exhausted());
        }
        let answers = join_all(sorted.into_iter().flatten().map(|it| self.answered(it))).await;
        self.grow(parts, answers, usage);
        Ok(None)
    }

    fn exhausted(&self) -> ApiError {
        let told =
            format!("the model still asked for the gateway's tools after {} rounds; see `max_rounds`", self.max_rounds);
        ApiError { status: 502, ..ApiError::new(ErrorKind::Server, told) }
    }

    fn sorted(&self, part: &Part) -> Option<Sorted> {
        match &part.kind {
            PartKind::ToolCall(call) => Some(self.gated.sort(call, self.search_budget)),
            _ => None,
        }
    }

    async fn answered(&self, sorted: Sorted) -> Answer {
        match (sorted, &self.gated.shelf.view) {
            (Sorted::Answered(answer), _) => answer,
            (Sorted::Run { idx, arguments }, Some(view)) => run(view, idx, &arguments, self.cancel.child_token()).await,
            (Sorted::Run { .. }, None) => Answer { text: "The tool is gone.".into(), is_error: true },
            (Sorted::Client(_), _) => Answer { text: NOT_YET.into(), is_error: true },
        }
    }

    /// Appends the model's words and the answers to its calls.
    fn grow(&mut self, parts: Vec<Part>, answers: Vec<Answer>, usage: Option<Usage>) {
        let called = parts.iter().filter_map(|part| match &part.kind {
            PartKind::ToolCall(call) => Some((call.id.clone(), call.name.clone())),
            _ => None,
        });
        self.said.extend(parts.iter().filter(|part| part.text().is_some()).cloned());
        let (ids, calls): (Vec<String>, Vec<String>) = called.unzip();
        let usage = usage.unwrap_or_default();
        self.told.push(Round { calls, input_tokens: usage.input, output_tokens: usage.output });
        let result = |(call_id, answer): (String, Answer)| {
            let text = Part::new(PartKind::Text(answer.text), At::whole("output"));
            let result = ToolResult { call_id, parts: vec![text], is_error: answer.is_error };
            Part::new(PartKind::ToolResult(result), At::whole("output"))
        };
        let results = ids.into_iter().zip(answers).map(result).collect();
        for (role, parts) in [(Role::Assistant, parts), (Role::User, results)] {
            self.request.messages.push(Message { role, parts, at: At::whole("output"), extras: Extras::default() });
        }
        if self.told.len() >= self.max_rounds as usize {
            self.close();
        }
    }

    /// The last round has nothing left to ask the gateway.
    fn close(&mut self) {
        let gated = &self.gated;
        self.request.tools.retain(|tool| match tool.name() {
            Some(name) if META_TOOLS.contains(&name) => false,
            Some(name) => !matches!(gated.shelf.find(name), Some((_, super::shelf::Origin::Profile(_)))),
            None => true,
        });
    }
}

impl Drop for Rounds {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

/// The client's own tools under their own names.
fn for_client(parts: Vec<Part>, sorted: Vec<Option<Sorted>>) -> Vec<Part> {
    let fitted = parts.into_iter().zip(sorted).map(|(part, sorted)| match sorted {
        Some(Sorted::Client(call)) => Part { kind: PartKind::ToolCall(call), ..part },
        _ => part,
    });
    fitted.collect()
}

fn sum(all: &Usage, one: &Usage) -> Usage {
    Usage {
        input: all.input + one.input,
        cached: all.cached + one.cached,
        cache_written: all.cache_written + one.cache_written,
        cache_written_1h: all.cache_written_1h + one.cache_written_1h,
        output: all.output + one.output,
        reasoning: all.reasoning + one.reasoning,
    }
}
