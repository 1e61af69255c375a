//! Erasure ends with a certificate, and what it certifies holds for whoever has every file.

use core::time::Duration;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use sayso_audit::{Actor, ActorKind, Event, Hash, Reference, RequestStep};
use sayso_consent::erasure::{Certificate, Ground, Residual};
use sayso_consent::rights::{Desk, Error, NotNow, Standing, Step};
use sayso_consent::{Means, Options, Register};
use sayso_policy::profile::RightKind;
use sayso_policy::{ConsentStatus, Profile};
use sayso_runtime::Tasks;
use sayso_store::{Key, Prefix, Store};
use sayso_store_local::LocalStore;
use sayso_types::{Category, ManualClock, Purpose, SubjectId};
use sayso_vault::testing::{Adversary, FakeKek, vault};
use sayso_vault::{Binding, Vault};
use sha2::{Digest, Sha256};

use crate::world::*;

const INTEGRATOR: Actor = Actor { kind: ActorKind::Tenant, tag: None };

const CANARY: &str = "a-word-that-is-nowhere-else";

pub(crate) fn facts() -> Vec<(String, String)> {
    vec![("word".to_owned(), CANARY.to_owned())]
}

/// Where the facts of `subject` lie.
pub(crate) fn row(subject: SubjectId) -> Key {
    Prefix::table("facts").then(&subject).into_key()
}

/// What the facts of `subject` are sealed for.
pub(crate) fn sealed_at(row: &Key, subject: SubjectId) -> Binding<'_> {
    let (category, purpose) = (Category::MEMORY_SUMMARY, Purpose::MEMORY);
    Binding { table: "facts", row, schema: 3, subject, category, purpose }
}

/// The certificate for `of`, which its leaf vouches for.
pub(crate) async fn certified(register: &Register, subject: SubjectId, of: Reference) -> Certificate {
    let json = register.until_certified(subject, of).await.unwrap();
    let hash = Hash(Sha256::digest(&json).into());
    let leaves = leaves_of(register.journal()).await;
    let vouched = leaves
        .iter()
        .filter(|leaf| matches!(leaf.fact.event, Event::EraseCertified { certificate, .. } if certificate == hash));
    assert_eq!(vouched.count(), 1, "its hash is in the log, once");
    Certificate::parse(&json).unwrap()
}

/// Opens, and has accepted, a request of `subject` to be erased.
async fn ask_to_be_erased(desk: &Desk, subject: SubjectId) -> Reference {
    let case = desk.receive(subject, RightKind::Erase, INTEGRATOR).await.unwrap().id;
    for step in [VERIFIED, Step::Accept] {
        desk.step(subject, case, step, INTEGRATOR).await.unwrap();
    }
    case
}

/// The events of erasures, in order.
async fn told(register: &Register) -> Vec<&'static str> {
    let leaves = leaves_of(register.journal()).await.into_iter();
    let names = leaves.map(|leaf| leaf.fact.event.name()).filter(|name| *name != "processor.registered");
    names.filter(|name| ["erase.", "key.", "processor."].iter().any(|sort| name.starts_with(sort))).collect()
}

#[tokio::test]
async fn a_withdrawal_of_memory_ends_with_a_certificate() {
    let world = World::new().await;
    let person = world.person(&[VOICE, MEMORY]).await;
    world.register.save_facts(person, &facts()).await.unwrap();
    let withdrawn = world.register.withdraw(person, &[MEMORY], Means::Voice).await.unwrap();
    let certificate = certified(&world.register, person, Reference(withdrawn.id)).await;
    assert_eq!(certificate.grounds, [Ground::Withdrawal(withdrawn.id)]);
    assert_eq!(certificate.category, Some(Category::MEMORY_SUMMARY));
    assert!(certificate.is_purged && !certificate.is_partial());
    let [key] = certificate.keys.as_slice() else { panic!("one key: {:?}", certificate.keys) };
    assert_eq!((key.category, key.generation), (Category::MEMORY_SUMMARY, 1));
    let events = world.leaves().await;
    let destroyed = events.iter().find_map(|leaf| match leaf.fact.event {
        Event::KeyDestroyed { key, .. } => Some(key),
        _ => None,
    });
    assert_eq!(destroyed, Some(key.commitment()));
    assert_eq!(
        told(&world.register).await,
        ["erase.committed", "key.destroyed", "erase.node_acked", "erase.certified"]
    );
    world.ends_spotless().await;
}

