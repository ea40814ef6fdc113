//! A matrix that is not trained, through which gradients pass.
//!
//! candle computes the gradients of both factors of a product. That of a fixed matrix nobody needs,
//! and it would cost as much as the product itself.

use candle_core::{CpuStorage, CustomOp1, Device, Layout, Result, Shape, Tensor, bail};

/// A fixed matrix of (outputs, inputs).
pub(super) struct Frozen {
    weight: Tensor,
    transposed: Tensor,
}

impl Frozen {
    pub(super) fn new(weight: Tensor) -> Self {
        // A transposition is a view, and cannot fail for a matrix.
        let transposed = weight.t().unwrap_or_else(|_| weight.clone());
        Self { weight, transposed }
    }

    /// Some of the rows.
    pub(super) fn rows(&self, numbers: &Tensor) -> Result<Self> {
        Ok(Self::new(self.weight.index_select(numbers, 0)?))
    }

    /// Outputs and inputs.
    pub(super) fn dims(&self) -> Result<(usize, usize)> {
        self.weight.dims2()
    }

    /// The product for the last dimension of the input.
    pub(super) fn forward(&self, input: &Tensor) -> Result<Tensor> {
        let mut shape = input.dims().to_vec();
        let Some(width) = shape.pop() else { bail!("a number has no rows") };
        shape.push(self.weight.dim(0)?);
        let rows = input.reshape(((), width))?;
        let product = if rows.device().is_cpu() {
            rows.apply_op1(Product {
                weight: self.weight.clone(),
                transposed: self.transposed.clone(),
            })?
        } else {
            rows.matmul(&self.transposed)?
        };
        product.reshape(shape)
    }
}

struct Product {
    weight: Tensor,
    transposed: Tensor,
}

impl CustomOp1 for Product {
    fn name(&self) -> &'static str {
        "product with a fixed matrix"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let CpuStorage::F32(values) = storage else { bail!("only 32-bit floats are multiplied") };
        let Some((from, to)) = layout.contiguous_offsets() else { bail!("the rows have gaps") };
        let rows = Tensor::from_slice(&values[from..to], layout.shape(), &Device::Cpu)?;
        let product = rows.matmul(&self.transposed)?;
        let shape = product.shape().clone();
        Ok((CpuStorage::F32(product.flatten_all()?.to_vec1()?), shape))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        gradient.contiguous()?.matmul(&self.weight).map(Some)
    }
}
