//! Taking requests.

use sayso_audit::{Actor, Reference, RequestStep};
use sayso_policy::IsoPeriod;
use sayso_policy::profile::RightKind;
use sayso_types::{Purpose, SubjectId, WallTime};

use super::carrier::names_purposes;
use super::desk::{OPEN_MAX, entry};
use super::entitlement::Entitlement;
use super::names::{right_name, spelled};
use super::referral::SENT;
use super::referring::step_of;
use super::request::Particulars;
use super::{Desk, Error, Request};
use crate::Error as RegisterError;

/// How long after a request the same is asked for again, which may cost something where the policy says so: policies and laws
/// give no number, and who asks once a year repeats nothing.
const REPEATED_WITHIN: &str = "P1Y";

impl Desk {
    /// Takes a request of `subject`. It is on record, with the day by which it is answered, when this returns.
    ///
    /// # Errors
    /// [`Error::NotOffered`], [`Error::TooMany`], or as the register says.
    pub async fn receive(&self, subject: SubjectId, kind: RightKind, by: Actor) -> Result<Request, Error> {
        self.receive_with(subject, kind, Particulars::default(), by).await
    }

    /// As [`receive`](Self::receive), of a request that names `purposes`: a withdrawal, or an objection to them. One that wants
    /// no more advertising and names none is about all that the policy asks consent for and calls marketing.
    ///
    /// # Errors
    /// [`Error::NamesPurposes`] for other rights; [`RegisterError::UnknownPurpose`] for a purpose that rests on no consent;
    /// or as there.
    pub async fn receive_of(
        &self,
        subject: SubjectId,
        kind: RightKind,
        purposes: &[Purpose],
        by: Actor,
    ) -> Result<Request, Error> {
        self.receive_with(subject, kind, Particulars { purposes: purposes.to_vec(), ..Particulars::default() }, by)
            .await
    }

    /// The same, of a request that says more of itself: on which ground something is to be erased, or that a relative asks, who
    /// uses a right of their own. Nothing is handed out or changed for a relative before somebody has verified who asks, on the
    /// proofs whose hashes are kept.
    ///
    /// # Errors
    /// [`Error::NamesGround`] and [`Error::NoSuchGround`], [`Error::NotForRelatives`] and [`Error::SaidOtherwise`]; or as there.
    pub async fn receive_with(
        &self,
        subject: SubjectId,
        kind: RightKind,
        particulars: Particulars,
        by: Actor,
    ) -> Result<Request, Error> {
        let Particulars { purposes, relative, ground } = particulars;
        let for_relatives = [RightKind::Access, RightKind::Copy, RightKind::Rectify, RightKind::Erase];
        if relative.is_some() && !for_relatives.contains(&kind) {
            return Err(Error::NotForRelatives);
        }
        let right = relative.map_or(kind, |_| RightKind::DeceasedRelatives);
        if !purposes.is_empty() && !names_purposes(kind) {
            return Err(Error::NamesPurposes);
        }
        let consented = self.register.consented_to(&purposes);
        if let Some(unknown) = purposes.iter().find(|purpose| !consented.contains(purpose)) {
            return Err(RegisterError::UnknownPurpose(*unknown).into());
        }
        // whoever wants no more advertising need not know what the policy calls it
        let is_opt_out = kind == RightKind::MarketingOptOut && purposes.is_empty();
        let purposes = if is_opt_out { self.register.marketing() } else { purposes };
        if kind == RightKind::Complain {
            return Err(Error::Complaint);
        }
        let turn = self.register.lock(subject).await?;
        let entitled = Entitlement::of(&self.register.revisions(), &turn.state.consent);
        if !entitled.offers(right) {
            return Err(Error::NotOffered);
        }
        if let Some(ground) = ground {
            if !(matches!(kind, RightKind::Erase | RightKind::GuardianErase) && entitled.offers(kind)) {
                return Err(Error::NamesGround);
            }
            let offered = entitled.grounds(kind);
            // a policy that lists none erases on any
            if !offered.is_empty() && !offered.contains(&ground) {
                let offered = offered.iter().map(spelled).collect::<Vec<_>>().join(", ");
                return Err(Error::NoSuchGround { ground: spelled(&ground), offered });
            }
        }
        if relative.is_some() && turn.state.bars_relatives {
            return Err(Error::SaidOtherwise);
        }
        let earlier = self.of(subject).await?;
        if earlier.iter().filter(|request| request.standing.is_open()).count() >= OPEN_MAX {
            return Err(Error::TooMany);
        }
        let id = Reference(SubjectId::random().0);
        let received = entitled.received(id, subject, right, self.register.clock.wall()).ok_or(Error::NotOffered)?;
        let may_cost = entitled.may_cost(right) && repeats(&earlier, kind, received.clocks.received);
        let request = Request { kind, purposes, relative, ground, may_cost, ..received };
        let received = RequestStep::Received;
        let mut entry = entry(&turn, None, &request, by, (received, right_name(right)));
        if request.is_with_tenant() {
            entry.events.push(step_of(&turn, id, Actor::SYSTEM, RequestStep::TaskDone, SENT));
        }
        self.append(entry, received).await?;
        Ok(request)
    }
}

/// Whether a request of this `kind` that comes in `now` asks again for what one of the `earlier` ones asked for. What a person
/// decides or has put right costs nothing, however often.
fn repeats(earlier: &[Request], kind: RightKind, now: WallTime) -> bool {
    let is_work = matches!(kind, RightKind::Access | RightKind::Copy | RightKind::Port | RightKind::Explain);
    let within = REPEATED_WITHIN.parse::<IsoPeriod>().ok();
    let is_recent = |request: &&Request| within.is_some_and(|within| now < within.after(request.clocks.received));
    is_work && earlier.iter().filter(|request| request.kind == kind).any(|request| is_recent(&request))
}
