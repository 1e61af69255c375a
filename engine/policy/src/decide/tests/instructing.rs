//! What tenants instruct and attest, and what is no tenant's to say.

use super::*;
use crate::Instructions;
use sayso_types::TenantId;

const NOTICE: (Gate, &str) = (Gate::Speech, "notice/notice_text/voice-local");
const UNTIL: WallTime = WallTime(NOW.0 + DAY_MS);

fn tenant(name: &str) -> TenantId {
    name.parse().unwrap()
}

/// Somebody who agreed to everything before a device of `name`.
fn before(name: &str) -> ConsentState {
    ConsentState { tenant: Some(tenant(name)), ..yes() }
}

/// Conversations, for a day.
fn talk() -> Instructions {
    Instructions {
        purposes: [Purpose::VOICE_INTERACTION].into(),
        categories: [Category::VOICE_AUDIO].into(),
        until: Some(UNTIL),
        attested: false,
    }
}

/// A home with `changes`, where the tenant `acme` gave `instructions`.
fn instructed(changes: &str, instructions: Instructions) -> InForce {
    home(changes).with_registry(Registry::default().with_instructions([(tenant("acme"), instructions)]))
}

#[test]
fn what_a_tenant_did_not_instruct_is_closed_for_its_people_alone() {
    let in_force = instructed("", talk());
    for (state, asked, expected) in [
        (before("acme"), HEARS, None),
        (before("acme"), REMEMBERS, Some(Reason::NotInstructed)),
        (before("other"), REMEMBERS, None),
        (yes(), REMEMBERS, None),
    ] {
        assert_eq!(reason(&in_force, &state, asked), expected, "{:?} {asked:?}", state.tenant);
    }
    // each alone is not enough
    for (purpose, category, covered) in [
        (Purpose::VOICE_INTERACTION, Category::VOICE_AUDIO, true),
        (Purpose::MEMORY, Category::VOICE_AUDIO, false),
        (Purpose::VOICE_INTERACTION, Category::MEMORY_SUMMARY, false),
    ] {
        assert_eq!(talk().cover(purpose, category, NOW), covered, "{purpose} {category}");
    }
}

#[test]
fn what_is_instructed_ends_with_the_instructions() {
    let (in_force, state) = (instructed("", talk()), before("acme"));
    assert_eq!(ask(&in_force, &state, HEARS).unwrap().until, Some(UNTIL));
    assert_eq!(ask(&in_force, &yes(), HEARS).unwrap().until, None, "those of another");
    let forever = instructed("", Instructions { until: None, ..talk() });
    assert_eq!(ask(&forever, &state, HEARS).unwrap().until, None);
    for (now, expected) in [(UNTIL.0 - 1, None), (UNTIL.0, Some(Reason::NotInstructed))] {
        let question = Question { now: WallTime(now), ..question(HEARS) };
        assert_eq!(decide(&question, &state, &in_force).answer.err(), expected, "at {now}");
    }
}

#[test]
fn no_tenant_says_what_a_law_demands() {
    let (in_force, state) = (instructed("", talk()), before("acme"));
    let grounds = ask(&in_force, &state, NOTICE).unwrap();
    assert_eq!((grounds.basis, grounds.until), (LegalBasis::LegalObligation, None));
    for basis in ["EnterIntoContract", "LegitimateInterest"] {
        let other = instructed(&format!("purpose = [{{ id = \"notice\", basis = \"{basis}\" }}]"), talk());
        assert_eq!(reason(&other, &state, NOTICE), Some(Reason::NotInstructed), "{basis}");
    }
}

#[test]
fn what_is_the_same_for_all_tenants_does_not_ask_theirs() {
    let (in_force, state) = (instructed("", talk()), before("acme"));
    let remembers = question(REMEMBERS);
    assert_eq!(Case::of(&remembers, &state, &in_force).err(), Some(Reason::NotInstructed));
    assert!(Case::of_any_tenant(&remembers, &state, &in_force).is_ok());
    let off = in_force.with_registry(Registry::default().without_tenants([tenant("acme")]));
    assert_eq!(Case::of_any_tenant(&remembers, &state, &off).err(), Some(Reason::SwitchedOff));
}

#[test]
fn a_tenants_users_are_used_for_nothing_before_it_attested() {
    const ASKED: &str = "tenants.attest = true\n[category.voice_audio]\nsubject = \"tenant_user\"";
    let attested = |attested| Instructions { attested, until: None, ..talk() };
    for (changes, instructions, state, expected) in [
        (ASKED, attested(true), before("acme"), None),
        (ASKED, attested(false), before("acme"), Some(Reason::NotInstructed)),
        (ASKED, attested(true), before("other"), Some(Reason::NotInstructed)),
        (ASKED, attested(true), yes(), Some(Reason::NotInstructed)),
        ("tenants.attest = true", attested(false), before("acme"), None),
        ("[category.voice_audio]\nsubject = \"tenant_user\"", attested(false), before("acme"), None),
    ] {
        let in_force = instructed(changes, instructions);
        assert_eq!(reason(&in_force, &state, HEARS), expected, "{changes} {:?}", state.tenant);
    }
    let told = "tenants.attest = true\n[category.notice_text]\nsubject = \"tenant_user\"";
    assert_eq!(reason(&instructed(told, attested(false)), &before("acme"), NOTICE), None, "a law demands it");
}

#[test]
fn instructions_of_two_are_what_both_say() {
    let both = |left: &Instructions, right: &Instructions| {
        let both = left.with(right);
        assert_eq!(both, right.with(left));
        both
    };
    let more = Instructions {
        purposes: [Purpose::VOICE_INTERACTION, Purpose::MEMORY].into(),
        categories: [Category::VOICE_AUDIO, Category::MEMORY_SUMMARY].into(),
        until: None,
        attested: true,
    };
    assert_eq!(both(&talk(), &more), talk());
    assert_eq!(both(&more, &more), more);
    let later = Instructions { until: Some(WallTime(UNTIL.0 + 1)), ..talk() };
    assert_eq!(both(&talk(), &later).until, Some(UNTIL));
}
