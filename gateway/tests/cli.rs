//! The command line as a user meets it: the built program, in a folder and a home of its own.

#![expect(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use tempfile::TempDir;

/// What a command came to.
#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// A folder with these files in it.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// Runs `tollgate` in a folder that is also the home.
fn tollgate(folder: &Path, arguments: &[&str]) -> Ran {
    run_in(folder, folder, arguments)
}

fn run_in(folder: &Path, home: &Path, arguments: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    command.env_clear().env("HOME", home).env("PATH", "/usr/bin:/bin");
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

const OWN_ONLY: &str = r#"{"mcpServers": {"tollgate": {"type": "http", "url": "http://127.0.0.1:7070/mcp"}}}"#;
const WITH_ENV: &str = r#"{"mcpServers": {"a": {"command": "c", "env": {"API_TOKEN": "t"}}}}"#;
const WITHOUT_ENV: &str = r#"{"mcpServers": {"a": {"command": "c"}}}"#;

#[test]
fn imports_write_a_file_of_their_own() {
    let rows = [
        (WITH_ENV, "new.toml", 0, "note: `new.toml` is for your eyes only (mode 0600)"),
        (WITHOUT_ENV, "new.toml", 0, ""),
        (WITHOUT_ENV, "c.json", 1, "error: `c.json` already exists; name another file, or delete it first\n"),
        (OWN_ONLY, "new.toml", 1, "error: `c.json` has no server to import; nothing was written\n"),
    ];
    for (json, output, code, told) in rows {
        let folder = folder(&[("c.json", json)]);
        let ran = tollgate(folder.path(), &["import", "c.json", "-o", output]);
        assert_eq!(ran.code, Some(code), "{ran:?}");
        assert!(ran.stderr.contains(told), "{ran:?}");
        assert_eq!(folder.path().join("new.toml").exists(), code == 0, "{json}");
    }
}

#[cfg(unix)]
#[test]
fn imported_values_are_closed_to_others() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder(&[("c.json", WITH_ENV)]);
    tollgate(folder.path(), &["import", "c.json", "-o", "new.toml"]);
    let mode = fs::metadata(folder.path().join("new.toml")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_project_is_found_by_a_relative_path() {
    let folder = folder(&[]);
    let shop = folder.path().canonicalize().unwrap().join("shop");
    fs::create_dir(&shop).unwrap();
    let json = format!(r#"{{"projects": {{{shop:?}: {{"mcpServers": {{"a": {{"command": "c"}}}}}}}}}}"#);
    fs::write(folder.path().join("c.json"), json).unwrap();
    for (arguments, code) in [(&["--project", "shop"][..], 0), (&[], 1)] {
        let ran = tollgate(folder.path(), &[&["import", "c.json"], arguments].concat());
        assert_eq!((ran.code, ran.stdout.contains("[upstreams.a]")), (Some(code), code == 0), "{ran:?}");
    }
}

#[test]
fn options_stand_before_the_command_or_behind_it() {
    let folder = folder(&[("y.toml", "[log]\nlevel = \"warn\"\n")]);
    let [one, two] = [["--set", "server.max_sessions=1"], ["--set", "server.keep_alive_s=2"]];
    let rows: &[&[&[&str]]] = &[
        &[&["-c", "y.toml"], &one, &two, &["config", "show"]],
        &[&["-c", "y.toml"], &one, &["config"], &two, &["show"]],
        &[&one, &["config", "-c", "y.toml", "show"], &two],
        &[&["config", "show", "-c", "y.toml"], &one, &two],
        &[&["-c", "none.toml", "config", "show", "-c", "y.toml"], &one, &two],
    ];
    for arguments in rows {
        let ran = tollgate(folder.path(), &arguments.concat());
        let words = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        for expected in ["server.max_sessions 1 ", "server.keep_alive_s 2 ", "log.level \"warn\" y.toml:2"] {
            assert!(words.contains(expected), "{ran:?}");
        }
    }
}

#[test]
fn options_that_mean_nothing_are_refused() {
    let rows: &[(&[&str], &str)] = &[
        (&["--set", "server.max_sessions=1", "import", "c.json"], "this command reads no configuration"),
        (&["-c", "y.toml", "completions", "bash"], "this command reads no configuration"),
        (&["-l", "127.0.0.1:1", "config", "show"], "`--listen` goes with `tollgate serve` only"),
    ];
    for (arguments, told) in rows {
        let ran = tollgate(folder(&[]).path(), arguments);
        assert!(ran.code == Some(2) && ran.stderr.contains(told), "{ran:?}");
    }
}

#[cfg(unix)]
#[test]
fn nobody_is_shown_a_disk_or_a_home_by_accident() {
    let home = folder(&[("t.toml", "[upstreams.context]\nroot = \".\"\n")]);
    let project = folder(&[]);
    let chosen = home.path().join("t.toml");
    let chosen: &[&str] = &["-c", chosen.to_str().unwrap()];
    let rows: &[(&Path, &[&str], &str, bool)] = &[
        (Path::new("/"), &[], "the builtin `context` is not served, it would show the whole disk; ", false),
        (Path::new("/"), chosen, "", true),
        (home.path(), &[], "the builtin `context` shows your whole home folder; ", true),
        (home.path(), chosen, "", true),
        (project.path(), &[], "", true),
    ];
    for (folder, options, told, is_served) in rows {
        for command in [&["mcp"][..], &["plan", "--json"]] {
            let ran = run_in(folder, home.path(), &[command, options].concat());
            assert_eq!(ran.code, Some(0), "{ran:?}");
            assert_eq!(ran.stderr.contains("the builtin `context`"), !told.is_empty(), "{ran:?}");
            assert!(ran.stderr.contains(told), "{ran:?}");
            assert!(command[0] == "mcp" || ran.stdout.contains("list_files") == *is_served, "{ran:?}");
        }
    }
}

const DEAD: &str = "[upstreams.gone]\ncommand = \"no-such-program\"\n";

#[test]
fn a_plan_tells_which_upstreams_are_down() {
    let folder = folder(&[("tollgate.toml", DEAD)]);
    let ran = tollgate(folder.path(), &["plan"]);
    let told = "\n1 of 2 upstreams is down: gone (`no-such-program` could not be started";
    assert!(ran.code == Some(0) && ran.stdout.contains(told), "{ran:?}");
    for (set, expected) in
        [("[\"*\"]", "\"down\":[{\"server\":\"gone\",\"reason\":\"`no-"), ("[\"context\"]", "\"down\":[]")]
    {
        let ran = tollgate(folder.path(), &["plan", "--json", "--set", &format!("profiles.default.upstreams={set}")]);
        assert!(ran.code == Some(0) && ran.stdout.contains(expected), "{ran:?}");
    }
    let ran = tollgate(folder.path(), &["plan", "--set", "profiles.default.upstreams=[\"gone\"]"]);
    assert!(ran.stdout.starts_with("there are no tools to list\n1 of 1 upstream is down: gone ("), "{ran:?}");
}

/// The numbers in a text, thousands joined.
fn numbers(text: &str) -> Vec<u64> {
    let text = text.replace(',', "");
    text.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect()
}

#[test]
fn a_plan_adds_up() {
    let tool = |n| {
        format!(r#"{{"name": "tool_{n}", "description": "Does one of many things, the {n}th.", "inputSchema": {{}}}}"#)
    };
    let tools: Vec<_> = (0..60).map(tool).collect();
    let folder = folder(&[("many.json", &format!("[{}]", tools.join(",")))]);
    let plan = |options: &[&str]| tollgate(folder.path(), &[&["plan", "--tools", "many.json"], options].concat());
    for options in [&["--budget", "0"][..], &["--budget", "700"], &["--budget", "700", "--query", "tool_7"]] {
        let ran = plan(options);
        let rows = ran.stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let entries =
            rows.filter(|row| matches!(row[..], [_, "many", "full" | "pruned" | "described" | "signature", _]));
        let entries: u64 = entries.map(|row| numbers(row[3])[0]).sum();
        let of_meta = |line: &&str| line.contains("search_tools, describe_tool");
        let meta = ran.stdout.lines().find(of_meta).map_or(0, |line| numbers(line)[0]);
        let total = ran.stdout.lines().find(|line| line.contains(" for the list's own brackets")).unwrap();
        let [total, frame, ..] = numbers(total)[..] else { unreachable!("{total}") };
        assert_eq!(entries + meta + frame, total, "{}", ran.stdout);
    }
    let ran = plan(&["--budget", "250", "--json"]);
    assert!(ran.stdout.contains("\"view\":\"omitted\"") && !ran.stdout.contains("\"omit\""), "{ran:?}");
    assert_eq!(plan(&["--budget", "10"]).code, Some(1));
}

#[test]
fn a_check_warns_of_what_will_not_work() {
    let key = "[providers.groq]\napi_key_env = \"NO_SUCH_KEY\"\n";
    let text = format!("[server]\nlisten = \"0.0.0.0:0\"\nrequire_keys = \"never\"\n{DEAD}{key}");
    let folder = folder(&[("tollgate.toml", &text)]);
    let ran = tollgate(folder.path(), &["config", "check"]);
    assert!(ran.code == Some(0) && ran.stdout.starts_with("ok: 2 upstreams, 1 profile, "), "{ran:?}");
    for told in [
        "other machines reach `server.listen`",
        "there is no program `no-such-program` on its `PATH`",
        "`providers.groq.api_key_env`: environment variable `NO_SUCH_KEY` is not set, or empty; export it, or name another",
    ] {
        assert!(ran.stderr.contains(told), "{ran:?}");
    }
    let ran = tollgate(folder.path(), &["config", "show", "--json"]);
    for told in [r#""server.listen","value":"0.0.0.0:0""#, r#""server.max_sessions","value":1024"#, r#""value":["*"]"#]
    {
        assert!(ran.stdout.contains(told), "{ran:?}");
    }
}

#[test]
fn a_running_gateway_tells_what_is_not_as_meant() {
    const PATIENCE: Duration = Duration::from_secs(60);
    let text = "[server]\nlisten = \"0.0.0.0:0\"\n[profiles.default]\npins = [\"context/wrong\"]\n";
    let warned = "no request is let in until `tollgate keys create` made an api key";
    let folder = folder(&[("tollgate.toml", text)]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command.current_dir(folder.path()).env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut serving = command.spawn().unwrap();
    let (sender, heard) = mpsc::channel();
    let lines = BufReader::new(serving.stderr.take().unwrap()).lines();
    let listening = thread::spawn(move || lines.map_while(Result::ok).for_each(|line| drop(sender.send(line))));
    let mut missing = Vec::new();
    let told = [warned, "no tool matches the pin `context/wrong`", "`tollgate.toml` has changed"];
    for expected in told {
        if expected.ends_with("changed") {
            fs::write(folder.path().join("tollgate.toml"), text).unwrap();
        }
        let is_heard = std::iter::from_fn(|| heard.recv_timeout(PATIENCE).ok()).any(|line| line.contains(expected));
        missing.extend((!is_heard).then_some(expected));
    }
    serving.kill().unwrap();
    serving.wait().unwrap();
    listening.join().unwrap();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn texts_are_counted_for_many_models_at_once() {
    let folder = folder(&[("a.txt", "hello world"), ("b.txt", "1234 <|endoftext|>"), ("tollgate.toml", "")]);
    let bad = folder.path().join("bad.bin");
    fs::write(bad, [b'a', 0xff]).unwrap();
    let ran = tollgate(folder.path(), &["count", "a.txt", "b.txt", "--model", "gpt-5,gpt-4", "--json"]);
    let rows: Vec<serde_json::Value> = serde_json::from_str(&ran.stdout).unwrap();
    let found: Vec<_> =
        rows.iter().map(|it| (it["file"].as_str(), it["model"].as_str(), it["tokens"].as_u64())).collect();
    // A control token in a text is some six tokens of ordinary characters, and four digits are two.
    let expected = [("a.txt", "gpt-5", 2), ("a.txt", "gpt-4", 2), ("b.txt", "gpt-5", 9), ("b.txt", "gpt-4", 8)];
    assert_eq!(found, expected.map(|(file, model, tokens)| (Some(file), Some(model), Some(tokens))));
    for (arguments, told) in [
        (vec!["count", "bad.bin"], "error: `bad.bin` is no UTF-8 text (byte 1)"),
        (vec!["count", "none.txt", "bad.bin"], "error: `none.txt` cannot be read"),
        (vec!["count", "a.txt", "--model", "gqt-5"], "error: unknown model `gqt-5`"),
    ] {
        let ran = tollgate(folder.path(), &arguments);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(ran.stderr.starts_with(told), "{ran:?}");
        assert_eq!(ran.stdout, "");
    }
    let all = tollgate(folder.path(), &["count", "--all"]);
    assert_eq!((all.code, all.stdout.lines().count()), (Some(0), 1 + tollgate_tokenizers::TOKENIZERS.len()));
}

#[test]
fn a_key_is_shown_once_and_listed_without() {
    let folder = folder(&[]);
    let keys = |arguments: &[&str]| tollgate(folder.path(), &[&["keys"], arguments].concat());
    assert_eq!(keys(&["list"]).stdout, "there are no keys; `tollgate keys create --name NAME` makes one\n");
    let limits = ["--limit", "requests=60/minute", "--limit", "usd=2.5/month", "--tools-budget", "700"];
    let made =
        keys(&[&["create", "--name", "ci", "--model", "gpt-5*", "--expires", "2999-01-31"], &limits[..]].concat());
    assert_eq!(made.code, Some(0), "{made:?}");
    let key = made.stdout.trim_end();
    assert!(key.starts_with("tg-") && key.len() == 46 && !made.stderr.contains(key), "{made:?}");
    assert!(made.stderr.starts_with("note: this is the key `ci` (id "), "{made:?}");
    let listed = keys(&["list"]);
    for told in ["ci", "active", "2999-01-31", "models gpt-5*", "requests=60/minute usd=2.5/month tools-budget=700"] {
        assert!(listed.stdout.contains(told), "{listed:?}");
    }
    let json: serde_json::Value = serde_json::from_str(&keys(&["list", "--json"]).stdout).unwrap();
    let row = &json[0];
    assert_eq!((row["state"].as_str(), row["expires"].as_str()), (Some("active"), Some("2999-01-31T00:00:00Z")));
    let kept = files_below(&folder.path().join(".local/share/tollgate"));
    assert!(kept.iter().any(|text| text.contains(row["id"].as_str().unwrap())), "{kept:?}");
    for shown in kept.iter().chain([&listed.stdout, &json.to_string()]) {
        assert!(!shown.contains(&key[3..]), "the key is kept or shown: {shown}");
    }
    let again = keys(&["create", "--name", "ci"]);
    assert!(again.code == Some(1) && again.stderr.contains("the name `ci` is taken by the key "), "{again:?}");
    assert!(keys(&["revoke", "ci"]).stdout.starts_with("revoked the key `ci` (id "));
    let gone = keys(&["revoke", "ci"]);
    assert_eq!(gone.stderr, "error: there is no active key `ci`; `tollgate keys list` shows all\n");
    let other: serde_json::Value = serde_json::from_str(&keys(&["create", "--name", "ci", "--json"]).stdout).unwrap();
    assert_eq!(other["key"].as_str().map(str::len), Some(46));
    assert!(keys(&["revoke", other["id"].as_str().unwrap()]).code == Some(0));
}

fn files_below(folder: &Path) -> Vec<String> {
    let paths = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
    paths.map(|it| String::from_utf8_lossy(&fs::read(it).unwrap()).into_owned()).collect()
}

#[test]
fn mistakes_of_keys_and_usage_are_explained() {
    let rows: &[(&[&str], i32, &str)] = &[
        (&["keys", "create"], 2, "--name <NAME>"),
        (&["keys", "create", "--name", " a"], 2, "write 1 to 64 visible characters"),
        (&["keys", "create", "--name", "a", "--limit", "usd=5/week"], 2, "`usd=5/week` is no limit; write one such as"),
        (
            &["keys", "create", "--name", "a", "--expires", "soon"],
            2,
            "`soon` is no date; write one such as `2026-11-25`, or 1 to",
        ),
        (
            &["keys", "create", "--name", "a", "--expires", "2020-01-01"],
            1,
            "`--expires 2020-01-01` is over; name a later day",
        ),
        (&["keys", "create", "--name", "a", "--tools-budget", "0"], 2, "0 is not in 1.."),
        (&["keys", "create", "--name", "a", "--model", "["], 1, "; write a pattern such as `gpt-5*`"),
        (&["keys", "revoke", "x"], 1, "there is no active key `x`"),
        (
            &["usage", "--since", "never"],
            2,
            "`never` is no date; write one such as `2026-11-25`, or a number of days such as",
        ),
        (&["usage", "--by", "year"], 2, "[possible values: key, model, day]"),
        (&["usage", "--json", "--csv"], 2, "cannot be used with"),
        (
            &["usage", "--set", "store.kind=memory"],
            1,
            "a store of the kind `memory` ends with its gateway; set `store.kind`",
        ),
        (&["usage", "--set", "store.folder=/dev/null/x"], 1, "error: `/dev/null/x` cannot be made ("),
    ];
    let folder = folder(&[]);
    for (arguments, code, told) in rows {
        let ran = tollgate(folder.path(), arguments);
        assert!(ran.code == Some(*code) && ran.stderr.contains(told) && ran.stdout.is_empty(), "{ran:?}");
    }
    assert_eq!(tollgate(folder.path(), &["keys", "list", "--json"]).stdout, "[]\n", "no mistake left a key behind");
}

#[test]
fn usage_reads_any_store_and_names_a_damaged_one() {
    for kind in ["sqlite", "sled"] {
        let folder = folder(&[("tollgate.toml", &format!("[store]\nkind = \"{kind}\"\nfolder = \"data\"\n"))]);
        let usage = |arguments: &[&str]| tollgate(folder.path(), &[&["usage"], arguments].concat());
        let ran = usage(&["--since", "2026-11-01"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "nothing was used since 2026-11-01\n"), "{ran:?}");
        assert_eq!(usage(&["--json"]).stdout, "[]\n");
        assert!(usage(&["--csv", "--by", "day"]).stdout.starts_with("day,requests,errors,"));
        fs::write(folder.path().join("data/keys.json"), "{").unwrap();
        let ran = usage(&[]);
        assert!(
            ran.code == Some(1) && ran.stderr.contains("/data/keys.json` is no list of api keys (line 1, column"),
            "{ran:?}"
        );
    }
    let folder = folder(&[("tollgate.toml", "[store]\nfolder = \"data\"\n")]);
    tollgate(folder.path(), &["usage"]);
    fs::write(folder.path().join("data/ledger.sqlite"), "not a database at all".repeat(100)).unwrap();
    let ran = tollgate(folder.path(), &["usage"]);
    assert!(ran.code == Some(1) && ran.stderr.contains("/data/ledger.sqlite` is damaged ("), "{ran:?}");
}
