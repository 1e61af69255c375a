use sayso_policy::Profile;
use sayso_runtime::Tasks;
use sayso_store_local::{LocalOptions, LocalStore};
use sayso_types::ManualClock;

use super::*;
use crate::tables::{FORMAT, FormatKey};
use crate::{Options, Register};

struct Shared {
    store: Arc<LocalStore>,
    clock: ManualClock,
    _dir: tempfile::TempDir,
}

impl Shared {
    fn new() -> Self {
        let (dir, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
        let store = LocalStore::open(dir.path(), LocalOptions::new(Arc::new(clock.clone()))).unwrap();
        Self { store, clock, _dir: dir }
    }

    fn candidate(&self, name: &str) -> Candidate {
        Candidate { store: self.store.clone(), name: name.to_owned(), clock: Arc::new(self.clock.clone()) }
    }

    async fn owner(&self, name: &str) -> Owner {
        self.candidate(name).stand(|_| {}).await.unwrap()
    }
}

#[test]
fn a_record_must_stay_as_it_is_for_long_enough() {
    let mut seen = Seen::default();
    let (one, two) = (Some(Version::from_sequence(1)), Some(Version::from_sequence(2)));
    let at = |past: Duration| Mono(0).after(past);
    assert!(!seen.is_over(one, at(Duration::ZERO)));
    assert!(!seen.is_over(one, at(LASTS)), "the owner's clock may be a little slower");
    assert!(!seen.is_over(two, at(TAKEN_AFTER)), "it was renewed");
    assert!(!seen.is_over(two, at(TAKEN_AFTER + LASTS)));
    assert!(seen.is_over(two, at(TAKEN_AFTER * 2)));
    assert!(seen.is_over(None, at(TAKEN_AFTER * 2)), "it was given back");
    const { assert!(LASTS.as_millis() < TAKEN_AFTER.as_millis()) };
}

#[tokio::test]
async fn nobody_takes_over_before_the_owners_time_is_over() {
    let shared = Shared::new();
    let first = shared.owner("node 1").await;
    let until = first.tenure().until();
    assert_eq!(until, shared.clock.now().after(LASTS));

    let mut owners = Vec::new();
    let standby = shared.candidate("node 2");
    let second = {
        let clock = shared.clock.clone();
        let mut standing = core::pin::pin!(standby.stand(|owner| {
            owners.push(owner.to_owned());
            // the standby has seen the record: time begins to pass
            clock.advance(TAKEN_AFTER);
        }));
        standing.as_mut().await.unwrap()
    };
    assert_eq!(owners, ["node 1"]);
    assert!(shared.clock.now() > until, "the owner's permits had ended");
    assert!(second.tenure().until() > shared.clock.now());

    let mut first = first;
    assert!(matches!(first.renew().await, Err(Error::Stopped)), "who comes late is told");
    assert_eq!(first.tenure().until(), Mono(0));
}

#[tokio::test]
async fn a_tenure_is_renewed_from_when_that_was_asked_for() {
    let shared = Shared::new();
    let mut owner = shared.owner("node 1").await;
    shared.clock.advance(LASTS);
    owner.renew().await.unwrap();
    assert_eq!(owner.tenure().until(), shared.clock.now().after(LASTS), "nobody had taken it");
}

#[tokio::test]
async fn what_is_given_back_is_taken_at_once() {
    let shared = Shared::new();
    let first = shared.owner("node 1").await;
    let (tenure, stop) = (first.tenure(), CancellationToken::new());
    stop.cancel();
    first.keep(stop).await.unwrap();
    assert_eq!(tenure.until(), Mono(0));
    // the clock stands still
    shared.owner("node 2").await;
}

#[tokio::test]
async fn an_owner_that_is_started_again_goes_on_at_once() {
    let shared = Shared::new();
    let mut killed = shared.owner("node 1").await;
    shared.owner("node 1").await;
    assert!(killed.renew().await.is_err(), "and the one before is refused, should it still run");
}

#[tokio::test]
async fn what_a_newer_program_noted_while_it_was_waited_for_is_left_to_it() {
    let shared = Shared::new();
    let newer = shared.owner("node 2").await;
    let note = FORMAT.encode(b"{\"of_later\":1}");
    let serves = async {
        shared.store.commit(Batch::new().put(FormatKey { shard: SHARD }.key(), note)).await.unwrap();
        let stop = CancellationToken::new();
        stop.cancel();
        newer.keep(stop).await.unwrap();
    };
    let (stood, ()) = tokio::join!(shared.candidate("node 1").stand(|_| {}), serves);
    assert!(matches!(stood, Err(Error::Newer { record, .. }) if record == "of_later"));
    let held = shared.store.read(&[TenureKey { shard: SHARD }.key()]).await.unwrap();
    assert_eq!(held, [None], "nothing is written");
}

#[tokio::test]
async fn permits_of_an_owner_are_renewed_before_its_tenure_ends() {
    let shared = Shared::new();
    let tenure = shared.owner("node 1").await.tenure();
    let text = include_str!("../../tests/profile.toml").replace("permit_ttl = \"PT3S\"", "permit_ttl = \"PT60S\"");
    let profile = Arc::new(Profile::parse(&text).unwrap());
    assert_eq!(profile.defaults().permit_ttl, Duration::from_secs(60));
    let (clock, options) = (Arc::new(shared.clock.clone()), Options { tenure, ..Options::default() });
    let vault = sayso_vault::testing::vault(shared.store.clone()).await.unwrap();
    let register = Register::open(shared.store.clone(), vault, profile, clock, Tasks::new(), options).await.unwrap();
    assert!(register.renewal_interval() * 3 <= LASTS, "{:?}", register.renewal_interval());
}

#[test]
fn who_is_alone_owns_it_for_ever() {
    assert_eq!((Tenure::sole().until(), Tenure::sole().left()), (Mono(u64::MAX), Duration::MAX));
}
