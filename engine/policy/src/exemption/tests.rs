//! What a grant to disclose takes.

use super::*;
use crate::profile::Draft;

const HOME: &str = include_str!("../../../../deploy/profiles/home.toml");
const NOW: WallTime = WallTime(1_780_000_000_000);
const DAY_MS: u64 = 86_400_000;

const KEPT: &str = "exemption = [{ code = \"X04\", scope = [\"share_publish\"], max = \"P7D\" }, \
                    { code = \"X02\", scope = [\"share_publish\"], max = \"P7D\", categories = [\"transcript\"] }]\n";

/// The profile of a home with `changes`, whatever the linter finds in it.
fn home(changes: &str) -> Profile {
    Draft::parse(&format!("extends = \"home.toml\"\n{changes}"), Some(HOME)).unwrap().unlinted()
}

fn evidence() -> Category {
    "consent_record".parse().unwrap()
}

fn grant(code: ExemptionCode) -> ExemptionGrant {
    ExemptionGrant {
        id: Name::constant("case-7"),
        code,
        clause: None,
        basis_code: String::new(),
        subject: None,
        purposes: [].into(),
        categories: [Category::TRANSCRIPT, evidence()].into(),
        processors: [].into(),
        not_before: NOW,
        not_after: WallTime(NOW.0 + DAY_MS),
        approvers: [[1; 16], [2; 16]].into(),
        evidence_hash: [7; 32],
        notify_subject_after: None,
    }
}

fn check(grant: &ExemptionGrant, rest: &str) -> Result<(), GrantError> {
    grant.check_disclosure(&home(&format!("{KEPT}{rest}")))
}

#[test]
fn to_disclose_takes_a_ground_that_is_kept_for_sharing_and_enough_people() {
    let one = grant(ExemptionCode::X04);
    assert_eq!(check(&one, ""), Ok(()));
    let opens = one.check(&home(KEPT));
    assert!(matches!(opens, Err(GrantError::Category { .. })), "no gate opens for what the policy does not declare");
    let single = ExemptionGrant { approvers: [[1; 16]].into(), ..one.clone() };
    assert_eq!(check(&single, ""), Err(GrantError::Approvers { code: ExemptionCode::X04, found: 1, needed: 2 }));
    let own_use = one.check_disclosure(&home(&KEPT.replacen("share_publish", "collect_use", 1)));
    assert_eq!(own_use, Err(GrantError::NotForSharing(ExemptionCode::X04)));
    let long = ExemptionGrant { not_after: WallTime(NOW.0 + 8 * DAY_MS), ..one };
    assert!(matches!(check(&long, ""), Err(GrantError::Window(_))));
}

#[test]
fn to_disclose_is_for_the_data_that_the_ground_is_for_and_that_may_be_shared() {
    let listed = grant(ExemptionCode::X02);
    assert_eq!(check(&listed, ""), Err(GrantError::Category { code: ExemptionCode::X02, category: evidence() }));
    let transcript = ExemptionGrant { categories: [Category::TRANSCRIPT].into(), ..listed };
    assert_eq!(check(&transcript, ""), Ok(()));
    let never = "prohibition = [{ category = \"transcript\", processing = \"Share\" }]\n";
    assert_eq!(check(&transcript, never), Err(GrantError::Prohibited(Category::TRANSCRIPT)));
    for other in [
        "category = \"transcript\", processing = \"Train\"",
        "category = \"transcript\", processing = \"Share\", purpose = \"Marketing\"",
        "purpose = \"Marketing\"",
    ] {
        assert_eq!(check(&transcript, &format!("prohibition = [{{ {other} }}]\n")), Ok(()), "{other}");
    }
}

/// A grant to read what was said, for a day.
fn reading() -> ExemptionGrant {
    ExemptionGrant {
        categories: [Category::TRANSCRIPT].into(),
        approvers: [[1; 16]].into(),
        ..grant(ExemptionCode::X07)
    }
}

/// The home, keeping a ground to use data on for itself.
fn used(rest: &str) -> Profile {
    home(&format!("exemption = [{{ code = \"X07\", scope = [\"collect_use\"], max = \"P7D\" }}]\n{rest}"))
}

#[test]
fn to_read_takes_a_ground_that_is_kept_for_use_and_a_day_at_most() {
    let one = reading();
    assert_eq!(one.check_reading(&used(""), false), Ok(()));
    let shared = home("exemption = [{ code = \"X07\", scope = [\"share_publish\"], max = \"P7D\" }]\n");
    assert_eq!(one.check_reading(&shared, false), Err(GrantError::NotForUse(ExemptionCode::X07)));
    let longer = ExemptionGrant { not_after: WallTime(NOW.0 + DAY_MS + 1), ..one.clone() };
    assert_eq!(longer.check_reading(&used(""), false), Err(GrantError::ReadingWindow));
    let undeclared = ExemptionGrant { categories: [evidence()].into(), ..one.clone() };
    assert!(matches!(undeclared.check_reading(&used(""), false), Err(GrantError::Category { .. })));
    let never = used("prohibition = [{ category = \"transcript\", processing = \"Export\" }]\n");
    assert_eq!(one.check_reading(&never, false), Err(GrantError::Closed(Category::TRANSCRIPT)));
    let nobody = ExemptionGrant { approvers: [].into(), ..one };
    assert!(matches!(nobody.check_reading(&used(""), false), Err(GrantError::Approvers { found: 0, needed: 1, .. })));
}

#[test]
fn to_read_of_a_child_takes_two_whatever_the_ground() {
    let one = reading();
    let refused = GrantError::Approvers { code: ExemptionCode::X07, found: 1, needed: 2 };
    assert_eq!(one.check_reading(&used(""), true), Err(refused));
    let two = ExemptionGrant { approvers: [[1; 16], [2; 16]].into(), ..one };
    assert_eq!(two.check_reading(&used(""), true), Ok(()));
}

#[test]
fn what_people_say_is_content_and_what_says_nothing_of_them_is_not() {
    let profile = home("");
    assert!(
        profile.is_content(Category::TRANSCRIPT) && profile.is_content(evidence()),
        "nor is it known of the latter"
    );
    assert!(!profile.is_content(Category::NOTICE_TEXT));
}
