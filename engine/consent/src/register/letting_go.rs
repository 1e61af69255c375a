//! Ending what is kept of people: when consent is taken back, when its time is over, when somebody deletes it, and with an
//! erasure. See [`keep`](crate::keep).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sayso_audit::{Event, Reference};
use sayso_policy::ending::Floor;
use sayso_policy::profile::{RetentionAction, Trigger};
use sayso_policy::{ConsentState, Ending, LegalBasis, Profile};
use sayso_store::{Batch, Error as StoreError, Op, Range, TypedKey, limits::SCAN_LIMIT_MAX};
use sayso_types::{Category, ConsentVersion, Name, Part, Purpose, SubjectId, WallTime};

use super::demanded::Demanded;
use super::holding::Holds;
use super::keeping::is_in_everywhere;
use super::retaining::{happened_to, put_mark};
use super::revoking::goes_back_to;
use super::state::StoredState;
use super::{Register, Subject};
use crate::erasure::pending::Pending;
use crate::erasure::{Ground, LegalMinimum};
use crate::journal::About;
use crate::keep::head::{Head, Origin};
use crate::retention::{Hold, Stored};
use crate::tables::{ERASURE, KEPT_GONE, KeptGoneKey, KeptOfKey, KeptPartKey, RetentionKey};
use crate::{Entry, Error};

/// Deletions of parts in one batch.
const PARTS_AT_ONCE: usize = 2_048;

/// What came of ending items of one category.
#[derive(Debug, Default)]
pub(super) struct Gone {
    /// How many are no longer there.
    pub(super) rows: u64,
    /// Whether a legal hold keeps some.
    pub(super) is_held: bool,
    /// Whether something else lies under the keys of that category.
    pub(super) is_partial: bool,
    /// Until when a law keeps some, at the longest.
    kept: Option<LegalMinimum>,
}

/// Consent that has ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// What nothing is kept for any more.
    pub(super) purposes: Vec<Purpose>,
    /// What of the other purposes nothing is kept of any more that is in these parts, wherever it may be kept.
    pub(super) parts: BTreeSet<Part>,
    /// By what it is erased.
    pub(super) ground: Ground,
    /// Those of the purposes to which consent had never been valid, and since when: what comes of data that it let in goes,
    /// too, whatever it is kept for.
    pub(super) invalid: Option<(Vec<Purpose>, ConsentVersion)>,
}

impl Ended {
    pub(super) const fn of(purposes: Vec<Purpose>, ground: Ground) -> Self {
        Self { purposes, parts: BTreeSet::new(), ground, invalid: None }
    }

    pub(super) const fn of_parts(parts: BTreeSet<Part>, ground: Ground) -> Self {
        Self { purposes: Vec::new(), parts, ground, invalid: None }
    }

    /// Whether the item of `head` was kept by it.
    fn covers(&self, head: &Head, profile: &Profile) -> bool {
        self.purposes.contains(&head.purpose) || self.has_no_place(head, profile)
    }

    /// Whether the item of `head`, which is kept by consent, is in the parts wherever it may be kept.
    fn has_no_place(&self, head: &Head, profile: &Profile) -> bool {
        let by_consent = profile.purpose(head.purpose).is_some_and(|rule| rule.basis == LegalBasis::Consent);
        by_consent && is_in_everywhere(profile, (head.category, head.purpose), self.parts.iter().copied())
    }

    /// Whether the item of `head` comes of data that it let in and must not have: not what somebody else handed on.
    fn let_in(&self, head: &Head, profile: &Profile) -> bool {
        let is_own = !matches!(head.source, Origin::Party { .. });
        let since = |(purposes, since): &(Vec<Purpose>, ConsentVersion)| {
            is_own && head.cv >= *since && goes_back_to(profile, head.category, purposes)
        };
        self.invalid.as_ref().is_some_and(since)
    }
}

/// Items that end, those that were made from them with them, by their category.
pub(super) type Endings = BTreeMap<Category, Gone>;

