//! [`OpenResidual`]: what a receiver may still have, for which nobody answers.

use sayso_audit::Reference;
use sayso_types::{Category, ProcessorId, SubjectId, TenantId, WallTime};

/// That a receiver did not say that it has deleted what an erasure is of, that the time is not over for which it says that it
/// keeps it, and that nobody answers for it that it remains. Nothing of it is anybody's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenResidual {
    /// Whose data.
    pub subject: SubjectId,
    /// Whose people they are; [`None`] of somebody of whom nothing is left here but what proves that.
    pub tenant: Option<TenantId>,
    /// The erasure, which is named where somebody answers for it.
    pub erasure: Reference,
    /// What was erased here; [`None`] is everything that was sealed.
    pub category: Option<Category>,
    /// Since when that is certified.
    pub certified_at: WallTime,
    /// The receiver.
    pub processor: ProcessorId,
    /// Who runs it.
    pub party: String,
    /// Since when it has been told to delete; [`None`] when no machine told it.
    pub told_at: Option<WallTime>,
    /// Until when it says that it keeps it; [`None`] when it gives no time.
    pub until: Option<WallTime>,
}
