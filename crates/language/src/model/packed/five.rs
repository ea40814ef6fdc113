//! Five bits a weight, as Q5_0 has them: sixteen levels and as many below, with a scale for every half block.
//!
//! The four lower bits of two steps lie in one row of bytes; the fifth bits are masks.

use half::f16;

use super::{BLOCK, Format, HALF, Inputs, LANES, STEP, STEPS};

/// The level that is nothing.
pub(super) const MIDDLE: u8 = 16;
/// The greatest level.
const HIGHEST: f32 = 31.0;
/// The scales that are tried for weights that were rounded by other rules: the greatest weight may be at any of
/// these levels, from the middle.
const GREATEST_AT: [f32; 16] = [
    -16.0, 15.0, -15.0, 14.0, -14.0, 13.0, -13.0, 12.0, -12.0, 11.0, -11.0, 10.0, -10.0, 9.0, -9.0,
    8.0,
];
/// Levels that are nearer to whole ones than this were whole.
const WHOLE: f32 = 1e-2;
/// Steps of half a block.
const HALF_STEPS: usize = STEPS / 2;

/// A block of the outputs that lie side by side.
#[derive(Debug, Clone)]
#[repr(C, align(64))]
pub(super) struct Block {
    /// By pair of steps, output, and input: the first step's bits below the second's.
    lower: [[u8; LANES * STEP]; STEPS / 2],
    /// By step: a bit for every output and input.
    fifth: [u64; STEPS],
    /// By half, the bits of [`f16`].
    scales: [[u16; LANES]; 2],
}

impl Block {
    fn set(&mut self, lane: usize, place: usize, level: u8) {
        let (step, byte) = (place / STEP, lane * STEP + place % STEP);
        self.lower[step / 2][byte] |= (level & 15) << (4 * (step % 2));
        self.fifth[step] |= u64::from(level >> 4) << byte;
    }

    fn level(&self, lane: usize, place: usize) -> u8 {
        let (step, byte) = (place / STEP, lane * STEP + place % STEP);
        let lower = self.lower[step / 2][byte] >> (4 * (step % 2)) & 15;
        lower | ((self.fifth[step] >> byte & 1) as u8) << 4
    }
}

impl Format for Block {
    fn new(group: &[f32], inputs: usize, number: usize) -> Self {
        // Level 0 with a scale of nothing is nothing.
        let mut block = Self {
            lower: [[0; LANES * STEP]; STEPS / 2],
            fifth: [0; STEPS],
            scales: [[0; LANES]; 2],
        };
        let (from, to) = (number * BLOCK, inputs.min((number + 1) * BLOCK));
        for (lane, row) in group.chunks(inputs).enumerate() {
            for (half, values) in row[from..to].chunks(HALF).enumerate() {
                let scale = scale_of(values);
                block.scales[half][lane] = scale.to_bits();
                for (place, value) in values.iter().enumerate() {
                    block.set(lane, half * HALF + place, level_of(*value, scale));
                }
            }
        }
        block
    }

    fn values(&self, lane: usize) -> impl Iterator<Item = f32> {
        (0..BLOCK).map(move |place| {
            let scale = f16::from_bits(self.scales[place / HALF][lane]).to_f32();
            (f32::from(self.level(lane, place)) - f32::from(MIDDLE)) * scale
        })
    }

    fn sums<const R: usize>(blocks: &[Self], rows: [&[Inputs]; R]) -> [[f32; LANES]; R] {
        #[cfg(all(target_arch = "x86_64", target_feature = "avx2", target_feature = "f16c"))]
        {
            #[expect(unsafe_code, reason = "the instructions are there, as it says below")]
            // SAFETY: the processor was asked for the first; the program is compiled for processors with
            // AVX2, FMA and F16C, or this is not in it.
            unsafe {
                if widest::is_there() {
                    widest::sums(blocks, rows)
                } else {
                    wide::sums(blocks, rows)
                }
            }
        }
        #[cfg(not(all(target_arch = "x86_64", target_feature = "avx2", target_feature = "f16c")))]
        rows.map(|row| plain_sums(blocks, row))
    }
}

