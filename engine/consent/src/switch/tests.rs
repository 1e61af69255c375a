//! The state machine of a switch, walked by hand and at random.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;

const NOW: WallTime = WallTime(1_767_225_600_000);
const DAY: u64 = 24 * 60 * 60 * 1_000;
const LEAK: Name = Name::constant("leak");

fn whisper() -> Target {
    Target::Processor("whisper-local".parse().unwrap())
}

/// The profile to test with, in which somebody looked at the recogniser on the day before `NOW`, for as many days.
fn profile(days: Option<u32>) -> Profile {
    let text = include_str!("../../tests/profile.toml");
    let examined = days.map_or_else(String::new, |days| {
        format!(", due_diligence = {{ at = 2025-12-31T00:00:00Z, by = \"somebody\", valid = \"P{days}D\" }} }},")
    });
    let text = match days {
        Some(_) => text.replacen(" },\n  { id = \"rules-local\"", &format!("{examined}\n  {{ id = \"rules-local\""), 1),
        None => text.to_owned(),
    };
    Profile::in_force_before(&text).unwrap()
}

fn throw(target: Target, to: Position) -> Throw {
    Throw { target, to, reason: LEAK, incident: None }
}

fn thrown(before: Option<&Switch>, target: Target, to: Position) -> Result<Option<Switch>, NotThrown> {
    let rev = before.map_or(1, |switch| switch.rev + 1);
    Switch::thrown(before, &throw(target, to), &profile(None), (Reference([1; 16]), rev, NOW))
}

#[test]
fn a_switch_goes_off_and_on_and_a_processor_ends_for_good() {
    assert_eq!(thrown(None, whisper(), Position::On), Ok(None));
    let off = thrown(None, whisper(), Position::Off).unwrap().unwrap();
    assert_eq!((off.position, off.rev, off.since), (Position::Off, 1, NOW));
    assert_eq!(off.event().name(), "processor.suspended");
    assert_eq!(thrown(Some(&off), whisper(), Position::Off), Ok(None), "it is off");
    let on = thrown(Some(&off), whisper(), Position::On).unwrap().unwrap();
    assert_eq!((on.event().name(), on.id, on.rev), ("processor.activated", off.id, 2));
    let ended = thrown(Some(&on), whisper(), Position::Terminated).unwrap().unwrap();
    assert_eq!(ended.event().name(), "processor.terminated");
    assert_eq!(thrown(Some(&ended), whisper(), Position::On), Err(NotThrown::Terminated));
    assert_eq!(thrown(Some(&ended), whisper(), Position::Off), Err(NotThrown::Terminated));
}

#[test]
fn only_what_the_policy_knows_is_thrown_and_only_processors_are_terminated() {
    let nobody = Target::Processor("nobody".parse().unwrap());
    assert_eq!(thrown(None, nobody, Position::Off), Err(NotThrown::Unknown));
    let nothing = Target::Category("nothing".parse().unwrap());
    assert_eq!(thrown(None, nothing, Position::Off), Err(NotThrown::Unknown));
    let voice = Target::Category(Category::VOICE_AUDIO);
    assert_eq!(thrown(None, voice.clone(), Position::Terminated), Err(NotThrown::OnlyProcessors));
    assert_eq!(thrown(None, voice, Position::Off).unwrap().unwrap().event().name(), "category.switched_off");
    let acme = Target::Tenant("acme".parse().unwrap());
    let acme = thrown(None, acme, Position::Off).unwrap().unwrap();
    let Event::TenantSwitched { tenant, is_off: true, .. } = acme.event() else { panic!("{acme:?}") };
    assert_eq!(tenant, Hash::of(b"acme"));
}

#[test]
fn an_examination_that_runs_out_turns_off_until_there_is_another() {
    let short = profile(Some(1));
    assert_eq!(examinations(&short, [], WallTime(NOW.0 - 1)), []);
    let [expired] = examinations(&short, [], NOW).try_into().unwrap();
    assert_eq!((&expired.target, expired.to), (&whisper(), Position::DueDiligenceExpired));
    let made = |rev| (Reference([1; 16]), rev, NOW);
    let off = Switch::thrown(None, &expired, &short, made(1)).unwrap().unwrap();
    assert_eq!(off.event().name(), "processor.due_diligence_expired");
    assert_eq!(examinations(&short, [&off], NOW), []);
    let on = throw(whisper(), Position::On);
    assert_eq!(Switch::thrown(Some(&off), &on, &short, made(2)), Err(NotThrown::NotExamined));
    let [renewed] = examinations(&profile(Some(365)), [&off], NOW).try_into().unwrap();
    assert_eq!(renewed.to, Position::On);
    assert!(Switch::thrown(Some(&off), &renewed, &profile(Some(365)), made(2)).unwrap().is_some());
    // what somebody turned off stays off whatever the dates say
    let suspended = thrown(None, whisper(), Position::Off).unwrap().unwrap();
    assert_eq!(examinations(&short, [&suspended], WallTime(NOW.0 + DAY)), []);
}

fn targets() -> impl Strategy<Value = Target> {
    select(vec![
        whisper(),
        Target::Processor("rules-local".parse().unwrap()),
        Target::Category(Category::VOICE_AUDIO),
        Target::Category(Category::TRANSCRIPT),
        Target::Tenant("acme".parse().unwrap()),
        Target::Tenant("other".parse().unwrap()),
    ])
}

proptest! {
    /// Whatever is thrown, the registry has what is off and nothing else, and its revision only goes up.
    #[test]
    fn the_registry_is_what_the_switches_say(
        throws in prop::collection::vec((targets(), select(vec![Position::On, Position::Off, Position::Terminated])), 0..20),
    ) {
        let mut switches: Vec<Switch> = Vec::new();
        for (target, to) in throws {
            let rev = registry(&switches).rev();
            let at = switches.iter().position(|switch| switch.target == target);
            let before = at.map(|at| switches[at].clone());
            let made = (Reference([1; 16]), rev + 1, NOW);
            if let Ok(Some(next)) = Switch::thrown(before.as_ref(), &throw(target, to), &profile(None), made) {
                prop_assert_ne!(before.map(|switch| switch.position), Some(Position::Terminated));
                match at {
                    Some(at) => switches[at] = next,
                    None => switches.push(next),
                }
                prop_assert_eq!(registry(&switches).rev(), rev + 1);
            }
        }
        let registry = registry(&switches);
        for switch in &switches {
            let is_off = switch.position != Position::On;
            prop_assert_eq!(is_off, match &switch.target {
                Target::Processor(id) => registry.narrowed(*id).is_some(),
                Target::Category(id) => registry.is_category_off(*id),
                Target::Tenant(id) => registry.is_tenant_off(Some(id)),
            });
        }
        prop_assert_eq!(registry.narrowed("voice-local".parse().unwrap()), None);
    }
}
