//! [`Replayed`]: what a replay has come to.

/// What a replay has come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Segments that were opened, categories that were disclosed or read, items that were kept, and people and numbers of people
    /// that were anonymised under the profile, whose verdict was recomputed.
    pub checked: u64,
    /// Refusals under the profile that were asked again: one for each leaf of them. Those of which the log does not say enough are
    /// none of these.
    pub refusals: u64,
    /// Verdicts under other profiles: not checked. Refusals are not among them.
    pub others: u64,
    /// The leaves of those that the profile did not allow.
    pub denied: Vec<u64>,
    /// The leaves of refusals under the profile that there was no reason for, though the log says one.
    pub unfounded: Vec<u64>,
    /// The leaves that show that a request was not answered by its day, where the log does not say so itself: the answer's,
    /// or the request's if there is none.
    pub late: Vec<u64>,
    /// The same of complaints.
    pub late_complaints: Vec<u64>,
    /// The same of telling people and authorities of an incident.
    pub late_incidents: Vec<u64>,
    /// The same of withdrawals, which take effect by then.
    pub late_withdrawals: Vec<u64>,
    /// The same of erasures, which are certified by then.
    pub late_erasures: Vec<u64>,
    /// The leaves that show that something that is stored ended later than its rule allows, and no legal hold kept it; and
    /// where a child's data is not erased by the time that the profile promises, that of its being found.
    pub overstayed: Vec<u64>,
    /// The leaves by which a withdrawal took effect while something was open that requires consent to what was withdrawn.
    pub across: Vec<u64>,
}
