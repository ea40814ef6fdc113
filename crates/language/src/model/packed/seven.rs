//! Eight bits a weight, of which seven are used: for matrices whose file has six bits or more a weight.
//!
//! The bit that is left makes room to multiply unsigned weights with signed inputs without a carry, which
//! is what the processor's widest instructions do.

use super::{BLOCK, Format, Inputs, LANES, STEP, STEPS, greatest};

/// Greatest distance of a weight from the middle.
const LEVELS: f32 = 63.0;
/// The middle, so that weights have no sign.
pub(super) const MIDDLE: u8 = 64;

/// A block of the outputs that lie side by side.
#[derive(Debug, Clone)]
#[repr(C, align(64))]
pub(super) struct Block {
    /// By step, output, and input.
    weights: [[u8; LANES * STEP]; STEPS],
    scales: [f32; LANES],
}

impl Format for Block {
    fn new(group: &[f32], inputs: usize, number: usize) -> Self {
        let mut block = Self { weights: [[MIDDLE; LANES * STEP]; STEPS], scales: [0.0; LANES] };
        let (from, to) = (number * BLOCK, inputs.min((number + 1) * BLOCK));
        for (lane, row) in group.chunks(inputs).enumerate() {
            let values = &row[from..to];
            let scale = greatest(values) / LEVELS;
            block.scales[lane] = scale;
            for (place, value) in values.iter().enumerate() {
                let level = (value / scale.max(f32::MIN_POSITIVE)).round();
                block.weights[place / STEP][lane * STEP + place % STEP] =
                    (level + f32::from(MIDDLE)) as u8;
            }
        }
        block
    }

    fn values(&self, lane: usize) -> impl Iterator<Item = f32> {
        let weights = self.weights.iter().flat_map(move |step| &step[lane * STEP..][..STEP]);
        weights.map(move |weight| (f32::from(*weight) - f32::from(MIDDLE)) * self.scales[lane])
    }

    fn sums<const R: usize>(blocks: &[Self], rows: [&[Inputs]; R]) -> [[f32; LANES]; R] {
        #[cfg(all(target_arch = "x86_64", target_feature = "avx2", target_feature = "fma"))]
        {
            #[expect(unsafe_code, reason = "the instructions are there, as it says below")]
            // SAFETY: the processor was asked for the first; the program is compiled for processors with
            // AVX2 and FMA, or this is not in it.
            unsafe {
                if widest::is_there() {
                    widest::sums(blocks, rows)
                } else {
                    wide::sums(blocks, rows)
                }
            }
        }
        #[cfg(not(all(target_arch = "x86_64", target_feature = "avx2", target_feature = "fma")))]
        rows.map(|row| plain_sums(blocks, row))
    }
}

/// The sums without special instructions, and what the others are tested against.
#[cfg_attr(all(target_arch = "x86_64", target_feature = "avx2"), cfg(test))]
fn plain_sums(blocks: &[Block], row: &[Inputs]) -> [f32; LANES] {
    let mut sums = [0.0; LANES];
    for (block, inputs) in blocks.iter().zip(row) {
        let levels: [i8; BLOCK] = bytemuck::cast(inputs.steps);
        for (lane, sum) in sums.iter_mut().enumerate() {
            let weights = block.weights.iter().flat_map(|step| &step[lane * STEP..][..STEP]);
            let pairs = weights.zip(&levels);
            let whole: i32 = pairs.map(|(w, x)| i32::from(*w) * i32::from(*x)).sum();
            *sum += (whole + inputs.excess_of_seven) as f32 * block.scales[lane] * inputs.scale;
        }
    }
    sums
}

/// Eight lanes at a time: every server's processor since 2015.
#[cfg(all(target_arch = "x86_64", target_feature = "avx2", target_feature = "fma"))]
mod wide {
    use std::arch::x86_64::{
        __m256, __m256i, _mm256_add_epi32, _mm256_cvtepi32_ps, _mm256_fmadd_ps, _mm256_madd_epi16,
        _mm256_maddubs_epi16, _mm256_mul_ps, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_set1_ps,
        _mm256_setzero_ps,
    };

    use super::{Block, Inputs, LANES};

