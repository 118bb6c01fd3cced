//! Aligned columns for people.

use std::fmt;

/// What stands between two columns.
const GAP: &str = "  ";

/// A cut column that is narrower says nothing.
const LEAST_ROOM: usize = 12;

/// How wide a line is where nobody looks.
const USUAL_WIDTH: usize = 80;

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

    /// The table with the last column cut so that no line is wider than the terminal, or left out where little of it
    /// would be left.
    pub fn fit(mut self, width: usize) -> Self {
        let Some(last) = self.header.len().checked_sub(1) else { return self };
        let before: usize = (0..last).map(|it| self.width(it) + GAP.len()).sum();
        let room = width.saturating_sub(before);
        if room < LEAST_ROOM {
            self.header.truncate(last);
            self.right.truncate(last);
            self.rows.iter_mut().for_each(|row| row.truncate(last));
            return self;
        }
        self.rows.iter_mut().filter_map(|row| row.get_mut(last)).for_each(|cell| *cell = cut(cell, room));
        self
    }

    /// How wide its widest line is.
    pub fn widest(&self) -> usize {
        let columns: usize = (0..self.header.len()).map(|it| self.width(it) + GAP.len()).sum();
        columns.saturating_sub(GAP.len())
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
        padded.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
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

/// The columns of the terminal that is written to.
pub fn terminal_width() -> usize {
    terminal_size::terminal_size_of(std::io::stdout()).map_or(USUAL_WIDTH, |(width, _)| usize::from(width.0))
}

/// A text of at most so many characters, cut after a word where there is one.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let start: String = text.chars().take(most.saturating_sub(1)).collect();
    let words = start.rsplit_once(' ').map_or("", |(words, _)| words);
    let kept = if 2 * words.len() > start.len() { words } else { &start };
    format!("{}\u{2026}", kept.trim_end())
}

/// A text from elsewhere on one line, without the control characters that a terminal would obey.
pub fn clean(text: &str) -> String {
    let plain: String = text.chars().map(|it| if is_plain(it) { it } else { ' ' }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Marks that turn the direction of writing are no better than control characters.
fn is_plain(character: char) -> bool {
    !character.is_control()
        && !matches!(character, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The cell of a value that may be absent.
pub fn or_dash(value: Option<String>) -> String {
    value.unwrap_or_else(|| "-".into())
}

/// A share of one as percent.
pub fn percent(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}

/// US dollars, in millionths where they are few.
pub fn usd(usd: f64) -> String {
    if usd < 0.01 { format!("{usd:.6}") } else { format!("{usd:.4}") }
}

/// A count that may be below zero.
pub fn signed(number: i64) -> String {
    format!("{}{}", if number < 0 { "-" } else { "" }, thousands(number.unsigned_abs()))
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
    fn the_last_column_fits() {
        let mut table = Table::new(&["a", "words"]);
        table.row(&["x".into(), "one two three four five".into()]);
        for (width, words) in [(80, "one two three four five"), (20, "one two three\u{2026}"), (15, "one two\u{2026}")]
        {
            let table = Table { header: table.header.clone(), right: table.right.clone(), rows: table.rows.clone() };
            let fitted = table.fit(width);
            assert_eq!(fitted.rows[0][1], words);
            assert!(fitted.widest() <= width);
        }
        assert_eq!(table.fit(10).rows, [["x"]]);
        assert_eq!(cut("unbroken", 5), "unbr\u{2026}");
    }

    #[test]
    fn foreign_text_stays_on_its_line() {
        for (text, shown) in
            [(" a\n\tb ", "a b"), ("\u{1b}[31mred", "[31mred"), ("x\u{202e}y", "x y"), ("na\u{ef}ve", "na\u{ef}ve")]
        {
            assert_eq!(clean(text), shown);
        }
    }

    #[test]
    fn numbers_are_readable() {
        assert_eq!([usd(0.000_01), usd(0.5)], ["0.000010", "0.5000"]);
        assert_eq!([signed(-1_234), signed(7)], ["-1,234", "7"]);
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
