//! Recordings: stereo WAV, the caller left, the agent right, one frame of each every 20 ms.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use hound::{SampleFormat, WavSpec, WavWriter};

/// A recording cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("the recording cannot be written: {0}")]
pub struct RecordingError(#[from] hound::Error);

/// A recording being written.
pub struct Recording {
    writer: WavWriter<BufWriter<File>>,
    path: PathBuf,
}

impl Recording {
    /// Begins a recording at the given rate, Hz.
    pub fn begin(path: &Path, rate: u32) -> Result<Self, RecordingError> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(hound::Error::IoError)?;
        }
        let spec = WavSpec {
            channels: 2,
            sample_rate: rate,
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        Ok(Self { writer: WavWriter::create(path, spec)?, path: path.to_owned() })
    }

    /// Writes the same stretch of time of both sides.
    pub fn write(&mut self, caller: &[i16], agent: &[i16]) -> Result<(), RecordingError> {
        for (left, right) in caller.iter().zip(agent) {
            self.writer.write_sample(*left)?;
            self.writer.write_sample(*right)?;
        }
        Ok(())
    }

    /// Writes what the file's head says to disk, so that a crash leaves a readable file.
    pub fn flush(&mut self) -> Result<(), RecordingError> {
        Ok(self.writer.flush()?)
    }

    /// Ends the recording.
    pub fn finish(self) -> Result<PathBuf, RecordingError> {
        self.writer.finalize()?;
        Ok(self.path)
    }
}
