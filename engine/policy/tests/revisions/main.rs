//! What a new revision changes, whom it asks again, and who governs until they have answered.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod every_key;
mod receivers;

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;
use sayso_policy::diff::ChangeKind::{
    self, Data, Editorial, Less, Method, Protection, PurposeAdded, Recipient, Region, Retention,
};
use sayso_policy::pages::PrivacyNotice;
use sayso_policy::profile::ExemptionCode;
use sayso_policy::{
    AgeBand, ConsentState, ConsentStatus, ConsentType, ExemptionGrant, Gate, InForce, Profile, PurposeConsent,
    Question, Reason, RevisionError, Revisions, Tongue, diff,
};
use sayso_types::{Category, ConsentVersion, Label, Purpose, RegionClass, SubjectId, TurnId, WallTime};

const HOME: &str = include_str!("../../../../deploy/profiles/home.toml");
const NOW: WallTime = WallTime(1_780_000_000_000);
const BOTH: &[Purpose] = &[Purpose::MEMORY, Purpose::VOICE_INTERACTION];
const TALK: &[Purpose] = &[Purpose::VOICE_INTERACTION];
const KEEP: &[Purpose] = &[Purpose::MEMORY];

/// A change to the text of the home profile, what it is, and whom it asks again.
struct Edit {
    from: &'static str,
    to: &'static str,
    kinds: &'static [ChangeKind],
    asks: &'static [Purpose],
}

const fn edit(from: &'static str, to: &'static str, kinds: &'static [ChangeKind], asks: &'static [Purpose]) -> Edit {
    Edit { from, to, kinds, asks }
}

/// Each touches another part of the text, so that any of them can be made together.
const EDITS: &[Edit] = &[
    edit("Thank you. I am listening.", "Thanks.", &[Editorial], &[]),
    edit("name = \"Whoever set up this device\"", "name = \"Somebody else\"", &[Editorial], &[]),
    edit(
        "  { id = \"memory\", dpv",
        "  { id = \"news\", dpv = \"RequestedServiceProvision\", basis = \"Consent\" },\n  { id = \"memory\", dpv",
        &[PurposeAdded],
        &[],
    ),
    edit("dpv = \"ServicePersonalisation\"", "dpv = \"ServiceUsageAnalytics\"", &[ChangeKind::Purpose], KEEP),
    edit(
        "purposes = [\"voice_interaction\"]\nnecessity = \"Required_for:voice_interaction\"\nat_rest = \"forbidden\"\nderived_from = [\"voice_audio\"]",
        "purposes = [\"voice_interaction\", \"memory\"]\nnecessity = \"Required_for:voice_interaction\"\nat_rest = \"forbidden\"\nderived_from = [\"voice_audio\"]",
        &[Data],
        KEEP,
    ),
    edit(
        "derived_from = [\"transcript\", \"memory_summary\"]",
        "derived_from = [\"transcript\", \"memory_summary\", \"voice_audio\"]",
        &[Method],
        TALK,
    ),
    edit(
        "  # To let an OpenAI-compatible",
        "  { id = \"cloud\", kind = \"tts\", party = \"Cloud\", contact = \"a@cloud.example\", privacy_url = \"https://cloud.example\", region = \"CN\", region_class = \"domestic\", contract = \"1\", accepts = [\"reply_text\"], purposes = [\"voice_interaction\"], state = \"active\", trains_on_data = false, declared_retention = \"PT0S\", due_diligence = { at = 2026-06-01, by = \"me\", valid = \"P9Y\" } },\n  # To let an OpenAI-compatible",
        &[Region],
        TALK,
    ),
    edit(
        "trigger = \"withdraw\", after = \"PT0S\", action = \"erase\"",
        "trigger = \"withdraw\", after = \"P30D\", action = \"erase\"",
        &[Retention],
        KEEP,
    ),
    edit("permit_ttl = \"PT3S\"", "permit_ttl = \"PT9S\"", &[Protection], BOTH),
    edit("  { purpose = \"Marketing\" },\n", "", &[Protection], BOTH),
    edit("guardian_required_below = 14", "guardian_required_below = 13", &[Protection], BOTH),
    edit("declared_retention = \"P1Y\"", "declared_retention = \"P1M\"", &[Less], &[]),
    edit("id = \"operator\"\n", "id = \"operator\"\nrole = \"DataProcessor\"\n", &[Method], BOTH),
];

