//! `sayso notice`: people are told that something changes, from a running node.

use std::fmt::Write as _;
use std::fs;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use sayso_proto::admin::v1::notices_client::NoticesClient;
use sayso_proto::admin::v1::{
    GetNoticeRequest, GetNoticeResponse, ListNoticesRequest, Notice, NoticeChannel, NoticeKind, NoticeStanding,
    NoticeText, SendNoticeRequest,
};
use serde_json::{Value, json};
use tonic::transport::Channel;

use crate::cli::{NodeArgs, NoticeChannelArg, NoticeKindArg, NoticeToArgs, NoticeToCommand, SendNoticeArgs, TextsArgs};
use crate::output::moment;
use crate::serve::runtime;
use crate::{operator, output};

pub(crate) fn run(args: &NoticeToArgs) -> Result<ExitCode> {
    runtime()?.block_on(async {
        match &args.command {
            NoticeToCommand::Send(args) => {
                let sent = send(args).await?;
                if args.json { output::json(&shown(&sent)) } else { output::line(told(&sent)) }
            }
            NoticeToCommand::List { node, json } => {
                let listed = client(node).await?.list(ListNoticesRequest {}).await;
                let notices = listed.context("the node lists no notices")?.into_inner().notices;
                if *json {
                    output::json(&notices.iter().map(shown).collect::<Vec<_>>())
                } else {
                    notices.iter().try_for_each(|notice| output::line(told(notice)))
                }
            }
            NoticeToCommand::Status { node, notice, json } => {
                let status = status(node, notice).await?;
                if *json { output::json(&shown_status(&status)) } else { output::line(told_status(&status).trim_end()) }
            }
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn client(node: &NodeArgs) -> Result<NoticesClient<Channel>> {
    Ok(NoticesClient::new(operator::to(node).await?))
}

async fn send(args: &SendNoticeArgs) -> Result<Notice> {
    let kind = match args.kind {
        NoticeKindArg::Revision => NoticeKind::Revision,
        NoticeKindArg::ControllerChange => NoticeKind::ControllerChange,
        NoticeKindArg::Incident => NoticeKind::Incident,
        NoticeKindArg::Shutdown => NoticeKind::Shutdown,
    };
    let request = SendNoticeRequest {
        kind: kind.into(),
        texts: texts(&args.texts)?,
        tenant_id: args.tenant.as_ref().map_or_else(String::new, ToString::to_string),
        channels: args.channel.iter().map(|channel| wire(*channel).into()).collect(),
        by_unix_ms: args.by.map_or(0, |by| u64::try_from(by.as_millisecond()).unwrap_or(0)),
    };
    let sent = client(&args.node).await?.send(request).await.context("the notice is not sent")?;
    sent.into_inner().notice.context("the node says of no notice that it was sent")
}

const fn wire(channel: NoticeChannelArg) -> NoticeChannel {
    match channel {
        NoticeChannelArg::Device => NoticeChannel::Device,
        NoticeChannelArg::Tenant => NoticeChannel::Tenant,
        NoticeChannelArg::Page => NoticeChannel::Page,
    }
}

/// The texts that the command line names, one a language.
pub(crate) fn texts(args: &TextsArgs) -> Result<Vec<NoticeText>> {
    let mut texts: Vec<_> = args
        .say
        .iter()
        .map(|say| NoticeText { language: say.language.to_string(), spoken: say.value.clone(), written: String::new() })
        .collect();
    for write in &args.write {
        let (language, file) = (write.language.as_str(), &write.value);
        let written = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        match texts.iter_mut().find(|text| text.language == language) {
            Some(text) => text.written = written,
            None => bail!("--write {language}=...: there is no --say in that language"),
        }
    }
    Ok(texts)
}

async fn status(node: &NodeArgs, notice: &str) -> Result<GetNoticeResponse> {
    let id = hex::decode(notice).ok().filter(|id| id.len() == 16);
    let notice_id =
        id.with_context(|| format!("NOTICE {notice:?} is not 32 hexadecimal digits, as `send` and `list` print"))?;
    let got = client(node).await?.get(GetNoticeRequest { notice_id }).await.context("the node knows no such notice")?;
    Ok(got.into_inner())
}

pub(crate) fn told(notice: &Notice) -> String {
    let (id, kind) = (hex::encode(&notice.notice_id), word(notice.kind().as_str_name(), "NOTICE_KIND_"));
    let whom = match (notice.tenant_id.as_str(), notice.processor_id.as_str()) {
        ("", "") => "everybody".to_owned(),
        ("", processor) => format!("whoever comes to use {processor}"),
        (tenant, _) => tenant.to_owned(),
    };
    let (made, by) = (moment(notice.made_unix_ms), moment(notice.by_unix_ms));
    format!("{id}  {kind}, to {whom}, sent {}, by {}", made.unwrap_or_default(), by.unwrap_or_default())
}

fn told_status(status: &GetNoticeResponse) -> String {
    let mut text = status.notice.as_ref().map(told).unwrap_or_default();
    let more = if status.is_spreading { ", and more to come" } else { "" };
    write!(text, "\nsent to {} people{more}", status.people).expect("a string takes what is written");
    for tally in &status.tallies {
        let (standing, channel) = (standing(tally.standing()), channel(tally.channel()));
        let through = if channel.is_empty() { String::new() } else { format!(" ({channel})") };
        write!(text, "\n  {standing}{through}: {}", tally.people).expect("a string takes what is written");
    }
    text
}

fn shown(notice: &Notice) -> Value {
    let texts = notice.texts.iter().map(|text| {
        let written = (!text.written.is_empty()).then_some(&text.written);
        (text.language.clone(), json!({ "spoken": text.spoken, "written": written }))
    });
    json!({
        "notice": hex::encode(&notice.notice_id),
        "kind": word(notice.kind().as_str_name(), "NOTICE_KIND_"),
        "tenant": (!notice.tenant_id.is_empty()).then_some(&notice.tenant_id),
        "processor": (!notice.processor_id.is_empty()).then_some(&notice.processor_id),
        "channels": notice.channels().map(channel).collect::<Vec<_>>(),
        "sent_at": moment(notice.made_unix_ms),
        "by": moment(notice.by_unix_ms),
        "texts": texts.collect::<serde_json::Map<_, _>>(),
        "texts_sha256": hex::encode(&notice.texts_sha256),
    })
}

fn shown_status(status: &GetNoticeResponse) -> Value {
    let tallies = status.tallies.iter().map(|tally| {
        let channel = Some(channel(tally.channel())).filter(|channel| !channel.is_empty());
        json!({ "standing": standing(tally.standing()), "channel": channel, "people": tally.people })
    });
    json!({
        "notice": status.notice.as_ref().map(shown),
        "people": status.people,
        "is_spreading": status.is_spreading,
        "tallies": tallies.collect::<Vec<_>>(),
    })
}

fn standing(standing: NoticeStanding) -> String {
    word(standing.as_str_name(), "NOTICE_STANDING_")
}

fn channel(channel: NoticeChannel) -> String {
    match channel {
        NoticeChannel::Unspecified => String::new(),
        channel => word(channel.as_str_name(), "NOTICE_CHANNEL_"),
    }
}

fn word(name: &str, prefix: &str) -> String {
    name.trim_start_matches(prefix).to_lowercase()
}
