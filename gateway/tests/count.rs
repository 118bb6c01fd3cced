//! `tollgate count --request` and `tollgate compare` as a user meets them: the built program on files and on pipes.

#![expect(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

use std::{
    fs::{self, File},
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::{Value, json};
use tempfile::TempDir;

/// What a command came to.
#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Ran {
    fn json(&self) -> Value {
        assert_eq!(self.code, Some(0), "{self:?}");
        serde_json::from_str(&self.stdout).unwrap()
    }
}

/// A folder with these files in it.
fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

fn tollgate(folder: &Path, arguments: &str) -> Ran {
    piped(folder, arguments, b"")
}

/// Runs `tollgate` in a folder that is also the home, with these bytes on its standard input.
fn piped(folder: &Path, arguments: &str, input: &[u8]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command.args(arguments.split(' ')).current_dir(folder).env_clear().env("HOME", folder);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that reads no input may be gone by now.
    drop(child.stdin.take().unwrap().write_all(input));
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

/// A request with a part of every kind.
fn chat() -> Value {
    json!({
        "model": "gpt-4o",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "What is the weather in Paris, and what was it a year ago?"},
            {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "weather", "arguments": "{\"in\": \"Paris\"}"}}]},
            {"role": "tool", "tool_call_id": "c", "content": "sunny"},
        ],
        "tools": [
            {"type": "function", "function": {"name": "weather", "description": "Says what the sky looks like."}},
            {"type": "function", "function": {"name": "stop"}},
        ],
        "response_format": {"type": "json_schema", "json_schema": {"name": "Sky", "schema": {"type": "object"}}},
    })
}

fn one(body: &Value) -> TempDir {
    folder(&[("body.json", body.to_string().as_bytes())])
}

#[test]
fn a_request_is_counted_part_by_part() {
    let folder = one(&chat());
    let rows = tollgate(folder.path(), "count --request body.json --json").json();
    let row = &rows[0];
    assert_eq!(rows.as_array().unwrap().len(), 1);
    assert_eq!(
        (&row["model"], &row["format"], &row["kind"]),
        (&json!("gpt-4o"), &json!("openai-chat"), &json!("exact_rule"))
    );
    let parts = row["parts"].as_array().unwrap();
    let sum: i64 = parts.iter().map(|part| part["tokens"].as_i64().unwrap()).sum();
    assert_eq!(row["tokens"].as_i64(), Some(sum));
    let named = |what: &str| parts.iter().filter(|part| part["what"] == what).count();
    assert_eq!(["message", "tool", "response_schema", "frame"].map(named), [4, 2, 1, 1]);
    let shares: f64 = parts.iter().map(|part| part["share"].as_f64().unwrap()).sum();
    assert!((shares - 1.0).abs() < 1e-9, "{shares}");
    let price = 2.5 * row["tokens"].as_f64().unwrap() / 1e6;
    assert!((row["input_usd"].as_f64().unwrap() - price).abs() < 1e-12, "{row}");
}

/// Numbers at the beginning of lines, thousands joined.
fn leading(text: &str, after: &str) -> Vec<i64> {
    let lines = text.lines().skip_while(|line| !line.starts_with(after)).skip(1);
    lines.map_while(|line| line.split_whitespace().next()?.replace(',', "").parse().ok()).collect()
}

#[test]
fn the_table_adds_up_in_every_order() {
    let folder = one(&chat());
    let total = tollgate(folder.path(), "count --request body.json --json").json()[0]["tokens"].as_i64().unwrap();
    for options in ["", " --largest", " --parts 2", " --parts 3 --largest", " --parts 0"] {
        let ran = tollgate(folder.path(), &format!("count --request body.json{options}"));
        let tokens = leading(&ran.stdout, "tokens  ");
        assert_eq!(tokens.iter().sum::<i64>(), total, "{options}: {}", ran.stdout);
        assert!(ran.stdout.contains("openai-chat, 4 messages, 2 tools\n"), "{ran:?}");
        assert!(ran.stdout.lines().all(|line| line.chars().count() <= 80), "{}", ran.stdout);
        if options == " --largest" {
            assert!(tokens.is_sorted_by(|a, b| a >= b), "{tokens:?}");
            assert!(ran.stdout.contains("calls weather") && ran.stdout.contains("Says what the sky"), "{ran:?}");
        }
    }
    let two = tollgate(folder.path(), "count --request body.json --model gpt-4o,claude-sonnet-4-5");
    assert_eq!(leading(&two.stdout, "gpt-4o  claude-sonnet-4-5  part").iter().sum::<i64>(), total, "{}", two.stdout);
}

