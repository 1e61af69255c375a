//! A copy holds everything: every answer with what was asked, and what else is on record of the person.

use core::time::Duration;

use sayso_audit::{Actor, ActorKind};
use sayso_consent::complaints::{ComplaintDesk, Outcome};
use sayso_consent::disclosure::DisclosureDesk;
use sayso_consent::retention::HoldOrder;
use sayso_consent::rights::Desk;
use sayso_consent::rights::copy::Copy;
use sayso_consent::{Answer, Means};
use sayso_policy::profile::{ExemptionCode, RightKind};
use sayso_policy::{ConsentStatus, Tongue};
use sayso_proto::consent::v1 as proto;
use sayso_types::{Category, Name, SubjectId};

use crate::answering::accepted;
use crate::complaining::filing;
use crate::revising::revised;
use crate::world::{MEMORY, VOICE, World, answer};
use crate::{disclosing, exempting};

const OPERATOR: Actor = Actor { kind: ActorKind::Operator, tag: None };
const INTEGRATOR: Actor = Actor { kind: ActorKind::Tenant, tag: None };
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn copied(world: &World, subject: SubjectId) -> Copy {
    let desk = Desk::open(world.register.clone());
    let case = accepted(&desk, subject, RightKind::Copy).await;
    desk.copy(subject, case, INTEGRATOR).await.unwrap()
}

#[tokio::test]
async fn a_no_is_in_the_copy_as_a_yes_is_with_what_was_told_and_all_that_happened() {
    let world = World::new().await;
    let anna = world.person(&[VOICE]).await;
    world.answers(anna, &[MEMORY], ConsentStatus::Refused).await;
    world.register.withdraw(anna, &[VOICE], Means::Button).await.unwrap();
    let copy = copied(&world, anna).await;
    let of = |purpose: &str| copy.records.iter().find(|one| one["purposes"][0]["purpose"] == purpose).unwrap();
    let states = |purpose: &str| -> Vec<_> {
        of(purpose)["events"].as_array().unwrap().iter().map(|event| event["event_state"].clone()).collect()
    };
    assert_eq!(states("memory"), ["CONSENT_STATUS_REFUSED"]);
    let voice = states("voice_interaction");
    assert_eq!(
        (voice.first().unwrap(), voice.last().unwrap()),
        (&"CONSENT_STATUS_GIVEN".into(), &"CONSENT_STATUS_WITHDRAWN".into())
    );
    let notice = &of("memory")["purposes"][0]["privacy_notices"][0];
    assert_eq!(notice["rendered_sha256"].as_str().unwrap().len(), 64, "what they were told when they said no");
    assert_eq!(copy.receipts.len(), 1, "there is a receipt for what was agreed to alone");
}

#[tokio::test]
async fn what_was_taken_away_on_the_device_before_anybody_agreed_opens_with_nobodys_yes_until_it_is_given_back() {
    let heard = [("[category.voice_audio]\n", "[category.voice_audio]\ncapability = [\"microphone\"]\n")];
    let world = World::new().await;
    world.register.publish(revised(2, &heard)).await.unwrap();
    let (anna, microphone) = (world.stranger().await, Name::constant("microphone"));
    assert!(world.register.lose(anna, microphone).await.unwrap().is_none(), "nothing was given");
    assert!(world.register.lose(anna, Name::constant("toothbrush")).await.unwrap().is_none());
    let world = world.again_under(revised(2, &heard)).await;
    world.answers(anna, &[VOICE], ConsentStatus::Given).await;
    assert_eq!(world.state(anna).await.status(VOICE), ConsentStatus::Deferred);
    assert!(world.listen(anna).await.is_err());
    let (_, records) = world.register.records(anna).await.unwrap();
    assert_eq!(records[0].events[0].status(), proto::ConsentStatus::Deferred);
    assert_eq!(copied(&world, anna).await.permissions_off, [microphone].into(), "what nothing needs is not remembered");

    world.register.regain(anna, microphone).await.unwrap();
    assert!(world.listen(anna).await.is_err(), "given back, it opens nothing by itself");
    world.answers(anna, &[VOICE], ConsentStatus::Given).await;
    drop(world.listen(anna).await.unwrap());

    world.register.lose(anna, microphone).await.unwrap();
    let back = Answer { means: Means::Permission, ..answer(anna, &[VOICE], ConsentStatus::Given) };
    assert!(world.register.record(&back).await.unwrap().status(VOICE).is_valid());
    assert!(world.register.permissions_off(anna).await.unwrap().is_empty());
}

#[tokio::test]
async fn complaints_and_holds_are_in_the_copy_and_nobody_elses() {
    let world = World::new().await;
    let (anna, ben) = (world.person(&[VOICE]).await, world.person(&[VOICE]).await);
    let desk = ComplaintDesk::open(world.register.clone());
    let complaint = desk.file(filing(Some(anna)), OPERATOR).await.unwrap();
    desk.file(filing(None), OPERATOR).await.unwrap();
    let tenant = complaint.filing.tenant.clone();
    desk.answer(&tenant, complaint.id, (Outcome::NotUpheld, [3; 32]), OPERATOR).await.unwrap();
    let (category, law) = (Some(Category::MEMORY_SUMMARY), "cn-cpl:136, 7 K 12/26".to_owned());
    let order = HoldOrder { subject: Some(anna), category, law: law.clone(), by: "us".into(), until: None };
    world.register.set_hold(order, OPERATOR).await.unwrap();

    let copy = copied(&world, anna).await;
    let [told] = copy.besides.complaints.as_slice() else { panic!("{:?}", copy.besides) };
    assert_eq!((told.outcome, told.due_at), (Some(Outcome::NotUpheld), complaint.due.at));
    let [held] = copy.besides.holds.as_slice() else { panic!("{:?}", copy.besides) };
    assert_eq!((&held.law, held.category), (&law, category));
    let page = copy.page(Tongue::Chinese, |_| String::new());
    assert!(page.contains("不成立") && page.contains("cn-cpl:136"), "{page}");
    let others = copied(&world, ben).await;
    assert_eq!(others.besides.rows(), 0, "{:?}", others.besides);
}

#[tokio::test]
async fn what_authorities_were_given_is_in_the_copy_once_the_person_may_know_and_every_use_of_an_exemption_at_once() {
    let world = World::new().await;
    world.register.publish(revised(2, &[disclosing::SHARED])).await.unwrap();
    let anna = disclosing::somebody(&world, "Anna").await;
    let stranger = world.stranger().await;
    exempting::granted(&world, Some(stranger)).await;
    drop(world.listen(stranger).await.unwrap());
    let grant = disclosing::granted(&world, disclosing::terms(&[anna])).await;
    let desk = DisclosureDesk::open(world.register.clone());
    desk.make(grant.id, None, OPERATOR).await.unwrap();

    let early = copied(&world, anna).await;
    assert_eq!(early.besides.rows(), 0, "nor does a use of the grant give it away: {:?}", early.besides);
    world.clock.advance(30 * DAY);
    let late = copied(&world, anna).await;
    let [disclosed] = late.besides.disclosures.as_slice() else { panic!("{:?}", late.besides) };
    assert_eq!(disclosed.authority, "The court of Springfield");
    let used = copied(&world, stranger).await.besides.exemptions;
    assert_eq!(used.iter().map(|one| one.ground).collect::<Vec<_>>(), [ExemptionCode::X04]);
}
