//! What kind of binary file bytes are, and where its sections lie. Nothing of the file is trusted: ranges are cut to it,
//! and what cannot be read is a file without sections.

use ::object::{Object, ObjectSection, read::macho::FatArch};

/// More sections are summed up in the last one.
const MOST_SECTIONS: usize = 200;

/// A file's parts.
pub struct Layout {
    pub format: String,
    pub sections: Vec<Section>,
}

/// A named range of the file.
pub struct Section {
    pub name: String,
    pub offset: usize,
    pub len: usize,
}

/// What `bytes` are.
pub fn layout(bytes: &[u8]) -> Layout {
    let (format, mut sections) =
        wasm(bytes).or_else(|| objects(bytes)).unwrap_or_else(|| ("unknown".into(), Vec::new()));
    sections.retain(|it| it.len > 0 && it.offset < bytes.len());
    for section in &mut sections {
        section.len = section.len.min(bytes.len() - section.offset);
    }
    sections.sort_by_key(|it| (it.offset, it.len));
    sections.truncate(MOST_SECTIONS);
    Layout { format, sections: with_gaps(sections, bytes.len()) }
}

/// Adds what no section covers, and takes away what an earlier one covers, so that the parts add up to the file.
fn with_gaps(sections: Vec<Section>, len: usize) -> Vec<Section> {
    let mut all: Vec<Section> = Vec::new();
    let mut covered = 0;
    let gap = |from: usize, to: usize, all: &mut Vec<Section>| {
        if from < to {
            let name = if from == 0 { "(headers)" } else { "(between sections)" };
            all.push(Section { name: name.into(), offset: from, len: to - from });
        }
    };
    for Section { name, offset, len } in sections {
        gap(covered, offset, &mut all);
        let (start, end) = (offset.max(covered), offset + len);
        if start < end {
            all.push(Section { name, offset: start, len: end - start });
            covered = end;
        }
    }
    gap(covered, len, &mut all);
    all
}

fn objects(bytes: &[u8]) -> Option<(String, Vec<Section>)> {
    // Of a file for several processors the first.
    let (start, part) = fat_part(bytes).unwrap_or((0, bytes));
    let file = ::object::File::parse(part).ok()?;
    let bits = if file.is_64() { 64 } else { 32 };
    let kind = match file.format() {
        ::object::BinaryFormat::Pe | ::object::BinaryFormat::Coff => "PE",
        ::object::BinaryFormat::MachO => "Mach-O",
        _ => "ELF",
    };
    let net = if is_net(&file) { ", .NET" } else { "" };
    let format = format!("{kind} {bits}-bit {:?}{net}", file.architecture());
    let sections = file.sections().filter_map(|section| {
        let (offset, len) = section.file_range()?;
        Some(Section {
            name: String::from_utf8_lossy(section.name_bytes().unwrap_or(b"?")).into_owned(),
            offset: start + usize::try_from(offset).ok()?,
            len: usize::try_from(len).ok()?,
        })
    });
    Some((format, sections.take(MOST_SECTIONS * 10).collect()))
}

/// Whether a PE file has the header of the common language runtime (ECMA-335 II.25.3.3).
fn is_net(file: &::object::File<'_>) -> bool {
    let has_header = |directories: ::object::read::pe::DataDirectories<'_>| {
        directories.get(::object::pe::IMAGE_DIRECTORY_ENTRY_COM_DESCRIPTOR).is_some()
    };
    match file {
        ::object::File::Pe32(file) => has_header(file.data_directories()),
        ::object::File::Pe64(file) => has_header(file.data_directories()),
        _ => false,
    }
}

fn fat_part(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let fat = ::object::read::macho::MachOFatFile32::parse(bytes).ok()?;
    let first = fat.arches().first()?;
    Some((usize::try_from(first.offset()).ok()?, first.data(bytes).ok()?))
}

/// Sections of WebAssembly: a number, a length, and so many bytes (core specification, binary format, 5.5.2).
fn wasm(bytes: &[u8]) -> Option<(String, Vec<Section>)> {
    const NAMES: [&str; 14] = [
        "custom",
        "type",
        "import",
        "function",
        "table",
        "memory",
        "global",
        "export",
        "start",
        "element",
        "code",
        "data",
        "data count",
        "tag",
    ];
    let mut rest = bytes.strip_prefix(b"\0asm")?.get(4..)?;
    let mut sections = Vec::new();
    while let Some((id, behind)) = rest.split_first() {
        let Some((len, body)) = leb128(behind) else { break };
        let len = len.min(body.len());
        let name = NAMES.get(usize::from(*id)).copied().unwrap_or("unknown");
        sections.push(Section { name: name.into(), offset: bytes.len() - body.len(), len });
        rest = &body[len..];
    }
    Some(("WebAssembly".into(), sections))
}

fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0usize;
    for (at, byte) in bytes.iter().take(5).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[at + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parts of any bytes add up to them.
    fn check(bytes: &[u8]) {
        let mut at = 0;
        for section in layout(bytes).sections {
            assert_eq!(section.offset, at);
            at += section.len;
        }
        assert_eq!(at, bytes.len());
    }

    #[test]
    fn parts_add_up_to_the_file_even_of_damaged_ones() {
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let whole = layout(&own);
        assert!(
            whole.format.contains("-bit") && whole.sections.iter().any(|it| it.name.contains("text")),
            "{}",
            whole.format
        );
        check(&own);
        let head = &own[..own.len().min(1 << 16)];
        let mut random = 1u64;
        for _ in 0..2000 {
            let mut damaged = head.to_vec();
            for _ in 0..8 {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let at = (random >> 33) as usize % 4096;
                damaged[at] = (random >> 25) as u8;
            }
            let len = (random >> 20) as usize % damaged.len();
            check(&damaged[..len]);
            check(&damaged);
        }
    }

    #[test]
    fn wasm_has_sections() {
        let bytes = [
            b"\0asm\x01\0\0\0".as_slice(),
            &[1, 2, 9, 9],
            &[10, 0x83, 0x80, 0, 1, 2, 3],
            &[0, 0xff, 0xff, 0xff, 0x7f, 1],
        ]
        .concat();
        let layout = layout(&bytes);
        assert_eq!(layout.format, "WebAssembly");
        let names: Vec<_> = layout.sections.iter().map(|it| &*it.name).filter(|it| !it.starts_with('(')).collect();
        assert_eq!(names, ["type", "code", "custom"]);
        check(&bytes);
    }
}
