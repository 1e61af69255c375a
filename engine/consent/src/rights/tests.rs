//! The state machine, walked by hand and at random.

use proptest::prelude::*;
use sayso_audit::Reference;
use sayso_policy::Profile;
use sayso_policy::profile::{Refusal, RightKind};
use sayso_types::{Name, SubjectId, WallTime};

use super::*;

const NOW: WallTime = WallTime(1_767_225_600_000);
const DAY: u64 = 24 * 60 * 60 * 1_000;

const VERIFIED: Step = Step::Verify(Identity { method: Name::constant("signed_in"), evidence: None });

fn profile() -> Profile {
    Profile::parse(&text("")).unwrap()
}

/// The profile to test with, with `more` said of all requests.
fn text(more: &str) -> String {
    let plain = include_str!("../../tests/profile.toml");
    let (one, two) =
        ("refusals = [\"ProcessExcessive\"", "refusals = [\"IdentityVerificationFailure\", \"ProcessExcessive\"");
    let rights = plain.replacen(one, &format!("{more}{two}"), 1);
    format!("{rights}\n[rights.offers.copy]\nchannel = [\"console\"]\n")
}

fn received() -> Request {
    Request::received(Reference([1; 16]), SubjectId([2; 16]), RightKind::Copy, &profile(), NOW)
}

fn after(request: &Request, step: Step) -> Result<Request, NotNow> {
    request.after(step, &profile(), NOW)
}

#[test]
fn a_request_is_verified_accepted_and_fulfilled() {
    let request = received();
    assert_eq!(request.due.as_ref().unwrap().at, WallTime(NOW.0 + 15 * DAY));
    assert_eq!(after(&request, Step::Accept), Err(NotNow::Unverified));
    let verified = after(&request, VERIFIED).unwrap();
    assert_eq!(after(&verified, VERIFIED), Err(NotNow::Done));
    assert_eq!(after(&verified, Step::Fulfil { is_partial: false }), Err(NotNow::NotAccepted));
    let accepted = after(&verified, Step::Accept).unwrap();
    let fulfilled = after(&accepted, Step::Fulfil { is_partial: false }).unwrap();
    assert_eq!(fulfilled.standing, Standing::Fulfilled);
    assert_eq!(after(&fulfilled, Step::Accept), Err(NotNow::Closed));
    let in_part = after(&accepted, Step::Fulfil { is_partial: true }).unwrap();
    assert_eq!(in_part.standing, Standing::PartlyFulfilled);
}

#[test]
fn it_is_refused_only_for_a_reason_that_the_policy_allows() {
    let request = received();
    assert_eq!(after(&request, Step::Reject(Refusal::ProcessFrivolous)), Err(NotNow::Refusal));
    let unknown = Step::Reject(Refusal::IdentityVerificationFailure);
    assert_eq!(after(&request, unknown).unwrap().standing, Standing::Rejected(Refusal::IdentityVerificationFailure));
    let verified = after(&request, VERIFIED).unwrap();
    assert_eq!(after(&verified, unknown), Err(NotNow::IsVerified));
    assert!(after(&verified, Step::Reject(Refusal::ProcessExcessive)).is_ok());
}

#[test]
fn an_answer_is_put_off_once_and_not_for_ever() {
    let request = received();
    let delay = |days: u64| Step::Delay { why: Delay::Complex, until: WallTime(NOW.0 + days * DAY) };
    assert_eq!(after(&request, delay(15)), Err(NotNow::Until), "that is its day");
    assert_eq!(after(&request, delay(75)), Err(NotNow::Until), "more than two months");
    let delayed = after(&request, delay(74)).unwrap();
    assert_eq!(delayed.due.as_ref().unwrap().at, WallTime(NOW.0 + 74 * DAY));
    assert_eq!(after(&delayed, delay(74)), Err(NotNow::DelayedBefore));
    let verified = after(&delayed, VERIFIED).unwrap();
    assert_eq!(verified.due, delayed.due, "proving who one is brings no earlier day back");
}

#[test]
fn who_asks_is_known_by_a_day_or_that_is_overdue() {
    let text = text("clock_start = [\"identity_verified\"]\nidentity_within = \"P5D\"\n");
    let profile = Profile::parse(&text).unwrap();
    let request = Request::received(Reference([1; 16]), SubjectId([2; 16]), RightKind::Copy, &profile, NOW);
    let day = WallTime(NOW.0 + 5 * DAY);
    assert_eq!(
        (&request.due, request.watched()),
        (&None, Some(day)),
        "no clock of the answer runs, and yet there is a day"
    );
    assert!(!request.is_identity_late(day) && request.is_identity_late(WallTime(day.0 + 1)));
    let noted = Request { is_identity_overdue: true, ..request.clone() };
    assert_eq!(noted.watched(), None, "it is told once");

    let verified = request.after(VERIFIED, &profile, day).unwrap();
    assert!(!verified.is_identity_late(WallTime(day.0 + 1)));
    assert_eq!(verified.watched(), Some(WallTime(day.0 + 15 * DAY)), "from then on it is the answer that has a day");
    assert_eq!(verified.identity.unwrap().method.as_str(), "signed_in");
}

#[test]
fn it_is_late_while_it_is_open_and_its_day_has_passed() {
    let request = received();
    let due = request.due.clone().unwrap().at;
    assert!(!request.is_late(due) && request.is_late(WallTime(due.0 + 1)));
    let refused = after(&request, Step::Reject(Refusal::ProcessExcessive)).unwrap();
    assert!(!refused.is_late(WallTime(due.0 + 1)));
}

fn steps() -> impl Strategy<Value = Step> {
    let refusals = vec![Refusal::ProcessExcessive, Refusal::IdentityVerificationFailure, Refusal::ProcessFrivolous];
    prop_oneof![
        Just(VERIFIED),
        Just(Step::Accept),
        prop::sample::select(refusals).prop_map(Step::Reject),
        (0..100u64).prop_map(|days| Step::Delay { why: Delay::Numerous, until: WallTime(NOW.0 + days * DAY) }),
        any::<bool>().prop_map(|is_partial| Step::Fulfil { is_partial }),
    ]
}

proptest! {
    /// Whatever is tried in whatever order: what was answered stays answered, nothing is done for somebody who has not
    /// proved who they are, the day moves at most once and never beyond two months, and what is stored is read back.
    #[test]
    fn no_order_of_steps_breaks_the_rules(tried in prop::collection::vec(steps(), 0..12)) {
        let (profile, mut request) = (profile(), received());
        let first_due = request.due.clone().unwrap().at;
        for step in tried {
            let before = request.clone();
            if let Ok(next) = request.after(step, &profile, NOW) {
                prop_assert!(before.standing.is_open());
                request = next;
            }
            let done = matches!(request.standing, Standing::Accepted | Standing::Fulfilled | Standing::PartlyFulfilled);
            prop_assert!(!done || request.clocks.identity_verified.is_some());
            let due = request.due.clone().unwrap().at;
            prop_assert!(due == first_due || request.delayed.is_some());
            prop_assert!(first_due <= due && due.0 <= first_due.0 + 62 * DAY);
            let stored = stored::encode(&request);
            prop_assert_eq!(stored::decode(request.subject, &request.id.0, &stored).unwrap(), request.clone());
        }
    }

    #[test]
    fn any_bytes_are_a_request_or_an_error(bytes: Vec<u8>, id: Vec<u8>) {
        let _ = stored::decode(SubjectId([2; 16]), &id, &bytes);
    }
}
