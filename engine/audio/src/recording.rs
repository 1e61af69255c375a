//! [`Recording`]: the packets of an utterance as a file that players play (Ogg Opus, RFC 7845).

use std::collections::VecDeque;

use ogg::writing::{PacketWriteEndInfo, PacketWriter};
use opus::packet;
use zeroize::Zeroizing;

use crate::Packet;

/// What granule positions count, whatever the rate of the sound (RFC 7845, section 4).
const GRANULE_HZ: u32 = 48_000;

/// What a decoder that starts in the middle of a stream takes to converge, 80 ms (RFC 7845, section 4.6): it is played by
/// nobody. What is recorded before a voice begins is longer.
const PRE_SKIP: u64 = 3_840;

/// A file has one stream in it.
const SERIAL: u32 = 1;

/// Packets of one utterance, as they came from the device: nothing is decoded and encoded again. What it holds is wiped when
/// it is dropped.
#[derive(Default)]
pub struct Recording {
    packets: VecDeque<Taken>,
    /// Bytes of the packets.
    bytes: usize,
}

struct Taken {
    opus: Zeroizing<Vec<u8>>,
    /// Where its sound begins.
    timestamp_ms: u32,
    /// How long it lasts, as granules count.
    granules: u32,
    channels: u8,
}

impl Recording {
    /// Nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { packets: VecDeque::new(), bytes: 0 }
    }

    /// Adds a packet. What is not Opus, or comes after what follows it, is left out: a player conceals it as the node did.
    pub fn push(&mut self, packet: Packet<'_>) {
        let Ok(granules) = packet::get_nb_samples(packet.opus, GRANULE_HZ) else { return };
        if self.packets.back().is_some_and(|last| packet.timestamp_ms.wrapping_sub(last.timestamp_ms) as i32 <= 0) {
            return;
        }
        let Some(&toc) = packet.opus.first() else { return };
        self.bytes += packet.opus.len();
        self.packets.push_back(Taken {
            opus: Zeroizing::new(packet.opus.to_vec()),
            timestamp_ms: packet.timestamp_ms,
            granules: u32::try_from(granules).unwrap_or_default(),
            // RFC 6716, section 3.1
            channels: if toc & 0b100 == 0 { 1 } else { 2 },
        });
    }

    /// Forgets what was recorded longer ago than `ms` before the end.
    pub fn keep_last(&mut self, ms: u32) {
        let Some(end) = self.packets.back().map(|last| last.timestamp_ms) else { return };
        while let Some(first) = self.packets.front().filter(|first| end.wrapping_sub(first.timestamp_ms) > ms) {
            self.bytes -= first.opus.len();
            self.packets.pop_front();
        }
    }

    /// Bytes of what was recorded.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// The file; `None` when nothing was recorded.
    #[must_use]
    pub fn finish(self) -> Option<Zeroizing<Vec<u8>>> {
        let (first, last) = (self.packets.front()?, self.packets.len() - 1);
        let (began, channels) = (first.timestamp_ms, self.packets.iter().map(|packet| packet.channels).max()?);
        // of its size from the beginning, with what pages add: what grows leaves copies behind
        let room = self.bytes + self.packets.len() * 2 + self.bytes / 100 + 1_024;
        let mut file = Zeroizing::new(Vec::with_capacity(room));
        let mut pages = PacketWriter::new(&mut *file);
        let written = (|| {
            for header in [identification(channels), comment()] {
                pages.write_packet(header, SERIAL, PacketWriteEndInfo::EndPage, 0)?;
            }
            for (n, packet) in self.packets.iter().enumerate() {
                let begins = u64::from(packet.timestamp_ms.wrapping_sub(began)) * u64::from(GRANULE_HZ / 1_000);
                let end = if n == last { PacketWriteEndInfo::EndStream } else { PacketWriteEndInfo::NormalPacket };
                pages.write_packet(&packet.opus[..], SERIAL, end, begins + u64::from(packet.granules))?;
            }
            Ok::<_, std::io::Error>(())
        })();
        drop(pages);
        written.ok().map(|()| file)
    }
}

