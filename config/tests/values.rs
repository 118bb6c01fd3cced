//! What a checked value looks like: expanded, resolved, absolute.

mod tokenizers;

use std::path::Path;

use tokenizers::TOKENIZERS;
use tollgate_config::{
    ConfigError, Loaded, NamePolicy, ProviderKey, Secret, Source, Sources, Target, TokenizerSource, Transport, parse,
};

type Pairs<'a> = &'a [(&'a str, &'a str)];

fn parsed(files: Pairs<'_>, env: Pairs<'_>, flags: Pairs<'_>) -> Result<Loaded, Vec<ConfigError>> {
    let owned = |(a, b): &(&str, &str)| ((*a).to_owned(), (*b).to_owned());
    let file = |(path, text): &(&str, &str)| Source { path: path.into(), text: (*text).to_owned() };
    let sources = Sources {
        files: files.iter().map(file).collect(),
        env: env.iter().map(owned).collect(),
        overrides: flags.iter().map(owned).collect(),
        working_dir: "/here".into(),
    };
    parse(&sources, TOKENIZERS)
}

#[test]
fn traces_go_where_the_file_or_opentelemetrys_variables_say() {
    let endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
    let traces = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
    let rows: &[(&str, Pairs<'_>, Option<&str>)] = &[
        ("", &[], None),
        ("http://a:4318", &[], Some("http://a:4318/v1/traces")),
        ("http://a/otlp/", &[], Some("http://a/otlp/v1/traces")),
        ("http://a/v1/traces", &[], Some("http://a/v1/traces")),
        ("", &[(endpoint, "http://b")], Some("http://b/v1/traces")),
        ("http://a", &[(endpoint, "http://b")], Some("http://b/v1/traces")),
        ("http://a", &[(endpoint, " ")], Some("http://a/v1/traces")),
        ("", &[(endpoint, "http://b"), (traces, "http://c/x/")], Some("http://c/x/")),
        ("http://a", &[("OTEL_SDK_DISABLED", "TRUE")], None),
        ("http://a", &[("OTEL_SDK_DISABLED", "false")], Some("http://a/v1/traces")),
        ("", &[(endpoint, "http://b"), ("OTEL_TRACES_EXPORTER", "none")], None),
    ];
    for (own, env, expected) in rows {
        let file = format!("[telemetry]\notlp_endpoint = '{own}'\n");
        let loaded = parsed(&[("t.toml", &file)], env, &[]).unwrap();
        assert_eq!(loaded.config.telemetry.traces_url.as_deref(), *expected, "{own} {env:?}");
        assert_eq!(loaded.config.telemetry.service_name, "tollgate");
    }
    let told = |env: Pairs<'_>| match parsed(&[], env, &[]) {
        Ok(loaded) => loaded.warnings.join("\n"),
        Err(errors) => errors.iter().map(ToString::to_string).collect(),
    };
    assert_eq!(
        told(&[(endpoint, "localhost:4318")]),
        "env OTEL_EXPORTER_OTLP_ENDPOINT: `OTEL_EXPORTER_OTLP_ENDPOINT` is not a URL: `localhost:4318`; write a URL that \
         starts with `https://` or `http://`"
    );
    assert_eq!(
        told(&[(endpoint, "http://b:4317"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]),
        "env OTEL_EXPORTER_OTLP_PROTOCOL: traces are sent as `http/protobuf`, and `OTEL_EXPORTER_OTLP_PROTOCOL` is `grpc`; \
         name an endpoint that takes it, mostly at port 4318"
    );
    assert_eq!(told(&[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]), "");
}

#[test]
fn a_child_gets_a_scrubbed_environment() {
    let file = (
        "t.toml",
        "[upstreams.x]\ncommand = '${DIR}/c'\nargs = ['--x=${A:-d}', '$${A}']\n\
         inherit_env = ['PROXY', 'ABSENT']\nenv = { KEY = 'k-${SECRET}', HOME = '/h' }\n",
    );
    let env = [
        ("PATH", "/bin"),
        ("HOME", "/home/u"),
        ("LC_ALL", "C"),
        ("SECRET", "s"),
        ("PROXY", "p"),
        ("DIR", "/opt"),
        ("OTHER", "o"),
    ];
    let loaded = parsed(&[file], &env, &[]).unwrap();
    let Transport::Stdio { command, args, env, cwd } = &loaded.config.upstreams["x"].transport else {
        panic!("not a child process");
    };
    assert_eq!((command.as_str(), cwd), ("/opt/c", &None));
    assert_eq!(*args, ["--x=d", "${A}"]);
    let mut env: Vec<(&str, &str)> = env.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    env.sort_unstable();
    let expected = [("HOME", "/h"), ("KEY", "k-s"), ("LC_ALL", "C"), ("PATH", "/bin"), ("PROXY", "p")];
    assert_eq!(env, expected);
}

#[test]
fn the_home_is_meant_in_a_command_and_not_in_arguments() {
    for (command, expected) in [("~/bin/c", "/home/u/bin/c"), ("~c", "~c"), ("c/~/x", "c/~/x")] {
        let text = format!("[upstreams.x]\ncommand = '{command}'\nargs = ['~/docs']\n");
        let loaded = parsed(&[("t.toml", &text)], &[("HOME", "/home/u")], &[]).unwrap();
        let Transport::Stdio { command, args, .. } = &loaded.config.upstreams["x"].transport else {
            panic!("not a child process");
        };
        assert_eq!((command.as_str(), args[0].as_str()), (expected, "~/docs"));
    }
}

#[test]
fn relative_folders_start_from_the_file_that_says_them() {
    let rows = [
        ("/etc/tollgate/t.toml", "docs", "/etc/tollgate/docs"),
        ("sub/t.toml", "./docs", "/here/sub/docs"),
        ("t.toml", ".", "/here"),
        ("t.toml", "/abs", "/abs"),
        ("t.toml", "~/docs", "/home/u/docs"),
        ("t.toml", "${HOME}", "/home/u"),
        ("t.toml", "~", "/home/u"),
        ("t.toml", "~u", "/here/~u"),
    ];
    for (path, root, expected) in rows {
        let text = format!("[upstreams.d]\nbuiltin = 'context'\nroot = '{root}'\n");
        let loaded = parsed(&[(path, &text)], &[("HOME", "/home/u")], &[]).unwrap();
        let Transport::Context { root, .. } = &loaded.config.upstreams["d"].transport else {
            panic!("not the builtin");
        };
        assert_eq!(root, Path::new(expected));
    }
}

#[test]
fn a_disabled_upstream_needs_no_variables() {
    let file = ("t.toml", "[upstreams.x]\nenabled = false\nurl = '${HOST}'\nheaders = { A = '${T}' }\n");
    let loaded = parsed(&[file], &[], &[]).unwrap();
    assert!(!loaded.config.upstreams["x"].enabled);
    assert_eq!(loaded.config.profiles["default"].upstreams, ["context"]);
}

#[test]
fn profiles_resolve_upstreams_and_fall_back_to_default() {
    let file = (
        "t.toml",
        "[profiles.default]\nmodel = 'openai/GPT-4o'\nnames = 'always'\n\
         [profiles.git]\nupstreams = ['git*']\ntools_budget_tokens = 0\n\
         [upstreams.git]\ncommand = 'c'\n[upstreams.docs]\nurl = 'http://a'\n[upstreams.git-2]\ncommand = 'c'\n",
    );
    let profiles = parsed(&[file], &[], &[]).unwrap().config.profiles;
    assert_eq!(profiles["default"].upstreams, ["context", "git", "docs", "git-2"]);
    assert_eq!(profiles["default"].tools_budget_tokens, Some(4000));
    let git = &profiles["git"];
    assert_eq!(git.upstreams, ["git", "git-2"]);
    assert_eq!((git.tools_budget_tokens, git.names), (None, NamePolicy::Always));
    assert_eq!((&*git.tokenizer.to_string(), git.count_is_exact), ("o200k_base", true));
    assert_eq!(git.window_tokens, Some(128_000));
}

#[test]
fn a_providers_key_comes_from_the_first_place_that_has_one() {
    let base = "[providers.openai]\n";
    let env = [("OPENAI_API_KEY", "from-env"), ("HOME", "/home/u"), ("EMPTY", "")];
    let given = |text: &str| Some(ProviderKey::Given(Secret::new(text.to_owned())));
    let rows = [
        (String::new(), given("from-env")),
        (format!("{base}api_key = 'k'"), given("k")),
        (format!("{base}api_key = '${{EMPTY:-}}'"), None),
        (format!("{base}api_key_env = 'NONE'"), Some(ProviderKey::Missing("NONE".into()))),
        (format!("{base}api_key_env = 'EMPTY'"), Some(ProviderKey::Missing("EMPTY".into()))),
        (format!("{base}api_key_file = '~/k'"), Some(ProviderKey::File("/home/u/k".into()))),
    ];
    for (text, expected) in rows {
        let loaded = parsed(&[("t.toml", &text)], &env, &[]).unwrap();
        let provider = &loaded.config.providers["openai"];
        assert_eq!(provider.key, expected, "{text}");
        assert!(!format!("{provider:?}").contains("from-env"), "shown: {provider:?}");
    }
}

#[test]
fn a_route_takes_from_the_defaults_what_it_does_not_say() {
    let text = "[route_defaults]\ntools_budget_tokens = 500\ncache_ttl_s = 60\n\
                [routes.fast]\ntargets = ['openrouter/a/b']\ncache_ttl_s = 0\nprofile = 'default'\n";
    let config = parsed(&[("t.toml", text)], &[], &[]).unwrap().config;
    let route = &config.routes["fast"];
    assert_eq!(route.targets, [Target { provider: "openrouter".into(), model: "a/b".into() }]);
    assert_eq!((route.rules.tools_budget_tokens, route.rules.cache_ttl), (Some(500), None));
    assert_eq!(route.rules.profile.as_deref(), Some("default"));
    let default = &config.default_route.rules;
    assert_eq!((default.tools_budget_tokens, default.cache_ttl.map(|it| it.as_secs())), (Some(500), Some(60)));
}

#[test]
fn the_data_folder_follows_the_xdg_specification() {
    let rows: &[(&str, Pairs<'_>, Option<&str>)] = &[
        ("", &[("HOME", "/home/u")], Some("/home/u/.local/share/tollgate")),
        ("", &[("HOME", "/home/u"), ("XDG_DATA_HOME", "/data")], Some("/data/tollgate")),
        ("", &[("HOME", "/home/u"), ("XDG_DATA_HOME", "not/absolute")], Some("/home/u/.local/share/tollgate")),
        ("", &[], None),
        ("folder = '~/gate'", &[("HOME", "/home/u")], Some("/home/u/gate")),
        ("folder = 'gate'", &[], Some("/here/gate")),
    ];
    for (line, env, expected) in rows {
        let text = format!("[store]\n{line}\n");
        let store = parsed(&[("t.toml", &text)], env, &[]).unwrap().config.store;
        assert_eq!(store.folder.as_deref(), expected.map(Path::new), "{line} {env:?}");
    }
}

/// Files of a model are looked for from the file that names them, and a later layer may name others.
#[test]
fn tokenizers_are_names_or_files() {
    let model = |tokenizer: &str| format!("[models.m]\nprovider = 'p'\nexact = true\n{tokenizer}\n");
    let tiktoken = |file: &str| TokenizerSource::Tiktoken { file: file.into(), splits_like: "cl100k_base".into() };
    let rows = [
        ("tokenizer = 'qwen3'", TokenizerSource::Named("qwen3".into())),
        ("tokenizer = 'm/tokenizer.json'", TokenizerSource::Json("/here/etc/m/tokenizer.json".into())),
        ("tokenizer = '/m/tokenizer.json'", TokenizerSource::Json("/m/tokenizer.json".into())),
        ("tokenizer = '~/m.json'", TokenizerSource::Json("/home/u/m.json".into())),
        ("tokenizer = '${DIR}/m.json'", TokenizerSource::Json("/d/m.json".into())),
        ("tokenizer = '../m.tiktoken'\nsplits_like = 'cl100k_base'", tiktoken("/here/etc/../m.tiktoken")),
    ];
    let env = [("HOME", "/home/u"), ("DIR", "/d")];
    for (tokenizer, expected) in rows {
        let loaded = parsed(&[("etc/t.toml", &model(tokenizer))], &env, &[]).unwrap();
        assert_eq!(loaded.config.models.find("m").unwrap().tokenizer, expected, "{tokenizer}");
    }
    let flags = [("models.m.tokenizer", "\"tekken\"")];
    let text = model("tokenizer = 'm.json'\nchat_template = 'm.jinja'");
    let loaded = parsed(&[("etc/t.toml", &text)], &env, &flags).unwrap();
    let found = loaded.config.models.find("m").unwrap();
    assert_eq!(found.tokenizer, TokenizerSource::Named("tekken".into()));
    assert_eq!(found.chat_template.as_deref(), Some(Path::new("/here/etc/m.jinja")));
    let loaded = parsed(&[("etc/t.toml", "[models.gpt-5]\ntokenizer = 'm.json'")], &env, &[]).unwrap();
    assert_eq!(loaded.config.profiles["default"].tokenizer.to_string(), "/here/etc/m.json");
}
