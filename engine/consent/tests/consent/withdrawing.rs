//! Withdraw means stop, and OK means that it did.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, mpsc};

use sayso_audit::{Event, Scope};
use sayso_consent::{Ask, Denied, Error, Means, Options};
use sayso_policy::{ConsentStatus, Gate, Reason, Refused};
use sayso_proto::consent::v1 as proto;
use sayso_runtime::SystemClock;
use sayso_store::Error as StoreError;
use sayso_types::{Category, ConsentVersion, Purpose};

use crate::faults::Fault;
use crate::revising::revised;
use crate::world::{FRAME, MEMORY, TTL, VOICE, World, answer, ask, frame, processor, until, verify};

fn facts() -> Vec<(String, String)> {
    vec![("name".into(), "Anna".into())]
}

#[tokio::test]
async fn a_withdrawal_closes_waits_and_says_what_had_passed() {
    let world = World::new().await;
    let person = world.person(&[VOICE, MEMORY]).await;
    let asked = ask(person, ConsentVersion(1));
    let lease = world.register.acquire(asked).await.unwrap();
    lease.permit().pass(frame(&asked), drop).unwrap();
    let from = world.size().await;

    let has_let_go = Arc::new(AtomicBool::new(false));
    let holder = {
        let has_let_go = Arc::clone(&has_let_go);
        async move {
            lease.revoked().await;
            assert_eq!(lease.permit().pass(frame(&asked), drop), Err(Refused::Revoked), "closed before it is told");
            has_let_go.store(true, SeqCst);
        }
    };
    let withdrawing = world.register.withdraw(person, &[VOICE], Means::Voice);
    let (withdrawn, ()) = tokio::join!(withdrawing, holder);
    let withdrawn = withdrawn.unwrap();
    assert!(withdrawn.ok && has_let_go.load(SeqCst));
    assert_eq!(withdrawn.bytes(), FRAME);
    assert_eq!((withdrawn.state.cv, withdrawn.state.status(VOICE)), (ConsentVersion(2), ConsentStatus::Withdrawn));
    assert_eq!(withdrawn.state.status(MEMORY), ConsentStatus::Given);
    let [holder] = withdrawn.holders.as_slice() else { panic!("one holder") };
    assert_eq!((holder.state(), holder.pieces), (proto::HolderState::Acknowledged, 1));
    assert_eq!(holder.processor_id, "whisper-local");

    assert_eq!(world.told_since(from).await, ["withdraw.requested", "egress.segment_closed", "withdraw.effective"]);
    let leaves = world.leaves().await;
    let [requested, closed, effective] = &leaves[from as usize..] else { panic!("three") };
    let scope = Scope::Purpose(VOICE);
    let withdrawal = sayso_audit::Reference(withdrawn.id);
    assert_eq!(requested.fact.event, Event::WithdrawRequested { withdrawal, scope });
    assert_eq!(effective.fact.event, Event::WithdrawEffective { withdrawal, scope });
    let Event::SegmentClosed { reason, segment, bytes, .. } = closed.fact.event else { panic!("{closed:?}") };
    assert_eq!((reason.as_str(), segment.0.as_slice(), bytes), ("withdrawn", holder.permit_id.as_slice(), FRAME));

    let (_, records) = world.register.records(person).await.unwrap();
    let record = records.iter().find(|r| r.purpose.as_ref().unwrap().purpose == VOICE.as_str()).unwrap();
    let event = record.events.last().unwrap();
    assert_eq!((event.status(), event.consent_version), (proto::ConsentStatus::Withdrawn, 2));
    assert_eq!(
        (event.indication_method(), event.entity_id.clone()),
        (proto::IndicationMethod::Voice, person.to_string())
    );
    assert!(matches!(world.listen(person).await, Err(Denied::Policy(Reason::NoBasis))));
    world.ends_spotless().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_write_under_way_is_waited_for_wherever_it_runs() {
    let world = World::new().await;
    let person = world.person(&[VOICE]).await;
    let asked = ask(person, ConsentVersion(1));
    let lease = world.register.acquire(asked).await.unwrap();
    let written = Arc::new(AtomicBool::new(false));
    let ((started, has_started), (finish, may_finish)) = (mpsc::sync_channel(1), mpsc::sync_channel(1));
    // on a thread of its own, as inference is, that nobody can drop
    let writer = {
        let (permit, written) = (lease.permit().clone(), Arc::clone(&written));
        let write = move |_| {
            started.send(()).unwrap();
            may_finish.recv().unwrap();
            written.store(true, SeqCst);
        };
        std::thread::spawn(move || permit.pass(frame(&asked), write))
    };
    has_started.recv().unwrap();
    let mut withdrawing = Box::pin(world.register.withdraw(person, &[], Means::Voice));
    tokio::select! {
        _ = &mut withdrawing => panic!("a holder has the lease"),
        () = lease.revoked() => {}
    }
    let dropping = std::thread::spawn(move || drop(lease));
    let moment = core::time::Duration::from_millis(200);
    assert!(tokio::time::timeout(moment, &mut withdrawing).await.is_err(), "no OK while something is being written");
    finish.send(()).unwrap();
    let withdrawn = withdrawing.await.unwrap();
    assert!(withdrawn.ok && written.load(SeqCst));
    assert_eq!(withdrawn.bytes(), FRAME);
    assert_eq!(writer.join().unwrap(), Ok(()));
    dropping.join().unwrap();
    world.ends_spotless().await;
}

#[tokio::test]
async fn taking_back_what_came_first_closes_what_requires_it() {
    let world = World::new().await;
    let requires = ("id = \"memory\"", "id = \"memory\"\nrequires = [\"voice_interaction\"]");
    world.register.publish(revised(2, &[requires])).await.unwrap();
    let anna = world.person(&[VOICE, MEMORY]).await;
    let remember = Ask {
        purpose: MEMORY,
        category: Category::MEMORY_SUMMARY,
        gate: Gate::Dialogue,
        processor: processor("rules-local"),
        ..ask(anna, ConsentVersion(1))
    };
    let remembered = world.register.acquire(remember).await.unwrap();
    let holder = async {
        remembered.revoked().await;
        assert!(!remembered.permit().is_open());
        drop(remembered);
    };
    let (withdrawn, ()) = tokio::join!(world.register.withdraw(anna, &[VOICE], Means::Voice), holder);
    let withdrawn = withdrawn.unwrap();
    assert!(withdrawn.ok);
    assert_eq!(withdrawn.holders.len(), 1, "who had what required it is waited for and named");
    assert_eq!(withdrawn.state.status(MEMORY), ConsentStatus::Given, "nobody took that back");
    let refused = world.register.acquire(Ask { cv: withdrawn.state.cv, ..remember }).await;
    assert!(matches!(refused, Err(Denied::Policy(Reason::NoBasis))));

    let again = world.answers(anna, &[VOICE], ConsentStatus::Given).await;
    drop(world.register.acquire(Ask { cv: again.cv, ..remember }).await.unwrap());
}

#[tokio::test]
async fn only_what_is_withdrawn_stops() {
    let world = World::new().await;
    let (anna, ben) = (world.person(&[VOICE, MEMORY]).await, world.person(&[VOICE]).await);
    let cv = ConsentVersion(1);
    let remember = Ask {
        purpose: MEMORY,
        category: Category::MEMORY_SUMMARY,
        gate: Gate::Dialogue,
        processor: processor("rules-local"),
        ..ask(anna, cv)
    };
    let notice = Ask { purpose: Purpose::CONSENT_ANSWER, ..ask(anna, cv) };
    let memory = world.register.acquire(remember).await.unwrap();
    let answers = world.register.acquire(notice).await.unwrap();
    let other = world.register.acquire(ask(ben, cv)).await.unwrap();
    assert!(world.register.withdraw(anna, &[VOICE], Means::Voice).await.unwrap().ok);
    memory.permit().pass(frame(&remember), drop).unwrap();
    drop(memory);
    assert!(world.register.withdraw(anna, &[], Means::Voice).await.unwrap().ok, "everything that was consented to");
    answers.permit().pass(frame(&notice), drop).unwrap();
    other.permit().pass(frame(&ask(ben, cv)), drop).unwrap();
    drop((answers, other));
    world.ends_spotless().await;
}

#[tokio::test]
async fn a_withdrawal_of_everything_is_one_and_of_a_list_one_each() {
    let world = World::new().await;
    for (wanted, leaves) in [(vec![], 1), (vec![VOICE], 1), (vec![VOICE, MEMORY], 2)] {
        let person = world.person(&[VOICE, MEMORY]).await;
        let from = world.size().await;
        let withdrawn = world.register.withdraw(person, &wanted, Means::Integrator).await.unwrap();
        assert_eq!((withdrawn.ok, withdrawn.state.cv), (true, ConsentVersion(2)));
        let told = world.told_since(from).await;
        assert_eq!(told.iter().filter(|name| **name == "withdraw.requested").count(), leaves);
        assert_eq!(told.iter().filter(|name| **name == "withdraw.effective").count(), leaves);
    }
    world.ends_spotless().await;
}

#[tokio::test]
async fn to_withdraw_again_changes_nothing() {
    let world = World::new().await;
    let person = world.person(&[VOICE]).await;
    let first = world.register.withdraw(person, &[VOICE], Means::Voice).await.unwrap();
    let size = world.size().await;
    for wanted in [&[][..], &[VOICE], &[VOICE, VOICE]] {
        let again = world.register.withdraw(person, wanted, Means::Button).await.unwrap();
        assert_eq!((again.ok, again.id, &again.state), (true, first.id, &first.state));
    }
    let stranger = world.stranger().await;
    assert!(world.register.withdraw(stranger, &[], Means::Voice).await.unwrap().ok, "there was nothing");
    assert_eq!(world.size().await, size);
}

#[tokio::test]
async fn memory_is_erased_with_its_consent() {
    let world = World::impatient().await;
    let person = world.person(&[VOICE, MEMORY]).await;
    assert!(world.register.save_facts(person, &facts()).await.unwrap());
    world.register.withdraw(person, &[VOICE], Means::Voice).await.unwrap();
    assert_eq!(world.register.facts(person).await.unwrap(), facts());
    assert!(world.register.save_facts(person, &[]).await.unwrap());
    assert_eq!(world.register.facts(person).await.unwrap(), []);
    assert!(world.register.save_facts(person, &facts()).await.unwrap());

    // also while somebody does not let go
    let remember = Ask {
        purpose: MEMORY,
        category: Category::MEMORY_SUMMARY,
        gate: Gate::Dialogue,
        processor: processor("rules-local"),
        ..ask(person, world.state(person).await.cv)
    };
    let lease = world.register.acquire(remember).await.unwrap();
    assert!(!world.register.withdraw(person, &[], Means::Voice).await.unwrap().ok);
    assert_eq!(world.register.facts(person).await.unwrap(), []);
    assert!(!world.register.save_facts(person, &facts()).await.unwrap(), "nothing is kept without consent");
    drop(lease);
    world.until(person, |state| state.status(MEMORY) == ConsentStatus::Withdrawn).await;
    world.answers(person, &[MEMORY], ConsentStatus::Given).await;
    assert_eq!(world.register.facts(person).await.unwrap(), [], "gone, not hidden");
}

/// W4: in the middle of a memory write.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn w4_while_something_is_being_remembered() {
    let world = World::new().await;
    let person = world.person(&[VOICE, MEMORY]).await;
    let mut outcomes = BTreeSet::new();
    for round in 0..60 {
        // one of them begins later, by more and more
        let (first, second) = if round % 2 == 0 { (0, round) } else { (round, 0) };
        let pauses = async |count| {
            for _ in 0..count {
                tokio::task::yield_now().await;
            }
        };
        let saving = async {
            pauses(first).await;
            world.register.save_facts(person, &facts()).await.unwrap()
        };
        let withdrawing = async {
            pauses(second).await;
            world.register.withdraw(person, &[MEMORY], Means::Voice).await.unwrap()
        };
        let (saved, withdrawn) = tokio::join!(saving, withdrawing);
        assert!(withdrawn.ok);
        outcomes.insert(saved);
        assert_eq!(world.register.facts(person).await.unwrap(), []);
        world.answers(person, &[MEMORY], ConsentStatus::Given).await;
        assert_eq!(world.register.facts(person).await.unwrap(), [], "gone, not hidden");
    }
    assert!(outcomes.contains(&true), "something was written that had to be erased");
}

