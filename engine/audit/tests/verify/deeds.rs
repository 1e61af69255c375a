//! What sound logs can say that must not have happened.

use sayso_audit::verify::{Rule, Severity};
use sayso_audit::{
    Actor, ActorKind, ActorTag, Anonymised, AnonymisedStep, ComplaintStep, ControlEvent, DeskEvent, Event, Hash,
    HybridClock, RequestStep, Scope, Trust, verify_log,
};
use sayso_types::{Category, Name, Part, Purpose, WallTime};

use crate::log::{Story, VOICE, asr, id, trust};

const EVERYTHING: Scope = Scope::Everything;

/// The rules that the story breaks, with the leaves that show it.
pub(crate) fn found(story: &Story) -> Vec<(u64, Rule)> {
    let report = story.log().verify().unwrap();
    report.findings.iter().map(|finding| (finding.leaf, finding.rule)).collect()
}

pub(crate) fn story(tell: impl FnOnce(&mut Story)) -> Story {
    let mut story = Story::new();
    tell(&mut story);
    story
}

#[test]
fn data_needs_consent_first() {
    let none = story(|s| {
        s.opened(10, VOICE).closed(10, VOICE);
    });
    assert_eq!(found(&none), [(0, Rule::SegmentWithoutConsent)]);

    let to_something_else = story(|s| {
        s.given(Purpose::MEMORY).opened(10, VOICE).closed(10, VOICE);
    });
    assert_eq!(found(&to_something_else), [(1, Rule::SegmentWithoutConsent)]);

    let later = story(|s| {
        s.opened(10, VOICE).given(VOICE).closed(10, VOICE);
    });
    assert_eq!(found(&later), [(0, Rule::SegmentWithoutConsent)]);

    let refused = story(|s| {
        let (record, evidence) = (id(1), sayso_audit::Commitment([5; 32]));
        s.asked(VOICE).tell(Event::ConsentRefused { record, purpose: VOICE, evidence });
        s.opened(10, VOICE).closed(10, VOICE);
    });
    assert_eq!(found(&refused), [(3, Rule::SegmentWithoutConsent)]);
}

#[test]
fn data_of_an_older_consent_version_is_not_covered() {
    let stale = story(|s| {
        s.given(VOICE);
        s.cv = 0;
        s.opened(10, VOICE).closed(10, VOICE);
    });
    assert_eq!(found(&stale), [(1, Rule::SegmentWithoutConsent)]);
}

#[test]
fn one_persons_consent_is_not_anothers() {
    let mut mixed = story(|s| {
        s.given(VOICE).opened(10, VOICE).closed(10, VOICE);
    });
    mixed.leaves[0].fact.subject = Some(sayso_audit::SubjectTag([9; 16]));
    assert_eq!(found(&mixed), [(1, Rule::SegmentWithoutConsent)]);
    mixed.leaves[0].fact.subject = None;
    mixed.leaves[1].fact.subject = None;
    assert_eq!(found(&mixed), [(1, Rule::SegmentWithoutConsent)], "consent of nobody is none");
}

#[test]
fn the_auditor_says_which_purposes_need_no_consent() {
    let security: Purpose = "security".parse().unwrap();
    let log = story(|s| {
        s.opened(10, security).closed(10, security);
    })
    .log();
    assert!(!log.verify().unwrap().is_clean());
    let by = |rev| Trust { without_consent: [(rev, [security].into())].into(), ..trust() };
    assert!(verify_log(&log, &by(1)).unwrap().is_clean());
    assert!(verify_log(&log, &by(2)).unwrap().is_clean(), "what another revision says, it says of its own");
}

#[test]
fn nothing_opens_after_a_withdrawal_until_there_is_new_consent() {
    for scope in [EVERYTHING, Scope::Purpose(VOICE)] {
        let after = story(|s| {
            s.given(VOICE).requested(20, scope).effective(20, scope).opened(10, VOICE).closed(10, VOICE);
        });
        assert_eq!(found(&after), [(3, Rule::SegmentAfterWithdrawal)]);

        let given_again = story(|s| {
            s.given(VOICE).requested(20, scope).effective(20, scope).given(VOICE).opened(10, VOICE).closed(10, VOICE);
        });
        assert_eq!(found(&given_again), []);
    }
    let of_something_else = story(|s| {
        s.given(VOICE).given(Purpose::MEMORY);
        s.requested(20, Scope::Purpose(Purpose::MEMORY)).effective(20, Scope::Purpose(Purpose::MEMORY));
        s.opened(10, VOICE).closed(10, VOICE);
    });
    assert_eq!(found(&of_something_else), []);
}

