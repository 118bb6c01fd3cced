//! Rows as a table for people or as JSON, one object a line.

use serde_json::{Map, Value, json};

/// Columns in their order.
pub type Row = Vec<(&'static str, Value)>;

/// A number with three digits after the point.
pub fn number(value: f64) -> Value {
    json!((value * 1e3).round() / 1e3)
}

/// Prints them under a title.
pub fn print(title: &str, rows: &[Row], as_json: bool) {
    if as_json {
        for row in rows {
            let mut object = Map::from_iter([("measurement".to_owned(), json!(title))]);
            object.extend(row.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
            println!("{}", Value::Object(object));
        }
        return;
    }
    println!("\n{title}");
    let Some(first) = rows.first() else { return };
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    let width = |column: usize| {
        let cells = rows.iter().map(|row| text(&row[column].1).chars().count());
        cells.chain([first[column].0.len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..first.len()).map(width).collect();
    let line = |cells: Vec<String>| {
        let padded = cells.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            if column < 2 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        println!("{}", padded.collect::<Vec<_>>().join("  ").trim_end());
    };
    line(first.iter().map(|(name, _)| (*name).to_owned()).collect());
    for row in rows {
        line(row.iter().map(|(_, value)| text(value)).collect());
    }
}
