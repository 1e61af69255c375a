//! Worlds, people and questions by chance. Names are few, so that they meet; the last of each sort is declared nowhere.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use proptest::option::weighted as maybe;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use sayso_policy::profile::{
    AtRest, CategoryRule, DataSubject, Date, Deployment, Document, Draft, Exemption, ExemptionCode, ExemptionScope,
    Identifies, MinorRule, Processing, Processor, ProhibitedPurpose, Prohibition, PurposeRule, Retention, Sensitivity,
    Stricter, UnknownAge, When,
};
use sayso_policy::{
    AgeBand, ConsentState, ConsentStatus, ConsentType, ExemptionGrant, InForce, Instructions, LegalBasis, Narrowed,
    PartStatus, Profile, PurposeConsent, Registry,
};
use sayso_types::{
    Category, ConsentVersion, Part, ProcessorId, ProcessorKind, Purpose, RegionClass, SubjectId, TenantId, WallTime,
};

use crate::receivers::{INTRODUCTIONS, processors};
use crate::reference::{Instructed, World, law_names};

const DAY_MS: u64 = 86_400_000;
/// 2026-01-01T00:00:00Z.
const NEW_YEAR: u64 = 1_767_225_600_000;
/// How many purposes, categories and processors have a name, the undeclared one among them.
pub(crate) const NAMED: usize = 4;
const REV: u32 = 7;

/// A profile that says all that is not generated.
pub(crate) static HOME: LazyLock<Document> = LazyLock::new(|| {
    let home = include_str!("../../../../deploy/profiles/home.toml");
    Draft::parse(home, None).unwrap().document().clone()
});

impl World {
    pub(crate) fn in_force(&self) -> Arc<InForce> {
        let in_force = InForce::new(Arc::new(Profile::in_force_before(&self.text()).unwrap()));
        Arc::new(self.registered(&in_force.with_exemptions(self.grants.clone())))
    }

    /// `in_force` under the registry of this world.
    pub(crate) fn registered(&self, in_force: &InForce) -> InForce {
        let registry = Registry::new(1, self.narrowed.iter().copied())
            .without_categories(self.categories_off.iter().copied())
            .without_tenants(self.tenants_off.iter().cloned())
            .with_instructions(self.instructions.iter().map(|(tenant, (purposes, categories, until, attested))| {
                let (purposes, categories) = (purposes.iter().copied().collect(), categories.iter().copied().collect());
                (tenant.clone(), Instructions { purposes, categories, until: *until, attested: *attested })
            }));
        in_force.clone().with_registry(registry)
    }

    /// The document as a file. Its lists are maps in memory and its times are numbers.
    fn text(&self) -> String {
        let mut table = toml::Table::try_from(&self.document).unwrap();
        let moment = |ms: u64| toml::Value::from(Date::Moment(WallTime(ms)).to_string());
        table["profile"]["effective_at"] = moment(NEW_YEAR);
        for (id, rule) in &self.document.processor {
            if let Some(looked_at) = &rule.due_diligence {
                table["processor"][id.as_str()]["due_diligence"]["at"] = moment(looked_at.at.0);
            }
        }
        for list in ["purpose", "processor", "exemption", "clause"] {
            let entries = table[list].as_table().unwrap().values().cloned().collect();
            table[list] = toml::Value::Array(entries);
        }
        table.to_string()
    }
}

pub(crate) fn at(day: u64) -> WallTime {
    WallTime(NEW_YEAR + day * DAY_MS)
}

pub(crate) fn purpose_named(i: usize) -> Purpose {
    format!("p{i}").parse().unwrap()
}

pub(crate) fn category_named(i: usize) -> Category {
    format!("c{i}").parse().unwrap()
}

pub(crate) fn processor_named(i: usize) -> ProcessorId {
    format!("r{i}").parse().unwrap()
}

pub(crate) fn some<T: Ord + Clone + std::fmt::Debug + 'static>(
    named: fn(usize) -> T,
) -> impl Strategy<Value = BTreeSet<T>> {
    subsequence((0..NAMED - 1).collect::<Vec<_>>(), 1..NAMED).prop_map(move |of| of.into_iter().map(named).collect())
}

