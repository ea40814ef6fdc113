//! A fixed matrix in few bits a weight, and its product with a few rows.
//!
//! Reading a caller's turn is the product of every matrix with ten to forty rows, and then with one
//! row for each token that is written. Writing is as fast as the weights come from memory, so that they are kept
//! in as few bits as their file has, or nearly. Sixteen outputs lie side by side, so that a sum of each stays in
//! its own lane, and nothing has to be added across.

mod five;
mod seven;

use candle_core::{Result, Tensor};
use rayon::prelude::*;

/// Weights of an output in a block.
const BLOCK: usize = 64;
/// Inputs of the halves of a block, which may have scales of their own.
const HALF: usize = BLOCK / 2;
/// Outputs that lie side by side.
pub(super) const LANES: usize = 16;
/// Inputs of one output in one instruction.
const STEP: usize = 4;
/// Instructions in a block.
const STEPS: usize = BLOCK / STEP;
/// Greatest input.
const INPUT_LEVELS: f32 = 127.0;
/// Groups of outputs that one thread computes at a time.
const TILE: usize = 8;
/// Rows that are computed together; as many as there are registers for.
const ROWS: usize = 4;
/// Rows whose inputs stay at hand while the weights pass by. Where there are more than twice as many, as
/// in training, a thread computes all outputs of so many rows, and not some outputs of all rows.
const ROWS_AT_HAND: usize = 32;

/// How the weights of a block are kept.
trait Format: Sized + Send + Sync {
    /// A block of some outputs' rows, which lie one behind the other.
    fn new(group: &[f32], inputs: usize, number: usize) -> Self;

    /// The weights of one output as they were, nearly.
    fn values(&self, lane: usize) -> impl Iterator<Item = f32>;

    /// The sums of a group of outputs with some rows.
    fn sums<const R: usize>(blocks: &[Self], rows: [&[Inputs]; R]) -> [[f32; LANES]; R];
}

/// In how many bits weights are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bits {
    /// Those of Q5_0, without a loss.
    Five,
    /// More than any other format here has; what they lose by it is less than they have lost already.
    Seven,
}

/// A fixed matrix of (outputs, inputs).
#[derive(Debug)]
pub(super) struct Packed(Weights);

#[derive(Debug)]
enum Weights {
    Five(Matrix<five::Block>),
    Seven(Matrix<seven::Block>),
}

#[derive(Debug)]
struct Matrix<B> {
    outputs: usize,
    inputs: usize,
    /// By group of outputs; the last group is filled up with outputs that are nothing.
    blocks: Vec<B>,
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
    /// What the middle of weights without a sign adds, with the other sign: in five bits, by half.
    excess_of_five: [i32; 2],
    /// The same in seven bits.
    excess_of_seven: i32,
}

impl Packed {
    /// Packs a matrix.
    ///
    /// # Errors
    /// It is no matrix.
    pub(super) fn new(matrix: &Tensor) -> Result<Self> {
        let (outputs, inputs) = matrix.dims2()?;
        let mut packed = Self::empty(outputs, inputs, Bits::Seven);
        packed.extend(&matrix.flatten_all()?.to_vec1::<f32>()?);
        Ok(packed)
    }

    /// A matrix without outputs yet, with room for so many.
    pub(super) fn empty(outputs: usize, inputs: usize, bits: Bits) -> Self {
        Self(match bits {
            Bits::Five => Weights::Five(Matrix::empty(outputs, inputs)),
            Bits::Seven => Weights::Seven(Matrix::empty(outputs, inputs)),
        })
    }

    /// Adds outputs, rows of inputs one behind the other. All but the last time their number is a
    /// multiple of [`LANES`].
    pub(super) fn extend(&mut self, rows: &[f32]) {
        match &mut self.0 {
            Weights::Five(matrix) => matrix.extend(rows),
            Weights::Seven(matrix) => matrix.extend(rows),
        }
    }

    /// Outputs and inputs.
    pub(super) const fn dims(&self) -> (usize, usize) {
        match &self.0 {
            Weights::Five(Matrix { outputs, inputs, .. })
            | Weights::Seven(Matrix { outputs, inputs, .. }) => (*outputs, *inputs),
        }
    }

    /// One row as it was before it was packed, nearly.
    pub(super) fn unpacked(&self, output: usize) -> Vec<f32> {
        match &self.0 {
            Weights::Five(matrix) => matrix.unpacked(output),
            Weights::Seven(matrix) => matrix.unpacked(output),
        }
    }

    /// Some outputs of the first row, in any order.
    pub(super) fn some(&self, rows: &Rows, outputs: &[u32]) -> Vec<f32> {
        match &self.0 {
            Weights::Five(matrix) => matrix.some(rows, outputs),
            Weights::Seven(matrix) => matrix.some(rows, outputs),
        }
    }

    /// All outputs of all rows: (rows, outputs).
    pub(super) fn product(&self, rows: &Rows) -> Vec<f32> {
        match &self.0 {
            Weights::Five(matrix) => matrix.product(rows),
            Weights::Seven(matrix) => matrix.product(rows),
        }
    }
}

