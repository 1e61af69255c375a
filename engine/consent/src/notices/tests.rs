//! What may be sent, and how it reaches a person.

use std::collections::BTreeMap;

use proptest::prelude::*;
use sayso_audit::NoticeStep;
use sayso_policy::Profile;
use sayso_types::{Name, WallTime};

use super::*;

const NOW: WallTime = WallTime(1_767_225_600_000);
const DAY: u64 = 24 * 60 * 60 * 1_000;

fn profile() -> Profile {
    let duties = "[notify.shutdown]\nwithin = \"P30D\"\n[notify.revision]\nwithin = \"in time\"\n\
                  [incident.subjects]\nwithin = \"PT72H\"\n";
    Profile::in_force_before(&format!("{}\n{duties}", include_str!("../../tests/profile.toml"))).unwrap()
}

fn said(text: &str) -> Text {
    Text { spoken: text.to_owned(), written: String::new() }
}

fn draft(kind: NoticeKind, by: Option<WallTime>) -> Draft {
    let texts = BTreeMap::from([(Name::constant("en"), said("The service ends in May."))]);
    Draft { kind, texts, by, channels: vec![Channel::Device, Channel::Tenant] }
}

fn check(draft: Draft) -> Result<Notice, Refused> {
    draft.check(Audience::Everybody, &profile(), NOW)
}

fn notice() -> Notice {
    check(draft(NoticeKind::Shutdown, None)).unwrap()
}

#[test]
fn a_text_is_needed_in_each_language_of_the_policy_and_in_no_other() {
    let (en, fr) = (Name::constant("en"), Name::constant("fr"));
    let texts = |texts: &[(Name, &str)]| {
        let texts = texts.iter().map(|(language, text)| (*language, said(text))).collect();
        check(Draft { texts, ..draft(NoticeKind::Shutdown, None) }).unwrap_err()
    };
    assert_eq!(texts(&[]), Refused::Language(en));
    assert_eq!(texts(&[(en, "Hello."), (fr, "Bonjour.")]), Refused::OtherLanguage(fr));
    assert_eq!(texts(&[(en, " ... ")]), Refused::Empty(en));
    let long = "word ".repeat(60);
    assert!(matches!(texts(&[(en, &long)]), Refused::TooLong { language, .. } if language == en));
    let mut written = draft(NoticeKind::Shutdown, None);
    written.texts.get_mut(&en).unwrap().written = "x".repeat(notice::WRITTEN_CHARS_MAX + 1);
    assert_eq!(check(written).unwrap_err(), Refused::TooLarge);
}

#[test]
fn people_are_told_as_early_as_the_policy_promises() {
    let by = |kind, by: Option<u64>| check(draft(kind, by.map(|days| WallTime(NOW.0 + days * DAY)))).map(|n| n.by.0);
    assert_eq!(by(NoticeKind::Shutdown, None), Ok(NOW.0 + 30 * DAY));
    assert_eq!(by(NoticeKind::Shutdown, Some(31)), Ok(NOW.0 + 31 * DAY));
    let earliest_ms = NOW.0 + 30 * DAY;
    assert_eq!(by(NoticeKind::Shutdown, Some(29)), Err(Refused::TooSoon { earliest_ms }));
    assert_eq!(by(NoticeKind::Revision, None), Err(Refused::NoTime), "the policy has only words");
    assert_eq!(by(NoticeKind::Revision, Some(1)), Ok(NOW.0 + DAY));
    assert_eq!(by(NoticeKind::ControllerChange, Some(0)), Err(Refused::TooSoon { earliest_ms: NOW.0 + 1 }));
    let latest_ms = NOW.0 + 3 * DAY;
    assert_eq!(by(NoticeKind::Incident, None), Ok(latest_ms));
    assert_eq!(by(NoticeKind::Incident, Some(4)), Err(Refused::TooLate { latest_ms }));
    assert_eq!(by(NoticeKind::Incident, Some(0)), Err(Refused::TooLate { latest_ms }));
}

#[test]
fn ways_are_named_once_and_people_are_not_too_many() {
    let channels = |channels: &[Channel]| {
        check(Draft { channels: channels.to_vec(), ..draft(NoticeKind::Shutdown, None) }).unwrap_err()
    };
    assert_eq!(channels(&[]), Refused::Channels);
    assert_eq!(channels(&[Channel::Device, Channel::Device]), Refused::Channels);
    assert_eq!(channels(&[Channel::Page, Channel::Device]), Refused::Channels, "nothing follows the page");
    for count in [0, notice::PEOPLE_MAX as u64 + 1] {
        let refused = draft(NoticeKind::Shutdown, None).check(Audience::People { count }, &profile(), NOW);
        assert_eq!(refused.unwrap_err(), Refused::People);
    }
}

