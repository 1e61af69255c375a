//! What integrators have kept of people: under the policies that are shipped.

use core::time::Duration;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use sayso_audit::{Event, LineageEvent, Reference};
use sayso_consent::erasure::{Certificate, Ground};
use sayso_consent::keep::{Kept, NewItem, NotKept, Source};
use sayso_consent::rights::Desk;
use sayso_consent::{Means, Replay};
use sayso_policy::profile::{Draft, RightKind};
use sayso_policy::{ConsentStatus, LegalBasis, Profile, Reason};
use sayso_store::{Prefix, Store};
use sayso_types::{Category, ConsentVersion, Purpose, SubjectId};

use crate::answering::accepted;
use crate::world::*;

/// A policy as written, and what differs in the variant that can be run.
pub(crate) type Shipped = (&'static str, &'static str);

macro_rules! shipped {
    ($name:literal) => {
        (
            include_str!(concat!("../../../../deploy/profiles/", $name, ".toml")),
            include_str!(concat!("../../../../deploy/profiles/", $name, "-lawful.toml")),
        )
    };
}

pub(crate) const XIAOZHI: Shipped = shipped!("xiaozhi");
pub(crate) const AIWELLFLOW: Shipped = shipped!("aiwellflow");
pub(crate) const CHAT_AI: Shipped = shipped!("chat-ai");
pub(crate) const XIAOSUAN: Shipped = shipped!("xiaosuan");
pub(crate) const ZEGO: Shipped = shipped!("zego");

pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What is looked for in files.
pub(crate) const CANARY: &str = "a-word-that-is-nowhere-else";

/// Whatever was collected before: given now.
pub(crate) const NOW: ConsentVersion = ConsentVersion(u64::MAX);

/// The variant that can be run, with permits that end soon.
pub(crate) fn lawful((written, lawful): Shipped) -> Arc<Profile> {
    let written = written.replace("permit_ttl = \"PT3S\"", "permit_ttl = \"PT0.5S\"");
    Arc::new(Draft::parse(lawful, Some(&written)).unwrap().accept().unwrap())
}

/// The same in an operator's copy, in which somebody has examined the processor `id`.
pub(crate) fn with_examined((written, lawful): Shipped, id: &str) -> Arc<Profile> {
    let written = written.replace("permit_ttl = \"PT3S\"", "permit_ttl = \"PT0.5S\"");
    let examined = format!(
        r#"{{ id = "{id}", party = "A company", contact = "privacy@example.cn", privacy_url = "https://example.cn/privacy", contract = "2026-7", instructions_ref = "2026-7, annex 1", trains_on_data = false, declared_retention = "PT24H", deletion_api = true, state = "active", due_diligence = {{ at = 2025-12-31, by = "privacy officer", valid = "P1Y" }} }},"#
    );
    let copy = match lawful.split_once("\nprocessor = [\n") {
        Some((before, after)) => format!("{before}\nprocessor = [\n{examined}\n{after}"),
        None => {
            let (before, after) = lawful.split_at(lawful.find("\n[").unwrap());
            format!("{before}\nprocessor = [\n{examined}\n]\n{after}")
        }
    };
    Arc::new(Draft::parse(&copy, Some(&written)).unwrap().accept().unwrap())
}

pub(crate) fn category(name: &str) -> Category {
    name.parse().unwrap()
}

pub(crate) fn purpose(name: &str) -> Purpose {
    name.parse().unwrap()
}

/// Attributes of a category, for a purpose.
pub(crate) fn json(of: &str, for_what: &str, attributes: &str) -> NewItem {
    NewItem::new(category(of), purpose(for_what), "application/json", attributes.as_bytes().to_vec())
}

/// Bytes of a category, for a purpose.
pub(crate) fn bytes(of: &str, for_what: &str, content: &[u8]) -> NewItem {
    NewItem::new(category(of), purpose(for_what), "application/octet-stream", content.to_vec())
}

pub(crate) async fn keep(world: &World, subject: SubjectId, item: NewItem) -> Result<Reference, NotKept> {
    world.register.keep(subject, NOW, item).await
}

pub(crate) async fn kept(world: &World, subject: SubjectId, id: Reference) -> Result<Option<Kept>, NotKept> {
    world.register.kept(subject, id).await
}

/// The content of something that may be used.
pub(crate) async fn content(world: &World, subject: SubjectId, id: Reference) -> Vec<u8> {
    kept(world, subject, id).await.unwrap().expect("it is kept").content.to_vec()
}

