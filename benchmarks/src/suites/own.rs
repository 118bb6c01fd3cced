//! Tasks of one's own, from `tasks.jsonl`; their tools are those of the upstreams that run them, or of files as
//! `tollgate plan` reads them. What servers hold at the end is asked of the servers themselves.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::score::{self, Judgement};
use crate::suite::{Files, Opened, Setting, Suite};
use crate::task::{Arguments, Call, Expected, ExpectedCall, Solution, Task, ToolSet};
use crate::trace::Trace;

/// The file of the tasks.
const TASKS: &str = "tasks.jsonl";

/// Where a tool host that runs real servers puts their tools.
pub const UPSTREAMS: &str = "upstreams.json";

/// The suite.
pub struct OwnTasks;

impl Suite for OwnTasks {
    fn name(&self) -> &'static str {
        "tasks"
    }

    fn about(&self) -> &'static str {
        "your own: calls, answers or what servers hold at the end"
    }

    fn data(&self) -> Option<&'static str> {
        Some("tasks.jsonl, and tools as JSON unless upstreams run them")
    }

    fn open(&self, setting: &Setting) -> Result<Opened, String> {
        let files = setting.data("a folder with `tasks.jsonl`")?;
        let tools = Arc::new(tools(&**files)?);
        let text = files.read(TASKS)?;
        let lines: Vec<String> = text.lines().filter(|it| !it.trim().is_empty()).map(str::to_owned).collect();
        let read = move |(at, line): (usize, String)| {
            task(&line, &tools).map_err(|told| format!("`{TASKS}`, task {}: {told}", at + 1))
        };
        Ok(Opened::Tasks(Box::new(lines.into_iter().enumerate().map(read))))
    }

    /// Texts that the answer must hold; else as the task expects.
    fn judge(&self, task: &Task, trace: &Trace) -> Judgement {
        let Expected::Text(Value::Array(wanted)) = &task.expected else { return score::judge(task, trace) };
        let answer = trace.answer.to_lowercase();
        let holds = |it: &&Value| it.as_str().is_some_and(|it| answer.contains(&it.to_lowercase()));
        let share = wanted.iter().filter(holds).count() as f64 / wanted.len().max(1) as f64;
        Judgement::of_text(share, share >= 1.0)
    }
}

