//! Binaries: this test's own program, and headers that lie.

use proptest::prelude::*;
use tollgate_planners::context::{BinaryRequest, Image, entropy, inspect};
use tollgate_tokenizers::Tokenizer;

fn tokenizer() -> Tokenizer {
    Tokenizer::by_name("o200k_base").unwrap()
}

fn request(query: Option<&str>, budget: u64) -> BinaryRequest<'_> {
    BinaryRequest { query, budget, tokenizer: tokenizer(), rarity: None, render: None, remedy: "read" }
}

fn own_program() -> Vec<u8> {
    std::fs::read(std::env::current_exe().unwrap()).unwrap()
}

/// A PE file of a header and one section, and a Mach-O file of a header and one segment.
fn small_programs() -> [Vec<u8>; 2] {
    let mut pe = vec![0u8; 0x400];
    pe[..2].copy_from_slice(b"MZ");
    pe[0x3c] = 0x80;
    pe[0x80..0x84].copy_from_slice(b"PE\0\0");
    // x86-64, one section, an optional header of 240 bytes (PE format, 3.3).
    pe[0x84..0x88].copy_from_slice(&[0x64, 0x86, 1, 0]);
    pe[0x94..0x98].copy_from_slice(&[240, 0, 0x22, 0]);
    pe[0x98..0x9a].copy_from_slice(&[0x0b, 0x02]);
    pe[0x98 + 108] = 16;
    let section = 0x98 + 240;
    pe[section..section + 5].copy_from_slice(b".text");
    pe[section + 8..section + 24].copy_from_slice(&[16, 0, 0, 0, 0, 0x10, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0]);
    pe[section + 36] = 0x20;
    pe[0x200..0x204].copy_from_slice(&[0x55, 0x48, 0x89, 0xe5]);
    let mut macho = vec![0u8; 0x200];
    macho[..20].copy_from_slice(&[0xcf, 0xfa, 0xed, 0xfe, 0x0c, 0, 0, 1, 0, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0]);
    macho[20] = 152;
    macho[32..40].copy_from_slice(&[0x19, 0, 0, 0, 152, 0, 0, 0]);
    macho[40..46].copy_from_slice(b"__TEXT");
    macho[32 + 32] = 0;
    macho[32 + 48] = 0x80;
    macho[32 + 64] = 1;
    macho[104..110].copy_from_slice(b"__text");
    macho[120..126].copy_from_slice(b"__TEXT");
    macho[104 + 40] = 8;
    macho[104 + 48..104 + 50].copy_from_slice(&[0, 1]);
    [pe, macho]
}

#[test]
fn a_question_finds_its_function_and_its_string() {
    let program = own_program();
    let query = "a_question_finds_its_function_and_its_string zebra crossing";
    std::hint::black_box("where the zebra crossing is");
    let packed = inspect(&program, &request(Some(query), 3_000)).unwrap();
    assert!(packed.tokens <= 3_000 && packed.tokens == tokenizer().count(&packed.text) as u64);
    assert!(packed.text.starts_with("ELF") || packed.text.starts_with("Mach-O") || packed.text.starts_with("PE"));
    assert!(packed.text.contains("zebra crossing"), "{}", packed.text);
    assert!(packed.n_left_out > 0 && packed.text.ends_with("items more; read]\n"));
}

#[test]
fn small_programs_are_read_for_what_they_are() {
    let [pe, macho] = small_programs();
    for (bytes, form, section) in [(pe, "PE 64-bit", ".text"), (macho, "Mach-O 64-bit", "__text")] {
        let image = Image::read(&bytes);
        assert!(image.summary.starts_with(form), "{}", image.summary);
        assert_eq!(image.regions.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), [section]);
    }
}

#[test]
fn what_is_packed_is_named_and_not_shown() {
    let mut random = 1u64;
    let mut next = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as u8
    };
    let bytes: Vec<u8> = (0..20_000).map(|_| next()).collect();
    assert!(entropy(&bytes) > 7.9 && entropy(&[7; 100]) == 0.0);
    let packed = inspect(&bytes, &request(None, 1_000)).unwrap();
    assert!(packed.text.contains("packed or encrypted, not shown"), "{}", packed.text);
    assert!(!packed.text.contains("## bytes") && !packed.text.contains("## strings"), "{}", packed.text);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Headers of real and of small programs, damaged and cut: no panic, no region outside, no more than there is.
    #[test]
    fn damaged_headers_are_read_within_their_bytes(
        which in 0usize..3,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..24),
        cut in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let mut bytes = small_programs().into_iter().nth(which).unwrap_or_else(head_and_tail);
        for (at, byte) in damage {
            let at = at.index(bytes.len().min(0x400));
            bytes[at] = byte;
        }
        bytes.truncate(if is_cut { cut.index(bytes.len()) } else { bytes.len() });
        let image = Image::read(&bytes);
        for region in &image.regions {
            prop_assert!(region.offset + region.bytes <= bytes.len());
        }
        for function in &image.functions {
            prop_assert!(function.offset + function.bytes <= bytes.len());
        }
        let packed = inspect(&bytes, &request(Some("text main"), 500));
        prop_assert!(packed.is_ok_and(|it| it.tokens <= 500));
    }
}

/// The first and the last 16 kB of this program: its headers and its tables, without what lies between.
fn head_and_tail() -> Vec<u8> {
    use std::io::{Read, Seek, SeekFrom};
    let mut file = std::fs::File::open(std::env::current_exe().unwrap()).unwrap();
    let mut bytes = vec![0; 1 << 14];
    file.read_exact(&mut bytes).unwrap();
    file.seek(SeekFrom::End(-(1 << 14))).unwrap();
    file.read_to_end(&mut bytes).unwrap();
    bytes
}
