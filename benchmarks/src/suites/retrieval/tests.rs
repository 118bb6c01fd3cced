//! Measures on hand-made sets.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use tollgate_tokenizers::Tokenizer;

use super::*;
use crate::suite::Files;

struct Memory(Vec<(&'static str, String)>);

impl Files for Memory {
    fn list(&self) -> Result<Vec<String>, String> {
        Ok(self.0.iter().map(|(path, _)| (*path).to_owned()).collect())
    }

    fn read(&self, path: &str) -> Result<String, String> {
        let found = self.0.iter().find(|(known, _)| *known == path);
        found.map(|(_, text)| text.clone()).ok_or_else(|| format!("`{path}` is not there"))
    }
}

fn setting(queries: &[&str]) -> Setting {
    let tool = |id: &str, name: &str| json!({"id": id, "server": "s", "name": name, "description": format!("Works on a {name}."), "inputSchema": null});
    let corpus = ["kite", "lamp", "moss"].map(|name| tool(name, name).to_string()).join("\n");
    let files = vec![("set/corpus.jsonl", corpus), ("set/queries.jsonl", queries.join("\n"))];
    Setting {
        files: Some(Arc::new(Memory(files))),
        distractors: None,
        seed: 0,
        tokenizer: Tokenizer::by_name("o200k_base").unwrap(),
        lengths: vec![],
        tasks_per_cell: 0,
        budgets: vec![60, 4000],
        options: BTreeMap::new(),
    }
}

fn tables(setting: &Setting) -> Vec<Table> {
    let Opened::Tables(tables) = Retrieval.open(setting).unwrap() else { panic!("no tables") };
    tables
}

fn number(table: &Table, row: usize, column: &str) -> f64 {
    let at = table.columns.iter().position(|it| it == column).unwrap();
    let Cell::Number(number) = table.rows[row][at] else { panic!("{column}: {:?}", table.rows[row]) };
    number
}

#[test]
fn a_set_is_measured_by_rank_by_budget_and_in_the_gates_list() {
    let setting = setting(&[
        r#"{"query": "a kite", "rel": ["kite"]}"#,
        r#"{"query": "the lamp please", "rel_groups": [["moss", "lamp"], ["kite"]], "rel": ["x"]}"#,
        r#"{"query": "nothing of ours", "rel": []}"#,
    ]);
    let found = tables(&setting);
    for row in 0..found[0].rows.len() {
        assert_eq!(found[0].rows[row][3], Cell::Count(2), "queries without an answer do not count");
        assert!((number(&found[0], row, "R@5") - 75.0).abs() < 1e-9, "{:?}", found[0].rows[row]);
    }
    let of = |rendering: &str| found[1].rows.iter().position(|row| row[2] == Cell::Text(rendering.into())).unwrap();
    assert!((number(&found[1], of("minified"), "all 4000") - 50.0).abs() < 1e-9);
    assert!(number(&found[1], of("name"), "recall 60") >= number(&found[1], of("pretty"), "recall 60"));
    // All three tools fit in full, so everything is seen and nothing has to be described.
    let last = found[2].rows.len() - 1;
    assert!((number(&found[2], last, "all reachable %") - 100.0).abs() < 1e-9);
    assert!(number(&found[2], last, "describe tokens").abs() < 1e-9);
    assert!(number(&found[2], 0, "all reachable %").abs() < 1e-9, "no list fits in 60 tokens");
}

#[test]
fn distractors_stand_behind_and_mistakes_are_named() {
    let mut setting = setting(&[r#"{"query": "a kite", "rel": ["kite"]}"#]);
    setting.distractors =
        Some(Arc::from("{\"name\": \"kite_store\", \"description\": \"Sells a kite, a kite and a kite.\"}\n"));
    let found = tables(&setting);
    let sets: Vec<&Cell> = found[0].rows.iter().map(|row| &row[0]).collect();
    assert!(sets.contains(&&Cell::Text("set".into())) && sets.contains(&&Cell::Text("set + 1".into())), "{sets:?}");
    setting.options.insert("ranker".into(), "none".into());
    let error = Retrieval.open(&setting).err().unwrap();
    assert!(error.contains("`none`") && error.contains("plain, lexical, bm25"), "{error}");
    let error = Retrieval.open(&super::tests::setting(&[r#"{"query": "q", "rel": ["gone"]}"#])).err().unwrap();
    assert!(error.contains("set/queries.jsonl:1") && error.contains("`gone`"), "{error}");
}

#[test]
fn measures_are_those_of_the_books() {
    let found = |order: &[usize]| order.iter().map(|&idx| Match { idx, score: 1.0 }).collect::<Vec<_>>();
    for (order, groups, k, recall, ndcg) in [
        (vec![0, 1, 2], vec![vec![0]], 1, 1.0, 1.0),
        (vec![1, 0], vec![vec![0]], 2, 1.0, 1.0 / 3.0f64.log2()),
        (vec![1, 0], vec![vec![0]], 1, 0.0, 0.0),
        (vec![0, 3], vec![vec![0, 3], vec![2]], 2, 0.5, 1.0 / (1.0 + 1.0 / 3.0f64.log2())),
        (vec![], vec![vec![0]], 5, 0.0, 0.0),
    ] {
        let found = found(&order);
        assert!((measure::recall(&found, &groups, k) - recall).abs() < 1e-12, "{order:?}");
        assert!((measure::ndcg(&found, &groups, k) - ndcg).abs() < 1e-12, "{order:?}");
    }
    assert_eq!(measure::n_within(&found(&[2, 0, 1]), &[10, 1, 5], 14), 1, "the first that does not fit ends it");
    assert_eq!(measure::n_within(&found(&[2, 1, 0]), &[10, 1, 5], 6), 2);
}
