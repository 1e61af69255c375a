//! What is refused, and how that reads.

use proptest::prelude::*;

use super::*;
use crate::Problem;

const HOME: &str = include_str!("../../../../deploy/profiles/home.toml");

/// The message for the home profile with one thing changed.
fn message(from: &str, to: &str) -> String {
    assert!(HOME.contains(from), "the profile has no {from:?} any more");
    Profile::parse(&HOME.replacen(from, to, 1)).unwrap_err().to_string()
}

/// The same without the line.
fn said(from: &str, to: &str) -> String {
    let message = message(from, to);
    message.split_once(": ").map(|(_, said)| said.to_owned()).unwrap()
}

#[test]
fn typing_errors_are_named_with_line_and_remedy() {
    let line = |needle: &str| 1 + HOME[..HOME.find(needle).unwrap()].matches('\n').count();
    assert_eq!(
        message("permit_ttl =", "permit_tll ="),
        format!(
            "line {}: defaults.permit_tll: `permit_tll` is not known here; did you mean `permit_ttl`?",
            line("permit_ttl =")
        )
    );
    assert_eq!(
        message("gate = \"deny\"", "gate = \"allow\""),
        format!("line {}: defaults.gate: `allow` is not known here; known are deny", line("gate = \"deny\""))
    );
    assert_eq!(
        message("sensitivity = \"none\"", "sensitivity = \"nome\""),
        format!(
            "line {}: category.notice_text.sensitivity: `nome` is not known here; did you mean `none`?",
            line("sensitivity = \"none\"")
        )
    );
    assert_eq!(
        message("rev = 1", "rev = \"one\""),
        format!(
            "line {}: profile.rev: is string \"one\"; write a whole number from 0 on, without quotes",
            line("rev = 1")
        )
    );
    assert!(
        message("effective_at = 2026-01-01T00:00:00Z", "effective_at = 2026-01-01T00:00:00")
            .contains("without an offset")
    );
    assert!(message("format = 1", "format = 2").contains("reads format 1"));
    assert!(message("\"PT3S\"", "\"3 s\"").contains("`3 s` is not an ISO 8601 duration such as PT3S"));
    assert!(message("\"P3Y\"", "\"P3\"").contains("`P3` is not"));
    assert!(message("[controller]", "[contoller]").contains("did you mean `controller`?"));
}

#[test]
fn what_cannot_be_read_at_all_is_named_with_its_key_and_a_remedy() {
    let line = |needle: &str| 1 + HOME[..HOME.find(needle).unwrap()].matches('\n').count();
    let date = message("effective_at = 2026-01-01T00:00:00Z", "effective_at = 02-27");
    let place = format!("line {}: profile.effective_at: ", line("effective_at ="));
    assert!(date.starts_with(&place) && date.ends_with("in quotes"), "{date}");
    assert!(date.contains("write a date as 2026-02-27"), "{date}");
    assert_eq!(Profile::parse("").unwrap_err().to_string(), "line 1: `profile` is not there; add it");
    assert_eq!(
        message("rev = 1", "rev = 1\nrev = 2"),
        format!("line {}: profile.rev: `rev` is declared twice; rename or remove one", 1 + line("rev = 1"))
    );
    let header = Profile::parse(&format!("{HOME}\n[profile]\n")).unwrap_err().to_string();
    assert!(header.contains(": profile: `profile` is declared twice"), "{header}");
    let keys = message("rev = 1", "zzzzz = 1\nrev = 1");
    assert!(keys.contains("profile.zzzzz: `zzzzz` is not known here; known are id, rev, format, title"), "{keys}");
    let typed = message("\"PT3S\"", "3");
    assert!(typed.contains("; write a text in quotes"), "{typed}");
}

#[test]
fn what_is_there_twice_is_named_where_it_is_the_second_time() {
    let second = HOME.find("{ id = \"rules-local\"").unwrap();
    let line = 1 + HOME[..second].matches('\n').count();
    assert_eq!(
        message("{ id = \"rules-local\"", "{ id = \"whisper-local\""),
        format!("line {line}: processor.whisper-local: `whisper-local` is declared twice; rename or remove one")
    );
    assert!(said("{ id = \"memory\"", "{ id = \"notice\"").starts_with("purpose.notice: `notice` is declared twice"));
}

