//! Where a reader's model computes: on the processor, with packed weights, or on a device.

use candle_core::{Device, Result};

use super::adapter::Adapter;
use super::decoder::{Added, Decoder, Turn};
use super::device::DeviceDecoder;
use super::gguf::Shape;

/// Where it computes.
#[derive(Debug, Clone, Default)]
pub enum Place {
    /// The processor.
    #[default]
    Processor,
    /// A device, a GPU as a rule.
    Device(Device),
}

impl Place {
    /// The first GPU.
    ///
    /// # Errors
    /// There is none, or the program was built without the feature `cuda`.
    pub fn gpu() -> Result<Self> {
        Device::new_cuda(0).map(Self::Device)
    }

    /// The processor in the place of a device: the same operations, for tests where there is no GPU.
    pub const fn stand_in() -> Self {
        Self::Device(Device::Cpu)
    }
}

/// The decoder.
pub(super) enum Body {
    Packed(Decoder),
    Device(Box<DeviceDecoder>),
}

/// An adapter in the form that the decoder adds.
pub(super) enum Fitted {
    Packed(Added),
    Device(Adapter),
}

impl Body {
    pub(super) const fn shape(&self) -> &Shape {
        match self {
            Self::Packed(decoder) => decoder.shape(),
            Self::Device(decoder) => decoder.shape(),
        }
    }

    pub(super) fn fit(&self, adapter: &Adapter) -> Result<Fitted> {
        match self {
            Self::Packed(decoder) => {
                Added::new(adapter, decoder.shape().layers).map(Fitted::Packed)
            }
            Self::Device(decoder) => decoder.bring(adapter).map(Fitted::Device),
        }
    }

    /// Reads what is new in some calls; returns the state after each.
    pub(super) fn forward(
        &self,
        turns: &mut [Turn<'_>],
        fitted: Option<&Fitted>,
    ) -> Result<Vec<Vec<f32>>> {
        match (self, fitted) {
            (Self::Packed(decoder), Some(Fitted::Packed(added))) => {
                decoder.forward(turns, Some(added))
            }
            (Self::Packed(decoder), _) => decoder.forward(turns, None),
            (Self::Device(decoder), Some(Fitted::Device(adapter))) => {
                decoder.forward(turns, Some(adapter))
            }
            (Self::Device(decoder), _) => decoder.forward(turns, None),
        }
    }

    /// How likely tokens are after a state, as logits.
    pub(super) fn logits(&self, state: &[f32], tokens: &[u32]) -> Result<Vec<f32>> {
        match self {
            Self::Packed(decoder) => Ok(decoder.logits(state, tokens)),
            Self::Device(decoder) => decoder.logits(state, tokens),
        }
    }
}