impl<B: Format> Matrix<B> {
    fn empty(outputs: usize, inputs: usize) -> Self {
        let room = outputs.div_ceil(LANES) * inputs.div_ceil(BLOCK);
        Self { outputs: 0, inputs, blocks: Vec::with_capacity(room) }
    }

    fn extend(&mut self, rows: &[f32]) {
        debug_assert!(self.outputs.is_multiple_of(LANES), "the last group is not full");
        let inputs = self.inputs;
        let groups = rows.par_chunks(inputs * LANES);
        let blocks = groups.flat_map_iter(|group| {
            (0..inputs.div_ceil(BLOCK)).map(move |number| B::new(group, inputs, number))
        });
        self.blocks.par_extend(blocks);
        self.outputs += rows.len() / inputs;
    }

    fn group(&self, number: usize) -> &[B] {
        let blocks = self.inputs.div_ceil(BLOCK);
        &self.blocks[number * blocks..(number + 1) * blocks]
    }

    fn unpacked(&self, output: usize) -> Vec<f32> {
        let blocks = self.group(output / LANES).iter();
        blocks.flat_map(|block| block.values(output % LANES)).take(self.inputs).collect()
    }

    fn some(&self, rows: &Rows, outputs: &[u32]) -> Vec<f32> {
        let mut groups: Vec<usize> =
            outputs.iter().map(|output| *output as usize / LANES).collect();
        groups.sort_unstable();
        groups.dedup();
        let sums = groups.par_iter().with_min_len(TILE);
        let sums: Vec<[f32; LANES]> =
            sums.map(|group| B::sums(self.group(*group), [rows.row(0)])[0]).collect();
        let found = |output: &u32| {
            let place = groups.binary_search(&(*output as usize / LANES)).ok()?;
            Some(sums[place][*output as usize % LANES])
        };
        outputs.iter().map(|output| found(output).unwrap_or(f32::NEG_INFINITY)).collect()
    }

    fn product(&self, rows: &Rows) -> Vec<f32> {
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
        // Tells the sums of some rows, and how many those were.
        let mut tell = |first: usize, sums: &[[f32; LANES]]| {
            for (row, sums) in sums.iter().enumerate() {
                found(first + row, sums);
            }
            sums.len()
        };
        let mut row = which.start;
        while row < which.end {
            let at = |offset: usize| rows.row(row + offset);
            row += match which.end - row {
                1 => tell(row, &B::sums(blocks, [at(0)])),
                2 => tell(row, &B::sums(blocks, [at(0), at(1)])),
                3 => tell(row, &B::sums(blocks, [at(0), at(1), at(2)])),
                _ => tell(row, &B::sums(blocks, std::array::from_fn::<_, ROWS, _>(at))),
            };
        }
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
        let sum = |half: &[i8]| -> i32 { half.iter().map(|level| i32::from(*level)).sum() };
        let (first, second) = (sum(&levels[..HALF]), sum(&levels[HALF..]));
        Self {
            steps: bytemuck::cast(levels),
            scale,
            excess_of_five: [-first, -second].map(|sum| sum * i32::from(five::MIDDLE)),
            excess_of_seven: -(first + second) * i32::from(seven::MIDDLE),
        }
    }
}

fn greatest(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |most, value| value.abs().max(most))
}

#[cfg(test)]
mod tests {
    use candle_core::Device;
    use candle_core::quantized::{GgmlDType, QTensor};

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

    #[test]
    fn a_row_comes_back_nearly() {
        let matrix = matrix(11, 100);
        let packed = Packed::new(&matrix).expect("packed");
        for output in [0, 9, 10] {
            let row = matrix.get(output).and_then(|row| row.to_vec1::<f32>()).expect("a row");
            assert_eq!(packed.unpacked(output).len(), row.len());
            for (back, value) in packed.unpacked(output).iter().zip(&row) {
                assert!((back - value).abs() <= 0.5 / 63.0 + 1e-6, "{back} {value}");
            }
        }
    }

    #[test]
    fn the_five_bits_of_a_file_come_back_as_they_were() {
        let whole = QTensor::quantize(&matrix(37, 96), GgmlDType::Q5_0).expect("quantised");
        let whole = whole.dequantize(&Device::Cpu).expect("plain");
        let rows = whole.to_vec2::<f32>().expect("rows");
        let mut packed = Packed::empty(37, 96, Bits::Five);
        packed.extend(&rows.concat());
        for (output, row) in rows.iter().enumerate() {
            assert_eq!(&packed.unpacked(output), row);
        }
        let input = numbers(3 * 96, 2);
        let narrow = packed.product(&Rows::new(&input, 96));
        let wide = Packed::new(&whole).expect("packed").product(&Rows::new(&input, 96));
        assert!(narrow.iter().zip(&wide).all(|(a, b)| (a - b).abs() < 0.3), "{narrow:?} {wide:?}");
    }
}
