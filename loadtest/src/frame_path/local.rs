//! Without the network: the engine's parts in the order in which a frame passes them, on this thread, against Opus
//! and voice detection alone.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use bytes::Bytes;
use opus::Channels;
use sayso_audio::{EndpointConfig, Event as Sound, FRAME_MS, FRAME_SAMPLES, Frame, Mode, Packet, RATE, Uplink};
use sayso_policy::{Labelled, Permit, Revoker, Terms, permit};
use sayso_runtime::SystemClock;
use sayso_session::{ConsentView, Effect, Event, Options, Session, Standing};
use sayso_types::{
    Category, Cell, Clock, ConsentVersion, Label, Name, ProcessorId, ProcessorKind, Purpose, RegionClass, SessionId,
    SubjectId, TurnId,
};
use sayso_wire::{AudioPacket, ListenMode};
use sha2::{Digest, Sha256};

use super::Pairs;
use crate::lab::{Utterance, usage};

/// One utterance: as long as possible, and shorter than the 15 s after which the engine would end it.
const UTTERANCE_MS: u32 = 12_000;
/// Longer than a measurement, so that a permit needs no renewal in it.
const PERMIT_TTL: Duration = Duration::from_secs(60);
/// The consent version that everything happens under.
const CV: ConsentVersion = ConsentVersion(1);

/// Measures `rounds` pairs, in alternating order, after one that warms the caches.
pub(super) fn measure(seed: u64, rounds: usize) -> Result<Pairs> {
    let utterance = Utterance::new(seed, UTTERANCE_MS)?;
    let frames = utterance.packets().len();
    let datagrams = (0..frames as u32).map(|n| utterance.datagram(TurnId(1), n)).collect::<Result<Vec<_>>>()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let bare = || a_frame(frames, || hear_bare(utterance.packets()));
    let engine = || a_frame(frames, || hear(&datagrams, &clock));
    let mut pairs = Pairs::default();
    for round in 0..=rounds {
        let (bare_ns, engine_ns) = if round % 2 == 0 {
            let bare_ns = bare()?;
            (bare_ns, engine()?)
        } else {
            let engine_ns = engine()?;
            (bare()?, engine_ns)
        };
        if round > 0 {
            pairs.push(bare_ns, engine_ns);
        }
    }
    Ok(pairs)
}

/// Nanoseconds of CPU time that `work` takes for each of its frames, all of which it must see.
fn a_frame(frames: usize, work: impl FnOnce() -> Result<usize>) -> Result<f64> {
    let before = usage::thread_cpu();
    let seen = work()?;
    let took = usage::thread_cpu().saturating_sub(before);
    ensure!(seen == frames, "{seen} of {frames} frames came through");
    Ok(took.as_nanos() as f64 / frames as f64)
}

/// The floor: what nobody can do without.
fn hear_bare(packets: &[Bytes]) -> Result<usize> {
    let mut decoder = opus::Decoder::new(RATE.0, Channels::Mono)?;
    let mut vad =
        webrtc_vad::Vad::new_with_rate_and_mode(webrtc_vad::SampleRate::Rate16kHz, webrtc_vad::VadMode::Aggressive);
    let mut pcm = [0; FRAME_SAMPLES];
    for packet in packets {
        let samples = decoder.decode(packet, &mut pcm, false)?;
        let voiced = vad.is_voice_segment(&pcm[..samples]);
        ensure!(black_box(voiced).is_ok(), "webrtc-vad refuses a frame of {samples} samples");
    }
    Ok(packets.len())
}

/// The engine, from datagrams to the gate.
fn hear(datagrams: &[Bytes], clock: &Arc<dyn Clock>) -> Result<usize> {
    let mut uplink = Uplink::new(EndpointConfig::default(), Mode::Automatic)?;
    let mut conversation = Conversation::new(clock);
    for datagram in datagrams {
        let AudioPacket { sequence, timestamp_ms, opus, .. } = AudioPacket::decode_datagram(datagram.clone())?;
        uplink.push(Packet { sequence, timestamp_ms, opus: &opus }, |sound| conversation.take(sound))?;
    }
    uplink.finish(|sound| conversation.take(sound))?;
    Ok(conversation.passed)
}

/// What stands between the pipeline and the gate.
struct Conversation<'a> {
    clock: &'a Arc<dyn Clock>,
    session: Session,
    effects: Vec<Effect>,
    utterance: Option<Utterer>,
    /// Frames that went through the gate.
    passed: usize,
}

/// The utterance that is being heard.
struct Utterer {
    label: Label,
    permit: Permit,
    /// The utterance's fingerprint, which the engine takes as evidence.
    evidence: Sha256,
    _revoker: Revoker,
}

impl<'a> Conversation<'a> {
    fn new(clock: &'a Arc<dyn Clock>) -> Self {
        let mut conversation = Self {
            clock,
            session: Session::new(SessionId([1; 16]), Options::default()),
            effects: Vec::new(),
            utterance: None,
            passed: 0,
        };
        let consent = ConsentView {
            cv: CV,
            standing: Standing::Given,
            memory: false,
            history: false,
            pictures: false,
            asks_again: Vec::new(),
        };
        conversation.happen(Event::Attached { consent, facts: Vec::new(), history: Vec::new() });
        conversation.happen(Event::ListenStart(ListenMode::Realtime));
        conversation
    }

    fn take(&mut self, sound: Sound<'_>) {
        match sound {
            Sound::SpeechStart => self.happen(Event::VoiceStart),
            Sound::Frame(frame) => self.pass(frame),
            Sound::SpeechEnd { .. } => {
                self.happen(Event::VoiceEnd);
                let heard = self.utterance.take();
                black_box(heard.map(|utterer| utterer.evidence.finalize()));
            }
        }
    }

    fn happen(&mut self, event: Event) {
        self.session.handle(event, self.clock.now(), &mut self.effects);
        for effect in self.effects.drain(..) {
            if let Effect::Transcribe(turn, purpose) = effect {
                self.utterance = Some(Utterer::new(turn, purpose, self.clock));
            }
        }
    }

    fn pass(&mut self, frame: &Frame) {
        let Some(Utterer { label, permit, evidence, .. }) = &mut self.utterance else { return };
        for sample in frame {
            evidence.update(sample.to_le_bytes());
        }
        let passed = permit.pass(Labelled::new(*label, frame.to_vec()), |samples| black_box(samples.len()));
        self.passed += usize::from(passed.is_ok());
    }
}

impl Utterer {
    fn new(turn: TurnId, purpose: Purpose, clock: &Arc<dyn Clock>) -> Self {
        let (subject, category) = (SubjectId([1; 16]), Category::VOICE_AUDIO);
        let cell = Cell { purpose, category, kind: ProcessorKind::Asr, region: RegionClass::Local };
        let processor = ProcessorId(Name::constant("whisper-local"));
        let terms = Terms { subject, cell, processor, cv: CV, bytes_max: None };
        let (permit, revoker) = permit::issue(terms, clock.clone(), clock.now(), PERMIT_TTL);
        let label = Label { subject, category, purpose, turn, cv: CV };
        Self { label, permit, evidence: Sha256::new(), _revoker: revoker }
    }
}

const _: () = assert!(UTTERANCE_MS.is_multiple_of(FRAME_MS), "every packet is a whole frame");
