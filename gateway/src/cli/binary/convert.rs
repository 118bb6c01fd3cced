//! `tollgate binary encode` and `decode`: bytes to token ids or to a rendering, and back.

use std::{
    fmt::Write,
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::{Value, json};

use super::{files, vocabulary::VocabularyArgs};
use crate::cli::{Failure, inputs, print};
use tollgate_tokenizers::binary::{self, Stream};

/// Ids on a line of output.
const IDS_A_LINE: usize = 16;

/// Print token ids.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tollgate binary encode a.out > ids.txt
  tollgate binary encode a.out --vocabulary 8k --json
  cat a.out | tollgate binary encode -
  tollgate binary encode a.out --render          text for a text model, offsets in front of lines")]
pub struct EncodeArgs {
    /// The file; `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    vocabulary: VocabularyArgs,
    /// Print the rendering for text models, which the largest shipped vocabulary underlies
    #[arg(long, conflicts_with_all = ["vocabulary", "json"])]
    render: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Turn ids back into bytes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tollgate binary decode ids.txt -o a.out
  tollgate binary encode a.out --render | tollgate binary decode - | cmp - a.out

The input is ids between white space or commas, the JSON of `encode`, or a rendering.")]
pub struct DecodeArgs {
    /// The file; `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    vocabulary: VocabularyArgs,
    /// Where the bytes go; standard output without it
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub fn encode(args: &EncodeArgs) -> Result<(), Failure> {
    if args.render {
        return print(&binary::render(&inputs::bytes(&args.file)?, 0));
    }
    let vocabulary = args.vocabulary.load()?;
    if args.json {
        let bytes = inputs::bytes(&args.file)?;
        let ids = vocabulary.encode(&bytes);
        let report = json!({
            "file": args.file.display().to_string(), "vocabulary": args.vocabulary.vocabulary,
            "bytes": bytes.len(), "tokens": ids.len(), "ids": ids,
        });
        return print(&format!("{report}\n"));
    }
    // Files of any size: ids are printed as they become certain.
    let (mut stream, mut text, mut n_ids) = (Stream::new(vocabulary), String::new(), 0);
    let mut wrong = None;
    let mut line = |text: &mut String, id: u32| {
        n_ids += 1;
        let gap = if n_ids % IDS_A_LINE == 0 { '\n' } else { ' ' };
        // Writing to a string does not fail.
        let _ = write!(text, "{id}{gap}");
    };
    files::parts(&args.file, |part| {
        stream.push(part, |id, _| line(&mut text, id));
        wrong = wrong.take().or_else(|| print(&std::mem::take(&mut text)).err());
    })?;
    stream.finish(|id, _| line(&mut text, id));
    if let Some(failure) = wrong {
        return Err(failure);
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    print(&text)
}

pub fn decode(args: &DecodeArgs) -> Result<(), Failure> {
    let text = inputs::text(&args.file)?;
    let bytes = match text.trim_start().starts_with('@') {
        true => rendered(&text)?,
        false => of_ids(&text, args)?,
    };
    Ok(files::write(args.out.as_deref(), &bytes)?)
}

/// The bytes of a rendering, whose lines must follow one another.
fn rendered(text: &str) -> Result<Vec<u8>, Failure> {
    let lines = binary::parse(text).map_err(|error| error.to_string())?;
    let start = lines.first().map_or(0, |it| it.0);
    let mut all = Vec::new();
    for (offset, bytes) in lines {
        let expected = start.saturating_add(all.len() as u64);
        if offset != expected {
            let remedy = "decode parts that do not follow one another by themselves";
            return Err(format!("a line begins at `@{offset:x}` where `@{expected:x}` should; {remedy}").into());
        }
        all.extend(bytes);
    }
    Ok(all)
}

fn of_ids(text: &str, args: &DecodeArgs) -> Result<Vec<u8>, Failure> {
    let vocabulary = args.vocabulary.load()?;
    let ids = if text.trim_start().starts_with('{') { from_json(text, &args.file)? } else { from_text(text)? };
    if let Some(unknown) = ids.iter().find(|id| vocabulary.token(**id).is_none()) {
        return Err(format!(
            "`{unknown}` is no token with bytes; choose the vocabulary that encoded it with --vocabulary"
        )
        .into());
    }
    Ok(vocabulary.decode(&ids))
}

fn from_json(text: &str, file: &Path) -> Result<Vec<u32>, String> {
    let parsed: Result<Value, _> = serde_json::from_str(text);
    let ids = parsed.ok().and_then(|it| serde_json::from_value(it["ids"].clone()).ok());
    ids.ok_or_else(|| {
        format!("`{}` is no JSON with `ids`; make it with `tollgate binary encode --json`", file.display())
    })
}

fn from_text(text: &str) -> Result<Vec<u32>, String> {
    let items = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | '[' | ']')).filter(|it| !it.is_empty());
    items.map(|it| it.parse().map_err(|_| format!("`{it}` is no token id; write numbers"))).collect()
}
