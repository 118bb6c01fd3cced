//! Tools and tasks made up from a seed, so that the arms can be tried with no data: some two hundred tools of two dozen
//! servers that differ by what they do and to what, asked for partly in words that their definitions do not have.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::random::Random;
use crate::suite::{Opened, Setting, Suite, Tasks};
use crate::task::{Arguments, Call, Expected, ExpectedCall, Solution, Task, ToolSet};

/// Tasks of each kind where the user names no number.
const TASKS_PER_KIND: usize = 25;

/// Calls of a parallel task.
const N_PARALLEL: usize = 3;

/// One query in so many uses a word that the tool's definition does not have.
const ONE_OTHER_WORD_IN: usize = 3;

/// Server, what it holds, and another word for that.
const THINGS: [(&str, &str, &str); 24] = [
    ("billing", "invoice", "bill"),
    ("helpdesk", "ticket", "support case"),
    ("addressbook", "contact", "acquaintance"),
    ("planner", "meeting", "appointment"),
    ("music", "playlist", "list of songs"),
    ("kitchen", "recipe", "dish"),
    ("courier", "shipment", "parcel"),
    ("plant", "sensor", "measuring device"),
    ("library", "book", "volume"),
    ("travel", "itinerary", "trip"),
    ("garage", "vehicle", "car"),
    ("payroll", "employee", "member of staff"),
    ("newsroom", "article", "story"),
    ("gallery", "photo", "picture"),
    ("clinic", "patient", "person under treatment"),
    ("school", "course", "class"),
    ("warehouse", "pallet", "load"),
    ("forum", "thread", "discussion"),
    ("bank", "account", "deposit"),
    ("fitness", "workout", "training session"),
    ("museum", "exhibit", "object on show"),
    ("farm", "field", "plot of land"),
    ("hotel", "room", "bedroom"),
    ("theatre", "performance", "show"),
];

/// An operation: its verb, other words for it, what it says of itself, its parameters.
struct Operation {
    verb: &'static str,
    other: &'static str,
    about: &'static str,
    parameters: &'static [(&'static str, Kind)],
}

/// What a parameter takes, and how a query says it.
#[derive(Clone, Copy)]
enum Kind {
    Name,
    Id,
    Text,
    Count,
    Email,
    Date,
}

const OPERATIONS: [Operation; 8] = [
    Operation { verb: "create", other: "set up", about: "Add a new", parameters: &[("name", Kind::Name)] },
    Operation {
        verb: "list",
        other: "enumerate",
        about: "Return the latest entries of every",
        parameters: &[("limit", Kind::Count)],
    },
    Operation { verb: "get", other: "show", about: "Read all fields of one", parameters: &[("id", Kind::Id)] },
    Operation {
        verb: "update",
        other: "rename",
        about: "Change the name of an existing",
        parameters: &[("id", Kind::Id), ("name", Kind::Name)],
    },
    Operation { verb: "delete", other: "get rid of", about: "Remove for good one", parameters: &[("id", Kind::Id)] },
    Operation { verb: "search", other: "look for", about: "Find by a text any", parameters: &[("text", Kind::Text)] },
    Operation {
        verb: "share",
        other: "give access to",
        about: "Let somebody else see one",
        parameters: &[("id", Kind::Id), ("email", Kind::Email)],
    },
    Operation {
        verb: "archive",
        other: "put away",
        about: "Hide until a day one",
        parameters: &[("id", Kind::Id), ("until", Kind::Date)],
    },
];

/// Wishes that no tool here fulfils.
const UNRELATED: [&str; 8] = [
    "Translate this sentence into Finnish: the ice is thin.",
    "What is the chemical symbol of tungsten?",
    "Write a haiku about rust.",
    "Turn on the lights in the hall.",
    "Compile this C program and run it.",
    "How is the weather in Lisbon?",
    "Convert 300 miles into kilometres.",
    "Call me a taxi to the airport.",
];

/// The suite.
pub struct SyntheticTools;

