//! `tollgate import`.

use std::{
    fs::{File, OpenOptions},
    io::{ErrorKind, Read, Write},
    path::{Path, PathBuf},
};

use clap::Args;

use super::{Failure, print, working_dir};
use tollgate_config::{ImportRequest, Imported};

/// Turn a client's MCP configuration into Tollgate's.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tollgate import ~/.config/Claude/claude_desktop_config.json -o tollgate.toml
  tollgate import ~/.claude.json --project ~/shop -o tollgate.toml
  tollgate import .vscode/mcp.json -o tollgate.toml")]
pub struct ImportArgs {
    /// mcp.json, claude_desktop_config.json, ~/.claude.json, or VS Code's mcp.json; `-` for stdin
    file: PathBuf,
    /// Write to this file instead of stdout; an existing file is not overwritten
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Take the servers of this project from ~/.claude.json; otherwise those of the current folder, if it has any
    #[arg(long, value_name = "DIR")]
    project: Option<PathBuf>,
}

pub fn run(args: &ImportArgs) -> Result<(), Failure> {
    let name = args.file.display().to_string();
    let text = read(&args.file).map_err(|error| Failure::from(format!("`{name}` cannot be read ({error})")))?;
    let here = working_dir()?;
    let project = args.project.as_deref().map(|folder| absolute(&here, folder));
    let request = ImportRequest { source_name: &name, working_dir: Some(&here), project: project.as_deref() };
    let imported = tollgate_config::import(&text, &request)
        .map_err(|errors| Failure(errors.iter().map(ToString::to_string).collect()))?;
    imported.notes.iter().for_each(|it| anstream::eprintln!("note: {it}"));
    imported.warnings.iter().for_each(|it| anstream::eprintln!("warning: {it}"));
    if imported.n_servers == 0 {
        return Err(format!("`{name}` has no server to import; nothing was written").into());
    }
    match &args.output {
        None => print(&imported.toml),
        Some(path) => write_new(path, &imported),
    }
}

/// As clients write it: without links and dots where the folder exists.
fn absolute(here: &Path, folder: &Path) -> PathBuf {
    let joined = here.join(folder);
    joined.canonicalize().unwrap_or(joined)
}

fn read(path: &Path) -> std::io::Result<String> {
    if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        return Ok(text);
    }
    std::fs::read_to_string(path)
}

fn write_new(path: &Path, imported: &Imported) -> Result<(), Failure> {
    let name = path.display();
    let written = create(path, imported.holds_values).and_then(|mut file| file.write_all(imported.toml.as_bytes()));
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => format!("`{name}` already exists; name another file, or delete it first"),
        _ => format!("`{name}` cannot be written ({error}); name another file"),
    })?;
    if imported.holds_values && cfg!(unix) {
        anstream::eprintln!(
            "note: `{name}` is for your eyes only (mode 0600): it repeats values of `env` or `headers`"
        );
    }
    Ok(())
}

/// The client's file may be closed to others; what is copied from it must be so too.
#[cfg_attr(not(unix), expect(unused_variables, reason = "modes are a matter of unix"))]
fn create(path: &Path, is_private: bool) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if is_private {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    options.open(path)
}
