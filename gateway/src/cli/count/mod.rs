//! `tollgate count`: what texts or whole requests cost, in the tokens of one model or of many.

mod parts;
mod reports;
mod requests;
mod texts;

use std::path::PathBuf;

use clap::{Args, builder::PossibleValuesParser};

use super::{ConfigSource, Failure};
use tollgate_tokenizers::chat::Format;

/// Count the tokens of texts, or of whole requests.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tollgate count README.md                 in the default profile's model
  tollgate count *.md --model gpt-5,gpt-4,qwen3-32b
  git diff | tollgate count --all          in every tokenizer
  tollgate count prompt.txt --model gpt-5 --json
  tollgate count prompt.txt --tokenizer my-model/tokenizer.json

  tollgate count --request body.json       for the model that the request names
  tollgate count --request body.json --largest
                                           its largest messages and tools first
  tollgate count --request body.json --all what every model would charge
  tollgate count --request batch.jsonl --model gpt-5,claude-sonnet-4-5
  tollgate count --request body.json --tokenizer my-model/tokenizer.json \\
      --chat-template my-model/tokenizer_config.json

A request is the JSON body that a provider takes: messages, tools, images and
settings. A file may hold several, as JSON Lines, and each may be wrapped as
batches are (`body`, `params` or `request`).")]
pub struct CountArgs {
    #[command(flatten)]
    pub(super) source: ConfigSource,
    /// Text files; `-`, or none, is standard input
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Models whose tokens are counted, separated by commas; for a request, instead of the model that it names
    #[arg(short, long, value_name = "MODEL", value_delimiter = ',')]
    model: Vec<String>,
    /// Tokenizers instead of models, separated by commas: names, or files as Hugging Face's `tokenizer.json`
    #[arg(short, long, value_name = "TOKENIZER", value_delimiter = ',', conflicts_with_all = ["model", "all"])]
    tokenizer: Vec<String>,
    /// Count texts with every tokenizer, and requests for every model of the catalogue that has a window
    #[arg(long, conflicts_with = "model")]
    all: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    requests: RequestArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Whole requests")]
struct RequestArgs {
    /// Count whole requests: JSON bodies, or JSON Lines; `-` is standard input
    #[arg(short, long, value_name = "FILE", num_args = 1.., conflicts_with = "files")]
    request: Vec<PathBuf>,
    /// The format of the requests, where it cannot be told from them
    #[arg(short, long, requires = "request", value_parser = formats())]
    format: Option<String>,
    /// Count by this chat template: `chat_template.jinja`, `chat_template.json` or `tokenizer_config.json`
    #[arg(long, value_name = "FILE", requires = "request")]
    chat_template: Option<PathBuf>,
    /// List the largest first: parts of one request, or requests
    #[arg(short, long, requires = "request")]
    largest: bool,
    /// List at most so many parts of a request; 0 for all
    #[arg(short, long, value_name = "N", requires = "request", default_value_t = 20)]
    parts: usize,
}

fn formats() -> PossibleValuesParser {
    PossibleValuesParser::new(Format::ALL.map(Format::name))
}

impl RequestArgs {
    /// An option that says how requests are counted. The parser asks for `--request` only where there are no files.
    fn given(&self) -> Option<&'static str> {
        let format = self.format.as_ref().map(|_| "--format");
        let template = self.chat_template.as_ref().map(|_| "--chat-template");
        format.or(template).or_else(|| self.largest.then_some("--largest"))
    }
}

pub fn run(args: &CountArgs) -> Result<(), Failure> {
    if let Some(option) = args.requests.given().filter(|_| args.requests.request.is_empty()) {
        return Err(format!("`{option}` goes with requests; name their files behind `--request`").into());
    }
    let config = args.source.load()?.config;
    if args.requests.request.is_empty() { texts::run(args, &config) } else { requests::run(args, &config) }
}
