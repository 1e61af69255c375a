//! A node's door, and somebody to pass through it.

use core::time::Duration;
use std::sync::Arc;

use futures::StreamExt;
use sayso_audit::{Event, FlowEvent, Leaf};
use sayso_consent::{Answer, Lineage, Means, Options, Question, Register};
use sayso_egress::{Context, Egress, Processors, Timeouts};
use sayso_policy::{ConsentStatus, Labelled, Profile};
use sayso_provider::fake::{FakeResponder, FakeSynthesizer, FakeTranscriber, FakeViewer};
use sayso_provider::{AudioStream, Frame, Request};
use sayso_runtime::{SystemClock, Tasks};
use sayso_store_local::{LocalOptions, LocalStore};
use sayso_types::{Category, Clock, ProcessorId, Purpose, SubjectId, TurnId};
use sayso_vault::testing::vault;
use tokio::sync::mpsc;

pub(crate) const VOICE: Purpose = Purpose::VOICE_INTERACTION;

/// More than any state takes to come about: a test that waits this long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct World {
    pub(crate) register: Arc<Register>,
    pub(crate) egress: Arc<Egress>,
    pub(crate) tasks: Tasks,
    pub(crate) store: Arc<LocalStore>,
    _dir: tempfile::TempDir,
}

/// The fakes that stand behind a door by default.
pub(crate) struct Fakes {
    pub(crate) transcriber: Arc<FakeTranscriber>,
    pub(crate) responder: Arc<FakeResponder>,
    pub(crate) synthesizer: Arc<FakeSynthesizer>,
    pub(crate) viewer: Arc<FakeViewer>,
}

pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock::new())
}

pub(crate) fn id(id: &str) -> ProcessorId {
    id.parse().unwrap()
}

impl Fakes {
    pub(crate) fn new() -> Self {
        Self {
            transcriber: Arc::new(FakeTranscriber::new(clock()).hearing("what time is it")),
            responder: Arc::new(FakeResponder::new(clock())),
            synthesizer: Arc::new(FakeSynthesizer::new(clock())),
            viewer: Arc::new(FakeViewer::new(clock())),
        }
    }

    pub(crate) fn processors(&self) -> Processors {
        let mut processors = Processors::none();
        processors.transcribers.register(id("whisper-local"), self.transcriber.clone());
        processors.responders.register(id("rules-local"), self.responder.clone());
        processors.synthesizers.register(id("voice-local"), self.synthesizer.clone());
        processors.viewers.register(id("vision-local"), self.viewer.clone());
        processors
    }
}

impl World {
    pub(crate) async fn new(processors: Processors) -> Self {
        Self::with(processors, Timeouts::default(), PATIENCE).await
    }

    pub(crate) async fn with(processors: Processors, timeouts: Timeouts, withdraw_wait: Duration) -> Self {
        let profile = Profile::parse(include_str!("../profile.toml")).unwrap();
        Self::under(profile, processors, timeouts, Options { withdraw_wait, ..Options::default() }).await
    }

    /// One under another policy.
    pub(crate) async fn under(profile: Profile, processors: Processors, timeouts: Timeouts, options: Options) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = LocalStore::open(dir.path(), LocalOptions::new(clock())).unwrap();
        let (profile, tasks) = (Arc::new(profile), Tasks::new());
        let vault = vault(store.clone()).await.unwrap();
        let register = Register::open(store.clone(), vault, profile, clock(), tasks.clone(), options).await.unwrap();
        let egress = Arc::new(Egress::new(Arc::clone(&register), processors, timeouts, tasks.clone()));
        Self { register, egress, tasks, store, _dir: dir }
    }

    pub(crate) async fn stranger(&self) -> SubjectId {
        let device = SubjectId::random().to_string().parse().unwrap();
        self.register.subject_of(&"acme".parse().unwrap(), &device).await.unwrap()
    }

    /// A turn of somebody who said yes to talking.
    pub(crate) async fn talker(&self) -> Context {
        self.agreeing(&[VOICE]).await
    }

    /// A turn of somebody who said yes to these purposes, for the first of them.
    pub(crate) async fn agreeing(&self, purposes: &[Purpose]) -> Context {
        let subject = self.stranger().await;
        let answer = Answer {
            tenant: "acme".parse().unwrap(),
            subject,
            status: ConsentStatus::Given,
            question: Question::of(purposes),
            means: Means::Voice,
            notice_sha256: [1; 32],
            language: "en".into(),
            spoken: true,
            evidence_sha256: [2; 32],
        };
        let cv = self.register.record(&answer).await.unwrap().cv;
        Context {
            subject,
            turn: TurnId(1),
            cv,
            purpose: purposes[0],
            language: "en".into(),
            lineage: Lineage::default(),
        }
    }

    pub(crate) async fn withdraw(&self, context: &Context) -> sayso_consent::Withdrawal {
        self.register.withdraw(context.subject, &[], Means::Voice).await.unwrap()
    }

    /// Who is on record as told to delete something.
    pub(crate) async fn requested(&self) -> Vec<ProcessorId> {
        let entries = self.register.journal().read(0, 1_000).await.unwrap();
        let leaves = entries.iter().map(|entry| Leaf::decode(entry).unwrap());
        let requested = leaves.filter_map(|leaf| match leaf.fact.event {
            Event::Flow(FlowEvent::DeletionRequested { processor, .. }) => Some(processor),
            _ => None,
        });
        requested.collect()
    }

    /// Waits until `count` segments are closed on record; why each ended.
    pub(crate) async fn ended(&self, count: usize) -> Vec<String> {
        let journal = self.register.journal();
        let wait = async {
            loop {
                let entries = journal.read(0, 1_000).await.unwrap();
                let leaves = entries.iter().map(|entry| Leaf::decode(entry).unwrap());
                let reasons = leaves.filter_map(|leaf| match leaf.fact.event {
                    Event::SegmentClosed { reason, .. } => Some(reason.to_string()),
                    _ => None,
                });
                let reasons: Vec<_> = reasons.collect();
                if reasons.len() >= count {
                    return reasons;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.expect("segments end")
    }
}

/// Twenty milliseconds of somebody's speech.
pub(crate) fn frame(context: &Context) -> Frame {
    Labelled::new(context.label(Category::VOICE_AUDIO), vec![7; 320])
}

/// Bytes of a [`frame`].
pub(crate) const FRAME: u64 = 640;

/// An utterance of some frames.
pub(crate) fn utterance(context: &Context, frames: usize) -> AudioStream {
    Box::pin(futures::stream::iter(vec![frame(context); frames]))
}

/// An utterance that goes on for as long as somebody speaks.
pub(crate) fn live() -> (mpsc::Sender<Frame>, AudioStream) {
    let (speaker, frames) = mpsc::channel(16);
    let frames = futures::stream::unfold(frames, |mut frames| async { Some((frames.recv().await?, frames)) });
    (speaker, frames.boxed())
}

pub(crate) fn request() -> Request {
    Request { text: "what time is it".into(), ..Request::default() }
}
