//! Choosing tool definitions under a budget.
//!
//! A catalogue of tools is prepared once; a plan then picks a [`ToolView`] of each tool, and the rest stays reachable
//! through three meta-tools. What is counted is what an MCP client hands to a model: the minified JSON array of
//! `{"name", "description", "inputSchema"}`.

mod bm25;
mod catalogue;
mod drafts;
mod first_sentence;
mod lexical;
mod measure;
mod meta;
mod names;
mod plan;
mod query;
mod rank;
mod raw;
mod related;
mod rendering;
mod schema;
mod search;
mod signature;
mod turns;
mod view;
mod whole;
pub(crate) mod words;

pub use bm25::Bm25;
pub use catalogue::{Catalogue, Note, ToolDef};
pub use first_sentence::first_sentence;
pub use lexical::Lexical;
pub use meta::{CALL_TOOL, DESCRIBE_TOOL, META_TOOLS, SEARCH_TOOLS};
pub use names::{NamePolicy, SEPARATOR, exposed_names};
pub use plan::{ListPlan, ListRequest, PlannedTool};
pub use rank::{Document, Match, RANKERS, Ranker, RankerEntry};
pub use rendering::count_list;
pub use schema::{prune, reduce};
pub use search::{SearchRequest, SearchText, search};
pub use signature::signature;
pub use turns::{LATE_FROM_TOKENS, Turn, TurnsPlan, TurnsRequest};
pub use view::{LADDER, ToolView};
