//! Keeps sessions informed of their subjects' consent, and of who their subjects are, whoever changes it.

use std::sync::{Arc, Weak};

use sayso_consent::visits::DeviceOf;
use sayso_policy::ConsentState;
use sayso_types::SubjectId;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;

use crate::directory::Directory;

/// Tells sessions of every change, for as long as there are any.
pub(crate) async fn follow(directory: Weak<Directory>, mut changes: Receiver<(SubjectId, ConsentState)>) {
    loop {
        let change = changes.recv().await;
        let Some(directory) = directory.upgrade() else { return };
        match change {
            Ok((subject, state)) => directory.consent_changed(subject, state),
            Err(RecvError::Closed) => return,
            Err(RecvError::Lagged(missed)) => {
                metrics::counter!("sayso_session_consent_changes_missed_total").increment(missed);
                read_all(&directory).await;
            }
        }
    }
}

/// Has the sessions of devices give way through which somebody else speaks, for as long as there are any.
pub(crate) async fn follow_speakers(directory: Weak<Directory>, mut speakers: Receiver<DeviceOf>) {
    loop {
        let changed = speakers.recv().await;
        let Some(directory) = directory.upgrade() else { return };
        match changed {
            Ok(device) => directory.speaker_changed(&device).await,
            Err(RecvError::Closed) => return,
            Err(RecvError::Lagged(missed)) => {
                metrics::counter!("sayso_session_speaker_changes_missed_total").increment(missed);
                for place in directory.all() {
                    directory.speaker_changed(&place.identity.device_of()).await;
                }
            }
        }
    }
}

/// Ends every session when the service ends.
pub(crate) async fn end_with_service(directory: Weak<Directory>, mut ended: watch::Receiver<bool>) {
    if ended.wait_for(|ended| *ended).await.is_ok()
        && let Some(directory) = directory.upgrade()
    {
        directory.end_service();
    }
}

/// Some changes were missed: every session is told how its subject stands now.
async fn read_all(directory: &Arc<Directory>) {
    for place in directory.all() {
        let subject = place.identity.subject;
        match directory.services.register.state(subject).await {
            Ok(state) => directory.consent_changed(subject, state),
            // Its gates are the register's, so nothing flows that may not; the session hears of it at the next change.
            Err(error) => tracing::warn!(%error, "a consent state could not be read"),
        }
    }
}