#[test]
fn what_stands_below_a_word_is_named_with_it() {
    let below = |text: &str| Profile::parse(&format!("{HOME}\n{text}\n")).unwrap_err().to_string();
    assert!(below("[rights.offers.complain]\nevidense = 1").contains(": rights.offers.complain.evidense: "));
    assert!(
        below("[rights.offers.prot]").contains(": rights.offers.prot: `prot` is not known here; did you mean `port`?")
    );
    assert!(
        below("[category.transcript.in_region.overseas]\nseparat = true").contains(".in_region.overseas.separat: ")
    );
}

#[test]
fn names_must_be_declared() {
    assert_eq!(
        said("purposes = [\"notice\"]\nnec", "purposes = [\"notise\"]\nnec"),
        "category.notice_text.purposes: purpose `notise` is not declared in this profile; declare it or \
         remove it here; did you mean `notice`?"
    );
    assert!(
        said("accepts = [\"voice_audio\"]", "accepts = [\"voice\"]").starts_with("processor.whisper-local.accepts: ")
    );
    assert!(said("derived_from = [\"voice_audio\"]", "derived_from = [\"noise\"]").contains("category `noise`"));
    assert!(said("Required_for:voice_interaction", "Required_for:singing").contains("`singing`"));
    assert!(said("spoken = [\"voice_interaction\"", "spoken = [\"voice\"").starts_with("asks.spoken"));
    assert!(said("\"Marketing\"", "\"marketing\"").starts_with("prohibition: purpose"));
    assert!(said("id = \"rules-local\"", "id = \"whisper-local\"").contains("declared twice"));
}

#[test]
fn whoever_gets_data_stands_somewhere_and_an_assessment_has_a_name() {
    assert_eq!(
        said("region = \"home\"", "region = \" \""),
        "processor.whisper-local.region: is empty: say where it stands: an ISO 3166 code such as \"CN\", or words such as \
         \"the device\""
    );
    let assessed = |reference: &str| {
        let to = format!("basis = \"Consent\", impact_assessment = {{ reference = \"{reference}\", at = 2026-01-01 }}");
        Profile::parse(&HOME.replacen("basis = \"Consent\"", &to, 1))
    };
    let refused = assessed("").unwrap_err().to_string();
    assert!(refused.contains("purpose.voice_interaction.impact_assessment.reference: is empty"), "{refused}");
    let rule = assessed("PIA 1").unwrap().document().purpose[&Purpose::VOICE_INTERACTION].clone();
    assert_eq!(rule.impact_assessment.unwrap().to_string(), "PIA 1 (2026-01-01)");
}

#[test]
fn a_list_has_an_end() {
    let more = |count: usize| {
        let entries: String = (0..count)
            .map(|i| format!("  {{ id = \"T-{i}\", says = \"nothing\", outside = \"a test\" }},\n"))
            .collect();
        Draft::parse(&format!("clause = [\n{entries}]\n{HOME}"), None)
    };
    let many = more(ITEMS_MAX + 1).unwrap_err().to_string();
    assert_eq!(
        many,
        format!("line 1: clause: has {} entries; at most {ITEMS_MAX} are read: split the profile", ITEMS_MAX + 1)
    );
    assert!(more(ITEMS_MAX).is_ok());
}

#[test]
fn somebody_must_answer_for_it() {
    assert!(said("name = \"Whoever set up this device\"", "name = \" \"").starts_with("controller.name: is empty"));
    assert!(
        said("address = \"in person, at home\"", "")
            .starts_with("controller.contact: CTRL_MISSING: nobody could be reached")
    );
    for (way, is_usable) in [
        ("email = \"who@home.example\"", true),
        ("email = \"@home.example\"", false),
        ("email = \"who@home\"", false),
        ("url = \"http://home.example\"", true),
        ("url = \"https://home.example\"", true),
        ("url = \"home.example\"", false),
        ("phone = \" \"", false),
    ] {
        let contact: Contact = toml::from_str(way).unwrap();
        assert_eq!(contact.is_usable(), is_usable, "{way}");
    }
    let without = HOME.replacen("[controller]", "[other]", 1);
    assert!(matches!(Profile::parse(&without), Err(Error { problem: Problem::Unknown { .. }, .. })));
}

