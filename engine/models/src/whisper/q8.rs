//! q8_0: ggml's 8-bit format. A block is 32 elements: a float16 scale, then 32 signed bytes.

use half::f16;

/// Elements in a block.
pub(super) const BLOCK: usize = 32;
/// Bytes of a block.
#[cfg(test)]
const BLOCK_BYTES: usize = 2 + BLOCK;

/// Appends `elements`, a multiple of [`BLOCK`], to `out`. The scale is the largest magnitude over 127, and an element is
/// divided by the scale in single precision and rounded to the nearest integer, halves to even.
pub(super) fn quantise(elements: &[f16], out: &mut Vec<u8>) {
    for block in elements.chunks_exact(BLOCK) {
        let largest = block.iter().fold(0_f32, |largest, x| largest.max(x.to_f32().abs()));
        let scale = largest / 127.0;
        out.extend(f16::from_f32(scale).to_le_bytes());
        let divisor = if scale == 0.0 { 1.0 } else { scale };
        out.extend(block.iter().map(|x| ((x.to_f32() / divisor).round_ties_even() as i8).cast_unsigned()));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn quantised(elements: &[f32]) -> Vec<u8> {
        let mut out = Vec::new();
        quantise(&elements.iter().map(|x| f16::from_f32(*x)).collect::<Vec<_>>(), &mut out);
        out
    }

    fn dequantised(bytes: &[u8]) -> Vec<f32> {
        let scale = f16::from_le_bytes([bytes[0], bytes[1]]).to_f32();
        bytes[2..].iter().map(|q| scale * f32::from(q.cast_signed())).collect()
    }

    #[test]
    fn halves_go_to_the_even_neighbour() {
        let mut block = [0.0; BLOCK];
        block[0] = 127.0; // scale 1
        block[1..7].copy_from_slice(&[0.5, 1.5, 2.5, -0.5, -1.5, -2.5]);
        let bytes = quantised(&block);
        assert_eq!(bytes[..2], f16::ONE.to_le_bytes());
        let values: Vec<i8> = bytes[2..9].iter().map(|q| q.cast_signed()).collect();
        assert_eq!(values, [127, 0, 2, 2, 0, -2, -2]);
    }

    #[test]
    fn a_block_of_zeros_is_zeros() {
        assert_eq!(quantised(&[0.0; BLOCK]), [0; BLOCK_BYTES]);
    }

    proptest! {
        #[test]
        fn an_element_comes_back_within_half_a_step(block in proptest::collection::vec(-8.0_f32..8.0, BLOCK)) {
            let bytes = quantised(&block);
            prop_assert_eq!(bytes.len(), BLOCK_BYTES);
            let largest = block.iter().fold(0_f32, |m, x| m.max(x.abs()));
            for (x, back) in block.iter().zip(dequantised(&bytes)) {
                // half a step of rounding, and the scale's own rounding to 11 bits, times 127
                let bound = largest / 127.0 * 0.5 + largest * 2.0 / 2048.0 + 1e-6;
                prop_assert!((x - back).abs() <= bound, "{} came back as {}", x, back);
            }
        }
    }
}
