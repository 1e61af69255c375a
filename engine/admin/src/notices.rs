//! The `Notices` service: people are told that something changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::stream;
use sayso_audit::AuditKey;
use sayso_consent::Register;
use sayso_consent::notices::{
    Audience, Channel, Draft, Error, Notice, NoticeKind, Notices, Outgoing, Refused, Standing, Step, Tally, Text,
};
use sayso_proto::admin::v1 as proto;
use sayso_proto::admin::v1::notices_server::Notices as Service;
use sayso_types::{Name, NoticeId, WallTime};
use tonic::{Request, Response, Status};

use crate::access::Access;
use crate::feed::{Feed, Feeds};
use crate::field;
use crate::operator::Operator;
use crate::principal::Principal;
use crate::refusal::Refusal;

/// Serves notices to people.
pub(crate) struct NoticesService {
    pub(crate) register: Arc<Register>,
    pub(crate) notices: Notices,
    pub(crate) access: Access,
    pub(crate) key: AuditKey,
    pub(crate) feeds: Feeds,
}

impl NoticesService {
    async fn sent(&self, operator: &Operator, request: proto::SendNoticeRequest) -> Result<proto::Notice, Refusal> {
        let tenant = operator.scope("tenant_id", &request.tenant_id)?;
        let kind = kind(request.kind())?;
        let channels: Result<Vec<_>, _> = request.channels().map(channel).collect();
        let channels = Some(channels?).filter(|channels| !channels.is_empty());
        let draft = Draft {
            kind,
            texts: texts(request.texts)?,
            by: (request.by_unix_ms > 0).then_some(WallTime(request.by_unix_ms)),
            channels: channels.unwrap_or_else(|| self.notices.usual_channels()),
        };
        let notice = self.notices.send(draft, tenant).await?;
        self.access.record(operator, Name::constant("notices.send"), 1).await?;
        Ok(shown(&notice))
    }

    async fn listed(&self, operator: &Operator) -> Result<Vec<proto::Notice>, Refusal> {
        let all = self.notices.all().await?;
        Ok(all.iter().filter(|notice| sees(operator, notice)).map(shown).collect())
    }

    async fn got(&self, operator: &Operator, id: &[u8]) -> Result<proto::GetNoticeResponse, Refusal> {
        let notice = self.notices.get(notice_id(id)?).await?;
        if !sees(operator, &notice) {
            return Err(Error::Unknown.into());
        }
        let Tally { people, is_spreading, standings } = self.notices.tally(&notice).await?;
        let tallies = standings.into_iter().map(|(standing, people)| {
            let (standing, channel) = shown_standing(standing);
            proto::NoticeTally { standing: standing.into(), channel: channel.into(), people }
        });
        Ok(proto::GetNoticeResponse { notice: Some(shown(&notice)), people, is_spreading, tallies: tallies.collect() })
    }

    async fn watched(&self, operator: &Operator, tenant: &str) -> Result<Feed<proto::WatchNoticesResponse>, Refusal> {
        let tenant = operator.scope("tenant_id", tenant)?;
        let missing = || Refusal::invalid("tenant_id", "missing; you see all tenants, so name one");
        let tenant = tenant.ok_or_else(missing)?;
        let slot = self.feeds.slot()?;
        let outbox = self.notices.outbox(tenant).await?;
        let running = Some((outbox, self.access.clone(), operator.clone()));
        let source = stream::unfold(running, |running| async {
            let (mut outbox, access, operator) = running?;
            let next = async {
                let Some(next) = outbox.next().await? else { return Ok::<_, Refusal>(None) };
                access.record(&operator, Name::constant("notices.watch"), 1).await?;
                Ok(Some(outgoing(next)))
            };
            match next.await {
                Ok(next) => Some((Ok(next?), Some((outbox, access, operator)))),
                Err(refusal) => Some((Err(refusal), None)),
            }
        });
        Ok(self.feeds.open(slot, operator, source))
    }

