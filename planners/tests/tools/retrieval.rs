//! Recall of the default ranker on sets with ground truth, never below the baseline it replaces.

use serde::Deserialize;
use serde_json::Value;
use tollgate_planners::tools::{Document, RANKERS, ToolDef};

#[derive(Deserialize)]
struct Query {
    query: String,
    rel: Vec<String>,
    /// Tools that do the same: any one of a group is as good as the others.
    #[serde(default)]
    rel_groups: Vec<Vec<String>>,
}

#[derive(Deserialize)]
struct Identified {
    id: String,
}

struct Set {
    ids: Vec<String>,
    tools: Vec<ToolDef>,
    queries: Vec<Query>,
}

fn load(name: &str, with_distractors: bool) -> Option<Set> {
    let folder = crate::data::path(&format!("retrieval/{name}"))?;
    let read = |file: &str| std::fs::read_to_string(folder.join(file)).ok();
    let mut corpus = read("corpus.jsonl")?;
    if with_distractors {
        corpus += "\n";
        corpus += &std::fs::read_to_string(crate::data::path("toucan/mcp_tools.jsonl")?).ok()?;
    }
    let ids: Vec<String> =
        corpus.lines().filter_map(|line| Some(serde_json::from_str::<Identified>(line).ok()?.id)).collect();
    let tools = crate::data::corpus(&corpus, usize::MAX);
    assert_eq!(ids.len(), tools.len(), "{name}");
    let parsed = |line: &str| serde_json::from_str::<Query>(line).ok();
    // One query of livemcpbench asks for nothing that is in the corpus.
    let queries = read("queries.jsonl")?.lines().filter_map(parsed).filter(|query| !query.rel.is_empty()).collect();
    Some(Set { ids, tools, queries })
}

impl Query {
    fn groups(&self) -> Vec<Vec<String>> {
        if self.rel_groups.is_empty() {
            return self.rel.iter().map(|id| vec![id.clone()]).collect();
        }
        self.rel_groups.clone()
    }
}

fn document(tool: &ToolDef) -> Document {
    let parsed: Value = serde_json::from_str(tool.definition.get()).unwrap_or_default();
    Document::new(tool, parsed["description"].as_str().unwrap_or_default(), &parsed["inputSchema"])
}

/// Mean over the queries of the share of wanted groups among the first `k`, for each `k`, in percent.
fn recall(set: Set, at: &[usize]) -> Vec<f64> {
    let ranker = (RANKERS[0].build)(&set.tools.iter().map(document).collect::<Vec<_>>());
    let mut sums = vec![0.0; at.len()];
    for query in &set.queries {
        let found = ranker.rank(&query.query);
        let groups = query.groups();
        for (sum, &k) in sums.iter_mut().zip(at) {
            let top: Vec<&String> = found.iter().take(k).map(|found| &set.ids[found.idx]).collect();
            let n_found = groups.iter().filter(|group| group.iter().any(|id| top.contains(&id))).count();
            *sum += n_found as f64 / groups.len() as f64;
        }
    }
    sums.into_iter().map(|sum| 100.0 * sum / set.queries.len() as f64).collect()
}

#[test]
fn recall_is_not_below_the_baseline() {
    for (name, with_distractors, floors) in [
        ("livemcpbench", false, [42.0, 48.0]),
        ("livemcpbench", true, [22.0, 26.0]),
        ("bfcl_live_multiple_pooled", false, [86.0, 91.5]),
        ("metatool_multi", false, [56.3, 67.1]),
    ] {
        let Some(set) = load(name, with_distractors) else {
            continue;
        };
        let measured = recall(set, &[5, 10]);
        eprintln!("{name} with distractors {with_distractors}: R@5 {:.1}, R@10 {:.1}", measured[0], measured[1]);
        for (measured, floor) in measured.iter().zip(floors) {
            assert!(*measured >= floor, "{name}: {measured:.1} is below {floor}");
        }
    }
}
