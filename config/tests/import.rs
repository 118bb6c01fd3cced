//! Importing: golden files for what clients write, and the promise that what comes out loads.
//! `import/*.json` go in; `import/*.toml` must come out, followed by the warnings.

mod tokenizers;

use std::path::Path;

use proptest::prelude::*;
use serde_json::Value;
use tokenizers::TOKENIZERS;
use tollgate_config::{Env, ImportRequest, Imported, Loaded, Source, Sources, import, parse};

/// Loads what was imported, with the variables set that it asks for.
fn load(imported: &Imported) -> Result<Loaded, String> {
    let variables = imported.variables.iter().map(|name| (name.clone(), "v".to_owned()));
    let file = Source { path: "imported.toml".into(), text: imported.toml.clone() };
    let env: Env = variables.collect();
    let sources = Sources { files: vec![file], env, working_dir: "/here".into(), ..Sources::default() };
    parse(&sources, TOKENIZERS).map_err(|errors| format!("{errors:#?}\n{}", imported.toml))
}

fn of(source_name: &str) -> ImportRequest<'_> {
    ImportRequest { source_name, ..ImportRequest::default() }
}

/// The shop's folder has servers in `claude_code.json`.
fn in_shop(source_name: &str) -> ImportRequest<'_> {
    ImportRequest { working_dir: Some(Path::new("/home/u/shop")), ..of(source_name) }
}

fn check(name: &str, json: &str, golden: &str) {
    let (toml, warnings) = golden.split_once("=> warnings\n").unwrap_or((golden, ""));
    let imported = import(json, &in_shop(name)).unwrap_or_else(|errors| Imported {
        toml: format!("{errors:?}"),
        notes: Vec::new(),
        warnings: Vec::new(),
        variables: Default::default(),
        n_servers: 0,
        holds_values: false,
    });
    assert_eq!(imported.toml.trim_end(), toml.trim_end(), "{name}");
    assert_eq!(imported.warnings, warnings.lines().collect::<Vec<_>>(), "{name}");
    assert_eq!(load(&imported).err(), None, "{name}");
}

macro_rules! golden {
    ($name:literal) => {
        check(
            concat!($name, ".json"),
            include_str!(concat!("import/", $name, ".json")),
            include_str!(concat!("import/", $name, ".toml")),
        )
    };
}

#[test]
fn golden_files() {
    golden!("claude_desktop");
    golden!("claude_code");
    golden!("vscode");
    golden!("others");
    golden!("zed");
    golden!("continue");
    golden!("opencode");
}

#[test]
fn variables_are_named() {
    let imported = import(include_str!("import/vscode.json"), &of("mcp.json")).unwrap();
    let names: Vec<&str> = imported.variables.iter().map(String::as_str).collect();
    assert_eq!(names, ["DOCS_TOKEN", "HOME", "PERPLEXITY_KEY", "WORKSPACE_FOLDER"]);
}

#[test]
fn what_cannot_be_read_is_one_line() {
    let shapes = "give a file with `mcpServers`, `servers`, `context_servers` or `mcp`";
    let rows = [
        ("{\n  \"a\" 1 }", "c.json:2:7: not valid JSON: expected `:`; mend the syntax".to_owned()),
        ("", "c.json:1:0: not valid JSON: EOF while parsing a value; mend the syntax".to_owned()),
        ("{}", format!("c.json: there are no MCP servers in it; {shapes}")),
        ("[1]", format!("c.json: there are no MCP servers in it; {shapes}")),
        ("{\"mcpServers\": 5}", format!("c.json: `mcpServers` is a number, not an object; {shapes}")),
        ("{\"mcp\": {\"servers\": null}}", format!("c.json: `mcp.servers` is null, not an object; {shapes}")),
    ];
    for (json, expected) in rows {
        let errors = import(json, &of("c.json")).err().unwrap_or_default();
        assert_eq!(errors.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected]);
    }
}

const CLAUDE_CODE: &str = include_str!("import/claude_code.json");

