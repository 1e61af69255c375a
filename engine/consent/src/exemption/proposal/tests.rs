//! Who may do what with a proposal, and that no grant opens more than it says.

use proptest::prelude::*;
use sayso_policy::Period;

use super::*;

const NOW: WallTime = WallTime(1_780_000_000_000);
const HOUR_MS: u64 = 3_600_000;
const ANN: ActorTag = ActorTag([1; 16]);
const BEN: ActorTag = ActorTag([2; 16]);
const CARL: ActorTag = ActorTag([3; 16]);

/// The profile to test with, keeping two grounds for itself.
fn profile() -> Profile {
    let kept = "exemption = [\n\
                { code = \"X04\", scope = [\"collect_use\"], approvers = 2, max = \"P1D\" },\n\
                { code = \"X08\", scope = [\"collect_use\"], max = \"PT2H\", categories = [\"transcript\"] },\n]\n";
    let text = format!("{kept}{}", include_str!("../../../tests/profile.toml"));
    Profile::parse(&text).unwrap()
}

fn terms(code: ExemptionCode) -> Terms {
    Terms {
        code,
        subject: None,
        purposes: [Purpose::VOICE_INTERACTION].into(),
        categories: [Category::TRANSCRIPT].into(),
        processors: ["rules-local".parse().unwrap()].into(),
        lasts: "PT1H".parse().unwrap(),
        evidence_sha256: [7; 32],
        demand: None,
        reading: None,
    }
}

fn proposal(code: ExemptionCode) -> Proposal {
    Proposal::new(terms(code), ANN, &profile(), NOW).unwrap()
}

#[test]
fn it_takes_two_others_where_the_ground_asks_for_two() {
    let profile = profile();
    let proposed = proposal(ExemptionCode::X04);
    assert_eq!(proposed.approved(ANN, &profile, NOW), Err(NotNow::Own));
    let one = proposed.approved(BEN, &profile, NOW).unwrap();
    assert_eq!((one.standing, one.live()), (Standing::Proposed, None));
    assert_eq!(one.approved(BEN, &profile, NOW), Err(NotNow::Twice));
    assert_eq!(one.approved(ANN, &profile, NOW), Err(NotNow::Own));
    let later = WallTime(NOW.0 + HOUR_MS);
    let two = one.approved(CARL, &profile, later).unwrap();
    let live = two.live().unwrap();
    assert_eq!(
        (live.not_before, live.not_after),
        (later, WallTime(later.0 + HOUR_MS)),
        "it counts from the last approval"
    );
    assert_eq!(live.check(&profile), Ok(()));
    assert_eq!(two.approved(ActorTag([4; 16]), &profile, later), Err(NotNow::NotProposed));
}

#[test]
fn it_ends_by_its_time_or_by_somebodys_word_and_then_for_good() {
    let profile = profile();
    let proposed = proposal(ExemptionCode::X08);
    assert_eq!(proposed.expired(WallTime(u64::MAX)), None, "it never began");
    let live = proposed.approved(BEN, &profile, NOW).unwrap();
    assert_eq!(live.expired(WallTime(NOW.0 + HOUR_MS - 1)), None);
    let expired = live.expired(WallTime(NOW.0 + HOUR_MS)).unwrap();
    let revoked = live.revoked().unwrap();
    for ended in [expired, revoked, proposed.revoked().unwrap()] {
        assert_eq!(ended.live(), None);
        assert_eq!(ended.revoked(), Err(NotNow::Ended));
        assert_eq!(ended.approved(CARL, &profile, NOW), Err(NotNow::Ended));
        assert_eq!(ended.expired(WallTime(u64::MAX)), None);
    }
}

#[test]
fn what_the_policy_would_not_let_open_anything_is_not_proposed() {
    let refused = |terms: Terms| Proposal::new(terms, ANN, &profile(), NOW).unwrap_err();
    let unkept = ExemptionCode::X01;
    assert_eq!(refused(terms(unkept)), NotNow::Grant(GrantError::NotKept(unkept)));
    let longer = Terms { lasts: "P2D".parse().unwrap(), ..terms(ExemptionCode::X04) };
    assert_eq!(refused(longer), NotNow::Grant(GrantError::Window("P1D".parse::<Period>().unwrap())));
    let never = Terms { lasts: "PT0S".parse().unwrap(), ..terms(ExemptionCode::X04) };
    assert!(matches!(refused(never), NotNow::Grant(GrantError::Window(_))));
    let (code, category) = (ExemptionCode::X08, Category::VOICE_AUDIO);
    let audio = Terms { categories: [category].into(), ..terms(code) };
    assert_eq!(refused(audio), NotNow::Grant(GrantError::Category { code, category }));
    let deaf = Terms { processors: ["voice-local".parse().unwrap()].into(), ..terms(ExemptionCode::X04) };
    assert_eq!(refused(deaf), NotNow::Nothing);
}

#[test]
fn a_revision_that_keeps_the_ground_no_more_stops_its_approval() {
    let without = Profile::parse(include_str!("../../../tests/profile.toml")).unwrap();
    let approved = proposal(ExemptionCode::X08).approved(BEN, &without, NOW);
    assert_eq!(approved, Err(NotNow::Grant(GrantError::NotKept(ExemptionCode::X08))));
}

#[test]
fn its_name_says_its_ground() {
    for code in ExemptionCode::ALL {
        assert_eq!(code_of(named(code)), Some(code));
    }
    assert_eq!(code_of(Name::constant("x15-00")), None);
    assert_ne!(named(ExemptionCode::X01), named(ExemptionCode::X01));
}

proptest! {
    /// Whatever people do in whatever order, a live grant was approved by as many as the ground asks for, none of them its
    /// proposer, and the policy lets it open what it names.
    #[test]
    fn whatever_is_live_was_approved_by_enough_others(
        steps in prop::collection::vec((0..5_u8, 0..5_u8, 0..HOUR_MS), 0..12), two in any::<bool>(),
    ) {
        let profile = profile();
        let code = if two { ExemptionCode::X04 } else { ExemptionCode::X08 };
        let (mut proposal, mut now) = (proposal(code), NOW);
        for (step, who, later) in steps {
            now = WallTime(now.0 + later);
            let next = match step {
                0 => proposal.revoked().ok(),
                1 => proposal.expired(now),
                _ => proposal.approved(ActorTag([who; 16]), &profile, now).ok(),
            };
            if let Some(next) = next {
                prop_assert!(proposal.standing.is_open(), "what has ended stays ended");
                proposal = next;
            }
            if let Some(grant) = proposal.live() {
                prop_assert_eq!(grant.check(&profile), Ok(()));
                prop_assert!(grant.approvers.len() >= usize::from(code.approvers_min()));
                prop_assert!(!grant.approvers.contains(&ANN.0));
            }
        }
    }
}
