//! A request whose route has a budget or a profile: decoded, its tools planned, and answered in as many rounds as it takes.

use std::sync::Arc;

use axum::response::Response;
use http::HeaderMap;

use super::{
    Proxy,
    ask::{Ask, format_of},
    attempt::{Content, Reply},
    envelope::Envelope,
    estimate::{Counted, Estimate},
    faults::error_of,
    handle, protocol_of, respond,
    route::Routed,
    sending::{encoded, send},
    ticket::{Ending, Ticket, ledger_usage},
    tools::{self, Gated, Rounds, Rules, Work, stop_of},
};
use crate::{
    auth::key::Record,
    mcp::view::View,
    protocols::{self, ApiError, Asked, ErrorKind, Request},
    providers::{ANSWER_HEADERS, keep},
};
use tollgate_config::{RouteRules, Target, ToolSearch};

/// A request with its tools planned.
pub struct Planned {
    request: Request,
    asked: Asked,
    gated: Gated,
    max_output: Option<u64>,
}

/// Whether anything could be planned by these rules.
pub fn applies(ask: &Ask, rules: &RouteRules) -> bool {
    Rules::new(rules, record(ask), false).budget.is_some() || rules.profile.is_some()
}

fn record(ask: &Ask) -> Option<&Record> {
    ask.key.as_ref().map(|key| &key.record)
}

/// Plans the tools; `None` where they can stay as they are.
///
/// # Errors
/// What is wrong with the request, or that the budget is too small.
pub async fn plan(
    proxy: &Arc<Proxy>,
    ask: &Ask,
    routed: &Routed<'_>,
    estimate: &Estimate,
) -> Result<Option<Planned>, ApiError> {
    let mut request = (protocol_of(ask.format).decode_request)(&ask.body)?;
    protocols::check(&request)?;
    let rules = routed.rules;
    let view = view(proxy, rules).await?;
    let asked = Asked { model: Some(ask.model.clone()), ..Asked::new(&request, "", 0) };
    let rules = Rules::new(rules, record(ask), can_defer(proxy, ask, routed));
    let gated = tools::apply(&proxy.planner, &mut request, rules, view.as_ref(), estimate.tokenizer)?;
    Ok(gated.map(|gated| Planned { request, asked, gated, max_output: estimate.max_output }))
}

/// Whether the tools that are left out can be left to the provider's search: whichever target answers must have one, and
/// the client must keep its steps in the history, which it can in the provider's own format only.
fn can_defer(proxy: &Proxy, ask: &Ask, routed: &Routed<'_>) -> bool {
    let searches = |target: &Target| {
        let provider = proxy.providers.get(&target.provider);
        provider.is_some_and(|it| it.searches_tools(&target.model, ask.format))
    };
    routed.rules.tool_search == ToolSearch::Provider && routed.targets.iter().all(searches)
}

async fn view(proxy: &Proxy, rules: &RouteRules) -> Result<Option<Arc<View>>, ApiError> {
    let Some(name) = &rules.profile else { return Ok(None) };
    let gate = proxy.gates.get(name);
    let gate = gate.ok_or_else(|| ApiError::new(ErrorKind::Server, format!("profile `{name}` is not served")))?;
    let view = gate.known_view().await;
    view.map(Some).map_err(|fault| ApiError::new(ErrorKind::Server, fault.message()))
}

/// A planned request on its way.
pub struct Way<'a> {
    pub proxy: &'a Arc<Proxy>,
    pub ask: &'a Ask,
    pub routed: &'a Routed<'a>,
    pub headers: HeaderMap,
}