#[test]
fn nothing_in_a_part_that_was_taken_back_opens_until_it_is_given_again() {
    let part = Part { processor: Some(asr()), ..Part::default() };
    let scope = Scope::Part(part);
    let after = story(|s| {
        s.given(VOICE).requested(20, scope).effective(20, scope).opened(10, VOICE).closed(10, VOICE);
    });
    assert_eq!(found(&after), [(3, Rule::SegmentAfterWithdrawal)]);

    let agreed_later = story(|s| {
        s.requested(20, scope).effective(20, scope).given(VOICE).opened(10, VOICE).closed(10, VOICE);
    });
    assert_eq!(found(&agreed_later), [(3, Rule::SegmentAfterWithdrawal)], "it is not what was given");

    let given_again = story(|s| {
        s.given(VOICE).requested(20, scope).effective(20, scope);
        s.tell(Event::Control(ControlEvent::PartGiven { record: id(1), part }));
        s.opened(10, VOICE).closed(10, VOICE);
    });
    assert_eq!(found(&given_again), []);

    let across = story(|s| {
        s.given(VOICE).opened(10, VOICE).requested(20, scope).effective(20, scope).closed(10, VOICE);
    });
    assert_eq!(found(&across), [(3, Rule::OpenAcrossWithdrawal), (4, Rule::ClosedAfterWithdrawal)]);

    for other in [
        Part { category: Some(Category::TRANSCRIPT), ..part },
        Part { processor: Some("another".parse().unwrap()), ..part },
        Part { purpose: Some(Purpose::MEMORY), ..part },
    ] {
        let scope = Scope::Part(other);
        let of_something_else = story(|s| {
            s.given(VOICE).opened(10, VOICE).requested(20, scope).effective(20, scope).closed(10, VOICE);
            s.opened(11, VOICE).closed(11, VOICE);
        });
        assert_eq!(found(&of_something_else), [], "{other}");
    }
}

#[test]
fn gates_close_between_request_and_effect() {
    let in_time = story(|s| {
        s.given(VOICE).opened(10, VOICE).requested(20, EVERYTHING).closed(10, VOICE).effective(20, EVERYTHING);
    });
    assert_eq!(found(&in_time), []);

    let late = story(|s| {
        s.given(VOICE).opened(10, VOICE).requested(20, EVERYTHING).effective(20, EVERYTHING).closed(10, VOICE);
    });
    assert_eq!(found(&late), [(3, Rule::OpenAcrossWithdrawal), (4, Rule::ClosedAfterWithdrawal)]);

    let out_of_scope = story(|s| {
        let memory = Scope::Purpose(Purpose::MEMORY);
        s.given(VOICE).opened(10, VOICE).requested(20, memory).effective(20, memory).closed(10, VOICE);
    });
    assert_eq!(found(&out_of_scope), []);
}

#[test]
fn a_crash_leaves_a_bounded_unknown() {
    let crash = story(|s| {
        s.given(VOICE).opened(10, VOICE).restarted().requested(20, EVERYTHING).effective(20, EVERYTHING);
    });
    assert_eq!(found(&crash), [(1, Rule::NeverClosed)], "no process was left to close it");
    let report = crash.log().verify().unwrap();
    assert_eq!(report.findings[0].severity, Severity::Open);
    assert!(report.is_clean());
}

#[test]
fn a_withdrawal_has_a_beginning_and_an_end() {
    let pending = story(|s| {
        s.given(VOICE).requested(20, EVERYTHING);
    });
    assert_eq!(found(&pending), [(1, Rule::WithdrawalPending)]);
    let unasked = story(|s| {
        s.given(VOICE).effective(20, EVERYTHING);
    });
    assert_eq!(found(&unasked), [(1, Rule::EffectiveWithoutRequest)]);
    let of_less = story(|s| {
        s.given(VOICE).requested(20, EVERYTHING).effective(20, Scope::Purpose(VOICE));
    });
    let never = [(1, Rule::WithdrawalPending), (2, Rule::EffectiveWithoutRequest)];
    assert_eq!(found(&of_less), never, "everything was asked for");
    let mut of_another = story(|s| {
        s.given(VOICE).requested(20, EVERYTHING).effective(20, EVERYTHING);
    });
    of_another.leaves[2].fact.subject = Some(sayso_audit::SubjectTag([9; 16]));
    assert_eq!(found(&of_another), never);
    of_another.leaves[2].fact.subject = None;
    assert_eq!(found(&of_another), never);
}

