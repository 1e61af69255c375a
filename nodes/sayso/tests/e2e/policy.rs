//! `sayso policy`, as an operator runs it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use sayso_tests::Finished;
use serde_json::Value;

use crate::sayso;

/// A profile that ships.
fn shipped(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/profiles");
    root.join(name).canonicalize().unwrap().to_str().unwrap().to_owned()
}

async fn policy(args: &[&str]) -> Finished {
    sayso().run([&["policy"], args].concat()).await
}

fn code(finished: &Finished) -> Option<i32> {
    finished.status.code()
}

/// The home profile in a directory of its own, with `changed` in the place of `original`.
fn changed(original: &str, changed: &str) -> (tempfile::TempDir, PathBuf) {
    let text = fs::read_to_string(shipped("home.toml")).unwrap();
    assert!(text.contains(original), "the profile has no {original:?} any more");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("home.toml");
    fs::write(&file, text.replacen(original, changed, 1)).unwrap();
    (dir, file)
}

#[tokio::test]
async fn lint_finds_what_is_wrong_and_says_where() {
    let home = shipped("home.toml");
    let fine = policy(&["lint", &home]).await;
    assert_eq!((code(&fine), fine.stdout.as_str()), (Some(0), format!("{home}: 0 findings").as_str()));

    let (_dir, file) = changed("address = \"in person, at home\"", "");
    let file = file.to_str().unwrap();
    let found = policy(&["lint", file, &home]).await;
    assert_eq!(code(&found), Some(1));
    let first = found.stdout.lines().next().unwrap();
    assert!(first.starts_with(&format!("{file}:")), "{first}");
    assert!(first.contains(": controller.contact: CTRL_MISSING: "), "{first}");
    let rules = policy(&["lint", "--rules"]).await.stdout;
    let source = rules.lines().find_map(|line| line.strip_prefix("CTRL_MISSING")).unwrap().trim();
    assert!(first.ends_with(&format!("[{source}]")), "the clauses that it comes from: {first}");
    assert!(found.stdout.ends_with(&format!("{home}: 0 findings")), "every file is looked at: {}", found.stdout);

    let found = policy(&["lint", "--json", file]).await;
    let found: Value = serde_json::from_str(found.stdout.lines().next().unwrap()).unwrap();
    assert_eq!((&found["rule"], &found["key"]), (&"CTRL_MISSING".into(), &"controller.contact".into()));
    assert!(found["line"].as_u64().unwrap() > 1 && found["waived"].is_null());
}

#[tokio::test]
async fn lint_lists_its_rules() {
    let rules = policy(&["lint", "--rules"]).await;
    assert_eq!(code(&rules), Some(0));
    assert!(rules.stdout.lines().any(|line| line.starts_with("XBORDER_NO_MECHANISM")), "{}", rules.stdout);
    assert_eq!(code(&policy(&["lint"]).await), Some(2), "a file or --rules");
}

/// What an operator of next year writes.
pub(crate) const CALENDAR: &str = r#"
name = "de-2027"
time_zone = "CET-1CEST,M3.5.0,M10.5.0/3"
valid_from = 2027-01-01
valid_through = 2027-12-31
rest_days = ["saturday", "sunday"]
src = "Feiertagsgesetz"
holiday = [{ name = "New Year", from = 2027-01-01, through = 2027-01-01 }]
"#;

#[tokio::test]
async fn an_operator_has_a_calendar_of_their_own() {
    let (dir, file) = changed("jurisdiction = \"*\"", "jurisdiction = \"*\"\nworking_days = \"de-2027\"");
    let file = file.to_str().unwrap();
    let found = policy(&["lint", file]).await;
    assert_eq!(code(&found), Some(1));
    let told = "CALENDAR_MISSING: there is no calendar `de-2027`; write one of cn-2026, or put your own beside the \
                profile as calendars/de-2027.toml";
    assert!(found.stdout.contains(told), "{}", found.stdout);

    fs::create_dir(dir.path().join("calendars")).unwrap();
    let calendar = dir.path().join("calendars/de-2027.toml");
    fs::write(&calendar, CALENDAR).unwrap();
    assert!(policy(&["lint", file]).await.success().stdout.ends_with(": 0 findings"));
    let _ = policy(&["compile", file]).await.success();

    fs::write(&calendar, CALENDAR.replace("rest_days", "rest")).unwrap();
    let refused = policy(&["lint", file]).await;
    assert_eq!(code(&refused), Some(1));
    let told = format!("{}:6: rest: no calendar of working days: `rest` is not known here", calendar.display());
    assert!(refused.stdout.contains(&told), "{}", refused.stdout);
    fs::write(&calendar, CALENDAR.replace("CET-1CEST,M3.5.0,M10.5.0/3", "Berlin")).unwrap();
    let refused = policy(&["lint", "--json", file]).await;
    let refused: Value = serde_json::from_str(&refused.stdout).unwrap();
    assert_eq!((&refused["error"]["line"], &refused["error"]["key"]), (&3.into(), &"time_zone".into()), "{refused}");
    fs::write(&calendar, CALENDAR.replace("de-2027", "de-2028")).unwrap();
    let refused = policy(&["lint", file]).await;
    let told = format!("{}:2: name: must be `de-2027`", calendar.display());
    assert!(refused.stdout.contains(&told), "{}", refused.stdout);
}