/// A task as the file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: String,
    category: String,
    #[serde(default)]
    system: Option<String>,
    query: String,
    #[serde(default)]
    calls: Vec<WrittenCall>,
    #[serde(default)]
    answer: String,
    expect: Expect,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenCall {
    server: String,
    tool: String,
    #[serde(default)]
    arguments: Option<Value>,
    /// One after the other where nothing is said.
    #[serde(default)]
    step: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Expect {
    /// The calls of the solution.
    Calls,
    /// No call.
    Nothing,
    /// Texts in the answer.
    Answer(Vec<String>),
    /// What calls of the servers' own tools find at the end.
    State(Vec<Value>),
}

fn task(line: &str, tools: &Arc<ToolSet>) -> Result<Task, String> {
    let written: Written = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let calls = written.calls.iter().enumerate().map(|(at, it)| call(at, it, tools)).collect::<Result<Vec<_>, _>>()?;
    let expected = match written.expect {
        Expect::Calls => Expected::Calls(calls.iter().map(expected).collect()),
        Expect::Nothing => Expected::Silence,
        Expect::Answer(texts) => Expected::Text(json!(texts)),
        Expect::State(checks) => Expected::State(checks),
    };
    Ok(Task {
        id: written.id,
        category: written.category,
        system: written.system,
        query: written.query,
        tools: Arc::clone(tools),
        expected,
        guesses: vec!["I do not know.".to_owned()],
        solution: Solution { calls, answer: written.answer },
        facts: Vec::new(),
    })
}

fn call(at: usize, written: &WrittenCall, tools: &ToolSet) -> Result<Call, String> {
    let WrittenCall { server, tool, arguments, step } = written;
    let exposed = tools.exposed(server, tool).ok_or_else(|| format!("there is no tool `{tool}` of `{server}`"))?;
    let step = step.unwrap_or(u32::try_from(at).unwrap_or(u32::MAX).saturating_add(1));
    let arguments = arguments.clone().unwrap_or_else(|| json!({}));
    Ok(Call { id: (at + 1).to_string(), step, tool: exposed.to_owned(), arguments, result: None })
}

fn expected(call: &Call) -> ExpectedCall {
    ExpectedCall {
        id: call.id.clone(),
        step: call.step,
        tools: vec![call.tool.clone()],
        arguments: Arguments::Equal(call.arguments.clone()),
    }
}

/// The tools of the upstreams; else of all JSON files.
fn tools(files: &dyn Files) -> Result<ToolSet, String> {
    #[derive(Deserialize)]
    struct List {
        server: String,
        tools: Vec<Box<RawValue>>,
    }
    let all = files.list()?;
    let of_upstreams = all.iter().any(|it| it == UPSTREAMS);
    let mut tools = Vec::new();
    for path in all.iter().filter(|it| if of_upstreams { *it == UPSTREAMS } else { it.ends_with(".json") }) {
        let text = files.read(path)?;
        let lists: Vec<List> =
            serde_json::from_str(&text).or_else(|_| serde_json::from_str(&text).map(|one| vec![one])).map_err(
                |error| format!("`{path}` is no list of tools ({error}); write {{\"server\": NAME, \"tools\": [...]}}"),
            )?;
        tools.extend(lists.into_iter().flat_map(|it| it.tools.into_iter().map(move |tool| (it.server.clone(), tool))));
    }
    ToolSet::new(tools)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use tollgate_tokenizers::Tokenizer;

    struct Memory(BTreeMap<&'static str, String>);

    impl Files for Memory {
        fn list(&self) -> Result<Vec<String>, String> {
            Ok(self.0.keys().map(|it| (*it).to_owned()).collect())
        }

        fn read(&self, path: &str) -> Result<String, String> {
            self.0.get(path).cloned().ok_or_else(|| format!("`{path}` is not there"))
        }
    }

    fn read(tasks: &str) -> Vec<Result<Task, String>> {
        let tools = json!({"server": "s", "tools": [{"name": "a", "inputSchema": {"type": "object"}}]}).to_string();
        let files = BTreeMap::from([(TASKS, tasks.to_owned()), ("s.json", tools)]);
        let setting = Setting {
            files: Some(Arc::new(Memory(files))),
            distractors: None,
            seed: 0,
            tokenizer: Tokenizer::by_name("o200k_base").unwrap(),
            lengths: vec![],
            tasks_per_cell: 0,
            budgets: vec![],
            options: BTreeMap::new(),
        };
        match OwnTasks.open(&setting).unwrap() {
            Opened::Tasks(tasks) => tasks.collect(),
            Opened::Tables(_) => vec![],
        }
    }

    #[test]
    fn tasks_are_read_and_broken_ones_named() {
        let good = json!({"id": "1", "category": "c", "query": "q", "calls": [{"server": "s", "tool": "a"}], "expect": "calls"});
        let absent = json!({"id": "2", "category": "c", "query": "q", "calls": [{"server": "s", "tool": "b"}], "expect": "calls"});
        let found = read(&format!("{good}\n\n{absent}\nno json\n"));
        assert_eq!(found[0].as_ref().unwrap().solution.calls[0].tool, "a");
        assert_eq!(found[1].as_ref().unwrap_err(), "`tasks.jsonl`, task 2: there is no tool `b` of `s`");
        assert!(found[2].as_ref().unwrap_err().starts_with("`tasks.jsonl`, task 3: "));
    }

    #[test]
    fn answers_must_hold_their_texts() {
        let line = json!({"id": "1", "category": "c", "query": "q", "expect": {"answer": ["Oslo", "12"]}});
        let task = read(&line.to_string()).remove(0).unwrap();
        for (answer, score) in [("oslo at 12:00", 1.0), ("Oslo", 0.5), ("", 0.0)] {
            let trace = Trace { answer: answer.to_owned(), ..Trace::default() };
            assert!((OwnTasks.judge(&task, &trace).score - score).abs() < 1e-9, "{answer}");
        }
    }
}
