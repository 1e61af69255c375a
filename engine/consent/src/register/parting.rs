//! Taking back a part of what was agreed to, such as "my voice, to this service" or "anything, overseas": the way of every
//! withdrawal, while the rest goes on. What is taken back stays so, whatever is agreed to later, until it is given again by name.

use std::sync::Arc;

use sayso_audit::Scope;
use sayso_policy::profile::{AtRest, RetentionAction};
use sayso_policy::{ConsentState, Ending, LegalBasis, PartStatus};
use sayso_types::{Category, ConsentVersion, Part, ProcessorId, Purpose, SubjectId, WallTime};

use super::keeping::is_in_everywhere;
use super::withdrawing::What;
use super::{Register, Withdrawal};
use crate::Error;
use crate::evidence::Means;
use crate::record::withdrawal::Cause;
use crate::tables::FACTS_CATEGORY;

/// Parts that are kept of one person, taken back or given again: each is looked at with every question, and nobody says as many.
pub const PARTS_MAX: usize = 64;

impl Register {
    /// Takes back `parts` of what the subject agreed to, or will agree to: less than a purpose. Every gate by which data of these
    /// parts passes by their consent is closed, mid-word, before this returns; what has no other place to be kept is erased.
    /// Otherwise as [`withdraw`](Self::withdraw).
    ///
    /// # Errors
    /// [`Error::NotPartial`] for what is everything or a purpose, [`Error::UnknownPart`] and [`Error::UnknownPurpose`] for what
    /// no revision of the policy has, since an OK would promise what does not happen; [`Error::TooManyParts`]; otherwise as there.
    pub async fn withdraw_parts(
        self: &Arc<Self>,
        subject: SubjectId,
        parts: &[Part],
        means: Means,
    ) -> Result<Withdrawal, Error> {
        self.end_for(subject, What::Parts(parts.to_vec()), Cause::Withdrawn(means)).await
    }

    /// Those of `parts` that somebody with `consent` has not taken back yet.
    pub(super) fn parts_left(&self, consent: &ConsentState, parts: &[Part]) -> Result<Vec<Scope>, Error> {
        parts.iter().try_for_each(|part| self.check_part(part))?;
        let mut left: Vec<_> = parts.iter().copied().filter(|part| !is_taken_back(consent, part)).collect();
        left.sort_unstable();
        left.dedup();
        let mut next = consent.clone();
        let left: Vec<_> = left.into_iter().map(Scope::Part).filter(|_| !consent.is_closed).collect();
        take_back(&mut next, &left);
        if next.parts.len() > PARTS_MAX { Err(Error::TooManyParts) } else { Ok(left) }
    }

    /// Closes the gates of `subject` for `parts` of what is consented to, and remembers who has yet to let go.
    pub(super) fn close_parts(&self, subject: SubjectId, parts: &[Part]) {
        let consented = self.consented_to(&[]);
        self.await_letting_go(subject, self.holders.take_parts_back(subject, &consented, parts));
    }

    /// Whether what is remembered of somebody has lost its place by what they took back between `before` and `after`.
    pub(super) fn loses_facts(&self, before: &ConsentState, after: &ConsentState) -> bool {
        self.may_keep_facts(before) && !self.may_keep_facts(after)
    }

    /// Whether there is a place for what is remembered that somebody with `consent` did not take back.
    #[must_use]
    pub fn may_keep_facts(&self, consent: &ConsentState) -> bool {
        !is_in_everywhere(&self.profile(), (FACTS_CATEGORY, Purpose::MEMORY), consent.taken_back())
    }

