//! W3: what people, gates and withdrawals see of each other could have come about one after the other.
//!
//! A withdrawal is no single step: consent closes first, then gate by gate, then it is OK. Each of these is one object with
//! a history of its own, and histories of objects may be checked apart (Herlihy and Wing, "Linearizability", 1990):
//! *consent*, which giving and withdrawing change and which acquiring a permit reads; and each *permit*, which withdrawing
//! closes and which passing a frame reads.

use core::fmt::Debug;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;
use sayso_consent::{Denied, Lease, Means};
use sayso_policy::ConsentStatus;
use sayso_runtime::TaskKind;
use sayso_runtime::tasks::Exit;
use sayso_types::SubjectId;
use stateright::semantics::{ConsistencyTester, LinearizabilityTester, SequentialSpec};
use tokio::sync::watch;

use crate::world::{VOICE, World, ask, frame};

/// Histories, each of another person.
const ROUNDS: u64 = 60;
/// Permits that each sender asks for in one.
const PERMITS: usize = 3;
/// Frames that it sends under each.
const FRAMES: usize = 3;
/// Those who take consent back, and withdrawals of each.
const WITHDRAWERS: usize = 2;
const WITHDRAWALS: usize = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    Give,
    Withdraw,
    /// Acquire the permit of this number.
    Acquire(usize),
    /// Pass a frame under it.
    Pass(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Done,
    Allowed,
    Refused,
}

/// What was called and answered, in order.
#[derive(Clone, Copy, Debug)]
enum Moment {
    Call(Op),
    Return(Answer),
}

/// By whom, and what.
type History = Vec<(usize, Moment)>;

/// Consent, as if there were one step at a time.
#[derive(Clone, Debug, Default)]
struct Consent {
    is_given: bool,
}

impl SequentialSpec for Consent {
    type Op = Op;
    type Ret = Answer;

    fn invoke(&mut self, op: &Op) -> Answer {
        match op {
            Op::Give => self.is_given = true,
            Op::Withdraw => self.is_given = false,
            Op::Acquire(_) | Op::Pass(_) if self.is_given => return Answer::Allowed,
            Op::Acquire(_) | Op::Pass(_) => return Answer::Refused,
        }
        Answer::Done
    }
}

/// A permit, as if there were one step at a time.
#[derive(Clone, Debug, Default, PartialEq)]
enum Permit {
    #[default]
    NotYet,
    Open,
    Closed,
}

impl SequentialSpec for Permit {
    type Op = Op;
    type Ret = Answer;

    fn invoke(&mut self, op: &Op) -> Answer {
        match op {
            Op::Acquire(_) => *self = Self::Open,
            Op::Withdraw if *self == Self::Open => *self = Self::Closed,
            Op::Pass(_) if *self == Self::Open => {}
            Op::Pass(_) => return Answer::Refused,
            Op::Give | Op::Withdraw => return Answer::Done,
        }
        if matches!(op, Op::Withdraw) { Answer::Done } else { Answer::Allowed }
    }
}

/// Whether what `concerns` an object could have come about one step after the other.
fn is_linearizable<S>(history: &History, object: S, concerns: impl Fn(Op) -> bool) -> bool
where
    S: SequentialSpec<Op = Op, Ret = Answer> + Clone + Debug,
{
    let mut tester = LinearizabilityTester::new(object);
    let mut under_way = BTreeSet::new();
    for (who, moment) in history {
        let noted = match moment {
            Moment::Call(op) if concerns(*op) => {
                under_way.insert(*who);
                tester.on_invoke(*who, *op)
            }
            Moment::Return(answer) if under_way.remove(who) => tester.on_return(*who, *answer),
            Moment::Call(_) | Moment::Return(_) => continue,
        };
        assert!(noted.is_ok(), "nobody does two things at once");
    }
    tester.is_consistent()
}

fn check(history: &History) {
    let of_consent = |op| matches!(op, Op::Give | Op::Withdraw | Op::Acquire(_));
    assert!(is_linearizable(history, Consent::default(), of_consent), "consent: {history:?}");
    for permit in acquired(history) {
        let of_permit = |op| op == Op::Withdraw || op == Op::Acquire(permit) || op == Op::Pass(permit);
        assert!(is_linearizable(history, Permit::default(), of_permit), "permit {permit}: {history:?}");
    }
}

/// The permits that somebody got.
fn acquired(history: &History) -> Vec<usize> {
    let mut asked = [None; 8];
    let mut got = Vec::new();
    for (who, moment) in history {
        match (moment, asked[*who].take()) {
            (Moment::Call(Op::Acquire(permit)), _) => asked[*who] = Some(*permit),
            (Moment::Return(Answer::Allowed), Some(permit)) => got.push(permit),
            _ => {}
        }
    }
    got
}

/// One person, and everybody who has to do with their consent.
struct Round {
    world: Arc<World>,
    subject: SubjectId,
    history: Mutex<History>,
    /// Withdrawals that are over.
    withdrawn: watch::Sender<usize>,
}

impl Round {
    fn note(&self, who: usize, moment: Moment) {
        self.history.lock().unwrap().push((who, moment));
    }

    async fn does<T>(&self, who: usize, op: Op, work: impl Future<Output = (T, Answer)>) -> T {
        self.note(who, Moment::Call(op));
        let (value, answer) = work.await;
        self.note(who, Moment::Return(answer));
        value
    }