pub(crate) fn one<T: Clone + std::fmt::Debug + 'static>(named: fn(usize) -> T) -> impl Strategy<Value = T> {
    (0..NAMED - 1).prop_map(named)
}

pub(crate) fn seldom() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.1)
}

pub(crate) fn consent_types() -> impl Strategy<Value = ConsentType> {
    select(vec![ConsentType::Implied, ConsentType::Expressed, ConsentType::ExplicitlyExpressed])
}

pub(crate) fn regions() -> impl Strategy<Value = RegionClass> {
    select(vec![RegionClass::Local, RegionClass::Domestic, RegionClass::Overseas])
}

fn years() -> impl Strategy<Value = u8> {
    select(vec![0, 0, 0, 12, 13, 14, 16, 18])
}

fn processings() -> impl Strategy<Value = Processing> {
    use Processing::*;
    select(vec![
        Collect, Analyse, Transmit, Identify, Derive, Store, Copy, Export, Share, Publish, Record, Contact, Profiling,
        Train,
    ])
}

prop_compose! {
    fn purposes()(
        basis in prop_oneof![
            3 => Just(LegalBasis::Consent),
            1 => select(vec![
                LegalBasis::ContractPerformance, LegalBasis::EnterIntoContract, LegalBasis::LegalObligation,
                LegalBasis::VitalInterest, LegalBasis::PublicInterest, LegalBasis::OfficialAuthority,
                LegalBasis::LegitimateInterest,
            ]),
        ],
        separate in seldom(),
        processing in maybe(0.2, processings()),
    ) -> PurposeRule {
        let processing = processing.into_iter().collect();
        PurposeRule { basis, separate, processing, ..HOME.purpose[&Purpose::VOICE_INTERACTION].clone() }
    }
}

fn retentions() -> impl Strategy<Value = Option<Retention>> {
    let rules = [
        "trigger = 'turn.end'\nafter = 'PT0S'\naction = 'zeroise'",
        "trigger = 'turn.end|withdraw'\nafter = 'PT0S'\naction = 'zeroise'",
        "trigger = 'collected|turn.end'\nafter = 'PT0S'\naction = 'zeroise'",
        "trigger = 'session.end'\nafter = 'PT0S'\naction = 'zeroise'",
        "trigger = 'turn.end'\nafter = 'PT1S'\naction = 'zeroise'",
        "trigger = 'turn.end'\nafter = 'at once'\naction = 'zeroise'",
        "trigger = 'turn.end'\nafter = 'PT0S'\naction = 'erase'",
    ];
    maybe(0.7, select(rules.map(|rule| toml::from_str::<Retention>(rule).unwrap()).to_vec()))
}

prop_compose! {
    fn stricter()(min_consent_type in maybe(0.7, consent_types()), separate in seldom()) -> Stricter {
        Stricter { min_consent_type, separate }
    }
}

prop_compose! {
    fn categories()(
        sensitivity in select(vec![
            Sensitivity::None, Sensitivity::Normal, Sensitivity::Normal, Sensitivity::High, Sensitivity::Special,
        ]),
        identifies in select(vec![Identifies::Directly, Identifies::Pseudonymised, Identifies::Anonymised]),
        purposes in some(purpose_named),
        at_rest in select(vec![AtRest::Allowed, AtRest::Allowed, AtRest::Forbidden]),
        content_free: bool,
        min_consent_type in maybe(0.2, consent_types()),
        (separate, written) in (seldom(), seldom()),
        in_region in prop::collection::btree_map(regions(), stricter(), 0..2),
        (redact, of_a_product, pictured) in (seldom(), any::<bool>(), prop::bool::weighted(0.3)),
        retention in retentions(),
    ) -> CategoryRule {
        CategoryRule {
            dpv: BTreeSet::from([if pictured { "pd:Picture" } else { "pd:Communication" }.to_owned()]),
            subject: if of_a_product { DataSubject::TenantUser } else { DataSubject::Owner },
            sensitivity,
            identifies,
            purposes,
            at_rest,
            content_free,
            min_consent_type,
            separate,
            written,
            in_region,
            redact: redact.then(|| "bank_card".to_owned()).into_iter().collect(),
            retention,
            attrs: BTreeSet::from(["a".to_owned(), "b".to_owned()]),
            necessity: None,
            ..HOME.category[&Category::VOICE_AUDIO].clone()
        }
    }
}

