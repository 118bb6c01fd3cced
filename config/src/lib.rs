//! What a user may turn: layers of TOML, environment and command line, merged, checked and
//! explained.
//!
//! `load` reads the files; everything after that is pure. A value of `Config` is valid, and every
//! mistake on the way to it is one line that says where it is and how to mend it.

mod config;
mod models;
mod rest;

mod env;
mod load;
mod machine;
mod parse;

mod origin;
mod overrides;
mod raw;

mod check;
mod expand;
mod glob;
mod section;
mod suggest;

mod error;
mod redact;
mod show;

mod import;

pub use config::{
    Backoff, Config, Log, LogFormat, NamePolicy, Profile, RequireKeys, Server, Start, Store, StoreKind, Telemetry,
    Transport, Upstream,
};
pub use env::Env;
pub use error::ConfigError;
pub use glob::glob_set;
pub use globset::GlobSet;
pub use import::{ImportRequest, Imported, import};
pub use load::{Request, load, user_file};
pub use models::{Model, Models, Price, TokenizerSource, UnknownModel};
pub use origin::Origin;
pub use parse::{DEFAULT_TOML, Loaded, MODELS_TOML, Source, Sources, parse};
pub use rest::{
    AuthStyle, Provider, ProviderKey, Route, RouteRules, Secret, Target, ToolSearch, WindowPolicy, WireFormat,
};
pub use show::ShownKey;
