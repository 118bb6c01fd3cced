//! Tools of conversations: what was listed stays listed, in its place and in its bytes.

use crate::data::tool_lists;
use tollgate_planners::tools::{Catalogue, ToolDef, Turn, TurnsPlan, TurnsRequest, count_list};
use tollgate_tokenizers::Tokenizer;

const TEXTS: &[&str] = &[
    "commit my changes and push them",
    "now open a pull request on github",
    "what is the weather in Oslo tomorrow",
    "take a screenshot of the page in the browser",
    "搜索",
    "",
    "remember that I like tea",
];

fn catalogue() -> Option<Catalogue> {
    let tools = tool_lists()?.into_iter().flat_map(|(_, tools)| tools).collect();
    Some(Catalogue::build(tools, Tokenizer::by_name("o200k_base").ok()?))
}

fn planned(catalogue: &Catalogue, budget: u32, texts: &[&str], tokens_a_turn: usize) -> TurnsPlan {
    let turn = |(idx, text)| Turn { text, tokens_before: idx * tokens_a_turn };
    let turns: Vec<Turn<'_>> = texts.iter().copied().enumerate().map(turn).collect();
    let plan = catalogue.plan_turns(&TurnsRequest { budget, pins: &|_| false, turns: &turns });
    plan.unwrap_or_else(|error| unreachable!("{budget}: {error}"))
}

fn bytes(catalogue: &Catalogue, plan: &TurnsPlan) -> Vec<String> {
    catalogue.turns_json(plan).iter().map(|entry| entry.get().to_owned()).collect()
}

#[test]
fn a_longer_conversation_begins_with_the_same_tools() {
    let Some(catalogue) = catalogue() else { return };
    for budget in [400, 1_000, 4_000, 16_000] {
        let mut before = bytes(&catalogue, &planned(&catalogue, budget, &TEXTS[..1], 100));
        for n_turns in 2..=TEXTS.len() {
            let plan = planned(&catalogue, budget, &TEXTS[..n_turns], 100);
            let now = bytes(&catalogue, &plan);
            assert_eq!(now[..before.len()], before, "{budget} {n_turns}");
            let entries = catalogue.turns_json(&plan);
            let counted = count_list(entries.iter().map(|it| &**it), catalogue.tokenizer());
            assert_eq!(plan.total_tokens, counted, "{budget} {n_turns}");
            assert!(counted <= u64::from(budget), "{budget} {n_turns}: {counted}");
            before = now;
        }
    }
}

#[test]
fn tools_are_added_while_nothing_is_cached() {
    let Some(catalogue) = catalogue() else { return };
    let added = |tokens_a_turn| {
        let plan = planned(&catalogue, 4_000, &TEXTS[..2], tokens_a_turn);
        plan.added.iter().map(|it| catalogue.tools()[it.idx].server.clone()).collect::<Vec<_>>()
    };
    assert!(added(100).iter().any(|server| server.starts_with("github")), "{:?}", added(100));
    assert_eq!(added(1024), [""; 0]);
}

#[test]
fn what_fits_is_listed_whole_and_never_changes() {
    let Some(catalogue) = catalogue() else { return };
    let plan = planned(&catalogue, 200_000, TEXTS, 100);
    assert!(plan.added.is_empty() && !plan.first.has_meta_tools());
    assert_eq!(plan.listed().count(), catalogue.tools().len());
}

#[test]
fn pins_beyond_the_first_share_are_listed_and_beyond_the_budget_refused() {
    let Some(catalogue) = catalogue() else { return };
    let pins = |tool: &ToolDef| tool.server == "git";
    let turns = [Turn { text: TEXTS[3], tokens_before: 0 }];
    let plan = |budget| catalogue.plan_turns(&TurnsRequest { budget, pins: &pins, turns: &turns });
    let needed = plan(300).unwrap_err().needed;
    let exactly = plan(u32::try_from(needed).unwrap()).unwrap();
    let is_pinned = |(idx, _): &(usize, _)| catalogue.tools()[*idx].server == "git";
    let n_pinned = catalogue.tools().iter().filter(|tool| tool.server == "git").count();
    assert_eq!(exactly.listed().filter(is_pinned).count(), n_pinned);
}
