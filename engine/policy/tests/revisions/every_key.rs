//! Every key of a rich profile is changed by itself, one way and the other: what opens a gate, or has something end or
//! answered later, is a material change; and so is every key one way or the other that is not wording.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use sayso_policy::due::Clocks;
use sayso_policy::profile::{LegalBasis, RightKind, Trigger};
use sayso_policy::{AgeBand, Diff, Happened, IntroductionHash, decide};
use sayso_types::ProcessorKind;
use toml::{Table, Value};

use super::*;

const RICH: &str = include_str!("rich.toml");

/// What is wording, and what tells people nothing but who answers and what they are asked.
const HARMLESS: &[&str] = &[
    "source",
    "clause",
    "lint",
    "notice",
    "controller.name",
    "controller.dpo",
    "controller.representative",
    "asks.spoken",
    // what is not named comes last
    "routing.prefer.2",
    "profile.title",
    "profile.supervisor",
    "profile.published_at",
    "profile.effective_at",
];
/// The same, in any section.
const HARMLESS_IN: &[&str] = &[
    "src",
    "title",
    "basis_code",
    "refusal_effect",
    "contact",
    "privacy_url",
    "how",
    "evidence_until",
    "law",
    "id",
    "impact_assessment",
];
/// Two texts that differ there are none of one policy, or no two revisions of it.
const IDENTITY: &[&str] = &["profile.id", "profile.rev"];

/// One thing of a profile's text that is changed, or taken out.
struct Mutation {
    key: String,
    path: Vec<Step>,
    to: Option<Value>,
}

#[derive(Clone)]
enum Step {
    Key(String),
    At(usize),
}

impl Mutation {
    /// Every way to change one thing of `text`.
    fn all(text: &Table) -> Vec<Self> {
        let mut found = Vec::new();
        for (name, value) in text {
            found.push(Self { key: name.clone(), path: vec![Step::Key(name.clone())], to: None });
            walk(value, (name, name), &[Step::Key(name.clone())], &mut found);
        }
        found.retain(|mutation| !IDENTITY.contains(&mutation.key.as_str()));
        found
    }

    fn of(&self, text: &Table) -> Table {
        let mut text = Value::Table(text.clone());
        set(&mut text, &self.path, self.to.clone());
        text.as_table().unwrap().clone()
    }
}

fn set(value: &mut Value, path: &[Step], to: Option<Value>) {
    let (step, rest) = path.split_first().unwrap();
    match (value, step, to) {
        (value, Step::Key(key), to) if !rest.is_empty() => set(&mut value[key.as_str()], rest, to),
        (value, Step::At(i), to) if !rest.is_empty() => set(&mut value[*i], rest, to),
        (Value::Table(table), Step::Key(key), Some(to)) => drop(table.insert(key.clone(), to)),
        (Value::Table(table), Step::Key(key), None) => drop(table.remove(key)),
        (Value::Array(entries), Step::At(i), None) => drop(entries.remove(*i)),
        _ => unreachable!("entries of lists are only taken out"),
    }
}

/// Every way to change one thing in `value`, which is at `path` under `key`, of which `name` is the last part.
fn walk(value: &Value, (key, name): (&str, &str), path: &[Step], found: &mut Vec<Mutation>) {
    let under = |step: Step| [path, &[step]].concat();
    let to = |value: Value| Mutation { key: key.to_owned(), path: path.to_vec(), to: Some(value) };
    match value {
        Value::Table(table) => {
            for (name, inner) in table {
                let (key, path) = (format!("{key}.{name}"), under(Step::Key(name.clone())));
                walk(inner, (&key, name), &path, found);
                found.push(Mutation { key, path, to: None });
            }
        }
        Value::Array(entries) => {
            for (i, entry) in entries.iter().enumerate() {
                let id = ["id", "code", "lang"].iter().find_map(|key| entry.get(key)?.as_str());
                let key = format!("{key}.{}", id.map_or_else(|| i.to_string(), str::to_owned));
                let path = under(Step::At(i));
                if entry.is_table() {
                    walk(entry, (&key, name), &path, found);
                }
                found.push(Mutation { key, path, to: None });
            }
            if !entries.iter().any(Value::is_table) {
                let more = |word: &&str| entries.iter().cloned().chain([Value::String((*word).to_owned())]).collect();
                let others = words(name).iter().map(more).chain([Vec::new(), entries.iter().rev().cloned().collect()]);
                found.extend(others.map(|list| to(Value::Array(list))));
            }
        }
        Value::Boolean(is) => found.push(to(Value::Boolean(!is))),
        Value::Integer(n) => found.extend([n - 5, n + 5].map(|n| to(Value::Integer(n)))),
        Value::String(was) => {
            let is_period = was.starts_with('P') && was.contains(|c: char| c.is_ascii_digit());
            let periods: &[&str] = &["PT1S", "PT30S", "P400D", "P3WD", "promptly"];
            let others = if is_period { periods } else { words(name) };
            found.extend(others.iter().map(|word| to(Value::String((*word).to_owned()))));
        }
        _ => {}
    }
}

