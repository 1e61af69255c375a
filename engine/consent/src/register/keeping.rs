//! Keeping items of people: decided, sealed in parts, and written with their leaf. See [`keep`](crate::keep).

use std::sync::Arc;

use sayso_audit::{Event, Hash, LineageEvent, Reference};
use sayso_policy::profile::{DataSubject, Processor, ProcessorState};
use sayso_policy::{Gate, Grounds, Profile, Question, Reason};
use sayso_store::{Batch, Condition, Op, TypedKey};
use sayso_types::{
    Category, Cell, ConsentVersion, Label as Labels, Name, Part, ProcessorId, ProcessorKind, Purpose, RegionClass,
    SubjectId, TurnId, WallTime,
};
use sayso_vault::Binding;
use zeroize::Zeroizing;

use super::permits::Refused;
use super::retaining::put_mark;
use super::{Register, Subject};
use crate::journal::Noted;
use crate::keep::head::{Head, Origin};
use crate::keep::item::{
    ITEM_BYTES_MAX, ITEMS_MAX, Label, PERSON_BYTES_MAX, SOURCES_MAX, WORDS_MAX, gate_of, names_a_party,
};
use crate::keep::{NewItem, NotKept, Source, attributes};
use crate::lease::Ask;
use crate::retention::Stored;
use crate::tables::{FACTS_CATEGORY, KEPT_OF, KEPT_PART, KeptOfKey, KeptPartKey, RegisterKey};
use crate::{Entry, Error};

/// Bytes of content in a part: below what a store takes as a value, with what sealing adds.
pub(super) const PART_BYTES: usize = 64 << 10;

/// Parts that are written at once.
const PARTS_AT_ONCE: usize = 16;

/// The version of the schema of parts.
pub(super) const PART_SCHEMA: u16 = 1;

/// By what right an item is kept, and where.
struct Place {
    gate: Gate,
    processor: ProcessorId,
    grounds: Grounds,
    /// The revisions of the policy and of the registry by which that was decided.
    revs: (u32, u32),
}

impl Place {
    /// Why it is not kept there, and where: too far away.
    const fn too_far(&self) -> (Refused, ProcessorId) {
        (Refused { reason: Reason::Region, revs: self.revs }, self.processor)
    }
}

/// Those whose consent counts: whom it is kept of, and who is seen or heard in it where that is somebody else.
pub(super) struct Concerned {
    subject: Subject,
    other: Option<Subject>,
}

impl Concerned {
    pub(super) fn each(&self) -> impl Iterator<Item = &Subject> {
        [Some(&self.subject), self.other.as_ref()].into_iter().flatten()
    }
}

/// Where something is stored that has no place by the profile.
const NOWHERE: ProcessorId = ProcessorId(Name::constant("store-local"));

/// Whether every place for something of `category` that is kept for `purpose` is in one of `parts`: every one that is in use and
/// not overseas, where nothing is kept.
pub(super) fn is_in_everywhere(
    profile: &Profile,
    (category, purpose): (Category, Purpose),
    parts: impl IntoIterator<Item = Part>,
) -> bool {
    let parts: Vec<_> = parts.into_iter().collect();
    let in_use = |one: &&Processor| one.state == ProcessorState::Active && one.region_class != RegionClass::Overseas;
    let places = places_of(profile, category, purpose).into_iter().filter(in_use);
    let mut places: Vec<_> = places.map(|place| (place.region_class, place.id)).collect();
    if places.is_empty() {
        places.push((RegionClass::Local, NOWHERE));
    }
    places.into_iter().all(|(region, place)| {
        let cell = Cell { purpose, category, kind: ProcessorKind::Database, region };
        parts.iter().any(|part| part.covers(&cell, place))
    })
}

/// Where something of `category` may be kept for `purpose`, the nearest first.
fn places_of(profile: &Profile, category: Category, purpose: Purpose) -> Vec<&Processor> {
    let databases = profile.processors().filter(|one| one.kind == ProcessorKind::Database);
    let mut places: Vec<_> =
        databases.filter(|one| one.accepts.contains(&category) && one.purposes.contains(&purpose)).collect();
    places.sort_by_key(|one| one.region_class);
    places
}

