//! What an upstream offers: its lists, all pages of them, each entry as the upstream wrote it.

use std::{sync::Arc, time::Duration};

use globset::GlobSet;
use serde_json::value::RawValue;

pub use super::connection::Introduction;
use super::{connection::Connection, mux::About};
use crate::mcp::{
    headers::{self, HeaderParam},
    jsonrpc::Raw,
    object::RawObject,
};
use tollgate_config::{Transport, Upstream as UpstreamConfig};

/// Pages followed in one list, so that a server which always names a next page ends somewhere.
const MAX_PAGES: usize = 10_000;
/// Entries kept of one list.
const MAX_ENTRIES: usize = 1_000_000;

/// One tool of an upstream, after the operator's filters.
#[derive(Clone, Debug)]
pub struct UpstreamTool {
    /// The name that the upstream knows.
    pub name: String,
    /// The operator's name for it; the same unless renamed.
    pub shown: String,
    pub definition: Arc<RawValue>,
    pub header_params: Arc<[HeaderParam]>,
    pub pinned: bool,
}

/// A prompt, or any entry that is addressed by a key.
#[derive(Clone, Debug)]
pub struct Entry {
    pub key: String,
    pub definition: Raw,
}

/// An upstream's offer at one moment.
#[derive(Clone, Debug)]
pub struct Lists {
    pub introduction: Introduction,
    pub tools: Vec<UpstreamTool>,
    pub prompts: Vec<Entry>,
    pub resources: Vec<Entry>,
    pub templates: Vec<Entry>,
}

impl Lists {
    /// Whether `uri` is listed, or fits a template.
    pub fn knows_resource(&self, uri: &str) -> bool {
        self.resources.iter().any(|it| it.key == uri) || self.templates.iter().any(|it| fits_template(&it.key, uri))
    }
}

/// The operator's choice among an upstream's tools.
#[derive(Clone, Debug)]
pub struct ToolFilter {
    allow: GlobSet,
    deny: GlobSet,
    pins: GlobSet,
}

impl ToolFilter {
    /// Compiles the globs of an upstream's configuration.
    ///
    /// # Errors
    /// The glob that is none; checked configuration has none of those.
    pub fn new(config: &UpstreamConfig) -> Result<Self, globset::Error> {
        Ok(Self {
            allow: tollgate_config::glob_set(&config.allow)?,
            deny: tollgate_config::glob_set(&config.deny)?,
            pins: tollgate_config::glob_set(&config.pins)?,
        })
    }

    fn admits(&self, name: &str) -> bool {
        self.allow.is_match(name) && !self.deny.is_match(name)
    }
}

/// Fetches every list that the upstream says it has. One that fails is empty and logged: the others still serve.
pub async fn fetch(connection: &Connection, config: &UpstreamConfig, filter: &ToolFilter) -> Result<Lists, String> {
    let introduction = connection.introduction.clone();
    let timeout = config.call_timeout.min(config.startup_timeout);
    let list = |capability, method, key| async move {
        if !connection.introduction.has(capability) {
            return Ok(Vec::new());
        }
        fetch_list(connection, method, key, timeout).await
    };
    let tools = list("tools", "tools/list", "tools").await?;
    let optional = |what: &'static str, found: Result<Vec<Raw>, String>| {
        found.unwrap_or_else(|reason| {
            tracing::warn!(upstream = %config.id, reason, "{what} could not be listed");
            Vec::new()
        })
    };
    let prompts = optional("prompts", list("prompts", "prompts/list", "prompts").await);
    let resources = optional("resources", list("resources", "resources/list", "resources").await);
    let templates =
        optional("resource templates", list("resources", "resources/templates/list", "resourceTemplates").await);
    Ok(Lists {
        introduction,
        tools: tools.into_iter().filter_map(|it| tool(it, config, filter)).collect(),
        prompts: entries(prompts, "name"),
        resources: entries(resources, "uri"),
        templates: entries(templates, "uriTemplate"),
    })
}

