//! A matrix that is not trained, through which gradients pass.
//!
//! candle computes the gradients of both factors of a product. That of a fixed matrix nobody needs,
//! and it would cost as much as the product itself. The product is that of the packed weights, as it is
//! when callers are read: it is faster, and what is learned is learned for those.

use std::sync::Arc;

use candle_core::quantized::{QMatMul, QTensor};
use candle_core::{CpuStorage, CustomOp1, Layout, Module, Result, Shape, Tensor, bail};

use super::packed::{Packed, Rows};

/// A fixed matrix of (outputs, inputs).
pub(super) enum Frozen {
    /// The product is to be exact, or is computed elsewhere.
    Dense(Tensor),
    /// As callers are read; the plain numbers are for gradients.
    Packed(Tensor, Arc<Packed>),
    /// As the file has it, for reading on a device. Without gradients.
    Quantised(QMatMul, (usize, usize)),
}

/// How fixed matrices are multiplied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Products {
    /// With packed weights, as callers are read; on other devices than the processor, exactly.
    Packed,
    /// Exactly, to compare with other programs.
    Exact,
    /// With the file's own quantised weights, to read on a device.
    Quantised,
}

impl Frozen {
    pub(super) fn new(weight: Tensor, products: Products) -> Result<Self> {
        if products == Products::Packed && weight.device().is_cpu() {
            let packed = Arc::new(Packed::new(&weight)?);
            return Ok(Self::Packed(weight, packed));
        }
        Ok(Self::Dense(weight))
    }

    pub(super) fn quantised(weight: QTensor) -> Result<Self> {
        let dims = weight.shape().dims2()?;
        Ok(Self::Quantised(QMatMul::from_qtensor(weight)?, dims))
    }

    /// Outputs and inputs.
    pub(super) fn dims(&self) -> Result<(usize, usize)> {
        match self {
            Self::Dense(weight) | Self::Packed(weight, _) => weight.dims2(),
            Self::Quantised(_, dims) => Ok(*dims),
        }
    }

    /// The product for the last dimension of the input.
    pub(super) fn forward(&self, input: &Tensor) -> Result<Tensor> {
        let mut shape = input.dims().to_vec();
        let Some(width) = shape.pop() else { bail!("a number has no rows") };
        shape.push(self.dims()?.0);
        let rows = input.reshape(((), width))?;
        let product = match self {
            Self::Packed(weight, packed) => {
                let (weight, packed) = (weight.clone(), Arc::clone(packed));
                rows.apply_op1(Product { weight, packed })?
            }
            Self::Dense(weight) => rows.matmul(&weight.t()?)?,
            Self::Quantised(weight, _) => weight.forward(&rows)?,
        };
        product.reshape(shape)
    }
}

struct Product {
    weight: Tensor,
    packed: Arc<Packed>,
}

impl CustomOp1 for Product {
    fn name(&self) -> &'static str {
        "product with a fixed matrix"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let CpuStorage::F32(values) = storage else { bail!("only 32-bit floats are multiplied") };
        let Some((from, to)) = layout.contiguous_offsets() else { bail!("the rows have gaps") };
        let (outputs, inputs) = self.packed.dims();
        let (rows, width) = layout.shape().dims2()?;
        if width != inputs {
            bail!("rows of {width} do not fit a matrix of {inputs} inputs");
        }
        let product = self.packed.product(&Rows::new(&values[from..to], inputs));
        Ok((CpuStorage::F32(product), Shape::from((rows, outputs))))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        gradient.contiguous()?.matmul(&self.weight).map(Some)
    }
}
