//! What the places and the times of leaves give away, the processes that wrote them, and the policy that they are under.

use sayso_audit::verify::Rule;
use sayso_audit::{ActorKind, Commitment, Event, Hash};
use sayso_types::WallTime;

use crate::deeds::{found, story};
use crate::log::{Story, VOICE, id};

#[test]
fn each_process_first_says_that_it_checked_the_log_and_none_comes_back() {
    let next = story(|s| {
        s.given(VOICE).restarted().restarted().opened(10, VOICE).closed(10, VOICE);
    });
    assert_eq!(found(&next), []);
    let unchecked = story(|s| {
        s.given(VOICE);
        s.epoch += 1;
        s.opened(10, VOICE).closed(10, VOICE);
    });
    assert_eq!(found(&unchecked), [(1, Rule::EpochBroken)]);
    let skipped = story(|s| {
        s.given(VOICE);
        s.epoch += 1;
        s.restarted();
    });
    assert_eq!(found(&skipped), [(1, Rule::EpochBroken)]);
    let back = story(|s| {
        s.given(VOICE).restarted();
        s.epoch -= 1;
        s.given(VOICE);
    });
    assert_eq!(found(&back), [(2, Rule::EpochBroken)]);
}

/// T-c: whoever has the log's key changes what is past, and signs it anew. What a later process found there stands against it.
#[test]
fn a_past_that_is_another_than_the_next_process_found_is_found() {
    let honest = story(|s| {
        s.given(VOICE).opened(10, VOICE).closed(10, VOICE).restarted().given(VOICE);
    });
    assert_eq!(found(&honest), []);
    let mut rewritten = honest.clone();
    rewritten.leaves[0].fact.actor.kind = ActorKind::Subject;
    assert_ne!(rewritten.leaves[0], honest.leaves[0]);
    assert_eq!(found(&rewritten), [(3, Rule::SelfcheckUntrue)]);
    let mut shorter = honest;
    let Event::SelfcheckPassed { size, .. } = &mut shorter.leaves[3].fact.event else { unreachable!() };
    *size -= 1;
    assert_eq!(found(&shorter), [(3, Rule::SelfcheckUntrue)]);
}

/// It is the first that a process says, which finds that its clock is behind.
#[test]
fn a_process_may_say_that_its_clock_was_set_back_before_it_says_that_it_checked_the_log() {
    let set_back = |s: &mut Story| {
        s.later_ms += 3_600_000;
        s.given(VOICE);
        s.later_ms -= 3_600_000;
        s.epoch += 1;
        s.tell(Event::ClockAnomaly { behind_ms: 3_600_000 });
    };
    let told = story(|s| {
        set_back(s);
        let checked = s.checked(1);
        s.tell(checked).given(VOICE);
    });
    assert_eq!(found(&told), [(1, Rule::ClockSetBack)]);
    let unchecked = story(|s| {
        set_back(s);
        s.given(VOICE).given(VOICE);
    });
    assert_eq!(found(&unchecked), [(1, Rule::ClockSetBack), (2, Rule::EpochBroken)]);
}

#[test]
fn no_leaf_is_dated_back_unless_the_log_says_that_the_clock_was() {
    let dated = |by_ms: u64, is_told: bool| {
        story(|s| {
            s.later_ms = 10 * by_ms;
            s.given(VOICE);
            s.later_ms -= by_ms;
            if is_told {
                s.tell(Event::ClockAnomaly { behind_ms: by_ms });
            }
            s.given(VOICE).given(VOICE);
            s.later_ms += by_ms;
            s.given(VOICE);
        })
    };
    let day = 86_400_000;
    assert_eq!(found(&dated(day, true)), [(1, Rule::ClockSetBack)]);
    assert_eq!(found(&dated(day, false)), [(1, Rule::DatedBack), (2, Rule::DatedBack)]);
    assert_eq!(found(&dated(1_000, false)), [], "what a time server puts right is no news");
    let again = story(|s| {
        s.later_ms = 2 * day;
        s.given(VOICE);
        s.later_ms = 0;
        s.tell(Event::ClockAnomaly { behind_ms: 2 * day });
        s.restarted();
    });
    assert_eq!(found(&again), [(1, Rule::ClockSetBack), (2, Rule::DatedBack)], "the next process says it anew");
}

#[test]
fn the_time_for_people_is_that_of_the_order() {
    let mut dated = story(|s| {
        s.given(VOICE).given(VOICE).given(VOICE);
    });
    dated.leaves[1].place.wall = WallTime(dated.leaves[1].place.wall.0 + 86_400_000);
    assert_eq!(found(&dated), [(1, Rule::ClockWentBack)], "later than its place says");
    let mut ahead = dated.clone();
    ahead.leaves[1] = ahead.leaves[2].clone();
    ahead.leaves[1].place.sequence = 1;
    ahead.leaves[1].place.clock.0 += 1;
    assert_eq!(found(&ahead)[0], (1, Rule::ClockWentBack), "its place is later than it says");
}

#[test]
fn no_revision_comes_back_and_none_changes() {
    let in_order = story(|s| {
        s.in_force(1).restarted().in_force(1).in_force(3);
    });
    assert_eq!(found(&in_order), []);
    let back = story(|s| {
        s.in_force(2).in_force(1);
    });
    assert_eq!(found(&back), [(1, Rule::RevisionRolledBack)]);
    let changed = story(|s| {
        s.in_force(1).tell(Event::PolicyEffective { profile: Hash::of(b"another") });
    });
    assert_eq!(found(&changed), [(1, Rule::RevisionRolledBack)]);
}

/// Somebody is asked whether they agree to the second revision, says no, and stays governed by the first.
fn declined(s: &mut Story) -> &mut Story {
    s.rev = 1;
    let (record, evidence) = (id(1), Commitment([5; 32]));
    s.tell(Event::ConsentRefused { record, purpose: VOICE, evidence })
}

/// Whoever agreed to a revision that changed since stays governed by it, and nobody else is.
#[test]
fn a_segment_is_under_the_newest_revision_or_the_one_that_the_person_agreed_to() {
    let under = |rev: u32, told: fn(&mut Story) -> &mut Story| {
        found(&story(|s| {
            s.in_force(1).given(VOICE).in_force(2);
            told(s);
            s.rev = rev;
            s.opened(10, VOICE).closed(10, VOICE);
        }))
    };
    assert_eq!((under(1, |s| s), under(2, |s| s)), (vec![], vec![]), "whether it matters to her, the profiles say");
    assert_eq!(under(2, |s| s.given(VOICE)), []);
    assert_eq!(under(1, |s| s.given(VOICE)), [(4, Rule::UnderOtherRevision)], "she agreed to the second");
    assert_eq!(under(1, declined), [], "and stays governed by the first");
    assert_eq!(under(7, |s| s), [(3, Rule::UnderNoRevision)]);

    let overtaken = story(|s| {
        s.in_force(1).in_force(2).given(VOICE);
        s.rev = 1;
        s.opened(10, VOICE).closed_with(10, VOICE, 0);
    });
    assert_eq!(found(&overtaken), [], "decided before the second was in force, and closed again");
}
