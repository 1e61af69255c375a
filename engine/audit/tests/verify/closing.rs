//! What has to close because of what became of its ground, and when.

use sayso_audit::verify::Rule;
use sayso_audit::{Actor, ActorKind, ActorTag, Commitment, Event, Hash, Reference, Replica, Scope};
use sayso_types::{Category, Name, WallTime};

use crate::deeds::{found, story};
use crate::log::{Story, VOICE, asr, cell, id};

const EVERYTHING: Scope = Scope::Everything;
const SERVICE: Actor = Actor { kind: ActorKind::Tenant, tag: None };
const GRANT: Name = Name::constant("x04-00");

/// Something is opened by a service outside of the node, which outlives the process that gave it the permit.
fn lent(s: &mut Story) {
    s.by = SERVICE;
    s.opened(10, VOICE);
    s.by = Actor::SYSTEM;
}

#[test]
fn a_service_that_has_data_is_waited_for_by_the_next_process_too() {
    let waited_for = story(|s| {
        s.given(VOICE);
        lent(s);
        s.restarted().requested(20, EVERYTHING).closed(10, VOICE).effective(20, EVERYTHING);
    });
    assert_eq!(found(&waited_for), []);
    let forgotten = story(|s| {
        s.given(VOICE);
        lent(s);
        s.restarted().requested(20, EVERYTHING).effective(20, EVERYTHING).closed(10, VOICE);
    });
    assert_eq!(found(&forgotten), [(4, Rule::OpenAcrossWithdrawal), (5, Rule::ClosedAfterWithdrawal)]);
    let from_the_dead = story(|s| {
        s.given(VOICE).opened(10, VOICE).restarted();
        s.requested(20, EVERYTHING).effective(20, EVERYTHING).closed(10, VOICE);
    });
    assert_eq!(found(&from_the_dead), [(5, Rule::ClosedAfterWithdrawal)], "nobody was left to close it");
}

/// What ends consent otherwise than by withdrawal.
fn endings() -> [Event; 3] {
    let (record, purpose, evidence) = (id(1), VOICE, Commitment([5; 32]));
    [
        Event::ConsentExpired { record, purpose },
        Event::ConsentRefused { record, purpose, evidence },
        Event::ConsentDeferred { record, purpose, evidence },
    ]
}

#[test]
fn nothing_is_used_for_long_after_consent_was_over() {
    for end in endings() {
        let soon = story(|s| {
            s.given(VOICE).opened(10, VOICE).tell(end.clone()).closed(10, VOICE);
        });
        assert_eq!(found(&soon), []);
        let late = story(|s| {
            s.given(VOICE).opened(10, VOICE).tell(end.clone()).runs_on().closed(10, VOICE);
        });
        assert_eq!(found(&late), [(1, Rule::OpenAfterEnd)]);
        let never = story(|s| {
            s.given(VOICE).opened(10, VOICE).tell(end.clone()).runs_on();
        });
        assert_eq!(found(&never), [(1, Rule::OpenAfterEnd), (1, Rule::NeverClosed)]);
        let anew = story(|s| {
            s.given(VOICE).tell(end.clone()).opened(10, VOICE).closed(10, VOICE);
        });
        assert_eq!(found(&anew), [(2, Rule::SegmentWithoutConsent)]);
    }
    let unused = story(|s| {
        s.given(VOICE).opened(10, VOICE).tell(endings()[0].clone()).runs_on().closed_with(10, VOICE, 0);
    });
    assert_eq!(found(&unused), [], "nothing had passed");
    let asleep = story(|s| {
        s.given(VOICE).opened(10, VOICE).tell(endings()[0].clone());
        s.later_ms += 86_400_000;
        s.closed(10, VOICE);
    });
    assert_eq!(found(&asleep), [], "the node did not run for a day, and closed it when it did");
    let died = story(|s| {
        s.given(VOICE).opened(10, VOICE).tell(endings()[0].clone()).restarted().runs_on();
    });
    assert_eq!(found(&died), [(1, Rule::NeverClosed)], "its process ended");
}

fn granted() -> Event {
    let (until, evidence, approvers) = (WallTime(u64::MAX), Hash([7; 32]), vec![ActorTag([1; 16])]);
    Event::ExemptionGranted { grant: GRANT, cell: cell(VOICE), processor: asr(), until, evidence, approvers }
}

