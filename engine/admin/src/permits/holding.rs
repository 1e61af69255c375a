//! [`Holding`]: one service's stream, and the permits that it has.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use futures::StreamExt;
use futures::future::{BoxFuture, FutureExt};
use futures::stream::FuturesUnordered;
use sayso_audit::{Actor, Reference};
use sayso_consent::{Error, Loan, Register};
use sayso_policy::Passed;
use sayso_proto::admin::v1 as proto;
use sayso_proto::admin::v1::hold_permits_request::Request;
use sayso_proto::admin::v1::hold_permits_response::Response;
use sayso_types::Name;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::Streaming;

use super::question::{Answer, answer};
use crate::access::Access;
use crate::operator::Operator;
use crate::options::Limits;
use crate::refusal::Refusal;
use crate::{field, kept};

type Id = [u8; 16];

/// What became of a request, once that took a while.
enum Done {
    Answered(u64, Answer),
    Renewed(Id, Result<Option<core::time::Duration>, Error>),
    /// Whether it had such a permit.
    LetGo(Id, Result<bool, Error>),
    Read(Id, Result<proto::KeptUnderPermit, Refusal>),
}

/// What became of a permit by itself.
enum Turn {
    Revoked(Id, &'static str),
    /// It is over, and not because its holder said so.
    Over(Id),
    /// Nobody is interested any more.
    Forgotten,
}

/// A permit that the service has.
struct Held {
    loan: Loan,
    /// Ends the watch over it.
    _watched: DropGuard,
}

/// A service's stream. Dropping it ends no permit: the service may not have noticed. It lets go of them on another.
pub(super) struct Holding {
    register: Arc<Register>,
    service: Operator,
    by: Actor,
    access: Access,
    questions_max: usize,
    permits_max: usize,
    /// [`None`] when the service has said all that it will.
    asked: Option<Streaming<proto::HoldPermitsRequest>>,
    /// Numbers of the questions that are being answered.
    questions: BTreeSet<u64>,
    permits: HashMap<Id, Held>,
    under_way: FuturesUnordered<BoxFuture<'static, Done>>,
    turns: FuturesUnordered<BoxFuture<'static, Turn>>,
}

impl Holding {
    pub(super) fn new(
        register: Arc<Register>,
        service: Operator,
        by: Actor,
        access: Access,
        limits: &Limits,
        asked: Streaming<proto::HoldPermitsRequest>,
    ) -> Self {
        Self {
            register,
            service,
            by,
            access,
            questions_max: limits.questions_per_permit_stream,
            permits_max: limits.permits_per_stream,
            asked: Some(asked),
            questions: BTreeSet::new(),
            permits: HashMap::new(),
            under_way: FuturesUnordered::new(),
            turns: FuturesUnordered::new(),
        }
    }

    /// What the service is told next; [`None`] when the stream ends.
    pub(super) async fn next(&mut self) -> Option<proto::HoldPermitsResponse> {
        loop {
            // a service that asks faster than it is answered waits before its own stream
            let has_room = self.under_way.len() < self.questions_max + self.permits_max;
            let said = match &mut self.asked {
                Some(asked) if has_room => Some(asked),
                Some(_) => None,
                None if self.under_way.is_empty() => return None,
                None => None,
            };
            let is_listening = said.is_some();
            let listen = async {
                match said {
                    Some(asked) => asked.message().await,
                    None => std::future::pending().await,
                }
            };
            let response = tokio::select! {
                biased;
                // what stops something comes first
                Some(turn) = self.turns.next() => self.turned(turn),
                Some(done) = self.under_way.next() => Some(self.done(done)),
                heard = listen, if is_listening => match heard {
                    Ok(Some(request)) => self.requested(request),
                    Ok(None) => {
                        self.asked = None;
                        None
                    }
                    // the connection is lost, or what came is no request
                    Err(_) => return None,
                },
                else => return None,
            };
            if let Some(response) = response {
                return Some(proto::HoldPermitsResponse { response: Some(response) });
            }
        }
    }

