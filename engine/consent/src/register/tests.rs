//! What happens at intervals, one at a time.

use std::sync::Arc;

use sayso_policy::{ConsentStatus, Gate};
use sayso_runtime::Tasks;
use sayso_store::limits::READ_KEYS_MAX;
use sayso_store_local::{LocalOptions, LocalStore};
use sayso_types::{Category, ManualClock, TurnId, WallTime};

use super::*;
use crate::evidence::{Answer, Means, Question};
use crate::lease::{Ask, Lease};

const VOICE: sayso_types::Purpose = sayso_types::Purpose::VOICE_INTERACTION;

struct Node {
    clock: ManualClock,
    store: Arc<LocalStore>,
    register: Arc<Register>,
    _dir: tempfile::TempDir,
}

impl Node {
    async fn new() -> Self {
        Self::under(include_str!("../../tests/profile.toml")).await
    }

    async fn under(profile: &str) -> Self {
        let (dir, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
        let store = LocalStore::open(dir.path(), LocalOptions::new(Arc::new(clock.clone()))).unwrap();
        let profile = Profile::in_force_before(profile).unwrap();
        // longer than a test: what is at intervals is done here by hand
        let (profile, options) = (Arc::new(profile), Options { withdraw_wait: Duration::ZERO, ..Options::default() });
        let in_use = Arc::new(clock.clone());
        let vault = sayso_vault::testing::vault(store.clone()).await.unwrap();
        let register = Register::open(store.clone(), vault, profile, in_use, Tasks::new(), options).await.unwrap();
        Self { clock, store, register, _dir: dir }
    }

    async fn person(&self) -> SubjectId {
        let device = SubjectId::random().to_string();
        let subject = self.register.subject_of(&"acme".parse().unwrap(), &device.parse().unwrap()).await.unwrap();
        self.answers(subject, ConsentStatus::Given).await;
        subject
    }

    async fn answers(&self, subject: SubjectId, status: ConsentStatus) {
        let answer = Answer {
            tenant: "acme".parse().unwrap(),
            subject,
            status,
            question: Question::of(&[VOICE]),
            means: Means::Voice,
            notice_sha256: [1; 32],
            language: "en".into(),
            spoken: true,
            evidence_sha256: [2; 32],
        };
        self.register.record(&answer).await.unwrap();
    }

    async fn listen(&self, subject: SubjectId) -> Lease {
        let cv = self.register.state(subject).await.unwrap().cv;
        let (category, processor) = (Category::VOICE_AUDIO, "whisper-local".parse().unwrap());
        let gate = Gate::Recognition;
        let ask = Ask { subject, turn: TurnId(1), purpose: VOICE, category, cv, gate, processor };
        self.register.acquire(ask).await.unwrap()
    }

    fn ttl(&self) -> Duration {
        self.register.profile().defaults().permit_ttl
    }
}

#[tokio::test]
async fn permits_live_on_for_as_long_as_they_are_renewed() {
    let node = Node::new().await;
    let person = node.person().await;
    let lease = node.listen(person).await;
    for _ in 0..10 {
        node.clock.advance(node.ttl() * 2 / 3);
        node.register.renew_permits().await.unwrap();
        assert!(lease.permit().is_open());
    }
    node.clock.advance(node.ttl());
    assert!(!lease.permit().is_open(), "unless they are not");
    node.register.renew_permits().await.unwrap();
    assert!(!lease.permit().is_open(), "what ran out stays closed");
}

#[tokio::test]
async fn whoever_is_counted_by_the_year_asks_anew_in_the_next() {
    let near = "region = \"home\", region_class = \"local\", accepts = [\"voice_audio\"], purposes = [\"consent_answer\", \
                \"voice_interaction\"]";
    let far = "region = \"US\", region_class = \"overseas\", mechanism = \"certification\", accepts = [\"voice_audio\"], \
               purposes = [\"voice_interaction\"]";
    let text = include_str!("../../tests/profile.toml").replacen(near, far, 1);
    let node = Node::under(&format!("{text}\n[transfers]\noverseas = true\n")).await;
    let person = node.person().await;
    let year_of = |at| node.register.profile().year_of(at);
    let (year, now) = (year_of(node.clock.wall()), node.clock.wall().0);
    let (mut end, mut after) = (now, now + 366 * 86_400_000);
    while end + 1 < after {
        let middle = end.midpoint(after);
        *(if year_of(WallTime(middle)) == year { &mut end } else { &mut after }) = middle;
    }
    node.clock.advance(Duration::from_millis(after - now) - node.ttl() / 2);
    let lease = node.listen(person).await;
    node.register.renew_permits().await.unwrap();
    node.clock.advance(node.ttl() * 3 / 4);
    node.register.renew_permits().await.unwrap();
    assert!(lease.permit().is_open(), "it lasts for as long as it was given");
    node.clock.advance(node.ttl() / 4);
    node.register.renew_permits().await.unwrap();
    assert!(!lease.permit().is_open(), "and is not given for longer");
    let lease = node.listen(person).await;
    let (_, counted) = node.register.transfers_of(None).await.unwrap();
    assert_eq!((year_of(node.clock.wall()), counted.together.persons), (year + 1, 1));
    node.clock.advance(node.ttl() * 3 / 4);
    node.register.renew_permits().await.unwrap();
    node.clock.advance(node.ttl() / 2);
    assert!(lease.permit().is_open(), "which is renewed");
}

#[tokio::test]
async fn permits_are_not_renewed_without_consent_or_a_store() {
    let node = Node::new().await;
    let (person, other) = (node.person().await, node.person().await);
    let (lease, others) = (node.listen(person).await, node.listen(other).await);
    // given anew: what was labelled before is not covered any more
    node.answers(person, ConsentStatus::Given).await;
    node.clock.advance(node.ttl() / 2);
    node.register.renew_permits().await.unwrap();
    node.clock.advance(node.ttl() / 2);
    assert!(!lease.permit().is_open() && others.permit().is_open());

    node.store.close();
    assert!(node.register.renew_permits().await.is_err());
    node.clock.advance(node.ttl() / 2);
    assert!(!others.permit().is_open(), "fail closed");
}

#[tokio::test]
async fn more_subjects_than_one_read_holds_are_renewed() {
    let node = Node::new().await;
    let people = (0..=READ_KEYS_MAX).map(|_| async {
        let person = node.person().await;
        node.listen(person).await
    });
    let leases = futures::future::join_all(people).await;
    node.clock.advance(node.ttl() * 2 / 3);
    node.register.renew_permits().await.unwrap();
    node.clock.advance(node.ttl() * 2 / 3);
    assert!(leases.iter().all(|lease| lease.permit().is_open()));
}

#[tokio::test]
async fn a_pending_withdrawal_holds_up_neither_the_subject_nor_others() {
    let node = Node::new().await;
    let (person, other) = (node.person().await, node.person().await);
    let (stuck, fine) = (node.listen(person).await, node.listen(other).await);
    for subject in [person, other] {
        assert!(!node.register.withdraw(subject, &[], Means::Voice).await.unwrap().ok);
    }
    drop(fine);
    node.register.settle_pending().await.unwrap();
    let status = async |subject| node.register.state(subject).await.unwrap().status(VOICE);
    assert_eq!(status(person).await, ConsentStatus::Withdrawing);
    assert_eq!(status(other).await, ConsentStatus::Withdrawn);
    assert_eq!(lock(&node.register.pending).len(), 1, "only who waits is remembered");
    drop(stuck);
    node.register.settle_pending().await.unwrap();
    assert_eq!(status(person).await, ConsentStatus::Withdrawn);
    assert!(lock(&node.register.pending).is_empty());
}

#[tokio::test]
async fn nobody_who_is_gone_is_remembered() {
    let node = Node::new().await;
    for _ in 0..2_000 {
        drop(node.register.turn(SubjectId::random()));
    }
    assert!(lock(&node.register.turns).len() < 100, "subjects that nobody waits for are forgotten");
    let person = node.person().await;
    drop(node.listen(person).await);
    assert!(node.register.holders.subjects().is_empty());
}