#[tokio::test]
async fn where_nothing_was_sealed_the_certificate_says_so() {
    let world = World::new().await;
    let person = world.person(&[VOICE, MEMORY]).await;
    let withdrawn = world.register.withdraw(person, &[], Means::Button).await.unwrap();
    let certificate = certified(&world.register, person, Reference(withdrawn.id)).await;
    assert_eq!(certificate.keys, []);
}

#[tokio::test]
async fn a_request_is_carried_out_and_answered_by_its_certificate() {
    let world = World::new().await;
    let desk = Desk::open(world.register.clone());
    let person = world.person(&[VOICE, MEMORY]).await;
    world.register.save_facts(person, &facts()).await.unwrap();
    let case = ask_to_be_erased(&desk, person).await;
    let certificate = certified(&world.register, person, case).await;
    assert_eq!(certificate.grounds[0], Ground::Request(case.0));
    assert_eq!((certificate.category, certificate.keys.len()), (None, 1));
    let state = world.state(person).await;
    assert_eq!((state.status(VOICE), state.status(MEMORY)), (ConsentStatus::Withdrawn, ConsentStatus::Withdrawn));
    let answered = &desk.of(person).await.unwrap()[0];
    assert_eq!((answered.id, answered.standing), (case, Standing::Fulfilled));
    assert_eq!(world.leaves().await.last().map(|leaf| leaf.fact.event.name()), Some("dsr.fulfilled"));

    // they may come back, as somebody of whom nothing is known
    world.answers(person, &[VOICE, MEMORY], ConsentStatus::Given).await;
    assert_eq!(world.register.facts(person).await.unwrap(), []);
    assert!(world.register.save_facts(person, &facts()).await.unwrap());
    assert_eq!(world.register.facts(person).await.unwrap(), facts());
    world.ends_spotless().await;
}

#[tokio::test]
async fn what_is_being_erased_is_answered_by_nothing_else() {
    let world = World::impatient().await;
    let desk = Desk::open(world.register.clone());
    let person = world.person(&[VOICE, MEMORY]).await;
    let lease = world.listen(person).await.unwrap();
    let case = ask_to_be_erased(&desk, person).await;
    lease.revoked().await;
    for step in [Step::Fulfil { is_partial: false }, Step::Reject(sayso_policy::profile::Refusal::ProcessExcessive)] {
        let refused = desk.step(person, case, step, INTEGRATOR).await;
        assert!(matches!(refused, Err(Error::NotNow(NotNow::UnderWay))), "{refused:?}");
    }
    assert!(world.register.certificate(person, case).await.unwrap().is_none(), "somebody still holds data");
    assert!(world.register.is_erasing(person, case).await.unwrap());
    drop(lease);
    let certificate = certified(&world.register, person, case).await;
    assert!(!world.register.is_erasing(person, case).await.unwrap());
    let effective = world.leaves().await.iter().rposition(|leaf| leaf.fact.event.name() == "withdraw.effective");
    let at = world.leaves().await.iter().rposition(|leaf| leaf.fact.event.name() == "erase.certified");
    assert!(effective < at, "{certificate:?}");
}

/// Revision `rev` of the policy, under which somebody else receives what is remembered, and keeps it for thirty days.
pub(crate) fn profile_with_a_receiver(rev: u32) -> Profile {
    profile_with_a_receiver_who(rev, "")
}

/// The same, with `more` of the receiver.
pub(crate) fn profile_with_a_receiver_who(rev: u32, more: &str) -> Profile {
    let cloud = "  { id = \"cloud\", kind = \"llm\", party = \"Somebody Else\", contact = \"privacy@else.example\", \
                 region = \"CN\", region_class = \"domestic\", accepts = [\"memory_summary\"], purposes = [\"memory\"], \
                 state = \"active\", contract = \"No. 7\", trains_on_data = false, declared_retention = \"P30D\" },\n]\n\n[profile]";
    let cloud = cloud.replacen("\"P30D\"", &format!("\"P30D\"{more}"), 1);
    let text = include_str!("../profile.toml").replacen("]\n\n[profile]", &cloud, 1);
    let text = text.replacen("rev = 1", &format!("rev = {rev}"), 1);
    // of what is remembered the policy promises more than that receivers are told
    let of_memory = "retention = { trigger = \"withdraw\", after = \"PT0S\", action = \"erase\"";
    assert!(text.contains(of_memory), "the profile to test with has another retention");
    let text = text.replace(of_memory, &format!("{of_memory}, processors_must_confirm = true"));
    let rights = "[rights.offers]\nrectify = {}\nrestrict = {}\ncancel = {}\ncopy = {}\n";
    Profile::in_force_before(&format!("{text}\n{rights}")).unwrap()
}

