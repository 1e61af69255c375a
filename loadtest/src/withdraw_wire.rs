//! `withdraw-wire`: consent taken back at random offsets of utterances that are uploaded over HTTP/1.1, HTTP/2 or a
//! WebSocket, while somebody else talks. The service at the other end counts the bytes of its TCP connections, and says what
//! came after the OK, and how long after the request the last byte came.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::{Args as ClapArgs, ValueEnum};
use futures::{StreamExt, stream};
use sayso_audio::{FRAME_MS, FRAME_SAMPLES};
use sayso_consent::{Lineage, Means, Options, Register};
use sayso_egress::{Context as Turn, Egress, Processors, Timeouts};
use sayso_policy::{Labelled, Profile};
use sayso_provider::{AudioStream, Transcriber};
use sayso_provider_openai::{Endpoint, OpenAiRealtimeTranscriber, OpenAiTranscriber};
use sayso_runtime::TaskKind;
use sayso_types::{Category, Mono, Name, ProcessorId, Purpose, SubjectId, TurnId};
use sayso_vault::testing::vault;
use tokio::sync::Notify;

use crate::figure::{Aim, Figure};
use crate::lab::node::{PROFILE, agree, open_store};
use crate::lab::recogniser::{Protocol, Recogniser, Watched};
use crate::lab::{Authority, Ground, Lab, Latencies};

/// What a person says: ten seconds.
const UTTERANCE_FRAMES: usize = 10_000 / FRAME_MS as usize;
/// What somebody else says meanwhile, again and again: one second.
const OTHERS_FRAMES: usize = 1_000 / FRAME_MS as usize;
/// Who says so much, or more, is no neighbour.
const WATCHED_FRAMES: usize = 2 * OTHERS_FRAMES;
/// Bytes of a frame on the wire.
const FRAME_BYTES: u64 = FRAME_SAMPLES as u64 * 2;
/// Where in an upload consent is taken back at the latest: before the end by more than any service reads ahead.
const OFFSET_MAX: u64 = UTTERANCE_FRAMES as u64 * FRAME_BYTES - 64 * 1024;
/// What those speak whose consent is taken back, and what their neighbour speaks.
const LANGUAGES: [&str; 2] = ["zh", "en"];
/// Of so many withdrawals one comes while the person is still speaking, before anything is uploaded; and so many of the
/// others find a service that has stopped to read, which is when most waits in buffers.
const ONE_IN: u64 = 4;

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Args {
    /// Withdrawals, one after another, each in an utterance of ten seconds.
    #[arg(long, value_name = "COUNT", default_value_t = 1_000)]
    pub(crate) withdrawals: usize,
    /// How the service is talked to; each, one after another, when not given.
    #[arg(long, value_name = "PROTOCOL")]
    pub(crate) over: Option<Protocol>,
}

pub(crate) async fn run(lab: &Lab, args: &Args) -> Result<Vec<Figure>> {
    ensure!(args.withdrawals > 0, "nothing to measure: give at least 1 withdrawal");
    let mut figures = Vec::new();
    for protocol in Protocol::value_variants().iter().filter(|one| args.over.is_none_or(|over| over == **one)) {
        figures.extend(run_over(*protocol, lab, args.withdrawals).await?);
    }
    Ok(figures)
}

async fn run_over(protocol: Protocol, lab: &Lab, withdrawals: usize) -> Result<Vec<Figure>> {
    let wire = Arc::new(Wire::open(protocol, lab).await?);
    // numbered after everybody whose consent is taken back
    let neighbour = Arc::new(Neighbour::new(&wire, withdrawals).await?);
    let talking = Arc::clone(&neighbour).talk(Arc::clone(&wire));
    let talking = wire.ground.tasks.spawn(TaskKind::Client, "neighbour", talking);

    let (mut random, mut seen) = (fastrand::Rng::with_seed(lab.seed), Seen::new());
    for number in 0..withdrawals {
        let offset = random.u64(1..OFFSET_MAX);
        if random.u64(..ONE_IN) == 0 {
            wire.withdraw_while_speaking(number, random.usize(WATCHED_FRAMES..UTTERANCE_FRAMES), &mut seen).await?;
        } else {
            wire.withdraw_while_uploading(number, offset, random.u64(..ONE_IN) == 0, &mut seen).await?;
        }
    }
    neighbour.has_said_enough.store(true, Ordering::Release);
    talking.join().await;
    let others = neighbour.said.lock().await;
    ensure!(others.failed == 0 && others.whole > 0, "somebody else was held up: {others:?}");
    ensure!(seen.bytes_after == 0, "{} bytes came after the OK of a withdrawal: a promise is broken", seen.bytes_after);

    let called = |name| format!("withdrawal over {}, {name}", protocol.name());
    let count = |name, value| Figure::new(called(name), "", value);
    let none = |name, value: f64| Figure::new(called(name), "B", value).aiming(Aim::Value(0.0));
    let mut figures = seen.ok.quantiles().figures(&called("request to OK")).to_vec();
    figures.extend(seen.last_byte.quantiles().figures(&called("request to last byte")));
    figures.extend([
        none("bytes after OK", seen.bytes_after as f64),
        count("uploads cut short", seen.cut_short as f64),
        count("neighbour's utterances, whole", others.whole as f64),
        count("neighbour's utterances, not whole", others.failed as f64).aiming(Aim::Value(0.0)),
    ]);
    Ok(figures)
}

