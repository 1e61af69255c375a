//! Many senders, and withdrawals at any moment: after OK not one byte, and nobody else is held up.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

use sayso_consent::{Ask, Means, Options};
use sayso_policy::{ConsentStatus, Gate, Labelled, Refused};
use sayso_runtime::{SystemClock, TaskKind, Tasks};
use sayso_types::{Category, SubjectId};

use crate::world::{VOICE, World, ask, frame, processor};

/// Withdrawals of each withdrawer.
const WITHDRAWALS: usize = 25;
/// Senders of each person, half to the recogniser and half to the dialogue.
const SENDERS: usize = 4;

/// What reached the other side of the gates for one person.
#[derive(Default)]
struct Receiver {
    bytes: AtomicU64,
    /// OK was said, and nothing was agreed to since.
    stopped: AtomicBool,
    /// Bytes that came although.
    late: AtomicU64,
}

impl Receiver {
    /// A write that takes a moment, as writes do.
    fn receive(&self, samples: &[i16]) {
        (0..200).for_each(|_| core::hint::spin_loop());
        let bytes = samples.len() as u64 * 2;
        if self.stopped.load(SeqCst) {
            self.late.fetch_add(bytes, SeqCst);
        }
        self.bytes.fetch_add(bytes, SeqCst);
    }

    fn bytes(&self) -> u64 {
        self.bytes.load(SeqCst)
    }
}

struct Person {
    subject: SubjectId,
    received: Receiver,
}

/// Gets lease after lease and sends frame after frame, out of a buffer in front of the gate.
async fn send(world: Arc<World>, person: Arc<Person>, asked: Ask, mut random: fastrand::Rng) {
    let mut waiting: VecDeque<Labelled<Vec<i16>>> = VecDeque::new();
    loop {
        let cv = world.state(person.subject).await.cv;
        let asked = Ask { cv, ..asked };
        let Ok(lease) = world.register.acquire(asked).await else {
            tokio::task::yield_now().await;
            continue;
        };
        let (frames, is_told) = (random.usize(1..2_000), random.bool());
        let talk = async {
            for _ in 0..frames {
                waiting.push_back(frame(&asked));
                let Some(next) = waiting.pop_front() else { continue };
                match lease.permit().pass(next, |samples| person.received.receive(&samples)) {
                    // what waited is older than the consent: it is never sent
                    Ok(()) | Err(Refused::Stale) => {}
                    Err(_) => return,
                }
                if random.u8(..) < 40 {
                    waiting.push_back(frame(&asked));
                    tokio::task::yield_now().await;
                }
            }
        };
        if is_told {
            // one that is told
            tokio::select! {
                () = lease.revoked() => {}
                () = talk => {}
            }
        } else {
            // one that finds out
            talk.await;
        }
        lease.finish("done");
    }
}

/// Waits until more bytes came in for each of `people`.
async fn flows(people: &[Arc<Person>]) {
    let before: Vec<u64> = people.iter().map(|person| person.received.bytes()).collect();
    for (person, before) in people.iter().zip(before) {
        while person.received.bytes() == before {
            tokio::task::yield_now().await;
        }
    }
}

/// Takes back the consent of one after the other, looks, and gives it again.
async fn withdraw(world: Arc<World>, people: Vec<Arc<Person>>, others: Vec<Arc<Person>>, mut random: fastrand::Rng) {
    for _ in 0..WITHDRAWALS {
        let person = random.choice(&people).unwrap();
        flows(core::slice::from_ref(person)).await;
        for _ in 0..random.usize(0..50) {
            tokio::task::yield_now().await;
        }
        let scope = if random.bool() { &[VOICE][..] } else { &[] };
        let withdrawn = world.register.withdraw(person.subject, scope, Means::Voice).await.unwrap();
        assert!(withdrawn.ok, "everybody lets go");
        person.received.stopped.store(true, SeqCst);
        let at_ok = person.received.bytes();
        // the others go on, for as long as one looks
        flows(&others).await;
        assert_eq!(person.received.bytes(), at_ok, "bytes after OK");
        person.received.stopped.store(false, SeqCst);
        world.answers(person.subject, &[VOICE], ConsentStatus::Given).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn after_ok_not_one_byte_and_nobody_else_is_held_up() {
    let world = World::with_clock(Arc::new(SystemClock::new()), Options::default()).await;
    let world = Arc::new(world);
    let mut random = fastrand::Rng::with_seed(7);
    let mut people = Vec::new();
    for _ in 0..6 {
        let subject = world.person(&[VOICE]).await;
        people.push(Arc::new(Person { subject, received: Receiver::default() }));
    }
    let senders = Tasks::new();
    for person in &people {
        for n in 0..SENDERS {
            let speech = ask(person.subject, world.state(person.subject).await.cv);
            let text = Ask {
                category: Category::TRANSCRIPT,
                gate: Gate::Dialogue,
                processor: processor("rules-local"),
                ..speech
            };
            let asked = if n % 2 == 0 { speech } else { text };
            let sender = send(Arc::clone(&world), Arc::clone(person), asked, random.fork());
            senders.spawn(TaskKind::Call, "sender", sender).detach();
        }
    }
    // two are never withdrawn, and must never stop
    let (untouched, rest) = people.split_at(2);
    let (left, right) = rest.split_at(2);
    let withdrawals = [left, right].map(|of| {
        let task = withdraw(Arc::clone(&world), of.to_vec(), untouched.to_vec(), random.fork());
        world.tasks.spawn(TaskKind::Client, "withdrawer", task)
    });
    for task in withdrawals {
        assert_eq!(task.join().await, sayso_runtime::tasks::Exit::Done);
    }
    senders.shutdown(core::time::Duration::from_secs(30)).await;
    let late: u64 = people.iter().map(|person| person.received.late.load(SeqCst)).sum();
    assert_eq!(late, 0, "bytes after OK");

    let passed: u64 = people.iter().map(|person| person.received.bytes()).sum();
    let report = Arc::into_inner(world).unwrap().ends_spotless().await;
    assert_eq!(report.bytes, passed, "the log counts what was received");
    assert_eq!(report.events["withdraw.effective"], 2 * WITHDRAWALS as u64);
}
