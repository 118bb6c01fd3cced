//! How a client reaches a server: a command or a URL.

use serde_json::Value;
use toml::Table;

use super::server::Server;
use super::{ignored, scalars};
use crate::check::rules;
use crate::error::quoted;
use crate::expand::expand;
use crate::redact::is_secret_word;

pub(super) const URLS: &[&str] = &["url", "serverUrl", "httpUrl", "uri"];
/// Tollgate has no client for the transport that the protocol dropped.
const OLD_SSE: &str = "it speaks the old SSE transport, Tollgate only streamable HTTP: see if the \
                       server has a URL for that, often `/mcp`";
const ENVS: &[&str] = &["env", "environment"];

/// Reads one or the other. An error is the reason to leave the server out.
pub(super) fn read(server: &mut Server) -> Result<(), String> {
    let wire = wire(server);
    match (server.has(&["command"]), server.has(URLS)) {
        (false, false) => Err("it has neither a command nor a URL".to_owned()),
        (true, false) => command(server),
        (false, true) => url(server, &wire),
        // A remote server that says how to start it is reached by its command unless it says so.
        (true, true) => match wire.contains("http") || wire == "sse" {
            true => url(server, &wire),
            false => command(server),
        },
    }
}

/// What the client says it speaks.
fn wire(server: &mut Server) -> String {
    let keys = ["type", "transport", "transportType"];
    let named = server.take(&keys).and_then(|(_, value)| value.as_str().map(str::to_lowercase));
    named.unwrap_or_default()
}

fn command(server: &mut Server) -> Result<(), String> {
    let mut words = command_words(server)?;
    if let Some((key, args)) = server.take(&["args"]) {
        match scalars(&args) {
            Some(args) => words.extend(args),
            None => server.note(ignored(key, &args)),
        }
    }
    if words.iter().any(|word| word.contains('\0')) {
        return Err("its command has a NUL character".to_owned());
    }
    let words = words.iter().map(|word| server.reference(word)).collect();
    let mut words = split_line(server, words)?;
    let program = words.remove(0);
    server.set("command", program);
    if !words.is_empty() {
        server.set("args", words);
    }
    if let Some(cwd) = server.take_text(&["cwd"]).filter(|cwd| !cwd.trim().is_empty()) {
        let cwd = server.reference(&cwd);
        server.set("cwd", cwd);
    }
    env(server);
    Ok(())
}

/// The program and what came with it: text, a list, or Zed's `{ path, args, env }`.
fn command_words(server: &mut Server) -> Result<Vec<String>, String> {
    let value = server.take(&["command"]).map(|(_, value)| value);
    let words = match value {
        Some(Value::Object(mut fields)) => {
            for key in ["args", "env"] {
                server.put_back(key, fields.shift_remove(key));
            }
            fields.get("path").and_then(scalars)
        }
        Some(other) => scalars(&other),
        None => None,
    };
    words
        .filter(|words| words.first().is_some_and(|program| !program.trim().is_empty()))
        .ok_or_else(|| "its command is empty or not text".to_owned())
}

/// Some clients hand a whole line to a shell; we have none, and quotes are beyond us.
fn split_line(server: &mut Server, words: Vec<String>) -> Result<Vec<String>, String> {
    match &words[..] {
        [line] if rules::is_command_line(line) => {
            if line.contains(['"', '\'', '`', '|', ';', '&', '<', '>']) {
                return Err("its command is a line for a shell".to_owned());
            }
            server.note("`command` was a whole line and was split at its spaces".to_owned());
            Ok(line.split_whitespace().map(str::to_owned).collect())
        }
        _ => Ok(words),
    }
}

fn env(server: &mut Server) {
    let mut env = Table::new();
    for (name, value) in server.take_pairs(ENVS) {
        if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
            server.note(format!("variable {} is not legal and was dropped", quoted(&name)));
            continue;
        }
        warn_of_secret(server, &name, &value);
        let value = server.reference(&value);
        env.insert(name, value.into());
    }
    if !env.is_empty() {
        server.set("env", env);
    }
    if let Some((_, file)) = server.take(&["envFile"]) {
        let file = file.as_str().map(quoted).unwrap_or_default();
        server.note(format!("`envFile` {file} is not read, export what it sets"));
    }
}

fn url(server: &mut Server, wire: &str) -> Result<(), String> {
    let url = server.take_text(URLS).ok_or("its URL is not text")?;
    let url = server.reference(url.trim());
    if let Some(remedy) = url_fault(server, &url) {
        return Err(format!("its URL is not legal, {remedy}"));
    }
    if wire == "sse" || url.trim_end_matches('/').ends_with("/sse") {
        server.note(OLD_SSE.to_owned());
    }
    server.set("url", url);
    headers(server);
    Ok(())
}

/// Variables are unknown here: they stand for one harmless letter, or for everything if the URL
/// starts with one.
fn url_fault(server: &Server, url: &str) -> Option<&'static str> {
    if url.starts_with("${") {
        return None;
    }
    let Ok(probe) = expand(url, &server.required_as("x")) else {
        return Some("its references are none of ours");
    };
    rules::url(&probe).err()
}

fn headers(server: &mut Server) {
    if let Some((_, Value::Object(mut options))) = server.take(&["requestOptions", "requestInit"]) {
        server.put_back("headers", options.shift_remove("headers"));
    }
    let mut headers = Table::new();
    for (name, value) in server.take_pairs(&["headers", "http_headers"]) {
        let twice = headers.keys().any(|other| other.eq_ignore_ascii_case(&name));
        let is_legal = rules::is_header_name(&name) && rules::is_header_value(&value);
        if !is_legal || twice || rules::is_own_header(&name) {
            server.note(format!("header {} cannot be set and was dropped", quoted(&name)));
            continue;
        }
        warn_of_secret(server, &name, &value);
        let value = server.reference(&value);
        headers.insert(name, value.into());
    }
    if !headers.is_empty() {
        server.set("headers", headers);
    }
}

/// Starts of well-known credentials.
const SECRET_STARTS: &[&str] = &["Bearer ", "Basic ", "sk-", "ghp_", "github_pat_", "xoxb-", "xoxp-", "AKIA"];

/// The secret stays, since without it the server would not work; but files get shared.
fn warn_of_secret(server: &mut Server, name: &str, value: &str) {
    let looks_secret = is_secret_word(name) || SECRET_STARTS.iter().any(|start| value.starts_with(start));
    if looks_secret && !value.is_empty() && !value.contains("${") {
        server.note(format!(
            "{} looks like a secret in plain text, move it to the environment and write `${{VAR}}`",
            quoted(name)
        ));
    }
}
