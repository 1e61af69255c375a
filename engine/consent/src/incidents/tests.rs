//! The state machine, walked by hand and at random, and the trace against a slow reference.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::select;
use sayso_audit::{
    Actor, ActorKind, DeskEvent, Event, Fact, Hash, HybridClock, Leaf, LineageEvent, Place, Reference, SubjectTag,
    UNCOUNTED,
};
use sayso_policy::Profile;
use sayso_policy::law::Audience;
use sayso_types::{
    Category, Cell, ConsentVersion, Name, ProcessorId, ProcessorKind, Purpose, RegionClass, TurnId, WallTime,
};

use super::*;

const NOW: WallTime = WallTime(1_767_225_600_000);
const HOUR: u64 = 60 * 60 * 1_000;

fn profile(incident: &str) -> Profile {
    Profile::in_force_before(&format!("{}\n{incident}", include_str!("../../tests/profile.toml"))).unwrap()
}

fn duties() -> Profile {
    profile(
        "[incident.subjects]\nwithin = \"PT72H\"\nfields = [\"situation\", \"impact\", \"measures\", \"remedies\"]\n\
         [incident.regulator]\nwithin = \"PT4H\"\n",
    )
}

fn opened(profile: &Profile) -> Incident {
    Incident::opened(Reference([1; 16]), None, "a disk is gone".into(), profile, (NOW, NOW))
}

fn scope() -> Scope {
    let (processors, categories, records) = Default::default();
    Scope { processors, categories, records, from: WallTime(NOW.0 - HOUR), until: NOW }
}

fn assess(people: u64) -> Step {
    Step::Assess(Assessment { scope: scope(), people, at: NOW })
}

fn notice() -> BTreeMap<Name, Notice> {
    let text = |text: &str| text.to_owned();
    let notice = Notice {
        spoken: text("A disk was stolen. Change your code words."),
        situation: text("A disk was stolen."),
        impact: text("Somebody may hear what you said."),
        measures: text("The disks are sealed now."),
        self_protection: text("Change your code words."),
        remedies: text("Somebody answers your questions."),
        contact: text("help@home.example"),
    };
    [("en".parse().unwrap(), notice)].into()
}

fn after(incident: &Incident, step: Step) -> Result<Incident, NotNow> {
    incident.after(step, &duties(), NOW)
}

#[test]
fn an_incident_is_handled_when_all_is_done_that_the_policy_says() {
    let incident = opened(&duties());
    let due = |tell| incident.tellings[&tell].due.as_ref().map(|due| (due.at.0 - NOW.0) / HOUR);
    assert_eq!((due(Audience::Regulator), due(Audience::Subjects)), (Some(4), Some(72)));
    let close = Step::Close(Ending::Handled);
    assert_eq!(after(&incident, close.clone()), Err(NotNow::NotAssessed));
    assert_eq!(after(&incident, Step::TellSubjects(notice())), Err(NotNow::NotAssessed));
    let assessed = after(&incident, assess(2)).unwrap();
    assert_eq!(after(&assessed, close.clone()), Err(NotNow::NotContained));
    let contained = after(&assessed, Step::Contain).unwrap();
    assert_eq!(after(&contained, Step::Contain), Err(NotNow::Done));
    assert_eq!(after(&contained, close.clone()), Err(NotNow::Untold(Audience::Regulator)));
    assert_eq!(after(&contained, Step::TellRegulator(" ".into())), Err(NotNow::Reference));
    let told = after(&contained, Step::TellRegulator("CAC 2026/7".into())).unwrap();
    assert_eq!(after(&told, close.clone()), Err(NotNow::Untold(Audience::Subjects)));
    let told = after(&told, Step::TellSubjects(notice())).unwrap();
    assert_eq!(after(&told, assess(3)), Err(NotNow::PeopleTold));
    let closed = after(&told, close.clone()).unwrap();
    assert_eq!((closed.closed, after(&closed, close)), (Some((NOW, Ending::Handled)), Err(NotNow::Closed)));
}

#[test]
fn where_it_is_nobodys_data_nobody_is_told_and_where_there_was_nothing_neither() {
    let told = Step::TellRegulator("by telephone".into());
    let steps = [assess(0), Step::Contain, told, Step::Close(Ending::Handled)];
    let closed = steps.into_iter().try_fold(opened(&duties()), |incident, step| after(&incident, step));
    assert!(closed.unwrap().closed.is_some());
    assert!(after(&opened(&duties()), Step::Close(Ending::Unfounded)).unwrap().closed.is_some());
}

