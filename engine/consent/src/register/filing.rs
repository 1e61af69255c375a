//! Ending what is filed at the desks: complaints, what was given to authorities, and what was done without consent.
//!
//! It is not marked: there is little of it, and what is told of the next one that ends is kept in memory. A process that has
//! just started, a revision, a hold that was released and whatever is filed or closed have all of it looked at.

use core::sync::atomic::Ordering;
use std::collections::BTreeMap;

use sayso_audit::{Event, Reference};
use sayso_policy::{AgeBand, Ending, Happened};
use sayso_store::{Error as StoreError, Key, Op, TypedKey};
use sayso_types::{Name, SubjectId, WallTime};

use super::Register;
use super::holding::Holds;
use super::retaining::count;
use crate::complaints::Complaint;
use crate::disclosure::desk as disclosures;
use crate::exemption::Proposal;
use crate::journal::About;
use crate::retention::filed::{self, Filed};
use crate::retention::stored::evidence;
use crate::tables::{
    COMPLAINT, ComplaintKey, DisclosureKey, EXEMPTION_USE, ExemptionKey, ExemptionUseKey, HELD, HeldKey,
};
use crate::{Entry, Error};

/// Records that end in one batch, each with leaves about as many people as a disclosure may have.
const RECORDS_AT_ONCE: usize = 64;

/// Notes of whose data a grant was used on that are deleted in one batch.
const USES_AT_ONCE: usize = 1_024;

/// In the place of a person, where something that a hold keeps is about none. Pseudonyms are drawn by chance.
const NOBODY: SubjectId = SubjectId([0; 16]);

/// Something that is filed, and when it ends.
struct File {
    kind: Filed,
    key: Key,
    whose: Vec<SubjectId>,
    ending: Option<Ending>,
}

impl Register {
    /// Has what is filed looked at at the next look: something of it is new, or has become of it, or the rules have.
    pub(crate) fn filed_anew(&self) {
        self.filed_from.store(0, Ordering::Release);
    }

    /// Ends what is filed and over; how many records that was.
    pub(super) async fn end_filed(&self) -> Result<u64, Error> {
        let now = self.clock.wall();
        if self.filed_from.load(Ordering::Acquire) > now.0 {
            return Ok(0);
        }
        // what is filed meanwhile takes it back
        self.filed_from.store(u64::MAX, Ordering::Release);
        let ended = self.end_filed_by(now).await;
        let next = ended.as_ref().map_or(0, |(_, next)| next.0);
        self.filed_from.fetch_min(next, Ordering::AcqRel);
        Ok(ended?.0)
    }

    /// How many records were over at `now`, and when the next one is.
    async fn end_filed_by(&self, now: WallTime) -> Result<(u64, WallTime), Error> {
        // whoever files something, or takes it a step further, has this turn
        let _turn = self.rules_turn().await;
        let holds = self.holds.read().await;
        let (mut over, mut next) = (Vec::new(), WallTime(u64::MAX));
        for kind in Filed::ALL {
            for file in self.files(kind).await? {
                match &file.ending {
                    Some(ending) if ending.at <= now => over.push(file),
                    Some(ending) => next = next.min(ending.at),
                    None => {}
                }
            }
        }
        // what there is of one person ends together, and so does a grant with what was given on it
        over.sort_by(|a, b| a.whose.cmp(&b.whose));
        Ok((self.end_files(over, &holds, now).await?, next))
    }