#[tokio::test]
async fn a_holder_that_does_not_let_go_keeps_it_pending() {
    let world = World::impatient().await;
    let person = world.person(&[VOICE, MEMORY]).await;
    let asked = ask(person, ConsentVersion(1));
    let (prompt, stubborn) = (world.listen(person).await.unwrap(), world.listen(person).await.unwrap());
    prompt.permit().pass(frame(&asked), drop).unwrap();
    stubborn.permit().pass(frame(&asked), drop).unwrap();

    let first = world.register.withdraw(person, &[VOICE], Means::Voice).await.unwrap();
    assert_eq!((first.ok, first.state.status(VOICE), first.bytes()), (false, ConsentStatus::Withdrawing, 2 * FRAME));
    assert!(first.holders.iter().all(|h| h.state() == proto::HolderState::Outstanding));
    assert_eq!(stubborn.permit().pass(frame(&asked), drop), Err(Refused::Revoked), "its gate is closed all the same");
    drop(prompt);
    for wanted in [&[VOICE][..], &[]] {
        let again = world.register.withdraw(person, wanted, Means::Button).await.unwrap();
        assert!(!again.ok, "never a false OK");
        assert_eq!(again.bytes(), 2 * FRAME, "whoever has let go since is not forgotten");
    }
    // no other answer gets in between
    let said = answer(person, &[VOICE], ConsentStatus::Given);
    let refused = world.register.record(&said).await.unwrap_err();
    assert!(matches!(refused, Error::Withdrawing { within: None }), "{refused}");
    assert!(world.register.record(&answer(person, &[VOICE], ConsentStatus::Refused)).await.is_err());
    assert!(matches!(world.listen(person).await, Err(Denied::Policy(Reason::NoBasis))));

    drop(stubborn);
    world.until(person, |state| state.status(VOICE) == ConsentStatus::Withdrawn).await;
    let after = world.register.withdraw(person, &[VOICE], Means::Voice).await.unwrap();
    assert_eq!((after.ok, after.state.status(VOICE)), (true, ConsentStatus::Withdrawn));
    assert_eq!(world.register.record(&said).await.unwrap().status(VOICE), ConsentStatus::Given);
    let report = world.ends_spotless().await;
    assert_eq!(report.bytes, 2 * FRAME);
}

