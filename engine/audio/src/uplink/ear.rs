//! [`Ear`]: finds the utterances in sound.

use crate::framer::Framer;
use crate::{EndReason, EndpointConfig, Endpointer, Error, Event, FRAME_SAMPLES, Frame, Mode, RATE, Vad};

/// Sound of any length in, utterances out.
#[derive(Debug)]
pub(super) struct Ear {
    framer: Framer,
    judge: Judge,
}

/// Frames in, utterances out.
#[derive(Debug)]
pub(super) struct Judge {
    vad: Vad,
    endpointer: Endpointer,
    /// Frames heard.
    pub(super) frames: u64,
    /// Utterances that reached the longest that one may last.
    pub(super) too_long: u64,
}

impl Ear {
    pub(super) fn new(config: EndpointConfig, mode: Mode) -> Result<Self, Error> {
        let vad = Vad::new(RATE, config.aggressiveness)?;
        let judge = Judge { vad, endpointer: Endpointer::new(config, mode), frames: 0, too_long: 0 };
        Ok(Self { framer: Framer::new(FRAME_SAMPLES), judge })
    }

    pub(super) fn hear(&mut self, pcm: &[i16], sink: &mut impl FnMut(Event<'_>)) {
        let Self { framer, judge } = self;
        framer.push(pcm, |frame| judge.hear(frame, sink));
    }

    /// No more will come: hears what is left, and ends the utterance that is going on.
    pub(super) fn finish(&mut self, sink: &mut impl FnMut(Event<'_>)) {
        let Self { framer, judge } = self;
        framer.flush(|frame| judge.hear(frame, sink));
        judge.endpointer.finish(sink);
    }

    pub(super) fn is_talking(&self) -> bool {
        self.judge.endpointer.is_talking()
    }

    pub(super) fn judge(&self) -> &Judge {
        &self.judge
    }
}

impl Judge {
    fn hear(&mut self, frame: &[i16], sink: &mut impl FnMut(Event<'_>)) {
        let frame: &Frame = frame.try_into().expect("the framer cuts frames of this length");
        let voiced = self.vad.is_voice(frame).expect("20 ms at 16 kHz is a length that the detector takes");
        self.frames += 1;
        self.endpointer.push(frame, voiced, |event| {
            self.too_long += u64::from(matches!(event, Event::SpeechEnd { reason: EndReason::TooLong, .. }));
            sink(event);
        });
    }
}
