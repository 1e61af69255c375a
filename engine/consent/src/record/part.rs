//! Parts of what somebody agreed to, as records and calls have them.

use sayso_policy::ConsentState;
use sayso_proto::consent::v1 as proto;
use sayso_store::{Key, Op};
use sayso_types::{ConsentVersion, Part, ProcessorKind, Purpose, RegionClass, WallTime};

use super::{actor, encode, entity, indication, is_yes, latest};
use crate::evidence::Answer;
use crate::tables::RECORD;

/// `part` as records have it.
#[must_use]
pub fn write(part: &Part) -> proto::Part {
    proto::Part {
        purpose: part.purpose.map_or_else(String::new, |purpose| purpose.to_string()),
        category: part.category.map_or_else(String::new, |category| category.to_string()),
        processor_id: part.processor.map_or_else(String::new, |processor| processor.to_string()),
        processor_kind: part.kind.map_or(0, |kind| super::kind(kind).into()),
        region_class: part.region.map_or(0, |region| super::region(region).into()),
    }
}

/// The part that `part` is.
///
/// # Errors
/// The field that is not what it has to be.
pub fn read(part: &proto::Part) -> Result<Part, &'static str> {
    let known_kind = |kind: &ProcessorKind| super::kind(*kind) as i32 == part.processor_kind;
    let known_region = |region: &RegionClass| super::region(*region) as i32 == part.region_class;
    Ok(Part {
        purpose: name("purpose", &part.purpose)?,
        category: name("category", &part.category)?,
        processor: name("processor_id", &part.processor_id)?,
        kind: match part.processor_kind {
            0 => None,
            _ => Some(ProcessorKind::ALL.into_iter().find(known_kind).ok_or("processor_kind")?),
        },
        region: match part.region_class {
            0 => None,
            _ => Some(RegionClass::ALL.into_iter().find(known_region).ok_or("region_class")?),
        },
    })
}

/// Events of one record. With more, the oldest by which it went on makes room for the next: when each part was taken back and
/// given again is in the withdrawals and in the log.
const EVENTS_MAX: usize = 256;

/// Has the newest event of `record`, which is for `purpose`, say what the person has taken back of it, and no other: each would say
/// it again, and a record has to fit into the store.
pub(crate) fn note_taken_back(record: &mut proto::ConsentRecord, purpose: Purpose, consent: &ConsentState) {
    let concerns = |part: &Part| part.purpose.is_none_or(|only| only == purpose);
    record.events.iter_mut().for_each(|event| event.taken_back.clear());
    if let Some(event) = record.events.last_mut() {
        event.taken_back = consent.taken_back().filter(concerns).map(|part| write(&part)).collect();
    }
}

/// Adds `event` to the record of `records` that gives `purpose`, by which that goes on as it was, but for what is taken back of
/// it by `consent`; what stores it, where there is such a record.
pub(crate) fn goes_on(
    records: &[(Key, proto::ConsentRecord)],
    purpose: Purpose,
    consent: &ConsentState,
    event: proto::ConsentEvent,
) -> Option<Op> {
    let (key, record) = latest(records, purpose).filter(|(_, record)| is_yes(record))?;
    let (mut record, last) = (record.clone(), record.events.last()?);
    let (status, r#type) = (last.status, last.r#type);
    let (separate, written) = (last.separate, last.written);
    if record.events.len() >= EVENTS_MAX {
        record.events.remove(1);
    }
    record.events.push(proto::ConsentEvent { status, r#type, separate, written, ..event });
    note_taken_back(&mut record, purpose, consent);
    Some(Op::Put(key.clone(), RECORD.encode(&encode(&record))))
}

/// The event by which `answer`, which gives other purposes, gives parts again.
pub(crate) fn given_again(answer: &Answer, cv: ConsentVersion, now: WallTime) -> proto::ConsentEvent {
    proto::ConsentEvent {
        at_unix_ms: now.0,
        actor: actor(answer.means).into(),
        entity_id: entity(answer),
        indication_method: indication(answer.means).into(),
        evidence_sha256: answer.evidence_sha256.to_vec(),
        consent_version: cv.0,
        ..Default::default()
    }
}

fn name<T: core::str::FromStr>(field: &'static str, text: &str) -> Result<Option<T>, &'static str> {
    if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(|_| field) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_read_as_it_was_written_and_what_is_no_part_is_named() {
        for kind in ProcessorKind::ALL {
            for region in RegionClass::ALL {
                let part = Part {
                    purpose: Some(Purpose::MEMORY),
                    processor: Some("groq".parse().unwrap()),
                    kind: Some(kind),
                    region: Some(region),
                    ..Part::default()
                };
                assert_eq!(read(&write(&part)), Ok(part));
            }
        }
        assert_eq!(read(&proto::Part::default()), Ok(Part::default()));
        let named = |name: &str| proto::Part { processor_id: name.to_owned(), ..proto::Part::default() };
        assert_eq!(read(&named("Not A Name")), Err("processor_id"));
        assert_eq!(read(&proto::Part { processor_kind: 99, ..proto::Part::default() }), Err("processor_kind"));
        assert_eq!(read(&proto::Part { region_class: -1, ..proto::Part::default() }), Err("region_class"));
    }
}
