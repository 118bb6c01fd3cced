//! The items of a file and their views.

use super::{
    BinaryRequest, Disassembler, Image, hex_lines,
    image::{Link, Region},
    strings,
};

/// Instructions of a function's shorter view, and of its longer one.
const FEW_INSTRUCTIONS: usize = 12;
const MANY_INSTRUCTIONS: usize = 120;

/// Functions that are disassembled, those that the question names and the longest; all are listed.
const MAX_DISASSEMBLED: usize = 400;

/// Strings that are considered, those of the most words.
const MAX_STRINGS: usize = 3_000;

/// Bytes of a section's window.
const WINDOW_BYTES: usize = 64;

/// What an item is; the order of the headings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    Header,
    Sections,
    Imports,
    Exports,
    Functions,
    Strings,
    Bytes,
}

impl Group {
    pub(super) const ALL: [Self; 7] =
        [Self::Header, Self::Sections, Self::Imports, Self::Exports, Self::Functions, Self::Strings, Self::Bytes];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Sections => "sections",
            Self::Imports => "imports",
            Self::Exports => "exports",
            Self::Functions => "functions",
            Self::Strings => "strings",
            Self::Bytes => "bytes",
        }
    }

    pub(super) fn heading(self) -> &'static str {
        match self {
            Self::Header => "",
            Self::Sections => "## sections: name, offset, bytes, entropy\n",
            Self::Imports => "## imports\n",
            Self::Exports => "## exports\n",
            Self::Functions => "## functions: offset, bytes, name\n",
            Self::Strings => "## strings: offset, text\n",
            Self::Bytes => "## bytes\n",
        }
    }
}

/// One rendering.
pub(super) struct DraftView {
    pub(super) name: &'static str,
    pub(super) text: String,
    pub(super) fidelity: f64,
}

/// An item before it is weighed.
pub(super) struct Draft {
    pub(super) group: Group,
    pub(super) offset: u64,
    /// What the question is compared with.
    pub(super) words: String,
    /// What it is worth without a question, from 0 to 1.
    pub(super) worth: f64,
    pub(super) views: Vec<DraftView>,
}

impl Draft {
    /// What a file is, is always said.
    pub(super) fn floor(&self) -> Option<usize> {
        (self.group == Group::Header).then_some(0)
    }

    fn line(group: Group, offset: usize, worth: f64, (words, text): (String, String)) -> Self {
        let views = vec![DraftView { name: "line", text, fidelity: 1.0 }];
        Self { group, offset: offset as u64, words, worth, views }
    }
}

/// Every item of a file.
pub(super) fn drafts(image: &Image, bytes: &[u8], request: &BinaryRequest<'_>) -> Vec<Draft> {
    let mut drafts = vec![Draft::line(Group::Header, 0, 1.0, (String::new(), image.summary.clone()))];
    drafts.extend(image.regions.iter().map(section));
    drafts.extend(image.imports.iter().enumerate().map(|(at, it)| link(Group::Imports, at, it)));
    drafts.extend(image.exports.iter().enumerate().map(|(at, it)| link(Group::Exports, at, it)));
    drafts.extend(functions(image, bytes, request));
    drafts.extend(texts(image, bytes, request));
    drafts
        .extend(image.regions.iter().filter(|it| !it.is_packed() && !it.is_code).map(|it| window(it, bytes, request)));
    drafts
}

fn section(region: &Region) -> Draft {
    let note = match (region.is_packed(), region.is_code) {
        (true, _) => " packed or encrypted, not shown",
        (false, true) => " code",
        (false, false) => "",
    };
    let Region { name, offset, bytes, entropy, .. } = region;
    let text = format!("{name} {offset:#x} {bytes} {entropy:.1}{note}");
    Draft::line(Group::Sections, *offset, 0.3, (name.clone(), text))
}

/// Links lie in tables that say little; their order is the table's.
fn link(group: Group, at: usize, link: &Link) -> Draft {
    let text = if link.library.is_empty() { link.name.clone() } else { format!("{} {}", link.library, link.name) };
    Draft::line(group, at, 0.06, (text.clone(), text))
}