pub(crate) async fn listed(world: &World, subject: SubjectId) -> Vec<Reference> {
    world.register.list_kept(subject, None).await.unwrap().into_iter().map(|kept| kept.id).collect()
}

/// Rows of `table`.
pub(crate) async fn rows(world: &World, table: &'static str) -> usize {
    let prefix = Prefix::table(table);
    world.local.scan((&prefix).into(), 10_000).await.unwrap().entries.len()
}

/// Whether a file below `dir` holds the canary.
pub(crate) fn shows(dir: &Path) -> bool {
    let holds = |path: &Path| fs::read(path).unwrap().windows(CANARY.len()).any(|bytes| bytes == CANARY.as_bytes());
    fs::read_dir(dir).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() { shows(&path) } else { holds(&path) }
    })
}

pub(crate) async fn certified(world: &World, subject: SubjectId, of: Reference) -> Certificate {
    Certificate::parse(&world.register.until_certified(subject, of).await.unwrap()).unwrap()
}

pub(crate) fn is_denied(refused: &Result<Reference, NotKept>, with: Reason) -> bool {
    matches!(refused, Err(NotKept::Policy(reason)) if *reason == with)
}

/// What an auditor with the policy finds wrong in the log.
pub(crate) async fn replayed(world: &World) -> (u64, Vec<u64>) {
    let mut replay = Replay::new(world.register.profile());
    for (index, leaf) in (0..).zip(world.leaves().await) {
        replay.leaf(index, &leaf);
    }
    let found = replay.finish();
    (found.checked, found.denied)
}

