//! WAV files as sound.

use std::path::Path;

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};
use sayso_types::{Pcm, SampleRate};

use crate::Error;

/// Reads a WAV file of any rate, sample format and number of channels; channels are mixed to one.
///
/// # Errors
/// [`Error::Wav`] names the file and what is wrong with it.
pub fn read(path: &Path) -> Result<Pcm, Error> {
    decode(path).map_err(|source| Error::Wav { path: path.to_owned(), source })
}

/// Writes `sound` as a WAV file of 16 bits, replacing what is there.
///
/// # Errors
/// [`Error::Wav`] names the file and what is wrong with it.
pub fn write(path: &Path, sound: &Pcm) -> Result<(), Error> {
    encode(path, sound).map_err(|source| Error::Wav { path: path.to_owned(), source })
}

fn decode(path: &Path) -> Result<Pcm, hound::Error> {
    let mut file = WavReader::open(path)?;
    let WavSpec { channels, sample_rate, bits_per_sample, sample_format } = file.spec();
    let samples = match sample_format {
        SampleFormat::Float => file.samples::<f32>().collect::<Result<_, _>>()?,
        SampleFormat::Int => {
            let full_scale = (1_u64 << (bits_per_sample - 1)) as f32;
            file.samples::<i32>().map(|s| s.map(|s| s as f32 / full_scale)).collect::<Result<Vec<_>, _>>()?
        }
    };
    let mix = |frame: &[f32]| to_i16(frame.iter().sum::<f32>() / frame.len() as f32);
    let mono = samples.chunks_exact(usize::from(channels)).map(mix).collect();
    Ok(Pcm::new(SampleRate(sample_rate), mono))
}

fn to_i16(sample: f32) -> i16 {
    // the cast saturates, so that full scale stays full scale
    (sample * 32_768.0).round() as i16
}

fn encode(path: &Path, sound: &Pcm) -> Result<(), hound::Error> {
    let spec =
        WavSpec { channels: 1, sample_rate: sound.rate.0, bits_per_sample: 16, sample_format: SampleFormat::Int };
    let mut file = WavWriter::create(path, spec)?;
    for &sample in &sound.samples {
        file.write_sample(sample)?;
    }
    file.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.wav");
        let sound = Pcm::new(SampleRate::HZ_24K, vec![0, 1, -1, i16::MAX, i16::MIN, 1234]);
        write(&path, &sound).unwrap();
        assert_eq!(read(&path).unwrap(), sound);
    }

    #[test]
    fn channels_and_formats_become_mono_16_bit() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("b.wav");
        for (bits_per_sample, sample_format) in
            [(8, SampleFormat::Int), (24, SampleFormat::Int), (32, SampleFormat::Float)]
        {
            let spec = WavSpec { channels: 2, sample_rate: 44_100, bits_per_sample, sample_format };
            let mut file = WavWriter::create(&path, spec).unwrap();
            for share in [0.5_f32, 0.25, -1.0, -1.0] {
                match sample_format {
                    SampleFormat::Float => file.write_sample(share).unwrap(),
                    SampleFormat::Int => {
                        file.write_sample((share * (1_u32 << (bits_per_sample - 1)) as f32) as i32).unwrap();
                    }
                }
            }
            file.finalize().unwrap();
            let sound = read(&path).unwrap();
            assert_eq!(sound.rate, SampleRate(44_100));
            assert_eq!(sound.samples, [12_288, i16::MIN], "{bits_per_sample} bits");
        }
    }

    #[test]
    fn a_bad_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("c.wav");
        assert!(read(&path).unwrap_err().to_string().contains("c.wav"));
        std::fs::write(&path, b"RIFF, but not really").unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("c.wav"));
    }
}
