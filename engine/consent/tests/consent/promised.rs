//! What the five policies promise, at the gates of a register that is in service under the profile that is shipped: what is on
//! its way to somebody passes, or it does not. What `decide()` answers by itself is in `engine/policy/tests/seeds`.

mod aiwellflow;
mod chat_ai;
mod grounds;
mod xiaosuan;
mod xiaozhi;
mod zego;

use core::time::Duration;
use std::sync::Arc;

use sayso_audit::{Actor, ActorKind, Event, RequestStep};
use sayso_consent::rights::Desk;
use sayso_consent::{Answer, Ask, Denied, Means};
use sayso_policy::profile::{Draft, RightKind};
use sayso_policy::{AgeBand, ConsentStatus, Gate, Profile};
use sayso_types::{Clock, Name, ProcessorId, Purpose, SubjectId};

use crate::guarding::{guarded_by, said};
use crate::keeping::{DAY, Shipped, lawful, purpose};
use crate::world::{World, answer, ask, frame, until};

/// What a gate answers where data passes.
const OPEN: &str = "open";

/// They were asked for it alone and by its name.
const APART: Means = Means::Document { is_signed: false, is_guardians: false };

/// They only went on using the service.
const WENT_ON: Means = Means::Conduct(Name::constant("went_on"));

/// A register under a policy, and what it answers at its gates.
struct Gates(World);

impl Gates {
    /// Those of the variant that is shipped to be run.
    async fn of(policy: Shipped) -> Self {
        Self::under(lawful(policy)).await
    }

    async fn under(profile: Arc<Profile>) -> Self {
        Self(World::under(profile).await)
    }

    /// Somebody of that age, without a guardian.
    async fn aged(&self, age: AgeBand) -> SubjectId {
        let person = self.0.stranger().await;
        self.0.register.set_age(person, said(age, None), Actor::SYSTEM).await.unwrap();
        person
    }

    /// Verifies a guardian of the person's by a method that the policy has.
    async fn guarded(&self, person: SubjectId) {
        let profile = self.0.register.profile();
        let method = profile.document().minors.verify_methods.first().expect("there is a way to verify guardians");
        guarded_by(&self.0, person, method.parse().unwrap()).await;
    }

    /// Records a yes to `purposes` (with white space between them) in one answer.
    async fn yes(&self, person: SubjectId, purposes: &str, means: Means) {
        let purposes: Vec<Purpose> = purposes.split_whitespace().map(purpose).collect();
        // what an integrator keeps shows that one person agreed, once
        let evidence = SubjectId::random().0;
        let evidence_sha256 = core::array::from_fn(|at| evidence[at % evidence.len()]);
        let yes = Answer { means, evidence_sha256, ..answer(person, &purposes, ConsentStatus::Given) };
        self.0.register.record(&yes).await.unwrap();
    }

    /// Records a yes to each of `purposes`, which was asked for alone and by its name.
    async fn yes_to_each(&self, person: SubjectId, purposes: &str) {
        for purpose in purposes.split_whitespace() {
            self.yes(person, purpose, APART).await;
        }
    }

    /// Takes consent to `purposes` back, which is answered once every gate for it is shut.
    async fn takes_back(&self, person: SubjectId, purposes: &str) {
        let purposes: Vec<Purpose> = purposes.split_whitespace().map(purpose).collect();
        assert!(self.0.register.withdraw(person, &purposes, Means::Integrator).await.unwrap().ok);
    }

    /// What becomes of the person's data on its way to `purpose/category/processor`: [`OPEN`] where it passes, else the reason.
    async fn answer(&self, person: SubjectId, way: &str) -> String {
        let [purpose, category, processor] = way.split('/').collect::<Vec<_>>().try_into().unwrap();
        let (processor, profile): (ProcessorId, _) = (processor.parse().unwrap(), self.0.register.profile());
        // whoever the profile does not know would be asked for at some gate
        let gate = profile.processor(processor).map_or(Gate::Dialogue, |known| Gate::of(known.kind));
        let (purpose, category) = (purpose.parse().unwrap(), category.parse().unwrap());
        let asked = Ask { purpose, category, gate, processor, ..ask(person, self.0.state(person).await.cv) };
        match self.0.register.acquire(asked).await {
            Ok(lease) => lease.permit().pass(frame(&asked), drop).map(|()| OPEN.to_owned()).unwrap(),
            Err(Denied::Policy(reason)) => reason.to_string(),
            Err(error) => panic!("{way}: {error}"),
        }
    }

    /// Asserts what becomes of the person's data on each way, with the clause that promises it.
    async fn promise(&self, person: SubjectId, promised: &[(&str, &str, &str)]) {
        let mut wrong = Vec::new();
        for (way, promise, clause) in promised {
            let answer = self.answer(person, way).await;
            if answer != *promise {
                wrong.push(format!("{way}: {answer}, but {clause} promises {promise}"));
            }
        }
        assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    }

    /// Announces `revision`, which asks for what people have not agreed to, and waits until it is in force.
    async fn revise(&self, revision: Arc<Profile>) {
        self.0.register.announce(revision).await.unwrap().expect("what matters is announced");
        self.0.clock.advance(60 * DAY);
        until(|| self.0.register.profile().rev() == 2).await;
    }

