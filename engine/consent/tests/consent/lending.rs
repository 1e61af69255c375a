//! Permits outside of the node: OK is said when their holders have let go, or can be using them no longer.

use core::time::Duration;
use std::sync::Arc;

use sayso_audit::{Actor, ActorKind, ActorTag, Event, FlowEvent, Leaf};
use sayso_consent::switch::{Position, Target, Throw};
use sayso_consent::{Borrower, Denied, Error, Loan, Means, Options, Register};
use sayso_policy::{ConsentStatus, Passed, Profile, Reason};
use sayso_proto::consent::v1 as proto;
use sayso_types::{Clock, ManualClock, Mono, Name, SubjectId};

use crate::faults::Fault;
use crate::world::{MEMORY, TTL, VOICE, World, answer, ask, processor, profile_text};

/// Who asks, as the log names them.
const SERVICE: Actor = Actor { kind: ActorKind::Tenant, tag: Some(ActorTag([5; 16])) };

/// After this nobody can be using a permit of which nothing was heard any more.
const OVER: Duration = Duration::from_nanos(TTL.as_nanos() as u64 / 6 + TTL.as_nanos() as u64);

fn sent() -> Option<Passed> {
    Some(Passed { bytes: 70, pieces: 1, hash: [3; 32] })
}

/// One that is stopped when its time is over, whatever has become of whoever asked for it.
const WATCHED: Borrower = Borrower { actor: SERVICE, ends_by_itself: true };

/// One that may be stopped for as long as somebody likes, and then goes on.
const UNWATCHED: Borrower = Borrower { actor: SERVICE, ends_by_itself: false };

const OPERATOR: Actor = Actor { kind: ActorKind::Operator, tag: Some(ActorTag([6; 16])) };

impl World {
    pub(crate) async fn lend(&self, subject: SubjectId) -> Result<Loan, Denied> {
        self.lend_to(subject, WATCHED).await
    }

    async fn lend_to(&self, subject: SubjectId, borrower: Borrower) -> Result<Loan, Denied> {
        self.register.lend(ask(subject, self.state(subject).await.cv), borrower).await
    }

    async fn fence(&self, processor: &str, permit: Option<[u8; 16]>) -> (usize, usize) {
        let fenced = self.register.fence(crate::world::processor(processor), permit, OPERATOR).await.unwrap();
        (fenced.ended, fenced.left)
    }

    /// Asks for a withdrawal of everything; whether it is OK.
    async fn is_withdrawn(&self, subject: SubjectId) -> bool {
        self.register.withdraw(subject, &[], Means::Voice).await.unwrap().ok
    }

    async fn until_withdrawn(&self, subject: SubjectId) {
        self.until(subject, |state| state.status(VOICE) == ConsentStatus::Withdrawn).await;
    }

    /// Why each segment ended, and what was said to have passed.
    async fn closed(&self) -> Vec<(String, u64)> {
        let ended = |leaf: &Leaf| match &leaf.fact.event {
            Event::SegmentClosed { reason, bytes, .. } => Some((reason.to_string(), *bytes)),
            _ => None,
        };
        self.leaves().await.iter().filter_map(ended).collect()
    }
}

#[tokio::test]
async fn a_withdrawal_is_pending_until_whoever_has_a_permit_outside_has_let_go() {
    let world = World::impatient().await;
    let person = world.person(&[VOICE]).await;
    let loan = world.lend(person).await.unwrap();
    assert_eq!((loan.lasts(), loan.why()), (TTL, None));
    let from = world.size().await;

    assert!(!world.is_withdrawn(person).await, "somebody has a permit");
    assert!(loan.revocation().is_cancelled());
    assert_eq!(loan.why(), Some("withdrawn"));
    assert_eq!(loan.renew().await.unwrap(), None);
    assert!(matches!(world.lend(person).await, Err(Denied::Policy(Reason::NoBasis))));
    assert!(!world.is_withdrawn(person).await, "asking again changes nothing");

    loan.let_go(sent()).await.unwrap();
    world.until_withdrawn(person).await;
    assert_eq!(world.closed().await, [("withdrawn".to_owned(), 70)]);
    let told = world.told_since(from).await;
    let told: Vec<_> = told.into_iter().filter(|name| *name != "gate.denied").collect();
    assert_eq!(
        told,
        [
            "withdraw.requested",
            "withdraw.pending_timeout",
            "permit.revoke_acked",
            "egress.segment_closed",
            "withdraw.effective"
        ]
    );
    let leaves = world.leaves().await;
    let about = |leaf: &&Leaf| {
        let is_told = matches!(leaf.fact.event, Event::SegmentOpened { .. } | Event::SegmentClosed { .. });
        is_told || matches!(leaf.fact.event, Event::Flow(FlowEvent::RevokeAcknowledged { .. }))
    };
    assert!(leaves.iter().filter(about).all(|leaf| leaf.fact.actor == SERVICE), "the log says who asked");
    world.ends_spotless().await;
}

