//! What `tollgate binary stats` prints.

use std::fmt::Write;

use serde_json::{Value, json};

use super::stats::{Part, Stats};
use crate::cli::table::{Table, clean, or_dash, percent, thousands};

/// Above so many bits a byte, and below so many bytes a token, data is packed or encrypted.
const PACKED_BITS: f64 = 7.2;
const PACKED_BYTES_A_TOKEN: f64 = 1.6;

impl Part {
    fn bytes_a_token(&self) -> f64 {
        self.bytes as f64 / self.tokens.max(1) as f64
    }

    fn is_packed(&self) -> bool {
        self.entropy_bits > PACKED_BITS && self.bytes_a_token() < PACKED_BYTES_A_TOKEN
    }
}

pub fn as_text(stats: &Stats) -> String {
    let Stats { whole, .. } = stats;
    let mut text = format!(
        "{}: {}, {} bytes, {} tokens of `{}` ({:.2} bytes a token), {:.2} bits a byte\n\n",
        clean(&stats.file),
        stats.format,
        thousands(whole.bytes as u64),
        thousands(whole.tokens as u64),
        clean(&stats.vocabulary),
        whole.bytes_a_token(),
        whole.entropy_bits,
    );
    let mut sections = Table::new(&["section", ">offset", ">bytes", ">tokens", ">bytes/token", ">bits/byte", ""]);
    for (name, offset, part) in &stats.sections {
        sections.row(&[
            clean(name),
            format!("0x{offset:x}"),
            thousands(part.bytes as u64),
            thousands(part.tokens as u64),
            format!("{:.2}", part.bytes_a_token()),
            format!("{:.2}", part.entropy_bits),
            if part.is_packed() { "packed or encrypted".into() } else { String::new() },
        ]);
    }
    let mut forms = Table::new(&["the whole file as", "in the window of", ">tokens", ">window"]);
    for form in &stats.forms {
        let about = if form.is_estimate { "~" } else { "" };
        let tokens = format!("{about}{}", thousands(form.tokens as u64));
        forms.row(&[form.name.into(), clean(&form.model), tokens, or_dash(form.window_share.map(percent))]);
    }
    // Writing to a string does not fail.
    let _ = write!(text, "{sections}\n{forms}");
    text
}

pub fn as_json(stats: &Stats) -> String {
    let part = |it: &Part| {
        json!({
            "bytes": it.bytes, "tokens": it.tokens, "bytes_per_token": it.bytes_a_token(),
            "entropy_bits_per_byte": it.entropy_bits, "packed": it.is_packed(),
        })
    };
    let section = |(name, offset, it): &(String, usize, Part)| {
        let mut section = part(it);
        section["name"] = json!(name);
        section["offset"] = json!(offset);
        section
    };
    let forms = stats.forms.iter().map(|it| {
        json!({
            "as": it.name, "model": it.model, "tokens": it.tokens, "estimate": it.is_estimate,
            "window_share": it.window_share,
        })
    });
    let mut whole = part(&stats.whole);
    whole["file"] = json!(stats.file);
    whole["format"] = json!(stats.format);
    whole["vocabulary"] = json!(stats.vocabulary);
    whole["sections"] = stats.sections.iter().map(section).collect();
    whole["forms"] = Value::Array(forms.collect());
    format!("{whole}\n")
}