/// What may stand under a key of this name.
fn words(key: &str) -> &'static [&'static str] {
    match key {
        "basis" => &["Consent", "LegitimateInterest", "LegalObligation"],
        "kind" => &["llm", "database", "embedding"],
        "region_class" | "prefer" => &["local", "domestic", "overseas"],
        "region" | "storage" | "jurisdiction" => &["CN", "US", "home"],
        "mechanism" => &["none", "certification", "exempt:few"],
        "accepts" | "derived_from" | "categories" | "category" | "evidence" => {
            &["account", "memory_summary", "reply_text", "transcript", "voiceprint"]
        }
        "purposes" | "spoken" | "requires" | "purpose" => &["memory", "security", "service", "voice_interaction"],
        "state" => &["draft", "active", "suspended", "terminated"],
        "processing" => &["Derive", "Train", "Share", "Transmit", "Store"],
        "sensitivity" => &["none", "normal", "high", "special"],
        "identifies" => &["directly", "pseudonymised", "anonymised"],
        "provenance" => &["Provided", "Inferred"],
        "subject" => &["owner", "pictured"],
        "necessity" => &["Required", "Required_for:voice_interaction", "Required_for:memory", "Optional"],
        "at_rest" => &["allowed", "forbidden"],
        "min_consent_type" | "consent_type" => &["ImpliedConsent", "ExpressedConsent", "ExplicitlyExpressedConsent"],
        "redact" => &["bank_card", "phone"],
        "trigger" => {
            &["collected", "withdraw", "account.cancelled", "turn.end", "withdraw|account.cancelled|collected"]
        }
        "action" | "on_withdraw" => &["erase", "anonymise", "restrict", "zeroise"],
        "by" => &["daily_counts@1", "monthly_counts@1"],
        "scope" => &["collect_use", "share_publish"],
        "withdraw_mode" => &["strict", "expiry"],
        "unknown_age" => &["adult", "minor", "ask"],
        "deployment" => &["self_hosted", "test_platform", "hosted"],
        "role" => &["DataProcessor", "DataController", "partner", "affiliate"],
        "partner_type" => &["service_platform", "system_provider"],
        "law_floor" => &["gdpr@2016"],
        "form" => &["app", "email", "page"],
        "channels" => &["letter", "sms", "announcement"],
        "channel" => &["device", "voice"],
        "uses" | "announces" => &["asr", "sms", "tool"],
        "clock_start" => &["received", "identity_verified"],
        "refusals" => &["ProcessFrivolous"],
        "grounds" => &["without_consent"],
        "fields" => &["text", "time", "impact", "measures"],
        "material" | "editorial" => &["notice", "continued_use", "consent"],
        _ => &["other"],
    }
}

fn read(table: &Table) -> Option<Profile> {
    Profile::in_force_before(&table.to_string()).ok()
}

/// People of several sorts who agreed to revision 1, most of them told of these services.
pub(super) fn people(told: &BTreeSet<IntroductionHash>) -> Vec<ConsentState> {
    let clear = |state: ConsentState| {
        let fully = |given: PurposeConsent| PurposeConsent {
            consent_type: ConsentType::ExplicitlyExpressed,
            separate: true,
            written: true,
            ..given
        };
        let consents = state.consents.into_iter().map(|(purpose, given)| (purpose, fully(given))).collect();
        ConsentState { consents, told: told.clone(), age: AgeBand::Adult, ..state }
    };
    let both = || clear(agreed(1, BOTH));
    vec![
        both(),
        ConsentState { told: told.clone(), age: AgeBand::Adult, ..agreed(1, BOTH) },
        ConsentState { farthest: RegionClass::Local, ..both() },
        ConsentState { farthest: RegionClass::Domestic, ..both() },
        ConsentState { age: AgeBand::Unknown, ..both() },
        ConsentState { age: AgeBand::Under18, ..both() },
        ConsentState { age: AgeBand::Under14, guardian_verified: true, ..both() },
        ConsentState { told: BTreeSet::new(), ..both() },
        clear(agreed(1, KEEP)),
        clear(agreed(1, &[])),
    ]
}

