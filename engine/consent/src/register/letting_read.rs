//! Letting people's content be read: by whoever kept it, and by the operator's people on a grant of theirs alone.

use std::collections::BTreeMap;

use sayso_audit::{Actor, ActorKind, DeskEvent, Event, Hash, Reference};
use sayso_policy::{ExemptionGrant, Gate};
use sayso_types::{Category, Name, SubjectId, WallTime};

use super::Register;
use crate::exemption::reading::NotRead;
use crate::journal::About;
use crate::keep::Kept;
use crate::keep::item::Label;
use crate::{Entry, Error};

impl Register {
    /// The item `id` that is kept of `subject`, with its content, for `by` to read. On record when this returns.
    ///
    /// # Errors
    /// [`NotRead`]; nothing is given then.
    pub async fn read_kept(&self, subject: SubjectId, id: Reference, by: Actor) -> Result<Option<Kept>, NotRead> {
        let Some(kept) = self.kept(subject, id).await? else { return Ok(None) };
        let (what, rows) = (Name::constant("kept.get"), BTreeMap::from([(kept.category, 1)]));
        match by.kind {
            ActorKind::Operator => self.let_read(subject, what, &rows, by).await?,
            _ => self.journal.operator(by, what, 1).await?,
        }
        Ok(Some(kept))
    }

    /// What is kept of `subject`, of `category` or of any, oldest first, as it is shown to whoever may not read it: which
    /// items there are, and nothing that is sealed.
    ///
    /// # Errors
    /// As the store says.
    pub async fn list_heads(&self, subject: SubjectId, category: Option<Category>) -> Result<Vec<Kept>, Error> {
        let heads = self.live_heads(subject).await?.into_iter();
        let wanted = heads.filter(|head| category.is_none_or(|category| category == head.category));
        Ok(wanted.map(|head| head.shown(Label::default())).collect())
    }

    /// Puts on record that `by`, if they are one of the operator's people, reads `rows` of each category of `subject` with the
    /// call `what`. Of content, a grant of theirs has to be in force for each; whatever is read must not be handed out before.
    ///
    /// # Errors
    /// [`NotRead`]; the refusal is on record.
    pub(crate) async fn let_read(
        &self,
        subject: SubjectId,
        what: Name,
        rows: &BTreeMap<Category, u64>,
        by: Actor,
    ) -> Result<(), NotRead> {
        if by.kind != ActorKind::Operator || rows.is_empty() {
            return Ok(());
        }
        // no grant ends, and no policy changes, between the look at it and the record
        let _turn = self.rules_turn().await;
        let about = self.read(subject).await?.about(subject);
        match self.reading(subject, what, rows, (by, about)).await {
            Ok(entry) => {
                self.journal.append(entry).await?;
                metrics::counter!("sayso_content_reads_total").increment(1);
                Ok(())
            }
            Err(refused) => {
                if let Some(reason) = refused.reason() {
                    let (ticket, gate) = (Reference(SubjectId::random().0), Gate::Access.name());
                    let denied = Event::Desk(DeskEvent::OperatorDenied { ticket, gate, reason });
                    self.journal.append(Entry { events: vec![about.by(by, denied)], ..Entry::default() }).await?;
                    metrics::counter!("sayso_content_reads_denied_total", "reason" => reason.to_string()).increment(1);
                }
                Err(refused)
            }
        }
    }

    /// What puts such a reading on record.
    async fn reading(
        &self,
        subject: SubjectId,
        what: Name,
        rows: &BTreeMap<Category, u64>,
        (by, about): (Actor, About),
    ) -> Result<Entry, NotRead> {
        let (access, profile, now) = (Reference(SubjectId::random().0), self.profile(), self.clock.wall());
        let (mut entry, mut used) = (Entry::default(), Vec::new());
        for (category, rows) in rows.iter().map(|(category, rows)| (*category, *rows)) {
            let mut ticket = None;
            if profile.is_content(category) {
                let (grant, why) = self.grant_to_read(subject, category, by, now).await?;
                if !used.contains(&grant) {
                    used.push(grant);
                    self.first_use(subject, grant, about, &mut entry).await?;
                }
                let gate = Gate::Access.name();
                let permitted = DeskEvent::DisclosurePermitted { disclosure: access, gate, category, grant };
                entry.events.push(about.by(by, Event::Desk(permitted)));
                ticket = Some(why);
            }
            let read = DeskEvent::ContentRead { access, what, category, rows, ticket };
            entry.events.push(about.by(by, Event::Desk(read)));
        }
        Ok(entry)
    }

    /// The grant by which `by` may read what is of `category` of `subject` at `now`, and the SHA-256 of its ticket.
    async fn grant_to_read(
        &self,
        subject: SubjectId,
        category: Category,
        by: Actor,
        now: WallTime,
    ) -> Result<(Name, Hash), NotRead> {
        let revisions = self.revisions();
        let is_for_it = |grant: &&ExemptionGrant| {
            grant.subject == Some(subject) && grant.categories.contains(&category) && grant.processors.is_empty()
        };
        let mut why_not = NotRead::NoGrant(category);
        for live in revisions.exemptions().iter().filter(is_for_it) {
            let Some((proposal, _)) = self.find_proposal(live.id).await? else { continue };
            let is_theirs = by.tag.is_some_and(|tag| tag.0 == proposal.proposed.by);
            // a child who is found to be one while the grant lives needs the second approval from then on
            let proposal = proposal.of_minor(self.is_minor(subject).await?);
            let grant = proposal.live().filter(|grant| grant.not_before <= now && now < grant.not_after);
            let (Some(grant), Some(reading), true) = (grant, &proposal.terms.reading, is_theirs) else { continue };
            match proposal.check(&grant, &self.profile()) {
                Ok(()) => return Ok((grant.id, Hash(reading.ticket_sha256()))),
                Err(error) => why_not = NotRead::Grant(error),
            }
        }
        Err(why_not)
    }

    /// Whether `subject` is, or has to be taken for, a minor whom the policy protects.
    pub(super) async fn is_minor(&self, subject: SubjectId) -> Result<bool, Error> {
        let (age, profile) = (self.read(subject).await?.consent.age, self.profile());
        Ok(profile.youngest(age) < profile.protected_below())
    }
}
