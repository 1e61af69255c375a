//! What consent must be, own and to what is required first.

use super::*;

const CATEGORY: Category = Category::VOICE_AUDIO;

/// [`each()`] with something else about every answer.
fn answered(change: impl Fn(&mut PurposeConsent)) -> ConsentState {
    let mut state = each();
    state.consents.values_mut().for_each(change);
    state
}

/// Everything that can be wrong with an answer, whatever is asked of it.
fn wrong() -> Vec<(&'static str, ConsentState)> {
    use ConsentStatus::*;
    let statuses = [Unknown, Requested, Deferred, Refused, Withdrawing, Withdrawn, Revoked, Expired, Invalidated];
    let statuses = statuses.map(|status| (status.dpv(), answered(|given| given.status = status)));
    let others = [
        ("an earlier revision", answered(|given| given.profile_rev = 0)),
        ("a later revision", answered(|given| given.profile_rev = 2)),
        ("implied", answered(|given| given.consent_type = ConsentType::Implied)),
        ("given after the data came in", answered(|given| given.given_at = ConsentVersion(2))),
        ("over", answered(|given| given.expires_at = Some(NOW))),
    ];
    statuses.into_iter().chain(others).collect()
}

#[test]
fn consent_opens_while_it_is_valid_and_for_its_revision() {
    assert_eq!(reason(&home(""), &answered(|given| given.status = ConsentStatus::Renewed), HEARS), None);
    for (what, state) in wrong() {
        assert_eq!(reason(&home(""), &state, HEARS), Some(Reason::NoBasis), "{what}");
    }
}

#[test]
fn what_is_required_first_must_have_been_agreed_to() {
    let in_force = home("purpose = [{ id = \"memory\", requires = [\"voice_interaction\"] }]");
    let only = |purpose: Purpose| {
        let consents = each().consents.into_iter().filter(|(of, _)| *of == purpose).collect();
        ConsentState { consents, ..each() }
    };
    assert_eq!(reason(&in_force, &each(), REMEMBERS), None);
    assert_eq!(reason(&in_force, &only(Purpose::MEMORY), REMEMBERS), Some(Reason::NoBasis));
    assert_eq!(reason(&home(""), &only(Purpose::MEMORY), REMEMBERS), None, "where nothing is required");
    assert_eq!(reason(&in_force, &only(Purpose::VOICE_INTERACTION), REMEMBERS), Some(Reason::NoBasis));
    for (what, state) in wrong() {
        let first = state.consents[&Purpose::VOICE_INTERACTION].clone();
        let mut state = each();
        state.consents.insert(Purpose::VOICE_INTERACTION, first);
        assert_eq!(reason(&in_force, &state, REMEMBERS), Some(Reason::NoBasis), "{what}");
        // also what rests on something else waits for it
        let contract = home(
            "purpose = [{ id = \"memory\", requires = [\"voice_interaction\"], basis = \"ContractPerformance\" }]\n[asks]\nspoken = [\"voice_interaction\"]",
        );
        assert_eq!(reason(&contract, &state, REMEMBERS), Some(Reason::NoBasis), "{what}");
        assert_eq!(reason(&contract, &each(), REMEMBERS), None);
    }
    let apart = home(
        "purpose = [{ id = \"memory\", requires = [\"voice_interaction\"] }, { id = \"voice_interaction\", separate = true }]",
    );
    assert_eq!(reason(&apart, &yes(), REMEMBERS), Some(Reason::NoBasis));
    assert_eq!(reason(&apart, &each(), REMEMBERS), None);
}

#[test]
fn every_demand_is_heard_by_itself() {
    let domestic =
        "processor = [{ id = \"whisper-local\", region_class = \"domestic\", purposes = [\"voice_interaction\"] }]\n";
    let explicit = agreed(ConsentType::ExplicitlyExpressed, false);
    let apart = agreed(ConsentType::Expressed, true);
    for (changes, lacking, enough) in [
        ("[category.voice_audio]\nseparate = true", &explicit, &apart),
        ("[category.voice_audio]\nmin_consent_type = \"ExplicitlyExpressedConsent\"", &apart, &explicit),
        ("[defaults]\nmin_consent_type = \"ExplicitlyExpressedConsent\"", &apart, &explicit),
        (&format!("{domestic}[category.voice_audio.in_region.domestic]\nseparate = true"), &explicit, &apart),
        (
            &format!(
                "{domestic}[category.voice_audio.in_region.local]\nmin_consent_type = \"ExplicitlyExpressedConsent\""
            ),
            &apart,
            &explicit,
        ),
        ("purpose = [{ id = \"voice_interaction\", separate = true }]", &explicit, &apart),
    ] {
        let in_force = home(changes);
        assert_eq!(reason(&in_force, lacking, HEARS), Some(Reason::NoBasis), "{changes}");
        assert_eq!(reason(&in_force, enough, HEARS), None, "{changes}");
        // and a profile says the same of an answer before anybody asks
        let profile = in_force.profile();
        let (rule, receiver) =
            (profile.category(CATEGORY).unwrap(), profile.processor(question(HEARS).processor).unwrap());
        let enough_for = |state: &ConsentState, purpose| {
            profile.is_enough(&state.consents[&Purpose::VOICE_INTERACTION], purpose, rule, receiver)
        };
        assert!(enough_for(enough, Purpose::VOICE_INTERACTION), "{changes}");
        assert!(!enough_for(lacking, Purpose::VOICE_INTERACTION), "{changes}");
        assert!(!enough_for(enough, "gossip".parse().unwrap()), "a purpose that it does not have");
    }
    let implied = home("[defaults]\nmin_consent_type = \"ImpliedConsent\"");
    assert_eq!(reason(&implied, &agreed(ConsentType::Implied, false), HEARS), None);
    let stricter = home(
        "[defaults]\nmin_consent_type = \"ImpliedConsent\"\n[category.voice_audio.in_region.local]\nseparate = true",
    );
    assert_eq!(reason(&stricter, &agreed(ConsentType::Implied, true), HEARS), None, "it asks for nothing but that");
}

#[test]
fn each_demand_of_a_law_is_about_its_own_matter() {
    let pipl = "[profile]\nlaw_floor = [\"cn-pipl@2021\"]\n";
    assert_eq!(reason(&home(pipl), &yes(), HEARS), None, "none is at hand");
    for near in ["sensitivity = \"normal\"", "sensitivity = \"high\""] {
        assert_eq!(reason(&home(&format!("{pipl}[category.voice_audio]\n{near}")), &yes(), HEARS), None, "{near}");
    }
    let domestic = "processor = [{ id = \"whisper-local\", region_class = \"domestic\", purposes = [\"voice_interaction\"], trains_on_data = false }]\n";
    assert_eq!(reason(&home(&format!("{domestic}{pipl}")), &yes(), HEARS), None);
}