prop_compose! {
    /// Something more that is prohibited.
    pub(crate) fn prohibitions()(
        purpose in maybe(0.6, (one(purpose_named), any::<bool>())),
        category in maybe(0.6, one(category_named)),
        processing in maybe(0.6, processings()),
        age_lt in maybe(0.4, years()),
    ) -> Prohibition {
        let purpose = purpose.map(|(id, by_term)| match by_term {
            true => ProhibitedPurpose::Dpv(term(id)),
            false => ProhibitedPurpose::Id(id),
        });
        let when = age_lt.map(|age_lt| When { age_lt });
        Prohibition { purpose, category, processing, when, src: BTreeSet::new() }
    }
}

/// Has consent to `first` come before `purpose`, if there is such a thing.
pub(crate) fn require(document: &mut Document, purpose: Purpose, first: Purpose) {
    if document.purpose[&first].basis == LegalBasis::Consent {
        document.purpose.get_mut(&purpose).unwrap().requires.insert(first);
    }
}

/// The DPV term of a purpose here: the second is narrower than the first and the third.
fn term(id: Purpose) -> String {
    let terms = ["Marketing", "TargetedAdvertising", "Personalisation", "EnforceSecurity"];
    let number: usize = id.as_str()[1..].parse().unwrap();
    terms[number].to_owned()
}

fn codes() -> impl Strategy<Value = ExemptionCode> {
    use ExemptionCode::*;
    prop_oneof![4 => select(vec![X04, X07, X09, X13]), 1 => select(ExemptionCode::ALL.to_vec())]
}

prop_compose! {
    fn exemptions()(
        code in codes(),
        scope in subsequence(vec![ExemptionScope::CollectUse, ExemptionScope::SharePublish], 1..=2),
        approvers in 1..4_u8,
        max in select(vec!["P30D", "P30D", "P20WD"]),
        categories in maybe(0.3, some(category_named)),
    ) -> Exemption {
        Exemption {
            code,
            scope: scope.into_iter().collect(),
            basis_code: None,
            approvers,
            max: max.parse().unwrap(),
            categories: categories.unwrap_or_default(),
            de_identified_counts: false,
            src: BTreeSet::new(),
        }
    }
}

prop_compose! {
    fn grants()(
        code in codes(),
        subject in maybe(0.3, 0..2_u8),
        purposes in some(purpose_named),
        categories in some(category_named),
        processors in some(processor_named),
        (start, days) in (0..90_u64, 0..35_u64),
        approvers in select(vec![1, 2, 2, 3, 3]),
        number in 0..100_u8,
    ) -> ExemptionGrant {
        ExemptionGrant {
            id: format!("case-{number}").parse().unwrap(),
            code,
            clause: None,
            basis_code: "cn-pipl:13".to_owned(),
            subject: subject.map(|n| SubjectId([n; 16])),
            purposes,
            categories,
            processors,
            not_before: at(start),
            not_after: at(start + days),
            approvers: [[1; 16], [2; 16], [3; 16]].into_iter().take(approvers).collect(),
            evidence_hash: [0; 32],
            notify_subject_after: None,
        }
    }
}

