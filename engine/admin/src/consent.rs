//! The `Consent` service: what people agreed to, gave and took back.

use core::time::Duration;
use std::sync::Arc;

use sayso_audit::{AuditKey, ConsentEnding, Reference};
use sayso_consent::record::part;
use sayso_consent::{Answer, Ending, Means, Question, Register};
use sayso_policy::ConsentStatus;
use sayso_proto::admin::v1 as proto;
use sayso_proto::admin::v1::consent_server::Consent;
use sayso_proto::consent::v1::{NoticeForm, WithdrawalState};
use sayso_types::{Clock, Name};
use tonic::{Request, Response, Status};

use crate::access::Access;
use crate::field;
use crate::operator::Operator;
use crate::principal::Principal;
use crate::refusal::Refusal;
use crate::withdrawal::{Taken, withdraw};

/// Records of a page whose size is not named.
const PAGE_USUAL: usize = 50;
/// Records of the largest page. One has a few kilobytes with a long profile: a page stays below the 4 MB that clients
/// accept unless told otherwise.
const PAGE_MAX: usize = 100;

/// How long a withdrawal is waited for when the call does not say.
const WAIT_USUAL: Duration = Duration::from_secs(5);
/// The longest that a call may wait for it; whoever wants to wait longer asks again.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// Serves the consent register.
pub(crate) struct ConsentService {
    pub(crate) register: Arc<Register>,
    pub(crate) access: Access,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) key: AuditKey,
}

impl ConsentService {
    async fn page(
        &self,
        operator: &Operator,
        request: proto::GetConsentRequest,
    ) -> Result<proto::GetConsentResponse, Refusal> {
        let size = field::page_size(request.page_size, PAGE_USUAL, PAGE_MAX)?;
        let end: Option<usize> = field::page_token(&request.page_token)?;
        let Principal { subject, .. } = Principal::find(&self.register, operator, request.principal).await?;
        let (state, mut records) = self.register.records(subject).await?;
        let mut withdrawals = if end.is_none() { self.register.withdrawals(subject).await? } else { Vec::new() };
        withdrawals.reverse();
        withdrawals.truncate(PAGE_MAX);
        // Records are only ever added at the end, so "those before this one" stays the same page.
        records.truncate(end.unwrap_or(records.len()));
        let mut page = records.split_off(records.len().saturating_sub(size));
        page.reverse();
        let next_page_token = if records.is_empty() { String::new() } else { records.len().to_string() };
        // How the person stands is a record of them too.
        self.access.record(operator, Name::constant("consent.get"), page.len().max(1)).await?;
        let permissions_off = self.register.permissions_off(subject).await?;
        let withdrawing = state.consents.iter().filter(|(_, c)| c.status == ConsentStatus::Withdrawing);
        Ok(proto::GetConsentResponse {
            subject_id: subject.to_string(),
            consent_version: state.cv.0,
            withdrawing: withdrawing.map(|(purpose, _)| purpose.to_string()).collect(),
            records: page,
            next_page_token,
            withdrawals,
            permissions_off: permissions_off.iter().map(ToString::to_string).collect(),
            taken_back: state.taken_back().map(|part| part::write(&part)).collect(),
        })
    }

    async fn record(
        &self,
        operator: &Operator,
        request: proto::GiveConsentRequest,
    ) -> Result<proto::GiveConsentResponse, Refusal> {
        let purposes = field::purposes(&request.purposes)?;
        if purposes.is_empty() {
            return Err(Refusal::invalid("purposes", "missing; name what the person agreed to"));
        }
        let spoken = match request.notice_form() {
            NoticeForm::Oral => true,
            NoticeForm::Screen => false,
            _ => return Err(Refusal::invalid("notice_form", "give SCREEN or ORAL: how the notice reached the person")),
        };
        let notice_sha256 = field::sha256("notice_sha256", &request.notice_sha256)?;
        let language = field::language("notice_language", &request.notice_language)?;
        let evidence_sha256 = field::sha256("evidence_sha256", &request.evidence_sha256)?;
        let (means, parts) = (means(&request)?, field::parts(&request.parts)?);
        let Principal { tenant, subject } = Principal::find(&self.register, operator, request.principal).await?;
        let question = Question::of(&purposes);
        let ids: Vec<_> = question.records().map(|(_, id)| id).collect();
        let answer = Answer {
            tenant,
            subject,
            status: ConsentStatus::Given,
            question,
            means,
            notice_sha256,
            language,
            spoken,
            evidence_sha256,
        };
        self.access.record(operator, Name::constant("consent.give"), ids.len()).await?;
        let state = self.register.record_with(&answer, &parts).await?;
        let (_, written) = self.register.records(subject).await?;
        let record = |id: &Reference| written.iter().find(|record| record.record_id == id.0).cloned();
        Ok(proto::GiveConsentResponse {
            subject_id: subject.to_string(),
            consent_version: state.cv.0,
            records: ids.iter().filter_map(record).collect(),
        })
    }

