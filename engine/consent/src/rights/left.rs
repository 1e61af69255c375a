//! [`Left`]: what is left to be done for an accepted request, as it is stored until that is done.

use sayso_audit::Reference;
use sayso_store::{Error as StoreError, Op, Range, TypedKey, limits::SCAN_LIMIT_MAX};
use sayso_types::SubjectId;

use crate::tables::{LEFT, LeftKey};
use crate::{Error, Register};

/// What is left to be done. The stored form is the word, schema version 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// All of it.
    All,
    /// To rewrite the stores without what was replaced.
    Purge,
}

impl Left {
    const fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Purge => "purge",
        }
    }

    /// The write that says so of the request `id`.
    pub(crate) fn put(self, subject: SubjectId, id: Reference) -> Op {
        Op::Put(LeftKey { subject, request: id.0.to_vec() }.key(), LEFT.encode(self.word().as_bytes()))
    }

    /// The write that says that nothing is left.
    pub(crate) fn done(subject: SubjectId, id: Reference) -> Op {
        Op::Delete(LeftKey { subject, request: id.0.to_vec() }.key())
    }

    fn decode(body: &[u8]) -> Result<Self, Error> {
        let damaged = || Error::Damaged { what: "request_left", found: format!("{} bytes", body.len()) };
        [Self::All, Self::Purge].into_iter().find(|left| left.word().as_bytes() == body).ok_or_else(damaged)
    }

    /// What is left of the request `id`.
    pub(crate) async fn of(register: &Register, subject: SubjectId, id: Reference) -> Result<Option<Self>, Error> {
        let key = LeftKey { subject, request: id.0.to_vec() }.key();
        let Some(stored) = register.store.read(&[key]).await?.pop().flatten() else { return Ok(None) };
        let (_, body) = LEFT.decode(&stored.value).map_err(StoreError::from)?;
        Self::decode(body).map(Some)
    }

    /// Every request of which it is `self` that is left.
    pub(crate) async fn all(self, register: &Register) -> Result<Vec<(SubjectId, Reference)>, Error> {
        let (mut found, mut range) = (Vec::new(), Range::from(LeftKey::table()));
        loop {
            let page = register.store.scan(range, SCAN_LIMIT_MAX).await?;
            for entry in page.entries {
                let LeftKey { subject, request } = LeftKey::parse(&entry.key).map_err(StoreError::from)?;
                let (_, body) = LEFT.decode(&entry.value).map_err(StoreError::from)?;
                let id = request.as_slice().try_into().map_err(|_| Error::Damaged {
                    what: "request_left",
                    found: format!("an id of {} bytes", request.len()),
                })?;
                if Self::decode(body)? == self {
                    found.push((subject, Reference(id)));
                }
            }
            let Some(rest) = page.rest else { return Ok(found) };
            range = rest;
        }
    }
}
