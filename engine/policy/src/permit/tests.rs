use sayso_types::{Category, ManualClock, ProcessorKind, Purpose, RegionClass, TurnId};

use super::*;

fn terms() -> Terms {
    Terms {
        subject: SubjectId([1; 16]),
        cell: Cell {
            purpose: Purpose::VOICE_INTERACTION,
            category: Category::VOICE_AUDIO,
            kind: ProcessorKind::Asr,
            region: RegionClass::Local,
        },
        processor: "whisper".parse().unwrap(),
        cv: ConsentVersion(3),
        bytes_max: None,
    }
}

fn frame(cv: u64) -> Labelled<Vec<i16>> {
    let t = terms();
    let label = Label {
        subject: t.subject,
        category: t.cell.category,
        purpose: t.cell.purpose,
        turn: TurnId(1),
        cv: ConsentVersion(cv),
    };
    Labelled::new(label, vec![1, 2, 3])
}

fn permit(clock: &ManualClock) -> (Permit, Revoker) {
    issue(terms(), Arc::new(clock.clone()), clock.now(), Duration::from_secs(3))
}

#[test]
fn passes_what_it_is_for_and_counts_it() {
    let clock = ManualClock::new();
    let (permit, revoker) = permit(&clock);
    assert_eq!(permit.pass(frame(3), |s| s.len()), Ok(3));
    assert_eq!(permit.pass(frame(4), |s| s.len()), Ok(3));
    let passed = revoker.revoke();
    assert_eq!((passed.bytes, passed.pieces), (12, 2));
    assert_eq!(passed.hash, <[u8; 32]>::from(Sha256::digest([1, 0, 2, 0, 3, 0, 1, 0, 2, 0, 3, 0])));
}

#[test]
fn nobody_can_revoke_between_the_check_and_the_end_of_the_write() {
    let clock = ManualClock::new();
    let (permit, _revoker) = permit(&clock);
    let is_held = || permit.own.state.try_lock().is_err();
    assert_eq!(permit.pass(frame(3), |_| is_held()), Ok(true));
    assert_eq!(permit.guard(is_held), Ok(true));
    assert!(!is_held());
}

#[test]
fn nothing_passes_after_revocation_and_the_count_stands() {
    let clock = ManualClock::new();
    let (permit, revoker) = permit(&clock);
    let before = revoker.revoke();
    assert_eq!(permit.pass(frame(3), |_| ()), Err(Refused::Revoked));
    assert_eq!(permit.guard(|| ()), Err(Refused::Revoked));
    assert!(!revoker.renew(Mono(u64::MAX)));
    assert_eq!(revoker.revoke(), before);
}

#[test]
fn a_dropped_revoker_fails_closed() {
    let clock = ManualClock::new();
    let (permit, revoker) = permit(&clock);
    drop(revoker);
    assert_eq!(permit.pass(frame(3), |_| ()), Err(Refused::Revoked));
}

#[test]
fn a_permit_runs_out_unless_renewed_in_time() {
    let clock = ManualClock::new();
    let (permit, revoker) = permit(&clock);
    clock.advance(Duration::from_secs(2));
    assert!(revoker.renew(clock.now().after(Duration::from_secs(3))));
    clock.advance(Duration::from_secs(2));
    assert!(permit.is_open());
    clock.advance(Duration::from_secs(1));
    assert_eq!(permit.pass(frame(3), |_| ()), Err(Refused::Expired));
    assert!(!revoker.renew(clock.now().after(Duration::from_secs(3))), "what ran out stays closed");
}

#[test]
fn frames_from_before_a_withdrawal_stay_refused_under_a_new_grant() {
    let clock = ManualClock::new();
    let (permit, _revoker) = permit(&clock);
    assert_eq!(permit.pass(frame(2), |_| ()), Err(Refused::Stale));
}

#[test]
fn another_purpose_or_category_is_not_covered() {
    let clock = ManualClock::new();
    let (permit, _revoker) = permit(&clock);
    let other = frame(3).derive(Category::TRANSCRIPT, |s| s);
    assert_eq!(permit.pass(other, |_| ()), Err(Refused::NotCovered));
}

#[test]
fn a_renewal_never_shortens() {
    let clock = ManualClock::new();
    let (permit, revoker) = permit(&clock);
    assert!(revoker.renew(clock.now().after(Duration::from_secs(1))));
    clock.advance(Duration::from_secs(2));
    assert!(permit.is_open());
}