impl Register {
    /// Deletes the item `id` that is kept of `subject`, and what was made from it; whether there was one. Under a legal hold it
    /// is kept, and not read any more; and so it is for as long as [a law demands it](Self::kept_by_law).
    ///
    /// # Errors
    /// As the store says.
    pub async fn drop_kept(self: &Arc<Self>, subject: SubjectId, id: Reference) -> Result<bool, Error> {
        let register = Arc::clone(self);
        let dropped = async move {
            let turn = register.lock(subject).await?;
            let heads = register.heads(subject).await?;
            if !heads.iter().any(|head| head.id == id && head.is_live()) {
                return Ok(false);
            }
            let (ended, now) = (with_derived(&heads, |head| head.id == id), register.clock.wall());
            register.end_items(&turn, ended, now, Entry::default()).await?;
            Ok(true)
        };
        self.to_the_end("delete an item", dropped).await?
    }

    /// When the item of `head`, of somebody whose consent is `consent`, ends.
    pub(super) fn ending_of_kept(&self, head: &Head, consent: &ConsentState) -> Option<Ending> {
        if let Some(at) = head.dropped_at {
            let by = "it was deleted".to_owned();
            let dropped = Ending { at, latest: at, action: RetentionAction::Erase, by, is_exact: true };
            return Some(match self.floor_of_kept(head, consent).filter(|floor| at < floor.at) {
                Some(Floor { at, law, is_exact }) => Ending { at, latest: at, by: law, is_exact, ..dropped },
                None => dropped,
            });
        }
        let happened = happened_to(head.collected_at, head.purpose, consent);
        let happened =
            head.unbound_at.into_iter().fold(happened, |happened, at| happened.and(Trigger::DeviceUnbound, at));
        let what = (head.category, head.purpose);
        let ruled = self.revisions().ending(what, &happened, consent);
        let placeless = self.ending_without_place(what, head.collected_at, consent);
        let placeless = placeless.map(|ending| match self.floor_of_kept(head, consent) {
            Some(Floor { at, law, is_exact }) if ending.at < at => {
                Ending { at, latest: at, by: law, is_exact, ..ending }
            }
            _ => ending,
        });
        ruled.into_iter().chain(placeless).min_by_key(|ending| ending.at)
    }

    /// Whether a legal hold keeps something of `category` of `subject` that was to be erased.
    pub(super) async fn holds_back(&self, subject: SubjectId, category: Category) -> Result<bool, Error> {
        Ok(self.pending_of(subject).await?.iter().any(|pending| pending.is_held && pending.covers(category)))
    }

    /// Has `entry`, which makes `next` of the subject's state, end what is kept of them, and what shows them, by what has `ended`,
    /// and commit to destroying the keys of categories of which nothing is left.
    pub(super) async fn forget_kept(
        &self,
        subject: SubjectId,
        next: &StoredState,
        ended: &[Ended],
        holds: &Holds,
        entry: &mut Entry,
    ) -> Result<(), Error> {
        if ended.iter().all(|ended| ended.purposes.is_empty() && ended.parts.is_empty()) {
            return Ok(());
        }
        let (own, shown) = (self.heads(subject).await?, self.shows(subject).await?);
        let profile = self.profile();
        let is_ended = |head: &Head| {
            ended.iter().any(|one| one.covers(head, &profile) || head.subject == subject && one.let_in(head, &profile))
        };
        let over = self.all_derived(&own, shown, is_ended).await?;
        let grounds_of = |category: Category| {
            let here: BTreeSet<_> =
                over.iter().filter(|head| head.category == category).map(|head| head.purpose).collect();
            let own = ended.iter().filter(move |ended| ended.purposes.iter().any(|purpose| here.contains(purpose)));
            let own: Vec<_> = own.map(|ended| ended.ground).collect();
            if own.is_empty() { ended.iter().map(|ended| ended.ground).collect() } else { own }
        };
        let grounds: BTreeMap<_, Vec<Ground>> =
            over.iter().map(|head| (head.category, grounds_of(head.category))).collect();
        let about = next.about(subject);
        for (category, gone) in self.let_go(subject, about, over, "withdrawn", holds, entry).await? {
            let grounds = grounds.get(&category).map_or(&[][..], Vec::as_slice);
            self.erase_category(subject, about, category, (&gone, grounds), holds, entry).await?;
        }
        Ok(())
    }

