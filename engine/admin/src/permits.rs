//! The `Permits` service: services outside of the node ask before they move people's data, and stop when they are told to.
//! Operators say which of them are gone.

mod holding;
mod question;

use std::sync::Arc;

use futures::stream;
use sayso_audit::AuditKey;
use sayso_consent::{Error as RegisterError, Register};
use sayso_proto::admin::v1 as proto;
use sayso_proto::admin::v1::permits_server::Permits;
use tonic::{Request, Response, Status, Streaming};

use self::holding::Holding;
use crate::access::Access;
use crate::feed::{Feed, Feeds};
use crate::field;
use crate::operator::Operator;
use crate::options::Limits;
use crate::refusal::Refusal;

/// Serves services outside of the node.
pub(crate) struct PermitsService {
    pub(crate) register: Arc<Register>,
    pub(crate) key: AuditKey,
    pub(crate) access: Access,
    pub(crate) streams: Feeds,
    pub(crate) limits: Limits,
}

impl PermitsService {
    fn held(
        &self,
        service: Operator,
        asked: Streaming<proto::HoldPermitsRequest>,
    ) -> Result<Feed<proto::HoldPermitsResponse>, Refusal> {
        let slot = self.streams.slot()?;
        let by = service.actor(&self.key);
        let access = self.access.clone();
        let holding = Holding::new(Arc::clone(&self.register), service.clone(), by, access, &self.limits, asked);
        let answers = stream::unfold(holding, |mut holding| async { Some((Ok(holding.next().await?), holding)) });
        Ok(self.streams.open(slot, &service, answers))
    }

    async fn fenced(
        &self,
        operator: &Operator,
        request: &proto::FencePermitsRequest,
    ) -> Result<proto::FencePermitsResponse, Refusal> {
        operator.must_see_all()?;
        let processor = field::id("processor", &request.processor)?;
        let permit = Some(&request.permit_id).filter(|permit| !permit.is_empty()).map(|permit| holding::id(permit));
        let fenced = self.register.fence(processor, permit.transpose()?, operator.actor(&self.key)).await;
        let fenced = fenced.map_err(|error| match error {
            RegisterError::UnknownPart { .. } => Refusal::invalid("processor", error),
            error => error.into(),
        })?;
        Ok(proto::FencePermitsResponse { ended: fenced.ended as u64, left: fenced.left as u64 })
    }
}

#[tonic::async_trait]
impl Permits for PermitsService {
    type HoldStream = Feed<proto::HoldPermitsResponse>;

    async fn hold(
        &self,
        request: Request<Streaming<proto::HoldPermitsRequest>>,
    ) -> Result<Response<Self::HoldStream>, Status> {
        let service = Operator::service_of(&request)?;
        Ok(Response::new(self.held(service, request.into_inner())?))
    }

    async fn fence(
        &self,
        request: Request<proto::FencePermitsRequest>,
    ) -> Result<Response<proto::FencePermitsResponse>, Status> {
        let operator = Operator::of(&request)?;
        Ok(Response::new(self.fenced(&operator, request.get_ref()).await?))
    }
}