/// Each is about what does not rest on consent: people are told, and nobody can be asked.
const UNASKED: &[Edit] = &[
    edit(
        "  { id = \"memory\", dpv",
        "  { id = \"repair\", dpv = \"ServiceProvision\", basis = \"LegitimateInterest\" },\n  { id = \"memory\", dpv",
        &[ChangeKind::Purpose],
        &[],
    ),
    edit("basis = \"LegalObligation\"", "basis = \"LegitimateInterest\"", &[ChangeKind::Purpose], &[]),
    edit("purposes = [\"memory\"]\nnecessity", "purposes = [\"memory\", \"notice\"]\nnecessity", &[Data], &[]),
    edit(
        "  # To let an OpenAI-compatible",
        "  { id = \"reader\", kind = \"tts\", party = \"Reader\", region = \"home\", region_class = \"local\", accepts = [\"notice_text\"], purposes = [\"notice\"], state = \"active\" },\n  # To let an OpenAI-compatible",
        &[Recipient],
        &[],
    ),
];

fn revised(edits: &[&Edit], rev: u32) -> Profile {
    let mut text = HOME.replace("rev = 1", &format!("rev = {rev}"));
    for Edit { from, to, .. } in edits {
        assert!(text.contains(from), "the profile has no {from:?} any more");
        text = text.replacen(from, to, 1);
    }
    Profile::parse(&text).unwrap()
}

fn agreed(rev: u32, purposes: &[Purpose]) -> ConsentState {
    let consent = PurposeConsent {
        status: ConsentStatus::Given,
        consent_type: ConsentType::Expressed,
        separate: false,
        written: false,
        given_at: ConsentVersion(1),
        profile_rev: rev,
        expires_at: None,
    };
    let consents = purposes.iter().map(|p| (*p, consent.clone())).collect();
    ConsentState { cv: ConsentVersion(1), consents, ..ConsentState::new() }
}

#[test]
fn each_change_is_what_it_is_and_asks_whom_it_touches() {
    let old = revised(&[], 1);
    for edit in EDITS {
        let changes = diff(old.document(), revised(&[edit], 2).document());
        let kinds: BTreeSet<_> =
            changes.changes.iter().map(|c| c.kind).filter(|k| *k != Editorial || edit.kinds.contains(k)).collect();
        assert_eq!(kinds, edit.kinds.iter().copied().collect(), "{}: {changes:#?}", edit.to);
        let asks: Vec<_> = changes.asks(&agreed(1, BOTH)).into_iter().collect();
        assert_eq!(asks, edit.asks, "{}: {changes:#?}", edit.to);
        assert_eq!(changes.is_material(), !edit.asks.is_empty());
    }
}

/// People are told of it before it holds, where that is promised; and what opens at once is not said to wait for them.
#[test]
fn what_rests_on_something_else_than_consent_is_material_and_asks_nobody() {
    let old = revised(&[], 1);
    for edit in UNASKED {
        assert!(HOME.contains(edit.from), "the profile has no {:?} any more", edit.from);
        // what a linter says of them is not asked here
        let new = Profile::in_force_before(&HOME.replacen(edit.from, edit.to, 1)).unwrap();
        let changes = diff(old.document(), new.document());
        let kinds: BTreeSet<_> = changes.changes.iter().map(|c| c.kind).collect();
        assert_eq!(kinds, edit.kinds.iter().copied().collect(), "{}: {changes:#?}", edit.to);
        assert!(changes.is_material() && changes.reconsent().next().is_none(), "{changes:#?}");
        assert!(!changes.changes.iter().any(|change| change.what.contains("before people agree")), "{changes:#?}");
    }
}

