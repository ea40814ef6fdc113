//! Adapters (LoRA): what was learned, beside weights that stay as they are.

use candle_core::{Result, Tensor};

/// Which matrix of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Queries.
    Query,
    /// Keys.
    Key,
    /// Values.
    Value,
    /// Behind attention.
    Output,
    /// Gate of the feed-forward part.
    Gate,
    /// Into the feed-forward part.
    Up,
    /// Out of it.
    Down,
}

impl Part {
    /// All of them, in order.
    pub const ALL: [Self; 7] =
        [Self::Query, Self::Key, Self::Value, Self::Output, Self::Gate, Self::Up, Self::Down];

    /// Its name in a GGUF file, after the layer's.
    pub(super) const fn name_in_gguf(self) -> &'static str {
        match self {
            Self::Query => "attn_q",
            Self::Key => "attn_k",
            Self::Value => "attn_v",
            Self::Output => "attn_output",
            Self::Gate => "ffn_gate",
            Self::Up => "ffn_up",
            Self::Down => "ffn_down",
        }
    }

    /// Its name in the files of PEFT, after the layer's.
    pub const fn name_in_peft(self) -> &'static str {
        match self {
            Self::Query => "self_attn.q_proj",
            Self::Key => "self_attn.k_proj",
            Self::Value => "self_attn.v_proj",
            Self::Output => "self_attn.o_proj",
            Self::Gate => "mlp.gate_proj",
            Self::Up => "mlp.up_proj",
            Self::Down => "mlp.down_proj",
        }
    }
}

/// Two thin matrices whose product, scaled, is added to a fixed one.
#[derive(Debug, Clone)]
pub struct Lora {
    /// (rank, inputs).
    pub a: Tensor,
    /// (outputs, rank).
    pub b: Tensor,
    /// What the product is multiplied with: alpha over rank.
    pub scale: f64,
}

impl Lora {
    /// What is added for the last dimension of the input.
    pub(super) fn forward(&self, input: &Tensor) -> Result<Tensor> {
        let mut shape = input.dims().to_vec();
        let width = shape.pop().unwrap_or_default();
        shape.push(self.b.dim(0)?);
        let thin = input.reshape(((), width))?.matmul(&self.a.t()?)?;
        (thin.matmul(&self.b.t()?)? * self.scale)?.reshape(shape)
    }
}

/// An adapter: for each layer, what is added to its parts.
#[derive(Debug, Clone, Default)]
pub struct Adapter {
    layers: Vec<[Option<Lora>; 7]>,
}

impl Adapter {
    /// What is added to a part.
    pub fn get(&self, layer: usize, part: Part) -> Option<&Lora> {
        self.layers.get(layer)?[part as usize].as_ref()
    }

    /// Adds to a part.
    pub fn set(&mut self, layer: usize, part: Part, lora: Lora) {
        if self.layers.len() <= layer {
            self.layers.resize(layer + 1, [const { None }; 7]);
        }
        self.layers[layer][part as usize] = Some(lora);
    }

    /// All that is added, in order of layers and parts.
    pub fn all(&self) -> impl Iterator<Item = (usize, Part, &Lora)> {
        self.layers.iter().enumerate().flat_map(|(layer, parts)| {
            let parts = Part::ALL.into_iter().zip(parts);
            parts.filter_map(move |(part, lora)| Some((layer, part, lora.as_ref()?)))
        })
    }
}