prop_compose! {
    fn documents()(
        (purposes, requires, categories, processors) in (
            prop::collection::vec(purposes(), NAMED - 1),
            prop::collection::vec(maybe(0.3, any::<Index>()), NAMED - 1),
            prop::collection::vec(categories(), NAMED - 1),
            prop::collection::vec(processors(), NAMED - 1),
        ),
        prohibitions in prop::collection::btree_set(prohibitions(), 0..2),
        exemptions in prop::collection::vec(exemptions(), 0..4),
        laws in prop_oneof![Just(vec![]), subsequence(law_names(), 1..3)],
        trial in seldom(),
        (min_consent_type, unknown_age) in (
            consent_types(), select(vec![UnknownAge::Adult, UnknownAge::Minor, UnknownAge::Ask]),
        ),
        (guardian_below, special_below) in (years(), years()),
        overrides in prop::collection::btree_map(one(category_named), (seldom(), any::<bool>()), 0..3),
        overseas in prop::bool::weighted(0.8),
        stored_here in seldom(),
        (due_diligence_required, attest) in (seldom(), prop::bool::weighted(0.3)),
        retention in retentions(),
    ) -> Document {
        let mut document = HOME.clone();
        document.profile.rev = REV;
        document.profile.law_floor = laws.into_iter().collect();
        document.profile.deployment = if trial { Deployment::TestPlatform } else { Deployment::Hosted };
        document.asks.spoken.clear();
        document.purpose = (0..).map(purpose_named).zip(purposes).map(|(id, rule)| {
            (id, PurposeRule { id, dpv: term(id), ..rule })
        }).collect();
        // one before it in the list, so that none comes before itself
        for (i, before) in requires.into_iter().enumerate().skip(1).filter_map(|(i, before)| Some((i, before?))) {
            require(&mut document, purpose_named(i), purpose_named(before.index(i)));
        }
        document.category = (0..).map(category_named).zip(categories).collect();
        document.processor =
            (0..).map(processor_named).zip(processors).map(|(id, rule)| (id, Processor { id, ..rule })).collect();
        document.prohibition = prohibitions;
        document.exemption = exemptions.into_iter().map(|kept| (kept.code, kept)).collect();
        document.defaults.min_consent_type = min_consent_type;
        document.defaults.unknown_age = unknown_age;
        document.minors.guardian_required_below = guardian_below;
        document.minors.special_regime_below = special_below;
        document.minors.overrides = overrides.into_iter().map(|(id, (forbidden, no_store))| {
            (id, MinorRule { forbidden, no_store, after: None })
        }).collect();
        document.transfers.overseas = overseas;
        document.transfers.storage = stored_here.then(|| "here".to_owned()).into_iter().collect();
        document.registry.due_diligence_required = due_diligence_required;
        document.retention.default = retention;
        document.tenants.attest = attest;
        document
    }
}

pub(crate) fn narrowed() -> impl Strategy<Value = (ProcessorId, Narrowed)> {
    use Narrowed::*;
    (one(processor_named), select(vec![TransferLimitReached, DueDiligenceExpired, Suspended, Terminated]))
}

/// Something that is switched off: a category, or a tenant.
pub(crate) fn switched_off() -> impl Strategy<Value = (Option<Category>, Option<TenantId>)> {
    prop_oneof![
        one(category_named).prop_map(|category| (Some(category), None)),
        tenants().prop_map(|tenant| (None, tenant)),
    ]
}

/// What a tenant instructs.
pub(crate) fn instructed() -> impl Strategy<Value = (TenantId, Instructed)> {
    let purposes = prop::collection::vec(one(purpose_named), 1..4);
    let categories = prop::collection::vec(one(category_named), 1..4);
    let until = maybe(0.5, (0..150_u64).prop_map(at));
    ((0..NAMED).prop_map(|i| format!("t{i}").parse().unwrap()), (purposes, categories, until, any::<bool>()))
}

/// Somebody's tenant, or none that is known.
fn tenants() -> impl Strategy<Value = Option<TenantId>> {
    maybe(0.9, (0..NAMED).prop_map(|i| format!("t{i}").parse().unwrap()))
}

