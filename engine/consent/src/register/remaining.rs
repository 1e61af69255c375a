//! What an erasure does not reach, and who answers for it that it remains.

use sayso_audit::{Actor, DeskEvent, Event, Reference};
use sayso_store::{Condition, Error as StoreError, Op, TypedKey};
use sayso_types::{Name, SubjectId};

use super::Register;
use crate::erasure::approval::{Approval, ApprovalError};
use crate::erasure::certificate::{self, Certificate};
use crate::tables::{RESIDUAL, ResidualKey};
use crate::{Entry, Error};

impl Register {
    /// Puts on record that `by`, who acts as `actor`, answers for it that `residual` remains, which the certificate of `of` says,
    /// because of `reason`. Nothing is tried any more after a certificate: this says who knows that.
    ///
    /// # Errors
    /// [`ApprovalError`] says what is wrong; or as the store says.
    pub async fn approve_residual(
        &self,
        subject: SubjectId,
        of: Reference,
        (residual, reason): (Name, Name),
        (by, actor): (String, Actor),
    ) -> Result<Approval, ApprovalError> {
        let turn = self.lock(subject).await?;
        let json = self.certificate(subject, of).await?.ok_or(ApprovalError::NotCertified)?;
        let certificate = Certificate::parse(&json)?;
        let named: Vec<_> = certificate.residuals.iter().map(|one| one.name().to_string()).collect();
        if !named.contains(&residual.to_string()) {
            return Err(ApprovalError::NotThere(named.join(", ")));
        }
        let erasure = Reference(certificate.erasure);
        if let Some(before) = self.approvals(subject, erasure).await?.into_iter().find(|one| one.residual == residual) {
            return Err(ApprovalError::Approved { by: before.by });
        }
        let approval = Approval { residual, reason, by, at: self.clock.wall() };
        let certificate = certificate::hash(&json);
        let event = Event::Desk(DeskEvent::ResidualApproved { erasure, certificate, residual, reason });
        let row = ResidualKey { subject, erasure: erasure.0.to_vec(), residual: residual.to_string() }.key();
        let entry = Entry {
            require: vec![(row.clone(), Condition::Absent)],
            ops: vec![Op::Put(row, RESIDUAL.encode(&approval.encode()))],
            events: vec![turn.state.about(subject).by(actor, event)],
        };
        self.journal.append(entry).await?;
        metrics::counter!("sayso_residuals_approved_total").increment(1);
        Ok(approval)
    }

    /// Who answers for what remains after an `erasure` of `subject`.
    ///
    /// # Errors
    /// As the store says.
    pub async fn approvals(&self, subject: SubjectId, erasure: Reference) -> Result<Vec<Approval>, Error> {
        let prefix = ResidualKey::table().then(&subject).then(&erasure.0.to_vec());
        let rows = self.scan(prefix, RESIDUAL, |body| Ok(body.to_vec())).await?;
        let approval = |(key, body): (_, Vec<u8>)| {
            let ResidualKey { residual, .. } = ResidualKey::parse(&key).map_err(StoreError::from)?;
            let malformed = |_| Error::Damaged { what: "residual", found: "a key that is no name".into() };
            Approval::decode(residual.parse().map_err(malformed)?, &body)
        };
        rows.into_iter().map(approval).collect()
    }

    /// What deletes who answers for what a certificate says, which ends.
    pub(super) async fn end_approvals(&self, subject: SubjectId, erasure: &[u8]) -> Result<Vec<Op>, Error> {
        let prefix = ResidualKey::table().then(&subject).then(&erasure.to_vec());
        let rows = self.scan(prefix, RESIDUAL, |_| Ok(())).await?;
        Ok(rows.into_iter().map(|(key, ())| Op::Delete(key)).collect())
    }
}
