//! Laws of `decide()`, on generated profiles and on those that ship: it agrees with a slow reference written another
//! way, tables agree with it, and whatever takes freedom away never gives any. Each law is tried on 10^5 questions.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod generators;
mod hops;
mod parts;
mod questions;
mod receivers;
mod reference;
mod seeds;

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use sayso_policy::profile::ProcessorState;
use sayso_policy::{
    AgeBand, BasisRef, ConsentState, Gate, Grounds, InForce, LegalBasis, PartStatus, Question, Reason, Tables, compile,
    decide, route,
};
use sayso_types::{ConsentVersion, ProcessorId};

use self::generators::{
    bands, consent_types, instructed, narrowed, parts, prohibitions, regions, require, states, statuses, switched_off,
    worlds,
};
use self::questions::{Asked, questions};
use self::reference::{World, answer, law_names};

/// Times the number of questions about each it is a little more than 10^5.
const WORLDS: u32 = 512;

/// The rights that end with an account.
const CONTRACTS: [LegalBasis; 2] = [LegalBasis::ContractPerformance, LegalBasis::EnterIntoContract];

/// A question that is permitted after a change and was not before.
fn opened(
    asked: Vec<Question>,
    (before, then): (&InForce, &ConsentState),
    (after, now): (&InForce, &ConsentState),
) -> Option<Question> {
    asked.into_iter().find(|q| decide(q, now, after).is_permit() && !decide(q, then, before).is_permit())
}

