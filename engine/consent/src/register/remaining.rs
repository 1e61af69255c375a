//! What an erasure does not reach, and who answers for it that it remains.

use sayso_audit::{Actor, DeskEvent, Event, Reference};
use sayso_store::{Condition, Error as StoreError, Op, Range, TypedKey};
use sayso_types::{Name, SubjectId, TenantId};

use super::Register;
use crate::erasure::approval::{Approval, ApprovalError};
use crate::erasure::certificate::{self, Certificate, Residual};
use crate::erasure::open::OpenResidual;
use crate::tables::{CERTIFICATE, CertificateKey, RESIDUAL, ResidualKey};
use crate::{Entry, Error};

/// Certificates that are looked through at once for what remains: some hundred kilobytes, which hold nobody else up.
const CERTIFICATES_AT_ONCE: usize = 256;

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

    /// What receivers may still have for which nobody answers, of everybody's or of `tenant`'s people: what so many certificates
    /// say, from the one after `from` on, and after which one to go on, while there are more. The list may be empty all the same.
    ///
    /// # Errors
    /// As the store says.
    pub async fn open_residuals(
        &self,
        tenant: Option<&TenantId>,
        from: Option<(SubjectId, Reference)>,
    ) -> Result<(Vec<OpenResidual>, Option<(SubjectId, Reference)>), Error> {
        let mut range = Range::from(CertificateKey::table());
        if let Some((subject, erasure)) = from {
            range.start = CertificateKey { subject, erasure: erasure.0.to_vec() }.key().successor();
        }
        let page = self.store.scan(range, CERTIFICATES_AT_ONCE).await?;
        let (mut open, mut last) = (Vec::new(), None);
        for row in page.entries {
            let CertificateKey { subject, .. } = CertificateKey::parse(&row.key).map_err(StoreError::from)?;
            let (_, json) = CERTIFICATE.decode(&row.value).map_err(StoreError::from)?;
            let certificate = Certificate::parse(json)?;
            last = Some((subject, Reference(certificate.erasure)));
            open.extend(self.open_of(subject, tenant, &certificate).await?);
        }
        Ok((open, last.filter(|_| page.rest.is_some())))
    }

    /// The same of one certificate of `subject`.
    async fn open_of(
        &self,
        subject: SubjectId,
        tenant: Option<&TenantId>,
        certificate: &Certificate,
    ) -> Result<Vec<OpenResidual>, Error> {
        let (now, erasure) = (self.clock.wall(), Reference(certificate.erasure));
        let remains = certificate.residuals.iter().filter_map(|residual| match residual {
            Residual::Processor { id, party, until, told_at, .. } if until.is_none_or(|until| now < until) => {
                Some(OpenResidual {
                    subject,
                    tenant: None,
                    erasure,
                    category: certificate.category,
                    certified_at: certificate.certified_at,
                    processor: *id,
                    party: party.clone(),
                    told_at: *told_at,
                    until: *until,
                })
            }
            _ => None,
        });
        let mut remains: Vec<_> = remains.collect();
        if remains.is_empty() {
            return Ok(remains);
        }
        let whose = self.tenant_of(subject).await?;
        if tenant.is_some_and(|tenant| whose.as_ref() != Some(tenant)) {
            return Ok(Vec::new());
        }
        let approvals = self.approvals(subject, erasure).await?;
        remains.retain(|one| !approvals.iter().any(|approval| approval.residual == one.processor.0));
        remains.iter_mut().for_each(|one| one.tenant.clone_from(&whose));
        Ok(remains)
    }

    /// What deletes who answers for what a certificate says, which ends.
    pub(super) async fn end_approvals(&self, subject: SubjectId, erasure: &[u8]) -> Result<Vec<Op>, Error> {
        let prefix = ResidualKey::table().then(&subject).then(&erasure.to_vec());
        let rows = self.scan(prefix, RESIDUAL, |_| Ok(())).await?;
        Ok(rows.into_iter().map(|(key, ())| Op::Delete(key)).collect())
    }
}
