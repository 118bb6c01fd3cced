//! `tollgate binary`: Binary BPE for executables and other binary files: train it, use it, and see what a file costs.

mod convert;
mod files;
mod report;
mod sections;
mod stats;
mod train;
mod vocabulary;

use clap::{Args, Subcommand};

use super::{ConfigSource, Failure};

/// Train, use and measure Binary BPE.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tollgate binary stats /bin/ls                      sections, bytes a token, and what the file
                                                     costs a text model and a binary one
  tollgate binary encode /bin/ls > ids.txt           token ids of the largest shipped vocabulary
  tollgate binary decode ids.txt -o ls               the same bytes again
  tollgate binary encode /bin/ls --render            as text for a text model, with offsets
  tollgate binary train ~/programs --size 32k -o tokenizer.json
                                                     a vocabulary of one's own")]
pub struct BinaryArgs {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    pub(super) source: ConfigSource,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Learn a vocabulary from folders of binary files
    Train(train::TrainArgs),
    /// Print the token ids of a file, or its rendering as text
    Encode(convert::EncodeArgs),
    /// Turn token ids, or a rendering, back into bytes
    Decode(convert::DecodeArgs),
    /// Show format, sections, bytes a token, entropy, and what the file costs models
    Stats(stats::StatsArgs),
}

pub fn run(args: &BinaryArgs) -> Result<(), Failure> {
    match &args.action {
        Action::Train(action) => train::run(action),
        Action::Encode(action) => convert::encode(action),
        Action::Decode(action) => convert::decode(action),
        Action::Stats(action) => stats::run(action, &args.source),
    }
}