    async fn reported(
        &self,
        operator: &Operator,
        request: proto::ReportNoticeRequest,
    ) -> Result<proto::NoticeStanding, Refusal> {
        let id = notice_id(&request.notice_id)?;
        let step = match request.outcome() {
            proto::NoticeOutcome::Delivered => Step::Delivered(Channel::Tenant),
            proto::NoticeOutcome::Failed => Step::Failed(Channel::Tenant),
            proto::NoticeOutcome::Unspecified => {
                return Err(Refusal::invalid("outcome", "missing; say what became of the notice"));
            }
        };
        let Principal { subject, .. } = Principal::find(&self.register, operator, request.principal).await?;
        let delivery = self.notices.step(subject, id, step, operator.actor(&self.key)).await?;
        Ok(shown_standing(delivery.standing(&self.notices.get(id).await?)).0)
    }
}

#[tonic::async_trait]
impl Service for NoticesService {
    type WatchStream = Feed<proto::WatchNoticesResponse>;

    async fn send(
        &self,
        request: Request<proto::SendNoticeRequest>,
    ) -> Result<Response<proto::SendNoticeResponse>, Status> {
        let operator = Operator::of(&request)?;
        let notice = Some(self.sent(&operator, request.into_inner()).await?);
        Ok(Response::new(proto::SendNoticeResponse { notice }))
    }

    async fn list(
        &self,
        request: Request<proto::ListNoticesRequest>,
    ) -> Result<Response<proto::ListNoticesResponse>, Status> {
        let operator = Operator::of(&request)?;
        let notices = self.listed(&operator).await?;
        Ok(Response::new(proto::ListNoticesResponse { notices }))
    }

    async fn get(
        &self,
        request: Request<proto::GetNoticeRequest>,
    ) -> Result<Response<proto::GetNoticeResponse>, Status> {
        let operator = Operator::of(&request)?;
        Ok(Response::new(self.got(&operator, &request.into_inner().notice_id).await?))
    }

    async fn watch(&self, request: Request<proto::WatchNoticesRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let operator = Operator::of(&request)?;
        Ok(Response::new(self.watched(&operator, &request.into_inner().tenant_id).await?))
    }

    async fn report(
        &self,
        request: Request<proto::ReportNoticeRequest>,
    ) -> Result<Response<proto::ReportNoticeResponse>, Status> {
        let operator = Operator::of(&request)?;
        let standing = self.reported(&operator, request.into_inner()).await?.into();
        Ok(Response::new(proto::ReportNoticeResponse { standing }))
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::Register(error) => error.into(),
            Error::Unknown => {
                Self::NotFound { field: "notice_id", problem: "no such notice, or none for this person; list them" }
            }
            Error::TooMany => Self::OverLimit { what: "notices", limit: sayso_consent::notices::NOTICES_MAX },
            Error::Refused(refused) => refused.into(),
        }
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        // its text begins with the field
        let text = refused.to_string();
        let problem = text.split_once(": ").map_or(text.as_str(), |(_, problem)| problem).to_owned();
        let field = match refused {
            Refused::NoTime | Refused::TooSoon { .. } | Refused::TooLate { .. } => {
                return Self::NotNow { field: "by_unix_ms", problem };
            }
            Refused::Channels | Refused::NoPage => "channels",
            Refused::People => "people",
            _ => "texts",
        };
        Self::Invalid { field, problem }
    }
}

/// Whether `operator` may see `notice`: those of other tenants are none of a tenant's business.
fn sees(operator: &Operator, notice: &Notice) -> bool {
    match &notice.audience {
        Audience::Everybody | Audience::Introduced { .. } => true,
        Audience::Tenant(tenant) => operator.sees(tenant),
        Audience::People { .. } => operator.sees_all(),
    }
}

fn notice_id(bytes: &[u8]) -> Result<NoticeId, Refusal> {
    let malformed = |_| Refusal::invalid("notice_id", format_args!("an id has 16 bytes, this has {}", bytes.len()));
    bytes.try_into().map(NoticeId).map_err(malformed)
}