#[test]
fn what_a_profile_may_not_say() {
    assert_eq!(
        said("permit_ttl = \"PT3S\"", "permit_ttl = \"PT10M\""),
        "defaults.permit_ttl: is 600000 ms; it must be between 500 and 60000 ms"
    );
    assert!(said("derived_from = [\"voice_audio\"]", "derived_from = [\"reply_text\"]").contains("its own source"));
    assert!(
        said("purposes = [\"voice_interaction\", \"memory\"]", "purposes = [\"consent_answer\"]")
            .contains("rules-local")
    );
    let stored = said(
        "necessity = \"Required_for:voice_interaction\"\nat_rest = \"forbidden\"",
        "necessity = \"Required_for:voice_interaction\"\nat_rest = \"allowed\"",
    );
    assert_eq!(
        stored,
        "category.voice_audio.at_rest: it is used for `consent_answer`, so at_rest must be \"forbidden\""
    );
    assert!(said("spoken = [\"voice_interaction\"", "spoken = [\"notice\"").contains("nothing to ask"));
    let masked = said("state = \"active\",", "state = \"active\", fields = { voice_audio = [\"loudness\"] },");
    assert!(masked.starts_with("processor.whisper-local.fields:") && masked.contains("loudness"), "{masked}");
    let cited = said("permit_ttl = \"PT3S\"", "permit_ttl = \"PT3S\"\nsrc = [\"XX-1\"]");
    assert!(cited.starts_with("defaults: clause `XX-1` is not declared"), "{cited}");
    let requires = |first: &str| said("id = \"memory\",", &format!("id = \"memory\", requires = [\"{first}\"],"));
    assert!(requires("voice").starts_with("purpose.memory.requires: purpose `voice` is not declared"));
    assert!(requires("notice").starts_with("purpose.memory.requires: purpose `notice` has another basis"));
    assert!(requires("memory").ends_with("leads back to memory: consent to it would have to come before itself"));
    assert!(
        said("region_class = \"local\"", "region_class = \"overseas\"").starts_with("processor.whisper-local.purposes")
    );
}

#[test]
fn data_may_end_after_working_days_but_no_examination_does() {
    let counted = HOME.replace("after = \"P3Y\"", "after = \"P15WD\"");
    assert!(Profile::parse(&counted).unwrap_err().to_string().contains("CALENDAR_MISSING"));
    let with_calendar = counted.replace("jurisdiction = \"*\"", "jurisdiction = \"*\"\nworking_days = \"cn-2026\"");
    assert!(Profile::parse(&with_calendar).is_ok());
    let refused = message(
        "trains_on_data = false",
        "trains_on_data = false, due_diligence = { at = 2026-06-01, by = \"operator\", valid = \"P15WD\" }",
    );
    assert!(refused.contains("`P15WD` counts working days"), "{refused}");
}

#[test]
fn people_must_be_able_to_listen_to_the_end() {
    let spoken = "spoken = \"Hello. ";
    let long = format!("spoken = \"{}", "and so on ".repeat(20));
    assert_eq!(
        said(spoken, &long),
        "notice.en.spoken: takes about 40 s to say; keep it within 20 s and put the rest into `more` or `screen`"
    );
    assert_eq!(speaking_time("你好。Hello, you").as_millis(), 2 * 250 + 2 * 400);
    for (text, ms) in [
        // each digit, and what stands between them
        ("400-123-4567", 12 * 250),
        ("请拨打 400 123", 3 * 250 + 6 * 250),
        ("2026-02-27.", 10 * 250),
        // privacy at example dot com
        ("privacy@example.com", 3 * 400 + 2 * 250),
        ("https://sayso.example/privacy", 4 * 400 + 5 * 250),
        ("GDPR", 4 * 250),
        ("a well-known word, isn't it?", 5 * 400),
        ("1", 400),
    ] {
        assert_eq!(speaking_time(text).as_millis(), ms, "{text}");
    }
    for (text, ms) in [("안녕하세요", 5 * 250), ("こんにちは、カナ", 7 * 150), ("สวัสดี", 6 * 80)]
    {
        assert_eq!(speaking_time(text).as_millis(), ms, "{text}");
    }
}

