//! `tollgate keys`: makes, lists and revokes API keys, while gateways run.

use std::path::Path;

use clap::{Args, Subcommand};
use serde_json::json;

use super::{ConfigSource, Failure, print, table::Table};
use crate::{
    auth::{
        file::{change, load},
        key::{ApiKey, Record},
    },
    ledger::{
        limit::Limit,
        moment::{DAY_MS, Day, Moment},
    },
    store::data_folder,
};

/// Make, list or revoke API keys.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tollgate keys create --name ci                     may do everything
  tollgate keys create --name bob --expires 90d --model 'gpt-5*' \\
      --limit requests=60/minute --limit usd=25/month --tools-budget 2000
  tollgate keys list
  tollgate keys revoke bob

Running gateways notice within a second. Keys are kept as hashes in the data folder (`[store]`).")]
pub struct KeysArgs {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    pub(super) source: ConfigSource,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a key and print it; it is not shown again
    Create(CreateArgs),
    /// Show all keys, without what is secret
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        source: ConfigSource,
    },
    /// End a key for good
    Revoke {
        /// Its id or its name
        #[arg(value_name = "ID|NAME")]
        key: String,
        #[command(flatten)]
        source: ConfigSource,
    },
}

#[derive(Debug, Args)]
struct CreateArgs {
    /// Who or what it is for
    #[arg(long, value_parser = name)]
    name: String,
    /// When it ends: a date (UTC), or a number of days such as `90d`
    #[arg(long, value_name = "WHEN", value_parser = expiry)]
    expires: Option<Expiry>,
    /// A glob over the routes that it may use; may be repeated
    #[arg(long = "route", value_name = "GLOB")]
    routes: Vec<String>,
    /// A glob over the models that it may use; may be repeated
    #[arg(long = "model", value_name = "GLOB")]
    models: Vec<String>,
    /// A glob over the profiles that it may use; may be repeated
    #[arg(long = "profile", value_name = "GLOB")]
    profiles: Vec<String>,
    /// Most use in a UTC minute, hour, day or month: `requests=N/minute`, `tokens=N/day`, `usd=N/month`; may be repeated
    #[arg(long = "limit", value_name = "LIMIT")]
    limits: Vec<Limit>,
    /// Most tokens that the tools of one request may cost; the smaller of this and the route's budget holds
    #[arg(long, value_name = "TOKENS", value_parser = clap::value_parser!(u32).range(1..))]
    tools_budget: Option<u32>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    source: ConfigSource,
}

#[derive(Clone, Copy, Debug)]
enum Expiry {
    On(Day),
    InDays(u32),
}

/// Ten years; longer is for ever.
const MAX_DAYS: u32 = 3660;
const MAX_NAME_CHARS: usize = 64;

fn name(text: &str) -> Result<String, String> {
    let is_fine = (1..=MAX_NAME_CHARS).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    match is_fine && text.trim() == text {
        true => Ok(text.to_owned()),
        false => Err(format!("write 1 to {MAX_NAME_CHARS} visible characters")),
    }
}

fn expiry(text: &str) -> Result<Expiry, String> {
    let days = text.strip_suffix('d').and_then(|days| days.parse().ok()).filter(|days| (1..=MAX_DAYS).contains(days));
    match days {
        Some(days) => Ok(Expiry::InDays(days)),
        None => text
            .parse()
            .map(Expiry::On)
            .map_err(|error: String| format!("{error}, or 1 to {MAX_DAYS} days such as `90d`")),
    }
}

pub fn run(args: KeysArgs) -> Result<(), Failure> {
    let KeysArgs { action, mut source } = args;
    match &action {
        Action::Create(CreateArgs { source: inner, .. })
        | Action::List { source: inner, .. }
        | Action::Revoke { source: inner, .. } => source.add(inner.clone()),
    }
    let folder = data_folder(&source.load()?.config.store).map_err(|error| error.to_string())?;
    let now = Moment::now();
    match action {
        Action::Create(args) => create(&folder, args, now),
        Action::List { json, .. } => list(&folder, json, now),
        Action::Revoke { key, .. } => revoke(&folder, &key, now),
    }
}