    /// Has `entry` begin the erasure of what has gone of `category`, for `grounds`; one that is on its way and has not got that
    /// far takes it in.
    async fn erase_category(
        &self,
        subject: SubjectId,
        about: About,
        category: Category,
        (gone, grounds): (&Gone, &[Ground]),
        holds: &Holds,
        entry: &mut Entry,
    ) -> Result<(), Error> {
        let [first, others @ ..] = grounds else { return Ok(()) };
        let open = self.pending_of(subject).await?;
        for one in open.iter().filter(|one| one.category.is_none() && one.destroyed_at.is_none() && !gone.is_held) {
            if self.takes_everything(one, subject, holds).await? {
                // all of their keys are about to be destroyed
                return Ok(());
            }
        }
        let open = open.into_iter().filter(|one| one.category.is_some());
        let mut open = open.filter(|one| {
            let is_free = one.committed_at.is_none() || !gone.is_held;
            one.destroyed_at.is_none() && one.keys.is_none() && one.covers(category) && is_free
        });
        let mut pending = match open.next() {
            Some(mut pending) => {
                pending.add(*first);
                // nothing is left under the keys that an earlier ending took, whatever others seal
                pending.is_partial &= gone.is_partial;
                pending
            }
            None => {
                let is_partial = gone.is_partial;
                Pending { is_partial, ..Pending::new(Some(category), *first, self.clock.wall()) }
            }
        };
        others.iter().for_each(|ground| pending.add(*ground));
        pending.kept = gone.kept.iter().cloned().collect();
        if gone.is_held {
            pending.is_held = true;
            entry.ops.push(Op::Put(pending.row(subject), ERASURE.encode(&pending.encode())));
        } else {
            self.commit_to(&mut pending, subject, about, entry);
        }
        Ok(())
    }

    /// Ends `over` of the subject with `entry`, whose retention has ended or which was deleted; how many rows that was.
    pub(super) async fn end_items(
        &self,
        turn: &Subject,
        over: Vec<Head>,
        due: WallTime,
        mut entry: Entry,
    ) -> Result<u64, Error> {
        let about = turn.state.about(turn.id());
        let holds = self.holds.read().await;
        let gone = self.let_go(turn.id(), about, over, "due", &holds, &mut entry).await?;
        let mut rows = 0;
        for (category, gone) in gone.into_iter().filter(|(_, gone)| gone.rows > 0) {
            rows += gone.rows;
            let ending = Reference(SubjectId::random().0);
            entry.events.push(about.event(Event::RetentionDue { ending, category, at: due }));
            if !gone.is_partial && !gone.is_held {
                let mut pending = Pending::new(Some(category), Ground::Retention(ending.0), self.clock.wall());
                self.commit_to(&mut pending, turn.id(), about, &mut entry);
            }
            let how = Name::constant(if gone.is_partial { "rewritten" } else { "erased" });
            entry.events.push(about.event(Event::RetentionExecuted { ending, category, how, rows: gone.rows }));
            let name = category.to_string();
            metrics::counter!("sayso_retention_ended_total", "category" => name).increment(gone.rows);
        }
        self.journal().append(entry).await?;
        drop(holds);
        self.clear_gone().await?;
        Ok(rows)
    }

    /// Ends what is over of what `mark` points at; how many items that was.
    pub(super) async fn end_kept(&self, turn: &Subject, mark: &RetentionKey) -> Result<u64, Error> {
        let (heads, now) = (self.heads(turn.id()).await?, self.clock.wall());
        let ends = |head: &Head| self.ending_of_kept(head, &turn.state.consent).map(|ending| ending.at);
        let mut entry = Entry { ops: vec![Op::Delete(mark.key())], ..Entry::default() };
        // what a process that ended in mid-writing has left
        let is_over = |head: &Head| head.is_begun || ends(head).is_some_and(|at| at <= now);
        let over = with_derived(&heads, is_over);
        let rest = heads.iter().filter(|head| !over.iter().any(|one| one.id == head.id));
        let next = rest.filter_map(ends).min();
        entry.ops.extend(next.map(|at| put_mark(Stored::Kept.mark(turn.id(), at))));
        if over.is_empty() {
            self.journal().append(entry).await?;
            return Ok(0);
        }
        let due = over.iter().filter_map(ends).min().unwrap_or(now);
        self.end_items(turn, over, due, entry).await
    }