prop_compose! {
    pub(crate) fn worlds()(
        document in documents(),
        off in prop_oneof![3 => Just(vec![]), 1 => prop::collection::vec(switched_off(), 1..3)],
        narrowed in prop_oneof![3 => Just(vec![]), 1 => prop::collection::vec(narrowed(), 1..3)],
        instructed in prop_oneof![2 => Just(vec![]), 1 => prop::collection::vec(instructed(), 1..4)],
        grants in prop::collection::vec((grants(), maybe(0.9, any::<Index>())), 0..4),
    ) -> World {
        // most on a ground that the profile keeps
        let kept: Vec<_> = document.exemption.keys().copied().collect();
        let grants = grants.into_iter().map(|(grant, which)| match which {
            Some(which) if !kept.is_empty() => ExemptionGrant { code: kept[which.index(kept.len())], ..grant },
            _ => grant,
        });
        let grants = grants.collect();
        let categories_off = off.iter().filter_map(|(category, _)| *category).collect();
        let tenants_off = off.iter().filter_map(|(_, tenant)| tenant.clone()).collect();
        // one tenant's are the last that it gave
        let instructions = instructed.into_iter().collect::<BTreeMap<_, _>>().into_iter().collect();
        World { document, narrowed, categories_off, tenants_off, instructions, grants }
    }
}

pub(crate) fn statuses() -> impl Strategy<Value = ConsentStatus> {
    use ConsentStatus::*;
    prop_oneof![
        8 => Just(Given),
        3 => Just(Renewed),
        1 => select(vec![
            Unknown, Requested, Deferred, Refused, Withdrawing, Withdrawn, Revoked, Expired, Invalidated,
        ]),
    ]
}

prop_compose! {
    fn consents()(
        status in statuses(),
        consent_type in prop_oneof![consent_types(), Just(ConsentType::ExplicitlyExpressed)],
        (separate, written) in (any::<bool>(), any::<bool>()),
        given_at in 0..4_u64,
        current in prop::bool::weighted(0.9),
        expires in maybe(0.3, 0..150_u64),
    ) -> PurposeConsent {
        PurposeConsent {
            status,
            consent_type,
            separate,
            written,
            given_at: ConsentVersion(given_at),
            profile_rev: if current { REV } else { REV - 1 },
            expires_at: expires.map(at),
        }
    }
}

pub(crate) fn bands() -> impl Strategy<Value = AgeBand> {
    use AgeBand::*;
    prop_oneof![4 => Just(Adult), 5 => select(vec![Unknown, Under13, Under14, Under16, Under18])]
}

prop_compose! {
    pub(crate) fn parts()(
        purpose in maybe(0.5, (0..NAMED - 1).prop_map(purpose_named)),
        category in maybe(0.5, (0..NAMED - 1).prop_map(category_named)),
        processor in maybe(0.3, (0..NAMED - 1).prop_map(processor_named)),
        kind in maybe(0.2, select(ProcessorKind::ALL.to_vec())),
        region in maybe(0.3, select(RegionClass::ALL.to_vec())),
    ) -> Part {
        Part { purpose, category, processor, kind, region }
    }
}

fn part_statuses() -> impl Strategy<Value = PartStatus> {
    let again = (0..4_u64).prop_map(|cv| PartStatus::GivenAgain(ConsentVersion(cv)));
    prop_oneof![Just(PartStatus::Withdrawing), Just(PartStatus::Withdrawn), again]
}

prop_compose! {
    pub(crate) fn states()(
        consents in prop::collection::vec(maybe(0.8, consents()), NAMED),
        farthest in prop_oneof![regions(), Just(RegionClass::Overseas)],
        age in bands(),
        guardian_verified in prop::bool::weighted(0.7),
        tenant in tenants(),
        restricted in maybe(0.3, some(category_named)),
        told in maybe(0.7, some(processor_named)),
        is_closed in prop::bool::weighted(0.2),
        parts in maybe(0.3, prop::collection::btree_map(parts(), part_statuses(), 1..3)),
    ) -> ConsentState {
        let consents: BTreeMap<_, _> =
            consents.into_iter().enumerate().filter_map(|(i, given)| Some((purpose_named(i), given?))).collect();
        ConsentState {
            cv: ConsentVersion(3),
            consents,
            farthest,
            age,
            guardian_verified,
            tenant,
            restricted: restricted.unwrap_or_default(),
            is_closed,
            parts: parts.unwrap_or_default(),
            told: told.iter().flatten().flat_map(|of| &INTRODUCTIONS[of]).copied().collect(),
            ..ConsentState::new()
        }
    }
}