#[tokio::test]
async fn whoever_waits_for_a_withdrawal_is_told_what_had_passed() {
    let world = World::new().await;
    let person = world.person(&[VOICE]).await;
    let loan = world.lend(person).await.unwrap();
    let holder = async {
        loan.revocation().cancelled().await;
        loan.let_go(sent()).await.unwrap();
    };
    let (withdrawn, ()) = tokio::join!(world.register.withdraw(person, &[], Means::Voice), holder);
    let withdrawn = withdrawn.unwrap();
    assert!(withdrawn.ok);
    let [outcome] = withdrawn.holders.as_slice() else { panic!("one holder") };
    assert_eq!((outcome.state(), outcome.bytes), (proto::HolderState::Acknowledged, 70));
    assert_eq!(outcome.permit_id, loan.id());
    world.ends_spotless().await;
}

#[tokio::test]
async fn a_holder_that_ends_by_itself_is_waited_for_until_its_time_is_over() {
    let world = World::impatient().await;
    let person = world.person(&[VOICE]).await;
    // the stream is lost, and with it whoever would tell the holder or hear from it
    drop(world.lend(person).await.unwrap());
    assert!(!world.is_withdrawn(person).await);
    world.clock.advance(OVER - Duration::from_nanos(1));
    assert!(!world.is_withdrawn(person).await, "it may be using it up to its last moment, by a slow clock");
    let refused = world.register.record(&answer(person, &[VOICE], ConsentStatus::Given)).await.unwrap_err();
    let left = Duration::from_nanos(1);
    assert!(matches!(refused, Error::Withdrawing { within: Some(within) } if within == left), "{refused}");
    world.clock.advance(Duration::from_nanos(1));
    world.until_withdrawn(person).await;
    assert_eq!(world.closed().await, [("ran_out".to_owned(), 0)], "the log does not say that it let go");
    let told = world.told_since(0).await;
    assert!(told.contains(&"permit.expired") && !told.contains(&"permit.revoke_acked"), "{told:?}");
    world.ends_spotless().await;
}

#[tokio::test]
async fn a_holder_of_whom_nothing_is_heard_is_waited_for_until_it_says_so_whatever_the_time() {
    let world = World::impatient().await;
    let person = world.person(&[VOICE]).await;
    let loan = world.lend_to(person, UNWATCHED).await.unwrap();
    let id = loan.id();
    drop(loan);
    assert!(!world.is_withdrawn(person).await);
    world.clock.advance(100 * OVER);
    assert!(!world.is_withdrawn(person).await, "it may be stopped, and go on with what it was about to send");
    let refused = world.register.record(&answer(person, &[VOICE], ConsentStatus::Given)).await.unwrap_err();
    assert!(matches!(refused, Error::Silent(silent) if silent == processor("whisper-local")), "{refused}");

    // it goes on, and says so on another stream
    let others = [processor("voice-local")].into();
    assert!(!world.register.let_go_elsewhere(id, &others, sent()).await.unwrap(), "it is not theirs");
    let theirs = [processor("whisper-local")].into();
    assert!(world.register.let_go_elsewhere(id, &theirs, sent()).await.unwrap());
    assert!(!world.register.let_go_elsewhere(id, &theirs, sent()).await.unwrap(), "there is none any more");
    world.until_withdrawn(person).await;
    assert_eq!(world.closed().await, [("withdrawn".to_owned(), 70)]);
    world.ends_spotless().await;
}