/// Another name for a receiver hides nothing of what it does.
#[test]
fn a_receiver_under_another_name_is_told_by_its_terms() {
    let far = |id: &str, terms: &str| {
        let text = HOME.replacen("  # { id = \"openai-llm\"", &format!("  {{ id = \"{id}\""), 1);
        let text = text.replacen("overseas = false", "overseas = true", 1);
        let (from, to) = terms.split_once(" -> ").unwrap();
        Profile::in_force_before(&text.replacen(from, to, 1)).unwrap()
    };
    let asks = |terms: &str| {
        let changes = diff(far("far", "a -> a").document(), far("far-2", terms).document());
        changes.asks(&agreed(1, BOTH)).into_iter().collect::<Vec<_>>()
    };
    assert_eq!(asks("a -> a"), []);
    for terms in [
        "party = \"OpenAI\" -> party = \"Cloud\"",
        "region = \"US\" -> region = \"DE\"",
        "mechanism = \"standard_contract\" -> mechanism = \"exempt:few\"",
        "trains_on_data = false, declared_retention = \"P30D\" -> trains_on_data = true, declared_retention = \"P30D\"",
        "declared_retention = \"P30D\" -> declared_retention = \"P1Y\"",
        "contract = \"OpenAI data processing addendum\", -> independent_controller = true,",
        "contract = \"OpenAI data processing addendum\", -> sub_processors = [\"Rack\"],",
    ] {
        assert_eq!(asks(terms), TALK, "{terms}");
    }
    // a kind that is known nearby only goes no further because another kind does
    let receiver = |kind: &str, region: &str| {
        format!(
            "  {{ id = \"{kind}-{region}\", kind = \"{kind}\", party = \"operator\", region = \"home\", region_class = \"{region}\", \
             accepts = [\"transcript\"], purposes = [\"voice_interaction\"], state = \"active\" }},\n"
        )
    };
    let with = |receivers: [String; 2]| {
        let text = HOME.replacen("  # To let an OpenAI-compatible", &format!("{}  # To", receivers.concat()), 1);
        Profile::in_force_before(&text).unwrap()
    };
    let (was, is) = (["local", "domestic"], ["domestic", "domestic"]);
    let [was, is] = [was, is].map(|[tool, llm]| with([receiver("tool", tool), receiver("llm", llm)]));
    assert_eq!(diff(was.document(), is.document()).asks(&agreed(1, BOTH)).into_iter().collect::<Vec<_>>(), TALK);
}

#[test]
fn going_back_takes_nothing_from_anybody_where_going_forth_only_added() {
    let old = revised(&[], 1);
    for edit in EDITS
        .iter()
        .filter(|edit| !edit.asks.is_empty())
        .filter(|edit| edit.kinds.iter().all(|k| matches!(k, Data | Region | Retention | PurposeAdded)))
    {
        let back = diff(revised(&[edit], 2).document(), old.document());
        assert!(!back.is_material(), "{}: {back:#?}", edit.to);
    }
}

