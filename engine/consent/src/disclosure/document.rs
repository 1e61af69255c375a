//! [`Document`]: what is given away, before it is encrypted.

use std::collections::{BTreeMap, BTreeSet};

use sayso_types::{Category, Name, SubjectId, WallTime};
use serde::Serialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::desk::BYTES_MAX;
use super::sealed::FORMAT;
use crate::erasure::Certificate;
use crate::exemption::Demand;
use crate::keep::Kept;
use crate::retention::Stored;
use crate::rights::copy::{asked, withdrawn};
use crate::rights::desk;
use crate::rights::items::Item;
use crate::{Error, Register, receipt};

/// What an authority is given. Times are milliseconds since the Unix epoch.
#[derive(Serialize)]
pub(super) struct Document<'a> {
    format: &'static str,
    disclosure: String,
    /// The grant that it rests on.
    grant: Name,
    made_at: WallTime,
    /// Who gives it.
    controller: String,
    /// To whom, on what, by which law.
    authority: &'a str,
    reference: &'a str,
    law: &'a str,
    document_sha256: String,
    people: Vec<Person>,
}

/// What is given of one person.
#[derive(Serialize)]
struct Person {
    subject: SubjectId,
    /// By category, each that was demanded, also those of which there is nothing.
    data: BTreeMap<Category, Vec<Value>>,
}

impl<'a> Document<'a> {
    /// One that has nothing of anybody yet.
    pub(super) fn new(
        register: &Register,
        disclosure: [u8; 16],
        (grant, demand, evidence): (Name, &'a Demand, [u8; 32]),
        made_at: WallTime,
    ) -> Self {
        Self {
            format: FORMAT,
            disclosure: hex::encode(disclosure),
            grant,
            made_at,
            controller: register.profile().controller().name.clone(),
            authority: &demand.authority,
            reference: &demand.reference,
            law: &demand.law,
            document_sha256: hex::encode(evidence),
            people: Vec::new(),
        }
    }

    /// Puts in what `register` has of `subject` in `categories`, as far as `demand` reaches; how many records that is. [`None`]
    /// where it is more than a file holds.
    pub(super) async fn add(
        &mut self,
        register: &Register,
        subject: SubjectId,
        categories: &BTreeSet<Category>,
        demand: &Demand,
    ) -> Result<Option<u64>, Error> {
        let mut data = BTreeMap::new();
        for category in categories {
            let rows = match Stored::in_category(*category) {
                Some(stored) => Some(rows(register, subject, stored).await?),
                None => kept(register, subject, *category, demand).await?,
            };
            let Some(rows) = rows else { return Ok(None) };
            let demanded = rows.into_iter().filter(|(at, _)| demand.spans(*at)).map(|(_, row)| row);
            data.insert(*category, demanded.collect::<Vec<_>>());
        }
        let rows = data.values().map(Vec::len).sum::<usize>() as u64;
        self.people.push(Person { subject, data });
        Ok(Some(rows))
    }

    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(serde_json::to_vec(self).expect("texts, numbers and lists of them are JSON"))
    }
}

/// What is kept of `subject` in `category` and `demand` spans, each with its moment and its content; not what shows somebody of
/// whom nothing is demanded. [`None`] where it is more than a file holds.
async fn kept(
    register: &Register,
    subject: SubjectId,
    category: Category,
    demand: &Demand,
) -> Result<Option<Vec<(WallTime, Value)>>, Error> {
    let is_demanded =
        |one: &Kept| demand.spans(one.collected_at) && one.of.is_none_or(|of| demand.people.contains(&of));
    let mut listed = register.list_kept(subject, Some(category)).await?;
    listed.retain(is_demanded);
    if listed.iter().map(|one| one.bytes).sum::<u64>() > BYTES_MAX as u64 {
        return Ok(None);
    }
    let mut rows = Vec::with_capacity(listed.len());
    for one in listed {
        if let Some(whole) = register.shown_item(subject, one.id).await? {
            rows.push((one.collected_at, value(&Item::whole(&whole))));
        }
    }
    Ok(Some(rows))
}

/// What is `stored` of `subject`, each with its moment.
async fn rows(register: &Register, subject: SubjectId, stored: Stored) -> Result<Vec<(WallTime, Value)>, Error> {
    Ok(match stored {
        Stored::Facts => {
            let facts = register.held_facts(subject).await?;
            let shown = |fact: &crate::Remembered| json!({ "key": fact.key, "value": fact.value, "collected_at": fact.collected_at });
            facts.iter().map(|fact| (fact.collected_at, shown(fact))).collect()
        }
        // each is of a category of its own
        Stored::Kept => Vec::new(),
        Stored::Consents => {
            let records = register.scan_records(subject).await?.into_iter();
            let receipts = records.filter_map(|(_, record)| receipt::of(&record));
            receipts.map(|receipt| (WallTime(receipt.consent_timestamp * 1_000), value(&receipt))).collect()
        }
        Stored::Withdrawals => {
            let withdrawn = withdrawn(register, subject).await?;
            withdrawn.iter().map(|one| (one.requested_at, value(one))).collect()
        }
        Stored::Requests => {
            let requests = desk::of(register, subject).await?;
            asked(requests).map(|one| (one.received_at, value(&one))).collect()
        }
        Stored::Certificates => {
            let certificates = register.certificates(subject).await?;
            let certificates = certificates.into_iter().map(|json| Certificate::parse(&json));
            let shown = |one: Certificate| (one.certified_at, value(&one));
            certificates.map(|parsed| parsed.map(shown)).collect::<Result<_, _>>()?
        }
    })
}

/// `row` as JSON.
fn value(row: &impl Serialize) -> Value {
    serde_json::to_value(row).expect("texts, numbers and lists of them are JSON")
}