async fn fetch_list(connection: &Connection, method: &str, key: &str, timeout: Duration) -> Result<Vec<Raw>, String> {
    let mut found = Vec::new();
    let mut cursor: Option<String> = None;
    for _ in 0..MAX_PAGES {
        let mut params = RawObject::default();
        if let Some(cursor) = &cursor {
            params.set_str("cursor", cursor);
        }
        let outcome = connection.request(method, params, None, About::default(), timeout).await;
        let page =
            outcome.map_err(|it| it.fault.message())?.map_err(|it| format!("refused `{method}`: {}", it.message()))?;
        let page = RawObject::parse(&page).ok_or_else(|| format!("answered `{method}` with no object"))?;
        let items = page.get(key).ok_or_else(|| format!("answered `{method}` without `{key}`"))?;
        let items: Vec<Raw> = serde_json::from_str(items.get())
            .map_err(|_| format!("answered `{method}` with `{key}` that is no array"))?;
        found.extend(items);
        let next = page.get_str("nextCursor").filter(|it| Some(it) != cursor.as_ref());
        if next.is_none() || found.len() >= MAX_ENTRIES {
            break;
        }
        cursor = next;
    }
    found.truncate(MAX_ENTRIES);
    Ok(found)
}

fn tool(definition: Raw, config: &UpstreamConfig, filter: &ToolFilter) -> Option<UpstreamTool> {
    let object = RawObject::parse(&definition)?;
    let Some(name) = object.get_str("name").filter(|it| !it.is_empty()) else {
        tracing::warn!(upstream = %config.id, "a tool without a name was left out");
        return None;
    };
    if !filter.admits(&name) {
        return None;
    }
    let header_params = match header_params(object.get("inputSchema")) {
        Ok(params) => params,
        // Only over HTTP do the annotations bind, and there an invalid one excludes the tool (2026-07-28, tools).
        Err(reason) if matches!(config.transport, Transport::Http { .. }) => {
            tracing::warn!(upstream = %config.id, tool = name, reason, "a tool was left out");
            return None;
        }
        Err(_) => Arc::default(),
    };
    let shown = config.rename.get(&name).unwrap_or(&name).clone();
    Some(UpstreamTool {
        pinned: filter.pins.is_match(&name),
        shown,
        name,
        definition: definition.into(),
        header_params,
    })
}

fn header_params(schema: Option<&RawValue>) -> Result<Arc<[HeaderParam]>, String> {
    // Most schemas mirror nothing, and parsing 10,000 of them to learn that takes a while.
    let Some(schema) = schema.filter(|it| it.get().contains("x-mcp-header")) else { return Ok(Arc::default()) };
    let schema = serde_json::from_str(schema.get()).map_err(|error| error.to_string())?;
    headers::header_params(&schema).map(Into::into)
}

fn entries(items: Vec<Raw>, key: &str) -> Vec<Entry> {
    items
        .into_iter()
        .filter_map(|definition| Some(Entry { key: RawObject::parse(&definition)?.get_str(key)?, definition }))
        .collect()
}

/// Whether a URI can come of an RFC 6570 template: its literal parts appear in order.
fn fits_template(template: &str, uri: &str) -> bool {
    let mut parts = template.split('{');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = uri.strip_prefix(first) else { return false };
    let literals: Vec<&str> = parts.map(|it| it.split_once('}').map_or("", |(_, literal)| literal)).collect();
    let Some((last, middle)) = literals.split_last() else { return rest.is_empty() };
    for literal in middle.iter().filter(|it| !it.is_empty()) {
        let Some(at) = rest.find(literal) else { return false };
        rest = &rest[at + literal.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_match_by_their_literal_parts() {
        for (template, uri, fits) in [
            ("test://template/{id}/data", "test://template/7/data", true),
            ("test://template/{id}/data", "test://template/7/other", false),
            ("test://template/{id}/data", "demo://template/7/data", false),
            ("file:///{+path}", "file:///a/b/c", true),
            ("x://{a}/{b}", "x://1/2", true),
            ("x://{a}/{b}", "x://1", false),
            ("x://plain", "x://plain", true),
            ("x://plain", "x://plainer", false),
            ("x://{broken", "x://any", true),
        ] {
            assert_eq!(fits_template(template, uri), fits, "{template} {uri}");
        }
    }
}
