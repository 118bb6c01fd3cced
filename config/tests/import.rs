//! Importing: golden files for what clients write, and the promise that what comes out loads.
//! `import/*.json` go in; `import/*.toml` must come out, followed by the warnings.

use proptest::prelude::*;
use serde_json::Value;
use tollgate_config::{Env, Imported, Loaded, Source, Sources, import, parse};

const TOKENIZERS: &[&str] = &["o200k_base", "cl100k_base"];

/// Loads what was imported, with the variables set that it asks for.
fn load(imported: &Imported) -> Result<Loaded, String> {
    let variables = imported.variables.iter().map(|name| (name.clone(), "v".to_owned()));
    let file = Source { path: "imported.toml".into(), text: imported.toml.clone() };
    let env: Env = variables.collect();
    let sources = Sources { files: vec![file], env, working_dir: "/here".into(), ..Sources::default() };
    parse(&sources, TOKENIZERS).map_err(|errors| format!("{errors:#?}\n{}", imported.toml))
}

fn check(name: &str, json: &str, golden: &str) {
    let (toml, warnings) = golden.split_once("=> warnings\n").unwrap_or((golden, ""));
    let imported = import(json, name).unwrap_or_else(|errors| Imported {
        toml: format!("{errors:?}"),
        warnings: Vec::new(),
        variables: Default::default(),
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
    golden!("vscode");
    golden!("others");
    golden!("zed");
    golden!("continue");
    golden!("opencode");
}

#[test]
fn variables_are_named() {
    let imported = import(include_str!("import/vscode.json"), "mcp.json").unwrap();
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
        let errors = import(json, "c.json").err().unwrap_or_default();
        assert_eq!(errors.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected]);
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
        let imported = import(&json, "client\n.json").map_err(|e| TestCaseError::fail(format!("{e:?}")))?;
        let loaded = load(&imported);
        // A URL that starts with a variable is only as good as that variable.
        prop_assume!(!loaded.as_ref().is_err_and(|errors| errors.contains("is not a URL: `${")));
        let loaded = loaded.map_err(TestCaseError::fail)?;
        // The builtin is there too; every other server is there or said to be left out.
        let left_out = imported.warnings.iter().filter(|warning| warning.contains(": left out: "));
        prop_assert_eq!(loaded.config.upstreams.len() - 1 + left_out.count(), n_servers);
        prop_assert!(imported.warnings.iter().all(|warning| warning.lines().count() == 1));
        prop_assert_eq!(import(&json, "client\n.json").ok(), Some(imported));
    }
}
