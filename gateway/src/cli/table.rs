//! Aligned columns for people.

use std::fmt;

/// Rows of text under a header; columns named with a leading `>` are numbers and align right.
pub struct Table {
    header: Vec<String>,
    right: Vec<bool>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(header: &[&str]) -> Self {
        Self {
            header: header.iter().map(|it| it.trim_start_matches('>').to_owned()).collect(),
            right: header.iter().map(|it| it.starts_with('>')).collect(),
            rows: Vec::new(),
        }
    }

    pub fn row(&mut self, cells: &[String]) {
        self.rows.push(cells.to_vec());
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().filter_map(|it| it.get(column));
        cells.chain(self.header.get(column)).map(|it| it.chars().count()).max().unwrap_or(0)
    }

    fn line(&self, cells: &[String], widths: &[usize]) -> String {
        let padded = cells.iter().zip(widths).zip(&self.right).map(|((cell, width), right)| {
            let fill = " ".repeat(width.saturating_sub(cell.chars().count()));
            if *right { format!("{fill}{cell}") } else { format!("{cell}{fill}") }
        });
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bold = anstyle::Style::new().bold();
        let widths: Vec<_> = (0..self.header.len()).map(|it| self.width(it)).collect();
        writeln!(f, "{bold}{}{bold:#}", self.line(&self.header, &widths))?;
        self.rows.iter().try_for_each(|row| writeln!(f, "{}", self.line(row, &widths)))
    }
}

/// A count with its thousands apart: `137,248`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// So many of what `noun` names: `1 token`, `2,000 tokens`.
pub fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", thousands(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align() {
        let mut table = Table::new(&["tool", ">tokens"]);
        table.row(&["a".into(), "1,000".into()]);
        table.row(&["longer".into(), "7".into()]);
        let plain = anstream::adapter::strip_str(&table.to_string()).to_string();
        assert_eq!(plain, "tool    tokens\na        1,000\nlonger       7\n");
    }

    #[test]
    fn one_is_no_plural() {
        for (number, text) in [(0, "0 tokens"), (1, "1 token"), (2_000, "2,000 tokens")] {
            assert_eq!(count(number, "token"), text);
        }
    }

    #[test]
    fn thousands_are_apart() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (137_248, "137,248"), (1_000_000, "1,000,000")]
        {
            assert_eq!(thousands(number), text);
        }
    }
}
