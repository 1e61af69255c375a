//! What is stored, byte for byte: a change here is a change of a schema, and needs a new version of it.

mod consents;
mod desks;
mod erasures;
mod flows;
mod kept;
mod minors;
mod node;
mod telling;
mod tenants;
mod visits;

use std::fs;
use std::path::Path;

use sayso_audit::merkle::leaf_hash;
use sayso_audit::{Event, HybridClock, Reference, Scope};
use sayso_policy::due::{Clocks, Due};
use sayso_policy::law;
use sayso_policy::profile::{ErasureGround, ExemptionCode, Refusal, RightKind};
use sayso_policy::{
    ConsentState, ConsentStatus, ConsentType, IntroductionHash, PartStatus, Profile, PurposeConsent, Tongue,
};
use sayso_store::{Key as Row, Op, Schema, SchemaError, TypedKey, Value, Version, Versioned};
use sayso_types::{
    Category, Cell, ConsentVersion, Name, NoticeId, Part, ProcessorKind, Purpose, RegionClass, SubjectId, WallTime,
};

use crate::erasure::certificate::{Ground, Residual};
use crate::erasure::pending::Pending;
use crate::exemption::proposal::{Proposal, Said, Standing, Terms};
use crate::guardian::ward::Ward;
use crate::incidents::{self, Assessment, Ending, Incident, Telling, ThrownFor};
use crate::journal::log::{self, End};
use crate::notices::{Audience, Channel, Delivery, Notice, NoticeKind, Text};
use crate::register::state::StoredState;
use crate::register::tagging::{StoredKey, TagKey};
use crate::remembered::{self, Remembered};
use crate::retention::{Hold, HoldOrder};
use crate::rights::left::Left;
use crate::rights::{self, Delay, EvidenceHash, Identity, Request, stored};
use crate::shutdown::Shutdown;
use crate::switch::{self, Position, Switch, Target};
use crate::tables::{
    ANNOUNCED, AnnouncedKey, CONSENT_END, ConsentEndKey, DEVICE, DUE, DeviceKey, DueKey, ERASURE, EXEMPTION,
    EXEMPTION_USE, ExemptionKey, ExemptionUseKey, FACTS, FactsKey, HELD, HOLD, HeldKey, HoldKey, INCIDENT, IncidentKey,
    NEXT_PROFILE, NOTICE, NOTICE_DUE, NOTICE_OUT, NOTICE_PAGE, NOTICE_PERSON, NOTICE_SPREAD, NOTICE_TO, NextProfileKey,
    NoticeDueKey, NoticeKey, NoticeOutKey, NoticePageKey, NoticePersonKey, NoticeSpreadKey, NoticeToKey, PROFILE,
    ProfileKey, REGISTER, REQUEST, RETENTION, RegisterKey, RequestKey, RetentionKey, SEALED_BY, SHUTDOWN, SealedByKey,
    ShutdownKey, TENURE, TenureKey,
};

const SUBJECT: SubjectId = SubjectId([0x5a; 16]);
const NOW: WallTime = WallTime(1_767_225_600_000);

fn lines(bytes: &[u8]) -> String {
    let digits = hex::encode(bytes);
    let lines: Vec<_> = digits.as_bytes().chunks(96).map(|line| core::str::from_utf8(line).unwrap()).collect();
    lines.join("\n")
}

/// Compares with `tests/golden/NAME`, which `SAYSO_GOLDEN=write` writes anew.
pub(crate) fn assert_golden(name: &str, key: &Row, value: &Value) {
    let shown = match core::str::from_utf8(&value[2..]) {
        Ok(text) if text.starts_with(['{', '[']) => format!("{}\n{text}", lines(&value[..2])),
        _ => format!("{}\n{}", lines(&value[..2]), lines(&value[2..])),
    };
    assert_golden_text(name, &format!("key\n{}\nvalue\n{shown}\n", lines(key.as_bytes())));
}

fn assert_golden_text(name: &str, shown: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("SAYSO_GOLDEN").is_some_and(|how| how == "write") {
        fs::write(&path, shown).unwrap();
    }
    let golden = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{name}: {e}"));
    assert_eq!(shown, golden, "{name} is not stored as it was");
}