impl Register {
    /// Keeps `item` of `subject`, collected under the version `cv` of their consents at the oldest ([`ConsentVersion`]'s
    /// greatest value for data that is given now). Its id, by which it is read and deleted; it is durable, and on record, when
    /// this returns. What was begun is finished, also when the caller does not wait for it.
    ///
    /// # Errors
    /// [`NotKept`] says why not; nothing of it is there then.
    pub async fn keep(
        self: &Arc<Self>,
        subject: SubjectId,
        cv: ConsentVersion,
        item: NewItem,
    ) -> Result<Reference, NotKept> {
        let (register, category) = (Arc::clone(self), item.category);
        let kept = async move { register.keep_now(subject, cv, item).await };
        let kept = self.to_the_end("keep an item", kept).await.map_err(NotKept::from).and_then(|kept| kept);
        match &kept {
            Ok(_) => {
                metrics::counter!("sayso_kept_items_total", "category" => category.to_string()).increment(1);
            }
            Err(why) => metrics::counter!("sayso_kept_refused_total", "reason" => why.code()).increment(1),
        }
        kept
    }

    async fn keep_now(&self, id: SubjectId, cv: ConsentVersion, mut item: NewItem) -> Result<Reference, NotKept> {
        if self.has_ended() {
            return Err(Error::Ended.into());
        }
        let now = self.clock.wall();
        self.look_through(&mut item, now)?;
        let concerned = self.concerned(id, item.of).await?;
        let heads = self.heads(id).await?;
        let sources = sources(&item, id, &heads)?;
        if let Err(refused) = self.places(&concerned, cv, &item) {
            let (reason, ask) = *refused;
            drop(concerned);
            self.introduce_denied(&ask, reason).await;
            return Err(NotKept::Policy(reason));
        }
        for who in concerned.each() {
            if self.holds_back(who.id(), item.category).await? {
                return Err(NotKept::Held);
            }
        }
        // last: whoever makes room for it does not do so in vain
        self.has_room(&concerned, &heads, &item).await?;
        for who in concerned.each() {
            // nothing is sealed under a key that is about to be destroyed
            self.destroy_due(who).await?;
        }
        let Concerned { subject, other } = &concerned;
        let parts = u32::try_from(item.content.len().div_ceil(PART_BYTES)).unwrap_or(u32::MAX);
        let head = Head {
            subject: id,
            id: Reference(SubjectId::random().0),
            category: item.category,
            purpose: item.purpose,
            cv: cv.min(subject.state.consent.cv),
            collected_at: item.collected_at.unwrap_or(now),
            bytes: item.content.len() as u64,
            parts,
            source: Origin::of(&item.source),
            of: item.of.filter(|of| *of != id),
            derived_from: item.derived_from.iter().map(ToString::to_string).collect(),
            dropped_at: None,
            unbound_at: None,
            is_begun: false,
        };
        let ending = self.ending_of_kept(&head, &subject.state.consent);
        if ending.as_ref().is_some_and(|ending| ending.at <= now) {
            return Err(NotKept::Over(item.category));
        }
        let mut entry = Entry::default();
        entry.ops.extend(ending.map(|ending| put_mark(Stored::Kept.mark(id, ending.at))));
        if let Some(other) = other {
            let shown = KeptOfKey::of(other.id(), id, head.id).key();
            entry.ops.push(Op::Put(shown, KEPT_OF.encode(&[])));
        }
        self.write_parts(&head, &item, &mut entry).await?;
        // The rules may have changed while it was sealed. Nothing is awaited between this and its place in the log.
        let placed = self.places(&concerned, cv, &item).map_err(|refused| NotKept::Policy(refused.0))?;
        for (who, place) in concerned.each().zip(&placed) {
            let register = RegisterKey { subject: who.id() }.key();
            entry.require.push((register, Condition::Version(who.state.version)));
            entry.events.push(written(who, (head.id, head.bytes), place));
        }
        for source in sources {
            let derived = LineageEvent::Derived { item: head.id, from: Hash::of(&source.0) };
            entry.events.push(subject.state.about(id).event(Event::Lineage(derived)));
        }
        self.append_of(concerned.each(), entry).await?;
        Ok(head.id)
    }

