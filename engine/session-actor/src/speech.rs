//! From words to sound: the answer that is being spoken.
//!
//! One task a speaking turn. It synthesizes sentence after sentence, encodes no more than the pacer has use for, and
//! sends packets in real time with a small lead: what a barge-in cuts off was mostly never made. The next sentence is
//! synthesized while the one before it plays. That something will be said is put on record while the person still speaks,
//! so that nobody waits for the disk when it is.

use core::time::Duration;
use std::sync::Arc;

use futures::StreamExt;
use ractor::ActorRef;
use sayso_audio::{Downlink, EncoderConfig, Pacer, Packet, Step, pacer::LEAD_MS};
use sayso_egress::{Context, Error, Voice};
use sayso_runtime::{TaskHandle, queue};
use sayso_session::{Event, SpeechKind};
use sayso_types::{Category, Purpose, Redacted, SampleRate, TurnId};
use sayso_wire::{AudioFormat, AudioPacket};

use crate::actor::Message;
use crate::options::SENTENCES_WAITING_MAX;
use crate::place::Place;
use crate::services::Services;
use crate::stage::{self, post};

/// Encoded sound that waits when the next sentence is begun: enough to bridge its synthesis, little to throw away.
const AHEAD_MS: u32 = 2_000;

/// Sound that is encoded at a time: one frame of the longest there is.
const PART_MS: u32 = 60;

/// A sentence to be spoken.
pub(crate) struct Sentence {
    pub(crate) number: u32,
    pub(crate) text: Redacted<String>,
    pub(crate) kind: SpeechKind,
}

/// A turn that is being spoken. Dropping it ends it.
pub(crate) struct Speaking {
    turn: TurnId,
    sentences: Option<queue::Sender<Sentence>>,
    _task: TaskHandle,
}

impl Speaking {
    /// Begins to speak; posts [`Event::SentenceAt`] for each sentence and [`Event::Spoken`] when the last packet was
    /// sent.
    pub(crate) fn start(
        services: &Arc<Services>,
        actor: &ActorRef<Message>,
        place: &Arc<Place>,
        context: Context,
    ) -> Self {
        Self::spawn(services, actor, place, context, |speaker, sentences| speaker.run(None, sentences))
    }

    /// The same for an answer that is yet to be found: until there is a sentence, the way to the voice is opened, which
    /// has to be on record before anything is said.
    pub(crate) fn prepare(
        services: &Arc<Services>,
        actor: &ActorRef<Message>,
        place: &Arc<Place>,
        context: Context,
    ) -> Self {
        Self::spawn(services, actor, place, context, |speaker, sentences| async move {
            // If it fails, the first sentence tries again, and says why.
            let voice = speaker.voice(SpeechKind::Answer).await.ok();
            speaker.run(voice, sentences).await
        })
    }

    fn spawn<W>(
        services: &Arc<Services>,
        actor: &ActorRef<Message>,
        place: &Arc<Place>,
        context: Context,
        work: impl FnOnce(Speaker, queue::Receiver<Sentence>) -> W,
    ) -> Self
    where
        W: Future<Output = Result<u32, &'static str>> + Send + 'static,
    {
        let (sentences, receiver) = queue::bounded("session_sentences", SENTENCES_WAITING_MAX);
        let turn = context.turn;
        let speaker =
            Speaker { services: Arc::clone(services), actor: actor.clone(), place: Arc::clone(place), context };
        let work = work(speaker, receiver);
        let task = stage::start(&services.tasks, actor, "speech", work, move |result| Event::Spoken(turn, result));
        Self { turn, sentences: Some(sentences), _task: task }
    }

    pub(crate) const fn turn(&self) -> TurnId {
        self.turn
    }

    /// Speaks `sentence` after those before it. `false` when there are too many.
    pub(crate) fn say(&self, sentence: Sentence) -> bool {
        self.sentences.as_ref().is_some_and(|sentences| sentences.try_send(sentence).is_ok())
    }

    /// No more will come.
    pub(crate) fn finish(&mut self) {
        self.sentences = None;
    }
}

struct Speaker {
    services: Arc<Services>,
    actor: ActorRef<Message>,
    place: Arc<Place>,
    context: Context,
}