#[test]
fn people_must_be_able_to_listen_to_the_end_after_a_revision_too() {
    let asked = |words: usize| format!("spoken = \"{}\"\nmore", "so ".repeat(words));
    let home = HOME.lines().find(|line| line.starts_with("spoken = \"Hello")).unwrap();
    let home = format!("{home}\nmore");
    assert!(Profile::parse(&HOME.replacen(&home, &asked(41), 1)).is_ok());
    let refused = said(&home, &asked(42));
    assert!(refused.starts_with("notice.en.spoken: the question and what is said before it"), "{refused}");
    assert!(refused.contains("take about 21 s to say; keep them within 20 s"), "{refused}");
    let changed = |words: usize| {
        format!("{}\nchanged = \"{}\"", asked(20).trim_end_matches("\nmore"), "so ".repeat(words)) + "\nmore"
    };
    assert!(Profile::parse(&HOME.replacen(&home, &changed(30), 1)).is_ok());
    let refused = said(&home, &changed(31));
    assert!(refused.starts_with("notice.en.changed: the question and what is said before it"), "{refused}");
    let refused = said(&home, &changed(40).replacen(&"so ".repeat(20), "so ", 1));
    assert!(refused.starts_with("notice.en.changed: this and what is said before it"), "{refused}");
}

#[test]
fn every_language_has_its_notice() {
    assert!(said("thanks = \"Thank you. I am listening.\"", "thanks = \"\"").starts_with("notice.en.thanks: is empty"));
    assert!(said("languages = [\"en\", \"zh\"]", "languages = [\"en\", \"fr\"]").contains("`fr`"));
    assert!(said("languages = [\"en\", \"zh\"]", "languages = [\"en\"]").contains("`zh`"));
    assert!(said("languages = [\"en\", \"zh\"]", "languages = []").starts_with("profile.languages: is empty"));
}

#[test]
fn the_hash_is_of_the_meaning() {
    let home = Profile::parse(HOME).unwrap();
    let same = |text: &str| Profile::parse(text).unwrap().hash() == home.hash();
    assert!(same(&HOME.replace("# ", "#   ")), "comments");
    assert!(same(
        &HOME.replace("\"consent_answer\", \"voice_interaction\"", "\"voice_interaction\", \"consent_answer\"")
    ));
    assert!(same(&HOME.replace("2026-01-01T00:00:00Z", "2026-01-01T08:00:00+08:00")));
    assert!(same(&HOME.replace("at_rest = \"forbidden\"\n", "")), "it is the default");
    assert!(!same(&HOME.replace("Thank you.", "Thanks.")));
    assert!(!same(&HOME.replace("rev = 1", "rev = 2")));
    assert!(!same(&HOME.replace("  { purpose = \"Marketing\" },\n", "")));
}

#[test]
fn two_texts_that_say_the_same_are_one_profile() {
    let home = Profile::parse(HOME).unwrap();
    assert_eq!(Profile::parse(&format!("{HOME}# a comment\n")).unwrap(), home);
    assert_ne!(Profile::parse(&HOME.replacen("P1D", "P2D", 1)).unwrap(), home);
    let hash = home.hash().to_string();
    assert_eq!((hash.len(), format!("{:?}", home.hash())), (64, format!("ProfileHash({hash})")));
}

#[test]
fn the_hash_of_a_source_is_that_which_is_written() {
    let written = "5f".repeat(32);
    let source = format!("source = [{{ lang = \"en\", sha256 = \"{written}\" }}]\n");
    let home = Draft::parse(&format!("extends = \"home.toml\"\n{source}"), Some(HOME)).unwrap().unlinted();
    let sources: Vec<_> = home.document().source.iter().map(|source| source.sha256).collect();
    assert_eq!(sources, [Some([0x5f; 32])]);
}

