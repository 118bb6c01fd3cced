//! A table of results: data first, so that it becomes text, JSON, Markdown or HTML where it is shown.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Rows under named columns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// One word, the key in JSON.
    pub name: String,
    /// What it shows, and in which unit.
    pub title: String,
    /// The columns' names.
    pub columns: Vec<String>,
    /// The rows, a cell for each column.
    pub rows: Vec<Vec<Cell>>,
    /// What a reader must know, a line each.
    pub notes: Vec<String>,
}

/// One value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Cell {
    /// A number of things.
    Count(u64),
    /// A measurement, shown with one digit after the point; percentages are numbers up to 100.
    Number(f64),
    /// Words.
    Text(String),
    /// Nothing to say.
    None,
}

impl Table {
    /// A table without rows yet.
    #[must_use]
    pub fn new(name: &str, title: &str, columns: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            title: title.to_owned(),
            columns: columns.iter().map(|it| (*it).to_owned()).collect(),
            ..Self::default()
        }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// Its rows as objects.
    #[must_use]
    pub fn json(&self) -> Value {
        let row = |cells: &Vec<Cell>| {
            let fields = self.columns.iter().zip(cells).map(|(column, cell)| (column.clone(), cell.json()));
            Value::Object(fields.collect::<Map<_, _>>())
        };
        let rows: Vec<Value> = self.rows.iter().map(row).collect();
        json!({"title": self.title, "rows": rows, "notes": self.notes})
    }

    /// Whether a column holds numbers.
    #[must_use]
    pub fn is_number(&self, column: usize) -> bool {
        let mut cells = self.rows.iter().filter_map(|it| it.get(column)).filter(|it| **it != Cell::None).peekable();
        cells.peek().is_some() && cells.all(|it| !matches!(it, Cell::Text(_)))
    }

    /// It as Markdown has tables.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = format!("**{}**\n\n| {} |\n|", self.title, self.columns.join(" | "));
        for column in 0..self.columns.len() {
            text += if self.is_number(column) { "---:|" } else { "---|" };
        }
        for row in &self.rows {
            let cells: Vec<String> = row.iter().map(|it| it.shown().replace('|', "\\|")).collect();
            let _ = write!(text, "\n| {} |", cells.join(" | "));
        }
        text.push('\n');
        for note in &self.notes {
            let _ = write!(text, "\n{note}\n");
        }
        text
    }
}

impl Cell {
    /// As people read it.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Count(count) => grouped(*count),
            Self::Number(number) => format!("{number:.1}"),
            Self::Text(text) => text.clone(),
            Self::None => "-".to_owned(),
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Count(count) => json!(count),
            Self::Number(number) => json!((number * 1e4).round() / 1e4),
            Self::Text(text) => json!(text),
            Self::None => Value::Null,
        }
    }
}

/// `12,345`.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Cell {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<usize> for Cell {
    fn from(count: usize) -> Self {
        Self::Count(count as u64)
    }
}

impl From<f64> for Cell {
    fn from(number: f64) -> Self {
        if number.is_finite() { Self::Number(number) } else { Self::None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_shown_in_each_form() {
        let mut table = Table::new("sizes", "Sizes", &["set", "tools", "share"]);
        table.row(vec!["a|b".into(), 12_345usize.into(), 0.25f64.into()]);
        table.row(vec!["c".into(), 7usize.into(), f64::NAN.into()]);
        let expected =
            "**Sizes**\n\n| set | tools | share |\n|---|---:|---:|\n| a\\|b | 12,345 | 0.2 |\n| c | 7 | - |\n";
        assert_eq!(table.markdown(), expected);
        assert_eq!(table.json()["rows"][0]["share"], json!(0.25));
        assert_eq!(table.json()["rows"][1]["share"], Value::Null);
    }
}
