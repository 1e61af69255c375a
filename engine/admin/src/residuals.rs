//! What receivers may still have, over everybody: a page of the list, as the `Rights` service gives it.

use core::fmt;
use core::str::FromStr;

use sayso_audit::Reference;
use sayso_consent::erasure::OpenResidual;
use sayso_proto::admin::v1 as proto;
use sayso_types::{Name, SubjectId};

use crate::field;
use crate::operator::Operator;
use crate::refusal::Refusal;
use crate::rights::RightsService;

/// The erasure after which the next page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place(SubjectId, Reference);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.0, self.1)
    }
}

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (subject, erasure) = text.split_once('-').ok_or(())?;
        let erasure: SubjectId = erasure.parse().map_err(drop)?;
        Ok(Self(subject.parse().map_err(drop)?, Reference(erasure.0)))
    }
}

impl RightsService {
    pub(crate) async fn residuals(
        &self,
        operator: &Operator,
        request: proto::ListResidualsRequest,
    ) -> Result<proto::ListResidualsResponse, Refusal> {
        let tenant = operator.scope("tenant_id", &request.tenant_id)?;
        let from = field::page_token::<Place>(&request.page_token)?.map(|Place(subject, erasure)| (subject, erasure));
        let (open, next) = self.register.open_residuals(tenant.as_ref(), from).await?;
        self.access.record(operator, Name::constant("rights.residuals"), open.len()).await?;
        let next_page_token = next.map_or_else(String::new, |(subject, erasure)| Place(subject, erasure).to_string());
        Ok(proto::ListResidualsResponse { residuals: open.into_iter().map(shown).collect(), next_page_token })
    }
}

fn shown(open: OpenResidual) -> proto::OpenResidual {
    let OpenResidual { subject, tenant, erasure, category, certified_at, processor, party, told_at, until } = open;
    proto::OpenResidual {
        subject_id: subject.to_string(),
        tenant_id: tenant.map_or_else(String::new, |tenant| tenant.to_string()),
        erasure_id: erasure.0.to_vec(),
        category: category.map_or_else(String::new, |category| category.to_string()),
        certified_unix_ms: certified_at.0,
        processor: processor.to_string(),
        party,
        told_unix_ms: told_at.map_or(0, |at| at.0),
        until_unix_ms: until.map_or(0, |at| at.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_is_given() {
        let place = Place(SubjectId([7; 16]), Reference([0xab; 16]));
        assert_eq!(place.to_string().parse(), Ok(place));
        for wrong in ["-", "07", "07-ab", "07070707070707070707070707070707-ab"] {
            assert_eq!(wrong.parse::<Place>(), Err(()), "{wrong}");
        }
    }
}
