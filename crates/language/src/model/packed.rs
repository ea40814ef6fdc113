//! A fixed matrix in seven bits a weight, and its product with a few rows.
//!
//! Reading a caller's turn is the product of every matrix with ten to forty rows, and then with one
//! row for each token that is written. Seven bits instead of eight leave room to multiply unsigned
//! weights with signed inputs without a carry, which is what the processor's widest instructions do;
//! the file's own four to six bits lose nothing by it. Sixteen outputs lie side by side, so that a sum
//! of each stays in its own lane, and nothing has to be added across.

use candle_core::{Result, Tensor};
use rayon::prelude::*;

/// Weights of an output that share a scale.
const BLOCK: usize = 64;
/// Outputs that lie side by side.
pub(super) const LANES: usize = 16;
/// Inputs of one output in one instruction.
const STEP: usize = 4;
/// Instructions in a block.
const STEPS: usize = BLOCK / STEP;
/// Greatest distance of a weight from the middle.
const LEVELS: f32 = 63.0;
/// The middle, so that weights have no sign.
const MIDDLE: u8 = 64;
/// Greatest input.
const INPUT_LEVELS: f32 = 127.0;
/// Groups of outputs that one thread computes at a time.
const TILE: usize = 8;
/// Rows that are computed together; as many as there are registers for.
const ROWS: usize = 4;
/// Rows whose inputs stay at hand while the weights pass by. Where there are more than twice as many, as
/// in training, a thread computes all outputs of so many rows, and not some outputs of all rows.
const ROWS_AT_HAND: usize = 32;

/// A block of the outputs that lie side by side.
#[derive(Debug, Clone)]
#[repr(C, align(64))]
struct Block {
    /// By step, output, and input.
    weights: [[u8; LANES * STEP]; STEPS],
    scales: [f32; LANES],
}

/// A fixed matrix of (outputs, inputs).
#[derive(Debug)]
pub(super) struct Packed {
    outputs: usize,
    inputs: usize,
    /// By group of outputs; the last group is filled up with outputs that are nothing.
    blocks: Vec<Block>,
}

/// Rows of inputs in eight bits.
pub(super) struct Rows {
    width: usize,
    count: usize,
    blocks: Vec<Inputs>,
}

/// A block of one row.
#[derive(Debug, Clone)]
struct Inputs {
    /// Four inputs each.
    steps: [i32; STEPS],
    scale: f32,
    /// What the weights' middle adds to the sum, with the other sign.
    excess: i32,
}

impl Packed {
    /// Packs a matrix.
    ///
    /// # Errors
    /// It is no matrix.
    pub(super) fn new(matrix: &Tensor) -> Result<Self> {
        let (outputs, inputs) = matrix.dims2()?;
        let mut packed = Self::empty(outputs, inputs);
        packed.extend(&matrix.flatten_all()?.to_vec1::<f32>()?);
        Ok(packed)
    }

    /// A matrix without outputs yet, with room for so many.
    pub(super) fn empty(outputs: usize, inputs: usize) -> Self {
        let room = outputs.div_ceil(LANES) * inputs.div_ceil(BLOCK);
        Self { outputs: 0, inputs, blocks: Vec::with_capacity(room) }
    }

    /// Adds outputs, rows of inputs one behind the other. All but the last time their number is a
    /// multiple of [`LANES`].
    pub(super) fn extend(&mut self, rows: &[f32]) {
        debug_assert!(self.outputs.is_multiple_of(LANES), "the last group is not full");
        let inputs = self.inputs;
        let groups = rows.par_chunks(inputs * LANES);
        let blocks = groups.flat_map_iter(|group| {
            (0..inputs.div_ceil(BLOCK)).map(move |number| Block::new(group, inputs, number))
        });
        self.blocks.par_extend(blocks);
        self.outputs += rows.len() / inputs;
    }

    /// Outputs and inputs.
    pub(super) const fn dims(&self) -> (usize, usize) {
        (self.outputs, self.inputs)
    }

    fn group(&self, number: usize) -> &[Block] {
        let blocks = self.inputs.div_ceil(BLOCK);
        &self.blocks[number * blocks..(number + 1) * blocks]
    }

    /// One row as it was before it was packed, nearly.
    pub(super) fn unpacked(&self, output: usize) -> impl Iterator<Item = f32> {
        let lane = output % LANES;
        let values = self.group(output / LANES).iter().flat_map(move |block| {
            let weights = block.weights.iter().flat_map(move |step| &step[lane * STEP..][..STEP]);
            weights.map(move |weight| (f32::from(*weight) - f32::from(MIDDLE)) * block.scales[lane])
        });
        values.take(self.inputs)
    }