    /// Looks at what needs nobody's state, and leaves in `item` what may be kept.
    fn look_through(&self, item: &mut NewItem, now: WallTime) -> Result<(), NotKept> {
        let category = item.category;
        if category == FACTS_CATEGORY {
            return Err(NotKept::Remembered);
        }
        if item.content.len() > ITEM_BYTES_MAX {
            return Err(NotKept::TooLarge);
        }
        if item.collected_at.is_some_and(|at| at > now) {
            return Err(NotKept::Future);
        }
        words("media_type", &item.media_type)?;
        item.ticket.as_deref().map_or(Ok(()), |ticket| words("ticket", ticket))?;
        let profile = self.profile();
        let Some(rule) = profile.category(category) else { return Err(NotKept::Policy(Reason::UnknownCell)) };
        match &item.source {
            Source::Party { party, reference, .. } => {
                words("reference", reference)?;
                self.knows(*party, now)?;
            }
            Source::Person | Source::Device if names_a_party(rule.provenance) => {
                return Err(NotKept::NoParty(category));
            }
            Source::Person | Source::Device => {}
        }
        if matches!(rule.subject, DataSubject::Speaker | DataSubject::Pictured) && item.of.is_none() {
            return Err(NotKept::WhoseIsIt(category));
        }
        attributes::leave(item, rule, &self.takes_out(category))
    }

    /// Whether the policy has `party` as somebody whom data is exchanged with at `now`.
    fn knows(&self, party: ProcessorId, now: WallTime) -> Result<(), NotKept> {
        let (profile, revisions) = (self.profile(), self.revisions());
        let is_closed = revisions.registry().narrowed(party).is_some_and(sayso_policy::Narrowed::is_closed);
        let known = profile.processor(party).filter(|known| known.state == ProcessorState::Active);
        if known.is_some_and(|known| known.is_active(now)) && !is_closed {
            Ok(())
        } else {
            Err(NotKept::UnknownParty(party))
        }
    }

    /// The turns of whoever is concerned, taken in one order whoever asks: nobody waits for somebody who waits for them.
    pub(super) async fn turns(&self, id: SubjectId, of: Option<SubjectId>) -> Result<Concerned, Error> {
        let Some(of) = of.filter(|of| *of != id) else {
            return Ok(Concerned { subject: self.lock(id).await?, other: None });
        };
        let (first, second) = (self.lock(of.min(id)).await?, self.lock(of.max(id)).await?);
        let (subject, other) = if of < id { (second, first) } else { (first, second) };
        Ok(Concerned { subject, other: Some(other) })
    }

    /// The turns of whoever is concerned by something new, who are of one tenant and have not left.
    async fn concerned(&self, id: SubjectId, of: Option<SubjectId>) -> Result<Concerned, NotKept> {
        if let Some(of) = of.filter(|of| *of != id) {
            let (theirs, tenant) = (self.tenant_of(of).await?, self.tenant_of(id).await?);
            if theirs.is_none() || theirs != tenant {
                return Err(NotKept::OtherTenant);
            }
        }
        let concerned = self.turns(id, of).await?;
        if concerned.each().any(|who| who.state.consent.is_closed) {
            return Err(Error::Closed.into());
        }
        Ok(concerned)
    }

