//! What is written from the profiles that ship: complete, the same as yesterday, and in both languages.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use sayso_policy::export::dpv::Dpv;
use sayso_policy::export::odrl::Odrl;
use sayso_policy::export::ropa::Ropa;
use sayso_policy::pages::{Item, PrivacyNotice, processor_page, spoken_parts};
use sayso_policy::profile::{
    Contact, ControllerRole, Document, Draft, Mechanism, PartnerType, ProcessorRole, ProcessorState, Responsible,
    SPOKEN_MAX,
};
use sayso_policy::{Coverage, Registry, Tongue, Vocabulary};
use sayso_types::{Category, ProcessorId, Purpose};
use serde_json::{Value, json};

/// The clauses of ISO/IEC 29184:2020 that a notice must answer.
const ISO_29184: [&str; 28] = [
    "5.2.2", "5.2.3", "5.2.4", "5.2.5", "5.2.6", "5.2.7", "5.2.8", "5.2.9", "5.3.2", "5.3.3", "5.3.4", "5.3.5",
    "5.3.6", "5.3.7", "5.3.8", "5.3.9", "5.3.10", "5.3.11", "5.3.12", "5.3.13", "5.3.14", "5.3.15", "5.3.16", "5.4.3",
    "5.4.6", "5.4.7", "5.4.8", "5.5.2",
];

fn profiles() -> Vec<(String, Document)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/profiles");
    let files = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|file| file.extension().is_some_and(|e| e == "toml"));
    let profiles: Vec<_> = files.map(|file| (file.display().to_string(), document(&file))).collect();
    assert!(profiles.len() > 1, "{} holds the profiles", dir.display());
    profiles
}

fn document(file: &Path) -> Document {
    let text = fs::read_to_string(file).unwrap();
    let base = Draft::extends(&text).unwrap().map(|base| fs::read_to_string(file.with_file_name(base)).unwrap());
    Draft::parse(&text, base.as_deref()).unwrap().document().clone()
}

fn shipped(name: &str) -> Document {
    document(&Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../deploy/profiles/{name}.toml")))
}

/// Where `text` differs from the file that holds what it was, if it does.
fn golden(name: &str, text: &str) -> Option<String> {
    let expected = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    let found = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&found, text).unwrap();
    let same = fs::read_to_string(&expected).is_ok_and(|expected| expected == text);
    (!same).then(|| format!("{} differs; if this is meant, copy {} there", expected.display(), found.display()))
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap() + "\n"
}

