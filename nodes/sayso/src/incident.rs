//! `sayso incident`: what is done when data got where it should not, on a running node.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use sayso_proto::admin::v1::advance_incident_request::Step;
use sayso_proto::admin::v1::incidents_client::IncidentsClient;
use sayso_proto::admin::v1::{
    AdvanceIncidentRequest, AffectedPerson, AffectedRequest, Assessment, Contain, Incident, IncidentEnding,
    IncidentNotice, IncidentScope, ListIncidentsRequest, OpenIncidentRequest, SubjectsTold, Telling,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tonic::transport::Channel;

use crate::cli::{IncidentArgs, IncidentCommand, IncidentNode, OneArgs};
use crate::output::moment;
use crate::serve::runtime;
use crate::{operator, output, switch};

pub(crate) fn run(args: &IncidentArgs) -> Result<ExitCode> {
    runtime()?.block_on(incident(&args.command))?;
    Ok(ExitCode::SUCCESS)
}

async fn incident(command: &IncidentCommand) -> Result<()> {
    match command {
        IncidentCommand::Open { at, report, tenant, detected } => {
            let request = OpenIncidentRequest {
                tenant_id: tenant.as_ref().map_or_else(String::new, ToString::to_string),
                report: report.clone(),
                detected_unix_ms: detected.map(unix_ms).transpose()?.unwrap_or(0),
            };
            let opened = client(at).await?.open(request).await.context("the incident is not opened")?;
            print(at, opened.into_inner().incident.as_slice())
        }
        IncidentCommand::List { at, tenant } => {
            let tenant_id = tenant.as_ref().map_or_else(String::new, ToString::to_string);
            let (mut client, mut incidents, mut page_token) = (client(at).await?, Vec::new(), String::new());
            loop {
                let request = ListIncidentsRequest { tenant_id: tenant_id.clone(), page_size: 0, page_token };
                let page = client.list(request).await.context("the node lists no incidents")?.into_inner();
                incidents.extend(page.incidents);
                page_token = page.next_page_token;
                if page_token.is_empty() {
                    break;
                }
            }
            if at.json {
                return output::json(&incidents.iter().map(shown).collect::<Vec<_>>());
            }
            print(at, &incidents)
        }
        IncidentCommand::Assess { one, processor, category, consents, from, until } => {
            let scope = IncidentScope {
                processors: processor.iter().map(ToString::to_string).collect(),
                categories: category.iter().map(ToString::to_string).collect(),
                from_unix_ms: unix_ms(*from)?,
                until_unix_ms: unix_ms(*until)?,
                record_ids: consents.iter().map(|record| id(record)).collect::<Result<_>>()?,
            };
            advance(one, Step::Assess(scope)).await
        }
        IncidentCommand::Contain { one } => advance(one, Step::Contain(Contain {})).await,
        IncidentCommand::Notify { one, regulator, people } => match (regulator, people) {
            (Some(reference), _) => advance(one, Step::RegulatorTold(reference.clone())).await,
            (None, Some(file)) => advance(one, Step::SubjectsTold(SubjectsTold { notices: notices(file)? })).await,
            (None, None) => bail!("give --regulator or --people"),
        },
        IncidentCommand::Close { one, unfounded } => {
            let ending = if *unfounded { IncidentEnding::Unfounded } else { IncidentEnding::Handled };
            advance(one, Step::Close(ending.into())).await
        }
        IncidentCommand::Affected { one } => affected(one).await,
    }
}

async fn client(at: &IncidentNode) -> Result<IncidentsClient<Channel>> {
    Ok(IncidentsClient::new(operator::to(&at.node).await?))
}

async fn advance(one: &OneArgs, step: Step) -> Result<()> {
    let request = AdvanceIncidentRequest { incident_id: id(&one.incident)?, step: Some(step) };
    let advanced = client(&one.at).await?.advance(request).await.context("the step is not taken")?;
    print(&one.at, advanced.into_inner().incident.as_slice())
}

async fn affected(one: &OneArgs) -> Result<()> {
    let incident_id = id(&one.incident)?;
    let (mut client, mut people, mut page_token) = (client(&one.at).await?, Vec::new(), String::new());
    let (total, unnamed) = loop {
        let request = AffectedRequest { incident_id: incident_id.clone(), page_size: 0, page_token };
        let page = client.affected(request).await.context("the node does not say whose data it was")?.into_inner();
        people.extend(page.people);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break (page.total, page.unnamed);
        }
    };
    if one.at.json {
        let people: Vec<_> = people.iter().map(|p| json!({ "subject": p.subject_id, "tenant": p.tenant_id })).collect();
        return output::json(&json!({ "people": people, "total": total, "unnamed": unnamed }));
    }
    output::line(format_args!("{total} people, and {unnamed} who were forgotten since."))?;
    for AffectedPerson { subject_id, tenant_id } in people {
        output::line(format_args!("{subject_id}  {tenant_id}"))?;
    }
    Ok(())
}