fn about(world: &World, asked: &[Asked]) -> Vec<Question> {
    asked.iter().map(|asked| asked.of(&world.document)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: WORLDS, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_the_reference(world in worlds(), state in states(), asked in questions()) {
        let in_force = world.in_force();
        let compiled = compile(&in_force, &state);
        for question in about(&world, &asked) {
            let decision = decide(&question, &state, &in_force);
            prop_assert_eq!(decision.answer, answer(&world, &question, &state), "{:?}", question);
            prop_assert_eq!(compiled.decide(&question), decision, "{:?}", question);
            prop_assert_eq!(compiled.permits(&question), decision.is_permit(), "{:?}", question);
        }
    }

    /// People whose consents have one shape share a table, whenever they were given and end, and whatever was taken back of them.
    #[test]
    fn shared_tables_agree(world in worlds(), states in [states(), states()], later in 0..5_u64, asked in questions()) {
        let tables = Tables::new(world.in_force());
        let [state, other] = &states;
        let mut alike = state.clone();
        (alike.cv, alike.parts) = (ConsentVersion(later), other.parts.clone());
        for given in alike.consents.values_mut() {
            given.given_at = ConsentVersion(later);
            given.expires_at = None;
        }
        let compiled = [&states[0], &states[1], &alike].map(|state| (tables.compiled(state), state));
        prop_assert!(tables.shapes() <= 2);
        for question in about(&world, &asked) {
            for (compiled, state) in &compiled {
                prop_assert_eq!(compiled.decide(&question), decide(&question, state, tables.in_force()));
            }
        }
    }

    /// So that sound and pictures are asked about once, where they go first: a frame that may not be taken in goes nowhere.
    #[test]
    fn what_may_be_looked_at_may_be_taken_in(world in worlds(), state in states(), asked in questions()) {
        let in_force = world.in_force();
        for question in about(&world, &asked) {
            for gate in [Gate::VoiceActivity, Gate::Vision] {
                let [looked_at, taken_in] =
                    [gate, Gate::Ingress].map(|gate| decide(&Question { gate, ..question }, &state, &in_force));
                prop_assert!(taken_in.is_permit() || !looked_at.is_permit(), "{:?}", question);
            }
        }
    }

    #[test]
    fn a_prohibition_opens_nothing(world in worlds(), state in states(), asked in questions(), more in prohibitions()) {
        let mut narrower = world.clone();
        narrower.document.prohibition.insert(more);
        let (before, after) = (world.in_force(), narrower.in_force());
        prop_assert_eq!(opened(about(&world, &asked), (&before, &state), (&after, &state)), None);
    }

    #[test]
    fn another_law_opens_nothing(world in worlds(), state in states(), asked in questions(), law in select(law_names())) {
        let mut narrower = world.clone();
        narrower.document.profile.law_floor.insert(law);
        let (before, after) = (world.in_force(), narrower.in_force());
        prop_assert_eq!(opened(about(&world, &asked), (&before, &state), (&after, &state)), None);
    }

    /// Fewer places where data may stand, none overseas any more, and no legal means to send it there.
    #[test]
    fn narrower_transfers_open_nothing(
        world in worlds(), state in states(), asked in questions(), stays: bool, is_named: bool, has_means: bool,
    ) {
        let mut narrower = world.clone();
        let transfers = &mut narrower.document.transfers;
        transfers.overseas &= !stays;
        // no list is every place
        if is_named && transfers.storage.is_empty() {
            transfers.storage.insert("here".to_owned());
        }
        for processor in narrower.document.processor.values_mut().filter(|_| !has_means) {
            processor.mechanism = None;
        }
        let (before, after) = (world.in_force(), narrower.in_force());
        prop_assert_eq!(opened(about(&world, &asked), (&before, &state), (&after, &state)), None);
    }

    #[test]
    fn another_requirement_opens_nothing(
        world in worlds(), state in states(), asked in questions(), which: Index, first: Index,
    ) {
        let mut narrower = world.clone();
        let purposes: Vec<_> = world.document.purpose.keys().copied().collect();
        let which = which.index(purposes.len() - 1) + 1;
        require(&mut narrower.document, purposes[which], purposes[first.index(which)]);
        let (before, after) = (world.in_force(), narrower.in_force());
        prop_assert_eq!(opened(about(&world, &asked), (&before, &state), (&after, &state)), None);
    }

    #[test]
    fn suspending_a_processor_opens_nothing(
        world in worlds(), state in states(), asked in questions(), which: Index,
    ) {
        let mut narrower = world.clone();
        let processors = narrower.document.processor.values_mut().collect::<Vec<_>>();
        let which = which.index(processors.len());
        processors.into_iter().nth(which).unwrap().state = ProcessorState::Suspended;
        let (before, after) = (world.in_force(), narrower.in_force());
        prop_assert_eq!(opened(about(&world, &asked), (&before, &state), (&after, &state)), None);
    }

    #[test]
    fn the_registry_opens_nothing(world in worlds(), state in states(), asked in questions(), more in narrowed()) {
        let before = world.in_force();
        let narrower = World { narrowed: [world.narrowed.clone(), vec![more]].concat(), ..world.clone() };
        let after = narrower.registered(&before);
        prop_assert_eq!(opened(about(&world, &asked), (&before, &state), (&after, &state)), None);
    }

    #[test]
    fn a_switch_opens_nothing(world in worlds(), state in states(), asked in questions(), more in switched_off()) {
        let before = world.in_force();
        let mut narrower = world.clone();
        narrower.categories_off.extend(more.0);
        narrower.tenants_off.extend(more.1);
        let after = narrower.registered(&before);
        prop_assert_eq!(opened(about(&world, &asked), (&before, &state), (&after, &state)), None);
    }

    #[test]
    fn instructions_open_nothing(world in worlds(), state in states(), asked in questions(), more in instructed()) {
        prop_assume!(world.instructions.iter().all(|(tenant, _)| *tenant != more.0));
        // whoever attests has what is asked for: that opens what waits for it
        let more = (more.0, (more.1.0, more.1.1, more.1.2, false));
        let before = world.in_force();
        let mut narrower = world.clone();
        narrower.instructions.push(more);
        let after = narrower.registered(&before);
        prop_assert_eq!(opened(about(&world, &asked), (&before, &state), (&after, &state)), None);
    }

    #[test]
    fn asking_tenants_to_attest_opens_nothing(world in worlds(), state in states(), asked in questions()) {
        let mut narrower = world.clone();
        narrower.document.tenants.attest = true;
        let (before, after) = (world.in_force(), narrower.in_force());
        prop_assert_eq!(opened(about(&world, &asked), (&before, &state), (&after, &state)), None);
    }

    #[test]
    fn fewer_exemptions_open_nothing(world in worlds(), state in states(), asked in questions(), which: Index) {
        prop_assume!(!world.grants.is_empty());
        let before = world.in_force();
        let mut grants = world.grants.clone();
        grants.remove(which.index(grants.len()));
        let after = (*before).clone().with_exemptions(grants);
        prop_assert_eq!(opened(about(&world, &asked), (&before, &state), (&after, &state)), None);
    }

    /// Grants stand in for consent and for nothing else: what is prohibited, unknown, about a child without a guardian, or at
    /// no fit receiver stays closed for the same reason. And what is prohibited is so at every age.
    #[test]
    fn neither_a_grant_nor_an_age_opens_what_is_prohibited(
        world in worlds(), state in states(), asked in questions(), age in bands(), guardian_verified: bool,
    ) {
        let granted = world.in_force();
        let without = (*granted).clone().with_exemptions([]);
        let somebody = ConsentState { age, guardian_verified, ..state.clone() };
        let adult = ConsentState { age: AgeBand::Adult, guardian_verified: true, ..state };
        for question in about(&world, &asked) {
            let reason = |state, in_force| decide(&question, state, in_force).answer.err();
            let is_wanting = |reason: &Reason| matches!(reason, Reason::AccountClosed | Reason::NoBasis | Reason::TakenBack);
            if let Some(reason) = reason(&somebody, &without).filter(|reason| !is_wanting(reason)) {
                prop_assert_eq!(decide(&question, &somebody, &granted).answer, Err(reason), "{:?}", question);
            }
            if reason(&adult, &granted) == Some(Reason::Prohibited) {
                prop_assert_eq!(reason(&somebody, &granted), Some(Reason::Prohibited), "{:?}", question);
            }
        }
    }

    #[test]
    fn less_consent_opens_nothing(world in worlds(), state in states(), asked in questions(), status in statuses()) {
        let in_force = world.in_force();
        let mut less = state.clone();
        for given in less.consents.values_mut().filter(|_| !status.is_valid()) {
            given.status = status;
        }
        let none = ConsentState { consents: [].into(), ..less.clone() };
        let asked = about(&world, &asked);
        prop_assert_eq!(opened(asked.clone(), (&in_force, &state), (&in_force, &less)), None);
        prop_assert_eq!(opened(asked, (&in_force, &less), (&in_force, &none)), None);
    }

    #[test]
    fn a_lower_age_opens_nothing(world in worlds(), state in states(), asked in questions(), age in bands()) {
        let in_force = world.in_force();
        let youngest = |age| in_force.profile().youngest(age);
        prop_assume!(youngest(age) <= youngest(state.age));
        let younger = ConsentState { age, ..state.clone() };
        prop_assert_eq!(opened(about(&world, &asked), (&in_force, &state), (&in_force, &younger)), None);
    }

    #[test]
    fn without_a_guardian_nothing_opens(world in worlds(), state in states(), asked in questions()) {
        let in_force = world.in_force();
        let alone = ConsentState { guardian_verified: false, ..state.clone() };
        prop_assert_eq!(opened(about(&world, &asked), (&in_force, &state), (&in_force, &alone)), None);
    }

    #[test]
    fn a_nearer_limit_opens_nothing(world in worlds(), state in states(), asked in questions(), farthest in regions()) {
        prop_assume!(farthest <= state.farthest);
        let in_force = world.in_force();
        let nearer = ConsentState { farthest, ..state.clone() };
        prop_assert_eq!(opened(about(&world, &asked), (&in_force, &state), (&in_force, &nearer)), None);
    }

    /// Who is permitted, in the order of the profile; a nearer limit leaves some of them out, and lets nobody in.
    #[test]
    fn a_route_goes_no_further_than_the_person_allows(
        world in worlds(), state in states(), asked in questions(), farthest in regions(),
    ) {
        prop_assume!(farthest <= state.farthest);
        let in_force = world.in_force();
        let nearer = ConsentState { farthest, ..state.clone() };
        let region = |id: &ProcessorId| world.document.processor[id].region_class;
        for question in about(&world, &asked) {
            let Question { label, gate, now, .. } = question;
            // what is nobody's goes wherever the profile lets it
            let is_personal = world.document.category.get(&label.category).is_none_or(|category| category.is_personal());
            let to = |state| {
                let all = world.document.processor.keys().copied();
                route(all, label, gate, now, state, &in_force).unwrap_or_default()
            };
            let (wide, narrow) = (to(&state), to(&nearer));
            for (routed, state) in [(&wide, &state), (&narrow, &nearer)] {
                let places: Vec<_> = routed.iter().map(|id| world.document.routing.place(region(id))).collect();
                prop_assert!(places.is_sorted(), "{:?}", question);
                for processor in world.document.processor.keys().copied() {
                    let answer = decide(&Question { processor, ..question }, state, &in_force).answer;
                    prop_assert_eq!(routed.contains(&processor), answer.is_ok(), "{:?}", processor);
                    let by_grant = answer.is_ok_and(|grounds| grounds.exemption().is_some());
                    let is_near = region(&processor) <= state.farthest;
                    let is_bounded = is_personal && !by_grant;
                    prop_assert!(!routed.contains(&processor) || is_near || !is_bounded, "{:?}", processor);
                }
            }
            let left: Vec<_> = wide.into_iter().filter(|id| narrow.contains(id)).collect();
            prop_assert_eq!(narrow, left, "{:?}", question);
        }
    }

    #[test]
    fn a_restriction_opens_nothing(world in worlds(), state in states(), asked in questions()) {
        let in_force = world.in_force();
        let free = ConsentState { restricted: BTreeSet::new(), ..state.clone() };
        prop_assert_eq!(opened(about(&world, &asked), (&in_force, &free), (&in_force, &state)), None);
    }

    /// A contract ends with the account; what rests on anything else is not touched.
    #[test]
    fn closing_the_account_opens_nothing_and_ends_what_rests_on_a_contract(
        world in worlds(), state in states(), asked in questions(),
    ) {
        let in_force = world.in_force();
        let [open, closed] = [false, true].map(|is_closed| ConsentState { is_closed, ..state.clone() });
        for question in about(&world, &asked) {
            let [before, after] = [&open, &closed].map(|state| decide(&question, state, &in_force).answer);
            let purpose = world.document.purpose.get(&question.label.purpose);
            let is_reached = matches!(before, Ok(_) | Err(Reason::NoBasis | Reason::NotTold));
            if is_reached && purpose.is_some_and(|rule| CONTRACTS.contains(&rule.basis)) {
                let by_grant = |answer: Result<Grounds, _>| answer.is_ok_and(|grounds| grounds.exemption().is_some());
                let is_granted = by_grant(after) || after == before && before == Err(Reason::NotTold);
                prop_assert!(is_granted || after == Err(Reason::AccountClosed), "{:?}: {:?}", question, after);
            } else {
                prop_assert_eq!(before, after, "{:?}", question);
            }
        }
    }

    #[test]
    fn taking_a_part_back_opens_nothing(world in worlds(), state in states(), asked in questions(), more in parts()) {
        let in_force = world.in_force();
        let mut less = state.clone();
        less.parts.insert(more, PartStatus::Withdrawn);
        prop_assert_eq!(opened(about(&world, &asked), (&in_force, &state), (&in_force, &less)), None);
    }

    /// What somebody takes back of their consent closes nothing else.
    #[test]
    fn taking_a_part_back_closes_nothing_but_that_part(
        world in worlds(), state in states(), asked in questions(), more in parts(),
    ) {
        let in_force = world.in_force();
        let mut less = state.clone();
        less.parts.insert(more, PartStatus::Withdrawn);
        for question in about(&world, &asked) {
            let (before, after) = (decide(&question, &state, &in_force), decide(&question, &less, &in_force));
            if let Ok(grounds) = before.answer
                && !more.covers(&grounds.cell, question.processor)
            {
                prop_assert_eq!(after.answer, before.answer, "{:?}", question);
            }
        }
    }

    #[test]
    fn not_having_been_told_opens_nothing(world in worlds(), state in states(), asked in questions()) {
        let in_force = world.in_force();
        let untold = ConsentState { told: BTreeSet::new(), ..state.clone() };
        prop_assert_eq!(opened(about(&world, &asked), (&in_force, &state), (&in_force, &untold)), None);
    }

    #[test]
    fn clearer_consent_closes_nothing(
        world in worlds(), state in states(), asked in questions(), least in consent_types(),
    ) {
        let in_force = world.in_force();
        let mut clearer = state.clone();
        for given in clearer.consents.values_mut() {
            given.consent_type = given.consent_type.max(least);
        }
        let mut apart = clearer.clone();
        for given in apart.consents.values_mut() {
            (given.separate, given.written) = (true, true);
        }
        let asked = about(&world, &asked);
        prop_assert_eq!(opened(asked.clone(), (&in_force, &clearer), (&in_force, &state)), None);
        prop_assert_eq!(opened(asked, (&in_force, &apart), (&in_force, &clearer)), None);
    }
}

/// The laws above say little unless the generators reach every answer, every basis and every duty, at every gate.
#[test]
fn the_generators_reach_every_answer() {
    let mut runner = TestRunner::deterministic();
    let (mut seen, mut gates) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..6 * WORLDS {
        let (world, state, asked) = (worlds(), states(), questions()).new_tree(&mut runner).unwrap().current();
        let in_force = world.in_force();
        for question in about(&world, &asked) {
            match decide(&question, &state, &in_force).answer {
                Ok(grounds) => {
                    gates.insert(question.gate);
                    if !world.document.purpose[&question.label.purpose].requires.is_empty() {
                        seen.insert("after another purpose".to_owned());
                    }
                    let written = match grounds.basis_ref {
                        BasisRef::Consent(_) => "their word",
                        BasisRef::Profile(_) => "the profile",
                        BasisRef::Exemption(_) => "an exemption",
                    };
                    seen.insert(format!("permit by {} of {written}", grounds.basis));
                    let duties = grounds.obligations;
                    let duties =
                        [duties.no_store, duties.zeroise_at_turn_end, duties.redact, duties.only_fields, duties.minor];
                    seen.extend(duties.into_iter().enumerate().map(|(i, due)| format!("duty {i}: {due}")));
                }
                Err(reason) => {
                    seen.insert(reason.to_string());
                }
            }
        }
    }
    let count = |what: &str| seen.iter().filter(|seen| seen.contains(what)).count();
    assert_eq!(count("of their word"), 1, "{seen:?}");
    assert_eq!(count("of the profile"), 7, "{seen:?}");
    assert!(count("of an exemption") >= 3, "{seen:?}");
    assert_eq!(count("duty"), 10, "{seen:?}");
    assert_eq!(count("after another purpose"), 1, "{seen:?}");
    assert!(Reason::ALL.iter().all(|reason| seen.contains(reason.as_str())), "{seen:?}");
    assert_eq!(gates.into_iter().collect::<Vec<_>>(), Gate::ALL);
}
