//! What a model called, sorted by who runs it: the client, or the gateway.

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{plan::Gated, shelf::Origin};
use crate::{
    mcp::{
        caller::{Caller, Client, Outbox, RequestMeta},
        era,
        jsonrpc::{Id, raw},
        methods,
        view::View,
    },
    object::RawObject,
    protocols::ToolCall,
};
use tollgate_planners::tools::{CALL_TOOL, DESCRIBE_TOOL, SEARCH_TOOLS, SearchRequest, search};

/// Tools that one search shows unless asked for more, and at most.
const DEFAULT_LIMIT: usize = 20;
const MAX_LIMIT: usize = 500;

/// Whose call it is.
#[derive(Clone, Debug, PartialEq)]
pub enum Sorted {
    /// For the client, under the tool's own name.
    Client(ToolCall),
    /// The gateway's answer is known.
    Answered(Answer),
    /// For a tool of the profile: its index in the view, and its arguments.
    Run { idx: usize, arguments: String },
}

/// What the model is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub text: String,
    pub is_error: bool,
}

impl Answer {
    const fn good(text: String) -> Self {
        Self { text, is_error: false }
    }

    const fn bad(text: String) -> Self {
        Self { text, is_error: true }
    }
}

impl Gated {
    /// Sorts one call. `search_budget` bounds the answer of a search, in tokens.
    pub fn sort(&self, call: &ToolCall, search_budget: u32) -> Sorted {
        let arguments = || object(&call.arguments);
        match call.name.as_str() {
            SEARCH_TOOLS if self.answers => Sorted::Answered(self.search(&arguments(), search_budget)),
            DESCRIBE_TOOL if self.answers => Sorted::Answered(self.describe(&arguments())),
            CALL_TOOL if self.answers => self.call(call, &arguments()),
            name => match self.shelf.find(name) {
                Some((_, Origin::Profile(idx))) => Sorted::Run { idx, arguments: call.arguments.clone() },
                Some((idx, Origin::Client(_))) => self.for_client(call.clone(), idx),
                None => Sorted::Client(call.clone()),
            },
        }
    }

    fn search(&self, arguments: &RawObject, budget: u32) -> Answer {
        let (query, server) = (arguments.get_str("query").unwrap_or_default(), arguments.get_str("server"));
        let asked: Option<usize> = arguments.get("limit").and_then(|it| serde_json::from_str(it.get()).ok());
        let limit = asked.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
        let request = SearchRequest { query: &query, server: server.as_deref(), limit, budget };
        Answer::good(search(&self.shelf.catalogue, &request).text)
    }

    fn describe(&self, arguments: &RawObject) -> Answer {
        match self.named(arguments) {
            Ok((idx, _)) => Answer::good(self.shelf.catalogue.describe(idx).get().to_owned()),
            Err(told) => Answer::bad(told),
        }
    }

    fn call(&self, call: &ToolCall, arguments: &RawObject) -> Sorted {
        let (idx, origin) = match self.named(arguments) {
            Ok(found) => found,
            Err(told) => return Sorted::Answered(Answer::bad(told)),
        };
        let inner = match methods::inner_arguments(arguments) {
            Ok(inner) => inner.get().to_owned(),
            Err(told) => return Sorted::Answered(Answer::bad(told)),
        };
        match origin {
            Origin::Profile(idx) => Sorted::Run { idx, arguments: inner },
            Origin::Client(_) => {
                let name = self.shelf.catalogue.tools()[idx].exposed.clone();
                self.for_client(ToolCall { name, arguments: inner, ..call.clone() }, idx)
            }
        }
    }

