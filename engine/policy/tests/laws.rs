//! Laws of `decide()`, on generated profiles: it agrees with a reference written another way, compiled decisions
//! agree with it, and whatever takes freedom away never gives any.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::subsequence;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use sayso_policy::{
    AgeBand, ConsentState, ConsentStatus, ConsentType, Decision, Gate, InForce, Profile, PurposeConsent, Reason,
    compile, decide,
};
use sayso_types::{ConsentVersion, Label, ProcessorId, RegionClass, SubjectId, TurnId, WallTime};

const DAY_MS: u64 = 86_400_000;
/// Purposes, categories and processors are numbered; the last number of each is declared by no profile.
const COUNT: usize = 4;

/// A profile, in the terms of the reference.
#[derive(Clone, Debug)]
struct Model {
    /// For each purpose, whether it rests on consent.
    purposes: Vec<bool>,
    categories: Vec<CategoryModel>,
    processors: Vec<ProcessorModel>,
    prohibitions: Vec<ProhibitionModel>,
    min_type: ConsentType,
    guardian_below: u8,
    unknown_is_minor: bool,
}

#[derive(Clone, Debug)]
struct CategoryModel {
    personal: bool,
    purposes: Vec<usize>,
    min_type: Option<ConsentType>,
    separate: bool,
}

#[derive(Clone, Debug)]
struct ProcessorModel {
    region: RegionClass,
    active: bool,
    accepts: Vec<usize>,
    purposes: Vec<usize>,
    /// Days of 2026 for which its due diligence holds.
    examined_days: Option<u64>,
}

#[derive(Clone, Debug)]
struct ProhibitionModel {
    purpose: Option<usize>,
    by_dpv: bool,
    category: Option<usize>,
    age_lt: Option<u8>,
}

/// One question to `decide()`.
#[derive(Clone, Debug)]
struct Question {
    purpose: usize,
    category: usize,
    processor: usize,
    cv: u64,
    now: WallTime,
}

/// 2026-01-01T00:00:00Z
const NEW_YEAR: u64 = 1_767_225_600_000;

impl Model {
    fn in_force(&self) -> Arc<InForce> {
        let mut text = String::from(
            "[profile]\nid = \"model\"\nrev = 7\nformat = 1\ntitle = { en = \"Model\" }\njurisdiction = \"*\"\n\
             languages = [\"en\"]\neffective_at = 2026-01-01T00:00:00Z\n\
             [controller]\nid = \"c\"\nname = \"C\"\ncontact = { url = \"https://c.example\" }\n\
             [notice.en]\nspoken = \"s\"\nscreen = \"s\"\nthanks = \"t\"\nrefused = \"r\"\ndeferred = \"d\"\n\
             withdrawn = \"w\"\nnot_understood = \"n\"\n[asks]\nspoken = []\n[transfers]\noverseas = true\n",
        );
        let age = if self.unknown_is_minor { "minor" } else { "adult" };
        let min = type_name(self.min_type);
        let below = self.guardian_below;
        write!(
            text,
            "[defaults]\ngate = \"deny\"\npermit_ttl = \"PT3S\"\nmin_consent_type = \"{min}\"\n\
             unknown_age = \"{age}\"\n[minors]\nguardian_required_below = {below}\n\
             verify_methods = [\"in_person\"]\nerase_on_discovery = \"P1D\"\n"
        )
        .unwrap();
        for (i, consent) in self.purposes.iter().enumerate() {
            let basis = if *consent { "Consent" } else { "ContractPerformance" };
            writeln!(text, "[[purpose]]\nid = \"p{i}\"\ndpv = \"Purpose{i}\"\nbasis = \"{basis}\"").unwrap();
        }
        for (i, c) in self.categories.iter().enumerate() {
            let sensitivity = if c.personal { "normal" } else { "none" };
            let purposes = names('p', &c.purposes);
            writeln!(
                text,
                "[category.c{i}]\ndpv = [\"sayso:C{i}\"]\nsensitivity = \"{sensitivity}\"\npurposes = {purposes}\n\
                 necessity = \"Optional\"\nseparate = {}\n\
                 retention = {{ trigger = \"collected\", after = \"P1D\", action = \"erase\" }}",
                c.separate
            )
            .unwrap();
            if let Some(min) = c.min_type {
                writeln!(text, "min_consent_type = \"{}\"", type_name(min)).unwrap();
            }
        }
        for (i, r) in self.processors.iter().enumerate() {
            let region = format!("{:?}", r.region).to_lowercase();
            let state = if r.active { "active" } else { "suspended" };
            let (accepts, purposes) = (names('c', &r.accepts), names('p', &r.purposes));
            writeln!(
                text,
                "[[processor]]\nid = \"r{i}\"\nkind = \"llm\"\nparty = \"operator\"\nregion = \"x\"\nmechanism = \"standard_contract\"\n\
                 region_class = \"{region}\"\naccepts = {accepts}\npurposes = {purposes}\nstate = \"{state}\"\n\
                 trains_on_data = false\ndeclared_retention = \"PT0S\""
            )
            .unwrap();
            if let Some(days) = r.examined_days {
                writeln!(text, "due_diligence = {{ at = 2026-01-01, by = \"x\", valid = \"P{days}D\" }}").unwrap();
            }
        }
        for p in &self.prohibitions {
            writeln!(text, "[[prohibition]]").unwrap();
            match p.purpose {
                Some(i) if p.by_dpv => writeln!(text, "purpose = \"Purpose{i}\"").unwrap(),
                Some(i) => writeln!(text, "purpose = \"p{i}\"").unwrap(),
                None => {}
            }
            if let Some(i) = p.category {
                writeln!(text, "category = \"c{i}\"").unwrap();
            }
            if let Some(age) = p.age_lt {
                writeln!(text, "when = {{ age_lt = {age} }}").unwrap();
            }
        }
        // the linter asks why a purpose is declared that nobody may ever use
        if self.prohibitions.iter().any(|p| p.purpose.is_some() && p.category.is_none() && p.age_lt.is_none()) {
            writeln!(text, "[[lint.waive]]\nrule = \"PROHIBITION_CONTRADICTED\"\nwhy = \"by chance\"").unwrap();
        }
        Arc::new(InForce::new(Arc::new(Profile::parse(&text).unwrap())))
    }