impl Speaker {
    /// Speaks what comes, the first sentence of an answer with the voice that was prepared; the milliseconds of sound in
    /// all, or why it broke off.
    async fn run(
        self,
        mut prepared: Option<Voice>,
        mut sentences: queue::Receiver<Sentence>,
    ) -> Result<u32, &'static str> {
        let turn = self.context.turn;
        let mut next = sentences.recv().await;
        // Only now: codec state exists for what is said.
        let mut out = Out::new(turn, self.place.link().downlink)?;
        while let Some(Sentence { number, text, kind }) = next {
            let prepared = prepared.take().filter(|_| kind == SpeechKind::Answer);
            let voice = match prepared {
                Some(voice) => voice,
                None => self.alongside(&mut out, self.voice(kind)).await.map_err(|e| e.code())?,
            };
            let mut speech = Box::pin(voice.speak(text.into_inner()));
            let mut started = false;
            while let Some(piece) = self.alongside(&mut out, speech.next()).await {
                let piece = piece.map_err(|e| e.code())?;
                if !started {
                    started = true;
                    let at_ms = out.downlink.pushed_ms();
                    post(&self.actor, Event::SentenceAt { turn, sentence: number, at_ms });
                }
                // Part by part: a voice that gives a whole sentence at once must not delay its first packet.
                for part in piece.samples.chunks(piece.rate.samples_in_ms(PART_MS).max(1)) {
                    out.push(piece.rate, part)?;
                    self.drain(&mut out, AHEAD_MS).await;
                    // Encoding never waits by itself; whoever sends the packets must get a turn.
                    tokio::task::yield_now().await;
                }
            }
            next = self.alongside(&mut out, sentences.recv()).await;
        }
        out.finish()?;
        self.drain(&mut out, 0).await;
        Ok(out.pacer.total_ms())
    }

    /// Opens the way to the voice for a sentence of this kind.
    async fn voice(&self, kind: SpeechKind) -> Result<Voice, Error> {
        let (category, purpose) = match kind {
            SpeechKind::Answer => (Category::REPLY_TEXT, self.context.purpose),
            SpeechKind::Notice => (Category::NOTICE_TEXT, Purpose::NOTICE),
        };
        let context = Context { purpose, ..self.context.clone() };
        self.services.egress.voice(&context, category).await
    }

    /// Waits for `other` while packets go out in time.
    async fn alongside<T>(&self, out: &mut Out, other: impl Future<Output = T>) -> T {
        let mut other = core::pin::pin!(other);
        loop {
            let Some(wait) = self.send_due(out) else { return other.await };
            tokio::select! {
                biased;
                result = &mut other => return result,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Sends until at most `left_ms` wait.
    async fn drain(&self, out: &mut Out, left_ms: u32) {
        while let Some(wait) = self.send_due(out) {
            if out.pacer.queued_ms() <= left_ms {
                return;
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// Sends what is due; how long until more is, `None` when nothing waits.
    fn send_due(&self, out: &mut Out) -> Option<Duration> {
        loop {
            let now = self.services.clock.now();
            match out.pacer.step(now) {
                Step::Send(packet) => self.place.send(packet),
                Step::Wait(_) if out.pacer.queued_ms() == 0 => return None,
                Step::Wait(at) => return Some(at.since(now)),
                Step::Idle | Step::Ended => return None,
            }
        }
    }
}

/// The way out: encoder and pacer.
struct Out {
    turn: TurnId,
    downlink: Downlink,
    pacer: Pacer<AudioPacket>,
    frame_ms: u32,
}

impl Out {
    fn new(turn: TurnId, format: AudioFormat) -> Result<Self, &'static str> {
        let frame_ms = format.frame_ms();
        let downlink = Downlink::new(format.sample_rate(), frame_ms, EncoderConfig::default());
        Ok(Self { turn, downlink: downlink.map_err(|_| "downlink_format")?, pacer: Pacer::new(LEAD_MS), frame_ms })
    }

    fn push(&mut self, rate: SampleRate, samples: &[i16]) -> Result<(), &'static str> {
        self.encode(|downlink, sink| downlink.push(rate, samples, sink))
    }

    fn finish(&mut self) -> Result<(), &'static str> {
        self.encode(|downlink, sink| downlink.finish(sink))?;
        self.pacer.finish();
        Ok(())
    }

    fn encode(
        &mut self,
        work: impl FnOnce(&mut Downlink, &mut dyn FnMut(Packet<'_>)) -> Result<(), sayso_audio::Error>,
    ) -> Result<(), &'static str> {
        let Self { turn, downlink, pacer, frame_ms } = self;
        let mut full = false;
        let encoded = work(downlink, &mut |packet| {
            let Packet { sequence, timestamp_ms, opus } = packet;
            let opus = bytes::Bytes::copy_from_slice(opus);
            full |= pacer.push(AudioPacket { turn: *turn, sequence, timestamp_ms, opus }, *frame_ms).is_err();
        });
        match encoded {
            Err(_) => Err("encoder"),
            Ok(()) if full => Err("sentence_too_long"),
            Ok(()) => Ok(()),
        }
    }
}
