//! The head of the log, and those who watch it.

use core::time::Duration;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use sayso_audit::witness::{AddCheckpoint, Answer, Refusal, Witness, WitnessError, judge};
use sayso_audit::{Checkpoint, Cosigner, Signer, TrustPolicy};
use sayso_consent::anchor::{Asked, Standing};
use sayso_consent::{Anchor, AnchorOptions};
use sayso_types::WallTime;

use crate::world::{VOICE, World};

const OPTIONS: AnchorOptions = AnchorOptions { every: Duration::from_secs(10), leaves: 100 };

fn signer() -> Signer {
    Signer::new("home.example/sayso", &[7; 32]).unwrap()
}

fn cosigner(n: u8) -> Cosigner {
    Cosigner::new(&format!("w{n}.example"), &[100 + n; 32]).unwrap()
}

/// A witness in this process that decides as every witness does, unless it is told to be away or to cheat.
#[derive(Debug)]
struct FakeWitness {
    cosigner: Cosigner,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    last: Option<Checkpoint>,
    asked: usize,
    away: bool,
    says: Option<Answer>,
}

impl FakeWitness {
    fn new(n: u8) -> Arc<Self> {
        Arc::new(Self { cosigner: cosigner(n), state: Mutex::default() })
    }

    fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
    }

    fn seen(&self) -> Option<u64> {
        self.state.lock().unwrap().last.as_ref().map(|last| last.size)
    }
}

#[async_trait]
impl Witness for FakeWitness {
    async fn add_checkpoint(&self, request: &AddCheckpoint) -> Result<Answer, WitnessError> {
        let mut state = self.state.lock().unwrap();
        state.asked += 1;
        if state.away {
            return Err(WitnessError::Unreached("it is away".to_owned()));
        }
        if let Some(answer) = &state.says {
            return Ok(answer.clone());
        }
        match judge(request, &[signer().verifier().clone()], |_| state.last.clone()) {
            Ok(checkpoint) => {
                let line = self.cosigner.cosign(&checkpoint.text(), WallTime(1_767_225_600_000));
                state.last = Some(checkpoint);
                Ok(Answer::Cosigned(line))
            }
            Err(Refusal::OtherSize { size } | Refusal::Fork { size }) => Ok(Answer::OtherSize(size)),
            Err(refusal) => Err(WitnessError::Refused(refusal.status())),
        }
    }
}

/// A policy that asks for both of two witnesses.
fn both() -> TrustPolicy {
    let (log, one, two) = (signer(), cosigner(1), cosigner(2));
    let keys = (log.verifier(), one.verifier(), two.verifier());
    format!("log {}\nwitness one {}\nwitness two {}\ngroup both all one two\nquorum both\n", keys.0, keys.1, keys.2)
        .parse()
        .unwrap()
}

fn anchor(world: &World, witnesses: [&Arc<FakeWitness>; 2]) -> Anchor {
    let asked = witnesses.map(|witness| Asked {
        name: witness.cosigner.verifier().name().to_owned(),
        key: witness.cosigner.verifier().clone(),
        witness: witness.clone(),
    });
    let clock = Arc::new(world.clock.clone());
    Anchor::new(world.journal().clone(), Arc::new(signer()), both(), asked.into(), OPTIONS, clock)
}

/// Asks the witnesses about the log as it is now; how each stands then.
async fn round(world: &World, anchor: &mut Anchor) -> Vec<Standing> {
    let (size, root) = world.journal().head().await.unwrap();
    anchor.round(size, root).await.unwrap();
    anchor.standing().borrow().witnesses.iter().map(|witness| witness.standing.clone()).collect()
}

async fn kept(world: &World) -> Option<u64> {
    let note = world.journal().witnessed().await.unwrap()?;
    assert!(both().open(&note).unwrap().is_witnessed, "only what the quorum has cosigned is kept");
    Some(Checkpoint::unverified(&note).unwrap().size)
}

#[tokio::test]
async fn the_head_is_witnessed_as_it_grows() {
    let world = World::new().await;
    let (one, two) = (FakeWitness::new(1), FakeWitness::new(2));
    let mut anchor = anchor(&world, [&one, &two]);
    for _ in 0..3 {
        let _ = world.person(&[VOICE]).await;
        let standings = round(&world, &mut anchor).await;
        assert!(standings.iter().all(|standing| standing.code() == "cosigned"), "{standings:?}");
        let size = world.size().await;
        assert_eq!((kept(&world).await, anchor.standing().borrow().size), (Some(size), size));
    }
    assert!(!anchor.standing().borrow().is_alarm());
}

