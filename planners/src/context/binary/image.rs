//! What a file says of itself, by the `object` crate: ELF, PE, COFF, Mach-O. Whatever it says is bounded by its length.

use object::{Architecture, BinaryFormat, File, Object, ObjectSection, ObjectSymbol, SectionKind, SymbolKind};

/// Of each kind of thing at most so many are read.
const MAX_THINGS: usize = 20_000;

/// Longer names are cut.
const MAX_NAME_BYTES: usize = 400;

/// Sections past this many are not read; they may overlap, and each is looked at.
const MAX_REGIONS: usize = 2_000;

/// The bytes of a section that its entropy is taken from.
const MAX_SAMPLE_BYTES: usize = 256 << 10;

/// Parts that a file of no known form is taken as.
const MAX_PARTS: usize = 32;

/// A part of a file of no known form has at least so many bytes.
const LEAST_PART_BYTES: usize = 4096;

/// More bits a byte than compiled code or text has.
const PACKED_BITS: f64 = 7.2;

/// Fewer bytes say nothing about entropy.
const LEAST_PACKED_BYTES: usize = 2048;

/// What is known of a file.
#[derive(Debug, Default)]
pub struct Image {
    /// Format, architecture, sizes, in a line.
    pub summary: String,
    /// Whose code it holds, where it is known.
    pub architecture: Option<Architecture>,
    /// Its sections; parts of equal length where there are none.
    pub regions: Vec<Region>,
    /// Its functions, where they have names.
    pub functions: Vec<Function>,
    /// What it takes from other files.
    pub imports: Vec<Link>,
    /// What it gives to others.
    pub exports: Vec<Link>,
}

/// A section.
#[derive(Debug, Clone)]
pub struct Region {
    /// Its name.
    pub name: String,
    /// Where it lies in the file; within it.
    pub offset: usize,
    /// Its bytes in the file; within it.
    pub bytes: usize,
    /// Where it lies in memory.
    pub address: u64,
    /// True if it is code.
    pub is_code: bool,
    /// Bits a byte.
    pub entropy: f64,
}

/// A function with its code's place.
#[derive(Debug, Clone)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Where it lies in the file; within it.
    pub offset: usize,
    /// The bytes of its code; within the file.
    pub bytes: usize,
    /// Where it lies in memory.
    pub address: u64,
}

/// A name that crosses files.
#[derive(Debug, Clone)]
pub struct Link {
    /// The name.
    pub name: String,
    /// The other file, where it is named.
    pub library: String,
}

impl Region {
    /// True if its bytes are compressed or encrypted, and so say nothing to a reader.
    #[must_use]
    pub fn is_packed(&self) -> bool {
        self.bytes >= LEAST_PACKED_BYTES && self.entropy >= PACKED_BITS
    }
}

impl Image {
    /// Reads what `bytes` says of itself. A damaged file has what can be read.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Self {
        let Ok(file) = File::parse(bytes) else { return Self::of_unknown(bytes) };
        let mut image = Self {
            summary: summary(&file, bytes.len()),
            architecture: Some(file.architecture()),
            regions: regions(&file, bytes),
            imports: imports(&file),
            exports: exports(&file),
            functions: Vec::new(),
        };
        image.functions = functions(&file, &image.regions);
        if image.regions.is_empty() {
            image.regions = parts(bytes);
        }
        image
    }

    fn of_unknown(bytes: &[u8]) -> Self {
        let form = match bytes {
            [0x7f, b'E', b'L', b'F', ..] => "a damaged ELF file",
            [b'M', b'Z', ..] => "a damaged PE file, or a DOS program",
            [0, b'a', b's', b'm', ..] => "WebAssembly",
            [0x1f, 0x8b, ..] => "gzip",
            [b'P', b'K', 3, 4, ..] => "a zip archive",
            _ => "a file of no known form",
        };
        Self { summary: format!("{form}, {} bytes", bytes.len()), regions: parts(bytes), ..Self::default() }
    }

    /// The function or region that is called so.
    #[must_use]
    pub fn place_of(&self, name: &str) -> Option<(usize, usize)> {
        let function = self.functions.iter().find(|it| it.name == name).map(|it| (it.offset, it.bytes));
        function.or_else(|| self.regions.iter().find(|it| it.name == name).map(|it| (it.offset, it.bytes)))
    }

    /// The address of what lies at this offset.
    #[must_use]
    pub fn address_of(&self, offset: usize) -> Option<u64> {
        let region = self.regions.iter().find(|it| (it.offset..it.offset + it.bytes).contains(&offset))?;
        region.address.checked_add((offset - region.offset) as u64)
    }
}

fn summary(file: &File<'_>, n_bytes: usize) -> String {
    let format = match file.format() {
        BinaryFormat::Elf => "ELF",
        BinaryFormat::Pe => "PE",
        BinaryFormat::MachO => "Mach-O",
        BinaryFormat::Coff => "COFF",
        _ => "object",
    };
    let bits = if file.is_64() { 64 } else { 32 };
    let order = if file.is_little_endian() { "little" } else { "big" };
    let stripped = if file.symbols().next().is_none() { ", stripped" } else { "" };
    format!(
        "{format} {bits}-bit {order}-endian {:?} {:?}, {n_bytes} bytes, entry {:#x}{stripped}",
        file.architecture(),
        file.kind(),
        file.entry()
    )
}

