//! [`Access`]: who looked at or changed a person's data is on record.

use sayso_audit::AuditKey;
use sayso_consent::Journal;
use sayso_types::Name;

use crate::operator::Operator;
use crate::refusal::Refusal;

/// Writes `operator.access` leaves.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    journal: Journal,
    key: AuditKey,
}

impl Access {
    pub(crate) const fn new(journal: Journal, key: AuditKey) -> Self {
        Self { journal, key }
    }

    /// Puts on record, durably, that `operator` did `what` with `rows` records of people. Nobody is answered before.
    /// No records are nobody's data.
    pub(crate) async fn record(&self, operator: &Operator, what: Name, rows: usize) -> Result<(), Refusal> {
        if rows > 0 {
            self.journal.operator(operator.actor(&self.key), what, rows as u64).await?;
        }
        Ok(())
    }
}