#[tokio::test]
async fn whoever_is_silent_for_good_is_fenced_by_an_operator_who_is_on_record() {
    let world = World::impatient().await;
    let (anna, ben) = (world.person(&[VOICE]).await, world.person(&[VOICE]).await);
    let (of_anna, of_ben) =
        (world.lend_to(anna, UNWATCHED).await.unwrap(), world.lend_to(ben, UNWATCHED).await.unwrap());
    assert!(!world.is_withdrawn(anna).await);
    assert_eq!(world.fence("whisper-local", None).await, (0, 2), "somebody may be renewing them");
    world.clock.advance(OVER);
    assert_eq!(of_ben.renew().await.unwrap(), None);
    let listening = world.lend_to(ben, UNWATCHED).await.unwrap();
    assert_eq!(world.fence("voice-local", None).await, (0, 0), "it has none");
    assert_eq!(world.fence("whisper-local", Some([9; 16])).await, (0, 0), "nor of that name");
    assert_eq!(world.fence("whisper-local", Some(of_ben.id())).await, (1, 0));
    assert!(!world.is_withdrawn(anna).await, "it was not hers");
    assert_eq!(world.fence("whisper-local", None).await, (1, 1));
    let withdrawn = world.register.withdraw(anna, &[], Means::Voice).await.unwrap();
    assert!(withdrawn.ok);
    let written = world.register.withdrawals(anna).await.unwrap();
    let [outcome] = written[0].holders.as_slice() else { panic!("one holder") };
    assert_eq!((outcome.state(), outcome.uncounted), (proto::HolderState::Fenced, true));
    assert_eq!(world.closed().await, [("fenced".to_owned(), 0), ("fenced".to_owned(), 0)]);
    let leaves = world.leaves().await;
    let closed = leaves.iter().filter(|leaf| matches!(leaf.fact.event, Event::SegmentClosed { .. }));
    assert!(closed.clone().all(|leaf| leaf.fact.actor == OPERATOR), "the log says who has made sure");
    of_anna.let_go(sent()).await.unwrap();
    assert_eq!(closed.count(), 2, "it is over already");
    listening.let_go(sent()).await.unwrap();
    world.ends_spotless().await;
}

#[tokio::test]
async fn whoever_listens_is_told_when_they_have_not_renewed() {
    let world = World::impatient().await;
    let person = world.person(&[VOICE]).await;
    let loan = world.lend_to(person, UNWATCHED).await.unwrap();
    world.clock.advance(OVER);
    loan.revocation().cancelled().await;
    assert_eq!((loan.why(), loan.renew().await.unwrap()), (Some("not_renewed"), None));
    loan.let_go(sent()).await.unwrap();
    assert_eq!(world.closed().await, [("not_renewed".to_owned(), 70)]);
    assert!(world.is_withdrawn(person).await);
    world.ends_spotless().await;
}

#[tokio::test]
async fn that_time_ran_out_counts_where_the_policy_says_so_by_name() {
    let text = profile_text().replacen("gate = \"deny\"", "gate = \"deny\"\nwithdraw_mode = \"expiry\"", 1);
    let profile = Arc::new(Profile::in_force_before(&text).unwrap());
    let options = Options { withdraw_wait: Duration::ZERO, ..Options::default() };
    let world = World::under(Arc::clone(&profile)).await.restarted(Arc::clone(&profile), options).await;
    let person = world.person(&[VOICE]).await;
    drop(world.lend_to(person, UNWATCHED).await.unwrap());
    assert!(!world.is_withdrawn(person).await);
    world.clock.advance(OVER);
    world.until_withdrawn(person).await;
    let written = world.register.withdrawals(person).await.unwrap();
    assert_eq!(written[0].holders[0].state(), proto::HolderState::Expired, "and the outcome says so");
    world.ends_spotless_under(profile).await;
}

#[tokio::test]
async fn of_two_holders_the_silent_one_decides() {
    let world = World::impatient().await;
    let person = world.person(&[VOICE]).await;
    let (loud, silent) = (world.lend(person).await.unwrap(), world.lend(person).await.unwrap());
    assert!(!world.is_withdrawn(person).await);
    loud.let_go(sent()).await.unwrap();
    let pending = world.register.withdraw(person, &[], Means::Voice).await.unwrap();
    let outstanding = |outcome: &&proto::HolderOutcome| outcome.state() == proto::HolderState::Outstanding;
    let left: Vec<_> = pending.holders.iter().filter(outstanding).map(|left| left.permit_id.clone()).collect();
    assert_eq!((pending.ok, left), (false, vec![silent.id().to_vec()]));
    world.clock.advance(OVER);
    world.until_withdrawn(person).await;
    assert_eq!(world.closed().await, [("withdrawn".to_owned(), 70), ("ran_out".to_owned(), 0)]);
    world.ends_spotless().await;
}

