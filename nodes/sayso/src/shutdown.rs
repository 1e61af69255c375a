//! `sayso shutdown`: the end of the service of a running node.

use std::process::ExitCode;

use anyhow::{Context, Result};
use sayso_proto::admin::v1::shutdown_client::ShutdownClient;
use sayso_proto::admin::v1::{
    AnnounceShutdownRequest, ShutdownProgress, ShutdownState, ShutdownStatusRequest, StartShutdownRequest,
};
use serde_json::{Value, json};
use tonic::transport::Channel;

use crate::cli::{NodeArgs, ShutdownArgs, ShutdownCommand};
use crate::notice::texts;
use crate::output::moment;
use crate::serve::runtime;
use crate::{operator, output};

pub(crate) fn run(args: &ShutdownArgs) -> Result<ExitCode> {
    let (progress, json) = runtime()?.block_on(step(&args.command))?;
    let progress = progress.context("the node does not say how far it is")?;
    if json {
        output::json(&shown(&progress))?
    } else {
        output::line(told(&progress))?
    }
    Ok(ExitCode::SUCCESS)
}

async fn step(command: &ShutdownCommand) -> Result<(Option<ShutdownProgress>, bool)> {
    Ok(match command {
        ShutdownCommand::Announce { node, texts: said, by, json } => {
            let by_unix_ms = by.map_or(0, |by| u64::try_from(by.as_millisecond()).unwrap_or(0));
            let request = AnnounceShutdownRequest { texts: texts(said)?, by_unix_ms };
            let announced = client(node).await?.announce(request).await.context("the end is not announced")?;
            (announced.into_inner().progress, *json)
        }
        ShutdownCommand::Start { node, shutdown, json } => {
            let id = hex::decode(shutdown).ok().filter(|id| id.len() == 16);
            let shutdown_id =
                id.with_context(|| format!("SHUTDOWN {shutdown:?} is not 32 hexadecimal digits, as `status` prints"))?;
            let started = client(node).await?.start(StartShutdownRequest { shutdown_id }).await;
            (started.context("the service is not ended")?.into_inner().progress, *json)
        }
        ShutdownCommand::Status { node, json } => {
            let status = client(node).await?.status(ShutdownStatusRequest {}).await.context("there is no status")?;
            (status.into_inner().progress, *json)
        }
    })
}

async fn client(node: &NodeArgs) -> Result<ShutdownClient<Channel>> {
    Ok(ShutdownClient::new(operator::to(node).await?))
}

fn told(progress: &ShutdownProgress) -> String {
    let (id, at) = (hex::encode(&progress.shutdown_id), |ms| moment(ms).unwrap_or_default());
    let erased = progress.people.saturating_sub(progress.pending);
    match progress.state() {
        ShutdownState::Completed => {
            format!("{id}  completed at {}: everything of {erased} people is erased", at(progress.completed_unix_ms))
        }
        ShutdownState::Erasing => {
            let more = if progress.is_everybody { "" } else { ", and more to come" };
            let (started, people) = (at(progress.started_unix_ms), progress.people);
            format!("{id}  started at {started}: everything of {erased} of {people} people is erased{more}")
        }
        ShutdownState::Announced | ShutdownState::Unspecified => {
            let (notice, from) = (hex::encode(&progress.notice_id), at(progress.not_before_unix_ms));
            format!("{id}  announced by notice {notice}; may be started from {from} on")
        }
    }
}

fn shown(progress: &ShutdownProgress) -> Value {
    let at = |ms: u64| (ms > 0).then(|| moment(ms)).flatten();
    json!({
        "shutdown": hex::encode(&progress.shutdown_id),
        "state": progress.state().as_str_name().trim_start_matches("SHUTDOWN_STATE_").to_lowercase(),
        "notice": hex::encode(&progress.notice_id),
        "announced_at": at(progress.announced_unix_ms),
        "not_before": at(progress.not_before_unix_ms),
        "started_at": at(progress.started_unix_ms),
        "completed_at": at(progress.completed_unix_ms),
        "people": progress.people,
        "pending": progress.pending,
        "is_everybody": progress.is_everybody,
    })
}
