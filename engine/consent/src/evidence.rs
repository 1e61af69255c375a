//! What a person answered, and what shows it.

use sayso_audit::Reference;
use sayso_policy::ConsentStatus;
use sayso_types::{Purpose, SubjectId, TenantId};

/// How the answer reached the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// Spoken to the device.
    Voice,
    /// Pressed or tapped on the device.
    Button,
    /// Collected by an integrator, who answers for it.
    Integrator,
    /// Collected by an integrator from the person's verified guardian.
    Guardian,
    /// A permission of the device that somebody took away in its settings.
    Permission,
}

/// What a person was asked for together, and the record that each answer will become.
#[derive(Clone, Debug)]
pub struct Question(Vec<(Purpose, Reference)>);

impl Question {
    /// A question for these purposes.
    #[must_use]
    pub fn of(purposes: &[Purpose]) -> Self {
        Self(purposes.iter().map(|purpose| (*purpose, Reference(SubjectId::random().0))).collect())
    }

    /// Each purpose with the id of its record.
    pub fn records(&self) -> impl Iterator<Item = (Purpose, Reference)> {
        self.0.iter().copied()
    }
}

/// An answer to a consent question, to be recorded.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Whose data the subject's device sends.
    pub tenant: TenantId,
    /// Who answered.
    pub subject: SubjectId,
    /// Given, refused or deferred.
    pub status: ConsentStatus,
    /// What was asked for together.
    pub question: Question,
    /// How it was answered.
    pub means: Means,
    /// SHA-256 of the notice as it was given to the person.
    pub notice_sha256: [u8; 32],
    /// Language of the notice, BCP 47.
    pub language: String,
    /// Whether the notice was read out rather than shown.
    pub spoken: bool,
    /// SHA-256 of the evidence: the sound of the spoken answer as it was decoded (16 kHz, signed 16-bit little-endian),
    /// the press of a button as the device reported it, or what the integrator keeps.
    pub evidence_sha256: [u8; 32],
}