#[test]
fn formats_are_told_from_bodies() {
    let hello = json!([{"role": "user", "content": "hello"}]);
    let rows = [
        (json!({"model": "gpt-4o", "messages": hello}), "openai-chat"),
        (json!({"model": "gpt-4o", "input": "hello"}), "openai-responses"),
        (json!({"model": "claude-sonnet-4-5", "messages": hello, "system": "Be brief."}), "anthropic"),
        (json!({"model": "gemini-2.5-flash", "contents": [{"parts": [{"text": "hello"}]}]}), "gemini"),
        (
            json!({"modelId": "claude-sonnet-4-5", "messages": [{"role": "user", "content": [{"text": "hello"}]}]}),
            "bedrock-converse",
        ),
        (
            json!({"custom_id": "1", "url": "/v1/responses", "body": {"model": "gpt-4o", "input": "hello"}}),
            "openai-responses",
        ),
        (json!({"custom_id": "1", "params": {"model": "claude-opus-4-1", "messages": hello}}), "anthropic"),
        (json!({"key": "1", "request": {"model": "gemini-2.5-flash", "contents": []}}), "gemini"),
    ];
    for (body, format) in &rows {
        let row = &tollgate(one(body).path(), "count --request body.json --json").json()[0];
        assert_eq!(row["format"], *format, "{body}");
    }
    let lines: String = rows.iter().map(|(body, _)| format!("{body}\n")).collect();
    let ran = piped(folder(&[]).path(), "count --request - --json", lines.as_bytes());
    let found: Vec<_> = ran.json().as_array().unwrap().iter().map(|row| row["format"].clone()).collect();
    assert_eq!(found, rows.map(|(_, format)| format));
    let plain = one(&json!({"messages": hello}));
    for format in ["openai-chat", "anthropic"] {
        let ran = tollgate(plain.path(), &format!("count --request body.json --json --model gpt-4o --format {format}"));
        assert_eq!((ran.json()[0]["format"].as_str(), ran.json()[0]["tokens"].as_u64()), (Some(format), Some(8)));
    }
}

#[test]
fn requests_of_a_file_are_summed() {
    let body =
        |content: &str| json!({"model": "gpt-4o", "messages": [{"role": "user", "content": content}]}).to_string();
    let lines = format!("{}\n\n{}\n", body("hello"), body("hello hello hello"));
    let folder = folder(&[("a.jsonl", lines.as_bytes()), ("b.json", body("hello").as_bytes())]);
    let ran = tollgate(folder.path(), "count --request a.jsonl b.json --model gpt-4o,gpt-5");
    for told in ["a.jsonl:2  gpt-5 ", "b.json     gpt-4o", "together  requests  tokens", "gpt-4o           3      26 "]
    {
        assert!(ran.stdout.contains(told), "{told}: {}", ran.stdout);
    }
    let rows = tollgate(folder.path(), "count --request a.jsonl b.json --largest --json").json();
    let tokens: Vec<_> = rows.as_array().unwrap().iter().map(|row| (&row["request"], row["tokens"].as_u64())).collect();
    assert_eq!(tokens, [(&json!("a.jsonl:2"), Some(10)), (&json!("a.jsonl:1"), Some(8)), (&json!("b.json"), Some(8))]);
}

