//! A matrix in memory, in the format that it is kept in. Rows are padded to whole blocks, with zeros.

use crate::{
    Error,
    backend::{Format, Matrix},
};

/// Numbers of a row that are read together; one scale of [`Format::Int8`] each.
pub(super) const BLOCK: usize = 64;

/// (n_rows, n_cols), row-major.
#[derive(Debug)]
pub struct Weight {
    n_rows: usize,
    n_cols: usize,
    numbers: Numbers,
}

/// Rows of `stride` numbers each.
#[derive(Debug)]
pub(super) enum Numbers {
    F32(Vec<f32>),
    F16(Vec<u16>),
    Bf16(Vec<u16>),
    /// One scale for each block.
    Int8(Vec<i8>, Vec<f32>),
}

impl Weight {
    pub(super) fn new(matrix: &Matrix<'_>, keep: Format) -> Result<Self, Error> {
        let (n_rows, n_cols) = (matrix.n_rows, matrix.n_cols);
        let stride = n_cols.next_multiple_of(BLOCK);
        let size = n_rows
            .checked_mul(stride)
            .filter(|it| it.checked_mul(4).is_some_and(|bytes| isize::try_from(bytes).is_ok()))
            .ok_or_else(|| Error::Model(format!("a matrix of `{n_rows}x{n_cols}` is too large; check the config")))?;
        let numbers = match (matrix.format, keep) {
            (Format::F16, Format::F16) => Numbers::F16(halves(matrix, stride, size)),
            (Format::Bf16, Format::Bf16) => Numbers::Bf16(halves(matrix, stride, size)),
            (_, Format::F32) => Numbers::F32(floats(matrix, stride, size)),
            (_, Format::F16) => Numbers::F16(floats(matrix, stride, size).into_iter().map(f16_from).collect()),
            (_, Format::Bf16) => Numbers::Bf16(floats(matrix, stride, size).into_iter().map(bf16_from).collect()),
            (_, Format::Int8) => quantised(&floats(matrix, stride, size)),
        };
        Ok(Self { n_rows, n_cols, numbers })
    }

    /// Numbers of the output.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Numbers of the input.
    #[must_use]
    pub fn n_cols(&self) -> usize {
        self.n_cols
    }

    /// Bytes that a product reads.
    #[must_use]
    pub fn n_bytes(&self) -> usize {
        match &self.numbers {
            Numbers::F32(it) => it.len() * 4,
            Numbers::F16(it) | Numbers::Bf16(it) => it.len() * 2,
            Numbers::Int8(it, scales) => it.len() + scales.len() * 4,
        }
    }

    pub(super) fn stride(&self) -> usize {
        self.n_cols.next_multiple_of(BLOCK)
    }

    pub(super) fn numbers(&self) -> &Numbers {
        &self.numbers
    }

    /// One row as f32, without its padding.
    pub(super) fn row_into(&self, row_idx: usize, out: &mut [f32]) {
        let at = row_idx * self.stride();
        match &self.numbers {
            Numbers::F32(it) => out.copy_from_slice(&it[at..][..out.len()]),
            Numbers::F16(it) => out.iter_mut().zip(&it[at..]).for_each(|(out, it)| *out = f16_to(*it)),
            Numbers::Bf16(it) => out.iter_mut().zip(&it[at..]).for_each(|(out, it)| *out = bf16_to(*it)),
            Numbers::Int8(it, scales) => {
                for (col_idx, out) in out.iter_mut().enumerate() {
                    *out = f32::from(it[at + col_idx]) * scales[(at + col_idx) / BLOCK];
                }
            }
        }
    }

    pub(super) fn select(&self, rows: &[u32]) -> Self {
        let stride = self.stride();
        let numbers = match &self.numbers {
            Numbers::F32(it) => Numbers::F32(selected(it, stride, rows)),
            Numbers::F16(it) => Numbers::F16(selected(it, stride, rows)),
            Numbers::Bf16(it) => Numbers::Bf16(selected(it, stride, rows)),
            Numbers::Int8(it, scales) => {
                Numbers::Int8(selected(it, stride, rows), selected(scales, stride / BLOCK, rows))
            }
        };
        Self { n_rows: rows.len(), n_cols: self.n_cols, numbers }
    }
}

fn selected<T: Copy>(numbers: &[T], stride: usize, rows: &[u32]) -> Vec<T> {
    rows.iter().flat_map(|&row_idx| &numbers[row_idx as usize * stride..][..stride]).copied().collect()
}

