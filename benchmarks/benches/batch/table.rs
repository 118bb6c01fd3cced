//! Rows as text or JSON.

use serde_json::{Value, json};

/// A table of objects that have the same fields.
pub struct Table {
    pub name: &'static str,
    pub title: &'static str,
    pub seeds: u64,
    pub rows: Vec<Value>,
}

/// Mean and half of the 95 % interval.
pub fn interval((mean, half): (f64, f64)) -> String {
    format!("{mean:.2} ±{half:.2}")
}

pub fn percent(value: f64) -> String {
    format!("{value:.2}")
}

impl Table {
    pub fn json(&self) -> String {
        json!({ "table": self.name, "title": self.title, "seeds": self.seeds, "rows": self.rows }).to_string()
    }

    /// As Markdown.
    pub fn text(&self) -> String {
        let mut text = format!("### {} ({} seeds)\n\n", self.title, self.seeds);
        let Some(Value::Object(first)) = self.rows.first() else { return text };
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        text.push_str(&line(first.keys().cloned().collect()));
        text.push_str(&line(vec!["---".to_owned(); first.len()]));
        for row in self.rows.iter().filter_map(Value::as_object) {
            text.push_str(&line(row.values().map(cell).collect()));
        }
        text
    }
}

fn cell(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