#[tokio::test]
async fn withdrawals_of_more_and_more_wait_for_the_same_holder() {
    let world = World::impatient().await;
    let person = world.person(&[VOICE, MEMORY]).await;
    let lease = world.listen(person).await.unwrap();
    assert!(!world.register.withdraw(person, &[VOICE], Means::Voice).await.unwrap().ok);
    assert!(world.register.withdraw(person, &[MEMORY], Means::Voice).await.unwrap().ok, "nobody holds that");
    world.answers(person, &[MEMORY], ConsentStatus::Given).await;
    let all = world.register.withdraw(person, &[], Means::Voice).await.unwrap();
    assert_eq!((all.ok, all.holders.len()), (false, 1), "everything includes what is still held");
    assert_eq!(all.state.status(MEMORY), ConsentStatus::Withdrawing);
    drop(lease);
    world
        .until(person, |state| {
            [VOICE, MEMORY].into_iter().all(|purpose| state.status(purpose) == ConsentStatus::Withdrawn)
        })
        .await;
    world.ends_spotless().await;
}

#[tokio::test]
async fn a_caller_who_does_not_wait_still_withdraws() {
    let world = World::new().await;
    let person = world.person(&[VOICE]).await;
    let lease = world.listen(person).await.unwrap();
    let mut withdrawing = Box::pin(world.register.withdraw(person, &[], Means::Integrator));
    assert!(futures::poll!(&mut withdrawing).is_pending());
    drop(withdrawing);
    lease.revoked().await;
    drop(lease);
    world.until(person, |state| state.status(VOICE) == ConsentStatus::Withdrawn).await;
    world.ends_spotless().await;
}