#[tokio::test]
async fn a_receiver_that_keeps_data_is_named_with_the_day_that_it_declares() {
    let profile = profile_with_a_receiver(1);
    let setting = Setting::with(tempfile::tempdir().unwrap(), profile).await;
    let person = setting.person("anna").await;
    let desk = Desk::open(setting.register.clone());
    let case = ask_to_be_erased(&desk, person).await;
    let certificate = certified(&setting.register, person, case).await;
    let until = certificate.destroyed_at.0 + 30 * 24 * 60 * 60 * 1_000;
    let (id, party) = ("cloud".parse().unwrap(), "Somebody Else".to_owned());
    let until = Some(sayso_types::WallTime(until));
    assert_eq!(certificate.residuals[0], Residual::Processor { id, party, can_be_told: true, until, told_at: None });
    assert_eq!(desk.of(person).await.unwrap()[0].standing, Standing::PartlyFulfilled);
    assert!(told(&setting.register).await.contains(&"processor.deletion_unconfirmed"));
    let in_part = leaves_of(setting.register.journal()).await.into_iter().any(|leaf| {
        matches!(leaf.fact.event, Event::Request { step: RequestStep::Fulfilled, detail, .. } if detail.as_str() == "in_part")
    });
    assert!(in_part);
}

/// A node with its keys apart from its data, as a real one has them.
pub(crate) struct Setting {
    pub(crate) dir: Arc<tempfile::TempDir>,
    pub(crate) data: Arc<LocalStore>,
    pub(crate) keys: Arc<LocalStore>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) register: Arc<Register>,
    pub(crate) tasks: Tasks,
    pub(crate) clock: ManualClock,
}

impl Setting {
    pub(crate) async fn new() -> Self {
        Self::with(tempfile::tempdir().unwrap(), profile()).await
    }

    pub(crate) async fn with(dir: tempfile::TempDir, profile: Profile) -> Self {
        Self::open(Arc::new(dir), profile).await
    }

    pub(crate) async fn open(dir: Arc<tempfile::TempDir>, profile: Profile) -> Self {
        let (data, keys) = (open_store(&dir.path().join("data")), open_store(&dir.path().join("keys")));
        let (vault, tasks) = (vault(keys.clone()).await.unwrap(), Tasks::new());
        let (clock, options) = (ManualClock::new(), Options::default());
        let in_use = Arc::new(clock.clone());
        let register =
            Register::open(data.clone(), vault.clone(), Arc::new(profile), in_use, tasks.clone(), options).await;
        Self { dir, data, keys, vault, register: register.unwrap(), tasks, clock }
    }

    /// Somebody who agreed, and has something remembered.
    pub(crate) async fn person(&self, device: &str) -> SubjectId {
        let subject = self.register.subject_of(&"acme".parse().unwrap(), &device.parse().unwrap()).await.unwrap();
        self.register.record(&answer(subject, &[VOICE, MEMORY], ConsentStatus::Given)).await.unwrap();
        assert!(self.register.save_facts(subject, &facts()).await.unwrap());
        subject
    }

    async fn sealed(&self, subject: SubjectId) -> Vec<u8> {
        self.data.read(&[row(subject)]).await.unwrap().remove(0).unwrap().value[2..].to_vec()
    }

