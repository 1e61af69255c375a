//! A node's register on a disk of its own, and what the stories are told with.

use core::time::Duration;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use sayso_audit::verify::Rule;
use sayso_audit::{Checkpoint, Event, Export, Leaf, LogSource, Report, Signer, Trust, verify_log};
use sayso_consent::rights::{EvidenceHash, Identity, Step};
use sayso_consent::{Answer, Ask, Asking, Denied, Error, Journal, Lease, Means, Options, Question, Register};
use sayso_policy::{ConsentState, ConsentStatus, Gate, Labelled, Profile};
use sayso_runtime::Tasks;
use sayso_store_local::{LocalOptions, LocalStore};
use sayso_types::{
    Category, Clock, ConsentVersion, Label, ManualClock, Name, ProcessorId, Purpose, SubjectId, TurnId, WallTime,
};
use sayso_vault::testing::vault;

use crate::faults::Faulty;
use crate::replaying::replay;

pub(crate) const VOICE: Purpose = Purpose::VOICE_INTERACTION;
pub(crate) const MEMORY: Purpose = Purpose::MEMORY;

/// The life of a permit in these stories: the shortest that a profile may say.
pub(crate) const TTL: Duration = Duration::from_millis(500);

/// They came in person, and what they showed is kept.
pub(crate) const VERIFIED: Step =
    Step::Verify(Identity { method: Name::constant("in_person"), evidence: Some(EvidenceHash([7; 32])) });

/// More than any state takes to come about: a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// The profile to test with, with short permits.
pub(crate) fn profile() -> Profile {
    let profile = Profile::parse(&profile_text()).unwrap();
    assert_eq!(profile.defaults().permit_ttl, TTL);
    profile
}

/// What it says.
pub(crate) fn profile_text() -> String {
    let text = include_str!("../profile.toml");
    let short = text.replace("permit_ttl = \"PT3S\"", "permit_ttl = \"PT0.5S\"");
    let others =
        ["copy", "cancel", "object", "refuse_overseas", "restrict", "rectify", "supplement", "explain", "port"];
    let others: String =
        others.iter().map(|right| format!("[rights.offers.{right}]\nchannel = [\"console\"]\n")).collect();
    format!("{short}\n{others}")
}

/// A directory's store.
pub(crate) fn open_store(dir: &Path) -> Arc<LocalStore> {
    LocalStore::open(dir, LocalOptions::new(Arc::new(ManualClock::new()))).unwrap()
}