/// A profile of the time when they were stored: rights were not asked of every one then.
fn profile() -> Profile {
    let text = include_str!("../tests/profile.toml");
    let (before, rights) = text.split_once("# what every profile offers\n").unwrap();
    let (_, after) = rights.split_once("[category.notice_text]").unwrap();
    Profile::in_force_before(&format!("{before}[category.notice_text]{after}")).unwrap()
}

fn given(purpose: Purpose) -> (Purpose, PurposeConsent) {
    (
        purpose,
        PurposeConsent {
            status: ConsentStatus::Given,
            consent_type: ConsentType::Expressed,
            separate: false,
            written: false,
            given_at: ConsentVersion(1),
            profile_rev: 1,
            expires_at: None,
        },
    )
}

fn tag_key() -> TagKey {
    TagKey::new([0xa5; 32], vec![0xb6; 93])
}

fn opened(value: Value, version: Version) -> StoredState {
    StoredState::of(&Versioned { value, version }).unwrap().opened(tag_key())
}

#[test]
fn a_device_is_stored_as_it_was() {
    let key = DeviceKey::of(&"acme".parse().unwrap(), &"kitchen".parse().unwrap());
    assert_golden("device", &key.key(), &DEVICE.encode(&SUBJECT.0));
}

#[test]
fn a_register_entry_is_stored_as_it_was() {
    let mut consent = ConsentState::new();
    (consent.cv, consent.tenant) = (ConsentVersion(2), Some("acme".parse().unwrap()));
    consent.consents = [given(Purpose::VOICE_INTERACTION), given(Purpose::MEMORY)].into();
    let memory = consent.consents.get_mut(&Purpose::MEMORY).unwrap();
    (memory.status, memory.expires_at) = (ConsentStatus::Withdrawing, Some(NOW));
    let state = StoredState {
        tenant: "acme".parse().unwrap(),
        tag_key: tag_key(),
        consent,
        ward: Ward::default(),
        bars_relatives: false,
        permissions_off: [].into(),
        version: Version::default(),
    };
    let value = REGISTER.encode(&state.encode());
    assert_golden("register", &RegisterKey { subject: SUBJECT }.key(), &value);

    let version = Version::from_sequence(7);
    let again = StoredState::of(&Versioned { value, version }).unwrap();
    assert!(matches!(&again.key, StoredKey::Sealed(sealed) if *sealed == [0xb6; 93]));
    let again = again.opened(tag_key());
    assert_eq!((&again.consent, again.version), (&state.consent, version));

    let earlier = Schema::new("register", 1, 3);
    let clear = format!("\"audit_key\":\"{}\"", "a5".repeat(32));
    let sealed = format!("\"sealed_key\":\"{}\"", "b6".repeat(93));
    let first = String::from_utf8(state.encode()).unwrap().replace(&sealed, &clear);
    let read = StoredState::of(&Versioned { value: earlier.encode(first.as_bytes()), version }).unwrap();
    assert!(matches!(&read.key, StoredKey::Clear(key) if **key == [0xa5; 32]), "what was stored before is read");
    let read = read.opened(tag_key());
    assert_eq!((&read.consent, &read.ward), (&state.consent, &Ward::default()));
    let refused = earlier.decode(&REGISTER.encode(&state.encode())).unwrap_err();
    assert!(matches!(refused, SchemaError::Unknown { found: 6, .. }), "an earlier program refuses it: {refused}");

    let mut closed = state;
    closed.consent.restricted = [Category::MEMORY_SUMMARY].into();
    closed.consent.told = [IntroductionHash([7; 32])].into();
    (closed.consent.stale_before, closed.consent.is_closed) = (ConsentVersion(2), true);
    let permissions_off = [Name::constant("camera")].into();
    let barred = StoredState { bars_relatives: true, permissions_off, ..closed.clone() };
    let value = REGISTER.encode(&barred.encode());
    assert_golden("register_barred", &RegisterKey { subject: SUBJECT }.key(), &value);
    assert!(opened(value, version).bars_relatives);
    let mut parted = closed.clone();
    parted.consent.parts = [
        (Part { region: Some(RegionClass::Overseas), ..Part::default() }, PartStatus::Withdrawing),
        (Part { kind: Some(ProcessorKind::Llm), ..Part::default() }, PartStatus::Withdrawn),
        (Part { category: Some(Category::TRANSCRIPT), ..Part::default() }, PartStatus::GivenAgain(ConsentVersion(2))),
    ]
    .into();
    let value = REGISTER.encode(&parted.encode());
    assert_golden("register_parted", &RegisterKey { subject: SUBJECT }.key(), &value);
    assert_eq!(opened(value, version).consent.parts, parted.consent.parts);
    let value = REGISTER.encode(&closed.encode());
    assert_golden("register_closed", &RegisterKey { subject: SUBJECT }.key(), &value);
    let again = opened(value, version);
    assert_eq!(again.consent, closed.consent);
}

