//! Reads CTranslate2's `model.bin`. Every length is checked against what is left of the file.

use std::collections::HashMap;

use half::f16;

use crate::SpeechError;

/// More layers than any Whisper model has.
const LAYERS_MAX: usize = 256;

/// One named array, as floating point.
pub(super) struct Variable {
    pub(super) dimensions: Vec<usize>,
    pub(super) values: Vec<f32>,
}

/// All arrays of a model, aliases resolved.
pub(super) struct Variables {
    by_name: HashMap<String, Variable>,
    aliases: HashMap<String, String>,
}

impl Variables {
    pub(super) fn parse(file: &[u8]) -> Result<Self, SpeechError> {
        let mut reader = Reader { rest: file };
        let version = reader.u32()?;
        if !(3..=6).contains(&version) {
            return Err(SpeechError::Weights(format!("binary version {version} is not known")));
        }
        let spec = reader.string()?;
        if spec != "WhisperSpec" {
            return Err(SpeechError::Weights(format!("this is a {spec}, not Whisper")));
        }
        reader.u32()?;
        let mut by_name = HashMap::new();
        for _ in 0..reader.u32()? {
            let name = reader.string()?;
            if let Some(variable) = reader.variable(&name)? {
                by_name.insert(name, variable);
            }
        }
        let mut aliases = HashMap::new();
        for _ in 0..reader.u32()? {
            aliases.insert(reader.string()?, reader.string()?);
        }
        Ok(Self { by_name, aliases })
    }

    pub(super) fn get(&self, name: &str) -> Result<&Variable, SpeechError> {
        let target = self.aliases.get(name).map_or(name, String::as_str);
        self.by_name.get(target).ok_or_else(|| SpeechError::Weights(format!("{name} is missing")))
    }

    /// How many layers the encoder or decoder has.
    pub(super) fn layers(&self, part: &str) -> usize {
        let known = |name: &str| self.by_name.contains_key(name) || self.aliases.contains_key(name);
        (0..LAYERS_MAX)
            .take_while(|layer| known(&format!("{part}/layer_{layer}/ffn/linear_0/weight")))
            .count()
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], SpeechError> {
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or_else(|| SpeechError::Weights("the file ends too early".into()))?;
        self.rest = rest;
        Ok(taken)
    }

    fn u16(&mut self) -> Result<usize, SpeechError> {
        let bytes = self.take(2)?;
        Ok(usize::from(u16::from_le_bytes([bytes[0], bytes[1]])))
    }

    fn u32(&mut self) -> Result<u32, SpeechError> {
        let bytes = self.take(4)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    fn string(&mut self) -> Result<String, SpeechError> {
        let length = self.u16()?;
        let bytes = self.take(length)?;
        Ok(String::from_utf8_lossy(bytes.strip_suffix(&[0]).unwrap_or(bytes)).into_owned())
    }

    /// Integer arrays hold settings, not weights, and are skipped; quantised weights are refused.
    fn variable(&mut self, name: &str) -> Result<Option<Variable>, SpeechError> {
        let rank = usize::from(self.take(1)?[0]);
        let mut dimensions = Vec::with_capacity(rank);
        for _ in 0..rank {
            dimensions.push(self.u32()? as usize);
        }
        let kind = self.take(1)?[0];
        let length = self.u32()? as usize;
        let data = self.take(length)?;
        let values: Vec<f32> = match kind {
            0 => data.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
            4 => {
                data.as_chunks().0.iter().map(|bytes| f16::from_le_bytes(*bytes).to_f32()).collect()
            }
            _ if name.ends_with("/weight") => {
                return Err(SpeechError::Weights(format!("{name} is quantised; take f16 weights")));
            }
            _ => return Ok(None),
        };
        if values.len() != dimensions.iter().product::<usize>() {
            return Err(SpeechError::Weights(format!("{name} has another size than it says")));
        }
        Ok(Some(Variable { dimensions, values }))
    }
}
