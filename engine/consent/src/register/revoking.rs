//! Ending consent otherwise than by withdrawal: because it is revoked, or because it turned out not to have been valid. It
//! goes the way of a withdrawal; what it is called, and what is erased with it, is its own.

use std::collections::BTreeSet;
use std::sync::Arc;

use sayso_audit::{ConsentEnding, Reference};
use sayso_policy::{ConsentStatus, Profile};
use sayso_proto::consent::v1 as proto;
use sayso_types::{Category, Purpose, SubjectId};

use super::letting_go::Ended;
use super::withdrawing::What;
use super::{Register, Subject, Withdrawal};
use crate::erasure::Ground;
use crate::evidence::Ending;
use crate::record::withdrawal::{self, Cause};
use crate::tables::FACTS_CATEGORY;
use crate::{Error, record};

impl Register {
    /// Ends the subject's consent to `purposes`, or to everything that they agreed to, for whoever answers for the data. Gates
    /// close, holders are waited for and what was kept by it is erased as in [`withdraw`](Self::withdraw). With consent that
    /// had not been valid goes also what is remembered or kept, where that was derived from data that it let in; of consent that was
    /// revoked that can still be said.
    ///
    /// # Errors
    /// [`Error::NothingToEnd`] where they have not agreed, or it has ended otherwise; otherwise as there.
    pub async fn end_consent(
        self: &Arc<Self>,
        subject: SubjectId,
        purposes: &[Purpose],
        ending: Ending,
    ) -> Result<Withdrawal, Error> {
        self.end_for(subject, What::Purposes(purposes.to_vec()), Cause::Ended(ending)).await
    }

    /// The consent records that `ended` has ended of the subject's, of `purposes` or of everything. What went by them is found
    /// by an incident whose scope names them.
    ///
    /// # Errors
    /// As the store says.
    pub async fn ended_records(
        &self,
        subject: SubjectId,
        ended: &Withdrawal,
        purposes: &[Purpose],
    ) -> Result<Vec<Reference>, Error> {
        let written = self.scan_records(subject).await?;
        let asked =
            ended.state.consents.iter().filter(|(purpose, _)| purposes.is_empty() || purposes.contains(purpose));
        let records = asked.filter_map(|(purpose, consent)| match consent.status {
            // not yet said of the record
            ConsentStatus::Withdrawing => record::latest(&written, *purpose),
            // an earlier yes to the same may stand behind it
            ConsentStatus::Revoked | ConsentStatus::Invalidated => {
                written.iter().rev().find(|(_, record)| record::is_for(record, *purpose) && record::is_ended(record))
            }
            _ => None,
        });
        records.map(|(_, record)| record::reference(record)).collect()
    }

    /// Refuses to end what nobody agreed to. Whoever asks again for what has been ended in the same way is told how far that has
    /// come.
    pub(super) async fn can_end(
        &self,
        subject: &Subject,
        purposes: &[Purpose],
        given: &[Purpose],
        how: ConsentEnding,
    ) -> Result<(), Error> {
        let (status, consents) = (withdrawal::becomes(how), subject.state.consent.consents.iter());
        let mut asked = consents.filter(|(purpose, _)| purposes.is_empty() || purposes.contains(purpose));
        if !given.is_empty() || asked.any(|(_, consent)| consent.status == status) {
            return Ok(());
        }
        let is_asked = |one: &proto::Withdrawal| {
            purposes.is_empty() || purposes.iter().any(|purpose| withdrawal::covers(one, *purpose))
        };
        let mut pending = self.scan_withdrawals(subject.id).await?.into_iter().map(|(_, one)| one);
        let is_on_its_way =
            pending.any(|one| withdrawal::is_pending(&one) && withdrawal::status(&one) == status && is_asked(&one));
        if is_on_its_way { Ok(()) } else { Err(Error::NothingToEnd) }
    }

    /// Whether what is remembered of somebody goes, when their consent to `given` ends for `cause`.
    pub(super) fn forgets(&self, given: &[Purpose], cause: Cause) -> bool {
        given.contains(&Purpose::MEMORY) || is_invalid(cause) && goes_back_to(&self.profile(), FACTS_CATEGORY, given)
    }

    /// What ends when the subject's consent to `given` does, for `cause`.
    pub(super) fn ended_for(&self, subject: &Subject, given: &[Purpose], cause: Cause, ground: Ground) -> Ended {
        let since =
            given.iter().filter_map(|purpose| Some(subject.state.consent.consents.get(purpose)?.given_at)).min();
        let invalid = since.filter(|_| is_invalid(cause)).map(|since| (given.to_vec(), since));
        Ended { invalid, ..Ended::of(self.ended_with(given), ground) }
    }
}

const fn is_invalid(cause: Cause) -> bool {
    matches!(cause, Cause::Ended(Ending { how: ConsentEnding::Invalidated, .. }))
}

/// Whether consent that stands so can still end for `cause`: what was revoked turns out never to have been valid.
pub(super) const fn is_worse_than(cause: Cause, status: ConsentStatus) -> bool {
    let is_invalid = matches!(cause, Cause::Ended(Ending { how: ConsentEnding::Invalidated, .. }));
    is_invalid && matches!(status, ConsentStatus::Revoked)
}

/// Whether data of `category`, or something that it is derived from, is used for one of `purposes`.
pub(super) fn goes_back_to(profile: &Profile, category: Category, purposes: &[Purpose]) -> bool {
    let (mut seen, mut next) = (BTreeSet::new(), vec![category]);
    while let Some(category) = next.pop() {
        let Some(rule) = profile.category(category).filter(|_| seen.insert(category)) else { continue };
        if rule.purposes.iter().any(|purpose| purposes.contains(purpose)) {
            return true;
        }
        next.extend(rule.derived_from.iter().copied());
    }
    false
}