/// A running node, as far as consent goes.
pub(crate) struct World {
    pub(crate) dir: Arc<tempfile::TempDir>,
    pub(crate) clock: ManualClock,
    in_use: Arc<dyn Clock>,
    pub(crate) local: Arc<LocalStore>,
    pub(crate) store: Arc<Faulty<LocalStore>>,
    pub(crate) tasks: Tasks,
    pub(crate) register: Arc<Register>,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Options { withdraw_wait: PATIENCE, ..Options::default() }).await
    }

    /// One under `profile`.
    pub(crate) async fn under(profile: Arc<Profile>) -> Self {
        let (dir, clock) = (Arc::new(tempfile::tempdir().unwrap()), ManualClock::new());
        let options = Options { withdraw_wait: PATIENCE, ..Options::default() };
        Self::start(dir, clock.clone(), Arc::new(clock), options, profile).await
    }

    /// One whose withdrawals do not wait at all.
    pub(crate) async fn impatient() -> Self {
        Self::with(Options { withdraw_wait: Duration::ZERO, ..Options::default() }).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        Self::open(Arc::new(tempfile::tempdir().unwrap()), ManualClock::new(), options).await
    }

    /// One whose permits run on `clock`, which nobody has to move.
    pub(crate) async fn with_clock(clock: Arc<dyn Clock>, options: Options) -> Self {
        let dir = Arc::new(tempfile::tempdir().unwrap());
        Self::start(dir, ManualClock::new(), clock, options, Arc::new(profile())).await
    }

    async fn open(dir: Arc<tempfile::TempDir>, clock: ManualClock, options: Options) -> Self {
        Self::start(dir, clock.clone(), Arc::new(clock), options, Arc::new(profile())).await
    }

    async fn start(
        dir: Arc<tempfile::TempDir>,
        clock: ManualClock,
        in_use: Arc<dyn Clock>,
        options: Options,
        profile: Arc<Profile>,
    ) -> Self {
        let local = open_store(dir.path());
        let store = Faulty::new(Arc::clone(&local));
        let tasks = Tasks::new();
        let vault = vault(local.clone()).await.unwrap();
        let register =
            Register::open(store.clone(), vault, profile, in_use.clone(), tasks.clone(), options).await.unwrap();
        Self { dir, clock, in_use, local, store, tasks, register }
    }

    /// Starts a node where another one was.
    pub(crate) async fn reopen(dir: Arc<tempfile::TempDir>, clock: ManualClock) -> Self {
        Self::open(dir, clock, Options { withdraw_wait: PATIENCE, ..Options::default() }).await
    }

    /// Ends the node in order and starts it again.
    pub(crate) async fn again(self) -> Self {
        self.again_under(Arc::new(profile())).await
    }

    /// Ends the node in order and starts it again with `options`.
    pub(crate) async fn again_with(self, options: Options) -> Self {
        self.restarted(Arc::new(profile()), options).await
    }

    /// Ends the node in order and starts it again under `profile`.
    pub(crate) async fn again_under(self, profile: Arc<Profile>) -> Self {
        self.restarted(profile, Options { withdraw_wait: PATIENCE, ..Options::default() }).await
    }

    /// Ends the node in order and starts it again under `profile` with `options`.
    pub(crate) async fn restarted(self, profile: Arc<Profile>, options: Options) -> Self {
        let Self { dir, clock, in_use, local, store, tasks, register } = self;
        assert_eq!(tasks.shutdown(PATIENCE).await, 0, "everything ends in time");
        // it is not earlier than it was
        clock.advance(Duration::from_millis(in_use.wall().0.saturating_sub(clock.wall().0)));
        drop((register, store));
        local.close();
        Self::start(dir, clock.clone(), Arc::new(clock), options, profile).await
    }

    /// The register as another process finds it in the store now; this one goes on.
    pub(crate) async fn reopened(&self) -> Result<Arc<Register>, Error> {
        self.reopened_under(Arc::new(profile())).await
    }

    /// The same under `profile`.
    pub(crate) async fn reopened_under(&self, profile: Arc<Profile>) -> Result<Arc<Register>, Error> {
        let clock = Arc::new(ManualClock::new());
        let vault = vault(self.local.clone()).await.unwrap();
        Register::open(self.store.clone(), vault, profile, clock, Tasks::new(), Options::default()).await
    }

    /// The same under another revision of the policy; this one's tasks have ended.
    pub(crate) async fn reopened_as(&self, profile: Arc<Profile>) -> Arc<Register> {
        assert_eq!(self.tasks.shutdown(PATIENCE).await, 0, "everything ends in time");
        let vault = vault(self.local.clone()).await.unwrap();
        let clock = self.in_use.clone();
        Register::open(self.store.clone(), vault, profile, clock, Tasks::new(), Options::default()).await.unwrap()
    }

    /// What time it is for the register.
    pub(crate) fn register_clock(&self) -> WallTime {
        self.in_use.wall()
    }

    /// Somebody who was never here.
    pub(crate) async fn stranger(&self) -> SubjectId {
        let device = SubjectId::random().to_string();
        self.register.subject_of(&"acme".parse().unwrap(), &device.parse().unwrap()).await.unwrap()
    }

    /// Somebody who said yes to `purposes`.
    pub(crate) async fn person(&self, purposes: &[Purpose]) -> SubjectId {
        let subject = self.stranger().await;
        self.answers(subject, purposes, ConsentStatus::Given).await;
        subject
    }

    pub(crate) async fn answers(&self, subject: SubjectId, to: &[Purpose], status: ConsentStatus) -> ConsentState {
        self.register.record(&answer(subject, to, status)).await.unwrap()
    }

    pub(crate) async fn state(&self, subject: SubjectId) -> ConsentState {
        self.register.state(subject).await.unwrap()
    }

    /// A lease on the subject's speech for the recogniser, under the consent that is in force.
    pub(crate) async fn listen(&self, subject: SubjectId) -> Result<Lease, Denied> {
        self.register.acquire(ask(subject, self.state(subject).await.cv)).await
    }

    /// Waits until the subject's consent is as `is` says.
    pub(crate) async fn until(&self, subject: SubjectId, is: impl Fn(&ConsentState) -> bool) {
        let mut changes = self.register.changes();
        let wait = async {
            while !is(&self.state(subject).await) {
                changes.recv().await.unwrap();
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.expect("a state that comes about");
    }

    pub(crate) fn journal(&self) -> &Journal {
        self.register.journal()
    }

    pub(crate) async fn leaves(&self) -> Vec<Leaf> {
        leaves_of(self.journal()).await
    }

    /// The names of the events from leaf `from` on.
    pub(crate) async fn told_since(&self, from: u64) -> Vec<&'static str> {
        self.leaves().await.iter().skip(from as usize).map(|leaf| leaf.fact.event.name()).collect()
    }

    pub(crate) async fn size(&self) -> u64 {
        self.journal().head().await.unwrap().0
    }

    /// Waits until an event is on record that is as `is` says.
    pub(crate) async fn until_told(&self, is: impl Fn(&Event) -> bool) {
        let wait = async {
            while !self.leaves().await.iter().any(|leaf| is(&leaf.fact.event)) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.expect("an event that is told");
    }

    /// As [`ends_spotless`](Self::ends_spotless), of one under `profile`.
    pub(crate) async fn ends_spotless_under(self, profile: Arc<Profile>) -> Report {
        let world = self.again_under(Arc::clone(&profile)).await;
        assert_eq!(
            replay(&world.leaves().await, Profile::clone(&profile)).unfounded,
            [0; 0],
            "each refusal had its reason"
        );
        spotless(verify(world.journal()).await)
    }

    /// Ends the node in order, and asserts that what an auditor finds is [`spotless`].
    pub(crate) async fn ends_spotless(self) -> Report {
        self.ends_spotless_under(Arc::new(profile())).await
    }
}

/// Asserts that an auditor finds no promise broken, and nothing left open but erasures that go on.
pub(crate) fn spotless(report: Report) -> Report {
    let left: Vec<_> = report.findings.iter().filter(|finding| finding.rule != Rule::ErasurePending).collect();
    assert!(left.is_empty(), "{left:#?}");
    report
}

/// Waits until `is`.
pub(crate) async fn until(is: impl Fn() -> bool) {
    let wait = async {
        while !is() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("a state that comes about");
}

pub(crate) fn answer(subject: SubjectId, to: &[Purpose], status: ConsentStatus) -> Answer {
    Answer {
        tenant: "acme".parse().unwrap(),
        subject,
        status,
        question: Question::of(to),
        means: Means::Voice,
        notice_sha256: [1; 32],
        language: "en".into(),
        spoken: true,
        evidence_sha256: [2; 32],
    }
}

/// The question of a device, read out.
pub(crate) fn asking(subject: SubjectId, question: &Question) -> Asking {
    Asking { subject, question: question.clone(), notice_sha256: [1; 32], language: "en".into(), spoken: true }
}

pub(crate) fn processor(id: &str) -> ProcessorId {
    id.parse().unwrap()
}

/// To hand speech to the recogniser.
pub(crate) fn ask(subject: SubjectId, cv: ConsentVersion) -> Ask {
    Ask {
        subject,
        turn: TurnId(1),
        purpose: VOICE,
        category: Category::VOICE_AUDIO,
        cv,
        gate: Gate::Recognition,
        processor: processor("whisper-local"),
    }
}

/// What `asked` is for: twenty milliseconds of it.
pub(crate) fn frame(asked: &Ask) -> Labelled<Vec<i16>> {
    let Ask { subject, turn, purpose, category, cv, .. } = *asked;
    Labelled::new(Label { subject, category, purpose, turn, cv }, vec![7; 320])
}

/// Bytes of a [`frame`].
pub(crate) const FRAME: u64 = 640;

async fn entries(journal: &Journal) -> Vec<Vec<u8>> {
    let (size, _) = journal.head().await.unwrap();
    let mut entries = Vec::new();
    while (entries.len() as u64) < size {
        let from = entries.len() as u64;
        entries.extend(journal.read(from, (size - from).min(1_000) as usize).await.unwrap());
    }
    entries
}

pub(crate) async fn leaves_of(journal: &Journal) -> Vec<Leaf> {
    entries(journal).await.iter().map(|entry| Leaf::decode(entry).unwrap()).collect()
}

/// What an auditor says of the log, exported as files.
pub(crate) async fn verify(journal: &Journal) -> Report {
    struct Files(BTreeMap<String, Vec<u8>>);
    impl LogSource for Files {
        fn read(&self, path: &str) -> io::Result<Vec<u8>> {
            self.0.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
        }
    }
    let signer = Signer::new("home.example/sayso", &[7; 32]).unwrap();
    let (mut export, mut files) = (Export::new(), BTreeMap::new());
    for entry in entries(journal).await {
        files.extend(export.append(&entry).unwrap().into_iter().map(|f| (f.tile.to_string(), f.bytes)));
    }
    files.extend(export.partial().into_iter().map(|f| (f.tile.to_string(), f.bytes)));
    files.insert("checkpoint".into(), Checkpoint::sign(export.size(), export.root(), &signer).into_bytes());
    verify_log(&Files(files), &Trust::new(vec![signer.verifier().clone()])).unwrap()
}
