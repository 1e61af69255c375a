//! `sayso guardian`: how old a person is, and who answers for a child, on a running node.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use sayso_proto::admin::v1::guardians_client::GuardiansClient;
use sayso_proto::admin::v1::{
    AdvanceGuardianRequest, AgeBand, GetGuardianRequest, GuardianState, GuardianStep, Guardianship, SetAgeRequest,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tonic::transport::Channel;

use crate::cli::{Band, GuardianArgs, GuardianCommand, PersonArgs, WardArgs};
use crate::serve::runtime;
use crate::{operator, output};

pub(crate) fn run(args: &GuardianArgs) -> Result<ExitCode> {
    let (of, stands) = runtime()?.block_on(guardian(&args.command))?;
    let stands = stands.context("the node says nothing of the person")?;
    if of.json {
        output::json(&shown(&stands))?
    } else {
        output::line(told(&stands))?
    }
    Ok(ExitCode::SUCCESS)
}

async fn guardian(command: &GuardianCommand) -> Result<(&WardArgs, Option<Guardianship>)> {
    let nothing = Vec::new();
    Ok(match command {
        GuardianCommand::Show { of } => {
            let request = GetGuardianRequest { principal: Some(operator::principal(&of.person)) };
            let stands = client(&of.person).await?.get(request).await.context("the node does not say")?;
            (of, stands.into_inner().guardianship)
        }
        GuardianCommand::Age { of, band, until, evidence } => {
            let request = SetAgeRequest {
                principal: Some(operator::principal(&of.person)),
                age: age(*band).into(),
                until_month: until.map_or_else(String::new, |month| month.to_string()),
                evidence_sha256: sha256_of(evidence)?,
            };
            let stands = client(&of.person).await?.set_age(request).await.context("the age is not taken")?;
            (of, stands.into_inner().guardianship)
        }
        GuardianCommand::Request { of, method } => {
            (of, advance(of, GuardianStep::Request, method.to_string(), nothing).await?)
        }
        GuardianCommand::Verify { of, evidence } => {
            (of, advance(of, GuardianStep::Verify, String::new(), sha256_of(evidence)?).await?)
        }
        GuardianCommand::Fail { of } => (of, advance(of, GuardianStep::Fail, String::new(), nothing).await?),
    })
}

async fn advance(
    of: &WardArgs,
    step: GuardianStep,
    method: String,
    evidence_sha256: Vec<u8>,
) -> Result<Option<Guardianship>> {
    let principal = Some(operator::principal(&of.person));
    let request = AdvanceGuardianRequest { principal, step: step.into(), method, evidence_sha256 };
    let advanced = client(&of.person).await?.advance(request).await.context("the step is not taken")?;
    Ok(advanced.into_inner().guardianship)
}

async fn client(person: &PersonArgs) -> Result<GuardiansClient<Channel>> {
    Ok(GuardiansClient::new(operator::to(&person.node).await?))
}

fn sha256_of(evidence: &Path) -> Result<Vec<u8>> {
    let read = std::fs::read(evidence);
    let read = read.with_context(|| format!("cannot read the evidence {}", evidence.display()))?;
    Ok(Sha256::digest(&read).to_vec())
}

const fn age(band: Band) -> AgeBand {
    match band {
        Band::Under13 => AgeBand::Under13,
        Band::Under14 => AgeBand::Under14,
        Band::Under16 => AgeBand::Under16,
        Band::Under18 => AgeBand::Under18,
        Band::Adult => AgeBand::Adult,
    }
}

/// As the command line calls it.
const fn band_name(age: AgeBand) -> &'static str {
    match age {
        AgeBand::Unspecified | AgeBand::Unknown => "unknown",
        AgeBand::Under13 => "under13",
        AgeBand::Under14 => "under14",
        AgeBand::Under16 => "under16",
        AgeBand::Under18 => "under18",
        AgeBand::Adult => "adult",
    }
}

const fn state_name(state: GuardianState) -> &'static str {
    match state {
        GuardianState::Unspecified | GuardianState::None => "none",
        GuardianState::Requested => "requested",
        GuardianState::Verified => "verified",
        GuardianState::Failed => "failed",
    }
}

fn shown(stands: &Guardianship) -> Value {
    let some = |bytes: &[u8]| (!bytes.is_empty()).then(|| hex::encode(bytes));
    json!({
        "age": band_name(stands.age()),
        "age_ends": output::moment(stands.age_ends_unix_ms),
        "needs_guardian": stands.needs_guardian,
        "is_alone": stands.is_alone,
        "guardian": state_name(stands.state()),
        "guardian_id": some(&stands.guardian_id),
        "method": Some(&stands.method).filter(|method| !method.is_empty()),
        "since": output::moment(stands.since_unix_ms),
        "evidence_sha256": some(&stands.evidence_sha256),
    })
}

/// How a person stands in a few words, for people.
fn told(stands: &Guardianship) -> String {
    let until = output::moment(stands.age_ends_unix_ms).map_or_else(String::new, |end| format!(" until {end}"));
    let age = match stands.age() {
        AgeBand::Unspecified | AgeBand::Unknown => "of unknown age".to_owned(),
        AgeBand::Adult => "an adult".to_owned(),
        band => format!("{}{until}", band_name(band)),
    };
    let since = output::moment(stands.since_unix_ms).unwrap_or_default();
    let guardian = match stands.state() {
        GuardianState::Unspecified | GuardianState::None => "no guardian was asked for".to_owned(),
        state => format!("guardian {} ({}, {since})", state_name(state), stands.method),
    };
    let verdict = match (stands.is_alone, stands.needs_guardian, stands.state()) {
        (true, ..) => "nothing of theirs is processed",
        (false, true, GuardianState::Verified) => "their guardian decides",
        (false, true, _) => "nothing of theirs is processed before their age is said or a guardian is verified",
        (false, false, _) => "they decide themselves",
    };
    format!("{age}; {guardian}; {verdict}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_told_in_one_line() {
        let child = Guardianship {
            age: AgeBand::Under13.into(),
            age_ends_unix_ms: 1_796_083_200_000,
            needs_guardian: true,
            is_alone: true,
            ..Guardianship::default()
        };
        let alone = "under13 until 2026-12-01T00:00:00Z; no guardian was asked for; nothing of theirs is processed";
        assert_eq!(told(&child), alone);
        let guarded = Guardianship {
            is_alone: false,
            state: GuardianState::Verified.into(),
            method: "in_person".to_owned(),
            since_unix_ms: 1_796_083_200_000,
            age_ends_unix_ms: 0,
            ..child
        };
        assert_eq!(
            told(&guarded),
            "under13; guardian verified (in_person, 2026-12-01T00:00:00Z); their guardian decides"
        );
        assert_eq!(
            told(&Guardianship::default()),
            "of unknown age; no guardian was asked for; they decide themselves",
            "as this policy counts an unknown age"
        );
    }
}
