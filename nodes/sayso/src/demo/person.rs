//! The person in front of the device: recordings of people, and for what no recording says, a voice.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sayso_models::{Model, ModelsDir};
use sayso_provider_local::Voice;
use sayso_types::{Pcm, SampleRate};

/// Where Debian's pocketsphinx-testdata keeps its recordings of people.
const RECORDINGS: &str = "/usr/share/pocketsphinx/test/data";

/// Something the person says.
pub(crate) struct Line {
    /// What it is, for the view.
    pub(crate) title: String,
    pub(crate) sound: Pcm,
}

/// Whoever speaks to the device.
pub(crate) struct Person {
    voice: Voice,
    recordings: Vec<PathBuf>,
}

impl Person {
    /// With the recordings given, or those of the Debian package.
    pub(crate) fn new(recordings: &[PathBuf]) -> Result<Self> {
        let voice = Voice::load(&ModelsDir::from_env()?.path(Model::Hibari)?)?;
        if !recordings.is_empty() {
            return Ok(Self { voice, recordings: recordings.to_vec() });
        }
        let dir = Path::new(RECORDINGS);
        if !dir.is_dir() {
            bail!("no recordings to play: apt-get install pocketsphinx-testdata, or give some with --wav FILE");
        }
        let recordings = ["goforward.raw", "librivox/sense_and_sensibility_01_austen_64kb-0880.wav"]
            .map(|file| dir.join(file))
            .into();
        Ok(Self { voice, recordings })
    }

    /// The recordings, in order.
    pub(crate) fn recordings(&self) -> Result<Vec<Line>> {
        self.recordings.iter().map(|file| read(file)).collect()
    }

    /// The longest recording there is: something to be interrupted in.
    pub(crate) fn monologue(&self) -> Result<Line> {
        let packaged = Path::new(RECORDINGS).join("librivox/sense_and_sensibility_01_austen_64kb-0870.wav");
        if packaged.exists() {
            return read(&packaged);
        }
        let longest = self.recordings()?.into_iter().max_by_key(|line| line.sound.ms());
        longest.context("there is no recording")
    }

    /// What no recording says, spoken by the engine's own voice in the person's place.
    pub(crate) fn says(&self, text: &str) -> Result<Line> {
        Ok(Line { title: format!("\"{text}\" (synthetic)"), sound: self.voice.speak(text, 1.0)? })
    }
}

fn read(file: &Path) -> Result<Line> {
    let title = file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let sound =
        if file.extension().is_some_and(|e| e == "raw") { read_raw(file)? } else { sayso_device::wav::read(file)? };
    Ok(Line { title: format!("{title} (recording)"), sound })
}

/// The package's raw files: 16 kHz, mono, signed 16 bit, little-endian.
fn read_raw(file: &Path) -> Result<Pcm> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let samples = bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect();
    Ok(Pcm::new(SampleRate::HZ_16K, samples))
}