/// The scale by which all of the weights are whole levels, or the one that comes nearest.
fn scale_of(values: &[f32]) -> f16 {
    let by_size = |a: &f32, b: &f32| a.abs().total_cmp(&b.abs());
    let Some(most) = values.iter().copied().max_by(by_size) else { return f16::ZERO };
    let mut best = (f32::INFINITY, f16::ZERO);
    for at in GREATEST_AT {
        let scale = f16::from_f32(most / at);
        let off = |value: &f32| {
            (value - (f32::from(level_of(*value, scale)) - f32::from(MIDDLE)) * scale.to_f32())
                .abs()
        };
        let worst = values.iter().map(off).fold(0.0, f32::max);
        if worst < best.0 {
            best = (worst, scale);
        }
        if worst <= scale.to_f32().abs() * WHOLE {
            break;
        }
    }
    best.1
}

fn level_of(value: f32, scale: f16) -> u8 {
    let scale = scale.to_f32();
    if scale == 0.0 {
        return MIDDLE;
    }
    (value / scale + f32::from(MIDDLE)).round().clamp(0.0, HIGHEST) as u8
}

/// The sums without special instructions, and what the others are tested against.
#[cfg_attr(all(target_arch = "x86_64", target_feature = "avx2"), cfg(test))]
fn plain_sums(blocks: &[Block], row: &[Inputs]) -> [f32; LANES] {
    let mut sums = [0.0; LANES];
    for (block, inputs) in blocks.iter().zip(row) {
        let levels: [i8; BLOCK] = bytemuck::cast(inputs.steps);
        for (lane, sum) in sums.iter_mut().enumerate() {
            for half in 0..2 {
                let places = half * HALF..(half + 1) * HALF;
                let product =
                    |place: usize| i32::from(block.level(lane, place)) * i32::from(levels[place]);
                let whole = places.map(product).sum::<i32>() + inputs.excess_of_five[half];
                *sum +=
                    whole as f32 * f16::from_bits(block.scales[half][lane]).to_f32() * inputs.scale;
            }
        }
    }
    sums
}

/// Eight lanes at a time: every server's processor since 2015.
#[cfg(all(target_arch = "x86_64", target_feature = "avx2", target_feature = "f16c"))]
mod wide {
    use std::arch::x86_64::{
        __m128i, __m256, __m256i, _mm256_add_epi32, _mm256_and_si256, _mm256_cmpeq_epi8,
        _mm256_cvtepi32_ps, _mm256_cvtph_ps, _mm256_fmadd_ps, _mm256_madd_epi16,
        _mm256_maddubs_epi16, _mm256_mul_ps, _mm256_or_si256, _mm256_set1_epi8, _mm256_set1_epi16,
        _mm256_set1_epi32, _mm256_set1_epi64x, _mm256_set1_ps, _mm256_setr_epi64x,
        _mm256_setzero_ps, _mm256_shuffle_epi8, _mm256_srli_epi16,
    };

    use super::{Block, HALF_STEPS, Inputs, LANES};

