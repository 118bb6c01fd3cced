//! Whole requests: read from bodies, batches and JSON Lines, and counted by the rule of each model's family.

use std::{collections::HashMap, path::Path};

use serde_json::{Value, value::RawValue};

use super::{
    CountArgs,
    parts::{self, Label},
    reports,
};
use crate::{
    cli::{
        Failure,
        counters::{self, Counter},
        inputs, print,
        table::clean,
    },
    model_files,
};
use tollgate_config::Config;
use tollgate_tokenizers::chat::{
    Format, RenderOptions, Request, RequestCount, TemplateEntry, Uncounted, count_request, guess, read,
};

/// One request, counted.
pub struct Counted {
    /// Its file, with its place there if the file has several.
    pub name: String,
    pub format: Format,
    pub n_messages: usize,
    pub n_tools: usize,
    /// What is in it, in order.
    pub labels: Vec<Label>,
    pub uncounted: Vec<Uncounted>,
    /// What it costs, model by model.
    pub bills: Vec<Bill>,
}

/// What a request costs one model.
pub struct Bill {
    pub counter: Counter,
    pub count: RequestCount,
}

pub fn run(args: &CountArgs, config: &Config) -> Result<(), Failure> {
    let counting = Counting {
        config,
        asked: asked(args, config)?,
        format: args.requests.format.as_deref().and_then(Format::by_name),
        template: args.requests.chat_template.as_deref(),
    };
    let files = inputs::all(&args.requests.request, |file| counting.file(file))?;
    let mut counted: Vec<Counted> = files.into_iter().flatten().collect();
    if args.all {
        counted.iter_mut().for_each(Counted::cheapest_first);
    }
    if args.requests.largest {
        counted.sort_by_key(|it| std::cmp::Reverse(it.bills.iter().map(|bill| bill.count.total).max()));
    }
    let text = match args.json {
        true => reports::as_json(&counted),
        false => reports::as_text(&counted, args.requests.largest, args.requests.parts),
    };
    print(&text)
}

/// The counters that the command line names.
fn asked(args: &CountArgs, config: &Config) -> Result<Option<Vec<Counter>>, Failure> {
    match (args.all, args.model.is_empty(), args.tokenizer.is_empty()) {
        (true, ..) => counters::every_model(&config.models).map(Some),
        (_, false, _) => counters::models(config, &args.model).map(Some),
        (.., false) => counters::tokenizers(&args.tokenizer).map(Some),
        _ => Ok(None),
    }
}

impl Counted {
    /// Models without a price come last.
    fn cheapest_first(&mut self) {
        let key = |bill: &Bill| (bill.counter.input_usd(bill.count.total).unwrap_or(f64::INFINITY), bill.count.total);
        self.bills.sort_by(|a, b| key(a).partial_cmp(&key(b)).unwrap_or(std::cmp::Ordering::Equal));
    }
}

/// For which models requests are counted, and in which format they are.
struct Counting<'a> {
    config: &'a Config,
    /// `None` for the models that the requests name.
    asked: Option<Vec<Counter>>,
    /// `None` to tell it from the bodies.
    format: Option<Format>,
    /// The template by which all are counted.
    template: Option<&'a Path>,
}