    /// Begins what is asked for; what is wrong with it.
    fn requested(&mut self, request: proto::HoldPermitsRequest) -> Option<Response> {
        match request.request {
            Some(Request::Ask(ask)) => {
                let question = ask.question;
                self.ask(ask).err().map(|refusal| refused(question, Vec::new(), refusal))
            }
            Some(Request::Renew(proto::RenewPermit { permit_id })) => {
                self.renew(&permit_id).err().map(|refusal| refused(0, permit_id, refusal))
            }
            Some(Request::ReadKept(read)) => {
                let permit_id = read.permit_id.clone();
                self.read_kept(&read).err().map(|refusal| refused(0, permit_id, refusal))
            }
            Some(Request::LetGo(let_go)) => {
                let permit_id = let_go.permit_id.clone();
                self.let_go(&let_go).err().map(|refusal| refused(0, permit_id, refusal))
            }
            None => Some(refused(0, Vec::new(), Refusal::invalid("request", "missing; ask, renew or let go"))),
        }
    }

    fn ask(&mut self, ask: proto::AskPermit) -> Result<(), Refusal> {
        let question = ask.question;
        if self.questions.contains(&question) {
            return Err(Refusal::invalid("question", format_args!("{question} is being answered; give each its own")));
        }
        if self.questions.len() >= self.questions_max {
            return Err(Refusal::OverLimit { what: "questions of a stream", limit: self.questions_max });
        }
        if self.permits.len() + self.questions.len() >= self.permits_max {
            return Err(Refusal::OverLimit { what: "permits of a stream", limit: self.permits_max });
        }
        self.questions.insert(question);
        let answered = answer(Arc::clone(&self.register), self.service.clone(), self.by, ask);
        self.under_way.push(answered.map(move |answer| Done::Answered(question, answer)).boxed());
        Ok(())
    }

    fn renew(&self, permit: &[u8]) -> Result<(), Refusal> {
        let id = id(permit)?;
        let loan = self.permits.get(&id).ok_or(UNKNOWN)?.loan.clone();
        self.under_way.push(async move { Done::Renewed(id, loan.renew().await) }.boxed());
        Ok(())
    }

    fn read_kept(&self, read: &proto::ReadKeptUnderPermit) -> Result<(), Refusal> {
        let id = id(&read.permit_id)?;
        let item = if read.item_id.is_empty() { None } else { Some(kept::item_id("item_id", &read.item_id)?) };
        let loan = self.permits.get(&id).ok_or(UNKNOWN)?.loan.clone();
        let (access, service) = (self.access.clone(), self.service.clone());
        let reading = async move { Done::Read(id, kept_under(&loan, item, &access, &service).await) };
        self.under_way.push(reading.boxed());
        Ok(())
    }

    fn let_go(&mut self, let_go: &proto::LetGoOfPermit) -> Result<(), Refusal> {
        let id = id(&let_go.permit_id)?;
        let hash = match let_go.content_sha256.as_slice() {
            [] => [0; 32],
            given => field::sha256("content_sha256", given)?,
        };
        if let_go.uncounted && (let_go.bytes, let_go.pieces) != (0, 0) {
            return Err(Refusal::invalid("uncounted", "bytes or pieces are counted; give either these or uncounted"));
        }
        let counted = Passed { bytes: let_go.bytes, pieces: let_go.pieces, hash };
        let passed = (!let_go.uncounted).then_some(counted);
        let (register, theirs) = (Arc::clone(&self.register), self.service.processors().clone());
        let held = self.permits.remove(&id);
        let let_go = async move {
            match held {
                Some(Held { loan, .. }) => loan.let_go(passed).await.map(|()| true),
                // one that it had on a stream which is lost
                None => register.let_go_elsewhere(id, &theirs, passed).await,
            }
        };
        self.under_way.push(let_go.map(move |let_go| Done::LetGo(id, let_go)).boxed());
        Ok(())
    }