/// What was seen of all withdrawals.
struct Seen {
    ok: Latencies,
    last_byte: Latencies,
    bytes_after: u64,
    cut_short: usize,
}

impl Seen {
    fn new() -> Self {
        Self { ok: Latencies::new(), last_byte: Latencies::new(), bytes_after: 0, cut_short: 0 }
    }
}

/// A register, its door, and a service behind it at the end of a wire.
struct Wire {
    /// Whether sound is sent while it is spoken.
    streams: bool,
    ground: Ground,
    register: Arc<Register>,
    egress: Arc<Egress>,
    service: Recogniser,
}

impl Wire {
    async fn open(protocol: Protocol, lab: &Lab) -> Result<Self> {
        let ground = Ground::new();
        let store = open_store(&lab.dir(&format!("withdraw-wire-{protocol:?}")), &ground).await?;
        let (profile, options) = (Arc::new(Profile::parse(PROFILE)?), Options::default());
        let vault = vault(store.clone()).await?;
        let register =
            Register::open(store, vault, profile, ground.clock.clone(), ground.tasks.clone(), options).await?;
        let authority = Authority::new()?;
        let watched = Watched { from_bytes: WATCHED_FRAMES as u64 * FRAME_BYTES, language: LANGUAGES[0] };
        let service = Recogniser::start(protocol, watched, &authority, &ground)?;
        let trusted = tempfile::NamedTempFile::new()?;
        std::fs::write(trusted.path(), authority.pem())?;
        let endpoint = Endpoint::new(service.base_url.parse()?, "any")?.with_ca_file(trusted.path())?;
        let mut processors = Processors::none();
        let transcriber: Arc<dyn Transcriber> = match protocol {
            Protocol::Http1 | Protocol::Http2 => Arc::new(OpenAiTranscriber::new(endpoint, ground.clock.clone())),
            Protocol::Websocket => Arc::new(OpenAiRealtimeTranscriber::new(endpoint)),
        };
        let streams = transcriber.streams();
        processors.transcribers.register(ProcessorId(Name::constant("whisper-local")), transcriber);
        let egress = Egress::new(register.clone(), processors, Timeouts::default(), ground.tasks.clone());
        Ok(Self { streams, ground, register, egress: Arc::new(egress), service })
    }

    async fn turn(&self, device: usize, language: &str) -> Result<Turn> {
        let subject = agree(&self.register, device).await?;
        let cv = self.register.state(subject).await?.cv;
        let purpose = Purpose::VOICE_INTERACTION;
        Ok(Turn { subject, turn: TurnId(1), cv, purpose, language: language.to_owned(), lineage: Lineage::default() })
    }

    /// Takes back consent once `frames` were said and no end is in sight. A service that wants utterances whole has nothing
    /// of it then.
    async fn withdraw_while_speaking(&self, device: usize, frames: usize, seen: &mut Seen) -> Result<()> {
        let turn = self.turn(device, LANGUAGES[0]).await?;
        let upload = self.service.watch(0, false, &self.ground);
        let said = Arc::new(Notify::new());
        let tell = Arc::clone(&said);
        let silence = stream::once(async move { tell.notify_one() }).filter_map(|()| std::future::ready(None));
        let audio = utterance(&turn, frames).chain(silence).chain(stream::pending());
        let (egress, call) = (self.egress.clone(), turn.clone());
        let transcribe = async move { egress.transcribe(&call, audio.boxed()).await.map(drop) };
        let transcribing = self.ground.tasks.spawn(TaskKind::Call, "utterance", transcribe);
        said.notified().await;
        if self.streams {
            upload.begun().await?;
        }

        let requested = self.withdraw(turn.subject, seen).await?;
        let at_ok = upload.arrived()?;
        transcribing.join().await;
        let ended = upload.ended().await?;
        seen.bytes_after += ended.bytes.saturating_sub(at_ok);
        seen.last_byte.record(ended.last.map_or(Duration::ZERO, |last| last.since(requested)));
        self.service.watch_nothing();
        Ok(())
    }