    /// Whether there is room for `item`. None is made for it by deleting what a legal hold keeps there all the same.
    async fn has_room(&self, concerned: &Concerned, heads: &[Head], item: &NewItem) -> Result<(), NotKept> {
        let (id, now, holds) = (concerned.subject.id(), self.clock.wall(), self.holds.read().await);
        let is_held = holds.keeping(id, Some(item.category), now).is_some();
        let full = |what: &'static str, why: NotKept| {
            metrics::counter!("sayso_kept_over_limit_total", "what" => what).increment(1);
            Err(if is_held { NotKept::Held } else { why })
        };
        let shown = self.shows(id).await?.len();
        let of_other = match &concerned.other {
            Some(other) => self.shows(other.id()).await?.len() + self.heads(other.id()).await?.len(),
            None => 0,
        };
        if heads.len() + shown >= ITEMS_MAX || of_other >= ITEMS_MAX {
            return full("items", NotKept::TooMany);
        }
        if heads.iter().map(|head| head.bytes).sum::<u64>() + item.content.len() as u64 > PERSON_BYTES_MAX {
            return full("bytes", NotKept::TooMuch);
        }
        Ok(())
    }

    /// By what right `item` is kept as far as each of those `concerned` is, and where, by the rules as they are now.
    fn places(
        &self,
        concerned: &Concerned,
        cv: ConsentVersion,
        item: &NewItem,
    ) -> Result<Vec<Place>, Box<(Reason, Ask)>> {
        let now = self.clock.wall();
        concerned.each().map(|who| self.place(who, cv, item, now)).collect()
    }

    /// By what right `item` is kept as far as `who` is concerned, and where: the nearest place that may have it, never one
    /// overseas. A denial is on record.
    fn place(
        &self,
        who: &Subject,
        cv: ConsentVersion,
        item: &NewItem,
        now: WallTime,
    ) -> Result<Place, Box<(Reason, Ask)>> {
        let gate = gate_of(item.category, &item.source);
        let what = (item.category, item.purpose, cv);
        // who lies overseas is counted where a segment is opened, and nowhere else
        let is_near = |place: &Place| self.profile().transfer(place.processor, item.category).is_none();
        let placed = self.placed(who, what, gate, now);
        let placed = placed.and_then(|place| if is_near(&place) { Ok(place) } else { Err(place.too_far()) });
        placed.map_err(|(refused, processor)| {
            let ask = Ask {
                subject: who.id(),
                turn: TurnId(0),
                purpose: item.purpose,
                category: item.category,
                cv,
                gate,
                processor,
            };
            self.deny(who, &ask, refused);
            Box::new((refused.reason, ask))
        })
    }

    fn placed(
        &self,
        who: &Subject,
        (category, purpose, cv): (Category, Purpose, ConsentVersion),
        gate: Gate,
        now: WallTime,
    ) -> Result<Place, (Refused, ProcessorId)> {
        let (profile, revisions, state) = (self.profile(), self.revisions(), &who.state.consent);
        let label = Labels { subject: who.id(), category, purpose, turn: TurnId(0), cv: cv.min(state.cv) };
        // what a device reports is collected at one gate and stored behind another
        let gates = [Some(gate), (!gate.stores()).then_some(Gate::Memory)];
        let places = places_of(&profile, category, purpose);
        let ids = places.iter().map(|one| one.id);
        let ids: Vec<_> = if places.is_empty() { vec![NOWHERE] } else { ids.collect() };
        let mut refused = None;
        let revs = (revisions.governing(purpose, state).rev(), revisions.registry().rev());
        for processor in ids {
            let decided = gates.into_iter().flatten().map(|gate| {
                let decision = revisions.decide(&Question { label, gate, processor, now }, state);
                decision.answer.map_err(|reason| Refused::by(&decision, reason))
            });
            match decided.collect::<Result<Vec<_>, _>>() {
                // what nobody agreed to is handed over on a grant, and not kept
                Ok(grounds) if grounds.iter().all(|grounds| grounds.exemption().is_none()) => {
                    return Ok(Place { gate, processor, grounds: grounds[0], revs });
                }
                Ok(_) => refused = refused.or(Some((Refused { reason: Reason::NoBasis, revs }, processor))),
                Err(why) => refused = refused.or(Some((why, processor))),
            }
        }
        Err(refused.unwrap_or((Refused { reason: Reason::ProcessorState, revs }, NOWHERE)))
    }

    /// The leaf of it that something new is remembered of `who`, so that it has this many `bytes` now; or why not.
    pub(super) fn note_memory(
        &self,
        who: &Subject,
        cv: ConsentVersion,
        (bytes, now): (u64, WallTime),
    ) -> Result<Noted, Reason> {
        let (category, purpose, gate) = (FACTS_CATEGORY, Purpose::MEMORY, Gate::Memory);
        let is_near = |place: &Place| self.profile().transfer(place.processor, category).is_none();
        let placed = self.placed(who, (category, purpose, cv), gate, now);
        match placed.and_then(|place| if is_near(&place) { Ok(place) } else { Err(place.too_far()) }) {
            Ok(place) => Ok(written(who, (Reference(SubjectId::random().0), bytes), &place)),
            Err((refused, processor)) => {
                let subject = who.id();
                self.deny(who, &Ask { subject, turn: TurnId(0), purpose, category, cv, gate, processor }, refused);
                Err(refused.reason)
            }
        }
    }

    /// Whether what `head` is of may be used as far as `who` is concerned.
    pub(super) fn may_use(&self, who: &Subject, head: &Head, now: WallTime) -> Result<(), Reason> {
        let what = (head.category, head.purpose, head.cv);
        // of another person: they agreed under a version of their own
        let what = if who.id() == head.subject { what } else { (what.0, what.1, ConsentVersion(u64::MAX)) };
        self.placed(who, what, Gate::Memory, now).map(drop).map_err(|(refused, _)| refused.reason)
    }

    /// Has `entry` write the item: in one batch where it is small, else its parts are written first, under a head that does not
    /// count, and that is looked at soon in case that nothing comes of it.
    async fn write_parts(&self, head: &Head, item: &NewItem, entry: &mut Entry) -> Result<(), NotKept> {
        let label = serde_json::to_vec(&Label::of(item)).expect("texts are JSON");
        let label = self.sealed_part(head, 0, &Zeroizing::new(label)).await?;
        if head.parts > 1 {
            let begun = Head { is_begun: true, ..head.clone() };
            let mut batch = Batch::new().require(head.row(), Condition::Absent);
            batch.ops.push(begun.put());
            batch.ops.push(put_mark(Stored::Kept.mark(head.subject, self.clock.wall())));
            let version = self.store.commit(batch).await?;
            // whoever took over meanwhile has deleted the head: then nothing more is written, which nobody would find
            let of_begun = || Batch::new().require(head.row(), Condition::Version(version));
            let mut batch = of_begun();
            for (part, bytes) in (1..).zip(item.content.chunks(PART_BYTES)) {
                batch.ops.push(self.sealed_part(head, part, bytes).await?);
                if batch.ops.len() >= PARTS_AT_ONCE {
                    self.store.commit(core::mem::replace(&mut batch, of_begun())).await?;
                }
            }
            if !batch.ops.is_empty() {
                self.store.commit(batch).await?;
            }
            entry.require.push((head.row(), Condition::Version(version)));
        } else {
            for (part, bytes) in (1..).zip(item.content.chunks(PART_BYTES)) {
                entry.ops.push(self.sealed_part(head, part, bytes).await?);
            }
            entry.require.push((head.row(), Condition::Absent));
        }
        entry.ops.push(label);
        entry.ops.push(head.put());
        Ok(())
    }

    async fn sealed_part(&self, head: &Head, part: u32, bytes: &[u8]) -> Result<Op, Error> {
        let row = KeptPartKey::of(head.subject, head.id, part).key();
        let sealed = self.vault.seal(&sealed_at(&row, head), bytes).await?;
        Ok(Op::Put(row, KEPT_PART.encode(&sealed)))
    }
}