impl core::fmt::Debug for Recording {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Recording({} packets)", self.packets.len())
    }
}

/// The identification header (RFC 7845, section 5.1).
fn identification(channels: u8) -> Vec<u8> {
    let mut head = b"OpusHead\x01".to_vec();
    head.push(channels);
    head.extend((PRE_SKIP as u16).to_le_bytes());
    head.extend(crate::RATE.0.to_le_bytes());
    // no gain, and the mapping of one or two channels
    head.extend([0, 0, 0]);
    head
}

/// The comment header (RFC 7845, section 5.2), which says nothing but what wrote it.
fn comment() -> Vec<u8> {
    const VENDOR: &[u8] = b"sayso";
    let mut tags = b"OpusTags".to_vec();
    tags.extend((VENDOR.len() as u32).to_le_bytes());
    tags.extend(VENDOR);
    tags.extend(0_u32.to_le_bytes());
    tags
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use ogg::reading::PacketReader;

    use super::*;
    use crate::{Decoder, Encoder, EncoderConfig, FRAME_MS, RATE};

    /// `count` frames of a tone.
    fn packets(count: u32) -> Vec<Vec<u8>> {
        let mut encoder = Encoder::new(RATE, FRAME_MS, &EncoderConfig::default()).unwrap();
        let samples = RATE.samples_in_ms(FRAME_MS);
        let frame: Vec<i16> = (0..samples).map(|i| if i / 20 % 2 == 0 { 5_000 } else { -5_000 }).collect();
        (0..count).map(|_| encoder.encode(&frame).unwrap().to_vec()).collect()
    }

    fn recorded(packets: &[Vec<u8>]) -> Recording {
        let mut recording = Recording::new();
        for (sequence, opus) in (0..).zip(packets) {
            recording.push(Packet { sequence, timestamp_ms: 1_000 + sequence * FRAME_MS, opus });
        }
        recording
    }

    #[test]
    fn what_was_recorded_is_read_back_packet_by_packet() {
        let packets = packets(120);
        let file = recorded(&packets).finish().unwrap();
        let mut reader = PacketReader::new(Cursor::new(&file[..]));
        let head = reader.read_packet().unwrap().unwrap();
        assert_eq!(head.data, b"OpusHead\x01\x01\x00\x0f\x80\x3e\0\0\0\0\0");
        assert!(head.first_in_stream() && head.last_in_page());
        assert!(reader.read_packet().unwrap().unwrap().data.starts_with(b"OpusTags\x05\0\0\0sayso"));
        let (mut read, mut end, mut decoder) = (Vec::new(), 0, Decoder::new(RATE).unwrap());
        while let Some(packet) = reader.read_packet().unwrap() {
            end = packet.absgp_page();
            assert_eq!(packet.last_in_stream(), read.len() + 1 == packets.len());
            read.push(packet.data);
        }
        assert_eq!(read, packets);
        assert_eq!(end, 120 * u64::from(FRAME_MS) * 48, "as long as what was said");
        assert_eq!(decoder.decode(&read[5]).unwrap().len(), RATE.samples_in_ms(FRAME_MS));
    }

    #[test]
    fn only_what_comes_before_a_voice_for_so_long_is_kept_and_what_is_no_opus_is_not() {
        let packets = packets(50);
        let mut recording = recorded(&packets);
        recording.keep_last(100);
        assert_eq!(recording.packets.len(), 6);
        assert_eq!(recording.bytes(), packets[44..].iter().map(Vec::len).sum::<usize>());
        let before = recording.packets.len();
        recording.push(Packet { sequence: 60, timestamp_ms: 9_000, opus: &[] });
        recording.push(Packet { sequence: 0, timestamp_ms: 1_000, opus: &packets[0] });
        assert_eq!(recording.packets.len(), before);
        assert_eq!(format!("{recording:?}"), "Recording(6 packets)");
        assert!(Recording::new().finish().is_none());
    }
}
