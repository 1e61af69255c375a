//! What a person answered, and what shows it.

use sayso_audit::{Actor, ConsentEnding, Reference};
use sayso_policy::{ConsentStatus, ConsentType};
use sayso_types::{Name, Purpose, SubjectId, TenantId};

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
    /// A permission of the device that somebody gave in its settings, or took away there.
    Permission,
    /// Given in a document, of which an integrator keeps the original: it names what is agreed to, and one person.
    Document {
        /// Whether they signed it.
        is_signed: bool,
        /// Whether it is their verified guardian's.
        is_guardians: bool,
    },
    /// Not said: something that the person did implies it.
    Conduct(Name),
}

impl Means {
    /// How clearly consent is expressed in this way.
    #[must_use]
    pub const fn consent_type(self) -> ConsentType {
        match self {
            Self::Voice | Self::Button | Self::Integrator | Self::Guardian | Self::Permission => ConsentType::Expressed,
            Self::Document { .. } => ConsentType::ExplicitlyExpressed,
            Self::Conduct(_) => ConsentType::Implied,
        }
    }

    /// Whether it is given in writing.
    #[must_use]
    pub const fn is_written(self) -> bool {
        matches!(self, Self::Document { .. })
    }

    /// Whether its evidence is something that an integrator keeps, and that shows that one person agreed and nobody else.
    /// What a device heard, or was told in its settings, may be the same of many.
    #[must_use]
    pub const fn names_somebody(self) -> bool {
        matches!(self, Self::Integrator | Self::Guardian | Self::Document { .. } | Self::Conduct(_))
    }

    /// Whether a guardian gives it.
    #[must_use]
    pub const fn is_guardians(self) -> bool {
        matches!(self, Self::Guardian | Self::Document { is_guardians: true, .. })
    }
}

/// What a person was asked for together, and the record that each answer will become.
#[derive(Clone, Debug)]
pub struct Question {
    records: Vec<(Purpose, Reference)>,
    more: usize,
}

impl Question {
    /// A question for these purposes.
    #[must_use]
    pub fn of(purposes: &[Purpose]) -> Self {
        let records = purposes.iter().map(|purpose| (*purpose, Reference(SubjectId::random().0))).collect();
        Self { records, more: 0 }
    }

    /// Each purpose with the id of its record.
    pub fn records(&self) -> impl Iterator<Item = (Purpose, Reference)> {
        self.records.iter().copied()
    }

    /// One further layer of the notice is read out to whoever wants to know more before they answer.
    pub fn tell_more(&mut self) {
        self.more += 1;
    }

    /// How many further layers were.
    #[must_use]
    pub const fn more(&self) -> usize {
        self.more
    }
}

/// A consent question that a device puts, to be recorded.
#[derive(Clone, Debug)]
pub struct Asking {
    /// Who is asked.
    pub subject: SubjectId,
    /// For what.
    pub question: Question,
    /// SHA-256 of the notice as it is given to the person.
    pub notice_sha256: [u8; 32],
    /// Language of the notice, BCP 47.
    pub language: String,
    /// Whether the notice is read out rather than shown.
    pub spoken: bool,
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
    /// the press of a button as the device reported it, or what the integrator keeps, such as the document.
    pub evidence_sha256: [u8; 32],
}

/// That consent is ended otherwise than by whoever gave it.
#[derive(Clone, Copy, Debug)]
pub struct Ending {
    /// Because whoever answers for the data ends it, or because it turned out not to have been valid.
    pub how: ConsentEnding,
    /// Why, in a word that may be in the log.
    pub reason: Name,
    /// Who says so.
    pub by: Actor,
}
