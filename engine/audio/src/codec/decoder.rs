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
/// Costs 20 kB at 16 kHz, 18 kB of it libopus' own state.
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

#[cfg(test)]
mod tests {
    use opus::Application;
    use proptest::prelude::*;

    use super::*;
    use crate::sound::{level, purity, snr_db, tone, voice};
    use crate::{Encoder, EncoderConfig, RATE};

    const RATES: [u32; 5] = [8_000, 12_000, 16_000, 24_000, 48_000];

    fn encoder(config: EncoderConfig) -> Encoder {
        Encoder::new(RATE, FRAME_MS, &config).unwrap()
    }

    fn packets(config: EncoderConfig, pcm: &[i16]) -> Vec<Vec<u8>> {
        let mut encoder = encoder(config);
        pcm.chunks_exact(encoder.frame_samples()).map(|f| encoder.encode(f).unwrap().to_vec()).collect()
    }

    #[test]
    fn every_rate_channel_count_and_frame_length_comes_out_as_mono_at_every_rate() {
        for from in RATES.map(SampleRate) {
            for channels in [Channels::Mono, Channels::Stereo] {
                for frame_ms in [10, 20, 40, 60] {
                    for to in RATES.map(SampleRate) {
                        check_format(from, channels, frame_ms, to);
                    }
                }
            }
        }
    }

    fn check_format(from: SampleRate, channels: Channels, frame_ms: u32, to: SampleRate) {
        let mut encoder = opus::Encoder::new(from.0, channels, Application::Voip).unwrap();
        let mut decoder = Decoder::new(to).unwrap();
        let mono = tone(from, 500.0, 480);
        let pcm: Vec<i16> = mono.iter().flat_map(|&s| core::iter::repeat_n(s, channels as usize)).collect();
        let mut heard = Vec::new();
        for frame in pcm.chunks_exact(from.samples_in_ms(frame_ms) * channels as usize) {
            let packet = encoder.encode_vec(frame, 1_000).unwrap();
            let out = decoder.decode(&packet).unwrap();
            assert_eq!(out.len(), to.samples_in_ms(frame_ms), "{from:?} {channels:?} {frame_ms} ms {to:?}");
            heard.extend_from_slice(out);
        }
        assert_eq!(heard.len(), to.samples_in_ms(480));
        let purity = purity(&heard[to.samples_in_ms(200)..], to, 500.0);
        assert!(purity > 0.95, "{from:?} {channels:?} {frame_ms} ms {to:?}: purity {purity}");
    }

    #[test]
    fn a_tone_survives_the_round_trip() {
        let said = tone(RATE, 440.0, 1_000);
        let mut decoder = Decoder::new(RATE).unwrap();
        let heard: Vec<i16> =
            packets(EncoderConfig::default(), &said).iter().flat_map(|p| decoder.decode(p).unwrap().to_vec()).collect();
        let snr = snr_db(&said[3_200..12_800], &heard[3_200..], 320);
        assert!(snr > 15.0, "signal to noise is {snr} dB");
    }

    #[test]
    fn silence_packets_decode_to_quiet_frames() {
        let mut pcm = voice(RATE, 400);
        pcm.resize(RATE.samples_in_ms(2_000), 0);
        let packets = packets(EncoderConfig::default(), &pcm);
        let mut decoder = Decoder::new(RATE).unwrap();
        let mut silent = 0;
        for packet in &packets {
            let frame = decoder.decode(packet).unwrap();
            assert_eq!(frame.len(), 320);
            if packet.len() <= 3 {
                silent += 1;
                assert!(level(frame) < 100.0);
            }
        }
        assert!(silent > 40, "{silent} of {} packets are silence packets", packets.len());
    }

    #[test]
    fn a_silence_packet_may_come_first_and_be_one_byte() {
        // table of contents only: SILK wideband, 20 ms, mono, one empty frame (RFC 6716, section 3.1)
        let toc = 9 << 3;
        let mut decoder = Decoder::new(RATE).unwrap();
        assert_eq!(decoder.decode(&[toc]).unwrap(), [0; 320]);
        assert_eq!(decoder.decode(&[toc, 0]).unwrap().len(), 320);
        assert_eq!(decoder.decode(&[toc, 0, 0]).unwrap().len(), 320);
    }