#[test]
fn all_models_stand_side_by_side() {
    let folder = one(&chat());
    let rows = tollgate(folder.path(), "count --request body.json --all --json").json();
    let rows = rows.as_array().unwrap();
    let prices: Vec<f64> = rows.iter().map(|row| row["input_usd"].as_f64().unwrap_or(f64::INFINITY)).collect();
    assert!(prices.is_sorted() && prices[0] > 0.0, "{prices:?}");
    for model in ["gpt-5", "gpt-4", "claude-opus-4-5", "gemini-2.5-pro"] {
        let row = rows.iter().find(|row| row["model"] == model).unwrap();
        let alone = tollgate(folder.path(), &format!("count --request body.json --model {model} --json")).json();
        assert_eq!(row, &alone[0], "{model}");
    }
    assert!(
        rows.iter().all(|row| row["window_share"].is_number() && !row["model"].as_str().unwrap().contains("embedding"))
    );
}

#[test]
fn what_cannot_be_counted_is_told() {
    let file = [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(), &512_u32.to_be_bytes(), &512_u32.to_be_bytes()].concat();
    let url = format!("data:image/png;base64,{}", base64(&file));
    let image = |url: &str| json!({"type": "image_url", "image_url": {"url": url}});
    let said = |part: Value| json!({"model": "gpt-4o", "messages": [{"role": "user", "content": [part]}]});
    let rows = [
        (said(image(&url)), json!(0), "512 x 512"),
        (said(image("https://example.com/a.png")), json!(765), "of unknown size"),
        (said(json!({"type": "input_audio"})), Value::Null, "not in the count: `messages[0].content[0]` (input_audio)"),
    ];
    for (body, bound, told) in rows {
        let folder = one(&body);
        let json = tollgate(folder.path(), "count --request body.json --json").json();
        assert_eq!(json[0]["error_bound"], bound, "{body}");
        let ran = tollgate(folder.path(), "count --request body.json");
        assert!(ran.stdout.contains(told), "{ran:?}");
    }
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// A request is written by others: what stands in it does not steer the terminal.
#[test]
fn requests_do_not_write_to_the_terminal() {
    let body = json!({
        "model": "gpt-4o",
        "messages": [{"role": "user", "content": [
            {"type": "text", "text": "red \u{1b}[31m\n\nand \u{202e}back"},
            {"type": "odd\u{1b}[2J"},
        ]}],
        "tools": [{"function": {"name": "t\u{1b}]0;x\u{7}", "description": "a\rb"}}],
    });
    let ran = tollgate(one(&body).path(), "count --request body.json");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let odd = |it: char| (it.is_control() && it != '\n') || it == '\u{202e}';
    assert!(!ran.stdout.contains(odd), "{ran:?}");
    let ran = tollgate(one(&json!({"messages": [], "modelId": "a\u{1b}[2Jb"})).path(), "count --request body.json");
    assert!(ran.code == Some(1) && !ran.stderr.contains('\u{1b}'), "{ran:?}");
}

#[test]
fn bad_requests_are_refused_with_a_remedy() {
    let hello = r#"[{"role": "user", "content": "hello"}]"#;
    let deep = "[".repeat(100_000);
    let files: &[(&str, &[u8])] = &[
        ("empty", b" \n"),
        ("binary", b"\x7fELF\x02\x01\xff\xfe"),
        ("broken", br#"{"model": "gpt-4o", "messages": ["#),
        ("deep", deep.as_bytes()),
        ("list", b"[1, 2]"),
        ("prose", br#"{"prompt": "hello"}"#),
        ("shape", br#"{"model": "gpt-4o", "messages": [{"role": 7}]}"#),
        ("plain", &format!(r#"{{"messages": {hello}}}"#).into_bytes()),
        ("nobody", &format!(r#"{{"model": "nobody-1", "messages": {hello}}}"#).into_bytes()),
        ("second", &format!("{{\"model\": \"gpt-4o\", \"messages\": {hello}}}\n{{\"prompt\": 7}}\n").into_bytes()),
    ];
    let folder = folder(files);
    let rows = [
        ("empty", "`empty` is empty; give the body of a request"),
        ("binary", "`binary` is no JSON (expected value at line 1 column 1); give the body"),
        ("broken", "`broken` is no JSON (EOF while parsing"),
        ("deep", "`deep` is no JSON ("),
        ("list", "`list`: has no `messages`, `input` or `contents`; a request is one of `openai-chat`, "),
        ("list --format gemini", "`list`: no `gemini` request: `body` must be an object"),
        ("prose", "`prose`: has no `messages`"),
        ("shape", "`shape`: no `openai-chat` request: `messages[0].role` must be a string"),
        ("plain", "`plain`: can be `openai-chat`, `anthropic`, `bedrock-converse`; say which with `--format`"),
        ("plain --format anthropic", "`plain`: names no model; name one with `--model`"),
        ("nobody", "`nobody`: unknown model `nobody-1`; "),
        ("plain --format anthropic --model gqt-5", "unknown model `gqt-5`"),
        ("second", "`second:2`: has no `messages`"),
        ("absent", "`absent` cannot be read ("),
        (".", "`.` cannot be read ("),
    ];
    for (arguments, told) in rows {
        let ran = tollgate(folder.path(), &format!("count --request {arguments}"));
        assert_eq!((ran.code, &*ran.stdout), (Some(1), ""), "{ran:?}");
        assert!(ran.stderr.starts_with(&format!("error: {told}")), "{arguments}: {ran:?}");
    }
    for arguments in
        ["--request plain --format smoke", "--format gemini", "plain --request plain", "--parts 3", "--largest"]
    {
        assert_eq!(tollgate(folder.path(), &format!("count {arguments}")).code, Some(2), "{arguments}");
    }
    let many = "7\n".repeat(1000);
    let ran = piped(folder.path(), "count --request -", many.as_bytes());
    assert_eq!(ran.stderr.lines().count(), 21, "{ran:?}");
}

/// 100 MB are counted, and what is over the limit is refused before it is read.
#[test]
fn large_files_are_counted_or_refused() {
    let words = "all work and no play makes a dull day ".repeat(100_000_000 / 38);
    let body = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": words}]}).to_string();
    let folder = folder(&[("body.json", body.as_bytes()), ("words.txt", words.as_bytes())]);
    let text = tollgate(folder.path(), "count words.txt --json --model gpt-4o").json()[0]["tokens"].as_u64().unwrap();
    let request = tollgate(folder.path(), "count --request body.json --json").json()[0]["tokens"].as_u64().unwrap();
    assert_eq!(request, text + 7);
    File::create(folder.path().join("huge")).unwrap().set_len((1 << 30) + 1).unwrap();
    for command in ["count huge", "count --request huge", "compare huge"] {
        let ran = tollgate(folder.path(), command);
        assert!(ran.code == Some(1) && ran.stderr.contains("`huge` is over the limit of 1073741824 bytes"), "{ran:?}");
    }
}

#[test]
fn texts_are_compared_by_kind_and_together() {
    let files: &[(&str, &[u8])] = &[
        ("a.md", b"hello world"),
        ("b.MD", b"hello"),
        ("c.rs", b"fn main() {}"),
        ("notes", "\u{4f60}\u{597d}".as_bytes()),
        ("bad", b"a\xff"),
    ];
    let folder = folder(files);
    let found = tollgate(folder.path(), "compare a.md b.MD c.rs notes --model gpt-4,gpt-5 --json").json();
    assert_eq!((&found["files"], &found["bytes"], &found["chars"]), (&json!(4), &json!(34), &json!(30)));
    let kinds: Vec<_> = found["kinds"].as_array().unwrap().iter().map(|it| (&it["kind"], &it["files"])).collect();
    assert_eq!(kinds, [(&json!(".md"), &json!(2)), (&json!(".rs"), &json!(1)), (&json!("no extension"), &json!(1))]);
    for idx in 0..2 {
        let sum: u64 =
            found["kinds"].as_array().unwrap().iter().map(|it| it["models"][idx]["tokens"].as_u64().unwrap()).sum();
        assert_eq!(found["models"][idx]["tokens"].as_u64(), Some(sum), "{found}");
    }
    assert_eq!(found["models"][0]["ratio"], 1.0);
    assert!(found["models"][1]["window_share"].as_f64() < found["models"][0]["window_share"].as_f64());
    let ran = tollgate(folder.path(), "compare a.md c.rs");
    let tokens = leading(&ran.stdout.replace("~", "").lines().map(second_word).collect::<String>(), "tokens");
    assert_eq!(tokens.len(), tollgate_tokenizers::TOKENIZERS.len());
    assert!(tokens.is_sorted(), "{tokens:?}");
    assert!(ran.stdout.contains("2 files, 23 bytes, 23 characters; ratios are to gpt-5 (o200k_base)\n"), "{ran:?}");
    let ran = piped(folder.path(), "compare --model gpt-5", b"hello");
    assert!(ran.stdout.contains("1 file, 5 bytes, 5 characters"), "{ran:?}");
    let ran = tollgate(folder.path(), "compare a.md bad none --model gpt-5");
    assert_eq!((ran.code, &*ran.stdout), (Some(1), ""));
    assert!(
        ran.stderr.starts_with("error: `bad` is no UTF-8 text (byte 1)") && ran.stderr.contains("`none` cannot"),
        "{ran:?}"
    );
}

/// The second column, a word a line.
fn second_word(line: &str) -> String {
    format!("{}\n", line.split_whitespace().nth(1).unwrap_or_default())
}

/// A `tokenizer.json` of bytes with one merge, split as GPT-2 does.
fn tokenizer_json() -> String {
    let alphabet = (33..=126_u32).chain(161..=172).chain(174..=255).chain(256..=323);
    let mut vocab: serde_json::Map<String, Value> =
        alphabet.enumerate().map(|(id, it)| (char::from_u32(it).unwrap().to_string(), json!(id))).collect();
    vocab.insert("he".into(), json!(256));
    let split = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true});
    let end = json!({"id": 257, "content": "<|end|>", "single_word": false, "lstrip": false, "rstrip": false,
        "normalized": false, "special": true});
    json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [end], "normalizer": null,
        "pre_tokenizer": split, "post_processor": null, "decoder": split,
        "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
            "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "vocab": vocab, "merges": ["h e"]},
    })
    .to_string()
}

/// The tokens of a `.tiktoken` file: all bytes, and `he`.
fn tiktoken() -> String {
    let tokens = (0..=255_u8).map(|it| vec![it]).chain([b"he".to_vec()]);
    tokens.enumerate().map(|(rank, token)| format!("{} {rank}\n", base64(&token))).collect()
}

const TEMPLATE: &str = "{% for m in messages %}{{ m.role }}: {{ m.content }}<|end|>{% endfor %}";

/// Models whose tokenizers and chat template are files beside the configuration.
const MODELS: &str = r#"
[models.mine]
provider = "local"
tokenizer = "files/tokenizer.json"
exact = true
chat_template = "files/chat.jinja"
[models.ranks]
provider = "local"
tokenizer = "~/files/ranks.tiktoken"
splits_like = "cl100k_base"
exact = true
"#;

fn with_files() -> TempDir {
    let folder = folder(&[
        ("tollgate.toml", MODELS.as_bytes()),
        ("hello.txt", b"hello there"),
        ("body.json", br#"{"model": "mine", "messages": [{"role": "user", "content": "hello"}]}"#),
        ("refuses.jinja", b"{{ raise_exception('no') }}"),
        ("broken.jinja", b"{% for %}"),
        ("broken.json", b"{}"),
    ]);
    fs::create_dir(folder.path().join("files")).unwrap();
    let files = [("tokenizer.json", tokenizer_json()), ("ranks.tiktoken", tiktoken()), ("chat.jinja", TEMPLATE.into())];
    files.iter().for_each(|(name, text)| fs::write(folder.path().join("files").join(name), text).unwrap());
    folder
}

/// `hello there` is 11 bytes, of which `he` is one token twice.
#[test]
fn texts_are_counted_by_tokenizers_from_files() {
    let folder = with_files();
    for (arguments, expected) in [
        ("--model mine,ranks", vec![("mine", 9), ("ranks", 9)]),
        ("--tokenizer files/tokenizer.json,cl100k_base", vec![("files/tokenizer.json", 9), ("cl100k_base", 2)]),
    ] {
        let rows = tollgate(folder.path(), &format!("count hello.txt --json {arguments}")).json();
        let found = rows.as_array().unwrap().iter().map(|row| {
            assert_eq!(row["exact"], true);
            (row["model"].as_str().unwrap(), row["tokens"].as_u64().unwrap())
        });
        assert_eq!(found.collect::<Vec<_>>(), expected, "{arguments}");
    }
    let compared = tollgate(folder.path(), "compare hello.txt --model mine,gpt-4 --json").json();
    assert_eq!(compared["models"][0]["tokens"], 9);
}

/// `user: hello` is 10 tokens with its merge, and the end one.
#[test]
fn requests_are_counted_by_templates_from_files() {
    let folder = with_files();
    for arguments in [
        "",
        " --model mine",
        " --tokenizer files/tokenizer.json --chat-template files/chat.jinja",
        " --model ranks,mine --chat-template files/chat.jinja",
    ] {
        let rows = tollgate(folder.path(), &format!("count --request body.json --json{arguments}")).json();
        let row = rows.as_array().unwrap().last().unwrap();
        assert_eq!((&row["kind"], &row["tokens"]), (&json!("template"), &json!(11)), "{arguments}: {row}");
        assert!(row["chat_template"].as_str().unwrap().ends_with("files/chat.jinja"), "{row}");
    }
    let shown = tollgate(folder.path(), "count --request body.json").stdout;
    assert!(shown.contains("template, chat.jinja"), "{shown}");
    let plain = tollgate(folder.path(), "count --request body.json --tokenizer files/tokenizer.json --json").json();
    assert_eq!((&plain[0]["kind"], &plain[0]["chat_template"]), (&json!("calibrated"), &Value::Null));
}

#[test]
fn files_that_cannot_be_used_are_told() {
    let folder = with_files();
    for (arguments, told) in [
        ("count hello.txt --tokenizer absent.json", "`absent.json` cannot be read ("),
        (
            "count hello.txt --tokenizer broken.json",
            "the tokenizer `broken.json` cannot be used: this is no `tokenizer.json`",
        ),
        ("count hello.txt --chat-template c", "`--chat-template` goes with requests; "),
        ("count hello.txt --format gemini", "`--format` goes with requests; "),
        ("count hello.txt --tokenizer qwen9", "unknown tokenizer `qwen9`; known ones are "),
        (
            "count hello.txt --tokenizer files/ranks.tiktoken",
            "`files/ranks.tiktoken` does not say how it splits text; ",
        ),
        ("count --request body.json --chat-template absent.jinja", "`body.json`: `absent.jinja` cannot be read ("),
        (
            "count --request body.json --chat-template broken.jinja",
            "`body.json`: `broken.jinja`: the chat template cannot be read",
        ),
        (
            "count --request body.json --chat-template refuses.jinja",
            "`body.json`: the chat template refuses the request: no",
        ),
    ] {
        let ran = tollgate(folder.path(), arguments);
        assert_eq!((ran.code, &*ran.stdout), (Some(1), ""), "{ran:?}");
        assert!(ran.stderr.starts_with(&format!("error: {told}")), "{arguments}: {ran:?}");
    }
    for arguments in ["--chat-template c", "hello.txt --tokenizer a.json --all", "--tokenizer a.json --model m"] {
        assert_eq!(tollgate(folder.path(), &format!("count {arguments}")).code, Some(2), "{arguments}");
    }
    fs::remove_file(folder.path().join("files/tokenizer.json")).unwrap();
    fs::write(folder.path().join("files/chat.jinja"), "{% for %}").unwrap();
    let ran = tollgate(folder.path(), "serve --listen 127.0.0.1:0");
    assert_eq!((ran.code, &*ran.stdout), (Some(1), ""), "{ran:?}");
    for told in ["model `mine`: `", "tokenizer.json` cannot be read (", "chat.jinja`: the chat template cannot be read"]
    {
        assert!(ran.stderr.contains(told), "{told}: {ran:?}");
    }
}
