//! What can be wrong with sound, and with what is asked of it.

/// Why something could not be decoded, encoded or set up. It never holds sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Opus does not work at this rate.
    #[error("Opus takes 8000, 12000, 16000, 24000 or 48000 Hz, not {0} Hz")]
    OpusRate(u32),
    /// The voice detector does not work at this rate.
    #[error("the voice detector takes 8000, 16000, 32000 or 48000 Hz, not {0} Hz")]
    VadRate(u32),
    /// The resampler does not work between these rates.
    #[error("cannot resample {from} Hz to {to} Hz; rates are 1000 to 192000 Hz")]
    ResampleRate {
        /// The rate of the input, in hertz.
        from: u32,
        /// The rate asked for, in hertz.
        to: u32,
    },
    /// A device may not ask for frames of this length.
    #[error("a frame lasts 10, 20, 40 or 60 ms, not {0} ms")]
    FrameMs(u32),
    /// A frame does not have the length that the stage was made for.
    #[error("a frame has {samples} samples, which is not a length that this takes")]
    FrameLength {
        /// Samples found.
        samples: usize,
    },
    /// A packet without a byte: not even a silence packet is that short.
    #[error("the packet is empty")]
    EmptyPacket,
    /// A packet with more bytes than speech needs.
    #[error("the packet has {bytes} bytes, at most {max} are taken")]
    PacketTooLarge {
        /// Bytes found.
        bytes: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// A packet that holds more sound than a frame may.
    #[error("the packet lasts {ms} ms, at most {max} ms are taken; send shorter frames")]
    PacketTooLong {
        /// Its length.
        ms: u32,
        /// The length allowed.
        max: u32,
    },
    /// Not an Opus packet.
    #[error("the packet is not Opus: {0}")]
    Undecodable(&'static str),
    /// The codec refused to be set up, or failed where its documentation knows no reason.
    #[error("Opus could not {doing}: {why}")]
    Codec {
        /// What was asked of it.
        doing: &'static str,
        /// Its own word for what went wrong.
        why: &'static str,
    },
    /// A setting is outside its range.
    #[error("{name} must be {min} to {max}, is {value}")]
    Setting {
        /// The setting's name, as in the configuration.
        name: &'static str,
        /// The smallest value allowed.
        min: u32,
        /// The largest value allowed.
        max: u32,
        /// The value found.
        value: u32,
    },
}

/// Refuses a setting outside `range`.
pub(crate) fn in_range(name: &'static str, value: u32, range: core::ops::RangeInclusive<u32>) -> Result<(), Error> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(Error::Setting { name, min: *range.start(), max: *range.end(), value })
}