#[test]
fn whoever_would_be_asked_at_another_time_is_asked_now_and_reads_for_how_long() {
    let lasts = |period: &str| {
        let text =
            HOME.replacen("id = \"memory\", dpv", &format!("id = \"memory\", consent_lasts = \"{period}\", dpv"), 1);
        Profile::parse(&text).unwrap()
    };
    let (month, year, ever) = (lasts("P1M"), lasts("P1Y"), revised(&[], 1));
    let asks = |was: &Profile, is: &Profile| diff(was.document(), is.document()).asks(&agreed(1, BOTH));
    for (was, is) in [(&month, &year), (&year, &ever), (&year, &month), (&ever, &year)] {
        assert_eq!(asks(was, is).into_iter().collect::<Vec<_>>(), KEEP);
    }
    for (tongue, says) in [(Tongue::English, "your consent lasts for 1 month"), (Tongue::Chinese, "同意有效期1个月")]
    {
        let notice = PrivacyNotice::of(month.document(), tongue).markdown();
        assert!(notice.contains(says), "{notice}");
    }
    let refused = HOME.replacen("id = \"notice\", dpv", "id = \"notice\", consent_lasts = \"P1Y\", dpv", 1);
    let refused = Profile::parse(&refused).unwrap_err().to_string();
    assert!(refused.contains("purpose.notice.consent_lasts"), "{refused}");
}

/// Keys and words are those of the file, so that whoever reads a change finds it there.
#[test]
fn changes_are_named_as_the_file_names_them() {
    let offers = "[rights.offers.refuse_overseas]\nchannel = [\"console\"]\n";
    let old = Profile::parse(&format!("{HOME}\n{offers}")).unwrap();
    let more = "refusals = [\"ProcessFrivolous\", ";
    let new = HOME.replace("rev = 1", "rev = 2").replace("refusals = [", more);
    let new = Profile::parse(&new).unwrap();
    let changes: Vec<_> = diff(old.document(), new.document()).changes.iter().map(ToString::to_string).collect();
    assert_eq!(
        changes,
        [
            "rights.offers.refuse_overseas: is no longer offered",
            "rights.refusals: may now be refused for ProcessFrivolous"
        ]
    );
}

#[test]
fn nobody_is_asked_who_agreed_to_nothing() {
    let (old, new) = (revised(&[], 1), revised(&EDITS.iter().collect::<Vec<_>>(), 2));
    assert!(diff(old.document(), new.document()).asks(&ConsentState::new()).is_empty());
    assert!(diff(old.document(), revised(&[], 1).document()).changes.is_empty());
}

#[test]
fn a_revision_is_refused_that_is_not_the_next() {
    let two = one(revised(&[], 2));
    let publish = |profile: Profile| two.publish(Arc::new(profile), NOW).map(|_| ());
    assert_eq!(publish(revised(&[], 1)), Err(RevisionError::RolledBack { newest: 2, found: 1 }));
    assert_eq!(publish(revised(&[&EDITS[0]], 2)), Err(RevisionError::SameRevision(2)));
    assert_eq!(publish(revised(&[], 2)), Ok(()));
    let other = Profile::parse(&HOME.replace("id = \"home\"", "id = \"away\"")).unwrap();
    assert!(matches!(publish(other), Err(RevisionError::OtherProfile { .. })));
    let later = Profile::parse(&HOME.replace("rev = 1", "rev = 3").replace("2026-01-01T", "2036-01-01T")).unwrap();
    assert!(matches!(publish(later), Err(RevisionError::NotYet { rev: 3, .. })));
}

#[test]
fn whoever_agreed_to_a_forgotten_revision_is_asked_again() {
    let mut revisions = one(revised(&[], 1));
    for rev in 2..=10 {
        revisions = revisions.publish(Arc::new(revised(&[&EDITS[0]], rev)), NOW).unwrap().0;
    }
    assert_eq!(revisions.all().count(), 9);
    assert_eq!(revisions.asks(&agreed(1, TALK)), TALK);
    assert_eq!(revisions.asks(&agreed(2, TALK)), [], "nothing that matters changed since");
}

