//! What grants open, and what they do not.

use super::*;
use crate::profile::ExemptionCode;
use crate::{ExemptionGrant, GrantError};

const KEPT: &str = "exemption = [{ code = \"X04\", scope = [\"collect_use\"], max = \"P7D\" }, { code = \"X09\", scope = [\"collect_use\"], max = \"P7D\" }, { code = \"X13\", scope = [\"collect_use\"], max = \"P7D\", de_identified_counts = true }, { code = \"X02\", scope = [\"share_publish\"], max = \"P1WD\", approvers = 3, categories = [\"transcript\"] }]\n";

fn grant(code: ExemptionCode) -> ExemptionGrant {
    ExemptionGrant {
        id: Name::constant("case-7"),
        code,
        clause: None,
        basis_code: "cn-pipl:13-4".to_owned(),
        subject: Some(SubjectId([1; 16])),
        purposes: [Purpose::VOICE_INTERACTION].into(),
        categories: [Category::VOICE_AUDIO].into(),
        processors: ["whisper-local".parse().unwrap()].into(),
        not_before: WallTime(NOW.0 - DAY_MS),
        not_after: WallTime(NOW.0 + DAY_MS),
        approvers: [[1; 16], [2; 16]].into(),
        evidence_hash: [7; 32],
        notify_subject_after: None,
    }
}

fn exempted(grant: &ExemptionGrant) -> Result<BasisRef, Reason> {
    let in_force = home(KEPT).with_exemptions([grant.clone()]);
    ask(&in_force, &ConsentState { age: AgeBand::Adult, ..ConsentState::new() }, HEARS).map(|grounds| grounds.basis_ref)
}

#[test]
fn a_grant_opens_what_it_names() {
    let valid = grant(ExemptionCode::X04);
    assert_eq!(exempted(&valid), Ok(BasisRef::Exemption(valid.id)));
    assert_eq!(exempted(&ExemptionGrant { subject: None, ..valid.clone() }), Ok(BasisRef::Exemption(valid.id)));
    for other in [
        ExemptionGrant { subject: Some(SubjectId([2; 16])), ..valid.clone() },
        ExemptionGrant { purposes: [Purpose::MEMORY].into(), ..valid.clone() },
        ExemptionGrant { categories: [Category::TRANSCRIPT].into(), ..valid.clone() },
        ExemptionGrant { processors: ["rules-local".parse().unwrap()].into(), ..valid.clone() },
        ExemptionGrant { not_before: WallTime(NOW.0 + 1), ..valid.clone() },
        ExemptionGrant { not_after: NOW, ..valid.clone() },
        ExemptionGrant { approvers: [[1; 16]].into(), ..valid.clone() },
    ] {
        assert_eq!(exempted(&other), Err(Reason::NoBasis), "{other:?}");
    }
    assert!(exempted(&ExemptionGrant { not_before: NOW, ..valid.clone() }).is_ok());
    // whoever agreed needs none, and what is prohibited stays so
    let in_force = home(KEPT).with_exemptions([valid.clone()]);
    assert_eq!(ask(&in_force, &yes(), HEARS).unwrap().basis_ref, BasisRef::Consent(ConsentVersion(1)));
    let prohibited = home(&format!("{KEPT}prohibition = [{{ category = \"voice_audio\" }}]")).with_exemptions([valid]);
    assert_eq!(reason(&prohibited, &ConsentState::new(), HEARS), Some(Reason::Prohibited));
}

#[test]
fn a_grant_is_for_what_its_ground_is_kept_for() {
    let given_away = format!("{KEPT}processor = [{{ id = \"whisper-local\", independent_controller = true }}]");
    let none = ConsentState { age: AgeBand::Adult, ..ConsentState::new() };
    let in_force = home(&given_away).with_exemptions([grant(ExemptionCode::X04)]);
    assert_eq!(reason(&in_force, &none, HEARS), Some(Reason::NoBasis), "kept for use only");
    let shared = given_away.replacen("\"collect_use\"", "\"share_publish\"", 1);
    let in_force = home(&shared).with_exemptions([grant(ExemptionCode::X04)]);
    assert_eq!(reason(&in_force, &none, HEARS), None);
}

#[test]
fn no_grant_stands_in_for_being_told() {
    let shared = KEPT.replacen("\"collect_use\"", "\"share_publish\"", 1);
    let in_force = home(&format!("{shared}processor = [{{ id = \"whisper-local\", independent_controller = true }}]"));
    let in_force = in_force.with_exemptions([grant(ExemptionCode::X04)]);
    let none = ConsentState { age: AgeBand::Adult, ..ConsentState::new() };
    assert_eq!(ask(&in_force, &none, HEARS), Err(Reason::NotTold));
    assert!(ask(&in_force, &told(&in_force, &none), HEARS).is_ok_and(|grounds| grounds.exemption().is_some()));
    let explained = crate::explain(&question(HEARS), &none, &in_force);
    let reasons: Vec<_> = explained.steps.iter().filter(|step| !step.passed()).map(|step| step.reason).collect();
    assert_eq!(reasons, [Reason::NotTold], "the grant is the right to it all the same");
}

