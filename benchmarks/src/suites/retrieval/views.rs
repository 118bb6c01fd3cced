//! What each tool costs in each rendering.

use serde_json::Value;
use tollgate_planners::tools::{Catalogue, LADDER};
use tollgate_tokenizers::Tokenizer;

use super::data::Set;

/// Costs of all tools in one rendering, in tokens.
pub(super) struct Rendering {
    pub(super) name: &'static str,
    pub(super) costs: Vec<u32>,
}

/// Whole definitions as they stand, minified, and indented; then the gate's views.
pub(super) fn renderings(set: &Set, tokenizer: Tokenizer) -> Vec<Rendering> {
    let count = |text: &str| u32::try_from(tokenizer.count(text)).unwrap_or(u32::MAX);
    let definitions = || set.tools.defs.iter().map(|tool| tool.definition.get());
    let pretty = |text: &str| {
        let value: Value = serde_json::from_str(text).unwrap_or_default();
        serde_json::to_string_pretty(&value).unwrap_or_default()
    };
    let mut renderings = vec![
        Rendering { name: "minified", costs: definitions().map(count).collect() },
        Rendering { name: "pretty", costs: definitions().map(|text| count(&pretty(text))).collect() },
    ];
    let catalogue = Catalogue::build(set.tools.defs.clone(), tokenizer);
    let n_tools = set.tools.defs.len();
    let of = |view| Rendering {
        name: tollgate_planners::tools::ToolView::name(view),
        costs: (0..n_tools).map(|idx| catalogue.cost(idx, view)).collect(),
    };
    renderings.extend(LADDER.into_iter().rev().map(of));
    renderings
}