fn functions(image: &Image, bytes: &[u8], request: &BinaryRequest<'_>) -> Vec<Draft> {
    let disassembler = image.architecture.and_then(Disassembler::of);
    let query = request.query.unwrap_or_default().to_ascii_lowercase();
    let is_asked = |name: &str| {
        let mut is_asked = false;
        crate::tools::words::each_term(name, &mut |term| is_asked |= term.len() > 2 && query.contains(term));
        is_asked
    };
    let mut order: Vec<usize> = (0..image.functions.len()).collect();
    order.sort_by_key(|&at| {
        let function = &image.functions[at];
        (!is_asked(&function.name), std::cmp::Reverse(function.bytes), at)
    });
    let draft = |(rank, &at): (usize, &usize)| {
        let function = &image.functions[at];
        let head = format!("{:#x} {} {}", function.offset, function.bytes, function.name);
        let mut draft = Draft::line(Group::Functions, function.offset, 0.05, (function.name.clone(), head.clone()));
        let code = bytes.get(function.offset..function.offset + function.bytes);
        if let (Some(disassembler), Some(code), true) = (disassembler, code, rank < MAX_DISASSEMBLED) {
            let lines = disassembler.lines(code, function.address, MANY_INSTRUCTIONS);
            let cut = lines.len() == MANY_INSTRUCTIONS;
            draft.views = code_views(&head, &lines, cut);
        }
        draft
    };
    order.iter().enumerate().map(draft).collect()
}

fn code_views(head: &str, lines: &[String], is_cut: bool) -> Vec<DraftView> {
    let shown = |n: usize, is_cut: bool| {
        let more = if is_cut { "\n\u{2026}" } else { "" };
        format!("{head}\n{}{more}", lines[..n].join("\n"))
    };
    let mut views = vec![DraftView { name: "name", text: head.to_owned(), fidelity: 0.3 }];
    if lines.len() > FEW_INSTRUCTIONS {
        views.push(DraftView { name: "start", text: shown(FEW_INSTRUCTIONS, true), fidelity: 0.6 });
    }
    views.push(DraftView { name: "code", text: shown(lines.len(), is_cut), fidelity: 1.0 });
    views
}

fn texts(image: &Image, bytes: &[u8], request: &BinaryRequest<'_>) -> Vec<Draft> {
    // The loader's own tables repeat names that stand above.
    let is_table = |name: &str| matches!(name, ".strtab" | ".dynstr" | ".shstrtab" | "__LINKEDIT");
    let hidden: Vec<&Region> =
        image.regions.iter().filter(|it| it.is_packed() || is_table(&it.name) || it.is_code).collect();
    let is_hidden = |at: usize| hidden.iter().any(|it| (it.offset..it.offset + it.bytes).contains(&at));
    let query = request.query.unwrap_or_default().to_ascii_lowercase();
    let asked: Vec<&str> = query.split(|c: char| !c.is_alphanumeric()).filter(|it| it.len() > 3).collect();
    let worth = |found: &strings::Found| {
        let rarity = request.rarity.map_or(0.5, |rarity| rarity(found.text.as_bytes()) / 8.0);
        0.1 * strings::wordiness(&found.text) * (0.5 + rarity)
    };
    let mut found: Vec<(bool, f64, strings::Found)> = strings::strings(bytes)
        .into_iter()
        .filter(|it| !is_hidden(it.offset))
        .map(|it| {
            let lower = it.text.to_ascii_lowercase();
            (asked.iter().any(|word| lower.contains(word)), worth(&it), it)
        })
        .collect();
    found.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.total_cmp(&a.1)).then(a.2.offset.cmp(&b.2.offset)));
    found.truncate(MAX_STRINGS);
    let draft = |(_, worth, it): (bool, f64, strings::Found)| {
        let text = format!("{:#x} {}", it.offset, it.text);
        Draft::line(Group::Strings, it.offset, worth, (it.text, text))
    };
    found.into_iter().map(draft).collect()
}

/// The first bytes of a section, in the rendering that costs less.
fn window(region: &Region, bytes: &[u8], request: &BinaryRequest<'_>) -> Draft {
    let shown = &bytes[region.offset..region.offset + region.bytes.min(WINDOW_BYTES)];
    let hex = hex_lines(shown, region.offset as u64).trim_end().to_owned();
    let other = request.render.map(|render| format!("{:x}: {}", region.offset, render(shown)));
    let cost = |text: &String| request.tokenizer.count(text);
    let text = other.filter(|it| cost(it) < cost(&hex)).unwrap_or(hex);
    let rarity = request.rarity.map_or(0.5, |rarity| rarity(shown) / 8.0);
    Draft::line(Group::Bytes, region.offset, 0.03 * (0.5 + rarity), (region.name.clone(), text))
}
