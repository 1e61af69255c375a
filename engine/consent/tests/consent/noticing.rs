//! Notices: who is sent them, the ways that they take, and what is on record of it.

use std::collections::BTreeMap;

use sayso_audit::{Actor, ActorKind, Event, NoticeStep};
use sayso_consent::Options;
use sayso_consent::notices::{Channel, Draft, Error, Notice, NoticeKind, Notices, Standing, Step, Text};
use sayso_types::{Clock, Name, SubjectId, TenantId, WallTime};

use crate::world::*;

const DAY: core::time::Duration = core::time::Duration::from_secs(24 * 60 * 60);

const INTEGRATOR: Actor = Actor { kind: ActorKind::Tenant, tag: None };

/// A notice of a revision that people must have been told of within ten days.
pub(crate) fn draft(world: &World) -> Draft {
    let text = Text { spoken: "From May on I remember for longer.".to_owned(), written: String::new() };
    let by = WallTime(world.clock.wall().0 + 10 * DAY.as_millis() as u64);
    Draft {
        kind: NoticeKind::Revision,
        texts: BTreeMap::from([(Name::constant("en"), text)]),
        by: Some(by),
        channels: vec![Channel::Device, Channel::Tenant],
    }
}

/// How often each step is told, through each channel.
type Told = BTreeMap<(&'static str, String), usize>;

/// What the log tells of `notice`, with how often.
async fn told(world: &World, notice: &Notice) -> Told {
    let mut told = BTreeMap::new();
    for leaf in world.leaves().await {
        if let Event::Notice { notice: of, step, channel, text } = leaf.fact.event {
            assert!(leaf.fact.subject.is_some(), "a leaf that its person can be told of");
            assert_eq!((of.0, text), (notice.id.0, notice.sha256()));
            *told.entry((step.name(), channel.to_string())).or_default() += 1;
        }
    }
    told
}

/// The same, for comparison.
fn told_is(told: &Told) -> Vec<(&str, &str, usize)> {
    told.iter().map(|((step, channel), count)| (*step, channel.as_str(), *count)).collect()
}

fn acme() -> TenantId {
    "acme".parse().unwrap()
}

#[tokio::test]
async fn everybody_is_sent_a_notice_once_through_a_restart() {
    let world = World::new().await;
    let mut people = Vec::new();
    for _ in 0..300 {
        people.push(world.stranger().await);
    }
    let notices = Notices::new(world.register.clone());
    let notice = notices.send(draft(&world), None).await.unwrap();
    notices.look().await.unwrap();
    let world = world.again().await;
    let notices = Notices::new(world.register.clone());
    notices.look().await.unwrap();
    assert_eq!(told_is(&told(&world, &notice).await), [("notice.sent", "device", 300)]);
    let tally = notices.tally(&notice).await.unwrap();
    assert_eq!((tally.people, tally.is_spreading), (300, false));
    assert_eq!(tally.standings, BTreeMap::from([(Standing::Waiting(Channel::Device), 300)]));
    for subject in people {
        assert_eq!(notices.to_tell(subject).await.unwrap(), std::slice::from_ref(&notice));
    }
    world.ends_spotless().await;
}

#[tokio::test]
async fn a_notice_goes_to_those_that_it_names_and_to_a_tenants_own() {
    let world = World::new().await;
    let (anna, ben) = (world.stranger().await, world.stranger().await);
    let carl = world.register.subject_of(&"other".parse().unwrap(), &"hall".parse().unwrap()).await.unwrap();
    let notices = Notices::new(world.register.clone());
    let gone = SubjectId::random();
    let named = notices.send_to(draft(&world), &[anna, gone, anna]).await.unwrap();
    let tenants = notices.send(draft(&world), Some("other".parse().unwrap())).await.unwrap();
    notices.look().await.unwrap();
    let to_tell = async |subject| notices.to_tell(subject).await.unwrap();
    assert_eq!(to_tell(anna).await, std::slice::from_ref(&named));
    assert_eq!(to_tell(ben).await, []);
    assert_eq!(to_tell(carl).await, std::slice::from_ref(&tenants));
    assert_eq!(notices.tally(&named).await.unwrap().people, 1, "who is not here any more is passed over");
    let refused = notices.send_to(draft(&world), &[]).await.unwrap_err();
    assert!(matches!(refused, Error::Refused(_)), "{refused:?}");
}

#[tokio::test]
async fn a_person_who_is_not_reached_in_time_is_told_by_their_tenant() {
    let world = World::new().await;
    let (anna, ben) = (world.stranger().await, world.stranger().await);
    let notices = Notices::new(world.register.clone());
    let notice = notices.send(draft(&world), None).await.unwrap();
    notices.look().await.unwrap();
    let mut outbox = notices.outbox(acme()).await.unwrap();
    notices.heard(anna, notice.id).await.unwrap();
    assert_eq!(notices.to_tell(anna).await.unwrap(), []);

    world.clock.advance(4 * DAY);
    notices.look().await.unwrap();
    assert_eq!(
        told_is(&told(&world, &notice).await),
        [("notice.delivered", "device", 1), ("notice.sent", "device", 2)]
    );
    world.clock.advance(2 * DAY);
    notices.look().await.unwrap();
    let outgoing = outbox.next().await.unwrap().unwrap();
    assert_eq!((outgoing.subject, outgoing.notice.id), (ben, notice.id), "Anna has heard it");
    assert!(outgoing.device.is_some());
    let again = notices.outbox(acme()).await.unwrap().next().await.unwrap().unwrap();
    assert_eq!(again, outgoing, "what is not reported is handed out again");
    assert_eq!(notices.to_tell(ben).await.unwrap().len(), 1, "his device would still tell it");
    for _ in 0..2 {
        let delivery = notices.step(ben, notice.id, Step::Delivered(Channel::Tenant), INTEGRATOR).await.unwrap();
        assert_eq!(delivery.standing(&notice), Standing::Delivered(Channel::Tenant));
    }
    assert_eq!(
        told_is(&told(&world, &notice).await),
        [
            ("notice.delivered", "device", 1),
            ("notice.delivered", "tenant", 1),
            ("notice.sent", "device", 2),
            ("notice.sent", "tenant", 1)
        ]
    );
    world.clock.advance(10 * DAY);
    notices.look().await.unwrap();
    assert_eq!(told(&world, &notice).await.len(), 4, "nothing more is due");
    world.ends_spotless().await;
}

#[tokio::test]
async fn whoever_nobody_reaches_is_on_record_as_not_reached() {
    let world = World::new().await;
    let anna = world.stranger().await;
    let notices = Notices::new(world.register.clone());
    let notice = notices.send(draft(&world), None).await.unwrap();
    notices.look().await.unwrap();
    world.clock.advance(6 * DAY);
    notices.look().await.unwrap();
    notices.step(anna, notice.id, Step::Failed(Channel::Tenant), INTEGRATOR).await.unwrap();
    let failed = notices.of(anna).await.unwrap().remove(0).1;
    assert_eq!(failed.standing(&notice), Standing::NotReached);
    let failed: Vec<_> = told(&world, &notice).await.into_keys().map(|(step, _)| step).collect();
    assert!(failed.contains(&NoticeStep::Failed.name()), "{failed:?}");
    let unknown = notices.step(world.stranger().await, notice.id, Step::Failed(Channel::Tenant), INTEGRATOR).await;
    assert!(matches!(unknown, Err(Error::Unknown)), "{unknown:?}");
}

#[tokio::test]
async fn whoever_nobody_reaches_in_time_is_announced_to_and_can_be_told_all_the_same() {
    let world = World::new().await;
    let notices = Notices::new(world.register.clone());
    let on_page = Draft { channels: vec![Channel::Device, Channel::Page], ..draft(&world) };
    let refused = notices.send(on_page, None).await.unwrap_err();
    assert!(refused.to_string().starts_with("channels: this node has no public page"), "{refused}");

    let world = World::with(Options { has_page: true, ..Options::default() }).await;
    let (anna, notices) = (world.stranger().await, Notices::new(world.register.clone()));
    let channels = notices.usual_channels();
    assert_eq!(channels, [Channel::Device, Channel::Tenant, Channel::Page]);
    let notice = notices.send(Draft { channels, ..draft(&world) }, None).await.unwrap();
    for days in [0, 4] {
        world.clock.advance(days * DAY);
        notices.look().await.unwrap();
        assert_eq!(notices.announced().await.unwrap(), [], "there is time yet");
    }
    world.clock.advance(3 * DAY);
    notices.look().await.unwrap();
    assert_eq!(notices.announced().await.unwrap(), std::slice::from_ref(&notice));
    assert_eq!(notices.to_tell(anna).await.unwrap(), std::slice::from_ref(&notice), "the device says it still");
    assert_eq!(notices.tally(&notice).await.unwrap().standings, [(Standing::Delivered(Channel::Page), 1)].into());
    notices.heard(anna, notice.id).await.unwrap();
    assert_eq!(notices.to_tell(anna).await.unwrap(), []);
    assert_eq!(
        told_is(&told(&world, &notice).await),
        [
            ("notice.delivered", "device", 1),
            ("notice.delivered", "page", 1),
            ("notice.sent", "device", 1),
            ("notice.sent", "page", 1),
            ("notice.sent", "tenant", 1)
        ]
    );
    world.ends_spotless().await;
}

#[tokio::test]
async fn an_outbox_hands_out_everything_once_also_what_comes_while_it_is_read() {
    let world = World::new().await;
    for _ in 0..40 {
        world.stranger().await;
    }
    let notices = Notices::new(world.register.clone());
    let by_tenant = |world: &World| Draft { channels: vec![Channel::Tenant], ..draft(world) };
    let first = notices.send(by_tenant(&world), None).await.unwrap();
    notices.look().await.unwrap();
    let mut outbox = notices.outbox(acme()).await.unwrap();
    let mut handed = BTreeMap::new();
    let before = outbox.next().await.unwrap().unwrap();
    handed.insert((before.notice.id, before.subject), 1);
    let second = notices.send(by_tenant(&world), None).await.unwrap();
    notices.look().await.unwrap();
    while handed.len() < 80 {
        let next = outbox.next().await.unwrap().unwrap();
        *handed.entry((next.notice.id, next.subject)).or_default() += 1;
    }
    assert!(handed.values().all(|times| *times == 1), "{handed:?}");
    assert!(handed.keys().all(|(notice, _)| [first.id, second.id].contains(notice)));
}
