//! Claude Code's own file: servers of all projects under `mcpServers`, those of one under
//! `projects.DIR.mcpServers`, where `claude mcp add` puts them unless it is told otherwise.

use std::path::Path;

use serde_json::{Map, Value};

use super::ImportRequest;

/// A project that has servers of its own.
#[derive(Clone, Copy)]
pub(super) struct Project<'a> {
    pub(super) folder: &'a str,
    pub(super) servers: &'a Map<String, Value>,
}

/// Every project that has at least one server.
pub(super) fn with_servers(root: &Value) -> Vec<Project<'_>> {
    let mut found = Vec::new();
    for (folder, settings) in root.get("projects").and_then(Value::as_object).into_iter().flatten() {
        let servers = settings.get("mcpServers").and_then(Value::as_object);
        found.extend(servers.filter(|servers| !servers.is_empty()).map(|servers| Project { folder, servers }));
    }
    found
}

/// The project that is asked for, else the one of the working directory; an error names those that
/// can be asked for.
pub(super) fn chosen<'a>(
    projects: &[Project<'a>],
    request: &ImportRequest<'_>,
) -> Result<Option<Project<'a>>, (String, String)> {
    let of = |folder: &Path| projects.iter().find(|project| Path::new(project.folder) == folder).copied();
    let Some(wanted) = request.project else {
        return Ok(request.working_dir.and_then(of));
    };
    let remedy = match projects {
        [] => "leave `--project` out, no project in it has any".to_owned(),
        _ => format!("those with servers are {}", folders(projects)),
    };
    let unknown = || (format!("it has no MCP servers for the project `{}`", wanted.display()), remedy);
    of(wanted).map(Some).ok_or_else(unknown)
}

/// Their folders in backticks, whole, so that one can be copied.
pub(super) fn folders(projects: &[Project<'_>]) -> String {
    let folders: Vec<String> = projects.iter().map(|project| format!("`{}`", project.folder)).collect();
    folders.join(", ")
}
