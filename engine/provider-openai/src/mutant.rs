//! A way to break a withdrawal on purpose, which a test must notice: `make mutants-withdraw`. The model of the withdrawal knows it
//! by the same number. It is a cargo feature that no manifest may name, and it also has to be [chosen](sayso_policy::mutant).
//!
//! M6: what has passed the gate is kept behind it, and sent again once the service can be reached again.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use sayso_policy::mutant;
use tokio::io::AsyncWriteExt as _;

use crate::client::Dialler;

/// What has passed the gate.
static KEPT: Mutex<Vec<Bytes>> = Mutex::new(Vec::new());

/// Keeps what has passed the gate.
pub(crate) fn keep(passed: &Bytes) {
    if mutant::is("m6") {
        KEPT.lock().unwrap_or_else(PoisonError::into_inner).push(passed.clone());
    }
}

/// Sends what was kept again, over a connection of its own that asks no gate.
pub(crate) async fn replay(dialler: &Dialler) {
    let kept = core::mem::take(&mut *KEPT.lock().unwrap_or_else(PoisonError::into_inner));
    if kept.is_empty() {
        return;
    }
    let Ok((mut io, _)) = dialler.dial_ungated().await else { return };
    for passed in kept {
        if io.write_all(&passed).await.is_err() {
            return;
        }
    }
}
