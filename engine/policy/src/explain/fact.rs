//! [`Fact`]: one thing that [`decide()`](crate::decide()) looks at, and what it found.

use sayso_types::{Category, ConsentVersion, Name, Part, ProcessorId, Purpose, RegionClass, TenantId, WallTime};

use crate::error::Nearest;
use crate::profile::{ProcessorState, Prohibition};
use crate::{ConsentStatus, ConsentType, Gate, LegalBasis, Narrowed, PartStatus};

/// One thing that was looked at, and what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are named as in the profile and in the consent state")]
pub enum Fact {
    /// Whether the profile declares the purpose, and the declared one that looks most like it.
    PurposeDeclared { purpose: Purpose, declared: bool, nearest: Nearest },
    /// Whether the profile declares the category, and the declared one that looks most like it.
    CategoryDeclared { category: Category, declared: bool, nearest: Nearest },
    /// No prohibition covers it.
    NotProhibited,
    /// A prohibition covers it.
    Prohibited { rule: Prohibition },
    /// What is said about the category closes the gate to it.
    Closed { gate: Gate, category: Category, why: Closing },
    /// Whether the category is used for the purpose.
    UsedFor { category: Category, purpose: Purpose, used: bool },
    /// The data is about nobody, so that neither age nor place matters.
    AboutNobody { category: Category },
    /// The person is old enough to decide alone.
    OldEnough { youngest: u8, below: u8 },
    /// How old the person is, is not known, and the profile takes them for old enough.
    TakenForOldEnough { youngest: u8, below: u8 },
    /// The person may be too young to decide alone; whether a guardian is verified.
    Guardian { youngest: u8, below: u8, verified: bool },
    /// The category is switched off.
    CategoryOff { category: Category },
    /// Whatever is said to the tenant's devices is switched off.
    TenantOff { tenant: TenantId },
    /// Whether the tenant, which has given instructions, has instructed it.
    Instructed { tenant: TenantId, covered: bool },
    /// Whether the tenant attested where such data comes from, as the profile wants it to.
    Attested { tenant: Option<TenantId>, attested: bool },
    /// The person had the use of the category restricted; whether it would be used.
    Restricted { category: Category, used: bool },
    /// Whether the processor is registered.
    Registered { processor: ProcessorId, registered: bool },
    /// Whether it is active.
    State { processor: ProcessorId, state: ProcessorState },
    /// What the registry has taken from it.
    Narrowed { processor: ProcessorId, narrowed: Option<Narrowed> },
    /// Until when its due diligence holds, and whether it must have one.
    Examined { processor: ProcessorId, until: Option<WallTime>, now: WallTime, required: bool },
    /// Whether it stands behind the gate.
    Behind { processor: ProcessorId, gate: Gate, leads: bool },
    /// Whether it may receive the category.
    Accepts { processor: ProcessorId, category: Category, accepted: bool },
    /// Whether it may receive data for the purpose.
    Serves { processor: ProcessorId, purpose: Purpose, meant: bool },
    /// How far it stands, and how far the person lets data travel.
    Reach { processor: ProcessorId, region: RegionClass, farthest: RegionClass },
    /// Whether the profile lets anything go overseas.
    Overseas { allowed: bool },
    /// Whether there is a legal means by which data may go there.
    Means { processor: ProcessorId, found: bool },
    /// Whether as many people's data may still go there.
    WithinLimit { processor: ProcessorId, narrowed: Narrowed },
    /// Whether data may be stored where it stands.
    StoredHere { processor: ProcessorId, region: String, here: bool },
    /// A live exemption covers it.
    Exempted { grant: Name },
    /// The purpose rests on something else than consent.
    OtherBasis { purpose: Purpose, basis: LegalBasis, code: Option<String>, rev: u32 },
    /// The purpose rests on a contract with the person; whether they closed their account.
    Contract { purpose: Purpose, closed: bool },
    /// The person was never asked for the purpose.
    NoRecord { purpose: Purpose },
    /// A purpose that must have been agreed to first, and whether there is consent to it that covers the data.
    AgreedFirst { purpose: Purpose, first: Purpose, agreed: bool },
    /// The person took back this part of it, which shuts out such data.
    TakenBack { part: Part, status: PartStatus },
    /// Where the consent stands.
    Status { purpose: Purpose, status: ConsentStatus },
    /// How clearly it was expressed, and how clearly it must be.
    Clarity { found: ConsentType, min: ConsentType },
    /// Whether it was asked apart, and whether it must be.
    Separate { found: bool, required: bool },
    /// Whether it was given in writing, and whether it must be.
    Written { found: bool, required: bool },
    /// The revision that the person was shown, and the one in force.
    Revision { found: u32, rev: u32 },
    /// When it ends by itself.
    Lasting { until: Option<WallTime>, now: WallTime },
    /// A service that decides itself what it does with data, and whether the person was told of it.
    Introduced { processor: ProcessorId, told: bool },
    /// The consent version at which the data came in, and the one at which the consent began.
    Fresh { data: ConsentVersion, since: ConsentVersion },
}

