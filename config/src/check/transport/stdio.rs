//! `command`: a child process. It gets a scrubbed environment, what is inherited by name and what
//! is declared, and nothing else.

use indexmap::IndexMap;

use crate::check::reader::{Reader, all, with_home};
use crate::check::rules;
use crate::config::Transport;
use crate::error::quoted;
use crate::expand::is_variable_name;
use crate::section::{At, Section};

pub(super) fn check(reader: &Reader<'_>) -> Option<Transport> {
    let raw_args = reader.section.texts("args");
    let has_args = raw_args.as_ref().is_none_or(|args| !args.is_empty());
    let command = reader.section.text("command").and_then(|text| command(reader, text, has_args));
    let args = raw_args.and_then(|args| all(args, |text| plain(reader, "args", text)));
    let inherited = inherited_names(reader.section);
    let declared = declared_env(reader);
    let cwd = match reader.section.has("cwd") {
        true => Some(reader.folder("cwd")),
        false => None,
    };
    Some(Transport::Stdio {
        command: command?,
        args: args?,
        env: child_env(reader, &inherited?, declared?),
        cwd: cwd.map_or(Some(None), |folder| folder.map(Some))?,
    })
}

/// A shell line in `command` is the most frequent mistake: no shell reads it.
fn command(reader: &Reader<'_>, text: At<'_, &str>, has_args: bool) -> Option<String> {
    let path = reader.section.path_of("command");
    let program = text.value.split_whitespace().next();
    let (message, remedy) = match program {
        None => (format!("`{path}` is empty"), "name the program to start".to_owned()),
        Some(program) if !has_args && rules::is_command_line(text.value) => (
            format!("`{path}` is a whole command line: {}", quoted(text.value)),
            format!("write `command = {program:?}` and the rest as `args`"),
        ),
        Some(_) => return plain(reader, "command", At { value: &with_home(text.value), ..text }),
    };
    reader.section.fail(text.origin, message, remedy);
    None
}

/// Names of variables that a child inherits beside the base.
pub(super) fn inherited_names(section: &Section<'_>) -> Option<Vec<String>> {
    let name = |name: At<'_, &str>| {
        if !is_variable_name(name.value) {
            let path = section.path_of("inherit_env");
            let message = format!("illegal variable name {} in `{path}`", quoted(name.value));
            section.fail(name.origin, message, "write the bare name, such as `HTTPS_PROXY`");
            return None;
        }
        Some(name.value.to_owned())
    };
    all(section.texts("inherit_env")?, name)
}

fn declared_env(reader: &Reader<'_>) -> Option<Vec<(String, String)>> {
    let pair = |(name, value): (At<'_, &str>, At<'_, &str>)| {
        if name.value.is_empty() || name.value.contains(['=', '\0']) {
            let path = reader.section.path_of("env");
            let message = format!("illegal variable name {} in `{path}`", quoted(name.value));
            reader.section.fail(name.origin, message, "use letters, digits and underscores");
            return None;
        }
        let value = plain(reader, &format!("env.{}", name.value), value)?;
        Some((name.value.to_owned(), value))
    };
    all(reader.section.pairs("env")?, pair)
}

/// Expanded, and free of the NUL that no operating system takes.
fn plain(reader: &Reader<'_>, key: &str, text: At<'_, &str>) -> Option<String> {
    let path = reader.section.path_of(key);
    let value = reader.expand(&path, text)?;
    if value.contains('\0') {
        let message = format!("`{path}` has a NUL character");
        reader.section.fail(text.origin, message, "remove it");
        return None;
    }
    Some(value)
}

/// Later wins: the scrubbed base, what is inherited by name, what is declared.
fn child_env(reader: &Reader<'_>, inherited: &[String], declared: Vec<(String, String)>) -> IndexMap<String, String> {
    let env = reader.context.env;
    let mut child = env.child_base();
    let set = inherited.iter().filter_map(|name| Some((name.clone(), env.get(name)?.to_owned())));
    child.extend(set);
    child.extend(declared);
    child
}
