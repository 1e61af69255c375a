//! [`Endpointer`]: where an utterance begins and ends.

mod config;
mod pre_roll;

use pre_roll::PreRoll;

use crate::{FRAME_MS, Frame};

pub use config::EndpointConfig;

/// Who says where an utterance begins and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The voice detector does.
    Automatic,
    /// The caller does (push to talk): everything is one utterance, until [`Endpointer::finish`].
    Manual,
}

/// Why an utterance ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EndReason {
    /// The person fell silent for the hang-over.
    Silence,
    /// It reached the longest that an utterance may last.
    TooLong,
    /// The caller ended it.
    Finished,
}

/// What happened. Between a start and its end there are the utterance's frames, in order and without a gap; outside
/// there are none.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// An utterance begins. While the device plays, this is barge-in.
    SpeechStart,
    /// The next frame of the utterance. The first ones are those from before it was recognised as one.
    Frame(&'a Frame),
    /// The utterance is over.
    SpeechEnd {
        /// Why.
        reason: EndReason,
        /// How long it was in all, in milliseconds.
        ms: u32,
        /// How much of that since [`Event::SpeechStart`] was taken for voice. Zero after a manual utterance means
        /// that nothing was said.
        voiced_ms: u32,
    },
}

impl core::fmt::Debug for Event<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::SpeechStart => f.write_str("SpeechStart"),
            Self::Frame(_) => f.write_str("Frame"),
            Self::SpeechEnd { reason, ms, voiced_ms } => {
                write!(f, "SpeechEnd({reason:?}, {ms} ms, {voiced_ms} ms voiced)")
            }
        }
    }
}

/// Turns the voice detector's verdicts, one a frame, into utterances.
///
/// ```text
///            voice outweighs its pauses by min_speech           silence for hangover
///  Waiting ──────────────────────────────────────────▶ Talking ──────────────────────▶ Waiting
///                     (Manual: the first frame)           │  max_utterance               (Manual: Over)
///                                                         └────────────────────────────▶
/// ```
///
/// "Outweighs" forgives the detector single misses at the onset: every voiced frame counts up, every other one down.
pub struct Endpointer {
    config: EndpointConfig,
    mode: Mode,
    pre_roll: PreRoll,
    phase: Phase,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    Waiting {
        voiced_ms: u32,
    },
    Talking {
        ms: u32,
        voiced_ms: u32,
        silent_ms: u32,
    },
    /// After a manual utterance: what still comes in belongs to nobody.
    Over,
}

impl Endpointer {
    /// An endpointer that waits for an utterance. It keeps the pre-roll: 640 bytes a frame, 13 kB by default, none
    /// when `mode` is manual.
    #[must_use]
    pub fn new(config: EndpointConfig, mode: Mode) -> Self {
        let frames = match mode {
            Mode::Automatic => (config.pre_roll_ms + config.min_speech_ms).div_ceil(FRAME_MS),
            Mode::Manual => 0,
        };
        Self { config, mode, pre_roll: PreRoll::new(frames as usize), phase: Phase::Waiting { voiced_ms: 0 } }
    }

    /// Whether an utterance is going on.
    #[must_use]
    pub fn is_talking(&self) -> bool {
        matches!(self.phase, Phase::Talking { .. })
    }

