//! [`Vocabulary`]: the terms of DPV 2.3, and which of them is narrower than which.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;

use crate::profile::Sensitivity;

/// The vocabulary that profiles and exports speak in: `terms/dpv-2.3.toml`, and our own terms in `terms/sayso.toml`.
///
/// A term is spelled with its prefix, `dpv:Marketing` or `pd:Picture`; one without is of the core, `dpv:`.
#[derive(Debug, PartialEq, Eq)]
pub struct Vocabulary {
    purposes: Terms,
    /// Everything, purposes as well, by its name with the prefix.
    all: Terms,
}

/// The next broader terms of each.
type Terms = BTreeMap<String, BTreeSet<String>>;

/// A file of terms.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Sections {
    purpose: Terms,
    processing: Terms,
    data: Terms,
    personal: Terms,
    other: BTreeSet<String>,
}

const DPV: &str = include_str!("../terms/dpv-2.3.toml");
const OWN: &str = include_str!("../terms/sayso.toml");

impl Vocabulary {
    /// Every term that is known.
    #[must_use]
    pub fn dpv() -> &'static Self {
        static DPV_AND_OWN: LazyLock<Vocabulary> = LazyLock::new(|| {
            let sections = |text| toml::from_str(text).expect("a test parses each");
            Vocabulary::of(sections(DPV), sections(OWN))
        });
        &DPV_AND_OWN
    }

    fn of(dpv: Sections, own: Sections) -> Self {
        let named = |prefix: &str, terms: Terms| -> Terms {
            let spelled = |term: &str| if term.contains(':') { term.to_owned() } else { format!("{prefix}:{term}") };
            let broader = |broader: BTreeSet<String>| broader.iter().map(|term| spelled(term)).collect();
            terms.into_iter().map(|(term, above)| (spelled(&term), broader(above))).collect()
        };
        let mut purposes = named("dpv", dpv.purpose);
        purposes.insert("dpv:Purpose".to_owned(), BTreeSet::new());
        purposes.extend(named("sayso", own.purpose));
        let mut all = purposes.clone();
        for (prefix, terms) in [
            ("dpv", dpv.processing),
            ("dpv", dpv.data),
            ("pd", dpv.personal),
            ("sayso", own.processing),
            ("sayso", own.data),
        ] {
            all.extend(named(prefix, terms));
        }
        all.extend(dpv.other.into_iter().map(|term| (format!("dpv:{term}"), BTreeSet::new())));
        Self { purposes, all }
    }

    /// Whether there is a term of this name.
    #[must_use]
    pub fn has(&self, term: &str) -> bool {
        self.all.contains_key(&spelled(term))
    }

    /// Whether there is a purpose of this name.
    #[must_use]
    pub fn has_purpose(&self, term: &str) -> bool {
        self.purposes.contains_key(&spelled(term))
    }

    /// The names of the purposes of DPV, without their prefix.
    pub fn purposes(&self) -> impl Iterator<Item = &str> {
        self.purposes.keys().filter_map(|term| term.strip_prefix("dpv:"))
    }

    /// Every name, with its prefix.
    pub fn terms(&self) -> impl Iterator<Item = &str> {
        self.all.keys().map(String::as_str)
    }

    /// The terms that are the next broader ones.
    pub fn broader(&self, term: &str) -> impl Iterator<Item = &str> {
        self.all.get(&spelled(term)).into_iter().flatten().map(String::as_str)
    }

    /// Whether `term` is `broad`, or narrower. Every purpose is a `Purpose`, also one that is not known here.
    #[must_use]
    pub fn is_within(&self, term: &str, broad: &str) -> bool {
        let broad = spelled(broad);
        self.above(term).contains(&broad) || broad == "dpv:Purpose"
    }

    /// How sensitive what `term` names is at the least, where it says so.
    #[must_use]
    pub fn sensitivity(&self, term: &str) -> Option<Sensitivity> {
        let above = self.above(term);
        [
            ("dpv:SpecialCategoryPersonalData", Sensitivity::Special),
            ("dpv:SensitivePersonalData", Sensitivity::High),
            ("dpv:PersonalData", Sensitivity::Normal),
        ]
        .into_iter()
        .find_map(|(broad, sensitivity)| above.contains(broad).then_some(sensitivity))
    }

    /// `term` and whatever is broader.
    fn above(&self, term: &str) -> BTreeSet<String> {
        let (mut found, mut next) = (BTreeSet::new(), vec![spelled(term)]);
        while let Some(term) = next.pop() {
            if found.insert(term.clone()) {
                next.extend(self.broader(&term).map(str::to_owned));
            }
        }
        found
    }
}

fn spelled(term: &str) -> String {
    if term.contains(':') { term.to_owned() } else { format!("dpv:{term}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_broader_term_is_there_and_nothing_is_broader_than_itself() {
        let vocabulary = Vocabulary::dpv();
        for term in vocabulary.terms() {
            for broader in vocabulary.broader(term) {
                assert!(vocabulary.has(broader), "{term}: {broader}");
                assert!(!vocabulary.is_within(broader, term), "{term} and {broader}");
            }
        }
        assert!(vocabulary.purposes().count() > 120 && vocabulary.terms().count() > 400);
    }

    #[test]
    fn narrower_terms_are_within_broader_ones() {
        let vocabulary = Vocabulary::dpv();
        for (term, broad) in [
            ("Marketing", "Marketing"),
            ("DirectMarketing", "Marketing"),
            ("TargetedAdvertising", "dpv:Marketing"),
            ("dpv:TargetedAdvertising", "Personalisation"),
            ("sayso:Transfer", "Purpose"),
            ("Unheard", "Purpose"),
            ("pd:Fingerprint", "pd:Biometric"),
            ("sayso:Voiceprint", "pd:Biometric"),
            ("sayso:Train", "Use"),
        ] {
            assert!(vocabulary.is_within(term, broad), "{term} {broad}");
        }
        for (term, broad) in
            [("Marketing", "DirectMarketing"), ("Personalisation", "Marketing"), ("Unheard", "Marketing")]
        {
            assert!(!vocabulary.is_within(term, broad), "{term} {broad}");
        }
        assert!(!vocabulary.has("dpv:Train") && !vocabulary.has("Publish") && vocabulary.has("Profiling"));
        assert!(!vocabulary.has_purpose("Use") && !vocabulary.has_purpose("NoSuchPurpose"));
    }

    #[test]
    fn a_term_says_how_sensitive_what_it_names_is() {
        for (term, sensitivity) in [
            ("pd:Fingerprint", Some(Sensitivity::Special)),
            ("pd:MentalHealth", Some(Sensitivity::Special)),
            ("sayso:Voiceprint", Some(Sensitivity::Special)),
            ("pd:Vulnerability", Some(Sensitivity::High)),
            ("pd:IPAddress", Some(Sensitivity::Normal)),
            ("dpv:GeneratedPersonalData", Some(Sensitivity::Normal)),
            ("dpv:AnonymisedData", None),
            ("sayso:NoticeText", None),
            ("sayso:Unheard", None),
        ] {
            assert_eq!(Vocabulary::dpv().sensitivity(term), sensitivity, "{term}");
        }
    }
}