    /// The answer, by looking at each reason apart and giving the first that applies.
    fn answer(&self, q: &Question, state: &ConsentState) -> Result<(), Reason> {
        let purpose = self.purposes.get(q.purpose);
        let category = self.categories.get(q.category);
        let processor = self.processors.get(q.processor);
        let personal = category.is_some_and(|c| c.personal);
        let could_be_younger_than = |years: u8| {
            let bands = [(AgeBand::Under13, 1), (AgeBand::Under14, 14), (AgeBand::Under16, 15), (AgeBand::Under18, 17)];
            match state.age {
                AgeBand::Unknown => years > if self.unknown_is_minor { 0 } else { 18 },
                AgeBand::Adult => years > 18,
                // these profiles name 13, 14, 16 and 18 only, so a band is below an age or not
                band => bands.iter().any(|(b, limit)| *b == band && *limit <= years),
            }
        };
        let prohibited = self.prohibitions.iter().any(|p| {
            p.purpose.unwrap_or(q.purpose) == q.purpose
                && p.category.unwrap_or(q.category) == q.category
                && p.age_lt.is_none_or(could_be_younger_than)
        });
        let unknown = purpose.is_none() || category.is_none_or(|c| !c.purposes.contains(&q.purpose));
        let minor = personal && could_be_younger_than(self.guardian_below) && !state.guardian_verified;
        let unfit = processor.is_none_or(|r| {
            let examined = r.examined_days.is_none_or(|days| q.now.0 < NEW_YEAR + days * DAY_MS);
            !(r.active && examined && r.accepts.contains(&q.category) && r.purposes.contains(&q.purpose))
        });
        let too_far = personal && processor.is_some_and(|r| r.region as u8 > state.farthest as u8);
        let consented = purpose == Some(&false)
            || category.is_some_and(|c| {
                let enough = c.min_type.unwrap_or(self.min_type);
                state.consents.iter().any(|(purpose, given)| {
                    purpose.as_str() == format!("p{}", q.purpose)
                        && [ConsentStatus::Given, ConsentStatus::Renewed].contains(&given.status)
                        && given.consent_type as u8 >= enough as u8
                        && (given.separate || !c.separate)
                        && given.profile_rev == 7
                        && given.given_at.0 <= q.cv
                        && given.expires_at.unwrap_or(WallTime(u64::MAX)) > q.now
                })
            });
        let reasons = [
            (prohibited, Reason::Prohibited),
            (unknown, Reason::UnknownCell),
            (minor, Reason::MinorNoGuardian),
            (unfit, Reason::ProcessorState),
            (too_far, Reason::Region),
            (!consented, Reason::NoBasis),
        ];
        reasons.into_iter().find(|(applies, _)| *applies).map_or(Ok(()), |(_, reason)| Err(reason))
    }
}

