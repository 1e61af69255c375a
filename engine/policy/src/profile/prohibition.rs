//! [`Prohibition`]: what no consent opens.

use sayso_types::{Category, Purpose};
use serde::{Deserialize, Serialize};

use super::{Processing, PurposeRule, Src};
use crate::Vocabulary;

/// One entry of the `prohibition` list: covers what every key that it has covers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prohibition {
    /// Using data for this; any purpose when absent.
    #[serde(default)]
    pub purpose: Option<ProhibitedPurpose>,
    /// Using this data; any category when absent.
    #[serde(default)]
    pub category: Option<Category>,
    /// Doing this with data; anything when absent.
    #[serde(default)]
    pub processing: Option<Processing>,
    /// Under this condition; always when absent.
    #[serde(default)]
    pub when: Option<When>,
    /// The clauses of the written policy that promise it.
    #[serde(default)]
    pub src: Src,
}

impl Prohibition {
    /// Whether it is about using `category` for the purpose `id`, which is `purpose` where the profile has it, with
    /// somebody who may be `age_years` old. `does` says whether something is done.
    pub(crate) fn covers(
        &self,
        (id, purpose): (Purpose, Option<&PurposeRule>),
        category: Category,
        does: impl Fn(Processing) -> bool,
        age_years: u8,
    ) -> bool {
        self.purpose.as_ref().is_none_or(|prohibited| prohibited.names(id, purpose))
            && self.category.is_none_or(|prohibited| prohibited == category)
            && self.processing.is_none_or(does)
            && self.when.as_ref().is_none_or(|when| age_years < when.age_lt)
    }
}

/// A condition on the person.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// The person may be younger than this, in years.
    pub age_lt: u8,
}

/// A purpose of this profile by its id, or every purpose of a DPV term and of those that are narrower. The spelling tells
/// them apart: ids are in lower case, DPV terms begin with a capital.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ProhibitedPurpose {
    /// One purpose.
    Id(Purpose),
    /// Every purpose with this `dpv`, or a narrower one; the profile need not have one.
    Dpv(String),
}

impl ProhibitedPurpose {
    /// Whether it is the purpose `id`, which is `purpose` where the profile has it.
    pub(crate) fn names(&self, id: Purpose, purpose: Option<&PurposeRule>) -> bool {
        match self {
            Self::Id(prohibited) => *prohibited == id,
            Self::Dpv(term) => purpose.is_some_and(|rule| Vocabulary::dpv().is_within(&rule.dpv, term)),
        }
    }
}

impl TryFrom<String> for ProhibitedPurpose {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.starts_with(|c: char| c.is_ascii_uppercase()) {
            return Ok(Self::Dpv(text));
        }
        text.parse().map(Self::Id).map_err(|e| format!("purpose `{text}`: {e}"))
    }
}

impl From<ProhibitedPurpose> for String {
    fn from(purpose: ProhibitedPurpose) -> Self {
        match purpose {
            ProhibitedPurpose::Id(id) => id.to_string(),
            ProhibitedPurpose::Dpv(term) => term,
        }
    }
}
