//! Streams of every format into every other, cut at every byte.

use std::fmt::Write;

use super::asked;
use crate::protocols::{ApiError, Event, PROTOCOLS, Protocol, Watch};

/// A thought, a text, two calls and the end, as each format tells it.
const STREAMS: &[(&str, &str)] = &[
    ("openai-chat", include_str!("golden/stream.openai-chat.sse")),
    ("openai-responses", include_str!("golden/stream.openai-responses.sse")),
    ("anthropic", include_str!("golden/stream.anthropic.sse")),
];

fn decode(from: &Protocol, pieces: &[&[u8]]) -> Result<Vec<Event>, ApiError> {
    let (mut decoder, mut events) = ((from.decoder)(), Vec::new());
    for piece in pieces {
        decoder.push(piece, &mut events)?;
    }
    decoder.finish(&mut events)?;
    Ok(events)
}

fn encode(to: &Protocol, events: &[Event]) -> String {
    let (mut encoder, mut out) = ((to.encoder)(&asked()), Vec::new());
    events.iter().for_each(|it| encoder.push(it, &mut out));
    encoder.finish(&mut out);
    String::from_utf8(out).unwrap()
}

fn each() -> impl Iterator<Item = (&'static Protocol, &'static str)> {
    STREAMS.iter().map(|(name, stream)| (crate::protocols::protocol(name).unwrap(), *stream))
}

#[test]
fn a_stream_cut_anywhere_gives_the_same_events() {
    for (from, stream) in each() {
        for ends in ["\n", "\r\n", "\r"] {
            let stream = stream.replace('\n', ends);
            let whole = decode(from, &[stream.as_bytes()]).unwrap();
            let step = if ends == "\r\n" { 1 } else { 13 };
            for at in (0..=stream.len()).step_by(step) {
                let (left, right) = stream.as_bytes().split_at(at);
                assert_eq!(decode(from, &[left, right]).unwrap(), whole, "{} cut at {at}", from.name);
            }
            let bytes: Vec<&[u8]> = stream.as_bytes().chunks(1).collect();
            assert_eq!(decode(from, &bytes).unwrap(), whole, "{} byte by byte", from.name);
        }
    }
}

/// Totals replace earlier ones.
fn last_usage(events: &[Event]) -> Option<&Event> {
    events.iter().rev().find(|it| matches!(it, Event::Usage(_)))
}

/// Events in one line each, pieces of one thing joined: what all formats must agree on.
fn told(events: &[Event]) -> String {
    let mut out = String::new();
    let mut last = None;
    let events: Vec<_> = events.iter().filter(|it| !matches!(it, Event::Usage(_))).chain(last_usage(events)).collect();
    for event in events {
        let (kind, text) = match event {
            Event::Text(text) => ("text".to_owned(), text.clone()),
            Event::Refusal(text) => ("refusal".to_owned(), text.clone()),
            Event::Reasoning(text) => ("thought".to_owned(), text.clone()),
            Event::Sealed { seal, .. } => ("sealed".to_owned(), format!("{seal:?}")),
            Event::ToolStart { call, id, name } => (format!("start {call}"), format!("{id} {name}")),
            Event::ToolArguments { call, json } => (format!("arguments {call}"), json.clone()),
            Event::ToolEnd { call } => (format!("end {call}"), String::new()),
            Event::Stop(stop) => ("stop".to_owned(), format!("{stop:?}")),
            Event::Usage(usage) => ("usage".to_owned(), format!("{usage:?}")),
            Event::Error(error) => ("error".to_owned(), format!("{error:?}")),
            Event::Start { .. } | Event::PartEnd | Event::ReasoningBreak | Event::Ping => continue,
        };
        if last.as_ref() != Some(&kind) {
            let _ = write!(out, "\n{kind}: ");
        }
        out.push_str(&text);
        last = Some(kind);
    }
    out
}

#[test]
fn every_stream_says_the_same_in_every_format() {
    for (from, stream) in each() {
        let events = decode(from, &[stream.as_bytes()]).unwrap();
        for to in PROTOCOLS {
            let there = encode(to, &events);
            let again = decode(to, &[there.as_bytes()]).unwrap_or_else(|error| panic!("{error:?} in {there}"));
            assert_eq!(told(&again), told(&events), "{} as {}:\n{there}", from.name, to.name);
        }
    }
}

