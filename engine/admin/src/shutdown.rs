//! The `Shutdown` service: the end of the service, for the operator of the node alone.

use std::sync::Arc;

use sayso_audit::AuditKey;
use sayso_consent::Register;
use sayso_consent::notices::{Draft, NoticeKind, Notices};
use sayso_consent::shutdown::{Error, Progress, Shutdown};
use sayso_proto::admin::v1 as proto;
use sayso_proto::admin::v1::shutdown_server::Shutdown as Service;
use sayso_types::{Name, WallTime};
use tonic::{Request, Response, Status};

use crate::access::Access;
use crate::notices::texts;
use crate::operator::Operator;
use crate::refusal::Refusal;

/// Serves the end of the service.
pub(crate) struct ShutdownService {
    pub(crate) register: Arc<Register>,
    pub(crate) access: Access,
    pub(crate) key: AuditKey,
}

impl ShutdownService {
    async fn announced(&self, request: proto::AnnounceShutdownRequest) -> Result<Shutdown, Refusal> {
        let draft = Draft {
            kind: NoticeKind::Shutdown,
            texts: texts(request.texts)?,
            by: (request.by_unix_ms > 0).then_some(WallTime(request.by_unix_ms)),
            channels: Notices::new(Arc::clone(&self.register)).usual_channels(),
        };
        Ok(self.register.announce_shutdown(draft).await?)
    }

    async fn progress(&self) -> Result<proto::ShutdownProgress, Refusal> {
        let Some(Progress { shutdown, pending }) = self.register.shutdown().await? else {
            return Err(Error::NotAnnounced.into());
        };
        let state = match (shutdown.started_at, shutdown.completed_at) {
            (None, _) => proto::ShutdownState::Announced,
            (Some(_), None) => proto::ShutdownState::Erasing,
            (Some(_), Some(_)) => proto::ShutdownState::Completed,
        };
        Ok(proto::ShutdownProgress {
            shutdown_id: shutdown.id.to_vec(),
            state: state.into(),
            notice_id: shutdown.notice.0.to_vec(),
            announced_unix_ms: shutdown.announced_at.0,
            not_before_unix_ms: shutdown.not_before.0,
            started_unix_ms: shutdown.started_at.map_or(0, |at| at.0),
            completed_unix_ms: shutdown.completed_at.map_or(0, |at| at.0),
            people: shutdown.people,
            pending,
            is_everybody: shutdown.is_everybody,
        })
    }
}

#[tonic::async_trait]
impl Service for ShutdownService {
    async fn announce(
        &self,
        request: Request<proto::AnnounceShutdownRequest>,
    ) -> Result<Response<proto::AnnounceShutdownResponse>, Status> {
        let operator = Operator::of(&request)?;
        operator.must_see_all()?;
        self.announced(request.into_inner()).await?;
        self.access.record(&operator, Name::constant("shutdown.announce"), 1).await?;
        let progress = Some(self.progress().await?);
        Ok(Response::new(proto::AnnounceShutdownResponse { progress }))
    }

    async fn start(
        &self,
        request: Request<proto::StartShutdownRequest>,
    ) -> Result<Response<proto::StartShutdownResponse>, Status> {
        let operator = Operator::of(&request)?;
        operator.must_see_all()?;
        let id = request.into_inner().shutdown_id;
        let malformed = |_| Refusal::invalid("shutdown_id", format_args!("an id has 16 bytes, this has {}", id.len()));
        let id = id.as_slice().try_into().map_err(malformed)?;
        self.register.start_shutdown(id, operator.actor(&self.key)).await.map_err(Refusal::from)?;
        let progress = Some(self.progress().await?);
        Ok(Response::new(proto::StartShutdownResponse { progress }))
    }

    async fn status(
        &self,
        request: Request<proto::ShutdownStatusRequest>,
    ) -> Result<Response<proto::ShutdownStatusResponse>, Status> {
        // what people were told, and what the log says, is no secret of anybody's
        Operator::of(&request)?;
        let progress = Some(self.progress().await?);
        Ok(Response::new(proto::ShutdownStatusResponse { progress }))
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let problem = error.to_string();
        match error {
            Error::Register(error) => error.into(),
            Error::Notice(error) => error.into(),
            Error::NotAnnounced => {
                Self::NotFound { field: "shutdown_id", problem: "no such end is announced; announce it" }
            }
            Error::Announced | Error::TooSoon { .. } | Error::Started => Self::NotNow { field: "shutdown_id", problem },
        }
    }
}