    /// When what was `collected` for `purpose` ends for want of a place, of somebody with `consent` to it: the revision in force
    /// lets nothing of `category` be stored for that, or only where they took it back. What a revision takes the last place from
    /// is used for nothing any more, so it is not kept either. What rests on something else than consent is the rule's business.
    pub(super) fn ending_without_place(
        &self,
        (category, purpose): (Category, Purpose),
        collected: WallTime,
        consent: &ConsentState,
    ) -> Option<Ending> {
        let revisions = self.revisions();
        let (newest, governing) = (revisions.newest(), revisions.governing(purpose, consent));
        if governing.purpose(purpose).is_none_or(|rule| rule.basis != LegalBasis::Consent) {
            return None;
        }
        let rule = newest.category(category);
        let is_stored = newest.purpose(purpose).is_some()
            && rule.is_some_and(|rule| rule.at_rest == AtRest::Allowed && rule.purposes.contains(&purpose));
        if is_stored && !is_in_everywhere(newest, (category, purpose), consent.taken_back()) {
            return None;
        }
        let at = newest.header().effective_at.moment().map_or(collected, |from| from.max(collected));
        let latest = newest.tolerated(rule.and_then(|rule| newest.document().retention_of(rule)), at);
        let by = format!("revision {}, which leaves no place for it", newest.rev());
        Some(Ending { at, latest, action: RetentionAction::Erase, by, is_exact: true })
    }

    /// Whether `part` is a part of something: a misspelled name would be taken for a promise that nothing keeps.
    fn check_part(&self, part: &Part) -> Result<(), Error> {
        if !part.is_partial() {
            return Err(Error::NotPartial);
        }
        if let Some(purpose) = part.purpose.filter(|purpose| self.consented_to(&[*purpose]).is_empty()) {
            return Err(Error::UnknownPurpose(purpose));
        }
        part.category.map_or(Ok(()), |category| self.require_category(category))?;
        part.processor.map_or(Ok(()), |processor| self.require_processor(processor))
    }

    /// Requires that some revision of the profile has `category`: a misspelled one would be taken for one of which there is nothing.
    ///
    /// # Errors
    /// [`Error::UnknownPart`].
    pub(crate) fn require_category(&self, category: Category) -> Result<(), Error> {
        let is_known = self.revisions().all().any(|profile| profile.category(category).is_some());
        if is_known { Ok(()) } else { Err(Error::UnknownPart { what: "category", name: category.0 }) }
    }

    /// Requires that some revision of the profile has `processor`.
    ///
    /// # Errors
    /// [`Error::UnknownPart`].
    pub(crate) fn require_processor(&self, processor: ProcessorId) -> Result<(), Error> {
        let is_known = self.revisions().all().any(|profile| profile.processor(processor).is_some());
        if is_known { Ok(()) } else { Err(Error::UnknownPart { what: "processor", name: processor.0 }) }
    }
}

/// Whether all of `part` is taken back.
fn is_taken_back(consent: &ConsentState, part: &Part) -> bool {
    consent.taken_back().any(|taken| taken.includes(part))
}

/// Has those of `scopes` that are parts be on their way to being taken back. What is in them has no standing of its own any more.
pub(super) fn take_back(consent: &mut ConsentState, scopes: &[Scope]) {
    for scope in scopes {
        if let Scope::Part(part) = scope {
            consent.parts.retain(|other, _| !part.includes(other));
            consent.parts.insert(*part, PartStatus::Withdrawing);
        }
    }
}

/// Nobody has anything of `part` any more.
pub(super) fn took_back(consent: &mut ConsentState, part: &Part) {
    if let Some(status) = consent.parts.get_mut(part) {
        *status = PartStatus::Withdrawn;
    }
}

/// Has `consent`, at the version `at`, give `parts` again, each with all that was taken back in it; what that was.
pub(super) fn give_again(consent: &mut ConsentState, parts: &[Part], at: ConsentVersion) -> Result<Vec<Part>, Error> {
    let mut again = Vec::new();
    for part in parts {
        let of_it: Vec<_> = consent.taken_back().filter(|taken| part.includes(taken)).collect();
        if of_it.is_empty() {
            return Err(Error::NotTakenBack(Box::new(*part)));
        }
        consent.parts.extend(of_it.iter().map(|taken| (*taken, PartStatus::GivenAgain(at))));
        again.extend(of_it);
    }
    Ok(again)
}

/// What somebody with `consent` agrees to that one of `parts` is of.
pub(super) fn agreed_in(consent: &ConsentState, parts: &[Part]) -> Vec<Purpose> {
    let is_in = |purpose: &Purpose| parts.iter().any(|part| part.purpose.is_none_or(|one| one == *purpose));
    let agreed = consent.consents.iter().filter(|(_, consent)| consent.status.is_valid());
    agreed.map(|(purpose, _)| *purpose).filter(is_in).collect()
}