/// Every command names file, line and key; a program that asked for JSON gets that, too.
#[tokio::test]
async fn an_error_is_json_for_whoever_asked_for_json() {
    let (dir, file) = changed("permit_ttl = ", "permit_tll = ");
    let (file, home) = (file.to_str().unwrap(), shipped("home.toml"));
    let (ours, _) = key(dir.path(), "ours").await;
    let asked = ["--category", "voice_audio", "--processor", "whisper-local", "--purpose", "voice_interaction"];
    let commands: [&[&str]; 9] = [
        &["lint", file],
        &["compile", file],
        &["coverage", file],
        &["show", file],
        &["diff", &home, file],
        &["notice", file],
        &["export", file, "--format", "ropa"],
        &["sign", file, "--key", &ours],
        &[&["explain", file], asked.as_slice()].concat(),
    ];
    for command in commands {
        let refused = policy(&[command, &["--json"]].concat()).await;
        assert_eq!((code(&refused), refused.stderr.as_str()), (Some(1), ""), "{command:?}");
        let said: Value = serde_json::from_str(&refused.stdout).unwrap_or_else(|e| panic!("{command:?}: {e}"));
        let error = &said["error"];
        assert_eq!((&error["file"], &error["key"]), (&file.into(), &"defaults.permit_tll".into()), "{command:?}");
        assert!(error["line"].as_u64().unwrap() > 1, "{command:?}: {error}");
        assert!(error["message"].as_str().unwrap().contains("did you mean `permit_ttl`?"), "{command:?}: {error}");
    }
    // what is in no file says what it is about
    let (_, theirs) = key(dir.path(), "theirs").await;
    let none = policy(&["verify", "--json", &home, "--key", &theirs]).await;
    let none: Value = serde_json::from_str(&none.stdout).unwrap();
    assert!(none["error"]["message"].as_str().unwrap().contains("sayso policy sign"), "{none}");
}

#[tokio::test]
async fn a_state_that_cannot_be_read_is_refused_with_its_place() {
    let (home, dir) = (shipped("home.toml"), tempfile::tempdir().unwrap());
    let state = dir.path().join("state.toml");
    let asked = ["--category", "voice_audio", "--processor", "whisper-local", "--purpose", "voice_interaction"];
    for (text, line, key, says) in [
        ("age = \"adult\"\n\naeg = \"adult\"\n", 3, "aeg", "did you mean `age`?"),
        ("\n[consents.memory]\nexpires_at = \"soon\"\n", 3, "consents.memory.expires_at", "`soon` is not a date"),
        (
            "[tenant]\nid = \"acme\"\n[tenant.instructs]\npurposes = []\ncategories = []\nuntil = \"2027\"\n",
            6,
            "tenant.instructs.until",
            "is not a date",
        ),
        ("age = ", 1, "age", ""),
    ] {
        fs::write(&state, text).unwrap();
        let args = [&["explain", &home, "--json", "--state", state.to_str().unwrap()], asked.as_slice()].concat();
        let refused = policy(&args).await;
        assert_eq!(code(&refused), Some(1), "{text}");
        let said: Value = serde_json::from_str(&refused.stdout).unwrap();
        let error = &said["error"];
        assert_eq!((&error["line"], &error["key"]), (&line.into(), &key.into()), "{error}");
        assert_eq!(error["file"], state.to_str().unwrap(), "{error}");
        assert!(error["message"].as_str().unwrap().contains(says), "{error}");
    }
}

