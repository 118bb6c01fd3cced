//! `[store]`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Context;
use super::reader::Reader;
use crate::config::{Store, StoreKind};
use crate::env::Env;
use crate::section::Section;

const MAX_SYNC_MS: u64 = 60 * 60 * 1000;
const MAX_KEEP_DAYS: u64 = 10_000;

/// The current month's use counts against limits, so that it is always kept.
const MIN_KEEP_DAYS: u64 = 32;

pub(super) fn check(section: Section<'_>, context: Context<'_>) -> Option<Store> {
    let kind = section.choice("kind", StoreKind::ALL);
    let folder = folder(&section, context);
    let sync_every = section.integer("sync_ms", 1..=MAX_SYNC_MS);
    let keep_days = section.integer("keep_days", MIN_KEEP_DAYS..=MAX_KEEP_DAYS);
    section.finish();
    Some(Store {
        kind: kind?,
        folder: folder?,
        sync_every: Duration::from_millis(sync_every?.value),
        keep_days: u32::try_from(keep_days?.value).ok()?,
    })
}

/// The outer `None` is a mistake, the inner one a machine without a home.
#[expect(clippy::option_option, reason = "no home is not the same as a folder with a mistake")]
fn folder(section: &Section<'_>, context: Context<'_>) -> Option<Option<PathBuf>> {
    match section.has("folder") {
        true => Reader { section, context, expands: true }.folder("folder").map(Some),
        false => Some(default_folder(context.env)),
    }
}

/// `$XDG_DATA_HOME/tollgate`, with the fallbacks of the XDG base directory specification and of Windows.
fn default_folder(env: &Env) -> Option<PathBuf> {
    let absolute = |name| env.get(name).map(Path::new).filter(|path| path.is_absolute());
    let home = || absolute("HOME").map(|home| home.join(".local").join("share"));
    let data = absolute("XDG_DATA_HOME").map(Path::to_owned).or_else(home);
    let data = data.or_else(|| absolute("LOCALAPPDATA").map(Path::to_owned))?;
    Some(data.join("tollgate"))
}
