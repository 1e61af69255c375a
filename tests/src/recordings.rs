//! Recordings of people: those of the Debian package pocketsphinx-testdata.

use std::path::Path;

use sayso_types::Pcm;

const DIR: &str = "/usr/share/pocketsphinx/test/data/librivox";

/// Three seconds of a novel.
pub const SHORT: &str = "sense_and_sensibility_01_austen_64kb-0880.wav";
/// Seven seconds of the same: long enough to be interrupted in.
pub const LONG: &str = "sense_and_sensibility_01_austen_64kb-0870.wav";

/// The path of a recording.
///
/// # Panics
/// When the package is not installed; the message says how to.
#[must_use]
pub fn path(recording: &str) -> String {
    let path = format!("{DIR}/{recording}");
    let is_there = Path::new(&path).is_file();
    assert!(is_there, "{path} is missing: apt-get install -y --no-install-recommends pocketsphinx-testdata");
    path
}

/// A recording as sound.
///
/// # Panics
/// As [`path`].
#[must_use]
pub fn sound(recording: &str) -> Pcm {
    sayso_device::wav::read(Path::new(&path(recording))).expect("the package's recordings are WAV files")
}
