use std::fs;

use sayso_audit::{
    Actor, Checkpoint, Cosigner, Event, Export, Fact, Hash, HybridClock, Leaf, Place, Receipt, Reference, Scope, Signer,
};
use sayso_policy::Gate;
use sayso_types::{
    Category, Cell, ConsentVersion, Name, ProcessorId, ProcessorKind, Purpose, RegionClass, TurnId, WallTime,
};
use tempfile::TempDir;

use super::*;

/// No profile.
const NONE: &[&Path] = &[];

fn leaf(sequence: u64, event: Event) -> Leaf {
    let wall = WallTime(1_767_225_600_000 + sequence);
    let (cv, clock) = (ConsentVersion(0), HybridClock::default().next(wall));
    let fact = Fact { subject: None, actor: Actor::SYSTEM, cv, profile_rev: 1, registry_rev: 0, epoch: 1, event };
    fact.at(Place { shard: 0, sequence, clock, wall })
}

/// An exported log of these events, as `sayso demo --export` leaves it.
fn export(events: impl IntoIterator<Item = Event>) -> TempDir {
    export_of((0..).zip(events).map(|(sequence, event)| leaf(sequence, event)))
}

fn export_of(leaves: impl IntoIterator<Item = Leaf>) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let signer = Signer::new("test.example/audit", &[7; 32]).unwrap();
    let mut export = Export::new();
    for leaf in leaves {
        assert_eq!(export.append(&leaf.encode()), Ok(Vec::new()), "too few leaves for a full tile");
    }
    for file in export.partial() {
        let path = dir.path().join(file.tile.to_string());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file.bytes).unwrap();
    }
    let checkpoint = Checkpoint::sign(export.size(), export.root(), &signer);
    fs::write(dir.path().join("checkpoint"), checkpoint).unwrap();
    fs::write(dir.path().join(OWN_KEYS), format!("# the log's own word\n\n{}\n", signer.verifier())).unwrap();
    dir
}

fn policy() -> Event {
    Event::PolicyEffective { profile: Hash::of(b"profile") }
}

/// Data that is handed over for `purpose`, to which nobody consented.
fn segment(purpose: Purpose) -> [Event; 2] {
    let (segment, processor, turn) = (Reference([2; 16]), ProcessorId(Name::constant("whisper-local")), TurnId(1));
    let (kind, region) = (ProcessorKind::Asr, RegionClass::Local);
    let cell = Cell { purpose, category: Category::VOICE_AUDIO, kind, region };
    let (content, reason) = (Hash::of(b"x"), Name::constant("done"));
    [
        Event::SegmentOpened { segment, cell, processor, turn },
        Event::SegmentClosed { segment, cell, processor, turn, bytes: 1, pieces: 1, content, reason },
    ]
}

fn withdrawal() -> (Event, Event) {
    let withdrawal = Reference([1; 16]);
    let scope = Scope::Everything;
    (Event::WithdrawRequested { withdrawal, scope }, Event::WithdrawEffective { withdrawal, scope })
}

fn text(checked: &Checked, independent: bool) -> String {
    Verdict::new(checked, independent).to_string()
}

fn text_of(checked: &Checked) -> String {
    text(checked, true)
}

fn args(dir: &TempDir, json: bool) -> VerifyArgs {
    let (receipt, certificate, trust) = (None, None, None);
    VerifyArgs {
        dir: Some(dir.path().to_owned()),
        receipt,
        certificate,
        seen: Vec::new(),
        trust,
        profile: Vec::new(),
        at: None,
        json,
    }
}

#[test]
fn a_sound_log_is_reported_with_whose_word_it_is() {
    let (requested, effective) = withdrawal();
    let dir = export([policy(), requested, effective]);
    let checked = check(dir.path(), None, NONE, &[]).unwrap();
    assert!(checked.report.is_clean());
    let alone = text(&checked, false);
    assert!(alone.contains("test.example/audit") && alone.contains("agrees with itself"), "{alone}");
    assert!(alone.contains("not yet   3 leaves, all of them: only the log's keeper vouches"), "{alone}");
    assert!(alone.contains("1 withdraw.effective") && alone.contains("no broken promise"), "{alone}");

    let trust = dir.path().join(OWN_KEYS);
    assert_eq!(check(dir.path(), Some(&trust), NONE, &[]).unwrap().report, checked.report);
    assert!(!text(&checked, true).contains("agrees with itself"));
    let json = serde_json::to_value(Verdict::new(&checked, true)).unwrap();
    assert_eq!((&json["clean"], &json["size"], &json["unanchored"]), (&true.into(), &3.into(), &3.into()));
}