#[test]
fn what_a_notice_lacks_is_named() {
    let assessed = after(&opened(&duties()), assess(2)).unwrap();
    assert_eq!(after(&assessed, Step::TellSubjects(BTreeMap::new())), Err(NotNow::Missing(vec!["en".into()])));
    let mut lacking = notice();
    let text = lacking.values_mut().next().unwrap();
    (text.spoken, text.impact, text.remedies) = (String::new(), " ".into(), String::new());
    text.contact = "x".repeat(incident::TEXT_BYTES_MAX + 1);
    let missing = after(&assessed, Step::TellSubjects(lacking.clone()));
    let expected = ["en.spoken", "en.impact", "en.remedies", "en.contact"].map(str::to_owned).to_vec();
    assert_eq!(missing, Err(NotNow::Missing(expected)));
    // remedies are told where the policy promises them
    let plain = profile("[incident.subjects]\nwithin = \"PT72H\"\n");
    let text = lacking.values_mut().next().unwrap();
    (text.spoken, text.impact, text.contact) = ("A disk.".into(), "none".into(), "us".into());
    assert!(assessed.after(Step::TellSubjects(lacking), &plain, NOW).is_ok());
}

#[test]
fn a_span_of_time_is_one() {
    let assess = |from: u64, until: u64| {
        let scope = Scope { from: WallTime(from), until: WallTime(until), ..scope() };
        after(&opened(&duties()), Step::Assess(Assessment { scope, people: 0, at: NOW })).is_ok()
    };
    assert!(assess(NOW.0, NOW.0 + 1) && assess(0, NOW.0 + HOUR));
    assert!(!assess(NOW.0, NOW.0) && !assess(NOW.0 + 1, NOW.0 + 2));
}

#[test]
fn whoever_is_not_told_by_their_day_is_late_once() {
    let incident = opened(&duties());
    let late = |incident: &Incident, hours: u64| incident.late(WallTime(NOW.0 + hours * HOUR)).collect::<Vec<_>>();
    assert_eq!(late(&incident, 4), []);
    assert_eq!(late(&incident, 5), [Audience::Regulator]);
    assert_eq!(late(&incident, 73), [Audience::Regulator, Audience::Subjects]);
    let noted = incident.overdue(Audience::Regulator);
    assert_eq!(late(&noted, 73), [Audience::Subjects]);
    let told = after(&noted, Step::TellRegulator("late".into())).unwrap();
    assert!(told.tellings[&Audience::Regulator].is_overdue, "that it was late stays on record");
    assert_eq!(late(&after(&told, Step::Close(Ending::Unfounded)).unwrap(), 99), []);
    let nobody = Incident::opened(Reference([1; 16]), None, "?".into(), &profile(""), (NOW, NOW));
    assert!(nobody.tellings.is_empty());
}

fn steps() -> impl Strategy<Value = Step> {
    select(vec![
        assess(0),
        assess(3),
        Step::Contain,
        Step::TellRegulator("told".into()),
        Step::TellSubjects(notice()),
        Step::TellSubjects(BTreeMap::new()),
        Step::Close(Ending::Handled),
        Step::Close(Ending::Unfounded),
    ])
}

proptest! {
    /// What is done stays done, and what is closed stays closed; handled is only what is assessed, contained and told.
    #[test]
    fn nothing_is_undone(steps in prop::collection::vec(steps(), 0..20)) {
        let mut incident = opened(&duties());
        for step in steps {
            let Ok(next) = after(&incident, step) else { continue };
            prop_assert!(incident.closed.is_none());
            prop_assert!(next.contained.is_some() >= incident.contained.is_some());
            prop_assert!(next.assessment.is_some() >= incident.assessment.is_some());
            for tell in [Audience::Regulator, Audience::Subjects] {
                prop_assert!(next.is_told(tell) >= incident.is_told(tell));
            }
            prop_assert_eq!(next.is_told(Audience::Subjects), !next.notices.is_empty());
            incident = next;
        }
        if let Some((_, Ending::Handled)) = incident.closed {
            let people = incident.assessment.as_ref().unwrap().people;
            prop_assert!(incident.contained.is_some() && incident.is_told(Audience::Regulator));
            prop_assert!(people == 0 || incident.is_told(Audience::Subjects));
        }
    }
}

