//! Every mistake is exactly one line: where, what, and what to do about it. `mistakes/*.txt` are
//! tables of a file `t.toml` and, after `=>`, the line that it gives.

mod tokenizers;

use tokenizers::TOKENIZERS;
use tollgate_config::{Source, Sources, parse};

fn error_lines(toml: &str, env: &[(&str, &str)], flags: &[(&str, &str)]) -> Vec<String> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let sources = Sources {
        files: vec![Source { path: "t.toml".into(), text: toml.to_owned() }],
        env: env.iter().map(owned).collect(),
        overrides: flags.iter().map(owned).collect(),
        ..Sources::default()
    };
    let errors = parse(&sources, TOKENIZERS).err().unwrap_or_default();
    errors.iter().map(ToString::to_string).collect()
}

fn check_table(table: &str) {
    for row in table.split("\n\n") {
        let (toml, expected) = row.split_once("\n=> ").unwrap_or((row, "no `=>` in this row"));
        let lines = error_lines(toml, &[("A", "1"), ("MULTI", "a\nb")], &[]);
        assert_eq!(lines, [expected.trim_end()], "in:\n{toml}");
    }
}

#[test]
fn syntax_keys_and_types() {
    check_table(include_str!("mistakes/syntax.txt"));
}

#[test]
fn server_and_log() {
    check_table(include_str!("mistakes/server.txt"));
}

#[test]
fn providers_and_routes() {
    check_table(include_str!("mistakes/rest.txt"));
}

#[test]
fn profiles_and_models() {
    check_table(include_str!("mistakes/profiles.txt"));
}

#[test]
fn upstreams() {
    check_table(include_str!("mistakes/upstreams.txt"));
}

#[test]
fn urls_headers_and_variables() {
    check_table(include_str!("mistakes/transports.txt"));
}

#[test]
fn the_environment_is_blamed_by_name() {
    let rows = [
        (
            ("TOLLGATE_SERVER__LISTEN", "7070"),
            "env TOLLGATE_SERVER__LISTEN: `server.listen` is not an address with a port: `7070`; \
             write it as `127.0.0.1:7070`",
        ),
        (
            ("TOLLGATE_SERVER__LISEN", "x"),
            "env TOLLGATE_SERVER__LISEN: unknown key `lisen` in `[server]`; did you mean `listen`?",
        ),
        (
            ("TOLLGATE_PROFILES__DEFAULT__PINS", "a"),
            "env TOLLGATE_PROFILES__DEFAULT__PINS: expected a list for `profiles.default.pins`, found \
             text; write it in brackets, such as `[\"a\", \"b\"]`",
        ),
        (
            ("TOLLGATE_UPSTREAMS__NEW__START", "lazy"),
            "env TOLLGATE_UPSTREAMS__NEW__START: `upstreams.new` has no `command`, `url` or `builtin`; \
             add one of the three",
        ),
        (("TOLLGATE_SERVER", "1"), ""),
        (
            ("RUST_LOG", "verbose"),
            "env RUST_LOG: not a log level: `verbose`; use `off`, `error`, `warn`, `info`, `debug` or \
             `trace`, or `target=level`",
        ),
    ];
    for (variable, expected) in rows {
        assert_eq!(error_lines("", &[variable], &[]).join("\n"), expected);
    }
}

#[test]
fn the_command_line_is_blamed_by_key() {
    let rows = [
        (
            ("server.listen", "here"),
            "flag server.listen: `server.listen` is not an address with a port: `here`; write it as \
             `127.0.0.1:7070`",
        ),
        (("a b", "1"), "flag a b: `a b` is no key; write it dotted, such as `server.listen`"),
        (("a = 1\nb", "1"), "flag a = 1\\nb: `a = 1\\nb` is no key; write it dotted, such as `server.listen`"),
        (("log.levle", "1"), "flag log.levle: unknown key `levle` in `[log]`; did you mean `level`?"),
    ];
    for (flag, expected) in rows {
        assert_eq!(error_lines("", &[], &[flag]), [expected]);
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let toml = "
[server]
listen = 7070
zebra = 1
[log]
format = 'xml'
[profiles.default]
model = 'zebra'
names = 'never'
[upstreams.X]
[upstreams.docs]
url = 'https://${HOST}'
headers = { 'X Y' = '', Authorization = '${TOKEN}' }
call_timeout_s = 0
";
    let lines = error_lines(toml, &[("TOLLGATE_SERVER__KEEP_ALIVE_S", "0")], &[("zebra", "1")]);
    let mut places: Vec<&str> = lines.iter().filter_map(|line| line.split(": ").next()).collect();
    places.sort_unstable();
    let expected = [
        "env TOLLGATE_SERVER__KEEP_ALIVE_S",
        "flag zebra",
        "t.toml:10:12",
        "t.toml:10:12",
        "t.toml:12:7",
        "t.toml:13:13",
        "t.toml:13:41",
        "t.toml:14:18",
        "t.toml:3:10",
        "t.toml:4:1",
        "t.toml:6:10",
        "t.toml:8:9",
        "t.toml:9:9",
    ];
    assert_eq!(places, expected);
}

#[test]
fn secrets_are_not_repeated() {
    let secret = "hunter2\nhunter2";
    let rows = [
        "[upstreams.x]\nurl = 'https://a'\nheaders = { A = '${S}' }\n",
        "[upstreams.x]\nurl = '${S}'\n",
        "[upstreams.x]\nurl = 'https://a'\nheaders = { A = 'hunter2é' }\n",
        "[upstreams.x]\nurl = 'ftp://hunter2@a/?hunter2'\n",
    ];
    for toml in rows {
        let lines = error_lines(toml, &[("S", secret)], &[]);
        assert_eq!(lines.len(), 1, "{toml}");
        assert!(!lines[0].contains("hunter2"), "{}", lines[0]);
    }
}