#[test]
fn facts_are_stored_as_they_were() {
    let facts = |at| {
        vec![Remembered::new("name".into(), "Anna".into(), at), Remembered::new("colour".into(), "\"blue\"".into(), at)]
    };
    // In clear, which is read and no longer written; inside a sealed record of version 2 they look the same.
    let value = Value::from([&[0, 1][..], br#"[["name","Anna"],["colour","\"blue\""]]"#].concat());
    assert_golden("facts", &FactsKey { subject: SUBJECT }.key(), &value);
    assert_eq!(FACTS.decode(&value).unwrap().0, 1);
    assert_eq!(remembered::decode_pairs(&value[2..], NOW).unwrap(), facts(NOW));

    let mut now = facts(NOW);
    now[1].dropped_at = Some(WallTime(NOW.0 + 1));
    let inside = remembered::encode(&now);
    assert_golden_text("facts_sealed", core::str::from_utf8(&inside).unwrap());
    assert_eq!(remembered::decode(&inside).unwrap(), now);
}

#[test]
fn a_mark_and_a_hold_are_stored_as_they_were() {
    let mark = RetentionKey { at: NOW.0, subject: SUBJECT, table: "facts".into() };
    assert_golden("retention_due", &mark.key(), &RETENTION.encode(&[]));
    let held = HeldKey { subject: SUBJECT, table: "facts".into() };
    assert_golden("held", &held.key(), &HELD.encode(&[6; 16]));
    let law = "cn-cpl:67".to_owned();
    let everything = HoldOrder { subject: None, category: None, law, by: "admin:legal".into(), until: None };
    let (category, until) = (Some(Category::MEMORY_SUMMARY), Some(WallTime(NOW.0 + 1)));
    let one = HoldOrder { subject: Some(SUBJECT), category, until, ..everything.clone() };
    for (name, order) in [("legal_hold", everything), ("legal_hold_of_one", one)] {
        let hold = Hold { id: Reference([6; 16]), order, set_at: NOW };
        let value = HOLD.encode(&hold.encode());
        assert_golden(name, &HoldKey::of(hold.id).key(), &value);
        assert_eq!(Hold::decode(&[6; 16], &value[2..]).unwrap(), hold);
    }
}

#[test]
fn a_request_is_stored_as_it_was() {
    let received = Request {
        id: Reference([6; 16]),
        subject: SUBJECT,
        kind: RightKind::MarketingOptOut,
        purposes: Vec::new(),
        clocks: Clocks { received: NOW, identity_verified: None },
        standing: rights::Standing::Unverified,
        due: None,
        delayed: None,
        answered: None,
        is_overdue: false,
        profile_rev: 1,
        referral: None,
        relative: None,
        identity: None,
        identity_due: None,
        is_identity_overdue: false,
        ground: None,
        may_cost: false,
    };
    let day = |ms| Due { at: WallTime(NOW.0 + ms), by: "rights.identity_within".into(), is_exact: true };
    let verified = Request {
        kind: RightKind::Erase,
        identity: Some(Identity { method: Name::constant("in_person"), evidence: Some(EvidenceHash([8; 32])) }),
        identity_due: Some(day(2)),
        is_identity_overdue: true,
        ground: Some(ErasureGround::WithoutConsent),
        may_cost: true,
        ..received.clone()
    };
    let refused = Request {
        clocks: Clocks { received: NOW, identity_verified: Some(WallTime(NOW.0 + 1)) },
        standing: rights::Standing::Rejected(Refusal::DisproportionateEffortRequired),
        due: Some(Due { at: WallTime(NOW.0 + 2), by: "rights.respond_within".into(), is_exact: true }),
        delayed: Some(Delay::Numerous),
        answered: Some(WallTime(NOW.0 + 3)),
        is_overdue: true,
        ..received.clone()
    };
    let named = Request { purposes: vec![Purpose::MEMORY, Purpose::VOICE_INTERACTION], ..received.clone() };
    let key = RequestKey { subject: SUBJECT, request: vec![6; 16] }.key();
    let requests =
        [("request", received), ("request_refused", refused), ("request_named", named), ("request_verified", verified)];
    for (name, request) in requests {
        let value = REQUEST.encode(&stored::encode(&request));
        assert_golden(name, &key, &value);
        assert_eq!(stored::decode(SUBJECT, &[6; 16], &value[2..]).unwrap(), request);
    }
    for (name, left) in [("request_left", Left::All), ("request_left_purge", Left::Purge)] {
        let Op::Put(key, value) = left.put(SUBJECT, Reference([6; 16])) else { panic!("it is put") };
        assert_golden(name, &key, &value);
    }
    let due = DueKey { at: NOW.0, subject: SUBJECT, request: vec![6; 16] };
    assert_golden("request_due", &due.key(), &DUE.encode(&[]));
}

#[test]
fn an_exemption_is_stored_as_it_was() {
    let id = Name::constant("x04-5a5a5a5a5a5a5a5a5a5a5a5a");
    let said = |by: u8| Said { by: [by; 16], at: WallTime(NOW.0 + u64::from(by)) };
    let proposed = Proposal {
        id,
        terms: Terms {
            code: ExemptionCode::X04,
            subject: None,
            purposes: [Purpose::VOICE_INTERACTION].into(),
            categories: [Category::VOICE_AUDIO, Category::TRANSCRIPT].into(),
            processors: ["whisper-local".parse().unwrap()].into(),
            lasts: "PT2H".parse().unwrap(),
            evidence_sha256: [7; 32],
            demand: None,
            reading: None,
        },
        proposed: said(1),
        approved: Vec::new(),
        standing: Standing::Proposed,
    };
    let live = Proposal {
        terms: Terms { subject: Some(SUBJECT), ..proposed.terms.clone() },
        approved: vec![said(2), said(3)],
        standing: Standing::Live { from: NOW, until: WallTime(NOW.0 + 9) },
        ..proposed
    };
    let expired = Proposal { standing: Standing::Expired, ..proposed.clone() };
    for (name, proposal) in [("exemption", proposed), ("exemption_live", live), ("exemption_expired", expired)] {
        let value = EXEMPTION.encode(&proposal.encode());
        assert_golden(name, &ExemptionKey { id: id.to_string() }.key(), &value);
        assert_eq!(Proposal::decode(id.as_str(), &value[2..]).unwrap(), proposal);
    }
    let used = ExemptionUseKey { id: id.to_string(), subject: SUBJECT };
    assert_golden("exemption_use", &used.key(), &EXEMPTION_USE.encode(&NOW.0.to_be_bytes()));
}

#[test]
fn a_switch_is_stored_as_it_was() {
    let off = || Switch {
        id: Reference([6; 16]),
        target: Target::Processor("cloud".parse().unwrap()),
        position: Position::DueDiligenceExpired,
        reason: "due_diligence_expired".parse().unwrap(),
        since: NOW,
        incident: None,
        rev: 3,
    };
    let tenant = Target::Tenant("acme".parse().unwrap());
    let held = Switch { target: tenant, position: Position::Off, incident: Some(Reference([7; 16])), ..off() };
    for (name, switch) in [("switch", off()), ("switch_of_tenant", held)] {
        let Op::Put(key, value) = switch::stored::put(&switch) else { panic!("{name} is put") };
        assert_golden(name, &key, &value);
        assert_eq!(switch::stored::decode(&key, &value[2..]).unwrap(), switch);
    }
}

#[test]
fn an_incident_is_stored_as_it_was() {
    let opened = Incident::opened(Reference([6; 16]), None, "a disk is gone".into(), &profile(), (NOW, NOW));
    let telling = Telling {
        due: Some(Due { at: WallTime(NOW.0 + 1), by: "incident.regulator.within".into(), is_exact: true }),
        told: Some(WallTime(NOW.0 + 2)),
        reference: "file 7".into(),
        is_overdue: true,
    };
    let scope = incidents::Scope {
        processors: ["cloud".parse().unwrap()].into(),
        categories: [Category::TRANSCRIPT].into(),
        records: [Reference([9; 16])].into(),
        from: NOW,
        until: WallTime(NOW.0 + 1),
    };
    let target = Target::Category(Category::TRANSCRIPT);
    let notice = incidents::Notice {
        spoken: "Gone.".into(),
        situation: "It is gone.".into(),
        contact: "us".into(),
        ..Default::default()
    };
    let closed = Incident {
        tenant: Some("acme".parse().unwrap()),
        assessment: Some(Assessment { scope, people: 2, at: NOW }),
        contained: Some(NOW),
        switches: vec![ThrownFor { target, to: Position::Off, at: NOW }],
        tellings: [(law::Audience::Regulator, telling), (law::Audience::Subjects, Telling::default())].into(),
        notices: [("en".parse().unwrap(), notice)].into(),
        notice: Some(NoticeId([7; 16])),
        closed: Some((NOW, Ending::Unfounded)),
        ..opened.clone()
    };
    for (name, incident) in [("incident", opened), ("incident_closed", closed)] {
        let value = INCIDENT.encode(&incidents::stored::encode(&incident));
        assert_golden(name, &IncidentKey { incident: vec![6; 16] }.key(), &value);
        assert_eq!(incidents::stored::decode(&[6; 16], &value[2..]).unwrap(), incident);
    }
}

#[test]
fn what_the_vault_is_to_do_is_stored_as_it_was() {
    assert_golden("sealed_by", &SealedByKey { shard: 4 }.key(), &SEALED_BY.encode(&[7; 16]));
}

#[test]
fn a_revision_of_the_policy_is_stored_as_it_was() {
    // the text of a profile belongs to its own format, not to this layout
    let value = PROFILE.encode(b"[profile]\nrev = 300\n");
    assert_golden("profile", &ProfileKey { rev: 300 }.key(), &value);
    let value = NEXT_PROFILE.encode(b"[profile]\nrev = 301\n");
    assert_golden("profile_next", &NextProfileKey { at: NOW.0 }.key(), &value);
}

#[test]
fn a_tenure_is_stored_as_it_was() {
    assert_golden("tenure", &TenureKey { shard: 4 }.key(), &TENURE.encode(b"home/1"));
}

#[test]
fn a_head_and_a_leaf_are_stored_as_they_were() {
    let mut end = End { epoch: 2, clock: HybridClock(NOW.0 << 16), ..End::default() };
    for leaf in [b"a", b"b", b"c"] {
        end.frontier.append(leaf_hash(leaf));
    }
    let given = Event::WithdrawEffective { withdrawal: Reference([6; 16]), scope: Scope::Everything };
    let ops = [
        ("head", log::put_head(4, &end)),
        ("leaf", log::put_leaf(4, 300, b"what a leaf encodes to")),
        ("receipt", log::put_receipt(4, 300, &given).unwrap()),
        ("signing_key", log::put_signing_key(4, "home.example/sayso+01234567+a public key")),
        ("witnessed", log::put_witnessed(4, "a checkpoint\n\nits signatures\n")),
    ];
    for (name, op) in ops {
        let Op::Put(key, value) = op else { panic!("{name} is put") };
        assert_golden(name, &key, &value);
    }
}
