//! What each part of a list costs, such that parts add up to the whole exactly.
//!
//! A list is cut inside its keys, between the last letter and the closing quote:
//! `[{"name` · `":"a","description` · `":"..","inputSchema` · `":{..}},{"name` · `":"b",..` No vocabulary merges a
//! letter with a quote behind it, so the tokens of the pieces are the tokens of the list, and a tool costs the same
//! wherever it stands. Only the last entry ends in `}]` instead of `},{"name`.

use tollgate_tokenizers::Tokenizer;

use super::raw::json_string;
use super::rendering::ParsedTool;
use super::view::{LADDER, ToolView};

/// How a list opens, up to the first cut.
const OPENING: &str = r#"[{"name"#;

/// How an entry ends before another one, up to the cut in that one.
const BEFORE_ANOTHER: &str = r#"},{"name"#;

/// How the last entry ends.
const AT_THE_END: &str = "}]";

/// Tokens of one tool in each view of [`LADDER`], and of its definition as the upstream wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Costs {
    pub(super) views: [u32; LADDER.len()],
    pub(super) original: u32,
}

/// Counts every view of `tool`, each distinct part once.
pub(super) fn costs(tool: &ParsedTool<'_>, tokenizer: Tokenizer) -> Costs {
    let described = head_cost(tool, ToolView::Full, tokenizer);
    let (original, reduced) = (tool.schema.to_string(), tool.schema_in(ToolView::Full));
    let reduced_cost = schema_cost(&reduced, tokenizer);
    let open_cost = schema_cost(&tool.schema_in(ToolView::Signature), tokenizer);
    Costs {
        views: LADDER.map(|view| match view {
            ToolView::Name => count(&format!(", {}", tool.name), tokenizer),
            ToolView::Summary => index_line_cost(&tool.summary_line(), tokenizer),
            ToolView::Signature | ToolView::Described => head_cost(tool, view, tokenizer) + open_cost,
            ToolView::Pruned => described + schema_cost(&tool.schema_in(view), tokenizer),
            ToolView::Full => described + reduced_cost,
        }),
        original: described + if original == reduced { reduced_cost } else { schema_cost(&original, tokenizer) },
    }
}

/// Tokens of the entry of a tool as it was defined.
pub(super) fn original_cost(tool: &ParsedTool<'_>, tokenizer: Tokenizer) -> u32 {
    head_cost(tool, ToolView::Full, tokenizer) + schema_cost(&tool.schema.to_string(), tokenizer)
}

fn head_cost(tool: &ParsedTool<'_>, view: ToolView, tokenizer: Tokenizer) -> u32 {
    let description = tool.description_in(view);
    let next_key = if description.is_some() { "description" } else { "inputSchema" };
    let name = count(&format!(r#"":{},"{next_key}"#, json_string(tool.name)), tokenizer);
    let describe = |text: &str| count(&format!(r#"":{},"inputSchema"#, json_string(text)), tokenizer);
    name + description.map_or(0, |text| describe(&text))
}

fn schema_cost(schema: &str, tokenizer: Tokenizer) -> u32 {
    count(&schema_piece(schema, BEFORE_ANOTHER), tokenizer)
}

/// Tokens of a line of the index, as JSON writes it inside a string.
pub(super) fn index_line_cost(line: &str, tokenizer: Tokenizer) -> u32 {
    count(&index_piece(line), tokenizer)
}

/// Tokens of a list of entries that cost `entries` together and end in the input schema `last`; of an empty list if
/// there is no last one.
pub(super) fn list_tokens(entries: u64, last: Option<&str>, tokenizer: Tokenizer) -> u64 {
    let count = |text: &str| tokenizer.count_rest(text) as u64;
    let Some(last) = last else { return tokenizer.count("[]") as u64 };
    let (as_counted, as_written) = (schema_piece(last, BEFORE_ANOTHER), schema_piece(last, AT_THE_END));
    tokenizer.count(OPENING) as u64 + entries + count(&as_written) - count(&as_counted)
}

fn schema_piece(schema: &str, end: &str) -> String {
    format!("\":{schema}{end}")
}

fn index_piece(line: &str) -> String {
    let quoted = json_string(&format!("\n{line}"));
    quoted[1..quoted.len() - 1].to_owned()
}

fn count(text: &str, tokenizer: Tokenizer) -> u32 {
    // Every part but the opening stands behind another one.
    u32::try_from(tokenizer.count_rest(text)).unwrap_or(u32::MAX)
}
