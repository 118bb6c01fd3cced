//! Layers: what wins, and where each value says it came from.

mod tokenizers;

use std::path::Path;

use tokenizers::TOKENIZERS;
use tollgate_config::{ConfigError, Env, Loaded, Request, Source, Sources, Transport, load, parse};

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

fn shown(loaded: &Loaded, key: &str) -> String {
    let found = loaded.show().into_iter().find(|shown| shown.key == key);
    found.map(|shown| format!("{} # {}", shown.value, shown.origin)).unwrap_or_default()
}

#[test]
fn later_layers_win() {
    let user = ("/home/u/.config/tollgate/config.toml", "[server]\nmax_sessions = 1\n");
    let project = ("tollgate.toml", "\n[server]\nmax_sessions = 2\n");
    let variable = ("TOLLGATE_SERVER__MAX_SESSIONS", "3");
    let flag = ("server.max_sessions", "4");
    let rows: &[(Pairs<'_>, Pairs<'_>, Pairs<'_>, &str)] = &[
        (&[], &[], &[], "1024 # default"),
        (&[user], &[], &[], "1 # /home/u/.config/tollgate/config.toml:2"),
        (&[user, project], &[], &[], "2 # tollgate.toml:3"),
        (&[user, project], &[variable], &[], "3 # env TOLLGATE_SERVER__MAX_SESSIONS"),
        (&[user, project], &[variable], &[flag], "4 # flag server.max_sessions"),
        (&[], &[], &[flag, ("server.max_sessions", "5")], "5 # flag server.max_sessions"),
    ];
    for (files, env, flags, expected) in rows {
        let loaded = parsed(files, env, flags).unwrap();
        assert_eq!(shown(&loaded, "server.max_sessions"), *expected);
        assert_eq!(loaded.origins["log.format"].to_string(), "default");
    }
}

#[test]
fn values_of_the_environment_are_toml_or_text() {
    let rows: &[(&str, &str, &str, &str)] = &[
        ("TOLLGATE_SERVER__LISTEN", "127.0.0.1:1", "server.listen", "\"127.0.0.1:1\""),
        ("TOLLGATE_SERVER__ALLOWED_HOSTS", "[\"a\"]", "server.allowed_hosts", "[\"a\"]"),
        ("TOLLGATE_PROFILES__DEFAULT__TOOLS_BUDGET_TOKENS", "off", "profiles.default.tools_budget_tokens", "\"off\""),
        ("TOLLGATE_PROFILES__DEFAULT__MODEL", "\"o3\"", "profiles.default.model", "\"o3\""),
        ("RUST_LOG", "debug", "log.level", "\"debug\""),
        ("TOLLGATE_MODELS__GPT_4_1__EXACT", "false", "models.\"gpt-4.1\".exact", "false"),
    ];
    for (name, value, key, expected) in rows {
        let loaded = parsed(&[], &[(name, value)], &[]).unwrap();
        assert_eq!(shown(&loaded, key), format!("{expected} # env {name}"));
    }
}

#[test]
fn text_that_looks_like_a_number_stays_text() {
    let file = ("t.toml", "[upstreams.x]\ncommand = 'c'\n");
    let pin = ("TOLLGATE_UPSTREAMS__X__ENV__PIN", "0123");
    let date = ("upstreams.x.env.DAY", "2026-01-01");
    let loaded = parsed(&[file], &[pin], &[date]).unwrap();
    let Transport::Stdio { env, .. } = &loaded.config.upstreams["x"].transport else {
        panic!("not a child process");
    };
    assert_eq!((env["PIN"].as_str(), env["DAY"].as_str()), ("0123", "2026-01-01"));
}

#[test]
fn secrets_are_not_shown() {
    let file = (
        "t.toml",
        "[upstreams.x]\ncommand = 'c'\nargs = ['--token', 'hunter2', '--api-key=hunter2', '--port', '1']\n\
         env = { HARMLESS = 'hunter2' }\n\
         [upstreams.y]\nurl = 'https://hunter2@a.example/mcp?k=hunter2'\nheaders = { X-A = 'hunter2' }\n",
    );
    let loaded = parsed(&[file], &[], &[]).unwrap();
    let rows = [
        ("upstreams.x.args", r#"["--token", "***", "--api-key=***", "--port", "1"]"#),
        ("upstreams.x.env.HARMLESS", r#""***""#),
        ("upstreams.y.url", r#""https://***@a.example/mcp?***""#),
        ("upstreams.y.headers.X-A", r#""***""#),
        ("profiles.default.tools_budget_tokens", "4000"),
    ];
    for (key, expected) in rows {
        assert_eq!(shown(&loaded, key).split(" # ").next(), Some(expected));
        let json = loaded.show().into_iter().find(|shown| shown.key == key).unwrap().json;
        assert_eq!(json, serde_json::from_str::<serde_json::Value>(expected).unwrap());
    }
    assert!(!format!("{:?}", loaded.config.upstreams).contains("hunter2"));
    assert!(loaded.show().iter().all(|shown| !shown.key.starts_with("models.")));
}

#[test]
fn files_are_found_and_read() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    let work = folder.path().join("work");
    std::fs::create_dir_all(home.join(".config/tollgate")).unwrap();
    std::fs::create_dir_all(&work).unwrap();
    let env = |home: &Path| Env::from_iter([("HOME".to_owned(), home.display().to_string())]);
    let request = Request { env: env(&home), working_dir: work.clone(), ..Request::default() };
    let sessions = |request: &Request| load(request, TOKENIZERS).map(|l| l.config.server.max_sessions);

    assert_eq!(sessions(&request).unwrap(), 1024);
    std::fs::write(home.join(".config/tollgate/config.toml"), "[server]\nmax_sessions = 1\n").unwrap();
    assert_eq!(sessions(&request).unwrap(), 1);
    std::fs::write(work.join("tollgate.toml"), "[server]\nmax_sessions = 2\n").unwrap();
    assert_eq!(sessions(&request).unwrap(), 2);

    std::fs::write(work.join("own.toml"), "[log]\nlevel = 'warn'\n").unwrap();
    let own = Request { config_file: Some("own.toml".into()), ..request.clone() };
    let loaded = load(&own, TOKENIZERS).unwrap();
    assert_eq!((loaded.config.server.max_sessions, loaded.config.log.level.as_str()), (1024, "warn"));
    assert_eq!(loaded.files, [Path::new("own.toml")]);
}

#[test]
fn addresses_that_others_reach_are_warned_about() {
    let reached = "t.toml:2:10: other machines reach `server.listen` of `ADDRESS`, and nobody is asked who they are; set \
                   `server.require_keys` to `auto`, or let only a proxy with authentication reach it";
    let refused = "t.toml:2:10: `server.allowed_hosts` has no host by which other machines reach it, so that they are \
                   refused; add the host that stands in their URL";
    let named = "allowed_hosts = ['192.168.1.5']\nrequire_keys = 'never'";
    let rows: &[(&str, &str, &[&str])] = &[
        ("127.0.0.1:7070", "require_keys = 'never'", &[]),
        ("[::1]:7070", "", &[]),
        ("0.0.0.0:7070", "", &[refused]),
        ("0.0.0.0:7070", "require_keys = 'never'", &[reached, refused]),
        ("192.168.1.5:7070", named, &[reached]),
    ];
    for (address, hosts, expected) in rows {
        let text = format!("[server]\nlisten = '{address}'\n{hosts}\n");
        let expected: Vec<String> = expected.iter().map(|line| line.replace("ADDRESS", address)).collect();
        assert_eq!(parsed(&[("t.toml", &text)], &[], &[]).unwrap().warnings, expected, "{address}");
    }
}

#[cfg(unix)]
#[test]
fn what_the_machine_lacks_is_warned_about() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("program");
    std::fs::write(&program, "").unwrap();
    std::fs::write(folder.path().join("text"), "").unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    let here = folder.path().display().to_string();
    let no_program =
        |name: &str, remedy: &str| format!("t.toml:2:11: `upstreams.x.command`: there is no program {name}; {remedy}");
    let on_path = |name: &str| no_program(&format!("`{name}` on its `PATH`"), "install it, or give its full path");
    let at_path = |name: &str| no_program(&format!("`{name}`"), "check the path and that it may be run");
    let no_folder = |place: &str, key: &str| {
        format!("t.toml:{place}: `upstreams.x.{key}`: there is no folder `/none/such`; create it, or name another")
    };
    let rows = [
        ("command = 'program'", String::new()),
        ("command = '~/program'", String::new()),
        ("command = './program'\ncwd = '~'", String::new()),
        ("command = 'absent'", on_path("absent")),
        ("command = 'absent'\nenabled = false", String::new()),
        ("command = 'text'", on_path("text")),
        ("command = 'program'\nenv = { PATH = '/none' }", on_path("program")),
        ("command = '/none/such'", at_path("/none/such")),
        ("command = 'program'\ncwd = '/none/such'", no_folder("3:7", "cwd")),
        ("builtin = 'context'\nroot = '/none/such'", no_folder("3:8", "root")),
        ("url = 'http://none.example'", String::new()),
    ];
    for (lines, expected) in rows {
        let text = format!("[upstreams.x]\n{lines}\n");
        let loaded =
            parsed(&[("t.toml", &text)], &[("HOME", &here), ("PATH", &here)], &[("upstreams.context.root", &here)]);
        assert_eq!(loaded.unwrap().missing().join("\n"), expected, "{lines}");
    }
}

#[test]
fn keys_that_are_not_there_are_warned_about() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("key"), "secret\n").unwrap();
    std::fs::write(folder.path().join("empty"), "\n").unwrap();
    let here = folder.path().display().to_string();
    let mine = "[providers.mine]\nbase_url = 'http://a.example/v1'\nprotocols = ['openai-chat']\n";
    let file =
        |name: &str, told: &str| format!("t.toml:4:16: `providers.mine.api_key_file`: the file `{here}/{name}` {told}");
    let variable = |place: &str, name: &str, variable: &str| {
        let told = format!("environment variable `{variable}` is not set, or empty; export it, or name another");
        format!("{place}: `providers.{name}.api_key_env`: {told}")
    };
    let rows = [
        // The catalogue names a dozen, and nobody has to have them all.
        (String::new(), String::new()),
        (mine.into(), String::new()),
        (format!("{mine}api_key_env = 'SET'"), String::new()),
        (format!("{mine}api_key_env = 'BLANK'"), variable("t.toml:4:15", "mine", "BLANK")),
        (format!("{mine}api_key_env = 'ABSENT'"), variable("t.toml:4:15", "mine", "ABSENT")),
        (format!("{mine}api_key_file = '{here}/key'"), String::new()),
        (format!("{mine}api_key_file = '{here}/empty'"), file("empty", "is empty; write the key into it")),
        (
            format!("{mine}api_key_file = '{here}/none'"),
            file("none", "cannot be read (entity not found); create it, or name another"),
        ),
        ("[routes.r]\ntargets = ['groq/x']".into(), variable("models.toml:LINE:15", "groq", "GROQ_API_KEY")),
        ("[providers.groq]\nattempts = 1".into(), variable("models.toml:LINE:15", "groq", "GROQ_API_KEY")),
    ];
    let groq = tollgate_config::MODELS_TOML.lines().position(|line| line.contains("GROQ_API_KEY")).unwrap() + 1;
    for (text, expected) in rows {
        let loaded = parsed(&[("t.toml", &text)], &[("SET", "k"), ("BLANK", "")], &[]).unwrap();
        let told = loaded.missing_keys().join("\n");
        assert_eq!(told, expected.replace("LINE", &groq.to_string()), "{text}");
        assert!(!told.contains("secret"));
    }
}

#[test]
fn unreadable_files_are_one_line() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("dir")).unwrap();
    std::fs::write(folder.path().join("latin1.toml"), b"# \xe9\n").unwrap();
    let rows = [
        ("none.toml", "none.toml: no such file; check the path after `--config`"),
        ("dir", "dir: is a folder; name a file"),
        ("latin1.toml", "latin1.toml: is not UTF-8 text; save it as UTF-8"),
    ];
    for (path, expected) in rows {
        let working_dir = folder.path().to_owned();
        let request = Request { config_file: Some(path.into()), working_dir, ..Request::default() };
        let errors = load(&request, TOKENIZERS).err().unwrap_or_default();
        assert_eq!(errors.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected]);
    }
}