impl Suite for SyntheticTools {
    fn name(&self) -> &'static str {
        "synthetic-tools"
    }

    fn about(&self) -> &'static str {
        "192 made-up tools of 24 servers: single, parallel and multi-step calls, abstention; generated"
    }

    fn open(&self, setting: &Setting) -> Result<Opened, String> {
        let tools = Arc::new(ToolSet::of_values(definitions())?);
        Ok(Opened::Tasks(tasks(tools, setting)))
    }
}

fn definitions() -> Vec<(String, Value)> {
    let of_thing = |&(server, thing, _): &(&str, &str, &str)| {
        OPERATIONS.iter().map(|it| (server.to_owned(), definition(it, thing))).collect::<Vec<_>>()
    };
    THINGS.iter().flat_map(of_thing).collect()
}

fn definition(operation: &Operation, thing: &str) -> Value {
    let property = |(name, kind): &(&str, Kind)| {
        let schema = match kind {
            Kind::Count => json!({"type": "integer", "minimum": 1, "maximum": 100, "description": "How many at most"}),
            Kind::Id => json!({"type": "string", "description": format!("The id of the {thing}")}),
            Kind::Date => json!({"type": "string", "format": "date", "description": "The day, as in 2026-03-01"}),
            Kind::Email => json!({"type": "string", "description": "The address of whoever is let in"}),
            Kind::Name => json!({"type": "string", "description": format!("The name of the {thing}")}),
            Kind::Text => json!({"type": "string", "description": "Words that must occur"}),
        };
        ((*name).to_owned(), schema)
    };
    let required: Vec<&str> = operation.parameters.iter().map(|(name, _)| *name).collect();
    json!({
        "name": format!("{}_{thing}", operation.verb),
        "description": format!("{} {thing}. Returns what was changed or found, with its id.", operation.about),
        "inputSchema": {
            "type": "object",
            "properties": operation.parameters.iter().map(property).collect::<serde_json::Map<_, _>>(),
            "required": required,
        },
    })
}

type Maker = fn(&str, Arc<ToolSet>, &mut Random) -> Task;

const KINDS: [(&str, Maker); 4] =
    [("single", single), ("parallel", parallel), ("multi-step", multi_step), ("abstention", abstention)];

fn tasks(tools: Arc<ToolSet>, setting: &Setting) -> Tasks {
    let each = if setting.tasks_per_cell == 0 { TASKS_PER_KIND } else { setting.tasks_per_cell };
    let seed = setting.seed;
    Box::new((0..each * KINDS.len()).map(move |at| {
        let (kind, maker) = KINDS[at / each];
        let id = format!("{kind}-{}", at % each);
        let mut random = Random::of(seed, &["synthetic-tools", &id]);
        Ok(Task { id, category: kind.to_owned(), ..maker(kind, Arc::clone(&tools), &mut random) })
    }))
}

fn empty(tools: Arc<ToolSet>) -> Task {
    Task {
        id: String::new(),
        category: String::new(),
        system: None,
        query: String::new(),
        tools,
        expected: Expected::Silence,
        solution: Solution::default(),
        guesses: Vec::new(),
        facts: Vec::new(),
    }
}

/// A call that is asked for, and the words that ask for it.
struct Wish {
    call: Call,
    words: String,
}

fn wish(at: usize, tools: &ToolSet, operation: &Operation, thing: usize, random: &mut Random) -> Wish {
    let (server, name, other_name) = THINGS[thing];
    let mut word = |plain: &str, other: &str| {
        if random.below(ONE_OTHER_WORD_IN) == 0 { other.to_owned() } else { plain.to_owned() }
    };
    let mut words = format!("{} the {}", word(operation.verb, operation.other), word(name, other_name));
    let mut arguments = serde_json::Map::new();
    for (parameter, kind) in operation.parameters {
        let (value, said) = drawn(*kind, random);
        words += &said;
        arguments.insert((*parameter).to_owned(), value);
    }
    let own = format!("{}_{name}", operation.verb);
    let tool = tools.exposed(server, &own).unwrap_or(&own).to_owned();
    let result = json!({"id": format!("{name}-{}", 1000 + random.below(9000)), "ok": true}).to_string();
    let call = Call { id: (at + 1).to_string(), step: 1, tool, arguments: arguments.into(), result: Some(result) };
    Wish { call, words }
}