#[tokio::test]
async fn help_says_what_the_exit_codes_mean() {
    let help = policy(&["--help"]).await.success().stdout;
    let (_, codes) = help.split_once("Exit codes:").unwrap_or_else(|| panic!("{help}"));
    assert!(["0", "1", "2"].into_iter().all(|code| codes.lines().any(|line| line.trim_start().starts_with(code))));
}

#[tokio::test]
async fn an_error_names_file_line_and_key() {
    let (_dir, file) = changed("permit_ttl = ", "permit_tll = ");
    let file = file.to_str().unwrap();
    for command in ["lint", "compile", "show", "coverage", "notice"] {
        let refused = policy(&[command, file]).await;
        assert_eq!(code(&refused), Some(1), "{command}");
        let said = format!("{}{}", refused.stdout, refused.stderr);
        let line = said.split_once(&format!("{file}:")).unwrap_or_else(|| panic!("{command}: {said}")).1;
        let (number, rest) = line.split_once(": ").unwrap();
        assert!(number.parse::<u32>().is_ok(), "{command}: {said}");
        assert!(rest.starts_with("defaults.permit_tll: ") && rest.contains("did you mean `permit_ttl`?"), "{rest}");
    }
}

#[tokio::test]
async fn a_place_in_the_file_below_is_named_by_that_file() {
    let (dir, base) = changed("permit_ttl = \"PT3S\"", "permit_ttl = \"PT3M\"");
    let above = dir.path().join("above.toml");
    fs::write(&above, "extends = \"home.toml\"\n[profile]\nrev = 2\n").unwrap();
    let refused = policy(&["compile", above.to_str().unwrap()]).await;
    assert_eq!(code(&refused), Some(1));
    assert!(refused.stdout.starts_with(&format!("{}:", base.display())), "{}", refused.stdout);
    assert!(refused.stdout.contains("defaults.permit_ttl: is 180000 ms"), "{}", refused.stdout);

    fs::remove_file(&base).unwrap();
    let refused = policy(&["lint", above.to_str().unwrap()]).await;
    assert!(refused.stdout.contains("extends another file") && refused.stdout.contains("cannot read"));
}

#[tokio::test]
async fn compile_gives_the_hash_and_the_size_of_the_table() {
    let home = shipped("home.toml");
    let compiled = policy(&["compile", "--json", &home]).await.success().stdout;
    let compiled: Value = serde_json::from_str(&compiled).unwrap();
    assert_eq!(compiled["hash"].as_str().unwrap().len(), 64);
    assert_eq!((&compiled["profile"], &compiled["cells"]), (&"home".into(), &30.into()));
    let text = policy(&["compile", &home]).await.success().stdout;
    assert!(text.contains(compiled["hash"].as_str().unwrap()), "{text}");
}

#[tokio::test]
async fn show_says_where_each_value_comes_from() {
    let (dir, base) = changed("rev = 1", "rev = 1");
    let above = dir.path().join("above.toml");
    fs::write(&above, "extends = \"home.toml\"\n[profile]\nrev = 2\n").unwrap();
    let shown = policy(&["show", above.to_str().unwrap()]).await.success().stdout;
    let line = |key: &str| shown.lines().find(|line| line.starts_with(key)).unwrap_or_else(|| panic!("{key}: {shown}"));
    assert_eq!(line("rev = "), format!("rev = 2  # {}:3", above.display()));
    assert!(line("permit_ttl = ").contains(&format!("# {}:", base.display())));
    assert!(line("effective_at = ").starts_with("effective_at = \"2026-01-01T00:00:00Z\"  # "));
    assert_eq!(line("severable = "), "severable = false  # default");
    let _: toml::Table = shown.parse().expect("it is TOML");
}

/// XZ-11.1: what the law asks stands beside a value that is weaker.
#[tokio::test]
async fn show_says_what_the_law_asks_for_more() {
    let (_dir, file) = changed("guardian_required_below = 14", "guardian_required_below = 12");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replacen("jurisdiction = \"*\"", "jurisdiction = \"*\"\nlaw_floor = [\"coppa@2025\"]", 1))
        .unwrap();
    let shown = policy(&["show", file.to_str().unwrap()]).await.success().stdout;
    let (_, after) = shown.split_once("guardian_required_below = 12  # ").unwrap_or_else(|| panic!("{shown}"));
    let law = after.lines().nth(1).unwrap();
    assert!(law.starts_with("# MINOR_AGE_BELOW_LAW: the law says 13 (") && law.contains("16 CFR 312"), "{law}");
    let _: toml::Table = shown.parse().expect("it is TOML");
}

