//! [`Utterance`]: something that the person at the device says.

use std::path::PathBuf;

use anyhow::Result;
use sayso_types::Pcm;

/// Something that the person says, or types.
pub(super) enum Utterance {
    Recording {
        /// The name of its file.
        title: String,
        sound: Pcm,
    },
    Text(String),
}

impl Utterance {
    /// The recordings in these files, then these texts.
    pub(super) fn all(recordings: &[PathBuf], texts: &[String]) -> Result<Vec<Self>> {
        let recordings = recordings.iter().map(|file| {
            let title = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            Ok(Self::Recording { title, sound: sayso_device::wav::read(file)? })
        });
        recordings.chain(texts.iter().map(|text| Ok(Self::Text(text.clone())))).collect()
    }
}