/// What may go anywhere for `purpose`, without the names of the receivers.
fn open(purpose: Purpose, revisions: &Revisions, state: &ConsentState) -> BTreeSet<String> {
    let mut open = BTreeSet::new();
    for profile in revisions.all() {
        for (category, _) in profile.categories() {
            for to in profile.processors() {
                let label =
                    Label { subject: SubjectId([1; 16]), category, purpose, turn: TurnId(1), cv: ConsentVersion(1) };
                let question = Question { label, gate: Gate::of(to.kind), processor: to.id, now: NOW };
                if revisions.decide(&question, state).is_permit() {
                    open.insert(format!("{category} {:?} {:?} {}", to.kind, to.region_class, to.party));
                }
            }
        }
    }
    open
}

/// Whether what is open lets a recogniser have speech.
fn is_heard(flow: &str) -> bool {
    flow.starts_with("voice_audio Asr ")
}

/// Whether speech may go to the recogniser.
fn heard() -> Question {
    let label = Label {
        subject: SubjectId([1; 16]),
        category: Category::VOICE_AUDIO,
        purpose: Purpose::VOICE_INTERACTION,
        turn: TurnId(1),
        cv: ConsentVersion(1),
    };
    Question { label, gate: Gate::Recognition, processor: "whisper-local".parse().unwrap(), now: NOW }
}

fn one(profile: Profile) -> Revisions {
    Revisions::new(InForce::new(Arc::new(profile)))
}

/// What is taken from everybody is taken from those, too, who agreed to an older revision, whether or not they have yet
/// to be asked again.
#[test]
fn what_a_revision_takes_away_is_gone_for_all() {
    let narrower = [
        edit("state = \"active\"", "state = \"suspended\"", &[], &[]),
        edit("accepts = [\"voice_audio\"]", "accepts = [\"notice_text\"]", &[], &[]),
        edit("min_consent_type = \"ExpressedConsent\"", "min_consent_type = \"ExplicitlyExpressedConsent\"", &[], &[]),
        edit("{ purpose = \"Marketing\" },", "{ category = \"voice_audio\" },", &[], &[]),
        edit("unknown_age = \"adult\"", "unknown_age = \"minor\"", &[], &[]),
    ];
    let state = agreed(1, BOTH);
    for narrow in &narrower {
        for edits in [vec![narrow], vec![narrow, &EDITS[7], &EDITS[8]]] {
            let (two, _) = one(revised(&[], 1)).publish(Arc::new(revised(&edits, 2)), NOW).unwrap();
            let before = open(Purpose::VOICE_INTERACTION, &one(revised(&[], 1)), &state);
            let after = open(Purpose::VOICE_INTERACTION, &two, &state);
            assert!(after.is_subset(&before) && after != before, "{}: {after:?}", narrow.to);
            assert!(!after.iter().any(|flow| is_heard(flow)), "{}: {after:?}", narrow.to);
        }
    }
}

/// Who gets what is told as the newest revision has it, whichever governs.
#[test]
fn what_is_told_of_a_service_is_what_the_newest_revision_has() {
    let own = edit(
        "{ id = \"whisper-local\", kind = \"asr\", party = \"operator\"",
        "{ id = \"whisper-local\", independent_controller = true, kind = \"asr\", party = \"operator\"",
        &[],
        &[],
    );
    let moved =
        edit("party = \"operator\", region = \"home\"", "party = \"operator\", region = \"the cellar\"", &[], &[]);
    let [first, then] = [revised(&[&own], 1), revised(&[&own, &moved, &EDITS[8]], 2)].map(Arc::new);
    let told = |profile: &Profile| profile.introductions().map(|one| one.hash()).collect();
    let somebody = |profile: &Profile| ConsentState { told: told(profile), ..agreed(1, BOTH) };
    let listens = |revisions: &Revisions, state: &ConsentState| {
        let open = open(Purpose::VOICE_INTERACTION, revisions, state);
        open.iter().any(|flow| is_heard(flow))
    };
    let one = Revisions::new(InForce::new(Arc::clone(&first)));
    assert!(listens(&one, &somebody(&first)) && !listens(&one, &agreed(1, BOTH)));
    let (two, _) = one.publish(Arc::clone(&then), NOW).unwrap();
    assert_eq!(two.governing(Purpose::VOICE_INTERACTION, &agreed(1, BOTH)).rev(), 1);
    assert!(listens(&two, &somebody(&then)), "nobody is told what is out of date");
    assert!(!listens(&two, &somebody(&first)), "and everybody what is new");
    let denied = heard();
    assert_eq!(two.decide(&denied, &somebody(&first)).answer, Err(Reason::NotTold));
    for state in [somebody(&first), somebody(&then)] {
        assert_eq!(two.explain(&denied, &state).decision, two.decide(&denied, &state));
    }
}

