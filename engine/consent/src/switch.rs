//! Switches: what is turned off on a running node, whatever its policy says: a processor, a category, or everything of a
//! tenant. They take away and never give.
//!
//! ```text
//!            off                      on
//!  On ─────────────▶ Off ─────────────────────────▶ On
//!   │                 └── terminate ─▶ Terminated (processors only; for good)
//!   ├── its examination runs out ─▶ DueDiligenceExpired ── looked at anew ─▶ On
//!   └── one person too many      ─▶ TransferLimitReached ── another year, or another means ─▶ On
//! ```
//!
//! [`Switch`] is the state machine, pure, and [`registry()`] what all of them come to;
//! [`Register::throw`](crate::Register::throw) stores one, puts it on record and closes the gates.

use core::fmt;
use std::collections::BTreeSet;

use sayso_audit::{Event, Hash, ProcessorChange, Reference};
use sayso_policy::{Narrowed, Profile, Registry};
use sayso_types::{Category, Name, ProcessorId, TenantId, WallTime};
use serde::{Deserialize, Serialize};

pub(crate) mod stored;

/// Switches that are kept, those that are on again among them: processors and categories are some dozens, and a deployment
/// that turns thousands of tenants off one by one rather turns itself off.
pub const SWITCHES_MAX: usize = 4_096;

/// Why a processor is turned off by itself, and on again.
const EXPIRED: Name = Name::constant("due_diligence_expired");
const EXAMINED: Name = Name::constant("due_diligence_renewed");
/// The same for as many people's data as may go overseas in a year.
const FULL: Name = Name::constant("transfer_limit_reached");
const ROOM: Name = Name::constant("transfer_limit_renewed");

/// What a switch turns off.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// Nothing goes there.
    Processor(ProcessorId),
    /// Nothing of it goes anywhere.
    Category(Category),
    /// Nothing of the people before its devices goes anywhere.
    Tenant(TenantId),
}

impl Target {
    /// Of which sort it is: `processor`, `category` or `tenant`.
    #[must_use]
    pub const fn sort(&self) -> &'static str {
        match self {
            Self::Processor(_) => "processor",
            Self::Category(_) => "category",
            Self::Tenant(_) => "tenant",
        }
    }

    /// The target of this sort and name; [`None`] when there is no such sort, or it has no such names.
    #[must_use]
    pub fn parse(sort: &str, name: &str) -> Option<Self> {
        match sort {
            "processor" => name.parse().ok().map(Self::Processor),
            "category" => name.parse().ok().map(Self::Category),
            "tenant" => name.parse().ok().map(Self::Tenant),
            _ => None,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Processor(id) => id.0.as_str(),
            Self::Category(id) => id.as_str(),
            Self::Tenant(id) => id.as_str(),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.sort(), self.name())
    }
}

/// How a switch stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Position {
    /// What the policy gives holds.
    On,
    /// Nothing passes for the time being.
    Off,
    /// Nothing passes again. Of a processor only.
    Terminated,
    /// Nothing passes until somebody has looked at the processor anew, and the policy says so.
    DueDiligenceExpired,
    /// Nothing about anybody passes before the next year, or a policy with another means: as many people's data went there as
    /// may.
    TransferLimitReached,
}

/// Somebody's wish to throw a switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Throw {
    /// What is turned off or on.
    pub target: Target,
    /// How it is to stand.
    pub to: Position,
    /// Why, in a word that may be in the log.
    pub reason: Name,
    /// The incident that it is thrown for.
    pub incident: Option<Reference>,
}

/// A switch that was thrown at least once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switch {
    /// Which, in the log.
    pub id: Reference,
    /// What it turns off.
    pub target: Target,
    /// How it stands.
    pub position: Position,
    /// Why.
    pub reason: Name,
    /// Since when.
    pub since: WallTime,
    /// The incident that it was last thrown for.
    pub incident: Option<Reference>,
    /// The revision of the registry that it made.
    pub rev: u32,
}

/// Why a switch is not thrown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotThrown {
    /// It was never turned off.
    #[error("it was never turned off; check its name")]
    NeverOff,
    /// The policy has no such processor or category.
    #[error("the policy has no processor or category of that name; check it against the profile")]
    Unknown,
    /// Nobody knows the tenant.
    #[error("no device, no person and no instruction is of that tenant; check its name")]
    UnknownTenant,
    /// It was turned off for good.
    #[error("the processor was terminated, which is for good; declare another one in the profile")]
    Terminated,
    /// Only processors are terminated.
    #[error("only a processor can be terminated; turn it off instead")]
    OnlyProcessors,
    /// Nobody has looked at it anew.
    #[error("its due diligence has run out; look at it anew, and publish a profile that says so")]
    NotExamined,
    /// As many people's data went there this year as may.
    #[error(
        "as many people's data went there this year as its means covers; get another one, and publish a profile with it"
    )]
    LimitReached,
    /// There are too many.
    #[error("{SWITCHES_MAX} switches are kept, and no more; turn the deployment off instead")]
    TooMany,
}