impl Question {
    fn label(&self) -> Label {
        Label {
            subject: SubjectId([1; 16]),
            category: format!("c{}", self.category).parse().unwrap(),
            purpose: format!("p{}", self.purpose).parse().unwrap(),
            turn: TurnId(1),
            cv: ConsentVersion(self.cv),
        }
    }

    fn processor(&self) -> ProcessorId {
        format!("r{}", self.processor).parse().unwrap()
    }

    fn question(&self) -> sayso_policy::Question {
        let (label, processor) = (self.label(), self.processor());
        sayso_policy::Question { label, gate: Gate::Dialogue, processor, now: self.now }
    }

    fn ask(&self, model: &Model, state: &ConsentState) -> Decision {
        decide(&self.question(), state, &model.in_force())
    }
}

fn type_name(consent_type: ConsentType) -> String {
    format!("{consent_type:?}Consent")
}

fn names(prefix: char, numbers: &[usize]) -> String {
    format!("{:?}", numbers.iter().map(|i| format!("{prefix}{i}")).collect::<Vec<_>>())
}

fn most() -> impl Strategy<Value = Vec<usize>> {
    subsequence((0..COUNT - 1).collect::<Vec<_>>(), 1..COUNT)
}

fn consent_types() -> impl Strategy<Value = ConsentType> {
    prop_oneof![Just(ConsentType::Implied), Just(ConsentType::Expressed), Just(ConsentType::ExplicitlyExpressed)]
}

fn regions() -> impl Strategy<Value = RegionClass> {
    prop_oneof![Just(RegionClass::Local), Just(RegionClass::Domestic), Just(RegionClass::Overseas)]
}

fn ages() -> impl Strategy<Value = u8> {
    prop_oneof![Just(13), Just(14), Just(16), Just(18)]
}

prop_compose! {
    fn category()(
        personal in prop::bool::weighted(0.8),
        purposes in most(),
        min_type in prop::option::weighted(0.3, consent_types()),
        separate in prop::bool::weighted(0.2),
    ) -> CategoryModel {
        CategoryModel { personal, purposes, min_type, separate }
    }
}

prop_compose! {
    fn processor()(
        region in regions(),
        active in prop::bool::weighted(0.9),
        accepts in most(),
        purposes in most(),
        examined_days in prop::option::weighted(0.3, 1..400u64),
    ) -> ProcessorModel {
        ProcessorModel { region, active, accepts, purposes, examined_days }
    }
}

prop_compose! {
    fn prohibition()(
        purpose in prop::option::of(0..COUNT - 1),
        by_dpv: bool,
        category in prop::option::of(0..COUNT - 1),
        age_lt in prop::option::of(ages()),
    ) -> ProhibitionModel {
        ProhibitionModel { purpose, by_dpv, category, age_lt }
    }
}

prop_compose! {
    fn models()(
        purposes in prop::collection::vec(prop::bool::weighted(0.8), COUNT - 1),
        categories in prop::collection::vec(category(), COUNT - 1),
        processors in prop::collection::vec(processor(), COUNT - 1),
        prohibitions in prop::collection::vec(prohibition(), 0..2),
        min_type in consent_types(),
        guardian_below in prop_oneof![Just(0), ages()],
        unknown_is_minor: bool,
    ) -> Model {
        Model { purposes, categories, processors, prohibitions, min_type, guardian_below, unknown_is_minor }
    }
}

fn statuses() -> impl Strategy<Value = ConsentStatus> {
    use ConsentStatus::*;
    prop_oneof![
        8 => Just(Given), 2 => Just(Renewed), 1 => Just(Requested), 1 => Just(Refused), 1 => Just(Deferred),
        1 => Just(Withdrawing), 1 => Just(Withdrawn), 1 => Just(Revoked), 1 => Just(Expired), 1 => Just(Invalidated),
        1 => Just(Unknown),
    ]
}

prop_compose! {
    fn consent()(
        status in statuses(),
        consent_type in consent_types(),
        separate: bool,
        given_at in 0..4u64,
        current in prop::bool::weighted(0.9),
        expires in prop::option::weighted(0.3, 0..800u64),
    ) -> PurposeConsent {
        PurposeConsent {
            status,
            consent_type,
            separate,
            written: false,
            given_at: ConsentVersion(given_at),
            profile_rev: if current { 7 } else { 6 },
            expires_at: expires.map(|days| WallTime(NEW_YEAR + days * DAY_MS)),
        }
    }
}