    /// The sums of each row, by lane.
    #[target_feature(enable = "avx2,fma")]
    pub(super) fn sums<const R: usize>(
        blocks: &[Block],
        rows: [&[Inputs]; R],
    ) -> [[f32; LANES]; R] {
        let ones = _mm256_set1_epi16(1);
        let mut sums = [[_mm256_setzero_ps(); 2]; R];
        for (number, block) in blocks.iter().enumerate() {
            let inputs: [&Inputs; R] = rows.map(|row| &row[number]);
            let mut whole = inputs.map(|inputs| [_mm256_set1_epi32(inputs.excess_of_seven); 2]);
            for (step, weights) in block.weights.iter().enumerate() {
                let weights: [__m256i; 2] = bytemuck::cast(*weights);
                for (whole, inputs) in whole.iter_mut().zip(&inputs) {
                    let four = _mm256_set1_epi32(inputs.steps[step]);
                    for (whole, weights) in whole.iter_mut().zip(weights) {
                        let pairs = _mm256_madd_epi16(_mm256_maddubs_epi16(weights, four), ones);
                        *whole = _mm256_add_epi32(*whole, pairs);
                    }
                }
            }
            let scales: [__m256; 2] = bytemuck::cast(block.scales);
            for ((sums, whole), inputs) in sums.iter_mut().zip(whole).zip(&inputs) {
                for ((sum, whole), scales) in sums.iter_mut().zip(whole).zip(scales) {
                    let scale = _mm256_mul_ps(scales, _mm256_set1_ps(inputs.scale));
                    *sum = _mm256_fmadd_ps(_mm256_cvtepi32_ps(whole), scale, *sum);
                }
            }
        }
        sums.map(bytemuck::cast)
    }
}

/// Sixteen lanes and four products in one instruction, where the processor has it.
#[cfg(all(target_arch = "x86_64", target_feature = "avx2", target_feature = "fma"))]
mod widest {
    use std::arch::x86_64::{
        __m512, __m512i, _mm512_cvtepi32_ps, _mm512_dpbusd_epi32, _mm512_fmadd_ps, _mm512_mul_ps,
        _mm512_set1_epi32, _mm512_set1_ps, _mm512_setzero_ps,
    };

    use super::{Block, Inputs, LANES};

    /// Whether this processor has the instructions; the answer is kept by the library.
    pub(super) fn is_there() -> bool {
        is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vnni")
    }

    /// The sums of each row, by lane.
    #[target_feature(enable = "avx512f,avx512vnni")]
    pub(super) fn sums<const R: usize>(
        blocks: &[Block],
        rows: [&[Inputs]; R],
    ) -> [[f32; LANES]; R] {
        let mut sums = [_mm512_setzero_ps(); R];
        for (number, block) in blocks.iter().enumerate() {
            let inputs: [&Inputs; R] = rows.map(|row| &row[number]);
            let mut whole = inputs.map(|inputs| _mm512_set1_epi32(inputs.excess_of_seven));
            for (step, weights) in block.weights.iter().enumerate() {
                let weights: __m512i = bytemuck::cast(*weights);
                for (whole, inputs) in whole.iter_mut().zip(&inputs) {
                    let four = _mm512_set1_epi32(inputs.steps[step]);
                    *whole = _mm512_dpbusd_epi32(*whole, weights, four);
                }
            }
            let scales: __m512 = bytemuck::cast(block.scales);
            for ((sum, whole), inputs) in sums.iter_mut().zip(whole).zip(&inputs) {
                let scale = _mm512_mul_ps(scales, _mm512_set1_ps(inputs.scale));
                *sum = _mm512_fmadd_ps(_mm512_cvtepi32_ps(whole), scale, *sum);
            }
        }
        sums.map(bytemuck::cast)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sums by all instructions that this processor has.
    fn each_way<const R: usize>(blocks: &[Block], rows: [&[Inputs]; R]) -> Vec<[[f32; LANES]; R]> {
        let mut sums = vec![Block::sums(blocks, rows)];
        #[cfg(all(target_arch = "x86_64", target_feature = "avx2", target_feature = "fma"))]
        #[expect(unsafe_code, reason = "the program is compiled for processors that have them")]
        // SAFETY: as it says.
        sums.push(unsafe { wide::sums(blocks, rows) });
        sums
    }

    #[test]
    fn the_extremes_do_not_carry_over() {
        // Every weight and every input at its greatest, of either sign.
        for (weight, input) in [(1.0, 1.0), (-1.0, 1.0), (1.0, -1.0), (-1.0, -1.0)] {
            let block = Block::new(&[weight; LANES * BLOCK], BLOCK, 0);
            let inputs = Inputs::new(&[input; BLOCK]);
            let row = std::slice::from_ref(&inputs);
            let blocks = std::slice::from_ref(&block);
            let exact = weight * input * BLOCK as f32;
            for [sums] in each_way(blocks, [row]) {
                for (sum, plain) in sums.iter().zip(plain_sums(blocks, row)) {
                    let near = (sum - plain).abs() < 1e-3 && (sum - exact).abs() < 1e-2;
                    assert!(near, "{sum} {plain}");
                }
            }
        }
    }
}