/// A place in the file that a header names, cut to what there is.
fn within(range: Option<(u64, u64)>, n_bytes: usize) -> Option<(usize, usize)> {
    let (offset, size) = range?;
    let offset = usize::try_from(offset).ok().filter(|it| *it < n_bytes)?;
    let size = usize::try_from(size).unwrap_or(usize::MAX).min(n_bytes - offset);
    (size > 0).then_some((offset, size))
}

fn regions(file: &File<'_>, bytes: &[u8]) -> Vec<Region> {
    let region = |section: object::Section<'_, '_>| {
        let (offset, size) = within(section.file_range(), bytes.len())?;
        Some(Region {
            name: String::from_utf8_lossy(section.name_bytes().unwrap_or_default()).into_owned(),
            offset,
            bytes: size,
            address: section.address(),
            is_code: section.kind() == SectionKind::Text,
            entropy: entropy(&bytes[offset..offset + size.min(MAX_SAMPLE_BYTES)]),
        })
    };
    file.sections().take(MAX_REGIONS).filter_map(region).collect()
}

fn functions(file: &File<'_>, regions: &[Region]) -> Vec<Function> {
    let function = |symbol: object::Symbol<'_, '_>| {
        let is_one = symbol.kind() == SymbolKind::Text && symbol.is_definition();
        let name = symbol.name_bytes().ok().filter(|it| is_one && !it.is_empty())?;
        let address = symbol.address();
        let inside = |it: &&Region| it.is_code && address >= it.address && address - it.address < it.bytes as u64;
        let region = regions.iter().find(inside)?;
        let into = (address - region.address) as usize;
        let size = usize::try_from(symbol.size()).unwrap_or(usize::MAX).min(region.bytes - into);
        let name = String::from_utf8_lossy(&name[..name.len().min(MAX_NAME_BYTES)]).into_owned();
        Some(Function { name, offset: region.offset + into, bytes: size, address })
    };
    let all = file.symbols().chain(file.dynamic_symbols()).take(MAX_THINGS);
    let mut functions: Vec<Function> = all.filter_map(function).collect();
    functions.sort_by(|a, b| (a.address, &a.name).cmp(&(b.address, &b.name)));
    functions.dedup_by_key(|it| it.address);
    // Mach-O and PE say where a function starts and not where it ends: the next one, or the section's end.
    let starts: Vec<usize> = functions.iter().map(|it| it.offset).collect();
    for (at, function) in functions.iter_mut().enumerate().filter(|(_, it)| it.bytes == 0) {
        let region = regions.iter().find(|it| (it.offset..it.offset + it.bytes).contains(&function.offset));
        let end = region.map_or(function.offset, |it| it.offset + it.bytes);
        let next = starts.get(at + 1).copied().filter(|it| (function.offset..end).contains(it));
        function.bytes = next.unwrap_or(end) - function.offset;
    }
    functions.retain(|it| it.bytes > 0);
    functions
}

fn imports(file: &File<'_>) -> Vec<Link> {
    let imports = file.imports().into_iter().flatten().take(MAX_THINGS).filter_map(Result::ok);
    imports.filter_map(|it| Link::new(it.name().name()?, it.library())).collect()
}

fn exports(file: &File<'_>) -> Vec<Link> {
    let exports = file.exports().into_iter().flatten().take(MAX_THINGS).filter_map(Result::ok);
    exports.filter_map(|it| Link::new(it.name().name()?, b"")).collect()
}

impl Link {
    fn new(name: &[u8], library: &[u8]) -> Option<Self> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_NAME_BYTES)]).into_owned();
        (!name.is_empty()).then(|| Self { name: text(name), library: text(library) })
    }
}

/// Equal parts of a file of no known form.
fn parts(bytes: &[u8]) -> Vec<Region> {
    let length = bytes.len().div_ceil(MAX_PARTS).max(LEAST_PART_BYTES);
    let part = |(at, part): (usize, &[u8])| Region {
        name: format!("part {}", at + 1),
        offset: at * length,
        bytes: part.len(),
        address: (at * length) as u64,
        is_code: false,
        entropy: entropy(part),
    };
    bytes.chunks(length).enumerate().map(part).collect()
}

/// Bits a byte, if bytes came independently (Shannon 1948).
#[must_use]
pub fn entropy(bytes: &[u8]) -> f64 {
    let mut counts = [0u32; 256];
    bytes.iter().for_each(|&byte| counts[usize::from(byte)] += 1);
    let n = bytes.len() as f64;
    let bits = |&count: &u32| {
        let share = f64::from(count) / n;
        -share * share.log2()
    };
    counts.iter().filter(|&&count| count > 0).map(bits).sum()
}
