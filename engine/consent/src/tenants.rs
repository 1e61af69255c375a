//! Tenants' instructions: what data of a tenant's people may be used for because the tenant says so, and what becomes of it
//! when the tenant is served no more.
//!
//! ```text
//!  nothing said ── set ──▶ Live ── set anew ──▶ Live
//!                           ├── its term is over ──┐
//!                           └── erase ─────────────┴▶ Erasing ── the last certificate ──▶ Erased ── set ──▶ Live
//!                                                       └ its people are told first
//! ```
//!
//! Where the policy has tenants attest where data of the users of their products comes from (`tenants.attest`), nothing of it passes
//! before they have. Of whom evidence is demanded, nothing passes from the day on which it was due until it is accepted.
//!
//! Instructions narrow what the profile gives, as the registry's switches do, and never widen it. When they end, nothing of the
//! tenant's people passes any gate, and everybody of theirs is erased by the path of all erasures, a bounded number at a time.
//! They are told before that: a notice to all of them goes with the end, the erasure begins when it is sent to each, and, where
//! the policy says how long before the end of the service people are told, not before that time has passed.

mod demand;
pub(crate) mod stored;

use std::collections::BTreeSet;

use sayso_audit::{ControlEvent, Event, Hash, Instructed, Reference};
use sayso_policy::{Instructions as Narrowing, Profile, Registry};
use sayso_types::{Category, Name, NoticeId, Purpose, SubjectId, TenantId, WallTime};
use serde::{Deserialize, Serialize};

pub use self::demand::{Demand, WHAT_BYTES_MAX};

/// Tenants whose instructions are kept: each check looks among them, and each is a contract that people signed.
pub const TENANTS_MAX: usize = 4_096;

/// Bytes of what names the document that instructions are written down in.
pub const REFERENCE_BYTES_MAX: usize = 200;

/// What a tenant is to instruct.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Who.
    pub tenant: TenantId,
    /// Where that is written down, such as the number of a contract.
    pub reference: String,
    /// What data may be used for.
    pub purposes: BTreeSet<Purpose>,
    /// Which data.
    pub categories: BTreeSet<Category>,
    /// The first moment at which they no longer count.
    pub until: Option<WallTime>,
    /// Where the tenant's word is written down on where data of its people comes from, and that it may pass it on; with the
    /// version of that text, as far as the name of it has one.
    pub attestation: Option<String>,
}

/// What a tenant has instructed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// The instructions, as the log names them.
    pub id: Reference,
    /// What they say.
    pub order: Order,
    /// Since when.
    pub since: WallTime,
    /// The revision of the registry that they, or their end, made.
    pub rev: u32,
    /// Evidence that the tenant is to show; [`None`] when nothing is demanded of it.
    pub demand: Option<Demand>,
    /// Their end; [`None`] while they count.
    pub ending: Option<Ending>,
}

/// How the end of a tenant is carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// Why.
    pub why: Why,
    /// When.
    pub at: WallTime,
    /// For how many people an erasure was begun.
    pub people: u64,
    /// The last person who was looked at; [`None`] before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reached: Option<SubjectId>,
    /// Whether everybody was looked at.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub(crate) is_everybody: bool,
    /// What tells its people; [`None`] of a tenant that ended before they were told, or when no further notice was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<NoticeId>,
    /// Nothing is erased before then: they are told as long before as the policy promises of the end of the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<WallTime>,
    /// When the last certificate was there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased_at: Option<WallTime>,
}

/// Why a tenant is served no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The term of its instructions is over.
    TermOver,
    /// It said so.
    Instructed,
}

impl Why {
    /// What the log calls it.
    #[must_use]
    pub const fn name(self) -> Name {
        match self {
            Self::TermOver => Name::constant("term_over"),
            Self::Instructed => Name::constant("instructed"),
        }
    }
}