/// What people are told, as the file of an operator has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Texts {
    #[serde(default)]
    spoken: String,
    #[serde(default)]
    situation: String,
    #[serde(default)]
    impact: String,
    #[serde(default)]
    measures: String,
    #[serde(default)]
    self_protection: String,
    #[serde(default)]
    remedies: String,
    #[serde(default)]
    contact: String,
}

fn notices(file: &Path) -> Result<Vec<IncidentNotice>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let texts: BTreeMap<String, Texts> =
        toml::from_str(&text).with_context(|| format!("{} is not a notice", file.display()))?;
    let notices = texts.into_iter().map(|(language, texts)| {
        let Texts { spoken, situation, impact, measures, self_protection, remedies, contact } = texts;
        IncidentNotice { spoken, situation, impact, measures, self_protection, remedies, contact, language }
    });
    Ok(notices.collect())
}

fn print(at: &IncidentNode, incidents: &[Incident]) -> Result<()> {
    if !at.json && incidents.is_empty() {
        return output::line("There are no incidents.");
    }
    for incident in incidents {
        if at.json {
            output::json(&shown(incident))?;
        } else {
            output::line(told(incident).trim_end())?;
        }
    }
    Ok(())
}

/// An incident in a few lines.
fn told(incident: &Incident) -> String {
    let at = |unix_ms| moment(unix_ms).unwrap_or_default();
    let mut text =
        format!("Incident {}, detected {}\n", hex::encode(&incident.incident_id), at(incident.detected_unix_ms));
    let mut line = |what: &str, says: String| {
        let _ = writeln!(text, "  {:<11}{says}", format!("{what}:"));
    };
    line("report", incident.report.clone());
    if !incident.tenant_id.is_empty() {
        line("tenant", incident.tenant_id.clone());
    }
    line("concerns", incident.assessment.as_ref().map_or_else(|| "not assessed yet".to_owned(), concerns));
    let contained = incident.contained_unix_ms;
    line("contained", if contained == 0 { "not yet".to_owned() } else { at(contained) });
    for thrown in &incident.switches {
        let position = word(thrown.to().as_str_name(), "SWITCH_POSITION_");
        line(
            "switch",
            format!("{} {} {position}, {}", switch::sort(thrown.sort()), thrown.name, at(thrown.at_unix_ms)),
        );
    }
    line("authority", telling(incident.regulator.as_ref()));
    line("people", telling(incident.subjects.as_ref()));
    if !incident.notice_id.is_empty() {
        line("notice", format!("{}; `sayso notice status` tells whom it reached", hex::encode(&incident.notice_id)));
    }
    if incident.closed_unix_ms > 0 {
        let ending = word(incident.ending().as_str_name(), "INCIDENT_ENDING_");
        line("closed", format!("{}, {ending}", at(incident.closed_unix_ms)));
    }
    text
}