    fn done(&mut self, done: Done) -> Response {
        match done {
            Done::Answered(question, answer) => {
                self.questions.remove(&question);
                match answer {
                    Answer::Given { loan, said } => {
                        self.hold(loan);
                        Response::Given(*said)
                    }
                    Answer::Denied(said) => Response::Denied(said),
                    Answer::Refused(refusal) => refused(question, Vec::new(), refusal),
                }
            }
            Done::Renewed(id, Ok(Some(lasts))) => {
                let lasts_ms = u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX);
                Response::Renewed(proto::PermitRenewed { permit_id: id.to_vec(), lasts_ms })
            }
            Done::Renewed(id, Ok(None)) => {
                let problem =
                    "it is not renewed: it was taken back, has run out, or is not allowed any more".to_owned();
                refused(0, id.to_vec(), Refusal::NotNow { field: "permit_id", problem })
            }
            Done::Read(_, Ok(kept)) => Response::Kept(kept),
            Done::Read(id, Err(refusal)) => refused(0, id.to_vec(), refusal),
            Done::LetGo(id, Ok(true)) => Response::Ended(proto::PermitEnded { permit_id: id.to_vec() }),
            Done::LetGo(id, Ok(false)) => refused(0, id.to_vec(), UNKNOWN),
            Done::Renewed(id, Err(error)) | Done::LetGo(id, Err(error)) => refused(0, id.to_vec(), error.into()),
        }
    }

    fn hold(&mut self, loan: Loan) {
        let id = loan.id();
        let forgotten = CancellationToken::new();
        let watched = forgotten.clone().drop_guard();
        let (watch, revoked, over) = (loan.clone(), loan.revocation(), loan.over());
        let turn = async move {
            tokio::select! {
                () = forgotten.cancelled() => Turn::Forgotten,
                () = over.cancelled() => Turn::Over(id),
                () = revoked.cancelled() => Turn::Revoked(id, watch.why().unwrap_or_default()),
            }
        };
        self.turns.push(turn.boxed());
        self.permits.insert(id, Held { loan, _watched: watched });
    }

    fn turned(&mut self, turn: Turn) -> Option<Response> {
        match turn {
            Turn::Revoked(id, reason) => {
                let held = self.permits.get(&id)?;
                // it stays with the stream until its holder lets go, or its time is over
                let over = held.loan.over();
                self.turns.push(async move { over.cancelled().await }.map(move |()| Turn::Over(id)).boxed());
                let reason = reason.to_owned();
                Some(Response::Revoked(proto::PermitRevoked { permit_id: id.to_vec(), reason }))
            }
            Turn::Over(id) => {
                self.permits.remove(&id)?;
                Some(Response::Ended(proto::PermitEnded { permit_id: id.to_vec() }))
            }
            Turn::Forgotten => None,
        }
    }
}

/// What `loan` lets `service` have of what is kept of the person; that it had it is on record.
async fn kept_under(
    loan: &Loan,
    item: Option<Reference>,
    access: &Access,
    service: &Operator,
) -> Result<proto::KeptUnderPermit, Refusal> {
    let unknown = Refusal::NotFound { field: "item_id", problem: "no such item under this permit, or not any more" };
    let (items, content): (Vec<_>, _) = match item {
        None => (loan.list_kept().await?.into_iter().map(|(_, one)| one).collect(), Vec::new()),
        Some(item) => {
            let one = loan.kept(item).await?.ok_or(unknown)?;
            let content = one.content.to_vec();
            (vec![one], content)
        }
    };
    access.record(service, Name::constant("permits.kept"), items.len()).await?;
    Ok(proto::KeptUnderPermit {
        permit_id: loan.id().to_vec(),
        items: items.iter().map(kept::shown).collect(),
        content,
    })
}

/// Also what was let go of before: whoever says so twice has mistaken one permit for another.
const UNKNOWN: Refusal = Refusal::NotFound {
    field: "permit_id",
    problem: "there is no such permit, or not any more; renewing it, and reading under it, is for the stream that asked for it",
};

pub(super) fn id(permit: &[u8]) -> Result<Id, Refusal> {
    let malformed = |_| Refusal::invalid("permit_id", format_args!("an id has 16 bytes, this has {}", permit.len()));
    permit.try_into().map_err(malformed)
}

fn refused(question: u64, permit_id: Vec<u8>, refusal: Refusal) -> Response {
    let field = refusal.field().unwrap_or_default().to_owned();
    let status = tonic::Status::from(refusal);
    let code = u32::try_from(i32::from(status.code())).unwrap_or_default();
    Response::Refused(proto::PermitRefused { question, permit_id, code, field, message: status.message().to_owned() })
}