#[test]
fn the_usage_of_a_stream_is_found_however_it_is_cut() {
    for (from, stream) in each() {
        let events = decode(from, &[stream.as_bytes()]).unwrap();
        let last = events.iter().rev().find_map(|it| if let Event::Usage(usage) = it { Some(*usage) } else { None });
        for size in [1, 7, 4_096] {
            let mut watch = Watch::new(from.usage_in);
            stream.as_bytes().chunks(size).for_each(|it| watch.push(it).unwrap());
            assert_eq!(watch.usage(), last, "{} in pieces of {size}", from.name);
            assert!(watch.usage().is_some() && watch.error().is_none());
        }
    }
}

#[test]
fn a_stream_that_is_cut_short_is_an_error() {
    for (from, stream) in each() {
        let half = &stream.as_bytes()[..stream.len() / 2];
        let end = stream[..half.len()].rfind("\n\n").unwrap();
        let error = decode(from, &[&half[..end + 2]]).unwrap_err();
        assert_eq!(error.status, 502, "{}", from.name);
    }
}

#[test]
fn errors_in_a_stream_reach_the_caller() {
    let streams = [
        (
            "openai-chat",
            "data: {\"error\":{\"message\":\"slow down\",\"type\":\"rate_limit_error\",\"code\":null}}\n\n",
        ),
        (
            "openai-responses",
            "data: {\"type\":\"error\",\"code\":\"rate_limit_exceeded\",\"message\":\"slow down\",\"param\":null}\n\n",
        ),
        (
            "anthropic",
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\",\"message\":\"slow down\"}}\n\n",
        ),
    ];
    for (name, stream) in streams {
        let error = decode(crate::protocols::protocol(name).unwrap(), &[stream.as_bytes()]).unwrap_err();
        assert_eq!((error.status, error.message.as_str()), (429, "slow down"), "{name}");
        let mut watch = Watch::new(crate::protocols::protocol(name).unwrap().usage_in);
        stream.as_bytes().chunks(5).for_each(|it| watch.push(it).unwrap());
        assert_eq!(watch.error(), Some(&error), "{name}");
        for to in PROTOCOLS {
            let there = encode(to, &[Event::Error(error.clone())]);
            let again = decode(to, &[there.as_bytes()]).unwrap_err();
            assert_eq!((again.kind, again.message), (error.kind, error.message.clone()), "{name} as {}", to.name);
        }
    }
}

#[test]
fn events_that_are_no_json_are_noticed() {
    for (from, stream) in each() {
        let spoilt = stream.replacen("}\n\n", "\n\n", 1);
        let error = Watch::new(from.usage_in).push(spoilt.as_bytes()).unwrap_err();
        assert_eq!(error.status, 502, "{}", from.name);
    }
}

/// Calls of a chat completion that go on side by side stay apart, whatever the target.
#[test]
fn calls_that_interleave_stay_apart() {
    let delta =
        |calls: &str| format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"tool_calls\":[{calls}]}}}}]}}\n\n");
    let start = |n: u32| {
        delta(&format!(r#"{{"index":{n},"id":"c{n}","type":"function","function":{{"name":"f{n}","arguments":""}}}}"#))
    };
    let piece = |n: u32, json: &str| delta(&format!(r#"{{"index":{n},"function":{{"arguments":{json:?}}}}}"#));
    let stream = [
        start(0),
        start(1),
        piece(0, "{\"a\""),
        piece(1, "{\"b\""),
        piece(0, ":1}"),
        piece(1, ":2}"),
        "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\ndata: [DONE]\n\n"
            .to_owned(),
    ];
    let events = decode(&PROTOCOLS[0], &[stream.concat().as_bytes()]).unwrap();
    for to in PROTOCOLS {
        let again = decode(to, &[encode(to, &events).as_bytes()]).unwrap();
        let arguments = |events: &[Event], n: u32| -> String {
            let of = |it: &Event| match it {
                Event::ToolArguments { call, json } if *call == n => Some(json.clone()),
                _ => None,
            };
            events.iter().filter_map(of).collect()
        };
        assert_eq!(
            (arguments(&again, 0), arguments(&again, 1)),
            ("{\"a\":1}".into(), "{\"b\":2}".into()),
            "{}",
            to.name
        );
    }
}
