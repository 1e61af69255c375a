//! What a node says of itself: another configuration, other keys that wrap those of people.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use sayso_audit::{Actor, ActorKind, Event, Hash, KeyStep, Leaf, NodeEvent};
use sayso_consent::{Configured, Options, Register};
use sayso_runtime::Tasks;
use sayso_types::{ManualClock, Name};
use sayso_vault::{FileKek, Vault};

use crate::world::*;

/// A configuration with these settings.
pub(crate) fn configured(settings: &[(&'static str, &str)]) -> Configured {
    let hash = |text: &str| Hash::of(text.as_bytes());
    let whole = hash(&format!("{settings:?}")).0;
    let hashed = settings.iter().map(|(name, value)| (Name::constant(name), hash(value).to_string()));
    Configured { whole, settings: hashed.collect() }
}

fn settings(leaves: &[Leaf]) -> Vec<(&str, Hash)> {
    let of = |leaf| match leaf {
        &Event::Node(NodeEvent::ConfigChanged { ref setting, config }) => Some((setting.as_str(), config)),
        _ => None,
    };
    leaves.iter().filter_map(|leaf| of(&leaf.fact.event)).collect()
}

fn keys(leaves: &[Leaf]) -> Vec<(KeyStep, &str, u32)> {
    let of = |leaf| match leaf {
        &Event::Node(NodeEvent::Key { step, ref which, generation, .. }) => Some((step, which.as_str(), generation)),
        _ => None,
    };
    leaves.iter().filter_map(|leaf| of(&leaf.fact.event)).collect()
}

#[tokio::test]
async fn a_node_that_starts_with_another_configuration_says_which_settings_changed() {
    let world = World::new().await;
    let first = configured(&[("sessions.max", "1"), ("pages", "0.0.0.0:80")]);
    let next = configured(&[("sessions.max", "2"), ("timezone", "UTC")]);
    world.register.note_config(0, &first).await.unwrap();
    world.register.note_config(0, &first).await.unwrap();
    let world = world.again().await;
    world.register.note_config(0, &first).await.unwrap();
    world.register.note_config(0, &next).await.unwrap();
    world.register.note_config(1, &next).await.unwrap();
    let (before, after) = (Hash(first.whole), Hash(next.whole));
    let changed = [("all", before), ("pages", after), ("sessions.max", after), ("timezone", after), ("all", after)];
    assert_eq!(settings(&world.leaves().await), changed, "another node has a configuration of its own");
    let leaves = world.leaves().await;
    let holds = |leaf: &Leaf| leaf.encode().windows(10).any(|part| part == b"0.0.0.0:80");
    assert!(!leaves.iter().any(holds), "no value is in the log");
    world.ends_spotless().await;
}

#[tokio::test]
async fn keys_that_wrap_others_are_on_record_when_they_are_made_and_when_they_are_rotated() {
    let dir = tempfile::tempdir().unwrap();
    let kek = dir.path().join("kek");
    write_keks(&kek, &[1]);
    let keys_in = open_store(&dir.path().join("keys"));
    let vault = Vault::unlock(keys_in, Arc::new(FileKek::new(&kek))).await.unwrap();
    let (data, clock) = (open_store(&dir.path().join("data")), Arc::new(ManualClock::new()));
    let register = Register::open(data, vault.clone(), Arc::new(profile()), clock, Tasks::new(), Options::default());
    let register = register.await.unwrap();
    let noted = async || {
        // whoever was killed before they said so says so at the next start, and nobody says it twice
        register.note_keys(Actor::SYSTEM).await.unwrap();
        register.note_keys(Actor::SYSTEM).await.unwrap();
        leaves_of(register.journal()).await
    };
    assert_eq!(keys(&noted().await), [(KeyStep::Created, "shard_key", 1)]);
    vault.rewrap().await.unwrap();
    assert_eq!(keys(&noted().await).len(), 1, "it is wrapped anew under the same key");
    write_keks(&kek, &[1, 2]);
    vault.rewrap().await.unwrap();
    assert_eq!(keys(&noted().await)[1..], [(KeyStep::Rotated, "kek", 1)]);
    // on record with it, and who did it
    let operator = Actor { kind: ActorKind::Operator, tag: None };
    register.rotate_keys(operator).await.unwrap();
    let leaves = noted().await;
    assert_eq!(keys(&leaves)[2..], [(KeyStep::Rotated, "shard_key", 2)]);
    assert_eq!(leaves.last().unwrap().fact.actor, operator);
    assert_eq!(register.wrapping().await.unwrap(), vault.wrapping().await.unwrap());
}

/// Writes key encryption keys, each of these bytes alone.
fn write_keks(path: &Path, bytes: &[u8]) {
    let lines: String = bytes.iter().map(|byte| format!("{byte:02x}").repeat(32) + "\n").collect();
    fs::write(path, lines).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}
