//! Plans over real tool lists: what is promised is what would be sent.

use std::sync::Arc;

use crate::data::{tool_lists, toucan};
use proptest::prelude::*;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tollgate_planners::tools::{
    Catalogue, ListRequest, META_TOOLS, NamePolicy, SearchRequest, ToolDef, ToolView, count_list, exposed_names, search,
};
use tollgate_tokenizers::{TOKENIZERS, Tokenizer};

fn o200k() -> Tokenizer {
    Tokenizer::by_name("o200k_base").unwrap_or_else(|error| unreachable!("{error}"))
}

fn tool(server: &str, json: &str) -> ToolDef {
    let raw = RawValue::from_string(json.to_owned()).unwrap_or_default();
    let parsed: Value = serde_json::from_str(json).unwrap_or_default();
    let name = parsed["name"].as_str().unwrap_or_default().to_owned();
    ToolDef { server: server.to_owned(), exposed: format!("{server}__{name}"), name, definition: Arc::from(raw) }
}

/// Vocabularies of texts: in those of binary files the smallest list is over the smallest budget.
fn text_tokenizers() -> Vec<Tokenizer> {
    let names = TOKENIZERS.iter().map(|it| &*it.name).filter(|it| !it.starts_with("binary-"));
    names.filter_map(|it| Tokenizer::by_name(it).ok()).collect()
}

/// The plan's own figure against a count of the entries that would be sent.
fn assert_exact(catalogue: &Catalogue, request: &ListRequest<'_>, label: &str) -> u64 {
    let plan = match catalogue.plan(request) {
        Ok(plan) => plan,
        Err(error) => unreachable!("{label}: {error}"),
    };
    let entries = catalogue.list_json(&plan);
    let counted = count_list(entries.iter().map(|entry| &**entry), catalogue.tokenizer());
    assert_eq!(plan.total_tokens, counted, "{label}");
    assert!(request.budget.is_none_or(|budget| counted <= u64::from(budget)), "{label}: {counted}");
    assert_eq!(plan.entries.len(), catalogue.tools().len(), "{label}");
    counted
}

#[test]
fn totals_are_exact_and_within_the_budget() {
    let Some(lists) = tool_lists() else { return };
    for tokenizer in text_tokenizers() {
        for (server, tools) in &lists {
            let catalogue = Catalogue::build(tools.clone(), tokenizer);
            let full = assert_exact(&catalogue, &ListRequest::everything(), server);
            assert_eq!(full, catalogue.full_tokens(), "{server}");
            for budget in [300, 1_000, 4_000, 16_000] {
                assert_exact(&catalogue, &ListRequest::within(budget), &format!("{server} {budget}"));
            }
        }
    }
}

#[test]
fn all_servers_together_fit_any_budget() {
    let Some(lists) = tool_lists() else { return };
    let catalogue = Catalogue::build(lists.into_iter().flat_map(|(_, tools)| tools).collect(), o200k());
    for query in [None, Some("commit my changes and push them"), Some("搜索"), Some("zzzz")] {
        let mut last = 0.0;
        for budget in [250, 600, 1_500, 4_000, 9_000, 20_000, 45_000, 90_000] {
            let request = ListRequest { budget: Some(budget), pins: &|_| false, query };
            let total = assert_exact(&catalogue, &request, &format!("{query:?} {budget}"));
            let plan = catalogue.plan(&request).unwrap();
            let used = total as f64 / f64::from(budget);
            let is_all = plan.entries.iter().all(|entry| entry.view == Some(ToolView::Full));
            assert!(query.is_some() || is_all || budget < 600 || used > 0.97, "{query:?} {budget}: {used}");
            let fidelity: f64 = plan.entries.iter().filter_map(|entry| Some(entry.view?.fidelity())).sum();
            assert!(fidelity >= last, "{query:?} {budget}");
            last = fidelity;
        }
    }
}

#[test]
fn pins_are_full_and_too_many_of_them_are_refused() {
    let Some(lists) = tool_lists() else { return };
    let catalogue = Catalogue::build(lists.into_iter().flat_map(|(_, tools)| tools).collect(), o200k());
    let pins = |tool: &ToolDef| tool.server == "git";
    let request = ListRequest { budget: Some(4_000), pins: &pins, query: Some("weather") };
    assert_exact(&catalogue, &request, "pinned");
    let plan = catalogue.plan(&request).unwrap();
    for entry in plan.entries.iter().filter(|entry| pins(&catalogue.tools()[entry.idx])) {
        assert_eq!(entry.view, Some(ToolView::Full));
    }
    let refused = catalogue.plan(&ListRequest { budget: Some(900), ..request }).unwrap_err();
    assert!(refused.needed > 900 && refused.budget == 900);
    let needed = u32::try_from(refused.needed).unwrap();
    assert_exact(&catalogue, &ListRequest { budget: Some(needed), ..request }, "what the error says is enough");
    assert!(catalogue.plan(&ListRequest::within(10)).is_err());
}

