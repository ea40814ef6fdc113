//! Adapters in a GGUF file, as llama.cpp takes them (`llama-server --lora`).
//!
//! The file has the base's architecture, the width of the adapter as `adapter.lora.alpha` counts it, and for each
//! matrix of the base that something is added to, a `.lora_a` and a `.lora_b` (convert_lora_to_gguf.py of llama.cpp).
//! Rows stand in the order of GGUF files, which is ours, too.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use candle_core::quantized::gguf_file::{self, Value};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Result, bail};

use super::ModelError;
use super::adapter::Adapter;
use super::gguf::Shape;

/// Writes an adapter for a base of this shape into a file. Numbers have 16 bits.
///
/// # Errors
/// The file cannot be written, or the adapter's parts are scaled differently.
pub fn save(adapter: &Adapter, shape: &Shape, file: &Path) -> std::result::Result<(), ModelError> {
    let wrong = |error: candle_core::Error| ModelError::file(file, error);
    let (alpha, tensors) = parts(adapter).map_err(wrong)?;
    let architecture = if shape.interleaved { "llama" } else { "qwen2" };
    let metadata = [
        ("general.architecture", Value::String(architecture.to_owned())),
        ("general.type", Value::String("adapter".to_owned())),
        ("adapter.type", Value::String("lora".to_owned())),
        ("adapter.lora.alpha", Value::F32(alpha)),
    ];
    let metadata: Vec<(&str, &Value)> = metadata.iter().map(|(key, it)| (*key, it)).collect();
    let tensors: Vec<(&str, &QTensor)> =
        tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    let opened = File::create(file).map_err(|error| ModelError::file(file, error))?;
    gguf_file::write(&mut BufWriter::new(opened), &metadata, &tensors).map_err(wrong)
}

/// The scale that is common to all, and the matrices by their names.
fn parts(adapter: &Adapter) -> Result<(f32, Vec<(String, QTensor)>)> {
    let mut tensors = Vec::new();
    let mut alpha = None;
    for (layer, part, lora) in adapter.all() {
        let scaled = lora.scale * lora.a.dim(0)? as f64;
        if (*alpha.get_or_insert(scaled) - scaled).abs() > f64::EPSILON {
            bail!("its parts are scaled differently, for which a GGUF file has no place");
        }
        for (which, matrix) in [("a", &lora.a), ("b", &lora.b)] {
            let name = format!("blk.{layer}.{}.weight.lora_{which}", part.name_in_gguf());
            tensors.push((name, QTensor::quantize(&matrix.contiguous()?, GgmlDType::F16)?));
        }
    }
    let Some(alpha) = alpha else { bail!("it is empty") };
    Ok((alpha as f32, tensors))
}

#[cfg(test)]
mod tests {
    use candle_core::quantized::gguf_file::Content;
    use candle_core::{Device, Tensor};

    use super::super::adapter::{Lora, Part};
    use super::*;

    #[test]
    fn what_was_written_is_there_again() {
        let device = Device::Cpu;
        let matrix = |rows: usize, columns: usize| {
            let values: Vec<f32> = (0..rows * columns).map(|at| at as f32 / 8.0).collect();
            Tensor::from_vec(values, (rows, columns), &device).expect("a matrix")
        };
        let mut adapter = Adapter::default();
        let lora = Lora { a: matrix(2, 8), b: matrix(4, 2), scale: 2.0 };
        adapter.set(1, Part::Query, lora.clone());
        let shape = Shape {
            heads: 2,
            key_heads: 1,
            head_width: 4,
            epsilon: 1e-5,
            turn_base: 1e4,
            interleaved: false,
            vocabulary: 8,
            layers: 2,
        };
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("adapter.gguf");
        save(&adapter, &shape, &file).expect("written");
        let mut opened = File::open(&file).expect("there");
        let content = Content::read(&mut opened).expect("a GGUF file");
        let alpha = content.metadata["adapter.lora.alpha"].to_f32().expect("a number");
        assert!((alpha - 4.0).abs() < 1e-6, "{alpha}");
        let read = content.tensor(&mut opened, "blk.1.attn_q.weight.lora_b", &device);
        let read = read.expect("there").dequantize(&device).expect("numbers");
        let (read, written): (Vec<Vec<f32>>, Vec<Vec<f32>>) =
            (read.to_vec2().expect("rows"), lora.b.to_vec2().expect("rows"));
        assert_eq!(read, written);
        assert!(save(&Adapter::default(), &shape, &file).is_err());
    }
}
