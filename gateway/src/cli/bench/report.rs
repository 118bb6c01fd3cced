//! `tollgate bench report`: what records come to.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Map, Value, json};

use super::journal;
use crate::cli::{Failure, print, table};
use tollgate_benchmarks::{record::Header, suites::suite, summary::Summary, table::Table};

#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Records of runs
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Print Markdown
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
}

/// A record, read and summed up.
struct Run {
    header: Header,
    tables: Vec<Table>,
}

pub fn run(args: &ReportArgs) -> Result<(), Failure> {
    let runs: Vec<Run> = args.runs.iter().map(|it| read(it)).collect::<Result<_, _>>()?;
    for run in runs.iter().skip(1) {
        runs[0].header.compares(&run.header).map_err(|told| format!("these runs cannot be compared: {told}"))?;
    }
    for run in &runs {
        match args.markdown {
            true => print(&markdown(run))?,
            false => print_run(run, args.json)?,
        }
    }
    Ok(())
}

/// Prints what one record comes to.
pub fn print_record(path: &Path, as_json: bool) -> Result<(), Failure> {
    let run = read(path)?;
    print_run(&run, as_json)?;
    if !as_json {
        anstream::eprintln!("the record is `{}`; `tollgate bench report` shows it again", path.display());
    }
    Ok(())
}

fn read(path: &Path) -> Result<Run, String> {
    let header = journal::header(path)?;
    let mut summary = Summary::new(&header.arms);
    let mut tally = suite(&header.suite).ok().and_then(|it| it.tally());
    journal::read(path, |line| {
        summary.add(&line);
        if let Some(tally) = &mut tally {
            tally.add(&line, None);
        }
    })?;
    let mut tables = summary.tables();
    tables.extend(tally.iter().flat_map(|it| it.tables()));
    Ok(Run { header, tables })
}

fn print_run(run: &Run, as_json: bool) -> Result<(), Failure> {
    if as_json {
        let tables: Map<String, Value> = run.tables.iter().map(|it| (it.name.clone(), it.json())).collect();
        return print(&format!("{:#}\n", json!({"run": run.header, "tables": tables})));
    }
    print(&format!("{}\n\n{}", title(&run.header), text(&run.tables)))
}

fn title(header: &Header) -> String {
    format!(
        "{} by {} ({} tasks, tools by {}, tokens of {}, tasks {:.12})",
        header.suite, header.target, header.tasks, header.host, header.tokenizer, header.task_set
    )
}

fn markdown(run: &Run) -> String {
    let tables: Vec<String> = run.tables.iter().map(Table::markdown).collect();
    format!("### {}\n\n{}", title(&run.header), tables.join("\n"))
}

/// Tables for people.
pub fn text(tables: &[Table]) -> String {
    let mut text = String::new();
    for it in tables {
        let columns: Vec<String> = (0..it.columns.len())
            .map(|at| if it.is_number(at) { format!(">{}", it.columns[at]) } else { it.columns[at].clone() })
            .collect();
        let mut shown = table::Table::new(&columns.iter().map(String::as_str).collect::<Vec<_>>());
        it.rows.iter().for_each(|row| shown.row(&row.iter().map(|cell| cell.shown()).collect::<Vec<_>>()));
        let notes: String = it.notes.iter().map(|it| format!("{it}\n")).collect();
        text += &format!("{}\n{shown}{notes}\n", it.title);
    }
    text
}