#[test]
fn what_is_allowed_ends_with_the_first_thing_that_it_rests_on() {
    let until = |in_force: &InForce, state: &ConsentState| ask(in_force, state, HEARS).unwrap().until;
    let end = |days: u64| Some(WallTime(NOW.0 + days * DAY_MS));
    assert_eq!(until(&home(""), &yes()), None);
    let mut ending = yes();
    for (purpose, days) in [(Purpose::VOICE_INTERACTION, 9), (Purpose::MEMORY, 5)] {
        ending.consents.get_mut(&purpose).unwrap().expires_at = end(days);
    }
    assert_eq!(until(&home(""), &ending), end(9), "the other one is not needed");
    let after = home("purpose = [{ id = \"voice_interaction\", requires = [\"memory\"] }]");
    assert_eq!(until(&after, &ending), end(5), "it is needed first");
    let nobody = ConsentState { age: AgeBand::Adult, ..ConsentState::new() };
    let exempted = home(KEPT).with_exemptions([grant(ExemptionCode::X04)]);
    assert_eq!(until(&exempted, &nobody), end(1), "the grant");
    assert_eq!(until(&exempted, &ending), end(9), "consent goes before a grant");
}

#[test]
fn grants_that_the_profile_does_not_let_open_anything() {
    use ExemptionCode::*;
    let in_force = home(KEPT);
    let check = |grant: &ExemptionGrant| grant.check(in_force.profile());
    let valid = grant(X04);
    assert_eq!(check(&valid), Ok(()));
    assert_eq!(check(&grant(X01)), Err(GrantError::NotKept(X01)));
    let one = ExemptionGrant { approvers: [[1; 16]].into(), ..valid.clone() };
    assert_eq!(check(&one), Err(GrantError::Approvers { code: X04, found: 1, needed: 2 }), "the law's two");
    let three = GrantError::Approvers { code: X02, found: 2, needed: 3 };
    assert_eq!(check(&grant(X02)), Err(three), "the profile's three");

    let week = ExemptionGrant { not_after: WallTime(valid.not_before.0 + 7 * DAY_MS), ..valid.clone() };
    assert_eq!(check(&week), Ok(()));
    let longer = ExemptionGrant { not_after: WallTime(week.not_after.0 + 1), ..week };
    assert!(matches!(check(&longer), Err(GrantError::Window(_))));
    let never = ExemptionGrant { not_after: valid.not_before, ..valid };
    assert!(matches!(check(&never), Err(GrantError::Window(_))));

    let transcript = |code| ExemptionGrant {
        categories: [Category::TRANSCRIPT].into(),
        approvers: [[1; 16], [2; 16], [3; 16]].into(),
        not_after: WallTime(NOW.0 - DAY_MS + 1),
        ..grant(code)
    };
    assert_eq!(check(&transcript(X02)), Ok(()));
    let day = ExemptionGrant { not_after: NOW, ..transcript(X02) };
    assert_eq!(check(&day), Ok(()), "a working day is a day");
    assert!(check(&ExemptionGrant { not_after: WallTime(NOW.0 + 1), ..day }).is_err());
    let unfit = |code, category| Err(GrantError::Category { code, category });
    let audio = ExemptionGrant { categories: [Category::VOICE_AUDIO].into(), ..transcript(X02) };
    assert_eq!(check(&audio), unfit(X02, Category::VOICE_AUDIO));
    // keeping the service running is no reason to listen, and what leads to a person is not free
    assert_eq!(check(&transcript(X09)), unfit(X09, Category::TRANSCRIPT));
    assert_eq!(check(&transcript(X13)), unfit(X13, Category::TRANSCRIPT));
    let free = home(&format!("{KEPT}[category.transcript]\ncontent_free = true\nidentifies = \"anonymised\""));
    assert_eq!(transcript(X09).check(free.profile()), Ok(()));
    assert_eq!(transcript(X13).check(free.profile()), Ok(()));
    assert_eq!(in_force.clone().with_exemptions([grant(X01)]).exemptions(), []);
}

#[test]
fn every_ground_has_a_basis_of_its_own() {
    for code in ExemptionCode::ALL {
        assert_ne!(code.basis(), LegalBasis::Consent, "{code}");
    }
    assert_eq!(ExemptionCode::X04.basis(), LegalBasis::VitalInterest);
    assert_eq!(ExemptionCode::X08.basis(), LegalBasis::LegalObligation);
}
