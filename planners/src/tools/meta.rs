//! The three meta-tools, through which everything that a list leaves out stays reachable.
//!
//! They are stable for all sessions: a list never changes because of what a client searched for.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::raw::raw_value;
use super::view::ToolView;

/// Finds tools by what they do.
pub const SEARCH_TOOLS: &str = "search_tools";

/// Shows one tool's whole definition.
pub const DESCRIBE_TOOL: &str = "describe_tool";

/// Calls a tool that the list does not have as an entry.
pub const CALL_TOOL: &str = "call_tool";

/// The reserved names, in the order in which the tools are listed.
pub const META_TOOLS: [&str; 3] = [SEARCH_TOOLS, DESCRIBE_TOOL, CALL_TOOL];

/// Opens the index inside `search_tools`' description.
pub(super) const INDEX_HEADING: &str = "\n\nOther tools, by server:";

/// The definitions of the meta-tools; `index` (lines, each after its line end) is part of the first one's description.
pub(super) fn definitions(index: &str) -> [Box<RawValue>; 3] {
    let heading = if index.is_empty() { "" } else { INDEX_HEADING };
    let search = format!(
        "Find tools by what they do; more exist than are listed. Returns names, signatures and first sentences.{heading}{index}"
    );
    [
        tool(
            SEARCH_TOOLS,
            &search,
            json!({
                "query": {"type": "string", "description": "What the tool should do, in a few words; empty lists all names"},
                "server": {"type": "string", "description": "Only tools of this server"},
                "limit": {"type": "integer", "description": "Most results to return"},
            }),
            &["query"],
        ),
        tool(
            DESCRIBE_TOOL,
            "Get a tool's full description and input schema before calling it.",
            json!({
                "name": {"type": "string"},
            }),
            &["name"],
        ),
        tool(
            CALL_TOOL,
            "Call any tool by name, listed or not. Arguments must match its input schema.",
            json!({
                "name": {"type": "string"},
                "arguments": {"type": "object"},
            }),
            &["name"],
        ),
    ]
}

fn tool(name: &str, description: &str, properties: Value, required: &[&str]) -> Box<RawValue> {
    let definition = json!({
        "name": name,
        "description": description,
        "inputSchema": {"type": "object", "properties": properties, "required": required},
    });
    raw_value(definition.to_string())
}

/// The index: for each server, in the order of its first tool, one line of names and one line per summary.
///
/// `tools` are `(server, view, text)` where the text is the name or the summary line.
pub(super) fn index_text<'a>(tools: impl Iterator<Item = (&'a str, ToolView, String)>) -> String {
    let mut servers: indexed::Groups<'a> = indexed::Groups::default();
    for (server, view, text) in tools {
        servers.push(server, view == ToolView::Name, text);
    }
    servers.into_text()
}

mod indexed {
    //! Lines grouped by server in the order in which servers first appear.

    use rustc_hash::FxHashMap;

    #[derive(Default)]
    struct Group {
        names: Vec<String>,
        lines: Vec<String>,
    }

    #[derive(Default)]
    pub(super) struct Groups<'a> {
        places: FxHashMap<&'a str, usize>,
        groups: Vec<(&'a str, Group)>,
    }

    impl<'a> Groups<'a> {
        pub(super) fn push(&mut self, server: &'a str, is_name: bool, text: String) {
            let place = *self.places.entry(server).or_insert_with(|| {
                self.groups.push((server, Group::default()));
                self.groups.len() - 1
            });
            let group = &mut self.groups[place].1;
            if is_name { group.names.push(text) } else { group.lines.push(text) }
        }

        pub(super) fn into_text(self) -> String {
            let mut text = String::new();
            for (server, group) in self.groups {
                if !group.names.is_empty() {
                    text += &format!("\n{server}: {}", group.names.join(", "));
                }
                for line in group.lines {
                    text += &format!("\n{line}");
                }
            }
            text
        }
    }
}