    async fn give(&self, who: usize) {
        let work = async { (self.world.answers(self.subject, &[VOICE], ConsentStatus::Given).await, Answer::Done) };
        self.does(who, Op::Give, work).await;
    }

    async fn withdraw(&self, who: usize) {
        let work = async {
            let withdrawn = self.world.register.withdraw(self.subject, &[VOICE], Means::Voice).await.unwrap();
            assert!(withdrawn.ok, "everybody lets go");
            ((), Answer::Done)
        };
        self.does(who, Op::Withdraw, work).await;
        self.withdrawn.send_modify(|over| *over += 1);
    }

    /// Waits until `lease` is taken back, or until a withdrawal is over, which then must have taken it back.
    async fn until_something_changes(&self, lease: &Lease) {
        let mut withdrawn = self.withdrawn.subscribe();
        if *withdrawn.borrow_and_update() < WITHDRAWERS * WITHDRAWALS {
            tokio::select! {
                () = lease.revoked() => {}
                _ = withdrawn.changed() => {}
            }
        }
    }

    /// Asks for permits and sends under each.
    async fn send(self: Arc<Self>, who: usize, mut random: fastrand::Rng) {
        for n in 0..PERMITS {
            let permit = who * PERMITS + n;
            let work = async {
                let asked = ask(self.subject, self.world.state(self.subject).await.cv);
                match self.world.register.acquire(asked).await {
                    Ok(lease) => (Some((lease, asked)), Answer::Allowed),
                    Err(Denied::Policy(_)) => (None, Answer::Refused),
                    Err(denied) => panic!("{denied}"),
                }
            };
            let Some((lease, asked)) = self.does(who, Op::Acquire(permit), work).await else { continue };
            for _ in 0..FRAMES {
                if random.bool() {
                    wander(&mut random).await;
                } else {
                    self.until_something_changes(&lease).await;
                }
                let work = async {
                    let passed = lease.permit().pass(frame(&asked), drop);
                    ((), if passed.is_ok() { Answer::Allowed } else { Answer::Refused })
                };
                self.does(who, Op::Pass(permit), work).await;
            }
            lease.finish("done");
        }
    }

    /// Takes consent back, and gives it again if this is who does.
    async fn change(self: Arc<Self>, who: usize, gives: bool, mut random: fastrand::Rng) {
        for _ in 0..WITHDRAWALS {
            wander(&mut random).await;
            self.withdraw(who).await;
            if gives {
                wander(&mut random).await;
                self.give(who).await;
            }
        }
    }
}

/// Lets others go on for a while.
async fn wander(random: &mut fastrand::Rng) {
    for _ in 0..random.usize(0..20) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn w3_what_is_seen_of_consent_and_of_permits_is_linearizable() {
    let world = Arc::new(World::new().await);
    let (mut allowed, mut refused) = (0, 0);
    for seed in 0..ROUNDS {
        let mut random = fastrand::Rng::with_seed(seed);
        let subject = world.stranger().await;
        let round = Arc::new(Round {
            world: Arc::clone(&world),
            subject,
            history: Mutex::default(),
            withdrawn: watch::Sender::default(),
        });
        round.give(0).await;
        let everybody: [BoxFuture<'static, ()>; 4] = [
            Box::pin(Arc::clone(&round).send(0, random.fork())),
            Box::pin(Arc::clone(&round).send(1, random.fork())),
            Box::pin(Arc::clone(&round).change(2, true, random.fork())),
            Box::pin(Arc::clone(&round).change(3, false, random.fork())),
        ];
        for task in everybody.map(|work| world.tasks.spawn(TaskKind::Client, "somebody", work)) {
            assert_eq!(task.join().await, Exit::Done);
        }
        let history = round.history.lock().unwrap().clone();
        check(&history);
        let count = |wanted| history.iter().filter(|(_, m)| matches!(m, Moment::Return(a) if *a == wanted)).count();
        (allowed, refused) = (allowed + count(Answer::Allowed), refused + count(Answer::Refused));
    }
    assert!(allowed > 100 && refused > 100, "they met in the midst: {allowed} allowed, {refused} refused");
    Arc::into_inner(world).unwrap().ends_spotless().await;
}

#[test]
fn what_cannot_have_come_about_is_found() {
    use Answer::{Allowed, Done, Refused};
    let told = |steps: &[(usize, Op, Answer)]| -> History {
        steps
            .iter()
            .flat_map(|(who, op, answer)| [(*who, Moment::Call(*op)), (*who, Moment::Return(*answer))])
            .collect()
    };
    let fine = told(&[(0, Op::Give, Done), (1, Op::Acquire(1), Allowed), (1, Op::Pass(1), Allowed)]);
    check(&fine);
    for wrong in [
        // acquired after OK
        told(&[(0, Op::Give, Done), (0, Op::Withdraw, Done), (1, Op::Acquire(1), Allowed)]),
        // passed after OK
        told(&[(0, Op::Give, Done), (1, Op::Acquire(1), Allowed), (0, Op::Withdraw, Done), (1, Op::Pass(1), Allowed)]),
        // open again after it was closed
        told(&[
            (0, Op::Give, Done),
            (1, Op::Acquire(1), Allowed),
            (0, Op::Withdraw, Done),
            (0, Op::Give, Done),
            (1, Op::Pass(1), Allowed),
        ]),
        // refused although it was given
        told(&[(0, Op::Give, Done), (1, Op::Acquire(1), Refused)]),
    ] {
        assert!(std::panic::catch_unwind(|| check(&wrong)).is_err(), "{wrong:?}");
    }
}
