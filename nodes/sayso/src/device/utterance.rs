//! [`Utterance`]: something that the person at the device says or shows.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sayso_types::{Pcm, Picture, PictureFormat};

/// Something that the person says, types or shows.
pub(super) enum Utterance {
    Recording {
        /// The name of its file.
        title: String,
        sound: Pcm,
    },
    Text(String),
    Picture {
        /// The name of its file.
        title: String,
        picture: Picture,
        /// What is asked about it; empty for what it shows.
        question: String,
    },
}

impl Utterance {
    /// The recordings in these files, then these texts, then these pictures.
    pub(super) fn all(recordings: &[PathBuf], texts: &[String], pictures: &[String]) -> Result<Vec<Self>> {
        let recordings = recordings.iter().map(|file| {
            let title = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            Ok(Self::Recording { title, sound: sayso_device::wav::read(file)? })
        });
        let texts = texts.iter().map(|text| Ok(Self::Text(text.clone())));
        recordings.chain(texts).chain(pictures.iter().map(|picture| Self::picture(picture))).collect()
    }

    /// The picture in a file, with what is asked about it behind an equals sign.
    fn picture(argument: &str) -> Result<Self> {
        let (file, question) = argument.split_once('=').unwrap_or((argument, ""));
        let file = Path::new(file);
        let bytes = fs::read(file).with_context(|| format!("cannot read the picture {}", file.display()))?;
        let Some(format) = PictureFormat::of(&bytes) else {
            bail!("{} is neither a JPEG nor a PNG file", file.display());
        };
        let picture = Picture::new(format, bytes.into()).with_context(|| file.display().to_string())?;
        let title = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self::Picture { title, picture, question: question.to_owned() })
    }
}
