//! The state of a person, as somebody describes it on the command line or in a file.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use sayso_policy::profile::Date;
use sayso_policy::{AgeBand, ConsentState, ConsentStatus, ConsentType, PartStatus, Profile, PurposeConsent, Registry};
use sayso_types::{Category, ConsentVersion, Part, ProcessorId, Purpose, RegionClass};
use serde::Deserialize;

use super::file::TomlFile;
use super::situation::{RegistryFile, TenantFile, Wrong};
use crate::cli::ExplainArgs;

/// A state, written in TOML.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StateFile {
    #[serde(default)]
    age: AgeBand,
    #[serde(default)]
    guardian: bool,
    /// Whether they closed their account.
    #[serde(default)]
    closed: bool,
    /// What they had the use of restricted.
    #[serde(default)]
    restricted: BTreeSet<Category>,
    /// Parts of what they agreed to that they took back.
    #[serde(default)]
    taken_back: Vec<Part>,
    #[serde(default = "anywhere")]
    farthest: RegionClass,
    /// Services that the person was told of.
    #[serde(default)]
    told: Vec<ProcessorId>,
    #[serde(default)]
    consents: BTreeMap<Purpose, Given>,
    /// Whose device it is.
    tenant: Option<TenantFile>,
    #[serde(default)]
    registry: RegistryFile,
}

/// What the person answered for one purpose.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    #[serde(default = "yes")]
    status: ConsentStatus,
    #[serde(default = "aloud", rename = "type")]
    consent_type: ConsentType,
    #[serde(default)]
    separate: bool,
    #[serde(default)]
    written: bool,
    /// The revision that the person was shown; the one in force where nothing is said.
    rev: Option<u32>,
    #[serde(default)]
    given_at: u64,
    expires_at: Option<Date>,
}

const fn anywhere() -> RegionClass {
    RegionClass::Overseas
}

const fn yes() -> ConsentStatus {
    ConsentStatus::Given
}

const fn aloud() -> ConsentType {
    ConsentType::Expressed
}

/// The state of the person, and of the registry, that `args` describe, under `profile`.
pub(super) fn of(args: &ExplainArgs, profile: &Profile) -> Result<(ConsentState, Registry)> {
    if let Some(path) = &args.state {
        let file = TomlFile::<StateFile>::open(path)?;
        return file.said.under(profile).map_err(|wrong| file.wrong(&wrong.key, wrong.message));
    }
    let said = StateFile {
        age: args.age,
        guardian: args.guardian,
        closed: false,
        restricted: BTreeSet::new(),
        taken_back: Vec::new(),
        farthest: args.farthest.into(),
        told: args.told.clone(),
        consents: args.given.iter().map(|purpose| (*purpose, Given::aloud_and_apart())).collect(),
        tenant: args.attested.then(TenantFile::attested),
        registry: RegistryFile::default(),
    };
    Ok(said.under(profile)?)
}

impl StateFile {
    /// The person and the registry, under `profile`.
    fn under(&self, profile: &Profile) -> Result<(ConsentState, Registry), Wrong> {
        let told = self.told.iter().filter_map(|id| Some(profile.processor(*id)?.introduction()?.hash())).collect();
        let registry = self.registry.with(self.tenant.as_ref(), profile)?;
        Ok((ConsentState { told, ..self.state(profile.rev())? }, registry))
    }

    fn state(&self, rev: u32) -> Result<ConsentState, Wrong> {
        let consents: Result<BTreeMap<_, _>, Wrong> =
            self.consents.iter().map(|(purpose, given)| Ok((*purpose, given.consent(*purpose, rev)?))).collect();
        let consents = consents?;
        let cv = consents.values().map(|consent| consent.given_at).max().unwrap_or(ConsentVersion(0));
        let parts = self.taken_back.iter().map(|part| (*part, PartStatus::Withdrawn)).collect();
        Ok(ConsentState {
            cv,
            consents,
            farthest: self.farthest,
            age: self.age,
            guardian_verified: self.guardian,
            is_closed: self.closed,
            restricted: self.restricted.clone(),
            tenant: self.tenant.as_ref().map(|tenant| tenant.id().clone()),
            parts,
            ..ConsentState::new()
        })
    }
}

impl Given {
    const fn aloud_and_apart() -> Self {
        Self {
            status: yes(),
            consent_type: aloud(),
            separate: true,
            written: false,
            rev: None,
            given_at: 1,
            expires_at: None,
        }
    }