#[test]
fn segments_open_once_and_close_as_they_were_opened() {
    let twice = story(|s| {
        s.given(VOICE).opened(10, VOICE).opened(10, VOICE).closed(10, VOICE);
    });
    assert_eq!(found(&twice), [(2, Rule::SegmentReopened)]);

    let unopened = story(|s| {
        s.given(VOICE).closed(10, VOICE);
    });
    assert_eq!(found(&unopened), [(1, Rule::ClosedWithoutOpen)]);

    let as_another = story(|s| {
        s.given(VOICE).opened(10, VOICE).closed(10, Purpose::MEMORY);
    });
    assert_eq!(found(&as_another), [(2, Rule::ClosedWithoutOpen)]);
}

#[test]
fn places_and_times_go_forward() {
    let mut other_shard = Story::usual();
    other_shard.leaves[5].place.shard = 5;
    assert_eq!(found(&other_shard), [(5, Rule::ShardMixed)]);

    let mut set_back = Story::usual();
    set_back.leaves[5].place.clock = HybridClock(1);
    assert_eq!(found(&set_back), [(5, Rule::ClockWentBack)]);

    let mut gap = Story::usual();
    gap.leaves[5].place.sequence = 6;
    assert_eq!(found(&gap), [(5, Rule::SequenceBroken)]);
}

#[test]
fn a_clock_that_was_set_back_is_told_and_no_broken_promise() {
    let set_back = story(|s| {
        s.given(VOICE).tell(Event::ClockAnomaly { behind_ms: 3_600_000 });
    });
    assert_eq!(found(&set_back), [(1, Rule::ClockSetBack)]);
    assert!(set_back.log().verify().unwrap().is_clean());
}

#[test]
fn what_the_node_found_itself_is_passed_on() {
    let failed = story(|s| {
        let (size, root) = (10, Hash::of(b""));
        let checked = s.checked(0);
        s.tell(checked);
        s.tell(Event::SelfcheckFailed { size, root, reason: "truncated".parse().unwrap() });
    });
    assert_eq!(found(&failed), [(1, Rule::SelfcheckFailed)]);
}

#[test]
fn a_request_that_is_overdue_is_a_broken_promise() {
    let overdue = story(|s| {
        let (request, detail) = (id(1), Name::constant("copy"));
        for step in [RequestStep::Received, RequestStep::Overdue] {
            s.tell(Event::Request { request, step, detail, evidence: None });
        }
    });
    assert_eq!(found(&overdue), [(1, Rule::RequestLate)]);
}

/// What may be done without consent is as long and as far as somebody granted it.
#[test]
fn a_segment_without_consent_needs_a_live_grant() {
    use crate::log::{asr, cell};
    let grant = Name::constant("x04-00");
    let granted = |until| {
        let (evidence, approvers) = (Hash([7; 32]), vec![ActorTag([1; 16])]);
        Event::ExemptionGranted { grant, cell: cell(VOICE), processor: asr(), until, evidence, approvers }
    };
    let permitted = |segment| Event::PermittedByExemption {
        segment: id(segment),
        gate: Name::constant("recognition"),
        cell: cell(VOICE),
        processor: asr(),
        grant,
    };
    let late = |s: &mut Story| {
        s.tell(permitted(10)).opened(10, VOICE).closed(10, VOICE);
    };
    let forever = WallTime(u64::MAX);
    let sound = story(|s| {
        s.tell(granted(forever));
        late(s);
        s.given(VOICE).requested(20, EVERYTHING).effective(20, EVERYTHING);
        s.tell(permitted(11)).opened(11, VOICE).closed(11, VOICE);
        s.tell(Event::ExemptionRevoked { grant });
    });
    assert_eq!(found(&sound), []);
    assert_eq!(found(&story(late)), [(0, Rule::WithoutLiveGrant)], "nobody granted it");
    let over = story(|s| {
        s.tell(granted(WallTime(0)));
        late(s);
    });
    assert_eq!(found(&over), [(1, Rule::WithoutLiveGrant)], "its time was over");
    for end in [Event::ExemptionExpired { grant }, Event::ExemptionRevoked { grant }] {
        let ended = story(|s| {
            s.tell(granted(forever)).tell(end);
            late(s);
        });
        assert_eq!(found(&ended), [(2, Rule::WithoutLiveGrant)]);
    }
    let mut opened = story(|s| {
        s.tell(granted(forever)).tell(permitted(10)).opened(10, VOICE).closed(10, VOICE);
    });
    opened.leaves[0].fact.subject = None;
    assert_eq!(found(&opened), [], "it is for anybody");
    opened.leaves[1].fact.subject = Some(sayso_audit::SubjectTag([9; 16]));
    assert_eq!(found(&opened), [(2, Rule::SegmentWithoutConsent)], "it was said of somebody else's");
    let unsaid = story(|s| {
        s.tell(granted(forever)).opened(10, VOICE).closed(10, VOICE);
    });
    assert_eq!(found(&unsaid), [(1, Rule::SegmentWithoutConsent)], "a use that does not say so is none");
}

