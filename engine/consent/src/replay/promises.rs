//! [`Promises`]: whether withdrawals took effect, and erasures were done, by when a profile and the laws that it names say.

use std::collections::BTreeMap;

use sayso_audit::{Event, Leaf, Reference, Scope, SubjectTag};
use sayso_policy::Profile;
use sayso_policy::due::Clocks;
use sayso_policy::profile::{RightKind, Trigger};
use sayso_types::{Category, Name, WallTime};

/// Why something is erased that the person asked for, as the log says it.
const REQUESTED: Name = Name::constant("requested");

/// The withdrawals that have not taken effect, and the erasures without a certificate.
#[derive(Debug, Default)]
pub(super) struct Promises {
    withdrawals: BTreeMap<(Reference, Option<SubjectTag>, Scope), Owed>,
    erasures: BTreeMap<Reference, Owed>,
    late_withdrawals: Vec<u64>,
    late_erasures: Vec<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Owed {
    /// What began it.
    leaf: u64,
    due: WallTime,
}

impl Promises {
    /// Goes on by the leaf at `index`; under `profile`, unless another one was in force.
    pub(super) fn leaf(&mut self, index: u64, leaf: &Leaf, profile: Option<&Profile>) {
        let (at, whose) = (leaf.place.wall, leaf.fact.subject);
        match leaf.fact.event {
            Event::WithdrawRequested { withdrawal, scope } => {
                let due = profile.and_then(|profile| answered_by(profile, RightKind::Withdraw, at));
                if let Some(due) = due {
                    // said again it is asked for no later
                    self.withdrawals.entry((withdrawal, whose, scope)).or_insert(Owed { leaf: index, due });
                }
            }
            Event::WithdrawEffective { withdrawal, scope } => {
                let owed = self.withdrawals.remove(&(withdrawal, whose, scope));
                self.late_withdrawals.extend(owed.filter(|owed| owed.due < at).map(|_| index));
            }
            Event::EraseCommitted { erasure, category, ground } => {
                let due = profile.and_then(|profile| erased_by(profile, category, ground, at));
                if let Some(due) = due {
                    self.erasures.entry(erasure).or_insert(Owed { leaf: index, due });
                }
            }
            Event::EraseCertified { erasure, .. } => {
                let owed = self.erasures.remove(&erasure);
                self.late_erasures.extend(owed.filter(|owed| owed.due < at).map(|_| index));
            }
            _ => {}
        }
    }

    /// The leaves that show a withdrawal to be late, and those that show it of an erasure: what ended it, or what began it if
    /// nothing has by `now`.
    pub(super) fn finish(mut self, now: WallTime) -> (Vec<u64>, Vec<u64>) {
        let is_late = |owed: &&Owed| owed.due < now;
        self.late_withdrawals.extend(self.withdrawals.values().filter(is_late).map(|owed| owed.leaf));
        self.late_erasures.extend(self.erasures.values().filter(is_late).map(|owed| owed.leaf));
        self.late_withdrawals.sort_unstable();
        self.late_erasures.sort_unstable();
        (self.late_withdrawals, self.late_erasures)
    }
}

/// By when what is asked for at `at` is answered, as a right of this `kind`.
fn answered_by(profile: &Profile, kind: RightKind, at: WallTime) -> Option<WallTime> {
    profile.answer_due(kind, Clocks { received: at, identity_verified: None }).map(|due| due.at)
}

/// By when what is erased from `at` on is certified to be. Of what the person asked for, the log does not say here by which of
/// their rights: as late as any of them allows, counted from when it began. Of what ended with consent, by the rule of its category.
fn erased_by(profile: &Profile, category: Option<Category>, ground: Name, at: WallTime) -> Option<WallTime> {
    if ground == REQUESTED {
        let offers = profile.document().rights.offers.keys();
        return offers
            .map(|kind| answered_by(profile, *kind, at))
            .max_by_key(|due| due.unwrap_or(WallTime(u64::MAX)))?;
    }
    let rule = profile.document().retention_of(profile.category(category?)?)?;
    let after = rule.after.period().filter(|_| rule.trigger.contains(Trigger::Withdraw))?;
    let is_by_consent = ["withdrawn", "refused", "expired", "revoked", "invalidated"].contains(&ground.as_str());
    is_by_consent.then(|| profile.tolerated(Some(rule), profile.end_of(after, at, String::new()).at))
}