/// What is agreed to anew, and what stays as it was, go together where the one requires the other.
#[test]
fn a_yes_to_what_another_purpose_requires_leaves_that_open() {
    let needs = edit("id = \"memory\", dpv", "id = \"memory\", requires = [\"voice_interaction\"], dpv", &[], &[]);
    let all = |more: &[&'static Edit], rev| {
        revised(&[&needs].into_iter().chain(more.iter().copied()).collect::<Vec<_>>(), rev)
    };
    let publish = |revisions: &Revisions, next| revisions.publish(Arc::new(next), NOW).unwrap().0;
    let first = one(all(&[], 1));
    let remembers = |revisions: &Revisions, state: &ConsentState| open(Purpose::MEMORY, revisions, state);
    let ever = remembers(&first, &agreed(1, BOTH));
    assert!(!ever.is_empty());

    // both change, and the person agrees anew to the one that the other requires
    let (talk, keep, both) = (&EDITS[5], &EDITS[7], &EDITS[8]);
    let two = publish(&first, all(&[both], 2));
    let mut state = agreed(1, BOTH);
    state.consents.extend(agreed(2, TALK).consents);
    assert_eq!(two.governing(Purpose::MEMORY, &state).rev(), 1);
    assert_eq!(remembers(&two, &state), ever, "agreed anew to what it requires");

    // what is required changes first, then what requires it
    let two = publish(&first, all(&[talk], 2));
    let three = publish(&two, all(&[talk, keep], 3));
    assert_eq!(three.governing(Purpose::MEMORY, &state).rev(), 1);
    assert_eq!(remembers(&three, &state), ever, "what it requires is governed by a later one");
    let mut earlier = agreed(2, KEEP);
    earlier.consents.extend(agreed(1, TALK).consents);
    assert_eq!(three.governing(Purpose::MEMORY, &earlier).rev(), 2);
    assert_eq!(remembers(&three, &earlier), ever, "and by an earlier one");

    // without it, it stays shut
    for revisions in [&two, &three] {
        assert!(remembers(revisions, &agreed(1, KEEP)).is_empty());
    }
}

/// Whoever compares the log with an explanation finds one right and one revision.
#[test]
fn an_explanation_rests_on_the_revision_that_decided() {
    let granted = "exemption = [{ code = \"X04\", scope = [\"collect_use\"], approvers = 2, max = \"P7D\" }]\n";
    let with = |edits: &[&Edit], rev| {
        let text = revised(edits, rev).text().to_owned();
        Profile::in_force_before(&format!("{granted}{text}")).unwrap()
    };
    let grant = ExemptionGrant {
        id: "g-1".parse().unwrap(),
        code: ExemptionCode::X04,
        clause: None,
        basis_code: "cn-pipl:13-4".to_owned(),
        subject: None,
        purposes: TALK.iter().copied().collect(),
        categories: BTreeSet::from([Category::VOICE_AUDIO]),
        processors: BTreeSet::from(["whisper-local".parse().unwrap()]),
        not_before: NOW,
        not_after: WallTime(NOW.0 + 60_000),
        approvers: BTreeSet::from([[1; 16], [2; 16]]),
        evidence_hash: [0; 32],
        notify_subject_after: None,
    };
    let first = one(with(&[], 1)).with_exemptions(Arc::from([grant]));
    // the newest takes a clearer consent, so that only the grant opens it there
    let clearer =
        edit("min_consent_type = \"ExpressedConsent\"", "min_consent_type = \"ExplicitlyExpressedConsent\"", &[], &[]);
    let (two, _) = first.publish(Arc::new(with(&[&clearer, &EDITS[8]], 2)), NOW).unwrap();
    let question = heard();
    for state in [agreed(1, BOTH), agreed(2, BOTH), ConsentState { age: AgeBand::Adult, ..ConsentState::new() }] {
        let decision = two.decide(&question, &state);
        assert!(decision.answer.is_ok_and(|grounds| grounds.exemption().is_some()), "{decision:?}");
        assert_eq!(two.explain(&question, &state).decision, decision);
    }
}

