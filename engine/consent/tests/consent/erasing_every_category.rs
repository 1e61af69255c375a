//! Of each sort of data that a person can have, nothing is read by whoever has every file, once they were erased: what is
//! remembered, their print, what is kept of conversations, documents, pictures, and what shows that they agreed.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use sayso_consent::rights::Desk;
use sayso_policy::profile::RightKind;
use sayso_policy::{ConsentStatus, Profile};
use sayso_types::{Category, SubjectId};
use sayso_vault::testing::{Adversary, FakeKek};

use crate::answering::accepted;
use crate::erasing::{Setting, certified, copy};
use crate::keeping::{NOW, bytes, category, purpose};
use crate::world::*;

/// What may be kept of a person by itself.
const KEPT: [&str; 6] =
    ["voiceprint", "chat_history", "conversation_audio", "knowledge_base", "kept_image", "spoken_answer"];

/// Longer than two parts of what is kept.
const BETWEEN: usize = 150_000;

/// A policy by which all of that is kept, by one consent.
fn policy() -> Profile {
    let names = KEPT.map(|name| format!("\"{name}\"")).join(", ");
    let mut text = profile_text();
    for (from, to) in [
        (
            r#"  { id = "memory", "#,
            "  { id = \"keeping\", dpv = \"RequestedServiceProvision\", basis = \"Consent\" },\n  { id = \"memory\", ",
        ),
        (
            r#"accepts = ["memory_summary"], purposes = ["memory"]"#,
            &format!(r#"accepts = ["memory_summary", {names}], purposes = ["memory", "keeping"]"#),
        ),
    ] {
        assert!(text.contains(from), "{text}");
        text = text.replacen(from, to, 1);
    }
    let of = |name: &str| {
        format!(
            "[category.{name}]\ndpv = [\"pd:Communication\"]\nsensitivity = \"high\"\npurposes = [\"keeping\"]\nnecessity = \"Optional\"\nat_rest = \"allowed\"\nretention = {{ trigger = \"withdraw\", after = \"PT0S\", action = \"erase\" }}\n\n"
        )
    };
    let categories: String = KEPT.into_iter().map(of).collect();
    text = text.replacen("[asks]\n", &format!("{categories}[asks]\n"), 1);
    Profile::in_force_before(&text).unwrap()
}

/// What is looked for of whoever has `device`, and is nowhere else.
fn word(of: &str, which: &str, device: &str) -> String {
    format!("the {which} word of {device} in {of}, which is nowhere else")
}

/// Somebody of whom there is something of everything; in a picture and a recording that somebody else has, too.
struct Person {
    subject: SubjectId,
    secrets: Vec<(Category, String)>,
}

impl Person {
    async fn new(setting: &Setting, device: &'static str) -> Self {
        let subject = setting.register.subject_of(&"acme".parse().unwrap(), &device.parse().unwrap()).await.unwrap();
        let yes = answer(subject, &[VOICE, MEMORY, purpose("keeping")], ConsentStatus::Given);
        setting.register.record(&yes).await.unwrap();
        let fact = word("memory_summary", "only", device);
        assert!(setting.register.save_facts(subject, &[("word".to_owned(), fact.clone())]).await.unwrap());
        let mut person = Self { subject, secrets: vec![(Category::MEMORY_SUMMARY, fact)] };
        for of in KEPT {
            let [first, last] = ["first", "last"].map(|which| word(of, which, device));
            let content = [first.as_bytes(), &b"x".repeat(BETWEEN), last.as_bytes()].concat();
            setting.register.keep(subject, NOW, bytes(of, "keeping", &content)).await.unwrap();
            person.secrets.extend([first, last].map(|secret| (category(of), secret)));
        }
        person
    }

    /// Has something that somebody else keeps show them.
    async fn is_seen_by(&mut self, setting: &Setting, other: SubjectId) {
        for of in ["kept_image", "conversation_audio"] {
            let secret = word(of, "others'", &self.subject.to_string());
            let item = bytes(of, "keeping", secret.as_bytes()).of(self.subject);
            setting.register.keep(other, NOW, item).await.unwrap();
            self.secrets.push((category(of), secret));
        }
    }

    /// What of them whoever has all files below `dirs` reads.
    fn read_from(&self, dirs: &[&Path]) -> Vec<&str> {
        let adversary = Adversary::of_files(dirs, FakeKek::KEY).unwrap();
        let is_read = |secret: &&(Category, String)| {
            assert!(!adversary.sees(secret.1.as_bytes()), "{} is in a file in clear", secret.1);
            adversary.finds(self.subject, secret.0, secret.1.as_bytes())
        };
        self.secrets.iter().filter(is_read).map(|(_, secret)| secret.as_str()).collect()
    }

    fn all(&self) -> Vec<&str> {
        self.secrets.iter().map(|(_, secret)| secret.as_str()).collect()
    }
}

#[tokio::test]
async fn of_no_sort_of_data_is_anything_read_of_whoever_was_erased() {
    let setting = Setting::with(tempfile::tempdir().unwrap(), policy()).await;
    let (mut anna, ben) = (Person::new(&setting, "anna").await, Person::new(&setting, "ben").await);
    anna.is_seen_by(&setting, ben.subject).await;
    let [data, keys, old_data, old_keys] = ["data", "keys", "old-data", "old-keys"].map(|name| setting.path(name));
    copy(&data, &old_data).unwrap();
    copy(&keys, &old_keys).unwrap();
    assert_eq!(anna.read_from(&[&data, &keys]), anna.all(), "there is something to be read");

    let desk = Desk::open(Arc::clone(&setting.register));
    let case = accepted(&desk, anna.subject, RightKind::Erase).await;
    let certificate = certified(&setting.register, anna.subject, case).await;
    assert!(certificate.is_purged);
    let destroyed: Vec<_> = certificate.keys.iter().map(|key| key.category).collect();
    for of in KEPT.map(category).into_iter().chain([Category::MEMORY_SUMMARY]) {
        assert!(destroyed.contains(&of), "{of}: {destroyed:?}");
    }
    let none: [&str; 0] = [];
    assert_eq!(anna.read_from(&[&data, &keys]), none);
    assert_eq!(anna.read_from(&[&data, &keys, &old_data]), none, "also with an old copy of the data");
    assert_eq!(anna.read_from(&[&data, &old_keys]), none, "what was sealed is gone as well as its keys");
    assert_eq!(ben.read_from(&[&data, &keys]), ben.all(), "nobody else loses anything");

    // an old store of keys that is put in the place of the new one brings back none
    drop(desk);
    let dir = setting.close().await;
    assert_eq!(anna.read_from(&[&data, &keys, &old_data]), none, "also of what closing the stores writes");
    fs::remove_dir_all(&keys).unwrap();
    copy(&old_keys, &keys).unwrap();
    let setting = Setting::open(dir, policy()).await;
    setting.vault.purge().await.unwrap();
    assert_eq!(anna.read_from(&[&data, &keys, &old_data]), none);
    assert_eq!(ben.read_from(&[&data, &keys]), ben.all());
}
