//! [`Practice`]: how a policy carries a purpose out, in the words of a consent record (ISO/IEC TS 27560, 6.3.4.9 to 6.3.4.19).

use std::collections::BTreeSet;

use sayso_types::{Purpose, RegionClass};

use crate::profile::{AtRest, CategoryRule, Processor, ProcessorState};
use crate::words::words;
use crate::{Profile, Tongue};

/// What a record of consent to one purpose says besides what was agreed to. Nothing of it is empty where the policy says anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Practice {
    /// Where the data comes from.
    pub collection: String,
    /// What is done with it.
    pub processing: String,
    /// Where it is stored: as the policy says, else where the operator's own receivers stand; nowhere, where none of it may be.
    pub storage: Vec<String>,
    /// Where it may not leave, where the policy says so: "only" with the jurisdiction.
    pub restrictions: Vec<String>,
    /// What people may ask for.
    pub rights: String,
}

impl Practice {
    /// That of `purpose` under `profile`.
    #[must_use]
    pub fn of(profile: &Profile, purpose: Purpose, tongue: Tongue) -> Self {
        let document = profile.document();
        let used: Vec<_> =
            profile.categories().map(|(_, rule)| rule).filter(|rule| rule.purposes.contains(&purpose)).collect();
        let receives = |one: &&Processor| one.purposes.contains(&purpose) && one.state == ProcessorState::Active;
        let receivers: Vec<_> = profile.processors().filter(receives).collect();
        let jurisdiction = &profile.header().jurisdiction;
        let is_bound = !document.transfers.overseas && jurisdiction != "*";
        Self {
            collection: joined(used.iter().map(|rule| source(rule, tongue)), tongue),
            processing: processing(&receivers, tongue),
            storage: storage(profile, &used, &receivers),
            restrictions: is_bound.then(|| format!("only {jurisdiction}")).into_iter().collect(),
            rights: joined(document.rights.offers.keys().map(|right| words(right, tongue).to_owned()), tongue),
        }
    }
}

fn source(rule: &CategoryRule, tongue: Tongue) -> String {
    if !rule.capability.is_empty() {
        let of = rule.capability.iter().map(String::as_str).collect::<Vec<_>>().join(" / ");
        return match tongue {
            Tongue::English => format!("the device's {of}"),
            Tongue::Chinese => format!("设备的 {of}"),
        };
    }
    let made = tongue.pick("it is made from other data", "由其他数据产生");
    let used = tongue.pick("by the use of the device", "在使用设备时");
    let otherwise = if rule.derived_from.is_empty() { used } else { made };
    rule.provenance.as_ref().map_or(otherwise, |provenance| words(provenance, tongue)).to_owned()
}

fn processing(receivers: &[&Processor], tongue: Tongue) -> String {
    if receivers.is_empty() {
        return tongue.pick("it is handed to nobody", "不交给任何接收方").to_owned();
    }
    // in the order in which speech goes through them
    let kinds: BTreeSet<_> = receivers.iter().map(|one| one.kind).collect();
    joined(kinds.into_iter().map(|kind| words(&kind, tongue).to_owned()), tongue)
}

fn storage(profile: &Profile, used: &[&CategoryRule], receivers: &[&Processor]) -> Vec<String> {
    if used.iter().all(|rule| rule.at_rest == AtRest::Forbidden) {
        return vec!["none".to_owned()];
    }
    let named: Vec<_> = profile.document().transfers.storage.iter().cloned().collect();
    if !named.is_empty() {
        return named;
    }
    let own = receivers.iter().filter(|one| one.region_class == RegionClass::Local).map(|one| one.region.clone());
    let mut own: Vec<_> = own.collect();
    own.sort();
    own.dedup();
    if own.is_empty() { vec![profile.header().jurisdiction.clone()] } else { own }
}

/// Each of `parts` once, in the order in which they come.
fn joined(parts: impl Iterator<Item = String>, tongue: Tongue) -> String {
    let mut once: Vec<String> = Vec::new();
    for part in parts {
        if !once.contains(&part) {
            once.push(part);
        }
    }
    once.join(tongue.pick(", ", "、"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: &str = include_str!("../../../deploy/profiles/home.toml");

    fn of(purpose: Purpose, tongue: Tongue) -> Practice {
        Practice::of(&Profile::parse(HOME).unwrap(), purpose, tongue)
    }

    #[test]
    fn a_purpose_is_told_as_the_policy_carries_it_out() {
        let voice = of(Purpose::VOICE_INTERACTION, Tongue::English);
        assert!(voice.collection.contains("by the use of the device"), "{voice:?}");
        assert!(voice.processing.contains("speech recognition, dialogue"), "{voice:?}");
        assert!(voice.rights.contains("see your data"), "{voice:?}");
        let memory = of(Purpose::MEMORY, Tongue::Chinese);
        assert!(!memory.collection.contains("microphone") && memory.processing.contains("对话"), "{memory:?}");
        assert_ne!(memory.storage, ["none"]);
        let memory = of(Purpose::MEMORY, Tongue::English);
        assert!(!memory.processing.contains("speech recognition"), "no receiver of its own: {memory:?}");
        assert_eq!(voice.restrictions, [""; 0], "wherever it is, it is at home");
    }

    /// Where a policy lets nothing out of the country, the record says so.
    #[test]
    fn what_may_not_leave_the_country_is_told() {
        let cn = HOME.replacen("jurisdiction = \"*\"", "jurisdiction = \"CN\"", 1);
        let profile = Profile::in_force_before(&cn).unwrap();
        let told = Practice::of(&profile, Purpose::MEMORY, Tongue::English);
        assert_eq!(told.restrictions, ["only CN"]);
        let abroad = cn.replacen("overseas = false", "overseas = true", 1);
        let told = Practice::of(&Profile::in_force_before(&abroad).unwrap(), Purpose::MEMORY, Tongue::English);
        assert_eq!(told.restrictions, [""; 0]);
    }

    #[test]
    fn where_it_is_stored_is_told_as_closely_as_the_policy_says() {
        let stored = |text: &str, purpose| {
            Practice::of(&Profile::in_force_before(text).unwrap(), purpose, Tongue::English).storage
        };
        assert_eq!(stored(HOME, Purpose::VOICE_INTERACTION), ["none"]);
        assert_eq!(stored(HOME, Purpose::MEMORY), ["home"], "where its receivers stand");
        let named = HOME.replacen("[transfers]\n", "[transfers]\nstorage = [\"CN\", \"DE\"]\n", 1);
        assert_eq!(stored(&named, Purpose::MEMORY), ["CN", "DE"]);
        assert_eq!(stored(&named, Purpose::VOICE_INTERACTION), ["none"]);
    }
}
