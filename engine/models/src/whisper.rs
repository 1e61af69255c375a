//! Whisper: from a CTranslate2 model to the file that whisper.cpp loads.
//!
//! ```text
//! model.bin (CTranslate2, float16) ─▶ ct2 ─┐ shapes ─▶ layout ─▶ header, tensors (q8_0, f16, f32) ─┐
//! tokenizer.json (byte-level BPE) ─▶ vocabulary ──────────────▶ tokens ────────────────────────────┼▶ ggml
//!                                          └ mel bins ─▶ mel ─▶ filter bank ───────────────────────┘
//! ```
//!
//! Tensors are read, converted and written a block at a time: the conversion holds about one megabyte.

mod ct2;
mod ggml;
mod layout;
mod mel;
mod q8;
mod vocabulary;

use std::io::{self, Read, Seek, Write};

use self::ct2::Ct2;
use self::layout::Layout;
use self::vocabulary::Vocabulary;
use crate::Progress;

/// Why a Whisper model cannot be converted.
#[derive(Debug, thiserror::Error)]
pub enum WhisperError {
    /// The model file ends in the middle.
    #[error("model.bin ends too early")]
    Truncated,
    /// The model file is not a CTranslate2 Whisper model of a version that is understood.
    #[error("model.bin is not a CTranslate2 Whisper model: {0}")]
    Format(&'static str),
    /// A tensor is missing, or has an unexpected shape or type.
    #[error("tensor {name} {reason}")]
    Tensor {
        /// The tensor.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The tokenizer is not a byte-level BPE tokenizer without gaps.
    #[error("tokenizer.json: {0}")]
    Tokenizer(String),
    /// Reading the model failed.
    #[error("model.bin cannot be read: {0}")]
    Read(io::Error),
    /// Writing the result failed.
    #[error("the result cannot be written: {0}")]
    Write(io::Error),
}

impl WhisperError {
    fn tensor(name: &str, reason: &'static str) -> Self {
        Self::Tensor { name: name.to_owned(), reason }
    }
}

/// Converts the CTranslate2 Whisper model in `model` with its `tokenizer` (the text of `tokenizer.json`) to a ggml file
/// with 8-bit matrices (q8_0), written to `out`. Progress counts bytes of `model`.
pub(crate) fn convert(
    model: impl Read + Seek,
    tokenizer: &str,
    out: &mut impl Write,
    progress: &mut dyn Progress,
) -> Result<(), WhisperError> {
    let mut model = Ct2::parse(model)?;
    let vocabulary = Vocabulary::parse(tokenizer)?;
    let layout = Layout::of(&model)?;
    ggml::write_header(out, &layout.dimensions).map_err(WhisperError::Write)?;
    ggml::write_filters(out, &mel::filter_bank(layout.dimensions.mels), mel::BINS).map_err(WhisperError::Write)?;
    ggml::write_tokens(out, &vocabulary.tokens).map_err(WhisperError::Write)?;
    let mut bytes = 0;
    for tensor in &layout.tensors {
        bytes += ggml::write_tensor(out, tensor, &mut model)?;
        progress.reach(bytes);
    }
    Ok(())
}