    /// The mark under which what is kept of the subject is looked at when the first of it ends. At once, where something was
    /// left behind.
    pub(super) async fn mark_of_kept(&self, turn: &Subject) -> Result<Option<sayso_store::Key>, Error> {
        let heads = self.heads(turn.id()).await?;
        let ends = |head: &Head| {
            let begun = head.is_begun.then_some(WallTime(0));
            begun.or_else(|| self.ending_of_kept(head, &turn.state.consent).map(|ending| ending.at))
        };
        Ok(heads.iter().filter_map(ends).min().map(|at| Stored::Kept.mark(turn.id(), at)))
    }

    /// Those of the erasure `pending` of `subject`: of a category that a legal hold kept, what has ended meanwhile, of everything,
    /// all of it.
    pub(super) async fn covered_by(&self, pending: &Pending, subject: SubjectId) -> Result<Vec<Head>, Error> {
        let (own, shown) = (self.heads(subject).await?, self.shows(subject).await?);
        let is_covered = |head: &Head| match pending.category {
            Some(category) => head.category == category && head.dropped_at.is_some(),
            None => true,
        };
        self.all_derived(&own, shown, is_covered).await
    }

    /// Whether the erasure `pending` of everything of `subject` destroys every key of theirs: it is committed, or nothing of it
    /// is held.
    pub(super) async fn takes_everything(
        &self,
        pending: &Pending,
        subject: SubjectId,
        holds: &Holds,
    ) -> Result<bool, Error> {
        if pending.is_held {
            return Ok(false);
        }
        let over = self.covered_by(pending, subject).await?;
        Ok(self.hold_on(pending, subject, &over, holds).is_none())
    }