#[test]
fn a_write_that_panics_ends_the_permit() {
    let clock = ManualClock::new();
    let (permit, revoker) = permit(&clock);
    let broken = std::panic::AssertUnwindSafe(|| permit.pass(frame(3), |_| panic!("half written")));
    assert!(std::panic::catch_unwind(broken).is_err());
    assert_eq!(permit.guard(|| ()), Err(Refused::Revoked));
    assert!(!permit.is_open() && !revoker.renew(Mono(u64::MAX)) && !revoker.is_overrun());
}

#[test]
fn somebody_elses_data_is_not_covered() {
    let clock = ManualClock::new();
    let (permit, _revoker) = permit(&clock);
    let label = *frame(3).label();
    for other in [
        Label { subject: SubjectId([2; 16]), ..label },
        Label { category: Category::TRANSCRIPT, ..label },
        Label { purpose: Purpose::MEMORY, ..label },
        // also when it is old as well
        Label { subject: SubjectId([2; 16]), cv: ConsentVersion(1), ..label },
    ] {
        assert_eq!(permit.pass(Labelled::new(other, vec![1_i16]), drop), Err(Refused::NotCovered), "{other:?}");
    }
}

#[test]
fn a_permit_shows_what_it_is_for() {
    let clock = ManualClock::new();
    let (permit, revoker) = permit(&clock);
    for shown in [format!("{permit:?}"), format!("{revoker:?}")] {
        assert!(shown.contains("whisper") && shown.contains("voice_audio"), "{shown}");
    }
    assert_eq!(permit.terms().processor, revoker.terms().processor);
}

#[test]
fn what_goes_along_with_what_goes_along_is_asked_about_too() {
    let (clock, lasts) = (ManualClock::new(), Duration::from_secs(3));
    let text = Cell { category: Category::TRANSCRIPT, ..terms().cell };
    let issued = |terms| issue(terms, Arc::new(clock.clone()), clock.now(), lasts);
    let ((own, _own), (facts, of_facts), (words, of_words)) =
        (permit(&clock), issued(memory(None)), issued(Terms { cell: text, ..terms() }));
    let all = own.with(&[words.with(&[facts])]);
    let mut said = with_facts(3);
    let label = frame(3).label().derive(Category::TRANSCRIPT);
    let mut answer = Labelled::new(label, "dogs".to_owned());
    answer.take_along(
        Labelled::new(Label { purpose: Purpose::MEMORY, ..label.derive(Category::MEMORY_SUMMARY) }, "x".to_owned()),
        |_, _| (),
    );
    said.take_along(answer, |_, _| ());
    assert_eq!(all.pass(said, drop), Ok(()));
    assert_eq!((of_words.revoke().bytes, of_facts.revoke().bytes), (4, 10));
    assert!(!all.is_open());
}

/// What was said, of six bytes, with two facts of four and five bytes that go along.
fn with_facts(cv: u64) -> Labelled<Vec<i16>> {
    let label = Label { purpose: Purpose::MEMORY, ..frame(cv).label().derive(Category::MEMORY_SUMMARY) };
    let mut said = frame(3);
    for fact in ["cats", "mice!"] {
        said.take_along(Labelled::new(label, fact.to_owned()), |said, fact| said.push(fact.len() as i16));
    }
    said
}

fn memory(bytes_max: Option<u64>) -> Terms {
    let cell = Cell { purpose: Purpose::MEMORY, category: Category::MEMORY_SUMMARY, ..terms().cell };
    Terms { cell, bytes_max, ..terms() }
}

#[test]
fn what_goes_along_is_counted_by_its_own_permit_when_it_goes() {
    let clock = ManualClock::new();
    let lasts = Duration::from_secs(3);
    let (own, revoker) = permit(&clock);
    let (other, others) = issue(memory(None), Arc::new(clock.clone()), clock.now(), lasts);
    assert_eq!(own.pass(with_facts(3), drop), Err(Refused::NotCovered), "without the permit for it");
    let both = own.with(&[other]);
    assert_eq!(both.pass(with_facts(2), drop), Err(Refused::Stale));
    assert_eq!(revoker.revoke().pieces + others.revoke().pieces, 0, "what did not go is not counted");

    let (own, revoker) = permit(&clock);
    let (other, others) = issue(memory(None), Arc::new(clock.clone()), clock.now(), lasts);
    let both = own.with(&[other]);
    let held = |both: &Permit| (both.own.state.try_lock().is_err(), both.along()[0].state.try_lock().is_err());
    assert_eq!(both.pass(with_facts(3), |said| (said, held(&both))), Ok((vec![1, 2, 3, 4, 5], (true, true))));
    assert_eq!(both.guard(|| held(&both)), Ok((true, true)));
    let (said, facts) = (revoker.revoke(), others.revoke());
    assert_eq!((said.bytes, said.pieces), (10, 1), "the whole");
    assert_eq!((facts.bytes, facts.pieces), (9, 2));
    assert_eq!(facts.hash, <[u8; 32]>::from(Sha256::digest("catsmice!")));
}