#[test]
fn what_a_query_leaves_of_the_budget_shows_the_rest() {
    let described = "Reads one entry of the ledger and says who wrote it, when that was, and what it replaced.";
    let other = |n: usize| json!({"name": format!("ledger_{n}"), "description": described, "inputSchema": {}});
    let weather = json!({"name": "weather", "description": "The weather of a city.", "inputSchema": {}});
    let tools = (0..60).map(other).chain([weather]).map(|it| tool("s", &it.to_string()));
    let catalogue = Catalogue::build(tools.collect(), o200k());
    for budget in [400, 700, 1_000] {
        let request = ListRequest { query: Some("weather"), ..ListRequest::within(budget) };
        let total = assert_exact(&catalogue, &request, "rest");
        assert!(total * 100 >= u64::from(budget) * 95, "{total} of {budget}");
        let entries = catalogue.plan(&request).unwrap().entries;
        assert_eq!(entries[60].view, Some(ToolView::Full), "{budget}");
        assert!(entries[..60].iter().any(|entry| entry.view.is_some()), "{budget}");
    }
}

#[test]
fn plans_are_deterministic() {
    let Some(tools) = toucan(1_000) else { return };
    let texts = || {
        let catalogue = Catalogue::build(tools.clone(), o200k());
        let plan =
            catalogue.plan(&ListRequest { query: Some("weather in paris"), ..ListRequest::within(5_000) }).unwrap();
        catalogue.list_json(&plan).iter().map(|entry| entry.get().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(texts(), texts());
}

#[test]
fn everything_else_of_a_definition_is_untouched() {
    let json = r#"{ "title": "T",  "name":"a", "annotations": { "x": 1.00e5 },
        "inputSchema": {"$schema": "s", "type": "object", "properties": {"q": {"type": "string", "title": "Q"}}},
        "description": "Does a. And more.", "_meta": {"k":[ 1 ]}}"#;
    let catalogue = Catalogue::build(vec![tool("s", json)], o200k());
    for (view, expected) in [
        (
            ToolView::Full,
            r#""inputSchema":{"type":"object","properties":{"q":{"type":"string"}}},"description":"Does a. And more.""#,
        ),
        (ToolView::Signature, r#""inputSchema":{"type":"object"},"description":"(q?: string) Does a.""#),
        (ToolView::Described, r#""inputSchema":{"type":"object"},"description":"(q?: string) Does a. And more.""#),
    ] {
        let (before, after) =
            (r#"{"title":"T","name":"s__a","annotations":{ "x": 1.00e5 },"#, r#","_meta":{"k":[ 1 ]}}"#);
        assert_eq!(catalogue.entry_json(0, view).get(), format!("{before}{expected}{after}"));
    }
    let described = catalogue.describe(0).get().to_owned();
    assert!(
        described.contains(r#""annotations":{ "x": 1.00e5 }"#) && described.contains(r#"{"$schema": "s", "#),
        "{described}"
    );
}

#[test]
fn a_definition_with_its_exposed_name_keeps_every_byte() {
    let mut one = tool("s", r#"{ "name" : "a",  "x":1 , "inputSchema":{ } }"#);
    one.exposed = "a".to_owned();
    let catalogue = Catalogue::build(vec![one.clone()], o200k());
    let plan = catalogue.plan(&ListRequest::everything()).unwrap();
    assert_eq!(catalogue.list_json(&plan)[0].get(), one.definition.get());
}

#[test]
fn malformed_definitions_are_listed_and_noted() {
    let tools = [
        (r#"{"name": "a"}"#, 1),
        (r#"{"name": "b", "inputSchema": 5, "description": ["x"]}"#, 2),
        (r#"{"name": "c", "inputSchema": {}, "description": null}"#, 0),
        ("[]", 1),
    ];
    let catalogue = Catalogue::build(tools.iter().map(|(json, _)| tool("s", json)).collect(), o200k());
    for (idx, (json, n_notes)) in tools.iter().enumerate() {
        assert_eq!(catalogue.notes().iter().filter(|note| note.idx == idx).count(), *n_notes, "{json}");
    }
    for budget in [None, Some(250), Some(400), Some(10_000)] {
        assert_exact(&catalogue, &ListRequest { budget, ..ListRequest::everything() }, &format!("{budget:?}"));
    }
    assert_exact(&Catalogue::build(Vec::new(), o200k()), &ListRequest::within(200), "empty");
}

#[test]
fn meta_tools_come_first_and_only_when_something_is_left_out() {
    let Some(lists) = tool_lists() else { return };
    for (server, tools) in lists {
        let catalogue = Catalogue::build(tools, o200k());
        for budget in [None, Some(700), Some(1_000_000)] {
            let plan = catalogue.plan(&ListRequest { budget, ..ListRequest::everything() }).unwrap();
            let entries = catalogue.list_json(&plan);
            let names: Vec<Value> =
                entries.iter().filter_map(|e| serde_json::from_str::<Value>(e.get()).ok()).collect();
            let n_meta = names.iter().filter(|e| META_TOOLS.iter().any(|meta| e["name"] == *meta)).count();
            assert_eq!(n_meta, if plan.has_meta_tools() { 3 } else { 0 }, "{server} {budget:?}");
            assert!(n_meta == 0 || (0..3).all(|at| names[at]["name"] == META_TOOLS[at]), "{server}");
            let is_complete = plan.entries.iter().all(|entry| entry.view == Some(ToolView::Full));
            assert!(is_complete || plan.has_meta_tools(), "{server} {budget:?}");
        }
    }
}

#[test]
fn searches_stay_within_their_budget() {
    let Some(tools) = toucan(1_500) else { return };
    let catalogue = Catalogue::build(tools, o200k());
    let server = catalogue.tools()[0].server.clone();
    for query in ["weather forecast", "", "search the web", "qqqq", "图像"] {
        for server in [None, Some(server.as_str()), Some("no such server")] {
            for budget in [60, 300, 2_000] {
                let found = search(&catalogue, &SearchRequest { query, server, limit: 10, budget });
                let label = format!("{query} {server:?} {budget}: {}", found.text);
                assert!(o200k().count(&found.text) <= budget as usize, "{label}");
                assert!(found.shown <= found.total_matches, "{label}");
                assert!(query.is_empty() || found.shown <= 10, "{label}");
                let says_more =
                    found.text.contains("more") || found.text.contains("unknown") || found.text.contains("No tool");
                assert!(found.shown == found.total_matches || says_more, "{label}");
            }
        }
    }
    let found = search(&catalogue, &SearchRequest { query: "weather forecast", server: None, limit: 5, budget: 1_000 });
    assert!(
        found.shown == 5 && found.text.starts_with("5 of ") && found.text.contains("raise `limit`"),
        "{}",
        found.text
    );
}

#[test]
fn exposed_names_of_real_servers_are_unique() {
    let Some(tools) = toucan(usize::MAX) else {
        return;
    };
    let pairs: Vec<(&str, &str)> = tools.iter().map(|tool| (tool.server.as_str(), tool.name.as_str())).collect();
    for policy in [NamePolicy::Always, NamePolicy::OnCollision] {
        let names = exposed_names(&pairs, policy);
        let unique: std::collections::HashSet<&String> = names.iter().collect();
        assert_eq!(unique.len(), names.len());
        assert!(
            names.iter().all(|name| {
                name.len() <= 64 && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
            })
        );
    }
}

/// Words, quotes, escapes and scripts, wherever a server may put them.
fn odd_text() -> impl Strategy<Value = String> {
    let bit = prop_oneof!["[a-zA-Z ]{1,12}", "[\"\\\\/'{}\\[\\],.:\n\t ]{1,4}", "[一-龥。é🙂٣]{1,4}", "[0-9]{1,4}"];
    prop::collection::vec(bit, 0..12).prop_map(|bits| bits.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(50))]

    #[test]
    fn totals_of_odd_definitions_are_exact(
        texts in prop::collection::vec((odd_text(), odd_text(), odd_text(), any::<bool>()), 0..12),
        budget in 230u32..1_500,
    ) {
        let define = |(n, (description, property, title, has_description)): (usize, &(String, String, String, bool))| {
            let mut definition = json!({"name": format!("t{n}"), "inputSchema": {"type": "object", "title": title,
                "properties": {property: {"type": "string", "description": description, "enum": [title]}}}});
            if *has_description {
                definition["description"] = json!(description);
            }
            tool(["one", "two"][n % 2], &definition.to_string())
        };
        let tools: Vec<ToolDef> = texts.iter().enumerate().map(define).collect();
        for tokenizer in text_tokenizers() {
            let catalogue = Catalogue::build(tools.clone(), tokenizer);
            assert_exact(&catalogue, &ListRequest::everything(), "everything");
            assert_exact(&catalogue, &ListRequest::within(budget), "within");
            assert_exact(&catalogue, &ListRequest { query: Some("the tool"), ..ListRequest::within(budget) }, "query");
        }
    }
}
