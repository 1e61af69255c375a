//! A service outside of the node, as its stream shows it.

use futures::stream;
use sayso_proto::admin::v1::hold_permits_request::Request;
use sayso_proto::admin::v1::hold_permits_response::Response;
use sayso_proto::admin::v1::permits_client::PermitsClient;
use sayso_proto::admin::v1::{
    AskPermit, HoldPermitsRequest, HoldPermitsResponse, LetGoOfPermit, PermitGiven, PermitRefused, Principal,
    RenewPermit,
};
use tokio::sync::mpsc;
use tonic::{Code, Status, Streaming};

use crate::node::{Client, Node, TENANT};
use crate::soon;

/// A stream of permits.
pub(crate) struct Service {
    requests: mpsc::Sender<HoldPermitsRequest>,
    responses: Streaming<HoldPermitsResponse>,
    asked: u64,
}

impl Service {
    /// One that is `processors`, for the people of [`TENANT`].
    pub(crate) async fn start(node: &Node, processors: &[&str]) -> Self {
        let identity = node.authority.service("campaign", Some(TENANT), processors);
        let client = node.client(Some(identity), None).await;
        Self::open(&client).await.unwrap()
    }

    pub(crate) async fn open(client: &Client) -> Result<Self, Status> {
        let (requests, waiting) = mpsc::channel(256);
        let waiting = stream::unfold(waiting, |mut waiting| async { Some((waiting.recv().await?, waiting)) });
        let responses = soon(PermitsClient::new(client.channel.clone()).hold(waiting)).await?.into_inner();
        Ok(Self { requests, responses, asked: 0 })
    }

    pub(crate) async fn send(&self, request: Request) {
        self.requests.send(HoldPermitsRequest { request: Some(request) }).await.unwrap();
    }

    pub(crate) async fn send_raw(&self, request: HoldPermitsRequest) {
        self.requests.send(request).await.unwrap();
    }

    pub(crate) async fn next(&mut self) -> Response {
        soon(self.responses.message()).await.unwrap().unwrap().response.unwrap()
    }

    /// Says that nothing more will be asked, and waits for the end of the stream.
    pub(crate) async fn finish(mut self) {
        drop(self.requests);
        assert_eq!(soon(self.responses.message()).await.unwrap(), None);
    }

    /// Asks about the person of `device`, by `purpose/category/processor`.
    pub(crate) async fn ask(&mut self, device: &str, what: &str) -> Response {
        self.asked += 1;
        self.send(Request::Ask(question(self.asked, device, what))).await;
        self.next().await
    }

    pub(crate) async fn given(&mut self, device: &str, what: &str) -> PermitGiven {
        match self.ask(device, what).await {
            Response::Given(given) => given,
            other => panic!("{what} is not given: {other:?}"),
        }
    }

    /// Why not.
    pub(crate) async fn denied(&mut self, device: &str, what: &str) -> String {
        match self.ask(device, what).await {
            Response::Denied(denied) => denied.reason,
            other => panic!("{what} is not denied: {other:?}"),
        }
    }

    /// The code of a refusal, and the field.
    pub(crate) async fn refused(&mut self) -> (Code, String) {
        match self.next().await {
            Response::Refused(refused) => shown(&refused),
            other => panic!("not refused: {other:?}"),
        }
    }

    pub(crate) async fn renew(&self, permit: &[u8]) {
        self.send(Request::Renew(RenewPermit { permit_id: permit.to_vec() })).await;
    }

    /// Says that one message of 70 bytes was sent and that is all.
    pub(crate) async fn let_go(&self, permit: &[u8]) {
        let permit_id = permit.to_vec();
        let let_go =
            LetGoOfPermit { permit_id, bytes: 70, pieces: 1, content_sha256: vec![3; 32], ..Default::default() };
        self.send(Request::LetGo(let_go)).await;
    }

    /// Lets go, and waits until that is on record.
    pub(crate) async fn ends(&mut self, permit: &[u8]) {
        self.let_go(permit).await;
        match self.next().await {
            Response::Ended(ended) => assert_eq!(ended.permit_id, permit),
            other => panic!("not ended: {other:?}"),
        }
    }

    /// Waits until it is told to stop; why.
    pub(crate) async fn revoked(&mut self, permit: &[u8]) -> String {
        match self.next().await {
            Response::Revoked(revoked) => {
                assert_eq!(revoked.permit_id, permit);
                revoked.reason
            }
            other => panic!("not revoked: {other:?}"),
        }
    }
}

/// What `purpose/category/processor` comes to as a question about the person of `device`.
pub(crate) fn question(question: u64, device: &str, what: &str) -> AskPermit {
    let [purpose, category, processor] = what.split('/').collect::<Vec<_>>().try_into().unwrap();
    let principal = Principal { device_id: device.to_owned(), ..Principal::default() };
    let (purpose, category, processor) = (purpose.to_owned(), category.to_owned(), processor.to_owned());
    AskPermit { question, principal: Some(principal), purpose, category, processor, ends_by_itself: false }
}

pub(crate) fn shown(refused: &PermitRefused) -> (Code, String) {
    let (code, field) = (Code::from(refused.code as i32), refused.field.clone());
    assert!(field.is_empty() || refused.message.starts_with(&field), "{}", refused.message);
    (code, field)
}