/// Whoever kept an earlier checkpoint finds out that the log was cut off, or another one is shown.
#[test]
fn a_log_must_have_grown_from_what_was_seen_before() {
    let (short, long) = (export([policy(), policy()]), export([policy(), policy(), policy()]));
    let other = export([policy(), segment(Purpose::NOTICE)[0].clone()]);
    let checked = |log: &TempDir, seen: &[&TempDir]| {
        let seen: Vec<_> = seen.iter().map(|seen| seen.path().join("checkpoint")).collect();
        check(log.path(), None, NONE, &seen).map(drop).map_err(|error| format!("{error:#}"))
    };
    assert_eq!(checked(&long, &[&short, &long]), Ok(()));
    assert!(checked(&short, &[&long]).unwrap_err().contains("checkpoint of 3 leaves"));
    assert!(checked(&long, &[&short, &other]).unwrap_err().contains("checkpoint of 2 leaves"));
    fs::write(other.path().join("checkpoint"), "none").unwrap();
    assert!(checked(&long, &[&other]).unwrap_err().contains("is no checkpoint of the log that you trust"));
}

#[test]
fn a_broken_promise_is_shown_with_its_leaf_and_fails() {
    let (_, effective) = withdrawal();
    let dir = export([policy(), effective]);
    let checked = check(dir.path(), None, NONE, &[]).unwrap();
    let text = text(&checked, false);
    assert!(text.contains("BROKEN    leaf 1: ") && text.contains("a broken promise"), "{text}");
    let code = run(&args(&dir, true)).unwrap();
    assert_eq!(code, ExitCode::FAILURE);
}

#[test]
fn the_profile_says_what_rests_on_another_basis_than_consent() {
    const HOME: &str = include_str!("../../../../deploy/profiles/home.toml");
    let care = HOME
        .replace(
            r#"{ id = "notice", "#,
            r#"{ id = "safety", dpv = "ProtectionOfPublicSecurity", basis = "VitalInterest" }, { id = "notice", "#,
        )
        .replace(r#"["consent_answer", "voice_interaction"]"#, r#"["consent_answer", "voice_interaction", "safety"]"#);
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let file = dir.path().join(name);
        fs::write(&file, text).unwrap();
        file
    };
    let (home, care) = (file("home.toml", HOME), file("care.toml", &care));
    let effective = |file: &Path| {
        let hash = config::read_profile(file).unwrap().hash();
        Event::PolicyEffective { profile: Hash(hash.0) }
    };
    let log = |profile: &Path, purpose| export([effective(profile)].into_iter().chain(segment(purpose)));
    let clean = |log: &TempDir, profile: Option<&Path>| {
        check(log.path(), None, profile.as_slice(), &[]).map(|checked| checked.report.is_clean())
    };

    let safety = "safety".parse().unwrap();
    let under_care = log(&care, safety);
    assert!(!clean(&under_care, None).unwrap(), "without a profile, consent is asked of it");
    assert!(clean(&under_care, Some(&care)).unwrap());
    assert!(!clean(&log(&care, Purpose::MEMORY), Some(&care)).unwrap());
    for profile in [None, Some(home.as_path())] {
        assert!(clean(&log(&home, Purpose::CONSENT_ANSWER), profile).unwrap());
    }

    let error = clean(&under_care, Some(&home)).unwrap_err().to_string();
    assert!(error.contains("home.toml was never in force") && error.contains("the profile whose hash is"), "{error}");
    let missing = format!("{:#}", clean(&under_care, Some(&dir.path().join("none.toml"))).unwrap_err());
    assert!(missing.contains("none.toml"), "{missing}");
}

