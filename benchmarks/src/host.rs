//! A tool host made from any `tools/list`: arguments are checked against the schema, answers follow from server, tool and
//! arguments alone, and faults and delays come where they are asked for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::episode::Ran;
use crate::random::Random;
use crate::schema::drawn;
use crate::score::same;
use crate::task::{Task, ToolSet};
use crate::trace::Status;

/// Schemas that are kept compiled.
const MOST_COMPILED: usize = 4096;

/// Schemas larger than this are not compiled, as in the gateway.
const MAX_SCHEMA_BYTES: usize = 1 << 20;

/// Mistakes that are told at once.
const MOST_MISTAKES: usize = 5;

/// A schema ready to check with; nothing where it cannot be compiled.
type Compiled = Option<Arc<Validator>>;

/// What goes wrong, and how long answers take.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Faults {
    /// The share of calls whose tool reports an error.
    pub rate: f64,
    /// The longest that an answer takes, ms; each takes its own part of that.
    pub latency_ms: u64,
    /// Decides which.
    pub seed: u64,
}

/// The host.
#[derive(Default)]
pub struct Mock {
    faults: Faults,
    compiled: Mutex<HashMap<(String, usize), Compiled>>,
}

impl Mock {
    /// One with these faults.
    #[must_use]
    pub fn new(faults: Faults) -> Self {
        Self { faults, ..Self::default() }
    }

    /// Calls a tool: what it answers, and after how many ms.
    #[must_use]
    pub fn call(&self, task: &Task, tool: usize, arguments: &Value) -> (Ran, u64) {
        let Some(def) = task.tools.defs.get(tool) else {
            return (Ran { text: "There is no such tool.".to_owned(), status: Status::Unknown }, 0);
        };
        let mut random = Random::of(self.faults.seed, &[&def.server, &def.name, &canonical(arguments)]);
        let latency = random.below(usize::try_from(self.faults.latency_ms).unwrap_or(usize::MAX).saturating_add(1));
        let fails = random.unit() < self.faults.rate;
        let ran = match self.check(&task.tools, tool, arguments) {
            Err(text) => Ran { text, status: Status::Invalid },
            Ok(()) if fails => {
                Ran { text: format!("`{}` failed: the service is away", def.name), status: Status::Failed }
            }
            Ok(()) => Ran { text: answer(task, tool, arguments, &mut random), status: Status::Ran },
        };
        (ran, latency as u64)
    }

    /// Checks arguments against the tool's own schema. A schema that cannot be compiled checks nothing.
    ///
    /// # Errors
    /// What the model is told.
    pub fn check(&self, tools: &ToolSet, tool: usize, arguments: &Value) -> Result<(), String> {
        let Some(validator) = self.validator(tools, tool) else { return Ok(()) };
        let mistakes: Vec<String> =
            validator.iter_errors(arguments).take(MOST_MISTAKES).map(|it| format!("- {it}")).collect();
        if mistakes.is_empty() {
            return Ok(());
        }
        let schema = tools.schema(tool).unwrap_or_default();
        Err(format!(
            "The arguments of `{}` are not valid; nothing was run.\n{}\nIts input schema: {schema}",
            tools.defs[tool].exposed,
            mistakes.join("\n"),
        ))
    }

    fn validator(&self, tools: &ToolSet, tool: usize) -> Compiled {
        let key = (tools.hash.clone(), tool);
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = compiled.get(&key) {
            return known.clone();
        }
        if compiled.len() >= MOST_COMPILED {
            compiled.clear();
        }
        let small = tools.schema(tool).filter(|it| it.to_string().len() <= MAX_SCHEMA_BYTES);
        let made = small.and_then(|it| jsonschema::options().build(&it).ok()).map(Arc::new);
        compiled.insert(key, made.clone());
        made
    }
}

/// As the task's data has it, else drawn from the tool's output schema, else an object with an id.
fn answer(task: &Task, tool: usize, arguments: &Value, random: &mut Random) -> String {
    let exposed = &task.tools.defs[tool].exposed;
    let known = task.solution.calls.iter().find(|it| it.tool == *exposed && same(&it.arguments, arguments));
    if let Some(result) = known.and_then(|it| it.result.clone()) {
        return result;
    }
    let definition: Value = serde_json::from_str(task.tools.defs[tool].definition.get()).unwrap_or_default();
    match definition.get("outputSchema").filter(|it| it.is_object()) {
        Some(schema) => drawn(schema, random).to_string(),
        None => json!({"ok": true, "id": random.uuid(), "value": random.below(1000)}).to_string(),
    }
}

/// Arguments with their keys in order, so that equal ones are equal as text.
#[must_use]
pub fn canonical(value: &Value) -> String {
    fn sorted(value: &Value) -> Value {
        match value {
            Value::Object(members) => {
                let mut members: Vec<(String, Value)> =
                    members.iter().map(|(key, value)| (key.clone(), sorted(value))).collect();
                members.sort_by(|one, other| one.0.cmp(&other.0));
                Value::Object(members.into_iter().collect())
            }
            Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
            other => other.clone(),
        }
    }
    sorted(value).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::{Expected, Solution};

    fn task() -> Task {
        let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}, "s": {"type": "string"}}, "required": ["n"]});
        let tool = ("s".to_owned(), json!({"name": "count", "inputSchema": schema}));
        Task {
            id: String::new(),
            category: String::new(),
            system: None,
            query: String::new(),
            tools: Arc::new(ToolSet::of_values(vec![tool]).unwrap()),
            expected: Expected::Silence,
            solution: Solution::default(),
            guesses: vec![],
            facts: vec![],
        }
    }

    #[test]
    fn answers_follow_from_the_arguments() {
        let (host, other) = (Mock::default(), Mock::default());
        let call = |host: &Mock, arguments: Value| host.call(&task(), 0, &arguments).0;
        let one = call(&host, json!({"n": 1, "s": "a"}));
        assert_eq!(one.status, Status::Ran);
        assert_eq!(one, call(&other, json!({"s": "a", "n": 1})));
        assert_ne!(one, call(&host, json!({"n": 2, "s": "a"})));
    }

    #[test]
    fn arguments_are_checked() {
        let (ran, _) = Mock::default().call(&task(), 0, &json!({"n": "one"}));
        assert_eq!(ran.status, Status::Invalid);
        assert!(ran.text.contains("nothing was run") && ran.text.contains("\"integer\""), "{}", ran.text);
    }

    #[test]
    fn faults_and_delays_come_as_often_as_asked() {
        let host = Mock::new(Faults { rate: 0.2, latency_ms: 50, seed: 1 });
        let calls: Vec<(Ran, u64)> = (0..1000).map(|n| host.call(&task(), 0, &json!({"n": n}))).collect();
        let failed = calls.iter().filter(|(ran, _)| ran.status == Status::Failed).count();
        assert!((150..250).contains(&failed), "{failed}");
        assert!(calls.iter().all(|(_, ms)| *ms <= 50) && calls.iter().any(|(_, ms)| *ms > 25));
    }
}