#[test]
fn the_next_way_is_begun_when_time_is_over_and_what_was_begun_stays_open() {
    let notice = notice();
    let half = notice.share_ends(1, NOW);
    assert_eq!(half, WallTime(NOW.0 + 15 * DAY));
    let (first, told) = Delivery::begun(&notice, NOW);
    assert_eq!(told, [(NoticeStep::Sent, Channel::Device)]);
    assert_eq!((first.standing(&notice), first.due(&notice)), (Standing::Waiting(Channel::Device), Some(half)));
    assert_eq!(first.after(Step::TimeIsOver, &notice, WallTime(half.0 - 1)), None);
    let (second, told) = first.after(Step::TimeIsOver, &notice, half).unwrap();
    assert_eq!(told, [(NoticeStep::Sent, Channel::Tenant)]);
    assert_eq!((second.standing(&notice), second.due(&notice)), (Standing::Waiting(Channel::Tenant), Some(notice.by)));
    let (over, told) = second.after(Step::TimeIsOver, &notice, notice.by).unwrap();
    assert_eq!(told, [(NoticeStep::Failed, Channel::Tenant)]);
    assert_eq!((over.standing(&notice), over.due(&notice)), (Standing::NotReached, None));
    let late = WallTime(notice.by.0 + DAY);
    let (heard, told) = over.after(Step::Delivered(Channel::Device), &notice, late).unwrap();
    assert_eq!(told, [(NoticeStep::Delivered, Channel::Device)]);
    assert_eq!(heard.standing(&notice), Standing::Delivered(Channel::Device));
}

#[test]
fn a_way_that_fails_begins_the_next_at_once() {
    let notice = notice();
    let (first, told) = Delivery::begun(&notice, NOW);
    assert_eq!(told, [(NoticeStep::Sent, Channel::Device)]);
    assert_eq!(first.after(Step::Failed(Channel::Tenant), &notice, NOW), None, "it was not begun");
    assert_eq!(first.after(Step::Delivered(Channel::Tenant), &notice, NOW), None);
    let (second, told) = first.after(Step::Failed(Channel::Device), &notice, NOW).unwrap();
    assert_eq!(told, [(NoticeStep::Failed, Channel::Device), (NoticeStep::Sent, Channel::Tenant)]);
    let (failed, told) = second.after(Step::Failed(Channel::Tenant), &notice, NOW).unwrap();
    assert_eq!(told, [(NoticeStep::Failed, Channel::Tenant)]);
    assert_eq!(failed.standing(&notice), Standing::NotReached);
}

#[test]
fn whom_nothing_reaches_in_time_it_is_announced_for_and_they_can_be_told_all_the_same() {
    let mut notice = notice();
    notice.channels.push(Channel::Page);
    let (first, _) = Delivery::begun(&notice, NOW);
    let (second, _) = first.after(Step::TimeIsOver, &notice, notice.share_ends(1, NOW)).unwrap();
    let (third, told) = second.after(Step::TimeIsOver, &notice, notice.share_ends(2, NOW)).unwrap();
    assert_eq!(told, [(NoticeStep::Sent, Channel::Page), (NoticeStep::Delivered, Channel::Page)]);
    assert_eq!((third.standing(&notice), third.due(&notice)), (Standing::Delivered(Channel::Page), None));
    let (heard, _) = third.after(Step::Delivered(Channel::Device), &notice, notice.by).unwrap();
    assert_eq!(heard.standing(&notice), Standing::Delivered(Channel::Device));
    assert_eq!(heard.after(Step::Delivered(Channel::Tenant), &notice, notice.by), None);
}

fn steps() -> impl Strategy<Value = Vec<(Step, u64)>> {
    use Channel::{Device, Page, Tenant};
    let step = prop::sample::select(vec![
        Step::Delivered(Device),
        Step::Delivered(Tenant),
        Step::Failed(Device),
        Step::Failed(Tenant),
        Step::Delivered(Page),
        Step::Failed(Page),
        Step::TimeIsOver,
    ]);
    prop::collection::vec((step, 0..20 * DAY), 0..12)
}

proptest! {
    /// Whatever happens: a person is reached once, through a way that was begun, and after that nothing is told any more;
    /// each way is sent and fails once at most. What is on the page reaches nobody in particular, and ends nothing.
    #[test]
    fn what_is_told_of_a_delivery_makes_sense(steps in steps(), is_announced in any::<bool>()) {
        let mut notice = notice();
        notice.channels.extend(is_announced.then_some(Channel::Page));
        let ((mut delivery, mut told), mut now) = (Delivery::begun(&notice, NOW), NOW);
        for (step, passes) in steps {
            now = WallTime(now.0 + passes);
            if let Some((next, more)) = delivery.after(step, &notice, now) {
                prop_assert!(!delivery.is_heard() && !more.is_empty());
                delivery = next;
                told.extend(more);
            }
        }
        let page = |step| told.contains(&(step, Channel::Page));
        prop_assert!(page(NoticeStep::Sent) == page(NoticeStep::Delivered) && !page(NoticeStep::Failed));
        prop_assert!(is_announced || !page(NoticeStep::Sent));
        for channel in [Channel::Device, Channel::Tenant] {
            let at = |step| told.iter().position(|one| *one == (step, channel));
            let count = |step| told.iter().filter(|one| **one == (step, channel)).count();
            prop_assert!(count(NoticeStep::Sent) <= 1 && count(NoticeStep::Failed) <= 1);
            for after in [NoticeStep::Delivered, NoticeStep::Failed].into_iter().filter_map(at) {
                prop_assert!(at(NoticeStep::Sent).is_some_and(|sent| sent < after));
            }
        }
        let heard = told.iter().position(|told| told.0 == NoticeStep::Delivered && told.1 != Channel::Page);
        prop_assert!(heard.is_none_or(|at| at + 1 == told.len()));
        prop_assert_eq!(heard.is_some(), delivery.is_heard());
        let is_delivered = heard.is_some() || page(NoticeStep::Delivered);
        prop_assert_eq!(is_delivered, matches!(delivery.standing(&notice), Standing::Delivered(_)));
    }
}
