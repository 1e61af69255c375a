//! [`Requests`]: whether people's requests were answered by their day, as far as the log and a profile say.

use std::collections::BTreeMap;

use sayso_audit::{Reference, RequestStep};
use sayso_policy::due::Clocks;
use sayso_policy::profile::RightKind;
use sayso_policy::{IsoPeriod, Profile};
use sayso_types::{Name, WallTime};

use crate::rights::names::right_name;
use crate::rights::referral::{Outcome, SENT};
use crate::rights::request::DELAY_MAX;

/// The requests that came in under known profiles and are not answered.
#[derive(Debug, Default)]
pub(super) struct Requests {
    open: BTreeMap<Reference, Open>,
    /// The leaves that show a request to be late of which the log does not say so.
    late: Vec<u64>,
}

#[derive(Debug)]
struct Open {
    /// Where it came in.
    leaf: u64,
    kind: RightKind,
    clocks: Clocks,
    due: Option<WallTime>,
    is_delayed: bool,
    /// By when it is known who asks, while it is not.
    identity: Option<WallTime>,
    /// Whether a tenant is asked first.
    is_referred: bool,
}

/// Something that happened to a request.
pub(super) struct Happened {
    pub(super) leaf: u64,
    pub(super) at: WallTime,
    pub(super) step: RequestStep,
    pub(super) detail: Name,
}

impl Requests {
    /// Goes on by what `happened` to `request`, of somebody who has the rights of each of `profiles`, as far as they are known: a
    /// right is theirs if one of them offers it, and it is answered by the earliest day.
    pub(super) fn step(&mut self, request: Reference, happened: &Happened, profiles: &[&Profile]) {
        let &Happened { leaf, at, step, detail } = happened;
        match step {
            RequestStep::Received => {
                let offered = profiles.iter().flat_map(|profile| profile.document().rights.offers.keys());
                let Some(kind) = offered.copied().find(|kind| right_name(*kind) == detail) else { return };
                let clocks = Clocks { received: at, identity_verified: None };
                let due = answered_by(profiles, kind, clocks);
                let identity = offering(profiles, kind).filter_map(|profile| profile.identity_due(at));
                let identity = identity.map(|due| due.at).min();
                let open = Open { leaf, kind, clocks, due, is_delayed: false, identity, is_referred: false };
                // said again it comes in no later
                self.open.entry(request).or_insert(open);
            }
            RequestStep::IdentityVerified => {
                let Some(open) = self.open.get_mut(&request) else { return };
                if open.identity.take().is_some_and(|due| due < at) {
                    self.late.push(leaf);
                }
                if open.is_delayed {
                    return;
                }
                open.clocks.identity_verified = Some(at);
                let anew = answered_by(profiles, open.kind, open.clocks);
                open.due = [open.due, anew].into_iter().flatten().min();
            }
            RequestStep::Delayed => {
                // once, and before its day
                let Some(open) = self.open.get_mut(&request).filter(|open| !open.is_delayed) else { return };
                if open.due.is_some_and(|due| due < at) {
                    self.open.remove(&request);
                    return self.late.push(leaf);
                }
                // the log does not say until when: as far as it may be
                let most = DELAY_MAX.parse::<IsoPeriod>().ok();
                open.due = open.due.zip(most).map(|(due, most)| most.after(due));
                open.is_delayed = true;
            }
            // a tenant that is asked first knows who asks; when it comes back, somebody has to find out
            RequestStep::TaskDone => {
                let Some(open) = self.open.get_mut(&request) else { return };
                if detail == SENT {
                    open.is_referred = true;
                    if open.identity.take().is_some_and(|due| due < at) {
                        self.late.push(leaf);
                    }
                } else if (detail == Outcome::Cannot.name() || detail == Outcome::Silent.name())
                    && core::mem::take(&mut open.is_referred)
                {
                    let due = offering(profiles, open.kind).filter_map(|profile| profile.identity_due(at));
                    open.identity = due.map(|due| due.at).min();
                }
            }
            RequestStep::Accepted => {}
            RequestStep::Fulfilled | RequestStep::Rejected => {
                if self.open.remove(&request).is_some_and(|open| open.is_late(at)) {
                    self.late.push(leaf);
                }
            }
            // told as it is
            RequestStep::Overdue if detail == RequestStep::IDENTITY => {
                self.open.entry(request).and_modify(|open| open.identity = None);
            }
            RequestStep::Overdue => drop(self.open.remove(&request)),
        }
    }

    /// The leaves that show a request to be late: its answer, or where it came in if it has none by `now`.
    pub(super) fn finish(mut self, now: WallTime) -> Vec<u64> {
        self.late.extend(self.open.values().filter(|open| open.is_late(now)).map(|open| open.leaf));
        self.late.sort_unstable();
        self.late
    }
}

/// Those of `profiles` that offer `right`.
fn offering<'a>(profiles: &[&'a Profile], right: RightKind) -> impl Iterator<Item = &'a Profile> {
    profiles.iter().copied().filter(move |profile| profile.document().rights.offers.contains_key(&right))
}

/// The earliest day by which one of `profiles` has `right` answered.
fn answered_by(profiles: &[&Profile], right: RightKind, clocks: Clocks) -> Option<WallTime> {
    let due = offering(profiles, right).filter_map(|profile| profile.answer_due(right, clocks));
    due.map(|due| due.at).min()
}

impl Open {
    fn is_late(&self, at: WallTime) -> bool {
        self.due.into_iter().chain(self.identity).any(|due| due < at)
    }
}