    /// Takes back consent when `offset` bytes of the body have come to the service, which stops to read there if it
    /// `stops`, and reads on after the OK.
    async fn withdraw_while_uploading(&self, device: usize, offset: u64, stops: bool, seen: &mut Seen) -> Result<()> {
        let turn = self.turn(device, LANGUAGES[0]).await?;
        let upload = self.service.watch(offset, stops, &self.ground);
        let (egress, call) = (self.egress.clone(), turn.clone());
        let transcribe = async move { egress.transcribe(&call, utterance(&call, UTTERANCE_FRAMES)).await.map(drop) };
        let transcribing = self.ground.tasks.spawn(TaskKind::Call, "utterance", transcribe);
        upload.reached().await;

        let requested = self.withdraw(turn.subject, seen).await?;
        let at_ok = upload.arrived()?;
        upload.read_on();
        transcribing.join().await;
        let ended = upload.ended().await?;
        seen.bytes_after += ended.bytes.saturating_sub(at_ok);
        seen.cut_short += usize::from(!ended.is_whole);
        if !stops {
            seen.last_byte.record(ended.last.map_or(Duration::ZERO, |last| last.since(requested)));
        }
        // whoever goes on is not let in
        let again = self.egress.transcribe(&turn, utterance(&turn, 1)).await;
        ensure!(again.is_err(), "the recogniser was asked again after consent had been taken back");
        Ok(())
    }

    /// When it was asked for; OK is said when this returns.
    async fn withdraw(&self, subject: SubjectId, seen: &mut Seen) -> Result<Mono> {
        let requested = self.ground.clock.now();
        let withdrawn = self.register.withdraw(subject, &[], Means::Button).await?;
        seen.ok.record(self.ground.clock.now().since(requested));
        ensure!(withdrawn.ok, "a withdrawal is pending: the provider did not let go in time");
        Ok(requested)
    }
}

/// Somebody who talks all the while, over the same provider to the same service, and takes nothing back.
struct Neighbour {
    turn: Turn,
    /// What the service answers when every byte has come: how much it was sent.
    whole: String,
    has_said_enough: AtomicBool,
    said: tokio::sync::Mutex<Said>,
}

/// What became of what they said.
#[derive(Debug, Default)]
struct Said {
    /// Utterances of which every byte came to the service.
    whole: usize,
    /// The others.
    failed: usize,
}

impl Neighbour {
    /// Speaks once, while nobody disturbs.
    async fn new(wire: &Wire, device: usize) -> Result<Self> {
        let turn = wire.turn(device, LANGUAGES[1]).await?;
        let heard =
            wire.egress.transcribe(&turn, utterance(&turn, OTHERS_FRAMES)).await.context("nobody disturbs yet")?;
        Ok(Self {
            turn,
            whole: heard.text.into_inner(),
            has_said_enough: AtomicBool::default(),
            said: Default::default(),
        })
    }

    async fn talk(self: Arc<Self>, wire: Arc<Wire>) {
        while !self.has_said_enough.load(Ordering::Acquire) {
            let heard = wire.egress.transcribe(&self.turn, utterance(&self.turn, OTHERS_FRAMES)).await;
            let is_whole = heard.is_ok_and(|heard| heard.text.into_inner() == self.whole);
            let mut said = self.said.lock().await;
            *(if is_whole { &mut said.whole } else { &mut said.failed }) += 1;
        }
    }
}

/// An utterance of some frames, as fast as it is taken.
fn utterance(turn: &Turn, frames: usize) -> AudioStream {
    let label = turn.label(Category::VOICE_AUDIO);
    Box::pin(stream::iter(0..frames).map(move |_| Labelled::new(label, vec![1; FRAME_SAMPLES])))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Some of each; ten thousand of each are `make bench-withdraw`.
    const WITHDRAWALS: usize = 150;

    fn nothing_comes_after_ok(protocol: Protocol) {
        let lab = Lab::new(2, None).unwrap();
        let args = Args { withdrawals: WITHDRAWALS, over: Some(protocol) };
        let figures = crate::lab::runtime().unwrap().block_on(run(&lab, &args)).unwrap();
        let value = |name: &str| figures.iter().find(|figure| figure.name.ends_with(name)).unwrap().value;
        assert_eq!(value("bytes after OK"), 0.0);
        assert_eq!(value("not whole"), 0.0);
        assert!(value("uploads cut short") > WITHDRAWALS as f64 / 10.0, "they came in the midst of an upload");
    }

    #[test]
    fn w2_nothing_comes_over_http1_after_ok_and_nobody_else_is_held_up() {
        nothing_comes_after_ok(Protocol::Http1);
    }

    #[test]
    fn w2_nothing_comes_over_http2_after_ok_and_nobody_else_is_held_up() {
        nothing_comes_after_ok(Protocol::Http2);
    }

    #[test]
    fn w2_nothing_comes_over_a_websocket_after_ok_and_nobody_else_is_held_up() {
        nothing_comes_after_ok(Protocol::Websocket);
    }
}