    /// The sums of each row, by lane.
    #[target_feature(enable = "avx2,fma,f16c")]
    pub(super) fn sums<const R: usize>(
        blocks: &[Block],
        rows: [&[Inputs]; R],
    ) -> [[f32; LANES]; R] {
        let ones = _mm256_set1_epi16(1);
        let mut sums = [[_mm256_setzero_ps(); 2]; R];
        for (number, block) in blocks.iter().enumerate() {
            let inputs: [&Inputs; R] = rows.map(|row| &row[number]);
            for (half, scales) in block.scales.iter().enumerate() {
                let mut whole =
                    inputs.map(|inputs| [_mm256_set1_epi32(inputs.excess_of_five[half]); 2]);
                for step in half * HALF_STEPS..(half + 1) * HALF_STEPS {
                    let weights = weights(block, step);
                    for (whole, inputs) in whole.iter_mut().zip(&inputs) {
                        let four = _mm256_set1_epi32(inputs.steps[step]);
                        for (whole, weights) in whole.iter_mut().zip(weights) {
                            let pairs =
                                _mm256_madd_epi16(_mm256_maddubs_epi16(weights, four), ones);
                            *whole = _mm256_add_epi32(*whole, pairs);
                        }
                    }
                }
                let scales: [__m128i; 2] = bytemuck::cast(*scales);
                let scales: [__m256; 2] = scales.map(|scales| _mm256_cvtph_ps(scales));
                for ((sums, whole), inputs) in sums.iter_mut().zip(whole).zip(&inputs) {
                    for ((sum, whole), scales) in sums.iter_mut().zip(whole).zip(scales) {
                        let scale = _mm256_mul_ps(scales, _mm256_set1_ps(inputs.scale));
                        *sum = _mm256_fmadd_ps(_mm256_cvtepi32_ps(whole), scale, *sum);
                    }
                }
            }
        }
        sums.map(bytemuck::cast)
    }

    /// The weights of a step, a byte each.
    #[target_feature(enable = "avx2")]
    fn weights(block: &Block, step: usize) -> [__m256i; 2] {
        let lower: [__m256i; 2] = bytemuck::cast(block.lower[step / 2]);
        let fifth: [u32; 2] = bytemuck::cast(block.fifth[step]);
        // Every byte gets the byte of the mask in which its bit is.
        let spread = _mm256_setr_epi64x(
            0,
            0x0101_0101_0101_0101,
            0x0202_0202_0202_0202,
            0x0303_0303_0303_0303,
        );
        let bit = _mm256_set1_epi64x(0x8040_2010_0804_0201_u64.cast_signed());
        let mut weights = [spread; 2];
        for ((weights, lower), fifth) in weights.iter_mut().zip(lower).zip(fifth) {
            let shifted = if step.is_multiple_of(2) { lower } else { _mm256_srli_epi16(lower, 4) };
            let lower = _mm256_and_si256(shifted, _mm256_set1_epi8(15));
            let masks = _mm256_shuffle_epi8(_mm256_set1_epi32(fifth.cast_signed()), spread);
            let set = _mm256_cmpeq_epi8(_mm256_and_si256(masks, bit), bit);
            *weights = _mm256_or_si256(lower, _mm256_and_si256(set, _mm256_set1_epi8(16)));
        }
        weights
    }
}

/// Sixteen lanes and four products in one instruction, where the processor has it.
#[cfg(all(target_arch = "x86_64", target_feature = "avx2", target_feature = "f16c"))]
mod widest {
    use std::arch::x86_64::{
        __m256i, __m512i, _mm512_cvtepi32_ps, _mm512_cvtph_ps, _mm512_dpbusd_epi32,
        _mm512_fmadd_ps, _mm512_maskz_mov_epi8, _mm512_mul_ps, _mm512_set1_epi8, _mm512_set1_epi32,
        _mm512_set1_ps, _mm512_setzero_ps, _mm512_srli_epi16, _mm512_ternarylogic_epi32,
    };

    use super::{Block, HALF_STEPS, Inputs, LANES};

    /// Whether this processor has the instructions; the answer is kept by the library.
    pub(super) fn is_there() -> bool {
        is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vnni")
    }