#[tokio::test]
async fn a_node_that_ends_meanwhile_completes_it_at_its_next_start() {
    let world = World::impatient().await;
    let person = world.person(&[VOICE, MEMORY]).await;
    world.register.save_facts(person, &facts()).await.unwrap();
    let lease = world.listen(person).await.unwrap();
    assert!(!world.register.withdraw(person, &[], Means::Voice).await.unwrap().ok);
    let from = world.size().await;
    // as a crash would have it: nothing of this process gets to the disk any more
    world.local.close();
    drop(lease);
    let World { dir, clock, tasks, .. } = world;
    tasks.shutdown(core::time::Duration::from_secs(30)).await;
    let world = World::reopen(dir, clock).await;
    let state = world.state(person).await;
    assert_eq!((state.status(VOICE), state.status(MEMORY)), (ConsentStatus::Withdrawn, ConsentStatus::Withdrawn));
    assert_eq!(world.register.facts(person).await.unwrap(), []);
    let told = world.told_since(from).await;
    assert_eq!(told, ["audit.selfcheck_passed", "policy.effective", "withdraw.effective"]);
    assert!(world.register.withdraw(person, &[], Means::Voice).await.unwrap().ok);
    let report = verify(world.journal()).await;
    assert!(report.is_clean(), "{:#?}", report.findings);
}

