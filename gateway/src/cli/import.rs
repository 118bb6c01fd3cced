//! `tollgate import`.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use clap::Args;

use super::{Failure, print};

/// Turn a client's MCP configuration into Tollgate's.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tollgate import ~/.config/Claude/claude_desktop_config.json > tollgate.toml
  tollgate import .vscode/mcp.json -o tollgate.toml")]
pub struct ImportArgs {
    /// mcp.json, claude_desktop_config.json, or VS Code's mcp.json; `-` for stdin
    file: PathBuf,
    /// Write to this file instead of stdout; an existing file is not overwritten
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub fn run(args: &ImportArgs) -> Result<(), Failure> {
    let name = args.file.display().to_string();
    let text = read(&args.file).map_err(|error| Failure::from(format!("`{name}` cannot be read ({error})")))?;
    let imported = tollgate_config::import(&text, &name)
        .map_err(|errors| Failure(errors.iter().map(ToString::to_string).collect()))?;
    imported.warnings.iter().for_each(|it| anstream::eprintln!("warning: {it}"));
    match &args.output {
        None => print(&imported.toml),
        Some(path) => write_new(path, &imported.toml),
    }
}

fn read(path: &Path) -> std::io::Result<String> {
    if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        return Ok(text);
    }
    std::fs::read_to_string(path)
}

fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    use std::io::Write;
    let created = std::fs::OpenOptions::new().write(true).create_new(true).open(path);
    let written = created.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| format!("`{}` cannot be written ({error}); name another file", path.display()).into())
}
