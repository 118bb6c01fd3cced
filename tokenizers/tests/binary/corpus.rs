//! Bytes that look like a program: instructions, tables, strings and runs, the same on every machine.

/// A linear congruential generator (Knuth's MMIX constants).
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    pub fn bytes(&mut self, n: usize) -> Vec<u8> {
        (0..n).map(|_| self.below(256) as u8).collect()
    }
}

const CODE: [&[u8]; 12] = [
    b"\x48\x89\xe5",
    b"\x55",
    b"\xc3",
    b"\x48\x8b\x45\xf8",
    b"\xe8",
    b"\x0f\x1f\x44\0\0",
    b"\x66\x90",
    b"\x31\xc0",
    b"\x48\x83\xec\x20",
    b"\xff\x25",
    b"\x41\x57\x41\x56",
    b"\xcc",
];
const TEXT: [&[u8]; 10] =
    [b"cannot open ", b"GLIBC_2.", b"\0", b"error: ", b" \n", b"  ", b"usage", b"\t\t", b"symbol", b"%s: %d\n"];

/// So many bytes, the same for the same seed.
pub fn program(seed: u64, n_bytes: usize) -> Vec<u8> {
    let mut random = Random(seed);
    let mut bytes = Vec::new();
    while bytes.len() < n_bytes {
        let n = random.below(40);
        match random.below(6) {
            0 => (0..n as u32).for_each(|it| bytes.extend((0x40_1000 + 16 * it).to_le_bytes())),
            1 => bytes.extend(std::iter::repeat_n([0, 0xff, 0xcc, b' '][random.below(4)], 3 * n)),
            2 => bytes.extend((0..n).flat_map(|_| TEXT[random.below(TEXT.len())]).copied().collect::<Vec<u8>>()),
            3 if n.is_multiple_of(8) => bytes.extend(random.bytes(n)),
            _ => bytes.extend((0..n).flat_map(|_| CODE[random.below(CODE.len())]).copied().collect::<Vec<u8>>()),
        }
    }
    bytes.truncate(n_bytes);
    bytes
}
