//! `sayso store members`, `remove` and `lead`: the nodes of a cluster, as the one that serves says.

use std::process::ExitCode;

use anyhow::{Context, Result};
use sayso_proto::admin::v1::cluster_client::ClusterClient;
use sayso_proto::admin::v1::{
    ClusterMember, ClusterMembersRequest, ClusterMembersResponse, LeadRequest, MemberRole, RemoveMemberRequest,
};
use serde_json::{Value, json};
use tonic::transport::Channel;

use crate::cli::{MembersArgs, OneMemberArgs};
use crate::incident::word;
use crate::{operator, output};

pub(super) async fn list(args: &MembersArgs) -> Result<ExitCode> {
    tell(&mut client(args).await?, args).await
}

pub(super) async fn remove(args: &OneMemberArgs) -> Result<ExitCode> {
    let (mut client, node) = (client(&args.at).await?, args.member);
    client.remove(RemoveMemberRequest { node }).await.with_context(|| format!("node {node} is not removed"))?;
    output::note(format!("node {node} is removed: it stops when it hears of that, and does not come back"));
    tell(&mut client, &args.at).await
}

pub(super) async fn lead(args: &OneMemberArgs) -> Result<ExitCode> {
    let (mut client, node) = (client(&args.at).await?, args.member);
    client.lead(LeadRequest { node }).await.with_context(|| format!("node {node} does not lead"))?;
    tell(&mut client, &args.at).await
}

async fn client(args: &MembersArgs) -> Result<ClusterClient<Channel>> {
    Ok(ClusterClient::new(operator::to(&args.node).await?))
}

/// Prints who belongs to the cluster now.
async fn tell(client: &mut ClusterClient<Channel>, args: &MembersArgs) -> Result<ExitCode> {
    let listed = client.members(ClusterMembersRequest {}).await.context("the node does not say who belongs to it")?;
    let shown = shown(&listed.into_inner());
    if args.json {
        output::json(&shown)?
    } else {
        output::line(told(&shown))?
    }
    Ok(ExitCode::SUCCESS)
}

fn shown(listed: &ClusterMembersResponse) -> Value {
    let leader = listed.members.iter().find(|member| member.role() == MemberRole::Leader).map(|member| member.node);
    let members: Vec<_> = listed.members.iter().map(|member| one(member, listed.serving)).collect();
    json!({ "serving": listed.serving, "leader": leader, "members": members })
}

fn one(member: &ClusterMember, serving: u64) -> Value {
    json!({
        "node": member.node,
        "address": member.address,
        "role": word(member.role().as_str_name(), "MEMBER_ROLE_"),
        "serving": member.node == serving,
        "there": member.there,
        "behind": member.behind,
    })
}

/// In lines, for people.
fn told(shown: &Value) -> String {
    let members = shown["members"].as_array().into_iter().flatten();
    let lines = members.map(|member| {
        let does = match (output::text(member, "role"), member["serving"] == true) {
            ("leader", true) => "leads, serves",
            ("leader", false) => "leads",
            ("learner", _) => "follows only",
            (_, true) => "serves",
            (_, false) => "",
        };
        let away = if member["there"] == true { "" } else { "does not answer" };
        let behind = member["behind"].as_u64().filter(|behind| *behind > 0);
        let behind = behind.map_or_else(String::new, |behind| match behind {
            1 => "an entry behind".to_owned(),
            _ => format!("{behind} entries behind"),
        });
        let standing = [does, away, &behind].into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(", ");
        let (node, address) = (member["node"].as_u64().unwrap_or_default(), output::text(member, "address"));
        format!("node {node:<4}  {address:<21}  {standing}").trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_members_are_told_one_a_line() {
        let member = |node: u64, role: MemberRole, behind, there| ClusterMember {
            node,
            address: format!("10.0.0.{node}:4435"),
            role: role.into(),
            behind,
            there,
        };
        let members = vec![
            member(1, MemberRole::Voter, Some(0), true),
            member(2, MemberRole::Leader, Some(0), true),
            member(3, MemberRole::Voter, Some(12), false),
            member(4, MemberRole::Learner, None, true),
        ];
        let shown = shown(&ClusterMembersResponse { serving: 1, members });
        assert_eq!((&shown["leader"], &shown["members"][2]["behind"]), (&2.into(), &12.into()));
        let lines = "\
node 1     10.0.0.1:4435          serves
node 2     10.0.0.2:4435          leads
node 3     10.0.0.3:4435          does not answer, 12 entries behind
node 4     10.0.0.4:4435          follows only";
        assert_eq!(told(&shown), lines);
    }
}