    /// Takes the next frame and the detector's verdict on it.
    pub fn push(&mut self, frame: &Frame, voiced: bool, mut sink: impl FnMut(Event<'_>)) {
        match (self.phase, self.mode) {
            (Phase::Waiting { voiced_ms }, Mode::Automatic) => self.wait(frame, voiced, voiced_ms, &mut sink),
            (Phase::Waiting { .. }, Mode::Manual) => {
                sink(Event::SpeechStart);
                self.phase = Phase::Talking { ms: 0, voiced_ms: 0, silent_ms: 0 };
                self.talk(frame, voiced, &mut sink);
            }
            (Phase::Talking { .. }, _) => self.talk(frame, voiced, &mut sink),
            (Phase::Over, _) => {}
        }
    }

    /// Ends the utterance that is going on, if one is.
    pub fn finish(&mut self, mut sink: impl FnMut(Event<'_>)) {
        self.end(EndReason::Finished, &mut sink);
    }

    fn wait(&mut self, frame: &Frame, voiced: bool, voiced_ms: u32, sink: &mut impl FnMut(Event<'_>)) {
        self.pre_roll.push(frame);
        let voiced_ms = if voiced { voiced_ms + FRAME_MS } else { voiced_ms.saturating_sub(FRAME_MS) };
        if voiced_ms < self.config.min_speech_ms {
            self.phase = Phase::Waiting { voiced_ms };
            return;
        }
        sink(Event::SpeechStart);
        let mut ms = 0;
        self.pre_roll.drain(|frame| {
            ms += FRAME_MS;
            sink(Event::Frame(frame));
        });
        self.phase = Phase::Talking { ms, voiced_ms, silent_ms: 0 };
    }

    fn talk(&mut self, frame: &Frame, voiced: bool, sink: &mut impl FnMut(Event<'_>)) {
        let Phase::Talking { ms, voiced_ms, silent_ms } = &mut self.phase else { return };
        sink(Event::Frame(frame));
        *ms += FRAME_MS;
        if voiced {
            *voiced_ms += FRAME_MS;
            *silent_ms = 0;
        } else {
            *silent_ms += FRAME_MS;
        }
        if self.mode == Mode::Automatic && *silent_ms >= self.config.hangover_ms {
            self.end(EndReason::Silence, sink);
        } else if *ms >= self.config.max_utterance_ms {
            self.end(EndReason::TooLong, sink);
        }
    }

    fn end(&mut self, reason: EndReason, sink: &mut impl FnMut(Event<'_>)) {
        let Phase::Talking { ms, voiced_ms, .. } = self.phase else { return };
        sink(Event::SpeechEnd { reason, ms, voiced_ms });
        self.phase = match self.mode {
            Mode::Automatic => Phase::Waiting { voiced_ms: 0 },
            Mode::Manual => Phase::Over,
        };
    }
}

impl core::fmt::Debug for Endpointer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Endpointer({:?}, {:?})", self.mode, self.phase)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: EndpointConfig = EndpointConfig {
        pre_roll_ms: 60,
        min_speech_ms: 60,
        hangover_ms: 100,
        max_utterance_ms: 1_000,
        aggressiveness: crate::Aggressiveness::Quality,
    };

    /// Plays one frame a letter (`v` is voice, `.` is not) and writes what happened: `<` start, `>` silence, `!` too
    /// long, `#` finished, and each frame by its own letter.
    fn play(endpointer: &mut Endpointer, verdicts: &str) -> String {
        let mut story = String::new();
        let mut tell = |event: Event<'_>| {
            story.push(match event {
                Event::SpeechStart => '<',
                Event::Frame(frame) => char::from(frame[0] as u8),
                Event::SpeechEnd { reason: EndReason::Silence, .. } => '>',
                Event::SpeechEnd { reason: EndReason::TooLong, .. } => '!',
                Event::SpeechEnd { reason: EndReason::Finished, .. } => '#',
            });
        };
        for verdict in verdicts.bytes() {
            match verdict {
                b'#' => endpointer.finish(&mut tell),
                _ => endpointer.push(&[i16::from(verdict); crate::FRAME_SAMPLES], verdict == b'v', &mut tell),
            }
        }
        story
    }

    #[test]
    fn automatic_utterances() {
        for (verdicts, story) in [
            // too short to be speech
            ("...vv....", ""),
            // the pre-roll is at most what there was, and at most what was asked for
            ("vvv.....", "<vvv.....>"),
            (".vvv.....", "<.vvv.....>"),
            ("......vvv.....", "<...vvv.....>"),
            // a pause shorter than the hang-over is part of it
            ("vvv....v.....", "<vvv....v.....>"),
            // one miss at the onset is forgiven, a voice as rare as noise is not
            ("..vv.vv.....", "<.vv.vv.....>"),
            ("v.v.v.v.v.v.v.", ""),
            // two utterances, the second with its own pre-roll
            ("vvv.........vvv.....", "<vvv.....><...vvv.....>"),
            // what is going on can be ended, what is not cannot
            ("vvvv#..", "<vvvv#"),
            ("..#vv#.", ""),
        ] {
            assert_eq!(play(&mut Endpointer::new(SHORT, Mode::Automatic), verdicts), story, "{verdicts}");
        }
    }

    #[test]
    fn an_utterance_is_cut_at_the_longest_and_the_next_may_follow() {
        let story = play(&mut Endpointer::new(SHORT, Mode::Automatic), &"v".repeat(54));
        assert_eq!(story, format!("<{}!<{}", "v".repeat(50), "v".repeat(4)));
    }

    #[test]
    fn a_manual_utterance_is_everything_until_it_is_finished() {
        for (verdicts, story) in
            [("..v.........v#..vvv", "<..v.........v#"), ("............#", "<............#"), ("#", "")]
        {
            assert_eq!(play(&mut Endpointer::new(SHORT, Mode::Manual), verdicts), story, "{verdicts}");
        }
        let story = play(&mut Endpointer::new(SHORT, Mode::Manual), &".".repeat(60));
        assert_eq!(story, format!("<{}!", ".".repeat(50)));
    }

    #[test]
    fn the_end_says_how_long_it_was_and_how_much_was_voice() {
        let end = |mode, verdicts: &str| {
            let mut endpointer = Endpointer::new(SHORT, mode);
            let mut last = None;
            for verdict in verdicts.bytes() {
                endpointer.push(&[0; crate::FRAME_SAMPLES], verdict == b'v', |event| {
                    if let Event::SpeechEnd { ms, voiced_ms, .. } = event {
                        last = Some((ms, voiced_ms));
                    }
                });
            }
            endpointer.finish(|event| {
                if let Event::SpeechEnd { ms, voiced_ms, .. } = event {
                    last = Some((ms, voiced_ms));
                }
            });
            last
        };
        assert_eq!(end(Mode::Automatic, "....vvv.v....."), Some((260, 80)));
        assert_eq!(end(Mode::Manual, "......"), Some((120, 0)));
        assert_eq!(end(Mode::Manual, ".v.v"), Some((80, 40)));
    }
}