#[test]
fn what_is_given_away_needs_a_grant_that_lives_and_is_for_that() {
    let (grant, category) = (Name::constant("x08-5a5a5a5a5a5a5a5a5a5a5a5a"), Category::MEMORY_SUMMARY);
    let desk = Event::Desk;
    let granted = |until| {
        let (evidence, recipient, approvers) = (Hash([7; 32]), Hash([8; 32]), vec![ActorTag([1; 16])]);
        desk(DeskEvent::DisclosureGranted { grant, category, until, evidence, recipient, approvers })
    };
    let disclosure = id(10);
    let permitted =
        |category| desk(DeskEvent::DisclosurePermitted { disclosure, gate: Name::constant("access"), category, grant });
    let created = || desk(DeskEvent::DisclosureCreated { disclosure, rows: 1, bytes: 9, file: Hash([9; 32]) });
    let forever = WallTime(u64::MAX);
    let sound = story(|s| {
        s.tell(granted(forever)).tell(permitted(category)).tell(created()).tell(Event::ExemptionExpired { grant });
    });
    assert_eq!(found(&sound), []);
    let without = story(|s| {
        s.tell(permitted(category)).tell(created());
    });
    assert_eq!(found(&without), [(0, Rule::WithoutLiveGrant)], "nobody granted it");
    let unsaid = story(|s| {
        s.tell(granted(forever)).tell(created());
    });
    assert_eq!(found(&unsaid), [(1, Rule::WithoutLiveGrant)], "it does not say by what right");
    let over = story(|s| {
        s.tell(granted(WallTime(0))).tell(permitted(category)).tell(created());
    });
    assert_eq!(found(&over), [(1, Rule::WithoutLiveGrant)], "its time was over");
    let other = story(|s| {
        s.tell(granted(forever)).tell(permitted(Category::TRANSCRIPT)).tell(created());
    });
    assert_eq!(found(&other), [(1, Rule::WithoutLiveGrant)], "it is for something else");
    let late = ComplaintStep::Overdue;
    let (complaint, detail, document) = (id(11), Name::constant("person"), Hash([1; 32]));
    let overdue = story(|s| {
        s.tell(desk(DeskEvent::Complaint { complaint, step: late, detail, document, evidence: None }));
    });
    assert_eq!(found(&overdue), [(0, Rule::ComplaintLate)]);
}

#[test]
fn what_the_operators_people_read_needs_a_grant_of_theirs_that_lives() {
    let (grant, category) = (Name::constant("x07-5a5a5a5a5a5a5a5a5a5a5a5a"), Category::MEMORY_SUMMARY);
    let (ann, ben) = (ActorTag([1; 16]), ActorTag([2; 16]));
    let (access, ticket) = (id(10), Hash([8; 32]));
    let granted = |until| {
        let (evidence, approvers) = (Hash([7; 32]), vec![ben]);
        Event::Desk(DeskEvent::ReadingGranted { grant, category, until, evidence, ticket, reader: ann, approvers })
    };
    let permitted = || {
        let gate = Name::constant("access");
        Event::Desk(DeskEvent::DisclosurePermitted { disclosure: access, gate, category, grant })
    };
    let read = |category, ticket| {
        Event::Desk(DeskEvent::ContentRead { access, what: Name::constant("kept.get"), category, rows: 1, ticket })
    };
    let told = |granting: Option<Event>, rest: &[Event], by: ActorTag| {
        let mut told = story(|s| {
            for event in granting.into_iter().chain(rest.iter().cloned()) {
                s.tell(event);
            }
        });
        for leaf in &mut told.leaves {
            leaf.fact.actor = Actor { kind: ActorKind::Operator, tag: Some(by) };
        }
        found(&told)
    };
    let forever = || Some(granted(WallTime(u64::MAX)));
    let reading = [permitted(), read(category, Some(ticket))];
    assert_eq!(told(forever(), &reading, ann), []);
    let broken = |leaf| vec![(leaf, Rule::WithoutLiveGrant)];
    assert_eq!(told(forever(), &reading, ben), broken(2), "it is Ann's");
    assert_eq!(told(None, &reading, ann), [broken(0), broken(1)].concat(), "nobody granted it");
    assert_eq!(told(Some(granted(WallTime(0))), &reading, ann), [broken(1), broken(2)].concat(), "its time was over");
    assert_eq!(told(forever(), &reading[1..], ann), broken(1), "it does not say by what right");
    let twice = [permitted(), read(category, Some(ticket)), read(category, Some(ticket))];
    assert_eq!(told(forever(), &twice, ann), broken(3), "each says it");
    let other = [permitted(), read(Category::TRANSCRIPT, Some(ticket))];
    assert_eq!(told(forever(), &other, ann), broken(2), "it is for something else");
    let unasked = [permitted(), read(category, Some(Hash([9; 32])))];
    assert_eq!(told(forever(), &unasked, ann), broken(2), "it is for another ticket");
    let ended = [Event::ExemptionRevoked { grant }, permitted(), read(category, Some(ticket))];
    assert_eq!(told(forever(), &ended, ann), [broken(2), broken(3)].concat());
    let unsaid = Event::OperatorAccess { ticket: access, reason: Name::constant("kept.get"), rows: 1 };
    assert_eq!(told(forever(), &[unsaid], ann), broken(1), "of a category that it does not name");
}

