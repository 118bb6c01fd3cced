//! The sizes of pictures that travel in a body: told by their headers, and unknown where there is no sound one.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tollgate_tokenizers::{
    Tokenizer,
    chat::{Content, Family, Format, Request, count_request, read},
};

/// A size of which every formula makes something else.
pub const SIZE: (u32, u32) = (1000, 800);

/// The beginning of a PNG file of this size, in base64.
pub fn png((width, height): (u32, u32)) -> String {
    let mut file = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    file.extend(width.to_be_bytes());
    file.extend(height.to_be_bytes());
    file.extend([8, 2, 0, 0, 0]);
    STANDARD.encode(file)
}

pub fn png_url(width: u32, height: u32) -> String {
    format!("data:image/png;base64,{}", png((width, height)))
}

/// A JPEG whose size stands behind so many bytes of other segments.
fn jpeg(before: usize) -> String {
    let mut file = vec![0xff, 0xd8];
    for _ in 0..before.div_ceil(60_000) {
        file.extend([0xff, 0xe2]);
        file.extend(60_002_u16.to_be_bytes());
        file.extend(vec![0; 60_000]);
    }
    file.extend([0xff, 0xc0, 0, 17, 8, 3, 32, 3, 232, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1]);
    STANDARD.encode(file)
}

fn chat(url: &str) -> Value {
    json!({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}]})
}

fn bodies(data: &str) -> [(Format, Value); 6] {
    let url = format!("data:image/png;base64,{data}");
    let said = |content: Value| json!({"messages": [{"role": "user", "content": [content]}]});
    let source = json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}});
    let result = json!({"type": "tool_result", "tool_use_id": "t", "content": [source]});
    let part = json!({"inlineData": {"mimeType": "image/png", "data": data}});
    let input = json!({"type": "input_image", "image_url": url});
    [
        (Format::OpenaiChat, chat(&url)),
        (Format::OpenaiResponses, json!({"input": [{"role": "user", "content": [input]}]})),
        (Format::Anthropic, said(source)),
        (Format::Anthropic, said(result)),
        (Format::Gemini, json!({"contents": [{"parts": [part]}]})),
        (Format::BedrockConverse, said(json!({"image": {"format": "png", "source": {"bytes": data}}}))),
    ]
}

fn request(format: Format, body: &Value) -> Request {
    read(format, body).expect("a sound body")
}

/// The size of the only picture.
fn size(format: Format, body: &Value) -> Option<(u32, u32)> {
    let request = request(format, body);
    let sizes: Vec<_> = request
        .contents()
        .filter_map(|content| if let Content::Image(image) = content { Some(image.size) } else { None })
        .collect();
    assert_eq!(sizes.len(), 1, "{request:?}");
    sizes[0]
}

#[test]
fn every_format_tells_the_size() {
    let bare = png(SIZE).trim_end_matches('=').to_owned();
    for data in [png(SIZE), bare, jpeg(0), jpeg(200_000)] {
        for (format, body) in bodies(&data) {
            assert_eq!(size(format, &body), Some(SIZE), "{format:?}");
        }
    }
}

#[test]
fn other_files_tell_it_too() {
    let gif = [b"GIF89a".as_slice(), &[0xe8, 3, 0x20, 3, 0, 0, 0]].concat();
    let webp = [b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0".as_slice(), &[0xe7, 3, 0, 0x1f, 3, 0]].concat();
    for file in [gif, webp] {
        let url = format!("data:image/x;base64,{}", STANDARD.encode(&file));
        assert_eq!(size(Format::OpenaiChat, &chat(&url)), Some(SIZE), "{file:?}");
    }
}

#[test]
fn what_is_no_picture_has_no_size() {
    let broken = STANDARD.encode(b"\x89PNG\r\n\x1a\n\0\0");
    let text = STANDARD.encode("These are words, not a picture of them.");
    let far = jpeg(600_000);
    for data in ["", "=", "****", "\u{20ac}\u{20ac}", &broken, &text, &far, &png((0, 9)), &png((u32::MAX, 9))] {
        for (format, body) in bodies(data) {
            assert_eq!(size(format, &body), None, "{format:?} {:.40}", data);
        }
    }
    let plain = format!("data:image/png,{}", png(SIZE));
    for url in ["https://example.com/a.png", "data:", "data:,", &plain] {
        assert_eq!(size(Format::OpenaiChat, &chat(url)), None, "{url}");
    }
}

/// No header makes the reader fail, whatever stands in it.
#[test]
fn headers_are_not_trusted() {
    let starts: [&[u8]; 4] = [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"RIFF\0\0\0\0WEBPVP8L"];
    let mut state = 1_u32;
    for round in 0..4000 {
        let mut file = starts[round % starts.len()].to_vec();
        for _ in 0..round % 61 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            file.push(if state >> 30 == 0 { 0xff } else { (state >> 20) as u8 });
        }
        let found = size(Format::OpenaiChat, &chat(&format!("data:image/x;base64,{}", STANDARD.encode(&file))));
        assert!(found.is_none_or(|(width, height)| width > 0 && height > 0), "{file:?}");
    }
}

/// What a picture adds, and how much the bound grows by it.
fn price(model: &str, body: &Value) -> (usize, Option<usize>) {
    let family = Family::of_model(model);
    let tokenizer = Tokenizer::by_name(family.tokenizer).expect("a known tokenizer");
    let count = |body: &Value| {
        let mut request = request(Format::OpenaiChat, body);
        request.model = Some(model.to_owned());
        count_request(family, tokenizer, &request)
    };
    let none = count(&json!({"messages": [{"role": "user", "content": []}]}));
    let with = count(body);
    (with.total - none.total, with.error_bound)
}

#[test]
fn known_sizes_are_priced_and_unknown_ones_bounded() {
    let known = chat(&png_url(512, 512));
    let remote = chat("https://example.com/a.png");
    for (model, tokens) in [("gpt-4o", 255), ("gpt-4.1-mini", 415), ("gpt-5", 210), ("claude-sonnet-4-5", 350)] {
        assert_eq!(price(model, &known).0, tokens, "{model}");
        let sure = price(model, &known).1.expect("a bound");
        let unsure = price(model, &remote).1.expect("a bound");
        assert!(unsure >= sure + price(model, &remote).0, "{model}: {sure} {unsure}");
    }
    assert_eq!(price("gpt-4o", &known).1, Some(0));
    assert_eq!(price("gemini-2.5-flash", &remote).1, None);
}
