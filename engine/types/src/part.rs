//! [`Part`]: a part of what a person agreed to, such as "my voice, to this service" or "anything, overseas".

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::label::UnknownWord;
use crate::{Category, Cell, NameError, ProcessorId, ProcessorKind, Purpose, RegionClass};

/// Cells, and of these what goes to one receiver or to any. What it does not say is every one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// What for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Purpose>,
    /// What data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    /// Which receiver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processor: Option<ProcessorId>,
    /// What sort of receiver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<ProcessorKind>,
    /// How far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<RegionClass>,
}

impl Part {
    /// Whether it is less than everything, and less than a whole purpose.
    #[must_use]
    pub const fn is_partial(&self) -> bool {
        self.category.is_some() || self.processor.is_some() || self.kind.is_some() || self.region.is_some()
    }

    /// Whether data of `cell` that goes to `processor` is in it.
    #[must_use]
    pub fn covers(&self, cell: &Cell, processor: ProcessorId) -> bool {
        fits(self.purpose, Some(cell.purpose))
            && fits(self.category, Some(cell.category))
            && fits(self.processor, Some(processor))
            && fits(self.kind, Some(cell.kind))
            && fits(self.region, Some(cell.region))
    }

    /// Whether all of `other` is in it, as far as that can be told without knowing the receivers.
    #[must_use]
    pub fn includes(&self, other: &Self) -> bool {
        fits(self.purpose, other.purpose)
            && fits(self.category, other.category)
            && fits(self.processor, other.processor)
            && fits(self.kind, other.kind)
            && fits(self.region, other.region)
    }
}

fn fits<T: PartialEq>(wanted: Option<T>, found: Option<T>) -> bool {
    wanted.is_none() || wanted == found
}

/// `purpose/category/processor/kind/region`, each `*` where it is every one.
impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { purpose, category, processor, kind, region } = self;
        any(f, purpose.as_ref())?;
        f.write_str("/")?;
        any(f, category.as_ref())?;
        f.write_str("/")?;
        any(f, processor.as_ref())?;
        f.write_str("/")?;
        any(f, kind.map(ProcessorKind::as_str).as_ref())?;
        f.write_str("/")?;
        any(f, region.map(RegionClass::as_str).as_ref())
    }
}

/// Why a text is no part.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PartError {
    /// It does not have five fields.
    #[error("write it as purpose/category/processor/kind/region, with * for every one")]
    Fields,
    /// One is not a name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// One is not a kind of processor, or not a region.
    #[error(transparent)]
    Word(#[from] UnknownWord),
}

impl FromStr for Part {
    type Err = PartError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fields: Vec<_> = text.split('/').collect();
        let [purpose, category, processor, kind, region] = *fields.as_slice() else { return Err(PartError::Fields) };
        Ok(Self {
            purpose: said(purpose)?,
            category: said(category)?,
            processor: said(processor)?,
            kind: said(kind)?,
            region: said(region)?,
        })
    }
}

fn said<T: FromStr>(field: &str) -> Result<Option<T>, T::Err> {
    if field == "*" { Ok(None) } else { field.parse().map(Some) }
}

fn any(f: &mut fmt::Formatter<'_>, said: Option<&impl fmt::Display>) -> fmt::Result {
    match said {
        Some(said) => said.fmt(f),
        None => f.write_str("*"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CELL: Cell = Cell {
        purpose: Purpose::VOICE_INTERACTION,
        category: Category::VOICE_AUDIO,
        kind: ProcessorKind::Asr,
        region: RegionClass::Overseas,
    };

    fn groq() -> ProcessorId {
        "groq".parse().unwrap()
    }

    #[test]
    fn a_part_covers_what_it_says_and_every_one_of_what_it_does_not_say() {
        let (any, processor) = (Part::default(), Some(groq()));
        let parts = [
            any,
            Part { category: Some(Category::VOICE_AUDIO), processor, ..any },
            Part { region: Some(RegionClass::Overseas), ..any },
            Part { kind: Some(ProcessorKind::Asr), purpose: Some(Purpose::VOICE_INTERACTION), ..any },
        ];
        assert!(parts.iter().all(|part| part.covers(&CELL, groq()) && any.includes(part)));
        assert!(!parts[1].covers(&CELL, "other".parse().unwrap()));
        assert!(!parts[1].covers(&Cell { category: Category::TRANSCRIPT, ..CELL }, groq()));
        assert!(!parts[2].covers(&Cell { region: RegionClass::Domestic, ..CELL }, groq()));
        assert!(!parts[1].includes(&any) && !parts[1].includes(&parts[2]));
        assert_eq!(parts.map(|part| part.is_partial()), [false, true, true, true]);
        assert!(!Part { purpose: Some(Purpose::MEMORY), ..any }.is_partial(), "that is a purpose");
        assert_eq!(parts[1].to_string(), "*/voice_audio/groq/*/*");
        assert_eq!(parts[3].to_string(), "voice_interaction/*/*/asr/*");
        assert!(parts.iter().all(|part| part.to_string().parse() == Ok(*part)));
    }

    #[test]
    fn what_is_no_part_is_refused() {
        assert_eq!("groq".parse::<Part>(), Err(PartError::Fields));
        assert!(matches!("*/*/Groq !/*/*".parse::<Part>(), Err(PartError::Name(_))));
        let refused = |text: &str| text.parse::<Part>().unwrap_err().to_string();
        assert_eq!(
            refused("*/*/*/ear/*"),
            "it is none of vad, asr, llm, tts, vision, voiceprint, embedding, moderation, sms, email, call, push, tool, mqtt_broker, database"
        );
        assert_eq!(refused("*/*/*/*/abroad"), "it is none of local, domestic, overseas");
    }
}
