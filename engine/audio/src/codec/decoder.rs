//! [`Decoder`]: Opus packets to mono sound.

use opus::{Channels, packet};
use sayso_types::SampleRate;
use zeroize::Zeroizing;

use super::{FRAME_MS_MAX, PACKET_BYTES_MAX, failed, opus_rate};
use crate::{Error, FRAME_MS};

/// Decodes one stream of Opus packets to mono sound at one rate.
///
/// The packets may be mono or stereo, coded at any rate and of any frame length up to [`FRAME_MS_MAX`], and may
/// change from one to the next: an Opus packet says itself what it is, and libopus converts. A silence packet (DTX,
/// one to three bytes) decodes to comfort noise.
///
/// Costs about 27 kB, most of it libopus' own state.
pub struct Decoder {
    opus: opus::Decoder,
    rate: SampleRate,
    /// Room for the longest frame; `concealed` samples of it are what a lost packet would have held.
    pcm: Zeroizing<Vec<i16>>,
    /// Samples of the packet before: the best guess of how long a lost one was.
    last: usize,
}

impl Decoder {
    /// A decoder that delivers sound at `rate`.
    ///
    /// # Errors
    /// [`Error::OpusRate`] when Opus has no such rate; [`Error::Codec`] when there is no memory for it.
    pub fn new(rate: SampleRate) -> Result<Self, Error> {
        let opus = opus::Decoder::new(opus_rate(rate)?, Channels::Mono).map_err(failed("make a decoder"))?;
        let pcm = Zeroizing::new(vec![0; rate.samples_in_ms(FRAME_MS_MAX)]);
        Ok(Self { opus, rate, pcm, last: rate.samples_in_ms(FRAME_MS) })
    }

    /// Decodes the next packet.
    ///
    /// # Errors
    /// [`Error::EmptyPacket`], [`Error::PacketTooLarge`], [`Error::PacketTooLong`] or [`Error::Undecodable`]; the
    /// decoder goes on with the next packet as if this one had been lost.
    pub fn decode(&mut self, packet: &[u8]) -> Result<&[i16], Error> {
        self.check(packet)?;
        let samples = self.opus.decode(packet, &mut self.pcm, false).map_err(undecodable)?;
        self.last = samples;
        Ok(&self.pcm[..samples])
    }

    /// Makes up for a lost packet, as long as the packet before it: libopus continues the sound and fades it out.
    pub fn conceal(&mut self) -> &[i16] {
        self.fill(&[])
    }

    /// Makes up for a lost packet from `next`, the packet right after it, which carries a copy of low quality if the
    /// sender uses in-band FEC; conceals it otherwise. `next` is still to be decoded after this.
    pub fn recover(&mut self, next: &[u8]) -> &[i16] {
        let usable = self.check(next).is_ok();
        self.fill(if usable { next } else { &[] })
    }

    /// How long the packet before was, in milliseconds; 20 when there was none.
    #[must_use]
    pub fn last_ms(&self) -> u32 {
        self.rate.ms_of(self.last)
    }

    fn fill(&mut self, next: &[u8]) -> &[i16] {
        let lost = &mut self.pcm[..self.last];
        // libopus refuses only frames that are not a multiple of 2.5 ms, and `last` was a packet's length
        if self.opus.decode(next, lost, !next.is_empty()).is_err() {
            lost.fill(0);
        }
        lost
    }

    fn check(&self, packet: &[u8]) -> Result<(), Error> {
        if packet.is_empty() {
            return Err(Error::EmptyPacket);
        }
        if packet.len() > PACKET_BYTES_MAX {
            return Err(Error::PacketTooLarge { bytes: packet.len(), max: PACKET_BYTES_MAX });
        }
        let samples = packet::get_nb_samples(packet, self.rate.0).map_err(undecodable)?;
        if samples > self.pcm.len() {
            return Err(Error::PacketTooLong { ms: self.rate.ms_of(samples), max: FRAME_MS_MAX });
        }
        Ok(())
    }
}

impl core::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Decoder({} Hz)", self.rate.0)
    }
}

fn undecodable(e: opus::Error) -> Error {
    Error::Undecodable(e.code().description())
}
