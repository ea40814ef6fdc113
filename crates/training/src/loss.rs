//! The loss and its gradient in one go: candle would compute a dozen tensors of the size of the logits.

use candle_core::{CpuStorage, CustomOp1, DType, Device, Layout, Result, Shape, Tensor, bail};
use candle_nn::loss::cross_entropy;

/// Mean cross-entropy of rows of logits, nats. `targets` are the right columns.
///
/// # Errors
/// The computation failed.
pub(crate) fn mean_loss(logits: &Tensor, targets: &[u32]) -> Result<Tensor> {
    if !logits.device().is_cpu() {
        return cross_entropy(logits, &Tensor::new(targets, logits.device())?);
    }
    logits.apply_op1(CrossEntropy { targets: targets.to_vec() })
}

struct CrossEntropy {
    targets: Vec<u32>,
}

/// The rows with their targets, and for each row its maximum and the sum of its exponentials.
fn rows<'a>(
    values: &'a [f32],
    targets: &'a [u32],
) -> impl Iterator<Item = (&'a [f32], usize, f32, f32)> {
    let width = values.len() / targets.len().max(1);
    values.chunks(width.max(1)).zip(targets).map(|(row, target)| {
        let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum = row.iter().map(|value| (value - most).exp()).sum();
        (row, *target as usize, most, sum)
    })
}

impl CustomOp1 for CrossEntropy {
    fn name(&self) -> &'static str {
        "cross-entropy"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let CpuStorage::F32(values) = storage else { bail!("only 32-bit floats are learned from") };
        let Some((from, to)) = layout.contiguous_offsets() else { bail!("the logits have gaps") };
        let losses = rows(&values[from..to], &self.targets)
            .map(|(row, target, most, sum)| f64::from(sum.ln() + most - row[target]));
        let mean = losses.sum::<f64>() / self.targets.len().max(1) as f64;
        Ok((CpuStorage::F32(vec![mean as f32]), Shape::from(())))
    }

    fn bwd(&self, logits: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let values = logits.flatten_all()?.to_vec1::<f32>()?;
        let share = gradient.to_dtype(DType::F32)?.to_scalar::<f32>()?;
        let share = share / self.targets.len().max(1) as f32;
        let mut gradients = Vec::with_capacity(values.len());
        for (row, target, most, sum) in rows(&values, &self.targets) {
            let begins = gradients.len();
            gradients.extend(row.iter().map(|value| (value - most).exp() / sum * share));
            gradients[begins + target] -= share;
        }
        Tensor::from_vec(gradients, logits.shape(), &Device::Cpu).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Var;

    use super::*;

    #[test]
    fn loss_and_gradient_are_those_of_candle() {
        let values = [0.3_f32, -1.2, 2.0, 0.1, 0.0, 0.7, -0.4, 1.1];
        let targets = [2_u32, 1];
        let logits = || {
            let tensor = Tensor::from_slice(&values, (2, 4), &Device::Cpu).expect("a tensor");
            Var::from_tensor(&tensor).expect("a variable")
        };
        let (ours, theirs) = (logits(), logits());
        let our_loss = mean_loss(&ours, &targets).expect("a loss");
        let column = Tensor::new(&targets, &Device::Cpu).expect("targets");
        let their_loss = cross_entropy(&theirs, &column).expect("a loss");
        let number = |tensor: &Tensor| tensor.to_scalar::<f32>().expect("a number");
        assert!((number(&our_loss) - number(&their_loss)).abs() < 1e-6);
        let gradient = |loss: &Tensor, of: &Var| -> Vec<f32> {
            let gradients = loss.backward().expect("gradients");
            let gradient = gradients.get(of).expect("one of them");
            gradient.flatten_all().and_then(|flat| flat.to_vec1()).expect("numbers")
        };
        let pairs = gradient(&our_loss, &ours).into_iter().zip(gradient(&their_loss, &theirs));
        for (our, their) in pairs {
            assert!((our - their).abs() < 1e-6, "{our} {their}");
        }
    }
}