proptest! {
    /// AW-8.1, ZG-U1: until a person agrees anew, a revision opens nothing for that person, and shuts nothing that it
    /// does not shut for everybody.
    #[test]
    fn nothing_opens_for_anybody_before_they_agree(chosen in prop::sample::subsequence((0..EDITS.len()).collect::<Vec<_>>(), 0..EDITS.len())) {
        let edits: Vec<_> = chosen.iter().map(|i| &EDITS[*i]).collect();
        let first = one(revised(&[], 1));
        let next = Arc::new(revised(&edits, 2));
        let (two, changes) = first.publish(Arc::clone(&next), NOW).unwrap();
        let state = agreed(1, BOTH);
        for purpose in BOTH {
            let (before, after) = (open(*purpose, &first, &state), open(*purpose, &two, &state));
            prop_assert_eq!(&before, &after, "{}", purpose);
            let touched = edits.iter().any(|edit| edit.asks.contains(purpose));
            prop_assert_eq!(changes.touches(*purpose), touched);
            let governs = two.governing(*purpose, &state).rev();
            prop_assert_eq!(governs, if touched { 1 } else { 2 });
        }
        prop_assert_eq!(two.asks(&state).len(), BOTH.iter().filter(|p| changes.touches(**p)).count());
        // whoever agrees anew is governed by the new one
        let anew = agreed(2, BOTH);
        prop_assert!(BOTH.iter().all(|p| two.governing(*p, &anew).rev() == 2));
        prop_assert!(two.asks(&anew).is_empty());
    }
}

#[test]
fn routes_go_nearest_first_and_never_further_than_allowed() {
    use sayso_policy::{NoRoute, Reason, route};

    let text = HOME.lines().map(|line| line.replacen("  # { id", "  { id", 1) + "\n").collect::<String>();
    let profile = Profile::parse(&text.replacen("overseas = false", "overseas = true", 1)).unwrap();
    let in_force = InForce::new(Arc::new(profile));
    let ids = |names: &[&str]| names.iter().map(|n| n.parse().unwrap()).collect::<Vec<_>>();
    let label = Label {
        subject: SubjectId([1; 16]),
        category: Category::TRANSCRIPT,
        purpose: Purpose::VOICE_INTERACTION,
        turn: TurnId(1),
        cv: ConsentVersion(1),
    };
    let state = agreed(1, TALK);
    let all = ids(&["openai-llm", "ollama", "rules-local"]);
    let ask = |from: &[sayso_types::ProcessorId], state: &ConsentState| {
        route(from.iter().copied(), label, Gate::Dialogue, NOW, state, &in_force)
    };
    assert_eq!(ask(&all, &state), Ok(ids(&["ollama", "rules-local", "openai-llm"])));
    let home = ConsentState { farthest: RegionClass::Local, ..state.clone() };
    assert_eq!(ask(&all, &home), Ok(ids(&["ollama", "rules-local"])));
    assert_eq!(ask(&all[..1], &home), Err(NoRoute(Reason::Region)));
    assert_eq!(ask(&[], &state), Err(NoRoute(Reason::ProcessorState)));
}
