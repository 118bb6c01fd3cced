//! `tollgate completions`.

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use super::{Cli, Failure, print};

/// Print a completion script.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tollgate completions bash > ~/.local/share/bash-completion/completions/tollgate")]
pub struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

pub fn run(args: &CompletionsArgs) -> Result<(), Failure> {
    let mut script = Vec::new();
    generate(args.shell, &mut Cli::command(), "tollgate", &mut script);
    print(&String::from_utf8_lossy(&script))
}
