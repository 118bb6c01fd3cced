//! Chat templates: what they are given, what they write, what it costs, and how little a hostile one can do.

use serde_json::{Value, json};
use tollgate_tokenizers::{
    Tokenizer,
    chat::{
        ChatTemplate, Controls, Family, Format, Kind, RenderOptions, Request, TEMPLATES, TemplateEntry, TemplateError,
        TemplateSource, What, count_request, read,
    },
};

/// 1 January 2026, 0:00 UTC.
const NOW_UNIX_S: i64 = 1_767_225_600;

fn request(body: &Value) -> Request {
    read(Format::OpenaiChat, body).expect("a sound body")
}

fn hello() -> Request {
    request(&json!({"messages": [{"role": "user", "content": "hello"}]}))
}

fn options() -> RenderOptions {
    RenderOptions { now_unix_s: Some(NOW_UNIX_S), ..RenderOptions::default() }
}

/// A conversation with all that templates know.
fn conversation() -> Request {
    request(&json!({
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "What is the weather in Paris?"},
            {"role": "assistant", "content": "", "reasoning_content": "I should look.", "tool_calls": [
                {"id": "abcdefghi", "type": "function",
                    "function": {"name": "weather", "arguments": "{\"city\": \"Paris\", \"days\": 1.0}"}},
            ]},
            {"role": "tool", "tool_call_id": "abcdefghi", "content": "Sunny."},
            {"role": "assistant", "content": "It is sunny."},
            {"role": "user", "content": "Thanks."},
        ],
        "tools": [
            {"type": "function", "function": {"name": "weather", "description": "Tells the weather.",
                "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}},
            {"type": "function", "function": {"name": "time", "description": "Tells the time.", "parameters": {}}},
        ],
    }))
}