#[tokio::test]
async fn a_full_disk_stops_the_sending_and_says_that_it_is_not_withdrawn() {
    let world = World::new().await;
    let person = world.person(&[VOICE, MEMORY]).await;
    world.register.save_facts(person, &facts()).await.unwrap();
    let asked = ask(person, ConsentVersion(1));
    let lease = world.register.acquire(asked).await.unwrap();
    let (before, size) = (world.state(person).await, world.size().await);
    world.store.fail(Fault::Full);

    let refused = world.register.withdraw(person, &[], Means::Voice).await.unwrap_err();
    assert!(matches!(refused, Error::Store(StoreError::Full { .. })) && refused.code() == "store_full");
    assert_eq!(lease.permit().pass(frame(&asked), drop), Err(Refused::Revoked), "stop was said, and it stops");
    assert_eq!((world.state(person).await, world.size().await), (before, size), "nothing is half applied");
    assert_eq!(world.register.facts(person).await.unwrap(), facts());
    assert!(matches!(world.listen(person).await, Err(Denied::Register(Error::Store(StoreError::Full { .. })))));
    drop(lease);
    assert!(world.register.record(&answer(person, &[VOICE], ConsentStatus::Given)).await.is_err());

    world.store.fail(Fault::None);
    let withdrawn = world.register.withdraw(person, &[], Means::Voice).await.unwrap();
    assert!(withdrawn.ok);
    world.ends_spotless().await;
}