    /// Nobody below that age is heard or kept without a guardian, whatever they agree to; with one they are.
    async fn need_a_guardian(&self, age: AgeBand, purposes: &str, ways: &[&str]) {
        let alone = self.aged(age).await;
        for way in ways {
            assert_eq!(self.answer(alone, way).await, "minor_no_guardian", "{way}");
        }
        self.guarded(alone).await;
        for purpose in purposes.split_whitespace() {
            self.yes(alone, purpose, Means::Document { is_signed: false, is_guardians: true }).await;
        }
        for way in ways {
            assert_eq!(self.answer(alone, way).await, OPEN, "{way}");
        }
    }
}

/// The end of 22 January 2026 in mainland China. Whoever asks on New Year's Day waits until then: for fifteen working days, of
/// which the holidays are none and the Sunday that is worked instead is one.
const FIFTEENTH: u64 = 1_769_097_600_000;

/// Whoever asks has an answer within fifteen working days, or that is on record.
async fn answers_within_fifteen_working_days(policy: Shipped) {
    let gates = Gates::of(policy).await;
    let (desk, anna) = (Desk::open(gates.0.register.clone()), gates.0.stranger().await);
    let asked = desk.receive(anna, RightKind::Explain, Actor { kind: ActorKind::Tenant, tag: None }).await.unwrap();
    let is_late_at = async |wall: u64| {
        gates.0.clock.advance(Duration::from_millis(wall - gates.0.clock.wall().0));
        desk.note_overdue().await.unwrap();
        desk.of(anna).await.unwrap().into_iter().find(|one| one.id == asked.id).unwrap().is_overdue
    };
    assert!(!is_late_at(FIFTEENTH).await, "{:?}", asked.due);
    assert!(is_late_at(FIFTEENTH + 1).await, "{:?}", asked.due);
    let told = |event: &Event| matches!(event, Event::Request { step: RequestStep::Overdue, request, .. } if *request == asked.id);
    gates.0.until_told(told).await;
}

/// `text` with each first occurrence replaced.
fn replaced(text: &str, changes: &[(&str, &str)]) -> String {
    changes.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "the variant has no {from:?} any more");
        text.replacen(from, to, 1)
    })
}

/// `policy` in an operator's copy with these changes in the text of its variant.
fn changed((written, lawful): Shipped, changes: &[(&str, &str)]) -> Arc<Profile> {
    let written = written.replace("permit_ttl = \"PT3S\"", "permit_ttl = \"PT0.5S\"");
    Arc::new(Draft::parse(&replaced(lawful, changes), Some(&written)).unwrap().accept().unwrap())
}

/// The next revision of `policy`, with these changes in the text of its variant, which holds from March 2026 on.
fn next((written, lawful): Shipped, changes: &[(&str, &str)]) -> Arc<Profile> {
    let dated = |text: &str| {
        let line = |line: &str| match line.split_once(" = ") {
            Some(("rev", _)) => "rev = 2".to_owned(),
            Some(("published_at", _)) => "published_at = 2026-01-02T00:00:00+08:00".to_owned(),
            Some(("effective_at", _)) => "effective_at = 2026-03-01T00:00:00+08:00".to_owned(),
            _ => line.replace("permit_ttl = \"PT3S\"", "permit_ttl = \"PT0.5S\""),
        };
        text.lines().map(line).collect::<Vec<_>>().join("\n")
    };
    let (written, lawful) = (dated(written), dated(&replaced(lawful, changes)));
    Arc::new(Draft::parse(&lawful, Some(&written)).unwrap().accept().unwrap())
}

/// Whoever agreed stays under the revision that they agreed to, however long they go on, until they agree to `change`; and the
/// gate of `way`, which rests on `about`, lets through what it let through before.
async fn going_on_agrees_to_nothing(policy: Shipped, change: (&str, &str), about: &str, way: &str) {
    let gates = Gates::of(policy).await;
    let (anna, about) = (gates.0.stranger().await, purpose(about));
    // what a purpose requires comes first
    let profile = gates.0.register.profile();
    let first = profile.document().required(profile.purpose(about).unwrap());
    for required in first.iter().chain([&about]) {
        gates.yes(anna, required.as_str(), APART).await;
    }
    assert_eq!(gates.answer(anna, way).await, OPEN);

    gates.revise(next(policy, &[change])).await;
    let governs = async |person| gates.0.register.revisions().governing(about, &gates.0.state(person).await).rev();
    let asks = gates.0.register.revisions().asks(&gates.0.state(anna).await);
    assert_eq!(asks, [about], "she is asked for what has changed");
    for _ in 0..3 {
        assert_eq!(gates.answer(anna, way).await, OPEN, "as she agreed to it");
        assert_eq!(governs(anna).await, 1, "to go on is to agree to nothing new");
    }
    let ben = gates.0.stranger().await;
    assert_eq!(gates.answer(ben, way).await, "no_basis", "nor does it hold for anybody by itself");
    gates.yes(anna, about.as_str(), APART).await;
    assert_eq!((governs(anna).await, gates.answer(anna, way).await.as_str()), (2, OPEN));
}