#[tokio::test]
async fn what_is_said_again_changes_nothing() {
    let world = World::impatient().await;
    let person = world.person(&[VOICE]).await;
    let (loan, other) = (world.lend(person).await.unwrap(), world.lend(person).await.unwrap());
    let same = loan.clone();
    assert!(!world.is_withdrawn(person).await);
    loan.let_go(sent()).await.unwrap();
    loan.let_go(Some(Passed { bytes: 1, ..Passed::default() })).await.unwrap();
    same.let_go(sent()).await.unwrap();
    assert_eq!(world.closed().await, [("withdrawn".to_owned(), 70)]);
    assert!(!world.is_withdrawn(person).await, "one that lets go three times is not two");
    other.let_go(sent()).await.unwrap();
    world.until_withdrawn(person).await;
    world.ends_spotless().await;
}

#[tokio::test]
async fn a_permit_outside_lives_as_long_as_it_is_renewed_and_no_longer() {
    let world = World::impatient().await;
    let person = world.person(&[VOICE]).await;
    let loan = world.lend(person).await.unwrap();
    for _ in 0..5 {
        world.clock.advance(TTL * 2 / 3);
        assert_eq!(loan.renew().await.unwrap(), Some(TTL));
    }
    world.clock.advance(TTL);
    assert_eq!(loan.renew().await.unwrap(), None, "what ran out is not renewed, though the node waits a little longer");
    world.clock.advance(OVER);
    world.until_told(|event| matches!(event, Event::SegmentClosed { .. })).await;
    assert_eq!(world.closed().await, [("ran_out".to_owned(), 0)]);
    loan.let_go(sent()).await.unwrap();
    assert_eq!(world.closed().await, [("ran_out".to_owned(), 0)], "it is over already");
    assert!(world.is_withdrawn(person).await);
    world.ends_spotless().await;
}

#[tokio::test]
async fn a_switch_takes_back_what_is_used_outside() {
    let world = World::impatient().await;
    let person = world.person(&[VOICE]).await;
    let loan = world.lend(person).await.unwrap();
    let off = Throw {
        target: Target::Processor(processor("whisper-local")),
        to: Position::Off,
        reason: Name::constant("leak"),
        incident: None,
    };
    assert_eq!(world.register.throw(off, SERVICE).await.unwrap().ended, 1);
    assert_eq!((loan.why(), loan.renew().await.unwrap()), (Some("switched_off"), None));
    assert!(matches!(world.lend(person).await, Err(Denied::Policy(Reason::ProcessorState))));
    loan.let_go(sent()).await.unwrap();
    world.ends_spotless().await;
}

#[tokio::test]
async fn an_end_that_cannot_be_recorded_yet_is_recorded_as_it_was() {
    let world = World::impatient().await;
    let person = world.person(&[VOICE]).await;
    let loan = world.lend(person).await.unwrap();
    assert!(!world.is_withdrawn(person).await);
    world.store.fail(Fault::Full);
    assert!(loan.let_go(sent()).await.is_err());
    assert_eq!(world.state(person).await.status(VOICE), ConsentStatus::Withdrawing, "not on record, not in effect");
    world.store.fail(Fault::None);
    world.until_withdrawn(person).await;
    assert_eq!(world.closed().await, [("withdrawn".to_owned(), 70)]);
    world.ends_spotless().await;
}

#[tokio::test]
async fn a_node_that_is_started_again_waits_for_what_it_gave_before() {
    let world = World::impatient().await;
    let (anna, ben) = (world.person(&[VOICE]).await, world.person(&[VOICE]).await);
    drop((world.lend(anna).await.unwrap(), world.lend(ben).await.unwrap()));
    let dora = world.person(&[VOICE]).await;
    drop(world.lend_to(dora, UNWATCHED).await.unwrap());
    assert!(!world.is_withdrawn(ben).await, "interrupted in its midst");

    let options = Options { withdraw_wait: Duration::ZERO, ..Options::default() };
    let world = world.again_with(options).await;
    assert!(!world.is_withdrawn(anna).await, "begun anew");
    assert!(!world.is_withdrawn(ben).await, "and gone on with");
    let carl = world.person(&[VOICE]).await;
    assert!(world.is_withdrawn(carl).await, "nobody else waits");
    world.clock.advance(OVER - Duration::from_nanos(1));
    assert!(!world.is_withdrawn(anna).await && !world.is_withdrawn(ben).await);
    world.clock.advance(Duration::from_nanos(1));
    world.until_withdrawn(anna).await;
    world.until_withdrawn(ben).await;
    assert_eq!(world.closed().await, [("ran_out".to_owned(), 0), ("ran_out".to_owned(), 0)]);
    world.clock.advance(100 * OVER);
    assert!(!world.is_withdrawn(dora).await, "she has a holder who may go on");
    assert_eq!(world.fence("whisper-local", None).await, (1, 0));
    world.until_withdrawn(dora).await;
    world.ends_spotless().await;
}