    /// Some outputs of the first row, in any order.
    pub(super) fn some(&self, rows: &Rows, outputs: &[u32]) -> Vec<f32> {
        let mut groups: Vec<usize> =
            outputs.iter().map(|output| *output as usize / LANES).collect();
        groups.sort_unstable();
        groups.dedup();
        let sums = groups.par_iter().with_min_len(TILE);
        let sums: Vec<[f32; LANES]> =
            sums.map(|group| sums_of(self.group(*group), [rows.row(0)])[0]).collect();
        let found = |output: &u32| {
            let place = groups.binary_search(&(*output as usize / LANES)).ok()?;
            Some(sums[place][*output as usize % LANES])
        };
        outputs.iter().map(|output| found(output).unwrap_or(f32::NEG_INFINITY)).collect()
    }

    /// All outputs of all rows: (rows, outputs).
    pub(super) fn product(&self, rows: &Rows) -> Vec<f32> {
        if rows.count > 2 * ROWS_AT_HAND {
            return self.product_of_many(rows);
        }
        let groups = self.outputs.div_ceil(LANES);
        let tile = TILE * LANES;
        let mut by_tile = vec![0.0; groups.div_ceil(TILE) * tile * rows.count];
        let tiles = by_tile.par_chunks_mut(tile * rows.count).enumerate();
        tiles.for_each(|(number, sums)| {
            let last = groups.min((number + 1) * TILE);
            for group in number * TILE..last {
                let at = (group - number * TILE) * LANES;
                self.group_of(group, rows, 0..rows.count, |row, found| {
                    sums[row * tile + at..][..LANES].copy_from_slice(found);
                });
            }
        });
        if rows.count == 1 {
            by_tile.truncate(self.outputs);
            return by_tile;
        }
        let mut by_row = Vec::with_capacity(rows.count * self.outputs);
        for row in 0..rows.count {
            let begun = by_row.len();
            for sums in by_tile.chunks(tile * rows.count) {
                by_row.extend_from_slice(&sums[row * tile..][..tile]);
            }
            by_row.truncate(begun + self.outputs);
        }
        by_row
    }

    fn product_of_many(&self, rows: &Rows) -> Vec<f32> {
        let mut by_row = vec![0.0; rows.count * self.outputs];
        let chunks = by_row.par_chunks_mut(ROWS_AT_HAND * self.outputs).enumerate();
        chunks.for_each(|(number, sums)| {
            let first = number * ROWS_AT_HAND;
            let last = rows.count.min(first + ROWS_AT_HAND);
            for group in 0..self.outputs.div_ceil(LANES) {
                let (from, to) = (group * LANES, self.outputs.min((group + 1) * LANES));
                self.group_of(group, rows, first..last, |row, found| {
                    let row = &mut sums[(row - first) * self.outputs..][..self.outputs];
                    row[from..to].copy_from_slice(&found[..to - from]);
                });
            }
        });
        by_row
    }

    /// The sums of one group with some rows.
    fn group_of(
        &self,
        group: usize,
        rows: &Rows,
        which: std::ops::Range<usize>,
        mut found: impl FnMut(usize, &[f32; LANES]),
    ) {
        let blocks = self.group(group);
        let mut tell = |first: usize, sums: &[[f32; LANES]]| {
            for (row, sums) in sums.iter().enumerate() {
                found(first + row, sums);
            }
        };
        let mut row = which.start;
        while row < which.end {
            let at = |offset: usize| rows.row(row + offset);
            match which.end - row {
                1 => tell(row, &sums_of(blocks, [at(0)])),
                2 => tell(row, &sums_of(blocks, [at(0), at(1)])),
                3 => tell(row, &sums_of(blocks, [at(0), at(1), at(2)])),
                _ => tell(row, &sums_of(blocks, [at(0), at(1), at(2), at(3)])),
            }
            row += ROWS;
        }
    }
}

impl Block {
    /// The block of some outputs' rows, which lie one behind the other.
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
}

impl Rows {
    /// Rows of so many inputs, one behind the other.
    pub(super) fn new(values: &[f32], width: usize) -> Self {
        let rows = values.par_chunks(width).with_min_len(TILE);
        let blocks = rows.flat_map_iter(|row| row.chunks(BLOCK).map(Inputs::new));
        Self { width, count: values.len() / width, blocks: blocks.collect() }
    }