    fn consent(&self, purpose: Purpose, rev: u32) -> Result<PurposeConsent, Wrong> {
        let moment = |date: &Date| Wrong::unless_a_date(date, || format!("consents.{purpose}.expires_at"));
        let expires_at = self.expires_at.as_ref().map(moment).transpose()?;
        Ok(PurposeConsent {
            status: self.status,
            consent_type: self.consent_type,
            separate: self.separate,
            written: self.written,
            given_at: ConsentVersion(self.given_at),
            profile_rev: self.rev.unwrap_or(rev),
            expires_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use sayso_policy::Narrowed;
    use sayso_types::WallTime;

    use super::*;

    #[test]
    fn a_file_says_what_the_person_answered() {
        let text = "age = \"under16\"\nfarthest = \"domestic\"\nclosed = true\nrestricted = [\"transcript\"]\n\
                    taken_back = [{ category = \"voice_audio\", region = \"overseas\" }]\n[consents.memory]\nseparate = true\nrev = 2\n\
                    given_at = 4\nexpires_at = 2027-01-01\n[consents.voice_interaction]\nstatus = \"ConsentRefused\"\n";
        let file: StateFile = toml::from_str(text).unwrap();
        let state = file.state(3).unwrap();
        assert_eq!((state.age, state.farthest, state.cv), (AgeBand::Under16, RegionClass::Domestic, ConsentVersion(4)));
        assert_eq!((state.is_closed, &state.restricted), (true, &[Category::TRANSCRIPT].into()));
        let abroad = RegionClass::Overseas;
        let part = Part { category: Some(Category::VOICE_AUDIO), region: Some(abroad), ..Part::default() };
        assert_eq!(state.taken_back().collect::<Vec<_>>(), [part]);
        let memory = &state.consents[&Purpose::MEMORY];
        assert_eq!((memory.profile_rev, memory.separate), (2, true));
        assert_eq!(memory.expires_at.unwrap().0, 1_798_761_600_000);
        let voice = &state.consents[&Purpose::VOICE_INTERACTION];
        assert_eq!((voice.status, voice.profile_rev), (ConsentStatus::Refused, 3));
    }

    #[test]
    fn a_file_says_whose_device_it_is_and_what_is_switched_off() {
        let profile = Profile::parse(crate::config::HOME_PROFILE).unwrap();
        let of = |text: &str| {
            let file: StateFile = toml::from_str(text).unwrap();
            file.registry.with(file.tenant.as_ref(), &profile)
        };
        let acme = "acme".parse().unwrap();
        let used = (Purpose::MEMORY, Category::MEMORY_SUMMARY);
        let text = "[tenant]\nid = \"acme\"\noff = true\nattested = true\n[registry]\noff = [\"transcript\"]\n\
                    processors = { store-local = \"suspended\" }\n";
        let registry = of(text).unwrap();
        assert!(registry.is_tenant_off(Some(&acme)) && registry.is_category_off(Category::TRANSCRIPT));
        assert_eq!(registry.narrowed("store-local".parse().unwrap()), Some(Narrowed::Suspended));
        assert!(registry.is_attested(Some(&acme)) && !registry.is_uninstructed(Some(&acme), used, WallTime(0)));
        let instructs = "[tenant]\nid = \"acme\"\n[tenant.instructs]\npurposes = [\"memory\"]\n\
                         categories = [\"memory_summary\"]\nuntil = 2027-01-01\n";
        let registry = of(instructs).unwrap();
        assert!(!registry.is_attested(Some(&acme)) && !registry.is_uninstructed(Some(&acme), used, WallTime(0)));
        assert!(registry.is_uninstructed(Some(&acme), used, WallTime(1_798_761_600_000)));
        let soon = of(&instructs.replace("2027-01-01", "\"soon\"")).unwrap_err();
        assert!(soon.to_string().contains("tenant.instructs.until: `soon`"), "{soon}");
    }

    #[test]
    fn what_is_not_a_state_is_refused() {
        assert!(toml::from_str::<StateFile>("aeg = \"adult\"").is_err());
        assert!(toml::from_str::<StateFile>("taken_back = [{ procesor = \"groq\" }]").is_err());
        let soon: StateFile = toml::from_str("[consents.memory]\nexpires_at = \"soon\"").unwrap();
        assert!(soon.state(1).unwrap_err().to_string().contains("consents.memory.expires_at: `soon`"));
    }
}