#[test]
fn nothing_passes_once_one_of_its_permits_has_ended() {
    let clock = ManualClock::new();
    let ends: [fn(&ManualClock, &Revoker); 2] =
        [|_, others| _ = others.revoke(), |clock, _| clock.advance(Duration::from_secs(1))];
    for (end, why) in ends.into_iter().zip([Refused::Revoked, Refused::Expired]) {
        let (own, revoker) = permit(&clock);
        let (other, others) = issue(memory(None), Arc::new(clock.clone()), clock.now(), Duration::from_secs(1));
        let both = own.clone().with(&[other]);
        assert!(both.is_open());
        end(&clock, &others);
        assert!(own.is_open() && !both.is_open());
        assert_eq!((both.guard(|| ()), both.pass(with_facts(3), drop)), (Err(why), Err(why)));
        assert_eq!(both.pass(frame(3), drop), Err(why), "not even what it is not about");
        assert_eq!(revoker.revoke().pieces, 0);
    }
}

#[test]
fn what_is_more_than_may_go_ends_the_permit_before_a_byte_of_it_goes() {
    let clock = ManualClock::new();
    let (lasts, limited) = (Duration::from_secs(3), Terms { bytes_max: Some(12), ..terms() });
    let (permit, revoker) = issue(limited, Arc::new(clock.clone()), clock.now(), lasts);
    for _ in 0..2 {
        assert_eq!(permit.pass(frame(3), drop), Ok(()));
    }
    assert!(permit.is_open() && !revoker.is_overrun(), "as much as may go is not too much");
    let mut written = false;
    assert_eq!(permit.pass(frame(3), |_| written = true), Err(Refused::TooMuch));
    assert!(!written && !permit.is_open() && revoker.is_overrun());
    assert_eq!(permit.guard(|| ()), Err(Refused::TooMuch), "nor does what passed and waits in a buffer");
    assert!(!revoker.renew(Mono(u64::MAX)));
    assert_eq!(revoker.revoke().bytes, 12);
    assert!(revoker.is_overrun(), "whoever takes it back changes nothing about that");
}

#[test]
fn what_goes_along_has_a_limit_of_its_own() {
    let (clock, lasts) = (ManualClock::new(), Duration::from_secs(3));
    for (most, passes) in [(9, Ok(())), (8, Err(Refused::TooMuch))] {
        let (own, revoker) = permit(&clock);
        let (other, others) = issue(memory(Some(most)), Arc::new(clock.clone()), clock.now(), lasts);
        assert_eq!(own.with(&[other]).pass(with_facts(3), drop), passes, "of {most}");
        assert_eq!((revoker.is_overrun(), others.is_overrun()), (false, passes.is_err()));
        assert_eq!(revoker.revoke().pieces, u64::from(passes.is_ok()));
    }
}

#[test]
fn no_line_of_a_log_can_hold_labelled_data() {
    const WORD: &str = "a-word-that-is-nowhere-else";
    /// Which text there is of a type, if there is one: with any, it is not clear any more which of these is meant.
    trait Silent<Text> {
        fn stays() {}
    }
    impl<T> Silent<()> for T {}
    impl<T: fmt::Display> Silent<u8> for T {}
    impl<T: serde::Serialize> Silent<u16> for T {}
    impl<T: core::ops::Deref> Silent<u32> for T {}
    // does not compile once there is one
    <Labelled<String> as Silent<_>>::stays();
    <Labelled<Vec<i16>> as Silent<_>>::stays();

    let said = Labelled::new(*frame(3).label(), WORD.to_owned());
    let mut answer = said.clone();
    answer.take_along(said.clone(), |text, other| text.push_str(&other));
    let lines = [
        format!("{said:?}"),
        format!("{:?}", Some(&answer)),
        format!("{:?}", said.derive(Category::TRANSCRIPT, |w| w)),
    ];
    assert!(lines.iter().all(|line| !line.contains(WORD) && line.contains("Labelled(")), "{lines:?}");
}