    #[test]
    fn a_lost_packet_is_bridged_and_a_long_loss_fades_out() {
        let said = tone(RATE, 440.0, 400);
        let mut decoder = Decoder::new(RATE).unwrap();
        let mut before = 0.0;
        for packet in packets(EncoderConfig::default(), &said) {
            before = level(decoder.decode(&packet).unwrap());
        }
        let first = level(decoder.conceal());
        assert!(first > before / 4.0, "level {before} is followed by {first}");
        let last = (0..50).map(|_| level(decoder.conceal())).last().unwrap();
        assert!(last < before / 100.0, "level {before} has faded to {last} only");
    }

    #[test]
    fn concealment_is_as_long_as_the_packet_before() {
        let mut decoder = Decoder::new(RATE).unwrap();
        assert_eq!(decoder.conceal(), [0; 320], "20 ms of silence when there was nothing before");
        let mut encoder = Encoder::new(RATE, 60, &EncoderConfig::default()).unwrap();
        decoder.decode(encoder.encode(&tone(RATE, 440.0, 60)).unwrap()).unwrap();
        assert_eq!(decoder.conceal().len(), 960);
        assert_eq!(decoder.last_ms(), 60);
    }

    #[test]
    fn the_next_packet_restores_more_than_concealment_guesses() {
        let said = voice(RATE, 1_000);
        let config = EncoderConfig { expected_loss_percent: 30, ..EncoderConfig::default() };
        let packets = packets(config, &said);
        // lose every fifth packet and compare only what was made up for it
        let made_up = |fec: bool| {
            let mut decoder = Decoder::new(RATE).unwrap();
            let mut clean = Decoder::new(RATE).unwrap();
            let (mut expected, mut got) = (Vec::new(), Vec::new());
            for (i, packet) in packets.iter().enumerate() {
                let whole = clean.decode(packet).unwrap();
                if i % 5 != 4 || i + 1 == packets.len() {
                    decoder.decode(packet).unwrap();
                    continue;
                }
                expected.extend_from_slice(whole);
                got.extend_from_slice(if fec { decoder.recover(&packets[i + 1]) } else { decoder.conceal() });
            }
            snr_db(&expected, &got, 0)
        };
        let (recovered, concealed) = (made_up(true), made_up(false));
        assert!(recovered > concealed + 3.0, "recovered {recovered} dB, concealed {concealed} dB");
    }

    #[test]
    fn what_cannot_be_decoded_is_named() {
        let mut decoder = Decoder::new(RATE).unwrap();
        assert_eq!(decoder.decode(&[]), Err(Error::EmptyPacket));
        assert_eq!(decoder.decode(&[0; 4_001]), Err(Error::PacketTooLarge { bytes: 4_001, max: 4_000 }));
        // six frames of 20 ms in one packet; then code 3 without its frame count
        assert_eq!(decoder.decode(&[9 << 3 | 3, 6]), Err(Error::PacketTooLong { ms: 120, max: 60 }));
        assert!(matches!(decoder.decode(&[9 << 3 | 3]), Err(Error::Undecodable(_))));
        // two frames of equal length in an odd number of bytes
        assert!(matches!(decoder.decode(&[9 << 3 | 1, 0, 0, 0]), Err(Error::Undecodable(_))));
        assert_eq!(Decoder::new(SampleRate(44_100)).unwrap_err(), Error::OpusRate(44_100));
    }

    proptest! {
        #[test]
        fn no_bytes_break_the_decoder(packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..20)) {
            let mut decoder = Decoder::new(RATE).unwrap();
            for packet in &packets {
                if let Ok(pcm) = decoder.decode(packet) {
                    prop_assert!((40..=960).contains(&pcm.len()) && pcm.len() % 40 == 0);
                }
                prop_assert!(decoder.recover(packet).len() <= 960);
                prop_assert!(decoder.conceal().len() <= 960);
            }
            let good = encoder(EncoderConfig::default()).encode(&[0; 320]).unwrap().to_vec();
            prop_assert_eq!(decoder.decode(&good).unwrap().len(), 320);
        }
    }
}