/// Copies rows of a file's numbers, `WIDTH` bytes each, into padded rows.
fn padded<const WIDTH: usize, T: Copy + Default>(
    matrix: &Matrix<'_>,
    stride: usize,
    size: usize,
    read: impl Fn([u8; WIDTH]) -> T,
) -> Vec<T> {
    let mut out = vec![T::default(); size];
    if matrix.n_cols > 0 {
        for (row, out) in matrix.bytes.chunks_exact(matrix.n_cols * WIDTH).zip(out.chunks_exact_mut(stride)) {
            for (bytes, out) in row.as_chunks().0.iter().zip(out) {
                *out = read(*bytes);
            }
        }
    }
    out
}

fn floats(matrix: &Matrix<'_>, stride: usize, size: usize) -> Vec<f32> {
    match matrix.format {
        Format::F16 => padded(matrix, stride, size, |it| f16_to(u16::from_le_bytes(it))),
        Format::Bf16 => padded(matrix, stride, size, |it| bf16_to(u16::from_le_bytes(it))),
        // A file has no blocks of integers.
        Format::F32 | Format::Int8 => padded(matrix, stride, size, f32::from_le_bytes),
    }
}

fn halves(matrix: &Matrix<'_>, stride: usize, size: usize) -> Vec<u16> {
    padded(matrix, stride, size, u16::from_le_bytes)
}

/// Blocks scaled so that their largest number is 127.
fn quantised(floats: &[f32]) -> Numbers {
    let scale = |block: &[f32]| block.iter().fold(0.0_f32, |max, it| max.max(it.abs())) / 127.0;
    let scales: Vec<f32> = floats.chunks_exact(BLOCK).map(scale).collect();
    let rounded = |(idx, it): (usize, &f32)| (it / scales[idx / BLOCK].max(f32::MIN_POSITIVE)).round() as i8;
    Numbers::Int8(floats.iter().enumerate().map(rounded).collect(), scales)
}

/// The value of IEEE half-precision bits.
pub(crate) fn f16_to(bits: u16) -> f32 {
    let magnitude = u32::from(bits & 0x7fff) << 13;
    // The exponents differ by 112, and the multiplication normalises what was subnormal.
    let value = if magnitude >= 0x0f80_0000 {
        f32::from_bits(magnitude | 0x7f80_0000)
    } else {
        f32::from_bits(magnitude) * f32::from_bits(0x7780_0000)
    };
    if bits & 0x8000 == 0 { value } else { -value }
}

/// The nearest half-precision number, ties to even; what is too large becomes infinite.
pub(crate) fn f16_from(value: f32) -> u16 {
    let sign = (value.to_bits() >> 16) as u16 & 0x8000;
    let magnitude = value.abs();
    if magnitude.is_nan() {
        return sign | 0x7e00;
    }
    if magnitude >= 65_520.0 {
        return sign | 0x7c00;
    }
    // Adding a power of two rounds at the last bit that the result has.
    let exponent = (magnitude.to_bits() >> 23).max(113);
    let rounder = f32::from_bits((exponent + 13) << 23);
    let rounded = (magnitude + rounder) - rounder;
    // Exact now, so the bits only move.
    let scaled = rounded * f32::from_bits(0x0780_0000);
    sign | (scaled.to_bits() >> 13) as u16
}

fn bf16_to(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

fn bf16_from(value: f32) -> u16 {
    let bits = value.to_bits();
    if value.is_nan() {
        return (bits >> 16) as u16 | 0x40;
    }
    ((bits + 0x7fff + (bits >> 16 & 1)) >> 16) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_precision_goes_there_and_back() {
        for bits in 0..=u16::MAX {
            let value = f16_to(bits);
            if value.is_nan() {
                assert!(f16_to(f16_from(value)).is_nan());
            } else {
                assert_eq!(f16_from(value), bits, "{value}");
            }
        }
    }

    #[test]
    fn half_precision_rounds_to_even() {
        for (value, expected) in [
            (1.0, 0x3c00),
            (1.0 + 1.0 / 2048.0, 0x3c00),
            (1.0 + 3.0 / 2048.0, 0x3c02),
            (65_504.0, 0x7bff),
            (65_519.9, 0x7bff),
            (65_520.0, 0x7c00),
            (-2.0, 0xc000),
            (6.0e-8, 0x0001),
            (1.0e-9, 0x0000),
        ] {
            assert_eq!(f16_from(value), expected, "{value}");
        }
    }

    #[test]
    fn brain_floats_round() {
        assert_eq!(bf16_from(1.0), 0x3f80);
        assert_eq!(bf16_from(f32::from_bits(0x3f80_8000)), 0x3f80);
        assert_eq!(bf16_from(f32::from_bits(0x3f81_8000)), 0x3f82);
        assert!(bf16_to(bf16_from(f32::NAN)).is_nan());
    }
}