impl Counting<'_> {
    /// All requests of a file.
    fn file(&self, file: &Path) -> Result<Vec<Counted>, Failure> {
        let bytes = inputs::bytes(file)?;
        let shown = file.display();
        let texts: Vec<&RawValue> = serde_json::Deserializer::from_slice(without_mark(&bytes))
            .into_iter()
            .collect::<Result<_, _>>()
            .map_err(|error| format!("`{shown}` is no JSON ({error}); give the body of a request, or one a line"))?;
        if texts.is_empty() {
            return Err(format!("`{shown}` is empty; give the body of a request, or one a line").into());
        }
        let is_one = texts.len() == 1;
        inputs::all(texts.into_iter().enumerate(), |(idx, text)| {
            let name = if is_one { shown.to_string() } else { format!("{shown}:{}", idx + 1) };
            self.body(&name, text).map_err(|error| clean(&format!("`{name}`: {error}")))
        })
    }

    fn body(&self, name: &str, text: &RawValue) -> Result<Counted, String> {
        let body: Value = serde_json::from_str(text.get()).map_err(|error| error.to_string())?;
        let body = unwrapped(&body);
        let format = self.format.map_or_else(|| told(body), Ok)?;
        let mut request = read(format, body).map_err(|error| format!("no `{}` request: {error}", format.name()))?;
        let counters = self.counters(&request)?;
        let bills = bills(&mut request, counters)?;
        Ok(Counted {
            name: name.to_owned(),
            format,
            n_messages: request.messages.len(),
            n_tools: request.tools.len(),
            labels: parts::labels(&request),
            uncounted: request.uncounted,
            bills,
        })
    }

    fn counters(&self, request: &Request) -> Result<Vec<Counter>, String> {
        let mut counters = self.named(request)?;
        if let Some(template) = self.template {
            counters.iter_mut().for_each(|it| it.template = Some(template.to_owned()));
        }
        Ok(counters)
    }

    fn named(&self, request: &Request) -> Result<Vec<Counter>, String> {
        match (&self.asked, &request.model) {
            (Some(asked), _) => Ok(asked.clone()),
            (None, Some(named)) => counters::model(&self.config.models, named)
                .map(|counter| vec![counter])
                .map_err(|error| format!("{error}; or name another with `--model`")),
            (None, None) => Err("names no model; name one with `--model`".into()),
        }
    }
}

/// Editors of some systems write a byte order mark.
fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// What batches wrap a body in: OpenAI's, Anthropic's, Gemini's.
const WRAPPERS: [&str; 3] = ["body", "params", "request"];

fn unwrapped(body: &Value) -> &Value {
    let is_body = !guess(body).is_empty();
    let inner = WRAPPERS.iter().find_map(|name| body.get(name).filter(|inner| inner.is_object()));
    inner.filter(|_| !is_body).unwrap_or(body)
}

/// The only format that the body can be in.
fn told(body: &Value) -> Result<Format, String> {
    let found = guess(body);
    if let [format] = found.as_slice() {
        return Ok(*format);
    }
    let names = |formats: &[Format]| formats.iter().map(|it| format!("`{}`", it.name())).collect::<Vec<_>>().join(", ");
    Err(match found.is_empty() {
        true => format!("has no `messages`, `input` or `contents`; a request is one of {}", names(&Format::ALL)),
        false => format!("can be {}; say which with `--format`", names(&found)),
    })
}

/// Models of one family count alike, but for the price of pictures; open ones, where their prompt format is the same.
fn bills(request: &mut Request, counters: Vec<Counter>) -> Result<Vec<Bill>, String> {
    let has_images = request.has_images();
    let mut known: HashMap<(&str, &str, String), RequestCount> = HashMap::new();
    let mut bill = |counter: Counter| {
        let tokenizer = counter.request_tokenizer();
        // A bare tokenizer is that of whatever model the request names.
        if !counter.known_as.is_empty() {
            request.model = Some(counter.known_as.clone());
        }
        if let Some(file) = &counter.template {
            let template = model_files::template(file)?;
            let count = template.count(tokenizer, request, &RenderOptions::any_day());
            return Ok(Bill { count: count.map_err(|error| error.to_string())?, counter });
        }
        let format = TemplateEntry::of_model(&counter.known_as).map_or("", |entry| entry.name);
        let pictures = if has_images { &counter.known_as } else { format }.to_owned();
        let key = (counter.family.name, tokenizer.name(), pictures);
        let count = known.entry(key).or_insert_with(|| count_request(counter.family, tokenizer, request));
        Ok(Bill { count: count.clone(), counter })
    };
    counters.into_iter().map(&mut bill).collect()
}