    /// What there is of `kind`.
    async fn files(&self, kind: Filed) -> Result<Vec<File>, Error> {
        let ending = |happened: Option<Happened>| {
            self.profile().ending(kind.category(), Some(evidence()), &happened?, AgeBand::Unknown)
        };
        Ok(match kind {
            Filed::Complaints => {
                let rows = self.scan(ComplaintKey::table(), COMPLAINT, |body| Ok(body.to_vec())).await?;
                let file = |(key, body): (Key, Vec<u8>)| {
                    let ComplaintKey { tenant, complaint } = ComplaintKey::parse(&key).map_err(StoreError::from)?;
                    let complaint = Complaint::decode(&tenant, &complaint, &body)?;
                    let whose = complaint.filing.subject.into_iter().collect();
                    Ok(File { kind, key, whose, ending: ending(filed::happened_to_complaint(&complaint)) })
                };
                rows.into_iter().map(file).collect::<Result<_, Error>>()?
            }
            Filed::Disclosures => {
                let disclosures = disclosures::all(self).await?.into_iter();
                let file = disclosures.map(|one| File {
                    kind,
                    key: DisclosureKey { disclosure: one.id.0.to_vec() }.key(),
                    ending: ending(filed::happened_to_disclosure(&one)),
                    whose: one.people.into_iter().collect(),
                });
                file.collect()
            }
            Filed::Exemptions => {
                // what was given names its grant, which says to whom and why
                let mut needed: BTreeMap<Name, Option<WallTime>> = BTreeMap::new();
                for one in disclosures::all(self).await? {
                    let happened = filed::happened_to_disclosure(&one);
                    let rule = |happened| {
                        let category = Filed::Disclosures.category();
                        self.profile().ending(category, Some(evidence()), &happened, AgeBand::Unknown)
                    };
                    let until = happened.and_then(rule).map(|ending| ending.at);
                    let last = needed.entry(one.grant).or_insert(until);
                    *last = last.zip(until).map(|(one, other)| one.max(other));
                }
                let file = |proposal: Proposal| {
                    let own = ending(filed::happened_to_exemption(&proposal));
                    let ending = match needed.get(&proposal.id) {
                        None => own,
                        Some(until) => own.zip(*until).map(|(own, until)| put_off(own, until)),
                    };
                    let terms = proposal.terms;
                    let demanded = terms.demand.into_iter().flat_map(|demand| demand.people);
                    let whose = terms.subject.into_iter().chain(demanded).collect();
                    File { kind, key: ExemptionKey { id: proposal.id.to_string() }.key(), whose, ending }
                };
                self.exemptions().await?.into_iter().map(file).collect()
            }
        })
    }

    /// Ends `over`, but for what `holds` keep; how many records that was.
    async fn end_files(&self, over: Vec<File>, holds: &Holds, now: WallTime) -> Result<u64, Error> {
        let mut ended = 0;
        let mut over = over.into_iter().peekable();
        while over.peek().is_some() {
            let (mut entry, mut endings, mut whose) = (Entry::default(), Vec::new(), BTreeMap::new());
            for file in over.by_ref().take(RECORDS_AT_ONCE) {
                let Some(ending) = file.ending else { continue };
                let uses = self.uses_of(file.kind, &file.key).await?;
                let used_on = uses.iter().map(|key| key.subject);
                let people: Vec<_> = file.whose.iter().copied().chain(used_on).collect();
                let keeping = |kind: Filed| holds.keeping_any(&people, kind.category(), now);
                // nor does a grant end whose disclosures are kept
                let as_given = (file.kind == Filed::Exemptions).then_some(Filed::Disclosures);
                if let Some(hold) = keeping(file.kind).or_else(|| keeping(as_given?)) {
                    self.tell_filed_kept(hold.id, file.kind, &file.whose, &mut entry).await?;
                    continue;
                }
                let last = self.all_but_a_batch(&uses).await?;
                entry.ops.extend(last.iter().map(|key| Op::Delete(key.key())));
                entry.ops.push(Op::Delete(file.key));
                let all = 1 + uses.len() as u64;
                for (subject, about) in self.known(&file.whose).await? {
                    let (_, at, rows) = whose.entry((file.kind, subject)).or_insert((about, ending.at, 0));
                    (*at, *rows) = (ending.at.min(*at), *rows + all);
                }
                endings.push((file.kind, all, ending));
            }
            for ((kind, subject), (about, at, rows)) in whose {
                let (ending, category) = (Reference(SubjectId::random().0), kind.category());
                let how = Name::constant("erased");
                entry.ops.push(Op::Delete(kind.kept(subject)));
                entry.events.push(about.event(Event::RetentionDue { ending, category, at }));
                entry.events.push(about.event(Event::RetentionExecuted { ending, category, how, rows }));
            }
            if !entry.ops.is_empty() {
                self.journal.append(entry).await?;
            }
            for (kind, rows, ending) in endings {
                count(kind.category(), rows, &ending, now);
                ended += rows;
            }
        }
        Ok(ended)
    }

