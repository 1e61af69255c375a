//! [`TagKey`]: the key that makes a person's tags in the log.
//!
//! It lies sealed in their register entry, under a key of theirs like everything that is personal: whoever has the data without
//! the keys cannot tell whom a leaf is about, and once the person's keys are destroyed nobody can. That is done last of all, when
//! an account is closed and nothing is left to be shown about it: [`Register::forget_closed`].

use std::sync::Arc;

use sayso_audit::AuditKey;
use sayso_store::{
    Batch, Condition, Error as StoreError, Key, Op, Prefix, Range, TypedKey, Versioned, limits::SCAN_LIMIT_MAX,
};
use sayso_types::{Name, Purpose, SubjectId};
use sayso_vault::Binding;
use zeroize::Zeroizing;

use super::state::StoredState;
use super::{Register, Subject};
use crate::retention::{Filed, Stored};
use crate::tables::{ErasureKey, REGISTER, RegisterKey, TAGS_CATEGORY};
use crate::{Entry, Error};

/// Bytes of the key.
const KEY_BYTES: usize = 32;

/// The version of what is sealed.
const SEALED_SCHEMA: u16 = 1;

/// Times that an entry of before there was such a seal is sealed, when somebody changes it at the same moment.
const ATTEMPTS_MAX: usize = 8;

/// The key that makes a person's tags, and as it is stored.
#[derive(Clone)]
pub(crate) struct TagKey {
    key: Zeroizing<[u8; KEY_BYTES]>,
    sealed: Arc<[u8]>,
}

impl TagKey {
    pub(crate) fn new(key: [u8; KEY_BYTES], sealed: Vec<u8>) -> Self {
        Self { key: Zeroizing::new(key), sealed: sealed.into() }
    }

    /// In the place of one that is not opened yet.
    pub(super) fn unopened() -> Self {
        Self::new([0; KEY_BYTES], Vec::new())
    }

    pub(super) fn audit_key(&self) -> AuditKey {
        AuditKey::new(*self.key)
    }

    pub(super) fn sealed(&self) -> &[u8] {
        &self.sealed
    }
}

/// The key as an entry has it.
pub(crate) enum StoredKey {
    /// From before it was sealed.
    Clear(Zeroizing<[u8; KEY_BYTES]>),
    /// Sealed.
    Sealed(Vec<u8>),
}

impl StoredKey {
    /// What an entry has in its two members.
    pub(super) fn of(clear: Vec<u8>, sealed: Vec<u8>) -> Option<Self> {
        if sealed.is_empty() {
            let clear = Zeroizing::new(clear);
            return Some(Self::Clear(Zeroizing::new(clear.as_slice().try_into().ok()?)));
        }
        Some(Self::Sealed(sealed))
    }
}

impl Register {
    /// A key for somebody who was never here.
    pub(super) async fn new_tag_key(&self, subject: SubjectId) -> Result<TagKey, Error> {
        let mut key = [0; KEY_BYTES];
        getrandom::fill(&mut key).expect("the operating system provides random bytes");
        self.sealed_tag_key(subject, key).await
    }

    async fn sealed_tag_key(&self, subject: SubjectId, key: [u8; KEY_BYTES]) -> Result<TagKey, Error> {
        let row = RegisterKey { subject }.key();
        let sealed = self.vault.seal(&sealed_at(&row, subject), &key).await?;
        Ok(TagKey::new(key, sealed))
    }