/// The smallest profile in every format, and one that has something of everything as people read it.
#[test]
fn what_is_written_reads_as_before() {
    let home = shipped("home");
    let mut texts = vec![
        ("home-ropa.json".to_owned(), json(&Ropa::of(&home))),
        ("home-odrl.jsonld".to_owned(), json(&Odrl::of(&home))),
        ("home-dpv.jsonld".to_owned(), json(&Dpv::of(&home))),
    ];
    for (name, document) in [("home", home), ("zego-lawful", shipped("zego-lawful"))] {
        for tongue in Tongue::ALL {
            let tag = tongue.tag();
            texts.push((format!("{name}-notice.{tag}.md"), PrivacyNotice::of(&document, tongue).markdown()));
            texts
                .push((format!("{name}-processors.{tag}.md"), processor_page(&document, &Registry::default(), tongue)));
            texts.push((format!("{name}-ropa.{tag}.md"), Ropa::of(&document).markdown(tongue)));
        }
    }
    let differ: Vec<_> = texts.iter().filter_map(|(name, text)| golden(name, text)).collect();
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

#[test]
fn a_notice_answers_every_clause_of_iso_29184() {
    let answered: BTreeSet<_> = Item::ALL.iter().flat_map(|item| item.clauses()).copied().collect();
    assert_eq!(answered, ISO_29184.into_iter().chain(["5.5.3"]).collect());
    for (file, document) in profiles() {
        for tongue in Tongue::ALL {
            let notice = PrivacyNotice::of(&document, tongue);
            let items: Vec<_> = notice.paragraphs.iter().map(|paragraph| paragraph.item).collect();
            assert_eq!(items, Item::ALL, "{file}");
            for paragraph in &notice.paragraphs {
                assert!(!paragraph.text.trim().is_empty(), "{file}: {:?} says nothing", paragraph.item);
            }
        }
    }
}

#[test]
fn a_notice_names_who_what_and_how_long() {
    for (file, document) in profiles() {
        for tongue in Tongue::ALL {
            let notice = PrivacyNotice::of(&document, tongue);
            let said = |item| notice.paragraphs.iter().find(|p| p.item == item).unwrap().text.clone();
            assert!(said(Item::Controller).contains(document.controller.name.trim()), "{file}");
            let personal = document.category.values().filter(|rule| rule.is_personal()).count();
            assert_eq!(said(Item::Retention).lines().count(), personal, "{file}: a line a category");
            assert_eq!(said(Item::Purposes).lines().count(), document.purpose.len(), "{file}: a line a purpose");
            let rights = document.rights.offers.len();
            assert_eq!(said(Item::Participation).lines().count(), rights + 1, "{file}: a line a right, and withdrawal");
            let page = processor_page(&document, &Registry::default(), tongue);
            for processor in document.processor.values() {
                let shown = matches!(processor.state, ProcessorState::Active | ProcessorState::Suspended);
                assert_eq!(page.contains(&format!("({})\n", processor.id)), shown, "{file}: {}", processor.id);
            }
        }
    }
}

/// What the engine does: `ending` keeps nothing for less than a law demands, nor minors' data for longer than theirs, and one
/// spoken yes is an answer for all that the question asks for.
#[test]
fn a_notice_says_what_is_so_of_keeping_and_asking() {
    let text =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/profiles/home.toml")).unwrap();
    let said = |changes: &str, tongue, item| {
        let own = format!("extends = \"home.toml\"\n{changes}");
        let draft = Draft::parse(&own, Some(&text)).unwrap();
        let notice = PrivacyNotice::of(draft.document(), tongue);
        notice.paragraphs.into_iter().find(|p| p.item == item).unwrap().text
    };
    let kept = "[category.memory_summary.retention]\nmin = \"P6M\"\nmin_basis = \"cn-csl:21\"\n\
                [minors.overrides.memory_summary]\nafter = \"P30D\"\n[minors.overrides.transcript]\nno_store = true\n\
                [minors.overrides.reply_text]\nforbidden = true";
    let of = |tongue| said(kept, tongue, Item::Retention);
    let line = |text: &str, start: &str| text.lines().find(|line| line.contains(start)).unwrap().to_owned();
    let english = of(Tongue::English);
    let memory = line(&english, "remembered");
    assert!(memory.contains(", but not before 6 months after it was collected, as cn-csl:21 demands"), "{memory}");
    assert!(memory.ends_with("; of anybody below 14: at most 30 days after it was collected"), "{memory}");
    assert!(line(&english, "as text").ends_with("; of anybody below 14: not stored"), "{english}");
    assert!(line(&english, "The answer").ends_with("; of anybody below 14: not used at all"), "{english}");
    assert!(
        of(Tongue::Chinese).contains("，但依 cn-csl:21 的要求自收集起至少保存6个月；未满 14 岁的：自收集起最长30天")
    );
    let together = said("", Tongue::English, Item::Separate);
    assert!(together.contains("one yes agrees to all of it: Remembering, Conversation"), "{together}");
    assert!(!together.contains("You agree to each of these apart"), "{together}");
    let apart =
        said("remove = [\"asks.spoken\"]\n[asks]\nspoken = [\"voice_interaction\"]", Tongue::English, Item::Separate);
    assert!(apart.starts_with("You agree to each of these apart"), "{apart}");
}

#[test]
fn what_is_read_out_is_short() {
    for (file, document) in profiles() {
        let parts = spoken_parts(&document);
        let layers: usize = document.notice.values().map(|notice| 2 + notice.more.len()).sum();
        assert_eq!(parts.len(), layers, "{file}");
        for part in parts {
            let max = u64::try_from(SPOKEN_MAX.as_millis()).unwrap();
            assert_eq!(part.fits, part.about_ms <= max, "{file}: {}", part.key);
            assert!(part.fits, "{file}: {} {} takes {} ms", part.language, part.key, part.about_ms);
        }
        for (language, notice) in &document.notice {
            assert!(!notice.more.is_empty(), "{file}: {language}: nothing for whoever wants to know more");
        }
    }
}

/// The members that ODRL and JSON-LD ask for, and no reference to what the document does not describe.
#[test]
fn exports_hold_together() {
    for (file, document) in profiles() {
        for exported in [serde_json::to_value(Odrl::of(&document)), serde_json::to_value(Dpv::of(&document))] {
            let exported = exported.unwrap();
            let graph = exported["@graph"].as_array().unwrap();
            let name = |node: &'_ Value| node.get("@id").or_else(|| node.get("uid"))?.as_str().map(str::to_owned);
            let described: BTreeSet<_> = graph.iter().filter_map(name).collect();
            assert_eq!(described.len(), graph.len(), "{file}: every thing is described once");
            let mut used = BTreeSet::new();
            references(&exported["@graph"], &mut used);
            let own = |name: &&String| name.starts_with('#') || name.starts_with("sayso:");
            let dangling: Vec<_> = used.iter().filter(own).filter(|name| !described.contains(*name)).collect();
            assert!(dangling.is_empty(), "{file}: {dangling:?}");
            let mut named = BTreeSet::new();
            names(&exported["@graph"], &mut named);
            assert!(named.iter().any(|name| name.starts_with("dpv:")), "{file}");
            let unknown: Vec<_> = named.iter().filter(|name| !Vocabulary::dpv().has(name)).collect();
            assert!(unknown.is_empty(), "{file}: DPV 2.3 has no {unknown:?}");
        }
    }
}

/// XZ-4.6c: whether data leaves the country, to whom, for what, how, and which.
#[test]
fn the_page_says_what_goes_overseas_to_whom_for_what_and_how() {
    let mut document = shipped("xiaozhi-lawful");
    let groq: ProcessorId = "groq-asr".parse().unwrap();
    let title =
        |document: &Document, of: &str| document.category[&of.parse().unwrap()].title[&"en".parse().unwrap()].clone();
    let page = |document: &Document, tongue| processor_page(document, &Registry::default(), tongue);
    assert!(!page(&document, Tongue::English).contains("(groq-asr)"), "nothing goes there yet");
    let which = format!("| Receives | {} |", title(&document, "voice_audio"));
    let receiver = document.processor.get_mut(&groq).unwrap();
    (receiver.state, receiver.mechanism) = (ProcessorState::Active, Some(Mechanism::StandardContract));
    let english = ["## Groq (groq-asr)", "(abroad) |", "| Transfer by | standard contract |", &which, "| For | "];
    let chinese = ["## Groq (groq-asr)", "(境外) |", "| 出境依据 | 标准合同 |", "| 接收内容 | ", "| 目的 | "];
    for (tongue, says) in [(Tongue::English, english), (Tongue::Chinese, chinese)] {
        let page = page(&document, tongue);
        let entry = &page[page.find("## Groq (groq-asr)").unwrap()..];
        let entry = entry[2..].find("\n## ").map_or(entry, |end| &entry[..end + 2]);
        let missing: Vec<_> = says.iter().filter(|says| !entry.contains(**says)).collect();
        assert!(missing.is_empty(), "{missing:?} in {entry}");
    }
}

/// ZG-0.2: whoever may have a picture may have it only once what comes before was agreed to.
#[test]
fn what_a_receiver_is_stands_in_the_record_on_the_page_and_in_the_export() {
    let mut document = shipped("xiaosuan-lawful");
    let partner: ProcessorId = "partner-system".parse().unwrap();
    let receiver = document.processor.get_mut(&partner).unwrap();
    let is = (receiver.role, receiver.partner_type);
    assert_eq!(is, (Some(ProcessorRole::Partner), Some(PartnerType::SystemProvider)));
    (receiver.state, receiver.instructions_ref) = (ProcessorState::Active, Some("annex 2".to_owned()));

    let page = processor_page(&document, &Registry::default(), Tongue::English);
    let said = "| Part in it | partner (provider of software, hardware or systems) |";
    assert!(page.contains(said) && page.contains("| Follows the instructions | annex 2 |"), "{page}");
    let record = Ropa::of(&document);
    let recipients = || record.activities.iter().flat_map(|activity| &activity.recipients);
    let named = recipients().find(|to| to.processor == partner).unwrap();
    assert_eq!((named.role, named.partner_type, named.instructions_ref), (is.0, is.1, Some("annex 2")));
    let others = recipients().filter(|to| to.processor != partner);
    assert!(others.clone().count() > 0 && others.into_iter().all(|to| to.role.is_none()));
    let table = record.markdown(Tongue::English);
    let said = "(tools, partner, provider of software, hardware or systems)";
    assert!(table.contains(said) && table.contains("-; instructions: annex 2"), "{table}");
    let export = serde_json::to_value(Dpv::of(&document)).unwrap();
    let graph = export["@graph"].as_array().unwrap();
    let node = graph.iter().find(|node| node["@id"] == "#processor.partner-system").unwrap();
    let said = ["sayso:role", "sayso:partnerType", "sayso:instructions"].map(|key| node[key][0].clone());
    assert_eq!(said, ["partner", "system_provider", "annex 2"].map(Value::from));
}

/// XZ-4.6c, PIPL 23 and 39: by which method, and how rights are used there.
#[test]
fn who_stands_abroad_is_named_with_the_method_and_with_how_rights_are_used_there() {
    let mut document = shipped("xiaozhi");
    let far: ProcessorId = "groq-asr".parse().unwrap();
    for receiver in document.processor.values_mut() {
        receiver.state = if receiver.id == far { ProcessorState::Active } else { ProcessorState::Draft };
    }
    document.processor.get_mut(&far).unwrap().contact = Some("privacy@groq.example".to_owned());
    let page = |document: &Document, tongue| processor_page(document, &Registry::default(), tongue);
    let says = |document: &Document, tongue, rows: [&str; 2]| {
        let page = page(document, tongue);
        assert!(rows.iter().all(|row| page.contains(row)), "{page}");
    };
    let english = [
        "| How it is processed | passing it on to be processed |",
        "| Your rights there | ask it (privacy@groq.example), or us (through the Admin Console of this service), and we pass it on |",
    ];
    says(&document, Tongue::English, english);
    let chinese = [
        "| 处理方式 | 传输处理 |",
        "| 如何向其行使权利 | 可直接联系接收方（privacy@groq.example），或联系我们（through the Admin Console of this service）转达 |",
    ];
    says(&document, Tongue::Chinese, chinese);
    document.processor.get_mut(&far).unwrap().contact = None;
    says(&document, Tongue::English, [english[0], "ask us (through the Admin Console of this service)"]);
    assert!(!page(&shipped("home"), Tongue::English).contains("Your rights there"), "nobody there stands abroad");
}

#[test]
fn the_record_of_processing_names_whoever_answers_for_it_and_what_was_assessed() {
    let mut document = shipped("zego-lawful");
    let somebody = |name: &str| Responsible {
        name: name.to_owned(),
        contact: Contact { email: Some("somebody@example.com".to_owned()), ..Contact::default() },
    };
    document.controller.role = ControllerRole::JointDataControllers;
    document.controller.joint.insert(somebody("Other Ltd."));
    document.controller.representative = Some(somebody("Here Ltd."));
    document.controller.dpo = Some(somebody("The officer"));
    document.profile.supervisor = Some("The authority".to_owned());

    let record = Ropa::of(&document);
    let assessed = |purpose: &str| {
        record.activities.iter().find(|activity| activity.purpose.as_str() == purpose).unwrap().impact_assessment
    };
    assert_eq!(assessed("share").unwrap().to_string(), "PIA share (2024-08-01)");
    assert!(assessed("account").is_none());
    assert!(record.on_behalf.is_none(), "it decides itself");
    let json = serde_json::to_value(&record).unwrap();
    assert_eq!(json["controller"]["joint"][0]["name"], "Other Ltd.");
    assert_eq!(json["controller"]["dpo"]["contact"]["email"], "somebody@example.com");
    for (tongue, lines) in [
        (
            Tongue::English,
            [
                "- Decides with it: Other Ltd.; somebody@example.com",
                "- Representative: Here Ltd.",
                "- Data protection officer: The officer",
                "- Supervised by: The authority",
                "- Impact assessment: PIA share (2024-08-01)",
            ],
        ),
        (
            Tongue::Chinese,
            [
                "- 共同处理者：Other Ltd.; somebody@example.com",
                "- 境内代表：Here Ltd.",
                "- 个人信息保护负责人：The officer",
                "- 监管部门：The authority",
                "- 个人信息保护影响评估: PIA share (2024-08-01)",
            ],
        ),
    ] {
        let text = record.markdown(tongue);
        for line in lines {
            assert!(text.contains(&line.replace('.', "\\.")) || text.contains(line), "{line}\n{text}");
        }
    }
}

#[test]
fn the_record_of_a_processor_says_on_whose_behalf_it_acts() {
    let document = shipped("xiaosuan-lawful");
    let record = Ropa::of(&document);
    let on_behalf = record.on_behalf.clone().unwrap();
    assert!(on_behalf.tenants.is_empty());
    let data_flow = &on_behalf.processing[&"data_flow".parse::<Purpose>().unwrap()];
    assert!(data_flow.contains(&"device_info".parse::<Category>().unwrap()), "{data_flow:?}");
    assert!(record.markdown(Tongue::English).contains("each tenant whose instructions the node has on record"));

    let named = record.with_tenants(["acme", "beta"].map(|tenant| tenant.parse().unwrap()));
    let said = "- As a processor (GDPR 30(2), PIPL 21), on the instructions of: acme, beta";
    assert!(named.markdown(Tongue::English).contains(said), "{}", named.markdown(Tongue::English));
    assert!(named.markdown(Tongue::Chinese).contains("依照以下各方的指示处理：acme、beta"));
    let home = shipped("home");
    assert_eq!(Ropa::of(&home).with_tenants(["acme".parse().unwrap()]).on_behalf, None);
}

#[test]
fn odrl_says_what_must_be_agreed_to_first() {
    let exported = serde_json::to_value(Odrl::of(&shipped("zego-lawful"))).unwrap();
    let rules = exported["@graph"][0]["permission"].as_array().unwrap();
    let constraints = |rule: &Value| rule["constraint"].as_array().unwrap().clone();
    let first = |purpose: &str| -> Vec<Value> {
        let of = |rule: &&Value| constraints(rule)[0]["rightOperand"]["@id"] == format!("#purpose.{purpose}");
        let constraints = rules.iter().filter(of).flat_map(constraints);
        constraints.filter(|constraint| constraint["leftOperand"] == "sayso:agreedTo").collect()
    };
    let both = json!([{"@id": "#purpose.app_policy"}, {"@id": "#purpose.hand_over"}]);
    assert!(!first("image_avatar").is_empty());
    for constraint in first("image_avatar") {
        assert_eq!((&constraint["operator"], &constraint["rightOperand"]), (&json!("isAllOf"), &both));
    }
    assert!(first("account").is_empty());
}

/// What `value` names by a term of DPV.
fn names(value: &Value, named: &mut BTreeSet<String>) {
    let mut name = |text: &String| {
        if text.starts_with("dpv:") || text.starts_with("pd:") {
            named.insert(text.clone());
        }
    };
    match value {
        Value::String(text) => name(text),
        Value::Object(members) => {
            members.keys().for_each(&mut name);
            members.values().for_each(|value| names(value, named));
        }
        Value::Array(values) => values.iter().for_each(|value| names(value, named)),
        _ => {}
    }
}

fn references(value: &Value, used: &mut BTreeSet<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| references(value, used)),
        Value::Object(members) => {
            for (key, value) in members {
                match (key.as_str(), value) {
                    ("@id" | "target" | "assigner" | "assignee", Value::String(name)) => {
                        used.insert(name.clone());
                    }
                    _ => references(value, used),
                }
            }
        }
        _ => {}
    }
}

#[test]
fn nothing_that_awaits_is_counted_as_kept() {
    for (file, document) in profiles() {
        let coverage = Coverage::of(&document);
        assert_eq!(coverage.clauses.len(), document.clause.len(), "{file}");
        let awaiting = document.clause.values().filter(|clause| clause.awaits.is_some()).count();
        assert_eq!(coverage.totals.awaits, awaiting, "{file}");
        assert_eq!(coverage.totals.open, 0, "{file}: every clause is kept, awaited or said to be outside");
    }
}
