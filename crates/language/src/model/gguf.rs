//! A model's file: its measures and its tensors.

use std::io::{Read, Seek};

use candle_core::quantized::gguf_file::{Content, TensorInfo, Value};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Result, Tensor, bail};

use super::adapter::Part;
use super::packed::{Bits, LANES, Packed};

/// Longest sequence, tokens.
pub(super) const CONTEXT_MAX: usize = 2048;

/// Rows of a matrix that are read at a time.
const ROWS_AT_A_TIME: usize = 128 * LANES;

/// Measures of a model.
#[derive(Debug, Clone)]
pub struct Shape {
    /// Query heads.
    pub heads: usize,
    /// Key heads; several query heads share one.
    pub key_heads: usize,
    /// Width of a head.
    pub head_width: usize,
    pub(super) epsilon: f32,
    /// How fast positions turn.
    pub(super) turn_base: f32,
    /// llama turns neighbours, qwen2 turns halves.
    pub interleaved: bool,
    /// Tokens that there are.
    pub vocabulary: usize,
    /// Layers.
    pub layers: usize,
}

impl Shape {
    /// Width of a token's state: that of all heads.
    pub const fn width(&self) -> usize {
        self.heads * self.head_width
    }
}

/// An open file.
pub struct Weights<R> {
    content: Content,
    file: R,
}

impl<R: Read + Seek> Weights<R> {
    /// Reads the head of a file.
    ///
    /// # Errors
    /// It is no GGUF file.
    pub fn open(mut file: R) -> Result<Self> {
        Ok(Self { content: Content::read(&mut file)?, file })
    }

    /// What the file says about itself.
    pub(super) const fn content(&self) -> &Content {
        &self.content
    }

    /// The measures; everything but the vocabulary's size is in the file's head.
    pub(super) fn shape(&self) -> Result<Shape> {
        let metadata = &self.content.metadata;
        let architecture = match metadata.get("general.architecture") {
            Some(Value::String(name)) => name.clone(),
            _ => bail!("the file names no architecture"),
        };
        let interleaved = match architecture.as_str() {
            "llama" => true,
            "qwen2" => false,
            other => bail!("the architecture {other} is not supported; llama and qwen2 are"),
        };
        let number = |name: &str| match metadata.get(&format!("{architecture}.{name}")) {
            Some(value) => value.to_u32().map(|value| value as usize),
            None => bail!("the file has no {name}"),
        };
        let float = |name: &str, usual: f32| {
            let value = metadata.get(&format!("{architecture}.{name}"));
            value.map_or(Ok(usual), Value::to_f32)
        };
        let Some(table) = self.content.tensor_infos.get("token_embd.weight") else {
            bail!("the file has no token_embd.weight");
        };
        let heads = number("attention.head_count")?;
        Ok(Shape {
            heads,
            key_heads: number("attention.head_count_kv")?,
            head_width: number("embedding_length")? / heads,
            epsilon: float("attention.layer_norm_rms_epsilon", 1e-5)?,
            turn_base: float("rope.freq_base", 10_000.0)?,
            interleaved,
            vocabulary: table.shape.dims2()?.0,
            layers: number("block_count")?,
        })
    }

    /// A tensor as plain numbers.
    pub(super) fn tensor(&mut self, name: &str, device: &Device) -> Result<Tensor> {
        self.content.tensor(&mut self.file, name, &Device::Cpu)?.dequantize(device)
    }

    /// A tensor as the file has it.
    pub(super) fn quantised(&mut self, name: &str, device: &Device) -> Result<QTensor> {
        self.content.tensor(&mut self.file, name, device)
    }

    /// The matrix of a layer's part as the file has it, and its bias.
    pub(super) fn quantised_part(
        &mut self,
        layer: usize,
        part: Part,
        device: &Device,
    ) -> Result<(QTensor, Option<Tensor>)> {
        let name = name_of(layer, part);
        let bias = self.perhaps(&format!("{name}.bias"), device)?;
        Ok((self.quantised(&format!("{name}.weight"), device)?, bias))
    }

    /// A tensor that not every model has.
    pub(super) fn perhaps(&mut self, name: &str, device: &Device) -> Result<Option<Tensor>> {
        if !self.has(name) {
            return Ok(None);
        }
        self.tensor(name, device).map(Some)
    }

    /// The matrix of a layer's part, and its bias.
    pub(super) fn part(
        &mut self,
        layer: usize,
        part: Part,
        device: &Device,
    ) -> Result<(Tensor, Option<Tensor>)> {
        let name = name_of(layer, part);
        let bias = self.perhaps(&format!("{name}.bias"), device)?;
        Ok((self.tensor(&format!("{name}.weight"), device)?, bias))
    }

    /// The same, the matrix packed.
    pub(super) fn packed_part(
        &mut self,
        layer: usize,
        part: Part,
    ) -> Result<(Packed, Option<Tensor>)> {
        let name = name_of(layer, part);
        let bias = self.perhaps(&format!("{name}.bias"), &Device::Cpu)?;
        Ok((self.packed(&format!("{name}.weight"))?, bias))
    }

    /// A matrix, packed as it is read. As plain numbers a whole vocabulary would take more memory than
    /// the packed model.
    pub(super) fn packed(&mut self, name: &str) -> Result<Packed> {
        let Some(info) = self.content.tensor_infos.get(name) else { bail!("there is no {name}") };
        let (outputs, inputs) = info.shape.dims2()?;
        let (block, kind) = (info.ggml_dtype.block_size(), info.ggml_dtype);
        if inputs % block != 0 {
            bail!("rows of {inputs} in {name} are no whole blocks of {block}");
        }
        let bits = if kind == GgmlDType::Q5_0 { Bits::Five } else { Bits::Seven };
        let mut packed = Packed::empty(outputs, inputs, bits);
        for first in (0..outputs).step_by(ROWS_AT_A_TIME) {
            let rows = ROWS_AT_A_TIME.min(outputs - first);
            let before = first * (inputs / block) * kind.type_size();
            let offset = info.offset + before as u64;
            let some = TensorInfo { ggml_dtype: kind, shape: (rows, inputs).into(), offset };
            let read = some.read(&mut self.file, self.content.tensor_data_offset, &Device::Cpu)?;
            packed.extend(&read.dequantize(&Device::Cpu)?.flatten_all()?.to_vec1::<f32>()?);
        }
        Ok(packed)
    }

    /// Whether the file has a tensor.
    pub(super) fn has(&self, name: &str) -> bool {
        self.content.tensor_infos.contains_key(name)
    }
}

fn name_of(layer: usize, part: Part) -> String {
    format!("blk.{layer}.{}", part.name_in_gguf())
}
