//! Lists for providers that search themselves: whole tools, exactly within the budget, the best matches first.

use std::sync::Arc;

use serde_json::value::RawValue;

use crate::data::tool_lists;
use tollgate_planners::tools::{Catalogue, ListRequest, ToolDef, ToolView, count_list};
use tollgate_tokenizers::Tokenizer;

fn catalogue(tools: Vec<ToolDef>) -> Catalogue {
    let tokenizer = Tokenizer::by_name("o200k_base").unwrap_or_else(|error| unreachable!("{error}"));
    Catalogue::build(tools, tokenizer)
}

fn tool(name: &str, about: &str) -> ToolDef {
    let text = format!(r#"{{"name":"{name}","description":"{about}","inputSchema":{{"type":"object"}}}}"#);
    let definition = RawValue::from_string(text).unwrap_or_else(|error| unreachable!("{error}"));
    ToolDef { server: "s".into(), name: name.into(), exposed: name.into(), definition: Arc::from(definition) }
}

fn listed(catalogue: &Catalogue, budget: u32, query: &str, pin: &str) -> Result<Vec<String>, String> {
    let request = ListRequest { budget: Some(budget), pins: &|def| def.name == pin, query: Some(query) };
    let plan = catalogue.plan_whole(&request).map_err(|error| error.to_string())?;
    assert!(plan.entries.iter().all(|it| it.view.is_none_or(|view| view == ToolView::Full)));
    let entries = catalogue.list_json(&plan);
    assert_eq!(plan.total_tokens, count_list(entries.iter().map(|it| &**it), catalogue.tokenizer()));
    assert!(plan.total_tokens <= u64::from(budget));
    let names = plan.entries.iter().filter(|it| it.view.is_some());
    Ok(names.map(|it| catalogue.tools()[it.idx].exposed.clone()).collect())
}

#[test]
fn what_matches_is_listed_and_the_rest_is_left_out() {
    let catalogue = catalogue(vec![
        tool("send_mail", "Sends a letter to somebody"),
        tool("read_weather", "Tells the weather of a city"),
        tool("drop_table", "Deletes a table of the database"),
    ]);
    for (budget, query, pin, expected) in [
        (1000, "", "", &["send_mail", "read_weather", "drop_table"][..]),
        (60, "what is the weather?", "", &["read_weather"]),
        (60, "zzz", "", &[]),
        (60, "zzz", "drop_table", &["drop_table"]),
        (60, "the weather, and a letter", "drop_table", &["read_weather", "drop_table"]),
        (35, "a letter", "drop_table", &["drop_table"]),
    ] {
        assert_eq!(listed(&catalogue, budget, query, pin).unwrap(), expected, "{budget} {query} {pin}");
    }
    let error = listed(&catalogue, 10, "", "drop_table").unwrap_err();
    assert!(error.contains("a budget of 10 is too small; at least"), "{error}");
}

#[test]
fn real_tools_fit_their_budget() {
    let Some(lists) = tool_lists() else { return };
    let catalogue = catalogue(lists.into_iter().flat_map(|(_, tools)| tools).collect());
    for budget in [10, 1000, 8000] {
        for query in ["commit my changes and push them", "take a screenshot of the page", ""] {
            let names = listed(&catalogue, budget, query, "").unwrap();
            assert_eq!(names.is_empty(), budget < 1000 || query.is_empty(), "{budget} {query}: {names:?}");
        }
    }
}