    /// A client's tool may have been shown without its schema, so its arguments are checked before the client has them.
    fn for_client(&self, call: ToolCall, idx: usize) -> Sorted {
        if !self.answers {
            return Sorted::Client(call);
        }
        let definition = self.shelf.catalogue.describe(idx);
        let schema = RawObject::parse(&definition).and_then(|it| it.get("inputSchema").map(ToOwned::to_owned));
        let schema = schema.and_then(|it| serde_json::from_str::<Value>(it.get()).ok());
        // A schema that cannot be compiled checks nothing.
        let validator = schema.as_ref().and_then(|it| jsonschema::validator_for(it).ok());
        let wrong = match (serde_json::from_str::<Value>(&call.arguments), validator) {
            // What the model wrote is the client's to judge where it is no JSON: some clients mend it.
            (Err(_), _) | (_, None) => return Sorted::Client(call),
            (Ok(arguments), Some(validator)) => {
                let errors = validator.iter_errors(&arguments).take(5);
                errors.map(|it| format!("- {it}")).collect::<Vec<_>>().join("\n")
            }
        };
        if wrong.is_empty() {
            return Sorted::Client(call);
        }
        let schema = schema.map(|it| it.to_string()).unwrap_or_default();
        Sorted::Answered(Answer::bad(format!(
            "The arguments of `{}` are not valid; nothing was run.\n{wrong}\nIts input schema: {schema}",
            call.name
        )))
    }

    fn named(&self, arguments: &RawObject) -> Result<(usize, Origin), String> {
        let name = arguments.get_str("name").ok_or("`name` is required: the name of the tool")?;
        self.shelf.find(&name).ok_or_else(|| {
            let near = self.shelf.catalogue.rank(&name).into_iter().take(3);
            let near: Vec<_> = near.map(|it| format!("`{}`", self.shelf.catalogue.tools()[it.idx].exposed)).collect();
            let near = if near.is_empty() { String::new() } else { format!(" Did you mean {}?", near.join(", ")) };
            format!("There is no tool `{name}`.{near} Find tools with `{SEARCH_TOOLS}`.")
        })
    }
}

fn object(text: &str) -> RawObject {
    serde_json::from_str(text).unwrap_or_default()
}

/// Runs a tool of a profile on behalf of a client that does not speak MCP.
pub async fn run(view: &View, idx: usize, arguments: &str, cancel: CancellationToken) -> Answer {
    let Some(route) = view.routes.get(idx) else { return Answer::bad("The tool is gone.".into()) };
    let arguments = if arguments.trim().is_empty() { "{}" } else { arguments };
    let Ok(arguments) = serde_json::from_str::<crate::object::Raw>(arguments) else {
        return Answer::bad("The arguments are not JSON; nothing was run.".into());
    };
    let mut params = RawObject::default();
    params.set_str("name", &route.tool.name);
    params.set("arguments", arguments);
    // Progress and logs have no way to a client that does not speak MCP.
    let (outbox, _dropped) = Outbox::new();
    let meta = RequestMeta {
        version: era::MODERN_VERSIONS[0].to_owned(),
        info: None,
        capabilities: raw(&serde_json::json!({})),
        log_level: None,
    };
    let caller = Caller { request_id: Id::number(0), client: Client::Stateless(Box::new(meta)), outbox, cancel };
    match methods::call_route(route, &caller, params).await {
        Ok(result) => text_of(&result),
        Err(fault) => Answer::bad(fault.message()),
    }
}

/// A tool's result as text for the model: its text contents; of others what they are; structured content where there is
/// nothing else.
fn text_of(result: &serde_json::value::RawValue) -> Answer {
    let result: Value = serde_json::from_str(result.get()).unwrap_or_default();
    let is_error = result["isError"].as_bool().unwrap_or(false);
    let contents = result["content"].as_array().map(Vec::as_slice).unwrap_or_default();
    let texts: Vec<String> = contents.iter().map(content_text).collect();
    let text = match (texts.is_empty(), result.get("structuredContent")) {
        (true, Some(structured)) => structured.to_string(),
        (true, None) if !is_error && result.get("inputRequests").is_some() => {
            return Answer::bad("The tool asks for something that only a client of MCP can answer.".into());
        }
        _ => texts.join("\n"),
    };
    Answer { text, is_error }
}

fn content_text(content: &Value) -> String {
    match content["type"].as_str() {
        Some("text") => content["text"].as_str().unwrap_or_default().to_owned(),
        Some("resource") if content["resource"]["text"].is_string() => {
            content["resource"]["text"].as_str().unwrap_or_default().to_owned()
        }
        Some("resource_link") => format!("[{}]", content["uri"].as_str().unwrap_or_default()),
        Some(kind) => format!("[{kind} content, {}]", content["mimeType"].as_str().unwrap_or("no type given")),
        None => String::new(),
    }
}