    /// What is `stored` of `subject`, with the key of their tags. One that lies there in clear is sealed.
    ///
    /// # Errors
    /// [`Error::Vault`] of somebody who was forgotten, and where the key store is older than the entry; or as the store says.
    pub(crate) async fn opened_state(&self, subject: SubjectId, stored: Versioned) -> Result<StoredState, Error> {
        let row = RegisterKey { subject }.key();
        let mut stored = stored;
        for _ in 0..ATTEMPTS_MAX {
            let unopened = StoredState::of(&stored)?;
            let clear = match &unopened.key {
                StoredKey::Sealed(sealed) => {
                    let key = self.vault.open(&sealed_at(&row, subject), sealed).await?;
                    let damaged =
                        |_| Error::Damaged { what: "register", found: format!("a key of {} bytes", key.len()) };
                    let key = TagKey::new(key.as_slice().try_into().map_err(damaged)?, sealed.clone());
                    return Ok(unopened.opened(key));
                }
                StoredKey::Clear(clear) => **clear,
            };
            let mut state = unopened.opened(self.sealed_tag_key(subject, clear).await?);
            let sealed = Batch::new()
                .require(row.clone(), Condition::Version(stored.version))
                .put(row.clone(), REGISTER.encode(&state.encode()));
            match self.store.commit(sealed).await {
                Ok(version) => {
                    state.version = version;
                    return Ok(state);
                }
                // somebody else has sealed it
                Err(StoreError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
            let found = self.store.read(core::slice::from_ref(&row)).await?.pop().flatten();
            stored = found.ok_or(Error::UnknownSubject)?;
        }
        Err(StoreError::Conflict { key: row }.into())
    }

    /// Forgets whoever's turn it is, if their account is closed and nothing is left that shows what was agreed and done: from
    /// here on nobody can tell which leaves were about them. Whether it did.
    pub(super) async fn forget_closed(&self, turn: &Subject) -> Result<bool, Error> {
        if !turn.state.consent.is_closed || !self.is_spent(turn.id).await? {
            return Ok(false);
        }
        self.forget_for_good(turn.id).await?;
        Ok(true)
    }

    /// As [`forget_closed`](Self::forget_closed), for everybody: what a process that ended has left.
    pub(super) async fn forget_all_closed(&self) -> Result<(), Error> {
        let mut range = Range::from(RegisterKey::table());
        loop {
            let page = self.store.scan(range, SCAN_LIMIT_MAX).await?;
            for entry in page.entries {
                let RegisterKey { subject } = RegisterKey::parse(&entry.key).map_err(StoreError::from)?;
                let unopened = StoredState::of(&Versioned { value: entry.value, version: entry.version })?;
                // a closed account is never opened again; the key of one that was forgotten in part is gone already
                if unopened.is_closed() {
                    let _turn = self.turn(subject).lock_owned().await;
                    if self.is_spent(subject).await? {
                        self.forget_for_good(subject).await?;
                    }
                }
            }
            let Some(rest) = page.rest else { return Ok(()) };
            range = rest;
        }
    }

    /// Destroys the keys first: an entry that is left without them is found at the next start.
    async fn forget_for_good(&self, subject: SubjectId) -> Result<(), Error> {
        self.vault.forget_subject(subject).await?;
        let mut ops = vec![Op::Delete(RegisterKey { subject }.key())];
        ops.extend(Stored::ALL.map(|stored| Op::Delete(stored.kept(subject))));
        ops.extend(Filed::ALL.map(|filed| Op::Delete(filed.kept(subject))));
        self.journal().append(Entry { ops, ..Entry::default() }).await?;
        metrics::counter!("sayso_consent_people_forgotten_total").increment(1);
        Ok(())
    }

    /// Whether nothing is stored of `subject` that a rule ends, and no erasure of theirs is on its way.
    async fn is_spent(&self, subject: SubjectId) -> Result<bool, Error> {
        let tables = Stored::ALL.map(|stored| Prefix::table(stored.table())).into_iter().chain([ErasureKey::table()]);
        for table in tables {
            if !self.store.scan((&table.then(&subject)).into(), 1).await?.entries.is_empty() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// What the key is bound to, in the row `row`.
fn sealed_at(row: &Key, subject: SubjectId) -> Binding<'_> {
    let purpose = Purpose(Name::constant("audit"));
    Binding { table: RegisterKey::TABLE, row, schema: SEALED_SCHEMA, subject, category: TAGS_CATEGORY, purpose }
}