    fn row(&self, number: usize) -> &[Inputs] {
        let blocks = self.width.div_ceil(BLOCK);
        &self.blocks[number * blocks..(number + 1) * blocks]
    }
}

impl Inputs {
    fn new(values: &[f32]) -> Self {
        let scale = greatest(values) / INPUT_LEVELS;
        let mut levels = [0_i8; BLOCK];
        for (value, level) in values.iter().zip(&mut levels) {
            *level = (value / scale.max(f32::MIN_POSITIVE)).round() as i8;
        }
        let sum: i32 = levels.iter().map(|level| i32::from(*level)).sum();
        Self { steps: bytemuck::cast(levels), scale, excess: -sum * i32::from(MIDDLE) }
    }
}

fn greatest(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |most, value| value.abs().max(most))
}

/// The sums of a group of outputs with some rows.
fn sums_of<const R: usize>(blocks: &[Block], rows: [&[Inputs]; R]) -> [[f32; LANES]; R] {
    #[cfg(all(target_arch = "x86_64", target_feature = "avx2", target_feature = "fma"))]
    {
        #[expect(unsafe_code, reason = "the instructions are there, as it says below")]
        // SAFETY: the processor was asked for the first; the program is compiled for processors with
        // AVX2 and FMA, or this is not in it.
        unsafe {
            if widest::is_there() { widest::sums(blocks, rows) } else { wide::sums(blocks, rows) }
        }
    }
    #[cfg(not(all(target_arch = "x86_64", target_feature = "avx2", target_feature = "fma")))]
    rows.map(|row| plain_sums(blocks, row))
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
            *sum += (whole + inputs.excess) as f32 * block.scales[lane] * inputs.scale;
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
            let mut whole = inputs.map(|inputs| [_mm256_set1_epi32(inputs.excess); 2]);
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
            let mut whole = inputs.map(|inputs| _mm512_set1_epi32(inputs.excess));
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
    use candle_core::Device;

    use super::*;

    /// Numbers that look random and are the same every time.
    fn numbers(count: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..count).map(|_| next()).collect()
    }

    fn matrix(outputs: usize, inputs: usize) -> Tensor {
        let values = numbers(outputs * inputs, 1);
        Tensor::from_vec(values, (outputs, inputs), &Device::Cpu).expect("a matrix")
    }

    #[test]
    fn the_product_is_that_of_the_plain_matrix_nearly() {
        let shapes =
            [(67, 192, 1), (130, 200, 7), (3, 64, 4), (64, 100, 18), (300, 64, 2), (21, 100, 75)];
        for (outputs, inputs, count) in shapes {
            let (matrix, input) = (matrix(outputs, inputs), numbers(count * inputs, 2));
            let packed = Packed::new(&matrix).expect("packed");
            let rows = Rows::new(&input, inputs);
            let product = packed.product(&rows);
            let plain = Tensor::from_slice(&input, (count, inputs), &Device::Cpu)
                .and_then(|input| input.matmul(&matrix.t()?)?.flatten_all()?.to_vec1::<f32>())
                .expect("a product");
            assert_eq!(product.len(), plain.len());
            let size = plain.iter().map(|value| value * value).sum::<f32>().sqrt();
            let off = product.iter().zip(&plain).map(|(a, b)| (a - b) * (a - b)).sum::<f32>();
            assert!(off.sqrt() / size < 0.02, "{} of {size}", off.sqrt());
            let some = packed.some(&rows, &[outputs as u32 - 1, 0]);
            assert_eq!(some, [product[outputs - 1], product[0]]);
        }
    }

    /// The sums by all instructions that this processor has.
    fn each_way<const R: usize>(blocks: &[Block], rows: [&[Inputs]; R]) -> Vec<[[f32; LANES]; R]> {
        let mut sums = vec![sums_of(blocks, rows)];
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

    #[test]
    fn a_row_comes_back_nearly() {
        let matrix = matrix(11, 100);
        let packed = Packed::new(&matrix).expect("packed");
        for output in [0, 9, 10] {
            let row = matrix.get(output).and_then(|row| row.to_vec1::<f32>()).expect("a row");
            assert_eq!(packed.unpacked(output).count(), row.len());
            for (back, value) in packed.unpacked(output).zip(&row) {
                assert!((back - value).abs() <= 0.5 / LEVELS + 1e-6, "{back} {value}");
            }
        }
    }
}
