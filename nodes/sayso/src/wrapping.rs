//! `sayso vault`: what wraps people's keys, on a running node.

use std::process::ExitCode;

use anyhow::{Context, Result};
use sayso_proto::admin::v1::keys_client::KeysClient;
use sayso_proto::admin::v1::{GetKeysRequest, KeyWrapping, RotateKeysRequest};
use serde_json::{Value, json};

use crate::cli::{VaultArgs, VaultCommand};
use crate::serve::runtime;
use crate::{operator, output};

pub(crate) fn run(args: &VaultArgs) -> Result<ExitCode> {
    let (VaultCommand::Show(at) | VaultCommand::Rotate(at)) = &args.command;
    let asked = async {
        let mut client = KeysClient::new(operator::to(&at.node).await?);
        Ok::<_, anyhow::Error>(match &args.command {
            VaultCommand::Show(_) => {
                let given = client.get(GetKeysRequest {}).await.context("the node does not say what wraps its keys")?;
                shown(given.into_inner().wrapping, None)
            }
            VaultCommand::Rotate(_) => {
                let rotated = client.rotate(RotateKeysRequest {}).await;
                let rotated =
                    rotated.context("it is not known whether the key was changed; `sayso vault show` says")?;
                let rotated = rotated.into_inner();
                shown(rotated.wrapping, Some(rotated.people))
            }
        })
    };
    output::shown(&runtime()?.block_on(asked)?, at.json, "", told)?;
    Ok(ExitCode::SUCCESS)
}

fn shown(wrapping: Option<KeyWrapping>, people: Option<u64>) -> Value {
    let KeyWrapping { shard_key, kek_sha256, rotating, purge_due } = wrapping.unwrap_or_default();
    let mut shown = json!({
        "shard_key": shard_key,
        "kek_sha256": hex::encode(kek_sha256),
        "rotating": rotating,
        "purge_due": purge_due,
    });
    if let Some(people) = people {
        shown["people"] = people.into();
    }
    shown
}

/// In a line, for people.
fn told(wrapping: &Value) -> String {
    let (shard_key, kek) = (&wrapping["shard_key"], output::text(wrapping, "kek_sha256"));
    let rotating = match wrapping["rotating"] == true {
        true => "; the one before is still there: `sayso vault rotate` finishes what was begun",
        false => "",
    };
    let purge = match wrapping["purge_due"] == true {
        true => "; what was wrapped before is still on disks: `sayso vault show` says when it is on none",
        false => "",
    };
    let people = match wrapping["people"].as_u64() {
        Some(people) => format!("the keys of {people} people were wrapped anew\n"),
        None => String::new(),
    };
    format!("{people}shard key {shard_key}, under the key encryption key whose version is {kek}{rotating}{purge}")
}
