//! [`Question`]: what a service asks, checked against the policy and against what the service is.

use std::sync::Arc;

use sayso_audit::Actor;
use sayso_consent::{Ask, Denied, Loan, Register};
use sayso_policy::{Gate, Profile, Reason};
use sayso_proto::admin::v1 as proto;
use sayso_types::{Category, ProcessorId, Purpose, SubjectId, TurnId};

use crate::field;
use crate::operator::Operator;
use crate::principal::Principal;
use crate::refusal::Refusal;

/// A permit is renewed this often within its life, so that one lost renewal does not end it.
const RENEWALS_PER_LIFE: u32 = 3;

/// What became of a question.
pub(super) enum Answer {
    Given { loan: Loan, said: Box<proto::PermitGiven> },
    Denied(proto::PermitDenied),
    Refused(Refusal),
}

/// A question that can be decided.
struct Question {
    subject: SubjectId,
    purpose: Purpose,
    category: Category,
    processor: ProcessorId,
}

/// Answers what `service`, whom the log names as `by`, asks.
pub(super) async fn answer(register: Arc<Register>, service: Operator, by: Actor, ask: proto::AskPermit) -> Answer {
    let number = ask.question;
    let profile = register.profile();
    let question = match Question::read(&register, &service, &profile, ask).await {
        Ok(question) => question,
        Err(refusal) => return Answer::Refused(refusal),
    };
    match question.lent(&register, &profile, by).await {
        Ok(loan) => {
            let said = Box::new(question.given(number, &loan, &profile));
            Answer::Given { loan, said }
        }
        Err(Denied::Policy(reason)) => Answer::Denied(question.denied(number, reason, &profile)),
        Err(Denied::Busy { limit }) => Answer::Refused(Refusal::OverLimit { what: "permits", limit }),
        Err(Denied::TooMuch { .. }) => Answer::Refused(Refusal::DayOver),
        Err(Denied::Register(error)) => Answer::Refused(error.into()),
    }
}

impl Question {
    async fn read(
        register: &Register,
        service: &Operator,
        profile: &Profile,
        ask: proto::AskPermit,
    ) -> Result<Self, Refusal> {
        let unknown = |field, problem| Refusal::NotFound { field, problem };
        let processor: ProcessorId = field::id("processor", &ask.processor)?;
        service.must_be(processor)?;
        if profile.processor(processor).is_none() {
            return Err(unknown("processor", "the policy has no such receiver; check its id"));
        }
        let purpose: Purpose = field::id("purpose", &ask.purpose)?;
        if profile.purpose(purpose).is_none() {
            return Err(unknown("purpose", "the policy has no such purpose; check its name"));
        }
        let category: Category = field::id("category", &ask.category)?;
        if profile.category(category).is_none() {
            return Err(unknown("category", "the policy has no such category of data; check its name"));
        }
        let Principal { subject, .. } = Principal::find(register, service, ask.principal).await?;
        Ok(Self { subject, purpose, category, processor })
    }

    async fn lent(&self, register: &Arc<Register>, profile: &Profile, by: Actor) -> Result<Loan, Denied> {
        let Self { subject, purpose, category, processor } = *self;
        // what a service has of a person it has under what they agree to now; anything else is denied
        let cv = register.state(subject).await?.cv;
        let kind = profile.processor(processor).map(|receiver| receiver.kind);
        let gate = kind.map(Gate::of).ok_or(Denied::Policy(Reason::ProcessorState))?;
        register.lend(Ask { subject, turn: TurnId(0), purpose, category, cv, gate, processor }, by).await
    }

    fn given(&self, question: u64, loan: &Loan, profile: &Profile) -> proto::PermitGiven {
        let grounds = loan.grounds();
        let duties = grounds.obligations;
        let receiver = profile.processor(self.processor);
        let fields = receiver.and_then(|receiver| receiver.fields.get(&self.category)).cloned().unwrap_or_default();
        let millis = |time: core::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        proto::PermitGiven {
            question,
            permit_id: loan.id().to_vec(),
            lasts_ms: millis(loan.lasts()),
            renew_within_ms: millis(loan.lasts() / RENEWALS_PER_LIFE),
            subject_id: self.subject.to_string(),
            basis: format!("{:?}", grounds.basis),
            obligations: Some(proto::PermitObligations {
                no_store: duties.no_store,
                zeroise: duties.zeroise_at_turn_end,
                redact: duties.redact,
                only_fields: fields.into_iter().collect(),
                minor: duties.minor,
                bytes_max: loan.bytes_max(),
            }),
            policy_revision: profile.rev(),
        }
    }

    fn denied(&self, question: u64, reason: Reason, profile: &Profile) -> proto::PermitDenied {
        let basis = profile.purpose(self.purpose).map(|rule| format!("{:?}", rule.basis)).unwrap_or_default();
        proto::PermitDenied { question, reason: reason.as_str().to_owned(), basis, policy_revision: profile.rev() }
    }
}
