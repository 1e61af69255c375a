//! [`Entitlement`]: what a person may ask for, and by when, also where the policy offers less by now than they agreed to.

use std::sync::Arc;

use sayso_audit::Reference;
use sayso_policy::profile::{ErasureGround, RightKind};
use sayso_policy::{ConsentState, Profile, Revisions};
use sayso_types::{SubjectId, WallTime};

use super::request::{NotNow, Request, Step};

/// The revisions that give a person rights, the newest first.
///
/// Nobody goes without what everybody else has, or without what they agreed to before they agreed to less: a right is theirs if
/// one of these offers it, it is answered by the earliest day, and refused only for a reason that each of those that offer it allows.
pub(super) struct Entitlement(Vec<Arc<Profile>>);

impl Entitlement {
    /// That of the person whose register is `state`.
    pub(super) fn of(revisions: &Revisions, state: &ConsentState) -> Self {
        Self(revisions.rights_of(state).cloned().collect())
    }

    /// Those that offer `right`.
    fn offering(&self, right: RightKind) -> impl Iterator<Item = &Profile> {
        self.0.iter().map(AsRef::as_ref).filter(move |profile| profile.document().rights.offers.contains_key(&right))
    }

    /// Whether `right` is theirs.
    pub(super) fn offers(&self, right: RightKind) -> bool {
        self.offering(right).next().is_some()
    }

    /// The grounds on which something is erased by `right`; none where one of them erases on any.
    pub(super) fn grounds(&self, right: RightKind) -> Vec<ErasureGround> {
        let named = self.offering(right).filter_map(|profile| profile.document().rights.offers.get(&right));
        let named: Vec<_> = named.map(|right| &right.grounds).collect();
        if named.iter().any(|grounds| grounds.is_empty()) {
            return Vec::new();
        }
        let mut grounds: Vec<_> = named.into_iter().flatten().copied().collect();
        grounds.sort_unstable();
        grounds.dedup();
        grounds
    }

    /// Whether using `right` again may cost something: only where each of them says so.
    pub(super) fn may_cost(&self, right: RightKind) -> bool {
        self.offering(right).all(|profile| profile.document().rights.fee_when_repeated)
    }

    /// A request to use `right` that comes in at `now`; [`None`] where it is not theirs.
    pub(super) fn received(
        &self,
        id: Reference,
        subject: SubjectId,
        right: RightKind,
        now: WallTime,
    ) -> Option<Request> {
        let each = self.offering(right).map(|profile| Request::received(id, subject, right, profile, now));
        each.reduce(earliest)
    }

    /// `request` after `step`, taken at `now`.
    ///
    /// # Errors
    /// [`NotNow`], also where only one of them says so.
    pub(super) fn after(&self, request: &Request, step: Step, now: WallTime) -> Result<Request, NotNow> {
        let right = request.right();
        // a right that was used stays used, though nobody offers it any more
        let newest = self.0.first().map(AsRef::as_ref).filter(|_| !self.offers(right));
        let mut each = self.offering(right).chain(newest).map(|profile| request.after(step, profile, now));
        let first = each.next().unwrap_or(Err(NotNow::Closed))?;
        each.try_fold(first, |next, other| Ok(earliest(next, other?)))
    }
}

/// `one`, by the day of `other` if that is earlier.
fn earliest(one: Request, other: Request) -> Request {
    let due = [one.due.clone(), other.due].into_iter().flatten().min_by_key(|due| due.at);
    let identity_due = [one.identity_due.clone(), other.identity_due].into_iter().flatten().min_by_key(|due| due.at);
    Request { due, identity_due, ..one }
}
