//! Exemptions: proposed, approved, in force for a time, and on record with every use.

use std::sync::Arc;

use sayso_audit::{Actor, ActorKind, ActorTag, DeskEvent, Event, Hash};
use sayso_policy::{EXEMPTIONS_MAX, ExemptionGrant};
use sayso_store::{Condition, Error as StoreError, Op, Store, TypedKey, Versioned, limits::SCAN_LIMIT_MAX};
use sayso_types::{Category, Name, SubjectId};
use sha2::{Digest, Sha256};

use super::holders::{POLICY, Segment};
use super::{Register, Subject};
use crate::exemption::{Demand, Error, Proposal, Standing, Terms};
use crate::journal::{About, Noted};
use crate::tables::{EXEMPTION, EXEMPTION_USE, ExemptionKey, ExemptionUseKey};
use crate::{Entry, Error as RegisterError};

/// What `store` has of exemptions that are live, or were when it was written.
pub(super) async fn stored(store: &dyn Store) -> Result<Arc<[ExemptionGrant]>, RegisterError> {
    let (mut live, mut range) = (Vec::new(), ExemptionKey::table().into());
    loop {
        let page = store.scan(range, SCAN_LIMIT_MAX).await?;
        for entry in page.entries {
            let ExemptionKey { id } = ExemptionKey::parse(&entry.key).map_err(StoreError::from)?;
            let (_, body) = EXEMPTION.decode(&entry.value).map_err(StoreError::from)?;
            live.extend(Proposal::decode(&id, body)?.live());
        }
        let Some(rest) = page.rest else { return Ok(live.into()) };
        range = rest;
    }
}

impl Register {
    /// Takes a proposal to do something without consent. It opens nothing before others have approved it.
    ///
    /// # Errors
    /// [`Error::NotNow`] when the policy would not let it open anything, [`Error::TooMany`]; or as the register says.
    pub async fn propose_exemption(&self, terms: Terms, by: ActorTag) -> Result<Proposal, Error> {
        let _turn = self.rules_turn().await;
        if self.exemptions().await?.iter().filter(|one| one.standing.is_open()).count() >= EXEMPTIONS_MAX {
            return Err(Error::TooMany);
        }
        let mut proposal = Proposal::new(terms, by, &self.profile(), self.clock.wall())?;
        if let Some(subject) = proposal.terms.subject {
            proposal = proposal.of_minor(self.is_minor(subject).await?);
        }
        self.put_down(&proposal, None, Vec::new()).await?;
        Ok(proposal)
    }

    /// Has `by` approve the proposal `id`. When that is enough, it is in force, and on record, when this returns.
    ///
    /// # Errors
    /// [`Error::Unknown`], [`Error::NotNow`]; or as the register says. Nothing has changed then.
    pub async fn approve_exemption(self: &Arc<Self>, id: Name, by: ActorTag) -> Result<Proposal, Error> {
        let register = Arc::clone(self);
        self.to_the_end("approve exemption", async move {
            let _turn = register.rules_turn().await;
            let (mut proposal, stored) = register.proposal(id).await?;
            if let Some(subject) = proposal.terms.subject {
                proposal = proposal.of_minor(register.is_minor(subject).await?);
            }
            let next = proposal.approved(by, &register.profile(), register.clock.wall())?;
            let granted = register.granted(&next, by).await?;
            register.put_down(&next, Some(&stored), granted).await?;
            if let Some(grant) = next.live() {
                let live = register.revisions().exemptions().iter().cloned().chain([grant]).collect();
                register.exempt(live);
            }
            Ok(next)
        })
        .await?
    }

    /// Takes the proposal or grant `id` back, and with a grant every permit that rests on it. Holders that do not let go in
    /// time are not waited for: their gates are closed in any case.
    ///
    /// # Errors
    /// [`Error::Unknown`], [`Error::NotNow`] when it has ended; or as the register says.
    pub async fn revoke_exemption(self: &Arc<Self>, id: Name, by: ActorTag) -> Result<Proposal, Error> {
        let register = Arc::clone(self);
        self.to_the_end("revoke exemption", async move {
            let _turn = register.rules_turn().await;
            let (proposal, stored) = register.proposal(id).await?;
            let next = proposal.revoked()?;
            register.end(&proposal, &next, &stored, operator(by)).await?;
            Ok(next)
        })
        .await?
    }

