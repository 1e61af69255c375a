//! WAV files: the header of one that is sent, and of one that comes in while it is being made.

use sayso_types::SampleRate;

/// The format tag of plain PCM.
const PCM: u16 = 1;
/// The format tag that says to look further back for the format.
const EXTENSIBLE: u16 = 0xFFFE;
/// Data lengths from here on, and zero, are what writers put that did not know it yet.
const LEN_UNKNOWN_MIN: u32 = 0x7FFF_0000;
/// The longest header that is looked through for its `data` chunk: tags and cover art of a song, not of a sentence.
const HEADER_BYTES_MAX: usize = 16 * 1024;
/// Rates that speech comes at, in hertz.
const RATES: core::ops::RangeInclusive<u32> = 8_000..=48_000;

/// The header of a file with `data_bytes` of mono 16-bit samples at `rate`.
pub(crate) fn header(rate: SampleRate, data_bytes: u32) -> [u8; 44] {
    let mut header = *b"RIFF____WAVEfmt \x10\0\0\0\x01\0\x01\0________\x02\0\x10\0data____";
    header[4..8].copy_from_slice(&data_bytes.saturating_add(36).to_le_bytes());
    header[24..28].copy_from_slice(&rate.0.to_le_bytes());
    header[28..32].copy_from_slice(&rate.0.saturating_mul(2).to_le_bytes());
    header[40..44].copy_from_slice(&data_bytes.to_le_bytes());
    header
}

/// What stands in front of the samples.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Samples a second.
    pub(crate) rate: SampleRate,
    /// Bytes of samples; `None` when they go on to the end of the file.
    pub(crate) data_bytes: Option<u64>,
    /// Bytes of the header itself.
    pub(crate) len: usize,
}

/// Reads the header at the beginning of `bytes`; `None` when there is more of it to come.
///
/// # Errors
/// What is wrong with it, or what it says that we do not play.
pub(crate) fn parse(bytes: &[u8]) -> Result<Option<Header>, &'static str> {
    let magic_is = |at: usize, magic: &[u8]| bytes.iter().skip(at).zip(magic).all(|(a, b)| a == b);
    if !magic_is(0, b"RIFF") || !magic_is(8, b"WAVE") {
        return Err("not a WAV file");
    }
    let mut rate = None;
    let mut at = 12;
    while let Some(head) = bytes.get(at..at + 8) {
        let (id, len) = (&head[..4], u32_at(head, 4));
        at += 8;
        if id == b"data" {
            let rate = rate.ok_or("a WAV file without a format")?;
            let data_bytes = (1..LEN_UNKNOWN_MIN).contains(&len).then_some(u64::from(len));
            return Ok(Some(Header { rate, data_bytes, len: at }));
        }
        let end = at.saturating_add(len as usize);
        if end > HEADER_BYTES_MAX {
            return Err("a WAV header that is too long");
        }
        if id == b"fmt " {
            let Some(format) = bytes.get(at..end) else {
                return Ok(None);
            };
            rate = Some(parse_format(format)?);
        }
        // chunks are padded to an even length
        at = end + (len % 2) as usize;
    }
    Ok(None)
}

fn parse_format(format: &[u8]) -> Result<SampleRate, &'static str> {
    if format.len() < 16 {
        return Err("a WAV format that is too short");
    }
    let tag = match u16_at(format, 0) {
        EXTENSIBLE if format.len() >= 40 => u16_at(format, 24),
        tag => tag,
    };
    if (tag, u16_at(format, 2), u16_at(format, 14)) != (PCM, 1, 16) {
        return Err("a WAV file that is not mono PCM of 16 bits");
    }
    let rate = u32_at(format, 4);
    if RATES.contains(&rate) { Ok(SampleRate(rate)) } else { Err("a WAV file at a rate that is not one of speech") }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn with_data_len(len: u32) -> Vec<u8> {
        let mut bytes = header(SampleRate::HZ_24K, 0).to_vec();
        bytes[40..].copy_from_slice(&len.to_le_bytes());
        bytes
    }

    #[test]
    fn the_header_that_is_sent_is_the_canonical_one() {
        let expected = b"RIFF\x2c\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0data\x08\0\0\0";
        assert_eq!(&header(SampleRate::HZ_16K, 8), expected);
    }

    #[test]
    fn lengths_that_a_streaming_writer_puts_are_unknown() {
        for len in [0, 0x7FFF_FFFF, 0x8000_0000, u32::MAX - 44, u32::MAX] {
            assert_eq!(parse(&with_data_len(len)).unwrap().unwrap().data_bytes, None, "{len:x}");
        }
        assert_eq!(parse(&with_data_len(9600)).unwrap().unwrap().data_bytes, Some(9600));
    }

    #[test]
    fn chunks_in_between_and_the_extensible_format_are_read() {
        let plain = with_data_len(2);
        let mut format = plain[20..36].to_vec();
        format[..2].copy_from_slice(&EXTENSIBLE.to_le_bytes());
        format.extend_from_slice(b"\x16\0\x10\0\x04\0\0\0\x01\0\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71");
        let file = [&plain[..12], b"LIST\x03\0\0\0abc\0fmt \x28\0\0\0", &format, &plain[36..]].concat();
        let expected = Header { rate: SampleRate::HZ_24K, data_bytes: Some(2), len: file.len() };
        assert_eq!(parse(&file), Ok(Some(expected)));
    }

    #[test]
    fn what_we_do_not_play_is_named() {
        let broken = |at: usize, byte: u8| {
            let mut bytes = with_data_len(2);
            bytes[at] = byte;
            parse(&bytes).unwrap_err()
        };
        assert_eq!(broken(0, b'X'), "not a WAV file");
        assert_eq!(broken(20, 3), "a WAV file that is not mono PCM of 16 bits");
        assert_eq!(broken(22, 2), "a WAV file that is not mono PCM of 16 bits");
        assert_eq!(broken(26, 9), "a WAV file at a rate that is not one of speech");
        assert_eq!(broken(12, b'X'), "a WAV file without a format");
        assert_eq!(broken(18, 1), "a WAV header that is too long");
    }

    proptest! {
        #[test]
        fn a_header_reads_back_from_any_prefix_or_not_at_all(rate in RATES, len in 1..LEN_UNKNOWN_MIN, cut in 0usize..44) {
            let bytes = header(SampleRate(rate), len);
            let expected = Header { rate: SampleRate(rate), data_bytes: Some(u64::from(len)), len: 44 };
            prop_assert_eq!(parse(&bytes), Ok(Some(expected)));
            prop_assert_eq!(parse(&bytes[..cut]), Ok(None));
        }

        #[test]
        fn no_bytes_panic(tail in proptest::collection::vec(any::<u8>(), 0..128)) {
            let _ = parse(&tail);
            let _ = parse(&[b"RIFF____WAVEfmt ".as_slice(), &tail].concat());
        }
    }
}