/// What a revision says of the purposes that rest on something else than consent, it says of what is under it.
#[test]
fn each_revision_is_asked_of_its_own_leaves() {
    const HOME: &str = include_str!("../../../../deploy/profiles/home.toml");
    let purpose = r#"{ id = "notice", "#;
    let safety =
        format!(r#"{{ id = "safety", dpv = "ProtectionOfPublicSecurity", basis = "VitalInterest" }}, {purpose}"#);
    let second = HOME
        .replacen(purpose, &safety, 1)
        .replace(r#"["consent_answer", "voice_interaction"]"#, r#"["consent_answer", "voice_interaction", "safety"]"#)
        .replacen("rev = 1\n", "rev = 2\n", 1);
    let dir = tempfile::tempdir().unwrap();
    let files = [("first.toml", HOME), ("second.toml", &second)].map(|(name, text)| {
        let file = dir.path().join(name);
        fs::write(&file, text).unwrap();
        file
    });
    let effective = files
        .each_ref()
        .map(|file| Event::PolicyEffective { profile: Hash(config::read_profile(file).unwrap().hash().0) });
    let [opened, closed] = segment("safety".parse().unwrap());
    let told = effective.into_iter().chain([opened, closed]);
    let leaves = (0..).zip(told).map(|(sequence, event)| {
        let mut leaf = leaf(sequence, event);
        leaf.fact.profile_rev = if sequence == 0 { 1 } else { 2 };
        leaf
    });
    let log = export_of(leaves);
    let found = |profiles: &[&Path]| {
        let checked = check(log.path(), None, profiles, &[]).unwrap();
        let found: Vec<_> = checked.report.violations().map(|finding| (finding.leaf, finding.rule)).collect();
        (found, checked.replayed.map(|replayed| (replayed.checked, replayed.others)))
    };
    let [first, second] = files.each_ref().map(|file| file.as_path());
    assert_eq!(found(&[]), (vec![(2, Rule::SegmentWithoutConsent)], None));
    assert_eq!(found(&[first]), (vec![], Some((0, 1))), "it is not under the first");
    assert_eq!(found(&[second]).1, Some((1, 0)));
    assert_eq!(found(&[first, second]), (found(&[second]).0, Some((1, 0))));
    assert!(!found(&[second]).0.contains(&(2, Rule::SegmentWithoutConsent)));
    let shown = text_of(&check(log.path(), None, &[first], &[]).unwrap());
    assert!(shown.contains("1 under other profiles not checked: give those with --profile, too"), "{shown}");
}

#[test]
fn what_is_left_open_is_shown_apart_and_does_not_fail() {
    let (requested, _) = withdrawal();
    let dir = export([requested]);
    let checked = check(dir.path(), None, NONE, &[]).unwrap();
    let text = text(&checked, false);
    assert!(text.contains("open      leaf 0: ") && !text.contains("BROKEN"), "{text}");
    let code = run(&args(&dir, false)).unwrap();
    assert_eq!(code, ExitCode::SUCCESS);
}

#[test]
fn a_damaged_log_is_refused_and_the_damage_named() {
    let error = |dir: &TempDir| format!("{:#}", check(dir.path(), None, NONE, &[]).map(drop).unwrap_err());

    let dir = export([policy(), policy()]);
    let bundle = dir.path().join("tile/entries/000.p/2");
    let mut bytes = fs::read(&bundle).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&bundle, bytes).unwrap();
    assert!(error(&dir).contains("does not hold"), "{}", error(&dir));

    fs::remove_file(&bundle).unwrap();
    assert!(error(&dir).contains("tile/entries/000.p/2 is missing"), "{}", error(&dir));

    let dir = export([policy()]);
    let checkpoint = dir.path().join("checkpoint");
    fs::write(&checkpoint, fs::read_to_string(&checkpoint).unwrap().replace("\n1\n", "\n2\n")).unwrap();
    assert!(error(&dir).contains("signature"), "{}", error(&dir));

    fs::remove_file(checkpoint).unwrap();
    assert!(error(&dir).contains("checkpoint is missing"), "{}", error(&dir));
}

#[test]
fn a_trust_policy_says_who_must_have_witnessed_it() {
    let dir = export([policy(), policy()]);
    let trust = dir.path().join("trust.policy");
    let (log, witness) =
        (Signer::new("test.example/audit", &[7; 32]).unwrap(), Cosigner::new("w.example", &[9; 32]).unwrap());
    let text = format!("log {}\nwitness w {} https://w.example\nquorum w\n", log.verifier(), witness.verifier());
    fs::write(&trust, text).unwrap();
    let refused = format!("{:#}", check(dir.path(), Some(&trust), NONE, &[]).map(drop).unwrap_err());
    assert!(refused.contains("cosigned by the quorum"), "{refused}");

    let checkpoint = dir.path().join("checkpoint");
    let note = fs::read_to_string(&checkpoint).unwrap();
    let cosignature = witness.cosign(&Checkpoint::unverified(&note).unwrap().text(), WallTime(1_767_225_600_000));
    fs::write(&checkpoint, note + &cosignature).unwrap();
    let checked = check(dir.path(), Some(&trust), NONE, &[]).unwrap();
    let shown = text_of(&checked);
    assert!(shown.contains("witnessed 2 leaves, by w") && !shown.contains("not yet"), "{shown}");

    // an earlier head is witnessed, the last one is not yet
    fs::rename(&checkpoint, dir.path().join("checkpoint.witnessed")).unwrap();
    let longer = export([policy(), policy(), policy()]);
    for file in ["checkpoint", "tile/0/000.p/3", "tile/entries/000.p/3"] {
        fs::copy(longer.path().join(file), dir.path().join(file)).unwrap();
    }
    let checked = check(dir.path(), Some(&trust), NONE, &[]).unwrap();
    let shown = text_of(&checked);
    assert!(shown.contains("witnessed 2 leaves, by w") && shown.contains("not yet   1 leaves, 2 to 2"), "{shown}");
    let json = serde_json::to_value(Verdict::new(&checked, true)).unwrap();
    assert_eq!((&json["witnessed"]["size"], &json["witnessed"]["unanchored"]), (&2.into(), &1.into()));

    fs::write(&trust, "quorum nobody\n").unwrap();
    let wrong = format!("{:#}", check(dir.path(), Some(&trust), NONE, &[]).map(drop).unwrap_err());
    assert!(wrong.contains("trust.policy: line 1: ") && wrong.contains("not defined above"), "{wrong}");
}

#[test]
fn verdicts_are_recomputed_by_the_profile_that_is_given() {
    const HOME: &str = include_str!("../../../../deploy/profiles/home.toml");
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("home.toml");
    fs::write(&home, HOME).unwrap();
    let effective = Event::PolicyEffective { profile: Hash(config::read_profile(&home).unwrap().hash().0) };
    let refused = Event::GateDenied {
        gate: Gate::Recognition.name(),
        cell: Cell {
            purpose: Purpose::VOICE_INTERACTION,
            category: Category::VOICE_AUDIO,
            kind: ProcessorKind::Asr,
            region: RegionClass::Local,
        },
        processor: ProcessorId(Name::constant("whisper-local")),
        reason: Name::constant("no_basis"),
        count: 1,
        labelled: Some(ConsentVersion(0)),
    };
    let segments = segment(Purpose::CONSENT_ANSWER).into_iter().chain(segment(Purpose::MEMORY));
    let log = export([effective].into_iter().chain(segments).chain([refused]));
    let checked = check(log.path(), None, &[&home], &[]).unwrap();
    let denied = checked.report.violations().filter(|finding| finding.rule == Rule::DeniedByProfile);
    assert_eq!(denied.map(|finding| finding.leaf).collect::<Vec<_>>(), [3], "nobody agreed to be remembered");
    let shown = text_of(&checked);
    assert!(shown.contains("3 verdicts recomputed, 1 of them refusals, 0 under other profiles"), "{shown}");
    assert!(checked.replayed.is_some() && check(log.path(), None, NONE, &[]).unwrap().replayed.is_none());
}

/// What had to be done by the time of the export, and is not on record.
#[test]
fn what_is_still_open_is_late_as_of_a_day_after_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("home.toml");
    fs::write(&home, include_str!("../../../../deploy/profiles/home.toml")).unwrap();
    let effective = Event::PolicyEffective { profile: Hash(config::read_profile(&home).unwrap().hash().0) };
    let log = export([effective, withdrawal().0]);
    let late = |at: Option<&str>| {
        let at = at.map(|at| WallTime(at.parse::<jiff::Timestamp>().unwrap().as_millisecond().unsigned_abs()));
        let checked = check_by(log.path(), None, &[&home], &[], at).unwrap();
        let found: Vec<_> = checked.report.violations().map(|finding| (finding.leaf, finding.rule)).collect();
        found
    };
    assert_eq!(late(None), []);
    assert_eq!(late(Some("2026-01-15T00:00:00Z")), [], "the policy gives fifteen days");
    assert_eq!(late(Some("2026-01-17T00:00:00Z")), [(1, Rule::WithdrawalLate)]);
}