impl Way<'_> {
    /// Sends the planned request and answers with what comes of it; what goes wrong is told in the answer.
    pub async fn answer(self, planned: Planned, mut ticket: Ticket) -> Response {
        ticket.told.tools = Some(planned.gated.shown());
        let sent = match self.recount(&planned.request) {
            Ok(sent) => sent,
            Err(error) => return handle::failed(self.ask.format, error, ticket, None),
        };
        (ticket.told.tokens.sent, ticket.told.tokens.error_bound) = (sent.tokens, sent.error_bound);
        // A search is charged with the tools that it found, and nobody counted those.
        if !planned.gated.is_deferred {
            ticket.learns_from(sent.subject, sent.count.total);
        }
        if let Err(error) = ticket.reserve(planned.max_output) {
            return handle::failed(self.ask.format, error, ticket, None);
        }
        let targets = &self.routed.targets;
        match send(self.proxy, targets, &self.headers, &planned.request, &mut ticket.told).await {
            Err(error) => handle::failed(self.ask.format, error, ticket, None),
            Ok(reply) if !reply.status.is_success() => handle::failed(self.ask.format, error_of(&reply), ticket, None),
            Ok(reply) if planned.gated.is_deferred => handle::respond_with(self.proxy, self.ask, reply, ticket),
            Ok(reply) => self.respond(planned, reply, ticket).await,
        }
    }

    /// The count of what the first target is sent.
    fn recount(&self, request: &Request) -> Result<Estimate, ApiError> {
        let target = &self.routed.targets[0];
        let provider = self.proxy.providers.get(&target.provider);
        let asked = format_of(request);
        let format = provider.map_or(asked, |it| it.format_for(asked));
        let body = encoded(self.proxy, request, target, format, &mut Vec::new())?.body;
        let tools = Envelope::read(&body).ok().and_then(|it| it.tools_in(&body));
        let counted = Counted { format, body: &body, tools };
        self.proxy.counter.estimate(&counted, target, self.routed.model.as_deref())
    }

    async fn respond(self, planned: Planned, reply: Reply, mut ticket: Ticket) -> Response {
        handle::note_reply(self.proxy, &reply, &mut ticket);
        let asked = Asked { id: ticket.bare_id(), created: ticket.started_s(), ..planned.asked };
        let mut rounds = Rounds::new(planned.request, planned.gated, self.routed.rules);
        let mut told = keep(&reply.headers, ANSWER_HEADERS);
        if let Content::Stream { .. } = reply.content {
            respond::tell(&mut told, &ticket.told);
            let encoder = (protocol_of(self.ask.format).encoder)(&asked);
            let work = Work { proxy: Arc::clone(self.proxy), headers: self.headers, rounds, encoder, ticket };
            return respond::stream(told, tools::relay(work, reply));
        }
        match self.whole(&mut rounds, reply, &asked, &mut ticket).await {
            Err(error) => handle::failed(self.ask.format, error, ticket, rounds.usage),
            Ok(body) => {
                let usage = rounds.usage;
                ticket.told.tokens.returned = usage.map(|it| ledger_usage(it).into());
                told.remove(http::header::CONTENT_TYPE);
                ticket.record(&body);
                respond::tell(&mut told, &ticket.told);
                ticket.settle(Ending::Done, usage);
                respond::whole(http::StatusCode::OK, told, body.into())
            }
        }
    }

    /// Round after round until there is an answer for the client.
    async fn whole(
        &self,
        rounds: &mut Rounds,
        mut reply: Reply,
        asked: &Asked,
        ticket: &mut Ticket,
    ) -> Result<Vec<u8>, ApiError> {
        let target = [reply.target.clone()];
        loop {
            let Content::Whole(body) = &reply.content else { return Err(ApiError::bad_answer("it is a stream")) };
            if !reply.status.is_success() {
                return Err(error_of(&reply));
            }
            let mut response = (protocol_of(reply.format).decode_response)(body)?;
            let said = rounds.next(std::mem::take(&mut response.parts), response.usage).await?;
            ticket.told.rounds.clone_from(&rounds.told);
            if let Some(parts) = said {
                response.parts = rounds.said.drain(..).chain(parts).collect();
                response.usage = rounds.usage;
                response.stop = stop_of(response.stop.clone(), response.calls_tools());
                return Ok((protocol_of(self.ask.format).encode_response)(&response, asked));
            }
            reply = send(self.proxy, &target, &self.headers, &rounds.request, &mut ticket.told).await?;
        }
    }
}
