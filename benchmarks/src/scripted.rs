//! Models that are scripts: a ceiling, floors, and one between that tells what a list of tools is worth.
//!
//! A script is one function and one line in [`SCRIPTS`]. It may look at the task's solution, and sees of the tools only
//! what the listing and the conversation show, unless its line says otherwise.

mod floors;
mod solver;

use crate::episode::{Episode, Reply};
use crate::random::Random;

/// A scripted model.
pub struct Script {
    /// As the command line has it, after `script:`.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
    /// Its next words and calls.
    pub reply: fn(&Episode, &mut Random) -> Reply,
}

/// All of them.
pub static SCRIPTS: &[Script] = &[
    Script {
        name: "oracle",
        about: "knows the solution; asks the gate for tools that are not listed until it has them: the ceiling",
        reply: |episode, _| solver::reply(episode, solver::Search::UntilFound),
    },
    Script {
        name: "searcher",
        about: "knows the solution, but uses only tools that are listed or that one search with the user's words finds",
        reply: |episode, _| solver::reply(episode, solver::Search::Once),
    },
    Script { name: "random", about: "calls any tool that it sees, or guesses: chance", reply: floors::random },
    Script { name: "first-tool", about: "calls the first tool of the list", reply: floors::first_tool },
    Script {
        name: "name-match",
        about: "calls the tool whose name has most of the query's words",
        reply: floors::name_match,
    },
    Script { name: "abstainer", about: "never calls anything and knows nothing", reply: floors::abstain },
];

/// The script of that name.
///
/// # Errors
/// The names that there are.
pub fn script(name: &str) -> Result<&'static Script, String> {
    SCRIPTS.iter().find(|it| it.name == name).ok_or_else(|| {
        let known: Vec<&str> = SCRIPTS.iter().map(|it| it.name).collect();
        format!("unknown script `{name}`; there are {}", known.join(", "))
    })
}