impl Switch {
    /// The switch after `throw`, as revision `rev` of the registry; [`None`] when it stands so already. `id` is for one that
    /// was never thrown.
    ///
    /// # Errors
    /// [`NotThrown`]; the switch is as it was.
    pub fn thrown(
        before: Option<&Self>,
        throw: &Throw,
        profile: &Profile,
        (id, rev, now): (Reference, u32, WallTime),
    ) -> Result<Option<Self>, NotThrown> {
        let position = before.map_or(Position::On, |switch| switch.position);
        let processor = match &throw.target {
            Target::Processor(id) => profile.processor(*id),
            Target::Category(_) | Target::Tenant(_) => None,
        };
        let known = match &throw.target {
            Target::Processor(_) => processor.is_some(),
            Target::Category(id) => profile.category(*id).is_some(),
            Target::Tenant(_) => true,
        };
        // what was thrown before stays known, whatever a later profile leaves out
        if !known && before.is_none() {
            return Err(NotThrown::Unknown);
        }
        if position == throw.to {
            return Ok(None);
        }
        if position == Position::Terminated {
            return Err(NotThrown::Terminated);
        }
        if throw.to == Position::Terminated && !matches!(throw.target, Target::Processor(_)) {
            return Err(NotThrown::OnlyProcessors);
        }
        let examined = processor.and_then(|processor| processor.examined_until()).is_none_or(|end| now < end);
        if position == Position::DueDiligenceExpired && throw.to == Position::On && !examined {
            return Err(NotThrown::NotExamined);
        }
        if position == Position::TransferLimitReached && throw.to == Position::On && throw.reason != ROOM {
            return Err(NotThrown::LimitReached);
        }
        Ok(Some(Self {
            id: before.map_or(id, |switch| switch.id),
            target: throw.target.clone(),
            position: throw.to,
            reason: throw.reason,
            since: now,
            incident: throw.incident,
            rev,
        }))
    }

    /// The leaf that says how it stands now.
    #[must_use]
    pub fn event(&self) -> Event {
        let (switch, reason, is_off) = (self.id, self.reason, self.position != Position::On);
        match &self.target {
            Target::Processor(processor) => {
                let change = match self.position {
                    Position::On => ProcessorChange::Activated,
                    Position::Off => ProcessorChange::Suspended,
                    Position::Terminated => ProcessorChange::Terminated,
                    Position::DueDiligenceExpired => ProcessorChange::DueDiligenceExpired,
                    Position::TransferLimitReached => ProcessorChange::TransferLimitReached,
                };
                Event::ProcessorChanged { switch, processor: *processor, change, reason }
            }
            Target::Category(category) => Event::CategorySwitched { switch, category: *category, is_off, reason },
            Target::Tenant(tenant) => {
                Event::TenantSwitched { switch, tenant: Hash::of(tenant.as_str().as_bytes()), is_off, reason }
            }
        }
    }
}

/// What the registry says of a processor whose switch stands so.
pub(crate) const fn narrowed(change: ProcessorChange) -> Option<Narrowed> {
    match change {
        ProcessorChange::Activated => None,
        ProcessorChange::Suspended => Some(Narrowed::Suspended),
        ProcessorChange::Terminated => Some(Narrowed::Terminated),
        ProcessorChange::DueDiligenceExpired => Some(Narrowed::DueDiligenceExpired),
        ProcessorChange::TransferLimitReached => Some(Narrowed::TransferLimitReached),
    }
}

/// What all switches come to: the registry, at the revision of the one that was thrown last.
pub fn registry<'a>(switches: impl IntoIterator<Item = &'a Switch>) -> Registry {
    let (mut rev, mut processors) = (0, Vec::new());
    let (mut categories, mut tenants) = (BTreeSet::new(), BTreeSet::new());
    for switch in switches {
        rev = rev.max(switch.rev);
        match (&switch.target, switch.position) {
            (_, Position::On) => {}
            (Target::Processor(id), Position::Off) => processors.push((*id, Narrowed::Suspended)),
            (Target::Processor(id), Position::Terminated) => processors.push((*id, Narrowed::Terminated)),
            (Target::Processor(id), Position::DueDiligenceExpired) => {
                processors.push((*id, Narrowed::DueDiligenceExpired));
            }
            (Target::Processor(id), Position::TransferLimitReached) => {
                processors.push((*id, Narrowed::TransferLimitReached));
            }
            (Target::Category(id), _) => drop(categories.insert(*id)),
            (Target::Tenant(id), _) => drop(tenants.insert(id.clone())),
        }
    }
    Registry::new(rev, processors).without_categories(categories).without_tenants(tenants)
}

/// The throws that the dates of the policy's examinations ask for at `now`: processors whose examination has run out, and
/// those that were turned off for that and have been looked at anew.
pub fn examinations<'a>(
    profile: &Profile,
    switches: impl IntoIterator<Item = &'a Switch>,
    now: WallTime,
) -> Vec<Throw> {
    let switches: Vec<_> = switches.into_iter().collect();
    let throws = profile.processors().filter_map(|processor| {
        let target = Target::Processor(processor.id);
        let switch = switches.iter().find(|switch| switch.target == target);
        let position = switch.map_or(Position::On, |switch| switch.position);
        let has_run_out = processor.examined_until().is_some_and(|end| end <= now);
        let (to, reason) = match (position, has_run_out) {
            (Position::On, true) => (Position::DueDiligenceExpired, EXPIRED),
            (Position::DueDiligenceExpired, false) => (Position::On, EXAMINED),
            _ => return None,
        };
        Some(Throw { target, to, reason, incident: None })
    });
    throws.collect()
}

/// The throw that turns a processor off to which as many people's data went as may, or on again.
pub(crate) fn limit(processor: ProcessorId, is_reached: bool) -> Throw {
    let (to, reason) = if is_reached { (Position::TransferLimitReached, FULL) } else { (Position::On, ROOM) };
    Throw { target: Target::Processor(processor), to, reason, incident: None }
}

#[cfg(test)]
mod tests;