/// What closes a gate to a category, whatever anybody agreed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Closing {
    /// It is not used with minors.
    Minor,
    /// It may not be stored.
    AtRest,
    /// It may not be stored of minors.
    MinorAtRest,
    /// It holds what a person said, which no log may.
    Content,
    /// It leads back to a person, which telemetry may not.
    LeadsBack,
    /// It is special or a picture, and this is a test platform.
    Trial,
    /// It may be a child's, and this is a test platform.
    MinorTrial,
}

impl Fact {
    /// Whether it speaks for the data going there.
    #[must_use]
    pub fn holds(&self) -> bool {
        match self {
            Self::NotProhibited
            | Self::AboutNobody { .. }
            | Self::OldEnough { .. }
            | Self::TakenForOldEnough { .. }
            | Self::OtherBasis { .. }
            | Self::Exempted { .. } => true,
            Self::Prohibited { .. }
            | Self::Closed { .. }
            | Self::CategoryOff { .. }
            | Self::TenantOff { .. }
            | Self::TakenBack { .. }
            | Self::NoRecord { .. } => false,
            Self::PurposeDeclared { declared: yes, .. }
            | Self::Instructed { covered: yes, .. }
            | Self::Attested { attested: yes, .. }
            | Self::CategoryDeclared { declared: yes, .. }
            | Self::UsedFor { used: yes, .. }
            | Self::Guardian { verified: yes, .. }
            | Self::Registered { registered: yes, .. }
            | Self::Accepts { accepted: yes, .. }
            | Self::Behind { leads: yes, .. }
            | Self::Overseas { allowed: yes }
            | Self::Means { found: yes, .. }
            | Self::StoredHere { here: yes, .. }
            | Self::AgreedFirst { agreed: yes, .. }
            | Self::Introduced { told: yes, .. }
            | Self::Serves { meant: yes, .. } => *yes,
            Self::Restricted { used: no, .. } | Self::Contract { closed: no, .. } => !no,
            Self::State { state, .. } => *state == ProcessorState::Active,
            Self::Narrowed { narrowed, .. } => !narrowed.is_some_and(Narrowed::is_closed),
            Self::WithinLimit { narrowed, .. } => *narrowed != Narrowed::TransferLimitReached,
            Self::Examined { until, now, required, .. } => until.map_or(!required, |end| *now < end),
            Self::Lasting { until, now } => until.is_none_or(|end| *now < end),
            Self::Reach { region, farthest, .. } => region <= farthest,
            Self::Status { status, .. } => status.is_valid(),
            Self::Clarity { found, min } => found >= min,
            Self::Separate { found, required } | Self::Written { found, required } => *found || !required,
            Self::Revision { found, rev } => found == rev,
            Self::Fresh { data, since } => data >= since,
        }
    }

    /// The key of the profile that it was read from; [`None`] when it was read from elsewhere.
    #[must_use]
    pub fn key(&self) -> Option<String> {
        match self {
            Self::PurposeDeclared { purpose, .. } => Some(format!("purpose.{purpose}")),
            Self::CategoryDeclared { category, .. } => Some(format!("category.{category}")),
            Self::NotProhibited | Self::Prohibited { .. } => Some("prohibition".to_owned()),
            Self::Closed { category, .. } => Some(format!("category.{category}")),
            Self::UsedFor { category, .. } => Some(format!("category.{category}.purposes")),
            Self::AboutNobody { category } => Some(format!("category.{category}.sensitivity")),
            Self::TakenForOldEnough { .. } => Some("defaults.unknown_age".to_owned()),
            Self::OldEnough { .. } | Self::Guardian { .. } => Some("minors.guardian_required_below".to_owned()),
            Self::Behind { processor, .. } => Some(format!("processor.{processor}.kind")),
            Self::Overseas { .. } => Some("transfers.overseas".to_owned()),
            Self::Means { processor, .. } => Some(format!("processor.{processor}.mechanism")),
            Self::StoredHere { .. } => Some("transfers.storage".to_owned()),
            Self::Registered { processor, .. } => Some(format!("processor.{processor}")),
            Self::State { processor, .. } => Some(format!("processor.{processor}.state")),
            Self::Examined { processor, .. } => Some(format!("processor.{processor}.due_diligence")),
            Self::Accepts { processor, .. } => Some(format!("processor.{processor}.accepts")),
            Self::Serves { processor, .. } => Some(format!("processor.{processor}.purposes")),
            Self::Reach { processor, .. } => Some(format!("processor.{processor}.region_class")),
            Self::OtherBasis { purpose, .. } | Self::Contract { purpose, .. } => {
                Some(format!("purpose.{purpose}.basis"))
            }
            Self::Introduced { processor, .. } => Some(format!("processor.{processor}.independent_controller")),
            Self::AgreedFirst { purpose, .. } => Some(format!("purpose.{purpose}.requires")),
            Self::Attested { .. } => Some("tenants.attest".to_owned()),
            Self::Restricted { .. }
            | Self::Narrowed { .. }
            | Self::CategoryOff { .. }
            | Self::TenantOff { .. }
            | Self::Instructed { .. }
            | Self::WithinLimit { .. }
            | Self::Exempted { .. }
            | Self::NoRecord { .. }
            | Self::TakenBack { .. }
            | Self::Status { .. }
            | Self::Clarity { .. }
            | Self::Separate { .. }
            | Self::Written { .. }
            | Self::Revision { .. }
            | Self::Lasting { .. }
            | Self::Fresh { .. } => None,
        }
    }
}
