//! What is stored of a node.

use super::*;
use crate::register::Configured;
use crate::register::noting::Wraps;
use crate::tables::{CONFIG, ConfigKey, WRAPPING, WrappingKey};

#[test]
fn a_configuration_is_stored_as_it_was() {
    let settings = [(Name::constant("sessions.max"), "ab".repeat(32)), (Name::constant("timezone"), "cd".repeat(32))];
    let configured = Configured { whole: [7; 32], settings: settings.into() };
    let value = CONFIG.encode(&serde_json::to_vec(&configured).unwrap());
    assert_golden("config", &ConfigKey { node: 2 }.key(), &value);
    assert_eq!(serde_json::from_slice::<Configured>(&value[2..]).unwrap(), configured);
}

#[test]
fn what_wraps_keys_is_stored_as_it_was() {
    let wraps = Wraps { shard_key: 3, kek: [8; 32] };
    let value = WRAPPING.encode(&serde_json::to_vec(&wraps).unwrap());
    assert_golden("wrapping", &WrappingKey { shard: 0 }.key(), &value);
    assert_eq!(serde_json::from_slice::<Wraps>(&value[2..]).unwrap(), wraps);
}