fn step(ending: u8, step: AnonymisedStep, people: u64, report: Option<Hash>) -> Event {
    let (ending, category) = (id(ending), Category::MEMORY_SUMMARY);
    Event::Anonymised(Anonymised { ending, category, step, people, report })
}

#[test]
fn whoever_is_counted_as_anonymised_was_due_and_is_counted_once() {
    let (category, how) = (Category::MEMORY_SUMMARY, |text| Name::constant(text));
    let due = |ending| Event::RetentionDue { ending: id(ending), category, at: WallTime(0) };
    let counted = |ending| step(ending, AnonymisedStep::HandedOn, 1, None);
    let executed = |ending, how| Event::RetentionExecuted { ending: id(ending), category, how, rows: 1 };
    let released = |people| step(9, AnonymisedStep::Released, people, Some(Hash([1; 32])));
    let told = |events: Vec<Event>| {
        found(&story(|s| {
            for event in events {
                s.tell(event);
            }
        }))
    };
    let sound =
        vec![due(1), counted(1), executed(1, how("anonymised")), released(1), step(9, AnonymisedStep::TooFew, 0, None)];
    assert_eq!(told(sound), []);
    assert_eq!(told(vec![due(1), executed(1, how("erased"))]), []);
    let undue = |at| [(at, Rule::AnonymisedUnduly)];
    assert_eq!(told(vec![counted(1), executed(1, how("anonymised"))]), undue(0), "nothing was due");
    assert_eq!(told(vec![due(1), executed(1, how("anonymised"))]), undue(1), "nobody was counted");
    assert_eq!(told(vec![due(1), counted(1), executed(1, how("erased"))]), undue(2), "it was erased");
    let again =
        [due(1), counted(1), executed(1, how("anonymised")), due(2), counted(2), executed(2, how("anonymised"))];
    assert_eq!(told(again.to_vec()), undue(4), "they had been counted before");
    assert_eq!(told(vec![released(1)]), undue(0), "nobody had been counted");
    let unreported =
        vec![due(1), counted(1), executed(1, how("anonymised")), step(9, AnonymisedStep::Released, 1, None)];
    assert_eq!(told(unreported), undue(3), "its test has no report");
}

#[test]
fn what_somebody_answers_for_is_what_a_certificate_says() {
    let (erasure, certificate) = (id(1), Hash([7; 32]));
    let acknowledged = || Event::EraseAcknowledged { erasure, how: Name::constant("purged"), replica: None };
    let certified = || Event::EraseCertified { erasure, certificate };
    let approved = |certificate| {
        let (residual, reason) = (Name::constant("llm-cloud"), Name::constant("receiver_dissolved"));
        Event::Desk(DeskEvent::ResidualApproved { erasure, certificate, residual, reason })
    };
    let sound = story(|s| {
        s.tell(acknowledged()).tell(certified()).tell(approved(certificate));
    });
    assert_eq!(found(&sound), []);
    let early = story(|s| {
        s.tell(approved(certificate)).tell(acknowledged()).tell(certified());
    });
    assert_eq!(found(&early), [(0, Rule::ApprovedUnsaid)]);
    let other = story(|s| {
        s.tell(acknowledged()).tell(certified()).tell(approved(Hash([8; 32])));
    });
    assert_eq!(found(&other), [(2, Rule::ApprovedUnsaid)]);
}
