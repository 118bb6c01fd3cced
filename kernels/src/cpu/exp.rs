//! The exponential function, sixteen numbers at a time.

use fearless_simd::{Bytes, Simd, SimdBase, SimdFloat, f32x16, i32x16};

/// e^x to 2 units in the last place; below -87.7 it is 0, above 88 it stays finite.
///
/// Cephes' `expf`: x = n ln 2 + r, and a polynomial for e^r.
#[inline(always)]
pub(super) fn exp<S: Simd>(s: S, x: f32x16<S>) -> f32x16<S> {
    let x = x.min(splat(s, 88.0)).max(splat(s, -88.0));
    let n = x.mul_add(splat(s, std::f32::consts::LOG2_E), splat(s, 0.5)).floor();
    let r = n.mul_add(splat(s, -0.693_359_4), x);
    let r = n.mul_add(splat(s, 2.121_944_4e-4), r);
    let mut p = splat(s, 1.987_569_1e-4);
    for coefficient in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 0.166_666_65, 0.5] {
        p = p.mul_add(r, splat(s, coefficient));
    }
    let value = p.mul_add(r * r, r + splat(s, 1.0));
    // 2^n; at n = -127 the bits are 0.
    let power: i32x16<S> = (s.cvt_i32_f32x16(n) + i32x16::splat(s, 127)) << 23;
    value * power.bitcast::<f32x16<S>>()
}

// Closures would not be compiled for the processor's vectors until they are inlined.
#[inline(always)]
fn splat<S: Simd>(s: S, value: f32) -> f32x16<S> {
    f32x16::splat(s, value)
}

#[cfg(test)]
mod tests {
    use fearless_simd::{Level, dispatch};

    use super::*;

    #[inline(always)]
    fn all<S: Simd>(s: S, x: &[f32; 16]) -> [f32; 16] {
        exp(s, f32x16::load_array(s, *x)).to_array()
    }

    #[test]
    fn it_is_exact_to_two_units() {
        let level = Level::new();
        for step in 0..20_000_u16 {
            let x: [f32; 16] = std::array::from_fn(|lane| -87.0 + f32::from(step) * 0.008_75 + lane as f32 * 1e-4);
            let ours = dispatch!(level, s => all(s, &x));
            for (x, ours) in x.into_iter().zip(ours) {
                let expected = f64::from(x.min(88.0)).exp();
                assert!((f64::from(ours) / expected - 1.0).abs() < 2.5e-7, "e^{x} = {ours}");
            }
        }
        let zero = dispatch!(level, s => all(s, &[f32::NEG_INFINITY; 16]));
        assert_eq!(zero, [0.0; 16]);
    }
}
