//! The tools of a request, and what was found out about them. Agents send the same ones with every request: they are read
//! once, and counted once for each rule.

use std::{
    hash::Hasher,
    ops::Deref,
    sync::{Arc, Mutex, PoisonError},
};

use rustc_hash::FxHasher;
use serde_json::Value;

use super::{
    count::{Ledger, What},
    read::{self, ReadError},
    request::{Format, Request, Tool, Uncounted},
};
use crate::Tokenizer;

/// Sets of tools that are kept, and bytes of their JSON; the one not used for longest goes first. What is read from JSON
/// takes some ten times its bytes.
const MOST_SETS: usize = 256;
const MOST_BYTES: usize = 8 << 20;

/// Functions that a model may call; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Tools(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    list: Vec<Tool>,
    counts: Mutex<Vec<(&'static str, Tokenizer, Arc<ToolCounts>)>>,
}

/// What tools cost by one rule.
#[derive(Debug)]
pub(super) struct ToolCounts {
    /// Each for itself, in order.
    pub each: Vec<i64>,
    /// All of them as they are written together.
    pub all: i64,
}

impl Tools {
    /// Adds one.
    pub fn push(&mut self, tool: Tool) {
        match Arc::get_mut(&mut self.0) {
            Some(inner) => {
                inner.list.push(tool);
                inner.counts = Mutex::default();
            }
            None => *self = self.iter().cloned().chain([tool]).collect(),
        }
    }

    /// What they cost by `rule`, counted where it was not before.
    pub(super) fn counted(
        &self,
        rule: &'static str,
        by: Tokenizer,
        count: impl FnOnce(&[Tool]) -> ToolCounts,
    ) -> Arc<ToolCounts> {
        let known = |counts: &[(&'static str, Tokenizer, Arc<ToolCounts>)]| {
            let found = counts.iter().find(|(name, tokenizer, _)| *name == rule && tokenizer.is(by));
            found.map(|(_, _, counts)| Arc::clone(counts))
        };
        let counts = || self.0.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known(&counts()) {
            return known;
        }
        let counted = Arc::new(count(self));
        counts().push((rule, by, Arc::clone(&counted)));
        counted
    }
}

impl ToolCounts {
    /// Each by `of`, together what `all` says.
    pub fn of(tools: &[Tool], of: impl Fn(&Tool) -> i64, all: i64) -> Self {
        Self { each: tools.iter().map(of).collect(), all }
    }

    /// Adds a line for each; the sum of these lines.
    pub fn note(&self, ledger: &mut Ledger) -> i64 {
        for (idx, tokens) in self.each.iter().enumerate() {
            ledger.add(What::Tool(idx), *tokens);
        }
        self.each.iter().sum()
    }
}

impl Deref for Tools {
    type Target = [Tool];

    fn deref(&self) -> &[Tool] {
        &self.0.list
    }
}

impl FromIterator<Tool> for Tools {
    fn from_iter<T: IntoIterator<Item = Tool>>(tools: T) -> Self {
        Self(Arc::new(Inner { list: tools.into_iter().collect(), counts: Mutex::default() }))
    }
}

impl PartialEq for Tools {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.list == other.0.list
    }
}

/// The sets of tools that were read last.
#[derive(Debug, Default)]
pub struct ToolSets {
    /// The one used last at the end.
    kept: Mutex<Vec<Arc<ToolSet>>>,
}

#[derive(Debug)]
struct ToolSet {
    hash: u64,
    format: Format,
    json: Box<[u8]>,
    tools: Tools,
    uncounted: Vec<Uncounted>,
}

impl ToolSets {
    /// Reads a body whose field `tools` came apart, as JSON: the same as [`read`](fn@super::read) makes of the whole.
    ///
    /// # Errors
    /// [`ReadError`], with the path of what is wrong.
    pub fn read(&self, format: Format, rest: &Value, tools: &[u8]) -> Result<Request, ReadError> {
        if !stands_alone(rest, tools) {
            let mut body = rest.clone();
            if let Some(body) = body.as_object_mut() {
                body.insert("tools".to_owned(), parsed(tools)?);
            }
            return read::read(format, &body);
        }
        let mut request = read::read(format, rest)?;
        let set = self.get(format, tools)?;
        request.tools = set.tools.clone();
        request.uncounted.extend_from_slice(&set.uncounted);
        Ok(request)
    }

    fn get(&self, format: Format, json: &[u8]) -> Result<Arc<ToolSet>, ReadError> {
        let mut hasher = FxHasher::default();
        hasher.write(json);
        let hash = hasher.finish();
        if let Some(found) = self.find(hash, format, json) {
            return Ok(found);
        }
        let (tools, uncounted) = read::tools(format, parsed(json)?)?;
        let set = Arc::new(ToolSet { hash, format, json: json.into(), tools, uncounted });
        self.keep(Arc::clone(&set));
        Ok(set)
    }

    fn find(&self, hash: u64, format: Format, json: &[u8]) -> Option<Arc<ToolSet>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.iter().rposition(|it| it.hash == hash && it.format == format && *it.json == *json)?;
        kept[at..].rotate_left(1);
        kept.last().cloned()
    }

    fn keep(&self, set: Arc<ToolSet>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push(set);
        let mut bytes: usize = kept.iter().map(|it| it.json.len()).sum();
        let mut too_many = 0;
        while kept.len() - too_many > MOST_SETS || bytes > MOST_BYTES && kept.len() - too_many > 1 {
            bytes -= kept[too_many].json.len();
            too_many += 1;
        }
        kept.drain(..too_many);
    }
}

/// Whether these tools mean the same in any conversation. Deferred ones are there once a search has found them, and
/// functions of the old field follow the tools.
fn stands_alone(rest: &Value, tools: &[u8]) -> bool {
    rest.get("functions").is_none() && memchr::memmem::find(tools, b"defer_loading").is_none()
}

fn parsed(tools: &[u8]) -> Result<Value, ReadError> {
    let wrong = |_| ReadError { path: "tools".to_owned(), problem: "must be JSON, not nested too deep" };
    serde_json::from_slice(tools).map_err(wrong)
}
