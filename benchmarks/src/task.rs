//! A task: what is asked, with which tools, what counts as right, and one way to do it right.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tollgate_planners::tools::{NamePolicy, ToolDef, exposed_names};

use crate::random::digest;

/// One thing to do.
#[derive(Clone, Debug)]
pub struct Task {
    /// Its own within the suite; where a file has none, its place there.
    pub id: String,
    /// What tables group by.
    pub category: String,
    /// What the operator says before.
    pub system: Option<String>,
    /// What the user asks.
    pub query: String,
    /// All tools that there are, needed or not. Tasks that share tools share this.
    pub tools: Arc<ToolSet>,
    /// What counts as right.
    pub expected: Expected,
    /// One right way, which the scripted oracle goes.
    pub solution: Solution,
    /// Answers of which exactly one is right and which one who knows nothing would guess among; for tasks that are
    /// answered in text.
    pub guesses: Vec<String>,
    /// Where the task lies, as in `length` and `depth`; for curves.
    pub facts: Vec<(&'static str, f64)>,
}

/// What counts as right.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    /// These calls and no others: in the order of their steps, in any order within one.
    Calls(Vec<ExpectedCall>),
    /// No call at all.
    Silence,
    /// A text, which the suite judges.
    Text(Value),
    /// What the servers hold at the end: checks that the tool host answers, by name.
    State(Vec<Value>),
}

/// A call that counts as right.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExpectedCall {
    /// Its name in bindings such as `<1_result>`.
    pub id: String,
    /// Equal steps may come in any order.
    pub step: u32,
    /// The exposed names of the tools that will do, the label's own first.
    pub tools: Vec<String>,
    /// The arguments that will do.
    pub arguments: Arguments,
}

/// Arguments that count as right.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Arguments {
    /// These, equal as JSON; a string that is a binding stands for what an earlier call gave.
    Equal(Value),
    /// For each name the values that will do; an empty string among them says that it may be left out.
    Accepted(Map<String, Value>),
    /// Whatever the tool's schema admits.
    Any,
}

/// One right way to do a task.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Solution {
    /// The calls, in order.
    pub calls: Vec<Call>,
    /// The answer after them.
    pub answer: String,
}

/// A call of a solution.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Call {
    /// Its name in bindings.
    pub id: String,
    /// Equal steps are called together.
    pub step: u32,
    /// The exposed name.
    pub tool: String,
    /// Its arguments; bindings are replaced before it is made.
    pub arguments: Value,
    /// What the tool answers, where the data says so; a mock host then answers the same.
    pub result: Option<String>,
}

/// Tools that tasks share, and their digest.
#[derive(Debug, Default)]
pub struct ToolSet {
    /// The tools, by server.
    pub defs: Vec<ToolDef>,
    /// Of servers, names and definitions.
    pub hash: String,
}

/// A name and where it comes from.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct ToolName {
    /// The server.
    pub server: String,
    /// The server's own name for the tool.
    pub name: String,
}

impl ToolSet {
    /// The set of these `(server, definition)`; a definition is an entry of `tools/list`. Names that servers share are
    /// told apart as the gate tells them apart.
    ///
    /// # Errors
    /// The number of a definition that has no name.
    pub fn new(tools: Vec<(String, Box<RawValue>)>) -> Result<Self, String> {
        let mut names = Vec::with_capacity(tools.len());
        for (at, (server, definition)) in tools.iter().enumerate() {
            let name = name_of(definition).ok_or_else(|| format!("tool {} of `{server}` has no name", at + 1))?;
            names.push((server.clone(), name));
        }
        let keys: Vec<(&str, &str)> = names.iter().map(|(server, name)| (server.as_str(), name.as_str())).collect();
        let exposed = exposed_names(&keys, NamePolicy::OnCollision);
        let parts = tools.iter().flat_map(|(server, it)| [server.as_bytes(), it.get().as_bytes()]);
        let hash = digest(parts);
        let defs = tools.into_iter().zip(names).zip(exposed);
        let defs = defs.map(|(((server, definition), (_, name)), exposed)| ToolDef {
            server,
            name,
            exposed,
            definition: Arc::from(definition),
        });
        Ok(Self { defs: defs.collect(), hash })
    }

    /// The same from parsed values.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn of_values(tools: Vec<(String, Value)>) -> Result<Self, String> {
        let raw = |value: &Value| RawValue::from_string(value.to_string()).map_err(|error| error.to_string());
        let tools: Result<Vec<_>, String> =
            tools.iter().map(|(server, value)| Ok((server.clone(), raw(value)?))).collect();
        Self::new(tools?)
    }

    /// The index of the tool that models see under this name.
    #[must_use]
    pub fn find(&self, exposed: &str) -> Option<usize> {
        self.defs.iter().position(|it| it.exposed == exposed)
    }

    /// The name that models see for this tool of this server.
    #[must_use]
    pub fn exposed(&self, server: &str, name: &str) -> Option<&str> {
        self.defs.iter().find(|it| it.server == server && it.name == name).map(|it| it.exposed.as_str())
    }

    /// The input schema of a tool.
    #[must_use]
    pub fn schema(&self, idx: usize) -> Option<Value> {
        let definition: Value = serde_json::from_str(self.defs.get(idx)?.definition.get()).ok()?;
        definition.get("inputSchema").or_else(|| definition.get("input_schema")).cloned()
    }
}

fn name_of(definition: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        name: String,
    }
    serde_json::from_str::<Named>(definition.get()).ok().map(|it| it.name)
}

impl Task {
    /// For each call that is needed, the indices of the tools that will do.
    #[must_use]
    pub fn gold(&self) -> Vec<Vec<usize>> {
        let find = |names: &[String]| names.iter().filter_map(|it| self.tools.find(it)).collect::<Vec<_>>();
        match &self.expected {
            Expected::Calls(calls) => calls.iter().map(|it| find(&it.tools)).collect(),
            _ => self.solution.calls.iter().map(|it| find(std::slice::from_ref(&it.tool))).collect(),
        }
    }

    /// A digest of all that makes the task what it is.
    #[must_use]
    pub fn hash(&self) -> String {
        let expected = serde_json::to_vec(&(&self.expected, &self.solution, &self.guesses)).unwrap_or_default();
        let parts: [&[u8]; 6] = [
            self.id.as_bytes(),
            self.category.as_bytes(),
            self.system.as_deref().unwrap_or_default().as_bytes(),
            self.query.as_bytes(),
            self.tools.hash.as_bytes(),
            &expected,
        ];
        digest(parts)
    }
}
