//! [`Refusal`]: everything that a call can be refused for, and the one place where that becomes a gRPC status.

use sayso_consent::Error as RegisterError;
use sayso_types::{ProcessorId, TenantId};
use tonic::{Code, Status};

use crate::operator::Unproved;

/// Why a call is not answered as asked. The text names the field and says what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error(transparent)]
    Unproved(#[from] Unproved),
    #[error("{field}: you see only what belongs to tenant {own}; name it, or leave the field empty")]
    OtherTenant { field: &'static str, own: TenantId },
    #[error("this is for the operator of the node, whose certificate names no tenant; ask them")]
    OperatorOnly,
    #[error(
        "this is for services outside of the node, whose certificate names processors; sayso operator add makes one"
    )]
    ServiceOnly,
    #[error("a service's certificate is for asking for permits; use an operator's or a tenant's for this")]
    NotForServices,
    #[error("processor: your certificate is not for {0}; ask for one that it names, or have another issued")]
    OtherProcessor(ProcessorId),
    #[error("this is for the tenant whose person asked; call with a certificate or a token of theirs")]
    TenantOnly,
    #[error("{0}")]
    GrantOnly(String),
    #[error("{field}: {problem}")]
    Invalid { field: &'static str, problem: String },
    #[error("{field}: {problem}")]
    NotFound { field: &'static str, problem: &'static str },
    #[error("{field}: {problem}")]
    NotNow { field: &'static str, problem: String },
    #[error("{field}: it has changed meanwhile; read it and try again")]
    Changed { field: &'static str },
    #[error("from_index: the log has {size} leaves; start at one of them, or set follow to wait for the next")]
    PastTheEnd { size: u64 },
    #[error("{what} are at their limit of {limit}; end one, or try again later")]
    OverLimit { what: &'static str, limit: usize },
    #[error("as much goes to you today as the policy declares; ask again tomorrow, by UTC, or the operator for more")]
    DayOver,
    /// Its own text may name files of the node, which are no caller's business.
    #[error("the consent register could not do it ({}); {}", .0.code(), advice(.0))]
    Register(RegisterError),
    #[error("who leads the cluster did not answer ({reason}); it may have been done: look, and try again")]
    NoLeader { reason: String },
    #[error("the node is shutting down; connect to another one, or again when it is back")]
    ShuttingDown,
}

impl Refusal {
    pub(crate) fn invalid(field: &'static str, problem: impl core::fmt::Display) -> Self {
        Self::Invalid { field, problem: problem.to_string() }
    }

    /// The field of the request that it is about.
    pub(crate) const fn field(&self) -> Option<&'static str> {
        match self {
            Self::OtherTenant { field, .. }
            | Self::Invalid { field, .. }
            | Self::NotFound { field, .. }
            | Self::NotNow { field, .. }
            | Self::Changed { field } => Some(field),
            Self::OtherProcessor(_) => Some("processor"),
            Self::PastTheEnd { .. } => Some("from_index"),
            Self::Unproved(_)
            | Self::OperatorOnly
            | Self::ServiceOnly
            | Self::NotForServices
            | Self::TenantOnly
            | Self::GrantOnly(_)
            | Self::OverLimit { .. }
            | Self::DayOver
            | Self::Register(_)
            | Self::NoLeader { .. }
            | Self::ShuttingDown => None,
        }
    }

    const fn code(&self) -> Code {
        match self {
            Self::Unproved(_) => Code::Unauthenticated,
            Self::OtherTenant { .. } | Self::OperatorOnly | Self::OtherProcessor(_) => Code::PermissionDenied,
            Self::ServiceOnly | Self::NotForServices | Self::TenantOnly | Self::GrantOnly(_) => Code::PermissionDenied,
            Self::Invalid { .. } => Code::InvalidArgument,
            Self::NotFound { .. } => Code::NotFound,
            Self::NotNow { .. } => Code::FailedPrecondition,
            Self::Changed { .. } => Code::Aborted,
            Self::PastTheEnd { .. } => Code::OutOfRange,
            Self::OverLimit { .. } | Self::DayOver => Code::ResourceExhausted,
            Self::Register(RegisterError::Busy { .. }) => Code::ResourceExhausted,
            Self::Register(RegisterError::Damaged { .. } | RegisterError::Log(_)) => Code::DataLoss,
            Self::Register(_) | Self::NoLeader { .. } | Self::ShuttingDown => Code::Unavailable,
        }
    }
}

const fn advice(error: &RegisterError) -> &'static str {
    match error {
        RegisterError::Damaged { .. } | RegisterError::Log(_) => "the node's operator must restore its store",
        _ => "try again, and tell the node's operator if it lasts",
    }
}

impl From<RegisterError> for Refusal {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::Ended => {
                Self::NotNow { field: "service", problem: "it has ended: nothing can be agreed to any more".to_owned() }
            }
            RegisterError::UnknownPurpose(purpose) => {
                Self::invalid("purposes", format_args!("the profile asks no consent for {purpose}; check its name"))
            }
            RegisterError::UnknownPart { .. } | RegisterError::NotPartial => Self::invalid("parts", error),
            RegisterError::TooManyParts | RegisterError::NotTakenBack(_) => {
                Self::NotNow { field: "parts", problem: error.to_string() }
            }
            RegisterError::NotThrown(why) => why.into(),
            RegisterError::NotInstructed(why) => why.into(),
            RegisterError::Hold(error) => crate::holds::refused(error),
            RegisterError::Withdrawing { .. } | RegisterError::Silent(_) => {
                Self::NotNow { field: "purposes", problem: error.to_string() }
            }
            RegisterError::Closed | RegisterError::NoGuardian => {
                Self::NotNow { field: "principal", problem: error.to_string() }
            }
            RegisterError::UnknownSubject => Self::NotFound {
                field: "principal.subject_id",
                problem: "nobody is known by it, or not any more; check the id",
            },
            RegisterError::NothingToEnd => Self::NotNow { field: "purposes", problem: error.to_string() },
            RegisterError::OthersEvidence => Self::NotNow { field: "evidence_sha256", problem: error.to_string() },
            error => Self::Register(error),
        }
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let code = refusal.code();
        metrics::counter!("sayso_admin_refused_total", "code" => code_name(code)).increment(1);
        Self::new(code, refusal.to_string())
    }
}

/// Names in metrics of the codes that are in use.
const fn code_name(code: Code) -> &'static str {
    match code {
        Code::Unauthenticated => "unauthenticated",
        Code::PermissionDenied => "permission_denied",
        Code::InvalidArgument => "invalid_argument",
        Code::NotFound => "not_found",
        Code::FailedPrecondition => "failed_precondition",
        Code::Aborted => "aborted",
        Code::OutOfRange => "out_of_range",
        Code::ResourceExhausted => "resource_exhausted",
        Code::DataLoss => "data_loss",
        _ => "unavailable",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_register_says_of_its_files_stays_in_the_node() {
        let damaged = RegisterError::Damaged { what: "register", found: "secret".to_owned() };
        let status = Status::from(Refusal::Register(damaged));
        assert_eq!(status.code(), Code::DataLoss);
        assert_eq!(
            status.message(),
            "the consent register could not do it (store_damaged); the node's operator must restore its store"
        );
        let stopped = Status::from(Refusal::Register(RegisterError::Stopped));
        assert_eq!(stopped.code(), Code::Unavailable);
    }
}