fn introduced(profile: &Profile) -> BTreeSet<IntroductionHash> {
    profile.introductions().map(|one| one.hash()).collect()
}

fn gates(kind: ProcessorKind) -> Vec<Gate> {
    let stored: &[Gate] =
        if kind == ProcessorKind::Database { &[Gate::ChatHistory, Gate::Log, Gate::Telemetry] } else { &[] };
    [Gate::of(kind)].into_iter().chain(stored.iter().copied()).collect()
}

/// Everything that `profile` has a gate for, without the names of the receivers.
fn questions(profile: &Profile) -> Vec<(String, Question)> {
    let mut questions = Vec::new();
    for (category, rule) in profile.categories() {
        for purpose in &rule.purposes {
            for to in profile.processors() {
                for gate in gates(to.kind) {
                    let label = Label {
                        subject: SubjectId([1; 16]),
                        category,
                        purpose: *purpose,
                        turn: TurnId(1),
                        cv: ConsentVersion(1),
                    };
                    let question = Question { label, gate, processor: to.id, now: NOW };
                    // at home a place is a word
                    let region = if to.region_class == RegionClass::Local { "here" } else { to.region.as_str() };
                    let place = format!(
                        "{category} {purpose} {gate} {:?} {:?} {} {}",
                        to.kind, to.region_class, region, to.party
                    );
                    questions.push((place, question));
                }
            }
        }
    }
    questions
}

/// For which of the people what may go where, and what of it are the purpose and the category.
type Opened = BTreeMap<(usize, String), (Purpose, Category)>;

/// What is open to each of `people`.
fn opened(
    people: &[ConsentState],
    questions: &[(String, Question)],
    may: impl Fn(&Question, &ConsentState) -> bool,
) -> Opened {
    let mut opened = BTreeMap::new();
    for (who, state) in people.iter().enumerate() {
        for (place, question) in questions.iter().filter(|(_, question)| may(question, state)) {
            opened.insert((who, place.clone()), (question.label.purpose, question.label.category));
        }
    }
    opened
}

/// By when something ends that is stored: of a category, after what happened, of somebody of an age.
type Endings = BTreeMap<(Category, usize, AgeBand), Option<WallTime>>;

/// What may have happened to it.
fn lives() -> [Happened; 4] {
    let day = |n: u64| WallTime(NOW.0 + n * 86_400_000);
    let stored = Happened::collected(day(0)).and(Trigger::TurnEnd, day(1)).and(Trigger::SessionEnd, day(1));
    [
        Happened::collected(day(0)),
        stored.clone(),
        stored.clone().and(Trigger::Withdraw, day(2)),
        stored.and(Trigger::AccountCancelled, day(2)),
    ]
}

fn endings(profile: &Profile) -> Endings {
    let mut endings = BTreeMap::new();
    for (category, _) in profile.categories() {
        for (life, happened) in lives().iter().enumerate() {
            for age in [AgeBand::Adult, AgeBand::Unknown, AgeBand::Under14] {
                let ending = profile.ending(category, None, happened, age);
                endings.insert((category, life, age), ending.map(|ending| ending.latest));
            }
        }
    }
    endings
}

/// By when requests are answered, and consents are over.
fn answers(profile: &Profile) -> BTreeMap<String, Option<WallTime>> {
    let mut answers = BTreeMap::new();
    for kind in [RightKind::Access, RightKind::Copy, RightKind::Erase, RightKind::Port] {
        for identity_verified in [None, Some(WallTime(NOW.0 + 1))] {
            let clocks = Clocks { received: NOW, identity_verified };
            let due = profile.answer_due(kind, clocks).map(|due| due.at);
            answers.insert(format!("{kind:?} {identity_verified:?}"), due);
        }
    }
    for purpose in profile.purposes() {
        answers.insert(purpose.id.to_string(), profile.consent_end(purpose.id, NOW));
    }
    answers
}