/// Why instructions are not taken, or not ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotInstructed {
    /// Nothing is named.
    #[error("name at least one purpose and one category; to serve a tenant no more, erase it")]
    Nothing,
    /// The policy has no such purpose: instructions never go beyond it.
    #[error("the policy has no purpose {0}; a tenant can instruct what the policy has, and nothing more")]
    Purpose(Purpose),
    /// The policy has no such category.
    #[error("the policy has no category {0}; a tenant can instruct what the policy has, and nothing more")]
    Category(Category),
    /// Where they are written down is not said, or is a text.
    #[error(
        "say where the instructions are written down, in 1 to {REFERENCE_BYTES_MAX} bytes, such as a contract's number"
    )]
    Reference,
    /// What the tenant attests is not said, or is a text.
    #[error(
        "the policy has tenants attest where data of their users comes from: say where that is written down, in 1 to {REFERENCE_BYTES_MAX} bytes"
    )]
    Attestation,
    /// What evidence is demanded is not said, or at length.
    #[error("say what the tenant is to show, in 1 to {WHAT_BYTES_MAX} bytes")]
    What,
    /// There is no day by which evidence is to be shown, or it has passed, or lies beyond what the policy gives.
    #[error(
        "say by when; a moment that has not passed, and no later than the policy's tenants.evidence_within from now"
    )]
    Due,
    /// Evidence is demanded already.
    #[error("evidence is demanded of this tenant already; accept what it shows first")]
    Demanded,
    /// None is.
    #[error("no evidence is demanded of this tenant; show it first what is")]
    NotDemanded,
    /// The term has passed.
    #[error("the term ends before it begins; give a moment that has not passed")]
    Term,
    /// Data of the tenant's people is being erased.
    #[error("everything of this tenant's people is being erased; it can instruct anew when that is done")]
    Erasing,
    /// The tenant has given none.
    #[error("this tenant has given no instructions; list them")]
    Unknown,
    /// There are too many.
    #[error("the instructions of {TENANTS_MAX} tenants are kept, and no more")]
    TooMany,
}

impl Tenant {
    /// What becomes of a tenant that stood as `before` with `order`, as revision `rev` of the registry. `id` is the new
    /// instructions'.
    ///
    /// # Errors
    /// [`NotInstructed`]; the tenant is as it was.
    pub fn instructed(
        before: Option<&Self>,
        order: Order,
        profile: &Profile,
        (id, rev, now): (Reference, u32, WallTime),
    ) -> Result<Self, NotInstructed> {
        if before.is_some_and(Self::is_erasing) {
            return Err(NotInstructed::Erasing);
        }
        if order.purposes.is_empty() || order.categories.is_empty() {
            return Err(NotInstructed::Nothing);
        }
        if let Some(unknown) = order.purposes.iter().find(|purpose| profile.purpose(**purpose).is_none()) {
            return Err(NotInstructed::Purpose(*unknown));
        }
        if let Some(unknown) = order.categories.iter().find(|category| profile.category(**category).is_none()) {
            return Err(NotInstructed::Category(*unknown));
        }
        if order.reference.trim().is_empty() || order.reference.len() > REFERENCE_BYTES_MAX {
            return Err(NotInstructed::Reference);
        }
        let is_name = |text: &str| !text.trim().is_empty() && text.len() <= REFERENCE_BYTES_MAX;
        if !order.attestation.as_deref().map_or_else(|| !profile.document().tenants.attest, is_name) {
            return Err(NotInstructed::Attestation);
        }
        if order.until.is_some_and(|until| until <= now) {
            return Err(NotInstructed::Term);
        }
        // who instructs anew has shown nothing yet
        let demand = before.filter(|before| before.ending.is_none()).and_then(|before| before.demand.clone());
        Ok(Self { id, order, since: now, rev, demand, ending: None })
    }

