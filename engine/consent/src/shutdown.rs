//! The end of a service: people are told, then nothing more is collected, and everything that is sealed of everybody is
//! erased, each with a certificate.
//!
//! ```text
//! announce ──▶ people are told, with the time that the policy promises
//! start    ──▶ every gate closes, no permit and no consent is given any more, devices are sent away
//!              page by page, an erasure for each person, by the path of all erasures: their consent is withdrawn first
//! complete ──▶ the last certificate is there
//! ```
//!
//! Each step is durable before the next, so that the next process goes on where one was killed. The log, receipts and
//! certificates stay readable.

use sayso_audit::Reference;
use sayso_types::{NoticeId, SubjectId, WallTime};
use serde::{Deserialize, Serialize};

use crate::{Error as RegisterError, notices};

/// The end of the service, as far as it has come. The stored form, schema version 1, is JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shutdown {
    /// Which: its leaves and the certificates name it.
    #[serde(with = "hex")]
    pub id: [u8; 16],
    /// The notice by which people are told.
    pub notice: NoticeId,
    /// When it was announced.
    pub announced_at: WallTime,
    /// The earliest moment at which it may start.
    pub not_before: WallTime,
    /// When collecting stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<WallTime>,
    /// For how many people an erasure has been begun.
    #[serde(default)]
    pub people: u64,
    /// Up to whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reached: Option<SubjectId>,
    /// Whether that is everybody.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub is_everybody: bool,
    /// When the last certificate was issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<WallTime>,
}

impl Shutdown {
    /// What its leaves and the certificates of the erasures name.
    #[must_use]
    pub const fn reference(&self) -> Reference {
        Reference(self.id)
    }

    /// Whether it erases.
    #[must_use]
    pub const fn is_erasing(&self) -> bool {
        self.started_at.is_some() && self.completed_at.is_none()
    }

    /// It, started at `now`.
    ///
    /// # Errors
    /// [`Error::TooSoon`] before people were given the time that they were promised; [`Error::Started`] when it is.
    pub(crate) fn started(&self, now: WallTime) -> Result<Self, Error> {
        if self.started_at.is_some() {
            return Err(Error::Started);
        }
        if now < self.not_before {
            return Err(Error::TooSoon { not_before_ms: self.not_before.0 });
        }
        Ok(Self { started_at: Some(now), ..self.clone() })
    }
}

/// How far the end of the service has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The steps so far.
    pub shutdown: Shutdown,
    /// Erasures that are on their way.
    pub pending: u64,
}

/// Why a step towards the end of the service is not taken.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The register did not do it.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// People cannot be told so.
    #[error(transparent)]
    Notice(#[from] notices::Error),
    /// It was announced before.
    #[error("the end of the service is announced; look at its status")]
    Announced,
    /// It was not announced, or as another one.
    #[error("no end of the service is announced under that id; announce it first")]
    NotAnnounced,
    /// People were promised more time.
    #[error("people were told that the service goes on until {not_before_ms} ms after 1970; start it then")]
    TooSoon {
        /// The earliest moment.
        not_before_ms: u64,
    },
    /// It was started before.
    #[error("the end of the service has been started; look at its status")]
    Started,
}
