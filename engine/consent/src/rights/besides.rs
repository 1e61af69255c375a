//! What is on record of a person beside what they said and what is kept of them: complaints, what was given to authorities, what
//! was done without their consent, and what a law has kept.

use std::collections::BTreeSet;

use sayso_policy::profile::ExemptionCode;
use sayso_store::{Error as StoreError, TypedKey};
use sayso_types::{Category, Name, Purpose, SubjectId, TenantId, WallTime};
use serde::Serialize;

use crate::complaints::{Complaint, Outcome, desk as complaints};
use crate::disclosure::desk as disclosures;
use crate::retention::Hold;
use crate::tables::{EXEMPTION_USE, ExemptionUseKey};
use crate::{Error, Register};

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Besides {
    /// What the person complained about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub complaints: Vec<Complained>,
    /// What was given to authorities, as far as the law lets the person know by now.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub disclosures: Vec<Disclosed>,
    /// What was done without their consent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exemptions: Vec<Exempted>,
    /// What a law has kept.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<Held>,
}

/// A complaint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Complained {
    /// When it came in.
    pub received_at: WallTime,
    /// By when it is answered.
    pub due_at: WallTime,
    /// SHA-256 of its words, in hexadecimal.
    pub text_sha256: String,
    /// SHA-256 of what came with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence_sha256: Option<String>,
    /// What came of it; [`None`] while it waits for an answer.
    pub outcome: Option<Outcome>,
    /// When it was answered.
    pub answered_at: Option<WallTime>,
    /// SHA-256 of the answer's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer_sha256: Option<String>,
}

/// Something that was given to an authority.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Disclosed {
    /// When.
    pub made_at: WallTime,
    /// To whom, as whoever proposed it wrote.
    pub authority: String,
    /// By which law.
    pub law: String,
    /// What.
    pub categories: BTreeSet<Category>,
}

/// A use of data without the person's consent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exempted {
    /// The grant, as the log calls it.
    pub grant: Name,
    /// On which ground.
    pub ground: ExemptionCode,
    /// What for.
    pub purposes: BTreeSet<Purpose>,
    /// Which data.
    pub categories: BTreeSet<Category>,
    /// Since when something of theirs was used.
    pub first_used_at: WallTime,
}

/// What a law has kept, whatever else would end it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Held {
    /// Of what; [`None`] is of everything.
    pub category: Option<Category>,
    /// Which law.
    pub law: String,
    /// Since when.
    pub set_at: WallTime,
    /// Until when; [`None`] is until somebody releases it.
    pub until: Option<WallTime>,
}

impl Besides {
    /// What `register` has of `subject`, a person of `tenant`.
    pub(super) async fn of(register: &Register, subject: SubjectId, tenant: &TenantId) -> Result<Self, Error> {
        let now = register.clock.wall();
        let complaints = complaints::of(register, tenant).await?.into_iter();
        let complaints = complaints.filter(|one| one.filing.subject == Some(subject)).map(|one| Complained::of(&one));
        let holds = register.legal_holds().await.into_iter();
        let holds = holds.filter(|hold| hold.keeps(subject, None, now)).map(Held::of);
        Ok(Self {
            complaints: complaints.collect(),
            disclosures: disclosed(register, subject, now).await?,
            exemptions: exempted(register, subject).await?,
            holds: holds.collect(),
        })
    }

    /// How many records that is.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.complaints.len() + self.disclosures.len() + self.exemptions.len() + self.holds.len()
    }
}

impl Complained {
    fn of(complaint: &Complaint) -> Self {
        let answer = complaint.answer;
        Self {
            received_at: complaint.received,
            due_at: complaint.due.at,
            text_sha256: hex::encode(complaint.filing.text_sha256),
            evidence_sha256: complaint.filing.evidence_sha256.map(hex::encode),
            outcome: answer.map(|answer| answer.outcome),
            answered_at: answer.map(|answer| answer.at),
            answer_sha256: answer.map(|answer| hex::encode(answer.text_sha256)),
        }
    }
}

impl Held {
    fn of(hold: Hold) -> Self {
        let (order, set_at) = (hold.order, hold.set_at);
        Self { category: order.category, law: order.law, set_at, until: order.until }
    }
}

/// What was given to authorities of `subject`, as far as they may know at `now`.
async fn disclosed(register: &Register, subject: SubjectId, now: WallTime) -> Result<Vec<Disclosed>, Error> {
    let mut told = Vec::new();
    for one in disclosures::all(register).await? {
        let may_know = one.tell_at.is_some_and(|at| at <= now);
        if !may_know || !one.people.contains(&subject) {
            continue;
        }
        let proposal = register.find_proposal(one.grant).await?;
        let Some(demand) = proposal.and_then(|(proposal, _)| proposal.terms.demand) else { continue };
        let (authority, law) = (demand.authority, demand.law);
        told.push(Disclosed { made_at: one.made_at, authority, law, categories: one.categories });
    }
    Ok(told)
}

/// On which grants something of `subject` was used. What an authority demanded is a disclosure, and told as one.
async fn exempted(register: &Register, subject: SubjectId) -> Result<Vec<Exempted>, Error> {
    let mut uses = Vec::new();
    for proposal in register.exemptions().await?.into_iter().filter(|one| one.terms.demand.is_none()) {
        let row = ExemptionUseKey { id: proposal.id.to_string(), subject }.key();
        let Some(stored) = register.store.read(&[row]).await?.pop().flatten() else { continue };
        let (_, body) = EXEMPTION_USE.decode(&stored.value).map_err(StoreError::from)?;
        let at: [u8; 8] = body
            .try_into()
            .map_err(|_| Error::Damaged { what: "exemption_use", found: format!("{} bytes", body.len()) })?;
        uses.push(Exempted {
            grant: proposal.id,
            ground: proposal.terms.code,
            purposes: proposal.terms.purposes,
            categories: proposal.terms.categories,
            first_used_at: WallTime(u64::from_be_bytes(at)),
        });
    }
    Ok(uses)
}
