//! [`Speaker`]: plays what the node says, on a clock of its own, and knows how far it is.

mod answer;

use sayso_types::{Pcm, TurnId};
use sayso_wire::{AudioFormat, AudioPacket};

use self::answer::Answer;
use crate::Error;

/// One beat of the speaker, in milliseconds: it plays this much sound at a time.
pub(crate) const BEAT_MS: u32 = 20;

/// How often the node is told how far play-out is, in milliseconds of play-out.
const REPORT_MS: u32 = 200;

/// What became of one answer.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Finished {
    pub(crate) turn: TurnId,
    pub(crate) played_ms: u32,
    pub(crate) lost: u64,
    pub(crate) late: u64,
    /// What was played, if it is kept.
    pub(crate) sound: Option<Pcm>,
}

/// Something that the speaker did.
pub(crate) enum Report {
    /// The first sound of this answer was played.
    Started(TurnId),
    /// So much of it has been played.
    Position { turn: TurnId, played_ms: u32 },
    /// Nothing more of it will be played.
    Finished(Finished),
}

/// The device's loudspeaker. [`beat`](Self::beat) is its clock: call it every [`BEAT_MS`].
///
/// It plays one answer at a time; a newer one replaces it.
pub(crate) struct Speaker {
    format: AudioFormat,
    /// Whether to keep what is played.
    keep: bool,
    answer: Option<Answer>,
    /// The latest answer that is over: what still comes of it is too late.
    over: Option<TurnId>,
}

impl Speaker {
    /// A speaker for sound of this format, which keeps what it plays if so told.
    pub(crate) const fn new(format: AudioFormat, keep: bool) -> Self {
        Self { format, keep, answer: None, over: None }
    }

    /// Whether there is something to play.
    pub(crate) const fn is_playing(&self) -> bool {
        self.answer.is_some()
    }

    /// An answer begins. Its sound may have come before this word of it.
    pub(crate) fn start(&mut self, turn: TurnId) -> Result<Option<Report>, Error> {
        if self.answer.as_ref().is_some_and(|answer| answer.turn() == turn) {
            return Ok(None);
        }
        let cut = self.cut();
        self.answer = Some(Answer::new(turn, self.format, self.keep)?);
        Ok(cut)
    }

    /// A packet of sound.
    pub(crate) fn push(&mut self, packet: &AudioPacket) -> Result<Option<Report>, Error> {
        if self.over.is_some_and(|over| packet.turn <= over)
            || self.answer.as_ref().is_some_and(|answer| packet.turn < answer.turn())
        {
            return Ok(None);
        }
        let cut = self.start(packet.turn)?;
        if let Some(answer) = &mut self.answer {
            answer.push(packet);
        }
        Ok(cut)
    }

    /// No more sound of `turn` will come than `total_ms`.
    pub(crate) fn end(&mut self, turn: TurnId, total_ms: u32) {
        if let Some(answer) = self.answer.as_mut().filter(|answer| answer.turn() == turn) {
            answer.end(total_ms);
        }
    }

    /// Stop playing `turn`, and drop what is buffered of it.
    pub(crate) fn stop(&mut self, turn: TurnId) -> Option<Report> {
        self.over = self.over.max(Some(turn));
        if self.answer.as_ref().is_some_and(|answer| answer.turn() <= turn) { self.cut() } else { None }
    }

    /// Plays the next [`BEAT_MS`] and hands what is to be told to `tell`.
    pub(crate) fn beat(&mut self, mut tell: impl FnMut(Report)) {
        let Some(answer) = &mut self.answer else {
            return;
        };
        let (turn, before_ms) = (answer.turn(), answer.played_ms());
        answer.play(BEAT_MS);
        let played_ms = answer.played_ms();
        if before_ms == 0 && played_ms > 0 {
            tell(Report::Started(turn));
        }
        if answer.is_over() {
            self.cut().map(tell);
        } else if played_ms / REPORT_MS > before_ms / REPORT_MS {
            tell(Report::Position { turn, played_ms });
        }
    }

    fn cut(&mut self) -> Option<Report> {
        let finished = self.answer.take()?.finish();
        self.over = self.over.max(Some(finished.turn));
        Some(Report::Finished(finished))
    }
}

#[cfg(test)]
mod tests;