#[tokio::test]
async fn an_account_is_kept_sealed_under_each_policy_and_shown_until_it_is_closed() {
    for (policy, what_for, name) in [
        (XIAOZHI, "provide_service", "username"),
        (AIWELLFLOW, "operate", "account"),
        (CHAT_AI, "account", "user_name"),
    ] {
        let world = World::under(lawful(policy)).await;
        let person = world.stranger().await;
        let attributes = format!(r#"{{"phone":"{CANARY}","{name}":"anna"}}"#);
        let id = keep(&world, person, json("account", what_for, &attributes)).await.unwrap();
        assert!(!shows(world.dir.path()), "it is sealed");
        let world = world.again_under(lawful(policy)).await;
        let item = kept(&world, person, id).await.unwrap().unwrap();
        assert_eq!(item.content.as_slice(), attributes.as_bytes());
        assert_eq!((item.media_type.as_str(), item.bytes), ("application/json", item.content.len() as u64));
        assert_eq!(listed(&world, person).await, [id]);
        assert!(!shows(world.dir.path()));

        let desk = Desk::open(world.register.clone());
        let case = accepted(&desk, person, RightKind::Cancel).await;
        let certificate = certified(&world, person, case).await;
        let sealed: Vec<_> = certificate.keys.iter().map(|key| key.category).collect();
        assert_eq!(sealed, [category("account")], "its key is destroyed");
        assert_eq!(listed(&world, person).await, []);
        assert_eq!(
            (rows(&world, "kept").await, rows(&world, "kept_part").await, rows(&world, "kept_gone").await),
            (0, 0, 0)
        );
        let again = keep(&world, person, json("account", what_for, r#"{"phone":"1"}"#)).await;
        assert_eq!(again.unwrap_err().code(), "account_closed");
    }
}

#[tokio::test]
async fn a_password_is_never_kept_in_clear() {
    for (policy, what_for) in [(XIAOZHI, "provide_service"), (CHAT_AI, "account")] {
        let world = World::under(lawful(policy)).await;
        let person = world.stranger().await;
        let account =
            |password: &str| json("account", what_for, &format!(r#"{{"phone":"138","password":"{password}"}}"#));
        for clear in [CANARY, "hunter2", ""] {
            assert!(matches!(keep(&world, person, account(clear)).await, Err(NotKept::InClear)), "{clear}");
        }
        let alone = NewItem { attribute: Some("password".into()), ..bytes("account", what_for, CANARY.as_bytes()) };
        assert!(matches!(keep(&world, person, alone).await, Err(NotKept::InClear)));
        assert!(!shows(world.dir.path()), "in no store and no log");
        assert_eq!(rows(&world, "kept").await, 0);
        let hash = "$argon2id$v=19$m=65536,t=2,p=1$gZiV/M1gPc22ElAH/Jh1Hw$CWOrkoo7oJBQ/iyh7uJ0LO2aLEfrHwTWllSAxT0zRno";
        keep(&world, person, account(hash)).await.unwrap();
    }
}

#[tokio::test]
async fn an_attribute_that_the_policy_does_not_name_is_refused() {
    let world = World::under(lawful(CHAT_AI)).await;
    let person = world.stranger().await;
    // whether the code was right is kept, and never the code
    let verification = |attributes: &str| json("verification", "account", attributes);
    let with_code = verification(r#"{"phone":"138","match":true,"code":"123456"}"#);
    assert!(matches!(keep(&world, person, with_code).await, Err(NotKept::Attribute(_))));
    assert_eq!(rows(&world, "kept").await, 0);
    let id = keep(&world, person, verification(r#"{"phone":"138","match":true}"#)).await.unwrap();
    assert_eq!(content(&world, person, id).await, br#"{"phone":"138","match":true}"#);

    let text = NewItem { media_type: "text/plain".into(), ..verification("138") };
    assert!(matches!(keep(&world, person, text.clone()).await, Err(NotKept::NoAttributes(_))));
    let named = |attribute: &str| NewItem { attribute: Some(attribute.into()), ..text.clone() };
    assert!(matches!(keep(&world, person, named("code")).await, Err(NotKept::Attribute(_))));
    let phone = keep(&world, person, named("phone")).await.unwrap();
    assert_eq!(kept(&world, person, phone).await.unwrap().unwrap().attribute.as_deref(), Some("phone"));
    world.clock.advance(Duration::from_secs(11 * 60));
    world.register.end_what_is_due().await.unwrap();
    assert_eq!(listed(&world, person).await, [], "ten minutes are what the policy gives them");
}

#[tokio::test]
async fn a_real_name_is_kept_as_the_law_asks_and_refusing_one_function_costs_no_other() {
    let world = World::under(lawful(CHAT_AI)).await;
    let person = world.stranger().await;
    let name = json("real_name", "real_name", r#"{"name":"Anna","id_number":"1"}"#);
    keep(&world, person, name.clone()).await.expect("a law asks for it");
    let other = NewItem { purpose: purpose("profile_page"), ..name };
    assert!(is_denied(&keep(&world, person, other).await, Reason::UnknownCell), "and for nothing else");
    let page = json("profile_page", "profile_page", r#"{"nickname":"A"}"#);
    assert!(is_denied(&keep(&world, person, page.clone()).await, Reason::NoBasis), "whoever likes to");
    keep(&world, person, json("account", "account", r#"{"phone":"138"}"#)).await.expect("the account stands");
    world.answers(person, &[purpose("profile_page")], ConsentStatus::Given).await;
    keep(&world, person, page).await.unwrap();
}

#[tokio::test]
async fn numbers_are_taken_out_of_json_also_where_the_policy_names_no_attributes() {
    let (written, lawful) = XIAOZHI;
    let written = written.replace("attrs = [\"text\", \"time\", \"context\"]\n", "");
    let world = World::under(Arc::new(Draft::parse(lawful, Some(&written)).unwrap().accept().unwrap())).await;
    let person = world.stranger().await;
    world.answers(person, &[purpose("history"), purpose("knowledge")], ConsentStatus::Given).await;
    let said = r#"{"text":{"heard":"no!","said":"my card is 4111 1111 1111 1111"},"time":1}"#;
    let id = keep(&world, person, json("chat_history", "history", said)).await.unwrap();
    let left = String::from_utf8(content(&world, person, id).await).unwrap();
    assert_eq!(left, said.replace("4111 1111 1111 1111", "[bank_card]"));
    let twice = r#"{"a":"4111 1111 1111 1111","a":"b"}"#;
    let id = keep(&world, person, json("chat_history", "history", twice)).await.unwrap();
    assert_eq!(content(&world, person, id).await, br#"{"a":"b"}"#);
    let broken = keep(&world, person, json("chat_history", "history", "{\"a\":")).await;
    assert!(matches!(broken, Err(NotKept::NotJson)), "{broken:?}");
    let other = keep(&world, person, json("knowledge_base", "knowledge", "4111 1111")).await;
    assert!(other.is_ok(), "of which nothing is taken out: {other:?}");
}

#[tokio::test]
async fn settings_of_agents_are_kept_with_their_tags_and_plugins() {
    let world = World::under(lawful(XIAOZHI)).await;
    let person = world.stranger().await;
    let settings = r#"{"role_template":"teacher","language_model":"rules-local","voice":"hibari","tags":["school"],"plugins":["weather"],"context_providers":["calendar"]}"#;
    let id = keep(&world, person, json("agent_config", "provide_service", settings)).await.unwrap();
    assert_eq!(content(&world, person, id).await, settings.as_bytes());
    let listed = world.register.list_kept(person, Some(category("agent_config"))).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert!(world.register.list_kept(person, Some(category("account"))).await.unwrap().is_empty());
    assert!(
        world.register.drop_kept(person, id).await.unwrap() && !world.register.drop_kept(person, id).await.unwrap()
    );
    assert!(kept(&world, person, id).await.unwrap().is_none());

    let world = World::under(lawful(AIWELLFLOW)).await;
    let person = world.stranger().await;
    let prompt = json("agent_config", "agent_building", r#"{"prompt":"You are a teacher."}"#);
    let id = keep(&world, person, prompt).await.unwrap();
    assert_eq!(content(&world, person, id).await, br#"{"prompt":"You are a teacher."}"#);
}

#[tokio::test]
async fn a_question_to_support_is_kept_with_its_ticket_for_as_long_as_the_policy_says() {
    let world = World::under(lawful(AIWELLFLOW)).await;
    let person = world.stranger().await;
    let question = json("support_record", "support", &format!(r#"{{"question":"{CANARY}","handling":"restarted"}}"#));
    let ticket = NewItem { ticket: Some("T-17".into()), ..question };
    let id = keep(&world, person, ticket).await.unwrap();
    assert_eq!(kept(&world, person, id).await.unwrap().unwrap().ticket.as_deref(), Some("T-17"));
    assert!(!shows(world.dir.path()));
    world.clock.advance(364 * DAY);
    world.register.end_what_is_due().await.unwrap();
    assert_eq!(listed(&world, person).await, [id]);
    world.clock.advance(2 * DAY);
    world.register.end_what_is_due().await.unwrap();
    assert_eq!((listed(&world, person).await, rows(&world, "kept_part").await), (Vec::new(), 0), "a year");
}

#[tokio::test]
async fn what_others_hand_on_names_who_by_what_right_and_what_shows_it() {
    let world = World::under(with_examined(AIWELLFLOW, "partner-sms")).await;
    let person = world.stranger().await;
    world.answers(person, &[purpose("from_partners")], ConsentStatus::Given).await;
    let data = || json("partner_data", "from_partners", r#"{"identity":"verified"}"#);
    let party = |id: &str, reference: &str| Source::Party {
        party: processor(id),
        basis: LegalBasis::Consent,
        reference: reference.to_owned(),
    };
    for silent in [Source::Person, Source::Device] {
        assert!(matches!(keep(&world, person, data().from(silent)).await, Err(NotKept::NoParty(_))));
    }
    let without = data().from(party("partner-sms", ""));
    assert!(matches!(keep(&world, person, without).await, Err(NotKept::Words("reference"))));
    let unknown = data().from(party("partner-of-nobody", "consent 7"));
    assert!(matches!(keep(&world, person, unknown).await, Err(NotKept::UnknownParty(_))));
    assert_eq!(rows(&world, "kept").await, 0);
    let source = party("partner-sms", "consent 7");
    let id = keep(&world, person, data().from(source.clone())).await.unwrap();
    assert_eq!(kept(&world, person, id).await.unwrap().unwrap().source, source);
    // whom nobody has examined hands nothing on
    let world = World::under(lawful(AIWELLFLOW)).await;
    let person = world.person(&[]).await;
    let drafted = keep(&world, person, data().from(source)).await;
    assert!(matches!(drafted, Err(NotKept::UnknownParty(_))), "{drafted:?}");
}

#[tokio::test]
async fn what_a_login_elsewhere_brings_names_where_it_comes_from() {
    let world = World::under(with_examined(CHAT_AI, "sign-in")).await;
    let person = world.stranger().await;
    let sign_in = |reference: &str| Source::Party {
        party: processor("sign-in"),
        basis: LegalBasis::Consent,
        reference: reference.to_owned(),
    };
    let account = || json("account", "account", r#"{"user_id":"u-7"}"#);
    assert!(keep(&world, person, account().from(sign_in(""))).await.is_err());
    let more = json("account", "account", r#"{"user_id":"u-7","friends":"3"}"#).from(sign_in("scope 1"));
    assert!(matches!(keep(&world, person, more).await, Err(NotKept::Attribute(_))), "no more than is declared");
    let id = keep(&world, person, account().from(sign_in("scope 1"))).await.unwrap();
    let Source::Party { party, basis, reference } = kept(&world, person, id).await.unwrap().unwrap().source else {
        panic!("from another")
    };
    assert_eq!((party, basis, reference.as_str()), (processor("sign-in"), LegalBasis::Consent, "scope 1"));
}

#[tokio::test]
async fn a_crash_report_holds_what_the_policy_declares_and_nothing_that_was_said() {
    let world = World::under(lawful(CHAT_AI)).await;
    let person = world.stranger().await;
    let report = || {
        let text = format!(
            r#"{{"board":"esp32s3","cpu":"xtensa","memory":8388608,"abis":["xtensa"],"stack":"heard: {CANARY}","transcript":"{CANARY}"}}"#
        );
        json("crash_data", "crash_report", &text).from(Source::Device)
    };
    assert!(is_denied(&keep(&world, person, report()).await, Reason::NoBasis), "nobody asked for it");
    world.answers(person, &[purpose("crash_report")], ConsentStatus::Given).await;
    let id = keep(&world, person, report()).await.unwrap();
    let text = String::from_utf8(content(&world, person, id).await).unwrap();
    assert_eq!(text, r#"{"board":"esp32s3","cpu":"xtensa","memory":8388608,"abis":["xtensa"]}"#);
    // what it had in memory is not smuggled in under a name that is declared
    for smuggled in
        [format!(r#"{{"settings":{{"heap":"{CANARY}"}}}}"#), format!(r#"{{"settings":"{}"}}"#, "x".repeat(300))]
    {
        let report = json("crash_data", "crash_report", &smuggled).from(Source::Device);
        assert!(matches!(keep(&world, person, report).await, Err(NotKept::Attribute(_))));
    }
    assert_eq!(listed(&world, person).await, [id]);
    let gates: Vec<_> = world
        .leaves()
        .await
        .into_iter()
        .filter_map(|leaf| match leaf.fact.event {
            Event::Lineage(LineageEvent::Written { gate, .. }) => Some(gate.to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(gates, ["device_report"]);
    assert_eq!(replayed(&world).await, (1, Vec::new()));
}

#[tokio::test]
async fn a_device_and_its_firmware_are_kept_with_the_account_and_no_longer() {
    let world = World::under(lawful(XIAOZHI)).await;
    let (person, desk) = (world.stranger().await, Desk::open(world.register.clone()));
    let device = r#"{"device_code":"123456","mac":"a0:b1","model":"box-3","firmware_version":"1.6.0"}"#;
    let device = json("device_info", "provide_service", device).from(Source::Device);
    let first = keep(&world, person, device).await.unwrap();
    let upgrades: Vec<_> = ["1.6.0", "1.6.1"]
        .into_iter()
        .map(|version| {
            json("firmware_data", "device_update", &format!(r#"{{"version":"{version}","upgrades":1}}"#))
                .from(Source::Device)
        })
        .collect();
    for upgrade in upgrades {
        keep(&world, person, upgrade).await.unwrap();
        world.clock.advance(DAY);
    }
    let history = world.register.list_kept(person, Some(category("firmware_data"))).await.unwrap();
    assert_eq!(history.len(), 2);
    assert!(history[0].collected_at < history[1].collected_at, "it can be traced");
    assert_eq!(listed(&world, person).await.len(), 3);
    assert!(kept(&world, person, first).await.unwrap().is_some());
    let case = accepted(&desk, person, RightKind::Cancel).await;
    let certificate = certified(&world, person, case).await;
    assert_eq!(certificate.keys.len(), 2);
    assert_eq!((rows(&world, "kept").await, rows(&world, "kept_part").await), (0, 0), "nothing leads to the device");
}

#[tokio::test]
async fn a_document_ends_with_the_consent_that_it_was_kept_by() {
    let world = World::under(lawful(XIAOZHI)).await;
    let (person, other) = (world.stranger().await, world.stranger().await);
    let long: Vec<u8> = CANARY.bytes().cycle().take(300_000).collect();
    let document = || bytes("knowledge_base", "knowledge", &long);
    assert!(is_denied(&keep(&world, person, document()).await, Reason::NoBasis));
    for who in [person, other] {
        world.answers(who, &[purpose("knowledge")], ConsentStatus::Given).await;
    }
    let id = keep(&world, person, document()).await.unwrap();
    let theirs = keep(&world, other, bytes("knowledge_base", "knowledge", b"short")).await.unwrap();
    assert_eq!(content(&world, person, id).await, long);
    assert!(!shows(world.dir.path()));
    let withdrawn = world.register.withdraw(person, &[purpose("knowledge")], Means::Voice).await.unwrap();
    assert!(kept(&world, person, id).await.unwrap().is_none());
    let certificate = certified(&world, person, Reference(withdrawn.id)).await;
    assert_eq!(certificate.grounds, [Ground::Withdrawal(withdrawn.id)]);
    assert_eq!((certificate.category, certificate.keys.len()), (Some(category("knowledge_base")), 1));
    assert!(certificate.is_purged && !certificate.shares_keys);
    assert_eq!(content(&world, other, theirs).await, b"short", "nobody else loses anything");
    assert_eq!((rows(&world, "kept").await, rows(&world, "kept_part").await), (1, 2));
    world.answers(person, &[purpose("knowledge")], ConsentStatus::Given).await;
    assert!(kept(&world, person, id).await.unwrap().is_none(), "a new consent brings nothing back");
    keep(&world, person, document()).await.unwrap();
    world.ends_spotless_under(lawful(XIAOZHI)).await;
}

#[tokio::test]
async fn a_refusal_ends_what_an_earlier_yes_let_be_kept_and_so_does_deleting_it() {
    let world = World::under(lawful(XIAOZHI)).await;
    let person = world.stranger().await;
    let history = || json("chat_history", "history", r#"{"text":"hello","time":1}"#);
    let recording = || bytes("conversation_audio", "improve_voice", &[7; 640]).of(person);
    for purposes in ["history", "improve_voice"] {
        world.answers(person, &[purpose(purposes)], ConsentStatus::Given).await;
    }
    let (first, second) =
        (keep(&world, person, history()).await.unwrap(), keep(&world, person, history()).await.unwrap());
    let sound = keep(&world, person, recording()).await.unwrap();
    let kept_for_both = bytes("conversation_audio", "history", &[8; 640]).of(person);
    let both = keep(&world, person, kept_for_both).await.unwrap();
    assert!(world.register.drop_kept(person, first).await.unwrap());
    assert_eq!(content(&world, person, second).await, br#"{"text":"hello","time":1}"#, "the other is there");
    world.answers(person, &[purpose("history")], ConsentStatus::Refused).await;
    world.until_told(|event| matches!(event, Event::EraseCertified { .. })).await;
    for gone in [first, second, both] {
        assert!(kept(&world, person, gone).await.unwrap().is_none());
    }
    assert_eq!(content(&world, person, sound).await, [7; 640], "kept for something else, under the same key");
    let shares = |certificate: Vec<u8>| Certificate::parse(&certificate).unwrap();
    let certificates = || async { world.register.certificates(person).await.unwrap() };
    while certificates().await.len() < 2 {
        tokio::task::yield_now().await;
    }
    let shared: Vec<_> =
        certificates().await.into_iter().map(shares).map(|one| (one.category, one.shares_keys)).collect();
    assert!(shared.contains(&(Some(category("conversation_audio")), true)), "{shared:?}");
    assert!(shared.contains(&(Some(category("chat_history")), false)), "{shared:?}");
}

#[tokio::test]
async fn logs_are_kept_for_six_months_and_a_day_and_the_registration_until_the_account_is_closed() {
    let world = World::under(lawful(ZEGO)).await;
    let (person, desk) = (world.stranger().await, Desk::open(world.register.clone()));
    let log = json("log_info", "security", r#"{"system_log":"started","behaviour_log":"opened"}"#);
    let log = keep(&world, person, log).await.unwrap();
    let phone = keep(&world, person, bytes("account_phone", "account", b"138")).await.unwrap();
    // 1 January to 1 July 2026
    world.clock.advance(180 * DAY);
    world.register.end_what_is_due().await.unwrap();
    assert_eq!(listed(&world, person).await.len(), 2, "a day before");
    assert!(kept(&world, person, log).await.unwrap().is_some());
    world.clock.advance(2 * DAY);
    world.register.end_what_is_due().await.unwrap();
    assert_eq!(listed(&world, person).await, [phone], "a day after");
    assert_eq!(rows(&world, "kept").await, 1);
    world.clock.advance(2_000 * DAY);
    world.register.end_what_is_due().await.unwrap();
    assert_eq!(listed(&world, person).await, [phone], "for as long as there is the account");
    let case = accepted(&desk, person, RightKind::Cancel).await;
    certified(&world, person, case).await;
    assert_eq!((rows(&world, "kept").await, rows(&world, "kept_part").await), (0, 0));
}