/// Something that happens in a history.
#[derive(Clone, Debug)]
enum Happens {
    Opens {
        person: u8,
        is_outside: bool,
        processor: usize,
        category: usize,
    },
    /// One of those that are open.
    Closes {
        which: prop::sample::Index,
        /// [`None`] where nobody counted.
        bytes: Option<u64>,
    },
    /// Something of the person is kept.
    Keeps {
        person: u8,
        processor: usize,
        category: usize,
    },
    /// Nothing of it is, any more.
    Destroys {
        person: u8,
        category: usize,
    },
    /// Somebody of the operator's reads it, or gives it to an authority.
    Reads {
        person: u8,
        category: usize,
        is_given: bool,
    },
    Restart,
}

const PROCESSORS: [&str; 3] = ["asr", "llm", "tts"];
const CATEGORIES: [Category; 2] = [Category::VOICE_AUDIO, Category::TRANSCRIPT];

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        4 => (0..4_u8, any::<bool>(), 0..PROCESSORS.len(), 0..CATEGORIES.len()).prop_map(
            |(person, is_outside, processor, category)| Happens::Opens { person, is_outside, processor, category }
        ),
        4 => (any::<prop::sample::Index>(), prop_oneof![Just(None), Just(Some(0)), (1..9_u64).prop_map(Some)])
            .prop_map(|(which, bytes)| Happens::Closes { which, bytes }),
        2 => (0..4_u8, 0..PROCESSORS.len(), 0..CATEGORIES.len())
            .prop_map(|(person, processor, category)| Happens::Keeps { person, processor, category }),
        1 => (0..4_u8, 0..CATEGORIES.len()).prop_map(|(person, category)| Happens::Destroys { person, category }),
        1 => (0..4_u8, 0..CATEGORIES.len(), any::<bool>())
            .prop_map(|(person, category, is_given)| Happens::Reads { person, category, is_given }),
        1 => Just(Happens::Restart),
    ]
}

/// A segment of a history: whose, to whom, of what, from when to when, and what passed, where that is known.
struct Segment {
    person: u8,
    is_outside: bool,
    processor: ProcessorId,
    category: Category,
    opened: u64,
    closed: Option<(u64, Option<u64>)>,
}

/// The leaves of a history, one a millisecond, and its segments.
fn history(happens: &[Happens]) -> (Vec<Leaf>, Vec<Segment>) {
    let (mut leaves, mut segments, mut open) = (Vec::new(), Vec::<Segment>::new(), Vec::<usize>::new());
    let mut epoch = 1;
    for (at, happens) in (1_u64..).zip(happens) {
        let cell = |category| Cell {
            purpose: Purpose::VOICE_INTERACTION,
            category,
            kind: ProcessorKind::Asr,
            region: RegionClass::Local,
        };
        let id = |n: usize| Reference([u8::try_from(n).unwrap(); 16]);
        let mut actor = Actor::SYSTEM;
        let (person, event) = match happens {
            Happens::Opens { person, is_outside, processor, category } => {
                let (processor, category) = (PROCESSORS[*processor].parse().unwrap(), CATEGORIES[*category]);
                open.push(segments.len());
                let segment = id(segments.len());
                let (person, is_outside) = (*person, *is_outside);
                segments.push(Segment { person, is_outside, processor, category, opened: at, closed: None });
                if is_outside {
                    actor = Actor { kind: ActorKind::Tenant, tag: None };
                }
                (Some(person), Event::SegmentOpened { segment, cell: cell(category), processor, turn: TurnId(1) })
            }
            Happens::Closes { which, bytes } if !open.is_empty() => {
                let n = open.remove(which.index(open.len()));
                let Segment { person, processor, category, .. } = segments[n];
                segments[n].closed = Some((at, *bytes));
                let closed = Event::SegmentClosed {
                    segment: id(n),
                    cell: cell(category),
                    processor,
                    turn: TurnId(1),
                    bytes: bytes.unwrap_or_default(),
                    pieces: 1,
                    content: Hash([0; 32]),
                    reason: if bytes.is_some() { Name::constant("done") } else { UNCOUNTED },
                };
                (Some(person), closed)
            }
            Happens::Closes { .. } => (None, Event::ClockAnomaly { behind_ms: 1 }),
            Happens::Keeps { person, processor, category } => {
                let (processor, cell) = (PROCESSORS[*processor].parse().unwrap(), cell(CATEGORIES[*category]));
                let written =
                    LineageEvent::Written { item: id(200), gate: Name::constant("memory"), cell, processor, bytes: 1 };
                (Some(*person), Event::Lineage(written))
            }
            Happens::Destroys { person, category } => {
                let (category, key) = (CATEGORIES[*category], Hash([0; 32]));
                (Some(*person), Event::KeyDestroyed { erasure: id(201), category, generation: 1, key })
            }
            Happens::Reads { person, category, is_given } => {
                let (id, category) = (id(202), CATEGORIES[*category]);
                let (gate, what, grant) =
                    (Name::constant("access"), Name::constant("kept.get"), Name::constant("x07-1"));
                let event = if *is_given {
                    DeskEvent::DisclosurePermitted { disclosure: id, gate, category, grant }
                } else {
                    DeskEvent::ContentRead { access: id, what, category, rows: 1, ticket: None }
                };
                (Some(*person), Event::Desk(event))
            }
            Happens::Restart => {
                epoch += 1;
                // what is outside of the process does not end with it
                for n in open.extract_if(.., |n| !segments[*n].is_outside).collect::<Vec<_>>() {
                    segments[n].closed = Some((at, None));
                }
                (None, Event::SelfcheckPassed { size: at, root: Hash([0; 32]) })
            }
        };
        let subject = person.map(|person| SubjectTag([person; 16]));
        let cv = ConsentVersion(1);
        let fact = Fact { subject, actor, cv, profile_rev: 1, registry_rev: 0, epoch, event };
        leaves.push(fact.at(Place { shard: 0, sequence: at - 1, clock: HybridClock(at << 16), wall: WallTime(at) }));
    }
    (leaves, segments)
}