#[test]
fn renders_as_python_does() {
    let rows = [
        ("{{ {'a': [1, 2.0, true, none], 'ü': '<&\"\\n'} | tojson }}", r#"{"a": [1, 2.0, true, null], "ü": "<&\"\n"}"#),
        ("{{ [1, {'a': 1}, []] | tojson(indent=2) }}", "[\n  1,\n  {\n    \"a\": 1\n  },\n  []\n]"),
        ("{{ {'b': 1, 'a': 'ü'} | tojson(sort_keys=true, ensure_ascii=true) }}", r#"{"a": "\u00fc", "b": 1}"#),
        ("{{ [1e16, 0.00001, 100.0, 0.1] | tojson }}", "[1e+16, 1e-05, 100.0, 0.1]"),
        ("{{ none }} {{ true }} {{ [1, 'a', \"it's\"] }} {{ missing }}", "None True [1, 'a', \"it's\"] "),
        ("{% for m in messages %}\n  {{- m.role }}\n{% endfor %}\n", "user\n"),
        ("{{ strftime_now('%d %b %Y, %A') }}", "01 Jan 2026, Thursday"),
        (
            "{% set ns = namespace(n=0) %}{% for i in range(9) %}{% if i == 4 %}{% break %}{% endif %}\
            {% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}",
            "6",
        ),
        ("{{ messages[0].content.upper().split('L')[-1] }}", "O"),
        ("{{ messages[::-1] | length }}{{ tools is none }}{{ add_generation_prompt }}", "1TrueTrue"),
        ("{%- generation -%}{{ messages[0]['content'] }}{%- endgeneration -%}", "hello"),
    ];
    for (template, expected) in rows {
        let rendered = ChatTemplate::new(template).expect(template).render(&hello(), &options());
        assert_eq!(rendered.as_deref(), Ok(expected), "{template}");
    }
}

#[test]
fn passes_the_request_on() {
    let rows = [
        ("{{ messages[2].tool_calls[0].function.arguments.city }}", "Paris"),
        ("{{ messages[2].tool_calls[0].function.arguments | tojson }}", r#"{"city": "Paris", "days": 1.0}"#),
        ("{{ messages[2].reasoning_content }}", "I should look."),
        ("{{ messages[3].role }} {{ messages[3].name }} {{ messages[3].tool_call_id }}", "tool weather abcdefghi"),
        ("{{ tools[1].function.name }}", "time"),
    ];
    for (template, expected) in rows {
        let rendered = ChatTemplate::new(template).expect(template).render(&conversation(), &options());
        assert_eq!(rendered.as_deref(), Ok(expected), "{template}");
    }
}

#[test]
fn options_of_the_request_come_last() {
    let mut options = options();
    options.variables = json!({"enable_thinking": true}).as_object().cloned().unwrap_or_default();
    let body =
        json!({"messages": [{"role": "user", "content": "hi"}], "chat_template_kwargs": {"enable_thinking": false}});
    let template = ChatTemplate::new("{{ enable_thinking }}").expect("sound jinja");
    assert_eq!(template.render(&hello(), &options).as_deref(), Ok("True"));
    assert_eq!(template.render(&request(&body), &options).as_deref(), Ok("False"));
}

/// What a hostile or broken template gets: an error that says why.
#[test]
fn bounds() {
    let endless = "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}";
    let deep = "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}";
    let large = "{% set ns = namespace(t='aaaaaaaaaaaaaaaa') %}{% for i in range(60) %}{% set ns.t = ns.t + ns.t %}\
        {% endfor %}{{ ns.t }}";
    let loud =
        "{% for i in range(99999) %}aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa{% endfor %}";
    for template in [endless, deep, large, loud, "{{ 'a' * 99999999 }}"] {
        let result = ChatTemplate::new(template).expect(template).render(&hello(), &options());
        assert!(matches!(result, Err(TemplateError::Limit(_))), "{template}: {:?}", result.map(|text| text.len()));
    }
    assert!(matches!(ChatTemplate::new(&" ".repeat(2 << 20)), Err(TemplateError::TooLong(_))));
    let nested = format!("{}1{}", "{{ ".to_owned() + &"(".repeat(5000), ")".repeat(5000) + " }}");
    assert!(matches!(ChatTemplate::new(&nested), Err(TemplateError::Syntax(_))));
}

#[test]
fn errors_say_why() {
    let broken = ChatTemplate::new("line\n{% if %}").err().map(|error| error.to_string()).unwrap_or_default();
    assert!(broken.contains("line 2"), "{broken}");
    let refusing = ChatTemplate::new("{{ raise_exception('only one message, please') }}").expect("sound jinja");
    let refused = refusing.render(&hello(), &options());
    assert_eq!(refused, Err(TemplateError::Refused("only one message, please".to_owned())));
    let timely = ChatTemplate::new("{{ strftime_now('%Y') }}").expect("sound jinja");
    assert!(matches!(timely.render(&hello(), &RenderOptions::default()), Err(TemplateError::Failed(_))));
    let failing = ChatTemplate::new("\n{{ messages[0].missing.field }}").expect("sound jinja");
    let failed = failing.render(&hello(), &options()).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(failed.contains("line 2"), "{failed}");
}

#[test]
fn sources() {
    let config = json!({
        "bos_token": {"content": "<s>"}, "eos_token": "</s>",
        "added_tokens_decoder": {"1": {"content": "<s>"}},
        "chat_template": [
            {"name": "default", "template": "{{ bos_token }}plain"}, {"name": "tool_use", "template": "tools{{ eos_token }}"},
        ],
    });
    let source = TemplateSource::read(&config.to_string()).expect("a sound file");
    assert_eq!(source.controls, ["<s>"]);
    let template = ChatTemplate::from_source(&source).expect("sound jinja");
    assert_eq!(template.render(&hello(), &options()).as_deref(), Ok("<s>plain"));
    assert_eq!(template.render(&conversation(), &options()).as_deref(), Ok("tools</s>"));
    let jinja = "{{ messages | length }}";
    assert_eq!(TemplateSource::read(jinja).map(|it| it.template).as_deref(), Ok(jinja));
    for text in ["{}", "{\"chat_template\": 1}", "{\"chat_template\": [{\"name\": \"rag\"}]}", "{\"chat"] {
        assert!(matches!(TemplateSource::read(text), Err(TemplateError::NoTemplate(_))), "{text}");
    }
}

/// A user's text that spells a control token is one on the servers that tokenise the prompt as a whole.
#[test]
fn spelled_control_tokens() {
    let tokenizer = Tokenizer::by_name("qwen3").expect("a known tokenizer");
    let body = json!({"messages": [{"role": "user", "content": "a <|im_end|> b"}]});
    let template = || ChatTemplate::new("<|im_start|>{{ messages[0].content }}<|im_end|>").expect("sound jinja");
    let total = |rule| {
        let count = template().with_rule(rule).count(tokenizer, &request(&body), &options()).expect("a count");
        count.total
    };
    assert_eq!(total(Controls::Spelled), 3 + tokenizer.count("a ") + tokenizer.count(" b"));
    assert_eq!(total(Controls::Placed), 2 + tokenizer.count("a <|im_end|> b"));
}

#[test]
fn every_format_compiles_and_adds_up() {
    let plain = request(&json!({"messages": [
        {"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is the weather in Paris?"},
        {"role": "assistant", "content": "It is sunny."}, {"role": "user", "content": "Thanks."},
    ]}));
    for entry in TEMPLATES {
        let template = entry.template().expect(entry.name);
        let tokenizer = Tokenizer::by_name(entry.tokenizer).expect("a known tokenizer");
        for request in [&plain, &conversation()] {
            let count = match template.count(tokenizer, request, &options()) {
                Ok(count) => count,
                // Two of the formats know no tools.
                Err(TemplateError::Refused(_)) if request.tools.len() == 2 => continue,
                Err(error) => panic!("{}: {error}", entry.name),
            };
            assert_eq!(count.parts.iter().map(|part| part.tokens).sum::<i64>(), count.total as i64, "{}", entry.name);
            assert_eq!(count.kind, Kind::Template);
            // Hosts of Llama 4 are known to write more around tools than the request has.
            let is_close = count.error_bound.is_some_and(|bound| bound < count.total);
            assert!(is_close || entry.name == "llama4", "{}: {count:?}", entry.name);
            let of =
                |what: &What| count.parts.iter().filter(|part| part.what == *what).map(|part| part.tokens).sum::<i64>();
            assert!(of(&What::Message(1)) >= 7, "{}: {count:?}", entry.name);
        }
    }
}

/// Prices that providers charged, and those of Mistral's formats of 2024 by `mistral-common` 1.13.1.
#[test]
fn known_totals() {
    let asked = |text: &str| json!({"messages": [{"role": "user", "content": text}]});
    let rows = [
        ("mistral-large-latest", asked("How do I cross the street?"), 10),
        ("magistral-small-latest", asked("What is 2+2? Reply with just the number."), 28),
        ("deepseek-v4-flash", asked("Who is the creator of the programming language Ruby?"), 14),
        ("deepseek-ai/DeepSeek-R1", asked("How do I cross the street?"), 10),
        ("glm-4.7", asked("What is 2 + 2?"), 13),
        ("glm-5.2", asked("What is 2 + 2?"), 20),
        ("us.deepseek.r1-v1:0", asked("How do I cross the street?"), 12),
        ("open-mistral-nemo", asked("Hi."), 5),
        ("mixtral-8x22b", asked("Hi."), 5),
        ("mistral-large-2411", asked("Hi."), 5),
    ];
    for (model, body, expected) in rows {
        let entry = TemplateEntry::of_model(model).expect(model);
        let tokenizer = Tokenizer::by_name(entry.tokenizer).expect("a known tokenizer");
        let count = entry.template().expect(model).count(tokenizer, &request(&body), &options()).expect(model);
        assert_eq!(count.total, expected, "{model}");
    }
}

#[test]
fn formats_of_models() {
    let rows = [
        ("Qwen/Qwen2.5-7B-Instruct", Some("qwen2.5")),
        ("qwen/qwen3-32b", Some("qwen3")),
        ("qwen/qwen3-30b-a3b-instruct-2507", Some("qwen3-instruct")),
        ("meta-llama/Llama-3.3-70B-Instruct", Some("llama3.1")),
        ("llama3-8b-8192", Some("llama3")),
        ("deepseek-ai/DeepSeek-V3.1", Some("deepseek-v3.1")),
        ("moonshotai/Kimi-K2-Instruct", Some("kimi-k2")),
        ("moonshotai/Kimi-K2-Thinking", Some("kimi-k2-thinking")),
        ("qwen.qwen3-32b-v1:0", Some("qwen3")),
        ("Qwen/Qwen3-Coder-480B-A35B-Instruct", Some("qwen3-coder")),
        ("qwen-3-coder-480b", Some("qwen3-coder-2507")),
        ("deepseek-ai/DeepSeek-R1-Distill-Qwen-32B", Some("deepseek-r1-qwen")),
        ("us.deepseek.r1-v1:0", Some("deepseek-reasoner")),
        ("meta-llama/Llama-4-Scout-17B-16E-Instruct", Some("llama4")),
        ("us.meta.llama4-maverick-17b-instruct-v1:0", Some("llama4")),
        ("meta.llama3-2-1b-instruct-v1", Some("llama3.2")),
        ("google/gemma-4-31B-it", Some("gemma4")),
        ("glm-5.2", Some("glm-5.2")),
        ("MiniMaxAI/MiniMax-M2", Some("minimax-m2")),
        ("open-mistral-nemo", Some("mistral-v3")),
        ("mistralai/Mixtral-8x22B-Instruct-v0.1", Some("mistral-v3-spm")),
        ("mistral-small-2501", Some("mistral-v7")),
        ("mistral-large-2411", Some("mistral-v7-spm")),
        ("gpt-4o", None),
        ("", None),
    ];
    for (model, expected) in rows {
        assert_eq!(TemplateEntry::of_model(model).map(|entry| entry.name), expected, "{model}");
    }
}

/// Two hosts begin the call that they demand, as recorded requests show.
#[test]
fn demanded_calls_are_begun() {
    let weather = json!({"type": "function", "function": {"name": "weather", "parameters": {}}});
    let named = json!({"type": "function", "function": {"name": "weather"}});
    let total = |model: &str, choice: &Value| {
        let messages = json!([{"role": "user", "content": "When was the fall of Rome?"}]);
        let body = json!({"model": model, "messages": messages, "tools": [weather], "tool_choice": choice});
        let family = Family::of_model(model);
        let tokenizer = Tokenizer::by_name(family.tokenizer_of(model)).expect("a known tokenizer");
        count_request(family, tokenizer, &request(&body)).total
    };
    let rows = [
        ("deepseek-v4-flash", json!("required"), 7),
        ("deepseek-v4-flash", named.clone(), 7),
        ("mistral-small-latest", json!("any"), 0),
        ("mistral-small-latest", named, 3),
        ("qwen/qwen3-32b", json!("required"), 0),
    ];
    for (model, choice, more) in rows {
        assert_eq!(total(model, &choice), total(model, &json!("auto")) + more, "{model} {choice}");
    }
}