    /// Every proposal, whatever became of it, oldest first.
    ///
    /// # Errors
    /// As the store says.
    pub async fn exemptions(&self) -> Result<Vec<Proposal>, RegisterError> {
        let rows = self.scan(ExemptionKey::table(), EXEMPTION, |body| Ok(body.to_vec())).await?;
        let proposals = rows.into_iter().map(|(key, body)| {
            let ExemptionKey { id } = ExemptionKey::parse(&key).map_err(StoreError::from)?;
            Proposal::decode(&id, &body)
        });
        let mut proposals: Vec<_> = proposals.collect::<Result<_, _>>()?;
        proposals.sort_by_key(|proposal| (proposal.proposed.at, proposal.id));
        Ok(proposals)
    }

    /// How many people's data was handed over on the grant `id`.
    ///
    /// # Errors
    /// As the store says.
    pub async fn people_exempted(&self, id: Name) -> Result<usize, RegisterError> {
        let of = ExemptionUseKey::table().then(&id.to_string());
        Ok(self.scan(of, EXEMPTION_USE, |_| Ok(())).await?.len())
    }

    /// Ends the grants whose time is over. Their permits ended by themselves.
    pub(super) async fn end_exemptions(&self) -> Result<(), RegisterError> {
        let now = self.clock.wall();
        if self.revisions().exemptions().iter().all(|grant| now < grant.not_after) {
            return Ok(());
        }
        let _turn = self.rules_turn().await;
        let over: Vec<_> = self.revisions().exemptions().iter().filter(|g| g.not_after <= now).map(|g| g.id).collect();
        for id in over {
            let Some((proposal, stored)) = self.find_proposal(id).await? else { continue };
            if let Some(next) = proposal.expired(now) {
                self.end(&proposal, &next, &stored, Actor::SYSTEM).await?;
            }
        }
        Ok(())
    }

    /// Puts on record that `before` has ended as `next` says, and takes back what rests on it.
    async fn end(
        &self,
        before: &Proposal,
        next: &Proposal,
        stored: &Versioned,
        by: Actor,
    ) -> Result<(), RegisterError> {
        let grant = next.id;
        let Some(live) = before.live() else { return self.put_down(next, Some(stored), Vec::new()).await };
        let event = match next.standing {
            Standing::Expired => Event::ExemptionExpired { grant },
            _ => Event::ExemptionRevoked { grant },
        };
        let about = self.about_whom(&live).await?;
        // first: what is decided while it is written must not rest on what the log says to have ended
        let until_now: Arc<[ExemptionGrant]> = self.revisions().exemptions().into();
        self.exempt(until_now.iter().filter(|other| other.id != grant).cloned().collect());
        if let Err(error) = self.put_down(next, Some(stored), vec![about.by(by, event)]).await {
            self.exempt(until_now);
            return Err(error);
        }
        for subject in self.holders.subjects() {
            self.enforce(subject, POLICY).await?;
        }
        Ok(())
    }

    /// Has `live` be what may be done without consent.
    fn exempt(&self, live: Arc<[ExemptionGrant]>) {
        metrics::gauge!("sayso_consent_exemptions").set(live.len() as f64);
        self.revisions.store(Arc::new(self.revisions().with_exemptions(live)));
    }

    /// What is put on record when `by` is the last who had to approve `proposal`: a leaf for each cell that it opens.
    async fn granted(&self, proposal: &Proposal, by: ActorTag) -> Result<Vec<Noted>, RegisterError> {
        let Some(grant) = proposal.live() else { return Ok(Vec::new()) };
        if let Some(demand) = &proposal.terms.demand {
            return self.disclosure_granted(&grant, demand, by).await;
        }
        let about = self.about_whom(&grant).await?;
        if let Some(reading) = &proposal.terms.reading {
            let (until, evidence) = (grant.not_after, Hash(grant.evidence_hash));
            let (ticket, reader) = (Hash(reading.ticket_sha256()), ActorTag(proposal.proposed.by));
            let leaf = |category: &Category| {
                let approvers = grant.approvers.iter().map(|tag| ActorTag(*tag)).collect();
                let (grant, category) = (grant.id, *category);
                let event = DeskEvent::ReadingGranted { grant, category, until, evidence, ticket, reader, approvers };
                about.by(operator(by), Event::Desk(event))
            };
            return Ok(grant.categories.iter().map(leaf).collect());
        }
        let leaf = |(cell, processor)| {
            let (until, evidence) = (grant.not_after, Hash(grant.evidence_hash));
            let approvers = proposal.approved.iter().map(|said| ActorTag(said.by)).collect();
            let event = Event::ExemptionGranted { grant: grant.id, cell, processor, until, evidence, approvers };
            about.by(operator(by), event)
        };
        Ok(proposal.cells(&self.profile()).into_iter().map(leaf).collect())
    }