fn written(who: &Subject, (item, bytes): (Reference, u64), place: &Place) -> Noted {
    let (governing, registry) = place.revs;
    who.state.about(who.id()).under(governing).by_registry(registry).event(Event::Lineage(LineageEvent::Written {
        item,
        gate: place.gate.name(),
        cell: place.grounds.cell,
        processor: place.processor,
        bytes,
    }))
}

/// What a part of the item of `head` is bound to, in the row `row`.
pub(super) fn sealed_at<'a>(row: &'a sayso_store::Key, head: &Head) -> Binding<'a> {
    let (table, schema) = (KeptPartKey::TABLE, PART_SCHEMA);
    Binding { table, row, schema, subject: head.sealer(), category: head.category, purpose: head.purpose }
}

/// The items among `heads` that `item` of `subject` was made from.
fn sources(item: &NewItem, subject: SubjectId, heads: &[Head]) -> Result<Vec<Reference>, NotKept> {
    if item.derived_from.len() > SOURCES_MAX {
        return Err(NotKept::NoSuchSource);
    }
    for id in &item.derived_from {
        let source = heads.iter().find(|head| head.id == *id && head.is_live()).ok_or(NotKept::NoSuchSource)?;
        if source.of.is_some() && source.of != item.of.filter(|of| *of != subject) {
            return Err(NotKept::Lineage);
        }
    }
    Ok(item.derived_from.clone())
}

fn words(what: &'static str, text: &str) -> Result<(), NotKept> {
    let fits = (1..=WORDS_MAX).contains(&text.len()) && !text.chars().any(char::is_control);
    if fits { Ok(()) } else { Err(NotKept::Words(what)) }
}