    /// The sums of each row, by lane.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    pub(super) fn sums<const R: usize>(
        blocks: &[Block],
        rows: [&[Inputs]; R],
    ) -> [[f32; LANES]; R] {
        let mut sums = [_mm512_setzero_ps(); R];
        for (number, block) in blocks.iter().enumerate() {
            let inputs: [&Inputs; R] = rows.map(|row| &row[number]);
            for half in 0..2 {
                let mut whole = inputs.map(|inputs| _mm512_set1_epi32(inputs.excess_of_five[half]));
                // Plain loops over places: iterators over arrays of registers go through memory here.
                for pair in 0..HALF_STEPS / 2 {
                    let first = half * HALF_STEPS + 2 * pair;
                    let both: __m512i = bytemuck::cast(block.lower[first / 2]);
                    let low = five(both, block.fifth[first]);
                    let high = five(_mm512_srli_epi16(both, 4), block.fifth[first + 1]);
                    for row in 0..R {
                        let steps = &inputs[row].steps;
                        let four = _mm512_set1_epi32(steps[first]);
                        whole[row] = _mm512_dpbusd_epi32(whole[row], low, four);
                        let four = _mm512_set1_epi32(steps[first + 1]);
                        whole[row] = _mm512_dpbusd_epi32(whole[row], high, four);
                    }
                }
                let scales: __m256i = bytemuck::cast(block.scales[half]);
                let scales = _mm512_cvtph_ps(scales);
                for row in 0..R {
                    let scale = _mm512_mul_ps(scales, _mm512_set1_ps(inputs[row].scale));
                    sums[row] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(whole[row]), scale, sums[row]);
                }
            }
        }
        sums.map(bytemuck::cast)
    }

    /// Bytes of the lower four bits and the fifth.
    #[target_feature(enable = "avx512f,avx512bw")]
    fn five(lower: __m512i, fifth: u64) -> __m512i {
        /// The first where the second is set, or the third.
        const FIRST_WHERE_SECOND_OR_THIRD: i32 = 0xEA;
        let fifth = _mm512_maskz_mov_epi8(fifth, _mm512_set1_epi8(16));
        let fifteen = _mm512_set1_epi8(15);
        _mm512_ternarylogic_epi32::<FIRST_WHERE_SECOND_OR_THIRD>(lower, fifteen, fifth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_instructions_come_to_the_same_sums() {
        let weights: Vec<f32> = (0..LANES * BLOCK)
            .map(|place| {
                let level = (place * 7 + place / 31) % 32;
                // Every half block has its greatest weight sixteen levels below nothing.
                let level = if place % HALF == 5 { 0 } else { level };
                (level as f32 - f32::from(MIDDLE)) * 0.25
            })
            .collect();
        let block = Block::new(&weights, BLOCK, 0);
        let values: Vec<f32> = (0..BLOCK).map(|place| (place as f32 * 0.7).sin()).collect();
        let inputs = Inputs::new(&values);
        let (blocks, row) = (std::slice::from_ref(&block), std::slice::from_ref(&inputs));
        let plain = plain_sums(blocks, row);
        let mut ways = vec![Block::sums(blocks, [row])];
        #[cfg(all(target_arch = "x86_64", target_feature = "avx2", target_feature = "f16c"))]
        #[expect(unsafe_code, reason = "the program is compiled for processors that have them")]
        // SAFETY: as it says.
        ways.push(unsafe { wide::sums(blocks, [row]) });
        for [sums] in ways {
            for (lane, (sum, plain)) in sums.iter().zip(plain).enumerate() {
                let exact: f32 =
                    weights[lane * BLOCK..][..BLOCK].iter().zip(&values).map(|(w, x)| w * x).sum();
                assert!((sum - plain).abs() < 1e-3 && (sum - exact).abs() < 0.5, "{sum} {plain}");
            }
        }
    }

    #[test]
    fn weights_that_were_rounded_by_other_rules_come_back_too() {
        // The greatest is at level thirteen above nothing.
        let values: Vec<f32> = (0..HALF).map(|place| (place % 27) as f32 * 0.5 - 6.5).collect();
        let block = Block::new(&values, HALF, 0);
        assert_eq!(block.values(0).take(HALF).collect::<Vec<_>>(), values);
    }
}
