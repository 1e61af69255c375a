//! [`Reading`]: why somebody of the operator's wants to read what is kept of a person.

use sayso_policy::{GrantError, Profile};
use sayso_store::Error as StoreError;
use sayso_types::{Category, Name};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::proposal::Terms;
use crate::Error as RegisterError;
use crate::keep::NotKept;

/// Bytes of a ticket: as many as systems for tickets give them.
pub const TICKET_BYTES_MAX: usize = 200;

/// What one of the operator's people needs to read, by a grant that others approve: whose it is and what are in the [`Terms`]
/// that it is part of. It is for whoever proposes it, and for nobody else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// What is worked on, as the system for tickets names it. The log has its SHA-256.
    pub ticket: String,
    /// Whether the person was or may have been a minor, so that it takes two others.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub is_minors: bool,
}

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadingError {
    /// No ticket, or a novel.
    #[error("ticket: give it in 1 to {TICKET_BYTES_MAX} bytes, as your system for tickets names it")]
    Ticket,
    /// Of everybody.
    #[error("principal: missing; a grant to read is about one person")]
    Everybody,
    /// It would open gates, too.
    #[error("a grant to read opens no gate; leave purposes and processors out")]
    Opens,
    /// Nothing that anybody needs a grant for.
    #[error(
        "categories: name those that you need, and none that has nothing in it of what people said, wrote or showed"
    )]
    NoContent,
    /// What a law demands is given away, and read by nobody here.
    #[error("a demand of an authority is not read here; propose a disclosure")]
    Demand,
}

/// Why something is not read. Each is on record as `operator.denied`, but for failures of the register.
#[derive(Debug, thiserror::Error)]
pub enum NotRead {
    /// The register did not do it.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// It is not there to be read.
    #[error(transparent)]
    Kept(#[from] NotKept),
    /// Nobody approved that they read it.
    #[error(
        "the operator's people read `{0}` of a person by grant only: propose one with your ticket (sayso exemption propose --ticket) and have somebody else approve it; a tenant's own people need none"
    )]
    NoGrant(Category),
    /// The policy does not let their grant count.
    #[error(transparent)]
    Grant(GrantError),
}

impl From<StoreError> for NotRead {
    fn from(error: StoreError) -> Self {
        Self::Register(error.into())
    }
}

impl NotRead {
    /// What the log calls it; [`None`] for what nobody is to blame for.
    pub(crate) const fn reason(&self) -> Option<Name> {
        match self {
            Self::Register(_) | Self::Kept(_) => None,
            Self::NoGrant(_) => Some(Name::constant("no_grant")),
            Self::Grant(_) => Some(Name::constant("policy")),
        }
    }
}

impl Reading {
    /// For this ticket.
    #[must_use]
    pub fn new(ticket: &str) -> Self {
        Self { ticket: ticket.to_owned(), is_minors: false }
    }

    /// Whether it can be part of `terms`.
    ///
    /// # Errors
    /// [`ReadingError`] names the first thing against it.
    pub fn check(&self, terms: &Terms, profile: &Profile) -> Result<(), ReadingError> {
        if self.ticket.trim().is_empty() || self.ticket.len() > TICKET_BYTES_MAX {
            return Err(ReadingError::Ticket);
        }
        if terms.demand.is_some() {
            return Err(ReadingError::Demand);
        }
        if terms.subject.is_none() {
            return Err(ReadingError::Everybody);
        }
        if !terms.purposes.is_empty() || !terms.processors.is_empty() {
            return Err(ReadingError::Opens);
        }
        let has_content = !terms.categories.is_empty() && terms.categories.iter().all(|one| profile.is_content(*one));
        if has_content { Ok(()) } else { Err(ReadingError::NoContent) }
    }

    /// What the log has of the ticket.
    #[must_use]
    pub fn ticket_sha256(&self) -> [u8; 32] {
        Sha256::digest(&self.ticket).into()
    }
}
