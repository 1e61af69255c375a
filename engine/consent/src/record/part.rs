//! Parts of what somebody agreed to, as records and calls have them.

use sayso_proto::consent::v1 as proto;
use sayso_types::{Part, ProcessorKind, RegionClass};

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
                    purpose: Some(sayso_types::Purpose::MEMORY),
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
