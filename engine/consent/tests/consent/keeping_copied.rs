//! What is kept of a person is in the copy that they are given, and comes along when they go elsewhere.

use sayso_audit::{Actor, ActorKind, Signer};
use sayso_consent::rights::bundle::{Brought, COPY};
use sayso_consent::rights::{Desk, Imported};
use sayso_policy::profile::RightKind;
use sayso_policy::{ConsentStatus, Tongue};
use sayso_types::WallTime;

use crate::answering::accepted;
use crate::keeping::*;
use crate::world::*;

const INTEGRATOR: Actor = Actor { kind: ActorKind::Tenant, tag: None };

fn moment(at: WallTime) -> String {
    at.0.to_string()
}

#[tokio::test]
async fn what_is_kept_is_in_the_copy_and_is_taken_in_elsewhere_as_far_as_the_person_agrees_there() {
    let world = World::under(lawful(XIAOZHI)).await;
    let (person, desk) = (world.stranger().await, Desk::open(world.register.clone()));
    for name in ["knowledge", "improve_voice"] {
        world.answers(person, &[purpose(name)], ConsentStatus::Given).await;
    }
    let (short, long, sound) = (b"a short text".to_vec(), vec![b'x'; 100_000], vec![0xff_u8; 640]);
    let text = keep(&world, person, bytes("knowledge_base", "knowledge", &short)).await.unwrap();
    let filed = keep(&world, person, bytes("knowledge_base", "knowledge", &long)).await.unwrap();
    keep(&world, person, bytes("conversation_audio", "improve_voice", &sound).of(person)).await.unwrap();
    let case = accepted(&desk, person, RightKind::Copy).await;
    let copy = desk.copy(person, case, INTEGRATOR).await.unwrap();
    let contents: Vec<_> = copy.kept.iter().map(|item| (item.category.to_string(), item.content())).collect();
    assert_eq!(contents.len(), 3);
    assert!(contents.contains(&("knowledge_base".into(), Some(short.clone()))));
    assert!(contents.contains(&("knowledge_base".into(), None)), "too long to be within");
    assert!(contents.contains(&("conversation_audio".into(), Some(sound))));
    let pages = Tongue::ALL.map(|tongue| copy.page(tongue, moment));
    assert!(pages.iter().all(|page| page.contains("a short text") && page.contains("100000 B")), "{pages:?}");

    let signer = Signer::new("home.example/sayso", &[7; 32]).unwrap();
    let case = accepted(&desk, person, RightKind::Port).await;
    let bundle = desk.bundle(person, case, (&signer, INTEGRATOR), moment).await.unwrap();
    bundle.check(signer.verifier()).unwrap();
    let case = accepted(&desk, person, RightKind::Access).await;
    let seen = desk.bundle(person, case, (&signer, INTEGRATOR), moment).await.unwrap();
    assert!(seen.files.keys().eq(bundle.files.keys()), "whoever wants to see it is given the same");
    let file = format!("kept/{filed}.bin");
    assert_eq!(bundle.files[&file], long);
    assert!(!bundle.files.keys().any(|name| name.contains(&text.to_string())), "it is in the copy itself");
    assert!(
        copy.kept.iter().any(|item| item.not_here.is_some() && item.file.is_none()),
        "a copy has no files beside it"
    );
    let brought = Brought::read(&bundle.manifest, &bundle.files[COPY], signer.verifier()).unwrap();

    let elsewhere = World::under(lawful(XIAOZHI)).await;
    let (same, desk) = (elsewhere.stranger().await, Desk::open(elsewhere.register.clone()));
    let nothing = desk.import(same, brought.clone()).await.unwrap();
    assert_eq!((nothing.items, nothing.items_left), (0, 3), "nothing is agreed to there");
    elsewhere.answers(same, &[purpose("knowledge")], ConsentStatus::Given).await;
    let taken = desk.import(same, brought.clone()).await.unwrap();
    assert_eq!(taken, Imported { consents: 2, items: 1, items_left: 2, ..Imported::default() });
    let [here] = elsewhere.register.list_kept(same, None).await.unwrap().try_into().unwrap();
    assert_eq!(content(&elsewhere, same, here.id).await, short);
    let item = brought.item(&file, &long).unwrap();
    assert_eq!((item.file.as_ref(), &item.not_here), (Some(&file), &None));
    assert!(desk.import_item(same, item.clone(), long.clone()).await.unwrap());
    assert!(!desk.import_item(same, item.clone(), long.clone()).await.unwrap(), "it is there already");
    let there = elsewhere.register.list_kept(same, None).await.unwrap();
    let filed = there.iter().find(|kept| kept.bytes == long.len() as u64).unwrap();
    assert_eq!(content(&elsewhere, same, filed.id).await, long);
    assert!(brought.item(&file, b"something else").is_err());
    assert_eq!(desk.import(same, brought).await.unwrap().items, 0, "it is there already");
}