#[tokio::test]
async fn a_disk_that_fills_up_between_request_and_effect_delays_the_effect_only() {
    let world = World::impatient().await;
    let person = world.person(&[VOICE]).await;
    let lease = world.listen(person).await.unwrap();
    assert!(!world.register.withdraw(person, &[], Means::Voice).await.unwrap().ok);
    world.store.fail(Fault::Full);
    drop(lease);
    assert!(world.register.withdraw(person, &[], Means::Voice).await.is_err(), "no OK that is not on record");
    assert_eq!(world.state(person).await.status(VOICE), ConsentStatus::Withdrawing);
    world.store.fail(Fault::None);
    world.until(person, |state| state.status(VOICE) == ConsentStatus::Withdrawn).await;
    world.ends_spotless().await;
}

#[tokio::test]
async fn an_answer_that_is_lost_on_its_way_is_asked_for_again() {
    for fault in [Fault::LostBefore, Fault::LostAfter] {
        let world = World::new().await;
        let person = world.stranger().await;
        world.store.fail(fault);
        let state = world.answers(person, &[VOICE], ConsentStatus::Given).await;
        assert_eq!(state.cv, ConsentVersion(1));
        let lease = world.listen(person).await.unwrap();
        world.store.fail(fault);
        let (withdrawn, ()) = tokio::join!(world.register.withdraw(person, &[], Means::Voice), async {
            lease.revoked().await;
            drop(lease);
        });
        assert!(withdrawn.unwrap().ok);
        world.ends_spotless().await;
    }
}

#[tokio::test]
async fn a_store_that_is_gone_closes_every_gate() {
    let world = World::new().await;
    let person = world.person(&[VOICE]).await;
    let asked = ask(person, ConsentVersion(1));
    let lease = world.register.acquire(asked).await.unwrap();
    world.local.close();
    assert!(world.register.withdraw(person, &[], Means::Voice).await.is_err());
    // nobody could even read whose consent it is: what is open runs out, and is not renewed
    assert!(world.register.acquire(asked).await.is_err());
    until(|| {
        world.clock.advance(TTL / 10);
        !lease.permit().is_open()
    })
    .await;
}

#[tokio::test]
async fn a_record_that_took_long_does_not_use_up_the_permit() {
    let world = World::new().await;
    let person = world.person(&[VOICE]).await;
    world.store.slow(&world.clock, 2 * TTL);
    let lease = world.listen(person).await.unwrap();
    lease.permit().pass(frame(&ask(person, ConsentVersion(1))), drop).unwrap();
    world.clock.advance(TTL);
    assert!(!lease.permit().is_open(), "and lives no longer than any other");
    drop(lease);
    world.ends_spotless().await;
}

#[tokio::test]
async fn a_store_that_takes_nothing_keeps_no_gate_open() {
    let world = World::with_clock(Arc::new(SystemClock::new()), Options::default()).await;
    let person = world.person(&[VOICE]).await;
    let asked = ask(person, ConsentVersion(1));
    let lease = world.register.acquire(asked).await.unwrap();
    let stalled = world.store.stall.write().await;
    // somebody else is at it already, and does not get on
    let mut other = Box::pin(world.register.acquire(asked));
    assert!(futures::poll!(&mut other).is_pending());
    let mut withdrawing = Box::pin(world.register.withdraw(person, &[], Means::Voice));
    tokio::select! {
        _ = &mut withdrawing => panic!("nothing can be put on record"),
        () = lease.revoked() => {}
    }
    assert_eq!(lease.permit().pass(frame(&asked), drop), Err(Refused::Revoked));
    drop((lease, stalled));
    let lease = other.await;
    let (withdrawn, ()) = tokio::join!(withdrawing, async {
        let lease = lease.unwrap();
        lease.revoked().await;
    });
    assert!(withdrawn.unwrap().ok);
    world.ends_spotless().await;
}
