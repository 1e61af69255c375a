//! A node without a front door, with fakes in place of models.

use std::sync::Arc;
use std::time::Duration;

use sayso_audit::{Event, Leaf};
use sayso_consent::{Answer, Means, Question, Register};
use sayso_egress::{Egress, Processors, Timeouts};
use sayso_policy::{ConsentStatus, Profile};
use sayso_provider::Reply;
use sayso_provider::fake::{FakeResponder, FakeSynthesizer, FakeTranscriber, FakeViewer};
use sayso_runtime::{SystemClock, Tasks};
use sayso_session_actor::{ActorSessions, Options, Snapshot};
use sayso_store_local::{LocalOptions, LocalStore};
use sayso_types::{Clock, DeviceId, Name, ProcessorId, Purpose, SubjectId, TenantId};
use sayso_vault::testing::vault;
use tokio::sync::broadcast::error::RecvError;

use crate::slow_store::SlowStore;
use crate::sound;

const HOME: &str = include_str!("../../../../deploy/profiles/home.toml");

/// What the profile's notices say here: less, so that tests need not hear them out for long.
const SHORT: [(&str, &str); 6] = [
    ("spoken", "May I listen?"),
    ("thanks", "Thanks."),
    ("refused", "I will not."),
    ("deferred", "Later then."),
    ("withdrawn", "Stopped."),
    ("not_understood", "Yes or no?"),
];

/// What a home may have done beyond what its profile says: pictures looked at, conversations and documents kept.
const PURPOSES: &str = r#"
  { id = "vision", dpv = "RequestedServiceProvision", basis = "Consent" },
  { id = "history", dpv = "RequestedServiceProvision", basis = "Consent" },
  { id = "improve_voice", dpv = "ServiceOptimisation", basis = "Consent" },
  { id = "knowledge", dpv = "RequestedServiceProvision", basis = "Consent" },
"#;
const PROCESSORS: &str = r#"
  { id = "vision-local", kind = "vision", party = "operator", region = "home", region_class = "local", accepts = ["image"], purposes = ["vision"], state = "active", trains_on_data = false, declared_retention = "PT0S" },
  { id = "shelf-local", kind = "database", party = "operator", region = "home", region_class = "local", accepts = ["chat_history", "conversation_audio", "knowledge_base"], purposes = ["history", "improve_voice", "knowledge"], state = "active", trains_on_data = false, declared_retention = "P1Y", deletion_api = true },
"#;
const CATEGORIES: &str = r#"

[category.image]
dpv = ["pd:Picture"]
sensitivity = "high"
purposes = ["vision"]
necessity = "Required_for:vision"
at_rest = "forbidden"
capability = ["camera"]
retention = { trigger = "turn.end", after = "PT0S", action = "zeroise" }

[category.chat_history]
dpv = ["pd:Communication"]
attrs = ["text", "time", "context"]
sensitivity = "high"
purposes = ["history", "improve_voice"]
necessity = "Optional"
at_rest = "allowed"
derived_from = ["transcript", "reply_text"]
retention = { trigger = "withdraw", after = "PT0S", action = "erase" }

[category.conversation_audio]
dpv = ["pd:VoiceCommunicationRecording"]
sensitivity = "high"
subject = "speaker"
purposes = ["improve_voice"]
necessity = "Optional"
at_rest = "allowed"
derived_from = ["voice_audio"]
retention = { trigger = "withdraw", after = "PT0S", action = "erase" }

[category.knowledge_base]
dpv = ["sayso:KnowledgeBase"]
sensitivity = "high"
purposes = ["knowledge", "improve_voice"]
necessity = "Required_for:knowledge"
at_rest = "allowed"
retention = { trigger = "withdraw", after = "PT0S", action = "erase" }

[minors.overrides]
conversation_audio = { forbidden = true }
chat_history = { no_store = true }
"#;