    /// The tenant of which evidence is demanded, as revision `rev` of the registry.
    ///
    /// # Errors
    /// [`NotInstructed::Demanded`], and [`NotInstructed::Unknown`] of one that is served no more.
    pub fn demanded(&self, demand: Demand, rev: u32) -> Result<Self, NotInstructed> {
        match (&self.ending, &self.demand) {
            (Some(_), _) => Err(NotInstructed::Unknown),
            (None, Some(_)) => Err(NotInstructed::Demanded),
            (None, None) => Ok(Self { rev, demand: Some(demand), ..self.clone() }),
        }
    }

    /// The tenant when what it showed is accepted, as revision `rev` of the registry; and what had been demanded.
    ///
    /// # Errors
    /// [`NotInstructed::NotDemanded`].
    pub fn accepted(&self, rev: u32) -> Result<(Self, Demand), NotInstructed> {
        let mut next = Self { rev, ..self.clone() };
        let demand = next.demand.take().ok_or(NotInstructed::NotDemanded)?;
        Ok((next, demand))
    }

    /// The tenant when it is served no more, because of `why`; [`None`] when that has begun before.
    #[must_use]
    pub fn ended(&self, why: Why, rev: u32, now: WallTime) -> Option<Self> {
        let ending = Ending {
            why,
            at: now,
            people: 0,
            reached: None,
            is_everybody: false,
            notice: None,
            not_before: None,
            erased_at: None,
        };
        self.ending.is_none().then(|| Self { rev, ending: Some(ending), ..self.clone() })
    }

    /// Whether its term is over at `now`, and its end has not begun.
    #[must_use]
    pub fn is_over(&self, now: WallTime) -> bool {
        self.ending.is_none() && self.order.until.is_some_and(|until| until <= now)
    }

    /// Whether data of its people is being erased.
    #[must_use]
    pub fn is_erasing(&self) -> bool {
        self.ending.as_ref().is_some_and(|ending| ending.erased_at.is_none())
    }

    /// What decisions make of it: of what has ended, nothing is instructed.
    #[must_use]
    pub fn narrowing(&self) -> Narrowing {
        if self.ending.is_some() {
            return Narrowing::default();
        }
        let Order { purposes, categories, until, attestation, .. } = self.order.clone();
        let until = until.into_iter().chain(self.demand.as_ref().map(|demand| demand.due)).min();
        Narrowing { purposes, categories, until, attested: attestation.is_some() }
    }

    /// SHA-256 of its id, as the log names it.
    #[must_use]
    pub fn hash(&self) -> Hash {
        hash_of(&self.order.tenant)
    }

    /// The leaves that say what it instructs.
    pub(crate) fn events(&self) -> Vec<Event> {
        let (instructions, tenant) = (self.id, self.hash());
        let Order { reference, purposes, categories, until, attestation, .. } = &self.order;
        let document = Hash::of(reference.as_bytes());
        let first = ControlEvent::TenantInstructed { instructions, tenant, document, until: *until };
        let purposes = purposes.iter().copied().map(Instructed::Purpose);
        let named = purposes.chain(categories.iter().copied().map(Instructed::Category));
        let named = named.map(|what| ControlEvent::TenantInstructs { instructions, tenant, what });
        let attested = attestation.as_ref().map(|text| Hash::of(text.as_bytes()));
        let attested = attested.map(|document| ControlEvent::TenantAttested { instructions, tenant, document });
        [first].into_iter().chain(attested).chain(named).map(Event::Control).collect()
    }
}

/// `registry` with what `tenants` instruct, at the newest revision of both.
pub(crate) fn added_to(registry: Registry, tenants: &[Tenant]) -> Registry {
    let rev = tenants.iter().map(|tenant| tenant.rev).fold(registry.rev(), u32::max);
    let instructions = tenants.iter().map(|tenant| (tenant.order.tenant.clone(), tenant.narrowing()));
    registry.at(rev).with_instructions(instructions)
}

/// What the log calls `tenant`.
pub(crate) fn hash_of(tenant: &TenantId) -> Hash {
    Hash::of(tenant.as_str().as_bytes())
}
