//! One API key: how it is made, what is kept of it, and what it may do. The key itself is shown once and never kept.
//!
//! What is kept is its SHA-256. A slow hash with a salt protects passwords, of which there are few enough to try; of 256
//! random bits there are too many for any hash, so a fast one is as safe, and each request can afford it.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use globset::GlobSet;
use ring::{
    digest::{SHA256, digest},
    rand::{SecureRandom, SystemRandom},
};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::ledger::{limit::Limit, moment::Moment};
use tollgate_config::{Secret, glob_set};

/// How every key begins, so that scanners for leaked secrets can know it.
const PREFIX: &str = "tg-";
const KEY_BYTES: usize = 32;
const ID_BYTES: usize = 6;
pub const HASH_BYTES: usize = 32;

/// The SHA-256 of a key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hash([u8; HASH_BYTES]);

impl Hash {
    pub fn of(key: &str) -> Self {
        let mut hash = [0; HASH_BYTES];
        hash.copy_from_slice(digest(&SHA256, key.as_bytes()).as_ref());
        Self(hash)
    }

    /// Where a table looks for it. How long that takes tells a part of a hash, from which no key follows.
    pub fn place(&self) -> u64 {
        self.0.iter().take(8).fold(0, |place, byte| place << 8 | u64::from(*byte))
    }

    /// Compares in constant time.
    pub fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

/// Of no use to a thief, and still nobody's business.
impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl From<Hash> for String {
    fn from(hash: Hash) -> Self {
        URL_SAFE_NO_PAD.encode(hash.0)
    }
}

impl TryFrom<String> for Hash {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or("no hash of a key")
    }
}

/// What is kept of a key. Lists of patterns are globs; an empty one allows everything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Stands in the ledger and in logs.
    pub id: String,
    pub name: String,
    pub hash: Hash,
    pub created: Moment,
    pub expires: Option<Moment>,
    pub revoked: Option<Moment>,
    pub routes: Vec<String>,
    pub models: Vec<String>,
    pub profiles: Vec<String>,
    pub limits: Vec<Limit>,
    /// Most tokens that the tools of a request may cost; a route that allows less wins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools_budget_tokens: Option<u32>,
}

impl Record {
    /// A new key without restrictions, and the only copy of it.
    ///
    /// # Errors
    /// That the operating system gives no random numbers.
    pub fn generate(name: &str, now: Moment) -> Result<(Self, Secret), String> {
        let key = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random::<KEY_BYTES>()?));
        let id = random::<ID_BYTES>()?.iter().map(|byte| format!("{byte:02x}")).collect();
        let record = Self {
            id,
            name: name.to_owned(),
            hash: Hash::of(&key),
            created: now,
            expires: None,
            revoked: None,
            routes: Vec::new(),
            models: Vec::new(),
            profiles: Vec::new(),
            limits: Vec::new(),
            tools_budget_tokens: None,
        };
        Ok((record, Secret::new(key)))
    }
}

fn random<const N: usize>() -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map(|()| bytes).map_err(|_| "the operating system gives no random numbers; try again".to_owned())
}

/// A key as requests meet it: its record, with the patterns ready for use.
#[derive(Debug)]
pub struct ApiKey {
    pub record: Record,
    routes: GlobSet,
    models: GlobSet,
    profiles: GlobSet,
}

/// What a key may be kept from.
#[derive(Clone, Copy, Debug)]
pub enum Scope {
    Route,
    Model,
    Profile,
}

impl ApiKey {
    /// # Errors
    /// The pattern that is none.
    pub fn new(record: Record) -> Result<Self, globset::Error> {
        let (routes, models, profiles) =
            (glob_set(&record.routes)?, glob_set(&record.models)?, glob_set(&record.profiles)?);
        Ok(Self { record, routes, models, profiles })
    }

    /// Whether it may use what `name` names.
    pub fn allows(&self, scope: Scope, name: &str) -> bool {
        let patterns = match scope {
            Scope::Route => &self.routes,
            Scope::Model => &self.models,
            Scope::Profile => &self.profiles,
        };
        patterns.is_empty() || patterns.is_match(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_long_and_never_the_same() {
        let (one, key) = Record::generate("a", Moment(1)).unwrap();
        let (other, other_key) = Record::generate("a", Moment(1)).unwrap();
        assert_eq!((key.expose().len(), key.expose().starts_with("tg-")), (3 + 43, true));
        assert!(key != other_key && one.id != other.id && one.hash != other.hash);
        assert!(one.hash.is(&Hash::of(key.expose())) && !one.hash.is(&other.hash));
    }

    /// Files that older builds wrote lack the budget, and those of who does not use it stay readable to them.
    #[test]
    fn a_budget_is_written_only_where_there_is_one() {
        let (plain, _) = Record::generate("a", Moment(1)).unwrap();
        let budgeted = Record { tools_budget_tokens: Some(700), ..plain.clone() };
        for (record, is_there) in [(plain, false), (budgeted, true)] {
            let json = serde_json::to_string(&record).unwrap();
            assert_eq!(json.contains("tools_budget_tokens"), is_there);
            assert_eq!(serde_json::from_str::<Record>(&json).unwrap(), record);
        }
    }

    #[test]
    fn nothing_shows_the_key() {
        let (record, key) = Record::generate("a", Moment(1)).unwrap();
        let json = serde_json::to_string(&record).unwrap();
        let hash = String::from(record.hash.clone());
        assert!(json.contains(&hash) && !json.contains(key.expose()) && !json.contains(&key.expose()[3..]));
        for shown in [format!("{record:?}"), format!("{key:?}"), format!("{:?}", ApiKey::new(record.clone()).unwrap())]
        {
            assert!(!shown.contains(&hash) && !shown.contains(&key.expose()[3..]), "{shown}");
        }
        assert_eq!(serde_json::from_str::<Record>(&json).unwrap(), record);
    }

    /// FIPS 180-4's example, so that another build reads the same file.
    #[test]
    fn hashes_are_sha_256() {
        assert_eq!(String::from(Hash::of("abc")), "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
        assert_eq!(Hash::of("abc").place(), 0xba78_16bf_8f01_cfea);
        assert!(Hash::try_from("short".to_owned()).is_err());
    }

    #[test]
    fn patterns_restrict_and_none_allows_everything() {
        let (record, _) = Record::generate("a", Moment(1)).unwrap();
        let key = ApiKey::new(Record { models: vec!["gpt-*".into(), "claude-?".into()], ..record.clone() }).unwrap();
        for (scope, name, expected) in [
            (Scope::Model, "gpt-5", true),
            (Scope::Model, "claude-3", true),
            (Scope::Model, "o3", false),
            (Scope::Route, "o3", true),
            (Scope::Profile, "", true),
        ] {
            assert_eq!(key.allows(scope, name), expected, "{scope:?} {name}");
        }
        assert!(ApiKey::new(Record { routes: vec!["[".into()], ..record }).is_err());
    }
}
