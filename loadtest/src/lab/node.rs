//! [`Node`]: everything of a node but its front door, with fakes that take no time in place of the models.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use sayso_consent::{Answer, Means, Question, Register};
use sayso_egress::{Egress, Processors, Timeouts};
use sayso_policy::{ConsentStatus, Profile};
use sayso_provider::fake::{FakeResponder, FakeSynthesizer, FakeTranscriber};
use sayso_session_actor::ActorSessions;
use sayso_store::Store;
use sayso_store_local::{LocalOptions, LocalStore};
use sayso_types::{Name, ProcessorId, SubjectId};
use sayso_vault::testing::vault;

use crate::lab::Ground;
use crate::lab::fleet::{device_id, tenant};
use crate::lab::metered::Metered;

/// The profile that a node has by default. The fakes stand where it has the models.
pub(crate) const PROFILE: &str = include_str!("../../../deploy/profiles/home.toml");

/// A node without a front door.
pub(crate) struct Node {
    pub(crate) store: Arc<Metered>,
    pub(crate) register: Arc<Register>,
    pub(crate) egress: Arc<Egress>,
    pub(crate) sessions: ActorSessions,
    pub(crate) transcriber: Arc<FakeTranscriber>,
}

impl Node {
    /// Opens one with its store in `dir`, whose recogniser hears `hears` in every utterance.
    pub(crate) async fn open(dir: &Path, hears: &str, ground: &Ground) -> Result<Self> {
        let Ground { tasks, clock } = ground;
        let store = Metered::new(open_store(dir, ground).await?, clock.clone());
        let profile = Arc::new(Profile::parse(PROFILE)?);
        let options = sayso_consent::Options::default();
        let vault = vault(store.clone()).await?;
        let register = Register::open(store.clone(), vault, profile, clock.clone(), tasks.clone(), options).await?;

        let transcriber = Arc::new(FakeTranscriber::new(clock.clone()).hearing(hears));
        let mut processors = Processors::none();
        let id = |name| ProcessorId(Name::constant(name));
        processors.transcribers.register(id("whisper-local"), transcriber.clone());
        processors.responders.register(id("rules-local"), Arc::new(FakeResponder::new(clock.clone())));
        processors.synthesizers.register(id("voice-local"), Arc::new(FakeSynthesizer::new(clock.clone())));
        let egress = Arc::new(Egress::new(register.clone(), processors, Timeouts::default(), tasks.clone()));
        let missing = egress.missing();
        ensure!(missing.is_empty(), "no fake stands in for {missing:?}");

        let options = sayso_session_actor::Options { sessions_max: usize::MAX, ..Default::default() };
        let sessions =
            ActorSessions::start(register.clone(), egress.clone(), tasks.clone(), clock.clone(), options).await?;
        Ok(Self { store, register, egress, sessions, transcriber })
    }

    /// The person at this device agrees to a conversation.
    pub(crate) async fn agree(&self, device: usize) -> Result<SubjectId> {
        agree(&self.register, device).await
    }
}

/// The person at this device agrees to a conversation.
pub(crate) async fn agree(register: &Arc<Register>, device: usize) -> Result<SubjectId> {
    let tenant = tenant();
    let subject = register.subject_of(&tenant, &device_id(device)).await?;
    let asked: Vec<_> = register.profile().asks().spoken.iter().copied().collect();
    let answer = Answer {
        tenant,
        subject,
        status: ConsentStatus::Given,
        question: Question::of(&asked),
        means: Means::Button,
        notice_sha256: [0; 32],
        language: "en".to_owned(),
        spoken: true,
        evidence_sha256: [0; 32],
    };
    register.record(&answer).await.context("consent could not be recorded")?;
    Ok(subject)
}

/// The store that a node has on one machine.
pub(crate) async fn open_store(dir: &Path, ground: &Ground) -> Result<Arc<dyn Store>> {
    let (dir, options) = (dir.to_owned(), LocalOptions::new(ground.clock.clone()));
    Ok(ground.tasks.blocking("open store", move || LocalStore::open(&dir, options)).await??)
}
