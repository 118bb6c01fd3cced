//! Our reading of JSON against serde_json's.

use serde_json::{Value, value::RawValue};

use crate::protocols::json::{Json, JsonProgress, Node, Tape};

const TEXT: &str = r#" {"a\u00e9\ud83d\ude00\n":[1,-0.5e+7,true,false,null,"x\\\"y",{}],"b" : { "c":[ ] , "d":12345678901234567890123 } } "#;

fn value(node: Node<'_>) -> Value {
    match node.str() {
        Some(text) => Value::String(text.into_owned()),
        None if node.raw().starts_with('[') => node.items().map(value).collect(),
        None if node.raw().starts_with('{') => node.members().map(|(key, it)| (key.into_owned(), value(it))).collect(),
        None => serde_json::from_str(node.raw()).unwrap(),
    }
}

#[test]
fn a_text_is_read_as_serde_json_reads_it() {
    assert_eq!(value(Tape::parse(TEXT).unwrap().root()), serde_json::from_str::<Value>(TEXT).unwrap());
}

/// Every byte of a text replaced by every byte that means something, and every beginning of it.
#[test]
fn a_broken_text_is_broken_for_serde_json_too() {
    let agree = |text: &str| {
        assert_eq!(Tape::parse(text).is_ok(), serde_json::from_str::<&RawValue>(text).is_ok(), "{text}");
    };
    for (at, byte) in TEXT.bytes().enumerate() {
        agree(&TEXT[..at]);
        for other in b"\"\\{}[]:,.-+eE019tfnu \n\t\x01/x" {
            let mut bytes = TEXT.as_bytes().to_vec();
            bytes[at] = *other;
            agree(std::str::from_utf8(&bytes).unwrap());
            bytes.insert(at, byte);
            agree(std::str::from_utf8(&bytes).unwrap());
        }
    }
}

#[test]
fn places_have_names() {
    let tape = Tape::parse(r#"{"a":[{"b":1},{"c":[2]}]}"#).unwrap();
    let inner = tape.root().get("a").unwrap().items().nth(1).unwrap().get("c").unwrap();
    assert_eq!((tape.root().path(), inner.path()), (String::new(), "a[1].c".to_owned()));
    assert_eq!(inner.items().next().unwrap().path(), "a[1].c[0]");
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(Tape::parse(&nested(128)).is_ok());
    assert!(Tape::parse(&nested(129)).is_err());
    assert!(Tape::parse(&"[".repeat(1_000_000)).is_err());
}

#[test]
fn a_string_is_written_as_it_was_read() {
    let text: String = (0..0x250).filter_map(char::from_u32).chain("😀\u{2028}".chars()).collect();
    assert_eq!(serde_json::from_str::<String>(Json::string(&text).text()).unwrap(), text);
    assert_eq!(Tape::parse(r#""\ud800x""#).unwrap().root().str().unwrap(), "\u{fffd}x");
}

#[test]
fn a_value_in_pieces_is_whole_at_its_last_byte_only() {
    let text = r#" {"a}":"\"}\\","b":[{}]}"#;
    for at in 0..text.len() {
        let mut progress = JsonProgress::default();
        progress.push(&text[..at]);
        assert!(!progress.is_whole(), "{}", &text[..at]);
        progress.push(&text[at..]);
        assert!(progress.is_whole());
    }
}