/// One holder, as it sees itself.
struct Holding {
    loan: Loan,
    /// Until when it uses the permit, unless it is told or renews it.
    until: Mono,
    /// It is told nothing and says nothing.
    is_deaf: bool,
    /// What uses it is ended in time. Anybody else who is deaf is stopped, and may go on at any time.
    is_watched: bool,
}

impl Holding {
    fn uses(&self, now: Mono) -> bool {
        let is_in_time = now < self.until || self.is_stopped();
        is_in_time && (self.is_deaf || !self.loan.revocation().is_cancelled())
    }

    fn is_stopped(&self) -> bool {
        self.is_deaf && !self.is_watched
    }
}

/// Asks for a permit; what its holder makes of the answer, which took a while.
async fn hold(
    register: &Arc<Register>,
    clock: &ManualClock,
    subject: SubjectId,
    (is_deaf, is_watched): (bool, bool),
) -> Option<Holding> {
    let borrower = if is_watched { WATCHED } else { UNWATCHED };
    let sent_at = clock.now();
    let cv = register.state(subject).await.unwrap().cv;
    clock.advance(Duration::from_millis(20));
    let loan = register.lend(ask(subject, cv), borrower).await.ok()?;
    let until = sent_at.after(loan.lasts());
    Some(Holding { loan, until, is_deaf, is_watched })
}

/// The law: whatever holders, renewals, withdrawals and times come together, once OK is said nobody uses a permit.
#[tokio::test]
async fn once_ok_is_said_nobody_uses_a_permit() {
    for seed in 0..12 {
        let mut random = fastrand::Rng::with_seed(seed);
        let world = World::impatient().await;
        let person = world.person(&[VOICE, MEMORY]).await;
        let mut holdings: Vec<Holding> = Vec::new();
        for _ in 0..60 {
            match random.u8(0..10) {
                0..3 => {
                    let is = (random.bool(), seed % 2 == 0 || random.u8(0..4) > 0);
                    holdings.extend(hold(&world.register, &world.clock, person, is).await);
                }
                3..5 => {
                    let sent_at = world.clock.now();
                    for holding in holdings.iter_mut().filter(|_| random.bool()) {
                        if holding.uses(sent_at)
                            && let Some(lasts) = holding.loan.renew().await.unwrap()
                        {
                            holding.until = holding.until.max(sent_at.after(lasts));
                        }
                    }
                }
                5 if !holdings.is_empty() => {
                    let holding = holdings.swap_remove(random.usize(0..holdings.len()));
                    // one that is stopped for good says nothing
                    if !holding.is_stopped() {
                        holding.loan.let_go(sent()).await.unwrap();
                    }
                }
                6 => {
                    world.clock.advance(Duration::from_millis(random.u64(0..300)));
                    // an operator looks before they say that nobody is there
                    if !holdings.iter().any(Holding::is_stopped) {
                        world.fence("whisper-local", None).await;
                    }
                }
                // refused while a withdrawal waits for somebody
                7 => drop(world.register.record(&answer(person, &[VOICE], ConsentStatus::Given)).await),
                _ => {
                    let is_ok = world.is_withdrawn(person).await;
                    let now = world.clock.now();
                    assert!(!is_ok || !holdings.iter().any(|holding| holding.uses(now)), "seed {seed}");
                    for holding in holdings.extract_if(.., |holding| !holding.is_deaf) {
                        holding.loan.let_go(sent()).await.unwrap();
                    }
                }
            }
        }
        // and it is said in the end
        let _ = world.is_withdrawn(person).await;
        for holding in holdings.extract_if(.., |holding| !holding.is_deaf) {
            holding.loan.let_go(sent()).await.unwrap();
        }
        world.clock.advance(OVER);
        assert!(!holdings.iter().any(Holding::is_stopped) || !world.is_withdrawn(person).await, "seed {seed}");
        // an operator has made sure of them
        assert_eq!(world.fence("whisper-local", None).await.1, 0, "seed {seed}");
        world.until(person, |state| state.status(VOICE) == ConsentStatus::Withdrawn).await;
        world.ends_spotless().await;
    }
}