#[tokio::test]
async fn a_witness_that_is_away_holds_up_nothing_and_is_caught_up_with() {
    let world = World::new().await;
    let (one, two) = (FakeWitness::new(1), FakeWitness::new(2));
    let mut anchor = anchor(&world, [&one, &two]);
    round(&world, &mut anchor).await;
    let before = world.size().await;
    two.set(|state| state.away = true);
    let _ = world.person(&[VOICE]).await;
    let standings = round(&world, &mut anchor).await;
    assert_eq!(standings.iter().map(Standing::code).collect::<Vec<_>>(), ["cosigned", "unreached"]);
    assert_eq!(kept(&world).await, Some(before), "one of two is no quorum: what both had cosigned stays");
    assert!(!anchor.standing().borrow().is_alarm());
    two.set(|state| state.away = false);
    round(&world, &mut anchor).await;
    assert_eq!((kept(&world).await, two.seen()), (Some(world.size().await), one.seen()));
}

#[tokio::test]
async fn a_node_that_was_restarted_goes_on_where_it_was() {
    let world = World::new().await;
    let (one, two) = (FakeWitness::new(1), FakeWitness::new(2));
    round(&world, &mut anchor(&world, [&one, &two])).await;
    let world = world.again().await;
    // one that starts from nothing learns from each witness where it is
    let standings = round(&world, &mut anchor(&world, [&one, &two])).await;
    assert!(standings.iter().all(|standing| standing.code() == "cosigned"), "{standings:?}");
}

#[tokio::test]
async fn what_a_witness_says_is_checked() {
    let world = World::new().await;
    let (one, two) = (FakeWitness::new(1), FakeWitness::new(2));
    let mut anchor = anchor(&world, [&one, &two]);
    let (size, root) = world.journal().head().await.unwrap();
    let text = Checkpoint { origin: "home.example/sayso".to_owned(), size, root }.text();
    let other = Checkpoint { origin: "home.example/sayso".to_owned(), size: size + 1, root }.text();
    for lines in [
        String::new(),
        "nonsense".to_owned(),
        cosigner(9).cosign(&text, WallTime(0)),
        cosigner(2).cosign(&other, WallTime(0)),
    ] {
        two.set(|state| state.says = Some(Answer::Cosigned(lines.clone())));
        let standings = round(&world, &mut anchor).await;
        assert_eq!(standings[1].code(), "malformed", "{lines:?}");
        assert_eq!(kept(&world).await, None);
    }
    two.set(|state| state.says = Some(Answer::OtherSize(0)));
    assert!(matches!(round(&world, &mut anchor).await[1], Standing::Forked { size: 0 }));
}

/// T-a and T-b of the design, where the store was put back to an older copy, or to none, as a whole: nothing in it can know, but a witness does.
#[tokio::test]
async fn a_log_that_is_shorter_than_what_was_witnessed_raises_an_alarm() {
    let (before, world) = (World::new().await, World::new().await);
    let (one, two) = (FakeWitness::new(1), FakeWitness::new(2));
    let _ = world.person(&[VOICE]).await;
    round(&world, &mut anchor(&world, [&one, &two])).await;
    let witnessed = world.size().await;
    assert!(before.size().await < witnessed);
    let mut of_the_copy = anchor(&before, [&one, &two]);
    let standings = round(&before, &mut of_the_copy).await;
    assert!(standings.iter().all(|standing| *standing == Standing::Ahead { size: witnessed }), "{standings:?}");
    assert!(of_the_copy.standing().borrow().is_alarm());

    // it goes on from there and becomes longer than what was witnessed: another past
    while before.size().await <= witnessed {
        let _ = before.person(&[VOICE]).await;
    }
    let standings = round(&before, &mut of_the_copy).await;
    assert!(standings.iter().all(|standing| *standing == Standing::Forked { size: witnessed }), "{standings:?}");
    assert_eq!(kept(&before).await, None, "and nothing of it is witnessed");
}