/// What comes later than it did, or not at all any more.
fn later<K: Ord + Clone>(was: &BTreeMap<K, Option<WallTime>>, is: &BTreeMap<K, Option<WallTime>>) -> Vec<K> {
    let is_later = |key: &K, was: WallTime| is.get(key).is_some_and(|is| is.is_none_or(|is| is > was));
    was.iter().filter(|(key, was)| was.is_some_and(|was| is_later(key, was))).map(|(key, _)| key.clone()).collect()
}

/// What a profile opens, and how long things take by it.
struct Said {
    profile: Profile,
    opened: Opened,
    endings: Endings,
    answers: BTreeMap<String, Option<WallTime>>,
}

impl Said {
    fn of(profile: Profile) -> Self {
        let in_force = InForce::new(Arc::new(profile.clone()));
        let people = people(&introduced(&profile));
        let opened =
            opened(&people, &questions(&profile), |question, state| decide(question, state, &in_force).is_permit());
        Self { opened, endings: endings(&profile), answers: answers(&profile), profile }
    }

    /// Whether consent is what opens `purpose`.
    fn asks(&self, purpose: Purpose) -> bool {
        self.profile.purpose(purpose).is_some_and(|rule| rule.basis == LegalBasis::Consent)
    }
}

/// What `is` opens, or lengthens, against `was` and none of `changes` tells of.
fn untold(was: &Said, is: &Said, changes: &Diff) -> Vec<String> {
    let (old, new) = (was.profile.document(), is.profile.document());
    let people = people(&BTreeSet::new());
    let mut untold = Vec::new();
    for ((who, place), (purpose, _)) in is.opened.iter().filter(|(key, _)| !was.opened.contains_key(*key)) {
        let is_asked = people[*who].consents.contains_key(purpose) && was.asks(*purpose) && is.asks(*purpose);
        if !changes.is_material() || is_asked && !changes.touches(*purpose) {
            untold.push(format!("opens to {who}: {place}"));
        }
    }
    for (category, life, age) in later(&was.endings, &is.endings) {
        let is_asked = was.opened.values().any(|(purpose, of)| *of == category && was.asks(*purpose));
        if !changes.is_material() || is_asked && !changes.reconsent().any(|cell| cell.category == category) {
            untold.push(format!("{category} ends later in life {life} of {age:?}"));
        }
    }
    if changes.is_material() {
        return untold;
    }
    untold.extend(later(&was.answers, &is.answers).into_iter().map(|what| format!("{what} comes later")));
    let less = |category: &&Category| !old.redactions(**category).is_subset(&new.redactions(**category));
    untold.extend(old.category.keys().filter(less).map(|category| format!("less is taken out of {category}")));
    untold
}

#[test]
fn the_rich_profile_says_something_under_every_key() {
    let rich = serde_json::to_value(Profile::in_force_before(RICH).unwrap().document()).unwrap();
    // what one entry of a list leaves out another has
    let mut said: BTreeMap<String, bool> = BTreeMap::new();
    keys(&rich, "", &mut said);
    let silent: Vec<_> = said.iter().filter(|(_, is_said)| !**is_said).map(|(key, _)| key).collect();
    assert!(silent.is_empty(), "{silent:?}");
}

/// The sections whose entries have names of their own.
const NAMED: &[&str] = &[
    "purpose",
    "category",
    "processor",
    "exemption",
    "clause",
    "rights.offers",
    "notify",
    "incident",
    "notice",
    "minors.overrides",
    "processor.*.volume",
];

fn keys(value: &serde_json::Value, key: &str, said: &mut BTreeMap<String, bool>) {
    // it has the keys of those of categories
    let key = if key == "retention.default" { "category.*.retention" } else { key };
    let map = value.as_object().filter(|map| !map.is_empty());
    let is_list = value.as_array().is_some_and(|list| !list.is_empty());
    let is_word = !value.is_null() && !value.is_array() && !value.is_object();
    *said.entry(key.to_owned()).or_default() |= map.is_some() || is_list || is_word;
    for (name, inner) in map.into_iter().flatten() {
        let name = if NAMED.contains(&key) { "*" } else { name };
        keys(inner, &if key.is_empty() { name.to_owned() } else { format!("{key}.{name}") }, said);
    }
}