/// A value, and how a query says it.
fn drawn(kind: Kind, random: &mut Random) -> (Value, String) {
    let word = |random: &mut Random| super::noise::key(random);
    match kind {
        Kind::Name => {
            let name = word(random);
            (json!(name), format!(" with the name \"{name}\""))
        }
        Kind::Id => {
            let id = format!("x-{}", 1000 + random.below(9000));
            (json!(id), format!(" {id}"))
        }
        Kind::Text => {
            let text = word(random);
            (json!(text), format!(" in which \"{text}\" occurs"))
        }
        Kind::Count => {
            let count = 1 + random.below(100);
            (json!(count), format!(" entries, {count} of them"))
        }
        Kind::Email => {
            let email = format!("user{}@example.com", random.below(1000));
            (json!(email), format!(" for {email}"))
        }
        Kind::Date => {
            let date = format!("2026-{:02}-{:02}", 1 + random.below(12), 1 + random.below(28));
            (json!(date), format!(" until {date}"))
        }
    }
}

fn of_calls(tools: Arc<ToolSet>, query: String, calls: Vec<Call>) -> Task {
    let expected = calls.iter().map(|it| ExpectedCall {
        id: it.id.clone(),
        step: it.step,
        tools: vec![it.tool.clone()],
        arguments: Arguments::Equal(it.arguments.clone()),
    });
    let expected = Expected::Calls(expected.collect());
    let solution = Solution { calls, answer: "Done.".to_owned() };
    Task { query, expected, solution, ..empty(tools) }
}

fn single(_: &str, tools: Arc<ToolSet>, random: &mut Random) -> Task {
    let (operation, thing) = (random.below(OPERATIONS.len()), random.below(THINGS.len()));
    let wish = wish(0, &tools, &OPERATIONS[operation], thing, random);
    of_calls(tools, format!("Please {}.", wish.words), vec![wish.call])
}

/// Several things at once, each of another server.
fn parallel(_: &str, tools: Arc<ToolSet>, random: &mut Random) -> Task {
    let mut things: Vec<usize> = (0..THINGS.len()).collect();
    random.shuffle(&mut things);
    let wishes: Vec<Wish> = things[..N_PARALLEL]
        .iter()
        .enumerate()
        .map(|(at, &thing)| wish(at, &tools, &OPERATIONS[random.below(OPERATIONS.len())], thing, random))
        .collect();
    let words: Vec<&str> = wishes.iter().map(|it| it.words.as_str()).collect();
    let query = format!("Please {}.", words.join(", then "));
    of_calls(tools, query, wishes.into_iter().map(|it| it.call).collect())
}

/// A search whose result a second call needs.
fn multi_step(_: &str, tools: Arc<ToolSet>, random: &mut Random) -> Task {
    let thing = random.below(THINGS.len());
    let find = wish(0, &tools, &OPERATIONS[5], thing, random);
    let follow = &OPERATIONS[[2, 3, 4, 6, 7][random.below(5)]];
    let mut then = wish(1, &tools, follow, thing, random);
    let id = then.call.arguments["id"].as_str().unwrap_or_default().to_owned();
    let words = then.words.replacen(&format!(" {id}"), " that was found", 1);
    then.call.arguments["id"] = json!("<1_result>");
    then.call.step = 2;
    let found = Call { result: Some(format!("{}-{}", THINGS[thing].1, 1000 + random.below(9000))), ..find.call };
    of_calls(tools, format!("Please {}; with the id that comes back, {words}.", find.words), vec![found, then.call])
}

fn abstention(_: &str, tools: Arc<ToolSet>, random: &mut Random) -> Task {
    let query = random.pick(&UNRELATED).copied().unwrap_or_default().to_owned();
    Task { query, ..empty(tools) }
}