fn kind(kind: proto::NoticeKind) -> Result<NoticeKind, Refusal> {
    Ok(match kind {
        proto::NoticeKind::Revision => NoticeKind::Revision,
        proto::NoticeKind::ControllerChange => NoticeKind::ControllerChange,
        proto::NoticeKind::Incident => NoticeKind::Incident,
        proto::NoticeKind::Shutdown => NoticeKind::Shutdown,
        proto::NoticeKind::Disclosure => NoticeKind::Disclosure,
        proto::NoticeKind::TenantEnd => NoticeKind::TenantEnd,
        proto::NoticeKind::Introduction => {
            return Err(Refusal::invalid(
                "kind",
                "people are told of services by the node itself, when they come to use one",
            ));
        }
        proto::NoticeKind::Unspecified => {
            return Err(Refusal::invalid("kind", "missing; say why people are told"));
        }
    })
}

fn channel(channel: proto::NoticeChannel) -> Result<Channel, Refusal> {
    match channel {
        proto::NoticeChannel::Device => Ok(Channel::Device),
        proto::NoticeChannel::Tenant => Ok(Channel::Tenant),
        proto::NoticeChannel::Page => Ok(Channel::Page),
        proto::NoticeChannel::Unspecified => Err(Refusal::invalid("channels", "one of them is not said")),
    }
}

/// The texts, one a language.
pub(crate) fn texts(given: Vec<proto::NoticeText>) -> Result<BTreeMap<Name, Text>, Refusal> {
    let mut texts = BTreeMap::new();
    for proto::NoticeText { language, spoken, written } in given {
        let language: Name = field::id("texts.language", &language)?;
        if texts.insert(language, Text { spoken, written }).is_some() {
            return Err(Refusal::invalid(
                "texts",
                format_args!("{language} is there twice; write one in each language"),
            ));
        }
    }
    Ok(texts)
}

fn outgoing(outgoing: Outgoing) -> proto::WatchNoticesResponse {
    let Outgoing { since, subject, device, notice } = outgoing;
    proto::WatchNoticesResponse {
        notice: Some(shown(&notice)),
        subject_id: subject.to_string(),
        device_id: device.map_or_else(String::new, |device| device.to_string()),
        since_unix_ms: since.0,
    }
}

fn shown_standing(standing: Standing) -> (proto::NoticeStanding, proto::NoticeChannel) {
    match standing {
        Standing::Waiting(channel) => (proto::NoticeStanding::Waiting, shown_channel(channel)),
        Standing::Delivered(channel) => (proto::NoticeStanding::Delivered, shown_channel(channel)),
        Standing::NotReached => (proto::NoticeStanding::NotReached, proto::NoticeChannel::Unspecified),
    }
}

const fn shown_channel(channel: Channel) -> proto::NoticeChannel {
    match channel {
        Channel::Device => proto::NoticeChannel::Device,
        Channel::Tenant => proto::NoticeChannel::Tenant,
        Channel::Page => proto::NoticeChannel::Page,
    }
}

fn shown(notice: &Notice) -> proto::Notice {
    let kind = match notice.kind {
        NoticeKind::Revision => proto::NoticeKind::Revision,
        NoticeKind::ControllerChange => proto::NoticeKind::ControllerChange,
        NoticeKind::Incident => proto::NoticeKind::Incident,
        NoticeKind::Shutdown => proto::NoticeKind::Shutdown,
        NoticeKind::Disclosure => proto::NoticeKind::Disclosure,
        NoticeKind::TenantEnd => proto::NoticeKind::TenantEnd,
        NoticeKind::Introduction => proto::NoticeKind::Introduction,
    };
    let texts = notice.texts.iter().map(|(language, text)| proto::NoticeText {
        language: language.to_string(),
        spoken: text.spoken.clone(),
        written: text.written.clone(),
    });
    let (tenant_id, processor_id) = match &notice.audience {
        Audience::Tenant(tenant) => (tenant.to_string(), String::new()),
        Audience::Introduced { processor, .. } => (String::new(), processor.to_string()),
        Audience::Everybody | Audience::People { .. } => (String::new(), String::new()),
    };
    proto::Notice {
        notice_id: notice.id.0.to_vec(),
        kind: kind.into(),
        texts: texts.collect(),
        tenant_id,
        channels: notice.channels.iter().map(|channel| shown_channel(*channel).into()).collect(),
        made_unix_ms: notice.made_at.0,
        by_unix_ms: notice.by.0,
        texts_sha256: notice.sha256().0.to_vec(),
        processor_id,
    }
}
