//! [`Desk`]: one request at a time, from judging to remembering.

use std::sync::Arc;

use sayso_audit::witness::{AddCheckpoint, Refusal, judge};
use sayso_audit::{Checkpoint, Cosigner, VerifierKey};
use sayso_runtime::Tasks;
use sayso_types::Clock;
use tokio::sync::Mutex;

use crate::{Ledger, LedgerError};

/// Where requests are decided.
pub(super) struct Desk {
    /// Held from the reading of what was cosigned last until the next is remembered: otherwise an older checkpoint could
    /// be remembered after a newer one.
    ledger: Arc<Mutex<Ledger>>,
    cosigner: Cosigner,
    logs: Arc<[VerifierKey]>,
    clock: Arc<dyn Clock>,
    tasks: Tasks,
}

/// What becomes of a request.
pub(super) enum Verdict {
    /// A signature line.
    Cosigned(String),
    /// Another size was cosigned last, or another tree of this one.
    Size(u64),
    /// It is refused.
    Refused(Refusal),
    /// The ledger failed; nothing is cosigned.
    Failed,
}

impl Verdict {
    /// The HTTP status that says so.
    pub(super) const fn status(&self) -> u16 {
        match self {
            Self::Cosigned(_) => 200,
            Self::Size(_) => 409,
            Self::Refused(refusal) => refusal.status(),
            Self::Failed => 500,
        }
    }
}

impl core::fmt::Debug for Desk {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Desk").field("cosigner", &self.cosigner).field("logs", &self.logs).finish_non_exhaustive()
    }
}

impl Desk {
    pub(super) fn new(
        ledger: Ledger,
        cosigner: Cosigner,
        logs: Vec<VerifierKey>,
        clock: Arc<dyn Clock>,
        tasks: Tasks,
    ) -> Self {
        Self { ledger: Arc::new(Mutex::new(ledger)), cosigner, logs: logs.into(), clock, tasks }
    }

    /// Decides on the request in `body`. To the end, also when whoever asked has gone.
    pub(super) async fn judge(&self, body: String) -> Verdict {
        let ledger = Arc::clone(&self.ledger).lock_owned().await;
        let logs = Arc::clone(&self.logs);
        let judged = self.tasks.blocking("witness ledger", move || judge_and_remember(&ledger, &logs, &body)).await;
        match judged {
            Ok(Ok(Ok(checkpoint))) => {
                tracing::info!(origin = checkpoint.origin, size = checkpoint.size, "cosigned");
                Verdict::Cosigned(self.cosigner.cosign(&checkpoint.text(), self.clock.wall()))
            }
            Ok(Ok(Err(Refusal::OtherSize { size } | Refusal::Fork { size }))) => Verdict::Size(size),
            Ok(Ok(Err(refusal))) => Verdict::Refused(refusal),
            Ok(Err(error)) => {
                tracing::error!(%error, "the ledger cannot be used; nothing is cosigned");
                Verdict::Failed
            }
            Err(lost) => {
                tracing::error!(%lost, "nothing is cosigned");
                Verdict::Failed
            }
        }
    }
}

/// The checkpoint that may be cosigned: it is remembered.
fn judge_and_remember(
    ledger: &Ledger,
    logs: &[VerifierKey],
    body: &str,
) -> Result<Result<Checkpoint, Refusal>, LedgerError> {
    let request = match AddCheckpoint::parse(body) {
        Ok(request) => request,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let Ok(claimed) = Checkpoint::unverified(&request.note) else {
        return Ok(Err(Refusal::Malformed("the request holds no checkpoint after its empty line")));
    };
    let is_known = logs.iter().any(|log| log.name() == claimed.origin);
    let last = if is_known { ledger.last(&claimed.origin)? } else { None };
    let judged = judge(&request, logs, |_| last.as_deref().and_then(|note| Checkpoint::unverified(note).ok()));
    match &judged {
        Ok(checkpoint) => ledger.remember(&checkpoint.origin, &request.note)?,
        Err(refusal) if refusal.is_evidence() => {
            let last = last.as_deref().unwrap_or_default();
            let kept = ledger.keep_evidence(&claimed.origin, last, &request.note)?;
            metrics::counter!("sayso_witness_forks_total").increment(1);
            tracing::error!(
                origin = claimed.origin,
                size = claimed.size,
                evidence = kept.map(|path| path.display().to_string()),
                "{refusal}"
            );
        }
        Err(_) => {}
    }
    Ok(judged)
}
