//! `tollgate binary train`: folders in, a vocabulary out.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use super::files;
use crate::cli::Failure;
use tollgate_tokenizers::binary::{Form, Merges, SIZES, Sample, Size, TrainOptions, Vocabulary, train};

/// Learn a vocabulary.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tollgate binary train ~/programs -o tokenizer.json
  tollgate binary train elf=200M pe=100M wasm=20M --size 32k -o tokenizer.json
                                             at most so much of each folder, drawn by the seed
  tollgate binary train ~/programs -o family/
                                             a file for each size up to the largest; each is a
                                             beginning of the next

The same files, options and seed give the same vocabulary, with any number of threads. Chunks of 8 KiB
that come again are seen once. 200 MB need some 2 GB of memory; use PATH=LIMIT for more.")]
pub struct TrainArgs {
    /// Folders or files; `PATH=LIMIT` (as in 200M) keeps at most so many bytes of one
    #[arg(value_name = "PATH[=LIMIT]", required = true)]
    paths: Vec<String>,
    /// Tokens of the vocabulary: 4k, 8k, 16k, 32k or 64k
    #[arg(short, long, default_value = "64k", value_parser = size)]
    size: Size,
    /// A .json file; a .bin file of bare merges; or a folder for the whole family
    #[arg(short, long, value_name = "PATH")]
    out: PathBuf,
    /// Draws the sample where a limit is set
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How often a pair must occur to be merged
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
    least_count: u32,
    /// Bytes of the longest token
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u8).range(2..))]
    longest_token: u8,
    /// Learn no token that ends in ASCII white space, as the `bbpe` crate does
    #[arg(long)]
    no_trailing_space: bool,
    /// How the file spells bytes
    #[arg(long, value_enum, default_value = "byte-level")]
    form: FormArg,
    /// Threads; all processors without it
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FormArg {
    /// GPT-2's alphabet, as newer exports of the family
    ByteLevel,
    /// Latin-1, as older ones
    Latin1,
}

fn size(text: &str) -> Result<Size, String> {
    Size::by_name(text).ok_or_else(|| format!("`{text}` is no size; write 4k, 8k, 16k, 32k or 64k"))
}

pub fn run(args: &TrainArgs) -> Result<(), Failure> {
    let sample = gather(args)?;
    if sample.n_bytes() == 0 {
        return Err(format!("there are no bytes in {}; name folders with files", args.paths.join(", ")).into());
    }
    let options = TrainOptions {
        n_merges: args.size.n_ids() - 263,
        least_count: args.least_count,
        longest_token: args.longest_token,
        no_trailing_space: args.no_trailing_space,
        n_threads: args.threads.map_or_else(processors, usize::from),
    };
    let bar = bar(options.n_merges as u64, "{bar:30} {pos}/{len} merges  last seen {msg} times  {elapsed} (ETA {eta})");
    let merges = train(sample, &options, |progress| {
        bar.set_position(progress.n_merges as u64);
        bar.set_message(progress.count.to_string());
    });
    bar.finish_and_clear();
    save(args, &merges)?;
    if merges.len() < options.n_merges {
        let n_ids = merges.n_tokens() + 7;
        anstream::eprintln!(
            "no pair is left that occurs {} times: the vocabulary has {n_ids} tokens",
            args.least_count
        );
    }
    Ok(())
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Reads all files into a sample.
fn gather(args: &TrainArgs) -> Result<Sample, Failure> {
    let mut sources = Vec::new();
    for path in &args.paths {
        let (path, limit) = path_and_limit(path)?;
        sources.push((files::below(path)?, limit));
    }
    let total = sources.iter().flat_map(|it| &it.0).map(|it| it.1).sum();
    let bar = bar(total, "{bar:30} {bytes}/{total_bytes} read  {elapsed} (ETA {eta})");
    let mut sample = Sample::new(args.seed);
    for (files, limit) in sources {
        let source = sample.add_source(limit);
        for (file, _) in files {
            files::parts(&file, |part| {
                sample.add(source, part);
                bar.inc(part.len() as u64);
            })?;
        }
    }
    bar.finish_and_clear();
    Ok(sample)
}

fn path_and_limit(text: &str) -> Result<(&Path, usize), String> {
    if Path::new(text).exists() {
        return Ok((Path::new(text), usize::MAX));
    }
    let Some((path, limit)) = text.rsplit_once('=') else { return Ok((Path::new(text), usize::MAX)) };
    let (digits, unit) = match limit.char_indices().find(|it| !it.1.is_ascii_digit()) {
        Some((at, _)) => limit.split_at(at),
        None => (limit, ""),
    };
    let unit = match unit {
        "" => Some(1),
        "k" | "K" => Some(1_000),
        "M" => Some(1_000_000),
        "G" => Some(1_000_000_000),
        _ => None,
    };
    let limit = unit.and_then(|unit| digits.parse::<usize>().ok()?.checked_mul(unit));
    let limit = limit.ok_or_else(|| format!("`{text}` has no limit behind `=`; write bytes, as in {path}=200M"))?;
    Ok((Path::new(path), limit))
}

fn bar(len: u64, template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template);
    ProgressBar::new(len).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn save(args: &TrainArgs, merges: &Merges) -> Result<(), Failure> {
    let form = match args.form {
        FormArg::ByteLevel => Form::ByteLevel,
        FormArg::Latin1 => Form::Latin1,
    };
    let json = |merges: Merges| Vocabulary::new(merges).to_json(form).into_bytes();
    match args.out.extension().and_then(|it| it.to_str()) {
        Some("json") => files::write(Some(&args.out), &json(merges.clone()))?,
        Some("bin") => files::write(Some(&args.out), &merges.to_bytes())?,
        _ => {
            std::fs::create_dir_all(&args.out)
                .map_err(|error| format!("`{}` cannot be made ({error})", args.out.display()))?;
            for size in SIZES.into_iter().filter(|it| it.n_ids() <= args.size.n_ids()) {
                let file = args.out.join(format!("{}.json", size.name()));
                files::write(Some(&file), &json(merges.first(size.n_ids() - 263)))?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read() {
        for (text, expected) in [
            ("elf=200M", Ok(("elf", 200_000_000))),
            ("elf=5", Ok(("elf", 5))),
            ("a=b=2k", Ok(("a=b", 2_000))),
            ("elf", Ok(("elf", usize::MAX))),
        ] {
            assert_eq!(path_and_limit(text), expected.map(|(path, limit)| (Path::new(path), limit)));
        }
        for text in ["elf=", "elf=M", "elf=2T", "elf=99999999999999999999"] {
            assert!(path_and_limit(text).is_err(), "{text}");
        }
    }
}
