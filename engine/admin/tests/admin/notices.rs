//! Notices to people, from the door for integrators.

use sayso_consent::notices::Notices;
use sayso_proto::admin::v1::{
    GetNoticeRequest, ListNoticesRequest, NoticeChannel, NoticeKind, NoticeOutcome, NoticeStanding, NoticeText,
    Principal, ReportNoticeRequest, SendNoticeRequest, WatchNoticesRequest,
};
use tonic::Code;

use crate::device::attach;
use crate::node::{Node, TENANT};
use crate::{refused, soon};

/// In the year 2096.
const LATER_MS: u64 = 4_000_000_000_000;

fn text(language: &str, spoken: &str) -> NoticeText {
    NoticeText { language: language.to_owned(), spoken: spoken.to_owned(), written: String::new() }
}

/// A notice that goes to the tenant at once.
fn request() -> SendNoticeRequest {
    SendNoticeRequest {
        kind: NoticeKind::Revision.into(),
        texts: vec![text("en", "The terms change."), text("zh", "条款将变更。")],
        tenant_id: String::new(),
        channels: vec![NoticeChannel::Tenant.into()],
        by_unix_ms: LATER_MS,
    }
}

#[tokio::test]
async fn a_tenant_is_handed_what_to_tell_and_reports_it() {
    let node = Node::start().await;
    let _attached = attach(&node.sessions, TENANT, "speaker-1").await;
    let (client, other) = (node.integrator(TENANT).await, node.integrator("other").await);
    let mut watch = soon(client.notices().watch(WatchNoticesRequest::default())).await.unwrap().into_inner();
    let sent = soon(node.operator().await.notices().send(request())).await.unwrap().into_inner().notice.unwrap();
    Notices::new(node.register.clone()).look().await.unwrap();
    let handed = soon(watch.message()).await.unwrap().unwrap();
    assert_eq!((handed.notice.as_ref(), handed.device_id.as_str()), (Some(&sent), "speaker-1"));

    let report = ReportNoticeRequest {
        notice_id: sent.notice_id.clone(),
        principal: Some(Principal {
            tenant_id: String::new(),
            device_id: "speaker-1".to_owned(),
            ..Principal::default()
        }),
        outcome: NoticeOutcome::Delivered.into(),
    };
    let (code, said) = refused(other.notices().report(report.clone())).await;
    assert_eq!(code, Code::NotFound, "{said}");
    let standing = soon(client.notices().report(report)).await.unwrap().into_inner().standing();
    assert_eq!(standing, NoticeStanding::Delivered);
    let got = soon(client.notices().get(GetNoticeRequest { notice_id: sent.notice_id.clone() })).await.unwrap();
    let got = got.into_inner();
    assert_eq!((got.people, got.is_spreading, got.tallies.len()), (1, false, 1));
    assert_eq!(got.tallies[0].standing(), NoticeStanding::Delivered);
    let listed = soon(other.notices().list(ListNoticesRequest {})).await.unwrap().into_inner().notices;
    assert_eq!(listed, [sent], "it is for everybody");
    let told: Vec<_> = node.leaves().await.iter().map(|leaf| leaf.fact.event.name()).collect();
    for name in ["notice.sent", "notice.delivered", "operator.access"] {
        assert!(told.contains(&name), "{name}: {told:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_with_the_field_and_the_remedy() {
    let node = Node::start().await;
    let client = node.integrator(TENANT).await;
    let said = async |request: SendNoticeRequest| refused(client.notices().send(request)).await;
    let begins = |(code, said): (Code, String), expected: Code, text: &str| {
        assert!(code == expected && said.starts_with(text), "{code:?}: {said}");
    };
    let english = SendNoticeRequest { texts: vec![text("en", "The terms change.")], ..request() };
    begins(said(english).await, Code::InvalidArgument, "texts: there is none in `zh`");
    let twice = SendNoticeRequest { texts: vec![text("en", "One."), text("en", "Two.")], ..request() };
    begins(said(twice).await, Code::InvalidArgument, "texts: en is there twice");
    let no_kind = SendNoticeRequest { kind: 0, ..request() };
    begins(said(no_kind).await, Code::InvalidArgument, "kind: missing");
    let no_time = SendNoticeRequest { by_unix_ms: 0, ..request() };
    begins(said(no_time).await, Code::FailedPrecondition, "by_unix_ms: the policy gives no time");
    let others = SendNoticeRequest { tenant_id: "other".to_owned(), ..request() };
    begins(said(others).await, Code::PermissionDenied, "tenant_id: ");
    let unknown = refused(client.notices().get(GetNoticeRequest { notice_id: vec![0; 16] })).await;
    begins(unknown, Code::NotFound, "notice_id: no such notice");
    let operator = node.operator().await;
    let nobodys = refused(operator.notices().watch(WatchNoticesRequest::default())).await;
    begins(nobodys, Code::InvalidArgument, "tenant_id: missing");
}
