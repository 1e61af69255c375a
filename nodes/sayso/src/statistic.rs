//! `sayso statistic`: what leads to nobody any more, on a running node.

use std::process::ExitCode;

use anyhow::{Context, Result};
use sayso_proto::admin::v1::statistics_client::StatisticsClient;
use sayso_proto::admin::v1::{ListStatisticsRequest, Statistic};
use serde_json::{Value, json};

use crate::cli::{StatisticArgs, StatisticCommand};
use crate::serve::runtime;
use crate::{operator, output};

pub(crate) fn run(args: &StatisticArgs) -> Result<ExitCode> {
    let (args, told): (_, fn(&Statistic) -> String) = match &args.command {
        StatisticCommand::Show(args) => (args, numbers),
        StatisticCommand::Report(args) => (args, tested),
    };
    let listed = async {
        let mut client = StatisticsClient::new(operator::to(&args.node).await?);
        client.list(ListStatisticsRequest {}).await.context("the node lists nothing that was anonymised")
    };
    let months = runtime()?.block_on(listed)?.into_inner().statistics;
    if args.json {
        output::json(&months.iter().map(shown).collect::<Vec<_>>())?;
    } else if months.is_empty() {
        output::line("nothing was released: no month is over in which data was anonymised")?;
    } else {
        months.iter().try_for_each(|month| output::line(told(month)))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn shown(month: &Statistic) -> Value {
    let classes = month.classes.iter().map(|class| json!({ "entries": class.entries, "people": class.people }));
    let report = month.report.map(|report| {
        json!({
            "people": report.people,
            "classes": report.classes,
            "smallest": report.smallest,
            "unique": report.unique,
            "linked_among": report.linked_among,
        })
    });
    json!({
        "month": month.month,
        "tenant": month.tenant_id,
        "category": month.category,
        "purpose": month.purpose,
        "by": month.by,
        "k": month.k,
        "classes": classes.collect::<Vec<_>>(),
        "report": report,
    })
}

/// What it is about, for people.
fn about(month: &Statistic) -> String {
    let Statistic { month, tenant_id, category, purpose, by, .. } = month;
    format!("{month}  {tenant_id}: {category} for {purpose}, by {by}")
}

fn numbers(month: &Statistic) -> String {
    let classes = month.classes.iter().map(|class| format!("{} people with {}", class.people, class.entries));
    let classes: Vec<_> = classes.collect();
    if classes.is_empty() { withheld(month) } else { format!("{}: {}", about(month), classes.join(", ")) }
}

fn tested(month: &Statistic) -> String {
    let Some(report) = month.report else { return withheld(month) };
    format!(
        "{}: {} people in {} classes, {} in the smallest, {} alone (k = {}); who knows all that is kept of a person finds \
         them among {}",
        about(month),
        report.people,
        report.classes,
        report.smallest,
        report.unique,
        month.k,
        report.linked_among,
    )
}

fn withheld(month: &Statistic) -> String {
    format!("{}: fewer than {} people were alike; erased", about(month), month.k)
}