#[tokio::test]
async fn diff_says_what_a_revision_changes() {
    let home = shipped("home.toml");
    let same = policy(&["diff", &home, &home]).await.success().stdout;
    assert_eq!(same, "nothing changes");
    let (_dir, longer) =
        changed("trigger = \"withdraw\", after = \"PT0S\"", "trigger = \"withdraw\", after = \"P30D\"");
    let diff = policy(&["diff", "--json", &home, longer.to_str().unwrap()]).await.success().stdout;
    let diff: Value = serde_json::from_str(&diff).unwrap();
    assert_eq!((&diff["material"], &diff["changes"][0]["kind"]), (&true.into(), &"retention".into()));
}

/// A node takes no revision whose number is taken, or lower.
#[tokio::test]
async fn diff_says_what_a_node_would_refuse() {
    let home = shipped("home.toml");
    let (_dir, longer) =
        changed("trigger = \"withdraw\", after = \"PT0S\"", "trigger = \"withdraw\", after = \"P30D\"");
    let longer = longer.to_str().unwrap();
    let diff = policy(&["diff", &home, longer]).await.success().stdout;
    let last = "refused by a node: profile.rev must be raised above 1";
    assert_eq!(diff.lines().last(), Some(last));
    let json: Value = serde_json::from_str(&policy(&["diff", "--json", &home, longer]).await.success().stdout).unwrap();
    assert_eq!(json["raise_rev_above"], 1);
    let (_dir, next) = changed("rev = 1", "rev = 2");
    let next = next.to_str().unwrap();
    let json: Value = serde_json::from_str(&policy(&["diff", "--json", &home, next]).await.success().stdout).unwrap();
    assert!(json["raise_rev_above"].is_null(), "{json}");
    let back = policy(&["diff", next, &home]).await.success().stdout;
    assert!(back.ends_with("profile.rev must be raised above 2"), "{back}");
}

#[tokio::test]
async fn what_is_no_file_or_too_long_is_refused_at_once() {
    let device = policy(&["lint", "/dev/zero"]).await;
    assert_eq!(code(&device), Some(1));
    assert!(device.stdout.contains("cannot read /dev/zero: it is no file"), "{}", device.stdout);
    let dir = tempfile::tempdir().unwrap();
    let long = dir.path().join("long.toml");
    fs::write(&long, "#".repeat((1 << 20) + 1)).unwrap();
    let long = policy(&["lint", "--json", long.to_str().unwrap()]).await;
    let error: Value = serde_json::from_str(&long.stdout).unwrap();
    assert!(error["error"]["message"].as_str().unwrap().contains("longer than 1048576 bytes"), "{error}");
}

/// People compare before they put right what the linter found.
#[tokio::test]
async fn diff_reads_texts_with_findings() {
    let written = shipped("xiaozhi.toml");
    assert_eq!(code(&policy(&["lint", &written]).await), Some(1));
    let dir = tempfile::tempdir().unwrap();
    fs::copy(&written, dir.path().join("xiaozhi.toml")).unwrap();
    let next = dir.path().join("next.toml");
    fs::write(&next, "extends = \"xiaozhi.toml\"\n[profile]\nrev = 2\n[transfers]\noverseas = false\n").unwrap();
    let diff = policy(&["diff", next.to_str().unwrap(), &written]).await.success().stdout;
    let asked = diff.lines().find(|line| line.contains("transfers.overseas"));
    assert!(asked.is_some_and(|line| line.starts_with("asks again")), "{diff}");
}

#[tokio::test]
async fn diff_refuses_two_policies() {
    let (home, other) = (shipped("home.toml"), shipped("xiaozhi.toml"));
    let refused = policy(&["diff", &home, &other]).await;
    assert_eq!((code(&refused), refused.stdout.as_str()), (Some(1), ""));
    let told = format!("profile.id: is `xiaozhi`, but {home} is of `home`; compare two texts of one policy");
    assert!(refused.stderr.contains(&format!("{other}:")) && refused.stderr.contains(&told), "{}", refused.stderr);
}

