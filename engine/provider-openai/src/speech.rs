//! [`Decoder`]: samples out of a body that comes in pieces cut anywhere.

use sayso_provider::Error;
use sayso_types::{Pcm, SampleRate};

use crate::wav;

/// The rate of speech that comes as bare samples, by the API's definition.
const BARE_RATE: SampleRate = SampleRate::HZ_24K;
/// The most speech that one text gives: ten minutes at the highest rate, far beyond a few sentences.
const BYTES_MAX: u64 = 2 * 48_000 * 600;

/// Decodes little-endian 16-bit samples, bare or in a WAV file.
#[derive(Debug)]
pub(crate) struct Decoder {
    state: State,
    /// The first byte of a sample whose second has not come in.
    half: Option<u8>,
    bytes: u64,
}

#[derive(Debug)]
enum State {
    /// The WAV header as far as it has come in.
    Header(Vec<u8>),
    /// Samples; so many bytes of them are still to come, if that is known.
    Samples { rate: SampleRate, left: Option<u64> },
}

impl Decoder {
    /// For a body of bare samples.
    pub(crate) const fn bare() -> Self {
        Self { state: State::Samples { rate: BARE_RATE, left: None }, half: None, bytes: 0 }
    }

    /// For a WAV file.
    pub(crate) const fn wav() -> Self {
        Self { state: State::Header(Vec::new()), half: None, bytes: 0 }
    }

    /// Takes the next piece of the body; `None` when it does not complete a sample.
    ///
    /// # Errors
    /// [`Error::Malformed`] when it is not what it should be or does not end.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<Option<Pcm>, Error> {
        match &mut self.state {
            State::Samples { .. } => self.samples(bytes),
            State::Header(header) => {
                header.extend_from_slice(bytes);
                let Some(parsed) = wav::parse(header).map_err(|what| Error::Malformed(what.to_owned()))? else {
                    return Ok(None);
                };
                let rest = header.split_off(parsed.len);
                self.state = State::Samples { rate: parsed.rate, left: parsed.data_bytes };
                self.samples(&rest)
            }
        }
    }

    /// Says whether the body may end here.
    ///
    /// # Errors
    /// [`Error::Incomplete`] when something is missing.
    pub(crate) fn finish(&self) -> Result<(), Error> {
        let missing = match &self.state {
            State::Header(_) => "the WAV header did not end",
            State::Samples { left: Some(1..), .. } => "fewer samples than announced",
            State::Samples { .. } if self.half.is_some() => "half a sample",
            State::Samples { .. } if self.bytes == 0 => "no speech",
            State::Samples { .. } => return Ok(()),
        };
        Err(Error::Incomplete(missing.to_owned()))
    }

    fn samples(&mut self, bytes: &[u8]) -> Result<Option<Pcm>, Error> {
        let State::Samples { rate, left } = &mut self.state else {
            return Ok(None);
        };
        // what follows the samples in a WAV file is not sound
        let wanted = left.map_or(bytes.len(), |left| usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len()));
        let bytes = &bytes[..wanted];
        if let Some(left) = left {
            *left -= wanted as u64;
        }
        self.bytes += wanted as u64;
        if self.bytes > BYTES_MAX {
            metrics::counter!("sayso_provider_openai_limits_total", "limit" => "speech").increment(1);
            return Err(Error::Malformed(format!("speech of more than {BYTES_MAX} bytes")));
        }
        let mut whole = self.half.take().into_iter().chain(bytes.iter().copied());
        let mut samples = Vec::with_capacity(bytes.len() / 2 + 1);
        while let Some(low) = whole.next() {
            match whole.next() {
                Some(high) => samples.push(i16::from_le_bytes([low, high])),
                None => self.half = Some(low),
            }
        }
        Ok((!samples.is_empty()).then(|| Pcm::new(*rate, samples)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode<'a>(mut decoder: Decoder, pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<Pcm, Error> {
        let mut all = Pcm::new(SampleRate(0), Vec::new());
        for piece in pieces {
            if let Some(pcm) = decoder.push(piece)? {
                all.rate = pcm.rate;
                all.samples.extend(pcm.samples);
            }
        }
        decoder.finish().map(|()| all)
    }

    fn bytes(samples: &[i16]) -> Vec<u8> {
        samples.iter().flat_map(|s| s.to_le_bytes()).collect()
    }

    fn wav(announced: u32, samples: &[i16]) -> Vec<u8> {
        [&wav::header(SampleRate::HZ_16K, announced)[..], &bytes(samples)].concat()
    }

    #[test]
    fn a_file_cut_anywhere_is_the_same_file() {
        let samples = [1, -2, 300, i16::MIN, i16::MAX];
        let file = wav(10, &samples);
        for cut in 0..=file.len() {
            let pieces = [&file[..cut], &file[cut..]];
            assert_eq!(decode(Decoder::wav(), pieces), Ok(Pcm::new(SampleRate::HZ_16K, samples.to_vec())), "{cut}");
        }
    }

    #[test]
    fn a_file_of_unknown_length_ends_with_the_body() {
        assert_eq!(decode(Decoder::wav(), [&wav(u32::MAX, &[5, 6])[..]]).unwrap().samples, [5, 6]);
    }

    #[test]
    fn what_follows_the_samples_is_not_played() {
        let file = [wav(4, &[5, 6]), b"LIST\x04\0\0\0abcd".to_vec()].concat();
        assert_eq!(decode(Decoder::wav(), [&file[..50], &file[50..]]).unwrap().samples, [5, 6]);
    }

    #[test]
    fn what_is_missing_is_told() {
        let incomplete = |decoder, bytes: &[u8]| match decode(decoder, [bytes]) {
            Err(Error::Incomplete(what)) => what,
            other => panic!("{other:?}"),
        };
        assert_eq!(incomplete(Decoder::bare(), b""), "no speech");
        assert_eq!(incomplete(Decoder::bare(), b"abc"), "half a sample");
        assert_eq!(incomplete(Decoder::wav(), b"RIFF"), "the WAV header did not end");
        assert_eq!(incomplete(Decoder::wav(), &wav(10, &[1])), "fewer samples than announced");
    }

    #[test]
    fn a_body_without_end_is_given_up() {
        let mut decoder = Decoder::bare();
        let piece = vec![0; 1 << 20];
        let pushed = (0..=BYTES_MAX >> 20).try_for_each(|_| decoder.push(&piece).map(drop));
        assert!(matches!(pushed, Err(Error::Malformed(_))));
    }

    proptest! {
        #[test]
        fn bare_samples_survive_any_cuts(samples in proptest::collection::vec(any::<i16>(), 1..200), step in 1usize..9) {
            let body = bytes(&samples);
            let whole = Pcm::new(SampleRate::HZ_24K, samples);
            prop_assert_eq!(decode(Decoder::bare(), body.chunks(step)), Ok(whole));
        }
    }
}
