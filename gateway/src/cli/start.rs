//! What commands that talk to upstreams do first: load, log, and tell what a user may not expect.

use std::path::Path;

use super::{ConfigSource, Failure};
use crate::telemetry;
use tollgate_config::{Config, Env, Loaded, Origin, Transport};

/// The builtin's id in the defaults, and the key that a user sets to choose its folder.
const CONTEXT: &str = "context";
const CONTEXT_ROOT: &str = "upstreams.context.root";

/// Loads the configuration and starts logging.
///
/// # Errors
/// One line for each mistake.
pub fn load(source: &ConfigSource) -> Result<Loaded, Failure> {
    let mut loaded = source.load()?;
    telemetry::init(&loaded.config.log);
    loaded.warnings.iter().for_each(|it| tracing::warn!("{it}"));
    confine_context(&mut loaded);
    Ok(loaded)
}

/// Clients start commands in `/` or in the home folder, and nobody chose to show a model all of that.
fn confine_context(loaded: &mut Loaded) {
    let is_chosen = !matches!(loaded.origins.get(CONTEXT_ROOT), Some(Origin::Default { .. }));
    let Some(root) = used_root(&loaded.config).filter(|_| !is_chosen) else { return };
    let remedy = "start in a project's folder, or set `root` of `[upstreams.context]` in a file named by `-c`";
    if root.parent().is_none() {
        tracing::warn!("the builtin `context` is not served, it would show the whole disk; {remedy}");
        if let Some(context) = loaded.config.upstreams.get_mut(CONTEXT) {
            context.enabled = false;
        }
    } else if Env::from_process().home().is_some_and(|home| is_same(root, home)) {
        tracing::warn!("the builtin `context` shows your whole home folder; {remedy}");
    }
}

/// The builtin's folder, if a profile has it.
fn used_root(config: &Config) -> Option<&Path> {
    let context = config.upstreams.get(CONTEXT).filter(|it| it.enabled)?;
    let is_used = config.profiles.values().any(|profile| profile.upstreams.contains(&context.id));
    match &context.transport {
        Transport::Context { root, .. } if is_used => Some(root),
        _ => None,
    }
}

/// Whether two paths lead to the same folder; a home is often a link.
fn is_same(one: &Path, other: &Path) -> bool {
    one == other || one.canonicalize().ok().zip(other.canonicalize().ok()).is_some_and(|(one, other)| one == other)
}