    /// A hold that keeps the erasure `pending` of `subject`, which is not committed yet, or something of what it would end.
    pub(super) fn hold_on<'a>(
        &self,
        pending: &Pending,
        subject: SubjectId,
        over: &[Head],
        holds: &'a Holds,
    ) -> Option<&'a Hold> {
        let now = self.clock.wall();
        let of_others = || over.iter().find_map(|head| holds.keeping(head.subject, Some(head.category), now));
        let hold = holds.keeping(subject, pending.category, now).or_else(of_others);
        hold.filter(|_| pending.committed_at.is_none())
    }

    /// Has `entry` end what the erasure `pending` of the subject covers: `over`.
    pub(super) async fn let_go_with(
        &self,
        pending: &mut Pending,
        turn: &Subject,
        (over, holds): (Vec<Head>, &Holds),
        entry: &mut Entry,
    ) -> Result<(), Error> {
        let is_of_items = !over.is_empty();
        let about = turn.state.about(turn.id());
        let gone = self.let_go(turn.id(), about, over, "requested", holds, entry).await?;
        if pending.category.is_some() && is_of_items {
            pending.is_partial = gone.values().any(|gone| gone.is_partial);
        }
        pending.kept = gone.into_values().filter_map(|gone| gone.kept).collect();
        Ok(())
    }

    /// What is kept of the subject (`own`) or shows them and is as `is_over` says, with what was made from it, of whomever that
    /// is kept.
    async fn all_derived(
        &self,
        own: &[Head],
        shown: Vec<Head>,
        is_over: impl Fn(&Head) -> bool,
    ) -> Result<Vec<Head>, Error> {
        let mut over = with_derived(own, &is_over);
        let mut keepers: BTreeMap<SubjectId, BTreeSet<[u8; 16]>> = BTreeMap::new();
        for head in shown.iter().filter(|head| is_over(head)) {
            keepers.entry(head.subject).or_default().insert(head.id.0);
        }
        for (keeper, ids) in keepers {
            over.extend(with_derived(&self.heads(keeper).await?, |head| ids.contains(&head.id.0)));
        }
        Ok(over)
    }

    /// Has `entry` end `over`, items of the subject or that show them. What a legal hold keeps stays, and is not read; nor is what
    /// a law demands, until that is over.
    pub(super) async fn let_go(
        &self,
        subject: SubjectId,
        about: About,
        over: Vec<Head>,
        from: &'static str,
        holds: &Holds,
        entry: &mut Entry,
    ) -> Result<Endings, Error> {
        let now = self.clock.wall();
        let (mut gone, mut demanded, mut stays) = (Endings::new(), Demanded::new(self), BTreeSet::new());
        for head in &over {
            let kept = demanded.of(head, now).await?;
            let of_category = gone.entry(head.category).or_default();
            let hold = [head.subject, head.sealer()]
                .into_iter()
                .find_map(|whose| holds.keeping(whose, Some(head.category), now));
            if let Some(hold) = hold.filter(|_| !head.is_begun) {
                if !of_category.is_held {
                    entry.events.push(hold.kept(about, head.category, Name::constant(from)));
                }
                of_category.is_held = true;
                if head.dropped_at.is_none() {
                    entry.ops.push(Head { dropped_at: Some(now), ..head.clone() }.put());
                }
                continue;
            }
            if let Some(kept) = kept {
                if head.dropped_at.is_none() {
                    if of_category.kept.is_none() {
                        entry.events.push(kept.kept(about, Name::constant(from)));
                    }
                    entry.ops.push(put_mark(Stored::Kept.mark(head.subject, kept.until)));
                    entry.ops.push(Head { dropped_at: Some(now), ..head.clone() }.put());
                }
                stays.extend((head.sealer() == subject).then_some(head.category));
                let later = of_category.kept.take().filter(|other| other.until > kept.until);
                of_category.kept = later.or(Some(kept));
                continue;
            }
            of_category.rows += u64::from(!head.is_begun);
            entry.ops.push(Op::Delete(head.row()));
            entry.ops.extend(head.of.map(|of| Op::Delete(KeptOfKey::of(of, head.subject, head.id).key())));
            let parts = KEPT_GONE.encode(&head.parts.to_be_bytes());
            entry.ops.push(Op::Put(KeptGoneKey::of(head.subject, head.id).key(), parts));
        }
        let sealed = self.heads(subject).await?.into_iter().chain(self.shows(subject).await?);
        let rest = sealed.filter(|head| head.sealer() == subject && !over.iter().any(|one| one.id == head.id));
        let rest: BTreeSet<_> = rest.map(|head| head.category).chain(stays).collect();
        for (category, gone) in &mut gone {
            let is_sealed_by_them = over.iter().any(|one| one.category == *category && one.sealer() == subject);
            gone.is_partial = rest.contains(category) || !is_sealed_by_them;
        }
        Ok(gone)
    }

    /// Deletes the parts of items that have ended.
    pub(super) async fn clear_gone(&self) -> Result<(), Error> {
        let mut range = Range::from(KeptGoneKey::table());
        loop {
            let page = self.store.scan(range, SCAN_LIMIT_MAX).await?;
            for row in page.entries {
                let KeptGoneKey { subject, item } = KeptGoneKey::parse(&row.key).map_err(StoreError::from)?;
                let (_, parts) = KEPT_GONE.decode(&row.value).map_err(StoreError::from)?;
                let damaged = |_| Error::Damaged { what: "kept_gone", found: format!("{} bytes", parts.len()) };
                let parts = u32::from_be_bytes(parts.try_into().map_err(damaged)?);
                let mut batch = Batch::new();
                for part in 0..=parts {
                    let key = KeptPartKey { subject, item: item.clone(), part }.key();
                    batch.ops.push(Op::Delete(key));
                    if batch.ops.len() >= PARTS_AT_ONCE {
                        self.store.commit(core::mem::replace(&mut batch, Batch::new())).await?;
                    }
                }
                batch.ops.push(Op::Delete(row.key));
                self.store.commit(batch).await?;
            }
            let Some(rest) = page.rest else { return Ok(()) };
            range = rest;
        }
    }
}

/// Those of `heads` that are as `is_over` says, and those that were made from one of them, or from what was made from it.
fn with_derived(heads: &[Head], is_over: impl Fn(&Head) -> bool) -> Vec<Head> {
    let (mut over, mut rest): (Vec<_>, Vec<_>) = heads.iter().cloned().partition(|head| is_over(head));
    let mut looked_at = 0;
    while looked_at < over.len() {
        let id = over[looked_at].id;
        looked_at += 1;
        let (made, others): (Vec<_>, Vec<_>) = rest.into_iter().partition(|head| head.is_made_from(id));
        over.extend(made);
        rest = others;
    }
    over
}