fn concerns(assessment: &Assessment) -> String {
    let scope = assessment.scope.clone().unwrap_or_default();
    let any = |names: &[String], any: &str| if names.is_empty() { any.to_owned() } else { names.join(", ") };
    let (what, whom) = (any(&scope.categories, "anything"), any(&scope.processors, "anybody"));
    let at = |unix_ms| moment(unix_ms).unwrap_or_default();
    let (from, until) = (at(scope.from_unix_ms), at(scope.until_unix_ms));
    let by = match scope.record_ids.len() {
        0 => String::new(),
        consents => format!(" by {consents} consents"),
    };
    format!("{what} to {whom}{by}, from {from} to {until}; people: {}", assessment.people)
}

fn telling(telling: Option<&Telling>) -> String {
    let Some(telling) = telling else { return "need not be told".to_owned() };
    let at = |unix_ms| moment(unix_ms).unwrap_or_default();
    let due = match telling.due_unix_ms {
        0 => "no time is set".to_owned(),
        due => format!("due {}, by {}", at(due), telling.due_by),
    };
    let late = if telling.overdue { "; late" } else { "" };
    match telling.told_unix_ms {
        0 => format!("not told yet; {due}{late}"),
        told if telling.reference.is_empty() => format!("told {}; {due}{late}", at(told)),
        told => format!("told {} ({}); {due}{late}", at(told), telling.reference),
    }
}

fn shown(incident: &Incident) -> Value {
    let assessment = incident.assessment.as_ref().map(|assessment| {
        let scope = assessment.scope.clone().unwrap_or_default();
        json!({
            "processors": scope.processors,
            "categories": scope.categories,
            "consents": scope.record_ids.iter().map(hex::encode).collect::<Vec<_>>(),
            "from": moment(scope.from_unix_ms),
            "until": moment(scope.until_unix_ms),
            "people": assessment.people,
        })
    });
    let switches = incident.switches.iter().map(|thrown| {
        json!({
            "sort": switch::sort(thrown.sort()),
            "name": thrown.name,
            "to": word(thrown.to().as_str_name(), "SWITCH_POSITION_"),
            "at": moment(thrown.at_unix_ms),
        })
    });
    let telling = |telling: &Telling| {
        json!({
            "due": moment(telling.due_unix_ms),
            "due_by": telling.due_by,
            "told": moment(telling.told_unix_ms),
            "reference": telling.reference,
            "overdue": telling.overdue,
        })
    };
    json!({
        "incident": hex::encode(&incident.incident_id),
        "tenant": (!incident.tenant_id.is_empty()).then_some(&incident.tenant_id),
        "report": incident.report,
        "detected": moment(incident.detected_unix_ms),
        "assessment": assessment,
        "contained": moment(incident.contained_unix_ms),
        "switches": switches.collect::<Vec<_>>(),
        "regulator": incident.regulator.as_ref().map(telling),
        "subjects": incident.subjects.as_ref().map(telling),
        "notice": (!incident.notice_id.is_empty()).then(|| hex::encode(&incident.notice_id)),
        "closed": moment(incident.closed_unix_ms),
        "ending": (incident.closed_unix_ms > 0).then(|| word(incident.ending().as_str_name(), "INCIDENT_ENDING_")),
    })
}

/// The id of an incident.
pub(crate) fn id(text: &str) -> Result<Vec<u8>> {
    let id = hex::decode(text).ok().filter(|id| id.len() == 16);
    id.with_context(|| format!("ID {text:?} is not 32 hexadecimal digits, as `sayso incident list` prints"))
}

/// A value of a wire enumeration as people read it.
pub(crate) fn word(name: &str, prefix: &str) -> String {
    name.trim_start_matches(prefix).to_lowercase()
}

pub(crate) fn unix_ms(at: jiff::Timestamp) -> Result<u64> {
    u64::try_from(at.as_millisecond()).context("give a time after 1970")
}