fn permitted() -> Event {
    let (segment, gate) = (id(10), Name::constant("recognition"));
    Event::PermittedByExemption { segment, gate, cell: cell(VOICE), processor: asr(), grant: GRANT }
}

#[test]
fn what_was_decided_before_a_grant_ended_closes_before_anything_passes() {
    for end in [Event::ExemptionExpired { grant: GRANT }, Event::ExemptionRevoked { grant: GRANT }] {
        let after = |closes: fn(&mut Story) -> &mut Story| {
            found(&story(|s| {
                s.tell(granted()).tell(end.clone()).tell(permitted()).opened(10, VOICE);
                closes(s);
            }))
        };
        let open = [(2, Rule::WithoutLiveGrant), (3, Rule::NeverClosed)];
        assert_eq!(after(|s| s.closed_with(10, VOICE, 0)), []);
        assert_eq!(after(|s| s.closed(10, VOICE)), open[..1]);
        assert_eq!(after(Story::restarted), open[1..], "its process ended before it could");
        assert_eq!(after(Story::runs_on), open);
        assert_eq!(after(|s| s.runs_on().restarted()), open);

        let meanwhile = |agrees: bool| {
            found(&story(|s| {
                s.tell(granted()).tell(permitted()).opened(10, VOICE);
                if agrees {
                    s.given(VOICE);
                }
                s.tell(end.clone()).runs_on().closed(10, VOICE);
            }))
        };
        assert_eq!(meanwhile(false), [(2, Rule::OpenAfterEnd)]);
        assert_eq!(meanwhile(true), [], "she has agreed to what it is for");
    }
}

#[test]
fn nothing_passes_that_was_opened_after_the_service_had_ended() {
    let ended = |closes: fn(&mut Story) -> &mut Story| {
        found(&story(|s| {
            s.given(VOICE).tell(Event::ShutdownStarted { shutdown: id(30) }).opened(10, VOICE);
            closes(s);
        }))
    };
    let open = [(2, Rule::SegmentAfterShutdown), (2, Rule::NeverClosed)];
    assert_eq!(ended(|s| s.closed(10, VOICE)), open[..1]);
    assert_eq!(ended(|s| s.closed_with(10, VOICE, 0)), [], "asked for while it was being written");
    assert_eq!(ended(Story::runs_on), open);
}

fn acknowledged(erasure: Reference, replica: Option<Replica>) -> Event {
    Event::EraseAcknowledged { erasure, how: Name::constant("purged"), replica }
}

fn certified(erasure: Reference) -> Event {
    Event::EraseCertified { erasure, certificate: Hash([7; 32]) }
}

#[test]
fn an_erasure_is_certified_when_each_replica_has_acknowledged_it() {
    let erasure = id(40);
    let told = |replicas: &[Option<Replica>]| {
        found(&story(|s| {
            for replica in replicas {
                s.tell(acknowledged(erasure, *replica));
            }
            s.tell(certified(erasure));
        }))
    };
    let node = |node| Some(Replica { node, of: 3 });
    assert_eq!(told(&[None]), [], "a store that is in one place");
    assert_eq!(told(&[node(1), node(2), node(4)]), []);
    let undue = |at| [(at, Rule::CertifiedUnacknowledged)];
    assert_eq!(told(&[]), undue(0));
    assert_eq!(told(&[node(1), node(2)]), undue(2), "one has not");
    assert_eq!(told(&[node(1), node(2), node(2)]), undue(3), "one has said so for another");
    let other = story(|s| {
        s.tell(acknowledged(id(41), None)).tell(certified(erasure));
    });
    assert_eq!(found(&other), undue(1), "of another erasure");
}

#[test]
fn what_is_begun_and_not_done_is_told() {
    let (erasure, category) = (id(40), Category::MEMORY_SUMMARY);
    let committed = || Event::EraseCommitted { erasure, category: None, ground: Name::constant("withdrawn") };
    let pending = story(|s| {
        s.tell(committed());
    });
    assert_eq!(found(&pending), [(0, Rule::ErasurePending)]);
    assert!(pending.log().verify().unwrap().is_clean());
    let certified = story(|s| {
        s.tell(committed()).tell(acknowledged(erasure, None)).tell(certified(erasure));
    });
    assert_eq!(found(&certified), []);
    let due = story(|s| {
        s.tell(Event::RetentionDue { ending: erasure, category, at: WallTime(0) });
    });
    assert_eq!(found(&due), [(0, Rule::EndingPending)]);
}