    /// The same of a demand: a leaf for each category of each person.
    async fn disclosure_granted(
        &self,
        grant: &ExemptionGrant,
        demand: &Demand,
        by: ActorTag,
    ) -> Result<Vec<Noted>, RegisterError> {
        let (until, evidence) = (grant.not_after, Hash(grant.evidence_hash));
        let recipient = Hash(Sha256::digest(demand.recipient).into());
        let approvers: Vec<_> = grant.approvers.iter().map(|tag| ActorTag(*tag)).collect();
        let mut leaves = Vec::new();
        for subject in demand.people.iter().copied() {
            let about = self.read(subject).await?.about(subject);
            leaves.extend(grant.categories.iter().map(|category| {
                let (grant, category, approvers) = (grant.id, *category, approvers.clone());
                let event = DeskEvent::DisclosureGranted { grant, category, until, evidence, recipient, approvers };
                about.by(operator(by), Event::Desk(event))
            }));
        }
        Ok(leaves)
    }

    async fn about_whom(&self, grant: &ExemptionGrant) -> Result<About, RegisterError> {
        match grant.subject {
            Some(subject) => Ok(self.read(subject).await?.about(subject)),
            None => Ok(About::default()),
        }
    }

    /// Has `entry`, which opens `segment`, say that it rests on `grant`; and that something of this person is used on it, if
    /// that is so for the first time. Within the subject's turn.
    pub(super) async fn use_exemption(
        &self,
        subject: &Subject,
        grant: Name,
        segment: &Segment,
        entry: &mut Entry,
    ) -> Result<(), RegisterError> {
        self.first_use(subject.id(), grant, segment.about, entry).await?;
        let Segment { reference, gate, cell, processor, .. } = *segment;
        let permitted = Event::PermittedByExemption { segment: reference, gate: gate.name(), cell, processor, grant };
        entry.events.push(segment.about.event(permitted));
        metrics::counter!("sayso_consent_permitted_by_exemption_total").increment(1);
        Ok(())
    }

    /// Has `entry` say that something of this person is used on `grant`, if that is so for the first time.
    pub(crate) async fn first_use(
        &self,
        subject: SubjectId,
        grant: Name,
        about: About,
        entry: &mut Entry,
    ) -> Result<(), RegisterError> {
        let row = ExemptionUseKey { id: grant.to_string(), subject }.key();
        if self.store.read(core::slice::from_ref(&row)).await?.pop().flatten().is_none() {
            entry.events.push(about.event(Event::ExemptionUsed { grant }));
            entry.ops.push(Op::Put(row, EXEMPTION_USE.encode(&self.clock.wall().0.to_be_bytes())));
        }
        Ok(())
    }

    async fn proposal(&self, id: Name) -> Result<(Proposal, Versioned), Error> {
        self.find_proposal(id).await?.ok_or(Error::Unknown)
    }

    pub(crate) async fn find_proposal(&self, id: Name) -> Result<Option<(Proposal, Versioned)>, RegisterError> {
        let row = ExemptionKey { id: id.to_string() }.key();
        let Some(stored) = self.store.read(&[row]).await?.pop().flatten() else { return Ok(None) };
        let (_, body) = EXEMPTION.decode(&stored.value).map_err(StoreError::from)?;
        Ok(Some((Proposal::decode(id.as_str(), body)?, stored)))
    }

    /// Stores `proposal` in place of what was `stored`, with `events`.
    async fn put_down(
        &self,
        proposal: &Proposal,
        stored: Option<&Versioned>,
        events: Vec<Noted>,
    ) -> Result<(), RegisterError> {
        let row = ExemptionKey { id: proposal.id.to_string() }.key();
        let unchanged = stored.map_or(Condition::Absent, |stored| Condition::Version(stored.version));
        let ops = vec![Op::Put(row.clone(), EXEMPTION.encode(&proposal.encode()))];
        self.journal.append(Entry { require: vec![(row, unchanged)], ops, events }).await?;
        self.filed_anew();
        Ok(())
    }
}

const fn operator(tag: ActorTag) -> Actor {
    Actor { kind: ActorKind::Operator, tag: Some(tag) }
}
