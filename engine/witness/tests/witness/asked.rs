//! What a witness says to a log, to a thief of its key, and after a restart.

use std::fs;

use sayso_audit::note::Note;
use sayso_audit::witness::{AddCheckpoint, Answer, Witness, WitnessError};
use sayso_audit::{Checkpoint, Signer};

use crate::setting::{LOG, Running, cosigner, honest, request, tree};

/// The cosignature is by this witness, of the checkpoint that was asked about.
fn assert_cosigned(request: &AddCheckpoint, answer: Result<Answer, WitnessError>) {
    let Ok(Answer::Cosigned(lines)) = answer else { panic!("{answer:?}") };
    let note = format!("{}{lines}", request.note);
    assert!(Note::parse(&note).unwrap().cosigned_by(cosigner().verifier()).unwrap().is_some());
}

#[tokio::test]
async fn a_log_that_grows_is_cosigned_and_remembered_across_restarts() {
    let dir = tempfile::tempdir().unwrap();
    let mut old = 0;
    for size in [1, 2, 9, 9, 200] {
        let witness = Running::new(dir.path()).await;
        let grown = request(old, &honest(size));
        assert_cosigned(&grown, witness.client().add_checkpoint(&grown).await);
        old = size;
        let forgetful = witness.client().add_checkpoint(&request(0, &honest(300))).await;
        assert_eq!(forgetful, Ok(Answer::OtherSize(size)), "it says what it cosigned last");
        witness.stop().await;
    }
}

/// T-c of the design: everything is rewritten with the stolen key of the log.
#[tokio::test]
async fn a_past_rewritten_with_the_stolen_key_is_refused_and_kept_as_evidence() {
    let dir = tempfile::tempdir().unwrap();
    let witness = Running::new(dir.path()).await;
    let seen = request(0, &honest(9));
    assert_cosigned(&seen, witness.client().add_checkpoint(&seen).await);
    for (size, status) in [(9, Ok(Answer::OtherSize(9))), (20, Err(WitnessError::Refused(422)))] {
        let rewritten = request(9, &tree(size, 3));
        assert_eq!(witness.client().add_checkpoint(&rewritten).await, status);
        let evidence: Vec<_> = fs::read_dir(dir.path().join("evidence")).unwrap().map(|e| e.unwrap().path()).collect();
        let texts: Vec<_> = evidence.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
        assert!(texts.contains(&format!("{}\n{}", seen.note, rewritten.note)), "both are signed by the log: {texts:?}");
    }
    let grown = request(9, &honest(12));
    assert_cosigned(&grown, witness.client().add_checkpoint(&grown).await);
    witness.stop().await;
}

/// T-d of the design: two leaders of one log go separate ways.
#[tokio::test]
async fn of_two_leaders_only_the_first_is_cosigned() {
    let dir = tempfile::tempdir().unwrap();
    let witness = Running::new(dir.path()).await;
    let before = request(0, &honest(5));
    assert_cosigned(&before, witness.client().add_checkpoint(&before).await);
    let (one, other) = (request(5, &tree(8, 5)), request(5, &tree(8, 6)));
    assert_ne!(tree(8, 5).root(), tree(8, 6).root());
    assert_cosigned(&one, witness.client().add_checkpoint(&one).await);
    assert_eq!(witness.client().add_checkpoint(&other).await, Ok(Answer::OtherSize(8)));
    let other = request(8, &tree(8, 6));
    assert_eq!(witness.client().add_checkpoint(&other).await, Ok(Answer::OtherSize(8)), "the same size, another tree");
    assert_eq!(fs::read_dir(dir.path().join("evidence")).unwrap().count(), 1);
    witness.stop().await;
}

#[tokio::test]
async fn strange_logs_and_keys_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let witness = Running::new(dir.path()).await;
    let (tree, client) = (honest(3), witness.client());
    let signed =
        |signer: &Signer| AddCheckpoint { note: Checkpoint::sign(3, tree.root(), signer), ..request(0, &tree) };
    let stranger = Signer::new("other.example/sayso", &[7; 32]).unwrap();
    assert_eq!(client.add_checkpoint(&signed(&stranger)).await, Err(WitnessError::Refused(404)));
    let thief = Signer::new(LOG, &[9; 32]).unwrap();
    assert_eq!(client.add_checkpoint(&signed(&thief)).await, Err(WitnessError::Refused(403)));
    assert_eq!(client.add_checkpoint(&request(4, &tree)).await, Err(WitnessError::Refused(400)));
    witness.stop().await;
}

#[tokio::test]
async fn of_many_at_once_each_is_judged_after_the_one_before() {
    let dir = tempfile::tempdir().unwrap();
    let witness = Running::new(dir.path()).await;
    let client = witness.client();
    let requests: Vec<_> = (1..=16).map(|size| request(0, &honest(size))).collect();
    let mut set = tokio::task::JoinSet::new();
    for request in requests {
        let client = client.clone();
        set.spawn(async move { client.add_checkpoint(&request).await });
    }
    let answers = set.join_all().await;
    let cosigned = answers.iter().filter(|answer| matches!(answer, Ok(Answer::Cosigned(_)))).count();
    assert_eq!((cosigned, answers.len()), (1, 16), "{answers:?}");
    witness.stop().await;
}

#[tokio::test]
async fn a_ledger_that_is_damaged_or_in_use_is_not_served() {
    let dir = tempfile::tempdir().unwrap();
    let witness = Running::new(dir.path()).await;
    assert!(Running::start(dir.path()).await.is_err_and(|e| e.to_string().contains("in use")));
    let first = request(0, &honest(2));
    assert_cosigned(&first, witness.client().add_checkpoint(&first).await);
    let file = fs::read_dir(dir.path().join("logs")).unwrap().next().unwrap().unwrap().path();
    fs::write(file, "nonsense").unwrap();
    let failed = witness.client().add_checkpoint(&request(2, &honest(3))).await;
    assert_eq!(failed, Err(WitnessError::Refused(500)), "what it cosigned is not known, so nothing more is");
    witness.stop().await;
    assert!(Running::start(dir.path()).await.is_err_and(|e| e.to_string().contains("restore it from a backup")));
}

#[tokio::test]
async fn a_witness_that_is_gone_is_out_of_reach() {
    let dir = tempfile::tempdir().unwrap();
    let witness = Running::new(dir.path()).await;
    let client = witness.client();
    witness.stop().await;
    let gone = client.add_checkpoint(&request(0, &honest(1))).await;
    assert!(matches!(gone, Err(WitnessError::Unreached(_))), "{gone:?}");
}
