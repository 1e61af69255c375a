//! What a store may have in it, noted in the store: each kind of record that a program which used it knows, with the version
//! that it writes. A program that does not know all of it touches nothing. It would read past what it does not know: a
//! person who is erased would be erased in part, and a record that it writes anew would lose what a newer one put there.
//!
//! The note is raised in the batch with which a register opens, before any record of a newer version can be. From there on
//! there is no way back to the program before.

use std::collections::BTreeMap;

use sayso_store::{Error as StoreError, Op, Schema, Store, TypedKey, Value};

use crate::Error;
use crate::journal::SHARD;
use crate::tables::*;

/// Everything that a register keeps in its store, by the names in [`tables`](crate::tables).
const SCHEMAS: [Schema; 59] = [
    ANNOUNCED,
    ANONYMISED,
    ANONYMISED_COUNT,
    CERTIFICATE,
    COMPLAINT,
    COMPLAINT_DUE,
    CONFIG,
    CONSENT_END,
    DELETION,
    DEVICE,
    DISCLOSURE,
    DISCLOSURE_TELL,
    DOCUMENT,
    DUE,
    ERASURE,
    EXEMPTION,
    EXEMPTION_USE,
    FACTS,
    FORMAT,
    GROWING,
    HEAD,
    HELD,
    HOLD,
    INCIDENT,
    KEPT,
    KEPT_GONE,
    KEPT_OF,
    KEPT_PART,
    LEAF,
    LEFT,
    LOAN,
    NEXT_PROFILE,
    NOTICE,
    NOTICE_DUE,
    NOTICE_OUT,
    NOTICE_PAGE,
    NOTICE_PERSON,
    NOTICE_SPREAD,
    NOTICE_TO,
    PROFILE,
    RECEIPT,
    RECORD,
    REFERRAL,
    REGISTER,
    REQUEST,
    RESIDUAL,
    RETENTION,
    SEALED_BY,
    SHUTDOWN,
    SIGNING_KEY,
    SWITCH,
    TENANT,
    TENURE,
    TRANSFER,
    TRANSFER_COUNT,
    VOLUME,
    WITHDRAWAL,
    WITNESSED,
    WRAPPING,
];

/// The versions of kinds of records.
type Kinds = BTreeMap<String, u16>;

/// Fails when a newer program has used `store`: before anything is written to it.
///
/// # Errors
/// [`Error::Newer`]; otherwise the state of the store.
pub async fn require_known(store: &dyn Store) -> Result<(), Error> {
    raised(store).await.map(drop)
}

/// What notes that this program uses `store`, if that says less than it knows.
pub(crate) async fn raised(store: &dyn Store) -> Result<Option<Op>, Error> {
    let key = FormatKey { shard: SHARD }.key();
    let noted = match store.read(core::slice::from_ref(&key)).await?.pop().flatten() {
        None => None,
        Some(found) => {
            let (_, body) = FORMAT.decode(&found.value).map_err(StoreError::from)?;
            let damaged = |e: serde_json::Error| Error::Damaged { what: "format", found: e.to_string() };
            Some(serde_json::from_slice::<Kinds>(body).map_err(damaged)?)
        }
    };
    let known = known();
    for (record, &found) in noted.iter().flatten() {
        let known = known.get(record).copied().unwrap_or_default();
        if found > known {
            return Err(Error::Newer { record: record.clone(), found, known });
        }
    }
    Ok((noted.as_ref() != Some(&known)).then(|| Op::Put(key, row(&known))))
}

/// What this program knows.
fn known() -> Kinds {
    let all = SCHEMAS.into_iter().chain(sayso_vault::SCHEMAS);
    all.map(|schema| (schema.record().to_owned(), schema.current())).collect()
}

/// A note as it is stored.
fn row(kinds: &Kinds) -> Value {
    FORMAT.encode(&serde_json::to_vec(kinds).expect("names and numbers are JSON"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_note_is_stored_as_it_was() {
        let row = row(&[("device".to_owned(), 1), ("register".to_owned(), 2)].into());
        assert_eq!(&row[..], b"\0\x01{\"device\":1,\"register\":2}");
    }

    #[test]
    fn every_kind_of_record_is_listed() {
        let files = [
            include_str!("tables.rs"),
            include_str!("tables/flows.rs"),
            include_str!("tables/kept.rs"),
            include_str!("tables/node.rs"),
            include_str!("tables/notices.rs"),
        ];
        let declared = files.into_iter().flat_map(|file| file.split("Schema::new(\"").skip(1));
        let declared: BTreeSet<_> = declared.filter_map(|rest| Some(rest.split_once('"')?.0)).collect();
        let listed: BTreeSet<_> = SCHEMAS.iter().map(Schema::record).collect();
        assert_eq!(declared, listed, "add new records to SCHEMAS, so that an older program keeps away from them");
    }
}