proptest! {
    /// Exactly those are found of whom something passed, or may have, in the span.
    #[test]
    fn the_trace_finds_exactly_whose_data_it_was(
        happens in prop::collection::vec(happens(), 0..60),
        processors in prop::collection::btree_set(0..PROCESSORS.len(), 0..3),
        categories in prop::collection::btree_set(0..CATEGORIES.len(), 0..2),
        (from, span) in (0..60_u64, 1..60_u64),
    ) {
        let (leaves, segments) = history(&happens);
        let scope = Scope {
            processors: processors.into_iter().map(|n| PROCESSORS[n].parse().unwrap()).collect(),
            categories: categories.into_iter().map(|n| CATEGORIES[n]).collect(),
            records: BTreeSet::new(),
            from: WallTime(from),
            until: WallTime(from + span),
        };
        let now = leaves.len() as u64 + 1;
        let affected = segments.iter().filter(|segment| {
            let (end, bytes) = segment.closed.unwrap_or((now, None));
            let overlaps = segment.opened < from + span && end >= from;
            let received = scope.processors.is_empty() || scope.processors.contains(&segment.processor);
            let meant = scope.categories.is_empty() || scope.categories.contains(&segment.category);
            overlaps && received && meant && bytes != Some(0)
        });
        let mut expected: BTreeSet<_> = affected.map(|segment| SubjectTag([segment.person; 16])).collect();
        let expect_kept = |of: u8, what: usize| {
            // when there was something of it, from each writing to the next destruction
            let (mut since, mut was) = (None, false);
            for (at, happens) in (1_u64..).zip(&happens) {
                match happens {
                    Happens::Keeps { person, processor, category } if (*person, *category) == (of, what) => {
                        let to: ProcessorId = PROCESSORS[*processor].parse().unwrap();
                        if scope.processors.is_empty() || scope.processors.contains(&to) {
                            since.get_or_insert(at);
                        }
                    }
                    Happens::Destroys { person, category } if (*person, *category) == (of, what) => {
                        was |= since.take().is_some_and(|since| since < from + span && at >= from);
                    }
                    _ => {}
                }
            }
            was || since.is_some_and(|since| since < from + span && now >= from)
        };
        for of in 0..4 {
            let meant = (0..CATEGORIES.len())
                .filter(|what| scope.categories.is_empty() || scope.categories.contains(&CATEGORIES[*what]));
            if meant.into_iter().any(|what| expect_kept(of, what)) {
                expected.insert(SubjectTag([of; 16]));
            }
        }
        for (at, happens) in (1_u64..).zip(&happens) {
            if let Happens::Reads { person, category, .. } = happens {
                let meant = scope.categories.is_empty() || scope.categories.contains(&CATEGORIES[*category]);
                if meant && scope.processors.is_empty() && (from..from + span).contains(&at) {
                    expected.insert(SubjectTag([*person; 16]));
                }
            }
        }
        let mut trace = Trace::new(scope);
        leaves.iter().for_each(|leaf| trace.leaf(leaf));
        prop_assert_eq!(trace.finish(WallTime(now)), expected);
    }
}