/// Makes a key in `dir`; its file and its public part.
async fn key(dir: &Path, name: &str) -> (String, String) {
    let file = dir.join(format!("{name}.key")).to_str().unwrap().to_owned();
    let public = policy(&["key", name, "--out", &file]).await.success().stdout;
    (file, public)
}

#[tokio::test]
async fn a_signature_holds_for_what_was_signed_by_whom_it_was_signed() {
    let (dir, file) = changed("rev = 1", "rev = 2");
    let home = file.to_str().unwrap();
    let ((ours, public), (_, stranger)) = (key(dir.path(), "ours").await, key(dir.path(), "stranger").await);
    let again = policy(&["key", "ours", "--out", &ours]).await;
    assert_eq!(code(&again), Some(1), "a key is never overwritten: {}", again.stderr);

    let unsigned = policy(&["verify", home, "--key", &public]).await;
    assert!(code(&unsigned) == Some(1) && unsigned.stderr.contains("sayso policy sign"), "{}", unsigned.stderr);
    let _ = policy(&["sign", home, "--key", &ours]).await.success();
    let mode = fs::metadata(format!("{home}.sig")).unwrap().permissions().mode();
    assert_eq!(mode & 0o004, 0o004, "the user that a node runs as need not be the one who signs");
    let compiled = policy(&["compile", home]).await.success().stdout;
    assert!(compiled.contains(&format!("signature  {home}.sig is of what it says now")), "{compiled}");
    let signed = policy(&["verify", "--json", home, "--key", &stranger, "--key", &public]).await.success().stdout;
    let signed: Value = serde_json::from_str(&signed).unwrap();
    assert_eq!((&signed["signed_by"], &signed["rev"]), (&"ours".into(), &2.into()));

    let unknown = policy(&["verify", home, "--key", &stranger]).await;
    let told = "no signature by a key that is trusted; trusted are stranger";
    assert!(code(&unknown) == Some(1) && unknown.stderr.contains(told), "{}", unknown.stderr);

    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replacen("permit_ttl = \"PT3S\"", "permit_ttl = \"PT4S\"", 1)).unwrap();
    let changed = policy(&["verify", home, "--key", &public]).await;
    let told = "is of another profile or revision";
    assert!(code(&changed) == Some(1) && changed.stderr.contains(told), "{}", changed.stderr);

    let compiled = policy(&["compile", "--json", home]).await.success().stdout;
    assert!(compiled.contains("\"signature\":\"stale\""), "{compiled}");

    // without a word of the key it is the one beside the profile, where `sayso init` makes it
    let none = policy(&["sign", home]).await;
    assert!(
        code(&none) == Some(1) && none.stderr.contains("--key") && none.stderr.contains("policy.key"),
        "{}",
        none.stderr
    );
    let beside = dir.path().join("policy.key");
    fs::copy(&ours, &beside).unwrap();
    let told = policy(&["verify", home, "--key", &public]).await.stderr;
    assert!(told.contains(&format!("`sayso policy sign {home}`")), "{told}");
    let _ = policy(&["sign", home]).await.success();
    assert!(policy(&["verify", home]).await.success().stdout.contains("is signed by ours"));
    let garbled = fs::read_to_string(format!("{home}.sig")).unwrap().replacen("home", "hove", 1);
    fs::write(format!("{home}.sig"), garbled).unwrap();
    let told = policy(&["verify", home]).await.stderr;
    assert!(
        told.contains("changed after it was signed") && told.contains(&format!("sayso policy sign {home}")),
        "{told}"
    );
    let changed = policy(&["verify", "--json", home, "--key", &public]).await;
    let error: Value = serde_json::from_str(&changed.stdout).unwrap();
    assert_eq!(error["error"]["file"], format!("{home}.sig"), "what is wrong is the signature");

    let written = policy(&["sign", &shipped("xiaozhi.toml"), "--key", &ours]).await;
    assert_eq!(code(&written), Some(1), "what may not be put in force is not signed");
}

