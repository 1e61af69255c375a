//! What is stored, byte for byte: a change here is a change of a format, and needs a new version of it.

use std::fs;
use std::path::Path;

use sayso_store::{Key, TypedKey};
use sayso_types::{Category, Purpose, SubjectId};

use crate::kek::Keks;
use crate::record::seal_with;
use crate::shard::{ShardKey, VaultId, context};
use crate::subject::{SubjectKeys, Wrapped};
use crate::tables::{
    IN_USE, InUseRow, PURGE, PurgeRow, SHARD_KEY, SUBJECT, ShardRow, SubjectRow, TOMBSTONE, TombstoneRow, VAULT,
    VaultKey,
};
use crate::{Binding, KeyId, SecretKey};

const SUBJECT_ID: SubjectId = SubjectId([0x5a; 16]);
const NONCE: [u8; 24] = [0x0c; 24];

fn lines(bytes: &[u8]) -> String {
    let digits = hex::encode(bytes);
    let lines: Vec<_> = digits.as_bytes().chunks(96).map(|line| core::str::from_utf8(line).unwrap()).collect();
    lines.join("\n")
}

/// Compares with `tests/golden/NAME`, which `SAYSO_GOLDEN=write` writes anew.
fn assert_golden(name: &str, parts: &[(&str, &[u8])]) {
    let shown: String = parts.iter().map(|(part, bytes)| format!("{part}\n{}\n", lines(bytes))).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("SAYSO_GOLDEN").is_some_and(|how| how == "write") {
        fs::write(&path, &shown).unwrap();
    }
    let golden = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{name}: {e}"));
    assert_eq!(shown, golden, "{name} is not stored as it was");
}

fn secret(byte: u8) -> SecretKey {
    SecretKey::from_slice(&[byte; 32]).unwrap()
}

fn shard_key() -> ShardKey {
    ShardKey { generation: 2, id: KeyId::of(&secret(0xa1)), key: secret(0xa1) }
}

/// Keys of a person: of memory, and of transcripts that were forgotten.
fn keys() -> SubjectKeys {
    let category = |name: &[u8], generation: u32, salt: u8| {
        let length = u8::try_from(name.len()).unwrap();
        [&[length][..], name, &generation.to_be_bytes(), &[salt; 32]].concat()
    };
    let memory = category(b"memory_summary", 3, 0x51);
    let transcript = category(b"transcript", 1, 0);
    SubjectKeys::decode(1, &[&[0x50; 32][..], &memory, &transcript].concat()).unwrap()
}

#[test]
fn the_keys_of_a_person_are_stored_as_they_were() {
    let value = SUBJECT.encode(&keys().wrap_with(SUBJECT_ID, &shard_key(), NONCE));
    assert_golden("subject", &[("key", SubjectRow { subject: SUBJECT_ID }.key().as_bytes()), ("value", &value)]);
    let keys = Wrapped::parse(&value[2..]).unwrap().unwrap(SUBJECT_ID, &shard_key()).unwrap();
    assert_eq!((keys.newest(Category::MEMORY_SUMMARY), keys.newest(Category::TRANSCRIPT)), (3, 1));
    assert!(keys.key(Category::MEMORY_SUMMARY).is_some() && keys.key(Category::TRANSCRIPT).is_none());
}

#[test]
fn a_record_is_sealed_as_it_was() {
    let row = Key::from_bytes("row");
    let at = Binding {
        table: "facts",
        row: &row,
        schema: 2,
        subject: SUBJECT_ID,
        category: Category::MEMORY_SUMMARY,
        purpose: Purpose::MEMORY,
    };
    let key = keys().key(Category::MEMORY_SUMMARY).unwrap();
    let sealed = seal_with(&key, &at, b"[[\"name\",\"Anna\"]]", NONCE);
    assert_golden("record", &[("sealed", &sealed)]);
    assert_eq!(*crate::record::open(&key, &at, &sealed).unwrap(), b"[[\"name\",\"Anna\"]]");
}

#[test]
fn a_key_is_wrapped_by_a_kek_at_hand_as_it_was() {
    let keks = Keks::parse(&[0xee; 32], String::new()).unwrap();
    let wrapped = keks.wrap_with(&secret(0xa1), b"context", NONCE);
    assert_golden("kek", &[("wrapped", &wrapped)]);
    assert_eq!(keks.unwrap(&wrapped, b"context").unwrap().reveal(), secret(0xa1).reveal());
}

#[test]
fn what_a_shard_key_is_bound_to_stays_what_it_is() {
    assert_golden("context", &[("context", &context(VaultId([7; 16]), 3))]);
}

#[test]
fn rows_are_stored_as_they_were() {
    let rows = [
        ("vault", VaultKey { shard: 4 }.key(), VAULT.encode(&[7; 16])),
        ("shard", ShardRow { shard: 4, generation: 3 }.key(), SHARD_KEY.encode(b"version, id, wrapped")),
        ("tombstone", TombstoneRow { subject: SUBJECT_ID }.key(), TOMBSTONE.encode(&1u32.to_be_bytes())),
        ("purge", PurgeRow { shard: 4 }.key(), PURGE.encode(&[])),
        ("in_use", InUseRow { shard: 4 }.key(), IN_USE.encode(&[])),
    ];
    for (name, key, value) in rows {
        assert_golden(name, &[("key", key.as_bytes()), ("value", &value)]);
    }
}
