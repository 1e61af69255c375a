//! The `Sessions` service: live conversations, as far as they may be seen.

mod view;
mod watch;

use futures::stream;
use sayso_proto::admin::v1 as proto;
use sayso_proto::admin::v1::sessions_server::Sessions;
use sayso_session_actor::{ActorSessions, Snapshot};
use sayso_types::{DeviceId, Name, SessionId, TenantId};
use tonic::{Request, Response, Status};

use self::watch::Watcher;
use crate::access::Access;
use crate::feed::{Feed, Feeds};
use crate::field;
use crate::operator::Operator;
use crate::refusal::Refusal;

/// Sessions of a page whose size is not named.
const PAGE_USUAL: usize = 100;
/// Sessions of the largest page: at 300 bytes each, far below the 4 MB that clients accept unless told otherwise.
const PAGE_MAX: usize = 1_000;

/// Serves what is known of sessions.
pub(crate) struct SessionsService {
    pub(crate) sessions: ActorSessions,
    pub(crate) access: Access,
    pub(crate) feeds: Feeds,
}

/// Which sessions a call is about.
struct Filter {
    tenant: Option<TenantId>,
    device: Option<DeviceId>,
}

impl Filter {
    fn new(operator: &Operator, tenant_id: &str, device_id: &str) -> Result<Self, Refusal> {
        let tenant = operator.scope("tenant_id", tenant_id)?;
        Ok(Self { tenant, device: field::optional_id("device_id", device_id)? })
    }

    fn matches(&self, snapshot: &Snapshot) -> bool {
        self.tenant.as_ref().is_none_or(|tenant| *tenant == snapshot.tenant)
            && self.device.as_ref().is_none_or(|device| *device == snapshot.device)
    }
}

impl SessionsService {
    async fn page(
        &self,
        operator: &Operator,
        request: proto::ListSessionsRequest,
    ) -> Result<proto::ListSessionsResponse, Refusal> {
        let filter = Filter::new(operator, &request.tenant_id, &request.device_id)?;
        let size = field::page_size(request.page_size, PAGE_USUAL, PAGE_MAX)?;
        let after: Option<SessionId> = field::page_token(&request.page_token)?;
        let all = self.sessions.list();
        let mut rest = all.iter().filter(|s| after.is_none_or(|after| s.session > after) && filter.matches(s));
        let page: Vec<_> = rest.by_ref().take(size).collect();
        let more = rest.next().is_some();
        let last = page.last().filter(|_| more);
        let next_page_token = last.map(|last| last.session.to_string()).unwrap_or_default();
        self.access.record(operator, Name::constant("sessions.list"), page.len()).await?;
        Ok(proto::ListSessionsResponse { sessions: page.into_iter().map(view::session).collect(), next_page_token })
    }

    async fn one(&self, operator: &Operator, session_id: &str) -> Result<proto::Session, Refusal> {
        let id: SessionId = field::id("session_id", session_id)?;
        let snapshot = self.sessions.get(id).filter(|snapshot| operator.sees(&snapshot.tenant));
        let problem = "no such session is live; list them, or wait for its device to connect";
        let snapshot = snapshot.ok_or(Refusal::NotFound { field: "session_id", problem })?;
        self.access.record(operator, Name::constant("sessions.get"), 1).await?;
        Ok(view::session(&snapshot))
    }

    async fn feed(
        &self,
        operator: &Operator,
        request: proto::WatchSessionsRequest,
    ) -> Result<Feed<proto::WatchSessionsResponse>, Refusal> {
        let filter = Filter::new(operator, &request.tenant_id, &request.device_id)?;
        let slot = self.feeds.slot()?;
        let watcher = Watcher::new(self.sessions.clone(), filter, self.feeds.shutdown().clone());
        // One leaf a watch, also when there is nothing yet: what comes will be seen.
        self.access.record(operator, Name::constant("sessions.watch"), watcher.seen().max(1)).await?;
        let changes = stream::unfold(watcher, |mut watcher| async { Some((watcher.next().await, watcher)) });
        Ok(self.feeds.open(slot, operator, changes))
    }
}

#[tonic::async_trait]
impl Sessions for SessionsService {
    type WatchStream = Feed<proto::WatchSessionsResponse>;

    async fn list(
        &self,
        request: Request<proto::ListSessionsRequest>,
    ) -> Result<Response<proto::ListSessionsResponse>, Status> {
        let operator = Operator::of(&request)?;
        Ok(Response::new(self.page(&operator, request.into_inner()).await?))
    }

    async fn get(
        &self,
        request: Request<proto::GetSessionRequest>,
    ) -> Result<Response<proto::GetSessionResponse>, Status> {
        let operator = Operator::of(&request)?;
        let session = Some(self.one(&operator, &request.get_ref().session_id).await?);
        Ok(Response::new(proto::GetSessionResponse { session }))
    }

    async fn watch(
        &self,
        request: Request<proto::WatchSessionsRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let operator = Operator::of(&request)?;
        Ok(Response::new(self.feed(&operator, request.into_inner()).await?))
    }
}