#[tokio::test]
async fn notices_are_written_in_both_languages() {
    let home = shipped("home.toml");
    let english = policy(&["notice", &home]).await.success().stdout;
    assert!(english.starts_with("# Privacy at home\n") && english.contains("## How long it is kept"), "{english}");
    let chinese = policy(&["notice", "--lang", "zh", &home]).await.success().stdout;
    assert!(chinese.starts_with("# 居家隐私\n") && chinese.contains("## 保存多久"), "{chinese}");
    let processors = policy(&["notice", "--processors", &home]).await.success().stdout;
    assert!(processors.contains("(whisper-local)"), "{processors}");
    let spoken = policy(&["notice", "--spoken", "--json", &home]).await.success().stdout;
    let spoken: Value = serde_json::from_str(&spoken).unwrap();
    assert!(spoken.as_array().unwrap().iter().all(|part| part["fits"] == true), "{spoken}");
    let of = |lang: &str| spoken.as_array().unwrap().iter().filter(|part| part["language"] == lang).count();
    assert!(of("en") > 0 && of("zh") > 0, "{spoken}");
    let chinese = policy(&["notice", "--spoken", "--json", "--lang", "zh", &home]).await.success().stdout;
    let chinese: Value = serde_json::from_str(&chinese).unwrap();
    assert_eq!(chinese.as_array().unwrap().len(), of("zh"));
    assert!(chinese.as_array().unwrap().iter().all(|part| part["language"] == "zh"), "{chinese}");
    assert_eq!(code(&policy(&["notice", "--lang", "fr", &home]).await), Some(2));
}

#[tokio::test]
async fn coverage_counts_every_clause_of_several_profiles() {
    let files = [shipped("home.toml"), shipped("xiaozhi.toml"), shipped("xiaozhi-lawful.toml")];
    let covered = policy(&["coverage", "--json", &files[0], &files[1], &files[2]]).await.success().stdout;
    let covered: Vec<Value> = covered.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(covered.len(), 3, "one object a line");
    for coverage in &covered[1..] {
        let totals = &coverage["totals"];
        assert!(totals["clauses"].as_u64().unwrap() > 0 && totals["open"] == 0, "{totals}");
    }
    let table = policy(&["coverage", &files[2]]).await.success().stdout;
    assert!(table.contains(" clauses: ") && table.contains("XZ-1.4"), "{table}");
}

#[tokio::test]
async fn explain_suggests_what_may_have_been_meant() {
    let home = shipped("home.toml");
    let explain = async |category: &str, processor: &str| {
        let asked = ["--category", category, "--processor", processor, "--purpose", "voice_interaction"];
        policy(&[&["explain", &home], asked.as_slice()].concat()).await
    };
    let refused = explain("voice_adio", "whisper-local").await;
    assert_eq!(code(&refused), Some(1));
    assert!(refused.stdout.contains("category voice_adio is not declared in the profile; did you mean `voice_audio`?"));
    let refused = explain("voice_audio", "wisper-local").await;
    assert_eq!(code(&refused), Some(1));
    assert!(refused.stderr.contains("the profile has no processor wisper-local; did you mean `whisper-local`?"));
    let refused = explain("voice_audio", "groq").await;
    assert!(
        refused.stderr.contains("the profile has no processor groq; it has ")
            && refused.stderr.contains("whisper-local")
    );
    // what the person is said to have done has to be something that they can do
    let asked = ["--category", "voice_audio", "--processor", "whisper-local", "--purpose", "voice_interaction"];
    for (said, told) in [
        (["--given", "voice_interactoin"], "--given voice_interactoin: the profile has no such purpose; did you mean"),
        (["--told", "groq"], "--told groq: the profile has no processor groq; it has "),
    ] {
        let refused = policy(&[&["explain", &home], asked.as_slice(), &said].concat()).await;
        assert!(code(&refused) == Some(1) && refused.stderr.contains(told), "{}", refused.stderr);
    }
}

#[tokio::test]
async fn exports_are_what_others_read() {
    let home = shipped("home.toml");
    let export = async |format: &str, json: bool| {
        let args = ["export", &home, "--format", format, "--json"];
        policy(if json { &args } else { &args[..4] }).await.success().stdout
    };
    assert!(export("ropa", false).await.starts_with("# Record of processing\n"));
    let ropa: Value = serde_json::from_str(&export("ropa", true).await).unwrap();
    assert_eq!(ropa["activities"].as_array().unwrap().len(), 4);
    for format in ["odrl", "dpv"] {
        let document: Value = serde_json::from_str(&export(format, false).await).unwrap();
        assert!(document["@graph"].as_array().unwrap().len() > 10, "{format}");
    }
}