#[test]
fn a_receipt_is_checked_without_the_log() {
    let (_, effective) = withdrawal();
    let dir = export([effective.clone()]);
    let (file, trust) = (dir.path().join("mine.tlog-proof"), dir.path().join(OWN_KEYS));
    let note = fs::read_to_string(dir.path().join("checkpoint")).unwrap();
    let receipt = Receipt { entry: leaf(0, effective).encode(), index: 0, proof: Vec::new(), checkpoint: note };
    fs::write(&file, receipt.encode()).unwrap();
    let shown = check_receipt(&file, None, &trust::read(&trust).unwrap()).unwrap();
    let text = shown.to_string();
    assert!(text.contains("withdraw.effective everything") && text.contains("2026-01-01T00:00:00Z"), "{text}");
    assert!(text.contains("witnessed by nobody"), "{text}");

    fs::write(&file, receipt.encode().replace("index 0", "index 1")).unwrap();
    let wrong = format!("{:#}", check_receipt(&file, None, &trust::read(&trust).unwrap()).map(drop).unwrap_err());
    assert!(wrong.contains("proves nothing"), "{wrong}");
}

#[test]
fn a_certificate_is_the_one_on_record_or_is_refused() {
    let golden = include_str!("../../../../engine/consent/tests/golden/certificate");
    let certificate = golden[golden.find('{').unwrap()..].trim_end().to_owned();
    let erased = |event: Event| {
        let dir = export([event.clone()]);
        let note = fs::read_to_string(dir.path().join("checkpoint")).unwrap();
        let receipt = Receipt { entry: leaf(0, event).encode(), index: 0, proof: Vec::new(), checkpoint: note };
        fs::write(dir.path().join("mine.tlog-proof"), receipt.encode()).unwrap();
        dir
    };
    let shown = |dir: &TempDir, text: &str| {
        let file = |name| Some(dir.path().join(name));
        fs::write(dir.path().join("certificate.json"), text).unwrap();
        let (receipt, certificate, trust) = (file("mine.tlog-proof"), file("certificate.json"), file(OWN_KEYS));
        run(&VerifyArgs { dir: None, receipt, certificate, trust, ..args(dir, true) })
            .map_err(|error| format!("{error:#}"))
    };
    let on_record = Hash::of(certificate.as_bytes());
    let dir = erased(Event::EraseCertified { erasure: Reference([7; 16]), certificate: on_record });
    assert_eq!(shown(&dir, &certificate), Ok(ExitCode::SUCCESS));
    assert_eq!(shown(&dir, &format!("{certificate}\n")), Ok(ExitCode::SUCCESS), "as it is printed");
    let changed = shown(&dir, &certificate.replacen("07", "08", 1)).unwrap_err();
    assert!(changed.contains(&format!("{on_record} is on record")), "{changed}");
    let other = shown(&erased(withdrawal().1), &certificate).unwrap_err();
    assert!(other.contains("the receipt is of withdraw.effective, not of an erasure"), "{other}");
}

#[test]
fn keys_that_cannot_be_used_are_named() {
    let dir = export([policy()]);
    let trust = dir.path().join("mine.keys");
    let error = || format!("{:#}", check(dir.path(), Some(&trust), NONE, &[]).map(drop).unwrap_err());
    assert!(error().contains("mine.keys"), "{}", error());
    fs::write(&trust, "# nobody\n").unwrap();
    assert!(error().contains("names nobody"), "{}", error());
    fs::write(&trust, "# one\n\nsomebody\n").unwrap();
    assert!(error().contains("mine.keys: line 3: ") && error().contains("keyword"), "{}", error());
    fs::write(&trust, "# one\n\nsomebody+else\n").unwrap();
    assert!(error().contains("mine.keys, line 3"), "{}", error());
    let other = Signer::new("test.example/audit", &[8; 32]).unwrap();
    fs::write(&trust, other.verifier().to_string()).unwrap();
    assert!(error().contains("no signature by a trusted key"), "{}", error());
}
