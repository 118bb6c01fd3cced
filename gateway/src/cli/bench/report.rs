//! `tollgate bench report`: what records come to, as text, JSON, Markdown or a page.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::{Map, Value, json};

use super::{journal, unusable};
use crate::cli::{Failure, print, table};
use tollgate_benchmarks::{
    record::Header,
    report::{MOST_TRACES, RunView, junit, page},
    suites::suite,
    summary::{Requirement, Summary},
    table::Table,
    trace::Line,
};

#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Records of runs
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<PathBuf>,
    /// Write a page that stands alone: charts, tables, and every attempt
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Print Markdown
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
    #[command(flatten)]
    shown: ShownArgs,
}

/// What else is made of a record.
#[derive(Debug, Args)]
pub struct ShownArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// End with status 1 unless this holds, as in `accuracy_kept>=0.97` or `accuracy_kept[gate@1000]>=0.97`
    #[arg(long, value_name = "THRESHOLD")]
    require: Vec<Requirement>,
    /// Write attempts as JUnit's XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

impl ShownArgs {
    pub fn is_json(&self) -> bool {
        self.json
    }
}

pub fn run(args: &ReportArgs) -> Result<(), Failure> {
    let runs: Vec<RunView> = args.runs.iter().map(|it| read(it)).collect::<Result<_, _>>()?;
    for run in runs.iter().skip(1) {
        runs[0].header.compares(&run.header).map_err(|told| format!("these runs cannot be compared: {told}"))?;
    }
    if let Some(path) = &args.html {
        fs::write(path, page(&runs)?).map_err(|error| unusable(path, &error))?;
    }
    for (run, path) in runs.iter().zip(&args.runs) {
        match args.markdown {
            true => print(&markdown(run))?,
            false => print_run(run, args.shown.json)?,
        }
        if let Some(to) = &args.shown.junit {
            write_junit(path, to)?;
        }
    }
    runs.iter().try_for_each(|run| held_to(&args.shown.require, &run.summary))
}

/// Shows what one record comes to.
pub fn show_record(path: &Path, args: &ShownArgs) -> Result<(), Failure> {
    let run = read(path)?;
    print_run(&run, args.json)?;
    if let Some(to) = &args.junit {
        write_junit(path, to)?;
    }
    if !args.json {
        let shown = path.display();
        anstream::eprintln!(
            "the record is `{shown}`; `tollgate bench report {shown} --html report.html` makes a page of it"
        );
    }
    held_to(&args.require, &run.summary)
}

fn held_to(required: &[Requirement], summary: &Summary) -> Result<(), Failure> {
    let unmet: Vec<String> = required.iter().flat_map(|it| it.unmet(summary)).collect();
    if unmet.is_empty() { Ok(()) } else { Err(Failure(unmet)) }
}

fn read(path: &Path) -> Result<RunView, String> {
    let header = journal::header(path)?;
    let mut summary = Summary::new(&header.arms);
    let mut tally = suite(&header.suite).ok().and_then(|it| it.tally());
    let (mut lines, mut n_lines) = (Vec::<Line>::new(), 0);
    journal::read(path, |line| {
        summary.add(&line);
        if let Some(tally) = &mut tally {
            tally.add(&line, None);
        }
        n_lines += 1;
        if lines.len() < MOST_TRACES {
            lines.push(line);
        }
    })?;
    let mut tables = summary.tables();
    tables.extend(tally.iter().flat_map(|it| it.tables()));
    Ok(RunView { header, summary, tables, lines, n_lines })
}

fn print_run(run: &RunView, as_json: bool) -> Result<(), Failure> {
    if as_json {
        return print(&format!(
            "{:#}\n",
            json!({
                "run": run.header,
                "metrics": run.summary.metrics(),
                "tables": tables_json(&run.tables),
            })
        ));
    }
    print(&format!("{}\n\n{}", title(&run.header), text(&run.tables)))
}

/// Tables by name.
pub fn tables_json(tables: &[Table]) -> Value {
    Value::Object(tables.iter().map(|it| (it.name.clone(), it.json())).collect::<Map<_, _>>())
}

fn title(header: &Header) -> String {
    format!(
        "{} by {} ({} tasks, tools by {}, tokens of {}, tasks {:.12})",
        header.suite, header.target, header.tasks, header.host, header.tokenizer, header.task_set
    )
}

fn markdown(run: &RunView) -> String {
    let tables: Vec<String> = run.tables.iter().map(Table::markdown).collect();
    format!("### {}\n\n{}", title(&run.header), tables.join("\n"))
}

fn write_junit(record: &Path, to: &Path) -> Result<(), String> {
    let io = |error: std::io::Error| unusable(to, &error);
    let mut file = BufWriter::new(File::create(to).map_err(io)?);
    let mut written = file.write_all(junit::head(&journal::header(record)?).as_bytes());
    journal::read(record, |line| {
        if written.is_ok() {
            written = file.write_all(junit::case(&line).as_bytes());
        }
    })?;
    written.and_then(|()| file.write_all(junit::TAIL.as_bytes())).and_then(|()| file.flush()).map_err(io)
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