    /// Ends the node in order.
    pub(crate) async fn close(self) -> Arc<tempfile::TempDir> {
        let Self { dir, data, keys, vault, register, tasks, .. } = self;
        assert_eq!(tasks.shutdown(Duration::from_secs(30)).await, 0, "everything ends in time");
        drop((register, vault));
        data.close();
        keys.close();
        dir
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

/// Copies the files below `from` to `to`, byte by byte.
pub(crate) fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn with_every_file_and_every_key_in_them_nobody_reads_what_was_erased() {
    let setting = Setting::new().await;
    let (anna, ben) = (setting.person("anna").await, setting.person("ben").await);
    let sealed = [(anna, setting.sealed(anna).await), (ben, setting.sealed(ben).await)];
    let (old_data, old_keys) = (setting.path("old-data"), setting.path("old-keys"));
    copy(&setting.path("data"), &old_data).unwrap();
    copy(&setting.path("keys"), &old_keys).unwrap();
    let (data, keys, vault) = (setting.path("data"), setting.path("keys"), setting.vault.id());
    let reads = |dirs: &[&Path]| {
        let adversary = Adversary::new(dirs, FakeKek::KEY, vault).unwrap();
        assert!(!adversary.sees(CANARY.as_bytes()), "it is in no file in clear");
        let read = sealed.iter().filter(|(subject, sealed)| {
            let row = row(*subject);
            let read = adversary.read(&sealed_at(&row, *subject), sealed);
            read.is_some_and(|facts| facts.windows(CANARY.len()).any(|bytes| bytes == CANARY.as_bytes()))
        });
        read.map(|(subject, _)| *subject).collect::<Vec<_>>()
    };
    assert_eq!(reads(&[&data, &keys]), [anna, ben], "the adversary reads what is there");

    let case = ask_to_be_erased(&Desk::open(setting.register.clone()), anna).await;
    assert!(certified(&setting.register, anna, case).await.is_purged);
    assert_eq!(reads(&[&data, &keys]), [ben]);
    assert_eq!(reads(&[&data, &keys, &old_data]), [ben], "also with a backup of the data");
    let ciphertext = &sealed[0].1;
    let adversary = Adversary::new(&[&data, &keys], FakeKek::KEY, vault).unwrap();
    assert!(!adversary.sees(ciphertext), "the ciphertext is gone, too");
    assert!(adversary.sees(&sealed[1].1));
    assert_eq!(reads(&[&old_data, &old_keys]), [anna, ben], "which is why copies of keys are to be kept for short");
    let _dir = setting.close().await;
    assert_eq!(reads(&[&data, &keys, &old_data]), [ben], "also of what closing the stores writes");
}

#[tokio::test]
async fn an_old_key_store_that_is_put_back_brings_back_no_key() {
    let setting = Setting::new().await;
    let (anna, ben) = (setting.person("anna").await, setting.person("ben").await);
    let sealed = setting.sealed(anna).await;
    let (keys, old) = (setting.path("keys"), setting.path("old-keys"));
    copy(&keys, &old).unwrap();
    let withdrawn = setting.register.withdraw(anna, &[], Means::Voice).await.unwrap();
    certified(&setting.register, anna, Reference(withdrawn.id)).await;
    let dir = setting.close().await;
    fs::remove_dir_all(&keys).unwrap();
    copy(&old, &keys).unwrap();

    let setting = Setting::open(dir, profile()).await;
    let at = row(anna);
    let opened = setting.vault.open(&sealed_at(&at, anna), &sealed).await;
    assert!(opened.is_err_and(|error| error.is_forgotten()), "it was destroyed again when the node opened");
    assert_eq!(setting.register.facts(ben).await.unwrap(), facts());
    setting.vault.purge().await.unwrap();
    let adversary = Adversary::new(&[&keys], FakeKek::KEY, setting.vault.id()).unwrap();
    assert!(adversary.read(&sealed_at(&at, anna), &sealed).is_none());
    // a key store of before there was any key of hers makes no such key again
    setting.register.record(&answer(anna, &[VOICE, MEMORY], ConsentStatus::Given)).await.unwrap();
    assert!(setting.register.save_facts(anna, &facts()).await.unwrap());
    assert_eq!(setting.sealed(anna).await[1..5], 2_u32.to_be_bytes(), "another generation");
}

#[tokio::test]
async fn old_data_that_is_put_back_is_read_by_nobody() {
    let setting = Setting::new().await;
    let anna = setting.person("anna").await;
    let (data, old) = (setting.path("data"), setting.path("old-data"));
    let dir = {
        let dir = setting.close().await;
        copy(&data, &old).unwrap();
        dir
    };
    let setting = Setting::open(dir, profile()).await;
    let withdrawn = setting.register.withdraw(anna, &[], Means::Voice).await.unwrap();
    certified(&setting.register, anna, Reference(withdrawn.id)).await;
    let dir = setting.close().await;
    fs::remove_dir_all(&data).unwrap();
    copy(&old, &data).unwrap();
    let setting = Setting::open(dir, profile()).await;
    assert_eq!(setting.register.facts(anna).await.unwrap(), [], "its key is gone");
}
