//! The command line: what is asked, checked once, and handed to one function per command.

mod batch;
mod bench;
mod binary;
mod compare;
mod completions;
mod config;
mod count;
mod counters;
mod import;
mod inputs;
mod keys;
mod live;
mod mcp;
mod pack;
mod pins;
mod plan;
mod serve;
mod start;
mod table;
mod usage;
mod watch;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, CommandFactory, Parser, Subcommand, error::ErrorKind};

use tollgate_config::{Env, Loaded, Request};
use tollgate_tokenizers::TOKENIZERS;

const EXAMPLES: &str = "\
Examples:
  tollgate                                   serve the configured upstreams at http://127.0.0.1:7070/mcp
  tollgate import ~/.claude.json -o tollgate.toml
                                             take over the MCP servers of an existing client
  tollgate plan --tools list.json --budget 4000
                                             show what a budget of 4000 tokens would list
  tollgate count prompt.md --model gpt-5     what a text costs
  tollgate count --request body.json         what a whole request costs, part by part
  tollgate compare src/*.rs                  the same texts in every tokenizer
  tollgate pack src --query 'how are keys checked' --budget 4000
                                             what of a folder a question needs
  tollgate binary stats /bin/ls              what an executable is made of, and what it costs
  tollgate batch --task task.toml --items reviews.csv --model gpt-5-mini
                                             one question of many items, many to a prompt
  tollgate bench run synthetic-tools         tasks with and without the gate; no key, no data
  tollgate keys create --name ci --limit usd=25/month
                                             make an API key
  tollgate usage --by day                    what the keys used
  claude mcp add --transport http tollgate http://127.0.0.1:7070/mcp
                                             use the gateway from Claude Code";

/// One MCP server in front of many, its tool list held under a token budget.
#[derive(Debug, Parser)]
#[command(name = "tollgate", version, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: serve::ServeArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve MCP over streamable HTTP and LLM APIs over REST (the default command)
    Serve(serve::ServeArgs),
    /// Serve MCP on stdin and stdout, for clients that start a command
    Mcp(mcp::McpArgs),
    /// Show what a profile lists under its budget, live or from files
    Plan(plan::PlanArgs),
    /// Count the tokens of texts, or of whole requests
    Count(count::CountArgs),
    /// Pack what a question needs of a folder into a budget
    Pack(pack::PackArgs),
    /// Ask one question of many items, many to a prompt
    Batch(batch::BatchArgs),
    /// Run tasks with and without the gate, and report what is kept and saved
    Bench(bench::BenchArgs),
    /// Train, use and measure Binary BPE, which puts executables into few tokens
    Binary(binary::BinaryArgs),
    /// Compare what tokenizers make of the same texts
    Compare(compare::CompareArgs),
    /// Make, list or revoke API keys of the REST proxy
    Keys(keys::KeysArgs),
    /// Show what keys used of models
    Usage(usage::UsageArgs),
    /// Turn a client's MCP configuration into Tollgate's
    Import(import::ImportArgs),
    /// Check or show the configuration
    Config(config::ConfigArgs),
    /// Print a completion script for a shell
    Completions(completions::CompletionsArgs),
}

/// Where the configuration comes from.
#[derive(Clone, Debug, Default, Args)]
struct ConfigSource {
    /// Configuration file, instead of ./tollgate.toml and the user's own
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Override one key, as in `--set profiles.default.tools_budget_tokens=2000`
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    overrides: Vec<(String, String)>,
}

fn key_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or_else(|| format!("`{text}` has no `=`; write KEY=VALUE"))?;
    Ok((key.trim().to_owned(), value.trim().to_owned()))
}

impl Command {
    /// Takes the options that stood before the command; those behind it win.
    fn take(&mut self, before: serve::ServeArgs) -> Result<(), &'static str> {
        let source = match self {
            Self::Serve(args) => {
                args.listen = args.listen.or(before.listen);
                &mut args.source
            }
            _ if before.listen.is_some() => return Err("`--listen` goes with `tollgate serve` only"),
            Self::Mcp(args) => &mut args.source,
            Self::Plan(args) => &mut args.source,
            Self::Count(args) => &mut args.source,
            Self::Pack(args) => &mut args.source,
            Self::Batch(args) => &mut args.source,
            Self::Bench(args) => match args.source() {
                Some(source) => source,
                None if before.source.is_empty() => return Ok(()),
                None => return Err("this command reads no configuration"),
            },
            Self::Binary(args) => &mut args.source,
            Self::Compare(args) => &mut args.source,
            Self::Keys(args) => &mut args.source,
            Self::Usage(args) => &mut args.source,
            Self::Config(args) => &mut args.source,
            Self::Import(_) | Self::Completions(_) if before.source.is_empty() => return Ok(()),
            Self::Import(_) | Self::Completions(_) => return Err("this command reads no configuration"),
        };
        let behind = std::mem::replace(source, before.source);
        source.add(behind);
        Ok(())
    }
}

impl ConfigSource {
    fn is_empty(&self) -> bool {
        self.config.is_none() && self.overrides.is_empty()
    }

    /// Adds what was said later, which wins.
    fn add(&mut self, later: Self) {
        self.config = later.config.or(self.config.take());
        self.overrides.extend(later.overrides);
    }

    /// Loads and checks the configuration.
    ///
    /// # Errors
    /// One line for each mistake.
    fn load(&self) -> Result<Loaded, Failure> {
        let request = Request {
            config_file: self.config.clone(),
            env: Env::from_process(),
            overrides: self.overrides.clone(),
            working_dir: working_dir()?,
        };
        let known: Vec<&str> = TOKENIZERS.iter().map(|it| &*it.name).collect();
        tollgate_config::load(&request, &known).map_err(|errors| {
            let lines: Vec<_> = errors.iter().map(ToString::to_string).collect();
            Failure(lines)
        })
    }
}

/// Why a command failed, a line each.
#[derive(Debug)]
struct Failure(Vec<String>);

impl From<String> for Failure {
    fn from(line: String) -> Self {
        Self(vec![line])
    }
}

/// Parses the command line, runs the command, and says how it went.
pub fn main() -> ExitCode {
    let Cli { command, serve: before } = Cli::parse();
    let mut command = command.unwrap_or_else(|| Command::Serve(serve::ServeArgs::default()));
    if let Err(conflict) = command.take(before) {
        Cli::command().error(ErrorKind::ArgumentConflict, conflict).exit();
    }
    let done = match command {
        Command::Serve(args) => serve::run(args),
        Command::Mcp(args) => mcp::run(&args),
        Command::Plan(args) => plan::run(&args),
        Command::Count(args) => count::run(&args),
        Command::Pack(args) => pack::run(&args),
        Command::Batch(args) => batch::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Binary(args) => binary::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Keys(args) => keys::run(args),
        Command::Usage(args) => usage::run(&args),
        Command::Import(args) => import::run(&args),
        Command::Config(args) => config::run(args),
        Command::Completions(args) => completions::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(lines)) => {
            lines.iter().for_each(|line| anstream::eprintln!("error: {line}"));
            ExitCode::FAILURE
        }
    }
}

fn working_dir() -> Result<PathBuf, Failure> {
    std::env::current_dir().map_err(|error| format!("the working directory cannot be read ({error})").into())
}

/// Prints data; a closed pipe (`tollgate plan | head`) ends quietly.
fn print(text: &str) -> Result<(), Failure> {
    use std::io::Write;
    match anstream::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(format!("stdout cannot be written ({error})").into())
        }
        _ => Ok(()),
    }
}

/// Threads that move messages. One moves thousands of calls a second, and a second one costs half as much CPU again in
/// wake-ups; counting and planning run on threads of their own.
const WORKER_THREADS: usize = 1;

/// The runtime of the commands that talk to upstreams.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let built = tokio::runtime::Builder::new_multi_thread().worker_threads(WORKER_THREADS).enable_all().build();
    built.map_err(|error| format!("the runtime did not start ({error})").into())
}
