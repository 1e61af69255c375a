//! Pictures at the door: taken in once somebody may look at them, and never before.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use futures::StreamExt;
use sayso_consent::{Denied, Means};
use sayso_egress::{Error, Exposure};
use sayso_policy::{Reason, Refused};
use sayso_provider::Error as ProviderError;
use sayso_provider::fake::{FakeViewer, Manner};
use sayso_types::{Category, PictureError, PictureFormat, Purpose};
use tokio::sync::mpsc;
use zeroize::Zeroizing;

use crate::world::{Fakes, VOICE, World, clock, id};

const VISION: Purpose = Purpose::VISION;

/// What begins like a JPEG file.
const JPEG: [u8; 6] = [0xff, 0xd8, 0xff, 0xe0, 1, 2];

/// All of a picture, in two parts.
fn exposure() -> Exposure {
    let parts = JPEG.chunks(4).map(|part| Zeroizing::new(part.to_vec()));
    let parts = Box::pin(futures::stream::iter(parts.collect::<Vec<_>>()));
    Exposure { format: PictureFormat::Jpeg, bytes: JPEG.len(), parts }
}

#[tokio::test]
async fn a_picture_goes_to_whoever_looks_at_pictures_under_its_own_purpose() {
    let fakes = Fakes::new();
    let world = World::new(fakes.processors()).await;
    let person = world.agreeing(&[VISION, VOICE]).await;
    let seen = world.egress.view(&person, "Where is the cup?".to_owned(), exposure).await.unwrap();
    assert_eq!(seen.reveal(), "A table with a cup on it.");
    let received = fakes.viewer.desk().received();
    assert_eq!(received.bytes as usize, JPEG.len() + "Where is the cup?".len());
    assert_eq!(received.labels, [person.label(Category::IMAGE)]);
    assert_eq!(world.ended(1).await, ["done"]);
}

#[tokio::test]
async fn without_consent_to_pictures_not_a_byte_is_taken_in() {
    let fakes = Fakes::new();
    let world = World::new(fakes.processors()).await;
    let mut talker = world.agreeing(&[VOICE]).await;
    talker.purpose = VISION;
    let error = world.egress.view(&talker, String::new(), || panic!("nobody may look at it")).await.unwrap_err();
    assert!(matches!(error, Error::Denied(Denied::Policy(Reason::NoBasis))), "{error}");
    assert_eq!(fakes.viewer.desk().received().calls, 0);
}

#[tokio::test]
async fn a_camera_that_is_taken_away_in_the_middle_of_a_picture_ends_it() {
    let fakes = Fakes::new();
    let world = World::new(fakes.processors()).await;
    let person = world.agreeing(&[VISION, VOICE]).await;
    let (camera, parts) = mpsc::channel::<Zeroizing<Vec<u8>>>(4);
    let parts = futures::stream::unfold(parts, |mut parts| async { Some((parts.recv().await?, parts)) });
    let exposure = || Exposure { format: PictureFormat::Jpeg, bytes: JPEG.len(), parts: parts.boxed() };
    let losing = async {
        camera.send(Zeroizing::new(JPEG[..4].to_vec())).await.unwrap();
        world.register.lose(person.subject, "camera".parse().unwrap()).await.unwrap();
        camera.closed().await;
    };
    let (seen, ()) = tokio::join!(world.egress.view(&person, String::new(), exposure), losing);
    assert!(matches!(seen, Err(Error::Provider(ProviderError::Refused(Refused::Revoked)))), "{seen:?}");
    assert_eq!(fakes.viewer.desk().received().calls, 0, "all of it was in front of the gate");
    let state = world.register.state(person.subject).await.unwrap();
    assert!(state.status(VOICE).is_valid() && !state.status(VISION).is_valid(), "the conversation goes on");
}

#[tokio::test]
async fn consent_that_is_taken_back_while_somebody_looks_leaves_no_answer() {
    let fakes = Fakes::new();
    let world = World::new(fakes.processors()).await;
    let person = world.agreeing(&[VISION, VOICE]).await;
    fakes.viewer.desk().behave(Manner::Hang);
    let withdrawing = async {
        fakes.viewer.desk().wait_until(|received| received.pieces == 1).await;
        let withdrawn = world.register.withdraw(person.subject, &[VISION], Means::Button).await.unwrap();
        (withdrawn.ok, fakes.viewer.desk().received().running)
    };
    let (seen, at_ok) = tokio::join!(world.egress.view(&person, String::new(), exposure), withdrawing);
    assert!(matches!(seen, Err(Error::Provider(ProviderError::Refused(Refused::Revoked)))), "{seen:?}");
    assert_eq!(at_ok, (true, 0), "who looked has let go when OK is said");
}

#[tokio::test]
async fn what_is_not_the_picture_that_was_announced_goes_nowhere() {
    let fakes = Fakes::new();
    let world = World::new(fakes.processors()).await;
    let person = world.agreeing(&[VISION, VOICE]).await;
    let shown = AtomicBool::new(false);
    let other = || {
        shown.store(true, SeqCst);
        Exposure { format: PictureFormat::Png, ..exposure() }
    };
    let error = world.egress.view(&person, String::new(), other).await.unwrap_err();
    assert!(matches!(error, Error::Picture(PictureError::Format(PictureFormat::Png))), "{error}");
    assert_eq!((error.code(), shown.into_inner()), ("picture_format", true));
    assert_eq!(fakes.viewer.desk().received().calls, 0);
}

#[tokio::test]
async fn a_number_that_a_picture_shows_is_taken_out_of_what_is_said_about_it() {
    let viewer = Arc::new(FakeViewer::new(clock()).seeing("A card with 4111 1111 1111 1111 on it."));
    let mut processors = Fakes::new().processors();
    processors.viewers.register(id("vision-local"), viewer.clone());
    let world = World::new(processors).await;
    let person = world.agreeing(&[VISION, VOICE]).await;
    let asked = "Is it 5500-0055-5555-5559?".to_owned();
    let seen = world.egress.view(&person, asked, exposure).await.unwrap();
    assert_eq!(seen.reveal(), "A card with [bank_card] on it.");
    assert_eq!(viewer.desk().received().bytes as usize, JPEG.len() + "Is it [bank_card]?".len());
}
