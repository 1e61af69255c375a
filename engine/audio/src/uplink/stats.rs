//! [`UplinkStats`]: how well a turn's sound arrived.

use metrics::counter;

use crate::JitterStats;

/// What happened to a turn's sound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UplinkStats {
    /// Packets on their way to the decoder.
    pub jitter: JitterStats,
    /// Packets that were not Opus, or more than is taken.
    pub undecodable: u64,
    /// Frames of 20 ms that the voice detector heard, concealed ones included.
    pub frames: u64,
    /// Pauses of which only the first 2 s were put into the sound.
    pub gaps_cut: u64,
    /// Utterances that were ended because they reached the longest that one may last.
    pub utterances_too_long: u64,
}

impl UplinkStats {
    /// Adds these to the process' counters; once a turn, when it ends.
    pub fn publish(&self) {
        let Self { jitter, undecodable, frames, gaps_cut, utterances_too_long } = self;
        counter!("sayso_audio_packets_received_total").increment(jitter.received);
        counter!("sayso_audio_packets_lost_total").increment(jitter.lost);
        counter!("sayso_audio_packets_late_total").increment(jitter.late);
        counter!("sayso_audio_packets_duplicate_total").increment(jitter.duplicate);
        counter!("sayso_audio_packets_reordered_total").increment(jitter.reordered);
        counter!("sayso_audio_packets_undecodable_total").increment(*undecodable);
        counter!("sayso_audio_frames_total").increment(*frames);
        counter!("sayso_audio_gaps_cut_total").increment(*gaps_cut);
        counter!("sayso_audio_utterances_too_long_total").increment(*utterances_too_long);
    }
}
