//! One page that shows a run: self-contained, without scripts or styles from elsewhere, readable from a disk.

mod charts;
pub mod junit;

use std::fmt::Write as _;

use serde_json::json;

use crate::record::Header;
use crate::summary::Summary;
use crate::table::Table;
use crate::trace::Line;

const STYLE: &str = include_str!("report/page.css");
const SCRIPT: &str = include_str!("report/page.js");

/// Attempts that the viewer of one run holds, at most; the record has all of them.
pub const MOST_TRACES: usize = 2000;

/// A run as the page shows it.
pub struct RunView {
    /// What was run.
    pub header: Header,
    /// What it came to.
    pub summary: Summary,
    /// The tables.
    pub tables: Vec<Table>,
    /// Attempts for the viewer.
    pub lines: Vec<Line>,
    /// Attempts that the record has.
    pub n_lines: u64,
}

/// The page.
///
/// # Errors
/// What cannot be drawn.
pub fn page(runs: &[RunView]) -> Result<String, String> {
    let title = runs.first().map_or_else(String::new, |run| format!("{} by {}", run.header.suite, run.header.target));
    let mut body = String::new();
    for (at, run) in runs.iter().enumerate() {
        body += &section(at, run)?;
    }
    let data: Vec<_> = runs.iter().map(|run| json!({"lines": run.lines})).collect();
    // What ends a script element must not stand inside one.
    let data = json!(data).to_string().replace('<', "\\u003c");
    Ok(format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width,initial-scale=1\"><title>{title}</title><style>{STYLE}</style></head>\n<body><main>\
         <button id=\"theme\" type=\"button\" aria-label=\"light or dark\">◐</button>\n{body}</main>\
         <script type=\"application/json\" id=\"data\">{data}</script><script>{SCRIPT}</script></body></html>\n",
        title = escaped(&title),
    ))
}

fn section(at: usize, run: &RunView) -> Result<String, String> {
    let header = &run.header;
    let mut html = format!(
        "<section class=\"run\"><h1>{}</h1><p class=\"about\">{} · {} tasks, {} trial{} · tools by {} · tokens of {} · seed {} · \
         tasks <code>{:.12}</code> · schemas <code>{:.12}</code></p>",
        escaped(&header.suite),
        escaped(&header.target),
        header.tasks,
        header.trials,
        if header.trials == 1 { "" } else { "s" },
        escaped(&header.host),
        escaped(&header.tokenizer),
        header.seed,
        header.task_set,
        header.schemas,
    );
    html += &cards(&run.summary);
    for (title, about, svg) in charts::all(&run.summary)? {
        let _ = write!(html, "<figure><figcaption><b>{title}</b> {about}</figcaption>{svg}</figure>");
    }
    run.tables.iter().for_each(|table| html += &table_html(table));
    html += &viewer(at, run);
    Ok(html + "</section>\n")
}

/// The headline: of each gate arm what is kept and what is saved.
fn cards(summary: &Summary) -> String {
    let percent = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |it| format!("{:.1} %", 100.0 * it));
    let mut html = String::from("<div class=\"cards\">");
    for (arm, sums) in summary.arms.iter().filter(|(_, sums)| sums.attempts > 0) {
        let _ = write!(
            html,
            "<div class=\"card\"><h3>{arm}</h3><p><b>{}</b> solved</p><p><b>{}</b> accuracy kept</p><p><b>{}</b> tokens saved</p></div>",
            percent(Some(sums.accuracy())),
            percent(summary.metric("accuracy_kept", *arm)),
            percent(summary.metric("tokens_saved", *arm)),
        );
    }
    html + "</div>"
}

fn table_html(table: &Table) -> String {
    let class = |column: usize| if table.is_number(column) { " class=\"number\"" } else { "" };
    let mut html =
        format!("<h2>{}</h2><div class=\"wide\"><table id=\"table-{}\"><thead><tr>", escaped(&table.title), table.name);
    for (column, name) in table.columns.iter().enumerate() {
        let _ = write!(html, "<th{}>{}</th>", class(column), escaped(name));
    }
    html += "</tr></thead><tbody>";
    for row in &table.rows {
        html += "<tr>";
        for (column, cell) in row.iter().enumerate() {
            let _ = write!(html, "<td{}>{}</td>", class(column), escaped(&cell.shown()));
        }
        html += "</tr>";
    }
    html += "</tbody></table></div>";
    for note in &table.notes {
        let _ = write!(html, "<p class=\"note\">{}</p>", escaped(note));
    }
    html
}

/// Where attempts are looked through; the script fills it.
fn viewer(at: usize, run: &RunView) -> String {
    let shown = run.lines.len() as u64;
    let rest = match run.n_lines.saturating_sub(shown) {
        0 => String::new(),
        rest => format!("<p class=\"note\">{rest} attempts more are in the record, and not on this page.</p>"),
    };
    format!(
        "<h2>Attempts</h2>{rest}<div class=\"viewer\" data-run=\"{at}\"><div class=\"filters\"><input type=\"search\" \
         placeholder=\"search tasks, words, tools, arguments\" aria-label=\"search\"><select data-by=\"arm\" \
         aria-label=\"arm\"></select><select data-by=\"category\" aria-label=\"category\"></select><select data-by=\"end\" \
         aria-label=\"how it ended\"></select><span class=\"count\"></span></div><div class=\"panes\"><ul class=\"list\"></ul>\
         <div class=\"detail\"></div></div></div>"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::Gate;
    use crate::trace::Usage;

    fn run() -> RunView {
        let arms = ["oracle", "all", "gate@500"];
        let header = Header {
            suite: "a <suite>".into(),
            target: "script:oracle".into(),
            arms: arms.iter().map(|it| (*it).to_owned()).collect(),
            trials: 1,
            ..Header::default()
        };
        let line = |n: u64, arm: &str, tokens: u64| Line {
            n,
            arm: arm.into(),
            task: format!("t{n}"),
            category: "c".into(),
            query: "</script><b>&".into(),
            solved: n > 2,
            stopped: (n <= 2).then_some(Gate::Selected),
            usage: Usage { input: tokens, ..Usage::default() },
            ..Line::default()
        };
        let lines: Vec<Line> =
            (0..10).flat_map(|n| [line(n, "oracle", 50), line(n, "all", 900), line(n, "gate@500", 300)]).collect();
        let mut summary = Summary::new(&header.arms);
        lines.iter().for_each(|it| summary.add(it));
        let tables = summary.tables();
        RunView { header, summary, tables, n_lines: 31, lines }
    }

    #[test]
    fn a_page_stands_alone_and_breaks_out_of_nothing() {
        let page = page(&[run()]).unwrap();
        assert_eq!(page.matches("</script>").count(), 2);
        assert!(page.contains("a &lt;suite&gt;") && !page.contains("<suite>"));
        assert_eq!(page.matches("<svg").count(), 3);
        assert_eq!(page.matches("<table").count(), 5);
        assert!(page.contains("1 attempts more") && page.contains("id=\"table-arms\""));
        for outside in ["src=", "href=", "@import", "url(", "http://", "https://"] {
            let places = page.match_indices(outside).filter(|(at, _)| !page[..*at].ends_with("xmlns=\""));
            assert_eq!(places.count(), 0, "{outside}");
        }
    }
}