fn bands() -> impl Strategy<Value = AgeBand> {
    use AgeBand::*;
    prop_oneof![
        4 => Just(Adult), 1 => Just(Unknown), 1 => Just(Under13), 1 => Just(Under14), 1 => Just(Under16),
        1 => Just(Under18),
    ]
}

prop_compose! {
    fn states()(
        consents in prop::collection::btree_map((0..COUNT).prop_map(|i| format!("p{i}").parse().unwrap()), consent(), 0..5),
        farthest in regions(),
        age in bands(),
        guardian_verified: bool,
    ) -> ConsentState {
        ConsentState { cv: ConsentVersion(3), consents, farthest, age, guardian_verified }
    }
}

prop_compose! {
    fn questions()(
        (purpose, category, processor) in (0..COUNT, 0..COUNT, 0..COUNT),
        cv in 0..4u64,
        day in 0..800u64,
    ) -> Question {
        Question { purpose, category, processor, cv, now: WallTime(NEW_YEAR + day * DAY_MS) }
    }
}

proptest! {
    #[test]
    fn agrees_with_the_reference(model in models(), state in states(), questions in prop::collection::vec(questions(), 20)) {
        let in_force = model.in_force();
        let compiled = compile(&in_force, &state);
        for q in questions {
            let decision = decide(&q.question(), &state, &in_force);
            prop_assert_eq!(decision.answer.map(|_| ()), model.answer(&q, &state), "{:?}", q);
            prop_assert_eq!(compiled.decide(&q.question()), decision, "{:?}", q);
        }
    }

    #[test]
    fn a_prohibition_opens_nothing(model in models(), state in states(), q in questions(), more in prohibition()) {
        let mut narrower = model.clone();
        narrower.prohibitions.push(more);
        prop_assert!(q.ask(&model, &state).is_permit() || !q.ask(&narrower, &state).is_permit());
    }

    #[test]
    fn less_consent_opens_nothing(model in models(), state in states(), q in questions(), status in statuses()) {
        let mut less = state.clone();
        for given in less.consents.values_mut().filter(|_| !status.is_valid()) {
            given.status = status;
        }
        prop_assert!(q.ask(&model, &state).is_permit() || !q.ask(&model, &less).is_permit());
        less.consents.clear();
        prop_assert!(q.ask(&model, &state).is_permit() || !q.ask(&model, &less).is_permit());
    }

    #[test]
    fn a_lower_age_opens_nothing(model in models(), state in states(), q in questions(), age in bands()) {
        prop_assume!(age != AgeBand::Unknown && age <= state.age);
        let younger = ConsentState { age, ..state.clone() };
        prop_assert!(q.ask(&model, &state).is_permit() || !q.ask(&model, &younger).is_permit());
    }

    #[test]
    fn a_nearer_limit_opens_nothing(model in models(), state in states(), q in questions(), farthest in regions()) {
        prop_assume!(farthest <= state.farthest);
        let nearer = ConsentState { farthest, ..state.clone() };
        prop_assert!(q.ask(&model, &state).is_permit() || !q.ask(&model, &nearer).is_permit());
    }

    #[test]
    fn suspending_a_processor_opens_nothing(model in models(), state in states(), q in questions(), which in 0..COUNT - 1) {
        let mut fewer = model.clone();
        fewer.processors[which].active = false;
        prop_assert!(q.ask(&model, &state).is_permit() || !q.ask(&fewer, &state).is_permit());
    }

    #[test]
    fn clearer_consent_closes_nothing(model in models(), state in states(), q in questions()) {
        let mut clearer = state.clone();
        for given in clearer.consents.values_mut() {
            given.consent_type = ConsentType::ExplicitlyExpressed;
        }
        prop_assert!(!q.ask(&model, &state).is_permit() || q.ask(&model, &clearer).is_permit());
    }
}

/// The laws above say little unless the generators reach every answer.
#[test]
fn the_generators_reach_every_answer() {
    let mut runner = TestRunner::deterministic();
    let mut seen = BTreeSet::new();
    for _ in 0..400 {
        let (model, state) = (models(), states()).new_tree(&mut runner).unwrap().current();
        let in_force = model.in_force();
        for _ in 0..20 {
            let q = questions().new_tree(&mut runner).unwrap().current();
            seen.insert(match decide(&q.question(), &state, &in_force).answer {
                Ok(grounds) => format!("permit by {}", grounds.basis),
                Err(reason) => reason.to_string(),
            });
        }
    }
    assert_eq!(seen.len(), Reason::ALL.len() + 2, "{seen:?}");
}
