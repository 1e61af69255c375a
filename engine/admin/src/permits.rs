//! The `Permits` service: services outside of the node ask before they move people's data, and stop when they are told to.

mod holding;
mod question;

use std::sync::Arc;

use futures::stream;
use sayso_audit::AuditKey;
use sayso_consent::Register;
use sayso_proto::admin::v1 as proto;
use sayso_proto::admin::v1::permits_server::Permits;
use tonic::{Request, Response, Status, Streaming};

use self::holding::Holding;
use crate::access::Access;
use crate::feed::{Feed, Feeds};
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
}