#[test]
fn a_use_has_a_cell_where_all_three_are_declared() {
    let home = Profile::parse(HOME).unwrap();
    let cell = |purpose: &str, category: &str, receiver: &str| {
        home.cell(purpose.parse().unwrap(), category.parse().unwrap(), receiver.parse().unwrap())
    };
    let found = cell("voice_interaction", "voice_audio", "whisper-local").unwrap();
    assert_eq!(found.to_string(), "voice_interaction/voice_audio/Asr/Local");
    for (purpose, category, receiver) in [
        ("news", "voice_audio", "whisper-local"),
        ("voice_interaction", "picture", "whisper-local"),
        ("voice_interaction", "voice_audio", "nobody"),
    ] {
        assert_eq!(cell(purpose, category, receiver), None, "{purpose}/{category}/{receiver}");
    }
}

#[test]
fn the_sound_of_answers_is_kept_as_what_the_profile_says() {
    assert_eq!(Profile::parse(HOME).unwrap().evidence(), None);
    let changed = "extends = \"home.toml\"\n[asks]\nevidence = \"memory_summary\"\n";
    let kept = Draft::parse(changed, Some(HOME)).unwrap().unlinted();
    assert_eq!(kept.evidence(), Some((Category::MEMORY_SUMMARY, Purpose::MEMORY)));
}

#[test]
fn a_visit_lasts_some_hours_unless_something_else_is_said_and_a_day_at_the_most() {
    let with = |visits: &str| Profile::parse(&format!("{HOME}\n[visits]\n{visits}\n"));
    let home = Profile::parse(HOME).unwrap();
    assert_eq!((home.visits().lasts.as_secs(), home.visits().end_with_session), (4 * 3_600, false));
    assert_eq!(with("lasts = \"PT4H\"").unwrap().hash(), home.hash(), "who says the usual says nothing new");
    let brief = with("lasts = \"PT10M\"\nend_with_session = true").unwrap();
    assert_eq!((brief.visits().lasts.as_secs(), brief.visits().end_with_session), (600, true));
    assert!(brief.canonical().contains(r#""visits":{"end_with_session":true,"lasts":"PT10M","src":[]}"#));
    for lasts in ["PT0S", "PT24H1S"] {
        let refused = with(&format!("lasts = \"{lasts}\"")).unwrap_err();
        assert!(matches!(refused.problem, Problem::VisitLasts { max_s: 86_400, .. }), "{refused}");
    }
}

#[test]
fn the_canonical_form_is_sorted_json_and_its_hash_is_sha_256_of_it() {
    use sha2::{Digest, Sha256};

    let home = Profile::parse(HOME).unwrap();
    let canonical = home.canonical();
    assert!(canonical.starts_with(
        r#"{"asks":{"consent_type":"ExpressedConsent","spoken":["memory","voice_interaction"],"src":[]},"category":{"#
    ));
    assert_eq!(home.hash().0, <[u8; 32]>::from(Sha256::digest(&canonical)));
}

#[test]
fn its_text_says_the_same_without_the_file_below() {
    let own = "extends = \"home.toml\"\nremove = [\"prohibition\"]\n[profile]\nrev = 2\n[controller]\nname = \"Me\"\n";
    let profile = Draft::parse(own, Some(HOME)).unwrap().accept().unwrap();
    let again = Profile::parse(profile.text()).unwrap();
    assert_eq!((again.hash(), again.rev(), again.controller().name.as_str()), (profile.hash(), 2, "Me"));
    assert!(again.document().prohibition.is_empty());
    assert_eq!(profile.statement(), format!("sayso-profile/v1\nhome\n2\n{}\n", profile.hash()));
}

proptest! {
    #[test]
    fn any_text_is_a_profile_or_an_error(text: String) {
        prop_assert!(Profile::parse(&text).is_err());
    }

    #[test]
    fn damage_anywhere_does_not_panic(at in 0..HOME.len(), with in "[ -~\n]{0,3}", drop in 0..40usize) {
        let start = HOME.floor_char_boundary(at);
        let end = HOME.floor_char_boundary((start + drop).min(HOME.len())).max(start);
        let _ = Profile::parse(&format!("{}{with}{}", &HOME[..start], &HOME[end..]));
    }
}
