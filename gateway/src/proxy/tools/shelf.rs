//! The tools that a request can have: its own, and those of a profile. Prepared once for each set of tools, since agents send
//! the same ones with every request.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use rustc_hash::FxHashSet;
use serde_json::value::RawValue;

use crate::{
    mcp::view::View,
    protocols::{Function, ToolKind},
    recent::Recent,
};
use tollgate_planners::tools::{Catalogue, SEPARATOR, ToolDef};
use tollgate_tokenizers::Tokenizer;

/// Sets of tools that are kept prepared, and their bytes; the one not used for longest goes first.
const MOST_SHELVES: usize = 256;
const MOST_BYTES: usize = 64 << 20;

/// The server that a request's own tools are said to be of.
pub const CLIENT: &str = "client";

/// Where a tool comes from, and so who runs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The client: this function of the request.
    Client(usize),
    /// The gateway: this tool of the profile's view.
    Profile(usize),
}

/// Tools, prepared.
pub struct Shelf {
    /// Its own, for as long as the process runs.
    pub id: u64,
    pub catalogue: Catalogue,
    /// One for each tool of the catalogue.
    pub origins: Vec<Origin>,
    /// The view that the profile's tools are of.
    pub view: Option<Arc<View>>,
}

/// The shelves that were asked for last.
pub struct Shelves {
    recent: Recent<Arc<Shelf>>,
}

impl Default for Shelves {
    fn default() -> Self {
        Self { recent: Recent::new(MOST_SHELVES, MOST_BYTES) }
    }
}

impl Shelves {
    /// The shelf of these tools, prepared where it is not there yet.
    pub fn get(&self, own: &[&Function], view: Option<&Arc<View>>, tokenizer: Tokenizer) -> Arc<Shelf> {
        let made = || Ok::<_, Infallible>(Arc::new(Shelf::build(own, view, tokenizer)));
        self.recent.get(key(own, view, tokenizer), made).unwrap_or_else(|never| match never {})
    }
}

impl Shelf {
    fn build(own: &[&Function], view: Option<&Arc<View>>, tokenizer: Tokenizer) -> Self {
        let mut defs: Vec<ToolDef> = own.iter().map(|function| definition(function)).collect();
        let mut origins: Vec<Origin> = (0..own.len()).map(Origin::Client).collect();
        let mut names: FxHashSet<String> = defs.iter().map(|def| def.exposed.clone()).collect();
        for (idx, def) in view.iter().flat_map(|view| view.catalogue.tools().iter().enumerate()) {
            let exposed = match names.contains(&def.exposed) {
                true => format!("{}{SEPARATOR}{}", def.server, def.name),
                false => def.exposed.clone(),
            };
            // A name that is taken even so is the client's, and the client's tool is what it asks for.
            if names.insert(exposed.clone()) {
                defs.push(ToolDef { exposed, ..def.clone() });
                origins.push(Origin::Profile(idx));
            }
        }
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        Self { id, catalogue: Catalogue::build(defs, tokenizer), origins, view: view.cloned() }
    }

    /// A tool by its name.
    pub fn find(&self, name: &str) -> Option<(usize, Origin)> {
        let idx = self.catalogue.find(name)?;
        Some((idx, *self.origins.get(idx)?))
    }
}

/// The functions among a request's tools.
pub fn functions(tools: &[crate::protocols::Tool]) -> Vec<&Function> {
    tools
        .iter()
        .filter_map(|tool| match &tool.kind {
            ToolKind::Function(function) => Some(function),
            ToolKind::Native { .. } => None,
        })
        .collect()
}

/// Everything that a shelf depends on. A view is known by its place, which is its own while the shelf holds it.
fn key(own: &[&Function], view: Option<&Arc<View>>, tokenizer: Tokenizer) -> Vec<u8> {
    let mut key = tokenizer.name().as_bytes().to_vec();
    key.extend_from_slice(&view.map_or(0, |it| Arc::as_ptr(it).addr()).to_le_bytes());
    for function in own {
        key.push(function.is_strict.map_or(2, u8::from));
        for text in [
            function.name.as_str(),
            function.description.as_deref().unwrap_or_default(),
            function.parameters.as_ref().map_or("", |it| it.text()),
        ] {
            key.extend_from_slice(&text.len().to_le_bytes());
            key.extend_from_slice(text.as_bytes());
        }
    }
    key
}

/// A function as MCP writes tools, which is what the catalogue reads.
fn definition(function: &Function) -> ToolDef {
    let quoted = |text: &str| serde_json::to_string(text).unwrap_or_default();
    let schema = function.parameters.as_ref().map_or(r#"{"type":"object"}"#, |it| it.text());
    let description = function.description.as_deref().map(|it| format!(r#""description":{},"#, quoted(it)));
    let text =
        format!(r#"{{"name":{},{}"inputSchema":{schema}}}"#, quoted(&function.name), description.unwrap_or_default());
    let definition = RawValue::from_string(text).unwrap_or_default();
    ToolDef {
        server: CLIENT.to_owned(),
        name: function.name.clone(),
        exposed: function.name.clone(),
        definition: Arc::from(definition),
    }
}