/// What a test needs to be different.
pub(crate) struct Setup {
    /// What the recogniser hears in one utterance after another; the last one stays.
    pub(crate) hears: Vec<&'static str>,
    /// What is answered, one after another; the last one stays.
    pub(crate) answers: Vec<Vec<Reply>>,
    pub(crate) options: Options,
    pub(crate) timeouts: Timeouts,
    /// What its profile says.
    pub(crate) profile: String,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            hears: Vec::new(),
            answers: Vec::new(),
            options: options(),
            timeouts: Timeouts::default(),
            profile: patient_profile(),
        }
    }
}

pub(crate) struct Node {
    pub(crate) register: Arc<Register>,
    pub(crate) sessions: ActorSessions,
    pub(crate) transcriber: Arc<FakeTranscriber>,
    pub(crate) responder: Arc<FakeResponder>,
    pub(crate) synthesizer: Arc<FakeSynthesizer>,
    pub(crate) viewer: Arc<FakeViewer>,
    pub(crate) store: Arc<SlowStore>,
    pub(crate) profile: Arc<Profile>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) tasks: Tasks,
    _dir: tempfile::TempDir,
}

impl Node {
    pub(crate) async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    /// One whose recogniser hears `texts`.
    pub(crate) async fn hearing(texts: &[&'static str]) -> Self {
        Self::with(Setup { hears: texts.to_vec(), ..Setup::default() }).await
    }

    pub(crate) async fn with(setup: Setup) -> Self {
        let Setup { hears, answers, options, timeouts, profile } = setup;
        let dir = tempfile::tempdir().unwrap();
        let (tasks, clock) = (Tasks::new(), Arc::new(SystemClock::new()));
        let store = SlowStore::new(LocalStore::open(dir.path(), LocalOptions::new(clock.clone())).unwrap());
        let profile = Arc::new(Profile::parse(&profile).unwrap());
        let register_options = sayso_consent::Options::default();
        let vault = vault(store.clone()).await.unwrap();
        let register =
            Register::open(store.clone(), vault, profile.clone(), clock.clone(), tasks.clone(), register_options)
                .await
                .unwrap();

        let transcriber = hears.iter().fold(FakeTranscriber::new(clock.clone()), |fake, text| fake.hearing(text));
        let responder = answers.into_iter().fold(FakeResponder::new(clock.clone()), FakeResponder::answering);
        let (transcriber, responder) = (Arc::new(transcriber), Arc::new(responder));
        let synthesizer = Arc::new(FakeSynthesizer::new(clock.clone()));
        let viewer = Arc::new(FakeViewer::new(clock.clone()));
        let id = |name| ProcessorId(Name::constant(name));
        let mut processors = Processors::none();
        processors.transcribers.register(id("whisper-local"), transcriber.clone());
        processors.responders.register(id("rules-local"), responder.clone());
        processors.synthesizers.register(id("voice-local"), synthesizer.clone());
        processors.viewers.register(id("vision-local"), viewer.clone());
        let egress = Arc::new(Egress::new(register.clone(), processors, timeouts, tasks.clone()));
        let sessions = ActorSessions::start(register.clone(), egress, tasks.clone(), clock.clone(), options).await;
        let sessions = sessions.unwrap();
        Self {
            register,
            sessions,
            transcriber,
            responder,
            synthesizer,
            viewer,
            store,
            profile,
            clock,
            tasks,
            _dir: dir,
        }
    }

    /// The person with `device` has agreed to `purposes` before.
    pub(crate) async fn agreed(&self, device: &str, purposes: &[Purpose]) -> SubjectId {
        self.agreed_by(device, purposes, Means::Integrator).await
    }

    /// The same, by other means.
    pub(crate) async fn agreed_by(&self, device: &str, purposes: &[Purpose], means: Means) -> SubjectId {
        let subject = self.subject(device).await;
        let answer = Answer {
            tenant: tenant(),
            subject,
            status: ConsentStatus::Given,
            question: Question::of(purposes),
            means,
            notice_sha256: [1; 32],
            language: "en".to_owned(),
            spoken: false,
            evidence_sha256: core::array::from_fn(|at| subject.0[at % 16]),
        };
        self.register.record(&answer).await.unwrap();
        subject
    }

    pub(crate) async fn subject(&self, device: &str) -> SubjectId {
        self.register.subject_of(&tenant(), &device_id(device)).await.unwrap()
    }

    /// The one session of `device`.
    pub(crate) fn session(&self, device: &str) -> Option<Snapshot> {
        let mut its: Vec<_> = self.sessions.list().into_iter().filter(|s| s.device == device_id(device)).collect();
        assert!(its.len() <= 1, "a device has one session");
        its.pop()
    }

    /// Waits until the log has `count` events that `find` finds.
    pub(crate) async fn logged<T>(&self, count: usize, find: impl Fn(Event) -> Option<T>) -> Vec<T> {
        loop {
            let leaves = self.register.journal().read(0, 10_000).await.unwrap();
            let events = leaves.iter().map(|leaf| Leaf::decode(leaf).unwrap().fact.event);
            let found: Vec<_> = events.filter_map(&find).collect();
            if found.len() >= count {
                return found;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Waits until the sessions satisfy `condition`.
    pub(crate) async fn until(&self, condition: impl Fn(&[Snapshot]) -> bool) -> Vec<Snapshot> {
        let mut changes = self.sessions.changes();
        loop {
            let list = self.sessions.list();
            if condition(&list) {
                return list;
            }
            match changes.recv().await {
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => panic!("the sessions are gone"),
            }
        }
    }

    /// Waits until the session of `device` satisfies `condition`.
    pub(crate) async fn until_session(&self, device: &str, condition: impl Fn(&Snapshot) -> bool) -> Snapshot {
        let is_it = |s: &Snapshot| s.device == device_id(device) && condition(s);
        let list = self.until(|all| all.iter().any(is_it)).await;
        list.into_iter().find(is_it).unwrap()
    }
}

pub(crate) fn tenant() -> TenantId {
    "acme".parse().unwrap()
}

pub(crate) fn device_id(device: &str) -> DeviceId {
    device.parse().unwrap()
}

/// Sessions that are not patient with pauses.
pub(crate) fn options() -> Options {
    Options { endpoint: sound::ENDPOINT, ..Options::default() }
}

/// Sessions that fall asleep as soon as they rest.
pub(crate) fn sleepy() -> Options {
    let mut options = options();
    options.session.idle_after = Duration::from_millis(1);
    options
}

/// The profile of a home, with short notices, and permits that live as long as one may: a disk that takes seconds over
/// a record, as under a build, must not look like a consent that cannot be read.
pub(crate) fn patient_profile() -> String {
    let shorten = |line: &str| {
        if line == "[category.voice_audio]" {
            return format!("{line}\ncapability = [\"microphone\"]");
        }
        if line.starts_with("permit_ttl = ") {
            return "permit_ttl = \"PT60S\"".to_owned();
        }
        let short = SHORT.iter().find(|(key, _)| line.starts_with(&format!("{key} = \"")));
        match short {
            // the Chinese notice stays apart from the English one
            Some((key, text)) if line.is_ascii() => format!("{key} = \"{text}\""),
            Some((key, _)) => format!("{key} = \"好吗？\""),
            None => line.to_owned(),
        }
    };
    let home = HOME.lines().map(shorten).collect::<Vec<_>>().join("\n");
    let (purposes, processors) = (format!("purpose = [\n{PURPOSES}"), format!("processor = [\n{PROCESSORS}"));
    let home = home.replacen("purpose = [", &purposes, 1).replacen("processor = [", &processors, 1);
    // the dialogue may have what is kept, too
    let (told, may) =
        (r#"accepts = ["transcript", "memory_summary"]"#, r#"purposes = ["voice_interaction", "memory"]"#);
    let told_more = r#"accepts = ["transcript", "memory_summary", "chat_history", "knowledge_base"]"#;
    let may_more = r#"purposes = ["voice_interaction", "memory", "history", "knowledge"]"#;
    let dialogue = |line: &str| {
        if line.contains("rules-local") {
            line.replace(told, told_more).replace(may, may_more)
        } else {
            line.to_owned()
        }
    };
    home.lines().map(dialogue).collect::<Vec<_>>().join("\n") + CATEGORIES
}
