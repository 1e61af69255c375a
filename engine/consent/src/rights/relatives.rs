//! What relatives of somebody who has died may ask for (PIPL 49).

use sayso_audit::Actor;
use sayso_policy::profile::RightKind;
use sayso_types::SubjectId;

use super::request::Relative;
use super::{Desk, Error, Request};

impl Desk {
    /// Takes a request of a `relative` of `subject`, who has died: to see, to have a copy, to rectify or to erase. Nothing is
    /// handed out or changed before somebody has verified who asks, on the proofs whose hashes are kept. It is on record, with
    /// the day by which it is answered, when this returns.
    ///
    /// # Errors
    /// [`Error::NotForRelatives`], [`Error::SaidOtherwise`], or as [`receive`](Self::receive).
    pub async fn receive_from_relative(
        &self,
        subject: SubjectId,
        kind: RightKind,
        relative: Relative,
        by: Actor,
    ) -> Result<Request, Error> {
        if !matches!(kind, RightKind::Access | RightKind::Copy | RightKind::Rectify | RightKind::Erase) {
            return Err(Error::NotForRelatives);
        }
        self.receive_from(subject, kind, &[], Some(relative), by).await
    }
}
