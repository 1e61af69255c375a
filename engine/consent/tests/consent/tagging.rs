//! The key that makes a person's tags dies with their other keys: of whom is forgotten nobody can tell which leaves were theirs.

use core::time::Duration;
use std::path::Path;

use sayso_audit::{AuditKey, SubjectTag};
use sayso_consent::Error;
use sayso_consent::rights::Desk;
use sayso_policy::profile::RightKind;
use sayso_store::{Batch, Condition, Key, Prefix, Store, Versioned};
use sayso_types::{Category, Name, Purpose, SubjectId};
use sayso_vault::testing::{Adversary, FakeKek};
use sayso_vault::{Binding, VaultId};
use serde_json::Value;

use crate::answering::accepted;
use crate::erasing::{Setting, certified, copy};
use crate::keeping::DAY;
use crate::world::*;

/// How long it is shown what was agreed and done, and a day.
const EVIDENCE: Duration = Duration::from_secs((3 * 366 + 1) * 24 * 60 * 60);

fn row(subject: SubjectId) -> Key {
    Prefix::table("register").then(&subject).into_key()
}

async fn entry(store: &dyn Store, subject: SubjectId) -> Option<(Versioned, Value)> {
    let stored = store.read(&[row(subject)]).await.unwrap().pop().flatten()?;
    let json = serde_json::from_slice(&stored.value[2..]).unwrap();
    Some((stored, json))
}

/// What the entry has of the key, sealed.
async fn sealed(store: &dyn Store, subject: SubjectId) -> Vec<u8> {
    let (_, entry) = entry(store, subject).await.unwrap();
    assert!(entry.get("audit_key").is_none(), "it is nowhere in clear");
    hex::decode(entry["sealed_key"].as_str().unwrap()).unwrap()
}

/// The tag of `subject`, as somebody makes it who has all files below `dirs` and the KEK.
fn tag(dirs: &[&Path], vault: VaultId, subject: SubjectId, sealed: &[u8]) -> Option<SubjectTag> {
    let row = row(subject);
    let (category, purpose) = (Category(Name::constant("sayso.audit_tag")), Purpose(Name::constant("audit")));
    let at = Binding { table: "register", row: &row, schema: 1, subject, category, purpose };
    let key = Adversary::new(dirs, FakeKek::KEY, vault).unwrap().read(&at, sealed)?;
    Some(AuditKey::new(key.as_slice().try_into().unwrap()).subject(subject))
}

#[tokio::test]
async fn with_every_file_and_every_key_in_them_nobody_tells_whom_a_leaf_was_about_who_is_forgotten() {
    let setting = Setting::new().await;
    let (anna, ben) = (setting.person("anna").await, setting.person("ben").await);
    let entries = [(anna, sealed(&*setting.data, anna).await), (ben, sealed(&*setting.data, ben).await)];
    let (data, keys, vault) = (setting.path("data"), setting.path("keys"), setting.vault.id());
    let (old_data, old_keys) = (setting.path("old-data"), setting.path("old-keys"));
    copy(&data, &old_data).unwrap();
    copy(&keys, &old_keys).unwrap();
    let leaves = leaves_of(setting.register.journal()).await;
    // whose leaves somebody finds who has these files, and what entries were before
    let linked = |dirs: &[&Path]| {
        let tags = entries.iter().filter_map(|(subject, sealed)| Some((*subject, tag(dirs, vault, *subject, sealed)?)));
        let found = tags.filter(|(_, tag)| leaves.iter().any(|leaf| leaf.fact.subject == Some(*tag)));
        found.map(|(subject, _)| subject).collect::<Vec<_>>()
    };
    assert_eq!(linked(&[&data, &keys]), [anna, ben], "what is stored of somebody leads to their leaves");

    let desk = Desk::open(setting.register.clone());
    let case = accepted(&desk, anna, RightKind::Cancel).await;
    certified(&setting.register, anna, case).await;
    assert_eq!(linked(&[&data, &keys]), [anna, ben], "for as long as it is to be shown what was done");
    setting.clock.advance(EVIDENCE);
    while setting.register.end_what_is_due().await.unwrap() > 0 {
        setting.clock.advance(DAY);
    }
    setting.vault.purge().await.unwrap();
    setting.data.purge().await.unwrap();
    assert!(entry(&*setting.data, anna).await.is_none(), "nothing is left of her");
    let gone = setting.register.state(anna).await;
    assert!(matches!(gone, Err(Error::UnknownSubject)), "{gone:?}");
    assert!(setting.vault.keys_of(anna).await.unwrap().is_empty());
    assert_eq!(linked(&[&data, &keys]), [ben]);
    assert_eq!(linked(&[&data, &keys, &old_data]), [ben], "also with a backup of the data");
    assert_eq!(linked(&[&old_data, &old_keys]), [anna, ben], "which is why copies of keys are to be kept for short");
    let _dir = setting.close().await;
    assert_eq!(linked(&[&data, &keys, &old_data]), [ben], "also of what closing the stores writes");
}

#[tokio::test]
async fn a_key_that_lies_in_clear_from_before_is_sealed_and_makes_the_same_tags() {
    let world = World::new().await;
    let anna = world.person(&[VOICE]).await;
    let tagged = |leaves: Vec<sayso_audit::Leaf>| leaves.last().unwrap().fact.subject.unwrap();
    // as an earlier program wrote it
    let key = [0xa5; 32];
    let (stored, mut entry_of) = entry(&*world.local, anna).await.unwrap();
    entry_of.as_object_mut().unwrap().remove("sealed_key");
    entry_of["audit_key"] = hex::encode(key).into();
    let value = [&[0, 3][..], &serde_json::to_vec(&entry_of).unwrap()].concat();
    let clear = Batch::new().require(row(anna), Condition::Version(stored.version)).put(row(anna), value);
    world.local.commit(clear).await.unwrap();

    let before = world.state(anna).await;
    sealed(&*world.local, anna).await;
    world.answers(anna, &[MEMORY], sayso_policy::ConsentStatus::Given).await;
    assert_eq!(tagged(world.leaves().await), AuditKey::new(key).subject(anna));
    let world = world.again().await;
    assert_eq!(world.state(anna).await.consents[&VOICE], before.consents[&VOICE]);
    world.answers(anna, &[MEMORY], sayso_policy::ConsentStatus::Refused).await;
    assert_eq!(tagged(world.leaves().await), AuditKey::new(key).subject(anna), "also after a restart");
}
