//! What goes wrong in this crate.

use std::path::{Path, PathBuf};

/// Why a model cannot be used. Texts name files, sizes and limits, never what was said.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A model was not fetched, or its files are not what they must be.
    #[error(transparent)]
    Model(#[from] sayso_models::Error),
    /// The processor is older than what whisper.cpp is built for.
    #[error(
        "the recogniser needs a processor with {0} (x86-64 of 2013 or later); use another machine, or a recogniser over the network"
    )]
    Cpu(&'static str),
    /// A model file is missing or cannot be read.
    #[error("cannot read the model file {}: {source}; fetch the models again with `sayso models fetch`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A model file holds something else than it should.
    #[error("the model file {} is damaged: {reason}; fetch the models again with `sayso models fetch`", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A model broke off while it ran.
    #[error("inference failed: {0}")]
    Inference(String),
    /// More text than is spoken at once.
    #[error("the text has {chars} characters; the voice takes at most {max}, split it")]
    TextTooLong {
        /// Characters given.
        chars: usize,
        /// Characters taken.
        max: usize,
    },
    /// A speed at which nobody could understand a word.
    #[error("a speaking speed of {0} is not between 0.5 and 2")]
    Speed(f32),
}

impl Error {
    pub(crate) fn unreadable(path: &Path, source: std::io::Error) -> Self {
        Self::Unreadable { path: path.to_owned(), source }
    }

    pub(crate) fn damaged(path: &Path, reason: impl ToString) -> Self {
        Self::Damaged { path: path.to_owned(), reason: reason.to_string() }
    }
}

impl From<Error> for sayso_provider::Error {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match error {
            Error::TextTooLong { .. } => Self::TooLarge(text),
            Error::Speed(_) => Self::Rejected(text),
            Error::Model(_)
            | Error::Cpu(_)
            | Error::Unreadable { .. }
            | Error::Damaged { .. }
            | Error::Inference(_) => Self::Failed(text),
        }
    }
}
