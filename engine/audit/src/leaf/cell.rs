//! Cells and names between our types and the wire's.

use sayso_proto::consent::v1 as proto;
use sayso_types::{Category, Cell, Part, ProcessorKind, Purpose, RegionClass};

use super::{ActorKind, LeafError};

/// Pairs each of our values with the wire's, once for both directions.
macro_rules! pairs {
    ($write:ident, $read:ident, $ours:ident, $wire:ident, $field:literal { $($a:ident = $b:ident,)* }) => {
        pub(super) const fn $write(value: $ours) -> i32 {
            match value {
                $($ours::$a => proto::$wire::$b as i32,)*
            }
        }

        pub(super) fn $read(value: i32) -> Result<$ours, LeafError> {
            match proto::$wire::try_from(value) {
                $(Ok(proto::$wire::$b) => Ok($ours::$a),)*
                _ => Err(LeafError::Field($field)),
            }
        }
    };
}

pairs!(write_kind, read_kind, ProcessorKind, ProcessorKind, "cell.processor_kind" {
    Vad = Vad,
    Asr = Asr,
    Llm = Llm,
    Tts = Tts,
    Vision = Vision,
    Voiceprint = Voiceprint,
    Embedding = Embedding,
    Moderation = Moderation,
    Sms = Sms,
    Email = Email,
    Call = Call,
    Push = Push,
    Tool = Tool,
    MqttBroker = MqttBroker,
    Database = Database,
});

pairs!(write_region, read_region, RegionClass, RegionClass, "cell.region_class" {
    Local = Local,
    Domestic = Domestic,
    Overseas = Overseas,
});

pairs!(write_actor, read_actor, ActorKind, ActorKind, "actor" {
    Subject = Subject,
    Guardian = Guardian,
    Device = Device,
    Operator = Operator,
    Tenant = Tenant,
    System = System,
});

pub(super) fn write(cell: &Cell) -> proto::Cell {
    proto::Cell {
        purpose: cell.purpose.to_string(),
        category: cell.category.to_string(),
        processor_kind: write_kind(cell.kind),
        region_class: write_region(cell.region),
    }
}

pub(super) fn read(cell: &proto::Cell) -> Result<Cell, LeafError> {
    Ok(Cell {
        purpose: read_purpose(cell)?,
        category: read_category(cell)?,
        kind: read_kind(cell.processor_kind)?,
        region: read_region(cell.region_class)?,
    })
}

/// A cell of which only the purpose is said: every category, receiver and region.
pub(super) fn write_purpose(purpose: Purpose) -> proto::Cell {
    proto::Cell { purpose: purpose.to_string(), ..proto::Cell::default() }
}

pub(super) fn read_purpose(cell: &proto::Cell) -> Result<Purpose, LeafError> {
    cell.purpose.parse().map_err(|_| LeafError::Field("cell.purpose"))
}

/// A cell of which only the category is said.
pub(super) fn write_category(category: Category) -> proto::Cell {
    proto::Cell { category: category.to_string(), ..proto::Cell::default() }
}

pub(super) fn read_category(cell: &proto::Cell) -> Result<Category, LeafError> {
    cell.category.parse().map_err(|_| LeafError::Field("cell.category"))
}

/// A cell of which only what a part says is said; which receiver is told beside it.
pub(super) fn write_part(part: &Part) -> proto::Cell {
    proto::Cell {
        purpose: part.purpose.map_or_else(String::new, |purpose| purpose.to_string()),
        category: part.category.map_or_else(String::new, |category| category.to_string()),
        processor_kind: part.kind.map_or(0, write_kind),
        region_class: part.region.map_or(0, write_region),
    }
}

pub(super) fn read_part(cell: &proto::Cell) -> Result<Part, LeafError> {
    Ok(Part {
        purpose: (!cell.purpose.is_empty()).then(|| read_purpose(cell)).transpose()?,
        category: (!cell.category.is_empty()).then(|| read_category(cell)).transpose()?,
        processor: None,
        kind: (cell.processor_kind != 0).then(|| read_kind(cell.processor_kind)).transpose()?,
        region: (cell.region_class != 0).then(|| read_region(cell.region_class)).transpose()?,
    })
}