    /// Whose data the grant under `key` was used on.
    async fn uses_of(&self, kind: Filed, key: &Key) -> Result<Vec<ExemptionUseKey>, Error> {
        if kind != Filed::Exemptions {
            return Ok(Vec::new());
        }
        let ExemptionKey { id } = ExemptionKey::parse(key).map_err(StoreError::from)?;
        let rows = self.scan(ExemptionUseKey::table().then(&id), EXEMPTION_USE, |_| Ok(())).await?;
        Ok(rows
            .iter()
            .map(|(key, ())| ExemptionUseKey::parse(key))
            .collect::<Result<_, _>>()
            .map_err(StoreError::from)?)
    }

    /// Deletes the first of `uses`, and gives those that are left for the batch that ends their grant.
    async fn all_but_a_batch<'a>(&self, uses: &'a [ExemptionUseKey]) -> Result<&'a [ExemptionUseKey], Error> {
        let (before, last) = uses.split_at(uses.len().saturating_sub(USES_AT_ONCE));
        for some in before.chunks(USES_AT_ONCE) {
            let ops = some.iter().map(|key| Op::Delete(key.key())).collect();
            self.journal.append(Entry { ops, ..Entry::default() }).await?;
        }
        Ok(last)
    }

    /// Has `entry` say that `hold` keeps something of `kind` of each of `whose`, unless that is on record.
    async fn tell_filed_kept(
        &self,
        hold: Reference,
        kind: Filed,
        whose: &[SubjectId],
        entry: &mut Entry,
    ) -> Result<(), Error> {
        for (subject, about) in self.known(whose).await? {
            let row = kind.kept(subject);
            let told = Op::Put(row.clone(), HELD.encode(&hold.0));
            let is_told = |found: &sayso_store::Versioned| HELD.decode(&found.value).is_ok_and(|(_, by)| by == hold.0);
            let found = self.store.read(core::slice::from_ref(&row)).await?.pop().flatten();
            if entry.ops.contains(&told) || found.as_ref().is_some_and(is_told) {
                continue;
            }
            let event = Event::RetentionHeld { hold, category: kind.category(), from: Name::constant("due") };
            entry.events.push(about.event(event));
            entry.ops.push(told);
        }
        Ok(())
    }

    /// Those of `whose` whom the register knows, and what a leaf says of them; [`NOBODY`] where there is none.
    async fn known(&self, whose: &[SubjectId]) -> Result<Vec<(SubjectId, About)>, Error> {
        let mut known = Vec::new();
        for subject in whose.iter().copied() {
            match self.read(subject).await {
                Ok(state) => known.push((subject, state.about(subject))),
                // they were forgotten, and no leaf can be about them any more
                Err(Error::UnknownSubject) => {}
                Err(error) => return Err(error),
            }
        }
        if known.is_empty() {
            known.push((NOBODY, About::default()));
        }
        Ok(known)
    }
}

impl Filed {
    /// Where it is noted that a hold keeps what is due of it of `subject`.
    pub(super) fn kept(self, subject: SubjectId) -> Key {
        HeldKey { subject, table: self.table().to_owned() }.key()
    }
}

/// `ending`, but not before `until`.
fn put_off(ending: Ending, until: WallTime) -> Ending {
    let late = until.0.saturating_sub(ending.at.0);
    Ending {
        at: WallTime(ending.at.0.saturating_add(late)),
        latest: WallTime(ending.latest.0.saturating_add(late)),
        ..ending
    }
}