fn create(folder: &Path, args: CreateArgs, now: Moment) -> Result<(), Failure> {
    let expires = match args.expires {
        Some(Expiry::On(day)) if day.start() <= now => {
            return Err(format!("`--expires {day}` is over; name a later day").into());
        }
        Some(Expiry::On(day)) => Some(day.start()),
        Some(Expiry::InDays(days)) => Some(Moment(now.0 + u64::from(days) * DAY_MS)),
        None => None,
    };
    let (record, key) = Record::generate(&args.name, now)?;
    let CreateArgs { routes, models, profiles, limits, tools_budget: tools_budget_tokens, .. } = args;
    let record = Record { expires, routes, models, profiles, limits, tools_budget_tokens, ..record };
    ApiKey::new(record.clone()).map_err(|error| format!("{error}; write a pattern such as `gpt-5*`"))?;
    change(folder, |keys| {
        let taken = keys.iter().find(|it| it.name == record.name && is_usable(it, now));
        if let Some(taken) = taken {
            let Record { id, name, .. } = taken;
            return Err(format!(
                "the name `{name}` is taken by the key {id}; choose another, or revoke that one first"
            ));
        }
        keys.push(record.clone());
        Ok(())
    })?;
    if args.json {
        let mut shown = shown(&record, now);
        shown["key"] = json!(key.expose());
        return print(&format!("{shown}\n"));
    }
    print(&format!("{}\n", key.expose()))?;
    anstream::eprintln!(
        "note: this is the key `{}` (id {}); keep it now, it is not shown again",
        record.name,
        record.id
    );
    Ok(())
}

fn is_usable(record: &Record, now: Moment) -> bool {
    state(record, now) == "active"
}

fn state(record: &Record, now: Moment) -> &'static str {
    match (record.revoked, record.expires) {
        (Some(_), _) => "revoked",
        (None, Some(at)) if at <= now => "expired",
        (None, _) => "active",
    }
}

/// A key for machines; nothing of it is secret.
fn shown(record: &Record, now: Moment) -> serde_json::Value {
    let time = |moment: Option<Moment>| moment.map(|it| it.to_string());
    json!({
        "id": record.id,
        "name": record.name,
        "state": state(record, now),
        "created": record.created.to_string(),
        "expires": time(record.expires),
        "revoked": time(record.revoked),
        "routes": record.routes,
        "models": record.models,
        "profiles": record.profiles,
        "limits": record.limits.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "tools_budget_tokens": record.tools_budget_tokens,
    })
}

fn list(folder: &Path, is_json: bool, now: Moment) -> Result<(), Failure> {
    let keys = load(folder).map_err(|error| error.to_string())?;
    if is_json {
        let keys: Vec<_> = keys.iter().map(|it| shown(it, now)).collect();
        return print(&format!("{}\n", json!(keys)));
    }
    if keys.is_empty() {
        return print("there are no keys; `tollgate keys create --name NAME` makes one\n");
    }
    let mut table = Table::new(&["id", "name", "state", "created", "expires", "may use", "limits"]);
    for key in &keys {
        let budget = key.tools_budget_tokens.map(|tokens| format!("tools-budget={tokens}"));
        let limits: Vec<_> = key.limits.iter().map(ToString::to_string).chain(budget).collect();
        let expires = key.expires.map_or("never".to_owned(), |it| it.day().to_string());
        let cells = [key.id.clone(), key.name.clone(), state(key, now).into(), key.created.day().to_string(), expires];
        table.row(&[&cells[..], &[scopes(key), limits.join(" ")]].concat());
    }
    print(&table.to_string())
}

/// `models gpt-5*, o3; routes fast`.
fn scopes(key: &Record) -> String {
    let scopes = [("routes", &key.routes), ("models", &key.models), ("profiles", &key.profiles)];
    let scopes = scopes.iter().filter(|(_, patterns)| !patterns.is_empty());
    let scopes: Vec<_> = scopes.map(|(name, patterns)| format!("{name} {}", patterns.join(", "))).collect();
    if scopes.is_empty() { "everything".into() } else { scopes.join("; ") }
}

fn revoke(folder: &Path, wanted: &str, now: Moment) -> Result<(), Failure> {
    let revoked = change(folder, |keys| {
        // A name may have had other keys before, an id has not.
        let usable = |it: &&mut Record| is_usable(it, now) && (it.id == wanted || it.name == wanted);
        let Some(key) = keys.iter_mut().find(usable) else {
            return Err(format!("there is no active key `{wanted}`; `tollgate keys list` shows all"));
        };
        key.revoked = Some(now);
        Ok(format!("revoked the key `{}` (id {})\n", key.name, key.id))
    })?;
    print(&revoked)
}
