//! [`Utterance`]: something that the person at the device says.

use std::path::PathBuf;

use anyhow::Result;
use sayso_types::Pcm;

/// Something that the person says, or types.
pub(super) enum Utterance {
    Recording { file: PathBuf, sound: Pcm },
    Text(String),
}

impl Utterance {
    /// The recordings in these files, then these texts.
    pub(super) fn all(recordings: &[PathBuf], texts: &[String]) -> Result<Vec<Self>> {
        let recordings = recordings.iter().map(|file| {
            let sound = sayso_device::wav::read(file)?;
            Ok(Self::Recording { file: file.clone(), sound })
        });
        recordings.chain(texts.iter().map(|text| Ok(Self::Text(text.clone())))).collect()
    }
}