    async fn take_back(
        &self,
        operator: &Operator,
        request: proto::WithdrawConsentRequest,
    ) -> Result<proto::WithdrawConsentResponse, Refusal> {
        let (purposes, parts) = (field::purposes(&request.purposes)?, field::parts(&request.parts)?);
        if !(purposes.is_empty() || parts.is_empty()) {
            return Err(Refusal::invalid("parts", "a part is less than a purpose; give the one or the other"));
        }
        let wait = wait(request.wait_ms)?;
        let taken = if parts.is_empty() { Taken::Purposes(&purposes) } else { Taken::Parts(&parts) };
        let Principal { subject, .. } = Principal::find(&self.register, operator, request.principal).await?;
        // Side by side: nothing may hold up a withdrawal, and both leaves go to disk together.
        let recorded =
            self.access.record(operator, Name::constant("consent.withdraw"), (purposes.len() + parts.len()).max(1));
        let withdrawn = withdraw(&self.register, &*self.clock, subject, taken, wait);
        let (recorded, done) = tokio::join!(recorded, withdrawn);
        let done = recorded.and(done)?;
        Ok(proto::WithdrawConsentResponse {
            state: if done.ok { WithdrawalState::Ok } else { WithdrawalState::Pending }.into(),
            consent_version: done.state.cv.0,
            bytes_passed: done.bytes(),
            holders: done.holders,
            withdrawal_id: done.id.to_vec(),
        })
    }

    async fn end_it(
        &self,
        operator: &Operator,
        request: proto::EndConsentRequest,
    ) -> Result<proto::EndConsentResponse, Refusal> {
        let (how, what) = match request.ending() {
            proto::ConsentEnding::Revoked => (ConsentEnding::Revoked, Name::constant("consent.revoke")),
            proto::ConsentEnding::Invalidated => (ConsentEnding::Invalidated, Name::constant("consent.invalidate")),
            proto::ConsentEnding::Unspecified => {
                return Err(Refusal::invalid("ending", "give REVOKED or INVALIDATED"));
            }
        };
        let (purposes, wait) = (field::purposes(&request.purposes)?, wait(request.wait_ms)?);
        let ending = Ending { how, reason: field::id("reason", &request.reason)?, by: operator.actor(&self.key) };
        let Principal { subject, .. } = Principal::find(&self.register, operator, request.principal).await?;
        self.access.record(operator, what, purposes.len().max(1)).await?;
        let done = withdraw(&self.register, &*self.clock, subject, Taken::Ended(&purposes, ending), wait).await?;
        let records = self.register.ended_records(subject, &done, &purposes).await?;
        Ok(proto::EndConsentResponse {
            state: if done.ok { WithdrawalState::Ok } else { WithdrawalState::Pending }.into(),
            consent_version: done.state.cv.0,
            bytes_passed: done.bytes(),
            holders: done.holders,
            ending_id: done.id.to_vec(),
            record_ids: records.iter().map(|record| record.0.to_vec()).collect(),
        })
    }
}

/// How long a call waits for holders.
fn wait(ms: u32) -> Result<Duration, Refusal> {
    match Duration::from_millis(ms.into()) {
        Duration::ZERO => Ok(WAIT_USUAL),
        wait if wait <= WAIT_MAX => Ok(wait),
        _ => {
            let problem = format_args!("at most {}; ask again to wait longer", WAIT_MAX.as_millis());
            Err(Refusal::invalid("wait_ms", problem))
        }
    }
}

/// How the person agreed, as the integrator's evidence shows it.
fn means(request: &proto::GiveConsentRequest) -> Result<Means, Refusal> {
    use proto::EvidenceKind;
    let (is_guardians, kind) = (request.by_guardian, request.evidence_kind());
    if EvidenceKind::try_from(request.evidence_kind).is_err() {
        return Err(Refusal::invalid("evidence_kind", "there is no such kind; leave it out, or give one of the API's"));
    }
    if is_guardians && matches!(kind, EvidenceKind::DevicePermission | EvidenceKind::Implied) {
        return Err(Refusal::invalid("evidence_kind", "a guardian agrees in words; leave it out, or give a document"));
    }
    if kind != EvidenceKind::Implied && !request.act.is_empty() {
        return Err(Refusal::invalid("act", "only implied consent has one; leave it empty"));
    }
    Ok(match kind {
        EvidenceKind::Unspecified if is_guardians => Means::Guardian,
        EvidenceKind::Unspecified => Means::Integrator,
        EvidenceKind::Signed => Means::Document { is_signed: true, is_guardians },
        EvidenceKind::Written => Means::Document { is_signed: false, is_guardians },
        EvidenceKind::DevicePermission => Means::Permission,
        EvidenceKind::Implied => Means::Conduct(field::id("act", &request.act)?),
    })
}

#[tonic::async_trait]
impl Consent for ConsentService {
    async fn get(
        &self,
        request: Request<proto::GetConsentRequest>,
    ) -> Result<Response<proto::GetConsentResponse>, Status> {
        let operator = Operator::of(&request)?;
        Ok(Response::new(self.page(&operator, request.into_inner()).await?))
    }

    async fn give(
        &self,
        request: Request<proto::GiveConsentRequest>,
    ) -> Result<Response<proto::GiveConsentResponse>, Status> {
        let operator = Operator::of(&request)?;
        Ok(Response::new(self.record(&operator, request.into_inner()).await?))
    }

    async fn end(
        &self,
        request: Request<proto::EndConsentRequest>,
    ) -> Result<Response<proto::EndConsentResponse>, Status> {
        let operator = Operator::of(&request)?;
        Ok(Response::new(self.end_it(&operator, request.into_inner()).await?))
    }

    async fn withdraw(
        &self,
        request: Request<proto::WithdrawConsentRequest>,
    ) -> Result<Response<proto::WithdrawConsentResponse>, Status> {
        let operator = Operator::of(&request)?;
        Ok(Response::new(self.take_back(&operator, request.into_inner()).await?))
    }
}
