//! Machine code as text: a disassembler for each architecture that has one.

use std::str::FromStr;

use iced_x86::Formatter;
use object::Architecture;
use yaxpeax_arch::Decoder;

/// One architecture's disassembler.
pub struct Disassembler {
    /// As headers name it.
    pub name: &'static str,
    architecture: Architecture,
    /// Adds a line for each instruction at an address, at most so many; what does not decode is a line of bytes.
    run: fn(&[u8], u64, usize) -> Vec<String>,
}

/// Every disassembler.
pub static DISASSEMBLERS: &[Disassembler] = &[
    Disassembler { name: "x86-64", architecture: Architecture::X86_64, run: |bytes, at, n| x86(64, bytes, at, n) },
    Disassembler { name: "x86", architecture: Architecture::I386, run: |bytes, at, n| x86(32, bytes, at, n) },
    Disassembler { name: "arm64", architecture: Architecture::Aarch64, run: arm64 },
    Disassembler {
        name: "riscv64",
        architecture: Architecture::Riscv64,
        run: |bytes, at, n| riscv("RV64IMAFDCZifencei_Zicsr", bytes, at, n),
    },
    Disassembler {
        name: "riscv32",
        architecture: Architecture::Riscv32,
        run: |bytes, at, n| riscv("RV32IMAFDCZifencei_Zicsr", bytes, at, n),
    },
];

impl Disassembler {
    /// The one for an architecture.
    #[must_use]
    pub fn of(architecture: Architecture) -> Option<&'static Self> {
        DISASSEMBLERS.iter().find(|it| it.architecture == architecture)
    }

    /// At most `most` lines of the code at `address`.
    #[must_use]
    pub fn lines(&self, code: &[u8], address: u64, most: usize) -> Vec<String> {
        (self.run)(code, address, most)
    }
}

fn x86(bits: u32, code: &[u8], address: u64, most: usize) -> Vec<String> {
    let mut decoder = iced_x86::Decoder::with_ip(bits, code, address, iced_x86::DecoderOptions::NONE);
    let mut formatter = iced_x86::IntelFormatter::new();
    let mut lines = Vec::new();
    while decoder.can_decode() && lines.len() < most {
        let instruction = decoder.decode();
        let mut text = String::new();
        formatter.format(&instruction, &mut text);
        lines.push(line(instruction.ip(), &text));
    }
    lines
}

fn arm64(code: &[u8], address: u64, most: usize) -> Vec<String> {
    let decoder = yaxpeax_arm::armv8::a64::InstDecoder::default();
    let one = |(word, at): (&[u8], usize)| {
        let text = decoder
            .decode(&mut yaxpeax_arch::U8Reader::new(word))
            .map_or_else(|_| undecoded(word), |it| it.to_string());
        line(address.wrapping_add(at as u64), &text)
    };
    code.chunks(4).zip((0..).step_by(4)).take(most).map(one).collect()
}

fn riscv(target: &str, code: &[u8], address: u64, most: usize) -> Vec<String> {
    let Ok(target) = riscv_isa::Target::from_str(target) else { return Vec::new() };
    let (mut lines, mut at) = (Vec::new(), 0);
    while at < code.len() && lines.len() < most {
        let rest = &code[at..];
        // The lowest two bits tell an instruction of two bytes from one of four (RISC-V ISA manual, 1.5).
        let n_bytes = if rest[0] & 3 == 3 { 4 } else { 2 }.min(rest.len());
        let text = match riscv_isa::decode_le_bytes(rest, &target) {
            Some((instruction, _)) if n_bytes == 4 || rest.len() >= 2 => instruction.to_string(),
            _ => undecoded(&rest[..n_bytes]),
        };
        lines.push(line(address.wrapping_add(at as u64), &text));
        at += n_bytes;
    }
    lines
}

fn line(address: u64, text: &str) -> String {
    format!("{address:x} {text}")
}

fn undecoded(bytes: &[u8]) -> String {
    bytes.iter().fold(".byte".to_owned(), |text, byte| format!("{text} {byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_code_reads_as_assemblers_write_it() {
        for (name, code, expected) in [
            ("x86-64", &b"\x55\x48\x89\xe5\xc3"[..], "10 push rbp|11 mov rbp,rsp|14 ret"),
            ("arm64", b"\x00\x00\x80\xd2\xc0\x03\x5f\xd6", "10 mov x0, #0x0|14 ret"),
            ("riscv64", b"\x13\x05\x15\x00\x82\x80", "10 addi x10, x10, 1|14 jalr x0, 0(x1)"),
        ] {
            let disassembler = DISASSEMBLERS.iter().find(|it| it.name == name).unwrap();
            assert_eq!(disassembler.lines(code, 0x10, 10).join("|"), expected, "{name}");
        }
    }

    #[test]
    fn any_bytes_end_and_keep_the_limit() {
        let mut random = 0x9e37_79b9_u64;
        let mut next = || {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (random >> 33) as u8
        };
        for _ in 0..2_000 {
            let code: Vec<u8> = (0..63).map(|_| next()).collect();
            for disassembler in DISASSEMBLERS {
                assert!(disassembler.lines(&code, u64::MAX - 8, 12).len() <= 12);
            }
        }
    }
}
