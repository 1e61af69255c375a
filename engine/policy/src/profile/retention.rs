//! [`Retention`]: when data ends, and how.

use core::fmt;
use core::str::FromStr;
use std::collections::BTreeSet;

use serde::de::value::{Error as ValueError, StrDeserializer};
use serde::de::{Error as _, IntoDeserializer};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Src;
use crate::{Deadline, Period};

/// When data ends, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// The events that the clock starts at, whichever comes first; written with `|` between them.
    pub trigger: Triggers,
    /// How long after it.
    pub after: Deadline,
    /// What is done then.
    pub action: RetentionAction,
    /// By what it is anonymised, where the action is that: the name of a registered
    /// [`Transformation`](crate::Transformation), such as `monthly_counts@1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// How many people are alike in what is left at the least, where that is more than the transformation asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub k: Option<u32>,
    /// The least that it is kept, where a law demands it.
    #[serde(default)]
    pub min: Option<Period>,
    /// The law that demands it, such as `cn-csl:21`.
    #[serde(default)]
    pub min_basis: Option<String>,
    /// The longest that it is kept from its collection, whatever the trigger does.
    #[serde(default)]
    pub max: Option<Period>,
    /// How late the action may come.
    #[serde(default)]
    pub tolerance: Option<Period>,
    /// What is done when consent to it is withdrawn, if not the same.
    #[serde(default)]
    pub on_withdraw: Option<RetentionAction>,
    /// What is made from it and ends with it: `embedding`, `chunk`; where processors must confirm, also what they make of it.
    #[serde(default)]
    pub cascade: BTreeSet<String>,
    /// Whether it has ended only when every processor that had it has confirmed so. Until then the certificate of its erasure
    /// names who has not, and is one of a part: the request that it is for is answered in part.
    #[serde(default)]
    pub processors_must_confirm: bool,
}

/// `[retention]`: what holds for every category that does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionDefaults {
    /// The rule of categories that have none of their own.
    pub default: Option<Retention>,
    /// On the test platform, how long anything is kept at most.
    pub test_platform_max: Option<Deadline>,
    /// How long after an erasure backups may still hold what can no longer be read.
    pub backup_purge: Option<Deadline>,
    /// The clauses that say so.
    pub src: Src,
}

/// The events that retention counts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Trigger {
    /// It was collected.
    #[serde(rename = "collected")]
    Collected,
    /// The turn it belongs to ended.
    #[serde(rename = "turn.end")]
    TurnEnd,
    /// The session it belongs to ended.
    #[serde(rename = "session.end")]
    SessionEnd,
    /// Consent to its purpose was withdrawn.
    #[serde(rename = "withdraw")]
    Withdraw,
    /// The feature it serves was switched off.
    #[serde(rename = "feature.disabled")]
    FeatureDisabled,
    /// The person deleted this item.
    #[serde(rename = "user.deleted_item")]
    ItemDeleted,
    /// The device was given up.
    #[serde(rename = "device.unbound")]
    DeviceUnbound,
    /// Its purpose is achieved, cannot be, or no longer needs it.
    #[serde(rename = "purpose.ended")]
    PurposeEnded,
    /// The tenant told so, or its agreed term is over.
    #[serde(rename = "tenant.ended")]
    TenantEnded,
    /// The account was closed.
    #[serde(rename = "account.cancelled")]
    AccountCancelled,
    /// The service was shut down.
    #[serde(rename = "service.ended")]
    ServiceEnded,
}

/// A set of [`Trigger`]s, at least one, written with `|` between them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Triggers(BTreeSet<Trigger>);

impl Triggers {
    /// Whether `trigger` is among them.
    #[must_use]
    pub fn contains(&self, trigger: Trigger) -> bool {
        self.0.contains(&trigger)
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = Trigger> {
        self.0.iter().copied()
    }

    /// The one that comes last in the life of a person's data.
    #[must_use]
    pub fn latest(&self) -> Trigger {
        self.0.last().copied().unwrap_or(Trigger::ServiceEnded)
    }
}

impl FromStr for Triggers {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let word = |word: &str| {
            let spelling: StrDeserializer<'_, ValueError> = word.trim().into_deserializer();
            Trigger::deserialize(spelling)
        };
        text.split('|').map(word).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for Triggers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, trigger) in self.0.iter().enumerate() {
            let bar = if i == 0 { "" } else { "|" };
            // the spelling is the one that serde knows
            let spelling = serde_json::to_value(trigger).map_err(|_| fmt::Error)?;
            write!(f, "{bar}{}", spelling.as_str().unwrap_or_default())?;
        }
        Ok(())
    }
}

impl Serialize for Triggers {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Triggers {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(D::Error::custom)
    }
}

/// What is done to data when its time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetentionAction {
    /// Made unreadable for good in every store.
    Erase,
    /// Stripped of everything that leads to a person.
    Anonymise,
    /// Erased, or where that serves nobody, stripped of everything that leads to a person.
    EraseOrAnonymise,
    /// Stripped of what names the person.
    Pseudonymise,
    /// Kept but used for nothing.
    Restrict,
    /// Overwritten in memory; it never was anywhere else.
    Zeroise,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triggers_are_written_with_bars() {
        let both: Triggers = "feature.disabled|withdraw".parse().unwrap();
        assert_eq!(both.to_string(), "withdraw|feature.disabled");
        assert_eq!(both.latest(), Trigger::FeatureDisabled);
        assert!(both.contains(Trigger::Withdraw) && !both.contains(Trigger::Collected));
        assert!("withdraw|widthraw".parse::<Triggers>().unwrap_err().to_string().contains("`widthraw`"));
        assert!("".parse::<Triggers>().is_err());
    }
}
