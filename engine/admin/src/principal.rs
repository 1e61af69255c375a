//! [`Principal`]: the person whom a call is about.

use sayso_consent::Register;
use sayso_proto::admin::v1 as proto;
use sayso_types::{SubjectId, TenantId};

use crate::field;
use crate::operator::Operator;
use crate::refusal::Refusal;

/// Whom a call is about.
pub(crate) struct Principal {
    pub(crate) tenant: TenantId,
    pub(crate) subject: SubjectId,
}

impl Principal {
    /// The person who is `named` by their device or their pseudonym, if `operator` may see them.
    pub(crate) async fn find(
        register: &Register,
        operator: &Operator,
        named: Option<proto::Principal>,
    ) -> Result<Self, Refusal> {
        let named = named.ok_or_else(|| Refusal::invalid("principal", "missing; name the device"))?;
        let tenant = operator.scope("principal.tenant_id", &named.tenant_id)?;
        let missing = || Refusal::invalid("principal.tenant_id", "missing; you see all tenants, so name one");
        let tenant = tenant.ok_or_else(missing)?;
        if !named.subject_id.is_empty() {
            let subject = field::id("principal.subject_id", &named.subject_id)?;
            let problem = "no such person of this tenant was ever here; check the id";
            let unknown = Refusal::NotFound { field: "principal.subject_id", problem };
            return match register.tenant_of(subject).await? {
                Some(theirs) if theirs == tenant => Ok(Self { tenant, subject }),
                _ => Err(unknown),
            };
        }
        let device = field::id("principal.device_id", &named.device_id)?;
        let problem = "no such device of this tenant was ever connected; check the id, or connect it once";
        let unknown = Refusal::NotFound { field: "principal.device_id", problem };
        let subject = register.find_subject(&tenant, &device).await?.ok_or(unknown)?;
        Ok(Self { tenant, subject })
    }
}