/// The names and notes, or the error, of Claude Code's file from a folder or for a project.
fn of_project(json: &str, working_dir: &str, project: Option<&str>) -> String {
    let (working_dir, project) = (Some(Path::new(working_dir)), project.map(Path::new));
    match import(json, &ImportRequest { source_name: "c.json", working_dir, project }) {
        Ok(found) => {
            let tables = found.toml.lines().filter(|line| line.starts_with("[upstreams") && !line.ends_with(".env]"));
            tables.map(str::to_owned).chain(found.notes).collect::<Vec<_>>().join("\n")
        }
        Err(errors) => errors.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn projects_are_chosen_by_folder_or_by_name() {
    let only_projects = r#"{"projects": {"/a": {"mcpServers": {"x": {"command": "c"}}}, "/b": {"mcpServers": {}}}}"#;
    let left = "[upstreams.docs]\n[upstreams.time]\nc.json: servers of the projects `/home/u/shop`, `/home/u/site` were \
                left; `--project DIR` takes those of one too";
    let site = "[upstreams.docs]\n[upstreams.time]\n[upstreams.pages]\n\
                c.json: the servers of the project `/home/u/site` were taken";
    let rows = [
        (CLAUDE_CODE, "/elsewhere", None, left),
        (CLAUDE_CODE, "/home/u/site", None, site),
        (CLAUDE_CODE, "/home/u/shop", Some("/home/u/site/"), site),
        (
            CLAUDE_CODE,
            "/home/u/shop",
            Some("/home/u/old"),
            "c.json: it has no MCP servers for the project `/home/u/old`; those with servers are `/home/u/shop`, \
             `/home/u/site`",
        ),
        (only_projects, "/a", None, "[upstreams.x]\nc.json: the servers of the project `/a` were taken"),
        (
            only_projects,
            "/b",
            None,
            "c.json: there are only MCP servers of other projects in it: `/a`; choose one with `--project DIR`",
        ),
        (
            "{\"mcpServers\": {}}",
            "/a",
            Some("/a"),
            "c.json: it has no MCP servers for the project `/a`; leave `--project` out, no project in it has any",
        ),
    ];
    for (json, working_dir, project, expected) in rows {
        assert_eq!(of_project(json, working_dir, project), expected, "{working_dir} {project:?}");
    }
}

#[test]
fn values_that_others_should_not_read_are_told() {
    let rows = [
        (r#"{"a": {"command": "c", "env": {"A": "1"}}}"#, 1, true),
        (r#"{"a": {"url": "http://h", "headers": {"A": "1"}}, "b": {"url": "http://h"}}"#, 2, true),
        (r#"{"a": {"command": "c", "env": {}}}"#, 1, false),
        (r#"{"a": {"url": "http://127.0.0.1:7070/mcp", "headers": {"A": "1"}}}"#, 0, false),
    ];
    for (servers, n_servers, holds_values) in rows {
        let imported = import(&format!("{{\"mcpServers\": {servers}}}"), &of("c.json")).unwrap();
        assert_eq!((imported.n_servers, imported.holds_values), (n_servers, holds_values), "{servers}");
    }
}

/// Words that have tripped importers before, and anything else.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a-zA-Z0-9 ._@/:-]{0,40}",
        "[a$ {}:A-]{0,12}",
        Just("context".to_owned()),
        Just("${input:some key}".to_owned()),
        Just("\"\"\"\n# x\n[server]\n".to_owned()),
        "https?://[a-z${}.:/?#@-]{0,20}",
    ]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        8 => word().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
        4 => prop::collection::vec(word(), 0..4).prop_map(Value::from),
        4 => prop::collection::vec((word(), word()), 0..4)
            .prop_map(|pairs| pairs.into_iter().map(|(k, v)| (k, Value::from(v))).collect()),
    ]
}

const FIELDS: &[&str] = &[
    "command",
    "args",
    "env",
    "cwd",
    "url",
    "serverUrl",
    "headers",
    "type",
    "disabled",
    "timeout",
    "autoApprove",
    "disabledTools",
    "includeTools",
    "envFile",
    "requestOptions",
    "anything",
];

fn server() -> impl Strategy<Value = Value> {
    let field = (prop::sample::select(FIELDS), value());
    let start = (prop::sample::select(&["command", "url"][..]), word());
    (start, prop::collection::vec(field, 0..6)).prop_map(|((start, word), fields)| {
        let fields = fields.into_iter().map(|(key, value)| (key.to_owned(), value));
        fields.chain([(start.to_owned(), Value::from(word))]).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn what_is_imported_loads(servers in prop::collection::vec((word(), server()), 1..5)) {
        let names = servers.iter().map(|(name, _)| name.clone());
        let n_servers = names.collect::<std::collections::BTreeSet<_>>().len();
        let servers: Value = servers.into_iter().collect();
        let json = serde_json::json!({ "mcpServers": servers }).to_string();
        let imported = import(&json, &of("client\n.json")).map_err(|e| TestCaseError::fail(format!("{e:?}")))?;
        let loaded = load(&imported);
        // A URL that starts with a variable is only as good as that variable.
        prop_assume!(!loaded.as_ref().is_err_and(|errors| errors.contains("is not a URL: `${")));
        let loaded = loaded.map_err(TestCaseError::fail)?;
        // The builtin is there too; every other server is there or said to be left out.
        let left_out = imported.warnings.iter().filter(|warning| warning.contains(": left out: "));
        prop_assert_eq!(loaded.config.upstreams.len() - 1 + left_out.count(), n_servers);
        prop_assert!(imported.warnings.iter().all(|warning| warning.lines().count() == 1));
        prop_assert_eq!(import(&json, &of("client\n.json")).ok(), Some(imported));
    }
}
