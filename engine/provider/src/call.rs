//! [`Call`]: what every request to a provider carries.

use core::time::Duration;

use sayso_policy::Permit;
use sayso_types::TurnId;

/// One request to a provider: its right to data, its limit and the turn that it belongs to.
#[derive(Clone, Debug)]
pub struct Call {
    /// What the receiver may call it: random, and of nobody. By it the receiver is told later what to delete.
    pub id: [u8; 16],
    /// The right under which data is opened.
    pub permit: Permit,
    /// From the last input to the final result.
    pub timeout: Duration,
    /// The turn it belongs to, for traces.
    pub turn: TurnId,
    /// BCP 47 language of the conversation, such as `en` or `zh`; empty when unknown.
    pub language: String,
}