#[test]
fn whatever_opens_or_lengthens_by_any_key_is_material() {
    let base = RICH.parse::<Table>().unwrap();
    let rich = Said::of(read(&base).unwrap());
    let mut untold_of = BTreeMap::new();
    let mut matters: BTreeMap<String, bool> = BTreeMap::new();
    for mutation in Mutation::all(&base) {
        let Some(other) = read(&mutation.of(&base)).filter(|other| other.document() != rich.profile.document()) else {
            continue;
        };
        let (key, other) = (mutation.key, Said::of(other));
        let forth = diff(rich.profile.document(), other.profile.document());
        let back = diff(other.profile.document(), rich.profile.document());
        for changes in [&forth, &back] {
            let unseen = changes.changes.iter().filter(|change| change.what == "something else than wording");
            let unseen = unseen.map(|change| format!("nobody compares {}", change.key));
            untold_of.entry(key.clone()).or_insert_with(Vec::new).extend(unseen);
            assert!(!changes.changes.is_empty(), "{key}");
        }
        *matters.entry(key.clone()).or_default() |= forth.is_material() || back.is_material();
        for untold in untold(&rich, &other, &forth).into_iter().chain(untold(&other, &rich, &back)) {
            untold_of.entry(key.clone()).or_insert_with(Vec::new).push(untold);
        }
    }
    untold_of.retain(|_, untold| !untold.is_empty());
    assert!(untold_of.is_empty(), "{untold_of:#?}");
    let is_harmless = |key: &str| {
        HARMLESS.iter().any(|text| key.strip_prefix(text).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
            || key.split('.').skip(1).any(|step| HARMLESS_IN.contains(&step))
            || key.ends_with("due_diligence.by")
    };
    let wrong: Vec<_> = matters.iter().filter(|(key, matters)| **matters == is_harmless(key)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A profile that differs from `table` in as many places as there are `picks`.
fn drawn(table: &Table, picks: &[prop::sample::Index]) -> Table {
    let mut table = table.clone();
    for pick in picks {
        let other = pick.get(&Mutation::all(&table)).of(&table);
        if read(&other).is_some() {
            table = other;
        }
    }
    table
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// AW-8.1, ZG-U1: of any two revisions, the later opens nothing for anybody who agreed to the earlier, and has nothing of
    /// theirs end later.
    #[test]
    fn of_random_pairs_the_later_opens_nothing_before_people_agree(
        first in prop::collection::vec(any::<prop::sample::Index>(), 0..3),
        then in prop::collection::vec(any::<prop::sample::Index>(), 1..5),
    ) {
        let base = RICH.parse::<Table>().unwrap();
        let old = drawn(&base, &first);
        let mut new = drawn(&old, &then);
        new["profile"]["rev"] = Value::Integer(2);
        let [old, new] = [old, new].map(|table| read(&table).unwrap());
        let told = introduced(&old).union(&introduced(&new)).copied().collect();
        let (people, is_asked) = (people(&told), |purpose: Purpose| {
            [&old, &new].iter().all(|p| p.purpose(purpose).is_some_and(|rule| rule.basis == LegalBasis::Consent))
        });
        let one = one(old.clone());
        let (two, changes) = one.publish(Arc::new(new.clone()), NOW).unwrap();
        let [before, after] = [(&one, &old), (&two, &new)].map(|(revisions, profile)| {
            opened(&people, &questions(profile), |question, state| revisions.decide(question, state).is_permit())
        });
        for (key, (purpose, category)) in after.iter().filter(|(_, (purpose, _))| is_asked(*purpose)) {
            prop_assert!(before.contains_key(key), "{:?} {} {}: {:#?}", key, purpose, category, changes);
        }
        let cells: BTreeSet<_> = before.iter().map(|((who, _), used)| (*who, *used)).collect();
        for (who, (purpose, category)) in cells.into_iter().filter(|(_, (purpose, _))| is_asked(*purpose)) {
            for happened in lives() {
                let ends = |revisions: &Revisions| {
                    let ending = revisions.ending((category, purpose), &happened, &people[who]);
                    ending.map_or(WallTime(u64::MAX), |ending| ending.at)
                };
                prop_assert!(ends(&two) <= ends(&one), "{} {}: {:#?}", purpose, category, changes);
            }
        }
    }
}
