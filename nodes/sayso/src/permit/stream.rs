//! [`Stream`]: a service's stream to a node, with one permit.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures::stream;
use sayso_proto::admin::v1::hold_permits_request::Request;
use sayso_proto::admin::v1::hold_permits_response::Response;
use sayso_proto::admin::v1::permits_client::PermitsClient;
use sayso_proto::admin::v1::{
    AskPermit, HoldPermitsRequest, HoldPermitsResponse, LetGoOfPermit, PermitDenied, PermitGiven, RenewPermit,
};
use tokio::sync::mpsc;
use tonic::Streaming;

use crate::cli::{NodeArgs, PermitForArgs};
use crate::operator;

/// Requests that wait to be sent: a question, a renewal and the end.
const REQUESTS_MAX: usize = 4;

/// How long the node may take to say that it has put the end of the permit on record; it does so in any case.
const RECORDED_WITHIN: Duration = Duration::from_secs(10);

/// A service's stream to a node.
pub(super) struct Stream {
    requests: mpsc::Sender<HoldPermitsRequest>,
    responses: Streaming<HoldPermitsResponse>,
}

/// What a question comes to.
pub(super) enum Answer {
    Given(PermitGiven),
    Denied(PermitDenied),
}

impl Stream {
    pub(super) async fn open(node: &NodeArgs) -> Result<Self> {
        let (requests, waiting) = mpsc::channel(REQUESTS_MAX);
        let waiting = stream::unfold(waiting, |mut waiting| async { Some((waiting.recv().await?, waiting)) });
        let responses = PermitsClient::new(operator::to(node).await?).hold(waiting).await;
        let responses = responses.context("the node gives no permits")?.into_inner();
        Ok(Self { requests, responses })
    }

    /// Asks for what `what` says.
    pub(super) async fn ask(&mut self, what: &PermitForArgs) -> Result<Answer> {
        let PermitForArgs { person, purpose, category, processor } = what;
        let (purpose, category, processor) = (purpose.clone(), category.clone(), processor.clone());
        let principal = Some(operator::principal(person));
        // nothing uses it when it is only asked for, and a watchdog ends what else does
        let ask = AskPermit { question: 1, principal, purpose, category, processor, ends_by_itself: true };
        self.send(Request::Ask(ask)).await?;
        match self.next().await? {
            Some(Response::Given(given)) => Ok(Answer::Given(given)),
            Some(Response::Denied(denied)) => Ok(Answer::Denied(denied)),
            Some(Response::Refused(refused)) => bail!("{}", refused.message),
            _ => bail!("the node did not answer; try again"),
        }
    }

    /// Asks for a permit to be given for longer.
    pub(super) async fn renew(&self, permit: &[u8]) -> Result<()> {
        self.send(Request::Renew(RenewPermit { permit_id: permit.to_vec() })).await
    }

    /// Says that the permit is not used any more, and waits until that is on record. `uncounted` is whether something may have
    /// passed under it: how much, this program does not know.
    pub(super) async fn let_go(&mut self, permit: &[u8], uncounted: bool) -> Result<()> {
        let permit_id = permit.to_vec();
        self.send(Request::LetGo(LetGoOfPermit { permit_id, uncounted, ..LetGoOfPermit::default() })).await?;
        let recorded = async {
            loop {
                match self.next().await? {
                    Some(Response::Ended(_)) => return Ok(()),
                    Some(Response::Refused(refused)) => bail!("{}", refused.message),
                    Some(_) => {}
                    None => bail!("the connection was lost before the node had put the end of the permit on record"),
                }
            }
        };
        let recorded = tokio::time::timeout(RECORDED_WITHIN, recorded).await;
        recorded.context("the node has not put the end of the permit on record yet")?
    }

    /// What the node says next; [`None`] when it says no more.
    pub(super) async fn next(&mut self) -> Result<Option<Response>> {
        let said = self.responses.message().await.context("the stream of permits ended")?;
        Ok(said.and_then(|said| said.response))
    }

    async fn send(&self, request: Request) -> Result<()> {
        let request = HoldPermitsRequest { request: Some(request) };
        self.requests.send(request).await.ok().context("the stream of permits ended")
    }
}
